//! Removing what was written: texts, raw mails, attachments, letters, and who wrote. Numbers, times,
//! fingerprints and Message-IDs stay: the same mail that comes again is still known, and is not taken in
//! anew.

use std::collections::BTreeSet;

use super::{
    IdList, Sql, StoreError, Tx,
    blobs::{self, NewBlob},
    search,
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{BlobId, CustomerId, EventId, InboxId, MessageId, RunId, TicketId},
    permit::{ChangesTickets, Permit},
    receive::{Content, Road},
    tickets::TicketNumber,
};

/// What stands where an address or a text was.
pub const REMOVED: &str = "(removed)";

statements! {
    CONTENT_OF_MESSAGE = Sql::same(
        "SELECT blob_id FROM messages WHERE id = $1 AND blob_id IS NOT NULL
         UNION SELECT blob_id FROM attachments WHERE message_id = $1 AND blob_id IS NOT NULL
         UNION SELECT blob_id FROM inbox WHERE message_id = $1 AND blob_id IS NOT NULL
         UNION SELECT blob_id FROM outgoing WHERE message_id = $1");
    CONTENT_OF_FILE = Sql::same(
        "SELECT blob_id FROM attachments WHERE message_id = $1 AND position = $2 AND blob_id IS NOT NULL
         UNION SELECT blob_id FROM messages WHERE id = $1 AND blob_id IS NOT NULL
         UNION SELECT blob_id FROM inbox WHERE message_id = $1 AND blob_id IS NOT NULL
         UNION SELECT blob_id FROM outgoing WHERE message_id = $1");
    CLEAR_TEXT = Sql::same(
        "UPDATE messages SET subject = '', body = $2, reply_text = $2, findings = '[]', blob_id = NULL,
            removed_at = $3 WHERE id = $1");
    CLEAR_RAW = Sql::same("UPDATE messages SET blob_id = NULL WHERE id = $1");
    CLEAR_FILES = Sql::same(
        "UPDATE attachments SET name = '(removed)', blob_id = NULL WHERE message_id = $1");
    CLEAR_FILE_CONTENTS = Sql::same("UPDATE attachments SET blob_id = NULL WHERE message_id = $1");
    CLEAR_FILE = Sql::same(
        "UPDATE attachments SET name = '(removed)', blob_id = NULL WHERE message_id = $1 AND position = $2");
    CLEAR_ARRIVALS = Sql::same("UPDATE inbox SET blob_id = NULL WHERE message_id = $1");
    POINT_LETTERS = Sql::same("UPDATE outgoing SET blob_id = $2 WHERE message_id = $1");
    LETTERS_UNDER_WAY = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM outgoing
         WHERE message_id = $1 AND state IN ('held', 'waiting', 'sending')");
    LETTERS_UNDER_WAY_ON = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM outgoing
         WHERE ticket_id = $1 AND state IN ('held', 'waiting', 'sending')");
    USERS_OF_CONTENT = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM (
            SELECT id FROM messages WHERE blob_id = $1 UNION ALL SELECT id FROM attachments WHERE blob_id = $1
            UNION ALL SELECT id FROM inbox WHERE blob_id = $1
            UNION ALL SELECT id FROM outgoing WHERE blob_id = $1) AS users");
    SIZE_OF_CONTENT = Sql::same("SELECT size FROM blobs WHERE id = $1");
    ROADS_OF_MESSAGE = Sql::same(
        "SELECT road, origin FROM inbox WHERE message_id = $1 ORDER BY received_at, id");
    RENAME_TICKET = Sql::same("UPDATE tickets SET subject = $2 WHERE id = $1");
    STRIP_MESSAGES = Sql::same(
        "UPDATE messages SET author = CASE WHEN direction = 'in' THEN '(removed)' ELSE author END,
            author_name = NULL, recipients = '[]' WHERE ticket_id = $1");
    STRIP_RECORDED = Sql::same(
        "UPDATE messages SET author = '(removed)', author_name = NULL, recipients = '[]' WHERE id = $1");
    STRIP_PARTICIPANTS = Sql::same("DELETE FROM ticket_participants WHERE ticket_id = $1");
    STRIP_TICKET = Sql::same(
        "UPDATE tickets SET requester = '(removed)', requester_name = NULL, trust_reasons = '[]',
            removed_at = $2 WHERE id = $1");
    STRIP_LETTERS = Sql::same(
        "UPDATE outgoing SET recipient = '(removed)', reason = NULL WHERE ticket_id = $1");
    STRIP_ARRIVALS = Sql::same(
        "UPDATE inbox SET envelope_from = NULL, recipients = '[]', client_ip = NULL, client_helo = NULL
         WHERE message_id IN (SELECT id FROM messages WHERE ticket_id = $1)");
    STRIP_TAGS = Sql::same("DELETE FROM ticket_tags WHERE ticket_id = $1");
    STRIP_EVENTS = Sql::same("UPDATE ticket_events SET detail = '{}' WHERE ticket_id = $1");
    MESSAGES_BY = Sql::same(
        "SELECT id, ticket_id, customer_id FROM messages WHERE author = $1 ORDER BY id");
    TICKETS_WITH = Sql::same(
        "SELECT id FROM tickets WHERE requester = $1
         UNION SELECT ticket_id FROM ticket_participants WHERE address = $1
         UNION SELECT ticket_id FROM outgoing WHERE recipient = $1
         UNION SELECT ticket_id FROM messages WHERE author = $1 AND ticket_id IS NOT NULL");
    RENAME_AUTHOR = Sql::same(
        "UPDATE messages SET author = $2, author_name = NULL WHERE author = $1");
    RENAME_REQUESTER = Sql::same(
        "UPDATE tickets SET requester = $2, requester_name = NULL WHERE requester = $1");
    RENAME_PARTICIPANT = Sql::same(
        "UPDATE ticket_participants SET address = $2, name = NULL WHERE address = $1");
    RENAME_LETTERS = Sql::same(
        "UPDATE outgoing SET recipient = $2, reason = NULL WHERE recipient = $1");
    RENAME_ENVELOPES = Sql::same("UPDATE inbox SET envelope_from = $2 WHERE envelope_from = $1");
    LETTERS_TO = Sql::same(
        "SELECT DISTINCT message_id, customer_id FROM outgoing WHERE recipient = $1 ORDER BY message_id");
    /// Lists and timelines in which an address stands, by itself or as a part of a longer one: [`names`] tells.
    LISTS_WITH = Sql::per_backend(
        "SELECT id, ticket_id, recipients FROM messages WHERE instr(recipients, $1) > 0 ORDER BY id",
        "SELECT id, ticket_id, recipients FROM messages WHERE strpos(recipients, $1) > 0 ORDER BY id");
    SET_LIST = Sql::same("UPDATE messages SET recipients = $2 WHERE id = $1");
    EVENTS_WITH = Sql::per_backend(
        "SELECT id, ticket_id, detail FROM ticket_events WHERE instr(detail, $1) > 0 ORDER BY id",
        "SELECT id, ticket_id, detail FROM ticket_events WHERE strpos(detail, $1) > 0 ORDER BY id");
    REASONS_WITH = Sql::per_backend(
        "SELECT id, trust_reasons FROM tickets WHERE instr(trust_reasons, $1) > 0 ORDER BY id",
        "SELECT id, trust_reasons FROM tickets WHERE strpos(trust_reasons, $1) > 0 ORDER BY id");
    SET_REASONS = Sql::same("UPDATE tickets SET trust_reasons = $2 WHERE id = $1");
    ARRIVALS_WITH = Sql::per_backend(
        "SELECT id, recipients FROM inbox WHERE instr(recipients, $1) > 0 ORDER BY id",
        "SELECT id, recipients FROM inbox WHERE strpos(recipients, $1) > 0 ORDER BY id");
    SET_ARRIVAL = Sql::same("UPDATE inbox SET recipients = $2 WHERE id = $1");
    FORGET_CLIENTS = Sql::same(
        "UPDATE inbox SET client_ip = NULL, client_helo = NULL
         WHERE message_id IN (SELECT id FROM messages WHERE author = $1)");
    FORGET_JOB_ERRORS = Sql::per_backend(
        "UPDATE jobs SET last_error = '(removed)' WHERE instr(last_error, $1) > 0",
        "UPDATE jobs SET last_error = '(removed)' WHERE strpos(last_error, $1) > 0");
    FORGET_RUN_CONTACTS = Sql::same(
        "UPDATE onboarding_runs SET contact = $2 WHERE contact = $1 AND state IN ('done', 'cancelled')");
    STEPS_WITH = Sql::per_backend(
        "SELECT run_id, name, detail FROM onboarding_steps WHERE instr(detail, $1) > 0 ORDER BY run_id, name",
        "SELECT run_id, name, detail FROM onboarding_steps WHERE strpos(detail, $1) > 0 ORDER BY run_id, name");
    SET_STEP = Sql::same("UPDATE onboarding_steps SET detail = $3 WHERE run_id = $1 AND name = $2");
    SUBJECTS_OF = Sql::same(
        "SELECT id FROM tickets WHERE requester = $1 ORDER BY id");
    SET_EVENT = Sql::same("UPDATE ticket_events SET detail = $2 WHERE id = $1");
    TEXTS_WITH = Sql::per_backend(
        "SELECT DISTINCT t.number FROM messages m JOIN tickets t ON t.id = m.ticket_id
         WHERE instr(m.body, $1) > 0 ORDER BY t.number LIMIT 100",
        "SELECT DISTINCT t.number FROM messages m JOIN tickets t ON t.id = m.ticket_id
         WHERE strpos(m.body, $1) > 0 ORDER BY t.number LIMIT 100");
    RECORDED_WITH = Sql::per_backend(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM messages WHERE ticket_id IS NULL AND instr(body, $1) > 0",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM messages WHERE ticket_id IS NULL AND strpos(body, $1) > 0");
    TICKETS_OF_CUSTOMER = Sql::same("SELECT id FROM tickets WHERE customer_id = $1 ORDER BY id");
    DESTROY_KEYS = Sql::same(
        "UPDATE blob_keys SET wrapped = NULL, destroyed_at = $2 WHERE customer_id = $1 AND destroyed_at IS NULL");
    NUMBERS_OF = Sql::per_backend(
        "SELECT number FROM tickets WHERE id IN (SELECT unhex(value) FROM json_each($1)) ORDER BY number",
        "SELECT number FROM tickets WHERE id = ANY($1) ORDER BY number");
}

record! {
    struct WrittenRow {
        id: MessageId,
        ticket_id: Option<TicketId>,
        customer_id: Option<CustomerId>,
    }
}

/// How much was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Raw mails, attachments and letters.
    pub contents: u64,
    /// Their bytes, before compression.
    pub bytes: u64,
}

impl std::ops::AddAssign for Freed {
    fn add_assign(&mut self, other: Self) {
        self.contents += other.contents;
        self.bytes += other.bytes;
    }
}

/// Whether this is what stands in place of a letter's bytes. Told by its size, so that it need not be opened:
/// its key may be gone.
pub async fn is_blank(tx: &mut Tx, content: BlobId) -> Result<bool, StoreError> {
    let (size,): (i64,) = tx.fetch_one("blobs", SIZE_OF_CONTENT, (content,)).await?;
    Ok(usize::try_from(size) == Ok(REMOVED.len()))
}

/// How many letters of a message may still leave: their content is needed.
pub async fn letters_under_way(tx: &mut Tx, message: MessageId) -> Result<i64, StoreError> {
    Ok(tx
        .fetch_one::<(i64,)>("outgoing", LETTERS_UNDER_WAY, (message,))
        .await?
        .0)
}

/// How many letters of a ticket may still leave.
pub async fn letters_under_way_on(tx: &mut Tx, ticket: TicketId) -> Result<i64, StoreError> {
    Ok(tx
        .fetch_one::<(i64,)>("outgoing", LETTERS_UNDER_WAY_ON, (ticket,))
        .await?
        .0)
}

/// By which roads a message came, and from where.
pub async fn roads(
    tx: &mut Tx,
    message: MessageId,
) -> Result<Vec<(Road, Option<String>)>, StoreError> {
    tx.fetch_all(ROADS_OF_MESSAGE, (message,)).await
}

/// Removes all that a message says: text, raw mail, attachments and letters. `instead` stands in its place.
pub async fn clear_message<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    message: MessageId,
    customer: Option<CustomerId>,
    instead: &str,
) -> Result<Freed, StoreError> {
    let held: Vec<(BlobId,)> = permit.fetch_all(CONTENT_OF_MESSAGE, (message,)).await?;
    let values = (message, instead.to_owned(), permit.now());
    permit
        .change()
        .execute_one("messages", CLEAR_TEXT, values)
        .await?;
    permit.change().execute(CLEAR_FILES, (message,)).await?;
    permit.change().execute(CLEAR_ARRIVALS, (message,)).await?;
    blank_letters(permit, message, customer).await?;
    search::index_again(permit, &[message]).await?;
    free(permit, held).await
}

/// Removes a message's raw mail, the bytes of its attachments and its letters; what was read of it stays.
pub async fn clear_raw<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    message: MessageId,
    customer: Option<CustomerId>,
) -> Result<Freed, StoreError> {
    let held: Vec<(BlobId,)> = permit.fetch_all(CONTENT_OF_MESSAGE, (message,)).await?;
    blank_letters(permit, message, customer).await?;
    for sql in [CLEAR_RAW, CLEAR_FILE_CONTENTS, CLEAR_ARRIVALS] {
        permit.change().execute(sql, (message,)).await?;
    }
    free(permit, held).await
}

/// Removes one attachment, and with it the raw mail and letters that hold it as well.
pub async fn clear_file<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    message: MessageId,
    customer: Option<CustomerId>,
    position: i64,
) -> Result<Freed, StoreError> {
    let held: Vec<(BlobId,)> = permit
        .fetch_all(CONTENT_OF_FILE, (message, position))
        .await?;
    permit
        .change()
        .execute_one("attachments", CLEAR_FILE, (message, position))
        .await?;
    permit.change().execute(CLEAR_RAW, (message,)).await?;
    permit.change().execute(CLEAR_ARRIVALS, (message,)).await?;
    blank_letters(permit, message, customer).await?;
    search::index_again(permit, &[message]).await?;
    free(permit, held).await
}

/// Letters keep their rows, which say what became of them, and lose their bytes.
async fn blank_letters<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    message: MessageId,
    customer: Option<CustomerId>,
) -> Result<(), StoreError> {
    let content = Content::new(REMOVED.as_bytes());
    let digest = content.sha256.to_vec();
    let held = blobs::held(permit, vec![digest.clone()]).await?;
    let blank = if let Some(id) = held.get(&(customer, digest)) {
        *id
    } else {
        let id = permit.new_id();
        let blob = NewBlob {
            id,
            customer_id: customer,
            content,
        };
        blobs::insert_many(permit.change(), vec![blob]).await?;
        id
    };
    let pointed = permit
        .change()
        .execute(POINT_LETTERS, (message, blank))
        .await?;
    if pointed == 0 {
        free(permit, vec![(blank,)]).await?;
    }
    Ok(())
}

/// Removes content that nothing refers to any more.
async fn free<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    held: Vec<(BlobId,)>,
) -> Result<Freed, StoreError> {
    let mut freed = Freed::default();
    for (id,) in held {
        let (users,): (i64,) = permit.fetch_one("blobs", USERS_OF_CONTENT, (id,)).await?;
        if users > 0 {
            continue;
        }
        let (size,): (i64,) = permit.fetch_one("blobs", SIZE_OF_CONTENT, (id,)).await?;
        blobs::delete(permit.change(), vec![id]).await?;
        freed.contents += 1;
        freed.bytes += u64::try_from(size).unwrap_or(0);
    }
    Ok(freed)
}

/// Gives a ticket another subject.
pub async fn rename_ticket<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: TicketId,
    subject: &str,
) -> Result<(), StoreError> {
    permit.check_ticket(ticket)?;
    let values = (ticket, subject.to_owned());
    permit
        .change()
        .execute_one("tickets", RENAME_TICKET, values)
        .await?;
    search::index_ticket_again(permit, ticket).await
}

/// Removes who took part in a ticket, and the particulars of its timeline.
pub async fn strip_people<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    ticket: TicketId,
) -> Result<(), StoreError> {
    permit.check_ticket(ticket)?;
    let now = permit.now();
    permit
        .change()
        .execute_one("tickets", STRIP_TICKET, (ticket, now))
        .await?;
    for sql in [
        STRIP_ARRIVALS,
        STRIP_MESSAGES,
        STRIP_PARTICIPANTS,
        STRIP_TAGS,
        STRIP_LETTERS,
        STRIP_EVENTS,
    ] {
        permit.change().execute(sql, (ticket,)).await?;
    }
    search::index_ticket_again(permit, ticket).await
}

/// Removes who wrote a mail that is on no ticket, and to whom.
pub async fn strip_recorded<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    message: MessageId,
) -> Result<(), StoreError> {
    permit
        .change()
        .execute_one("messages", STRIP_RECORDED, (message,))
        .await
}

