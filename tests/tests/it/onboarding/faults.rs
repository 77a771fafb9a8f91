//! AWS refuses, is slow, loses answers: each changing operation of a run meets each fault once, and
//! the end is that of the undisturbed run.

use std::time::Duration;

use serde_json::Value;
use tierdesk_core::desk::onboard;
use tierdesk_provision::simulated::{AwsFault, FaultKind};
use tierdesk_tests::{Backend, on_both, owner};

use super::{Stage, detail, request, verdict};

on_both! {
    every_operation_survives_being_throttled,
    every_operation_survives_a_refusal_for_now,
    every_operation_survives_a_lost_answer,
    every_operation_survives_a_slow_answer,
    an_address_that_aws_knows_asks_for_a_person,
    a_full_organisation_asks_for_a_person_and_goes_on_when_there_is_room,
    an_organisation_that_is_being_set_up_is_waited_for,
    an_account_that_never_gets_ready_asks_for_a_person,
}

/// What a run changes and reads; the reads are those that a step begins with.
const OPERATIONS: [&str; 18] = [
    "EnablePolicyType",
    "CreateOrganizationalUnit",
    "CreatePolicy",
    "AttachPolicy",
    "CreateAccount",
    "DescribeCreateAccountStatus",
    "AssumeRole",
    "MoveAccount",
    "CreatePermissionSet",
    "AttachManagedPolicyToPermissionSet",
    "CreateGroup",
    "CreateUser",
    "CreateGroupMembership",
    "CreateAccountAssignment",
    "DescribeAccountAssignmentCreationStatus",
    "ListRoots",
    "ListAccounts",
    "ListAccountAssignments",
];

async fn run(backend: Backend, fault: Option<(&str, FaultKind)>) -> (Value, u64, u64) {
    let stage = Stage::new(backend).await;
    let planned = stage.plan(request("New Bank", "standard")).await;
    if let Some((operation, kind)) = &fault {
        // The plan made calls as well: the next one is meant.
        stage
            .change(|machine, _| {
                let next = machine.calls(operation) + 1;
                machine.plan_fault(operation, next, kind.clone());
            })
            .await;
    }
    stage.start_as(&owner(), &planned.run).await;
    stage.settle().await;
    let done = stage.status(&planned.run).await;
    assert_eq!(done.state, "done", "{fault:?}: {done:?}");
    let machine = stage.machine().await;
    let hits = fault.map_or(0, |(operation, _)| machine.calls(operation));
    (machine.picture(), machine.calls("CreateAccount"), hits)
}

/// All operations on one database; on the other, which shows no more than that its statements work,
/// every fourth.
async fn survive(backend: Backend, kind: FaultKind) {
    let (expected, ..) = run(backend, None).await;
    let stride = if backend == Backend::Sqlite { 1 } else { 4 };
    let mut cases = 0;
    for operation in OPERATIONS.into_iter().step_by(stride) {
        let (picture, creations, hits) = run(backend, Some((operation, kind.clone()))).await;
        assert!(hits > 0, "{operation} was never called");
        assert_eq!(picture, expected, "{operation} {kind:?}");
        // Refused, it is asked for again; lost or late, never.
        let is_refused = matches!(kind, FaultKind::Throttle | FaultKind::Refuse(_));
        let most = if operation == "CreateAccount" && is_refused {
            2
        } else {
            1
        };
        assert_eq!(creations, most, "{operation} {kind:?}");
        cases += 1;
    }
    println!("{backend:?} {kind:?}: {cases} operations, each with the end of the undisturbed run");
}

async fn every_operation_survives_being_throttled(backend: Backend) {
    survive(backend, FaultKind::Throttle).await;
}

async fn every_operation_survives_a_refusal_for_now(backend: Backend) {
    let fault = AwsFault::new("ConcurrentModificationException", "the tree changes");
    survive(backend, FaultKind::Refuse(fault)).await;
}

async fn every_operation_survives_a_lost_answer(backend: Backend) {
    survive(backend, FaultKind::LoseReply).await;
}

async fn every_operation_survives_a_slow_answer(backend: Backend) {
    survive(backend, FaultKind::Slow(Duration::from_mins(1))).await;
}

async fn an_address_that_aws_knows_asks_for_a_person(backend: Backend) {
    let stage = Stage::new(backend).await;
    stage
        .change(|machine, _| {
            machine.foreign_emails = vec!["AWS+new-bank@root.securebase.example".to_owned()];
        })
        .await;
    let failed = stage.onboard(request("New Bank", "standard")).await;
    assert_eq!(failed.state, "failed");
    let why = detail(&failed, "account");
    assert!(
        why.contains("EMAIL_ALREADY_EXISTS") && why.contains("root_email_template"),
        "{why}"
    );
}

async fn a_full_organisation_asks_for_a_person_and_goes_on_when_there_is_room(backend: Backend) {
    let stage = Stage::new(backend).await;
    stage.change(|machine, _| machine.account_quota = 1).await;
    let failed = stage.onboard(request("New Bank", "standard")).await;
    assert_eq!(failed.state, "failed");
    let why = detail(&failed, "account");
    assert!(
        why.contains("ACCOUNT_NUMBER_LIMIT_EXCEEDED") && why.contains("raise"),
        "{why}"
    );
    stage.change(|machine, _| machine.account_quota = 10).await;
    let resumed = onboard::resume(&stage.test.desk, &owner(), "new-bank").await;
    assert_eq!(resumed.expect("it goes on").state, "running");
    stage.settle().await;
    assert_eq!(stage.status("new-bank").await.state, "done");
}

async fn an_organisation_that_is_being_set_up_is_waited_for(backend: Backend) {
    let stage = Stage::new(backend).await;
    stage
        .change(|machine, now| {
            machine.finalizing_until = Some(now.plus(Duration::from_mins(10)));
        })
        .await;
    let done = stage.onboard(request("New Bank", "standard")).await;
    assert_eq!(done.state, "done");
    let unit = done
        .steps
        .iter()
        .find(|step| step.name.as_str() == "tier_ou");
    let seconds = unit.and_then(|step| step.seconds).unwrap_or_default();
    assert!(seconds > 500.0, "{seconds}");
}

async fn an_account_that_never_gets_ready_asks_for_a_person(backend: Backend) {
    let stage = Stage::new(backend).await;
    stage
        .change(|machine, _| {
            let kind = FaultKind::Refuse(AwsFault::new("AccessDenied", "not yet"));
            machine.plan_fault("AssumeRole", 0, kind);
        })
        .await;
    let failed = stage.onboard(request("New Bank", "standard")).await;
    assert_eq!(failed.state, "failed");
    assert_eq!(verdict(&failed, "account_usable"), "failed");
    let why = detail(&failed, "account_usable");
    assert!(
        why.contains("15 minutes") && why.contains("resume"),
        "{why}"
    );
}
