//! A relay that speaks SMTP, over several connections at once, because one alone waits for the network
//! most of the time.
//!
//! lettre holds the conversation, step by step and without its pool: what an answer means depends on the step
//! that it ends (a refusal at login says nothing about the letter), every step needs its limit, and a connection
//! on which a step was cut off must never be used again, or each answer is taken for that of the letter before.

mod answer;
mod session;
mod step;
mod wire;

use std::{fmt, sync::Arc, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        authentication::{Credentials, DEFAULT_MECHANISMS, Mechanism},
        response::Response,
    },
};
use rustls::ClientConfig;
use tierdesk_core::{
    outgoing::{AccessTokens, words_of_server},
    settings::{Relay as Settings, RelayLogin},
};
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout_at,
};

use self::{
    session::{LogIn, Session},
    step::{Cause, Fault, Limits, Step, code, words},
    wire::trust,
};
use super::Answer;

/// For one step of a conversation: connecting, TLS, a command with its answer.
const STEP: Duration = Duration::from_mins(1);
/// For a whole transaction. RFC 5321, 4.5.3.2.6 gives the last reply ten minutes; a relay that needs more
/// than this for everything is tried again, and may get the letter twice.
const WHOLE: Duration = Duration::from_mins(5);
/// A connection that was of no use for longer is not used again: servers close them.
const IDLE: Duration = Duration::from_secs(30);

/// Why a relay cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The certificates to trust cannot be read.
    #[error("the certificates in {path} cannot be read: {detail}")]
    Certificates {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// TLS cannot be set up.
    #[error("TLS to {host} cannot be set up: {detail}")]
    Tls {
        /// The server.
        host: String,
        /// Why.
        detail: String,
    },
}

/// A server that takes our mail.
pub struct Smtp {
    settings: Settings,
    trust: Arc<ClientConfig>,
    tokens: Option<Arc<dyn AccessTokens>>,
    patience: (Duration, Duration),
    idle: Mutex<Vec<Session>>,
    places: Semaphore,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("host", &self.settings.host)
            .field("port", &self.settings.port)
            .finish_non_exhaustive()
    }
}

impl Smtp {
    /// With these settings; connects when there is something to send. `tokens` gives access tokens for a
    /// relay that logs in with one.
    pub fn new(
        settings: Settings,
        tokens: Option<Arc<dyn AccessTokens>>,
    ) -> Result<Self, SmtpError> {
        let trust = trust(&settings.host, settings.ca_file.as_deref())?;
        let places = usize::try_from(settings.connections).unwrap_or(1).max(1);
        Ok(Self {
            settings,
            trust,
            tokens,
            patience: (STEP, WHOLE),
            idle: Mutex::default(),
            places: Semaphore::new(places),
        })
    }

    /// With other time limits: for a step, and for the whole.
    #[must_use]
    pub fn patient(mut self, step: Duration, whole: Duration) -> Self {
        self.patience = (step, whole);
        self
    }

    fn limits(&self) -> Limits {
        Limits::new(self.patience.0, self.patience.1)
    }

    /// Connects, logs in, and says goodbye: for `doctor`.
    pub(super) async fn test(&self) -> Result<String, String> {
        let limits = self.limits();
        let session = self.open(&limits).await.map_err(|fault| told(&fault))?;
        let size = match session.largest() {
            Some(bytes) => format!(", mails of up to {bytes} bytes"),
            None => String::new(),
        };
        let tls = if session.is_encrypted {
            "with TLS"
        } else {
            "without TLS"
        };
        session.quit(&limits).await;
        let Settings { host, port, .. } = &self.settings;
        Ok(format!("{host}:{port} takes mail {tls}{size}"))
    }

    pub(super) async fn send(&self, sender: &str, recipient: &str, bytes: &[u8]) -> Answer {
        let (sender, recipient) = match (checked(sender), checked(recipient)) {
            (Ok(sender), Ok(recipient)) => (sender, recipient),
            (Err(fault), _) | (_, Err(fault)) => return Answer::Never(fault),
        };
        let limits = self.limits();
        let Ok(Ok(_place)) = timeout_at(limits.end, self.places.acquire()).await else {
            return Answer::Later("every connection to the relay was busy".to_owned());
        };
        if let Some(mut session) = self.take_idle().await {
            let handed = session.hand_over(&sender, &recipient, bytes, &limits).await;
            match handed {
                // It was closed meanwhile, or has had its share of letters: that is no try of this one.
                Err(fault) if is_of_the_connection(&fault) => self.idle.lock().await.clear(),
                handed => return self.end(session, handed, &limits).await,
            }
        }
        match self.open(&limits).await {
            Err(fault) => judge(&fault),
            Ok(mut session) => {
                let handed = session.hand_over(&sender, &recipient, bytes, &limits).await;
                self.end(session, handed, &limits).await
            }
        }
    }

    /// A connection that was used a moment ago, if there is one.
    async fn take_idle(&self) -> Option<Session> {
        let mut idle = self.idle.lock().await;
        idle.retain(|session| session.since.elapsed() < IDLE);
        idle.pop()
    }

    /// Keeps the connection for the next letter, or lets it go.
    async fn end(
        &self,
        session: Session,
        handed: Result<Response, Fault>,
        limits: &Limits,
    ) -> Answer {
        match handed {
            Ok(said) => {
                self.idle.lock().await.push(session);
                Answer::Taken(words_of_server(&words(&said)))
            }
            Err(fault) => {
                match fault.cause {
                    Cause::Refused(_) | Cause::Lacks(_) => session.quit(limits).await,
                    _ => drop(session),
                }
                judge(&fault)
            }
        }
    }

