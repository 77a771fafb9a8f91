//! Which customer an address belongs to: the exact contact, else the longest customer domain on
//! label boundaries, else nobody; and whether a nobody's domain imitates a customer's.

use std::collections::HashMap;

use serde::Serialize;

use super::{CustomerStatus, DomainName, EmailAddress, Slug, lookalike};
use crate::{ids::CustomerId, named::named_enum, tiers::TierSlug};

named_enum! {
    /// What tied an address to a customer.
    pub enum MatchedBy as "kind of match" {
        /// The address is a listed contact.
        Contact = "contact",
        /// Its domain is the customer's.
        Domain = "domain",
        /// Nothing did.
        None = "none",
    }
}

/// As much of a customer as receiving mail needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRef {
    /// The id.
    pub id: CustomerId,
    /// The handle.
    pub slug: Slug,
    /// The company's name.
    pub name: String,
    /// The tier.
    pub tier: TierSlug,
    /// A framework that differs from the tier's.
    pub framework: Option<String>,
    /// Where they stand.
    pub status: CustomerStatus,
    /// Whether sub-domains count.
    pub include_subdomains: bool,
}

/// The answer for one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The customer, if one was found.
    pub customer: Option<CustomerRef>,
    /// By what.
    pub matched_by: MatchedBy,
    /// The customer's domain that matched, or the address's own where none did.
    pub domain: DomainName,
    /// The customer whose domain this one imitates, and that domain.
    pub look_alike_of: Option<(Slug, DomainName)>,
    /// In words.
    pub reason: String,
}

/// The part of the directory that a batch of addresses can touch, loaded in sets.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Customers by contact address.
    pub contacts: HashMap<EmailAddress, CustomerRef>,
    /// Customers by domain.
    pub domains: HashMap<DomainName, CustomerRef>,
    /// Customers' domains filed under a variant that an address's domain shares.
    pub variants: HashMap<String, Vec<(DomainName, Slug)>>,
}

/// What [`Directory`] must hold for some addresses.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Contact addresses.
    pub addresses: Vec<String>,
    /// Domains and parents, and names in front.
    pub domains: Vec<String>,
    /// Look-alike variants.
    pub variants: Vec<String>,
}

impl Wanted {
    /// The keys that deciding `addresses` needs.
    pub fn of<'a>(addresses: impl IntoIterator<Item = &'a EmailAddress>) -> Self {
        let mut wanted = Self::default();
        let mut seen = std::collections::HashSet::new();
        for address in addresses {
            wanted.addresses.push(address.as_str().to_owned());
            let domain = address.domain();
            if seen.insert(domain.clone()) {
                wanted
                    .domains
                    .extend(domain.self_and_parents().map(str::to_owned));
                wanted
                    .domains
                    .extend(lookalike::leading_names(&domain).map(str::to_owned));
                wanted.domains.extend(lookalike::worn_names(&domain));
                wanted.variants.extend(lookalike::variants(&domain));
            }
        }
        wanted
    }
}

impl Directory {
    /// Decides one address.
    pub fn resolve(&self, address: &EmailAddress) -> Match {
        let domain = address.domain();
        if let Some(customer) = self.contacts.get(address) {
            return Match {
                reason: format!("{address} is a contact of {}", customer.name),
                customer: Some(customer.clone()),
                matched_by: MatchedBy::Contact,
                domain,
                look_alike_of: None,
            };
        }
        if let Some((matched, customer)) = self.longest_domain(&domain) {
            return Match {
                reason: format!("{matched} is a domain of {}", customer.name),
                customer: Some(customer.clone()),
                matched_by: MatchedBy::Domain,
                domain: matched,
                look_alike_of: None,
            };
        }
        let look_alike_of = self.imitated(&domain);
        let reason = match &look_alike_of {
            Some((slug, genuine)) => {
                format!("no customer has {domain}; it looks like {genuine} of {slug}")
            }
            None => format!("no customer has {domain}"),
        };
        Match {
            customer: None,
            matched_by: MatchedBy::None,
            domain,
            look_alike_of,
            reason,
        }
    }

    fn longest_domain(&self, domain: &DomainName) -> Option<(DomainName, &CustomerRef)> {
        domain.self_and_parents().find_map(|name| {
            let name: DomainName = name.parse().ok()?;
            let customer = self.domains.get(&name)?;
            (name == *domain || customer.include_subdomains).then_some((name, customer))
        })
    }

    fn imitated(&self, domain: &DomainName) -> Option<(Slug, DomainName)> {
        for name in lookalike::leading_names(domain) {
            let name: DomainName = name.parse().ok()?;
            if let Some(customer) = self.domains.get(&name) {
                return Some((customer.slug.clone(), name));
            }
        }
        // A short label of a customer's is a word that others have too.
        for name in lookalike::worn_names(domain) {
            let name: DomainName = name.parse().ok()?;
            if let Some(customer) = self.domains.get(&name) {
                return Some((customer.slug.clone(), name));
            }
        }
        lookalike::variants(domain)
            .iter()
            .filter_map(|variant| self.variants.get(variant))
            .flatten()
            .find(|(genuine, _)| lookalike::imitates(domain, genuine))
            .map(|(genuine, slug)| (slug.clone(), genuine.clone()))
    }
}

/// `customer resolve --json`.
#[derive(Clone, Debug, Serialize)]
pub struct ResolveReport {
    /// The address that was asked about.
    pub address: String,
    /// The customer's handle.
    pub customer: Option<Slug>,
    /// Their tier.
    pub tier: Option<TierSlug>,
    /// By what.
    pub matched_by: MatchedBy,
    /// The domain that decided.
    pub domain: Option<DomainName>,
    /// The customer whose domain is imitated.
    pub look_alike_of: Option<Slug>,
    /// In words.
    pub reason: String,
}

impl ResolveReport {
    /// The report on `address`.
    pub fn new(address: &EmailAddress, found: Match) -> Self {
        Self {
            address: address.as_str().to_owned(),
            customer: found
                .customer
                .as_ref()
                .map(|customer| customer.slug.clone()),
            tier: found.customer.map(|customer| customer.tier),
            matched_by: found.matched_by,
            domain: Some(found.domain),
            look_alike_of: found.look_alike_of.map(|(slug, _)| slug),
            reason: found.reason,
        }
    }
}
