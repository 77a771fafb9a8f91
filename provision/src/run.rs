//! Runs as jobs: one looks at the cloud and writes the plan, the others do a step each.
//!
//! A step is noted as begun, then observed, decided, acted on and observed again outside any unit of
//! work; what became of it, the end of its job and the next job are committed together. A worker
//! that dies leaves a begun step and a job whose lease ends; whoever claims it begins by looking.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    clock::Timestamp,
    cloud::{Cloud, CloudError},
    desk::{
        Desk, Error,
        onboard::record::{self, StepOutcome, Work},
    },
    fault,
    ids::RunId,
    jobs::{Handler, HandlerFuture, Job, JobError, JobKind},
    onboarding::{
        Finding, Observed, ObservedAccount, Step, StepName, TAG_RUN, Verdict, changed_since,
        decide, plan_hash,
    },
};

use crate::{
    account, act, assignments,
    observe::{Part, observe},
};

/// One look at an organisation with hundreds of permission sets takes a quarter of this. A worker that
/// dies holds its step a little longer than this.
const TIME_LIMIT: Duration = Duration::from_mins(1);
/// How often a step acts and looks again before it waits.
const ROUNDS: usize = 3;
/// How long a step may wait before a person is asked: new accounts are ready within this.
const PATIENCE_USABLE: Duration = Duration::from_mins(15);
/// An organisation may take an hour to be set up.
const PATIENCE: Duration = Duration::from_mins(65);

/// Why a step came to nothing.
#[derive(Debug)]
pub(crate) enum StepError {
    Cloud(CloudError),
    Desk(Error),
}

impl From<CloudError> for StepError {
    fn from(error: CloudError) -> Self {
        Self::Cloud(error)
    }
}

impl From<Error> for StepError {
    fn from(error: Error) -> Self {
        Self::Desk(error)
    }
}

/// Does `observe_cloud` jobs.
pub struct ObserveCloud {
    /// The desk.
    pub desk: Arc<Desk>,
    /// What is looked at.
    pub cloud: Arc<dyn Cloud>,
}

/// Does `provision_step` jobs.
pub struct ProvisionStep {
    /// The desk.
    pub desk: Arc<Desk>,
    /// What is changed.
    pub cloud: Arc<dyn Cloud>,
}

impl std::fmt::Debug for ObserveCloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObserveCloud").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ProvisionStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvisionStep").finish_non_exhaustive()
    }
}

fn payload(job: &Job) -> Result<(RunId, i64), JobError> {
    let payload: serde_json::Value =
        serde_json::from_str(&job.payload).map_err(|fault| JobError::Fail(fault.to_string()))?;
    let id = payload["run"].as_str().and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| JobError::Fail("it names no onboarding".to_owned()))?;
    Ok((id, payload["generation"].as_i64().unwrap_or_default()))
}

fn desk_error(error: Error) -> JobError {
    match error {
        Error::Failed(fault) => fault.into(),
        Error::Refused(refusal) => JobError::Fail(refusal.message),
    }
}

impl Handler for ObserveCloud {
    fn kind(&self) -> &str {
        JobKind::ObserveCloud.as_str()
    }

    fn time_limit(&self) -> Duration {
        TIME_LIMIT
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let (id, generation) = payload(job)?;
            let work = record::to_observe(&self.desk, id, generation).await;
            let Some(work) = work.map_err(desk_error)? else {
                return Ok(());
            };
            let seen = observe(&*self.cloud, &work.desired, None, Part::ALL).await;
            fault::point("onboard.observed");
            match seen {
                Ok(seen) => {
                    let findings = decide_all(&work, &seen);
                    let organization = seen.organization.map(|organization| organization.id);
                    let times_faster = f64::from(self.cloud.times_faster());
                    record::planned(&self.desk, job, work, findings, organization, times_faster)
                        .await
                }
                Err(CloudError::NeedsPerson { reason }) => {
                    record::plan_failed(&self.desk, job, work, reason).await
                }
                Err(error) if job.attempts >= job.max_attempts => {
                    record::plan_failed(&self.desk, job, work, error.to_string()).await
                }
                Err(CloudError::WaitAndRetry { reason, after }) => {
                    Err(JobError::RetryAfter(after, reason))
                }
                Err(error) => Err(JobError::Retry(error.to_string())),
            }
        })
    }
}

