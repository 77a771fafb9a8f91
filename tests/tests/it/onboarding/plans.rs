//! What a plan finds, and that exactly it is executed.

use std::sync::Arc;

use tierdesk_core::{
    desk::{
        Error, customers,
        customers::NewCustomer,
        onboard::{self, StartOptions},
    },
    onboarding::Blueprint,
    refusal::RefusalCode,
    tiers::Catalogue,
};
use tierdesk_provision::simulated::Operation;
use tierdesk_tests::{Backend, on_both, owner};

use super::{Stage, detail, request, verdict};

on_both! {
    a_configuration_that_changed_while_it_runs_stops_it,
    a_cloud_that_changed_since_the_plan_is_refused,
    what_another_onboarding_made_of_the_same_is_no_change,
    a_policy_that_differs_blocks,
    names_and_root_addresses_of_others_are_refused,
    cancelling_leaves_a_prospect_and_a_new_plan_takes_over,
    only_the_plan_that_was_meant_is_started,
}

async fn by_hand(stage: &Stage, operation: Operation) {
    stage
        .change(move |machine, now| {
            machine
                .apply(&operation, now)
                .expect("somebody does it in the console");
        })
        .await;
}

fn group(name: &str) -> Operation {
    Operation::CreateGroup {
        identity_store_id: String::new(),
        display_name: name.to_owned(),
    }
}

/// What was approved is what is done, to the last step: not only when the run begins.
async fn a_configuration_that_changed_while_it_runs_stops_it(backend: Backend) {
    let mut stage = Stage::new(backend).await;
    let planned = stage.plan(request("New Bank", "standard")).await;
    stage.start_as(&owner(), &planned.run).await;
    let mut looks = 0;
    while verdict(&stage.status(&planned.run).await, "account") != "done" {
        looks += 1;
        assert!(looks < 200, "{:?}", stage.status(&planned.run).await);
        let worker = stage.worker("first", &stage.cloud);
        worker.tick().await.expect("the queue is read");
        stage.pass_to_next_job().await;
    }
    let agreed = Arc::clone(&stage.test.desk.catalogue);
    let fewer = Catalogue::EMBEDDED.replace("\"SecureBaseReadOnly\", ", "");
    let fewer = Catalogue::parse(&fewer, "tiers.toml").expect("it is a catalogue");
    stage.test.desk.catalogue = Arc::new(fewer);
    stage.settle().await;
    let stopped = stage.status(&planned.run).await;
    assert_eq!(stopped.state, "failed", "{stopped:?}");
    let why: Vec<_> = stopped
        .steps
        .iter()
        .filter(|step| step.verdict == "failed")
        .collect();
    assert!(
        why[0]
            .detail
            .contains("configuration changed since the plan"),
        "{why:?}"
    );
    // Put back, it goes on to the end that was approved.
    stage.test.desk.catalogue = agreed;
    onboard::resume(&stage.test.desk, &owner(), &planned.run)
        .await
        .expect("it stopped");
    stage.settle().await;
    assert_eq!(stage.status(&planned.run).await.state, "done");
    assert_eq!(stage.machine().await.calls("CreateAccount"), 1);
}

