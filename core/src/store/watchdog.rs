//! Rounds in which the desk tests itself: one row each, kept for a month.

use super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{InboxId, TicketId},
    permit::{KeepsPages, Permit},
    tickets::TicketNumber,
};

macro_rules! columns {
    () => {
        "r.inbox_id, r.slot, r.started_at, r.closed_at, r.pinged_at, r.ping_fault, t.number AS ticket
         FROM watchdog_rounds r LEFT JOIN tickets t ON t.id = r.ticket_id"
    };
}

statements! {
    IN_SLOT = Sql::same("SELECT CAST(COUNT(*) AS BIGINT) FROM watchdog_rounds WHERE slot = $1");
    INSERT = Sql::same(
        "INSERT INTO watchdog_rounds (inbox_id, slot, started_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
    /// The round of a ticket, by the mail that opened it.
    CLOSE = Sql::same(
        "UPDATE watchdog_rounds SET closed_at = $2, ticket_id = $1
         WHERE closed_at IS NULL AND inbox_id IN (
            SELECT i.id FROM inbox i JOIN messages m ON m.id = i.message_id WHERE m.ticket_id = $1)
         RETURNING inbox_id");
    PINGED = Sql::same(
        "UPDATE watchdog_rounds SET pinged_at = COALESCE($2, pinged_at), ping_fault = $3 WHERE inbox_id = $1");
    FORGET = Sql::same("DELETE FROM watchdog_rounds WHERE slot < $1");
    LAST = Sql::same(concat!("SELECT ", columns!(), " ORDER BY r.slot DESC LIMIT $1"));
    LAST_CLOSED = Sql::same(concat!(
        "SELECT ", columns!(), " WHERE r.closed_at IS NOT NULL ORDER BY r.closed_at DESC LIMIT 1"));
    /// The oldest that has not closed since the last one that did.
    WAITING = Sql::same(
        "SELECT MIN(started_at) AS at FROM watchdog_rounds
         WHERE closed_at IS NULL AND slot > COALESCE(
            (SELECT MAX(slot) FROM watchdog_rounds WHERE closed_at IS NOT NULL), $1)");
}

record! {
    /// A round.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Round {
        /// The mail it began with.
        pub inbox_id: InboxId,
        /// The span it stands for.
        pub slot: Timestamp,
        /// When it began.
        pub started_at: Timestamp,
        /// When the desk heard itself.
        pub closed_at: Option<Timestamp>,
        /// When somebody outside was told.
        pub pinged_at: Option<Timestamp>,
        /// Why they could not be.
        pub ping_fault: Option<String>,
        /// Its ticket, once it has closed.
        pub ticket: Option<TicketNumber>,
    }
}

/// Whether a round began in this span.
pub async fn has_slot(tx: &mut Tx, slot: Timestamp) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = tx.fetch_optional(IN_SLOT, (slot,)).await?;
    Ok(row.is_some_and(|(count,)| count > 0))
}

/// Has a round begin with this mail. Returns whether it did: another process may have been first.
pub async fn begin<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    inbox: InboxId,
    slot: Timestamp,
) -> Result<bool, StoreError> {
    let now = permit.now();
    Ok(permit.execute(INSERT, (inbox, slot, now)).await? > 0)
}

/// The desk heard of this ticket. Returns the mail of its round, where it is one that had not closed.
pub async fn close<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    ticket: TicketId,
) -> Result<Option<InboxId>, StoreError> {
    let now = permit.now();
    let row: Option<(InboxId,)> = permit.fetch_optional(CLOSE, (ticket, now)).await?;
    Ok(row.map(|(id,)| id))
}

/// What became of telling somebody outside.
pub async fn pinged<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    round: InboxId,
    fault: Option<String>,
) -> Result<(), StoreError> {
    let at = fault.is_none().then(|| permit.now());
    permit.execute(PINGED, (round, at, fault)).await?;
    Ok(())
}

/// Forgets the rounds before this instant.
pub async fn forget<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    before: Timestamp,
) -> Result<(), StoreError> {
    permit.execute(FORGET, (before,)).await?;
    Ok(())
}

/// The last rounds, the newest first.
pub async fn list(tx: &mut Tx, limit: i64) -> Result<Vec<Round>, StoreError> {
    tx.fetch_all(LAST, (limit,)).await
}

/// The round that closed last.
pub async fn last_closed(tx: &mut Tx) -> Result<Option<Round>, StoreError> {
    tx.fetch_optional(LAST_CLOSED, ()).await
}

/// Since when a round waits to close, where none has closed since.
pub async fn waiting_since(tx: &mut Tx) -> Result<Option<Timestamp>, StoreError> {
    let row: Option<(Option<Timestamp>,)> = tx
        .fetch_optional(WAITING, (Timestamp::from_micros(0),))
        .await?;
    Ok(row.and_then(|(at,)| at))
}
