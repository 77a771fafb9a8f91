//! Overrides, absences and temporary schedules, and what is refused.

use tierdesk_core::{
    desk::oncall::{self, NewOverride, Taking},
    oncall::Layer,
    refusal::RefusalCode,
};
use tierdesk_tests::{Backend, on_both, owner};

use super::{at, disable, login, now, offering, preview, put, refusal, staffed};

on_both! {
    an_override_holds_for_its_time_and_can_be_taken_back,
    whoever_is_away_or_disabled_is_never_called,
    a_swap_holds_when_its_owner_goes_away,
    a_temporary_schedule_s_gaps_go_to_the_fallback,
    what_cannot_be_is_refused_with_what_to_do,
    an_end_on_the_wall_is_the_last_time_the_clock_shows_it,
}

async fn an_override_holds_for_its_time_and_can_be_taken_back(backend: Backend) {
    let test = staffed(backend).await;
    let new = put("kim", "2026-11-24 12:00", "2026-11-24 15:00");
    let made = oncall::set_override(&test.desk, &owner(), new)
        .await
        .expect("it is made");
    let segments = preview(&test, "now", "2026-11-25 09:00").await;
    let shown: Vec<(&str, &str)> = segments
        .iter()
        .map(|one| (one.primary.as_str(), one.source.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("dana", "rotation"),
            ("kim", "override"),
            ("dana", "rotation")
        ]
    );
    assert_eq!(segments[1].start, at("2026-11-24T11:00:00Z"));
    // The one made last holds.
    test.pass(std::time::Duration::from_secs(1));
    let later = put("noor", "2026-11-24 14:00", "2026-11-24 16:00");
    oncall::set_override(&test.desk, &owner(), later)
        .await
        .expect("it is made");
    assert_eq!(now(&test, Some("2026-11-24T13:30Z")).await.0, "noor");
    let listed = oncall::list_overrides(&test.desk, &owner())
        .await
        .expect("they are listed");
    assert_eq!(listed.len(), 2);
    test.pass(std::time::Duration::from_secs(1));
    oncall::remove_override(&test.desk, &owner(), made.id)
        .await
        .expect("it is taken back");
    assert_eq!(now(&test, Some("2026-11-24T11:30Z")).await.0, "dana");
    let trail: Vec<(String,)> = test
        .look("SELECT fields FROM audit_entries WHERE action = 'oncall.override' ORDER BY id")
        .await;
    assert_eq!(trail.len(), 3);
    assert!(trail[0].0.contains("the other one is ill"), "{trail:?}");
    test.nothing_is_left().await;
}

async fn whoever_is_away_or_disabled_is_never_called(backend: Backend) {
    let test = staffed(backend).await;
    let span = ("2026-11-24", "2026-11-26");
    let away = oncall::add_absence(&test.desk, &login("dana"), None, span, "ill").await;
    let away = away.expect("it is entered");
    let there = now(&test, Some("2026-11-24T12:00Z")).await;
    // The next of the order stands in, and the one after that is called second.
    assert_eq!(
        there,
        ("lee".into(), Some("noor".into()), "rotation".into())
    );
    assert_eq!(now(&test, Some("2026-11-26T12:00Z")).await.0, "dana");
    assert_eq!(
        now(&test, Some("2026-11-30T12:00Z")).await.0,
        "lee",
        "the order does not move"
    );
    // An override made before is passed over as well.
    let new = put("noor", "2026-11-27 09:00", "2026-11-28 09:00");
    oncall::set_override(&test.desk, &owner(), new)
        .await
        .expect("it is made");
    assert_eq!(now(&test, Some("2026-11-27T12:00Z")).await.0, "noor");
    disable(&test, "noor").await;
    assert_eq!(now(&test, Some("2026-11-27T12:00Z")).await.0, "dana");
    for name in ["dana", "lee"] {
        disable(&test, name).await;
    }
    let there = now(&test, None).await;
    assert_eq!(there, ("kim".into(), None, "fallback".into()));
    disable(&test, "kim").await;
    let there = now(&test, None).await;
    assert_eq!(
        there,
        ("olivia".into(), Some("ada".into()), "catch_all".into()),
        "the admins, who is here longest first"
    );
    oncall::remove_absence(&test.desk, &owner(), away.id)
        .await
        .expect("an admin may take it back");
}

async fn a_swap_holds_when_its_owner_goes_away(backend: Backend) {
    let test = staffed(backend).await;
    let offered = oncall::offer(&test.desk, &login("dana"), offering("now", None)).await;
    let id = offered.expect("it is offered").id;
    oncall::take(&test.desk, &login("kim"), Taking::Offered(id), None)
        .await
        .expect("it is taken");
    let span = ("now", "2026-11-27");
    oncall::add_absence(&test.desk, &login("dana"), None, span, "holidays")
        .await
        .expect("it is entered");
    assert_eq!(now(&test, None).await.0, "kim", "who took it has it");
    let span = ("now", "2026-11-25");
    oncall::add_absence(&test.desk, &login("kim"), None, span, "ill")
        .await
        .expect("it is entered");
    assert_eq!(now(&test, None).await.0, "lee", "neither: who stands in");
    assert_eq!(now(&test, Some("2026-11-25T12:00Z")).await.0, "kim");
}

