//! What holds of any schedule with any changes.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::super::{
    Absence, Layer, Override, OverrideKind, Period, Roster, Rotation, Schedule, Source, Temporary,
    WeekdayMask, load, nominal, resolve, timeline,
};
use super::brute::people;
use crate::{
    clock::Timestamp,
    ids::{AbsenceId, OverrideId, StaffId, TemporaryId},
};

const BEGIN: i64 = 1_792_000_000; // in October 2026, before clocks are changed
const SPAN: i64 = 40 * 86_400;

fn instant() -> impl Strategy<Value = Timestamp> {
    (0..SPAN / 900).prop_map(|quarter| Timestamp::from_seconds(BEGIN + quarter * 900))
}

fn span() -> impl Strategy<Value = (Timestamp, Timestamp)> {
    (instant(), 1..400_i64).prop_map(|(from, quarters)| {
        (
            from,
            Timestamp::from_micros(from.micros() + quarters * 900_000_000),
        )
    })
}

fn person() -> impl Strategy<Value = StaffId> {
    (0..6_usize).prop_map(|one| people(6)[one])
}

fn rotation() -> impl Strategy<Value = Rotation> {
    let period = prop_oneof![
        (1..30_u32).prop_map(Period::Hours),
        (1..15_u32).prop_map(Period::Days)
    ];
    let days = prop_oneof![
        Just(WeekdayMask::ALL),
        Just("mon-fri".parse().unwrap()),
        Just("sat,sun".parse().unwrap()),
        Just("wed".parse().unwrap()),
    ];
    let zone = prop_oneof![
        Just("Europe/Berlin"),
        Just("America/St_Johns"),
        Just("Australia/Lord_Howe"),
        Just("Asia/Kolkata"),
    ];
    let who = proptest::collection::vec(person(), 1..5);
    (who, zone, period, days, 0..24_i8, 0..60_i8).prop_map(
        |(who, zone, period, days, hour, minute)| {
            let zone = TimeZone::get(zone).unwrap();
            let starts = jiff::civil::date(2026, 10, 5).at(hour, minute, 0, 0);
            Rotation::new(who, zone, starts, period, days).unwrap()
        },
    )
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let layer = || proptest::collection::vec(rotation(), 0..3);
    (layer(), layer(), layer()).prop_map(|(primary, secondary, fallback)| Schedule {
        primary,
        secondary,
        fallback,
    })
}

fn change() -> impl Strategy<Value = Override> {
    let layer = prop_oneof![Just(Layer::Primary), Just(Layer::Secondary)];
    let kind = prop_oneof![Just(OverrideKind::Override), Just(OverrideKind::Swap)];
    (layer, kind, person(), person(), span()).prop_map(
        |(layer, kind, who, whose, (starts, ends))| Override {
            id: OverrideId::default(),
            layer,
            kind,
            person: Some(who),
            replaces: (kind == OverrideKind::Swap).then_some(whose),
            starts,
            ends,
        },
    )
}

