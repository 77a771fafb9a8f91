//! A customer's open tickets follow when its tier or framework changes.

use super::super::{
    Desk, Error, chat,
    paging::{self, Cause},
    receive::Standing,
};
use crate::{
    customers::{Customer, matching::CustomerRef},
    permit::{ChangesTickets, Permit},
    store::{
        audit::Change,
        tickets::{self, NewEvent},
    },
};

impl Customer {
    /// As much of a customer as a ticket takes over.
    pub(in crate::desk) fn to_ref(&self) -> CustomerRef {
        CustomerRef {
            id: self.id,
            slug: self.slug.clone(),
            name: self.name.clone(),
            tier: self.tier.clone(),
            framework: self.framework.clone(),
            status: self.status,
            include_subdomains: self.include_subdomains,
        }
    }
}

/// Moves open tickets to the customer's new tier: framework, rank, priority and due times follow,
/// what was met stays met. Returns what to audit.
pub(in crate::desk) async fn retier<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    before: &Customer,
    after: &Customer,
) -> Result<Vec<Change>, Error> {
    if before.tier == after.tier && before.framework == after.framework {
        return Ok(Vec::new());
    }
    let (mut changes, mut events) = (Vec::new(), Vec::new());
    for mut ticket in tickets::list_active_of_locked(permit, after.id).await? {
        let standing = Standing::of(desk, Some(&after.to_ref()), ticket.severity)?;
        ticket.framework = standing.framework;
        ticket.tier_rank = standing.rank;
        ticket.priority = standing.priority;
        if let (Some(tier), false) = (standing.tier, ticket.is_silent) {
            ticket.clocks = ticket
                .clocks
                .restart(tier, ticket.severity, ticket.opened_at);
        }
        ticket.tier = standing.tier.map(|tier| tier.slug.clone());
        ticket.updated_at = permit.now();
        tickets::update(permit, &ticket).await?;
        ticket.version += 1;
        paging::consider(desk, permit, &[&ticket], Cause::Bound).await?;
        chat::post_later(desk, permit, &ticket).await?;
        let moved = format!("{} -> {}", before.tier, after.tier);
        changes.push(Change::to(format!("ticket:{}", ticket.number)).with("tier", &moved));
        events.push(NewEvent {
            id: permit.new_id(),
            ticket_id: ticket.id,
            at: permit.now(),
            actor: permit.actor().to_owned(),
            kind: "retiered",
            detail: serde_json::json!({ "tier": moved }),
        });
    }
    tickets::insert_events(permit, events).await?;
    Ok(changes)
}
