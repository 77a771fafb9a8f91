//! Who must agree, whose word counts, and what a team of one can do.

use tierdesk_core::{
    desk::{
        Error,
        onboard::{self, StartOptions},
        staff::{self, NewStaff, StaffPatch},
    },
    permit::Actor,
    refusal::RefusalCode,
    staff::{Role, StaffStatus},
};
use tierdesk_tests::{Backend, on_both, owner};

use super::{Stage, request};

on_both! {
    each_tier_asks_for_its_number_of_other_people,
    one_s_own_word_and_the_word_of_disabled_staff_do_not_count,
    an_approval_is_for_one_plan,
    a_team_of_one_goes_on_alone_only_when_it_is_one,
    nobody_goes_on_past_a_colleague_who_could_approve,
}

fn person(name: &str) -> Actor {
    Actor::OsUser {
        name: name.to_owned(),
        owns_configuration: false,
    }
}

async fn hire(stage: &Stage, name: &str, role: Role) {
    let new = NewStaff {
        name: name.to_owned(),
        role,
        os_user: Some(name.to_owned()),
        discord_user_id: None,
        reason: None,
    };
    staff::add(&stage.test.desk, &owner(), new)
        .await
        .expect("somebody is hired");
}

/// Olivia is admin, Pia provisions, Amir and Ada approve.
async fn staffed(backend: Backend) -> Stage {
    let stage = Stage::new(backend).await;
    staff::register_first_admin(&stage.test.desk, &owner())
        .await
        .expect("the first admin");
    hire(&stage, "pia", Role::Provisioner).await;
    hire(&stage, "amir", Role::Approver).await;
    hire(&stage, "ada", Role::Approver).await;
    stage
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> RefusalCode {
    match result {
        Err(Error::Refused(refusal)) => {
            assert!(refusal.hint.is_some(), "it says what to do: {refusal:?}");
            refusal.code
        }
        other => panic!("it was not refused: {other:?}"),
    }
}

async fn each_tier_asks_for_its_number_of_other_people(backend: Backend) {
    for (tier, needed) in [
        ("standard", 0),
        ("fintech", 0),
        ("healthcare", 1),
        ("gov-federal", 2),
    ] {
        let stage = staffed(backend).await;
        let desk = &stage.test.desk;
        let planned = stage.plan(request("New Clinic", tier)).await;
        assert_eq!(planned.approvals.needed, needed, "{tier}");
        let started = stage.start_as(&person("pia"), &planned.run).await;
        for (given, approver) in ["amir", "ada"].into_iter().take(needed).enumerate() {
            stage.settle().await;
            let now = stage.status(&planned.run).await;
            assert_eq!(now.state, "awaiting_approval", "{tier}");
            assert_eq!(now.approvals.given, given);
            assert_eq!(
                stage.machine().await.calls("CreateAccount"),
                0,
                "nothing is made yet"
            );
            let approved = onboard::approve(desk, &person(approver), "new-clinic", None).await;
            approved.expect("an approver may");
        }
        assert_eq!(started.state == "running", needed == 0, "{tier}");
        stage.settle().await;
        let done = stage.status(&planned.run).await;
        assert_eq!(done.state, "done", "{tier}: {done:?}");
        assert!(done.sole_operator.is_none());
    }
}

async fn one_s_own_word_and_the_word_of_disabled_staff_do_not_count(backend: Backend) {
    let stage = staffed(backend).await;
    let desk = &stage.test.desk;
    let planned = stage.plan(request("New Agency", "gov-federal")).await;
    // Olivia is admin, and so could approve what others ask for.
    stage.start_as(&owner(), &planned.run).await;
    let own = onboard::approve(desk, &owner(), "new-agency", None).await;
    assert_eq!(refused(own), RefusalCode::NotPermitted);
    let wrong_role = onboard::approve(desk, &person("pia"), "new-agency", None).await;
    assert_eq!(refused(wrong_role), RefusalCode::NotPermitted);
    for _ in 0..3 {
        let approved = onboard::approve(desk, &person("amir"), "new-agency", None).await;
        let approved = approved.expect("an approver may");
        assert_eq!(
            (approved.state, approved.approvals.given),
            ("awaiting_approval", 1)
        );
    }
    let away = StaffPatch {
        status: Some(StaffStatus::Disabled),
        ..StaffPatch::default()
    };
    staff::set(desk, &owner(), "amir", away)
        .await
        .expect("he leaves");
    let approved = onboard::approve(desk, &person("ada"), "new-agency", None).await;
    let approved = approved.expect("an approver may");
    assert_eq!(
        (approved.state, approved.approvals.given),
        ("awaiting_approval", 1)
    );
    hire(&stage, "anna", Role::Approver).await;
    let approved = onboard::approve(desk, &person("anna"), "new-agency", None).await;
    assert_eq!(
        approved.expect("an approver may").state,
        "running",
        "positive control"
    );
}

async fn an_approval_is_for_one_plan(backend: Backend) {
    let stage = staffed(backend).await;
    let desk = &stage.test.desk;
    let planned = stage.plan(request("New Clinic", "healthcare")).await;
    stage.start_as(&person("pia"), &planned.run).await;
    let other = onboard::approve(desk, &person("amir"), "new-clinic", Some("0123456789")).await;
    assert_eq!(refused(other), RefusalCode::Changed);
    let hash = &planned.hash[..12];
    let approved = onboard::approve(desk, &person("amir"), "new-clinic", Some(hash)).await;
    assert_eq!(approved.expect("it is this plan").state, "running");
    let late = onboard::approve(desk, &person("ada"), "new-clinic", None).await;
    assert_eq!(refused(late), RefusalCode::WrongStatus);
}

/// Two must agree and there is one: that one is asked all the same.
async fn nobody_goes_on_past_a_colleague_who_could_approve(backend: Backend) {
    let stage = staffed(backend).await;
    let desk = &stage.test.desk;
    let away = StaffPatch {
        status: Some(StaffStatus::Disabled),
        ..StaffPatch::default()
    };
    staff::set(desk, &owner(), "ada", away)
        .await
        .expect("an admin may");
    let planned = stage.plan(request("New Agency", "gov-federal")).await;
    assert_eq!(planned.approvals.possible, 1);
    stage.start_as(&owner(), &planned.run).await;
    let alone = || StartOptions {
        sole_operator: Some("nobody else".to_owned()),
        ..StartOptions::default()
    };
    let early = onboard::start(desk, &owner(), &planned.run, alone()).await;
    assert_eq!(refused(early), RefusalCode::NotPermitted);
    let approved = onboard::approve(desk, &person("amir"), &planned.run, None).await;
    assert_eq!(approved.expect("amir may").state, "awaiting_approval");
    let started = onboard::start(desk, &owner(), &planned.run, alone()).await;
    assert_eq!(started.expect("everybody was asked").state, "running");
}

async fn a_team_of_one_goes_on_alone_only_when_it_is_one(backend: Backend) {
    let stage = Stage::new(backend).await;
    let desk = &stage.test.desk;
    let planned = stage.plan(request("New Clinic", "healthcare")).await;
    assert_eq!(planned.approvals.possible, 0, "the plan says so at once");
    let waiting = stage.start_as(&owner(), &planned.run).await;
    assert_eq!(
        waiting.state, "awaiting_approval",
        "no fault: it says what it waits for"
    );
    let alone = |reason: &str| StartOptions {
        sole_operator: Some(reason.to_owned()),
        ..StartOptions::default()
    };
    let empty = onboard::start(desk, &owner(), &planned.run, alone("  ")).await;
    assert!(matches!(empty, Err(Error::Refused(_))), "{empty:?}");
    let started = onboard::start(desk, &owner(), &planned.run, alone("I am the company")).await;
    assert_eq!(started.expect("a team of one may").state, "running");
    stage.settle().await;
    let done = stage.status(&planned.run).await;
    assert_eq!(done.state, "done");
    assert_eq!(done.sole_operator.as_deref(), Some("I am the company"));
    let listed = onboard::list(desk, &owner(), true)
        .await
        .expect("they are listed");
    assert!(listed[0].sole_operator.is_some(), "reported in the list");
    let audited = stage
        .test
        .number("SELECT COUNT(*) FROM audit_entries WHERE action = 'onboarding.start' AND fields LIKE '%I am the company%'")
        .await;
    assert_eq!(audited, 1);

    let staffed = staffed(backend).await;
    let planned = staffed.plan(request("New Clinic", "healthcare")).await;
    let refusal = onboard::start(&staffed.test.desk, &owner(), &planned.run, alone("hurry")).await;
    assert_eq!(refused(refusal), RefusalCode::NotPermitted);
}
