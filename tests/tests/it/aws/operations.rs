//! What the adapter sends and reads, at our own server.

use serde_json::json;
use tierdesk_core::cloud::{Cloud, CloudError, CreationState};
use tierdesk_provision::aws::AwsCloud;
use tierdesk_tests::aws_server::{Trouble, aws_settings, connect, test_keys};

use super::{AN_HOUR, account, picture::picture, server, walk::walk};

/// What the machine knows and the port does not need yet.
const BEYOND_THE_PORT: &[&str] = &[
    "UpdatePolicy",
    "DetachPolicy",
    "UntagResource",
    "DeleteAccountAssignment",
];

#[tokio::test]
async fn the_port_uses_each_operation_of_the_machine() {
    let (server, clock) = server().await;
    walk(&server.cloud().await, &clock).await;
    for name in tierdesk_provision::simulated::Operation::NAMES {
        let is_used = server.received(name) > 0;
        assert_eq!(is_used, !BEYOND_THE_PORT.contains(name), "{name}");
    }
    assert_eq!(
        server.received("DescribeOrganization"),
        2,
        "ours, and one check for all changes"
    );
}

#[tokio::test]
async fn lists_are_read_to_their_end_through_empty_pages() {
    let (whole, clock) = server().await;
    walk(&whole.cloud().await, &clock).await;
    let (paged, clock) = server().await;
    paged.page(1);
    let cloud = paged.cloud().await;
    walk(&cloud, &clock).await;
    assert_eq!(
        paged.machine(|machine| machine.picture()),
        whole.machine(|machine| machine.picture())
    );
    let before = paged.received("ListAccounts");
    assert_eq!(cloud.accounts().await.expect("a list").len(), 2);
    let pages = paged.received("ListAccounts") - before;
    assert_eq!(pages, 4, "an empty page before each of two");
}

#[tokio::test]
async fn a_page_that_comes_again_and_again_is_no_end() {
    let (server, _) = server().await;
    let cloud = server.cloud().await;
    let body = json!({ "Accounts": [], "NextToken": "same" }).to_string();
    for _ in 0..3 {
        let page = Trouble::Answer(200, "application/x-amz-json-1.1", body.clone());
        server.plan("ListAccounts", page);
    }
    let told = cloud.accounts().await.expect_err("half a list is none");
    assert_eq!(told.class(), "wait", "{told}");
}

#[tokio::test]
async fn an_account_is_usable_a_while_after_it_was_made() {
    let (server, clock) = server().await;
    let cloud = server.cloud().await;
    let wanted = account("acme");
    let asked = cloud.create_account(&wanted).await.expect("it is taken");
    assert_eq!(asked.state, CreationState::InProgress);
    assert_eq!(asked.account, None);
    let (mut made, mut refused) = (None, 0);
    for _ in 0..3_600 {
        clock.advance(std::time::Duration::from_secs(5));
        let Some(id) = &made else {
            made = cloud.creation(&asked.id).await.expect("known").account;
            continue;
        };
        match cloud.check_usable(id, &wanted.role).await {
            Ok(()) => {
                assert!(refused > 0, "AWS says no at first");
                return;
            }
            Err(CloudError::WaitAndRetry { reason, .. }) => {
                assert!(reason.contains("AccessDenied"), "{reason}");
                refused += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("it was never usable");
}

#[tokio::test]
async fn the_organisation_s_own_instance_is_taken() {
    let (server, _) = server().await;
    let cloud = server.cloud().await;
    let own = cloud.identity_center().await.expect("an instance");
    let organization = cloud.organization().await.expect("it answers");
    let instance = |owner: &str, store: &str| {
        json!({ "InstanceArn": format!("arn:aws:sso:::instance/ssoins-{store}"),
            "IdentityStoreId": store, "OwnerAccountId": owner, "Status": "ACTIVE" })
    };
    let answer = |instances: Vec<serde_json::Value>| {
        let body = json!({ "Instances": instances }).to_string();
        Trouble::Answer(200, "application/x-amz-json-1.1", body)
    };
    let strange = instance("999999999999", "d-strange");
    let management = organization.management_account.as_str();
    let both = vec![strange.clone(), instance(management, "d-ours")];
    server.plan("ListInstances", answer(both));
    let found = cloud.identity_center().await.expect("ours");
    assert_eq!(found.store, "d-ours");
    server.plan("ListInstances", answer(vec![strange]));
    let told = cloud.identity_center().await.expect_err("not ours");
    assert_eq!(told.class(), "person");
    assert!(told.to_string().contains("aws.sso_region"), "{told}");
    assert_eq!(
        cloud.identity_center().await,
        Ok(own),
        "and later it is there"
    );
}

async fn changes_refused(cloud: &AwsCloud) -> Vec<CloudError> {
    let center = cloud.identity_center().await.expect("reads are allowed");
    let root = cloud.root().await.expect("reads are allowed").id;
    let one = account("acme");
    let (id, tags) = ("222233334444".parse().expect("an id"), one.tags.clone());
    let results = [
        cloud.enable_policies(&root).await,
        cloud.create_unit(&root, "Unit").await.map(drop),
        cloud.create_policy("p", "d", "{}").await.map(drop),
        cloud.attach_policy("p-12345678", &root).await,
        cloud.create_account(&one).await.map(drop),
        cloud.move_account(&id, &root, &root).await,
        cloud.tag(&id, &tags).await,
        cloud.create_group(&center, "group").await.map(drop),
        cloud.add_member(&center, "group", "user").await,
        cloud.put_inline_policy(&center, "arn", "{}").await,
        cloud.attach_managed_policy(&center, "arn", "arn").await,
    ];
    results.into_iter().filter_map(Result::err).collect()
}

#[tokio::test]
async fn nothing_is_changed_in_another_organisation_than_the_named_one() {
    let (server, _) = server().await;
    let picture = || server.machine(|machine| machine.picture());
    let untouched = picture();
    for named in [None, Some("o-another0000".to_owned())] {
        let settings = aws_settings(server.url(), named.clone());
        let cloud = connect(&settings, test_keys()).await;
        let refused = changes_refused(&cloud).await;
        assert_eq!(refused.len(), 11, "{refused:?}");
        for told in refused {
            assert_eq!(told.class(), "person", "{told}");
            assert!(
                told.to_string().starts_with("Nothing was changed"),
                "{told}"
            );
        }
    }
    assert_eq!(picture(), untouched);
    for name in [
        "EnablePolicyType",
        "CreateAccount",
        "CreateGroup",
        "TagResource",
    ] {
        assert_eq!(server.received(name), 0, "{name} was sent");
    }
    // The same calls with the right name do arrive.
    changes_refused(&server.cloud().await).await;
    assert_ne!(picture(), untouched);
    assert_eq!(server.received("CreateAccount"), 1);
}

#[tokio::test]
async fn a_picture_of_nothing_differs_from_one_of_something() {
    let (server, clock) = server().await;
    let cloud = server.cloud().await;
    let empty = picture(&cloud, &[""; 0], &[""; 0]).await;
    walk(&cloud, &clock).await;
    clock.advance(AN_HOUR);
    let full = picture(&cloud, &["acme-admins"], &["ann@acme.example"]).await;
    for part in [
        "units",
        "policies",
        "accounts",
        "sets",
        "members",
        "assignments",
    ] {
        assert_ne!(empty[part], full[part], "{part}");
    }
}
