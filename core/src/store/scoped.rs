//! Reading for one customer. A [`ScopedTx`] has no way to name another customer, and in
//! PostgreSQL row-level security holds the same line underneath.
//!
//! Whatever is made *for* a customer (a receipt, an answer, their own pages) reads through this.

use super::{
    Sql, StoreError, TextList, Tx,
    search::{self, Audience, Sort},
    sql::{record, statements},
};
use crate::{
    ids::CustomerId,
    search::Query,
    tickets::{Status, TicketNumber},
};

statements! {
    TICKETS = Sql::same(
        "SELECT number, subject, status FROM tickets WHERE customer_id = $1 ORDER BY number");
    BODIES = Sql::same(
        "SELECT m.body FROM messages m JOIN tickets t ON t.id = m.ticket_id
         WHERE t.customer_id = $1 AND m.customer_id = $1 AND t.number = $2 AND m.direction <> 'note'
         ORDER BY m.received_at, m.id");
    OF_NUMBERS = Sql::per_backend(
        "SELECT number, subject, status FROM tickets WHERE customer_id = $1
            AND number IN (SELECT CAST(value AS INTEGER) FROM json_each($2))",
        "SELECT number, subject, status FROM tickets WHERE customer_id = $1
            AND number = ANY(CAST($2 AS BIGINT[]))");
    /// Asks for everything: only for the test that shows the second line of defence.
    EVERYTHING = Sql::same("SELECT number, subject, status FROM tickets ORDER BY number");
}

record! {
    /// What a customer may know of a ticket of theirs.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct OwnTicket {
        /// Its number.
        pub number: TicketNumber,
        /// What it is about.
        pub subject: String,
        /// Where it stands.
        pub status: Status,
    }
}

/// A unit of work that reads for one customer.
#[derive(Debug)]
pub struct ScopedTx {
    tx: Tx,
    customer: CustomerId,
}

impl ScopedTx {
    pub(super) fn new(tx: Tx, customer: CustomerId) -> Self {
        Self { tx, customer }
    }

    /// The customer's tickets.
    pub async fn tickets(&mut self) -> Result<Vec<OwnTicket>, StoreError> {
        self.tx.fetch_all(TICKETS, (self.customer,)).await
    }

    /// The texts that went to and fro on one of the customer's tickets; notes are not theirs.
    pub async fn bodies(&mut self, number: TicketNumber) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = self.tx.fetch_all(BODIES, (self.customer, number)).await?;
        Ok(rows.into_iter().map(|(body,)| body).collect())
    }

    /// The customer's tickets that a query asks for, the newest first, at most `limit`. Notes, tags and
    /// whatever else is the desk's own are not looked at, and filters on them find nothing.
    pub async fn search(
        &mut self,
        query: &Query,
        limit: usize,
    ) -> Result<Vec<OwnTicket>, StoreError> {
        let audience = Audience::Customer(self.customer);
        let found = search::find(&mut self.tx, query, audience, Sort::Newest, limit).await?;
        let numbers: TextList = found
            .hits
            .iter()
            .map(|hit| hit.number.0.to_string())
            .collect();
        let rows = (self.customer, numbers);
        let mut tickets: Vec<OwnTicket> = self.tx.fetch_all(OF_NUMBERS, rows).await?;
        tickets.sort_by_key(|ticket| std::cmp::Reverse(ticket.number));
        Ok(tickets)
    }

    /// What row-level security alone lets through when a statement forgets the customer.
    #[cfg(feature = "testing")]
    pub async fn tickets_without_filter(&mut self) -> Result<Vec<OwnTicket>, StoreError> {
        self.tx.fetch_all(EVERYTHING, ()).await
    }
}
