//! The worker: claims due jobs of the kinds registered with it, runs them within their time limit,
//! records what became of them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{Handler, Job, JobError, backoff};
use crate::{
    fault,
    store::{Database, StoreError, TextList, jobs},
};

/// A worker looks for jobs at least this often, whatever wakes it.
const POLL: Duration = Duration::from_secs(1);
/// How much longer a lease lasts than its handler may run.
const LEASE_SLACK: Duration = Duration::from_secs(30);
/// The wait after the database could not be asked.
const PAUSE_ON_FAULT: Duration = Duration::from_secs(1);

/// Runs jobs of the kinds it has handlers for.
pub struct Worker {
    database: Database,
    name: String,
    handlers: HashMap<String, Arc<dyn Handler>>,
    kinds: TextList,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.name)
            .field("kinds", &self.kinds.0)
            .finish_non_exhaustive()
    }
}

/// What one look at the queue found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// A job was done.
    Done,
    /// A job failed and will be tried again.
    Postponed,
    /// A job was given up.
    Dead,
    /// Another worker took the job over; this one's result was thrown away.
    Fenced,
    /// Nothing is due.
    Idle,
}

impl Worker {
    /// A worker that shows up as `name` in job rows.
    pub fn new(
        database: Database,
        name: impl Into<String>,
        handlers: Vec<Arc<dyn Handler>>,
    ) -> Self {
        let handlers: HashMap<_, _> = handlers
            .into_iter()
            .map(|handler| (handler.kind().to_owned(), handler))
            .collect();
        let mut kinds: Vec<String> = handlers.keys().cloned().collect();
        kinds.sort();
        Self {
            database,
            name: name.into(),
            handlers,
            kinds: TextList(kinds),
        }
    }

    /// Runs until `stop`, which lets the job in hand end.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = self.work_until(&stop) => {}
            () = self.database.listen() => {}
        }
    }

    async fn work_until(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            // Registered before the look: a job committed in between still wakes us.
            let woken = self.database.job_added();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let pause = match self.tick().await {
                Ok(Tick::Idle) => self.until_next().await.unwrap_or(POLL),
                Ok(_) => continue,
                Err(error) => {
                    let error = crate::telemetry::chain(&error);
                    tracing::warn!(worker = self.name, error, "the job queue could not be read");
                    PAUSE_ON_FAULT
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = &mut woken => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Runs due jobs until none is due. Returns how many were done.
    pub async fn drain(&self) -> Result<usize, StoreError> {
        let mut done = 0;
        loop {
            match self.tick().await? {
                Tick::Idle => return Ok(done),
                Tick::Done => done += 1,
                Tick::Postponed | Tick::Dead | Tick::Fenced => {}
            }
        }
    }

    /// Claims one job and runs it.
    pub async fn tick(&self) -> Result<Tick, StoreError> {
        let Some(job) = self.claim().await? else {
            return Ok(Tick::Idle);
        };
        fault::point("job.claimed");
        self.work(&job).await
    }

    /// Claims the next due job without running it.
    pub async fn claim(&self) -> Result<Option<Job>, StoreError> {
        if !self.has_due().await? {
            return Ok(None);
        }
        let mut tx = self.database.begin_write().await?;
        let longest = self
            .handlers
            .values()
            .map(|handler| handler.time_limit())
            .max();
        let until = tx.now().plus(longest.unwrap_or_default() + LEASE_SLACK);
        match jobs::claim(&mut tx, &self.kinds, &self.name, until).await {
            Ok(Some(job)) => {
                tx.commit().await?;
                Ok(Some(job))
            }
            // Another worker took the same lane at the same moment: it will be free later.
            Ok(None) | Err(StoreError::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Looks before taking the write lock: an idle worker must not disturb writers.
    async fn has_due(&self) -> Result<bool, StoreError> {
        let mut tx = self.database.begin_read().await?;
        let now = tx.now();
        Ok(jobs::next_at(&mut tx, &self.kinds)
            .await?
            .is_some_and(|at| at <= now))
    }

    /// Runs a claimed job and records what became of it.
    pub async fn work(&self, job: &Job) -> Result<Tick, StoreError> {
        let Some(handler) = self.handlers.get(&job.kind) else {
            return self
                .settle(job, JobError::Retry(format!("no handler for {}", job.kind)))
                .await;
        };
        if job.attempts > job.max_attempts {
            let reason = format!("its worker died {} times", job.attempts - 1);
            return self.settle(job, JobError::Fail(reason)).await;
        }
        let outcome = match tokio::time::timeout(handler.time_limit(), handler.run(job)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(JobError::Retry(format!(
                "it took longer than {:?}",
                handler.time_limit()
            ))),
        };
        fault::point("job.ran");
        match outcome {
            Ok(()) => self.finish(job).await,
            Err(error) => self.settle(job, error).await,
        }
    }

    /// Records success, unless the handler did so with its effect.
    async fn finish(&self, job: &Job) -> Result<Tick, StoreError> {
        let mut tx = self.database.begin_write().await?;
        if jobs::finish(&mut tx, job).await.is_ok() {
            tx.commit().await?;
            return Ok(Tick::Done);
        }
        let now = jobs::find(&mut tx, job.id).await?;
        let is_ours = now.is_some_and(|now| {
            now.generation == job.generation && now.state == super::JobState::Done
        });
        Ok(if is_ours { Tick::Done } else { Tick::Fenced })
    }

    async fn settle(&self, job: &Job, error: JobError) -> Result<Tick, StoreError> {
        let reason = error.to_string();
        let is_last = job.attempts >= job.max_attempts;
        let mut tx = self.database.begin_write().await?;
        let (kept, tick) = match error {
            JobError::Fenced => (false, Tick::Fenced),
            JobError::Retry(_) if !is_last => {
                let random = u16::from_be_bytes(tx.random());
                let run_at = tx.now().plus(backoff(job.attempts, random));
                (
                    jobs::postpone(&mut tx, job, run_at, &reason).await?,
                    Tick::Postponed,
                )
            }
            JobError::RetryAfter(span, _) => {
                // Those that wait for one limit must not all come back at one instant.
                let random = u32::from(u16::from_be_bytes(tx.random()));
                let spread = span.max(Duration::from_millis(200)) * random / (4 * 65_536);
                let run_at = tx.now().plus(span + spread);
                (
                    jobs::put_off(&mut tx, job, run_at, &reason).await?,
                    Tick::Postponed,
                )
            }
            JobError::Retry(_) | JobError::Fail(_) => {
                (jobs::bury(&mut tx, job, &reason).await?, Tick::Dead)
            }
        };
        tx.commit().await?;
        if !kept {
            return Ok(Tick::Fenced);
        }
        let (id, kind) = (job.id, &job.kind);
        tracing::warn!(job.id = %id, job.kind = kind, reason, outcome = ?tick, "job failed");
        Ok(tick)
    }

    /// The time until the next job could be claimed, at most [`POLL`].
    async fn until_next(&self) -> Result<Duration, StoreError> {
        let mut tx = self.database.begin_read().await?;
        let now = tx.now();
        let next = jobs::next_at(&mut tx, &self.kinds).await?;
        // A due job that could not be claimed waits for its lane: look again soon, not at once.
        Ok(next.map_or(POLL, |at| at.since(now).clamp(POLL / 20, POLL)))
    }
}
