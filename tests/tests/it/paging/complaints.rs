//! What users of other tools complain about most, each as a test that asserts the same. The numbers are of
//! the threads in which they do: grafana/oncall and target/goalert.
//!
//! | thread | test |
//! |---|---|
//! | oncall 3261, 4103, 5247 (a change of clocks) | `oncall::complaints::a_change_of_clocks_…`, and core's brute force over every zone |
//! | oncall 1206, 1187, 3283 (nobody called after a restart; a step that waited for the morning was lost) | `oncall_1206_…`, `paging::killed`, `paging::nights::nobody_is_woken_for_what_can_wait` |
//! | oncall 4760 (paging went on after it was acknowledged) | `paging::acknowledging`, `paging::taken_and_killed` |
//! | oncall 5088 (a message in chat was not brought up to date) | `chat::pages::oncall_5088_…` |
//! | oncall 1931 (a wait that was not waited) | `oncall_1931_…` |
//! | oncall 3096 (a handover that knew no swap) | `oncall_3096_…` here and in `paging::handoffs` |
//! | oncall 2868, 3132, 4538, 5131 (swaps: no notice, no lead, not from somebody who is busy, not back) | `paging::handoffs::oncall_2868_…`, `oncall::complaints` |
//! | goalert 583, 4190 (no notice of handoffs and of shifts ahead) | `paging::handoffs` |
//! | goalert 993 (when a rotation begins) | `oncall::complaints::goalert_993_…` |
//! | goalert 3378 (an acknowledgement for ever) | `paging::acknowledging::an_acknowledgement_expires…` |
//! | goalert 4530 (no low urgency) | `paging::nights::nobody_is_woken_for_what_can_wait` |

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tierdesk_core::{
    desk::{
        oncall::{self, Place},
        paging::{self, PageReport, Which, alarms, engine},
    },
    paging::{AlarmKind, Channel, PageState, Policies},
    tickets::TicketNumber,
    tiers::Catalogue,
};
use tierdesk_tests::{Backend, Letter, MailDesk, PageDesk, on_both, owner};

on_both! {
    oncall_1206_escalation_goes_on_behind_an_outage,
    oncall_1931_every_wait_is_waited,
    oncall_3096_who_is_called_follows_a_swap,
    a_policy_that_is_edited_changes_nothing_that_runs,
    chat_that_is_away_for_a_minute_holds_nobody_up,
    a_step_that_reaches_nobody_is_passed_at_once,
    a_step_that_fails_is_passed_at_once,
    an_empty_rota_reaches_the_catch_all,
    a_clock_that_jumps_brings_one_step_and_no_storm,
    several_engines_fire_each_step_once,
    a_page_that_cannot_be_read_holds_up_no_other,
    a_catch_all_that_reaches_nobody_is_told_again,
    a_page_that_would_reach_nobody_is_found,
}

const MINUTE: Duration = Duration::from_mins(1);

