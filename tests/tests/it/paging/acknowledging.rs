//! Taking pages, passing them on, and what ends them.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tierdesk_core::{
    desk::{
        Error,
        paging::{self, PageReport, Which},
        work_ticket,
    },
    paging::{PageState, Signal},
    refusal::RefusalCode,
    tickets::{CloseReason, Direction, Status, TicketNumber},
    tiers::Severity,
};
use tierdesk_tests::{Backend, Letter, MailDesk, PageDesk, login, on_both, owner};

on_both! {
    taking_it_stops_whatever_waits,
    an_acknowledgement_expires_without_an_update,
    taking_or_answering_the_ticket_acknowledges,
    whoever_cannot_take_it_calls_the_next,
    it_can_be_handed_over,
    the_end_of_a_ticket_ends_its_page,
    what_gets_worse_is_paged_for,
    people_are_called_by_hand,
    another_program_acknowledges_by_its_key,
    a_ticket_that_is_given_to_somebody_else_calls_on,
    what_waits_for_its_customer_calls_nobody_again,
    a_page_survives_a_merge,
    whoever_has_a_page_has_it_behind_a_merge,
    who_may_not_work_for_the_tier_may_not_take_it,
}

const MINUTE: Duration = Duration::from_mins(1);
const JOHN: &str = "john@acmefinance.com";

