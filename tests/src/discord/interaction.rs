//! What the bot may do with a thing that a person asked of it.
//!
//! One callback within three seconds of real or fake time, and then, for a quarter of an hour, edits
//! of that answer and further ones under the interaction's token.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    limits,
    messages::{Draft, check_mentions},
    record::{Call, bits_in},
    refusal::{Refusal, Reply},
    world::{EPHEMERAL, LOADING, World},
};

/// For how long a callback is taken.
pub(super) const FIRST_ANSWER: Duration = Duration::from_secs(3);
/// For how long the token serves afterwards.
pub(super) const TOKEN: Duration = Duration::from_mins(15);

/// A slash command is 2, a component 3, a word to complete 4, a form 5.
pub(super) const COMMAND: u64 = 2;
pub(super) const COMPONENT: u64 = 3;
pub(super) const AUTOCOMPLETE: u64 = 4;
pub(super) const FORM: u64 = 5;

/// Types of callback.
pub(super) const SAY: u64 = 4;
pub(super) const DEFER: u64 = 5;
pub(super) const DEFER_UPDATE: u64 = 6;
pub(super) const UPDATE: u64 = 7;
pub(super) const COMPLETE: u64 = 8;
pub(super) const SHOW_FORM: u64 = 9;

/// Something that a person did.
#[derive(Clone, Debug)]
pub(super) struct Interaction {
    pub(super) id: u64,
    pub(super) token: String,
    pub(super) kind: u64,
    pub(super) user: u64,
    pub(super) channel: u64,
    /// The message whose button was pressed, or whose button opened the form.
    pub(super) source: Option<u64>,
    pub(super) sent: Duration,
    pub(super) callback: Option<Callback>,
    /// The message that `@original` means.
    pub(super) original: Option<u64>,
    pub(super) followups: Vec<u64>,
    /// Edits through the token, deletions too.
    pub(super) edits: usize,
}

/// The bot's first answer.
#[derive(Clone, Debug)]
pub(super) struct Callback {
    pub(super) kind: u64,
    pub(super) at: Duration,
    pub(super) data: Value,
}

/// A form in front of a person.
#[derive(Clone, Debug)]
pub(super) struct OpenModal {
    pub(super) user: u64,
    pub(super) channel: u64,
    pub(super) source: Option<u64>,
    pub(super) data: Value,
}

fn unknown_interaction(what: impl Into<String>) -> Refusal {
    Refusal::new(404, 10062, "Unknown interaction", what)
}

fn unknown_webhook(what: impl Into<String>) -> Refusal {
    Refusal::new(404, 10015, "Unknown Webhook", what)
}

/// The interaction that may be answered with a callback of this type.
fn answerable(world: &World, id: u64, token: &str, kind: u64) -> Result<Interaction, Refusal> {
    let known = world.interactions.get(&id).filter(|one| one.token == token);
    let Some(asked) = known.cloned() else {
        return Err(unknown_interaction(format!(
            "there is no interaction {id} of this token"
        )));
    };
    if asked.callback.is_some() {
        return Err(Refusal::new(
            400,
            40060,
            "Interaction has already been acknowledged.",
            format!("a second callback for interaction {id}"),
        ));
    }
    let elapsed = world.now().saturating_sub(asked.sent);
    if elapsed > FIRST_ANSWER {
        let what = format!("a callback {elapsed:?} after interaction {id}, 3 s are the limit");
        return Err(unknown_interaction(what));
    }
    let fits = match kind {
        SAY | DEFER => asked.kind != AUTOCOMPLETE,
        DEFER_UPDATE | UPDATE => asked.source.is_some(),
        COMPLETE => asked.kind == AUTOCOMPLETE,
        SHOW_FORM => matches!(asked.kind, COMMAND | COMPONENT),
        _ => false,
    };
    if !fits {
        let what = format!(
            "a callback of type {kind} to an interaction of type {}",
            asked.kind
        );
        return Err(Refusal::form("type", what));
    }
    Ok(asked)
}

/// `POST /interactions/{id}/{token}/callback`.
pub(super) fn callback(
    world: &mut World,
    call: &Call,
    id: u64,
    token: &str,
) -> Result<Reply, Refusal> {
    let kind = call.body["type"].as_u64().unwrap_or_default();
    let asked = answerable(world, id, token, kind)?;
    let (now, data) = (world.now(), &call.body["data"]);
    let original = match kind {
        SAY => {
            check(world, call, data, "data.")?;
            if limits::is_empty(data, call.files.len()) {
                return Err(empty());
            }
            Some(post(world, call, &asked, data, bits_in(&data["flags"])))
        }
        DEFER => {
            let flags = (bits_in(&data["flags"]) & EPHEMERAL) | LOADING;
            Some(post(world, call, &asked, &Value::Null, flags))
        }
        UPDATE => {
            check(world, call, data, "data.")?;
            let message = asked.source.unwrap_or_default();
            world.edit(message, data, &call.files)?;
            Some(message)
        }
        DEFER_UPDATE => asked.source,
        COMPLETE => {
            limits::choices(data)?;
            None
        }
        _ => {
            limits::modal(data)?;
            world.modals.push(OpenModal {
                user: asked.user,
                channel: asked.channel,
                source: asked.source,
                data: data.clone(),
            });
            None
        }
    };
    if let Some(asked) = world.interactions.get_mut(&id) {
        asked.original = original;
        asked.callback = Some(Callback {
            kind,
            at: now,
            data: data.clone(),
        });
    }
    if call
        .query
        .get("with_response")
        .is_none_or(|wanted| wanted != "true")
    {
        return Ok(Reply::nothing());
    }
    Ok(Reply::ok(with_response(world, &asked, kind, original)))
}

