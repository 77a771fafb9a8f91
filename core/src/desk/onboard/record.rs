//! The workers' side: what they are to do, and what became of it. Each write is one unit of work
//! that also ends the job it belongs to, so that a worker whose lease was taken over leaves no trace.

use std::time::Duration;

use super::{
    super::{Desk, Error},
    check, enqueue_progress, enqueue_step, subject,
};
use crate::{
    cloud::CloudError,
    customers::{AccountId, CustomerStatus},
    ids::RunId,
    jobs::{Job, JobError},
    onboarding::{
        Desired, Finding, Run, RunState, Step, StepName, StepState, Verdict, estimate, plan_hash,
    },
    permit::{Actor, Permit, RunOnboarding, Subject, SystemRole, authorise},
    store::{
        audit::{self, Change},
        customers, jobs, leases, onboarding,
    },
};

/// Workers act as this.
pub const WORKER: Actor = Actor::System(SystemRole::Worker);

/// Accounts that AWS makes at once in one organisation.
const MOST_CREATIONS: usize = 5;

/// A run with what its customer is to have.
#[derive(Clone, Debug)]
pub struct Work {
    /// The run.
    pub run: Run,
    /// What is wanted.
    pub desired: Desired,
    /// The run's steps.
    pub steps: Vec<Step>,
}

/// What became of a step.
#[derive(Clone, Debug)]
pub enum StepOutcome {
    /// It is in place, and was seen to be.
    Done {
        /// In words.
        detail: String,
        /// The account, where this step found or made it.
        account: Option<AccountId>,
        /// The unit that holds the account, where this step saw it there.
        ou: Option<String>,
    },
    /// It is to be looked at again.
    Wait {
        /// For what, in words.
        detail: String,
        /// The class of the error, if one made it wait.
        class: Option<&'static str>,
        /// For how long at least.
        after: Duration,
    },
    /// It cannot go on without a person.
    Failed {
        /// Why, and what to do.
        detail: String,
        /// The class of the error.
        class: &'static str,
    },
}

impl StepOutcome {
    /// In place.
    pub fn done(detail: impl Into<String>) -> Self {
        Self::Done {
            detail: detail.into(),
            account: None,
            ou: None,
        }
    }

    /// A person is needed.
    pub fn failed(detail: impl Into<String>) -> Self {
        Self::Failed {
            detail: detail.into(),
            class: "person",
        }
    }
}

impl From<CloudError> for StepOutcome {
    fn from(error: CloudError) -> Self {
        let class = error.class();
        let detail = error.to_string();
        match error {
            CloudError::WaitAndRetry { after, .. } => Self::Wait {
                detail,
                class: Some(class),
                after,
            },
            // Looked at again, which finds whatever it did.
            CloudError::AlreadyDone { .. } | CloudError::UnknownOutcome { .. } => Self::Wait {
                detail,
                class: Some(class),
                after: Duration::from_secs(1),
            },
            CloudError::NeedsPerson { .. } => Self::Failed { detail, class },
        }
    }
}

/// The run that a job is to plan, if it is still wanted.
pub async fn to_observe(desk: &Desk, id: RunId, generation: i64) -> Result<Option<Work>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let Some(run) = onboarding::find(&mut tx, id).await? else {
        return Ok(None);
    };
    if run.state != RunState::Planning || run.generation != generation {
        return Ok(None);
    }
    let desired = check::desired(desk, &run)?;
    Ok(Some(Work {
        run,
        desired,
        steps: Vec::new(),
    }))
}

/// Writes a plan, and ends its job.
pub async fn planned(
    desk: &Desk,
    job: &Job,
    work: Work,
    findings: Vec<(StepName, Finding)>,
    organization: Option<String>,
    times_faster: f64,
) -> Result<(), JobError> {
    let mut tx = desk.database.begin_write().await?;
    let mut run = onboarding::get(&mut tx, work.run.id).await?;
    if run.state != RunState::Planning || run.generation != work.run.generation {
        return end_job(tx, job).await;
    }
    let measured = onboarding::measured(&mut tx, &run.cloud).await?;
    let mut permit = permit(&mut tx).await?;
    run.state = RunState::Planned;
    run.hash = Some(plan_hash(&work.desired, &findings));
    run.organization = organization;
    run.estimate = Some(estimate(&findings, &measured, times_faster));
    onboarding::update(&mut permit, &mut run).await?;
    onboarding::set_plan(&mut permit, &run).await?;
    let steps = findings
        .into_iter()
        .map(|(step, finding)| (step, finding.verdict, finding.detail));
    onboarding::replace_steps(&mut permit, run.id, steps.collect()).await?;
    let change = Change::to(subject(&run))
        .with("customer", run.params.slug.as_str())
        .with("hash", run.hash.clone().unwrap_or_default());
    audit::append(&mut permit, vec![change]).await?;
    enqueue_progress(&mut permit, &run).await?;
    end_job(tx, job).await
}

