//! Who gets an answer: whoever takes part, and nobody else because somebody named them.

use std::time::Duration;

use tierdesk_core::{
    desk::{
        Error, reply,
        work_ticket::{add_participant, remove_participant},
    },
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, Letter, MailDesk, on_both, owner};

on_both! {
    colleagues_who_are_copied_in_get_answers_and_outsiders_do_not,
    the_strict_tiers_copy_nobody_in,
    staff_let_somebody_take_part,
}

const COPIES: &str = "Cc: Ann <ann@acmefinance.com>, eve@stranger.example, john@acmefinnance.com, admin@startupcorp.io";

async fn whom(desk: &MailDesk, number: TicketNumber) -> Vec<String> {
    let plan = reply::preview(&desk.test.desk, &owner(), number)
        .await
        .expect("it is shown");
    plan.recipients
        .iter()
        .map(|one| one.address.to_string())
        .collect()
}

async fn colleagues_who_are_copied_in_get_answers_and_outsiders_do_not(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let john = "john@acmefinance.com";
    let proven = desk
        .receive_on(&MailDesk::proven(john, "a").header(COPIES))
        .await;
    assert_eq!(whom(&desk, proven).await, [john, "ann@acmefinance.com"]);
    let unproven = desk
        .receive_on(&Letter::new(john, "b").header(COPIES))
        .await;
    assert_eq!(
        whom(&desk, unproven).await,
        [john],
        "naming somebody is no proof"
    );
    desk.post().await;
    desk.test.pass(Duration::from_secs(1));
    desk.reply(proven, "Hello both").await;
    let sent = desk.post_later().await;
    let mut got: Vec<_> = sent.iter().map(|one| &*one.recipient).collect();
    got.sort_unstable();
    assert_eq!(got, ["ann@acmefinance.com", john]);
    assert!(
        sent.iter()
            .all(|one| one.mail.text.contains("> Text of a.")),
        "both have seen what is quoted"
    );
    desk.end().await;
}

async fn the_strict_tiers_copy_nobody_in(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let copies = "Cc: ann@medicorp.com";
    let number = desk
        .receive_on(&MailDesk::proven("admin@medicorp.com", "a").header(copies))
        .await;
    let plan = whom(&desk, number).await;
    assert_eq!(plan, ["admin@medicorp.com"]);
    desk.post().await;
    desk.end().await;
}

async fn staff_let_somebody_take_part(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk
        .receive_on(&MailDesk::proven("john@acmefinance.com", "a").body("BEFORE"))
        .await;
    desk.post().await;
    let auditor = "auditor@big4.example".parse().expect("an address");
    let add = add_participant(&desk.test.desk, &owner(), number, auditor, None).await;
    add.expect("they take part");
    desk.test.pass(Duration::from_secs(1));
    desk.reply(number, "Hello").await;
    let sent = desk.post_later().await;
    assert_eq!(sent.len(), 2);
    let outside = sent
        .iter()
        .find(|one| one.recipient.starts_with("auditor@"))
        .expect("they get it");
    assert!(
        !outside.mail.text.contains("BEFORE"),
        "and nothing that was said before"
    );
    let auditor = "auditor@big4.example".parse().expect("an address");
    let removed = remove_participant(&desk.test.desk, &owner(), number, &auditor).await;
    removed.expect("they take part no longer");
    assert_eq!(whom(&desk, number).await, ["john@acmefinance.com"]);
    let john = "john@acmefinance.com".parse().expect("an address");
    let refused = remove_participant(&desk.test.desk, &owner(), number, &john).await;
    assert!(
        matches!(refused, Err(Error::Refused(_))),
        "whose ticket it is"
    );
    desk.end().await;
}
