//! `[discord]`: the guild in which staff work.

use std::{collections::BTreeMap, fmt};

use super::{Key, problem::Wrong, reader::Section, secret::Secret, url};

pub(super) const KEYS: &[Key] = &[
    Key::later(
        "discord.token",
        "the bot's token; or token_file",
        "none: no bot",
    ),
    Key::later(
        "discord.token_file",
        "the file that holds the token",
        "none",
    ),
    Key::later("discord.guild_id", "the id of the server, a number", "none"),
    Key::later(
        "discord.api_base",
        "where Discord's REST API is",
        DEFAULT_API_BASE,
    ),
    Key::later(
        "discord.channels",
        "a channel id for each tier's slug, and for triage",
        "none: found by the channel name in the tier catalogue",
    ),
    Key::later(
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
    pub roles: BTreeMap<String, DiscordId>,
}

/// An id that Discord gave: a number above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DiscordId(u64);

impl DiscordId {
    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for DiscordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

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
        roles: read_ids(&section.own_section("roles")),
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

fn id(text: &str) -> Result<DiscordId, Wrong> {
    match text.trim().parse() {
        Ok(id) if id > 0 => Ok(DiscordId(id)),
        _ => Err(Wrong::new(
            "is not a Discord id",
            "Turn on Developer Mode in Discord, right-click and Copy ID: digits only.",
        )),
    }
}
