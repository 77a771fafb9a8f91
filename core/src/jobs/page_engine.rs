//! The engine of pages as a task: goes through their steps when they are due, and sees to it that every
//! page will reach somebody.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    desk::{
        Desk,
        paging::{alarms, engine},
    },
    telemetry,
};

/// The engine looks at least this often, whatever wakes it.
const POLL: Duration = Duration::from_secs(1);
/// What is due this moment, and somebody else's, is looked at again behind this.
const SOON: Duration = Duration::from_millis(50);
/// How often it is checked that every page will reach somebody.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// Runs the engine until stopped.
pub async fn run(desk: &Desk, stop: &CancellationToken) {
    let mut checked = tokio::time::Instant::now();
    let mut seen = alarms::Seen::default();
    while !stop.is_cancelled() {
        // Registered before the look: a page that is committed in between still wakes us.
        let woken = desk.database.job_added();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let pause = match engine::advance(desk).await {
            Ok(done) if done.pages > 0 => continue,
            // Another engine has it, or it is stuck: no reason to hurry.
            Ok(done) if done.stuck > 0 => POLL,
            Ok(done) => {
                let now = desk.database.clock().read();
                done.next_at
                    .map_or(POLL, |at| at.since(now))
                    .clamp(SOON, POLL)
            }
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::error!(error, "pages could not be gone through; it is tried again");
                POLL
            }
        };
        if checked.elapsed() >= CHECK_EVERY {
            checked = tokio::time::Instant::now();
            alarms::look(desk, &mut seen).await;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = &mut woken => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
