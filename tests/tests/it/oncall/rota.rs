//! Schedules: from a file and back, what is warned of, and that somebody is always called.

use tierdesk_core::{
    desk::oncall::{self, Place},
    paging::Policies,
    refusal::RefusalCode,
};
use tierdesk_tests::{Backend, TestDesk, on_both, owner};

use super::{ROTA, fintech, login, now, preview, refusal, set, staffed};

on_both! {
    a_rota_is_set_shown_exported_and_kept,
    what_is_wrong_with_a_file_is_said_with_its_line,
    somebody_is_called_for_every_tier_at_every_instant,
    the_burden_is_told_for_each,
    a_schedule_that_a_tier_goes_by_is_not_removed,
    roles_triage_and_what_cannot_be_read_count,
}

async fn a_rota_is_set_shown_exported_and_kept(backend: Backend) {
    let test = staffed(backend).await;
    let shown = oncall::show_schedule(&test.desk, &owner(), "fintech")
        .await
        .expect("it is there");
    assert_eq!(shown.tiers, ["fintech"]);
    assert_eq!(shown.rotations[0].people, ["dana", "lee", "noor"]);
    let exported = oncall::export(&test.desk, &owner()).await.expect("it is");
    assert_eq!(exported.trim(), ROTA.trim());
    let again = oncall::set_schedules(&test.desk, &owner(), &exported, "x", false).await;
    let again = again.expect("it is read");
    assert_eq!(again.schedules[0].action, "keep");
    let other = ROTA.replace("\"dana\", \"lee\", \"noor\"]", "\"noor\", \"dana\"]");
    let tried = oncall::set_schedules(&test.desk, &owner(), &other, "x", true).await;
    let tried = tried.expect("it is tried");
    assert_eq!(tried.schedules[0].action, "change");
    assert_eq!(
        tried.schedules[0].changes,
        [
            "- primary: dana, lee, noor every 1 week from 2026-11-02 09:00",
            "+ primary: noor, dana every 1 week from 2026-11-02 09:00",
        ]
    );
    assert_eq!(
        now(&test, None).await.0,
        "dana",
        "a dry run changes nothing"
    );
    set(&test, &other).await;
    assert_eq!(now(&test, None).await.0, "dana", "noor, dana, noor, dana");
    assert_eq!(now(&test, Some("2026-12-01T00:00Z")).await.0, "noor");
    let trail: Vec<(String, String)> = test
        .look("SELECT subject, fields FROM audit_entries WHERE action = 'oncall.schedule' ORDER BY id")
        .await;
    assert_eq!(trail.len(), 2, "what stays is no entry");
    assert_eq!(trail[1].0, "schedule:fintech");
    assert!(
        trail[1].1.contains("- primary: dana, lee, noor"),
        "{trail:?}"
    );
    test.nothing_is_left().await;
}

async fn what_is_wrong_with_a_file_is_said_with_its_line(backend: Backend) {
    let test = staffed(backend).await;
    let wrong = ROTA
        .replace("\"kim\"", "\"kym\"")
        .replace("\"noor\", \"dana\"", "\"nor\"");
    let refused = oncall::set_schedules(&test.desk, &owner(), &wrong, "rota.toml", false).await;
    let refused = refusal(refused);
    for said in [
        "the rota has 2 problems",
        "rota.toml, line 14: schedule[0].rotation[1].people names nor, who is not on the staff",
        "rota.toml, line 20: schedule[0].rotation[2].people names kym",
        "Known are ada, dana, kim, lee, noor, olivia, vera.",
    ] {
        assert!(refused.message.contains(said), "{said}: {refused:?}");
    }
    let exported = oncall::export(&test.desk, &owner()).await.expect("it is");
    assert_eq!(exported.trim(), ROTA.trim(), "nothing was changed");
    let gaps = ROTA.replace("layer = \"fallback\"", "layer = \"secondary\"");
    let gaps = gaps.replacen("09:00\"\n", "09:00\"\ndays = \"mon-fri\"\n", 1);
    let tried = oncall::set_schedules(&test.desk, &owner(), &gaps, "x", true).await;
    let warnings = tried.expect("it is tried").schedules[0].warnings.join("\n");
    for said in ["there is no fallback", "ALARM: nobody is on call"] {
        assert!(warnings.contains(said), "{said}: {warnings}");
    }
}

/// Monday to Friday, and no fallback.
const WORKING_DAYS: &str = "[[schedule]]\nslug = \"fintech\"\nzone = \"Europe/Berlin\"\n[[schedule.rotation]]\nlayer = \
                 \"primary\"\npeople = [\"dana\"]\nevery = \"1 day\"\nstarts = \"2026-11-02 00:00\"\ndays = \"mon-fri\"\n";

/// For whom nobody is on call now.
async fn uncovered(test: &TestDesk) -> Vec<String> {
    oncall::uncovered(&test.desk).await.expect("it is looked")
}

