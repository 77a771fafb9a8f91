//! Threads and the posts of forums: opened, archived, locked, tagged.

use serde_json::{Value, json};

use super::{
    limits,
    messages::{Draft, check_body},
    permissions::{CREATE_PRIVATE_THREADS, CREATE_PUBLIC_THREADS, MANAGE_THREADS, SEND_MESSAGES},
    record::{Call, bits_in, id_in, list_in},
    refusal::{Refusal, Reply},
    world::{Channel, ChannelKind, World},
};

/// How many tags a post may bear.
const APPLIED_TAGS: usize = 5;
/// A forum with this flag takes no post without a tag.
const REQUIRE_TAG: u64 = 1 << 4;

fn check_tags(world: &World, tags: &Value, parent: &Channel) -> Result<Vec<u64>, Refusal> {
    let tags: Vec<u64> = list_in(tags)
        .iter()
        .map(|tag| id_in(tag).unwrap_or_default())
        .collect();
    if tags.len() > APPLIED_TAGS {
        let what = format!("{} tags applied, {APPLIED_TAGS} are the limit", tags.len());
        return Err(Refusal::form("applied_tags", what));
    }
    for id in &tags {
        let Some(tag) = parent.tags.iter().find(|tag| tag.id == *id) else {
            let what = format!("{} has no tag {id}", parent.name);
            return Err(Refusal::form("applied_tags", what));
        };
        if tag.is_moderated {
            world.need(parent, MANAGE_THREADS, "apply a moderated tag")?;
        }
    }
    if tags.is_empty() && parent.kind == ChannelKind::Forum && parent.flags & REQUIRE_TAG != 0 {
        let what = format!("{} asks for a tag", parent.name);
        let message = "A tag is required to create a forum post in this channel";
        return Err(Refusal::new(400, 40067, message, what));
    }
    Ok(tags)
}

fn auto_archive(value: &Value) -> Result<Option<u64>, Refusal> {
    match value.as_u64() {
        None if value.is_null() => Ok(None),
        Some(minutes @ (60 | 1440 | 4320 | 10080)) => Ok(Some(minutes)),
        _ => Err(Refusal::form(
            "auto_archive_duration",
            format!("a thread is not archived after {value} minutes: 60, 1440, 4320 or 10080"),
        )),
    }
}

fn check_room(world: &World) -> Result<(), Refusal> {
    let active = world.active_threads();
    if active >= world.active_limit {
        let message = "Maximum number of active threads reached";
        return Err(Refusal::new(
            400,
            160_006,
            message,
            format!("{active} threads are active"),
        ));
    }
    Ok(())
}

/// `POST /channels/{id}/threads`: a forum's post, or a thread without a message.
pub(super) fn open(world: &mut World, call: &Call, id: u64) -> Result<Reply, Refusal> {
    let parent = world.visible(id)?.clone();
    limits::name(&call.body["name"])?;
    let minutes = auto_archive(&call.body["auto_archive_duration"])?;
    let kind = match parent.kind {
        ChannelKind::Forum => {
            world.need(&parent, SEND_MESSAGES, "open a post")?;
            ChannelKind::PublicThread
        }
        ChannelKind::Text if call.body["type"] == 11 => {
            world.need(&parent, CREATE_PUBLIC_THREADS, "open a thread")?;
            ChannelKind::PublicThread
        }
        // Without a type Discord opens a private one.
        ChannelKind::Text => {
            world.need(&parent, CREATE_PRIVATE_THREADS, "open a private thread")?;
            ChannelKind::PrivateThread
        }
        _ => {
            let message = "Cannot execute action on this channel type";
            return Err(Refusal::new(
                400,
                50024,
                message,
                format!("no thread in {}", parent.name),
            ));
        }
    };
    let tags = check_tags(world, &call.body["applied_tags"], &parent)?;
    if parent.kind == ChannelKind::Forum {
        if !call.body["message"].is_object() {
            return Err(Refusal::form("message", "a forum's post needs a message"));
        }
        check_body(world, call, &parent)?;
    }
    check_room(world)?;
    let thread = start(world, None, kind, call, id);
    thread.applied_tags = tags;
    thread.auto_archive_minutes = minutes.unwrap_or(thread.auto_archive_minutes);
    let thread = thread.id;
    if parent.kind == ChannelKind::Forum {
        world.post(&Draft {
            id: Some(thread),
            channel: thread,
            body: &call.body["message"],
            files: &call.files,
            flags: bits_in(&call.body["message"]["flags"]),
            only_for: None,
            interaction: None,
        });
    }
    let mut object = announce(world, thread);
    if let Some(message) = world.messages.get(&thread) {
        object["message"] = world.message(message);
    }
    Ok(Reply::created(object))
}

fn start<'a>(
    world: &'a mut World,
    id: Option<u64>,
    kind: ChannelKind,
    call: &Call,
    parent: u64,
) -> &'a mut Channel {
    let (bot, name) = (world.bot, call.body["name"].as_str().unwrap_or_default());
    let thread = match id {
        Some(id) => world.add_channel_as(id, kind, name, Some(parent)),
        None => world.add_channel(kind, name, Some(parent)),
    };
    thread.owner = Some(bot);
    thread
}

