//! Who is on call at an instant, out of rotations, temporary schedules, overrides and absences.

use super::{Layer, OnDuty, OverrideKind, Roster, Rotation, Schedule, Source, Temporary};
use crate::{clock::Timestamp, ids::StaffId};

/// Who is on call at `at`. The override or swap made last wins, then a temporary schedule (its gaps go to
/// the fallback), then the rotations, then the fallback. Whoever is away or disabled is never called,
/// whatever says so: the next of the cyclic order stands in, and the order does not move.
pub fn resolve(schedule: &Schedule, roster: &Roster, at: Timestamp) -> OnDuty {
    let mut until = Until(next_change(roster, at));
    let temporary = roster
        .temporaries
        .iter()
        .rfind(|one| one.starts <= at && at < one.ends);
    let base = |layer| rotations(schedule, temporary, layer);

    let mut primary = turn(base(Layer::Primary), roster, at, None, &mut until);
    changed(&mut primary, roster, Layer::Primary, at, None);
    let mut found = primary.called;
    if found.is_none() {
        let fallback = turn(&schedule.fallback, roster, at, None, &mut until);
        found = fallback
            .called
            .map(|(person, _)| (person, Source::Fallback));
    }
    let called = found.map(|(person, _)| person);

    let mut secondary = turn(base(Layer::Secondary), roster, at, called, &mut until);
    changed(&mut secondary, roster, Layer::Secondary, at, called);
    OnDuty {
        primary: called,
        secondary: secondary.called.map(|(person, _)| person),
        source: found.map_or(Source::CatchAll, |(_, source)| source),
        until: until.0,
    }
}

/// Whose shift it is in a layer, whether they are there or not: who may give it away.
pub fn nominal(
    schedule: &Schedule,
    roster: &Roster,
    layer: Layer,
    at: Timestamp,
) -> Option<StaffId> {
    let mut until = Until(Timestamp::MAX);
    let temporary = roster
        .temporaries
        .iter()
        .rfind(|one| one.starts <= at && at < one.ends);
    let mut held = turn(
        rotations(schedule, temporary, layer),
        roster,
        at,
        None,
        &mut until,
    );
    changed(&mut held, roster, layer, at, None);
    held.nominal
}

struct Until(Timestamp);

impl Until {
    fn at_most(&mut self, at: Timestamp) {
        self.0 = self.0.min(at);
    }
}

/// Who holds a layer.
struct Held {
    /// Whose it is, there or not.
    nominal: Option<StaffId>,
    /// Who is called.
    called: Option<(StaffId, Source)>,
}

fn rotations<'a>(
    schedule: &'a Schedule,
    temporary: Option<&'a Temporary>,
    layer: Layer,
) -> &'a [Rotation] {
    temporary
        .map_or(schedule, |temporary| &temporary.schedule)
        .layer(layer)
}

/// By the rotations of a layer; `but` is called already.
fn turn(
    rotations: &[Rotation],
    roster: &Roster,
    at: Timestamp,
    but: Option<StaffId>,
    until: &mut Until,
) -> Held {
    let mut nominal = None;
    for rotation in rotations {
        let Some(shift) = rotation.at(at) else {
            until.at_most(rotation.next_start(at));
            continue;
        };
        until.at_most(shift.end);
        nominal = nominal.or(Some(shift.person));
        let there = |person: &StaffId| Some(*person) != but && roster.is_there(*person, at);
        if let Some(person) = rotation.order_from(shift.turn).find(there) {
            return Held {
                nominal,
                called: Some((person, Source::Rotation)),
            };
        }
    }
    Held {
        nominal,
        called: None,
    }
}

/// By overrides and swaps on top of that, in the order in which they were made. A swap goes by whose shift it
/// is, there or not: that somebody gave their shift away and is away then is the usual case.
fn changed(held: &mut Held, roster: &Roster, layer: Layer, at: Timestamp, but: Option<StaffId>) {
    let holds = roster
        .overrides
        .iter()
        .filter(|one| one.layer == layer && one.starts <= at && at < one.ends);
    for one in holds {
        let Some(person) = one.person else { continue };
        let source = match one.kind {
            OverrideKind::Override => Source::Override,
            OverrideKind::Swap if held.nominal == one.replaces => Source::Swap,
            OverrideKind::Swap => continue,
        };
        held.nominal = Some(person);
        if Some(person) != but && roster.is_there(person, at) {
            held.called = Some((person, source));
        }
    }
}

/// The next instant after `at` at which an override, a temporary schedule or an absence begins or ends.
fn next_change(roster: &Roster, at: Timestamp) -> Timestamp {
    let overrides = roster.overrides.iter().map(|one| (one.starts, one.ends));
    let temporaries = roster.temporaries.iter().map(|one| (one.starts, one.ends));
    let absences = roster.absences.iter().map(|one| (one.starts, one.ends));
    overrides
        .chain(temporaries)
        .chain(absences)
        .flat_map(|(starts, ends)| [starts, ends])
        .filter(|change| *change > at)
        .min()
        .unwrap_or(Timestamp::MAX)
}
