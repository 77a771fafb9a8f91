//! "It is here": what a customer is told when their mail opens a ticket.
//!
//! Only who is known or proven gets one, or whose ticket a colleague bound; never a machine, never twice
//! for a ticket, never more than a few an hour, and with nothing in it that the sender wrote: whoever
//! makes us send mail to others by writing in their name gets nothing out of it, and two desks that
//! answer each other stop. A program that answers our letters as if it were a person is known by what it
//! does: it repeats itself, or answers within a minute again and again (desk/receipt/loops.rs).

use std::time::Duration;

use super::{
    Desk, Error,
    letters::{Sending, blank, compose, queue},
    reply::{self, may_travel, way_out},
    work_ticket::{Did, record},
};
use crate::{
    clock::Timestamp,
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

/// The span over which a day's receipts are counted.
const DAY: Duration = Duration::from_hours(24);
/// Receipts to one address in a day: whoever opens more tickets than that knows that they are read.
const PER_DAY: usize = 20;
/// The span over which answers of programs are remembered.
const WEEK: Duration = Duration::from_hours(7 * 24);
/// Whoever opens a ticket so soon behind a letter of ours may be answering it by a program.
const AT_ONCE: Duration = Duration::from_mins(1);
/// So many receipts in a week are for such tickets.
const FOLLOWING: usize = 2;
/// So many letters to one address are looked at.
const LETTERS: i64 = 1_000;

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
    if let Some(first) = first
        && let Some(reason) = loops(permit, &address, first).await?
    {
        return Ok(Err(reason));
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

/// Why a receipt for this mail would only be answered by a program, or come on top of too many.
async fn loops(
    permit: &mut Permit<'_, SendReceipt>,
    address: &EmailAddress,
    mail: &Message,
) -> Result<Option<&'static str>, Error> {
    let whom = address.as_str();
    let text = mail.reply_text.trim();
    if !text.is_empty()
        && outgoing::was_said_before(permit, whom, WEEK, mail.id, &mail.reply_text).await?
    {
        return Ok(Some(
            "it says what an earlier mail said, of which they were told",
        ));
    }
    let letters = outgoing::recent_letters(permit, whom, WEEK, LETTERS).await?;
    if is_answered_at_once(&letters, mail.received_at) {
        return Ok(Some(
            "it came at once behind a letter of ours, as others did this week",
        ));
    }
    let today = permit.now().minus(DAY);
    let is_of_today = |(kind, at, _): &&LetterOf| *kind == LetterKind::Receipt && *at > today;
    if letters.iter().filter(is_of_today).count() >= PER_DAY {
        return Ok(Some("this address had its receipts of the day"));
    }
    Ok(None)
}

/// What a letter is, when it was written, and when it had left.
type LetterOf = (LetterKind, Timestamp, Option<Timestamp>);

/// Whether a mail of this instant follows on a letter at once, and as many receipts did so as may.
fn is_answered_at_once(letters: &[LetterOf], at: Timestamp) -> bool {
    let follows = |at: Timestamp| {
        let mut left = letters.iter().filter_map(|(_, _, left)| *left);
        left.any(|left| left < at && at.since(left) < AT_ONCE)
    };
    let receipts = letters
        .iter()
        .filter(|(kind, _, _)| *kind == LetterKind::Receipt);
    follows(at) && receipts.filter(|(_, written, _)| follows(*written)).count() >= FOLLOWING
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_at_once_are_counted() {
        let at = Timestamp::from_seconds;
        // Gone the second after.
        let of = |kind: LetterKind, written: i64| (kind, at(written), Some(at(written + 1)));
        let receipt = |written: &i64| of(LetterKind::Receipt, *written);
        for (written, arrives, is_loop) in [
            (&[0][..], 5, false),
            (&[0, 10], 15, false),
            (&[0, 10, 20], 25, true),
            (&[0, 10, 20], 120, false),
            (&[0, 100, 200], 205, false),
            (&[], 0, false),
        ] {
            let letters: Vec<_> = written.iter().map(receipt).collect();
            let found = is_answered_at_once(&letters, at(arrives));
            assert_eq!(found, is_loop, "{written:?} {arrives}");
        }
        // Answers of people are letters, too; and only what has left can be answered.
        let replied = [0, 100, 200].map(|written| of(LetterKind::Reply, written));
        let told = [10, 110].map(|written| receipt(&written));
        let all = [&replied[..], &told[..]].concat();
        assert!(is_answered_at_once(&all, at(210)));
        assert!(
            !is_answered_at_once(&all[..4], at(210)),
            "one receipt so far"
        );
        let waiting = [0, 1, 2].map(|t| (LetterKind::Receipt, at(t), None));
        assert!(!is_answered_at_once(&waiting, at(3)), "none has left");
    }
}
