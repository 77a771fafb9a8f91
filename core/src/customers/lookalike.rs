//! Domains that are meant to be read as a customer's.
//!
//! Two tests, both by equality in the database, so that any number of customers costs the same:
//! the UTS 39 confusable skeleton, and at most one edit between skeletons. For the second, a
//! domain is filed under each string that lacks one of its characters; two strings at most one
//! edit apart share such a string (or the original), and the true distance is checked after.

use std::collections::BTreeSet;

use super::DomainName;

/// Below this many characters in the registered label one edit proves nothing: `acme` and `acne`
/// are both words.
const SHORTEST_FOR_EDITS: usize = 6;

/// The strings under which a domain is filed and looked up: its registrable part as people see it
/// and that part's skeleton, and each of the two without each one of its characters.
///
/// Both, because a skeleton writes some letters as two (m as rn): what is one edit for the eye can
/// be two in the skeleton.
pub fn variants(domain: &DomainName) -> BTreeSet<String> {
    let mut variants = BTreeSet::new();
    for form in forms(domain) {
        if takes_edits(&form) {
            let characters: Vec<char> = form.chars().collect();
            for skipped in 0..characters.len() {
                let rest = characters.iter().enumerate().filter(|(i, _)| *i != skipped);
                variants.insert(rest.map(|(_, c)| *c).collect());
            }
        }
        variants.insert(form);
    }
    variants
}

/// Whether `claimed` imitates `genuine`; to be asked of domains that share a variant.
pub fn imitates(claimed: &DomainName, genuine: &DomainName) -> bool {
    if claimed.registrable() == genuine.registrable() {
        return false;
    }
    forms(claimed)
        .iter()
        .zip(forms(genuine))
        .any(|(claimed, genuine)| {
            *claimed == genuine
                || (takes_edits(claimed)
                    && takes_edits(&genuine)
                    && strsim::osa_distance(claimed, &genuine) <= 1)
        })
}

/// Names that carry a customer's whole domain in front of somebody else's:
/// `acmefinance.com.evil.example` gives `acmefinance.com.evil` and `acmefinance.com`.
pub fn leading_names(domain: &DomainName) -> impl Iterator<Item = &str> {
    let mut rest = domain.as_str();
    std::iter::from_fn(move || {
        rest = rest.rsplit_once('.')?.0;
        rest.contains('.').then_some(rest)
    })
}

/// Domains whose name `domain` wears: with another ending (`acmefinance.net`), or with a word that
/// impostors add (`acmefinance-support.com`, `login-acmefinance.com`, `acmefinancehelp.com`).
///
/// Looked up by equality, so only usual endings are tried.
pub fn worn_names(domain: &DomainName) -> BTreeSet<String> {
    const ENDINGS: [&str; 24] = [
        "com", "net", "org", "io", "co", "gov", "us", "eu", "de", "fr", "es", "it", "nl", "at",
        "ch", "pl", "co.uk", "com.au", "com.br", "dev", "app", "cloud", "ai", "tech",
    ];
    const ADDED: [&str; 22] = [
        "support", "help", "helpdesk", "service", "services", "login", "secure", "security",
        "account", "accounts", "billing", "pay", "mail", "online", "portal", "team", "it", "admin",
        "hr", "info", "verify", "group",
    ];
    let registrable = domain.registrable();
    let Some((label, ending)) = registrable.split_once('.') else {
        return BTreeSet::new();
    };
    let mut names: BTreeSet<&str> = BTreeSet::from([label]);
    for word in ADDED {
        names.extend(
            label
                .strip_prefix(word)
                .map(|rest| rest.trim_start_matches('-')),
        );
        names.extend(
            label
                .strip_suffix(word)
                .map(|rest| rest.trim_end_matches('-')),
        );
    }
    // Parts between hyphens too: any word may be added.
    names.extend(label.split('-'));
    names.retain(|name| name.chars().count() >= SHORTEST_FOR_EDITS);
    let worn = names.into_iter().flat_map(|name| {
        let endings = ENDINGS.into_iter().chain([ending]);
        endings.map(move |ending| format!("{name}.{ending}"))
    });
    worn.filter(|worn| *worn != registrable).collect()
}

