//! A customer as `customer show --json` prints it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::Desk;
use crate::{
    customers::{AccountId, Contact, Customer, CustomerStatus, DomainName, Prefix, Slug},
    disclosure,
    staff::Attribute,
    tiers::{Disclosure, Tier, TierSlug},
};

/// The keys are fixed; see docs/interface.md.
#[derive(Clone, Debug, Serialize)]
pub struct CustomerReport {
    /// The handle.
    pub slug: Slug,
    /// The company's name.
    pub name: String,
    /// The tier.
    pub tier: TierSlug,
    /// The framework that applies: the contract's, else the tier's.
    pub framework: String,
    /// The price that applies: the contract's, else the tier's.
    pub monthly_price_cents: i64,
    /// Where they stand.
    pub status: CustomerStatus,
    /// Their mail domains.
    pub domains: Vec<DomainName>,
    /// Known people.
    pub contacts: Vec<Contact>,
    /// Their place in AWS.
    pub aws: AwsReport,
    /// Tickets that are not resolved or closed.
    pub open_tickets: i64,
    /// The short name in AWS.
    pub prefix: Option<Prefix>,
    /// Whether sub-domains count.
    pub include_subdomains: bool,
    /// What must be attested of staff who work for them: what the tier asks, and the contract.
    pub staff_attributes: Vec<Attribute>,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// What they are called in chat, where their tier shows no names there.
    pub chat_alias: Option<String>,
}

/// A customer's place in AWS.
#[derive(Clone, Debug, Serialize)]
pub struct AwsReport {
    /// The account.
    pub account_id: Option<AccountId>,
    /// The organisational unit: the recorded one, else where the tier's accounts belong.
    pub ou: Option<String>,
}

/// What must be attested of staff who work for a customer.
fn demanded(tier: Option<&Tier>, customer: &Customer) -> Vec<Attribute> {
    let by_tier = tier.map_or(&[][..], |tier| &tier.staff_attributes);
    let all = by_tier.iter().chain(&customer.staff_attributes).cloned();
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

impl CustomerReport {
    /// The report on a customer with so many open tickets.
    pub fn new(desk: &Desk, customer: &Customer, open_tickets: i64) -> Self {
        let tier = desk.catalogue.get(customer.tier.as_str());
        let framework = customer.framework.clone();
        let tier_ou = || {
            tier.filter(|_| customer.account_id.is_some())
                .map(|tier| tier.ou.clone())
        };
        Self {
            slug: customer.slug.clone(),
            name: customer.name.clone(),
            tier: customer.tier.clone(),
            framework: framework
                .or_else(|| tier.map(|t| t.framework.clone()))
                .unwrap_or_default(),
            monthly_price_cents: customer
                .monthly_price_cents
                .or_else(|| tier.map(|tier| tier.monthly_price.cents()))
                .unwrap_or_default(),
            status: customer.status,
            domains: customer.domains.clone(),
            contacts: customer.contacts.clone(),
            aws: AwsReport {
                account_id: customer.account_id.clone(),
                ou: customer.ou.clone().or_else(tier_ou),
            },
            open_tickets,
            prefix: customer.prefix.clone(),
            include_subdomains: customer.include_subdomains,
            staff_attributes: demanded(tier, customer),
            tags: customer.tags.clone(),
            chat_alias: (disclosure::level(tier) < Disclosure::Metadata)
                .then(|| disclosure::alias(customer.id)),
        }
    }
}
