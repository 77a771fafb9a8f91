//! Taking a page, passing it on, and sending one by hand. Whatever waits to be sent is cancelled in the
//! unit of work that takes it.

use serde::Serialize;

use super::{
    Aim, PageReport,
    aim::{Aimed, reach},
    begin_anew, channels,
    consider::BY_HAND,
    key_of, note, quieten, quieten_on,
    report::report,
    write_notices,
};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, chat, tickets::not_found},
    ids::{NoticeId, PageId},
    paging::{Channel, PageKind, PageState, Plan, Signal, Target},
    permit::{
        AcknowledgePage, Actor, ChangesTickets, EscalatePage, PageStaff, Permit, Subject,
        SystemRole, authorise,
    },
    refusal::{Refusal, RefusalCode},
    staff::{Staff, StaffStatus},
    store::{
        Tx,
        pages::{self, Page, notices},
        staff, tickets,
    },
    tickets::{Ticket, TicketNumber},
};

/// Which page is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that stands for this ticket.
    Ticket(TicketNumber),
    /// The one of which a notice carries this code.
    Code(String),
    /// This one.
    Page(PageId),
}

/// What became of taking a page.
#[derive(Clone, Debug, Serialize)]
pub struct Taken {
    /// The page as it is now.
    pub page: PageReport,
    /// Somebody had it already; it is theirs still.
    pub was_taken_by: Option<String>,
}

/// Finds a page that is not over, locked.
async fn find(tx: &mut Tx, which: &Which) -> Result<Page, Error> {
    let found = match which {
        Which::Ticket(number) => {
            let ticket = tickets::find_by_number(tx, *number).await?;
            let ticket = ticket.ok_or_else(|| not_found(*number))?;
            tickets::find_locked(tx, ticket.id).await?;
            let pages = pages::list_standing_for(tx, ticket.id).await?;
            // Its own before one that it shares.
            let own = pages.iter().position(|page| page.kind == PageKind::Ticket);
            pages.into_iter().nth(own.unwrap_or(0))
        }
        Which::Code(code) => {
            let code = code.trim().to_uppercase();
            match notices::find_by_code(tx, &code).await? {
                Some(notice) => lock(tx, notice.page_id).await?,
                None => None,
            }
        }
        Which::Page(id) => lock(tx, *id).await?,
    };
    found.ok_or_else(|| {
        let (message, hint) = match which {
            Which::Ticket(number) => (
                format!("nobody is being paged for {number}"),
                format!("tierdesk ticket take {number} makes it yours"),
            ),
            Which::Code(code) => (
                format!("no notice has the code {code}"),
                "it is in the notice that you got; each has one of its own".to_owned(),
            ),
            Which::Page(id) => (
                format!("there is no page {id}"),
                "tierdesk oncall page list".to_owned(),
            ),
        };
        Refusal::new(RefusalCode::NotFound, message)
            .with_hint(hint)
            .into()
    })
}

/// The ticket first, then the page, as everybody does who changes both.
async fn lock(tx: &mut Tx, id: PageId) -> Result<Option<Page>, Error> {
    if let Some(ticket) = pages::ticket_of(tx, id).await? {
        tickets::find_locked(tx, ticket).await?;
    }
    Ok(pages::find_locked(tx, id).await?)
}

fn subject_of(page: &Page) -> Subject {
    page.ticket_id.map_or(Subject::Desk, Subject::Ticket)
}

fn check_open(page: &Page) -> Result<(), Refusal> {
    if page.state == PageState::Resolved {
        let how = page.ending.as_deref().unwrap_or_default();
        let message = format!("that page is over: {how}");
        return Err(
            Refusal::new(RefusalCode::WrongStatus, message).with_hint("nothing was changed")
        );
    }
    Ok(())
}

