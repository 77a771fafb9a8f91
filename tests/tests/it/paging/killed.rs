//! The program is killed over and over on the way of a page, each time behind a new commit: every page
//! reaches the other side at least once, always under one key, and no more doubles than are in doubt.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use tierdesk_tests::{Backend, WebhookSink, look_into, on_both};

use super::{heard, program, sev1, until};
use crate::crash::{
    assert_settled,
    worker::{free_lapsed_lease, wait},
};

on_both! {
    a_hundred_kills_on_the_way_of_pages,
}

/// Where the way of a page can be cut: while its mail is taken, and while it is worked on.
const TAKING: &[&str] = &[
    "arrival.before_commit",
    "arrival.committed",
    "process.before_commit",
    "process.committed",
];
const WORKING: &[&str] = &[
    "page.before_commit",
    "page.committed",
    "job.claimed",
    "notice.begun",
    "notice.handed_over",
    "notice.before_record",
    "job.ran",
];
/// With both databases two hundred.
const KILLS: usize = 100;

async fn a_hundred_kills_on_the_way_of_pages(backend: Backend) {
    let sink = WebhookSink::start().await;
    let (test, program) = program(backend, &sink).await;
    let mut hits: BTreeMap<&str, usize> = BTreeMap::new();
    for kill in 0..KILLS {
        let mail = sev1(&format!("mail-{kill}"));
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let points = TAKING.len() + WORKING.len();
        let cut = |point: &str| {
            program
                .clone()
                .with("TIERDESK_FAULT", format!("{point}:1"))
                .with("TIERDESK_FAULT_LOG", log.path().to_string_lossy())
        };
        let point = if let Some(point) = TAKING.get(kill % points) {
            let ended = cut(point).run_with(&["mail", "deliver"], &mail);
            assert_eq!(ended.code, None, "{point} did not end it: {ended:?}");
            // The mail server tries again, as it must.
            program.run_with(&["mail", "deliver"], &mail).done();
            *point
        } else {
            program.run_with(&["mail", "deliver"], &mail).done();
            let point = WORKING[kill % points - TAKING.len()];
            let child = cut(point).start(&["serve", "--role", "worker"]);
            let ended = wait(child, Duration::from_mins(1));
            assert!(
                ended.is_some_and(|status| status.code().is_none()),
                "{point} did not end it: {ended:?}"
            );
            point
        };
        let lines = fs::read_to_string(log.path()).expect("the log is there");
        assert!(lines.contains(&format!("{point} 1")), "{lines}");
        *hits.entry(point).or_default() += 1;
        free_lapsed_lease(&program).await;
    }
    let mut serving = program.start(&["serve", "--role", "worker"]);
    let open = "SELECT COUNT(*) FROM page_notices WHERE state IN ('due', 'sending')";
    let fired = "SELECT COUNT(*) FROM pages WHERE state = 'open'";
    let all = i64::try_from(KILLS).expect("it fits");
    until("every page", async || {
        test.number(fired).await == all && test.number(open).await == 0
    })
    .await;
    serving.kill().expect("it can be killed");
    serving.wait().expect("it ends");

    let pages: Vec<(uuid::Uuid,)> = look_into(&test.url, "SELECT id FROM pages").await;
    let pages: BTreeSet<String> = pages.iter().map(|(id,)| id.to_string()).collect();
    assert_eq!(pages.len(), KILLS, "one page a mail, whatever was cut");
    let heard = heard(&sink);
    assert!(heard.iter().all(|(action, _)| action == "trigger"));
    let reached: BTreeSet<String> = heard.iter().map(|(_, key)| key.clone()).collect();
    let lost = pages.difference(&reached).count();
    let doubled = heard.len() - reached.len();
    let doubts = test
        .number("SELECT CAST(SUM(doubts) AS BIGINT) FROM page_notices")
        .await;
    for (point, count) in &hits {
        println!("{backend:?} {point}: {count} hits");
    }
    println!(
        "{backend:?}: {KILLS} kills, {} pages, {lost} lost, {doubled} doubled under one key, {doubts} in doubt",
        pages.len()
    );
    assert_eq!(hits.len(), TAKING.len() + WORKING.len());
    assert_eq!(lost, 0);
    assert!(
        doubled > 0,
        "positive control: a cut behind the call is seen"
    );
    assert!(doubled <= usize::try_from(doubts).expect("a count"));
    assert_settled(&program);
}
