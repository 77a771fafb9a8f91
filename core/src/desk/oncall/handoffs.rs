//! Telling people that they have come on call, that they are off it, and a while before their shift begins.
//!
//! Who was told last is a row; who is on call now is computed. Where they differ, for whatever reason (a handoff, a
//! swap, an absence, another rota), both are told: once, however many processes look, and after an outage of
//! what is so now, not of all that was in between.

use std::{collections::BTreeMap, time::Duration};

use jiff::tz::TimeZone;

use super::{STEPS, name_of, place, rota, unless_unreadable};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, paging::tell},
    ids::StaffId,
    oncall::{CALLED, Layer, Roster, Schedule, beginnings, resolve, stays_until},
    paging::PageKind,
    permit::{Actor, Permit, ReadRota, RunPages, Subject, SystemRole, authorise},
    staff::Staff,
    store::{
        oncall::{self, StoredSchedule, news},
        staff,
    },
};

const WORKER: Actor = Actor::System(SystemRole::Worker);
/// What was told is kept for so long.
const KEPT: Duration = Duration::from_hours(60 * 24);

/// A layer of a schedule has somebody else than was told last.
struct Passed {
    place: (String, Layer),
    from: Option<StaffId>,
    to: Option<StaffId>,
    /// Until when the new one stays, on the clocks of the schedule.
    until: Option<String>,
}

/// Somebody's shift begins soon.
struct Ahead {
    key: String,
    place: (String, Layer),
    person: StaffId,
    at: Timestamp,
    words: String,
}

#[derive(Default)]
struct Found {
    passed: Vec<Passed>,
    ahead: Vec<Ahead>,
}

/// What one person is told at once.
#[derive(Default)]
struct Words {
    /// What they have come on call for.
    on: Vec<String>,
    /// What they are off call for.
    off: Vec<String>,
    /// The shifts that begin soon, with the first one's beginning.
    soon: Vec<String>,
    lines: Vec<String>,
}

/// Tells everybody whom it concerns. Returns how many people were told something.
pub async fn tell_handoffs(desk: &Desk) -> Result<usize, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, &WORKER, ReadRota, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let found = find(desk, &mut permit, &staff).await?;
    drop(tx);
    if found.passed.is_empty() && found.ahead.is_empty() {
        return Ok(0);
    }
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WORKER, RunPages, Subject::Desk).await?;
    let mut told: BTreeMap<StaffId, Words> = BTreeMap::new();
    for one in found.passed {
        let (schedule, layer) = (one.place.0.as_str(), one.place.1);
        if news::pass_on(&mut permit, (schedule, layer), one.from, one.to).await? {
            of_handoff(&staff, &one, &mut told);
        }
    }
    for one in found.ahead {
        if news::begin(&mut permit, &one.key).await? {
            let words = told.entry(one.person).or_default();
            words.soon.push(shown(&one.place));
            words.lines.push(one.words);
        }
    }
    let mut count = 0;
    for (id, words) in told {
        let Some(person) = staff.iter().find(|one| one.id == id) else {
            continue;
        };
        let (kind, words) = (PageKind::News, words.together());
        let is_told = tell(desk, &mut permit, person, kind, "", &words).await?;
        count += usize::from(is_told);
    }
    let before = permit.now().minus(KEPT);
    news::forget(&mut permit, before).await?;
    crate::fault::point("handoffs.before_commit");
    tx.commit().await?;
    crate::fault::point("handoffs.committed");
    Ok(count)
}

/// What differs from what was told. A rota that cannot be read holds up no other.
async fn find(
    desk: &Desk,
    permit: &mut Permit<'_, ReadRota>,
    staff: &[Staff],
) -> Result<Found, Error> {
    let mut found = Found::default();
    let told = news::duties(permit).await?;
    let last = |place: &(String, Layer)| {
        let row = told
            .iter()
            .find(|one| one.schedule == place.0 && one.layer == place.1);
        row.and_then(|one| one.staff_id)
    };
    let slugs = oncall::slugs(permit).await?;
    for slug in &slugs {
        let now = permit.now();
        let read = read(permit, slug, staff).await;
        let Some((stored, rotations, roster)) = unless_unreadable(slug, read)?.flatten() else {
            continue;
        };
        let zone = place::zone(&stored);
        let duty = resolve(&rotations, &roster, now);
        for layer in CALLED {
            let place = (stored.slug.clone(), layer);
            let (from, to) = (last(&place), duty.of(layer));
            if from != to {
                let until = stays_until(&rotations, &roster, layer, now, STEPS);
                let until = to.and(until).map(|at| on_the_wall(&zone, at));
                found.passed.push(Passed {
                    place,
                    from,
                    to,
                    until,
                });
            }
        }
        if let Some(ahead) = desk.policies.remind_ahead {
            let span = (now, now.plus(ahead));
            for one in soon(&stored, (&rotations, &roster), staff, span) {
                // Whoever is on call already knows of the rota.
                let is_on = CALLED
                    .iter()
                    .any(|layer| duty.of(*layer) == Some(one.person));
                if !is_on && one.at > now && !news::has(permit, &one.key).await? {
                    found.ahead.push(one);
                }
            }
        }
    }
    let gone = told
        .iter()
        .filter(|one| one.staff_id.is_some() && !slugs.contains(&one.schedule));
    found.passed.extend(gone.map(|one| Passed {
        place: (one.schedule.clone(), one.layer),
        from: one.staff_id,
        to: None,
        until: None,
    }));
    Ok(found)
}