/// Says that the actor has it: nobody further is called, until it expires without an update. A test page is
/// over with it, and proves the channel that its notice came through.
pub async fn acknowledge(
    desk: &Desk,
    actor: &Actor,
    which: &Which,
    via: &str,
) -> Result<Taken, Error> {
    let mut tx = desk.database.begin_write().await?;
    let taken = acknowledge_in(desk, &mut tx, actor, which, via).await?;
    crate::fault::point("page.acknowledge_before_commit");
    tx.commit().await?;
    crate::fault::point("page.acknowledged");
    Ok(taken)
}

/// The same inside a unit of work that the caller commits.
pub(in crate::desk) async fn acknowledge_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    which: &Which,
    via: &str,
) -> Result<Taken, Error> {
    // Before it is said whether there is such a page.
    authorise(tx, actor, AcknowledgePage, Subject::Desk).await?;
    let mut page = find(tx, which).await?;
    let mut permit = authorise(tx, actor, AcknowledgePage, subject_of(&page)).await?;
    check_open(&page)?;
    if page.kind == PageKind::Test {
        prove(&mut permit, &mut page, which, via).await?;
        let page = report(desk, &mut permit, &page).await?;
        let was_taken_by = None;
        return Ok(Taken { page, was_taken_by });
    }
    let was_taken_by = match page.state {
        PageState::Acknowledged => page.acknowledged_by.clone(),
        _ => None,
    };
    take(&mut permit, &mut page, via).await?;
    if let Which::Ticket(_) = which
        && let Some(ticket) = page.ticket_id
    {
        // A ticket can be on two: one of its own, and one that it shared before it was known whose it is.
        for mut other in pages::list_standing_for(&mut permit, ticket).await? {
            if other.id != page.id && other.ticket_id == Some(ticket) {
                take(&mut permit, &mut other, via).await?;
            }
        }
    }
    show_again(desk, &mut permit, &page).await?;
    let page = report(desk, &mut permit, &page).await?;
    Ok(Taken { page, was_taken_by })
}

/// Somebody has it. Whoever had it already keeps it; either way it is an update.
pub(in crate::desk) async fn take<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    page: &mut Page,
    via: &str,
) -> Result<(), Error> {
    page.next_at = page.plan.expiry(permit.now(), page.due_at);
    if page.state == PageState::Acknowledged {
        pages::update(permit, page).await?;
        return note(permit, page, "page_updated", vec![("by", via.to_owned())]).await;
    }
    page.state = PageState::Acknowledged;
    page.acknowledged_at = Some(permit.now());
    page.acknowledged_by = Some(permit.actor().to_owned());
    page.acknowledged_via = Some(via.to_owned());
    pages::update(permit, page).await?;
    quieten(permit, page, Signal::Acknowledge).await?;
    let mut details = vec![("via", via.to_owned())];
    details.extend(page.next_at.map(|at| ("expires", at.to_string())));
    note(permit, page, "page_acknowledged", details).await
}

/// A test was answered: by whom it was meant for, with the code of one of its notices or the button on it.
async fn prove(
    permit: &mut Permit<'_, AcknowledgePage>,
    page: &mut Page,
    which: &Which,
    via: &str,
) -> Result<(), Error> {
    if page.staff_id != permit.staff() {
        let message = "that test is for somebody else; nothing was changed";
        return Err(Refusal::new(RefusalCode::NotPermitted, message)
            .with_hint("whoever was tested answers it themselves")
            .into());
    }
    let Which::Code(code) = which else {
        let message = "a test is answered with the code in its notice";
        return Err(Refusal::new(RefusalCode::Empty, message)
            .with_hint(
                "tierdesk oncall ack CODE: each notice has its own, and proves its own channel",
            )
            .into());
    };
    let code = code.trim().to_uppercase();
    if let Some(notice) = notices::find_by_code(permit, &code).await? {
        channels::prove(permit, &notice).await?;
        let details = vec![
            ("channel", notice.channel.to_string()),
            ("via", via.to_owned()),
        ];
        page.acknowledged_at = Some(permit.now());
        page.acknowledged_by = Some(permit.actor().to_owned());
        page.acknowledged_via = Some(via.to_owned());
        pages::update(permit, page).await?;
        if matches!(notice.channel, Channel::Thread | Channel::Direct) {
            // Its button goes.
            let aim = Aim {
                staff: notice.staff_id,
                name: String::new(),
                channel: notice.channel,
                target: notice.target,
            };
            let at = (page.round, notice.step);
            write_notices(permit, page, at, Signal::Acknowledge, &[aim], false).await?;
        }
        note(permit, page, "channel_proven", details).await?;
    }
    Ok(())
}

