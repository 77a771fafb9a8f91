//! Brute force over every zone and every change of clocks from 2024 to 2037.
//!
//! Around each change (3 days on both sides) each rotation is asked who is on call, instant by instant, and
//! held against a clock that is only watched, never calculated with, and against what a rota promises. A
//! calculation that counts in elapsed time is caught by the same checks.
#![expect(clippy::print_stdout, reason = "tests print what they counted")]

use std::collections::BTreeMap;

use jiff::{
    SignedDuration,
    civil::DateTime,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::super::{Period, Rotation, Shift, WeekdayMask, wall};
use crate::{clock::Timestamp, ids::StaffId};

const FROM: &str = "2024-01-01T00:00:00Z";
const TO: &str = "2038-01-01T00:00:00Z";
const AROUND: SignedDuration = SignedDuration::from_hours(72);
/// Between two instants of the walk.
const STEP: SignedDuration = SignedDuration::from_mins(20);

pub(super) fn people(count: u128) -> Vec<StaffId> {
    (1..=count)
        .map(|one| StaffId(uuid::Uuid::from_u128(one)))
        .collect()
}

fn instant(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

/// A way to calculate a rota, to be checked.
trait Calculation {
    fn at(&self, at: Timestamp) -> Option<Shift>;
    fn shifts(&self, from: Timestamp, to: Timestamp) -> Vec<Shift>;
}

impl Calculation for Rotation {
    fn at(&self, at: Timestamp) -> Option<Shift> {
        Rotation::at(self, at)
    }
    fn shifts(&self, from: Timestamp, to: Timestamp) -> Vec<Shift> {
        Rotation::shifts(self, from, to).collect()
    }
}

/// The calculation that is usually written: so many hours are so many seconds.
struct Elapsed {
    people: Vec<StaffId>,
    first: Timestamp,
    seconds: i64,
}

impl Elapsed {
    fn shift(&self, number: i64) -> Shift {
        let begin = self.first.to_jiff().as_second() + number * self.seconds;
        let people = i64::try_from(self.people.len()).unwrap();
        Shift {
            person: self.people[usize::try_from(number.rem_euclid(people)).unwrap()],
            start: Timestamp::from_seconds(begin),
            end: Timestamp::from_seconds(begin + self.seconds),
            turn: number,
        }
    }
    fn number(&self, at: Timestamp) -> i64 {
        (at.to_jiff().as_second() - self.first.to_jiff().as_second()).div_euclid(self.seconds)
    }
}

impl Calculation for Elapsed {
    fn at(&self, at: Timestamp) -> Option<Shift> {
        (at >= self.first).then(|| self.shift(self.number(at)))
    }
    fn shifts(&self, from: Timestamp, to: Timestamp) -> Vec<Shift> {
        (self.number(from).max(0)..=self.number(to))
            .map(|number| self.shift(number))
            .filter(|shift| shift.start < to && shift.end > from)
            .collect()
    }
}

/// What is walked through: a zone around one of its changes.
struct Window<'a> {
    zone: &'a TimeZone,
    from: jiff::Timestamp,
    to: jiff::Timestamp,
}

/// A rotation in words, for the check to hold the calculation against.
#[derive(Clone, Copy, Debug)]
struct Rule {
    starts: DateTime,
    period: Period,
    days: WeekdayMask,
}

impl Rule {
    fn span(self) -> SignedDuration {
        match self.period {
            Period::Hours(hours) => SignedDuration::from_hours(hours.into()),
            Period::Days(days) => SignedDuration::from_hours(i64::from(days) * 24),
        }
    }

    fn rotation(self, zone: &TimeZone) -> Rotation {
        Rotation::new(people(5), zone.clone(), self.starts, self.period, self.days).unwrap()
    }
}

/// How much was looked at.
#[derive(Default)]
struct Tally {
    instants: u64,
    shifts: u64,
}

/// Everything that a rota promises, in one window. The first breach in words.
fn check(
    rule: Rule,
    rota: &impl Calculation,
    window: &Window<'_>,
    tally: &mut Tally,
) -> Result<(), String> {
    let (from, to) = (window.from.into(), window.to.into());
    let shifts = rota.shifts(from, to);
    tally.shifts += u64::try_from(shifts.len()).unwrap();
    check_shifts(rule, &shifts, window)?;
    let mut clock = Simulated::new(rule, window);
    for at in instants(&shifts, window) {
        tally.instants += 1;
        let found = rota.at(at.into());
        // They are in order and do not overlap, as was just checked.
        let begun = shifts.partition_point(|shift| shift.start <= at.into());
        let listed = begun.checked_sub(1).map(|last| shifts[last]);
        let listed = listed.filter(|shift| shift.end > at.into());
        if listed != found {
            return Err(format!("{at}: {listed:?} forward, {found:?} backward"));
        }
        clock.check(at, found)?;
    }
    Ok(())
}

/// The order, the seams and the wall times of shifts that follow each other.
fn check_shifts(rule: Rule, shifts: &[Shift], window: &Window<'_>) -> Result<(), String> {
    let zone = window.zone;
    let order = people(5);
    for pair in shifts.windows(2) {
        let [one, next] = [pair[0], pair[1]];
        if one.end > next.start {
            return Err(format!("{one:?} overlaps {next:?}"));
        }
        if rule.days == WeekdayMask::ALL && one.end != next.start {
            return Err(format!("nobody between {one:?} and {next:?}"));
        }
        let place = |shift: Shift| order.iter().position(|one| *one == shift.person).unwrap();
        let steps = (place(next) + order.len() - place(one)) % order.len();
        if (next.turn - one.turn, steps) != (1, 1) && (next.turn, steps) != (one.turn, 0) {
            return Err(format!("{one:?} is followed by {next:?}"));
        }
    }
    for shift in shifts {
        check_seam(rule, shift.start, zone)?;
        // With days off a shift may end the second time the clock shows its end.
        if rule.days == WeekdayMask::ALL {
            check_seam(rule, shift.end, zone)?;
        }
    }
    Ok(())
}

/// A handoff is when the clock shows the configured time for the first time, or jumps over it.
fn check_seam(rule: Rule, at: Timestamp, zone: &TimeZone) -> Result<(), String> {
    let at = at.to_jiff();
    let shown = zone.to_datetime(at);
    let piece = match rule.period {
        Period::Hours(_) => rule.span().as_secs(),
        Period::Days(_) => 86_400,
    };
    let since = shown.duration_since(rule.starts).as_secs();
    let late = SignedDuration::from_secs(since.rem_euclid(piece));
    let tick = SignedDuration::from_micros(1);
    let before = zone.to_datetime(at - tick);
    let jump = shown.duration_since(before);
    let has_jumped = jump > tick;
    let is_skipped = has_jumped && late < jump;
    if !late.is_zero() && !is_skipped {
        return Err(format!("a handoff at {shown}, {at}"));
    }
    let first = zone.to_ambiguous_timestamp(shown).earlier().unwrap();
    if late.is_zero() && first != at && !has_jumped {
        return Err(format!("a handoff the second time it is {shown}, {at}"));
    }
    Ok(())
}

/// The instants of a walk: steps, and every seam with the microseconds around it.
fn instants(shifts: &[Shift], window: &Window<'_>) -> Vec<jiff::Timestamp> {
    let mut all = Vec::new();
    let mut at = window.from;
    while at < window.to {
        all.push(at);
        at += STEP;
    }
    let changes = window.zone.following(window.from);
    let changes = changes
        .map(|change| change.timestamp())
        .take_while(|change| *change < window.to);
    let seams = shifts
        .iter()
        .flat_map(|shift| [shift.start.to_jiff(), shift.end.to_jiff()]);
    for seam in seams.chain(changes) {
        let tick = SignedDuration::from_micros(1);
        all.extend([seam - tick, seam, seam + tick]);
    }
    all.retain(|at| (window.from..window.to).contains(at));
    all.sort_unstable();
    all.dedup();
    all
}

/// A clock on the wall that is watched from the beginning of the window on: whenever it shows a handoff for
/// the first time, or has jumped over it, the next one's turn begins. It knows nothing of gaps and folds.
struct Simulated<'a> {
    rule: Rule,
    zone: &'a TimeZone,
    furthest: Option<DateTime>,
    /// Of the shift before: its number on the wall, and who had it.
    last: Option<(i64, StaffId)>,
}

