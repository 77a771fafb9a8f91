//! Runs of onboarding, their steps and approvals.
//!
//! What decides about a run (its state, what a step came to) is changed under a permit and audited.
//! The books on work under way (a step was begun, something is about to be sent) are kept without,
//! as those of jobs are.

use std::collections::BTreeMap;

use super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    customers::{AccountId, DomainName, EmailAddress, Prefix, Slug},
    ids::{CustomerId, RunId, StaffId},
    onboarding::{Estimate, Params, Run, RunState, Step, StepName, StepState, Verdict},
    permit::{ChangesOnboarding, Permit},
    tiers::TierSlug,
};

macro_rules! run_columns {
    () => {
        "id, customer_id, slug, name, tier, contact, domain, prefix, root_email, state, hash, cloud,
         organization, requested_by, requester_id, sole_operator_reason, chat_channel, account_id, ou,
         note, estimate_low, estimate_likely, estimate_high, created_at, updated_at, generation"
    };
}

macro_rules! step_columns {
    () => {
        "name, verdict, detail, state, attempts, intent_at, external_ref, error_class, started_at,
         finished_at"
    };
}

statements! {
    INSERT_RUN = Sql::same(
        "INSERT INTO onboarding_runs (id, slug, name, tier, contact, domain, prefix, root_email, state, cloud,
            requested_by, requester_id, chat_channel, created_at, updated_at, generation)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'planning', $9, $10, $11, $12, $13, $13, 1)");
    UPDATE_RUN = Sql::same(
        "UPDATE onboarding_runs SET customer_id = $2, state = $3, hash = $4, requested_by = $5, requester_id = $6,
            sole_operator_reason = $7, chat_channel = $8, account_id = $9, ou = $10, note = $11, updated_at = $12,
            generation = generation + 1
         WHERE id = $1 AND generation = $13");
    SET_PLAN = Sql::same(
        "UPDATE onboarding_runs SET organization = $2, estimate_low = $3, estimate_likely = $4, estimate_high = $5
         WHERE id = $1");
    GET_RUN = Sql::same(concat!("SELECT ", run_columns!(), " FROM onboarding_runs WHERE id = $1"));
    /// The one that may go on, else the latest.
    FIND_BY_SLUG = Sql::same(concat!("SELECT ", run_columns!(), " FROM onboarding_runs WHERE slug = $1
         ORDER BY CASE WHEN state IN ('done', 'cancelled') THEN 1 ELSE 0 END, created_at DESC, id DESC LIMIT 1"));
    FIND_DONE = Sql::same(concat!("SELECT ", run_columns!(), " FROM onboarding_runs
         WHERE slug = $1 AND state = 'done' ORDER BY created_at DESC, id DESC LIMIT 1"));
    FIND_BY_ROOT = Sql::same(concat!("SELECT ", run_columns!(), " FROM onboarding_runs
         WHERE root_email = $1 AND slug <> $2 AND state <> 'cancelled' ORDER BY created_at, id LIMIT 1"));
    LIST = Sql::same(concat!("SELECT ", run_columns!(), " FROM onboarding_runs
         WHERE $1 = 1 OR state NOT IN ('done', 'cancelled') ORDER BY created_at DESC, id DESC LIMIT $2"));
    /// A page of ids, for names that people shortened.
    RUN_KEYS = Sql::same("SELECT id, hash FROM onboarding_runs ORDER BY created_at DESC, id DESC LIMIT 10000");
    STEPS = Sql::same(concat!("SELECT ", step_columns!(), " FROM onboarding_steps WHERE run_id = $1 ORDER BY position"));
    DELETE_STEPS = Sql::same("DELETE FROM onboarding_steps WHERE run_id = $1");
    INSERT_STEP = Sql::same(
        "INSERT INTO onboarding_steps (run_id, name, position, verdict, detail, state, attempts)
         VALUES ($1, $2, $3, $4, $5, 'pending', 0)");
    BEGIN_STEP = Sql::same(
        "UPDATE onboarding_steps SET state = 'running', attempts = attempts + 1,
            started_at = COALESCE(started_at, $3)
         WHERE run_id = $1 AND name = $2 AND state IN ('pending', 'running', 'failed')");
    INTEND = Sql::same(
        "UPDATE onboarding_steps SET intent_at = $3, external_ref = NULL
         WHERE run_id = $1 AND name = $2 AND state = 'running'");
    REMEMBER = Sql::same(
        "UPDATE onboarding_steps SET external_ref = $3 WHERE run_id = $1 AND name = $2 AND state = 'running'");
    FORGET_INTENT = Sql::same(
        "UPDATE onboarding_steps SET intent_at = NULL, external_ref = NULL
         WHERE run_id = $1 AND name = $2 AND state = 'running'");
    NOTE_WAIT = Sql::same(
        "UPDATE onboarding_steps SET detail = $3, error_class = $4
         WHERE run_id = $1 AND name = $2 AND state = 'running'");
    END_STEP = Sql::same(
        "UPDATE onboarding_steps SET state = $3, detail = $4, error_class = $5,
            started_at = COALESCE(started_at, $6), finished_at = $6
         WHERE run_id = $1 AND name = $2 AND state IN ('pending', 'running', 'failed')");
    RESET_STEP = Sql::same(
        "UPDATE onboarding_steps SET state = 'pending', started_at = NULL, finished_at = NULL, error_class = NULL
         WHERE run_id = $1 AND state = 'failed'");
    CREATIONS = Sql::same(
        "SELECT s.run_id, s.external_ref FROM onboarding_steps s JOIN onboarding_runs r ON r.id = s.run_id
         WHERE s.name = 'account' AND s.state = 'running' AND s.intent_at IS NOT NULL AND r.state = 'running'
         ORDER BY s.run_id");
    MEASURED = Sql::same(
        "SELECT s.name, s.started_at, s.finished_at FROM onboarding_steps s
            JOIN onboarding_runs r ON r.id = s.run_id
         WHERE s.state = 'done' AND s.verdict = 'create' AND r.cloud = $1 AND s.started_at IS NOT NULL
            AND s.finished_at IS NOT NULL ORDER BY s.finished_at DESC, s.name LIMIT 500");
    APPROVE = Sql::same(
        "INSERT INTO onboarding_approvals (run_id, staff_id, hash, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (run_id, staff_id) DO UPDATE SET hash = excluded.hash, at = excluded.at");
    APPROVERS = Sql::same(
        "SELECT staff_id FROM onboarding_approvals WHERE run_id = $1 AND hash = $2 ORDER BY at, staff_id");
}

record! {
    struct RunRow {
        id: RunId,
        customer_id: Option<CustomerId>,
        slug: Slug,
        name: String,
        tier: TierSlug,
        contact: EmailAddress,
        domain: DomainName,
        prefix: Option<Prefix>,
        root_email: EmailAddress,
        state: RunState,
        hash: Option<String>,
        cloud: String,
        organization: Option<String>,
        requested_by: String,
        requester_id: Option<StaffId>,
        sole_operator_reason: Option<String>,
        chat_channel: Option<String>,
        account_id: Option<AccountId>,
        ou: Option<String>,
        note: Option<String>,
        estimate_low: Option<i64>,
        estimate_likely: Option<i64>,
        estimate_high: Option<i64>,
        created_at: Timestamp,
        updated_at: Timestamp,
        generation: i64,
    }
}

record! {
    struct StepRow {
        name: StepName,
        verdict: Verdict,
        detail: String,
        state: StepState,
        attempts: i64,
        intent_at: Option<Timestamp>,
        external_ref: Option<String>,
        error_class: Option<String>,
        started_at: Option<Timestamp>,
        finished_at: Option<Timestamp>,
    }
}

impl From<RunRow> for Run {
    fn from(row: RunRow) -> Self {
        let estimate = match (row.estimate_low, row.estimate_likely, row.estimate_high) {
            (Some(low), Some(likely), Some(high)) => Some(Estimate { low, likely, high }),
            _ => None,
        };
        Self {
            id: row.id,
            customer: row.customer_id,
            params: Params {
                slug: row.slug,
                name: row.name,
                tier: row.tier,
                contact: row.contact,
                domain: row.domain,
                prefix: row.prefix,
            },
            root_email: row.root_email,
            state: row.state,
            hash: row.hash,
            cloud: row.cloud,
            organization: row.organization,
            requested_by: row.requested_by,
            requester: row.requester_id,
            sole_operator_reason: row.sole_operator_reason,
            chat_channel: row.chat_channel,
            account: row.account_id,
            ou: row.ou,
            note: row.note,
            estimate,
            created_at: row.created_at,
            updated_at: row.updated_at,
            generation: row.generation,
        }
    }
}

impl From<StepRow> for Step {
    fn from(row: StepRow) -> Self {
        let StepRow {
            name,
            verdict,
            detail,
            state,
            attempts,
            intent_at,
            external_ref,
            error_class,
            started_at,
            finished_at,
        } = row;
        Self {
            name,
            verdict,
            detail,
            state,
            attempts,
            intent_at,
            external_ref,
            error_class,
            started_at,
            finished_at,
        }
    }
}

/// Adds a run that is being planned. One open run a slug and root address: another is a conflict.
pub async fn insert<A: ChangesOnboarding>(
    permit: &mut Permit<'_, A>,
    run: &Run,
) -> Result<(), StoreError> {
    let (r, p) = (run.clone(), run.params.clone());
    let values = (
        r.id,
        p.slug,
        p.name,
        p.tier,
        p.contact,
        p.domain,
        p.prefix,
        r.root_email,
        r.cloud,
        r.requested_by,
        r.requester,
        r.chat_channel,
        r.created_at,
    );
    permit
        .change()
        .execute_one("onboarding_runs", INSERT_RUN, values)
        .await
}

/// Writes what can change of a run. The generation must be the one read: whoever lost the race to
/// another change is told so, and `run` holds the new one after success.
pub async fn update<A: ChangesOnboarding>(
    permit: &mut Permit<'_, A>,
    run: &mut Run,
) -> Result<(), StoreError> {
    run.updated_at = permit.now();
    let r = run.clone();
    let values = (
        r.id,
        r.customer,
        r.state,
        r.hash,
        r.requested_by,
        r.requester,
        r.sole_operator_reason,
        r.chat_channel,
        r.account,
        r.ou,
        r.note,
        r.updated_at,
        r.generation,
    );
    permit
        .change()
        .execute_one("onboarding_runs", UPDATE_RUN, values)
        .await?;
    run.generation += 1;
    Ok(())
}

/// Writes where a plan was made and how long it may take.
pub async fn set_plan<A: ChangesOnboarding>(
    permit: &mut Permit<'_, A>,
    run: &Run,
) -> Result<(), StoreError> {
    let values = (
        run.id,
        run.organization.clone(),
        run.estimate.map(|estimate| estimate.low),
        run.estimate.map(|estimate| estimate.likely),
        run.estimate.map(|estimate| estimate.high),
    );
    permit
        .change()
        .execute_one("onboarding_runs", SET_PLAN, values)
        .await
}

/// The run with this id.
pub async fn find(tx: &mut Tx, id: RunId) -> Result<Option<Run>, StoreError> {
    one(tx, GET_RUN, (id,)).await
}

/// The run with this id, which must be there.
pub async fn get(tx: &mut Tx, id: RunId) -> Result<Run, StoreError> {
    find(tx, id).await?.ok_or_else(|| StoreError::Inconsistent {
        table: "onboarding_runs",
        detail: format!("run {id} is named and not there"),
    })
}

/// The customer's run that may go on, else its latest.
pub async fn find_by_slug(tx: &mut Tx, slug: &Slug) -> Result<Option<Run>, StoreError> {
    one(tx, FIND_BY_SLUG, (slug.clone(),)).await
}

/// The customer's latest run that was done.
pub async fn find_done(tx: &mut Tx, slug: &Slug) -> Result<Option<Run>, StoreError> {
    one(tx, FIND_DONE, (slug.clone(),)).await
}

/// Another customer's run with this root address.
pub async fn find_by_root(
    tx: &mut Tx,
    address: &EmailAddress,
    not_of: &Slug,
) -> Result<Option<Run>, StoreError> {
    one(tx, FIND_BY_ROOT, (address.clone(), not_of.clone())).await
}

async fn one(tx: &mut Tx, sql: Sql, params: impl super::Params) -> Result<Option<Run>, StoreError> {
    Ok(tx
        .fetch_optional::<RunRow>(sql, params)
        .await?
        .map(Run::from))
}

/// Runs, newest first; those that are over only if `is_all`.
pub async fn list(tx: &mut Tx, is_all: bool, limit: i64) -> Result<Vec<Run>, StoreError> {
    let rows = tx
        .fetch_all::<RunRow>(LIST, (i64::from(is_all), limit))
        .await?;
    Ok(rows.into_iter().map(Run::from).collect())
}

/// Ids and hashes of runs, newest first.
pub async fn keys(tx: &mut Tx) -> Result<Vec<(RunId, Option<String>)>, StoreError> {
    tx.fetch_all(RUN_KEYS, ()).await
}

/// A run's steps, in order.
pub async fn steps(tx: &mut Tx, run: RunId) -> Result<Vec<Step>, StoreError> {
    let rows = tx.fetch_all::<StepRow>(STEPS, (run,)).await?;
    Ok(rows.into_iter().map(Step::from).collect())
}

/// Writes a plan's steps in place of those of an earlier plan.
pub async fn replace_steps<A: ChangesOnboarding>(
    permit: &mut Permit<'_, A>,
    run: RunId,
    steps: Vec<(StepName, Verdict, String)>,
) -> Result<(), StoreError> {
    permit.change().execute(DELETE_STEPS, (run,)).await?;
    for (name, verdict, detail) in steps {
        let values = (run, name, name.position(), verdict, detail);
        permit
            .change()
            .execute_one("onboarding_steps", INSERT_STEP, values)
            .await?;
    }
    Ok(())
}

/// Notes that a step is being worked on.
pub async fn begin_step(tx: &mut Tx, run: RunId, name: StepName) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute_one("onboarding_steps", BEGIN_STEP, (run, name, now))
        .await
}

/// Notes, before it is sent, that something is about to be asked for which must not be sent twice.
pub async fn intend(tx: &mut Tx, run: RunId, name: StepName) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute_one("onboarding_steps", INTEND, (run, name, now))
        .await
}

/// Notes AWS's name for what was asked for.
pub async fn remember(
    tx: &mut Tx,
    run: RunId,
    name: StepName,
    reference: &str,
) -> Result<(), StoreError> {
    let values = (run, name, reference.to_owned());
    tx.execute_one("onboarding_steps", REMEMBER, values).await
}

/// Notes that what was intended certainly did not happen.
pub async fn forget_intent(tx: &mut Tx, run: RunId, name: StepName) -> Result<(), StoreError> {
    tx.execute_one("onboarding_steps", FORGET_INTENT, (run, name))
        .await
}

/// Notes what a step waits for.
pub async fn note_wait(
    tx: &mut Tx,
    run: RunId,
    name: StepName,
    detail: String,
    class: Option<&str>,
) -> Result<(), StoreError> {
    let values = (run, name, detail, class.map(str::to_owned));
    tx.execute_one("onboarding_steps", NOTE_WAIT, values).await
}

/// Writes what became of a step.
pub async fn end_step<A: ChangesOnboarding>(
    permit: &mut Permit<'_, A>,
    run: RunId,
    name: StepName,
    state: StepState,
    detail: String,
    class: Option<&str>,
) -> Result<(), StoreError> {
    let now = permit.now();
    let values = (run, name, state, detail, class.map(str::to_owned), now);
    permit
        .change()
        .execute_one("onboarding_steps", END_STEP, values)
        .await
}

/// Lets failed steps be tried again.
pub async fn reset_failed<A: ChangesOnboarding>(
    permit: &mut Permit<'_, A>,
    run: RunId,
) -> Result<u64, StoreError> {
    permit.change().execute(RESET_STEP, (run,)).await
}

/// The runs whose account is being made, with AWS's name for it once that is known.
pub async fn creations(tx: &mut Tx) -> Result<Vec<(RunId, Option<String>)>, StoreError> {
    tx.fetch_all(CREATIONS, ()).await
}

/// What steps that did something took lately, in seconds.
pub async fn measured(
    tx: &mut Tx,
    cloud: &str,
) -> Result<BTreeMap<StepName, Vec<f64>>, StoreError> {
    let rows: Vec<(StepName, Timestamp, Timestamp)> =
        tx.fetch_all(MEASURED, (cloud.to_owned(),)).await?;
    let mut measured: BTreeMap<StepName, Vec<f64>> = BTreeMap::new();
    for (step, from, to) in rows {
        let seconds = to.since(from).as_secs_f64();
        measured.entry(step).or_default().push(seconds);
    }
    Ok(measured)
}

/// Notes that somebody agrees to exactly this plan.
pub async fn approve<A: ChangesOnboarding>(
    permit: &mut Permit<'_, A>,
    run: RunId,
    staff: StaffId,
    hash: &str,
) -> Result<(), StoreError> {
    let values = (run, staff, hash.to_owned(), permit.now());
    permit
        .change()
        .execute_one("onboarding_approvals", APPROVE, values)
        .await
}

/// Who agreed to exactly this plan.
pub async fn approvers(tx: &mut Tx, run: RunId, hash: &str) -> Result<Vec<StaffId>, StoreError> {
    let rows: Vec<(StaffId,)> = tx.fetch_all(APPROVERS, (run, hash.to_owned())).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
