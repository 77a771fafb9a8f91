//! Raw mail and attachments: compressed, sealed when a key is configured, deduplicated within a
//! customer only, so that one customer's content can be destroyed without touching another's.

use std::collections::{HashMap, hash_map::Entry};

use super::{
    BytesList, IdList, Sql, StoreError, Tx,
    bulk::{BulkRow, Cell, Kind},
    seal::DataKey,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{BlobId, BlobKeyId, CustomerId, TicketId},
    permit::{ChangesTickets, Permit},
    receive::Content,
};

statements! {
    HELD = Sql::per_backend(
        "SELECT id, customer_id, sha256 FROM blobs WHERE sha256 IN (SELECT unhex(value) FROM json_each($1))",
        "SELECT id, customer_id, sha256 FROM blobs WHERE sha256 = ANY($1)");
    GET = Sql::same("SELECT id, customer_id, sha256, key_id, size, content FROM blobs WHERE id = $1");
    KEY_OF_CUSTOMER = Sql::same(
        "SELECT id, wrapped FROM blob_keys
         WHERE customer_id IS NOT DISTINCT FROM $1 AND destroyed_at IS NULL ORDER BY created_at, id LIMIT 1");
    ANY_KEY = Sql::same("SELECT id, wrapped FROM blob_keys WHERE wrapped IS NOT NULL ORDER BY id LIMIT 1");
    KEY = Sql::same("SELECT id, wrapped FROM blob_keys WHERE id = $1");
    INSERT_KEY = Sql::same(
        "INSERT INTO blob_keys (id, customer_id, wrapped, created_at) VALUES ($1, $2, $3, $4)");
    MOVE = Sql::same("UPDATE blobs SET customer_id = $2, key_id = $3, content = $4 WHERE id = $1");
    DELETE = Sql::per_backend(
        "DELETE FROM blobs WHERE id IN (SELECT unhex(value) FROM json_each($1))",
        "DELETE FROM blobs WHERE id = ANY($1)");
    OF_TICKET = Sql::same(
        "SELECT blob_id FROM messages WHERE ticket_id = $1 AND blob_id IS NOT NULL
         UNION SELECT a.blob_id FROM attachments a JOIN messages m ON m.id = a.message_id
         WHERE m.ticket_id = $1 AND a.blob_id IS NOT NULL
         UNION SELECT blob_id FROM outgoing WHERE ticket_id = $1");
    COUNT_ELSEWHERE = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM (
            SELECT ticket_id FROM messages WHERE blob_id = $1
            UNION ALL SELECT m.ticket_id FROM attachments a JOIN messages m ON m.id = a.message_id
            WHERE a.blob_id = $1
            UNION ALL SELECT ticket_id FROM outgoing WHERE blob_id = $1) AS users
         WHERE ticket_id IS DISTINCT FROM $2");
    REPOINT_MESSAGES = Sql::same("UPDATE messages SET blob_id = $2 WHERE blob_id = $1");
    REPOINT_INBOX = Sql::same("UPDATE inbox SET blob_id = $2 WHERE blob_id = $1");
    REPOINT_ATTACHMENTS = Sql::same("UPDATE attachments SET blob_id = $2 WHERE blob_id = $1");
    REPOINT_OUTGOING = Sql::same("UPDATE outgoing SET blob_id = $2 WHERE blob_id = $1");
    REPOINT_OUTGOING_OF_TICKET = Sql::same(
        "UPDATE outgoing SET blob_id = $2 WHERE blob_id = $1 AND ticket_id = $3");
    REPOINT_MESSAGES_OF_TICKET = Sql::same(
        "UPDATE messages SET blob_id = $2 WHERE blob_id = $1 AND ticket_id = $3");
    REPOINT_INBOX_OF_TICKET = Sql::same(
        "UPDATE inbox SET blob_id = $2 WHERE blob_id = $1
            AND message_id IN (SELECT id FROM messages WHERE ticket_id = $3)");
    REPOINT_ATTACHMENTS_OF_TICKET = Sql::same(
        "UPDATE attachments SET blob_id = $2 WHERE blob_id = $1
            AND message_id IN (SELECT id FROM messages WHERE ticket_id = $3)");
}

record! {
    struct HeldRow {
        id: BlobId,
        customer_id: Option<CustomerId>,
        sha256: Vec<u8>,
    }
}

record! {
    struct Row {
        id: BlobId,
        customer_id: Option<CustomerId>,
        sha256: Vec<u8>,
        key_id: Option<BlobKeyId>,
        size: i64,
        content: Vec<u8>,
    }
}

record! {
    struct KeyRow {
        id: BlobKeyId,
        wrapped: Option<Vec<u8>>,
    }
}

impl super::Database {
    /// Refuses to go on without the key, or with another one, where content was sealed before:
    /// new content would silently be stored unsealed, or under a key that is soon forgotten.
    pub(super) async fn check_sealing(&self) -> Result<(), StoreError> {
        let mut tx = self.begin_read().await?;
        match tx.fetch_optional::<KeyRow>(ANY_KEY, ()).await? {
            Some(key) => unwrap(&tx, &key).map(|_| ()),
            None => Ok(()),
        }
    }
}

/// Content to be stored.
#[derive(Clone, Debug)]
pub struct NewBlob {
    /// The id.
    pub id: BlobId,
    /// Whose it is, if anybody's.
    pub customer_id: Option<CustomerId>,
    /// The bytes.
    pub content: Content,
}

pub(super) struct Sealed {
    blob: NewBlob,
    key_id: Option<BlobKeyId>,
    created_at: Timestamp,
}

impl BulkRow for Sealed {
    const TABLE: &'static str = "blobs";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("customer_id", Kind::Id),
        ("sha256", Kind::Bytes),
        ("key_id", Kind::Id),
        ("size", Kind::Int),
        ("content", Kind::Bytes),
        ("created_at", Kind::Time),
    ];
    fn cells(self, out: &mut Vec<Cell>) {
        let Self {
            blob,
            key_id,
            created_at,
        } = self;
        out.extend([blob.id.0.into(), blob.customer_id.map(|id| id.0).into()]);
        let content = blob.content;
        out.extend([content.sha256.to_vec().into(), key_id.map(|id| id.0).into()]);
        let size = i64::try_from(content.size).unwrap_or(i64::MAX);
        out.extend([size.into(), content.packed.into(), created_at.into()]);
    }
}

/// The blobs that already hold such content, by customer and digest.
pub async fn held(
    tx: &mut Tx,
    digests: Vec<Vec<u8>>,
) -> Result<HashMap<(Option<CustomerId>, Vec<u8>), BlobId>, StoreError> {
    let rows: Vec<HeldRow> = tx.fetch_all(HELD, (BytesList(digests),)).await?;
    Ok(rows
        .into_iter()
        .map(|row| ((row.customer_id, row.sha256), row.id))
        .collect())
}

/// Stores content that its customer does not hold yet.
pub async fn insert_many(tx: &mut Tx, blobs: Vec<NewBlob>) -> Result<(), StoreError> {
    let created_at = tx.now();
    let mut keys: HashMap<Option<CustomerId>, Option<(BlobKeyId, DataKey)>> = HashMap::new();
    let mut rows = Vec::with_capacity(blobs.len());
    for mut blob in blobs {
        let key = match keys.entry(blob.customer_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(key_for(tx, blob.customer_id).await?),
        };
        let key_id = match key {
            Some((id, key)) => {
                let packed = &mut blob.content.packed;
                *packed = key.seal(tx.random(), blob.id.0.as_bytes(), packed);
                Some(*id)
            }
            None => None,
        };
        rows.push(Sealed {
            blob,
            key_id,
            created_at,
        });
    }
    tx.insert_many(rows).await.map(|_| ())
}

/// The raw bytes of a blob.
pub async fn open(tx: &mut Tx, id: BlobId) -> Result<Vec<u8>, StoreError> {
    let row: Row = tx.fetch_one("blobs", GET, (id,)).await?;
    let size = usize::try_from(row.size).unwrap_or(0);
    let packed = unseal(tx, row).await?;
    zstd::bulk::decompress(&packed, size).map_err(|fault| StoreError::Inconsistent {
        table: "blobs",
        detail: format!("{id}: {fault}"),
    })
}

async fn unseal(tx: &mut Tx, row: Row) -> Result<Vec<u8>, StoreError> {
    let Some(key_id) = row.key_id else {
        return Ok(row.content);
    };
    let key: KeyRow = tx.fetch_one("blob_keys", KEY, (key_id,)).await?;
    unwrap(tx, &key)?.open(row.id.0.as_bytes(), &row.content)
}

fn unwrap(tx: &Tx, key: &KeyRow) -> Result<DataKey, StoreError> {
    let master = tx.master_key.as_ref().ok_or_else(|| {
        StoreError::Sealed("it is sealed and store.key_file is not set".to_owned())
    })?;
    let wrapped = key
        .wrapped
        .as_ref()
        .ok_or_else(|| StoreError::Sealed("its key was destroyed, as asked".to_owned()))?;
    master.unwrap(wrapped, key.id.0.as_bytes())
}

/// The key that seals new content of a customer, made on first use; `None` without a master key.
async fn key_for(
    tx: &mut Tx,
    customer: Option<CustomerId>,
) -> Result<Option<(BlobKeyId, DataKey)>, StoreError> {
    let Some(master) = tx.master_key.clone() else {
        return Ok(None);
    };
    if let Some(row) = tx
        .fetch_optional::<KeyRow>(KEY_OF_CUSTOMER, (customer,))
        .await?
    {
        let key = unwrap(tx, &row)?;
        return Ok(Some((row.id, key)));
    }
    let (id, key) = (tx.new_id::<BlobKeyId>(), DataKey::new(tx.random()));
    let wrapped = master.wrap(&key, id.0.as_bytes(), tx.random());
    let now = tx.now();
    tx.execute_one("blob_keys", INSERT_KEY, (id, customer, wrapped, now))
        .await?;
    Ok(Some((id, key)))
}

/// Seals something of the desk's own, for the row that `context` names. `None` without a master key.
pub(super) async fn seal_own(
    tx: &mut Tx,
    context: &str,
    content: &[u8],
) -> Result<Option<(BlobKeyId, Vec<u8>)>, StoreError> {
    let Some((id, key)) = key_for(tx, None).await? else {
        return Ok(None);
    };
    let sealed = key.seal(tx.random(), context.as_bytes(), content);
    Ok(Some((id, sealed)))
}

/// Opens what [`seal_own`] sealed.
pub(super) async fn open_own(
    tx: &mut Tx,
    context: &str,
    key_id: BlobKeyId,
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let key: KeyRow = tx.fetch_one("blob_keys", KEY, (key_id,)).await?;
    unwrap(tx, &key)?.open(context.as_bytes(), sealed)
}

/// Moves a ticket's content to another customer, under that customer's key: its mails and what is
/// attached to them. What other tickets hold as well stays theirs, and is copied.
pub async fn move_ticket_content<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: TicketId,
    customer: Option<CustomerId>,
) -> Result<(), StoreError> {
    permit.check_ticket(ticket)?;
    let ids: Vec<(BlobId,)> = permit.fetch_all(OF_TICKET, (ticket,)).await?;
    for (id,) in ids {
        let (elsewhere,): (i64,) = permit
            .fetch_one("blobs", COUNT_ELSEWHERE, (id, ticket))
            .await?;
        if elsewhere == 0 {
            move_to(permit.change(), id, customer).await?;
        } else {
            copy_to(permit.change(), id, ticket, customer).await?;
        }
    }
    Ok(())
}

/// Gives a ticket its own copy of content that others hold as well, for this customer.
async fn copy_to(
    tx: &mut Tx,
    id: BlobId,
    ticket: TicketId,
    customer: Option<CustomerId>,
) -> Result<(), StoreError> {
    let row: Row = tx.fetch_one("blobs", GET, (id,)).await?;
    if row.customer_id == customer {
        return Ok(());
    }
    let copy = if let Some(there) = find_held(tx, &row.sha256, customer).await? {
        there
    } else {
        let id: BlobId = tx.new_id();
        let content = Content {
            sha256: digest_of(&row)?,
            size: usize::try_from(row.size).unwrap_or(0),
            packed: unseal(tx, row).await?,
        };
        let blob = NewBlob {
            id,
            customer_id: customer,
            content,
        };
        insert_many(tx, vec![blob]).await?;
        id
    };
    for sql in [
        REPOINT_INBOX_OF_TICKET,
        REPOINT_MESSAGES_OF_TICKET,
        REPOINT_ATTACHMENTS_OF_TICKET,
        REPOINT_OUTGOING_OF_TICKET,
    ] {
        tx.execute(sql, (id, copy, ticket)).await?;
    }
    Ok(())
}

/// The blob in which this customer holds such content already. What is nobody's is never shared.
async fn find_held(
    tx: &mut Tx,
    sha256: &[u8],
    customer: Option<CustomerId>,
) -> Result<Option<BlobId>, StoreError> {
    if customer.is_none() {
        return Ok(None);
    }
    let held = held(tx, vec![sha256.to_vec()]).await?;
    Ok(held.get(&(customer, sha256.to_vec())).copied())
}

fn digest_of(row: &Row) -> Result<[u8; 32], StoreError> {
    let digest = row.sha256.as_slice().try_into();
    digest.map_err(|_| StoreError::Inconsistent {
        table: "blobs",
        detail: format!("{} has a digest of another length", row.id),
    })
}

/// Moves one blob to another customer. Content that customer holds already is kept once. Returns
/// the id under which it is held now.
pub async fn move_to(
    tx: &mut Tx,
    id: BlobId,
    customer: Option<CustomerId>,
) -> Result<BlobId, StoreError> {
    let row: Row = tx.fetch_one("blobs", GET, (id,)).await?;
    if row.customer_id == customer {
        return Ok(id);
    }
    if let Some(there) = find_held(tx, &row.sha256, customer).await? {
        for sql in [
            REPOINT_MESSAGES,
            REPOINT_INBOX,
            REPOINT_ATTACHMENTS,
            REPOINT_OUTGOING,
        ] {
            tx.execute(sql, (id, there)).await?;
        }
        delete(tx, vec![id]).await?;
        return Ok(there);
    }
    let packed = unseal(tx, row).await?;
    let (key_id, content) = match key_for(tx, customer).await? {
        Some((key_id, key)) => (
            Some(key_id),
            key.seal(tx.random(), id.0.as_bytes(), &packed),
        ),
        None => (None, packed),
    };
    tx.execute_one("blobs", MOVE, (id, customer, key_id, content))
        .await?;
    Ok(id)
}

/// Removes content that nothing refers to any more.
pub async fn delete(tx: &mut Tx, ids: Vec<BlobId>) -> Result<(), StoreError> {
    let ids = IdList(ids.into_iter().map(|id| id.0).collect());
    tx.execute(DELETE, (ids,)).await.map(|_| ())
}
