//! The digest: once a day, whoever is on call by a schedule is told what waits for us and pages nobody.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::news;
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, chat, oncall},
    disclosure::DisclosedTicket,
    ids::{CustomerId, StaffId},
    oncall::wall,
    paging::{DigestTime, PageKind, Policies},
    permit::{Actor, Permit, RunPages, Subject, SystemRole, authorise, missing},
    staff::{Role, Staff, StaffStatus},
    store::{
        Tx,
        oncall::{find_schedule, news as told},
        staff, tickets,
    },
    telemetry,
    tiers::PerSeverity,
};

const WORKER: Actor = Actor::System(SystemRole::Worker);
/// So many tickets stand in a digest; of further ones their number does.
const SHOWN: usize = 20;
/// So many of a tier are looked at.
const COUNTED: usize = 200;
/// A digest that could not be written for so long is left out: the next one says the same.
const LATE: std::time::Duration = std::time::Duration::from_hours(4);

/// What waits for somebody.
pub(super) struct Waiting {
    /// As far as it may be shown.
    pub(super) shown: Vec<DisclosedTicket>,
    /// How many more.
    pub(super) more: usize,
    /// Whether there may be more than those.
    pub(super) is_cut: bool,
}

/// Writes the digests whose time has come. Returns how many people get one.
pub async fn send_due(desk: &Desk) -> Result<usize, Error> {
    let Some(time) = desk.policies.digest else {
        return Ok(0);
    };
    let mut count = 0;
    for schedule in schedules(desk) {
        let mut tx = desk.database.begin_read().await?;
        let Some(key) = due(&mut tx, time, &schedule).await? else {
            continue;
        };
        if told::has(&mut tx, &key).await? {
            continue;
        }
        drop(tx);
        // One that cannot be written holds up no other.
        match send(desk, &schedule, &key).await {
            Ok(people) => count += people,
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::error!(
                    schedule,
                    error,
                    "a digest could not be written; it is tried again"
                );
            }
        }
    }
    Ok(count)
}

async fn send(desk: &Desk, schedule: &str, key: &str) -> Result<usize, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WORKER, RunPages, Subject::Desk).await?;
    if !told::begin(&mut permit, key).await? {
        return Ok(0);
    }
    let mut count = 0;
    for people in readers(desk, &mut permit, schedule).await? {
        for person in people {
            let waiting = waiting(desk, &mut permit, schedule, Some(person.id)).await?;
            if waiting.shown.is_empty() {
                continue;
            }
            // What waits is looked up when it is sent: it may be shown less by then, and less may wait.
            let words = format!("digest of {schedule}");
            let kind = PageKind::Digest;
            let is_told = news::tell(desk, &mut permit, &person, kind, schedule, &words).await?;
            count += usize::from(is_told);
        }
        if count > 0 {
            break;
        }
    }
    tx.commit().await?;
    Ok(count)
}

/// Who gets it; the next ones where those before may read none of it, or have no channel for it.
async fn readers(
    desk: &Desk,
    permit: &mut Permit<'_, RunPages>,
    schedule: &str,
) -> Result<[Vec<Staff>; 3], Error> {
    let duty = oncall::on_duty(permit, desk, schedule).await;
    let duty = oncall::unless_unreadable(schedule, duty)?;
    let (first, second) = duty
        .map(|duty| (duty.primary, duty.secondary))
        .unwrap_or_default();
    let one = |person: Option<Staff>| person.into_iter().collect();
    Ok([one(first), one(second), admins(permit).await?])
}

/// Whoever is called where a rota has nobody.
async fn admins(tx: &mut Tx) -> Result<Vec<Staff>, Error> {
    let mut all = staff::list(tx).await?;
    all.retain(|one| one.role == Role::Admin && one.status == StaffStatus::Active);
    Ok(all)
}

/// The schedules that answer for tickets, each once.
fn schedules(desk: &Desk) -> Vec<String> {
    let tiers = desk.catalogue.iter().map(|tier| &tier.on_call.schedule);
    let mut all: Vec<String> = tiers.cloned().collect();
    all.push(desk.policies.triage_schedule.clone());
    all.sort();
    all.dedup();
    all
}

/// What stands for today's digest, where its time has come and is not long over.
async fn due(tx: &mut Tx, time: DigestTime, schedule: &str) -> Result<Option<String>, Error> {
    let stored = find_schedule(tx, schedule).await.map_err(Error::from);
    let stored = oncall::unless_unreadable(schedule, stored)?.flatten();
    let zone = stored.and_then(|stored| stored.spec.time_zone().ok());
    let day = slot(time, &zone.unwrap_or(TimeZone::UTC), tx.now());
    Ok(day.map(|day| format!("digest:{schedule}:{day}")))
}

