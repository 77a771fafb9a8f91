//! Mail that leaves: what a letter holds, who writes its bytes, and when another try is worth making.
//!
//! A letter is rendered once, inside the unit of work that decides it, through the port [`Compose`];
//! the bytes and the Message-ID are stored before the first try, so a letter that is sent twice is
//! the same letter. There is one row a recipient, because one refused recipient ends a whole SMTP
//! transaction.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use serde::Serialize;

use crate::{
    clock::Timestamp,
    customers::EmailAddress,
    mail::{Attachment, Provider},
    masking,
    named::named_enum,
    settings::Secret,
    tickets::TicketNumber,
    tiers::{Severity, TierSlug},
};

named_enum! {
    /// What a letter is.
    pub enum LetterKind as "kind of letter" {
        /// What a person on the staff wrote.
        Reply = "reply",
        /// "It is here": sent by the desk itself when a ticket opens.
        Receipt = "receipt",
    }
}

named_enum! {
    /// Where a letter to one recipient stands.
    pub enum OutgoingState as "state of a letter" {
        /// It may not leave as things are; `reason` says why, and a person decides.
        Held = "held",
        /// It leaves at its time, or is tried again.
        Waiting = "waiting",
        /// It is being handed over. Found so later, it may have arrived already.
        Sending = "sending",
        /// The relay has it.
        Sent = "sent",
        /// It was refused for good, or given up.
        Failed = "failed",
        /// It was taken back before it left.
        Undone = "undone",
    }
}

impl OutgoingState {
    /// Whether something may still become of it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Held | Self::Waiting | Self::Sending)
    }
}

/// A text that may stand in a header: one line, without control characters. There is no other way
/// to make one, so no text can begin a header of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderText(String);

impl HeaderText {
    /// `text` on one line: whatever would break it becomes a space.
    pub fn new(text: &str) -> Self {
        let spaced: String = text
            .chars()
            .map(|c| {
                if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                    ' '
                } else {
                    c
                }
            })
            .collect();
        Self(spaced.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Of what a server says, no more is shown to people.
const LONGEST_WORDS: usize = 400;

/// What a mail server said, fit to be shown: on one line, not too long, without secrets.
pub fn words_of_server(said: &str) -> String {
    let line = HeaderText::new(said);
    let masked = masking::mask(line.as_str()).text;
    let mut short: String = masked.chars().take(LONGEST_WORDS).collect();
    if short.len() < masked.len() {
        short.push('…');
    }
    short
}

/// A Message-ID without angle brackets that can stand in a header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderId(String);

/// The longest id that fits a header line (RFC 5322, 2.1.1), with its brackets and a name.
const LONGEST_ID: usize = 900;

impl HeaderId {
    /// `None` for what is no id: it would break the header, and nobody could answer to it.
    pub fn new(id: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b',');
        let is_id = !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(is_plain);
        is_id.then(|| Self(id.to_owned()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Somebody in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The address.
    pub address: EmailAddress,
    /// How they are called.
    pub name: Option<HeaderText>,
}

impl Party {
    /// Without a name.
    pub fn new(address: EmailAddress) -> Self {
        Self {
            address,
            name: None,
        }
    }
}

/// An earlier message that is repeated below the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Who wrote it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// What templates may say of the ticket. Nothing here is of another customer, and nothing of what
/// the sender wrote.
#[derive(Clone, Debug, Serialize)]
pub struct LetterFacts {
    /// The ticket.
    pub number: TicketNumber,
    /// Its severity.
    pub severity: Severity,
    /// The customer's tier, which has wording of its own; `None` for a ticket of nobody's.
    pub tier: Option<TierSlug>,
    /// What the tier is called.
    pub tier_name: Option<String>,
    /// The customer's name.
    pub customer: Option<String>,
    /// Who wrote it; `None` for what the desk says by itself.
    pub author: Option<String>,
    /// When a first answer is due, if one was promised.
    pub response_due: Option<Timestamp>,
}

/// Everything of one letter to one recipient.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Which templates.
    pub kind: LetterKind,
    /// From whom.
    pub from: Party,
    /// Where answers go: the support address with a reply token.
    pub reply_to: EmailAddress,
    /// To whom, as the header shows.
    pub to: Vec<Party>,
    /// Who gets a copy, as the header shows.
    pub cc: Vec<Party>,
    /// The subject of the ticket; a template makes the header of it.
    pub subject: HeaderText,
    /// Its Message-ID.
    pub message_id: HeaderId,
    /// What it answers.
    pub in_reply_to: Option<HeaderId>,
    /// The conversation so far, oldest first.
    pub references: Vec<HeaderId>,
    /// When it was written.
    pub date: Timestamp,
    /// What was written, in Markdown; empty for what the desk says by itself.
    pub text: String,
    /// Earlier messages that this recipient has seen.
    pub quotes: Vec<Quote>,
    /// What goes along.
    pub attachments: Vec<Attachment>,
    /// For the templates.
    pub facts: LetterFacts,
}

/// Why a letter could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A template is wrong.
    #[error("the template {name} cannot be used: {detail}")]
    Template {
        /// Its file.
        name: String,
        /// What is wrong, with the line.
        detail: String,
    },
    /// An address cannot be written into a mail.
    #[error("{address} cannot stand in a mail: {detail}")]
    Address {
        /// Which.
        address: String,
        /// Why.
        detail: String,
    },
    /// It cannot be put together.
    #[error("the mail could not be put together: {0}")]
    Mail(String),
}

/// Writes letters as RFC 5322 bytes. Pure: it neither sends nor waits.
pub trait Compose: fmt::Debug + Send + Sync {
    /// The bytes.
    fn compose(&self, letter: &Letter) -> Result<Vec<u8>, ComposeError>;

    /// A text with these words in the places of its variables. `name` is for the error. A variable that
    /// nobody gives is a fault.
    fn fill(
        &self,
        name: &str,
        text: &str,
        words: &BTreeMap<String, String>,
    ) -> Result<String, ComposeError>;
}

named_enum! {
    /// How a connection to a relay is protected.
    pub enum TlsUse as "use of TLS" {
        /// From the first byte.
        Wrapped = "wrapped",
        /// By STARTTLS, or nothing is sent.
        Required = "required",
        /// By STARTTLS where it is offered.
        Opportunistic = "opportunistic",
        /// Not at all: on this machine, or on a wire of one's own.
        None = "none",
    }
}

/// A boxed future of a port.
pub type PortFuture<'p, T> = Pin<Box<dyn Future<Output = T> + Send + 'p>>;

/// Gives access tokens for accounts at providers, from the grants that the desk holds.
pub trait AccessTokens: fmt::Debug + Send + Sync {
    /// A token that is good now, or why there is none.
    fn access<'p>(
        &'p self,
        provider: Provider,
        account: &'p str,
    ) -> PortFuture<'p, Result<Secret, String>>;
    /// The last one was refused: the next is to be a new one.
    fn forget<'p>(&'p self, provider: Provider, account: &'p str) -> PortFuture<'p, ()>;
}

/// How the desk's mail leaves: who it is from, and what is known of the way.
#[derive(Clone, Debug)]
pub struct MailOut {
    /// Writes letters.
    pub composer: Arc<dyn Compose>,
    /// From whom, where the tier has no sender of its own.
    pub sender: Party,
    /// Senders of their own, by tier.
    pub tier_senders: HashMap<TierSlug, Party>,
    /// Domains of senders whose relay hands mail on over verified TLS or not at all.
    pub enforces_tls: HashSet<String>,
}

impl MailOut {
    /// From whom mail about a ticket of this tier is.
    pub fn sender(&self, tier: Option<&TierSlug>) -> &Party {
        let own = tier.and_then(|tier| self.tier_senders.get(tier));
        own.unwrap_or(&self.sender)
    }

