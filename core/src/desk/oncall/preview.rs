//! Weeks ahead: who is on call, where nobody is, and how the burden is spread.

use std::{collections::HashMap, time::Duration};

use serde::Serialize;

use super::{Place, people::CatchAll, person_name, place, rota};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    ids::StaffId,
    oncall::{Load, Roster, Schedule, Segment, Source, load, timeline},
    permit::{Actor, ReadRota, Subject, authorise},
    refusal::Refusal,
    store::{pages::notices, staff},
};

/// Seven days.
pub(super) const WEEK: Duration = Duration::from_hours(7 * 24);

/// Looking further ahead says little, and takes long.
const MOST: Duration = Duration::from_hours(2 * 366 * 24);

/// A stretch over which the same people are on call, as `oncall preview --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentReport {
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// Called first; the admin who is here longest where nobody is on call.
    pub primary: String,
    /// Called next.
    pub secondary: Option<String>,
    /// Why it is this primary.
    pub source: Source,
}

/// How long somebody is on call.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// Who.
    pub name: String,
    /// Hours as primary.
    pub hours: f64,
    /// Of these, from 22 to 7 o'clock on the schedule's clocks.
    pub nights: f64,
    /// Of these, on Saturdays and Sundays.
    pub weekends: f64,
    /// Hours as secondary.
    pub secondary: f64,
    /// Pages that reached them in the last four weeks, whatever they were about.
    pub pages: i64,
}

/// A schedule over a span of time.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The schedule.
    pub schedule: String,
    /// The zone whose clocks count.
    pub zone: String,
    /// Who is on call, without gap or overlap.
    pub segments: Vec<SegmentReport>,
    /// How the burden is spread, the most burdened first.
    pub load: Vec<LoadReport>,
    /// Where no rotation, override or swap has anybody.
    pub gaps: Duration,
}

/// Who is on call by a schedule from `from` (now) to `to` (so many weeks later).
pub async fn preview(
    desk: &Desk,
    actor: &Actor,
    place: &Place,
    (from, to): (Option<&str>, Option<&str>),
    weeks: u32,
) -> Result<Preview, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    let stored = place.find(desk, &mut permit).await?;
    let zone = place::zone(&stored);
    let now = permit.now();
    let from = from.map_or(Ok(now), |text| place::start(text, &zone, now))?;
    let to = match to {
        Some(text) => place::end(text, &zone)?,
        None => from.plus(WEEK * weeks),
    };
    let (from, to) = place::check_order(from, to)?;
    if to > from.plus(MOST) {
        let message = format!("from {from} to {to} are more than two years");
        return Err(Refusal::invalid(message)
            .with_hint("ask for less at once")
            .into());
    }
    let staff = staff::list(&mut permit).await?;
    let (rotations, roster) = rota(&mut permit, &stored, &staff, from, to).await?;
    let segments = timeline(&rotations, &roster, from, to);
    let catch_all = CatchAll::at(&mut permit, &staff, from).await?;
    let report = |one: &Segment| {
        let (primary, secondary) = catch_all.names(
            person_name(&staff, one.primary),
            person_name(&staff, one.secondary),
        );
        SegmentReport {
            start: one.start,
            end: one.end,
            primary,
            secondary,
            source: one.source,
        }
    };
    let gaps = segments.iter().filter(|one| one.is_gap());
    let mut loads = load(&segments, &zone);
    let paged = notices::count_per_person(&mut permit, now.minus(WEEK * 4), now).await?;
    let paged: HashMap<StaffId, i64> = paged.into_iter().collect();
    for person in paged.keys() {
        loads.entry(*person).or_default();
    }
    let mut load: Vec<LoadReport> = loads
        .into_iter()
        .map(|(id, load)| {
            let name = person_name(&staff, Some(id)).unwrap_or_default();
            let pages = paged.get(&id).copied().unwrap_or(0);
            load_report(name, load, pages)
        })
        .collect();
    load.sort_by(|one, other| {
        other
            .hours
            .total_cmp(&one.hours)
            .then(one.name.cmp(&other.name))
    });
    Ok(Preview {
        zone: stored.spec.zone,
        schedule: stored.slug,
        gaps: gaps.map(|one| one.end.since(one.start)).sum(),
        segments: segments.iter().map(report).collect(),
        load,
    })
}

fn load_report(name: String, load: Load, pages: i64) -> LoadReport {
    // To a tenth of an hour: nobody's burden is told in seconds.
    let hours = |span: Duration| (span.as_secs_f64() / 360.0).round() / 10.0;
    LoadReport {
        name,
        hours: hours(load.primary),
        nights: hours(load.nights),
        weekends: hours(load.weekends),
        secondary: hours(load.secondary),
        pages,
    }
}

/// Gaps in words: where the fallback is called, and where nobody is left but the admins.
pub(super) fn gap_warnings(
    schedule: &Schedule,
    roster: &Roster,
    from: Timestamp,
    to: Timestamp,
) -> Vec<String> {
    let segments = timeline(schedule, roster, from, to);
    let warning = |source: Source, what: &str| {
        let found: Vec<&Segment> = segments.iter().filter(|one| one.source == source).collect();
        let first = found.first()?;
        let spans = found.iter().map(|one| one.end.since(one.start).as_secs());
        Some(format!(
            "{what} for {} h of the 8 weeks ahead, first from {} to {}",
            spans.sum::<u64>().div_ceil(3_600),
            first.start,
            first.end
        ))
    };
    let fallback = warning(Source::Fallback, "a gap: the fallback is called");
    let nobody = warning(
        Source::CatchAll,
        "ALARM: nobody is on call, the admins are called,",
    );
    nobody.into_iter().chain(fallback).collect()
}
