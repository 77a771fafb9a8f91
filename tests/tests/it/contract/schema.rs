//! The two migration chains make the same tables.

use std::collections::BTreeSet;

use tierdesk_core::{
    clock::Clock,
    store::{Database, OpenOptions, StoreError},
};
use tierdesk_tests::{Backend, Letter, START, TestDesk, drop_databases, on_both};

/// What a database may have that the other has not.
const ONLY_SQLITE: [&str; 4] = [
    "counters UNIQUE (name)",
    "counters.name NOT NULL",
    "counters.value NOT NULL",
    "search_terms.terms",
];

/// There the primary key is the row's own number, which needs no index, and a table of words has no
/// columns but the one that is searched.
const ONLY_POSTGRES: [&str; 6] = [
    "audit_head UNIQUE (id)",
    "search_entries UNIQUE (doc)",
    "search_state UNIQUE (id)",
    "search_terms UNIQUE (rowid)",
    "search_terms.rowid NOT NULL",
    "search_terms.terms NOT NULL",
];

#[tokio::test]
async fn both_chains_make_the_same_tables() {
    let sqlite = TestDesk::new(Backend::Sqlite).await;
    let postgres = TestDesk::new(Backend::Postgres).await;
    let sqlite: BTreeSet<String> = sqlite.desk.database.catalogue().await.into_iter().collect();
    let postgres: BTreeSet<String> = postgres
        .desk
        .database
        .catalogue()
        .await
        .into_iter()
        .collect();
    assert!(sqlite.len() > 150, "positive control: {}", sqlite.len());
    let only_sqlite: Vec<&String> = sqlite.difference(&postgres).collect();
    let only_postgres: Vec<&String> = postgres.difference(&sqlite).collect();
    assert_eq!(only_sqlite, ONLY_SQLITE);
    assert_eq!(only_postgres, ONLY_POSTGRES);
    drop_databases().await;
}

async fn open_unmigrated(url: &str) -> Result<Database, StoreError> {
    let options = OpenOptions {
        clock: Clock::manual(START),
        migrate_empty: false,
        ..OpenOptions::new(url)
    };
    options.open().await
}

on_both! {
    migrating_twice_changes_nothing,
    data_survives_opening_again,
    a_newer_schema_is_refused_and_left_alone,
}

async fn migrating_twice_changes_nothing(backend: Backend) {
    let (url, _folder) = TestDesk::place(backend).await;
    let database = open_unmigrated(&url)
        .await
        .expect("an empty database opens");
    assert_eq!(database.schema_version().await.expect("it can be asked"), 0);
    let (before, known) = database.migrate().await.expect("it migrates");
    assert_eq!(before, 0);
    let made = database.catalogue().await;
    assert_eq!(database.migrate().await.expect("once more"), (known, known));
    assert_eq!(database.catalogue().await, made);
}

/// Data that the first schema holds survives every later migration. With a second one, this
/// starts from each version in turn.
async fn data_survives_opening_again(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    test.receive(&Letter::new("john@acmefinance.com", "a"))
        .await;
    let before = test.counts().await;
    let again = test.open_again(Clock::manual(START), None).await;
    let known = again.schema_version().await.expect("it can be asked");
    assert_eq!(again.migrate().await.expect("it migrates"), (known, known));
    assert_eq!(test.counts().await, before);
}

async fn a_newer_schema_is_refused_and_left_alone(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let known = test
        .desk
        .database
        .schema_version()
        .await
        .expect("it can be asked");
    test.desk
        .database
        .tamper(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of tomorrow', TRUE, x'00', 0)",
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of tomorrow', TRUE, '\\x00', 0)",
        )
        .await;
    let made = test.desk.database.catalogue().await;
    let refused = test.desk.database.migrate().await.expect_err("it is newer");
    let text = refused.to_string();
    assert!(
        text.contains("9999") && text.contains(&known.to_string()),
        "{text}"
    );
    assert!(text.contains("newer program"), "says what to do: {text}");
    let opened = OpenOptions::new(test.url.clone()).open().await;
    assert!(
        matches!(opened, Err(StoreError::NewerSchema { found: 9999, .. })),
        "{opened:?}"
    );
    assert_eq!(test.desk.database.catalogue().await, made);
    assert_eq!(
        test.number("SELECT COUNT(*) FROM _sqlx_migrations").await,
        known + 1
    );
}
