//! The audit trail: sealing it, reading it, proving it.

mod export;

use std::{fs, io::Write as _, path::Path, time::Duration};

pub use export::{Exported, export};

use super::{Desk, Error};
use crate::{
    audit::{Entry, Verification},
    permit::{Actor, ReadAudit, Subject, authorise},
    store::{StoreError, Tx, audit, leases},
    telemetry,
};

/// The name of the sealer's lease.
const SEALER: &str = "audit.sealer";
/// How long the sealer holds its lease.
const SEALER_LEASE: Duration = Duration::from_secs(30);
/// How often the head is written outside the database.
const ANCHOR_EVERY: Duration = Duration::from_hours(24);

/// Seals everything committed so far. Returns how many entries it sealed. Safe beside other
/// sealers: the head's row is locked; the lease only keeps them from queueing on it.
pub async fn seal_all(desk: &Desk) -> Result<usize, Error> {
    let mut sealed = 0;
    loop {
        let mut tx = desk.database.begin_write().await?;
        let batch = audit::seal(&mut tx).await?;
        tx.commit().await?;
        if batch == 0 {
            anchor_if_due(desk).await?;
            return Ok(sealed);
        }
        sealed += batch;
    }
}

/// Seals, if `holder` is or becomes the one sealer.
pub async fn seal_as(desk: &Desk, holder: &str) -> Result<usize, Error> {
    {
        // Looked at first: an idle sealer must not disturb writers.
        let mut tx = desk.database.begin_read().await?;
        if !audit::has_unsealed(&mut tx).await? {
            drop(tx);
            anchor_if_due(desk).await?;
            return Ok(0);
        }
    }
    let mut tx = desk.database.begin_write().await?;
    let until = tx.now().plus(SEALER_LEASE);
    let is_ours = leases::acquire(&mut tx, SEALER, holder, until)
        .await?
        .is_some();
    tx.commit().await?;
    if is_ours { seal_all(desk).await } else { Ok(0) }
}

/// Seals what a command committed, and leaves the sealer's place to others.
pub async fn seal_once(desk: &Desk, holder: &str) -> Result<usize, Error> {
    let sealed = seal_as(desk, holder).await;
    let mut tx = desk.database.begin_write().await?;
    leases::release(&mut tx, SEALER, holder).await?;
    tx.commit().await?;
    sealed
}

/// Appends the head to the anchor file when the last time is a day ago and there is something new.
async fn anchor_if_due(desk: &Desk) -> Result<(), Error> {
    let Some(path) = &desk.anchor_file else {
        return Ok(());
    };
    let is_due = |head: &audit::Head, now: crate::clock::Timestamp| {
        head.seq > 0
            && head
                .anchored_at
                .is_none_or(|at| at.plus(ANCHOR_EVERY) <= now)
    };
    {
        let mut tx = desk.database.begin_read().await?;
        let head = audit::head(&mut tx).await?;
        if !is_due(&head, tx.now()) {
            return Ok(());
        }
    }
    let mut tx = desk.database.begin_write().await?;
    let head = audit::head(&mut tx).await?;
    if !is_due(&head, tx.now()) {
        return Ok(());
    }
    let hash = data_encoding::HEXLOWER.encode(&head.hash);
    let line = format!("{} {} {hash}\n", tx.now(), head.seq);
    // The file first: a line that the database forgets is written once more, never lost.
    if let Err(error) = append(path, &line) {
        tracing::error!(path = %path.display(), %error, "the audit head could not be anchored");
        return Ok(());
    }
    audit::mark_anchored(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// Seals, then recomputes the chain from its first entry and compares it with the anchors.
pub async fn verify(desk: &Desk, actor: &Actor) -> Result<Verification, Error> {
    {
        let mut tx = desk.database.begin_read().await?;
        authorise(&mut tx, actor, ReadAudit, Subject::Desk).await?;
    }
    match seal_all(desk).await {
        Err(Error::Failed(error)) if !error.is_transient() => return Ok(unreadable(&error)),
        other => other?,
    };
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadAudit, Subject::Desk).await?;
    let found = match audit::verify(&mut permit).await {
        Err(error) if !error.is_transient() => return Ok(unreadable(&error)),
        other => other?,
    };
    if !found.ok {
        return Ok(found);
    }
    match contradicted_anchor(desk, &mut permit).await? {
        Some((seq, fault)) => Ok(Verification {
            ok: false,
            first_bad: Some(seq),
            fault: Some(fault),
            ..found
        }),
        None => Ok(found),
    }
}

/// The verdict on rows that cannot even be read: no program of ours wrote them.
fn unreadable(error: &StoreError) -> Verification {
    Verification {
        ok: false,
        entries: 0,
        first_bad: Some(0),
        erased: 0,
        head: String::new(),
        fault: Some(format!("it cannot be read: {}", telemetry::chain(error))),
    }
}

/// The first anchor that the chain does not bear out.
async fn contradicted_anchor(desk: &Desk, tx: &mut Tx) -> Result<Option<(i64, String)>, Error> {
    let text = match &desk.anchor_file {
        None => return Ok(None),
        Some(path) if !path.exists() => {
            let head = audit::head(tx).await?;
            let missing = format!("the head was anchored in {}, which is gone", path.display());
            return Ok(head.anchored_at.map(|_| (head.seq, missing)));
        }
        Some(path) => fs::read_to_string(path),
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            return Ok(Some((
                0,
                format!("the anchor file cannot be read: {error}"),
            )));
        }
    };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let seq = words.get(1).and_then(|seq| seq.parse().ok()).unwrap_or(0);
        let hash = audit::chain_hash_at(tx, seq).await?;
        let found = hash.map(|hash| data_encoding::HEXLOWER.encode(&hash));
        if found.as_deref() != words.get(2).copied() {
            return Ok(Some((
                seq,
                format!("the anchor {line:?} is not in the chain"),
            )));
        }
    }
    Ok(None)
}

/// The latest entries, newest first, with their numbers; all of `subject` where one is given.
pub async fn list(
    desk: &Desk,
    actor: &Actor,
    subject: &str,
    limit: i64,
) -> Result<Vec<(Option<i64>, Entry)>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadAudit, Subject::Desk).await?;
    Ok(audit::latest(&mut permit, subject, limit).await?)
}
