//! Using a button, menu or form. The handle is used up in the unit of work that holds its effect:
//! pressed twice, or by two people at once, it acts once, whatever restarts in between.

use std::time::Duration;

use super::{
    super::{
        Desk, Error,
        tickets::not_found,
        work_ticket::{assign_in, close_in, note_in, set_severity_in},
    },
    post::{NewHandle, insert_handle},
    reply::{self, FixedReply},
    show::{disclose, no_text, tier_of},
};
use crate::{
    chat::{Handle, Verb},
    clock::Timestamp,
    disclosure::{self, DisclosedAnswer, DisclosedTicket},
    permit::{Action, Actor, CloseTicket, SetSeverity, Subject, UseChat, WriteNote, authorise},
    refusal::{Refusal, RefusalCode},
    store::{Tx, chat, tickets},
    tickets::{Ticket, TicketNumber},
};

/// How long somebody may take over a menu or form.
const FORM_LASTS: Duration = Duration::from_mins(15);

/// What came with the use of a handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Nothing: a button.
    None,
    /// What was chosen from a menu.
    Choice(String),
    /// What was written into a form.
    Text(String),
}

/// What using a handle led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// It was done.
    Done {
        /// What.
        verb: Verb,
        /// The ticket as it is now.
        ticket: DisclosedTicket,
    },
    /// Something has to be chosen or written first, under this handle.
    Ask {
        /// What choosing or writing will do.
        verb: Verb,
        /// The handle of menu or form.
        handle: String,
        /// The ticket.
        number: TicketNumber,
    },
    /// A reply has to be chosen, under this handle.
    Offer {
        /// The handle of the menu.
        handle: String,
        /// The ticket.
        number: TicketNumber,
        /// What can be chosen, never nothing.
        replies: Vec<FixedReply>,
        /// How many more there are than a menu takes.
        further: usize,
    },
    /// This would be sent.
    Draft {
        /// The handle of the button that sends it.
        handle: String,
        /// What.
        answer: DisclosedAnswer,
    },
    /// It leaves.
    Sent {
        /// The handle of the button that takes it back.
        handle: String,
        /// What.
        answer: DisclosedAnswer,
        /// When.
        leave_at: Timestamp,
    },
    /// It does not leave.
    TakenBack {
        /// The ticket.
        number: TicketNumber,
        /// The ticket is as it was before; else somebody changed it meanwhile.
        is_restored: bool,
    },
}

/// What a handle that is about to be made will do.
pub(super) struct Asked {
    pub(super) verb: Verb,
    pub(super) about: Option<String>,
}

impl Asked {
    pub(super) fn of(verb: Verb) -> Self {
        Self { verb, about: None }
    }
}

/// Uses a handle.
pub async fn press(
    desk: &Desk,
    actor: &Actor,
    handle: &str,
    input: Input,
) -> Result<Pressed, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, UseChat, Subject::Desk).await?;
    let found = chat::find_handle(&mut permit, handle).await?;
    let found = found.ok_or_else(|| stale("this button is not known any more"))?;
    let ticket = tickets::find(&mut permit, found.ticket_id).await?;
    let ticket = ticket.ok_or_else(|| stale("its ticket is not there any more"))?;
    check(&found, &ticket, permit.staff(), permit.now())?;
    if found.verb.changes() && !chat::use_handle(&mut permit, handle).await? {
        return Err(used().into());
    }
    let pressed = act(desk, &mut tx, actor, &found, &ticket, input).await?;
    tx.commit().await?;
    Ok(pressed)
}

/// Does what the handle is for.
async fn act(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    found: &Handle,
    ticket: &Ticket,
    input: Input,
) -> Result<Pressed, Error> {
    let (verb, number) = (found.verb, ticket.number);
    match (verb, input) {
        (Verb::AskSeverity, _) => {
            return asked(tx, actor, SetSeverity, Verb::SetSeverity, ticket).await;
        }
        (Verb::AskClose, _) => return asked(tx, actor, CloseTicket, Verb::Close, ticket).await,
        (Verb::AskNote, _) => {
            check_text(desk, ticket)?;
            return asked(tx, actor, WriteNote, Verb::WriteNote, ticket).await;
        }
        (Verb::AskReply, _) => return reply::offer(desk, tx, actor, ticket).await,
        (Verb::ShowReply, Input::Choice(name)) => {
            return reply::show(desk, tx, actor, ticket, &name).await;
        }
        (Verb::SendReply, Input::None) => {
            return reply::send(desk, tx, actor, found, number).await;
        }
        (Verb::UndoReply, Input::None) => {
            return reply::take_back(desk, tx, actor, found, number).await;
        }
        (Verb::Take, _) => {
            assign_in(desk, tx, actor, number, "me").await?;
        }
        (Verb::SetSeverity, Input::Choice(choice)) => {
            let severity = choice.parse().map_err(|fault| unreadable(&fault))?;
            set_severity_in(desk, tx, actor, number, severity).await?;
        }
        (Verb::Close, Input::Choice(choice)) => {
            let reason = choice.parse().map_err(|fault| unreadable(&fault))?;
            close_in(desk, tx, actor, number, reason).await?;
        }
        (Verb::WriteNote, Input::Text(text)) => {
            check_text(desk, ticket)?;
            note_in(desk, tx, actor, number, &text, &[]).await?;
        }
        (verb, input) => {
            let message = format!("{verb} cannot be done with {}", input.name());
            return Err(Refusal::new(RefusalCode::Empty, message).into());
        }
    }
    let now = tickets::find(tx, ticket.id).await?;
    let ticket = disclose(desk, tx, now.as_ref().unwrap_or(ticket), false).await?;
    Ok(Pressed::Done { verb, ticket })
}

