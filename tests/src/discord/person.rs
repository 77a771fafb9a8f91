//! What people do: they see what is registered and what is on a message, and can do nothing else.
//!
//! Each thing done becomes an INTERACTION_CREATE that is complete, for a client drops one that lacks
//! a field without a word.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    Shared,
    answer::{Answer, Choice},
    definition,
    interaction::{AUTOCOMPLETE, COMMAND, COMPONENT, FIRST_ANSWER, FORM, Interaction},
    limits::input_of,
    permissions::VIEW_CHANNEL,
    record::{length, list_in},
    world::{ChannelKind, Message, World},
};

/// How long a test waits for a bot to be there at all.
const ARRIVAL: Duration = Duration::from_secs(15);

/// Why a person cannot do a thing.
pub type Impossible = String;

/// A member, in a channel.
#[derive(Clone)]
pub struct Person {
    shared: Arc<Shared>,
    user: u64,
    channel: u64,
}

/// What is about to be done.
struct Deed {
    kind: u64,
    data: Value,
    channel: u64,
    source: Option<u64>,
}

impl Person {
    pub(super) fn new(shared: &Arc<Shared>, user: u64) -> Self {
        let world = shared.world();
        let mut channels = world.channels.values();
        let first = channels.find(|channel| channel.kind == ChannelKind::Text);
        Self {
            shared: Arc::clone(shared),
            user,
            channel: first.map_or(0, |channel| channel.id),
        }
    }

    /// The same in another channel or thread; at first they are in `general`.
    #[must_use]
    pub fn at(mut self, channel: u64) -> Self {
        self.channel = channel;
        self
    }

    /// Runs a command: its name with group and subcommand, its options as an object by name.
    pub async fn command(&self, path: &str, options: Value) -> Result<Answer, Impossible> {
        let data = definition::invocation(&self.shared.world(), path, &options)?;
        self.act(Deed {
            kind: COMMAND,
            data,
            channel: self.channel,
            source: None,
        })
        .await
    }

    /// Types so far into an option of a command and reads what is offered. `options` are those
    /// already filled in.
    pub async fn autocomplete(
        &self,
        path: &str,
        focused: &str,
        typed: &str,
        options: Value,
    ) -> Result<Vec<Choice>, Impossible> {
        let answer = self.complete(path, focused, typed, options).await?;
        Ok(answer.choices())
    }

    /// The same, with the time that it took.
    pub async fn complete(
        &self,
        path: &str,
        focused: &str,
        typed: &str,
        options: Value,
    ) -> Result<Answer, Impossible> {
        let world = &self.shared;
        let data = definition::completion(&world.world(), path, focused, typed, &options)?;
        self.act(Deed {
            kind: AUTOCOMPLETE,
            data,
            channel: self.channel,
            source: None,
        })
        .await
    }

    /// Presses a button of a message, named by its label or custom id.
    pub async fn press(&self, message: u64, button: &str) -> Result<Answer, Impossible> {
        let (channel, control) = self.control(message, button)?;
        if control["type"] != 2 || control["style"] == 5 {
            return Err(format!("{button} is no button that asks the bot"));
        }
        let data = json!({"custom_id": control["custom_id"], "component_type": 2});
        self.act(Deed {
            kind: COMPONENT,
            data,
            channel,
            source: Some(message),
        })
        .await
    }

    /// Chooses values in a select of a message, named by its placeholder or custom id.
    pub async fn select(
        &self,
        message: u64,
        select: &str,
        values: &[&str],
    ) -> Result<Answer, Impossible> {
        let (channel, control) = self.control(message, select)?;
        if control["type"] != 3 {
            return Err(format!("{select} is no select of texts"));
        }
        let offered = list_in(&control["options"]);
        let is_offered = |value: &str| offered.iter().any(|option| option["value"] == value);
        if let Some(value) = values.iter().find(|value| !is_offered(value)) {
            return Err(format!("{select} does not offer {value}"));
        }
        let bound = |key: &str| control[key].as_u64().unwrap_or(1);
        let count = u64::try_from(values.len()).unwrap_or(u64::MAX);
        if !(bound("min_values")..=bound("max_values")).contains(&count) {
            return Err(format!("{select} does not take {count} values"));
        }
        let data = json!({
            "custom_id": control["custom_id"], "component_type": 3, "values": values,
        });
        self.act(Deed {
            kind: COMPONENT,
            data,
            channel,
            source: Some(message),
        })
        .await
    }

