//! The audit chain: sealed once, verified from the first entry, erasable, anchored outside.

use std::{fs, time::Duration};

use tierdesk_core::{
    audit::{Entry, Hash, Verification, chain_hash},
    desk::{
        audit::{list, seal_all, seal_as, verify},
        receive::receive,
    },
    permit::ReceiveMail,
};
use tierdesk_tests::{Backend, Letter, TestDesk, ingest, on_both, owner};
use tokio::task::JoinSet;

on_both! {
    entries_are_numbered_and_verify,
    many_sealers_number_each_entry_once,
    one_sealer_holds_the_lease,
    verification_bears_writers_beside_it,
    an_erased_value_keeps_the_chain,
    what_is_gone_from_the_end_is_missed,
    an_entry_numbered_below_all_others_is_seen,
    what_was_changed_before_it_was_sealed_is_seen,
    a_text_beside_the_hashed_ones_is_seen,
    a_rewritten_chain_does_not_bear_out_its_anchor,
}

pub(super) async fn check(test: &TestDesk) -> Verification {
    verify(&test.desk, &owner()).await.expect("it can be asked")
}

/// Some hundred entries, none sealed.
pub(super) async fn written(backend: Backend, letters: usize) -> TestDesk {
    let test = TestDesk::with_customers(backend).await;
    let letters: Vec<Letter> = (0..letters)
        .map(|n| Letter::new("john@acmefinance.com", &n.to_string()))
        .collect();
    for batch in letters.chunks(60) {
        test.receive_all(batch).await;
        test.pass(Duration::from_secs(1));
    }
    test
}

/// Every entry by its number.
pub(super) async fn sealed(test: &TestDesk) -> Vec<(i64, Entry)> {
    let all = list(&test.desk, &owner(), "", 10_000)
        .await
        .expect("they are read");
    let mut all: Vec<(i64, Entry)> = all
        .into_iter()
        .filter_map(|(seq, entry)| Some((seq?, entry)))
        .collect();
    all.sort_by_key(|(seq, _)| *seq);
    all
}

/// Bytes as each database writes them.
pub(super) fn hex(test: &TestDesk, bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let digits = digits.concat();
    if test.desk.database.is_sqlite() {
        format!("x'{digits}'")
    } else {
        format!("'\\x{digits}'")
    }
}

async fn entries_are_numbered_and_verify(backend: Backend) {
    let test = written(backend, 300).await;
    assert_eq!(seal_all(&test.desk).await.expect("it seals"), 305);
    assert_eq!(seal_all(&test.desk).await.expect("it seals"), 0, "once");
    let found = check(&test).await;
    assert_eq!(
        (found.ok, found.entries, found.first_bad),
        (true, 305, None)
    );
    let all = sealed(&test).await;
    assert!(all.iter().map(|(seq, _)| *seq).eq(1..=305));
    assert!(
        all.is_sorted_by_key(|(_, entry)| (entry.at, entry.id)),
        "in the order of writing"
    );
    test.receive(&Letter::new("john@acmefinance.com", "more"))
        .await;
    let after = check(&test).await;
    assert_eq!((after.ok, after.entries), (true, 306));
    assert_ne!(after.head, found.head);
}

async fn many_sealers_number_each_entry_once(backend: Backend) {
    let test = written(backend, 120).await;
    let mut sealers = JoinSet::new();
    for _ in 0..6 {
        let desk = test.desk.clone();
        sealers.spawn(async move { seal_all(&desk).await.expect("it seals") });
    }
    assert_eq!(sealers.join_all().await.into_iter().sum::<usize>(), 125);
    assert!(check(&test).await.ok);
}

async fn one_sealer_holds_the_lease(backend: Backend) {
    let test = written(backend, 1).await;
    assert_eq!(seal_as(&test.desk, "one").await.expect("it seals"), 6);
    test.receive(&Letter::new("john@acmefinance.com", "more"))
        .await;
    assert_eq!(
        seal_as(&test.desk, "two").await.expect("it is asked"),
        0,
        "not its turn"
    );
    test.pass(Duration::from_secs(31));
    assert_eq!(seal_as(&test.desk, "two").await.expect("it seals"), 1);
}

/// Somebody writes all the time; that must not look like tampering.
async fn verification_bears_writers_beside_it(backend: Backend) {
    let test = written(backend, 10).await;
    let mut writers = JoinSet::new();
    for writer in 0..3 {
        let desk = test.desk.clone();
        writers.spawn(async move {
            for n in 0..25 {
                let items =
                    vec![Letter::new("john@acmefinance.com", &format!("{writer}-{n}")).prepared()];
                let received = receive(&desk, &ingest(), ReceiveMail, &items).await;
                received.expect("it is received");
            }
        });
    }
    let mut verified = 0;
    while !writers.is_empty() || verified == 0 {
        let found = check(&test).await;
        assert!(found.ok, "{found:?}");
        verified += 1;
        while writers.try_join_next().is_some_and(|ended| ended.is_ok()) {}
    }
    assert_eq!(check(&test).await.entries, 15 + 75);
}

