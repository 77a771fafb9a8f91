//! Which ticket a mail continues, and what that does to the ticket.

use std::time::Duration;

use tierdesk_core::{
    desk::work_ticket::{close, mark_spam, set_status},
    receive::Outcome,
    tickets::{CloseReason, Status, TicketNumber},
};
use tierdesk_tests::{Backend, Letter, START, TestDesk, on_both, owner};

on_both! {
    an_answer_of_the_same_customer_is_appended,
    a_reference_alone_joins_nothing,
    a_stranger_may_answer_their_own_ticket,
    an_answer_reopens_what_was_resolved_or_closed,
    what_is_spam_stays_closed,
    machines_never_reopen,
    history_sets_no_clocks_until_it_is_answered,
    an_answer_to_what_was_only_recorded_opens,
}

const JOHN: &str = "john@acmefinance.com";

async fn status(test: &TestDesk, number: TicketNumber) -> Status {
    test.ticket(number).await.ticket.status
}

async fn an_answer_of_the_same_customer_is_appended(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let number = test.receive_on(&Letter::new(JOHN, "a")).await;
    test.pass(Duration::from_mins(1));
    let by_colleague = test
        .receive(&Letter::new("ann@acmefinance.com", "b").answers("a"))
        .await;
    assert_eq!(
        (by_colleague.outcome, by_colleague.ticket),
        (Outcome::Appended, Some(number))
    );
    let by_reference =
        Letter::new(JOHN, "c").header("References: <gone@x.example> <b@mail.example>");
    assert_eq!(test.receive(&by_reference).await.ticket, Some(number));
    let new_topic = test.receive(&Letter::new(JOHN, "d")).await;
    assert_eq!(
        new_topic.outcome,
        Outcome::Opened,
        "positive control: no reference, another ticket"
    );
    let detail = test.ticket(number).await;
    assert_eq!(detail.messages.len(), 3);
    assert_eq!(detail.ticket.participants, [JOHN, "ann@acmefinance.com"]);
    assert_eq!(detail.ticket.updated_at, START.plus(Duration::from_mins(1)));
    assert_eq!(detail.ticket.opened_at, START);
}

async fn a_reference_alone_joins_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let number = test.receive_on(&Letter::new(JOHN, "a")).await;
    let before = test.ticket(number).await;
    for (sender, outcome) in [
        ("eve@stranger.example", Outcome::Triaged),
        ("compliance@medicorp.com", Outcome::Opened),
        ("john@acmefinnance.com", Outcome::Triaged),
    ] {
        let receipt = test
            .receive(&Letter::new(sender, sender).answers("a"))
            .await;
        assert_eq!(receipt.outcome, outcome, "{sender}");
        let opened = receipt.ticket.expect("it is on a ticket");
        assert_ne!(opened, number, "{sender}");
        let reasons = test.ticket(opened).await.ticket.trust_reasons.join("; ");
        assert!(
            reasons.contains(&format!("it refers to {number}")),
            "{sender}: {reasons}"
        );
        assert!(
            receipt
                .reasons
                .iter()
                .any(|reason| reason.contains(&number.to_string()))
        );
    }
    let after = test.ticket(number).await;
    assert_eq!(after.messages.len(), before.messages.len());
    assert_eq!(after.ticket.participants, before.ticket.participants);
}

async fn a_stranger_may_answer_their_own_ticket(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let number = test
        .receive_on(&Letter::new("eve@stranger.example", "a"))
        .await;
    let own = test
        .receive(&Letter::new("eve@stranger.example", "b").answers("a"))
        .await;
    assert_eq!((own.outcome, own.ticket), (Outcome::Appended, Some(number)));
    let other = test
        .receive(&Letter::new("mallory@stranger.example", "c").answers("b"))
        .await;
    assert_eq!(
        other.outcome,
        Outcome::Triaged,
        "one domain is not one customer"
    );
}

async fn an_answer_reopens_what_was_resolved_or_closed(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let number = test.receive_on(&Letter::new(JOHN, "a")).await;
    set_status(&test.desk, &owner(), number, Status::Resolved)
        .await
        .expect("it is resolved");
    assert!(
        test.ticket(number)
            .await
            .ticket
            .sla
            .resolution
            .met_at
            .is_some()
    );
    test.receive(&Letter::new(JOHN, "b").answers("a")).await;
    let ticket = test.ticket(number).await.ticket;
    assert_eq!(
        (ticket.status, ticket.sla.resolution.met_at),
        (Status::Open, None)
    );
    close(&test.desk, &owner(), number, CloseReason::Done)
        .await
        .expect("it is closed");
    test.receive(&Letter::new(JOHN, "c").answers("a")).await;
    let ticket = test.ticket(number).await.ticket;
    assert_eq!((ticket.status, ticket.close_reason), (Status::Open, None));
    for waiting in [Status::WaitingCustomer, Status::OnHold] {
        set_status(&test.desk, &owner(), number, waiting)
            .await
            .expect("it waits");
        test.receive(&Letter::new(JOHN, waiting.as_str()).answers("a"))
            .await;
        assert_eq!(status(&test, number).await, Status::Open);
    }
}

