//! What is removed is gone from the whole database, what must be kept is kept, and the audit chain holds.

use std::time::Duration;

use tierdesk_core::{
    audit::export::verify as verify_lines,
    customers::CustomerStatus,
    desk::{
        Error, audit,
        customers::{self, CustomerPatch},
        export,
        retention::{self, Due, HeldThing, Redaction},
        work_ticket,
    },
    receive::Outcome,
    refusal::RefusalCode,
    tickets::{CloseReason, TicketNumber},
};
use tierdesk_tests::{Backend, MailDesk, on_both, owner};

on_both! {
    what_is_redacted_is_gone_everywhere,
    one_attachment_goes_and_the_rest_stays,
    a_hold_keeps_everything,
    what_is_due_is_removed_by_the_times_of_its_tier,
    a_person_is_erased_and_the_chain_holds,
    a_customer_that_left_is_erased_with_their_keys,
    a_part_of_the_trail_proves_itself,
    what_is_on_its_way_is_not_emptied,
    a_hold_is_not_got_around,
    only_the_address_itself_is_erased,
    what_comes_after_is_due_again,
}

const JOHN: &str = "john@acmefinance.com";
/// Stands in what must go, and nowhere else.
const WORD: &str = "quartzcanary";
const DAY: Duration = Duration::from_hours(24);

fn redaction(messages: &[usize]) -> Redaction {
    Redaction {
        messages: messages.to_vec(),
        reason: "a card number".to_owned(),
        ..Redaction::default()
    }
}

