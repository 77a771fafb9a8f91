//! Permission sets, users and groups.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tierdesk_core::clock::Timestamp;

use super::{AlternateIdentifier, Answer, AwsFault, Operation, Simulated};

/// Characters of a permission set's name.
const LONGEST_NAME: usize = 32;
/// Managed policies of a role, and so of a permission set.
const MOST_MANAGED: usize = 10;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SetRow {
    pub(super) arn: String,
    pub(super) name: String,
    description: Option<String>,
    session_duration: String,
    managed: Vec<String>,
    inline: String,
}

impl SetRow {
    pub(super) fn picture(&self) -> Value {
        json!([self.name, self.session_duration, self.managed, self.inline])
    }

    fn body(&self) -> Value {
        json!({ "PermissionSet": {
            "Name": self.name, "PermissionSetArn": self.arn, "Description": self.description,
            "SessionDuration": self.session_duration,
        }})
    }
}

pub(super) fn missing(what: &str) -> AwsFault {
    AwsFault::new("ResourceNotFoundException", format!("there is no {what}"))
}

fn conflict(what: &str) -> AwsFault {
    AwsFault::new("ConflictException", format!("{what} already exists"))
}

impl Simulated {
    pub(super) fn center(&mut self, operation: &Operation, now: Timestamp) -> Answer {
        match operation {
            Operation::ListInstances {} => Ok(json!({ "Instances": [{
                "InstanceArn": self.instance, "IdentityStoreId": self.store,
                "OwnerAccountId": self.management_account, "Status": "ACTIVE",
            }]})),
            Operation::ListPermissionSets { .. } => {
                let arns: Vec<&String> = self.sets.iter().map(|set| &set.arn).collect();
                Ok(json!({ "PermissionSets": arns }))
            }
            Operation::DescribePermissionSet {
                permission_set_arn, ..
            } => Ok(self.sets[self.find_set(permission_set_arn)?].body()),
            Operation::CreatePermissionSet {
                name,
                description,
                session_duration,
                ..
            } => self.create_set(name, description.as_deref(), session_duration.as_deref()),
            Operation::ListManagedPoliciesInPermissionSet {
                permission_set_arn, ..
            } => {
                let set = &self.sets[self.find_set(permission_set_arn)?];
                let managed: Vec<Value> = set
                    .managed
                    .iter()
                    .map(|arn| json!({ "Arn": arn, "Name": arn.rsplit('/').next() }))
                    .collect();
                Ok(json!({ "AttachedManagedPolicies": managed }))
            }
            Operation::AttachManagedPolicyToPermissionSet {
                permission_set_arn,
                managed_policy_arn,
                ..
            } => self.attach_managed(permission_set_arn, managed_policy_arn),
            Operation::GetInlinePolicyForPermissionSet {
                permission_set_arn, ..
            } => {
                let set = &self.sets[self.find_set(permission_set_arn)?];
                Ok(json!({ "InlinePolicy": set.inline }))
            }
            Operation::PutInlinePolicyToPermissionSet {
                permission_set_arn,
                inline_policy,
                ..
            } => {
                let at = self.find_set(permission_set_arn)?;
                inline_policy.clone_into(&mut self.sets[at].inline);
                Ok(json!({}))
            }
            other => self.assignment(other, now),
        }
    }

    pub(super) fn find_set(&self, arn: &str) -> Result<usize, AwsFault> {
        let found = self.sets.iter().position(|set| set.arn == arn);
        found.ok_or_else(|| missing("permission set of this ARN"))
    }

