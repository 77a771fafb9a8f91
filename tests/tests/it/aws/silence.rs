//! No answer: lost, late, broken off, unreadable. A creator is never sent twice.

use std::time::{Duration, Instant};

use tierdesk_core::cloud::{
    Assignment, Cloud, CloudError, IdentityCenter, NewUser, PermissionSetSpec,
};
use tierdesk_provision::{aws::AwsCloud, simulated::FaultKind};
use tierdesk_tests::aws_server::{AwsServer, Trouble};

use super::{account, server, walk::POLICY};

const JSON: &str = "application/x-amz-json-1.1";
const SOON: Duration = Duration::from_millis(400);

#[tokio::test]
async fn a_lost_answer_to_create_account_makes_one_account_and_says_so() {
    let (server, clock) = server().await;
    let cloud = server.cloud().await;
    server.machine(|machine| machine.plan_fault("CreateAccount", 1, FaultKind::LoseReply));
    let told = cloud.create_account(&account("acme")).await;
    let told = told.expect_err("the answer was lost");
    assert_eq!(told.class(), "unknown", "{told}");
    assert_eq!(server.received("CreateAccount"), 1);
    clock.advance(super::AN_HOUR);
    let found = cloud.creations().await.expect("a list");
    assert_eq!(found.len(), 1, "AWS acted, and the request can be found");
    assert_eq!(cloud.accounts().await.expect("a list").len(), 2);
}

/// Runs a creator twice: its first answer is lost, so the second finds what the first made.
async fn twice<T>(
    server: &AwsServer,
    name: &str,
    create: impl AsyncFn() -> Result<T, CloudError>,
) -> CloudError {
    server.machine(|machine| machine.plan_fault(name, 1, FaultKind::LoseReply));
    let told = create().await.err().expect("the answer was lost");
    assert_eq!(told.class(), "unknown", "{name}: {told}");
    assert_eq!(server.received(name), 1, "{name} was sent again");
    let told = create().await.err().expect("it is there");
    assert_eq!(server.received(name), 2, "{name}");
    told
}

#[tokio::test]
async fn every_creator_whose_answer_is_lost_has_acted_once() {
    let (server, _) = server().await;
    let cloud = server.cloud().await;
    let root = cloud.root().await.expect("a root").id;
    let on = twice(&server, "EnablePolicyType", async || {
        cloud.enable_policies(&root).await
    });
    let mut second = vec![on.await];
    let unit = async || cloud.create_unit(&root, "unit").await;
    second.push(twice(&server, "CreateOrganizationalUnit", unit).await);
    let policy = async || cloud.create_policy("p", "d", POLICY).await;
    second.push(twice(&server, "CreatePolicy", policy).await);
    let center = cloud.identity_center().await.expect("an instance");
    second.extend(identities(&server, &cloud, &center).await);
    for told in second {
        assert_eq!(told.class(), "already", "{told}");
    }
}

async fn identities(
    server: &AwsServer,
    cloud: &AwsCloud,
    center: &IdentityCenter,
) -> Vec<CloudError> {
    let spec = PermissionSetSpec {
        name: "set".to_owned(),
        description: "d".to_owned(),
        session_duration: "PT1H".to_owned(),
    };
    let user = NewUser {
        address: "ann@acme.example".parse().expect("an address"),
        display_name: "Ann".to_owned(),
        given_name: "Ann".to_owned(),
        family_name: "Ames".to_owned(),
    };
    let set = async || cloud.create_permission_set(center, &spec).await;
    let group = async || cloud.create_group(center, "group").await;
    let person = async || cloud.create_user(center, &user).await;
    let mut second = vec![
        twice(server, "CreatePermissionSet", set).await,
        twice(server, "CreateGroup", group).await,
        twice(server, "CreateUser", person).await,
    ];
    let find_group = cloud.find_group(center, "group").await;
    let group = find_group.expect("an answer").expect("it was made");
    let find_user = cloud.find_user(center, &user.address).await;
    let user = find_user.expect("an answer").expect("it was made");
    let member = async || cloud.add_member(center, &group, &user).await;
    second.push(twice(server, "CreateGroupMembership", member).await);
    let sets = cloud.permission_sets(center).await.expect("a list");
    let accounts = cloud.accounts().await.expect("a list");
    let assignment = Assignment {
        account: accounts[0].id.clone(),
        permission_set: sets[0].arn.clone(),
        group,
    };
    let assign = async || cloud.assign(center, &assignment).await;
    let told = twice(server, "CreateAccountAssignment", assign).await;
    assert_eq!(told.class(), "wait", "the first is still under way: {told}");
    second
}

