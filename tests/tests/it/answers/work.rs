//! Working a ticket: it sleeps, becomes one with another, is taken apart.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{
        Error, attachments,
        reply::{self, NewReply, Then},
        work_ticket::{link, merge, note_with, snooze, split, tag},
    },
    jobs::{wake::WakeTicket, worker::Worker},
    mail::{Attachment, AttachmentInfo},
    tickets::{CloseReason, Direction, Status, TicketNumber},
};
use tierdesk_tests::{Backend, MailDesk, on_both, owner};

on_both! {
    a_ticket_sleeps_until_its_time_or_an_answer,
    two_tickets_become_one_and_mail_to_either_reaches_it,
    tickets_of_different_customers_stay_apart,
    a_ticket_is_taken_apart,
    tags_and_ties_are_shown,
    a_file_is_kept_with_a_note,
}

const JOHN: &str = "john@acmefinance.com";

async fn wake(desk: &MailDesk) {
    let handler = Arc::new(WakeTicket {
        desk: Arc::new(desk.test.desk.clone()),
    });
    let worker = Worker::new(desk.test.desk.database.clone(), "wake", vec![handler]);
    worker.drain().await.expect("the queue is read");
}

async fn status(desk: &MailDesk, number: TicketNumber) -> Status {
    desk.test.ticket(number).await.ticket.status
}

async fn a_ticket_sleeps_until_its_time_or_an_answer(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    let at = |span| desk.test.clock.read().plus(span);
    let day = Duration::from_hours(24);
    snooze(&desk.test.desk, &owner(), number, at(day))
        .await
        .expect("it sleeps");
    snooze(&desk.test.desk, &owner(), number, at(2 * day))
        .await
        .expect("it sleeps for longer");
    desk.test.pass(day + Duration::from_secs(1));
    wake(&desk).await;
    assert_eq!(
        status(&desk, number).await,
        Status::OnHold,
        "the first time is not the time any more"
    );
    desk.test.pass(day);
    wake(&desk).await;
    let shown = desk.test.ticket(number).await.ticket;
    assert_eq!((shown.status, shown.snoozed_until), (Status::Open, None));

    let new = NewReply {
        text: "We look next week".to_owned(),
        then: Then::Snooze(at(day)),
        is_at_once: true,
        ..NewReply::default()
    };
    reply::reply(&desk.test.desk, &owner(), number, new)
        .await
        .expect("it is answered");
    assert_eq!(desk.post().await.len(), 1);
    assert_eq!(status(&desk, number).await, Status::OnHold);
    desk.test.pass(Duration::from_secs(5));
    desk.receive(&MailDesk::proven(JOHN, "two").answers("one"))
        .await;
    assert_eq!(
        status(&desk, number).await,
        Status::Open,
        "an answer wakes it"
    );
    desk.test.pass(day);
    wake(&desk).await;
    assert_eq!(status(&desk, number).await, Status::Open);
    let past = snooze(&desk.test.desk, &owner(), number, desk.test.clock.read()).await;
    assert!(matches!(past, Err(Error::Refused(_))), "{past:?}");
    desk.end().await;
}

async fn two_tickets_become_one_and_mail_to_either_reaches_it(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let first = desk.receive_on(&MailDesk::proven(JOHN, "first")).await;
    desk.test.pass(Duration::from_mins(1));
    let second = desk
        .receive_on(&MailDesk::proven("Ann <ann@acmefinance.com>", "second"))
        .await;
    let receipts = desk.post().await;
    let address = |whom: &str| {
        let one = receipts.iter().find(|one| one.recipient == whom);
        one.expect("a receipt").mail.reply_to[0].address.clone()
    };
    desk.test.pass(Duration::from_mins(1));
    desk.reply(second, "We look").await;
    desk.post_later().await;
    let due = desk.test.ticket(first).await.ticket.sla.first_response.due;

    // The other way round is the same: the older stays.
    let merged = merge(&desk.test.desk, &owner(), second, first)
        .await
        .expect("they are one");
    assert_eq!(merged.number, first);
    let shown = desk.test.ticket(first).await;
    assert_eq!(
        shown.ticket.sla.first_response.due, due,
        "the older's clocks"
    );
    let texts: Vec<_> = shown.messages.iter().map(|one| &*one.text).collect();
    for wanted in ["Text of first.", "Text of second.", "We look"] {
        assert!(texts.contains(&wanted), "{wanted}: {texts:?}");
    }
    assert_eq!(shown.ticket.participants.len(), 2);
    assert_eq!(shown.links[0].kind, "took_in");
    let gone = desk.test.ticket(second).await;
    assert_eq!(gone.ticket.close_reason, Some(CloseReason::Duplicate));
    assert!(gone.messages.is_empty());
    assert_eq!(
        (gone.links[0].kind, gone.links[0].ticket),
        ("merged_into", first)
    );

    desk.test.pass(Duration::from_mins(1));
    for (id, header) in [
        (
            "by-token",
            format!("Delivered-To: {}", address("ann@acmefinance.com")),
        ),
        ("by-id", "In-Reply-To: <second@mail.example>".to_owned()),
        ("by-first", "In-Reply-To: <first@mail.example>".to_owned()),
    ] {
        let letter = MailDesk::proven("ann@acmefinance.com", id).header(&header);
        let receipt = desk.receive(&letter).await;
        assert_eq!(receipt.ticket, Some(first), "{id}: {receipt:?}");
        desk.test.pass(Duration::from_secs(1));
    }
    // A third one takes both in, and the oldest token still finds its way.
    let again = merge(&desk.test.desk, &owner(), first, second).await;
    assert!(matches!(again, Err(Error::Refused(_))), "{again:?}");
    desk.end().await;
}

