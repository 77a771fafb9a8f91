//! Service control policies.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, AwsFault, Operation, Simulated};

/// Attached to one root, unit or account at most, `FullAWSAccess` among them.
const MOST_ATTACHED: usize = 5;
/// Characters of a policy, white space too.
const LONGEST: usize = 5_120;
/// Amazon's own, attached to everything as long as policies are on.
const FULL_ACCESS: &str = "p-FullAWSAccess";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PolicyState {
    id: String,
    pub(super) name: String,
    description: String,
    content: String,
    targets: BTreeSet<String>,
}

impl PolicyState {
    pub(super) fn picture(&self, name_of: &impl Fn(&String) -> String) -> Value {
        let mut targets: Vec<String> = self.targets.iter().map(name_of).collect();
        targets.sort();
        json!([self.name, self.content, targets])
    }
}

fn summary(id: &str, name: &str, description: &str, is_aws_managed: bool) -> Value {
    json!({
        "Id": id, "Arn": format!("arn:aws:organizations::aws:policy/service_control_policy/{id}"),
        "Name": name, "Description": description, "Type": "SERVICE_CONTROL_POLICY",
        "AwsManaged": is_aws_managed,
    })
}

fn full_access() -> Value {
    summary(
        FULL_ACCESS,
        "FullAWSAccess",
        "Allows access to every operation",
        true,
    )
}

impl Simulated {
    /// `None` where the operation is not one of these.
    pub(super) fn policy(&mut self, operation: &Operation) -> Option<Answer> {
        Some(match operation {
            Operation::EnablePolicyType { root_id, .. } => self.enable_policies(root_id),
            Operation::ListPolicies { .. } => {
                let ours = self.policies.iter().map(PolicyState::summary);
                let all: Vec<Value> = std::iter::once(full_access()).chain(ours).collect();
                Ok(json!({ "Policies": all }))
            }
            Operation::DescribePolicy { policy_id } => self.describe_policy(policy_id),
            Operation::CreatePolicy {
                content,
                description,
                name,
                ..
            } => self.create_policy(name, description, content),
            Operation::UpdatePolicy { policy_id, content } => {
                self.update_policy(policy_id, content.as_deref())
            }
            Operation::AttachPolicy {
                policy_id,
                target_id,
            } => self.attach(policy_id, target_id),
            Operation::DetachPolicy {
                policy_id,
                target_id,
            } => self.detach(policy_id, target_id),
            Operation::ListPoliciesForTarget { target_id, .. } => self.attached(target_id),
            Operation::ListTargetsForPolicy { policy_id } => self.targets(policy_id),
            _ => return None,
        })
    }

