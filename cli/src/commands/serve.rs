//! Running the desk: one process, its parts as named tasks. A part that ends early ends the
//! process, so that whatever supervises it notices.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tierdesk_bot::{
    Bot,
    gateway::{BotError, Patience},
    pages::SendPageChat,
    posts::PostTicket,
    progress::PostProgress,
};
use tierdesk_core::{
    cloud::Cloud,
    desk::{Desk, Error, audit, chat::bot_lease, onboard, oncall, paging},
    jobs::{Handler, page_engine, wake::WakeTicket, worker::Worker},
    refusal::{Refusal, RefusalCode},
    settings::{ImapMailbox, MailListener},
    store::{chat, jobs},
    telemetry,
};
use tierdesk_ingest::{
    imap::{self, Reader},
    listener::{ListenError, Listener, intake::Intake},
    oauth::Tokens,
    process::ProcessInbox,
    watch::Watch,
};
use tierdesk_outbound::{
    page_mail::SendPageMail,
    page_webhook::SendPageWebhook,
    relay::Relays,
    send::{SendMail, SendReceipt},
    webhook::Webhooks,
};
use tierdesk_provision::{ObserveCloud, ProvisionStep};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    args::ServeRole,
    exit::Exit,
    http::{self, PagerDuty, PagerDutyEvent, PagerDutyEventKind, Server, Sources},
    mail_out::relays,
    output::Output,
    program::Program,
    webhooks::webhooks,
};

/// How often committed audit entries are sealed.
const SEAL_EVERY: Duration = Duration::from_secs(1);
/// How often the lease on onboardings is renewed.
const SAY_SERVED_EVERY: Duration = Duration::from_secs(5);
/// How often old jobs are forgotten.
const PRUNE_EVERY: Duration = Duration::from_hours(1);
/// How long done jobs stay visible.
const KEEP_JOBS: Duration = Duration::from_hours(7 * 24);
/// The wait before the bot connects again, doubling; Discord allows a thousand sessions a day.
const RECONNECT_FIRST: Duration = Duration::from_secs(10);
/// The longest.
const RECONNECT_LONGEST: Duration = Duration::from_mins(5);
/// How often the bot's lease is renewed, or asked for.
const STAND_BY: Duration = Duration::from_secs(10);
/// How long the parts may take to end. Below the ten seconds that are promised.
const GRACE: Duration = Duration::from_secs(8);

pub(super) async fn run(
    program: &Program,
    desk: &Desk,
    roles: &[ServeRole],
    output: &Output,
) -> anyhow::Result<Exit> {
    let plan = Plan::of(program, roles)?;
    let listeners = open_listeners(&plan.listeners, &program.settings.mail.address).await?;
    let server = match plan.http {
        Some(address) => Some(http::open(address).await?),
        None => None,
    };
    // Found wrong now, and not when somebody is to be woken.
    let webhooks = webhooks(&program.settings)?;
    Program::warn(desk, output).await?;
    let desk = Arc::new(desk.clone());
    let stop = CancellationToken::new();
    let mut parts = Parts {
        running: JoinSet::new(),
        stop: stop.clone(),
        holder: super::holder(),
        names: Vec::new(),
    };
    if plan.worker {
        parts.work(&desk);
        parts.send_pages(&desk, webhooks);
        parts.provision(&desk, &program.cloud(&desk).await?);
        if let Some(relays) = relays(&program.settings, &desk)? {
            parts.send_mail(&desk, relays);
        }
    }
    for folder in &plan.maildirs {
        parts.watch(&desk, folder.clone());
    }
    parts.read_mailboxes(&desk, program, &plan.mailboxes)?;
    parts.listen(&desk, listeners);
    if let Some(server) = server {
        parts.answer_http(&desk, program, server);
    }
    if plan.bot {
        let bot = Bot::new(Arc::clone(&desk), &program.settings.discord)?;
        parts.answer(Arc::new(bot));
    }
    output.note(format!(
        "tierdesk serves: {}. Ctrl-C or SIGTERM ends it.",
        parts.names.join(", ")
    ));
    let mut terminate = signal(SignalKind::terminate())?;
    let exit = tokio::select! {
        _ = terminate.recv() => Exit::Done,
        _ = tokio::signal::ctrl_c() => Exit::Done,
        ended = parts.running.join_next() => {
            let (part, why) = ended.and_then(Result::ok).unwrap_or(("a part that panicked", None));
            let why = why.unwrap_or_else(|| "ended early".to_owned());
            output.note(format!("tierdesk: {part}: {why}"));
            Exit::Failed
        }
    };
    stop.cancel();
    let running = &mut parts.running;
    let all = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        output.note("tierdesk: work in hand was cut off; it is done again when its lease ends");
        parts.running.abort_all();
    }
    Ok(exit)
}

