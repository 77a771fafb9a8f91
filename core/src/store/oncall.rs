//! Who is on call, as it is stored: schedules, and what changes them for a time.
//!
//! Rows are kept after they were taken back; what holds is what has no `removed_at`.

mod change;
pub mod news;

pub(in crate::store) use change::STATEMENTS as CHANGE_STATEMENTS;
pub use change::{
    NewOverride, delete_schedule, give_back, insert_absence, insert_feed, insert_override,
    insert_schedule, insert_temporary, remove_absence, remove_feed, remove_override,
    remove_temporary, take, update_schedule,
};
pub(in crate::store) use news::STATEMENTS as NEWS_STATEMENTS;

use super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{AbsenceId, OverrideId, ScheduleId, StaffId, TemporaryId},
    oncall::{Absence, Layer, Override, OverrideKind, Roster, Schedule, ScheduleSpec, Temporary},
    staff::{Staff, StaffStatus},
};

macro_rules! overrides {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, s.slug AS schedule, o.layer, o.kind, o.staff_id, o.replaces, o.is_offered, o.starts,
                o.ends, o.reason, o.made_by, o.made_at
             FROM oncall_overrides o JOIN oncall_schedules s ON s.id = o.schedule_id
             WHERE o.removed_at IS NULL AND ",
            $rest
        )
    };
}

