//! Shifts that change hands: offered, taken, given back.
//!
//! A swap goes by whose shift it is. It moves what its owner would have had, and nothing else: an override made
//! for the same time, or another rota, is not undone by it.

use serde::Serialize;

use super::{
    Place,
    concerned::{span_of, tell_ahead},
    overrides::{called_layer, find, no_such},
    people::{check_there, for_whom, name_of, own_or_admin, reason_of},
    person_name, place, rota,
};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    ids::{OverrideId, StaffId},
    oncall::{Layer, OverrideKind, Roster, Schedule, nominal, resolve},
    permit::{Actor, Permit, ReadRota, Subject, SwapShift, authorise},
    refusal::{Refusal, RefusalCode},
    staff::Staff,
    store::{
        audit::{self, Change},
        oncall::{self, StoredOverride, StoredSchedule},
        staff,
    },
};

/// A shift to be offered.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Of which schedule.
    pub place: Place,
    /// Primary or secondary.
    pub layer: Layer,
    /// From when.
    pub from: String,
    /// Until when; the end of the shift where absent.
    pub to: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Whose shift, for an admin.
    pub whose: Option<String>,
}

/// What is taken.
#[derive(Clone, Debug)]
pub enum Taking {
    /// A shift that is offered.
    Offered(OverrideId),
    /// One that is not, with a reason: somebody cannot even offer it.
    Unasked {
        /// Of which schedule.
        place: Place,
        /// Primary or secondary.
        layer: Layer,
        /// From when.
        from: String,
        /// Until when; the end of the shift where absent.
        to: Option<String>,
        /// Why.
        reason: String,
    },
}

/// A swap as `oncall swap list --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct SwapReport {
    /// The id.
    pub id: OverrideId,
    /// Of which schedule.
    pub schedule: String,
    /// Primary or secondary.
    pub layer: Layer,
    /// Whose shift it is by the rota.
    pub whose: String,
    /// Who took it; `None` while it is offered.
    pub taken_by: Option<String>,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// Why.
    pub reason: String,
}

impl SwapReport {
    fn of(staff: &[Staff], row: &StoredOverride) -> Self {
        Self {
            id: row.id,
            schedule: row.schedule.clone(),
            layer: row.layer,
            whose: person_name(staff, row.replaces).unwrap_or_default(),
            taken_by: person_name(staff, row.staff_id),
            start: row.starts,
            end: row.ends,
            reason: row.reason.clone(),
        }
    }
}

/// Shifts that are offered or changed hands, and are not over.
pub async fn list_swaps(desk: &Desk, actor: &Actor) -> Result<Vec<SwapReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let now = permit.now();
    let mut found = oncall::overrides_ahead(&mut permit, now).await?;
    found.retain(|one| one.kind == OverrideKind::Swap);
    Ok(found
        .iter()
        .map(|one| SwapReport::of(&staff, one))
        .collect())
}

/// Offers one's shift, or part of it.
pub async fn offer(desk: &Desk, actor: &Actor, offer: Offer) -> Result<SwapReport, Error> {
    let layer = called_layer(offer.layer)?;
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, SwapShift, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let owner = for_whom(&permit, &staff, offer.whose.as_deref())?;
    let schedule = offer.place.lock(desk, &mut permit).await?;
    let shift = Held::find(
        &mut permit,
        &schedule,
        &staff,
        layer,
        (&offer.from, offer.to.as_deref()),
    )
    .await?;
    if shift.owner != owner.id {
        let message = format!(
            "from {} it is the shift of {}, not of {}; nothing was offered",
            shift.starts,
            name_of(&staff, shift.owner),
            owner.name
        );
        return Err(Refusal::invalid(message)
            .with_hint(format!(
                "tierdesk oncall preview --schedule {}",
                schedule.slug
            ))
            .into());
    }
    let ahead = oncall::overrides_ahead(&mut permit, shift.starts).await?;
    let twice = ahead.iter().find(|one| {
        one.schedule == schedule.slug
            && one.layer == layer
            && one.replaces == Some(owner.id)
            && one.staff_id.is_none()
            && one.starts < shift.ends
    });
    if let Some(twice) = twice {
        let message = format!(
            "{} offers this from {} to {} already; nothing was changed",
            owner.name, twice.starts, twice.ends
        );
        return Err(Refusal::new(RefusalCode::Taken, message)
            .with_hint(format!(
                "take it back with: tierdesk oncall swap give-back {}",
                twice.id
            ))
            .into());
    }
    let reason = offer.reason.unwrap_or_else(|| "offered".to_owned());
    let row = shift.row(&schedule, layer, None, reason_of(&reason)?);
    let id = oncall::insert_override(&mut permit, row).await?;
    finish(&mut permit, &staff, id, "offered", &owner.name).await?;
    let made = find(&mut permit, id).await?;
    tx.commit().await?;
    Ok(SwapReport::of(&staff, &made))
}

