//! "It is here": to whom it is said, how often, and with what in it.

use std::time::Duration;

use tierdesk_core::desk::work_ticket::{BindOptions, bind, mark_spam};
use tierdesk_tests::{Backend, Letter, MailDesk, on_both, owner};

on_both! {
    a_known_sender_is_told_and_nothing_of_theirs_is_repeated,
    only_proven_people_are_told,
    a_bound_ticket_sends_the_receipt_that_was_withheld,
    nobody_is_told_more_than_five_times_an_hour,
    a_domain_has_a_budget_too,
    a_day_has_a_budget_and_what_repeats_itself_gets_none,
    spoofed_mail_brings_no_receipt_and_proven_mail_each_one,
}

const JOHN: &str = "john@acmefinance.com";

async fn a_known_sender_is_told_and_nothing_of_theirs_is_repeated(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let letter = MailDesk::proven("MARKWORD <john@acmefinance.com>", "one")
        .subject("[SEV2] MARKWORD")
        .body("MARKWORD");
    let number = desk.receive_on(&letter).await;
    let sent = desk.post().await;
    assert_eq!(sent.len(), 1);
    let receipt = &sent[0];
    let text = String::from_utf8_lossy(&receipt.raw).into_owned();
    assert!(!text.contains("MARKWORD"), "{text}");
    for wanted in [&number.to_string(), "sev2", "A person answers by", "[SEV1]"] {
        assert!(
            receipt.mail.text.contains(wanted),
            "{wanted}: {}",
            receipt.mail.text
        );
    }
    for other in ["HIPAA", "FedRAMP", "SOC 2", "CIS"] {
        assert!(!text.contains(other), "{other}");
    }
    assert_eq!(
        receipt.header("Auto-Submitted").as_deref(),
        Some("auto-replied")
    );
    assert_eq!(
        receipt.mail.in_reply_to.as_deref(),
        Some("one@mail.example")
    );
    let shown = desk.test.ticket(number).await;
    assert_eq!(
        shown.ticket.sla.first_response.met_at, None,
        "a receipt is no answer"
    );
    // An answer to the receipt finds the ticket, and calls it worse.
    let to = receipt.mail.reply_to[0].address.clone();
    desk.test.pass(Duration::from_secs(1));
    let worse = MailDesk::proven(JOHN, "two")
        .subject("[SEV1] all down")
        .header(&format!("Delivered-To: {to}"));
    let receipt = desk.receive(&worse).await;
    assert_eq!(receipt.ticket, Some(number));
    assert_eq!(
        receipt.severity.map(|one| one.to_string()).as_deref(),
        Some("sev1"),
        "{receipt:?}"
    );
    assert!(desk.post().await.is_empty(), "one receipt a ticket");
    desk.end().await;
}

async fn only_proven_people_are_told(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let auto = |id: &str, header: &str| MailDesk::proven(JOHN, id).header(header);
    let letters = [
        ("unproven", Letter::new(JOHN, "a")),
        ("a stranger", MailDesk::proven("eve@stranger.example", "b")),
        ("an imitation", MailDesk::proven("john@acmefinnance.com", "c")),
        ("a failed check", Letter::new(JOHN, "d").header(
            "Authentication-Results: mx.securebase.example; dmarc=fail header.from=acmefinance.com",
        )),
        ("an automatic answer", auto("e", "Auto-Submitted: auto-replied")),
        ("bulk", auto("f", "Precedence: bulk")),
        ("a list", auto("g", "List-Id: <all.acmefinance.com>")),
        ("a bounce", auto("h", "X-Failed-Recipients: a@b.example")),
        ("our own", MailDesk::proven("support@securebase.example", "i")),
    ];
    for (what, letter) in &letters {
        desk.receive(letter).await;
        let sent = desk.post().await;
        assert!(sent.is_empty(), "{what}: {sent:?}");
    }
    desk.receive(&MailDesk::proven(JOHN, "z")).await;
    assert_eq!(
        desk.post().await.len(),
        1,
        "positive control: a person who is known"
    );
    println!(
        "{backend:?}: 0 receipts for {} kinds of mail, 1 for the control",
        letters.len()
    );
    desk.end().await;
}

