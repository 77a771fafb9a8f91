//! What was found in the cloud, as far as one customer is concerned.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cloud::{IdentityCenter, Organization, Root, Tags, Unit},
    customers::AccountId,
};

/// A policy that has the name of one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedPolicy {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its text.
    pub content: String,
    /// What it is attached to.
    pub targets: Vec<String>,
}

/// The account with the customer's root address, or the one that the directory names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedAccount {
    /// Its id.
    pub id: AccountId,
    /// Whether it works.
    pub is_active: bool,
    /// Its tags.
    pub tags: Tags,
    /// The root or unit that holds it.
    pub parent: String,
}

/// A permission set that has the name of one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedSet {
    /// Its ARN.
    pub arn: String,
    /// Its session duration.
    pub session_duration: String,
    /// Its managed policies, in order.
    pub managed: Vec<String>,
    /// Its own policy.
    pub inline: Option<String>,
}

/// What was found. A part that was not looked at is empty: [`super::decide`] is asked only about
/// steps whose part was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The organisation.
    pub organization: Option<Organization>,
    /// Its root.
    pub root: Option<Root>,
    /// The tier's unit.
    pub unit: Option<Unit>,
    /// Policies of our names.
    pub policies: Vec<ObservedPolicy>,
    /// How many policies the unit has that are neither ours nor Amazon's.
    pub foreign_policies: usize,
    /// The account.
    pub account: Option<ObservedAccount>,
    /// Whether the account's role can be assumed.
    pub is_usable: bool,
    /// The identity centre.
    pub center: Option<IdentityCenter>,
    /// Permission sets of our names.
    pub sets: BTreeMap<String, ObservedSet>,
    /// Groups of our names with their ids.
    pub groups: BTreeMap<String, String>,
    /// The contact's user.
    pub user: Option<String>,
    /// The names of our groups that the user is in.
    pub memberships: BTreeSet<String>,
    /// Permission set and group, by name, as assigned in the account.
    pub assignments: BTreeSet<(String, String)>,
}
