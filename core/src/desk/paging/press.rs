//! Pages in chat: where a notice goes, what its buttons mean, and their use. A handle is used up in the unit
//! of work of its effect, by the right that the effect asks for.
//!
//! In a direct message, which belongs to no server, nothing is answered but a button that was made for
//! whoever presses it ([`crate::permit::IN_DIRECT_MESSAGES`]).

use std::time::Duration;

use data_encoding::BASE32_NOPAD;

use super::{
    acknowledge::{Which, acknowledge_in, escalate_in, hand_over_in},
    aim::{Aimed, reach},
    deliver::{Destination, Dispatch},
};
use crate::{
    chat::Verb,
    desk::{
        Desk, Error,
        chat::{Input, NewHandle, disclosed, insert_handle},
    },
    discord::DiscordId,
    ids::{NoticeId, PageId, StaffId, TicketId},
    paging::{NoticeState, PageKind, PageVerb, Signal},
    permit::{
        AcknowledgePage, Action, Actor, EscalatePage, KeepsChat, Permit, PostToChat, Subject,
        authorise,
    },
    refusal::{Refusal, RefusalCode},
    staff::{Role, StaffStatus},
    store::{
        Tx, chat,
        pages::{
            self, Page,
            handles::{self, PageHandle},
            notices::{self, Notice},
        },
        staff, tickets,
    },
    tickets::{Ticket, TicketNumber},
};

/// How long the buttons of a notice can be used: longer than any page goes on.
const NOTICE_LASTS: Duration = Duration::from_hours(7 * 24);
/// How long somebody may take to choose.
const MENU_LASTS: Duration = Duration::from_mins(15);
/// For how long a notice may be on its way that was cancelled meanwhile: longer than its handler's limit.
const ON_ITS_WAY: Duration = Duration::from_secs(30);
/// So many people a menu offers: what Discord takes.
const OFFERED: usize = 25;

/// The thread in which a ticket stands now, if it shows there what may be shown of it now.
pub async fn thread_of(
    desk: &Desk,
    actor: &Actor,
    ticket: TicketId,
) -> Result<Option<DiscordId>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, PostToChat, Subject::Ticket(ticket)).await?;
    let Some(ticket) = tickets::find(&mut permit, ticket).await? else {
        return Ok(None);
    };
    let shown = disclosed(desk, &mut permit, &ticket).await?;
    let post = chat::find_current_post(&mut permit, ticket.id).await?;
    // One that is about to move stands where other people read.
    let post = post.filter(|post| post.tier == shown.tier);
    Ok(post.and_then(|post| post.thread_id))
}

/// What was said before to the place to which this notice says more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// These messages: channel and message.
    Messages(Vec<(DiscordId, DiscordId)>),
    /// One may be on its way still.
    OnItsWay,
}

/// The messages that a notice which acknowledges or ends is about.
pub async fn standing(desk: &Desk, actor: &Actor, about: &Notice) -> Result<Standing, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, PostToChat, Subject::Desk).await?;
    let now = permit.now();
    let told = notices::list_of_page(&mut permit, about.page_id).await?;
    let here = told.into_iter().filter(|notice| {
        notice.signal == Signal::Trigger
            && notice.channel == about.channel
            && notice.target == about.target
    });
    let mut messages = Vec::new();
    for notice in here {
        if let Some(place) = notice.proof.as_deref().and_then(place) {
            messages.push(place);
        } else if notice.state == NoticeState::Cancelled
            && notice.tried_at.is_some_and(|at| now.since(at) < ON_ITS_WAY)
        {
            return Ok(Standing::OnItsWay);
        }
    }
    Ok(Standing::Messages(messages))
}

/// Reads what [`proof`] wrote.
fn place(proof: &str) -> Option<(DiscordId, DiscordId)> {
    let (channel, message) = proof.split_once('/')?;
    Some((channel.parse().ok()?, message.parse().ok()?))
}

/// What proves that a notice stands in chat.
pub fn proof(channel: DiscordId, message: DiscordId) -> String {
    format!("{channel}/{message}")
}

/// What stands below a notice that calls somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Something to do about the page.
    Page(PageVerb),
    /// A button of the ticket's card: its handle is one of those.
    Severity,
    /// Another one of the ticket's card.
    Reply,
}

