//! Which ticket an answer joins, and the known ways to get into a stranger's.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{Desk, customers, tickets::TicketDetail, work_ticket},
    mail::Envelope,
    permit::ReceiveMail,
    receive::{Outcome, Receipt, Road},
    reply_token::ReplyTokens,
    tickets::{CloseReason, Delivery, Status, TicketNumber},
    trust::SenderTrust,
};
use tierdesk_ingest::process::deliver;
use tierdesk_tests::{Backend, TestDesk, on_both, owner};

on_both! {
    an_answer_with_its_token_joins_whatever_the_program_made_of_the_headers,
    a_stolen_token_is_offered_and_changes_nothing,
    known_attacks_reach_no_ticket,
    an_answer_after_long_opens_a_ticket_that_follows,
    what_a_proven_colleague_forwards_is_its_authors,
    a_bounce_marks_the_mail_it_is_about,
    an_absence_shows_and_opens_nothing,
    a_declared_robot_opens_tickets,
}

const SERVER: &str = "mx.securebase.example";
const SECRET: &str = "a secret of more than thirty-two characters";
const JOHN: &str = "john@acmefinance.com";

fn tokens() -> ReplyTokens {
    let address = "support@securebase.example".parse().expect("an address");
    ReplyTokens::new(SECRET, [], &address)
}

fn desk_of(test: &TestDesk) -> Desk {
    Desk {
        authserv_id: Some(SERVER.to_owned()),
        own_address: "support@securebase.example".parse().ok(),
        reply_tokens: Some(Arc::new(tokens())),
        staff_domains: vec!["securebase.example".parse().expect("a domain")],
        ..test.desk.clone()
    }
}

/// A mail whose sender our server authenticated.
fn mail(from: &str, id: &str, rest: &str) -> String {
    let domain = from
        .rsplit_once('@')
        .expect("an address")
        .1
        .trim_end_matches('>');
    format!(
        "Authentication-Results: {SERVER}; dmarc=pass header.from={domain}\r\nFrom: {from}\r\n\
         Message-ID: <{id}@x.example>\r\n{rest}"
    )
}

async fn take(test: &TestDesk, desk: &Desk, raw: &str) -> Receipt {
    test.pass(Duration::from_secs(1));
    deliver(desk, Road::Imap, Envelope::default(), raw.as_bytes())
        .await
        .expect("any mail is taken")
}

/// A ticket of John's, and the token of the mail that we sent about it.
async fn of_john(test: &TestDesk, desk: &Desk) -> (TicketNumber, String) {
    let raw = mail(
        JOHN,
        "first",
        "Subject: Dashboard error\r\n\r\nIt is down.\r\n",
    );
    let number = take(test, desk, &raw).await.ticket.expect("a ticket");
    (number, tokens().mint(number, [3; 6]))
}

/// What of a ticket nobody else's mail may change.
fn standing(
    detail: &TicketDetail,
) -> (Status, Vec<String>, usize, tierdesk_core::clock::Timestamp) {
    let ticket = &detail.ticket;
    let participants = ticket.participants.clone();
    (
        ticket.status,
        participants,
        detail.messages.len(),
        ticket.updated_at,
    )
}

async fn an_answer_with_its_token_joins_whatever_the_program_made_of_the_headers(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let (number, token) = of_john(&test, &desk).await;
    let address = tokens().address(&token);
    let id = tokens().message_id(&token);
    for (what, rest) in [
        (
            "to",
            format!("To: Support <{address}>\r\nSubject: anything\r\n\r\nA\r\n"),
        ),
        (
            "upper case",
            format!("To: {}\r\n\r\nB\r\n", address.to_uppercase()),
        ),
        (
            "delivered-to",
            format!("Delivered-To: {address}\r\nTo: undisclosed:;\r\n\r\nC\r\n"),
        ),
        (
            "references",
            format!("References: <x@y> <{id}>\r\n\r\nD\r\n"),
        ),
        ("in-reply-to", format!("In-Reply-To: <{id}>\r\n\r\nE\r\n")),
    ] {
        let receipt = take(&test, &desk, &mail(JOHN, what, &rest)).await;
        assert_eq!(
            (receipt.outcome, receipt.ticket),
            (Outcome::Appended, Some(number)),
            "{what}"
        );
    }
    let colleague = format!("To: {address}\r\n\r\nF\r\n");
    let receipt = take(
        &test,
        &desk,
        &mail("ann@acmefinance.com", "ann", &colleague),
    )
    .await;
    assert_eq!(
        receipt.ticket,
        Some(number),
        "somebody else of the same customer"
    );
}

