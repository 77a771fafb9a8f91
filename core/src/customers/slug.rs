//! A customer's handles: the slug in our commands, the prefix in their cloud.

use std::{fmt, str::FromStr};

/// The longest slug and prefix, in characters. A slug becomes part of AWS account names (50).
const LONGEST: usize = 40;

/// A handle that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be a handle: use 1 to 40 of a-z, 0-9 and single hyphens, beginning with a letter \
     or digit"
)]
pub struct SlugError(pub String);

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl FromStr for $name {
            type Err = SlugError;
            fn from_str(text: &str) -> Result<Self, SlugError> {
                is_handle(text).then(|| Self(text.to_owned())).ok_or_else(|| SlugError(text.to_owned()))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&self.0) }
        }
    };
}

handle! {
    /// What commands call a customer: `acme-finance`.
    Slug
}
handle! {
    /// What a customer's resources are called in AWS: `acme`.
    Prefix
}

fn is_handle(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.len() <= LONGEST && text.split('-').all(is_word)
}

impl Slug {
    /// The slug of a name: folded to lower-case letters and digits, all else to hyphens.
    pub fn from_name(name: &str) -> Result<Self, SlugError> {
        let folded = super::fold(name);
        let words: Vec<&str> = folded
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|w| !w.is_empty())
            .collect();
        let mut text = words.join("-");
        text.truncate(LONGEST);
        text.trim_end_matches('-')
            .parse()
            .map_err(|_| SlugError(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_slugs() {
        assert_eq!(
            Slug::from_name("ACME Finance Inc.").unwrap().as_str(),
            "acme-finance-inc"
        );
        assert_eq!(
            Slug::from_name("  Café & Söhne ").unwrap().as_str(),
            "cafe-sohne"
        );
        assert!(
            Slug::from_name("株式会社").is_err(),
            "nothing is left: the operator names one"
        );
        assert!(
            Slug::from_name(&"long name ".repeat(20))
                .unwrap()
                .as_str()
                .len()
                <= LONGEST
        );
    }

    #[test]
    fn handles_are_strict() {
        for bad in ["", "-a", "a-", "a--b", "A", "a_b", "ä", "a b"] {
            assert!(bad.parse::<Slug>().is_err(), "{bad:?}");
        }
        assert!("acme-2".parse::<Prefix>().is_ok());
    }
}
