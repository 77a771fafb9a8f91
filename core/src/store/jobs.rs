//! Job rows: enqueue, claim, finish.

use super::{
    Sql, StoreError, TextList, Tx,
    bulk::{BulkRow, Cell, Kind},
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::JobId,
    jobs::{Job, JobError, JobState, NewJob},
    permit::{ChangesJobs, Permit},
};

/// Wakes the workers of other processes when the unit of work commits.
pub(super) const NOTIFY: &str = "SELECT pg_notify('tierdesk_jobs', '')";

macro_rules! job_columns {
    () => {
        "id, kind, payload, lane, state, attempts, max_attempts, run_at, generation, created_at,
         finished_at, last_error"
    };
}

/// No other job of `j`'s lane is running or older. The unique index on leased lanes catches what
/// two claims at the same moment cannot see of each other.
macro_rules! lane_is_free {
    () => {
        "(j.lane IS NULL OR NOT EXISTS (
            SELECT 1 FROM jobs e WHERE e.lane = j.lane AND e.id <> j.id AND e.state IN ('queued', 'leased')
              AND (e.state = 'leased' OR (e.created_at, e.id) < (j.created_at, j.id))))"
    };
}

/// A job may be claimed when it is due, is queued or its lease has ended, and its lane is free.
macro_rules! claimable {
    () => {
        concat!("j.run_at <= $1 AND (j.state = 'queued' OR (j.state = 'leased' AND j.leased_until <= $1)) AND ",
            lane_is_free!())
    };
}