    /// Sends off the form of this custom id that the bot has shown them, with these fields filled in
    /// by custom id. What is left out is sent as it was shown.
    pub async fn submit(&self, custom_id: &str, fields: Value) -> Result<Answer, Impossible> {
        let (form, data) = {
            let mut world = self.shared.world();
            let mut forms = world.modals.iter();
            let is_meant = |form: &super::interaction::OpenModal| {
                form.user == self.user && form.data["custom_id"] == custom_id
            };
            let at = forms.position(is_meant);
            let at = at.ok_or_else(|| format!("no form {custom_id} is open"))?;
            let data = filled_in(&world.modals[at].data, &fields)?;
            (world.modals.remove(at), data)
        };
        self.act(Deed {
            kind: FORM,
            data,
            channel: form.channel,
            source: form.source,
        })
        .await
    }

    /// Whether they see a channel or thread.
    pub fn sees(&self, channel: u64) -> bool {
        self.see(&self.shared.world(), channel).is_ok()
    }

    fn see(&self, world: &World, channel: u64) -> Result<(), Impossible> {
        let known = world.channels.get(&channel);
        let known = known.ok_or_else(|| format!("there is no channel {channel}"))?;
        let is_member = world.members.contains_key(&self.user);
        if known.kind == ChannelKind::Direct {
            return if known.recipient == Some(self.user) {
                Ok(())
            } else {
                Err(format!("{channel} is between the bot and somebody else"))
            };
        }
        if !is_member || world.permissions_in(self.user, known) & VIEW_CHANNEL == 0 {
            return Err(format!("{} is not seen by {}", known.name, self.user));
        }
        Ok(())
    }

    /// A control of a message that they see, with the message's channel.
    fn control(&self, message: u64, name: &str) -> Result<(u64, Value), Impossible> {
        let world = self.shared.world();
        let is_theirs = |message: &&Message| message.only_for.is_none_or(|user| user == self.user);
        let known = world.messages.get(&message).filter(is_theirs);
        let known = known.ok_or_else(|| format!("there is no message {message}"))?;
        let is_meant = |one: &&Value| {
            ["custom_id", "label", "placeholder"]
                .iter()
                .any(|key| one[*key] == name)
        };
        let control = known.controls().find(is_meant);
        let control = control
            .ok_or_else(|| format!("no {name} on the message, which reads: {}", known.text()))?;
        if control["disabled"] == true {
            return Err(format!("{name} is disabled"));
        }
        Ok((known.channel, control.clone()))
    }

    /// Sends the event and waits for the first answer.
    async fn act(&self, deed: Deed) -> Result<Answer, Impossible> {
        let shared = &self.shared;
        let has_session = || shared.gateway.has_session().then_some(());
        if shared.until(ARRIVAL, has_session).await.is_none() {
            return Err(format!("no bot has come to the gateway in {ARRIVAL:?}"));
        }
        let id = {
            let mut world = shared.world();
            self.see(&world, deed.channel)?;
            let (id, event) = self.event(&mut world, &deed);
            shared.gateway.tell("INTERACTION_CREATE", &event);
            id
        };
        loop {
            let (asked, now) = {
                let world = shared.world();
                (world.interactions.get(&id).cloned(), world.now())
            };
            let asked = asked.ok_or_else(|| format!("interaction {id} is gone"))?;
            let left = (asked.sent + FIRST_ANSWER).saturating_sub(now);
            if asked.callback.is_some() || left.is_zero() {
                return Ok(Answer::of(shared, &asked));
            }
            let is_answered = || {
                let world = shared.world();
                let asked = world.interactions.get(&id);
                let is_late =
                    world.now() > FIRST_ANSWER + asked.map_or(Duration::ZERO, |one| one.sent);
                let is_over = is_late || asked.is_none_or(|asked| asked.callback.is_some());
                is_over.then_some(())
            };
            shared.until(left, is_answered).await;
        }
    }

