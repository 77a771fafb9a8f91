//! The outbox: handing letters over, and what became of them. Called by the edge that sends, one letter
//! at a time: [`begin`], then the relay, outside any unit of work, then one of [`sent`], [`postponed`],
//! [`failed`].

use serde::Serialize;

use super::{
    Desk, Error,
    letters::hand_over,
    work_ticket::{Did, record, staff_message, step},
};
use crate::{
    clock::Timestamp,
    ids::{MessageId, OutgoingId},
    jobs::{Job, JobError},
    mail::Bounce,
    outgoing::{LetterKind, OutgoingState, words_of_server},
    permit::{
        Action, Actor, ChangesTickets, KeepOutbox, Permit, ReadDesk, RecordDelivery, ReleaseLetter,
        Subject, SystemRole, authorise,
    },
    refusal::{Refusal, RefusalCode},
    store::{
        StoreError, Tx, blobs, jobs,
        messages::{self, NewMessage},
        outgoing::{self, Outgoing},
        tickets,
    },
    tickets::{Delivery, Status, Ticket, TicketNumber},
};

/// Whoever works off jobs.
pub const WORKER: Actor = Actor::System(SystemRole::Worker);

/// A letter of which something may still become, or which failed.
#[derive(Clone, Debug, Serialize)]
pub struct LetterReport {
    /// The id.
    pub id: OutgoingId,
    /// The ticket.
    pub ticket: TicketNumber,
    /// What it is.
    pub kind: LetterKind,
    /// To whom.
    pub recipient: String,
    /// Where it stands.
    pub state: OutgoingState,
    /// Why.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// How often a try was cut off, and it may have arrived all the same.
    pub doubts: i64,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it leaves at the earliest.
    pub leave_at: Timestamp,
}

/// Which letters are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listed {
    /// Those that left, failed or were taken back as well.
    pub is_all: bool,
    /// Only those about this ticket.
    pub ticket: Option<TicketNumber>,
}

/// Letters, oldest first; of more than `limit` the oldest that have not left, or the latest of all.
pub async fn list(
    desk: &Desk,
    actor: &Actor,
    which: Listed,
    limit: i64,
) -> Result<Vec<LetterReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let letters = match (which.ticket, which.is_all) {
        (Some(number), is_all) => {
            let ticket = tickets::find_by_number(&mut permit, number).await?;
            let ticket = ticket.ok_or_else(|| super::tickets::not_found(number))?;
            let mut letters = outgoing::of_ticket(&mut permit, ticket.id).await?;
            letters.retain(|letter| is_all || letter.state.is_open());
            letters
        }
        (None, true) => {
            let mut latest = outgoing::list_latest(&mut permit, limit).await?;
            latest.reverse();
            latest
        }
        (None, false) => outgoing::list_open(&mut permit, limit).await?,
    };
    reports(&mut permit, letters).await
}

/// Every letter about a ticket, oldest first.
pub async fn of_ticket(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
) -> Result<Vec<LetterReport>, Error> {
    let (is_all, ticket) = (true, Some(number));
    list(desk, actor, Listed { is_all, ticket }, i64::MAX).await
}

async fn reports(tx: &mut Tx, letters: Vec<Outgoing>) -> Result<Vec<LetterReport>, Error> {
    let mut reports = Vec::with_capacity(letters.len());
    for letter in letters {
        let ticket = tickets::find(tx, letter.ticket_id).await?;
        let ticket = ticket.map(|ticket| ticket.number);
        reports.extend(ticket.map(|ticket| LetterReport {
            id: letter.id,
            ticket,
            kind: letter.kind,
            recipient: letter.recipient,
            state: letter.state,
            reason: letter.reason,
            attempts: letter.attempts,
            doubts: letter.doubts,
            created_at: letter.created_at,
            leave_at: letter.leave_at,
        }));
    }
    Ok(reports)
}

