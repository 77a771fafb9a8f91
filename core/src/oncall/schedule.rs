//! A schedule, what changes it, and the answer to "who is on call".

use std::collections::BTreeSet;

use super::Rotation;
use crate::{
    clock::Timestamp,
    ids::{AbsenceId, OverrideId, StaffId, TemporaryId},
    named::named_enum,
};

named_enum! {
    /// In which place somebody is on call.
    pub enum Layer as "layer" {
        /// Called first.
        Primary = "primary",
        /// Called next.
        Secondary = "secondary",
        /// Called where no primary is.
        Fallback = "fallback",
    }
}

named_enum! {
    /// Why it is this primary.
    pub enum Source as "source" {
        /// It is their turn, or they stand in for whoever's it is.
        Rotation = "rotation",
        /// Somebody said so, with a reason.
        Override = "override",
        /// They took the shift over.
        Swap = "swap",
        /// Nobody else is there.
        Fallback = "fallback",
        /// Not even a fallback is there: the admins.
        CatchAll = "catch_all",
    }
}

named_enum! {
    /// How a change to the rota came about.
    pub enum OverrideKind as "kind of override" {
        /// Somebody said who is on call.
        Override = "override",
        /// A shift changed hands, or is offered.
        Swap = "swap",
    }
}

/// Rotations in layers. In a layer the first one that has somebody wins.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    /// Called first.
    pub primary: Vec<Rotation>,
    /// Called next.
    pub secondary: Vec<Rotation>,
    /// Called where no primary is.
    pub fallback: Vec<Rotation>,
}

impl Schedule {
    /// The rotations of a layer.
    pub fn layer(&self, layer: Layer) -> &[Rotation] {
        match layer {
            Layer::Primary => &self.primary,
            Layer::Secondary => &self.secondary,
            Layer::Fallback => &self.fallback,
        }
    }
}

/// Somebody is on call who would not be by the rotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The id.
    pub id: OverrideId,
    /// Primary or secondary.
    pub layer: Layer,
    /// An override holds whoever's turn it is; a swap only while it is that of `replaces`.
    pub kind: OverrideKind,
    /// Who; `None` for a shift that is offered and was not taken.
    pub person: Option<StaffId>,
    /// Whose shift it was.
    pub replaces: Option<StaffId>,
    /// From when.
    pub starts: Timestamp,
    /// Until when.
    pub ends: Timestamp,
}

/// Rotations that stand in for a schedule's for some time. Where they have nobody, the fallback is called.
#[derive(Clone, Debug)]
pub struct Temporary {
    /// The id.
    pub id: TemporaryId,
    /// From when.
    pub starts: Timestamp,
    /// Until when.
    pub ends: Timestamp,
    /// What holds then; its fallback layer is not used.
    pub schedule: Schedule,
}

/// Time in which somebody cannot be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The id.
    pub id: AbsenceId,
    /// Who.
    pub person: StaffId,
    /// From when.
    pub starts: Timestamp,
    /// Until when.
    pub ends: Timestamp,
}

/// Everything besides the rotations that decides who is on call.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Overrides and swaps in the order in which they were made: the last one wins.
    pub overrides: Vec<Override>,
    /// Temporary schedules in the order in which they were made: the last one wins.
    pub temporaries: Vec<Temporary>,
    /// Who is away when.
    pub absences: Vec<Absence>,
    /// Who may be called at all.
    pub active: BTreeSet<StaffId>,
}

impl Roster {
    /// Whether somebody can be called at an instant.
    pub fn is_there(&self, person: StaffId, at: Timestamp) -> bool {
        let is_away = |absence: &Absence| {
            absence.person == person && absence.starts <= at && at < absence.ends
        };
        self.active.contains(&person) && !self.absences.iter().any(is_away)
    }
}

/// Who is on call at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnDuty {
    /// Called first; `None` leaves the catch-all.
    pub primary: Option<StaffId>,
    /// Called next; never the primary.
    pub secondary: Option<StaffId>,
    /// Why it is this primary.
    pub source: Source,
    /// Until then nothing of this changes.
    pub until: Timestamp,
}

impl OnDuty {
    /// Who is called in a layer; nobody is by the fallback as such.
    pub fn of(&self, layer: Layer) -> Option<StaffId> {
        match layer {
            Layer::Primary => self.primary,
            Layer::Secondary => self.secondary,
            Layer::Fallback => None,
        }
    }

    /// Whether the same people are on call for the same reason.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.primary, self.secondary, self.source)
            == (other.primary, other.secondary, other.source)
    }
}