/// No two are the same mail.
fn down(from: &str) -> Letter {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let id = format!("down-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    MailDesk::proven(from, &id).subject("[SEV1] down")
}

async fn sev1(desk: &PageDesk) -> TicketNumber {
    let number = desk.mail.receive_on(&down(JOHN)).await;
    desk.work().await;
    let called: Vec<String> = desk.called().into_iter().map(|(_, who)| who).collect();
    assert_eq!(called, ["ben", "desk:pagerduty"]);
    number
}

async fn page(desk: &PageDesk, number: TicketNumber) -> PageReport {
    let pages = paging::show(desk.desk(), &owner(), &Which::Ticket(number)).await;
    pages.expect("they are shown").remove(0)
}

async fn ack(desk: &PageDesk, who: &str, number: TicketNumber) -> paging::Taken {
    paging::acknowledge(desk.desk(), &login(who), &Which::Ticket(number), "terminal")
        .await
        .expect("it is taken")
}

async fn taking_it_stops_whatever_waits(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let number = sev1(&desk).await;
    // Step two is written, and its mails cannot leave: they wait.
    desk.set_away(tierdesk_core::paging::Channel::Mail, true);
    desk.pass(MINUTE * 10).await;
    assert_eq!(desk.called(), []);
    let waiting = page(&desk, number).await;
    let due = waiting.notices.iter();
    let due = due.filter(|notice| notice.state.as_str() == "due").count();
    assert_eq!(due, 2, "positive control: two wait");

    let taken = ack(&desk, "ben", number).await;
    assert_eq!(taken.was_taken_by, None);
    assert_eq!(taken.page.acknowledged_by.as_deref(), Some("staff:ben"));
    desk.set_away(tierdesk_core::paging::Channel::Mail, false);
    desk.pass(MINUTE * 25).await;
    let told = desk.told();
    let told: Vec<_> = told
        .iter()
        .map(|one| (one.who.as_str(), one.signal))
        .collect();
    assert_eq!(told, [("desk:pagerduty", Signal::Acknowledge)]);
    desk.is_healthy().await;
    let again = ack(&desk, "ada", number).await;
    assert_eq!(again.was_taken_by.as_deref(), Some("staff:ben"));
}

async fn an_acknowledgement_expires_without_an_update(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let number = sev1(&desk).await;
    ack(&desk, "ben", number).await;
    desk.work().await;
    desk.told();
    desk.pass(MINUTE * 20).await;
    work_ticket::note(desk.desk(), &login("ben"), number, "looking at the logs")
        .await
        .expect("it is noted");
    desk.pass(MINUTE * 29).await;
    assert_eq!(desk.called(), [], "the note was an update");
    desk.pass(MINUTE * 2).await;
    let called: Vec<_> = desk.called().into_iter().map(|(_, who)| who).collect();
    assert_eq!(called, ["ben", "desk:pagerduty"]);
    let open = page(&desk, number).await;
    assert_eq!((open.state, open.acknowledged_by), (PageState::Open, None));
    // And goes on from there.
    desk.pass(MINUTE * 10).await;
    assert_eq!(desk.called().len(), 2);
    desk.is_healthy().await;
}

async fn taking_or_answering_the_ticket_acknowledges(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let taken = sev1(&desk).await;
    work_ticket::assign(desk.desk(), &login("ben"), taken, "me")
        .await
        .expect("it is taken");
    let page_of = page(&desk, taken).await;
    assert_eq!(page_of.state, PageState::Acknowledged);
    assert_eq!(page_of.acknowledged_via.as_deref(), Some("assigned"));
    desk.work().await;
    desk.told();
    let answered = sev1(&desk).await;
    desk.mail.reply(answered, "We are at it.").await;
    assert_eq!(page(&desk, answered).await.state, PageState::Acknowledged);
    desk.pass(MINUTE * 15).await;
    assert_eq!(desk.called(), []);
}

async fn whoever_cannot_take_it_calls_the_next(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let number = sev1(&desk).await;
    let which = Which::Ticket(number);
    paging::escalate(desk.desk(), &login("ben"), &which, Some("on a train"))
        .await
        .expect("it is passed on");
    desk.work().await;
    let called: Vec<_> = desk.called().into_iter().collect();
    assert_eq!(called, [(0, "pia".to_owned()), (0, "ada".to_owned())]);
    // The step after it comes when it would behind this one, not at its old time.
    desk.pass(MINUTE * 4).await;
    assert_eq!(desk.called(), []);
    desk.pass(MINUTE * 2).await;
    assert_eq!(desk.called(), [(5, "sid".to_owned())]);
}

async fn it_can_be_handed_over(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let number = sev1(&desk).await;
    let which = Which::Ticket(number);
    ack(&desk, "ben", number).await;
    desk.work().await;
    desk.told();
    paging::hand_over(desk.desk(), &login("ben"), &which, "eve")
        .await
        .expect("it is handed over");
    desk.work().await;
    let called: Vec<_> = desk.called().into_iter().map(|(_, who)| who).collect();
    assert_eq!(called, ["eve"]);
    assert_eq!(page(&desk, number).await.state, PageState::Open);
    desk.disable("sid").await;
    let refused = paging::hand_over(desk.desk(), &login("ben"), &which, "sid").await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    // Nobody answers: it goes on.
    desk.pass(MINUTE * 11).await;
    assert_eq!(desk.called().len(), 2);
}

async fn the_end_of_a_ticket_ends_its_page(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let closed = sev1(&desk).await;
    work_ticket::close(desk.desk(), &login("ben"), closed, CloseReason::Done)
        .await
        .expect("it is closed");
    desk.work().await;
    let mut told = desk.told();
    let resolved = sev1(&desk).await;
    work_ticket::set_status(desk.desk(), &login("ben"), resolved, Status::Resolved)
        .await
        .expect("it is resolved");
    desk.work().await;
    told.extend(desk.told());
    let ends = told.iter().filter(|one| one.signal == Signal::Resolve);
    assert_eq!(ends.count(), 2, "whoever follows it by a webhook is told");
    for number in [closed, resolved] {
        assert_eq!(page(&desk, number).await.state, PageState::Resolved);
    }
    desk.pass(MINUTE * 60).await;
    assert_eq!(desk.told(), []);
    let refused = paging::acknowledge(
        desk.desk(),
        &login("ben"),
        &Which::Ticket(closed),
        "terminal",
    )
    .await;
    assert!(
        matches!(refused, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::NotFound)
    );
    desk.mail.test.pass(MINUTE);
    work_ticket::reopen(desk.desk(), &login("ben"), closed)
        .await
        .expect("it is reopened");
    desk.work().await;
    assert_eq!(desk.called().len(), 2, "it is sev1 still");
}

async fn what_gets_worse_is_paged_for(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let letter = MailDesk::proven(JOHN, "a").subject("a question");
    let number = desk.mail.receive_on(&letter).await;
    desk.work().await;
    assert_eq!(desk.called(), []);
    work_ticket::set_severity(desk.desk(), &login("ada"), number, Severity::Sev1)
        .await
        .expect("it is set");
    desk.work().await;
    assert_eq!(desk.called().len(), 2);
    work_ticket::set_severity(desk.desk(), &login("ada"), number, Severity::Sev4)
        .await
        .expect("it is set");
    desk.work().await;
    desk.told();
    desk.pass(MINUTE * 60).await;
    assert_eq!(desk.told(), [], "nobody is called for sev4");

    // A customer who is known to be one says so themselves.
    let other = MailDesk::proven(JOHN, "b").subject("another question");
    desk.mail.receive_on(&other).await;
    let worse = MailDesk::proven(JOHN, "c")
        .subject("Re: [SEV1] another question")
        .answers("b");
    desk.mail.receive_on(&worse).await;
    desk.work().await;
    assert_eq!(desk.called().len(), 2, "raised by its customer");
}

async fn people_are_called_by_hand(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let letter = MailDesk::proven("admin@startupcorp.io", "a").subject("a question");
    let number = desk.mail.receive_on(&letter).await;
    paging::send(
        desk.desk(),
        &login("ada"),
        number,
        Some("sid"),
        "I need you",
    )
    .await
    .expect("sid is called");
    desk.work().await;
    let told = desk.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].who, "sid");
    assert!(
        told[0].lines[0].contains("a colleague asks for help"),
        "{told:?}"
    );
    let text = format!("{told:?}");
    assert!(!text.contains("I need you"), "what was typed stays here");
    let twice = paging::send(desk.desk(), &login("ada"), number, None, "again").await;
    assert!(matches!(twice, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::Taken));
}

