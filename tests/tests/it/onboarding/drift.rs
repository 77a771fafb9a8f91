//! What `onboard verify` sees: nothing where nothing changed, and each change by hand.

use serde_json::{Value, json};
use tierdesk_core::clock::Timestamp;
use tierdesk_provision::{
    VerifyReport,
    simulated::{Operation, Simulated},
    verify,
};
use tierdesk_tests::{Backend, on_both, owner};

use super::{Stage, request};

on_both! {
    each_change_by_hand_is_seen,
}

fn call(machine: &mut Simulated, now: Timestamp, name: &str, body: &Value) -> Value {
    let operation: Operation = serde_json::from_value(json!({ name: body })).expect("an operation");
    machine.apply(&operation, now).expect(name).body
}

async fn look(stage: &Stage) -> VerifyReport {
    verify(&stage.test.desk, &stage.cloud, &owner(), "new-bank")
        .await
        .expect("it is compared")
}

/// Somebody's deed in the console, by what it breaks.
type Deed = fn(&mut Simulated, Timestamp, &str);

fn policy(machine: &mut Simulated, now: Timestamp) -> (String, String) {
    let filter = json!({ "Filter": "SERVICE_CONTROL_POLICY" });
    let all = call(machine, now, "ListPolicies", &filter);
    let id = all["Policies"][1]["Id"].as_str().expect("an id").to_owned();
    let targets = call(
        machine,
        now,
        "ListTargetsForPolicy",
        &json!({ "PolicyId": id }),
    );
    let target = targets["Targets"][0]["TargetId"]
        .as_str()
        .expect("a target");
    (id, target.to_owned())
}

const DEEDS: [(&str, Deed); 5] = [
    ("tier_scps", |machine, now, _| {
        let (id, _) = policy(machine, now);
        let body = json!({ "PolicyId": id, "Content": "{\"Statement\":[]}" });
        call(machine, now, "UpdatePolicy", &body);
    }),
    ("tier_scps", |machine, now, _| {
        let (id, target) = policy(machine, now);
        call(
            machine,
            now,
            "DetachPolicy",
            &json!({ "PolicyId": id, "TargetId": target }),
        );
    }),
    ("moved", |machine, now, account| {
        let parents = call(machine, now, "ListParents", &json!({ "ChildId": account }));
        let roots = call(machine, now, "ListRoots", &json!({}));
        let body = json!({ "AccountId": account, "SourceParentId": parents["Parents"][0]["Id"],
            "DestinationParentId": roots["Roots"][0]["Id"] });
        call(machine, now, "MoveAccount", &body);
    }),
    ("tagged", |machine, now, account| {
        let body = json!({ "ResourceId": account, "TagKeys": ["tierdesk:tier"] });
        call(machine, now, "UntagResource", &body);
    }),
    ("assignments", |machine, now, account| {
        let sets = call(
            machine,
            now,
            "ListPermissionSets",
            &json!({ "InstanceArn": "" }),
        );
        let set = sets["PermissionSets"][0].clone();
        let body = json!({ "InstanceArn": "", "AccountId": account, "PermissionSetArn": set });
        let assigned = call(machine, now, "ListAccountAssignments", &body);
        let body = json!({ "InstanceArn": "", "TargetId": account, "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": set, "PrincipalType": "GROUP",
            "PrincipalId": assigned["AccountAssignments"][0]["PrincipalId"] });
        call(machine, now, "DeleteAccountAssignment", &body);
    }),
];

async fn each_change_by_hand_is_seen(backend: Backend) {
    for (step, deed) in DEEDS {
        let stage = Stage::new(backend).await;
        let done = stage.onboard(request("New Bank", "standard")).await;
        let account = done.account_id.expect("it has an account").to_string();
        let before = look(&stage).await;
        assert!(before.ok, "nothing changed: {before:?}");
        stage
            .change(move |machine, now| deed(machine, now, &account))
            .await;
        let after = look(&stage).await;
        assert!(!after.ok, "{step} was not seen");
        let found: Vec<&str> = after
            .differences
            .iter()
            .map(|one| one.step.as_str())
            .collect();
        assert_eq!(found, [step], "{after:?}");
    }
}