impl Input {
    fn name(&self) -> &'static str {
        match self {
            Self::None => "a button alone",
            Self::Choice(_) => "a choice",
            Self::Text(_) => "a text",
        }
    }
}

/// The handle of a form for a note, asked for by command.
pub async fn ask_note(desk: &Desk, actor: &Actor, number: TicketNumber) -> Result<String, Error> {
    let mut tx = desk.database.begin_write().await?;
    // Before it is said whether there is such a ticket, and of what tier.
    authorise(&mut tx, actor, WriteNote, Subject::Desk).await?;
    let found = tickets::find_by_number(&mut tx, number).await?;
    let ticket = found.ok_or_else(|| not_found(number))?;
    check_text(desk, &ticket)?;
    let form = Asked::of(Verb::WriteNote);
    let handle = ask(&mut tx, actor, WriteNote, form, &ticket).await?;
    tx.commit().await?;
    Ok(handle)
}

/// A menu or form that needs no more than its handle.
async fn asked<A: Action>(
    tx: &mut Tx,
    actor: &Actor,
    action: A,
    verb: Verb,
    ticket: &Ticket,
) -> Result<Pressed, Error> {
    let handle = ask(tx, actor, action, Asked::of(verb), ticket).await?;
    Ok(Pressed::Ask {
        verb,
        handle,
        number: ticket.number,
    })
}

/// Makes the handle of a menu, form or further button, for the one who asked and only for a while. Who may not
/// do what it leads to is told now.
pub(super) async fn ask<A: Action>(
    tx: &mut Tx,
    actor: &Actor,
    action: A,
    asked: Asked,
    ticket: &Ticket,
) -> Result<String, Error> {
    authorise(tx, actor, action, Subject::Ticket(ticket.id)).await?;
    let mut permit = authorise(tx, actor, UseChat, Subject::Ticket(ticket.id)).await?;
    let new = NewHandle {
        verb: asked.verb,
        about: asked.about,
        ticket_id: ticket.id,
        ticket_version: ticket.version,
        staff_id: permit.staff(),
        until: permit.now().plus(FORM_LASTS),
    };
    insert_handle(&mut permit, new).await
}

fn check_text(desk: &Desk, ticket: &Ticket) -> Result<(), Refusal> {
    if disclosure::takes_text(tier_of(desk, ticket)) {
        Ok(())
    } else {
        Err(no_text(ticket.number))
    }
}

/// Whether a handle can be used by this member of staff, on the ticket as it is.
fn check(
    handle: &Handle,
    ticket: &Ticket,
    staff: Option<crate::ids::StaffId>,
    now: Timestamp,
) -> Result<(), Refusal> {
    if handle.used_at.is_some() {
        return Err(used());
    }
    if handle.expires_at < now {
        return Err(stale("this is too old to be used"));
    }
    if handle.staff_id.is_some() && handle.staff_id != staff {
        let message = "this was offered to somebody else";
        return Err(Refusal::new(RefusalCode::NotPermitted, message)
            .with_hint("press the button on the card yourself"));
    }
    // A note is right whatever happened meanwhile, and so is taking one's own answer back; a decision was made on
    // what was seen.
    let is_free = matches!(handle.verb, Verb::WriteNote | Verb::UndoReply);
    let is_decision = handle.verb.changes() && !is_free;
    if is_decision && handle.ticket_version != ticket.version {
        let message = format!("{} has changed since this was shown", ticket.number);
        return Err(Refusal::new(RefusalCode::Changed, message)
            .with_hint("look at the card, which is brought up to date, and press again"));
    }
    Ok(())
}

/// Not by whom: where a ticket is shown by alias, colleagues' names are not.
fn used() -> Refusal {
    Refusal::new(RefusalCode::Changed, "that was done already")
        .with_hint("nothing was done twice; the card shows how it is now")
}

pub(super) fn stale(message: &str) -> Refusal {
    Refusal::new(RefusalCode::Changed, message)
        .with_hint("nothing was changed; use the card's newest buttons, or /ticket show")
}

fn unreadable(fault: &crate::named::UnknownName) -> Error {
    Refusal::new(RefusalCode::Empty, fault.to_string()).into()
}