async fn a_temporary_schedule_s_gaps_go_to_the_fallback(backend: Backend) {
    let test = staffed(backend).await;
    let holidays = r#"
[[temporary]]
schedule = "fintech"
from = "2026-12-24 09:00"
to = "2026-12-28 09:00"
reason = "holidays"

[[temporary.rotation]]
layer = "primary"
people = ["noor", "lee"]
every = "1 day"
starts = "2026-12-24 09:00"
days = "thu-fri"
"#;
    let made = oncall::set_temporaries(&test.desk, &owner(), holidays, "x.toml")
        .await
        .expect("it is set");
    let segments = preview(&test, "2026-12-23 09:00", "2026-12-29 09:00").await;
    let shown: Vec<(&str, &str, String)> = segments
        .iter()
        .map(|one| {
            (
                one.primary.as_str(),
                one.source.as_str(),
                one.start.to_string(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("lee", "rotation", "2026-12-23T08:00:00Z".to_owned()),
            ("noor", "rotation", "2026-12-24T08:00:00Z".to_owned()),
            ("lee", "rotation", "2026-12-25T08:00:00Z".to_owned()),
            ("kim", "fallback", "2026-12-26T08:00:00Z".to_owned()),
            ("noor", "rotation", "2026-12-28T08:00:00Z".to_owned()),
        ],
        "{segments:?}"
    );
    let twice = oncall::set_temporaries(&test.desk, &owner(), holidays, "x.toml").await;
    assert_eq!(refusal(twice).code, RefusalCode::Taken);
    oncall::remove_temporary(&test.desk, &owner(), made[0].id)
        .await
        .expect("it is taken back");
    assert_eq!(now(&test, Some("2026-12-26T12:00Z")).await.0, "lee");
}

async fn what_cannot_be_is_refused_with_what_to_do(backend: Backend) {
    let test = staffed(backend).await;
    let span = ("2026-11-24", "2026-11-26");
    oncall::add_absence(&test.desk, &owner(), Some("kim"), span, "ill")
        .await
        .expect("it is entered");
    disable(&test, "noor").await;
    let good = put("lee", "2026-11-24 12:00", "2026-11-24 15:00");
    let without_reason = NewOverride {
        reason: " ".to_owned(),
        ..good.clone()
    };
    let as_fallback = NewOverride {
        layer: Layer::Fallback,
        ..good.clone()
    };
    for (new, said) in [
        (
            put("zoe", "now", "2026-11-24"),
            "there is no member of staff zoe",
        ),
        (put("noor", "now", "2026-11-24"), "noor is disabled"),
        (
            put("kim", "2026-11-25 12:00", "2026-11-25 15:00"),
            "kim is away",
        ),
        (put("lee", "2026-11-20", "2026-11-21"), "is past"),
        (put("lee", "2026-11-25", "2026-11-24"), "before it begins"),
        (put("lee", "soon", "2026-11-24"), "\"soon\" is no time"),
        (without_reason, "needs a reason"),
        (as_fallback, "cannot be given away"),
    ] {
        let refused = refusal(oncall::set_override(&test.desk, &owner(), new).await);
        assert!(refused.message.contains(said), "{said}: {refused:?}");
        assert!(
            refused.hint.is_some() || said.contains("reason"),
            "{refused:?}"
        );
    }
    oncall::set_override(&test.desk, &owner(), good.clone())
        .await
        .expect("positive control: a good one is made");
    let twice = refusal(oncall::set_override(&test.desk, &owner(), good).await);
    assert_eq!(twice.code, RefusalCode::Taken);
    let not_theirs = offering("2026-11-25 09:00", None);
    let refused = refusal(oncall::offer(&test.desk, &login("lee"), not_theirs).await);
    assert!(refused.message.contains("the shift of dana"), "{refused:?}");
    let mut too_long = offering("now", None);
    too_long.to = Some("2026-12-02 09:00".to_owned());
    let refused = refusal(oncall::offer(&test.desk, &login("dana"), too_long).await);
    assert!(
        refused.message.contains("the shift of dana ends at"),
        "{refused:?}"
    );
}

async fn an_end_on_the_wall_is_the_last_time_the_clock_shows_it(backend: Backend) {
    let test = staffed(backend).await;
    // Half past two comes twice on 31 October 2027.
    let new = put("kim", "2027-10-31 02:30", "2027-10-31 02:30");
    let made = oncall::set_override(&test.desk, &owner(), new)
        .await
        .expect("it is made");
    assert_eq!(made.start, at("2027-10-31T00:30:00Z"));
    assert_eq!(made.end, at("2027-10-31T01:30:00Z"));
}
