//! Arrived mail: committed before anything is acknowledged to the outside.

use std::collections::HashMap;

use super::{
    BytesList, IdList, Sql, StoreError, TextList, Tx,
    blobs::{self, NewBlob},
    bulk::{BulkRow, Cell, Kind},
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{BlobId, InboxId, MessageId},
    mail::{Client, Envelope, SenderCheck},
    receive::{Content, Outcome, Road},
};

statements! {
    LOCK_WAITING = Sql::per_backend(
        "SELECT id, received_at, road, origin, envelope_from, recipients, client_ip, client_helo, sender_check,
         is_silent, blob_id FROM inbox
         WHERE id IN (SELECT unhex(value) FROM json_each($1)) AND state = 'waiting' ORDER BY received_at, id",
        "SELECT id, received_at, road, origin, envelope_from, recipients, client_ip, client_helo, sender_check,
         is_silent, blob_id FROM inbox
         WHERE id = ANY($1) AND state = 'waiting' ORDER BY received_at, id FOR UPDATE");
    WAITING = Sql::per_backend(
        "SELECT id, received_at, road, origin, envelope_from, recipients, client_ip, client_helo, sender_check,
         is_silent, blob_id FROM inbox
         WHERE id IN (SELECT unhex(value) FROM json_each($1)) AND state = 'waiting' ORDER BY received_at, id",
        "SELECT id, received_at, road, origin, envelope_from, recipients, client_ip, client_helo, sender_check,
         is_silent, blob_id FROM inbox
         WHERE id = ANY($1) AND state = 'waiting' ORDER BY received_at, id");
    WAITING_BY_HINT = Sql::per_backend(
        "SELECT id FROM inbox WHERE state = 'waiting' AND message_id_hint IN (SELECT value FROM json_each($1))
         ORDER BY received_at, id LIMIT 100",
        "SELECT id FROM inbox WHERE state = 'waiting' AND message_id_hint = ANY($1)
         ORDER BY received_at, id LIMIT 100");
    WAITING_BY_SHA256 = Sql::per_backend(
        "SELECT sha256, id FROM inbox
         WHERE state = 'waiting' AND sha256 IN (SELECT unhex(value) FROM json_each($1)) ORDER BY received_at, id",
        "SELECT sha256, id FROM inbox
         WHERE state = 'waiting' AND sha256 = ANY($1) ORDER BY received_at, id");
    /// By id, which is in the order of time, and has an index.
    RECENT_BLOBS = Sql::same(
        "SELECT blob_id FROM inbox WHERE blob_id IS NOT NULL AND sender_check <> 'edge' ORDER BY id DESC LIMIT $1");
    LIST_WAITING = Sql::same(
        "SELECT id FROM inbox WHERE state = 'waiting' ORDER BY received_at, id LIMIT $1");
    MARK_PROCESSED = Sql::same(
        "UPDATE inbox SET state = 'processed', outcome = $2, message_id = $3, processed_at = $4, blob_id = $5
         WHERE id = $1 AND state = 'waiting'");
    PROCESSED = Sql::same(
        "SELECT outcome, message_id FROM inbox WHERE id = $1 AND state = 'processed'");
    COUNT_WAITING = Sql::same("SELECT CAST(COUNT(*) AS BIGINT) FROM inbox WHERE state = 'waiting'");
}

record! {
    struct Row {
        id: InboxId,
        received_at: Timestamp,
        road: Road,
        origin: Option<String>,
        envelope_from: Option<String>,
        recipients: String,
        client_ip: Option<String>,
        client_helo: Option<String>,
        sender_check: SenderCheck,
        is_silent: bool,
        blob_id: Option<BlobId>,
    }
}

/// A mail that waits to be processed.
#[derive(Clone, Debug)]
pub struct WaitingMail {
    /// The inbox row.
    pub id: InboxId,
    /// When it was stored.
    pub received_at: Timestamp,
    /// How it came.
    pub road: Road,
    /// Where on that road.
    pub origin: Option<String>,
    /// What the transport said.
    pub envelope: Envelope,
    /// History.
    pub is_silent: bool,
    /// Its bytes.
    pub blob_id: BlobId,
}

/// An arrival to be stored.
#[derive(Clone, Debug)]
pub struct NewInbox {
    /// The id.
    pub id: InboxId,
    /// When it reached us.
    pub received_at: Timestamp,
    /// How it came.
    pub road: Road,
    /// Where on that road.
    pub origin: Option<String>,
    /// What the transport said.
    pub envelope: Envelope,
    /// History.
    pub is_silent: bool,
    /// SHA-256 of the raw bytes.
    pub sha256: [u8; 32],
    /// The raw bytes.
    pub blob_id: Option<BlobId>,
    /// Its Message-ID, read cheaply, so that an answer can see that its parent still waits.
    pub message_id_hint: Option<String>,
    /// What became of it, where it is processed in the same unit of work.
    pub processed: Option<(Outcome, Option<MessageId>)>,
}

impl BulkRow for NewInbox {
    const TABLE: &'static str = "inbox";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("received_at", Kind::Time),
        ("road", Kind::Text),
        ("origin", Kind::Text),
        ("envelope_from", Kind::Text),
        ("recipients", Kind::Text),
        ("client_ip", Kind::Text),
        ("client_helo", Kind::Text),
        ("sender_check", Kind::Text),
        ("is_silent", Kind::Bool),
        ("sha256", Kind::Bytes),
        ("blob_id", Kind::Id),
        ("message_id_hint", Kind::Text),
        ("state", Kind::Text),
        ("outcome", Kind::Text),
        ("message_id", Kind::Id),
        ("processed_at", Kind::Time),
    ];
    fn cells(self, out: &mut Vec<Cell>) {
        let (outcome, message) = self.processed.unzip();
        let state = if outcome.is_some() {
            "processed"
        } else {
            "waiting"
        };
        let processed_at = outcome.map(|_| self.received_at);
        out.extend([
            self.id.0.into(),
            self.received_at.into(),
            self.road.as_str().into(),
        ]);
        out.extend([self.origin.into(), self.envelope.from.into()]);
        out.extend([super::tickets::texts_json(&self.envelope.recipients).into()]);
        let client = self.envelope.client;
        let (ip, helo) = client.map(|one| (one.ip.to_string(), one.helo)).unzip();
        out.extend([ip.into(), helo.into()]);
        out.extend([self.envelope.check.as_str().into()]);
        out.extend([self.is_silent.into(), self.sha256.to_vec().into()]);
        out.extend([
            self.blob_id.map(|id| id.0).into(),
            self.message_id_hint.into(),
        ]);
        out.extend([state.into(), outcome.map(Outcome::as_str).into()]);
        out.extend([message.flatten().map(|id| id.0).into(), processed_at.into()]);
    }
}

/// Stores arrivals with their bytes, to be processed later.
pub async fn insert_waiting(
    tx: &mut Tx,
    arrivals: Vec<(NewInbox, Content)>,
) -> Result<(), StoreError> {
    let (mut rows, mut blobs) = (Vec::new(), Vec::new());
    for (mut arrival, content) in arrivals {
        let id: BlobId = tx.new_id();
        blobs.push(NewBlob {
            id,
            customer_id: None,
            content,
        });
        arrival.blob_id = Some(id);
        rows.push(arrival);
    }
    blobs::insert_many(tx, blobs).await?;
    tx.insert_many(rows).await.map(|_| ())
}

/// Stores arrivals that are processed in this unit of work.
pub async fn insert_processed(tx: &mut Tx, rows: Vec<NewInbox>) -> Result<(), StoreError> {
    tx.insert_many(rows).await.map(|_| ())
}

/// Those of `ids` that wait, oldest first, without locking them.
pub async fn find_waiting(tx: &mut Tx, ids: &[InboxId]) -> Result<Vec<WaitingMail>, StoreError> {
    fetch_waiting(tx, WAITING, ids).await
}

/// Those of `ids` that still wait, locked, oldest first. One that another worker holds is waited
/// for and is gone from the answer when that worker has processed it.
pub async fn lock_waiting(tx: &mut Tx, ids: &[InboxId]) -> Result<Vec<WaitingMail>, StoreError> {
    fetch_waiting(tx, LOCK_WAITING, ids).await
}

async fn fetch_waiting(
    tx: &mut Tx,
    sql: Sql,
    ids: &[InboxId],
) -> Result<Vec<WaitingMail>, StoreError> {
    let ids = IdList(ids.iter().map(|id| id.0).collect());
    let rows: Vec<Row> = tx.fetch_all(sql, (ids,)).await?;
    rows.into_iter()
        .map(|row| {
            let blob_id = row.blob_id.ok_or_else(|| StoreError::Inconsistent {
                table: "inbox",
                detail: format!("{} waits without its bytes", row.id),
            })?;
            let recipients = super::tickets::parse_texts_json("inbox", &row.recipients)?;
            let client = client_of(&row)?;
            Ok(WaitingMail {
                id: row.id,
                received_at: row.received_at,
                road: row.road,
                origin: row.origin,
                envelope: Envelope {
                    from: row.envelope_from,
                    recipients,
                    client,
                    check: row.sender_check,
                },
                is_silent: row.is_silent,
                blob_id,
            })
        })
        .collect()
}

fn client_of(row: &Row) -> Result<Option<Client>, StoreError> {
    let Some(ip) = &row.client_ip else {
        return Ok(None);
    };
    let ip = ip.parse().map_err(|_| StoreError::Inconsistent {
        table: "inbox",
        detail: format!("{} came from {ip:?}, which is no address", row.id),
    })?;
    let helo = row.client_helo.clone().unwrap_or_default();
    Ok(Some(Client { ip, helo }))
}

/// Arrivals that wait and claim one of these Message-IDs.
pub async fn waiting_by_hint(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = String>,
) -> Result<Vec<InboxId>, StoreError> {
    let hints = TextList(ids.into_iter().collect());
    if hints.0.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(InboxId,)> = tx.fetch_all(WAITING_BY_HINT, (hints,)).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Arrivals of the same bytes that still wait, by digest, the oldest of each: a mail server that
/// tries again.
pub async fn find_waiting_by_sha256(
    tx: &mut Tx,
    digests: Vec<[u8; 32]>,
) -> Result<HashMap<[u8; 32], InboxId>, StoreError> {
    let digests = BytesList(digests.into_iter().map(Vec::from).collect());
    let rows: Vec<(Vec<u8>, InboxId)> = tx.fetch_all(WAITING_BY_SHA256, (digests,)).await?;
    let mut oldest = HashMap::new();
    for (digest, id) in rows {
        let digest = digest.try_into().map_err(|_| StoreError::Inconsistent {
            table: "inbox",
            detail: format!("{id} has a digest of another length"),
        })?;
        oldest.entry(digest).or_insert(id);
    }
    Ok(oldest)
}

/// The bytes of the newest arrivals whose senders others checked.
pub async fn recent_blobs(tx: &mut Tx, limit: i64) -> Result<Vec<BlobId>, StoreError> {
    let rows: Vec<(BlobId,)> = tx.fetch_all(RECENT_BLOBS, (limit,)).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The oldest arrivals that wait.
pub async fn list_waiting(tx: &mut Tx, limit: i64) -> Result<Vec<InboxId>, StoreError> {
    let rows: Vec<(InboxId,)> = tx.fetch_all(LIST_WAITING, (limit,)).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

record! {
    /// What became of an arrival.
    #[derive(Clone, Copy, Debug)]
    pub struct Processed {
        /// In a word.
        pub outcome: Outcome,
        /// The message it became, or of which it is a copy.
        pub message_id: Option<MessageId>,
    }
}

/// What became of an arrival; `None` while it waits.
pub async fn find_processed(tx: &mut Tx, id: InboxId) -> Result<Option<Processed>, StoreError> {
    tx.fetch_optional(PROCESSED, (id,)).await
}

/// How many arrivals wait.
pub async fn count_waiting(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(tx.fetch_one::<(i64,)>("inbox", COUNT_WAITING, ()).await?.0)
}

/// Says what became of an arrival. `blob` is where its bytes are now, if they are kept.
pub async fn mark_processed(
    tx: &mut Tx,
    id: InboxId,
    outcome: Outcome,
    message: Option<MessageId>,
    blob: Option<BlobId>,
) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute_one("inbox", MARK_PROCESSED, (id, outcome, message, now, blob))
        .await
}
