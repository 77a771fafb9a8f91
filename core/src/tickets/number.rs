//! Ticket numbers.

use std::{fmt, str::FromStr};

/// What people call a ticket: `SB-12`. Drawn from one counter; gaps are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketNumber(pub i64);

/// A text that is no ticket number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a ticket number: they look like SB-12")]
pub struct TicketNumberError(String);

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("SB-{}", self.0))
    }
}

impl FromStr for TicketNumber {
    type Err = TicketNumberError;

    /// Also reads `sb-12`, `#12` and `12`.
    fn from_str(text: &str) -> Result<Self, TicketNumberError> {
        let trimmed = text.trim();
        let digits = trimmed
            .strip_prefix("SB-")
            .or_else(|| trimmed.strip_prefix("sb-"))
            .or_else(|| trimmed.strip_prefix('#'))
            .unwrap_or(trimmed);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number = digits
            .parse()
            .ok()
            .filter(|number| is_number && *number > 0);
        number
            .map(Self)
            .ok_or_else(|| TicketNumberError(text.to_owned()))
    }
}

impl serde::Serialize for TicketNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::TicketNumber;

    #[test]
    fn people_write_numbers_in_several_ways() {
        for text in ["SB-12", "sb-12", "#12", " 12 "] {
            assert_eq!(text.parse(), Ok(TicketNumber(12)), "{text}");
        }
        for bad in [
            "",
            "SB-",
            "SB-x",
            "0",
            "-1",
            "+1",
            "SB-99999999999999999999",
        ] {
            assert!(bad.parse::<TicketNumber>().is_err(), "{bad}");
        }
    }
}
