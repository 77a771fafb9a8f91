//! Escalation policies as a file: read as a whole, every mistake told at once.

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, time::Duration};

use jiff::civil::Time;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Channel, Plan, Step, Target, Urgency};
use crate::{
    clock::Timestamp,
    oncall::WeekdayMask,
    tiers::{self, Catalogue, PerSeverity, SupportHours},
    watchdog,
};

/// Steps more than this, or rounds, would call people for days.
const MOST_STEPS: usize = 20;
/// As GoAlert and PagerDuty have it.
const MOST_REPEATS: u32 = 9;
/// A self-test that was called and not heard: a worker's longest pauses and a few tries fit in.
const HEARD_WITHIN: Duration = Duration::from_mins(5);
/// What waits, and is told once a day.
const DIGEST: &str = "digest";
/// Whoever is reminded later has begun.
const SHORTEST_AHEAD: Duration = Duration::from_hours(1);
/// Whoever is reminded earlier has forgotten.
const LONGEST_AHEAD: Duration = Duration::from_hours(7 * 24);

/// When a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// With its ticket.
    Now,
    /// When this part of the time to our own first-response objective is over, in percent: 1 to 100.
    Part(u32),
}

/// What is done about tickets of one tier and severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// When a page begins.
    pub when: When,
    /// Outside these nobody is woken.
    pub hours: Option<SupportHours>,
    /// What it does.
    pub plan: Plan,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub slug: String,
    /// By severity; `None` pages nobody.
    pub rules: PerSeverity<Option<Rule>>,
    /// By severity: whether what waits stands in the digest. Never where there is a rule.
    pub digest: PerSeverity<bool>,
}

/// When the digest of what waits and pages nobody is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestTime {
    /// On the clocks of the schedule.
    pub at: Time,
    /// On which days.
    pub days: WeekdayMask,
}

/// All policies, and what holds across them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies {
    all: Vec<Policy>,
    /// Pages an hour for senders who proved nothing.
    pub unverified_per_hour: u32,
    /// The schedule that answers for tickets that are nobody's yet.
    pub triage_schedule: String,
    /// The policy for those.
    pub triage_policy: String,
    /// When digests are written; never where there is none.
    pub digest: Option<DigestTime>,
    /// How long before a shift begins its person is reminded; never where there is none.
    pub remind_ahead: Option<Duration>,
    /// What is done about the desk's own self-tests. It stands in no file.
    pub self_test: Rule,
}

