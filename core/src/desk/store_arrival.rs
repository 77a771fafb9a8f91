//! A mail is stored before anything is acknowledged; processing it is a job.

use sha2::{Digest as _, Sha256};

use super::{Desk, Error};
use crate::{
    fault,
    ids::InboxId,
    jobs::{JobKind, NewJob},
    mail::Envelope,
    receive::{Road, pack},
    store::{
        inbox::{self, NewInbox},
        jobs,
    },
};

/// How long the one who stored a mail has for processing it before a worker takes it over.
const GRACE: std::time::Duration = std::time::Duration::from_secs(30);

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
    let sha256: [u8; 32] = Sha256::digest(raw).into();
    let packed = pack(raw);
    let mut tx = desk.database.begin_write().await?;
    if let Some(waiting) = inbox::find_waiting_by_sha256(&mut tx, sha256).await? {
        return Ok(waiting);
    }
    let id: InboxId = tx.new_id();
    let arrival = NewInbox {
        id,
        received_at: tx.now(),
        road,
        origin,
        envelope,
        is_silent: false,
        sha256,
        blob_id: None,
        message_id_hint,
        processed: None,
    };
    inbox::insert_waiting(&mut tx, arrival, raw.len(), packed).await?;
    let mut job = NewJob::new(JobKind::ProcessInbox, serde_json::json!({ "inbox": id }));
    job.dedup_key = Some(id.to_string());
    job.run_at = Some(tx.now().plus(GRACE));
    jobs::enqueue(&mut tx, job).await?;
    fault::point("arrival.before_commit");
    tx.commit().await?;
    fault::point("arrival.committed");
    Ok(id)
}
