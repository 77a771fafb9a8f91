//! Posts, as the bot keeps them: what to show where, and what was shown.
//!
//! A place is recorded as intended before it is made. Whoever finds an intended post with nothing
//! in it looks in Discord first whether it was made after all.

use data_encoding::BASE32_NOPAD;

use super::{
    super::{Desk, Error},
    show::{disclose, tier_of},
};
use crate::{
    chat::{ChatPost, Handle, PostState, Verb},
    clock::Timestamp,
    disclosure::{self, DisclosedTicket},
    discord::DiscordId,
    ids::TicketId,
    permit::{Actor, KeepsChat, Permit, PostToChat, Subject, authorise},
    settings::TRIAGE,
    store::{chat, tickets},
};

/// How long the buttons of a card can be used.
const CARD_LASTS: std::time::Duration = std::time::Duration::from_hours(30 * 24);

/// A ticket that should stand in chat, and where it stands.
#[derive(Clone, Debug)]
pub struct ToPost {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Its version.
    pub version: i64,
    /// What may be shown of it.
    pub shown: DisclosedTicket,
    /// The key of its channel in the configuration: the tier, or triage.
    pub channel_key: String,
    /// The name of its channel, where the configuration has none.
    pub channel_name: String,
    /// Whether that channel must not be open to everybody.
    pub is_restricted: bool,
    /// Where it stands now.
    pub post: Option<ChatPost>,
    /// Where it stood before and what was said is still there, though more than may be shown now.
    pub outgrown: Vec<ChatPost>,
    /// Threads and messages of its other posts, which are nobody's to take up again.
    pub other_places: Vec<DiscordId>,
}

impl ToPost {
    /// Whether what is shown now is too much: less may be shown than was.
    pub fn shows_too_much(&self) -> bool {
        self.post
            .as_ref()
            .is_some_and(|post| self.shown.level < post.level)
    }
}

/// What a ticket's post should be; `None` for one that has none, or is gone.
pub async fn to_post(
    desk: &Desk,
    actor: &Actor,
    ticket: TicketId,
) -> Result<Option<ToPost>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, PostToChat, Subject::Ticket(ticket)).await?;
    let Some(ticket) = tickets::find(&mut permit, ticket).await? else {
        return Ok(None);
    };
    let post = chat::find_current_post(&mut permit, ticket.id).await?;
    if ticket.is_silent && post.is_none() {
        return Ok(None);
    }
    let tier = tier_of(desk, &ticket);
    let shown = disclose(desk, &mut permit, &ticket, true).await?;
    let mut outgrown = chat::list_posts(&mut permit, ticket.id).await?;
    let others = outgrown
        .iter()
        .filter(|one| Some(one.id) != post.as_ref().map(|post| post.id));
    let other_places = others
        .flat_map(|one| [one.thread_id, one.message_id])
        .flatten()
        .collect();
    outgrown.retain(|post| post.state == PostState::Moved && shown.level < post.level);
    Ok(Some(ToPost {
        ticket_id: ticket.id,
        version: ticket.version,
        shown,
        outgrown,
        other_places,
        channel_key: tier.map_or_else(|| TRIAGE.to_owned(), |tier| tier.slug.to_string()),
        channel_name: tier.map_or_else(
            || "support-triage".to_owned(),
            |tier| tier.discord_channel.clone(),
        ),
        is_restricted: disclosure::is_restricted(tier),
        post,
    }))
}

/// Records that a post is about to be made in `channel`.
pub async fn begin_post(
    desk: &Desk,
    actor: &Actor,
    to_post: &ToPost,
    channel: DiscordId,
) -> Result<ChatPost, Error> {
    let mut tx = desk.database.begin_write().await?;
    let subject = Subject::Ticket(to_post.ticket_id);
    let mut permit = authorise(&mut tx, actor, PostToChat, subject).await?;
    let post = ChatPost {
        id: permit.new_id(),
        ticket_id: to_post.ticket_id,
        channel_id: channel,
        thread_id: None,
        message_id: None,
        state: PostState::Intended,
        level: to_post.shown.level,
        tier: to_post.shown.tier.clone(),
        shown: String::new(),
        shown_version: 0,
        created_at: permit.now(),
        updated_at: permit.now(),
    };
    chat::insert_post(&mut permit, &post).await?;
    tx.commit().await?;
    Ok(post)
}

/// Records what was made of a post, or shown in it.
pub async fn record_post(desk: &Desk, actor: &Actor, post: &ChatPost) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let subject = Subject::Ticket(post.ticket_id);
    let mut permit = authorise(&mut tx, actor, PostToChat, subject).await?;
    chat::update_post(&mut permit, post).await?;
    tx.commit().await?;
    Ok(())
}

/// Records that a ticket stands elsewhere now.
pub async fn retire_post(
    desk: &Desk,
    actor: &Actor,
    post: &ChatPost,
    state: PostState,
) -> Result<(), Error> {
    let post = ChatPost {
        state,
        ..post.clone()
    };
    record_post(desk, actor, &post).await
}

/// New handles for the buttons of a ticket's card.
pub async fn fresh_handles(
    desk: &Desk,
    actor: &Actor,
    to_post: &ToPost,
    verbs: &[Verb],
) -> Result<Vec<(Verb, String)>, Error> {
    let mut tx = desk.database.begin_write().await?;
    let subject = Subject::Ticket(to_post.ticket_id);
    let mut permit = authorise(&mut tx, actor, PostToChat, subject).await?;
    let mut made = Vec::new();
    for verb in verbs {
        let until = permit.now().plus(CARD_LASTS);
        let new = NewHandle {
            verb: *verb,
            about: None,
            ticket_id: to_post.ticket_id,
            ticket_version: to_post.version,
            staff_id: None,
            until,
        };
        made.push((*verb, insert_handle(&mut permit, new).await?));
    }
    tx.commit().await?;
    Ok(made)
}

pub(in crate::desk) struct NewHandle {
    pub(in crate::desk) verb: Verb,
    pub(in crate::desk) about: Option<String>,
    pub(in crate::desk) ticket_id: TicketId,
    pub(in crate::desk) ticket_version: i64,
    pub(in crate::desk) staff_id: Option<crate::ids::StaffId>,
    pub(in crate::desk) until: Timestamp,
}

/// 128 random bits, in letters that a custom id may hold.
pub(in crate::desk) async fn insert_handle<A: KeepsChat>(
    permit: &mut Permit<'_, A>,
    new: NewHandle,
) -> Result<String, Error> {
    let random: [u8; 16] = permit.random();
    let handle = Handle {
        handle: BASE32_NOPAD.encode(&random).to_lowercase(),
        verb: new.verb,
        about: new.about,
        ticket_id: new.ticket_id,
        ticket_version: new.ticket_version,
        staff_id: new.staff_id,
        expires_at: new.until,
        used_at: None,
        used_by: None,
    };
    chat::insert_handle(permit, &handle).await?;
    Ok(handle.handle)
}

/// What the bot remembers under this name.
pub async fn find_fact(desk: &Desk, actor: &Actor, name: &str) -> Result<Option<String>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, PostToChat, Subject::Desk).await?;
    Ok(chat::find_fact(&mut permit, name).await?)
}

/// Remembers a fact about the other side.
pub async fn set_fact(desk: &Desk, actor: &Actor, name: &str, value: &str) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, PostToChat, Subject::Desk).await?;
    chat::set_fact(&mut permit, name, value).await?;
    tx.commit().await?;
    Ok(())
}
