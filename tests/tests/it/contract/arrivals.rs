//! A mail is stored with the job that processes it before anybody is told that it was taken.

use tierdesk_core::{
    desk::store_arrival::store_arrival,
    ids::InboxId,
    mail::{Client, Envelope, SenderCheck},
    receive::{Outcome, Road},
    store::{blobs, inbox},
};
use tierdesk_tests::{Backend, Letter, TestDesk, on_both};

on_both! {
    an_arrival_waits_with_its_job,
    the_same_bytes_wait_once,
    what_waited_is_processed_once,
    a_copy_that_waited_leaves_no_bytes,
    waiting_mail_is_found_by_the_id_it_claims,
}

const JOHN: &str = "john@acmefinance.com";

async fn store(test: &TestDesk, letter: &Letter, hint: Option<&str>) -> InboxId {
    let envelope = Envelope {
        from: Some("bounce@acmefinance.com".to_owned()),
        recipients: vec![
            "support@securebase.example".to_owned(),
            "ü@securebase.example".to_owned(),
        ],
        client: Some(Client {
            ip: "2001:db8::25".parse().expect("an address"),
            helo: "mx.acmefinance.com".to_owned(),
        }),
        check: SenderCheck::Edge,
    };
    let (raw, hint) = (letter.bytes(), hint.map(str::to_owned));
    let stored = store_arrival(
        &test.desk,
        Road::Lmtp,
        Some("mx1".to_owned()),
        envelope,
        &raw,
        hint,
    );
    stored.await.expect("it is stored")
}

async fn waiting(test: &TestDesk, id: InboxId) -> Vec<inbox::WaitingMail> {
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    inbox::find_waiting(&mut tx, &[id])
        .await
        .expect("they are read")
}

async fn process(test: &TestDesk, letter: &Letter, id: InboxId) -> Outcome {
    let blob = waiting(test, id).await.remove(0).blob_id;
    let receipts = test.try_receive(vec![letter.prepared_from(id, blob)]).await;
    receipts.expect("it is received").remove(0).outcome
}

async fn an_arrival_waits_with_its_job(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new(JOHN, "a");
    let id = store(&test, &letter, None).await;
    let found = waiting(&test, id).await.remove(0);
    assert_eq!(
        (found.road, found.origin.as_deref()),
        (Road::Lmtp, Some("mx1"))
    );
    assert_eq!(
        found.envelope.from.as_deref(),
        Some("bounce@acmefinance.com")
    );
    assert_eq!(found.envelope.recipients[1], "ü@securebase.example");
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let raw = blobs::open(&mut tx, found.blob_id).await.expect("it opens");
    assert_eq!(raw, letter.bytes());
    assert_eq!(
        inbox::list_waiting(&mut tx, 10)
            .await
            .expect("they are read"),
        [id]
    );
    assert_eq!(inbox::count_waiting(&mut tx).await.expect("it counts"), 1);
    let jobs: Vec<(String, String, String)> =
        test.look("SELECT kind, dedup_key, state FROM jobs").await;
    assert_eq!(
        jobs,
        [(
            "process_inbox".to_owned(),
            id.to_string(),
            "queued".to_owned()
        )]
    );
    assert_eq!(
        test.number("SELECT COUNT(*) FROM tickets").await,
        0,
        "processing comes later"
    );
}

async fn the_same_bytes_wait_once(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new(JOHN, "a");
    let id = store(&test, &letter, None).await;
    let before = test.counts().await;
    assert_eq!(
        store(&test, &letter, None).await,
        id,
        "a server that tries again"
    );
    assert_eq!(test.counts().await, before);
    assert_ne!(
        store(&test, &Letter::new(JOHN, "b"), None).await,
        id,
        "positive control"
    );
}

async fn what_waited_is_processed_once(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new(JOHN, "a");
    let id = store(&test, &letter, None).await;
    assert_eq!(process(&test, &letter, id).await, Outcome::Opened);
    assert!(waiting(&test, id).await.is_empty());
    assert_eq!(
        test.number("SELECT COUNT(*) FROM inbox").await,
        1,
        "its own row, no other"
    );
    assert_eq!(
        test.number("SELECT COUNT(*) FROM blobs").await,
        1,
        "its bytes are not stored again"
    );
    let owned = "SELECT COUNT(*) FROM blobs b JOIN messages m ON m.blob_id = b.id JOIN inbox i ON i.blob_id = b.id
        WHERE b.customer_id = m.customer_id AND i.message_id = m.id AND i.outcome = 'opened'";
    assert_eq!(
        test.number(owned).await,
        1,
        "the bytes belong to the customer"
    );
    let blob = tierdesk_core::ids::BlobId::default();
    let again = test
        .try_receive(vec![Letter::new(JOHN, "other").prepared_from(id, blob)])
        .await;
    assert!(again.is_err(), "an arrival is processed once");
}

async fn a_copy_that_waited_leaves_no_bytes(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new(JOHN, "a");
    test.receive(&letter).await;
    let copy = letter.header("Received: by elsewhere.example");
    let id = store(&test, &copy, None).await;
    assert_eq!(process(&test, &copy, id).await, Outcome::Duplicate);
    assert_eq!(test.number("SELECT COUNT(*) FROM blobs").await, 1);
    let noted = "SELECT COUNT(*) FROM inbox WHERE outcome = 'duplicate' AND blob_id IS NULL";
    assert_eq!(
        test.number(noted).await,
        1,
        "what arrived is known, though not kept"
    );
    assert_eq!(test.number("SELECT COUNT(*) FROM messages").await, 1);
}

async fn waiting_mail_is_found_by_the_id_it_claims(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new(JOHN, "a");
    let id = store(&test, &letter, Some("a@mail.example")).await;
    let find = async |hint: &str| {
        let mut tx = test.desk.database.begin_read().await.expect("it begins");
        inbox::waiting_by_hint(&mut tx, [hint.to_owned()])
            .await
            .expect("they are read")
    };
    assert_eq!(find("a@mail.example").await, [id]);
    assert!(find("b@mail.example").await.is_empty());
    process(&test, &letter, id).await;
    assert!(
        find("a@mail.example").await.is_empty(),
        "processed, it waits no more"
    );
}
