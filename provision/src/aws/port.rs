//! The port, line by line: what only looks has a limit over all its pages and tries; what changes
//! has the one of its only try.

use std::future::Future;

use tierdesk_core::{
    cloud::{
        Assignment, AssignmentRequest, Cloud, CloudAccount, CloudError, CloudFuture, Creation,
        Effect, IdentityCenter, NewAccount, NewUser, Organization, PermissionSet,
        PermissionSetSpec, Policy, Root, Tags, Unit,
    },
    customers::{AccountId, EmailAddress},
};

use super::AwsCloud;

impl AwsCloud {
    fn looking<'c, T: 'c>(
        &'c self,
        look: impl Future<Output = Result<T, CloudError>> + Send + 'c,
    ) -> CloudFuture<'c, T> {
        let limit = self.patience.read;
        Box::pin(async move {
            let late = |_| {
                let words = format!("AWS was not read to its end within {} s", limit.as_secs());
                CloudError::no_answer(Effect::Reads, words)
            };
            tokio::time::timeout(limit, look).await.map_err(late)?
        })
    }
}

impl Cloud for AwsCloud {
    fn organization(&self) -> CloudFuture<'_, Organization> {
        self.looking(self.describe_organization())
    }

    fn root(&self) -> CloudFuture<'_, Root> {
        self.looking(self.only_root())
    }

    fn enable_policies<'c>(&'c self, root: &'c str) -> CloudFuture<'c, ()> {
        Box::pin(self.turn_policies_on(root))
    }

    fn units<'c>(&'c self, parent: &'c str) -> CloudFuture<'c, Vec<Unit>> {
        self.looking(self.list_units(parent))
    }

    fn create_unit<'c>(&'c self, parent: &'c str, name: &'c str) -> CloudFuture<'c, Unit> {
        Box::pin(self.make_unit(parent, name))
    }

    fn policies(&self) -> CloudFuture<'_, Vec<Policy>> {
        self.looking(self.list_policies())
    }

    fn policy_content<'c>(&'c self, policy: &'c str) -> CloudFuture<'c, String> {
        self.looking(self.read_policy(policy))
    }

    fn create_policy<'c>(
        &'c self,
        name: &'c str,
        description: &'c str,
        content: &'c str,
    ) -> CloudFuture<'c, Policy> {
        Box::pin(self.make_policy(name, description, content))
    }

    fn attach_policy<'c>(&'c self, policy: &'c str, target: &'c str) -> CloudFuture<'c, ()> {
        Box::pin(self.attach(policy, target))
    }

    fn attached_policies<'c>(&'c self, target: &'c str) -> CloudFuture<'c, Vec<Policy>> {
        self.looking(self.list_attached(target))
    }

    fn policy_targets<'c>(&'c self, policy: &'c str) -> CloudFuture<'c, Vec<String>> {
        self.looking(self.list_targets(policy))
    }

    fn create_account<'c>(&'c self, account: &'c NewAccount) -> CloudFuture<'c, Creation> {
        Box::pin(self.make_account(account))
    }

    fn creation<'c>(&'c self, request: &'c str) -> CloudFuture<'c, Creation> {
        self.looking(self.describe_creation(request))
    }

    fn creations(&self) -> CloudFuture<'_, Vec<Creation>> {
        self.looking(self.list_creations())
    }

    fn accounts(&self) -> CloudFuture<'_, Vec<CloudAccount>> {
        self.looking(self.list_accounts())
    }

    fn parent<'c>(&'c self, account: &'c AccountId) -> CloudFuture<'c, String> {
        self.looking(self.find_parent(account))
    }

    fn move_account<'c>(
        &'c self,
        account: &'c AccountId,
        from: &'c str,
        to: &'c str,
    ) -> CloudFuture<'c, ()> {
        Box::pin(self.shift_account(account, from, to))
    }

    fn tags<'c>(&'c self, account: &'c AccountId) -> CloudFuture<'c, Tags> {
        self.looking(self.read_tags(account))
    }

    fn tag<'c>(&'c self, account: &'c AccountId, tags: &'c Tags) -> CloudFuture<'c, ()> {
        Box::pin(self.set_tags(account, tags))
    }

    fn check_usable<'c>(&'c self, account: &'c AccountId, role: &'c str) -> CloudFuture<'c, ()> {
        self.looking(self.try_role(account, role))
    }

    fn identity_center(&self) -> CloudFuture<'_, IdentityCenter> {
        self.looking(self.find_center())
    }

    fn permission_sets<'c>(
        &'c self,
        center: &'c IdentityCenter,
    ) -> CloudFuture<'c, Vec<PermissionSet>> {
        self.looking(self.list_sets(center))
    }

    fn permission_set_policies<'c>(
        &'c self,
        center: &'c IdentityCenter,
        set: &'c str,
    ) -> CloudFuture<'c, (Vec<String>, Option<String>)> {
        self.looking(self.read_set_policies(center, set))
    }

    fn create_permission_set<'c>(
        &'c self,
        center: &'c IdentityCenter,
        spec: &'c PermissionSetSpec,
    ) -> CloudFuture<'c, PermissionSet> {
        Box::pin(self.make_set(center, spec))
    }

    fn attach_managed_policy<'c>(
        &'c self,
        center: &'c IdentityCenter,
        set: &'c str,
        policy: &'c str,
    ) -> CloudFuture<'c, ()> {
        Box::pin(self.attach_managed(center, set, policy))
    }

    fn put_inline_policy<'c>(
        &'c self,
        center: &'c IdentityCenter,
        set: &'c str,
        policy: &'c str,
    ) -> CloudFuture<'c, ()> {
        Box::pin(self.put_inline(center, set, policy))
    }

    fn find_group<'c>(
        &'c self,
        center: &'c IdentityCenter,
        name: &'c str,
    ) -> CloudFuture<'c, Option<String>> {
        self.looking(self.look_up_group(center, name))
    }

    fn create_group<'c>(
        &'c self,
        center: &'c IdentityCenter,
        name: &'c str,
    ) -> CloudFuture<'c, String> {
        Box::pin(self.make_group(center, name))
    }

    fn find_user<'c>(
        &'c self,
        center: &'c IdentityCenter,
        name: &'c EmailAddress,
    ) -> CloudFuture<'c, Option<String>> {
        self.looking(self.look_up_user(center, name))
    }

    fn create_user<'c>(
        &'c self,
        center: &'c IdentityCenter,
        user: &'c NewUser,
    ) -> CloudFuture<'c, String> {
        Box::pin(self.make_user(center, user))
    }

    fn is_member<'c>(
        &'c self,
        center: &'c IdentityCenter,
        group: &'c str,
        user: &'c str,
    ) -> CloudFuture<'c, bool> {
        self.looking(self.look_up_member(center, group, user))
    }

    fn add_member<'c>(
        &'c self,
        center: &'c IdentityCenter,
        group: &'c str,
        user: &'c str,
    ) -> CloudFuture<'c, ()> {
        Box::pin(self.make_member(center, group, user))
    }

    fn assigned_groups<'c>(
        &'c self,
        center: &'c IdentityCenter,
        account: &'c AccountId,
        set: &'c str,
    ) -> CloudFuture<'c, Vec<String>> {
        self.looking(self.list_assigned(center, account, set))
    }

    fn assign<'c>(
        &'c self,
        center: &'c IdentityCenter,
        assignment: &'c Assignment,
    ) -> CloudFuture<'c, AssignmentRequest> {
        Box::pin(self.make_assignment(center, assignment))
    }

    fn assignment<'c>(
        &'c self,
        center: &'c IdentityCenter,
        request: &'c str,
    ) -> CloudFuture<'c, AssignmentRequest> {
        self.looking(self.describe_assignment(center, request))
    }
}
