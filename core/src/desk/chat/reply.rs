//! Fixed replies: macros that need nothing typed, picked in chat. A menu offers them, choosing one shows what would
//! leave, a button sends it, and another takes it back: no single slip sends a mail.
//!
//! What is sent is what was shown, or nothing: the button's row holds a digest of it.

use std::collections::BTreeMap;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

use super::{
    super::{
        Desk, Error,
        macros::{Filled, fill_in, words_for},
        reply::{NewReply, addressed, is_doubtful, plan, reply_in, undo_in},
        tickets::not_found,
    },
    press::{Asked, Pressed, ask, stale},
    show::disclose,
};
use crate::{
    chat::{Handle, Verb},
    disclosure::{self, AnswerFacts, DisclosedAnswer},
    permit::{Action, Actor, Permit, SendReply, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{Tx, tickets},
    tickets::{Ticket, TicketNumber},
};

/// So many a menu offers: what Discord takes. The others are for the terminal.
const OFFERED: usize = 25;

/// A reply that can be picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedReply {
    /// The macro.
    pub name: String,
    /// What it is for: the operator's words, in which nothing of a ticket stands.
    pub title: String,
}

/// Offers the replies that fit the ticket, if it can be answered.
pub(super) async fn offer(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
) -> Result<Pressed, Error> {
    let subject = Subject::Ticket(ticket.id);
    let mut permit = authorise(tx, actor, SendReply, subject).await?;
    check_way(desk, &mut permit, ticket).await?;
    let number = ticket.number;
    let fixed = desk.macros.fixed_for(ticket.tier.as_ref());
    let mut replies: Vec<FixedReply> = fixed
        .map(|one| FixedReply {
            name: one.name.clone(),
            title: one.title.clone(),
        })
        .collect();
    if replies.is_empty() {
        return Err(unanswerable(number, "no reply can be picked for it").into());
    }
    let further = replies.len().saturating_sub(OFFERED);
    replies.truncate(OFFERED);
    let handle = ask(tx, actor, SendReply, Asked::of(Verb::ShowReply), ticket).await?;
    Ok(Pressed::Offer {
        handle,
        number,
        replies,
        further,
    })
}

/// Shows what the reply of this name would be, with a handle that sends exactly that.
pub(super) async fn show(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
    name: &str,
) -> Result<Pressed, Error> {
    let mut permit = authorise(tx, actor, SendReply, Subject::Ticket(ticket.id)).await?;
    let draft = draft(desk, &mut permit, ticket, name).await?;
    let asked = Asked {
        verb: Verb::SendReply,
        about: Some(draft.about()),
    };
    let handle = ask(tx, actor, SendReply, asked, ticket).await?;
    let answer = draft.shown;
    Ok(Pressed::Draft { handle, answer })
}

/// Sends the reply for which the handle was made, as the terminal does.
pub(super) async fn send(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    handle: &Handle,
    number: TicketNumber,
) -> Result<Pressed, Error> {
    // Locked before it is looked at: nothing changes between the look and the answer.
    let found = tickets::find_by_number_locked(tx, number).await?;
    let ticket = found.ok_or_else(|| not_found(number))?;
    let about = handle.about.as_deref().unwrap_or_default();
    let name = about.split_once(':').map_or(about, |(name, _)| name);
    let mut permit = authorise(tx, actor, SendReply, Subject::Ticket(ticket.id)).await?;
    let draft = draft(desk, &mut permit, &ticket, name).await?;
    if draft.about() != about {
        let message = format!("what would be sent to {number} is not what was shown any more");
        return Err(Refusal::new(RefusalCode::Changed, message)
            .with_hint("nothing was sent; press Reply… on the card again")
            .into());
    }
    let new = NewReply {
        text: draft.filled.text,
        then: draft.filled.then.into(),
        tags: draft.filled.tags,
        ..NewReply::default()
    };
    let replied = reply_in(desk, tx, actor, number, new).await?;
    let answered = tickets::find(tx, ticket.id).await?;
    let answered = answered.ok_or_else(|| not_found(number))?;
    let undo = Asked::of(Verb::UndoReply);
    let handle = ask(tx, actor, SendReply, undo, &answered).await?;
    Ok(Pressed::Sent {
        handle,
        answer: draft.shown,
        leave_at: replied.leave_at,
    })
}

/// Takes the reply back after which the handle was made.
pub(super) async fn take_back(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    handle: &Handle,
    number: TicketNumber,
) -> Result<Pressed, Error> {
    let undone = undo_in(desk, tx, actor, number, Some(handle.ticket_version)).await?;
    Ok(Pressed::TakenBack {
        number,
        is_restored: undone.is_restored,
    })
}

/// A reply as it would leave now.
struct Draft {
    filled: Filled,
    shown: DisclosedAnswer,
    digest: String,
}

impl Draft {
    /// What the handle that sends it is about.
    fn about(&self) -> String {
        format!("{}:{}", self.filled.name, self.digest)
    }
}

async fn draft(
    desk: &Desk,
    permit: &mut Permit<'_, SendReply>,
    ticket: &Ticket,
    name: &str,
) -> Result<Draft, Error> {
    check_way(desk, permit, ticket).await?;
    // The file may have changed since the menu was made, or the ticket its tier.
    let mut fixed = desk.macros.fixed_for(ticket.tier.as_ref());
    let one = fixed.find(|one| one.name == name).ok_or_else(|| {
        let message = format!("there is no such reply for {} any more", ticket.number);
        stale(&message)
    })?;
    let plan = plan(desk, permit, ticket).await?;
    let words = words_for(permit, ticket, one, &BTreeMap::new()).await?;
    let filled = fill_in(desk, one, &words)?;
    let level = disclose(desk, permit, ticket, false).await?.level;
    let recipients = plan.recipients.iter();
    let recipients: Vec<(&str, bool)> = recipients
        .map(|one| (one.address.as_str(), one.held.is_some()))
        .collect();
    let digest = digest(ticket, &filled, &recipients);
    let facts = AnswerFacts {
        number: ticket.number,
        level,
        title: &one.title,
        words: &words,
        recipients,
        then: filled.then,
    };
    let fill = |words: &BTreeMap<String, String>| fill_in(desk, one, words).map(|it| it.text);
    let shown = disclosure::answer(&facts, fill)?;
    Ok(Draft {
        filled,
        shown,
        digest,
    })
}

/// All that is decided by who sends it: the ticket as it is, the text, who gets it, and what becomes of the ticket.
fn digest(ticket: &Ticket, filled: &Filled, recipients: &[(&str, bool)]) -> String {
    let decided = format!("{} {filled:?} {recipients:?}", ticket.version);
    let hash = BASE32_NOPAD.encode(&Sha256::digest(decided.as_bytes()));
    hash[..26].to_lowercase()
}

/// Refuses what the terminal refuses as well, in words for chat: its own name addresses and reasons.
async fn check_way<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
) -> Result<(), Error> {
    let number = ticket.number;
    if desk.mail_out.is_none() {
        return Err(unanswerable(number, "no mail leaves this desk").into());
    }
    if is_doubtful(ticket) {
        return Err(unanswerable(number, "something speaks against its sender").into());
    }
    if addressed(desk, permit, ticket).await?.is_empty() {
        return Err(unanswerable(number, "it has nobody to answer to").into());
    }
    Ok(())
}

fn unanswerable(number: TicketNumber, why: &str) -> Refusal {
    let message = format!("{number} cannot be answered here: {why}; nothing was sent");
    Refusal::new(RefusalCode::NotInChat, message)
        .with_hint(format!("in the terminal: tierdesk ticket reply {number}"))
}
