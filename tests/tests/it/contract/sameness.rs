//! The same mail again changes nothing; another mail that looks like it is kept.

use std::time::Duration;

use tierdesk_core::{desk::receive::receive, permit::ReceiveMail, receive::Outcome};
use tierdesk_tests::{Backend, Letter, TestDesk, ingest, on_both};
use tokio::task::JoinSet;

on_both! {
    a_mail_that_comes_again_changes_nothing,
    a_recorded_mail_that_comes_again_changes_nothing,
    one_message_id_with_two_texts_is_two_mails,
    one_mail_by_many_roads_at_once_is_kept_once,
}

const JOHN: &str = "john@acmefinance.com";

async fn a_mail_that_comes_again_changes_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new(JOHN, "a").body("Hello\n");
    let first = test.receive(&letter).await;
    let before = test.counts().await;
    let traced = letter
        .clone()
        .header("Received: from elsewhere.example by mx.example; Mon, 23 Nov 2026 09:00:00 +0000")
        .header("Return-Path: <john@acmefinance.com>")
        .header("Delivered-To: support@securebase.example")
        .header("Authentication-Results: mx.example; spf=fail")
        .header("X-Spam-Score: 5");
    assert_ne!(traced.bytes(), letter.bytes());
    for copy in [letter.clone(), traced, letter.body("Hello\n\n")] {
        let receipt = test.receive(&copy).await;
        assert_eq!(
            (receipt.outcome, receipt.ticket),
            (Outcome::Duplicate, first.ticket)
        );
        assert_eq!(test.counts().await, before, "no table has a row more");
    }
    test.receive(&Letter::new(JOHN, "other")).await;
    assert_ne!(
        test.counts().await,
        before,
        "positive control: another mail has"
    );
}

async fn a_recorded_mail_that_comes_again_changes_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new(JOHN, "away").header("Auto-Submitted: auto-replied");
    test.receive(&letter).await;
    let before = test.counts().await;
    let receipt = test.receive(&letter).await;
    assert_eq!(
        (receipt.outcome, receipt.ticket),
        (Outcome::Duplicate, None)
    );
    assert_eq!(test.counts().await, before);
}

async fn one_message_id_with_two_texts_is_two_mails(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let first = test.receive(&Letter::new(JOHN, "same").body("one")).await;
    test.pass(Duration::from_secs(1));
    let second = test.receive(&Letter::new(JOHN, "same").body("two")).await;
    assert_eq!(
        (first.outcome, second.outcome),
        (Outcome::Opened, Outcome::Opened)
    );
    assert_eq!(test.number("SELECT COUNT(*) FROM messages").await, 2);
    let answer = test.receive(&Letter::new(JOHN, "c").answers("same")).await;
    assert_eq!(answer.ticket, second.ticket, "the newest that has the id");
}

/// Two processes may read one mailbox. Whoever loses the race says so and finds the mail there on
/// the next try.
async fn one_mail_by_many_roads_at_once_is_kept_once(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let mut roads = JoinSet::new();
    for _ in 0..12 {
        let desk = test.desk.clone();
        roads.spawn(async move {
            loop {
                let items = vec![
                    Letter::new(JOHN, "a").prepared(),
                    Letter::new(JOHN, "b").answers("a").prepared(),
                ];
                match receive(&desk, &ingest(), ReceiveMail, &items).await {
                    Ok(receipts) => return receipts,
                    Err(error) => assert!(error.is_transient(), "{error:?}"),
                }
            }
        });
    }
    let receipts = roads.join_all().await;
    let opened = receipts
        .iter()
        .filter(|pair| pair[0].outcome == Outcome::Opened)
        .count();
    assert_eq!(opened, 1);
    assert!(receipts.iter().all(|pair| pair[0].ticket == pair[1].ticket));
    for (table, rows) in [
        ("tickets", 1),
        ("messages", 2),
        ("blobs", 2),
        ("inbox", 2),
        ("ticket_events", 2),
    ] {
        assert_eq!(
            test.number(&format!("SELECT COUNT(*) FROM {table}")).await,
            rows,
            "{table}"
        );
    }
}
