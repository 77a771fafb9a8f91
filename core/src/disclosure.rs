//! What of a ticket or a customer may leave the desk for a place like Discord.
//!
//! Whatever is posted, paged or sent as an error text is built from what these functions return,
//! and from nothing else: their results can be made nowhere else. To show one more thing, add a
//! field and the level from which it may be seen.

mod answer;
mod run;
#[cfg(test)]
mod tests;

pub use answer::{AnswerFacts, DisclosedAnswer, answer};
pub use run::{DisclosedRun, DisclosedStep, RunFacts, run};

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

use crate::{
    clock::Timestamp,
    customers::{AccountId, Contact, CustomerStatus, DomainName, Prefix, Slug},
    ids::CustomerId,
    refusal::{Refusal, RefusalCode},
    tickets::{Status, TicketNumber},
    tiers::{Disclosure, Severity, Tier, TierSlug},
    trust::SenderTrust,
};

/// How many characters an excerpt has.
pub const EXCERPT: usize = 200;

/// How much may be shown of what belongs to this tier; of what belongs to nobody yet, no content.
pub fn level(tier: Option<&Tier>) -> Disclosure {
    tier.map_or(Disclosure::Metadata, |tier| tier.disclosure)
}

/// How much may be shown of a ticket: no content where its tier or the customer's contract has conditions on
/// who reads it, which a chat does not ask.
pub fn ticket_level(tier: Option<&Tier>, has_conditions: bool) -> Disclosure {
    let level = level(tier);
    if has_conditions || tier.is_some_and(|tier| !tier.staff_attributes.is_empty()) {
        level.min(Disclosure::Metadata)
    } else {
        level
    }
}

/// Whether text about this tier may be typed in chat, where the chat keeps it.
pub fn takes_text(tier: Option<&Tier>) -> bool {
    tier.is_some_and(|tier| tier.has_free_text_in_chat)
}

/// Whether this tier's channel must not be open to everybody in the guild: the tier shows no
/// content, or asks something of its staff.
pub fn is_restricted(tier: Option<&Tier>) -> bool {
    tier.is_some_and(|tier| {
        tier.disclosure < Disclosure::Subject || !tier.staff_attributes.is_empty()
    })
}

/// What stands for a customer whose name is not to be shown: always the same, and made from an id
/// that is known to the desk alone.
pub fn alias(customer: CustomerId) -> String {
    alias_of(customer.0)
}

fn alias_of(id: uuid::Uuid) -> String {
    let mut hash = Sha256::new();
    hash.update(b"tierdesk customer alias");
    hash.update(id.as_bytes());
    let digest = BASE32_NOPAD.encode(&hash.finalize());
    format!("Client-{}", &digest[..6])
}

/// All that could be shown of a ticket.
#[derive(Clone, Debug)]
pub struct TicketFacts<'f> {
    /// What people call it.
    pub number: TicketNumber,
    /// Its tier.
    pub tier: Option<&'f Tier>,
    /// Whose it is, by id and name.
    pub customer: Option<(CustomerId, &'f str)>,
    /// The customer's contract asks something of whoever works for them, and a chat asks nobody.
    pub has_conditions: bool,
    /// The framework that applies.
    pub framework: Option<&'f str>,
    /// Masked.
    pub subject: &'f str,
    /// What the customer wrote, masked.
    pub text: &'f str,
    /// Where it stands.
    pub status: Status,
    /// How bad it is.
    pub severity: Severity,
    /// How far the opener can be believed.
    pub trust: SenderTrust,
    /// Bound to the customer that its sender claims, unproven.
    pub is_provisional: bool,
    /// The address that opened it.
    pub requester: &'f str,
    /// What the directory says of them.
    pub requester_role: Option<&'f str>,
    /// Who works on it.
    pub assignee: Option<&'f str>,
    /// When a response is due; `None` when none is.
    pub due: Option<Timestamp>,
    /// Whether that time has passed.
    pub is_overdue: bool,
    /// How many replies can be picked where nothing is typed.
    pub fixed_replies: usize,
}