#[tokio::test]
async fn a_lost_answer_to_a_read_is_asked_for_again() {
    let (server, _) = server().await;
    let cloud = server.cloud().await;
    server.machine(|machine| machine.plan_fault("ListRoots", 1, FaultKind::LoseReply));
    server.plan("ListRoots", Trouble::Cut);
    cloud.root().await.expect("the third time");
    assert_eq!(server.received("ListRoots"), 3);
}

#[tokio::test]
async fn a_change_without_an_answer_is_given_up_in_time_and_not_sent_again() {
    let (server, _) = server().await;
    let cloud = server.cloud_that_waits(SOON).await;
    let root = cloud.root().await.expect("a root").id;
    cloud.create_unit(&root, "first").await.expect("it answers");
    server.plan("CreateAccount", Trouble::Hang);
    let since = Instant::now();
    let told = cloud.create_account(&account("acme")).await;
    let told = told.expect_err("no answer");
    assert_eq!(told.class(), "unknown", "{told}");
    assert!(since.elapsed() >= SOON, "it waited");
    assert!(since.elapsed() < SOON * 20, "{:?}", since.elapsed());
    assert_eq!(server.received("CreateAccount"), 1);
}

#[tokio::test]
async fn a_read_without_an_answer_is_for_later() {
    let (server, _) = server().await;
    let cloud = server.cloud_that_waits(SOON).await;
    for _ in 0..20 {
        server.plan("ListAccounts", Trouble::Hang);
    }
    let since = Instant::now();
    let told = cloud.accounts().await.expect_err("no answer");
    assert_eq!(told.class(), "wait", "{told}");
    assert!(since.elapsed() < SOON * 20, "{:?}", since.elapsed());
    assert!(server.received("ListAccounts") > 1, "it was tried again");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_may_have_acted() {
    let (server, _) = server().await;
    let cloud = server.cloud().await;
    let center = cloud.identity_center().await.expect("an instance");
    let spec = PermissionSetSpec {
        name: "set".to_owned(),
        description: "d".to_owned(),
        session_duration: "PT1H".to_owned(),
    };
    // A number where AWS sends a text: moto does so when no duration is sent.
    let odd = r#"{"PermissionSet":{"Name":"set","SessionDuration":3600}}"#;
    for body in [odd, "{}", "{", ""] {
        server.plan(
            "CreatePermissionSet",
            Trouble::Answer(200, JSON, body.to_owned()),
        );
        let told = cloud.create_permission_set(&center, &spec).await;
        let told = told.expect_err(body);
        assert_eq!(told.class(), "unknown", "{body}: {told}");
    }
    assert_eq!(server.received("CreatePermissionSet"), 4);
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let (server, _) = server().await;
    let cloud = server.cloud().await;
    let root = cloud.root().await.expect("a root").id;
    cloud.create_unit(&root, "first").await.expect("checked");
    let url = server.url().to_owned();
    drop(server);
    let address = url.trim_start_matches("http://");
    while std::net::TcpStream::connect(address).is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The first may find the old connection broken; then there is none.
    let _ = cloud.create_unit(&root, "second").await;
    let told = cloud.create_unit(&root, "second").await;
    let told = told.expect_err("nobody listens");
    assert_eq!(told.class(), "wait", "{told}");
    assert!(told.to_string().contains("nothing was sent"), "{told}");
}
