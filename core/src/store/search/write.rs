//! Keeping the index in step with what is stored.

use std::collections::{HashMap, HashSet};

use super::{
    super::{
        IdList, Sql, StoreError, Tx,
        bulk::{BulkRow, Cell, Kind},
        messages,
        sql::{record, statements},
        tickets as ticket_rows,
    },
    DOCUMENTS, FIRST_MESSAGE,
};
use crate::{
    ids::{MessageId, TicketId},
    permit::{ChangesTickets, KeepsSearch, Permit},
    search::document::{self, MessageText, Terms},
    tickets::{Direction, Ticket, TicketNumber},
};

statements! {
    COMPACT = Sql::per_backend(
        "INSERT INTO search_terms (search_terms) VALUES ('optimize')",
        "SELECT 1");
    /// Locked, because the next number of a ticket's documents is one more than its last.
    LAST_DOCUMENTS = Sql::per_backend(
        "SELECT t.id, t.number, (SELECT MAX(e.doc) FROM search_entries e
            WHERE e.doc >= t.number * 1048576 AND e.doc < (t.number + 1) * 1048576) AS last
         FROM tickets t WHERE t.id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY t.id",
        "SELECT t.id, t.number, (SELECT MAX(e.doc) FROM search_entries e
            WHERE e.doc >= t.number * 1048576 AND e.doc < (t.number + 1) * 1048576) AS last
         FROM tickets t WHERE t.id = ANY($1) ORDER BY t.id FOR UPDATE");
    TEXTS = Sql::per_backend(
        "SELECT id, ticket_id, direction, author, author_name, recipients, subject, body FROM messages
         WHERE id IN (SELECT unhex(value) FROM json_each($1)) AND ticket_id IS NOT NULL ORDER BY received_at, id",
        "SELECT id, ticket_id, direction, author, author_name, recipients, subject, body FROM messages
         WHERE id = ANY($1) AND ticket_id IS NOT NULL ORDER BY received_at, id");
    FORGET_TERMS = Sql::per_backend(
        "DELETE FROM search_terms WHERE rowid IN (SELECT doc FROM search_entries
            WHERE message_id IN (SELECT unhex(value) FROM json_each($1)))",
        "DELETE FROM search_terms WHERE rowid IN (SELECT doc FROM search_entries WHERE message_id = ANY($1))");
    FORGET_ENTRIES = Sql::per_backend(
        "DELETE FROM search_entries WHERE message_id IN (SELECT unhex(value) FROM json_each($1))",
        "DELETE FROM search_entries WHERE message_id = ANY($1)");
    FORGET_RANGE_TERMS = Sql::same("DELETE FROM search_terms WHERE rowid >= $1 AND rowid < $2");
    FORGET_RANGE = Sql::same("DELETE FROM search_entries WHERE doc >= $1 AND doc < $2");
    /// The newest first: they are looked for most.
    MISSING = Sql::same(
        "SELECT t.id FROM tickets t WHERE NOT EXISTS (SELECT 1 FROM search_entries e WHERE e.doc = t.number * 1048576)
         ORDER BY t.number DESC LIMIT $1");
    IS_COMPLETE = Sql::same("SELECT is_complete FROM search_state WHERE id = 1");
    COMPLETE = Sql::same("UPDATE search_state SET is_complete = TRUE WHERE id = 1");
}

/// What a document stands for.
#[derive(Clone, Debug)]
pub struct NewEntry {
    doc: i64,
    ticket_id: TicketId,
    message_id: Option<MessageId>,
}

impl BulkRow for NewEntry {
    const TABLE: &'static str = "search_entries";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("doc", Kind::Int),
        ("ticket_id", Kind::Id),
        ("message_id", Kind::Id),
    ];
    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([self.doc.into(), self.ticket_id.0.into()]);
        out.push(self.message_id.map(|id| id.0).into());
    }
}

/// A document's words.
#[derive(Clone, Debug)]
pub struct NewTerms {
    doc: i64,
    terms: Terms,
}

impl BulkRow for NewTerms {
    const TABLE: &'static str = "search_terms";
    const COLUMNS: &'static [(&'static str, Kind)] =
        &[("rowid", Kind::Int), ("terms", Kind::Terms)];
    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([self.doc.into(), Cell::Terms(self.terms)]);
    }
}

