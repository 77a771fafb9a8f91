//! Two tickets become one, one becomes two, and some only belong together.

use super::{Did, change_ticket_in, record, staff_message};
use crate::{
    desk::{
        Desk, Error, chat, letters, paging, receive::Standing, retention::check_own_hold,
        tickets::TicketReport,
    },
    ids::MessageId,
    permit::{Action, Actor, LinkTickets, MergeTickets, Permit, SplitTicket, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    sla::Clocks,
    store::{
        Tx, customers, messages,
        messages::NewMessage,
        outgoing,
        tickets::{self, NewLink, NewParticipant},
    },
    tickets::{
        CloseReason, Direction, LinkKind, Message, ParticipantRole, Status, Ticket, TicketNumber,
    },
};

/// Makes two tickets of one customer one. The older one stays, with its clocks, and gets everything of
/// the younger: messages, letters, participants, ties. Mail to either reaches it from then on.
pub async fn merge(
    desk: &Desk,
    actor: &Actor,
    one: TicketNumber,
    other: TicketNumber,
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    // The older one is locked first, as everywhere.
    let (older, younger) = (one.min(other), one.max(other));
    may_on(&mut tx, actor, MergeTickets, &[older, younger]).await?;
    let mut permit = authorise(&mut tx, actor, MergeTickets, Subject::Desk).await?;
    let mut stays = get(&mut permit, older).await?;
    let mut goes = get(&mut permit, younger).await?;
    if older == younger {
        return Err(Refusal::invalid(format!("{one} is one ticket already")).into());
    }
    check(&stays, &goes)?;
    for ticket in [&stays, &goes] {
        check_own_hold(&mut permit, ticket).await?;
    }
    let now = permit.now();
    messages::move_all(&mut permit, goes.id, stays.id).await?;
    outgoing::move_all(&mut permit, goes.id, stays.id).await?;
    tickets::move_participants(&mut permit, goes.id, stays.id).await?;
    tickets::move_links(&mut permit, goes.id, stays.id).await?;
    let link = NewLink {
        ticket_id: goes.id,
        other_id: stays.id,
        kind: LinkKind::Merged,
        at: now,
    };
    tickets::insert_links(&mut permit, vec![link]).await?;
    let was_active = goes.status.is_active();
    goes.status = Status::Closed;
    goes.close_reason = Some(CloseReason::Duplicate);
    goes.snoozed_until = None;
    goes.updated_at = now;
    tickets::update(&mut permit, &goes).await?;
    goes.version += 1;
    // What was not done there is to be done here.
    if was_active && !stays.status.is_active() {
        stays.status = Status::Open;
        stays.close_reason = None;
        stays.clocks.resolution.met_at = None;
    }
    stays.assignee_id = stays.assignee_id.or(goes.assignee_id);
    if goes.severity < stays.severity {
        stays.severity = goes.severity;
        stays.priority = stays.priority.min(goes.priority);
    }
    stays.updated_at = now;
    tickets::update(&mut permit, &stays).await?;
    stays.version += 1;
    let held = paging::held(&mut permit, goes.id).await?;
    for (ticket, word, with) in [(&stays, "took in", &goes), (&goes, "merged into", &stays)] {
        let did = Did {
            kind: "merged",
            details: vec![(word, with.number.to_string())],
        };
        paging::follow(desk, &mut permit, ticket, did.kind).await?;
        record(&mut permit, ticket, did).await?;
        chat::post_later(desk, &mut permit, ticket).await?;
    }
    if let Some(page) = held {
        paging::carry_over(&mut permit, &page, stays.id).await?;
    }
    let report = crate::desk::tickets::report(desk, &mut permit, stays).await?;
    tx.commit().await?;
    Ok(report)
}

/// Whether somebody may do this to each of these tickets, as far as they exist.
async fn may_on<A: Action + Copy>(
    tx: &mut Tx,
    actor: &Actor,
    action: A,
    numbers: &[TicketNumber],
) -> Result<(), Error> {
    for number in numbers {
        if let Some(ticket) = tickets::find_by_number_locked(tx, *number).await? {
            authorise(tx, actor, action, Subject::Ticket(ticket.id)).await?;
        }
    }
    Ok(())
}

async fn get(tx: &mut Tx, number: TicketNumber) -> Result<Ticket, Error> {
    let found = tickets::find_by_number_locked(tx, number).await?;
    Ok(found.ok_or_else(|| crate::desk::tickets::not_found(number))?)
}

fn check(stays: &Ticket, goes: &Ticket) -> Result<(), Refusal> {
    if stays.customer_id != goes.customer_id {
        let message = format!(
            "{} and {} are not of one customer; nothing was changed",
            stays.number, goes.number
        );
        let hint = "bind the one that is nobody's first: tierdesk ticket bind SB-12 CUSTOMER";
        return Err(Refusal::new(RefusalCode::Blocked, message).with_hint(hint));
    }
    if stays.customer_id.is_none() && stays.requester != goes.requester {
        let message = format!(
            "{} and {} belong to nobody yet and are from different people; nothing was changed",
            stays.number, goes.number
        );
        let hint = "bind both to their customer first, or set one aside as spam";
        return Err(Refusal::new(RefusalCode::Blocked, message).with_hint(hint));
    }
    if goes.close_reason == Some(CloseReason::Duplicate) {
        let message = format!("{} was merged before; nothing was changed", goes.number);
        return Err(Refusal::new(RefusalCode::WrongStatus, message));
    }
    Ok(())
}

/// Makes another ticket of some messages of one: by their places in `ticket show`, from 1. Returns the new
/// ticket.
pub async fn split(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    places: &[usize],
    subject: Option<String>,
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    may_on(&mut tx, actor, SplitTicket, &[number]).await?;
    let mut permit = authorise(&mut tx, actor, SplitTicket, Subject::Desk).await?;
    let mut from = get(&mut permit, number).await?;
    check_own_hold(&mut permit, &from).await?;
    let all = messages::list_of_ticket(&mut permit, from.id).await?;
    let moved = chosen(number, &all, places)?;
    let ids: Vec<MessageId> = moved.iter().map(|message| message.id).collect();
    let first = moved
        .iter()
        .find(|message| message.direction == Direction::In)
        .ok_or_else(|| {
            Refusal::invalid("none of these is a mail of the customer's; nothing was changed")
                .with_hint("a ticket of notes: tierdesk ticket open")
        })?;
    let mut new = part_of(desk, &mut permit, &from, first).await?;
    if let Some(subject) = subject.filter(|subject| !subject.trim().is_empty()) {
        new.subject = crate::masking::mask(subject.trim()).text.into_owned();
    }
    let now = permit.now();
    tickets::insert_many(&mut permit, vec![new.clone()]).await?;
    messages::move_some(&mut permit, &ids, new.id).await?;
    outgoing::move_of_messages(&mut permit, &ids, new.id).await?;
    let mut people: Vec<&Message> = moved
        .iter()
        .filter(|one| one.direction == Direction::In)
        .collect();
    people.dedup_by(|one, other| one.author == other.author);
    let participants = people.iter().map(|message| NewParticipant {
        ticket_id: new.id,
        address: message.author.clone(),
        name: message.author_name.clone(),
        role: if message.author == new.requester {
            ParticipantRole::Requester
        } else {
            ParticipantRole::Colleague
        },
        added_at: now,
    });
    let participants = participants.collect();
    tickets::insert_participants(&mut permit, participants).await?;
    let link = NewLink {
        ticket_id: new.id,
        other_id: from.id,
        kind: LinkKind::Split,
        at: now,
    };
    tickets::insert_links(&mut permit, vec![link]).await?;
    let text = format!("{} message(s) went on to {}.", ids.len(), new.number);
    let author = letters::staff_name(permit.actor());
    let message = staff_message(&mut permit, &from, author, text);
    let note = NewMessage {
        message,
        fingerprint: None,
        in_reply_to: None,
        recipients: Vec::new(),
    };
    messages::insert_many(&mut permit, vec![note], Vec::new()).await?;
    from.updated_at = now;
    tickets::update(&mut permit, &from).await?;
    from.version += 1;
    for (ticket, word, with) in [(&from, "gave to", &new), (&new, "split from", &from)] {
        let did = Did {
            kind: "split",
            details: vec![(word, with.number.to_string())],
        };
        paging::follow(desk, &mut permit, ticket, did.kind).await?;
        record(&mut permit, ticket, did).await?;
        chat::post_later(desk, &mut permit, ticket).await?;
    }
    let report = crate::desk::tickets::report(desk, &mut permit, new).await?;
    tx.commit().await?;
    Ok(report)
}

fn chosen(
    number: TicketNumber,
    all: &[Message],
    places: &[usize],
) -> Result<Vec<Message>, Refusal> {
    let mut places = places.to_vec();
    places.sort_unstable();
    places.dedup();
    let pick = |place: &usize| all.get(place.wrapping_sub(1)).cloned();
    let moved: Option<Vec<Message>> = places.iter().map(pick).collect();
    let moved = moved.ok_or_else(|| {
        Refusal::not_found("message", format!("of that number on {number}")).with_hint(format!(
            "{number} has {}: `ticket show` numbers them",
            all.len()
        ))
    })?;
    if moved.is_empty() || moved.len() == all.len() {
        let message = "a part of the messages makes another ticket, not none and not all";
        return Err(Refusal::invalid(message));
    }
    Ok(moved)
}

/// A ticket like the one it is split from, begun by `first`, whose writer has waited since then.
async fn part_of(
    desk: &Desk,
    permit: &mut Permit<'_, SplitTicket>,
    from: &Ticket,
    first: &Message,
) -> Result<Ticket, Error> {
    let customer = match from.customer_id {
        Some(id) => Some(customers::get(permit, id).await?.to_ref()),
        None => None,
    };
    let standing = Standing::of(desk, customer.as_ref(), from.severity)?;
    let number = tickets::draw_numbers(permit, 1).await?;
    let clocks = standing
        .tier
        .filter(|_| !from.is_silent)
        .map(|tier| Clocks::start(tier, from.severity, first.received_at));
    let subject = if first.subject.is_empty() {
        from.subject.clone()
    } else {
        first.subject.clone()
    };
    Ok(Ticket {
        id: permit.new_id(),
        number: number[0],
        subject,
        status: Status::Open,
        trust: first.trust.unwrap_or(from.trust),
        trust_reasons: vec![format!("split from {} by {}", from.number, permit.actor())],
        requester: first.author.clone(),
        requester_name: first.author_name.clone(),
        close_reason: None,
        opened_at: first.received_at,
        updated_at: permit.now(),
        clocks: clocks.unwrap_or_default(),
        snoozed_until: None,
        version: 1,
        ..from.clone()
    })
}

/// Says that two tickets belong together.
pub async fn link(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    other: TicketNumber,
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    may_on(&mut tx, actor, LinkTickets, &[other]).await?;
    let report = change_ticket_in(
        desk,
        &mut tx,
        actor,
        LinkTickets,
        number,
        async |permit, ticket| {
            let found = tickets::find_by_number(permit, other).await?;
            let found = found.ok_or_else(|| crate::desk::tickets::not_found(other))?;
            if found.id == ticket.id {
                return Err(Refusal::invalid(format!("{number} is the same ticket")).into());
            }
            let links = tickets::links(permit, ticket.id).await?;
            if links
                .iter()
                .any(|link| link.number == other && link.kind == LinkKind::Related)
            {
                return Ok(None);
            }
            let link = NewLink {
                ticket_id: ticket.id,
                other_id: found.id,
                kind: LinkKind::Related,
                at: permit.now(),
            };
            tickets::insert_links(permit, vec![link]).await?;
            Ok(Some(Did {
                kind: "linked",
                details: vec![("to", other.to_string())],
            }))
        },
    )
    .await?;
    tx.commit().await?;
    Ok(report)
}

/// Tags and untags a ticket with words of one's own.
pub async fn tag(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    add: &[String],
    remove: &[String],
) -> Result<TicketReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let report = tag_in(desk, &mut tx, actor, number, add, remove).await?;
    tx.commit().await?;
    Ok(report)
}

