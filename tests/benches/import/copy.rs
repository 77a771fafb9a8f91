//! The database's own limit: the rows that an import wrote, written again by set-wise inserts and
//! nothing else, in the same units of work, with the same schema and pragmas.

use std::{collections::BTreeMap, fmt::Write as _, time::Instant};

use sqlx::{
    Arguments as _, AssertSqlSafe, Column as _, Connection as _, Executor as _, PgConnection,
    Row as _, SqliteConnection, TypeInfo as _, ValueRef as _, postgres::PgArguments,
    sqlite::SqliteArguments,
};
use tierdesk_core::{
    clock::Timestamp,
    store::{OpenOptions, bulk::Cell},
};
use uuid::Uuid;

/// The tables an import writes, parents first, with the column whose time names the unit of work.
const TABLES: [(&str, &str); 8] = [
    ("blobs", "id"),
    ("tickets", "id"),
    ("messages", "id"),
    ("attachments", "id"),
    ("inbox", "id"),
    ("ticket_participants", "added_at"),
    ("ticket_events", "id"),
    ("audit_entries", "id"),
];

/// Rows in one VALUES list.
const LIST: usize = 100;

type Rows = Vec<Vec<Cell>>;

/// The rows of one unit of work, by table.
type Unit = BTreeMap<usize, Rows>;

/// Copies the rows of `from` to the empty database `to` and returns the seconds that took.
pub(crate) async fn copy(from: &str, to: &str) -> f64 {
    let target = OpenOptions::new(to).open().await.expect("the target opens");
    target.close().await;
    if let Some(file) = OpenOptions::sqlite_path(to) {
        let source = OpenOptions::sqlite_path(from).expect("both are SQLite");
        let (columns, units) = read_sqlite(&source.display().to_string()).await;
        let mut db = connect_sqlite(&file.display().to_string()).await;
        db.execute(AssertSqlSafe(format!(
            "ATTACH '{}' AS old",
            source.display()
        )))
        .await
        .expect("it attaches");
        for table in ["customers", "staff"] {
            let text = AssertSqlSafe(format!("INSERT INTO {table} SELECT * FROM old.{table}"));
            db.execute(text).await.expect("the directory is copied");
        }
        db.execute("DETACH old").await.expect("it detaches");
        let started = Instant::now();
        for unit in units {
            let mut tx = db.begin_with("BEGIN IMMEDIATE").await.expect("it begins");
            for (table, rows) in unit {
                write_sqlite(&mut tx, TABLES[table].0, &columns[table], rows).await;
            }
            tx.commit().await.expect("it commits");
        }
        return started.elapsed().as_secs_f64();
    }
    let (columns, units) = read_postgres(from).await;
    let mut db = PgConnection::connect(to).await.expect("the target answers");
    db.execute("SELECT set_config('tierdesk.scope', 'desk', false)")
        .await
        .expect("the scope is set");
    copy_customers(from, &mut db).await;
    let started = Instant::now();
    for unit in units {
        let mut tx = db.begin().await.expect("it begins");
        for (table, rows) in unit {
            write_postgres(&mut tx, TABLES[table].0, &columns[table], rows).await;
        }
        tx.commit().await.expect("it commits");
    }
    started.elapsed().as_secs_f64()
}

async fn connect_sqlite(file: &str) -> SqliteConnection {
    let mut db = SqliteConnection::connect(&format!("sqlite://{file}"))
        .await
        .expect("it opens");
    db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        .await
        .expect("the pragmas are set");
    db
}

/// Sorts a table's rows into units of work by the time in their key.
fn sort_in(units: &mut BTreeMap<i64, Unit>, table: usize, key: usize, rows: Rows) {
    for row in rows {
        let at = match &row[key] {
            Cell::Id(Some(id)) => i64::try_from(id.as_u128() >> 80).expect("48 bits fit"),
            Cell::Time(Some(at)) => at.micros() / 1_000,
            Cell::Bytes(Some(id)) => {
                let id = Uuid::from_slice(id).expect("an id has 16 bytes");
                i64::try_from(id.as_u128() >> 80).expect("48 bits fit")
            }
            Cell::Int(Some(micros)) => micros / 1_000,
            other => panic!("no time in {other:?}"),
        };
        units
            .entry(at)
            .or_default()
            .entry(table)
            .or_default()
            .push(row);
    }
}

async fn read_sqlite(file: &str) -> (Vec<Vec<String>>, Vec<Unit>) {
    let mut db = connect_sqlite(file).await;
    let (mut columns, mut units) = (Vec::new(), BTreeMap::new());
    for (table, (name, key)) in TABLES.iter().enumerate() {
        let text = AssertSqlSafe(format!("SELECT * FROM {name} ORDER BY rowid"));
        let rows = sqlx::query(text)
            .fetch_all(&mut db)
            .await
            .expect("the rows are read");
        let names: Vec<String> = rows.first().map_or_else(Vec::new, |row| {
            row.columns()
                .iter()
                .map(|column| column.name().to_owned())
                .collect()
        });
        let read = |row: &sqlx::sqlite::SqliteRow| {
            (0..names.len())
                .map(|at| {
                    let value = row.try_get_raw(at).expect("a column");
                    if value.is_null() {
                        return Cell::Text(None);
                    }
                    match value.type_info().name() {
                        "INTEGER" => Cell::Int(row.get(at)),
                        "BLOB" => Cell::Bytes(row.get(at)),
                        _ => Cell::Text(row.get(at)),
                    }
                })
                .collect()
        };
        let cells: Rows = rows.iter().map(read).collect();
        if let Some(key) = names.iter().position(|column| column == key) {
            sort_in(&mut units, table, key, cells);
        }
        columns.push(names);
    }
    (columns, units.into_values().collect())
}

