//! What there is: one guild with its roles, members, channels, threads and messages, and what its
//! bot was asked and answered. Everything is kept in memory and changed under one lock, so that two
//! requests never see each other half done.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    faults::Fault,
    interaction::{Interaction, OpenModal},
    permissions,
    record::Request,
};

/// When the fake begins: the moment at which the tests' day does, [`crate::START`].
const MORNING: Timestamp = Timestamp::constant(1_795_424_400, 0);

/// How many threads may be open in a guild at once: Discord's number.
pub(super) const ACTIVE_THREADS: usize = 1000;

/// A role of the guild. The one with the guild's own id is everybody's.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The bits that it grants, [`permissions`](super::permissions) has their names.
    pub permissions: u64,
}

/// A person, or the bot itself, in the guild.
#[derive(Clone, Debug)]
pub struct Member {
    /// Their user id.
    pub id: u64,
    /// Their user name.
    pub name: String,
    /// Their roles, without everybody's.
    pub roles: Vec<u64>,
}

/// What a channel is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChannelKind {
    /// Messages one after the other.
    Text,
    /// Between the bot and one person.
    Direct,
    /// A heading above channels.
    Category,
    /// A thread, or a forum's post, that everyone who sees its parent may read.
    PublicThread,
    /// A thread for those who are added.
    PrivateThread,
    /// Nothing but threads.
    Forum,
}

impl ChannelKind {
    /// The number that Discord writes for it.
    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Text => 0,
            Self::Direct => 1,
            Self::Category => 4,
            Self::PublicThread => 11,
            Self::PrivateThread => 12,
            Self::Forum => 15,
        }
    }

    pub(super) const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Text),
            4 => Some(Self::Category),
            11 => Some(Self::PublicThread),
            12 => Some(Self::PrivateThread),
            15 => Some(Self::Forum),
            _ => None,
        }
    }

    /// Whether it is a thread.
    pub const fn is_thread(self) -> bool {
        matches!(self, Self::PublicThread | Self::PrivateThread)
    }
}

/// What a role or a member may in one channel, apart from what they may in the guild.
#[derive(Clone, Debug)]
pub struct Overwrite {
    /// A role's or a member's id.
    pub id: u64,
    /// Whether it is a member's.
    pub is_member: bool,
    /// Bits granted.
    pub allow: u64,
    /// Bits taken.
    pub deny: u64,
}

/// A forum's tag.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Its id, known in that forum only.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whether only who manages threads may apply it.
    pub is_moderated: bool,
}

/// A channel, a forum, a category or a thread.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its id.
    pub id: u64,
    /// What it is.
    pub kind: ChannelKind,
    /// Its name; a thread's title.
    pub name: String,
    /// The text at its top.
    pub topic: Option<String>,
    /// The category of a channel, the channel of a thread.
    pub parent: Option<u64>,
    /// Who may otherwise than in the guild.
    pub overwrites: Vec<Overwrite>,
    /// The tags that a forum offers.
    pub tags: Vec<Tag>,
    /// The tags that a thread bears.
    pub applied_tags: Vec<u64>,
    /// Whether a thread is put away.
    pub is_archived: bool,
    /// Whether only who manages threads may write or reopen.
    pub is_locked: bool,
    /// After how many minutes of silence a thread is archived.
    pub auto_archive_minutes: u64,
    /// Discord's flags: `1 << 4` asks for a tag on each post of a forum.
    pub flags: u64,
    /// Who made it.
    pub owner: Option<u64>,
    /// The other person of a direct channel.
    pub recipient: Option<u64>,
    pub(super) touched: Duration,
    pub(super) renames: VecDeque<Duration>,
    pub(super) created_at: Timestamp,
    pub(super) archived_at: Timestamp,
}

