//! The engine: goes through the steps of pages whose time has come. Any number of processes may run it;
//! a page is one engine's while its unit of work is open, and the instant of its next step is written in
//! the same one, so that a step is fired once however many look and whoever freezes.
//!
//! The next step is due at now plus its delay, never at the planned time plus it: after an outage each page
//! goes on by one step, and no storm follows.

use std::time::Duration;

use serde::Serialize;

use super::{
    Aim, Error,
    aim::{Aimed, aim, catch_all},
    begin_anew, end, note, write_notices,
};
use crate::{
    clock::Timestamp,
    desk::Desk,
    ids::{PageId, TicketId},
    paging::{Next, PageKind, PageState, Signal},
    permit::{Actor, KeepPages, Permit, RunPages, Subject, SystemRole, authorise},
    store::{
        pages::{self, BrokenPage, Page},
        tickets,
    },
    telemetry,
    tickets::Status,
};

/// Whoever runs the engine.
const WORKER: Actor = Actor::System(SystemRole::Worker);
/// Pages that are gone through in one unit of work.
const AT_ONCE: i64 = 50;
/// A page that could not be gone through is tried again behind this.
const STUCK_FOR: Duration = Duration::from_secs(30);
/// A catch-all that reached nobody is tried again behind this.
pub(super) const CATCH_ALL_AGAIN: Duration = Duration::from_mins(10);
/// A step that is due for longer was forgotten, or nobody runs the engine.
const OVERDUE: Duration = Duration::from_mins(2);

/// What the engine did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Pages that went on.
    pub pages: usize,
    /// Notices that were written.
    pub notices: usize,
    /// Pages that could not be gone through, and are tried again.
    pub stuck: usize,
    /// When something comes next.
    pub next_at: Option<Timestamp>,
}

/// Goes through the pages whose time has come; some of them, where there are many.
pub async fn advance(desk: &Desk) -> Result<Advanced, Error> {
    let mut done = Advanced::default();
    let mut tx = desk.database.begin_read().await?;
    let (next, now) = (pages::next_at(&mut tx).await?, tx.now());
    drop(tx);
    if next.is_none_or(|at| at > now) {
        done.next_at = next;
        return Ok(done);
    }
    let mut tx = desk.database.begin_read().await?;
    let due = pages::list_due(&mut tx, AT_ONCE).await?;
    drop(tx);
    for (id, ticket) in due {
        match go_on(desk, id, ticket).await {
            Ok(None) => {}
            Ok(Some(notices)) => {
                done.pages += 1;
                done.notices += notices;
            }
            // It must hold up no other.
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::error!(page.id = %id, error, "a page could not be gone through");
                done.stuck += 1;
                put_off(desk, id).await?;
            }
        }
    }
    let mut tx = desk.database.begin_read().await?;
    done.next_at = pages::next_at(&mut tx).await?;
    Ok(done)
}

/// One page in a unit of work of its own. Returns how many notices were written; nothing where another engine
/// has it. Its ticket is locked first, as everybody does who changes both.
async fn go_on(desk: &Desk, id: PageId, ticket: Option<TicketId>) -> Result<Option<usize>, Error> {
    let mut tx = desk.database.begin_write().await?;
    if let Some(ticket) = ticket {
        tickets::find_locked(&mut tx, ticket).await?;
    }
    let mut permit = authorise(&mut tx, &WORKER, RunPages, Subject::Desk).await?;
    let Some(page) = pages::take_due(&mut permit, id).await? else {
        return Ok(None);
    };
    let notices = turn(desk, &mut permit, page).await?;
    crate::fault::point("page.before_commit");
    tx.commit().await?;
    crate::fault::point("page.committed");
    Ok(Some(notices))
}

/// What could not be gone through is looked at again later; whoever watches is told ([`check`] finds it too).
async fn put_off(desk: &Desk, id: PageId) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WORKER, KeepPages, Subject::Desk).await?;
    let until = permit.now().plus(STUCK_FOR);
    pages::put_off(&mut permit, id, until).await?;
    tx.commit().await?;
    Ok(())
}

