//! Writing what a batch decided, a table at a time.

use std::collections::HashMap;

use super::batch::{Batch, Decision, Joined, requester};
use crate::{
    desk::{
        Error, chat, outbox,
        paging::{self, Cause, Told},
        receipt,
    },
    ids::{BlobId, CustomerId, TicketId},
    permit::{ChangesTickets, Permit},
    receive::{Content, Outcome, Prepared, Receipt},
    store::{
        audit::{self, Change},
        blobs::{self, NewBlob},
        inbox::{self, NewInbox},
        messages::{self, NewAttachment, NewMessage},
        tickets::{self, NewEvent, NewLink, NewParticipant},
    },
    tickets::{Delivery, Direction, LinkKind, Message, ParticipantRole, Ticket},
    trust::SenderTrust,
};

/// Writes everything and says what became of each mail, in the order given.
pub(super) async fn write<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    mut batch: Batch<'_>,
    items: &[Prepared],
) -> Result<Vec<Receipt>, Error> {
    let numbers = tickets::draw_numbers(permit, batch.opened.len()).await?;
    for (id, number) in batch.opened.iter().zip(numbers) {
        if let Some(ticket) = batch.tickets.get_mut(id) {
            ticket.number = number;
        }
    }
    name_other_tickets(&mut batch);
    let places = store_bytes(permit, &batch, items).await?;
    write_tickets(permit, &batch).await?;
    write_messages(permit, &batch, items, &places).await?;
    write_inbox(permit, &batch, items, &places).await?;
    write_ties(permit, &batch).await?;
    write_returned(permit, &batch, items).await?;
    let paged = write_pages(permit, &batch).await?;
    write_trail(permit, &batch, items, &paged).await?;
    for ticket in batch.touched() {
        chat::post_later(batch.desk, permit, &ticket).await?;
    }
    for ticket in batch.opened.iter().filter_map(|id| batch.tickets.get(id)) {
        if matches!(ticket.trust, SenderTrust::Known | SenderTrust::Proven) {
            receipt::later(batch.desk, permit, ticket).await?;
        }
    }
    let mut receipts: Vec<(usize, Receipt)> = std::mem::take(&mut batch.decisions)
        .into_iter()
        .map(|decision| (decision.index, receipt(&batch, decision, items)))
        .collect();
    receipts.sort_by_key(|(index, _)| *index);
    Ok(receipts.into_iter().map(|(_, receipt)| receipt).collect())
}

/// Numbers are known only now, so this is when "refers to SB-12" can be said.
fn name_other_tickets(batch: &mut Batch<'_>) {
    for decision in &mut batch.decisions {
        let number = |id: &TicketId| batch.tickets.get(id).map(|ticket| ticket.number);
        let refused = decision.refused.as_ref().and_then(number);
        let linked = decision
            .link
            .and_then(|(id, kind)| Some((number(&id)?, kind)));
        let reason = match (refused, linked) {
            (_, Some((number, LinkKind::FollowUp))) => {
                format!("it answers {number}, which was closed long ago")
            }
            (_, Some((number, LinkKind::SamePerson))) => format!(
                "it carries the reply token of {number} and comes from an address that is not on it: the same person?"
            ),
            (Some(number), _) => {
                format!("it refers to {number}, which this sender may not join")
            }
            // Other ties are made by people.
            (None, _) => continue,
        };
        if let Some(ticket) = decision.ticket.and_then(|id| batch.tickets.get_mut(&id)) {
            ticket.trust_reasons.push(reason.clone());
        }
        decision.notes.push(reason);
    }
}

/// Whose content a mail is: its ticket's customer, else its sender's.
fn owner(batch: &Batch<'_>, decision: &Decision) -> Option<CustomerId> {
    match decision.ticket.and_then(|id| batch.tickets.get(&id)) {
        Some(ticket) => ticket.customer_id,
        None => decision
            .assessment
            .customer
            .as_ref()
            .map(|customer| customer.id),
    }
}

/// Where the bytes of the kept mails are, by index.
#[derive(Default)]
struct Places {
    mails: HashMap<usize, BlobId>,
    /// In the order of the mail's attachments.
    attachments: HashMap<usize, Vec<BlobId>>,
}

