//! Whether tickets are to be paged for, as they are now. Runs in the unit of work that changed them: the
//! page and what makes it due commit together or not at all.

use std::{collections::HashMap, time::Duration};

use super::{end, entry};
use crate::{
    clock::Timestamp,
    desk::{Desk, Error},
    ids::{PageId, TicketId},
    paging::{PageKind, PageState, Rule, Urgency, When},
    permit::{ChangesTickets, Permit},
    store::{
        audit,
        pages::{self, NewPageTicket, Page},
        tickets::{self, NewEvent},
    },
    tickets::Ticket,
    trust::SenderTrust,
    watchdog,
};

/// The span over which pages for senders who proved nothing are counted.
const SPAN: Duration = Duration::from_hours(1);

/// Why tickets are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::desk) enum Cause {
    /// They were opened.
    Opened,
    /// They are worse than they were.
    Raised,
    /// They are somebody else's, or of another tier.
    Bound,
    /// They were over, and are not any more.
    Reopened,
}

impl Cause {
    fn words(self) -> &'static str {
        match self {
            Self::Opened => "it was opened",
            Self::Raised => "its severity changed",
            Self::Bound => "it is known whose it is",
            Self::Reopened => "it was taken up again",
        }
    }
}

/// Nobody has proved who sent it, and no colleague vouched for it.
fn is_unverified(ticket: &Ticket) -> bool {
    let is_proven = matches!(ticket.trust, SenderTrust::Known | SenderTrust::Proven);
    let is_vouched = ticket.customer_id.is_some()
        && !ticket.is_provisional
        && ticket.trust != SenderTrust::Contradicted;
    !is_proven && !is_vouched
}

/// What was decided for a ticket.
#[derive(Clone, Copy, Debug)]
pub(in crate::desk) struct Told {
    /// The ticket.
    pub(in crate::desk) ticket: TicketId,
    /// Its page.
    pub(in crate::desk) page: PageId,
    /// When that is due.
    pub(in crate::desk) due: Timestamp,
    /// The page stood already, and it is only counted there.
    pub(in crate::desk) is_joined: bool,
}

/// Has pages begin for these tickets where they are due, and end where they are not any more; timeline and
/// audit trail say so.
pub(in crate::desk) async fn consider<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    tickets: &[&Ticket],
    cause: Cause,
) -> Result<(), Error> {
    let (mut events, mut changes) = (Vec::new(), Vec::new());
    for told in consider_in(desk, permit, tickets, cause).await? {
        let kind = if told.is_joined {
            "page_joined"
        } else {
            "page_due"
        };
        let details = vec![
            ("due", told.due.to_string()),
            ("cause", cause.words().to_owned()),
        ];
        changes.push(entry(told.page, kind, details));
        events.push(NewEvent {
            id: permit.new_id(),
            ticket_id: told.ticket,
            at: permit.now(),
            actor: permit.actor().to_owned(),
            kind,
            detail: serde_json::json!({ "page": told.page, "due": told.due }),
        });
    }
    if !changes.is_empty() {
        tickets::insert_events(permit, events).await?;
        audit::append(permit, changes).await?;
    }
    Ok(())
}