/// One page goes on. Returns how many notices were written.
async fn turn(
    desk: &Desk,
    permit: &mut Permit<'_, RunPages>,
    mut page: Page,
) -> Result<usize, Error> {
    if let Some(ending) = needless(permit, &page).await? {
        end(permit, &mut page, ending).await?;
        return Ok(0);
    }
    let mut details = Vec::new();
    if page.state == PageState::Acknowledged {
        if !owes_an_answer(permit, &page).await? {
            page.next_at = page.plan.expiry(permit.now(), page.due_at);
            pages::update(permit, &page).await?;
            return note(permit, &page, "page_rests", Vec::new())
                .await
                .map(|()| 0);
        }
        let by = begin_anew(permit, &mut page).await?;
        details.push(("expired", by.unwrap_or_default()));
        (page.round, page.step) = (0, 0);
    }
    let mut missed = Vec::new();
    let (aims, at) = loop {
        match page.plan.next(page.round, page.step) {
            Next::Fire { round, step } => {
                (page.round, page.step) = (round, step + 1);
                let Some(what) = page.plan.step(step).cloned() else {
                    continue;
                };
                let mut aimed = aim(desk, permit, &page, &what).await?;
                missed.append(&mut aimed.missed);
                if !aimed.aims.is_empty() {
                    page.state = PageState::Open;
                    // Whom only a webhook stands in for, nobody has called: the next are.
                    let wait = if aimed.is_short_of_people() {
                        Duration::ZERO
                    } else {
                        page.plan.wait_behind(step)
                    };
                    let at = permit.now().plus(wait);
                    page.next_at = Some(page.plan.in_hours(at, page.due_at));
                    break (aimed.aims, (round, step));
                }
            }
            Next::Exhaust => {
                let mut aimed = Aimed::default();
                catch_all(desk, permit, &page, &mut aimed).await?;
                missed.append(&mut aimed.missed);
                if aimed.aims.is_empty() {
                    page.state = PageState::Open;
                    page.next_at = Some(permit.now().plus(CATCH_ALL_AGAIN));
                } else {
                    page.state = PageState::Exhausted;
                    page.next_at = None;
                }
                break (aimed.aims, (page.round, page.step));
            }
        }
    };
    pages::update(permit, &page).await?;
    write_notices(permit, &page, at, Signal::Trigger, &aims, false).await?;
    details.extend(told(&page, at, &aims, &missed));
    let kind = match page.state {
        PageState::Exhausted => "page_exhausted",
        _ if aims.is_empty() => "page_reaches_nobody",
        _ => "paged",
    };
    if aims.is_empty() {
        tracing::error!(page.id = %page.id, "every step of a page is over, and the catch-all reaches nobody");
    }
    note(permit, &page, kind, details).await?;
    Ok(aims.len())
}

/// Why nobody needs to be called any more.
async fn needless(
    permit: &mut Permit<'_, RunPages>,
    page: &Page,
) -> Result<Option<&'static str>, Error> {
    if page.kind == PageKind::Test {
        return Ok(Some(match page.acknowledged_at {
            Some(_) => "it was answered",
            None => "nobody answered it within an hour",
        }));
    }
    let Some(id) = page.ticket_id else {
        return Ok(None);
    };
    if page.kind == PageKind::Unverified && page.tickets > 1 {
        let is_active = pages::count_active(permit, page.id, TicketId::default()).await? > 0;
        return Ok((!is_active).then_some("its tickets are over"));
    }
    let Some(ticket) = tickets::find(permit, id).await? else {
        return Ok(Some("its ticket is gone"));
    };
    if !ticket.status.is_active() {
        return Ok(Some("its ticket is over"));
    }
    let is_answered = ticket.clocks.first_response.met_at.is_some();
    if page.state == PageState::Waiting && is_answered && page.due_at > page.opened_at {
        return Ok(Some("it was answered before anybody had to be called"));
    }
    Ok(None)
}

/// Whether it is ours to answer: a ticket that sleeps, or waits for its customer, calls nobody again.
async fn owes_an_answer(permit: &mut Permit<'_, RunPages>, page: &Page) -> Result<bool, Error> {
    let ticket = match page.ticket_id {
        Some(id) if page.kind == PageKind::Ticket => tickets::find(permit, id).await?,
        _ => None,
    };
    Ok(ticket.is_none_or(|ticket| matches!(ticket.status, Status::New | Status::Open)))
}

/// Who was called and who was not, for the timeline.
fn told(
    page: &Page,
    (round, step): (i64, i64),
    aims: &[Aim],
    missed: &[String],
) -> Vec<(&'static str, String)> {
    let mut people: Vec<(String, Vec<&str>)> = Vec::new();
    for aim in aims {
        match people.iter_mut().find(|(name, _)| *name == aim.name) {
            Some((_, channels)) => channels.push(aim.channel.as_str()),
            None => people.push((aim.name.clone(), vec![aim.channel.as_str()])),
        }
    }
    let people: Vec<String> = people
        .into_iter()
        .map(|(name, channels)| format!("{name} ({})", channels.join(", ")))
        .collect();
    let mut details = Vec::new();
    if page.state != PageState::Exhausted && !aims.is_empty() {
        let at = format!("step {} of {}", step + 1, page.plan.steps.len());
        details.push(("step", at));
        if round > 0 {
            details.push(("round", (round + 1).to_string()));
        }
    }
    if !people.is_empty() {
        details.push(("to", people.join(", ")));
    }
    let mut reasons: Vec<&str> = Vec::new();
    for reason in missed {
        // A round that reached nobody says the same as the one before it.
        if !reasons.contains(&reason.as_str()) {
            reasons.push(reason);
        }
    }
    if !reasons.is_empty() {
        details.push(("not_reached", reasons.join("; ")));
    }
    details
}

/// Whether every page that is not over will reach somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Pages of which something is wrong, with what; none, or it is an alarm.
    pub broken: Vec<String>,
    /// Pages that nobody has.
    pub unanswered: i64,
}

/// Looks for pages that would reach nobody as they are.
pub async fn check(desk: &Desk) -> Result<Health, Error> {
    let mut tx = desk.database.begin_read().await?;
    let overdue = tx.now().minus(OVERDUE);
    let broken = pages::list_broken(&mut tx, overdue).await?;
    let unanswered = pages::count_unanswered(&mut tx).await?;
    let words = |broken: BrokenPage| format!("{}: {}", broken.id, broken.fault);
    Ok(Health {
        broken: broken.into_iter().map(words).collect(),
        unanswered,
    })
}
