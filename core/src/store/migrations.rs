//! The two embedded migration chains: same numbers, same names, one per back end.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migrate as _, MigrateError, Migration, MigrationType, Migrator},
};

use super::{Database, Pools, StoreError};

/// Number, name, SQLite text, PostgreSQL text.
const CHAIN: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "desk",
        include_str!("../../../migrations/sqlite/0001_desk.sql"),
        include_str!("../../../migrations/postgres/0001_desk.sql"),
    ),
    (
        2,
        "chat",
        include_str!("../../../migrations/sqlite/0002_chat.sql"),
        include_str!("../../../migrations/postgres/0002_chat.sql"),
    ),
    (
        3,
        "onboarding",
        include_str!("../../../migrations/sqlite/0003_onboarding.sql"),
        include_str!("../../../migrations/postgres/0003_onboarding.sql"),
    ),
    (
        4,
        "queue",
        include_str!("../../../migrations/sqlite/0004_queue.sql"),
        include_str!("../../../migrations/postgres/0004_queue.sql"),
    ),
    (
        5,
        "sender",
        include_str!("../../../migrations/sqlite/0005_sender.sql"),
        include_str!("../../../migrations/postgres/0005_sender.sql"),
    ),
    (
        6,
        "mailboxes",
        include_str!("../../../migrations/sqlite/0006_mailboxes.sql"),
        include_str!("../../../migrations/postgres/0006_mailboxes.sql"),
    ),
    (
        7,
        "links",
        include_str!("../../../migrations/sqlite/0007_links.sql"),
        include_str!("../../../migrations/postgres/0007_links.sql"),
    ),
    (
        8,
        "arrivals",
        include_str!("../../../migrations/sqlite/0008_arrivals.sql"),
        include_str!("../../../migrations/postgres/0008_arrivals.sql"),
    ),
    (
        9,
        "attachments",
        include_str!("../../../migrations/sqlite/0009_attachments.sql"),
        include_str!("../../../migrations/postgres/0009_attachments.sql"),
    ),
    (
        10,
        "outbox",
        include_str!("../../../migrations/sqlite/0010_outbox.sql"),
        include_str!("../../../migrations/postgres/0010_outbox.sql"),
    ),
    (
        11,
        "work",
        include_str!("../../../migrations/sqlite/0011_work.sql"),
        include_str!("../../../migrations/postgres/0011_work.sql"),
    ),
    (
        12,
        "staff",
        include_str!("../../../migrations/sqlite/0012_staff.sql"),
        include_str!("../../../migrations/postgres/0012_staff.sql"),
    ),
    (
        13,
        "retention",
        include_str!("../../../migrations/sqlite/0013_retention.sql"),
        include_str!("../../../migrations/postgres/0013_retention.sql"),
    ),
    (
        14,
        "search",
        include_str!("../../../migrations/sqlite/0014_search.sql"),
        include_str!("../../../migrations/postgres/0014_search.sql"),
    ),
    (
        15,
        "oncall",
        include_str!("../../../migrations/sqlite/0015_oncall.sql"),
        include_str!("../../../migrations/postgres/0015_oncall.sql"),
    ),
    (
        16,
        "pages",
        include_str!("../../../migrations/sqlite/0016_pages.sql"),
        include_str!("../../../migrations/postgres/0016_pages.sql"),
    ),
    (
        17,
        "watchdog",
        include_str!("../../../migrations/sqlite/0017_watchdog.sql"),
        include_str!("../../../migrations/postgres/0017_watchdog.sql"),
    ),
    (
        18,
        "news",
        include_str!("../../../migrations/sqlite/0018_news.sql"),
        include_str!("../../../migrations/postgres/0018_news.sql"),
    ),
];

/// The highest version this program knows.
pub(crate) const KNOWN: i64 = CHAIN[CHAIN.len() - 1].0;

fn migrator(is_sqlite: bool) -> Migrator {
    let migrations = CHAIN.iter().map(|(version, name, sqlite, postgres)| {
        let text = if is_sqlite { *sqlite } else { *postgres };
        let kind = MigrationType::Simple;
        Migration::new(*version, (*name).into(), kind, text.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

impl Database {
    /// Brings the schema up to date. Returns the versions before and after. A schema newer than
    /// this program is refused and left as it is.
    ///
    /// Several programs may meet an empty database at once: the one that loses sees tables that it
    /// did not make, and looks again.
    pub async fn migrate(&self) -> Result<(i64, i64), StoreError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.migrate_once().await {
                Err(error) if tried < 10 && !matches!(error, StoreError::NewerSchema { .. }) => {
                    tokio::time::sleep(std::time::Duration::from_millis(50 * tried)).await;
                }
                other => return other,
            }
        }
    }

    /// The highest migration applied, 0 for an empty database.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        let applied = match &self.pools {
            Pools::Sqlite { write, .. } => {
                let mut connection = write.acquire().await?;
                connection
                    .ensure_migrations_table("_sqlx_migrations")
                    .await
                    .map_err(migration)?;
                connection
                    .list_applied_migrations("_sqlx_migrations")
                    .await
                    .map_err(migration)?
            }
            Pools::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                connection
                    .ensure_migrations_table("_sqlx_migrations")
                    .await
                    .map_err(migration)?;
                connection
                    .list_applied_migrations("_sqlx_migrations")
                    .await
                    .map_err(migration)?
            }
        };
        Ok(applied.iter().map(|one| one.version).max().unwrap_or(0))
    }

    async fn migrate_once(&self) -> Result<(i64, i64), StoreError> {
        let before = self.schema_version().await?;
        refuse_newer(before)?;
        if before < KNOWN {
            match &self.pools {
                Pools::Sqlite { write, .. } => migrator(true).run(write).await,
                Pools::Postgres(pool) => migrator(false).run(pool).await,
            }
            .map_err(migration)?;
        }
        Ok((before, KNOWN))
    }

    /// Migrates an empty database; one with an older or newer schema is refused with the remedy.
    pub(crate) async fn migrate_if_empty(&self) -> Result<(), StoreError> {
        let Ok(found) = self.schema_version().await else {
            // Another program is just making the table of versions.
            return self.migrate().await.map(|_| ());
        };
        refuse_newer(found)?;
        match found {
            0 => self.migrate().await.map(|_| ()),
            KNOWN => Ok(()),
            found => self.until_migrated(found).await,
        }
    }

    /// Another program may be in the middle of the chain just now: an outdated schema is one that
    /// stays as it is.
    async fn until_migrated(&self, mut found: i64) -> Result<(), StoreError> {
        let mut unchanged = 0;
        while unchanged < 30 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            match self.schema_version().await {
                Ok(KNOWN) => return Ok(()),
                Ok(now) if now != found => (found, unchanged) = (now, 0),
                _ => unchanged += 1,
            }
        }
        Err(StoreError::OlderSchema {
            found,
            known: KNOWN,
        })
    }
}

fn refuse_newer(found: i64) -> Result<(), StoreError> {
    if found > KNOWN {
        return Err(StoreError::NewerSchema {
            found,
            known: KNOWN,
        });
    }
    Ok(())
}

fn migration(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) => StoreError::from(error),
        other => StoreError::Migration(Box::new(other)),
    }
}
