//! Ticket numbers are drawn once, however many draw at a time.

use std::collections::BTreeSet;

use tierdesk_core::{
    desk::receive::receive,
    permit::{OpenTicket, ReceiveMail, Subject, authorise},
    store::tickets::draw_numbers,
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, Letter, TestDesk, ingest, on_both, owner};
use tokio::task::JoinSet;

on_both! {
    concurrent_batches_draw_distinct_numbers,
    numbers_grow_and_are_asked_for_in_sets,
}

async fn concurrent_batches_draw_distinct_numbers(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let mut batches = JoinSet::new();
    for batch in 0..20 {
        let desk = test.desk.clone();
        batches.spawn(async move {
            let letters = (0..=batch % 7)
                .map(|n| Letter::new("john@acmefinance.com", &format!("{batch}-{n}")).prepared());
            let receipts =
                receive(&desk, &ingest(), ReceiveMail, &letters.collect::<Vec<_>>()).await;
            let receipts = receipts.expect("a batch is received");
            receipts
                .into_iter()
                .filter_map(|receipt| receipt.ticket)
                .collect::<Vec<_>>()
        });
    }
    let drawn: Vec<TicketNumber> = batches.join_all().await.concat();
    let distinct: BTreeSet<TicketNumber> = drawn.iter().copied().collect();
    let sent: usize = (0..20).map(|batch| 1 + batch % 7).sum();
    assert_eq!((drawn.len(), distinct.len()), (sent, sent));
    assert_eq!(
        test.number("SELECT COUNT(*) FROM tickets").await,
        i64::try_from(sent).expect("few")
    );
    assert_eq!(
        test.number("SELECT MIN(number) FROM tickets").await,
        1,
        "they begin at 1"
    );
}

async fn numbers_grow_and_are_asked_for_in_sets(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let mut permit = authorise(&mut tx, &owner(), OpenTicket, Subject::Desk)
        .await
        .expect("the owner may");
    let mut last = TicketNumber(0);
    for count in [0, 1, 2, 100] {
        let drawn = draw_numbers(&mut permit, count)
            .await
            .expect("numbers are drawn");
        assert_eq!(drawn.len(), count);
        for number in drawn {
            assert!(number > last, "{number} after {last}");
            last = number;
        }
    }
    assert_eq!(last, TicketNumber(103));
}
