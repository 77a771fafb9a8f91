//! What the rules as they are would have done with the tickets of the last days: whom they would have called,
//! how often, and how often at night.

use std::{collections::BTreeMap, time::Duration};

use jiff::{civil::Weekday, tz::TimeZone};
use serde::Serialize;

use super::{
    Place,
    place::{self, no_schedule},
    rota,
};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    ids::StaffId,
    oncall::{Roster, Schedule, resolve},
    paging::{Next, Rule, Target, Urgency},
    permit::{Actor, Permit, ReadRota, Subject, authorise},
    store::{oncall, staff, tickets},
    tickets::Ticket,
    trust::SenderTrust,
};

/// A page is followed for so long: whoever has not answered by then was called often enough to be seen.
const FOLLOWED: Duration = Duration::from_hours(24);

/// How often somebody would have been called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Called {
    /// Who.
    pub name: String,
    /// Pages that would have called them, once or more.
    pub pages: u64,
    /// How often.
    pub calls: u64,
    /// Of that, from 22 to 7 o'clock on the schedule's clocks.
    pub nights: u64,
    /// Of that, on Saturdays and Sundays.
    pub weekends: u64,
}

/// What the rules would have done.
#[derive(Clone, Debug, Serialize)]
pub struct Replay {
    /// The schedule.
    pub schedule: String,
    /// Since when tickets are looked at.
    pub from: Timestamp,
    /// How many that were.
    pub tickets: u64,
    /// How many of them would have been paged for.
    pub pages: u64,
    /// The most called first.
    pub people: Vec<Called>,
    /// Calls for which nobody would have been on call: the catch-all.
    pub catch_all: u64,
}

/// The rotas of the span, read once each.
struct Rotas {
    known: BTreeMap<String, Option<(Schedule, Roster, TimeZone)>>,
    names: BTreeMap<StaffId, String>,
}

/// Plays the tickets of the last `span` against the rules and rotas as they are now. A page counts until its
/// ticket was first answered; senders who proved nothing share the pages of each hour as they do in truth.
pub async fn replay(
    desk: &Desk,
    actor: &Actor,
    place: &Place,
    span: Duration,
) -> Result<Replay, Error> {
    let slug = place.slug(desk)?;
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadRota, Subject::Desk).await?;
    if oncall::find_schedule(&mut permit, &slug).await?.is_none() {
        return Err(no_schedule(&slug).into());
    }
    let now = permit.now();
    let from = now.minus(span);
    let everybody = staff::list(&mut permit).await?;
    let mut rotas = Rotas {
        known: BTreeMap::new(),
        names: everybody
            .into_iter()
            .map(|one| (one.id, one.name))
            .collect(),
    };
    let mut replay = Replay {
        schedule: slug.clone(),
        from,
        tickets: 0,
        pages: 0,
        people: Vec::new(),
        catch_all: 0,
    };
    let mut called: BTreeMap<StaffId, Called> = BTreeMap::new();
    let mut unproven: Vec<Timestamp> = Vec::new();
    for ticket in tickets::list_opened_since(&mut permit, from).await? {
        let Some((rule, schedule)) = crate::desk::paging::rule_of(desk, &ticket) else {
            replay.tickets += u64::from(schedule_of(desk, &ticket) == slug);
            continue;
        };
        if schedule != slug {
            continue;
        }
        replay.tickets += 1;
        if !matches!(ticket.trust, SenderTrust::Known | SenderTrust::Proven) {
            let hour = ticket.opened_at.minus(Duration::from_hours(1));
            unproven.retain(|at| *at > hour);
            if unproven.len() >= desk.policies.unverified_per_hour as usize {
                continue;
            }
            unproven.push(ticket.opened_at);
        }
        let calls = calls_of(rule, &ticket, now);
        replay.pages += u64::from(!calls.is_empty());
        let mut seen = Vec::new();
        for (at, target) in calls {
            let found = rotas
                .person(&mut permit, (from, now), schedule, &target, at)
                .await?;
            let Some((person, zone)) = found else {
                replay.catch_all += u64::from(target == Target::Primary);
                continue;
            };
            let one = called.entry(person).or_default();
            one.calls += 1;
            one.pages += u64::from(!seen.contains(&person));
            seen.push(person);
            let shown = zone.to_datetime(at.to_jiff());
            one.nights += u64::from(!(7..22).contains(&shown.hour()));
            let is_weekend = matches!(shown.weekday(), Weekday::Saturday | Weekday::Sunday);
            one.weekends += u64::from(is_weekend);
        }
    }
    let name = |id: &StaffId| rotas.names.get(id).cloned().unwrap_or_default();
    replay.people = called
        .into_iter()
        .map(|(id, one)| Called {
            name: name(&id),
            ..one
        })
        .collect();
    let rank = |one: &Called| std::cmp::Reverse((one.nights, one.calls));
    replay.people.sort_by_key(rank);
    Ok(replay)
}