/// The day whose digest is due at `now`.
fn slot(time: DigestTime, zone: &TimeZone, now: Timestamp) -> Option<jiff::civil::Date> {
    let today = zone.to_datetime(now.to_jiff()).date();
    // One that is due shortly before midnight is late on the next day.
    let days = [Some(today), today.yesterday().ok()];
    days.into_iter().flatten().find(|day| {
        let at = wall::first(zone, day.to_datetime(time.at));
        time.days.has(day.weekday()) && now >= at && now < at.plus(LATE)
    })
}

/// What waits by this schedule and may be shown to this person, what is due first in front.
pub(super) async fn waiting(
    desk: &Desk,
    tx: &mut Tx,
    schedule: &str,
    person: Option<StaffId>,
) -> Result<Waiting, Error> {
    let mut waiting = Waiting {
        shown: Vec::new(),
        more: 0,
        is_cut: false,
    };
    let limit = i64::try_from(COUNTED).unwrap_or(i64::MAX);
    let mut may_read: HashMap<(Option<&str>, Option<CustomerId>), bool> = HashMap::new();
    let mut all = Vec::new();
    for (tier, digest) in tiers(desk, schedule) {
        let found = tickets::list_waiting(tx, tier, digest, limit).await?;
        let (count, before) = (found.len(), all.len());
        for ticket in found {
            // What is asked of a reader depends on tier and contract alone.
            let of = (tier, ticket.customer_id);
            let may = match (person, may_read.get(&of)) {
                (None, _) => true,
                (Some(_), Some(may)) => *may,
                (Some(person), None) => {
                    let demanded = staff::demanded(tx, ticket.id).await?;
                    let may = missing(tx, person, &demanded).await?.is_none();
                    may_read.insert(of, may);
                    may
                }
            };
            if may {
                all.push(ticket);
            }
        }
        waiting.is_cut |= count >= COUNTED && all.len() > before;
    }
    all.sort_by_key(|ticket| {
        let due = ticket.clocks.due();
        (due.is_none(), due, ticket.number)
    });
    waiting.more = all.len().saturating_sub(SHOWN);
    for ticket in all.iter().take(SHOWN) {
        waiting.shown.push(chat::disclosed(desk, tx, ticket).await?);
    }
    Ok(waiting)
}

/// The tiers that go by a schedule, nobody's yet among them, with what of each stands in the digest.
fn tiers<'d>(desk: &'d Desk, schedule: &str) -> Vec<(Option<&'d str>, &'d PerSeverity<bool>)> {
    let policies: &Policies = &desk.policies;
    let of_tiers = desk.catalogue.iter().filter_map(|tier| {
        let policy = policies.get(&tier.on_call.policy)?;
        (tier.on_call.schedule == schedule).then_some((Some(tier.slug.as_str()), &policy.digest))
    });
    let mut all: Vec<_> = of_tiers.collect();
    if policies.triage_schedule == schedule
        && let Some(policy) = policies.get(&policies.triage_policy)
    {
        all.push((None, &policy.digest));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_due_by_the_schedules_own_clocks_on_its_days() {
        let time = Policies::embedded().digest.unwrap();
        let zone = TimeZone::get("America/New_York").unwrap();
        let day = |at: &str| slot(time, &zone, at.parse().unwrap()).map(|day| day.to_string());
        // Nine there is fourteen o'clock in UTC in winter, and thirteen in summer.
        assert_eq!(day("2026-11-24T13:59:59Z"), None);
        let tuesday = Some("2026-11-24".to_owned());
        assert_eq!(day("2026-11-24T14:00:00Z"), tuesday);
        assert_eq!(day("2026-11-24T17:59:59Z"), tuesday);
        assert_eq!(day("2026-11-24T18:00:00Z"), None, "it is late");
        assert_eq!(day("2026-11-28T14:30:00Z"), None, "it is Saturday");
        let late = DigestTime {
            at: jiff::civil::time(23, 30, 0, 0),
            ..time
        };
        let day = |at: &str| slot(late, &zone, at.parse().unwrap()).map(|day| day.to_string());
        let friday = Some("2026-11-27".to_owned());
        assert_eq!(day("2026-11-28T04:30:00Z"), friday);
        assert_eq!(day("2026-11-28T08:29:59Z"), friday, "it is Saturday there");
        assert_eq!(day("2026-11-28T08:30:00Z"), None);
    }

    #[test]
    fn summer_time_is_the_schedules() {
        let time = Policies::embedded().digest.unwrap();
        let zone = TimeZone::get("America/New_York").unwrap();
        let day = |at: &str| slot(time, &zone, at.parse().unwrap()).map(|day| day.to_string());
        assert_eq!(day("2026-07-07T13:00:00Z"), Some("2026-07-07".to_owned()));
    }
}
