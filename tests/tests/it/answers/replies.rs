//! Whole conversations: an answer leaves once, threads, and can be taken back until then.

use std::time::Duration;

use tierdesk_core::{
    desk::{
        Error, outbox,
        reply::{self, NewReply, Then},
        work_ticket::{self, BindOptions, bind},
    },
    outgoing::OutgoingState,
    refusal::RefusalCode,
    tickets::{Delivery, Direction, Status, TicketNumber},
};
use tierdesk_tests::{Backend, MailDesk, on_both, owner};

on_both! {
    a_conversation_goes_to_and_fro,
    an_answer_can_be_taken_back_until_it_leaves,
    what_others_did_meanwhile_stays_when_an_answer_is_taken_back,
    an_answer_moves_its_ticket,
    what_looks_like_a_secret_is_not_mailed_by_mistake,
    nobody_answers_whom_something_speaks_against,
    no_words_begin_a_header,
    answers_of_the_strict_tiers_are_held_until_somebody_vouches,
}

const JOHN: &str = "John Doe <john@acmefinance.com>";

async fn a_conversation_goes_to_and_fro(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk
        .receive_on(&MailDesk::proven(JOHN, "one").body("It fails.\nSince Monday."))
        .await;
    let receipt = desk.post().await;
    assert_eq!(receipt.len(), 1, "the receipt");
    desk.test.pass(Duration::from_mins(5));
    desk.reply(number, "Please try **again**:\n\n- log out\n- log in")
        .await;
    assert!(desk.post().await.is_empty(), "it can still be taken back");
    let sent = desk.post_later().await;
    assert_eq!(sent.len(), 1);
    let answer = &sent[0];
    assert_eq!(answer.recipient, "john@acmefinance.com");
    assert_eq!(
        answer.header("From").as_deref(),
        Some("\"SecureBase support\" <support@securebase.example>")
    );
    assert_eq!(answer.mail.subject, "Re: About one");
    assert_eq!(answer.mail.in_reply_to.as_deref(), Some("one@mail.example"));
    assert_eq!(
        answer.mail.references.last().map(String::as_str),
        Some("one@mail.example")
    );
    assert_eq!(answer.header("Auto-Submitted"), None, "a person wrote it");
    assert!(
        answer.mail.text.contains("> It fails.\n> Since Monday."),
        "{}",
        answer.mail.text
    );
    assert_eq!(
        answer.mail.reply_text, "Please try **again**:\n\n- log out\n- log in",
        "our own reader finds what was typed"
    );
    let html = answer.mail.html.as_deref().unwrap_or_default();
    assert!(
        html.contains("<strong>again</strong>") && html.contains("<li>log out</li>"),
        "{html}"
    );
    let to = answer.mail.reply_to[0].address.clone();
    assert!(
        to.starts_with("support+") && to.ends_with("@securebase.example"),
        "{to}"
    );

    goes_on(&desk, number, &to).await;
    desk.end().await;
}

/// A colleague of the customer's answers, and both get the next one.
async fn goes_on(desk: &MailDesk, number: TicketNumber, to: &str) {
    // The customer's program forgets every id and answers the reply address from a colleague's account.
    let shown = desk.test.ticket(number).await;
    assert_eq!(shown.ticket.status, Status::WaitingCustomer);
    assert!(shown.ticket.sla.first_response.met_at.is_some());
    let sent: Vec<_> = shown
        .messages
        .iter()
        .filter(|one| one.direction == Direction::Out)
        .collect();
    assert!(
        sent.iter().all(|one| one.delivery == Delivery::Sent),
        "{sent:?}"
    );
    let again =
        MailDesk::proven("Ann <ann@acmefinance.com>", "two").header(&format!("Delivered-To: {to}"));
    let receipt = desk.receive(&again).await;
    assert_eq!(receipt.ticket, Some(number), "{receipt:?}");
    let shown = desk.test.ticket(number).await;
    assert_eq!(shown.ticket.status, Status::Open);
    // Both get the next answer; Ann's is quoted to Ann alone, for nobody has sent it to John.
    desk.reply(number, "Done.").await;
    let sent = desk.post_later().await;
    let text_to = |whom: &str| {
        let one = sent.iter().find(|one| one.recipient == whom);
        one.unwrap_or_else(|| panic!("nothing to {whom}"))
            .mail
            .text
            .clone()
    };
    assert_eq!(sent.len(), 2);
    assert!(text_to("ann@acmefinance.com").contains("> Text of two."));
    assert!(!text_to("john@acmefinance.com").contains("Text of two."));
    assert_eq!(
        sent[0].mail.message_id, sent[1].mail.message_id,
        "one message to both"
    );
    assert!(
        sent[0]
            .mail
            .cc
            .iter()
            .any(|one| one.address == "ann@acmefinance.com")
    );
}

