//! What goes wrong on the way to a mailbox, and what it means.

use std::io;

use tierdesk_core::desk;

use crate::oauth::TokenError;

/// Why a mailbox cannot be read now.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// The configuration names a server that is not to be used as it says.
    #[error("{0}")]
    Address(String),
    /// No answer in time.
    #[error("the server did not answer in time while {0}")]
    Timeout(&'static str),
    /// The connection failed.
    #[error("the connection failed while {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// How.
        #[source]
        source: io::Error,
    },
    /// The server ended the connection.
    #[error("the server ended the connection while {0}")]
    Lost(&'static str),
    /// What the server sent is no IMAP, or more than it may send.
    #[error("the server sent what cannot be understood while {0}")]
    Garbled(&'static str),
    /// The server says no to a command.
    #[error("the server refused while {doing}: {answer}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// Its words.
        answer: String,
    },
    /// The server does not let us in.
    #[error("the server refused the login: {0}")]
    Login(String),
    /// No token to log in with.
    #[error("there is no token to log in with")]
    Token(#[from] TokenError),
    /// The desk did not take the mail.
    #[error("the desk did not take the mail")]
    Desk(#[from] desk::Error),
}

impl ImapError {
    /// Only a person can put it right, so trying again soon is no use to anybody, and repeated wrong
    /// logins lock accounts.
    pub(super) fn needs_a_person(&self) -> bool {
        match self {
            Self::Address(_) | Self::Login(_) => true,
            Self::Token(error) => error.needs_a_person(),
            _ => false,
        }
    }

    /// It speaks of one command, and the connection is as good as before.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// What a server says, cut to what is worth keeping.
pub(super) fn words(text: Option<&str>) -> String {
    let text = text.unwrap_or("no reason was given");
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// The server's words in an error of the library, which wraps them in its own notation.
pub(super) fn unwrapped(text: &str) -> String {
    let inner = text
        .split_once("info: Some(\"")
        .and_then(|(_, rest)| rest.rsplit_once("\")"))
        .map_or(text, |(inner, _)| inner);
    words(Some(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_server_s_words_are_told() {
        let text = "code: None, info: Some(\"[ALERT] Too many\")";
        assert_eq!(unwrapped(text), "[ALERT] Too many");
        assert_eq!(unwrapped("plain\r\n"), "plain");
        assert_eq!(words(None), "no reason was given");
        assert_eq!(words(Some(&"x".repeat(1_000))).len(), 300);
    }
}