/// What may be shown of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DisclosedTicket {
    /// How much this is.
    pub level: Disclosure,
    /// What people call it.
    pub number: TicketNumber,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    pub status: Status,
    /// Its tier, which its channel tells anyway.
    pub tier: Option<TierSlug>,
    /// When a response is due.
    pub due: Option<Timestamp>,
    /// Whether that time has passed.
    pub is_overdue: bool,
    /// The customer: the alias, or the name.
    pub customer: Option<String>,
    /// Whether notes may be typed where this is shown.
    pub takes_text: bool,
    /// How many replies to the customer can be picked there. At every level: nothing is typed, and what is sent
    /// is the operator's own text, so that the tiers which take no text have a way to answer, and all cards work
    /// alike.
    pub fixed_replies: usize,
    /// From `metadata` on: the framework that applies.
    pub framework: Option<String>,
    /// From `metadata` on: how far the opener can be believed.
    pub trust: Option<SenderTrust>,
    /// From `metadata` on: bound to the customer that its sender claims, unproven.
    pub is_provisional: bool,
    /// From `metadata` on: what the opener does at the customer's.
    pub requester_role: Option<String>,
    /// From `metadata` on: who works on it.
    pub assignee: Option<String>,
    /// From `subject` on.
    pub subject: Option<String>,
    /// From `excerpt` on: the beginning of what was written; with `full`, all of it.
    pub text: Option<String>,
    /// With `full`: the address that opened it.
    pub requester: Option<String>,
}

/// What of a ticket may be shown.
pub fn ticket(facts: &TicketFacts<'_>) -> DisclosedTicket {
    let level = ticket_level(facts.tier, facts.has_conditions);
    let from = |least: Disclosure| level >= least;
    let metadata = from(Disclosure::Metadata);
    let owned = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
    DisclosedTicket {
        level,
        number: facts.number,
        severity: facts.severity,
        status: facts.status,
        tier: facts.tier.map(|tier| tier.slug.clone()),
        due: facts.due,
        is_overdue: facts.is_overdue,
        customer: facts.customer.map(
            |(id, name)| {
                if metadata { name.to_owned() } else { alias(id) }
            },
        ),
        takes_text: takes_text(facts.tier) && !facts.has_conditions,
        fixed_replies: facts.fixed_replies,
        framework: facts.framework.filter(|_| metadata).map(str::to_owned),
        trust: metadata.then_some(facts.trust),
        is_provisional: metadata && facts.is_provisional,
        requester_role: facts
            .requester_role
            .filter(|_| metadata && facts.customer.is_some())
            .map(str::to_owned),
        assignee: facts.assignee.filter(|_| metadata).map(str::to_owned),
        subject: owned(facts.subject).filter(|_| from(Disclosure::Subject)),
        text: if from(Disclosure::Full) {
            owned(facts.text)
        } else {
            owned(&excerpt(facts.text)).filter(|_| from(Disclosure::Excerpt))
        },
        requester: owned(facts.requester).filter(|_| from(Disclosure::Full)),
    }
}

