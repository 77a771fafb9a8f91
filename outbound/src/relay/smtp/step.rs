//! The steps of a conversation: how far it came, how long a step may take, and what went wrong at which.

use std::{fmt, time::Duration};

use lettre::transport::smtp::response::Response;
use tokio::time::{Instant, timeout_at};

/// How far a conversation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Connect,
    Greeting,
    Hello,
    Tls,
    LogIn,
    /// From here on it is about the letter.
    Sender,
    Recipient,
    Data,
    /// The text was sent: what is not known here may have arrived.
    Text,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "when connecting",
            Self::Greeting => "at its greeting",
            Self::Hello => "at EHLO",
            Self::Tls => "when turning to TLS",
            Self::LogIn => "when logging in",
            Self::Sender => "at the sender",
            Self::Recipient => "at the recipient",
            Self::Data => "before the text",
            Self::Text => "after the text",
        })
    }
}

/// What goes wrong at a step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Cause {
    /// It said no.
    #[error("{}", words(.0))]
    Refused(Response),
    /// It cannot do what is needed.
    #[error("{0}")]
    Lacks(String),
    /// No answer came in time.
    #[error("no answer within {0:?}")]
    Silence(Duration),
    /// There is no connection to be had.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// The connection ended.
    #[error("the connection is gone: {0}")]
    Lost(String),
    /// What came is no SMTP.
    #[error("it does not speak SMTP: {0}")]
    Nonsense(String),
    /// TLS failed.
    #[error("TLS failed: {0}")]
    Tls(String),
}

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) step: Step,
    pub(super) cause: Cause,
}

impl Step {
    pub(super) fn fault(self, cause: Cause) -> Fault {
        Fault { step: self, cause }
    }

    pub(super) fn lacks(self, what: impl Into<String>) -> Fault {
        self.fault(Cause::Lacks(what.into()))
    }

    /// The answer, if it is the one that was hoped for.
    pub(super) fn expect(
        self,
        said: Response,
        is_hoped_for: fn(u16) -> bool,
    ) -> Result<Response, Fault> {
        match code(&said) {
            code if is_hoped_for(code) => Ok(said),
            400.. => Err(self.fault(Cause::Refused(said))),
            _ => Err(self.fault(Cause::Nonsense(words(&said)))),
        }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    step: Duration,
    begun: Instant,
    /// When everything must be over.
    pub(super) end: Instant,
}

impl Limits {
    /// For a step, and for the whole from now on.
    pub(super) fn new(step: Duration, whole: Duration) -> Self {
        let begun = Instant::now();
        Self {
            step,
            begun,
            end: begun + whole,
        }
    }

    /// Does one step. What was cut off leaves a connection that must not be used again.
    pub(super) async fn step<T>(
        &self,
        step: Step,
        doing: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Fault> {
        // A text and its answer may take all the time that is left.
        let (until, limit) = match step {
            Step::Text => (self.end, self.end - self.begun),
            _ => ((Instant::now() + self.step).min(self.end), self.step),
        };
        let done = timeout_at(until, doing).await;
        let done = done.unwrap_or(Err(Cause::Silence(limit)));
        done.map_err(|cause| step.fault(cause))
    }
}

/// The code of an answer.
pub(super) fn code(said: &Response) -> u16 {
    said.code().into()
}

/// An answer in its own words.
pub(super) fn words(said: &Response) -> String {
    let text = said.message().collect::<Vec<_>>().join(" ");
    format!("{} {}", said.code(), text.trim())
}

/// It goes on.
pub(super) fn is_good(code: u16) -> bool {
    (200..300).contains(&code)
}