/// No two are the same mail.
fn down(from: &str) -> Letter {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let id = format!("down-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    MailDesk::proven(from, &id).subject("[SEV1] down")
}

async fn sev1(desk: &PageDesk) -> TicketNumber {
    desk.mail.receive_on(&down("john@acmefinance.com")).await
}

async fn page(desk: &PageDesk, number: TicketNumber) -> PageReport {
    let pages = paging::show(desk.desk(), &owner(), &Which::Ticket(number)).await;
    pages.expect("they are shown").remove(0)
}

fn names(called: Vec<(u64, String)>) -> Vec<String> {
    called.into_iter().map(|(_, who)| who).collect()
}

/// Nothing runs for five and a half hours.
async fn oncall_1206_escalation_goes_on_behind_an_outage(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    sev1(&desk).await;
    desk.work().await;
    assert_eq!(names(desk.called()), ["ben", "desk:pagerduty"]);
    desk.mail.test.pass(Duration::from_mins(330));
    desk.work().await;
    assert_eq!(
        desk.called(),
        [(330, "pia".to_owned()), (330, "ada".to_owned())]
    );
    desk.pass(MINUTE * 6).await;
    assert_eq!(
        desk.called(),
        [(335, "sid".to_owned())],
        "now plus the delay"
    );
    desk.is_healthy().await;
}

async fn oncall_1931_every_wait_is_waited(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    sev1(&desk).await;
    desk.work().await;
    desk.told();
    desk.mail.test.pass(Duration::from_secs(599));
    desk.work().await;
    assert_eq!(desk.called(), []);
    desk.mail.test.pass(Duration::from_secs(1));
    desk.work().await;
    assert_eq!(desk.called().len(), 2);
}

/// Who is on call is asked when a step fires, not when the page was made.
async fn oncall_3096_who_is_called_follows_a_swap(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    sev1(&desk).await;
    desk.work().await;
    assert_eq!(names(desk.called()), ["ben", "desk:pagerduty"]);
    let change = oncall::NewOverride {
        place: Place::Schedule("platform-lead".to_owned()),
        who: "sid".to_owned(),
        from: "2026-11-23T09:00Z".to_owned(),
        to: "2026-11-23T18:00Z".to_owned(),
        reason: "pia is ill".to_owned(),
        layer: tierdesk_core::oncall::Layer::Primary,
    };
    oncall::set_override(desk.desk(), &owner(), change)
        .await
        .expect("it is set");
    desk.pass(MINUTE * 10).await;
    assert_eq!(names(desk.called()), ["sid", "ada"]);
}

async fn a_policy_that_is_edited_changes_nothing_that_runs(backend: Backend) {
    let mut desk = PageDesk::start(backend).await;
    let before = sev1(&desk).await;
    desk.work().await;
    let edited = Policies::EMBEDDED.replace("role:platform-lead", "role:security-lead");
    let edited = Policies::parse(&edited, "oncall.toml", &Catalogue::embedded());
    desk.mail.test.desk.policies = Arc::new(edited.expect("it is right"));
    let after = sev1(&desk).await;
    desk.work().await;
    desk.told();
    desk.pass(MINUTE * 10).await;
    let mut called = names(desk.called());
    called.sort();
    assert_eq!(called, ["ada", "ada", "pia", "sid"]);
    assert_ne!(
        page(&desk, before).await.policy,
        page(&desk, after).await.policy
    );
}

async fn chat_that_is_away_for_a_minute_holds_nobody_up(backend: Backend) {
    let mut desk = PageDesk::start(backend).await;
    desk.mail.test.desk.has_chat = true;
    let patch = tierdesk_core::desk::staff::StaffPatch {
        discord_user_id: Some(Some("100000000000000030".parse().expect("it is an id"))),
        ..Default::default()
    };
    tierdesk_core::desk::staff::set(desk.desk(), &owner(), "ben", patch)
        .await
        .expect("they are linked");
    desk.set_away(Channel::Thread, true);
    desk.set_away(Channel::Direct, true);
    sev1(&desk).await;
    desk.work().await;
    let told = desk.told();
    let mut told: Vec<_> = told.iter().map(|one| (one.at, one.channel)).collect();
    told.sort();
    assert_eq!(told, [(0, Channel::Mail), (0, Channel::Webhook)]);
    desk.pass(MINUTE).await;
    assert_eq!(desk.told(), []);
    desk.set_away(Channel::Thread, false);
    desk.set_away(Channel::Direct, false);
    desk.pass(MINUTE).await;
    let mut told: Vec<_> = desk.told().iter().map(|one| one.channel).collect();
    told.sort();
    assert_eq!(
        told,
        [Channel::Thread, Channel::Direct],
        "and comes when it is back"
    );
    desk.is_healthy().await;
}

/// Roles that nobody holds, people who are disabled: the next step is not waited for.
async fn a_step_that_reaches_nobody_is_passed_at_once(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    oncall::remove_schedule(desk.desk(), &owner(), "security-lead")
        .await
        .expect("it is removed");
    desk.disable("pia").await;
    desk.disable("ada").await;
    let number = sev1(&desk).await;
    desk.work().await;
    desk.told();
    desk.pass(MINUTE * 10).await;
    // Neither lead nor second, nor the security lead: the director, ten minutes after the first.
    assert_eq!(desk.called(), [(10, "eve".to_owned())]);
    let called = page(&desk, number).await.notices;
    assert!(
        called
            .iter()
            .any(|notice| notice.staff.as_deref() == Some("eve"))
    );
    desk.is_healthy().await;
}

async fn a_step_that_fails_is_passed_at_once(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    sev1(&desk).await;
    desk.work().await;
    desk.told();
    desk.set_refusing(Channel::Mail);
    desk.pass(MINUTE * 10).await;
    // Every later step has only mail: each fails, and the round ends without waiting for any of them.
    desk.pass(Duration::from_secs(30)).await;
    let pages = paging::list(desk.desk(), &owner(), true, 10).await;
    let page = &pages.expect("they are listed")[0];
    assert!(page.round > 1 || page.step > 2, "{page:?}");
    desk.pass(MINUTE * 60).await;
    let pages = paging::list(desk.desk(), &owner(), true, 10).await;
    assert_eq!(pages.expect("listed")[0].state, PageState::Exhausted);
    let webhook = desk.called();
    assert!(webhook.iter().all(|(_, who)| who == "desk:pagerduty"));
    assert!(
        webhook.len() >= 3,
        "each round and the catch-all: {webhook:?}"
    );
}

async fn an_empty_rota_reaches_the_catch_all(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    desk.disable("ada").await;
    desk.disable("ben").await;
    sev1(&desk).await;
    desk.work().await;
    let mut called = names(desk.called());
    called.sort();
    assert_eq!(called, ["desk:pagerduty", "lead@securebase.example"]);
    desk.is_healthy().await;
}

async fn a_clock_that_jumps_brings_one_step_and_no_storm(backend: Backend) {
    for jump in [Duration::from_hours(1), Duration::from_hours(24)] {
        let desk = PageDesk::start(backend).await;
        sev1(&desk).await;
        desk.work().await;
        desk.told();
        desk.mail.test.pass(jump);
        desk.work().await;
        desk.work().await;
        let mut called = names(desk.called());
        called.sort();
        assert_eq!(called, ["ada", "pia"], "one step behind a jump of {jump:?}");
        desk.pass(MINUTE * 4).await;
        assert_eq!(desk.called(), []);
    }
}

/// Three engines at once, over every step of a night.
async fn several_engines_fire_each_step_once(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    for n in 0..10 {
        let letter = MailDesk::proven("john@acmefinance.com", &format!("down-{n}"))
            .subject(&format!("[SEV1] down {n}"));
        desk.mail.receive_on(&letter).await;
    }
    let mut fired = 0;
    for _ in 0..7 {
        let mut engines = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let desk = desk.desk().clone();
            engines.spawn(async move { engine::advance(&desk).await.expect("it advances").pages });
        }
        fired += engines.join_all().await.into_iter().sum::<usize>();
        desk.work().await;
        desk.is_healthy().await;
        desk.mail.test.pass(MINUTE * 10);
    }
    let called = desk.called();
    assert!(fired > 0, "positive control: the engines fired");
    // Steps: 2 + 2 + 1 + 1 notices a page and round; seven looks ten minutes apart fire four steps of the
    // first round and three of the second.
    assert_eq!(called.len(), 10 * (6 + 5), "{fired} fired");
}