async fn a_stolen_token_is_offered_and_changes_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let (number, token) = of_john(&test, &desk).await;
    let before = standing(&test.ticket(number).await);
    let to = format!(
        "To: {}\r\nCc: eve@evil.example\r\n\r\nIt is me, John.\r\n",
        tokens().address(&token)
    );
    let receipt = take(&test, &desk, &mail("eve@evil.example", "stolen", &to)).await;
    assert_eq!(receipt.outcome, Outcome::Triaged);
    let offered = receipt.ticket.expect("nothing is lost");
    assert_ne!(offered, number);
    assert!(
        receipt
            .reasons
            .iter()
            .any(|reason| reason.contains("the same person?")),
        "{receipt:?}"
    );
    let after = test.ticket(number).await;
    assert_eq!(
        standing(&after),
        before,
        "no text, status, participant or time"
    );
    let links = |detail: TicketDetail| {
        let one = |link: tierdesk_core::desk::tickets::LinkReport| (link.kind, link.ticket);
        detail.links.into_iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(links(after), [("same_person", offered)], "it stands beside");
    assert_eq!(links(test.ticket(offered).await), [("same_person", number)]);
}

/// What is tried, by whom, what our server found about them, and the mail below its first headers.
const ATTACKS: [(&str, &str, &str, &str); 13] = [
    (
        "a guessed number",
        "eve@evil.example",
        "pass",
        "Subject: Re: [NUMBER] x\n\nA\n",
    ),
    (
        "a guessed address",
        "eve@evil.example",
        "pass",
        "To: support+NUMBER@securebase.example\n\nA\n",
    ),
    (
        "a guessed Message-ID",
        "eve@evil.example",
        "pass",
        "In-Reply-To: <first@x.example>\n\nA\n",
    ),
    (
        "a forged token",
        "eve@evil.example",
        "pass",
        "To: support+FORGED@securebase.example\n\nA\n",
    ),
    (
        "a stolen token",
        "eve@evil.example",
        "pass",
        "To: ADDRESS\n\nA\n",
    ),
    (
        "another customer's",
        "ops@quantumbank.com",
        "pass",
        "To: ADDRESS\nIn-Reply-To: <first@x.example>\n\nA\n",
    ),
    (
        "a CC that wants to take part",
        "eve@evil.example",
        "pass",
        "To: ADDRESS\nCc: JOHN, eve@evil.example\n\nA\n",
    ),
    (
        "John, contradicted",
        JOHN,
        "fail",
        "To: ADDRESS\nIn-Reply-To: <first@x.example>\n\nA\n",
    ),
    (
        "a spoofed colleague of ours",
        "dana@securebase.example",
        "none",
        "To: ADDRESS\n\nA\n",
    ),
    (
        "a true one, who answers in the desk",
        "dana@securebase.example",
        "pass",
        "To: ADDRESS\n\nA\n",
    ),
    (
        "a third party's verification mail",
        "no-reply@chat.example",
        "pass",
        "To: ADDRESS\nSubject: Your code is 4711\n\nVerify your account: 4711\n",
    ),
    (
        "the same from a machine",
        "no-reply@chat.example",
        "pass",
        "To: ADDRESS\nAuto-Submitted: auto-generated\n\nVerify: 4711\n",
    ),
    (
        "a spoofed forward",
        "dana@securebase.example",
        "none",
        "Subject: Fwd: x\n\n---------- Forwarded message ---------\nFrom: JOHN\nSubject: x\n\nA\n",
    ),
];

/// Each tries to write on, read from or get onto a ticket of John's.
async fn known_attacks_reach_no_ticket(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let (number, token) = of_john(&test, &desk).await;
    let before = standing(&test.ticket(number).await);
    let address = tokens().address(&token);
    for (round, (what, from, found, rest)) in ATTACKS.into_iter().enumerate() {
        let rest = rest
            .replace("NUMBER", &number.to_string())
            .replace("ADDRESS", &address)
            .replace("FORGED", &"a".repeat(47))
            .replace("JOHN", JOHN)
            .replace('\n', "\r\n");
        let raw = mail(from, &format!("a{round}"), &rest);
        let raw = raw.replace("dmarc=pass", &format!("dmarc={found}"));
        let receipt = take(&test, &desk, &raw).await;
        assert_ne!(receipt.ticket, Some(number), "{what}: {receipt:?}");
        assert_eq!(standing(&test.ticket(number).await), before, "{what}");
    }
    let genuine = mail(JOHN, "c1", &format!("To: {address}\r\n\r\nA\r\n"));
    let receipt = take(&test, &desk, &genuine).await;
    assert_eq!(receipt.ticket, Some(number), "positive control");
    println!(
        "attacks on a ticket: 0 of {} reached it; 1 of 1 answers of its own",
        ATTACKS.len()
    );
}