/// What this process runs.
struct Plan {
    worker: bool,
    maildirs: Vec<PathBuf>,
    mailboxes: Vec<ImapMailbox>,
    listeners: Vec<MailListener>,
    bot: bool,
    http: Option<SocketAddr>,
}

impl Plan {
    /// What the roles ask for. `all` is everything that is configured; a role that is named must be.
    fn of(program: &Program, roles: &[ServeRole]) -> Result<Self, Refusal> {
        let settings = &program.settings;
        let asked = |role| roles.contains(&role);
        let all = asked(ServeRole::All);
        let mail = &settings.mail;
        let has_road =
            !(mail.maildirs.is_empty() && mail.imap.is_empty() && mail.listeners.is_empty());
        if asked(ServeRole::Ingest) && !has_road {
            let message = "there is nothing to take mail from; nothing was started";
            return Err(Refusal::new(RefusalCode::Configuration, message).with_hint(
                "set [[mail.imap]], [[mail.listener]] or [[mail.maildir]] in the configuration",
            ));
        }
        let has_bot = settings.discord.token.is_some() && settings.discord.guild_id.is_some();
        let takes_mail = all || asked(ServeRole::Ingest);
        let mail = takes_mail.then_some(&settings.mail);
        Ok(Self {
            worker: all || asked(ServeRole::Worker),
            maildirs: mail.map_or_else(Vec::new, |mail| mail.maildirs.clone()),
            listeners: mail.map_or_else(Vec::new, |mail| mail.listeners.clone()),
            mailboxes: mail.map_or_else(Vec::new, |mail| mail.imap.clone()),
            // Asked for by name and not configured, it says what is missing.
            bot: asked(ServeRole::Bot) || (all && has_bot),
            http: (asked(ServeRole::Http) || (all && settings.http.is_listen_set))
                .then_some(settings.http.listen),
        })
    }
}

/// Opens every listener before anything is started: one that cannot is told at once.
async fn open_listeners(all: &[MailListener], support: &str) -> Result<Vec<Listener>, Refusal> {
    let mut open = Vec::with_capacity(all.len());
    for settings in all {
        let listener = Listener::open(settings, support).await.map_err(|error| {
            let hint = match &error {
                ListenError::Taken { .. } => {
                    "stop the other program, or set another address in [[mail.listener]]"
                }
                ListenError::Refused { .. } => {
                    "set an address of this machine in [[mail.listener]]; a port below 1024 needs \
                     the right to bind it (CAP_NET_BIND_SERVICE)"
                }
                ListenError::Certificate { .. } => {
                    "set tls_cert_file and tls_key_file in [[mail.listener]] to PEM files that this \
                     program may read"
                }
            };
            let message = format!("{}; nothing was started", telemetry::chain(&error));
            Refusal::new(RefusalCode::Configuration, message).with_hint(hint)
        })?;
        open.push(listener);
    }
    Ok(open)
}

