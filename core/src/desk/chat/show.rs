//! Tickets, as much of them as chat may see.

use std::collections::{BTreeSet, HashMap};

use super::super::{Desk, Error, tickets::not_found};
use crate::{
    clock::Timestamp,
    customers::Customer,
    disclosure::{self, DisclosedTicket, TicketFacts},
    discord::DiscordId,
    ids::{CustomerId, StaffId},
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
    let people = People::of(tx, std::slice::from_ref(ticket)).await?;
    let level = disclosure::ticket_level(tier_of(desk, ticket), people.has_conditions(ticket));
    let text = if sees_bodies && level >= crate::tiers::Disclosure::Excerpt {
        let written = messages::list_of_ticket(tx, ticket.id).await?;
        let first = written
            .into_iter()
            .find(|message| message.direction == Direction::In);
        first.map(|message| message.reply_text).unwrap_or_default()
    } else {
        String::new()
    };
    Ok(people.disclose(desk, ticket, &text, tx.now()))
}

/// What a page may say of a ticket: no more than chat may see, on whichever channel, and no body.
pub(in crate::desk) async fn disclosed(
    desk: &Desk,
    tx: &mut Tx,
    ticket: &Ticket,
) -> Result<DisclosedTicket, Error> {
    disclose(desk, tx, ticket, false).await
}

/// The customers and members of staff that some tickets name, read at once.
struct People {
    customers: HashMap<CustomerId, Customer>,
    staff: HashMap<StaffId, String>,
}

impl People {
    async fn of(tx: &mut Tx, tickets: &[Ticket]) -> Result<Self, Error> {
        let ids: BTreeSet<CustomerId> = tickets.iter().filter_map(|one| one.customer_id).collect();
        let ids: Vec<CustomerId> = ids.into_iter().collect();
        let found = customers::list_by_id(tx, &ids).await?;
        let staff: BTreeSet<StaffId> = tickets.iter().filter_map(|one| one.assignee_id).collect();
        Ok(Self {
            customers: found.into_iter().map(|one| (one.id, one)).collect(),
            staff: tickets::staff_names(tx, staff).await?,
        })
    }

    /// Whether the customer's contract asks something of whoever reads the ticket.
    fn has_conditions(&self, ticket: &Ticket) -> bool {
        let customer = ticket.customer_id.and_then(|id| self.customers.get(&id));
        customer.is_some_and(|customer| !customer.staff_attributes.is_empty())
    }

    fn disclose(
        &self,
        desk: &Desk,
        ticket: &Ticket,
        text: &str,
        now: Timestamp,
    ) -> DisclosedTicket {
        let customer = ticket.customer_id.and_then(|id| self.customers.get(&id));
        let role = customer.map(|customer| role_of(customer, &ticket.requester));
        let assignee = ticket.assignee_id.and_then(|id| self.staff.get(&id));
        let clocks = ticket.clocks.report(now);
        let response = [clocks.first_response, clocks.next_response]
            .into_iter()
            .find(|clock| clock.due.is_some() && clock.met_at.is_none());
        disclosure::ticket(&TicketFacts {
            number: ticket.number,
            tier: tier_of(desk, ticket),
            customer: customer.map(|customer| (customer.id, customer.name.as_str())),
            has_conditions: self.has_conditions(ticket),
            framework: ticket.framework.as_deref(),
            subject: &ticket.subject,
            text,
            status: ticket.status,
            severity: ticket.severity,
            trust: ticket.trust,
            is_provisional: ticket.is_provisional,
            requester: &ticket.requester,
            requester_role: role,
            assignee: assignee.map(String::as_str),
            due: response.and_then(|clock| clock.due),
            is_overdue: response.is_some_and(|clock| clock.missed),
            fixed_replies: fixed_replies(desk, ticket),
        })
    }
}

/// How many macros can be picked for this ticket where nothing is typed; none where no mail leaves.
fn fixed_replies(desk: &Desk, ticket: &Ticket) -> usize {
    if desk.mail_out.is_none() {
        return 0;
    }
    desk.macros.fixed_for(ticket.tier.as_ref()).count()
}

/// What the customer's directory says of an address.
fn role_of<'c>(customer: &'c Customer, address: &str) -> &'c str {
    let mut contacts = customer.contacts.iter();
    match contacts.find(|contact| contact.address.as_str() == address) {
        Some(contact) => contact.role.as_deref().unwrap_or("listed contact"),
        None => "not a listed contact",
    }
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
    let listed = tickets::list(&mut permit, filter).await?;
    let found: Vec<Ticket> = listed.into_iter().map(|one| one.ticket).collect();
    let people = People::of(&mut permit, &found).await?;
    let now = permit.now();
    Ok(found
        .iter()
        .map(|ticket| people.disclose(desk, ticket, "", now))
        .collect())
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