statements! {
    SCHEDULES = Sql::same("SELECT id, slug, spec, version, updated_at FROM oncall_schedules ORDER BY slug");
    SLUGS = Sql::same("SELECT slug FROM oncall_schedules ORDER BY slug");
    SCHEDULE = Sql::same("SELECT id, slug, spec, version, updated_at FROM oncall_schedules WHERE slug = $1");
    /// Whoever changes a schedule, or who has a shift of it, waits for the other to end.
    LOCK_SCHEDULE = Sql::per_backend(
        "SELECT id, slug, spec, version, updated_at FROM oncall_schedules WHERE slug = $1",
        "SELECT id, slug, spec, version, updated_at FROM oncall_schedules WHERE slug = $1 FOR UPDATE");
    OVERRIDES = Sql::same(overrides!(
        "o.schedule_id = $1 AND o.ends > $2 AND o.starts < $3 ORDER BY COALESCE(o.taken_at, o.made_at), o.id"));
    OVERRIDES_AHEAD = Sql::same(overrides!("o.ends > $1 ORDER BY o.starts, o.id"));
    OVERRIDE = Sql::same(overrides!("o.id = $1"));
    TEMPORARIES = Sql::same(
        "SELECT t.id, s.slug AS schedule, t.starts, t.ends, t.spec, t.reason, t.made_by
         FROM oncall_temporaries t JOIN oncall_schedules s ON s.id = t.schedule_id
         WHERE t.removed_at IS NULL AND t.ends > $1 AND t.starts < $2 ORDER BY t.made_at, t.id");
    ABSENCES = Sql::same(
        "SELECT a.id, a.staff_id, p.name AS person, a.starts, a.ends, a.reason, a.made_by
         FROM oncall_absences a JOIN staff p ON p.id = a.staff_id
         WHERE a.removed_at IS NULL AND a.ends > $1 AND a.starts < $2 ORDER BY a.starts, a.id");
    FEED = Sql::same("SELECT staff_id FROM oncall_feeds WHERE token_hash = $1 AND removed_at IS NULL");
}

record! {
    struct ScheduleRow {
        id: ScheduleId,
        slug: String,
        spec: String,
        version: i64,
        updated_at: Timestamp,
    }
}

/// A schedule as it is stored.
#[derive(Clone, Debug)]
pub struct StoredSchedule {
    /// The id.
    pub id: ScheduleId,
    /// Its name.
    pub slug: String,
    /// What was written.
    pub spec: ScheduleSpec,
    /// How often it was written.
    pub version: i64,
    /// When it was last written.
    pub updated_at: Timestamp,
}

record! {
    /// An override or a swap that holds, or will.
    #[derive(Clone, Debug)]
    pub struct StoredOverride {
        /// The id.
        pub id: OverrideId,
        /// Of which schedule.
        pub schedule: String,
        /// Primary or secondary.
        pub layer: Layer,
        /// An override or a swap.
        pub kind: OverrideKind,
        /// Who; `None` for a shift that nobody has taken yet.
        pub staff_id: Option<StaffId>,
        /// Whose shift it was.
        pub replaces: Option<StaffId>,
        /// Whether its owner offered it.
        pub is_offered: bool,
        /// From when.
        pub starts: Timestamp,
        /// Until when.
        pub ends: Timestamp,
        /// Why.
        pub reason: String,
        /// By whom.
        pub made_by: String,
        /// When.
        pub made_at: Timestamp,
    }
}

record! {
    /// A temporary schedule that holds, or will.
    #[derive(Clone, Debug)]
    pub struct StoredTemporary {
        /// The id.
        pub id: TemporaryId,
        /// In whose place.
        pub schedule: String,
        /// From when.
        pub starts: Timestamp,
        /// Until when.
        pub ends: Timestamp,
        /// What was written, as JSON.
        pub spec: String,
        /// Why.
        pub reason: String,
        /// By whom.
        pub made_by: String,
    }
}

record! {
    /// An absence that holds, or will.
    #[derive(Clone, Debug)]
    pub struct StoredAbsence {
        /// The id.
        pub id: AbsenceId,
        /// Whose.
        pub staff_id: StaffId,
        /// Their name.
        pub person: String,
        /// From when.
        pub starts: Timestamp,
        /// Until when.
        pub ends: Timestamp,
        /// Why.
        pub reason: String,
        /// By whom it was entered.
        pub made_by: String,
    }
}

/// Every schedule, by name.
pub async fn schedules(tx: &mut Tx) -> Result<Vec<StoredSchedule>, StoreError> {
    let rows: Vec<ScheduleRow> = tx.fetch_all(SCHEDULES, ()).await?;
    rows.into_iter().map(stored).collect()
}

/// The names of all schedules, for whoever goes on where one of them cannot be read.
pub async fn slugs(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> = tx.fetch_all(SLUGS, ()).await?;
    Ok(rows.into_iter().map(|(slug,)| slug).collect())
}

/// The schedule of this name.
pub async fn find_schedule(tx: &mut Tx, slug: &str) -> Result<Option<StoredSchedule>, StoreError> {
    let row = tx.fetch_optional(SCHEDULE, (slug.to_owned(),)).await?;
    row.map(stored).transpose()
}

/// The same, held until the unit of work ends.
pub async fn lock_schedule(tx: &mut Tx, slug: &str) -> Result<Option<StoredSchedule>, StoreError> {
    let row = tx.fetch_optional(LOCK_SCHEDULE, (slug.to_owned(),)).await?;
    row.map(stored).transpose()
}

fn stored(row: ScheduleRow) -> Result<StoredSchedule, StoreError> {
    Ok(StoredSchedule {
        id: row.id,
        spec: read_spec("oncall_schedules", &row.slug, &row.spec)?,
        slug: row.slug,
        version: row.version,
        updated_at: row.updated_at,
    })
}

/// A stored specification; one that cannot be read was not written by us.
pub fn read_spec(table: &'static str, name: &str, text: &str) -> Result<ScheduleSpec, StoreError> {
    serde_json::from_str(text).map_err(|fault| inconsistent(table, name, &fault.to_string()))
}

/// The rotations of a stored schedule.
pub fn rotations(schedule: &StoredSchedule) -> Result<Schedule, StoreError> {
    let built = schedule.spec.schedule();
    built.map_err(|fault| inconsistent("oncall_schedules", &schedule.slug, &fault))
}

fn inconsistent(table: &'static str, name: &str, fault: &str) -> StoreError {
    StoreError::Inconsistent {
        table,
        detail: format!("{name}: {fault}"),
    }
}

/// Overrides and swaps that are not over.
pub async fn overrides_ahead(
    tx: &mut Tx,
    after: Timestamp,
) -> Result<Vec<StoredOverride>, StoreError> {
    tx.fetch_all(OVERRIDES_AHEAD, (after,)).await
}

/// An override or swap that was not taken back.
pub async fn find_override(
    tx: &mut Tx,
    id: OverrideId,
) -> Result<Option<StoredOverride>, StoreError> {
    tx.fetch_optional(OVERRIDE, (id,)).await
}

/// Temporary schedules that touch a span.
pub async fn temporaries(
    tx: &mut Tx,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<StoredTemporary>, StoreError> {
    tx.fetch_all(TEMPORARIES, (from, to)).await
}

/// Absences that touch a span.
pub async fn absences(
    tx: &mut Tx,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<StoredAbsence>, StoreError> {
    tx.fetch_all(ABSENCES, (from, to)).await
}

/// Whose calendar the secret with this hash opens.
pub async fn find_feed(tx: &mut Tx, hash: &[u8]) -> Result<Option<StaffId>, StoreError> {
    let row: Option<(StaffId,)> = tx.fetch_optional(FEED, (hash.to_vec(),)).await?;
    Ok(row.map(|(staff,)| staff))
}

/// Everything besides the rotations that decides who is on call from `from` to `to`.
pub async fn roster(
    tx: &mut Tx,
    schedule: &StoredSchedule,
    staff: &[Staff],
    from: Timestamp,
    to: Timestamp,
) -> Result<Roster, StoreError> {
    let overrides: Vec<StoredOverride> = tx.fetch_all(OVERRIDES, (schedule.id, from, to)).await?;
    let temporaries = temporaries(tx, from, to).await?;
    let own = temporaries
        .iter()
        .filter(|one| one.schedule == schedule.slug);
    let absences = absences(tx, from, to).await?;
    let active = staff.iter().filter(|one| one.status == StaffStatus::Active);
    Ok(Roster {
        overrides: overrides.into_iter().map(Override::from).collect(),
        temporaries: own.map(temporary).collect::<Result<_, _>>()?,
        absences: absences.into_iter().map(Absence::from).collect(),
        active: active.map(|one| one.id).collect(),
    })
}

fn temporary(row: &StoredTemporary) -> Result<Temporary, StoreError> {
    let table = "oncall_temporaries";
    let spec = read_spec(table, &row.schedule, &row.spec)?;
    let schedule = spec.schedule();
    Ok(Temporary {
        id: row.id,
        starts: row.starts,
        ends: row.ends,
        schedule: schedule.map_err(|fault| inconsistent(table, &row.schedule, &fault))?,
    })
}

impl From<StoredOverride> for Override {
    fn from(row: StoredOverride) -> Self {
        Self {
            id: row.id,
            layer: row.layer,
            kind: row.kind,
            person: row.staff_id,
            replaces: row.replaces,
            starts: row.starts,
            ends: row.ends,
        }
    }
}

impl From<StoredAbsence> for Absence {
    fn from(row: StoredAbsence) -> Self {
        Self {
            id: row.id,
            person: row.staff_id,
            starts: row.starts,
            ends: row.ends,
        }
    }
}
