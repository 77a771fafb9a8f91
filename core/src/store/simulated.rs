//! The simulated cloud's state: one row of JSON that its machine reads and writes.
//!
//! It stands for what is outside: no permit, no audit entry. Two processes that change it at once
//! are told apart by its version, and the later one begins again.

use super::{Sql, StoreError, Tx, sql::statements};

statements! {
    READ = Sql::same("SELECT version, state FROM simulated_cloud WHERE name = $1");
    INSERT = Sql::same(
        "INSERT INTO simulated_cloud (name, version, state, updated_at) VALUES ($1, 1, $2, $3)
         ON CONFLICT DO NOTHING");
    WRITE = Sql::same(
        "UPDATE simulated_cloud SET version = version + 1, state = $3, updated_at = $4
         WHERE name = $1 AND version = $2");
}

/// The state with its version.
pub async fn read(tx: &mut Tx, name: &str) -> Result<Option<(i64, String)>, StoreError> {
    tx.fetch_optional(READ, (name.to_owned(),)).await
}

/// Writes the state that follows on `version`, 0 where there was none. Returns whether nobody was
/// faster.
pub async fn write(
    tx: &mut Tx,
    name: &str,
    version: i64,
    state: String,
) -> Result<bool, StoreError> {
    let now = tx.now();
    let written = if version == 0 {
        tx.execute(INSERT, (name.to_owned(), state, now)).await?
    } else {
        tx.execute(WRITE, (name.to_owned(), version, state, now))
            .await?
    };
    Ok(written == 1)
}
