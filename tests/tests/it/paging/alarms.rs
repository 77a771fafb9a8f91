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
    an_alarm_that_nobody_takes_is_told_anew_hours_later,
}

fn alarms_told(desk: &PageDesk) -> Vec<String> {
    desk.told()
        .into_iter()
        .filter(|one| one.who.starts_with("lead@") && one.signal == Signal::Trigger)
        .map(|one| one.title)
        .filter(|title| title.contains("alarm"))
        .collect()
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
    // One schedule that nobody can read hides nothing, and is nobody's.
    let broken = "UPDATE oncall_schedules SET spec = '{' WHERE slug = 'fintech'";
    desk.desk().database.tamper(broken, broken).await;
    look(&desk, &mut seen).await;
    assert_eq!(
        look(&desk, &mut seen).await,
        ["tierdesk alarm: nobody is on call for fintech"]
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
    // The rota gets worse, and stays so: that is another thing to know.
    desk.disable("pia").await;
    assert_eq!(
        look(&desk, &mut seen).await,
        [""; 0],
        "seen for the first time"
    );
    let all = "tierdesk alarm: nobody is on call for fintech, role:platform-lead";
    assert_eq!(look(&desk, &mut seen).await, [all]);
    // It gets better: nobody is called for that.
    let again = "UPDATE oncall_schedules SET spec = (SELECT spec FROM oncall_schedules WHERE slug = 'standard')
                 WHERE slug = 'fintech'";
    desk.desk().database.tamper(again, again).await;
    for _ in 0..3 {
        assert_eq!(look(&desk, &mut seen).await, [""; 0]);
    }
}

/// It is looked every ten minutes, so that what is due may be told so much later.
fn gaps(told: &[u64], wanted: &[u64]) {
    let gaps: Vec<u64> = told.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let is_so = |(gap, wanted): (&u64, &u64)| (*wanted..=wanted + 10).contains(gap);
    assert!(
        gaps.len() == wanted.len() && gaps.iter().zip(wanted).all(is_so),
        "{told:?}"
    );
}

/// An alarm is told, twice more, and as exhausted; and hours after that anew, for as long as it is so.
async fn an_alarm_that_nobody_takes_is_told_anew_hours_later(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let mut seen = alarms::Seen::default();
    desk.disable("pia").await;
    let mut told = Vec::new();
    let begin = desk.now();
    for _ in 0..13 * 6 {
        for _ in look(&desk, &mut seen).await {
            told.push(desk.now().since(begin).as_secs() / 60);
        }
        desk.mail.test.pass(Duration::from_mins(10));
    }
    // Four hours behind the last time, and not sooner.
    gaps(&told, &[30, 30, 30, 240, 30, 30, 30, 240, 30, 30, 30]);
    // Somebody takes the last one.
    let page: Vec<(PageId,)> = desk
        .mail
        .test
        .look("SELECT id FROM pages WHERE kind = 'alarm' AND state = 'exhausted'")
        .await;
    let (ended, last) = (page.len(), page.last().expect("one is").0);
    assert_eq!(ended, 1);
    paging::acknowledge(desk.desk(), &owner(), &Which::Page(last), "terminal")
        .await
        .expect("somebody has it");
    let mut told = Vec::new();
    let begin = desk.now();
    for _ in 0..12 * 6 {
        for _ in look(&desk, &mut seen).await {
            told.push(desk.now().since(begin).as_secs() / 60);
        }
        desk.mail.test.pass(Duration::from_mins(10));
    }
    // It expires after four hours, is told as often as before, and is told anew four hours behind the last time.
    assert!((240..=250).contains(&told[0]), "{told:?}");
    gaps(&told, &[30, 30, 30, 240, 30, 30, 30]);
}
