//! Looking at the cloud, as far as one customer is concerned. Nothing here changes anything.

use tierdesk_core::{
    cloud::{Cloud, CloudError, IdentityCenter},
    customers::AccountId,
    onboarding::{Desired, Observed, ObservedAccount, ObservedPolicy, ObservedSet, StepName},
};

/// A part of the picture; those that a part builds on are looked at with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The organisation.
    Organization,
    /// The root and the tier's unit.
    Unit,
    /// Policies of our names.
    Policies,
    /// The account.
    Account,
    /// Whether its role works.
    Usable,
    /// The identity centre.
    Center,
    /// Permission sets of our names.
    Sets,
    /// Groups of our names.
    Groups,
    /// The contact's user and memberships.
    User,
    /// Who has what in the account.
    Assignments,
}

impl Part {
    /// The whole picture.
    pub const ALL: &'static [Self] = &[
        Self::Organization,
        Self::Unit,
        Self::Policies,
        Self::Account,
        Self::Usable,
        Self::Center,
        Self::Sets,
        Self::Groups,
        Self::User,
        Self::Assignments,
    ];

    /// What a step needs to see.
    pub(crate) const fn of(step: StepName) -> &'static [Self] {
        match step {
            StepName::Validate => Self::ALL,
            StepName::TierOu => &[Self::Unit],
            StepName::TierScps => &[Self::Unit, Self::Policies],
            StepName::Account | StepName::Tagged => &[Self::Account],
            StepName::AccountUsable => &[Self::Account, Self::Usable],
            StepName::Moved => &[Self::Unit, Self::Account],
            StepName::PermissionSets => &[Self::Center, Self::Sets],
            StepName::Groups => &[Self::Center, Self::Groups],
            StepName::User => &[Self::Center, Self::Groups, Self::User],
            StepName::Assignments => &[
                Self::Account,
                Self::Center,
                Self::Sets,
                Self::Groups,
                Self::Assignments,
            ],
            StepName::Baseline | StepName::Directory | StepName::WelcomeMail => &[],
        }
    }
}

/// Looks at these parts. `account` is the customer's account where it is known; else the one with
/// its root address is looked for.
pub async fn observe(
    cloud: &dyn Cloud,
    desired: &Desired,
    account: Option<&AccountId>,
    parts: &[Part],
) -> Result<Observed, CloudError> {
    let mut seen = Observed::default();
    let wants = |part| parts.contains(&part);
    if wants(Part::Organization) {
        seen.organization = Some(cloud.organization().await?);
    }
    if wants(Part::Unit) {
        let root = cloud.root().await?;
        let units = cloud.units(&root.id).await?;
        seen.unit = units.into_iter().find(|unit| unit.name == desired.ou);
        seen.root = Some(root);
    }
    if wants(Part::Policies) {
        policies(cloud, desired, &mut seen).await?;
    }
    if wants(Part::Account) {
        seen.account = find_account(cloud, desired, account).await?;
    }
    if wants(Part::Usable)
        && let Some(account) = &seen.account
    {
        seen.is_usable = is_usable(cloud, &account.id).await?;
    }
    if wants(Part::Center) {
        seen.center = center(cloud).await?;
    }
    if let Some(center) = seen.center.clone() {
        access(cloud, desired, &center, parts, &mut seen).await?;
    }
    Ok(seen)
}

async fn policies(
    cloud: &dyn Cloud,
    desired: &Desired,
    seen: &mut Observed,
) -> Result<(), CloudError> {
    let is_ours = |name: &str| desired.policies.iter().any(|policy| policy.name == name);
    for policy in cloud.policies().await? {
        if !is_ours(&policy.name) {
            continue;
        }
        seen.policies.push(ObservedPolicy {
            content: cloud.policy_content(&policy.id).await?,
            targets: cloud.policy_targets(&policy.id).await?,
            id: policy.id,
            name: policy.name,
        });
    }
    if let Some(unit) = &seen.unit {
        let attached = cloud.attached_policies(&unit.id).await?;
        let foreign = attached
            .iter()
            .filter(|policy| !policy.is_aws_managed && !is_ours(&policy.name));
        seen.foreign_policies = foreign.count();
    }
    Ok(())
}

async fn find_account(
    cloud: &dyn Cloud,
    desired: &Desired,
    account: Option<&AccountId>,
) -> Result<Option<ObservedAccount>, CloudError> {
    let accounts = cloud.accounts().await?;
    let found = accounts.into_iter().find(|one| match account {
        Some(id) => one.id == *id,
        None => one.email.eq_ignore_ascii_case(desired.root_email.as_str()),
    });
    let Some(found) = found else {
        return Ok(None);
    };
    Ok(Some(ObservedAccount {
        tags: cloud.tags(&found.id).await?,
        parent: cloud.parent(&found.id).await?,
        is_active: found.is_active,
        id: found.id,
    }))
}

async fn is_usable(cloud: &dyn Cloud, account: &AccountId) -> Result<bool, CloudError> {
    let role = tierdesk_core::onboarding::MANAGED_ROLE;
    match cloud.check_usable(account, role).await {
        Ok(()) => Ok(true),
        Err(CloudError::WaitAndRetry { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// An organisation without IAM Identity Center is a finding, no fault.
async fn center(cloud: &dyn Cloud) -> Result<Option<IdentityCenter>, CloudError> {
    match cloud.identity_center().await {
        Ok(center) => Ok(Some(center)),
        Err(CloudError::NeedsPerson { reason }) => {
            tracing::warn!(reason, "IAM Identity Center was not found");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn access(
    cloud: &dyn Cloud,
    desired: &Desired,
    center: &IdentityCenter,
    parts: &[Part],
    seen: &mut Observed,
) -> Result<(), CloudError> {
    let wants = |part| parts.contains(&part);
    if wants(Part::Sets) {
        for set in cloud.permission_sets(center).await? {
            if desired.sets.iter().all(|ours| ours.name != set.name) {
                continue;
            }
            let (mut managed, inline) = cloud.permission_set_policies(center, &set.arn).await?;
            managed.sort();
            let found = ObservedSet {
                arn: set.arn,
                session_duration: set.session_duration,
                managed,
                inline: inline.filter(|policy| !policy.is_empty()),
            };
            seen.sets.insert(set.name, found);
        }
    }
    if wants(Part::Groups) {
        for group in desired.groups() {
            if let Some(id) = cloud.find_group(center, group).await? {
                seen.groups.insert(group.to_owned(), id);
            }
        }
    }
    if wants(Part::User)
        && let Some(contact) = &desired.contact
    {
        seen.user = cloud.find_user(center, contact).await?;
        if let Some(user) = &seen.user {
            for group in desired.contact_groups() {
                if let Some(id) = seen.groups.get(group)
                    && cloud.is_member(center, id, user).await?
                {
                    seen.memberships.insert(group.to_owned());
                }
            }
        }
    }
    if wants(Part::Assignments)
        && let Some(account) = &seen.account
    {
        for set in &desired.sets {
            let (Some(found), Some(group)) =
                (seen.sets.get(&set.name), seen.groups.get(&set.group))
            else {
                continue;
            };
            let groups = cloud
                .assigned_groups(center, &account.id, &found.arn)
                .await?;
            if groups.contains(group) {
                let pair = (set.name.clone(), set.group.clone());
                seen.assignments.insert(pair);
            }
        }
    }
    Ok(())
}
