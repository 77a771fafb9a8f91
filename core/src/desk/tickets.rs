//! Reading tickets: the queue, one ticket, its history.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    Desk, Error, oncall,
    reading::{Reader, note_reading},
    work_ticket::taken_up_by,
};
use crate::{
    clock::Timestamp,
    customers::Slug,
    ids::MessageId,
    mail::AttachmentInfo,
    permit::{Action, Actor, Permit, ReadDesk, Subject, authorise},
    refusal::Refusal,
    sla::ClocksReport,
    store::{
        Tx,
        messages::{self, StoredAttachment},
        tickets::{self, Filter, LinkRow, ListedTicket},
    },
    tickets::{
        CloseReason, Delivery, Direction, Event, LinkKind, Message, MessageKind, Status, Ticket,
        TicketNumber, tags, thanks::is_thanks,
    },
    tiers::{Priority, Severity, TierSlug},
    trust::SenderTrust,
};

/// A ticket as `ticket list --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct TicketReport {
    /// What people call it.
    pub number: TicketNumber,
    /// Masked.
    pub subject: String,
    /// Where it stands.
    pub status: Status,
    /// How bad it is for the customer.
    pub severity: Severity,
    /// How soon we act.
    pub priority: Priority,
    /// Whose it is.
    pub customer: Option<Slug>,
    /// The tier that applies.
    pub tier: Option<TierSlug>,
    /// The framework that applies.
    pub framework: Option<String>,
    /// How far the opener can be believed.
    pub trust: SenderTrust,
    /// Why.
    pub trust_reasons: Vec<String>,
    /// Bound to the customer its sender claims, unproven.
    pub is_provisional: bool,
    /// It sleeps until then, or until somebody answers.
    pub snoozed_until: Option<Timestamp>,
    /// What follows from the above, for filters.
    pub tags: Vec<String>,
    /// Who opened it.
    pub requester: String,
    /// Who takes part.
    pub participants: Vec<String>,
    /// Who works on it.
    pub assignee: Option<String>,
    /// Who is on call for its tier now, by the rota; an admin where nobody is.
    pub on_call: Option<String>,
    /// Opened from history.
    pub is_silent: bool,
    /// Why it was closed.
    pub close_reason: Option<CloseReason>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The three clocks.
    pub sla: ClocksReport,
}

/// A ticket as `ticket show --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct TicketDetail {
    /// The ticket.
    #[serde(flatten)]
    pub ticket: TicketReport,
    /// What was written, oldest first.
    pub messages: Vec<MessageReport>,
    /// Tickets that it is tied to.
    pub links: Vec<LinkReport>,
    /// Participants whose last word is an automatic one: they are away.
    pub away: Vec<String>,
    /// The colleague who forwarded the first mail, where the requester did not send it.
    pub reported_by: Option<String>,
    /// The mail that took the ended ticket up again says thank you and no more: `ticket dismiss`.
    pub looks_like_thanks: bool,
}

/// A tie to another ticket.
#[derive(Clone, Debug, Serialize)]
pub struct LinkReport {
    /// How: `follows`, `followed_by`, `merged_into`, `took_in`, `split_from`, `gave_to`, `related`, or
    /// `same_person`, which is a question.
    pub kind: &'static str,
    /// The other ticket.
    pub ticket: TicketNumber,
    /// Whose that one is.
    pub requester: String,
}

impl LinkReport {
    fn of(row: LinkRow) -> Self {
        Self {
            kind: match (row.kind, row.is_earlier) {
                (LinkKind::FollowUp, false) => "follows",
                (LinkKind::FollowUp, true) => "followed_by",
                (LinkKind::SamePerson, _) => "same_person",
                (LinkKind::Merged, false) => "merged_into",
                (LinkKind::Merged, true) => "took_in",
                (LinkKind::Split, false) => "split_from",
                (LinkKind::Split, true) => "gave_to",
                (LinkKind::Related, _) => "related",
            },
            ticket: row.number,
            requester: row.requester,
        }
    }
}

/// Whose last word on a ticket is an automatic answer.
fn away(participants: &[String], messages: &[Message]) -> Vec<String> {
    let is_away = |who: &&String| {
        let mut last = messages.iter().rev();
        last.find(|message| message.author == **who)
            .is_some_and(|message| message.kind == MessageKind::AutoReply)
    };
    participants.iter().filter(is_away).cloned().collect()
}

/// Who sent the first mail, where that is not whose ticket it is.
fn reported_by(requester: &str, messages: &[Message]) -> Option<String> {
    let first = messages.first()?;
    let is_mail = first.direction == Direction::In && first.kind == MessageKind::Person;
    (is_mail && first.author != requester).then(|| first.author.clone())
}

