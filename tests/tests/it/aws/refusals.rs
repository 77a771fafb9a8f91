//! What AWS refuses, as decisions; and how often each call is sent.

use tierdesk_core::cloud::{Cloud, CloudError};
use tierdesk_provision::simulated::{AwsFault, FaultKind};
use tierdesk_tests::aws_server::Trouble;

use super::{account, server};

const HTML: &str = "text/html";

/// Code, reason, and what they mean for a change.
const REFUSALS: &[(&str, Option<&str>, &str)] = &[
    ("TooManyRequestsException", None, "wait"),
    ("ThrottlingException", None, "wait"),
    ("ConcurrentModificationException", None, "wait"),
    ("PolicyChangesInProgressException", None, "wait"),
    ("FinalizingOrganizationException", None, "wait"),
    ("DuplicateOrganizationalUnitException", None, "already"),
    (
        "ConflictException",
        Some("UNIQUENESS_CONSTRAINT_VIOLATION"),
        "already",
    ),
    ("ConflictException", None, "wait"),
    (
        "ConstraintViolationException",
        Some("ACCOUNT_NUMBER_LIMIT_EXCEEDED"),
        "person",
    ),
    (
        "ConstraintViolationException",
        Some("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"),
        "wait",
    ),
    ("AccessDeniedException", None, "person"),
    ("ExpiredTokenException", None, "person"),
    ("UnrecognizedClientException", None, "person"),
    ("MalformedPolicyDocumentException", None, "person"),
    ("NobodyEverHeardOfThisException", None, "person"),
    ("ServiceException", None, "unknown"),
    ("InternalFailure", None, "unknown"),
];

fn refusal(code: &str, reason: Option<&str>) -> FaultKind {
    let fault = AwsFault::new(code, "AWS's words");
    FaultKind::Refuse(match reason {
        Some(reason) => fault.because(reason),
        None => fault,
    })
}

#[tokio::test]
async fn each_refusal_of_a_change_is_a_decision_and_was_sent_once() {
    for (code, reason, class) in REFUSALS {
        let (server, _) = server().await;
        let cloud = server.cloud().await;
        let root = cloud.root().await.expect("a root").id;
        let fault = refusal(code, *reason);
        server.machine(|machine| machine.plan_fault("CreateOrganizationalUnit", 1, fault));
        let told = cloud.create_unit(&root, "unit").await;
        let told = told.expect_err("it was refused");
        assert_eq!(told.class(), *class, "{told}");
        for part in [code, "AWS's words", "CreateOrganizationalUnit"] {
            assert!(told.to_string().contains(part), "{told}");
        }
        assert_eq!(server.received("CreateOrganizationalUnit"), 1, "{code}");
        cloud.create_unit(&root, "unit").await.expect("it can be");
    }
}

#[tokio::test]
async fn reads_are_made_again_by_themselves() {
    for (code, sent) in [
        ("TooManyRequestsException", 2),
        ("ThrottlingException", 2),
        ("InternalFailure", 2),
        ("AccessDeniedException", 1),
    ] {
        let (server, _) = server().await;
        let cloud = server.cloud().await;
        let fault = refusal(code, None);
        server.machine(|machine| machine.plan_fault("ListRoots", 1, fault));
        let answer = cloud.root().await;
        assert_eq!(answer.is_ok(), sent == 2, "{code}: {answer:?}");
        assert_eq!(server.received("ListRoots"), sent, "{code}");
    }
}

#[tokio::test]
async fn a_read_that_fails_every_time_is_for_later() {
    for code in ["TooManyRequestsException", "InternalFailure"] {
        let (server, _) = server().await;
        let fault = refusal(code, None);
        server.machine(|machine| machine.plan_fault("ListRoots", 0, fault));
        let told = server.cloud().await.root().await.expect_err("every time");
        assert_eq!(told.class(), "wait", "{told}");
        assert!(server.received("ListRoots") > 1, "it was tried again");
    }
}

#[tokio::test]
async fn answers_that_are_not_aws_s_are_judged_by_their_status() {
    for (status, on_read, on_change) in [
        (502, "wait", "unknown"),
        (503, "wait", "unknown"),
        (429, "wait", "wait"),
        (403, "person", "person"),
        (407, "person", "person"),
    ] {
        let (server, _) = server().await;
        let cloud = server.cloud().await;
        let root = cloud.root().await.expect("a root").id;
        let page = || Trouble::Answer(status, HTML, "<h1>proxy</h1>".to_owned());
        server.plan("CreateOrganizationalUnit", page());
        let told = cloud.create_unit(&root, "unit").await;
        assert_eq!(told.expect_err("no").class(), on_change, "{status}");
        assert_eq!(server.received("CreateOrganizationalUnit"), 1);
        for _ in 0..8 {
            server.plan("ListOrganizationalUnitsForParent", page());
        }
        let told = cloud.units(&root).await.expect_err("no");
        assert_eq!(told.class(), on_read, "{status}: {told}");
    }
}

#[tokio::test]
async fn a_quota_says_what_to_do_and_a_taken_address_fails_the_creation() {
    let (server, clock) = server().await;
    let cloud = server.cloud().await;
    server.machine(|machine| machine.account_quota = 1);
    let told = cloud.create_account(&account("acme")).await;
    let told = told.expect_err("the quota is used up").to_string();
    assert!(told.contains("raise the quota"), "{told}");
    server.machine(|machine| {
        machine.account_quota = 10;
        machine
            .foreign_emails
            .push(account("acme").email.to_string());
    });
    let asked = cloud.create_account(&account("acme")).await;
    let asked = asked.expect("AWS finds out later");
    clock.advance(super::AN_HOUR);
    let ended = cloud.creation(&asked.id).await.expect("it is known");
    assert_eq!(ended.failure.as_deref(), Some("EMAIL_ALREADY_EXISTS"));
}

#[tokio::test]
async fn what_is_not_there_is_none_or_refused_by_name() {
    let (server, _) = server().await;
    let cloud = server.cloud().await;
    let center = cloud.identity_center().await.expect("an instance");
    assert_eq!(cloud.find_group(&center, "nobody").await, Ok(None));
    let fault = refusal("AccessDeniedException", None);
    server.machine(|machine| machine.plan_fault("GetGroupId", 2, fault));
    let told = cloud.find_group(&center, "nobody").await;
    let told = told.expect_err("forbidden is not absent");
    assert_eq!(told.class(), "person");
    let unknown = cloud.creation("car-00000000000000000000000000000000").await;
    let Err(CloudError::NeedsPerson { reason }) = unknown else {
        panic!("{unknown:?}");
    };
    assert!(reason.contains("CreateAccountStatusNotFound"), "{reason}");
}