fn schedule_of<'d>(desk: &'d Desk, ticket: &Ticket) -> &'d str {
    let tier = ticket.tier.as_ref();
    let tier = tier.and_then(|slug| desk.catalogue.get(slug.as_str()));
    tier.map_or(&desk.policies.triage_schedule, |tier| {
        &tier.on_call.schedule
    })
}

/// Whom a page for this ticket would have called when, until it was answered.
fn calls_of(rule: &Rule, ticket: &Ticket, now: Timestamp) -> Vec<(Timestamp, Target)> {
    let opened = ticket.opened_at;
    let clock = ticket.clocks.first_response;
    let (begins, urgency) = rule.begins(opened, opened, clock.internal_due);
    // What waited is not called for once it was answered; what was not yet over has not been.
    let end = clock.met_at.unwrap_or(now).min(begins.plus(FOLLOWED));
    let (mut at, mut round, mut step) = (begins, 0, 0);
    let mut calls = Vec::new();
    while let Next::Fire { round: r, step: s } = rule.plan.next(round, step) {
        let is_first = (r, s) == (0, 0);
        if at > end || (at == end && !(is_first && urgency == Urgency::High)) {
            break;
        }
        let targets = rule.plan.step(s).map(|step| step.to.clone());
        calls.extend(targets.unwrap_or_default().into_iter().map(|to| (at, to)));
        at = at.plus(rule.plan.wait_behind(s));
        (round, step) = (r, s + 1);
    }
    calls
}

impl Rotas {
    /// Who a target would have been at an instant, and whose clocks count.
    async fn person(
        &mut self,
        permit: &mut Permit<'_, ReadRota>,
        (from, to): (Timestamp, Timestamp),
        own: &str,
        target: &Target,
        at: Timestamp,
    ) -> Result<Option<(StaffId, TimeZone)>, Error> {
        let schedule = match target {
            Target::Primary | Target::Secondary => own,
            Target::Role(schedule) => schedule,
            Target::Person(name) => {
                let found = self.names.iter().find(|(_, known)| *known == name);
                return Ok(found.map(|(id, _)| (*id, TimeZone::UTC)));
            }
            Target::Webhook(_) | Target::Webhooks | Target::CatchAll | Target::Itself => {
                return Ok(None);
            }
        };
        if !self.known.contains_key(schedule) {
            let loaded = match oncall::find_schedule(permit, schedule).await? {
                Some(stored) => {
                    let staff = staff::list(permit).await?;
                    let (rotations, roster) = rota(permit, &stored, &staff, from, to).await?;
                    Some((rotations, roster, place::zone(&stored)))
                }
                None => None,
            };
            self.known.insert(schedule.to_owned(), loaded);
        }
        let Some(Some((rotations, roster, zone))) = self.known.get(schedule) else {
            return Ok(None);
        };
        let duty = resolve(rotations, roster, at);
        let person = match target {
            Target::Secondary => duty.secondary,
            _ => duty.primary,
        };
        Ok(person.map(|person| (person, zone.clone())))
    }
}
