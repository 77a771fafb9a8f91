//! Pages as people see them.

use std::collections::HashMap;

use serde::Serialize;

use super::Which;
use crate::{
    clock::Timestamp,
    desk::{Desk, Error, tickets::not_found},
    ids::{PageId, StaffId},
    paging::{Channel, NoticeState, PageKind, PageState, Signal, Urgency},
    permit::{Actor, ReadDesk, Subject, authorise},
    refusal::Refusal,
    store::{
        Tx,
        pages::{self, Page, notices},
        staff, tickets,
    },
    tickets::TicketNumber,
    tiers::{Severity, TierSlug},
};

/// A page.
#[derive(Clone, Debug, Serialize)]
pub struct PageReport {
    /// The id.
    pub id: PageId,
    /// What it is about.
    pub kind: PageKind,
    /// Its ticket.
    pub ticket: Option<TicketNumber>,
    /// How many tickets it stands for.
    pub tickets: i64,
    /// The tier.
    pub tier: Option<TierSlug>,
    /// How bad it was.
    pub severity: Severity,
    /// Whether it may wake somebody.
    pub urgency: Urgency,
    /// Why it was made.
    pub reason: String,
    /// Where it stands.
    pub state: PageState,
    /// The policy, with the version it had.
    pub policy: String,
    /// Who is on call for it.
    pub schedule: String,
    /// Steps that were fired in this round, and how many there are.
    pub step: i64,
    /// How many steps a round has.
    pub steps: usize,
    /// Which round, from one.
    pub round: i64,
    /// When something comes next.
    pub next_at: Option<Timestamp>,
    /// When it was made.
    pub opened_at: Timestamp,
    /// When the first step was due.
    pub due_at: Timestamp,
    /// When somebody took it.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// How.
    pub acknowledged_via: Option<String>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub ending: Option<String>,
    /// What was sent to whom, oldest first; only where one page is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeReport>,
}

/// What somebody got of a page.
#[derive(Clone, Debug, Serialize)]
pub struct NoticeReport {
    /// Who; `None` for webhooks and addresses of the desk.
    pub staff: Option<String>,
    /// How.
    pub channel: Channel,
    /// Where, without what is secret.
    pub target: String,
    /// What it says.
    pub signal: Signal,
    /// With which step, from one.
    pub step: i64,
    /// In which round, from one.
    pub round: i64,
    /// Where it stands.
    pub state: NoticeState,
    /// What went wrong, or what the other side said.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// How often it may have arrived once more than is known.
    pub doubts: i64,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it had arrived, or was given up.
    pub ended_at: Option<Timestamp>,
}

/// A page without its notices.
pub(super) async fn report(_: &Desk, tx: &mut Tx, page: &Page) -> Result<PageReport, Error> {
    let ticket = match page.ticket_id {
        Some(id) => tickets::find(tx, id).await?.map(|ticket| ticket.number),
        None => None,
    };
    Ok(PageReport {
        id: page.id,
        kind: page.kind,
        ticket,
        tickets: page.tickets,
        tier: page.tier.clone(),
        severity: page.severity,
        urgency: page.urgency,
        reason: page.reason.clone(),
        state: page.state,
        policy: format!("{}@{}", page.plan.policy, page.plan.version),
        schedule: page.schedule.clone(),
        step: page.step,
        steps: page.plan.steps.len(),
        round: page.round + 1,
        next_at: page.next_at,
        opened_at: page.opened_at,
        due_at: page.due_at,
        acknowledged_at: page.acknowledged_at,
        acknowledged_by: page.acknowledged_by.clone(),
        acknowledged_via: page.acknowledged_via.clone(),
        ended_at: page.ended_at,
        ending: page.ending.clone(),
        notices: Vec::new(),
    })
}

/// Pages that are not over, oldest first; with `all` the latest, whatever became of them, newest first.
pub async fn list(
    desk: &Desk,
    actor: &Actor,
    all: bool,
    limit: i64,
) -> Result<Vec<PageReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let found = if all {
        pages::list_latest(&mut permit, limit).await?
    } else {
        pages::list_unresolved(&mut permit, limit).await?
    };
    let mut reports = Vec::with_capacity(found.len());
    for page in found {
        reports.push(report(desk, &mut permit, &page).await?);
    }
    Ok(reports)
}

/// The pages of a ticket, or one page, with everything that was sent; the latest first.
pub async fn show(desk: &Desk, actor: &Actor, which: &Which) -> Result<Vec<PageReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let found = match which {
        Which::Ticket(number) => {
            let ticket = tickets::find_by_number(&mut permit, *number).await?;
            let ticket = ticket.ok_or_else(|| not_found(*number))?;
            pages::list_of_ticket(&mut permit, ticket.id).await?
        }
        Which::Page(id) => {
            let page = pages::find(&mut permit, *id).await?;
            vec![page.ok_or_else(|| Refusal::not_found("page", id))?]
        }
        Which::Code(code) => {
            let code = code.trim().to_uppercase();
            let notice = notices::find_by_code(&mut permit, &code).await?;
            let notice = notice.ok_or_else(|| Refusal::not_found("notice", &code))?;
            let page = pages::find(&mut permit, notice.page_id).await?;
            page.into_iter().collect()
        }
    };
    let everybody = staff::list(&mut permit).await?;
    let names: HashMap<StaffId, String> = everybody
        .into_iter()
        .map(|one| (one.id, one.name))
        .collect();
    let mut reports = Vec::with_capacity(found.len());
    for page in found {
        let mut one = report(desk, &mut permit, &page).await?;
        for notice in notices::list_of_page(&mut permit, page.id).await? {
            one.notices.push(NoticeReport {
                staff: notice.staff_id.and_then(|id| names.get(&id).cloned()),
                channel: notice.channel,
                target: notice.target,
                signal: notice.signal,
                step: notice.step + 1,
                round: notice.round + 1,
                state: notice.state,
                reason: notice.reason,
                attempts: notice.attempts,
                doubts: notice.doubts,
                created_at: notice.created_at,
                ended_at: notice.ended_at,
            });
        }
        reports.push(one);
    }
    Ok(reports)
}
