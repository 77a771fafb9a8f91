//! Answering a customer. The answer commits with its ticket and leaves twenty seconds later, so that it
//! can be taken back; what it was then remains as a note.

mod plan;
mod undo;

use serde::{Deserialize, Serialize};

use plan::may_quote;
pub(super) use plan::{Conversation, addressed, is_doubtful, may_travel, plan, way_out};
pub use plan::{Recipient, ReplyPlan};
pub use undo::undo;
pub(super) use undo::undo_in;

use super::{
    Desk, Error,
    letters::{Sending, blank, check_size, compose, keep_attachments, queue, staff_name},
    tickets::{TicketReport, not_found},
    work_ticket::{Did, change_ticket_in, sleep, step},
};
use crate::{
    clock::Timestamp,
    ids::{MessageId, StaffId},
    macros::Step,
    mail::Attachment,
    masking,
    outgoing::{Letter, LetterKind, Party, UNDO},
    permit::{Actor, Permit, ReadDesk, SendReply, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        StoreError, Tx,
        messages::{self, NewMessage},
        outgoing::{self, Reply},
        tickets,
    },
    tickets::{Delivery, Direction, Message, MessageKind, Status, Ticket, TicketNumber},
};

/// Where a ticket goes with an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// It stays ours.
    Open,
    /// It is the customer's turn.
    #[default]
    Waiting,
    /// It is done.
    Resolve,
    /// It sleeps until then, or until somebody answers.
    Snooze(Timestamp),
}

impl From<Step> for Then {
    fn from(step: Step) -> Self {
        match step {
            Step::Waiting => Self::Waiting,
            Step::Open => Self::Open,
            Step::Resolve => Self::Resolve,
        }
    }
}

/// An answer to be sent.
#[derive(Clone, Debug, Default)]
pub struct NewReply {
    /// Markdown.
    pub text: String,
    /// What goes along.
    pub attachments: Vec<Attachment>,
    /// Where the ticket goes.
    pub then: Then,
    /// Tags that the ticket gets; taking the answer back leaves them.
    pub tags: Vec<String>,
    /// Leave at once: it cannot be taken back.
    pub is_at_once: bool,
    /// It may hold what looks like a password or key.
    pub may_hold_secrets: bool,
}

/// What became of an answer, or of taking it back.
#[derive(Clone, Debug, Serialize)]
pub struct Replied {
    /// The ticket after it.
    pub ticket: TicketReport,
    /// Who gets it, and what is held.
    pub recipients: Vec<Recipient>,
    /// When it leaves.
    pub leave_at: Timestamp,
}

/// An answer that was taken back.
#[derive(Clone, Debug, Serialize)]
pub struct Undone {
    /// The ticket after it.
    pub ticket: TicketReport,
    /// What was written, to go on from.
    pub text: String,
    /// The ticket is as it was before the answer; else somebody changed it meanwhile, and only the mail
    /// was taken back.
    pub is_restored: bool,
}

/// What a ticket was like before an answer.
#[derive(Serialize, Deserialize)]
struct Before {
    status: Status,
    assignee: Option<StaffId>,
    first_response_met_at: Option<i64>,
    next_response_met_at: Option<i64>,
    resolution_met_at: Option<i64>,
}

impl Before {
    fn of(ticket: &Ticket) -> Self {
        let micros = |at: Option<Timestamp>| at.map(Timestamp::micros);
        Self {
            status: ticket.status,
            assignee: ticket.assignee_id,
            first_response_met_at: micros(ticket.clocks.first_response.met_at),
            next_response_met_at: micros(ticket.clocks.next_response.met_at),
            resolution_met_at: micros(ticket.clocks.resolution.met_at),
        }
    }

    fn restore(self, ticket: &mut Ticket) {
        let at = |micros: Option<i64>| micros.map(Timestamp::from_micros);
        ticket.status = self.status;
        ticket.assignee_id = self.assignee;
        ticket.clocks.first_response.met_at = at(self.first_response_met_at);
        ticket.clocks.next_response.met_at = at(self.next_response_met_at);
        ticket.clocks.resolution.met_at = at(self.resolution_met_at);
    }
}

