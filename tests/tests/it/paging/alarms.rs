//! Alarms: whoever is told last is told what is wrong with the desk itself, each fault by itself.

use std::time::Duration;

use tierdesk_core::{
    desk::{
        paging::{self, Which, alarms},
        watchdog,
    },
    ids::{NoticeId, PageId},
    paging::Signal,
    store::pages,
};
use tierdesk_ingest::process::process_waiting;
use tierdesk_tests::{Backend, PageDesk, on_both, owner};

use super::watchdog::by_hand;

on_both! {
    a_round_that_hangs_calls_somebody_until_one_closes,
    each_fault_has_an_alarm_of_its_own,
}

fn alarms_told(desk: &PageDesk) -> Vec<String> {
    let mut titles: Vec<String> = desk
        .told()
        .into_iter()
        .filter(|one| one.who.starts_with("lead@") && one.signal == Signal::Trigger)
        .map(|one| one.title)
        .filter(|title| title.contains("alarm"))
        .collect();
    titles.dedup();
    titles
}

async fn look(desk: &PageDesk, seen: &mut alarms::Seen) -> Vec<String> {
    alarms::look(desk.desk(), seen).await;
    desk.work().await;
    alarms_told(desk)
}

async fn a_round_that_hangs_calls_somebody_until_one_closes(backend: Backend) {
    let desk = by_hand(backend).await;
    let mut seen = alarms::Seen::default();
    assert!(watchdog::begin(desk.desk()).await.expect("it begins"));
    assert_eq!(look(&desk, &mut seen).await, [""; 0], "it has just begun");
    // Nobody processes mail.
    desk.mail.test.pass(Duration::from_mins(3));
    assert_eq!(
        look(&desk, &mut seen).await,
        [""; 0],
        "seen for the first time"
    );
    let told = look(&desk, &mut seen).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("a mail that the desk wrote to itself 3 min ago"),
        "{told:?}"
    );
    assert_eq!(look(&desk, &mut seen).await, [""; 0], "once");
    // The next one comes round.
    assert!(watchdog::begin(desk.desk()).await.expect("it begins"));
    process_waiting(desk.desk())
        .await
        .expect("they are processed");
    desk.work().await;
    let notices: Vec<(NoticeId,)> = desk
        .mail
        .test
        .look("SELECT id FROM page_notices WHERE target = 'itself' ORDER BY created_at")
        .await;
    for (id,) in notices {
        let mut tx = desk.desk().database.begin_read().await.expect("it begins");
        let notice = pages::notices::find(&mut tx, id).await.expect("it is read");
        drop(tx);
        watchdog::hear(desk.desk(), &notice.expect("it is there"))
            .await
            .expect("it is heard");
    }
    assert_eq!(look(&desk, &mut seen).await, [""; 0]);
    let open = "SELECT COUNT(*) FROM pages WHERE kind = 'alarm' AND state <> 'resolved'";
    assert_eq!(desk.mail.test.number(open).await, 0, "it is over");
}

/// One that somebody has, or that nobody took, hides no other.
async fn each_fault_has_an_alarm_of_its_own(backend: Backend) {
    let desk = by_hand(backend).await;
    let mut seen = alarms::Seen::default();
    for name in ["ada", "ben"] {
        desk.disable(name).await;
    }
    look(&desk, &mut seen).await;
    let told = look(&desk, &mut seen).await;
    assert_eq!(
        told,
        ["tierdesk alarm: nobody is on call for gov-federal, healthcare, fintech, standard"]
    );
    let page: Vec<(PageId,)> = desk
        .mail
        .test
        .look("SELECT id FROM pages WHERE kind = 'alarm'")
        .await;
    paging::acknowledge(desk.desk(), &owner(), &Which::Page(page[0].0), "terminal")
        .await
        .expect("somebody has it");
    assert!(watchdog::begin(desk.desk()).await.expect("it begins"));
    desk.mail.test.pass(Duration::from_mins(3));
    look(&desk, &mut seen).await;
    let told = look(&desk, &mut seen).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("wrote to itself"), "{told:?}");
    // The rota gets worse: that is another thing to know.
    desk.disable("pia").await;
    let told = look(&desk, &mut seen).await;
    assert!(
        told.iter()
            .any(|one| one.ends_with("standard, role:platform-lead")),
        "{told:?}"
    );
    // Nobody takes it: hours later it is told again.
    desk.pass(Duration::from_hours(3)).await;
    assert!(
        !alarms_told(&desk).is_empty(),
        "twice more, and as exhausted"
    );
    desk.pass(Duration::from_mins(70)).await;
    alarms_told(&desk);
    let told = look(&desk, &mut seen).await;
    assert!(
        told.iter().any(|one| one.contains("nobody is on call")),
        "{told:?}"
    );
    // A rota that nobody can read hides nothing either.
    let broken = "UPDATE oncall_schedules SET spec = '{' WHERE slug = 'fintech'";
    desk.desk().database.tamper(broken, broken).await;
    let count = "SELECT COUNT(*) FROM pages WHERE kind = 'alarm' AND schedule = 'self-test' AND state <> 'resolved'";
    look(&desk, &mut seen).await;
    assert_eq!(desk.mail.test.number(count).await, 1);
}
