//! A fresh database per test, on either back end. A temporary SQLite file is the test double;
//! there is no mock store.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, postgres::PgConnection};

use super::{Database, connect::OpenOptions};
use crate::clock::Clock;

/// The environment variable that names the PostgreSQL server for tests: a URL of a role that may
/// create databases and is no superuser, or row-level security would not be tested.
pub const POSTGRES_VARIABLE: &str = "TIERDESK_TEST_POSTGRES";

/// Which back end a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A temporary file.
    Sqlite,
    /// A database of its own on the test server.
    Postgres,
}

/// A database that nobody else uses.
#[derive(Debug)]
pub struct TestDatabase {
    /// Open, migrated, empty.
    pub database: Database,
    /// Where another process finds it.
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// A fresh database with the system's clock.
    pub async fn new(backend: Backend) -> Self {
        Self::with_clock(backend, Clock::System).await
    }

    /// A fresh database with this clock.
    pub async fn with_clock(backend: Backend, clock: Clock) -> Self {
        let (url, folder) = Self::place(backend).await;
        let options = OpenOptions {
            clock,
            ..OpenOptions::new(url.clone())
        };
        let database = options.open().await.expect("a fresh database opens");
        Self {
            database,
            url,
            _folder: folder,
        }
    }

    /// A URL for a database that does not exist yet (SQLite) or is empty (PostgreSQL).
    pub async fn place(backend: Backend) -> (String, Option<tempfile::TempDir>) {
        match backend {
            Backend::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let url = format!("sqlite://{}", folder.path().join("desk.db").display());
                (url, Some(folder))
            }
            Backend::Postgres => (create_postgres().await, None),
        }
    }
}

/// Creates an empty database on the test server. A missing server fails the test: a skipped check
/// must never count as passed.
#[expect(
    clippy::disallowed_methods,
    reason = "the test server's address is not a setting"
)]
async fn create_postgres() -> String {
    let server = std::env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{POSTGRES_VARIABLE} is not set: run the tests with tests/run, which starts PostgreSQL"
        )
    });
    let mut random = [0; 8];
    getrandom::fill(&mut random).expect("the system's random source works");
    let name = format!("t_{}", data_encoding::HEXLOWER.encode(&random));
    let mut connection = PgConnection::connect(&server)
        .await
        .expect("the test server answers");
    let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    connection
        .execute(create)
        .await
        .expect("the test role may create databases");
    let (base, _) = server.rsplit_once('/').expect("the URL ends in a database");
    format!("{base}/{name}")
}

impl Database {
    /// Runs a statement as an attacker or an accident would: past every check. For tests that show
    /// what is noticed afterwards.
    pub async fn tamper(&self, sqlite: &str, postgres: &str) -> u64 {
        match &self.pools {
            super::Pools::Sqlite { write, .. } => {
                let text = AssertSqlSafe(sqlite.to_owned());
                write
                    .execute(text)
                    .await
                    .expect("the statement runs")
                    .rows_affected()
            }
            super::Pools::Postgres(pool) => {
                let mut tx = pool.begin().await.expect("a transaction begins");
                tx.execute("SELECT set_config('tierdesk.scope', 'desk', true)")
                    .await
                    .expect("the scope is set");
                let text = AssertSqlSafe(postgres.to_owned());
                let done = tx.execute(text).await.expect("the statement runs");
                tx.commit().await.expect("it commits");
                done.rows_affected()
            }
        }
    }

    /// Tables (without those that FTS5 makes for itself) with their columns, nullability and unique keys, one line each, for comparing the
    /// two migration chains.
    pub async fn catalogue(&self) -> Vec<String> {
        let columns = match &self.pools {
            super::Pools::Sqlite { write, .. } => {
                let rows: Vec<(String, String, bool)> = sqlx::query_as(
                    "SELECT m.name, c.name, c.\"notnull\" = 1 FROM sqlite_master m, pragma_table_info(m.name) c
                     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '_sqlx%'
                       AND m.name NOT LIKE 'search_terms_%'",
                ).fetch_all(write).await.expect("SQLite lists its columns");
                let unique: Vec<(String, String)> = sqlx::query_as(
                    "SELECT m.name, (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY name))
                     FROM sqlite_master m, pragma_index_list(m.name) i
                     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '_sqlx%'
                       AND m.name NOT LIKE 'search_terms_%' AND i.\"unique\" = 1",
                ).fetch_all(write).await.expect("SQLite lists its indexes");
                (rows, unique)
            }
            super::Pools::Postgres(pool) => {
                let rows: Vec<(String, String, bool)> = sqlx::query_as(
                    "SELECT table_name::TEXT, column_name::TEXT, is_nullable = 'NO' FROM information_schema.columns
                     WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'",
                ).fetch_all(pool).await.expect("PostgreSQL lists its columns");
                let unique: Vec<(String, String)> = sqlx::query_as(
                    "SELECT t.relname::TEXT, string_agg(a.attname::TEXT, ',' ORDER BY a.attname)
                     FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
                     JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'public'
                     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(i.indkey)
                     WHERE i.indisunique AND t.relname NOT LIKE '\\_sqlx%' GROUP BY t.relname, i.indexrelid",
                ).fetch_all(pool).await.expect("PostgreSQL lists its indexes");
                (rows, unique)
            }
        };
        let (columns, unique) = columns;
        let mut lines: Vec<String> = columns
            .into_iter()
            .map(|(table, column, required)| {
                format!(
                    "{table}.{column}{}",
                    if required { " NOT NULL" } else { "" }
                )
            })
            .chain(
                unique
                    .into_iter()
                    .map(|(table, columns)| format!("{table} UNIQUE ({columns})")),
            )
            .collect();
        lines.sort();
        lines.dedup();
        lines
    }
}
