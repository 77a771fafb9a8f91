//! How much of a ticket may leave for a place like Discord.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::severity::{UnknownWord, words};

/// Each level contains the ones before it, and orders after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Disclosure {
    /// Number, severity, clock, and an alias for the customer.
    Alias,
    /// The customer's name, the tier, the requester's role.
    Metadata,
    /// The subject, secrets masked.
    Subject,
    /// 200 characters of the text, secrets masked.
    Excerpt,
    /// Everything.
    Full,
}

words!(
    Disclosure,
    "level of disclosure",
    Alias = "alias",
    Metadata = "metadata",
    Subject = "subject",
    Excerpt = "excerpt",
    Full = "full",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_order_from_least_to_most() {
        assert!(Disclosure::ALL.is_sorted());
        assert!("everything".parse::<Disclosure>().is_err());
    }
}