/// Takes a shift over: one that is offered, or with a reason one that is not. An admin may for somebody else.
pub async fn take(
    desk: &Desk,
    actor: &Actor,
    what: Taking,
    for_name: Option<&str>,
) -> Result<SwapReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, SwapShift, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let taker = for_whom(&permit, &staff, for_name)?;
    let id = match what {
        Taking::Offered(id) => take_offered(&mut permit, id, taker).await?,
        Taking::Unasked {
            place,
            layer,
            from,
            to,
            reason,
        } => {
            let layer = called_layer(layer)?;
            let schedule = place.lock(desk, &mut permit).await?;
            let span = (from.as_str(), to.as_deref());
            let shift = Held::find(&mut permit, &schedule, &staff, layer, span).await?;
            if shift.owner == taker.id {
                let message = format!("it is the shift of {} already", taker.name);
                return Err(Refusal::invalid(message).into());
            }
            check_there(&mut permit, taker, (shift.starts, shift.ends)).await?;
            let row = shift.row(&schedule, layer, Some(taker.id), reason_of(&reason)?);
            oncall::insert_override(&mut permit, row).await?
        }
    };
    finish(&mut permit, &staff, id, "taken", &taker.name).await?;
    let taken = find(&mut permit, id).await?;
    let report = SwapReport::of(&staff, &taken);
    let span = span_of(&mut permit, &taken).await?;
    let (whose, name, from) = (&report.whose, &taker.name, taken.starts);
    let words = format!("{name} has taken a shift of yours\n{span}.");
    tell_ahead(desk, &mut permit, &staff, (taken.replaces, from), &words).await?;
    let words = format!("A shift of {whose} is yours now\n{span}.");
    tell_ahead(desk, &mut permit, &staff, (Some(taker.id), from), &words).await?;
    tx.commit().await?;
    Ok(report)
}

async fn take_offered(
    permit: &mut Permit<'_, SwapShift>,
    id: OverrideId,
    taker: &Staff,
) -> Result<OverrideId, Error> {
    let found = find(permit, id).await?;
    if found.kind != OverrideKind::Swap {
        return Err(Refusal::invalid(format!("{id} is an override, no offered shift")).into());
    }
    if found.ends <= permit.now() {
        let message = format!("it was over at {}; nothing was changed", found.ends);
        return Err(Refusal::invalid(message).into());
    }
    if found.replaces == Some(taker.id) {
        let message = format!(
            "{} offers it, and has it until somebody takes it",
            taker.name
        );
        return Err(Refusal::invalid(message)
            .with_hint(format!("to keep it: tierdesk oncall swap give-back {id}"))
            .into());
    }
    check_there(permit, taker, (found.starts, found.ends)).await?;
    if !oncall::take(permit, id, taker.id).await? {
        return Err(Refusal::new(
            RefusalCode::Changed,
            "somebody else took it first; nothing was changed",
        )
        .with_hint("tierdesk oncall swap list")
        .into());
    }
    Ok(id)
}

/// Gives back what was taken: it is offered again, or its owner's again where it was never offered. Its owner
/// takes an offer back the same way. What is over stays.
pub async fn give_back(desk: &Desk, actor: &Actor, id: OverrideId) -> Result<SwapReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, SwapShift, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let found = find(&mut permit, id).await?;
    if found.kind != OverrideKind::Swap {
        let message = format!("{id} is an override, no shift that changed hands");
        return Err(Refusal::invalid(message)
            .with_hint(format!("tierdesk oncall override --remove {id}"))
            .into());
    }
    if found.ends <= permit.now() {
        let message = format!("it was over at {}; nothing was changed", found.ends);
        return Err(Refusal::invalid(message).into());
    }
    let holder = found.staff_id.or(found.replaces).unwrap_or_default();
    let name = name_of(&staff, holder);
    own_or_admin(&permit, holder, &name)?;
    let is_done = match found.staff_id {
        Some(taker) if found.is_offered => oncall::give_back(&mut permit, id, taker).await?,
        _ => oncall::remove_override(&mut permit, id).await?,
    };
    if !is_done {
        return Err(no_such(id).into());
    }
    let report = SwapReport {
        taken_by: None,
        ..SwapReport::of(&staff, &found)
    };
    let change = Change::to(format!("schedule:{}", report.schedule))
        .with("given back", id.to_string())
        .with("who", name.clone());
    audit::append(&mut permit, vec![change]).await?;
    if let Some(taker) = found.staff_id {
        let (span, from) = (span_of(&mut permit, &found).await?, found.starts);
        let again = if found.is_offered {
            ", and offered again"
        } else {
            ""
        };
        let words = format!("{name} has given a shift of yours back\n{span}: it is yours{again}.");
        tell_ahead(desk, &mut permit, &staff, (found.replaces, from), &words).await?;
        let whose = &report.whose;
        let words =
            format!("A shift that you took is not yours any more\n{span}: it is {whose}'s again.");
        tell_ahead(desk, &mut permit, &staff, (Some(taker), from), &words).await?;
    }
    tx.commit().await?;
    Ok(report)
}

