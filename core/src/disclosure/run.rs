//! What of an onboarding may be shown.

use super::{alias_of, level};
use crate::tiers::{Disclosure, Tier};

/// All that could be shown of an onboarding.
#[derive(Clone, Debug)]
pub struct RunFacts<'f> {
    /// The run's id.
    pub run: &'f str,
    /// What the alias is made of: the id of customer or run.
    pub alias_of: uuid::Uuid,
    /// The company's name.
    pub name: &'f str,
    /// The tier.
    pub tier: Option<&'f Tier>,
    /// Where it stands.
    pub state: &'f str,
    /// What exactly was planned.
    pub hash: &'f str,
    /// Each step: name, where it stands, in words, seconds.
    pub steps: Vec<(&'f str, &'f str, &'f str, Option<f64>)>,
    /// The account.
    pub account: Option<&'f str>,
    /// How many other people must agree, did, and could.
    pub approvals: (usize, usize, usize),
    /// How long it may take, in seconds: at least, probably, at most.
    pub estimate: Option<(i64, i64, i64)>,
    /// `simulated` or `aws`.
    pub cloud: &'f str,
    /// Who asked.
    pub requested_by: &'f str,
    /// Whether one person went on alone.
    pub is_sole_operator: bool,
    /// Why it stands still.
    pub note: Option<&'f str>,
    /// Whether the cloud is still being looked at.
    pub is_planning: bool,
}

/// What may be shown of an onboarding.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DisclosedRun {
    /// The run's id.
    pub run: String,
    /// The company's name, or an alias.
    pub name: String,
    /// The tier, which decides where it is shown.
    pub tier: Option<String>,
    /// Where it stands.
    pub state: String,
    /// What exactly was planned.
    pub hash: String,
    /// The steps.
    pub steps: Vec<DisclosedStep>,
    /// From `subject` on: the account.
    pub account: Option<String>,
    /// How many other people must agree, did, and could.
    pub approvals: (usize, usize, usize),
    /// How long it may take, in seconds: at least, probably, at most.
    pub estimate: Option<(i64, i64, i64)>,
    /// `simulated` or `aws`.
    pub cloud: String,
    /// Who asked.
    pub requested_by: String,
    /// Whether one person went on alone.
    pub is_sole_operator: bool,
    /// From `subject` on: why it stands still.
    pub note: Option<String>,
    /// Whether the cloud is still being looked at.
    pub is_planning: bool,
}

/// What may be shown of a step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DisclosedStep {
    /// Its name.
    pub name: String,
    /// Where it stands, or what it would do.
    pub verdict: String,
    /// How long it took.
    pub seconds: Option<f64>,
    /// From `subject` on, in words: addresses and names stand in it.
    pub detail: Option<String>,
}

/// What of an onboarding may be shown.
pub fn run(facts: &RunFacts<'_>) -> DisclosedRun {
    let level = level(facts.tier);
    let subject = level >= Disclosure::Subject;
    let shown = |text: Option<&str>| text.filter(|_| subject).map(str::to_owned);
    DisclosedRun {
        run: facts.run.to_owned(),
        name: if level >= Disclosure::Metadata {
            facts.name.to_owned()
        } else {
            alias_of(facts.alias_of)
        },
        tier: facts.tier.map(|tier| tier.slug.to_string()),
        state: facts.state.to_owned(),
        hash: facts.hash.to_owned(),
        steps: facts
            .steps
            .iter()
            .map(|(name, verdict, detail, seconds)| DisclosedStep {
                name: (*name).to_owned(),
                verdict: (*verdict).to_owned(),
                seconds: *seconds,
                detail: shown(Some(detail).filter(|detail| !detail.is_empty()).copied()),
            })
            .collect(),
        account: shown(facts.account),
        approvals: facts.approvals,
        estimate: facts.estimate,
        cloud: facts.cloud.to_owned(),
        requested_by: facts.requested_by.to_owned(),
        is_sole_operator: facts.is_sole_operator,
        note: shown(facts.note),
        is_planning: facts.is_planning,
    }
}
