//! "It is here": what a customer is told when their mail opens a ticket.
//!
//! Only who is known or proven gets one, or whose ticket a colleague bound; never a machine, never twice
//! for a ticket, never more than a few an hour, and with nothing in it that the sender wrote: whoever
//! makes us send mail to others by writing in their name gets nothing out of it, and two desks that
//! answer each other stop.

use std::time::Duration;

use super::{
    Desk, Error,
    letters::{Sending, blank, compose, queue},
    reply::{self, may_travel, way_out},
    work_ticket::{Did, record},
};
use crate::{
    customers::EmailAddress,
    ids::{MessageId, TicketId},
    jobs::{JobKind, NewJob},
    outgoing::{LetterKind, Party},
    permit::{Actor, Permit, SendReceipt, Subject, authorise},
    store::{
        Tx, jobs,
        messages::{self, NewMessage},
        outgoing, tickets,
    },
    tickets::{CloseReason, Delivery, Direction, Message, MessageKind, Ticket},
    trust::SenderTrust,
};

/// The span over which receipts are counted.
const SPAN: Duration = Duration::from_hours(1);
/// Receipts to one address in that span.
const PER_ADDRESS: i64 = 5;
/// Receipts to one domain in that span: a company's colleagues on a bad day, and not a flood.
const PER_DOMAIN: i64 = 30;

/// What became of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipted {
    /// It is in the outbox.
    Queued,
    /// None is sent, for this reason.
    Withheld(&'static str),
}

/// Has a receipt for this ticket considered, once the unit of work that opened or bound it commits.
pub(super) async fn later(desk: &Desk, tx: &mut Tx, ticket: &Ticket) -> Result<(), Error> {
    if desk.mail_out.is_none() || ticket.is_silent {
        return Ok(());
    }
    let job = NewJob {
        dedup_key: Some(ticket.id.to_string()),
        ..NewJob::new(
            JobKind::SendReceipt,
            serde_json::json!({ "ticket": ticket.id }),
        )
    };
    jobs::enqueue(tx, job).await?;
    Ok(())
}

/// Writes the receipt for a ticket, where one is due.
pub async fn send(desk: &Desk, actor: &Actor, id: TicketId) -> Result<Receipted, Error> {
    let mut tx = desk.database.begin_write().await?;
    let found = tickets::find_locked(&mut tx, id).await?;
    let mut permit = authorise(&mut tx, actor, SendReceipt, Subject::Ticket(id)).await?;
    let Some(ticket) = found else {
        return Ok(Receipted::Withheld("the ticket is gone"));
    };
    let address = match due(desk, &mut permit, &ticket).await? {
        Ok(address) => address,
        Err(reason) => return Ok(Receipted::Withheld(reason)),
    };
    write(desk, &mut permit, &ticket, &address).await?;
    tx.commit().await?;
    Ok(Receipted::Queued)
}

/// Whom a receipt is due to, or why none is.
async fn due(
    desk: &Desk,
    permit: &mut Permit<'_, SendReceipt>,
    ticket: &Ticket,
) -> Result<Result<EmailAddress, &'static str>, Error> {
    if desk.mail_out.is_none() {
        return Ok(Err("no mail leaves this desk"));
    }
    if ticket.is_silent {
        return Ok(Err("it came in as history"));
    }
    if ticket.close_reason == Some(CloseReason::Spam) {
        return Ok(Err("it was set aside as spam"));
    }
    let is_proven = matches!(ticket.trust, SenderTrust::Known | SenderTrust::Proven);
    let is_vouched = ticket.customer_id.is_some()
        && !ticket.is_provisional
        && ticket.trust != SenderTrust::Contradicted;
    if ticket.customer_id.is_none() || !(is_proven || is_vouched) {
        return Ok(Err("nobody has proven who sent it"));
    }
    if outgoing::has_receipt(permit, ticket.id).await? {
        return Ok(Err("there was one already"));
    }
    let Ok(address) = ticket.requester.parse::<EmailAddress>() else {
        return Ok(Err("the sender is no mail address"));
    };
    let is_ours =
        desk.own_address.as_ref() == Some(&address) || desk.is_staff_domain(&address.domain());
    if is_ours {
        return Ok(Err("it is from one of us"));
    }
    let messages = messages::list_of_ticket(permit, ticket.id).await?;
    let first = messages.iter().find(|one| one.direction == Direction::In);
    if first.is_none_or(|first| first.kind != MessageKind::Person) {
        return Ok(Err("no person wrote it"));
    }
    let has_answer = messages
        .iter()
        .any(|one| one.direction == Direction::Out && one.kind == MessageKind::Person);
    if has_answer {
        return Ok(Err("a person has answered"));
    }
    if let Some(tier) = &ticket.tier
        && desk.tier(tier)?.has_enforced_tls
        && !may_travel(desk, permit, ticket, &address).await?
    {
        return Ok(Err("mail there is not known to travel over verified TLS"));
    }
    let domain = address.domain();
    let (to_address, to_domain) =
        outgoing::count_receipts(permit, address.as_str(), domain.as_str(), SPAN).await?;
    if to_address >= PER_ADDRESS {
        return Ok(Err("this address had its receipts of the hour"));
    }
    if to_domain >= PER_DOMAIN {
        return Ok(Err("this domain had its receipts of the hour"));
    }
    Ok(Ok(address))
}

async fn write(
    desk: &Desk,
    permit: &mut Permit<'_, SendReceipt>,
    ticket: &Ticket,
    address: &EmailAddress,
) -> Result<(), Error> {
    let mail_out = way_out(desk)?;
    let mut letter = blank(desk, permit, mail_out, ticket, LetterKind::Receipt).await?;
    let conversation = reply::Conversation::load(permit, ticket).await?;
    (letter.in_reply_to, letter.references) = conversation.references();
    letter.to = vec![Party::new(address.clone())];
    let bytes = compose(mail_out, &letter)?;
    let now = permit.now();
    let id: MessageId = permit.new_id();
    let text = format!("Receipt for {} ({})", ticket.number, ticket.severity);
    let message = Message {
        id,
        ticket_id: Some(ticket.id),
        customer_id: ticket.customer_id,
        direction: Direction::Out,
        kind: MessageKind::AutoReply,
        header_id: Some(letter.message_id.as_str().to_owned()),
        author: "tierdesk".to_owned(),
        author_name: None,
        subject: ticket.subject.clone(),
        body: text.clone(),
        reply_text: text,
        sent_at: None,
        received_at: now,
        trust: None,
        findings: Vec::new(),
        is_truncated: false,
        blob_id: None,
        delivery: Delivery::Queued,
    };
    let row = NewMessage {
        message,
        fingerprint: None,
        in_reply_to: letter.in_reply_to.as_ref().map(|id| id.as_str().to_owned()),
        recipients: vec![address.to_string()],
    };
    messages::insert_many(permit, vec![row], Vec::new()).await?;
    let sending = Sending {
        recipient: address.to_string(),
        domain: address.domain().to_string(),
        held: None,
        bytes,
    };
    let from = letter.from.address.to_string();
    queue(
        permit,
        ticket,
        id,
        LetterKind::Receipt,
        from,
        vec![sending],
        now,
    )
    .await?;
    let details = vec![("to", address.to_string())];
    record(
        permit,
        ticket,
        Did {
            kind: "receipt",
            details,
        },
    )
    .await
}
