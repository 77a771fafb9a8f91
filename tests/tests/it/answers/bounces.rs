//! Mail of ours that comes back days later: to staff the same as one that was refused at once.

use std::time::Duration;

use tierdesk_core::{
    desk::{outbox, tickets, work_ticket::add_participant},
    mail::Envelope,
    outgoing::OutgoingState,
    receive::{Outcome, Road},
    tickets::{Delivery, Direction, Status, TicketNumber},
};
use tierdesk_ingest::process::deliver;
use tierdesk_tests::{Backend, MailDesk, on_both, owner};

on_both! {
    an_answer_that_comes_back_is_told_once,
    of_two_letters_the_one_that_came_back_is_named,
    a_receipt_that_comes_back_is_nobodys_work,
}

const JOHN: &str = "john@acmefinance.com";
const MARY: &str = "mary@acmefinance.com";

/// A report about the mail with this id.
async fn report(desk: &MailDesk, id: &str, whom: &str, action: &str, of: &str) -> Outcome {
    let (status, words) = match action {
        "failed" => ("5.1.1", "550 5.1.1 <x>: nobody here\r\n by that name"),
        _ => ("4.4.1", "connection timed out"),
    };
    let raw = format!(
        "From: MAILER-DAEMON@mx.acmefinance.com\r\nSubject: Your mail\r\nMessage-ID: <{id}@mx>\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nAbout {id}.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n\
         Final-Recipient: rfc822; {whom}\r\nAction: {action}\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; {words}\r\n\
         \r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{of}>\r\n\r\n--b--\r\n"
    );
    desk.test.pass(Duration::from_hours(1));
    let taken = deliver(
        &desk.test.desk,
        Road::Deliver,
        Envelope::default(),
        raw.as_bytes(),
    );
    taken.await.expect("it is taken").outcome
}

/// Status, what became of our messages, and the notes.
async fn seen(desk: &MailDesk, number: TicketNumber) -> (Status, Vec<Delivery>, Vec<String>) {
    let shown = desk.test.ticket(number).await;
    let of = |direction| {
        let messages = shown.messages.iter();
        messages.filter(move |one| one.direction == direction)
    };
    (
        shown.ticket.status,
        of(Direction::Out).map(|one| one.delivery).collect(),
        of(Direction::Note).map(|one| one.text.clone()).collect(),
    )
}

async fn an_answer_that_comes_back_is_told_once(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    assert_eq!(desk.post().await.len(), 1, "a receipt");
    desk.test.pass(Duration::from_secs(1));
    desk.reply(number, "It works again.").await;
    let sent = desk.post_later().await;
    let id = sent[0].mail.message_id.clone().expect("it has an id");
    let fine = (Status::WaitingCustomer, vec![Delivery::Sent; 2], vec![]);
    assert_eq!(seen(&desk, number).await, fine);

    // Of a mail that is not ours, and of one that is only late, nobody is told.
    let other = "guessed@securebase.example";
    assert_eq!(
        report(&desk, "n1", JOHN, "failed", other).await,
        Outcome::Recorded
    );
    assert_eq!(
        report(&desk, "n2", JOHN, "delayed", &id).await,
        Outcome::Recorded
    );
    assert_eq!(seen(&desk, number).await, fine);
    let history = tickets::history(&desk.test.desk, &owner(), number).await;
    let history = format!("{:?}", history.expect("it is read"));
    assert!(history.contains("is delayed"), "{history}");

    assert_eq!(
        report(&desk, "n3", JOHN, "failed", &id).await,
        Outcome::Recorded
    );
    let (status, deliveries, notes) = seen(&desk, number).await;
    assert_eq!(status, Status::Open, "it is ours again");
    assert_eq!(deliveries, [Delivery::Sent, Delivery::Failed]);
    let words = "550 5.1.1 <x>: nobody here by that name";
    assert!(
        notes.len() == 1 && notes[0].contains(JOHN) && notes[0].contains(words),
        "{notes:?}"
    );
    let letters = outbox::of_ticket(&desk.test.desk, &owner(), number).await;
    let letter = letters.expect("they are read").pop().expect("there is one");
    assert_eq!(letter.state, OutgoingState::Failed);
    assert_eq!(letter.reason.as_deref(), Some(words));

    // The same said again is not told again.
    report(&desk, "n4", JOHN, "failed", &id).await;
    assert_eq!(seen(&desk, number).await.2.len(), 1);
    println!("{backend:?}: 4 reports, 1 note");
    desk.end().await;
}

async fn of_two_letters_the_one_that_came_back_is_named(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    let mary = MARY.parse().expect("an address");
    add_participant(&desk.test.desk, &owner(), number, mary, None)
        .await
        .expect("she takes part");
    desk.reply(number, "It works again.").await;
    let sent = desk.post_later().await;
    assert_eq!(sent.len(), 2);
    let id = sent[0].mail.message_id.clone().expect("it has an id");
    report(&desk, "n1", "MARY@acmefinance.com", "failed", &id).await;
    let (status, _, notes) = seen(&desk, number).await;
    assert_eq!((status, notes.len()), (Status::Open, 1));
    assert!(
        notes[0].contains(MARY) && !notes[0].contains(JOHN),
        "{notes:?}"
    );
    let letters = outbox::of_ticket(&desk.test.desk, &owner(), number).await;
    let letters = letters.expect("they are read");
    let state = |whom: &str| {
        let mut letters = letters.iter().rev();
        letters
            .find(|one| one.recipient == whom)
            .map(|one| one.state)
    };
    assert_eq!(
        (state(MARY), state(JOHN)),
        (Some(OutgoingState::Failed), Some(OutgoingState::Sent))
    );
    // One that was passed on to somebody else: whose it was is not known, so what is known is said.
    report(&desk, "n2", "jon@elsewhere.example", "failed", &id).await;
    let notes = seen(&desk, number).await.2;
    assert!(
        notes.len() == 2 && notes[1].contains("jon@elsewhere.example"),
        "{notes:?}"
    );
    desk.end().await;
}

async fn a_receipt_that_comes_back_is_nobodys_work(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    let sent = desk.post().await;
    let id = sent[0].mail.message_id.clone().expect("it has an id");
    let before = seen(&desk, number).await;
    report(&desk, "n1", JOHN, "failed", &id).await;
    let after = seen(&desk, number).await;
    assert_eq!((after.0, after.2), (before.0, before.2), "no note");
    assert_eq!(after.1, [Delivery::Failed]);
    desk.end().await;
}
