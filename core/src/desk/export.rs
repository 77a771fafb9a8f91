//! Taking a ticket out of the desk: all of it for reading, or its mails as they came and left. It is
//! in the audit trail before anything is handed out.

use std::{collections::HashSet, io};

use serde::Serialize;

use super::{
    Desk, Error,
    attachments::{AttachmentReport, all_of},
    reading::Reader,
    tickets::{TicketDetail, look, not_found},
};
use crate::{
    clock::Timestamp,
    outgoing::OutgoingState,
    permit::{Action, Actor, ExportMail, ExportTicket, ReadDesk, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        Tx,
        audit::{self, Change},
        blobs, messages, outgoing, removal, tickets,
    },
    tickets::{Direction, Event, Message, TicketNumber},
};

/// A ticket with everything on it, as `ticket export --format json` prints it. Texts are masked.
#[derive(Clone, Debug, Serialize)]
pub struct TicketExport {
    /// The ticket with its messages.
    #[serde(flatten)]
    pub ticket: TicketDetail,
    /// What happened to it, oldest first.
    pub events: Vec<Event>,
    /// What is attached to its messages, oldest first.
    pub attachments: Vec<ExportedFile>,
}

/// An attachment, with its bytes where they were asked for.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedFile {
    /// What is known of it.
    #[serde(flatten)]
    pub about: AttachmentReport,
    /// Its bytes.
    #[serde(rename = "content_base64")]
    pub content: Option<FileContent>,
}

/// The bytes of a file, in JSON as base64.
#[derive(Clone, Debug)]
pub struct FileContent(pub Vec<u8>);

impl Serialize for FileContent {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        data_encoding::BASE64.encode(&self.0).serialize(to)
    }
}

/// How much of what is attached goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// Names only.
    Listed,
    /// Files as long as they are at most so many bytes together; the others are listed.
    UpTo(u64),
    /// Every file.
    All,
}

/// A mail of a ticket, as it is stored.
#[derive(Clone, Debug)]
pub struct ExportedMail {
    /// Who wrote it, or for a letter of ours its envelope sender.
    pub sender: String,
    /// When it came, or was written.
    pub at: Timestamp,
    /// Its bytes. What is masked elsewhere is not masked here.
    pub raw: Vec<u8>,
}

/// How many mails were written, and how many are there no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExportedMails {
    /// So many were written.
    pub mails: usize,
    /// The bytes of so many were removed.
    pub removed: usize,
}

/// The whole ticket, for whoever may read its texts; `format` is what it becomes.
pub async fn ticket(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    format: &str,
    attached: Attached,
) -> Result<TicketExport, Error> {
    note(desk, actor, ExportTicket, number, format).await?;
    let (detail, ticket, is_read) = look(desk, actor, number).await?;
    if !is_read {
        // Attested until just now.
        return Err(withheld("what was written is not for you").into());
    }
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let events = tickets::events(&mut permit, ticket.id).await?;
    let mut left = match attached {
        Attached::Listed => 0,
        Attached::UpTo(bytes) => bytes,
        Attached::All => u64::MAX,
    };
    let mut attachments = Vec::new();
    for (about, stored) in all_of(&mut permit, number).await? {
        let mut content = None;
        if let (Some(blob), true, Some(rest)) = (
            stored.blob_id,
            attached != Attached::Listed,
            left.checked_sub(about.size),
        ) {
            left = rest;
            content = Some(FileContent(blobs::open(&mut permit, blob).await?));
        }
        attachments.push(ExportedFile { about, content });
    }
    Ok(TicketExport {
        ticket: detail,
        events,
        attachments,
    })
}

/// Hands each mail of a ticket to `write`, in the order in which they came and were written: the raw mails
/// in, and each letter that left or may still leave.
pub async fn mails(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    mut write: impl FnMut(ExportedMail) -> io::Result<()> + Send,
) -> Result<Result<ExportedMails, io::Error>, Error> {
    note(desk, actor, ExportMail, number, "mbox").await?;
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let ticket = tickets::find_by_number(&mut permit, number).await?;
    let ticket = ticket.ok_or_else(|| not_found(number))?;
    let mut done = ExportedMails::default();
    for message in messages::list_of_ticket(&mut permit, ticket.id).await? {
        let (copies, removed) = copies(&mut permit, &message).await?;
        done.removed += removed;
        for mail in copies {
            if let Err(fault) = write(mail) {
                return Ok(Err(fault));
            }
            done.mails += 1;
        }
    }
    Ok(Ok(done))
}

/// A message as the mails it is, and how many of those are there no more. A note is none.
async fn copies(tx: &mut Tx, message: &Message) -> Result<(Vec<ExportedMail>, usize), Error> {
    let at = message.received_at;
    let stored: Vec<_> = match message.direction {
        Direction::Note => Vec::new(),
        Direction::In => vec![(message.author.clone(), message.blob_id)],
        Direction::Out => {
            let mut seen = HashSet::new();
            let letters = outgoing::of_message(tx, message.id).await?.into_iter();
            letters
                .filter(|letter| letter.state != OutgoingState::Undone)
                .filter(|letter| seen.insert(letter.blob_id))
                .map(|letter| (letter.sender, Some(letter.blob_id)))
                .collect()
        }
    };
    let (mut mails, mut removed) = (Vec::new(), 0);
    for (sender, blob) in stored {
        match blob {
            Some(blob) if !removal::is_blank(tx, blob).await? => {
                let raw = blobs::open(tx, blob).await?;
                mails.push(ExportedMail { sender, at, raw });
            }
            _ => removed += 1,
        }
    }
    Ok((mails, removed))
}

/// Writes down that a ticket is taken out, in a unit of work of its own. What cannot be written down is
/// not handed out.
async fn note<A: Action>(
    desk: &Desk,
    actor: &Actor,
    action: A,
    number: TicketNumber,
    format: &str,
) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let found = tickets::find_by_number(&mut tx, number).await?;
    let subject = found
        .as_ref()
        .map_or(Subject::Desk, |ticket| Subject::Ticket(ticket.id));
    // Before it is said whether there is such a ticket.
    let mut permit = authorise(&mut tx, actor, action, subject).await?;
    let ticket = found.ok_or_else(|| not_found(number))?;
    if let Some(why) = Reader::of(&mut permit).await?.withheld(&ticket) {
        return Err(withheld(&format!("what was written is not for you {why}")).into());
    }
    let change = Change::to(format!("ticket:{number}")).with("format", format);
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(())
}

fn withheld(why: &str) -> Refusal {
    let message = format!("{why}; nothing was taken out");
    Refusal::new(RefusalCode::NotPermitted, message)
        .with_hint("whoever may read the texts can export the ticket")
}
