//! People who take turns.
//!
//! Time is cut into *pieces* by the clock on the wall: an hour rotation's shift is one, a day
//! rotation's has one for each day. A piece counts when its first day is one of the rotation's
//! days. Turns are counted over shifts that somebody really has: one with no day of the rotation's,
//! or one that the clock skips as a whole, is nobody's turn, so nobody is skipped.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, civil::DateTime, tz::TimeZone};

use super::{WeekdayMask, wall};
use crate::{clock::Timestamp, ids::StaffId};

/// Shifts that a clock skips are looked for so many years from the start of a rotation.
const YEARS: i64 = 60;

/// How long a shift is, by the clock on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// So many hours, 1 to 240.
    Hours(u32),
    /// So many days, 1 to 366; a week is seven.
    Days(u32),
}

/// What is no length of a shift.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no length of a shift; write 1 week, 1 day, 12 hours (up to 240 hours or 366 days)"
)]
pub struct InvalidPeriod(String);

impl Period {
    /// The same, where it is within bounds.
    fn checked(self) -> Option<Self> {
        match self {
            Self::Hours(1..=240) | Self::Days(1..=366) => Some(self),
            _ => None,
        }
    }

    fn seconds_of_piece(self) -> i64 {
        match self {
            Self::Hours(hours) => i64::from(hours) * 3_600,
            Self::Days(_) => 86_400,
        }
    }

    fn pieces(self) -> i64 {
        match self {
            Self::Hours(_) => 1,
            Self::Days(days) => i64::from(days),
        }
    }

    /// After so many shifts the days of the week come round.
    fn cycle(self) -> i64 {
        match self {
            Self::Hours(_) => 168,
            Self::Days(_) => 7,
        }
    }
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidPeriod(text.to_owned());
        let mut words = text.split_whitespace();
        let (Some(number), Some(unit), None) = (words.next(), words.next(), words.next()) else {
            return Err(invalid());
        };
        let number: u32 = number.parse().map_err(|_| invalid())?;
        let period = match unit.trim_end_matches('s') {
            "hour" => Self::Hours(number),
            "day" => Self::Days(number),
            "week" => Self::Days(number.checked_mul(7).ok_or_else(invalid)?),
            _ => return Err(invalid()),
        };
        period.checked().ok_or_else(invalid)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match *self {
            Self::Hours(hours) => (hours, "hour"),
            Self::Days(days) if days % 7 == 0 => (days / 7, "week"),
            Self::Days(days) => (days, "day"),
        };
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

/// Why a rotation cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRotation {
    /// Nobody is in it.
    #[error("a rotation needs people")]
    Nobody,
    /// Its shifts are too short or too long.
    #[error(transparent)]
    Period(#[from] InvalidPeriod),
}

/// People who take turns, each for one shift.
#[derive(Clone, Debug)]
pub struct Rotation {
    people: Vec<StaffId>,
    zone: TimeZone,
    starts: DateTime,
    period: Period,
    days: WeekdayMask,
    /// Shifts with a day of the rotation's, before the n-th of a cycle.
    counted: Vec<i64>,
    /// The numbers of shifts that would count, but that the clock skips.
    skipped: Vec<i64>,
}

/// A stretch of time that one person is on call by a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Whose turn it is.
    pub person: StaffId,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// The turn's number; parts of one shift, with free days between them, have the same.
    pub turn: i64,
}

impl Rotation {
    /// People who take turns from `starts` on, a time on the wall in `zone`.
    pub fn new(
        people: Vec<StaffId>,
        zone: TimeZone,
        starts: DateTime,
        period: Period,
        days: WeekdayMask,
    ) -> Result<Self, InvalidRotation> {
        if people.is_empty() {
            return Err(InvalidRotation::Nobody);
        }
        let period = period
            .checked()
            .ok_or_else(|| InvalidPeriod(period.to_string()))?;
        let mut rotation = Self {
            people,
            zone,
            starts,
            period,
            days,
            counted: vec![0],
            skipped: Vec::new(),
        };
        let mut sum = 0;
        for shift in 0..period.cycle() {
            sum += i64::from(rotation.has_day(shift));
            rotation.counted.push(sum);
        }
        rotation.skipped = rotation.find_skipped();
        Ok(rotation)
    }

