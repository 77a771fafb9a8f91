//! Page rows, and the tickets they stand for. What people get of them is in [`notices`].

pub mod handles;
pub mod notices;

use super::{
    IdList, Sql, StoreError, Tx,
    bulk::{BulkRow, Cell, Kind},
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{CustomerId, PageId, StaffId, TicketId},
    paging::{AlarmKind, PageKind, PageState, Plan, Urgency},
    permit::{ChangesTickets, KeepsPages, Permit},
    tiers::{Severity, TierSlug},
    watchdog,
};

macro_rules! columns {
    () => {
        "p.id, p.kind, p.ticket_id, p.customer_id, p.staff_id, p.tier, p.severity, p.urgency, p.schedule, p.plan,
         p.reason, p.state, p.round, p.step, p.next_at, p.tickets, p.cycle, p.opened_at, p.due_at, p.acknowledged_at,
         p.acknowledged_by, p.acknowledged_via, p.ended_at, p.ended_by, p.ending"
    };
}

statements! {
    GET = Sql::same(concat!("SELECT ", columns!(), " FROM pages p WHERE p.id = $1"));
    LOCK = Sql::per_backend(
        concat!("SELECT ", columns!(), " FROM pages p WHERE p.id = $1"),
        concat!("SELECT ", columns!(), " FROM pages p WHERE p.id = $1 FOR UPDATE"));
    DUE = Sql::same(
        "SELECT id, ticket_id FROM pages WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2");
    /// Locked, or nothing where another engine has it or has had it.
    TAKE_DUE = Sql::per_backend(
        concat!("SELECT ", columns!(), " FROM pages p WHERE p.id = $1 AND p.next_at <= $2"),
        concat!("SELECT ", columns!(), " FROM pages p WHERE p.id = $1 AND p.next_at <= $2 FOR UPDATE SKIP LOCKED"));
    PUT_OFF = Sql::same("UPDATE pages SET next_at = $2 WHERE id = $1 AND next_at IS NOT NULL");
    TICKET_OF = Sql::same("SELECT ticket_id FROM pages WHERE id = $1");
    OPEN_ALARMS = Sql::same(concat!(
        "SELECT ", columns!(), " FROM pages p WHERE p.state <> 'resolved' AND p.kind = 'alarm' AND p.schedule = $1 ORDER BY p.id"));
    COUNT_ACTIVE = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM tickets t
         WHERE t.status IN ('new', 'open', 'waiting-customer', 'on-hold') AND t.id <> $2
            AND (t.id = (SELECT p.ticket_id FROM pages p WHERE p.id = $1)
               OR t.id IN (SELECT q.ticket_id FROM page_tickets q WHERE q.page_id = $1))");
    NEXT_AT = Sql::same("SELECT MIN(next_at) AS at FROM pages WHERE next_at IS NOT NULL");
    OF_TICKETS = Sql::per_backend(
        concat!("SELECT ", columns!(), " FROM pages p
            WHERE p.state <> 'resolved' AND p.kind = 'ticket' AND p.ticket_id IN (SELECT unhex(value) FROM json_each($1))
            ORDER BY p.opened_at, p.id"),
        concat!("SELECT ", columns!(), " FROM pages p
            WHERE p.state <> 'resolved' AND p.kind = 'ticket' AND p.ticket_id = ANY($1)
            ORDER BY p.opened_at, p.id FOR UPDATE"));
    /// Those that stand for this ticket and are not over.
    STANDING_FOR = Sql::per_backend(
        concat!("SELECT ", columns!(), " FROM pages p
            WHERE p.state <> 'resolved' AND (p.ticket_id = $1
               OR p.id IN (SELECT q.page_id FROM page_tickets q WHERE q.ticket_id = $1))
            ORDER BY p.opened_at DESC, p.id DESC"),
        concat!("SELECT ", columns!(), " FROM pages p
            WHERE p.state <> 'resolved' AND (p.ticket_id = $1
               OR p.id IN (SELECT q.page_id FROM page_tickets q WHERE q.ticket_id = $1))
            ORDER BY p.opened_at DESC, p.id DESC FOR UPDATE"));
    EVERY_OF_TICKET = Sql::same(concat!(
        "SELECT ", columns!(), " FROM pages p
         WHERE p.ticket_id = $1 OR p.id IN (SELECT q.page_id FROM page_tickets q WHERE q.ticket_id = $1)
         ORDER BY p.opened_at DESC, p.id DESC"));
    UNVERIFIED_SINCE = Sql::per_backend(
        concat!("SELECT ", columns!(), " FROM pages p WHERE p.kind = 'unverified'
              AND (p.due_at > $1 OR p.state IN ('waiting', 'open')) ORDER BY p.due_at DESC, p.id DESC"),
        concat!("SELECT ", columns!(), " FROM pages p WHERE p.kind = 'unverified'
              AND (p.due_at > $1 OR p.state IN ('waiting', 'open')) ORDER BY p.due_at DESC, p.id DESC FOR UPDATE"));
    /// Held while the budget is looked at, so that two who open pages at once see each other's.
    LOCK_BUDGET = Sql::per_backend(
        "SELECT 1",
        "SELECT CAST(1 AS INTEGER) FROM (SELECT pg_advisory_xact_lock(7410281355)) AS held");
    UNRESOLVED = Sql::same(concat!(
        "SELECT ", columns!(), " FROM pages p WHERE p.state <> 'resolved' ORDER BY p.opened_at, p.id LIMIT $1"));
    /// Without the desk's self-tests, of which there are more than of all others.
    LATEST = Sql::same(concat!(
        "SELECT ", columns!(), " FROM pages p WHERE p.customer_id IS NULL OR p.customer_id <> $2
         ORDER BY p.opened_at DESC, p.id DESC LIMIT $1"));
    UPDATE = Sql::same(
        "UPDATE pages SET state = $2, round = $3, step = $4, next_at = $5, tickets = $6, urgency = $7,
            acknowledged_at = $8, acknowledged_by = $9, acknowledged_via = $10, ended_at = $11, ended_by = $12,
            ending = $13, due_at = $14, cycle = $15
         WHERE id = $1");
    /// Each page that is not over has a next step, or somebody who has it, or is exhausted and its
    /// catch-all was written; whatever waits to be sent has a job that will.
    BROKEN = Sql::same(
        "SELECT p.id, CASE
            WHEN p.state IN ('waiting', 'open') AND p.next_at IS NULL THEN 'it has no next step'
            WHEN p.state = 'exhausted' AND p.next_at IS NOT NULL THEN 'it is exhausted and has a next step'
            WHEN p.state = 'exhausted' THEN 'it is exhausted and nobody was written to'
            WHEN p.state = 'acknowledged' AND p.acknowledged_by IS NULL THEN 'nobody has it'
            ELSE 'its next step is overdue' END AS fault
         FROM pages p
         WHERE p.state <> 'resolved' AND (
            (p.state IN ('waiting', 'open') AND p.next_at IS NULL)
            OR (p.state = 'exhausted' AND p.next_at IS NOT NULL)
            OR (p.state = 'exhausted' AND NOT EXISTS (
                SELECT 1 FROM page_notices n WHERE n.page_id = p.id AND n.signal = 'trigger'
                    AND n.round = p.round AND n.step = p.step AND n.state IN ('due', 'sending', 'sent')))
            OR (p.state = 'acknowledged' AND p.acknowledged_by IS NULL)
            OR p.next_at < $1)
         ORDER BY p.opened_at, p.id");
    /// Notices that wait, and whose job is gone or given up.
    ORPHANED = Sql::same(
        "SELECT n.page_id AS id, 'a notice waits and nothing will send it' AS fault FROM page_notices n
         WHERE n.state IN ('due', 'sending') AND NOT EXISTS (
            SELECT 1 FROM jobs j WHERE j.kind = n.job_kind AND j.dedup_key = n.job_key AND j.state IN ('queued', 'leased'))
         ORDER BY n.created_at, n.id");
    COUNT_UNRESOLVED = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM pages WHERE state IN ('waiting', 'open', 'exhausted')");
}

record! {
    struct Row {
        id: PageId,
        kind: PageKind,
        ticket_id: Option<TicketId>,
        customer_id: Option<CustomerId>,
        staff_id: Option<StaffId>,
        tier: Option<TierSlug>,
        severity: Severity,
        urgency: Urgency,
        schedule: String,
        plan: String,
        reason: String,
        state: PageState,
        round: i64,
        step: i64,
        next_at: Option<Timestamp>,
        tickets: i64,
        cycle: i64,
        opened_at: Timestamp,
        due_at: Timestamp,
        acknowledged_at: Option<Timestamp>,
        acknowledged_by: Option<String>,
        acknowledged_via: Option<String>,
        ended_at: Option<Timestamp>,
        ended_by: Option<String>,
        ending: Option<String>,
    }
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The id.
    pub id: PageId,
    /// What it is about.
    pub kind: PageKind,
    /// The ticket; the first one, where it stands for several.
    pub ticket_id: Option<TicketId>,
    /// Whose ticket it is.
    pub customer_id: Option<CustomerId>,
    /// Who is tested.
    pub staff_id: Option<StaffId>,
    /// The tier under which it was made.
    pub tier: Option<TierSlug>,
    /// How bad it was.
    pub severity: Severity,
    /// Whether it may wake somebody.
    pub urgency: Urgency,
    /// Who is on call for it: a schedule.
    pub schedule: String,
    /// What it does.
    pub plan: Plan,
    /// Why it was made, in words that hold nothing of a customer.
    pub reason: String,
    /// Where it stands.
    pub state: PageState,
    /// Which round, from zero.
    pub round: i64,
    /// The step that comes next, from zero.
    pub step: i64,
    /// When something comes next: a step, the end of a round, the end of an acknowledgement.
    pub next_at: Option<Timestamp>,
    /// How many tickets it stands for.
    pub tickets: i64,
    /// How often it began anew behind an acknowledgement. Other programs follow each by a key of its own.
    pub cycle: i64,
    /// When it was made.
    pub opened_at: Timestamp,
    /// When the first step was due.
    pub due_at: Timestamp,
    /// When somebody last took it.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// How.
    pub acknowledged_via: Option<String>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// How.
    pub ending: Option<String>,
}

impl Page {
    /// A page of no ticket, sev1, that may call anybody at `due`; made at `now`. Whoever makes another says
    /// what is different.
    pub fn new(id: PageId, kind: PageKind, plan: Plan, (now, due): (Timestamp, Timestamp)) -> Self {
        Self {
            id,
            kind,
            ticket_id: None,
            customer_id: None,
            staff_id: None,
            tier: None,
            severity: Severity::Sev1,
            urgency: Urgency::High,
            schedule: String::new(),
            plan,
            reason: String::new(),
            state: PageState::Waiting,
            round: 0,
            step: 0,
            next_at: Some(due),
            tickets: 0,
            cycle: 0,
            opened_at: now,
            due_at: due,
            acknowledged_at: None,
            acknowledged_by: None,
            acknowledged_via: None,
            ended_at: None,
            ended_by: None,
            ending: None,
        }
    }
}

impl TryFrom<Row> for Page {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let plan = serde_json::from_str(&row.plan).map_err(|fault| StoreError::Inconsistent {
            table: "pages",
            detail: format!("the plan of {}: {fault}", row.id),
        })?;
        Ok(Self {
            id: row.id,
            kind: row.kind,
            ticket_id: row.ticket_id,
            customer_id: row.customer_id,
            staff_id: row.staff_id,
            tier: row.tier,
            severity: row.severity,
            urgency: row.urgency,
            schedule: row.schedule,
            plan,
            reason: row.reason,
            state: row.state,
            round: row.round,
            step: row.step,
            next_at: row.next_at,
            tickets: row.tickets,
            cycle: row.cycle,
            opened_at: row.opened_at,
            due_at: row.due_at,
            acknowledged_at: row.acknowledged_at,
            acknowledged_by: row.acknowledged_by,
            acknowledged_via: row.acknowledged_via,
            ended_at: row.ended_at,
            ended_by: row.ended_by,
            ending: row.ending,
        })
    }
}

impl BulkRow for Page {
    const TABLE: &'static str = "pages";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("kind", Kind::Text),
        ("ticket_id", Kind::Id),
        ("customer_id", Kind::Id),
        ("staff_id", Kind::Id),
        ("tier", Kind::Text),
        ("severity", Kind::Text),
        ("urgency", Kind::Text),
        ("schedule", Kind::Text),
        ("plan", Kind::Text),
        ("reason", Kind::Text),
        ("state", Kind::Text),
        ("round", Kind::Int),
        ("step", Kind::Int),
        ("next_at", Kind::Time),
        ("tickets", Kind::Int),
        ("cycle", Kind::Int),
        ("opened_at", Kind::Time),
        ("due_at", Kind::Time),
        ("ended_at", Kind::Time),
        ("ended_by", Kind::Text),
        ("ending", Kind::Text),
    ];

    fn cells(self, out: &mut Vec<Cell>) {
        let plan = serde_json::to_string(&self.plan).expect("a plan has only texts and numbers");
        out.extend([self.id.0.into(), self.kind.as_str().into()]);
        out.extend([
            self.ticket_id.map(|id| id.0).into(),
            self.customer_id.map(|id| id.0).into(),
            self.staff_id.map(|id| id.0).into(),
        ]);
        out.extend([
            self.tier.map(|tier| tier.as_str().to_owned()).into(),
            self.severity.as_str().into(),
            self.urgency.as_str().into(),
        ]);
        out.extend([
            self.schedule.into(),
            plan.into(),
            self.reason.into(),
            self.state.as_str().into(),
        ]);
        out.extend([self.round.into(), self.step.into(), self.next_at.into()]);
        out.extend([
            self.tickets.into(),
            self.cycle.into(),
            self.opened_at.into(),
            self.due_at.into(),
            self.ended_at.into(),
        ]);
        out.extend([self.ended_by.into(), self.ending.into()]);
    }
}

/// A ticket for which a page stands besides its own.
#[derive(Debug)]
pub struct NewPageTicket {
    /// The page.
    pub page_id: PageId,
    /// The ticket.
    pub ticket_id: TicketId,
    /// Since when.
    pub at: Timestamp,
}

impl BulkRow for NewPageTicket {
    const TABLE: &'static str = "page_tickets";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("page_id", Kind::Id),
        ("ticket_id", Kind::Id),
        ("at", Kind::Time),
    ];
    const ON_CONFLICT: &'static str = "ON CONFLICT DO NOTHING";

    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([
            self.page_id.0.into(),
            self.ticket_id.0.into(),
            self.at.into(),
        ]);
    }
}

/// A page of which something is wrong, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenPage {
    /// The page.
    pub id: PageId,
    /// What, in words.
    pub fault: String,
}

fn pages(rows: Vec<Row>) -> Result<Vec<Page>, StoreError> {
    rows.into_iter().map(Page::try_from).collect()
}

/// Adds pages.
pub async fn insert_many<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    pages: Vec<Page>,
) -> Result<(), StoreError> {
    permit.insert_all(pages).await.map(|_| ())
}

/// Has pages stand for further tickets.
pub async fn insert_tickets<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    rows: Vec<NewPageTicket>,
) -> Result<(), StoreError> {
    permit.insert_all(rows).await.map(|_| ())
}

/// Writes down where a page stands.
pub async fn update<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    page: &Page,
) -> Result<(), StoreError> {
    let page = page.clone();
    let values = (
        page.id,
        page.state,
        page.round,
        page.step,
        page.next_at,
        page.tickets,
        page.urgency,
        page.acknowledged_at,
        page.acknowledged_by,
        page.acknowledged_via,
        page.ended_at,
        page.ended_by,
        page.ending,
        page.due_at,
        page.cycle,
    );
    permit.change().execute_one("pages", UPDATE, values).await
}

/// The page with this id.
pub async fn find(tx: &mut Tx, id: PageId) -> Result<Option<Page>, StoreError> {
    let row: Option<Row> = tx.fetch_optional(GET, (id,)).await?;
    row.map(Page::try_from).transpose()
}

/// The same, locked until the unit of work ends.
pub async fn find_locked(tx: &mut Tx, id: PageId) -> Result<Option<Page>, StoreError> {
    let row: Option<Row> = tx.fetch_optional(LOCK, (id,)).await?;
    row.map(Page::try_from).transpose()
}

/// Pages whose time has come, the longest due first, with their tickets; nothing is read of them that could be
/// unreadable.
pub async fn list_due(
    tx: &mut Tx,
    limit: i64,
) -> Result<Vec<(PageId, Option<TicketId>)>, StoreError> {
    let now = tx.now();
    tx.fetch_all(DUE, (now, limit)).await
}

/// A page whose time has come, locked; nothing where another engine has it.
pub async fn take_due(tx: &mut Tx, id: PageId) -> Result<Option<Page>, StoreError> {
    let now = tx.now();
    let row: Option<Row> = tx.fetch_optional(TAKE_DUE, (id, now)).await?;
    row.map(Page::try_from).transpose()
}

/// Looks at a page later that could not be gone through.
pub async fn put_off<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    id: PageId,
    until: Timestamp,
) -> Result<(), StoreError> {
    permit.execute(PUT_OFF, (id, until)).await.map(|_| ())
}

/// The ticket of a page. Whoever changes both locks the ticket first.
pub async fn ticket_of(tx: &mut Tx, id: PageId) -> Result<Option<TicketId>, StoreError> {
    let row: Option<(Option<TicketId>,)> = tx.fetch_optional(TICKET_OF, (id,)).await?;
    Ok(row.and_then(|(ticket,)| ticket))
}

/// The alarm of this kind, where it is not over. It stands where others have their schedule.
pub async fn list_alarms(tx: &mut Tx, kind: AlarmKind) -> Result<Vec<Page>, StoreError> {
    pages(
        tx.fetch_all(OPEN_ALARMS, (kind.as_str().to_owned(),))
            .await?,
    )
}

/// How many of the tickets that a page stands for are in work, but for this one.
pub async fn count_active(tx: &mut Tx, page: PageId, but: TicketId) -> Result<i64, StoreError> {
    let (count,): (i64,) = tx.fetch_one("tickets", COUNT_ACTIVE, (page, but)).await?;
    Ok(count)
}

/// When something comes next, of all pages.
pub async fn next_at(tx: &mut Tx) -> Result<Option<Timestamp>, StoreError> {
    let (at,): (Option<Timestamp>,) = tx.fetch_one("pages", NEXT_AT, ()).await?;
    Ok(at)
}

/// Pages of these tickets' own that are not over, locked.
pub async fn list_of_tickets(tx: &mut Tx, tickets: &[TicketId]) -> Result<Vec<Page>, StoreError> {
    if tickets.is_empty() {
        return Ok(Vec::new());
    }
    let ids = IdList(tickets.iter().map(|id| id.0).collect());
    pages(tx.fetch_all(OF_TICKETS, (ids,)).await?)
}

/// Pages that are not over and stand for this ticket, alone or among others; the latest first, locked.
pub async fn list_standing_for(tx: &mut Tx, ticket: TicketId) -> Result<Vec<Page>, StoreError> {
    pages(tx.fetch_all(STANDING_FOR, (ticket,)).await?)
}

/// Every page that stood for this ticket, the latest first.
pub async fn list_of_ticket(tx: &mut Tx, ticket: TicketId) -> Result<Vec<Page>, StoreError> {
    pages(tx.fetch_all(EVERY_OF_TICKET, (ticket,)).await?)
}

/// Keeps others from making pages of which there may be only so many, until the unit of work ends.
pub async fn hold_budget(tx: &mut Tx) -> Result<(), StoreError> {
    let _: Vec<(i32,)> = tx.fetch_all(LOCK_BUDGET, ()).await?;
    Ok(())
}

/// Pages for senders who proved nothing that are due after `since`, or live still; the latest first. Whoever asks holds the
/// budget until the unit of work ends.
pub async fn list_unverified(tx: &mut Tx, since: Timestamp) -> Result<Vec<Page>, StoreError> {
    hold_budget(tx).await?;
    pages(tx.fetch_all(UNVERIFIED_SINCE, (since,)).await?)
}

/// Pages that are not over, oldest first.
pub async fn list_unresolved(tx: &mut Tx, limit: i64) -> Result<Vec<Page>, StoreError> {
    pages(tx.fetch_all(UNRESOLVED, (limit,)).await?)
}

/// The latest pages, newest first.
pub async fn list_latest(tx: &mut Tx, limit: i64) -> Result<Vec<Page>, StoreError> {
    pages(tx.fetch_all(LATEST, (limit, watchdog::CUSTOMER)).await?)
}

/// How many pages nobody has.
pub async fn count_unanswered(tx: &mut Tx) -> Result<i64, StoreError> {
    let (count,): (i64,) = tx.fetch_one("pages", COUNT_UNRESOLVED, ()).await?;
    Ok(count)
}

/// Pages that will reach nobody as they are, and notices that nothing will send: there are none, or
/// something is wrong. A step is overdue when it was due before `overdue`.
pub async fn list_broken(tx: &mut Tx, overdue: Timestamp) -> Result<Vec<BrokenPage>, StoreError> {
    let mut broken: Vec<(PageId, String)> = tx.fetch_all(BROKEN, (overdue,)).await?;
    let orphaned: Vec<(PageId, String)> = tx.fetch_all(ORPHANED, ()).await?;
    broken.extend(orphaned);
    let broken = broken.into_iter();
    Ok(broken.map(|(id, fault)| BrokenPage { id, fault }).collect())
}
