//! What Discord takes in a message and in a form, and how much of it.
//!
//! Numbers are those of its documentation for bots. The check of `allowed_mentions` is ours: Discord
//! takes a message without it, and then rings for whatever the text names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    record::{length, list_in},
    refusal::Refusal,
};

type Checked = Result<(), Refusal>;

/// A text of at most so many characters, if it is there.
fn at_most(value: &Value, field: &str, limit: usize) -> Checked {
    match value.as_str().map(length) {
        Some(has) if has > limit => Err(Refusal::form(
            field,
            format!("{field} has {has} characters, {limit} are the limit"),
        )),
        _ => Ok(()),
    }
}

/// A text that must be there, of at most so many characters.
fn text(value: &Value, field: &str, limit: usize) -> Checked {
    if value.as_str().is_none_or(str::is_empty) {
        return Err(Refusal::form(field, format!("{field} is empty")));
    }
    at_most(value, field, limit)
}

fn few(count: usize, field: &str, limit: usize) -> Checked {
    if count > limit {
        return Err(Refusal::form(
            field,
            format!("{field} has {count}, {limit} are the limit"),
        ));
    }
    Ok(())
}

/// A thread's or a channel's name.
pub(super) fn name(value: &Value) -> Checked {
    text(value, "name", 100)
}

/// What a message holds, below `at` (`data.` in a callback).
pub(super) fn message(body: &Value, at: &str) -> Checked {
    at_most(&body["content"], &format!("{at}content"), 2000)?;
    let embeds = list_in(&body["embeds"]);
    few(embeds.len(), &format!("{at}embeds"), 10)?;
    let mut total = 0;
    for (number, one) in embeds.iter().enumerate() {
        total += embed(one, &format!("{at}embeds.{number}."))?;
    }
    few(total, &format!("{at}embeds"), 6000)?;
    let nonce = &body["nonce"];
    at_most(nonce, &format!("{at}nonce"), 25)?;
    rows(&body["components"], &format!("{at}components"))
}

/// Whether a reader would see anything.
pub(super) fn is_empty(body: &Value, files: usize) -> bool {
    let lists = ["embeds", "components", "attachments", "sticker_ids"];
    body["content"]
        .as_str()
        .is_none_or(|text| text.trim().is_empty())
        && lists.iter().all(|list| list_in(&body[*list]).is_empty())
        && files == 0
}

/// Checks an embed and counts what goes into the sum over all of a message.
fn embed(embed: &Value, at: &str) -> Result<usize, Refusal> {
    let mut total = 0;
    let parts = [
        (&embed["title"], "title", 256),
        (&embed["description"], "description", 4096),
        (&embed["footer"]["text"], "footer.text", 2048),
        (&embed["author"]["name"], "author.name", 256),
    ];
    for (value, field, limit) in parts {
        at_most(value, &format!("{at}{field}"), limit)?;
        total += value.as_str().map_or(0, length);
    }
    let fields = list_in(&embed["fields"]);
    few(fields.len(), &format!("{at}fields"), 25)?;
    for (number, field) in fields.iter().enumerate() {
        text(&field["name"], &format!("{at}fields.{number}.name"), 256)?;
        text(&field["value"], &format!("{at}fields.{number}.value"), 1024)?;
        total += field["name"].as_str().map_or(0, length);
        total += field["value"].as_str().map_or(0, length);
    }
    let has_picture = ["image", "thumbnail", "video"]
        .iter()
        .any(|one| embed[*one].is_object());
    if total == 0 && !has_picture {
        let field = format!("{at}description");
        return Err(Refusal::form(field, "an embed shows nothing"));
    }
    Ok(total)
}

/// Rows of buttons and selects.
fn rows(components: &Value, at: &str) -> Checked {
    let rows = list_in(components);
    few(rows.len(), at, 5)?;
    let mut seen = BTreeSet::new();
    for (number, row) in rows.iter().enumerate() {
        let at = format!("{at}.{number}");
        if row["type"] != 1 {
            return Err(Refusal::form(at, "only rows may stand in a message"));
        }
        let controls = list_in(&row["components"]);
        let at = format!("{at}.components");
        if controls.is_empty() {
            return Err(Refusal::form(at, "a row is empty"));
        }
        few(controls.len(), &at, 5)?;
        let is_select = |one: &Value| one["type"] != 2;
        if controls.len() > 1 && controls.iter().any(is_select) {
            return Err(Refusal::form(at, "a select shares its row"));
        }
        for (number, control) in controls.iter().enumerate() {
            let at = format!("{at}.{number}.");
            if let Some(id) = self::control(control, &at)?
                && !seen.insert(id.clone())
            {
                let field = format!("{at}custom_id");
                return Err(Refusal::form(
                    field,
                    format!("custom_id {id} is there twice"),
                ));
            }
        }
    }
    Ok(())
}