    /// Who is in it, in the order of their turns.
    pub fn people(&self) -> &[StaffId] {
        &self.people
    }

    /// The people in the order in which they would stand in for whoever has this turn.
    pub(super) fn order_from(&self, turn: i64) -> impl Iterator<Item = StaffId> {
        let first = self.place(turn);
        let (before, after) = self.people.split_at(first);
        after.iter().chain(before).copied()
    }

    fn place(&self, turn: i64) -> usize {
        let people = i64::try_from(self.people.len()).unwrap_or(i64::MAX);
        usize::try_from(turn.rem_euclid(people)).unwrap_or(0)
    }

    /// The shift at an instant, if somebody has one.
    pub fn at(&self, at: Timestamp) -> Option<Shift> {
        self.holding(at).map(|piece| self.shift_of(piece))
    }

    /// When the next shift after `at` begins, given that none holds then.
    pub(super) fn next_start(&self, at: Timestamp) -> Timestamp {
        let reached = wall::reached(&self.zone, at).wall;
        let from = self.piece_of(reached).map_or(0, |piece| piece + 1);
        let until = from + self.period.cycle() * self.period.pieces() * 2;
        (from..until)
            .filter(|piece| self.is_active(*piece))
            .map(|piece| wall::first(&self.zone, self.wall(piece)))
            .find(|start| *start > at)
            .unwrap_or(Timestamp::MAX)
    }

