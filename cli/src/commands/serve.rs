//! Running the desk: one process, its parts as named tasks. A part that ends early ends the
//! process, so that whatever supervises it notices.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{Desk, audit},
    jobs::worker::Worker,
    refusal::{Refusal, RefusalCode},
    store::jobs,
    telemetry,
};
use tierdesk_ingest::process::ProcessInbox;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{args::ServeRole, exit::Exit, output::Output};

/// How often committed audit entries are sealed.
const SEAL_EVERY: Duration = Duration::from_secs(1);
/// How often old jobs are forgotten.
const PRUNE_EVERY: Duration = Duration::from_hours(1);
/// How long done jobs stay visible.
const KEEP_JOBS: Duration = Duration::from_hours(7 * 24);
/// How long the parts may take to end. Below the ten seconds that are promised.
const GRACE: Duration = Duration::from_secs(8);

pub(super) async fn run(desk: &Desk, roles: &[ServeRole], output: &Output) -> anyhow::Result<Exit> {
    let is_absent = |role: &&ServeRole| !matches!(role, ServeRole::All | ServeRole::Worker);
    if let Some(absent) = roles.iter().find(is_absent) {
        let message = format!("this version has no {absent:?} role; nothing was started");
        let hint = "--role worker, or no --role at all";
        return Err(Refusal::new(RefusalCode::Invalid, message)
            .with_hint(hint)
            .into());
    }
    let desk = Arc::new(desk.clone());
    let stop = CancellationToken::new();
    let mut parts = JoinSet::new();
    let name = super::holder();
    let handler = Arc::new(ProcessInbox {
        desk: Arc::clone(&desk),
    });
    let worker = Worker::new(desk.database.clone(), name.clone(), vec![handler]);
    let (at, heard) = (Arc::clone(&desk), stop.clone());
    parts.spawn(async move {
        worker.run(heard).await;
        "worker"
    });
    let heard = stop.clone();
    parts.spawn(async move {
        every(SEAL_EVERY, &heard, async || {
            audit::seal_as(&at, &name).await.map(|_| ())
        })
        .await;
        "sealer"
    });
    let (at, heard) = (Arc::clone(&desk), stop.clone());
    parts.spawn(async move {
        every(PRUNE_EVERY, &heard, async || prune(&at).await).await;
        "pruner"
    });
    output.note("tierdesk serves: worker, audit sealer. Ctrl-C or SIGTERM ends it.");
    let mut terminate = signal(SignalKind::terminate())?;
    let exit = tokio::select! {
        _ = terminate.recv() => Exit::Done,
        _ = tokio::signal::ctrl_c() => Exit::Done,
        ended = parts.join_next() => {
            let part = ended.and_then(Result::ok).unwrap_or("a part that panicked");
            output.note(format!("tierdesk: {part} ended early; ending the process"));
            Exit::Failed
        }
    };
    stop.cancel();
    let all = async { while parts.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        output.note("tierdesk: work in hand was cut off; it is done again when its lease ends");
        parts.abort_all();
    }
    Ok(exit)
}

/// Does `work` again and again until stopped. A fault is logged and does not end it.
async fn every(
    period: Duration,
    stop: &CancellationToken,
    mut work: impl AsyncFnMut() -> Result<(), tierdesk_core::desk::Error>,
) {
    while !stop.is_cancelled() {
        if let Err(error) = work().await {
            tracing::warn!(error = %telemetry::chain(&error), "a periodic task failed");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(period) => {}
        }
    }
}

async fn prune(desk: &Desk) -> Result<(), tierdesk_core::desk::Error> {
    let mut tx = desk.database.begin_write().await?;
    let before = tx.now().minus(KEEP_JOBS);
    jobs::prune(&mut tx, before).await?;
    tx.commit().await?;
    Ok(())
}