/// What another program says of a page.
#[derive(Clone, Debug)]
pub struct Outside<'o> {
    /// The key that was sent with it.
    pub key: &'o str,
    /// Who did it there.
    pub who: &'o str,
    /// It is over there, and not only somebody's.
    pub is_over: bool,
    /// When that was.
    pub at: Timestamp,
}

/// Whoever was called by hand and does not answer: the catch-all is told behind this.
const BY_HAND_AGAIN: std::time::Duration = std::time::Duration::from_mins(15);

/// Clocks differ by so much.
const CLOCKS: std::time::Duration = std::time::Duration::from_mins(2);

/// Another program says that somebody there has a page. What is over here, what began anew since, and what was
/// said before somebody was last called, changes nothing. Returns whether there is such a page.
pub async fn acknowledge_outside(desk: &Desk, said: &Outside<'_>) -> Result<bool, Error> {
    const HTTP: Actor = Actor::System(SystemRole::Http);
    let Ok(id) = said
        .key
        .split('.')
        .next()
        .unwrap_or_default()
        .parse::<PageId>()
    else {
        return Ok(false);
    };
    let mut tx = desk.database.begin_write().await?;
    let tested = notices::find(&mut tx, NoticeId(id.0)).await?;
    let id = tested.as_ref().map_or(id, |notice| notice.page_id);
    let Some(mut page) = lock(&mut tx, id).await? else {
        return Ok(false);
    };
    let mut permit = authorise(&mut tx, &HTTP, AcknowledgePage, subject_of(&page)).await?;
    let who: String = said.who.chars().take(64).collect();
    if page.kind == PageKind::Test {
        if let Some(notice) =
            tested.filter(|notice| page.state == PageState::Open && notice.attempts > 0)
        {
            channels::prove(&mut permit, &notice).await?;
            page.acknowledged_at = Some(permit.now());
            pages::update(&mut permit, &page).await?;
            let details = vec![("channel", "webhook".to_owned()), ("via", who)];
            note(&mut permit, &page, "channel_proven", details).await?;
            tx.commit().await?;
        }
        return Ok(true);
    }
    let sent = notices::list_of_page(&mut permit, page.id).await?;
    let last = sent.iter().filter(|notice| {
        notice.channel == Channel::Webhook
            && notice.signal == Signal::Trigger
            && notice.key == said.key
    });
    let last = last.map(|notice| notice.created_at).max();
    let is_old = last.is_none_or(|last| said.at.plus(CLOCKS) < last) || said.key != key_of(&page);
    if page.state == PageState::Resolved || is_old {
        return Ok(true);
    }
    // The ticket is ours to end: over there it is over, here somebody has it.
    let over = if said.is_over { ", resolved there" } else { "" };
    take(&mut permit, &mut page, &format!("pagerduty: {who}{over}")).await?;
    show_again(desk, &mut permit, &page).await?;
    tx.commit().await?;
    Ok(true)
}

/// The actor cannot take it: the next people are called now.
pub async fn escalate(
    desk: &Desk,
    actor: &Actor,
    which: &Which,
    reason: Option<&str>,
) -> Result<PageReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let page = escalate_in(desk, &mut tx, actor, which, reason).await?;
    crate::fault::point("page.escalate_before_commit");
    tx.commit().await?;
    crate::fault::point("page.escalated");
    Ok(page)
}

