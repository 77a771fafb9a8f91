//! Stored mail: sealed under its customer's key, opened with the right master key only.

use tierdesk_core::{
    clock::Clock,
    desk::work_ticket::{BindOptions, bind},
    ids::BlobId,
    receive::Content,
    store::{Database, StoreError, blobs},
};
use tierdesk_tests::{Backend, Letter, START, TestDesk, on_both, owner};

on_both! {
    sealed_content_shows_nothing_and_opens_again,
    without_a_key_content_is_readable,
    a_wrong_or_missing_key_is_a_clear_error,
    each_customer_has_a_key_of_their_own,
    binding_moves_content_under_the_customer_s_key,
    the_same_bytes_of_two_customers_are_two_blobs,
    a_destroyed_key_is_said_so,
}

const JOHN: &str = "john@acmefinance.com";

fn key() -> String {
    "5a".repeat(32)
}

async fn sealed_desk(backend: Backend) -> TestDesk {
    let test = TestDesk::with_key(backend, Some(&key())).await;
    test.import_shipped_customers().await;
    test
}

async fn only_blob(test: &TestDesk) -> BlobId {
    let rows: Vec<(BlobId,)> = test.look("SELECT id FROM blobs").await;
    assert_eq!(rows.len(), 1);
    rows[0].0
}

async fn content(test: &TestDesk, id: BlobId) -> Vec<u8> {
    let rows: Vec<(BlobId, Vec<u8>)> = test.look("SELECT id, content FROM blobs").await;
    rows.into_iter()
        .find(|(found, _)| *found == id)
        .expect("it is there")
        .1
}

