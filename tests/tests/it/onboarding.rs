//! Onboarding on the simulated cloud: what a plan says, that a run does exactly that, and what holds
//! when workers, answers and people fail.

mod approvals;
mod crash;
mod drift;
mod faults;
mod happy;
mod killed;
mod plans;

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    clock::Timestamp,
    cloud::Cloud,
    desk::onboard::{self, PlanRequest, RunReport, StartOptions},
    jobs::{JobState, worker::Worker},
    permit::Actor,
    store::jobs,
};
use tierdesk_provision::{
    ObserveCloud, ProvisionStep, SimulatedCloud,
    simulated::{Pace, Simulated},
};
use tierdesk_tests::{Backend, TestDesk, owner};

/// A seed, so that each run of a test sees the same durations.
const SEED: u64 = 42;

/// A desk with a simulated organisation that is as slow as AWS, on a clock moved by hand.
struct Stage {
    test: TestDesk,
    cloud: SimulatedCloud,
}

impl Stage {
    async fn new(backend: Backend) -> Self {
        let test = TestDesk::new(backend).await;
        let cloud = SimulatedCloud::new(test.desk.database.clone(), Pace::REAL);
        let stage = Self { test, cloud };
        stage
            .change(|machine, _| *machine = Simulated::new(SEED, Pace::REAL))
            .await;
        stage
    }

    async fn change(&self, change: impl Fn(&mut Simulated, Timestamp)) {
        self.cloud
            .change(change)
            .await
            .expect("the cloud is changed");
    }

    async fn machine(&self) -> Simulated {
        self.cloud.machine().await.expect("the cloud is read")
    }

    fn worker(&self, name: &str, cloud: &SimulatedCloud) -> Worker {
        let desk = Arc::new(self.test.desk.clone());
        let cloud: Arc<dyn Cloud> = Arc::new(cloud.clone());
        let observe = Arc::new(ObserveCloud {
            desk: Arc::clone(&desk),
            cloud: Arc::clone(&cloud),
        });
        let provision = Arc::new(ProvisionStep {
            desk: Arc::clone(&desk),
            cloud,
        });
        Worker::new(desk.database.clone(), name, vec![observe, provision])
    }

    /// Does due jobs and moves the clock to the next one, until none is left.
    async fn settle(&self) {
        let worker = self.worker("settler", &self.cloud);
        for _ in 0..2_000 {
            worker.drain().await.expect("the queue is read");
            if !self.pass_to_next_job().await {
                return;
            }
        }
        panic!("jobs are left over");
    }

    /// Moves the clock to when the next job is due. Returns whether there is one.
    async fn pass_to_next_job(&self) -> bool {
        let mut tx = self
            .test
            .desk
            .database
            .begin_read()
            .await
            .expect("it begins");
        let waiting = jobs::list(&mut tx, &[JobState::Queued, JobState::Leased], 100)
            .await
            .expect("jobs are listed");
        let now = tx.now();
        let next = waiting.iter().map(|job| job.run_at.since(now)).min();
        let next = next.map(|span| span.max(Duration::from_millis(100)));
        self.test.pass(next.unwrap_or_default());
        next.is_some()
    }

    async fn plan(&self, request: PlanRequest) -> RunReport {
        let planned = onboard::plan(&self.test.desk, &owner(), request).await;
        let planned = planned.expect("it is planned");
        self.settle().await;
        self.status(&planned.run).await
    }

    async fn status(&self, run: &str) -> RunReport {
        onboard::status(&self.test.desk, &owner(), run)
            .await
            .expect("it is known")
    }

    async fn start_as(&self, actor: &Actor, run: &str) -> RunReport {
        let started = onboard::start(&self.test.desk, actor, run, StartOptions::default()).await;
        started.expect("it is started")
    }

    /// Plans, starts and sees through.
    async fn onboard(&self, request: PlanRequest) -> RunReport {
        let planned = self.plan(request).await;
        self.start_as(&owner(), &planned.run).await;
        self.settle().await;
        self.status(&planned.run).await
    }
}

/// A customer to be onboarded.
fn request(name: &str, tier: &str) -> PlanRequest {
    let slug = name.to_lowercase().replace(' ', "");
    PlanRequest {
        name: name.to_owned(),
        tier: tier.parse().expect("a tier"),
        contact: format!("ops@{slug}.com").parse().expect("an address"),
        domain: format!("{slug}.com").parse().expect("a domain"),
        prefix: None,
        chat_channel: None,
    }
}

/// What a step says.
fn verdict<'r>(report: &'r RunReport, step: &str) -> &'r str {
    let found = report.steps.iter().find(|one| one.name.as_str() == step);
    found.map_or("", |step| step.verdict)
}

fn detail<'r>(report: &'r RunReport, step: &str) -> &'r str {
    let found = report.steps.iter().find(|one| one.name.as_str() == step);
    found.map_or("", |step| step.detail.as_str())
}
