//! Whom a step calls, now, and how: who is on call is decided when it fires.

use super::Aim;
use crate::{
    desk::{Desk, Error, oncall},
    paging::{Channel, Step, Target},
    permit::{Action, Permit, missing},
    staff::{Role, Staff, StaffStatus},
    store::{pages::Page, staff, staff_channels},
};

/// What stands where a webhook's name would, of what the desk says to itself.
pub(super) const ITSELF: &str = "itself";

/// Whom a step reaches, and why it does not reach the others.
#[derive(Debug, Default)]
pub(super) struct Aimed {
    pub(super) aims: Vec<Aim>,
    pub(super) missed: Vec<String>,
    /// Somebody who was to be called cannot be.
    has_unreached: bool,
}

impl Aimed {
    /// Somebody was to be called and cannot be, and no other person is.
    pub(super) fn is_short_of_people(&self) -> bool {
        self.has_unreached && self.aims.iter().all(|aim| aim.staff.is_none())
    }
}

/// Whom this step calls.
pub(super) async fn aim<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    page: &Page,
    step: &Step,
) -> Result<Aimed, Error> {
    let mut aimed = Aimed::default();
    for target in &step.to {
        target_of(desk, permit, page, target, &step.channels, &mut aimed).await?;
    }
    Ok(aimed)
}

async fn target_of<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    page: &Page,
    target: &Target,
    channels: &[Channel],
    aimed: &mut Aimed,
) -> Result<(), Error> {
    let person = match target {
        Target::Primary => {
            let duty = duty(desk, permit, &page.schedule, aimed).await?;
            if duty.0.is_none() {
                // Somebody is on call at every instant: where a rota has nobody, whoever is told last.
                aimed
                    .missed
                    .push(format!("{} has nobody on call", page.schedule));
                return Box::pin(catch_all(desk, permit, page, aimed)).await;
            }
            duty.0
        }
        Target::Secondary => duty(desk, permit, &page.schedule, aimed).await?.1,
        Target::Role(schedule) => duty(desk, permit, schedule, aimed).await?.0,
        Target::Person(name) => {
            let everybody = staff::list(permit).await?;
            everybody.into_iter().find(|one| one.name == *name)
        }
        Target::Webhook(name) => {
            if desk.webhooks.contains(name) {
                push(aimed, webhook(name), channels);
            } else {
                aimed.missed.push(format!("there is no webhook {name}"));
            }
            return Ok(());
        }
        Target::Webhooks => {
            for name in &desk.webhooks {
                push(aimed, webhook(name), channels);
            }
            return Ok(());
        }
        Target::CatchAll => return catch_all(desk, permit, page, aimed).await,
        Target::Itself => {
            // By the road of the webhooks, up to where a request would leave.
            let aim = Aim {
                staff: None,
                name: "the desk itself".to_owned(),
                channel: Channel::Webhook,
                target: ITSELF.to_owned(),
            };
            push(aimed, aim, &[]);
            return Ok(());
        }
    };
    if let Some(person) = person {
        return reach(desk, permit, page, &person, channels, aimed).await;
    }
    aimed.missed.push(format!("{target}: nobody"));
    Ok(())
}

/// Who is first and second by a schedule. A rota that cannot be read has nobody: the page goes on without it.
async fn duty<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    schedule: &str,
    aimed: &mut Aimed,
) -> Result<(Option<Staff>, Option<Staff>), Error> {
    let duty = oncall::on_duty(permit, desk, schedule).await;
    let duty = oncall::unless_unreadable(schedule, duty)?;
    if duty.is_none() {
        aimed
            .missed
            .push(format!("the rota {schedule} cannot be read"));
    }
    Ok(duty
        .map(|duty| (duty.primary, duty.secondary))
        .unwrap_or_default())
}

/// Whoever is told when nobody else is: the configured addresses, every admin, every webhook.
pub(super) async fn catch_all<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    page: &Page,
    aimed: &mut Aimed,
) -> Result<(), Error> {
    if desk.mail_out.is_some() {
        for address in &desk.catch_all {
            let aim = Aim {
                staff: None,
                name: "catch-all".to_owned(),
                channel: Channel::Mail,
                target: address.to_string(),
            };
            push(aimed, aim, &[]);
        }
    }
    // None of them is waited for in particular.
    let has_unreached = aimed.has_unreached;
    for person in staff::list(permit).await? {
        if person.role == Role::Admin {
            reach(desk, permit, page, &person, &[], aimed).await?;
        }
    }
    aimed.has_unreached = has_unreached;
    for name in &desk.webhooks {
        push(aimed, webhook(name), &[]);
    }
    Ok(())
}

fn webhook(name: &str) -> Aim {
    Aim {
        staff: None,
        name: format!("webhook {name}"),
        channel: Channel::Webhook,
        target: format!("desk:{name}"),
    }
}

fn push(aimed: &mut Aimed, aim: Aim, channels: &[Channel]) {
    let is_asked_for = channels.is_empty() || channels.contains(&aim.channel);
    if is_asked_for && !aimed.aims.contains(&aim) {
        aimed.aims.push(aim);
    }
}

/// Every way to reach somebody, if they may be given the ticket.
pub(super) async fn reach<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    page: &Page,
    person: &Staff,
    channels: &[Channel],
    aimed: &mut Aimed,
) -> Result<(), Error> {
    let name = &person.name;
    if person.status != StaffStatus::Active {
        aimed.missed.push(format!("{name} is disabled"));
        aimed.has_unreached = true;
        return Ok(());
    }
    if let Some(ticket) = page.ticket_id {
        let demanded = staff::demanded(permit, ticket).await?;
        if let Some(lacking) = missing(permit, person.id, &demanded).await? {
            aimed
                .missed
                .push(format!("{lacking} is not attested of {name}"));
            aimed.has_unreached = true;
            return Ok(());
        }
    }
    let before = aimed.aims.len();
    let aim = |channel, target: String| Aim {
        staff: Some(person.id),
        name: name.clone(),
        channel,
        target,
    };
    if desk.has_chat
        && let Some(user) = person.discord_user_id
    {
        if page.ticket_id.is_some() {
            push(aimed, aim(Channel::Thread, user.to_string()), channels);
        }
        push(aimed, aim(Channel::Direct, user.to_string()), channels);
    }
    for channel in staff_channels::list(permit, person.id).await? {
        match channel.kind {
            Channel::Mail if desk.mail_out.is_some() => {
                push(aimed, aim(Channel::Mail, channel.target), channels);
            }
            Channel::Webhook => {
                let target = format!("staff:{}", channel.id);
                push(aimed, aim(Channel::Webhook, target), channels);
            }
            _ => {}
        }
    }
    if aimed.aims.len() == before {
        let is_there = aimed.aims.iter().any(|aim| aim.staff == Some(person.id));
        if !is_there {
            aimed.missed.push(format!("{name} has no channel"));
            aimed.has_unreached = true;
        }
    }
    Ok(())
}
