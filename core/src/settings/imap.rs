//! `[[mail.imap]]`: mailboxes on servers.

use std::{path::PathBuf, time::Duration};

use super::{
    Key,
    problem::Wrong,
    reader::Section,
    secret::Secret,
    url::{self, PrivateUrl},
};
use crate::mail::{Provider, SenderCheck};

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "mail.imap[].url",
        "imaps://HOST or imap://HOST, with :PORT if not the usual",
        "-",
    ),
    Key::now("mail.imap[].username", "the login name", "-"),
    Key::now(
        "mail.imap[].auth",
        "password or xoauth2, which wants oauth",
        "password",
    ),
    Key::now(
        "mail.imap[].password",
        "the password; or password_file",
        "-",
    ),
    Key::now(
        "mail.imap[].password_file",
        "the file that holds the password",
        "none",
    ),
    Key::now(
        "mail.imap[].oauth",
        "microsoft or google, whose token xoauth2 uses (tierdesk mail connect)",
        "none",
    ),
    Key::now("mail.imap[].mailbox", "the folder that is read", "INBOX"),
    Key::now(
        "mail.imap[].after",
        "what becomes of a mail once it is stored: leave, flag or move:FOLDER",
        "flag",
    ),
    Key::now(
        "mail.imap[].history",
        "whether mail that was there before comes in too, as history",
        "false",
    ),
    Key::now(
        "mail.imap[].ca_file",
        "certificates in PEM that are trusted besides the system's",
        "none",
    ),
    Key::now(
        "mail.imap[].sender_check",
        "who says whether a sender is genuine: authserv_id, exchange or none",
        "authserv_id",
    ),
    Key::now(
        "mail.imap[].alarm_minutes",
        "how long the mailbox may be unread before that is an alarm",
        "15",
    ),
    Key::now(
        "mail.imap[].poll_seconds",
        "how often is looked where the server tells of no new mail by itself",
        "60",
    ),
];

const ALARM_MINUTES: u32 = 15;
const POLL_SECONDS: u32 = 60;

/// `[[mail.imap]]`
#[derive(Clone, Debug)]
pub struct ImapMailbox {
    /// The scheme is `imap` or `imaps`.
    pub url: PrivateUrl,
    /// The login name.
    pub username: String,
    /// How it logs in.
    pub login: ImapLogin,
    /// The folder that is read.
    pub mailbox: String,
    /// What becomes of a stored mail.
    pub after: AfterFetch,
    /// Mail that was there before comes in too, as history.
    pub history: bool,
    /// Certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Who says whether a sender is genuine.
    pub check: SenderCheck,
    /// How long it may be unread before that is an alarm.
    pub alarm: Duration,
    /// How often is looked where the server tells nothing by itself.
    pub poll: Duration,
}

/// How a mailbox is logged in to.
#[derive(Clone, Debug)]
pub enum ImapLogin {
    /// With a password.
    Password(Secret),
    /// With a token that this provider grants for the login name.
    Token(Provider),
}

/// What becomes of a mail on the server once it is stored with us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterFetch {
    /// Nothing.
    Leave,
    /// It is marked as seen.
    Flag,
    /// It is moved to this folder.
    Move(String),
}

pub(super) fn read(section: &Section<'_>) -> Option<ImapMailbox> {
    let url = section.parse("url", |text| {
        url::check(text, &["imaps", "imap"]).map(PrivateUrl::hiding_password)
    });
    let username = section.text("username");
    if !section.has("url") {
        section.missing("url", "Name the server: url = \"imaps://HOST\".");
    }
    if !section.has("username") {
        section.missing("username", "Give the login name of the mailbox.");
    }
    let login = read_login(section);
    let mailbox = section.text("mailbox").map(|given| given.value);
    let after = section.parse("after", after_fetch);
    let history = section.flag("history");
    let ca_file = section.path("ca_file").map(|given| given.value);
    let check = section.parse("sender_check", sender_check);
    let minutes = section.number("alarm_minutes", 7 * 24 * 60);
    let seconds = section.number("poll_seconds", 3_600);
    section.finish();
    let minutes = minutes.map_or(ALARM_MINUTES, |given| given.value).max(1);
    let seconds = seconds.map_or(POLL_SECONDS, |given| given.value).max(1);
    Some(ImapMailbox {
        url: url?.value,
        username: username?.value,
        login: login?,
        mailbox: mailbox.unwrap_or_else(|| "INBOX".to_owned()),
        after: after.map_or(AfterFetch::Flag, |given| given.value),
        history: history.is_some_and(|given| given.value),
        ca_file,
        check: check.map_or_else(SenderCheck::default, |given| given.value),
        alarm: Duration::from_mins(minutes.into()),
        poll: Duration::from_secs(seconds.into()),
    })
}

fn read_login(section: &Section<'_>) -> Option<ImapLogin> {
    let is_token = section.parse("auth", |text| match text {
        "password" => Ok(false),
        "xoauth2" => Ok(true),
        _ => Err(Wrong::new(
            format!("is {text:?}"),
            "Write password or xoauth2.",
        )),
    });
    let password = section.secret("password");
    let provider = section.parse("oauth", provider);
    if is_token.is_some_and(|given| given.value) {
        if !section.has("oauth") {
            section.missing("oauth", "Write microsoft or google.");
        }
        return provider.map(|given| ImapLogin::Token(given.value));
    }
    if !section.has("password") && !section.has("password_file") {
        section.missing(
            "password",
            "Give password, or password_file with the name of a file.",
        );
    }
    password.map(|given| ImapLogin::Password(given.value))
}

fn provider(text: &str) -> Result<Provider, Wrong> {
    text.parse()
        .map_err(|_| Wrong::new(format!("is {text:?}"), "Write microsoft or google."))
}

fn sender_check(text: &str) -> Result<SenderCheck, Wrong> {
    match text.parse() {
        // We are no mail server there: what we would check is the server before us.
        Ok(SenderCheck::Edge) | Err(_) => Err(Wrong::new(
            format!("is {text:?}"),
            "Write authserv_id, exchange or none.",
        )),
        Ok(check) => Ok(check),
    }
}

fn after_fetch(text: &str) -> Result<AfterFetch, Wrong> {
    match text.split_once(':') {
        None if text == "leave" => Ok(AfterFetch::Leave),
        None if text == "flag" => Ok(AfterFetch::Flag),
        Some(("move", folder)) if !folder.trim().is_empty() => {
            Ok(AfterFetch::Move(folder.trim().to_owned()))
        }
        _ => Err(Wrong::new(
            format!("is {text:?}"),
            "Write leave, flag or move:FOLDER.",
        )),
    }
}
