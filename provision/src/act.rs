//! Changing the cloud, step by step, by what was just observed. Whatever is there already is left
//! alone, so that a step which was cut off goes on where it stopped.

use tierdesk_core::{
    cloud::{Cloud, CloudError, IdentityCenter, PolicyType, Tags},
    onboarding::{Desired, Observed, ObservedAccount, StepName},
};

/// A duplicate is what was wanted: somebody else was faster, or an answer was lost before.
fn settled(result: Result<(), CloudError>) -> Result<(), CloudError> {
    match result {
        Err(CloudError::AlreadyDone { .. }) => Ok(()),
        other => other,
    }
}

fn missing(what: &str) -> CloudError {
    CloudError::person(format!("{what} is missing, which an earlier step had seen"))
}

fn account(seen: &Observed) -> Result<&ObservedAccount, CloudError> {
    seen.account.as_ref().ok_or_else(|| missing("the account"))
}

/// The identity centre, which the first step had seen.
pub(crate) fn center(seen: &Observed) -> Result<&IdentityCenter, CloudError> {
    seen.center
        .as_ref()
        .ok_or_else(|| missing("the instance of IAM Identity Center"))
}

/// Does what a step lacks. Accounts and assignments have ways of their own.
pub(crate) async fn act(
    cloud: &dyn Cloud,
    step: StepName,
    desired: &Desired,
    seen: &Observed,
) -> Result<(), CloudError> {
    match step {
        StepName::TierOu => {
            let root = seen.root.as_ref().ok_or_else(|| missing("the root"))?;
            settled(cloud.create_unit(&root.id, &desired.ou).await.map(|_| ()))
        }
        StepName::TierScps => policies(cloud, desired, seen).await,
        StepName::Moved => {
            let account = account(seen)?;
            let unit = seen
                .unit
                .as_ref()
                .ok_or_else(|| missing("the tier's unit"))?;
            settled(
                cloud
                    .move_account(&account.id, &account.parent, &unit.id)
                    .await,
            )
        }
        StepName::Tagged => {
            let account = account(seen)?;
            let differs =
                |(key, value): &(&String, &String)| account.tags.get(*key) != Some(*value);
            let tags: Tags = desired
                .tags
                .iter()
                .filter(differs)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            cloud.tag(&account.id, &tags).await
        }
        StepName::PermissionSets => sets(cloud, desired, seen).await,
        StepName::Groups => {
            let center = center(seen)?;
            for group in desired.groups() {
                if !seen.groups.contains_key(group) {
                    settled(cloud.create_group(center, group).await.map(|_| ()))?;
                }
            }
            Ok(())
        }
        StepName::User => user(cloud, desired, seen).await,
        StepName::Validate
        | StepName::Account
        | StepName::AccountUsable
        | StepName::Assignments
        | StepName::Baseline
        | StepName::Directory
        | StepName::WelcomeMail => Ok(()),
    }
}

async fn policies(cloud: &dyn Cloud, desired: &Desired, seen: &Observed) -> Result<(), CloudError> {
    let root = seen.root.as_ref().ok_or_else(|| missing("the root"))?;
    let unit = seen
        .unit
        .as_ref()
        .ok_or_else(|| missing("the tier's unit"))?;
    if root.policies == PolicyType::Off {
        settled(cloud.enable_policies(&root.id).await)?;
    }
    for policy in &desired.policies {
        let found = seen.policies.iter().find(|found| found.name == policy.name);
        let id = match found {
            Some(found) if found.targets.contains(&unit.id) => continue,
            Some(found) => found.id.clone(),
            None => {
                let description = "Made by tierdesk for the customers of a tier";
                let made = cloud.create_policy(&policy.name, description, &policy.content);
                made.await?.id
            }
        };
        settled(cloud.attach_policy(&id, &unit.id).await)?;
    }
    Ok(())
}

async fn sets(cloud: &dyn Cloud, desired: &Desired, seen: &Observed) -> Result<(), CloudError> {
    let center = center(seen)?;
    for set in &desired.sets {
        let found = seen.sets.get(&set.name);
        let arn = match found {
            Some(found) => found.arn.clone(),
            None => cloud.create_permission_set(center, &set.spec()).await?.arn,
        };
        for policy in &set.managed_policies {
            if found.is_none_or(|found| !found.managed.contains(policy)) {
                settled(cloud.attach_managed_policy(center, &arn, policy).await)?;
            }
        }
        if let Some(policy) = &set.inline_policy
            && found.is_none_or(|found| found.inline.is_none())
        {
            cloud.put_inline_policy(center, &arn, policy).await?;
        }
    }
    Ok(())
}

async fn user(cloud: &dyn Cloud, desired: &Desired, seen: &Observed) -> Result<(), CloudError> {
    let center = center(seen)?;
    let Some(new) = desired.user() else {
        return Ok(());
    };
    let user = match &seen.user {
        Some(user) => user.clone(),
        None => cloud.create_user(center, &new).await?,
    };
    for group in desired.contact_groups() {
        if !seen.memberships.contains(group) {
            let id = seen.groups.get(group).ok_or_else(|| missing("a group"))?;
            settled(cloud.add_member(center, id, &user).await)?;
        }
    }
    Ok(())
}
