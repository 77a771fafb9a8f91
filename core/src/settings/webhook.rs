//! `[[webhook]]`: where pages go besides chat and mail.

use std::path::PathBuf;

use super::{
    Key,
    problem::Wrong,
    reader::Section,
    secret::Secret,
    url::{self, PrivateUrl},
};
use crate::named::named_enum;

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "webhook[].name",
        "what the desk calls it: lower case, digits and hyphens",
        "-",
    ),
    Key::now(
        "webhook[].url",
        "https:// address that gets a POST; it is kept like a secret",
        "pagerduty and pushover: the service's own; else -",
    ),
    Key::now(
        "webhook[].format",
        "json, slack, discord, teams, ntfy, pushover or pagerduty",
        "json",
    ),
    Key::now(
        "webhook[].key",
        "PagerDuty's routing key, Pushover's application token, a bearer token for ntfy and json; \
         or key_file",
        "none; pagerduty and pushover: -",
    ),
    Key::now("webhook[].key_file", "the file that holds the key", "none"),
    Key::now(
        "webhook[].user",
        "Pushover's user or group key, which is kept like a secret; or user_file",
        "none; pushover: -",
    ),
    Key::now(
        "webhook[].user_file",
        "the file that holds the user key",
        "none",
    ),
    Key::now(
        "webhook[].template",
        "a file with the body's template in place of the built-in one; not for pagerduty",
        "the built-in one of the format",
    ),
    Key::now(
        "webhook[].allow_private",
        "whether it may be http:// and lie in a private network",
        "false",
    ),
];

/// Where events for PagerDuty go unless something else is said, and messages for Pushover.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
const PUSHOVER: &str = "https://api.pushover.net/1/messages.json";

/// `[[webhook]]`
#[derive(Clone, Debug)]
pub struct Webhook {
    /// What the desk calls it.
    pub name: String,
    /// Shows its host at most.
    pub url: PrivateUrl,
    /// The shape of the body.
    pub format: WebhookFormat,
    /// What lets us in: see [`WebhookFormat`].
    pub key: Option<Secret>,
    /// To whom it goes there: Pushover's user or group key.
    pub user: Option<Secret>,
    /// The body's template in place of the built-in one.
    pub template: Option<PathBuf>,
    /// It may be plain HTTP, and lie in a private network.
    pub allow_private: bool,
}

named_enum! {
    /// The shape of a webhook's body, and what its key is.
    pub enum WebhookFormat as "webhook format" {
        /// Our own JSON; the key, where there is one, goes along as a bearer token.
        Json = "json",
        /// Slack's incoming webhook; without a key, as it is in the address.
        Slack = "slack",
        /// Discord's webhook; without a key, as it is in the address.
        Discord = "discord",
        /// A card for Microsoft Teams; without a key, as it is in the address.
        Teams = "teams",
        /// ntfy, the topic being the end of the address; the key is a bearer token.
        Ntfy = "ntfy",
        /// Pushover; the key is the application's token.
        Pushover = "pushover",
        /// PagerDuty Events v2; the key is the service's routing key.
        PagerDuty = "pagerduty",
    }
}

impl WebhookFormat {
    /// Whether it is nothing without a key.
    pub const fn needs_key(self) -> bool {
        matches!(self, Self::Pushover | Self::PagerDuty)
    }

    /// Whether a key has a place in it.
    pub const fn takes_key(self) -> bool {
        self.needs_key() || matches!(self, Self::Json | Self::Ntfy)
    }

    /// Whether it also needs to be told to whom.
    pub const fn needs_user(self) -> bool {
        matches!(self, Self::Pushover)
    }

    /// The service's own address, where there is but one.
    pub const fn usual_url(self) -> Option<&'static str> {
        match self {
            Self::PagerDuty => Some(PAGERDUTY),
            Self::Pushover => Some(PUSHOVER),
            Self::Json | Self::Slack | Self::Discord | Self::Teams | Self::Ntfy => None,
        }
    }
}