impl<'a> Simulated<'a> {
    fn new(rule: Rule, window: &Window<'a>) -> Self {
        Self {
            rule,
            zone: window.zone,
            furthest: None,
            last: None,
        }
    }

    fn check(&mut self, at: jiff::Timestamp, found: Option<Shift>) -> Result<(), String> {
        let shown = self.zone.to_datetime(at);
        let furthest = self.furthest.map_or(shown, |furthest| furthest.max(shown));
        self.furthest = Some(furthest);
        if self.rule.days != WeekdayMask::ALL {
            let is_put_back = furthest > shown;
            return self.check_day(at, furthest, is_put_back, found);
        }
        let since = furthest.duration_since(self.rule.starts).as_secs();
        let number = since.div_euclid(self.rule.span().as_secs());
        match (found, self.last) {
            (None, _) if since < 0 => {}
            (None, _) => return Err(format!("{at}: nobody")),
            (Some(found), Some((before, person)))
                if (before == number) != (person == found.person) =>
            {
                return Err(format!(
                    "{at}: {person:?} had {before}, {found:?} has {number}"
                ));
            }
            (Some(found), _) => self.last = Some((number, found.person)),
        }
        Ok(())
    }

    /// With days off: the piece in which the clock is says whether anybody is on call.
    fn check_day(
        &self,
        at: jiff::Timestamp,
        furthest: DateTime,
        is_put_back: bool,
        found: Option<Shift>,
    ) -> Result<(), String> {
        let since = furthest.duration_since(self.rule.starts).as_secs();
        let piece = match self.rule.period {
            Period::Hours(_) => self.rule.span().as_secs(),
            Period::Days(_) => 86_400,
        };
        let begins = SignedDuration::from_secs(since.div_euclid(piece) * piece);
        let wanted = since >= 0 && self.rule.days.has((self.rule.starts + begins).weekday());
        match found {
            Some(_) if !wanted && !is_put_back && !is_shown_again(self.zone, furthest) => {
                Err(format!("{at}: {found:?} on a day off"))
            }
            None if wanted => Err(format!("{at}: nobody on a day of theirs")),
            _ => Ok(()),
        }
    }
}