    fn event(&self, world: &mut World, deed: &Deed) -> (u64, Value) {
        let id = world.next_id();
        let token = format!("interaction-token-{id}");
        let guild = world.guild.to_string();
        let mut event = json!({
            "id": id.to_string(), "application_id": world.application.to_string(),
            "type": deed.kind, "data": deed.data, "guild_id": guild,
            "guild": {"id": guild, "locale": "en-US", "features": []},
            "channel_id": deed.channel.to_string(), "token": token, "version": 1,
            "locale": "en-US", "guild_locale": "en-US", "entitlements": [],
            "authorizing_integration_owners": {"0": guild}, "context": 0,
            "attachment_size_limit": 10 * 1024 * 1024,
        });
        let channel = world.channels.get(&deed.channel);
        if let Some(channel) = channel.filter(|one| one.kind == ChannelKind::Direct) {
            // A direct message belongs to no guild: a user, and nothing of what they are in one.
            event["channel"] = world.channel(channel);
            event["user"] = world.user(self.user);
            event["context"] = 1.into();
            event["authorizing_integration_owners"] = json!({"0": "0"});
            if let Some(event) = event.as_object_mut() {
                event.retain(|key, _| !key.starts_with("guild"));
            }
        } else if let Some(channel) = channel {
            let mut object = world.channel(channel);
            object["permissions"] = world.permissions_in(self.user, channel).to_string().into();
            event["app_permissions"] = world.permissions_in(world.bot, channel).to_string().into();
            event["channel"] = object;
            if let Some(member) = world.members.get(&self.user) {
                event["member"] = world.member(member);
                let permissions = world.permissions_in(self.user, channel);
                event["member"]["permissions"] = permissions.to_string().into();
            }
        }
        if let Some(message) = deed.source.and_then(|id| world.messages.get(&id)) {
            event["message"] = world.message(message);
        }
        let asked = Interaction {
            id,
            token,
            kind: deed.kind,
            user: self.user,
            channel: deed.channel,
            source: deed.source,
            sent: world.now(),
            callback: None,
            original: None,
            followups: Vec::new(),
            edits: 0,
        };
        world.interactions.insert(id, asked);
        (id, event)
    }
}

/// What a form sends: each of its fields in its row or label.
fn filled_in(form: &Value, fields: &Value) -> Result<Value, Impossible> {
    let mut left: Vec<&str> = fields
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    let mut parts = Vec::new();
    for (number, part) in (1_u64..).zip(list_in(&form["components"])) {
        let Some((_, input)) = input_of(part) else {
            return Err(format!(
                "the form has a part that nobody can fill in: {part}"
            ));
        };
        let id = input["custom_id"].as_str().unwrap_or_default();
        left.retain(|one| *one != id);
        let shown = input["value"].as_str().unwrap_or_default();
        let value = fields[id].as_str().unwrap_or(shown);
        let bound = |key: &str| {
            input[key]
                .as_u64()
                .and_then(|bound| usize::try_from(bound).ok())
        };
        let has = length(value);
        if has == 0 && input["required"] != false {
            return Err(format!("{id} must be filled in"));
        }
        let least = if has == 0 {
            0
        } else {
            bound("min_length").unwrap_or(0)
        };
        let most = bound("max_length").unwrap_or(4000);
        if has < least || has > most {
            return Err(format!(
                "{id} takes {least} to {most} characters, not {has}"
            ));
        }
        let input = json!({"type": 4, "id": number * 2, "custom_id": id, "value": value});
        let number = number * 2 - 1;
        parts.push(if part["type"] == 18 {
            json!({"type": 18, "id": number, "component": input})
        } else {
            json!({"type": 1, "id": number, "components": [input]})
        });
    }
    if let Some(unknown) = left.first() {
        return Err(format!("the form has no field {unknown}"));
    }
    Ok(json!({"custom_id": form["custom_id"], "components": parts}))
}