/// The same inside a unit of work that the caller commits.
pub(in crate::desk) async fn escalate_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    which: &Which,
    reason: Option<&str>,
) -> Result<PageReport, Error> {
    authorise(tx, actor, EscalatePage, Subject::Desk).await?;
    let mut page = find(tx, which).await?;
    let mut permit = authorise(tx, actor, EscalatePage, subject_of(&page)).await?;
    check_open(&page)?;
    if page.kind == PageKind::Test {
        return Err(Refusal::new(RefusalCode::WrongStatus, "a test has no next step").into());
    }
    let mut details = Vec::new();
    match page.state {
        PageState::Exhausted => {
            // Every step was gone through: from the first again.
            (page.round, page.step) = (0, 0);
        }
        PageState::Acknowledged => {
            // Whoever gives it back, the first step is not gone through again.
            let by = begin_anew(&mut permit, &mut page).await?;
            details.push(("given_back_by", by.unwrap_or_default()));
        }
        PageState::Waiting | PageState::Open | PageState::Resolved => {}
    }
    page.state = PageState::Open;
    page.next_at = Some(permit.now());
    pages::update(&mut permit, &page).await?;
    if let Some(reason) = reason {
        details.push(("reason", crate::masking::mask(reason).text.into_owned()));
    }
    note(&mut permit, &page, "page_escalated", details).await?;
    show_again(desk, &mut permit, &page).await?;
    permit.wake_workers();
    report(desk, &mut permit, &page).await
}

/// Calls one person by name, now, and nobody further until the step after that: hands it to them.
pub async fn hand_over(
    desk: &Desk,
    actor: &Actor,
    which: &Which,
    to: &str,
) -> Result<PageReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let page = hand_over_in(desk, &mut tx, actor, which, to).await?;
    tx.commit().await?;
    Ok(page)
}

/// The same inside a unit of work that the caller commits.
pub(in crate::desk) async fn hand_over_in(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    which: &Which,
    to: &str,
) -> Result<PageReport, Error> {
    authorise(tx, actor, EscalatePage, Subject::Desk).await?;
    let mut page = find(tx, which).await?;
    let mut permit = authorise(tx, actor, EscalatePage, subject_of(&page)).await?;
    check_open(&page)?;
    let everybody = staff::list(&mut permit).await?;
    let person = everybody.iter().find(|one| one.name == to);
    let person = person.filter(|one| one.status == StaffStatus::Active);
    let Some(person) = person else {
        return Err(Refusal::not_found("member of staff", to).into());
    };
    let mut aimed = Aimed::default();
    reach(desk, &mut permit, &page, person, &[], &mut aimed).await?;
    if aimed.aims.is_empty() {
        let why = aimed.missed.join("; ");
        let message = format!("{to} cannot be reached: {why}; nothing was changed");
        return Err(Refusal::new(RefusalCode::Blocked, message)
            .with_hint(format!("tierdesk staff channel add {to} …"))
            .into());
    }
    // Messages in chat say that it was passed on. Another program would take it for acknowledged, and tell us so.
    let is_chat = |channel| matches!(channel, Channel::Thread | Channel::Direct);
    quieten_on(&mut permit, &page, Signal::Acknowledge, is_chat).await?;
    if page.state == PageState::Acknowledged {
        begin_anew(&mut permit, &mut page).await?;
    }
    page.state = PageState::Open;
    let at = (page.round, (page.step - 1).max(0));
    page.next_at = Some(permit.now().plus(page.plan.wait_behind(at.1)));
    pages::update(&mut permit, &page).await?;
    write_notices(&mut permit, &page, at, Signal::Trigger, &aimed.aims, false).await?;
    note(
        &mut permit,
        &page,
        "page_handed_over",
        vec![("to", to.to_owned())],
    )
    .await?;
    show_again(desk, &mut permit, &page).await?;
    report(desk, &mut permit, &page).await
}

