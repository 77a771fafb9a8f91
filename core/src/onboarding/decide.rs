//! What follows from the difference between what is wanted and what was found.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    Desired, Observed, StepName, TAG_CUSTOMER, Verdict, desired::canonical, observed::ObservedSet,
};
use crate::cloud::PolicyType;

/// What a step would do, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub verdict: Verdict,
    /// In words.
    pub detail: String,
}

impl Finding {
    fn new(verdict: Verdict, detail: impl Into<String>) -> Self {
        Self {
            verdict,
            detail: detail.into(),
        }
    }

    /// `missing` is what is not in place; none of it means that nothing is to be done.
    fn of_missing(missing: &[String], otherwise: impl Into<String>) -> Self {
        if missing.is_empty() {
            Self::new(Verdict::Already, otherwise)
        } else {
            Self::new(Verdict::Create, missing.join("; "))
        }
    }
}

/// Decides a step.
pub fn decide(step: StepName, desired: &Desired, observed: &Observed) -> Finding {
    match step {
        StepName::Validate => validate(desired, observed),
        StepName::TierOu => match &observed.unit {
            Some(unit) => Finding::new(Verdict::Already, format!("{} ({})", unit.name, unit.id)),
            None => Finding::new(Verdict::Create, format!("{} under the root", desired.ou)),
        },
        StepName::TierScps => policies(desired, observed),
        StepName::Account => account(desired, observed),
        StepName::AccountUsable => usable(observed),
        StepName::Moved => moved(desired, observed),
        StepName::Tagged => tagged(desired, observed),
        StepName::PermissionSets => sets(desired, observed),
        StepName::Groups => {
            let groups = desired.groups();
            let is_missing = |group: &&&str| !observed.groups.contains_key(**group);
            let missing = groups.iter().filter(is_missing).map(ToString::to_string);
            Finding::of_missing(&missing.collect::<Vec<_>>(), groups.join(", "))
        }
        StepName::User => user(desired, observed),
        StepName::Assignments => assignments(desired, observed),
        StepName::Baseline => Finding::new(
            Verdict::Skipped,
            "this version does not look at the baseline",
        ),
        StepName::Directory => Finding::new(
            Verdict::Create,
            format!("{} becomes an active customer", desired.slug),
        ),
        StepName::WelcomeMail => {
            Finding::new(Verdict::Skipped, "this version sends no welcome mail")
        }
    }
}

fn validate(desired: &Desired, observed: &Observed) -> Finding {
    let Some(organization) = &observed.organization else {
        return Finding::new(Verdict::Blocked, "no organisation was found");
    };
    if let Some(expected) = &desired.organization_id
        && *expected != organization.id
    {
        let detail = format!(
            "the credentials belong to organisation {}, the configuration names {expected}",
            organization.id
        );
        return Finding::new(Verdict::Blocked, detail);
    }
    if !organization.has_all_features {
        let detail = "the organisation has consolidated billing only: enable all features";
        return Finding::new(Verdict::Blocked, detail);
    }
    if observed.center.is_none() {
        let detail = "IAM Identity Center has no instance here: enable it, or name its region";
        return Finding::new(Verdict::Blocked, detail);
    }
    Finding::new(
        Verdict::Already,
        format!("organisation {}", organization.id),
    )
}

