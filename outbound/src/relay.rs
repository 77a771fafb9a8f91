//! Where mail leaves: relays that speak SMTP, or a folder.
//!
//! One transaction a recipient. Every step has its time limit, and every answer is one of four: taken, not
//! now, never, or not known (a connection that broke after the text was sent). What is not known is tried again
//! with the same Message-ID, and counted: it may arrive twice rather than not at all.

mod folder;
mod smtp;

use std::{collections::HashMap, sync::Arc};

pub use folder::Folder;
pub use smtp::{Smtp, SmtpError};

/// What a relay said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has the letter. Its words.
    Taken(String),
    /// Not now: refused for the time being, out of reach, or cut off.
    Later(String),
    /// The text was sent, and no answer came: it may have the letter.
    Unknown(String),
    /// Never.
    Never(String),
}

/// A way out.
#[derive(Clone, Debug)]
pub enum Relay {
    /// A server.
    Smtp(Arc<Smtp>),
    /// One file a letter, for trying out.
    Folder(Arc<Folder>),
}

impl Relay {
    /// Tries the way without a letter, and says what it is: for `doctor`.
    pub async fn test(&self) -> Result<String, String> {
        match self {
            Self::Smtp(smtp) => smtp.test().await,
            Self::Folder(folder) => folder.test().await,
        }
    }

    /// Hands a letter over. `id` is the letter's own, the same at each try.
    pub async fn send(&self, id: &str, sender: &str, recipient: &str, bytes: &[u8]) -> Answer {
        match self {
            Self::Smtp(smtp) => smtp.send(sender, recipient, bytes).await,
            Self::Folder(folder) => folder.send(id, bytes).await,
        }
    }
}

/// Which relay takes mail of which sender.
#[derive(Clone, Debug)]
pub struct Relays {
    /// For every other sender.
    pub default: Relay,
    /// By the sender's domain.
    pub by_domain: HashMap<String, Relay>,
}

impl Relays {
    /// The relay for mail from this address.
    pub fn of(&self, sender: &str) -> &Relay {
        let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
        let own = self.by_domain.get(&domain.to_ascii_lowercase());
        own.unwrap_or(&self.default)
    }
}
