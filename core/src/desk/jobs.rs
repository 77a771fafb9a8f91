//! Looking at jobs and their dead letters, and settling them by hand.

use super::{Desk, Error};
use crate::{
    ids::JobId,
    jobs::{Job, JobKind, JobState},
    permit::{Actor, DropJob, ReadJobs, RetryJob, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        StoreError,
        audit::{self, Change},
        jobs,
    },
};

/// The newest jobs in these states.
pub async fn list(
    desk: &Desk,
    actor: &Actor,
    states: &[JobState],
    limit: i64,
) -> Result<Vec<Job>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadJobs, Subject::Desk).await?;
    Ok(jobs::list(&mut permit, states, limit).await?)
}

/// One job.
pub async fn show(desk: &Desk, actor: &Actor, id: JobId) -> Result<Job, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadJobs, Subject::Desk).await?;
    Ok(jobs::find(&mut permit, id)
        .await?
        .ok_or_else(|| not_found(id))?)
}

/// Runs a dead letter, or a job that waits for a later try, now.
pub async fn retry(desk: &Desk, actor: &Actor, id: JobId) -> Result<Job, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, RetryJob, Subject::Desk).await?;
    let job = jobs::find(&mut permit, id)
        .await?
        .ok_or_else(|| not_found(id))?;
    let is_queued_again = match jobs::retry(&mut permit, id).await {
        Err(StoreError::Conflict(_)) => {
            let message = format!("another job does what {id} would do; nothing was changed");
            return Err(Refusal::new(RefusalCode::Changed, message).into());
        }
        other => other?,
    };
    if !is_queued_again {
        return Err(settled(&job, "only dead letters and jobs that wait can be retried").into());
    }
    audit::append(
        &mut permit,
        vec![Change::to(format!("job:{id}")).with("kind", &job.kind)],
    )
    .await?;
    let job = jobs::find(&mut permit, id)
        .await?
        .ok_or_else(|| not_found(id))?;
    tx.commit().await?;
    Ok(job)
}

/// Gives a dead letter, or a job that waits, up for good.
pub async fn drop_job(desk: &Desk, actor: &Actor, id: JobId) -> Result<Job, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, DropJob, Subject::Desk).await?;
    let job = jobs::find(&mut permit, id)
        .await?
        .ok_or_else(|| not_found(id))?;
    if job.kind == JobKind::ProcessInbox.as_str() {
        let message =
            format!("job {id} holds a stored mail that is not processed yet; it was kept");
        let hint = format!(
            "tierdesk jobs retry {id}; mail that nobody should answer becomes a ticket and is marked as spam"
        );
        return Err(Refusal::new(RefusalCode::WrongStatus, message)
            .with_hint(hint)
            .into());
    }
    let reason = format!("dropped by {}", permit.actor());
    if !jobs::drop_job(&mut permit, id, reason).await? {
        return Err(settled(&job, "only dead letters and jobs that wait can be dropped").into());
    }
    audit::append(
        &mut permit,
        vec![Change::to(format!("job:{id}")).with("kind", &job.kind)],
    )
    .await?;
    let job = jobs::find(&mut permit, id)
        .await?
        .ok_or_else(|| not_found(id))?;
    tx.commit().await?;
    Ok(job)
}

fn not_found(id: JobId) -> Refusal {
    Refusal::not_found("job", id).with_hint("`tierdesk jobs list --all` shows them")
}

fn settled(job: &Job, hint: &str) -> Refusal {
    let message = format!("job {} is {}; nothing was changed", job.id, job.state);
    Refusal::new(RefusalCode::WrongStatus, message).with_hint(hint)
}
