//! The one place that knows SQL: two databases, one set of queries.
//!
//! [`Database`] and [`Tx`] are closed pairs of back ends, matched in a handful of methods here;
//! everything above is plain code. A unit of work is a transaction: it knows its one instant
//! ([`Tx::now`]), its scope and where new ids come from. Nothing outside is called while one is
//! open, and nothing is read or written outside one.
//!
//! To add a table: a pair of migrations (migrations/README.md), a file here with its statements,
//! row type and functions, and a case in the contract suite.

pub mod audit;
pub mod blobs;
pub mod bulk;
pub mod chat;
mod connect;
pub mod customers;
mod error;
pub mod grants;
pub mod inbox;
pub mod jobs;
pub mod leases;
mod listed;
pub mod mailboxes;
pub mod messages;
mod migrations;
pub mod onboarding;
pub mod oncall;
pub mod outgoing;
pub mod pages;
mod params;
pub mod removal;
pub mod retention;
mod scoped;
mod seal;
pub mod search;
pub mod simulated;
mod sql;
pub mod staff;
pub mod staff_channels;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tickets;
mod values;
pub mod watchdog;

use std::sync::Arc;

use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use uuid::Uuid;

use crate::{
    clock::{Clock, Steady, Timestamp},
    staff::Demands,
};
pub use connect::OpenOptions;
pub use error::StoreError;
#[cfg(feature = "testing")]
pub use listed::bulk_texts;
pub use listed::statements;
pub use params::{Params, Record, Value};
pub use scoped::ScopedTx;
pub use seal::MasterKey;
pub use sql::Sql;
pub use values::{BytesList, IdList, TextList};

/// The desk's database: one SQLite file or one PostgreSQL database.
#[derive(Clone, Debug)]
pub struct Database {
    pools: Pools,
    clock: Clock,
    steady: Arc<Steady>,
    master_key: Option<Arc<MasterKey>>,
    demands: Arc<Demands>,
    wake: Arc<tokio::sync::Notify>,
    listening: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone, Debug)]
enum Pools {
    /// One writer, because SQLite has one lock and a queue for it is fair where its own back-off
    /// is not; readers are opened read-only, so that a forgotten write is refused.
    Sqlite {
        write: SqlitePool,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

/// A unit of work. Dropped without [`Tx::commit`], it leaves no trace.
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    now: Timestamp,
    ids: IdSource,
    is_dirty: bool,
    audit: AuditDebt,
    wakes: bool,
    wake: Arc<tokio::sync::Notify>,
    master_key: Option<Arc<MasterKey>>,
    demands: Arc<Demands>,
}

#[derive(Debug)]
enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Whether a unit of work may commit without an audit entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AuditDebt {
    /// It may.
    Settled,
    /// The next statement is a change: if it changes anything, an entry is owed.
    Armed,
    /// It may not.
    Owed,
}

/// Who a unit of work reads for.
#[derive(Clone, Copy, Debug)]
enum Scope {
    Desk,
    Customer(crate::ids::CustomerId),
}

/// The newest instant that any committed change carries; SQLite only, where no server keeps time.
const CLOCK_READ: &str = "SELECT value FROM counters WHERE name = 'clock'";
const CLOCK_SET: &str = "UPDATE counters SET value = $1 WHERE name = 'clock' AND value < $1";
/// Time and scope in one round trip.
const POSTGRES_BEGIN: &str =
    "SELECT clock_timestamp() AS at, set_config('tierdesk.scope', $1, true) AS scope";

/// As SQLite's readers are: one state of the data, however many statements look at it, and no
/// writing.
const POSTGRES_BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

impl Database {
    /// Begins a unit of work that only reads, and sees one state of the data throughout.
    pub async fn begin_read(&self) -> Result<Tx, StoreError> {
        self.begin(Scope::Desk, false).await
    }

    /// Begins a unit of work that will write. In SQLite it takes the write lock at once: a plain
    /// BEGIN that reads first fails immediately when another writer commits in between.
    pub async fn begin_write(&self) -> Result<Tx, StoreError> {
        self.begin(Scope::Desk, true).await
    }

