//! The cloud as the desk sees it: what an onboarding reads and changes, shaped as AWS Organizations
//! and IAM Identity Center are, without their pages and request objects.
//!
//! [`Cloud`] is a port: only handlers of jobs and `onboard verify` call it, never inside a unit of
//! work. Its errors are retry decisions ([`CloudError`]), so that no caller reads an error's text.
//! Every implementation answers each call within its own time limit; a call without an answer is
//! [`CloudError::UnknownOutcome`] where it may have acted.
//!
//! To add an operation: a method here, its answer in `cloud/values.rs`, and the same in the
//! simulated cloud and in the AWS adapter (crate `provision`).

mod error;
mod values;

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};

pub use error::{CloudError, Effect, classify, creation_failure};
pub use values::{
    Assignment, AssignmentRequest, CloudAccount, Creation, CreationState, IdentityCenter,
    NewAccount, NewUser, Organization, PermissionSet, PermissionSetSpec, Policy, PolicyType, Root,
    Unit,
};

use crate::customers::{AccountId, EmailAddress};

/// What a call answers, boxed so that real and simulated clouds stand behind one pointer.
pub type CloudFuture<'c, T> = Pin<Box<dyn Future<Output = Result<T, CloudError>> + Send + 'c>>;

/// Labels of a resource.
pub type Tags = BTreeMap<String, String>;

/// An organisation with its identity centre. Reads return everything, whatever the pages.
pub trait Cloud: Send + Sync {
    /// How often something that takes a while is looked at.
    fn look_every(&self) -> Duration {
        Duration::from_secs(5)
    }
    /// How much quicker than AWS this cloud is: 1 for AWS itself.
    fn times_faster(&self) -> u32 {
        1
    }

    /// DescribeOrganization.
    fn organization(&self) -> CloudFuture<'_, Organization>;
    /// ListRoots: an organisation has one.
    fn root(&self) -> CloudFuture<'_, Root>;
    /// EnablePolicyType for service control policies.
    fn enable_policies<'c>(&'c self, root: &'c str) -> CloudFuture<'c, ()>;

