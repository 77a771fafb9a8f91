//! Nothing fails: one customer of each tier, several at once, the same one twice.

use tierdesk_core::{
    desk::{customers, onboard},
    tiers::Catalogue,
};
use tierdesk_tests::{Backend, on_both, owner};

use super::{Stage, request, verdict};

on_both! {
    a_customer_of_each_tier_gets_what_the_tier_says,
    asking_again_changes_nothing,
    six_at_once_share_a_unit_and_keep_to_five_creations,
}

async fn a_customer_of_each_tier_gets_what_the_tier_says(backend: Backend) {
    let mut tried = 0;
    for tier in Catalogue::embedded()
        .iter()
        .filter(|tier| tier.approvals == 0)
    {
        let stage = Stage::new(backend).await;
        let before = stage.machine().await.picture();
        let planned = stage.plan(request("New Bank", tier.slug.as_str())).await;
        assert_eq!(planned.state, "planned");
        assert_eq!(planned.hash.len(), 64);
        assert_eq!(verdict(&planned, "account"), "create");
        assert_eq!(
            stage.machine().await.picture(),
            before,
            "a plan changes nothing"
        );
        let estimate = planned.estimate_seconds.expect("it is estimated");
        assert!(estimate.low < estimate.likely && estimate.likely < estimate.high);

        stage.start_as(&owner(), &planned.run).await;
        stage.settle().await;
        let done = stage.status(&planned.run).await;
        assert_eq!(done.state, "done", "{done:?}");
        assert_eq!(done.ou.as_deref(), Some(tier.ou.as_str()));
        for step in &done.steps {
            let is_later = matches!(step.name.as_str(), "baseline" | "welcome_mail");
            assert_eq!(
                step.verdict,
                if is_later { "skipped" } else { "done" },
                "{step:?}"
            );
            assert!(step.seconds.is_some(), "{step:?}");
        }
        let picture = stage.machine().await.picture();
        assert_ne!(picture, before);
        let held = |key: &str| picture[key].as_array().map(Vec::len);
        assert_eq!(held("policies"), Some(tier.scps.len()));
        assert_eq!(held("sets"), Some(tier.permission_sets.len()));
        assert_eq!(held("assignments"), Some(tier.permission_sets.len()));
        assert_eq!(held("accounts"), Some(2), "and the management account");
        let known = customers::show(&stage.test.desk, &owner(), "new-bank").await;
        let known = known.expect("it is in the directory");
        assert_eq!(known.status.as_str(), "active");
        assert_eq!(known.aws.account_id, done.account_id);
        tried += 1;
    }
    assert_eq!(
        tried, 2,
        "those without approvals; approvals.rs has the others"
    );
}

async fn asking_again_changes_nothing(backend: Backend) {
    let stage = Stage::new(backend).await;
    let done = stage.onboard(request("New Bank", "fintech")).await;
    let before = (stage.machine().await.picture(), stage.test.counts().await);
    let again = onboard::plan(&stage.test.desk, &owner(), request("New Bank", "fintech")).await;
    let again = again.expect("it is answered");
    assert_eq!((again.state, &again.run), ("done", &done.run));
    let started = stage.start_as(&owner(), "new-bank").await;
    assert_eq!(started.state, "done");
    stage.settle().await;
    let after = (stage.machine().await.picture(), stage.test.counts().await);
    assert_eq!(after, before);
}

async fn six_at_once_share_a_unit_and_keep_to_five_creations(backend: Backend) {
    let stage = Stage::new(backend).await;
    let mut runs = Vec::new();
    for n in 1..=6 {
        runs.push(stage.plan(request(&format!("Bank {n}"), "fintech")).await);
    }
    for planned in &runs {
        stage.start_as(&owner(), &planned.run).await;
    }
    stage.settle().await;
    for planned in &runs {
        let done = stage.status(&planned.run).await;
        assert_eq!(done.state, "done", "{done:?}");
    }
    let machine = stage.machine().await;
    assert_eq!(
        machine.calls("CreateAccount"),
        6,
        "each was asked for once, none refused"
    );
    assert_eq!(machine.calls("CreateOrganizationalUnit"), 1);
    let picture = machine.picture();
    assert_eq!(picture["accounts"].as_array().map(Vec::len), Some(7));
}