record! {
    struct LastDocument {
        id: TicketId,
        number: TicketNumber,
        last: Option<i64>,
    }
}

record! {
    struct TextRow {
        id: MessageId,
        ticket_id: TicketId,
        direction: Direction,
        author: String,
        author_name: Option<String>,
        recipients: String,
        subject: String,
        body: String,
    }
}

async fn insert(tx: &mut Tx, documents: Vec<(NewEntry, Terms)>) -> Result<(), StoreError> {
    let (mut entries, mut terms) = (Vec::new(), Vec::new());
    for (entry, words) in documents {
        terms.push(NewTerms {
            doc: entry.doc,
            terms: words,
        });
        entries.push(entry);
    }
    if !entries.is_empty() {
        tx.insert_many(entries).await?;
        tx.insert_many(terms).await?;
    }
    Ok(())
}

/// Indexes messages that are not indexed yet. Their tickets are stored.
pub(in crate::store) async fn index_messages(
    tx: &mut Tx,
    messages: Vec<(MessageId, TicketId, Terms)>,
) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    let tickets: HashSet<TicketId> = messages.iter().map(|(_, ticket, _)| *ticket).collect();
    let ids = IdList(tickets.into_iter().map(|id| id.0).collect());
    let rows: Vec<LastDocument> = tx.fetch_all(LAST_DOCUMENTS, (ids,)).await?;
    let next = |row: LastDocument| {
        let first = row.number.0 * DOCUMENTS + FIRST_MESSAGE;
        (row.id, row.last.map_or(first, |last| first.max(last + 1)))
    };
    let mut next: HashMap<TicketId, i64> = rows.into_iter().map(next).collect();
    let mut documents = Vec::with_capacity(messages.len());
    for (message, ticket_id, terms) in messages {
        let doc = next
            .get_mut(&ticket_id)
            .ok_or_else(|| StoreError::Inconsistent {
                table: "tickets",
                detail: format!("{ticket_id} has a message and is not there"),
            })?;
        let entry = NewEntry {
            doc: *doc,
            ticket_id,
            message_id: Some(message),
        };
        *doc += 1;
        documents.push((entry, terms));
    }
    insert(tx, documents).await
}

/// Indexes what the heads of new tickets say.
pub(in crate::store) async fn index_tickets(
    tx: &mut Tx,
    tickets: &[Ticket],
) -> Result<(), StoreError> {
    let document = |ticket: &Ticket| {
        let name = ticket.requester_name.as_deref();
        let entry = NewEntry {
            doc: ticket.number.0 * DOCUMENTS,
            ticket_id: ticket.id,
            message_id: None,
        };
        let terms = document::of_ticket(ticket.number, &ticket.subject, &ticket.requester, name);
        (entry, terms)
    };
    insert(tx, tickets.iter().map(document).collect()).await
}

async fn forget_range(tx: &mut Tx, from: i64, to: i64) -> Result<(), StoreError> {
    for sql in [FORGET_RANGE_TERMS, FORGET_RANGE] {
        tx.execute(sql, (from, to)).await?;
    }
    Ok(())
}

/// Indexes the tags that a ticket has now.
pub(in crate::store) async fn index_tags(tx: &mut Tx, id: TicketId) -> Result<(), StoreError> {
    let Some(ticket) = ticket_rows::find(tx, id).await? else {
        return Ok(());
    };
    let doc = ticket.number.0 * DOCUMENTS + 1;
    forget_range(tx, doc, doc + 1).await?;
    let tags = ticket_rows::tags(tx, [id]).await?.remove(&id);
    let entry = NewEntry {
        doc,
        ticket_id: id,
        message_id: None,
    };
    let document = tags.map(|tags| (entry, document::of_tags(&tags)));
    insert(tx, document.into_iter().collect()).await
}

