//! Importing mailboxes: read, parse on every core, write in batches.
//!
//! A mailbox can be read again, so inbox row and ticket commit together and nothing needs to be
//! remembered: stopped at any point and run again, what is there already is found by its
//! fingerprint.

mod pipeline;

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use tierdesk_core::{
    desk::{Desk, Error, receive},
    fault,
    permit::{Actor, ImportMail},
    receive::{Outcome, Prepared, Receipt},
    store::StoreError,
    telemetry,
};
use tokio_util::sync::CancellationToken;

use crate::{reader::Reader, sources::Source};
use pipeline::Batch;

/// How an import runs.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions {
    /// Treat the mails as new: receipts, pages, posts and clocks as if they came in now.
    pub is_live: bool,
    /// Mails in one unit of work.
    pub batch: usize,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            is_live: false,
            batch: 250,
        }
    }
}

/// What an import did: `mail import --json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ImportReport {
    /// Mails read.
    pub read: u64,
    /// That opened a customer's ticket.
    pub opened: u64,
    /// That continued a ticket.
    pub appended: u64,
    /// That were here already.
    pub duplicate: u64,
    /// That were kept and ask nobody to act.
    pub recorded: u64,
    /// That opened a ticket of nobody's.
    pub triaged: u64,
    /// That could not be read or stored; they are still where they were.
    pub failed: u64,
    /// How long it took.
    pub seconds: f64,
    /// Mails that opened or continued a customer's ticket, by customer.
    pub by_customer: BTreeMap<String, u64>,
    /// What failed, in words.
    #[serde(skip)]
    pub failures: Vec<String>,
    /// It was asked to stop before the end.
    #[serde(skip)]
    pub is_stopped: bool,
}

/// How far an import is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Bytes of the mailbox that are done.
    pub bytes: u64,
    /// Mails that are done.
    pub mails: u64,
}

/// Tries of a batch that the database could not take, and the waits between them.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// Imports every mail of `sources`. `progress` is told after each batch. When `stop` is cancelled
/// the batch in hand is finished first.
///
/// Fails only when the database does; everything committed until then stays.
pub async fn import(
    desk: &Desk,
    actor: &Actor,
    sources: Vec<Source>,
    options: ImportOptions,
    stop: CancellationToken,
    mut progress: impl FnMut(Progress),
) -> Result<ImportReport, (Error, ImportReport)> {
    let started = std::time::Instant::now();
    let mut report = ImportReport::default();
    let mut done = Progress { bytes: 0, mails: 0 };
    let mut batches = pipeline::start(sources, options, &Reader::of(desk), stop.clone());
    while let Some(batch) = batches.recv().await {
        let Batch {
            items,
            failures,
            bytes,
            ..
        } = batch;
        report.read += items.len() as u64;
        report.failed += failures.len() as u64;
        report.failures.extend(failures);
        let stored = store(desk, actor, &items, &mut report).await;
        report.seconds = started.elapsed().as_secs_f64();
        if let Err(error) = stored {
            stop.cancel();
            return Err((error, report));
        }
        fault::point("import.batch_committed");
        done.bytes += bytes;
        done.mails += items.len() as u64;
        progress(done);
    }
    report.is_stopped = stop.is_cancelled();
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Stores a batch; one that fails for another reason than the database's state is stored mail by
/// mail, so that one bad mail holds up no other.
async fn store(
    desk: &Desk,
    actor: &Actor,
    items: &[Prepared],
    report: &mut ImportReport,
) -> Result<(), Error> {
    match with_retries(desk, actor, items).await {
        Ok(receipts) => {
            report.count(&receipts);
            return Ok(());
        }
        Err(error) if must_stop(&error) => return Err(error),
        Err(_) => {}
    }
    for item in items {
        match with_retries(desk, actor, std::slice::from_ref(item)).await {
            Ok(receipts) => report.count(&receipts),
            Err(error) if must_stop(&error) => return Err(error),
            Err(error) => {
                let origin = item.origin.as_deref().unwrap_or("a mail");
                report.failed += 1;
                report
                    .failures
                    .push(format!("{origin}: {}", telemetry::chain(&error)));
            }
        }
    }
    Ok(())
}

/// Nothing else of the mailbox could be stored either.
fn must_stop(error: &Error) -> bool {
    matches!(
        error,
        Error::Refused(_)
            | Error::Failed(StoreError::Unavailable(_) | StoreError::Busy(_) | StoreError::Full(_))
    )
}

async fn with_retries(
    desk: &Desk,
    actor: &Actor,
    items: &[Prepared],
) -> Result<Vec<Receipt>, Error> {
    for pause in PAUSES {
        match receive::receive(desk, actor, ImportMail, items).await {
            Err(error) if error.is_transient() => tokio::time::sleep(pause).await,
            other => return other,
        }
    }
    receive::receive(desk, actor, ImportMail, items).await
}

impl ImportReport {
    fn count(&mut self, receipts: &[Receipt]) {
        for receipt in receipts {
            self.count_one(receipt);
        }
    }

    fn count_one(&mut self, receipt: &Receipt) {
        let counter = match receipt.outcome {
            Outcome::Opened => &mut self.opened,
            Outcome::Appended => &mut self.appended,
            Outcome::Duplicate => &mut self.duplicate,
            Outcome::Recorded => &mut self.recorded,
            Outcome::Triaged => &mut self.triaged,
        };
        *counter += 1;
        if let (Outcome::Opened | Outcome::Appended, Some(slug)) =
            (receipt.outcome, &receipt.customer)
        {
            *self.by_customer.entry(slug.to_string()).or_default() += 1;
        }
    }
}
