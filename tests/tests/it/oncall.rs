//! Who is on call: schedules, what changes them, what users of other tools complained of, and who may.

mod calendars;
mod changes;
mod complaints;
mod program;
mod rights;
mod rota;

use std::time::Duration;

use tierdesk_core::{
    clock::Timestamp,
    desk::{
        Error,
        oncall::{self, NewOverride, Offer, Place, SegmentReport, Taking},
        staff::{self, NewStaff, StaffPatch, register_first_admin},
    },
    oncall::Layer,
    permit::Actor,
    refusal::Refusal,
    staff::{Role, StaffStatus},
};
use tierdesk_tests::{Backend, TestDesk, owner};

/// Weeks from Monday at nine, Berlin. The tests' day is such a Monday, at ten.
const ROTA: &str = r#"
[[schedule]]
slug = "fintech"
zone = "Europe/Berlin"

[[schedule.rotation]]
layer = "primary"
people = ["dana", "lee", "noor"]
every = "1 week"
starts = "2026-11-02 09:00"

[[schedule.rotation]]
layer = "secondary"
people = ["lee", "noor", "dana"]
every = "1 week"
starts = "2026-11-02 09:00"

[[schedule.rotation]]
layer = "fallback"
people = ["kim"]
every = "1 week"
starts = "2026-11-02 09:00"
"#;

const PEOPLE: [(&str, Role); 6] = [
    ("dana", Role::Agent),
    ("lee", Role::Agent),
    ("noor", Role::Agent),
    ("kim", Role::Agent),
    ("vera", Role::Viewer),
    ("ada", Role::Admin),
];

fn login(name: &str) -> Actor {
    Actor::OsUser {
        name: name.to_owned(),
        owns_configuration: false,
    }
}

/// A desk with the owner as first admin, people, and [`ROTA`].
async fn staffed(backend: Backend) -> TestDesk {
    let test = TestDesk::with_customers(backend).await;
    register_first_admin(&test.desk, &owner())
        .await
        .expect("it registers");
    test.pass(Duration::from_secs(1));
    for (name, role) in PEOPLE {
        let new = NewStaff {
            name: name.to_owned(),
            role,
            os_user: Some(name.to_owned()),
            discord_user_id: None,
            reason: None,
        };
        staff::add(&test.desk, &owner(), new)
            .await
            .expect("they are added");
    }
    set(&test, ROTA).await;
    test
}

async fn set(test: &TestDesk, rota: &str) {
    // The last one made wins, and the tests' clock stands still.
    test.pass(Duration::from_secs(1));
    oncall::set_schedules(&test.desk, &owner(), rota, "rota.toml", false)
        .await
        .expect("the rota is set");
}

fn fintech() -> Place {
    Place::Schedule("fintech".to_owned())
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// Who is on call for tier fintech: primary, secondary, and why.
async fn now(test: &TestDesk, when: Option<&str>) -> (String, Option<String>, String) {
    let rows = oncall::now(&test.desk, &owner(), when)
        .await
        .expect("it is told");
    let row = rows
        .into_iter()
        .find(|row| row.tier.as_str() == "fintech")
        .expect("a row for each tier");
    (row.primary, row.secondary, row.source.to_string())
}

async fn preview(test: &TestDesk, from: &str, to: &str) -> Vec<SegmentReport> {
    let span = (Some(from), Some(to));
    let preview = oncall::preview(&test.desk, &owner(), &fintech(), span, 4).await;
    let segments = preview.expect("it is shown").segments;
    for pair in segments.windows(2) {
        assert_eq!(pair[0].end, pair[1].start, "gapless, and no overlap");
    }
    segments
}

fn put(who: &str, from: &str, to: &str) -> NewOverride {
    NewOverride {
        place: fintech(),
        who: who.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        reason: "the other one is ill".to_owned(),
        layer: Layer::Primary,
    }
}

fn offering(from: &str, whose: Option<&str>) -> Offer {
    Offer {
        place: fintech(),
        layer: Layer::Primary,
        from: from.to_owned(),
        to: None,
        reason: None,
        whose: whose.map(str::to_owned),
    }
}

fn unasked(from: &str, to: Option<&str>) -> Taking {
    Taking::Unasked {
        place: fintech(),
        layer: Layer::Primary,
        from: from.to_owned(),
        to: to.map(str::to_owned),
        reason: "they are at the hospital".to_owned(),
    }
}

async fn disable(test: &TestDesk, name: &str) {
    let patch = StaffPatch {
        status: Some(StaffStatus::Disabled),
        ..StaffPatch::default()
    };
    staff::set(&test.desk, &owner(), name, patch)
        .await
        .expect("they are disabled");
}
