//! What the store answers when it cannot do what was asked.

use sqlx::error::DatabaseError;

/// A failure of the store. The outer text never repeats the source's.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection, or the server went away. Nothing was committed; try again later.
    #[error("the database cannot be reached")]
    Unavailable(#[source] sqlx::Error),
    /// Another writer holds the lock for longer than we wait. Nothing was committed.
    #[error("the database is busy with another writer")]
    Busy(#[source] sqlx::Error),
    /// No room left on the disk, or the file may not be written. Nothing was committed.
    #[error("the database cannot be written: the disk is full or the file is read-only")]
    Full(#[source] sqlx::Error),
    /// A unique value is taken. Use cases look first, so this is a race that was lost.
    #[error("another change took the same unique value first")]
    Conflict(#[source] sqlx::Error),
    /// A newer program made this schema.
    #[error(
        "the database has schema version {found}, this program knows up to {known}: use the newer \
         program, or restore the backup taken before it"
    )]
    NewerSchema {
        /// The highest migration applied.
        found: i64,
        /// The highest migration this program has.
        known: i64,
    },
    /// Migrations are pending.
    #[error(
        "the database has schema version {found}, this program needs {known}: run `tierdesk db migrate`"
    )]
    OlderSchema {
        /// The highest migration applied.
        found: i64,
        /// The highest migration this program has.
        known: i64,
    },
    /// The migration chain does not run.
    #[error("the schema could not be brought up to date")]
    Migration(#[source] Box<sqlx::migrate::MigrateError>),
    /// What is stored contradicts itself.
    #[error("inconsistent data in {table}: {detail}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// What does not fit.
        detail: String,
    },
    /// An update did not hit exactly the rows it named: somebody else changed them first.
    #[error("{table}: expected to change {expected} row(s), changed {actual}")]
    RowsAffected {
        /// The table.
        table: &'static str,
        /// How many rows the statement was meant for.
        expected: u64,
        /// How many it hit.
        actual: u64,
    },
    /// The store's key is missing, wrong or destroyed.
    #[error("stored content cannot be opened: {0}")]
    Sealed(String),
    /// A fault that none of the above names.
    #[error("the database refused the statement")]
    Driver(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether the same work may succeed later without anyone changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::Busy(_)
                | Self::Full(_)
                | Self::Conflict(_)
                | Self::RowsAffected { .. }
        )
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Io(_)
            | E::Tls(_)
            | E::PoolTimedOut
            | E::PoolClosed
            | E::WorkerCrashed
            | E::BeginFailed => Self::Unavailable(error),
            E::Database(fault) => match classify(fault.as_ref()) {
                Fault::Busy => Self::Busy(error),
                Fault::Full => Self::Full(error),
                Fault::Unavailable => Self::Unavailable(error),
                Fault::Conflict => Self::Conflict(error),
                Fault::Other => Self::Driver(error),
            },
            _ => Self::Driver(error),
        }
    }
}

enum Fault {
    Busy,
    Full,
    Unavailable,
    Conflict,
    Other,
}

/// By code: SQLite's primary result codes are numbers, PostgreSQL's SQLSTATEs have five characters.
fn classify(fault: &(dyn DatabaseError + 'static)) -> Fault {
    if fault.is_unique_violation() {
        return Fault::Conflict;
    }
    let code = fault.code().unwrap_or_default();
    if let (Ok(number), true) = (code.parse::<u32>(), code.len() < 5) {
        return match number & 0xff {
            5 | 6 => Fault::Busy,               // BUSY, LOCKED
            8 | 13 => Fault::Full,              // READONLY, FULL
            10 | 14 | 26 => Fault::Unavailable, // IOERR, CANTOPEN, NOTADB
            _ => Fault::Other,
        };
    }
    match code.as_ref() {
        // serialization failure, deadlock, lock not available, query cancelled by a timeout
        "40001" | "40P01" | "55P03" | "57014" => Fault::Busy,
        // disk full, read-only transaction
        "53100" | "25006" => Fault::Full,
        // class 08 connection, 53 resources, 57 operator intervention, 28 authorisation, 3D database
        code if ["08", "53", "57", "28", "3D"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Fault::Unavailable
        }
        _ => Fault::Other,
    }
}