async fn an_answer_after_long_opens_a_ticket_that_follows(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let (number, token) = of_john(&test, &desk).await;
    work_ticket::close(&desk, &owner(), number, CloseReason::Done)
        .await
        .expect("an admin closes");
    let to = |id: &str| {
        mail(
            JOHN,
            id,
            &format!("To: {}\r\n\r\nAgain {id}\r\n", tokens().address(&token)),
        )
    };
    test.pass(Duration::from_hours(24 * 29));
    let soon = take(&test, &desk, &to("soon")).await;
    assert_eq!(
        (soon.outcome, soon.ticket),
        (Outcome::Appended, Some(number))
    );
    assert_eq!(test.ticket(number).await.ticket.status, Status::Open);
    work_ticket::close(&desk, &owner(), number, CloseReason::Done)
        .await
        .expect("an admin closes");
    test.pass(Duration::from_hours(24 * 31));
    let late = take(&test, &desk, &to("late")).await;
    assert_eq!(late.outcome, Outcome::Opened);
    let next = late.ticket.expect("a ticket");
    assert_eq!(test.ticket(number).await.ticket.status, Status::Closed);
    let shown = test.ticket(next).await;
    assert_eq!(
        (shown.links[0].kind, shown.links[0].ticket),
        ("follows", number)
    );
    assert_eq!(
        shown.ticket.customer.expect("bound").as_str(),
        "acme-finance"
    );
    assert_eq!(test.ticket(number).await.links[0].kind, "followed_by");
}

async fn what_a_proven_colleague_forwards_is_its_authors(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let forward = "Subject: Fwd: Help\r\n\r\nPlease look.\r\n\r\n---------- Forwarded message ---------\r\n\
                   From: John <john@acmefinance.com>\r\nDate: Mon\r\nSubject: Help\r\nTo: dana\r\n\r\nIt is down\r\n";
    let receipt = take(
        &test,
        &desk,
        &mail("Dana <dana@securebase.example>", "f1", forward),
    )
    .await;
    assert_eq!(receipt.outcome, Outcome::Opened, "{receipt:?}");
    assert_eq!(
        receipt.customer.as_ref().expect("John's").as_str(),
        "acme-finance"
    );
    assert_eq!(
        receipt.trust,
        SenderTrust::Unproven,
        "nothing authenticated John"
    );
    let shown = test.ticket(receipt.ticket.expect("a ticket")).await;
    assert_eq!(shown.ticket.requester, JOHN);
    assert_eq!(
        shown.ticket.participants,
        [JOHN],
        "the colleague takes no part"
    );
    assert_eq!(
        shown.reported_by.as_deref(),
        Some("dana@securebase.example")
    );
    assert!(shown.ticket.is_provisional);
    assert!(
        receipt
            .reasons
            .iter()
            .any(|reason| reason.contains("reported by staff")),
        "{receipt:?}"
    );
    let spoofed =
        mail("dana@securebase.example", "f2", forward).replace("dmarc=pass", "dmarc=none");
    let receipt = take(&test, &desk, &spoofed).await;
    assert_eq!(receipt.outcome, Outcome::Triaged, "{receipt:?}");
    assert!(receipt.customer.is_none());
}

/// A mail of ours on John's ticket, as sending will store it.
async fn sent(test: &TestDesk, desk: &Desk, number: TicketNumber, header_id: &str) {
    use tierdesk_core::{
        permit::{Subject, authorise},
        store::{audit, messages, tickets},
        tickets::{Direction, Message, MessageKind},
    };
    let mut tx = desk.database.begin_write().await.expect("it begins");
    let ticket = tickets::find_by_number(&mut tx, number)
        .await
        .expect("it is read");
    let ticket = ticket.expect("it is there");
    let actor = tierdesk_tests::ingest();
    let mut permit = authorise(&mut tx, &actor, ReceiveMail, Subject::Desk)
        .await
        .expect("it may");
    let message = Message {
        id: permit.new_id(),
        ticket_id: Some(ticket.id),
        customer_id: ticket.customer_id,
        direction: Direction::Out,
        kind: MessageKind::Person,
        header_id: Some(header_id.to_owned()),
        author: "support@securebase.example".to_owned(),
        author_name: None,
        subject: "Re: Dashboard error".to_owned(),
        body: "We look.".to_owned(),
        reply_text: "We look.".to_owned(),
        sent_at: None,
        received_at: permit.now(),
        trust: None,
        findings: Vec::new(),
        is_truncated: false,
        blob_id: None,
        delivery: Delivery::Sent,
    };
    let row = messages::NewMessage {
        message,
        fingerprint: None,
        in_reply_to: None,
        recipients: vec![JOHN.to_owned()],
    };
    messages::insert_many(&mut permit, vec![row], Vec::new())
        .await
        .expect("it is stored");
    let change = audit::Change::to(format!("ticket:{number}"));
    audit::append(&mut permit, vec![change])
        .await
        .expect("it is noted");
    tx.commit().await.expect("it commits");
    test.pass(Duration::from_secs(1));
}

