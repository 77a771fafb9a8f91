//! Bulk is the same code: what a batch decides is what one after another would have decided.

use std::collections::BTreeMap;

use tierdesk_core::{
    receive::{Outcome, Receipt},
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, Letter, TestDesk, on_both};

use super::dice::Dice;

on_both! {
    an_answer_before_its_parent_waits_for_it,
    copies_inside_a_batch_are_duplicates,
    references_in_a_circle_end,
    a_long_chain_turned_round_is_one_ticket,
    an_empty_batch_is_nothing,
    messages_of_one_batch_are_read_in_their_order,
    any_batch_size_decides_alike,
}

const JOHN: &str = "john@acmefinance.com";

fn outcomes(receipts: &[Receipt]) -> Vec<Outcome> {
    receipts.iter().map(|receipt| receipt.outcome).collect()
}

async fn an_answer_before_its_parent_waits_for_it(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letters = [
        Letter::new(JOHN, "c").answers("b"),
        Letter::new(JOHN, "b").answers("a"),
        Letter::new("ann@acmefinance.com", "x"),
        Letter::new(JOHN, "a"),
    ];
    let receipts = test.receive_all(&letters).await;
    assert_eq!(
        outcomes(&receipts),
        [
            Outcome::Appended,
            Outcome::Appended,
            Outcome::Opened,
            Outcome::Opened
        ],
        "receipts in the order given"
    );
    assert!(receipts[0].ticket == receipts[3].ticket && receipts[1].ticket == receipts[3].ticket);
    assert_ne!(receipts[2].ticket, receipts[3].ticket);
}

async fn copies_inside_a_batch_are_duplicates(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new(JOHN, "a");
    let copy = letter.clone().header("Received: by elsewhere.example");
    let receipts = test.receive_all(&[letter.clone(), copy, letter]).await;
    assert_eq!(
        outcomes(&receipts),
        [Outcome::Opened, Outcome::Duplicate, Outcome::Duplicate]
    );
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt.ticket == receipts[0].ticket)
    );
    for table in ["tickets", "messages", "blobs", "inbox", "ticket_events"] {
        assert_eq!(
            test.number(&format!("SELECT COUNT(*) FROM {table}")).await,
            1,
            "{table}"
        );
    }
}

async fn references_in_a_circle_end(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letters = [
        Letter::new(JOHN, "a").answers("c"),
        Letter::new(JOHN, "b").answers("a"),
        Letter::new(JOHN, "c").answers("b"),
        Letter::new(JOHN, "self").answers("self"),
    ];
    let receipts = test.receive_all(&letters).await;
    let opened = outcomes(&receipts[..3])
        .into_iter()
        .filter(|one| *one == Outcome::Opened);
    assert_eq!(opened.count(), 1);
    assert!(
        receipts[..3]
            .iter()
            .all(|receipt| receipt.ticket == receipts[0].ticket)
    );
    assert_eq!(receipts[3].outcome, Outcome::Opened);
}

async fn a_long_chain_turned_round_is_one_ticket(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let mut letters: Vec<Letter> = (0..2_000)
        .map(|n: i32| Letter::new(JOHN, &format!("{n}")).answers(&format!("{}", n - 1)))
        .collect();
    letters.reverse();
    test.receive_all(&letters).await;
    assert_eq!(test.number("SELECT COUNT(*) FROM tickets").await, 1);
    assert_eq!(test.number("SELECT COUNT(*) FROM messages").await, 2_000);
}

async fn an_empty_batch_is_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let before = test.counts().await;
    assert!(test.receive_all(&[]).await.is_empty());
    assert_eq!(test.counts().await, before);
}