    /// Whether mail from this sender travels over verified TLS or not at all.
    pub fn enforces_tls(&self, sender: &EmailAddress) -> bool {
        self.enforces_tls.contains(sender.domain().as_str())
    }
}

/// For how long a reply can be taken back: it leaves only then.
pub const UNDO: Duration = Duration::from_secs(20);

/// The first wait after a relay could not take a letter.
const FIRST_WAIT: Duration = Duration::from_mins(1);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_hours(4);
/// For how long a letter is tried: RFC 5321, 4.5.4.1 asks for four to five days.
pub const TRIED_FOR: Duration = Duration::from_hours(5 * 24);

/// How long to wait after the `attempts`-th try of a letter that was first due `age` ago; `None`
/// gives it up. Each wait is between three quarters and the whole of one that doubles from a minute to
/// four hours, so that letters which failed together do not return together. `random` is uniform.
pub fn next_try(attempts: i64, age: Duration, random: u16) -> Option<Duration> {
    let left = TRIED_FOR.checked_sub(age).filter(|left| !left.is_zero())?;
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 16)).unwrap_or(16);
    let full = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    let wait = full * 3 / 4 + (full / 4).mul_f64(f64::from(random) / f64::from(u16::MAX));
    // The last try is at the end of the span, not hours before it.
    Some(wait.min(left + Duration::from_secs(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_server_says_is_fit_to_be_shown() {
        assert_eq!(words_of_server("a\r\nb\u{1b}[31m"), "a b [31m");
        let long = words_of_server(&"x ".repeat(5_000));
        assert_eq!(long.chars().count(), LONGEST_WORDS + 1);
    }

    #[test]
    fn a_header_stays_one_line() {
        for (text, line) in [
            (
                "Re: a\r\nBcc: eve@evil.example",
                "Re: a Bcc: eve@evil.example",
            ),
            ("a\u{2028}b\0c\u{85}d", "a b c d"),
            ("  plain  ", "plain"),
        ] {
            assert_eq!(HeaderText::new(text).as_str(), line);
        }
        for id in ["", "a b@c", "a>@c", "a\r\n@c", "é@c", &"a".repeat(901)] {
            assert_eq!(HeaderId::new(id), None, "{id}");
        }
        assert!(HeaderId::new("tierdesk.abc@securebase.example").is_some());
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_header(text in any::<String>()) {
            let line = HeaderText::new(&text);
            prop_assert!(!line.as_str().chars().any(char::is_control));
        }

        #[test]
        fn tries_come_to_an_end_after_days(random in any::<u16>()) {
            let (mut age, mut attempts) = (Duration::ZERO, 1);
            while let Some(wait) = next_try(attempts, age, random) {
                prop_assert!(wait >= FIRST_WAIT * 3 / 4 || age + wait >= TRIED_FOR);
                age += wait;
                attempts += 1;
                prop_assert!(attempts < 100);
            }
            prop_assert!(age >= TRIED_FOR && age < TRIED_FOR + Duration::from_mins(1));
            prop_assert!(attempts > 30);
        }
    }
}