fn announce(world: &mut World, thread: u64) -> Value {
    let object = world.channel(&world.channels[&thread]);
    let mut event = object.clone();
    event["newly_created"] = true.into();
    world.events.push(("THREAD_CREATE", event));
    object
}

/// `POST /channels/{id}/messages/{id}/threads`.
pub(super) fn open_from(
    world: &mut World,
    call: &Call,
    id: u64,
    message: u64,
) -> Result<Reply, Refusal> {
    let parent = world.visible(id)?.clone();
    world.need(&parent, CREATE_PUBLIC_THREADS, "open a thread")?;
    limits::name(&call.body["name"])?;
    let minutes = auto_archive(&call.body["auto_archive_duration"])?;
    let known = world.messages.get(&message);
    if known.is_none_or(|known| known.channel != id || known.is_ephemeral()) {
        return Err(Refusal::unknown_message(message));
    }
    if world.channels.contains_key(&message) {
        let text = "A thread has already been created for this message";
        let what = format!("message {message} has a thread");
        return Err(Refusal::new(400, 160_004, text, what));
    }
    if parent.kind != ChannelKind::Text {
        let text = "Cannot execute action on this channel type";
        return Err(Refusal::new(
            400,
            50024,
            text,
            format!("no thread in {}", parent.name),
        ));
    }
    check_room(world)?;
    let thread = start(world, Some(message), ChannelKind::PublicThread, call, id);
    thread.auto_archive_minutes = minutes.unwrap_or(thread.auto_archive_minutes);
    Ok(Reply::created(announce(world, message)))
}

/// Changes a thread as `PATCH /channels/{id}` asks. Its name is changed by the caller, for that
/// limit holds for all channels.
pub(super) fn change(world: &mut World, call: &Call, thread: &Channel) -> Result<(), Refusal> {
    let body = &call.body;
    let reopens = body["archived"] == false;
    let names = |key: &str| body.get(key).is_some();
    let changes_more = [
        "name",
        "applied_tags",
        "auto_archive_duration",
        "rate_limit_per_user",
        "flags",
    ];
    if thread.is_archived && !reopens && changes_more.into_iter().any(names) {
        return Err(Refusal::archived(format!("a change of {}", thread.name)));
    }
    let is_managers = world.need(thread, MANAGE_THREADS, "manage threads");
    if names("locked") || (reopens && thread.is_locked) || thread.owner != Some(world.bot) {
        is_managers?;
    }
    let minutes = auto_archive(&body["auto_archive_duration"])?;
    let parent = world.governing(thread).clone();
    let tags = match body.get("applied_tags") {
        Some(tags) => Some(check_tags(world, tags, &parent)?),
        None => None,
    };
    if reopens && thread.is_archived {
        check_room(world)?;
    }
    let (now, date) = (world.now(), world.timestamp());
    let Some(thread) = world.channels.get_mut(&thread.id) else {
        return Ok(());
    };
    if let Some(archived) = body["archived"].as_bool()
        && archived != thread.is_archived
    {
        thread.is_archived = archived;
        thread.archived_at = date;
        thread.touched = now;
    }
    thread.is_locked = body["locked"].as_bool().unwrap_or(thread.is_locked);
    thread.auto_archive_minutes = minutes.unwrap_or(thread.auto_archive_minutes);
    thread.applied_tags = tags.unwrap_or_else(|| thread.applied_tags.clone());
    Ok(())
}

fn listed(world: &World, threads: Vec<&Channel>) -> Value {
    let threads: Vec<Value> = threads.into_iter().map(|one| world.channel(one)).collect();
    json!({"threads": threads, "members": [], "has_more": false})
}

/// `GET /guilds/{id}/threads/active`, newest first.
pub(super) fn active(world: &World) -> Reply {
    let channels = world.channels.values().rev();
    let active = channels.filter(|one| one.kind.is_thread() && !one.is_archived);
    Reply::ok(listed(world, active.collect()))
}

/// `GET /channels/{id}/threads/archived/public`, the last archived first.
pub(super) fn archived(world: &World, call: &Call, id: u64) -> Result<Reply, Refusal> {
    let parent = world.visible(id)?;
    let channels = world.channels.values();
    let mut found: Vec<&Channel> = channels
        .filter(|one| one.kind == ChannelKind::PublicThread && one.parent == Some(parent.id))
        .filter(|one| one.is_archived)
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse((one.archived_at, one.id)));
    let before = call.query.get("before").and_then(|text| text.parse().ok());
    if let Some(before) = before {
        found.retain(|one| one.archived_at < before);
    }
    let limit = call.query.get("limit").and_then(|text| text.parse().ok());
    let limit = limit.unwrap_or(50);
    let has_more = found.len() > limit;
    found.truncate(limit);
    let mut body = listed(world, found);
    body["has_more"] = has_more.into();
    Ok(Reply::ok(body))
}