async fn what_is_spam_stays_closed(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let number = test
        .receive_on(&Letter::new("eve@stranger.example", "a"))
        .await;
    mark_spam(&test.desk, &owner(), number)
        .await
        .expect("it is set aside");
    let receipt = test
        .receive(&Letter::new("eve@stranger.example", "b").answers("a"))
        .await;
    assert_eq!(
        (receipt.outcome, receipt.ticket),
        (Outcome::Appended, Some(number))
    );
    let ticket = test.ticket(number).await.ticket;
    assert_eq!(
        (ticket.status, ticket.close_reason),
        (Status::Closed, Some(CloseReason::Spam))
    );
}

async fn machines_never_reopen(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let number = test.receive_on(&Letter::new(JOHN, "a")).await;
    set_status(&test.desk, &owner(), number, Status::Resolved)
        .await
        .expect("it is resolved");
    let before = test.ticket(number).await.ticket;
    test.pass(Duration::from_hours(1));
    let headers = [
        "Auto-Submitted: auto-replied",
        "X-Failed-Recipients: x@y.example",
        "Precedence: bulk",
    ];
    for (n, header) in headers.iter().enumerate() {
        let letter = Letter::new(JOHN, &format!("machine-{n}"))
            .answers("a")
            .header(header);
        let receipt = test.receive(&letter).await;
        assert_eq!(
            (receipt.outcome, receipt.ticket),
            (Outcome::Recorded, Some(number)),
            "{header}"
        );
    }
    let after = test.ticket(number).await;
    assert_eq!(
        after.messages.len(),
        4,
        "they stand on the ticket they answer"
    );
    assert_eq!(
        (after.ticket.status, after.ticket.updated_at),
        (Status::Resolved, before.updated_at)
    );
}

async fn history_sets_no_clocks_until_it_is_answered(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let old = Letter::new(JOHN, "old")
        .date("Mon, 02 Mar 2026 10:00:00 +0000")
        .silent();
    let number = test.receive_on(&old).await;
    let ticket = test.ticket(number).await.ticket;
    assert!(ticket.is_silent);
    assert_eq!(
        ticket.opened_at,
        "2026-03-02T10:00:00Z".parse().expect("an instant")
    );
    assert_eq!(
        (
            ticket.sla.first_response.due,
            ticket.sla.resolution.internal_due
        ),
        (None, None)
    );
    let reply = Letter::new(JOHN, "reply")
        .answers("old")
        .date("Tue, 03 Mar 2026 10:00:00 +0000")
        .silent();
    test.receive(&reply).await;
    let ticket = test.ticket(number).await.ticket;
    assert!(
        ticket.is_silent,
        "history that continues history stays silent"
    );
    assert_eq!(
        ticket.updated_at,
        "2026-03-03T10:00:00Z".parse().expect("an instant")
    );
    let future = Letter::new(JOHN, "future")
        .date("Mon, 01 Mar 2027 10:00:00 +0000")
        .silent();
    let claimed = test.receive_on(&future).await;
    assert_eq!(
        test.ticket(claimed).await.ticket.opened_at,
        START,
        "nobody writes from the future"
    );
    test.receive(&Letter::new(JOHN, "live").answers("reply"))
        .await;
    let ticket = test.ticket(number).await.ticket;
    let tier = test.desk.catalogue.get("fintech").expect("a tier");
    let due = tier.targets.first_response[ticket.severity]
        .contract
        .expect("it is promised");
    assert!(!ticket.is_silent, "what is answered is history no more");
    assert_eq!(
        ticket.sla.first_response.due,
        Some(START.plus(due.duration())),
        "from now, not from then"
    );
}

async fn an_answer_to_what_was_only_recorded_opens(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let machine = Letter::new(JOHN, "away").header("Auto-Submitted: auto-replied");
    assert_eq!(test.receive(&machine).await.ticket, None);
    let receipt = test.receive(&Letter::new(JOHN, "b").answers("away")).await;
    assert_eq!(receipt.outcome, Outcome::Opened);
}