async fn finish(
    permit: &mut Permit<'_, SwapShift>,
    staff: &[Staff],
    id: OverrideId,
    what: &'static str,
    who: &str,
) -> Result<(), Error> {
    let row = find(permit, id).await?;
    let change = Change::to(format!("schedule:{}", row.schedule))
        .with(what, id.to_string())
        .with("who", who)
        .with(
            "whose",
            person_name(staff, row.replaces).unwrap_or_default(),
        )
        .with("layer", row.layer.as_str())
        .with("from", row.starts.to_string())
        .with("to", row.ends.to_string())
        .with("reason", row.reason);
    Ok(audit::append(permit, vec![change]).await?)
}

/// A stretch that is one person's.
struct Held {
    owner: StaffId,
    starts: Timestamp,
    ends: Timestamp,
}

impl Held {
    /// Whose the span is, all of it; without an end, to the end of the shift.
    async fn find(
        permit: &mut Permit<'_, SwapShift>,
        schedule: &StoredSchedule,
        staff: &[Staff],
        layer: Layer,
        (from, to): (&str, Option<&str>),
    ) -> Result<Self, Error> {
        let (zone, now) = (place::zone(schedule), permit.now());
        let starts = place::start(from, &zone, now)?.max(now);
        let ends = to.map(|text| place::end(text, &zone)).transpose()?;
        if let Some(ends) = ends {
            place::check_span(starts, ends, now)?;
        }
        let (rotations, roster) = rota(permit, schedule, staff, starts, Timestamp::MAX).await?;
        let Some(owner) = nominal(&rotations, &roster, layer, starts) else {
            let message = format!("nobody has a shift as {layer} at {starts}; nothing was changed");
            return Err(Refusal::invalid(message)
                .with_hint(format!(
                    "tierdesk oncall preview --schedule {}",
                    schedule.slug
                ))
                .into());
        };
        let held = held_until(&rotations, &roster, layer, (starts, owner), ends);
        if let Some(ends) = ends.filter(|ends| *ends > held) {
            let message = format!(
                "the shift of {} ends at {held}, before {ends}; nothing was changed",
                name_of(staff, owner)
            );
            return Err(Refusal::invalid(message)
                .with_hint("one shift at a time: leave --to out for all that is left of it")
                .into());
        }
        Ok(Self {
            owner,
            starts,
            ends: ends.unwrap_or(held),
        })
    }

    fn row(
        &self,
        schedule: &StoredSchedule,
        layer: Layer,
        person: Option<StaffId>,
        reason: &str,
    ) -> oncall::NewOverride {
        oncall::NewOverride {
            schedule: schedule.id,
            layer,
            kind: OverrideKind::Swap,
            person,
            replaces: Some(self.owner),
            starts: self.starts,
            ends: self.ends,
            reason: reason.to_owned(),
        }
    }
}

/// Until when a layer is somebody's, whether they are there or not; at least to `goal`, where that is so far
/// off. Someone who is alone in a rotation has one shift after the other: then only the first counts.
fn held_until(
    rotations: &Schedule,
    roster: &Roster,
    layer: Layer,
    (starts, owner): (Timestamp, StaffId),
    goal: Option<Timestamp>,
) -> Timestamp {
    let mut at = starts;
    // Whatever may change in between is tried; a shift has an end.
    for _ in 0..2_000 {
        let until = resolve(rotations, roster, at).until;
        let handoff = rotations
            .layer(layer)
            .iter()
            .filter_map(|rotation| rotation.at(at))
            .any(|shift| shift.end == until);
        at = until;
        let is_far_enough = goal.is_none_or(|goal| at >= goal);
        if at == Timestamp::MAX
            || nominal(rotations, roster, layer, at) != Some(owner)
            || (handoff && is_far_enough)
        {
            break;
        }
    }
    at
}
