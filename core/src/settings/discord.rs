//! `[discord]`: the guild in which staff work.

use std::collections::BTreeMap;

use super::{Key, problem::Wrong, reader::Section, secret::Secret, url};
use crate::{discord::DiscordId, staff::Role};

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "discord.token",
        "the bot's token; or token_file",
        "none: no bot",
    ),
    Key::now(
        "discord.token_file",
        "the file that holds the token",
        "none",
    ),
    Key::now("discord.guild_id", "the id of the server, a number", "none"),
    Key::now(
        "discord.api_base",
        "where Discord's REST API is",
        DEFAULT_API_BASE,
    ),
    Key::now(
        "discord.channels",
        "a channel id for each tier's slug, and for triage",
        "none: found by the channel name in the tier catalogue",
    ),
    Key::now(
        "discord.roles",
        "a Discord role id for each staff role",
        "none",
    ),
];

const DEFAULT_API_BASE: &str = "https://discord.com/api/v10";

/// `[discord]`
#[derive(Clone, Debug)]
pub struct DiscordSettings {
    /// The bot's token.
    pub token: Option<Secret>,
    /// The server.
    pub guild_id: Option<DiscordId>,
    /// Where the REST API is, without a slash at the end.
    pub api_base: String,
    /// Channel by tier slug; `triage` for tickets bound to nobody.
    pub channels: BTreeMap<String, DiscordId>,
    /// Discord role by staff role.
    pub roles: BTreeMap<Role, DiscordId>,
}

/// The channel key of tickets that belong to nobody yet.
pub const TRIAGE: &str = "triage";

pub(super) fn read(section: &Section<'_>) -> DiscordSettings {
    let settings = DiscordSettings {
        token: section.secret("token").map(|given| given.value),
        guild_id: section
            .parse_digits("guild_id", id)
            .map(|given| given.value),
        api_base: section
            .parse("api_base", |text| {
                url::check(text, &["https", "http"]).map(str::to_owned)
            })
            .map_or_else(|| DEFAULT_API_BASE.to_owned(), |given| given.value)
            .trim_end_matches('/')
            .to_owned(),
        channels: read_ids(&section.own_section("channels")),
        roles: read_roles(&section.own_section("roles")),
    };
    section.finish();
    settings
}

fn read_ids(section: &Section<'_>) -> BTreeMap<String, DiscordId> {
    let mut ids = BTreeMap::new();
    for name in section.own_names() {
        if !name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            let what = "is not a name in lower case with hyphens";
            section.refuse(
                name,
                section.place(),
                Wrong::new(what, "Write it like gov-federal."),
            );
        }
        if let Some(given) = section.parse_digits(name, id) {
            ids.insert(name.to_owned(), given.value);
        }
    }
    section.finish();
    ids
}

fn read_roles(section: &Section<'_>) -> BTreeMap<Role, DiscordId> {
    let mut roles = BTreeMap::new();
    for name in section.own_names() {
        match name.parse::<Role>() {
            Ok(role) => {
                let given = section.parse_digits(name, id);
                roles.extend(given.map(|given| (role, given.value)));
            }
            Err(fault) => section.refuse(
                name,
                section.place(),
                Wrong::new(
                    "is no role of the staff",
                    format!("Write one of {}.", fault.known),
                ),
            ),
        }
    }
    section.finish();
    roles
}

fn id(text: &str) -> Result<DiscordId, Wrong> {
    text.trim().parse().map_err(|_| {
        Wrong::new(
            "is not a Discord id",
            "Turn on Developer Mode in Discord, right-click and Copy ID: digits only.",
        )
    })
}
