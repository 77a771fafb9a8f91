//! Changing who is on call.

use super::{
    super::{Sql, StoreError, sql::statements},
    StoredSchedule,
};
use crate::{
    clock::Timestamp,
    ids::{AbsenceId, OverrideId, ScheduleId, StaffId, TemporaryId},
    oncall::{Layer, OverrideKind, ScheduleSpec},
    permit::{ChangesRota, Permit},
};

statements! {
    INSERT_SCHEDULE = Sql::same(
        "INSERT INTO oncall_schedules (id, slug, spec, version, updated_at) VALUES ($1, $2, $3, 1, $4)");
    UPDATE_SCHEDULE = Sql::same(
        "UPDATE oncall_schedules SET spec = $3, version = version + 1, updated_at = $4
         WHERE id = $1 AND version = $2");
    DELETE_OVERRIDES = Sql::same("DELETE FROM oncall_overrides WHERE schedule_id = $1");
    DELETE_TEMPORARIES = Sql::same("DELETE FROM oncall_temporaries WHERE schedule_id = $1");
    DELETE_SCHEDULE = Sql::same("DELETE FROM oncall_schedules WHERE id = $1");
    INSERT_OVERRIDE = Sql::same(
        "INSERT INTO oncall_overrides (id, schedule_id, layer, kind, staff_id, replaces, is_offered, starts,
            ends, reason, made_by, made_at, taken_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)");
    REMOVE_OVERRIDE = Sql::same(
        "UPDATE oncall_overrides SET removed_at = $2, removed_by = $3 WHERE id = $1 AND removed_at IS NULL");
    TAKE = Sql::same(
        "UPDATE oncall_overrides SET staff_id = $2, taken_at = $3
         WHERE id = $1 AND staff_id IS NULL AND removed_at IS NULL");
    GIVE_BACK = Sql::same(
        "UPDATE oncall_overrides SET staff_id = NULL, taken_at = NULL
         WHERE id = $1 AND staff_id = $2 AND is_offered AND removed_at IS NULL");
    INSERT_TEMPORARY = Sql::same(
        "INSERT INTO oncall_temporaries (id, schedule_id, starts, ends, spec, reason, made_by, made_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    REMOVE_TEMPORARY = Sql::same(
        "UPDATE oncall_temporaries SET removed_at = $2, removed_by = $3 WHERE id = $1 AND removed_at IS NULL");
    INSERT_ABSENCE = Sql::same(
        "INSERT INTO oncall_absences (id, staff_id, starts, ends, reason, made_by, made_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)");
    REMOVE_ABSENCE = Sql::same(
        "UPDATE oncall_absences SET removed_at = $2, removed_by = $3 WHERE id = $1 AND removed_at IS NULL");
    INSERT_FEED = Sql::same("INSERT INTO oncall_feeds (token_hash, staff_id, made_at) VALUES ($1, $2, $3)");
    REMOVE_FEED = Sql::same(
        "UPDATE oncall_feeds SET removed_at = $2 WHERE staff_id = $1 AND removed_at IS NULL");
}

/// An override or swap to be written down.
#[derive(Clone, Debug)]
pub struct NewOverride {
    /// Of which schedule.
    pub schedule: ScheduleId,
    /// Primary or secondary.
    pub layer: Layer,
    /// An override or a swap.
    pub kind: OverrideKind,
    /// Who; `None` offers it.
    pub person: Option<StaffId>,
    /// Whose shift it is.
    pub replaces: Option<StaffId>,
    /// From when.
    pub starts: Timestamp,
    /// Until when.
    pub ends: Timestamp,
    /// Why.
    pub reason: String,
}

fn json(spec: &ScheduleSpec) -> String {
    serde_json::to_string(spec).expect("a specification is plain data")
}

/// Adds a schedule.
pub async fn insert_schedule<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    slug: &str,
    spec: &ScheduleSpec,
) -> Result<(), StoreError> {
    let id: ScheduleId = permit.new_id();
    let values = (id, slug.to_owned(), json(spec), permit.now());
    let table = "oncall_schedules";
    permit
        .change()
        .execute_one(table, INSERT_SCHEDULE, values)
        .await
}

/// Writes what a schedule is from now on.
pub async fn update_schedule<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    before: &StoredSchedule,
    spec: &ScheduleSpec,
) -> Result<(), StoreError> {
    let values = (before.id, before.version, json(spec), permit.now());
    let table = "oncall_schedules";
    permit
        .change()
        .execute_one(table, UPDATE_SCHEDULE, values)
        .await
}

/// Removes a schedule with everything that changed it.
pub async fn delete_schedule<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    id: ScheduleId,
) -> Result<(), StoreError> {
    permit.change().execute(DELETE_OVERRIDES, (id,)).await?;
    permit.change().execute(DELETE_TEMPORARIES, (id,)).await?;
    let table = "oncall_schedules";
    permit
        .change()
        .execute_one(table, DELETE_SCHEDULE, (id,))
        .await
}

