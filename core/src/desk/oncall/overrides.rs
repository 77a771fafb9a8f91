//! Overrides: somebody is on call whoever's turn it is, for a reason.

use serde::Serialize;

use super::{
    Place,
    concerned::{called_in, span_of, tell_ahead},
    people::{check_there, get, name_of, own_or_admin, reason_of},
    person_name, place,
};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    ids::OverrideId,
    oncall::{Layer, OverrideKind},
    permit::{Actor, OverrideRota, ReadRota, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    staff::Staff,
    store::{
        Tx,
        audit::{self, Change},
        oncall::{self, StoredOverride},
        staff,
    },
};

/// An override to be made.
#[derive(Clone, Debug)]
pub struct NewOverride {
    /// Of which schedule.
    pub place: Place,
    /// Who, by name.
    pub who: String,
    /// From when: a time on the wall, an instant, or `now`.
    pub from: String,
    /// Until when.
    pub to: String,
    /// Why.
    pub reason: String,
    /// Primary or secondary.
    pub layer: Layer,
}

/// An override as `oncall override list --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct OverrideReport {
    /// The id.
    pub id: OverrideId,
    /// Of which schedule.
    pub schedule: String,
    /// Primary or secondary.
    pub layer: Layer,
    /// Who.
    pub who: String,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// Why.
    pub reason: String,
    /// By whom.
    pub made_by: String,
}

impl OverrideReport {
    fn of(staff: &[Staff], row: StoredOverride) -> Self {
        Self {
            id: row.id,
            schedule: row.schedule,
            layer: row.layer,
            who: person_name(staff, row.staff_id).unwrap_or_default(),
            start: row.starts,
            end: row.ends,
            reason: row.reason,
            made_by: row.made_by,
        }
    }
}

/// Overrides that hold, or will.
pub async fn list_overrides(desk: &Desk, actor: &Actor) -> Result<Vec<OverrideReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let now = permit.now();
    let mut found = oncall::overrides_ahead(&mut permit, now).await?;
    found.retain(|one| one.kind == OverrideKind::Override);
    let report = |one| OverrideReport::of(&staff, one);
    Ok(found.into_iter().map(report).collect())
}

/// Puts somebody on call. Of several that overlap, the one made last holds.
pub async fn set_override(
    desk: &Desk,
    actor: &Actor,
    new: NewOverride,
) -> Result<OverrideReport, Error> {
    let reason = reason_of(&new.reason)?.to_owned();
    let layer = called_layer(new.layer)?;
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, OverrideRota, Subject::Desk).await?;
    let schedule = new.place.lock(desk, &mut permit).await?;
    let staff = staff::list(&mut permit).await?;
    let whom = get(&staff, &new.who)?;
    own_or_admin(&permit, whom.id, &new.who)?;
    let span = place::span(&new.from, &new.to, &place::zone(&schedule), permit.now())?;
    check_there(&mut permit, whom, span).await?;
    let ahead = oncall::overrides_ahead(&mut permit, span.0).await?;
    let twice = ahead.iter().find(|one| {
        one.schedule == schedule.slug
            && one.layer == layer
            && one.staff_id == Some(whom.id)
            && one.starts < span.1
    });
    if let Some(twice) = twice {
        let message = format!(
            "{} is put on call from {} to {} already; nothing was changed",
            new.who, twice.starts, twice.ends
        );
        let remedy = format!("tierdesk oncall override --remove {}", twice.id);
        return Err(Refusal::new(RefusalCode::Taken, message)
            .with_hint(format!("for other times, first: {remedy}"))
            .into());
    }
    let ahead = span;
    let before = called_in(&mut permit, &schedule, &staff, layer, ahead).await?;
    let row = oncall::NewOverride {
        schedule: schedule.id,
        layer,
        kind: OverrideKind::Override,
        person: Some(whom.id),
        replaces: None,
        starts: span.0,
        ends: span.1,
        reason: reason.clone(),
    };
    let id = oncall::insert_override(&mut permit, row).await?;
    let change = Change::to(format!("schedule:{}", schedule.slug))
        .with("override", id.to_string())
        .with("layer", layer.as_str())
        .with("who", new.who.clone())
        .with("from", span.0.to_string())
        .with("to", span.1.to_string())
        .with("reason", reason);
    audit::append(&mut permit, vec![change]).await?;
    let made = find(&mut permit, id).await?;
    let span = span_of(&mut permit, &made).await?;
    let words = format!("You are put on call\n{span}.");
    let from = made.starts;
    tell_ahead(desk, &mut permit, &staff, (made.staff_id, from), &words).await?;
    let after = called_in(&mut permit, &schedule, &staff, layer, ahead).await?;
    let words = format!("{} is on call in your place\n{span}.", new.who);
    for displaced in before.difference(&after) {
        tell_ahead(desk, &mut permit, &staff, (Some(*displaced), from), &words).await?;
    }
    tx.commit().await?;
    Ok(OverrideReport::of(&staff, made))
}

