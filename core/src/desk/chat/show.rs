//! Tickets, as much of them as chat may see.

use super::super::{Desk, Error, tickets::not_found};
use crate::{
    disclosure::{self, DisclosedTicket, TicketFacts},
    discord::DiscordId,
    permit::{Actor, ReadDesk, Subject, UseChat, authorise},
    refusal::Refusal,
    staff::Role,
    store::{
        Tx, chat, customers, messages,
        tickets::{self, Filter},
    },
    tickets::{Direction, Ticket, TicketNumber},
};

/// Loads what could be shown of a ticket, and lets through what may be. Auditors see no bodies.
pub(super) async fn disclose(
    desk: &Desk,
    tx: &mut Tx,
    ticket: &Ticket,
    sees_bodies: bool,
) -> Result<DisclosedTicket, Error> {
    let tier = tier_of(desk, ticket);
    let customer = match ticket.customer_id {
        Some(id) => Some(customers::get(tx, id).await?),
        None => None,
    };
    let role = customer.as_ref().map(|customer| {
        let listed = customer
            .contacts
            .iter()
            .find(|contact| contact.address.as_str() == ticket.requester);
        listed
            .and_then(|contact| contact.role.clone())
            .unwrap_or_else(|| {
                if listed.is_some() {
                    "listed contact".to_owned()
                } else {
                    "not a listed contact".to_owned()
                }
            })
    });
    let text = if sees_bodies && disclosure::level(tier) >= crate::tiers::Disclosure::Excerpt {
        let written = messages::list_of_ticket(tx, ticket.id).await?;
        let first = written
            .into_iter()
            .find(|message| message.direction == Direction::In);
        first.map(|message| message.reply_text).unwrap_or_default()
    } else {
        String::new()
    };
    let names = tickets::staff_names(tx, ticket.assignee_id).await?;
    let clocks = ticket.clocks.report(tx.now());
    let response = [clocks.first_response, clocks.next_response]
        .into_iter()
        .find(|clock| clock.due.is_some() && clock.met_at.is_none());
    Ok(disclosure::ticket(&TicketFacts {
        number: ticket.number,
        tier,
        customer: customer
            .as_ref()
            .map(|customer| (customer.id, customer.name.as_str())),
        framework: ticket.framework.as_deref(),
        subject: &ticket.subject,
        text: &text,
        status: ticket.status,
        severity: ticket.severity,
        trust: ticket.trust,
        is_provisional: ticket.is_provisional,
        requester: &ticket.requester,
        requester_role: role.as_deref(),
        assignee: ticket
            .assignee_id
            .and_then(|id| names.get(&id))
            .map(String::as_str),
        due: response.and_then(|clock| clock.due),
        is_overdue: response.is_some_and(|clock| clock.missed),
    }))
}

/// The tier under which a ticket is shown.
pub(super) fn tier_of<'d>(desk: &'d Desk, ticket: &Ticket) -> Option<&'d crate::tiers::Tier> {
    ticket
        .tier
        .as_ref()
        .and_then(|slug| desk.catalogue.get(slug.as_str()))
}

/// One ticket.
pub async fn show_ticket(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
) -> Result<DisclosedTicket, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let sees_bodies = permit.role() != Some(Role::Auditor);
    let ticket = tickets::find_by_number(&mut permit, number).await?;
    let ticket = ticket.ok_or_else(|| not_found(number))?;
    disclose(desk, &mut permit, &ticket, sees_bodies).await
}

/// The queue, without what was written.
pub async fn list_tickets(
    desk: &Desk,
    actor: &Actor,
    filter: &Filter,
) -> Result<Vec<DisclosedTicket>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    if let Some(tier) = &filter.tier {
        let slug = tier.parse().map_err(|_| Refusal::not_found("tier", tier))?;
        desk.tier(&slug)?;
    }
    let mut shown = Vec::new();
    for listed in tickets::list(&mut permit, filter).await? {
        shown.push(disclose(desk, &mut permit, &listed.ticket, false).await?);
    }
    Ok(shown)
}

/// The queue of the actor's own tickets.
pub async fn list_my_tickets(
    desk: &Desk,
    actor: &Actor,
    filter: Filter,
) -> Result<Vec<DisclosedTicket>, Error> {
    let name = {
        let mut tx = desk.database.begin_read().await?;
        let permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
        let name = permit.actor().strip_prefix("staff:").map(str::to_owned);
        name.ok_or_else(|| Refusal::not_found("member of staff", "me"))?
    };
    let filter = Filter {
        assignee: Some(name),
        ..filter
    };
    list_tickets(desk, actor, &filter).await
}

/// Refuses whoever is nobody here.
pub async fn may_use(desk: &Desk, actor: &Actor) -> Result<(), Error> {
    let mut tx = desk.database.begin_read().await?;
    authorise(&mut tx, actor, UseChat, Subject::Desk).await?;
    Ok(())
}

/// The ticket that stands in this thread, where a command needs not name one.
pub async fn find_ticket_of_thread(
    desk: &Desk,
    actor: &Actor,
    thread: DiscordId,
) -> Result<Option<TicketNumber>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let Some(id) = chat::find_ticket_of_thread(&mut permit, thread).await? else {
        return Ok(None);
    };
    let ticket = tickets::find(&mut permit, id).await?;
    Ok(ticket.map(|ticket| ticket.number))
}

/// Refuses text for a ticket whose tier wants none typed in chat.
pub async fn may_take_text(desk: &Desk, actor: &Actor, number: TicketNumber) -> Result<(), Error> {
    let shown = show_ticket(desk, actor, number).await?;
    if shown.takes_text {
        Ok(())
    } else {
        Err(no_text(number).into())
    }
}

pub(super) fn no_text(number: TicketNumber) -> Refusal {
    let message = format!("text for {number} is not taken in chat, where it would be kept");
    Refusal::new(crate::refusal::RefusalCode::NotInChat, message)
        .with_hint(format!("in the terminal: tierdesk ticket note {number}"))
}
