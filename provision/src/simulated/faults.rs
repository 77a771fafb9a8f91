//! Planned faults: what goes wrong, at which call of which operation.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AwsFault, Simulated};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// Too many requests; nothing was done.
    Throttle,
    /// This exception; nothing was done.
    Refuse(AwsFault),
    /// It was done, and its answer never arrives.
    LoseReply,
    /// It was done, and its answer takes so much longer.
    Slow(Duration),
}

impl FaultKind {
    /// What is answered before anything is done.
    pub(super) fn before(&self) -> Option<AwsFault> {
        match self {
            Self::Throttle => Some(AwsFault::new(
                "TooManyRequestsException",
                "you have sent too many requests in too short a period of time",
            )),
            Self::Refuse(fault) => Some(fault.clone()),
            Self::LoseReply | Self::Slow(_) => None,
        }
    }
}

/// A fault and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFault {
    /// The operation's name.
    pub operation: String,
    /// At its how manieth call, counted from 1 over the machine's whole life; 0 is every call.
    pub call: u64,
    /// What goes wrong.
    pub kind: FaultKind,
}

impl Simulated {
    /// Plans a fault.
    pub fn plan_fault(&mut self, operation: &str, call: u64, kind: FaultKind) {
        self.faults.push(PlannedFault {
            operation: operation.to_owned(),
            call,
            kind,
        });
    }

    /// Forgets all planned faults.
    pub fn forget_faults(&mut self) {
        self.faults.clear();
    }

    /// Whether the count of calls matters to what is still to come.
    pub fn has_faults(&self) -> bool {
        let may_happen =
            |fault: &PlannedFault| fault.call == 0 || self.calls(&fault.operation) < fault.call;
        self.faults.iter().any(may_happen)
    }

    pub(super) fn planned(&self, operation: &str, call: u64) -> Option<FaultKind> {
        let here = |fault: &&PlannedFault| {
            fault.operation == operation && (fault.call == call || fault.call == 0)
        };
        self.faults
            .iter()
            .find(here)
            .map(|fault| fault.kind.clone())
    }
}
