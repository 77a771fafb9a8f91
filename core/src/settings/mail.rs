//! `[mail]`: the support address, the roads by which mail comes in, and how it goes out.

use std::{net::SocketAddr, path::PathBuf};

use super::{
    Key,
    imap::{self, ImapMailbox},
    problem::Wrong,
    reader::{Given, Section},
    relay::{self, MailOutSettings},
    secret::Secret,
};
use crate::mail::SenderCheck;

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "mail.address",
        "the support address that customers write to",
        DEFAULT_ADDRESS,
    ),
    Key::now(
        "mail.resolver",
        "IP:PORT of the DNS server that is asked about senders",
        "the machine's own, from /etc/resolv.conf",
    ),
    Key::now(
        "mail.staff_domains",
        "mail domains of our own people; their mail never opens a customer's ticket",
        "[]",
    ),
    Key::now(
        "mail.authserv_id",
        "the authserv-id whose Authentication-Results header is believed (RFC 8601)",
        "none: no header is believed",
    ),
    Key::now(
        "mail.reply_secret",
        "signs reply tokens; any text of 32 characters or more; or reply_secret_file",
        "none",
    ),
    Key::now(
        "mail.reply_secret_file",
        "the file that holds reply_secret",
        "none",
    ),
    Key::now(
        "mail.reply_secret_previous",
        "the secret before this one: its tokens are still known; or reply_secret_previous_file",
        "none",
    ),
    Key::now(
        "mail.reply_secret_previous_file",
        "the file that holds reply_secret_previous",
        "none",
    ),
    Key::now(
        "mail.follow_up_days",
        "an answer to a ticket that was closed for longer opens a new one, tied to it",
        "30",
    ),
    Key::now("mail.listener[].protocol", "lmtp or smtp", "-"),
    Key::now("mail.listener[].address", "IP:PORT to listen on", "-"),
    Key::now(
        "mail.listener[].recipients",
        "addresses that are taken beside mail.address; each also as NAME+ANYTHING@DOMAIN",
        "[]",
    ),
    Key::now(
        "mail.listener[].sender_check",
        "who says whether a sender is genuine: edge (we do; smtp only), authserv_id, exchange or none",
        "edge for smtp, authserv_id for lmtp",
    ),
    Key::now(
        "mail.listener[].tls_cert_file",
        "the certificate chain for STARTTLS, PEM",
        "none: no STARTTLS",
    ),
    Key::now(
        "mail.listener[].tls_key_file",
        "the key of that certificate, PEM",
        "none",
    ),
    Key::now(
        "mail.listener[].max_connections",
        "connections at once; a sixteenth of them, at least 10, from one address other than loopback",
        "256",
    ),
    Key::now(
        "mail.listener[].hostname",
        "how the listener calls itself",
        "the domain of mail.address",
    ),
    Key::now("mail.maildir[].path", "a Maildir that is watched", "-"),
];

/// RFC 2606 keeps `.example` free of real mail.
const DEFAULT_ADDRESS: &str = "support@securebase.example";

/// People who answer within so many days mean the same matter.
const DEFAULT_FOLLOW_UP_DAYS: u32 = 30;
/// Ten years: for ever, to people.
const MOST_FOLLOW_UP_DAYS: u32 = 3_650;
/// Connections of one listener at once, unless told otherwise, and the most that can be told: each
/// may hold a file descriptor and a mail in memory.
const CONNECTIONS: u32 = 256;
const MOST_CONNECTIONS: u32 = 10_000;

/// Shorter keys can be guessed from one token.
const REPLY_SECRET_CHARACTERS: usize = 32;

