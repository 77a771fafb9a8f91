//! A mail is stored before anything is acknowledged; processing it is a job.
//!
//! One mail ([`store_arrival`]) or a set of them ([`store_arrivals`]): a commit costs a flush of
//! the disk, whatever it holds, so a road on which mails come in at the same time stores them
//! together.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{Desk, Error};
use crate::{
    clock::Timestamp,
    customers::EmailAddress,
    fault,
    ids::InboxId,
    jobs::{JobKind, NewJob},
    mail::Envelope,
    receive::{Content, Road},
    store::{
        StoreError, Tx,
        inbox::{self, NewInbox},
        jobs,
    },
    watchdog,
};

/// How long the one who stored a mail has for processing it before a worker takes it over.
const GRACE: Duration = Duration::from_secs(30);

/// A mail that is to be stored, with everything done that needs no database: hashing and
/// compression, which cost more than the rest and can be done side by side.
#[derive(Clone, Debug)]
pub struct NewArrival {
    road: Road,
    origin: Option<String>,
    envelope: Envelope,
    content: Content,
    message_id_hint: Option<String>,
    is_silent: bool,
}

impl NewArrival {
    /// From the raw bytes. `message_id_hint` is the Message-ID, read cheaply.
    pub fn new(
        road: Road,
        origin: Option<String>,
        envelope: Envelope,
        raw: &[u8],
        message_id_hint: Option<String>,
    ) -> Self {
        Self {
            road,
            origin,
            envelope,
            content: Content::new(raw),
            message_id_hint,
            is_silent: false,
        }
    }

    /// One that the desk wrote to test itself: `id` makes it another than every one before it.
    pub(super) fn self_test(to: Option<&EmailAddress>, id: &str, now: Timestamp) -> Self {
        let origin = Some(watchdog::ORIGIN.to_owned());
        let raw = watchdog::mail(to, id, now);
        Self {
            is_silent: true,
            ..Self::new(Road::Deliver, origin, Envelope::default(), &raw, None)
        }
    }

    /// How many bytes storing it takes.
    pub fn stored_bytes(&self) -> usize {
        self.content.packed.len()
    }
}

/// Commits the bytes of a mail with the job that processes them. The same bytes that wait already
/// are not stored twice: a mail server that tries again gets its first arrival.
pub async fn store_arrival(
    desk: &Desk,
    road: Road,
    origin: Option<String>,
    envelope: Envelope,
    raw: &[u8],
    message_id_hint: Option<String>,
) -> Result<InboxId, Error> {
    let arrival = NewArrival::new(road, origin, envelope, raw, message_id_hint);
    let mut tx = desk.database.begin_write().await?;
    let ids = insert(&mut tx, std::slice::from_ref(&arrival), GRACE).await?;
    fault::point("arrival.before_commit");
    tx.commit().await?;
    fault::point("arrival.committed");
    Ok(ids[0])
}

/// The same for a set, in one commit; a worker processes them at once. The answers are in the
/// order of `arrivals`.
///
/// A set that the database refuses is stored mail by mail, so that one that cannot be stored fails
/// alone. A database that is away fails them all at once.
pub async fn store_arrivals(
    desk: &Desk,
    arrivals: &[NewArrival],
) -> Vec<Result<InboxId, Arc<StoreError>>> {
    match store_set(desk, arrivals).await {
        Ok(ids) => return ids.into_iter().map(Ok).collect(),
        Err(error) if arrivals.len() == 1 => return vec![Err(Arc::new(error))],
        Err(error) => {
            let reason = crate::telemetry::chain(&error);
            let mails = arrivals.len();
            tracing::warn!(mails, reason, "a set of mails was not stored");
            if error.is_transient() {
                let error = Arc::new(error);
                return arrivals.iter().map(|_| Err(Arc::clone(&error))).collect();
            }
        }
    }
    let mut answers = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let stored = store_set(desk, std::slice::from_ref(arrival)).await;
        answers.push(stored.map(|ids| ids[0]).map_err(Arc::new));
    }
    answers
}

async fn store_set(desk: &Desk, arrivals: &[NewArrival]) -> Result<Vec<InboxId>, StoreError> {
    let mut tx = desk.database.begin_write().await?;
    let ids = insert(&mut tx, arrivals, Duration::ZERO).await?;
    fault::point("arrivals.before_commit");
    tx.commit().await?;
    fault::point("arrivals.committed");
    Ok(ids)
}

/// Inserts those that do not wait yet, and their jobs, which are due after `grace`. Returns the
/// inbox row of each.
pub(super) async fn insert(
    tx: &mut Tx,
    arrivals: &[NewArrival],
    grace: Duration,
) -> Result<Vec<InboxId>, StoreError> {
    let digests = arrivals.iter().map(|arrival| arrival.content.sha256);
    let mut known: HashMap<[u8; 32], InboxId> =
        inbox::find_waiting_by_sha256(tx, digests.collect()).await?;
    let (mut ids, mut rows, mut due) = (Vec::new(), Vec::new(), Vec::new());
    for arrival in arrivals {
        if let Some(waiting) = known.get(&arrival.content.sha256) {
            ids.push(*waiting);
            continue;
        }
        let id: InboxId = tx.new_id();
        known.insert(arrival.content.sha256, id);
        ids.push(id);
        let row = NewInbox {
            id,
            received_at: tx.now(),
            road: arrival.road,
            origin: arrival.origin.clone(),
            envelope: arrival.envelope.clone(),
            is_silent: arrival.is_silent,
            sha256: arrival.content.sha256,
            blob_id: None,
            message_id_hint: arrival.message_id_hint.clone(),
            processed: None,
        };
        rows.push((row, arrival.content.clone()));
        let mut job = NewJob::new(JobKind::ProcessInbox, serde_json::json!({ "inbox": id }));
        job.dedup_key = Some(id.to_string());
        job.run_at = Some(tx.now().plus(grace));
        due.push(job);
    }
    if !rows.is_empty() {
        inbox::insert_waiting(tx, rows).await?;
        jobs::enqueue_many(tx, due).await?;
    }
    Ok(ids)
}