/// What a part says when it ends: its name, and why where it should not have.
type Ended = (&'static str, Option<String>);

/// The parts of the process, as named tasks.
struct Parts {
    running: JoinSet<Ended>,
    stop: CancellationToken,
    holder: String,
    names: Vec<String>,
}

impl Parts {
    /// Three workers, because each waits for the relay most of the time, and one for receipts.
    fn send_mail(&mut self, desk: &Arc<Desk>, relays: Relays) {
        let relays = Arc::new(relays);
        for _ in 0..3 {
            let send = Arc::new(SendMail {
                desk: Arc::clone(desk),
                relays: Arc::clone(&relays),
            });
            self.spawn_worker("mail sender", desk, vec![send]);
        }
        // Of their own: a page waits behind no letter. Two, because one may wait for a slow relay.
        for _ in 0..2 {
            let pages = Arc::new(SendPageMail {
                desk: Arc::clone(desk),
                relays: Arc::clone(&relays),
            });
            self.spawn_worker("pages by mail", desk, vec![pages]);
        }
        let receipts = Arc::new(SendReceipt {
            desk: Arc::clone(desk),
        });
        self.spawn_worker("receipts", desk, vec![receipts]);
        self.names.push("mail out".to_owned());
    }

    /// Pages to webhooks. Three workers, because each waits for the other side most of the time.
    fn send_pages(&mut self, desk: &Arc<Desk>, webhooks: Webhooks) {
        let webhooks = Arc::new(webhooks);
        for _ in 0..3 {
            let send = Arc::new(SendPageWebhook {
                desk: Arc::clone(desk),
                webhooks: Arc::clone(&webhooks),
            });
            self.spawn_worker("pages to webhooks", desk, vec![send]);
        }
    }

    fn work(&mut self, desk: &Arc<Desk>) {
        let handler = Arc::new(ProcessInbox {
            desk: Arc::clone(desk),
        });
        let wake = Arc::new(WakeTicket {
            desk: Arc::clone(desk),
        });
        self.spawn_worker("worker", desk, vec![handler, wake]);
        let (sealed, name) = (Arc::clone(desk), self.holder.clone());
        self.running.spawn(seal(sealed, name, self.stop.clone()));
        self.running
            .spawn(prune(Arc::clone(desk), self.stop.clone()));
        self.running
            .spawn(super::search::serve(Arc::clone(desk), self.stop.clone()));
        let (paged, stop) = (Arc::clone(desk), self.stop.clone());
        self.running.spawn(async move {
            page_engine::run(&paged, &stop).await;
            ("pages", None)
        });
        self.names.extend([
            "worker".to_owned(),
            "pages".to_owned(),
            "audit sealer".to_owned(),
        ]);
    }

    /// Two workers, so that one slow look at the cloud holds up no other onboarding, and none a mail.
    fn provision(&mut self, desk: &Arc<Desk>, cloud: &Arc<dyn Cloud>) {
        for _ in 0..2 {
            let observe = Arc::new(ObserveCloud {
                desk: Arc::clone(desk),
                cloud: Arc::clone(cloud),
            });
            let provision = Arc::new(ProvisionStep {
                desk: Arc::clone(desk),
                cloud: Arc::clone(cloud),
            });
            self.spawn_worker("onboarding worker", desk, vec![observe, provision]);
        }
        let (desk, name) = (Arc::clone(desk), self.holder.clone());
        self.running
            .spawn(say_served(desk, name, self.stop.clone()));
        self.names.push("onboardings".to_owned());
    }

    fn watch(&mut self, desk: &Arc<Desk>, folder: PathBuf) {
        self.names.push(format!("Maildir {}", folder.display()));
        let (desk, stop) = (Arc::clone(desk), self.stop.clone());
        self.running.spawn(async move {
            Watch::new(folder).run(&desk, stop).await;
            ("ingest", None)
        });
    }

    /// A reader for each mailbox, and one that watches whether they are read.
    fn read_mailboxes(
        &mut self,
        desk: &Arc<Desk>,
        program: &Program,
        mailboxes: &[ImapMailbox],
    ) -> anyhow::Result<()> {
        if mailboxes.is_empty() {
            return Ok(());
        }
        let tokens = Arc::new(Tokens::new(program.settings.oauth.clone())?);
        let mut watched = Vec::new();
        for settings in mailboxes {
            let (desk, tokens) = (Arc::clone(desk), Arc::clone(&tokens));
            let reader = Reader::new(desk, settings, tokens, &self.holder)?;
            self.names.push(format!("mailbox {}", reader.name()));
            watched.push((reader.name().to_owned(), settings.alarm));
            let stop = self.stop.clone();
            self.running.spawn(async move {
                reader.run(stop).await;
                ("mailbox", None)
            });
        }
        let (desk, stop) = (Arc::clone(desk), self.stop.clone());
        self.running.spawn(async move {
            imap::watch_alarms(&desk, &watched, &stop).await;
            ("mailbox alarms", None)
        });
        Ok(())
    }

    /// One committer for all listeners, so that what they take at the same time is one commit.
    fn listen(&mut self, desk: &Arc<Desk>, listeners: Vec<Listener>) {
        if listeners.is_empty() {
            return;
        }
        let (intake, committer) = Intake::new(Arc::clone(desk));
        self.running.spawn(async move {
            committer.run().await;
            ("mail committer", None)
        });
        for listener in listeners {
            self.names.push(listener.to_string());
            let (intake, stop) = (intake.clone(), self.stop.clone());
            self.running.spawn(async move {
                listener.run(intake, stop).await;
                ("listener", None)
            });
        }
    }

    /// What is answered over HTTP.
    fn answer_http(&mut self, desk: &Arc<Desk>, program: &Program, server: Server) {
        self.names.push(server.to_string());
        let secrets = &program.settings.http.pagerduty_secrets;
        let pagerduty = (!secrets.is_empty()).then(|| PagerDuty {
            secrets: secrets.clone().into(),
            take: {
                let desk = Arc::clone(desk);
                Arc::new(move |event| {
                    let desk = Arc::clone(&desk);
                    Box::pin(async move { hear(&desk, event).await })
                })
            },
        });
        let router = http::router(Sources {
            desk: Arc::clone(desk),
            calendar: Some({
                let desk = Arc::clone(desk);
                Arc::new(move |token| {
                    let desk = Arc::clone(&desk);
                    Box::pin(async move { oncall::calendar(&desk, &token).await })
                })
            }),
            pagerduty,
        });
        let stop = self.stop.clone();
        self.running.spawn(async move {
            server.run(router, stop).await;
            ("HTTP", None)
        });
    }

    /// The bot: the connection, and two workers, so that one slow request holds up no other ticket; two more
    /// for pages.
    fn answer(&mut self, bot: Arc<Bot>) {
        for _ in 0..2 {
            let posts = Arc::new(PostTicket {
                bot: Arc::clone(&bot),
            });
            let progress = Arc::new(PostProgress {
                bot: Arc::clone(&bot),
            });
            self.spawn_worker("bot's worker", &bot.desk, vec![posts, progress]);
        }
        // Of their own: a page waits behind no card.
        for _ in 0..2 {
            let pages = Arc::new(SendPageChat {
                bot: Arc::clone(&bot),
            });
            self.spawn_worker("pages in chat", &bot.desk, vec![pages]);
        }
        self.names.push("Discord".to_owned());
        let (stop, holder) = (self.stop.clone(), self.holder.clone());
        self.running.spawn(async move {
            let ended = connect(bot, holder, stop).await;
            ("Discord", ended.map(|error| telemetry::chain(&error)))
        });
    }

    fn spawn_worker(&mut self, part: &'static str, desk: &Desk, handlers: Vec<Arc<dyn Handler>>) {
        let worker = Worker::new(desk.database.clone(), self.holder.clone(), handlers);
        let stop = self.stop.clone();
        self.running.spawn(async move {
            worker.run(stop).await;
            (part, None)
        });
    }
}

/// What PagerDuty tells of a page of ours: somebody there has it, or ended it there. Of anything else it is
/// nobody's business here.
async fn hear(desk: &Desk, event: PagerDutyEvent) -> Result<(), Error> {
    let is_over = match event.kind {
        PagerDutyEventKind::Acknowledged => false,
        PagerDutyEventKind::Resolved => true,
        // Who gives it back there leaves it to us: it expires.
        PagerDutyEventKind::Unacknowledged => return Ok(()),
    };
    // What no person did there is our own word come back.
    let Some(who) = event.who.as_deref() else {
        return Ok(());
    };
    let said = paging::Outside {
        key: &event.key,
        who,
        is_over,
        at: event.at,
    };
    if !paging::acknowledge_outside(desk, &said).await? {
        let (id, at) = (event.id, event.at);
        tracing::info!(id, %at, "PagerDuty tells of an incident that is not ours");
    }
    Ok(())
}

/// Keeps the bot connected until stopped, or until a person has to put something right. Discord being
/// away ends nothing else: mail comes in and jobs are done meanwhile, and posts wait.
async fn connect(bot: Arc<Bot>, holder: String, stop: CancellationToken) -> Option<BotError> {
    let mut wait = RECONNECT_FIRST;
    while !stop.is_cancelled() {
        // One of several processes answers; the others stand by.
        if !hold(&bot.desk, &holder).await {
            pause(STAND_BY, &stop).await;
            continue;
        }
        let since = tokio::time::Instant::now();
        let round = stop.child_token();
        let keep = keep_holding(&bot.desk, &holder, &round);
        let mut run = Box::pin(Arc::clone(&bot).run(Patience::default(), round.clone()));
        let ended = tokio::select! {
            ended = &mut run => ended,
            () = keep => {
                // Dropped only, its connection would go on answering beside the other process's.
                round.cancel();
                run.await
            }
        };
        match ended {
            Ok(()) => {}
            Err(
                error @ (BotError::Token | BotError::Intents | BotError::ForeignGateway { .. }),
            ) => return Some(error),
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::error!(error, wait = ?wait, "Discord is away; the bot connects again");
                pause(wait, &stop).await;
                let was_long = since.elapsed() > RECONNECT_LONGEST;
                wait = if was_long {
                    RECONNECT_FIRST
                } else {
                    (wait * 2).min(RECONNECT_LONGEST)
                };
            }
        }
    }
    let _ = bot_lease::release(&bot.desk, &holder).await;
    None
}

