//! Values come back as they went in, and sort alike.

use tierdesk_core::{
    clock::Timestamp,
    store::{
        Database,
        bulk::{BulkRow, Cell, Kind},
    },
};
use tierdesk_tests::{Backend, START, TestDesk, on_both};
use uuid::Uuid;

/// A table with a column of each kind.
async fn make_probe(test: &TestDesk) {
    test.desk
        .database
        .tamper(
            "CREATE TABLE probe (n INTEGER NOT NULL, id BLOB, body TEXT, at INTEGER, bytes BLOB, flag INTEGER) STRICT",
            "CREATE TABLE probe (n BIGINT NOT NULL, id UUID, body TEXT COLLATE \"C\", at TIMESTAMPTZ,
                bytes BYTEA, flag BOOLEAN)",
        )
        .await;
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Probe {
    n: i64,
    id: Option<Uuid>,
    text: Option<String>,
    at: Option<Timestamp>,
    bytes: Option<Vec<u8>>,
    flag: Option<bool>,
}

type ProbeRow = (
    i64,
    Option<Uuid>,
    Option<String>,
    Option<Timestamp>,
    Option<Vec<u8>>,
    Option<bool>,
);

impl BulkRow for Probe {
    const TABLE: &'static str = "probe";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("n", Kind::Int),
        ("id", Kind::Id),
        ("body", Kind::Text),
        ("at", Kind::Time),
        ("bytes", Kind::Bytes),
        ("flag", Kind::Bool),
    ];
    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([self.n.into(), self.id.into(), self.text.into()]);
        out.extend([self.at.into(), self.bytes.into(), self.flag.into()]);
    }
}

async fn insert(test: &TestDesk, rows: Vec<Probe>) -> u64 {
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let taken = tx.insert_many(rows).await.expect("rows are taken");
    tx.commit().await.expect("it commits");
    taken
}

async fn stored(test: &TestDesk) -> Vec<Probe> {
    let rows: Vec<ProbeRow> = test
        .look("SELECT n, id, body, at, bytes, flag FROM probe ORDER BY n")
        .await;
    rows.into_iter()
        .map(|(n, id, text, at, bytes, flag)| Probe {
            n,
            id,
            text,
            at,
            bytes,
            flag,
        })
        .collect()
}

fn instants() -> Vec<Timestamp> {
    vec![
        Timestamp::MIN,
        Timestamp::from_micros(-1),
        Timestamp::from_micros(0),
        Timestamp::from_micros(1),
        Timestamp::from_micros(999_999),
        START,
        Timestamp::from_micros(START.micros() + 1),
        Timestamp::MAX,
    ]
}

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "plain",
        "ACMÉ – Zürich",
        "日本語 🙂",
        "a'b\"c\\d%_",
        "line\nline\ttab",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("ü1".repeat(700_000));
    texts
}

async fn order(test: &TestDesk, by: &str) -> Vec<i64> {
    let rows: Vec<(i64,)> = test
        .look(&format!("SELECT n FROM probe ORDER BY {by}, n"))
        .await;
    rows.into_iter().map(|(n,)| n).collect()
}

on_both! {
    values_round_trip,
    instants_and_texts_sort_alike,
    any_number_of_rows_is_inserted,
    ids_of_one_unit_of_work_grow,
}

async fn values_round_trip(backend: Backend) {
    let test = TestDesk::new(backend).await;
    make_probe(&test).await;
    let mut rows: Vec<Probe> = vec![Probe::default()];
    rows.extend(instants().into_iter().map(|at| Probe {
        at: Some(at),
        ..Probe::default()
    }));
    rows.extend(texts().into_iter().map(|text| Probe {
        text: Some(text),
        ..Probe::default()
    }));
    for bytes in [Vec::new(), vec![0], (0..=255).collect(), vec![7; 2_000_000]] {
        rows.push(Probe {
            bytes: Some(bytes),
            ..Probe::default()
        });
    }
    for id in [Uuid::nil(), Uuid::max(), Uuid::from_u128(1)] {
        rows.push(Probe {
            id: Some(id),
            ..Probe::default()
        });
    }
    for flag in [true, false] {
        rows.push(Probe {
            flag: Some(flag),
            ..Probe::default()
        });
    }
    for (n, row) in (0..).zip(&mut rows) {
        row.n = n;
    }
    insert(
        &test,
        vec![
            Probe {
                n: i64::MIN,
                ..Probe::default()
            },
            Probe {
                n: i64::MAX,
                ..Probe::default()
            },
        ],
    )
    .await;
    assert_eq!(insert(&test, rows.clone()).await, rows.len() as u64);
    let found = stored(&test).await;
    assert_eq!(found.len(), rows.len() + 2);
    assert_eq!((found[0].n, found[found.len() - 1].n), (i64::MIN, i64::MAX));
    for (expected, row) in rows.iter().zip(&found[1..]) {
        assert!(expected == row, "row {} differs", expected.n);
    }
}

/// The queries write `NULLS LAST` where a clock may be absent, and compare texts by code point.
async fn instants_and_texts_sort_alike(backend: Backend) {
    let test = TestDesk::new(backend).await;
    make_probe(&test).await;
    let mut times: Vec<Option<Timestamp>> = instants().into_iter().map(Some).collect();
    times.insert(0, None);
    times.reverse();
    let words = ["b", "a", "B", "A", "Z", "é", "z", "_", "1", ""];
    let rows = (0..).zip(times).zip(words).map(|((n, at), text)| Probe {
        n,
        at,
        text: Some(text.to_owned()),
        ..Probe::default()
    });
    insert(&test, rows.collect()).await;
    assert_eq!(
        order(&test, "at NULLS LAST").await,
        [7, 6, 5, 4, 3, 2, 1, 0, 8]
    );
    assert_eq!(
        order(&test, "at NULLS FIRST").await,
        [8, 7, 6, 5, 4, 3, 2, 1, 0]
    );
    // 1 A B Z _ a b z é, by code point
    assert_eq!(order(&test, "body").await, [8, 3, 2, 4, 7, 1, 0, 6, 5]);
}

async fn any_number_of_rows_is_inserted(backend: Backend) {
    let test = TestDesk::new(backend).await;
    make_probe(&test).await;
    let mut total = 0;
    for count in [0_i64, 1, 99, 100, 101, 127, 1_000] {
        let rows: Vec<Probe> = (0..count)
            .map(|n| Probe {
                n: total + n,
                text: Some(format!("row {n}")),
                flag: Some(n % 2 == 0),
                ..Probe::default()
            })
            .collect();
        assert_eq!(
            insert(&test, rows).await,
            u64::try_from(count).expect("not negative")
        );
        total += count;
    }
    let found = stored(&test).await;
    assert!(
        found.iter().map(|row| row.n).eq(0..total),
        "each row once, in order"
    );
    assert_eq!(
        found[1].text.as_deref(),
        Some("row 0"),
        "cells stay in their rows"
    );
    assert_eq!(found[100].text.as_deref(), Some("row 0"));
}

async fn ids_of_one_unit_of_work_grow(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let ids: Vec<Uuid> = (0..10_000).map(|_| tx.new_id()).collect();
    assert!(
        ids.windows(2).all(|pair| pair[0] < pair[1]),
        "each after the one before"
    );
    assert!(ids.iter().all(|id| id.get_version_num() == 7), "UUIDv7");
    let mut other = Database::begin_read(&test.desk.database)
        .await
        .expect("it begins");
    assert!(
        !ids.contains(&other.new_id()),
        "two units at one instant do not share ids"
    );
}
