//! Telling people that a shift of theirs changed hands, when somebody else had it do so.

use super::{
    handoffs::{on_the_wall, shown},
    place,
};
use crate::{
    desk::{Desk, Error, paging::tell},
    ids::StaffId,
    paging::PageKind,
    permit::{ChangesTickets, Permit},
    staff::Staff,
    store::{
        Tx,
        oncall::{self, StoredOverride},
    },
};

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
