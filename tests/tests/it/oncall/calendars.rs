//! Calendars: what they say is what the rota says, and only their secret opens them.

use tierdesk_core::{
    desk::oncall,
    oncall::{CalendarEntry, Layer, read_calendar},
};
use tierdesk_tests::{Backend, TestDesk, on_both, owner};

use super::{at, disable, login, preview, put, staffed};

on_both! {
    a_calendar_says_what_the_rota_says,
    only_the_newest_secret_of_somebody_who_may_act_opens_it,
}

async fn open(test: &TestDesk, name: &str) -> String {
    let address = oncall::add_calendar(&test.desk, &login(name), None).await;
    let path = address.expect("it is opened").path;
    let token = path.strip_prefix("/oncall/").expect("a path");
    token.strip_suffix(".ics").expect("a path").to_owned()
}

async fn read(test: &TestDesk, token: &str) -> Option<Vec<CalendarEntry>> {
    let text = oncall::calendar(&test.desk, token)
        .await
        .expect("it is read");
    text.map(|text| {
        assert!(text.lines().all(|line| line.len() <= 75), "folded: {text}");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        read_calendar(&text).expect("it reads back")
    })
}

async fn a_calendar_says_what_the_rota_says(backend: Backend) {
    let test = staffed(backend).await;
    let token = open(&test, "dana").await;
    let new = put("dana", "2026-12-01 12:00", "2026-12-01 18:00");
    oncall::set_override(&test.desk, &owner(), new)
        .await
        .expect("it is made");
    let entries = read(&test, &token).await.expect("the secret opens it");
    let (from, to) = ("2026-11-23T09:00:00Z", "2027-03-01T09:00:00Z");
    let segments = preview(&test, from, to).await;
    // Segments also end where only the other layer changes: joined they are the calendar's.
    for (layer, holder) in [(Layer::Primary, 0), (Layer::Secondary, 1)] {
        let mut expected: Vec<(String, String)> = Vec::new();
        for one in &segments {
            let names = [Some(&one.primary), one.secondary.as_ref()];
            if names[holder].is_none_or(|name| name != "dana") {
                continue;
            }
            match expected.last_mut() {
                Some((_, end)) if *end == one.start.to_string() => *end = one.end.to_string(),
                _ => expected.push((one.start.to_string(), one.end.to_string())),
            }
        }
        let listed: Vec<(String, String)> = entries
            .iter()
            .filter(|one| one.layer == layer && one.end > at(from) && one.start < at(to))
            .map(|one| {
                (
                    one.start.max(at(from)).to_string(),
                    one.end.min(at(to)).to_string(),
                )
            })
            .collect();
        assert!(expected.len() >= 4, "positive control: {expected:?}");
        assert_eq!(listed, expected, "{layer}");
    }
    let is_override = |one: &CalendarEntry| one.start == at("2026-12-01T11:00:00Z");
    assert!(entries.iter().any(is_override));
}

async fn only_the_newest_secret_of_somebody_who_may_act_opens_it(backend: Backend) {
    let test = staffed(backend).await;
    let first = open(&test, "dana").await;
    assert!(read(&test, &first).await.is_some(), "positive control");
    for wrong in ["", "x", &first[1..], &first.to_uppercase()] {
        assert!(read(&test, wrong).await.is_none(), "{wrong}");
    }
    let second = open(&test, "dana").await;
    assert!(read(&test, &first).await.is_none(), "an earlier one");
    assert!(read(&test, &second).await.is_some());
    let stored: Vec<(String,)> = test
        .look("SELECT fields FROM audit_entries WHERE action = 'oncall.calendar'")
        .await;
    assert_eq!(stored.len(), 2);
    assert!(stored.iter().all(|(fields,)| !fields.contains(&second)));
    oncall::remove_calendar(&test.desk, &login("dana"), None)
        .await
        .expect("it is closed");
    assert!(read(&test, &second).await.is_none());
    let third = open(&test, "dana").await;
    disable(&test, "dana").await;
    assert!(read(&test, &third).await.is_none(), "disabled");
}