    /// Begins a unit of work for one customer, which cannot read past them.
    pub async fn begin_scoped(
        &self,
        customer: crate::ids::CustomerId,
    ) -> Result<ScopedTx, StoreError> {
        let tx = self.begin(Scope::Customer(customer), false).await?;
        Ok(ScopedTx::new(tx, customer))
    }

    async fn begin(&self, scope: Scope, writes: bool) -> Result<Tx, StoreError> {
        let (inner, now) = match &self.pools {
            Pools::Sqlite { write, read } => {
                let mut tx = if writes {
                    write.begin_with("BEGIN IMMEDIATE").await?
                } else {
                    read.begin().await?
                };
                let (stored,): (i64,) = sqlx::query_as(CLOCK_READ).fetch_one(&mut *tx).await?;
                let now = self.clock.read().max(Timestamp::from_micros(stored));
                let now = self.steady.keep(&self.clock, now);
                (Inner::Sqlite(tx), now)
            }
            Pools::Postgres(pool) => {
                let mut tx = if writes {
                    pool.begin().await?
                } else {
                    pool.begin_with(POSTGRES_BEGIN_READ).await?
                };
                let scope = match scope {
                    Scope::Desk => "desk".to_owned(),
                    Scope::Customer(id) => id.to_string(),
                };
                let (server, _): (Timestamp, String) = sqlx::query_as(POSTGRES_BEGIN)
                    .bind(scope)
                    .fetch_one(&mut *tx)
                    .await?;
                let now = match &self.clock {
                    Clock::System => self.steady.keep(&self.clock, server),
                    manual @ Clock::Manual(_) => manual.read(),
                };
                (Inner::Postgres(tx), now)
            }
        };
        Ok(Tx {
            inner,
            now,
            ids: IdSource::new(),
            is_dirty: false,
            audit: AuditDebt::Settled,
            wakes: false,
            wake: Arc::clone(&self.wake),
            master_key: self.master_key.clone(),
            demands: Arc::clone(&self.demands),
        })
    }

    /// Whether this is the embedded database.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.pools, Pools::Sqlite { .. })
    }

    /// Ends when a job was added by this process, or by another that [`Database::listen`] heard.
    pub(crate) fn job_added(&self) -> tokio::sync::futures::Notified<'_> {
        self.wake.notified()
    }

    /// Passes other processes' notices of new jobs on to this one's workers, for ever. SQLite has
    /// no such notices: its workers poll.
    pub(crate) async fn listen(&self) {
        let Pools::Postgres(pool) = &self.pools else {
            return std::future::pending().await;
        };
        // One listener for all workers of a process; where its worker ends, another takes over. On a
        // connection of its own: workers must not run out of those they work with.
        let _listening = self.listening.lock().await;
        let own = sqlx::postgres::PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with((*pool.connect_options()).clone());
        loop {
            if let Ok(mut listener) = sqlx::postgres::PgListener::connect_with(&own).await
                && listener.listen("tierdesk_jobs").await.is_ok()
            {
                while listener.recv().await.is_ok() {
                    self.wake.notify_waiters();
                }
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }

    /// The clock that units of work read, where no server keeps time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Asks both kinds of server to prepare a statement without running it.
    #[cfg(feature = "testing")]
    pub async fn prepare(&self, sql: Sql) -> Result<(), StoreError> {
        self.prepare_texts(sql.sqlite, sql.postgres).await
    }

    /// The same for a statement that is put together at run time.
    #[cfg(feature = "testing")]
    pub async fn prepare_texts(&self, sqlite: &str, postgres: &str) -> Result<(), StoreError> {
        use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};
        match &self.pools {
            Pools::Sqlite { write, .. } => {
                let text = AssertSqlSafe(sqlite.to_owned()).into_sql_str();
                write.acquire().await?.prepare(text).await?;
            }
            Pools::Postgres(pool) => {
                let text = AssertSqlSafe(postgres.to_owned()).into_sql_str();
                pool.acquire().await?.prepare(text).await?;
            }
        }
        Ok(())
    }
}

impl Tx {
    /// The instant of this unit of work: PostgreSQL's clock, or a machine's that never runs behind
    /// what is stored.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What the tiers demand of staff.
    pub fn demands(&self) -> Arc<Demands> {
        Arc::clone(&self.demands)
    }