async fn an_answer_can_be_taken_back_until_it_leaves(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    let before = desk.test.ticket(number).await.ticket;
    desk.test.pass(Duration::from_secs(5));
    desk.reply(number, "Wrong window").await;
    desk.test.pass(Duration::from_secs(19));
    let undone = reply::undo(&desk.test.desk, &owner(), number)
        .await
        .expect("it is taken back");
    assert_eq!((&*undone.text, undone.is_restored), ("Wrong window", true));
    let after = desk.test.ticket(number).await;
    assert_eq!(
        (after.ticket.status, &after.ticket.assignee),
        (before.status, &before.assignee)
    );
    assert_eq!(
        after.ticket.sla.first_response.met_at, None,
        "the clock runs on"
    );
    let last = after.messages.last().expect("a note");
    assert_eq!(
        (last.direction, &*last.text),
        (Direction::Note, "Wrong window")
    );
    assert!(desk.post_later().await.is_empty());
    let nothing = reply::undo(&desk.test.desk, &owner(), number).await;
    assert!(matches!(nothing, Err(Error::Refused(_))), "{nothing:?}");

    desk.reply(number, "The right one").await;
    assert_eq!(desk.post_later().await.len(), 1);
    let late = reply::undo(&desk.test.desk, &owner(), number).await;
    let Err(Error::Refused(refusal)) = late else {
        panic!("it has left: {late:?}");
    };
    assert_eq!(refusal.code, RefusalCode::WrongStatus);
    desk.end().await;
}

async fn what_others_did_meanwhile_stays_when_an_answer_is_taken_back(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    desk.test.pass(Duration::from_secs(1));
    desk.reply(number, "Hello").await;
    let severity = tierdesk_core::tiers::Severity::Sev1;
    work_ticket::set_severity(&desk.test.desk, &owner(), number, severity)
        .await
        .expect("it is set");
    let undone = reply::undo(&desk.test.desk, &owner(), number)
        .await
        .expect("it is taken back");
    assert!(!undone.is_restored);
    assert_eq!(undone.ticket.severity, severity);
    assert_eq!(undone.ticket.status, Status::WaitingCustomer);
    assert!(
        desk.post_later().await.is_empty(),
        "the mail stays here all the same"
    );
    desk.end().await;
}

async fn an_answer_moves_its_ticket(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    for (id, then, status) in [
        ("open", Then::Open, Status::Open),
        ("waiting", Then::Waiting, Status::WaitingCustomer),
        ("resolve", Then::Resolve, Status::Resolved),
    ] {
        let number = desk.receive_on(&MailDesk::proven(JOHN, id)).await;
        let new = NewReply {
            text: "Here.".to_owned(),
            then,
            is_at_once: true,
            ..NewReply::default()
        };
        let replied = reply::reply(&desk.test.desk, &owner(), number, new)
            .await
            .expect("it is answered");
        assert_eq!(replied.ticket.status, status, "{id}");
        let sent = desk.post().await;
        assert_eq!(sent.len(), 1, "{id}: the answer, and no receipt behind it");
        desk.test.pass(Duration::from_secs(2));
    }
    // Whoever answers what was resolved takes it up again.
    let number = TicketNumber(3);
    desk.reply(number, "One thing more").await;
    assert_eq!(
        desk.test.ticket(number).await.ticket.status,
        Status::WaitingCustomer
    );
    assert_eq!(desk.post_later().await.len(), 1);
    work_ticket::close(
        &desk.test.desk,
        &owner(),
        number,
        tierdesk_core::tickets::CloseReason::Done,
    )
    .await
    .expect("it is closed");
    let new = NewReply {
        text: "late".to_owned(),
        ..NewReply::default()
    };
    let refused = reply::reply(&desk.test.desk, &owner(), number, new).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    desk.end().await;
}

async fn what_looks_like_a_secret_is_not_mailed_by_mistake(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    let secret = "AKIAQ5ZK3WY7RTPLN2XB";
    let mut new = NewReply {
        text: format!("Use {secret} from now on"),
        is_at_once: true,
        ..NewReply::default()
    };
    let refused = reply::reply(&desk.test.desk, &owner(), number, new.clone()).await;
    let Err(Error::Refused(refusal)) = refused else {
        panic!("it was sent: {refused:?}");
    };
    assert_eq!(refusal.code, RefusalCode::Blocked);
    assert!(!refusal.to_string().contains(secret), "{refusal}");
    assert!(desk.post_later().await.is_empty());
    new.may_hold_secrets = true;
    reply::reply(&desk.test.desk, &owner(), number, new)
        .await
        .expect("on purpose it may");
    let sent = desk.post().await;
    assert!(sent[0].mail.text.contains(secret), "the customer gets it");
    let shown = desk.test.ticket(number).await;
    assert!(
        shown.messages.iter().all(|one| !one.text.contains(secret)),
        "and the desk does not keep it"
    );
    desk.end().await;
}