/// Handles for the buttons of a notice that calls somebody. Those of a direct message are for that person
/// alone; handing over offers names, so it is there where names may be.
pub async fn fresh_handles(
    desk: &Desk,
    actor: &Actor,
    dispatch: &Dispatch,
) -> Result<Vec<(Offer, String)>, Error> {
    let Destination::Chat { thread_of, .. } = &dispatch.to else {
        return Ok(Vec::new());
    };
    if !dispatch.kind.calls() {
        return Ok(Vec::new());
    }
    let mut verbs = vec![PageVerb::Acknowledge];
    if dispatch.kind != PageKind::Test {
        verbs.push(PageVerb::Escalate);
    }
    if thread_of.is_some() && dispatch.shows_names {
        verbs.push(PageVerb::AskHandOver);
    }
    let bound = dispatch.notice.staff_id.filter(|_| thread_of.is_none());
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, PostToChat, Subject::Desk).await?;
    let mut made = Vec::with_capacity(verbs.len());
    for verb in verbs {
        let notice = Some(dispatch.notice.id);
        let handle = insert(
            &mut permit,
            dispatch.notice.page_id,
            notice,
            verb,
            bound,
            NOTICE_LASTS,
        )
        .await?;
        made.push((Offer::Page(verb), handle));
    }
    let ticket = match thread_of {
        Some(id) => tickets::find(&mut permit, *id).await?,
        None => None,
    };
    if let Some(ticket) = ticket {
        made.extend(of_card(desk, &mut permit, &ticket).await?);
    }
    tx.commit().await?;
    Ok(made)
}

/// Handles for those buttons of a ticket's card that whoever is called needs at hand.
async fn of_card(
    desk: &Desk,
    permit: &mut Permit<'_, PostToChat>,
    ticket: &Ticket,
) -> Result<Vec<(Offer, String)>, Error> {
    let mut offers = vec![(Offer::Severity, Verb::AskSeverity)];
    if disclosed(desk, permit, ticket).await?.fixed_replies > 0 {
        offers.push((Offer::Reply, Verb::AskReply));
    }
    let mut made = Vec::with_capacity(offers.len());
    for (offer, verb) in offers {
        let until = permit.now().plus(NOTICE_LASTS);
        let new = NewHandle {
            verb,
            about: None,
            ticket_id: ticket.id,
            ticket_version: ticket.version,
            staff_id: None,
            until,
        };
        made.push((offer, insert_handle(permit, new).await?));
    }
    Ok(made)
}

/// 128 random bits, in letters that a custom id may hold.
async fn insert<A: KeepsChat>(
    permit: &mut Permit<'_, A>,
    page_id: PageId,
    notice_id: Option<NoticeId>,
    verb: PageVerb,
    staff_id: Option<StaffId>,
    lasts: Duration,
) -> Result<String, Error> {
    let random: [u8; 16] = permit.random();
    let handle = BASE32_NOPAD.encode(&random).to_lowercase();
    let row = PageHandle {
        handle: handle.clone(),
        page_id,
        notice_id,
        verb,
        staff_id,
        expires_at: permit.now().plus(lasts),
        used_at: None,
    };
    handles::insert(permit, row).await?;
    Ok(handle)
}

/// What using a button or menu of a page led to. Names of colleagues are in it only where they were chosen
/// from a menu that showed them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PagePressed {
    /// The presser has it.
    Acknowledged {
        /// Its ticket.
        ticket: Option<TicketNumber>,
        /// Somebody else had it already, and has it still.
        is_others: bool,
    },
    /// A test reached who it was meant for.
    Proven,
    /// The next people are called.
    Escalated(Option<TicketNumber>),
    /// Somebody has to be chosen first.
    Ask {
        /// The handle of the menu.
        handle: String,
        /// Who can be.
        people: Vec<String>,
        /// Its ticket.
        ticket: Option<TicketNumber>,
    },
    /// It was handed over.
    HandedOver {
        /// Its ticket.
        ticket: Option<TicketNumber>,
        /// To whom.
        to: String,
    },
}

/// Uses a button or menu of a page.
pub async fn press(
    desk: &Desk,
    actor: &Actor,
    handle: &str,
    input: Input,
) -> Result<PagePressed, Error> {
    let mut tx = desk.database.begin_write().await?;
    let found = handles::find(&mut tx, handle).await?;
    let actor = &answering(actor, found.as_ref());
    let pressed = match found.as_ref().map(|found| found.verb) {
        Some(PageVerb::Acknowledge) => {
            let found = take_up(&mut tx, actor, AcknowledgePage, found, true).await?;
            acknowledge(desk, &mut tx, actor, &found).await?
        }
        Some(PageVerb::Escalate) => {
            let found = take_up(&mut tx, actor, EscalatePage, found, true).await?;
            let which = Which::Page(found.page_id);
            let reason = Some("by a button in chat");
            let page = escalate_in(desk, &mut tx, actor, &which, reason).await?;
            PagePressed::Escalated(page.ticket)
        }
        Some(PageVerb::AskHandOver) => {
            let found = take_up(&mut tx, actor, EscalatePage, found, false).await?;
            ask(desk, &mut tx, actor, &found).await?
        }
        // Without a handle it is asked for the right all the same, so that strangers are told that.
        Some(PageVerb::HandOver) | None => {
            let found = take_up(&mut tx, actor, EscalatePage, found, true).await?;
            let Input::Choice(to) = input else {
                return Err(Refusal::new(RefusalCode::Empty, "nobody was chosen").into());
            };
            let which = Which::Page(found.page_id);
            let page = hand_over_in(desk, &mut tx, actor, &which, &to).await?;
            let ticket = page.ticket;
            PagePressed::HandedOver { ticket, to }
        }
    };
    crate::fault::point("page.press_before_commit");
    tx.commit().await?;
    Ok(pressed)
}

