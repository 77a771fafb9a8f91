//! What a customer of a tier is to have in the cloud.

use serde::Serialize;
use serde_json::Value;

use super::{AccessSet, Blueprint, BlueprintError, Params};
use crate::{
    cloud::{NewUser, PermissionSetSpec, Tags},
    customers::{EmailAddress, Slug},
    tiers::Tier,
};

/// Says whose account it is. An account with it and our customer's slug may be adopted.
pub const TAG_CUSTOMER: &str = "tierdesk:customer";
/// Says which run made the account.
pub const TAG_RUN: &str = "tierdesk:run";
/// The role that the management account gets in each account, named explicitly.
pub const MANAGED_ROLE: &str = "OrganizationAccountAccessRole";

/// A policy by content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DesiredPolicy {
    /// Unique in the organisation.
    pub name: String,
    /// Minified.
    pub content: String,
}

/// What a customer is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The organisation that may be changed; `None` in the simulated cloud.
    pub organization_id: Option<String>,
    /// The customer.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// The tier's name.
    pub tier: String,
    /// The unit, directly under the root.
    pub ou: String,
    /// The unit's policies.
    pub policies: Vec<DesiredPolicy>,
    /// The account's root address.
    pub root_email: EmailAddress,
    /// The person who gets access.
    pub contact: Option<EmailAddress>,
    /// The account's tags, without the run's.
    pub tags: Tags,
    /// Permission sets, their groups with the slug filled in.
    pub sets: Vec<AccessSet>,
}

impl Desired {
    /// What this customer of this tier is to have.
    pub fn new(
        blueprint: &Blueprint,
        tier: &Tier,
        params: &Params,
        root_email: EmailAddress,
    ) -> Result<Self, BlueprintError> {
        blueprint.check([tier])?;
        let policy = |name: &String| DesiredPolicy {
            name: name.clone(),
            content: blueprint.policies[name].clone(),
        };
        let set = |name: &String| {
            let set = blueprint.access[name].clone();
            AccessSet {
                group: set.group.replace("{slug}", params.slug.as_str()),
                ..set
            }
        };
        let mut tags = Tags::from([
            (TAG_CUSTOMER.to_owned(), params.slug.to_string()),
            ("tierdesk:tier".to_owned(), tier.slug.to_string()),
            ("tierdesk:framework".to_owned(), tag_value(&tier.framework)),
        ]);
        if let Some(prefix) = &params.prefix {
            tags.insert("tierdesk:prefix".to_owned(), prefix.to_string());
        }
        Ok(Self {
            organization_id: blueprint.organization_id.clone(),
            slug: params.slug.clone(),
            name: params.name.clone(),
            tier: tier.slug.to_string(),
            ou: tier.ou.clone(),
            policies: tier.scps.iter().map(policy).collect(),
            root_email,
            contact: Some(params.contact.clone()),
            tags,
            sets: tier.permission_sets.iter().map(set).collect(),
        })
    }

    /// The names of all groups, each once.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = self.sets.iter().map(|set| set.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The names of the groups that the contact belongs to.
    pub fn contact_groups(&self) -> Vec<&str> {
        let with = self.sets.iter().filter(|set| set.has_contact);
        let mut groups: Vec<&str> = with.map(|set| set.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The account's name: at most 50 characters, unique by the run's last digits, so that a
    /// creation is found again by it.
    pub fn account_name(&self, run: &str) -> String {
        let digits: Vec<char> = run.chars().filter(char::is_ascii_hexdigit).collect();
        let tail: String = digits[digits.len().saturating_sub(8)..].iter().collect();
        format!("{}-{tail}", self.slug)
    }

    /// The contact's user.
    pub fn user(&self) -> Option<NewUser> {
        let address = self.contact.clone()?;
        Some(NewUser {
            display_name: format!("{} ({})", address.local(), self.name),
            given_name: address.local().to_owned(),
            family_name: self.name.clone(),
            address,
        })
    }

    /// What a plan commits to, besides what was found.
    pub fn content(&self) -> Value {
        let sets: Vec<Value> = self
            .sets
            .iter()
            .map(|set| {
                serde_json::json!([
                    set.name,
                    set.session_duration,
                    set.managed_policies,
                    set.inline_policy,
                    set.group,
                    set.has_contact
                ])
            })
            .collect();
        serde_json::json!({
            "organization": self.organization_id, "slug": self.slug, "name": self.name,
            "tier": self.tier, "ou": self.ou, "policies": self.policies,
            "root_email": self.root_email, "contact": self.contact, "tags": self.tags,
            "sets": sets,
        })
    }
}

impl AccessSet {
    /// The permission set to be made.
    pub fn spec(&self) -> PermissionSetSpec {
        PermissionSetSpec {
            name: self.name.clone(),
            description: self.description.clone(),
            session_duration: self.session_duration.clone(),
        }
    }
}

/// AWS takes letters, digits, spaces and a few signs.
fn tag_value(text: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    text.chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect()
}

/// JSON without white space and with its keys in order: equal exactly where two texts mean the
/// same.
pub fn canonical(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(value.to_string())
}