    /// Whether what is stored is sealed.
    pub fn seals(&self) -> bool {
        self.master_key.is_some()
    }

    /// A new UUIDv7 of this unit's instant, as any id type.
    pub fn new_id<I: From<Uuid>>(&mut self) -> I {
        I::from(self.ids.next(self.now))
    }

    /// Jobs were added: wake their workers when this commits.
    pub(crate) fn wake_workers(&mut self) {
        self.wakes = true;
    }

    /// The next statement, if it changes anything, must not commit without an audit entry.
    pub(crate) fn expect_audit(&mut self) {
        if self.audit == AuditDebt::Settled {
            self.audit = AuditDebt::Armed;
        }
    }

    /// Notes how many rows a statement changed.
    fn changed(&mut self, rows: u64) {
        self.is_dirty |= rows > 0;
        if self.audit == AuditDebt::Armed {
            self.audit = match rows {
                0 => AuditDebt::Settled,
                _ => AuditDebt::Owed,
            };
        }
    }

    /// The changes of this unit of work have their audit entries.
    pub(crate) fn settle_audit(&mut self) {
        self.audit = AuditDebt::Settled;
    }

    /// Runs a statement. Returns the number of rows changed.
    pub(crate) async fn execute(
        &mut self,
        sql: Sql,
        params: impl Params,
    ) -> Result<u64, StoreError> {
        let changed = match &mut self.inner {
            Inner::Sqlite(tx) => {
                let arguments = params.sqlite().map_err(sqlx::Error::Encode)?;
                sqlx::query_with(sql.sqlite, arguments)
                    .execute(&mut **tx)
                    .await?
                    .rows_affected()
            }
            Inner::Postgres(tx) => {
                let arguments = params.postgres().map_err(sqlx::Error::Encode)?;
                sqlx::query_with(sql.postgres, arguments)
                    .execute(&mut **tx)
                    .await?
                    .rows_affected()
            }
        };
        self.changed(changed);
        Ok(changed)
    }

    /// Runs a statement that must change exactly one row of `table`.
    pub(crate) async fn execute_one(
        &mut self,
        table: &'static str,
        sql: Sql,
        params: impl Params,
    ) -> Result<(), StoreError> {
        match self.execute(sql, params).await? {
            1 => Ok(()),
            actual => Err(StoreError::RowsAffected {
                table,
                expected: 1,
                actual,
            }),
        }
    }

    /// All rows of a query. Statements with RETURNING count as writes.
    pub(crate) async fn fetch_all<T: Record>(
        &mut self,
        sql: Sql,
        params: impl Params,
    ) -> Result<Vec<T>, StoreError> {
        let rows: Vec<T> = match &mut self.inner {
            Inner::Sqlite(tx) => {
                let arguments = params.sqlite().map_err(sqlx::Error::Encode)?;
                sqlx::query_as_with(sql.sqlite, arguments)
                    .fetch_all(&mut **tx)
                    .await?
            }
            Inner::Postgres(tx) => {
                let arguments = params.postgres().map_err(sqlx::Error::Encode)?;
                sqlx::query_as_with(sql.postgres, arguments)
                    .fetch_all(&mut **tx)
                    .await?
            }
        };
        self.is_dirty |= !rows.is_empty() && sql.sqlite.contains("RETURNING");
        Ok(rows)
    }

    /// As [`Tx::fetch_all`], planned anew by PostgreSQL for these values: where the best way to go about it
    /// depends on them. A plan for any values would gather all documents with the commonest word.
    async fn fetch_planned<T: Record>(
        &mut self,
        sql: Sql,
        params: impl Params,
    ) -> Result<Vec<T>, StoreError> {
        let Inner::Postgres(tx) = &mut self.inner else {
            return self.fetch_all(sql, params).await;
        };
        let arguments = params.postgres().map_err(sqlx::Error::Encode)?;
        Ok(sqlx::query_as_with(sql.postgres, arguments)
            .persistent(false)
            .fetch_all(&mut **tx)
            .await?)
    }

