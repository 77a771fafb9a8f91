//! Ticket rows, their participants and timelines.

mod links;
mod list;
mod row;

use std::collections::HashMap;

pub(in crate::store) use links::STATEMENTS as LINK_STATEMENTS;
pub use links::{
    LinkRow, NewLink, add_tags, ids_of_numbers, insert_links, links, move_links, remove_tags, tags,
};
pub(in crate::store) use list::STATEMENTS as LIST_STATEMENTS;
pub use list::{
    Filter, ListedTicket, list, list_of_numbers, list_opened_since, list_waiting, open_counts,
    staff_names,
};
pub use row::NewTicket;
pub(in crate::store) use row::{parse_texts as parse_texts_json, texts as texts_json};

use super::{
    BytesList, IdList, Sql, StoreError, TextList, Tx,
    bulk::{BulkRow, Cell, Kind},
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{CustomerId, EventId, MessageId, TicketId},
    permit::{ChangesTickets, Permit},
    tickets::{Event, ParticipantRole, Ticket, TicketNumber},
};
use row::TicketRow;

statements! {
    /// One row a number. Others may draw from the sequence in between; the counter's row is
    /// locked by the writer.
    DRAW_NUMBERS = Sql::per_backend(
        "UPDATE counters SET value = value + $1 WHERE name = 'ticket_number' RETURNING value",
        "SELECT nextval('ticket_numbers') AS value FROM generate_series(1, $1)");
    BY_ID = Sql::same(concat!("SELECT ", row::ticket_columns!(), " FROM tickets t WHERE t.id = $1"));
    BY_NUMBER = Sql::same(concat!("SELECT ", row::ticket_columns!(), " FROM tickets t WHERE t.number = $1"));
    /// Locked, because it is about to change. SQLite's write lock is taken already.
    BY_NUMBER_LOCKED = Sql::per_backend(
        concat!("SELECT ", row::ticket_columns!(), " FROM tickets t WHERE t.number = $1"),
        concat!("SELECT ", row::ticket_columns!(), " FROM tickets t WHERE t.number = $1 FOR UPDATE"));
    /// In order of id, so that two batches lock in the same order.
    BY_ID_LOCKED = Sql::per_backend(
        concat!("SELECT ", row::ticket_columns!(), " FROM tickets t
            WHERE t.id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY t.id"),
        concat!("SELECT ", row::ticket_columns!(), " FROM tickets t WHERE t.id = ANY($1) ORDER BY t.id FOR UPDATE"));
    ACTIVE_OF_CUSTOMER_LOCKED = Sql::per_backend(
        concat!("SELECT ", row::ticket_columns!(), " FROM tickets t WHERE t.customer_id = $1
            AND t.status IN ('new', 'open', 'waiting-customer', 'on-hold') ORDER BY t.id"),
        concat!("SELECT ", row::ticket_columns!(), " FROM tickets t WHERE t.customer_id = $1
            AND t.status IN ('new', 'open', 'waiting-customer', 'on-hold') ORDER BY t.id FOR UPDATE"));
    UPDATE = Sql::same(
        "UPDATE tickets SET customer_id = $2, tier = $3, framework = $4, tier_rank = $5, status = $6,
            severity = $7, priority = $8, trust = $9, trust_reasons = $10, assignee_id = $11,
            is_silent = $12, close_reason = $13, updated_at = $14, is_provisional = $16, version = version + 1
         WHERE id = $1 AND version = $15");
    UPDATE_CLOCKS = Sql::same(
        "UPDATE tickets SET first_response_due = $2, first_response_internal_due = $3, first_response_met_at = $4,
            next_response_due = $5, next_response_internal_due = $6, next_response_met_at = $7,
            resolution_due = $8, resolution_internal_due = $9, resolution_met_at = $10, snoozed_until = $11
         WHERE id = $1");
    PARTICIPANTS = Sql::per_backend(
        "SELECT ticket_id, address FROM ticket_participants
         WHERE ticket_id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY added_at, address",
        "SELECT ticket_id, address FROM ticket_participants
         WHERE ticket_id = ANY($1) ORDER BY added_at, address");
    MOVE_PARTICIPANTS = Sql::same(
        "INSERT INTO ticket_participants (ticket_id, address, name, role, added_at)
         SELECT $2, address, name, CASE WHEN role = 'requester' THEN 'colleague' ELSE role END, added_at
         FROM ticket_participants WHERE ticket_id = $1 ON CONFLICT DO NOTHING");
    DELETE_PARTICIPANT = Sql::same(
        "DELETE FROM ticket_participants WHERE ticket_id = $1 AND address = $2");
    EVENTS = Sql::same(
        "SELECT id, at, actor, kind, detail FROM ticket_events WHERE ticket_id = $1 ORDER BY at, id");
    HELD_FINGERPRINTS = Sql::per_backend(
        "SELECT fingerprint, id, ticket_id FROM messages
         WHERE fingerprint IN (SELECT unhex(value) FROM json_each($1))",
        "SELECT fingerprint, id, ticket_id FROM messages WHERE fingerprint = ANY($1)");
    HOLDERS_OF_ANSWERS = Sql::per_backend(
        "SELECT in_reply_to AS header_id, ticket_id FROM messages
         WHERE in_reply_to IN (SELECT value FROM json_each($1)) AND ticket_id IS NOT NULL
         ORDER BY received_at, id",
        "SELECT in_reply_to AS header_id, ticket_id FROM messages
         WHERE in_reply_to = ANY($1) AND ticket_id IS NOT NULL
         ORDER BY received_at, id");
    HOLDERS_OF_HEADER_IDS = Sql::per_backend(
        "SELECT header_id, ticket_id FROM messages
         WHERE header_id IN (SELECT value FROM json_each($1)) AND ticket_id IS NOT NULL
         ORDER BY received_at DESC, id DESC",
        "SELECT header_id, ticket_id FROM messages
         WHERE header_id = ANY($1) AND ticket_id IS NOT NULL
         ORDER BY received_at DESC, id DESC");
}

/// Draws `count` ticket numbers. Numbers drawn and not used, after a rollback in PostgreSQL,
/// are gaps.
pub async fn draw_numbers<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    count: usize,
) -> Result<Vec<TicketNumber>, StoreError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let rows: Vec<(i64,)> = permit.fetch_all(DRAW_NUMBERS, (count,)).await?;
    Ok(match rows.as_slice() {
        [(last,)] => (last - count + 1..=*last).map(TicketNumber).collect(),
        each => each.iter().map(|(number,)| TicketNumber(*number)).collect(),
    })
}

/// The ticket with this id.
pub async fn find(tx: &mut Tx, id: TicketId) -> Result<Option<Ticket>, StoreError> {
    tx.fetch_optional::<TicketRow>(BY_ID, (id,))
        .await?
        .map(Ticket::try_from)
        .transpose()
}

/// The ticket with this id, locked until the unit of work ends.
pub async fn find_locked(tx: &mut Tx, id: TicketId) -> Result<Option<Ticket>, StoreError> {
    Ok(list_locked(tx, [id]).await?.pop())
}

/// The ticket of this number.
pub async fn find_by_number(
    tx: &mut Tx,
    number: TicketNumber,
) -> Result<Option<Ticket>, StoreError> {
    tx.fetch_optional::<TicketRow>(BY_NUMBER, (number,))
        .await?
        .map(Ticket::try_from)
        .transpose()
}

/// The ticket of this number, locked until the unit of work ends.
pub async fn find_by_number_locked(
    tx: &mut Tx,
    number: TicketNumber,
) -> Result<Option<Ticket>, StoreError> {
    let row = tx
        .fetch_optional::<TicketRow>(BY_NUMBER_LOCKED, (number,))
        .await?;
    row.map(Ticket::try_from).transpose()
}

/// The tickets with these ids, locked until the unit of work ends.
pub async fn list_locked(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = TicketId>,
) -> Result<Vec<Ticket>, StoreError> {
    let ids = IdList(ids.into_iter().map(|id| id.0).collect());
    if ids.0.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx.fetch_all::<TicketRow>(BY_ID_LOCKED, (ids,)).await?;
    rows.into_iter().map(Ticket::try_from).collect()
}

/// A customer's tickets that are not resolved or closed, locked.
pub async fn list_active_of_locked(
    tx: &mut Tx,
    customer: CustomerId,
) -> Result<Vec<Ticket>, StoreError> {
    let rows = tx
        .fetch_all::<TicketRow>(ACTIVE_OF_CUSTOMER_LOCKED, (customer,))
        .await?;
    rows.into_iter().map(Ticket::try_from).collect()
}

/// Adds tickets.
pub async fn insert_many<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    tickets: Vec<Ticket>,
) -> Result<(), StoreError> {
    let rows = tickets.iter().cloned().map(NewTicket).collect();
    permit.insert_all::<NewTicket>(rows).await?;
    super::search::index_tickets(permit, &tickets).await
}

/// Writes what can change of a ticket; `updated_at` as the ticket says. The version must be the
/// one that was read.
pub async fn update<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
) -> Result<(), StoreError> {
    permit.check_ticket(ticket.id)?;
    let t = ticket.clone();
    let values = (
        t.id,
        t.customer_id,
        t.tier,
        t.framework,
        t.tier_rank,
        t.status,
        t.severity,
        t.priority,
        t.trust,
        row::texts(&t.trust_reasons),
        t.assignee_id,
        t.is_silent,
        t.close_reason,
        t.updated_at,
        t.version,
        t.is_provisional,
    );
    permit
        .change()
        .execute_one("tickets", UPDATE, values)
        .await?;
    let (first, next, last) = (
        t.clocks.first_response,
        t.clocks.next_response,
        t.clocks.resolution,
    );
    let values = (
        t.id,
        first.due,
        first.internal_due,
        first.met_at,
        next.due,
        next.internal_due,
        next.met_at,
        last.due,
        last.internal_due,
        last.met_at,
        t.snoozed_until,
    );
    permit
        .change()
        .execute_one("tickets", UPDATE_CLOCKS, values)
        .await
}

record! {
    struct ParticipantRow {
        ticket_id: TicketId,
        address: String,
    }
}

/// Who takes part in each of these tickets, in order of joining.
pub async fn participants(
    tx: &mut Tx,
    ids: impl IntoIterator<Item = TicketId>,
) -> Result<HashMap<TicketId, Vec<String>>, StoreError> {
    let ids = IdList(ids.into_iter().map(|id| id.0).collect());
    let mut found: HashMap<TicketId, Vec<String>> = HashMap::new();
    if ids.0.is_empty() {
        return Ok(found);
    }
    for ParticipantRow { ticket_id, address } in tx.fetch_all(PARTICIPANTS, (ids,)).await? {
        found.entry(ticket_id).or_default().push(address);
    }
    Ok(found)
}

/// Somebody who takes part in a ticket.
#[derive(Clone, Debug)]
pub struct NewParticipant {
    /// In which.
    pub ticket_id: TicketId,
    /// Their address.
    pub address: String,
    /// Their display name.
    pub name: Option<String>,
    /// How they came to.
    pub role: ParticipantRole,
    /// Since when.
    pub added_at: Timestamp,
}

impl BulkRow for NewParticipant {
    const TABLE: &'static str = "ticket_participants";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("ticket_id", Kind::Id),
        ("address", Kind::Text),
        ("name", Kind::Text),
        ("role", Kind::Text),
        ("added_at", Kind::Time),
    ];
    const ON_CONFLICT: &'static str = "ON CONFLICT DO NOTHING";
    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([
            self.ticket_id.0.into(),
            self.address.into(),
            self.name.into(),
        ]);
        out.extend([self.role.as_str().into(), self.added_at.into()]);
    }
}

/// A line for a ticket's timeline.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The id.
    pub id: EventId,
    /// Whose timeline.
    pub ticket_id: TicketId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What happened.
    pub kind: &'static str,
    /// The particulars.
    pub detail: serde_json::Value,
}

impl BulkRow for NewEvent {
    const TABLE: &'static str = "ticket_events";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("ticket_id", Kind::Id),
        ("at", Kind::Time),
        ("actor", Kind::Text),
        ("kind", Kind::Text),
        ("detail", Kind::Text),
    ];
    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([self.id.0.into(), self.ticket_id.0.into(), self.at.into()]);
        out.extend([
            self.actor.into(),
            self.kind.into(),
            self.detail.to_string().into(),
        ]);
    }
}

/// Adds participants who are not there yet.
pub async fn insert_participants<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    rows: Vec<NewParticipant>,
) -> Result<(), StoreError> {
    permit.insert_all(rows).await.map(|_| ())
}

