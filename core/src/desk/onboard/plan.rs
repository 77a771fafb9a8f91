//! Planning: who is to be onboarded is checked and written down, and a job looks at the cloud.

use super::{
    super::{Desk, Error},
    RunReport, check, report, subject,
};
use crate::{
    customers::{CustomerStatus, DomainName, EmailAddress, Prefix, Slug},
    ids::RunId,
    jobs::{JobKind, NewJob},
    onboarding::{Desired, Params, Run, RunState},
    permit::{Actor, Permit, PlanOnboarding, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        audit::{self, Change},
        customers, jobs, onboarding,
    },
    tiers::TierSlug,
};

/// Who is to be onboarded.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The company's name; the slug comes from it.
    pub name: String,
    /// The tier.
    pub tier: TierSlug,
    /// The first contact.
    pub contact: EmailAddress,
    /// The mail domain.
    pub domain: DomainName,
    /// The short name in AWS.
    pub prefix: Option<Prefix>,
    /// Where in chat progress is told.
    pub chat_channel: Option<String>,
}

/// Plans an onboarding: answers the run, whose steps are known once the job that this enqueues has
/// looked at the cloud. Planning again looks again. A customer who has its account already is
/// answered as done.
pub async fn plan(desk: &Desk, actor: &Actor, request: PlanRequest) -> Result<RunReport, Error> {
    desk.tier(&request.tier)?;
    let slug = Slug::from_name(&request.name).map_err(|fault| {
        Refusal::invalid(fault.to_string()).with_hint("give a name with letters a to z in it")
    })?;
    let params = Params {
        slug,
        name: request.name,
        tier: request.tier,
        contact: request.contact,
        domain: request.domain,
        prefix: request.prefix,
    };
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, PlanOnboarding, Subject::Desk).await?;
    if let Some(report) = report::of_active(desk, &mut permit, &params.slug).await? {
        return Ok(report);
    }
    let (customer, is_known) = check::candidate(desk, &mut permit, &params).await?;
    if is_known && customer.status == CustomerStatus::Active && customer.account_id.is_some() {
        // Looked at above already; a second look keeps this true should that change.
        return Err(Refusal::new(RefusalCode::WrongStatus, "the customer is active").into());
    }
    let root_email = check::root_email(desk, &mut permit, &params).await?;
    let tier = desk.tier(&params.tier)?;
    Desired::new(&desk.blueprint, tier, &params, root_email.clone())
        .map_err(|fault| check::misconfigured(&fault))?;
    let mut run = match onboarding::find_by_slug(&mut permit, &params.slug).await? {
        Some(run) if run.state.is_open() => reuse(&mut permit, run, &params, &root_email).await?,
        _ => None,
    };
    if run.is_none() {
        run = Some(insert(desk, &mut permit, params, root_email).await?);
    }
    let mut run = run.expect("it was found or made");
    run.chat_channel = request.chat_channel.or(run.chat_channel);
    run.state = RunState::Planning;
    run.hash = None;
    run.note = None;
    permit.actor().clone_into(&mut run.requested_by);
    run.requester = permit.staff();
    onboarding::update(&mut permit, &mut run).await?;
    let change = Change::to(subject(&run))
        .with("customer", run.params.slug.as_str())
        .with("tier", run.params.tier.as_str())
        .with("root address", run.root_email.as_str());
    audit::append(&mut permit, vec![change]).await?;
    let job = NewJob {
        dedup_key: Some(format!("{}:{}", run.id, run.generation)),
        lane: Some(format!("run:{}", run.id)),
        ..NewJob::new(
            JobKind::ObserveCloud,
            serde_json::json!({ "run": run.id, "generation": run.generation }),
        )
    };
    jobs::enqueue(&mut permit, job).await?;
    let report = report::of(desk, &mut permit, &run).await?;
    tx.commit().await?;
    Ok(report)
}

/// The open run, if it may be planned again as asked. One that was only planned, for somebody else
/// or otherwise, gives way.
async fn reuse(
    permit: &mut Permit<'_, PlanOnboarding>,
    mut run: Run,
    params: &Params,
    root_email: &EmailAddress,
) -> Result<Option<Run>, Error> {
    match run.state {
        RunState::Planning | RunState::Planned => {}
        state => {
            let message = format!(
                "the onboarding {} of {} is {state}; it was left alone",
                run.id, run.params.slug
            );
            let hint = match state {
                RunState::Failed => format!(
                    "tierdesk onboard status {0} says why; then tierdesk onboard resume {0}, or \
                     cancel {0}",
                    run.params.slug
                ),
                _ => format!(
                    "tierdesk onboard status {0}, or cancel {0}",
                    run.params.slug
                ),
            };
            return Err(Refusal::new(RefusalCode::WrongStatus, message)
                .with_hint(hint)
                .into());
        }
    }
    let is_same = run.params == *params && run.root_email == *root_email;
    if is_same {
        return Ok(Some(run));
    }
    run.state = RunState::Cancelled;
    run.note = Some("another plan took its place".to_owned());
    onboarding::update(permit, &mut run).await?;
    Ok(None)
}

async fn insert(
    desk: &Desk,
    permit: &mut Permit<'_, PlanOnboarding>,
    params: Params,
    root_email: EmailAddress,
) -> Result<Run, Error> {
    let id: RunId = permit.new_id();
    let now = permit.now();
    let customer = customers::find_by_slug(permit, &params.slug).await?;
    let run = Run {
        id,
        customer: customer.map(|customer| customer.id),
        params,
        root_email,
        state: RunState::Planning,
        hash: None,
        cloud: desk.blueprint.cloud().to_owned(),
        organization: None,
        requested_by: permit.actor().to_owned(),
        requester: permit.staff(),
        sole_operator_reason: None,
        chat_channel: None,
        account: None,
        ou: None,
        note: None,
        estimate: None,
        created_at: now,
        updated_at: now,
        generation: 1,
    };
    onboarding::insert(permit, &run).await?;
    Ok(run)
}
