//! Messages in channels and threads.

use std::time::Duration;

use serde_json::Value;

use super::{
    limits,
    permissions::{
        ATTACH_FILES, EMBED_LINKS, MANAGE_MESSAGES, MANAGE_THREADS, READ_MESSAGE_HISTORY,
        SEND_MESSAGES, SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL,
    },
    record::{Call, bits_in, id_in, list_in},
    refusal::{Refusal, Reply},
    world::{Channel, ChannelKind, EPHEMERAL, LOADING, Message, World},
};

/// For how long an enforced nonce is remembered.
const NONCE: Duration = Duration::from_mins(5);

/// A message that is about to stand somewhere.
pub(super) struct Draft<'a> {
    /// An id that it must have.
    pub(super) id: Option<u64>,
    pub(super) channel: u64,
    pub(super) body: &'a Value,
    pub(super) files: &'a [(String, usize)],
    pub(super) flags: u64,
    pub(super) only_for: Option<u64>,
    pub(super) interaction: Option<u64>,
}

/// Records what could ring for somebody that a text names.
pub(super) fn check_mentions(world: &mut World, call: &Call, body: &Value) {
    if let Some(why) = limits::may_ring(body) {
        world.violate(format!("{}: {why}", call.shown()));
    }
}

impl World {
    /// Posts as the bot.
    pub(super) fn post(&mut self, draft: &Draft<'_>) -> u64 {
        let id = draft.id.unwrap_or_else(|| self.next_id());
        let text = draft.body["content"].as_str().unwrap_or_default();
        let message = Message {
            id,
            channel: draft.channel,
            author: self.bot,
            content: text.to_owned(),
            embeds: list_in(&draft.body["embeds"]).to_vec(),
            components: list_in(&draft.body["components"]).to_vec(),
            flags: draft.flags,
            nonce: Some(draft.body["nonce"].clone()).filter(|nonce| !nonce.is_null()),
            edits: 0,
            only_for: draft.only_for,
            files: draft.files.to_vec(),
            interaction: draft.interaction,
            sent: self.now(),
            created_at: self.timestamp(),
            edited_at: None,
        };
        self.messages.insert(id, message);
        self.touch(draft.channel);
        id
    }

    fn touch(&mut self, channel: u64) {
        let now = self.now();
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.touched = now;
        }
    }

    /// Changes what the body names; what it leaves out stays.
    pub(super) fn edit(
        &mut self,
        id: u64,
        body: &Value,
        files: &[(String, usize)],
    ) -> Result<(), Refusal> {
        let date = self.timestamp();
        let message = self
            .messages
            .get_mut(&id)
            .ok_or_else(|| Refusal::unknown_message(id))?;
        let mut new = message.clone();
        if let Some(content) = body.get("content") {
            content
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut new.content);
        }
        if let Some(embeds) = body.get("embeds") {
            new.embeds = list_in(embeds).to_vec();
        }
        if let Some(components) = body.get("components") {
            new.components = list_in(components).to_vec();
        }
        if body.get("attachments").is_some() {
            new.files.clear();
        }
        new.files.extend_from_slice(files);
        let is_empty = new.content.is_empty() && new.embeds.is_empty();
        if is_empty && new.components.is_empty() && new.files.is_empty() {
            let what = "the edit leaves an empty message";
            return Err(Refusal::new(
                400,
                50006,
                "Cannot send an empty message",
                what,
            ));
        }
        new.flags &= !LOADING;
        new.edits += 1;
        new.edited_at = Some(date);
        *message = new;
        Ok(())
    }

    /// The channel, if the bot sees it.
    pub(super) fn visible(&self, id: u64) -> Result<&Channel, Refusal> {
        let channel = self
            .channels
            .get(&id)
            .ok_or_else(|| Refusal::unknown_channel(id))?;
        self.need(channel, VIEW_CHANNEL, "see")
            .map_err(|refusal| Refusal::no_access(refusal.what))?;
        Ok(channel)
    }

    /// Refuses when the bot lacks a right in a channel.
    pub(super) fn need(&self, channel: &Channel, bits: u64, to: &str) -> Result<(), Refusal> {
        let is_direct = channel.kind == ChannelKind::Direct;
        if is_direct || self.permissions_in(self.bot, channel) & bits == bits {
            return Ok(());
        }
        let name = &channel.name;
        Err(Refusal::not_permitted(format!(
            "the bot has no right to {to} in {name}"
        )))
    }
}

