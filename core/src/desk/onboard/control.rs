//! Going on with a run that stands, and giving one up.

use std::time::Duration;

use super::{
    super::{Desk, Error},
    RunReport, check, enqueue_progress, enqueue_step, get_run, report, subject,
};
use crate::{
    customers::CustomerStatus,
    onboarding::RunState,
    permit::{Actor, CancelOnboarding, StartOnboarding, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        audit::{self, Change},
        customers, onboarding,
    },
};

/// Goes on with a run that failed, at the step that did; for one that runs, sees to it that its next
/// step is in the queue.
pub async fn resume(desk: &Desk, actor: &Actor, name: &str) -> Result<RunReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, StartOnboarding, Subject::Desk).await?;
    let mut run = get_run(&mut permit, name).await?;
    match run.state {
        RunState::Failed | RunState::Running => {}
        RunState::Done => return report::of(desk, &mut permit, &run).await,
        state => {
            let message = format!(
                "the onboarding of {} is {state}; there is nothing to resume",
                run.params.slug
            );
            let hint = match state {
                RunState::AwaitingApproval => {
                    format!(
                        "tierdesk onboard approve {}, by somebody else",
                        run.params.slug
                    )
                }
                _ => format!(
                    "tierdesk onboard start --hash {}",
                    run.hash.unwrap_or_default()
                ),
            };
            return Err(Refusal::new(RefusalCode::WrongStatus, message)
                .with_hint(hint)
                .into());
        }
    }
    check::organization(desk, &run)?;
    let steps = onboarding::steps(&mut permit, run.id).await?;
    let next = steps.iter().find(|step| !step.is_over());
    if run.state == RunState::Failed {
        onboarding::reset_failed(&mut permit, run.id).await?;
        run.state = RunState::Running;
        run.note = None;
        onboarding::update(&mut permit, &mut run).await?;
        let mut change = Change::to(subject(&run)).with("state", "resumed");
        if let Some(next) = next {
            change = change.with("step", next.name.as_str());
        }
        audit::append(&mut permit, vec![change]).await?;
    }
    if let Some(next) = next {
        enqueue_step(&mut permit, &run, next.name, Duration::ZERO).await?;
    }
    enqueue_progress(&mut permit, &run).await?;
    let report = report::of(desk, &mut permit, &run).await?;
    tx.commit().await?;
    Ok(report)
}

/// Gives an onboarding up. What was made in the cloud stays and a later plan takes it over; the
/// customer, if it only came in with this run, stays as a prospect.
pub async fn cancel(desk: &Desk, actor: &Actor, name: &str) -> Result<RunReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, CancelOnboarding, Subject::Desk).await?;
    let mut run = get_run(&mut permit, name).await?;
    if !run.state.is_open() {
        let message = format!(
            "the onboarding of {} is {}; nothing was changed",
            run.params.slug, run.state
        );
        return Err(Refusal::new(RefusalCode::WrongStatus, message)
            .with_hint("only one that is not over can be cancelled")
            .into());
    }
    let was = run.state;
    run.state = RunState::Cancelled;
    run.note = Some(match &run.account {
        Some(account) => format!("given up; account {account} stays as it is"),
        None => "given up".to_owned(),
    });
    onboarding::update(&mut permit, &mut run).await?;
    let mut changes = vec![
        Change::to(subject(&run))
            .with("customer", run.params.slug.as_str())
            .with("state", format!("{was} -> cancelled")),
    ];
    if let Some(id) = run.customer {
        let mut customer = customers::get(&mut permit, id).await?;
        if customer.status == CustomerStatus::Onboarding {
            customer.status = CustomerStatus::Prospect;
            customers::update(&mut permit, &customer).await?;
            changes.push(
                Change::to(format!("customer:{}", customer.slug))
                    .with("status", "onboarding -> prospect"),
            );
        }
    }
    audit::append(&mut permit, changes).await?;
    enqueue_progress(&mut permit, &run).await?;
    let report = report::of(desk, &mut permit, &run).await?;
    tx.commit().await?;
    Ok(report)
}
