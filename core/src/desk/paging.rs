//! Paging: pages begin with the change that makes them due, in its unit of work (`consider`); the engine
//! goes through their steps ([`engine`]); edges hand over what it wrote ([`deliver`]); people and other
//! programs take them ([`acknowledge`]).
//!
//! What always holds: whoever is due to be called is called at least once, or the next one is; a page that
//! is not over has a next step, or somebody who has it until it expires, or is exhausted and the catch-all
//! was written to ([`engine::check`] looks for any other). Taking a page cancels what waits to be sent in
//! the same unit of work.

mod acknowledge;
mod aim;
pub mod alarms;
pub mod channels;
mod consider;
pub mod deliver;
pub mod digest;
pub mod engine;
mod follow;
mod news;
pub mod outcome;
pub mod press;
mod report;
mod test_page;

pub(super) use acknowledge::take;
pub use acknowledge::{
    Outside, Taken, Which, acknowledge, acknowledge_outside, escalate, hand_over, send,
};
pub(super) use consider::{Cause, Told, consider, consider_in, rule_of};
pub(super) use follow::{carry_over, follow, held};
pub(super) use news::tell;
pub use report::{NoticeReport, PageReport, list, show};
pub use test_page::{TestPage, test_page};

use super::Error;
use crate::{
    ids::{NoticeId, PageId},
    jobs::{JobKind, NewJob},
    paging::{Channel, NoticeState, PageKind, PageState, Signal},
    permit::{ChangesTickets, Permit},
    store::{
        audit::{self, Change},
        jobs,
        pages::{
            self, Page,
            notices::{self, NewNotice, Notice},
        },
        tickets,
    },
};

/// A way to tell somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aim {
    /// Who, where it is a member of staff.
    pub(super) staff: Option<crate::ids::StaffId>,
    /// What they are called in the timeline.
    pub(super) name: String,
    /// How.
    pub(super) channel: Channel,
    /// Where.
    pub(super) target: String,
}

/// A notice is tried until it is too late, not a number of times.
const MAX_ATTEMPTS: i64 = 1_000;

/// By which key other programs follow a page: another one behind each acknowledgement, because to them what
/// was acknowledged calls nobody again.
fn key_of(page: &Page) -> String {
    match page.cycle {
        0 => page.id.to_string(),
        cycle => format!("{}.{cycle}", page.id),
    }
}

fn job_kind(channel: Channel) -> JobKind {
    match channel {
        Channel::Thread | Channel::Direct => JobKind::SendPageChat,
        Channel::Mail => JobKind::SendPageMail,
        Channel::Webhook => JobKind::SendPageWebhook,
    }
}

/// Writes notices with the jobs that hand them over.
async fn write_notices<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    page: &Page,
    (round, step): (i64, i64),
    signal: Signal,
    aims: &[Aim],
    with_codes: bool,
) -> Result<Vec<Notice>, Error> {
    let mut written = Vec::with_capacity(aims.len());
    let mut rows = Vec::with_capacity(aims.len());
    let mut work = Vec::with_capacity(aims.len());
    for aim in aims {
        let id: NoticeId = permit.new_id();
        let kind = job_kind(aim.channel);
        let random: [u8; 5] = permit.random();
        let code = data_encoding::BASE32_NOPAD.encode(&random);
        let notice = Notice {
            id,
            page_id: page.id,
            round,
            step,
            signal,
            staff_id: aim.staff,
            channel: aim.channel,
            target: aim.target.clone(),
            key: match page.kind {
                // Each channel is proven by itself.
                PageKind::Test => id.to_string(),
                _ => key_of(page),
            },
            code: with_codes.then_some(code),
            job_key: id.to_string(),
            state: NoticeState::Due,
            reason: None,
            proof: None,
            attempts: 0,
            doubts: 0,
            created_at: permit.now(),
            tried_at: None,
            ended_at: None,
        };
        rows.push(NewNotice {
            notice: notice.clone(),
            job_kind: kind.as_str().to_owned(),
        });
        // What is said of one page to one place keeps its order: no "over" before its "trigger".
        let lane = is_followed(aim.channel)
            .then(|| format!("page:{}:{}:{}", page.id, aim.channel, aim.target));
        work.push(NewJob {
            lane,
            dedup_key: Some(notice.job_key.clone()),
            max_attempts: MAX_ATTEMPTS,
            ..NewJob::new(kind, serde_json::json!({ "notice": id }))
        });
        written.push(notice);
    }
    notices::insert_many(permit, rows).await?;
    jobs::enqueue_many(permit, work).await?;
    Ok(written)
}