/// Lets everybody who takes part in one ticket take part in another.
pub async fn move_participants<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    from: TicketId,
    to: TicketId,
) -> Result<(), StoreError> {
    permit
        .change()
        .execute(MOVE_PARTICIPANTS, (from, to))
        .await
        .map(|_| ())
}

/// Removes a participant. Returns whether they were one.
pub async fn delete_participant<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: TicketId,
    address: &str,
) -> Result<bool, StoreError> {
    permit.check_ticket(ticket)?;
    let values = (ticket, address.to_owned());
    Ok(permit.change().execute(DELETE_PARTICIPANT, values).await? == 1)
}

/// Adds lines to timelines.
pub async fn insert_events<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    rows: Vec<NewEvent>,
) -> Result<(), StoreError> {
    permit.insert_all(rows).await.map(|_| ())
}

record! {
    struct EventRow {
        id: EventId,
        at: Timestamp,
        actor: String,
        kind: String,
        detail: String,
    }
}

/// A ticket's timeline, oldest first.
pub async fn events(tx: &mut Tx, ticket: TicketId) -> Result<Vec<Event>, StoreError> {
    let rows: Vec<EventRow> = tx.fetch_all(EVENTS, (ticket,)).await?;
    let event = |EventRow {
                     id,
                     at,
                     actor,
                     kind,
                     detail,
                 }| {
        let detail = serde_json::from_str(&detail).map_err(|fault| StoreError::Inconsistent {
            table: "ticket_events",
            detail: format!("{id}: {fault}"),
        })?;
        Ok(Event {
            id,
            at,
            actor,
            kind,
            detail,
        })
    };
    rows.into_iter().map(event).collect()
}