async fn another_program_acknowledges_by_its_key(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let number = sev1(&desk).await;
    let key = page(&desk, number).await.id.to_string();
    let outside = |key: String, is_over: bool, at| {
        let desk = desk.desk().clone();
        async move {
            let said = paging::Outside {
                key: &key,
                who: "Ben",
                is_over,
                at,
            };
            paging::acknowledge_outside(&desk, &said)
                .await
                .expect("it is heard")
        }
    };
    let now = desk.now();
    assert!(!outside("nonsense".to_owned(), false, now).await);
    let before = now.minus(Duration::from_mins(10));
    assert!(outside(key.clone(), false, before).await);
    assert_eq!(
        page(&desk, number).await.state,
        PageState::Open,
        "an old word"
    );
    assert!(outside(key.clone(), false, now).await);
    let taken = page(&desk, number).await;
    assert_eq!(taken.state, PageState::Acknowledged);
    assert_eq!(taken.acknowledged_via.as_deref(), Some("pagerduty: Ben"));
    // Resolved over there, the ticket is still ours to end.
    assert!(outside(key.clone(), true, now).await);
    assert_eq!(page(&desk, number).await.state, PageState::Acknowledged);
    let ticket = desk.mail.test.ticket(number).await.ticket;
    assert!(ticket.status.is_active());

    // It expires and begins anew, under another key: what is said by the old one is of no use.
    desk.work().await;
    desk.told();
    desk.pass(MINUTE * 31).await;
    assert_eq!(page(&desk, number).await.state, PageState::Open);
    assert!(outside(key.clone(), false, desk.now()).await);
    assert_eq!(page(&desk, number).await.state, PageState::Open);
    assert!(outside(format!("{key}.1"), false, desk.now()).await);
    assert_eq!(page(&desk, number).await.state, PageState::Acknowledged);
}

/// Given to a colleague it waits for them; passed on by hand it calls no less.
async fn a_ticket_that_is_given_to_somebody_else_calls_on(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let number = sev1(&desk).await;
    work_ticket::assign(desk.desk(), &login("ben"), number, "ada")
        .await
        .expect("it is given");
    assert_eq!(page(&desk, number).await.state, PageState::Open);
    ack(&desk, "ada", number).await;
    assert_eq!(page(&desk, number).await.state, PageState::Acknowledged);
}

