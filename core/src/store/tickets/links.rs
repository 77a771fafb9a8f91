//! What ties two tickets.

use std::collections::HashMap;

use super::super::{
    Sql, StoreError, TextList, Tx,
    bulk::{BulkRow, Cell, Kind},
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::TicketId,
    permit::{ChangesTickets, Permit},
    tickets::{LinkKind, TicketNumber},
};

statements! {
    /// Both ends: where the ticket is the later one, and where it is the earlier.
    LINKS = Sql::same(
        "SELECT l.kind, t.number, t.requester, FALSE AS is_earlier FROM ticket_links l
            JOIN tickets t ON t.id = l.other_id WHERE l.ticket_id = $1
         UNION ALL
         SELECT l.kind, t.number, t.requester, TRUE AS is_earlier FROM ticket_links l
            JOIN tickets t ON t.id = l.ticket_id WHERE l.other_id = $1
         ORDER BY number");
    BY_NUMBERS = Sql::per_backend(
        "SELECT number, id FROM tickets WHERE number IN (SELECT CAST(value AS INTEGER) FROM json_each($1))",
        "SELECT number, id FROM tickets WHERE number = ANY(CAST($1 AS BIGINT[]))");
}

/// A tie that is to be stored.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The later ticket.
    pub ticket_id: TicketId,
    /// The one it is tied to.
    pub other_id: TicketId,
    /// How.
    pub kind: LinkKind,
    /// Since when.
    pub at: Timestamp,
}

impl BulkRow for NewLink {
    const TABLE: &'static str = "ticket_links";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("ticket_id", Kind::Id),
        ("other_id", Kind::Id),
        ("kind", Kind::Text),
        ("at", Kind::Time),
    ];
    const ON_CONFLICT: &'static str = "ON CONFLICT DO NOTHING";
    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([self.ticket_id.0.into(), self.other_id.0.into()]);
        out.extend([self.kind.as_str().into(), self.at.into()]);
    }
}

record! {
    /// The other end of a tie.
    #[derive(Clone, Debug)]
    pub struct LinkRow {
        /// How they are tied.
        pub kind: LinkKind,
        /// The other ticket.
        pub number: TicketNumber,
        /// Who wrote that one.
        pub requester: String,
        /// Whether the ticket that was asked about is the earlier one.
        pub is_earlier: bool,
    }
}

/// Ties tickets. What is tied so already stays.
pub async fn insert_links<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    rows: Vec<NewLink>,
) -> Result<(), StoreError> {
    permit.insert_all(rows).await.map(|_| ())
}

/// The tickets that this one is tied to.
pub async fn links(tx: &mut Tx, ticket: TicketId) -> Result<Vec<LinkRow>, StoreError> {
    tx.fetch_all(LINKS, (ticket,)).await
}

/// The tickets of these numbers.
pub async fn ids_of_numbers(
    tx: &mut Tx,
    numbers: impl IntoIterator<Item = TicketNumber>,
) -> Result<HashMap<TicketNumber, TicketId>, StoreError> {
    let numbers = TextList(
        numbers
            .into_iter()
            .map(|number| number.0.to_string())
            .collect(),
    );
    if numbers.0.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(TicketNumber, TicketId)> = tx.fetch_all(BY_NUMBERS, (numbers,)).await?;
    Ok(rows.into_iter().collect())
}