fn roster() -> impl Strategy<Value = Roster> {
    let overrides = proptest::collection::vec(change(), 0..5);
    let temporary = (schedule(), span()).prop_map(|(schedule, (starts, ends))| Temporary {
        id: TemporaryId::default(),
        starts,
        ends,
        schedule,
    });
    let absence = (person(), span()).prop_map(|(person, (starts, ends))| Absence {
        id: AbsenceId::default(),
        person,
        starts,
        ends,
    });
    let active = proptest::collection::btree_set(person(), 0..7);
    (
        overrides,
        proptest::collection::vec(temporary, 0..2),
        proptest::collection::vec(absence, 0..4),
        active,
    )
        .prop_map(|(overrides, temporaries, absences, active)| Roster {
            overrides,
            temporaries,
            absences,
            active,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_timeline_is_gapless_and_says_what_each_instant_says(
        schedule in schedule(), roster in roster(), from in instant(),
        instants in proptest::collection::vec(0..14 * 86_400_i64, 40),
    ) {
        let to = Timestamp::from_micros(from.micros() + 14 * 86_400_000_000);
        let segments = timeline(&schedule, &roster, from, to);
        prop_assert_eq!(segments[0].start, from);
        prop_assert_eq!(segments[segments.len() - 1].end, to);
        for pair in segments.windows(2) {
            prop_assert_eq!(pair[0].end, pair[1].start);
            let same = (pair[0].primary, pair[0].secondary, pair[0].source)
                == (pair[1].primary, pair[1].secondary, pair[1].source);
            prop_assert!(!same, "neighbours differ");
        }
        let tick = std::time::Duration::from_micros(1);
        let seams = segments.iter().flat_map(|one| [one.start, one.end.minus(tick)]);
        let picked = instants.iter().map(|second| from.plus(std::time::Duration::from_secs(second.unsigned_abs())));
        for at in seams.chain(picked) {
            let duty = resolve(&schedule, &roster, at);
            let segment = segments.iter().find(|one| one.start <= at && at < one.end).unwrap();
            prop_assert_eq!((duty.primary, duty.secondary, duty.source),
                (segment.primary, segment.secondary, segment.source), "{}", at);
            prop_assert!(duty.until > at);
            for called in [duty.primary, duty.secondary].into_iter().flatten() {
                prop_assert!(roster.is_there(called, at), "{called} is not there at {at}");
            }
            prop_assert!(duty.primary.is_none() || duty.primary != duty.secondary);
        }
        let hours: std::time::Duration = load(&segments, &TimeZone::UTC).values().map(|load| load.primary).sum();
        let held = segments.iter().filter(|one| one.primary.is_some());
        let held: std::time::Duration = held.map(|one| one.end.since(one.start)).sum();
        prop_assert_eq!(hours, held, "nobody's hours are lost");
    }

    #[test]
    fn a_swap_moves_its_owner_s_time_and_nothing_else(
        schedule in schedule(), mut roster in roster(), mut swap in change(), whose in person(),
        instants in proptest::collection::vec(instant(), 60),
    ) {
        (swap.kind, swap.replaces) = (OverrideKind::Swap, Some(whose));
        let without = roster.clone();
        roster.overrides.push(Override { person: None, ..swap.clone() });
        let offered = roster.clone();
        roster.overrides.pop();
        roster.overrides.push(swap.clone());
        let inside = [swap.starts, swap.ends.minus(std::time::Duration::from_micros(1))];
        for at in instants.into_iter().chain(inside) {
            let before = resolve(&schedule, &without, at);
            prop_assert!(resolve(&schedule, &offered, at).is_like(&before), "an offer is no change");
            let after = resolve(&schedule, &roster, at);
            let is_theirs = nominal(&schedule, &without, swap.layer, at) == Some(whose);
            let holds = swap.starts <= at && at < swap.ends && is_theirs;
            let taker = swap.person.filter(|taker| roster.is_there(*taker, at));
            match taker {
                Some(_) if holds && swap.layer == Layer::Primary => {
                    prop_assert_eq!((after.primary, after.source), (taker, Source::Swap));
                }
                Some(_) if holds => {
                    prop_assert_eq!(after.primary, before.primary);
                    prop_assert!(after.secondary == taker || after.primary == taker);
                }
                _ => prop_assert!(after.is_like(&before), "{at}: {before:?} {after:?}"),
            }
        }
    }

    #[test]
    fn forward_and_backward_agree_on_any_rotation(rotation in rotation(), from in instant()) {
        let to = Timestamp::from_micros(from.micros() + 20 * 86_400_000_000);
        let shifts: Vec<_> = rotation.shifts(from, to).collect();
        for pair in shifts.windows(2) {
            prop_assert!(pair[0].end <= pair[1].start);
            prop_assert!((0..=1).contains(&(pair[1].turn - pair[0].turn)));
        }
        for shift in &shifts {
            let tick = std::time::Duration::from_micros(1);
            prop_assert_eq!(rotation.at(shift.start), Some(*shift));
            prop_assert_eq!(rotation.at(shift.end.minus(tick)), Some(*shift));
            prop_assert_ne!(rotation.at(shift.end), Some(*shift));
        }
    }
}
