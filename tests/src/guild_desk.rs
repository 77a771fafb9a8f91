//! A desk with a guild: the fake Discord, the bot connected to it, and a worker driven by hand.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tierdesk_bot::{
    Bot,
    gateway::{BotError, Patience},
    pages::SendPageChat,
    posts::PostTicket,
    progress::PostProgress,
};
use tierdesk_core::{
    desk::{
        Desk, oncall,
        paging::engine,
        staff::{self, NewStaff, register_first_admin},
    },
    discord::DiscordId,
    jobs::worker::{Tick, Worker},
    mail::Envelope,
    permit::Actor,
    receive::Road,
    settings::{DiscordSettings, Settings},
    staff::Role,
    tickets::TicketNumber,
};
use tierdesk_ingest::process::deliver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    Backend, MailDesk, Postbox, SUPPORT, SentMail, TestDesk,
    discord::{Channel, FakeDiscord, Message},
    owner,
};

/// The tags of the forums.
const STATUSES: [&str; 6] = ["new", "open", "waiting", "on-hold", "resolved", "closed"];

/// A desk, its guild, and the bot between them.
pub struct GuildDesk {
    /// The desk.
    pub test: TestDesk,
    /// The guild.
    pub discord: FakeDiscord,
    /// The bot.
    pub bot: Arc<Bot>,
    /// The role in the server that sees every channel.
    pub staff_role: u64,
    /// A member who is an agent.
    pub dana: u64,
    /// A member who is an agent too.
    pub erin: u64,
    postbox: Option<Postbox>,
    stop: CancellationToken,
    running: JoinSet<Result<(), BotError>>,
}

/// How long a connection may be away in tests.
pub const PATIENCE: Patience = Patience {
    lost: Duration::from_secs(2),
    look: Duration::from_millis(50),
};

impl GuildDesk {
    /// A desk with the shipped customers, its forums, and the bot connected.
    pub async fn start(backend: Backend) -> Self {
        let desk = Self::unconnected(backend).await;
        desk.connect().await
    }

    /// The same, with a way out for mail.
    pub async fn answering(backend: Backend) -> Self {
        let mut test = TestDesk::with_customers(backend).await;
        let postbox = Postbox::of(&mut test, SUPPORT);
        let mut desk = Self::of(test).await;
        desk.postbox = Some(postbox);
        desk.connect().await
    }

    /// A desk without a way out for mail, with the bot not started yet.
    pub async fn unconnected(backend: Backend) -> Self {
        Self::of(TestDesk::with_customers(backend).await).await
    }

    async fn of(mut test: TestDesk) -> Self {
        test.desk.has_chat = true;
        let discord = FakeDiscord::start().await;
        discord.beat_every(Duration::from_millis(300));
        for tier in test.desk.catalogue.iter() {
            let slug = tier.slug.as_str();
            let forum =
                discord.add_forum(&tier.discord_channel, &[&STATUSES[..], &[slug]].concat());
            if tierdesk_core::disclosure::is_restricted(Some(tier)) {
                discord.hide_from_everyone(forum);
            }
        }
        discord.add_forum("support-triage", &STATUSES);
        // Whoever is on the staff sees the channels that everybody does not.
        let staff_role = discord.add_role("support", 0);
        for name in ["support-healthcare", "support-gov-federal"] {
            let channel = discord.channel_by_name(name).expect("it was made");
            discord.overwrite(channel.id, staff_role, tierdesk_bot::guild::VIEW_CHANNEL, 0);
        }
        register_first_admin(&test.desk, &owner())
            .await
            .expect("the owner becomes admin");
        attest(&test, "olivia").await;
        let bot = make_bot(&test.desk, &discord, BTreeMap::new());
        let mut desk = Self {
            test,
            discord,
            bot,
            staff_role,
            dana: 0,
            erin: 0,
            postbox: None,
            stop: CancellationToken::new(),
            running: JoinSet::new(),
        };
        desk.dana = desk.hire("dana", Role::Agent).await;
        desk.erin = desk.hire("erin", Role::Agent).await;
        desk
    }

