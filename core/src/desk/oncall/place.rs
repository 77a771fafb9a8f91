//! Which schedule is meant, and which span of time on its clocks.

use jiff::tz::TimeZone;

use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    oncall::moment,
    refusal::Refusal,
    store::{
        Tx,
        oncall::{self, StoredSchedule},
    },
    tiers::TierSlug,
};

/// Which schedule is meant.
#[derive(Clone, Debug)]
pub enum Place {
    /// That of a tier.
    Tier(TierSlug),
    /// One by name.
    Schedule(String),
}

impl Place {
    /// Its name.
    pub(super) fn slug(&self, desk: &Desk) -> Result<String, Refusal> {
        Ok(match self {
            Self::Tier(tier) => desk.tier(tier)?.on_call.schedule.clone(),
            Self::Schedule(slug) => slug.clone(),
        })
    }

    /// The schedule itself.
    pub(super) async fn find(&self, desk: &Desk, tx: &mut Tx) -> Result<StoredSchedule, Error> {
        let slug = self.slug(desk)?;
        let found = oncall::find_schedule(tx, &slug).await?;
        Ok(found.ok_or_else(|| no_schedule(&slug))?)
    }

    /// The same, kept from changing until the unit of work ends.
    pub(super) async fn lock(&self, desk: &Desk, tx: &mut Tx) -> Result<StoredSchedule, Error> {
        let slug = self.slug(desk)?;
        let found = oncall::lock_schedule(tx, &slug).await?;
        Ok(found.ok_or_else(|| no_schedule(&slug))?)
    }
}

pub(super) fn no_schedule(slug: &str) -> Refusal {
    Refusal::not_found("schedule", slug)
        .with_hint("tierdesk oncall schedule list; schedule set --file ROTA.toml makes one")
}

/// The zone of a stored schedule; it was checked when it was written.
pub(super) fn zone(schedule: &StoredSchedule) -> TimeZone {
    schedule.spec.time_zone().unwrap_or(TimeZone::UTC)
}

fn no_time(text: &str) -> Refusal {
    Refusal::invalid(format!("{text:?} is no time; nothing was changed")).with_hint(
        "write 2026-12-24 09:00 for the schedule's own clocks, or 2026-12-24T08:00Z for an instant",
    )
}

pub(super) fn start(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, Refusal> {
    moment::start(text, zone, now).ok_or_else(|| no_time(text))
}

pub(super) fn end(text: &str, zone: &TimeZone) -> Result<Timestamp, Refusal> {
    moment::end(text, zone).ok_or_else(|| no_time(text))
}

/// A span that is not over yet. What is past is not changed: it begins now at the earliest.
pub(super) fn span(
    from: &str,
    to: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), Refusal> {
    let (starts, ends) = (start(from, zone, now)?, end(to, zone)?);
    check_span(starts, ends, now)
}

pub(super) fn check_span(
    starts: Timestamp,
    ends: Timestamp,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), Refusal> {
    if ends <= starts {
        let message = format!("it would end at {ends}, before it begins at {starts}");
        return Err(Refusal::invalid(message).with_hint("nothing was changed; look at both times"));
    }
    if ends <= now {
        let message = format!("{ends} is past; nothing was changed");
        return Err(Refusal::invalid(message).with_hint("who was on call then stays as it was"));
    }
    Ok((starts.max(now), ends))
}

/// A span of any time, past or ahead.
pub(super) fn check_order(
    from: Timestamp,
    to: Timestamp,
) -> Result<(Timestamp, Timestamp), Refusal> {
    if to <= from {
        let message = format!("it would end at {to}, before it begins at {from}");
        return Err(Refusal::invalid(message).with_hint("look at --from and --to"));
    }
    Ok((from, to))
}
