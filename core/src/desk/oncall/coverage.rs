//! Whether somebody is on call for every tier: ahead, for whoever sets the rota, and now, for the alarm.

use std::collections::BTreeSet;

use super::{name_of, on_duty, preview, rota};
use crate::{
    desk::{Desk, Error},
    ids::StaffId,
    oncall::{Segment, Source},
    permit::{Actor, Permit, ReadRota, Subject, SystemRole, authorise, missing},
    staff::Staff,
    store::{
        oncall::{self, StoredSchedule},
        staff,
    },
    tiers::{Tier, TierSlug},
};

/// What is wrong with the rota of a tier.
#[derive(Clone, Debug)]
pub struct RotaAlarm {
    /// The tier.
    pub tier: TierSlug,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Whether there is any schedule at all, and what is wrong with the four weeks ahead: tiers for which nobody
/// would be called at some time, and people on call of whom something is not attested that the tier asks for.
pub async fn check(desk: &Desk, actor: &Actor) -> Result<(bool, Vec<RotaAlarm>), Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let has_any = !oncall::schedules(&mut permit).await?.is_empty();
    let mut alarms = Vec::new();
    for tier in desk.catalogue.iter() {
        let slug = &tier.on_call.schedule;
        match oncall::find_schedule(&mut permit, slug).await? {
            Some(stored) => of_tier(desk, &mut permit, tier, &stored, &staff, &mut alarms).await?,
            None => alarms.push(RotaAlarm {
                tier: tier.slug.clone(),
                message: format!("there is no schedule {slug}: the admins are called"),
                hint: "tierdesk oncall schedule set --file ROTA.toml".to_owned(),
            }),
        }
    }
    Ok((has_any, alarms))
}

async fn of_tier(
    desk: &Desk,
    permit: &mut Permit<'_, ReadRota>,
    tier: &Tier,
    stored: &StoredSchedule,
    staff: &[Staff],
    alarms: &mut Vec<RotaAlarm>,
) -> Result<(), Error> {
    let slug = &tier.on_call.schedule;
    let from = permit.now();
    let to = from.plus(preview::WEEK * 4);
    let is_nobody = on_duty(permit, desk, slug).await?.source == Source::CatchAll;
    let (rotations, roster) = rota(permit, stored, staff, from, to).await?;
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
            tier: tier.slug.clone(),
            message: format!(
                "{}nobody is on call by schedule {slug} for {hours} of the next 672 hours, first at {first}",
                if is_nobody { "NOW: " } else { "" },
            ),
            hint: format!(
                "give it a fallback, or an override; tierdesk oncall preview --tier {}",
                tier.slug
            ),
        });
    }
    for (name, lacking) in unattested(permit, tier, staff, &segments).await? {
        alarms.push(RotaAlarm {
            tier: tier.slug.clone(),
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
    tier: &Tier,
    staff: &[Staff],
    segments: &[Segment],
) -> Result<Vec<(String, String)>, Error> {
    let demanded = tier.staff_attributes.iter().cloned().collect();
    let people = segments.iter().flat_map(|one| [one.primary, one.secondary]);
    let people: BTreeSet<StaffId> = people.flatten().collect();
    let mut found = Vec::new();
    for id in people {
        if let Some(lacking) = missing(permit, id, &demanded).await? {
            found.push((name_of(staff, id), lacking));
        }
    }
    found.sort();
    Ok(found)
}

/// The tiers for which nobody is on call this instant, where there is a rota at all: without one the admins
/// are called, which is a way to begin.
pub async fn uncovered(desk: &Desk) -> Result<Vec<TierSlug>, Error> {
    const WORKER: Actor = Actor::System(SystemRole::Worker);
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, &WORKER, ReadRota, Subject::Desk).await?;
    if oncall::schedules(&mut permit).await?.is_empty() {
        return Ok(Vec::new());
    }
    let mut tiers = Vec::new();
    for tier in desk.catalogue.iter() {
        let duty = on_duty(&mut permit, desk, &tier.on_call.schedule).await?;
        if duty.source == Source::CatchAll {
            tiers.push(tier.slug.clone());
        }
    }
    Ok(tiers)
}
