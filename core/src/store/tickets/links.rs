//! What ties two tickets.

use std::collections::HashMap;

use super::super::{
    IdList, Sql, StoreError, TextList, Tx,
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
    /// Of one that was merged, the ticket that has all of it.
    BY_NUMBERS = Sql::per_backend(
        "SELECT t.number, COALESCE(l.other_id, t.id) AS id FROM tickets t
            LEFT JOIN ticket_links l ON l.ticket_id = t.id AND l.kind = 'merged'
         WHERE t.number IN (SELECT CAST(value AS INTEGER) FROM json_each($1))",
        "SELECT t.number, COALESCE(l.other_id, t.id) AS id FROM tickets t
            LEFT JOIN ticket_links l ON l.ticket_id = t.id AND l.kind = 'merged'
         WHERE t.number = ANY(CAST($1 AS BIGINT[]))");
    /// What was merged into the one that goes is merged into the one that stays.
    MOVE_MERGED = Sql::same(
        "UPDATE ticket_links SET other_id = $2 WHERE other_id = $1 AND kind = 'merged'");
    COPY_LINKS_FROM = Sql::same(
        "INSERT INTO ticket_links (ticket_id, other_id, kind, at)
         SELECT $2, other_id, kind, at FROM ticket_links
         WHERE ticket_id = $1 AND kind <> 'merged' AND other_id <> $2 ON CONFLICT DO NOTHING");
    COPY_LINKS_TO = Sql::same(
        "INSERT INTO ticket_links (ticket_id, other_id, kind, at)
         SELECT ticket_id, $2, kind, at FROM ticket_links
         WHERE other_id = $1 AND kind <> 'merged' AND ticket_id <> $2 ON CONFLICT DO NOTHING");
    TAGS = Sql::per_backend(
        "SELECT ticket_id, tag FROM ticket_tags
         WHERE ticket_id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY tag",
        "SELECT ticket_id, tag FROM ticket_tags WHERE ticket_id = ANY($1) ORDER BY tag");
    ADD_TAG = Sql::same(
        "INSERT INTO ticket_tags (ticket_id, tag) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    REMOVE_TAG = Sql::same("DELETE FROM ticket_tags WHERE ticket_id = $1 AND tag = $2");
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

/// Has everything that is tied to a ticket tied to another one, which takes it in.
pub async fn move_links<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    from: TicketId,
    to: TicketId,
) -> Result<(), StoreError> {
    for sql in [MOVE_MERGED, COPY_LINKS_FROM, COPY_LINKS_TO] {
        permit.change().execute(sql, (from, to)).await?;
    }
    Ok(())
}

/// The tags that staff gave to each of these tickets.
pub async fn tags(
    tx: &mut Tx,
    tickets: impl IntoIterator<Item = TicketId>,
) -> Result<HashMap<TicketId, Vec<String>>, StoreError> {
    let ids = IdList(tickets.into_iter().map(|id| id.0).collect());
    let mut found: HashMap<TicketId, Vec<String>> = HashMap::new();
    if ids.0.is_empty() {
        return Ok(found);
    }
    let rows: Vec<(TicketId, String)> = tx.fetch_all(TAGS, (ids,)).await?;
    for (ticket, tag) in rows {
        found.entry(ticket).or_default().push(tag);
    }
    Ok(found)
}

/// Tags a ticket. Returns how many tags it did not have.
pub async fn add_tags<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: TicketId,
    tags: &[String],
) -> Result<u64, StoreError> {
    let mut added = 0;
    for tag in tags {
        let values = (ticket, tag.clone());
        added += permit.change().execute(ADD_TAG, values).await?;
    }
    if added > 0 {
        super::super::search::index_tags(permit, ticket).await?;
    }
    Ok(added)
}

/// Takes tags from a ticket. Returns how many it had.
pub async fn remove_tags<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: TicketId,
    tags: &[String],
) -> Result<u64, StoreError> {
    let mut removed = 0;
    for tag in tags {
        let values = (ticket, tag.clone());
        removed += permit.change().execute(REMOVE_TAG, values).await?;
    }
    if removed > 0 {
        super::super::search::index_tags(permit, ticket).await?;
    }
    Ok(removed)
}
