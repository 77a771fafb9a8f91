//! Writing letters into the outbox: who a letter is from, its bytes, a row for each recipient and the
//! job that hands it over, all in the unit of work of whoever writes.

use std::collections::HashMap;

use super::{Desk, Error};
use crate::{
    clock::Timestamp,
    ids::{BlobId, MessageId, OutgoingId},
    jobs::{JobKind, NewJob},
    mail::{Attachment, AttachmentInfo},
    outgoing::{HeaderId, HeaderText, Letter, LetterFacts, LetterKind, MailOut, OutgoingState},
    permit::{ChangesTickets, Permit},
    receive::Content,
    refusal::{Refusal, RefusalCode},
    store::{
        StoreError, Tx,
        blobs::{self, NewBlob},
        customers, jobs,
        messages::NewAttachment,
        outgoing::{self, Outgoing},
    },
    tickets::Ticket,
};

/// A letter about a ticket with everything that does not depend on who gets it.
pub(super) async fn blank(
    desk: &Desk,
    tx: &mut Tx,
    mail_out: &MailOut,
    ticket: &Ticket,
    kind: LetterKind,
) -> Result<Letter, Error> {
    let from = mail_out.sender(ticket.tier.as_ref()).clone();
    let own = desk
        .own_address
        .clone()
        .unwrap_or_else(|| from.address.clone());
    let (reply_to, id) = if let Some(tokens) = &desk.reply_tokens {
        let token = tokens.mint(ticket.number, tx.random());
        let address = tokens.address(&token).parse();
        (
            address.unwrap_or_else(|_| own.clone()),
            tokens.message_id(&token),
        )
    } else {
        let nonce = data_encoding::HEXLOWER.encode(&tx.random::<16>());
        (own.clone(), format!("{nonce}@{}", from.address.domain()))
    };
    let tier = ticket
        .tier
        .as_ref()
        .map(|slug| desk.tier(slug))
        .transpose()?;
    let customer = match ticket.customer_id {
        Some(id) => Some(customers::get(tx, id).await?.name),
        None => None,
    };
    Ok(Letter {
        kind,
        from,
        reply_to,
        to: Vec::new(),
        cc: Vec::new(),
        subject: HeaderText::new(&ticket.subject),
        message_id: HeaderId::new(&id).ok_or_else(|| {
            let detail = format!("{id:?} was made for {}", ticket.number);
            StoreError::Inconsistent {
                table: "outgoing",
                detail,
            }
        })?,
        in_reply_to: None,
        references: Vec::new(),
        date: tx.now(),
        text: String::new(),
        quotes: Vec::new(),
        attachments: Vec::new(),
        facts: LetterFacts {
            number: ticket.number,
            severity: ticket.severity,
            tier: ticket.tier.clone(),
            tier_name: tier.map(|tier| tier.name.clone()),
            customer,
            author: None,
            response_due: ticket.clocks.first_response.due,
        },
    })
}

/// The bytes of a letter, or a refusal with what is wrong.
pub(super) fn compose(mail_out: &MailOut, letter: &Letter) -> Result<Vec<u8>, Refusal> {
    mail_out.composer.compose(letter).map_err(|error| {
        let message = format!("the mail could not be written: {error}; nothing was stored");
        Refusal::new(RefusalCode::Configuration, message)
            .with_hint("`tierdesk doctor` checks the templates of mail")
    })
}

/// Stores content of a ticket's that its customer does not hold yet. Returns where each is.
pub(super) async fn keep<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
    contents: &[Content],
) -> Result<Vec<BlobId>, Error> {
    let digests = contents
        .iter()
        .map(|content| content.sha256.to_vec())
        .collect();
    let held = blobs::held(permit, digests).await?;
    let mut known: HashMap<[u8; 32], BlobId> = HashMap::new();
    for content in contents {
        let key = (ticket.customer_id, content.sha256.to_vec());
        if let Some(id) = held.get(&key).filter(|_| ticket.customer_id.is_some()) {
            known.insert(content.sha256, *id);
        }
    }
    let (mut ids, mut new) = (Vec::new(), Vec::new());
    for content in contents {
        let id = *known.entry(content.sha256).or_insert_with(|| {
            let id: BlobId = permit.new_id();
            new.push(NewBlob {
                id,
                customer_id: ticket.customer_id,
                content: content.clone(),
            });
            id
        });
        ids.push(id);
    }
    blobs::insert_many(permit, new).await?;
    Ok(ids)
}

