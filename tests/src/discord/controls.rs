//! What a test sets up, lets go wrong and looks at.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    FakeDiscord,
    faults::{Fault, Trouble},
    messages::Draft,
    permissions::VIEW_CHANNEL,
    record::Request,
    world::{Channel, ChannelKind, Message, Overwrite, Tag},
};

/// The guild.
impl FakeDiscord {
    /// A role with these [`permissions`](super::permissions) beside everybody's.
    pub fn add_role(&self, name: &str, permissions: u64) -> u64 {
        self.shared.world().add_role(name, permissions)
    }

    /// A person in the guild.
    pub fn add_member(&self, name: &str, roles: &[u64]) -> u64 {
        self.shared.world().add_member(name, roles.to_vec())
    }

    /// Gives a member these roles and no others.
    pub fn set_roles(&self, member: u64, roles: &[u64]) {
        if let Some(member) = self.shared.world().members.get_mut(&member) {
            member.roles = roles.to_vec();
        }
    }

    /// Has a member leave.
    pub fn remove_member(&self, member: u64) {
        self.shared.world().members.remove(&member);
    }

    /// A text channel.
    pub fn add_text_channel(&self, name: &str) -> u64 {
        self.shared
            .world()
            .add_channel(ChannelKind::Text, name, None)
            .id
    }

    /// A category.
    pub fn add_category(&self, name: &str) -> u64 {
        self.shared
            .world()
            .add_channel(ChannelKind::Category, name, None)
            .id
    }

    /// A forum that offers these tags.
    pub fn add_forum(&self, name: &str, tags: &[&str]) -> u64 {
        let mut world = self.shared.world();
        let tags = tags.iter().map(|name| Tag {
            id: world.next_id(),
            name: (*name).to_owned(),
            is_moderated: false,
        });
        let tags = tags.collect();
        let forum = world.add_channel(ChannelKind::Forum, name, None);
        forum.tags = tags;
        forum.id
    }

    /// Takes a channel out of everybody's sight but the bot's, as a careful admin would.
    pub fn hide_from_everyone(&self, channel: u64) {
        let mut world = self.shared.world();
        let (everyone, bot) = (world.guild, world.bot_role);
        if let Some(channel) = world.channels.get_mut(&channel) {
            let overwrite = |id, allow, deny| Overwrite {
                id,
                is_member: false,
                allow,
                deny,
            };
            channel
                .overwrites
                .push(overwrite(everyone, 0, VIEW_CHANNEL));
            channel.overwrites.push(overwrite(bot, VIEW_CHANNEL, 0));
        }
    }

    /// Grants or takes [`permissions`](super::permissions) of a role in one channel.
    pub fn overwrite(&self, channel: u64, role: u64, allow: u64, deny: u64) {
        if let Some(channel) = self.shared.world().channels.get_mut(&channel) {
            channel.overwrites.push(Overwrite {
                id: role,
                is_member: false,
                allow,
                deny,
            });
        }
    }

    /// Changes a channel or thread as an admin would, past every rule.
    pub fn change(&self, channel: u64, change: impl FnOnce(&mut Channel)) {
        let mut world = self.shared.world();
        if let Some(channel) = world.channels.get_mut(&channel) {
            change(channel);
        }
        drop(world);
        self.shared.changed();
    }

    /// Has a person write in a channel or thread; the bot, without the intent for it, is not told.
    pub fn write(&self, member: u64, channel: u64, content: &str) -> u64 {
        let mut world = self.shared.world();
        let body = json!({"content": content});
        let message = world.post(&Draft {
            id: None,
            channel,
            body: &body,
            files: &[],
            flags: 0,
            only_for: None,
            interaction: None,
        });
        if let Some(message) = world.messages.get_mut(&message) {
            message.author = member;
        }
        message
    }

    /// Has an admin delete a channel or thread with all in it.
    pub fn remove_channel(&self, channel: u64) {
        self.shared.world().remove_channel(channel);
        self.shared.changed();
    }

    /// Has an admin delete a message.
    pub fn remove_message(&self, message: u64) {
        self.shared.world().messages.remove(&message);
        self.shared.changed();
    }

