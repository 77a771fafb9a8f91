//! The directory: who the customers are, and which of them an address belongs to.
//!
//! Invariants: slug, prefix, account id, domain and contact address each belong to one customer;
//! a domain that strangers share (a public suffix, a free-mail provider) belongs to none.

pub mod account;
pub mod address;
pub mod domain;
pub mod exchange;
pub mod lookalike;
pub mod matching;
pub mod slug;

use std::collections::BTreeMap;

use serde::Serialize;

pub use account::AccountId;
pub use address::{AddressError, EmailAddress};
pub use domain::{DomainError, DomainName, FreeMail};
pub use slug::{Prefix, Slug, SlugError};

use crate::{
    clock::Timestamp,
    ids::{ContactId, CustomerId},
    named::named_enum,
    staff::Attribute,
    tiers::TierSlug,
};

named_enum! {
    /// Where a customer stands.
    pub enum CustomerStatus as "customer status" {
        /// Not signed yet.
        Prospect = "prospect",
        /// Being provisioned.
        Onboarding = "onboarding",
        /// Served.
        Active = "active",
        /// Not served for the time being; mail still makes tickets.
        Suspended = "suspended",
        /// Gone; mail still makes tickets.
        Closed = "closed",
    }
}

/// A customer with everything the directory says of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The id.
    pub id: CustomerId,
    /// The handle in commands.
    pub slug: Slug,
    /// The company's name.
    pub name: String,
    /// The tier they pay for.
    pub tier: TierSlug,
    /// A framework that differs from the tier's, by contract.
    pub framework: Option<String>,
    /// Where they stand.
    pub status: CustomerStatus,
    /// The short name in AWS.
    pub prefix: Option<Prefix>,
    /// Their AWS account.
    pub account_id: Option<AccountId>,
    /// Their organisational unit, once provisioned.
    pub ou: Option<String>,
    /// A price that differs from the tier's, in cents a month.
    pub monthly_price_cents: Option<i64>,
    /// Whether mail from sub-domains of their domains is theirs.
    pub include_subdomains: bool,
    /// What must be attested of staff who work for them, by contract, besides what the tier asks.
    pub staff_attributes: Vec<Attribute>,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// Their mail domains, in alphabetical order.
    pub domains: Vec<DomainName>,
    /// Known people, in order of address.
    pub contacts: Vec<Contact>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// A known person of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// The id, not shown.
    #[serde(skip)]
    pub id: ContactId,
    /// Their address.
    pub address: EmailAddress,
    /// Their name.
    pub name: Option<String>,
    /// Their role there, in the customer's words.
    pub role: Option<String>,
}

impl Customer {
    /// What a search over the directory matches, folded: names, handles and the account.
    pub fn search_text(&self) -> String {
        let mut words = vec![fold(&self.name), self.slug.as_str().to_owned()];
        words.extend(
            self.prefix
                .as_ref()
                .map(|prefix| prefix.as_str().to_owned()),
        );
        words.extend(
            self.account_id
                .as_ref()
                .map(|account| account.as_str().to_owned()),
        );
        words.join(" ")
    }
}

/// Text for comparing: lower case, without accents, compatibility forms resolved. Done here and
/// never in SQL, because the two databases fold differently.
pub fn fold(text: &str) -> String {
    use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn folding_meets_what_people_type() {
        assert_eq!(fold("Café SÜD"), "cafe sud");
        assert_eq!(fold("ＡＣＭＥ"), "acme");
    }
}