statements! {
    INSERT = Sql::same(
        "INSERT INTO jobs (id, kind, payload, lane, dedup_key, state, attempts, max_attempts, run_at,
            generation, created_at)
         VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6, $7, 0, $8)
         ON CONFLICT (kind, dedup_key) WHERE state IN ('queued', 'leased') DO NOTHING");
    CLAIM = Sql::per_backend(
        concat!("UPDATE jobs SET state = 'leased', leased_by = $2, leased_until = $3,
                generation = generation + 1, attempts = attempts + 1
            WHERE id = (SELECT j.id FROM jobs j WHERE j.kind IN (SELECT value FROM json_each($4)) AND ",
            claimable!(), " ORDER BY j.run_at, j.id LIMIT 1) RETURNING ", job_columns!()),
        concat!("UPDATE jobs SET state = 'leased', leased_by = $2, leased_until = $3,
                generation = generation + 1, attempts = attempts + 1
            WHERE id = (SELECT j.id FROM jobs j WHERE j.kind = ANY($4) AND ",
            claimable!(), " ORDER BY j.run_at, j.id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING ", job_columns!()));
    /// Exact for lanes too: what a lane holds back does not count as due.
    NEXT_AT = Sql::per_backend(
        concat!("SELECT MIN(CASE WHEN j.state = 'leased' THEN j.leased_until ELSE j.run_at END) AS at FROM jobs j
            WHERE j.state IN ('queued', 'leased') AND j.kind IN (SELECT value FROM json_each($1)) AND ",
            lane_is_free!()),
        concat!("SELECT MIN(CASE WHEN j.state = 'leased' THEN j.leased_until ELSE j.run_at END) AS at FROM jobs j
            WHERE j.state IN ('queued', 'leased') AND j.kind = ANY($1) AND ", lane_is_free!()));
    OLDEST_DUE = Sql::same(
        concat!("SELECT MIN(CASE WHEN j.state = 'leased' THEN j.leased_until ELSE j.run_at END) AS at FROM jobs j
            WHERE ", claimable!()));
    DUE_KEYS = Sql::same(
        "SELECT dedup_key FROM jobs WHERE kind = $1 AND state = 'queued' AND run_at <= $2 AND dedup_key IS NOT NULL
         ORDER BY run_at, id LIMIT $3");
    FINISH = Sql::same(
        "UPDATE jobs SET state = 'done', finished_at = $3, leased_by = NULL, leased_until = NULL, last_error = NULL
         WHERE id = $1 AND generation = $2 AND state = 'leased'");
    FINISH_BY_KEY = Sql::same(
        "UPDATE jobs SET state = 'done', finished_at = $3, leased_by = NULL, leased_until = NULL,
            generation = generation + 1
         WHERE kind = $1 AND dedup_key = $2 AND state IN ('queued', 'leased')");
    POSTPONE = Sql::same(
        "UPDATE jobs SET state = 'queued', run_at = $3, last_error = $4, leased_by = NULL, leased_until = NULL
         WHERE id = $1 AND generation = $2 AND state = 'leased'");
    /// Nothing was tried, so no try is counted.
    PUT_OFF = Sql::same(
        "UPDATE jobs SET state = 'queued', run_at = $3, last_error = $4, leased_by = NULL, leased_until = NULL,
            attempts = attempts - 1
         WHERE id = $1 AND generation = $2 AND state = 'leased'");
    BURY = Sql::same(
        "UPDATE jobs SET state = 'dead', finished_at = $3, last_error = $4, leased_by = NULL, leased_until = NULL
         WHERE id = $1 AND generation = $2 AND state = 'leased'");
    HASTEN = Sql::same(
        "UPDATE jobs SET run_at = $2 WHERE lane = $1 AND state = 'queued' AND run_at > $2");
    RENEW = Sql::same(
        "UPDATE jobs SET leased_until = $3 WHERE id = $1 AND generation = $2 AND state = 'leased'");
    LIST = Sql::per_backend(
        concat!("SELECT ", job_columns!(), " FROM jobs WHERE state IN (SELECT value FROM json_each($1))
            ORDER BY created_at DESC, id DESC LIMIT $2"),
        concat!("SELECT ", job_columns!(), " FROM jobs WHERE state = ANY($1)
            ORDER BY created_at DESC, id DESC LIMIT $2"));
    GET = Sql::same(concat!("SELECT ", job_columns!(), " FROM jobs WHERE id = $1"));
    RETRY = Sql::same(
        "UPDATE jobs SET state = 'queued', attempts = 0, run_at = $2, finished_at = NULL,
            generation = generation + 1
         WHERE id = $1 AND (state = 'dead' OR (state = 'queued' AND run_at > $2))");
    DROP = Sql::same(
        "UPDATE jobs SET state = 'done', finished_at = $2, last_error = $3, generation = generation + 1,
            leased_by = NULL, leased_until = NULL
         WHERE id = $1 AND state IN ('queued', 'dead')");
    PRUNE = Sql::same("DELETE FROM jobs WHERE state = 'done' AND finished_at < $1");
    COUNT_UNFINISHED = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM jobs WHERE state IN ('queued', 'leased')");
}

record! {
    struct Row {
        id: JobId,
        kind: String,
        payload: String,
        lane: Option<String>,
        state: JobState,
        attempts: i64,
        max_attempts: i64,
        run_at: Timestamp,
        generation: i64,
        created_at: Timestamp,
        finished_at: Option<Timestamp>,
        last_error: Option<String>,
    }
}

impl From<Row> for Job {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            payload: row.payload,
            lane: row.lane,
            state: row.state,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            run_at: row.run_at,
            generation: row.generation,
            created_at: row.created_at,
            finished_at: row.finished_at,
            last_error: row.last_error,
        }
    }
}

/// Adds a job to this unit of work. Returns its id, or `None` where an unfinished job of its kind
/// has the same dedup key.
pub async fn enqueue(tx: &mut Tx, job: NewJob) -> Result<Option<JobId>, StoreError> {
    let (id, now): (JobId, _) = (tx.new_id(), tx.now());
    let NewJob {
        kind,
        payload,
        lane,
        dedup_key,
        run_at,
        max_attempts,
    } = job;
    let run_at = run_at.unwrap_or(now);
    let values = (
        id,
        kind,
        payload.to_string(),
        lane,
        dedup_key,
        max_attempts,
        run_at,
        now,
    );
    let added = tx.execute(INSERT, values).await? == 1;
    if added {
        tx.wake_workers();
    }
    Ok(added.then_some(id))
}

/// A job row that is inserted with others.
pub(super) struct NewRow {
    id: JobId,
    job: NewJob,
    now: Timestamp,
}

impl BulkRow for NewRow {
    const TABLE: &'static str = "jobs";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("kind", Kind::Text),
        ("payload", Kind::Text),
        ("lane", Kind::Text),
        ("dedup_key", Kind::Text),
        ("state", Kind::Text),
        ("attempts", Kind::Int),
        ("max_attempts", Kind::Int),
        ("run_at", Kind::Time),
        ("generation", Kind::Int),
        ("created_at", Kind::Time),
    ];
    const ON_CONFLICT: &'static str =
        "ON CONFLICT (kind, dedup_key) WHERE state IN ('queued', 'leased') DO NOTHING";
    fn cells(self, out: &mut Vec<Cell>) {
        let Self { id, job, now } = self;
        let run_at = job.run_at.unwrap_or(now);
        out.extend([id.0.into(), job.kind.into(), job.payload.to_string().into()]);
        out.extend([job.lane.into(), job.dedup_key.into(), "queued".into()]);
        out.extend([0.into(), job.max_attempts.into(), run_at.into()]);
        out.extend([0.into(), now.into()]);
    }
}

/// Adds jobs to this unit of work, set-wise. One whose dedup key an unfinished job of its kind has
/// is left out.
pub async fn enqueue_many(tx: &mut Tx, jobs: Vec<NewJob>) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(jobs.len());
    for job in jobs {
        let (id, now) = (tx.new_id(), tx.now());
        rows.push(NewRow { id, job, now });
    }
    if tx.insert_many(rows).await? > 0 {
        tx.wake_workers();
    }
    Ok(())
}

/// Claims the next due job of `kinds` until `until`. A lane that another worker took at the same
/// moment is a conflict: roll back and ask again.
pub async fn claim(
    tx: &mut Tx,
    kinds: &TextList,
    worker: &str,
    until: Timestamp,
) -> Result<Option<Job>, StoreError> {
    let values = (tx.now(), worker.to_owned(), until, kinds.clone());
    Ok(tx
        .fetch_optional::<Row>(CLAIM, values)
        .await?
        .map(Job::from))
}

/// When the next job of `kinds` could be claimed, if nothing changes.
pub async fn next_at(tx: &mut Tx, kinds: &TextList) -> Result<Option<Timestamp>, StoreError> {
    let (at,): (Option<Timestamp>,) = tx.fetch_one("jobs", NEXT_AT, (kinds.clone(),)).await?;
    Ok(at)
}

/// Since when the job that waits longest could have been claimed, of whatever kind.
pub async fn oldest_due(tx: &mut Tx) -> Result<Option<Timestamp>, StoreError> {
    let now = tx.now();
    let (at,): (Option<Timestamp>,) = tx.fetch_one("jobs", OLDEST_DUE, (now,)).await?;
    Ok(at)
}

/// The dedup keys of jobs of this kind that are due and that no worker has, oldest first.
pub async fn list_due_keys(tx: &mut Tx, kind: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    let values = (kind.to_owned(), tx.now(), limit);
    let rows: Vec<(String,)> = tx.fetch_all(DUE_KEYS, values).await?;
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

/// Marks a claimed job as done, in the unit of work that holds its effect. A worker whose lease
/// was taken over is fenced, and its effect rolls back with this.
pub async fn finish(tx: &mut Tx, job: &Job) -> Result<(), JobError> {
    let now = tx.now();
    match tx.execute(FINISH, (job.id, job.generation, now)).await? {
        1 => Ok(()),
        _ => Err(JobError::Fenced),
    }
}

/// Marks the unfinished job of this kind and key as done, because its work was done another way.
/// A worker that holds it is fenced.
pub async fn finish_by_key(tx: &mut Tx, kind: &str, key: &str) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(FINISH_BY_KEY, (kind.to_owned(), key.to_owned(), now))
        .await
        .map(|_| ())
}

/// Has what waits in a lane for its next try tried now: something new stands behind it.
pub async fn hasten(tx: &mut Tx, lane: &str) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(HASTEN, (lane.to_owned(), now)).await.map(|_| ())
}

/// Gives a claimed job back until `run_at`. Returns whether it was still ours.
pub async fn postpone(
    tx: &mut Tx,
    job: &Job,
    run_at: Timestamp,
    error: &str,
) -> Result<bool, StoreError> {
    let values = (job.id, job.generation, run_at, error.to_owned());
    Ok(tx.execute(POSTPONE, values).await? == 1)
}

/// Puts a claimed job back because its turn has not come. Returns whether it was still ours.
pub async fn put_off(
    tx: &mut Tx,
    job: &Job,
    run_at: Timestamp,
    reason: &str,
) -> Result<bool, StoreError> {
    let values = (job.id, job.generation, run_at, reason.to_owned());
    Ok(tx.execute(PUT_OFF, values).await? == 1)
}

/// Gives a claimed job up. Returns whether it was still ours.
pub async fn bury(tx: &mut Tx, job: &Job, error: &str) -> Result<bool, StoreError> {
    let values = (job.id, job.generation, tx.now(), error.to_owned());
    Ok(tx.execute(BURY, values).await? == 1)
}

/// Extends the lease of a claimed job. Returns whether it was still ours.
pub async fn renew(tx: &mut Tx, job: &Job, until: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(RENEW, (job.id, job.generation, until)).await? == 1)
}

/// The newest jobs in these states.
pub async fn list(tx: &mut Tx, states: &[JobState], limit: i64) -> Result<Vec<Job>, StoreError> {
    let states: TextList = states.iter().map(|state| state.as_str()).collect();
    Ok(tx
        .fetch_all::<Row>(LIST, (states, limit))
        .await?
        .into_iter()
        .map(Job::from)
        .collect())
}

/// The job with this id.
pub async fn find(tx: &mut Tx, id: JobId) -> Result<Option<Job>, StoreError> {
    Ok(tx.fetch_optional::<Row>(GET, (id,)).await?.map(Job::from))
}

/// Runs a dead or waiting job now. Returns whether it was one. Another unfinished job with its
/// dedup key is a conflict.
pub async fn retry<A: ChangesJobs>(
    permit: &mut Permit<'_, A>,
    id: JobId,
) -> Result<bool, StoreError> {
    let now = permit.now();
    let tx = permit.change();
    let changed = tx.execute(RETRY, (id, now)).await? == 1;
    if changed {
        tx.wake_workers();
    }
    Ok(changed)
}

/// Gives a dead or queued job up for good. Returns whether it was one.
pub async fn drop_job<A: ChangesJobs>(
    permit: &mut Permit<'_, A>,
    id: JobId,
    reason: String,
) -> Result<bool, StoreError> {
    let now = permit.now();
    Ok(permit.change().execute(DROP, (id, now, reason)).await? == 1)
}

/// Forgets jobs that were done before `before`.
pub async fn prune(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PRUNE, (before,)).await
}

/// How many jobs wait or run.
pub async fn count_unfinished(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(tx
        .fetch_one::<(i64,)>("jobs", COUNT_UNFINISHED, ())
        .await?
        .0)
}
