//! What can be sent: a message that pings nobody, because its type leaves no choice. The one exception is a
//! type of its own, a [`Call`], which pings exactly one person.

use serde::Serialize;
use serde_json::{Value, json};
use tierdesk_core::discord::DiscordId;

/// Discord's limits (Message and Embed resources of its documentation), in characters.
pub mod limit {
    /// A message's text.
    pub const CONTENT: usize = 2_000;
    /// An embed's description.
    pub const DESCRIPTION: usize = 4_096;
    /// An embed's title.
    pub const TITLE: usize = 256;
    /// A field's value.
    pub const FIELD: usize = 1_024;
    /// The name of a thread, and of a choice.
    pub const NAME: usize = 100;
}

/// Nobody is ever pinged: said on every message and every edit, since an absent key means everybody.
#[derive(Clone, Debug, Serialize)]
struct AllowedMentions {
    parse: [&'static str; 0],
}

/// A message or its replacement. An edit replaces everything.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    content: String,
    embeds: Vec<Embed>,
    components: Vec<Value>,
    allowed_mentions: AllowedMentions,
}

/// A box with a title, text and fields.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Embed {
    /// One line, escaped.
    pub title: String,
    /// Escaped.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The colour of its edge, 0xRRGGBB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<u32>,
    /// At most 25.
    pub fields: Vec<Field>,
}

/// A line of an embed.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Escaped.
    pub value: String,
    /// Whether it stands beside others.
    pub inline: bool,
}

impl Embed {
    /// Adds a field, unless there is nothing to say.
    pub fn field(&mut self, name: &'static str, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.fields.push(Field {
                name,
                value: crate::escape::cut(&value, limit::FIELD),
                inline: true,
            });
        }
    }
}

impl Message {
    /// A message of text alone. The text is escaped already.
    pub fn text(content: impl AsRef<str>) -> Self {
        Self {
            content: crate::escape::cut(content.as_ref(), limit::CONTENT),
            embeds: Vec::new(),
            components: Vec::new(),
            allowed_mentions: AllowedMentions { parse: [] },
        }
    }

    /// With a box below the text.
    #[must_use]
    pub fn embed(mut self, embed: Embed) -> Self {
        self.embeds.push(embed);
        self
    }

    /// With a row of buttons, or one menu.
    #[must_use]
    pub fn row(mut self, components: &[Value]) -> Self {
        if !components.is_empty() {
            self.components
                .push(json!({ "type": 1, "components": components }));
        }
        self
    }

    /// As JSON.
    ///
    /// # Panics
    ///
    /// Never: text, numbers and lists of them are JSON.
    pub fn body(&self) -> Value {
        serde_json::to_value(self).expect("a message is JSON")
    }

    /// For one pair of eyes: the flag stands in the first answer and cannot be added later.
    pub fn ephemeral(&self) -> Value {
        let mut body = self.body();
        body["flags"] = 64.into();
        body
    }

    /// To be created at most once in a few minutes, however often it is sent.
    pub fn once(&self, nonce: &str) -> Value {
        let mut body = self.body();
        body["nonce"] = nonce.into();
        body["enforce_nonce"] = true.into();
        body
    }

    /// The same, and no device makes a sound of it.
    pub fn silently(&self, nonce: &str) -> Value {
        /// Discord: `SUPPRESS_NOTIFICATIONS`.
        const SILENT: u64 = 1 << 12;
        let mut body = self.once(nonce);
        body["flags"] = SILENT.into();
        body
    }
}

/// A message that rings for one person, and can name no second: whoever is called to a page.
#[derive(Clone, Debug)]
pub struct Call {
    user: DiscordId,
    message: Message,
}

impl Call {
    /// A call of this person. The text is escaped already.
    pub fn new(user: DiscordId, text: impl AsRef<str>) -> Self {
        let message = Message::text(format!("<@{user}> {}", text.as_ref()));
        Self { user, message }
    }

    /// With a row of buttons.
    #[must_use]
    pub fn row(self, components: &[Value]) -> Self {
        Self {
            message: self.message.row(components),
            ..self
        }
    }

    /// To be created at most once in a few minutes, however often it is sent.
    pub fn once(&self, nonce: &str) -> Value {
        let mut body = self.message.once(nonce);
        body["allowed_mentions"]["users"] = json!([self.user]);
        body
    }
}

/// A button. Style 1 is the main one, 2 an ordinary one, 4 one that ends something.
pub fn button(label: &str, style: u8, custom_id: &str) -> Value {
    json!({ "type": 2, "style": style, "label": label, "custom_id": custom_id })
}

/// A menu of which one is chosen: pairs of value and label.
pub fn menu(custom_id: &str, placeholder: &str, options: &[(&str, &str)]) -> Value {
    let options: Vec<Value> = options
        .iter()
        .map(|(value, label)| json!({ "value": value, "label": label }))
        .collect();
    json!({ "type": 3, "custom_id": custom_id, "placeholder": placeholder, "options": options,
        "min_values": 1, "max_values": 1 })
}
