//! What of an answer may be shown before it leaves.

use std::collections::BTreeMap;

use crate::{
    macros::{KNOWN_VARIABLES, Step},
    tickets::TicketNumber,
    tiers::Disclosure,
};

/// All that could be shown of an answer by a macro.
#[derive(Clone, Debug)]
pub struct AnswerFacts<'f> {
    /// The ticket.
    pub number: TicketNumber,
    /// How much may be shown of the ticket ([`super::ticket_level`]).
    pub level: Disclosure,
    /// What the macro is for.
    pub title: &'f str,
    /// What goes into its places.
    pub words: &'f BTreeMap<String, String>,
    /// Who gets it, and whether it is held for them.
    pub recipients: Vec<(&'f str, bool)>,
    /// Where the ticket goes.
    pub then: Step,
}

/// What may be shown of an answer by a macro.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DisclosedAnswer {
    /// The ticket.
    pub number: TicketNumber,
    /// What the macro is for: the operator's words.
    pub title: String,
    /// The text, with marks in the places of what may not be shown.
    pub text: String,
    /// How many people get it.
    pub recipients: usize,
    /// For how many of them it is held.
    pub held: usize,
    /// With `full`: their addresses.
    pub addresses: Vec<String>,
    /// Where the ticket goes.
    pub then: Step,
}

/// What of an answer may be shown. `fill` puts words into the places of its text.
///
/// The text of a macro is the operator's and holds nothing of a ticket; what its places are filled with does.
pub fn answer<E>(
    facts: &AnswerFacts<'_>,
    fill: impl FnOnce(&BTreeMap<String, String>) -> Result<String, E>,
) -> Result<DisclosedAnswer, E> {
    let words = facts.words.iter().map(|(name, value)| {
        // What is empty stays so: a text that asks whether it is there reads as it will be sent.
        let shown = if facts.level >= needed(name) || value.is_empty() {
            value.clone()
        } else {
            format!("‹{name}›")
        };
        (name.clone(), shown)
    });
    let addresses = facts.recipients.iter().map(|(address, _)| *address);
    Ok(DisclosedAnswer {
        number: facts.number,
        title: facts.title.to_owned(),
        text: fill(&words.collect())?,
        recipients: facts.recipients.len(),
        held: facts.recipients.iter().filter(|(_, held)| *held).count(),
        addresses: addresses
            .filter(|_| facts.level >= Disclosure::Full)
            .map(str::to_owned)
            .collect(),
        then: facts.then,
    })
}

/// The level from which a variable of macros may be shown: as on a card. One that is new to the desk is content
/// until it is said here what it is.
fn needed(variable: &str) -> Disclosure {
    match variable {
        "number" | "tier" | "severity" | "response_due" => Disclosure::Alias,
        "customer" | "author" => Disclosure::Metadata,
        known if KNOWN_VARIABLES.contains(&known) => Disclosure::Full,
        // The macro's own, with the operator's default.
        _ => Disclosure::Alias,
    }
}
