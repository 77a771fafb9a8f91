//! The name of a tier in texts, keys and addresses.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Lower-case letters, digits and single hyphens between them; at most 40 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TierSlug(String);

/// A text that is no slug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the slug of a tier: lower-case letters and digits with hyphens between them")]
pub struct InvalidTierSlug(String);

impl TierSlug {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TierSlug {
    type Err = InvalidTierSlug;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if text.len() <= 40 && text.split('-').all(is_part) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidTierSlug(text.to_owned()))
    }
}

impl fmt::Display for TierSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for TierSlug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for TierSlug {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TierSlug {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_slugs_are_read() {
        assert_eq!(
            "gov-federal".parse::<TierSlug>().unwrap().to_string(),
            "gov-federal"
        );
        for text in ["", "-", "a-", "a--b", "Gov", "a b", "ä", &"a".repeat(41)] {
            assert!(text.parse::<TierSlug>().is_err(), "{text}");
        }
    }
}
