//! A person's command line, held against what the bot has registered.

use serde_json::{Map, Value, json};

use super::{
    command_rules::{GROUP, SUBCOMMAND},
    person::Impossible,
    record::{id_in, length, list_in},
    world::World,
};

/// A command found by its path, with the names and kinds of its group and subcommand.
struct Found<'a> {
    command: &'a Value,
    below: Vec<(&'a str, u64)>,
    options: &'a [Value],
}

fn find<'a>(commands: &'a [Value], path: &str) -> Result<Found<'a>, Impossible> {
    let mut words = path.split_whitespace();
    let name = words.next().unwrap_or_default();
    let command = commands
        .iter()
        .find(|one| one["name"] == name && one["type"] == 1);
    let command = command.ok_or_else(|| format!("no command /{name} is registered"))?;
    let mut options = list_in(&command["options"]);
    let mut below = Vec::new();
    for word in words {
        let one = options.iter().find(|one| one["name"] == word);
        let kind = one.and_then(|one| one["type"].as_u64());
        let (Some(one), Some(kind @ (SUBCOMMAND | GROUP))) = (one, kind) else {
            return Err(format!("/{path}: there is no {word}"));
        };
        below.push((one["name"].as_str().unwrap_or_default(), kind));
        options = list_in(&one["options"]);
    }
    let is_nested = |one: &Value| matches!(one["type"].as_u64(), Some(SUBCOMMAND | GROUP));
    if options.iter().any(is_nested) {
        return Err(format!(
            "/{path} cannot be run by itself, a subcommand is missing"
        ));
    }
    Ok(Found {
        command,
        below,
        options,
    })
}

impl Found<'_> {
    /// The data of the interaction around these options.
    fn data(&self, options: Vec<Value>, resolved: Map<String, Value>) -> Value {
        let nest = |inner: Vec<Value>, (name, kind): &(&str, u64)| {
            vec![json!({"name": name, "type": kind, "options": inner})]
        };
        let options = self.below.iter().rev().fold(options, nest);
        let mut data = json!({
            "id": self.command["id"], "name": self.command["name"], "type": 1,
            "guild_id": self.command["guild_id"], "options": options,
        });
        if !resolved.is_empty() {
            data["resolved"] = resolved.into();
        }
        data
    }

    fn option(&self, name: &str) -> Result<&Value, Impossible> {
        let known = self.options.iter().find(|one| one["name"] == name);
        known.ok_or_else(|| format!("/{} has no option {name} here", self.command["name"]))
    }
}

/// A whole command line.
pub(super) fn invocation(world: &World, path: &str, options: &Value) -> Result<Value, Impossible> {
    let found = find(&world.commands, path)?;
    let given = options.as_object().cloned().unwrap_or_default();
    for option in found.options {
        let name = option["name"].as_str().unwrap_or_default();
        if option["required"] == true && !given.contains_key(name) {
            return Err(format!("/{path}: {name} is required"));
        }
    }
    let mut resolved = Map::new();
    let mut values = Vec::new();
    for (name, value) in &given {
        let option = found.option(name)?;
        check(option, value).map_err(|why| format!("/{path}: {name} {why}"))?;
        resolve(world, option, value, &mut resolved)?;
        values.push(json!({"name": name, "type": option["type"], "value": value}));
    }
    Ok(found.data(values, resolved))
}

/// A command line of which one option is being typed.
pub(super) fn completion(
    world: &World,
    path: &str,
    focused: &str,
    typed: &str,
    options: &Value,
) -> Result<Value, Impossible> {
    let found = find(&world.commands, path)?;
    let option = found.option(focused)?;
    if option["autocomplete"] != true {
        return Err(format!("/{path}: {focused} is not completed"));
    }
    let mut values = Vec::new();
    for (name, value) in options.as_object().into_iter().flatten() {
        let kind = &found.option(name)?["type"];
        values.push(json!({"name": name, "type": kind, "value": value}));
    }
    values.push(json!({
        "name": focused, "type": option["type"], "value": typed, "focused": true,
    }));
    Ok(found.data(values, Map::new()))
}

/// Why a client would not send this value.
fn check(option: &Value, value: &Value) -> Result<(), Impossible> {
    let choices = list_in(&option["choices"]);
    if !choices.is_empty() && !choices.iter().any(|choice| choice["value"] == *value) {
        return Err(format!("does not offer {value}"));
    }
    let is_typed = match option["type"].as_u64() {
        Some(3) => value.is_string(),
        Some(4) => value.is_i64(),
        Some(5) => value.is_boolean(),
        Some(6..=9) => id_in(value).is_some(),
        Some(10) => value.is_number(),
        _ => false,
    };
    if !is_typed {
        return Err(format!("does not take {value}"));
    }
    if let Some(text) = value.as_str() {
        let bound = |key: &str| {
            option[key]
                .as_u64()
                .and_then(|bound| usize::try_from(bound).ok())
        };
        let (least, most) = (
            bound("min_length").unwrap_or(0),
            bound("max_length").unwrap_or(6000),
        );
        if !(least..=most).contains(&length(text)) {
            return Err(format!("takes {least} to {most} characters"));
        }
    }
    if let Some(number) = value.as_f64() {
        let bound = |key: &str| option[key].as_f64();
        let is_low = bound("min_value").is_some_and(|least| number < least);
        if is_low || bound("max_value").is_some_and(|most| number > most) {
            return Err(format!("does not go to {number}"));
        }
    }
    Ok(())
}

/// Adds what an id stands for.
fn resolve(
    world: &World,
    option: &Value,
    value: &Value,
    resolved: &mut Map<String, Value>,
) -> Result<(), Impossible> {
    let Some(id) = id_in(value) else {
        return Ok(());
    };
    let key = id.to_string();
    let mut add = |group: &str, object: Value| {
        let group = resolved.entry(group).or_insert_with(|| json!({}));
        group[&key] = object;
    };
    let missing = || format!("there is no {id} to choose");
    match option["type"].as_u64() {
        Some(6) => {
            let member = world.members.get(&id).ok_or_else(missing)?;
            add("users", world.user(id));
            let mut member = world.member(member);
            if let Some(member) = member.as_object_mut() {
                member.remove("user");
                member.remove("deaf");
                member.remove("mute");
            }
            add("members", member);
        }
        Some(7) => {
            let channel = world.channels.get(&id).ok_or_else(missing)?;
            let mut object = world.channel(channel);
            object["permissions"] = world.permissions_in(world.bot, channel).to_string().into();
            add("channels", object);
        }
        Some(8) => {
            let role = world.roles.get(&id).ok_or_else(missing)?;
            add("roles", super::objects::role(role));
        }
        _ => {}
    }
    Ok(())
}
