//! The desk as chat sees it. Everything here answers with what may be shown there
//! ([`crate::disclosure`]): the bot gets no ticket, customer or refusal in full.
//!
//! To add something that chat can do: a use case here or in `work_ticket` that asks for its own
//! right, and a place in the bot's router.

pub mod bot_lease;
mod customers;
mod onboarding;
mod oncall;
mod post;
mod press;
mod reply;
mod show;

pub use customers::{bind_ticket, list_customers, search_customers, show_customer};
pub use onboarding::{
    RunToPost, approve_run, list_runs, plan_run, resume_run, run_to_post, show_run, start_run,
};
pub use oncall::{OpenPage, list_pages};
pub use post::{
    ToPost, begin_post, find_fact, fresh_handles, record_post, retire_post, set_fact, to_post,
};
pub use press::{Input, Pressed, ask_note, press};
pub use reply::FixedReply;
pub use show::{
    find_ticket_of_thread, list_my_tickets, list_tickets, may_take_text, may_use, show_ticket,
};

pub(super) use post::{NewHandle, insert_handle};
pub(super) use show::disclosed;

use super::{Desk, Error};
use crate::{
    jobs::{JobKind, NewJob},
    permit::{ChangesTickets, Permit},
    store::jobs,
    tickets::Ticket,
};

/// Brings the ticket's post in line with it once this commits. Nothing where there is no chat, and
/// for tickets made from history.
///
/// One job a version: a job that runs already may have read the version before.
pub(super) async fn post_later<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
) -> Result<(), Error> {
    if !desk.has_chat || ticket.is_silent {
        return Ok(());
    }
    let payload = serde_json::json!({ "ticket": ticket.id });
    let lane = format!("post:{}", ticket.id);
    // What is shown may be too much now: it must not stand until an earlier try's wait is over.
    jobs::hasten(permit, &lane).await?;
    let job = NewJob {
        lane: Some(lane),
        dedup_key: Some(format!("{}:{}", ticket.id, ticket.version)),
        ..NewJob::new(JobKind::PostTicket, payload)
    };
    jobs::enqueue(permit, job).await?;
    Ok(())
}