/// A message, as it stands now.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id; that of its thread when it starts a forum's post.
    pub id: u64,
    /// Where it stands.
    pub channel: u64,
    /// Who wrote it.
    pub author: u64,
    /// Its text.
    pub content: String,
    /// Its embeds, as they were sent.
    pub embeds: Vec<Value>,
    /// Its rows of buttons and selects, as they were sent.
    pub components: Vec<Value>,
    /// Discord's flags: `1 << 6` ephemeral, `1 << 7` still thinking.
    pub flags: u64,
    /// What the sender knows it by.
    pub nonce: Option<Value>,
    /// How often it was edited.
    pub edits: usize,
    /// The only one who sees it, if it is ephemeral.
    pub only_for: Option<u64>,
    /// Its files: name and size.
    pub files: Vec<(String, usize)>,
    /// The interaction that it answers.
    pub interaction: Option<u64>,
    pub(super) sent: Duration,
    pub(super) created_at: Timestamp,
    pub(super) edited_at: Option<Timestamp>,
}

/// The flag of a message that one person sees.
pub(super) const EPHEMERAL: u64 = 1 << 6;
/// The flag of a deferred answer that has not come.
pub(super) const LOADING: u64 = 1 << 7;

impl Message {
    /// Whether one person only sees it.
    pub const fn is_ephemeral(&self) -> bool {
        self.flags & EPHEMERAL != 0
    }

    /// Whether it says that the bot is thinking.
    pub const fn is_loading(&self) -> bool {
        self.flags & LOADING != 0
    }

    /// All that a reader sees of it: content, then titles, texts, fields and footers of its embeds,
    /// then the labels of its components.
    pub fn text(&self) -> String {
        let mut lines = vec![self.content.clone()];
        for embed in &self.embeds {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            lines.push(text(&embed["author"]["name"]));
            lines.push(text(&embed["title"]));
            lines.push(text(&embed["description"]));
            for field in embed["fields"].as_array().into_iter().flatten() {
                lines.push(format!(
                    "{}: {}",
                    text(&field["name"]),
                    text(&field["value"])
                ));
            }
            lines.push(text(&embed["footer"]["text"]));
        }
        lines.extend(self.labels());
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }

    /// The labels of its buttons and the placeholders of its selects, in order.
    pub fn labels(&self) -> Vec<String> {
        let shown = |one: &Value| {
            let label = one["label"].as_str().or(one["placeholder"].as_str());
            label.map(str::to_owned)
        };
        self.controls().filter_map(shown).collect()
    }

    /// Its buttons and selects.
    pub fn controls(&self) -> impl Iterator<Item = &Value> {
        let rows = self.components.iter();
        rows.flat_map(|row| row["components"].as_array().into_iter().flatten())
    }
}

/// Everything.
pub(super) struct World {
    started: Instant,
    ahead: Duration,
    last_id: u64,
    pub(super) guild: u64,
    pub(super) application: u64,
    pub(super) bot: u64,
    pub(super) bot_role: u64,
    pub(super) owner: u64,
    pub(super) token: String,
    pub(super) is_revoked: bool,
    pub(super) roles: BTreeMap<u64, Role>,
    pub(super) members: BTreeMap<u64, Member>,
    pub(super) channels: BTreeMap<u64, Channel>,
    pub(super) messages: BTreeMap<u64, Message>,
    pub(super) commands: Vec<Value>,
    pub(super) interactions: BTreeMap<u64, Interaction>,
    pub(super) modals: Vec<OpenModal>,
    pub(super) closed_to_bot: BTreeSet<u64>,
    pub(super) active_limit: usize,
    pub(super) faults: Vec<Fault>,
    pub(super) requests: Vec<Request>,
    pub(super) violations: Vec<String>,
    /// What the gateway has yet to tell.
    pub(super) events: Vec<(&'static str, Value)>,
}

impl World {
    /// A guild with everybody's role, its owner, the bot with a role of its own, and the text
    /// channel `general`.
    pub(super) fn new(token: String) -> Self {
        let mut world = Self {
            started: Instant::now(),
            ahead: Duration::ZERO,
            last_id: 0,
            guild: 0,
            application: 0,
            bot: 0,
            bot_role: 0,
            owner: 0,
            token,
            is_revoked: false,
            roles: BTreeMap::new(),
            members: BTreeMap::new(),
            channels: BTreeMap::new(),
            messages: BTreeMap::new(),
            commands: Vec::new(),
            interactions: BTreeMap::new(),
            modals: Vec::new(),
            closed_to_bot: BTreeSet::new(),
            active_limit: ACTIVE_THREADS,
            faults: Vec::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            events: Vec::new(),
        };
        world.guild = world.next_id();
        world.application = world.next_id();
        // An application's bot has its id since 2016.
        world.bot = world.application;
        world.roles.insert(
            world.guild,
            Role {
                id: world.guild,
                name: "@everyone".to_owned(),
                permissions: permissions::EVERYONE,
            },
        );
        world.bot_role = world.add_role("tierdesk", permissions::BOT);
        world.owner = world.add_member("owner", Vec::new());
        let bot = Member {
            id: world.bot,
            name: "tierdesk".to_owned(),
            roles: vec![world.bot_role],
        };
        world.members.insert(world.bot, bot);
        world.add_channel(ChannelKind::Text, "general", None);
        world
    }

