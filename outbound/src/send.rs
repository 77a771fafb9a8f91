//! Handing letters over: jobs of the kind `send_mail`, and receipts that are considered.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{Desk, Error, outbox, receipt},
    fault,
    ids::{OutgoingId, TicketId},
    jobs::{Handler, HandlerFuture, Job, JobError, JobKind},
    outgoing::next_try,
    store::outgoing::Outgoing,
    telemetry,
};

use crate::relay::{Answer, Relays};

/// Hands letters over.
#[derive(Debug)]
pub struct SendMail {
    /// The desk they are from.
    pub desk: Arc<Desk>,
    /// The ways out.
    pub relays: Arc<Relays>,
}

impl Handler for SendMail {
    fn kind(&self) -> &str {
        JobKind::SendMail.as_str()
    }

    /// Longer than the relay's own limit.
    fn time_limit(&self) -> Duration {
        Duration::from_mins(7)
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let id: OutgoingId = field(job, "letter")?;
            let begun = outbox::begin(&self.desk, id).await.map_err(job_error)?;
            let Some((letter, bytes)) = begun else {
                // It was taken back, or has left already.
                return Ok(());
            };
            fault::point("mail.begun");
            let relay = self.relays.of(&letter.sender);
            let (name, to) = (letter.id.to_string(), &letter.recipient);
            let answer = relay.send(&name, &letter.sender, to, &bytes).await;
            fault::point("mail.handed_over");
            match answer {
                Answer::Taken(words) => outbox::sent(&self.desk, &letter, job, &words).await,
                Answer::Never(words) => {
                    outbox::failed(&self.desk, &letter, &words).await?;
                    Err(JobError::Fail(words))
                }
                Answer::Later(words) => self.later(&letter, words, false).await,
                Answer::Unknown(words) => self.later(&letter, words, true).await,
            }
        })
    }
}

impl SendMail {
    /// Has the letter tried again, or gives it up after days.
    async fn later(
        &self,
        letter: &Outgoing,
        words: String,
        may_have_arrived: bool,
    ) -> Result<(), JobError> {
        let age = outbox::age(&self.desk, letter);
        let Some(wait) = next_try(letter.attempts, age, spread(&letter.id)) else {
            let words = format!("given up after days of trying: {words}");
            outbox::failed(&self.desk, letter, &words).await?;
            return Err(JobError::Fail(words));
        };
        let noted = outbox::postponed(&self.desk, letter, &words, may_have_arrived).await;
        noted.map_err(job_error)?;
        Err(JobError::RetryAfter(wait, words))
    }
}

/// Considers receipts for tickets that were opened.
#[derive(Debug)]
pub struct SendReceipt {
    /// The desk.
    pub desk: Arc<Desk>,
}

impl Handler for SendReceipt {
    fn kind(&self) -> &str {
        JobKind::SendReceipt.as_str()
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let ticket: TicketId = field(job, "ticket")?;
            let done = receipt::send(&self.desk, &outbox::WORKER, ticket).await;
            if let receipt::Receipted::Withheld(reason) = done.map_err(job_error)? {
                tracing::debug!(ticket.id = %ticket, reason, "no receipt is sent");
            }
            Ok(())
        })
    }
}

pub(crate) fn field<T: std::str::FromStr>(job: &Job, name: &str) -> Result<T, JobError> {
    let payload: serde_json::Value =
        serde_json::from_str(&job.payload).map_err(|fault| JobError::Fail(fault.to_string()))?;
    let text = payload[name].as_str().and_then(|text| text.parse().ok());
    text.ok_or_else(|| JobError::Fail(format!("it names no {name}")))
}

pub(crate) fn job_error(error: Error) -> JobError {
    match error {
        Error::Failed(error) => error.into(),
        Error::Refused(_) => JobError::Fail(telemetry::chain(&error)),
    }
}

/// Spreads letters that failed together: a part of their own ids, which are random at the end.
fn spread(id: &OutgoingId) -> u16 {
    let [.., high, low] = *id.0.as_bytes();
    u16::from_be_bytes([high, low])
}