async fn messages_of_one_batch_are_read_in_their_order(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letters: Vec<Letter> = (0..40)
        .map(|n: i32| Letter::new(JOHN, &format!("{n}")).answers(&format!("{}", n - 1)))
        .collect();
    let number = test.receive_all(&letters).await[0]
        .ticket
        .expect("it is on a ticket");
    let texts: Vec<String> = test
        .ticket(number)
        .await
        .messages
        .into_iter()
        .map(|one| one.text)
        .collect();
    let expected: Vec<String> = (0..40).map(|n| format!("Text of {n}.")).collect();
    assert_eq!(texts, expected);
}

/// A mailbox of conversations between customers and strangers, parents first: answers, stolen
/// references, machines, copies, and ids used twice.
fn mailbox(seed: u64) -> Vec<Letter> {
    const SENDERS: [&str; 7] = [
        JOHN,
        "ann@acmefinance.com",
        "compliance@medicorp.com",
        "security@techgov.gov",
        "eve@stranger.example",
        "joe@gmail.com",
        "john@acmefinnance.com",
    ];
    let mut dice = Dice::new(seed);
    let mut letters: Vec<Letter> = Vec::new();
    for n in 0..200_usize {
        let sender = SENDERS[dice.roll(SENDERS.len())];
        let id = if n > 0 && dice.roll(20) == 0 {
            dice.roll(n)
        } else {
            n
        };
        let mut letter = Letter::new(sender, &id.to_string()).body(&format!("Letter {n}"));
        if n > 0 && dice.roll(3) > 0 {
            letter = letter.answers(&dice.roll(n).to_string());
            if dice.roll(4) == 0 {
                let (a, b) = (dice.roll(n), dice.roll(n));
                letter = letter.header(&format!(
                    "References: <{a}@mail.example> <{b}@mail.example>"
                ));
            }
        }
        if dice.roll(8) == 0 {
            letter = letter.header("Auto-Submitted: auto-replied");
        }
        if n > 0 && dice.roll(10) == 0 {
            letter = letters[dice.roll(n)]
                .clone()
                .header(&format!("X-Copy: {n}"));
        }
        letters.push(letter);
    }
    letters
}

/// What became of each letter, whatever the tickets are numbered: the outcome, and the first
/// letter on the same ticket.
fn grouping(receipts: &[Receipt]) -> Vec<(Outcome, Option<usize>)> {
    let mut first: BTreeMap<TicketNumber, usize> = BTreeMap::new();
    let group = |(index, receipt): (usize, &Receipt)| {
        let on = receipt
            .ticket
            .map(|number| *first.entry(number).or_insert(index));
        (receipt.outcome, on)
    };
    receipts.iter().enumerate().map(group).collect()
}

async fn any_batch_size_decides_alike(backend: Backend) {
    for seed in [1, 2, 3] {
        let letters = mailbox(seed);
        let mut results = Vec::new();
        for size in [1, 7, 100] {
            let test = TestDesk::with_customers(backend).await;
            let mut receipts = Vec::new();
            for batch in letters.chunks(size) {
                receipts.extend(test.receive_all(batch).await);
                test.pass(std::time::Duration::from_secs(1));
            }
            let grouping = grouping(&receipts);
            for wanted in [
                Outcome::Opened,
                Outcome::Appended,
                Outcome::Triaged,
                Outcome::Recorded,
                Outcome::Duplicate,
            ] {
                let has = grouping.iter().any(|(outcome, _)| *outcome == wanted);
                assert!(has, "positive control: {wanted} happens");
            }
            let taking_part = test
                .number("SELECT COUNT(*) FROM ticket_participants")
                .await;
            let counts = test.counts().await;
            results.push((size, grouping, taking_part, counts));
        }
        for other in &results[1..] {
            let (size, grouping, taking_part, counts) = other;
            for (index, (found, alone)) in grouping.iter().zip(&results[0].1).enumerate() {
                assert_eq!(
                    found, alone,
                    "seed {seed}, letter {index}, batches of {size}"
                );
            }
            assert_eq!(*taking_part, results[0].2, "seed {seed}, batches of {size}");
            assert_eq!(*counts, results[0].3, "seed {seed}, batches of {size}");
        }
    }
}
