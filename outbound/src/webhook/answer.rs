//! What became of a call: one of four answers, whatever happened.

use std::{error::Error, time::Duration};

use reqwest::{
    Response, StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};
use tierdesk_core::outgoing::words_of_server;

use super::{address::NotPublic, endpoint::Endpoint};

/// More of an answer is not read.
const MOST_READ: usize = 4096;
/// More of it is not shown.
const MOST_SHOWN: usize = 160;
/// A server may ask us to wait, but not for the rest of the night.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What became of an alert. The words are for people and hold neither the address's path nor a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The server has it.
    Sent {
        /// Its words.
        words: String,
    },
    /// Not now: the server refuses for the time being, or is out of reach. It has nothing.
    Later {
        /// Why.
        words: String,
        /// How long it asks us to wait, at most an hour.
        wait: Option<Duration>,
    },
    /// Never, as it is.
    Never {
        /// Why.
        words: String,
    },
    /// It went out, and no answer came: the server may have it.
    Unknown {
        /// Why.
        words: String,
    },
}

impl Answer {
    /// Its words.
    pub fn words(&self) -> &str {
        match self {
            Self::Sent { words }
            | Self::Later { words, .. }
            | Self::Never { words }
            | Self::Unknown { words } => words,
        }
    }
}

/// What this answer means. How it goes on is known by its first line, so a body that comes slowly, breaks
/// off or never ends changes only the words.
pub(super) async fn heard(endpoint: &Endpoint, mut response: Response) -> Answer {
    let status = response.status();
    let host = endpoint.host();
    let code = status.as_u16();
    if status.is_success() {
        let words = format!("{host} answered {code}");
        return Answer::Sent { words };
    }
    if status.is_redirection() {
        let words = format!("{host} answered {code}: it points elsewhere, which is not followed");
        return Answer::Never { words };
    }
    let wait = wait(response.headers());
    let said = read(&mut response).await;
    let said = words_of_server(&endpoint.redact(&String::from_utf8_lossy(&said)));
    let said: String = said.chars().take(MOST_SHOWN).collect();
    let mut words = format!("{host} answered {code}");
    if !said.trim().is_empty() {
        words = format!("{words}: {}", said.trim());
    }
    let is_for_now = status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
    if is_for_now {
        Answer::Later { words, wait }
    } else {
        Answer::Never { words }
    }
}

/// The first bytes of the body, as many as come.
async fn read(response: &mut Response) -> Vec<u8> {
    let mut said = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MOST_READ - said.len();
        said.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if said.len() == MOST_READ {
            break;
        }
    }
    said
}

/// What a call that got no answer means.
pub(super) fn failed(endpoint: &Endpoint, fault: reqwest::Error) -> Answer {
    let host = endpoint.host();
    let fault = fault.without_url();
    if let Some(refused) = cause::<NotPublic>(&fault) {
        let words = format!("{host} was not connected to: {refused}");
        return Answer::Never { words };
    }
    if fault.is_connect() {
        let words = format!("no connection to {host}: {}", reason(endpoint, &fault));
        return Answer::Later { words, wait: None };
    }
    if fault.is_builder() {
        let words = format!("nothing can be sent: {}", reason(endpoint, &fault));
        return Answer::Never { words };
    }
    let words = if fault.is_timeout() {
        format!("{host} did not answer in time")
    } else {
        format!("{host} gave no answer: {}", reason(endpoint, &fault))
    };
    Answer::Unknown { words }
}

fn cause<'f, E: Error + 'static>(fault: &'f (dyn Error + 'static)) -> Option<&'f E> {
    let mut next = Some(fault);
    while let Some(fault) = next {
        if let Some(found) = fault.downcast_ref::<E>() {
            return Some(found);
        }
        next = fault.source();
    }
    None
}

/// The innermost cause: what the layers above it say is that there is one.
fn reason(endpoint: &Endpoint, fault: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = fault;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    endpoint.redact(&innermost.to_string())
}

/// `Retry-After`, in seconds or as a date, which counts from the server's own clock.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let now = date(headers.get(DATE)?.to_str().ok()?)?;
        let seconds = date(text)?.duration_since(now).as_secs();
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    };
    Some(wait.min(LONGEST_WAIT))
}

fn date(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim().replace(" GMT", " +0000");
    Some(jiff::fmt::rfc2822::parse(&text).ok()?.timestamp())
}
