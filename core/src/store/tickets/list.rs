//! Reading the queue.

use std::collections::HashMap;

use super::super::{
    IdList, Sql, StoreError, TextList, Tx,
    sql::{record, statements},
};
use super::row::{TicketRow, ticket_columns};
use crate::{
    clock::Timestamp,
    customers::Slug,
    ids::{CustomerId, StaffId},
    tickets::{Status, Ticket, TicketNumber},
    tiers::{PerSeverity, Severity},
};

/// Columns, joins and optional filters (an absent one is an empty text or FALSE), in the queue's
/// order: priority, then the stricter tier, then what is due first. The indexes of migration 4 hold
/// the same expressions. What drives the search stands first in WHERE.
macro_rules! queue {
    ($driver:literal) => {
        concat!("SELECT ", ticket_columns!(), ", k.slug AS customer, s.name AS assignee FROM tickets t
            LEFT JOIN customers k ON k.id = t.customer_id LEFT JOIN staff s ON s.id = t.assignee_id
            WHERE ", $driver, " AND ($1 = '' OR t.tier = $1)
              AND ($2 = '' OR k.slug = $2) AND ($3 = '' OR s.name = $3)
              AND ($4 = FALSE OR t.customer_id IS NULL)
            ORDER BY t.priority, t.tier_rank, (t.first_response_due IS NULL), t.first_response_due, t.number
            LIMIT $5")
    };
}

/// When an answer is due: by the first clock that is not met.
macro_rules! due {
    () => {
        "CASE WHEN t.first_response_met_at IS NULL THEN t.first_response_due END,
         CASE WHEN t.next_response_met_at IS NULL THEN t.next_response_due END"
    };
}

/// The statuses are written out as above, so that the same indexes serve.
macro_rules! waiting {
    ($whose:literal) => {
        concat!("SELECT ", ticket_columns!(), " FROM tickets t
            WHERE t.status IN ('new', 'open', 'waiting-customer', 'on-hold') AND t.status IN ('new', 'open')
              AND ", $whose, " AND t.severity IN ($1, $2, $3, $4) AND NOT t.is_silent
            ORDER BY (COALESCE(", due!(), ") IS NULL), COALESCE(", due!(), "), t.number LIMIT $5")
    };
}

statements! {
    /// What is in work. The statuses are written out: a partial index serves no bound list.
    ACTIVE = Sql::same(queue!("t.status IN ('new', 'open', 'waiting-customer', 'on-hold')"));
    ACTIVE_OF_TIER = Sql::same(queue!(
        "t.status IN ('new', 'open', 'waiting-customer', 'on-hold') AND t.tier = $1"));
    ACTIVE_OF_CUSTOMER = Sql::same(queue!(
        "t.status IN ('new', 'open', 'waiting-customer', 'on-hold')
         AND t.customer_id = (SELECT id FROM customers WHERE slug = $2)"));
    ACTIVE_OF_STAFF = Sql::same(queue!(
        "t.status IN ('new', 'open', 'waiting-customer', 'on-hold')
         AND t.assignee_id = (SELECT id FROM staff WHERE name = $3)"));
    ACTIVE_UNBOUND = Sql::same(queue!(
        "t.status IN ('new', 'open', 'waiting-customer', 'on-hold') AND t.customer_id IS NULL"));
    /// Any other choice of statuses, with no index that fits; the desk's self-tests only where they are asked
    /// for.
    LIST = Sql::per_backend(
        queue!("t.status IN (SELECT value FROM json_each($6))
            AND ($2 <> '' OR k.slug IS NULL OR k.slug <> 'tierdesk-watchdog')"),
        queue!("t.status = ANY($6)
            AND ($2 <> '' OR k.slug IS NULL OR k.slug <> 'tierdesk-watchdog')"));
    OF_NUMBERS = Sql::per_backend(
        concat!("SELECT ", ticket_columns!(), ", k.slug AS customer, s.name AS assignee FROM tickets t
            LEFT JOIN customers k ON k.id = t.customer_id LEFT JOIN staff s ON s.id = t.assignee_id
            WHERE t.number IN (SELECT CAST(value AS INTEGER) FROM json_each($1))"),
        concat!("SELECT ", ticket_columns!(), ", k.slug AS customer, s.name AS assignee FROM tickets t
            LEFT JOIN customers k ON k.id = t.customer_id LEFT JOIN staff s ON s.id = t.assignee_id
            WHERE t.number = ANY(CAST($1 AS BIGINT[]))"));
    OPEN_COUNTS = Sql::per_backend(
        "SELECT customer_id, CAST(COUNT(*) AS BIGINT) AS open FROM tickets
         WHERE customer_id IN (SELECT unhex(value) FROM json_each($1))
           AND status IN ('new', 'open', 'waiting-customer', 'on-hold') GROUP BY customer_id",
        "SELECT customer_id, CAST(COUNT(*) AS BIGINT) AS open FROM tickets
         WHERE customer_id = ANY($1)
           AND status IN ('new', 'open', 'waiting-customer', 'on-hold') GROUP BY customer_id");
    OPENED_SINCE = Sql::same(concat!("SELECT ", ticket_columns!(), " FROM tickets t
         WHERE t.opened_at >= $1 AND NOT t.is_silent ORDER BY t.opened_at, t.id"));
    /// What is ours to go on with, of one tier and some severities; what is due first stands in front.
    WAITING_OF_TIER = Sql::same(waiting!("t.tier = $6"));
    WAITING_UNBOUND = Sql::same(waiting!("t.customer_id IS NULL"));
    NAMES = Sql::per_backend(
        "SELECT id, name FROM staff WHERE id IN (SELECT unhex(value) FROM json_each($1))",
        "SELECT id, name FROM staff WHERE id = ANY($1)");
}

/// Which tickets a list shows.
#[derive(Clone, Debug)]
pub struct Filter {
    /// These statuses.
    pub statuses: Vec<Status>,
    /// Only this tier's.
    pub tier: Option<String>,
    /// Only this customer's.
    pub customer: Option<Slug>,
    /// Only those of this member of staff.
    pub assignee: Option<String>,
    /// Only unbound ones.
    pub is_triage: bool,
    /// At most so many.
    pub limit: i64,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            statuses: Status::ALL
                .iter()
                .copied()
                .filter(|status| status.is_active())
                .collect(),
            tier: None,
            customer: None,
            assignee: None,
            is_triage: false,
            limit: 1_000,
        }
    }
}

/// A ticket with the names behind its ids.
#[derive(Clone, Debug)]
pub struct ListedTicket {
    /// The ticket.
    pub ticket: Ticket,
    /// The customer's handle.
    pub customer: Option<Slug>,
    /// The assignee's name.
    pub assignee: Option<String>,
}

struct Row {
    ticket: TicketRow,
    names: Names,
}

impl TryFrom<Row> for ListedTicket {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let Names { customer, assignee } = row.names;
        Ok(Self {
            ticket: row.ticket.try_into()?,
            customer,
            assignee,
        })
    }
}

record! {
    struct Names {
        customer: Option<Slug>,
        assignee: Option<String>,
    }
}

impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for Row {
    fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            ticket: TicketRow::from_row(row)?,
            names: Names::from_row(row)?,
        })
    }
}
impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for Row {
    fn from_row(row: &'r sqlx::postgres::PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            ticket: TicketRow::from_row(row)?,
            names: Names::from_row(row)?,
        })
    }
}

impl Filter {
    /// Whether it asks for what is in work, no status more or less.
    fn is_active(&self) -> bool {
        Status::ALL
            .iter()
            .all(|status| status.is_active() == self.statuses.contains(status))
    }

    /// The statement whose index leads to the fewest rows.
    fn active_statement(&self) -> Sql {
        if self.customer.is_some() {
            ACTIVE_OF_CUSTOMER
        } else if self.assignee.is_some() {
            ACTIVE_OF_STAFF
        } else if self.is_triage {
            ACTIVE_UNBOUND
        } else if self.tier.is_some() {
            ACTIVE_OF_TIER
        } else {
            ACTIVE
        }
    }
}

/// The tickets that pass the filter, in the order in which they should be worked.
pub async fn list(tx: &mut Tx, filter: &Filter) -> Result<Vec<ListedTicket>, StoreError> {
    let tier = filter.tier.clone().unwrap_or_default();
    let customer = filter
        .customer
        .as_ref()
        .map(|slug| slug.as_str().to_owned());
    let customer = customer.unwrap_or_default();
    let assignee = filter.assignee.clone().unwrap_or_default();
    let (is_triage, limit) = (filter.is_triage, filter.limit);
    let rows: Vec<Row> = if filter.is_active() {
        let values = (tier, customer, assignee, is_triage, limit);
        tx.fetch_all(filter.active_statement(), values).await?
    } else {
        let statuses = filter.statuses.iter().map(|status| status.as_str());
        let statuses: TextList = statuses.collect();
        let values = (tier, customer, assignee, is_triage, limit, statuses);
        tx.fetch_all(LIST, values).await?
    };
    rows.into_iter().map(ListedTicket::try_from).collect()
}

/// The tickets of these numbers, in the order given.
pub async fn list_of_numbers(
    tx: &mut Tx,
    numbers: &[TicketNumber],
) -> Result<Vec<ListedTicket>, StoreError> {
    let list: TextList = numbers.iter().map(|number| number.0.to_string()).collect();
    let rows: Vec<Row> = tx.fetch_all(OF_NUMBERS, (list,)).await?;
    let mut found = HashMap::new();
    for row in rows {
        let listed = ListedTicket::try_from(row)?;
        found.insert(listed.ticket.number, listed);
    }
    Ok(numbers
        .iter()
        .filter_map(|number| found.remove(number))
        .collect())
}

/// How many tickets each of these customers has that are not resolved or closed.
pub async fn open_counts(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = CustomerId>,
) -> Result<HashMap<CustomerId, i64>, StoreError> {
    let ids = IdList(ids.into_iter().map(|id| id.0).collect());
    let rows: Vec<(CustomerId, i64)> = tx.fetch_all(OPEN_COUNTS, (ids,)).await?;
    Ok(rows.into_iter().collect())
}

/// The names of these members of staff.
pub async fn staff_names(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = StaffId>,
) -> Result<HashMap<StaffId, String>, StoreError> {
    let ids = IdList(ids.into_iter().map(|id| id.0).collect());
    let rows: Vec<(StaffId, String)> = tx.fetch_all(NAMES, (ids,)).await?;
    Ok(rows.into_iter().collect())
}

/// Tickets that were opened since then, but for history, oldest first.
pub async fn list_opened_since(tx: &mut Tx, since: Timestamp) -> Result<Vec<Ticket>, StoreError> {
    let rows: Vec<TicketRow> = tx.fetch_all(OPENED_SINCE, (since,)).await?;
    rows.into_iter().map(Ticket::try_from).collect()
}

/// Tickets of a tier, or of nobody yet, that are ours to go on with and of these severities; at most so many, what
/// is due first in front. History and self-tests are not among them.
pub async fn list_waiting(
    tx: &mut Tx,
    tier: Option<&str>,
    severities: &PerSeverity<bool>,
    limit: i64,
) -> Result<Vec<Ticket>, StoreError> {
    // A severity that is not asked for is the empty text, which no ticket has.
    let [one, two, three, four] = Severity::ALL.map(|severity| {
        let text = if severities[severity] {
            severity.as_str()
        } else {
            ""
        };
        text.to_owned()
    });
    let rows: Vec<TicketRow> = if let Some(tier) = tier {
        let values = (one, two, three, four, limit, tier.to_owned());
        tx.fetch_all(WAITING_OF_TIER, values).await?
    } else {
        let values = (one, two, three, four, limit);
        tx.fetch_all(WAITING_UNBOUND, values).await?
    };
    rows.into_iter().map(Ticket::try_from).collect()
}
