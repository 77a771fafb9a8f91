//! Telling somebody outside that a self-test came round: jobs of the kind `ping_dead_man`. A GET, which is
//! what such services count; whoever hears nothing for too long raises the alarm.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    clock::Timestamp,
    desk::{Desk, watchdog},
    fault,
    ids::InboxId,
    jobs::{Handler, HandlerFuture, Job, JobError, JobKind},
};

use crate::{
    send::{field, job_error},
    webhook::{Answer, Endpoint, Webhooks},
};

/// The wait before it is tried again.
const AGAIN: Duration = Duration::from_secs(15);
/// Nobody is told of a round that closed longer ago: that would be a lie by now.
const TOO_LATE: Duration = Duration::from_mins(2);

/// Tells a dead-man address.
#[derive(Debug)]
pub struct PingDeadMan {
    /// The desk.
    pub desk: Arc<Desk>,
    /// The way out.
    pub webhooks: Arc<Webhooks>,
    /// The address; none where the configuration names it no more, and an earlier round is still to be told.
    pub endpoint: Option<Endpoint>,
}

impl Handler for PingDeadMan {
    fn kind(&self) -> &str {
        JobKind::PingDeadMan.as_str()
    }

    /// Longer than the client's own limit.
    fn time_limit(&self) -> Duration {
        Duration::from_secs(20)
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let round: InboxId = field(job, "round")?;
            let closed: Timestamp = field(job, "closed")?;
            let record = async |fault: Option<String>| {
                let recorded = watchdog::pinged(&self.desk, round, fault).await;
                recorded.map_err(job_error)
            };
            if self.desk.database.clock().read().since(closed) > TOO_LATE {
                return record(Some("given up: it is too late".to_owned())).await;
            }
            let Some(endpoint) = &self.endpoint else {
                return record(Some("watchdog.ping_url is not set any more".to_owned())).await;
            };
            fault::point("watchdog.before_ping");
            match self.webhooks.ping(endpoint).await {
                Answer::Sent { .. } => record(None).await,
                // The next round tells them anew: no dead letter for a person to look after.
                Answer::Never { words } => {
                    tracing::warn!(reason = words, "the dead-man address does not take pings");
                    record(Some(words)).await
                }
                Answer::Later { words, wait } => {
                    record(Some(words.clone())).await?;
                    Err(JobError::RetryAfter(wait.unwrap_or(AGAIN), words))
                }
                Answer::Unknown { words } => {
                    record(Some(words.clone())).await?;
                    Err(JobError::RetryAfter(AGAIN, words))
                }
            }
        })
    }
}
