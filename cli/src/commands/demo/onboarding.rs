//! One new customer, from plan to active, in a simulated cloud that is much quicker than AWS.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    cloud::Cloud,
    desk::{
        Desk,
        onboard::{self, PlanRequest, RunReport, StartOptions},
    },
    jobs::worker::Worker,
};
use tierdesk_provision::{ObserveCloud, ProvisionStep, SimulatedCloud, simulated::Pace};
use tokio_util::sync::CancellationToken;

use super::DEMO;
use crate::output::{Output, Tone};

/// How much quicker than AWS: what takes it minutes takes a moment here.
const PACE: Pace = Pace(3_000);
/// Longer than this is a fault, not a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Plans and starts it, and follows it to its end.
pub(super) async fn run(desk: &Desk) -> anyhow::Result<RunReport> {
    let request = PlanRequest {
        name: "Nordlicht Pay".to_owned(),
        tier: "fintech".parse()?,
        contact: "ops@nordlicht-pay.example".parse()?,
        domain: "nordlicht-pay.example".parse()?,
        prefix: None,
        chat_channel: None,
    };
    let desk = Arc::new(desk.clone());
    let cloud = SimulatedCloud::new(desk.database.clone(), PACE);
    let cloud: Arc<dyn Cloud> = Arc::new(cloud);
    let observe = Arc::new(ObserveCloud {
        desk: Arc::clone(&desk),
        cloud: Arc::clone(&cloud),
    });
    let provision = Arc::new(ProvisionStep {
        desk: Arc::clone(&desk),
        cloud,
    });
    let worker = Worker::new(desk.database.clone(), "demo", vec![observe, provision]);
    let stop = CancellationToken::new();
    let follow = async {
        let planned = onboard::plan(&desk, &DEMO, request).await?;
        let planned = until_settled(&desk, planned).await?;
        let options = StartOptions {
            hash: Some(planned.hash.clone()),
            ..StartOptions::default()
        };
        let started = onboard::start(&desk, &DEMO, &planned.run, options).await?;
        let done = until_settled(&desk, started).await?;
        stop.cancel();
        anyhow::Ok(done)
    };
    let work = worker.run(stop.clone());
    // On the heap: what it holds across its waits is large.
    let both = Box::pin(async { tokio::join!(follow, work) });
    let (done, ()) = tokio::time::timeout(PATIENCE, both)
        .await
        .map_err(|_| anyhow::anyhow!("the onboarding took longer than {PATIENCE:?}"))?;
    done
}

async fn until_settled(desk: &Desk, mut report: RunReport) -> anyhow::Result<RunReport> {
    while !report.is_settled() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        report = onboard::status(desk, &DEMO, &report.run).await?;
    }
    Ok(report)
}

/// What it came to.
pub(super) fn tell(out: &Output, report: &RunReport) {
    out.line("");
    out.line(out.paint(
        Tone::Strong,
        "A new customer, onboarded in a simulated cloud (nothing of Amazon's was touched)",
    ));
    let done = report
        .steps
        .iter()
        .filter(|step| step.verdict == "done")
        .count();
    out.line(format!(
        "  {} ({}, {}) is {}: {done} steps, {}",
        report.name,
        report.customer,
        report.tier,
        report.state,
        report.account_id.as_ref().map_or_else(
            || "no account".to_owned(),
            |account| format!("account {account}")
        ),
    ));
    for step in &report.steps {
        out.line(format!(
            "    {:8} {:16} {}",
            step.verdict,
            step.name.as_str(),
            step.detail
        ));
    }
}
