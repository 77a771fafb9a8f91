//! What is attested of a member of staff, and what tiers and contracts demand.
//!
//! An attribute is a word on which a customer and the desk agreed: `us-person`, `hipaa-trained`. The desk
//! proves nothing about anybody: it keeps who said so, on what grounds and until when, and holds people
//! to it.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::tiers::TierSlug;

/// The name of an attribute: lower-case letters, digits and single hyphens between them; at most 40
/// characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attribute(TierSlug);

/// A text that names no attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be the name of an attribute: lower-case letters and digits with hyphens between them, as in hipaa-trained"
)]
pub struct InvalidAttribute(String);

impl Attribute {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Attribute {
    type Err = InvalidAttribute;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().parse();
        name.map(Self)
            .map_err(|_| InvalidAttribute(text.to_owned()))
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What each tier demands of whoever works on its tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demands(HashMap<TierSlug, BTreeSet<Attribute>>);

impl Demands {
    /// From the tiers that demand anything.
    pub fn new(tiers: impl IntoIterator<Item = (TierSlug, Vec<Attribute>)>) -> Self {
        let demanding = tiers.into_iter().filter(|(_, asked)| !asked.is_empty());
        Self(
            demanding
                .map(|(tier, asked)| (tier, asked.into_iter().collect()))
                .collect(),
        )
    }

    /// What is demanded for a ticket of this tier, of a customer whose contract asks for `contract`.
    pub fn of(&self, tier: Option<&TierSlug>, contract: &[Attribute]) -> BTreeSet<Attribute> {
        let mut all = tier
            .and_then(|tier| self.0.get(tier).cloned())
            .unwrap_or_default();
        all.extend(contract.iter().cloned());
        all
    }

    /// Every attribute that some tier demands, with the tiers.
    pub fn by_attribute(&self) -> Vec<(Attribute, Vec<TierSlug>)> {
        let mut tiers_of: std::collections::BTreeMap<Attribute, Vec<TierSlug>> =
            std::collections::BTreeMap::new();
        for (tier, asked) in &self.0 {
            for attribute in asked {
                tiers_of
                    .entry(attribute.clone())
                    .or_default()
                    .push(tier.clone());
            }
        }
        for tiers in tiers_of.values_mut() {
            tiers.sort_unstable();
        }
        tiers_of.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_adds_to_what_the_tier_demands() {
        let name = |text: &str| text.parse::<Attribute>().expect("it is a name");
        let tier: TierSlug = "healthcare".parse().expect("it is a slug");
        let other: TierSlug = "standard".parse().expect("it is a slug");
        let demands = Demands::new([
            (tier.clone(), vec![name("hipaa-trained")]),
            (other.clone(), Vec::new()),
        ]);
        let asked = demands.of(Some(&tier), &[name("us-person")]);
        let asked: Vec<&str> = asked.iter().map(Attribute::as_str).collect();
        assert_eq!(asked, ["hipaa-trained", "us-person"]);
        assert!(demands.of(Some(&other), &[]).is_empty());
        assert!(demands.of(None, &[]).is_empty());
        assert_eq!(
            demands.by_attribute(),
            [(name("hipaa-trained"), vec![tier])]
        );
    }

    #[test]
    fn only_plain_names_are_read() {
        assert_eq!(
            " us-person "
                .parse::<Attribute>()
                .map(|one| one.to_string()),
            Ok("us-person".to_owned())
        );
        for wrong in ["", "US person", "-", "us_person", &"a".repeat(41)] {
            assert!(wrong.parse::<Attribute>().is_err(), "{wrong}");
        }
    }
}