/// Stores the bytes of mails and attachments that are not stored yet, and gives stored ones to their
/// owner.
async fn store_bytes<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    batch: &Batch<'_>,
    items: &[Prepared],
) -> Result<Places, Error> {
    let kept = || {
        batch
            .decisions
            .iter()
            .filter(|decision| decision.message.is_some())
    };
    let digests = kept().flat_map(|decision| {
        let item = &items[decision.index];
        let contents = item.contents.iter().map(|content| content.sha256.to_vec());
        std::iter::once(item.raw.sha256.to_vec()).chain(contents)
    });
    let digests = digests.collect();
    let mut held = blobs::held(permit, digests).await?;
    let (mut places, mut new) = (Places::default(), Vec::new());
    for decision in kept() {
        let item = &items[decision.index];
        if let Some((_, blob)) = item.stored {
            let customer_id = owner(batch, decision);
            let blob = blobs::move_to(permit, blob, customer_id).await?;
            held.insert((customer_id, item.raw.sha256.to_vec()), blob);
            places.mails.insert(decision.index, blob);
        }
    }
    for decision in kept() {
        let item = &items[decision.index];
        let customer_id = owner(batch, decision);
        // What belongs to nobody yet is shared with nobody: it moves when its owner is known.
        let mut place = |id: BlobId, content: &Content| {
            let key = (customer_id, content.sha256.to_vec());
            if let Some(there) = held.get(&key).filter(|_| customer_id.is_some()) {
                return *there;
            }
            held.insert(key, id);
            new.push(NewBlob {
                id,
                customer_id,
                content: content.clone(),
            });
            id
        };
        if item.stored.is_none() {
            let blob = place(permit.new_id(), &item.raw);
            places.mails.insert(decision.index, blob);
        }
        let ids = item.contents.iter();
        let ids = ids.map(|content| place(permit.new_id(), content)).collect();
        places.attachments.insert(decision.index, ids);
    }
    blobs::insert_many(permit, new).await?;
    Ok(places)
}

async fn write_tickets<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    batch: &Batch<'_>,
) -> Result<(), Error> {
    let of = |id: &TicketId| batch.tickets.get(id).cloned();
    let opened: Vec<Ticket> = batch.opened.iter().filter_map(of).collect();
    tickets::insert_many(permit, opened).await?;
    let mut changed: Vec<Ticket> = batch.changed.iter().filter_map(of).collect();
    changed.sort_by_key(|ticket| ticket.id);
    for ticket in &changed {
        tickets::update(permit, ticket).await?;
    }
    Ok(())
}

async fn write_messages<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    batch: &Batch<'_>,
    items: &[Prepared],
    places: &Places,
) -> Result<(), Error> {
    let now = permit.now();
    let (mut rows, mut attachments) = (Vec::new(), Vec::new());
    for decision in &batch.decisions {
        let Some(id) = decision.message else { continue };
        let item = &items[decision.index];
        let mail = &item.mail;
        let received_at = if item.is_silent {
            mail.date.unwrap_or(now).min(now)
        } else {
            now
        };
        let message = Message {
            id,
            ticket_id: decision.ticket,
            customer_id: owner(batch, decision),
            direction: Direction::In,
            kind: item.kind,
            header_id: mail.message_id.clone(),
            author: requester(item),
            author_name: mail.from.first().and_then(|from| from.name.clone()),
            subject: mail.subject.clone(),
            body: mail.text.clone(),
            reply_text: mail.reply_text.clone(),
            sent_at: mail.date,
            received_at,
            trust: Some(decision.assessment.trust),
            findings: findings(decision, item),
            is_truncated: mail.truncated,
            blob_id: places.mails.get(&decision.index).copied(),
            delivery: Delivery::None,
        };
        let recipients = mail
            .to
            .iter()
            .chain(&mail.cc)
            .map(|to| to.address.clone())
            .collect();
        let fingerprint = Some(mail.fingerprint.0);
        let in_reply_to = mail.in_reply_to.clone();
        rows.push(NewMessage {
            message,
            fingerprint,
            in_reply_to,
            recipients,
        });
        let kept = places
            .attachments
            .get(&decision.index)
            .into_iter()
            .flatten();
        for ((position, attachment), blob) in (0..).zip(&mail.attachments).zip(kept) {
            let attachment = NewAttachment {
                id: permit.new_id(),
                message_id: id,
                position,
                info: attachment.info.clone(),
                blob_id: *blob,
            };
            attachments.push(attachment);
        }
    }
    if !rows.is_empty() {
        messages::insert_many(permit, rows, attachments).await?;
    }
    Ok(())
}

