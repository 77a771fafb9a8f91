use std::collections::BTreeMap;

use super::*;
use crate::tiers::Catalogue;

fn desired() -> Desired {
    let params = Params {
        slug: "new-bank".parse().unwrap(),
        name: "New Bank".to_owned(),
        tier: "fintech".parse().unwrap(),
        contact: "ops@newbank.com".parse().unwrap(),
        domain: "newbank.com".parse().unwrap(),
        prefix: None,
    };
    let catalogue = Catalogue::embedded();
    let root = "aws+new-bank@root.securebase.example".parse().unwrap();
    Desired::new(
        &Blueprint::embedded(),
        catalogue.get("fintech").unwrap(),
        &params,
        root,
    )
    .unwrap()
}

fn findings(desired: &Desired, seen: &Observed) -> Vec<(StepName, Finding)> {
    let steps = StepName::ALL.into_iter();
    steps
        .map(|step| (step, decide(step, desired, seen)))
        .collect()
}

fn found(tags: &[(&str, &str)]) -> Observed {
    let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Observed {
        account: Some(ObservedAccount {
            id: "222233334444".parse().unwrap(),
            is_active: true,
            tags: tags.collect(),
            parent: "r-root".to_owned(),
        }),
        ..Observed::default()
    }
}

#[test]
fn only_an_account_that_was_made_for_the_customer_is_taken_over() {
    let desired = desired();
    let verdict = |seen: &Observed| decide(StepName::Account, &desired, seen).verdict;
    assert_eq!(verdict(&Observed::default()), Verdict::Create);
    assert_eq!(
        verdict(&found(&[(TAG_CUSTOMER, "new-bank")])),
        Verdict::Adopt
    );
    assert_eq!(
        verdict(&found(&[(TAG_CUSTOMER, "other")])),
        Verdict::Blocked
    );
    assert_eq!(verdict(&found(&[])), Verdict::Blocked);
}

#[test]
fn the_hash_commits_to_what_is_wanted_and_to_what_was_found() {
    let desired = desired();
    let nothing = findings(&desired, &Observed::default());
    let hash = plan_hash(&desired, &nothing);
    assert_eq!(hash, plan_hash(&desired, &nothing));
    let adopted = findings(&desired, &found(&[(TAG_CUSTOMER, "new-bank")]));
    assert_ne!(hash, plan_hash(&desired, &adopted));
    let mut other = desired.clone();
    other.policies[0].content.push(' ');
    assert_ne!(hash, plan_hash(&other, &nothing));
}

#[test]
fn names_of_accounts_fit_and_belong_to_one_run() {
    let mut desired = desired();
    desired.slug = "a".repeat(40).parse().unwrap();
    let name = desired.account_name("01a20f2c-d711-723e-8000-024eff6f0133");
    assert!(name.len() <= 50 && name.ends_with("-ff6f0133"), "{name}");
}

#[test]
fn an_estimate_follows_what_was_measured() {
    let desired = desired();
    let findings = findings(&desired, &Observed::default());
    let assumed = estimate(&findings, &BTreeMap::new(), 1.0);
    let slow = BTreeMap::from([(StepName::Account, vec![600.0, 700.0, 800.0])]);
    assert!(estimate(&findings, &slow, 1.0).likely > assumed.likely + 500);
    let few = BTreeMap::from([(StepName::Account, vec![600.0, 700.0])]);
    assert_eq!(estimate(&findings, &few, 1.0), assumed);
}