/// Whether the mail that took an ended ticket up again says thank you and no more. What has a file
/// along is more.
fn looks_like_thanks(
    ticket: &Ticket,
    events: &[Event],
    messages: &[Message],
    attachments: &HashMap<MessageId, Vec<StoredAttachment>>,
) -> bool {
    let Ok((event, _)) = taken_up_by(ticket, events) else {
        return false;
    };
    let mut mails = messages.iter().rev();
    let mail = mails.find(|one| one.direction == Direction::In && one.received_at == event.at);
    mail.is_some_and(|mail| is_thanks(&mail.reply_text) && !attachments.contains_key(&mail.id))
}

/// A message as `ticket show --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct MessageReport {
    /// Which way it went.
    pub direction: Direction,
    /// Who or what wrote it.
    pub kind: MessageKind,
    /// Who.
    pub from: String,
    /// When.
    pub at: Timestamp,
    /// The whole text, masked.
    pub text: String,
    /// Without quotes and signature.
    pub reply_text: String,
    /// What became of it, for mail of ours.
    pub delivery: Delivery,
    /// How far the writer can be believed.
    pub trust: Option<SenderTrust>,
    /// What was odd about it.
    pub findings: Vec<String>,
    /// Parts that are not the body.
    pub attachments: Vec<AttachmentInfo>,
}

/// The queue, in the order in which it should be worked.
pub async fn list(desk: &Desk, actor: &Actor, filter: &Filter) -> Result<Vec<TicketReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    if let Some(tier) = &filter.tier {
        let slug = tier.parse().map_err(|_| Refusal::not_found("tier", tier))?;
        desk.tier(&slug)?;
    }
    if let Some(name) = &filter.assignee
        && crate::store::staff::find_by_name(&mut permit, name)
            .await?
            .is_none()
    {
        return Err(Refusal::not_found("member of staff", name).into());
    }
    if let Some(slug) = &filter.customer {
        super::customers::get(&mut permit, slug.as_str()).await?;
    }
    let listed = tickets::list(&mut permit, filter).await?;
    let reader = Reader::of(&mut permit).await?;
    reports(desk, &mut permit, &reader, listed).await
}

/// The ticket to work on next: the first of the queue that is ours to act on and nobody else's.
pub async fn next(desk: &Desk, actor: &Actor) -> Result<Option<TicketReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let me = permit.staff();
    let filter = Filter {
        statuses: vec![Status::New, Status::Open],
        ..Filter::default()
    };
    let mut listed = tickets::list(&mut permit, &filter).await?;
    listed.retain(|one| one.ticket.assignee_id.is_none() || one.ticket.assignee_id == me);
    let reader = Reader::of(&mut permit).await?;
    listed.retain(|one| reader.withheld_subject(&one.ticket).is_none());
    listed.truncate(1);
    Ok(reports(desk, &mut permit, &reader, listed).await?.pop())
}

/// One ticket with what was written on it. Where its tier says so, it is written down first who reads it.
pub async fn show(desk: &Desk, actor: &Actor, number: TicketNumber) -> Result<TicketDetail, Error> {
    let (detail, ticket, is_read) = look(desk, actor, number).await?;
    if is_read {
        note_reading(desk, actor, &ticket, "shown").await?;
    }
    Ok(detail)
}

/// Refuses where there is no such ticket, or the actor may not look; reads nothing of it.
pub async fn exists(desk: &Desk, actor: &Actor, number: TicketNumber) -> Result<(), Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let ticket = tickets::find_by_number(&mut permit, number).await?;
    ticket.map(|_| ()).ok_or_else(|| not_found(number).into())
}

