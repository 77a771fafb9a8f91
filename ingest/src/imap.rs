//! Mailboxes on servers (IMAP). One process reads a mailbox at a time, the others stand by.
//!
//! A look takes everything that is new; between looks the server is asked to tell of new mail
//! (IDLE), and asked again every few minutes in case it forgot. What fails is tried again, more and
//! more rarely, and [`watch_alarms`] tells the desk of a mailbox that is not read for too long,
//! whatever the reason.

mod arrival;
mod error;
mod mark;
mod notation;
mod round;
mod session;
mod socket;
mod stumbles;

use std::{
    hash::{BuildHasher as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use rustls::ClientConfig;
use tierdesk_core::{
    desk::{Desk, mailboxes},
    mail::{Provider, SenderCheck},
    settings::{AfterFetch, ImapLogin, ImapMailbox},
    telemetry,
};
use tokio_util::sync::CancellationToken;

pub use self::{error::ImapError, round::Look};
use self::{
    round::Round,
    session::{Pass, Session},
    socket::Server,
    stumbles::Stumbles,
};
use crate::{oauth::Tokens, process::INGEST};

/// How long a server may be silent when something is due from it.
const ANSWER: Duration = Duration::from_mins(1);
/// How often the right to read is renewed, or asked for.
const STAND_BY: Duration = Duration::from_secs(10);
/// The wait before another try, doubling.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// The first wait where a person has to do something: repeated wrong logins lock accounts.
const PERSON_WAIT: Duration = Duration::from_secs(30);
/// IDLE is asked for anew between these: address translators forget connections that say nothing.
const IDLE_SHORTEST: Duration = Duration::from_mins(5);
const IDLE_LONGEST: Duration = Duration::from_mins(9);
/// How often is looked for mailboxes that nobody reads.
const ALARM_EVERY: Duration = Duration::from_secs(10);
/// How long a process that just started may take before it raises an alarm.
const ALARM_GRACE: Duration = Duration::from_mins(1);

/// A mailbox and what is done with it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    server: Server,
    trust: Arc<ClientConfig>,
    username: String,
    login: ImapLogin,
    folder: String,
    after: AfterFetch,
    history: bool,
    check: SenderCheck,
    poll: Duration,
    longest_idle: Duration,
    patience: Duration,
}

/// Reads one mailbox.
#[derive(Debug)]
pub struct Reader {
    desk: Arc<Desk>,
    account: Account,
    tokens: Arc<Tokens>,
    holder: String,
    stumbles: Stumbles,
    last_error: Option<String>,
    /// The server was asked to tell of mail and did not.
    is_deaf: bool,
}

/// The name of a mailbox in the desk's books: server, login and folder.
pub fn name(settings: &ImapMailbox) -> Result<String, ImapError> {
    let server = Server::parse(settings.url.expose())?;
    let (login, folder) = (&settings.username, &settings.mailbox);
    Ok(format!("{}/{login}/{folder}", server.host))
}

impl Reader {
    /// A reader for a mailbox of the configuration. Fails where it can never work as configured.
    pub fn new(
        desk: Arc<Desk>,
        settings: &ImapMailbox,
        tokens: Arc<Tokens>,
        holder: &str,
    ) -> Result<Self, ImapError> {
        let mut server = Server::parse(settings.url.expose())?;
        server.must_have_tls |= settings.ca_file.is_some();
        let account = Account {
            name: name(settings)?,
            server,
            trust: socket::trust(settings.ca_file.as_deref())?,
            username: settings.username.clone(),
            login: settings.login.clone(),
            folder: settings.mailbox.clone(),
            after: settings.after.clone(),
            history: settings.history,
            check: settings.check,
            poll: settings.poll,
            // A mailbox that is idled over must not look unread.
            longest_idle: settings.alarm / 3,
            patience: ANSWER,
        };
        Ok(Self {
            desk,
            account,
            tokens,
            // In containers every process is the first one.
            holder: format!("{holder}-{:016x}", random()),
            stumbles: Stumbles::default(),
            last_error: None,
            is_deaf: false,
        })
    }

    /// The same with less patience: how long the server may be silent.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.account.patience = patience;
        self
    }

    /// The mailbox's name in the desk's books.
    pub fn name(&self) -> &str {
        &self.account.name
    }

    /// Reads until `stop`, whatever happens.
    pub async fn run(mut self, stop: CancellationToken) {
        let (desk, name, holder) = (
            Arc::clone(&self.desk),
            self.account.name.clone(),
            self.holder.clone(),
        );
        let mut wait = FIRST_WAIT;
        while !stop.is_cancelled() {
            match mailboxes::acquire(&desk, &name, &holder).await {
                Ok(true) => {}
                Ok(false) => {
                    pause(STAND_BY, &stop).await;
                    continue;
                }
                Err(error) => {
                    let error = telemetry::chain(&error);
                    tracing::warn!(
                        mailbox = name,
                        error,
                        "the right to read a mailbox could not be asked for"
                    );
                    pause(STAND_BY, &stop).await;
                    continue;
                }
            }
            let mut was_good = false;
            let ended = tokio::select! {
                () = stop.cancelled() => break,
                () = keep_holding(&desk, &name, &holder) => {
                    tracing::warn!(mailbox = name, "another process reads this mailbox now; this one stands by");
                    continue;
                }
                ended = self.read_on(&mut was_good) => ended,
            };
            if was_good {
                wait = FIRST_WAIT;
            }
            if let Err(error) = ended {
                self.tell(&error).await;
                if error.needs_a_person() {
                    wait = wait.max(PERSON_WAIT);
                }
            }
            pause(between(wait / 2, wait * 3 / 2), &stop).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        let released = mailboxes::release(&desk, &name, &holder).await;
        if let Err(error) = released {
            let error = telemetry::chain(&error);
            tracing::debug!(
                mailbox = name,
                error,
                "the right to read a mailbox lapses by itself"
            );
        }
    }

    /// Connects and looks once.
    pub async fn look(&mut self) -> Result<Look, ImapError> {
        let mut session = self.connect().await?;
        let look = self.look_with(&mut session).await?;
        session.close().await;
        Ok(look)
    }

    /// Connects, and looks again and again, until something goes wrong.
    async fn read_on(&mut self, was_good: &mut bool) -> Result<(), ImapError> {
        let mut session = self.connect().await?;
        let mut was_told = true;
        loop {
            let look = self.look_with(&mut session).await?;
            *was_good = true;
            if look.taken > 0 && !was_told {
                let name = &self.account.name;
                tracing::info!(
                    mailbox = name,
                    "the server does not tell of new mail; it is asked"
                );
                self.is_deaf = true;
            }
            if session.can("IDLE") && !self.is_deaf {
                let span = between(IDLE_SHORTEST, IDLE_LONGEST).min(self.account.longest_idle);
                was_told = session.idle(span).await?;
            } else {
                was_told = true;
                tokio::time::sleep(self.account.poll).await;
            }
        }
    }

    async fn connect(&self) -> Result<Session, ImapError> {
        let account = &self.account;
        let pass = match &account.login {
            ImapLogin::Password(password) => Pass::Password(password.clone()),
            ImapLogin::Token(provider) => Pass::Token(self.token(*provider).await?),
        };
        let opened = Session::open(
            &account.server,
            &account.trust,
            account.patience,
            &account.username,
            &pass,
        )
        .await;
        if let (Err(ImapError::Login(_)), ImapLogin::Token(provider)) = (&opened, &account.login) {
            // The provider may have ended it early: the next try asks for another one.
            self.tokens.forget(*provider, &account.username).await;
        }
        opened
    }

    async fn token(
        &self,
        provider: Provider,
    ) -> Result<tierdesk_core::settings::Secret, ImapError> {
        let account = &self.account.username;
        Ok(self.tokens.access(&self.desk, provider, account).await?)
    }

    async fn look_with(&mut self, session: &mut Session) -> Result<Look, ImapError> {
        let round = Round::begin(&self.desk, &self.account, session, &mut self.stumbles).await?;
        let look = round.finish().await?;
        self.stumbles.clear();
        let name = &self.account.name;
        if let Some(since) = mailboxes::record_read(&self.desk, &INGEST, name).await? {
            tracing::info!(mailbox = name, alarmed_at = %since, "the mailbox is read again");
        }
        if self.last_error.take().is_some() {
            tracing::info!(mailbox = name, "the mailbox can be read again");
        }
        Ok(look)
    }

    /// Writes a failure down, and logs it where it is another one than before.
    async fn tell(&mut self, error: &ImapError) {
        let words = telemetry::chain(error);
        let name = &self.account.name;
        if self.last_error.as_ref() != Some(&words) {
            tracing::warn!(
                mailbox = name,
                error = words,
                "the mailbox cannot be read; it is tried again"
            );
        }
        // A mailbox that was never opened is not in the books yet.
        let written = match mailboxes::open(&self.desk, &INGEST, name).await {
            Ok(_) => mailboxes::record_failure(&self.desk, &INGEST, name, &words).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            let error = telemetry::chain(&error);
            tracing::warn!(mailbox = name, error, "a failure could not be written down");
        }
        self.last_error = Some(words);
    }
}

/// Ends when another process has the right to read. A database that is away is no reason to hang up.
async fn keep_holding(desk: &Desk, name: &str, holder: &str) {
    loop {
        tokio::time::sleep(STAND_BY).await;
        if let Ok(false) = mailboxes::acquire(desk, name, holder).await {
            return;
        }
    }
}

/// Looks for mailboxes that nobody reads, here or in another process, and tells the desk: until
/// `stop`. Each comes with how long it may be unread.
pub async fn watch_alarms(desk: &Desk, watched: &[(String, Duration)], stop: &CancellationToken) {
    let started = tokio::time::Instant::now();
    for (name, _) in watched {
        // From now on it counts as unread, even if it can never be opened.
        if let Err(error) = mailboxes::open(desk, &INGEST, name).await {
            let error = telemetry::chain(&error);
            tracing::warn!(mailbox = name, error, "a mailbox could not be written down");
        }
    }
    while !stop.is_cancelled() {
        if started.elapsed() >= ALARM_GRACE {
            check_alarms(desk, watched).await;
        }
        pause(ALARM_EVERY, stop).await;
    }
}

/// Tells the desk of each of these mailboxes that is unread for too long and was not told of.
/// Returns how many that were.
pub async fn check_alarms(desk: &Desk, watched: &[(String, Duration)]) -> usize {
    let mut raised = 0;
    for (name, span) in watched {
        match mailboxes::raise_alarm(desk, &INGEST, name, *span).await {
            Ok(Some(alarm)) => {
                raised += 1;
                tracing::error!(
                    mailbox = name,
                    ticket = alarm.ticket,
                    since = %alarm.since,
                    reason = alarm.reason,
                    "a mailbox is not read"
                );
            }
            Ok(None) => {}
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::warn!(
                    mailbox = name,
                    error,
                    "an alarm could not be raised; it is tried again"
                );
            }
        }
    }
    raised
}

/// A span between two, so that many readers do not come at once.
fn between(least: Duration, most: Duration) -> Duration {
    let share = u32::try_from(random() % 1_001).unwrap_or(0);
    least + most.saturating_sub(least) * share / 1_000
}

/// A number that is another one each time. Nothing depends on nobody guessing it.
fn random() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

async fn pause(span: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(span) => {}
    }
}
