//! People's calendars under a secret address.
//!
//! The secret is shown once and kept as its hash. Looking it up by that tells nothing by its time: whoever guesses
//! does not know the hash of a guess that is nearly right.

use std::time::Duration;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{people::for_whom, rota};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    ids::StaffId,
    oncall::{CalendarEntry, Layer, Segment, timeline, write_calendar},
    permit::{Actor, ShareCalendar, Subject, authorise},
    refusal::Refusal,
    staff::StaffStatus,
    store::{
        audit::{self, Change},
        oncall, staff,
    },
};

/// So far back a calendar goes ...
const BACK: Duration = Duration::from_hours(4 * 7 * 24);
/// ... and so far ahead.
const AHEAD: Duration = Duration::from_hours(26 * 7 * 24);

/// The secret address of a calendar, shown once.
#[derive(Clone, Debug, Serialize)]
pub struct CalendarAddress {
    /// Whose.
    pub name: String,
    /// Its path below the desk's own address.
    pub path: String,
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Opens somebody's calendar: one's own, or for an admin anybody's. An earlier address is closed by it.
pub async fn add_calendar(
    desk: &Desk,
    actor: &Actor,
    name: Option<&str>,
) -> Result<CalendarAddress, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ShareCalendar, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let whom = for_whom(&permit, &staff, name)?;
    let token = data_encoding::HEXLOWER.encode(&permit.random::<32>());
    oncall::insert_feed(&mut permit, whom.id, &hash(&token)).await?;
    let change = Change::to(format!("staff:{}", whom.name)).with("calendar", "opened");
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(CalendarAddress {
        name: whom.name.clone(),
        path: format!("/oncall/{token}.ics"),
    })
}

/// Closes somebody's calendar.
pub async fn remove_calendar(
    desk: &Desk,
    actor: &Actor,
    name: Option<&str>,
) -> Result<String, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ShareCalendar, Subject::Desk).await?;
    let staff = staff::list(&mut permit).await?;
    let whom = for_whom(&permit, &staff, name)?;
    if !oncall::remove_feed(&mut permit, whom.id).await? {
        return Err(Refusal::not_found("calendar of", &whom.name)
            .with_hint("tierdesk oncall calendar add opens one")
            .into());
    }
    let change = Change::to(format!("staff:{}", whom.name)).with("calendar", "closed");
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(whom.name.clone())
}

/// The calendar that a secret opens, as iCalendar; `None` where it opens none. The secret is the whole right to it,
/// and shows when its person is on call, nothing else.
pub async fn calendar(desk: &Desk, token: &str) -> Result<Option<String>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let Some(id) = oncall::find_feed(&mut tx, &hash(token)).await? else {
        return Ok(None);
    };
    let staff = staff::list(&mut tx).await?;
    let owner = staff
        .iter()
        .find(|one| one.id == id && one.status == StaffStatus::Active);
    let Some(owner) = owner else {
        return Ok(None);
    };
    let now = tx.now();
    // From the beginning of a week on, so that what is cut there keeps its identity for a week.
    let week = i64::try_from(super::preview::WEEK.as_micros()).unwrap_or(i64::MAX);
    let from = Timestamp::from_micros(now.minus(BACK).micros().div_euclid(week) * week);
    let to = now.plus(AHEAD);
    let mut entries = Vec::new();
    for schedule in oncall::schedules(&mut tx).await? {
        let (rotations, roster) = rota(&mut tx, &schedule, &staff, from, to).await?;
        let segments = timeline(&rotations, &roster, from, to);
        for layer in [Layer::Primary, Layer::Secondary] {
            for (start, end) in spans(&segments, layer, id) {
                entries.push(CalendarEntry {
                    start,
                    end,
                    schedule: schedule.slug.clone(),
                    layer,
                });
            }
        }
    }
    entries.sort();
    Ok(Some(write_calendar(&owner.name, &entries, now)))
}

/// The unbroken spans in which somebody holds a layer.
fn spans(segments: &[Segment], layer: Layer, person: StaffId) -> Vec<(Timestamp, Timestamp)> {
    let mut spans: Vec<(Timestamp, Timestamp)> = Vec::new();
    for segment in segments {
        let holder = match layer {
            Layer::Secondary => segment.secondary,
            _ => segment.primary,
        };
        if holder != Some(person) {
            continue;
        }
        match spans.last_mut() {
            Some((_, end)) if *end == segment.start => *end = segment.end,
            _ => spans.push((segment.start, segment.end)),
        }
    }
    spans
}