/// A schedule with what changes it; nothing where it is gone meanwhile.
async fn read(
    permit: &mut Permit<'_, ReadRota>,
    slug: &str,
    staff: &[Staff],
) -> Result<Option<(StoredSchedule, Schedule, Roster)>, Error> {
    let now = permit.now();
    let Some(stored) = oncall::find_schedule(permit, slug).await? else {
        return Ok(None);
    };
    let (rotations, roster) = rota(permit, &stored, staff, now, Timestamp::MAX).await?;
    Ok(Some((stored, rotations, roster)))
}

/// Shifts that begin in this span.
fn soon(
    stored: &StoredSchedule,
    (rotations, roster): (&Schedule, &Roster),
    staff: &[Staff],
    (from, to): (Timestamp, Timestamp),
) -> Vec<Ahead> {
    let zone = place::zone(stored);
    let begin = beginnings(rotations, roster, from, to);
    let begin = begin.into_iter().map(|one| {
        let place = (stored.slug.clone(), one.layer);
        let at = on_the_wall(&zone, one.at);
        let until = stays_until(rotations, roster, one.layer, one.at, STEPS);
        let until = until.map(|at| format!(", until {}", on_the_wall(&zone, at)));
        let before = one.before.map(|id| format!(" It is {}'s before.", name_of(staff, id)));
        Ahead {
            key: format!("ahead:{}:{}:{}:{}", stored.slug, one.layer, one.at, one.person),
            person: one.person,
            at: one.at,
            words: format!(
                "{}: from {at}{}.{} To give it away: tierdesk oncall swap offer --schedule {} --from {}{}",
                shown(&place),
                until.unwrap_or_default(),
                before.unwrap_or_default(),
                stored.slug,
                one.at,
                match one.layer {
                    Layer::Primary => "",
                    Layer::Secondary | Layer::Fallback => " --layer secondary",
                },
            ),
            place,
        }
    });
    begin.collect()
}

fn of_handoff(staff: &[Staff], one: &Passed, told: &mut BTreeMap<StaffId, Words>) {
    let what = shown(&one.place);
    if let Some(to) = one.to {
        let until = one.until.as_ref().map(|until| format!(" until {until}"));
        let before = one
            .from
            .map(|id| format!(" It was {}'s.", name_of(staff, id)));
        let words = told.entry(to).or_default();
        words.on.push(what.clone());
        words.lines.push(format!(
            "{what}: yours{}.{}",
            until.unwrap_or_default(),
            before.unwrap_or_default()
        ));
    }
    if let Some(from) = one.from {
        let words = told.entry(from).or_default();
        words.off.push(what.clone());
        words.lines.push(match one.to {
            Some(to) => format!("{what}: {} has it now.", name_of(staff, to)),
            None => format!("{what}: nobody has it now."),
        });
    }
}

impl Words {
    /// The title says the most important of it.
    fn together(self) -> String {
        let title = if !self.on.is_empty() {
            format!("You are on call now: {}", self.on.join("; "))
        } else if !self.off.is_empty() {
            format!("You are off call now: {}", self.off.join("; "))
        } else {
            format!("Your shift begins soon: {}", self.soon.join("; "))
        };
        format!("{title}\n{}", self.lines.join("\n"))
    }
}

/// A schedule and a layer, as people call them.
pub(super) fn shown((schedule, layer): &(String, Layer)) -> String {
    format!("{schedule} ({layer})")
}

/// An instant as the schedule's own clocks show it.
pub(super) fn on_the_wall(zone: &TimeZone, at: Timestamp) -> String {
    let at = at.to_jiff().to_zoned_datetime(zone.clone());
    at.strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}
