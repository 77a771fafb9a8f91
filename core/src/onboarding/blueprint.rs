//! What is configured for every onboarding: the policies' texts, who gets which access, root
//! addresses, and which cloud it is about.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::desired::canonical;
use crate::tiers::Tier;

/// Root addresses where none are configured: a reserved domain, so only for the simulated cloud.
pub const DEMO_ROOT_EMAIL: &str = "aws+{slug}@root.securebase.example";

/// AWS's limit on a service control policy sent through the API, where white space counts.
const LONGEST_POLICY: usize = 5_120;
/// AWS's limit on a permission set's name.
const LONGEST_SET_NAME: usize = 32;
/// Policies that one unit can have beside `FullAWSAccess`.
const MOST_POLICIES: usize = 4;

/// The policies that ship.
const POLICIES: &[(&str, &str)] = &[
    (
        "securebase-baseline",
        include_str!("../../../config/policies/securebase-baseline.json"),
    ),
    (
        "securebase-fintech",
        include_str!("../../../config/policies/securebase-fintech.json"),
    ),
    (
        "securebase-healthcare",
        include_str!("../../../config/policies/securebase-healthcare.json"),
    ),
    (
        "securebase-gov-federal",
        include_str!("../../../config/policies/securebase-gov-federal.json"),
    ),
];

const ACCESS: &str = include_str!("../../../config/access.toml");

/// A permission set and the group that gets it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessSet {
    /// Its name, as tiers name it.
    pub name: String,
    /// For people.
    pub description: String,
    /// ISO 8601: `PT4H`.
    pub session_duration: String,
    /// ARNs of Amazon's own policies.
    #[serde(default)]
    pub managed_policies: Vec<String>,
    /// JSON of a policy of its own.
    #[serde(default)]
    pub inline_policy: Option<String>,
    /// The group that gets it in each account of its tiers; `{slug}` is the customer's slug.
    pub group: String,
    /// Whether the customer's contact becomes a member of the group.
    pub has_contact: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessFile {
    permission_set: Vec<AccessSet>,
}

/// What is configured for every onboarding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blueprint {
    /// Whether the cloud is Amazon's.
    pub is_real: bool,
    /// The organisation that may be changed.
    pub organization_id: Option<String>,
    /// Root addresses, with `{slug}`.
    pub root_email_template: Option<String>,
    /// Policies by name, minified.
    pub policies: BTreeMap<String, String>,
    /// Permission sets by name.
    pub access: BTreeMap<String, AccessSet>,
}

/// What is wrong with the policies or the access file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct BlueprintError {
    /// Which file, or which tier.
    pub place: String,
    /// What is wrong.
    pub fault: String,
}

impl BlueprintError {
    fn new(place: impl Into<String>, fault: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            fault: fault.into(),
        }
    }
}

impl Blueprint {
    /// What ships, for the simulated cloud.
    pub fn embedded() -> Self {
        let policies = POLICIES
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Self::read(policies, "config/access.toml", ACCESS).expect("a test reads the built-in files")
    }

    /// What ships, with the policies of these files in place of those of the same name, and another
    /// access file.
    pub fn overridden(
        policies: Vec<(PathBuf, String)>,
        access: Option<(String, String)>,
    ) -> Result<Self, BlueprintError> {
        let mut all: BTreeMap<String, String> = POLICIES
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        for (path, text) in policies {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            all.insert(name.into_owned(), text);
        }
        let (place, access) =
            access.unwrap_or_else(|| ("config/access.toml".to_owned(), ACCESS.to_owned()));
        Self::read(all, &place, &access)
    }

    fn read(
        policies: impl IntoIterator<Item = (String, String)>,
        place: &str,
        access: &str,
    ) -> Result<Self, BlueprintError> {
        let mut minified = BTreeMap::new();
        for (name, text) in policies {
            let content = policy(&name, &text)?;
            minified.insert(name, content);
        }
        let file: AccessFile = toml::from_str(access)
            .map_err(|fault| BlueprintError::new(place, fault.to_string()))?;
        let mut sets = BTreeMap::new();
        for mut set in file.permission_set {
            if set.name.is_empty() || set.name.len() > LONGEST_SET_NAME {
                let fault = format!("the name {:?} does not have 1 to 32 characters", set.name);
                return Err(BlueprintError::new(place, fault));
            }
            if let Some(inline) = &set.inline_policy {
                set.inline_policy = Some(minify(&set.name, inline)?);
            }
            set.managed_policies.sort();
            if let Some(twin) = sets.insert(set.name.clone(), set) {
                let fault = format!("the permission set {} stands there twice", twin.name);
                return Err(BlueprintError::new(place, fault));
            }
        }
        Ok(Self {
            is_real: false,
            organization_id: None,
            root_email_template: None,
            policies: minified,
            access: sets,
        })
    }

    /// Refuses tiers that name a policy or permission set which is not there.
    pub fn check<'t>(
        &self,
        tiers: impl IntoIterator<Item = &'t Tier>,
    ) -> Result<(), BlueprintError> {
        for tier in tiers {
            let place = || format!("tier {}", tier.slug);
            if let Some(name) = tier
                .scps
                .iter()
                .find(|name| !self.policies.contains_key(*name))
            {
                let fault =
                    format!("there is no policy {name}: add {name}.json to aws.policies_dir");
                return Err(BlueprintError::new(place(), fault));
            }
            let unknown = |name: &&String| !self.access.contains_key(*name);
            if let Some(name) = tier.permission_sets.iter().find(unknown) {
                let fault = format!("there is no permission set {name}: add it to aws.access_file");
                return Err(BlueprintError::new(place(), fault));
            }
            if tier.scps.len() > MOST_POLICIES {
                let fault = format!("more than {MOST_POLICIES} policies cannot be attached");
                return Err(BlueprintError::new(place(), fault));
            }
        }
        Ok(())
    }

    /// `simulated` or `aws`.
    pub const fn cloud(&self) -> &'static str {
        if self.is_real { "aws" } else { "simulated" }
    }

    /// The template of root addresses; the simulated cloud has one of its own.
    pub fn root_template(&self) -> Option<&str> {
        let configured = self.root_email_template.as_deref();
        configured.or_else(|| (!self.is_real).then_some(DEMO_ROOT_EMAIL))
    }
}

fn minify(place: &str, text: &str) -> Result<String, BlueprintError> {
    canonical(text).ok_or_else(|| BlueprintError::new(place, "it is not JSON"))
}

fn policy(name: &str, text: &str) -> Result<String, BlueprintError> {
    let place = format!("{name}.json");
    let content = minify(&place, text)?;
    let length = content.chars().count();
    if length > LONGEST_POLICY {
        let fault = format!("minified it has {length} characters, AWS takes {LONGEST_POLICY}");
        return Err(BlueprintError::new(place, fault));
    }
    let parsed: Value = serde_json::from_str(&content).unwrap_or_default();
    if !parsed["Statement"].is_array() {
        return Err(BlueprintError::new(place, "it has no list Statement"));
    }
    Ok(content)
}
