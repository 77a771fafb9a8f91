//! A thank you after the end is set aside, and nothing else is.

use std::time::Duration;

use tierdesk_core::{
    desk::{
        Error,
        tickets::{TicketDetail, history},
        work_ticket::{assign, close, dismiss, set_status},
    },
    refusal::RefusalCode,
    tickets::{CloseReason, Status, TicketNumber},
};
use tierdesk_tests::{Backend, MailDesk, on_both, owner};

on_both! {
    a_thank_you_goes_back_to_resolved_without_a_clock,
    a_closed_ticket_is_closed_again_for_its_reason,
    what_is_no_thank_you_is_not_called_one,
    what_was_not_ended_or_was_worked_on_is_not_dismissed,
}

const JOHN: &str = "john@acmefinance.com";

async fn answer(desk: &MailDesk, id: &str, text: &str) {
    desk.test.pass(Duration::from_hours(1));
    let letter = MailDesk::proven(JOHN, id).answers("one").body(text);
    desk.receive(&letter).await;
    desk.test.pass(Duration::from_mins(1));
}

/// A ticket that was answered and resolved.
async fn resolved(desk: &MailDesk) -> (TicketNumber, TicketDetail) {
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    desk.test.pass(Duration::from_mins(5));
    desk.reply(number, "It works again.").await;
    desk.post_later().await;
    desk.test.pass(Duration::from_mins(5));
    set_status(&desk.test.desk, &owner(), number, Status::Resolved)
        .await
        .expect("it is resolved");
    (number, desk.test.ticket(number).await)
}

async fn refused(desk: &MailDesk, number: TicketNumber) -> String {
    match dismiss(&desk.test.desk, &owner(), number).await {
        Err(Error::Refused(refusal)) => {
            assert_eq!(refusal.code, RefusalCode::WrongStatus);
            refusal.message
        }
        other => panic!("a refusal was expected: {other:?}"),
    }
}

async fn a_thank_you_goes_back_to_resolved_without_a_clock(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let (number, before) = resolved(&desk).await;
    answer(&desk, "two", "Perfect, thank you!\n\nJohn").await;
    let shown = desk.test.ticket(number).await;
    assert_eq!(shown.ticket.status, Status::Open);
    assert_eq!(shown.ticket.sla.resolution.met_at, None, "its clock runs");
    assert!(shown.looks_like_thanks);
    dismiss(&desk.test.desk, &owner(), number)
        .await
        .expect("it is set aside");
    let after = desk.test.ticket(number).await;
    assert_eq!(after.ticket.status, Status::Resolved);
    let clocks = |detail: &TicketDetail| format!("{:?}", detail.ticket.sla);
    assert_eq!(clocks(&after), clocks(&before), "as if nothing had come");
    assert_eq!(after.messages.len(), before.messages.len() + 1);
    assert!(!after.looks_like_thanks);
    let events = history(&desk.test.desk, &owner(), number)
        .await
        .expect("it is read");
    let last = events.last().expect("there is one");
    assert_eq!(
        (&*last.kind, &last.detail["from"]),
        ("dismissed", &JOHN.into())
    );
    assert!(refused(&desk, number).await.contains("is resolved"));
    // What comes next takes it up as before, and is a matter of its own.
    answer(&desk, "three", "It is broken again").await;
    let again = desk.test.ticket(number).await;
    assert_eq!(
        (again.ticket.status, again.looks_like_thanks),
        (Status::Open, false)
    );
    desk.end().await;
}

async fn a_closed_ticket_is_closed_again_for_its_reason(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let (number, _) = resolved(&desk).await;
    close(&desk.test.desk, &owner(), number, CloseReason::NoAnswer)
        .await
        .expect("it closes");
    let before = desk.test.ticket(number).await.ticket;
    answer(&desk, "two", "Danke!").await;
    assert_eq!(desk.test.ticket(number).await.ticket.close_reason, None);
    let after = dismiss(&desk.test.desk, &owner(), number)
        .await
        .expect("it is set aside");
    assert_eq!(
        (
            after.status,
            after.close_reason,
            after.sla.resolution.met_at
        ),
        (
            Status::Closed,
            Some(CloseReason::NoAnswer),
            before.sla.resolution.met_at
        )
    );
    desk.end().await;
}

async fn what_is_no_thank_you_is_not_called_one(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let (number, _) = resolved(&desk).await;
    let file = MailDesk::proven(JOHN, "two")
        .answers("one")
        .body("Thanks!")
        .attach("error.txt", b"it fails");
    desk.receive(&file).await;
    let shown = desk.test.ticket(number).await;
    assert!(!shown.looks_like_thanks, "a file may say more");
    dismiss(&desk.test.desk, &owner(), number)
        .await
        .expect("a person decides");
    desk.end().await;
}

async fn what_was_not_ended_or_was_worked_on_is_not_dismissed(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    assert!(refused(&desk, number).await.contains("is new"));
    assign(&desk.test.desk, &owner(), number, "me").await.ok();
    set_status(&desk.test.desk, &owner(), number, Status::Open)
        .await
        .expect("it is open");
    assert!(refused(&desk, number).await.contains("no mail"));
    answer(&desk, "two", "Thanks!").await;
    let message = refused(&desk, number).await;
    assert!(message.contains("had not ended"), "{message}");
    set_status(&desk.test.desk, &owner(), number, Status::Resolved)
        .await
        .expect("it is resolved");
    answer(&desk, "three", "Thanks!").await;
    assert!(desk.test.ticket(number).await.looks_like_thanks);
    desk.reply(number, "You are welcome").await;
    set_status(&desk.test.desk, &owner(), number, Status::Open)
        .await
        .expect("it is open");
    let message = refused(&desk, number).await;
    assert!(message.contains("was worked on"), "{message}");
    assert!(!desk.test.ticket(number).await.looks_like_thanks);
    desk.post_later().await;
    desk.end().await;
}
