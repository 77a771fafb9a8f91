//! Waking tickets that slept until a time: the one kind of job that needs nothing but the desk.

use std::sync::Arc;

use super::{Handler, HandlerFuture, Job, JobError, JobKind};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, work_ticket},
    ids::TicketId,
    telemetry,
};

/// Wakes tickets.
#[derive(Debug)]
pub struct WakeTicket {
    /// The desk.
    pub desk: Arc<Desk>,
}

#[derive(serde::Deserialize)]
struct Payload {
    ticket: TicketId,
    until: Timestamp,
}

impl Handler for WakeTicket {
    fn kind(&self) -> &str {
        JobKind::WakeTicket.as_str()
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let Payload { ticket, until } = serde_json::from_str(&job.payload)
                .map_err(|fault| JobError::Fail(fault.to_string()))?;
            match work_ticket::wake(&self.desk, ticket, until).await {
                Ok(_) => Ok(()),
                Err(Error::Failed(error)) => Err(error.into()),
                Err(error) => Err(JobError::Fail(telemetry::chain(&error))),
            }
        })
    }
}