    /// The shifts that touch a span, in order.
    pub fn shifts(&self, from: Timestamp, to: Timestamp) -> Shifts<'_> {
        // The clock may have got further than it shows, never less: a day back is before any shift
        // that touches the span.
        let shown = self.zone.to_datetime(from.to_jiff());
        let piece = self.piece_of(shown).unwrap_or(0);
        let pieces = self.period.pieces();
        let back = 86_400 / self.period.seconds_of_piece() + 1;
        let piece = (piece - back).max(0) / pieces * pieces;
        Shifts {
            rotation: self,
            piece,
            from,
            to,
        }
    }

    /// The piece that holds at an instant.
    fn holding(&self, at: Timestamp) -> Option<i64> {
        let reached = wall::reached(&self.zone, at);
        let piece = self.piece_of(reached.wall)?;
        if self.is_active(piece) {
            return Some(piece);
        }
        if !reached.is_ambiguous {
            return None;
        }
        // A shift with nothing behind it ends the last time the clock shows its end.
        let back = 86_400 / self.period.seconds_of_piece() + 1;
        let before = ((piece - back).max(0)..piece)
            .rev()
            .find(|earlier| self.is_active(*earlier))?;
        (wall::last(&self.zone, self.wall(before + 1)) > at).then_some(before)
    }

    /// The piece in which a time on the wall lies.
    fn piece_of(&self, wall: DateTime) -> Option<i64> {
        if wall < self.starts {
            return None;
        }
        let since = wall.duration_since(self.starts).as_secs();
        Some(since / self.period.seconds_of_piece())
    }

    /// When a piece begins, on the wall.
    fn wall(&self, piece: i64) -> DateTime {
        let span = piece.saturating_mul(self.period.seconds_of_piece());
        self.starts.saturating_add(SignedDuration::from_secs(span))
    }

    fn is_active(&self, piece: i64) -> bool {
        piece >= 0 && (self.days == WeekdayMask::ALL || self.days.has(self.wall(piece).weekday()))
    }

    /// Whether a shift has a day of the rotation's.
    fn has_day(&self, shift: i64) -> bool {
        let pieces = self.period.pieces();
        let first = shift * pieces;
        (first..first + pieces.min(7)).any(|piece| self.is_active(piece))
    }

    /// How many turns were before this shift.
    fn turn(&self, shift: i64) -> i64 {
        let cycle = self.period.cycle();
        let whole = self.counted.last().copied().unwrap_or(0);
        let rest = usize::try_from(shift % cycle).unwrap_or(0);
        let skipped = self.skipped.partition_point(|one| *one < shift);
        shift / cycle * whole + self.counted[rest] - i64::try_from(skipped).unwrap_or(0)
    }

    /// The unbroken run of pieces of one shift around an active piece.
    fn shift_of(&self, piece: i64) -> Shift {
        let pieces = self.period.pieces();
        let shift = piece / pieces;
        let (mut first, mut end) = (shift * pieces, (shift + 1) * pieces);
        if self.days != WeekdayMask::ALL {
            let before = (first..piece).rev();
            first = piece - count(before.take_while(|one| self.is_active(*one)));
            let after = piece + 1..end;
            end = piece + 1 + count(after.take_while(|one| self.is_active(*one)));
        }
        let turn = self.turn(shift);
        let ends = self.wall(end);
        Shift {
            person: self.people[self.place(turn)],
            start: wall::first(&self.zone, self.wall(first)),
            end: if self.is_active(end) {
                wall::first(&self.zone, ends)
            } else {
                wall::last(&self.zone, ends)
            },
            turn,
        }
    }

    /// The shifts that count by their days and that the clock skips as a whole: an hour in spring, a
    /// day where an island changes sides of the date line.
    fn find_skipped(&self) -> Vec<i64> {
        let span = self.period.seconds_of_piece();
        let begin = wall::first(&self.zone, self.starts);
        let horizon = begin.to_jiff().as_second() + YEARS * 366 * 86_400;
        let mut skipped = Vec::new();
        let mut before = self.zone.to_offset(begin.to_jiff());
        for change in self.zone.following(begin.to_jiff()) {
            if change.timestamp().as_second() > horizon {
                break;
            }
            let after = change.offset();
            if i64::from(after.seconds()) - i64::from(before.seconds()) >= span {
                let from = before.to_datetime(change.timestamp());
                let to = after.to_datetime(change.timestamp());
                skipped.extend(self.skipped_between(from, to));
            }
            before = after;
        }
        skipped
    }

    /// The counting shifts of which every active piece lies in what a clock skips.
    fn skipped_between(&self, from: DateTime, to: DateTime) -> Vec<i64> {
        let pieces = self.period.pieces();
        let is_skipped = |piece: i64| self.wall(piece) >= from && self.wall(piece + 1) <= to;
        let (Some(last), first) = (self.piece_of(to), self.piece_of(from).unwrap_or(0)) else {
            return Vec::new();
        };
        let shifts = first / pieces..=last / pieces;
        shifts
            .filter(|shift| {
                let mut active = (shift * pieces..(shift + 1) * pieces)
                    .filter(|piece| self.is_active(*piece))
                    .peekable();
                active.peek().is_some() && active.all(is_skipped)
            })
            .collect()
    }
}

fn count(items: impl Iterator<Item = i64>) -> i64 {
    i64::try_from(items.count()).unwrap_or(i64::MAX)
}

/// The shifts that touch a span; see [`Rotation::shifts`].
#[derive(Clone, Debug)]
pub struct Shifts<'a> {
    rotation: &'a Rotation,
    piece: i64,
    from: Timestamp,
    to: Timestamp,
}

impl Iterator for Shifts<'_> {
    type Item = Shift;

    fn next(&mut self) -> Option<Shift> {
        let rotation = self.rotation;
        loop {
            let begins = wall::first(&rotation.zone, rotation.wall(self.piece));
            if begins >= self.to {
                return None;
            }
            if !rotation.is_active(self.piece) {
                self.piece += 1;
                continue;
            }
            let shift = rotation.shift_of(self.piece);
            let pieces = rotation.period.pieces();
            let end = (self.piece / pieces + 1) * pieces;
            self.piece += 1;
            while self.piece < end && rotation.is_active(self.piece) {
                self.piece += 1;
            }
            if shift.end > shift.start && shift.end > self.from && shift.start < self.to {
                return Some(shift);
            }
        }
    }
}
