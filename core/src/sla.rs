//! Response clocks: when an answer is due, and whether it came.
//!
//! A due time is the instant that started the clock plus the tier's target in clock hours.

use serde::Serialize;

use crate::{
    clock::Timestamp,
    tiers::{Goal, Severity, Tier},
};

/// One clock. All `None`: it is not running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseClock {
    /// When the contract wants it done.
    pub due: Option<Timestamp>,
    /// When we want it done.
    pub internal_due: Option<Timestamp>,
    /// When it was done.
    pub met_at: Option<Timestamp>,
}

/// The three clocks of a ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// Until a person first answers.
    pub first_response: ResponseClock,
    /// Until a person answers again. It cannot run before the first answer.
    pub next_response: ResponseClock,
    /// Until it is resolved.
    pub resolution: ResponseClock,
}

impl ResponseClock {
    /// Whether the contract's time passed without it being done.
    pub fn is_missed(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| self.met_at.unwrap_or(now) > due)
    }
}

impl Clocks {
    /// When an answer is due: by the first one's clock, and once that is met, by the next one's.
    pub fn due(&self) -> Option<Timestamp> {
        let clocks = [&self.first_response, &self.next_response].into_iter();
        let mut running = clocks.filter(|clock| clock.met_at.is_none());
        running.find_map(|clock| clock.due)
    }

    /// The clocks of a ticket that opens at `opened` for a customer of `tier`.
    pub fn start(tier: &Tier, severity: Severity, opened: Timestamp) -> Self {
        let clock = |goal: &Goal| ResponseClock {
            due: goal.contract.map(|target| opened.plus(target.duration())),
            internal_due: Some(opened.plus(goal.internal.duration())),
            met_at: None,
        };
        Self {
            first_response: clock(&tier.targets.first_response[severity]),
            next_response: ResponseClock::default(),
            resolution: clock(&tier.targets.resolution[severity]),
        }
    }

    /// The same clocks under another tier or severity: due times move, what was met stays met.
    #[must_use]
    pub fn restart(self, tier: &Tier, severity: Severity, opened: Timestamp) -> Self {
        let mut clocks = Self::start(tier, severity, opened);
        clocks.first_response.met_at = self.first_response.met_at;
        clocks.next_response.met_at = self.next_response.met_at;
        clocks.resolution.met_at = self.resolution.met_at;
        clocks
    }
}

/// A clock as `ticket show --json` prints it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClockReport {
    /// The contract's.
    pub due: Option<Timestamp>,
    /// Our own.
    pub internal_due: Option<Timestamp>,
    /// When it was done.
    pub met_at: Option<Timestamp>,
    /// Whether the contract's time passed first.
    pub missed: bool,
}

/// The clocks as `ticket show --json` prints them.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClocksReport {
    /// Until a person first answers.
    pub first_response: ClockReport,
    /// Until a person answers again.
    pub next_response: ClockReport,
    /// Until it is resolved.
    pub resolution: ClockReport,
}

impl Clocks {
    /// The report at `now`.
    pub fn report(&self, now: Timestamp) -> ClocksReport {
        let report = |clock: &ResponseClock| ClockReport {
            due: clock.due,
            internal_due: clock.internal_due,
            met_at: clock.met_at,
            missed: clock.is_missed(now),
        };
        ClocksReport {
            first_response: report(&self.first_response),
            next_response: report(&self.next_response),
            resolution: report(&self.resolution),
        }
    }
}