    /// ListOrganizationalUnitsForParent.
    fn units<'c>(&'c self, parent: &'c str) -> CloudFuture<'c, Vec<Unit>>;
    /// CreateOrganizationalUnit.
    fn create_unit<'c>(&'c self, parent: &'c str, name: &'c str) -> CloudFuture<'c, Unit>;

    /// ListPolicies, service control policies only; without their content.
    fn policies(&self) -> CloudFuture<'_, Vec<Policy>>;
    /// DescribePolicy: its content.
    fn policy_content<'c>(&'c self, policy: &'c str) -> CloudFuture<'c, String>;
    /// CreatePolicy. `content` is minified JSON.
    fn create_policy<'c>(
        &'c self,
        name: &'c str,
        description: &'c str,
        content: &'c str,
    ) -> CloudFuture<'c, Policy>;
    /// AttachPolicy to a root, unit or account.
    fn attach_policy<'c>(&'c self, policy: &'c str, target: &'c str) -> CloudFuture<'c, ()>;
    /// ListPoliciesForTarget, service control policies attached directly.
    fn attached_policies<'c>(&'c self, target: &'c str) -> CloudFuture<'c, Vec<Policy>>;
    /// ListTargetsForPolicy: the ids of what it is attached to.
    fn policy_targets<'c>(&'c self, policy: &'c str) -> CloudFuture<'c, Vec<String>>;

    /// CreateAccount, sent once: it has no client token, so nobody below may send it again.
    fn create_account<'c>(&'c self, account: &'c NewAccount) -> CloudFuture<'c, Creation>;
    /// DescribeCreateAccountStatus.
    fn creation<'c>(&'c self, request: &'c str) -> CloudFuture<'c, Creation>;
    /// ListCreateAccountStatus, all states.
    fn creations(&self) -> CloudFuture<'_, Vec<Creation>>;
    /// ListAccounts.
    fn accounts(&self) -> CloudFuture<'_, Vec<CloudAccount>>;
    /// ListParents: the id of the root or unit that holds the account.
    fn parent<'c>(&'c self, account: &'c AccountId) -> CloudFuture<'c, String>;
    /// MoveAccount.
    fn move_account<'c>(
        &'c self,
        account: &'c AccountId,
        from: &'c str,
        to: &'c str,
    ) -> CloudFuture<'c, ()>;
    /// ListTagsForResource.
    fn tags<'c>(&'c self, account: &'c AccountId) -> CloudFuture<'c, Tags>;
    /// TagResource; values of tags that exist are replaced, others stay.
    fn tag<'c>(&'c self, account: &'c AccountId, tags: &'c Tags) -> CloudFuture<'c, ()>;
    /// AssumeRole of `role` in the account. A new account answers [`CloudError::WaitAndRetry`] for
    /// some minutes, with codes that mean refusal anywhere else.
    fn check_usable<'c>(&'c self, account: &'c AccountId, role: &'c str) -> CloudFuture<'c, ()>;

    /// ListInstances: the organisation's own instance.
    fn identity_center(&self) -> CloudFuture<'_, IdentityCenter>;
    /// ListPermissionSets with DescribePermissionSet for each: names and session durations only.
    /// Dear in an organisation with hundreds of sets, so ask once and keep the ARNs.
    fn permission_sets<'c>(
        &'c self,
        center: &'c IdentityCenter,
    ) -> CloudFuture<'c, Vec<PermissionSet>>;
    /// ListManagedPoliciesInPermissionSet and GetInlinePolicyForPermissionSet.
    fn permission_set_policies<'c>(
        &'c self,
        center: &'c IdentityCenter,
        set: &'c str,
    ) -> CloudFuture<'c, (Vec<String>, Option<String>)>;
    /// CreatePermissionSet. The session duration is always sent.
    fn create_permission_set<'c>(
        &'c self,
        center: &'c IdentityCenter,
        spec: &'c PermissionSetSpec,
    ) -> CloudFuture<'c, PermissionSet>;
    /// AttachManagedPolicyToPermissionSet.
    fn attach_managed_policy<'c>(
        &'c self,
        center: &'c IdentityCenter,
        set: &'c str,
        policy: &'c str,
    ) -> CloudFuture<'c, ()>;
    /// PutInlinePolicyToPermissionSet.
    fn put_inline_policy<'c>(
        &'c self,
        center: &'c IdentityCenter,
        set: &'c str,
        policy: &'c str,
    ) -> CloudFuture<'c, ()>;

    /// GetGroupId by display name.
    fn find_group<'c>(
        &'c self,
        center: &'c IdentityCenter,
        name: &'c str,
    ) -> CloudFuture<'c, Option<String>>;
    /// CreateGroup: its id.
    fn create_group<'c>(
        &'c self,
        center: &'c IdentityCenter,
        name: &'c str,
    ) -> CloudFuture<'c, String>;
    /// GetUserId by user name.
    fn find_user<'c>(
        &'c self,
        center: &'c IdentityCenter,
        name: &'c EmailAddress,
    ) -> CloudFuture<'c, Option<String>>;
    /// CreateUser: its id.
    fn create_user<'c>(
        &'c self,
        center: &'c IdentityCenter,
        user: &'c NewUser,
    ) -> CloudFuture<'c, String>;
    /// IsMemberInGroups, for one group.
    fn is_member<'c>(
        &'c self,
        center: &'c IdentityCenter,
        group: &'c str,
        user: &'c str,
    ) -> CloudFuture<'c, bool>;
    /// CreateGroupMembership.
    fn add_member<'c>(
        &'c self,
        center: &'c IdentityCenter,
        group: &'c str,
        user: &'c str,
    ) -> CloudFuture<'c, ()>;

    /// ListAccountAssignments of one permission set in one account: the ids of its groups.
    fn assigned_groups<'c>(
        &'c self,
        center: &'c IdentityCenter,
        account: &'c AccountId,
        set: &'c str,
    ) -> CloudFuture<'c, Vec<String>>;
    /// CreateAccountAssignment for a group.
    fn assign<'c>(
        &'c self,
        center: &'c IdentityCenter,
        assignment: &'c Assignment,
    ) -> CloudFuture<'c, AssignmentRequest>;
    /// DescribeAccountAssignmentCreationStatus.
    fn assignment<'c>(
        &'c self,
        center: &'c IdentityCenter,
        request: &'c str,
    ) -> CloudFuture<'c, AssignmentRequest>;
}
