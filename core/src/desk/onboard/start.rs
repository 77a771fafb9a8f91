//! Starting exactly what was planned.

use std::time::Duration;

use super::{
    super::{Desk, Error},
    RunReport, approvals, check, enqueue_progress, enqueue_step, get_run, report, subject,
};
use crate::{
    customers::CustomerStatus,
    onboarding::{Run, RunState, StepName, Verdict},
    permit::{Actor, Permit, StartOnboarding, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        audit::{self, Change},
        customers, onboarding,
    },
};

/// How to start.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// The plan must have this hash, or begin with it.
    pub hash: Option<String>,
    /// Go on with fewer approvals than the tier demands, for this reason. Only where everybody who
    /// could approve did: a team of one has nobody.
    pub sole_operator: Option<String>,
    /// Where in chat progress is told.
    pub chat_channel: Option<String>,
}

/// Starts a planned onboarding, or answers how the one that was started stands. Never waits: where
/// others must agree, it answers that.
pub async fn start(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    options: StartOptions,
) -> Result<RunReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, StartOnboarding, Subject::Desk).await?;
    let mut run = get_run(&mut permit, name).await?;
    let hash = run.hash.clone().unwrap_or_default();
    if let Some(expected) = &options.hash
        && (expected.len() < 6 || !hash.starts_with(expected.as_str()))
    {
        let message = format!("the plan has the hash {hash}, not {expected}; nothing was started");
        return Err(Refusal::new(RefusalCode::Changed, message)
            .with_hint("look at the plan again: tierdesk onboard status")
            .into());
    }
    match run.state {
        RunState::Planned | RunState::AwaitingApproval => {}
        RunState::Running | RunState::Done => return report::of(desk, &mut permit, &run).await,
        state => return Err(not_startable(&run, state).into()),
    }
    check_blocked(&mut permit, &run).await?;
    check::organization(desk, &run)?;
    if run.state == RunState::Planned {
        permit.actor().clone_into(&mut run.requested_by);
        run.requester = permit.staff();
        reserve(desk, &mut permit, &mut run).await?;
    }
    run.chat_channel = options.chat_channel.or(run.chat_channel);
    if let Some(reason) = &options.sole_operator {
        allow_sole_operator(desk, &mut permit, &run, reason).await?;
        run.sole_operator_reason = Some(reason.trim().to_owned());
    }
    let counted = approvals(desk, &mut permit, &run).await?;
    let may_run = counted.is_enough() || run.sole_operator_reason.is_some();
    run.state = if may_run {
        RunState::Running
    } else {
        RunState::AwaitingApproval
    };
    onboarding::update(&mut permit, &mut run).await?;
    let mut change = Change::to(subject(&run))
        .with("customer", run.params.slug.as_str())
        .with("hash", hash)
        .with("state", run.state.as_str())
        .with(
            "approvals",
            format!("{} of {}", counted.given, counted.needed),
        );
    if let Some(reason) = &options.sole_operator {
        change = change.with("sole operator", reason);
    }
    audit::append(&mut permit, vec![change]).await?;
    if may_run {
        enqueue_step(&mut permit, &run, StepName::Validate, Duration::ZERO).await?;
    }
    enqueue_progress(&mut permit, &run).await?;
    let report = report::of(desk, &mut permit, &run).await?;
    tx.commit().await?;
    Ok(report)
}

fn not_startable(run: &Run, state: RunState) -> Refusal {
    let slug = &run.params.slug;
    let message = format!(
        "the onboarding {} of {slug} is {state}; nothing was started",
        run.id
    );
    let hint = match state {
        RunState::Planning => {
            "its plan is being made; `tierdesk serve` or `tierdesk onboard plan` makes it"
                .to_owned()
        }
        RunState::Failed => format!("tierdesk onboard resume {slug}, or cancel {slug}"),
        _ => "plan it again".to_owned(),
    };
    Refusal::new(RefusalCode::WrongStatus, message).with_hint(hint)
}

async fn check_blocked(permit: &mut Permit<'_, StartOnboarding>, run: &Run) -> Result<(), Error> {
    let steps = onboarding::steps(permit, run.id).await?;
    let blocked: Vec<String> = steps
        .iter()
        .filter(|step| step.verdict == Verdict::Blocked)
        .map(|step| format!("{}: {}", step.name, step.detail))
        .collect();
    if blocked.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the plan is blocked, and nothing was started: {}",
        blocked.join("; ")
    );
    Err(Refusal::new(RefusalCode::Blocked, message)
        .with_hint("change that, then plan again")
        .into())
}

/// The customer's slug, domain, contact and prefix are its own from here on.
async fn reserve(
    desk: &Desk,
    permit: &mut Permit<'_, StartOnboarding>,
    run: &mut Run,
) -> Result<(), Error> {
    let (mut customer, is_known) = check::candidate(desk, permit, &run.params).await?;
    check::root_email(desk, permit, &run.params).await?;
    if !is_known {
        customers::insert(permit, &customer).await?;
        run.customer = Some(customer.id);
        return Ok(());
    }
    let before = customers::get(permit, customer.id).await?;
    if customer.status == CustomerStatus::Prospect {
        customer.status = CustomerStatus::Onboarding;
    }
    let new_domains: Vec<_> = customer
        .domains
        .iter()
        .filter(|domain| !before.domains.contains(domain))
        .cloned()
        .collect();
    let is_new = |one: &&crate::customers::Contact| {
        before
            .contacts
            .iter()
            .all(|known| known.address != one.address)
    };
    let new_contacts: Vec<_> = customer.contacts.iter().filter(is_new).cloned().collect();
    customers::update(permit, &customer).await?;
    customers::insert_domains(permit, customer.id, &new_domains).await?;
    customers::insert_contacts(permit, customer.id, new_contacts).await?;
    run.customer = Some(customer.id);
    Ok(())
}

/// A team of one can go on alone: said explicitly, with a reason, audited, and shown wherever the run
/// is. Colleagues who could approve are asked first, also where they are too few.
async fn allow_sole_operator(
    desk: &Desk,
    permit: &mut Permit<'_, StartOnboarding>,
    run: &Run,
    reason: &str,
) -> Result<(), Error> {
    if reason.trim().is_empty() {
        return Err(Refusal::invalid("going on alone needs a reason").into());
    }
    let counted = approvals(desk, permit, run).await?;
    if !counted.is_exhausted() {
        let message = format!(
            "{} other(s) must approve, {} could and {} did: nobody goes on alone past a colleague; \
             nothing was started",
            counted.needed, counted.possible, counted.given
        );
        return Err(Refusal::new(RefusalCode::NotPermitted, message)
            .with_hint("start it without --sole-operator, and ask one of them")
            .into());
    }
    Ok(())
}
