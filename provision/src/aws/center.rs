//! IAM Identity Center: the instance, permission sets, and who has them where.

use aws_sdk_ssoadmin::types::{
    AccountAssignmentOperationStatus, PrincipalType, StatusValues, TargetType,
};
use tierdesk_core::{
    cloud::{
        Assignment, AssignmentRequest, CloudError, CreationState, IdentityCenter, PermissionSet,
        PermissionSetSpec,
    },
    customers::AccountId,
};

use super::{
    AwsCloud,
    failure::{Call, change, every_page, read},
};

impl AwsCloud {
    /// A member account may have an instance of its own, which a list shows as well.
    pub(super) async fn find_center(&self) -> Result<IdentityCenter, CloudError> {
        let request = self.reading.center.list_instances();
        let found = every_page!("ListInstances", request, instances);
        let management = &self.known_organization().await?.management_account;
        let is_ours = |owner: Option<&str>| owner == Some(management.as_str());
        let ours = found
            .into_iter()
            .find(|one| is_ours(one.owner_account_id()));
        let Some(ours) = ours else {
            return Err(CloudError::person(format!(
                "ListInstances: account {management} has no IAM Identity Center in the region that \
                 aws.sso_region names. Enable it there, or name the region where it is enabled"
            )));
        };
        let call = read("ListInstances");
        Ok(IdentityCenter {
            instance: call.part("InstanceArn", ours.instance_arn)?,
            store: call.part("IdentityStoreId", ours.identity_store_id)?,
        })
    }

    /// AWS has no search by name: one more call for each set.
    pub(super) async fn list_sets(
        &self,
        center: &IdentityCenter,
    ) -> Result<Vec<PermissionSet>, CloudError> {
        let client = &self.reading.center;
        let request = client.list_permission_sets().instance_arn(&center.instance);
        let arns = every_page!("ListPermissionSets", request, permission_sets);
        let call = read("DescribePermissionSet");
        let mut sets = Vec::with_capacity(arns.len());
        for arn in arns {
            let request = client
                .describe_permission_set()
                .instance_arn(&center.instance)
                .permission_set_arn(arn);
            let answer = request.send().await.map_err(|error| call.failed(error))?;
            sets.push(set(call, answer.permission_set)?);
        }
        Ok(sets)
    }

    pub(super) async fn read_set_policies(
        &self,
        center: &IdentityCenter,
        set: &str,
    ) -> Result<(Vec<String>, Option<String>), CloudError> {
        let client = &self.reading.center;
        let request = client
            .list_managed_policies_in_permission_set()
            .instance_arn(&center.instance)
            .permission_set_arn(set);
        let found = every_page!(
            "ListManagedPoliciesInPermissionSet",
            request,
            attached_managed_policies
        );
        let managed = found.into_iter().filter_map(|policy| policy.arn).collect();
        let call = read("GetInlinePolicyForPermissionSet");
        let request = client
            .get_inline_policy_for_permission_set()
            .instance_arn(&center.instance)
            .permission_set_arn(set);
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        let inline = answer.inline_policy.filter(|policy| !policy.is_empty());
        Ok((managed, inline))
    }

    pub(super) async fn make_set(
        &self,
        center: &IdentityCenter,
        spec: &PermissionSetSpec,
    ) -> Result<PermissionSet, CloudError> {
        let request = self.changing().await?.center.create_permission_set();
        let request = request
            .instance_arn(&center.instance)
            .name(&spec.name)
            .description(&spec.description)
            .session_duration(&spec.session_duration);
        let call = change("CreatePermissionSet");
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        set(call, answer.permission_set)
    }

    pub(super) async fn attach_managed(
        &self,
        center: &IdentityCenter,
        set: &str,
        policy: &str,
    ) -> Result<(), CloudError> {
        let client = &self.changing().await?.center;
        let request = client
            .attach_managed_policy_to_permission_set()
            .instance_arn(&center.instance)
            .permission_set_arn(set)
            .managed_policy_arn(policy);
        let call = change("AttachManagedPolicyToPermissionSet");
        request.send().await.map_err(|error| call.failed(error))?;
        Ok(())
    }

    pub(super) async fn put_inline(
        &self,
        center: &IdentityCenter,
        set: &str,
        policy: &str,
    ) -> Result<(), CloudError> {
        let client = &self.changing().await?.center;
        let request = client
            .put_inline_policy_to_permission_set()
            .instance_arn(&center.instance)
            .permission_set_arn(set)
            .inline_policy(policy);
        let call = change("PutInlinePolicyToPermissionSet");
        request.send().await.map_err(|error| call.failed(error))?;
        Ok(())
    }

    pub(super) async fn list_assigned(
        &self,
        center: &IdentityCenter,
        account: &AccountId,
        set: &str,
    ) -> Result<Vec<String>, CloudError> {
        let request = self.reading.center.list_account_assignments();
        let request = request
            .instance_arn(&center.instance)
            .account_id(account.as_str())
            .permission_set_arn(set);
        let found = every_page!("ListAccountAssignments", request, account_assignments);
        let groups = found
            .into_iter()
            .filter(|one| one.principal_type() == Some(&PrincipalType::Group))
            .filter_map(|one| one.principal_id);
        Ok(groups.collect())
    }

    pub(super) async fn make_assignment(
        &self,
        center: &IdentityCenter,
        assignment: &Assignment,
    ) -> Result<AssignmentRequest, CloudError> {
        let client = &self.changing().await?.center;
        let request = client
            .create_account_assignment()
            .instance_arn(&center.instance)
            .target_type(TargetType::AwsAccount)
            .target_id(assignment.account.as_str())
            .permission_set_arn(&assignment.permission_set)
            .principal_type(PrincipalType::Group)
            .principal_id(&assignment.group);
        let call = change("CreateAccountAssignment");
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        asked(call, answer.account_assignment_creation_status)
    }

    pub(super) async fn describe_assignment(
        &self,
        center: &IdentityCenter,
        request: &str,
    ) -> Result<AssignmentRequest, CloudError> {
        let client = &self.reading.center;
        let question = client
            .describe_account_assignment_creation_status()
            .instance_arn(&center.instance)
            .account_assignment_creation_request_id(request);
        let call = read("DescribeAccountAssignmentCreationStatus");
        let answer = question.send().await.map_err(|error| call.failed(error))?;
        asked(call, answer.account_assignment_creation_status)
    }
}

fn set(
    call: Call,
    found: Option<aws_sdk_ssoadmin::types::PermissionSet>,
) -> Result<PermissionSet, CloudError> {
    let found = call.part("PermissionSet", found)?;
    Ok(PermissionSet {
        arn: call.part("PermissionSetArn", found.permission_set_arn)?,
        name: call.part("Name", found.name)?,
        session_duration: call.part("SessionDuration", found.session_duration)?,
    })
}

fn asked(
    call: Call,
    found: Option<AccountAssignmentOperationStatus>,
) -> Result<AssignmentRequest, CloudError> {
    let found = call.part("AccountAssignmentCreationStatus", found)?;
    let state = match call.part("Status", found.status)? {
        StatusValues::InProgress => CreationState::InProgress,
        StatusValues::Succeeded => CreationState::Succeeded,
        StatusValues::Failed => CreationState::Failed,
        other => return Err(call.incomplete(&format!("status that is known, but {other}"))),
    };
    Ok(AssignmentRequest {
        id: call.part("RequestId", found.request_id)?,
        state,
        failure: found.failure_reason,
    })
}