    fn create_set(
        &mut self,
        name: &str,
        description: Option<&str>,
        session_duration: Option<&str>,
    ) -> Answer {
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(AwsFault::new(
                "ValidationException",
                "the name does not fit",
            ));
        }
        if self.sets.iter().any(|set| set.name == name) {
            return Err(conflict(&format!("PermissionSet with name {name}")));
        }
        let instance = self
            .instance
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let set = SetRow {
            arn: format!(
                "arn:aws:sso:::permissionSet/{instance}/ps-{}",
                self.word(16)
            ),
            name: name.to_owned(),
            description: description.map(str::to_owned),
            session_duration: session_duration.unwrap_or("PT1H").to_owned(),
            managed: Vec::new(),
            inline: String::new(),
        };
        let body = set.body();
        self.sets.push(set);
        Ok(body)
    }

    fn attach_managed(&mut self, set: &str, policy: &str) -> Answer {
        let at = self.find_set(set)?;
        let managed = &mut self.sets[at].managed;
        if managed.iter().any(|known| known == policy) {
            return Err(conflict(policy));
        }
        if managed.len() >= MOST_MANAGED {
            return Err(AwsFault::new(
                "ServiceQuotaExceededException",
                format!("a permission set has at most {MOST_MANAGED} managed policies"),
            ));
        }
        managed.push(policy.to_owned());
        managed.sort();
        Ok(json!({}))
    }

    pub(super) fn store(&mut self, operation: &Operation) -> Answer {
        let unique = |what: &str| conflict(what).because("UNIQUENESS_CONSTRAINT_VIOLATION");
        match operation {
            Operation::GetGroupId {
                alternate_identifier,
                ..
            } => {
                let id = self.groups.get(&key(alternate_identifier));
                let id = id.ok_or_else(|| missing("group of this name"))?;
                Ok(json!({ "GroupId": id, "IdentityStoreId": self.store }))
            }
            Operation::GetUserId {
                alternate_identifier,
                ..
            } => {
                let id = self.users.get(&key(alternate_identifier));
                let id = id.ok_or_else(|| missing("user of this name"))?;
                Ok(json!({ "UserId": id, "IdentityStoreId": self.store }))
            }
            Operation::CreateGroup { display_name, .. } => {
                if self.groups.contains_key(display_name) {
                    return Err(unique(&format!("a group {display_name}")));
                }
                let id = self.principal();
                self.groups.insert(display_name.clone(), id.clone());
                Ok(json!({ "GroupId": id, "IdentityStoreId": self.store }))
            }
            Operation::CreateUser {
                user_name,
                display_name,
                name,
                ..
            } => {
                if display_name.is_none() || name.is_none() {
                    return Err(AwsFault::new("ValidationException", "a user has names"));
                }
                if self.users.contains_key(user_name) {
                    return Err(unique(&format!("a user {user_name}")));
                }
                let id = self.principal();
                self.users.insert(user_name.clone(), id.clone());
                Ok(json!({ "UserId": id, "IdentityStoreId": self.store }))
            }
            Operation::IsMemberInGroups {
                member_id,
                group_ids,
                ..
            } => {
                let is_in = |group: &String| {
                    let pair = (group.clone(), member_id.user_id.clone());
                    self.memberships.contains(&pair)
                };
                let results: Vec<Value> = group_ids
                    .iter()
                    .map(|group| {
                        json!({
                            "GroupId": group, "MemberId": member_id,
                            "MembershipExists": is_in(group),
                        })
                    })
                    .collect();
                Ok(json!({ "Results": results }))
            }
            Operation::CreateGroupMembership {
                group_id,
                member_id,
                ..
            } => self.add_member(group_id, &member_id.user_id),
            other => Err(AwsFault::new("UnknownOperationException", other.name())),
        }
    }

    fn add_member(&mut self, group: &str, user: &str) -> Answer {
        let is_known =
            self.groups.values().any(|id| id == group) && self.users.values().any(|id| id == user);
        if !is_known {
            return Err(missing("group or user of this id"));
        }
        let pair = (group.to_owned(), user.to_owned());
        if self.memberships.contains(&pair) {
            return Err(conflict("the membership").because("UNIQUENESS_CONSTRAINT_VIOLATION"));
        }
        self.memberships.push(pair);
        let id = self.principal();
        Ok(json!({ "MembershipId": id, "IdentityStoreId": self.store }))
    }

    /// Ids of the identity store are UUIDs behind ten digits.
    fn principal(&mut self) -> String {
        let (high, low) = (self.draw(), self.draw());
        let uuid = format!("{high:016x}{low:016x}");
        format!(
            "{}-{}-{}-{}-{}",
            &uuid[..8],
            &uuid[8..12],
            &uuid[12..16],
            &uuid[16..20],
            &uuid[20..]
        )
    }
}

fn key(identifier: &AlternateIdentifier) -> String {
    let value = &identifier.unique_attribute.attribute_value;
    value.as_str().unwrap_or_default().to_owned()
}
