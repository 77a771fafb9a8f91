//! Onboardings, as much of them as chat may see and do. A customer of a tier that takes no text in
//! chat is planned in the terminal: their name would be typed here.

use super::super::{
    Desk, Error,
    onboard::{self, PlanRequest, RunReport, StartOptions},
};
use crate::{
    disclosure::{self, DisclosedRun, RunFacts},
    discord::DiscordId,
    ids::RunId,
    permit::{Actor, PostToChat, ReadDesk, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{Tx, customers, onboarding},
    tiers::Disclosure,
};

async fn disclose(desk: &Desk, tx: &mut Tx, report: &RunReport) -> Result<DisclosedRun, Error> {
    let customer = customers::find_by_slug(tx, &report.customer).await?;
    let run: RunId = report.run.parse().unwrap_or_default();
    let tier = desk.catalogue.get(report.tier.as_str());
    let steps = report.steps.iter().map(|step| {
        (
            step.name.as_str(),
            step.verdict,
            step.detail.as_str(),
            step.seconds,
        )
    });
    let approvals = report.approvals;
    Ok(disclosure::run(&RunFacts {
        run: &report.run,
        alias_of: customer.map_or(run.0, |customer| customer.id.0),
        name: &report.name,
        tier,
        state: report.state,
        hash: &report.hash,
        steps: steps.collect(),
        account: report
            .account_id
            .as_ref()
            .map(crate::customers::AccountId::as_str),
        approvals: (approvals.needed, approvals.given, approvals.possible),
        estimate: report
            .estimate_seconds
            .map(|estimate| (estimate.low, estimate.likely, estimate.high)),
        cloud: &report.cloud,
        requested_by: &report.requested_by,
        is_sole_operator: report.sole_operator.is_some(),
        note: report.note.as_deref(),
        is_planning: report.is_planning,
    }))
}

async fn shown(desk: &Desk, report: Result<RunReport, Error>) -> Result<DisclosedRun, Error> {
    let report = report.map_err(without_names)?;
    let mut tx = desk.database.begin_read().await?;
    disclose(desk, &mut tx, &report).await
}

/// The refusals of onboarding name the customer; in chat they say only what kind they are.
fn without_names(error: Error) -> Error {
    match error {
        Error::Refused(refusal) if refusal.code == RefusalCode::WrongStatus => Refusal::new(
            RefusalCode::WrongStatus,
            "the run is not where that can be done; nothing was changed",
        )
        .with_hint("/onboard status shows where it is")
        .into(),
        other => other,
    }
}

/// Refuses to know a run by its customer's handle where the customer is shown by alias: the answer
/// would say whose alias it is.
async fn check_name(desk: &Desk, actor: &Actor, name: &str) -> Result<(), Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let Ok(slug) = name.trim().to_lowercase().parse() else {
        return Ok(());
    };
    let Some(run) = onboarding::find_by_slug(&mut permit, &slug).await? else {
        return Ok(());
    };
    let tier = desk.catalogue.get(run.params.tier.as_str());
    if disclosure::level(tier) >= Disclosure::Metadata {
        return Ok(());
    }
    Err(Refusal::not_found("onboarding", name)
        .with_hint("/onboard list shows them; in chat this one goes by its run or hash")
        .into())
}

/// Plans an onboarding: answers the run at once, the steps follow.
pub async fn plan_run(
    desk: &Desk,
    actor: &Actor,
    request: PlanRequest,
) -> Result<DisclosedRun, Error> {
    let tier = desk.tier(&request.tier)?;
    if !disclosure::takes_text(Some(tier)) {
        let message = format!("{} customers are not planned in chat", tier.slug);
        return Err(Refusal::new(RefusalCode::NotInChat, message)
            .with_hint("their name would stay here; in the terminal: tierdesk onboard plan")
            .into());
    }
    shown(desk, onboard::plan(desk, actor, request).await).await
}

/// Starts exactly the plan that `name` means, which may be its hash. Progress is told in `channel`.
pub async fn start_run(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    channel: Option<DiscordId>,
) -> Result<DisclosedRun, Error> {
    check_name(desk, actor, name).await?;
    let options = StartOptions {
        chat_channel: channel.map(|channel| channel.to_string()),
        ..StartOptions::default()
    };
    shown(desk, onboard::start(desk, actor, name, options).await).await
}

/// Agrees to somebody else's plan.
pub async fn approve_run(desk: &Desk, actor: &Actor, name: &str) -> Result<DisclosedRun, Error> {
    check_name(desk, actor, name).await?;
    shown(desk, onboard::approve(desk, actor, name, None).await).await
}

/// Goes on with a run that stopped.
pub async fn resume_run(desk: &Desk, actor: &Actor, name: &str) -> Result<DisclosedRun, Error> {
    check_name(desk, actor, name).await?;
    shown(desk, onboard::resume(desk, actor, name).await).await
}

/// How a run stands.
pub async fn show_run(desk: &Desk, actor: &Actor, name: &str) -> Result<DisclosedRun, Error> {
    check_name(desk, actor, name).await?;
    shown(desk, onboard::status(desk, actor, name).await).await
}

/// Runs, newest first; those that are over too, if `is_all`.
pub async fn list_runs(
    desk: &Desk,
    actor: &Actor,
    is_all: bool,
) -> Result<Vec<DisclosedRun>, Error> {
    let reports = onboard::list(desk, actor, is_all).await?;
    let mut tx = desk.database.begin_read().await?;
    authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let mut runs = Vec::new();
    for report in &reports {
        runs.push(disclose(desk, &mut tx, report).await?);
    }
    Ok(runs)
}

/// A run whose progress is told in chat.
#[derive(Clone, Debug)]
pub struct RunToPost {
    /// What may be shown of it.
    pub shown: DisclosedRun,
    /// Where.
    pub channel: DiscordId,
    /// Whether that channel must not be open to everybody.
    pub is_restricted: bool,
}

/// What is to be told of a run; `None` where nobody in chat follows it.
pub async fn run_to_post(
    desk: &Desk,
    actor: &Actor,
    run: RunId,
) -> Result<Option<RunToPost>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, PostToChat, Subject::Desk).await?;
    let Some(found) = onboarding::find(&mut permit, run).await? else {
        return Ok(None);
    };
    let channel = found.chat_channel.as_ref().and_then(|id| id.parse().ok());
    let Some(channel) = channel else {
        return Ok(None);
    };
    let report = onboard::report_of(desk, &mut permit, &found).await?;
    let shown = disclose(desk, &mut permit, &report).await?;
    let tier = desk.catalogue.get(found.params.tier.as_str());
    Ok(Some(RunToPost {
        shown,
        channel,
        is_restricted: disclosure::is_restricted(tier),
    }))
}