    /// Connects the bot and waits until its commands are there.
    pub async fn connect(mut self) -> Self {
        let (bot, stop) = (Arc::clone(&self.bot), self.stop.clone());
        self.running.spawn(bot.run(PATIENCE, stop));
        self.discord.connected().await;
        let discord = &self.discord;
        discord
            .until("the commands", || {
                (!discord.commands().is_empty()).then_some(())
            })
            .await;
        self
    }

    /// Starts another bot in the place of one that was ended.
    pub async fn restart(&mut self, bot: Arc<Bot>) {
        self.bot = Arc::clone(&bot);
        self.stop = CancellationToken::new();
        let before = self.discord.identified().len();
        self.running.spawn(bot.run(PATIENCE, self.stop.clone()));
        let discord = &self.discord;
        discord
            .until("another session", || {
                (discord.identified().len() > before && discord.is_connected()).then_some(())
            })
            .await;
    }

    /// Adds a member who is on the staff.
    pub async fn hire(&self, name: &str, role: Role) -> u64 {
        let user = self.discord.add_member(name, &[self.staff_role]);
        let new = NewStaff {
            name: name.to_owned(),
            role,
            os_user: None,
            discord_user_id: DiscordId::new(user),
            reason: None,
        };
        staff::add(&self.test.desk, &owner(), new)
            .await
            .expect("an admin adds staff");
        attest(&self.test, name).await;
        user
    }

    /// A worker of the bot's.
    pub fn worker(&self) -> Worker {
        let posts = Arc::new(PostTicket {
            bot: Arc::clone(&self.bot),
        });
        let progress = Arc::new(PostProgress {
            bot: Arc::clone(&self.bot),
        });
        let pages = Arc::new(SendPageChat {
            bot: Arc::clone(&self.bot),
        });
        let database = self.test.desk.database.clone();
        Worker::new(database, "bot", vec![posts, progress, pages])
    }

    /// Posts what is due, and moves the clock on by a second.
    pub async fn post(&self) -> usize {
        let done = self.worker().drain().await.expect("the queue can be read");
        self.test.pass(Duration::from_secs(1));
        done
    }

    /// Hands over what mail is due now, and tells what left.
    pub async fn mails(&self) -> Vec<SentMail> {
        match &self.postbox {
            Some(postbox) => postbox.post(&self.test).await,
            None => Vec::new(),
        }
    }

    /// Puts dana on call for every tier, and erin second.
    pub async fn rota(&self) {
        let schedule = |tier: &str| {
            let turn = |layer: &str, who: &str| {
                format!(
                    "[[schedule.rotation]]\nlayer = \"{layer}\"\npeople = [\"{who}\"]\nevery = \"1 week\"\n\
                     starts = \"2026-11-16 00:00\"\n"
                )
            };
            let (first, second) = (turn("primary", "dana"), turn("secondary", "erin"));
            format!("[[schedule]]\nslug = \"{tier}\"\nzone = \"UTC\"\n{first}{second}")
        };
        let tiers = self.test.desk.catalogue.iter();
        let rota: String = tiers.map(|tier| schedule(&tier.on_call.schedule)).collect();
        oncall::set_schedules(&self.test.desk, &owner(), &rota, "rota.toml", false)
            .await
            .expect("the rota is set");
    }

    /// A mail that says sev1, of a sender who is proven.
    pub async fn sev1(&self, from: &str, about: &str) -> TicketNumber {
        let mut desk = self.test.desk.clone();
        desk.authserv_id = Some(MailDesk::CHECKER.to_owned());
        let letter = MailDesk::proven(from, about).subject(&format!("[SEV1] {about}"));
        let taken = deliver(&desk, Road::Deliver, Envelope::default(), &letter.bytes()).await;
        let taken = taken.expect("it is taken");
        taken.ticket.expect("it is on a ticket")
    }

    /// What the desk does by itself at this instant, pages among it, until nothing is left to do now.
    pub async fn work(&self) {
        let worker = self.worker();
        loop {
            let advanced = engine::advance(&self.test.desk).await.expect("it advances");
            let done = worker.drain().await.expect("the queue can be read");
            if advanced.pages == 0 && done == 0 {
                break;
            }
        }
    }

