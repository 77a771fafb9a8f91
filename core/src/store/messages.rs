//! Message rows and their attachments.

use std::collections::{HashMap, HashSet};

use super::{
    IdList, Sql, StoreError, TextList, Tx,
    bulk::{BulkRow, Cell, Kind},
    search,
    sql::{record, statements},
    tickets::texts_json as texts,
};
use crate::{
    clock::Timestamp,
    ids::{BlobId, CustomerId, MessageId, TicketId},
    mail::AttachmentInfo,
    permit::{ChangesTickets, Permit},
    search::document::{self, MessageText, Terms},
    tickets::{Delivery, Direction, Message, MessageKind},
    trust::SenderTrust,
};

statements! {
    SENT_WITH_IDS = Sql::per_backend(
        "SELECT header_id, id, ticket_id FROM messages WHERE direction = 'out'
            AND header_id IN (SELECT value FROM json_each($1))",
        "SELECT header_id, id, ticket_id FROM messages WHERE direction = 'out' AND header_id = ANY($1)");
    MARK_FAILED = Sql::per_backend(
        "UPDATE messages SET delivery = 'failed' WHERE id IN (SELECT unhex(value) FROM json_each($1))
            AND direction = 'out'",
        "UPDATE messages SET delivery = 'failed' WHERE id = ANY($1) AND direction = 'out'");
    OF_TICKET = Sql::same(
        "SELECT id, ticket_id, customer_id, direction, kind, header_id, author, author_name, subject, body,
            reply_text, sent_at, received_at, trust, findings, is_truncated, blob_id, delivery
         FROM messages WHERE ticket_id = $1 ORDER BY received_at, id");
    FIND = Sql::same(
        "SELECT id, ticket_id, customer_id, direction, kind, header_id, author, author_name, subject, body,
            reply_text, sent_at, received_at, trust, findings, is_truncated, blob_id, delivery
         FROM messages WHERE id = $1");
    ATTACHMENTS_OF = Sql::per_backend(
        "SELECT message_id, name, content_type, size, is_inline, blob_id FROM attachments
         WHERE message_id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY message_id, position",
        "SELECT message_id, name, content_type, size, is_inline, blob_id FROM attachments
         WHERE message_id = ANY($1) ORDER BY message_id, position");
    RECIPIENTS_OF_TICKET = Sql::same("SELECT id, recipients FROM messages WHERE ticket_id = $1");
    IDS_OF_TICKET = Sql::same("SELECT id FROM messages WHERE ticket_id = $1 ORDER BY received_at, id");
    MOVE_ALL = Sql::same("UPDATE messages SET ticket_id = $2 WHERE ticket_id = $1");
    MOVE_ONE = Sql::same("UPDATE messages SET ticket_id = $2 WHERE id = $1");
    /// By id, which is in the order of time, and has an index.
    ON_NO_TICKET = Sql::same(
        "SELECT id, ticket_id, customer_id, direction, kind, header_id, author, author_name, subject, body,
            reply_text, sent_at, received_at, trust, findings, is_truncated, blob_id, delivery
         FROM messages WHERE ticket_id IS NULL ORDER BY id DESC LIMIT $1");
    BIND_TO_CUSTOMER = Sql::same("UPDATE messages SET customer_id = $2 WHERE ticket_id = $1");
    COUNT = Sql::same("SELECT CAST(COUNT(*) AS BIGINT) FROM messages");
}

record! {
    struct Row {
        id: MessageId,
        ticket_id: Option<TicketId>,
        customer_id: Option<CustomerId>,
        direction: Direction,
        kind: MessageKind,
        header_id: Option<String>,
        author: String,
        author_name: Option<String>,
        subject: String,
        body: String,
        reply_text: String,
        sent_at: Option<Timestamp>,
        received_at: Timestamp,
        trust: Option<SenderTrust>,
        findings: String,
        is_truncated: bool,
        blob_id: Option<BlobId>,
        delivery: Delivery,
    }
}

impl TryFrom<Row> for Message {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            ticket_id: row.ticket_id,
            customer_id: row.customer_id,
            direction: row.direction,
            kind: row.kind,
            header_id: row.header_id,
            author: row.author,
            author_name: row.author_name,
            subject: row.subject,
            body: row.body,
            reply_text: row.reply_text,
            sent_at: row.sent_at,
            received_at: row.received_at,
            trust: row.trust,
            findings: super::tickets::parse_texts_json("messages", &row.findings)?,
            is_truncated: row.is_truncated,
            blob_id: row.blob_id,
            delivery: row.delivery,
        })
    }
}

record! {
    struct AttachmentRow {
        message_id: MessageId,
        name: String,
        content_type: String,
        size: i64,
        is_inline: bool,
        blob_id: Option<BlobId>,
    }
}

/// An attachment as it is stored.
#[derive(Clone, Debug)]
pub struct StoredAttachment {
    /// What is known of it.
    pub info: AttachmentInfo,
    /// Its bytes; `None` once they were removed.
    pub blob_id: Option<BlobId>,
}

/// A ticket's messages, oldest first.
pub async fn list_of_ticket(tx: &mut Tx, ticket: TicketId) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<Row> = tx.fetch_all(OF_TICKET, (ticket,)).await?;
    rows.into_iter().map(Message::try_from).collect()
}

