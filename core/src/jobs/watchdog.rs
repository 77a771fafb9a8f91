//! The desk's self-tests as a task: has one begin whenever one is due.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    desk::{Desk, watchdog},
    telemetry,
};

/// It is looked at least this often whether one is due.
const POLL: Duration = Duration::from_secs(10);

/// Has self-tests begin until stopped; at once where none began in this span.
pub async fn run(desk: &Desk, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match watchdog::begin(desk).await {
            Ok(false) => {}
            Ok(true) => tracing::debug!("a self-test begins"),
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::error!(error, "no self-test could begin; it is tried again");
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}
