//! What must be kept, and what has been kept long enough.

use super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    audit::Field,
    clock::Timestamp,
    customers::Slug,
    ids::{AuditId, CustomerId, HoldId, MessageId, TicketId},
    permit::{KeepsRecords, Permit},
    tickets::TicketNumber,
};

macro_rules! holds {
    ($rest:literal) => {
        concat!(
            "SELECT h.id, k.slug AS customer, t.number AS ticket, h.reason, h.set_at, h.set_by, h.lifted_at,
                h.lifted_by, h.lift_reason
             FROM legal_holds h LEFT JOIN customers k ON k.id = h.customer_id
                LEFT JOIN tickets t ON t.id = h.ticket_id ",
            $rest
        )
    };
}

statements! {
    HOLDS = Sql::same(holds!("ORDER BY h.set_at, h.id"));
    HOLDS_ON_TICKET = Sql::same(holds!(
        "WHERE h.lifted_at IS NULL AND (h.ticket_id = $1
            OR h.customer_id = (SELECT customer_id FROM tickets WHERE id = $1)) ORDER BY h.set_at, h.id"));
    HOLDS_ON_CUSTOMER = Sql::same(holds!(
        "WHERE h.lifted_at IS NULL AND (h.customer_id = $1
            OR h.ticket_id IN (SELECT id FROM tickets WHERE customer_id = $1)) ORDER BY h.set_at, h.id"));
    INSERT_HOLD = Sql::same(
        "INSERT INTO legal_holds (id, customer_id, ticket_id, reason, set_at, set_by)
         VALUES ($1, $2, $3, $4, $5, $6)");
    LIFT = Sql::same(
        "UPDATE legal_holds SET lifted_at = $2, lifted_by = $3, lift_reason = $4
         WHERE id = $1 AND lifted_at IS NULL");
    /// An empty tier is that of tickets that are nobody's.
    DUE_TICKETS = Sql::same(
        "SELECT t.id, t.number, k.slug AS customer, t.updated_at FROM tickets t
            LEFT JOIN customers k ON k.id = t.customer_id
         WHERE COALESCE(t.tier, '') = $1 AND t.status IN ('resolved', 'closed') AND t.updated_at < $2
            AND (t.removed_at IS NULL OR t.removed_at < t.updated_at)
         ORDER BY t.updated_at, t.id");
    /// A letter of nine bytes is `(removed)`: [`super::removal::is_blank`].
    DUE_RAW = Sql::same(
        "SELECT t.id, t.number, k.slug AS customer, t.updated_at FROM tickets t
            LEFT JOIN customers k ON k.id = t.customer_id
         WHERE COALESCE(t.tier, '') = $1 AND t.status IN ('resolved', 'closed') AND t.updated_at < $2
            AND (t.removed_at IS NULL OR t.removed_at < t.updated_at)
            AND EXISTS (SELECT 1 FROM messages m WHERE m.ticket_id = t.id AND (m.blob_id IS NOT NULL
                OR EXISTS (SELECT 1 FROM attachments a WHERE a.message_id = m.id AND a.blob_id IS NOT NULL)
                OR EXISTS (SELECT 1 FROM outgoing o JOIN blobs b ON b.id = o.blob_id
                    WHERE o.message_id = m.id AND b.size > 9)))
         ORDER BY t.updated_at, t.id");
    DUE_RECORDED = Sql::same(
        "SELECT m.id, m.customer_id FROM messages m LEFT JOIN customers k ON k.id = m.customer_id
         WHERE m.ticket_id IS NULL AND COALESCE(k.tier, '') = $1 AND m.received_at < $2
            AND m.removed_at IS NULL
         ORDER BY m.id");
    RECORDED_OF = Sql::same(
        "SELECT id, customer_id FROM messages WHERE ticket_id IS NULL AND customer_id = $1 ORDER BY id");
    KEEP_HOLDS_OUT = Sql::per_backend(
        "SELECT id FROM customers WHERE id = (SELECT customer_id FROM tickets WHERE id = $1)",
        "SELECT id FROM customers WHERE id = (SELECT customer_id FROM tickets WHERE id = $1) FOR SHARE");
    KEEP_HOLDS_OUT_OF = Sql::per_backend(
        "SELECT id FROM customers WHERE id = $1",
        "SELECT id FROM customers WHERE id = $1 FOR SHARE");
    LOCK_FOR_HOLD = Sql::per_backend(
        "SELECT id FROM customers WHERE id = $1",
        "SELECT id FROM customers WHERE id = $1 FOR UPDATE");
    /// Entries hold `"value":null` once their values are erased.
    OLD_ENTRIES = Sql::per_backend(
        "SELECT id, at, subject, fields FROM audit_entries
         WHERE at < $1 AND seq IS NOT NULL AND instr(fields, '\"value\":\"') > 0 AND id > $2 ORDER BY id LIMIT 500",
        "SELECT id, at, subject, fields FROM audit_entries
         WHERE at < $1 AND seq IS NOT NULL AND strpos(fields, '\"value\":\"') > 0 AND id > $2 ORDER BY id LIMIT 500");
    ENTRIES_NAMING = Sql::per_backend(
        "SELECT id, at, subject, fields FROM audit_entries WHERE instr(fields, $1) > 0 ORDER BY id",
        "SELECT id, at, subject, fields FROM audit_entries WHERE strpos(fields, $1) > 0 ORDER BY id");
    SET_FIELDS = Sql::same("UPDATE audit_entries SET fields = $2 WHERE id = $1");
}

record! {
    /// Why something must be kept.
    #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
    pub struct Hold {
        /// The id.
        pub id: HoldId,
        /// All of this customer.
        pub customer: Option<Slug>,
        /// This ticket.
        pub ticket: Option<TicketNumber>,
        /// Why.
        pub reason: String,
        /// Since when.
        pub set_at: Timestamp,
        /// By whom.
        pub set_by: String,
        /// Until when; `None` while it holds.
        pub lifted_at: Option<Timestamp>,
        /// By whom.
        pub lifted_by: Option<String>,
        /// Why.
        pub lift_reason: Option<String>,
    }
}

record! {
    /// A ticket that was kept long enough.
    #[derive(Clone, Debug)]
    pub struct DueTicket {
        /// The id.
        pub id: TicketId,
        /// What people call it.
        pub number: TicketNumber,
        /// Whose it is.
        pub customer: Option<Slug>,
        /// When it last changed.
        pub updated_at: Timestamp,
    }
}

record! {
    /// A mail that is on no ticket.
    #[derive(Clone, Copy, Debug)]
    pub struct Recorded {
        /// The message.
        pub id: MessageId,
        /// Whose it is, by its sender's domain.
        pub customer_id: Option<CustomerId>,
    }
}

record! {
    struct EntryRow {
        id: AuditId,
        at: Timestamp,
        subject: String,
        fields: String,
    }
}

/// An audit entry with values that can be erased.
#[derive(Clone, Debug)]
pub struct OldEntry {
    /// The id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// To what something was done.
    pub subject: String,
    /// The particulars.
    pub fields: Vec<Field>,
}

/// Every hold, lifted ones too, oldest first.
pub async fn holds(tx: &mut Tx) -> Result<Vec<Hold>, StoreError> {
    tx.fetch_all(HOLDS, ()).await
}

/// What keeps this ticket, by itself or through its customer.
pub async fn holds_on_ticket(tx: &mut Tx, ticket: TicketId) -> Result<Vec<Hold>, StoreError> {
    tx.fetch_all(HOLDS_ON_TICKET, (ticket,)).await
}

/// What keeps this customer, or any of their tickets.
pub async fn holds_on_customer(tx: &mut Tx, customer: CustomerId) -> Result<Vec<Hold>, StoreError> {
    tx.fetch_all(HOLDS_ON_CUSTOMER, (customer,)).await
}

/// Sets a hold on a customer or on a ticket.
pub async fn insert_hold<A: KeepsRecords>(
    permit: &mut Permit<'_, A>,
    customer: Option<CustomerId>,
    ticket: Option<TicketId>,
    reason: &str,
) -> Result<HoldId, StoreError> {
    if let Some(customer) = customer {
        // Whoever removes something of theirs now is waited for, and whoever comes later sees this.
        permit
            .fetch_all::<(CustomerId,)>(LOCK_FOR_HOLD, (customer,))
            .await?;
    }
    let id: HoldId = permit.new_id();
    let values = (
        id,
        customer,
        ticket,
        reason.to_owned(),
        permit.now(),
        permit.actor().to_owned(),
    );
    permit
        .change()
        .execute_one("legal_holds", INSERT_HOLD, values)
        .await?;
    Ok(id)
}

/// Lifts a hold. Returns whether it held.
pub async fn lift<A: KeepsRecords>(
    permit: &mut Permit<'_, A>,
    id: HoldId,
    reason: &str,
) -> Result<bool, StoreError> {
    let values = (
        id,
        permit.now(),
        permit.actor().to_owned(),
        reason.to_owned(),
    );
    Ok(permit.change().execute(LIFT, values).await? == 1)
}

/// Tickets of a tier (an empty one: of nobody) that were over before `before`, oldest first.
pub async fn due_tickets(
    tx: &mut Tx,
    tier: &str,
    before: Timestamp,
) -> Result<Vec<DueTicket>, StoreError> {
    tx.fetch_all(DUE_TICKETS, (tier.to_owned(), before)).await
}

/// The same for those that still have raw mail or attachments.
pub async fn due_raw(
    tx: &mut Tx,
    tier: &str,
    before: Timestamp,
) -> Result<Vec<DueTicket>, StoreError> {
    tx.fetch_all(DUE_RAW, (tier.to_owned(), before)).await
}

/// Mails on no ticket of customers of a tier (an empty one: of nobody) that came before `before`.
pub async fn due_recorded(
    tx: &mut Tx,
    tier: &str,
    before: Timestamp,
) -> Result<Vec<Recorded>, StoreError> {
    tx.fetch_all(DUE_RECORDED, (tier.to_owned(), before)).await
}

/// Mails on no ticket that are this customer's.
pub async fn recorded_of(tx: &mut Tx, customer: CustomerId) -> Result<Vec<Recorded>, StoreError> {
    tx.fetch_all(RECORDED_OF, (customer,)).await
}

/// Until this unit of work ends, no hold is set on the customer of this ticket.
pub async fn keep_holds_out(tx: &mut Tx, ticket: TicketId) -> Result<(), StoreError> {
    tx.fetch_all::<(CustomerId,)>(KEEP_HOLDS_OUT, (ticket,))
        .await?;
    Ok(())
}

/// The same for a customer.
pub async fn keep_holds_out_of(tx: &mut Tx, customer: CustomerId) -> Result<(), StoreError> {
    tx.fetch_all::<(CustomerId,)>(KEEP_HOLDS_OUT_OF, (customer,))
        .await?;
    Ok(())
}

fn entries(rows: Vec<EntryRow>) -> Vec<OldEntry> {
    let read = rows.into_iter().filter_map(|row| {
        let fields = serde_json::from_str(&row.fields).ok()?;
        Some(OldEntry {
            id: row.id,
            at: row.at,
            subject: row.subject,
            fields,
        })
    });
    read.collect()
}

/// Sealed audit entries before an instant that still hold values, a page at a time behind `after`.
pub async fn old_entries(
    tx: &mut Tx,
    before: Timestamp,
    after: AuditId,
) -> Result<Vec<OldEntry>, StoreError> {
    Ok(entries(tx.fetch_all(OLD_ENTRIES, (before, after)).await?))
}

/// Audit entries in whose values a text stands.
pub async fn entries_naming(tx: &mut Tx, text: &str) -> Result<Vec<OldEntry>, StoreError> {
    let rows = tx.fetch_all(ENTRIES_NAMING, (text.to_owned(),)).await?;
    Ok(entries(rows))
}

/// Writes an entry's fields after values were erased from it. The chain commits to their hashes, which stay.
pub async fn set_fields<A: KeepsRecords>(
    permit: &mut Permit<'_, A>,
    entry: &OldEntry,
) -> Result<(), StoreError> {
    let fields = serde_json::json!(entry.fields).to_string();
    permit
        .change()
        .execute_one("audit_entries", SET_FIELDS, (entry.id, fields))
        .await
}