async fn a_bounce_marks_the_mail_it_is_about(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let (number, token) = of_john(&test, &desk).await;
    let id = tokens().message_id(&token);
    sent(&test, &desk, number, &id).await;
    let before = test.ticket(number).await;
    let bounce = |action: &str, id: &str, of: &str| {
        format!(
            "From: MAILER-DAEMON@mx.acmefinance.com\r\nSubject: Undelivered\r\nMessage-ID: <{id}@mx>\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nSorry {id}.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n\
             Final-Recipient: rfc822; {JOHN}\r\nAction: {action}\r\nStatus: 5.1.1\r\n\
             \r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: support@securebase.example\r\n\
             Message-ID: <{of}>\r\n\r\nWe look.\r\n--b--\r\n"
        )
    };
    let delivery = async || {
        let shown = test.ticket(number).await;
        let out = shown
            .messages
            .into_iter()
            .find(|one| one.delivery != Delivery::None);
        out.expect("our mail").delivery
    };
    let other = take(
        &test,
        &desk,
        &bounce("failed", "n1", "guessed@securebase.example"),
    )
    .await;
    assert_eq!(
        (other.outcome, other.ticket),
        (Outcome::Recorded, None),
        "{other:?}"
    );
    let delayed = take(&test, &desk, &bounce("delayed", "n2", &id)).await;
    assert_eq!(
        (delayed.outcome, delayed.ticket),
        (Outcome::Recorded, Some(number)),
        "{delayed:?}"
    );
    assert_eq!(delivery().await, Delivery::Sent);
    let failed = take(&test, &desk, &bounce("failed", "n3", &id)).await;
    assert_eq!(
        (failed.outcome, failed.ticket),
        (Outcome::Recorded, Some(number)),
        "{failed:?}"
    );
    assert_eq!(delivery().await, Delivery::Failed);
    let after = test.ticket(number).await;
    assert_eq!(
        after.ticket.status, before.ticket.status,
        "it opens and reopens nothing"
    );
    assert_eq!(after.ticket.participants, before.ticket.participants);
    assert!(
        failed
            .reasons
            .iter()
            .any(|reason| reason.contains("did not reach")),
        "{failed:?}"
    );
}

async fn an_absence_shows_and_opens_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let (number, token) = of_john(&test, &desk).await;
    assert!(test.ticket(number).await.away.is_empty());
    let id = tokens().message_id(&token);
    let away = format!(
        "In-Reply-To: <{id}>\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\nI am at sea.\r\n"
    );
    let receipt = take(&test, &desk, &mail(JOHN, "away", &away)).await;
    assert_eq!(
        (receipt.outcome, receipt.ticket),
        (Outcome::Recorded, Some(number))
    );
    assert_eq!(test.ticket(number).await.away, [JOHN]);
    let back = format!("In-Reply-To: <{id}>\r\n\r\nBack.\r\n");
    take(&test, &desk, &mail(JOHN, "back", &back)).await;
    assert!(
        test.ticket(number).await.away.is_empty(),
        "who writes is back"
    );
}

async fn a_declared_robot_opens_tickets(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let alarm = |id: &str| {
        mail(
            "monitor@acmefinance.com",
            id,
            &format!("Auto-Submitted: auto-generated\r\nSubject: Disk full {id}\r\n\r\nFull.\r\n"),
        )
    };
    let before = take(&test, &desk, &alarm("r1")).await;
    assert_eq!(
        before.outcome,
        Outcome::Recorded,
        "an undeclared one is a machine"
    );
    let monitor = "monitor@acmefinance.com".parse().expect("an address");
    let robot = Some("robot".to_owned());
    customers::add_contact(&desk, &owner(), "acme-finance", monitor, None, robot)
        .await
        .expect("an admin may");
    let after = take(&test, &desk, &alarm("r2")).await;
    assert_eq!(after.outcome, Outcome::Opened, "{after:?}");
    let forged = alarm("r3").replace("dmarc=pass", "dmarc=fail");
    let forged = take(&test, &desk, &forged).await;
    assert_eq!(forged.outcome, Outcome::Recorded, "a forged one does not");
}
