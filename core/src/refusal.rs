//! What a person is told when the desk will not do something: what happened, what was kept, what
//! to do. A refusal is an answer, not a fault; it is not logged as one.

use std::fmt;

use serde::Serialize;

use crate::named::named_enum;

named_enum! {
    /// The kinds of refusal, stable for programs that read JSON.
    pub enum RefusalCode as "refusal" {
        /// The actor lacks the right. The program exits with 77.
        NotPermitted = "not_permitted",
        /// The thing named does not exist.
        NotFound = "not_found",
        /// What was given cannot be.
        Invalid = "invalid",
        /// The domain is another customer's.
        DomainTaken = "domain_taken",
        /// The domain is a public suffix or a free-mail provider.
        DomainShared = "domain_shared",
        /// The slug, prefix, account or address is another customer's.
        Taken = "taken",
        /// The status table has no such step.
        WrongStatus = "wrong_status",
        /// Somebody else changed it meanwhile.
        Changed = "changed",
        /// A plan cannot be carried out as things stand.
        Blocked = "blocked",
        /// No tier has this name.
        UnknownTier = "unknown_tier",
        /// The mail holds nothing.
        Empty = "empty",
        /// It cannot be done from chat.
        NotInChat = "not_in_chat",
        /// The configuration has faults.
        Configuration = "configuration",
        /// The chain of the audit trail does not hold.
        ChainBroken = "chain_broken",
    }
}

/// A refusal with its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Refusal {
    /// The kind.
    pub code: RefusalCode,
    /// What happened and what was kept.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint yet.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The thing `what` named `name` does not exist.
    pub fn not_found(what: &str, name: impl fmt::Display) -> Self {
        Self::new(RefusalCode::NotFound, format!("there is no {what} {name}"))
    }

    /// `message` says what is wrong with what was given.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(RefusalCode::Invalid, message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
