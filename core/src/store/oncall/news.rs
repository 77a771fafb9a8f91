//! Who was told that they are on call, and what else is told once.

use super::super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::StaffId,
    oncall::Layer,
    permit::{KeepsPages, Permit},
};

statements! {
    DUTIES = Sql::same("SELECT schedule, layer, staff_id FROM oncall_duties ORDER BY schedule, layer");
    /// Whoever is second finds it passed on already.
    PASS_ON = Sql::same(
        "INSERT INTO oncall_duties (schedule, layer, staff_id) VALUES ($1, $2, $3)
         ON CONFLICT (schedule, layer) DO UPDATE SET staff_id = EXCLUDED.staff_id
         WHERE oncall_duties.staff_id IS NOT DISTINCT FROM $4
            AND oncall_duties.staff_id IS DISTINCT FROM EXCLUDED.staff_id");
    HAS = Sql::same("SELECT CAST(COUNT(*) AS BIGINT) FROM news WHERE key = $1");
    BEGIN = Sql::same("INSERT INTO news (key, at) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    FORGET = Sql::same("DELETE FROM news WHERE at < $1");
}

record! {
    /// Who was last told that they are on call.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ToldDuty {
        /// By which schedule.
        pub schedule: String,
        /// First or second.
        pub layer: Layer,
        /// Who; nobody where nobody is.
        pub staff_id: Option<StaffId>,
    }
}

/// Who was last told, by every schedule.
pub async fn duties(tx: &mut Tx) -> Result<Vec<ToldDuty>, StoreError> {
    tx.fetch_all(DUTIES, ()).await
}

/// Writes down that who is on call is `to`, where it was `from` that was told. Returns whether it does: another
/// process may have been first.
pub async fn pass_on<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    (schedule, layer): (&str, Layer),
    from: Option<StaffId>,
    to: Option<StaffId>,
) -> Result<bool, StoreError> {
    let values = (schedule.to_owned(), layer, to, from);
    Ok(permit.execute(PASS_ON, values).await? > 0)
}

/// Whether this was told.
pub async fn has(tx: &mut Tx, key: &str) -> Result<bool, StoreError> {
    let (count,): (i64,) = tx.fetch_one("news", HAS, (key.to_owned(),)).await?;
    Ok(count > 0)
}

/// Writes down that this is told. Returns whether it does: another process may have been first.
pub async fn begin<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    key: &str,
) -> Result<bool, StoreError> {
    let values = (key.to_owned(), permit.now());
    Ok(permit.execute(BEGIN, values).await? > 0)
}

/// Forgets what was told before this instant.
pub async fn forget<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    before: Timestamp,
) -> Result<(), StoreError> {
    permit.execute(FORGET, (before,)).await?;
    Ok(())
}
