//! The durable queue: work that follows from a change, committed with it, done later, at least
//! once, by whoever claims it.
//!
//! A job has a **lane** (jobs of one lane run one after another, in the order they were made), a
//! **dedup key** (one unfinished job per kind and key), a **lease** (a worker that dies frees the
//! job when the lease ends) and a **generation** (a worker that was only asleep finds that its
//! result is no longer wanted). Handlers are idempotent, because a crash between effect and
//! record repeats the effect.
//!
//! To add a kind: a variant of [`JobKind`], its payload type, and a [`Handler`] registered by the
//! edge that does the work.

pub mod news;
pub mod page_engine;
pub mod wake;
pub mod watchdog;
pub mod worker;

use std::{fmt, future::Future, pin::Pin, time::Duration};

use serde::Serialize;

use crate::{clock::Timestamp, ids::JobId, named::named_enum, store::StoreError};

named_enum! {
    /// What a job does. Verbs.
    pub enum JobKind as "kind of job" {
        /// Processes an arrival that was stored and not processed.
        ProcessInbox = "process_inbox",
        /// Brings a ticket's card in chat in line with the ticket.
        PostTicket = "post_ticket",
        /// Tells a chat what an onboarding has done.
        PostProgress = "post_progress",
        /// Hands a letter over to its relay.
        SendMail = "send_mail",
        /// Tells a customer that their mail opened a ticket.
        SendReceipt = "send_receipt",
        /// Tells somebody of a page in chat.
        SendPageChat = "send_page_chat",
        /// Tells somebody of a page by mail.
        SendPageMail = "send_page_mail",
        /// Tells a webhook of a page.
        SendPageWebhook = "send_page_webhook",
        /// Tells somebody outside that a self-test came round.
        PingDeadMan = "ping_dead_man",
        /// Wakes a ticket that slept until a time.
        WakeTicket = "wake_ticket",
        /// Looks at the cloud and writes an onboarding's plan.
        ObserveCloud = "observe_cloud",
        /// Does the next step of an onboarding.
        ProvisionStep = "provision_step",
    }
}

named_enum! {
    /// Where a job stands.
    pub enum JobState as "job state" {
        /// Waits for its time and a worker.
        Queued = "queued",
        /// A worker has it.
        Leased = "leased",
        /// Done.
        Done = "done",
        /// Given up: a dead letter, kept until a person retries or drops it.
        Dead = "dead",
    }
}

/// A job to be done.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What it does; a text, because tests make their own kinds.
    pub kind: String,
    /// What its handler needs, JSON.
    pub payload: serde_json::Value,
    /// One after another within it.
    pub lane: Option<String>,
    /// At most one unfinished job of its kind has this key.
    pub dedup_key: Option<String>,
    /// Not before.
    pub run_at: Option<Timestamp>,
    /// Tries before it is given up.
    pub max_attempts: i64,
}

impl NewJob {
    /// Tries that an ordinary job gets: with [`backoff`] they spread over about a day.
    pub const MAX_ATTEMPTS: i64 = 20;

    /// A job to be done at once, in no lane.
    pub fn new(kind: JobKind, payload: serde_json::Value) -> Self {
        Self {
            kind: kind.as_str().to_owned(),
            payload,
            lane: None,
            dedup_key: None,
            run_at: None,
            max_attempts: Self::MAX_ATTEMPTS,
        }
    }
}

/// A job as a worker or a person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The id.
    pub id: JobId,
    /// What it does.
    pub kind: String,
    /// What its handler needs.
    pub payload: String,
    /// Its lane.
    pub lane: Option<String>,
    /// Where it stands.
    pub state: JobState,
    /// How often it was begun.
    pub attempts: i64,
    /// How often it may be.
    pub max_attempts: i64,
    /// Not before.
    pub run_at: Timestamp,
    /// Grows with each claim: what a worker wrote under an older one is refused.
    pub generation: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// `jobs list --json`.
#[derive(Clone, Debug, Serialize)]
pub struct JobReport {
    /// The id.
    pub id: JobId,
    /// What it does.
    pub kind: String,
    /// Where it stands.
    pub state: JobState,
    /// How often it was begun.
    pub attempts: i64,
    /// Not before.
    pub run_at: Timestamp,
    /// What went wrong last.
    pub error: Option<String>,
    /// Its lane.
    pub lane: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl From<Job> for JobReport {
    fn from(job: Job) -> Self {
        let Job {
            id,
            kind,
            state,
            attempts,
            run_at,
            lane,
            created_at,
            ..
        } = job;
        Self {
            id,
            kind,
            state,
            attempts,
            run_at,
            error: job.last_error,
            lane,
            created_at,
        }
    }
}

/// What a handler answers when it did not succeed: the retry decision is part of the type.
#[derive(Debug)]
pub enum JobError {
    /// Try again, later.
    Retry(String),
    /// Try again when this time has passed, as the other side asked.
    RetryAfter(Duration, String),
    /// It can never succeed: a dead letter.
    Fail(String),
    /// Another worker has it by now: say nothing, touch nothing.
    Fenced,
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(reason) | Self::RetryAfter(_, reason) | Self::Fail(reason) => {
                f.write_str(reason)
            }
            Self::Fenced => f.write_str("another worker took the job over"),
        }
    }
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        let reason = crate::telemetry::chain(&error);
        if error.is_transient() {
            Self::Retry(reason)
        } else {
            Self::Fail(reason)
        }
    }
}

/// A boxed future, so that handlers of different kinds stand in one table.
pub type HandlerFuture<'h> = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send + 'h>>;

/// Does the jobs of one kind.
pub trait Handler: Send + Sync {
    /// The kind.
    fn kind(&self) -> &str;
    /// How long one run may take; the lease lasts a little longer.
    fn time_limit(&self) -> Duration {
        Duration::from_mins(1)
    }
    /// Does it, at least once. A handler whose effect is in the database finishes the job in the
    /// same unit of work ([`crate::store::jobs::finish`]).
    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h>;
}

/// The first wait after a failure.
const BACKOFF_FIRST: Duration = Duration::from_secs(5);
/// The longest.
const BACKOFF_LONGEST: Duration = Duration::from_hours(2);

/// How long to wait after the `attempts`-th try: doubling from five seconds to two hours, each
/// between half and the whole of that, so that jobs that failed together do not return together.
/// `random` is uniform.
pub fn backoff(attempts: i64, random: u16) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 16)).unwrap_or(16);
    let full = BACKOFF_FIRST
        .saturating_mul(1 << doublings)
        .min(BACKOFF_LONGEST);
    full / 2 + (full / 2).mul_f64(f64::from(random) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_jitter_and_stop_growing() {
        assert_eq!(backoff(1, u16::MAX), BACKOFF_FIRST);
        assert_eq!(backoff(1, 0), BACKOFF_FIRST / 2);
        assert_eq!(backoff(3, u16::MAX), BACKOFF_FIRST * 4);
        assert_eq!(backoff(i64::MAX, u16::MAX), BACKOFF_LONGEST);
        assert!(backoff(-5, 7) >= BACKOFF_FIRST / 2);
    }
}
