//! What is done again and again while the desk is served.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{Desk, Error, audit, onboard},
    store::{chat, jobs},
    telemetry,
};
use tokio_util::sync::CancellationToken;

use super::Ended;

/// How often committed audit entries are sealed.
const SEAL_EVERY: Duration = Duration::from_secs(1);
/// How often the lease on onboardings is renewed.
const SAY_SERVED_EVERY: Duration = Duration::from_secs(5);
/// How often old jobs are forgotten.
const PRUNE_EVERY: Duration = Duration::from_hours(1);
/// How long done jobs stay visible.
const KEEP_JOBS: Duration = Duration::from_hours(7 * 24);

/// Seals committed audit entries until stopped.
pub(super) async fn seal(desk: Arc<Desk>, name: String, stop: CancellationToken) -> Ended {
    while !stop.is_cancelled() {
        log(
            "sealing the audit trail",
            audit::seal_as(&desk, &name).await.map(|_| ()),
        );
        pause(SEAL_EVERY, &stop).await;
    }
    ("sealer", None)
}

/// Says that onboardings are worked on here, so that commands leave them to this process.
pub(super) async fn say_served(desk: Arc<Desk>, name: String, stop: CancellationToken) -> Ended {
    while !stop.is_cancelled() {
        log(
            "renewing the lease on onboardings",
            onboard::renew_serving(&desk, &name).await,
        );
        pause(SAY_SERVED_EVERY, &stop).await;
    }
    log(
        "giving the lease on onboardings back",
        onboard::end_serving(&desk, &name).await,
    );
    ("onboardings", None)
}

/// Forgets jobs that were done long ago, until stopped.
pub(super) async fn prune(desk: Arc<Desk>, stop: CancellationToken) -> Ended {
    while !stop.is_cancelled() {
        log("forgetting old jobs", prune_once(&desk).await);
        pause(PRUNE_EVERY, &stop).await;
    }
    ("pruner", None)
}

async fn prune_once(desk: &Desk) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let before = tx.now().minus(KEEP_JOBS);
    jobs::prune(&mut tx, before).await?;
    chat::prune_handles(&mut tx, before).await?;
    tx.commit().await?;
    Ok(())
}

/// A fault is logged and does not end a periodic task: the next round may succeed.
pub(super) fn log(what: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(what, error = %telemetry::chain(&error), "a periodic task failed");
    }
}

pub(super) async fn pause(period: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(period) => {}
    }
}
