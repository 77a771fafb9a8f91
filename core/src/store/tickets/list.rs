//! Reading the queue.

use std::collections::HashMap;

use super::super::{
    IdList, Sql, StoreError, TextList, Tx,
    sql::{record, statements},
};
use super::row::{TicketRow, ticket_columns};
use crate::{
    customers::Slug,
    ids::{CustomerId, StaffId},
    tickets::{Status, Ticket},
};

statements! {
    /// The queue's order: priority, then the stricter tier, then what is due first. An absent
    /// filter is NULL or an empty text.
    LIST = Sql::per_backend(
        concat!("SELECT ", ticket_columns!(), ", k.slug AS customer, s.name AS assignee FROM tickets t
            LEFT JOIN customers k ON k.id = t.customer_id LEFT JOIN staff s ON s.id = t.assignee_id
            WHERE t.status IN (SELECT value FROM json_each($1)) AND ($2 = '' OR t.tier = $2)
              AND ($3 = '' OR k.slug = $3) AND ($4 = '' OR s.name = $4)
              AND ($5 = FALSE OR t.customer_id IS NULL)
            ORDER BY t.priority, t.tier_rank, t.first_response_due NULLS LAST, t.number LIMIT $6"),
        concat!("SELECT ", ticket_columns!(), ", k.slug AS customer, s.name AS assignee FROM tickets t
            LEFT JOIN customers k ON k.id = t.customer_id LEFT JOIN staff s ON s.id = t.assignee_id
            WHERE t.status = ANY($1) AND ($2 = '' OR t.tier = $2)
              AND ($3 = '' OR k.slug = $3) AND ($4 = '' OR s.name = $4)
              AND ($5 = FALSE OR t.customer_id IS NULL)
            ORDER BY t.priority, t.tier_rank, t.first_response_due NULLS LAST, t.number LIMIT $6"));
    OPEN_COUNTS = Sql::per_backend(
        "SELECT customer_id, CAST(COUNT(*) AS BIGINT) AS open FROM tickets
         WHERE customer_id IN (SELECT unhex(value) FROM json_each($1))
           AND status IN ('new', 'open', 'waiting-customer', 'on-hold') GROUP BY customer_id",
        "SELECT customer_id, CAST(COUNT(*) AS BIGINT) AS open FROM tickets
         WHERE customer_id = ANY($1)
           AND status IN ('new', 'open', 'waiting-customer', 'on-hold') GROUP BY customer_id");
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

/// The tickets that pass the filter, in the order in which they should be worked.
pub async fn list(tx: &mut Tx, filter: &Filter) -> Result<Vec<ListedTicket>, StoreError> {
    let statuses: TextList = filter
        .statuses
        .iter()
        .map(|status| status.as_str())
        .collect();
    let values = (
        statuses,
        filter.tier.clone().unwrap_or_default(),
        filter
            .customer
            .as_ref()
            .map(|slug| slug.as_str().to_owned())
            .unwrap_or_default(),
        filter.assignee.clone().unwrap_or_default(),
        filter.is_triage,
        filter.limit,
    );
    let rows: Vec<Row> = tx.fetch_all(LIST, values).await?;
    let listed = |Row {
                      ticket,
                      names: Names { customer, assignee },
                  }| {
        Ok(ListedTicket {
            ticket: ticket.try_into()?,
            customer,
            assignee,
        })
    };
    rows.into_iter().map(listed).collect()
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
