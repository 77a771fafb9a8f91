//! Which of several processes answers in Discord: two would each do every command.

use std::time::Duration;

use super::super::{Desk, Error};
use crate::store::leases;

/// The lease's name.
const NAME: &str = "serve:bot";
/// How long it is believed without a renewal.
const LASTS: Duration = Duration::from_secs(30);

/// Takes or renews the lease. Returns whether `holder` has it now.
pub async fn acquire(desk: &Desk, holder: &str) -> Result<bool, Error> {
    let mut tx = desk.database.begin_write().await?;
    let until = tx.now().plus(LASTS);
    let held = leases::acquire(&mut tx, NAME, holder, until).await?;
    tx.commit().await?;
    Ok(held.is_some())
}

/// Gives the lease back.
pub async fn release(desk: &Desk, holder: &str) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    leases::release(&mut tx, NAME, holder).await?;
    tx.commit().await?;
    Ok(())
}