record! {
    struct FingerprintRow {
        fingerprint: Vec<u8>,
        id: MessageId,
        ticket_id: Option<TicketId>,
    }
}

/// Which of these fingerprints are held, as which message, and on which ticket.
pub async fn held_fingerprints(
    tx: &mut Tx,
    fingerprints: Vec<Vec<u8>>,
) -> Result<HashMap<Vec<u8>, (MessageId, Option<TicketId>)>, StoreError> {
    let rows: Vec<FingerprintRow> = tx
        .fetch_all(HELD_FINGERPRINTS, (BytesList(fingerprints),))
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.fingerprint, (row.id, row.ticket_id)))
        .collect())
}

record! {
    struct HeaderIdRow {
        header_id: String,
        ticket_id: TicketId,
    }
}

/// The tickets that hold an answer to these Message-IDs, oldest answer first: an answer can be here
/// before the mail that it answers.
pub async fn holders_of_answers(
    tx: &mut Tx,
    header_ids: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, Vec<TicketId>>, StoreError> {
    fetch_holders(tx, HOLDERS_OF_ANSWERS, header_ids).await
}

/// The tickets on which these Message-IDs are held, newest message first.
pub async fn holders_of_header_ids(
    tx: &mut Tx,
    header_ids: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, Vec<TicketId>>, StoreError> {
    fetch_holders(tx, HOLDERS_OF_HEADER_IDS, header_ids).await
}

async fn fetch_holders(
    tx: &mut Tx,
    sql: Sql,
    header_ids: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, Vec<TicketId>>, StoreError> {
    let mut holders: HashMap<String, Vec<TicketId>> = HashMap::new();
    let ids = TextList(header_ids.into_iter().collect());
    if ids.0.is_empty() {
        return Ok(holders);
    }
    for HeaderIdRow {
        header_id,
        ticket_id,
    } in tx.fetch_all(sql, (ids,)).await?
    {
        holders.entry(header_id).or_default().push(ticket_id);
    }
    Ok(holders)
}
