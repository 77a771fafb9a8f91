//! The ways out: `mail.smtp_url`, `[[mail.relay]]` for other senders, and who mail is from.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use percent_encoding::percent_decode_str;

use super::{
    Key,
    mail::mail_address,
    problem::Wrong,
    reader::{Given, Section},
    secret::Secret,
    url,
};
use crate::{mail::Provider, outgoing::TlsUse};

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "mail.smtp_url",
        "the way out: smtp://, smtps:// (USER:PASSWORD@ if needed) or file:DIR",
        "none: nothing is sent",
    ),
    Key::now(
        "mail.sender_name",
        "the name that mail is from",
        "none: the address alone",
    ),
    Key::now(
        "mail.senders",
        "an address that mail is from for each tier's slug that has one of its own",
        "none: mail.address",
    ),
    Key::now(
        "mail.macros",
        "a file of macros, answers that are written often, in place of the built-in ones",
        "none",
    ),
    Key::now(
        "mail.templates",
        "a folder with templates of mail, each of which replaces the shipped one of its name",
        "none: the shipped ones",
    ),
    Key::now(
        "mail.relay[].url",
        "smtp://HOST or smtps://HOST, with :PORT if not the usual, or file:DIR",
        "-",
    ),
    Key::now(
        "mail.relay[].sender_domains",
        "mail from these domains leaves here; without it, what leaves nowhere else",
        "[]",
    ),
    Key::now("mail.relay[].username", "the login name", "none: no login"),
    Key::now(
        "mail.relay[].password",
        "the password; or password_file",
        "none",
    ),
    Key::now(
        "mail.relay[].password_file",
        "the file that holds the password",
        "none",
    ),
    Key::now(
        "mail.relay[].oauth",
        "microsoft or google: log in with its token (tierdesk mail connect)",
        "none",
    ),
    Key::now(
        "mail.relay[].tls",
        "for smtp: required (STARTTLS or nothing), opportunistic or none",
        "required; opportunistic on this machine",
    ),
    Key::now(
        "mail.relay[].ca_file",
        "certificates in PEM that are trusted besides the system's",
        "none",
    ),
    Key::now(
        "mail.relay[].enforces_tls",
        "whether the relay hands mail on over verified TLS or not at all; needs TLS to the relay",
        "false",
    ),
    Key::now(
        "mail.relay[].connections",
        "connections to the relay at once",
        "4",
    ),
];

/// One connection waits for the network most of the time; more than a few look like an attack.
const CONNECTIONS: u32 = 4;
const MOST_CONNECTIONS: u32 = 64;

/// A way out.
#[derive(Clone, Debug)]
pub enum SmtpRoute {
    /// A server.
    Server(Box<Relay>),
    /// One RFC 5322 file per mail and recipient into this folder.
    Folder(PathBuf),
}

/// A server that takes our mail.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Its name or address.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// How it is logged in to.
    pub login: RelayLogin,
    /// How the connection is protected.
    pub tls: TlsUse,
    /// Certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// It hands mail on over verified TLS or not at all.
    pub enforces_tls: bool,
    /// Connections at once.
    pub connections: u32,
    /// How we call ourselves: the domain of the support address.
    pub hello: String,
}