async fn nobody_answers_whom_something_speaks_against(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk
        .receive_on(&MailDesk::proven("john@acmefinnance.com", "imitated"))
        .await;
    let new = NewReply {
        text: "Hello".to_owned(),
        ..NewReply::default()
    };
    let refused = reply::reply(&desk.test.desk, &owner(), number, new).await;
    let Err(Error::Refused(refusal)) = refused else {
        panic!("it was sent: {refused:?}");
    };
    assert!(
        refusal.message.contains("acmefinance.com"),
        "the imitated is named: {refusal}"
    );
    desk.end().await;
}

async fn no_words_begin_a_header(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let nasty = "=?utf-8?Q?hello=0D=0ABcc:_eve@evil.example=0D=0AX-A:_b?=";
    let letter = MailDesk::proven(&format!("{nasty} <john@acmefinance.com>"), "one")
        .subject(nasty)
        .header("References: <a@b> <c\u{0}d@e> <x y@z>");
    let number = desk.receive_on(&letter).await;
    let receipt = desk.post().await;
    desk.reply(number, "\r\n.\r\nBcc: eve@evil.example\r\n\r\n.\r\nQUIT")
        .await;
    let sent = desk.post_later().await;
    let names = |one: &tierdesk_tests::SentMail| {
        let head = one.head();
        let name = |line: &str| line.split(':').next().unwrap_or_default().to_lowercase();
        head.split("\r\n").map(name).collect::<Vec<_>>()
    };
    let known = [
        "from",
        "reply-to",
        "message-id",
        "date",
        "subject",
        "to",
        "in-reply-to",
        "references",
        "mime-version",
        "content-type",
        "auto-submitted",
        "x-auto-response-suppress",
    ];
    let mut checked = 0;
    for one in receipt.iter().chain(&sent) {
        for name in names(one) {
            assert!(known.contains(&&*name), "{name} in {}", one.head());
            checked += 1;
        }
        let bare = one
            .raw
            .windows(2)
            .filter(|pair| pair[1] == b'\n' && pair[0] != b'\r')
            .count();
        assert_eq!(bare, 0, "a line end that servers may take for two");
    }
    println!("{backend:?}: {checked} header names, none that somebody wrote");
    assert!(checked > 15);
    assert!(
        sent[0].mail.subject.contains("Bcc: eve@evil.example"),
        "positive control: it is in the subject"
    );
    desk.end().await;
}

async fn answers_of_the_strict_tiers_are_held_until_somebody_vouches(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    for (from, slug, domain) in [
        ("admin@medicorp.com", "medicorp", "medicorp.com"),
        ("security@techgov.gov", "techgov", "techgov.gov"),
    ] {
        let number = desk
            .receive_on(&MailDesk::proven(from, slug).body("SECRETWORD"))
            .await;
        bind(
            &desk.test.desk,
            &owner(),
            number,
            slug,
            BindOptions::default(),
        )
        .await
        .expect("it is bound");
        assert!(desk.post().await.is_empty(), "no empty notices");
        let plan = reply::preview(&desk.test.desk, &owner(), number)
            .await
            .expect("it is shown");
        assert!(
            plan.recipients[0].held.is_some(),
            "the writer is told before writing"
        );
        assert!(!plan.quotes);
        desk.test.pass(Duration::from_secs(1));
        desk.reply(number, "An answer").await;
        assert!(desk.post_later().await.is_empty(), "held");
        let held = outbox::list(&desk.test.desk, &owner(), outbox::Listed::default(), 10)
            .await
            .expect("they are listed");
        assert_eq!(held[0].state, OutgoingState::Held);
        assert_eq!(
            desk.test
                .ticket(number)
                .await
                .messages
                .last()
                .map(|one| one.delivery),
            Some(Delivery::Queued)
        );
        outbox::release(&desk.test.desk, &owner(), held[0].id)
            .await
            .expect("it is let go");
        let sent = desk.post().await;
        assert_eq!(sent.len(), 1);
        assert!(!sent[0].mail.text.contains("SECRETWORD"), "never quoted");

        let domains = vec![domain.parse().expect("a domain")];
        tierdesk_core::desk::customers::attest_tls(&desk.test.desk, &owner(), slug, domains, true)
            .await
            .expect("it is attested");
        desk.reply(number, "Another").await;
        assert_eq!(desk.post_later().await.len(), 1, "attested");
    }
    desk.end().await;
}