    /// Lets the time pass, as far as something happens in it.
    pub async fn pass(&self, span: Duration) {
        self.work().await;
        let end = self.test.clock.read().plus(span);
        while self.test.clock.read() < end {
            let left = end.since(self.test.clock.read());
            self.test.pass(left.min(Duration::from_secs(5)));
            self.work().await;
        }
    }

    /// Runs one job.
    pub async fn tick(&self) -> Tick {
        self.worker().tick().await.expect("the queue can be read")
    }

    /// The one thread in a tier's channel.
    pub fn thread(&self, channel: &str) -> Channel {
        let mut threads = self.threads(channel);
        assert_eq!(threads.len(), 1, "threads in {channel}: {threads:?}");
        threads.remove(0)
    }

    /// Every thread in a channel.
    pub fn threads(&self, channel: &str) -> Vec<Channel> {
        let channel = self.discord.channel_by_name(channel);
        self.discord
            .threads_in(channel.expect("the channel is there").id)
    }

    /// The card of the one ticket in a forum.
    pub fn card(&self, channel: &str) -> Message {
        let thread = self.thread(channel);
        let mut messages = self.discord.messages_in(thread.id);
        messages.retain(|message| message.id == thread.id);
        messages.pop().expect("a post has a first message")
    }

    /// Takes note of what Discord refused because the test wanted it to.
    pub fn was_refused(&self, code: &str) {
        let refused = self.discord.take_violations();
        assert!(
            !refused.is_empty() && refused.iter().all(|one| one.contains(code)),
            "{refused:?}"
        );
    }

    /// Ends the bot and checks that nothing was left undone or done against the rules.
    pub async fn end(mut self) {
        self.stop_bot().await.expect("the bot ends well");
        self.discord.assert_clean();
        assert_eq!(self.discord.faults_left(), 0, "every fault was met");
        let left = self.mails().await;
        let left: Vec<_> = left
            .iter()
            .map(|one| (&one.recipient, &one.mail.subject))
            .collect();
        assert!(left.is_empty(), "mail that nobody expected: {left:?}");
        self.test.nothing_is_left().await;
    }

    /// Ends the bot.
    pub async fn stop_bot(&mut self) -> Result<(), BotError> {
        self.stop.cancel();
        match self.running.join_next().await {
            Some(ended) => ended.expect("the bot does not panic"),
            None => Ok(()),
        }
    }

    /// How the bot ended by itself.
    pub async fn ended(&mut self) -> Result<(), BotError> {
        let ended = tokio::time::timeout(Duration::from_secs(20), self.running.join_next()).await;
        let ended = ended.expect("the bot ends by itself");
        ended
            .expect("the bot was started")
            .expect("the bot does not panic")
    }

    /// The actor that a member of the guild is.
    pub fn actor(&self, user: u64) -> Actor {
        let member = tierdesk_core::discord::Member::new(
            self.bot.guild.id,
            &self.bot.roles,
            Some(self.bot.guild.id),
            DiscordId::new(user).expect("users have ids"),
            &[],
        );
        Actor::Discord(member)
    }
}

/// The configuration that reaches the fake.
pub fn discord_settings(discord: &FakeDiscord) -> DiscordSettings {
    let variables = [
        ("TIERDESK_DISCORD__TOKEN", discord.token()),
        ("TIERDESK_DISCORD__GUILD_ID", discord.guild_id().to_string()),
        ("TIERDESK_DISCORD__API_BASE", discord.api_base()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    Settings::parse(None, variables.into_iter())
        .expect("these settings are right")
        .discord
}

/// A bot for this desk and guild.
pub fn make_bot(desk: &Desk, discord: &FakeDiscord, roles: BTreeMap<Role, DiscordId>) -> Arc<Bot> {
    let settings = DiscordSettings {
        roles,
        ..discord_settings(discord)
    };
    let bot = Bot::new(Arc::new(desk.clone()), &settings);
    Arc::new(bot.expect("token and guild are set"))
}

/// Everything that the tiers ask of whoever works for them.
async fn attest(test: &TestDesk, name: &str) {
    let until = test.clock.read().plus(Duration::from_hours(365 * 24));
    for (attribute, _) in test.desk.catalogue.demands().by_attribute() {
        staff::attest(&test.desk, &owner(), name, attribute, until, None)
            .await
            .expect("an admin attests");
    }
}
