//! A person's shifts as iCalendar (RFC 5545), and back.
//!
//! Instants are in UTC, so a reader needs no zones. A shift keeps its UID as long as it begins when it did in
//! the same place of the same schedule: a reader then moves the entry instead of adding one.

use icalendar::{Calendar, Component as _, Event};

use super::Layer;
use crate::clock::Timestamp;

/// A time for which somebody is on call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CalendarEntry {
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// The schedule's name.
    pub schedule: String,
    /// Primary or secondary.
    pub layer: Layer,
}

/// Why a text is no calendar of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// It is no iCalendar at all.
    #[error("it is no calendar: {0}")]
    Text(String),
    /// An entry lacks something, or has it in another form.
    #[error("an entry has no {0} that can be read")]
    Property(&'static str),
}

const SCHEDULE: &str = "X-TIERDESK-SCHEDULE";
const LAYER: &str = "X-TIERDESK-LAYER";

/// The shifts of `person` as a calendar, as of `now`.
pub fn write_calendar(person: &str, entries: &[CalendarEntry], now: Timestamp) -> String {
    let mut calendar = Calendar::empty();
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", "-//tierdesk//on call//EN"));
    calendar.append_property(("CALSCALE", "GREGORIAN"));
    calendar.append_property(("METHOD", "PUBLISH"));
    calendar.name(&format!("On call: {person}"));
    for entry in entries {
        let start = stamp(entry.start);
        let uid = format!("{}-{}-{start}@tierdesk", entry.schedule, entry.layer);
        let mut event = Event::with_uid(&uid);
        event
            .add_property("DTSTAMP", stamp(now))
            .add_property("DTSTART", start)
            .add_property("DTEND", stamp(entry.end))
            .summary(&format!("On call: {} ({})", entry.schedule, entry.layer))
            .add_property(SCHEDULE, &entry.schedule)
            .add_property(LAYER, entry.layer.as_str());
        calendar.push(event.done());
    }
    calendar.done().to_string()
}

/// The shifts in a calendar of ours.
pub fn read_calendar(text: &str) -> Result<Vec<CalendarEntry>, CalendarError> {
    let calendar: Calendar = text.parse().map_err(CalendarError::Text)?;
    calendar.events().map(entry).collect()
}

fn entry(event: &Event) -> Result<CalendarEntry, CalendarError> {
    let property = |name: &'static str| {
        event
            .property_value(name)
            .ok_or(CalendarError::Property(name))
    };
    let instant = |name| read_stamp(property(name)?).ok_or(CalendarError::Property(name));
    Ok(CalendarEntry {
        start: instant("DTSTART")?,
        end: instant("DTEND")?,
        schedule: property(SCHEDULE)?.to_owned(),
        layer: property(LAYER)?
            .parse()
            .map_err(|_| CalendarError::Property(LAYER))?,
    })
}

/// Whole seconds, which is as fine as a calendar gets.
fn stamp(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn read_stamp(text: &str) -> Option<Timestamp> {
    let wall = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let at = wall.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?;
    Some(at.timestamp().into())
}
