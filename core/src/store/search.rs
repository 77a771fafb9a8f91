//! The index of words: FTS5 in SQLite, a vector with a GIN index in PostgreSQL, the same terms in
//! both.
//!
//! A document is a ticket, its tags or one message. Its number begins with its ticket's, so a hit
//! tells its ticket without a look elsewhere, and the newest tickets come last. The index follows
//! in the same transaction whatever writes messages, tickets and tags: those functions call this
//! module, their callers need not think of it. What is erased must be forgotten here first
//! ([`forget`]); a foreign key sees to it.

mod criteria;
mod find;
mod write;

pub use criteria::Audience;
pub(in crate::store) use find::STATEMENTS as FIND_STATEMENTS;
pub use find::{Found, Hit, HitText, Sort, find, texts};
pub use write::{
    NewEntry, NewTerms, compact, fill, forget, forget_ticket, index_again, index_ticket_again,
    is_complete, mark_as_complete,
};
pub(in crate::store) use write::{
    STATEMENTS, index_messages, index_messages_again, index_tags, index_tickets,
};

use crate::tickets::TicketNumber;

/// Documents of one ticket.
const DOCUMENTS: i64 = 1 << 20;
/// Where a ticket's messages begin.
const FIRST_MESSAGE: i64 = 2;

/// A document's ticket.
fn number_of(doc: i64) -> TicketNumber {
    TicketNumber(doc / DOCUMENTS)
}