/// The newest mails that are on no ticket.
pub async fn list_on_no_ticket(tx: &mut Tx, limit: i64) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<Row> = tx.fetch_all(ON_NO_TICKET, (limit,)).await?;
    rows.into_iter().map(Message::try_from).collect()
}

/// The message with this id.
pub async fn find(tx: &mut Tx, id: MessageId) -> Result<Option<Message>, StoreError> {
    tx.fetch_optional::<Row>(FIND, (id,))
        .await?
        .map(Message::try_from)
        .transpose()
}

/// What is attached to each of these messages.
pub async fn attachments(
    tx: &mut Tx,
    messages: impl IntoIterator<Item = MessageId>,
) -> Result<HashMap<MessageId, Vec<StoredAttachment>>, StoreError> {
    let ids = IdList(messages.into_iter().map(|id| id.0).collect());
    let mut found: HashMap<MessageId, Vec<StoredAttachment>> = HashMap::new();
    let rows: Vec<AttachmentRow> = tx.fetch_all(ATTACHMENTS_OF, (ids,)).await?;
    for AttachmentRow {
        message_id,
        name,
        content_type,
        size,
        is_inline,
        blob_id,
    } in rows
    {
        let size = u64::try_from(size).unwrap_or(0);
        let info = AttachmentInfo {
            name,
            content_type,
            size,
            inline: is_inline,
        };
        let stored = StoredAttachment { info, blob_id };
        found.entry(message_id).or_default().push(stored);
    }
    Ok(found)
}

/// Who stood in To and Cc of each message of a ticket, as written.
pub async fn recipients_of_ticket(
    tx: &mut Tx,
    ticket: TicketId,
) -> Result<HashMap<MessageId, Vec<String>>, StoreError> {
    let rows: Vec<(MessageId, String)> = tx.fetch_all(RECIPIENTS_OF_TICKET, (ticket,)).await?;
    rows.into_iter()
        .map(|(id, list)| Ok((id, super::tickets::parse_texts_json("messages", &list)?)))
        .collect()
}

/// How many messages are stored.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(tx.fetch_one::<(i64,)>("messages", COUNT, ()).await?.0)
}

/// A message to be inserted.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The message.
    pub message: Message,
    /// Sameness across roads; `None` for notes and our own mail.
    pub fingerprint: Option<[u8; 32]>,
    /// The Message-ID that it answers.
    pub in_reply_to: Option<String>,
    /// The recipients named in To and Cc.
    pub recipients: Vec<String>,
}

impl BulkRow for NewMessage {
    const TABLE: &'static str = "messages";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("ticket_id", Kind::Id),
        ("customer_id", Kind::Id),
        ("direction", Kind::Text),
        ("kind", Kind::Text),
        ("fingerprint", Kind::Bytes),
        ("header_id", Kind::Text),
        ("in_reply_to", Kind::Text),
        ("author", Kind::Text),
        ("author_name", Kind::Text),
        ("recipients", Kind::Text),
        ("subject", Kind::Text),
        ("body", Kind::Text),
        ("reply_text", Kind::Text),
        ("sent_at", Kind::Time),
        ("received_at", Kind::Time),
        ("trust", Kind::Text),
        ("findings", Kind::Text),
        ("is_truncated", Kind::Bool),
        ("blob_id", Kind::Id),
        ("delivery", Kind::Text),
    ];

    fn cells(self, out: &mut Vec<Cell>) {
        let m = self.message;
        out.extend([m.id.0.into(), m.ticket_id.map(|id| id.0).into()]);
        out.extend([
            m.customer_id.map(|id| id.0).into(),
            m.direction.as_str().into(),
        ]);
        out.extend([
            m.kind.as_str().into(),
            self.fingerprint.map(|f| f.to_vec()).into(),
        ]);
        out.extend([m.header_id.into(), self.in_reply_to.into()]);
        out.extend([m.author.into(), m.author_name.into()]);
        out.extend([
            texts(&self.recipients).into(),
            m.subject.into(),
            m.body.into(),
        ]);
        out.extend([m.reply_text.into(), m.sent_at.into(), m.received_at.into()]);
        out.extend([
            m.trust.map(SenderTrust::as_str).into(),
            texts(&m.findings).into(),
        ]);
        out.extend([m.is_truncated.into(), m.blob_id.map(|id| id.0).into()]);
        out.push(m.delivery.as_str().into());
    }
}

