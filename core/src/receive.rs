//! What a mail brings to the desk and what becomes of it: the values on both sides of
//! [`crate::desk::receive`], and the work that needs no database.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    authentication::Evidence,
    customers::{EmailAddress, Slug},
    ids::{BlobId, InboxId},
    mail::{AutoKind, Envelope, Mail, Mailbox},
    masking,
    named::named_enum,
    tickets::{MessageKind, TicketNumber},
    tiers::{Priority, Severity, TierSlug},
    trust::{self, SenderTrust},
    watchdog,
};

named_enum! {
    /// How a mail came in.
    pub enum Road as "road" {
        /// A mail server's pipe.
        Deliver = "deliver",
        /// A Maildir on disk.
        Maildir = "maildir",
        /// An mbox file.
        Mbox = "mbox",
        /// A file with one message.
        Eml = "eml",
        /// A mailbox on a server.
        Imap = "imap",
        /// Our own LMTP listener.
        Lmtp = "lmtp",
        /// Our own SMTP listener.
        Smtp = "smtp",
    }
}

named_enum! {
    /// What became of a mail.
    pub enum Outcome as "outcome" {
        /// It opened a customer's ticket.
        Opened = "opened",
        /// It continued a ticket.
        Appended = "appended",
        /// It was here already; nothing changed.
        Duplicate = "duplicate",
        /// Kept, and nobody is asked to act.
        Recorded = "recorded",
        /// It opened a ticket that belongs to nobody yet.
        Triaged = "triaged",
    }
}

/// A mail that was read, with its bytes.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What was understood.
    pub mail: Mail,
    /// The bytes as they came.
    pub raw: Vec<u8>,
    /// What the transport said.
    pub envelope: Envelope,
    /// The road.
    pub road: Road,
    /// Where on that road: a file name, a mailbox and UID.
    pub origin: Option<String>,
    /// History: opens tickets without receipt, page, post or clock.
    pub is_silent: bool,
    /// The committed inbox row and its bytes, on roads that acknowledge before processing.
    pub stored: Option<(InboxId, BlobId)>,
    /// What a checker found about its sender, if one was asked.
    pub evidence: Option<Evidence>,
    /// Tickets whose genuine reply tokens it carries.
    pub claims: Vec<TicketNumber>,
}

/// An arrival with everything done that needs no database: masking, hashing, compression.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What was understood; its texts are masked.
    pub mail: Mail,
    /// Who or what wrote it.
    pub kind: MessageKind,
    /// The one sender, where there is one.
    pub sender: Option<EmailAddress>,
    /// What the transport said.
    pub envelope: Envelope,
    /// The road.
    pub road: Road,
    /// Where on that road.
    pub origin: Option<String>,
    /// History.
    pub is_silent: bool,
    /// The committed inbox row and its bytes.
    pub stored: Option<(InboxId, BlobId)>,
    /// What a checker found about its sender, if one was asked.
    pub evidence: Option<Evidence>,
    /// Tickets whose genuine reply tokens it carries.
    pub claims: Vec<TicketNumber>,
    /// The raw bytes; `packed` is empty when the inbox row holds them already.
    pub raw: Content,
    /// What is in each attachment, in the order of `mail.attachments`, which hold no bytes any more.
    pub contents: Vec<Content>,
}

/// Bytes that are ready to be stored.
#[derive(Clone, Debug)]
pub struct Content {
    /// Of the bytes.
    pub sha256: [u8; 32],
    /// How many there are.
    pub size: usize,
    /// The bytes, compressed.
    pub packed: Vec<u8>,
}

impl Content {
    /// Hashes and compresses.
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            sha256: Sha256::digest(bytes).into(),
            size: bytes.len(),
            packed: pack(bytes),
        }
    }
}

/// So many of those copied in are looked at.
const COPIED: usize = 20;

impl Prepared {
    /// Whether the desk wrote it to test itself. Nobody outside can say so: the origin is ours to write.
    pub fn is_self_test(&self) -> bool {
        self.road == Road::Deliver && self.origin.as_deref() == Some(watchdog::ORIGIN)
    }

    /// Whom a person's mail copies in, with their names: the first few who are mail addresses.
    pub fn copied(&self) -> Vec<(EmailAddress, Option<String>)> {
        if self.kind != MessageKind::Person {
            return Vec::new();
        }
        let cc = self.mail.cc.iter().take(COPIED);
        let parse = |one: &Mailbox| Some((one.address.parse().ok()?, one.name.clone()));
        cc.filter_map(parse).collect()
    }

    /// Who wrote what this mail forwards, if it forwards something.
    pub fn reported(&self) -> Option<EmailAddress> {
        self.mail.forwarded.as_ref()?.address.parse().ok()
    }
}

/// The longest Message-ID that is kept as it is, in bytes: a line of mail has 998 (RFC 5322,
/// 2.1.1), and an index entry of PostgreSQL 2,704.
const LONGEST_ID: usize = 998;
/// The longest text that stands in a sender's place, in characters.
const LONGEST_REQUESTER: usize = 320;

/// A Message-ID as it is stored and looked up: one that is too long for an index by its digest, so
/// that answers still find it.
pub fn bounded_id(id: String) -> String {
    if id.len() <= LONGEST_ID {
        return id;
    }
    format!(
        "sha256:{}",
        data_encoding::HEXLOWER.encode(&Sha256::digest(id))
    )
}

/// What stands in a sender's place when it is no address.
pub fn bounded_requester(text: &str) -> String {
    text.chars().take(LONGEST_REQUESTER).collect()
}

