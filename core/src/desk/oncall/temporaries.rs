//! Temporary schedules: holidays, a release. Where they have nobody, the fallback is called.

use serde::Serialize;

use super::{
    people::reason_of,
    place::{self, no_schedule},
    schedules::{RotationReport, refuse, rotations, specs},
};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    ids::TemporaryId,
    oncall::{WrittenSchedule, WrittenTemporary, read_rota},
    permit::{Actor, ChangeSchedule, Permit, ReadRota, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    staff::Staff,
    store::{
        Tx,
        audit::{self, Change},
        oncall::{self, StoredTemporary},
        staff,
    },
};

/// A temporary schedule as `oncall temporary list --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct TemporaryReport {
    /// The id.
    pub id: TemporaryId,
    /// In whose place.
    pub schedule: String,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// Why.
    pub reason: String,
    /// Who takes turns.
    pub rotations: Vec<RotationReport>,
}

/// Temporary schedules that are not over.
pub async fn list_temporaries(desk: &Desk, actor: &Actor) -> Result<Vec<TemporaryReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    let now = permit.now();
    list(&mut permit, now).await
}

async fn list(tx: &mut Tx, from: Timestamp) -> Result<Vec<TemporaryReport>, Error> {
    let staff = staff::list(tx).await?;
    let found = oncall::temporaries(tx, from, Timestamp::MAX).await?;
    found.into_iter().map(|one| report(&staff, one)).collect()
}

fn report(staff: &[Staff], row: StoredTemporary) -> Result<TemporaryReport, Error> {
    let spec = oncall::read_spec("oncall_temporaries", &row.schedule, &row.spec)?;
    Ok(TemporaryReport {
        id: row.id,
        schedule: row.schedule,
        start: row.starts,
        end: row.ends,
        reason: row.reason,
        rotations: rotations(staff, &spec),
    })
}

/// Adds the temporary schedules of a file. Two for one schedule do not overlap.
pub async fn set_temporaries(
    desk: &Desk,
    actor: &Actor,
    text: &str,
    origin: &str,
) -> Result<Vec<TemporaryReport>, Error> {
    let rota = read_rota(text, origin).map_err(|error| refuse(&error))?;
    if rota.temporaries.is_empty() || !rota.schedules.is_empty() {
        return Err(Refusal::invalid(format!(
            "{origin} must hold [[temporary]], and nothing else"
        ))
        .with_hint("a [[schedule]] is set with tierdesk oncall schedule set")
        .into());
    }
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ChangeSchedule, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let mut made = Vec::new();
    for written in &rota.temporaries {
        made.push(add(&mut permit, &staff, written).await?);
    }
    let now = permit.now();
    let mut all = list(&mut permit, now).await?;
    all.retain(|one| made.contains(&one.id));
    tx.commit().await?;
    Ok(all)
}

async fn add(
    permit: &mut Permit<'_, ChangeSchedule>,
    staff: &[Staff],
    written: &WrittenTemporary,
) -> Result<TemporaryId, Error> {
    let schedule = oncall::lock_schedule(permit, &written.schedule).await?;
    let schedule = schedule.ok_or_else(|| no_schedule(&written.schedule))?;
    let reason = reason_of(&written.reason)?;
    let zone = place::zone(&schedule);
    let span = place::span(&written.from, &written.to, &zone, permit.now())?;
    let others = oncall::temporaries(permit, span.0, span.1).await?;
    if let Some(other) = others.iter().find(|one| one.schedule == schedule.slug) {
        let message = format!(
            "{} has a temporary schedule from {} to {} already ({}); nothing was changed",
            schedule.slug, other.starts, other.ends, other.reason
        );
        return Err(Refusal::new(RefusalCode::Taken, message)
            .with_hint(format!(
                "first: tierdesk oncall temporary remove {}",
                other.id
            ))
            .into());
    }
    let as_schedule = WrittenSchedule {
        slug: schedule.slug.clone(),
        zone: schedule.spec.zone.clone(),
        rotations: written.rotations.clone(),
    };
    let spec = specs(staff, &[as_schedule])?.remove(0);
    let id = oncall::insert_temporary(permit, schedule.id, span, &spec, reason).await?;
    let mut change = Change::to(format!("schedule:{}", schedule.slug))
        .with("temporary", id.to_string())
        .with("from", span.0.to_string())
        .with("to", span.1.to_string())
        .with("reason", reason);
    for line in super::schedules::differences(staff, None, &spec) {
        change = change.with("rota", line);
    }
    audit::append(permit, vec![change]).await?;
    Ok(id)
}

/// Takes a temporary schedule back.
pub async fn remove_temporary(
    desk: &Desk,
    actor: &Actor,
    id: TemporaryId,
) -> Result<TemporaryReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ChangeSchedule, Subject::Desk).await?;
    let missing =
        || Refusal::not_found("temporary schedule", id).with_hint("tierdesk oncall temporary list");
    let all = list(&mut permit, Timestamp::MIN).await?;
    let found = all.into_iter().find(|one| one.id == id);
    let found = found.ok_or_else(missing)?;
    if !oncall::remove_temporary(&mut permit, id).await? {
        return Err(missing().into());
    }
    let change = Change::to(format!("schedule:{}", found.schedule))
        .with("temporary removed", id.to_string());
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(found)
}
