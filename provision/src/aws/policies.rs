//! Service control policies.

use aws_sdk_organizations::types::{PolicySummary, PolicyType};
use tierdesk_core::cloud::{CloudError, Policy};

use super::{
    AwsCloud,
    failure::{Call, change, every_page, read},
};

impl AwsCloud {
    pub(super) async fn list_policies(&self) -> Result<Vec<Policy>, CloudError> {
        let request = self.reading.organizations.list_policies();
        let request = request.filter(PolicyType::ServiceControlPolicy);
        let found = every_page!("ListPolicies", request, policies);
        let call = read("ListPolicies");
        found.into_iter().map(|one| policy(call, one)).collect()
    }

    pub(super) async fn read_policy(&self, id: &str) -> Result<String, CloudError> {
        let call = read("DescribePolicy");
        let request = self.reading.organizations.describe_policy().policy_id(id);
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        let found = call.part("Policy", answer.policy)?;
        call.part("Content", found.content)
    }

    pub(super) async fn make_policy(
        &self,
        name: &str,
        description: &str,
        content: &str,
    ) -> Result<Policy, CloudError> {
        let request = self.changing().await?.organizations.create_policy();
        let request = request
            .r#type(PolicyType::ServiceControlPolicy)
            .name(name)
            .description(description)
            .content(content);
        let call = change("CreatePolicy");
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        let made = call.part("Policy", answer.policy)?;
        policy(call, call.part("PolicySummary", made.policy_summary)?)
    }

    pub(super) async fn attach(&self, id: &str, target: &str) -> Result<(), CloudError> {
        let request = self.changing().await?.organizations.attach_policy();
        let request = request.policy_id(id).target_id(target);
        let call = change("AttachPolicy");
        request.send().await.map_err(|error| call.failed(error))?;
        Ok(())
    }

    pub(super) async fn list_attached(&self, target: &str) -> Result<Vec<Policy>, CloudError> {
        let request = self.reading.organizations.list_policies_for_target();
        let request = request
            .target_id(target)
            .filter(PolicyType::ServiceControlPolicy);
        let found = every_page!("ListPoliciesForTarget", request, policies);
        let call = read("ListPoliciesForTarget");
        found.into_iter().map(|one| policy(call, one)).collect()
    }

    pub(super) async fn list_targets(&self, id: &str) -> Result<Vec<String>, CloudError> {
        let request = self.reading.organizations.list_targets_for_policy();
        let found = every_page!("ListTargetsForPolicy", request.policy_id(id), targets);
        let call = read("ListTargetsForPolicy");
        let id = |target: aws_sdk_organizations::types::PolicyTargetSummary| {
            call.part("TargetId", target.target_id)
        };
        found.into_iter().map(id).collect()
    }
}

fn policy(call: Call, found: PolicySummary) -> Result<Policy, CloudError> {
    Ok(Policy {
        is_aws_managed: found.aws_managed(),
        id: call.part("Id", found.id)?,
        name: call.part("Name", found.name)?,
    })
}