/// Writes an override or a swap down.
pub async fn insert_override<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    new: NewOverride,
) -> Result<OverrideId, StoreError> {
    let id: OverrideId = permit.new_id();
    let is_offered = new.person.is_none();
    let (by, now) = (permit.actor().to_owned(), permit.now());
    let values = (
        id,
        new.schedule,
        new.layer,
        new.kind,
        new.person,
        new.replaces,
        is_offered,
        new.starts,
        new.ends,
        new.reason,
        by,
        now,
    );
    let table = "oncall_overrides";
    permit
        .change()
        .execute_one(table, INSERT_OVERRIDE, values)
        .await?;
    Ok(id)
}

/// Takes an override or swap back. Returns whether it was there.
pub async fn remove_override<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    id: OverrideId,
) -> Result<bool, StoreError> {
    remove(permit, REMOVE_OVERRIDE, id).await
}

/// Has somebody take an offered shift. Returns whether nobody was faster.
pub async fn take<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    id: OverrideId,
    person: StaffId,
) -> Result<bool, StoreError> {
    let values = (id, person, permit.now());
    Ok(permit.change().execute(TAKE, values).await? == 1)
}

/// Offers a shift again that somebody took. Returns whether they had it.
pub async fn give_back<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    id: OverrideId,
    person: StaffId,
) -> Result<bool, StoreError> {
    Ok(permit.change().execute(GIVE_BACK, (id, person)).await? == 1)
}

/// Adds a temporary schedule.
pub async fn insert_temporary<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    schedule: ScheduleId,
    (starts, ends): (Timestamp, Timestamp),
    spec: &ScheduleSpec,
    reason: &str,
) -> Result<TemporaryId, StoreError> {
    let id: TemporaryId = permit.new_id();
    let (by, now) = (permit.actor().to_owned(), permit.now());
    let values = (
        id,
        schedule,
        starts,
        ends,
        json(spec),
        reason.to_owned(),
        by,
        now,
    );
    let table = "oncall_temporaries";
    permit
        .change()
        .execute_one(table, INSERT_TEMPORARY, values)
        .await?;
    Ok(id)
}

/// Takes a temporary schedule back. Returns whether it was there.
pub async fn remove_temporary<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    id: TemporaryId,
) -> Result<bool, StoreError> {
    remove(permit, REMOVE_TEMPORARY, id).await
}

/// Writes down that somebody is away.
pub async fn insert_absence<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    person: StaffId,
    (starts, ends): (Timestamp, Timestamp),
    reason: &str,
) -> Result<AbsenceId, StoreError> {
    let id: AbsenceId = permit.new_id();
    let (by, now) = (permit.actor().to_owned(), permit.now());
    let values = (id, person, starts, ends, reason.to_owned(), by, now);
    let table = "oncall_absences";
    permit
        .change()
        .execute_one(table, INSERT_ABSENCE, values)
        .await?;
    Ok(id)
}

/// Takes an absence back. Returns whether it was there.
pub async fn remove_absence<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    id: AbsenceId,
) -> Result<bool, StoreError> {
    remove(permit, REMOVE_ABSENCE, id).await
}

/// Makes a secret, known by its hash, open somebody's calendar; an earlier one opens it no more.
pub async fn insert_feed<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    person: StaffId,
    hash: &[u8],
) -> Result<(), StoreError> {
    remove_feed(permit, person).await?;
    let values = (hash.to_vec(), person, permit.now());
    permit
        .change()
        .execute_one("oncall_feeds", INSERT_FEED, values)
        .await
}

/// Closes somebody's calendar. Returns whether it was open.
pub async fn remove_feed<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    person: StaffId,
) -> Result<bool, StoreError> {
    let values = (person, permit.now());
    Ok(permit.change().execute(REMOVE_FEED, values).await? > 0)
}

async fn remove<A: ChangesRota>(
    permit: &mut Permit<'_, A>,
    statement: Sql,
    id: impl super::super::Value,
) -> Result<bool, StoreError> {
    let values = (id, permit.now(), permit.actor().to_owned());
    Ok(permit.change().execute(statement, values).await? == 1)
}
