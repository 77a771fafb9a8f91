//! Every operation of the port once, in the order of an onboarding, with what AWS must answer on
//! the way. The same walk is made at our own server and at moto.

use tierdesk_core::{
    clock::Clock,
    cloud::{
        Assignment, Cloud, Creation, CreationState, IdentityCenter, NewUser, PermissionSetSpec,
        PolicyType, Root, Unit,
    },
    customers::AccountId,
};

use super::{AN_HOUR, account};

pub(super) const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"NoRoot","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:root"}}}]}"#;
pub(super) const INLINE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"support:*","Resource":"*"}]}"#;
pub(super) const MANAGED: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// Walks, and answers the account that it made. `clock` is moved where AWS takes a while.
pub(super) async fn walk(cloud: &dyn Cloud, clock: &Clock) -> AccountId {
    let (root, unit) = tree(cloud).await;
    let made = new_account(cloud, clock).await;
    place(cloud, &root, &unit, &made).await;
    access(cloud, clock, &made).await;
    made
}

async fn tree(cloud: &dyn Cloud) -> (Root, Unit) {
    let organization = cloud.organization().await.expect("an organisation");
    assert!(organization.has_all_features);
    let root = cloud.root().await.expect("a root");
    assert_eq!(root.policies, PolicyType::Off);
    cloud.enable_policies(&root.id).await.expect("it turns on");
    assert_eq!(cloud.root().await.expect("a root").policies, PolicyType::On);
    assert_eq!(cloud.units(&root.id).await, Ok(Vec::new()));
    let unit = cloud.create_unit(&root.id, "Customers-Test").await;
    let unit = unit.expect("a unit");
    assert_eq!(cloud.units(&root.id).await, Ok(vec![unit.clone()]));
    let policy = cloud
        .create_policy("tierdesk-no-root", "Denies the root user", POLICY)
        .await
        .expect("a policy");
    assert!(!policy.is_aws_managed);
    assert_eq!(
        cloud.policy_content(&policy.id).await.as_deref(),
        Ok(POLICY)
    );
    cloud
        .attach_policy(&policy.id, &unit.id)
        .await
        .expect("it is attached");
    let all = cloud.policies().await.expect("a list");
    assert!(all.contains(&policy), "{all:?}");
    assert!(all.iter().any(|one| one.is_aws_managed), "{all:?}");
    let attached = cloud.attached_policies(&unit.id).await.expect("a list");
    assert!(attached.contains(&policy), "{attached:?}");
    let targets = cloud.policy_targets(&policy.id).await;
    assert_eq!(targets, Ok(vec![unit.id.clone()]));
    (root, unit)
}

async fn new_account(cloud: &dyn Cloud, clock: &Clock) -> AccountId {
    let wanted = account("acme");
    let asked = cloud.create_account(&wanted).await.expect("it is taken");
    clock.advance(AN_HOUR);
    let done: Creation = cloud.creation(&asked.id).await.expect("it is known");
    assert_eq!(done.state, CreationState::Succeeded);
    assert_eq!(done.account_name, wanted.name);
    let listed = cloud.creations().await.expect("a list");
    assert!(listed.contains(&done), "{listed:?}");
    let id = done.account.expect("an account");
    let all = cloud.accounts().await.expect("a list");
    let made = all.iter().find(|one| one.id == id).expect("it is listed");
    assert_eq!(made.email, wanted.email.as_str());
    assert!(made.is_active);
    assert_eq!(cloud.tags(&id).await, Ok(wanted.tags.clone()));
    let usable = cloud.check_usable(&id, &wanted.role).await;
    usable.expect("an hour later it is usable");
    id
}

async fn place(cloud: &dyn Cloud, root: &Root, unit: &Unit, made: &AccountId) {
    assert_eq!(cloud.parent(made).await.as_deref(), Ok(root.id.as_str()));
    cloud
        .move_account(made, &root.id, &unit.id)
        .await
        .expect("it moves");
    assert_eq!(cloud.parent(made).await.as_deref(), Ok(unit.id.as_str()));
    let tags = [("tierdesk:tier".to_owned(), "test".to_owned())].into();
    cloud.tag(made, &tags).await.expect("it is tagged");
    let tags = cloud.tags(made).await.expect("its tags");
    assert_eq!(tags.len(), 2, "tags that exist stay: {tags:?}");
}

async fn access(cloud: &dyn Cloud, clock: &Clock, made: &AccountId) {
    let center = cloud.identity_center().await.expect("an instance");
    let set = permission_set(cloud, &center).await;
    let group = people(cloud, &center).await;
    let before = cloud.assigned_groups(&center, made, &set).await;
    assert_eq!(before, Ok(Vec::new()));
    let assignment = Assignment {
        account: made.clone(),
        permission_set: set.clone(),
        group: group.clone(),
    };
    let asked = cloud
        .assign(&center, &assignment)
        .await
        .expect("it is taken");
    clock.advance(AN_HOUR);
    let done = cloud.assignment(&center, &asked.id).await;
    let done = done.expect("it is known");
    assert_eq!(done.state, CreationState::Succeeded, "{done:?}");
    let after = cloud.assigned_groups(&center, made, &set).await;
    assert_eq!(after, Ok(vec![group]));
}

async fn permission_set(cloud: &dyn Cloud, center: &IdentityCenter) -> String {
    assert_eq!(cloud.permission_sets(center).await, Ok(Vec::new()));
    let spec = PermissionSetSpec {
        name: "tierdesk-test-admin".to_owned(),
        description: "Administrators of the customer".to_owned(),
        session_duration: "PT4H".to_owned(),
    };
    let set = cloud.create_permission_set(center, &spec).await;
    let set = set.expect("a set");
    assert_eq!(set.session_duration, "PT4H");
    assert_eq!(cloud.permission_sets(center).await, Ok(vec![set.clone()]));
    let empty = cloud.permission_set_policies(center, &set.arn).await;
    assert_eq!(empty, Ok((Vec::new(), None)));
    cloud
        .attach_managed_policy(center, &set.arn, MANAGED)
        .await
        .expect("it is attached");
    cloud
        .put_inline_policy(center, &set.arn, INLINE)
        .await
        .expect("it is put");
    let full = cloud.permission_set_policies(center, &set.arn).await;
    assert_eq!(
        full,
        Ok((vec![MANAGED.to_owned()], Some(INLINE.to_owned())))
    );
    set.arn
}

async fn people(cloud: &dyn Cloud, center: &IdentityCenter) -> String {
    let name = "acme-admins";
    assert_eq!(cloud.find_group(center, name).await, Ok(None));
    let group = cloud.create_group(center, name).await.expect("a group");
    let found = cloud.find_group(center, name).await;
    assert_eq!(found, Ok(Some(group.clone())));
    let user = NewUser {
        address: "ann@acme.example".parse().expect("an address"),
        display_name: "Ann Ames".to_owned(),
        given_name: "Ann".to_owned(),
        family_name: "Ames".to_owned(),
    };
    assert_eq!(cloud.find_user(center, &user.address).await, Ok(None));
    let id = cloud.create_user(center, &user).await.expect("a user");
    let found = cloud.find_user(center, &user.address).await;
    assert_eq!(found, Ok(Some(id.clone())));
    assert_eq!(cloud.is_member(center, &group, &id).await, Ok(false));
    cloud
        .add_member(center, &group, &id)
        .await
        .expect("she joins");
    assert_eq!(cloud.is_member(center, &group, &id).await, Ok(true));
    group
}