/// Checks a button or a select and answers its custom id.
fn control(control: &Value, at: &str) -> Result<Option<String>, Refusal> {
    let id = &control["custom_id"];
    match control["type"].as_u64() {
        Some(2) => {
            at_most(&control["label"], &format!("{at}label"), 80)?;
            if control["label"].as_str().is_none_or(str::is_empty) && control["emoji"].is_null() {
                return Err(Refusal::form(
                    format!("{at}label"),
                    "a button shows nothing",
                ));
            }
            if control["style"] == 5 {
                text(&control["url"], &format!("{at}url"), 512)?;
                return Ok(None);
            }
        }
        Some(3) => {
            at_most(&control["placeholder"], &format!("{at}placeholder"), 150)?;
            options(&control["options"], &format!("{at}options"))?;
        }
        Some(5..=8) => at_most(&control["placeholder"], &format!("{at}placeholder"), 150)?,
        _ => {
            return Err(Refusal::form(
                format!("{at}type"),
                "no button and no select",
            ));
        }
    }
    text(id, &format!("{at}custom_id"), 100)?;
    Ok(id.as_str().map(str::to_owned))
}

/// The options of a select.
fn options(options: &Value, at: &str) -> Checked {
    let options = list_in(options);
    few(options.len(), at, 25)?;
    if options.is_empty() {
        return Err(Refusal::form(at, "a select offers nothing"));
    }
    let mut seen = BTreeSet::new();
    for (number, option) in options.iter().enumerate() {
        text(&option["label"], &format!("{at}.{number}.label"), 100)?;
        text(&option["value"], &format!("{at}.{number}.value"), 100)?;
        at_most(
            &option["description"],
            &format!("{at}.{number}.description"),
            100,
        )?;
        if !seen.insert(option["value"].as_str()) {
            let field = format!("{at}.{number}.value");
            return Err(Refusal::form(field, "a select offers a value twice"));
        }
    }
    Ok(())
}

/// A form: each of its parts is a row or a label around one input.
pub(super) fn modal(data: &Value) -> Checked {
    text(&data["title"], "data.title", 45)?;
    text(&data["custom_id"], "data.custom_id", 100)?;
    let parts = list_in(&data["components"]);
    few(parts.len(), "data.components", 5)?;
    if parts.is_empty() {
        return Err(Refusal::form("data.components", "a form asks for nothing"));
    }
    let mut seen = BTreeSet::new();
    for (number, part) in parts.iter().enumerate() {
        let at = format!("data.components.{number}");
        let Some((label, input)) = input_of(part) else {
            return Err(Refusal::form(
                at,
                "neither a row nor a label around one input",
            ));
        };
        text(label, &format!("{at}.label"), 45)?;
        text(&input["custom_id"], &format!("{at}.custom_id"), 100)?;
        at_most(&input["placeholder"], &format!("{at}.placeholder"), 100)?;
        at_most(&input["value"], &format!("{at}.value"), 4000)?;
        if !seen.insert(input["custom_id"].as_str()) {
            return Err(Refusal::form(at, "a custom_id is there twice in a form"));
        }
    }
    Ok(())
}

/// The label and the input of a part of a form.
pub(super) fn input_of(part: &Value) -> Option<(&Value, &Value)> {
    match part["type"].as_u64() {
        Some(1) => match list_in(&part["components"]) {
            [input] if input["type"] == 4 => Some((&input["label"], input)),
            _ => None,
        },
        Some(18) => Some((&part["label"], &part["component"])),
        _ => None,
    }
}

/// What completes a word: at most 25, each with a name and a value.
pub(super) fn choices(data: &Value) -> Checked {
    let choices = list_in(&data["choices"]);
    few(choices.len(), "data.choices", 25)?;
    for (number, choice) in choices.iter().enumerate() {
        text(&choice["name"], &format!("data.choices.{number}.name"), 100)?;
        if !choice["value"].is_number() {
            text(
                &choice["value"],
                &format!("data.choices.{number}.value"),
                100,
            )?;
        }
    }
    Ok(())
}

/// Why a message with something to read could ring for somebody that its text names.
pub(super) fn may_ring(body: &Value) -> Option<&'static str> {
    let is_read = body["content"].is_string() || body["embeds"].is_array();
    let mentions = &body["allowed_mentions"];
    if !is_read {
        None
    } else if !mentions.is_object() {
        Some("allowed_mentions is absent")
    } else if !mentions["parse"].is_array() {
        Some("allowed_mentions has no parse")
    } else if !list_in(&mentions["parse"]).is_empty() {
        Some("allowed_mentions parses the text")
    } else {
        None
    }
}
