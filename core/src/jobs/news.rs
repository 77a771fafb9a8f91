//! What people are told that calls nobody, as a task: handoffs, shifts that begin soon, digests.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    desk::{Desk, oncall, paging::digest},
    telemetry,
};

/// It is looked this often whether there is something to tell.
const POLL: Duration = Duration::from_secs(10);

/// Tells people until stopped.
pub async fn run(desk: &Desk, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = oncall::tell_handoffs(desk).await {
            let error = telemetry::chain(&error);
            tracing::error!(error, "nobody could be told of handoffs; it is tried again");
        }
        if let Err(error) = digest::send_due(desk).await {
            let error = telemetry::chain(&error);
            tracing::error!(error, "no digest could be written; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}