async fn somebody_is_called_for_every_tier_at_every_instant(backend: Backend) {
    let empty = TestDesk::with_customers(backend).await;
    let rows = oncall::now(&empty.desk, &owner(), None)
        .await
        .expect("told");
    assert_eq!(rows.len(), 4, "a row for each tier");
    for row in rows {
        assert_eq!(row.primary, "catch-all", "not even an admin is there");
        assert_eq!(row.source.as_str(), "catch_all");
    }
    let found = oncall::check(&empty.desk, &owner()).await.expect("checked");
    assert!(!found.has_any);

    let test = staffed(backend).await;
    let found = oncall::check(&test.desk, &owner()).await.expect("checked");
    assert!(found.has_any);
    let tiers: Vec<&str> = found
        .alarms
        .iter()
        .map(|alarm| alarm.whom.as_str())
        .collect();
    assert_eq!(
        tiers,
        ["gov-federal", "healthcare", "standard"],
        "no schedule"
    );
    let roles = ["engineering-director", "platform-lead", "security-lead"];
    assert_eq!(found.vacant_roles, roles, "steps of the seeded chain");
    let rows = oncall::now(&test.desk, &owner(), None).await.expect("told");
    let called: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row.primary.as_str(), row.source.as_str()))
        .collect();
    assert_eq!(
        called,
        [
            ("olivia", "catch_all"),
            ("olivia", "catch_all"),
            ("dana", "rotation"),
            ("olivia", "catch_all"),
        ]
    );
    // Only working days, and no fallback: an alarm when it is set, when it is checked, and when it is so.
    set(&test, WORKING_DAYS).await;
    let found = oncall::check(&test.desk, &owner()).await.expect("checked");
    let own = found.alarms.iter().find(|alarm| alarm.whom == "fintech");
    let own = own.expect("an alarm");
    assert!(
        own.message.contains("for 192 of the next 672 hours"),
        "{own:?}"
    );
    assert!(!own.message.starts_with("NOW"), "{own:?}");
    let weekend = now(&test, Some("2026-11-28T12:00Z")).await;
    assert_eq!(
        (weekend.0.as_str(), weekend.2.as_str()),
        ("olivia", "catch_all")
    );
    test.pass(std::time::Duration::from_hours(5 * 24));
    let found = oncall::check(&test.desk, &owner()).await.expect("checked");
    let own = found.alarms.iter().find(|alarm| alarm.whom == "fintech");
    assert!(
        own.expect("an alarm").message.starts_with("NOW"),
        "{found:?}"
    );
    assert_eq!(
        uncovered(&test).await,
        ["gov-federal", "healthcare", "fintech", "standard"]
    );
    let segments = preview(&test, "2026-11-27 00:00", "2026-12-12 00:00").await;
    let gaps = segments
        .iter()
        .filter(|one| one.source.as_str() == "catch_all");
    assert_eq!(gaps.count(), 2, "two weekends: {segments:?}");
}

async fn the_burden_is_told_for_each(backend: Backend) {
    let test = staffed(backend).await;
    let span = (Some("2026-11-30 09:00"), Some("2026-12-21 09:00"));
    let shown = oncall::preview(&test.desk, &owner(), &fintech(), span, 4)
        .await
        .expect("it is shown");
    assert!(shown.gaps.is_zero());
    let load: Vec<(&str, f64, f64, f64, f64)> = shown
        .load
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.hours,
                one.nights,
                one.weekends,
                one.secondary,
            )
        })
        .collect();
    let week = |name| (name, 168.0, 63.0, 48.0, 168.0);
    assert_eq!(load, [week("dana"), week("lee"), week("noor")]);
    let span = (None, Some("2028-12-24"));
    let long = oncall::preview(&test.desk, &owner(), &fintech(), span, 4).await;
    assert!(refusal(long).message.contains("more than two years"));
    let place = Place::Schedule("nights".to_owned());
    let gone = oncall::preview(&test.desk, &owner(), &place, (None, None), 4).await;
    assert_eq!(refusal(gone).code, RefusalCode::NotFound);
}

async fn a_schedule_that_a_tier_goes_by_is_not_removed(backend: Backend) {
    let test = staffed(backend).await;
    let refused = oncall::remove_schedule(&test.desk, &owner(), "fintech").await;
    assert_eq!(refusal(refused).code, RefusalCode::Blocked);
    set(&test, &ROTA.replace("\"fintech\"", "\"nights\"")).await;
    let refused = oncall::remove_schedule(&test.desk, &login("dana"), "nights").await;
    assert_eq!(refusal(refused).code, RefusalCode::NotPermitted);
    oncall::remove_schedule(&test.desk, &owner(), "nights")
        .await
        .expect("nothing goes by it");
    let left = oncall::list_schedules(&test.desk, &owner()).await;
    assert_eq!(left.expect("they are listed").len(), 1);
}

async fn roles_triage_and_what_cannot_be_read_count(backend: Backend) {
    let test = staffed(backend).await;
    // Saturday.
    test.pass(std::time::Duration::from_hours(5 * 24));
    // A role whose schedule is there and empty, and what is nobody's yet, answered by a schedule of its own.
    let lead = WORKING_DAYS.replace("fintech", "platform-lead");
    set(&test, &format!("{ROTA}{lead}")).await;
    assert_eq!(
        uncovered(&test).await,
        [
            "gov-federal",
            "healthcare",
            "standard",
            "role:platform-lead"
        ]
    );
    let mut apart = test.desk.clone();
    let policies = Policies::EMBEDDED.replace("schedule = \"standard\"", "schedule = \"desk\"");
    let policies = Policies::parse(&policies, "oncall.toml", &apart.catalogue).expect("read");
    apart.policies = std::sync::Arc::new(policies);
    let found = oncall::uncovered(&apart).await.expect("looked at");
    assert_eq!(found[3], "triage");
    // A rota that nobody can read is nobody's, and hides no other.
    let broken = "UPDATE oncall_schedules SET spec = '{' WHERE slug = 'fintech'";
    test.desk.database.tamper(broken, broken).await;
    assert_eq!(uncovered(&test).await.len(), 5);
    let found = oncall::check(&test.desk, &owner()).await.expect("checked");
    let own = found.alarms.iter().find(|alarm| alarm.whom == "fintech");
    let own = own.expect("an alarm");
    assert!(own.message.contains("cannot be read"), "{own:?}");
    assert_eq!(
        now(&test, None).await.2,
        "catch_all",
        "and it says who is called"
    );
}
