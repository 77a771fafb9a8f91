//! Days of the week.

use std::{fmt, str::FromStr};

use jiff::civil::Weekday;

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Some days of the week, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekdayMask(u8);

/// What is no list of days.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no list of days; write mon-fri, or sat, sun")]
pub struct InvalidDays(String);

impl WeekdayMask {
    /// Every day.
    pub const ALL: Self = Self(0b0111_1111);

    /// Whether this day is one of them.
    pub fn has(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }
}

impl FromStr for WeekdayMask {
    type Err = InvalidDays;

    /// Days and ranges with commas: `mon-fri`, `sat,sun`, `fri-mon`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidDays(text.to_owned());
        let number = |name: &str| {
            let name = name.trim().to_ascii_lowercase();
            NAMES.iter().position(|known| *known == name)
        };
        let mut days = 0;
        for part in text.split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let from = number(from).ok_or_else(invalid)?;
            let to = number(to).ok_or_else(invalid)?;
            for step in 0..=(to + 7 - from) % 7 {
                days |= 1 << ((from + step) % 7);
            }
        }
        Ok(Self(days))
    }
}

impl fmt::Display for WeekdayMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut day = 0;
        let mut is_first = true;
        while day < NAMES.len() {
            if self.0 & (1 << day) == 0 {
                day += 1;
                continue;
            }
            let end = (day..NAMES.len()).take_while(|next| self.0 & (1 << next) != 0);
            let end = end.last().unwrap_or(day);
            if !is_first {
                f.write_str(",")?;
            }
            is_first = false;
            f.write_str(NAMES[day])?;
            if end > day {
                write!(f, "-{}", NAMES[end])?;
            }
            day = end + 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_back_as_they_print() {
        for (text, printed) in [
            ("mon-fri", "mon-fri"),
            ("sat, sun", "sat-sun"),
            ("fri-mon", "mon,fri-sun"),
            ("Wed", "wed"),
            ("mon-sun", "mon-sun"),
        ] {
            let mask: WeekdayMask = text.parse().unwrap();
            assert_eq!(mask.to_string(), printed);
            assert_eq!(printed.parse::<WeekdayMask>().unwrap(), mask);
        }
        for wrong in ["", "monday", "mon-", "mon..fri"] {
            assert!(wrong.parse::<WeekdayMask>().is_err(), "{wrong}");
        }
        assert_eq!("mon-sun".parse(), Ok(WeekdayMask::ALL));
    }
}