/// A domain's registrable part as people see it, and its skeleton.
fn forms(domain: &DomainName) -> [String; 2] {
    let registrable: DomainName = domain
        .registrable()
        .parse()
        .unwrap_or_else(|_| domain.clone());
    let (shown, _) = idna::domain_to_unicode(registrable.as_str());
    let skeleton = unicode_security::skeleton(&shown).collect::<String>();
    [shown.to_lowercase(), skeleton.to_lowercase()]
}

fn takes_edits(form: &str) -> bool {
    form.split('.')
        .next()
        .is_some_and(|label| label.chars().count() >= SHORTEST_FOR_EDITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    /// What the database does: a shared variant, then the true test.
    fn is_found(claimed: &str, genuine: &str) -> bool {
        let (claimed, genuine) = (domain(claimed), domain(genuine));
        !variants(&claimed).is_disjoint(&variants(&genuine)) && imitates(&claimed, &genuine)
    }

    #[test]
    fn imitations_are_found() {
        for claimed in [
            "acmefinnance.com", // one more
            "acmefinace.com",   // one less
            "acmefinence.com",  // another
            "acmefniance.com",  // two swapped
            "аcmefinance.com",  // Cyrillic а
            "acmefinance.co",
            "acrnefinance.com", // rn for m
            "mail.acmefinanse.com",
        ] {
            assert!(is_found(claimed, "acmefinance.com"), "{claimed}");
        }
    }

    #[test]
    fn others_and_the_customer_itself_are_not() {
        for claimed in [
            "acmefinance.com",
            "mail.acmefinance.com",
            "acmebank.com",
            "finance.com",
            "acme.com",
        ] {
            assert!(!is_found(claimed, "acmefinance.com"), "{claimed}");
        }
        assert!(
            !is_found("acne.com", "acme.com"),
            "short names are too close to words"
        );
    }

    #[test]
    fn a_name_is_known_in_other_clothes() {
        for claimed in [
            "acmefinance.net",
            "acmefinance.co.uk",
            "acmefinance-support.com",
            "acmefinance-customer-care.org",
            "login-acmefinance.com",
            "acmefinancehelp.com",
            "mail.secure-acmefinance.io",
        ] {
            let worn = worn_names(&domain(claimed));
            assert!(worn.contains("acmefinance.com"), "{claimed}: {worn:?}");
        }
        for other in ["acmefinance.com", "acme.net", "finance.com", "support.com"] {
            let worn = worn_names(&domain(other));
            assert!(!worn.contains("acmefinance.com"), "{other}");
            assert!(!worn.contains("acme.com"), "{other}: short names are words");
        }
    }

    #[test]
    fn a_whole_domain_in_front_of_a_stranger_is_seen() {
        let claimed = domain("acmefinance.com.evil.example");
        assert!(leading_names(&claimed).any(|name| name == "acmefinance.com"));
    }

    #[test]
    fn every_single_edit_of_a_name_shares_a_variant() {
        let genuine = "quantumbank.com";
        let base: Vec<char> = genuine.chars().collect();
        let mut checked = 0;
        for at in 0..base.len() - 4 {
            let mut deleted = base.clone();
            deleted.remove(at);
            let mut swapped = base.clone();
            swapped.swap(at, at + 1);
            let mut replaced = base.clone();
            replaced[at] = 'x';
            let mut inserted = base.clone();
            inserted.insert(at, 'x');
            for edited in [deleted, swapped, replaced, inserted] {
                let text: String = edited.iter().collect();
                if text != genuine && !text.starts_with('.') && !text.contains("..") {
                    assert!(is_found(&text, genuine), "{text}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 40, "{checked}");
    }
}