/// Whether this process is the one that answers in Discord.
async fn hold(desk: &Desk, holder: &str) -> bool {
    match bot_lease::acquire(desk, holder).await {
        Ok(is_ours) => is_ours,
        Err(error) => {
            log("holding the bot's lease", Err(error));
            false
        }
    }
}

/// Ends when another process has taken over. A database that is away is no reason to hang up.
async fn keep_holding(desk: &Desk, holder: &str, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        pause(STAND_BY, stop).await;
        if let Ok(false) = bot_lease::acquire(desk, holder).await {
            tracing::warn!("another process answers in Discord now; this one stands by");
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Seals committed audit entries until stopped.
async fn seal(desk: Arc<Desk>, name: String, stop: CancellationToken) -> Ended {
    while !stop.is_cancelled() {
        log(
            "sealing the audit trail",
            audit::seal_as(&desk, &name).await.map(|_| ()),
        );
        pause(SEAL_EVERY, &stop).await;
    }
    ("sealer", None)
}

/// Says that onboardings are worked on here, so that commands leave them to this process.
async fn say_served(desk: Arc<Desk>, name: String, stop: CancellationToken) -> Ended {
    while !stop.is_cancelled() {
        log(
            "renewing the lease on onboardings",
            onboard::renew_serving(&desk, &name).await,
        );
        pause(SAY_SERVED_EVERY, &stop).await;
    }
    log(
        "giving the lease on onboardings back",
        onboard::end_serving(&desk, &name).await,
    );
    ("onboardings", None)
}

/// Forgets jobs that were done long ago, until stopped.
async fn prune(desk: Arc<Desk>, stop: CancellationToken) -> Ended {
    while !stop.is_cancelled() {
        log("forgetting old jobs", prune_once(&desk).await);
        pause(PRUNE_EVERY, &stop).await;
    }
    ("pruner", None)
}

async fn prune_once(desk: &Desk) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let before = tx.now().minus(KEEP_JOBS);
    jobs::prune(&mut tx, before).await?;
    chat::prune_handles(&mut tx, before).await?;
    tx.commit().await?;
    Ok(())
}

/// A fault is logged and does not end a periodic task: the next round may succeed.
fn log(what: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(what, error = %telemetry::chain(&error), "a periodic task failed");
    }
}

async fn pause(period: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(period) => {}
    }
}
