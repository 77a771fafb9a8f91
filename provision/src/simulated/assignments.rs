//! Who has which permission set in which account: asked for, done in a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tierdesk_core::clock::Timestamp;

use super::{
    Answer, AwsFault, Operation, Simulated,
    accounts::{Outcome, seconds},
    identity::missing,
};

/// How long an assignment takes: half, nine of ten.
const ASSIGNMENT: (Duration, Duration) = (Duration::from_secs(8), Duration::from_secs(25));
/// Assignments that are under way at once.
const MOST_IN_PROGRESS: usize = 10;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AssignmentRow {
    pub(super) account: String,
    pub(super) set: String,
    pub(super) group: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RequestRow {
    id: String,
    row: AssignmentRow,
    made_at: Timestamp,
    ends_at: Timestamp,
    /// `None` while it is under way.
    outcome: Option<Outcome>,
}

impl RequestRow {
    fn body(&self) -> Value {
        let (state, failure) = match &self.outcome {
            None => ("IN_PROGRESS", None),
            Some(Outcome::Succeeded) => ("SUCCEEDED", None),
            Some(Outcome::Failed(reason)) => ("FAILED", Some(reason)),
        };
        let AssignmentRow {
            account,
            set,
            group,
        } = &self.row;
        let mut status = json!({
            "Status": state, "RequestId": self.id, "TargetId": account,
            "TargetType": "AWS_ACCOUNT", "PermissionSetArn": set, "PrincipalType": "GROUP",
            "PrincipalId": group, "CreatedDate": seconds(self.made_at),
        });
        if let Some(failure) = failure {
            status["FailureReason"] = json!(failure);
        }
        status
    }
}

impl Simulated {
    pub(super) fn settle_assignments(&mut self, now: Timestamp) {
        let due = |one: &&mut RequestRow| one.outcome.is_none() && one.ends_at <= now;
        for request in self.requests.iter_mut().filter(due) {
            let is_known = self
                .accounts
                .iter()
                .any(|account| account.id == request.row.account);
            request.outcome = Some(if is_known {
                Outcome::Succeeded
            } else {
                Outcome::Failed("the account was not found".to_owned())
            });
            if is_known && !self.assignments.contains(&request.row) {
                self.assignments.push(request.row.clone());
            }
        }
    }

    pub(super) fn assignment(&mut self, operation: &Operation, now: Timestamp) -> Answer {
        match operation {
            Operation::ListAccountAssignments {
                account_id,
                permission_set_arn,
                ..
            } => {
                self.find_set(permission_set_arn)?;
                let is_asked = |row: &&AssignmentRow| {
                    row.account == *account_id && row.set == *permission_set_arn
                };
                let found: Vec<Value> = self
                    .assignments
                    .iter()
                    .filter(is_asked)
                    .map(|row| {
                        json!({
                            "AccountId": row.account, "PermissionSetArn": row.set,
                            "PrincipalType": "GROUP", "PrincipalId": row.group,
                        })
                    })
                    .collect();
                Ok(json!({ "AccountAssignments": found }))
            }
            Operation::CreateAccountAssignment {
                target_id,
                permission_set_arn,
                principal_id,
                ..
            } => self.assign(
                AssignmentRow {
                    account: target_id.clone(),
                    set: permission_set_arn.clone(),
                    group: principal_id.clone(),
                },
                now,
            ),
            Operation::DescribeAccountAssignmentCreationStatus {
                account_assignment_creation_request_id: id,
                ..
            } => {
                let found = self.requests.iter().find(|request| request.id == *id);
                let request = found.ok_or_else(|| missing("request of this id"))?;
                Ok(json!({ "AccountAssignmentCreationStatus": request.body() }))
            }
            Operation::DeleteAccountAssignment {
                target_id,
                permission_set_arn,
                principal_id,
                ..
            } => {
                let gone = AssignmentRow {
                    account: target_id.clone(),
                    set: permission_set_arn.clone(),
                    group: principal_id.clone(),
                };
                self.assignments.retain(|row| *row != gone);
                Ok(json!({ "AccountAssignmentDeletionStatus": {
                    "Status": "SUCCEEDED", "RequestId": "deleted",
                }}))
            }
            other => Err(AwsFault::new("UnknownOperationException", other.name())),
        }
    }

    fn assign(&mut self, row: AssignmentRow, now: Timestamp) -> Answer {
        self.find_set(&row.set)?;
        if !self.groups.values().any(|id| *id == row.group) {
            return Err(missing("group of this id"));
        }
        let waiting = || self.requests.iter().filter(|one| one.outcome.is_none());
        if waiting().any(|one| one.row == row) {
            return Err(AwsFault::new(
                "ConflictException",
                "this assignment is being provisioned",
            ));
        }
        if waiting().count() >= MOST_IN_PROGRESS {
            return Err(AwsFault::new(
                "ThrottlingException",
                "too many assignments are being provisioned",
            ));
        }
        let ends_at = now.plus(self.duration(ASSIGNMENT.0, ASSIGNMENT.1));
        let request = RequestRow {
            id: self.word(32),
            row,
            made_at: now,
            ends_at,
            outcome: None,
        };
        let body = request.body();
        self.requests.push(request);
        Ok(json!({ "AccountAssignmentCreationStatus": body }))
    }
}