    /// Sets what the bot's role may; [`permissions::BOT`](super::permissions::BOT) at first.
    pub fn set_bot_permissions(&self, permissions: u64) {
        let mut world = self.shared.world();
        let role = world.bot_role;
        if let Some(role) = world.roles.get_mut(&role) {
            role.permissions = permissions;
        }
    }

    /// How many threads may be active; 1000 at first.
    pub fn limit_active_threads(&self, limit: usize) {
        self.shared.world().active_limit = limit;
    }

    /// Has a person take no direct messages from the bot.
    pub fn close_direct(&self, member: u64) {
        self.shared.world().closed_to_bot.insert(member);
    }

    /// Lets time pass for every limit that counts in time.
    pub fn advance(&self, by: Duration) {
        self.shared.world().advance(by);
        self.shared.changed();
    }
}

/// What there is now.
impl FakeDiscord {
    /// A channel or thread.
    pub fn channel(&self, id: u64) -> Option<Channel> {
        self.shared.world().channels.get(&id).cloned()
    }

    /// The channel, forum or category of this name.
    pub fn channel_by_name(&self, name: &str) -> Option<Channel> {
        let world = self.shared.world();
        let mut channels = world.channels.values();
        let named = channels.find(|one| one.name == name && !one.kind.is_thread());
        named.cloned()
    }

    /// Threads of a channel or forum, archived ones too, oldest first.
    pub fn threads_in(&self, channel: u64) -> Vec<Channel> {
        let world = self.shared.world();
        let channels = world.channels.values();
        let threads = channels.filter(|one| one.kind.is_thread() && one.parent == Some(channel));
        threads.cloned().collect()
    }

    /// The names of the tags that a thread bears.
    pub fn tags_of(&self, thread: u64) -> Vec<String> {
        let world = self.shared.world();
        let Some(thread) = world.channels.get(&thread) else {
            return Vec::new();
        };
        let offered = &world.governing(thread).tags;
        let borne = offered
            .iter()
            .filter(|tag| thread.applied_tags.contains(&tag.id));
        borne.map(|tag| tag.name.clone()).collect()
    }

    /// What everybody in a channel or thread reads, oldest first.
    pub fn messages_in(&self, channel: u64) -> Vec<Message> {
        let world = self.shared.world();
        let messages = world.messages_in(channel);
        messages
            .filter(|message| !message.is_ephemeral())
            .cloned()
            .collect()
    }

    /// A message, as it stands now.
    pub fn message(&self, id: u64) -> Option<Message> {
        self.shared.world().messages.get(&id).cloned()
    }

    /// What the bot has written to a person directly, oldest first.
    pub fn direct_messages(&self, member: u64) -> Vec<Message> {
        let world = self.shared.world();
        let mut channels = world.channels.values();
        let channel = channels.find(|one| one.recipient == Some(member));
        let messages = channel.map(|channel| world.messages_in(channel.id));
        messages.into_iter().flatten().cloned().collect()
    }

    /// The commands that are registered, as Discord gives them back.
    pub fn commands(&self) -> Vec<Value> {
        self.shared.world().commands.clone()
    }

    /// Waits until there is something to be found, ten seconds at most.
    ///
    /// # Panics
    /// When it is not found by then; the message says what was awaited and what was asked last.
    pub async fn until<T>(&self, what: &str, find: impl FnMut() -> Option<T>) -> T {
        let found = self.shared.until(Duration::from_secs(10), find).await;
        found.unwrap_or_else(|| {
            let requests = self.requests();
            let last = requests.iter().rev().take(5);
            let last: Vec<_> = last
                .map(|one| (&one.method, &one.path, one.status))
                .collect();
            panic!(
                "{what} did not come; the last requests: {last:?}, {:?}",
                self.violations()
            )
        })
    }
}

/// What was asked, and against which rule.
impl FakeDiscord {
    /// All requests, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.world().requests.clone()
    }

    /// The bodies of all requests, files too: for tests that something never left.
    pub fn everything_sent(&self) -> String {
        let world = self.shared.world();
        let requests = world.requests.iter();
        let sent =
            requests.map(|one| format!("{} {}?{}\n{}\n", one.method, one.path, one.query, one.raw));
        sent.collect()
    }

    /// The rules broken so far.
    pub fn violations(&self) -> Vec<String> {
        self.shared.world().violations.clone()
    }

    /// The same, and forgets them: for a test that has them broken on purpose.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.world().violations)
    }

    /// Fails the test if a rule was broken.
    pub fn assert_clean(&self) {
        let violations = self.violations();
        assert!(
            violations.is_empty(),
            "rules of Discord broken: {violations:#?}"
        );
    }
}

