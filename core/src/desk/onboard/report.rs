//! A run as `onboard status --json` prints it, and who works on runs.

use std::time::Duration;

use serde::Serialize;

use super::{
    super::{Desk, Error},
    approvals, get_run,
};
use crate::{
    clock::Timestamp,
    customers::{AccountId, CustomerStatus, EmailAddress, Slug},
    ids::RunId,
    onboarding::{Approvals, Estimate, Run, RunState, Step, StepName, StepState},
    permit::{Actor, ReadDesk, Subject, authorise},
    store::{Tx, customers, leases, onboarding},
    tiers::TierSlug,
};

/// The keys are fixed; see docs/interface.md.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// The run's id; empty for a customer that has its account from elsewhere.
    pub run: String,
    /// The customer.
    pub customer: Slug,
    /// Where it stands.
    pub state: &'static str,
    /// What exactly was planned; empty until the cloud was looked at.
    pub hash: String,
    /// The steps, in order.
    pub steps: Vec<StepReport>,
    /// The account, once known.
    pub account_id: Option<AccountId>,
    /// The unit, once the account lies in it.
    pub ou: Option<String>,
    /// The company's name.
    pub name: String,
    /// The tier.
    pub tier: TierSlug,
    /// `simulated` or `aws`.
    pub cloud: String,
    /// The organisation.
    pub organization: Option<String>,
    /// The account's root address.
    pub root_email: Option<EmailAddress>,
    /// How it stands with approvals.
    pub approvals: ApprovalReport,
    /// Who asked.
    pub requested_by: String,
    /// Why one person went on alone.
    pub sole_operator: Option<String>,
    /// How long it may take, in seconds.
    pub estimate_seconds: Option<Estimate>,
    /// Why it stands still, or what is worth knowing.
    pub note: Option<String>,
    /// When it was first planned.
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// Whether the cloud is still being looked at.
    #[serde(skip)]
    pub is_planning: bool,
    /// Where in chat progress is told.
    #[serde(skip)]
    pub chat_channel: Option<String>,
}

/// A step of a run.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// Its name.
    pub name: StepName,
    /// What it would do; once the run was started, where it stands.
    pub verdict: &'static str,
    /// In words.
    pub detail: String,
    /// How long it took.
    pub seconds: Option<f64>,
}

/// How a run stands with approvals.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ApprovalReport {
    /// How many other people must agree.
    pub needed: usize,
    /// How many did.
    pub given: usize,
    /// How many could.
    pub possible: usize,
}

impl From<Approvals> for ApprovalReport {
    fn from(counted: Approvals) -> Self {
        let Approvals {
            needed,
            given,
            possible,
        } = counted;
        Self {
            needed,
            given,
            possible,
        }
    }
}

impl RunReport {
    /// Whether nothing more happens without a person.
    pub fn is_settled(&self) -> bool {
        !self.is_planning && self.state != RunState::Running.as_str()
    }
}

fn step_report(step: Step, was_started: bool) -> StepReport {
    let verdict = match step.state {
        StepState::Pending if !was_started => step.verdict.as_str(),
        state => state.as_str(),
    };
    StepReport {
        name: step.name,
        verdict,
        seconds: step.seconds(),
        detail: step.detail,
    }
}

/// The report on a run.
pub(in crate::desk) async fn of(desk: &Desk, tx: &mut Tx, run: &Run) -> Result<RunReport, Error> {
    let steps = onboarding::steps(tx, run.id).await?;
    let counted = approvals(desk, tx, run).await?;
    let was_started = matches!(
        run.state,
        RunState::Running | RunState::Done | RunState::Failed
    );
    let is_planning = run.state == RunState::Planning;
    Ok(RunReport {
        run: run.id.to_string(),
        customer: run.params.slug.clone(),
        state: run.state.shown(),
        hash: run.hash.clone().unwrap_or_default(),
        steps: if is_planning {
            Vec::new()
        } else {
            let steps = steps.into_iter();
            steps.map(|step| step_report(step, was_started)).collect()
        },
        account_id: run.account.clone(),
        ou: run.ou.clone(),
        name: run.params.name.clone(),
        tier: run.params.tier.clone(),
        cloud: run.cloud.clone(),
        organization: run.organization.clone(),
        root_email: Some(run.root_email.clone()),
        approvals: counted.into(),
        requested_by: run.requested_by.clone(),
        sole_operator: run.sole_operator_reason.clone(),
        estimate_seconds: run.estimate,
        note: run.note.clone(),
        created_at: Some(run.created_at),
        updated_at: Some(run.updated_at),
        is_planning,
        chat_channel: run.chat_channel.clone(),
    })
}