/// Everything that is wrong with a file of policies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {}", .faults.join("; "))]
pub struct PoliciesError {
    /// The file.
    pub origin: String,
    /// What is wrong, never nothing.
    pub faults: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    unverified: Unverified,
    triage: Triage,
    #[serde(default)]
    digest: DigestText,
    #[serde(default)]
    handoffs: Handoffs,
    #[serde(default)]
    policy: Vec<PolicyText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unverified {
    pages_per_hour: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Triage {
    schedule: String,
    policy: String,
}

/// As the built-in file has it, for a file from before it was there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DigestText {
    at: String,
    days: String,
}

impl Default for DigestText {
    fn default() -> Self {
        Self {
            at: "09:00".to_owned(),
            days: "mon-fri".to_owned(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Handoffs {
    remind_ahead: String,
}

impl Default for Handoffs {
    fn default() -> Self {
        Self {
            remind_ahead: "24h".to_owned(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyText {
    slug: String,
    sev1: RuleText,
    sev2: RuleText,
    sev3: RuleText,
    sev4: RuleText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    when: String,
    hours: Option<String>,
    #[serde(default)]
    steps: Vec<StepText>,
    end_after: Option<String>,
    #[serde(default)]
    repeat: u32,
    ack_expires: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepText {
    at: String,
    to: Vec<String>,
    #[serde(default)]
    channels: Vec<String>,
}

impl Policies {
    /// config/oncall.toml as it was when the program was built.
    pub const EMBEDDED: &str = include_str!("../../../config/oncall.toml");

    /// The built-in ones.
    ///
    /// # Panics
    ///
    /// Not in a program that passed its tests: one of them reads the same text.
    pub fn embedded() -> Self {
        Self::parse(Self::EMBEDDED, "config/oncall.toml", &Catalogue::embedded())
            .expect("a test reads the built-in file")
    }

    /// Reads a file of policies; `origin` is its name for the errors. Every tier of the catalogue must
    /// find its policy there.
    pub fn parse(text: &str, origin: &str, catalogue: &Catalogue) -> Result<Self, PoliciesError> {
        let wrong = |faults| PoliciesError {
            origin: origin.to_owned(),
            faults,
        };
        let file: File = toml::from_str(text)
            .map_err(|fault| wrong(vec![fault.to_string().trim().to_owned()]))?;
        let mut faults = Vec::new();
        let mut names = BTreeSet::new();
        let mut policies = Vec::with_capacity(file.policy.len());
        for text in file.policy {
            if !names.insert(text.slug.clone()) {
                faults.push(format!("there are two policies {:?}", text.slug));
            }
            policies.push(policy(text, &mut faults));
        }
        for tier in catalogue.iter() {
            if !names.contains(&tier.on_call.policy) {
                faults.push(format!(
                    "the tier {} names the policy {:?}, which is not here",
                    tier.slug, tier.on_call.policy
                ));
            }
        }
        if !names.contains(&file.triage.policy) {
            let name = &file.triage.policy;
            faults.push(format!(
                "triage names the policy {name:?}, which is not here"
            ));
        }
        let digest = digest_time(&file.digest, &mut faults);
        let remind_ahead = remind_ahead(&file.handoffs.remind_ahead, &mut faults);
        if faults.is_empty() {
            Ok(Self {
                all: policies,
                unverified_per_hour: file.unverified.pages_per_hour,
                triage_schedule: file.triage.schedule,
                triage_policy: file.triage.policy,
                digest,
                remind_ahead,
                self_test: Rule::self_test(),
            })
        } else {
            Err(wrong(faults))
        }
    }

    /// The policy of this name.
    pub fn get(&self, slug: &str) -> Option<&Policy> {
        self.all.iter().find(|policy| policy.slug == slug)
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Policy> {
        self.all.iter()
    }
}

impl Rule {
    /// The desk is to hear itself at once; where it does not, whoever is told when nobody else is.
    fn self_test() -> Self {
        Self {
            when: When::Now,
            hours: None,
            plan: Plan::at_once(watchdog::POLICY, Target::Itself, HEARD_WITHIN),
        }
    }

    /// When a page for a ticket that was opened at `opened` begins, and whether it may wake somebody.
    /// `objective` is when we want it answered; `now` is never passed.
    pub fn begins(
        &self,
        now: Timestamp,
        opened: Timestamp,
        objective: Option<Timestamp>,
    ) -> (Timestamp, Urgency) {
        let start = match (self.when, objective) {
            (When::Now, _) | (_, None) => now,
            (When::Part(percent), Some(objective)) => {
                let part = objective.since(opened).mul_f64(f64::from(percent) / 100.0);
                opened.plus(part).max(now)
            }
        };
        let Some(hours) = self.hours.as_ref().filter(|hours| !hours.is_open(start)) else {
            return (start, Urgency::High);
        };
        let opening = hours.next_opening(start);
        let last = objective.unwrap_or(opening).max(start);
        (opening.min(last), Urgency::Low)
    }
}

fn policy(text: PolicyText, faults: &mut Vec<String>) -> Policy {
    let slug = text.slug;
    let texts = [text.sev1, text.sev2, text.sev3, text.sev4];
    let mut waits = texts.each_ref().map(|text| text.when == DIGEST).into_iter();
    let digest = PerSeverity::new(|_| waits.next().unwrap_or_default());
    let mut texts = texts.map(Some).into_iter();
    let rules = PerSeverity::new(|severity| {
        let text = texts.next().flatten()?;
        let mut found = Vec::new();
        let rule = rule(&slug, &text, &mut found);
        let place = |fault: String| format!("policy {slug:?}, {severity}: {fault}");
        faults.extend(found.into_iter().map(place));
        rule
    });
    Policy {
        slug,
        rules,
        digest,
    }
}

/// When digests are written.
fn digest_time(text: &DigestText, faults: &mut Vec<String>) -> Option<DigestTime> {
    if text.at == "never" {
        return None;
    }
    let at = Time::strptime("%H:%M", &text.at).map_err(|_| {
        faults.push(format!(
            "digest: at is {:?}: write a time like 09:00, or never",
            text.at
        ));
    });
    let days = text.days.parse::<WeekdayMask>().map_err(|fault| {
        faults.push(format!("digest: {fault}"));
    });
    Some(DigestTime {
        at: at.ok()?,
        days: days.ok()?,
    })
}

/// How long ahead people are reminded of a shift.
fn remind_ahead(text: &str, faults: &mut Vec<String>) -> Option<Duration> {
    if text == "never" {
        return None;
    }
    let ahead = text.parse::<tiers::Target>().map(tiers::Target::duration);
    match ahead {
        Ok(ahead) if (SHORTEST_AHEAD..=LONGEST_AHEAD).contains(&ahead) => Some(ahead),
        _ => {
            faults.push(format!(
                "handoffs: remind_ahead is {text:?}: write 1h to 168h, or never"
            ));
            None
        }
    }
}

fn rule(slug: &str, text: &RuleText, faults: &mut Vec<String>) -> Option<Rule> {
    let version = version(text);
    let when = match text.when.as_str() {
        "never" | DIGEST => {
            if !text.steps.is_empty() {
                faults.push(format!(
                    "it has steps and never pages (when is {:?}); remove either",
                    text.when
                ));
            }
            return None;
        }
        "now" => When::Now,
        part => {
            let percent = part.strip_suffix('%').and_then(|part| part.parse().ok());
            let Some(percent @ 1..=100) = percent else {
                faults.push(format!(
                    "when is {part:?}: write now, never, digest, or a part like 50%"
                ));
                return None;
            };
            When::Part(percent)
        }
    };
    let hours = text.hours.as_deref().map(str::parse::<SupportHours>);
    let hours = hours.transpose().map_err(|fault| {
        faults.push(format!("hours: {fault}"));
    });
    if text.steps.is_empty() || text.steps.len() > MOST_STEPS {
        faults.push(format!("it needs 1 to {MOST_STEPS} steps"));
    }
    if text.repeat > MOST_REPEATS {
        faults.push(format!("repeat is {}: 0 to {MOST_REPEATS}", text.repeat));
    }
    let mut steps = Vec::new();
    let mut before = Duration::ZERO;
    for (index, step) in text.steps.iter().enumerate() {
        let at = span(&step.at, faults).unwrap_or_default();
        let is_first = index == 0;
        if (is_first && !at.is_zero()) || (!is_first && at <= before) {
            faults.push(format!(
                "the step at {:?}: the first is at 0min, each later than the one before",
                step.at
            ));
        }
        steps.push(Step {
            wait: at.saturating_sub(before).as_secs(),
            to: words::<Target>(&step.to, faults),
            channels: words::<Channel>(&step.channels, faults),
        });
        if step.to.iter().any(|to| *to == Target::Itself.to_string()) {
            faults.push("itself is for the desk's own self-tests: name somebody".to_owned());
        }
        if step.to.is_empty() {
            faults.push(format!("the step at {:?} calls nobody", step.at));
        }
        before = at;
    }
    let end_after = if let Some(text) = text.end_after.as_deref() {
        span(text, faults).unwrap_or_default()
    } else {
        faults.push("end_after is missing: how long behind the last step".to_owned());
        Duration::ZERO
    };
    let ack_expires = text.ack_expires.as_deref();
    let ack_expires = ack_expires.and_then(|text| span(text, faults));
    let hours = hours.ok()?;
    Some(Rule {
        when,
        hours: hours.clone(),
        plan: Plan {
            policy: slug.to_owned(),
            version,
            steps,
            repeat: text.repeat,
            end_after: end_after.as_secs(),
            ack_expires: ack_expires.map(|span| span.as_secs()),
            hours: hours.map(|hours| hours.to_string()),
        },
    })
}

/// `0min` is a span here, and nowhere else.
fn span(text: &str, faults: &mut Vec<String>) -> Option<Duration> {
    if text == "0min" {
        return Some(Duration::ZERO);
    }
    let span = text.parse::<tiers::Target>();
    span.map(tiers::Target::duration)
        .map_err(|fault| faults.push(fault.to_string()))
        .ok()
}

fn words<T: std::str::FromStr<Err: std::fmt::Display>>(
    texts: &[String],
    faults: &mut Vec<String>,
) -> Vec<T> {
    let mut read = |text: &String| {
        text.parse::<T>()
            .map_err(|fault| faults.push(fault.to_string()))
            .ok()
    };
    texts.iter().filter_map(&mut read).collect()
}

/// The beginning of a digest: enough to see that a policy is not the one of before.
fn version(text: &RuleText) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    part(&text.when);
    part(text.hours.as_deref().unwrap_or_default());
    part(text.end_after.as_deref().unwrap_or_default());
    part(text.ack_expires.as_deref().unwrap_or_default());
    part(&text.repeat.to_string());
    for step in &text.steps {
        part(&step.at);
        part(&step.to.join(","));
        part(&step.channels.join(","));
    }
    data_encoding::HEXLOWER.encode(&hash.finalize()[..4])
}
