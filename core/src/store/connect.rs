//! Opening a database: pools, pragmas, time-outs.

use std::{path::PathBuf, str::FromStr as _, sync::Arc, time::Duration};

use sqlx::{
    Connection as _, PgConnection, PgPool, SqliteConnection, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Database, MasterKey, Pools, StoreError};
use crate::{clock::Clock, staff::Demands, tiers::Catalogue};

/// How long a unit of work waits for a connection or for another process's lock.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// SQLite readers at once. More gain nothing on the machines this is for.
const SQLITE_READERS: u32 = 4;
/// PostgreSQL connections of one process.
const POSTGRES_CONNECTIONS: u32 = 8;
/// A statement that runs longer is cancelled by the server.
const STATEMENT_TIMEOUT: &str = "60s";
/// A transaction that waits longer for a lock gives up.
const LOCK_TIMEOUT: &str = "10s";

/// How to open a database.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// `sqlite:///path/file.db` or `postgres://…`. May hold a password: never printed.
    pub url: secrecy::SecretString,
    /// Where time comes from.
    pub clock: Clock,
    /// Seals stored mail when given.
    pub master_key: Option<Arc<MasterKey>>,
    /// What the tiers demand of staff; the built-in catalogue's where nothing is said.
    pub demands: Arc<Demands>,
    /// Bring an empty database's schema up to date; refuse an outdated one.
    pub migrate_empty: bool,
}

impl OpenOptions {
    /// Opens `url` with the system's clock, unsealed, making a missing SQLite database.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: secrecy::SecretString::from(url.into()),
            clock: Clock::System,
            master_key: None,
            demands: Arc::new(Catalogue::embedded().demands()),
            migrate_empty: true,
        }
    }

    /// The SQLite file that `url` names, if it names one.
    pub fn sqlite_path(url: &str) -> Option<PathBuf> {
        let path = url.strip_prefix("sqlite://")?;
        Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
    }

    /// Connects.
    pub async fn open(self) -> Result<Database, StoreError> {
        use secrecy::ExposeSecret as _;
        let url = self.url.expose_secret();
        let pools = match Self::sqlite_path(url) {
            Some(path) => open_sqlite(path).await?,
            None => Pools::Postgres(open_postgres(url).await?),
        };
        let database = Database {
            pools,
            clock: self.clock,
            steady: Arc::default(),
            master_key: self.master_key,
            demands: self.demands,
            wake: Arc::default(),
            listening: Arc::default(),
        };
        if self.migrate_empty {
            database.migrate_if_empty().await?;
            database.check_sealing().await?;
        }
        Ok(database)
    }
}

async fn open_sqlite(path: PathBuf) -> Result<Pools, StoreError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(sqlx::Error::Io)?;
    }
    make_private(&path).map_err(sqlx::Error::Io)?;
    // FULL: what was committed survives a power cut, which is what an acknowledged mail promises.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(ACQUIRE_TIMEOUT);
    let write: SqlitePool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_release(|connection, _| Box::pin(is_clean(connection)))
        .connect_with(options.clone())
        .await?;
    let read = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .test_before_acquire(false)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options.create_if_missing(false).read_only(true));
    Ok(Pools::Sqlite { write, read })
}

/// Whether the writer may be used again. A disk that was full can leave it inside a transaction
/// that neither commits nor rolls back; there is only one, so it is replaced.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback may still be on its way to the connection's thread: this comes after it.
    sqlx::query("SELECT 1").execute(&mut *connection).await?;
    Ok(!connection.is_in_transaction())
}

/// Makes a missing file readable by its owner alone; SQLite's side files take its permissions.
fn make_private(path: &std::path::Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

async fn open_postgres(url: &str) -> Result<PgPool, StoreError> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("tierdesk")
        .options([
            ("statement_timeout", STATEMENT_TIMEOUT),
            ("lock_timeout", LOCK_TIMEOUT),
            ("idle_in_transaction_session_timeout", STATEMENT_TIMEOUT),
            // Our statements are short; compiling one takes longer than running it.
            ("jit", "off"),
        ]);
    // A pool hides why it cannot connect until its time is up: ask once directly.
    let probe = tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(&options));
    probe
        .await
        .map_err(|_| sqlx::Error::PoolTimedOut)??
        .close()
        .await?;
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options);
    Ok(pool.await?)
}

impl Database {
    /// Whether the database's role passes row-level security by, as superusers do.
    pub async fn bypasses_row_security(&self) -> Result<bool, StoreError> {
        let Pools::Postgres(pool) = &self.pools else {
            return Ok(false);
        };
        let (bypasses,): (bool,) = sqlx::query_as(
            "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user",
        )
        .fetch_one(pool)
        .await?;
        Ok(bypasses)
    }

    /// Closes all connections, after which SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}