/// A shared policy in use is never edited by an onboarding: that would change what other customers
/// may do, and is a decision of its own.
fn policies(desired: &Desired, observed: &Observed) -> Finding {
    let mut missing = Vec::new();
    if observed
        .root
        .as_ref()
        .is_some_and(|root| root.policies != PolicyType::On)
    {
        missing.push("turn service control policies on for the whole organisation".to_owned());
    }
    for policy in &desired.policies {
        let name = &policy.name;
        let Some(found) = observed.policies.iter().find(|found| found.name == *name) else {
            missing.push(format!("{name}: create and attach"));
            continue;
        };
        if canonical(&found.content).as_ref() != Some(&policy.content) {
            let users = found.targets.len();
            let detail = format!(
                "the policy {name} differs from ours and is attached to {users} place(s): bring its \
                 content in line first, an onboarding does not edit it"
            );
            return Finding::new(Verdict::Blocked, detail);
        }
        let unit = observed.unit.as_ref().map(|unit| unit.id.as_str());
        if unit.is_none_or(|unit| !found.targets.iter().any(|target| target == unit)) {
            missing.push(format!("{name}: attach"));
        }
    }
    // FullAWSAccess is the fifth.
    if desired.policies.len() + observed.foreign_policies > 4 {
        let detail = format!(
            "{} has {} other policies, and AWS attaches at most five",
            desired.ou, observed.foreign_policies
        );
        return Finding::new(Verdict::Blocked, detail);
    }
    let names: Vec<&str> = desired.policies.iter().map(|p| p.name.as_str()).collect();
    Finding::of_missing(&missing, names.join(", "))
}

fn account(desired: &Desired, observed: &Observed) -> Finding {
    let Some(account) = &observed.account else {
        return Finding::new(
            Verdict::Create,
            format!("a new account with root address {}", desired.root_email),
        );
    };
    if !account.is_active {
        let detail = format!("account {} is suspended or being closed", account.id);
        return Finding::new(Verdict::Blocked, detail);
    }
    match account.tags.get(TAG_CUSTOMER) {
        Some(slug) if slug == desired.slug.as_str() => Finding::new(
            Verdict::Adopt,
            format!("account {}, made for {slug}", account.id),
        ),
        _ => Finding::new(
            Verdict::Blocked,
            format!(
                "account {} has the root address {} and was not made for {}: another \
                 aws.root_email_template, or tag it {TAG_CUSTOMER}={} if it is theirs",
                account.id, desired.root_email, desired.slug, desired.slug
            ),
        ),
    }
}

fn usable(observed: &Observed) -> Finding {
    if observed.is_usable {
        Finding::new(Verdict::Already, "its role can be assumed")
    } else {
        Finding::new(Verdict::Create, "wait until its role can be assumed")
    }
}

fn moved(desired: &Desired, observed: &Observed) -> Finding {
    let unit = observed.unit.as_ref().map(|unit| unit.id.as_str());
    let parent = observed
        .account
        .as_ref()
        .map(|account| account.parent.as_str());
    let root = observed.root.as_ref().map(|root| root.id.as_str());
    if parent.is_some() && parent == unit {
        return Finding::new(Verdict::Already, desired.ou.clone());
    }
    // From the root, where it was made, and from nowhere else: another unit is somebody's decision.
    if parent.is_none() || parent == root {
        return Finding::new(Verdict::Create, format!("from the root to {}", desired.ou));
    }
    let detail = format!(
        "the account lies in another unit ({}): move it to {} by hand, or the customer to its tier",
        parent.unwrap_or_default(),
        desired.ou
    );
    Finding::new(Verdict::Blocked, detail)
}

fn tagged(desired: &Desired, observed: &Observed) -> Finding {
    let empty = crate::cloud::Tags::new();
    let tags = observed
        .account
        .as_ref()
        .map_or(&empty, |account| &account.tags);
    let differs = |(key, value): &(&String, &String)| tags.get(*key) != Some(*value);
    let missing: Vec<String> = desired
        .tags
        .iter()
        .filter(differs)
        .map(|(key, value)| match tags.get(key) {
            Some(found) => format!("{key}: {found} -> {value}"),
            None => format!("{key}={value}"),
        })
        .collect();
    Finding::of_missing(&missing, format!("{} tags", desired.tags.len()))
}

