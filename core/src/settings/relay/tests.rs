use super::super::Settings;
use super::*;

fn parse(mail: &str) -> Result<MailOutSettings, Vec<String>> {
    let text = format!("[mail]\naddress = \"support@securebase.example\"\n{mail}\n");
    match Settings::parse(Some(("desk.toml", &text)), std::iter::empty()) {
        Ok(settings) => Ok(settings.mail.out),
        Err(error) => Err(error.problems().iter().map(ToString::to_string).collect()),
    }
}

fn server(route: Option<SmtpRoute>) -> Relay {
    match route {
        Some(SmtpRoute::Server(relay)) => *relay,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_url_tells_where_and_how() {
    for (url, host, port, tls) in [
        ("smtps://mx.example", "mx.example", 465, TlsUse::Wrapped),
        ("smtp://mx.example", "mx.example", 587, TlsUse::Required),
        (
            "smtp://mx.example:2525",
            "mx.example",
            2525,
            TlsUse::Required,
        ),
        ("smtp://localhost", "localhost", 25, TlsUse::Opportunistic),
        ("smtp://[::1]:26", "::1", 26, TlsUse::Opportunistic),
        // A name that only looks like this machine.
        ("smtp://127.example", "127.example", 587, TlsUse::Required),
    ] {
        let relay = server(parse(&format!("smtp_url = {url:?}")).unwrap().default);
        assert_eq!(
            (relay.host.as_str(), relay.port, relay.tls),
            (host, port, tls),
            "{url}"
        );
        assert_eq!(relay.hello, "securebase.example");
        assert!(!relay.enforces_tls && relay.connections == CONNECTIONS);
    }
    let relay = server(
        parse("smtp_url = \"smtps://u%40x:p%3Aw@mx.example\"")
            .unwrap()
            .default,
    );
    let RelayLogin::Password { username, password } = relay.login else {
        panic!("it logs in");
    };
    assert_eq!((username.as_str(), password.expose()), ("u@x", "p:w"));
    for (url, folder) in [
        ("file:/srv/out", "/srv/out"),
        ("file:///srv/out", "/srv/out"),
        ("file:out", "out"),
    ] {
        let route = parse(&format!("smtp_url = {url:?}")).unwrap().default;
        assert!(
            matches!(route, Some(SmtpRoute::Folder(found)) if found == std::path::Path::new(folder))
        );
    }
}

#[test]
fn relays_are_chosen_by_the_senders_domain() {
    let out = parse(
        "smtp_url = \"smtp://localhost\"\n[mail.senders]\ngov-federal = \"help@gov.example\"\n\
         [[mail.relay]]\nurl = \"smtp://mx.gov.example\"\nsender_domains = [\"Gov.example\"]\n\
         username = \"help@gov.example\"\noauth = \"microsoft\"\nenforces_tls = true\nconnections = 2",
    )
    .unwrap();
    assert_eq!(out.senders["gov-federal"], "help@gov.example");
    let relay = server(out.by_domain.get("gov.example").map(|one| (**one).clone()));
    assert!(matches!(
        relay.login,
        RelayLogin::Token {
            provider: Provider::Microsoft,
            ..
        }
    ));
    assert!(relay.enforces_tls && relay.connections == 2);
    assert_eq!(server(out.default).host, "localhost");
    let other = parse("[[mail.relay]]\nurl = \"smtps://mx.example\"").unwrap();
    assert_eq!(
        server(other.default).host,
        "mx.example",
        "the one for every sender"
    );
}

fn relay(rest: &str) -> String {
    format!("[[mail.relay]]\nurl = \"smtp://mx.example\"\n{rest}")
}

fn assert_told(text: &str, says: &str) {
    let found = parse(text).expect_err(text);
    assert!(
        found.len() == 1 && found[0].contains(says),
        "{text}: {found:?}"
    );
}

#[test]
fn each_mistake_in_a_key_is_told_with_what_to_do() {
    for (text, says) in [
        ("smtp_url = \"http://h\"".to_owned(), "Or file:DIR."),
        ("smtp_url = \"smtp://\"".to_owned(), "mail.smtp_url"),
        ("smtp_url = \"smtp://h:port\"".to_owned(), "mail.smtp_url"),
        ("smtp_url = \"file:\"".to_owned(), "names no folder"),
        ("sender_name = 3".to_owned(), "mail.sender_name"),
        ("templates = 3".to_owned(), "mail.templates"),
        (
            "[mail.senders]\nfintech = \"nobody\"".to_owned(),
            "mail.senders.fintech",
        ),
        ("[[mail.relay]]".to_owned(), "mail.relay[0].url is missing"),
        (
            relay("sender_domains = [\"x\"]\n"),
            "mail.relay[0].sender_domains",
        ),
        (
            relay("sender_domains = [\"x.example\"]"),
            "mail.smtp_url is missing",
        ),
        (
            relay("username = \"u\""),
            "mail.relay[0].password is missing",
        ),
        (
            relay("password = \"p\""),
            "mail.relay[0].username is missing",
        ),
        (
            relay("oauth = \"google\""),
            "mail.relay[0].username is missing",
        ),
        (
            relay("username = \"u\"\noauth = \"yahoo\""),
            "Write microsoft or google.",
        ),
        (
            relay("password_file = \"/nowhere/p\"\nusername = \"u\""),
            "mail.relay[0].password_file names a file that cannot be read",
        ),
        (
            relay("tls = \"maybe\""),
            "Write required, opportunistic or none.",
        ),
        (
            relay("tls = \"none\"\nenforces_tls = true"),
            "mail.relay[0].enforces_tls is true",
        ),
        (
            relay("enforces_tls = \"yes\""),
            "mail.relay[0].enforces_tls",
        ),
        (relay("connections = 0"), "Write 1 to 64."),
        (relay("connections = 65"), "mail.relay[0].connections is 65"),
        (relay("ca_file = 3"), "mail.relay[0].ca_file"),
        (
            relay("lts = \"none\""),
            "mail.relay[0].lts is not a known key",
        ),
    ] {
        assert_told(&text, says);
    }
}

#[test]
fn keys_that_contradict_each_other_are_told() {
    for (text, says) in [
        (
            relay("tls = \"none\"\nusername = \"u\"\npassword = \"p\""),
            "a login may be heard",
        ),
        (
            "[[mail.relay]]\nurl = \"smtps://h\"\ntls = \"opportunistic\"".to_owned(),
            "TLS from the first byte",
        ),
        (
            "[[mail.relay]]\nurl = \"file:out\"\nenforces_tls = true".to_owned(),
            "mail.relay[0].enforces_tls is for servers",
        ),
        (
            format!("smtp_url = \"smtp://localhost\"\n{}", relay("")),
            "mail.relay[0].sender_domains is missing",
        ),
        (
            format!(
                "smtp_url = \"smtp://localhost\"\n{one}\n{one}",
                one = relay("sender_domains = [\"x.example\"]")
            ),
            "has x.example, which another relay has",
        ),
    ] {
        assert_told(&text, says);
    }
    // The same login on this machine, where nobody listens in: positive control.
    let here = "[[mail.relay]]\nurl = \"smtp://127.0.0.1\"\ntls = \"none\"\nusername = \"u\"\npassword = \"p\"";
    assert_eq!(server(parse(here).unwrap().default).tls, TlsUse::None);
}

#[test]
fn what_the_documentation_shows_is_a_way_out() {
    let page = include_str!("../../../../docs/mail-out.md");
    let blocks = page.split("```toml\n").skip(1);
    let mut shown = 0;
    for block in blocks.filter_map(|rest| rest.split_once("```")) {
        // The file does not exist here.
        let text = block
            .0
            .replace("password_file = \"/etc/tierdesk/", "password = \"");
        let settings = Settings::parse(Some(("mail-out.md", &text)), std::iter::empty());
        let settings = settings.unwrap_or_else(|error| panic!("{text}: {error}"));
        let relay = server(settings.mail.out.default);
        assert!(
            relay.tls != TlsUse::Opportunistic || relay.host == "127.0.0.1",
            "{text}"
        );
        shown += 1;
    }
    assert_eq!(shown, 5);
}
