//! Who is on call over a span of time.

use serde::Serialize;

use super::{OnDuty, Roster, Schedule, Source, resolve};
use crate::{clock::Timestamp, ids::StaffId};

/// A stretch over which the same people are on call for the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// Called first.
    pub primary: Option<StaffId>,
    /// Called next.
    pub secondary: Option<StaffId>,
    /// Why it is this primary.
    pub source: Source,
}

impl Segment {
    /// Whether no rotation, override or swap has anybody then.
    pub fn is_gap(&self) -> bool {
        matches!(self.source, Source::Fallback | Source::CatchAll)
    }
}

/// Who is on call from `from` to `to`, without gap or overlap; neighbours differ.
pub fn timeline(
    schedule: &Schedule,
    roster: &Roster,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut at = from;
    while at < to {
        let duty = resolve(schedule, roster, at);
        let end = duty.until.min(to);
        match segments.last_mut() {
            Some(last) if last.is_of(&duty) => last.end = end,
            _ => segments.push(Segment {
                start: at,
                end,
                primary: duty.primary,
                secondary: duty.secondary,
                source: duty.source,
            }),
        }
        at = end;
    }
    segments
}

impl Segment {
    fn is_of(&self, duty: &OnDuty) -> bool {
        (self.primary, self.secondary, self.source) == (duty.primary, duty.secondary, duty.source)
    }
}

/// When what is so at `at` really changes, at most `steps` possible changes ahead.
pub fn until_change(
    schedule: &Schedule,
    roster: &Roster,
    at: Timestamp,
    steps: usize,
) -> Timestamp {
    let now = resolve(schedule, roster, at);
    let mut until = now.until;
    for _ in 0..steps {
        let next = resolve(schedule, roster, until);
        if until == Timestamp::MAX || !next.is_like(&now) {
            break;
        }
        until = next.until;
    }
    until
}