    /// All rows of a query that was put together at run time, of constant pieces.
    async fn fetch_built<T: Record>(
        &mut self,
        text: String,
        params: impl Params,
    ) -> Result<Vec<T>, StoreError> {
        let text = sqlx::AssertSqlSafe(text);
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => {
                let arguments = params.sqlite().map_err(sqlx::Error::Encode)?;
                sqlx::query_as_with(text, arguments)
                    .fetch_all(&mut **tx)
                    .await?
            }
            Inner::Postgres(tx) => {
                let arguments = params.postgres().map_err(sqlx::Error::Encode)?;
                sqlx::query_as_with(text, arguments)
                    .fetch_all(&mut **tx)
                    .await?
            }
        })
    }

    /// The first row of a query, if any.
    pub(crate) async fn fetch_optional<T: Record>(
        &mut self,
        sql: Sql,
        params: impl Params,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.fetch_all(sql, params).await?.into_iter().next())
    }

    /// The one row of a query that always has one, a count say.
    pub(crate) async fn fetch_one<T: Record>(
        &mut self,
        table: &'static str,
        sql: Sql,
        params: impl Params,
    ) -> Result<T, StoreError> {
        self.fetch_optional(sql, params)
            .await?
            .ok_or_else(|| StoreError::Inconsistent {
                table,
                detail: "a row that is always there is missing".to_owned(),
            })
    }

    /// Makes everything since the beginning durable, all or nothing, and wakes workers if jobs
    /// were added.
    pub async fn commit(self) -> Result<(), StoreError> {
        if self.audit == AuditDebt::Owed {
            let detail = "a change would commit without an audit entry".to_owned();
            return Err(StoreError::Inconsistent {
                table: "audit_entries",
                detail,
            });
        }
        match self.inner {
            Inner::Sqlite(mut tx) => {
                if self.is_dirty {
                    sqlx::query(CLOCK_SET)
                        .bind(self.now.micros())
                        .execute(&mut *tx)
                        .await?;
                }
                tx.commit().await?;
            }
            Inner::Postgres(mut tx) => {
                if self.wakes {
                    sqlx::query(jobs::NOTIFY).execute(&mut *tx).await?;
                }
                tx.commit().await?;
            }
        }
        if self.wakes {
            self.wake.notify_waiters();
        }
        Ok(())
    }
}

/// UUIDv7s that grow within their unit of work (RFC 9562, 6.2): rows of one instant then sort in
/// the order in which they were made. Random bits are drawn a page at a time: a system call per id
/// would cost more than the id.
#[derive(Debug)]
struct IdSource {
    random: Vec<u8>,
    used: usize,
    made: u32,
}

impl IdSource {
    const PAGE: usize = 1_000;

    fn new() -> Self {
        Self {
            random: Vec::new(),
            used: 0,
            made: 0,
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        if self.used + N > self.random.len() {
            // The first ids of a small unit of work need few bytes, a batch needs many.
            let size = if self.random.is_empty() {
                160
            } else {
                Self::PAGE
            };
            self.random.resize(size, 0);
            getrandom::fill(&mut self.random).expect("the system's random source works");
            self.used = 0;
        }
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.random[self.used..self.used + N]);
        self.used += N;
        bytes
    }

    fn next(&mut self, at: Timestamp) -> Uuid {
        let micros = u64::try_from(at.micros()).unwrap_or(0);
        // After the milliseconds: the microseconds in the 12 bits of rand_a, then 22 bits of
        // counter and 40 random bits in rand_b. The builder puts version and variant on top.
        let [.., hi, lo] = (micros % 1_000).to_be_bytes();
        let [_, top, middle, low] = (self.made & 0x3f_ffff).to_be_bytes();
        self.made = self.made.wrapping_add(1);
        let random: [u8; 5] = self.take();
        let mut bytes = [hi, lo, top, middle, low, 0, 0, 0, 0, 0];
        bytes[5..].copy_from_slice(&random);
        uuid::Builder::from_unix_timestamp_millis(micros / 1_000, &bytes).into_uuid()
    }
}

impl Tx {
    /// Fresh random bytes: salts and nonces.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        self.ids.take()
    }
}
