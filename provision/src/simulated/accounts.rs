//! Accounts: asked for, made in a while, usable a while later.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tierdesk_core::clock::Timestamp;

use super::{Answer, AwsFault, Operation, Simulated, Tag};

/// What a young organisation may have.
pub(super) const FIRST_QUOTA: usize = 10;
/// Accounts that AWS makes at once.
const MOST_IN_PROGRESS: usize = 5;
/// Labels of one account.
const MOST_TAGS: usize = 50;

/// How long making an account takes: half, nine of ten.
const CREATION: (Duration, Duration) = (Duration::from_mins(1), Duration::from_mins(2));
/// How much later its role works.
const USABLE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_mins(3));

/// How something that took a while ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outcome {
    Succeeded,
    /// With AWS's reason.
    Failed(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CreationRow {
    id: String,
    name: String,
    email: String,
    role: String,
    tags: BTreeMap<String, String>,
    requested_at: Timestamp,
    ends_at: Timestamp,
    usable_at: Timestamp,
    /// The number that the account gets, if it is made.
    pub(super) account: String,
    /// `None` while it is under way.
    outcome: Option<Outcome>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccountRow {
    pub(super) id: String,
    name: String,
    pub(super) email: String,
    parent: String,
    role: Option<String>,
    tags: BTreeMap<String, String>,
    joined_at: Timestamp,
    usable_at: Timestamp,
}

impl AccountRow {
    pub(super) fn management(id: String, root: String) -> Self {
        Self {
            id,
            name: "Management".to_owned(),
            email: "aws@securebase.example".to_owned(),
            parent: root,
            role: None,
            tags: BTreeMap::new(),
            joined_at: Timestamp::from_seconds(0),
            usable_at: Timestamp::from_seconds(0),
        }
    }

    /// Without what names a run: the names of accounts and the run's own tag end in its id.
    pub(super) fn picture(&self, name_of: &impl Fn(&String) -> String) -> Value {
        let tags: BTreeMap<_, _> = self
            .tags
            .iter()
            .filter(|(key, _)| !key.ends_with(":run"))
            .collect();
        json!([self.email, name_of(&self.parent), self.role, tags])
    }
}

fn not_found(id: &str) -> AwsFault {
    AwsFault::new(
        "AccountNotFoundException",
        format!("there is no account {id}"),
    )
}

impl Simulated {
    /// What AWS finished by now.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let due = |row: &&mut CreationRow| row.outcome.is_none() && row.ends_at <= now;
        for row in self.creations.iter_mut().filter(due) {
            let is_same = |email: &str| email.eq_ignore_ascii_case(&row.email);
            let is_taken = self.accounts.iter().any(|account| is_same(&account.email))
                || self.foreign_emails.iter().any(|email| is_same(email));
            row.outcome = Some(if is_taken {
                Outcome::Failed("EMAIL_ALREADY_EXISTS".to_owned())
            } else {
                Outcome::Succeeded
            });
            if !is_taken {
                self.accounts.push(AccountRow {
                    id: row.account.clone(),
                    name: row.name.clone(),
                    email: row.email.clone(),
                    parent: self.root.clone(),
                    role: Some(row.role.clone()),
                    tags: row.tags.clone(),
                    joined_at: row.ends_at,
                    usable_at: row.usable_at,
                });
            }
        }
        self.settle_assignments(now);
    }

    pub(super) fn account(&mut self, operation: &Operation, now: Timestamp) -> Answer {
        match operation {
            Operation::CreateAccount {
                email,
                account_name,
                role_name,
                tags,
            } => self.create_account(email, account_name, role_name.as_deref(), tags, now),
            Operation::DescribeCreateAccountStatus {
                create_account_request_id: id,
            } => {
                let row = self.creations.iter().find(|row| row.id == *id);
                let row = row.ok_or_else(|| {
                    AwsFault::new(
                        "CreateAccountStatusNotFoundException",
                        format!("there is no request {id}"),
                    )
                })?;
                Ok(json!({ "CreateAccountStatus": row.status() }))
            }
            Operation::ListCreateAccountStatus { states } => {
                let wanted = |row: &&CreationRow| {
                    states.is_empty() || states.iter().any(|state| state == row.state())
                };
                let rows = self.creations.iter().filter(wanted);
                let all: Vec<Value> = rows.map(CreationRow::status).collect();
                Ok(json!({ "CreateAccountStatuses": all }))
            }
            Operation::ListAccounts {} => Ok(self.list_accounts()),
            Operation::ListParents { child_id } => {
                let parent = &self.accounts[self.find_account(child_id)?].parent;
                let kind = if *parent == self.root {
                    "ROOT"
                } else {
                    "ORGANIZATIONAL_UNIT"
                };
                Ok(json!({ "Parents": [{ "Id": parent, "Type": kind }] }))
            }
            Operation::MoveAccount {
                account_id,
                source_parent_id,
                destination_parent_id,
            } => self.move_account(account_id, source_parent_id, destination_parent_id),
            Operation::TagResource { resource_id, tags } => self.tag(resource_id, tags),
            Operation::UntagResource {
                resource_id,
                tag_keys,
            } => {
                let at = self.find_account(resource_id)?;
                self.accounts[at]
                    .tags
                    .retain(|key, _| !tag_keys.contains(key));
                Ok(json!({}))
            }
            Operation::ListTagsForResource { resource_id } => {
                let tags = &self.accounts[self.find_account(resource_id)?].tags;
                let tags: Vec<Value> = tags
                    .iter()
                    .map(|(key, value)| json!({ "Key": key, "Value": value }))
                    .collect();
                Ok(json!({ "Tags": tags }))
            }
            other => Err(AwsFault::new("UnknownOperationException", other.name())),
        }
    }

    fn find_account(&self, id: &str) -> Result<usize, AwsFault> {
        let found = self.accounts.iter().position(|account| account.id == id);
        found.ok_or_else(|| not_found(id))
    }

    fn create_account(
        &mut self,
        email: &str,
        name: &str,
        role: Option<&str>,
        tags: &[Tag],
        now: Timestamp,
    ) -> Answer {
        let well_formed = email.contains('@') && !name.is_empty() && name.chars().count() <= 50;
        if !well_formed {
            return Err(AwsFault::new(
                "InvalidInputException",
                "the name or address does not fit",
            ));
        }
        let waiting = || self.creations.iter().filter(|row| row.outcome.is_none());
        if waiting().any(|row| row.email.eq_ignore_ascii_case(email)) {
            return Err(AwsFault::new(
                "ConcurrentModificationException",
                "an account with this address is being made",
            ));
        }
        if waiting().count() >= MOST_IN_PROGRESS {
            return Err(AwsFault::new(
                "ConstraintViolationException",
                "too many accounts are being made at once",
            )
            .because("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"));
        }
        if self.accounts.len() + waiting().count() >= self.account_quota {
            return Err(AwsFault::new(
                "ConstraintViolationException",
                "you have exceeded the allowed number of AWS accounts",
            )
            .because("ACCOUNT_NUMBER_LIMIT_EXCEEDED"));
        }
        let ends_at = now.plus(self.duration(CREATION.0, CREATION.1));
        let usable_at = ends_at.plus(self.duration(USABLE.0, USABLE.1));
        let row = CreationRow {
            id: format!("car-{}", self.word(32)),
            name: name.to_owned(),
            email: email.to_owned(),
            role: role.unwrap_or("OrganizationAccountAccessRole").to_owned(),
            tags: tags
                .iter()
                .map(|tag| (tag.key.clone(), tag.value.clone()))
                .collect(),
            requested_at: now,
            ends_at,
            usable_at,
            account: self.account_number(),
            outcome: None,
        };
        let answer = json!({ "CreateAccountStatus": row.status() });
        self.creations.push(row);
        Ok(answer)
    }

    fn list_accounts(&self) -> Value {
        let accounts: Vec<Value> = self
            .accounts
            .iter()
            .map(|account| {
                json!({
                    "Id": account.id, "Arn": self.arn("account", &account.id),
                    "Name": account.name, "Email": account.email, "Status": "ACTIVE",
                    "State": "ACTIVE", "JoinedMethod": "CREATED",
                    "JoinedTimestamp": seconds(account.joined_at),
                })
            })
            .collect();
        json!({ "Accounts": accounts })
    }

    fn move_account(&mut self, account: &str, from: &str, to: &str) -> Answer {
        let at = self.find_account(account)?;
        if !self.is_parent(from) {
            return Err(AwsFault::new("SourceParentNotFoundException", from));
        }
        if !self.is_parent(to) {
            return Err(AwsFault::new("DestinationParentNotFoundException", to));
        }
        let parent = &mut self.accounts[at].parent;
        if *parent == to {
            return Err(AwsFault::new(
                "DuplicateAccountException",
                "the account is already in the destination",
            ));
        }
        if *parent != from {
            return Err(AwsFault::new("SourceParentNotFoundException", from));
        }
        to.clone_into(parent);
        Ok(json!({}))
    }

    fn tag(&mut self, account: &str, tags: &[Tag]) -> Answer {
        let at = self.find_account(account)?;
        let mut all = self.accounts[at].tags.clone();
        all.extend(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
        if all.len() > MOST_TAGS {
            return Err(AwsFault::new(
                "ConstraintViolationException",
                format!("an account has at most {MOST_TAGS} tags"),
            )
            .because("MAX_TAG_LIMIT_EXCEEDED"));
        }
        self.accounts[at].tags = all;
        Ok(json!({}))
    }

    /// AssumeRole: denied until the account is ready, as AWS denies it.
    pub(super) fn assume(&mut self, operation: &Operation, now: Timestamp) -> Answer {
        let denied = || AwsFault::new("AccessDenied", "you may not assume this role");
        let Operation::AssumeRole { role_arn, .. } = operation else {
            return Err(denied());
        };
        let rest = role_arn.strip_prefix("arn:aws:iam::").ok_or_else(denied)?;
        let (account, role) = rest.split_once(":role/").ok_or_else(denied)?;
        let found = self.accounts.iter().find(|row| row.id == account);
        let row = found.filter(|row| row.role.as_deref() == Some(role));
        let row = row.filter(|row| row.usable_at <= now).ok_or_else(denied)?;
        Ok(json!({ "AssumedRoleUser": { "Arn": role_arn, "AssumedRoleId": row.id } }))
    }
}

impl CreationRow {
    fn state(&self) -> &'static str {
        match &self.outcome {
            None => "IN_PROGRESS",
            Some(Outcome::Succeeded) => "SUCCEEDED",
            Some(Outcome::Failed(_)) => "FAILED",
        }
    }

    fn status(&self) -> Value {
        let mut status = json!({
            "Id": self.id, "AccountName": self.name, "State": self.state(),
            "RequestedTimestamp": seconds(self.requested_at),
        });
        match &self.outcome {
            None => {}
            Some(Outcome::Succeeded) => {
                status["AccountId"] = json!(self.account);
                status["CompletedTimestamp"] = seconds(self.ends_at);
            }
            Some(Outcome::Failed(reason)) => {
                status["FailureReason"] = json!(reason);
                status["CompletedTimestamp"] = seconds(self.ends_at);
            }
        }
        status
    }
}

/// Instants on the wire: seconds since 1970 with a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "AWS's own form; a double holds microseconds for some centuries yet"
)]
pub(super) fn seconds(at: Timestamp) -> Value {
    json!(at.micros() as f64 / 1e6)
}
