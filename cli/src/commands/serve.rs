//! Running the desk: one process, its parts as named tasks. A part that ends early ends the
//! process, so that whatever supervises it notices.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{Desk, Error, audit},
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

use crate::{args::ServeRole, exit::Exit, output::Output, program::Program};

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
        let name = format!("{absent:?}").to_lowercase();
        let message = format!("this version has no {name} role; nothing was started");
        let hint = "--role worker, or no --role at all";
        return Err(Refusal::new(RefusalCode::Invalid, message)
            .with_hint(hint)
            .into());
    }
    Program::warn(desk, output).await?;
    let desk = Arc::new(desk.clone());
    let stop = CancellationToken::new();
    let mut parts = JoinSet::new();
    let name = super::holder();
    let handler = Arc::new(ProcessInbox {
        desk: Arc::clone(&desk),
    });
    let worker = Worker::new(desk.database.clone(), name.clone(), vec![handler]);
    let heard = stop.clone();
    parts.spawn(async move {
        worker.run(heard).await;
        "worker"
    });
    parts.spawn(seal(Arc::clone(&desk), name, stop.clone()));
    parts.spawn(prune(desk, stop.clone()));
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

/// Seals committed audit entries until stopped.
async fn seal(desk: Arc<Desk>, name: String, stop: CancellationToken) -> &'static str {
    while !stop.is_cancelled() {
        log(
            "sealing the audit trail",
            audit::seal_as(&desk, &name).await.map(|_| ()),
        );
        pause(SEAL_EVERY, &stop).await;
    }
    "sealer"
}

/// Forgets jobs that were done long ago, until stopped.
async fn prune(desk: Arc<Desk>, stop: CancellationToken) -> &'static str {
    while !stop.is_cancelled() {
        log("forgetting old jobs", prune_once(&desk).await);
        pause(PRUNE_EVERY, &stop).await;
    }
    "pruner"
}

async fn prune_once(desk: &Desk) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let before = tx.now().minus(KEEP_JOBS);
    jobs::prune(&mut tx, before).await?;
    tx.commit().await?;
    Ok(())
}

/// A fault is logged and does not end a periodic task: the next round may succeed.
fn log(what: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(what, error = %telemetry::chain(&error), "a periodic task failed");
    }
}

async fn pause(period: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(period) => {}
    }
}
