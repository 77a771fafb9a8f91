//! Named leases: one holder at a time for work that must not run twice at once.

use super::{Sql, StoreError, Tx, sql::statements};
use crate::clock::Timestamp;

statements! {
    ACQUIRE = Sql::same(
        "INSERT INTO leases (name, holder, until, generation) VALUES ($1, $2, $3, 1)
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until,
            generation = CASE WHEN leases.holder = excluded.holder THEN leases.generation
                              ELSE leases.generation + 1 END
         WHERE leases.until <= $4 OR leases.holder = excluded.holder
         RETURNING generation");
    IS_HELD = Sql::same("SELECT holder FROM leases WHERE name = $1 AND until > $2");
    RELEASE = Sql::same("DELETE FROM leases WHERE name = $1 AND holder = $2");
}

/// Takes or renews a lease until `until`. Returns its generation, or `None` while another holds it.
pub async fn acquire(
    tx: &mut Tx,
    name: &str,
    holder: &str,
    until: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let values = (name.to_owned(), holder.to_owned(), until, tx.now());
    Ok(tx
        .fetch_optional::<(i64,)>(ACQUIRE, values)
        .await?
        .map(|(generation,)| generation))
}

/// Whether somebody holds a lease.
pub async fn is_held(tx: &mut Tx, name: &str) -> Result<bool, StoreError> {
    let values = (name.to_owned(), tx.now());
    Ok(tx
        .fetch_optional::<(String,)>(IS_HELD, values)
        .await?
        .is_some())
}

/// Gives a lease back.
pub async fn release(tx: &mut Tx, name: &str, holder: &str) -> Result<(), StoreError> {
    tx.execute(RELEASE, (name.to_owned(), holder.to_owned()))
        .await
        .map(|_| ())
}
