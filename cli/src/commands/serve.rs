//! Running the desk: one process, its parts as named tasks. A part that ends early ends the
//! process, so that whatever supervises it notices.

mod discord;
mod plan;
mod upkeep;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tierdesk_bot::{Bot, pages::SendPageChat, posts::PostTicket, progress::PostProgress};
use tierdesk_core::{
    cloud::Cloud,
    desk::{Desk, Error, oncall, paging},
    jobs::{Handler, news, page_engine, wake::WakeTicket, watchdog, worker::Worker},
    settings::ImapMailbox,
    telemetry,
};
use tierdesk_ingest::{
    imap::{self, Reader},
    listener::{Listener, intake::Intake},
    oauth::Tokens,
    process::ProcessInbox,
    watch::Watch,
};
use tierdesk_outbound::{
    page_mail::SendPageMail,
    page_webhook::SendPageWebhook,
    ping::PingDeadMan,
    relay::Relays,
    send::{SendMail, SendReceipt},
    webhook::{Endpoint, Webhooks},
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
    webhooks::{dead_man, webhooks},
};
use discord::connect;
use plan::{Plan, open_listeners};
use upkeep::{prune, say_served, seal};

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
    let webhooks = Arc::new(webhooks(&program.settings)?);
    let dead_man = dead_man(&program.settings)?;
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
        parts.send_pages(&desk, &webhooks);
        parts.watch_itself(&desk, &webhooks, dead_man);
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
    fn send_pages(&mut self, desk: &Arc<Desk>, webhooks: &Arc<Webhooks>) {
        for _ in 0..3 {
            let send = Arc::new(SendPageWebhook {
                desk: Arc::clone(desk),
                webhooks: Arc::clone(webhooks),
            });
            self.spawn_worker("pages to webhooks", desk, vec![send]);
        }
    }

    /// Self-tests, and telling somebody outside of them; a worker of its own, as whoever is told may be slow.
    fn watch_itself(
        &mut self,
        desk: &Arc<Desk>,
        webhooks: &Arc<Webhooks>,
        dead_man: Option<Endpoint>,
    ) {
        // There without an address as well, for what an earlier configuration owes: a job that nobody takes would be
        // waited for.
        let ping = Arc::new(PingDeadMan {
            desk: Arc::clone(desk),
            webhooks: Arc::clone(webhooks),
            endpoint: dead_man,
        });
        self.spawn_worker("dead-man address", desk, vec![ping]);
        if desk.watchdog.is_none() {
            return;
        }
        let (desk, stop) = (Arc::clone(desk), self.stop.clone());
        self.running.spawn(async move {
            watchdog::run(&desk, &stop).await;
            ("self-tests", None)
        });
        self.names.push("self-tests".to_owned());
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
        let (told, stop) = (Arc::clone(desk), self.stop.clone());
        self.running.spawn(async move {
            news::run(&told, &stop).await;
            ("news", None)
        });
        self.names.extend([
            "worker".to_owned(),
            "pages".to_owned(),
            "news".to_owned(),
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