async fn a_bound_ticket_sends_the_receipt_that_was_withheld(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk
        .receive_on(&Letter::new("eve@stranger.example", "a"))
        .await;
    let spam = desk
        .receive_on(&Letter::new("mallory@stranger.example", "b"))
        .await;
    let imitated = desk
        .receive_on(&Letter::new("john@acmefinnance.com", "c"))
        .await;
    assert!(desk.post().await.is_empty());
    mark_spam(&desk.test.desk, &owner(), spam)
        .await
        .expect("it is set aside");
    for number in [number, spam, imitated] {
        bind(
            &desk.test.desk,
            &owner(),
            number,
            "startupcorp",
            BindOptions::default(),
        )
        .await
        .expect("it is bound");
    }
    let sent = desk.post().await;
    let whom: Vec<_> = sent.iter().map(|one| &*one.recipient).collect();
    assert_eq!(
        whom,
        ["eve@stranger.example"],
        "spam and imitations get none"
    );
    desk.end().await;
}

async fn nobody_is_told_more_than_five_times_an_hour(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let mut told = 0;
    for number in 0..12 {
        desk.receive(&MailDesk::proven(JOHN, &format!("m{number}")))
            .await;
        told += desk.post().await.len();
        desk.test.pass(Duration::from_mins(2));
    }
    assert_eq!(told, 5);
    desk.test.pass(Duration::from_mins(50));
    desk.receive(&MailDesk::proven(JOHN, "later")).await;
    assert_eq!(desk.post().await.len(), 1, "an hour later");
    desk.end().await;
}

async fn a_domain_has_a_budget_too(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let mut told = 0;
    for number in 0..40 {
        let from = format!("p{number}@acmefinance.com");
        desk.receive(&MailDesk::proven(&from, &format!("m{number}")))
            .await;
        told += desk.post().await.len();
    }
    assert_eq!(told, 30);
    desk.receive(&MailDesk::proven("admin@startupcorp.io", "other"))
        .await;
    assert_eq!(desk.post().await.len(), 1, "another domain");
    desk.end().await;
}

async fn a_day_has_a_budget_and_what_repeats_itself_gets_none(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let mut told = 0;
    for number in 0..30 {
        desk.receive(&MailDesk::proven(JOHN, &format!("m{number}")))
            .await;
        told += desk.post().await.len();
        desk.test.pass(Duration::from_mins(13));
    }
    assert_eq!(told, 20, "in a day");
    desk.test.pass(Duration::from_hours(24));
    // Every mail opens its ticket all the same.
    let (mut told, mut tickets) = (Vec::new(), Vec::new());
    for (id, body) in [
        ("a", "I am away."),
        ("b", "I am away."),
        ("c", "I am back."),
    ] {
        let mail = MailDesk::proven(JOHN, id).subject(id).body(body);
        tickets.push(desk.receive_on(&mail).await);
        told.push(desk.post().await.len());
        desk.test.pass(Duration::from_mins(13));
    }
    assert_eq!(told, [1, 0, 1], "the same words");
    desk.test.pass(Duration::from_hours(8 * 24));
    let mail = MailDesk::proven(JOHN, "d").subject("d").body("I am away.");
    tickets.push(desk.receive_on(&mail).await);
    assert_eq!(desk.post().await.len(), 1, "a week later");
    tickets.dedup();
    assert_eq!(tickets.len(), 4);
    desk.end().await;
}

const SPOOFED: usize = 10_000;
const PROVEN: usize = 100;

/// Ten thousand mails in other people's names, and a hundred genuine ones among them, spread over the
/// hours in which a hundred receipts may leave.
async fn spoofed_mail_brings_no_receipt_and_proven_mail_each_one(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let (mut to_spoofed, mut to_proven) = (0, 0);
    for round in 0..PROVEN {
        let spoofed: Vec<Letter> = (0..SPOOFED / PROVEN)
            .map(|number| {
                let id = format!("s{round}-{number}");
                match number % 3 {
                    0 => Letter::new(JOHN, &id),
                    1 => Letter::new(&format!("p{number}@acmefinance.com"), &id),
                    _ => Letter::new(JOHN, &id).header(
                        "Authentication-Results: mx.evil.example; dmarc=pass header.from=acmefinance.com",
                    ),
                }
            })
            .collect();
        desk.test.receive_all(&spoofed).await;
        to_spoofed += desk.post().await.len();
        // Of ten people, since one has a budget of the day.
        let from = format!("g{}@acmefinance.com", round % 10);
        desk.receive(&MailDesk::proven(&from, &format!("g{round}")))
            .await;
        to_proven += desk.post().await.len();
        desk.test.pass(Duration::from_mins(13));
    }
    println!(
        "{backend:?}: {to_spoofed} receipts for {SPOOFED} spoofed mails, {to_proven} for {PROVEN} proven ones"
    );
    assert_eq!((to_spoofed, to_proven), (0, PROVEN));
    desk.end().await;
}
