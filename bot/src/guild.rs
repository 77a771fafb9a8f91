//! The server: its channels, their tags, and who can see them. Read from Discord and kept for a
//! minute, so that a channel that is opened to everybody stops being posted to.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use tierdesk_core::discord::DiscordId;
use tokio::{sync::Mutex, time::Instant};

use crate::rest::{Rest, RestError};

/// How long what was read holds.
const KEPT: Duration = Duration::from_mins(1);

/// Types of channels that tickets can stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// A ticket is a message with a thread.
    Text,
    /// A ticket is a post.
    Forum,
}

/// A channel that tickets can stand in.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its id.
    pub id: DiscordId,
    /// Its name.
    pub name: String,
    /// What a ticket becomes there.
    pub kind: ChannelKind,
    /// Tags by name, of a forum.
    pub tags: BTreeMap<String, String>,
    /// The same as Discord has them.
    pub raw_tags: Vec<Value>,
    /// Whether everybody in the server can see it.
    pub is_open: bool,
}

/// A role of the server.
#[derive(Clone, Debug)]
pub struct GuildRole {
    /// Its id.
    pub id: DiscordId,
    /// Its name.
    pub name: String,
}

/// The server as it was read last.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its channels that tickets can stand in.
    pub channels: Vec<Channel>,
    /// Its roles.
    pub roles: Vec<GuildRole>,
}

/// The server.
#[derive(Debug)]
pub struct Guild {
    rest: Arc<Rest>,
    /// Its id.
    pub id: DiscordId,
    configured: BTreeMap<String, DiscordId>,
    kept: Mutex<Option<(Instant, Arc<Snapshot>)>>,
    own_user: Mutex<Option<DiscordId>>,
}

/// The right to see a channel, among Discord's permission bits.
pub const VIEW_CHANNEL: u64 = 1 << 10;
/// The right that contains every other.
const ADMINISTRATOR: u64 = 1 << 3;

impl Guild {
    /// The server `id`, whose channels are configured by tier.
    pub fn new(rest: Arc<Rest>, id: DiscordId, configured: BTreeMap<String, DiscordId>) -> Self {
        Self {
            rest,
            id,
            configured,
            kept: Mutex::new(None),
            own_user: Mutex::new(None),
        }
    }

    /// The server as it is, at most a minute old.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, RestError> {
        let mut kept = self.kept.lock().await;
        if let Some((read, snapshot)) = kept.as_ref()
            && read.elapsed() < KEPT
        {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = Arc::new(self.read().await?);
        *kept = Some((Instant::now(), Arc::clone(&snapshot)));
        Ok(snapshot)
    }

    /// What was read is out of date.
    pub async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    /// The server as it is now.
    pub async fn read(&self) -> Result<Snapshot, RestError> {
        let roles = self.rest.get(&format!("/guilds/{}/roles", self.id)).await?;
        let channels = self
            .rest
            .get(&format!("/guilds/{}/channels", self.id))
            .await?;
        let everybody = list(&roles)
            .find(|role| id(&role["id"]) == Some(self.id))
            .and_then(|role| bits(&role["permissions"]))
            .unwrap_or_default();
        Ok(Snapshot {
            channels: list(&channels)
                .filter_map(|channel| self.channel(channel, everybody))
                .collect(),
            roles: list(&roles)
                .filter_map(|role| {
                    Some(GuildRole {
                        id: id(&role["id"])?,
                        name: role["name"].as_str()?.to_owned(),
                    })
                })
                .collect(),
        })
    }

    fn channel(&self, channel: &Value, everybody: u64) -> Option<Channel> {
        let kind = match channel["type"].as_u64()? {
            0 => ChannelKind::Text,
            15 => ChannelKind::Forum,
            _ => return None,
        };
        let tag = |tag: &Value| {
            Some((
                tag["name"].as_str()?.to_lowercase(),
                tag["id"].as_str()?.to_owned(),
            ))
        };
        Some(Channel {
            id: id(&channel["id"])?,
            name: channel["name"].as_str()?.to_owned(),
            kind,
            tags: list(&channel["available_tags"]).filter_map(tag).collect(),
            raw_tags: list(&channel["available_tags"]).cloned().collect(),
            is_open: self.is_open(channel, everybody),
        })
    }

    /// Whether @everyone, whose id is the server's, may see a channel: its own overwrite, else
    /// what the role may anywhere.
    fn is_open(&self, channel: &Value, everybody: u64) -> bool {
        let own = list(&channel["permission_overwrites"])
            .find(|overwrite| id(&overwrite["id"]) == Some(self.id));
        let (allow, deny) = own.map_or((0, 0), |own| {
            (
                bits(&own["allow"]).unwrap_or_default(),
                bits(&own["deny"]).unwrap_or_default(),
            )
        });
        everybody & ADMINISTRATOR != 0 || ((everybody & !deny) | allow) & VIEW_CHANNEL != 0
    }

    /// The channel of this key: the configured one, else the one of this name.
    pub async fn find_channel(&self, key: &str, name: &str) -> Result<Option<Channel>, RestError> {
        let snapshot = self.snapshot().await?;
        Ok(self.channel_in(&snapshot, key, name).cloned())
    }

    /// The channel id configured for a key that the server does not have, or not as a channel that
    /// can hold cards.
    pub fn missing(&self, server: &Snapshot, key: &str) -> Option<DiscordId> {
        let id = *self.configured.get(key)?;
        let is_there = server.channels.iter().any(|channel| channel.id == id);
        (!is_there).then_some(id)
    }

    /// The same in what was read.
    pub fn channel_in<'s>(
        &self,
        server: &'s Snapshot,
        key: &str,
        name: &str,
    ) -> Option<&'s Channel> {
        let configured = self.configured.get(key);
        let is_it = |channel: &&Channel| match configured {
            Some(id) => channel.id == *id,
            None => channel.name == name,
        };
        server.channels.iter().find(is_it)
    }

    /// The bot's own user.
    pub async fn own_user(&self) -> Result<DiscordId, RestError> {
        let mut known = self.own_user.lock().await;
        if let Some(user) = *known {
            return Ok(user);
        }
        let me = self.rest.get("/users/@me").await?;
        let user = id(&me["id"])
            .ok_or_else(|| RestError::Unavailable("it does not say who we are".to_owned()))?;
        *known = Some(user);
        Ok(user)
    }
}

/// The elements of a list; none of anything else.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// An id as JSON has it.
pub(crate) fn id(value: &Value) -> Option<DiscordId> {
    value.as_str()?.parse().ok()
}

/// Permission bits as JSON has them: digits in a text.
fn bits(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}
