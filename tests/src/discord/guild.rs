//! The guild itself: its channels, its roles, its members and the commands that it knows.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    command_rules, limits, objects,
    permissions::{MANAGE_CHANNELS, MANAGE_ROLES, MANAGE_THREADS},
    record::{Call, bits_in, id_in, length, list_in},
    refusal::{Refusal, Reply},
    threads,
    world::{Channel, ChannelKind, Overwrite, Tag, World},
};

/// How many channels a guild holds, categories included.
const CHANNELS: usize = 500;
/// How many tags a forum offers.
const TAGS: usize = 20;
/// How often a channel's name or topic may change in [`RENAME_WINDOW`].
const RENAMES: usize = 2;
const RENAME_WINDOW: Duration = Duration::from_mins(10);

/// `GET /guilds/{id}/channels`: no threads.
pub(super) fn channels(world: &World) -> Reply {
    let channels = world.channels.values();
    let of_guild = channels.filter(|one| !one.kind.is_thread() && one.kind != ChannelKind::Direct);
    Reply::ok(of_guild.map(|channel| world.channel(channel)).collect())
}

/// `POST /guilds/{id}/channels`.
pub(super) fn create_channel(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let body = &call.body;
    need_in_guild(world, MANAGE_CHANNELS, "make channels")?;
    limits::name(&body["name"])?;
    let kind = ChannelKind::from_number(body["type"].as_u64().unwrap_or_default());
    let Some(kind) = kind.filter(|kind| !kind.is_thread()) else {
        return Err(Refusal::form(
            "type",
            format!("no channel of type {}", body["type"]),
        ));
    };
    let counted = |one: &&Channel| !one.kind.is_thread() && one.kind != ChannelKind::Direct;
    if world.channels.values().filter(counted).count() >= CHANNELS {
        let message = "Maximum number of guild channels reached (500)";
        return Err(Refusal::new(400, 30013, message, "500 channels are there"));
    }
    let parent = parent(world, &body["parent_id"])?;
    let overwrites = overwrites(world, &body["permission_overwrites"])?;
    let tags = tags(world, &body["available_tags"], &[])?;
    let name = channel_name(kind, body["name"].as_str().unwrap_or_default());
    let owner = world.bot;
    let channel = world.add_channel(kind, &name, parent);
    channel.topic = body["topic"].as_str().map(str::to_owned);
    channel.overwrites = overwrites;
    channel.tags = tags;
    channel.owner = Some(owner);
    let channel = channel.clone();
    let object = world.channel(&channel);
    world.events.push(("CHANNEL_CREATE", object.clone()));
    Ok(Reply::created(object))
}

/// Names of text channels and forums are in lower case with hyphens, whatever is asked for.
fn channel_name(kind: ChannelKind, asked: &str) -> String {
    match kind {
        ChannelKind::Text | ChannelKind::Forum => asked.to_lowercase().replace(' ', "-"),
        _ => asked.to_owned(),
    }
}

fn need_in_guild(world: &World, bits: u64, to: &str) -> Result<(), Refusal> {
    if world.guild_permissions(world.bot) & bits == bits {
        return Ok(());
    }
    Err(Refusal::not_permitted(format!(
        "the bot has no right to {to}"
    )))
}

fn parent(world: &World, value: &Value) -> Result<Option<u64>, Refusal> {
    let Some(id) = id_in(value) else {
        return Ok(None);
    };
    let is_category = |channel: &Channel| channel.kind == ChannelKind::Category;
    if world.channels.get(&id).is_some_and(is_category) {
        return Ok(Some(id));
    }
    Err(Refusal::form("parent_id", format!("{id} is no category")))
}

fn overwrites(world: &World, value: &Value) -> Result<Vec<Overwrite>, Refusal> {
    let list = list_in(value);
    if !list.is_empty() {
        need_in_guild(world, MANAGE_ROLES, "give overwrites")?;
    }
    let read = |one: &Value| {
        let id = id_in(&one["id"]).unwrap_or_default();
        let is_member = one["type"] == 1;
        let is_known = if is_member {
            world.members.contains_key(&id)
        } else {
            world.roles.contains_key(&id)
        };
        if !is_known {
            let what = format!("no role and no member {id} for an overwrite");
            return Err(Refusal::form("permission_overwrites", what));
        }
        Ok(Overwrite {
            id,
            is_member,
            allow: bits_in(&one["allow"]),
            deny: bits_in(&one["deny"]),
        })
    };
    list.iter().map(read).collect()
}