/// How a relay is logged in to.
#[derive(Clone, Debug)]
pub enum RelayLogin {
    /// Not at all.
    None,
    /// With a password.
    Password {
        /// The login name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// With a token that this provider grants.
    Token {
        /// The login name.
        account: String,
        /// Who grants it.
        provider: Provider,
    },
}

/// `mail.smtp_url`, `[[mail.relay]]` and who mail is from.
#[derive(Clone, Debug, Default)]
pub struct MailOutSettings {
    /// For every sender that has no way of its own; nothing is sent without it.
    pub default: Option<SmtpRoute>,
    /// By the sender's domain, lower case. Domains of one relay share it.
    pub by_domain: BTreeMap<String, Arc<SmtpRoute>>,
    /// The name that mail is from.
    pub sender_name: Option<String>,
    /// Addresses that mail is from, by tier slug.
    pub senders: BTreeMap<String, String>,
    /// Templates in the place of the shipped ones.
    pub templates: Option<PathBuf>,
    /// Macros in place of the built-in ones.
    pub macros: Option<PathBuf>,
}

pub(super) fn read(section: &Section<'_>, own_address: &str) -> MailOutSettings {
    let hello = own_address
        .rsplit_once('@')
        .map_or("localhost", |(_, name)| name);
    let mut settings = MailOutSettings {
        default: section
            .parse("smtp_url", |text| route(text, hello))
            .map(|given| given.value),
        sender_name: section.text("sender_name").map(|given| given.value),
        templates: section.path("templates").map(|given| given.value),
        macros: section.path("macros").map(|given| given.value),
        senders: read_senders(&section.own_section("senders")),
        ..MailOutSettings::default()
    };
    let mut has_way = section.has("smtp_url");
    for relay in section.sections("relay") {
        let domains = relay.texts("sender_domains", super::mail::domain);
        let place = relay.place().clone();
        has_way |= !relay.has("sender_domains");
        let Some(route) = read_relay(&relay, hello) else {
            continue;
        };
        let domains = domains.map(|given| given.value).unwrap_or_default();
        if domains.is_empty() {
            if settings.default.is_some() {
                let wrong = Wrong::new(
                    "is missing, and there is a way out for every sender already",
                    "Name the domains, or leave mail.smtp_url out.",
                );
                relay.refuse("sender_domains", &place, wrong);
            }
            settings.default = Some(route);
            continue;
        }
        let route = Arc::new(route);
        for domain in domains {
            if settings
                .by_domain
                .insert(domain.clone(), Arc::clone(&route))
                .is_some()
            {
                let what = format!("has {domain}, which another relay has");
                relay.refuse(
                    "sender_domains",
                    &place,
                    Wrong::new(what, "Leave it to one."),
                );
            }
        }
    }
    if !(has_way || settings.by_domain.is_empty()) {
        let remedy = "Give it, or a [[mail.relay]] without sender_domains, for every other sender.";
        section.missing("smtp_url", remedy);
    }
    settings
}

fn read_senders(section: &Section<'_>) -> BTreeMap<String, String> {
    let mut senders = BTreeMap::new();
    for tier in section.own_names() {
        if let Some(Given { value, .. }) = section.parse(tier, mail_address) {
            senders.insert(tier.to_owned(), value);
        }
    }
    section.finish();
    senders
}

fn read_relay(section: &Section<'_>, hello: &str) -> Option<SmtpRoute> {
    let given = section.parse("url", |text| route(text, hello));
    if !section.has("url") {
        section.missing("url", "Name the server: url = \"smtps://HOST\".");
    }
    let username = section.text("username").map(|given| given.value);
    let password = section.secret("password").map(|given| given.value);
    let provider = section.parse("oauth", |text| {
        text.parse::<Provider>()
            .map_err(|_| Wrong::new(format!("is {text:?}"), "Write microsoft or google."))
    });
    let tls = section.parse("tls", |text| match text {
        "required" => Ok(TlsUse::Required),
        "opportunistic" => Ok(TlsUse::Opportunistic),
        "none" => Ok(TlsUse::None),
        _ => Err(Wrong::new(
            format!("is {text:?}"),
            "Write required, opportunistic or none.",
        )),
    });
    let ca_file = section.path("ca_file").map(|given| given.value);
    let enforces_tls = section.flag("enforces_tls");
    let connections = section.number("connections", MOST_CONNECTIONS);
    for (one, other) in [("password", "username"), ("oauth", "username")] {
        if section.has(one) && !section.has(other) {
            section.missing(other, &format!("{one} needs it beside it."));
        }
    }
    let has_secret = ["password", "password_file", "oauth"]
        .iter()
        .any(|name| section.has(name));
    if section.has("username") && !has_secret {
        section.missing(
            "password",
            "Give it, password_file or oauth beside username.",
        );
    }
    section.finish();
    let mut relay = match given?.value {
        SmtpRoute::Server(relay) => relay,
        folder @ SmtpRoute::Folder(_) => {
            for name in ["username", "oauth", "tls", "ca_file", "enforces_tls"] {
                if section.has(name) {
                    let wrong = Wrong::new("is for servers, and url is a folder", "Leave it out.");
                    section.refuse(name, &section.place_of(&[name]), wrong);
                }
            }
            return Some(folder);
        }
    };
    relay.login = match (username, password, provider) {
        (Some(account), _, Some(provider)) => RelayLogin::Token {
            account,
            provider: provider.value,
        },
        (Some(username), Some(password), None) => RelayLogin::Password { username, password },
        _ => relay.login,
    };
    if let Some(given) = tls {
        choose_tls(section, &mut relay, &given);
    }
    relay.ca_file = ca_file;
    relay.connections = connections.map_or(CONNECTIONS, |given| {
        if given.value == 0 {
            let remedy = format!("Write 1 to {MOST_CONNECTIONS}.");
            section.refuse("connections", &given.place, Wrong::new("is 0", remedy));
        }
        given.value
    });
    relay.enforces_tls = enforces_tls.as_ref().is_some_and(|given| given.value);
    if let (true, TlsUse::Opportunistic | TlsUse::None, Some(given)) =
        (relay.enforces_tls, relay.tls, enforces_tls)
    {
        let wrong = Wrong::new(
            "is true, and the way to the relay itself is not protected",
            "Use smtps:// or tls = \"required\".",
        );
        section.refuse("enforces_tls", &given.place, wrong);
    }
    Some(SmtpRoute::Server(relay))
}

/// Protects the connection as is said, unless that would say a password or token in the clear to another
/// machine.
fn choose_tls(section: &Section<'_>, relay: &mut Relay, given: &Given<TlsUse>) {
    let wrong = |what: &str, remedy: &str| {
        section.refuse("tls", &given.place, Wrong::new(what, remedy));
    };
    let is_weak = matches!(given.value, TlsUse::Opportunistic | TlsUse::None);
    if relay.tls == TlsUse::Wrapped {
        if is_weak {
            let what = format!(
                "is {}, and smtps:// is TLS from the first byte",
                given.value
            );
            wrong(&what, "Leave it out, or write smtp://.");
        }
        return;
    }
    if is_weak && !is_here(&relay.host) && !matches!(relay.login, RelayLogin::None) {
        let what = format!("is {}, and a login may be heard on its way", given.value);
        wrong(&what, "Write required.");
    }
    relay.tls = given.value;
}

/// On this machine nobody else can listen in.
fn is_here(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

fn route(text: &str, hello: &str) -> Result<SmtpRoute, Wrong> {
    match text.trim().strip_prefix("file:") {
        Some(folder) if folder.trim_start_matches('/').is_empty() => {
            Err(Wrong::new("names no folder", "Write file:DIR."))
        }
        // file:///srv/out and file:/srv/out are the same folder.
        Some(folder) => Ok(SmtpRoute::Folder(
            folder.strip_prefix("//").unwrap_or(folder).into(),
        )),
        None => server(text, hello).map_err(|wrong| Wrong {
            remedy: format!("{} Or file:DIR.", wrong.remedy),
            ..wrong
        }),
    }
}

/// The port of the mail server on this machine.
const LOCAL: u16 = 25;
/// The port of a mail server that clients log in to (RFC 6409), and of one that speaks TLS from the
/// first byte (RFC 8314).
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

fn server(text: &str, hello: &str) -> Result<SmtpRoute, Wrong> {
    let text = url::check(text, &["smtps", "smtp"])?;
    let wrong = |what: &str| Wrong::new(what, "Write smtps://USER:PASSWORD@HOST:PORT.");
    let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("is no URL"))?;
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (Some(login), place),
        None => (None, rest),
    };
    let is_wrapped = scheme.eq_ignore_ascii_case("smtps");
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (
            host,
            Some(port.parse().map_err(|_| wrong("has no good port"))?),
        ),
        _ => (place, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(wrong("names no server"));
    }
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
        Some((username, password)) if !username.is_empty() => RelayLogin::Password {
            username: decode(username),
            password: Secret::new(decode(password)),
        },
        _ => RelayLogin::None,
    };
    let is_here = is_here(host);
    let tls = match (is_wrapped, is_here) {
        (true, _) => TlsUse::Wrapped,
        (false, true) => TlsUse::Opportunistic,
        (false, false) => TlsUse::Required,
    };
    let usual = match (is_wrapped, is_here) {
        (true, _) => SUBMISSIONS,
        (false, true) => LOCAL,
        (false, false) => SUBMISSION,
    };
    Ok(SmtpRoute::Server(Box::new(Relay {
        host: host.to_owned(),
        port: port.unwrap_or(usual),
        login,
        tls,
        ca_file: None,
        enforces_tls: false,
        connections: CONNECTIONS,
        hello: hello.to_owned(),
    })))
}

#[cfg(test)]
mod tests;