/// What goes wrong. A pattern is a path below `/api/v10` in which `*` stands for any one part and a
/// closing `**` for all that follow. Each fault strikes once; order several for several.
impl FakeDiscord {
    fn order(&self, method: Option<&str>, pattern: &str, trouble: Trouble) {
        self.shared.world().faults.push(Fault {
            method: method.map(str::to_owned),
            pattern: pattern.to_owned(),
            trouble,
        });
    }

    /// Answers the next such request with this; nothing is done.
    pub fn fail_next(&self, method: &str, pattern: &str, status: u16, body: Value) {
        self.order(Some(method), pattern, Trouble::Fail { status, body });
    }

    /// Tells the next such request to come again later, in the scope `user`, `shared` or `global`.
    pub fn rate_limit_next(&self, pattern: &str, after: Duration, scope: &'static str) {
        self.order(None, pattern, Trouble::RateLimit { after, scope });
    }

    /// Keeps the next such request waiting and acts on it then, unless the caller has gone.
    pub fn hang_next(&self, pattern: &str, time: Duration) {
        self.order(None, pattern, Trouble::Hang(time));
    }

    /// Acts on the next such request and cuts the connection: its answer is lost.
    pub fn drop_next(&self, pattern: &str) {
        self.order(None, pattern, Trouble::Drop);
    }

    /// Faults that have not struck.
    pub fn faults_left(&self) -> usize {
        self.shared.world().faults.len()
    }

    /// Makes the token worthless: 401 for every request, 4004 at the gateway.
    pub fn revoke_token(&self, is_revoked: bool) {
        self.shared.world().is_revoked = is_revoked;
    }
}

/// The gateway.
impl FakeDiscord {
    /// Waits until the bot is connected and identified.
    pub async fn connected(&self) {
        self.until("a bot at the gateway", || {
            self.shared.gateway.is_connected().then_some(())
        })
        .await;
    }

    /// Whether the bot is connected and identified.
    pub fn is_connected(&self) -> bool {
        self.shared.gateway.is_connected()
    }

    /// Where the gateway is, also for one whose token is worth nothing.
    pub fn gateway_url(&self) -> String {
        self.shared.gateway_url.clone()
    }

    /// The session that the bot has, or could resume.
    pub fn session_id(&self) -> Option<String> {
        self.shared.gateway.session()
    }

    /// The intents of each IDENTIFY so far.
    pub fn identified(&self) -> Vec<u64> {
        self.shared.gateway.identified()
    }

    /// How many sessions were resumed.
    pub fn resumed(&self) -> usize {
        self.shared.gateway.resumed()
    }

    /// How many heartbeats came.
    pub fn heartbeats(&self) -> usize {
        self.shared.gateway.heartbeats()
    }

    /// Closes the connection with a code; its session can be resumed.
    pub fn close_gateway(&self, code: u16) {
        self.shared.gateway.close(code);
    }

    /// Cuts the connection without a word.
    pub fn drop_gateway(&self) {
        self.shared.gateway.cut();
    }

    /// Hangs up on everyone who comes, or no longer.
    pub fn refuse_gateway(&self, is_refusing: bool) {
        self.shared.gateway.refuse(is_refusing);
    }

    /// Asks the bot to connect anew (op 7).
    pub fn reconnect_gateway(&self) {
        self.shared.gateway.ask_to_reconnect();
    }

    /// Tells the bot that its session is over (op 9), or that it may resume it.
    pub fn invalidate_session(&self, may_resume: bool) {
        self.shared.gateway.invalidate(may_resume);
    }

    /// Whether heartbeats are answered.
    pub fn answer_heartbeats(&self, answers: bool) {
        self.shared.gateway.answer_heartbeats(answers);
    }

    /// The interval of heartbeats that the next connection is told.
    pub fn beat_every(&self, interval: Duration) {
        self.shared.gateway.beat_every(interval);
    }

    /// The only intents that are allowed; others are closed with 4014. At first all but the
    /// privileged ones.
    pub fn allow_intents(&self, intents: u64) {
        self.shared.gateway.allow_intents(intents);
    }
}
