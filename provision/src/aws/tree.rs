//! The organisation, its root and its units.

use aws_sdk_organizations::types::{OrganizationFeatureSet, PolicyType as Kind, PolicyTypeStatus};
use tierdesk_core::cloud::{CloudError, Organization, PolicyType, Root, Unit};

use super::{
    AwsCloud,
    failure::{Call, change, every_page, read},
};

impl AwsCloud {
    pub(super) async fn describe_organization(&self) -> Result<Organization, CloudError> {
        let call = read("DescribeOrganization");
        let request = self.reading.organizations.describe_organization();
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        let found = call.part("Organization", answer.organization)?;
        let management = call.part("MasterAccountId", found.master_account_id)?;
        Ok(Organization {
            id: call.part("Id", found.id)?,
            management_account: call.part("MasterAccountId", management.parse().ok())?,
            has_all_features: found.feature_set == Some(OrganizationFeatureSet::All),
        })
    }

    pub(super) async fn only_root(&self) -> Result<Root, CloudError> {
        let request = self.reading.organizations.list_roots();
        let roots = every_page!("ListRoots", request, roots);
        let call = read("ListRoots");
        let root = call.part("root", roots.into_iter().next())?;
        let status = root.policy_types().iter().find_map(|known| {
            (known.r#type() == Some(&Kind::ServiceControlPolicy)).then(|| known.status())?
        });
        let policies = match status {
            Some(PolicyTypeStatus::Enabled) => PolicyType::On,
            Some(PolicyTypeStatus::PendingEnable) => PolicyType::Pending,
            _ => PolicyType::Off,
        };
        Ok(Root {
            id: call.part("Id", root.id)?,
            policies,
        })
    }

    pub(super) async fn turn_policies_on(&self, root: &str) -> Result<(), CloudError> {
        let request = self.changing().await?.organizations.enable_policy_type();
        let request = request
            .root_id(root)
            .policy_type(Kind::ServiceControlPolicy);
        let call = change("EnablePolicyType");
        request.send().await.map_err(|error| call.failed(error))?;
        Ok(())
    }

    pub(super) async fn list_units(&self, parent: &str) -> Result<Vec<Unit>, CloudError> {
        let client = &self.reading.organizations;
        let request = client
            .list_organizational_units_for_parent()
            .parent_id(parent);
        let units = every_page!(
            "ListOrganizationalUnitsForParent",
            request,
            organizational_units
        );
        let call = read("ListOrganizationalUnitsForParent");
        units.into_iter().map(|found| unit(call, found)).collect()
    }

    pub(super) async fn make_unit(&self, parent: &str, name: &str) -> Result<Unit, CloudError> {
        let client = &self.changing().await?.organizations;
        let request = client.create_organizational_unit();
        let request = request.parent_id(parent).name(name);
        let call = change("CreateOrganizationalUnit");
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        unit(
            call,
            call.part("OrganizationalUnit", answer.organizational_unit)?,
        )
    }
}

fn unit(
    call: Call,
    found: aws_sdk_organizations::types::OrganizationalUnit,
) -> Result<Unit, CloudError> {
    Ok(Unit {
        id: call.part("Id", found.id)?,
        name: call.part("Name", found.name)?,
    })
}
