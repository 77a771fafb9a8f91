//! Lists bound as one value: empty, and longer than any number of variables.

use tierdesk_core::{
    ids::CustomerId,
    store::{
        customers::{list_by_id, lookup::contact_owners},
        tickets::held_fingerprints,
    },
};
use tierdesk_tests::{Backend, Letter, TestDesk, on_both};
use uuid::Uuid;

on_both! {
    lists_of_any_length_find_what_is_there,
}

const MANY: u128 = 5_000;

async fn lists_of_any_length_find_what_is_there(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new("john@acmefinance.com", "a");
    test.receive(&letter).await;
    let known: Vec<(CustomerId,)> = test.look("SELECT id FROM customers").await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");

    let mut texts: Vec<String> = (0..MANY).map(|n| format!("ü\"'{n}@x.example")).collect();
    texts.push("john@acmefinance.com".to_owned());
    let found = contact_owners(&mut tx, texts)
        .await
        .expect("texts are bound");
    assert_eq!(found.len(), 1);
    assert!(
        contact_owners(&mut tx, Vec::new())
            .await
            .expect("none are bound")
            .is_empty()
    );

    let mut digests: Vec<Vec<u8>> = (0..MANY).map(|n| n.to_be_bytes().to_vec()).collect();
    digests.push(Vec::new());
    digests.push(letter.prepared().mail.fingerprint.0.to_vec());
    let found = held_fingerprints(&mut tx, digests)
        .await
        .expect("bytes are bound");
    assert_eq!(found.len(), 1);
    assert!(
        held_fingerprints(&mut tx, Vec::new())
            .await
            .expect("none are bound")
            .is_empty()
    );

    let mut ids: Vec<CustomerId> = (0..MANY).map(|n| Uuid::from_u128(n).into()).collect();
    ids.extend(known.iter().map(|(id,)| *id));
    let found = list_by_id(&mut tx, &ids).await.expect("ids are bound");
    assert_eq!(found.len(), 5);
    assert!(
        list_by_id(&mut tx, &[])
            .await
            .expect("none are bound")
            .is_empty()
    );
}
