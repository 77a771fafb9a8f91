//! Whether somebody is on call wherever somebody has to be: ahead, for whoever sets the rota, and now, for the
//! alarm.

use std::collections::BTreeSet;

use super::{name_of, on_duty, preview, rota, unless_unreadable};
use crate::{
    desk::{Desk, Error},
    ids::StaffId,
    oncall::{Segment, Source},
    paging::Target,
    permit::{Actor, Permit, ReadRota, Subject, SystemRole, authorise, missing},
    staff::{Attribute, Staff},
    store::{oncall, staff},
};

/// What is wrong with a rota.
#[derive(Clone, Debug)]
pub struct RotaAlarm {
    /// For whom: a tier, `triage`, or a role of a step.
    pub whom: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Something that needs somebody on call at every instant.
struct Need {
    /// What people call it.
    whom: String,
    schedule: String,
    /// What is asked of whoever is called.
    demanded: BTreeSet<Attribute>,
    /// A role without a schedule is nobody's: its steps are passed. A tier without one calls the admins.
    is_role: bool,
}

/// The tiers, what is nobody's yet, and the roles that steps of the policies call.
fn needs(desk: &Desk) -> Vec<Need> {
    let mut all: Vec<Need> = desk
        .catalogue
        .iter()
        .map(|tier| Need {
            whom: tier.slug.to_string(),
            schedule: tier.on_call.schedule.clone(),
            demanded: tier.staff_attributes.iter().cloned().collect(),
            is_role: false,
        })
        .collect();
    let triage = &desk.policies.triage_schedule;
    if all.iter().all(|one| one.schedule != *triage) {
        all.push(Need {
            whom: "triage".to_owned(),
            schedule: triage.clone(),
            demanded: BTreeSet::new(),
            is_role: false,
        });
    }
    all.extend(roles(desk).into_iter().map(|role| Need {
        whom: Target::Role(role.clone()).to_string(),
        schedule: role,
        demanded: BTreeSet::new(),
        is_role: true,
    }));
    all
}

/// The schedules that steps call by `role:`.
fn roles(desk: &Desk) -> BTreeSet<String> {
    let rules = desk.policies.iter().flat_map(|policy| policy.rules.iter());
    let steps = rules.filter_map(|(_, rule)| rule.as_ref());
    let targets = steps.flat_map(|rule| rule.plan.steps.iter().flat_map(|step| &step.to));
    targets
        .filter_map(|target| match target {
            Target::Role(role) => Some(role.clone()),
            _ => None,
        })
        .collect()
}

/// How the rota looks.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// Whether there is any schedule at all.
    pub has_any: bool,
    /// What is wrong.
    pub alarms: Vec<RotaAlarm>,
    /// Roles that steps call and that have no schedule: these steps are passed.
    pub vacant_roles: Vec<String>,
}

/// Looks at the four weeks ahead: where nobody would be called at some time, and who is on call of whom something is
/// not attested that the tier asks for.
pub async fn check(desk: &Desk, actor: &Actor) -> Result<Coverage, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let slugs = oncall::slugs(&mut permit).await?;
    let mut found = Coverage {
        has_any: !slugs.is_empty(),
        alarms: Vec::new(),
        vacant_roles: Vec::new(),
    };
    for need in needs(desk) {
        let schedule = &need.schedule;
        let is_there = slugs.contains(schedule);
        if !is_there && need.is_role {
            found.vacant_roles.push(schedule.clone());
            continue;
        }
        let alarms = &mut found.alarms;
        let looked = look_ahead(desk, &mut permit, &need, &staff, alarms).await;
        let fault = match unless_unreadable(schedule, looked)? {
            Some(()) if is_there => continue,
            Some(()) => format!("there is no schedule {schedule}: the admins are called"),
            None => format!("the rota {schedule} cannot be read: the admins are called"),
        };
        found.alarms.push(RotaAlarm {
            whom: need.whom,
            message: fault,
            hint: "tierdesk oncall schedule set --file ROTA.toml".to_owned(),
        });
    }
    Ok(found)
}

/// What is wrong with a schedule; nothing where there is none.
async fn look_ahead(
    desk: &Desk,
    permit: &mut Permit<'_, ReadRota>,
    need: &Need,
    staff: &[Staff],
    alarms: &mut Vec<RotaAlarm>,
) -> Result<(), Error> {
    let Some(stored) = oncall::find_schedule(permit, &need.schedule).await? else {
        return Ok(());
    };
    let slug = &need.schedule;
    let from = permit.now();
    let to = from.plus(preview::WEEK * 4);
    let is_nobody = on_duty(permit, desk, slug).await?.source == Source::CatchAll;
    let (rotations, roster) = rota(permit, &stored, staff, from, to).await?;
    let segments = crate::oncall::timeline(&rotations, &roster, from, to);
    let mut nobody = segments
        .iter()
        .filter(|one| one.source == Source::CatchAll)
        .peekable();
    if let Some(first) = nobody.peek().map(|first| first.start) {
        let hours = nobody
            .map(|one| one.end.since(one.start).as_secs())
            .sum::<u64>()
            / 3_600;
        alarms.push(RotaAlarm {
            whom: need.whom.clone(),
            message: format!(
                "{}nobody is on call by schedule {slug} for {hours} of the next 672 hours, first at {first}",
                if is_nobody { "NOW: " } else { "" },
            ),
            hint: format!(
                "give it a fallback, or an override; tierdesk oncall preview --schedule {slug}"
            ),
        });
    }
    for (name, lacking) in unattested(permit, need, staff, &segments).await? {
        alarms.push(RotaAlarm {
            whom: need.whom.clone(),
            message: format!(
                "{name} is on call by schedule {slug} and would not be called: {lacking} is not attested"
            ),
            hint: format!("tierdesk staff attest {name} {lacking} --until DATE, or take them off the rota"),
        });
    }
    Ok(())
}

/// Who is on call and may not see the tier's tickets, with what is not attested of them.
async fn unattested(
    permit: &mut Permit<'_, ReadRota>,
    need: &Need,
    staff: &[Staff],
    segments: &[Segment],
) -> Result<Vec<(String, String)>, Error> {
    let people = segments.iter().flat_map(|one| [one.primary, one.secondary]);
    let people: BTreeSet<StaffId> = people.flatten().collect();
    let mut found = Vec::new();
    for id in people {
        if let Some(lacking) = missing(permit, id, &need.demanded).await? {
            found.push((name_of(staff, id), lacking));
        }
    }
    found.sort();
    Ok(found)
}

/// For whom nobody is on call this instant, where there is a rota at all: without one the admins are called, which is
/// a way to begin. A role without a schedule counts as none. Who is on call by a rota that cannot be read is
/// nobody.
pub async fn uncovered(desk: &Desk) -> Result<Vec<String>, Error> {
    const WORKER: Actor = Actor::System(SystemRole::Worker);
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, &WORKER, ReadRota, Subject::Desk).await?;
    let slugs = oncall::slugs(&mut permit).await?;
    if slugs.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for need in needs(desk) {
        let is_covered = if slugs.contains(&need.schedule) {
            let duty = on_duty(&mut permit, desk, &need.schedule).await;
            let duty = unless_unreadable(&need.schedule, duty)?;
            duty.is_some_and(|duty| duty.source != Source::CatchAll)
        } else {
            need.is_role
        };
        if !is_covered {
            found.push(need.whom);
        }
    }
    Ok(found)
}
