//! Which request does what.

use super::{
    guild, interaction, messages,
    record::Call,
    refusal::{Refusal, Reply},
    threads,
    world::World,
};

/// Acts on a request, or says why not.
pub(super) fn answer(world: &mut World, call: &Call, gateway: &str) -> Result<Reply, Refusal> {
    let segments = call.segments();
    let Some((first, rest)) = segments.split_first() else {
        return Err(unknown_route(call));
    };
    match *first {
        "channels" => channels(world, call, rest),
        "guilds" => in_guild(world, call, rest),
        "applications" => commands(world, call, rest),
        "interactions" | "webhooks" => interactions(world, call, &segments),
        _ => about(world, call, &segments, gateway),
    }
}

fn unknown_route(call: &Call) -> Refusal {
    Refusal::new(
        404,
        0,
        "404: Not Found",
        format!("no such route: {}", call.shown()),
    )
}

/// An id in a path.
fn id(text: &str) -> Result<u64, Refusal> {
    let parsed = text.parse();
    parsed.map_err(|_| Refusal::form("id", format!("{text:?} is not snowflake")))
}

fn about(
    world: &mut World,
    call: &Call,
    segments: &[&str],
    gateway: &str,
) -> Result<Reply, Refusal> {
    match (call.method.as_str(), segments) {
        ("GET", ["gateway"]) => Ok(Reply::ok(serde_json::json!({"url": gateway}))),
        ("GET", ["gateway", "bot"]) => Ok(Reply::ok(serde_json::json!({
            "url": gateway, "shards": 1,
            "session_start_limit":
                {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1},
        }))),
        ("GET", ["users", "@me"]) => {
            let mut me = world.user(world.bot);
            me["mfa_enabled"] = false.into();
            me["locale"] = "en-US".into();
            me["verified"] = true.into();
            me["email"] = serde_json::Value::Null;
            Ok(Reply::ok(me))
        }
        ("POST", ["users", "@me", "channels"]) => messages::open_direct(world, call),
        ("GET", ["oauth2", "applications", "@me"]) => Ok(Reply::ok(world.application())),
        _ => Err(unknown_route(call)),
    }
}

fn in_guild(world: &mut World, call: &Call, rest: &[&str]) -> Result<Reply, Refusal> {
    let asked = rest.first().copied().unwrap_or_default();
    if id(asked)? != world.guild {
        let what = format!("the bot is in no guild {asked}");
        return Err(Refusal::new(404, 10004, "Unknown Guild", what));
    }
    match (call.method.as_str(), &rest[1..]) {
        ("GET", []) => Ok(Reply::ok(world.guild())),
        ("GET", ["channels"]) => Ok(guild::channels(world)),
        ("POST", ["channels"]) => guild::create_channel(world, call),
        ("GET", ["roles"]) => Ok(guild::roles(world)),
        ("POST", ["roles"]) => guild::create_role(world, call),
        ("GET", ["members", user]) => guild::member(world, id(user)?),
        ("GET", ["threads", "active"]) => Ok(threads::active(world)),
        _ => Err(unknown_route(call)),
    }
}

fn commands(world: &mut World, call: &Call, rest: &[&str]) -> Result<Reply, Refusal> {
    let [application, "guilds", of, "commands"] = rest else {
        return Err(unknown_route(call));
    };
    if id(application)? != world.application {
        let what = format!("the bot is not application {application}");
        return Err(Refusal::new(404, 10002, "Unknown Application", what));
    }
    if id(of)? != world.guild {
        return Err(Refusal::no_access(format!("the bot is in no guild {of}")));
    }
    match call.method.as_str() {
        "GET" => Ok(Reply::ok(world.commands.clone().into())),
        "PUT" => guild::set_commands(world, call),
        "POST" => guild::add_command(world, call),
        _ => Err(unknown_route(call)),
    }
}

fn interactions(world: &mut World, call: &Call, segments: &[&str]) -> Result<Reply, Refusal> {
    match (call.method.as_str(), segments) {
        ("POST", ["interactions", of, token, "callback"]) => {
            interaction::callback(world, call, id(of)?, token)
        }
        ("POST", ["webhooks", application, token]) => {
            interaction::follow_up(world, call, id(application)?, token)
        }
        ("GET" | "PATCH" | "DELETE", ["webhooks", application, token, "messages", name]) => {
            interaction::message(world, call, id(application)?, token, name)
        }
        _ => Err(unknown_route(call)),
    }
}

fn channels(world: &mut World, call: &Call, rest: &[&str]) -> Result<Reply, Refusal> {
    let channel = id(rest.first().copied().unwrap_or_default())?;
    match (call.method.as_str(), &rest[1..]) {
        ("GET", []) => guild::get_channel(world, channel),
        ("PATCH", []) => guild::change_channel(world, call, channel),
        ("DELETE", []) => guild::delete_channel(world, channel),
        ("GET", ["messages"]) => messages::list(world, call, channel),
        ("POST", ["messages"]) => messages::create(world, call, channel),
        ("GET", ["messages", one]) => messages::get(world, channel, id(one)?),
        ("PATCH", ["messages", one]) => messages::edit(world, call, channel, id(one)?),
        ("DELETE", ["messages", one]) => messages::delete(world, channel, id(one)?),
        ("POST", ["messages", one, "threads"]) => {
            threads::open_from(world, call, channel, id(one)?)
        }
        ("POST", ["threads"]) => threads::open(world, call, channel),
        ("GET", ["threads", "archived", "public"]) => threads::archived(world, call, channel),
        _ => Err(unknown_route(call)),
    }
}
