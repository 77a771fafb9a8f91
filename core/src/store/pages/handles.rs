//! What the buttons of pages mean.

use super::super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{NoticeId, PageId, StaffId},
    paging::PageVerb,
    permit::{KeepsChat, Permit},
};

statements! {
    INSERT = Sql::same(
        "INSERT INTO page_handles (handle, page_id, notice_id, verb, staff_id, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)");
    GET = Sql::same(
        "SELECT handle, page_id, notice_id, verb, staff_id, expires_at, used_at FROM page_handles WHERE handle = $1");
    USE = Sql::same(
        "UPDATE page_handles SET used_at = $2, used_by = $3 WHERE handle = $1 AND used_at IS NULL");
}

record! {
    /// What a button or menu of a page means. In Discord stands only the handle.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct PageHandle {
        /// Random; 26 characters.
        pub handle: String,
        /// The page.
        pub page_id: PageId,
        /// The notice that carries it: using it proves that the notice arrived.
        pub notice_id: Option<NoticeId>,
        /// What using it does.
        pub verb: PageVerb,
        /// Who alone may use it.
        pub staff_id: Option<StaffId>,
        /// Until when.
        pub expires_at: Timestamp,
        /// When it was used.
        pub used_at: Option<Timestamp>,
    }
}

/// Adds a handle.
pub async fn insert<A: KeepsChat>(
    permit: &mut Permit<'_, A>,
    handle: PageHandle,
) -> Result<(), StoreError> {
    let values = (
        handle.handle,
        handle.page_id,
        handle.notice_id,
        handle.verb,
        handle.staff_id,
        handle.expires_at,
    );
    permit.execute_one("page_handles", INSERT, values).await
}

/// The handle of this name.
pub async fn find(tx: &mut Tx, handle: &str) -> Result<Option<PageHandle>, StoreError> {
    tx.fetch_optional(GET, (handle.to_owned(),)).await
}

/// Uses a handle up. Returns whether it was still to be used.
pub async fn use_up<A: KeepsChat>(
    permit: &mut Permit<'_, A>,
    handle: &str,
) -> Result<bool, StoreError> {
    let values = (handle.to_owned(), permit.now(), permit.actor().to_owned());
    Ok(permit.execute(USE, values).await? == 1)
}
