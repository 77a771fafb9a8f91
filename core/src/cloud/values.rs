//! What the cloud's operations take and answer.

use super::Tags;
use crate::{
    clock::Timestamp,
    customers::{AccountId, EmailAddress},
    named::named_enum,
};

/// The organisation that the credentials belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// `o-…`.
    pub id: String,
    /// The account that owns it: no service control policy binds it.
    pub management_account: AccountId,
    /// Whether it has all features; with consolidated billing only there are no policies.
    pub has_all_features: bool,
}

/// The top of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// `r-…`.
    pub id: String,
    /// Whether service control policies are on.
    pub policies: PolicyType,
}

/// Whether a kind of policy is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyType {
    /// It is not, and policies cannot be made.
    Off,
    /// It will be.
    Pending,
    /// It is.
    On,
}

/// An organisational unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// `ou-…`.
    pub id: String,
    /// Unique under its parent.
    pub name: String,
}

/// A service control policy, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `p-…`.
    pub id: String,
    /// Unique in the organisation.
    pub name: String,
    /// Amazon's own: `FullAWSAccess`.
    pub is_aws_managed: bool,
}

/// An account to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// At most 50 characters. Unique by our own rule: creations are found again by it.
    pub name: String,
    /// The root user's address, unique in all of AWS.
    pub email: EmailAddress,
    /// The role that the management account gets in it.
    pub role: String,
    /// On the account from its first moment.
    pub tags: Tags,
}

named_enum! {
    /// Where the making of an account stands.
    pub enum CreationState as "state of an account's creation" {
        /// AWS works on it.
        InProgress = "IN_PROGRESS",
        /// The account exists.
        Succeeded = "SUCCEEDED",
        /// It does not, for the reason given.
        Failed = "FAILED",
    }
}

/// The making of an account: AWS keeps no e-mail address with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// `car-…`.
    pub id: String,
    /// The account's name as it was asked for.
    pub account_name: String,
    /// Where it stands.
    pub state: CreationState,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// The account, once it succeeded.
    pub account: Option<AccountId>,
    /// AWS's reason, when it failed: `EMAIL_ALREADY_EXISTS`.
    pub failure: Option<String>,
}

/// An account of the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudAccount {
    /// The id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// The root user's address, as AWS has it: compare without case.
    pub email: String,
    /// Whether it works: not suspended, not about to be closed.
    pub is_active: bool,
}

/// IAM Identity Center of the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityCenter {
    /// `arn:aws:sso:::instance/…`.
    pub instance: String,
    /// `d-…`: where its users and groups are.
    pub store: String,
}

/// A permission set that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionSet {
    /// Its ARN.
    pub arn: String,
    /// Unique in the instance.
    pub name: String,
    /// ISO 8601, as AWS writes it: `PT1H`.
    pub session_duration: String,
}

/// A permission set to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionSetSpec {
    /// At most 32 characters.
    pub name: String,
    /// For people.
    pub description: String,
    /// ISO 8601: `PT4H`.
    pub session_duration: String,
}

/// A user to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// The user name and the primary address.
    pub address: EmailAddress,
    /// Shown to people.
    pub display_name: String,
    /// AWS demands both names.
    pub given_name: String,
    /// AWS demands both names.
    pub family_name: String,
}

/// A group has a permission set in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Where.
    pub account: AccountId,
    /// The permission set's ARN.
    pub permission_set: String,
    /// The group's id.
    pub group: String,
}

/// An assignment that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentRequest {
    /// The request's id.
    pub id: String,
    /// Where it stands.
    pub state: CreationState,
    /// AWS's words, when it failed.
    pub failure: Option<String>,
}