/// Every entry, each with a name of its own.
pub(super) fn read_all(sections: &[Section<'_>]) -> Vec<Webhook> {
    let mut webhooks: Vec<Webhook> = Vec::with_capacity(sections.len());
    for section in sections {
        let Some(webhook) = read(section) else {
            continue;
        };
        if webhooks.iter().any(|other| other.name == webhook.name) {
            let what = format!("is {:?}, which another webhook has", webhook.name);
            let place = section.place_of(&["name"]);
            section.refuse("name", &place, Wrong::new(what, "Give each its own."));
        }
        webhooks.push(webhook);
    }
    webhooks
}

fn read(section: &Section<'_>) -> Option<Webhook> {
    let name = section.parse("name", name).map(|given| given.value);
    let allow_private = section.flag("allow_private").is_some_and(|flag| flag.value);
    let schemes: &[&str] = if allow_private {
        &["https", "http"]
    } else {
        &["https"]
    };
    let url = section.parse("url", |text| {
        url::check(text, schemes).map(PrivateUrl::hiding_path)
    });
    let given_format = section.parse("format", format);
    let format = given_format
        .as_ref()
        .map_or(WebhookFormat::Json, |given| given.value);
    let key = section.secret("key").map(|given| given.value);
    let user = section.secret("user").map(|given| given.value);
    let template = section.path("template").map(|given| given.value);
    if !section.has("name") {
        section.missing("name", "Give it one, like name = \"night-shift\".");
    }
    let url = if section.has("url") {
        url.map(|given| given.value)
    } else {
        let usual = format.usual_url().map(PrivateUrl::hiding_path);
        if usual.is_none() {
            section.missing("url", "Give the address that gets the POST.");
        }
        usual
    };
    // What fits to a format that is wrong, nobody can say.
    if !section.has("format") || given_format.is_some() {
        fit(section, format);
    }
    section.finish();
    Some(Webhook {
        name: name?,
        url: url?,
        format,
        key,
        user,
        template,
        allow_private,
    })
}

/// Tells what the format needs and has not, and what it has and cannot use.
fn fit(section: &Section<'_>, format: WebhookFormat) {
    let has = |name: &str| section.has(name) || section.has(&format!("{name}_file"));
    for (name, needs, takes) in [
        ("key", format.needs_key(), format.takes_key()),
        ("user", format.needs_user(), format.needs_user()),
    ] {
        if needs && !has(name) {
            let remedy = format!("{format} needs it: give {name}, or {name}_file.");
            section.missing(name, &remedy);
        }
        if has(name) && !takes {
            let given = if section.has(name) {
                name.to_owned()
            } else {
                format!("{name}_file")
            };
            let wrong = Wrong::new(format!("has no place in {format}"), "Leave it out.");
            section.refuse(&given, &section.place_of(&[&given]), wrong);
        }
    }
    if section.has("template") && format == WebhookFormat::PagerDuty {
        let wrong = Wrong::new(
            "has no place in pagerduty, whose events have one shape",
            "Leave it out.",
        );
        section.refuse("template", &section.place_of(&["template"]), wrong);
    }
}

/// It stands in the log and in commands, so it is a plain word.
fn name(text: &str) -> Result<String, Wrong> {
    const LONGEST: usize = 40;
    let text = text.trim();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = text.bytes().all(is_plain)
        && !text.is_empty()
        && text.len() <= LONGEST
        && !text.starts_with('-');
    if is_name {
        return Ok(text.to_owned());
    }
    // Not quoted: it may be an address or a key, put here by mistake.
    Err(Wrong::new(
        "is not a name of at most 40 letters in lower case, digits and hyphens",
        "Write it like night-shift.",
    ))
}

fn format(text: &str) -> Result<WebhookFormat, Wrong> {
    text.parse().map_err(|_| {
        Wrong::new(
            format!("is {text:?}"),
            "Write json, slack, discord, teams, ntfy, pushover or pagerduty.",
        )
    })
}
