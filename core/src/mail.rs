//! A mail as the desk understands it, whatever parser read it.
//!
//! `tierdesk-ingest` makes these values; nothing here looks at raw bytes. Every string is free of
//! NUL, and header values are free of CR and LF, because both databases and JSON must hold them.

use std::{fmt, net::IpAddr};

use serde::Serialize;

use crate::{clock::Timestamp, named::named_enum};

/// One address as a header wrote it. Parse `address` into an
/// [`crate::customers::EmailAddress`] before deciding anything with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mailbox {
    /// The addr-spec as written, comments and angle brackets removed.
    pub address: String,
    /// The display name, decoded.
    pub name: Option<String>,
}

/// What a MIME part that is not the body says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttachmentInfo {
    /// The file name, decoded, without path separators or control characters.
    pub name: String,
    /// The media type, lower case, without parameters: by the first bytes where they tell, else as
    /// declared.
    pub content_type: String,
    /// The size after decoding, in bytes.
    pub size: u64,
    /// Shown inside the body (`Content-Disposition: inline` or referred to by Content-ID).
    pub inline: bool,
}

/// A part that is not the body, with what is in it.
#[derive(Clone)]
pub struct Attachment {
    /// What is known of it.
    pub info: AttachmentInfo,
    /// Its bytes, decoded. Nothing is unpacked: an archive stays one.
    pub content: Vec<u8>,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} bytes", self.info, self.content.len())
    }
}

/// Whether a machine sent the mail (RFC 3834, RFC 3464, RFC 2919, Precedence).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoKind {
    /// No sign of a machine.
    None,
    /// A vacation notice or another automatic answer.
    AutoReply,
    /// A delivery report.
    Bounce,
    /// Sent to many.
    Bulk,
    /// Through a mailing list.
    List,
}

/// The finding of the classification, with the header that decided it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Auto {
    /// What kind of machine, if any.
    pub kind: AutoKind,
    /// Which header or part says so.
    pub reason: Option<String>,
}

/// How urgent the sender's program marked the mail (Importance, X-Priority, Priority).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Importance {
    /// `Importance: high`, `X-Priority: 1` or `2`, `Priority: urgent`.
    High,
    /// No header, or one that says normal.
    Normal,
    /// `Importance: low`, `X-Priority: 4` or `5`, `Priority: non-urgent`.
    Low,
}

/// What identifies a message across roads: a SHA-256 over Message-ID, From, Date, Subject and the
/// decoded parts, trace headers left out and line ends normalised.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// What a bounce is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounce {
    /// The addresses that were not reached.
    pub recipients: Vec<String>,
    /// It was given up; else it is tried again.
    pub is_permanent: bool,
    /// The Message-ID of the mail that came back, without angle brackets.
    pub original_id: Option<String>,
    /// What the server said that refused it, as far as its words are there.
    pub words: Option<String>,
}

/// A message that was read. Nothing in it is trusted: a `From` is a claim.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Every mailbox of every From header, in order. Exactly one is the normal case.
    pub from: Vec<Mailbox>,
    /// How many From headers there were.
    pub from_headers: usize,
    /// A From header used group syntax (`name: a, b;`).
    pub from_has_group: bool,
    /// The recipients named in To.
    pub to: Vec<Mailbox>,
    /// The recipients named in Cc.
    pub cc: Vec<Mailbox>,
    /// Where answers are wanted.
    pub reply_to: Vec<Mailbox>,
    /// Decoded and unfolded; empty when absent.
    pub subject: String,
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// The first id of In-Reply-To, without angle brackets.
    pub in_reply_to: Option<String>,
    /// The ids of References in order, without angle brackets.
    pub references: Vec<String>,
    /// What the Date header claims.
    pub date: Option<Timestamp>,
    /// The whole readable body, from HTML where there is no plain part; LF line ends.
    pub text: String,
    /// `text` without quoted earlier mail and signature; never empty when `text` is not.
    pub reply_text: String,
    /// The HTML part as it came.
    pub html: Option<String>,
    /// Parts that are not the body.
    pub attachments: Vec<Attachment>,
    /// Whether a machine sent it.
    pub auto: Auto,
    /// How urgent the sender marked it.
    pub importance: Importance,
    /// Where the mail was delivered to on its way (Delivered-To and its like): of a mailbox that we
    /// fetch, the only place that tells the address with a reply token.
    pub delivered_to: Vec<String>,
    /// Who wrote what this mail forwards, as far as its text or an attached mail says.
    pub forwarded: Option<Mailbox>,
    /// Of a bounce: what it is about.
    pub bounce: Option<Bounce>,
    /// Header fields that only our own mail has (`X-Tierdesk-…`), by name: from anybody else they
    /// are forged.
    pub internal_headers: Vec<String>,
    /// A limit cut something off; `findings` says what.
    pub truncated: bool,
    /// What was odd, in words for staff: limits met, unknown charsets, broken structure.
    pub findings: Vec<String>,
    /// Sameness across roads.
    pub fingerprint: Fingerprint,
}

/// What the transport said of a mail, apart from its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The envelope sender: `None` when the road does not tell, empty for the null path (`<>`).
    pub from: Option<String>,
    /// The envelope recipients, empty when the road does not tell.
    pub recipients: Vec<String>,
    /// Who handed the mail to us, where we are the mail server.
    pub client: Option<Client>,
    /// Who is asked whether the sender is genuine.
    pub check: SenderCheck,
}

/// The other end of a connection on which a mail was handed to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub ip: IpAddr,
    /// What it called itself in EHLO, HELO or LHLO: a claim.
    pub helo: String,
}

named_enum! {
    /// Who is asked whether a sender is genuine, on the road by which a mail came.
    #[derive(Default)]
    pub enum SenderCheck as "sender check" {
        /// The server before us, in the top-most Authentication-Results of `mail.authserv_id`.
        #[default]
        Authserv = "authserv_id",
        /// Microsoft 365, in the top-most Authentication-Results, which names no server there.
        Exchange = "exchange",
        /// We ourselves: SPF, DKIM and DMARC of what reached our own listener.
        Edge = "edge",
        /// Nobody.
        None = "none",
    }
}
named_enum! {
    /// Who grants access to a mailbox by a token in place of a password.
    pub enum Provider as "provider" {
        /// Microsoft 365 and Outlook.com.
        Microsoft = "microsoft",
        /// Google Workspace and Gmail.
        Google = "google",
    }
}
