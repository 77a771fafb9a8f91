use std::time::Duration;

use serde_json::{Value, json};
use tierdesk_core::clock::Timestamp;

use super::*;

const START: Timestamp = Timestamp::from_seconds(1_795_424_400);

fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

/// An operation as it comes over the wire.
fn operation(name: &str, body: Value) -> Operation {
    let wire = Value::Object([(name.to_owned(), body)].into_iter().collect());
    serde_json::from_value(wire).expect("it is an operation")
}

fn call(machine: &mut Simulated, name: &str, body: Value, now: Timestamp) -> Result<Value, String> {
    machine
        .apply(&operation(name, body), now)
        .map(|reply| reply.body)
        .map_err(|fault| match fault.reason {
            Some(reason) => format!("{}/{reason}", fault.code),
            None => fault.code,
        })
}

fn create(machine: &mut Simulated, n: u32, now: Timestamp) -> Result<Value, String> {
    let body = json!({ "Email": format!("A{n}@x.example"), "AccountName": format!("a{n}"),
        "Tags": [{ "Key": "k", "Value": "v" }] });
    call(machine, "CreateAccount", body, now)
}

#[test]
fn an_account_takes_its_time_and_so_does_its_role() {
    let mut machine = Simulated::new(7, Pace::REAL);
    let asked = create(&mut machine, 1, at(0)).expect("it is asked for");
    assert_eq!(asked["CreateAccountStatus"]["State"], "IN_PROGRESS");
    assert!(asked["CreateAccountStatus"].get("AccountId").is_none());
    let id = asked["CreateAccountStatus"]["Id"].clone();
    let look = |machine: &mut Simulated, now| {
        let body = json!({ "CreateAccountRequestId": id });
        call(machine, "DescribeCreateAccountStatus", body, now).expect("it is known")
    };
    assert_eq!(
        look(&mut machine, at(1))["CreateAccountStatus"]["State"],
        "IN_PROGRESS"
    );
    let done = look(&mut machine, at(3_600));
    let account = done["CreateAccountStatus"]["AccountId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let arn = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let mut again = Simulated::new(7, Pace::REAL);
    create(&mut again, 1, at(0)).expect("the same");
    let at_once = (1..3_600).find(|second| {
        call(
            &mut again,
            "AssumeRole",
            json!({ "RoleArn": arn }),
            at(*second),
        )
        .is_ok()
    });
    let made = (1..3_600).find(|second| {
        let mut fresh = Simulated::new(7, Pace::REAL);
        create(&mut fresh, 1, at(0)).expect("the same");
        let all = call(&mut fresh, "ListAccounts", json!({}), at(*second)).expect("listed");
        all["Accounts"].as_array().map(Vec::len) == Some(2)
    });
    assert!(made < at_once, "{made:?} {at_once:?}");
}

#[test]
fn creations_are_limited_in_flight_by_address_and_by_quota() {
    let mut machine = Simulated::new(1, Pace::REAL);
    for n in 1..=5 {
        create(&mut machine, n, at(0)).expect("five are made at once");
    }
    let refused = "ConstraintViolationException/ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED";
    assert_eq!(create(&mut machine, 6, at(0)), Err(refused.to_owned()));
    let same = json!({ "Email": "a1@X.example", "AccountName": "twin" });
    let refused = call(&mut machine, "CreateAccount", same.clone(), at(0));
    assert_eq!(refused, Err("ConcurrentModificationException".to_owned()));
    let twin = call(&mut machine, "CreateAccount", same, at(3_600)).expect("it is asked for");
    let body = json!({ "CreateAccountRequestId": twin["CreateAccountStatus"]["Id"] });
    let ended = call(&mut machine, "DescribeCreateAccountStatus", body, at(7_200));
    let ended = ended.expect("it is known");
    assert_eq!(
        ended["CreateAccountStatus"]["FailureReason"],
        "EMAIL_ALREADY_EXISTS"
    );
    for n in 6..=9 {
        create(&mut machine, n, at(7_200 + u64::from(n) * 3_600)).expect("up to ten");
    }
    let refused = "ConstraintViolationException/ACCOUNT_NUMBER_LIMIT_EXCEEDED";
    assert_eq!(
        create(&mut machine, 10, at(99_999)),
        Err(refused.to_owned())
    );
}

#[test]
fn duplicates_are_refused_under_amazon_s_names() {
    let mut machine = Simulated::new(3, Pace::QUICK);
    let now = at(0);
    let root = machine.root.clone();
    let policy = json!({ "Name": "p", "Type": "SERVICE_CONTROL_POLICY",
        "Content": "{\"Statement\":[]}" });
    let off = call(&mut machine, "CreatePolicy", policy.clone(), now);
    assert_eq!(off, Err("PolicyTypeNotEnabledException".to_owned()));
    let (instance, store) = (machine.instance.clone(), machine.store.clone());
    for (name, body, refused) in [
        (
            "EnablePolicyType",
            json!({ "RootId": root, "PolicyType": "SERVICE_CONTROL_POLICY" }),
            "PolicyTypeAlreadyEnabledException",
        ),
        (
            "CreateOrganizationalUnit",
            json!({ "ParentId": root, "Name": "ou" }),
            "DuplicateOrganizationalUnitException",
        ),
        ("CreatePolicy", policy, "DuplicatePolicyException"),
        (
            "CreatePermissionSet",
            json!({ "InstanceArn": instance, "Name": "set", "SessionDuration": "PT1H" }),
            "ConflictException",
        ),
        (
            "CreateGroup",
            json!({ "IdentityStoreId": store, "DisplayName": "group" }),
            "ConflictException/UNIQUENESS_CONSTRAINT_VIOLATION",
        ),
    ] {
        call(&mut machine, name, body.clone(), now).expect(name);
        assert_eq!(call(&mut machine, name, body, now), Err(refused.to_owned()));
    }
    let policy = machine.policies[0].name.clone();
    assert_eq!(policy, "p");
}

#[test]
fn policies_are_limited_in_length_and_number_and_units_in_depth() {
    let mut machine = Simulated::new(3, Pace::QUICK);
    let (now, root) = (at(0), machine.root.clone());
    let on = json!({ "RootId": root, "PolicyType": "SERVICE_CONTROL_POLICY" });
    call(&mut machine, "EnablePolicyType", on, now).expect("on");
    let long = json!({ "Name": "long", "Type": "SERVICE_CONTROL_POLICY",
        "Content": format!("{{\"Statement\":[]{}}}", " ".repeat(5_120)) });
    let refused = call(&mut machine, "CreatePolicy", long, now);
    let expected = "ConstraintViolationException/POLICY_CONTENT_LIMIT_EXCEEDED";
    assert_eq!(refused, Err(expected.to_owned()));
    for n in 1..=5 {
        let body = json!({ "Name": format!("p{n}"), "Type": "SERVICE_CONTROL_POLICY",
            "Content": "{\"Statement\":[]}" });
        let made = call(&mut machine, "CreatePolicy", body, now).expect("made");
        let id = made["Policy"]["PolicySummary"]["Id"].clone();
        let body = json!({ "PolicyId": id, "TargetId": root });
        let attached = call(&mut machine, "AttachPolicy", body, now);
        assert_eq!(attached.is_ok(), n <= 4, "{n}: {attached:?}");
    }
    let mut parent = root;
    for depth in 1..=6 {
        let body = json!({ "ParentId": parent, "Name": "deeper" });
        match call(&mut machine, "CreateOrganizationalUnit", body, now) {
            Ok(made) => {
                assert!(depth <= 5, "{depth}");
                let id = made["OrganizationalUnit"]["Id"].as_str().expect("an id");
                id.clone_into(&mut parent);
            }
            Err(refused) => {
                assert_eq!(depth, 6);
                assert_eq!(
                    refused,
                    "ConstraintViolationException/OU_DEPTH_LIMIT_EXCEEDED"
                );
            }
        }
    }
}

#[test]
fn rates_are_limited_and_time_refills_them() {
    let mut machine = Simulated::new(3, Pace::QUICK);
    machine.limits = Some(Limits::default());
    let burst = (0..100)
        .take_while(|_| call(&mut machine, "ListRoots", json!({}), at(0)).is_ok())
        .count();
    assert_eq!(burst, 20);
    let refused = call(&mut machine, "ListRoots", json!({}), at(0));
    assert_eq!(refused, Err("TooManyRequestsException".to_owned()));
    assert!(call(&mut machine, "ListRoots", json!({}), at(1)).is_ok());
    assert!(call(&mut machine, "ListInstances", json!({}), at(0)).is_ok());
}

#[test]
fn planned_faults_happen_once_where_they_were_planned() {
    let mut machine = Simulated::new(3, Pace::QUICK);
    machine.plan_fault("CreateAccount", 1, FaultKind::Throttle);
    machine.plan_fault("CreateAccount", 2, FaultKind::LoseReply);
    machine.plan_fault("ListRoots", 1, FaultKind::Slow(Duration::from_secs(9)));
    let refused = create(&mut machine, 1, at(0));
    assert_eq!(refused, Err("TooManyRequestsException".to_owned()));
    assert_eq!(machine.creations.len(), 0);
    assert_eq!(create(&mut machine, 1, at(0)), Err("ReplyLost".to_owned()));
    assert_eq!(machine.creations.len(), 1, "it acted");
    let slow = machine
        .apply(&Operation::ListRoots {}, at(0))
        .expect("it answers");
    assert_eq!(slow.delay, Duration::from_secs(9));
    let next = machine
        .apply(&Operation::ListRoots {}, at(0))
        .expect("it answers");
    assert_eq!(next.delay, Duration::ZERO);
}

#[test]
fn a_young_organisation_refuses_changes_and_a_stored_one_goes_on() {
    let mut machine = Simulated::new(3, Pace::QUICK);
    machine.finalizing_until = Some(at(60));
    let refused = create(&mut machine, 1, at(59));
    assert_eq!(refused, Err("FinalizingOrganizationException".to_owned()));
    create(&mut machine, 1, at(60)).expect("it is ready");
    let text = serde_json::to_string(&machine).expect("it is JSON");
    let mut again: Simulated = serde_json::from_str(&text).expect("it is read");
    let (one, other) = (
        create(&mut machine, 2, at(61)),
        create(&mut again, 2, at(61)),
    );
    assert_eq!(one, other, "the same random numbers follow");
}
