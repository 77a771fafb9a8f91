//! What an organisation holds, read through the port: without ids and times, so that two clouds
//! that were brought to the same state give the same.

use serde_json::{Value, json};
use tierdesk_core::cloud::Cloud;

/// The picture. Users and groups are found by name, for the port lists neither.
pub(super) async fn picture(
    cloud: &dyn Cloud,
    groups: &[impl AsRef<str>],
    users: &[impl AsRef<str>],
) -> Value {
    let root = cloud.root().await.expect("a root");
    let units = cloud.units(&root.id).await.expect("units");
    let accounts = cloud.accounts().await.expect("accounts");
    let management = cloud.organization().await.expect("it answers");
    let management = management.management_account;
    let name_of = |id: &str| {
        let unit = units.iter().find(|unit| unit.id == id);
        unit.map_or_else(|| "root".to_owned(), |unit| unit.name.clone())
    };
    let mut policies = Vec::new();
    let all = cloud.policies().await.expect("policies");
    for policy in all.iter().filter(|policy| !policy.is_aws_managed) {
        let targets = cloud.policy_targets(&policy.id).await.expect("targets");
        let mut targets: Vec<String> = targets.iter().map(|id| name_of(id)).collect();
        targets.sort();
        let content = cloud.policy_content(&policy.id).await.expect("content");
        let content: Value = serde_json::from_str(&content).expect("JSON");
        policies.push(json!([policy.name, content, targets]));
    }
    let mut rows = Vec::new();
    for account in accounts.iter().filter(|account| account.id != management) {
        let parent = cloud.parent(&account.id).await.expect("a parent");
        let mut tags = cloud.tags(&account.id).await.expect("tags");
        // The run's own tag differs from run to run.
        tags.retain(|key, _| !key.ends_with(":run"));
        rows.push(json!([
            account.email,
            name_of(&parent),
            account.is_active,
            tags
        ]));
    }
    let center = cloud.identity_center().await.expect("an instance");
    let (mut members, mut group_ids) = (Vec::new(), Vec::new());
    for group in groups.iter().map(AsRef::as_ref) {
        let id = cloud.find_group(&center, group).await.expect("an answer");
        let id = id.unwrap_or_else(|| panic!("no group {group}"));
        for user in users.iter().map(AsRef::as_ref) {
            let address = user.parse().expect("an address");
            let found = cloud.find_user(&center, &address).await;
            let found = found.expect("an answer").expect("a user");
            let is_in = cloud.is_member(&center, &id, &found).await;
            members.push(json!([group, user, is_in.expect("an answer")]));
        }
        group_ids.push((id, group));
    }
    let (mut sets, mut assigned) = (Vec::new(), Vec::new());
    for set in cloud.permission_sets(&center).await.expect("sets") {
        let policies = cloud.permission_set_policies(&center, &set.arn).await;
        let (managed, inline) = policies.expect("policies");
        sets.push(json!([set.name, set.session_duration, managed, inline]));
        for account in &accounts {
            let found = cloud.assigned_groups(&center, &account.id, &set.arn).await;
            for group in found.expect("assignments") {
                let name = group_ids.iter().find(|(id, _)| *id == group);
                let name = name.map(|(_, name)| *name);
                assigned.push(json!([account.email, set.name, name]));
            }
        }
    }
    let mut unit_names: Vec<&String> = units.iter().map(|unit| &unit.name).collect();
    unit_names.sort();
    for list in [
        &mut policies,
        &mut rows,
        &mut sets,
        &mut assigned,
        &mut members,
    ] {
        list.sort_by_key(Value::to_string);
    }
    json!({ "units": unit_names, "policies": policies, "accounts": rows, "sets": sets,
        "members": members, "assignments": assigned })
}
