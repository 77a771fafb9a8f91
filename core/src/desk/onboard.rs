//! Onboarding a customer: plan, start, approve, follow, resume, give up. The cloud is never called
//! from here: jobs do that ([`record`] is their side), so that whoever plans from chat needs no
//! credentials of the cloud.
//!
//! A plan changes nothing. Starting executes exactly the plan that its hash names; where the cloud
//! or the configuration differs by then, the run stops and says what changed.

mod approve;
mod check;
mod control;
mod plan;
pub mod record;
mod report;
mod start;
mod verify;

pub use approve::approve;
pub use control::{cancel, resume};
pub use plan::{PlanRequest, plan};
pub(super) use report::of as report_of;
pub use report::{
    ApprovalReport, RunReport, StepReport, end_serving, find_run, is_served, list, renew_serving,
    status,
};
pub use start::{StartOptions, start};
pub use verify::to_verify;

use super::{Desk, Error};
use crate::{
    ids::RunId,
    jobs::{JobKind, NewJob},
    onboarding::{Approvals, Run, StepName},
    refusal::{Refusal, RefusalCode},
    store::{StoreError, Tx, jobs, onboarding, staff},
};

/// What all onboardings of the organisation share is changed in this lane, one at a time.
const TREE_LANE: &str = "organization";

/// The run that a person names: by id, by the customer's slug, or by the first or last letters of
/// id or hash, six at least.
pub(super) async fn get_run(tx: &mut Tx, text: &str) -> Result<Run, Error> {
    let text = text.trim().to_lowercase();
    if let Ok(id) = text.parse::<RunId>()
        && let Some(run) = onboarding::find(tx, id).await?
    {
        return Ok(run);
    }
    if let Ok(slug) = text.parse()
        && let Some(run) = onboarding::find_by_slug(tx, &slug).await?
    {
        return Ok(run);
    }
    let unknown = || {
        Refusal::not_found("onboarding", &text)
            .with_hint("`tierdesk onboard list --all` shows them; a customer's handle works too")
    };
    if text.len() < 6 {
        return Err(unknown().into());
    }
    let names = |(id, hash): &&(RunId, Option<String>)| {
        let id = id.to_string();
        let is_hash = hash.as_ref().is_some_and(|hash| hash.starts_with(&text));
        id.starts_with(&text) || id.ends_with(&text) || is_hash
    };
    let keys = onboarding::keys(tx).await?;
    let found: Vec<_> = keys.iter().filter(names).collect();
    match found[..] {
        [(id, _)] => Ok(onboarding::get(tx, *id).await?),
        [] => Err(unknown().into()),
        _ => {
            let message = format!("{} onboardings match {text}", found.len());
            Err(Refusal::new(RefusalCode::Invalid, message)
                .with_hint("give more of it")
                .into())
        }
    }
}

/// How a run stands with approvals, now.
pub(super) async fn approvals(desk: &Desk, tx: &mut Tx, run: &Run) -> Result<Approvals, Error> {
    let needed = desk.tier(&run.params.tier)?.approvals;
    let staff = staff::list(tx).await?;
    let approvers = match &run.hash {
        Some(hash) => onboarding::approvers(tx, run.id, hash).await?,
        None => Vec::new(),
    };
    Ok(Approvals::count(needed, run, &staff, &approvers))
}

/// Has a run's next step done.
pub(super) async fn enqueue_step(
    tx: &mut Tx,
    run: &Run,
    step: StepName,
    after: std::time::Duration,
) -> Result<(), StoreError> {
    let lane = if step.is_shared() {
        TREE_LANE.to_owned()
    } else {
        format!("run:{}", run.id)
    };
    let run_at = tx.now().plus(after);
    let job = NewJob {
        lane: Some(lane),
        dedup_key: Some(run.id.to_string()),
        run_at: Some(run_at),
        ..NewJob::new(JobKind::ProvisionStep, serde_json::json!({ "run": run.id }))
    };
    jobs::enqueue(tx, job).await.map(|_| ())
}

/// Tells chat, where somebody there follows the run.
pub(super) async fn enqueue_progress(tx: &mut Tx, run: &Run) -> Result<(), StoreError> {
    if run.chat_channel.is_none() {
        return Ok(());
    }
    let job = NewJob {
        lane: Some(format!("progress:{}", run.id)),
        dedup_key: Some(format!("{}:{}", run.id, run.generation)),
        ..NewJob::new(JobKind::PostProgress, serde_json::json!({ "run": run.id }))
    };
    jobs::enqueue(tx, job).await.map(|_| ())
}

/// How the audit trail calls a run.
pub(super) fn subject(run: &Run) -> String {
    format!("onboarding:{}", run.id)
}
