//! Telling people that a shift of theirs changed hands, when somebody else had it do so. Reasons are left out: they are
//! free text about people, and this leaves the desk.

use std::{collections::BTreeSet, time::Duration};

use super::{
    handoffs::{on_the_wall, shown},
    place, rota,
};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, paging::tell},
    ids::StaffId,
    oncall::{Layer, timeline},
    paging::PageKind,
    permit::{ChangesTickets, Permit},
    staff::Staff,
    store::{
        Tx,
        oncall::{self, StoredOverride, StoredSchedule},
    },
};

/// Tells `whom` of what begins later than now, unless they did it themselves. What holds from now on is a handoff, of
/// which both sides are told by [`super::tell_handoffs`].
pub(super) async fn tell_ahead<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    staff: &[Staff],
    (whom, from): (Option<StaffId>, Timestamp),
    words: &str,
) -> Result<(), Error> {
    if from <= permit.now() {
        return Ok(());
    }
    tell_other(desk, permit, staff, whom, words).await
}

/// Tells `whom`, unless they did it themselves.
pub(super) async fn tell_other<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    staff: &[Staff],
    whom: Option<StaffId>,
    words: &str,
) -> Result<(), Error> {
    if whom == permit.staff() {
        return Ok(());
    }
    if let Some(person) = staff.iter().find(|one| Some(one.id) == whom) {
        tell(desk, permit, person, PageKind::News, "", words).await?;
    }
    Ok(())
}

/// Which shift, on the clocks of its schedule: `fintech (primary), Tue … to Wed …`.
pub(super) async fn span_of(tx: &mut Tx, row: &StoredOverride) -> Result<String, Error> {
    let stored = oncall::find_schedule(tx, &row.schedule).await?;
    let zone = stored.as_ref().map_or(jiff::tz::TimeZone::UTC, place::zone);
    Ok(format!(
        "{}, {} to {}",
        shown(&(row.schedule.clone(), row.layer)),
        on_the_wall(&zone, row.starts),
        on_the_wall(&zone, row.ends),
    ))
}

/// Whoever has a shift later than this is told before it begins, and when it does.
const FAR: Duration = Duration::from_hours(8 * 7 * 24);

/// Who is called in a layer over a span, as things stand; eight weeks of it at most.
pub(super) async fn called_in(
    tx: &mut Tx,
    stored: &StoredSchedule,
    staff: &[Staff],
    layer: Layer,
    (from, to): (Timestamp, Timestamp),
) -> Result<BTreeSet<StaffId>, Error> {
    let to = to.min(from.plus(FAR));
    let (rotations, roster) = rota(tx, stored, staff, from, to).await?;
    let segments = timeline(&rotations, &roster, from, to);
    let called = segments.iter().filter_map(|one| match layer {
        Layer::Primary => one.primary,
        Layer::Secondary => one.secondary,
        Layer::Fallback => None,
    });
    Ok(called.collect())
}
