//! The organisation and its units.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Answer, AwsFault, Operation, Simulated};

/// Units lie at most so deep under the root.
const DEEPEST: usize = 5;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct UnitState {
    pub(super) id: String,
    pub(super) parent: String,
    pub(super) name: String,
}

impl Simulated {
    /// `None` where the operation is not one of these.
    pub(super) fn tree(&mut self, operation: &Operation) -> Option<Answer> {
        Some(match operation {
            Operation::DescribeOrganization {} => Ok(self.describe_organization()),
            Operation::ListRoots {} => {
                let on = json!({ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" });
                let types: Vec<_> = self.policies_on.then_some(on).into_iter().collect();
                let arn = self.arn("root", &self.root);
                Ok(json!({ "Roots": [
                    { "Id": self.root, "Arn": arn, "Name": "Root", "PolicyTypes": types }
                ]}))
            }
            Operation::ListOrganizationalUnitsForParent { parent_id } => self.list_units(parent_id),
            Operation::CreateOrganizationalUnit { parent_id, name } => {
                self.create_unit(parent_id, name)
            }
            _ => return None,
        })
    }

    fn describe_organization(&self) -> serde_json::Value {
        let management = &self.management_account;
        json!({ "Organization": {
            "Id": self.organization,
            "Arn": format!("arn:aws:organizations::{management}:organization/{}", self.organization),
            "FeatureSet": "ALL",
            "MasterAccountId": management,
            "MasterAccountArn": self.arn("account", management),
            "MasterAccountEmail": "aws@securebase.example",
        }})
    }

    pub(super) fn arn(&self, kind: &str, id: &str) -> String {
        let (management, organization) = (&self.management_account, &self.organization);
        format!("arn:aws:organizations::{management}:{kind}/{organization}/{id}")
    }

    pub(super) fn is_parent(&self, id: &str) -> bool {
        id == self.root || self.units.iter().any(|unit| unit.id == id)
    }

    fn check_parent(&self, id: &str) -> Result<(), AwsFault> {
        if self.is_parent(id) {
            return Ok(());
        }
        Err(AwsFault::new(
            "ParentNotFoundException",
            format!("there is no root or organizational unit {id}"),
        ))
    }

    fn list_units(&self, parent: &str) -> Answer {
        self.check_parent(parent)?;
        let units: Vec<_> = self
            .units
            .iter()
            .filter(|unit| unit.parent == parent)
            .map(|unit| self.unit(unit))
            .collect();
        Ok(json!({ "OrganizationalUnits": units }))
    }

    fn unit(&self, unit: &UnitState) -> serde_json::Value {
        json!({ "Id": unit.id, "Arn": self.arn("ou", &unit.id), "Name": unit.name })
    }

    fn create_unit(&mut self, parent: &str, name: &str) -> Answer {
        self.check_parent(parent)?;
        let mut depth = 1;
        let mut above = parent;
        while let Some(unit) = self.units.iter().find(|unit| unit.id == above) {
            depth += 1;
            above = &unit.parent;
        }
        if depth > DEEPEST {
            return Err(AwsFault::new(
                "ConstraintViolationException",
                format!("organizational units nest at most {DEEPEST} deep"),
            )
            .because("OU_DEPTH_LIMIT_EXCEEDED"));
        }
        if name.is_empty() || name.chars().count() > 128 {
            return Err(AwsFault::new(
                "InvalidInputException",
                "the name does not fit",
            ));
        }
        if self
            .units
            .iter()
            .any(|unit| unit.parent == parent && unit.name == name)
        {
            return Err(AwsFault::new(
                "DuplicateOrganizationalUnitException",
                format!("an organizational unit {name} already exists there"),
            ));
        }
        let root = self.root.trim_start_matches("r-").to_owned();
        let unit = UnitState {
            id: format!("ou-{root}-{}", self.word(8)),
            parent: parent.to_owned(),
            name: name.to_owned(),
        };
        let answer = json!({ "OrganizationalUnit": self.unit(&unit) });
        self.units.push(unit);
        Ok(answer)
    }
}
