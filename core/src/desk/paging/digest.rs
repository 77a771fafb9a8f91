//! The digest: once a day, whoever is on call by a schedule is told what waits for us and pages nobody.

use jiff::tz::TimeZone;

use super::news;
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, chat, oncall},
    disclosure::DisclosedTicket,
    ids::StaffId,
    oncall::wall,
    paging::{DigestTime, PageKind, Policies},
    permit::{Actor, RunPages, Subject, SystemRole, authorise, missing},
    staff::{Role, Staff, StaffStatus},
    store::{
        Tx,
        oncall::{find_schedule, news as told},
        staff, tickets,
    },
    tiers::PerSeverity,
};

const WORKER: Actor = Actor::System(SystemRole::Worker);
/// So many tickets stand in a digest; of further ones their number does.
const SHOWN: usize = 20;
/// So many of a tier are counted.
const COUNTED: i64 = 200;
/// A digest that could not be written for so long is left out: the next one says the same.
const LATE: std::time::Duration = std::time::Duration::from_hours(4);

/// What waits for somebody.
pub(super) struct Waiting {
    /// As far as it may be shown.
    pub(super) shown: Vec<DisclosedTicket>,
    /// How many more.
    pub(super) more: usize,
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
        count += send(desk, &schedule, &key).await?;
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
    let primary = oncall::on_duty(&mut permit, desk, schedule).await?.primary;
    let people = match primary {
        Some(person) => vec![person],
        None => admins(&mut permit).await?,
    };
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
    tx.commit().await?;
    Ok(count)
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
    let stored = find_schedule(tx, schedule).await?;
    let zone = stored.and_then(|stored| stored.spec.time_zone().ok());
    let day = slot(time, &zone.unwrap_or(TimeZone::UTC), tx.now());
    Ok(day.map(|day| format!("digest:{schedule}:{day}")))
}

/// The day whose digest is due at `now`.
fn slot(time: DigestTime, zone: &TimeZone, now: Timestamp) -> Option<jiff::civil::Date> {
    let day = zone.to_datetime(now.to_jiff()).date();
    let at = wall::first(zone, day.to_datetime(time.at));
    (time.days.has(day.weekday()) && now >= at && now < at.plus(LATE)).then_some(day)
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
    };
    for (tier, digest) in tiers(desk, schedule) {
        let found = tickets::list_waiting(tx, tier, digest, COUNTED).await?;
        for ticket in found {
            if let Some(person) = person {
                let demanded = staff::demanded(tx, ticket.id).await?;
                if missing(tx, person, &demanded).await?.is_some() {
                    continue;
                }
            }
            if waiting.shown.len() < SHOWN {
                waiting
                    .shown
                    .push(chat::disclosed(desk, tx, &ticket).await?);
            } else {
                waiting.more += 1;
            }
        }
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
        assert_eq!(day("2026-07-07T13:00:00Z"), Some("2026-07-07".to_owned()));
    }
}
