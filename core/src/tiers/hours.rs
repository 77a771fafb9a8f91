//! When the support of a tier is open.

use std::{fmt, str::FromStr};

use jiff::{
    civil::{Time, Weekday},
    tz::TimeZone,
};

use crate::clock::Timestamp;

/// Round the clock, or a daily window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SupportHours {
    /// `24x7`
    AlwaysOpen,
    /// `mon-fri 09:00-17:00 Europe/Berlin`
    Window(SupportWindow),
}

/// The same hours on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupportWindow {
    /// Sorted from Monday, none twice, never empty.
    pub days: Vec<Weekday>,
    /// The first minute.
    pub from: Time,
    /// The minute after the last; later than `from` on the same day.
    pub to: Time,
    /// Whose clock on the wall.
    pub zone: TimeZone,
}

/// A text that is no support hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSupportHours {
    /// It does not have the form.
    #[error("{0:?} is neither 24x7 nor a window like mon-fri 09:00-17:00 Europe/Berlin")]
    Form(String),
    /// The zone is unknown to this machine's time zone database.
    #[error("{0:?} is not a time zone")]
    Zone(String),
    /// The window has no minute in it.
    #[error("{0:?} does not end after it begins")]
    Empty(String),
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl SupportHours {
    /// Whether support is open at this instant.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let Self::Window(window) = self else {
            return true;
        };
        let local = at.to_jiff().to_zoned_datetime(window.zone.clone());
        window.days.contains(&local.weekday()) && (window.from..window.to).contains(&local.time())
    }

    /// The first instant, not before this one, at which support is open. A window that a change of the
    /// clock swallows whole is passed over.
    pub fn next_opening(&self, at: Timestamp) -> Timestamp {
        let Self::Window(window) = self else {
            return at;
        };
        if self.is_open(at) {
            return at;
        }
        let mut day = at.to_jiff().to_zoned_datetime(window.zone.clone()).date();
        // A window has a day of the week, and no two weeks in a row lose the same one.
        for _ in 0..21 {
            let opening = window
                .zone
                .to_ambiguous_zoned_datetime(day.to_datetime(window.from));
            if let Ok(opening) = opening.compatible() {
                let opening = Timestamp::from(opening.timestamp());
                if opening >= at && self.is_open(opening) {
                    return opening;
                }
            }
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        at
    }
}

impl FromStr for SupportHours {
    type Err = InvalidSupportHours;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "24x7" {
            return Ok(Self::AlwaysOpen);
        }
        let form = || InvalidSupportHours::Form(text.to_owned());
        let words: Vec<&str> = text.split_whitespace().collect();
        let [days, times, zone] = words.as_slice() else {
            return Err(form());
        };
        let days = read_days(days).ok_or_else(form)?;
        let (from, to) = times.split_once('-').ok_or_else(form)?;
        let (from, to) = (
            read_time(from).ok_or_else(form)?,
            read_time(to).ok_or_else(form)?,
        );
        let zone =
            TimeZone::get(zone).map_err(|_| InvalidSupportHours::Zone((*zone).to_owned()))?;
        if from >= to {
            return Err(InvalidSupportHours::Empty((*times).to_owned()));
        }
        Ok(Self::Window(SupportWindow {
            days,
            from,
            to,
            zone,
        }))
    }
}

fn read_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let is_pair = |digits: &str| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_pair(hour) || !is_pair(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// `mon-fri`, `mon,wed`, `sat`. A range does not run over the end of the week.
fn read_days(text: &str) -> Option<Vec<Weekday>> {
    let index = |name: &str| DAYS.iter().position(|(word, _)| *word == name);
    let mut wanted = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        wanted.get_mut(index(first)?..=index(last)?)?.fill(true);
    }
    Some(
        DAYS.iter()
            .zip(wanted)
            .filter(|(_, wanted)| *wanted)
            .map(|((_, day), _)| *day)
            .collect(),
    )
}

impl fmt::Display for SupportHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = match self {
            Self::AlwaysOpen => return f.pad("24x7"),
            Self::Window(window) => window,
        };
        let days: Vec<&str> = DAYS
            .iter()
            .filter(|(_, day)| window.days.contains(day))
            .map(|(word, _)| *word)
            .collect();
        let zone = window.zone.iana_name().unwrap_or("UTC");
        let (from, to) = (window.from, window.to);
        write!(
            f,
            "{} {:02}:{:02}-{:02}:{:02} {zone}",
            days.join(","),
            from.hour(),
            from.minute(),
            to.hour(),
            to.minute()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_and_shown() {
        for (text, shown) in [
            ("24x7", "24x7"),
            (
                "mon-fri 09:00-17:30 UTC",
                "mon,tue,wed,thu,fri 09:00-17:30 UTC",
            ),
            (
                "sat,mon,mon 00:00-23:59 Europe/Berlin",
                "mon,sat 00:00-23:59 Europe/Berlin",
            ),
        ] {
            let hours: SupportHours = text.parse().unwrap();
            assert_eq!(hours.to_string(), shown);
            assert_eq!(shown.parse(), Ok(hours));
        }
    }

    #[test]
    fn a_closed_window_opens_at_its_wall_time() {
        let hours: SupportHours = "mon-fri 09:00-17:00 Europe/Berlin".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (now, opening) in [
            ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"),
            ("2026-11-24T07:59:59Z", "2026-11-24T08:00:00Z"),
            ("2026-11-24T16:00:00Z", "2026-11-25T08:00:00Z"),
            ("2026-11-27T16:00:00Z", "2026-11-30T08:00:00Z"),
            // The clocks change on the Sunday in between.
            ("2026-03-27T20:00:00Z", "2026-03-30T07:00:00Z"),
        ] {
            assert_eq!(hours.next_opening(at(now)), at(opening), "{now}");
            assert_eq!(hours.is_open(at(now)), now == opening, "{now}");
        }
        let night: SupportHours = "sun 02:00-02:30 Europe/Berlin".parse().unwrap();
        let swallowed = at("2026-03-28T12:00:00Z");
        assert_eq!(night.next_opening(swallowed), at("2026-04-05T00:00:00Z"));
        let always = SupportHours::AlwaysOpen;
        assert_eq!(always.next_opening(swallowed), swallowed);
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in [
            "",
            "24/7",
            "mon-fri",
            "fri-mon 09:00-17:00 UTC",
            "mon 9-17 UTC",
            "mon 09:00-25:00 UTC",
            "mon, 09:00-17:00 UTC",
            "mon +9:00-17:00 UTC",
        ] {
            let hours = text.parse::<SupportHours>();
            assert!(
                matches!(hours, Err(InvalidSupportHours::Form(_))),
                "{text}: {hours:?}"
            );
        }
        assert!("mon 09:00-17:00 Mars/Base".parse::<SupportHours>().is_err());
        assert!("mon 17:00-09:00 UTC".parse::<SupportHours>().is_err());
    }
}