fn decide_all(work: &Work, seen: &Observed) -> Vec<(StepName, Finding)> {
    StepName::ALL
        .into_iter()
        .map(|step| (step, decide(step, &work.desired, seen)))
        .collect()
}

impl Handler for ProvisionStep {
    fn kind(&self) -> &str {
        JobKind::ProvisionStep.as_str()
    }

    fn time_limit(&self) -> Duration {
        TIME_LIMIT
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let (id, _) = payload(job)?;
            let begun = match record::begin(&self.desk, id).await {
                Ok(begun) => begun,
                Err(Error::Refused(refusal)) => return self.refused(job, id, &refusal).await,
                Err(error) => return Err(desk_error(error)),
            };
            let Some((work, step)) = begun else {
                return Ok(());
            };
            fault::point("onboard.begun");
            let outcome = match self.execute(&work, &step).await {
                Ok(outcome) => outcome,
                Err(StepError::Cloud(error)) => StepOutcome::from(error),
                Err(StepError::Desk(error)) => return Err(desk_error(error)),
            };
            let outcome = self.with_patience(&step, outcome).await?;
            fault::point("onboard.acted");
            record::record(&self.desk, job, id, step.name, outcome).await?;
            fault::point("onboard.recorded");
            Ok(())
        })
    }
}

impl ProvisionStep {
    /// The configuration no longer allows the run: a person is told where the run is shown.
    async fn refused(
        &self,
        job: &Job,
        id: RunId,
        refusal: &tierdesk_core::refusal::Refusal,
    ) -> Result<(), JobError> {
        let hint = refusal.hint.as_deref().unwrap_or_default();
        let outcome = StepOutcome::failed(format!("{}. {hint}", refusal.message));
        let step = record::current(&self.desk, id).await.map_err(desk_error)?;
        match step {
            Some(step) => record::record(&self.desk, job, id, step, outcome).await,
            None => Ok(()),
        }
    }

    async fn now(&self) -> Result<Timestamp, StepError> {
        let tx = self.desk.database.begin_read().await;
        Ok(tx.map_err(Error::from)?.now())
    }

    async fn execute(&self, work: &Work, step: &Step) -> Result<StepOutcome, StepError> {
        if !is_as_approved(work) {
            return Ok(StepOutcome::failed(
                "the configuration changed since the plan (tier, policies, access or addresses): \
                 this step was not done. Put the configuration back and resume, or cancel this \
                 onboarding and plan it again; what was made before stays",
            ));
        }
        match step.name {
            StepName::Validate => return self.validate(work).await,
            StepName::Directory => {
                let account = work
                    .run
                    .account
                    .as_ref()
                    .map_or("", |account| account.as_str());
                return Ok(StepOutcome::done(format!("active, account {account}")));
            }
            _ => {}
        }
        let account = work.run.account.as_ref();
        for _ in 0..ROUNDS {
            let parts = Part::of(step.name);
            let seen = observe(&*self.cloud, &work.desired, account, parts).await?;
            let finding = decide(step.name, &work.desired, &seen);
            match finding.verdict {
                Verdict::Already | Verdict::Adopt => {
                    return Ok(in_place(step, work, seen, finding));
                }
                Verdict::Skipped => return Ok(StepOutcome::done(finding.detail)),
                Verdict::Blocked => return Ok(StepOutcome::failed(finding.detail)),
                Verdict::Create => {}
            }
            match step.name {
                StepName::Account => {
                    let now = self.now().await?;
                    return account::advance(&self.desk, &*self.cloud, work, step, now).await;
                }
                StepName::Assignments => {
                    return assignments::advance(&self.desk, &*self.cloud, work, step, &seen).await;
                }
                StepName::AccountUsable => break,
                _ => act::act(&*self.cloud, step.name, &work.desired, &seen).await?,
            }
        }
        Ok(StepOutcome::Wait {
            detail: match step.name {
                StepName::AccountUsable => "the account's role cannot be assumed yet".to_owned(),
                _ => "what was made does not show yet".to_owned(),
            },
            class: None,
            after: self.cloud.look_every(),
        })
    }

