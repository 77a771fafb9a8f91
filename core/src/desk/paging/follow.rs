//! What work on a ticket means for its pages.

use super::{Cause, acknowledge::take, consider, end, note, quieten};
use crate::{
    desk::{Desk, Error},
    ids::TicketId,
    paging::{PageKind, PageState, Signal},
    permit::{ChangesTickets, Permit},
    store::pages::{self, Page},
    tickets::Ticket,
};

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
        // Of two tickets either may have a page already.
        "severity" | "merged" | "split" => Some(Cause::Raised),
        "bound" => Some(Cause::Bound),
        "reopened" => Some(Cause::Reopened),
        _ => None,
    };
    if let Some(cause) = cause {
        consider(desk, permit, &[ticket], cause).await?;
    }
    let is_over = !ticket.status.is_active();
    let me = permit.staff();
    let takes = match kind {
        // Given to somebody else, it waits for them, and they are called.
        "assigned" => me.is_some() && ticket.assignee_id == me,
        "replied" | "status" | "snoozed" => permit.role().is_some(),
        _ => false,
    };
    for mut page in pages::list_standing_for(permit, ticket.id).await? {
        let is_shared = page.kind == PageKind::Unverified && page.tickets > 1;
        let leaves = is_over || (cause == Some(Cause::Bound) && page.kind == PageKind::Unverified);
        let others = if is_shared && (leaves || takes) {
            pages::count_active(permit, page.id, ticket.id).await?
        } else {
            0
        };
        if leaves && others == 0 {
            let ending = if is_over {
                format!("the ticket is {}", ticket.status)
            } else {
                "it is known whose it is".to_owned()
            };
            end(permit, &mut page, &ending).await?;
        } else if takes && others == 0 {
            take(permit, &mut page, kind).await?;
        } else if permit.role().is_some() && page.state == PageState::Acknowledged {
            // An update: somebody is at it.
            page.next_at = page.plan.expiry(permit.now(), page.due_at);
            pages::update(permit, &page).await?;
        }
    }
    Ok(())
}

/// The page of a ticket that somebody has.
pub(in crate::desk) async fn held<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: TicketId,
) -> Result<Option<Page>, Error> {
    let standing = pages::list_standing_for(permit, ticket).await?;
    let mut own = standing
        .into_iter()
        .filter(|page| page.kind == PageKind::Ticket && page.state == PageState::Acknowledged);
    Ok(own.next())
}

/// A ticket takes another one in: whoever had that one's page has this one's, unless it is the worse of both.
pub(in crate::desk) async fn carry_over<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    from: &Page,
    to: TicketId,
) -> Result<(), Error> {
    for mut page in pages::list_standing_for(permit, to).await? {
        let is_free = page.kind == PageKind::Ticket && page.state != PageState::Acknowledged;
        if !is_free || page.severity < from.severity {
            continue;
        }
        page.state = PageState::Acknowledged;
        page.acknowledged_at = Some(permit.now());
        page.acknowledged_by.clone_from(&from.acknowledged_by);
        page.acknowledged_via = Some("merge".to_owned());
        page.next_at = page.plan.expiry(permit.now(), page.due_at);
        pages::update(permit, &page).await?;
        quieten(permit, &page, Signal::Acknowledge).await?;
        let by = page.acknowledged_by.clone().unwrap_or_default();
        let details = vec![("via", "merge".to_owned()), ("by", by)];
        note(permit, &page, "page_acknowledged", details).await?;
    }
    Ok(())
}