/// Whether a time is shown twice: then a shift that ends at it lasts until the second time.
fn is_shown_again(zone: &TimeZone, shown: DateTime) -> bool {
    zone.to_ambiguous_timestamp(shown).is_ambiguous()
}

/// A zone of each behaviour, with the changes of its offset.
fn behaviours(names: &mut usize) -> Vec<(TimeZone, Vec<jiff::Timestamp>)> {
    let zones = TimeZoneDatabase::bundled();
    let (from, to) = (instant(FROM), instant(TO));
    let mut behaviours = BTreeMap::new();
    for name in zones.available() {
        *names += 1;
        let zone = zones.get(name.as_str()).unwrap();
        let mut offset = zone.to_offset(from);
        let mut key = vec![(from, offset)];
        let changes = zone
            .following(from)
            .take_while(|change| change.timestamp() < to);
        for change in changes {
            if change.offset() != offset {
                offset = change.offset();
                key.push((change.timestamp(), offset));
            }
        }
        behaviours.entry(key).or_insert(zone);
    }
    let changes = |key: Vec<(jiff::Timestamp, _)>| key.into_iter().skip(1).map(|(at, _)| at);
    let found = behaviours.into_iter();
    found
        .map(|(key, zone)| (zone, changes(key).collect()))
        .collect()
}