    fn enable_policies(&mut self, root: &str) -> Answer {
        if root != self.root {
            return Err(AwsFault::new(
                "RootNotFoundException",
                format!("there is no root {root}"),
            ));
        }
        if self.policies_on {
            return Err(AwsFault::new(
                "PolicyTypeAlreadyEnabledException",
                "service control policies are on",
            ));
        }
        self.policies_on = true;
        Ok(json!({ "Root": {
            "Id": root, "Name": "Root",
            "PolicyTypes": [{ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" }],
        }}))
    }

    fn find_policy(&self, id: &str) -> Result<usize, AwsFault> {
        let found = self.policies.iter().position(|policy| policy.id == id);
        found.ok_or_else(|| {
            AwsFault::new(
                "PolicyNotFoundException",
                format!("there is no policy {id}"),
            )
        })
    }

    fn describe_policy(&self, id: &str) -> Answer {
        if id == FULL_ACCESS {
            let content = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
            return Ok(json!({ "Policy": { "PolicySummary": full_access(), "Content": content } }));
        }
        let policy = &self.policies[self.find_policy(id)?];
        Ok(json!({ "Policy": {
            "PolicySummary": policy.summary(), "Content": policy.content,
        }}))
    }

    fn check_content(content: &str) -> Result<(), AwsFault> {
        if content.chars().count() > LONGEST {
            return Err(AwsFault::new(
                "ConstraintViolationException",
                format!("a service control policy has at most {LONGEST} characters"),
            )
            .because("POLICY_CONTENT_LIMIT_EXCEEDED"));
        }
        let parsed: Option<Value> = serde_json::from_str(content).ok();
        if parsed.is_some_and(|policy| policy["Statement"].is_array()) {
            return Ok(());
        }
        Err(AwsFault::new(
            "MalformedPolicyDocumentException",
            "the provided policy document does not meet the requirements of the specified policy \
             type",
        ))
    }

    fn create_policy(&mut self, name: &str, description: &str, content: &str) -> Answer {
        if !self.policies_on {
            return Err(AwsFault::new(
                "PolicyTypeNotEnabledException",
                "service control policies are off",
            ));
        }
        if name == "FullAWSAccess" || self.policies.iter().any(|policy| policy.name == name) {
            return Err(AwsFault::new(
                "DuplicatePolicyException",
                format!("a policy {name} already exists"),
            ));
        }
        Self::check_content(content)?;
        let policy = PolicyState {
            id: format!("p-{}", self.word(8)),
            name: name.to_owned(),
            description: description.to_owned(),
            content: content.to_owned(),
            targets: BTreeSet::new(),
        };
        let answer = json!({ "Policy": {
            "PolicySummary": policy.summary(), "Content": content,
        }});
        self.policies.push(policy);
        Ok(answer)
    }

    fn update_policy(&mut self, id: &str, content: Option<&str>) -> Answer {
        let at = self.find_policy(id)?;
        if let Some(content) = content {
            Self::check_content(content)?;
            content.clone_into(&mut self.policies[at].content);
        }
        self.describe_policy(id)
    }

    fn check_target(&self, id: &str) -> Result<(), AwsFault> {
        if self.is_parent(id) || self.accounts.iter().any(|account| account.id == id) {
            return Ok(());
        }
        Err(AwsFault::new(
            "TargetNotFoundException",
            format!("there is no root, organizational unit or account {id}"),
        ))
    }

    fn attach(&mut self, id: &str, target: &str) -> Answer {
        let at = self.find_policy(id)?;
        self.check_target(target)?;
        if !self.policies_on {
            return Err(AwsFault::new(
                "PolicyTypeNotEnabledException",
                "service control policies are off",
            ));
        }
        if self.policies[at].targets.contains(target) {
            return Err(AwsFault::new(
                "DuplicatePolicyAttachmentException",
                "the selected policy is already attached to the specified target",
            ));
        }
        let ours = self
            .policies
            .iter()
            .filter(|policy| policy.targets.contains(target));
        if ours.count() + 1 >= MOST_ATTACHED {
            return Err(AwsFault::new(
                "ConstraintViolationException",
                format!("at most {MOST_ATTACHED} policies are attached to one target"),
            )
            .because("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"));
        }
        self.policies[at].targets.insert(target.to_owned());
        Ok(json!({}))
    }

    fn detach(&mut self, id: &str, target: &str) -> Answer {
        let at = self.find_policy(id)?;
        self.check_target(target)?;
        if self.policies[at].targets.remove(target) {
            return Ok(json!({}));
        }
        Err(AwsFault::new(
            "PolicyNotAttachedException",
            "the policy isn't attached to the specified target",
        ))
    }

    fn attached(&self, target: &str) -> Answer {
        self.check_target(target)?;
        let own = self.policies_on.then(full_access);
        let ours = self
            .policies
            .iter()
            .filter(|policy| policy.targets.contains(target));
        let all: Vec<Value> = own
            .into_iter()
            .chain(ours.map(PolicyState::summary))
            .collect();
        Ok(json!({ "Policies": all }))
    }

    fn targets(&self, id: &str) -> Answer {
        let policy = &self.policies[self.find_policy(id)?];
        let target = |id: &String| {
            let (kind, name) = match self.units.iter().find(|unit| unit.id == *id) {
                Some(unit) => ("ORGANIZATIONAL_UNIT", unit.name.as_str()),
                None if *id == self.root => ("ROOT", "Root"),
                None => ("ACCOUNT", ""),
            };
            json!({ "TargetId": id, "Name": name, "Type": kind, "Arn": self.arn("target", id) })
        };
        let targets: Vec<Value> = policy.targets.iter().map(target).collect();
        Ok(json!({ "Targets": targets }))
    }
}

impl PolicyState {
    fn summary(&self) -> Value {
        summary(&self.id, &self.name, &self.description, false)
    }
}
