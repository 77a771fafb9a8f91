//! Times as people write them: an instant with its zone, or a time on the wall.

use jiff::{
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::wall as clock_on_the_wall;
use crate::clock::Timestamp;

/// A time on the wall: `2026-11-02 09:00`, or a day, whose midnight is meant.
pub fn wall(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if let Ok(day) = Date::strptime("%Y-%m-%d", text) {
        return Some(day.at(0, 0, 0, 0));
    }
    let mut forms = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"].into_iter();
    forms.find_map(|form| DateTime::strptime(form, text).ok())
}

/// When something begins: the first time the clock shows it. `now` is an instant as well.
pub fn start(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    match text.trim() {
        "now" => Some(now),
        text => instant(text).or_else(|| Some(clock_on_the_wall::first(zone, wall(text)?))),
    }
}

/// When something ends that nothing follows: the last time the clock shows it.
pub fn end(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    instant(text).or_else(|| Some(clock_on_the_wall::last(zone, wall(text)?)))
}

fn instant(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.trim().parse().ok()?;
    Some(at.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_wall_time_begins_first_and_ends_last() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| start(text, &zone, Timestamp::MIN).unwrap().to_string();
        let until = |text: &str| end(text, &zone).unwrap().to_string();
        assert_eq!(at("2026-11-02 09:00"), "2026-11-02T08:00:00Z");
        assert_eq!(at("2026-11-02"), "2026-11-01T23:00:00Z");
        assert_eq!(at("2026-11-02T09:00Z"), "2026-11-02T09:00:00Z");
        // 25 October 2026: half past two comes twice. 29 March 2026: it does not come.
        assert_eq!(at("2026-10-25 02:30"), "2026-10-25T00:30:00Z");
        assert_eq!(until("2026-10-25 02:30"), "2026-10-25T01:30:00Z");
        assert_eq!(at("2026-03-29 02:30"), "2026-03-29T01:00:00Z");
        assert_eq!(until("2026-03-29T02:30"), "2026-03-29T01:00:00Z");
        for wrong in ["", "9:00", "2026-13-01", "tomorrow"] {
            assert_eq!(start(wrong, &zone, Timestamp::MIN), None, "{wrong}");
        }
    }
}
