//! An organisation as one pure state machine: [`Simulated::apply`] takes an operation and the time,
//! and answers what AWS would, with AWS's own names for what it refuses.
//!
//! The same machine serves training and the demo (through `SimulatedCloud`, its state in the
//! database) and the tests' JSON server: operations read from and answers write to the wire format
//! of AWS JSON 1.1. It has no clock and no random source: durations are drawn from a seed when the
//! operation is made, and nothing but the argument says what time it is.
//!
//! To add an operation: a variant of [`Operation`], an arm in one of the files below.

mod accounts;
mod assignments;
mod faults;
mod identity;
mod limits;
mod operation;
mod policies;
#[cfg(test)]
mod tests;
mod tree;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tierdesk_core::clock::Timestamp;

pub use faults::{FaultKind, PlannedFault};
pub use limits::Limits;
pub use operation::{
    AlternateIdentifier, Email, MemberId, Operation, PersonName, PolicyFilter, Service, Tag,
    UniqueAttribute,
};

/// What an operation answers: the body that AWS would send.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The JSON object.
    pub body: Value,
    /// How long AWS takes to answer, beyond the usual: planned faults only.
    pub delay: Duration,
}

/// What an operation answers when it does not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsFault {
    /// The exception's name without name space: `DuplicatePolicyException`.
    pub code: String,
    /// Its words.
    pub message: String,
    /// Some exceptions say why in one more word.
    pub reason: Option<String>,
    /// The operation acted, and its answer never arrives: close the connection.
    pub is_lost: bool,
}

impl AwsFault {
    /// A refusal under AWS's own name.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            reason: None,
            is_lost: false,
        }
    }

    /// The same with a reason.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }
}

type Answer = Result<Value, AwsFault>;

/// How many times faster than AWS things take: 1 is as slow as AWS, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pace(pub u32);

impl Pace {
    /// As AWS.
    pub const REAL: Self = Self(1);
    /// For training: an account in about a second.
    pub const QUICK: Self = Self(60);
}

/// The whole state. Serialised, it is what another process continues from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Simulated {
    seed: u64,
    drawn: u64,
    pace: Pace,
    /// `o-…`.
    pub organization: String,
    management_account: String,
    root: String,
    /// Until then every change answers that the organisation is being set up.
    pub finalizing_until: Option<Timestamp>,
    /// Accounts that the organisation may have, its own included.
    pub account_quota: usize,
    /// Addresses that accounts of other organisations have.
    pub foreign_emails: Vec<String>,
    policies_on: bool,
    units: Vec<tree::UnitState>,
    policies: Vec<policies::PolicyState>,
    creations: Vec<accounts::CreationRow>,
    accounts: Vec<accounts::AccountRow>,
    instance: String,
    store: String,
    sets: Vec<identity::SetRow>,
    groups: BTreeMap<String, String>,
    users: BTreeMap<String, String>,
    memberships: Vec<(String, String)>,
    assignments: Vec<assignments::AssignmentRow>,
    requests: Vec<assignments::RequestRow>,
    /// Token buckets; none lets every call through.
    pub limits: Option<Limits>,
    faults: Vec<PlannedFault>,
    calls: BTreeMap<String, u64>,
}

impl Simulated {
    /// A fresh organisation: a root with `FullAWSAccess`, the management account and an instance of
    /// IAM Identity Center. Service control policies are off, the quota is AWS's first.
    pub fn new(seed: u64, pace: Pace) -> Self {
        let mut machine = Self {
            seed,
            drawn: 0,
            pace,
            organization: String::new(),
            management_account: String::new(),
            root: String::new(),
            finalizing_until: None,
            account_quota: accounts::FIRST_QUOTA,
            foreign_emails: Vec::new(),
            policies_on: false,
            units: Vec::new(),
            policies: Vec::new(),
            creations: Vec::new(),
            accounts: Vec::new(),
            instance: String::new(),
            store: String::new(),
            sets: Vec::new(),
            groups: BTreeMap::new(),
            users: BTreeMap::new(),
            memberships: Vec::new(),
            assignments: Vec::new(),
            requests: Vec::new(),
            limits: None,
            faults: Vec::new(),
            calls: BTreeMap::new(),
        };
        machine.organization = format!("o-sim{}", machine.word(9));
        machine.root = format!("r-{}", machine.word(4));
        machine.instance = format!("arn:aws:sso:::instance/ssoins-{}", machine.word(16));
        machine.store = format!("d-{}", machine.word(10));
        machine.management_account = machine.account_number();
        let management = machine.management_account.clone();
        machine.accounts.push(accounts::AccountRow::management(
            management,
            machine.root.clone(),
        ));
        machine
    }

