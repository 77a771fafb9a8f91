//! Jobs and their dead letters.

use tierdesk_core::{
    desk::{Desk, jobs},
    jobs::{Job, JobReport, JobState},
    permit::Actor,
};

use crate::{
    args::JobsCommand,
    exit::Exit,
    output::{Output, local},
};

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    command: JobsCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    match command {
        JobsCommand::List { all, limit } => {
            let states = if all {
                JobState::ALL.to_vec()
            } else {
                vec![JobState::Queued, JobState::Leased, JobState::Dead]
            };
            let found = jobs::list(desk, actor, &states, limit).await?;
            let reports: Vec<JobReport> = found.into_iter().map(JobReport::from).collect();
            output.answer(&reports, |out| list(out, &reports))
        }
        JobsCommand::Show { id } => show(&jobs::show(desk, actor, id).await?, output),
        JobsCommand::Retry { id } => show(&jobs::retry(desk, actor, id).await?, output),
        JobsCommand::Drop { id } => show(&jobs::drop_job(desk, actor, id).await?, output),
    }
}

fn list(out: &Output, reports: &[JobReport]) {
    if reports.is_empty() {
        return out.line("No job waits, runs or was given up.");
    }
    let row = |report: &JobReport| {
        vec![
            report.id.to_string(),
            report.kind.clone(),
            report.state.to_string(),
            report.attempts.to_string(),
            local(report.run_at),
            report.error.clone().unwrap_or_default(),
        ]
    };
    let rows = reports.iter().map(row).collect();
    out.table(
        &["id", "kind", "state", "tries", "not before", "last error"],
        rows,
    );
}

fn show(job: &Job, output: &Output) -> anyhow::Result<Exit> {
    let report = JobReport::from(job.clone());
    let mut value = serde_json::to_value(&report)?;
    value["payload"] =
        serde_json::from_str(&job.payload).unwrap_or_else(|_| job.payload.clone().into());
    output.answer(&value, |out| {
        list(out, std::slice::from_ref(&report));
        out.line(format!("payload: {}", job.payload));
    })
}