    /// What was found when the plan was made must still be so.
    async fn validate(&self, work: &Work) -> Result<StepOutcome, StepError> {
        let planned: Vec<(StepName, Verdict)> = work
            .steps
            .iter()
            .map(|step| (step.name, step.verdict))
            .collect();
        let seen = observe(&*self.cloud, &work.desired, None, Part::ALL).await?;
        let changed = changed_since(&planned, &decide_all(work, &seen));
        if !changed.is_empty() {
            return Ok(StepOutcome::failed(format!(
                "the cloud changed since the plan: {}. Nothing was done; cancel this onboarding and \
                 plan it again",
                changed.join("; ")
            )));
        }
        let organization = seen.organization.map(|organization| organization.id);
        let organization = organization.unwrap_or_default();
        Ok(StepOutcome::done(format!(
            "as planned, organisation {organization}"
        )))
    }

    /// A step that has waited for longer than anything takes asks for a person.
    async fn with_patience(
        &self,
        step: &Step,
        outcome: StepOutcome,
    ) -> Result<StepOutcome, JobError> {
        let StepOutcome::Wait { detail, class, .. } = &outcome else {
            return Ok(outcome);
        };
        let patience = match step.name {
            StepName::AccountUsable => PATIENCE_USABLE,
            _ => PATIENCE,
        };
        // What waits for its turn has not been asked for, and waits as long as it takes.
        let since = match step.name {
            StepName::Account => step.intent_at,
            _ => step.started_at,
        };
        let tx = self.desk.database.begin_read().await?;
        let waited = tx.now().since(since.unwrap_or(tx.now()));
        if waited <= patience {
            return Ok(outcome);
        }
        let minutes = waited.as_secs() / 60;
        let detail = format!("nothing came of it for {minutes} minutes: {detail}");
        tracing::warn!(detail, "an onboarding step was given up");
        Ok(StepOutcome::Failed {
            detail: format!("{detail}. Look at the account in AWS, then resume"),
            class: class.unwrap_or("wait"),
        })
    }
}

/// Whether what is wanted now is what was planned and approved: before each step, since a run may
/// stand for days and the configuration is a file.
fn is_as_approved(work: &Work) -> bool {
    let planned: Vec<(StepName, Finding)> = work
        .steps
        .iter()
        .map(|step| {
            let (verdict, detail) = (step.verdict, String::new());
            (step.name, Finding { verdict, detail })
        })
        .collect();
    work.run.hash.as_ref() == Some(&plan_hash(&work.desired, &planned))
}

fn in_place(step: &Step, work: &Work, seen: Observed, finding: Finding) -> StepOutcome {
    let made_by = |account: &ObservedAccount| account.tags.get(TAG_RUN).cloned();
    let run = work.run.id.to_string();
    let is_ours = seen.account.as_ref().and_then(made_by) == Some(run);
    StepOutcome::Done {
        detail: match (&seen.account, finding.verdict) {
            (Some(account), Verdict::Adopt) if is_ours => format!("account {}", account.id),
            (_, Verdict::Adopt) => format!("{}, taken over", finding.detail),
            _ => finding.detail,
        },
        account: match step.name {
            StepName::Account => seen.account.map(|account| account.id),
            _ => None,
        },
        ou: match step.name {
            StepName::Moved => Some(work.desired.ou.clone()),
            _ => None,
        },
    }
}
