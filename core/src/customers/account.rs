//! AWS account ids.

use std::{fmt, str::FromStr};

/// Twelve digits, leading zeros kept. Source: AWS account management reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct AccountId(String);

/// Not twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an AWS account id: it has twelve digits")]
pub struct AccountIdError(String);

impl AccountId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = AccountIdError;

    /// Also reads the console's grouping, `2222-3333-4444`.
    fn from_str(text: &str) -> Result<Self, AccountIdError> {
        let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
        if digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(digits))
        } else {
            Err(AccountIdError(text.to_owned()))
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::AccountId;

    #[test]
    fn twelve_digits_grouped_or_not() {
        assert_eq!(
            "0222-3333-4444".parse::<AccountId>().unwrap().as_str(),
            "022233334444"
        );
        for bad in ["22223333444", "2222333344445", "22223333444x", ""] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
    }
}