/// Who would get an answer, and what stands in its way: to be looked at before writing.
pub async fn preview(desk: &Desk, actor: &Actor, number: TicketNumber) -> Result<ReplyPlan, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let ticket = tickets::find_by_number(&mut permit, number).await?;
    let ticket = ticket.ok_or_else(|| not_found(number))?;
    plan(desk, &mut permit, &ticket).await
}

/// Answers a ticket.
pub async fn reply(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    new: NewReply,
) -> Result<Replied, Error> {
    let mut tx = desk.database.begin_write().await?;
    let replied = reply_in(desk, &mut tx, actor, number, new).await?;
    crate::fault::point("reply.before_commit");
    tx.commit().await?;
    crate::fault::point("reply.committed");
    Ok(replied)
}

/// The same inside a unit of work that the caller commits.
pub(super) async fn reply_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    number: TicketNumber,
    new: NewReply,
) -> Result<Replied, Error> {
    check(&new)?;
    let mut sent = (Vec::new(), tx.now());
    let ticket = change_ticket_in(
        desk,
        tx,
        actor,
        SendReply,
        number,
        async |permit, ticket| {
            let plan = plan(desk, permit, ticket).await?;
            let before = Before::of(ticket);
            let to = follow(ticket, new.then, permit)?;
            let leave_at = if new.is_at_once {
                permit.now()
            } else {
                permit.now().plus(UNDO)
            };
            if let Then::Snooze(until) = new.then {
                sleep(permit, ticket, until).await?;
            }
            let message = write(desk, permit, ticket, &plan, &new, leave_at).await?;
            let ticket_before = serde_json::to_string(&before).map_err(|fault| {
                let detail = format!("{}: {fault}", ticket.number);
                StoreError::Inconsistent {
                    table: "replies",
                    detail,
                }
            })?;
            let reply = Reply {
                message_id: message,
                ticket_id: ticket.id,
                leave_at,
                ticket_before,
                ticket_version: ticket.version + 1,
            };
            outgoing::insert_reply(permit, reply).await?;
            tickets::add_tags(permit, ticket.id, &new.tags).await?;
            let whom = plan.recipients.iter().map(|one| one.address.as_str());
            let mut details = vec![("to", whom.collect::<Vec<_>>().join(", "))];
            details.extend(to.map(|to| ("status", to.to_string())));
            let held = plan
                .recipients
                .iter()
                .filter(|one| one.held.is_some())
                .count();
            if held > 0 {
                details.push(("held", held.to_string()));
            }
            if !new.tags.is_empty() {
                details.push(("tags", new.tags.join(", ")));
            }
            sent = (plan.recipients, leave_at);
            Ok(Some(Did {
                kind: "replied",
                details,
            }))
        },
    )
    .await?;
    let (recipients, leave_at) = sent;
    Ok(Replied {
        ticket,
        recipients,
        leave_at,
    })
}

fn check(new: &NewReply) -> Result<(), Refusal> {
    if new.text.trim().is_empty() {
        let refusal = Refusal::new(RefusalCode::Empty, "the answer is empty; nothing was sent");
        return Err(refusal.with_hint("give the text with --file, on stdin or in the editor"));
    }
    let found = masking::mask(&new.text).found;
    if !new.may_hold_secrets && !found.is_empty() {
        let kinds = found.iter().map(|(kind, _)| kind.to_string());
        let message = format!(
            "the answer holds what looks like a secret ({}); nothing was sent",
            kinds.collect::<Vec<_>>().join(", ")
        );
        let hint = "take it out, or say --with-secrets if it must be mailed";
        return Err(Refusal::new(RefusalCode::Blocked, message).with_hint(hint));
    }
    check_size(&new.attachments)?;
    Ok(())
}

