//! Who is on call: asking, planning ahead, and changing it.
//!
//! What is right is decided in [`crate::oncall`]; here it is read, refused and written down. To add a
//! change: an action in `permit`, a function in a file of this folder, a command.

use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    ids::StaffId,
    oncall::{Source, resolve, until_change},
    permit::{Action, Permit},
    staff::Staff,
    store::{oncall, staff},
};

/// So many possible changes ahead it is looked for when something really changes.
const STEPS: usize = 200;

/// Who is on call at the instant of a unit of work.
#[derive(Clone, Debug)]
pub struct Duty {
    /// Called first; `None` leaves the catch-all.
    pub primary: Option<Staff>,
    /// Called next.
    pub secondary: Option<Staff>,
    /// Why it is this primary.
    pub source: Source,
    /// Until when.
    pub until: Timestamp,
}

/// Who is on call by a schedule now; nobody where there is no such schedule.
pub(crate) async fn on_duty<A: Action>(
    permit: &mut Permit<'_, A>,
    desk: &Desk,
    schedule: &str,
) -> Result<Duty, Error> {
    let at = permit.now();
    on_duty_at(permit, desk, schedule, at).await
}

/// The same at another instant.
pub(crate) async fn on_duty_at<A: Action>(
    permit: &mut Permit<'_, A>,
    _desk: &Desk,
    schedule: &str,
    at: Timestamp,
) -> Result<Duty, Error> {
    let Some(stored) = oncall::find_schedule(permit, schedule).await? else {
        return Ok(Duty {
            primary: None,
            secondary: None,
            source: Source::CatchAll,
            until: Timestamp::MAX,
        });
    };
    let staff = staff::list(permit).await?;
    let rotations = oncall::rotations(&stored)?;
    let roster = oncall::roster(permit, &stored, &staff, at, Timestamp::MAX).await?;
    let duty = resolve(&rotations, &roster, at);
    let person = |id: Option<StaffId>| {
        let id = id?;
        staff.iter().find(|one| one.id == id).cloned()
    };
    Ok(Duty {
        primary: person(duty.primary),
        secondary: person(duty.secondary),
        source: duty.source,
        until: until_change(&rotations, &roster, at, STEPS),
    })
}
