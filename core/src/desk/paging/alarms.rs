//! Alarms: something is wrong with the desk itself, and whoever is told last is told. Each kind of fault has an alarm
//! of its own, so that one which somebody has hides no other.

use std::{collections::BTreeSet, time::Duration};

use super::{end, engine, note};
use crate::{
    desk::{Desk, Error, oncall, watchdog},
    paging::{AlarmKind, PageKind, PageState, Plan, Target},
    permit::{Actor, RunPages, Subject, SystemRole, authorise},
    store::pages::{self, Page},
    telemetry,
};

const WORKER: Actor = Actor::System(SystemRole::Worker);
/// An alarm that nobody takes is told again behind this, twice.
const AGAIN: Duration = Duration::from_mins(30);
/// One that somebody has, behind this; and one that nobody took.
const HELD: Duration = Duration::from_hours(4);

/// What was found wrong the last time somebody looked.
#[derive(Debug, Default)]
pub struct Seen(BTreeSet<AlarmKind>);

/// Looks at everything that can be wrong: calls the catch-all about what is so the second time running, and ends the
/// alarm of what is not so any more. What cannot be looked at holds up nothing else.
pub async fn look(desk: &Desk, seen: &mut Seen) {
    for kind in AlarmKind::ALL {
        if let Err(error) = look_at(desk, kind, seen).await {
            let error = telemetry::chain(&error);
            tracing::error!(
                alarm = kind.as_str(),
                error,
                "it cannot be looked whether this is wrong"
            );
        }
    }
}

async fn look_at(desk: &Desk, kind: AlarmKind, seen: &mut Seen) -> Result<(), Error> {
    let Some(reason) = fault(desk, kind).await? else {
        seen.0.remove(&kind);
        return lift(desk, kind).await;
    };
    tracing::error!(
        alarm = kind.as_str(),
        reason,
        "something is wrong with the desk"
    );
    if !seen.0.insert(kind) {
        raise(desk, kind, &reason).await?;
    }
    Ok(())
}

/// What is wrong.
async fn fault(desk: &Desk, kind: AlarmKind) -> Result<Option<String>, Error> {
    Ok(match kind {
        AlarmKind::Pages => match engine::check(desk).await?.broken.as_slice() {
            [] => None,
            broken @ [first, ..] => {
                tracing::error!(first, "a page will reach nobody as it is");
                let count = broken.len();
                Some(format!("{count} page(s) will reach nobody as they are"))
            }
        },
        AlarmKind::SelfTest => watchdog::fault(desk).await?,
        AlarmKind::Rota => match oncall::uncovered(desk).await?.join(", ") {
            empty if empty.is_empty() => None,
            names => Some(format!("nobody is on call for {names}")),
        },
    })
}

/// Calls the catch-all about this. Where it was called already it is not, but for an alarm that nobody took for hours,
/// and one that says another thing of the rota by now. Returns whether it did.
pub async fn raise(desk: &Desk, kind: AlarmKind, reason: &str) -> Result<bool, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WORKER, RunPages, Subject::Desk).await?;
    let now = permit.now();
    for mut earlier in pages::list_alarms(&mut permit, kind).await? {
        let is_forgotten =
            earlier.state == PageState::Exhausted && now.since(earlier.opened_at) >= HELD;
        let is_another = kind == AlarmKind::Rota && earlier.reason != reason;
        if !is_forgotten && !is_another {
            return Ok(false);
        }
        end(&mut permit, &mut earlier, "it is told anew").await?;
    }
    let plan = Plan {
        repeat: 2,
        ack_expires: Some(HELD.as_secs()),
        ..Plan::at_once("alarm", Target::CatchAll, AGAIN)
    };
    let page = Page {
        schedule: kind.as_str().to_owned(),
        reason: reason.to_owned(),
        ..Page::new(permit.new_id(), PageKind::Alarm, plan, (now, now))
    };
    pages::insert_many(&mut permit, vec![page.clone()]).await?;
    let details = vec![("reason", reason.to_owned())];
    note(&mut permit, &page, "alarm", details).await?;
    permit.wake_workers();
    tx.commit().await?;
    Ok(true)
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
    for mut page in pages::list_alarms(&mut permit, kind).await? {
        end(&mut permit, &mut page, "what was wrong is not any more").await?;
    }
    tx.commit().await?;
    Ok(())
}