/// The first characters of a text, on one line; cut text ends in an ellipsis.
fn excerpt(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// What of a refusal may be shown. Some name things of customers: the owner of a domain, the
/// sender's address, handles that were meant perhaps.
pub fn refusal(refusal: &Refusal) -> Refusal {
    match refusal.code {
        RefusalCode::NotPermitted
        | RefusalCode::WrongStatus
        | RefusalCode::Changed
        | RefusalCode::UnknownTier
        | RefusalCode::Empty
        | RefusalCode::NotInChat => refusal.clone(),
        // It repeats what was typed here, no more.
        RefusalCode::NotFound => Refusal::new(refusal.code, &refusal.message)
            .with_hint("type a part of it and pick from the list"),
        RefusalCode::Invalid
        | RefusalCode::DomainTaken
        | RefusalCode::DomainShared
        | RefusalCode::Taken
        | RefusalCode::Configuration
        | RefusalCode::Blocked
        | RefusalCode::ChainBroken => Refusal::new(
            refusal.code,
            format!("that was refused ({}); nothing was changed", refusal.code),
        )
        .with_hint("the reason is not shown in chat; the same in the terminal tells it"),
    }
}

/// All that could be shown of a customer.
#[derive(Clone, Debug)]
pub struct CustomerFacts<'f> {
    /// The id.
    pub id: CustomerId,
    /// The handle.
    pub slug: &'f Slug,
    /// The company's name.
    pub name: &'f str,
    /// Their tier.
    pub tier: Option<&'f Tier>,
    /// The framework that applies.
    pub framework: &'f str,
    /// What they pay each month, in cents.
    pub monthly_price_cents: i64,
    /// Where they stand.
    pub status: CustomerStatus,
    /// The short name in AWS.
    pub prefix: Option<&'f Prefix>,
    /// Their mail domains.
    pub domains: &'f [DomainName],
    /// Known people.
    pub contacts: &'f [Contact],
    /// Their account.
    pub account_id: Option<&'f AccountId>,
    /// Their organisational unit.
    pub ou: Option<&'f str>,
    /// Tickets that are not resolved or closed.
    pub open_tickets: i64,
}

/// What may be shown of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DisclosedCustomer {
    /// How much this is.
    pub level: Disclosure,
    /// The name, or the alias.
    pub name: String,
    /// What commands in chat take for them: the handle, or the alias.
    pub handle: String,
    /// Their tier.
    pub tier: Option<TierSlug>,
    /// Tickets that are not resolved or closed.
    pub open_tickets: i64,
    /// From `metadata` on: the framework that applies.
    pub framework: Option<String>,
    /// From `metadata` on: where they stand.
    pub status: Option<CustomerStatus>,
    /// From `metadata` on: their organisational unit.
    pub ou: Option<String>,
    /// From `metadata` on: what the known people do there.
    pub contact_roles: Vec<String>,
    /// From `subject` on: what they pay each month, in cents.
    pub monthly_price_cents: Option<i64>,
    /// From `subject` on: the short name in AWS.
    pub prefix: Option<String>,
    /// From `subject` on.
    pub domains: Vec<String>,
    /// From `subject` on: addresses, with name and role where known.
    pub contacts: Vec<String>,
    /// From `subject` on.
    pub account_id: Option<String>,
}

/// What of a customer may be shown.
pub fn customer(facts: &CustomerFacts<'_>) -> DisclosedCustomer {
    let level = level(facts.tier);
    let metadata = level >= Disclosure::Metadata;
    let subject = level >= Disclosure::Subject;
    let only = |shown: bool, list: Vec<String>| if shown { list } else { Vec::new() };
    let roles = facts
        .contacts
        .iter()
        .filter_map(|contact| contact.role.clone());
    let person = |contact: &Contact| {
        let known = [contact.name.as_deref(), contact.role.as_deref()];
        let known: Vec<&str> = known.into_iter().flatten().collect();
        match known.as_slice() {
            [] => contact.address.to_string(),
            known => format!("{} ({})", contact.address, known.join(", ")),
        }
    };
    let (name, handle) = if metadata {
        (facts.name.to_owned(), facts.slug.to_string())
    } else {
        (alias(facts.id), alias(facts.id))
    };
    DisclosedCustomer {
        level,
        name,
        handle,
        tier: facts.tier.map(|tier| tier.slug.clone()),
        open_tickets: facts.open_tickets,
        framework: metadata.then(|| facts.framework.to_owned()),
        status: metadata.then_some(facts.status),
        ou: facts.ou.filter(|_| metadata).map(str::to_owned),
        contact_roles: only(metadata && !subject, roles.collect()),
        monthly_price_cents: subject.then_some(facts.monthly_price_cents),
        prefix: facts
            .prefix
            .filter(|_| subject)
            .map(|prefix| prefix.as_str().to_owned()),
        domains: only(
            subject,
            facts.domains.iter().map(ToString::to_string).collect(),
        ),
        contacts: only(subject, facts.contacts.iter().map(person).collect()),
        account_id: facts
            .account_id
            .filter(|_| subject)
            .map(|account| account.as_str().to_owned()),
    }
}
