//! Absences: whoever is away is not called, whatever the rota says.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::{
    concerned::tell_other,
    handoffs::on_the_wall,
    people::{for_whom, own_or_admin, reason_of},
    place, unless_unreadable,
};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    ids::{AbsenceId, StaffId},
    permit::{Actor, EnterAbsence, ReadRota, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        Tx,
        audit::{self, Change},
        oncall::{self, StoredAbsence},
        staff,
    },
};

/// An absence as `oncall absence list --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct AbsenceReport {
    /// The id.
    pub id: AbsenceId,
    /// Who.
    pub name: String,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// Why.
    pub reason: String,
}

impl From<StoredAbsence> for AbsenceReport {
    fn from(row: StoredAbsence) -> Self {
        Self {
            id: row.id,
            name: row.person,
            start: row.starts,
            end: row.ends,
            reason: row.reason,
        }
    }
}

/// Absences that are not over.
pub async fn list_absences(desk: &Desk, actor: &Actor) -> Result<Vec<AbsenceReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    let now = permit.now();
    let found = oncall::absences(&mut permit, now, Timestamp::MAX).await?;
    Ok(found.into_iter().map(AbsenceReport::from).collect())
}

/// Writes down that somebody is away: whoever acts, or, for an admin, somebody else. Times on the wall are those
/// of the first schedule that has them.
pub async fn add_absence(
    desk: &Desk,
    actor: &Actor,
    name: Option<&str>,
    (from, to): (&str, &str),
    reason: &str,
) -> Result<AbsenceReport, Error> {
    let reason = reason_of(reason)?;
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, EnterAbsence, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let whom = for_whom(&permit, &staff, name)?;
    let zone = zone_of(&mut permit, whom.id).await?;
    let span = place::span(from, to, &zone, permit.now())?;
    let others = oncall::absences(&mut permit, span.0, span.1).await?;
    if let Some(other) = others.iter().find(|one| one.staff_id == whom.id) {
        let message = format!(
            "{} is away from {} to {} already; nothing was changed",
            whom.name, other.starts, other.ends
        );
        return Err(Refusal::new(RefusalCode::Taken, message)
            .with_hint(format!(
                "for other times, first: tierdesk oncall absence remove {}",
                other.id
            ))
            .into());
    }
    let id = oncall::insert_absence(&mut permit, whom.id, span, reason).await?;
    let change = Change::to(format!("staff:{}", whom.name))
        .with("away from", span.0.to_string())
        .with("to", span.1.to_string())
        .with("reason", reason);
    audit::append(&mut permit, vec![change]).await?;
    let words = format!(
        "You are entered as away\n{} to {}: you are not called then.",
        on_the_wall(&zone, span.0),
        on_the_wall(&zone, span.1)
    );
    tell_other(desk, &mut permit, &staff, Some(whom.id), &words).await?;
    tx.commit().await?;
    Ok(AbsenceReport {
        id,
        name: whom.name.clone(),
        start: span.0,
        end: span.1,
        reason: reason.to_owned(),
    })
}

/// Takes an absence back.
pub async fn remove_absence(
    desk: &Desk,
    actor: &Actor,
    id: AbsenceId,
) -> Result<AbsenceReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, EnterAbsence, Subject::Desk).await?;
    let all = oncall::absences(&mut permit, Timestamp::MIN, Timestamp::MAX).await?;
    let missing = || Refusal::not_found("absence", id).with_hint("tierdesk oncall absence list");
    let found = all.into_iter().find(|one| one.id == id);
    let found = found.ok_or_else(missing)?;
    own_or_admin(&permit, found.staff_id, &found.person)?;
    if !oncall::remove_absence(&mut permit, id).await? {
        return Err(missing().into());
    }
    let change = Change::to(format!("staff:{}", found.person))
        .with("not away from", found.starts.to_string())
        .with("to", found.ends.to_string());
    audit::append(&mut permit, vec![change]).await?;
    let staff = staff::list(&mut permit).await?;
    let zone = zone_of(&mut permit, found.staff_id).await?;
    let words = format!(
        "You are not entered as away any more\n{} to {}.",
        on_the_wall(&zone, found.starts),
        on_the_wall(&zone, found.ends)
    );
    tell_other(desk, &mut permit, &staff, Some(found.staff_id), &words).await?;
    tx.commit().await?;
    Ok(found.into())
}

async fn zone_of(tx: &mut Tx, person: StaffId) -> Result<TimeZone, Error> {
    for slug in oncall::slugs(tx).await? {
        let stored = oncall::find_schedule(tx, &slug).await.map_err(Error::from);
        let stored = unless_unreadable(&slug, stored)?.flatten();
        if let Some(own) = stored.filter(|one| one.spec.people().any(|id| id == person)) {
            return Ok(place::zone(&own));
        }
    }
    Ok(TimeZone::UTC)
}