    /// Does an operation at this instant.
    pub fn apply(&mut self, operation: &Operation, now: Timestamp) -> Result<Reply, AwsFault> {
        self.settle(now);
        let count = self.calls.entry(operation.name().to_owned()).or_default();
        *count += 1;
        let count = *count;
        let planned = self.planned(operation.name(), count);
        if let Some(fault) = planned.as_ref().and_then(FaultKind::before) {
            return Err(fault);
        }
        if let Some(limits) = &mut self.limits {
            limits.take(operation.service(), now)?;
        }
        if operation.is_change()
            && operation.service() == Service::Organizations
            && self.finalizing_until.is_some_and(|until| now < until)
        {
            return Err(AwsFault::new(
                "FinalizingOrganizationException",
                "AWS Organizations could not perform the operation because your organization is \
                 still initializing",
            ));
        }
        let body = self.dispatch(operation, now)?;
        match planned {
            Some(FaultKind::LoseReply) => Err(AwsFault {
                is_lost: true,
                ..AwsFault::new("ReplyLost", "the connection ended before the answer")
            }),
            Some(FaultKind::Slow(delay)) => Ok(Reply { body, delay }),
            _ => Ok(Reply {
                body,
                delay: Duration::ZERO,
            }),
        }
    }

    fn dispatch(&mut self, operation: &Operation, now: Timestamp) -> Answer {
        match operation.service() {
            Service::Sts => self.assume(operation, now),
            Service::IdentityCenter => self.center(operation, now),
            Service::IdentityStore => self.store(operation),
            Service::Organizations => match self.tree(operation) {
                Some(answer) => answer,
                None => match self.policy(operation) {
                    Some(answer) => answer,
                    None => self.account(operation, now),
                },
            },
        }
    }

    /// The machine as it is at this instant: what takes a while and is over by then, is.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.settle(now);
        self
    }

    /// How often an operation was called.
    pub fn calls(&self, operation: &str) -> u64 {
        self.calls.get(operation).copied().unwrap_or_default()
    }

    /// What the organisation holds, without ids, times and what is under way: two runs that came
    /// to the same end give the same.
    pub fn picture(&self) -> Value {
        let unit_name = |id: &String| {
            let unit = self.units.iter().find(|unit| unit.id == *id);
            unit.map_or_else(|| "root".to_owned(), |unit| unit.name.clone())
        };
        let account_name = |id: &String| {
            let account = self.accounts.iter().find(|account| account.id == *id);
            account.map_or_else(String::new, |account| account.email.clone())
        };
        let units: Vec<Value> = self
            .units
            .iter()
            .map(|unit| serde_json::json!([unit.name, unit_name(&unit.parent)]))
            .collect();
        let policies: Vec<Value> = self
            .policies
            .iter()
            .map(|p| p.picture(&unit_name))
            .collect();
        let mut accounts: Vec<Value> = self
            .accounts
            .iter()
            .map(|a| a.picture(&unit_name))
            .collect();
        accounts.sort_by_key(Value::to_string);
        let mut sets: Vec<Value> = self.sets.iter().map(identity::SetRow::picture).collect();
        sets.sort_by_key(Value::to_string);
        let name_of = |names: &BTreeMap<String, String>, id: &String| {
            let found = names.iter().find(|(_, known)| *known == id);
            found.map_or_else(String::new, |(name, _)| name.clone())
        };
        let mut members: Vec<(String, String)> = self
            .memberships
            .iter()
            .map(|(group, user)| (name_of(&self.groups, group), name_of(&self.users, user)))
            .collect();
        members.sort();
        let set_name = |arn: &String| {
            let set = self.sets.iter().find(|set| set.arn == *arn);
            set.map_or_else(String::new, |set| set.name.clone())
        };
        let mut assigned: Vec<Value> = self
            .assignments
            .iter()
            .map(|one| {
                serde_json::json!([
                    account_name(&one.account),
                    set_name(&one.set),
                    name_of(&self.groups, &one.group)
                ])
            })
            .collect();
        assigned.sort_by_key(Value::to_string);
        serde_json::json!({
            "policies_on": self.policies_on, "units": units, "policies": policies,
            "accounts": accounts, "sets": sets, "groups": self.groups.keys().collect::<Vec<_>>(),
            "users": self.users.keys().collect::<Vec<_>>(), "members": members,
            "assignments": assigned,
        })
    }

    /// Sixty-four bits that depend on the seed and on how many were drawn (SplitMix64).
    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        let mut z = self
            .seed
            .wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Lower-case letters and digits, as AWS's ids have.
    fn word(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..length)
            .map(|_| {
                let at = usize::try_from(self.draw() % 36).unwrap_or_default();
                char::from(LETTERS[at])
            })
            .collect()
    }

    fn account_number(&mut self) -> String {
        loop {
            let number = format!("{:012}", 100_000_000_000 + self.draw() % 900_000_000_000);
            if self.accounts.iter().all(|account| account.id != number)
                && self.creations.iter().all(|row| row.account != number)
            {
                return number;
            }
        }
    }

    /// A duration that is log-normal as near as matters: half are shorter than `median`, nine of
    /// ten shorter than `p90`.
    fn duration(&mut self, median: Duration, p90: Duration) -> Duration {
        // Twelve uniform values add up to a normal one: mean 6, deviation 1.
        let mut sum = 0.0;
        for _ in 0..12 {
            let bits = u32::try_from(self.draw() >> 32).unwrap_or_default();
            sum += f64::from(bits) / f64::from(u32::MAX);
        }
        // 1.2816 deviations above the mean lie nine of ten.
        let deviation = (p90.as_secs_f64() / median.as_secs_f64()).ln() / 1.2816;
        let seconds = median.as_secs_f64() * (deviation * (sum - 6.0)).exp();
        Duration::from_secs_f64(seconds / f64::from(self.pace.0.max(1)))
    }
}
