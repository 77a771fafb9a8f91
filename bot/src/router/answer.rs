//! What goes back to the person: always for their eyes alone.

use serde_json::{Value, json};
use tierdesk_core::refusal::Refusal;

use crate::{
    escape,
    message::{Message, limit},
};

/// A choice while somebody types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What they see.
    pub(crate) name: String,
    /// What the option becomes.
    pub(crate) value: String,
}

/// The answer to an interaction.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A message.
    Message(Message),
    /// A form with one field for text: its handle and title.
    Form {
        custom_id: String,
        title: String,
        label: &'static str,
    },
    /// Choices for the option that is being typed.
    Choices(Vec<Choice>),
}

impl Answer {
    /// Text that is harmless already.
    pub(crate) fn say(text: impl AsRef<str>) -> Self {
        Self::Message(Message::text(text))
    }

    /// Why not, and what to do instead.
    pub(crate) fn refusal(refusal: &Refusal) -> Self {
        let message = escape::line(&refusal.message, limit::CONTENT / 4);
        let mut text = format!("**Not done:** {message}.");
        if let Some(hint) = &refusal.hint {
            text.push_str("\n→ ");
            text.push_str(&escape::line(hint, limit::CONTENT / 4));
        }
        Self::say(text)
    }

    /// That an answer will come.
    pub(crate) fn deferred() -> Value {
        json!({ "type": 5, "data": { "flags": 64 } })
    }

    /// As the first answer.
    pub(crate) fn first(&self) -> Value {
        match self {
            Self::Message(message) => json!({ "type": 4, "data": message.ephemeral() }),
            Self::Form {
                custom_id,
                title,
                label,
            } => {
                let field = json!({ "type": 4, "custom_id": "text", "style": 2, "label": label,
                    "min_length": 1, "max_length": 4_000, "required": true });
                json!({ "type": 9, "data": { "custom_id": custom_id, "title": escape::plain(title, 45),
                    "components": [{ "type": 1, "components": [field] }] } })
            }
            Self::Choices(choices) => {
                let choices: Vec<Value> = choices
                    .iter()
                    .map(|choice| json!({ "name": choice.name, "value": choice.value }))
                    .collect();
                json!({ "type": 8, "data": { "choices": choices } })
            }
        }
    }

    /// As the replacement of an announced answer. A form cannot come late.
    pub(crate) fn edited(&self) -> Value {
        match self {
            Self::Message(message) => message.body(),
            _ => Message::text("That took too long to open a form. Try again.").body(),
        }
    }
}
