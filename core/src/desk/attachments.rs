//! What customers attached: a list, and the bytes of each. Nothing is opened, unpacked or shown.

use serde::Serialize;

use super::{
    Desk, Error,
    reading::{Reader, note_reading},
    tickets::not_found,
};
use crate::{
    clock::Timestamp,
    permit::{Actor, Permit, ReadDesk, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        blobs,
        messages::{self, StoredAttachment},
        tickets,
    },
    tickets::TicketNumber,
};

/// One attachment of a ticket.
#[derive(Clone, Debug, Serialize)]
pub struct AttachmentReport {
    /// Its place on the ticket, from 1: how it is asked for.
    pub position: usize,
    /// The file name, harmless.
    pub name: String,
    /// The media type.
    pub content_type: String,
    /// In bytes.
    pub size: u64,
    /// Shown inside the body of its mail.
    pub inline: bool,
    /// Whose mail it is on.
    pub from: String,
    /// When that came.
    pub at: Timestamp,
    /// Its bytes are kept.
    pub is_kept: bool,
}

/// What is attached to a ticket's mails, oldest first.
pub async fn list(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
) -> Result<Vec<AttachmentReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let ticket = tickets::find_by_number(&mut permit, number).await?;
    let ticket = ticket.ok_or_else(|| not_found(number))?;
    let hidden = Reader::of(&mut permit).await?.withheld_subject(&ticket);
    let found = all_of(&mut permit, number).await?;
    let report = |(report, _): (AttachmentReport, StoredAttachment)| AttachmentReport {
        name: hidden.clone().unwrap_or(report.name),
        ..report
    };
    Ok(found.into_iter().map(report).collect())
}

/// One of them with its bytes, for whoever may read the texts.
pub async fn open(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    position: usize,
) -> Result<(AttachmentReport, Vec<u8>), Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let ticket = tickets::find_by_number(&mut permit, number).await?;
    let ticket = ticket.ok_or_else(|| not_found(number))?;
    if let Some(why) = Reader::of(&mut permit).await?.withheld(&ticket) {
        let message = format!("you see that something is attached, not what is in it {why}");
        return Err(Refusal::new(RefusalCode::NotPermitted, message)
            .with_hint("whoever may read the texts can save it")
            .into());
    }
    let found = all_of(&mut permit, number).await?;
    let count = found.len();
    let one = found
        .into_iter()
        .find(|(report, _)| report.position == position);
    let Some((report, stored)) = one else {
        let hint = match count {
            0 => format!("nothing is attached to {number}"),
            _ => format!("{number} has {count}: `tierdesk ticket attachments {number}` lists them"),
        };
        return Err(Refusal::not_found("attachment", position)
            .with_hint(hint)
            .into());
    };
    let Some(blob) = stored.blob_id else {
        let refusal = Refusal::not_found("content of the attachment", position);
        return Err(refusal
            .with_hint("only its description is stored; the customer can send it again")
            .into());
    };
    let content = blobs::open(&mut permit, blob).await?;
    drop(tx);
    note_reading(desk, actor, &ticket, "attachment").await?;
    Ok((report, content))
}

/// Everything that is attached to a ticket, numbered from 1.
pub(super) async fn all_of(
    permit: &mut Permit<'_, ReadDesk>,
    number: TicketNumber,
) -> Result<Vec<(AttachmentReport, StoredAttachment)>, Error> {
    let ticket = tickets::find_by_number(permit, number).await?;
    let ticket = ticket.ok_or_else(|| not_found(number))?;
    let list = messages::list_of_ticket(permit, ticket.id).await?;
    let ids = list.iter().map(|message| message.id);
    let mut attachments = messages::attachments(permit, ids).await?;
    let mut found = Vec::new();
    for message in list {
        for stored in attachments.remove(&message.id).unwrap_or_default() {
            let report = AttachmentReport {
                position: found.len() + 1,
                name: stored.info.name.clone(),
                content_type: stored.info.content_type.clone(),
                size: stored.info.size,
                inline: stored.info.inline,
                from: message.author.clone(),
                at: message.received_at,
                is_kept: stored.blob_id.is_some(),
            };
            found.push((report, stored));
        }
    }
    Ok(found)
}