async fn an_erased_value_keeps_the_chain(backend: Backend) {
    let test = written(backend, 20).await;
    let before = check(&test).await;
    for (seq, mut entry) in sealed(&test).await {
        for field in &mut entry.fields {
            if field.name == "from" {
                field.erase();
            }
        }
        let fields = serde_json::to_string(&entry.fields)
            .expect("fields are JSON")
            .replace('\'', "''");
        test.tamper(&format!(
            "UPDATE audit_entries SET fields = '{fields}' WHERE seq = {seq}"
        ))
        .await;
    }
    let kept = test
        .number("SELECT COUNT(*) FROM audit_entries WHERE fields LIKE '%john@%'")
        .await;
    assert_eq!(kept, 1, "all but the import's, under another name");
    let after = check(&test).await;
    assert!(after.erased > 0, "and it is said");
    let without = tierdesk_core::audit::Verification { erased: 0, ..after };
    assert_eq!(without, before, "the same head, and it holds");
}

async fn what_is_gone_from_the_end_is_missed(backend: Backend) {
    let test = written(backend, 20).await;
    assert!(check(&test).await.ok);
    test.tamper("DELETE FROM audit_entries WHERE seq = 25")
        .await;
    let found = check(&test).await;
    assert_eq!(
        (found.ok, found.first_bad),
        (false, Some(25)),
        "{:?}",
        found.fault
    );
}

async fn an_entry_numbered_below_all_others_is_seen(backend: Backend) {
    let test = written(backend, 20).await;
    assert!(check(&test).await.ok);
    for number in [i64::MIN, -1, 0] {
        let number = number.to_string();
        let copy = |id: &str| {
            format!(
            "INSERT INTO audit_entries (id, seq, at, actor, action, subject, fields, content_hash, chain_hash)
             SELECT {id}, {number}, at, 'staff:mallory', action, subject, fields, content_hash, chain_hash
             FROM audit_entries WHERE seq = 7")
        };
        test.desk
            .database
            .tamper(
                &copy("zeroblob(16)"),
                &copy("'00000000-0000-0000-0000-000000000000'"),
            )
            .await;
        let found = check(&test).await;
        assert!(!found.ok, "{number}");
        test.tamper("DELETE FROM audit_entries WHERE actor = 'staff:mallory'")
            .await;
        assert!(check(&test).await.ok, "undone");
    }
}

async fn what_was_changed_before_it_was_sealed_is_seen(backend: Backend) {
    let test = written(backend, 20).await;
    test.tamper(
        "UPDATE audit_entries SET actor = 'staff:mallory' WHERE action = 'customer.import'",
    )
    .await;
    let found = check(&test).await;
    assert!(!found.ok, "the sealer leaves it, verification tells");
    assert!(
        found
            .fault
            .is_some_and(|fault| fault.contains("5 entries could not be sealed"))
    );
    assert_eq!(found.entries, 25);
}

async fn a_text_beside_the_hashed_ones_is_seen(backend: Backend) {
    let test = written(backend, 20).await;
    assert!(check(&test).await.ok);
    test.tamper("UPDATE audit_entries SET fields = replace(fields, '{\"name\"', '{\"note\":\"x\",\"name\"') WHERE seq = 9")
        .await;
    let found = check(&test).await;
    assert_eq!((found.ok, found.first_bad), (false, Some(9)));
}

/// Whoever can write everything can make a chain that fits, but not the line outside.
async fn a_rewritten_chain_does_not_bear_out_its_anchor(backend: Backend) {
    let mut test = written(backend, 20).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let anchors = folder.path().join("anchors");
    test.desk.anchor_file = Some(anchors.clone());
    assert!(check(&test).await.ok);
    let text = fs::read_to_string(&anchors).expect("the head was anchored");
    assert_eq!(text.lines().count(), 1);
    test.pass(Duration::from_hours(24));
    test.receive(&Letter::new("john@acmefinance.com", "tomorrow"))
        .await;
    assert!(check(&test).await.ok);
    let text = fs::read_to_string(&anchors).expect("the head was anchored");
    assert_eq!(text.lines().count(), 2, "once a day: {text}");

    rewrite_from(&test, 12).await;
    let found = check(&test).await;
    assert!(!found.ok, "the anchors tell");
    assert!(
        found
            .fault
            .is_some_and(|fault| fault.contains("is not in the chain"))
    );
    test.desk.anchor_file = None;
    let found = check(&test).await;
    assert!(
        found.ok,
        "positive control: the forged chain fits in itself: {found:?}"
    );
}

/// Changes entry `from` and makes every later link fit.
async fn rewrite_from(test: &TestDesk, from: i64) {
    let rows: Vec<(Vec<u8>,)> = test
        .look(&format!(
            "SELECT chain_hash FROM audit_entries WHERE seq = {}",
            from - 1
        ))
        .await;
    let mut link: Hash = rows[0].0.clone().try_into().expect("a hash");
    let mut last = 0;
    for (seq, mut entry) in sealed(test)
        .await
        .into_iter()
        .filter(|(seq, _)| *seq >= from)
    {
        if seq == from {
            "staff:mallory".clone_into(&mut entry.actor);
        }
        let content = entry.content_hash();
        link = chain_hash(&link, seq, &content);
        test.tamper(&format!(
            "UPDATE audit_entries SET actor = '{}', content_hash = {}, chain_hash = {} WHERE seq = {seq}",
            entry.actor, hex(test, &content), hex(test, &link),
        ))
        .await;
        last = seq;
    }
    test.tamper(&format!(
        "UPDATE audit_head SET seq = {last}, chain_hash = {}",
        hex(test, &link)
    ))
    .await;
}
