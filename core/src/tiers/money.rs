//! Amounts in US dollars.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in US cents. Displays as `$8,000` or `$8,000.50`; in JSON it is the cents.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// From cents.
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents)
    }

    /// In cents.
    pub const fn cents(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, cents) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        let digits = dollars.to_string();
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = if cents > 0 {
            format!(".{cents:02}")
        } else {
            String::new()
        };
        f.pad(&format!("{sign}${grouped}{cents}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_thousands_and_cents_only_where_there_are_some() {
        for (cents, text) in [
            (0, "$0"),
            (800_000, "$8,000"),
            (800_005, "$8,000.05"),
            (99, "$0.99"),
            (-123_456_700, "-$1,234,567"),
        ] {
            assert_eq!(Money::from_cents(cents).to_string(), text);
        }
        assert_eq!(serde_json::to_string(&Money::from_cents(5)).unwrap(), "5");
    }
}
