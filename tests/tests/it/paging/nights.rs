//! A sev1 night for each tier, and what waits for the morning.

use std::time::Duration;

use tierdesk_core::{
    desk::paging::{self, Which},
    paging::{Channel, PageState, Signal},
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, MailDesk, PageDesk, on_both, owner};

on_both! {
    a_night_of_gov_federal,
    a_night_of_healthcare,
    a_night_of_fintech,
    a_night_of_standard,
    nobody_is_woken_for_what_can_wait,
    half_of_the_time_is_waited_for,
    nobody_is_called_for_what_was_answered,
    pages_say_no_more_than_the_tier_lets_them,
}

const MINUTE: Duration = Duration::from_mins(1);

/// Who is on call in the tests' week: ben, and ada is second.
fn round(from: u64) -> Vec<(u64, String)> {
    let calls = [
        (0, "ben"),
        (0, "desk:pagerduty"),
        (10, "pia"),
        (10, "ada"),
        (15, "sid"),
        (20, "eve"),
    ];
    let calls = calls.into_iter();
    calls
        .map(|(minute, who)| (from + minute, who.to_owned()))
        .collect()
}

async fn open(desk: &PageDesk, from: &str, subject: &str) -> TicketNumber {
    let letter = MailDesk::proven(from, subject).subject(subject);
    desk.mail.receive_on(&letter).await
}

async fn page(desk: &PageDesk, number: TicketNumber) -> paging::PageReport {
    let pages = paging::show(desk.desk(), &owner(), &Which::Ticket(number)).await;
    let mut pages = pages.expect("they are shown");
    assert_eq!(pages.len(), 1, "{pages:#?}");
    pages.remove(0)
}

/// Nobody answers: everybody is called in their turn, three times, and then whoever is told last.
async fn night(backend: Backend, from: &str) {
    let desk = PageDesk::start(backend).await;
    let number = open(&desk, from, "[SEV1] production is down").await;
    desk.pass(MINUTE * 89).await;
    let mut called = desk.called();
    let mut wanted: Vec<_> = [0, 30, 60].into_iter().flat_map(round).collect();
    called.sort();
    wanted.sort();
    assert_eq!(called, wanted);
    assert_eq!(page(&desk, number).await.state, PageState::Open);
    desk.is_healthy().await;

    desk.pass(MINUTE * 2).await;
    let mut last = desk.called();
    last.sort();
    let wanted = ["desk:pagerduty", "lead@securebase.example"];
    assert_eq!(last, wanted.map(|who| (90, who.to_owned())));
    let exhausted = page(&desk, number).await;
    assert_eq!(exhausted.state, PageState::Exhausted);
    assert_eq!(exhausted.next_at, None);
    desk.is_healthy().await;
    desk.pass(MINUTE * 60).await;
    assert_eq!(desk.called(), [], "it is over");
}

async fn a_night_of_gov_federal(backend: Backend) {
    night(backend, "security@techgov.gov").await;
}

async fn a_night_of_healthcare(backend: Backend) {
    night(backend, "compliance@medicorp.com").await;
}

async fn a_night_of_fintech(backend: Backend) {
    night(backend, "john@acmefinance.com").await;
}

async fn a_night_of_standard(backend: Backend) {
    night(backend, "admin@startupcorp.io").await;
}

/// Standard's sev2 waits for seven in the morning, UTC.
async fn nobody_is_woken_for_what_can_wait(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    // Monday, 23:00.
    desk.pass(Duration::from_hours(14)).await;
    let number = open(&desk, "admin@startupcorp.io", "[SEV2] slow").await;
    desk.pass(Duration::from_hours(7)).await;
    assert_eq!(desk.called(), [], "it is night");
    let waiting = page(&desk, number).await;
    assert_eq!(waiting.state, PageState::Waiting);
    assert_eq!(waiting.urgency.as_str(), "low");
    desk.is_healthy().await;
    // The internal objective is eight hours: both come at seven.
    desk.pass(Duration::from_hours(2)).await;
    let called = desk.called();
    assert_eq!(called[0], (22 * 60, "ben".to_owned()), "{called:?}");
    // By day it is called for at once.
    let day = PageDesk::start(backend).await;
    open(&day, "admin@startupcorp.io", "[SEV2] slow").await;
    day.work().await;
    assert_eq!(day.called(), [(0, "ben".to_owned())]);
}

/// Fintech's sev3: half of the four hours to our own objective.
async fn half_of_the_time_is_waited_for(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    open(&desk, "john@acmefinance.com", "a question").await;
    desk.pass(MINUTE * 119).await;
    assert_eq!(desk.called(), []);
    desk.pass(MINUTE * 2).await;
    assert_eq!(desk.called(), [(120, "ben".to_owned())]);
}

async fn nobody_is_called_for_what_was_answered(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let number = open(&desk, "john@acmefinance.com", "a question").await;
    let other = open(&desk, "john@acmefinance.com", "a second question").await;
    desk.mail.reply(number, "Here is the answer.").await;
    desk.pass(MINUTE * 130).await;
    assert_eq!(desk.called().len(), 1, "positive control: the other's");
    let answered = page(&desk, number).await;
    assert_eq!(answered.state, PageState::Acknowledged, "{answered:?}");
    assert_eq!(page(&desk, other).await.state, PageState::Open);
}

/// On every channel: gov-federal by alias and number, standard with its subject.
async fn pages_say_no_more_than_the_tier_lets_them(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    open(&desk, "security@techgov.gov", "[SEV1] canary-subject").await;
    open(&desk, "compliance@medicorp.com", "[SEV1] canary-subject").await;
    desk.pass(MINUTE * 100).await;
    let told = desk.told();
    assert!(told.len() > 30, "{}", told.len());
    for channel in [Channel::Mail, Channel::Webhook] {
        assert!(told.iter().any(|one| one.channel == channel), "{channel}");
    }
    for one in &told {
        let text = format!("{}\n{}", one.title, one.lines.join("\n"));
        for hidden in ["canary", "security@", "compliance@", "TechGov", "techgov."] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
    let of_gov = told.iter().filter(|one| one.title.contains("gov-federal"));
    assert!(of_gov.clone().count() > 10);
    assert!(of_gov.clone().all(|one| one.title.contains("Client-")));

    // Positive control: where the tier lets it, the subject is there.
    open(&desk, "admin@startupcorp.io", "[SEV1] canary-subject").await;
    desk.work().await;
    let told = desk.told();
    assert!(told[0].title.contains("canary-subject"), "{told:?}");
    assert_eq!(told[0].signal, Signal::Trigger);
}
