//! A mail that took an ended ticket up again and asks for nothing is set aside: the ticket is again what
//! it was, no clock has run and nobody counts as answered.

use serde::{Deserialize, Serialize};

use super::{Did, change_ticket, step};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, tickets::TicketReport},
    permit::{Actor, DismissMail},
    receive::Outcome,
    refusal::{Refusal, RefusalCode},
    sla::Clocks,
    store::tickets,
    tickets::{CloseReason, Event, Status, Ticket, TicketNumber},
};

/// How a ticket had ended before a mail took it up again. The timeline keeps it with that mail.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::desk) struct Ended {
    status_before: Status,
    resolved_at: Option<Timestamp>,
    close_reason: Option<CloseReason>,
    /// It was history, on which no clock ran.
    was_history: Option<bool>,
}

impl Ended {
    /// Of a ticket that has ended; `None` of any other.
    pub(in crate::desk) fn of(ticket: &Ticket) -> Option<Self> {
        (!ticket.status.is_active()).then(|| Self {
            status_before: ticket.status,
            resolved_at: ticket.clocks.resolution.met_at,
            close_reason: ticket.close_reason,
            was_history: ticket.is_silent.then_some(true),
        })
    }

    /// Writes it beside the other particulars of a mail's line.
    pub(in crate::desk) fn write(&self, detail: &mut serde_json::Value) {
        if let (Some(fields), Ok(serde_json::Value::Object(own))) =
            (detail.as_object_mut(), serde_json::to_value(self))
        {
            fields.extend(own.into_iter().filter(|(_, value)| !value.is_null()));
        }
    }
}

/// The mail that took a ticket up again which had ended, with how it had; or why there is none that can
/// be set aside.
pub(in crate::desk) fn taken_up_by<'e>(
    ticket: &Ticket,
    events: &'e [Event],
) -> Result<(&'e Event, Ended), String> {
    if ticket.status != Status::Open {
        return Err(format!("is {}, and no mail took it up", ticket.status));
    }
    let (appended, recorded) = (Outcome::Appended.as_str(), Outcome::Recorded.as_str());
    let last = events.iter().rposition(|event| event.kind == appended);
    let Some((mail, since)) = last.and_then(|at| Some((events.get(at)?, events.get(at + 1..)?)))
    else {
        return Err("was continued by no mail".to_owned());
    };
    // What the program itself writes down meanwhile, a letter that arrived say, is nobody's work.
    let is_work = |event: &&Event| !event.actor.starts_with("system:") && event.kind != recorded;
    if let Some(work) = since.iter().find(is_work) {
        return Err(format!(
            "was worked on after that mail: {} by {}",
            work.kind, work.actor
        ));
    }
    match serde_json::from_value::<Ended>(mail.detail.clone()) {
        Ok(ended) => Ok((mail, ended)),
        Err(_) => Err("had not ended before its last mail".to_owned()),
    }
}

/// Sets the mail aside that took a ticket up again. Nothing is sent, and nothing counts as a response.
pub async fn dismiss(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
) -> Result<TicketReport, Error> {
    change_ticket(desk, actor, DismissMail, number, async |permit, ticket| {
        let events = tickets::events(permit, ticket.id).await?;
        let (mail, ended) = taken_up_by(ticket, &events).map_err(|why| {
            let message = format!("{number} {why}; nothing was changed");
            Refusal::new(RefusalCode::WrongStatus, message).with_hint(format!(
                "where it is done all the same: tierdesk ticket status {number} resolved"
            ))
        })?;
        let from = mail.detail["from"].as_str().unwrap_or_default().to_owned();
        step(ticket, ended.status_before, permit.now())?;
        if ended.was_history == Some(true) {
            ticket.is_silent = true;
            ticket.clocks = Clocks::default();
        }
        ticket.clocks.resolution.met_at = ended.resolved_at;
        ticket.close_reason = ended.close_reason;
        Ok(Some(Did {
            kind: "dismissed",
            details: vec![("from", from), ("status", ended.status_before.to_string())],
        }))
    })
    .await
}
