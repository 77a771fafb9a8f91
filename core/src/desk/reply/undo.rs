//! Taking an answer back before it leaves.

use super::{Before, Undone};
use crate::{
    desk::{
        Desk, Error,
        work_ticket::{Did, change_ticket_in},
    },
    jobs::JobKind,
    outgoing::OutgoingState,
    permit::{Actor, SendReply},
    refusal::{Refusal, RefusalCode},
    store::{
        StoreError, Tx, jobs, messages,
        outgoing::{self, Outgoing},
    },
    tickets::TicketNumber,
};

/// Takes the last answer on a ticket back, if none of it has left.
pub async fn undo(desk: &Desk, actor: &Actor, number: TicketNumber) -> Result<Undone, Error> {
    let mut tx = desk.database.begin_write().await?;
    let undone = undo_in(desk, &mut tx, actor, number, None).await?;
    tx.commit().await?;
    Ok(undone)
}

/// The same inside a unit of work that the caller commits. With a `version`, the last answer must be the one
/// that made the ticket this version: nobody takes back what a colleague wrote after them.
pub(in crate::desk) async fn undo_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    number: TicketNumber,
    version: Option<i64>,
) -> Result<Undone, Error> {
    let mut outcome = (String::new(), false);
    let ticket = change_ticket_in(
        desk,
        tx,
        actor,
        SendReply,
        number,
        async |permit, ticket| {
            let last = outgoing::last_reply(permit, ticket.id).await?;
            let Some(reply) = last else {
                let refusal = Refusal::not_found("answer to take back on", number);
                return Err(refusal.into());
            };
            if version.is_some_and(|version| version != reply.ticket_version) {
                let message =
                    format!("that answer on {number} is not the last one, or was taken back");
                return Err(Refusal::new(RefusalCode::Changed, message).into());
            }
            let letters = outgoing::of_message(permit, reply.message_id).await?;
            let is_here = |letter: &Outgoing| {
                letter.attempts == 0
                    && matches!(letter.state, OutgoingState::Waiting | OutgoingState::Held)
            };
            let has_held = letters.iter().any(|one| one.state == OutgoingState::Held);
            if !letters.iter().all(is_here) || (permit.now() >= reply.leave_at && !has_held) {
                let message =
                    format!("the last answer on {number} has left and cannot be taken back");
                return Err(Refusal::new(RefusalCode::WrongStatus, message).into());
            }
            let message = messages::find(permit, reply.message_id).await?;
            let text = message.map(|message| message.body).unwrap_or_default();
            let findings = vec!["an answer that was taken back before it left".to_owned()];
            outgoing::undo(permit, reply.message_id, &findings).await?;
            for letter in &letters {
                let key = letter.id.to_string();
                jobs::finish_by_key(permit, JobKind::SendMail.as_str(), &key).await?;
            }
            let is_restored = ticket.version == reply.ticket_version;
            if is_restored {
                let before: Before =
                    serde_json::from_str(&reply.ticket_before).map_err(|fault| {
                        let detail = format!("{}: {fault}", reply.message_id);
                        StoreError::Inconsistent {
                            table: "replies",
                            detail,
                        }
                    })?;
                before.restore(ticket);
            }
            outcome = (text, is_restored);
            Ok(Some(Did {
                kind: "undone",
                details: vec![("restored", is_restored.to_string())],
            }))
        },
    )
    .await?;
    let (text, is_restored) = outcome;
    Ok(Undone {
        ticket,
        text,
        is_restored,
    })
}