/// Lets a held letter go after all.
pub async fn release(desk: &Desk, actor: &Actor, id: OutgoingId) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let letter = outgoing::find(&mut tx, id).await?;
    let subject = letter.as_ref().map(|letter| letter.ticket_id);
    let subject = subject.map_or(Subject::Desk, Subject::Ticket);
    let mut permit = authorise(&mut tx, actor, ReleaseLetter, subject).await?;
    let letter = letter.ok_or_else(|| Refusal::not_found("letter", id))?;
    let now = permit.now();
    if !outgoing::release(&mut permit, id, now).await? {
        let message = format!("the letter is {}, not held", letter.state);
        return Err(Refusal::new(RefusalCode::WrongStatus, message).into());
    }
    jobs::enqueue(&mut permit, hand_over(id, now)).await?;
    let ticket = get_ticket(&mut permit, &letter).await?;
    let details = vec![
        ("to", letter.recipient),
        ("held", letter.reason.unwrap_or_default()),
    ];
    record(
        &mut permit,
        &ticket,
        Did {
            kind: "released",
            details,
        },
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

async fn get_ticket<A: Action>(
    permit: &mut Permit<'_, A>,
    letter: &Outgoing,
) -> Result<Ticket, Error> {
    let ticket = tickets::find_locked(permit, letter.ticket_id).await?;
    ticket.ok_or_else(|| {
        let detail = format!("letter {} is about a ticket that is gone", letter.id);
        Error::Failed(StoreError::Inconsistent {
            table: "outgoing",
            detail,
        })
    })
}

/// Writes down that a letter is about to be handed over, and gives it with its bytes. `None`: there is
/// nothing to send any more.
pub async fn begin(desk: &Desk, id: OutgoingId) -> Result<Option<(Outgoing, Vec<u8>)>, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WORKER, KeepOutbox, Subject::Desk).await?;
    if !outgoing::begin(&mut permit, id).await? {
        return Ok(None);
    }
    let Some(letter) = outgoing::find(&mut permit, id).await? else {
        return Ok(None);
    };
    let bytes = blobs::open(&mut permit, letter.blob_id).await?;
    tx.commit().await?;
    Ok(Some((letter, bytes)))
}

/// For how long a letter is due.
pub fn age(desk: &Desk, letter: &Outgoing) -> std::time::Duration {
    desk.database.clock().read().since(letter.leave_at)
}

/// The letter was not taken now, as far as is known, and is tried again.
pub async fn postponed(
    desk: &Desk,
    letter: &Outgoing,
    words: &str,
    may_have_arrived: bool,
) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WORKER, KeepOutbox, Subject::Desk).await?;
    outgoing::put_back(&mut permit, letter.id, words, may_have_arrived).await?;
    tx.commit().await?;
    Ok(())
}

/// The relay has the letter. Ends the job in the same unit of work.
pub async fn sent(desk: &Desk, letter: &Outgoing, job: &Job, words: &str) -> Result<(), JobError> {
    let mut tx = desk.database.begin_write().await?;
    settle(desk, &mut tx, letter, OutgoingState::Sent, words)
        .await
        .map_err(job_error)?;
    jobs::finish(&mut tx, job).await?;
    crate::fault::point("mail.before_record");
    tx.commit().await?;
    Ok(())
}

/// The letter was refused for good, or given up: a note on its ticket says so, and the ticket is ours
/// again.
pub async fn failed(desk: &Desk, letter: &Outgoing, words: &str) -> Result<(), JobError> {
    let mut tx = desk.database.begin_write().await?;
    settle(desk, &mut tx, letter, OutgoingState::Failed, words)
        .await
        .map_err(job_error)?;
    tx.commit().await?;
    Ok(())
}

fn job_error(error: Error) -> JobError {
    match error {
        Error::Failed(error) => error.into(),
        Error::Refused(refusal) => JobError::Fail(refusal.to_string()),
    }
}