/// Writes that a plan could not be made, and ends its job: the run is given up, so that the next
/// plan begins anew.
pub async fn plan_failed(
    desk: &Desk,
    job: &Job,
    work: Work,
    reason: String,
) -> Result<(), JobError> {
    let mut tx = desk.database.begin_write().await?;
    let mut run = onboarding::get(&mut tx, work.run.id).await?;
    if run.state != RunState::Planning || run.generation != work.run.generation {
        return end_job(tx, job).await;
    }
    let mut permit = permit(&mut tx).await?;
    run.state = RunState::Cancelled;
    run.note = Some(format!("the cloud could not be looked at: {reason}"));
    onboarding::update(&mut permit, &mut run).await?;
    let change = Change::to(subject(&run)).with("no plan", reason);
    audit::append(&mut permit, vec![change]).await?;
    enqueue_progress(&mut permit, &run).await?;
    end_job(tx, job).await
}

/// The step that a run stands at, noted as begun. `None` where nothing is to be done any more.
pub async fn begin(desk: &Desk, id: RunId) -> Result<Option<(Work, Step)>, Error> {
    let mut tx = desk.database.begin_write().await?;
    let Some(run) = onboarding::find(&mut tx, id).await? else {
        return Ok(None);
    };
    let steps = onboarding::steps(&mut tx, id).await?;
    let Some(step) = steps.iter().find(|step| !step.is_over()).cloned() else {
        return Ok(None);
    };
    if run.state != RunState::Running {
        return Ok(None);
    }
    let desired = check::desired(desk, &run)?;
    check::organization(desk, &run)?;
    onboarding::begin_step(&mut tx, id, step.name).await?;
    let steps = onboarding::steps(&mut tx, id).await?;
    tx.commit().await?;
    let step = steps
        .iter()
        .find(|one| one.name == step.name)
        .cloned()
        .unwrap_or(step);
    Ok(Some((
        Work {
            run,
            desired,
            steps,
        },
        step,
    )))
}

/// The step that a run stands at.
pub async fn current(desk: &Desk, id: RunId) -> Result<Option<StepName>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let steps = onboarding::steps(&mut tx, id).await?;
    Ok(steps
        .into_iter()
        .find(|step| !step.is_over())
        .map(|step| step.name))
}

/// Whether a step that must not be sent twice may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It is noted, and may be sent.
    Noted,
    /// AWS makes as many as it does at once.
    NoRoom,
    /// The run was given up meanwhile.
    Stopped,
}

/// Notes that an account is about to be asked for. `others` counts creations under way in the cloud
/// that are none of ours.
///
/// The lease's row serialises those who count, or two would find the last place free.
pub async fn intend_account(desk: &Desk, run: &Run, others: usize) -> Result<Intent, Error> {
    let mut tx = desk.database.begin_write().await?;
    let now = tx.now();
    let holder = run.id.to_string();
    if leases::acquire(&mut tx, "onboarding:accounts", &holder, now)
        .await?
        .is_none()
    {
        return Ok(Intent::NoRoom);
    }
    if onboarding::get(&mut tx, run.id).await?.state != RunState::Running {
        return Ok(Intent::Stopped);
    }
    let ours = onboarding::creations(&mut tx).await?;
    let ours = ours.iter().filter(|(id, _)| *id != run.id).count();
    if ours + others >= MOST_CREATIONS {
        return Ok(Intent::NoRoom);
    }
    onboarding::intend(&mut tx, run.id, StepName::Account).await?;
    tx.commit().await?;
    Ok(Intent::Noted)
}

/// The names that AWS gave to our creations under way.
pub async fn our_creations(desk: &Desk) -> Result<Vec<String>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let all = onboarding::creations(&mut tx).await?;
    Ok(all.into_iter().filter_map(|(_, name)| name).collect())
}

/// Notes AWS's name for what was asked for.
pub async fn remember(desk: &Desk, run: &Run, step: StepName, name: &str) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    onboarding::remember(&mut tx, run.id, step, name).await?;
    tx.commit().await?;
    Ok(())
}

/// Notes that what was intended certainly did not happen.
pub async fn forget_intent(desk: &Desk, run: &Run, step: StepName) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    onboarding::forget_intent(&mut tx, run.id, step).await?;
    tx.commit().await?;
    Ok(())
}

