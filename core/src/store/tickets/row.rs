//! A ticket as a row, read and written.

use super::super::{
    StoreError,
    bulk::{BulkRow, Cell, Kind},
    sql::record,
};
use crate::{
    clock::Timestamp,
    ids::{CustomerId, StaffId, TicketId},
    sla::{Clocks, ResponseClock},
    tickets::{CloseReason, Status, Ticket, TicketNumber},
    tiers::{Priority, Severity, TierSlug},
    trust::SenderTrust,
};

/// The columns of [`TicketRow`].
macro_rules! ticket_columns {
    () => {
        "t.id, t.number, t.customer_id, t.tier, t.framework, t.tier_rank, t.subject, t.status, t.severity,
         t.priority, t.trust, t.trust_reasons, t.requester, t.requester_name, t.assignee_id, t.is_silent, t.is_provisional,
         t.close_reason, t.opened_at, t.updated_at, t.first_response_due, t.first_response_internal_due,
         t.first_response_met_at, t.next_response_due, t.next_response_internal_due, t.next_response_met_at,
         t.resolution_due, t.resolution_internal_due, t.resolution_met_at, t.snoozed_until, t.version"
    };
}
pub(in crate::store) use ticket_columns;

record! {
    pub(in crate::store) struct TicketRow {
        id: TicketId,
        number: TicketNumber,
        customer_id: Option<CustomerId>,
        tier: Option<TierSlug>,
        framework: Option<String>,
        tier_rank: i64,
        subject: String,
        status: Status,
        severity: Severity,
        priority: Priority,
        trust: SenderTrust,
        trust_reasons: String,
        requester: String,
        requester_name: Option<String>,
        assignee_id: Option<StaffId>,
        is_silent: bool,
        is_provisional: bool,
        close_reason: Option<CloseReason>,
        opened_at: Timestamp,
        updated_at: Timestamp,
        first_response_due: Option<Timestamp>,
        first_response_internal_due: Option<Timestamp>,
        first_response_met_at: Option<Timestamp>,
        next_response_due: Option<Timestamp>,
        next_response_internal_due: Option<Timestamp>,
        next_response_met_at: Option<Timestamp>,
        resolution_due: Option<Timestamp>,
        resolution_internal_due: Option<Timestamp>,
        resolution_met_at: Option<Timestamp>,
        snoozed_until: Option<Timestamp>,
        version: i64,
    }
}

/// A list of texts as a JSON column.
pub(in crate::store) fn texts(list: &[String]) -> String {
    serde_json::to_string(list).expect("a list of texts is JSON")
}

/// A JSON column as a list of texts.
pub(in crate::store) fn parse_texts(
    table: &'static str,
    text: &str,
) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|fault| StoreError::Inconsistent {
        table,
        detail: fault.to_string(),
    })
}

impl TryFrom<TicketRow> for Ticket {
    type Error = StoreError;

    fn try_from(row: TicketRow) -> Result<Self, StoreError> {
        let clock = |due, internal_due, met_at| ResponseClock {
            due,
            internal_due,
            met_at,
        };
        let clocks = Clocks {
            first_response: clock(
                row.first_response_due,
                row.first_response_internal_due,
                row.first_response_met_at,
            ),
            next_response: clock(
                row.next_response_due,
                row.next_response_internal_due,
                row.next_response_met_at,
            ),
            resolution: clock(
                row.resolution_due,
                row.resolution_internal_due,
                row.resolution_met_at,
            ),
        };
        Ok(Self {
            id: row.id,
            number: row.number,
            customer_id: row.customer_id,
            tier: row.tier,
            framework: row.framework,
            tier_rank: row.tier_rank,
            subject: row.subject,
            status: row.status,
            severity: row.severity,
            priority: row.priority,
            trust: row.trust,
            trust_reasons: parse_texts("tickets", &row.trust_reasons)?,
            requester: row.requester,
            requester_name: row.requester_name,
            assignee_id: row.assignee_id,
            is_silent: row.is_silent,
            is_provisional: row.is_provisional,
            close_reason: row.close_reason,
            opened_at: row.opened_at,
            updated_at: row.updated_at,
            clocks,
            snoozed_until: row.snoozed_until,
            version: row.version,
        })
    }
}

/// A ticket to be inserted.
#[derive(Clone, Debug)]
pub struct NewTicket(pub Ticket);

impl BulkRow for NewTicket {
    const TABLE: &'static str = "tickets";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("number", Kind::Int),
        ("customer_id", Kind::Id),
        ("tier", Kind::Text),
        ("framework", Kind::Text),
        ("tier_rank", Kind::Int),
        ("subject", Kind::Text),
        ("status", Kind::Text),
        ("severity", Kind::Text),
        ("priority", Kind::Text),
        ("trust", Kind::Text),
        ("trust_reasons", Kind::Text),
        ("requester", Kind::Text),
        ("requester_name", Kind::Text),
        ("assignee_id", Kind::Id),
        ("is_silent", Kind::Bool),
        ("is_provisional", Kind::Bool),
        ("close_reason", Kind::Text),
        ("opened_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("first_response_due", Kind::Time),
        ("first_response_internal_due", Kind::Time),
        ("first_response_met_at", Kind::Time),
        ("next_response_due", Kind::Time),
        ("next_response_internal_due", Kind::Time),
        ("next_response_met_at", Kind::Time),
        ("resolution_due", Kind::Time),
        ("resolution_internal_due", Kind::Time),
        ("resolution_met_at", Kind::Time),
        ("snoozed_until", Kind::Time),
        ("version", Kind::Int),
    ];

    fn cells(self, out: &mut Vec<Cell>) {
        let t = self.0;
        out.extend([
            t.id.0.into(),
            t.number.0.into(),
            t.customer_id.map(|id| id.0).into(),
        ]);
        out.extend([
            t.tier.map(|tier| tier.as_str().to_owned()).into(),
            t.framework.into(),
        ]);
        out.extend([
            t.tier_rank.into(),
            t.subject.into(),
            t.status.as_str().into(),
        ]);
        out.extend([t.severity.as_str().into(), t.priority.as_str().into()]);
        out.extend([t.trust.as_str().into(), texts(&t.trust_reasons).into()]);
        out.extend([t.requester.into(), t.requester_name.into()]);
        out.extend([
            t.assignee_id.map(|id| id.0).into(),
            t.is_silent.into(),
            t.is_provisional.into(),
        ]);
        out.extend([t.close_reason.map(CloseReason::as_str).into()]);
        out.extend([t.opened_at.into(), t.updated_at.into()]);
        let clocks = [
            t.clocks.first_response,
            t.clocks.next_response,
            t.clocks.resolution,
        ];
        for clock in clocks {
            out.extend([
                clock.due.into(),
                clock.internal_due.into(),
                clock.met_at.into(),
            ]);
        }
        out.extend([t.snoozed_until.into(), t.version.into()]);
    }
}
