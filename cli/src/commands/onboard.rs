//! Onboarding in the terminal: what is asked for is written down as jobs, and done here where
//! nothing serves.

mod follow;
mod text;

use std::sync::Arc;

use tierdesk_core::{
    cloud::Cloud,
    desk::{
        Desk,
        onboard::{self, PlanRequest, RunReport, StartOptions},
    },
    permit::Actor,
};
use tierdesk_provision::verify;

use self::follow::Follower;
use crate::{
    args::onboard::{NewOnboarding, OnboardCommand, StartOnboarding},
    exit::Exit,
    output::Output,
    program::Program,
};

pub(super) async fn run(
    program: &Program,
    desk: &Desk,
    actor: &Actor,
    command: OnboardCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    let command = match command {
        OnboardCommand::Approve { run, hash } => {
            let report = onboard::approve(desk, actor, &run, hash.as_deref()).await?;
            return output.answer(&report, |out| text::status(out, &report));
        }
        OnboardCommand::Status { run } => {
            let report = onboard::status(desk, actor, &run).await?;
            return output.answer(&report, |out| text::status(out, &report));
        }
        OnboardCommand::List { all } => {
            let reports = onboard::list(desk, actor, all).await?;
            return output.answer(&reports, |out| text::list(out, &reports, all));
        }
        OnboardCommand::Cancel { run } => {
            let report = onboard::cancel(desk, actor, &run).await?;
            return output.answer(&report, |out| text::status(out, &report));
        }
        OnboardCommand::Plan(new) => Cloudy::Plan(new),
        OnboardCommand::Start(start) => Cloudy::Start(start),
        OnboardCommand::Resume { run, detach } => Cloudy::Resume(run, detach),
        OnboardCommand::Verify { customer } => Cloudy::Verify(customer),
    };
    let cloud = program.cloud(desk).await?;
    let at = At {
        desk,
        actor,
        cloud,
        output,
    };
    match command {
        Cloudy::Plan(new) => {
            let report = at.plan(new.into()).await?;
            at.show(&report, |out, report| {
                text::plan(out, report);
                text::after_plan(out, report);
            })
        }
        Cloudy::Start(start) => at.start(start).await,
        Cloudy::Resume(run, detach) => {
            let report = onboard::resume(desk, actor, &run).await?;
            at.finish(report, detach).await
        }
        Cloudy::Verify(customer) => {
            let report = verify(desk, &*at.cloud, actor, &customer).await?;
            output.answer(&report, |out| text::verified(out, &report))?;
            Ok(if report.ok { Exit::Done } else { Exit::Failed })
        }
    }
}

/// The commands that may have to reach the cloud; the others need no credentials.
enum Cloudy {
    Plan(NewOnboarding),
    Start(StartOnboarding),
    Resume(String, bool),
    Verify(String),
}

impl From<NewOnboarding> for PlanRequest {
    fn from(new: NewOnboarding) -> Self {
        Self {
            name: new.name,
            tier: new.tier,
            contact: new.contact,
            domain: new.domain,
            prefix: new.prefix,
            chat_channel: None,
        }
    }
}

/// What every command here needs.
struct At<'a> {
    desk: &'a Desk,
    actor: &'a Actor,
    cloud: Arc<dyn Cloud>,
    output: &'a Output,
}

impl At<'_> {
    fn follower(&self) -> Follower<'_> {
        Follower {
            desk: self.desk,
            actor: self.actor,
            cloud: &self.cloud,
            output: self.output,
        }
    }

    async fn plan(&self, request: PlanRequest) -> anyhow::Result<RunReport> {
        let report = onboard::plan(self.desk, self.actor, request).await?;
        self.follower().until_planned(report).await
    }

    async fn start(&self, start: StartOnboarding) -> anyhow::Result<Exit> {
        let StartOnboarding {
            name,
            tier,
            contact,
            domain,
            prefix,
            hash,
            detach,
            sole_operator,
        } = start;
        let options = StartOptions {
            hash: hash.clone(),
            sole_operator,
            chat_channel: None,
        };
        let run = match (hash, name, tier, contact, domain) {
            (None, Some(name), Some(tier), Some(contact), Some(domain)) => {
                let slug = tierdesk_core::customers::Slug::from_name(&name).ok();
                let request = PlanRequest {
                    name,
                    tier,
                    contact,
                    domain,
                    prefix,
                    chat_channel: None,
                };
                if let Some(run) = self.started(slug.as_ref()).await? {
                    run
                } else {
                    let planned = self.plan(request).await?;
                    if planned.state != "planned" {
                        return self.finish(planned, detach).await;
                    }
                    if !self.output.is_json {
                        text::plan(self.output, &planned);
                    }
                    planned.run
                }
            }
            (hash, ..) => hash.unwrap_or_default(),
        };
        let report = onboard::start(self.desk, self.actor, &run, options).await?;
        self.finish(report, detach).await
    }

    /// The customer's run that was started before and is not over: asking twice follows it.
    async fn started(
        &self,
        slug: Option<&tierdesk_core::customers::Slug>,
    ) -> anyhow::Result<Option<String>> {
        let Some(slug) = slug else {
            return Ok(None);
        };
        let found = onboard::list(self.desk, self.actor, false).await?;
        let was_started = |report: &&RunReport| {
            report.customer == *slug && matches!(report.state, "running" | "awaiting_approval")
        };
        Ok(found
            .iter()
            .find(was_started)
            .map(|report| report.run.clone()))
    }

    /// Follows a run to where it stands still, and shows that.
    async fn finish(&self, report: RunReport, detach: bool) -> anyhow::Result<Exit> {
        let is_followed = !detach && !report.is_settled();
        let report = if is_followed {
            self.follower().until_settled(report).await?
        } else {
            report
        };
        if detach && !report.is_settled() && !onboard::is_served(self.desk).await? {
            self.output.note(format!(
                "note: nothing works on it until `tierdesk serve` runs, or: tierdesk onboard resume {}",
                report.customer
            ));
        }
        self.show(
            &report,
            if is_followed {
                text::ended
            } else {
                text::status
            },
        )
    }

    fn show(&self, report: &RunReport, text: fn(&Output, &RunReport)) -> anyhow::Result<Exit> {
        self.output.answer(report, |out| text(out, report))?;
        let has_failed = matches!(report.state, "failed" | "cancelled");
        Ok(if has_failed { Exit::Failed } else { Exit::Done })
    }
}
