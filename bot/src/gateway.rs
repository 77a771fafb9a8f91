//! The connection over which Discord tells what people do.
//!
//! serenity keeps it; this watches serenity. Some close codes (4003, 4010, 4011) leave it without
//! a connection and without an end, and a gateway that cannot be asked for makes it fall back to
//! Discord's own, whatever address was configured. So the gateway's address is asked for here,
//! and a connection that stays away ends the bot, which its supervisor starts again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serenity::{
    all::{
        ClientBuilder, ConnectionStage, Context, Event, EventHandler, GatewayIntents, Interaction,
        RawEventHandler, Ready, async_trait,
    },
    gateway::GatewayError,
    http::HttpBuilder,
};
use tierdesk_core::discord::DiscordId;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Bot, commands, incoming::Incoming, rest::RestError, router};

/// The only thing the bot asks to be told: channels and threads. No messages, no members.
pub const INTENTS: GatewayIntents = GatewayIntents::GUILDS;

/// Why the bot ended, in words for whoever runs it.
#[derive(Debug, thiserror::Error)]
pub enum BotError {
    /// The token is not one of Discord's.
    #[error(
        "Discord does not accept the bot's token. Make a new one on the developer portal (Bot, Reset \
         Token), put it where discord.token or discord.token_file says, and start again"
    )]
    Token,
    /// The intents are refused.
    #[error(
        "Discord refuses the bot's intents. tierdesk asks for GUILDS alone, which needs no approval: \
         check on the developer portal that this is the right application"
    )]
    Intents,
    /// The gateway's address could not be had, so nothing was connected.
    #[error("the gateway could not be asked for at {base}: {reason}. Nothing was connected")]
    NoGateway {
        /// Where it was asked for.
        base: String,
        /// Why not.
        reason: String,
    },
    /// The REST API is another's, and its gateway would be Discord's own.
    #[error(
        "discord.api_base is {base}, but its gateway is Discord's own ({gateway}): not connected"
    )]
    ForeignGateway {
        /// The configured address.
        base: String,
        /// What it gave as gateway.
        gateway: String,
    },
    /// No connection for too long.
    #[error(
        "there has been no connection to Discord's gateway for {} s (last: {stage}). Ending, so that \
         whatever supervises tierdesk starts it again", .seconds
    )]
    Lost {
        /// For how long.
        seconds: u64,
        /// What serenity was doing.
        stage: String,
    },
    /// serenity gave up.
    #[error("the connection to Discord ended")]
    Ended(#[source] Option<Box<serenity::Error>>),
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Without a sign of life before the bot ends; longer than two of Discord's heartbeats, which
    /// are 41 s apart.
    pub lost: Duration,
    /// Between two looks at the connection.
    pub look: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            lost: Duration::from_mins(2),
            look: Duration::from_secs(5),
        }
    }
}

/// How many events of a kind that we act on came in a form that serenity does not know. Those are
/// lost to it without a word: people would press buttons and nothing would happen.
static UNREADABLE: AtomicU64 = AtomicU64::new(0);

/// How many interactions came in a form that serenity does not know: for the health page and tests.
pub fn unreadable_events() -> u64 {
    UNREADABLE.load(Ordering::Relaxed)
}

impl Bot {
    /// Connects and answers until `stop`. Lets answers in hand be given before it ends.
    pub async fn run(
        self: Arc<Self>,
        patience: Patience,
        stop: CancellationToken,
    ) -> Result<(), BotError> {
        let gateway = self.gateway().await?;
        let mut http = HttpBuilder::new(self.token.expose());
        if !self.rest.base().starts_with("https://discord.com/") {
            // Either alone does nothing: the proxy is passed by while the limiter is on.
            let proxy = self.rest.base().trim_end_matches("/api/v10");
            http = http.proxy(proxy).ratelimiter_disabled(true);
        }
        let (tracker, heard) = (TaskTracker::new(), Arc::new(AtomicU64::new(0)));
        let handler = Events {
            bot: Arc::clone(&self),
            tracker: tracker.clone(),
        };
        let mut client = ClientBuilder::new_with_http(http.build(), INTENTS)
            .event_handler(handler)
            .raw_event_handler(Heard(Arc::clone(&heard)))
            .await
            .map_err(ended)?;
        // serenity asked again for itself, and would go to Discord's own where it got no answer.
        gateway.clone_into(&mut *client.ws_url.lock().await);
        let shards = Arc::clone(&client.shard_manager);
        let result = tokio::select! {
            ended_with = client.start() => match ended_with {
                Ok(()) => Err(BotError::Ended(None)),
                Err(error) => Err(ended(error)),
            },
            lost = watch(&shards, &heard, patience) => Err(lost),
            () = self.rest.token_refused() => Err(BotError::Token),
            () = stop.cancelled() => Ok(()),
        };
        shards.shutdown_all().await;
        tracker.close();
        let _ = tokio::time::timeout(Duration::from_secs(5), tracker.wait()).await;
        result
    }

