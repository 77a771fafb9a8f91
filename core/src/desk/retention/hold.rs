//! Legal holds: while one is set, nothing of its customer or ticket is removed.

use serde::Serialize;

use crate::{
    desk::{Desk, Error, customers, tickets::not_found},
    ids::HoldId,
    permit::{Actor, PlanRetention, SetHold, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        audit::{self, Change},
        retention::{self, Hold},
        tickets,
    },
    tickets::TicketNumber,
};

/// What a hold is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum HeldThing {
    /// A customer with everything of theirs.
    Customer(String),
    /// One ticket.
    Ticket(TicketNumber),
}

/// Every hold, lifted ones too.
pub async fn holds(desk: &Desk, actor: &Actor) -> Result<Vec<Hold>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, PlanRetention, Subject::Desk).await?;
    Ok(retention::holds(&mut permit).await?)
}

/// Keeps a customer or a ticket from being removed.
pub async fn hold(
    desk: &Desk,
    actor: &Actor,
    what: HeldThing,
    reason: &str,
) -> Result<Hold, Error> {
    let reason = reason_of(reason)?;
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, SetHold, Subject::Desk).await?;
    let (customer, ticket, subject) = match what {
        HeldThing::Customer(slug) => {
            let customer = customers::get(&mut permit, &slug).await?;
            (Some(customer.id), None, format!("customer:{slug}"))
        }
        HeldThing::Ticket(number) => {
            let ticket = tickets::find_by_number(&mut permit, number).await?;
            let ticket = ticket.ok_or_else(|| not_found(number))?;
            (None, Some(ticket.id), format!("ticket:{number}"))
        }
    };
    let id = retention::insert_hold(&mut permit, customer, ticket, reason).await?;
    let change = Change::to(subject)
        .with("hold", id.to_string())
        .with("reason", reason);
    audit::append(&mut permit, vec![change]).await?;
    let set = find(retention::holds(&mut permit).await?, id)?;
    tx.commit().await?;
    Ok(set)
}

/// Lifts a hold.
pub async fn lift(desk: &Desk, actor: &Actor, id: HoldId, reason: &str) -> Result<Hold, Error> {
    let reason = reason_of(reason)?;
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, SetHold, Subject::Desk).await?;
    let before = find(retention::holds(&mut permit).await?, id)?;
    if !retention::lift(&mut permit, id, reason).await? {
        let message = "it was lifted before; nothing was changed";
        return Err(Refusal::new(RefusalCode::WrongStatus, message).into());
    }
    let subject = match (&before.customer, before.ticket) {
        (Some(slug), _) => format!("customer:{slug}"),
        (None, Some(number)) => format!("ticket:{number}"),
        (None, None) => "desk".to_owned(),
    };
    let change = Change::to(subject)
        .with("lifted", id.to_string())
        .with("reason", reason);
    audit::append(&mut permit, vec![change]).await?;
    let lifted = find(retention::holds(&mut permit).await?, id)?;
    tx.commit().await?;
    Ok(lifted)
}

fn find(holds: Vec<Hold>, id: HoldId) -> Result<Hold, Refusal> {
    let mut holds = holds.into_iter();
    holds
        .find(|one| one.id == id)
        .ok_or_else(|| Refusal::not_found("hold", id).with_hint("tierdesk retention holds"))
}

fn reason_of(reason: &str) -> Result<&str, Refusal> {
    match reason.trim() {
        "" => Err(Refusal::new(
            RefusalCode::Empty,
            "a hold has a reason; nothing was changed",
        )),
        reason => Ok(reason),
    }
}
