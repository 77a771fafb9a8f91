//! Instants. Time is an argument everywhere: a unit of work reads it once, when it begins
//! ([`crate::store::Database::begin_write`]), and hands it on.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in UTC with microsecond precision, the finest both databases keep.
///
/// Prints as RFC 3339 with a `Z`; whole seconds print without a fraction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 9999-12-30T22:00:00Z, the last instant that the calendar library prints.
    pub const MAX: Self = Self(253_402_207_200_000_000);
    /// The first instant we accept: 1 January of the year 1.
    pub const MIN: Self = Self(-62_135_596_800_000_000);

    /// From microseconds since 1970-01-01T00:00:00Z, clamped to [`Self::MIN`]..=[`Self::MAX`].
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// From whole seconds since 1970-01-01T00:00:00Z, clamped like [`Self::from_micros`].
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This instant moved forward, at most to [`Self::MAX`].
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// This instant moved back, at most to [`Self::MIN`].
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(micros))
    }

    /// The time since `earlier`, zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// What people write for a moment: an instant with its zone, to the minute at least, or a day,
    /// whose first instant in UTC is meant.
    pub fn parse_moment(text: &str) -> Option<Self> {
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(Self::from_micros(at.as_microsecond()));
        }
        let day: jiff::civil::Date = text.parse().ok()?;
        let at = day.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self::from_micros(at.timestamp().as_microsecond()))
    }

    /// The same instant for the calendar library.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).expect("construction keeps within the range")
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        Self::from_micros(instant.as_microsecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(Self::from)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a database takes the time from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock with SQLite, the server's with PostgreSQL.
    #[default]
    System,
    /// A clock that only moves when told to: tests and the demo.
    Manual(std::sync::Arc<std::sync::atomic::AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at` until [`Clock::advance`] moves it.
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(std::sync::Arc::new(at.micros().into()))
    }

    /// Moves a manual clock forward; a system clock is not ours to move.
    pub fn advance(&self, span: Duration) {
        if let Self::Manual(micros) = self {
            let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            micros.fetch_add(span, std::sync::atomic::Ordering::SeqCst);
        }
    }

    /// What this process's own clock says. Units of work ask their transaction instead.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    pub fn read(&self) -> Timestamp {
        match self {
            Self::System => jiff::Timestamp::now().into(),
            Self::Manual(micros) => {
                Timestamp::from_micros(micros.load(std::sync::atomic::Ordering::SeqCst))
            }
        }
    }
}

/// Keeps time from running back, or standing still, while a process runs: where the clock was set back, it
/// goes on from where it was, at its own pace. Steps that are due would wait for as long as it was set back
/// otherwise.
#[derive(Debug, Default)]
pub(crate) struct Steady(std::sync::Mutex<Option<(std::time::Instant, Timestamp)>>);

/// Two servers, or two cores, may differ by so much.
const TOLERANCE: Duration = Duration::from_secs(1);

impl Steady {
    /// What to take for now, where the clock says `read`. A clock that moves by hand is left alone.
    pub(crate) fn keep(&self, clock: &Clock, read: Timestamp) -> Timestamp {
        match clock {
            Clock::Manual(_) => read,
            Clock::System => self.at(std::time::Instant::now(), read),
        }
    }

    fn at(&self, instant: std::time::Instant, read: Timestamp) -> Timestamp {
        let mut last = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = match *last {
            Some((before, then)) => {
                let passed = then.plus(instant.saturating_duration_since(before));
                if passed.since(read) > TOLERANCE {
                    passed
                } else {
                    read
                }
            }
            None => read,
        };
        *last = Some((instant, now));
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339_in_utc_and_reads_it_back() {
        let at = Timestamp::from_micros(1_795_430_400_500_000);
        assert_eq!(at.to_string(), "2026-11-23T10:40:00.5Z");
        assert_eq!(
            "2026-11-23T11:40:00.5+01:00".parse::<Timestamp>().unwrap(),
            at
        );
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_time() {
        let (steady, begin) = (Steady::default(), std::time::Instant::now());
        let after = |seconds| begin + Duration::from_secs(seconds);
        let noon = Timestamp::from_seconds(1_795_430_400);
        let plus = |seconds| noon.plus(Duration::from_secs(seconds));
        let back = |seconds| noon.minus(Duration::from_secs(seconds));
        assert_eq!(steady.at(after(0), noon), noon);
        assert_eq!(steady.at(after(10), plus(10)), plus(10));
        // An hour back, and a day: ten seconds are ten seconds.
        assert_eq!(steady.at(after(20), back(3_580)), plus(20));
        assert_eq!(steady.at(after(30), back(86_370)), plus(30));
        // Set right again, or put forward, it is believed.
        assert_eq!(steady.at(after(40), plus(40)), plus(40));
        assert_eq!(steady.at(after(50), plus(3_650)), plus(3_650));
        // What differs by less than a second is no jump.
        let less = Timestamp::from_micros(plus(3_660).micros() - 500_000);
        assert_eq!(steady.at(after(60), less), less);
    }

    #[test]
    fn ends_of_the_range_neither_wrap_nor_panic() {
        assert_eq!(Timestamp::MAX.plus(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.minus(Duration::MAX), Timestamp::MIN);
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
        assert!(Timestamp::MAX.to_string().starts_with("9999-12-30"));
        assert!(Timestamp::MIN.to_string().starts_with("0001-01-01"));
    }
}