    /// The gateway's address, from the configured API and nowhere else.
    async fn gateway(&self) -> Result<String, BotError> {
        let base = self.rest.base().to_owned();
        let asked = self.rest.get("/gateway/bot").await;
        let answer = asked.map_err(|error| match error {
            RestError::Unauthorised => BotError::Token,
            other => BotError::NoGateway {
                base: base.clone(),
                reason: other.to_string(),
            },
        })?;
        let Some(gateway) = answer["url"].as_str() else {
            return Err(BotError::NoGateway {
                base,
                reason: "the answer names no address".to_owned(),
            });
        };
        let is_discord = |address: &str| {
            let host = address.split("://").nth(1).unwrap_or_default();
            let host = host.split(['/', ':', '?']).next().unwrap_or_default();
            ["discord.com", "discord.gg"]
                .iter()
                .any(|own| host == *own || host.ends_with(&format!(".{own}")))
        };
        if is_discord(gateway) && !is_discord(&base) {
            return Err(BotError::ForeignGateway {
                base,
                gateway: gateway.to_owned(),
            });
        }
        Ok(gateway.to_owned())
    }
}

fn ended(error: serenity::Error) -> BotError {
    match error {
        serenity::Error::Gateway(GatewayError::InvalidAuthentication) => BotError::Token,
        serenity::Error::Gateway(
            GatewayError::InvalidGatewayIntents | GatewayError::DisallowedGatewayIntents,
        ) => BotError::Intents,
        other => BotError::Ended(Some(Box::new(other))),
    }
}

/// Ends when there has been no sign of life for too long. What serenity says of its stage is not
/// enough: a runner that ended goes on being called connected. An acknowledged heartbeat shows as
/// another latency, and an idle server has nothing else to show.
async fn watch(
    shards: &serenity::gateway::ShardManager,
    heard: &AtomicU64,
    patience: Patience,
) -> BotError {
    let (mut last, mut alive) = (None, Instant::now());
    loop {
        tokio::time::sleep(patience.look).await;
        let shard = {
            let runners = shards.runners.lock().await;
            let shard = runners.values().next();
            shard.map(|shard| (shard.stage, shard.latency))
        };
        let stage = shard.map(|(stage, _)| stage);
        let sign = shard.map(|(_, latency)| (latency, heard.load(Ordering::Relaxed)));
        if stage == Some(ConnectionStage::Connected) && sign != last {
            alive = Instant::now();
        }
        last = sign;
        let away = alive.elapsed();
        if away >= patience.lost {
            return BotError::Lost {
                seconds: away.as_secs(),
                stage: stage.map_or_else(|| "no shard".to_owned(), |stage| stage.to_string()),
            };
        }
    }
}

struct Events {
    bot: Arc<Bot>,
    tracker: TaskTracker,
}

#[async_trait]
impl EventHandler for Events {
    async fn ready(&self, _: Context, ready: Ready) {
        let Some(application) = DiscordId::new(ready.application.id.get()) else {
            return;
        };
        match commands::register(&self.bot, application).await {
            Ok(true) => tracing::info!("the commands were registered"),
            Ok(false) => {}
            Err(error) => tracing::error!(error, "the commands could not be registered"),
        }
        tracing::info!(session = ready.session_id, "connected to Discord");
    }

    async fn interaction_create(&self, _: Context, interaction: Interaction) {
        if let Some(incoming) = Incoming::read(&self.bot, &interaction) {
            let bot = Arc::clone(&self.bot);
            let answered = async move { router::handle(&bot, incoming).await };
            self.tracker.track_future(answered).await;
        }
    }
}

/// Counts what comes.
struct Heard(Arc<AtomicU64>);

#[async_trait]
impl RawEventHandler for Heard {
    async fn raw_event(&self, _: Context, event: Event) {
        self.0.fetch_add(1, Ordering::Relaxed);
        if let Event::Unknown(unknown) = event
            && unknown.kind == "INTERACTION_CREATE"
        {
            UNREADABLE.fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                "Discord sent an interaction in a form that is not understood: somebody got no answer. Look for a newer tierdesk"
            );
        }
    }
}
