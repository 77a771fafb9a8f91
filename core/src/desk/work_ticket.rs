//! Working a ticket: each verb loads it locked, asks for its permit, changes it, writes timeline
//! and audit entry, commits.

mod bind;
mod dismiss;
mod merge;
mod open;
mod participants;
mod snooze;

pub use bind::{BindOptions, bind};
pub use dismiss::dismiss;
pub(super) use dismiss::{Ended, taken_up_by};
pub(super) use merge::tag_in;
pub use merge::{link, merge, split, tag};
pub use open::{NewTicketByHand, open};
pub use participants::{add_participant, remove_participant};
pub(super) use snooze::{sleep, snooze_in};
pub use snooze::{snooze, wake};

use super::{
    Desk, Error, chat,
    letters::{check_size, keep_attachments},
    paging,
    tickets::{TicketReport, not_found, report},
};
use crate::{
    clock::Timestamp,
    mail::Attachment,
    masking,
    permit::{
        Action, Actor, AssignTicket, ChangesTickets, CloseTicket, MarkSpam, Permit, ReopenTicket,
        SetSeverity, SetStatus, Subject, WriteNote, authorise, missing,
    },
    refusal::{Refusal, RefusalCode},
    staff::{Staff, StaffStatus},
    store::{
        Tx,
        audit::{self, Change},
        messages::{self, NewMessage},
        staff,
        tickets::{self, NewEvent},
    },
    tickets::{
        CloseReason, Delivery, Direction, Message, MessageKind, Status, Ticket, TicketNumber,
    },
    tiers::Severity,
};