/// The level of compression for raw mail: the fastest of zstd's ordinary ones. Mail is mostly
/// text and base64, where higher levels cost twice the time for a few percent.
const COMPRESSION_LEVEL: i32 = 1;

/// Compresses raw bytes as blobs hold them.
fn pack(raw: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(raw, COMPRESSION_LEVEL).expect("compressing into memory cannot fail")
}

/// Does what needs no database. `own` is the support address: mail from it is our own.
pub fn prepare(arrival: Arrival, own: Option<&EmailAddress>) -> Prepared {
    let Arrival {
        mut mail,
        raw,
        envelope,
        road,
        origin,
        is_silent,
        stored,
        evidence,
        claims,
    } = arrival;
    let sender = trust::sender_of(&mail).ok();
    let kind = match mail.auto.kind {
        _ if sender.is_some() && sender.as_ref() == own => MessageKind::Own,
        AutoKind::None => MessageKind::Person,
        AutoKind::AutoReply => MessageKind::AutoReply,
        AutoKind::Bounce => MessageKind::Bounce,
        AutoKind::Bulk => MessageKind::Bulk,
        AutoKind::List if own.is_some_and(|own| is_own_list(&mail, own)) => MessageKind::Person,
        AutoKind::List => MessageKind::List,
    };
    // Nothing stores it; a batch of mails is held in memory.
    mail.html = None;
    let contents = mail.attachments.iter_mut();
    let contents = contents.map(|one| Content::new(&std::mem::take(&mut one.content)));
    let contents = contents.collect();
    mail.message_id = mail.message_id.map(bounded_id);
    mail.in_reply_to = mail.in_reply_to.map(bounded_id);
    if let Some(bounce) = &mut mail.bounce {
        bounce.original_id = bounce.original_id.take().map(bounded_id);
    }
    mail.references = mail.references.into_iter().map(bounded_id).collect();
    let content = if stored.is_some() {
        Content {
            sha256: Sha256::digest(&raw).into(),
            size: raw.len(),
            packed: Vec::new(),
        }
    } else {
        Content::new(&raw)
    };
    // Of a large mail this is a third of what is held, and masking needs room.
    drop(raw);
    mask_texts(&mut mail);
    Prepared {
        mail,
        kind,
        sender,
        envelope,
        road,
        origin,
        is_silent,
        stored,
        evidence,
        claims,
        raw: content,
        contents,
    }
}

/// Whether the list that a mail came through is the support address itself: a group mailbox at Google, say,
/// names itself in List-Id on everything that people write to it.
fn is_own_list(mail: &Mail, own: &EmailAddress) -> bool {
    let id = own.as_str().replace('@', ".").to_lowercase();
    let reason = mail
        .auto
        .reason
        .as_deref()
        .unwrap_or_default()
        .to_lowercase();
    reason.contains(&format!("<{id}>")) || reason.contains(&format!("<mailto:{own}>"))
}

/// Below this many bytes a text may grow when its secrets are replaced by longer notes. A mail made
/// of nothing but short secrets would otherwise take twice the memory that a mail may.
const MAY_GROW: usize = 1024 * 1024;

/// Masks secrets in every text that is stored, indexed or shown. The raw bytes keep them.
fn mask_texts(mail: &mut Mail) {
    let mut found = std::collections::BTreeMap::new();
    // Most mails quote nothing; they are looked through once.
    let is_whole = mail.reply_text == mail.text;
    if is_whole {
        mail.reply_text = String::new();
    }
    let mut is_cut = false;
    for text in [&mut mail.subject, &mut mail.text, &mut mail.reply_text] {
        let most = text.len().max(MAY_GROW);
        let masked = masking::mask(text);
        for (kind, count) in &masked.found {
            // Subject and text are counted; `reply_text` is a part of the text.
            let known = found.entry(kind.to_string()).or_insert(0);
            *known = (*known).max(*count);
        }
        if let std::borrow::Cow::Owned(mut clean) = masked.text {
            if clean.len() > most {
                clean.truncate(clean.floor_char_boundary(most));
                is_cut = true;
            }
            *text = clean;
        }
    }
    if is_whole {
        mail.reply_text.clone_from(&mail.text);
    }
    if is_cut {
        mail.truncated = true;
        let finding = "it is so full of secrets that the end of its text was left out; the raw mail is kept whole";
        mail.findings.push(finding.to_owned());
    }
    for name in mail.from.iter_mut().filter_map(|from| from.name.as_mut()) {
        if let std::borrow::Cow::Owned(clean) = masking::mask(name).text {
            *name = clean;
        }
    }
    for attachment in &mut mail.attachments {
        if let std::borrow::Cow::Owned(clean) = masking::mask(&attachment.info.name).text {
            attachment.info.name = clean;
        }
    }
    for (kind, count) in found {
        mail.findings.push(format!(
            "masked {count} x {kind}: ask the customer to replace it"
        ));
    }
}

/// What became of one mail: `mail deliver --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// In a word.
    pub outcome: Outcome,
    /// The ticket it is on.
    pub ticket: Option<TicketNumber>,
    /// The customer it is bound to.
    pub customer: Option<Slug>,
    /// Their tier.
    pub tier: Option<TierSlug>,
    /// The framework that applies.
    pub framework: Option<String>,
    /// How far to believe the sender.
    pub trust: SenderTrust,
    /// Who or what wrote it.
    pub kind: MessageKind,
    /// The ticket's severity.
    pub severity: Option<Severity>,
    /// The ticket's priority.
    pub priority: Option<Priority>,
    /// Every finding, in words.
    pub reasons: Vec<String>,
}
