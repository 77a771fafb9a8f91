//! Clocks on a wall: when one shows a time for the first and for the last time, and how far one has
//! ever got.

use jiff::{
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use crate::clock::Timestamp;

/// The first instant at which a clock in `zone` shows `wall` or something later.
pub fn first(zone: &TimeZone, wall: DateTime) -> Timestamp {
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => instant(offset, wall),
        AmbiguousOffset::Fold { before, .. } => instant(before, wall),
        AmbiguousOffset::Gap { before, after } => transition(zone, before, after, wall),
    }
}

/// The instant from which a clock in `zone` never again shows anything before `wall`.
pub fn last(zone: &TimeZone, wall: DateTime) -> Timestamp {
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Fold { after, .. } => instant(after, wall),
        _ => first(zone, wall),
    }
}

/// How far a clock has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    /// The latest time it has ever shown; put back, it does not get further for a while.
    pub(super) wall: DateTime,
    /// Whether it shows what it shows twice.
    pub(super) is_ambiguous: bool,
}

/// How far a clock in `zone` has got at `at`.
pub(super) fn reached(zone: &TimeZone, at: Timestamp) -> Reached {
    let at = at.to_jiff();
    let shown = zone.to_datetime(at);
    let AmbiguousOffset::Fold { before, after } = zone.to_ambiguous_timestamp(shown).offset()
    else {
        return Reached {
            wall: shown,
            is_ambiguous: false,
        };
    };
    let mut wall = shown;
    if zone.to_offset(at) == after {
        let put_back = transition(zone, after, before, shown).to_jiff();
        let just_before = jiff::SignedDuration::from_nanos(1);
        let just_before = put_back.checked_sub(just_before).unwrap_or(put_back);
        wall = wall.max(before.to_datetime(just_before));
    }
    Reached {
        wall,
        is_ambiguous: true,
    }
}

fn instant(offset: Offset, wall: DateTime) -> Timestamp {
    match offset.to_timestamp(wall) {
        Ok(at) => at.into(),
        Err(_) if wall < DateTime::constant(2000, 1, 1, 0, 0, 0, 0) => Timestamp::MIN,
        Err(_) => Timestamp::MAX,
    }
}

/// The instant at which clocks were changed, where `wall` is skipped or shown twice. It lies between
/// the two instants that one offset and the other make of it: `late` is the one that makes the
/// later, `early` the other.
fn transition(zone: &TimeZone, late: Offset, early: Offset, wall: DateTime) -> Timestamp {
    let (from, to) = (instant(early, wall), instant(late, wall));
    let was = zone.to_offset(from.to_jiff());
    let found = zone
        .following(from.to_jiff())
        .take_while(|change| change.timestamp() <= to.to_jiff())
        .find(|change| change.offset() != was);
    found.map_or(to, |change| change.timestamp().into())
}
