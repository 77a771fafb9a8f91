//! Mail addresses, normalised so that equality is identity.

use std::{fmt, str::FromStr};

use super::{DomainError, DomainName};

/// An address whose domain is in ASCII form and whose local part is in lower case.
///
/// RFC 5321 lets a host tell `A@` from `a@`; none that customers use does, and telling them apart
/// would split one person in two. Quoted local parts are kept with their quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`, or nothing before it, or characters that no local part has.
    #[error("{0:?} is not a mail address")]
    Malformed(String),
    /// What follows the `@` is no domain.
    #[error("the address has no usable domain")]
    Domain(#[source] DomainError),
}

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the last `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The domain.
    pub fn domain(&self) -> DomainName {
        let (_, domain) = self.0.rsplit_once('@').expect("construction demands an @");
        domain.parse().expect("construction parsed the domain")
    }
}

impl FromStr for EmailAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let malformed = || AddressError::Malformed(text.chars().take(320).collect());
        let trimmed = text.trim();
        let trimmed = trimmed
            .strip_prefix('<')
            .and_then(|t| t.strip_suffix('>'))
            .unwrap_or(trimmed);
        let (local, domain) = trimmed.rsplit_once('@').ok_or_else(malformed)?;
        if !is_local_part(local) {
            return Err(malformed());
        }
        let domain: DomainName = domain.parse().map_err(AddressError::Domain)?;
        Ok(Self(format!("{}@{domain}", local.to_lowercase())))
    }
}

/// RFC 5321 Dot-string or Quoted-string, with RFC 6531's non-ASCII letters.
fn is_local_part(local: &str) -> bool {
    if local.is_empty() || local.len() > 64 {
        return false;
    }
    if let Some(inner) = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        let mut escaped = false;
        let is_sound = inner.chars().all(|c| {
            let was_escaped = escaped;
            escaped = c == '\\' && !was_escaped;
            !c.is_control() && (was_escaped || c != '"')
        });
        return is_sound && !escaped && local.len() >= 2;
    }
    let is_atom_char = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
            || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
    };
    local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char))
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_however_written() {
        let john: EmailAddress = "John@AcmeFinance.com".parse().unwrap();
        assert_eq!(john.as_str(), "john@acmefinance.com");
        assert_eq!("<john@ACMEFINANCE.com.>".parse(), Ok(john));
    }

    #[test]
    fn quoted_and_international_local_parts_are_addresses() {
        for good in [
            "\"john doe\"@a.com",
            "\"a@b\"@a.com",
            "a+b@a.com",
            "jürgen@bücher.de",
        ] {
            assert!(good.parse::<EmailAddress>().is_ok(), "{good}");
        }
        assert_eq!(
            "\"a@b\"@c.de"
                .parse::<EmailAddress>()
                .unwrap()
                .domain()
                .as_str(),
            "c.de"
        );
    }

    #[test]
    fn what_is_no_address() {
        for bad in [
            "",
            "john",
            "@a.com",
            "a b@c.de",
            "a..b@c.de",
            ".a@c.de",
            "\"a\"b\"@c.de",
            "a@localhost",
        ] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad:?}");
        }
    }
}
