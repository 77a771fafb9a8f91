//! How members of staff can be reached.

use super::{
    Sql, StoreError, Tx, blobs,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{BlobKeyId, StaffChannelId, StaffId},
    paging::Channel,
    permit::{ChangesChannels, Permit},
};

macro_rules! columns {
    () => {
        "id, staff_id, kind, target, format, wakes, added_at, added_by, proven_at"
    };
}

statements! {
    OF_STAFF = Sql::same(concat!(
        "SELECT ", columns!(), " FROM staff_channels WHERE staff_id = $1 AND removed_at IS NULL
         ORDER BY added_at, id"));
    ALL = Sql::same(concat!(
        "SELECT ", columns!(), " FROM staff_channels WHERE removed_at IS NULL ORDER BY staff_id, added_at, id"));
    GET = Sql::same(concat!("SELECT ", columns!(), " FROM staff_channels WHERE id = $1 AND removed_at IS NULL"));
    SEALED = Sql::same("SELECT key_id, sealed FROM staff_channels WHERE id = $1 AND removed_at IS NULL");
    INSERT = Sql::same(
        "INSERT INTO staff_channels (id, staff_id, kind, target, format, key_id, sealed, wakes, added_at, added_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING");
    REMOVE = Sql::same(
        "UPDATE staff_channels SET removed_at = $2, removed_by = $3, key_id = NULL, sealed = NULL
         WHERE id = $1 AND removed_at IS NULL");
    PROVE = Sql::same("UPDATE staff_channels SET proven_at = $2 WHERE id = $1 AND removed_at IS NULL");
}

record! {
    /// A way to reach a member of staff, without what is secret of it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct StaffChannel {
        /// The id.
        pub id: StaffChannelId,
        /// Whose.
        pub staff_id: StaffId,
        /// What it is: never a thread.
        pub kind: Channel,
        /// An address, a Discord user, or the host of a webhook with the name it was given.
        pub target: String,
        /// The shape of a webhook's body.
        pub format: Option<String>,
        /// Whether it wakes somebody who sleeps.
        pub wakes: bool,
        /// Since when.
        pub added_at: Timestamp,
        /// By whom.
        pub added_by: String,
        /// When a test page was last acknowledged through it.
        pub proven_at: Option<Timestamp>,
    }
}

record! {
    struct Sealed {
        key_id: Option<BlobKeyId>,
        sealed: Option<Vec<u8>>,
    }
}

fn context(id: StaffChannelId) -> String {
    format!("staff channel:{id}")
}

/// How somebody can be reached, in the order in which it was added.
pub async fn list(tx: &mut Tx, staff: StaffId) -> Result<Vec<StaffChannel>, StoreError> {
    tx.fetch_all(OF_STAFF, (staff,)).await
}

/// How everybody can be reached.
pub async fn list_all(tx: &mut Tx) -> Result<Vec<StaffChannel>, StoreError> {
    tx.fetch_all(ALL, ()).await
}

/// The channel with this id.
pub async fn find(tx: &mut Tx, id: StaffChannelId) -> Result<Option<StaffChannel>, StoreError> {
    tx.fetch_optional(GET, (id,)).await
}

/// What is secret of a channel, opened.
pub async fn secret(tx: &mut Tx, id: StaffChannelId) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<Sealed> = tx.fetch_optional(SEALED, (id,)).await?;
    match row {
        Some(Sealed {
            key_id: Some(key),
            sealed: Some(sealed),
        }) => Ok(Some(blobs::open_own(tx, &context(id), key, &sealed).await?)),
        _ => Ok(None),
    }
}

/// What became of adding a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    Done,
    /// There is one like it.
    Taken,
    /// It has a secret, and there is no key to seal it with.
    Unsealed,
}

/// Adds a channel, sealing what is secret of it.
pub async fn insert<A: ChangesChannels>(
    permit: &mut Permit<'_, A>,
    channel: &StaffChannel,
    secret: Option<&[u8]>,
) -> Result<Added, StoreError> {
    let (key, sealed) = match secret {
        Some(secret) => match blobs::seal_own(permit, &context(channel.id), secret).await? {
            Some((key, sealed)) => (Some(key), Some(sealed)),
            None => return Ok(Added::Unsealed),
        },
        None => (None, None),
    };
    let channel = channel.clone();
    let values = (
        channel.id,
        channel.staff_id,
        channel.kind,
        channel.target,
        channel.format,
        key,
        sealed,
        channel.wakes,
        channel.added_at,
        channel.added_by,
    );
    let added = permit.change().execute(INSERT, values).await?;
    Ok(if added == 1 {
        Added::Done
    } else {
        Added::Taken
    })
}

/// Takes a channel away, with its secret.
pub async fn remove<A: ChangesChannels>(
    permit: &mut Permit<'_, A>,
    id: StaffChannelId,
) -> Result<(), StoreError> {
    let values = (id, permit.now(), permit.actor().to_owned());
    permit
        .change()
        .execute_one("staff_channels", REMOVE, values)
        .await
}

/// Writes down that somebody was reached through it.
pub async fn mark_as_proven<A: ChangesChannels>(
    permit: &mut Permit<'_, A>,
    id: StaffChannelId,
) -> Result<(), StoreError> {
    let values = (id, permit.now());
    permit.change().execute(PROVE, values).await.map(|_| ())
}
