//! How the burden is spread.

use std::{collections::BTreeMap, time::Duration};

use jiff::{
    civil::{DateTime, Weekday},
    tz::TimeZone,
};

use super::Segment;
use crate::{clock::Timestamp, ids::StaffId};

/// Nights are from here ...
const NIGHT_BEGINS: i8 = 22;
/// ... to here.
const NIGHT_ENDS: i8 = 7;

/// How long somebody is on call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// As primary.
    pub primary: Duration,
    /// Of that, from 22 to 7 o'clock.
    pub nights: Duration,
    /// Of that, on Saturdays and Sundays.
    pub weekends: Duration,
    /// As secondary.
    pub secondary: Duration,
}

/// How long each person is on call over these segments; nights and weekends as clocks in `zone` have them.
pub fn load(segments: &[Segment], zone: &TimeZone) -> BTreeMap<StaffId, Load> {
    let mut loads: BTreeMap<StaffId, Load> = BTreeMap::new();
    for segment in segments {
        if let Some(person) = segment.secondary {
            loads.entry(person).or_default().secondary += segment.end.since(segment.start);
        }
        let Some(person) = segment.primary else {
            continue;
        };
        let load = loads.entry(person).or_default();
        let mut at = segment.start;
        while at < segment.end {
            let shown = zone.to_datetime(at.to_jiff());
            let end = next_boundary(zone, at, shown).min(segment.end);
            let span = end.since(at);
            load.primary += span;
            if !(NIGHT_ENDS..NIGHT_BEGINS).contains(&shown.hour()) {
                load.nights += span;
            }
            if matches!(shown.weekday(), Weekday::Saturday | Weekday::Sunday) {
                load.weekends += span;
            }
            at = end;
        }
    }
    loads
}

/// When a night or a day begins or ends next, or clocks are changed.
fn next_boundary(zone: &TimeZone, at: Timestamp, shown: DateTime) -> Timestamp {
    let hour = match shown.hour() {
        hour if hour < NIGHT_ENDS => i64::from(NIGHT_ENDS),
        hour if hour < NIGHT_BEGINS => i64::from(NIGHT_BEGINS),
        _ => 24,
    };
    let midnight = shown.date().at(0, 0, 0, 0);
    let goal = midnight.saturating_add(jiff::SignedDuration::from_hours(hour));
    let left = u64::try_from(goal.duration_since(shown).as_micros()).unwrap_or(1);
    let end = at.plus(Duration::from_micros(left.max(1)));
    let change = zone.following(at.to_jiff()).next();
    change.map_or(end, |change| end.min(change.timestamp().into()))
}