/// `[mail]`
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The support address, its domain in lower case.
    pub address: String,
    /// Domains of our own people, lower case.
    pub staff_domains: Vec<String>,
    /// Whose Authentication-Results are believed.
    pub authserv_id: Option<String>,
    /// The DNS server that is asked about senders.
    pub resolver: Option<SocketAddr>,
    /// How mail leaves.
    pub out: MailOutSettings,
    /// Signs reply tokens; at least 32 characters.
    pub reply_secret: Option<Secret>,
    /// Signed them before; its tokens are still known.
    pub reply_secret_previous: Option<Secret>,
    /// An answer to a ticket that was closed for so many days opens a new one.
    pub follow_up_days: u32,
    /// Mailboxes on servers.
    pub imap: Vec<ImapMailbox>,
    /// Addresses that are listened on.
    pub listeners: Vec<MailListener>,
    /// Maildirs that are watched.
    pub maildirs: Vec<PathBuf>,
}

/// `[[mail.listener]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailListener {
    /// The protocol spoken.
    pub protocol: MailProtocol,
    /// Where it listens.
    pub address: SocketAddr,
    /// What is taken beside the support address, domains in lower case.
    pub recipients: Vec<String>,
    /// Who says whether a sender is genuine.
    pub sender_check: SenderCheck,
    /// For STARTTLS.
    pub tls: Option<TlsFiles>,
    /// Connections at once.
    pub max_connections: usize,
    /// How it calls itself; `None` for the domain of the support address.
    pub hostname: Option<String>,
}

/// A certificate and its key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificates: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// How a listener takes mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailProtocol {
    /// RFC 2033, behind our own mail server.
    Lmtp,
    /// RFC 5321, as the edge.
    Smtp,
}

impl std::fmt::Display for MailProtocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Lmtp => "LMTP",
            Self::Smtp => "SMTP",
        })
    }
}

pub(super) fn read(section: &Section<'_>) -> MailSettings {
    let address = section.parse("address", mail_address).map(value);
    let staff_domains = section.texts("staff_domains", domain).map(value);
    let authserv_id = section.text("authserv_id").map(value);
    let resolver = section.parse("resolver", socket_address).map(value);
    let address = address.unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
    let out = relay::read(section, &address);
    let reply_secret = read_reply_secret(section, "reply_secret");
    let reply_secret_previous = read_reply_secret(section, "reply_secret_previous");
    let follow_up_days = section
        .number("follow_up_days", MOST_FOLLOW_UP_DAYS)
        .map(value);
    let imap = section
        .sections("imap")
        .iter()
        .filter_map(imap::read)
        .collect();
    let listeners = section
        .sections("listener")
        .iter()
        .filter_map(read_listener)
        .collect();
    let maildirs = section
        .sections("maildir")
        .iter()
        .filter_map(read_maildir)
        .collect();
    section.finish();
    MailSettings {
        address,
        staff_domains: staff_domains.unwrap_or_default(),
        authserv_id,
        resolver,
        out,
        reply_secret,
        reply_secret_previous,
        follow_up_days: follow_up_days.unwrap_or(DEFAULT_FOLLOW_UP_DAYS),
        imap,
        listeners,
        maildirs,
    }
}

fn value<T>(given: Given<T>) -> T {
    given.value
}

fn read_reply_secret(section: &Section<'_>, key: &str) -> Option<Secret> {
    let given = section.secret(key)?;
    if given.value.expose().chars().count() >= REPLY_SECRET_CHARACTERS {
        return Some(given.value);
    }
    let what = format!("is shorter than {REPLY_SECRET_CHARACTERS} characters");
    let remedy = "Make one with: openssl rand -base64 32";
    section.refuse(key, &given.place, Wrong::new(what, remedy));
    None
}