/// What waits for its customer, or sleeps, is not ours to answer: nobody is called again for it.
async fn what_waits_for_its_customer_calls_nobody_again(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let waiting = sev1(&desk).await;
    desk.mail.reply(waiting, "Is it better now?").await;
    let open = sev1(&desk).await;
    ack(&desk, "ben", open).await;
    desk.work().await;
    desk.told();
    desk.pass(MINUTE * 65).await;
    let told = desk.told();
    let again = told.iter().filter(|one| one.signal == Signal::Trigger);
    let again: Vec<&str> = again.map(|one| one.title.as_str()).collect();
    assert!(!again.is_empty(), "positive control: the open one");
    let name = waiting.to_string();
    assert!(
        again.iter().all(|title| !title.contains(&name)),
        "{again:?}"
    );
    assert_eq!(page(&desk, waiting).await.state, PageState::Acknowledged);
}

/// Merged into an older one, a sev1 is paged for there; split off, it is paged for anew.
async fn a_page_survives_a_merge(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let letter = MailDesk::proven(JOHN, "older").subject("a question");
    let older = desk.mail.receive_on(&letter).await;
    desk.mail.test.pass(MINUTE);
    let younger = sev1(&desk).await;
    work_ticket::merge(desk.desk(), &login("ada"), younger, older)
        .await
        .expect("they are merged");
    desk.work().await;
    let called = desk.called();
    assert!(!called.is_empty(), "the older is sev1 now");
    assert_eq!(page(&desk, older).await.state, PageState::Open);
    assert_eq!(page(&desk, younger).await.state, PageState::Resolved);
    let detail = desk.mail.test.ticket(older).await;
    let last = detail
        .messages
        .iter()
        .rposition(|one| one.direction == Direction::In);
    let last = last.expect("it has mails") + 1;
    let split = work_ticket::split(desk.desk(), &login("ada"), older, &[last], None).await;
    let split = split.expect("it is two again").number;
    assert_eq!(page(&desk, older).await.state, PageState::Open);
    assert_eq!(
        page(&desk, split).await.state,
        PageState::Waiting,
        "sev1 as well"
    );
}

/// Nobody is called anew for what somebody has already; unless the other ticket is the worse.
async fn whoever_has_a_page_has_it_behind_a_merge(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let open = async |id: &str, subject: &str| {
        let letter = MailDesk::proven(JOHN, id).subject(subject);
        desk.mail.receive_on(&letter).await
    };
    let older = open("older", "a question").await;
    desk.mail.test.pass(MINUTE);
    let younger = sev1(&desk).await;
    desk.work().await;
    ack(&desk, "ben", younger).await;
    desk.called();
    work_ticket::merge(desk.desk(), &login("ada"), younger, older)
        .await
        .expect("they are merged");
    desk.work().await;
    assert_eq!(desk.called(), [], "ben has it");
    let one = page(&desk, older).await;
    assert_eq!(one.state, PageState::Acknowledged);
    assert_eq!(one.acknowledged_by.as_deref(), Some("staff:ben"));
    assert!(one.next_at.is_some(), "it expires as any");
    desk.is_healthy().await;

    let calling = sev1(&desk).await;
    desk.work().await;
    desk.called();
    let lesser = open("lesser", "[SEV2] slow").await;
    desk.work().await;
    ack(&desk, "ben", lesser).await;
    work_ticket::merge(desk.desk(), &login("ada"), lesser, calling)
        .await
        .expect("they are merged");
    assert_eq!(page(&desk, calling).await.state, PageState::Open, "sev1");
}

/// Whoever may not be given the ticket is not called for it, and cannot take it.
async fn who_may_not_work_for_the_tier_may_not_take_it(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let what = "screened".parse().expect("it names an attribute");
    tierdesk_core::desk::staff::revoke(desk.desk(), &owner(), "ben", what, None)
        .await
        .expect("it is revoked");
    let letter = MailDesk::proven("security@techgov.gov", "down").subject("[SEV1] down");
    let number = desk.mail.receive_on(&letter).await;
    desk.work().await;
    // A webhook alone is nobody: the next are called at once.
    let mut called: Vec<_> = desk.called().into_iter().map(|(_, who)| who).collect();
    called.sort();
    assert_eq!(called, ["ada", "desk:pagerduty", "pia"]);
    let which = Which::Ticket(number);
    let refused = paging::acknowledge(desk.desk(), &login("ben"), &which, "terminal").await;
    assert!(
        matches!(refused, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::NotPermitted)
    );
    ack(&desk, "ada", number).await;
}
