//! Looking over who may what, and why: what an access review asks for.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use serde::Serialize;

use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    permit::{Actor, ReviewStaff, Subject, authorise},
    staff::{Attribute, Demands, Grant, GrantKind, Role, Staff, StaffStatus},
    store::staff,
};

/// What ends within so long is said in time.
const SOON: Duration = Duration::from_hours(30 * 24);
/// Whoever did nothing for so long may not need their role any more.
const IDLE: Duration = Duration::from_hours(90 * 24);

/// Everybody with everything they were ever given, as `staff review --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct StaffReview {
    /// When this was so.
    pub at: Timestamp,
    /// What somebody should look at in the whole.
    pub findings: Vec<String>,
    /// Everybody, disabled ones too, by name.
    pub members: Vec<MemberReview>,
}

/// One member of staff.
#[derive(Clone, Debug, Serialize)]
pub struct MemberReview {
    /// How colleagues call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may do it.
    pub status: StaffStatus,
    /// Since when they are here.
    pub created_at: Timestamp,
    /// When the audit trail last has them.
    pub last_active: Option<Timestamp>,
    /// What they were given, oldest first, also what was taken away again.
    pub grants: Vec<GrantReport>,
    /// What somebody should look at.
    pub findings: Vec<String>,
}

/// Something that was given.
#[derive(Clone, Debug, Serialize)]
pub struct GrantReport {
    /// A role or an attribute.
    pub kind: GrantKind,
    /// Which.
    pub name: String,
    /// Whether it counts now.
    pub is_valid: bool,
    /// When it was given.
    pub granted_at: Timestamp,
    /// By whom.
    pub granted_by: String,
    /// Why, or on what grounds.
    pub reason: Option<String>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// When it was taken away.
    pub removed_at: Option<Timestamp>,
    /// By whom.
    pub removed_by: Option<String>,
    /// Why.
    pub removal_reason: Option<String>,
}

/// Everybody, what they were given and why, what was taken away, and what should be looked at.
pub async fn review(desk: &Desk, actor: &Actor) -> Result<StaffReview, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReviewStaff, Subject::Desk).await?;
    let now = permit.now();
    let everybody = staff::list(&mut permit).await?;
    let mut grants: HashMap<_, Vec<Grant>> = HashMap::new();
    for grant in staff::list_grants(&mut permit).await? {
        grants.entry(grant.staff_id).or_default().push(grant);
    }
    let acts = staff::last_acts(&mut permit).await?;
    let contracts = staff::contracts(&mut permit).await?;
    let findings = of_the_whole(
        &everybody,
        &grants,
        &permit.demands(),
        contracts.values().flatten(),
        now,
    );
    let member = |one: &Staff| {
        let given = grants.get(&one.id).map_or(&[][..], Vec::as_slice);
        let last_active = acts.get(&format!("staff:{}", one.name)).copied();
        MemberReview {
            name: one.name.clone(),
            role: one.role,
            status: one.status,
            created_at: one.created_at,
            last_active,
            findings: of_one(one, given, last_active, now),
            grants: given.iter().map(|grant| report(grant, now)).collect(),
        }
    };
    Ok(StaffReview {
        at: now,
        findings,
        members: everybody.iter().map(member).collect(),
    })
}

fn report(grant: &Grant, now: Timestamp) -> GrantReport {
    GrantReport {
        kind: grant.kind,
        name: grant.name.clone(),
        is_valid: grant.counts_at(now),
        granted_at: grant.granted_at,
        granted_by: grant.granted_by.clone(),
        reason: grant.reason.clone(),
        until: grant.until,
        removed_at: grant.removed_at,
        removed_by: grant.removed_by.clone(),
        removal_reason: grant.removal_reason.clone(),
    }
}

fn of_one(
    one: &Staff,
    grants: &[Grant],
    last_active: Option<Timestamp>,
    now: Timestamp,
) -> Vec<String> {
    let mut findings = Vec::new();
    if one.status == StaffStatus::Disabled {
        if one.os_user.is_some() || one.discord_user_id.is_some() {
            findings.push("disabled, and still linked to a login or a Discord user".to_owned());
        }
        return findings;
    }
    if one.os_user.is_none() && one.discord_user_id.is_none() {
        findings.push("has neither a login nor a Discord user: cannot act".to_owned());
    }
    let since = last_active.unwrap_or(one.created_at);
    if since.plus(IDLE) < now {
        findings.push("did nothing for 90 days".to_owned());
    }
    let own = format!("staff:{}", one.name);
    let open = grants.iter().filter(|grant| grant.removed_at.is_none());
    for grant in open {
        match grant.until {
            Some(until) if until <= now => {
                findings.push(format!("{} ended {until}", grant.name));
            }
            Some(until) if until <= now.plus(SOON) => {
                findings.push(format!("{} ends {until}", grant.name));
            }
            _ => {}
        }
        if grant.kind == GrantKind::Attribute && grant.granted_by == own {
            findings.push(format!("{} was attested by themselves", grant.name));
        }
        if grant.reason.as_deref().is_none_or(str::is_empty) {
            findings.push(format!(
                "no reason is kept for {} {}",
                grant.kind, grant.name
            ));
        }
    }
    findings
}

fn of_the_whole<'a>(
    everybody: &[Staff],
    grants: &HashMap<crate::ids::StaffId, Vec<Grant>>,
    demands: &Demands,
    contracts: impl Iterator<Item = &'a Attribute>,
    now: Timestamp,
) -> Vec<String> {
    let mut findings = Vec::new();
    let active = |one: &&Staff| one.status == StaffStatus::Active;
    let admins = everybody.iter().filter(active);
    if admins.filter(|one| one.role == Role::Admin).count() == 1 {
        findings.push("there is one admin only: nobody could let them in again".to_owned());
    }
    let is_alone = everybody.iter().filter(active).count() <= 1;
    let is_attested = |attribute: &Attribute| {
        let mut active = everybody.iter().filter(active);
        active.any(|one| {
            let given = grants.get(&one.id).into_iter().flatten();
            let mut attested = given.filter(|grant| grant.kind == GrantKind::Attribute);
            attested.any(|grant| grant.name == attribute.as_str() && grant.counts_at(now))
        })
    };
    let mut asked: Vec<(Attribute, String)> = Vec::new();
    for (attribute, tiers) in demands.by_attribute() {
        let tiers: Vec<&str> = tiers.iter().map(crate::tiers::TierSlug::as_str).collect();
        asked.push((attribute, tiers.join(", ")));
    }
    for attribute in contracts.collect::<BTreeSet<_>>() {
        asked.push((attribute.clone(), "a contract".to_owned()));
    }
    for (attribute, by) in asked
        .iter()
        .filter(|(attribute, _)| !is_attested(attribute))
    {
        findings.push(if is_alone {
            format!(
                "{attribute}, asked for by {by}, is attested of nobody; whoever is alone here works without"
            )
        } else {
            format!("{attribute}, asked for by {by}, is attested of nobody: nobody can work there")
        });
    }
    findings
}
