//! Who is on call: asking, planning ahead, and changing it.
//!
//! What is right is decided in [`crate::oncall`]; here it is read, refused and written down. To add a
//! change: an action in `permit`, a function in a file of this folder, a command.

mod absences;
mod calendars;
mod concerned;
mod coverage;
mod handoffs;
mod overrides;
mod people;
mod place;
mod preview;
mod replay;
mod schedules;
mod swaps;
mod temporaries;

use std::collections::{BTreeSet, HashMap};

pub use self::{
    absences::{AbsenceReport, add_absence, list_absences, remove_absence},
    calendars::{CalendarAddress, add_calendar, calendar, remove_calendar},
    coverage::{Coverage, RotaAlarm, check, uncovered},
    handoffs::tell_handoffs,
    overrides::{NewOverride, OverrideReport, list_overrides, remove_override, set_override},
    place::Place,
    preview::{LoadReport, Preview, SegmentReport, preview},
    replay::{Called, Replay, replay},
    schedules::{
        RotationReport, ScheduleChange, ScheduleReport, Written, export, list_schedules,
        remove_schedule, set_schedules, show_schedule,
    },
    swaps::{Offer, SwapReport, Taking, give_back, list_swaps, offer, take},
    temporaries::{TemporaryReport, list_temporaries, remove_temporary, set_temporaries},
};
use serde::Serialize;

use self::people::{CatchAll, name_of};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, paging::channels::can_be_woken},
    ids::StaffId,
    oncall::{Roster, Schedule, Source, resolve, until_change},
    permit::{Action, Actor, Permit, ReadRota, Subject, authorise},
    staff::Staff,
    store::{
        StoreError, Tx,
        oncall::{self, StoredSchedule},
        staff,
    },
    tiers::{SupportHours, TierSlug},
};

/// So many possible changes ahead it is looked for when something really changes.
const STEPS: usize = 200;

/// Who is on call at the instant of a unit of work.
#[derive(Clone, Debug)]
pub struct Duty {
    /// Called first; `None` leaves the catch-all.
    pub primary: Option<Staff>,
    /// Called next.
    pub secondary: Option<Staff>,
    /// Why it is this primary.
    pub source: Source,
    /// Until when.
    pub until: Timestamp,
}

impl Duty {
    /// The catch-all is called.
    const NOBODY: Self = Self {
        primary: None,
        secondary: None,
        source: Source::CatchAll,
        until: Timestamp::MAX,
    };
}