/// Writes what became of a step, ends its job and has the next one done, in one unit of work.
pub async fn record(
    desk: &Desk,
    job: &Job,
    id: RunId,
    step: StepName,
    outcome: StepOutcome,
) -> Result<(), JobError> {
    let mut tx = desk.database.begin_write().await?;
    let mut run = onboarding::get(&mut tx, id).await?;
    if run.state != RunState::Running {
        return end_job(tx, job).await;
    }
    // Before the next job is added: both have the run's key, and one unfinished job has it.
    jobs::finish(&mut tx, job).await?;
    match outcome {
        StepOutcome::Wait {
            detail,
            class,
            after,
        } => {
            onboarding::note_wait(&mut tx, id, step, detail, class).await?;
            enqueue_step(&mut tx, &run, step, after).await?;
        }
        StepOutcome::Failed { detail, class } => {
            let mut permit = permit(&mut tx).await?;
            run.state = RunState::Failed;
            run.note = Some(format!("{step}: {detail}"));
            let state = StepState::Failed;
            onboarding::end_step(&mut permit, id, step, state, detail.clone(), Some(class)).await?;
            onboarding::update(&mut permit, &mut run).await?;
            audit::append(&mut permit, vec![change(&run, step, state, &detail)]).await?;
            enqueue_progress(&mut permit, &run).await?;
        }
        StepOutcome::Done {
            detail,
            account,
            ou,
        } => {
            let mut permit = permit(&mut tx).await?;
            run.account = account.or(run.account);
            run.ou = ou.or(run.ou);
            if step == StepName::Directory {
                activate(&mut permit, &run).await?;
            }
            let state = StepState::Done;
            onboarding::end_step(&mut permit, id, step, state, detail.clone(), None).await?;
            let mut changes = vec![change(&run, step, state, &detail)];
            go_on(&mut permit, &mut run, &mut changes).await?;
            audit::append(&mut permit, changes).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Passes steps by that this version leaves out, and has the next one done; after the last the run
/// is.
async fn go_on(
    permit: &mut Permit<'_, RunOnboarding>,
    run: &mut Run,
    changes: &mut Vec<Change>,
) -> Result<(), JobError> {
    for step in onboarding::steps(permit, run.id).await? {
        if step.is_over() {
            continue;
        }
        if step.verdict != Verdict::Skipped {
            onboarding::update(permit, run).await?;
            enqueue_step(permit, run, step.name, Duration::ZERO).await?;
            enqueue_progress(permit, run).await?;
            return Ok(());
        }
        let (state, detail) = (StepState::Skipped, step.detail);
        onboarding::end_step(permit, run.id, step.name, state, detail.clone(), None).await?;
        changes.push(change(run, step.name, state, &detail));
    }
    run.state = RunState::Done;
    run.note = None;
    onboarding::update(permit, run).await?;
    changes.push(Change::to(subject(run)).with("state", "done"));
    enqueue_progress(permit, run).await?;
    Ok(())
}

fn change(run: &Run, step: StepName, state: StepState, detail: &str) -> Change {
    Change::to(subject(run))
        .with("step", step.as_str())
        .with("state", state.as_str())
        .with("detail", detail)
}

/// The directory says where the customer is.
async fn activate(permit: &mut Permit<'_, RunOnboarding>, run: &Run) -> Result<(), JobError> {
    let id = run
        .customer
        .ok_or_else(|| JobError::Fail("the run has no customer".to_owned()))?;
    let mut customer = customers::get(permit, id).await?;
    customer.status = CustomerStatus::Active;
    customer.account_id.clone_from(&run.account);
    customer.ou.clone_from(&run.ou);
    customers::update(permit, &customer).await?;
    let change = Change::to(format!("customer:{}", customer.slug))
        .with("status", "active")
        .with("account", run.account.as_ref().map_or("", |id| id.as_str()))
        .with("ou", run.ou.clone().unwrap_or_default());
    Ok(audit::append(permit, vec![change]).await?)
}

async fn permit(tx: &mut crate::store::Tx) -> Result<Permit<'_, RunOnboarding>, JobError> {
    authorise(tx, &WORKER, RunOnboarding, Subject::Desk)
        .await
        .map_err(|error| match error {
            Error::Failed(fault) => fault.into(),
            Error::Refused(refusal) => JobError::Fail(refusal.message),
        })
}

/// Nothing is to be written any more: the job ends.
async fn end_job(mut tx: crate::store::Tx, job: &Job) -> Result<(), JobError> {
    jobs::finish(&mut tx, job).await?;
    tx.commit().await?;
    Ok(())
}