async fn holds(desk: &MailDesk) -> bool {
    let verdict = audit::verify(&desk.test.desk, &owner()).await;
    verdict.expect("it can be checked").ok
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> RefusalCode {
    match result {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

/// Receipts leave a second after what they are for, so that what was written is in order.
async fn settle(desk: &MailDesk) {
    desk.test.pass(Duration::from_secs(1));
    desk.post().await;
}

async fn close(desk: &MailDesk, number: TicketNumber) {
    work_ticket::close(&desk.test.desk, &owner(), number, CloseReason::Done)
        .await
        .expect("it closes");
}

async fn bound_to(desk: &MailDesk, number: TicketNumber) -> String {
    let customer = desk.test.ticket(number).await.ticket.customer;
    customer.expect("it is bound").to_string()
}

async fn what_is_redacted_is_gone_everywhere(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let letter = MailDesk::proven(JOHN, "one")
        .subject(&format!("Card {WORD}"))
        .body(&format!("My number is {WORD}."))
        .attach(&format!("{WORD}.txt"), format!("it says {WORD}").as_bytes());
    let number = desk.receive_on(&letter).await;
    settle(&desk).await;
    desk.test.pass(Duration::from_secs(5));
    desk.reply(number, &format!("Never send {WORD} by mail"))
        .await;
    let early = retention::redact(&desk.test.desk, &owner(), number, redaction(&[3])).await;
    assert_eq!(code(early), RefusalCode::Blocked, "it has not left");
    desk.post_later().await;
    let seen = desk.test.places_of(WORD).await;
    for wanted in [
        "messages.body",
        "messages.subject",
        "attachments.name",
        "blobs.content",
        "tickets.subject",
    ] {
        assert!(seen.iter().any(|one| one == wanted), "{wanted}: {seen:?}");
    }
    let what = Redaction {
        all: true,
        subject: Some("Card".to_owned()),
        ..redaction(&[])
    };
    let redacted = retention::redact(&desk.test.desk, &owner(), number, what)
        .await
        .expect("it is redacted");
    assert_eq!(redacted.messages, 3, "a mail, its receipt, an answer");
    assert!(
        redacted.contents >= 3,
        "mail, attachment, letter: {redacted:?}"
    );
    let told = redacted.remaining.join("\n");
    assert!(told.contains(JOHN) && told.contains("backups"), "{told}");
    assert_eq!(desk.test.places_of(WORD).await, Vec::<String>::new());
    let shown = desk.test.ticket(number).await;
    assert_eq!(shown.ticket.subject, "Card");
    assert!(
        shown
            .messages
            .iter()
            .all(|one| one.text.starts_with("(redacted 20"))
    );
    // The same mail again is still known, and brings nothing back.
    let again = desk.receive(&letter).await;
    assert_eq!(
        (again.outcome, again.ticket),
        (Outcome::Duplicate, Some(number))
    );
    assert_eq!(desk.test.places_of(WORD).await, Vec::<String>::new());
    // The conversation goes on.
    let answer = MailDesk::proven(JOHN, "two").answers("one");
    assert_eq!(desk.receive(&answer).await.ticket, Some(number));
    desk.end().await;
}

async fn one_attachment_goes_and_the_rest_stays(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let letter = MailDesk::proven(JOHN, "one")
        .attach("keep.txt", b"harmless")
        .attach("scan.txt", format!("passport {WORD}").as_bytes());
    let number = desk.receive_on(&letter).await;
    settle(&desk).await;
    assert!(!desk.test.places_of(WORD).await.is_empty());
    let what = Redaction {
        attachments: vec![2],
        ..redaction(&[])
    };
    retention::redact(&desk.test.desk, &owner(), number, what)
        .await
        .expect("it is redacted");
    assert_eq!(desk.test.places_of(WORD).await, Vec::<String>::new());
    let shown = desk.test.ticket(number).await;
    assert_eq!(shown.messages[0].text, "Text of one.");
    let (first, bytes) =
        tierdesk_core::desk::attachments::open(&desk.test.desk, &owner(), number, 1)
            .await
            .expect("the other is there");
    assert_eq!((&*first.name, &*bytes), ("keep.txt", &b"harmless"[..]));
    for (what, code_wanted) in [
        (redaction(&[9]), RefusalCode::NotFound),
        (redaction(&[]), RefusalCode::Empty),
        (
            Redaction {
                reason: " ".to_owned(),
                ..redaction(&[1])
            },
            RefusalCode::Empty,
        ),
    ] {
        let refused = retention::redact(&desk.test.desk, &owner(), number, what).await;
        assert_eq!(code(refused), code_wanted);
    }
    desk.end().await;
}

async fn a_hold_keeps_everything(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    settle(&desk).await;
    let slug = bound_to(&desk, number).await;
    close(&desk, number).await;
    for what in [HeldThing::Ticket(number), HeldThing::Customer(slug.clone())] {
        let hold = retention::hold(&desk.test.desk, &owner(), what, "case 4711")
            .await
            .expect("it is held");
        let redacted = retention::redact(&desk.test.desk, &owner(), number, redaction(&[1])).await;
        assert_eq!(code(redacted), RefusalCode::Blocked);
        let john = JOHN.parse().expect("it is an address");
        let erased = retention::erase_person(&desk.test.desk, &owner(), &john, "asked").await;
        assert_eq!(code(erased), RefusalCode::Blocked);
        let patch = CustomerPatch {
            status: Some(CustomerStatus::Closed),
            ..CustomerPatch::default()
        };
        customers::set(&desk.test.desk, &owner(), &slug, patch)
            .await
            .expect("it is set");
        let erased = retention::erase_customer(&desk.test.desk, &owner(), &slug, "left").await;
        assert_eq!(code(erased), RefusalCode::Blocked);
        desk.test.pass(DAY * 5000);
        let plan = retention::plan(&desk.test.desk, &owner())
            .await
            .expect("it plans");
        assert_eq!(plan.tickets.len(), 1);
        assert!(
            plan.tickets[0]
                .held
                .as_ref()
                .is_some_and(|why| why.contains("4711"))
        );
        let run = retention::run(&desk.test.desk, &owner(), |_| {})
            .await
            .expect("it runs");
        assert_eq!((run.tickets, run.raw, run.held), (0, 0, 1));
        let shown = desk.test.ticket(number).await;
        assert_eq!(shown.messages[0].text, "Text of one.");
        retention::lift(&desk.test.desk, &owner(), hold.id, "settled")
            .await
            .expect("it is lifted");
        let twice = retention::lift(&desk.test.desk, &owner(), hold.id, "settled").await;
        assert_eq!(code(twice), RefusalCode::WrongStatus);
    }
    let run = retention::run(&desk.test.desk, &owner(), |_| {})
        .await
        .expect("it runs");
    assert_eq!((run.tickets, run.held), (1, 0), "nothing keeps it any more");
    desk.end().await;
}

async fn what_is_due_is_removed_by_the_times_of_its_tier(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let lina = "lina@startupcorp.io";
    let standard = MailDesk::proven(lina, "standard")
        .body(WORD)
        .attach("a.txt", WORD.as_bytes());
    let done = desk.receive_on(&standard).await;
    let fintech = desk.receive_on(&MailDesk::proven(JOHN, "fintech")).await;
    let open = desk.receive_on(&MailDesk::proven(lina, "open")).await;
    settle(&desk).await;
    close(&desk, done).await;
    close(&desk, fintech).await;
    let due = async || {
        let plan = retention::plan(&desk.test.desk, &owner())
            .await
            .expect("it plans");
        let due = plan.tickets.iter().map(|one| (one.number, one.what));
        (due.collect::<Vec<_>>(), plan.audit_entries)
    };
    let run = async || {
        retention::run(&desk.test.desk, &owner(), |_| {})
            .await
            .expect("it runs")
    };
    desk.test.pass(DAY * 179);
    assert_eq!(due().await, (vec![], 0), "179 days");
    desk.test.pass(DAY * 2);
    assert_eq!(due().await, (vec![(done, Due::Raw)], 0), "181 days");
    let first = run().await;
    assert_eq!((first.tickets, first.raw), (0, 1));
    assert!(first.contents >= 2, "{first:?}");
    let shown = desk.test.ticket(done).await;
    assert_eq!(shown.messages[0].text, WORD, "its text stays");
    assert_eq!(due().await, (vec![], 0), "nothing is due twice");

    audit::seal_all(&desk.test.desk).await.expect("it seals");
    desk.test.pass(DAY * 190);
    let (tickets, entries) = due().await;
    assert_eq!(tickets, [(fintech, Due::Raw), (done, Due::Ticket)]);
    assert!(entries > 0, "a year of audit entries of the standard tier");
    let second = run().await;
    assert_eq!(
        (second.tickets, second.raw, second.audit_entries),
        (1, 1, entries)
    );
    assert_eq!(desk.test.places_of(WORD).await, Vec::<String>::new());
    let shown = desk.test.ticket(done).await;
    assert_eq!(
        (&*shown.ticket.subject, &*shown.ticket.requester),
        ("(removed)", "(removed)")
    );
    assert_eq!(
        desk.test.ticket(open).await.messages[0].text,
        "Text of open."
    );
    assert!(holds(&desk).await, "the chain holds without the values");
    let verdict = audit::verify(&desk.test.desk, &owner())
        .await
        .expect("it is checked");
    assert!(verdict.erased > 0);
    assert_eq!(
        desk.receive(&standard).await.outcome,
        Outcome::Duplicate,
        "it does not come back"
    );
    desk.end().await;
}

async fn a_person_is_erased_and_the_chain_holds(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let person = "quartzcanary@acmefinance.com";
    let theirs = desk.receive_on(&MailDesk::proven(person, "theirs")).await;
    let others = desk.receive_on(&MailDesk::proven(JOHN, "others")).await;
    settle(&desk).await;
    let address = person.parse().expect("it is an address");
    work_ticket::add_participant(&desk.test.desk, &owner(), others, address, None)
        .await
        .expect("they take part");
    desk.test.pass(Duration::from_secs(5));
    desk.reply(others, "To both of you").await;
    desk.reply(theirs, "To you").await;
    desk.post_later().await;
    desk.receive(&MailDesk::proven(person, "more").answers("others"))
        .await;
    audit::seal_all(&desk.test.desk).await.expect("it seals");
    assert!(
        desk.test.places_of(WORD).await.len() > 5,
        "the control finds them"
    );

    let address = person.parse().expect("it is an address");
    let erased = retention::erase_person(&desk.test.desk, &owner(), &address, "their request")
        .await
        .expect("they are erased");
    assert_eq!(erased.tickets, [theirs, others]);
    assert_eq!(erased.messages, 2);
    assert!(erased.audit_entries > 0);
    assert_eq!(erased.named_in, []);
    assert_eq!(desk.test.places_of(WORD).await, Vec::<String>::new());
    assert!(holds(&desk).await);
    let shown = desk.test.ticket(others).await;
    assert!(shown.ticket.participants.contains(&erased.instead));
    assert_eq!(
        shown.messages[0].text, "Text of others.",
        "what others wrote stays"
    );
    let nobody = retention::erase_person(&desk.test.desk, &owner(), &address, "again").await;
    assert_eq!(code(nobody), RefusalCode::NotFound);
    desk.end().await;
}

const KEY: &str = "0f0e0d0c0b0a090807060504030201000f0e0d0c0b0a09080706050403020100";

async fn a_customer_that_left_is_erased_with_their_keys(backend: Backend) {
    let mut desk = MailDesk::start(backend).await;
    let clock = desk.test.clock.clone();
    desk.test.desk.database = desk.test.open_again(clock, Some(KEY)).await;
    let number = desk
        .receive_on(&MailDesk::proven(JOHN, "one").body(WORD))
        .await;
    let other = desk
        .receive_on(&MailDesk::proven("lina@startupcorp.io", "other"))
        .await;
    settle(&desk).await;
    let slug = bound_to(&desk, number).await;
    let early = retention::erase_customer(&desk.test.desk, &owner(), &slug, "left").await;
    assert_eq!(code(early), RefusalCode::WrongStatus, "they are still here");
    let patch = CustomerPatch {
        status: Some(CustomerStatus::Closed),
        ..CustomerPatch::default()
    };
    customers::set(&desk.test.desk, &owner(), &slug, patch)
        .await
        .expect("it is set");
    let erased = retention::erase_customer(&desk.test.desk, &owner(), &slug, "left")
        .await
        .expect("they are erased");
    assert_eq!(
        (erased.tickets, erased.messages),
        (vec![number], 2),
        "a mail and its receipt"
    );
    assert_eq!(desk.test.places_of(WORD).await, Vec::<String>::new());
    assert_eq!(
        desk.test
            .places_of(JOHN)
            .await
            .iter()
            .filter(|one| *one != "audit_entries.fields")
            .count(),
        0
    );
    let keys: Vec<(i64,)> = desk
        .test
        .look("SELECT CAST(COUNT(*) AS BIGINT) FROM blob_keys WHERE destroyed_at IS NOT NULL AND wrapped IS NULL")
        .await;
    assert_eq!(keys, [(1,)]);
    // What stands in place of a letter is sealed with the key that is gone, and is not opened.
    let mails = export::mails(&desk.test.desk, &owner(), number, |_| Ok(())).await;
    let mails = mails.expect("it is exported").expect("it is written");
    assert_eq!((mails.mails, mails.removed), (0, 2));
    assert_eq!(
        desk.test.ticket(other).await.messages[0].text,
        "Text of other."
    );
    desk.end().await;
}

async fn a_part_of_the_trail_proves_itself(backend: Backend) {
    let mut desk = MailDesk::start(backend).await;
    let folder = tempfile::tempdir().expect("a folder");
    let anchors = folder.path().join("anchors.txt");
    desk.test.desk.anchor_file = Some(anchors.clone());
    let from = desk.test.clock.read();
    let own = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.receive_on(&MailDesk::proven("lina@startupcorp.io", "other"))
        .await;
    settle(&desk).await;
    work_ticket::note(&desk.test.desk, &owner(), own, "looked at it")
        .await
        .expect("it is noted");
    desk.test.pass(DAY);
    let slug = bound_to(&desk, own).await;
    let mut lines = Vec::new();
    let to = desk.test.clock.read().plus(DAY);
    let exported = audit::export(&desk.test.desk, &owner(), &slug, from, to, |line| {
        lines.push(line.to_owned());
        Ok(())
    })
    .await
    .expect("it is exported")
    .expect("it is written");
    assert!(
        exported.entries >= 3,
        "opened, receipt, note, export: {exported:?}"
    );
    assert!(exported.others > 0);
    let text = lines.join("\n");
    assert!(
        text.contains(&own.to_string()) && !text.contains("startupcorp"),
        "{text}"
    );
    let anchored = std::fs::read_to_string(&anchors).expect("the head was anchored");
    let verdict = verify_lines(lines.iter().map(String::as_str), &anchored);
    assert!(verdict.ok, "{verdict:?}");
    assert_eq!(verdict.entries, exported.entries);
    assert!(verdict.anchors > 0, "{anchored}");
    let forged = text.replace("ticket.note", "ticket.nope");
    assert!(!verify_lines(forged.lines(), "").ok);
    let nothing = audit::export(&desk.test.desk, &owner(), &slug, from, from, |_| Ok(())).await;
    assert_eq!(code(nothing.map(|_| ())), RefusalCode::NotFound);
    desk.end().await;
}

/// A letter to two people is not emptied because one of them is erased while it waits.
async fn what_is_on_its_way_is_not_emptied(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let bob = "bob@acmefinance.com";
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    settle(&desk).await;
    let address = || bob.parse().expect("it is an address");
    work_ticket::add_participant(&desk.test.desk, &owner(), number, address(), None)
        .await
        .expect("they take part");
    desk.reply(number, "To both").await;
    let early = retention::erase_person(&desk.test.desk, &owner(), &address(), "asked").await;
    assert_eq!(code(early), RefusalCode::Blocked);
    close(&desk, number).await;
    desk.test.pass(DAY * 5000);
    let plan = retention::plan(&desk.test.desk, &owner())
        .await
        .expect("it plans");
    assert!(
        plan.tickets[0]
            .held
            .as_ref()
            .is_some_and(|why| why.contains("has not left"))
    );
    let run = retention::run(&desk.test.desk, &owner(), |_| {})
        .await
        .expect("it runs");
    assert_eq!((run.tickets, run.held), (0, 1));
    let sent = desk.post().await;
    assert_eq!(sent.len(), 2);
    assert!(
        sent.iter().all(|one| one.mail.text.contains("To both")),
        "{sent:?}"
    );
    let run = retention::run(&desk.test.desk, &owner(), |_| {})
        .await
        .expect("it runs");
    assert_eq!((run.tickets, run.held), (1, 0), "now it may go");
    desk.end().await;
}

async fn a_hold_is_not_got_around(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.receive(&MailDesk::proven(JOHN, "two").answers("one"))
        .await;
    let other = desk.receive_on(&MailDesk::proven(JOHN, "other")).await;
    settle(&desk).await;
    let (test, me) = (&desk.test.desk, owner());
    let split = async || work_ticket::split(test, &me, number, &[1], None).await;
    let merge = async || work_ticket::merge(test, &me, number, other).await;
    let bind = async || {
        let options = work_ticket::BindOptions::default();
        work_ticket::bind(test, &me, number, "startupcorp", options).await
    };
    let hold = async |what| {
        let set = retention::hold(test, &me, what, "case 4711").await;
        set.expect("it is held").id
    };
    let on_ticket = hold(HeldThing::Ticket(number)).await;
    assert_eq!(code(split().await), RefusalCode::Blocked);
    assert_eq!(code(merge().await), RefusalCode::Blocked);
    assert_eq!(code(bind().await), RefusalCode::Blocked);
    retention::lift(test, &me, on_ticket, "settled")
        .await
        .expect("it is lifted");
    let slug = bound_to(&desk, number).await;
    hold(HeldThing::Customer(slug.clone())).await;
    assert_eq!(code(bind().await), RefusalCode::Blocked);
    // What is on no ticket is the customer's as well.
    let away =
        MailDesk::proven("ann@acmefinance.com", "away").header("Auto-Submitted: auto-replied");
    assert_eq!(desk.receive(&away).await.ticket, None);
    let ann = "ann@acmefinance.com".parse().expect("it is an address");
    let erased = retention::erase_person(test, &me, &ann, "asked").await;
    assert_eq!(code(erased), RefusalCode::Blocked);
    split()
        .await
        .expect("the hold is on the customer, and so on both");
    desk.end().await;
}

async fn only_the_address_itself_is_erased(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let (bob, jim) = ("bob@acmefinance.com", "jimbob@acmefinance.com");
    let number = desk.receive_on(&MailDesk::proven(jim, "one")).await;
    settle(&desk).await;
    let address = || bob.parse().expect("it is an address");
    work_ticket::add_participant(&desk.test.desk, &owner(), number, address(), None)
        .await
        .expect("they take part");
    desk.reply(number, "To both").await;
    desk.post_later().await;
    audit::seal_all(&desk.test.desk).await.expect("it seals");
    let before = desk.test.places_of(jim).await;
    let erased = retention::erase_person(&desk.test.desk, &owner(), &address(), "asked")
        .await
        .expect("they are erased");
    let shown = desk.test.ticket(number).await;
    assert_eq!(shown.ticket.requester, jim);
    assert!(shown.ticket.participants.contains(&erased.instead));
    let after = desk.test.places_of(jim).await;
    // Letters to both go, and with them the other's address in their headers.
    let lost: Vec<_> = before.iter().filter(|one| !after.contains(one)).collect();
    assert!(lost.iter().all(|one| *one == "blobs.content"), "{lost:?}");
    assert!(holds(&desk).await);
    desk.end().await;
}

async fn what_comes_after_is_due_again(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    let away = MailDesk::proven("ann@acmefinance.com", "away")
        .body(WORD)
        .header("Auto-Submitted: auto-replied");
    assert_eq!(desk.receive(&away).await.ticket, None);
    settle(&desk).await;
    close(&desk, number).await;
    desk.test.pass(DAY * 5000);
    let run = async || {
        retention::run(&desk.test.desk, &owner(), |_| {})
            .await
            .expect("it runs")
    };
    let first = run().await;
    assert_eq!(
        (first.tickets, first.recorded),
        (1, 1),
        "also what is on no ticket"
    );
    assert_eq!(desk.test.places_of(WORD).await, Vec::<String>::new());
    desk.test.pass(DAY);
    let more = desk
        .receive(&MailDesk::proven(JOHN, "two").body(WORD).answers("one"))
        .await;
    let more = more.ticket.expect("it is on a ticket");
    settle(&desk).await;
    close(&desk, more).await;
    desk.test.pass(DAY * 5000);
    assert_eq!(run().await.tickets, 1, "what came later is due in its turn");
    assert_eq!(desk.test.places_of(WORD).await, Vec::<String>::new());
    desk.end().await;
}
