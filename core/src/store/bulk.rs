//! Set-wise inserts: VALUES lists in SQLite, UNNEST in PostgreSQL.
//!
//! Through a driver the number of statements costs more than the rows, so mail in bulk is written
//! a table at a time. A table that takes part implements [`BulkRow`]; the contract suite inserts
//! through it on both databases.

use std::fmt::Write as _;

use sqlx::{Arguments as _, AssertSqlSafe, postgres::PgArguments, sqlite::SqliteArguments};
use uuid::Uuid;

use super::{Inner, StoreError, Tx};
use crate::{clock::Timestamp, search::document::Terms};

/// The column types that bulk rows use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UUID / BLOB of 16 bytes.
    Id,
    /// TEXT.
    Text,
    /// BIGINT / INTEGER.
    Int,
    /// TIMESTAMPTZ / INTEGER microseconds.
    Time,
    /// BYTEA / BLOB.
    Bytes,
    /// BOOLEAN / INTEGER.
    Bool,
    /// TSVECTOR / what a full-text table cuts into terms.
    Terms,
}

/// What a bulk row's inserts run, for the tests that prepare each one.
#[cfg(feature = "testing")]
#[derive(Clone, Debug)]
pub struct BulkTexts {
    /// The table.
    pub table: &'static str,
    /// What SQLite runs, for each length of a list.
    pub sqlite: Vec<String>,
    /// What PostgreSQL runs.
    pub postgres: String,
}

#[cfg(feature = "testing")]
impl BulkTexts {
    pub(super) fn of<R: BulkRow>() -> Self {
        Self {
            table: R::TABLE,
            sqlite: CHUNKS
                .iter()
                .map(|rows| values_list_text::<R>(*rows))
                .collect(),
            postgres: unnest_text::<R>(),
        }
    }
}

/// One value of a bulk row.
#[derive(Clone, Debug)]
pub enum Cell {
    /// See [`Kind::Id`].
    Id(Option<Uuid>),
    /// See [`Kind::Text`].
    Text(Option<String>),
    /// See [`Kind::Int`].
    Int(Option<i64>),
    /// See [`Kind::Time`].
    Time(Option<Timestamp>),
    /// See [`Kind::Bytes`].
    Bytes(Option<Vec<u8>>),
    /// See [`Kind::Bool`].
    Bool(Option<bool>),
    /// See [`Kind::Terms`].
    Terms(Terms),
}

macro_rules! cells {
    ($($type:ty => $variant:ident($value:ident) $to:expr;)+) => {$(
        impl From<$type> for Cell {
            fn from($value: $type) -> Self { Self::$variant(Some($to)) }
        }
        impl From<Option<$type>> for Cell {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map(|$value: $type| $to))
            }
        }
    )+};
}
cells!(
    Uuid => Id(id) id;
    String => Text(text) text;
    &str => Text(text) text.to_owned();
    i64 => Int(number) number;
    Timestamp => Time(at) at;
    Vec<u8> => Bytes(bytes) bytes;
    bool => Bool(flag) flag;
);

/// A row that is inserted many at a time.
pub trait BulkRow: Send {
    /// The table.
    const TABLE: &'static str;
    /// Its columns in the order of [`BulkRow::cells`].
    const COLUMNS: &'static [(&'static str, Kind)];
    /// Appended after the rows: `ON CONFLICT …` or nothing.
    const ON_CONFLICT: &'static str = "";
    /// The row's values in column order.
    fn cells(self, out: &mut Vec<Cell>);
}

/// Rows in one VALUES list. SQLite allows 32,766 variables a statement; a hundred rows is where
/// longer lists stopped gaining.
const CHUNK: usize = 100;

/// VALUES lists come in these lengths only, so that few texts fill the statement cache.
const CHUNKS: [usize; 4] = [CHUNK, 20, 5, 1];

impl Tx {
    /// Inserts all rows, set-wise. Returns how many the database took, which is fewer than given
    /// only where the row type says `ON CONFLICT DO NOTHING`.
    pub async fn insert_many<R: BulkRow>(&mut self, rows: Vec<R>) -> Result<u64, StoreError> {
        if rows.is_empty() {
            self.changed(0);
            return Ok(0);
        }
        let count = rows.len();
        let mut cells = Vec::with_capacity(count * R::COLUMNS.len());
        for row in rows {
            row.cells(&mut cells);
        }
        debug_assert_eq!(
            cells.len(),
            count * R::COLUMNS.len(),
            "cells of {}",
            R::TABLE
        );
        let taken = match self.inner {
            Inner::Sqlite(_) => self.insert_values_lists::<R>(cells, count).await?,
            Inner::Postgres(_) => self.insert_unnest::<R>(cells, count).await?,
        };
        self.changed(taken);
        Ok(taken)
    }

    async fn insert_values_lists<R: BulkRow>(
        &mut self,
        cells: Vec<Cell>,
        count: usize,
    ) -> Result<u64, StoreError> {
        let Inner::Sqlite(tx) = &mut self.inner else {
            return Ok(0);
        };
        let mut cells = cells.into_iter();
        let (mut left, mut taken) = (count, 0);
        while left > 0 {
            let rows = CHUNKS.into_iter().find(|size| *size <= left).unwrap_or(1);
            let mut arguments = SqliteArguments::default();
            for cell in cells.by_ref().take(rows * R::COLUMNS.len()) {
                bind_sqlite(&mut arguments, cell).map_err(sqlx::Error::Encode)?;
            }
            let text = AssertSqlSafe(values_list_text::<R>(rows));
            taken += sqlx::query_with(text, arguments)
                .execute(&mut **tx)
                .await?
                .rows_affected();
            left -= rows;
        }
        Ok(taken)
    }

