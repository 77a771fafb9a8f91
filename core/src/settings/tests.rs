use std::collections::BTreeSet;

use super::*;
use crate::mail::SenderCheck;

fn variables(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    pairs.into_iter()
}

fn parse(text: &str, env: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::parse(Some(("desk.toml", text)), variables(env))
}

fn problems(text: &str, env: &[(&str, &str)]) -> Vec<String> {
    let error = parse(text, env).expect_err("this configuration is wrong");
    error.problems().iter().map(ToString::to_string).collect()
}

/// The annotated file with every commented-out setting switched on.
fn annotated_with_everything() -> String {
    let switched_on = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
        _ => line.to_owned(),
    };
    // Files that do not exist here: the secrets go in directly.
    ANNOTATED
        .lines()
        .map(switched_on)
        .map(|line| match line.split_once("_file = ") {
            Some((
                name @ ("reply_secret"
                | "reply_secret_previous"
                | "token"
                | "password"
                | "client_secret"
                | "pagerduty_secret"
                | "key"
                | "user"),
                value,
            )) if value != "\"/etc/tierdesk/store.key\"" => {
                format!("{name} = \"{}\"", "x".repeat(40))
            }
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_annotated_file_is_the_default_as_shipped() {
    let shipped = parse(ANNOTATED, &[]).unwrap();
    assert_eq!(format!("{shipped:?}"), format!("{:?}", Settings::default()));
}

#[test]
fn the_annotated_file_shows_every_key_and_the_list_of_keys_is_complete() {
    let text = annotated_with_everything();
    let (settings, notes) = Settings::read(Some(("desk.toml", &text)), std::iter::empty());
    let listed: BTreeSet<String> = keys().map(|key| key.name.to_owned()).collect();
    let lists = [
        "mail.imap",
        "mail.listener",
        "mail.maildir",
        "mail.relay",
        "webhook",
    ]
    .map(str::to_owned);
    let asked: BTreeSet<String> = notes
        .asked()
        .into_iter()
        .filter(|key| !lists.contains(key))
        .collect();
    assert_eq!(asked, listed);
    let set = notes.set();
    for key in &listed {
        let other = key.strip_suffix("_file").unwrap_or(key);
        assert!(
            set.contains(key) || set.contains(other),
            "config/tierdesk.toml lacks {key}"
        );
    }
    assert_eq!(notes.into_problems(), []);
    assert_eq!(settings.mail.imap.len(), 1);
    assert_eq!(settings.webhooks.len(), 1);
}

#[test]
fn defaults_shown_in_the_file_are_the_defaults() {
    let everything = parse(&annotated_with_everything(), &[]).unwrap();
    let default = Settings::default();
    assert_eq!(everything.mail.address, default.mail.address);
    assert_eq!(everything.log.level, default.log.level);
    assert_eq!(everything.http.listen, default.http.listen);
    assert_eq!(everything.discord.api_base, default.discord.api_base);
    assert_eq!(everything.aws.cloud, default.aws.cloud);
    assert_eq!(everything.aws.org_region, default.aws.org_region);
    assert_eq!(everything.mail.imap[0].mailbox, "INBOX");
    let imap = &everything.mail.imap[0];
    assert_eq!(imap.after, AfterFetch::Flag);
    assert_eq!(imap.check, crate::mail::SenderCheck::default());
    assert!(!imap.history);
    assert_eq!(imap.alarm, std::time::Duration::from_mins(15));
    assert_eq!(imap.poll, std::time::Duration::from_mins(1));
    assert_eq!(
        everything.oauth.google.token_url,
        default.oauth.google.token_url
    );
    assert_eq!(
        everything.oauth.microsoft.scope,
        default.oauth.microsoft.scope
    );
}

#[test]
fn every_problem_is_told_at_once_with_its_place_and_remedy() {
    let text = "[mail]\nadress = \"a@b.example\"\nsmtp_url = \"http://h\"\nstaff_domains = [\"x\"]\n\
                [log]\nlevel = 3\n[webhok]\n[[mail.imap]]\nurl = \"imaps://h\"\n";
    let found = problems(text, &[("TIERDESK_AWS__CLOUD", "azure")]);
    assert_eq!(
        found,
        [
            "desk.toml, line 2: mail.adress is not a known key. Did you mean mail.address?",
            "desk.toml, line 3: mail.smtp_url has the scheme \"http\", which does not fit here. \
             Write smtps://HOST or smtp://HOST. Or file:DIR.",
            "desk.toml, line 4: mail.staff_domains has \"x\", not a domain. \
             Write domains like example.com.",
            "desk.toml, line 6: log.level is a whole number where text in quotes is expected. \
             Write text in quotes.",
            "desk.toml, line 7: webhok is not a known key. Did you mean webhook?",
            "desk.toml, line 8: mail.imap[0].username is missing. \
             Give the login name of the mailbox.",
            "desk.toml, line 8: mail.imap[0].password is missing. \
             Give password, or password_file with the name of a file.",
            "environment variable TIERDESK_AWS__CLOUD: aws.cloud is \"azure\". \
             Write aws or simulated.",
        ]
    );
}

#[test]
fn a_syntax_error_is_one_problem_with_line_and_column() {
    let error = parse("[mail]\naddress = \"open\nlog = 1\n", &[]).unwrap_err();
    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert!(
        matches!(
            problem.place,
            Place::File {
                line: 2,
                column: Some(16),
                ..
            }
        ),
        "{problem}"
    );
    assert!(!error.to_string().contains("open"), "{error}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let text = "[mail]\naddress = \"file@a.example\"\nstaff_domains = [\"a.example\"]\n\
                [[mail.imap]]\nurl = \"imaps://h\"\nusername = \"u\"\npassword_file = \"/nowhere\"\n";
    let settings = parse(
        text,
        &[
            ("TIERDESK_MAIL__ADDRESS", "env@B.example"),
            ("TIERDESK_MAIL__STAFF_DOMAINS", "b.example, C.example"),
            ("TIERDESK_MAIL__IMAP__0__PASSWORD", "from the environment"),
            ("TIERDESK_MAIL__SMTP_URL", ""),
            ("TIERDESK_DISCORD__CHANNELS__GOV_FEDERAL", "17"),
            (
                "TIERDESK_WEBHOOK",
                "[{ name = \"a\", url = \"https://h/x\", format = \"slack\" }]",
            ),
            ("TIERDESK_LOG", "sqlx=warn"),
            ("TIERDESK_CONFIG", "desk.toml"),
            ("TIERDESK_PORT_25_TCP", "tcp://10.0.0.1:25"),
            ("HOME", "/home/me"),
        ],
    )
    .unwrap();
    assert_eq!(settings.mail.address, "env@b.example");
    assert_eq!(settings.mail.staff_domains, ["b.example", "c.example"]);
    let ImapLogin::Password(password) = &settings.mail.imap[0].login else {
        panic!("{:?}", settings.mail.imap)
    };
    assert_eq!(password.expose(), "from the environment");
    assert!(settings.mail.out.default.is_none());
    assert_eq!(settings.discord.channels["gov-federal"].get(), 17);
    assert_eq!(settings.webhooks[0].format, WebhookFormat::Slack);
    let database = settings.database.url.to_string();
    assert_eq!(
        database,
        "sqlite:///home/me/.local/share/tierdesk/tierdesk.db"
    );
}

#[test]
fn the_short_name_of_the_database_variable_is_the_same_key() {
    let url = "postgres://u:pw@h/d";
    let settings = parse("", &[("TIERDESK_DATABASE_URL", url)]).unwrap();
    assert_eq!(settings.database.url.expose(), url);
    let two = [
        ("TIERDESK_DATABASE_URL", url),
        ("TIERDESK_DATABASE__URL", "sqlite://x.db"),
    ];
    assert!(problems("", &two)[0].contains("differs from TIERDESK_DATABASE__URL"));
}

#[test]
fn variables_that_no_key_reads_are_refused() {
    let found = problems("", &[("TIERDESK_MAIL_AUTHSERV_ID", "mx")]);
    assert!(
        found[0].contains("Write TIERDESK_MAIL__AUTHSERV_ID."),
        "{found:?}"
    );
    let found = problems("", &[("TIERDESK_MAIL__AUTHSERVID", "mx")]);
    assert!(
        found[0].contains("Did you mean mail.authserv_id?"),
        "{found:?}"
    );
    let found = problems("", &[("TIERDESK_MAIL__IMAP__3__URL", "imaps://h")]);
    assert!(found[0].contains("counted from 0"), "{found:?}");
    let found = problems("mail = 3", &[("TIERDESK_MAIL__ADDRESS", "a@b.example")]);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn secrets_come_from_the_key_or_from_a_file_but_not_from_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reply");
    let value = "r".repeat(40);
    std::fs::write(&file, format!("{value}\r\n")).unwrap();
    let text = format!("[mail]\nreply_secret_file = {:?}\n", file.to_str().unwrap());
    let settings = parse(&text, &[]).unwrap();
    assert_eq!(settings.mail.reply_secret.unwrap().expose(), value);

    let both = format!("{text}reply_secret = \"{value}\"\n");
    assert!(problems(&both, &[])[0].contains("is given twice"));
    let other = "e".repeat(32);
    let settings = parse(&text, &[("TIERDESK_MAIL__REPLY_SECRET", &other)]).unwrap();
    assert_eq!(settings.mail.reply_secret.unwrap().expose(), other);
    let settings = parse(
        &format!("[mail]\nreply_secret = \"{other}\""),
        &[("TIERDESK_MAIL__REPLY_SECRET_FILE", file.to_str().unwrap())],
    );
    assert_eq!(settings.unwrap().mail.reply_secret.unwrap().expose(), value);

    std::fs::write(&file, "\n").unwrap();
    assert!(problems(&text, &[])[0].contains("names an empty file"));
    std::fs::remove_file(&file).unwrap();
    assert!(problems(&text, &[])[0].contains("cannot be read"));
}

#[test]
fn no_secret_shows_in_debug_or_in_an_error() {
    let secret = "hunter2".repeat(6);
    let good = format!(
        "[database]\nurl = \"postgres://u:{secret}@h/d\"\n[discord]\ntoken = \"{secret}\"\n\
         [mail]\nreply_secret = \"{secret}\"\nsmtp_url = \"smtps://u:{secret}@h\"\n\
         [[mail.imap]]\nurl = \"imaps://u:{secret}@h\"\nusername = \"u\"\npassword = \"{secret}\"\n\
         [http]\npagerduty_secret = \"{secret} {secret}\"\n\
         [[webhook]]\nname = \"a\"\nurl = \"https://h/{secret}\"\nkey = \"{secret}\"\n"
    );
    let shown = format!("{:#?}", parse(&good, &[]).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");

    for wrong in [
        format!("{good}format = \"xml\"\n"),
        good.replace("u:", "u:/ "),
        good.replace("://", ":"),
        good.replace("://", "s://"),
        good.replace('"', ""),
        good.replace("reply_secret =", "reply_secret_file ="),
        good.replace("token =", "tokne ="),
        good.replace("= \"", "= [\"").replace("\"\n", "\"]\n"),
        good.replace(&secret, "hunter2"),
        format!("{good}x = \"{secret}\nbroken"),
    ] {
        let error = parse(&wrong, &[]).expect_err(&wrong);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn an_unreadable_file_is_named() {
    let error = Settings::load(Some(Path::new("/nowhere/desk.toml")), std::iter::empty());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("/nowhere/desk.toml")
    );
}

#[test]
fn a_token_is_never_sent_in_the_clear_to_another_machine() {
    let at = |url: &str| format!("[oauth.google]\ntoken_url = {url:?}\n");
    for good in [
        "https://h/t",
        "http://127.0.0.1:8080/t",
        "http://[::1]:8080/t",
    ] {
        assert!(parse(&at(good), &[]).is_ok(), "{good}");
    }
    for bad in ["http://h/t", "http://127.0.0.1.example/t", "ftp://h"] {
        assert_eq!(problems(&at(bad), &[]).len(), 1, "{bad}");
    }
}

#[test]
fn a_mailbox_logs_in_with_what_its_auth_names() {
    let with =
        |rest: &str| format!("[[mail.imap]]\nurl = \"imaps://h\"\nusername = \"u\"\n{rest}\n");
    let settings = parse(&with("auth = \"xoauth2\"\noauth = \"google\""), &[]).unwrap();
    assert!(matches!(
        settings.mail.imap[0].login,
        ImapLogin::Token(crate::mail::Provider::Google)
    ));
    for (rest, says) in [
        ("auth = \"xoauth2\"", "oauth is missing"),
        ("oauth = \"google\"", "password is missing"),
        (
            "password = \"p\"\nsender_check = \"edge\"",
            "Write authserv_id",
        ),
    ] {
        let found = problems(&with(rest), &[]);
        assert!(found[0].contains(says), "{rest}: {found:?}");
    }
}

#[test]
fn a_listener_has_defaults_by_its_protocol_and_contradictions_are_told() {
    let listener = |rest: &str| format!("[[mail.listener]]\naddress = \"127.0.0.1:2424\"\n{rest}");
    for (protocol, check) in [("lmtp", SenderCheck::Authserv), ("smtp", SenderCheck::Edge)] {
        let text = listener(&format!("protocol = \"{protocol}\""));
        let settings = parse(&text, &[]).unwrap();
        let found = &settings.mail.listeners[0];
        assert_eq!((found.sender_check, found.max_connections), (check, 256));
        assert_eq!((&found.tls, &found.hostname), (&None, &None));
    }
    for (rest, says) in [
        (
            "protocol = \"lmtp\"\nsender_check = \"edge\"",
            "mail.listener[0].sender_check is edge",
        ),
        (
            "protocol = \"smtp\"\nsender_check = \"dkim\"",
            "Write edge, authserv_id, exchange or none.",
        ),
        (
            "protocol = \"smtp\"\ntls_cert_file = \"a\"",
            "mail.listener[0].tls_key_file is missing",
        ),
        (
            "protocol = \"smtp\"\ntls_key_file = \"a\"",
            "mail.listener[0].tls_cert_file is missing",
        ),
        (
            "protocol = \"smtp\"\nmax_connections = 0",
            "mail.listener[0].max_connections is 0",
        ),
        (
            "protocol = \"smtp\"\nrecipients = [\"support\"]",
            "not one mail address",
        ),
        (
            "protocol = \"smtp\"\nhostname = \"mx\"",
            "mail.listener[0].hostname",
        ),
    ] {
        let found = problems(&listener(rest), &[]);
        assert!(
            found.len() == 1 && found[0].contains(says),
            "{rest}: {found:?}"
        );
    }
}

#[test]
fn a_webhook_has_what_its_format_needs_and_nothing_that_it_cannot_use() {
    let with = |rest: &str| format!("[[webhook]]\nname = \"night-shift\"\n{rest}\n");
    let key = format!("key = \"{}\"\n", "k".repeat(30));
    let user = "user = \"u\"\n";
    for (format, rest) in [
        ("pagerduty", key.clone()),
        ("pushover", format!("{key}{user}")),
        ("ntfy", "url = \"https://ntfy.example/topic\"".to_owned()),
        ("ntfy", format!("{key}url = \"https://ntfy.example/topic\"")),
        (
            "json",
            format!("{key}url = \"https://h/x\"\ntemplate = \"t\""),
        ),
        (
            "slack",
            "url = \"http://h/x\"\nallow_private = true".to_owned(),
        ),
        ("teams", "url = \"https://h/x\"".to_owned()),
        ("discord", "url = \"https://h/x\"".to_owned()),
    ] {
        let settings = parse(&with(&format!("format = {format:?}\n{rest}")), &[]);
        let found = settings.unwrap().webhooks.remove(0);
        assert_eq!(found.format.as_str(), format);
    }
    for (rest, says) in [
        ("url = \"http://h/x\"".to_owned(), "Write https://HOST."),
        (String::new(), "webhook[0].url is missing"),
        (
            "format = \"pagerduty\"".to_owned(),
            "webhook[0].key is missing",
        ),
        (
            format!("format = \"pushover\"\n{key}"),
            "webhook[0].user is missing",
        ),
        (
            format!("format = \"slack\"\nurl = \"https://h\"\n{key}"),
            "webhook[0].key has no place in slack",
        ),
        (
            format!("url = \"https://h\"\n{user}"),
            "webhook[0].user has no place in json",
        ),
        (
            format!("format = \"pagerduty\"\n{key}template = \"t\""),
            "webhook[0].template has no place",
        ),
        (
            "url = \"https://h\"\nformat = \"fax\"".to_owned(),
            "is \"fax\"",
        ),
        (
            format!("url = \"https://h\"\n{}", with("url = \"https://i\"")),
            "webhook[1].name is \"night-shift\", which another webhook has",
        ),
    ] {
        let found = problems(&with(&rest), &[]);
        assert!(
            found.len() == 1 && found[0].contains(says),
            "{rest}: {found:?}"
        );
    }
    for name in ["", "Night", "a b", "-a", "https://h/x", &"n".repeat(41)] {
        let text = format!("[[webhook]]\nname = {name:?}\nurl = \"https://h\"\n");
        let found = problems(&text, &[]);
        assert!(found[0].contains("is not a name"), "{found:?}");
        assert!(name.len() < 5 || !found[0].contains(name), "{found:?}");
    }
}

#[test]
fn pagerduty_may_sign_with_one_of_several_secrets() {
    let (one, two) = ("1".repeat(20), "2".repeat(20));
    let with = |text: &str| format!("[http]\npagerduty_secret = {text:?}\n");
    let settings = parse(&with(&format!("{one} \t{two}")), &[]).unwrap();
    let found: Vec<&str> = settings
        .http
        .pagerduty_secrets
        .iter()
        .map(Secret::expose)
        .collect();
    assert_eq!(found, [&one, &two]);
    assert!(!settings.http.is_listen_set);
    let found = problems(&with(&format!("{one} short")), &[]);
    assert!(found[0].contains("less than 16 characters"), "{found:?}");
    assert!(!found[0].contains(&one), "{found:?}");
}