/// `GET /channels/{id}/messages`, newest first.
pub(super) fn list(world: &World, call: &Call, channel: u64) -> Result<Reply, Refusal> {
    let channel = world.visible(channel)?;
    world.need(channel, READ_MESSAGE_HISTORY, "read what was written")?;
    let number = |name: &str| {
        call.query
            .get(name)
            .and_then(|text| text.parse::<u64>().ok())
    };
    let limit = number("limit").unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(Refusal::form(
            "limit",
            format!("limit is {limit}, 1 to 100 are possible"),
        ));
    }
    let limit = usize::try_from(limit).unwrap_or_default();
    let (before, after) = (number("before"), number("after"));
    let shown = world.messages_in(channel.id).filter(|message| {
        !message.is_ephemeral()
            && before.is_none_or(|before| message.id < before)
            && after.is_none_or(|after| message.id > after)
    });
    let mut found: Vec<&Message> = if after.is_some() {
        shown.take(limit).collect()
    } else {
        shown.rev().take(limit).collect()
    };
    found.sort_by_key(|message| std::cmp::Reverse(message.id));
    Ok(Reply::ok(
        found
            .into_iter()
            .map(|message| world.message(message))
            .collect(),
    ))
}

/// `POST /channels/{id}/messages`.
pub(super) fn create(world: &mut World, call: &Call, id: u64) -> Result<Reply, Refusal> {
    let channel = world.visible(id)?.clone();
    let right = if channel.kind.is_thread() {
        SEND_MESSAGES_IN_THREADS
    } else {
        SEND_MESSAGES
    };
    world.need(&channel, right, "write")?;
    may_write_to(world, &channel)?;
    check_body(world, call, &channel)?;
    let nonce = &call.body["nonce"];
    if call.body["enforce_nonce"] == true && !nonce.is_null() {
        let since = world.now().saturating_sub(NONCE);
        let mut earlier = world.messages_in(id);
        let first = earlier.find(|one| one.nonce.as_ref() == Some(nonce) && one.sent >= since);
        if let Some(first) = first {
            return Ok(Reply::ok(world.message(first)));
        }
    }
    if channel.is_archived
        && let Some(channel) = world.channels.get_mut(&id)
    {
        channel.is_archived = false;
    }
    let message = world.post(&Draft {
        id: None,
        channel: id,
        body: &call.body,
        files: &call.files,
        flags: bits_in(&call.body["flags"]) & !EPHEMERAL,
        only_for: None,
        interaction: None,
    });
    get(world, id, message)
}

fn may_write_to(world: &World, channel: &Channel) -> Result<(), Refusal> {
    let recipient = channel.recipient;
    let is_closed = recipient.is_some_and(|user| world.closed_to_bot.contains(&user));
    match channel.kind {
        ChannelKind::Forum | ChannelKind::Category => {
            let what = format!("{} takes no messages", channel.name);
            return Err(Refusal::new(
                400,
                50008,
                "Cannot send messages in a non-text channel",
                what,
            ));
        }
        ChannelKind::Direct if is_closed => {
            let what = "the person takes no messages from the bot";
            let message = "Cannot send messages to this user";
            return Err(Refusal::new(403, 50007, message, what));
        }
        _ if channel.is_locked && channel.is_archived => {
            return Err(Refusal::archived(format!(
                "{} is archived and locked",
                channel.name
            )));
        }
        _ if channel.is_locked && world.need(channel, MANAGE_THREADS, "").is_err() => {
            let what = format!("{} is locked", channel.name);
            return Err(Refusal::new(400, 160_005, "Thread is locked", what));
        }
        _ => {}
    }
    Ok(())
}