/// What was read of a schedule; nothing where it is damaged. Whoever calls people, or looks after all schedules, goes on
/// without that one, and the log says why.
pub(super) fn unless_unreadable<T>(
    schedule: &str,
    read: Result<T, Error>,
) -> Result<Option<T>, Error> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(Error::Failed(StoreError::Inconsistent { table, detail })) => {
            tracing::error!(schedule, table, detail, "a rota cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Who is on call by a schedule now; nobody where there is no such schedule.
pub(crate) async fn on_duty<A: Action>(
    permit: &mut Permit<'_, A>,
    _desk: &Desk,
    schedule: &str,
) -> Result<Duty, Error> {
    let at = permit.now();
    let staff = staff::list(permit).await?;
    duty_at(permit, &staff, schedule, at, STEPS).await
}

async fn duty_at(
    tx: &mut Tx,
    staff: &[Staff],
    schedule: &str,
    at: Timestamp,
    steps: usize,
) -> Result<Duty, Error> {
    let Some(stored) = oncall::find_schedule(tx, schedule).await? else {
        return Ok(Duty::NOBODY);
    };
    let (rotations, roster) = rota(tx, &stored, staff, at, Timestamp::MAX).await?;
    let duty = resolve(&rotations, &roster, at);
    let person = |id: Option<StaffId>| {
        let id = id?;
        staff.iter().find(|one| one.id == id).cloned()
    };
    Ok(Duty {
        primary: person(duty.primary),
        secondary: person(duty.secondary),
        source: duty.source,
        until: until_change(&rotations, &roster, at, steps),
    })
}

/// A stored schedule with what changes it from `from` to `to`.
async fn rota(
    tx: &mut Tx,
    stored: &StoredSchedule,
    staff: &[Staff],
    from: Timestamp,
    to: Timestamp,
) -> Result<(Schedule, Roster), Error> {
    let rotations = oncall::rotations(stored)?;
    let roster = oncall::roster(tx, stored, staff, from, to).await?;
    Ok((rotations, roster))
}

/// The names of who is on call for these tiers; for lists of tickets.
pub(super) async fn names_by_tier(
    desk: &Desk,
    tx: &mut Tx,
    tiers: &BTreeSet<&TierSlug>,
) -> Result<HashMap<TierSlug, String>, Error> {
    let at = tx.now();
    let rows = rows(desk, tx, at, 0, |tier| tiers.contains(tier)).await?;
    let names = rows.into_iter().map(|row| (row.tier, row.primary));
    Ok(names.collect())
}

/// Who is on call for a tier, as `oncall now --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct TierDuty {
    /// The tier.
    pub tier: TierSlug,
    /// Called first; the admin who is here longest where nobody is on call.
    pub primary: String,
    /// Called next.
    pub secondary: Option<String>,
    /// Until when.
    pub until: Timestamp,
    /// Why it is this primary.
    pub source: Source,
    /// Who of them cannot be woken, where the tier is answered around the clock: they have no channel that
    /// wakes and through which a test was answered.
    pub unproven: Vec<String>,
}

/// Who is on call for every tier, now or at another instant, the strictest tier first.
pub async fn now(desk: &Desk, actor: &Actor, at: Option<&str>) -> Result<Vec<TierDuty>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    let now = permit.now();
    let at = match at {
        Some(text) => place::start(text, &jiff::tz::TimeZone::UTC, now)?,
        None => now,
    };
    let mut rows = rows(desk, &mut permit, at, STEPS, |_| true).await?;
    let staff = staff::list(&mut permit).await?;
    for (tier, row) in desk.catalogue.iter().zip(&mut rows) {
        if tier.support_hours == SupportHours::AlwaysOpen {
            row.unproven = unproven(&mut permit, &staff, row).await?;
        }
    }
    Ok(rows)
}

/// Who of those on call cannot be woken.
async fn unproven(tx: &mut Tx, staff: &[Staff], row: &TierDuty) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for name in [Some(&row.primary), row.secondary.as_ref()]
        .into_iter()
        .flatten()
    {
        let Some(person) = staff.iter().find(|one| one.name == *name) else {
            continue;
        };
        if !names.contains(name) && !can_be_woken(tx, person.id).await? {
            names.push(name.clone());
        }
    }
    Ok(names)
}

/// For the tiers that are asked for.
async fn rows(
    desk: &Desk,
    tx: &mut Tx,
    at: Timestamp,
    steps: usize,
    is_asked: impl Fn(&TierSlug) -> bool,
) -> Result<Vec<TierDuty>, Error> {
    let staff = staff::list(tx).await?;
    let catch_all = CatchAll::at(tx, &staff, at).await?;
    let mut known: Vec<(&str, Duty)> = Vec::new();
    let mut rows = Vec::new();
    let asked = desk.catalogue.iter().filter(|tier| is_asked(&tier.slug));
    for tier in asked {
        let schedule = tier.on_call.schedule.as_str();
        let seen = known.iter().find(|(name, _)| *name == schedule);
        let duty = if let Some((_, duty)) = seen {
            duty.clone()
        } else {
            let duty = duty_at(tx, &staff, schedule, at, steps).await;
            unless_unreadable(schedule, duty)?.unwrap_or(Duty::NOBODY)
        };
        known.push((schedule, duty.clone()));
        let (primary, secondary) = catch_all.names(
            duty.primary.map(|one| one.name),
            duty.secondary.map(|one| one.name),
        );
        rows.push(TierDuty {
            tier: tier.slug.clone(),
            primary,
            secondary,
            until: duty.until,
            source: duty.source,
            unproven: Vec::new(),
        });
    }
    Ok(rows)
}

/// The name of a member of staff, for reports.
fn person_name(staff: &[Staff], id: Option<StaffId>) -> Option<String> {
    id.map(|id| name_of(staff, id))
}
