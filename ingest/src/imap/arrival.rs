//! Mail from a server as the desk takes it: read, masked, and with a word on where it lies.

use tierdesk_core::{
    clock::Timestamp,
    desk::Error,
    mail::{Envelope, Mail, SenderCheck},
    receive::{Arrival, Prepared, Road},
    store::StoreError,
};

use super::session::Listed;
use crate::{parse, reader::Reader};

/// As much of a mail as there is.
#[derive(Debug)]
pub(super) enum Content {
    /// All of it.
    Whole(Vec<u8>),
    /// Its headers, and why no more.
    Headers(Vec<u8>, String),
    /// Nothing, and why.
    Nothing(String),
}

/// A mail of a batch.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) listed: Listed,
    content: Content,
}

impl Fetched {
    pub(super) fn new(listed: Listed, content: Content) -> Self {
        Self { listed, content }
    }
}

/// What is kept of a mail beside what the desk takes.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) uid: u32,
    /// It is with us whole, so it may be flagged or moved.
    pub(super) may_be_marked: bool,
    raw: Vec<u8>,
    origin: String,
    check: SenderCheck,
    is_silent: bool,
}

/// How the mails of a batch are read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) name: String,
    pub(super) validity: i64,
    pub(super) check: SenderCheck,
    pub(super) reader: Reader,
    /// All of them are history.
    pub(super) is_history: bool,
    /// Those that were there then are.
    pub(super) start: Option<Timestamp>,
}

impl Reading {
    /// Reads mails, beside the other tasks.
    pub(super) async fn prepare(
        self,
        fetched: Vec<Fetched>,
    ) -> Result<(Vec<Prepared>, Vec<Kept>), Error> {
        let read = move || fetched.into_iter().map(|one| self.read(one)).unzip();
        tokio::task::spawn_blocking(read).await.map_err(|fault| {
            let detail = format!("parsing ended early: {fault}");
            Error::Failed(StoreError::Inconsistent {
                table: "mailboxes",
                detail,
            })
        })
    }

    fn read(&self, fetched: Fetched) -> (Prepared, Kept) {
        let Fetched { listed, content } = fetched;
        let envelope = Envelope {
            check: self.check,
            ..Envelope::default()
        };
        let origin = format!(
            "{} UID {} (UIDVALIDITY {})",
            self.name, listed.uid, self.validity
        );
        let is_whole = matches!(content, Content::Whole(_));
        let (raw, mail) = match content {
            Content::Whole(raw) => {
                let mail = parse::parse(&raw, &envelope);
                (raw, mail)
            }
            Content::Headers(raw, why) => {
                let mail = in_part(parse::parse(&raw, &envelope), &why, &origin);
                (raw, mail)
            }
            Content::Nothing(why) => {
                let raw = origin.clone().into_bytes();
                let mail = in_part(parse::unread(&raw, &why), &why, &origin);
                (raw, mail)
            }
        };
        let is_old = |date: Option<Timestamp>| matches!((date, self.start), (Some(date), Some(start)) if date <= start);
        // Two dates can say that a mail was there before: the server's, and the mail's own, where a
        // server that was restored dates all mail anew.
        let is_silent = self.is_history || is_old(listed.date) || is_old(mail.date);
        let kept = Kept {
            uid: listed.uid,
            may_be_marked: is_whole,
            raw: raw.clone(),
            origin: origin.clone(),
            check: self.check,
            is_silent,
        };
        let arrival = Arrival {
            mail,
            raw,
            envelope,
            road: Road::Imap,
            origin: Some(origin),
            is_silent,
            evidence: None,
            claims: Vec::new(),
            stored: None,
        };
        (self.reader.prepare(arrival), kept)
    }
}

impl Kept {
    /// The mail as bytes of which nothing is said but why.
    pub(super) fn bare(&self, reason: &str, reader: &Reader) -> Prepared {
        let envelope = Envelope {
            check: self.check,
            ..Envelope::default()
        };
        let arrival = Arrival {
            mail: parse::unread(&self.raw, reason),
            raw: self.raw.clone(),
            envelope,
            road: Road::Imap,
            origin: Some(self.origin.clone()),
            is_silent: self.is_silent,
            evidence: None,
            claims: Vec::new(),
            stored: None,
        };
        reader.prepare(arrival)
    }
}

/// A mail that is with us in part only: says so where its text would stand.
fn in_part(mail: Mail, why: &str, origin: &str) -> Mail {
    let says = format!("This mail was not taken whole: {why}. It lies in {origin}, untouched.");
    let mut findings = mail.findings;
    findings.push(says.clone());
    Mail {
        text: says.clone(),
        reply_text: says,
        html: None,
        truncated: true,
        findings,
        ..mail
    }
}
