//! What stands in chat: posts, handles, facts about the other side. Book-keeping, not the desk's
//! own state: none of it is audited.

use super::{
    Sql, StoreError, Tx,
    sql::{record, statements},
};
use crate::{
    chat::{ChatPost, Handle, PostState},
    clock::Timestamp,
    discord::DiscordId,
    ids::{ChatPostId, StaffId, TicketId},
    permit::{KeepsChat, Permit},
    tiers::{Disclosure, TierSlug},
};

macro_rules! post_columns {
    () => {
        "id, ticket_id, channel_id, thread_id, message_id, state, level, tier, shown, shown_version,
         created_at, updated_at"
    };
}

macro_rules! handle_columns {
    () => {
        "handle, verb, ticket_id, ticket_version, staff_id, expires_at, used_at, used_by"
    };
}

statements! {
    CURRENT_POST = Sql::same(concat!("SELECT ", post_columns!(), " FROM chat_posts
        WHERE ticket_id = $1 AND state IN ('intended', 'posted')"));
    /// A card in a channel without threads has none, and is found by nothing.
    TICKET_OF_PLACE = Sql::same(
        "SELECT ticket_id FROM chat_posts WHERE thread_id = $1 AND state IN ('intended', 'posted')");
    POSTS_OF = Sql::same(concat!("SELECT ", post_columns!(), " FROM chat_posts
        WHERE ticket_id = $1 ORDER BY created_at, id"));
    INSERT_POST = Sql::same(
        "INSERT INTO chat_posts (id, ticket_id, channel_id, thread_id, message_id, state, level, tier, shown,
            shown_version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
    UPDATE_POST = Sql::same(
        "UPDATE chat_posts SET thread_id = $2, message_id = $3, state = $4, level = $5, tier = $6, shown = $7,
            shown_version = $8, updated_at = $9 WHERE id = $1");
    INSERT_HANDLE = Sql::same(
        "INSERT INTO chat_handles (handle, verb, ticket_id, ticket_version, staff_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)");
    /// Locked: of two presses at once, the second sees what the first did.
    FIND_HANDLE = Sql::per_backend(
        concat!("SELECT ", handle_columns!(), " FROM chat_handles WHERE handle = $1"),
        concat!("SELECT ", handle_columns!(), " FROM chat_handles WHERE handle = $1 FOR UPDATE"));
    USE_HANDLE = Sql::same(
        "UPDATE chat_handles SET used_at = $2, used_by = $3 WHERE handle = $1 AND used_at IS NULL");
    PRUNE_HANDLES = Sql::same("DELETE FROM chat_handles WHERE expires_at < $1");
    FIND_FACT = Sql::same("SELECT value FROM chat_facts WHERE name = $1");
    SET_FACT = Sql::same(
        "INSERT INTO chat_facts (name, value, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at");
}

record! {
    struct PostRow {
        id: ChatPostId,
        ticket_id: TicketId,
        channel_id: DiscordId,
        thread_id: Option<DiscordId>,
        message_id: Option<DiscordId>,
        state: PostState,
        level: Disclosure,
        tier: Option<TierSlug>,
        shown: String,
        shown_version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
}

impl From<PostRow> for ChatPost {
    fn from(row: PostRow) -> Self {
        Self {
            id: row.id,
            ticket_id: row.ticket_id,
            channel_id: row.channel_id,
            thread_id: row.thread_id,
            message_id: row.message_id,
            state: row.state,
            level: row.level,
            tier: row.tier,
            shown: row.shown,
            shown_version: row.shown_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

record! {
    struct HandleRow {
        handle: String,
        verb: String,
        ticket_id: TicketId,
        ticket_version: i64,
        staff_id: Option<StaffId>,
        expires_at: Timestamp,
        used_at: Option<Timestamp>,
        used_by: Option<String>,
    }
}

/// Where a ticket stands now.
pub async fn find_current_post(
    tx: &mut Tx,
    ticket: TicketId,
) -> Result<Option<ChatPost>, StoreError> {
    Ok(tx
        .fetch_optional::<PostRow>(CURRENT_POST, (ticket,))
        .await?
        .map(ChatPost::from))
}

/// Every place in which a ticket stood, oldest first.
pub async fn list_posts(tx: &mut Tx, ticket: TicketId) -> Result<Vec<ChatPost>, StoreError> {
    let rows = tx.fetch_all::<PostRow>(POSTS_OF, (ticket,)).await?;
    Ok(rows.into_iter().map(ChatPost::from).collect())
}

/// The ticket that stands in this thread.
pub async fn find_ticket_of_thread(
    tx: &mut Tx,
    thread: DiscordId,
) -> Result<Option<TicketId>, StoreError> {
    Ok(tx
        .fetch_optional::<(TicketId,)>(TICKET_OF_PLACE, (thread,))
        .await?
        .map(|(ticket,)| ticket))
}

/// Adds a post. Another current one of the same ticket is a conflict.
pub async fn insert_post<A: KeepsChat>(
    permit: &mut Permit<'_, A>,
    post: &ChatPost,
) -> Result<(), StoreError> {
    let p = post.clone();
    let values = (
        p.id,
        p.ticket_id,
        p.channel_id,
        p.thread_id,
        p.message_id,
        p.state,
        p.level,
        p.tier,
        p.shown,
        p.shown_version,
        p.created_at,
        p.updated_at,
    );
    permit.execute_one("chat_posts", INSERT_POST, values).await
}

/// Writes what can change of a post.
pub async fn update_post<A: KeepsChat>(
    permit: &mut Permit<'_, A>,
    post: &ChatPost,
) -> Result<(), StoreError> {
    let (p, now) = (post.clone(), permit.now());
    let values = (
        p.id,
        p.thread_id,
        p.message_id,
        p.state,
        p.level,
        p.tier,
        p.shown,
        p.shown_version,
        now,
    );
    permit.execute_one("chat_posts", UPDATE_POST, values).await
}

/// Adds a handle.
pub async fn insert_handle<A: KeepsChat>(
    permit: &mut Permit<'_, A>,
    handle: &Handle,
) -> Result<(), StoreError> {
    let (h, now) = (handle.clone(), permit.now());
    // The column says what is done; with what stands behind a colon.
    let verb = match h.about {
        Some(about) => format!("{}:{about}", h.verb),
        None => h.verb.to_string(),
    };
    let values = (
        h.handle,
        verb,
        h.ticket_id,
        h.ticket_version,
        h.staff_id,
        now,
        h.expires_at,
    );
    permit
        .execute_one("chat_handles", INSERT_HANDLE, values)
        .await
}

/// The handle of this text, locked until the unit of work ends.
pub async fn find_handle(tx: &mut Tx, handle: &str) -> Result<Option<Handle>, StoreError> {
    let row = tx
        .fetch_optional::<HandleRow>(FIND_HANDLE, (handle.to_owned(),))
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let (verb, about) = match row.verb.split_once(':') {
        Some((verb, about)) => (verb, Some(about.to_owned())),
        None => (row.verb.as_str(), None),
    };
    let verb = verb.parse().map_err(|fault| StoreError::Inconsistent {
        table: "chat_handles",
        detail: format!("{fault}"),
    })?;
    Ok(Some(Handle {
        handle: row.handle,
        verb,
        about,
        ticket_id: row.ticket_id,
        ticket_version: row.ticket_version,
        staff_id: row.staff_id,
        expires_at: row.expires_at,
        used_at: row.used_at,
        used_by: row.used_by,
    }))
}

/// Uses a handle up. Returns whether it was still to be used.
pub async fn use_handle<A: KeepsChat>(
    permit: &mut Permit<'_, A>,
    handle: &str,
) -> Result<bool, StoreError> {
    let values = (handle.to_owned(), permit.now(), permit.actor().to_owned());
    Ok(permit.execute(USE_HANDLE, values).await? == 1)
}

/// Forgets handles that expired before `before`.
pub async fn prune_handles(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PRUNE_HANDLES, (before,)).await
}

/// What is known under this name.
pub async fn find_fact(tx: &mut Tx, name: &str) -> Result<Option<String>, StoreError> {
    Ok(tx
        .fetch_optional::<(String,)>(FIND_FACT, (name.to_owned(),))
        .await?
        .map(|(value,)| value))
}

/// Remembers a fact.
pub async fn set_fact<A: KeepsChat>(
    permit: &mut Permit<'_, A>,
    name: &str,
    value: &str,
) -> Result<(), StoreError> {
    let values = (name.to_owned(), value.to_owned(), permit.now());
    permit.execute_one("chat_facts", SET_FACT, values).await
}
