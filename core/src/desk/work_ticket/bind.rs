//! Triage has an exit: saying whose ticket it is, and teaching the directory for next time.

use super::{Did, change_ticket};
use crate::{
    customers::{Contact, Customer, EmailAddress},
    desk::{
        Desk, Error,
        customers::{check_contacts, check_domains, get_to_change},
        receipt,
        receive::Standing,
        retention::check_ticket_hold,
        tickets::TicketReport,
    },
    permit::{Actor, BindTicket, Permit},
    refusal::Refusal,
    store::{
        audit::{self, Change},
        blobs, customers, messages,
    },
    tickets::{Ticket, TicketNumber},
    trust::SenderTrust,
};

/// What binding teaches the directory.
#[derive(Clone, Copy, Debug, Default)]
pub struct BindOptions {
    /// The requester becomes a contact of the customer.
    pub adds_contact: bool,
    /// The requester's domain becomes the customer's.
    pub adds_domain: bool,
}

/// Binds a ticket to a customer: tier, framework, priority and due times follow, and so do its
/// messages and their stored bytes.
pub async fn bind(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    slug: &str,
    options: BindOptions,
) -> Result<TicketReport, Error> {
    change_ticket(desk, actor, BindTicket, number, async |permit, ticket| {
        let customer = get_to_change(permit, slug).await?;
        let mut details = vec![("customer", customer.slug.to_string())];
        details.extend(teach(desk, permit, ticket, &customer, options).await?);
        let is_bound = ticket.customer_id == Some(customer.id);
        let confirms = std::mem::take(&mut ticket.is_provisional) && is_bound;
        if is_bound && details.len() == 1 && !confirms {
            return Ok(None);
        }
        if confirms {
            ticket.trust_reasons.push(format!(
                "confirmed as {}'s by {}",
                customer.slug,
                permit.actor()
            ));
        }
        if !is_bound {
            if ticket.customer_id.is_some() {
                check_ticket_hold(permit, ticket.id, number).await?;
            }
            let standing = Standing::of(desk, Some(&customer.to_ref()), ticket.severity)?;
            ticket.framework = standing.framework;
            ticket.tier_rank = standing.rank;
            ticket.priority = standing.priority;
            if let (Some(tier), false) = (standing.tier, ticket.is_silent) {
                ticket.clocks = ticket
                    .clocks
                    .restart(tier, ticket.severity, ticket.opened_at);
            }
            ticket.tier = standing.tier.map(|tier| tier.slug.clone());
            ticket.customer_id = Some(customer.id);
            ticket.is_provisional = false;
            ticket
                .trust_reasons
                .push(format!("bound to {} by {}", customer.slug, permit.actor()));
            messages::bind_to_customer(permit, ticket.id, ticket.customer_id).await?;
            blobs::move_ticket_content(permit, ticket.id, ticket.customer_id).await?;
        }
        receipt::later(desk, permit, ticket).await?;
        Ok(Some(Did {
            kind: "bound",
            details,
        }))
    })
    .await
}

/// Puts the requester, or their domain, into the directory.
async fn teach(
    desk: &Desk,
    permit: &mut Permit<'_, BindTicket>,
    ticket: &Ticket,
    customer: &Customer,
    options: BindOptions,
) -> Result<Vec<(&'static str, String)>, Error> {
    let mut taught = Vec::new();
    if !options.adds_contact && !options.adds_domain {
        return Ok(taught);
    }
    if ticket.trust == SenderTrust::Contradicted {
        let message = format!(
            "something speaks against the sender of {} ({}); the directory was not changed",
            ticket.number,
            ticket.trust_reasons.join("; ")
        );
        let hint = format!(
            "bind it without --add-contact and --add-domain; if you are sure of the sender: \
             tierdesk customer contact add {} {}",
            customer.slug, ticket.requester
        );
        return Err(Refusal::invalid(message).with_hint(hint).into());
    }
    let requester: EmailAddress = ticket.requester.parse().map_err(|_| {
        Refusal::invalid(format!(
            "the requester {:?} is not a mail address",
            ticket.requester
        ))
        .with_hint("bind it without --add-contact and --add-domain")
    })?;
    let subject = format!("customer:{}", customer.slug);
    if options.adds_contact
        && customer
            .contacts
            .iter()
            .all(|known| known.address != requester)
    {
        let name = ticket.requester_name.clone();
        let contact = Contact {
            id: permit.new_id(),
            address: requester.clone(),
            name,
            role: None,
        };
        check_contacts(permit, customer, std::slice::from_ref(&contact)).await?;
        customers::insert_contacts(permit, customer.id, vec![contact]).await?;
        let change = Change::to(subject.clone()).with("contact", requester.as_str());
        audit::append(permit, vec![change]).await?;
        taught.push(("added contact", requester.to_string()));
    }
    let domain = requester.domain();
    if options.adds_domain && !customer.domains.contains(&domain) {
        check_domains(desk, permit, customer, std::slice::from_ref(&domain), false).await?;
        customers::insert_domains(permit, customer.id, std::slice::from_ref(&domain)).await?;
        let change = Change::to(subject).with("added", domain.as_str());
        audit::append(permit, vec![change]).await?;
        taught.push(("added domain", domain.to_string()));
    }
    Ok(taught)
}
