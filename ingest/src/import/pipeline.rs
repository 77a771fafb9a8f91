//! Reading and parsing ahead of the database: one thread reads, one a core parses, batches come
//! out in the order of the mailbox. Channels hold nothing, so memory stays bounded
//! whatever the size: a batch with each thread, one on its way to the database and one in it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use tierdesk_core::{
    receive::{Arrival, Prepared},
    telemetry,
};
use tokio_util::sync::CancellationToken;

use super::ImportOptions;
use crate::{
    parse,
    reader::Reader,
    sources::{RawMail, Source, SourceError},
};

/// Raw bytes after which a batch is full, however few mails it has.
const BATCH_BYTES: usize = 3 << 20;

/// Some mails, parsed and prepared.
#[derive(Debug)]
pub(super) struct Batch {
    number: u64,
    pub(super) items: Vec<Prepared>,
    pub(super) failures: Vec<String>,
    pub(super) bytes: u64,
}

struct RawBatch {
    number: u64,
    mails: Vec<Result<RawMail, SourceError>>,
}

/// Starts the threads; they end when the mailbox does, when `stop` is cancelled, or when nobody
/// receives any more.
pub(super) fn start(
    sources: Vec<Source>,
    options: ImportOptions,
    reader: &Reader,
    stop: CancellationToken,
) -> tokio::sync::mpsc::Receiver<Batch> {
    let parsers = thread::available_parallelism().map_or(1, usize::from);
    let (to_parsers, raw) = mpsc::sync_channel::<RawBatch>(0);
    let (to_order, parsed) = mpsc::sync_channel::<Batch>(0);
    let (out, batches) = tokio::sync::mpsc::channel(1);
    let raw = Arc::new(Mutex::new(raw));
    thread::spawn(move || read(&sources, options.batch.max(1), &stop, &to_parsers));
    for _ in 0..parsers {
        let (raw, to_order, reader) = (Arc::clone(&raw), to_order.clone(), reader.clone());
        thread::spawn(move || {
            loop {
                let next = raw.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(batch) = next else { return };
                if to_order
                    .send(parse_batch(batch, options.is_live, &reader))
                    .is_err()
                {
                    return;
                }
            }
        });
    }
    thread::spawn(move || in_order(&parsed, &out));
    batches
}

fn read(
    sources: &[Source],
    size: usize,
    stop: &CancellationToken,
    to_parsers: &mpsc::SyncSender<RawBatch>,
) {
    let (mut number, mut bytes, mut mails) = (0, 0, Vec::with_capacity(size));
    for mail in sources.iter().flat_map(Source::mails) {
        if stop.is_cancelled() {
            return;
        }
        bytes += mail.as_ref().map_or(0, |mail| mail.bytes.len());
        mails.push(mail);
        if mails.len() >= size || bytes >= BATCH_BYTES {
            let batch = RawBatch {
                number,
                mails: std::mem::take(&mut mails),
            };
            if to_parsers.send(batch).is_err() {
                return;
            }
            number += 1;
            bytes = 0;
        }
    }
    if !mails.is_empty() {
        // Nobody receiving any more is the end as well.
        let _ = to_parsers.send(RawBatch { number, mails });
    }
}

fn parse_batch(batch: RawBatch, is_live: bool, reader: &Reader) -> Batch {
    let (mut items, mut failures, mut bytes) =
        (Vec::with_capacity(batch.mails.len()), Vec::new(), 0);
    for mail in batch.mails {
        match mail {
            Ok(mail) => {
                bytes += mail.source_bytes;
                items.push(read_mail(mail, is_live, reader));
            }
            Err(fault) => failures.push(telemetry::chain(&fault)),
        }
    }
    Batch {
        number: batch.number,
        items,
        failures,
        bytes,
    }
}

fn read_mail(raw: RawMail, is_live: bool, reader: &Reader) -> Prepared {
    let RawMail {
        bytes,
        left_out_bytes,
        origin,
        road,
        envelope,
        ..
    } = raw;
    let mut mail = parse::parse(&bytes, &envelope);
    if left_out_bytes > 0 {
        mail.truncated = true;
        mail.findings.push(format!(
            "the last {left_out_bytes} bytes were not read; they are in {origin}"
        ));
    }
    let origin = Some(origin);
    let arrival = Arrival {
        mail,
        raw: bytes,
        envelope,
        road,
        origin,
        is_silent: !is_live,
        stored: None,
        evidence: None,
    };
    reader.prepare(arrival)
}

/// Passes batches on in their order. At most one a parser is ahead of its turn.
fn in_order(parsed: &mpsc::Receiver<Batch>, out: &tokio::sync::mpsc::Sender<Batch>) {
    let (mut next, mut early) = (0, BTreeMap::new());
    while let Ok(batch) = parsed.recv() {
        early.insert(batch.number, batch);
        while let Some(batch) = early.remove(&next) {
            next += 1;
            if out.blocking_send(batch).is_err() {
                return;
            }
        }
    }
}
