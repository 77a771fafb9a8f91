//! Search: the same answers on both databases, only what may be read, and an index that is what is
//! stored.

mod index;
mod queries;
mod rights;
mod terminal;

use tierdesk_core::{
    desk::search::{Request, Results, search},
    permit::Actor,
    search::Query,
    store::search::Sort,
    tickets::TicketNumber,
};
use tierdesk_tests::TestDesk;

/// What somebody finds.
async fn find(test: &TestDesk, actor: &Actor, line: &str, sort: Sort) -> Results {
    let request = Request {
        query: Query::parse(line).unwrap_or_else(|refusal| panic!("{line}: {refusal}")),
        sort,
        limit: 1_000,
    };
    let found = search(&test.desk, actor, request).await;
    found.unwrap_or_else(|error| panic!("{line}: {error:?}"))
}

/// The tickets that somebody finds, in the order told.
async fn numbers(test: &TestDesk, actor: &Actor, line: &str) -> Vec<TicketNumber> {
    let found = find(test, actor, line, Sort::Relevance).await;
    assert_eq!(found.total, found.tickets.len(), "{line}");
    let tickets = found.tickets.iter();
    tickets.map(|hit| hit.ticket.number).collect()
}
