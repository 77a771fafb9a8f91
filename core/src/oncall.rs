//! Who is on call: rotations in layers, overrides and swaps, temporary schedules, absences.
//!
//! A shift begins the first time a clock on the wall shows its beginning, and the next one ends it;
//! a time that the clock skips is the first instant after the gap. Both follow from one idea, how
//! far a clock has ever got ([`wall`]), so at each instant exactly one holds and nobody is skipped.
//! Nothing here reads a clock or a database: the instant is an argument, and so is the [`Roster`].
//!
//! To add a kind of rotation: a variant of [`Period`]; the brute force in `tests/brute.rs` then
//! tries it over every zone there is.

mod calendar;
mod days;
mod handoff;
mod load;
pub mod moment;
mod resolve;
mod rotation;
mod schedule;
mod spec;
mod timeline;
pub mod wall;
mod written;

#[cfg(test)]
mod tests;

pub use self::{
    calendar::{CalendarEntry, CalendarError, read_calendar, write_calendar},
    days::{InvalidDays, WeekdayMask},
    handoff::{Beginning, CALLED, beginnings, stays_until},
    load::{Load, load},
    resolve::{nominal, resolve},
    rotation::{InvalidPeriod, InvalidRotation, Period, Rotation, Shift, Shifts},
    schedule::{
        Absence, Layer, OnDuty, Override, OverrideKind, Roster, Schedule, Source, Temporary,
    },
    spec::{RotationSpec, ScheduleSpec},
    timeline::{Segment, timeline, until_change},
    written::{
        RotaError, WrittenRota, WrittenRotation, WrittenSchedule, WrittenTemporary, read_rota,
        write_rota,
    },
};
