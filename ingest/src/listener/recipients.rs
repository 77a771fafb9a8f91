//! Whom mail is taken for: configured addresses, and nobody else. Nothing is passed on.

use std::collections::HashSet;

/// The addresses that are taken.
#[derive(Clone, Debug, Default)]
pub struct Recipients {
    /// Local part and domain, in lower case.
    addresses: HashSet<(String, String)>,
    /// Every domain of an address has a postmaster (RFC 5321, 4.5.1).
    domains: HashSet<String>,
}

impl Recipients {
    /// Of addresses as the configuration writes them.
    pub fn new<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        for (local, domain) in addresses.into_iter().filter_map(split) {
            all.domains.insert(domain.clone());
            all.addresses.insert((local, domain));
        }
        all
    }

    /// Whether mail to `address` is taken: one of ours, one of ours with `+anything`, as reply
    /// addresses have it, or a postmaster. Upper and lower case are the same; nobody means two
    /// mailboxes by them.
    pub fn has(&self, address: &str) -> bool {
        let Some((local, domain)) = split(address) else {
            return false;
        };
        if local == "postmaster" && self.domains.contains(&domain) {
            return true;
        }
        let base = local.split_once('+').map(|(base, _)| base.to_owned());
        self.addresses.contains(&(local, domain.clone()))
            || base.is_some_and(|base| self.addresses.contains(&(base, domain)))
    }
}

fn split(address: &str) -> Option<(String, String)> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    Some((local.to_lowercase(), domain.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_configured_addresses_and_their_tokens_are_taken() {
        let ours = Recipients::new(["support@securebase.example", "help+eu@other.example"]);
        for taken in [
            "support@securebase.example",
            "SUPPORT@SecureBase.Example.",
            "support+t1.abc=def@securebase.example",
            "support+@securebase.example",
            "help+eu@other.example",
            "postmaster@other.example",
            "Postmaster@securebase.example",
        ] {
            assert!(ours.has(taken), "{taken}");
        }
        for refused in [
            "help@other.example",
            "help+us@other.example",
            "support@other.example",
            "support@sub.securebase.example",
            "+support@securebase.example",
            "xsupport@securebase.example",
            "support@evil.example@securebase.example",
            "support%securebase.example@evil.example",
            "postmaster@evil.example",
            "support",
            "",
            "@",
        ] {
            assert!(!ours.has(refused), "{refused}");
        }
    }
}
