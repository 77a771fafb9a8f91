//! The operations, in the wire format: `{"CreateAccount": {"Email": …}}` is the last part of
//! X-Amz-Target with the request's body. Paging parameters are ignored: answers are whole.

use serde::{Deserialize, Serialize};

/// Which of AWS's services an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// `AWSOrganizationsV20161128`.
    Organizations,
    /// `SWBExternalService`.
    IdentityCenter,
    /// `AWSIdentityStore`.
    IdentityStore,
    /// The security token service, which speaks another protocol.
    Sts,
}

/// A label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Which kind of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyFilter {
    /// The only kind that is simulated.
    #[serde(rename = "SERVICE_CONTROL_POLICY")]
    ServiceControlPolicy,
}

/// By what a user or group is looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AlternateIdentifier {
    /// The attribute.
    pub unique_attribute: UniqueAttribute,
}

/// An attribute that is unique in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UniqueAttribute {
    /// `userName` or `displayName`.
    pub attribute_path: String,
    /// Its value; a document type on the wire.
    pub attribute_value: serde_json::Value,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MemberId {
    /// The user.
    pub user_id: String,
}

/// A person's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PersonName {
    /// First.
    pub given_name: Option<String>,
    /// Last.
    pub family_name: Option<String>,
}

/// A person's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Email {
    /// The address.
    pub value: String,
}

/// Declares the operations with their service and whether they change anything.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident: $service:ident $changes:literal {
        $($(#[$fmeta:meta])* $field:ident: $type:ty),* $(,)?
    })+) => {
        /// An operation with its request.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all_fields = "PascalCase")]
        #[expect(missing_docs, reason = "the fields are those of AWS's API references")]
        pub enum Operation {
            $($(#[$doc])* $name { $($(#[$fmeta])* $field: $type),* },)+
        }
        impl Operation {
            /// Every operation's name.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];
            /// Its name.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$name { .. } => stringify!($name),)+ }
            }
            /// Where it belongs.
            pub const fn service(&self) -> Service {
                match self { $(Self::$name { .. } => Service::$service,)+ }
            }
            /// Whether it makes or changes something.
            pub const fn is_change(&self) -> bool {
                match self { $(Self::$name { .. } => $changes,)+ }
            }
        }
    };
}