/// Moves the ticket with its answer: the writer takes it if nobody has it, and the response clocks are
/// met. Returns the new status, if it is another one.
fn follow(
    ticket: &mut Ticket,
    then: Then,
    permit: &Permit<'_, SendReply>,
) -> Result<Option<Status>, Refusal> {
    let now = permit.now();
    let next = match then {
        Then::Open => Status::Open,
        Then::Waiting => Status::WaitingCustomer,
        Then::Resolve => Status::Resolved,
        Then::Snooze(_) => Status::OnHold,
    };
    if !ticket.status.is_active() && next != Status::Resolved {
        // Whoever answers what was resolved takes it up again.
        step(ticket, Status::Open, now)?;
    }
    if ticket.status != next {
        step(ticket, next, now)?;
    }
    ticket.assignee_id = ticket.assignee_id.or(permit.staff());
    if !ticket.is_silent {
        let clocks = &mut ticket.clocks;
        clocks.first_response.met_at = clocks.first_response.met_at.or(Some(now));
        if clocks.next_response.due.is_some() {
            clocks.next_response.met_at = clocks.next_response.met_at.or(Some(now));
        }
    }
    Ok(Some(next))
}

/// Writes the message and its letters.
async fn write(
    desk: &Desk,
    permit: &mut Permit<'_, SendReply>,
    ticket: &Ticket,
    plan: &ReplyPlan,
    new: &NewReply,
    leave_at: Timestamp,
) -> Result<MessageId, Error> {
    let mail_out = way_out(desk)?;
    let conversation = Conversation::load(permit, ticket).await?;
    let (in_reply_to, references) = conversation.references();
    let author = staff_name(permit.actor());
    let mut letter = blank(desk, permit, mail_out, ticket, LetterKind::Reply).await?;
    let party = |one: &Recipient| Party::new(one.address.clone());
    let (to, cc): (Vec<_>, Vec<_>) = plan.recipients.iter().partition(|one| one.is_to);
    letter.to = to.into_iter().map(party).collect();
    letter.cc = cc.into_iter().map(party).collect();
    letter.in_reply_to = in_reply_to;
    letter.references = references;
    letter.text.clone_from(&new.text);
    letter.attachments.clone_from(&new.attachments);
    letter.facts.author = Some(author.clone());
    let tier = ticket
        .tier
        .as_ref()
        .map(|slug| desk.tier(slug))
        .transpose()?;
    let quotes = tier.is_none_or(may_quote) && conversation.has_customer_mail();

    let mut bytes = Vec::with_capacity(plan.recipients.len());
    for recipient in &plan.recipients {
        letter.quotes = if quotes {
            conversation.quotes_for(&recipient.address)
        } else {
            Vec::new()
        };
        bytes.push(compose(mail_out, &letter)?);
    }
    let id: MessageId = permit.new_id();
    let masked = masking::mask(new.text.trim()).text.into_owned();
    let message = message_of(permit, ticket, id, author, masked, &letter);
    let attached = keep_attachments(permit, ticket, id, &new.attachments).await?;
    let recipients = plan.recipients.iter().map(|one| one.address.to_string());
    let row = NewMessage {
        message,
        fingerprint: None,
        in_reply_to: letter.in_reply_to.as_ref().map(|id| id.as_str().to_owned()),
        recipients: recipients.collect(),
    };
    messages::insert_many(permit, vec![row], attached).await?;
    let letters = plan.recipients.iter().zip(bytes);
    let letters = letters.map(|(recipient, bytes)| Sending {
        recipient: recipient.address.to_string(),
        domain: recipient.address.domain().to_string(),
        held: recipient.held.clone(),
        bytes,
    });
    let from = letter.from.address.to_string();
    queue(
        permit,
        ticket,
        id,
        LetterKind::Reply,
        from,
        letters.collect(),
        leave_at,
    )
    .await?;
    Ok(id)
}

/// The message on the ticket that an answer is.
fn message_of(
    permit: &Permit<'_, SendReply>,
    ticket: &Ticket,
    id: MessageId,
    author: String,
    text: String,
    letter: &Letter,
) -> Message {
    Message {
        id,
        ticket_id: Some(ticket.id),
        customer_id: ticket.customer_id,
        direction: Direction::Out,
        kind: MessageKind::Person,
        header_id: Some(letter.message_id.as_str().to_owned()),
        author,
        author_name: None,
        subject: ticket.subject.clone(),
        reply_text: text.clone(),
        body: text,
        sent_at: None,
        received_at: permit.now(),
        trust: None,
        findings: Vec::new(),
        is_truncated: false,
        blob_id: None,
        delivery: Delivery::Queued,
    }
}
