//! Processing stored arrivals: parse outside any transaction, then one unit of work that makes the
//! ticket and marks the arrival as processed.
//!
//! An answer whose parent still waits takes the parent along: both are processed in one batch, in
//! the right order, whoever was first.

use std::{collections::HashSet, sync::Arc};

use tierdesk_core::{
    authentication::Evidence,
    desk::{self, Desk, Error, receive},
    fault,
    ids::InboxId,
    jobs::{Handler, HandlerFuture, Job, JobError, JobKind},
    mail::{Envelope, SenderCheck},
    permit::{Actor, ReceiveMail, SystemRole},
    receive::{Arrival, Prepared, Receipt, Road, bounded_id},
    store::{
        StoreError, blobs,
        inbox::{self, WaitingMail},
        jobs,
    },
    telemetry,
    tickets::threading,
};

use crate::{fields::Fields, fingerprint, parse, reader::Reader};

/// How many arrivals a worker processes in one commit, and how many bytes of them.
const TOGETHER: i64 = 10;
const TOGETHER_BYTES: usize = 8 * 1024 * 1024;

/// How many waiting parents one arrival takes along.
const PARENTS: usize = 100;

/// The part of the program that takes mail in.
pub const INGEST: Actor = Actor::System(SystemRole::Ingest);

/// Stores a mail, then processes it. Once this has stored the mail, an error means that a worker
/// will process it, or the same mail delivered again. Bytes that are handed over, not lent, are
/// let go as soon as they are stored: of a large mail they are a fifth of what is held.
pub async fn deliver(
    desk: &Desk,
    road: Road,
    envelope: Envelope,
    raw: impl AsRef<[u8]>,
) -> Result<Receipt, Error> {
    take(desk, road, None, envelope, raw).await
}

/// The same for a mail that was found somewhere: `origin` says where.
pub async fn take(
    desk: &Desk,
    road: Road,
    origin: Option<String>,
    envelope: Envelope,
    raw: impl AsRef<[u8]>,
) -> Result<Receipt, Error> {
    let bytes = raw.as_ref();
    let hint = message_id_hint(bytes);
    let id = desk::store_arrival::store_arrival(desk, road, origin, envelope, bytes, hint).await?;
    drop(raw);
    process(desk, id).await
}

/// The Message-ID, read without parsing the mail.
pub(crate) fn message_id_hint(raw: &[u8]) -> Option<String> {
    let (fields, _) = Fields::split(raw);
    fields
        .ids("Message-ID")
        .0
        .into_iter()
        .next()
        .map(bounded_id)
}

/// Tries of an arrival that another one got in the way of.
const TRIES: usize = 4;

/// Processes an arrival and the waiting ones it refers to. Says what became of it, whoever did it.
///
/// One that cannot be processed as it was read becomes a bare ticket in triage, with its bytes.
pub async fn process(desk: &Desk, id: InboxId) -> Result<Receipt, Error> {
    let mut tried = 0;
    loop {
        tried += 1;
        match process_once(desk, id, Reading::Whole).await {
            Err(Error::Failed(StoreError::Conflict(_) | StoreError::Busy(_))) if tried < TRIES => {}
            Err(Error::Failed(error)) if !error.is_transient() => {
                let reason = telemetry::chain(&error);
                tracing::error!(inbox.id = %id, reason, "an arrival could not be processed as read");
                return process_once(desk, id, Reading::Bare(reason)).await;
            }
            other => return other,
        }
    }
}

/// How an arrival is read.
#[derive(Clone, Debug)]
enum Reading {
    /// With everything in it.
    Whole,
    /// As bytes of which nothing is known, for this reason.
    Bare(String),
}

async fn process_once(desk: &Desk, id: InboxId, reading: Reading) -> Result<Receipt, Error> {
    let prepared = collect(desk, vec![id], reading).await?;
    fault::point("process.parsed");
    let receipts = commit(desk, prepared).await?;
    match receipts.into_iter().find(|(processed, _)| *processed == id) {
        Some((_, receipt)) => Ok(receipt),
        None => receive::recall(desk, &INGEST, id).await?.ok_or_else(|| {
            let detail = format!("arrival {id} is neither waiting nor processed");
            Error::Failed(StoreError::Inconsistent {
                table: "inbox",
                detail,
            })
        }),
    }
}

