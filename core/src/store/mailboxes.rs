//! Mailboxes on servers: how far each was read, and whether it still is.
//!
//! A position carries the version that it follows on. Of two processes that read one mailbox at
//! once, the slower one's mails and position are refused together.

use super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    permit::{KeepsMailboxes, Permit},
};

statements! {
    FIND = Sql::same(
        "SELECT name, uid_validity, last_uid, backlog_uid, backlog_until, is_reread, start_date, to_mark,
         watched_since, last_ok_at, last_error, alarmed_at, version FROM mailboxes WHERE name = $1");
    LIST = Sql::same(
        "SELECT name, uid_validity, last_uid, backlog_uid, backlog_until, is_reread, start_date, to_mark,
         watched_since, last_ok_at, last_error, alarmed_at, version FROM mailboxes ORDER BY name");
    REGISTER = Sql::same(
        "INSERT INTO mailboxes (name, last_uid, backlog_uid, backlog_until, is_reread, to_mark,
         watched_since, version) VALUES ($1, 0, 0, 0, $2, '', $3, 1) ON CONFLICT DO NOTHING");
    ADVANCE = Sql::same(
        "UPDATE mailboxes SET uid_validity = $3, last_uid = $4, backlog_uid = $5, backlog_until = $6,
         is_reread = $7, start_date = $8, to_mark = $9, version = version + 1
         WHERE name = $1 AND version = $2");
    READ_WELL = Sql::same(
        "UPDATE mailboxes SET last_ok_at = $2, last_error = NULL, alarmed_at = NULL WHERE name = $1");
    READ_BADLY = Sql::same("UPDATE mailboxes SET last_error = $2 WHERE name = $1");
    ALARM = Sql::same("UPDATE mailboxes SET alarmed_at = $2 WHERE name = $1 AND alarmed_at IS NULL");
}

record! {
    /// A mailbox as the books have it.
    #[derive(Clone, Debug)]
    pub struct Mailbox {
        /// Server, login and folder.
        pub name: String,
        /// The server's numbering; `None` until it was opened for the first time.
        pub uid_validity: Option<i64>,
        /// New mail is with us up to this UID.
        pub last_uid: i64,
        /// Mail that was there already is with us up to this UID.
        pub backlog_uid: i64,
        /// There is such mail up to this UID.
        pub backlog_until: i64,
        /// The server numbered anew: the backlog holds mail that was taken before.
        pub is_reread: bool,
        /// The server's date of the newest mail when the mailbox was first opened.
        pub start_date: Option<Timestamp>,
        /// UIDs that are with us and not yet flagged or moved, as an IMAP set.
        pub to_mark: String,
        /// Since when it is to be read.
        pub watched_since: Timestamp,
        /// When it was last read to its end.
        pub last_ok_at: Option<Timestamp>,
        /// What went wrong since.
        pub last_error: Option<String>,
        /// When the desk was told that nobody reads it.
        pub alarmed_at: Option<Timestamp>,
        /// Grows with each position.
        pub version: i64,
    }
}

/// Where reading goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The server's numbering.
    pub uid_validity: i64,
    /// New mail is with us up to this UID.
    pub last_uid: i64,
    /// Mail that was there already is with us up to this UID.
    pub backlog_uid: i64,
    /// There is such mail up to this UID.
    pub backlog_until: i64,
    /// The backlog holds mail that was taken before.
    pub is_reread: bool,
    /// The server's date of the newest mail when the mailbox was first opened.
    pub start_date: Option<Timestamp>,
    /// UIDs that are with us and not yet flagged or moved.
    pub to_mark: String,
}

/// A mailbox, if it was ever to be read.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<Mailbox>, StoreError> {
    tx.fetch_optional(FIND, (name.to_owned(),)).await
}

/// Every mailbox that was ever to be read.
pub async fn list(tx: &mut Tx) -> Result<Vec<Mailbox>, StoreError> {
    tx.fetch_all(LIST, ()).await
}

/// Makes a mailbox known.
pub async fn register<A: KeepsMailboxes>(
    permit: &mut Permit<'_, A>,
    name: &str,
) -> Result<(), StoreError> {
    let now = permit.now();
    let values = (name.to_owned(), false, now);
    permit.execute(REGISTER, values).await.map(|_| ())
}

/// Sets the position that follows on `version`. Refused where another process was faster.
pub async fn advance<A: KeepsMailboxes>(
    permit: &mut Permit<'_, A>,
    name: &str,
    version: i64,
    position: Position,
) -> Result<(), StoreError> {
    let values = (
        name.to_owned(),
        version,
        position.uid_validity,
        position.last_uid,
        position.backlog_uid,
        position.backlog_until,
        position.is_reread,
        position.start_date,
        position.to_mark,
    );
    permit.execute_one("mailboxes", ADVANCE, values).await
}

/// Writes down that a mailbox was read to its end just now.
pub async fn mark_as_read<A: KeepsMailboxes>(
    permit: &mut Permit<'_, A>,
    name: &str,
) -> Result<(), StoreError> {
    let now = permit.now();
    permit
        .execute_one("mailboxes", READ_WELL, (name.to_owned(), now))
        .await
}

/// Writes down why a mailbox could not be read.
pub async fn mark_as_failed<A: KeepsMailboxes>(
    permit: &mut Permit<'_, A>,
    name: &str,
    error: String,
) -> Result<(), StoreError> {
    permit
        .execute_one("mailboxes", READ_BADLY, (name.to_owned(), error))
        .await
}

/// Writes down that the desk was told. Returns whether nobody told it before.
pub async fn mark_as_alarmed<A: KeepsMailboxes>(
    permit: &mut Permit<'_, A>,
    name: &str,
) -> Result<bool, StoreError> {
    let now = permit.now();
    Ok(permit.execute(ALARM, (name.to_owned(), now)).await? == 1)
}