/// Rotations whose handoffs lie where it hurts: in what the clock skips or shows twice, at the change, and
/// at nine.
fn rules(zone: &TimeZone, change: jiff::Timestamp) -> Vec<Rule> {
    let tick = SignedDuration::from_micros(1);
    let (before, after) = (zone.to_datetime(change - tick), zone.to_datetime(change));
    let middle = before.duration_since(after).abs() / 2;
    let inside = before.min(after) + middle;
    // Whole minutes: the middle of a change of half an hour is a quarter.
    let inside = inside.date().at(inside.hour(), inside.minute(), 0, 0);
    let weekdays: WeekdayMask = "mon-fri".parse().unwrap();
    let weekend: WeekdayMask = "sat,sun".parse().unwrap();
    let days_before = |wall: DateTime, days: i64| wall - SignedDuration::from_hours(24 * days);
    let rule = |starts, period, days| Rule {
        starts,
        period,
        days,
    };
    let all = WeekdayMask::ALL;
    let whole = after.date().at(0, 0, 0, 0);
    vec![
        rule(days_before(whole, 5), Period::Hours(1), all),
        rule(days_before(inside, 5), Period::Hours(1), all),
        rule(days_before(inside, 6), Period::Hours(12), all),
        rule(days_before(inside, 30), Period::Days(1), all),
        rule(
            days_before(whole, 28).date().at(9, 0, 0, 0),
            Period::Days(7),
            all,
        ),
        rule(days_before(inside, 14), Period::Days(7), all),
        rule(days_before(inside, 28), Period::Days(14), all),
        rule(days_before(inside, 14), Period::Days(1), weekdays),
        rule(days_before(whole, 21), Period::Days(7), weekend),
        rule(days_before(inside, 14), Period::Hours(12), weekend),
    ]
}

fn window(zone: &TimeZone, change: jiff::Timestamp) -> Window<'_> {
    Window {
        zone,
        from: change - AROUND,
        to: change + AROUND,
    }
}

#[test]
fn at_each_instant_exactly_one_is_on_call_in_every_zone() {
    let started = std::time::Instant::now();
    let mut names = 0;
    let behaviours = behaviours(&mut names);
    let (mut changes, mut rotations) = (0, 0);
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    for (zone, at) in &behaviours {
        changes += at.len();
        // A zone that never changes is walked through once.
        let steady = [instant("2026-11-23T09:00:00Z")];
        let at = if at.is_empty() { &steady[..] } else { at };
        for change in at {
            for rule in rules(zone, *change) {
                rotations += 1;
                let rotation = rule.rotation(zone);
                let outcome = check(rule, &rotation, &window(zone, *change), &mut tally);
                if let Err(breach) = outcome {
                    wrong.push(format!("{:?} {}: {breach}", zone.iana_name(), rule.period));
                }
            }
        }
    }
    println!(
        "{names} zones, {} behaviours, {changes} changes, {rotations} rotations, {} shifts, {} instants: {} wrong, {:.1} s",
        behaviours.len(),
        tally.shifts,
        tally.instants,
        wrong.len(),
        started.elapsed().as_secs_f64()
    );
    assert!(wrong.is_empty(), "{:#?}", &wrong[..wrong.len().min(10)]);
    assert!(names > 400 && behaviours.len() > 50 && changes > 500);
}

#[test]
fn the_same_checks_catch_a_rota_of_elapsed_time() {
    let mut names = 0;
    let (mut caught, mut missed, mut alike) = (0, Vec::new(), 0);
    let mut tally = Tally::default();
    let behaviours = behaviours(&mut names);
    for (zone, at) in &behaviours {
        for change in at {
            let rules = rules(zone, *change);
            for rule in rules.iter().filter(|rule| rule.days == WeekdayMask::ALL) {
                let naive = Elapsed {
                    people: people(5),
                    first: wall::first(zone, rule.starts),
                    seconds: rule.span().as_secs(),
                };
                let window = window(zone, *change);
                let (from, to) = (window.from.into(), window.to.into());
                let ours = Calculation::shifts(&rule.rotation(zone), from, to);
                match check(*rule, &naive, &window, &mut tally) {
                    Err(_) => caught += 1,
                    // An hour that is skipped is no shift, and the next hour's is the next one's.
                    Ok(()) if naive.shifts(from, to) == ours => alike += 1,
                    Ok(()) => missed.push((zone.iana_name(), *change, *rule)),
                }
            }
        }
    }
    println!(
        "elapsed time: {caught} caught, {} missed, {alike} calculated alike",
        missed.len()
    );
    assert!(caught > 4_000 && alike < caught / 2, "{caught} {alike}");
    assert!(missed.is_empty(), "{:#?}", &missed[..missed.len().min(10)]);
}