/// The same for whoever writes timeline and audit entry themselves, with what else they did.
pub(in crate::desk) async fn consider_in<A: ChangesTickets>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    tickets: &[&Ticket],
    cause: Cause,
) -> Result<Vec<Told>, Error> {
    let live: Vec<&Ticket> = tickets
        .iter()
        .copied()
        .filter(|ticket| !ticket.is_silent || watchdog::is_self_test(ticket))
        .filter(|ticket| ticket.status.is_active())
        .collect();
    if live.is_empty() {
        return Ok(Vec::new());
    }
    let mut standing: HashMap<TicketId, Page> = HashMap::new();
    if cause != Cause::Opened {
        let ids: Vec<TicketId> = live.iter().map(|ticket| ticket.id).collect();
        let found = pages::list_of_tickets(permit, &ids).await?;
        standing.extend(
            found
                .into_iter()
                .filter_map(|page| Some((page.ticket_id?, page))),
        );
    }
    let mut made = Made::default();
    for ticket in live {
        let rule = rule_of(desk, ticket);
        // Whoever has it keeps it when it turns out to be milder.
        let mut held = None;
        if let Some(mut page) = standing.remove(&ticket.id) {
            let fits = rule.is_some_and(|(rule, schedule)| {
                page.severity == ticket.severity
                    && page.plan.policy == rule.plan.policy
                    && page.schedule == schedule
            });
            if fits || page.plan.policy == BY_HAND {
                continue;
            }
            let is_milder = ticket.severity > page.severity;
            if is_milder && page.state == PageState::Acknowledged {
                held = page.acknowledged_by.clone().zip(page.acknowledged_at);
            }
            end(permit, &mut page, cause.words()).await?;
        }
        let Some((rule, schedule)) = rule else {
            continue;
        };
        if is_unverified(ticket) {
            let is_counted = cause != Cause::Opened && is_on_unverified(permit, ticket).await?;
            if !is_counted {
                made.unverified(desk, permit, ticket, rule, schedule)
                    .await?;
            }
        } else {
            let mut page = page_of(permit, ticket, rule, schedule, PageKind::Ticket);
            if let Some((by, at)) = held {
                page.state = PageState::Acknowledged;
                page.next_at = page.plan.expiry(permit.now(), page.due_at);
                page.acknowledged_by = Some(by);
                page.acknowledged_at = Some(at);
                page.acknowledged_via = Some("before".to_owned());
            }
            made.tell(ticket, &page, false);
            made.pages.push(page);
        }
    }
    made.write(permit).await
}

/// Whether a page that is live, and at least as urgent, stands for it already.
async fn is_on_unverified<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
) -> Result<bool, Error> {
    let pages = pages::list_standing_for(permit, ticket.id).await?;
    Ok(pages.iter().any(|page| {
        page.kind == PageKind::Unverified && is_live(page) && page.severity <= ticket.severity
    }))
}

/// People are being called, or will be.
fn is_live(page: &Page) -> bool {
    matches!(page.state, PageState::Waiting | PageState::Open)
}

/// The rule for a ticket, and the schedule that answers for it.
pub(in crate::desk) fn rule_of<'d>(desk: &'d Desk, ticket: &Ticket) -> Option<(&'d Rule, &'d str)> {
    let policies = &desk.policies;
    if watchdog::is_self_test(ticket) {
        return Some((&policies.self_test, watchdog::POLICY));
    }
    let tier = ticket.tier.as_ref();
    let tier = tier.and_then(|slug| desk.catalogue.get(slug.as_str()));
    let (policy, schedule) = match tier {
        Some(tier) => (&tier.on_call.policy, &tier.on_call.schedule),
        None => (&policies.triage_policy, &policies.triage_schedule),
    };
    let rule = policies.get(policy)?.rules[ticket.severity].as_ref()?;
    Some((rule, schedule))
}

fn page_of<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
    rule: &Rule,
    schedule: &str,
    kind: PageKind,
) -> Page {
    let now = permit.now();
    let objective = ticket.clocks.first_response.internal_due;
    let (due, urgency) = rule.begins(now, ticket.opened_at, objective);
    let mut reason = match (&ticket.tier, rule.when) {
        (None, _) => format!("{} that is nobody's yet", ticket.severity),
        (Some(tier), When::Now) => format!("{} of tier {tier}", ticket.severity),
        (Some(tier), When::Part(percent)) => format!(
            "{} of tier {tier}, and {percent}% of the time to our objective are over",
            ticket.severity
        ),
    };
    if kind == PageKind::Unverified {
        reason.push_str(", its sender unproven");
    }
    Page {
        ticket_id: Some(ticket.id),
        customer_id: ticket.customer_id,
        tier: ticket.tier.clone(),
        severity: ticket.severity,
        urgency,
        schedule: schedule.to_owned(),
        reason,
        tickets: 1,
        ..Page::new(permit.new_id(), kind, rule.plan.clone(), (now, due))
    }
}

