//! What became of handing a notice over, on whichever channel, and what follows from it.

use std::time::Duration;

use super::deliver::{self, Dispatch};
use crate::{
    desk::{Desk, Error},
    jobs::{Job, JobError},
    paging::next_try,
    telemetry,
};

/// What became of a notice.
#[derive(Debug)]
pub enum Outcome {
    /// The other side has it.
    Sent {
        /// What it said.
        words: String,
        /// What it calls it.
        proof: Option<String>,
    },
    /// Not now, or not known.
    Later {
        /// Why.
        words: String,
        /// Whether it may be there all the same.
        may_have_arrived: bool,
        /// How long the other side asks us to wait.
        wait: Option<Duration>,
    },
    /// Never. Why.
    Never(String),
}

/// A use case that failed, as a job's failure.
fn job_error(error: Error) -> JobError {
    match error {
        Error::Failed(error) => error.into(),
        Error::Refused(refusal) => JobError::Fail(telemetry::chain(&refusal)),
    }
}

/// Records what became of a notice; what failed is tried again soon, and not for long.
pub async fn settle(
    desk: &Desk,
    dispatch: &Dispatch,
    job: &Job,
    outcome: Outcome,
) -> Result<(), JobError> {
    let notice = &dispatch.notice;
    let give_up = async |words: String| match deliver::failed(desk, notice, &words).await {
        Ok(()) => JobError::Fail(words),
        Err(error) => job_error(error),
    };
    let (words, may_have_arrived, asked) = match outcome {
        Outcome::Sent { words, proof } => {
            return deliver::sent(desk, notice, job, &words, proof).await;
        }
        Outcome::Never(words) => return Err(give_up(words).await),
        Outcome::Later {
            words,
            may_have_arrived,
            wait,
        } => (words, may_have_arrived, wait),
    };
    let [.., high, low] = *notice.id.0.as_bytes();
    let random = u16::from_be_bytes([high, low]);
    let Some(wait) = next_try(notice.attempts, deliver::age(desk, notice), random) else {
        return Err(give_up(format!("given up: {words}")).await);
    };
    deliver::postponed(desk, notice, &words, may_have_arrived)
        .await
        .map_err(job_error)?;
    Err(JobError::RetryAfter(
        wait.max(asked.unwrap_or_default()),
        words,
    ))
}