/// The same inside a unit of work that the caller commits.
pub(in crate::desk) async fn tag_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    number: TicketNumber,
    add: &[String],
    remove: &[String],
) -> Result<TicketReport, Error> {
    let add: Vec<String> = add
        .iter()
        .map(|tag| own_tag(tag))
        .collect::<Result<_, _>>()?;
    change_ticket_in(
        desk,
        tx,
        actor,
        LinkTickets,
        number,
        async |permit, ticket| {
            let added = tickets::add_tags(permit, ticket.id, &add).await?;
            let removed = tickets::remove_tags(permit, ticket.id, remove).await?;
            if added + removed == 0 {
                return Ok(None);
            }
            let mut details = Vec::new();
            if added > 0 {
                details.push(("added", add.join(", ")));
            }
            if removed > 0 {
                details.push(("removed", remove.join(", ")));
            }
            Ok(Some(Did {
                kind: "tagged",
                details,
            }))
        },
    )
    .await
}

/// A tag of one's own: the words before a colon are the desk's, for they follow from the ticket.
fn own_tag(text: &str) -> Result<String, Refusal> {
    crate::tickets::tag::parse(text).ok_or_else(|| {
        let message = format!("{text:?} is no tag");
        Refusal::invalid(message).with_hint(
            "letters, digits, hyphens, dots and underscores, at most 40; what has a colon the desk sets itself",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_words_and_those_with_a_colon_are_the_desk_s() {
        assert_eq!(own_tag(" Billing ").unwrap(), "billing");
        assert_eq!(own_tag("müller-2").unwrap(), "müller-2");
        for wrong in ["", "tier:fintech", "two words", "a\nb", &"x".repeat(41)] {
            assert!(own_tag(wrong).is_err(), "{wrong}");
        }
    }
}
