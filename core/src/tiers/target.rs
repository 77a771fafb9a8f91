//! How long something may take.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Serialize, Serializer};

use super::severity::PerSeverity;

const MINUTES_OF_DAY: u64 = 24 * 60;

/// Longer than a year is a slip of the pen.
const LONGEST: u64 = 366 * MINUTES_OF_DAY;

/// A span of whole minutes, never zero, at most 366 days. Written and shown `30min`, `24h`, `3d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    minutes: u64,
}

impl Target {
    /// The span.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.minutes * 60)
    }
}

impl From<Target> for Duration {
    fn from(target: Target) -> Self {
        target.duration()
    }
}

/// A text that is no span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// It does not have the form.
    #[error("{0:?} is not a time like 30min, 24h or 3d")]
    Form(String),
    /// Nobody can answer in no time.
    #[error("{0:?} is not longer than zero")]
    Zero(String),
    /// More than a year.
    #[error("{0:?} is longer than 366 days")]
    Long(String),
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        let number = &text[..text.len() - unit.len()];
        let factor = match unit {
            "min" => 1,
            "h" => 60,
            "d" => MINUTES_OF_DAY,
            _ => return Err(InvalidTarget::Form(text.to_owned())),
        };
        let digits = number.strip_prefix('-').unwrap_or(number);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidTarget::Form(text.to_owned()));
        }
        let minutes = digits
            .parse::<u64>()
            .unwrap_or(u64::MAX)
            .saturating_mul(factor);
        if minutes == 0 || number.starts_with('-') {
            Err(InvalidTarget::Zero(text.to_owned()))
        } else if minutes > LONGEST {
            Err(InvalidTarget::Long(text.to_owned()))
        } else {
            Ok(Self { minutes })
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.minutes;
        // One day reads as 24h, the way it is sold.
        if minutes.is_multiple_of(MINUTES_OF_DAY) && minutes > MINUTES_OF_DAY {
            f.pad(&format!("{}d", minutes / MINUTES_OF_DAY))
        } else if minutes.is_multiple_of(60) {
            f.pad(&format!("{}h", minutes / 60))
        } else {
            f.pad(&format!("{minutes}min"))
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What was promised and what we aim at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Goal {
    /// The promise; a miss is measured against it. Always there for a first response.
    pub contract: Option<Target>,
    /// Our own objective; people are called for it. Never longer than the promise.
    pub internal: Target,
}

/// The clocks of a tier, by severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Targets {
    /// From the opening to the first answer by a person.
    pub first_response: PerSeverity<Goal>,
    /// From the oldest unanswered mail to the next answer.
    pub next_response: PerSeverity<Goal>,
    /// From the opening to resolved, or a way around it.
    pub resolution: PerSeverity<Goal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_shown_as_they_are_written() {
        for text in ["30min", "1h", "24h", "3d", "10d", "90min"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert_eq!("1d".parse::<Target>().unwrap().to_string(), "24h");
        assert_eq!(
            "2h".parse::<Target>().unwrap().duration(),
            Duration::from_hours(2)
        );
    }

    #[test]
    fn nothing_else_is_a_span() {
        for text in [
            "", "h", "5", "1.5h", "1h30min", "5 min", "1H", "2w", "-", "--5h", "1-2h",
        ] {
            let error = text.parse::<Target>();
            assert!(
                matches!(error, Err(InvalidTarget::Form(_))),
                "{text}: {error:?}"
            );
        }
        for text in ["0h", "-1h", "00min"] {
            assert!(
                matches!(text.parse::<Target>(), Err(InvalidTarget::Zero(_))),
                "{text}"
            );
        }
        for text in ["367d", "99999999999999999999h"] {
            assert!(
                matches!(text.parse::<Target>(), Err(InvalidTarget::Long(_))),
                "{text}"
            );
        }
    }
}
