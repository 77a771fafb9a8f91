//! People by name, and who is called when nobody is on call.

use crate::{
    clock::Timestamp,
    desk::Error,
    ids::StaffId,
    permit::{Action, Permit},
    refusal::{Refusal, RefusalCode},
    staff::{Role, Staff, StaffStatus},
    store::{Tx, oncall},
};

/// What stands for whoever is called when there is not even an admin.
const NOBODY: &str = "catch-all";

/// Who is called when nobody is on call: the admins, who is here longest first.
pub(super) struct CatchAll(Vec<String>);

impl CatchAll {
    /// Those who are not away come first; when all are, they are called all the same.
    pub(super) async fn at(tx: &mut Tx, staff: &[Staff], at: Timestamp) -> Result<Self, Error> {
        let instant = at.plus(std::time::Duration::from_micros(1));
        let away = oncall::absences(tx, at, instant).await?;
        let mut admins: Vec<&Staff> = staff
            .iter()
            .filter(|one| one.role == Role::Admin && one.status == StaffStatus::Active)
            .collect();
        let is_away = |one: &Staff| away.iter().any(|absence| absence.staff_id == one.id);
        admins.sort_by_key(|one| (is_away(one), one.created_at, one.id));
        Ok(Self(
            admins.into_iter().map(|one| one.name.clone()).collect(),
        ))
    }

    /// Who is called first and next, by name.
    pub(super) fn names(
        &self,
        primary: Option<String>,
        secondary: Option<String>,
    ) -> (String, Option<String>) {
        if let Some(primary) = primary {
            return (primary, secondary);
        }
        let mut admins = self.0.iter().cloned();
        let first = admins.next().unwrap_or_else(|| NOBODY.to_owned());
        let next = secondary.filter(|one| *one != first);
        (first, next.or_else(|| admins.next()))
    }
}

/// The member of staff of this name, who may be called.
pub(super) fn get<'a>(staff: &'a [Staff], name: &str) -> Result<&'a Staff, Refusal> {
    let found = staff.iter().find(|one| one.name == name).ok_or_else(|| {
        let names: Vec<&str> = staff.iter().map(|one| one.name.as_str()).collect();
        Refusal::not_found("member of staff", name)
            .with_hint(format!("known are {}", names.join(", ")))
    })?;
    if found.status != StaffStatus::Active {
        let message = format!("{name} is disabled and cannot be called; nothing was changed");
        return Err(Refusal::invalid(message).with_hint(format!(
            "tierdesk staff disable {name} --undo, or name somebody else"
        )));
    }
    Ok(found)
}

/// How colleagues call somebody.
pub(super) fn name_of(staff: &[Staff], id: StaffId) -> String {
    let found = staff.iter().find(|one| one.id == id);
    found.map_or_else(|| id.to_string(), |one| one.name.clone())
}

/// Whom an act is for: whoever acts, or, for an admin, somebody else.
pub(super) fn for_whom<'a, A: Action>(
    permit: &Permit<'_, A>,
    staff: &'a [Staff],
    name: Option<&str>,
) -> Result<&'a Staff, Refusal> {
    let own = staff.iter().find(|one| Some(one.id) == permit.staff());
    let Some(name) = name.filter(|name| *name != "me") else {
        let own = own.ok_or_else(|| {
            Refusal::invalid("you are not on the staff, so you have no shifts")
                .with_hint("name somebody, or run tierdesk init: it makes you the first admin")
        })?;
        return get(staff, &own.name);
    };
    let whom = get(staff, name)?;
    own_or_admin(permit, whom.id, name)?;
    Ok(whom)
}

/// Refuses whoever is neither an admin nor the one whom it is about.
pub(super) fn own_or_admin<A: Action>(
    permit: &Permit<'_, A>,
    whom: StaffId,
    name: &str,
) -> Result<(), Refusal> {
    if permit.role() == Some(Role::Admin) || permit.staff() == Some(whom) {
        return Ok(());
    }
    let message = format!("only {name} or an admin may do {} for {name}", A::NAME);
    Err(Refusal::new(RefusalCode::NotPermitted, message)
        .with_hint("nothing was changed; ask them, or an admin"))
}

/// A reason, which is never empty.
pub(super) fn reason_of(reason: &str) -> Result<&str, Refusal> {
    match reason.trim() {
        "" => Err(Refusal::new(
            RefusalCode::Empty,
            "it needs a reason, which is kept; nothing was changed",
        )),
        reason => Ok(reason),
    }
}

/// Refuses somebody who is away at any time of a span.
pub(super) async fn check_there(
    tx: &mut Tx,
    whom: &Staff,
    (starts, ends): (Timestamp, Timestamp),
) -> Result<(), Error> {
    let absences = oncall::absences(tx, starts, ends).await?;
    let Some(away) = absences.iter().find(|one| one.staff_id == whom.id) else {
        return Ok(());
    };
    let message = format!(
        "{} is away from {} to {} ({}); nothing was changed",
        whom.name, away.starts, away.ends, away.reason
    );
    Err(Refusal::invalid(message)
        .with_hint(format!(
            "name somebody else, or first: tierdesk oncall absence remove {}",
            away.id
        ))
        .into())
}
