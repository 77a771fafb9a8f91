//! The port's operations as operations of the machine.

use std::time::Duration;

use serde_json::Value;
use tierdesk_core::{
    cloud::{
        Assignment, AssignmentRequest, Cloud, CloudAccount, CloudFuture, Creation, IdentityCenter,
        NewAccount, NewUser, Organization, PermissionSet, PermissionSetSpec, Policy, PolicyType,
        Root, Tags, Unit,
    },
    customers::{AccountId, EmailAddress},
};

use super::{
    SCP, SimulatedCloud,
    answers::{
        account_id, by, creation, each, optional, permission_set, policy, request, tag_list, text,
        unit,
    },
};
use crate::simulated::{Email, MemberId, Operation, PersonName};

impl Cloud for SimulatedCloud {
    fn look_every(&self) -> Duration {
        Duration::from_secs(5) / self.times_faster()
    }

    fn times_faster(&self) -> u32 {
        self.pace.0.max(1)
    }

    fn organization(&self) -> CloudFuture<'_, Organization> {
        Box::pin(async move {
            let value = self.call(Operation::DescribeOrganization {}).await?;
            Ok(Organization {
                id: text(&value, "/Organization/Id")?,
                management_account: account_id(&value, "/Organization/MasterAccountId")?,
                has_all_features: value["Organization"]["FeatureSet"] == "ALL",
            })
        })
    }

    fn root(&self) -> CloudFuture<'_, Root> {
        Box::pin(async move {
            let value = self.call(Operation::ListRoots {}).await?;
            let policies = value["Roots"][0]["PolicyTypes"][0]["Status"].as_str();
            Ok(Root {
                id: text(&value, "/Roots/0/Id")?,
                policies: match policies {
                    Some("ENABLED") => PolicyType::On,
                    Some(_) => PolicyType::Pending,
                    None => PolicyType::Off,
                },
            })
        })
    }

    fn enable_policies<'c>(&'c self, root: &'c str) -> CloudFuture<'c, ()> {
        let (root_id, policy_type) = (root.to_owned(), SCP);
        self.does(Operation::EnablePolicyType {
            root_id,
            policy_type,
        })
    }

    fn units<'c>(&'c self, parent: &'c str) -> CloudFuture<'c, Vec<Unit>> {
        let parent_id = parent.to_owned();
        let operation = Operation::ListOrganizationalUnitsForParent { parent_id };
        Box::pin(async move { each(&self.call(operation).await?, "/OrganizationalUnits", unit) })
    }

    fn create_unit<'c>(&'c self, parent: &'c str, name: &'c str) -> CloudFuture<'c, Unit> {
        let (parent_id, name) = (parent.to_owned(), name.to_owned());
        let operation = Operation::CreateOrganizationalUnit { parent_id, name };
        Box::pin(async move { unit(&self.call(operation).await?["OrganizationalUnit"]) })
    }

    fn policies(&self) -> CloudFuture<'_, Vec<Policy>> {
        let operation = Operation::ListPolicies { filter: SCP };
        Box::pin(async move { each(&self.call(operation).await?, "/Policies", policy) })
    }

    fn policy_content<'c>(&'c self, policy: &'c str) -> CloudFuture<'c, String> {
        let policy_id = policy.to_owned();
        let operation = Operation::DescribePolicy { policy_id };
        Box::pin(async move { text(&self.call(operation).await?, "/Policy/Content") })
    }

    fn create_policy<'c>(
        &'c self,
        name: &'c str,
        description: &'c str,
        content: &'c str,
    ) -> CloudFuture<'c, Policy> {
        let operation = Operation::CreatePolicy {
            content: content.to_owned(),
            description: description.to_owned(),
            name: name.to_owned(),
            r#type: SCP,
        };
        Box::pin(async move { policy(&self.call(operation).await?["Policy"]["PolicySummary"]) })
    }

    fn attach_policy<'c>(&'c self, policy: &'c str, target: &'c str) -> CloudFuture<'c, ()> {
        self.does(Operation::AttachPolicy {
            policy_id: policy.to_owned(),
            target_id: target.to_owned(),
        })
    }

    fn attached_policies<'c>(&'c self, target: &'c str) -> CloudFuture<'c, Vec<Policy>> {
        let (target_id, filter) = (target.to_owned(), SCP);
        let operation = Operation::ListPoliciesForTarget { target_id, filter };
        Box::pin(async move { each(&self.call(operation).await?, "/Policies", policy) })
    }

    fn policy_targets<'c>(&'c self, policy: &'c str) -> CloudFuture<'c, Vec<String>> {
        let policy_id = policy.to_owned();
        let operation = Operation::ListTargetsForPolicy { policy_id };
        Box::pin(async move {
            let value = self.call(operation).await?;
            each(&value, "/Targets", |target| text(target, "/TargetId"))
        })
    }

    fn create_account<'c>(&'c self, account: &'c NewAccount) -> CloudFuture<'c, Creation> {
        let operation = Operation::CreateAccount {
            email: account.email.to_string(),
            account_name: account.name.clone(),
            role_name: Some(account.role.clone()),
            tags: tag_list(&account.tags),
        };
        Box::pin(async move { creation(&self.call(operation).await?["CreateAccountStatus"]) })
    }

    fn creation<'c>(&'c self, request: &'c str) -> CloudFuture<'c, Creation> {
        let create_account_request_id = request.to_owned();
        let operation = Operation::DescribeCreateAccountStatus {
            create_account_request_id,
        };
        Box::pin(async move { creation(&self.call(operation).await?["CreateAccountStatus"]) })
    }

    fn creations(&self) -> CloudFuture<'_, Vec<Creation>> {
        let operation = Operation::ListCreateAccountStatus { states: Vec::new() };
        Box::pin(async move {
            each(
                &self.call(operation).await?,
                "/CreateAccountStatuses",
                creation,
            )
        })
    }

    fn accounts(&self) -> CloudFuture<'_, Vec<CloudAccount>> {
        Box::pin(async move {
            let value = self.call(Operation::ListAccounts {}).await?;
            each(&value, "/Accounts", |account| {
                Ok(CloudAccount {
                    id: account_id(account, "/Id")?,
                    name: text(account, "/Name")?,
                    email: text(account, "/Email")?,
                    is_active: account["Status"] == "ACTIVE",
                })
            })
        })
    }

    fn parent<'c>(&'c self, account: &'c AccountId) -> CloudFuture<'c, String> {
        let child_id = account.to_string();
        let operation = Operation::ListParents { child_id };
        Box::pin(async move { text(&self.call(operation).await?, "/Parents/0/Id") })
    }

    fn move_account<'c>(
        &'c self,
        account: &'c AccountId,
        from: &'c str,
        to: &'c str,
    ) -> CloudFuture<'c, ()> {
        self.does(Operation::MoveAccount {
            account_id: account.to_string(),
            source_parent_id: from.to_owned(),
            destination_parent_id: to.to_owned(),
        })
    }

    fn tags<'c>(&'c self, account: &'c AccountId) -> CloudFuture<'c, Tags> {
        let resource_id = account.to_string();
        let operation = Operation::ListTagsForResource { resource_id };
        Box::pin(async move {
            let value = self.call(operation).await?;
            let pair = |tag: &Value| Ok((text(tag, "/Key")?, text(tag, "/Value")?));
            Ok(each(&value, "/Tags", pair)?.into_iter().collect())
        })
    }

    fn tag<'c>(&'c self, account: &'c AccountId, tags: &'c Tags) -> CloudFuture<'c, ()> {
        let (resource_id, tags) = (account.to_string(), tag_list(tags));
        self.does(Operation::TagResource { resource_id, tags })
    }

    fn check_usable<'c>(&'c self, account: &'c AccountId, role: &'c str) -> CloudFuture<'c, ()> {
        self.does(Operation::AssumeRole {
            role_arn: format!("arn:aws:iam::{account}:role/{role}"),
            role_session_name: "tierdesk".to_owned(),
        })
    }

    fn identity_center(&self) -> CloudFuture<'_, IdentityCenter> {
        Box::pin(async move {
            let value = self.call(Operation::ListInstances {}).await?;
            Ok(IdentityCenter {
                instance: text(&value, "/Instances/0/InstanceArn")?,
                store: text(&value, "/Instances/0/IdentityStoreId")?,
            })
        })
    }

    fn permission_sets<'c>(
        &'c self,
        center: &'c IdentityCenter,
    ) -> CloudFuture<'c, Vec<PermissionSet>> {
        Box::pin(async move {
            let instance_arn = center.instance.clone();
            let value = self
                .call(Operation::ListPermissionSets { instance_arn })
                .await?;
            let arn = |arn: &Value| text(arn, "");
            let mut sets = Vec::new();
            for permission_set_arn in each(&value, "/PermissionSets", arn)? {
                let instance_arn = center.instance.clone();
                let operation = Operation::DescribePermissionSet {
                    instance_arn,
                    permission_set_arn,
                };
                sets.push(permission_set(&self.call(operation).await?)?);
            }
            Ok(sets)
        })
    }

    fn permission_set_policies<'c>(
        &'c self,
        center: &'c IdentityCenter,
        set: &'c str,
    ) -> CloudFuture<'c, (Vec<String>, Option<String>)> {
        Box::pin(async move {
            let managed = Operation::ListManagedPoliciesInPermissionSet {
                instance_arn: center.instance.clone(),
                permission_set_arn: set.to_owned(),
            };
            let managed = self.call(managed).await?;
            let managed = each(&managed, "/AttachedManagedPolicies", |one| {
                text(one, "/Arn")
            })?;
            let inline = Operation::GetInlinePolicyForPermissionSet {
                instance_arn: center.instance.clone(),
                permission_set_arn: set.to_owned(),
            };
            let inline = text(&self.call(inline).await?, "/InlinePolicy")?;
            Ok((managed, Some(inline).filter(|policy| !policy.is_empty())))
        })
    }

    fn create_permission_set<'c>(
        &'c self,
        center: &'c IdentityCenter,
        spec: &'c PermissionSetSpec,
    ) -> CloudFuture<'c, PermissionSet> {
        let operation = Operation::CreatePermissionSet {
            instance_arn: center.instance.clone(),
            name: spec.name.clone(),
            description: Some(spec.description.clone()),
            session_duration: Some(spec.session_duration.clone()),
        };
        Box::pin(async move { permission_set(&self.call(operation).await?) })
    }

    fn attach_managed_policy<'c>(
        &'c self,
        center: &'c IdentityCenter,
        set: &'c str,
        policy: &'c str,
    ) -> CloudFuture<'c, ()> {
        self.does(Operation::AttachManagedPolicyToPermissionSet {
            instance_arn: center.instance.clone(),
            permission_set_arn: set.to_owned(),
            managed_policy_arn: policy.to_owned(),
        })
    }

    fn put_inline_policy<'c>(
        &'c self,
        center: &'c IdentityCenter,
        set: &'c str,
        policy: &'c str,
    ) -> CloudFuture<'c, ()> {
        self.does(Operation::PutInlinePolicyToPermissionSet {
            instance_arn: center.instance.clone(),
            permission_set_arn: set.to_owned(),
            inline_policy: policy.to_owned(),
        })
    }

    fn find_group<'c>(
        &'c self,
        center: &'c IdentityCenter,
        name: &'c str,
    ) -> CloudFuture<'c, Option<String>> {
        let operation = Operation::GetGroupId {
            identity_store_id: center.store.clone(),
            alternate_identifier: by("displayName", name),
        };
        Box::pin(async move { optional(self.call(operation).await, "/GroupId") })
    }

    fn create_group<'c>(
        &'c self,
        center: &'c IdentityCenter,
        name: &'c str,
    ) -> CloudFuture<'c, String> {
        let operation = Operation::CreateGroup {
            identity_store_id: center.store.clone(),
            display_name: name.to_owned(),
        };
        Box::pin(async move { text(&self.call(operation).await?, "/GroupId") })
    }

    fn find_user<'c>(
        &'c self,
        center: &'c IdentityCenter,
        name: &'c EmailAddress,
    ) -> CloudFuture<'c, Option<String>> {
        let operation = Operation::GetUserId {
            identity_store_id: center.store.clone(),
            alternate_identifier: by("userName", name.as_str()),
        };
        Box::pin(async move { optional(self.call(operation).await, "/UserId") })
    }

    fn create_user<'c>(
        &'c self,
        center: &'c IdentityCenter,
        user: &'c NewUser,
    ) -> CloudFuture<'c, String> {
        let operation = Operation::CreateUser {
            identity_store_id: center.store.clone(),
            user_name: user.address.to_string(),
            display_name: Some(user.display_name.clone()),
            name: Some(PersonName {
                given_name: Some(user.given_name.clone()),
                family_name: Some(user.family_name.clone()),
            }),
            emails: vec![Email {
                value: user.address.to_string(),
            }],
        };
        Box::pin(async move { text(&self.call(operation).await?, "/UserId") })
    }

    fn is_member<'c>(
        &'c self,
        center: &'c IdentityCenter,
        group: &'c str,
        user: &'c str,
    ) -> CloudFuture<'c, bool> {
        let operation = Operation::IsMemberInGroups {
            identity_store_id: center.store.clone(),
            member_id: MemberId {
                user_id: user.to_owned(),
            },
            group_ids: vec![group.to_owned()],
        };
        Box::pin(async move {
            let value = self.call(operation).await?;
            Ok(value["Results"][0]["MembershipExists"] == true)
        })
    }

    fn add_member<'c>(
        &'c self,
        center: &'c IdentityCenter,
        group: &'c str,
        user: &'c str,
    ) -> CloudFuture<'c, ()> {
        self.does(Operation::CreateGroupMembership {
            identity_store_id: center.store.clone(),
            group_id: group.to_owned(),
            member_id: MemberId {
                user_id: user.to_owned(),
            },
        })
    }

    fn assigned_groups<'c>(
        &'c self,
        center: &'c IdentityCenter,
        account: &'c AccountId,
        set: &'c str,
    ) -> CloudFuture<'c, Vec<String>> {
        let operation = Operation::ListAccountAssignments {
            instance_arn: center.instance.clone(),
            account_id: account.to_string(),
            permission_set_arn: set.to_owned(),
        };
        Box::pin(async move {
            let value = self.call(operation).await?;
            each(&value, "/AccountAssignments", |one| {
                text(one, "/PrincipalId")
            })
        })
    }

    fn assign<'c>(
        &'c self,
        center: &'c IdentityCenter,
        assignment: &'c Assignment,
    ) -> CloudFuture<'c, AssignmentRequest> {
        let operation = Operation::CreateAccountAssignment {
            instance_arn: center.instance.clone(),
            target_id: assignment.account.to_string(),
            target_type: "AWS_ACCOUNT".to_owned(),
            permission_set_arn: assignment.permission_set.clone(),
            principal_type: "GROUP".to_owned(),
            principal_id: assignment.group.clone(),
        };
        Box::pin(async move { request(&self.call(operation).await?) })
    }

    fn assignment<'c>(
        &'c self,
        center: &'c IdentityCenter,
        request_id: &'c str,
    ) -> CloudFuture<'c, AssignmentRequest> {
        let operation = Operation::DescribeAccountAssignmentCreationStatus {
            instance_arn: center.instance.clone(),
            account_assignment_creation_request_id: request_id.to_owned(),
        };
        Box::pin(async move { request(&self.call(operation).await?) })
    }
}