async fn a_cloud_that_changed_since_the_plan_is_refused(backend: Backend) {
    let stage = Stage::new(backend).await;
    let planned = stage.plan(request("New Bank", "standard")).await;
    // Somebody makes the customer's user by hand, which the plan would have made.
    by_hand(
        &stage,
        serde_json::from_value(serde_json::json!({ "CreateUser": {
            "IdentityStoreId": "", "UserName": "ops@newbank.com", "DisplayName": "x",
            "Name": { "GivenName": "x", "FamilyName": "y" },
        }}))
        .expect("an operation"),
    )
    .await;
    by_hand(&stage, group("securebase-new-bank-readers")).await;
    stage
        .change(|machine, now| {
            // And makes it a member, so that nothing of the step is left to do.
            let wire = |name: &str, body: serde_json::Value| -> Operation {
                serde_json::from_value(serde_json::json!({ name: body })).expect("an operation")
            };
            let by = |path: &str, value: &str| {
                serde_json::json!({
                    "IdentityStoreId": "",
                    "AlternateIdentifier": { "UniqueAttribute": {
                        "AttributePath": path, "AttributeValue": value,
                    }},
                })
            };
            let group = machine.apply(
                &wire(
                    "GetGroupId",
                    by("displayName", "securebase-new-bank-readers"),
                ),
                now,
            );
            let user = machine.apply(&wire("GetUserId", by("userName", "ops@newbank.com")), now);
            let (group, user) = (
                group.expect("it is there").body,
                user.expect("it is there").body,
            );
            let body = serde_json::json!({ "IdentityStoreId": "", "GroupId": group["GroupId"],
            "MemberId": { "UserId": user["UserId"] } });
            machine
                .apply(&wire("CreateGroupMembership", body), now)
                .expect("a member");
        })
        .await;
    stage.start_as(&owner(), &planned.run).await;
    stage.settle().await;
    let failed = stage.status(&planned.run).await;
    assert_eq!(failed.state, "failed");
    let why = detail(&failed, "validate");
    assert!(why.contains("user was create, is already"), "{why}");
    assert!(why.contains("plan it again"), "{why}");
    assert_eq!(
        stage.machine().await.calls("CreateAccount"),
        0,
        "nothing was done"
    );
    // Planned again, it goes through.
    onboard::cancel(&stage.test.desk, &owner(), "new-bank")
        .await
        .expect("given up");
    let done = stage.onboard(request("New Bank", "standard")).await;
    assert_eq!(done.state, "done", "{done:?}");
}

async fn what_another_onboarding_made_of_the_same_is_no_change(backend: Backend) {
    let stage = Stage::new(backend).await;
    let first = stage.plan(request("Bank One", "fintech")).await;
    let second = stage.plan(request("Bank Two", "fintech")).await;
    assert_eq!(verdict(&second, "tier_ou"), "create");
    stage.start_as(&owner(), &first.run).await;
    stage.settle().await;
    stage.start_as(&owner(), &second.run).await;
    stage.settle().await;
    assert_eq!(stage.status(&second.run).await.state, "done");
}

async fn a_policy_that_differs_blocks(backend: Backend) {
    let stage = Stage::new(backend).await;
    let done = stage.onboard(request("Bank One", "fintech")).await;
    assert_eq!(done.state, "done");
    stage
        .change(|machine, now| {
            let policies = machine.apply(&serde_json::from_value(
            serde_json::json!({ "ListPolicies": { "Filter": "SERVICE_CONTROL_POLICY" } })
        ).expect("an operation"), now).expect("listed").body;
            let id = policies["Policies"][1]["Id"]
                .as_str()
                .expect("an id")
                .to_owned();
            machine
                .apply(
                    &Operation::UpdatePolicy {
                        policy_id: id,
                        content: Some("{\"Statement\":[]}".to_owned()),
                    },
                    now,
                )
                .expect("somebody edits it");
        })
        .await;
    let planned = stage.plan(request("Bank Two", "fintech")).await;
    assert_eq!(verdict(&planned, "tier_scps"), "blocked");
    let owner = owner();
    let started = onboard::start(
        &stage.test.desk,
        &owner,
        &planned.run,
        StartOptions::default(),
    );
    match started.await {
        Err(Error::Refused(refusal)) => {
            assert_eq!(refusal.code, RefusalCode::Blocked);
            assert!(refusal.message.contains("securebase-baseline"), "{refusal}");
        }
        other => panic!("it was not refused: {other:?}"),
    }
    assert_eq!(
        stage.machine().await.calls("CreateAccount"),
        1,
        "only the first one's"
    );
}

async fn code(stage: &Stage, request: onboard::PlanRequest) -> RefusalCode {
    match onboard::plan(&stage.test.desk, &owner(), request).await {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("it was not refused: {other:?}"),
    }
}

