//! One verb for many tickets. They are looked at first, and what was shown is what is done: each ticket is a
//! unit of work of its own, and one that changed since is left alone.

use serde::Serialize;

use super::{
    Desk, Error,
    reading::Reader,
    search::{self, Request},
    tickets::{TicketReport, not_found, reports},
    work_ticket::{
        assign_in, close_in, mark_spam_in, set_severity_in, set_status_in, snooze_in, tag_in,
    },
};
use crate::{
    clock::Timestamp,
    named::named_enum,
    permit::{Actor, ReadDesk, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    search::Query,
    store::{Tx, search::Sort, tickets},
    telemetry,
    tickets::{CloseReason, Status, TicketNumber},
    tiers::Severity,
};

/// So many tickets at once, at most.
pub const MOST: usize = 500;

/// Which tickets.
#[derive(Clone, Debug)]
pub enum Which {
    /// These.
    Numbers(Vec<TicketNumber>),
    /// What a search finds, the newest first.
    Where(Query),
}

/// What is done to each.
#[derive(Clone, Debug)]
pub enum Verb {
    /// Ends it.
    Close(CloseReason),
    /// Sets it aside as spam.
    Spam,
    /// Adds tags, and takes others away.
    Tag(Vec<String>, Vec<String>),
    /// Gives it to somebody.
    Assign(String),
    /// Changes how bad it is.
    Severity(Severity),
    /// Moves it along.
    Status(Status),
    /// Has it sleep.
    Snooze(Timestamp),
}

/// A ticket as it was shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The ticket.
    pub ticket: TicketReport,
    version: i64,
}

/// The tickets that are meant.
#[derive(Clone, Debug)]
pub struct Preview {
    /// In the order in which they are worked.
    pub tickets: Vec<Shown>,
    /// How many there are; more than those where the limit cuts.
    pub total: usize,
}

named_enum! {
    /// What became of one ticket.
    pub enum BulkOutcome as "outcome" {
        /// It was changed.
        Done = "done",
        /// It was as asked already.
        Unchanged = "unchanged",
        /// It was not changed; the message says why.
        Refused = "refused",
        /// It could not be changed now; the others were not tried.
        Failed = "failed",
    }
}

/// One ticket's part in it.
#[derive(Clone, Debug, Serialize)]
pub struct BulkResult {
    /// The ticket.
    pub number: TicketNumber,
    /// What became of it.
    pub outcome: BulkOutcome,
    /// Why, where it was not changed.
    pub message: Option<String>,
}

/// The tickets that are meant, at most `limit`. Changes nothing.
pub async fn preview(
    desk: &Desk,
    actor: &Actor,
    which: Which,
    limit: usize,
) -> Result<Preview, Error> {
    if limit == 0 || limit > MOST {
        let refusal = Refusal::invalid(format!("1 to {MOST} tickets at once; nothing was changed"));
        return Err(refusal.into());
    }
    let (numbers, total) = match which {
        Which::Numbers(mut numbers) => {
            let mut seen = std::collections::HashSet::new();
            numbers.retain(|number| seen.insert(*number));
            let total = numbers.len();
            if total > limit {
                let message = format!("{total} tickets are more than {limit}; nothing was changed");
                return Err(Refusal::invalid(message)
                    .with_hint("name fewer at once")
                    .into());
            }
            (numbers, total)
        }
        Which::Where(query) => {
            let sort = Sort::Newest;
            let found = search::search(desk, actor, Request { query, sort, limit }).await?;
            let numbers = found.tickets.iter().map(|hit| hit.ticket.number);
            (numbers.collect(), found.total)
        }
    };
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let reader = Reader::of(&mut permit).await?;
    let listed = tickets::list_of_numbers(&mut permit, &numbers).await?;
    let is_there = |number: &&TicketNumber| listed.iter().all(|one| one.ticket.number != **number);
    if let Some(missing) = numbers.iter().find(is_there) {
        return Err(not_found(*missing).into());
    }
    let versions: Vec<i64> = listed.iter().map(|one| one.ticket.version).collect();
    let reports = reports(desk, &mut permit, &reader, listed).await?;
    let shown = reports.into_iter().zip(versions);
    Ok(Preview {
        tickets: shown
            .map(|(ticket, version)| Shown { ticket, version })
            .collect(),
        total,
    })
}

/// Does it to each ticket that was shown. A refusal of one does not stop the others; a fault does.
pub async fn run(desk: &Desk, actor: &Actor, verb: &Verb, shown: &[Shown]) -> Vec<BulkResult> {
    let mut results = Vec::with_capacity(shown.len());
    let mut failed: Option<TicketNumber> = None;
    for one in shown {
        let number = one.ticket.number;
        let (outcome, message) = match failed {
            Some(first) => {
                let message = format!("not tried, since {first} failed");
                (BulkOutcome::Refused, Some(message))
            }
            None => match change(desk, actor, verb, one).await {
                Ok(true) => (BulkOutcome::Done, None),
                Ok(false) => (BulkOutcome::Unchanged, None),
                Err(Error::Refused(refusal)) => (BulkOutcome::Refused, Some(refusal.message)),
                Err(fault) => {
                    let message = telemetry::chain(&fault);
                    tracing::error!(%number, error = %message, "a ticket could not be changed");
                    failed = Some(number);
                    (BulkOutcome::Failed, Some(message))
                }
            },
        };
        results.push(BulkResult {
            number,
            outcome,
            message,
        });
    }
    results
}

/// One ticket. Answers whether anything changed.
async fn change(desk: &Desk, actor: &Actor, verb: &Verb, shown: &Shown) -> Result<bool, Error> {
    let number = shown.ticket.number;
    let mut tx = desk.database.begin_write().await?;
    let is_as_shown = version(&mut tx, number).await? == Some(shown.version);
    if !is_as_shown {
        let message = format!("{number} changed since it was shown; look at it again");
        return Err(Refusal::new(RefusalCode::Changed, message).into());
    }
    let unit = &mut tx;
    match verb {
        Verb::Close(reason) => close_in(desk, unit, actor, number, *reason).await?,
        Verb::Spam => mark_spam_in(desk, unit, actor, number).await?,
        Verb::Tag(add, remove) => tag_in(desk, unit, actor, number, add, remove).await?,
        Verb::Assign(who) => assign_in(desk, unit, actor, number, who).await?,
        Verb::Severity(severity) => set_severity_in(desk, unit, actor, number, *severity).await?,
        Verb::Status(status) => set_status_in(desk, unit, actor, number, *status).await?,
        Verb::Snooze(until) => snooze_in(desk, unit, actor, number, *until).await?,
    };
    let has_changed = version(&mut tx, number).await? != Some(shown.version);
    tx.commit().await?;
    Ok(has_changed)
}

/// The version of a ticket, which stays locked until the unit of work ends.
async fn version(tx: &mut Tx, number: TicketNumber) -> Result<Option<i64>, Error> {
    let ticket = tickets::find_by_number_locked(tx, number).await?;
    Ok(ticket.map(|ticket| ticket.version))
}
