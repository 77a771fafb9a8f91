//! A schedule as it is stored: canonical JSON, so that equal schedules are equal texts.

use jiff::{civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Layer, Rotation, Schedule};
use crate::ids::StaffId;

/// A rotation as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationSpec {
    /// In which layer.
    pub layer: Layer,
    /// Who takes turns.
    pub people: Vec<StaffId>,
    /// How long a shift is: `1 week`.
    pub every: String,
    /// When the first one begins, on the wall.
    pub starts: DateTime,
    /// On which days: `mon-fri`.
    pub days: String,
}

/// A schedule as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSpec {
    /// The zone whose clocks count: `Europe/Berlin`.
    pub zone: String,
    /// The rotations in the order in which they were written.
    pub rotations: Vec<RotationSpec>,
}

impl ScheduleSpec {
    /// The zone itself.
    pub fn time_zone(&self) -> Result<TimeZone, String> {
        TimeZone::get(&self.zone).map_err(|_| format!("there is no zone {}", self.zone))
    }

    /// The schedule itself.
    pub fn schedule(&self) -> Result<Schedule, String> {
        let zone = self.time_zone()?;
        let mut schedule = Schedule::default();
        for spec in &self.rotations {
            let rotation = Rotation::new(
                spec.people.clone(),
                zone.clone(),
                spec.starts,
                spec.every.parse().map_err(|fault| format!("{fault}"))?,
                spec.days.parse().map_err(|fault| format!("{fault}"))?,
            );
            let rotation = rotation.map_err(|fault| fault.to_string())?;
            let layer = match spec.layer {
                Layer::Primary => &mut schedule.primary,
                Layer::Secondary => &mut schedule.secondary,
                Layer::Fallback => &mut schedule.fallback,
            };
            layer.push(rotation);
        }
        Ok(schedule)
    }

    /// Everybody who takes turns in it.
    pub fn people(&self) -> impl Iterator<Item = StaffId> {
        self.rotations
            .iter()
            .flat_map(|one| one.people.iter().copied())
    }
}
