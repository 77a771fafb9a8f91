//! Against moto: what it says of the same walk must be what our own machine says.

use tierdesk_core::{
    clock::Clock,
    cloud::{Assignment, Cloud, CloudError, PermissionSetSpec},
};
use tierdesk_tests::{START, moto::Moto};

use super::{
    AN_HOUR, account,
    picture::picture,
    server,
    walk::{MANAGED, POLICY, walk},
};

#[tokio::test]
async fn every_operation_answers_and_the_end_is_the_same_as_at_our_own_server() {
    let moto = Moto::organization();
    let theirs = moto.cloud().await;
    walk(&theirs, &Clock::manual(START)).await;
    let (server, clock) = server().await;
    let ours = server.cloud().await;
    walk(&ours, &clock).await;
    let (groups, users) = (["acme-admins"], ["ann@acme.example"]);
    let at_moto = picture(&theirs, &groups, &users).await;
    let at_ours = picture(&ours, &groups, &users).await;
    assert_eq!(at_moto, at_ours);
    assert_eq!(at_ours["assignments"].as_array().map(Vec::len), Some(1));
}

/// What is asked a second time, or of something that is not there; what our machine says, as AWS's
/// documents have it, and what moto says. Where the two differ, moto is known to be wrong. A row that
/// no longer holds is news: moto learnt something, or our machine forgot it.
const SAID: &[(&str, &str, &str)] = &[
    ("policies on twice", "already", "already"),
    ("policy twice", "already", "already"),
    ("managed policy twice", "already", "already"),
    ("group twice", "already", "already"),
    ("unknown account's tags", "person", "person"),
    ("unknown policy", "person", "person"),
    ("unknown creation", "person", "person"),
    ("unknown destination", "person", "person"),
    ("unit twice", "already", "done"),
    ("unit under nothing", "person", "done"),
    ("attached twice", "already", "done"),
    ("permission set twice", "already", "done"),
    ("member twice", "already", "done"),
    ("unknown set assigned", "person", "done"),
    ("creation at first", "IN_PROGRESS", "SUCCEEDED"),
    ("creation with a taken address", "FAILED", "SUCCEEDED"),
];

/// Asks again what the walk asked, and more.
#[expect(
    clippy::too_many_lines,
    reason = "one line an operation of the port, in the order in which they are needed"
)]
async fn ask(cloud: &dyn Cloud, clock: &Clock) -> Vec<(&'static str, String)> {
    fn said<T>(answer: Result<T, CloudError>) -> String {
        answer.map_or_else(|error| error.class().to_owned(), |_| "done".to_owned())
    }
    let known = walk(cloud, clock).await;
    let nobody = "999999999999".parse().expect("an id");
    let root = cloud.root().await.expect("a root").id;
    let unit = cloud.units(&root).await.expect("units").remove(0);
    let policies = cloud.policies().await.expect("policies");
    let policy = policies.iter().find(|policy| !policy.is_aws_managed);
    let policy = policy.expect("ours").id.clone();
    let center = cloud.identity_center().await.expect("an instance");
    let set = cloud
        .permission_sets(&center)
        .await
        .expect("sets")
        .remove(0);
    let group = cloud.find_group(&center, "acme-admins").await;
    let group = group.expect("an answer").expect("the walk's group");
    let ann = "ann@acme.example".parse().expect("an address");
    let user = cloud.find_user(&center, &ann).await;
    let user = user.expect("an answer").expect("the walk's user");
    let spec = PermissionSetSpec {
        name: set.name.clone(),
        description: "d".to_owned(),
        session_duration: "PT1H".to_owned(),
    };
    let unknown_set = Assignment {
        account: known.clone(),
        permission_set: format!("{}x", &set.arn[..set.arn.len() - 1]),
        group: group.clone(),
    };
    let mut all = vec![
        (
            "policies on twice",
            said(cloud.enable_policies(&root).await),
        ),
        (
            "policy twice",
            said(cloud.create_policy("tierdesk-no-root", "d", POLICY).await),
        ),
        (
            "managed policy twice",
            said(
                cloud
                    .attach_managed_policy(&center, &set.arn, MANAGED)
                    .await,
            ),
        ),
        (
            "group twice",
            said(cloud.create_group(&center, "acme-admins").await),
        ),
        ("unknown account's tags", said(cloud.tags(&nobody).await)),
        (
            "unknown policy",
            said(cloud.policy_content("p-12345678").await),
        ),
        (
            "unknown creation",
            said(cloud.creation("car-00000000000000000000000000000000").await),
        ),
        (
            "unknown destination",
            said(
                cloud
                    .move_account(&known, &unit.id, "ou-abcd-12345678")
                    .await,
            ),
        ),
        (
            "unit twice",
            said(cloud.create_unit(&root, &unit.name).await),
        ),
        (
            "unit under nothing",
            said(cloud.create_unit("r-none", "unit").await),
        ),
        (
            "attached twice",
            said(cloud.attach_policy(&policy, &unit.id).await),
        ),
        (
            "permission set twice",
            said(cloud.create_permission_set(&center, &spec).await),
        ),
        (
            "member twice",
            said(cloud.add_member(&center, &group, &user).await),
        ),
        (
            "unknown set assigned",
            said(cloud.assign(&center, &unknown_set).await),
        ),
    ];
    let asked = cloud.create_account(&account("other")).await;
    let state = |creation: &tierdesk_core::cloud::Creation| creation.state.to_string();
    all.push(("creation at first", state(&asked.expect("it is taken"))));
    clock.advance(AN_HOUR);
    let again = cloud.create_account(&account("acme")).await;
    let again = again.expect("it is taken");
    clock.advance(AN_HOUR);
    let ended = cloud.creation(&again.id).await.expect("it is known");
    all.push(("creation with a taken address", state(&ended)));
    all
}

#[tokio::test]
async fn where_moto_and_our_machine_differ_is_known() {
    let moto = Moto::organization();
    let theirs = ask(&moto.cloud().await, &Clock::manual(START)).await;
    let (server, clock) = server().await;
    let ours = ask(&server.cloud().await, &clock).await;
    let found: Vec<(&str, &str, &str)> = ours
        .iter()
        .zip(&theirs)
        .map(|((what, ours), (_, theirs))| (*what, ours.as_str(), theirs.as_str()))
        .collect();
    assert_eq!(found, SAID);
}