async fn names_and_root_addresses_of_others_are_refused(backend: Backend) {
    let mut stage = Stage::new(backend).await;
    let other = NewCustomer {
        slug: None,
        name: "Other".to_owned(),
        tier: "standard".parse().expect("a tier"),
        domains: vec!["other.example".parse().expect("a domain")],
        contacts: vec!["boss@else.example".parse().expect("an address")],
        prefix: Some("oth".parse().expect("a prefix")),
        account_id: None,
        status: tierdesk_core::customers::CustomerStatus::Active,
    };
    customers::add(&stage.test.desk, &owner(), other)
        .await
        .expect("it is added");
    let fine = request("New Bank", "fintech");
    let mut theirs = fine.clone();
    theirs.domain = "other.example".parse().expect("a domain");
    assert_eq!(code(&stage, theirs).await, RefusalCode::DomainTaken);
    let mut theirs = fine.clone();
    theirs.contact = "boss@else.example".parse().expect("an address");
    assert_eq!(code(&stage, theirs).await, RefusalCode::Taken);
    let mut theirs = fine.clone();
    theirs.prefix = Some("oth".parse().expect("a prefix"));
    assert_eq!(code(&stage, theirs).await, RefusalCode::Taken);
    let mut wrong_tier = request("Other", "fintech");
    wrong_tier.domain = "other.example".parse().expect("a domain");
    assert_eq!(code(&stage, wrong_tier).await, RefusalCode::Taken);
    for (template, expected) in [
        ("root+{slug}@other.example", RefusalCode::Configuration),
        ("root+{slug}@mail.newbank.com", RefusalCode::Configuration),
    ] {
        let mut blueprint = Blueprint::embedded();
        blueprint.root_email_template = Some(template.to_owned());
        stage.test.desk.blueprint = std::sync::Arc::new(blueprint);
        assert_eq!(code(&stage, fine.clone()).await, expected, "{template}");
    }
    stage.test.desk.blueprint = std::sync::Arc::new(Blueprint::embedded());
    onboard::plan(&stage.test.desk, &owner(), fine)
        .await
        .expect("positive control");
}

async fn cancelling_leaves_a_prospect_and_a_new_plan_takes_over(backend: Backend) {
    let stage = Stage::new(backend).await;
    stage
        .change(|machine, _| {
            let refusal =
                tierdesk_provision::simulated::AwsFault::new("AccessDeniedException", "no");
            let kind = tierdesk_provision::simulated::FaultKind::Refuse(refusal);
            machine.plan_fault("MoveAccount", 1, kind);
        })
        .await;
    let failed = stage.onboard(request("New Bank", "fintech")).await;
    assert_eq!(failed.state, "failed");
    assert_eq!(verdict(&failed, "moved"), "failed");
    let desk = &stage.test.desk;
    onboard::cancel(desk, &owner(), "new-bank")
        .await
        .expect("it is given up");
    let known = customers::show(desk, &owner(), "new-bank")
        .await
        .expect("it is known");
    assert_eq!(known.status.as_str(), "prospect");
    let planned = stage.plan(request("New Bank", "fintech")).await;
    assert_eq!(verdict(&planned, "account"), "adopt");
    stage.start_as(&owner(), &planned.run).await;
    stage.settle().await;
    assert_eq!(stage.status(&planned.run).await.state, "done");
    assert_eq!(
        stage.machine().await.calls("CreateAccount"),
        1,
        "the same account"
    );
}

async fn only_the_plan_that_was_meant_is_started(backend: Backend) {
    let stage = Stage::new(backend).await;
    let planned = stage.plan(request("New Bank", "fintech")).await;
    let options = |hash: &str| StartOptions {
        hash: Some(hash.to_owned()),
        ..StartOptions::default()
    };
    let desk = &stage.test.desk;
    let wrong = onboard::start(desk, &owner(), &planned.run, options("ffffffffffff")).await;
    assert!(matches!(wrong, Err(Error::Refused(_))), "{wrong:?}");
    let by_hash = planned.hash[..12].to_owned();
    let right = onboard::start(desk, &owner(), &by_hash, options(&by_hash)).await;
    assert_eq!(right.expect("it is this one").run, planned.run);
}

#[test]
fn every_name_in_the_tiers_exists_and_every_policy_fits() {
    let blueprint = Blueprint::embedded();
    let catalogue = Catalogue::embedded();
    blueprint
        .check(catalogue.iter())
        .expect("tiers name what is there");
    assert!(
        blueprint
            .policies
            .values()
            .all(|policy| policy.len() <= 5_120)
    );
    let mut lacking = blueprint.clone();
    lacking.access.remove("SecureBaseOperator");
    assert!(lacking.check(catalogue.iter()).is_err(), "positive control");
    let mut lacking = blueprint;
    lacking.policies.remove("securebase-healthcare");
    assert!(lacking.check(catalogue.iter()).is_err(), "positive control");
}
