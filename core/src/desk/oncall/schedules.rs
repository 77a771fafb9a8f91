//! Schedules: from a file into the database and back.

use std::fmt::Write as _;

use jiff::civil::DateTime;
use serde::Serialize;

use super::{
    people::name_of,
    place::no_schedule,
    preview::{WEEK, gap_warnings},
};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    ids::StaffId,
    oncall::{
        Layer, Roster, RotaError, RotationSpec, ScheduleSpec, WrittenRotation, WrittenSchedule,
        read_rota, write_rota,
    },
    permit::{Actor, ChangeSchedule, Permit, ReadRota, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    settings::Problem,
    staff::{Staff, StaffStatus},
    store::{
        audit::{self, Change},
        oncall::{self, StoredSchedule},
        staff,
    },
};

/// A schedule as `oncall schedule list --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct ScheduleReport {
    /// Its name.
    pub slug: String,
    /// The zone whose clocks count.
    pub zone: String,
    /// The tiers that go by it.
    pub tiers: Vec<String>,
    /// Who takes turns.
    pub rotations: Vec<RotationReport>,
    /// How often it was written.
    pub version: i64,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// A rotation.
#[derive(Clone, Debug, Serialize)]
pub struct RotationReport {
    /// In which layer.
    pub layer: Layer,
    /// Who takes turns.
    pub people: Vec<String>,
    /// How long a shift is.
    pub every: String,
    /// When the first one begins, on the wall.
    pub starts: DateTime,
    /// On which days.
    pub days: String,
}

/// What a file does to a schedule.
#[derive(Clone, Debug, Serialize)]
pub struct ScheduleChange {
    /// The schedule.
    pub slug: String,
    /// `add`, `change` or `keep`.
    pub action: &'static str,
    /// What changes, in words.
    pub changes: Vec<String>,
    /// What to look at: gaps, layers without people, people who cannot be called.
    pub warnings: Vec<String>,
}

/// What a file does.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// Only said, not done.
    pub dry_run: bool,
    /// For each schedule of the file.
    pub schedules: Vec<ScheduleChange>,
}

/// Every schedule, by name.
pub async fn list_schedules(desk: &Desk, actor: &Actor) -> Result<Vec<ScheduleReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let schedules = oncall::schedules(&mut permit).await?;
    Ok(schedules
        .into_iter()
        .map(|one| report(desk, &staff, one))
        .collect())
}

/// One schedule.
pub async fn show_schedule(
    desk: &Desk,
    actor: &Actor,
    slug: &str,
) -> Result<ScheduleReport, Error> {
    let mut found = list_schedules(desk, actor).await?;
    found.retain(|one| one.slug == slug);
    Ok(found.pop().ok_or_else(|| no_schedule(slug))?)
}

/// Every schedule as a file that `schedule set` reads.
pub async fn export(desk: &Desk, actor: &Actor) -> Result<String, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let schedules = oncall::schedules(&mut permit).await?;
    let written: Vec<WrittenSchedule> = schedules
        .iter()
        .map(|one| written(&staff, one))
        .collect::<Result<_, _>>()?;
    Ok(write_rota(&written))
}

/// Brings schedules in line with a file. Those that it does not name stay as they are.
pub async fn set_schedules(
    desk: &Desk,
    actor: &Actor,
    text: &str,
    origin: &str,
    dry_run: bool,
) -> Result<Written, Error> {
    let rota = read_rota(text, origin).map_err(|error| refuse(&error))?;
    if rota.schedules.is_empty() {
        return Err(Refusal::invalid(format!("{origin} has no [[schedule]]"))
            .with_hint("a [[temporary]] is set with tierdesk oncall temporary set")
            .into());
    }
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ChangeSchedule, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let specs = specs(&staff, &rota.schedules)?;
    let mut report = Written {
        dry_run,
        schedules: Vec::new(),
    };
    for (written, spec) in rota.schedules.iter().zip(specs) {
        let change = set_one(&mut permit, &staff, &written.slug, &spec).await?;
        report.schedules.push(change);
    }
    if !dry_run {
        tx.commit().await?;
    }
    Ok(report)
}