/// The first instant, not before `due`, at which one more page for a sender who proved nothing keeps to the
/// budget: so many within any hour.
fn free_from(known: &[Page], due: Timestamp, budget: usize) -> Timestamp {
    let mut dues: Vec<Timestamp> = known.iter().map(|page| page.due_at).collect();
    dues.sort_unstable();
    let Some(budget) = budget.checked_sub(1) else {
        // None at all: they are looked at in the queue.
        return Timestamp::MAX;
    };
    let mut at = due;
    loop {
        // Those that are due within the hour on either side of it.
        let around: Vec<Timestamp> = dues
            .iter()
            .copied()
            .filter(|other| other.since(at) < SPAN && at.since(*other) < SPAN)
            .collect();
        if around.len() <= budget {
            return at;
        }
        match around.first() {
            Some(first) => at = first.plus(SPAN).max(at.plus(Duration::from_secs(1))),
            None => return at,
        }
    }
}

/// The policy of pages that people send themselves.
pub(super) const BY_HAND: &str = "by hand";

/// What is written at the end, in sets.
#[derive(Default)]
struct Made {
    pages: Vec<Page>,
    /// The budget, once it was asked for: pages for senders who proved nothing, the latest first.
    budget: Option<Vec<Page>>,
    /// How many tickets joined a page that stood already.
    joined: HashMap<PageId, i64>,
    rows: Vec<NewPageTicket>,
    told: Vec<Told>,
}

impl Made {
    fn tell(&mut self, ticket: &Ticket, page: &Page, is_joined: bool) {
        self.told.push(Told {
            ticket: ticket.id,
            page: page.id,
            due: page.due_at,
            is_joined,
        });
    }

    /// One page for all who proved nothing, and a few an hour: more of them are counted, and wake nobody.
    async fn unverified<A: ChangesTickets>(
        &mut self,
        desk: &Desk,
        permit: &mut Permit<'_, A>,
        ticket: &Ticket,
        rule: &Rule,
        schedule: &str,
    ) -> Result<(), Error> {
        let since = permit.now().minus(SPAN);
        if self.budget.is_none() {
            self.budget = Some(pages::list_unverified(permit, since).await?);
        }
        let known = self.budget.get_or_insert_default();
        // Of its own tier alone: whoever may take the one page may then take the other ticket too.
        let joins = |page: &&Page| {
            is_live(page) && page.tier == ticket.tier && page.severity <= ticket.severity
        };
        if let Some(page) = known.iter().find(joins).cloned() {
            *self.joined.entry(page.id).or_default() += 1;
            self.rows.push(NewPageTicket {
                page_id: page.id,
                ticket_id: ticket.id,
                at: permit.now(),
            });
            self.tell(ticket, &page, true);
            return Ok(());
        }
        let mut page = page_of(permit, ticket, rule, schedule, PageKind::Unverified);
        let budget = desk.policies.unverified_per_hour as usize;
        let free = free_from(known, page.due_at, budget);
        if free > page.due_at {
            page.reason
                .push_str("; it waited for the budget of such pages");
            (page.due_at, page.next_at) = (free, Some(free));
        }
        known.insert(0, page.clone());
        self.tell(ticket, &page, false);
        self.pages.push(page);
        Ok(())
    }

    async fn write<A: ChangesTickets>(
        mut self,
        permit: &mut Permit<'_, A>,
    ) -> Result<Vec<Told>, Error> {
        for page in &mut self.pages {
            // Tickets of the same batch may have joined it before it is a row.
            page.tickets += self.joined.remove(&page.id).unwrap_or(0);
        }
        let waits_for_nothing = self
            .pages
            .iter()
            .any(|page| page.urgency == Urgency::High && page.due_at <= permit.now());
        pages::insert_many(permit, self.pages).await?;
        for (id, count) in self.joined {
            if let Some(mut page) = pages::find_locked(permit, id).await? {
                page.tickets += count;
                pages::update(permit, &page).await?;
            }
        }
        pages::insert_tickets(permit, self.rows).await?;
        if waits_for_nothing {
            permit.wake_workers();
        }
        Ok(self.told)
    }
}