async fn settle(
    desk: &Desk,
    tx: &mut Tx,
    letter: &Outgoing,
    state: OutgoingState,
    words: &str,
) -> Result<(), Error> {
    let subject = Subject::Ticket(letter.ticket_id);
    let mut permit = authorise(tx, &WORKER, RecordDelivery, subject).await?;
    let mut ticket = get_ticket(&mut permit, letter).await?;
    outgoing::settle(&mut permit, letter.id, state, words).await?;
    let delivery = delivery(&outgoing::of_message(&mut permit, letter.message_id).await?);
    outgoing::set_delivery(&mut permit, letter.message_id, delivery).await?;
    let mut details = vec![
        ("to", letter.recipient.clone()),
        ("answer", words.to_owned()),
    ];
    let kind = if state == OutgoingState::Sent {
        "sent"
    } else {
        if letter.kind == LetterKind::Reply {
            tell(&mut permit, &mut ticket, &letter.recipient, words).await?;
            details.push(("status", ticket.status.to_string()));
        }
        "undelivered"
    };
    record(&mut permit, &ticket, Did { kind, details }).await?;
    if state == OutgoingState::Failed {
        super::chat::post_later(desk, &mut permit, &ticket).await?;
    }
    Ok(())
}

/// What became of a message of ours, by its letters.
fn delivery(letters: &[Outgoing]) -> Delivery {
    let is = |state: OutgoingState| letters.iter().any(|letter| letter.state == state);
    if is(OutgoingState::Failed) {
        Delivery::Failed
    } else if letters.iter().any(|letter| letter.state.is_open()) {
        Delivery::Queued
    } else {
        Delivery::Sent
    }
}

/// A mail of ours that came back after a relay had taken it: to staff the same as one that was refused. What has
/// failed already is not told again, and a receipt's failure is nobody's work.
pub(super) async fn returned<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    message: MessageId,
    bounce: &Bounce,
) -> Result<(), Error> {
    let letters = outgoing::of_message(permit, message).await?;
    let is_named = |letter: &Outgoing| {
        let is = |address: &String| address.eq_ignore_ascii_case(&letter.recipient);
        // Where mail is passed on, the address that failed is not the one that we wrote to.
        letters.len() == 1 || bounce.recipients.iter().any(is)
    };
    let named: Vec<_> = letters.iter().filter(|one| is_named(one)).collect();
    let is_sent = |letter: &&&Outgoing| letter.state == OutgoingState::Sent;
    let back: Vec<_> = named.iter().filter(is_sent).copied().collect();
    let Some(first) = letters.first() else {
        messages::mark_failed(permit, vec![message]).await?;
        return Ok(());
    };
    if back.is_empty() && !named.is_empty() {
        return Ok(());
    }
    let words = bounce.words.as_deref().unwrap_or("no reason was given");
    let words = words_of_server(words);
    for letter in &back {
        outgoing::mark_returned(permit, letter.id, &words).await?;
    }
    messages::mark_failed(permit, vec![message]).await?;
    let mut whom: Vec<&str> = back
        .iter()
        .map(|letter| letter.recipient.as_str())
        .collect();
    if whom.is_empty() {
        whom = bounce.recipients.iter().map(String::as_str).collect();
    }
    let whom = whom.join(", ");
    let mut ticket = get_ticket(permit, first).await?;
    let mut details = vec![("to", whom.clone()), ("answer", words.clone())];
    if first.kind == LetterKind::Reply {
        tell(permit, &mut ticket, &whom, &words).await?;
        details.push(("status", ticket.status.to_string()));
    }
    let kind = "undelivered";
    record(permit, &ticket, Did { kind, details }).await?;
    super::chat::post_later(desk, permit, &ticket).await
}

/// A reply did not arrive: a note says to whom and why, and what waits for the customer is ours again.
async fn tell<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: &mut Ticket,
    whom: &str,
    words: &str,
) -> Result<(), Error> {
    let text = format!("The answer to {whom} was not delivered. The other side said: {words}");
    let message = staff_message(permit, ticket, "tierdesk".to_owned(), text);
    let note = NewMessage {
        message,
        fingerprint: None,
        in_reply_to: None,
        recipients: Vec::new(),
    };
    messages::insert_many(permit, vec![note], Vec::new()).await?;
    if matches!(ticket.status, Status::WaitingCustomer | Status::Resolved) {
        step(ticket, Status::Open, permit.now())?;
    }
    ticket.updated_at = permit.now();
    tickets::update(permit, ticket).await?;
    ticket.version += 1;
    Ok(())
}