/// Takes an override back; its own person may, and an admin.
pub async fn remove_override(
    desk: &Desk,
    actor: &Actor,
    id: OverrideId,
) -> Result<OverrideReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, OverrideRota, Subject::Desk).await?;
    let found = find(&mut permit, id).await?;
    let staff = staff::list(&mut permit).await?;
    if found.kind == OverrideKind::Swap {
        let message = format!("{id} is a shift that changed hands, no override");
        return Err(Refusal::invalid(message)
            .with_hint(format!("tierdesk oncall swap give-back {id}"))
            .into());
    }
    if let Some(person) = found.staff_id {
        own_or_admin(&permit, person, &name_of(&staff, person))?;
    }
    if found.ends <= permit.now() {
        let message = format!("it was over at {}; nothing was changed", found.ends);
        return Err(Refusal::invalid(message).into());
    }
    let schedule = Place::Schedule(found.schedule.clone());
    let schedule = schedule.find(desk, &mut permit).await?;
    let ahead = (found.starts.max(permit.now()), found.ends);
    let before = called_in(&mut permit, &schedule, &staff, found.layer, ahead).await?;
    if !oncall::remove_override(&mut permit, id).await? {
        return Err(no_such(id).into());
    }
    let (span, from) = (span_of(&mut permit, &found).await?, found.starts);
    let after = called_in(&mut permit, &schedule, &staff, found.layer, ahead).await?;
    let words = format!("You are not put on call any more\n{span}.");
    for person in before.difference(&after) {
        tell_ahead(desk, &mut permit, &staff, (Some(*person), from), &words).await?;
    }
    let who = name_of(&staff, found.staff_id.unwrap_or_default());
    let words = format!("{who} is not on call in your place any more\n{span}.");
    for person in after.difference(&before) {
        tell_ahead(desk, &mut permit, &staff, (Some(*person), from), &words).await?;
    }
    let report = OverrideReport::of(&staff, found);
    let change = Change::to(format!("schedule:{}", report.schedule))
        .with("override removed", id.to_string())
        .with("who", report.who.clone());
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(report)
}

pub(super) async fn find(tx: &mut Tx, id: OverrideId) -> Result<StoredOverride, Error> {
    let found = oncall::find_override(tx, id).await?;
    Ok(found.ok_or_else(|| no_such(id))?)
}

pub(super) fn no_such(id: OverrideId) -> Refusal {
    Refusal::not_found("override or swap", id)
        .with_hint("tierdesk oncall override --list; tierdesk oncall swap list")
}

/// The layers in which somebody is called; a fallback is not given away.
pub(super) fn called_layer(layer: Layer) -> Result<Layer, Refusal> {
    if layer == Layer::Fallback {
        let message = "the fallback is there for whoever is not; it cannot be given away";
        return Err(Refusal::invalid(message).with_hint("name primary or secondary"));
    }
    Ok(layer)
}