/// Tags as they are asked for; one keeps its id if the forum has it already.
fn tags(world: &mut World, value: &Value, known: &[Tag]) -> Result<Vec<Tag>, Refusal> {
    let list = list_in(value);
    if list.len() > TAGS {
        let what = format!("{} tags, {TAGS} are the limit", list.len());
        return Err(Refusal::form("available_tags", what));
    }
    let mut tags: Vec<Tag> = Vec::new();
    for one in list {
        let name = one["name"].as_str().unwrap_or_default();
        if !(1..=20).contains(&length(name)) || tags.iter().any(|tag| tag.name == name) {
            let what = format!("a tag is called {name:?}: 1 to 20 characters, each once");
            return Err(Refusal::form("available_tags", what));
        }
        tags.push(Tag {
            id: id_in(&one["id"])
                .filter(|id| known.iter().any(|tag| tag.id == *id))
                .unwrap_or_else(|| world.next_id()),
            name: name.to_owned(),
            is_moderated: one["moderated"] == true,
        });
    }
    Ok(tags)
}

/// `GET /channels/{id}`.
pub(super) fn get_channel(world: &World, id: u64) -> Result<Reply, Refusal> {
    Ok(Reply::ok(world.channel(world.visible(id)?)))
}

/// `PATCH /channels/{id}`.
pub(super) fn change_channel(world: &mut World, call: &Call, id: u64) -> Result<Reply, Refusal> {
    let channel = world.visible(id)?.clone();
    let body = &call.body;
    if body.get("name").is_some() {
        limits::name(&body["name"])?;
    }
    check_renames(world, body, &channel)?;
    if channel.kind.is_thread() {
        threads::change(world, call, &channel)?;
    } else {
        world.need(&channel, MANAGE_CHANNELS, "change channels")?;
        change_settings(world, body, id)?;
    }
    rename(world, body, id);
    let object = world.channel(&world.channels[&id]);
    let event = if channel.kind.is_thread() {
        "THREAD_UPDATE"
    } else {
        "CHANNEL_UPDATE"
    };
    world.events.push((event, object.clone()));
    Ok(Reply::ok(object))
}

fn change_settings(world: &mut World, body: &Value, id: u64) -> Result<(), Refusal> {
    let of = |key: &str| body.get(key);
    let parent = of("parent_id")
        .map(|value| parent(world, value))
        .transpose()?;
    let overwrites = of("permission_overwrites")
        .map(|value| overwrites(world, value))
        .transpose()?;
    let tags = match of("available_tags") {
        Some(value) => {
            let known = world.channels.get(&id).map(|channel| channel.tags.clone());
            Some(tags(world, value, &known.unwrap_or_default())?)
        }
        None => None,
    };
    let Some(channel) = world.channels.get_mut(&id) else {
        return Ok(());
    };
    channel.parent = parent.unwrap_or(channel.parent);
    channel.flags = of("flags").map_or(channel.flags, bits_in);
    if let Some(overwrites) = overwrites {
        channel.overwrites = overwrites;
    }
    if let Some(tags) = tags {
        channel.tags = tags;
    }
    Ok(())
}

/// Whether the body gives another name or topic.
fn is_renamed(body: &Value, channel: &Channel) -> bool {
    let name = body["name"].as_str();
    let is_named = name.is_some_and(|name| channel_name(channel.kind, name) != channel.name);
    is_named
        || body
            .get("topic")
            .is_some_and(|topic| topic.as_str() != channel.topic.as_deref())
}

fn check_renames(world: &mut World, body: &Value, channel: &Channel) -> Result<(), Refusal> {
    let now = world.now();
    let Some(renames) = world
        .channels
        .get_mut(&channel.id)
        .map(|one| &mut one.renames)
    else {
        return Ok(());
    };
    renames.retain(|at| *at + RENAME_WINDOW > now);
    match renames.front() {
        Some(first) if renames.len() >= RENAMES && is_renamed(body, channel) => {
            let wait = (*first + RENAME_WINDOW).saturating_sub(now);
            let what = format!(
                "a third new name or topic of {} in 10 minutes",
                channel.name
            );
            Err(Refusal::too_fast(wait, what))
        }
        _ => Ok(()),
    }
}

fn rename(world: &mut World, body: &Value, id: u64) {
    let now = world.now();
    let Some(channel) = world.channels.get_mut(&id) else {
        return;
    };
    if is_renamed(body, channel) {
        channel.renames.push_back(now);
    }
    if let Some(name) = body["name"].as_str() {
        channel.name = channel_name(channel.kind, name);
    }
    if let Some(topic) = body.get("topic") {
        channel.topic = topic.as_str().map(str::to_owned);
    }
}