    async fn insert_unnest<R: BulkRow>(
        &mut self,
        cells: Vec<Cell>,
        count: usize,
    ) -> Result<u64, StoreError> {
        let Inner::Postgres(tx) = &mut self.inner else {
            return Ok(0);
        };
        let mut columns: Vec<Column> = R::COLUMNS
            .iter()
            .map(|(_, kind)| Column::new(*kind, count))
            .collect();
        for (index, cell) in cells.into_iter().enumerate() {
            columns[index % R::COLUMNS.len()].push(cell, R::TABLE)?;
        }
        let mut arguments = PgArguments::default();
        for column in columns {
            column.bind(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        let text = AssertSqlSafe(unnest_text::<R>());
        Ok(sqlx::query_with(text, arguments)
            .execute(&mut **tx)
            .await?
            .rows_affected())
    }
}

fn column_names<R: BulkRow>() -> String {
    R::COLUMNS
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The text that SQLite runs for `rows` rows.
pub fn values_list_text<R: BulkRow>(rows: usize) -> String {
    let mut text = format!("INSERT INTO {} ({}) VALUES ", R::TABLE, column_names::<R>());
    let width = R::COLUMNS.len();
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=width {
            let separator = if column == 1 { "" } else { ", " };
            write!(text, "{separator}${}", row * width + column).expect("a String takes any text");
        }
        text.push(')');
    }
    text.push(' ');
    text.push_str(R::ON_CONFLICT);
    text
}

/// The text that PostgreSQL runs, whatever the number of rows.
pub fn unnest_text<R: BulkRow>() -> String {
    let arrays: Vec<String> = R::COLUMNS
        .iter()
        .enumerate()
        .map(|(index, (_, kind))| {
            let element = match kind {
                Kind::Id => "UUID",
                Kind::Text => "TEXT",
                Kind::Int => "BIGINT",
                Kind::Time => "TIMESTAMPTZ",
                Kind::Bytes => "BYTEA",
                Kind::Bool => "BOOLEAN",
                Kind::Terms => "TSVECTOR",
            };
            format!("CAST(${} AS {element}[])", index + 1)
        })
        .collect();
    format!(
        "INSERT INTO {} ({}) SELECT * FROM UNNEST({}) {}",
        R::TABLE,
        column_names::<R>(),
        arrays.join(", "),
        R::ON_CONFLICT
    )
}

fn bind_sqlite(
    arguments: &mut SqliteArguments,
    cell: Cell,
) -> Result<(), sqlx::error::BoxDynError> {
    match cell {
        Cell::Id(id) => arguments.add(id),
        Cell::Text(text) => arguments.add(text),
        Cell::Int(number) => arguments.add(number),
        Cell::Time(at) => arguments.add(at),
        Cell::Bytes(bytes) => arguments.add(bytes),
        Cell::Bool(flag) => arguments.add(flag),
        Cell::Terms(terms) => arguments.add(terms.as_str().to_owned()),
    }
}

/// One column of many rows, as PostgreSQL's array parameters want it.
enum Column {
    Id(Vec<Option<Uuid>>),
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Time(Vec<Option<Timestamp>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Bool(Vec<Option<bool>>),
}

impl Column {
    fn new(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Id => Self::Id(Vec::with_capacity(rows)),
            Kind::Text | Kind::Terms => Self::Text(Vec::with_capacity(rows)),
            Kind::Int => Self::Int(Vec::with_capacity(rows)),
            Kind::Time => Self::Time(Vec::with_capacity(rows)),
            Kind::Bytes => Self::Bytes(Vec::with_capacity(rows)),
            Kind::Bool => Self::Bool(Vec::with_capacity(rows)),
        }
    }

    fn push(&mut self, cell: Cell, table: &'static str) -> Result<(), StoreError> {
        match (self, cell) {
            (Self::Id(column), Cell::Id(id)) => column.push(id),
            (Self::Text(column), Cell::Text(text)) => column.push(text),
            (Self::Text(column), Cell::Terms(terms)) => column.push(Some(terms.vector())),
            (Self::Int(column), Cell::Int(number)) => column.push(number),
            (Self::Time(column), Cell::Time(at)) => column.push(at),
            (Self::Bytes(column), Cell::Bytes(bytes)) => column.push(bytes),
            (Self::Bool(column), Cell::Bool(flag)) => column.push(flag),
            _ => {
                // The value stays out of the message: it may be a customer's text.
                let detail = "a bulk row's cell does not fit its column".to_owned();
                return Err(StoreError::Inconsistent { table, detail });
            }
        }
        Ok(())
    }

    fn bind(self, arguments: &mut PgArguments) -> Result<(), sqlx::error::BoxDynError> {
        match self {
            Self::Id(column) => arguments.add(column),
            Self::Text(column) => arguments.add(column),
            Self::Int(column) => arguments.add(column),
            Self::Time(column) => arguments.add(column),
            Self::Bytes(column) => arguments.add(column),
            Self::Bool(column) => arguments.add(column),
        }
    }
}
