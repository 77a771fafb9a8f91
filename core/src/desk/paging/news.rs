//! Telling somebody what asks nothing of them: on each of their channels that stays silent then, over once it
//! is written, and given up like any notice where it cannot be sent.

use super::{Aim, note, write_notices};
use crate::{
    desk::{Desk, Error},
    paging::{Channel, PageKind, PageState, Plan, Signal, Target},
    permit::{ChangesTickets, Permit},
    staff::{Staff, StaffStatus},
    store::{
        pages::{self, Page},
        staff_channels::{self, StaffChannel},
    },
    tiers::Severity,
};

/// What could not be told is not told later either: its plan never goes on.
const NO_MORE: std::time::Duration = std::time::Duration::ZERO;

/// Tells somebody, in the unit of work of whatever is told. Returns whether there is a channel for it. The first
/// line of `words` is its title; what a ticket holds never stands there.
pub(in crate::desk) async fn tell<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    person: &Staff,
    kind: PageKind,
    schedule: &str,
    words: &str,
) -> Result<bool, Error> {
    let aims = silent_ways(desk, permit, person).await?;
    if aims.is_empty() {
        tracing::debug!(person.name = %person.name, words, "no channel of theirs is silent; they are not told");
        return Ok(false);
    }
    let now = permit.now();
    let title = words.lines().next().unwrap_or_default();
    let plan = Plan::at_once(kind.as_str(), Target::Person(person.name.clone()), NO_MORE);
    let page = Page {
        staff_id: Some(person.id),
        severity: Severity::Sev4,
        urgency: crate::paging::Urgency::Low,
        schedule: schedule.to_owned(),
        reason: words.to_owned(),
        state: PageState::Resolved,
        step: 1,
        next_at: None,
        ended_at: Some(now),
        ended_by: Some(permit.actor().to_owned()),
        ending: Some(format!("told {}: {title}", person.name)),
        ..Page::new(permit.new_id(), kind, plan, (now, now))
    };
    pages::insert_many(permit, vec![page.clone()]).await?;
    write_notices(permit, &page, (0, 0), Signal::Trigger, &aims, false).await?;
    let channels: Vec<&str> = aims.iter().map(|aim| aim.channel.as_str()).collect();
    let details = vec![
        ("to", person.name.clone()),
        ("channels", channels.join(", ")),
        ("words", title.to_owned()),
    ];
    note(permit, &page, "told", details).await?;
    permit.wake_workers();
    Ok(true)
}

/// Their channels that wake nobody by it.
async fn silent_ways<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    person: &Staff,
) -> Result<Vec<Aim>, Error> {
    if person.status != StaffStatus::Active {
        return Ok(Vec::new());
    }
    let aim = |channel, target: String| Aim {
        staff: Some(person.id),
        name: person.name.clone(),
        channel,
        target,
    };
    let mut aims = Vec::new();
    if desk.has_chat
        && let Some(user) = person.discord_user_id
    {
        aims.push(aim(Channel::Direct, user.to_string()));
    }
    for channel in staff_channels::list(permit, person.id).await? {
        match channel.kind {
            Channel::Mail if desk.mail_out.is_some() && !channel.wakes => {
                aims.push(aim(Channel::Mail, channel.target));
            }
            Channel::Webhook if is_silent(&channel) => {
                aims.push(aim(Channel::Webhook, format!("staff:{}", channel.id)));
            }
            _ => {}
        }
    }
    Ok(aims)
}

/// ntfy and Pushover keep quiet about what is of no urgency; PagerDuty opens an incident of anything; of whatever
/// else is said to wake nothing is known.
fn is_silent(channel: &StaffChannel) -> bool {
    match channel.format.as_deref() {
        Some("pagerduty") => false,
        Some("ntfy" | "pushover") => true,
        _ => !channel.wakes,
    }
}