operations! {
    /// The organisation.
    DescribeOrganization: Organizations false {}
    /// Its root.
    ListRoots: Organizations false {}
    /// Turns a kind of policy on.
    EnablePolicyType: Organizations true { root_id: String, policy_type: PolicyFilter }
    /// The units under one.
    ListOrganizationalUnitsForParent: Organizations false { parent_id: String }
    /// Makes a unit.
    CreateOrganizationalUnit: Organizations true { parent_id: String, name: String }
    /// All policies.
    ListPolicies: Organizations false { filter: PolicyFilter }
    /// One with its content.
    DescribePolicy: Organizations false { policy_id: String }
    /// Makes a policy.
    CreatePolicy: Organizations true {
        content: String, #[serde(default)] description: String, name: String, r#type: PolicyFilter,
    }
    /// Changes a policy.
    UpdatePolicy: Organizations true {
        policy_id: String, #[serde(default)] content: Option<String>,
    }
    /// Attaches a policy.
    AttachPolicy: Organizations true { policy_id: String, target_id: String }
    /// Detaches a policy.
    DetachPolicy: Organizations true { policy_id: String, target_id: String }
    /// What is attached to one.
    ListPoliciesForTarget: Organizations false { target_id: String, filter: PolicyFilter }
    /// What a policy is attached to.
    ListTargetsForPolicy: Organizations false { policy_id: String }
    /// Makes an account, in a while.
    CreateAccount: Organizations true {
        email: String, account_name: String, #[serde(default)] role_name: Option<String>,
        #[serde(default)] tags: Vec<Tag>,
    }
    /// How far that is.
    DescribeCreateAccountStatus: Organizations false { create_account_request_id: String }
    /// How far all are.
    ListCreateAccountStatus: Organizations false { #[serde(default)] states: Vec<String> }
    /// All accounts.
    ListAccounts: Organizations false {}
    /// What holds an account.
    ListParents: Organizations false { child_id: String }
    /// Moves an account.
    MoveAccount: Organizations true {
        account_id: String, source_parent_id: String, destination_parent_id: String,
    }
    /// Sets tags.
    TagResource: Organizations true { resource_id: String, tags: Vec<Tag> }
    /// Removes tags.
    UntagResource: Organizations true { resource_id: String, tag_keys: Vec<String> }
    /// Reads tags.
    ListTagsForResource: Organizations false { resource_id: String }
    /// Acts in an account.
    AssumeRole: Sts false { role_arn: String, #[serde(default)] role_session_name: String }
    /// The instances.
    ListInstances: IdentityCenter false {}
    /// The ARNs of all permission sets.
    ListPermissionSets: IdentityCenter false { instance_arn: String }
    /// One permission set.
    DescribePermissionSet: IdentityCenter false {
        instance_arn: String, permission_set_arn: String,
    }
    /// Makes a permission set.
    CreatePermissionSet: IdentityCenter true {
        instance_arn: String, name: String, #[serde(default)] description: Option<String>,
        #[serde(default)] session_duration: Option<String>,
    }
    /// Its managed policies.
    ListManagedPoliciesInPermissionSet: IdentityCenter false {
        instance_arn: String, permission_set_arn: String,
    }
    /// Adds a managed policy.
    AttachManagedPolicyToPermissionSet: IdentityCenter true {
        instance_arn: String, permission_set_arn: String, managed_policy_arn: String,
    }
    /// Its inline policy; empty where there is none.
    GetInlinePolicyForPermissionSet: IdentityCenter false {
        instance_arn: String, permission_set_arn: String,
    }
    /// Sets the inline policy.
    PutInlinePolicyToPermissionSet: IdentityCenter true {
        instance_arn: String, permission_set_arn: String, inline_policy: String,
    }
    /// Finds a group.
    GetGroupId: IdentityStore false {
        identity_store_id: String, alternate_identifier: AlternateIdentifier,
    }
    /// Makes a group.
    CreateGroup: IdentityStore true { identity_store_id: String, display_name: String }
    /// Finds a user.
    GetUserId: IdentityStore false {
        identity_store_id: String, alternate_identifier: AlternateIdentifier,
    }
    /// Makes a user.
    CreateUser: IdentityStore true {
        identity_store_id: String, user_name: String, #[serde(default)] display_name: Option<String>,
        #[serde(default)] name: Option<PersonName>, #[serde(default)] emails: Vec<Email>,
    }
    /// Whether a user is in groups.
    IsMemberInGroups: IdentityStore false {
        identity_store_id: String, member_id: MemberId, group_ids: Vec<String>,
    }
    /// Puts a user into a group.
    CreateGroupMembership: IdentityStore true {
        identity_store_id: String, group_id: String, member_id: MemberId,
    }
    /// Who has a permission set in an account.
    ListAccountAssignments: IdentityCenter false {
        instance_arn: String, account_id: String, permission_set_arn: String,
    }
    /// Assigns, in a while.
    CreateAccountAssignment: IdentityCenter true {
        instance_arn: String, target_id: String, target_type: String, permission_set_arn: String,
        principal_type: String, principal_id: String,
    }
    /// How far that is.
    DescribeAccountAssignmentCreationStatus: IdentityCenter false {
        instance_arn: String, account_assignment_creation_request_id: String,
    }
    /// Takes an assignment away; at once, where AWS takes a while.
    DeleteAccountAssignment: IdentityCenter true {
        instance_arn: String, target_id: String, target_type: String, permission_set_arn: String,
        principal_type: String, principal_id: String,
    }
}
