//! Who takes part in a ticket: who may write to it from outside the customer, and who gets our answers.

use super::{Did, change_ticket};
use crate::{
    customers::EmailAddress,
    desk::{Desk, Error, tickets::TicketReport},
    permit::{Actor, ChangeParticipants},
    refusal::Refusal,
    store::tickets::{self, NewParticipant},
    tickets::{ParticipantRole, TicketNumber},
};

/// Lets somebody take part, of the customer or not: a person decides that.
pub async fn add_participant(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    address: EmailAddress,
    name: Option<String>,
) -> Result<TicketReport, Error> {
    change_ticket(
        desk,
        actor,
        ChangeParticipants,
        number,
        async |permit, ticket| {
            if desk.own_address.as_ref() == Some(&address) {
                let refusal = Refusal::invalid(format!("{address} is our own address"));
                return Err(refusal.into());
            }
            let listed = tickets::participants(permit, [ticket.id]).await?;
            let text = address.as_str().to_owned();
            if listed.values().flatten().any(|known| *known == text) {
                return Ok(None);
            }
            let participant = NewParticipant {
                ticket_id: ticket.id,
                address: text.clone(),
                name,
                role: ParticipantRole::Added,
                added_at: permit.now(),
            };
            tickets::insert_participants(permit, vec![participant]).await?;
            Ok(Some(Did {
                kind: "participant",
                details: vec![("added", text)],
            }))
        },
    )
    .await
}

/// Has somebody take part no longer. Whoever opened the ticket stays.
pub async fn remove_participant(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    address: &EmailAddress,
) -> Result<TicketReport, Error> {
    change_ticket(
        desk,
        actor,
        ChangeParticipants,
        number,
        async |permit, ticket| {
            if ticket.requester == address.as_str() {
                let refusal = Refusal::invalid(format!("{number} is {address}'s own ticket"));
                return Err(refusal.into());
            }
            if !tickets::delete_participant(permit, ticket.id, address.as_str()).await? {
                let what = format!("participant of {number} called");
                return Err(Refusal::not_found(&what, address).into());
            }
            Ok(Some(Did {
                kind: "participant",
                details: vec![("removed", address.to_string())],
            }))
        },
    )
    .await
}