async fn tickets_of_different_customers_stay_apart(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let one = desk.receive_on(&MailDesk::proven(JOHN, "a")).await;
    let other = desk
        .receive_on(&MailDesk::proven("admin@startupcorp.io", "b"))
        .await;
    let strangers = [
        desk.receive_on(&MailDesk::proven("eve@stranger.example", "c"))
            .await,
        desk.receive_on(&MailDesk::proven("mallory@stranger.example", "d"))
            .await,
    ];
    desk.post().await;
    for (one, other) in [
        (one, other),
        (one, strangers[0]),
        (strangers[0], strangers[1]),
        (one, one),
    ] {
        let refused = merge(&desk.test.desk, &owner(), one, other).await;
        assert!(
            matches!(refused, Err(Error::Refused(_))),
            "{one} and {other}: {refused:?}"
        );
    }
    desk.end().await;
}

async fn a_ticket_is_taken_apart(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    for id in ["two", "three"] {
        desk.test.pass(Duration::from_mins(1));
        desk.receive(&MailDesk::proven("ann@acmefinance.com", id).answers("one"))
            .await;
    }
    let places: Vec<usize> = desk
        .test
        .ticket(number)
        .await
        .messages
        .iter()
        .zip(1..)
        .filter(|(message, _)| message.direction == Direction::In && message.text != "Text of one.")
        .map(|(_, place)| place)
        .collect();
    let new = split(&desk.test.desk, &owner(), number, &places, None)
        .await
        .expect("it is two");
    assert_eq!(
        (&*new.requester, new.customer.is_some()),
        ("ann@acmefinance.com", true)
    );
    assert!(
        new.sla.first_response.due.is_some(),
        "they have waited since they wrote"
    );
    let shown = desk.test.ticket(new.number).await;
    assert_eq!(shown.messages.len(), 2);
    assert_eq!(shown.links[0].kind, "split_from");
    desk.test.pass(Duration::from_mins(1));
    let receipt = desk
        .receive(&MailDesk::proven("ann@acmefinance.com", "four").answers("three"))
        .await;
    assert_eq!(
        receipt.ticket,
        Some(new.number),
        "answers follow what they answer"
    );
    for wrong in [&[][..], &[1, 2, 3, 4, 5, 6, 7][..], &[99][..], &[0][..]] {
        let refused = split(&desk.test.desk, &owner(), number, wrong, None).await;
        assert!(
            matches!(refused, Err(Error::Refused(_))),
            "{wrong:?}: {refused:?}"
        );
    }
    desk.end().await;
}

async fn tags_and_ties_are_shown(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let one = desk.receive_on(&MailDesk::proven(JOHN, "a")).await;
    let other = desk
        .receive_on(&MailDesk::proven("admin@startupcorp.io", "b"))
        .await;
    desk.post().await;
    let add = ["Billing".to_owned(), "vip".to_owned()];
    let tagged = tag(&desk.test.desk, &owner(), one, &add, &[])
        .await
        .expect("it is tagged");
    assert!(
        tagged
            .tags
            .ends_with(&["billing".to_owned(), "vip".to_owned()]),
        "{:?}",
        tagged.tags
    );
    let tagged = tag(&desk.test.desk, &owner(), one, &[], &["vip".to_owned()])
        .await
        .expect("it is untagged");
    assert!(!tagged.tags.contains(&"vip".to_owned()));
    let refused = tag(
        &desk.test.desk,
        &owner(),
        one,
        &["tier:gold".to_owned()],
        &[],
    )
    .await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    link(&desk.test.desk, &owner(), one, other)
        .await
        .expect("they belong together");
    for (number, with) in [(one, other), (other, one)] {
        let links = desk.test.ticket(number).await.links;
        assert_eq!((links[0].kind, links[0].ticket), ("related", with));
    }
    desk.end().await;
}

async fn a_file_is_kept_with_a_note(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    let file = |size: usize| Attachment {
        info: AttachmentInfo {
            name: "trace.log".to_owned(),
            content_type: "application/octet-stream".to_owned(),
            size: size as u64,
            inline: false,
        },
        content: vec![b'x'; size],
    };
    let kept = note_with(&desk.test.desk, &owner(), number, "", &[file(9)]).await;
    kept.expect("it is kept");
    let shown = desk.test.ticket(number).await;
    let note = shown
        .messages
        .iter()
        .find(|one| one.direction == Direction::Note);
    assert_eq!(note.map(|one| &*one.text), Some("Attached: trace.log"));
    let (report, bytes) = attachments::open(&desk.test.desk, &owner(), number, 1)
        .await
        .expect("it opens");
    assert_eq!((&*report.name, &*bytes), ("trace.log", &b"xxxxxxxxx"[..]));
    let large = note_with(&desk.test.desk, &owner(), number, "", &[file(20 << 20)]).await;
    assert!(
        matches!(large, Err(Error::Refused(_))),
        "too large to be mailed on"
    );
    let empty = note_with(&desk.test.desk, &owner(), number, " ", &[]).await;
    assert!(matches!(empty, Err(Error::Refused(_))), "nothing at all");
    desk.end().await;
}