async fn open(database: &Database, id: BlobId) -> Result<Vec<u8>, StoreError> {
    let mut tx = database.begin_read().await.expect("it begins");
    blobs::open(&mut tx, id).await
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

async fn sealed_content_shows_nothing_and_opens_again(backend: Backend) {
    let test = sealed_desk(backend).await;
    let letter = Letter::new(JOHN, "a");
    test.receive(&letter).await;
    let id = only_blob(&test).await;
    let stored = content(&test, id).await;
    let packed = Content::new(&letter.bytes()).packed;
    assert!(!holds(&stored, &packed[..16]) && !holds(&stored, b"acmefinance"));
    assert_eq!(
        open(&test.desk.database, id).await.expect("it opens"),
        letter.bytes()
    );
    let again = test.open_again(Clock::manual(START), Some(&key())).await;
    assert_eq!(
        open(&again, id).await.expect("it opens elsewhere"),
        letter.bytes()
    );
}

async fn without_a_key_content_is_readable(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new(JOHN, "a");
    test.receive(&letter).await;
    let id = only_blob(&test).await;
    assert_eq!(
        content(&test, id).await,
        Content::new(&letter.bytes()).packed
    );
    assert_eq!(
        open(&test.desk.database, id).await.expect("it opens"),
        letter.bytes()
    );
    assert_eq!(test.number("SELECT COUNT(*) FROM blob_keys").await, 0);
    let keyed = test.open_again(Clock::manual(START), Some(&key())).await;
    assert_eq!(
        open(&keyed, id)
            .await
            .expect("a key that came later is no obstacle"),
        letter.bytes()
    );
}

async fn a_wrong_or_missing_key_is_a_clear_error(backend: Backend) {
    let test = sealed_desk(backend).await;
    test.receive(&Letter::new(JOHN, "a")).await;
    let id = only_blob(&test).await;
    let wrong = test
        .open_again(Clock::manual(START), Some(&"5b".repeat(32)))
        .await;
    let error = open(&wrong, id).await.expect_err("another key");
    assert!(matches!(error, StoreError::Sealed(_)), "{error:?}");
    assert!(
        error.to_string().contains("not the key it was sealed with"),
        "{error}"
    );
    let missing = test.open_again(Clock::manual(START), None).await;
    let error = open(&missing, id).await.expect_err("no key");
    assert!(
        error.to_string().contains("store.key_file is not set"),
        "{error}"
    );
    let before = test.counts().await;
    let desk = tierdesk_core::desk::Desk::new(wrong);
    let items = vec![Letter::new(JOHN, "b").prepared()];
    let action = tierdesk_core::permit::ReceiveMail;
    let received =
        tierdesk_core::desk::receive::receive(&desk, &tierdesk_tests::ingest(), action, &items)
            .await;
    assert!(
        received.is_err(),
        "nothing is sealed under a key that cannot be opened"
    );
    assert_eq!(test.counts().await, before);
}

async fn each_customer_has_a_key_of_their_own(backend: Backend) {
    let test = sealed_desk(backend).await;
    for sender in [
        JOHN,
        "ann@acmefinance.com",
        "compliance@medicorp.com",
        "eve@stranger.example",
    ] {
        test.receive(&Letter::new(sender, sender)).await;
    }
    assert_eq!(
        test.number("SELECT COUNT(*) FROM blob_keys").await,
        3,
        "two customers' and nobody's"
    );
    let matching = "SELECT COUNT(*) FROM blobs b JOIN blob_keys k ON k.id = b.key_id
        WHERE k.customer_id IS NOT DISTINCT FROM b.customer_id";
    assert_eq!(test.number(matching).await, 4);
}

async fn binding_moves_content_under_the_customer_s_key(backend: Backend) {
    let test = sealed_desk(backend).await;
    let letter = Letter::new("eve@stranger.example", "a");
    let number = test.receive_on(&letter).await;
    let id = only_blob(&test).await;
    let before = content(&test, id).await;
    let options = BindOptions {
        adds_contact: true,
        adds_domain: false,
    };
    let report = bind(&test.desk, &owner(), number, "medicorp", options)
        .await
        .expect("it is bound");
    assert_eq!(report.tier, "healthcare".parse().ok());
    assert_eq!(only_blob(&test).await, id);
    assert_ne!(content(&test, id).await, before, "sealed anew");
    let theirs = "SELECT COUNT(*) FROM blobs b JOIN blob_keys k ON k.id = b.key_id JOIN customers c ON c.id = k.customer_id
        WHERE c.slug = 'medicorp' AND b.customer_id = c.id";
    assert_eq!(test.number(theirs).await, 1);
    assert_eq!(
        open(&test.desk.database, id).await.expect("it opens"),
        letter.bytes()
    );
    let of = "SELECT COUNT(*) FROM messages m JOIN customers c ON c.id = m.customer_id WHERE c.slug = 'medicorp'";
    assert_eq!(test.number(of).await, 1);
    let next = test
        .receive(&Letter::new("eve@stranger.example", "b"))
        .await;
    assert_eq!(
        next.customer.map(|slug| slug.to_string()).as_deref(),
        Some("medicorp"),
        "taught for next time"
    );
}

async fn the_same_bytes_of_two_customers_are_two_blobs(backend: Backend) {
    let test = sealed_desk(backend).await;
    let letter = Letter::new("eve@stranger.example", "a");
    let number = test.receive_on(&letter).await;
    let options = BindOptions::default();
    bind(&test.desk, &owner(), number, "medicorp", options)
        .await
        .expect("it is bound");
    let first = only_blob(&test).await;
    let prepared = letter.prepared();
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let blob = blobs::NewBlob {
        id: tx.new_id(),
        customer_id: None,
        content: prepared.raw.clone(),
    };
    let second = blob.id;
    blobs::insert_many(&mut tx, vec![blob])
        .await
        .expect("another's copy is kept apart");
    let held = blobs::held(&mut tx, vec![prepared.raw.sha256.to_vec()])
        .await
        .expect("they are read");
    assert_eq!(held.len(), 2);
    let customers: Vec<_> = held.keys().filter_map(|(customer, _)| *customer).collect();
    let moved = blobs::move_to(&mut tx, second, Some(customers[0]))
        .await
        .expect("it moves");
    assert_eq!(
        moved, first,
        "what that customer holds already is kept once"
    );
    tx.commit().await.expect("it commits");
    assert_eq!(only_blob(&test).await, first);
}

async fn a_destroyed_key_is_said_so(backend: Backend) {
    let test = sealed_desk(backend).await;
    test.receive(&Letter::new(JOHN, "a")).await;
    test.receive(&Letter::new("compliance@medicorp.com", "b"))
        .await;
    test.tamper(
        "UPDATE blob_keys SET wrapped = NULL
         WHERE customer_id = (SELECT id FROM customers WHERE slug = 'acme-finance')",
    )
    .await;
    let rows: Vec<(BlobId, String)> = test
        .look("SELECT b.id, c.slug FROM blobs b JOIN customers c ON c.id = b.customer_id ORDER BY c.slug")
        .await;
    let error = open(&test.desk.database, rows[0].0)
        .await
        .expect_err("its key is gone");
    assert!(error.to_string().contains("destroyed"), "{error}");
    open(&test.desk.database, rows[1].0)
        .await
        .expect("another customer's is not touched");
}