/// What is said of a message: what was odd about it; of one that nobody is asked to act on, why.
fn findings(decision: &Decision, item: &Prepared) -> Vec<String> {
    let mut all = item.mail.findings.clone();
    if decision.outcome == Outcome::Recorded {
        all.extend(decision.notes.iter().cloned());
    }
    all
}

/// What arrived and what became of it. A copy that was read from a mailbox leaves no row: reading
/// the mailbox again must change nothing.
async fn write_inbox<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    batch: &Batch<'_>,
    items: &[Prepared],
    places: &Places,
) -> Result<(), Error> {
    let received_at = permit.now();
    let mut rows = Vec::new();
    for decision in &batch.decisions {
        let item = &items[decision.index];
        let blob_id = places.mails.get(&decision.index).copied();
        if let Some((id, stored)) = item.stored {
            inbox::mark_processed(
                permit,
                id,
                decision.outcome,
                decision.message.or(decision.original),
                blob_id,
            )
            .await?;
            if decision.outcome == Outcome::Duplicate {
                blobs::delete(permit, vec![stored]).await?;
            }
        } else if decision.outcome != Outcome::Duplicate {
            rows.push(NewInbox {
                id: permit.new_id(),
                received_at,
                road: item.road,
                origin: item.origin.clone(),
                envelope: item.envelope.clone(),
                is_silent: item.is_silent,
                sha256: item.raw.sha256,
                blob_id,
                message_id_hint: None,
                processed: Some((decision.outcome, decision.message)),
            });
        }
    }
    inbox::insert_processed(permit, rows).await?;
    Ok(())
}

/// Participants, timelines and the audit trail.
async fn write_trail<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    batch: &Batch<'_>,
    items: &[Prepared],
    paged: &HashMap<TicketId, Told>,
) -> Result<(), Error> {
    let now = permit.now();
    let participant = |joined: &Joined| NewParticipant {
        ticket_id: joined.ticket,
        address: joined.address.clone(),
        name: joined.name.clone(),
        role: if batch.tickets[&joined.ticket].requester == joined.address {
            ParticipantRole::Requester
        } else {
            ParticipantRole::Colleague
        },
        added_at: now,
    };
    let participants: Vec<_> = batch.joined.iter().map(participant).collect();
    let (mut events, mut changes) = (Vec::new(), Vec::new());
    for decision in batch
        .decisions
        .iter()
        .filter(|decision| decision.message.is_some())
    {
        let item = &items[decision.index];
        let ticket = decision.ticket.and_then(|id| batch.tickets.get(&id));
        if let Some(ticket) = ticket {
            let at = if item.is_silent {
                item.mail.date.unwrap_or(now).min(now)
            } else {
                now
            };
            let (kind, outcome) = (decision.outcome.as_str(), decision.outcome);
            let mut detail = serde_json::json!({
                "from": requester(item), "kind": item.kind, "trust": decision.assessment.trust,
                "severity": (outcome != Outcome::Recorded).then_some(ticket.severity),
                "reasons": decision.notes,
            });
            if let Some(before) = &decision.before {
                before.write(&mut detail);
            }
            if let Some(told) = paged_by(batch, decision, paged) {
                let page = serde_json::json!({
                    "id": told.page, "due": told.due, "counted_only": told.is_joined,
                });
                detail["page"] = page;
            }
            let (id, actor) = (permit.new_id(), permit.actor().to_owned());
            events.push(NewEvent {
                id,
                ticket_id: ticket.id,
                at,
                actor,
                kind,
                detail,
            });
        }
        let subject = match (ticket, decision.message) {
            (Some(ticket), _) => format!("ticket:{}", ticket.number),
            (None, message) => format!("message:{}", message.unwrap_or_default()),
        };
        let slug = owner(batch, decision).and_then(|id| batch.slugs.get(&id));
        let change = Change::to(subject)
            .with("outcome", decision.outcome.as_str())
            .with("from", requester(item))
            .with(
                "customer",
                slug.map(ToString::to_string).unwrap_or_default(),
            )
            .with("fingerprint", item.mail.fingerprint.to_string());
        changes.push(match paged_by(batch, decision, paged) {
            Some(told) => change.with("page", told.page.to_string()),
            None => change,
        });
    }
    if !changes.is_empty() {
        tickets::insert_participants(permit, participants).await?;
        tickets::insert_events(permit, events).await?;
        audit::append(permit, changes).await?;
    }
    Ok(())
}