/// Processes everything that waits, oldest first. Returns how many arrivals were processed.
pub async fn process_waiting(desk: &Desk) -> Result<usize, Error> {
    let mut done = 0;
    loop {
        let waiting = {
            let mut tx = desk.database.begin_read().await?;
            inbox::list_waiting(&mut tx, 100).await?
        };
        if waiting.is_empty() {
            return Ok(done);
        }
        for id in waiting {
            process(desk, id).await?;
            done += 1;
        }
    }
}

/// Reads and parses arrivals and their waiting parents. Nothing is locked meanwhile, and parsing
/// does not hold up other tasks. Of several arrivals the first is read whatever it takes, the
/// others as far as [`TOGETHER_BYTES`] goes.
async fn collect(desk: &Desk, ids: Vec<InboxId>, reading: Reading) -> Result<Vec<Prepared>, Error> {
    let (mut wanted, mut seen) = (ids.clone(), ids.iter().copied().collect::<HashSet<_>>());
    let mut prepared = Vec::new();
    while !wanted.is_empty() {
        let (mut stored, mut bytes) = (Vec::new(), 0);
        let mut tx = desk.database.begin_read().await?;
        for waiting in inbox::find_waiting(&mut tx, &wanted).await? {
            let may_wait = ids.iter().skip(1).any(|other| *other == waiting.id);
            if may_wait && bytes > TOGETHER_BYTES {
                continue;
            }
            let raw = blobs::open(&mut tx, waiting.blob_id).await?;
            bytes += raw.len();
            stored.push((waiting, raw));
        }
        drop(tx);
        // All at once: where the DNS does not answer, each of them takes its whole time.
        let checks = stored
            .iter()
            .map(|(waiting, raw)| check_at_the_edge(desk, &waiting.envelope, raw));
        let evidence = futures_util::future::join_all(checks).await;
        let checked: Vec<_> = stored
            .into_iter()
            .zip(evidence)
            .map(|((waiting, raw), evidence)| (waiting, raw, evidence))
            .collect();
        let (reader, reading) = (Reader::of(desk), reading.clone());
        let parsed = tokio::task::spawn_blocking(move || {
            let read = |(waiting, raw, evidence)| read(waiting, raw, evidence, &reading, &reader);
            checked.into_iter().map(read).collect::<Vec<_>>()
        });
        let parsed = parsed.await.map_err(|fault| {
            let detail = format!("parsing ended early: {fault}");
            Error::Failed(StoreError::Inconsistent {
                table: "inbox",
                detail,
            })
        })?;
        let referred: HashSet<String> = parsed
            .iter()
            .flat_map(|one| threading::referred_ids(&one.mail))
            .map(str::to_owned)
            .collect();
        prepared.extend(parsed);
        let mut tx = desk.database.begin_read().await?;
        wanted = inbox::waiting_by_hint(&mut tx, referred).await?;
        wanted.retain(|parent| seen.len() < PARENTS && seen.insert(*parent));
    }
    Ok(prepared)
}

/// What we find ourselves about the sender of a mail that reached our own listener.
async fn check_at_the_edge(desk: &Desk, envelope: &Envelope, raw: &[u8]) -> Option<Evidence> {
    if envelope.check != SenderCheck::Edge {
        return None;
    }
    Some(desk.edge_check.as_ref()?.check(raw, envelope).await)
}

