//! What may be registered as a slash command, as far as no schema says it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    record::{length, list_in},
    refusal::Refusal,
};

type Checked = Result<(), Refusal>;

const COMMANDS: usize = 100;
const OPTIONS: usize = 25;
const CHOICES: usize = 25;
/// Over names, descriptions and choices of one command.
const CHARACTERS: usize = 8000;

pub(super) const SUBCOMMAND: u64 = 1;
pub(super) const GROUP: u64 = 2;

/// Checks the whole set of a guild.
pub(super) fn set(commands: &[Value]) -> Checked {
    if commands.len() > COMMANDS {
        let what = format!("{} commands, {COMMANDS} are the limit", commands.len());
        return Err(Refusal::new(
            400,
            30032,
            "Maximum number of application commands reached",
            what,
        ));
    }
    let mut seen = BTreeSet::new();
    for one in commands {
        command(one)?;
        if !seen.insert(one["name"].as_str()) {
            return Err(Refusal::form(
                "name",
                format!("command {} is there twice", one["name"]),
            ));
        }
    }
    Ok(())
}

/// Checks one command with all below it.
pub(super) fn command(command: &Value) -> Checked {
    named(command, "")?;
    options(list_in(&command["options"]), "options", 0)?;
    let characters = characters(command);
    if characters > CHARACTERS {
        let what = format!(
            "{characters} characters in {}, {CHARACTERS} are the limit",
            command["name"]
        );
        return Err(Refusal::form("options", what));
    }
    Ok(())
}

fn named(one: &Value, at: &str) -> Checked {
    let name = one["name"].as_str().unwrap_or_default();
    let is_letter = |c: char| {
        let is_upper = c.to_lowercase().next() != Some(c);
        (c.is_alphanumeric() && !is_upper) || matches!(c, '-' | '_' | '\'')
    };
    if !(1..=32).contains(&length(name)) || !name.chars().all(is_letter) {
        let what = format!("{name:?} is no name: 1 to 32 lower-case letters, digits, - _ '");
        return Err(Refusal::form(format!("{at}name"), what));
    }
    let description = one["description"].as_str().unwrap_or_default();
    if !(1..=100).contains(&length(description)) {
        let what = format!(
            "{name}: a description has 1 to 100 characters, not {}",
            length(description)
        );
        return Err(Refusal::form(format!("{at}description"), what));
    }
    Ok(())
}

fn options(options: &[Value], at: &str, depth: u64) -> Checked {
    let refuse = |what: String| Err(Refusal::form(at, what));
    if options.len() > OPTIONS {
        return refuse(format!(
            "{} options, {OPTIONS} are the limit",
            options.len()
        ));
    }
    let is_nested = |one: &Value| matches!(one["type"].as_u64(), Some(SUBCOMMAND | GROUP));
    if options.iter().any(is_nested) && !options.iter().all(is_nested) {
        return refuse("an option stands beside a subcommand".to_owned());
    }
    let mut seen = BTreeSet::new();
    let mut was_optional = false;
    for (number, option) in options.iter().enumerate() {
        let name = &option["name"];
        let below = format!("{at}.{number}.");
        named(option, &below)?;
        if !seen.insert(name.as_str()) {
            return refuse(format!("{name} is there twice"));
        }
        match option["type"].as_u64() {
            Some(GROUP) if depth > 0 => return refuse(format!("the group {name} is in another")),
            Some(SUBCOMMAND) if depth > 1 => return refuse(format!("{name} is in a subcommand")),
            Some(kind @ (SUBCOMMAND | GROUP)) => {
                let depth = if kind == GROUP { 1 } else { 2 };
                self::options(
                    list_in(&option["options"]),
                    &format!("{below}options"),
                    depth,
                )?;
            }
            Some(3..=11) => {
                let is_required = option["required"] == true;
                if is_required && was_optional {
                    return refuse(format!(
                        "{name} is required, but stands after one that is not"
                    ));
                }
                was_optional |= !is_required;
                choices(option, &below)?;
            }
            _ => return refuse(format!("{name} has no type that there is")),
        }
    }
    Ok(())
}

fn choices(option: &Value, at: &str) -> Checked {
    let choices = list_in(&option["choices"]);
    let refuse = |what: String| Err(Refusal::form(format!("{at}choices"), what));
    if choices.len() > CHOICES {
        return refuse(format!(
            "{} choices, {CHOICES} are the limit",
            choices.len()
        ));
    }
    if !choices.is_empty() && option["autocomplete"] == true {
        return refuse(format!("{} has choices and autocomplete", option["name"]));
    }
    let mut seen = BTreeSet::new();
    for choice in choices {
        let name = choice["name"].as_str().unwrap_or_default();
        if !(1..=100).contains(&length(name)) || !seen.insert(name) {
            return refuse(format!(
                "a choice is called {name:?}: 1 to 100 characters, each once"
            ));
        }
    }
    Ok(())
}

fn characters(one: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, length);
    let choices = list_in(&one["choices"]).iter();
    let choices: usize = choices
        .map(|choice| text(&choice["name"]) + text(&choice["value"]))
        .sum();
    let below: usize = list_in(&one["options"]).iter().map(characters).sum();
    text(&one["name"]) + text(&one["description"]) + choices + below
}
