//! Every statement runs on both databases, and those that differ are counted.

use std::{collections::BTreeSet, fs, path::Path};

use tierdesk_core::store::{bulk_texts, statements};
use tierdesk_tests::{Backend, TestDesk, on_both};

/// Statements with a text per database. One more is a decision: see migrations/README.md.
const PER_BACKEND: usize = 68;

on_both! {
    every_statement_prepares,
    every_bulk_row_prepares,
}

async fn every_statement_prepares(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let all = statements();
    assert!(all.len() > 80, "positive control: {} statements", all.len());
    for (name, sql) in all {
        let outcome = test.desk.database.prepare(sql).await;
        assert!(outcome.is_ok(), "{name}: {outcome:?}");
    }
    let broken = test
        .desk
        .database
        .prepare_texts("SELECT x FROM y", "SELECT x FROM y")
        .await;
    assert!(
        broken.is_err(),
        "positive control: nonsense does not prepare"
    );
}

async fn every_bulk_row_prepares(backend: Backend) {
    let test = TestDesk::new(backend).await;
    for texts in bulk_texts() {
        for sqlite in &texts.sqlite {
            let outcome = test
                .desk
                .database
                .prepare_texts(sqlite, &texts.postgres)
                .await;
            assert!(outcome.is_ok(), "{}: {outcome:?}", texts.table);
        }
    }
}

#[test]
fn statements_have_names_of_their_own() {
    let all = statements();
    let names: BTreeSet<&str> = all.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), all.len());
}

#[test]
fn statements_with_two_texts_are_the_exception() {
    let differing: Vec<&str> = statements()
        .into_iter()
        .filter(|(_, sql)| sql.is_per_backend())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(differing.len(), PER_BACKEND, "{differing:#?}");
}

#[test]
fn every_statement_block_and_bulk_row_is_listed() {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/store");
    let (mut named, mut rows) = (0, 0);
    for text in sources(&store) {
        named += text.matches(" = Sql::").count();
        rows += text
            .lines()
            .filter(|line| line.starts_with("impl BulkRow for"))
            .count();
    }
    assert_eq!(named, statements().len(), "store::statements");
    assert_eq!(rows, bulk_texts().len(), "store::bulk_texts");
}

fn sources(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).expect("the store's sources are there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            texts.extend(sources(&path));
        } else {
            texts.push(fs::read_to_string(&path).expect("a source is text"));
        }
    }
    texts
}