/// What a verb did, for timeline and audit trail.
pub(super) struct Did {
    pub(super) kind: &'static str,
    pub(super) details: Vec<(&'static str, String)>,
}

/// The frame of every verb. `change` gets the ticket and answers what it did, or `None` when the
/// ticket already was as asked.
async fn change_ticket<A: Action + ChangesTickets>(
    desk: &Desk,
    actor: &Actor,
    action: A,
    number: TicketNumber,
    change: impl AsyncFnOnce(&mut Permit<'_, A>, &mut Ticket) -> Result<Option<Did>, Error>,
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let report = change_ticket_in(desk, &mut tx, actor, action, number, change).await?;
    tx.commit().await?;
    Ok(report)
}

/// The same inside a unit of work that the caller commits.
pub(super) async fn change_ticket_in<A: Action + ChangesTickets>(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    action: A,
    number: TicketNumber,
    change: impl AsyncFnOnce(&mut Permit<'_, A>, &mut Ticket) -> Result<Option<Did>, Error>,
) -> Result<TicketReport, Error> {
    let found = tickets::find_by_number_locked(tx, number).await?;
    let subject = found
        .as_ref()
        .map_or(Subject::Desk, |ticket| Subject::Ticket(ticket.id));
    // Before it is said whether there is such a ticket.
    let mut permit = authorise(tx, actor, action, subject).await?;
    let mut ticket = found.ok_or_else(|| not_found(number))?;
    if let Some(did) = change(&mut permit, &mut ticket).await? {
        ticket.updated_at = permit.now();
        tickets::update(&mut permit, &ticket).await?;
        ticket.version += 1;
        paging::follow(desk, &mut permit, &ticket, did.kind).await?;
        record(&mut permit, &ticket, did).await?;
        chat::post_later(desk, &mut permit, &ticket).await?;
    }
    report(desk, &mut permit, ticket).await
}

/// Writes the timeline's line and the audit entry.
pub(super) async fn record<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
    did: Did,
) -> Result<(), Error> {
    let mut change = Change::to(format!("ticket:{}", ticket.number));
    let mut detail = serde_json::Map::new();
    for (name, value) in did.details {
        detail.insert(name.to_owned(), value.clone().into());
        change = change.with(name, value);
    }
    let event = NewEvent {
        id: permit.new_id(),
        ticket_id: ticket.id,
        at: permit.now(),
        actor: permit.actor().to_owned(),
        kind: did.kind,
        detail: detail.into(),
    };
    tickets::insert_events(permit, vec![event]).await?;
    audit::append(permit, vec![change]).await?;
    Ok(())
}

/// Moves a ticket through the status table.
pub(super) fn step(ticket: &mut Ticket, next: Status, now: Timestamp) -> Result<Did, Refusal> {
    let before = ticket.status;
    if !before.may_become(next) {
        let message = format!("{} is {before} and cannot become {next}", ticket.number);
        let hint = match before {
            Status::Closed => format!("tierdesk ticket reopen {}", ticket.number),
            _ => "from resolved a ticket goes to open or closed; nothing becomes new again"
                .to_owned(),
        };
        return Err(Refusal::new(RefusalCode::WrongStatus, message).with_hint(hint));
    }
    ticket.status = next;
    ticket.snoozed_until = None;
    ticket.clocks.resolution.met_at = match next {
        Status::Resolved | Status::Closed => ticket.clocks.resolution.met_at.or(Some(now)),
        _ => None,
    };
    if next != Status::Closed {
        ticket.close_reason = None;
    }
    Ok(Did {
        kind: "status",
        details: vec![("from", before.to_string()), ("to", next.to_string())],
    })
}

/// Gives a ticket to a member of staff; `me` is the actor. A new ticket becomes open.
pub async fn assign(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    who: &str,
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let report = assign_in(desk, &mut tx, actor, number, who).await?;
    tx.commit().await?;
    Ok(report)
}

/// The same inside a unit of work that the caller commits.
pub(super) async fn assign_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    number: TicketNumber,
    who: &str,
) -> Result<TicketReport, Error> {
    change_ticket_in(
        desk,
        tx,
        actor,
        AssignTicket,
        number,
        async |permit, ticket| {
            let assignee = find_staff(permit, who).await?;
            check_assignee(permit, ticket, &assignee).await?;
            if ticket.assignee_id == Some(assignee.id) {
                return Ok(None);
            }
            if ticket.status == Status::Closed {
                let message = format!("{number} is closed and needs nobody");
                let hint = format!("tierdesk ticket reopen {number}");
                return Err(Refusal::new(RefusalCode::WrongStatus, message)
                    .with_hint(hint)
                    .into());
            }
            ticket.assignee_id = Some(assignee.id);
            let mut details = vec![("to", assignee.name)];
            if let Some(next) = ticket.status.after_assignment() {
                step(ticket, next, permit.now())?;
                details.push(("status", next.to_string()));
            }
            Ok(Some(Did {
                kind: "assigned",
                details,
            }))
        },
    )
    .await
}

/// Nobody is given what they may not read.
async fn check_assignee(
    permit: &mut Permit<'_, AssignTicket>,
    ticket: &Ticket,
    assignee: &Staff,
) -> Result<(), Error> {
    let demanded = staff::demanded(permit, ticket.id).await?;
    if let Some(lacking) = missing(permit, assignee.id, &demanded).await? {
        let message = format!(
            "{} cannot get {}: {lacking} is not attested of them",
            assignee.name, ticket.number
        );
        return Err(Refusal::new(RefusalCode::NotPermitted, message)
            .with_hint("give it to somebody of whom it is: tierdesk staff review")
            .into());
    }
    Ok(())
}

async fn find_staff<A: Action>(permit: &mut Permit<'_, A>, who: &str) -> Result<Staff, Error> {
    let everybody = staff::list(permit).await?;
    let me = permit.staff();
    let found = if who == "me" {
        everybody.iter().find(|one| Some(one.id) == me)
    } else {
        everybody.iter().find(|one| one.name == who)
    };
    match found {
        Some(one) if one.status == StaffStatus::Active => Ok(one.clone()),
        Some(one) => Err(Refusal::invalid(format!("{} is disabled", one.name)).into()),
        None if everybody.is_empty() => Err(Refusal::not_found("member of staff", who)
            .with_hint("nobody is registered yet: `tierdesk init` makes you the first admin")
            .into()),
        None => {
            let names: Vec<&str> = everybody.iter().map(|one| one.name.as_str()).collect();
            Err(Refusal::not_found("member of staff", who)
                .with_hint(format!("known are me, {}", names.join(", ")))
                .into())
        }
    }
}

/// Changes how bad it is; priority and due times follow.
pub async fn set_severity(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    severity: Severity,
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let report = set_severity_in(desk, &mut tx, actor, number, severity).await?;
    tx.commit().await?;
    Ok(report)
}

/// The same inside a unit of work that the caller commits.
pub(super) async fn set_severity_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    number: TicketNumber,
    severity: Severity,
) -> Result<TicketReport, Error> {
    change_ticket_in(desk, tx, actor, SetSeverity, number, async |_, ticket| {
        if ticket.severity == severity {
            return Ok(None);
        }
        let before = std::mem::replace(&mut ticket.severity, severity);
        match &ticket.tier {
            Some(slug) => {
                let tier = desk.tier(slug)?;
                ticket.priority = tier.priorities[severity];
                if !ticket.is_silent {
                    ticket.clocks = ticket.clocks.restart(tier, severity, ticket.opened_at);
                }
            }
            None => ticket.priority = desk.catalogue.triage_priority(severity),
        }
        let details = vec![("from", before.to_string()), ("to", severity.to_string())];
        Ok(Some(Did {
            kind: "severity",
            details,
        }))
    })
    .await
}

/// Moves a ticket along.
pub async fn set_status(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    status: Status,
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let report = set_status_in(desk, &mut tx, actor, number, status).await?;
    tx.commit().await?;
    Ok(report)
}

/// The same inside a unit of work that the caller commits.
pub(super) async fn set_status_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    number: TicketNumber,
    status: Status,
) -> Result<TicketReport, Error> {
    change_ticket_in(
        desk,
        tx,
        actor,
        SetStatus,
        number,
        async |permit, ticket| {
            if ticket.status == status {
                return Ok(None);
            }
            let did = step(ticket, status, permit.now())?;
            if status == Status::Closed {
                ticket.close_reason = Some(CloseReason::Done);
            }
            Ok(Some(did))
        },
    )
    .await
}