/// `DELETE /channels/{id}`; a channel takes its threads with it.
pub(super) fn delete_channel(world: &mut World, id: u64) -> Result<Reply, Refusal> {
    let channel = world.visible(id)?.clone();
    let (bits, event) = if channel.kind.is_thread() {
        (MANAGE_THREADS, "THREAD_DELETE")
    } else {
        (MANAGE_CHANNELS, "CHANNEL_DELETE")
    };
    world.need(&channel, bits, "delete it")?;
    let object = world.channel(&channel);
    world.remove_channel(id);
    world.events.push((event, object.clone()));
    Ok(Reply::ok(object))
}

impl World {
    /// Removes a channel with its messages and threads.
    pub(super) fn remove_channel(&mut self, id: u64) {
        let is_gone =
            |one: &Channel| one.id == id || (one.parent == Some(id) && one.kind.is_thread());
        self.channels.retain(|_, channel| !is_gone(channel));
        let channels = &self.channels;
        self.messages
            .retain(|_, message| channels.contains_key(&message.channel));
    }
}

/// `GET /guilds/{id}/roles`.
pub(super) fn roles(world: &World) -> Reply {
    Reply::ok(world.roles.values().map(objects::role).collect())
}

/// `POST /guilds/{id}/roles`.
pub(super) fn create_role(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    need_in_guild(world, MANAGE_ROLES, "make roles")?;
    let name = call.body["name"].as_str().unwrap_or("new role");
    if !(1..=100).contains(&length(name)) {
        return Err(Refusal::form(
            "name",
            "a role's name has 1 to 100 characters",
        ));
    }
    let permissions = bits_in(&call.body["permissions"]);
    if permissions & !world.guild_permissions(world.bot) != 0 {
        return Err(Refusal::not_permitted(
            "a role may not have rights that the bot lacks",
        ));
    }
    let id = world.add_role(name, permissions);
    let object = objects::role(&world.roles[&id]);
    let event = json!({"guild_id": world.guild.to_string(), "role": object});
    world.events.push(("GUILD_ROLE_CREATE", event));
    Ok(Reply::ok(object))
}

/// `GET /guilds/{id}/members/{user}`.
pub(super) fn member(world: &World, user: u64) -> Result<Reply, Refusal> {
    let member = world.members.get(&user);
    let member = member.ok_or_else(|| {
        Refusal::new(404, 10007, "Unknown Member", format!("{user} is no member"))
    })?;
    Ok(Reply::ok(world.member(member)))
}

/// `PUT /applications/{id}/guilds/{id}/commands`: these and no others.
pub(super) fn set_commands(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let commands = list_in(&call.body);
    command_rules::set(commands)?;
    let registered = commands.iter().map(|one| registered(world, one)).collect();
    world.commands = registered;
    Ok(Reply::ok(world.commands.clone().into()))
}

/// `POST /applications/{id}/guilds/{id}/commands`: one more, or another of the same name.
pub(super) fn add_command(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    command_rules::command(&call.body)?;
    let new = registered(world, &call.body);
    let mut commands = world.commands.clone();
    let is_new = !commands.iter().any(|one| one["name"] == new["name"]);
    commands.retain(|one| one["name"] != new["name"]);
    commands.push(new.clone());
    command_rules::set(&commands)?;
    world.commands = commands;
    Ok(if is_new {
        Reply::created(new)
    } else {
        Reply::ok(new)
    })
}

/// A definition as Discord gives it back. It keeps its id as long as it keeps its name.
fn registered(world: &mut World, definition: &Value) -> Value {
    let known = world
        .commands
        .iter()
        .find(|one| one["name"] == definition["name"]);
    let known = known.map(|one| one["id"].clone());
    let id = known.unwrap_or_else(|| world.next_id().to_string().into());
    let mut command = json!({
        "id": id, "application_id": world.application.to_string(), "type": 1,
        "guild_id": world.guild.to_string(), "version": world.next_id().to_string(),
        "default_member_permissions": null, "nsfw": false, "options": [],
        "name_localizations": null, "description_localizations": null,
    });
    for (key, value) in definition.as_object().into_iter().flatten() {
        if !value.is_null() {
            command[key.as_str()] = value.clone();
        }
    }
    if let Some(bits) = id_in(&definition["default_member_permissions"]) {
        command["default_member_permissions"] = bits.to_string().into();
    }
    command
}