    /// Since the start, by the fake clock.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed() + self.ahead
    }

    /// The same as a date; the tests' day begins with the fake.
    pub(super) fn timestamp(&self) -> Timestamp {
        MORNING + self.now()
    }

    /// Lets time pass; threads that were silent for long enough are archived.
    pub(super) fn advance(&mut self, by: Duration) {
        self.ahead += by;
        let (now, date) = (self.now(), self.timestamp());
        for channel in self.channels.values_mut() {
            let silence = Duration::from_secs(channel.auto_archive_minutes * 60);
            if channel.kind.is_thread() && !channel.is_archived && now >= channel.touched + silence
            {
                channel.is_archived = true;
                channel.archived_at = date;
            }
        }
    }

    /// An id as Discord makes them: milliseconds since 2015 above 22 bits, never twice.
    pub(super) fn next_id(&mut self) -> u64 {
        const FIRST_SECOND_OF_2015: i64 = 1_420_070_400_000;
        let since = self.timestamp().as_millisecond() - FIRST_SECOND_OF_2015;
        let made = u64::try_from(since).unwrap_or_default() << 22;
        self.last_id = made.max(self.last_id + 1);
        self.last_id
    }

    pub(super) fn violate(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }

    pub(super) fn add_role(&mut self, name: &str, permissions: u64) -> u64 {
        let id = self.next_id();
        let role = Role {
            id,
            name: name.to_owned(),
            permissions,
        };
        self.roles.insert(id, role);
        id
    }

    pub(super) fn add_member(&mut self, name: &str, roles: Vec<u64>) -> u64 {
        let id = self.next_id();
        let member = Member {
            id,
            name: name.to_owned(),
            roles,
        };
        self.members.insert(id, member);
        id
    }

    pub(super) fn add_channel(
        &mut self,
        kind: ChannelKind,
        name: &str,
        parent: Option<u64>,
    ) -> &mut Channel {
        let id = self.next_id();
        self.add_channel_as(id, kind, name, parent)
    }

    /// The same under an id that is taken already, as a thread takes that of its message.
    pub(super) fn add_channel_as(
        &mut self,
        id: u64,
        kind: ChannelKind,
        name: &str,
        parent: Option<u64>,
    ) -> &mut Channel {
        let date = self.timestamp();
        let channel = Channel {
            id,
            kind,
            name: name.to_owned(),
            topic: None,
            parent,
            overwrites: Vec::new(),
            tags: Vec::new(),
            applied_tags: Vec::new(),
            is_archived: false,
            is_locked: false,
            auto_archive_minutes: 4320,
            flags: 0,
            owner: None,
            recipient: None,
            touched: self.now(),
            renames: VecDeque::new(),
            created_at: date,
            archived_at: date,
        };
        self.channels.entry(id).or_insert(channel)
    }

    /// The channel that decides who may what: the parent of a thread.
    pub(super) fn governing<'a>(&'a self, channel: &'a Channel) -> &'a Channel {
        let parent = channel.parent.filter(|_| channel.kind.is_thread());
        parent
            .and_then(|parent| self.channels.get(&parent))
            .unwrap_or(channel)
    }

    pub(super) fn active_threads(&self) -> usize {
        let channels = self.channels.values();
        channels
            .filter(|channel| channel.kind.is_thread() && !channel.is_archived)
            .count()
    }

    /// Messages of a channel, oldest first, with those that one person sees.
    pub(super) fn messages_in(&self, channel: u64) -> impl DoubleEndedIterator<Item = &Message> {
        let messages = self.messages.values();
        messages.filter(move |message| message.channel == channel)
    }
}