    async fn open(&self, limits: &Limits) -> Result<Session, Fault> {
        let opened = self.open_once(limits).await;
        let (Err(fault), RelayLogin::Token { account, provider }, Some(tokens)) =
            (&opened, &self.settings.login, &self.tokens)
        else {
            return opened;
        };
        let is_refused = matches!(&fault.cause, Cause::Refused(said) if code(said) >= 500);
        if fault.step != Step::LogIn || !is_refused {
            return opened;
        }
        // A token may end before its time; a new one is tried at once, and only once.
        tokens.forget(*provider, account).await;
        self.open_once(limits).await
    }

    async fn open_once(&self, limits: &Limits) -> Result<Session, Fault> {
        let log_in = self.log_in(limits).await.map_err(|why| Fault {
            step: Step::LogIn,
            cause: Cause::Lacks(why),
        })?;
        Session::open(&self.settings, &self.trust, log_in.as_ref(), limits).await
    }

    async fn log_in(&self, limits: &Limits) -> Result<Option<LogIn>, String> {
        Ok(match &self.settings.login {
            RelayLogin::None => None,
            RelayLogin::Password { username, password } => Some(LogIn {
                mechanisms: DEFAULT_MECHANISMS,
                credentials: Credentials::new(username.clone(), password.expose().to_owned()),
            }),
            RelayLogin::Token { account, provider } => {
                let tokens = self.tokens.as_ref();
                let tokens = tokens.ok_or("there is no way to get a token")?;
                let token = timeout_at(limits.end, tokens.access(*provider, account)).await;
                let token = token.map_err(|_| "no token came in time")??;
                Some(LogIn {
                    mechanisms: &[Mechanism::Xoauth2],
                    credentials: Credentials::new(account.clone(), token.expose().to_owned()),
                })
            }
        })
    }
}

/// The connection was no good any more; the letter was not looked at.
fn is_of_the_connection(fault: &Fault) -> bool {
    fault.step == Step::Sender
        && match &fault.cause {
            Cause::Refused(said) => code(said) < 500,
            Cause::Lacks(_) => false,
            _ => true,
        }
}

/// What a fault means for the letter.
fn judge(fault: &Fault) -> Answer {
    let said = told(fault);
    match (&fault.cause, fault.step) {
        // Whoever does not let us in says nothing about the letter.
        (_, step) if step < Step::Sender => Answer::Later(said),
        (Cause::Lacks(_), _) => Answer::Never(said),
        (Cause::Refused(no), _) if matches!(code(no), 530 | 534 | 535 | 538) => Answer::Later(said),
        (Cause::Refused(no), _) if code(no) >= 500 => Answer::Never(said),
        (Cause::Refused(_), _) => Answer::Later(said),
        (_, Step::Text) => Answer::Unknown(said),
        _ => Answer::Later(said),
    }
}

/// A fault in words for people.
fn told(fault: &Fault) -> String {
    match &fault.cause {
        Cause::Lacks(what) => words_of_server(what),
        cause => words_of_server(&format!("{cause} ({})", fault.step)),
    }
}

/// Whether an address can stand in a command.
fn checked(address: &str) -> Result<Address, String> {
    let wrong = |why: &dyn fmt::Display| format!("{address:?} cannot be mailed: {why}");
    let parsed: Result<Address, _> = address.parse();
    let parsed = parsed.map_err(|fault| wrong(&fault))?;
    let breaks = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>');
    if address.contains(breaks) {
        return Err(wrong(&"it would break the command"));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(step: Step, code: u16) -> Answer {
        let reply = format!("{code} so it is\r\n").parse().unwrap();
        judge(&Fault {
            step,
            cause: Cause::Refused(reply),
        })
    }

    #[test]
    fn a_refusal_counts_for_the_letter_only_where_it_is_about_it() {
        use Step::{Connect, Data, Greeting, Hello, LogIn, Recipient, Sender, Text, Tls};
        for step in [Greeting, Hello, Tls, LogIn] {
            for code in [421, 454, 535, 554] {
                assert!(
                    matches!(refused(step, code), Answer::Later(_)),
                    "{step} {code}"
                );
            }
        }
        for step in [Sender, Recipient, Data, Text] {
            for code in [421, 450, 452, 530, 535] {
                assert!(
                    matches!(refused(step, code), Answer::Later(_)),
                    "{step} {code}"
                );
            }
            for code in [500, 550, 552, 554] {
                assert!(
                    matches!(refused(step, code), Answer::Never(_)),
                    "{step} {code}"
                );
            }
        }
        for step in [
            Connect, Greeting, Hello, Tls, LogIn, Sender, Recipient, Data, Text,
        ] {
            let cause = Cause::Silence(STEP);
            let answer = judge(&Fault { step, cause });
            let is_unknown = matches!(answer, Answer::Unknown(_));
            assert_eq!(is_unknown, step == Text, "{step}: {answer:?}");
        }
    }

    #[test]
    fn no_address_breaks_a_command() {
        for bad in [
            "a@b.example> SIZE=1",
            "a\r\n@b.example",
            "a",
            "",
            "\"a b\"@c.example",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
        assert!(checked("john@acmefinance.com").is_ok());
    }
}