/// Calls somebody about a ticket by hand: a person, or whoever its policy calls for a sev1.
pub async fn send(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    to: Option<&str>,
    reason: &str,
) -> Result<PageReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    authorise(&mut tx, actor, PageStaff, Subject::Desk).await?;
    let ticket = tickets::find_by_number_locked(&mut tx, number).await?;
    let ticket = ticket.ok_or_else(|| not_found(number))?;
    let mut permit = authorise(&mut tx, actor, PageStaff, Subject::Ticket(ticket.id)).await?;
    if !ticket.status.is_active() {
        let message = format!("{number} is {}: nobody is called for it", ticket.status);
        return Err(Refusal::new(RefusalCode::WrongStatus, message)
            .with_hint(format!("tierdesk ticket reopen {number}"))
            .into());
    }
    let own = pages::list_of_tickets(&mut permit, &[ticket.id]).await?;
    if let Some(page) = own.first() {
        let message = format!("there is a page for {number} already: it is {}", page.state);
        return Err(Refusal::new(RefusalCode::Taken, message)
            .with_hint(format!(
                "tierdesk oncall page escalate {number}, or hand-over {number} --to NAME"
            ))
            .into());
    }
    if let Some(name) = to {
        let everybody = staff::list(&mut permit).await?;
        let is_there = |one: &Staff| one.name == name && one.status == StaffStatus::Active;
        if !everybody.iter().any(is_there) {
            return Err(Refusal::not_found("active member of staff", name).into());
        }
    }
    let reason = crate::masking::mask(reason).text.into_owned();
    let page = by_hand(desk, &mut permit, &ticket, to)?;
    pages::insert_many(&mut permit, vec![page.clone()]).await?;
    let mut details = vec![("reason", reason)];
    details.extend(to.map(|name| ("to", name.to_owned())));
    note(&mut permit, &page, "page_sent_by_hand", details).await?;
    permit.wake_workers();
    let report = report(desk, &mut permit, &page).await?;
    tx.commit().await?;
    Ok(report)
}

fn by_hand(
    desk: &Desk,
    permit: &mut Permit<'_, PageStaff>,
    ticket: &Ticket,
    to: Option<&str>,
) -> Result<Page, Error> {
    let tier = ticket
        .tier
        .as_ref()
        .map(|slug| desk.tier(slug))
        .transpose()?;
    let (policy, schedule) = match tier {
        Some(tier) => (&tier.on_call.policy, &tier.on_call.schedule),
        None => (&desk.policies.triage_policy, &desk.policies.triage_schedule),
    };
    let rule = desk.policies.get(policy);
    let rule = rule.and_then(|policy| policy.rules[crate::tiers::Severity::Sev1].as_ref());
    let plan = match (to, rule) {
        (None, Some(rule)) => rule.plan.clone(),
        (to, _) => {
            let to = to.map_or(Target::Primary, |name| Target::Person(name.to_owned()));
            Plan::at_once(BY_HAND, to, BY_HAND_AGAIN)
        }
    };
    let now = permit.now();
    Ok(Page {
        ticket_id: Some(ticket.id),
        customer_id: ticket.customer_id,
        tier: ticket.tier.clone(),
        severity: ticket.severity,
        schedule: schedule.clone(),
        // Not who: where a ticket is shown by alias, colleagues' names are not.
        reason: "a colleague asks for help".to_owned(),
        tickets: 1,
        ..Page::new(permit.new_id(), PageKind::Ticket, plan, (now, now))
    })
}

/// The ticket's card says who has it.
async fn show_again<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    page: &Page,
) -> Result<(), Error> {
    if let Some(id) = page.ticket_id
        && let Some(ticket) = tickets::find(permit, id).await?
    {
        chat::post_later(desk, permit, &ticket).await?;
    }
    Ok(())
}