/// What a mail did to other tickets and mails than its own: nothing of them changes but what is said
/// here, whoever sent it.
async fn write_ties<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    batch: &Batch<'_>,
) -> Result<(), Error> {
    let now = permit.now();
    let (mut links, mut events) = (Vec::new(), Vec::new());
    for decision in &batch.decisions {
        if let (Some((other_id, kind)), Some(ticket_id)) = (decision.link, decision.ticket) {
            links.push(NewLink {
                ticket_id,
                other_id,
                kind,
                at: now,
            });
            let number = batch.tickets.get(&ticket_id).map(|ticket| ticket.number);
            events.push(NewEvent {
                id: permit.new_id(),
                ticket_id: other_id,
                at: now,
                actor: permit.actor().to_owned(),
                kind: kind.as_str(),
                detail: serde_json::json!({ "ticket": number }),
            });
        }
    }
    if !links.is_empty() {
        tickets::insert_links(permit, links).await?;
        tickets::insert_events(permit, events).await?;
    }
    Ok(())
}

/// Mails of ours that came back. Of history nobody is told.
async fn write_returned<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    batch: &Batch<'_>,
    items: &[Prepared],
) -> Result<(), Error> {
    for decision in &batch.decisions {
        let item = &items[decision.index];
        match (decision.failed, &item.mail.bounce) {
            (Some(message), Some(bounce)) if !item.is_silent => {
                outbox::returned(batch.desk, permit, message, bounce).await?;
            }
            (Some(message), _) => messages::mark_failed(permit, vec![message]).await?,
            (None, _) => {}
        }
    }
    Ok(())
}

/// Whoever is to be called for what was opened, got worse or was taken up again: with the mail, or not at all.
async fn write_pages<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    batch: &Batch<'_>,
) -> Result<HashMap<TicketId, Told>, Error> {
    let reopened = batch.decisions.iter();
    let reopened = reopened.filter(|decision| decision.before.is_some());
    let reopened: Vec<TicketId> = reopened.filter_map(|decision| decision.ticket).collect();
    let is_new = |id: &&TicketId| !batch.opened.contains(*id);
    let mut paged = HashMap::new();
    for (ids, cause) in [
        (batch.opened.iter().collect::<Vec<_>>(), Cause::Opened),
        (batch.raised.iter().filter(is_new).collect(), Cause::Raised),
        (reopened.iter().filter(is_new).collect(), Cause::Reopened),
    ] {
        let tickets = ids.into_iter().filter_map(|id| batch.tickets.get(id));
        let tickets: Vec<&Ticket> = tickets.collect();
        let told = paging::consider_in(batch.desk, permit, &tickets, cause).await?;
        paged.extend(told.into_iter().map(|told| (told.ticket, told)));
    }
    Ok(paged)
}

/// The page that a mail made due: the first mail of a ticket, or one that raised it or took it up again.
fn paged_by<'p>(
    batch: &Batch<'_>,
    decision: &Decision,
    paged: &'p HashMap<TicketId, Told>,
) -> Option<&'p Told> {
    let id = decision.ticket?;
    let is_cause = decision.outcome == Outcome::Opened
        || decision.outcome == Outcome::Triaged
        || decision.before.is_some()
        || batch.raised.contains(&id);
    paged.get(&id).filter(|_| is_cause)
}

fn receipt(batch: &Batch<'_>, decision: Decision, items: &[Prepared]) -> Receipt {
    let ticket = decision.ticket.and_then(|id| batch.tickets.get(&id));
    let assessed = decision.assessment.customer;
    let framework = match ticket {
        Some(ticket) => ticket.framework.clone(),
        None => assessed
            .as_ref()
            .and_then(|customer| batch.framework_of(customer)),
    };
    let slug = match ticket {
        Some(ticket) => ticket
            .customer_id
            .and_then(|id| batch.slugs.get(&id).cloned()),
        None => assessed.as_ref().map(|customer| customer.slug.clone()),
    };
    let tier = match ticket {
        Some(ticket) => ticket.tier.clone(),
        None => assessed.map(|customer| customer.tier),
    };
    let mut reasons = decision.assessment.reasons;
    reasons.extend(decision.notes);
    reasons.extend(items[decision.index].mail.findings.iter().cloned());
    Receipt {
        outcome: decision.outcome,
        ticket: ticket.map(|ticket| ticket.number),
        customer: slug,
        framework,
        tier,
        trust: decision.assessment.trust,
        kind: items[decision.index].kind,
        severity: ticket.map(|ticket| ticket.severity),
        priority: ticket.map(|ticket| ticket.priority),
        reasons,
    }
}
