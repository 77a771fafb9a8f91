//! Alarms: something is wrong with the desk itself, and whoever is told last is told. Each kind of fault has an alarm
//! of its own, so that one which somebody has hides no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{end, engine, note};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, oncall, watchdog},
    paging::{AlarmKind, PageKind, PageState, Plan, Signal, Target},
    permit::{Actor, Permit, RunPages, Subject, SystemRole, authorise},
    store::{
        Tx,
        pages::{self, Page, notices},
    },
    telemetry,
};

const WORKER: Actor = Actor::System(SystemRole::Worker);
/// An alarm that nobody takes is told again behind this, twice.
const AGAIN: Duration = Duration::from_mins(30);
/// One that somebody has, behind this; and one that nobody took.
const HELD: Duration = Duration::from_hours(4);

/// What was found wrong the last time somebody looked.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<AlarmKind, BTreeSet<String>>);

/// Looks at everything that can be wrong: calls the catch-all about what is so the second time running, and ends the
/// alarm of what is not so any more. What cannot be looked at holds up nothing else.
pub async fn look(desk: &Desk, seen: &mut Seen) {
    for kind in AlarmKind::ALL {
        if let Err(error) = look_at(desk, kind, seen).await {
            let error = telemetry::chain(&error);
            let alarm = kind.as_str();
            tracing::error!(alarm, error, "it cannot be looked whether this is wrong");
        }
    }
}

async fn look_at(desk: &Desk, kind: AlarmKind, seen: &mut Seen) -> Result<(), Error> {
    let now = faults(desk, kind).await?;
    let before = seen.0.insert(kind, now.clone()).unwrap_or_default();
    if now.is_empty() {
        return lift(desk, kind).await;
    }
    let (alarm, faults) = (kind.as_str(), join(&now));
    tracing::error!(alarm, faults, "something is wrong with the desk");
    let lasting: BTreeSet<String> = match kind {
        AlarmKind::Rota => now.intersection(&before).cloned().collect(),
        // What is said of them changes with the time.
        AlarmKind::Pages | AlarmKind::SelfTest if !before.is_empty() => now,
        AlarmKind::Pages | AlarmKind::SelfTest => BTreeSet::new(),
    };
    if !lasting.is_empty() {
        raise(desk, kind, &lasting).await?;
    }
    Ok(())
}

/// What is wrong: in words, or for the rota for whom nobody is on call.
async fn faults(desk: &Desk, kind: AlarmKind) -> Result<BTreeSet<String>, Error> {
    Ok(match kind {
        AlarmKind::Pages => match engine::check(desk).await?.broken.as_slice() {
            [] => BTreeSet::new(),
            broken @ [first, ..] => {
                tracing::error!(first, "a page will reach nobody as it is");
                let count = broken.len();
                BTreeSet::from([format!("{count} page(s) will reach nobody as they are")])
            }
        },
        AlarmKind::SelfTest => watchdog::fault(desk).await?.into_iter().collect(),
        AlarmKind::Rota => oncall::uncovered(desk).await?.into_iter().collect(),
    })
}

fn join(faults: &BTreeSet<String>) -> String {
    faults.iter().cloned().collect::<Vec<_>>().join(", ")
}

/// What an alarm of the rota begins with, before the names of those for whom nobody is on call.
const NOBODY: &str = "nobody is on call for ";

fn reason_of(kind: AlarmKind, faults: &BTreeSet<String>) -> String {
    match kind {
        AlarmKind::Rota => format!("{NOBODY}{}", join(faults)),
        AlarmKind::Pages | AlarmKind::SelfTest => join(faults),
    }
}

/// Whether an alarm says all of this already.
fn says(alarm: &Page, kind: AlarmKind, faults: &BTreeSet<String>) -> bool {
    let Some(names) = alarm.reason.strip_prefix(NOBODY) else {
        return kind != AlarmKind::Rota;
    };
    let names: BTreeSet<&str> = names.split(", ").collect();
    faults.iter().all(|fault| names.contains(fault.as_str()))
}

/// Calls the catch-all about this. Where it was called already it is not, but where nobody took that alarm for hours
/// after it was last told, and where the rota leaves somebody further to nobody. Returns whether it did.
pub async fn raise(desk: &Desk, kind: AlarmKind, faults: &BTreeSet<String>) -> Result<bool, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WORKER, RunPages, Subject::Desk).await?;
    for mut earlier in standing(&mut permit, kind).await? {
        let is_forgotten = earlier.state == PageState::Exhausted
            && last_told(&mut permit, &earlier).await?.plus(HELD) <= permit.now();
        if !is_forgotten && says(&earlier, kind, faults) {
            return Ok(false);
        }
        end(&mut permit, &mut earlier, "it is told anew").await?;
    }
    let now = permit.now();
    let plan = Plan {
        repeat: 2,
        ack_expires: Some(HELD.as_secs()),
        ..Plan::at_once("alarm", Target::CatchAll, AGAIN)
    };
    let reason = reason_of(kind, faults);
    let page = Page {
        schedule: kind.as_str().to_owned(),
        reason: reason.clone(),
        ..Page::new(permit.new_id(), PageKind::Alarm, plan, (now, now))
    };
    pages::insert_many(&mut permit, vec![page.clone()]).await?;
    note(&mut permit, &page, "alarm", vec![("reason", reason)]).await?;
    permit.wake_workers();
    tx.commit().await?;
    Ok(true)
}

/// The alarms of a kind that are not over, held until the unit of work ends: of several processes one at a time looks
/// at them, and whoever acknowledges one waits.
async fn standing(permit: &mut Permit<'_, RunPages>, kind: AlarmKind) -> Result<Vec<Page>, Error> {
    pages::hold_budget(permit).await?;
    let mut held = Vec::new();
    for page in pages::list_alarms(permit, kind).await? {
        let page = pages::find_locked(permit, page.id).await?;
        held.extend(page.filter(|page| page.state != PageState::Resolved));
    }
    Ok(held)
}

/// When somebody was last called about it.
async fn last_told(tx: &mut Tx, page: &Page) -> Result<Timestamp, Error> {
    let notices = notices::list_of_page(tx, page.id).await?;
    let triggers = notices
        .iter()
        .filter(|notice| notice.signal == Signal::Trigger);
    let last = triggers.map(|notice| notice.created_at).max();
    Ok(last.unwrap_or(page.opened_at))
}

/// What was wrong is not any more.
pub async fn lift(desk: &Desk, kind: AlarmKind) -> Result<(), Error> {
    let mut tx = desk.database.begin_read().await?;
    if pages::list_alarms(&mut tx, kind).await?.is_empty() {
        return Ok(());
    }
    drop(tx);
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WORKER, RunPages, Subject::Desk).await?;
    for mut page in standing(&mut permit, kind).await? {
        end(&mut permit, &mut page, "what was wrong is not any more").await?;
    }
    tx.commit().await?;
    Ok(())
}