/// The check finds what the schema itself does not refuse.
async fn a_page_that_would_reach_nobody_is_found(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    sev1(&desk).await;
    desk.work().await;
    desk.is_healthy().await;
    desk.pass(MINUTE * 5).await;
    desk.mail.test.pass(MINUTE * 8);
    let overdue = engine::check(desk.desk()).await.expect("it is checked");
    assert_eq!(overdue.broken.len(), 1, "{overdue:?}");
    assert!(overdue.broken[0].contains("overdue"));
    desk.work().await;
    desk.is_healthy().await;
    let database = &desk.desk().database;
    let gone = "UPDATE jobs SET state = 'done' WHERE kind LIKE 'send_page%'";
    desk.set_away(Channel::Mail, true);
    desk.pass(MINUTE * 6).await;
    database.tamper(gone, gone).await;
    let orphaned = engine::check(desk.desk()).await.expect("it is checked");
    assert!(
        orphaned
            .broken
            .iter()
            .any(|fault| fault.contains("nothing will send it")),
        "{orphaned:?}"
    );
    let what = std::collections::BTreeSet::from(["1 page".to_owned()]);
    assert!(
        alarms::raise(desk.desk(), AlarmKind::Pages, &what)
            .await
            .expect("it is raised")
    );
    assert!(
        !alarms::raise(desk.desk(), AlarmKind::Pages, &what)
            .await
            .expect("once")
    );
    desk.set_away(Channel::Mail, false);
    desk.work().await;
    let told = desk.told();
    assert!(
        told.iter()
            .any(|one| one.who == "lead@securebase.example" && one.title.contains("alarm")),
        "{told:?}"
    );
    alarms::lift(desk.desk(), AlarmKind::Pages)
        .await
        .expect("it is over");
}

/// A plan that nobody can read, and a rota that nobody can.
async fn a_page_that_cannot_be_read_holds_up_no_other(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let broken = sev1(&desk).await;
    let spoil = "UPDATE pages SET plan = 'no plan'";
    desk.desk().database.tamper(spoil, spoil).await;
    sev1(&desk).await;
    let advanced = engine::advance(desk.desk()).await.expect("it advances");
    assert_eq!((advanced.pages, advanced.stuck), (1, 1), "{advanced:?}");
    desk.worker().drain().await.expect("the queue can be read");
    assert_eq!(names(desk.called()).len(), 2, "the other's");
    let _ = broken;
    let other = PageDesk::start(backend).await;
    let spoil = "UPDATE oncall_schedules SET spec = 'no rota' WHERE slug = 'platform-lead'";
    other.desk().database.tamper(spoil, spoil).await;
    sev1(&other).await;
    other.pass(MINUTE * 10).await;
    let called = names(other.called());
    assert_eq!(called, ["ben", "desk:pagerduty", "ada"], "without the lead");
}

async fn a_catch_all_that_reaches_nobody_is_told_again(backend: Backend) {
    let mut desk = PageDesk::start(backend).await;
    desk.mail.test.desk.webhooks = Vec::new();
    desk.mail.test.desk.catch_all = Vec::new();
    for name in ["ada", "ben", "pia", "sid", "eve"] {
        desk.disable(name).await;
    }
    let number = sev1(&desk).await;
    desk.work().await;
    let waiting = page(&desk, number).await;
    assert_eq!(
        waiting.state,
        PageState::Open,
        "nobody was reached: {waiting:?}"
    );
    assert!(waiting.next_at.is_some());
    desk.mail.test.desk.webhooks = vec!["pagerduty".to_owned()];
    desk.pass(MINUTE * 11).await;
    assert_eq!(names(desk.called()), ["desk:pagerduty"]);
    assert_eq!(page(&desk, number).await.state, PageState::Exhausted);
    desk.is_healthy().await;
}