/// An attachment to be inserted.
#[derive(Clone, Debug)]
pub struct NewAttachment {
    /// The id.
    pub id: uuid::Uuid,
    /// On which message.
    pub message_id: MessageId,
    /// Its place among the message's attachments, from 0.
    pub position: i64,
    /// What it says of itself.
    pub info: AttachmentInfo,
    /// Its bytes.
    pub blob_id: BlobId,
}

impl BulkRow for NewAttachment {
    const TABLE: &'static str = "attachments";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("message_id", Kind::Id),
        ("position", Kind::Int),
        ("name", Kind::Text),
        ("content_type", Kind::Text),
        ("size", Kind::Int),
        ("is_inline", Kind::Bool),
        ("blob_id", Kind::Id),
    ];

    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([
            self.id.into(),
            self.message_id.0.into(),
            self.position.into(),
        ]);
        out.extend([self.info.name.into(), self.info.content_type.into()]);
        let size = i64::try_from(self.info.size).unwrap_or(i64::MAX);
        out.extend([size.into(), self.info.inline.into(), self.blob_id.0.into()]);
    }
}

/// Adds messages with their attachments.
pub async fn insert_many<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    messages: Vec<NewMessage>,
    attachments: Vec<NewAttachment>,
) -> Result<(), StoreError> {
    let documents = documents(&messages, &attachments);
    permit.insert_all(messages).await?;
    permit.insert_all(attachments).await?;
    search::index_messages(permit, documents).await
}

/// What is indexed of these messages: of those that are on a ticket.
fn documents(
    messages: &[NewMessage],
    attachments: &[NewAttachment],
) -> Vec<(MessageId, TicketId, Terms)> {
    let mut names: HashMap<MessageId, Vec<String>> = HashMap::new();
    let mut has_attached = HashSet::new();
    for attachment in attachments {
        let all = names.entry(attachment.message_id).or_default();
        all.push(attachment.info.name.clone());
        if !attachment.info.inline {
            has_attached.insert(attachment.message_id);
        }
    }
    let document = |new: &NewMessage| {
        let message = &new.message;
        let text = MessageText {
            subject: &message.subject,
            author: &message.author,
            author_name: message.author_name.as_deref(),
            recipients: &new.recipients,
            attachments: names
                .get(&message.id)
                .map(Vec::as_slice)
                .unwrap_or_default(),
            body: &message.body,
            has_attached: has_attached.contains(&message.id),
            is_internal: message.direction == Direction::Note,
        };
        let ticket = message.ticket_id?;
        Some((message.id, ticket, document::of_message(text)))
    };
    messages.iter().filter_map(document).collect()
}

/// The messages of a ticket, oldest first.
pub(in crate::store) async fn ids_of_ticket(
    tx: &mut Tx,
    ticket: TicketId,
) -> Result<Vec<MessageId>, StoreError> {
    let rows: Vec<(MessageId,)> = tx.fetch_all(IDS_OF_TICKET, (ticket,)).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Moves everything that was written on one ticket to another.
pub async fn move_all<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    from: TicketId,
    to: TicketId,
) -> Result<(), StoreError> {
    let moved = ids_of_ticket(permit, from).await?;
    permit.change().execute(MOVE_ALL, (from, to)).await?;
    search::index_messages_again(permit, &moved).await
}

/// Moves these messages to a ticket.
pub async fn move_some<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    messages: &[MessageId],
    to: TicketId,
) -> Result<(), StoreError> {
    for message in messages {
        permit
            .change()
            .execute_one("messages", MOVE_ONE, (*message, to))
            .await?;
    }
    search::index_messages_again(permit, messages).await
}

/// Counts a ticket's messages for another customer.
pub async fn bind_to_customer<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: TicketId,
    customer: Option<CustomerId>,
) -> Result<(), StoreError> {
    permit.check_ticket(ticket)?;
    permit
        .change()
        .execute(BIND_TO_CUSTOMER, (ticket, customer))
        .await
        .map(|_| ())
}

/// The mails of ours with these Message-IDs, and the tickets they are on.
pub async fn sent_with_ids(
    tx: &mut Tx,
    header_ids: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, (MessageId, Option<TicketId>)>, StoreError> {
    let ids = TextList(header_ids.into_iter().collect());
    if ids.0.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, MessageId, Option<TicketId>)> =
        tx.fetch_all(SENT_WITH_IDS, (ids,)).await?;
    Ok(rows
        .into_iter()
        .map(|(header, message, ticket)| (header, (message, ticket)))
        .collect())
}

/// Says of mails of ours that they did not arrive.
pub async fn mark_failed<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    messages: Vec<MessageId>,
) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    let ids = IdList(messages.into_iter().map(|id| id.0).collect());
    permit.execute(MARK_FAILED, (ids,)).await.map(|_| ())
}