fn read(
    waiting: WaitingMail,
    raw: Vec<u8>,
    evidence: Option<Evidence>,
    reading: &Reading,
    reader: &Reader,
) -> Prepared {
    let WaitingMail {
        id,
        road,
        origin,
        envelope,
        is_silent,
        blob_id,
        received_at,
    } = waiting;
    let mail = match reading {
        Reading::Whole => parse::parse(&raw, &envelope),
        Reading::Bare(reason) => parse::unread(&raw, reason),
    };
    let mut mail = mail;
    let is_handed_over = matches!(road, Road::Deliver | Road::Lmtp | Road::Smtp);
    if is_handed_over && mail.message_id.is_none() && mail.date.is_none() {
        mail.fingerprint = fingerprint::in_hour(mail.fingerprint, received_at);
    }
    let stored = Some((id, blob_id));
    let arrival = Arrival {
        mail,
        raw,
        envelope,
        road,
        origin,
        is_silent,
        stored,
        evidence,
        claims: Vec::new(),
    };
    reader.prepare(arrival)
}

/// Makes tickets of those that still wait, and settles their jobs, in one unit of work.
async fn commit(desk: &Desk, prepared: Vec<Prepared>) -> Result<Vec<(InboxId, Receipt)>, Error> {
    let ids: Vec<InboxId> = prepared
        .iter()
        .filter_map(|one| Some(one.stored?.0))
        .collect();
    let mut tx = desk.database.begin_write().await?;
    let waiting: HashSet<InboxId> = inbox::lock_waiting(&mut tx, &ids)
        .await?
        .into_iter()
        .map(|mail| mail.id)
        .collect();
    let still: Vec<Prepared> = prepared
        .into_iter()
        .filter(|one| one.stored.is_some_and(|(id, _)| waiting.contains(&id)))
        .collect();
    if still.is_empty() {
        return Ok(Vec::new());
    }
    let receipts = receive::receive_in(desk, &mut tx, &INGEST, ReceiveMail, &still).await?;
    for (id, _) in still.iter().filter_map(|one| one.stored) {
        jobs::finish_by_key(&mut tx, JobKind::ProcessInbox.as_str(), &id.to_string()).await?;
    }
    fault::point("process.before_commit");
    tx.commit().await?;
    fault::point("process.committed");
    let ids = still.iter().filter_map(|one| Some(one.stored?.0));
    Ok(ids.zip(receipts).collect())
}

/// Processes an arrival and, in the same commit, others whose jobs are due. Where that does not
/// succeed, each is left to its own job.
///
/// SQLite has one writer: a commit for each waiting mail would hold up the listener that stores the
/// next ones. In PostgreSQL several workers process side by side, and would only get into each
/// other's way.
async fn process_together(desk: &Desk, id: InboxId) -> Result<(), Error> {
    if !desk.database.is_sqlite() {
        return Ok(());
    }
    let mut tx = desk.database.begin_read().await?;
    let due = jobs::list_due_keys(&mut tx, JobKind::ProcessInbox.as_str(), TOGETHER).await?;
    drop(tx);
    let others = due.iter().filter_map(|key| key.parse().ok());
    let ids: Vec<InboxId> = [id].into_iter().chain(others).collect();
    if ids.len() > 1 {
        let prepared = collect(desk, ids, Reading::Whole).await?;
        commit(desk, prepared).await?;
    }
    Ok(())
}

/// Does `process_inbox` jobs: arrivals that a listener stored, and those whose receiver died
/// between storing and processing.
#[derive(Debug)]
pub struct ProcessInbox {
    /// The desk they arrived at.
    pub desk: Arc<Desk>,
}

impl Handler for ProcessInbox {
    fn kind(&self) -> &str {
        JobKind::ProcessInbox.as_str()
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let payload: serde_json::Value = serde_json::from_str(&job.payload)
                .map_err(|fault| JobError::Fail(fault.to_string()))?;
            let id = payload["inbox"].as_str().and_then(|id| id.parse().ok());
            let id: InboxId = id.ok_or_else(|| JobError::Fail("it names no arrival".to_owned()))?;
            if let Err(error) = process_together(&self.desk, id).await {
                let reason = telemetry::chain(&error);
                tracing::warn!(inbox.id = %id, reason, "arrivals are processed one by one");
            }
            match process(&self.desk, id).await {
                Ok(_) => Ok(()),
                Err(Error::Failed(error)) => Err(error.into()),
                Err(error) => Err(JobError::Fail(telemetry::chain(&error))),
            }
        })
    }
}