async fn write_sqlite(db: &mut SqliteConnection, table: &str, columns: &[String], rows: Rows) {
    let width = columns.len();
    for list in rows.chunks(LIST) {
        let mut text = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
        let mut arguments = SqliteArguments::default();
        for (row, cells) in list.iter().enumerate() {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for (column, cell) in cells.iter().enumerate() {
                let separator = if column == 0 { "" } else { ", " };
                write!(text, "{separator}${}", row * width + column + 1).expect("text");
                match cell.clone() {
                    Cell::Int(value) => arguments.add(value),
                    Cell::Bytes(value) => arguments.add(value),
                    Cell::Text(value) => arguments.add(value),
                    other => panic!("SQLite has no {other:?}"),
                }
                .expect("a value is bound");
            }
            text.push(')');
        }
        sqlx::query_with(AssertSqlSafe(text), arguments)
            .execute(&mut *db)
            .await
            .expect("rows go in");
    }
}

async fn read_postgres(url: &str) -> (Vec<Vec<(String, String)>>, Vec<Unit>) {
    let mut db = PgConnection::connect(url)
        .await
        .expect("the source answers");
    db.execute("SELECT set_config('tierdesk.scope', 'desk', false)")
        .await
        .expect("the scope is set");
    let (mut columns, mut units) = (Vec::new(), BTreeMap::new());
    for (table, (name, key)) in TABLES.iter().enumerate() {
        let text = AssertSqlSafe(format!("SELECT * FROM {name}"));
        let rows = sqlx::query(text)
            .fetch_all(&mut db)
            .await
            .expect("the rows are read");
        let names: Vec<(String, String)> = rows.first().map_or_else(Vec::new, |row| {
            let named = |column: &sqlx::postgres::PgColumn| {
                (
                    column.name().to_owned(),
                    column.type_info().name().to_owned(),
                )
            };
            row.columns().iter().map(named).collect()
        });
        let read = |row: &sqlx::postgres::PgRow| {
            names
                .iter()
                .enumerate()
                .map(|(at, (_, kind))| match kind.as_str() {
                    "UUID" => Cell::Id(row.get(at)),
                    "INT8" => Cell::Int(row.get(at)),
                    "TIMESTAMPTZ" => Cell::Time(row.get(at)),
                    "BYTEA" => Cell::Bytes(row.get(at)),
                    "BOOL" => Cell::Bool(row.get(at)),
                    _ => Cell::Text(row.get(at)),
                })
                .collect()
        };
        let cells: Rows = rows.iter().map(read).collect();
        if let Some(key) = names.iter().position(|(column, _)| column == key) {
            sort_in(&mut units, table, key, cells);
        }
        columns.push(names);
    }
    (columns, units.into_values().collect())
}

async fn write_postgres(
    db: &mut PgConnection,
    table: &str,
    columns: &[(String, String)],
    rows: Rows,
) {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let arrays: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, (_, kind))| format!("CAST(${} AS {kind}[])", at + 1))
        .collect();
    let text = format!(
        "INSERT INTO {table} ({}) SELECT * FROM UNNEST({})",
        names.join(", "),
        arrays.join(", ")
    );
    let mut arguments = PgArguments::default();
    for (at, (_, kind)) in columns.iter().enumerate() {
        macro_rules! array {
            ($variant:ident, $type:ty) => {{
                let column: Vec<Option<$type>> = rows
                    .iter()
                    .map(|row| match &row[at] {
                        Cell::$variant(value) => value.clone(),
                        other => panic!("{other:?} in a column of {kind}"),
                    })
                    .collect();
                arguments.add(column)
            }};
        }
        match kind.as_str() {
            "UUID" => array!(Id, Uuid),
            "INT8" => array!(Int, i64),
            "TIMESTAMPTZ" => array!(Time, Timestamp),
            "BYTEA" => array!(Bytes, Vec<u8>),
            "BOOL" => array!(Bool, bool),
            _ => array!(Text, String),
        }
        .expect("a column is bound");
    }
    sqlx::query_with(AssertSqlSafe(text), arguments)
        .execute(db)
        .await
        .expect("rows go in");
}

/// The customers whose tickets are copied; not part of the measurement.
async fn copy_customers(from: &str, db: &mut PgConnection) {
    let mut source = PgConnection::connect(from)
        .await
        .expect("the source answers");
    source
        .execute("SELECT set_config('tierdesk.scope', 'desk', false)")
        .await
        .expect("the scope is set");
    let rows: Vec<(Uuid, String)> = sqlx::query_as("SELECT id, slug FROM customers")
        .fetch_all(&mut source)
        .await
        .expect("customers are read");
    for (id, slug) in rows {
        sqlx::query(
            "INSERT INTO customers (id, slug, name, search_text, tier, status, include_subdomains, tags,
                created_at, updated_at, version)
             VALUES ($1, $2, $2, $2, 'fintech', 'active', TRUE, '{}', now(), now(), 1)",
        )
        .bind(id)
        .bind(slug)
        .execute(&mut *db)
        .await
        .expect("a customer goes in");
    }
}
