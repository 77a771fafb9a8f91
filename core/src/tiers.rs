//! The tier catalogue: one file says what each tier costs, promises and demands.
//!
//! A catalogue that parses keeps three promises: every tier is complete; no response is promised
//! slower than the price page publishes; at equal severity a stricter tier never comes later. To
//! add a key, read it in `tiers/read.rs` and write it for every tier into config/tiers.toml; a rule
//! that spans cells or tiers belongs in `tiers/check.rs`.

mod check;
mod disclosure;
mod hours;
mod money;
mod read;
mod severity;
mod slug;
mod target;

#[cfg(test)]
mod tests;

use std::fmt;

pub use self::{
    disclosure::Disclosure,
    hours::{InvalidSupportHours, SupportHours, SupportWindow},
    money::Money,
    severity::{PerSeverity, Priority, Severity},
    slug::{InvalidTierSlug, TierSlug},
    target::{Goal, InvalidTarget, Target, Targets},
};
use crate::{
    settings::{Problem, write_list},
    staff::{Attribute, Demands},
};

/// One tier, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of the catalogue, and none excludes another"
)]
pub struct Tier {
    /// Its name in keys and addresses.
    pub slug: TierSlug,
    /// Its name for people.
    pub name: String,
    /// What a customer pays each month, unless agreed otherwise.
    pub monthly_price: Money,
    /// The framework it is sold under. A name, not a statement about anybody's state.
    pub framework: String,
    /// The organisational unit of its customers' accounts.
    pub ou: String,
    /// 1 is the strictest.
    pub rank: u32,
    /// When its support is open.
    pub support_hours: SupportHours,
    /// Who answers.
    pub on_call: OnCall,
    /// The channel's name, without `#`.
    pub discord_channel: String,
    /// How much of a ticket may be shown in chat.
    pub disclosure: Disclosure,
    /// Whether an answer may be typed in chat.
    pub has_free_text_in_chat: bool,
    /// What must be attested of a member of staff who works on its tickets.
    pub staff_attributes: Vec<Attribute>,
    /// Whether it is written down who read its tickets.
    pub has_audited_reads: bool,
    /// How many people, besides the one who asks, must agree to a provisioning.
    pub approvals: u32,
    /// How long its audit entries are kept, in years.
    pub audit_retention_years: u32,
    /// How long all that was written on a ticket is kept once it is over, in years.
    pub ticket_retention_years: u32,
    /// How long raw mails and attachments of such a ticket are kept, in days.
    pub raw_retention_days: u32,
    /// Names of the service control policies of its organisational unit.
    pub scps: Vec<String>,
    /// Names of the permission sets that are assigned in its accounts.
    pub permission_sets: Vec<String>,
    /// Mail to its customers leaves over verified TLS or not at all.
    pub has_enforced_tls: bool,
    /// Whether colleagues whom a customer copies in get our answers too.
    pub copies_cc: bool,
    /// A ticket's place in the queue.
    pub priorities: PerSeverity<Priority>,
    /// What the price page publishes; no promised response is slower.
    pub published_first_response: PerSeverity<Target>,
    /// The clocks.
    pub targets: Targets,
}

/// Who answers for a tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    /// The schedule that says who is on call.
    pub schedule: String,
    /// The escalation policy that says who is next.
    pub policy: String,
}

/// All tiers, the strictest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    tiers: Vec<Tier>,
    default_severity: Severity,
}

/// Everything that is wrong with a catalogue, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Listed(.0))]
pub struct CatalogueError(Vec<Problem>);

struct Listed<'a>(&'a [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, "the tier catalogue", self.0)
    }
}

impl CatalogueError {
    /// The single problems, never none.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl Catalogue {
    /// config/tiers.toml as it was when the program was built.
    pub const EMBEDDED: &str = include_str!("../../config/tiers.toml");

    /// Reads a catalogue; `origin` is the file's name for the errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, CatalogueError> {
        read::catalogue(text, origin).map_err(CatalogueError)
    }

    /// The built-in catalogue.
    ///
    /// # Panics
    ///
    /// Not in a program that passed its tests: one of them reads the same text.
    pub fn embedded() -> Self {
        Self::parse(Self::EMBEDDED, "config/tiers.toml").expect("a test reads the built-in file")
    }

    /// The tier of this slug.
    pub fn get(&self, slug: &str) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.slug.as_str() == slug)
    }

    /// All tiers, the strictest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Tier> + ExactSizeIterator {
        self.tiers.iter()
    }

    /// The priority of a ticket of this severity; `None` for an unknown tier.
    pub fn priority(&self, tier: &TierSlug, severity: Severity) -> Option<Priority> {
        self.get(tier.as_str())
            .map(|tier| tier.priorities[severity])
    }

    /// The priority of a ticket that belongs to nobody yet: that of the least strict tier.
    pub fn triage_priority(&self, severity: Severity) -> Priority {
        self.tiers
            .last()
            .map_or(Priority::P4, |tier| tier.priorities[severity])
    }

    /// What the tiers demand of staff.
    pub fn demands(&self) -> Demands {
        let asked = |tier: &Tier| (tier.slug.clone(), tier.staff_attributes.clone());
        Demands::new(self.tiers.iter().map(asked))
    }

    /// The severity of a ticket of which nothing more is known.
    pub fn default_severity(&self) -> Severity {
        self.default_severity
    }
}