/// Whatever waits to be sent is not sent. What is being sent this moment ends by itself, and what follows it
/// in its lane waits for that.
async fn hush<A: ChangesTickets>(permit: &mut Permit<'_, A>, page: &Page) -> Result<(), Error> {
    for (kind, key) in notices::cancel(permit, page.id).await? {
        jobs::finish_by_key(permit, &kind, &key).await?;
    }
    Ok(())
}

/// Whether what was said there follows the page: a webhook is told more, a message in chat is changed.
fn is_followed(channel: Channel) -> bool {
    match channel {
        Channel::Webhook | Channel::Thread | Channel::Direct => true,
        Channel::Mail => false,
    }
}

/// Nobody is told any more, and whoever follows the page by a webhook or in chat is told why.
async fn quieten<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    page: &Page,
    signal: Signal,
) -> Result<(), Error> {
    quieten_on(permit, page, signal, is_followed).await
}

/// The same where only some are told.
async fn quieten_on<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    page: &Page,
    signal: Signal,
    is_told: impl Fn(Channel) -> bool + Send,
) -> Result<(), Error> {
    let key = key_of(page);
    let mut told = notices::list_of_page(permit, page.id).await?;
    told.retain(|notice| notice.key == key);
    hush(permit, page).await?;
    let mut aims: Vec<Aim> = Vec::new();
    let followed = told.iter().filter(|notice| {
        is_told(notice.channel)
            && notice.signal == Signal::Trigger
            && matches!(notice.state, NoticeState::Sending | NoticeState::Sent)
    });
    for notice in followed {
        let aim = Aim {
            staff: notice.staff_id,
            name: String::new(),
            channel: notice.channel,
            target: notice.target.clone(),
        };
        if !aims.contains(&aim) {
            aims.push(aim);
        }
    }
    write_notices(permit, page, (page.round, page.step), signal, &aims, false).await?;
    Ok(())
}

/// Behind an acknowledgement, a page begins anew: other programs are told that the old one is over.
async fn begin_anew<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    page: &mut Page,
) -> Result<Option<String>, Error> {
    quieten(permit, page, Signal::Resolve).await?;
    page.cycle += 1;
    Ok(page.acknowledged_by.take())
}

/// A page is over.
async fn end<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    page: &mut Page,
    ending: &str,
) -> Result<(), Error> {
    if page.state == PageState::Resolved {
        return Ok(());
    }
    page.state = PageState::Resolved;
    page.next_at = None;
    page.ended_at = Some(permit.now());
    page.ended_by = Some(permit.actor().to_owned());
    page.ending = Some(ending.to_owned());
    pages::update(permit, page).await?;
    quieten(permit, page, Signal::Resolve).await?;
    note(permit, page, "page_over", vec![("how", ending.to_owned())]).await
}

/// Writes the timeline's line, where the page has a ticket, and the audit entry.
async fn note<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    page: &Page,
    kind: &'static str,
    details: Vec<(&'static str, String)>,
) -> Result<(), Error> {
    if let Some(ticket) = page.ticket_id {
        let mut detail = serde_json::Map::new();
        for (name, value) in &details {
            detail.insert((*name).to_owned(), value.clone().into());
        }
        detail.insert("page".to_owned(), page.id.to_string().into());
        let event = tickets::NewEvent {
            id: permit.new_id(),
            ticket_id: ticket,
            at: permit.now(),
            actor: permit.actor().to_owned(),
            kind,
            detail: detail.into(),
        };
        tickets::insert_events(permit, vec![event]).await?;
    }
    audit::append(permit, vec![entry(page.id, kind, details)]).await?;
    Ok(())
}

fn entry(page: PageId, kind: &'static str, details: Vec<(&'static str, String)>) -> Change {
    let mut change = Change::to(format!("page:{page}")).with("what", kind);
    for (name, value) in details {
        change = change.with(name, value);
    }
    change
}