fn sets(desired: &Desired, observed: &Observed) -> Finding {
    let mut missing = Vec::new();
    for set in &desired.sets {
        let Some(found) = observed.sets.get(&set.name) else {
            missing.push(format!("{}: create", set.name));
            continue;
        };
        if let Some(difference) = foreign(set, found) {
            let detail = format!(
                "the permission set {} differs from ours ({difference}): bring it in line first, an \
                 onboarding does not edit it",
                set.name
            );
            return Finding::new(Verdict::Blocked, detail);
        }
        let managed = set.managed_policies.iter();
        let lacks: Vec<String> = managed
            .filter(|arn| !found.managed.contains(arn))
            .map(|arn| format!("{}: attach {arn}", set.name))
            .collect();
        missing.extend(lacks);
        if set.inline_policy.is_some() && found.inline.is_none() {
            missing.push(format!("{}: set its policy", set.name));
        }
    }
    let names: Vec<&str> = desired.sets.iter().map(|set| set.name.as_str()).collect();
    Finding::of_missing(&missing, names.join(", "))
}

/// What a set has that ours would not have. What it lacks may be a run that was cut off in between,
/// and is added.
fn foreign(set: &super::AccessSet, found: &ObservedSet) -> Option<String> {
    if found.session_duration != set.session_duration {
        let (ours, theirs) = (&set.session_duration, &found.session_duration);
        return Some(format!("sessions of {theirs} instead of {ours}"));
    }
    let is_ours = |arn: &&String| set.managed_policies.contains(arn);
    if let Some(arn) = found.managed.iter().find(|arn| !is_ours(arn)) {
        return Some(format!("it also has {arn}"));
    }
    let inline = found.inline.as_deref().and_then(canonical);
    if inline.is_some() && inline != set.inline_policy {
        return Some("another policy of its own".to_owned());
    }
    None
}

fn user(desired: &Desired, observed: &Observed) -> Finding {
    let Some(contact) = &desired.contact else {
        return Finding::new(Verdict::Already, "no contact is named");
    };
    let mut missing = Vec::new();
    if observed.user.is_none() {
        missing.push(format!("{contact}: create"));
    }
    for group in desired.contact_groups() {
        if !observed.memberships.contains(group) {
            missing.push(format!("{contact} into {group}"));
        }
    }
    Finding::of_missing(&missing, contact.to_string())
}

fn assignments(desired: &Desired, observed: &Observed) -> Finding {
    let is_missing = |set: &&super::AccessSet| {
        let pair = (set.name.clone(), set.group.clone());
        !observed.assignments.contains(&pair)
    };
    let missing: Vec<String> = desired
        .sets
        .iter()
        .filter(is_missing)
        .map(|set| format!("{} to {}", set.name, set.group))
        .collect();
    Finding::of_missing(&missing, format!("{} assignments", desired.sets.len()))
}

/// The name of exactly this plan: who, what, and what was found. 64 hexadecimal digits.
pub fn plan_hash(desired: &Desired, findings: &[(StepName, Finding)]) -> String {
    let verdicts: Vec<_> = findings
        .iter()
        .map(|(step, finding)| (step.as_str(), finding.verdict.as_str()))
        .collect();
    let text = serde_json::json!({ "desired": desired.content(), "verdicts": verdicts });
    let digest = Sha256::digest(text.to_string().as_bytes());
    data_encoding::HEXLOWER.encode(&digest)
}

/// What differs between the plan that was agreed to and what is found now, in words.
///
/// What all customers of a tier share may have been made meanwhile by another onboarding, with
/// exactly the content that this plan wanted: then less is done than was agreed to, and nothing else.
pub fn changed_since(
    planned: &[(StepName, Verdict)],
    found: &[(StepName, Finding)],
) -> Vec<String> {
    let before = |step: StepName| {
        planned
            .iter()
            .find(|(name, _)| *name == step)
            .map(|(_, v)| *v)
    };
    found
        .iter()
        .filter_map(|(step, finding)| {
            let (was, is) = (before(*step)?, finding.verdict);
            let is_made_meanwhile = (step.is_shared() || *step == StepName::Groups)
                && was == Verdict::Create
                && is == Verdict::Already;
            let differs = was != is && !is_made_meanwhile;
            differs.then(|| format!("{step} was {was}, is {is}: {}", finding.detail))
        })
        .collect()
}