/// What holds for every message of the bot's own, a forum's starter too.
pub(super) fn check_body(world: &mut World, call: &Call, channel: &Channel) -> Result<(), Refusal> {
    let body = if channel.kind == ChannelKind::Forum {
        &call.body["message"]
    } else {
        &call.body
    };
    check_mentions(world, call, body);
    if bits_in(&body["flags"]) & EPHEMERAL != 0 {
        world.violate(format!(
            "{}: only an interaction is answered ephemerally",
            call.shown()
        ));
    }
    limits::message(
        body,
        if channel.kind == ChannelKind::Forum {
            "message."
        } else {
            ""
        },
    )?;
    if limits::is_empty(body, call.files.len()) {
        return Err(Refusal::new(
            400,
            50006,
            "Cannot send an empty message",
            "the message is empty",
        ));
    }
    if !call.files.is_empty() {
        world.need(channel, ATTACH_FILES, "send files")?;
    }
    // Discord takes the message and leaves its embeds out, which nobody would notice.
    if !list_in(&body["embeds"]).is_empty() && world.need(channel, EMBED_LINKS, "").is_err() {
        world.violate(format!(
            "{}: the bot may not show embeds there",
            call.shown()
        ));
    }
    Ok(())
}

fn find(world: &World, channel: u64, id: u64) -> Result<&Message, Refusal> {
    let message = world.messages.get(&id);
    message
        .filter(|message| message.channel == channel && !message.is_ephemeral())
        .ok_or_else(|| Refusal::unknown_message(id))
}

/// `GET /channels/{id}/messages/{id}`.
pub(super) fn get(world: &World, channel: u64, id: u64) -> Result<Reply, Refusal> {
    world.visible(channel)?;
    Ok(Reply::ok(world.message(find(world, channel, id)?)))
}

/// `PATCH /channels/{id}/messages/{id}`.
pub(super) fn edit(
    world: &mut World,
    call: &Call,
    id: u64,
    message: u64,
) -> Result<Reply, Refusal> {
    let channel = world.visible(id)?;
    if channel.is_archived {
        return Err(Refusal::archived(format!("an edit in {}", channel.name)));
    }
    let author = find(world, id, message)?.author;
    if author != world.bot {
        let what = "only its author edits a message";
        return Err(Refusal::new(
            403,
            50005,
            "Cannot edit a message authored by another user",
            what,
        ));
    }
    check_mentions(world, call, &call.body);
    limits::message(&call.body, "")?;
    world.edit(message, &call.body, &call.files)?;
    get(world, id, message)
}

/// `DELETE /channels/{id}/messages/{id}`.
pub(super) fn delete(world: &mut World, id: u64, message: u64) -> Result<Reply, Refusal> {
    let channel = world.visible(id)?;
    if channel.is_archived {
        return Err(Refusal::archived(format!("a deletion in {}", channel.name)));
    }
    if find(world, id, message)?.author != world.bot {
        world.need(channel, MANAGE_MESSAGES, "delete what others wrote")?;
    }
    world.messages.remove(&message);
    Ok(Reply::nothing())
}

/// `POST /users/@me/channels`.
pub(super) fn open_direct(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let recipient = id_in(&call.body["recipient_id"]).unwrap_or_default();
    if !world.members.contains_key(&recipient) || recipient == world.bot {
        let what = format!("there is no person {recipient}");
        return Err(Refusal::new(404, 10013, "Unknown User", what));
    }
    let is_theirs = |channel: &&Channel| channel.recipient == Some(recipient);
    let known = world
        .channels
        .values()
        .find(is_theirs)
        .map(|channel| channel.id);
    let id = known.unwrap_or_else(|| {
        let channel = world.add_channel(ChannelKind::Direct, "", None);
        channel.recipient = Some(recipient);
        channel.id
    });
    Ok(Reply::ok(world.channel(&world.channels[&id])))
}
