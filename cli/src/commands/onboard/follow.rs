//! Following a run to where it stands still, and doing its jobs here where nothing serves.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    cloud::Cloud,
    desk::{
        Desk,
        onboard::{self, RunReport},
    },
    jobs::worker::Worker,
    permit::Actor,
};
use tierdesk_provision::{ObserveCloud, ProvisionStep};
use tokio_util::sync::CancellationToken;

use super::text;
use crate::output::Output;

/// How often the rows are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a plan may take before the person is sent away.
const PLAN_PATIENCE: Duration = Duration::from_mins(10);

/// Follows runs.
pub(super) struct Follower<'a> {
    pub(super) desk: &'a Desk,
    pub(super) actor: &'a Actor,
    pub(super) cloud: &'a Arc<dyn Cloud>,
    pub(super) output: &'a Output,
}

impl Follower<'_> {
    /// Until the plan is there.
    pub(super) async fn until_planned(&self, report: RunReport) -> anyhow::Result<RunReport> {
        let looking = Box::pin(self.follow(report, |_| ()));
        tokio::time::timeout(PLAN_PATIENCE, looking)
            .await
            .unwrap_or_else(|_| {
                anyhow::bail!(
                    "the cloud was not looked at within {} minutes; the plan goes on, ask for it with \
                     `tierdesk onboard status`",
                    PLAN_PATIENCE.as_secs() / 60
                )
            })
    }

    /// Until nothing more happens without a person, with a line a step.
    pub(super) async fn until_settled(&self, report: RunReport) -> anyhow::Result<RunReport> {
        let mut told = Vec::new();
        let tell = |report: &RunReport| {
            for step in &report.steps {
                let is_over = matches!(step.verdict, "done" | "failed" | "skipped");
                if is_over && !told.contains(&step.name) {
                    told.push(step.name);
                    let line = text::step_line(self.output, step);
                    if self.output.is_json {
                        self.output.note(line);
                    } else {
                        self.output.line(line);
                    }
                }
            }
        };
        Box::pin(self.follow(report, tell)).await
    }

    async fn follow(
        &self,
        report: RunReport,
        mut tell: impl FnMut(&RunReport),
    ) -> anyhow::Result<RunReport> {
        if report.is_settled() {
            return Ok(report);
        }
        let stop = CancellationToken::new();
        let worker = self.worker();
        let work = self.work(&worker, &stop);
        let look = async {
            let mut report = report;
            let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
            while !report.is_settled() {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    // The step in hand ends first, so that nobody waits for its lease.
                    _ = &mut interrupted => {
                        self.output.note(format!(
                            "stopped; to go on: tierdesk onboard resume {}",
                            report.customer
                        ));
                        break;
                    }
                }
                report = onboard::status(self.desk, self.actor, &report.run).await?;
                tell(&report);
            }
            stop.cancel();
            anyhow::Ok(report)
        };
        let (report, ()) = tokio::join!(look, work);
        report
    }

    fn worker(&self) -> Worker {
        let desk = Arc::new(self.desk.clone());
        let observe = Arc::new(ObserveCloud {
            desk: Arc::clone(&desk),
            cloud: Arc::clone(self.cloud),
        });
        let provision = Arc::new(ProvisionStep {
            desk: Arc::clone(&desk),
            cloud: Arc::clone(self.cloud),
        });
        let name = crate::commands::holder();
        Worker::new(desk.database.clone(), name, vec![observe, provision])
    }

    /// Works as long as nobody else does. Whoever serves may end in between.
    async fn work(&self, worker: &Worker, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            // Both may claim a job; only one gets it.
            if !matches!(onboard::is_served(self.desk).await, Ok(true)) {
                let round = stop.child_token();
                let pause = async {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(Duration::from_secs(5)) => {}
                    }
                    round.cancel();
                };
                tokio::join!(worker.run(round.clone()), pause);
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }
}