/// The ticket as this actor may see it, and whether its subject at least is among that.
pub(super) async fn look(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
) -> Result<(TicketDetail, Ticket, bool), Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let reader = Reader::of(&mut permit).await?;
    let found = tickets::find_by_number(&mut permit, number).await?;
    let found = found.ok_or_else(|| not_found(number))?;
    let withheld = reader.withheld(&found);
    let id = found.id;
    let listed = with_names(&mut permit, found.clone()).await?;
    let ticket = reports(desk, &mut permit, &reader, vec![listed])
        .await?
        .remove(0);
    let list = messages::list_of_ticket(&mut permit, id).await?;
    let links = tickets::links(&mut permit, id).await?;
    let away = away(&ticket.participants, &list);
    let reported_by = reported_by(&ticket.requester, &list);
    let ids = list.iter().map(|message| message.id);
    let mut attachments = messages::attachments(&mut permit, ids).await?;
    let looks_like_thanks = withheld.is_none() && {
        let events = match found.status {
            Status::Open => tickets::events(&mut permit, id).await?,
            _ => Vec::new(),
        };
        looks_like_thanks(&found, &events, &list, &attachments)
    };
    let hidden = reader.withheld_subject(&found);
    let text = |text: String| withheld.clone().unwrap_or(text);
    let info = |stored: StoredAttachment| AttachmentInfo {
        name: hidden.clone().unwrap_or(stored.info.name),
        ..stored.info
    };
    let messages = list.into_iter().map(|message| MessageReport {
        direction: message.direction,
        kind: message.kind,
        from: message.author,
        at: message.received_at,
        text: text(message.body),
        reply_text: text(message.reply_text),
        delivery: message.delivery,
        trust: message.trust,
        findings: if hidden.is_none() {
            message.findings
        } else {
            Vec::new()
        },
        attachments: attachments
            .remove(&message.id)
            .unwrap_or_default()
            .into_iter()
            .map(info)
            .collect(),
    });
    let detail = TicketDetail {
        messages: messages.collect(),
        ticket,
        links: links.into_iter().map(LinkReport::of).collect(),
        away,
        reported_by,
        looks_like_thanks,
    };
    Ok((detail, found, hidden.is_none()))
}

/// What happened to a ticket, oldest first.
pub async fn history(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
) -> Result<Vec<Event>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let ticket = tickets::find_by_number(&mut permit, number).await?;
    let ticket = ticket.ok_or_else(|| not_found(number))?;
    Ok(tickets::events(&mut permit, ticket.id).await?)
}

pub(super) fn not_found(number: TicketNumber) -> Refusal {
    Refusal::not_found("ticket", number)
        .with_hint("`tierdesk ticket list --all` shows every ticket")
}

/// The report on a ticket that the caller just changed.
pub(super) async fn report<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    ticket: Ticket,
) -> Result<TicketReport, Error> {
    let reader = Reader::of(permit).await?;
    let listed = with_names(permit, ticket).await?;
    Ok(reports(desk, permit, &reader, vec![listed])
        .await?
        .remove(0))
}

async fn with_names(tx: &mut Tx, ticket: Ticket) -> Result<ListedTicket, Error> {
    let names = tickets::staff_names(tx, ticket.assignee_id).await?;
    let slugs = crate::store::customers::lookup::slugs_of(tx, ticket.customer_id).await?;
    Ok(ListedTicket {
        customer: ticket.customer_id.and_then(|id| slugs.get(&id).cloned()),
        assignee: ticket.assignee_id.and_then(|id| names.get(&id).cloned()),
        ticket,
    })
}

pub(super) async fn reports(
    desk: &Desk,
    tx: &mut Tx,
    reader: &Reader,
    listed: Vec<ListedTicket>,
) -> Result<Vec<TicketReport>, Error> {
    let now = tx.now();
    let ids = listed.iter().map(|one| one.ticket.id);
    let mut participants = tickets::participants(tx, ids).await?;
    let tiers = listed.iter().filter_map(|one| one.ticket.tier.as_ref());
    let on_call = oncall::names_by_tier(desk, tx, &tiers.collect()).await?;
    let mut own_tags = tickets::tags(tx, listed.iter().map(|one| one.ticket.id)).await?;
    let report = |ListedTicket {
                      ticket,
                      customer,
                      assignee,
                  }: ListedTicket| {
        let framework = ticket.framework.as_deref();
        let slug = customer.as_ref().map(Slug::as_str);
        TicketReport {
            tags: {
                let mut all = tags(ticket.tier.as_ref(), framework, slug);
                all.extend(own_tags.remove(&ticket.id).unwrap_or_default());
                all
            },
            snoozed_until: ticket.snoozed_until,
            participants: participants.remove(&ticket.id).unwrap_or_default(),
            is_provisional: ticket.is_provisional,
            on_call: ticket
                .tier
                .as_ref()
                .and_then(|tier| on_call.get(tier).cloned()),
            sla: ticket.clocks.report(now),
            number: ticket.number,
            subject: reader.withheld_subject(&ticket).unwrap_or(ticket.subject),
            status: ticket.status,
            severity: ticket.severity,
            priority: ticket.priority,
            customer,
            tier: ticket.tier,
            framework: ticket.framework,
            trust: ticket.trust,
            trust_reasons: ticket.trust_reasons,
            requester: ticket.requester,
            assignee,
            is_silent: ticket.is_silent,
            close_reason: ticket.close_reason,
            opened_at: ticket.opened_at,
            updated_at: ticket.updated_at,
        }
    };
    Ok(listed.into_iter().map(report).collect())
}