/// Whoever presses a button that was made for one person answers what that person was sent, if they are
/// that person: whether they are is looked at with the right.
fn answering(actor: &Actor, handle: Option<&PageHandle>) -> Actor {
    match (actor, handle.and_then(|handle| handle.staff_id)) {
        (Actor::Discord(member), Some(staff)) => Actor::Discord(member.answering(staff)),
        _ => actor.clone(),
    }
}

/// Asks for the right, looks at the handle, and uses it up where that is asked for.
async fn take_up<A: Action + KeepsChat>(
    tx: &mut Tx,
    actor: &Actor,
    action: A,
    handle: Option<PageHandle>,
    is_used_up: bool,
) -> Result<PageHandle, Error> {
    let mut permit = authorise(tx, actor, action, Subject::Desk).await?;
    let handle = handle.ok_or_else(|| stale("this button is not known any more"))?;
    if handle.staff_id.is_some() && handle.staff_id != permit.staff() {
        let message = "this was meant for somebody else; nothing was changed";
        return Err(Refusal::new(RefusalCode::NotPermitted, message).into());
    }
    if handle.used_at.is_some() {
        return Err(used().into());
    }
    if handle.expires_at < permit.now() {
        return Err(stale("this is too old to be used").into());
    }
    if is_used_up && !handles::use_up(&mut permit, &handle.handle).await? {
        return Err(used().into());
    }
    Ok(handle)
}

async fn acknowledge(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    handle: &PageHandle,
) -> Result<PagePressed, Error> {
    // A test is answered with the code of the notice that carries the button, which proves its channel.
    let code = match handle.notice_id {
        Some(id) => notices::find(tx, id).await?.and_then(|notice| notice.code),
        None => None,
    };
    let is_test = code.is_some();
    let which = code.map_or(Which::Page(handle.page_id), Which::Code);
    let taken = acknowledge_in(desk, tx, actor, &which, "chat").await?;
    if is_test {
        return Ok(PagePressed::Proven);
    }
    let me = authorise(tx, actor, AcknowledgePage, Subject::Desk).await?;
    let is_others = taken.was_taken_by.is_some_and(|name| name != me.actor());
    let ticket = taken.page.ticket;
    Ok(PagePressed::Acknowledged { ticket, is_others })
}

/// Offers everybody to whom a page can be handed: who may have the ticket, and can be reached.
async fn ask(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    handle: &PageHandle,
) -> Result<PagePressed, Error> {
    let page = pages::find(tx, handle.page_id).await?;
    let page = page.ok_or_else(|| stale("that page is not there any more"))?;
    let subject = page.ticket_id.map_or(Subject::Desk, Subject::Ticket);
    let mut permit = authorise(tx, actor, EscalatePage, subject).await?;
    let people = reachable(desk, &mut permit, &page).await?;
    if people.is_empty() {
        let message = "nobody else can be reached; nothing was changed";
        return Err(Refusal::new(RefusalCode::NotInChat, message)
            .with_hint("\"next now\" calls whoever comes next")
            .into());
    }
    let (verb, me) = (PageVerb::HandOver, permit.staff());
    let handle = insert(&mut permit, page.id, None, verb, me, MENU_LASTS).await?;
    let ticket = match page.ticket_id {
        Some(id) => tickets::find(&mut permit, id).await?,
        None => None,
    };
    Ok(PagePressed::Ask {
        handle,
        people,
        ticket: ticket.map(|ticket| ticket.number),
    })
}

async fn reachable(
    desk: &Desk,
    permit: &mut Permit<'_, EscalatePage>,
    page: &Page,
) -> Result<Vec<String>, Error> {
    let me = permit.staff();
    let mut people = Vec::new();
    for person in staff::list(permit).await? {
        let may_take = person.role == Role::Admin || AcknowledgePage::ROLES.contains(&person.role);
        if person.status != StaffStatus::Active || !may_take || Some(person.id) == me {
            continue;
        }
        let mut aimed = Aimed::default();
        reach(desk, permit, page, &person, &[], &mut aimed).await?;
        if !aimed.aims.is_empty() && people.len() < OFFERED {
            people.push(person.name);
        }
    }
    Ok(people)
}

fn used() -> Refusal {
    Refusal::new(RefusalCode::Changed, "that was done already")
        .with_hint("nothing was done twice; the ticket's card shows how it is now")
}

fn stale(message: &str) -> Refusal {
    Refusal::new(RefusalCode::Changed, message)
        .with_hint("nothing was changed; in the terminal: tierdesk oncall page list")
}
