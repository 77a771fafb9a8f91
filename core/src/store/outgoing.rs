//! Letters that leave, one row a recipient, and what a reply did to its ticket.

use std::time::Duration;

use super::{
    Sql, StoreError, Tx,
    bulk::{BulkRow, Cell, Kind},
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{BlobId, CustomerId, MessageId, OutgoingId, TicketId},
    outgoing::{LetterKind, OutgoingState},
    permit::{ChangesTickets, KeepsOutbox, Permit},
    tickets::Delivery,
};

macro_rules! columns {
    () => {
        "id, message_id, ticket_id, customer_id, kind, sender, recipient, domain, blob_id, state, reason,
         attempts, doubts, created_at, leave_at, tried_at, ended_at"
    };
}

statements! {
    GET = Sql::same(concat!("SELECT ", columns!(), " FROM outgoing WHERE id = $1"));
    OF_MESSAGE = Sql::same(concat!(
        "SELECT ", columns!(), " FROM outgoing WHERE message_id = $1 ORDER BY recipient, id"));
    OF_TICKET = Sql::same(concat!(
        "SELECT ", columns!(), " FROM outgoing WHERE ticket_id = $1 ORDER BY created_at, id"));
    OPEN = Sql::same(concat!(
        "SELECT ", columns!(), " FROM outgoing WHERE state IN ('held', 'waiting', 'sending')
         ORDER BY created_at, id LIMIT $1"));
    LATEST = Sql::same(concat!(
        "SELECT ", columns!(), " FROM outgoing ORDER BY created_at DESC, id DESC LIMIT $1"));
    /// One that is being sent already was cut off: whether it arrived is not known.
    BEGIN = Sql::same(
        "UPDATE outgoing SET doubts = doubts + CASE WHEN state = 'sending' THEN 1 ELSE 0 END,
            state = 'sending', attempts = attempts + 1, tried_at = $2
         WHERE id = $1 AND state IN ('waiting', 'sending', 'failed')");
    SETTLE = Sql::same(
        "UPDATE outgoing SET state = $2, reason = $3, ended_at = $4 WHERE id = $1 AND state = 'sending'");
    CAME_BACK = Sql::same(
        "UPDATE outgoing SET state = 'failed', reason = $2, ended_at = $3 WHERE id = $1 AND state = 'sent'");
    PUT_BACK = Sql::same(
        "UPDATE outgoing SET state = 'waiting', reason = $2, doubts = doubts + $3
         WHERE id = $1 AND state = 'sending'");
    RELEASE = Sql::same(
        "UPDATE outgoing SET state = 'waiting', reason = NULL, leave_at = $2 WHERE id = $1 AND state = 'held'");
    UNDO = Sql::same(
        "UPDATE outgoing SET state = 'undone', ended_at = $2
         WHERE message_id = $1 AND state IN ('held', 'waiting') AND attempts = 0");
    DELIVERY = Sql::same("UPDATE messages SET delivery = $2 WHERE id = $1 AND direction = 'out'");
    RECEIPTS_TO = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM outgoing
         WHERE kind = 'receipt' AND recipient = $1 AND created_at > $2 AND state <> 'undone'");
    RECEIPTS_TO_DOMAIN = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM outgoing
         WHERE kind = 'receipt' AND domain = $1 AND created_at > $2 AND state <> 'undone'");
    LETTERS_TO = Sql::same(
        "SELECT o.kind, o.created_at, o.ended_at FROM tickets t JOIN outgoing o ON o.ticket_id = t.id
         WHERE t.requester = $1 AND o.recipient = $1 AND o.created_at > $2 AND o.state <> 'undone'
         ORDER BY o.created_at DESC LIMIT $3");
    SAID_BEFORE = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM outgoing o JOIN messages m ON m.ticket_id = o.ticket_id
         WHERE o.kind = 'receipt' AND o.recipient = $1 AND o.created_at > $2 AND o.state <> 'undone'
            AND m.direction = 'in' AND m.id <> $3 AND m.reply_text = $4");
    HAS_RECEIPT = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM outgoing WHERE ticket_id = $1 AND kind = 'receipt'");
    INSERT_REPLY = Sql::same(
        "INSERT INTO replies (message_id, ticket_id, leave_at, ticket_before, ticket_version)
         VALUES ($1, $2, $3, $4, $5)");
    LAST_REPLY = Sql::same(
        "SELECT message_id, ticket_id, leave_at, ticket_before, ticket_version FROM replies
         WHERE ticket_id = $1 AND undone_at IS NULL ORDER BY leave_at DESC, message_id DESC LIMIT 1");
    MARK_UNDONE = Sql::same(
        "UPDATE replies SET undone_at = $2 WHERE message_id = $1 AND undone_at IS NULL");
    UNDONE_MESSAGE = Sql::same(
        "UPDATE messages SET direction = 'note', delivery = 'none', header_id = NULL, findings = $2
         WHERE id = $1 AND direction = 'out'");
    MOVE_ALL = Sql::same("UPDATE outgoing SET ticket_id = $2 WHERE ticket_id = $1");
    MOVE_REPLIES = Sql::same("UPDATE replies SET ticket_id = $2 WHERE ticket_id = $1");
    MOVE_OF_MESSAGE = Sql::same("UPDATE outgoing SET ticket_id = $2 WHERE message_id = $1");
    MOVE_REPLY = Sql::same("UPDATE replies SET ticket_id = $2 WHERE message_id = $1");
    COUNT_DOUBTS = Sql::same(
        "SELECT CAST(COALESCE(SUM(doubts), 0) AS BIGINT) FROM outgoing");
}

record! {
    /// A letter to one recipient.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Outgoing {
        /// The id.
        pub id: OutgoingId,
        /// The message on the ticket.
        pub message_id: MessageId,
        /// The ticket.
        pub ticket_id: TicketId,
        /// Whose ticket it is.
        pub customer_id: Option<CustomerId>,
        /// What it is.
        pub kind: LetterKind,
        /// The envelope sender.
        pub sender: String,
        /// The envelope recipient.
        pub recipient: String,
        /// Their domain.
        pub domain: String,
        /// Its bytes.
        pub blob_id: BlobId,
        /// Where it stands.
        pub state: OutgoingState,
        /// Why it is held or was refused, or what went wrong at the last try: the other side's words.
        pub reason: Option<String>,
        /// How often it was tried.
        pub attempts: i64,
        /// How often a try was cut off, so that it may have arrived once more than is known.
        pub doubts: i64,
        /// When it was written.
        pub created_at: Timestamp,
        /// When it leaves at the earliest.
        pub leave_at: Timestamp,
        /// When it was last tried.
        pub tried_at: Option<Timestamp>,
        /// When nothing more was to become of it.
        pub ended_at: Option<Timestamp>,
    }
}

impl BulkRow for Outgoing {
    const TABLE: &'static str = "outgoing";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("message_id", Kind::Id),
        ("ticket_id", Kind::Id),
        ("customer_id", Kind::Id),
        ("kind", Kind::Text),
        ("sender", Kind::Text),
        ("recipient", Kind::Text),
        ("domain", Kind::Text),
        ("blob_id", Kind::Id),
        ("state", Kind::Text),
        ("reason", Kind::Text),
        ("attempts", Kind::Int),
        ("doubts", Kind::Int),
        ("created_at", Kind::Time),
        ("leave_at", Kind::Time),
        ("tried_at", Kind::Time),
        ("ended_at", Kind::Time),
    ];

    fn cells(self, out: &mut Vec<Cell>) {
        out.extend([
            self.id.0.into(),
            self.message_id.0.into(),
            self.ticket_id.0.into(),
        ]);
        out.extend([
            self.customer_id.map(|id| id.0).into(),
            self.kind.as_str().into(),
        ]);
        out.extend([
            self.sender.into(),
            self.recipient.into(),
            self.domain.into(),
        ]);
        out.extend([
            self.blob_id.0.into(),
            self.state.as_str().into(),
            self.reason.into(),
        ]);
        out.extend([self.attempts.into(), self.doubts.into()]);
        out.extend([self.created_at.into(), self.leave_at.into()]);
        out.extend([self.tried_at.into(), self.ended_at.into()]);
    }
}

/// Adds letters.
pub async fn insert_many<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    letters: Vec<Outgoing>,
) -> Result<(), StoreError> {
    permit.insert_all(letters).await.map(|_| ())
}

/// The letter with this id.
pub async fn find(tx: &mut Tx, id: OutgoingId) -> Result<Option<Outgoing>, StoreError> {
    tx.fetch_optional(GET, (id,)).await
}

/// The letters of one message.
pub async fn of_message(tx: &mut Tx, message: MessageId) -> Result<Vec<Outgoing>, StoreError> {
    tx.fetch_all(OF_MESSAGE, (message,)).await
}

/// Every letter about a ticket, oldest first.
pub async fn of_ticket(tx: &mut Tx, ticket: TicketId) -> Result<Vec<Outgoing>, StoreError> {
    tx.fetch_all(OF_TICKET, (ticket,)).await
}

/// Letters of which something may still become, oldest first.
pub async fn list_open(tx: &mut Tx, limit: i64) -> Result<Vec<Outgoing>, StoreError> {
    tx.fetch_all(OPEN, (limit,)).await
}

/// The latest letters, whatever became of them, newest first.
pub async fn list_latest(tx: &mut Tx, limit: i64) -> Result<Vec<Outgoing>, StoreError> {
    tx.fetch_all(LATEST, (limit,)).await
}

/// How many tries were cut off, of all letters: so many may have arrived twice.
pub async fn count_doubts(tx: &mut Tx) -> Result<i64, StoreError> {
    let (doubts,): (i64,) = tx.fetch_one("outgoing", COUNT_DOUBTS, ()).await?;
    Ok(doubts)
}

/// Says that a letter is about to be handed over. Returns whether it may.
pub async fn begin<A: KeepsOutbox>(
    permit: &mut Permit<'_, A>,
    id: OutgoingId,
) -> Result<bool, StoreError> {
    let now = permit.now();
    Ok(permit.execute(BEGIN, (id, now)).await? == 1)
}

/// Says that a letter could not be handed over, as far as is known, and is tried again.
pub async fn put_back<A: KeepsOutbox>(
    permit: &mut Permit<'_, A>,
    id: OutgoingId,
    reason: &str,
    may_have_arrived: bool,
) -> Result<(), StoreError> {
    let values = (id, reason.to_owned(), i64::from(may_have_arrived));
    permit.execute_one("outgoing", PUT_BACK, values).await
}

/// Says what became of a letter.
pub async fn settle<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    id: OutgoingId,
    state: OutgoingState,
    words: &str,
) -> Result<(), StoreError> {
    let values = (id, state, words.to_owned(), permit.now());
    permit
        .change()
        .execute_one("outgoing", SETTLE, values)
        .await
}

/// Says of a letter that a relay had taken that it came back.
pub async fn mark_returned<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    id: OutgoingId,
    words: &str,
) -> Result<(), StoreError> {
    let values = (id, words.to_owned(), permit.now());
    permit
        .change()
        .execute_one("outgoing", CAME_BACK, values)
        .await
}

/// Lets a held letter go at `leave_at`. Returns whether it was held.
pub async fn release<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    id: OutgoingId,
    leave_at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(permit.change().execute(RELEASE, (id, leave_at)).await? == 1)
}

/// Says how a message of ours fared as a whole.
pub async fn set_delivery<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    message: MessageId,
    delivery: Delivery,
) -> Result<(), StoreError> {
    permit
        .change()
        .execute(DELIVERY, (message, delivery))
        .await
        .map(|_| ())
}

/// How many receipts this address, and its domain, got in the last `span`.
pub async fn count_receipts(
    tx: &mut Tx,
    recipient: &str,
    domain: &str,
    span: Duration,
) -> Result<(i64, i64), StoreError> {
    let since = tx.now().minus(span);
    let values = (recipient.to_owned(), since);
    let (address,): (i64,) = tx.fetch_one("outgoing", RECEIPTS_TO, values).await?;
    let values = (domain.to_owned(), since);
    let (domain,): (i64,) = tx.fetch_one("outgoing", RECEIPTS_TO_DOMAIN, values).await?;
    Ok((address, domain))
}

/// Letters to this address on its own tickets in the last `span`: what they are, when they were written, and when
/// they had left; the latest `limit`.
pub async fn recent_letters(
    tx: &mut Tx,
    recipient: &str,
    span: Duration,
    limit: i64,
) -> Result<Vec<(LetterKind, Timestamp, Option<Timestamp>)>, StoreError> {
    let since = tx.now().minus(span);
    tx.fetch_all(LETTERS_TO, (recipient.to_owned(), since, limit))
        .await
}

/// Whether a mail on a ticket of which this address was told in the last `span` says the same as this message.
pub async fn was_said_before(
    tx: &mut Tx,
    recipient: &str,
    span: Duration,
    message: MessageId,
    text: &str,
) -> Result<bool, StoreError> {
    let since = tx.now().minus(span);
    let values = (recipient.to_owned(), since, message, text.to_owned());
    let (count,): (i64,) = tx.fetch_one("outgoing", SAID_BEFORE, values).await?;
    Ok(count > 0)
}

/// Whether a receipt for this ticket was written.
pub async fn has_receipt(tx: &mut Tx, ticket: TicketId) -> Result<bool, StoreError> {
    let (count,): (i64,) = tx.fetch_one("outgoing", HAS_RECEIPT, (ticket,)).await?;
    Ok(count > 0)
}

record! {
    /// What is needed to take a reply back.
    #[derive(Clone, Debug)]
    pub struct Reply {
        /// The message.
        pub message_id: MessageId,
        /// The ticket.
        pub ticket_id: TicketId,
        /// Until then it can be taken back.
        pub leave_at: Timestamp,
        /// What the ticket was like before, JSON (`desk::reply`).
        pub ticket_before: String,
        /// The ticket's version behind it: another one means that somebody changed it since.
        pub ticket_version: i64,
    }
}

/// Remembers what a reply did to its ticket.
pub async fn insert_reply<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    reply: Reply,
) -> Result<(), StoreError> {
    let Reply {
        message_id,
        ticket_id,
        leave_at,
        ticket_before,
        ticket_version,
    } = reply;
    let values = (
        message_id,
        ticket_id,
        leave_at,
        ticket_before,
        ticket_version,
    );
    permit
        .change()
        .execute_one("replies", INSERT_REPLY, values)
        .await
}

/// The last reply on a ticket that was not taken back.
pub async fn last_reply(tx: &mut Tx, ticket: TicketId) -> Result<Option<Reply>, StoreError> {
    tx.fetch_optional(LAST_REPLY, (ticket,)).await
}

/// Takes a reply back: its letters stay behind, and its text becomes a note with `findings`. Returns
/// how many letters that were.
pub async fn undo<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    message: MessageId,
    findings: &[String],
) -> Result<u64, StoreError> {
    let now = permit.now();
    let undone = permit.change().execute(UNDO, (message, now)).await?;
    permit
        .change()
        .execute_one("replies", MARK_UNDONE, (message, now))
        .await?;
    let findings = super::tickets::texts_json(findings);
    permit
        .change()
        .execute_one("messages", UNDONE_MESSAGE, (message, findings))
        .await?;
    // What customers never see is told apart in the index.
    super::search::index_again(permit, &[message]).await?;
    Ok(undone)
}

/// Moves every letter about one ticket to another.
pub async fn move_all<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    from: TicketId,
    to: TicketId,
) -> Result<(), StoreError> {
    for sql in [MOVE_ALL, MOVE_REPLIES] {
        permit.change().execute(sql, (from, to)).await?;
    }
    Ok(())
}

/// Moves the letters of these messages to a ticket.
pub async fn move_of_messages<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    messages: &[MessageId],
    to: TicketId,
) -> Result<(), StoreError> {
    for message in messages {
        for sql in [MOVE_OF_MESSAGE, MOVE_REPLY] {
            permit.change().execute(sql, (*message, to)).await?;
        }
    }
    Ok(())
}
