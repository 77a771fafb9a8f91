//! Agreeing to somebody else's onboarding.

use std::time::Duration;

use super::{
    super::{Desk, Error},
    RunReport, approvals, enqueue_progress, enqueue_step, get_run, report, subject,
};
use crate::{
    onboarding::{RunState, StepName, may_approve},
    permit::{Actor, ApproveOnboarding, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        audit::{self, Change},
        onboarding, staff,
    },
};

/// Agrees to exactly the plan that the run has now; `hash`, where given, must be its hash or begin
/// it. With enough people's agreement the run goes on.
pub async fn approve(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    hash: Option<&str>,
) -> Result<RunReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ApproveOnboarding, Subject::Desk).await?;
    let mut run = get_run(&mut permit, name).await?;
    if run.state != RunState::AwaitingApproval {
        let message = format!(
            "the onboarding of {} is {}; nothing was approved",
            run.params.slug, run.state
        );
        return Err(Refusal::new(RefusalCode::WrongStatus, message)
            .with_hint("only one that was started and waits for approval can be approved")
            .into());
    }
    let planned = run.hash.clone().unwrap_or_default();
    if let Some(hash) = hash
        && (hash.len() < 6 || !planned.starts_with(hash))
    {
        let message = format!("the plan has the hash {planned}, not {hash}; nothing was approved");
        return Err(Refusal::new(RefusalCode::Changed, message)
            .with_hint("look at it again: tierdesk onboard status")
            .into());
    }
    let everybody = staff::list(&mut permit).await?;
    let me = permit.staff();
    let me = everybody.iter().find(|one| Some(one.id) == me);
    let me = me.ok_or_else(|| {
        Refusal::new(
            RefusalCode::NotPermitted,
            "only a member of staff can approve; nothing was approved",
        )
        .with_hint("tierdesk staff add NAME --role approver")
    })?;
    if !may_approve(&run, me) {
        let message = format!(
            "{} asked for this onboarding, and somebody else must approve it; nothing was approved",
            me.name
        );
        return Err(Refusal::new(RefusalCode::NotPermitted, message)
            .with_hint("ask another approver")
            .into());
    }
    onboarding::approve(&mut permit, run.id, me.id, &planned).await?;
    let counted = approvals(desk, &mut permit, &run).await?;
    if counted.is_enough() {
        run.state = RunState::Running;
    }
    onboarding::update(&mut permit, &mut run).await?;
    let change = Change::to(subject(&run))
        .with("customer", run.params.slug.as_str())
        .with("hash", planned)
        .with(
            "approvals",
            format!("{} of {}", counted.given, counted.needed),
        );
    audit::append(&mut permit, vec![change]).await?;
    if run.state == RunState::Running {
        enqueue_step(&mut permit, &run, StepName::Validate, Duration::ZERO).await?;
    }
    enqueue_progress(&mut permit, &run).await?;
    let report = report::of(desk, &mut permit, &run).await?;
    tx.commit().await?;
    Ok(report)
}