/// The answer for a customer that is active and has its account: done, whoever did it.
pub(super) async fn of_active(
    desk: &Desk,
    tx: &mut Tx,
    slug: &Slug,
) -> Result<Option<RunReport>, Error> {
    let Some(customer) = customers::find_by_slug(tx, slug).await? else {
        return Ok(None);
    };
    if customer.status != CustomerStatus::Active || customer.account_id.is_none() {
        return Ok(None);
    }
    if let Some(run) = onboarding::find_done(tx, slug).await? {
        return of(desk, tx, &run).await.map(Some);
    }
    let counted = Approvals {
        needed: 0,
        given: 0,
        possible: 0,
    };
    Ok(Some(RunReport {
        run: String::new(),
        state: RunState::Done.as_str(),
        hash: String::new(),
        steps: Vec::new(),
        account_id: customer.account_id,
        ou: customer.ou,
        name: customer.name,
        tier: customer.tier,
        cloud: desk.blueprint.cloud().to_owned(),
        organization: None,
        root_email: None,
        approvals: counted.into(),
        requested_by: String::new(),
        sole_operator: None,
        estimate_seconds: None,
        note: Some("the customer had its account before; no onboarding made it".to_owned()),
        created_at: None,
        updated_at: None,
        is_planning: false,
        chat_channel: None,
        customer: customer.slug,
    }))
}

/// How an onboarding stands, by run or customer.
pub async fn status(desk: &Desk, actor: &Actor, name: &str) -> Result<RunReport, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let run = get_run(&mut permit, name).await;
    match run {
        Ok(run) => of(desk, &mut permit, &run).await,
        Err(unknown) => {
            let Ok(slug) = name.trim().parse() else {
                return Err(unknown);
            };
            of_active(desk, &mut permit, &slug).await?.ok_or(unknown)
        }
    }
}

/// Onboardings, newest first; those that are over too, if `is_all`.
pub async fn list(desk: &Desk, actor: &Actor, is_all: bool) -> Result<Vec<RunReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let mut reports = Vec::new();
    for run in onboarding::list(&mut permit, is_all, 1_000).await? {
        reports.push(of(desk, &mut permit, &run).await?);
    }
    Ok(reports)
}

/// The run that a person names.
pub async fn find_run(desk: &Desk, actor: &Actor, name: &str) -> Result<RunId, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    Ok(get_run(&mut permit, name).await?.id)
}

/// Held by whoever works on onboardings all the time.
const SERVING: &str = "serve:provision";
/// How long that is believed without a renewal.
const SERVING_LEASE: Duration = Duration::from_secs(15);

/// Says that this process works on onboardings. Several may; one of them holds the lease.
pub async fn renew_serving(desk: &Desk, holder: &str) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let until = tx.now().plus(SERVING_LEASE);
    leases::acquire(&mut tx, SERVING, holder, until).await?;
    tx.commit().await?;
    Ok(())
}

/// Says that this process no longer does.
pub async fn end_serving(desk: &Desk, holder: &str) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    leases::release(&mut tx, SERVING, holder).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether somebody works on onboardings, so that a command need not.
pub async fn is_served(desk: &Desk) -> Result<bool, Error> {
    let mut tx = desk.database.begin_read().await?;
    Ok(leases::is_held(&mut tx, SERVING).await?)
}