/// Ends a ticket.
pub async fn close(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    reason: CloseReason,
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let report = close_in(desk, &mut tx, actor, number, reason).await?;
    tx.commit().await?;
    Ok(report)
}

/// The same inside a unit of work that the caller commits.
pub(super) async fn close_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    number: TicketNumber,
    reason: CloseReason,
) -> Result<TicketReport, Error> {
    change_ticket_in(
        desk,
        tx,
        actor,
        CloseTicket,
        number,
        async |permit, ticket| end(ticket, reason, permit.now(), "closed"),
    )
    .await
}

/// Sets a ticket aside that nobody should answer. Later mail to it stays on it, closed.
pub async fn mark_spam(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let report = mark_spam_in(desk, &mut tx, actor, number).await?;
    tx.commit().await?;
    Ok(report)
}

/// The same inside a unit of work that the caller commits.
pub(super) async fn mark_spam_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    number: TicketNumber,
) -> Result<TicketReport, Error> {
    change_ticket_in(desk, tx, actor, MarkSpam, number, async |permit, ticket| {
        end(ticket, CloseReason::Spam, permit.now(), "spam")
    })
    .await
}

fn end(
    ticket: &mut Ticket,
    reason: CloseReason,
    now: Timestamp,
    kind: &'static str,
) -> Result<Option<Did>, Error> {
    if ticket.status == Status::Closed && ticket.close_reason == Some(reason) {
        return Ok(None);
    }
    if ticket.status != Status::Closed {
        step(ticket, Status::Closed, now)?;
    }
    ticket.close_reason = Some(reason);
    Ok(Some(Did {
        kind,
        details: vec![("reason", reason.to_string())],
    }))
}

/// Takes an end back.
pub async fn reopen(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
) -> Result<TicketReport, Error> {
    change_ticket(desk, actor, ReopenTicket, number, async |permit, ticket| {
        if ticket.status.is_active() {
            let message = format!("{number} is {}, not resolved or closed", ticket.status);
            return Err(Refusal::new(RefusalCode::WrongStatus, message).into());
        }
        let did = step(ticket, Status::Open, permit.now())?;
        Ok(Some(Did {
            kind: "reopened",
            ..did
        }))
    })
    .await
}

/// Writes for colleagues. Secrets in the text are masked before it is stored.
pub async fn note(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    text: &str,
) -> Result<TicketReport, Error> {
    note_with(desk, actor, number, text, &[]).await
}

/// The same with files; without a text it names them.
pub async fn note_with(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    text: &str,
    attachments: &[Attachment],
) -> Result<TicketReport, Error> {
    check_size(attachments)?;
    let names: Vec<&str> = attachments
        .iter()
        .map(|one| one.info.name.as_str())
        .collect();
    let named = format!("Attached: {}", names.join(", "));
    let text = match text.trim() {
        "" if !attachments.is_empty() => &named,
        text => text,
    };
    let mut tx = desk.database.begin_write().await?;
    let report = note_in(desk, &mut tx, actor, number, text, attachments).await?;
    tx.commit().await?;
    Ok(report)
}

/// The same inside a unit of work that the caller commits.
pub(super) async fn note_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    number: TicketNumber,
    text: &str,
    attachments: &[Attachment],
) -> Result<TicketReport, Error> {
    let text = text.trim();
    if text.is_empty() {
        let refusal = Refusal::new(RefusalCode::Empty, "the note is empty; nothing was stored");
        return Err(refusal
            .with_hint("give the text with --file, on stdin or in the editor")
            .into());
    }
    let masked = masking::mask(text).text.into_owned();
    change_ticket_in(
        desk,
        tx,
        actor,
        WriteNote,
        number,
        async |permit, ticket| {
            let author = permit
                .actor()
                .split_once(':')
                .map_or("", |(_, name)| name)
                .to_owned();
            let length = masked.chars().count();
            let message = staff_message(permit, ticket, author, masked);
            let new = NewMessage {
                message,
                fingerprint: None,
                in_reply_to: None,
                recipients: Vec::new(),
            };
            let id = new.message.id;
            let attached = keep_attachments(permit, ticket, id, attachments).await?;
            messages::insert_many(permit, vec![new], attached).await?;
            let mut details = vec![("characters", length.to_string())];
            if !attachments.is_empty() {
                details.push(("attachments", attachments.len().to_string()));
            }
            Ok(Some(Did {
                kind: "note",
                details,
            }))
        },
    )
    .await
}

/// A note of staff on a ticket.
pub(super) fn staff_message<A: Action>(
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
    author: String,
    text: String,
) -> Message {
    Message {
        id: permit.new_id(),
        ticket_id: Some(ticket.id),
        customer_id: ticket.customer_id,
        direction: Direction::Note,
        kind: MessageKind::Person,
        header_id: None,
        author,
        author_name: None,
        subject: String::new(),
        reply_text: text.clone(),
        body: text,
        sent_at: None,
        received_at: permit.now(),
        trust: None,
        findings: Vec::new(),
        is_truncated: false,
        blob_id: None,
        delivery: Delivery::None,
    }
}