/// A message that somebody wrote or was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The message.
    pub id: MessageId,
    /// Its ticket.
    pub ticket_id: Option<TicketId>,
    /// Whose it is.
    pub customer_id: Option<CustomerId>,
}

/// Everything that was written from an address.
pub async fn written_by(tx: &mut Tx, address: &str) -> Result<Vec<Written>, StoreError> {
    let rows: Vec<WrittenRow> = tx.fetch_all(MESSAGES_BY, (address.to_owned(),)).await?;
    let written = rows.into_iter().map(|row| Written {
        id: row.id,
        ticket_id: row.ticket_id,
        customer_id: row.customer_id,
    });
    Ok(written.collect())
}

/// Every ticket in which an address took part.
pub async fn tickets_with(tx: &mut Tx, address: &str) -> Result<Vec<TicketId>, StoreError> {
    let rows: Vec<(TicketId,)> = tx.fetch_all(TICKETS_WITH, (address.to_owned(),)).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Every ticket of a customer.
pub async fn tickets_of(tx: &mut Tx, customer: CustomerId) -> Result<Vec<TicketId>, StoreError> {
    let rows: Vec<(TicketId,)> = tx.fetch_all(TICKETS_OF_CUSTOMER, (customer,)).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The numbers of tickets, in order.
pub async fn numbers(tx: &mut Tx, tickets: &[TicketId]) -> Result<Vec<TicketNumber>, StoreError> {
    let ids = IdList(tickets.iter().map(|id| id.0).collect());
    let rows: Vec<(TicketNumber,)> = tx.fetch_all(NUMBERS_OF, (ids,)).await?;
    Ok(rows.into_iter().map(|(number,)| number).collect())
}

/// Tickets on which somebody else's text names an address; at most a hundred.
pub async fn texts_naming(tx: &mut Tx, address: &str) -> Result<Vec<TicketNumber>, StoreError> {
    let rows: Vec<(TicketNumber,)> = tx.fetch_all(TEXTS_WITH, (address.to_owned(),)).await?;
    Ok(rows.into_iter().map(|(number,)| number).collect())
}

/// How many mails on no ticket, bounces among them, name an address in their text.
pub async fn recorded_naming(tx: &mut Tx, address: &str) -> Result<i64, StoreError> {
    let values = (address.to_owned(),);
    Ok(tx
        .fetch_one::<(i64,)>("messages", RECORDED_WITH, values)
        .await?
        .0)
}

/// Every ticket that an erasure of this address touches: where it takes part, and where a list or the
/// timeline names it.
pub async fn tickets_naming(tx: &mut Tx, address: &str) -> Result<Vec<TicketId>, StoreError> {
    let mut found: BTreeSet<TicketId> = tickets_with(tx, address).await?.into_iter().collect();
    let lists: Vec<(MessageId, Option<TicketId>, String)> =
        tx.fetch_all(LISTS_WITH, (address.to_owned(),)).await?;
    let named = lists.into_iter().filter(|(.., text)| names(text, address));
    found.extend(named.filter_map(|(_, ticket, _)| ticket));
    let events: Vec<(EventId, TicketId, String)> =
        tx.fetch_all(EVENTS_WITH, (address.to_owned(),)).await?;
    let named = events.into_iter().filter(|(.., text)| names(text, address));
    found.extend(named.map(|(_, ticket, _)| ticket));
    Ok(found.into_iter().collect())
}

/// Whether a letter that names this address, to them or to others beside them, may still leave.
pub async fn is_letter_under_way(tx: &mut Tx, address: &str) -> Result<bool, StoreError> {
    for (message, _) in letters_naming(tx, address).await? {
        if letters_under_way(tx, message).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Messages with letters to this address: each of their letters has it in its headers.
async fn letters_naming(
    tx: &mut Tx,
    address: &str,
) -> Result<Vec<(MessageId, Option<CustomerId>)>, StoreError> {
    tx.fetch_all(LETTERS_TO, (address.to_owned(),)).await
}

/// Puts `instead` in the place of an address everywhere but in texts. Letters that have it in their headers
/// lose their bytes: none of them may be on its way. The subjects of tickets that they opened go too.
pub async fn rename_person<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    address: &str,
    instead: &str,
) -> Result<(), StoreError> {
    let touched = tickets_naming(permit, address).await?;
    let one = || (address.to_owned(),);
    for (message, customer) in letters_naming(permit, address).await? {
        let held: Vec<(BlobId,)> = permit.fetch_all(CONTENT_OF_MESSAGE, (message,)).await?;
        blank_letters(permit, message, customer).await?;
        free(permit, held).await?;
    }
    let opened: Vec<(TicketId,)> = permit.fetch_all(SUBJECTS_OF, one()).await?;
    for (ticket,) in opened {
        let values = (ticket, REMOVED.to_owned());
        permit.change().execute(RENAME_TICKET, values).await?;
    }
    for sql in [FORGET_CLIENTS, FORGET_JOB_ERRORS] {
        permit.change().execute(sql, one()).await?;
    }
    for sql in [
        RENAME_AUTHOR,
        RENAME_REQUESTER,
        RENAME_PARTICIPANT,
        RENAME_LETTERS,
        RENAME_ENVELOPES,
        FORGET_RUN_CONTACTS,
    ] {
        let values = (address.to_owned(), instead.to_owned());
        permit.change().execute(sql, values).await?;
    }
    rename_in_texts(permit, address, instead).await?;
    for ticket in touched {
        search::index_ticket_again(permit, ticket).await?;
    }
    Ok(())
}

/// The places that hold an address among other words.
async fn rename_in_texts<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    address: &str,
    instead: &str,
) -> Result<(), StoreError> {
    let one = || (address.to_owned(),);
    let lists: Vec<(MessageId, Option<TicketId>, String)> =
        permit.fetch_all(LISTS_WITH, one()).await?;
    for (id, _, text) in lists {
        let values = (id, replace(&text, address, instead));
        permit.change().execute(SET_LIST, values).await?;
    }
    let events: Vec<(EventId, TicketId, String)> = permit.fetch_all(EVENTS_WITH, one()).await?;
    for (id, _, text) in events {
        let values = (id, replace(&text, address, instead));
        permit.change().execute(SET_EVENT, values).await?;
    }
    let reasons: Vec<(TicketId, String)> = permit.fetch_all(REASONS_WITH, one()).await?;
    for (id, text) in reasons {
        let values = (id, replace(&text, address, instead));
        permit.change().execute(SET_REASONS, values).await?;
    }
    let arrivals: Vec<(InboxId, String)> = permit.fetch_all(ARRIVALS_WITH, one()).await?;
    for (id, text) in arrivals {
        let values = (id, replace(&text, address, instead));
        permit.change().execute(SET_ARRIVAL, values).await?;
    }
    let steps: Vec<(RunId, String, String)> = permit.fetch_all(STEPS_WITH, one()).await?;
    for (run, name, text) in steps {
        let values = (run, name, replace(&text, address, instead));
        permit.change().execute(SET_STEP, values).await?;
    }
    Ok(())
}

/// Whether a text names an address, and not only a longer one of which it is a part.
pub fn names(text: &str, address: &str) -> bool {
    places(text, address).next().is_some()
}

/// A text with `instead` wherever the address stands by itself.
fn replace(text: &str, address: &str, instead: &str) -> String {
    let (mut new, mut done) = (String::with_capacity(text.len()), 0);
    for at in places(text, address) {
        new.push_str(&text[done..at]);
        new.push_str(instead);
        done = at + address.len();
    }
    new.push_str(&text[done..]);
    new
}

/// Where an address stands by itself: `bob@acme.com` stands neither in `jimbob@acme.com` nor in
/// `bob@acme.com.au`.
fn places<'t>(text: &'t str, address: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | '%' | '@');
    text.match_indices(address)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = text[..*at].chars().next_back();
            let mut after = text[at + address.len()..].chars();
            let next = after.next();
            let is_longer = match next {
                // A full stop ends a sentence, or goes on with another label.
                Some('.') => after.next().is_some_and(char::is_alphanumeric),
                Some(c) => is_part(c),
                None => false,
            };
            !before.is_some_and(is_part) && !is_longer
        })
}

/// Forgets the keys that seal a customer's content: what a backup holds of it cannot be read any more.
pub async fn destroy_keys<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    customer: CustomerId,
) -> Result<u64, StoreError> {
    let now: Timestamp = permit.now();
    permit.change().execute(DESTROY_KEYS, (customer, now)).await
}

#[cfg(test)]
mod tests {
    use super::{names, replace};

    #[test]
    fn an_address_is_told_from_longer_ones() {
        let list = r#"["bob@acme.com","jimbob@acme.com","bob@acme.com.au"]"#;
        assert_eq!(
            replace(list, "bob@acme.com", "x"),
            r#"["x","jimbob@acme.com","bob@acme.com.au"]"#
        );
        assert_eq!(
            replace("to bob@acme.com, bob@acme.com.", "bob@acme.com", "x"),
            "to x, x."
        );
        assert_eq!(replace("<bob@acme.com>", "bob@acme.com", "x"), "<x>");
        assert!(!names("a.bob@acme.com bob@acme.community", "bob@acme.com"));
        assert_eq!(
            replace("größe bob@acme.com…", "bob@acme.com", "x"),
            "größe x…"
        );
    }
}
