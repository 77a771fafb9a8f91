//! The engine of pages as a task: goes through their steps when they are due, and sees to it that every
//! page will reach somebody.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    desk::{Desk, Error, oncall, paging::engine, watchdog},
    telemetry,
    tiers::TierSlug,
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
    let mut was_broken = false;
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
            match check(desk, was_broken).await {
                Ok(is_broken) => was_broken = is_broken,
                Err(error) => {
                    let error = telemetry::chain(&error);
                    tracing::error!(error, "pages could not be checked");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = &mut woken => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Calls the catch-all when what was found wrong is so the next time as well. Returns whether anything is.
async fn check(desk: &Desk, was_broken: bool) -> Result<bool, Error> {
    let health = engine::check(desk).await?;
    let uncovered = oncall::uncovered(desk).await?;
    let reason = if let Some(first) = health.broken.first() {
        let count = health.broken.len();
        tracing::error!(first, count, "pages will reach nobody as they are");
        format!("{count} page(s) will reach nobody as they are")
    } else if let Some(fault) = watchdog::fault(desk).await? {
        tracing::error!(fault, "a self-test does not come round");
        fault
    } else if !uncovered.is_empty() {
        let tiers: Vec<&str> = uncovered.iter().map(TierSlug::as_str).collect();
        let tiers = tiers.join(", ");
        tracing::error!(tiers, "nobody is on call");
        format!("nobody is on call for {tiers}")
    } else {
        engine::end_alarm(desk).await?;
        return Ok(false);
    };
    if was_broken {
        engine::raise_alarm(desk, &reason).await?;
    }
    Ok(true)
}