/// Stores what goes along with a message.
pub(super) async fn keep_attachments<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
    message: MessageId,
    attachments: &[Attachment],
) -> Result<Vec<NewAttachment>, Error> {
    let contents: Vec<Content> = attachments
        .iter()
        .map(|one| Content::new(&one.content))
        .collect();
    let ids = keep(permit, ticket, &contents).await?;
    let kept = (0..).zip(attachments).zip(ids);
    let row = |((position, attachment), blob_id): ((i64, &Attachment), BlobId)| NewAttachment {
        id: permit.new_id(),
        message_id: message,
        position,
        info: AttachmentInfo::clone(&attachment.info),
        blob_id,
    };
    Ok(kept.map(row).collect())
}

/// The largest attachments of one message together, in bytes: what most mail servers take, once it is
/// written in base64, is 25 MB.
const ATTACHED_BYTES: usize = 18 * 1024 * 1024;

/// Refuses attachments that no mail server would take.
pub(super) fn check_size(attachments: &[Attachment]) -> Result<(), Refusal> {
    let bytes: usize = attachments.iter().map(|one| one.content.len()).sum();
    if bytes > ATTACHED_BYTES {
        let message = format!(
            "the attachments are {bytes} bytes together, and mail servers take {ATTACHED_BYTES}; nothing was stored"
        );
        return Err(Refusal::invalid(message).with_hint("send a link to what is large"));
    }
    Ok(())
}

/// A letter to one recipient.
pub(super) struct Sending {
    pub(super) recipient: String,
    pub(super) domain: String,
    pub(super) held: Option<String>,
    pub(super) bytes: Vec<u8>,
}

/// Puts letters into the outbox, with the jobs that hand them over.
pub(super) async fn queue<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
    message_id: MessageId,
    kind: LetterKind,
    sender: String,
    letters: Vec<Sending>,
    leave_at: Timestamp,
) -> Result<(), Error> {
    let contents: Vec<Content> = letters.iter().map(|one| Content::new(&one.bytes)).collect();
    let blobs = keep(permit, ticket, &contents).await?;
    let (mut rows, mut due) = (Vec::new(), Vec::new());
    for (letter, blob_id) in letters.into_iter().zip(blobs) {
        let id: OutgoingId = permit.new_id();
        let state = match letter.held {
            Some(_) => OutgoingState::Held,
            None => OutgoingState::Waiting,
        };
        if state == OutgoingState::Waiting {
            due.push(hand_over(id, leave_at));
        }
        rows.push(Outgoing {
            id,
            message_id,
            ticket_id: ticket.id,
            customer_id: ticket.customer_id,
            kind,
            sender: sender.clone(),
            recipient: letter.recipient,
            domain: letter.domain,
            blob_id,
            state,
            reason: letter.held,
            attempts: 0,
            doubts: 0,
            created_at: permit.now(),
            leave_at,
            tried_at: None,
            ended_at: None,
        });
    }
    outgoing::insert_many(permit, rows).await?;
    jobs::enqueue_many(permit, due).await?;
    Ok(())
}

/// Tries that a letter gets: [`crate::outgoing::next_try`] gives it up by its age.
const TRIES: i64 = 1_000;

/// The job that hands a letter over.
pub(super) fn hand_over(id: OutgoingId, at: Timestamp) -> NewJob {
    NewJob {
        dedup_key: Some(id.to_string()),
        run_at: Some(at),
        max_attempts: TRIES,
        ..NewJob::new(JobKind::SendMail, serde_json::json!({ "letter": id }))
    }
}

/// `staff:NAME` as colleagues call them.
pub(super) fn staff_name(actor: &str) -> String {
    actor
        .split_once(':')
        .map_or(actor, |(_, name)| name)
        .to_owned()
}