async fn set_one(
    permit: &mut Permit<'_, ChangeSchedule>,
    staff: &[Staff],
    slug: &str,
    spec: &ScheduleSpec,
) -> Result<ScheduleChange, Error> {
    let before = oncall::lock_schedule(permit, slug).await?;
    let old = before.as_ref().map(|before| &before.spec);
    let changes = differences(staff, old, spec);
    let action = match (&before, changes.is_empty()) {
        (None, _) => "add",
        (Some(_), true) => "keep",
        (Some(_), false) => "change",
    };
    match &before {
        None => oncall::insert_schedule(permit, slug, spec).await?,
        Some(before) if action == "change" => oncall::update_schedule(permit, before, spec).await?,
        Some(_) => {}
    }
    if action != "keep" {
        let mut change = Change::to(format!("schedule:{slug}"));
        for line in &changes {
            change = change.with("rota", line.clone());
        }
        audit::append(permit, vec![change]).await?;
    }
    Ok(ScheduleChange {
        slug: slug.to_owned(),
        action,
        changes,
        warnings: warnings(permit.now(), staff, spec)?,
    })
}

/// Removes a schedule, with its overrides and temporary schedules.
pub async fn remove_schedule(desk: &Desk, actor: &Actor, slug: &str) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ChangeSchedule, Subject::Desk).await?;
    let found = oncall::lock_schedule(&mut permit, slug).await?;
    let found = found.ok_or_else(|| no_schedule(slug))?;
    let used: Vec<&str> = desk
        .catalogue
        .iter()
        .filter(|tier| tier.on_call.schedule == slug)
        .map(|tier| tier.slug.as_str())
        .collect();
    if !used.is_empty() {
        let message = format!("tier {} goes by schedule {slug}; it stays", used.join(", "));
        return Err(Refusal::new(RefusalCode::Blocked, message)
            .with_hint("name another one in tiers.toml (on_call.schedule) first")
            .into());
    }
    let staff = staff::list(&mut permit).await?;
    oncall::delete_schedule(&mut permit, found.id).await?;
    let mut change = Change::to(format!("schedule:{slug}"));
    for rotation in &found.spec.rotations {
        change = change.with("removed", words(&staff, rotation));
    }
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(())
}

/// A file's faults as an answer.
pub(super) fn refuse(error: &RotaError) -> Refusal {
    Refusal::invalid(error.to_string())
        .with_hint("nothing was changed; correct these and try again")
}

/// What is stored for what is written. Every name that nobody has is said at once.
pub(super) fn specs(
    staff: &[Staff],
    schedules: &[WrittenSchedule],
) -> Result<Vec<ScheduleSpec>, Refusal> {
    let mut problems = Vec::new();
    let mut specs = Vec::new();
    for schedule in schedules {
        let rotations = schedule.rotations.iter();
        specs.push(ScheduleSpec {
            zone: schedule.zone.clone(),
            rotations: rotations
                .map(|one| spec(staff, one, &mut problems))
                .collect(),
        });
    }
    if problems.is_empty() {
        return Ok(specs);
    }
    Err(refuse(&RotaError(problems)))
}

fn spec(staff: &[Staff], written: &WrittenRotation, problems: &mut Vec<Problem>) -> RotationSpec {
    let mut people = Vec::new();
    for name in &written.people {
        if let Some(one) = staff.iter().find(|one| one.name == *name) {
            people.push(one.id);
            continue;
        }
        let known: Vec<&str> = staff.iter().map(|one| one.name.as_str()).collect();
        problems.push(Problem {
            place: written.place.clone(),
            key: written.key.clone(),
            what: format!("names {name}, who is not on the staff"),
            remedy: format!("Known are {}.", known.join(", ")),
        });
    }
    RotationSpec {
        layer: written.layer,
        people,
        every: written.every.to_string(),
        starts: written.starts,
        days: written.days.to_string(),
    }
}

fn written(staff: &[Staff], stored: &StoredSchedule) -> Result<WrittenSchedule, Refusal> {
    let unreadable = || Refusal::invalid(format!("schedule {} cannot be read", stored.slug));
    let rotation = |one: &RotationSpec| {
        let people = one.people.iter().map(|id| name_of(staff, *id)).collect();
        let (every, days) = (one.every.parse().ok()?, one.days.parse().ok()?);
        Some(WrittenRotation::new(
            one.layer, people, every, one.starts, days,
        ))
    };
    let rotations = stored.spec.rotations.iter().map(rotation);
    Ok(WrittenSchedule {
        slug: stored.slug.clone(),
        zone: stored.spec.zone.clone(),
        rotations: rotations.collect::<Option<_>>().ok_or_else(unreadable)?,
    })
}