fn with_response(world: &World, asked: &Interaction, kind: u64, original: Option<u64>) -> Value {
    let message = original.and_then(|id| world.messages.get(&id));
    let message = message.map(|message| world.message(message));
    let mut body = json!({
        "interaction": {
            "id": asked.id.to_string(), "type": asked.kind, "response_message_loading": kind == DEFER,
        },
        "resource": {"type": kind},
    });
    if let Some(message) = message {
        body["interaction"]["response_message_id"] = message["id"].clone();
        body["interaction"]["response_message_ephemeral"] =
            (bits_in(&message["flags"]) & EPHEMERAL != 0).into();
        body["resource"]["message"] = message;
    }
    body
}

fn empty() -> Refusal {
    Refusal::new(
        400,
        50006,
        "Cannot send an empty message",
        "the message is empty",
    )
}

fn check(world: &mut World, call: &Call, body: &Value, at: &str) -> Result<(), Refusal> {
    check_mentions(world, call, body);
    limits::message(body, at)
}

fn post(world: &mut World, call: &Call, asked: &Interaction, body: &Value, flags: u64) -> u64 {
    world.post(&Draft {
        id: None,
        channel: asked.channel,
        body,
        files: &call.files,
        flags,
        only_for: (flags & EPHEMERAL != 0).then_some(asked.user),
        interaction: Some(asked.id),
    })
}

/// The interaction of a token that is still good.
fn of_token(world: &World, application: u64, token: &str) -> Result<Interaction, Refusal> {
    let mut all = world.interactions.values();
    let known = all.find(|one| one.token == token && application == world.application);
    let Some(asked) = known else {
        return Err(unknown_webhook("there is no interaction of this token"));
    };
    let age = world.now().saturating_sub(asked.sent);
    if age > TOKEN {
        let what = format!("the token is {age:?} old, 15 minutes are the limit");
        return Err(Refusal::new(401, 50027, "Invalid Webhook Token", what));
    }
    if asked.callback.is_none() {
        return Err(unknown_webhook("the interaction has not been answered yet"));
    }
    Ok(asked.clone())
}

/// `POST /webhooks/{application}/{token}`.
pub(super) fn follow_up(
    world: &mut World,
    call: &Call,
    application: u64,
    token: &str,
) -> Result<Reply, Refusal> {
    let asked = of_token(world, application, token)?;
    let body = &call.body;
    check(world, call, body, "")?;
    if limits::is_empty(body, call.files.len()) {
        return Err(empty());
    }
    let flags = bits_in(&body["flags"]);
    let loading = asked.original.filter(|id| {
        let message = world.messages.get(id);
        message.is_some_and(super::world::Message::is_loading)
    });
    // The first one after a defer takes the place of the message that says "thinking".
    let id = if let Some(id) = loading {
        check_ephemeral(world, call, id, flags);
        world.edit(id, body, &call.files)?;
        id
    } else {
        post(world, call, &asked, body, flags)
    };
    if let Some(asked) = world.interactions.get_mut(&asked.id) {
        if loading.is_none() {
            asked.followups.push(id);
        }
        asked.edits += 1;
    }
    answer_message(world, id)
}

/// Who sees a message is said once, by the first answer.
fn check_ephemeral(world: &mut World, call: &Call, message: u64, flags: u64) {
    let is_ephemeral = world
        .messages
        .get(&message)
        .is_some_and(super::world::Message::is_ephemeral);
    if flags & EPHEMERAL != 0 && !is_ephemeral {
        world.violate(format!(
            "{}: the first answer was for all, a later one cannot make it ephemeral",
            call.shown()
        ));
    }
}

/// A message under the token: `@original` or a later one by its id.
fn under_token(asked: &Interaction, name: &str) -> Result<u64, Refusal> {
    if name == "@original" {
        return asked
            .original
            .ok_or_else(|| unknown_webhook("the interaction was answered without a message"));
    }
    let id = name.parse().unwrap_or_default();
    if asked.original == Some(id) || asked.followups.contains(&id) {
        Ok(id)
    } else {
        Err(Refusal::unknown_message(id))
    }
}

/// `GET`, `PATCH` and `DELETE /webhooks/{application}/{token}/messages/{message}`.
pub(super) fn message(
    world: &mut World,
    call: &Call,
    application: u64,
    token: &str,
    name: &str,
) -> Result<Reply, Refusal> {
    let asked = of_token(world, application, token)?;
    let id = under_token(&asked, name)?;
    match call.method.as_str() {
        "GET" => {}
        "PATCH" => {
            check(world, call, &call.body, "")?;
            check_ephemeral(world, call, id, bits_in(&call.body["flags"]));
            world.edit(id, &call.body, &call.files)?;
        }
        _ => {
            world
                .messages
                .remove(&id)
                .ok_or_else(|| Refusal::unknown_message(id))?;
        }
    }
    if call.method != "GET"
        && let Some(asked) = world.interactions.get_mut(&asked.id)
    {
        asked.edits += 1;
    }
    if call.method == "DELETE" {
        return Ok(Reply::nothing());
    }
    answer_message(world, id)
}

fn answer_message(world: &World, id: u64) -> Result<Reply, Refusal> {
    let message = world
        .messages
        .get(&id)
        .ok_or_else(|| Refusal::unknown_message(id))?;
    Ok(Reply::ok(world.message(message)))
}
