//! What work on a ticket means for its pages.

use super::{Cause, acknowledge::take, consider, end};
use crate::{
    desk::{Desk, Error},
    paging::{PageKind, PageState},
    permit::{ChangesTickets, Permit},
    store::pages,
    tickets::Ticket,
};

/// Verbs by which somebody takes a ticket up.
const TAKES: &[&str] = &["assigned", "replied", "status", "snoozed"];

/// Brings the pages of a ticket in line with what was done to it, in the same unit of work. `kind` is the
/// verb, as the timeline has it.
pub(in crate::desk) async fn follow<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
    kind: &str,
) -> Result<(), Error> {
    let cause = match kind {
        "opened" => Some(Cause::Opened),
        "severity" => Some(Cause::Raised),
        "bound" => Some(Cause::Bound),
        "reopened" => Some(Cause::Reopened),
        _ => None,
    };
    if let Some(cause) = cause {
        return consider(desk, permit, &[ticket], cause).await;
    }
    let is_person = permit.role().is_some();
    let is_over = !ticket.status.is_active();
    if !is_person && !is_over {
        return Ok(());
    }
    for mut page in pages::list_standing_for(permit, ticket.id).await? {
        let is_one_of_many = page.kind == PageKind::Unverified && page.tickets > 1;
        if is_over && !is_one_of_many {
            end(
                permit,
                &mut page,
                &format!("the ticket is {}", ticket.status),
            )
            .await?;
        } else if is_over || TAKES.contains(&kind) {
            take(permit, &mut page, kind).await?;
        } else if page.state == PageState::Acknowledged {
            // An update: whoever has it is at it.
            page.next_at = page.plan.expiry(permit.now());
            pages::update(permit, &page).await?;
        }
    }
    Ok(())
}