fn read_listener(section: &Section<'_>) -> Option<MailListener> {
    let protocol = section.parse("protocol", |text| match text {
        "lmtp" => Ok(MailProtocol::Lmtp),
        "smtp" => Ok(MailProtocol::Smtp),
        _ => Err(Wrong::new(format!("is {text:?}"), "Write lmtp or smtp.")),
    });
    let address = section.parse("address", socket_address);
    let recipients = section.texts("recipients", mail_address).map(value);
    let sender_check = section.parse("sender_check", |text| {
        let wrong = || {
            Wrong::new(
                format!("is {text:?}"),
                "Write edge, authserv_id, exchange or none.",
            )
        };
        text.parse::<SenderCheck>().map_err(|_| wrong())
    });
    let certificates = section.path("tls_cert_file").map(value);
    let key = section.path("tls_key_file").map(value);
    let max_connections = section.number("max_connections", MOST_CONNECTIONS);
    let hostname = section.parse("hostname", domain).map(value);
    if !section.has("protocol") {
        section.missing("protocol", "Write lmtp or smtp.");
    }
    if !section.has("address") {
        section.missing("address", "Write IP:PORT, like 127.0.0.1:2424.");
    }
    for (one, other) in [
        ("tls_cert_file", "tls_key_file"),
        ("tls_key_file", "tls_cert_file"),
    ] {
        if section.has(one) && !section.has(other) {
            section.missing(other, &format!("{one} needs it beside it."));
        }
    }
    if let Some(given) = max_connections.as_ref().filter(|given| given.value == 0) {
        let wrong = Wrong::new("is 0", "Leave the whole entry out to listen on nothing.");
        section.refuse("max_connections", &given.place, wrong);
    }
    let is_lmtp = protocol
        .as_ref()
        .is_some_and(|given| given.value == MailProtocol::Lmtp);
    if let Some(given) = &sender_check
        && given.value == SenderCheck::Edge
        && is_lmtp
    {
        // Whoever connects there is our own server: what it is allowed to send says nothing.
        let wrong = Wrong::new(
            "is edge, and over LMTP the sender's own server is never seen",
            "Write authserv_id, exchange or none.",
        );
        section.refuse("sender_check", &given.place, wrong);
    }
    section.finish();
    let default_check = if is_lmtp {
        SenderCheck::Authserv
    } else {
        SenderCheck::Edge
    };
    let max_connections = max_connections.map_or(CONNECTIONS, value);
    Some(MailListener {
        protocol: protocol?.value,
        address: address?.value,
        recipients: recipients.unwrap_or_default(),
        sender_check: sender_check.map_or(default_check, value),
        tls: certificates
            .zip(key)
            .map(|(certificates, key)| TlsFiles { certificates, key }),
        max_connections: usize::try_from(max_connections).unwrap_or(usize::MAX),
        hostname,
    })
}

fn read_maildir(section: &Section<'_>) -> Option<PathBuf> {
    let path = section.path("path");
    if !section.has("path") {
        section.missing("path", "Name the folder that holds cur, new and tmp.");
    }
    section.finish();
    path.map(value)
}

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, Wrong> {
    text.trim().parse().map_err(|_| {
        Wrong::new(
            format!("is {text:?}, not an address"),
            "Write IP:PORT, like 127.0.0.1:8080.",
        )
    })
}

pub(super) fn mail_address(text: &str) -> Result<String, Wrong> {
    let wrong = || {
        Wrong::new(
            format!("is {text:?}, not one mail address"),
            "Write one address without a name, like support@example.com.",
        )
    };
    let (local, host) = text.trim().rsplit_once('@').ok_or_else(wrong)?;
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\\\"@".contains(c);
    if local.is_empty() || !local.chars().all(is_plain) {
        return Err(wrong());
    }
    let host = domain(host).map_err(|_| wrong())?;
    Ok(format!("{local}@{host}"))
}

pub(super) fn domain(text: &str) -> Result<String, Wrong> {
    let name = text.trim().trim_end_matches('.').to_lowercase();
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    if name.contains('.') && name.len() <= 253 && name.split('.').all(is_label) {
        return Ok(name);
    }
    Err(Wrong::new(
        format!("has {text:?}, not a domain"),
        "Write domains like example.com.",
    ))
}
