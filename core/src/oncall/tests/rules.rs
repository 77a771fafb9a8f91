//! The rules, each in the plainest case.

use jiff::tz::TimeZone;

use super::super::{
    Absence, Layer, OnDuty, Override, OverrideKind, Period, Roster, Rotation, Schedule, Source,
    load, resolve, timeline,
};
use super::brute::people;
use crate::{
    clock::Timestamp,
    ids::{AbsenceId, OverrideId, StaffId},
    oncall::moment,
};

fn rotation(count: u128, zone: &str, starts: &str, every: &str, days: &str) -> Rotation {
    Rotation::new(
        people(count),
        TimeZone::get(zone).unwrap(),
        moment::wall(starts).unwrap(),
        every.parse().unwrap(),
        days.parse().unwrap(),
    )
    .unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The number of whoever has the shift, and the shift.
fn shown(rotation: &Rotation, from: &str, to: &str) -> Vec<(u128, String, String)> {
    rotation
        .shifts(at(from), at(to))
        .map(|one| {
            (
                one.person.0.as_u128(),
                one.start.to_string(),
                one.end.to_string(),
            )
        })
        .collect()
}

fn expect(list: &[(u128, &str, &str)]) -> Vec<(u128, String, String)> {
    let owned = |one: &(u128, &str, &str)| (one.0, one.1.to_owned(), one.2.to_owned());
    list.iter().map(owned).collect()
}

#[test]
fn an_hour_that_is_skipped_is_nobody_s_turn() {
    let hours = rotation(
        3,
        "America/Chicago",
        "2026-03-08 00:00",
        "1 hour",
        "mon-sun",
    );
    assert_eq!(
        shown(&hours, "2026-03-08T06:00:00Z", "2026-03-08T10:00:00Z"),
        expect(&[
            (1, "2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z"),
            (2, "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"),
            (3, "2026-03-08T08:00:00Z", "2026-03-08T09:00:00Z"),
            (1, "2026-03-08T09:00:00Z", "2026-03-08T10:00:00Z"),
        ])
    );
}

#[test]
fn an_hour_that_comes_twice_is_one_shift() {
    let hours = rotation(
        3,
        "Australia/Lord_Howe",
        "2026-04-05 00:00",
        "1 hour",
        "mon-sun",
    );
    // Half an hour: at 2:00 it is 1:30 again.
    assert_eq!(
        shown(&hours, "2026-04-04T13:30:00Z", "2026-04-04T16:00:00Z"),
        expect(&[
            (1, "2026-04-04T13:00:00Z", "2026-04-04T14:00:00Z"),
            (2, "2026-04-04T14:00:00Z", "2026-04-04T15:30:00Z"),
            (3, "2026-04-04T15:30:00Z", "2026-04-04T16:30:00Z"),
        ])
    );
}

#[test]
fn a_day_that_an_island_skips_is_nobody_s_turn() {
    // Samoa went from 29 to 31 December 2011.
    let days = rotation(3, "Pacific/Apia", "2011-12-28 00:00", "1 day", "mon-sun");
    let people: Vec<u128> = shown(&days, "2011-12-28T10:00:00Z", "2012-01-01T10:00:00Z")
        .into_iter()
        .map(|(person, ..)| person)
        .collect();
    assert_eq!(people, [1, 2, 3, 1]);
}

#[test]
fn days_off_count_for_nobody() {
    let days = rotation(2, "UTC", "2026-11-02 00:00", "1 day", "mon-fri");
    let people: Vec<u128> = shown(&days, "2026-11-02T00:00:00Z", "2026-11-17T00:00:00Z")
        .into_iter()
        .map(|(person, ..)| person)
        .collect();
    assert_eq!(people, [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]);
    assert_eq!(days.at(at("2026-11-07T12:00:00Z")), None);
    // A week whose weekend is off: two pieces of one turn, when it begins on a Thursday.
    let weeks = rotation(2, "UTC", "2026-11-05 09:00", "1 week", "mon-fri");
    assert_eq!(
        shown(&weeks, "2026-11-05T09:00:00Z", "2026-11-13T00:00:00Z"),
        expect(&[
            (1, "2026-11-05T09:00:00Z", "2026-11-07T09:00:00Z"),
            (1, "2026-11-09T09:00:00Z", "2026-11-12T09:00:00Z"),
            (2, "2026-11-12T09:00:00Z", "2026-11-14T09:00:00Z"),
        ])
    );
    assert_eq!(weeks.at(at("2026-11-05T08:59:59Z")), None, "not begun");
}

#[test]
fn what_ends_with_nothing_behind_it_ends_the_last_time() {
    // 1 November 2026 is a Sunday; at two it is one o'clock again.
    let sundays = rotation(2, "America/Chicago", "2026-10-03 01:30", "1 day", "sat");
    let shift = sundays.at(at("2026-11-01T07:00:00Z")).unwrap();
    assert_eq!(
        shift.end,
        at("2026-11-01T07:30:00Z"),
        "the second half past one"
    );
    let every_day = rotation(2, "America/Chicago", "2026-10-03 01:30", "1 day", "mon-sun");
    let shift = every_day.at(at("2026-11-01T06:00:00Z")).unwrap();
    assert_eq!(shift.end, at("2026-11-01T06:30:00Z"), "the first");
}

#[test]
fn long_after_the_start_it_is_found_at_once() {
    let hours = rotation(5, "Europe/Berlin", "1980-01-01 00:00", "1 hour", "mon-fri");
    let started = std::time::Instant::now();
    for step in 0..1_000 {
        let when = at("2030-06-03T12:00:00Z").plus(std::time::Duration::from_hours(step * 200));
        let _ = hours.at(when);
    }
    let each = started.elapsed() / 1_000;
    assert!(each < std::time::Duration::from_millis(2), "{each:?}");
    assert!("0 days".parse::<Period>().is_err() && "367 days".parse::<Period>().is_err());
    assert!("241 hours".parse::<Period>().is_err() && "1 month".parse::<Period>().is_err());
}

fn schedule() -> Schedule {
    let weeks = || rotation(3, "UTC", "2026-11-02 09:00", "1 week", "mon-sun");
    Schedule {
        primary: vec![weeks()],
        secondary: vec![weeks()],
        fallback: vec![],
    }
}

fn everybody(count: u128) -> Roster {
    Roster {
        active: people(count).into_iter().collect(),
        ..Roster::default()
    }
}

fn person(number: u128) -> Option<StaffId> {
    people(number).pop()
}

fn away(number: u128, from: &str, to: &str) -> Absence {
    Absence {
        id: AbsenceId::default(),
        person: person(number).unwrap(),
        starts: at(from),
        ends: at(to),
    }
}

#[test]
fn a_secondary_is_never_the_primary_and_a_stand_in_moves_no_order() {
    let (schedule, mut roster) = (schedule(), everybody(3));
    let ask = |roster: &Roster, when: &str| resolve(&schedule, roster, at(when));
    let duty = ask(&roster, "2026-11-03T00:00:00Z");
    assert_eq!((duty.primary, duty.secondary), (person(1), person(2)));
    roster
        .absences
        .push(away(1, "2026-11-03T00:00:00Z", "2026-11-04T00:00:00Z"));
    let duty = ask(&roster, "2026-11-03T00:00:00Z");
    assert_eq!((duty.primary, duty.secondary), (person(2), person(3)));
    assert_eq!(duty.until, at("2026-11-04T00:00:00Z"));
    let duty = ask(&roster, "2026-11-04T00:00:00Z");
    assert_eq!((duty.primary, duty.source), (person(1), Source::Rotation));
    roster.active.clear();
    let duty = ask(&roster, "2026-11-04T00:00:00Z");
    let nobody = OnDuty {
        primary: None,
        secondary: None,
        source: Source::CatchAll,
        until: at("2026-11-09T09:00:00Z"),
    };
    assert_eq!(duty, nobody);
}

#[test]
fn an_override_for_the_secondary_leaves_the_primary_alone() {
    let (schedule, mut roster) = (schedule(), everybody(3));
    roster.overrides.push(Override {
        id: OverrideId::default(),
        layer: Layer::Secondary,
        kind: OverrideKind::Override,
        person: person(3),
        replaces: None,
        starts: at("2026-11-03T00:00:00Z"),
        ends: at("2026-11-04T00:00:00Z"),
    });
    let duty = resolve(&schedule, &roster, at("2026-11-03T12:00:00Z"));
    assert_eq!((duty.primary, duty.secondary), (person(1), person(3)));
    assert_eq!(duty.source, Source::Rotation, "of the primary");
}

#[test]
fn nights_and_weekends_are_those_of_the_zone_s_clocks() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let day = rotation(1, "Europe/Berlin", "2027-01-01 00:00", "1 day", "mon-sun");
    let schedule = Schedule {
        primary: vec![day],
        ..Schedule::default()
    };
    // The days on which clocks are changed, both Sundays: one of 23 hours, one of 25.
    for (from, to, hours) in [
        ("2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z", 23),
        ("2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z", 25),
    ] {
        let segments = timeline(&schedule, &everybody(1), at(from), at(to));
        let load = load(&segments, &zone)[&person(1).unwrap()];
        let hours = std::time::Duration::from_hours(hours);
        assert_eq!(load.primary, hours);
        assert_eq!(load.weekends, hours);
        let days = std::time::Duration::from_hours(15);
        assert_eq!(load.nights + days, hours, "from 7 to 22 it is day");
    }
}
