//! A ticket sleeps until a time, or until somebody answers.

use super::{Did, change_ticket_in, step};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, outbox::WORKER, tickets::TicketReport},
    ids::TicketId,
    jobs::{JobKind, NewJob},
    permit::{Actor, SnoozeTicket},
    refusal::{Refusal, RefusalCode},
    store::{Tx, jobs, tickets},
    tickets::{Status, Ticket, TicketNumber},
};

/// Has a ticket sleep until then; it is ours again at that time, or when the customer writes.
pub async fn snooze(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    until: Timestamp,
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let report = snooze_in(desk, &mut tx, actor, number, until).await?;
    tx.commit().await?;
    Ok(report)
}

/// The same inside a unit of work that the caller commits.
pub(in crate::desk) async fn snooze_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    number: TicketNumber,
    until: Timestamp,
) -> Result<TicketReport, Error> {
    change_ticket_in(
        desk,
        tx,
        actor,
        SnoozeTicket,
        number,
        async |permit, ticket| {
            let now = permit.now();
            if until <= now {
                let refusal =
                    Refusal::invalid(format!("{until} is past; {number} sleeps until later"));
                return Err(refusal.into());
            }
            if !ticket.status.is_active() {
                let message = format!("{number} is {} and needs nobody", ticket.status);
                return Err(Refusal::new(RefusalCode::WrongStatus, message).into());
            }
            if ticket.status != Status::OnHold {
                step(ticket, Status::OnHold, now)?;
            }
            sleep(permit, ticket, until).await?;
            Ok(Some(Did {
                kind: "snoozed",
                details: vec![("until", until.to_string())],
            }))
        },
    )
    .await
}

/// Notes until when a ticket sleeps, with the job that wakes it. The caller stores the ticket.
pub(in crate::desk) async fn sleep(
    tx: &mut Tx,
    ticket: &mut Ticket,
    until: Timestamp,
) -> Result<(), Error> {
    ticket.snoozed_until = Some(until);
    let payload = serde_json::json!({ "ticket": ticket.id, "until": until });
    let job = NewJob {
        // Another time is another job; the earlier one finds that it is not the time any more.
        dedup_key: Some(format!("{}:{}", ticket.id, until.micros())),
        run_at: Some(until),
        ..NewJob::new(JobKind::WakeTicket, payload)
    };
    jobs::enqueue(tx, job).await?;
    Ok(())
}

/// Wakes a ticket that slept until then. Returns whether it did: meanwhile somebody may have answered, or
/// have it sleep for longer.
pub async fn wake(desk: &Desk, id: TicketId, until: Timestamp) -> Result<bool, Error> {
    let mut tx = desk.database.begin_write().await?;
    let Some(ticket) = tickets::find(&mut tx, id).await? else {
        return Ok(false);
    };
    let mut has_woken = false;
    let number = ticket.number;
    change_ticket_in(
        desk,
        &mut tx,
        &WORKER,
        SnoozeTicket,
        number,
        async |permit, ticket| {
            let sleeps = ticket.status == Status::OnHold && ticket.snoozed_until == Some(until);
            if !sleeps || permit.now() < until {
                return Ok(None);
            }
            step(ticket, Status::Open, permit.now())?;
            has_woken = true;
            Ok(Some(Did {
                kind: "woke",
                details: vec![("slept until", until.to_string())],
            }))
        },
    )
    .await?;
    tx.commit().await?;
    Ok(has_woken)
}