fn report(desk: &Desk, staff: &[Staff], stored: StoredSchedule) -> ScheduleReport {
    let tiers = desk.catalogue.iter();
    ScheduleReport {
        tiers: tiers
            .filter(|tier| tier.on_call.schedule == stored.slug)
            .map(|tier| tier.slug.to_string())
            .collect(),
        rotations: rotations(staff, &stored.spec),
        slug: stored.slug,
        zone: stored.spec.zone,
        version: stored.version,
        updated_at: stored.updated_at,
    }
}

pub(super) fn rotations(staff: &[Staff], spec: &ScheduleSpec) -> Vec<RotationReport> {
    let rotation = |one: &RotationSpec| RotationReport {
        layer: one.layer,
        people: one.people.iter().map(|id| name_of(staff, *id)).collect(),
        every: one.every.clone(),
        starts: one.starts,
        days: one.days.clone(),
    };
    spec.rotations.iter().map(rotation).collect()
}

fn words(staff: &[Staff], rotation: &RotationSpec) -> String {
    let people: Vec<String> = rotation
        .people
        .iter()
        .map(|id| name_of(staff, *id))
        .collect();
    let mut text = format!(
        "{}: {} every {} from {}",
        rotation.layer,
        people.join(", "),
        rotation.every,
        rotation.starts.strftime("%Y-%m-%d %H:%M")
    );
    if rotation.days != "mon-sun" {
        let _ = write!(text, " on {}", rotation.days);
    }
    text
}

/// What changes, a line each.
pub(super) fn differences(
    staff: &[Staff],
    old: Option<&ScheduleSpec>,
    new: &ScheduleSpec,
) -> Vec<String> {
    let mut lines = Vec::new();
    let zone = old.map_or("", |old| old.zone.as_str());
    if zone != new.zone {
        lines.push(format!("zone: {zone} -> {}", new.zone).replace(":  ->", ": ->"));
    }
    let none = Vec::new();
    let old: Vec<String> = old
        .map_or(&none, |old| &old.rotations)
        .iter()
        .map(|one| words(staff, one))
        .collect();
    let new: Vec<String> = new.rotations.iter().map(|one| words(staff, one)).collect();
    let gone = old.iter().filter(|line| !new.contains(line));
    lines.extend(gone.map(|line| format!("- {line}")));
    let come = new.iter().filter(|line| !old.contains(line));
    lines.extend(come.map(|line| format!("+ {line}")));
    // The order counts within a layer: the first that has somebody wins.
    if lines.is_empty() && old != new {
        lines.push("the order of rotations".to_owned());
    }
    lines
}

/// What to look at in a schedule that is about to hold, eight weeks ahead.
fn warnings(now: Timestamp, staff: &[Staff], spec: &ScheduleSpec) -> Result<Vec<String>, Error> {
    let mut warnings = Vec::new();
    let active: std::collections::BTreeSet<StaffId> = staff
        .iter()
        .filter(|one| one.status == StaffStatus::Active)
        .map(|one| one.id)
        .collect();
    for layer in Layer::ALL {
        if !spec.rotations.iter().any(|one| one.layer == layer) {
            warnings.push(match layer {
                Layer::Primary => "there is no primary: the fallback is called".to_owned(),
                Layer::Secondary => "there is no secondary".to_owned(),
                Layer::Fallback => {
                    "there is no fallback: where the primaries have a gap, the admins are called"
                        .to_owned()
                }
            });
        }
    }
    let mut disabled: Vec<StaffId> = spec.people().filter(|id| !active.contains(id)).collect();
    disabled.sort_unstable();
    disabled.dedup();
    for id in disabled {
        let name = name_of(staff, id);
        warnings.push(format!("{name} is disabled and will not be called"));
    }
    let rotations = spec.schedule().map_err(Refusal::invalid)?;
    let roster = Roster {
        active,
        ..Roster::default()
    };
    warnings.extend(gap_warnings(&rotations, &roster, now, now.plus(WEEK * 8)));
    Ok(warnings)
}
