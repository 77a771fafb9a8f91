//! Mail domains, normalised so that equality is identity.

use std::{collections::HashSet, fmt, str::FromStr, sync::Arc};

/// A domain name in ASCII (IDNA) form, lower case, without a trailing dot, with at least one dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct DomainName(String);

/// Why a text is no domain, or a domain cannot belong to a customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// Not a domain name at all.
    #[error("{0:?} is not a domain name")]
    Malformed(String),
    /// Nobody's own: `co.uk`, `github.io`.
    #[error("{0} is a public suffix, under which anybody can register: it cannot be a customer's")]
    PublicSuffix(DomainName),
    /// Everybody's: `gmail.com`.
    #[error(
        "{0} is a free-mail provider, whose addresses anybody can have: it cannot be a customer's"
    )]
    FreeMail(DomainName),
}

impl DomainName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This domain and its parents that have at least two labels, longest first:
    /// `a.b.example.com` gives itself, `b.example.com`, `example.com`.
    pub fn self_and_parents(&self) -> impl Iterator<Item = &str> {
        let mut rest = Some(self.0.as_str());
        std::iter::from_fn(move || {
            let here = rest.filter(|name| name.contains('.'))?;
            rest = here.split_once('.').map(|(_, parent)| parent);
            Some(here)
        })
    }

    /// The part that somebody registered, `example.co.uk` of `mail.example.co.uk`; the name itself
    /// where the suffix list gives none.
    pub fn registrable(&self) -> &str {
        psl::domain_str(&self.0).unwrap_or(&self.0)
    }

    /// Refuses what no customer can own: listed public suffixes and free-mail providers.
    pub fn check_ownable(&self, free_mail: &FreeMail) -> Result<(), DomainError> {
        let is_listed_suffix = psl::suffix(self.0.as_bytes())
            .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == self.0.as_bytes());
        if is_listed_suffix {
            return Err(DomainError::PublicSuffix(self.clone()));
        }
        if free_mail.contains(self) {
            return Err(DomainError::FreeMail(self.clone()));
        }
        Ok(())
    }
}

impl FromStr for DomainName {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        let malformed = || DomainError::Malformed(text.to_owned());
        let trimmed = text.trim().trim_end_matches('.');
        let ascii = idna::domain_to_ascii_strict(trimmed)
            .or_else(|_| idna::domain_to_ascii(trimmed))
            .map_err(|_| malformed())?;
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let has_name_like_end = ascii
            .rsplit('.')
            .next()
            .is_some_and(|l| !l.bytes().all(|b| b.is_ascii_digit()));
        let is_valid = ascii.len() <= 253
            && ascii.contains('.')
            && ascii.split('.').all(is_label)
            && has_name_like_end;
        if is_valid {
            Ok(Self(ascii.to_ascii_lowercase()))
        } else {
            Err(malformed())
        }
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The providers at which anybody can have an address.
#[derive(Clone, Debug, Default)]
pub struct FreeMail(Arc<HashSet<DomainName>>);

impl FreeMail {
    /// One domain a line; `#` begins a comment. Returns the lines that are no domains.
    pub fn parse(text: &str) -> Result<Self, Vec<(usize, DomainError)>> {
        let mut domains = HashSet::new();
        let mut faults = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let name = line.split('#').next().unwrap_or_default().trim();
            if name.is_empty() {
                continue;
            }
            match name.parse() {
                Ok(domain) => {
                    domains.insert(domain);
                }
                Err(fault) => faults.push((index + 1, fault)),
            }
        }
        if faults.is_empty() {
            Ok(Self(Arc::new(domains)))
        } else {
            Err(faults)
        }
    }

    /// The list that ships with the program.
    pub fn embedded() -> Self {
        Self::parse(include_str!("../../../config/freemail.txt")).unwrap_or_default()
    }

    /// Whether `domain`, or a domain it lies under, is a listed provider.
    pub fn contains(&self, domain: &DomainName) -> bool {
        domain
            .self_and_parents()
            .any(|name| self.0.contains(&DomainName(name.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    #[test]
    fn any_case_trailing_dot_and_unicode_are_one_name() {
        assert_eq!(domain("ACMEFinance.COM."), domain("acmefinance.com"));
        assert_eq!(domain("Bücher.example").as_str(), "xn--bcher-kva.example");
        assert_eq!(domain("xn--bcher-kva.example"), domain("bücher.EXAMPLE"));
    }

    #[test]
    fn what_is_no_domain() {
        for bad in [
            "",
            "localhost",
            "a..b",
            "-a.com",
            "a b.com",
            "1.2.3.4",
            "a@b.com",
            "com",
        ] {
            assert!(bad.parse::<DomainName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn parents_stop_on_label_boundaries() {
        let name = domain("a.notacme.com");
        assert_eq!(
            name.self_and_parents().collect::<Vec<_>>(),
            ["a.notacme.com", "notacme.com"]
        );
    }

    #[test]
    fn shared_domains_cannot_be_owned() {
        let free = FreeMail::embedded();
        assert!(
            free.contains(&domain("gmail.com")),
            "positive control: the list is not empty"
        );
        for bad in ["co.uk", "github.io", "gmail.com", "mail.gmail.com"] {
            assert!(domain(bad).check_ownable(&free).is_err(), "{bad}");
        }
        for good in [
            "acmefinance.com",
            "acme.co.uk",
            "techgov.gov",
            "me.github.io",
        ] {
            assert_eq!(domain(good).check_ownable(&free), Ok(()), "{good}");
        }
    }

    #[test]
    fn every_line_of_the_embedded_list_is_a_domain() {
        assert!(FreeMail::parse(include_str!("../../../config/freemail.txt")).is_ok());
    }
}
