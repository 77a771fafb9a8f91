//! Shifts that begin: for telling whoever has one.

use super::{Layer, Roster, Schedule, resolve};
use crate::{clock::Timestamp, ids::StaffId};

/// The layers in which somebody is called.
pub const CALLED: [Layer; 2] = [Layer::Primary, Layer::Secondary];

/// Somebody comes on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// As what.
    pub layer: Layer,
    /// Who.
    pub person: StaffId,
    /// When.
    pub at: Timestamp,
    /// Who was it before.
    pub before: Option<StaffId>,
}

/// Who comes on call after `from` and not after `to`, in order.
pub fn beginnings(
    schedule: &Schedule,
    roster: &Roster,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Beginning> {
    let mut found = Vec::new();
    let mut duty = resolve(schedule, roster, from);
    while duty.until <= to && duty.until < Timestamp::MAX {
        let at = duty.until;
        let next = resolve(schedule, roster, at);
        for layer in CALLED {
            let (before, after) = (duty.of(layer), next.of(layer));
            if let Some(person) = after.filter(|_| after != before) {
                found.push(Beginning {
                    layer,
                    person,
                    at,
                    before,
                });
            }
        }
        duty = next;
    }
    found
}

/// Until when whoever is in this layer at `at` stays in it, at most `steps` possible changes ahead; `None` where
/// that is not seen.
pub fn stays_until(
    schedule: &Schedule,
    roster: &Roster,
    layer: Layer,
    at: Timestamp,
    steps: usize,
) -> Option<Timestamp> {
    let duty = resolve(schedule, roster, at);
    let person = duty.of(layer);
    let mut until = duty.until;
    for _ in 0..steps {
        if until == Timestamp::MAX {
            return None;
        }
        let next = resolve(schedule, roster, until);
        if next.of(layer) != person {
            return Some(until);
        }
        until = next.until;
    }
    None
}