/// Indexes these messages as they are stored now, on the tickets that they are on now.
pub(in crate::store) async fn index_messages_again(
    tx: &mut Tx,
    messages: &[MessageId],
) -> Result<(), StoreError> {
    forget_in(tx, messages).await?;
    let ids = IdList(messages.iter().map(|id| id.0).collect());
    let rows: Vec<TextRow> = tx.fetch_all(TEXTS, (ids,)).await?;
    let mut attached = messages::attachments(tx, messages.iter().copied()).await?;
    let mut documents = Vec::with_capacity(rows.len());
    for row in rows {
        let recipients = ticket_rows::parse_texts_json("messages", &row.recipients)?;
        let attachments = attached.remove(&row.id).unwrap_or_default();
        let has_attached = attachments.iter().any(|one| !one.info.inline);
        let attachments: Vec<String> = attachments.into_iter().map(|one| one.info.name).collect();
        let terms = document::of_message(MessageText {
            subject: &row.subject,
            author: &row.author,
            author_name: row.author_name.as_deref(),
            recipients: &recipients,
            attachments: &attachments,
            body: &row.body,
            has_attached,
            is_internal: row.direction == Direction::Note,
        });
        documents.push((row.id, row.ticket_id, terms));
    }
    index_messages(tx, documents).await
}

async fn forget_in(tx: &mut Tx, messages: &[MessageId]) -> Result<(), StoreError> {
    let ids = || IdList(messages.iter().map(|id| id.0).collect());
    tx.execute(FORGET_TERMS, (ids(),)).await?;
    tx.execute(FORGET_ENTRIES, (ids(),)).await?;
    Ok(())
}

/// Takes every word of these messages out of the index: before they are deleted.
pub async fn forget<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    messages: &[MessageId],
) -> Result<(), StoreError> {
    forget_in(permit, messages).await
}

/// Indexes these messages as they are stored now: after their texts were changed.
pub async fn index_again<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    messages: &[MessageId],
) -> Result<(), StoreError> {
    index_messages_again(permit, messages).await
}

/// Indexes a whole ticket as it is stored now: head, tags and messages.
pub async fn index_ticket_again<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: TicketId,
) -> Result<(), StoreError> {
    index_whole(permit, ticket).await
}

async fn index_whole(tx: &mut Tx, id: TicketId) -> Result<(), StoreError> {
    let Some(ticket) = ticket_rows::find(tx, id).await? else {
        return Ok(());
    };
    let from = ticket.number.0 * DOCUMENTS;
    forget_range(tx, from, from + DOCUMENTS).await?;
    index_tickets(tx, std::slice::from_ref(&ticket)).await?;
    index_tags(tx, id).await?;
    let ids = messages::ids_of_ticket(tx, id).await?;
    index_messages_again(tx, &ids).await
}

/// Writes the index anew without what was forgotten, which it otherwise keeps, unseen, for a while. Takes as
/// long as the index is large.
pub async fn compact<A: ChangesTickets>(permit: &mut Permit<'_, A>) -> Result<(), StoreError> {
    permit.execute(COMPACT, ()).await.map(|_| ())
}

/// Takes a ticket with all of its documents out of the index: before it is deleted.
pub async fn forget_ticket<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    number: TicketNumber,
) -> Result<(), StoreError> {
    forget_range(permit, number.0 * DOCUMENTS, (number.0 + 1) * DOCUMENTS).await
}

/// Whether everything that is stored is in the index.
pub async fn is_complete(tx: &mut Tx) -> Result<bool, StoreError> {
    let (is_complete,) = tx
        .fetch_one::<(bool,)>("search_state", IS_COMPLETE, ())
        .await?;
    Ok(is_complete)
}

/// Indexes at most `limit` tickets that the index lacks, each with all that is on it. Returns how
/// many there were.
pub async fn fill<A: KeepsSearch>(
    permit: &mut Permit<'_, A>,
    limit: i64,
) -> Result<usize, StoreError> {
    let rows: Vec<(TicketId,)> = permit.fetch_all(MISSING, (limit,)).await?;
    let tickets = ticket_rows::list_locked(permit, rows.iter().map(|(id,)| *id)).await?;
    for ticket in &tickets {
        index_whole(permit, ticket.id).await?;
    }
    Ok(tickets.len())
}

/// Says that everything that is stored is in the index.
pub async fn mark_as_complete<A: KeepsSearch>(
    permit: &mut Permit<'_, A>,
) -> Result<(), StoreError> {
    permit.execute(COMPLETE, ()).await.map(|_| ())
}
