//! What SPF, DKIM and DMARC say of a sender, and what follows from it.
//!
//! Whoever checked (we at our own listener, or the server before us in an Authentication-Results
//! header) gives [`Evidence`]; [`weigh`] holds it against the one address in From. Alignment is
//! relaxed, as in RFC 7489 section 3.1: the registrable domains must be the same.

use std::{fmt, future::Future, pin::Pin};

use crate::{
    customers::{DomainName, EmailAddress},
    mail::Envelope,
    named::named_enum,
};

named_enum! {
    /// A check of RFC 8601 that says something about the sender's domain.
    pub enum Method as "authentication method" {
        /// Whether the client may send for the envelope's domain (RFC 7208).
        Spf = "spf",
        /// Whether a domain signed the mail (RFC 6376).
        Dkim = "dkim",
        /// Whether one of the two stands for the domain in From (RFC 7489).
        Dmarc = "dmarc",
    }
}

named_enum! {
    /// What a check found (RFC 8601 section 2.7).
    pub enum Verdict as "authentication result" {
        /// It stands for the domain.
        Pass = "pass",
        /// It speaks against it.
        Fail = "fail",
        /// The domain calls it suspicious.
        SoftFail = "softfail",
        /// The domain says nothing either way.
        Neutral = "neutral",
        /// There was nothing to check.
        None = "none",
        /// It could not be checked just then.
        TempError = "temperror",
        /// What the domain published cannot be used.
        PermError = "permerror",
        /// It passed, and the checker's own policy did not accept it.
        Policy = "policy",
    }
}

/// One finding: a method, what it found, and the domain it speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The method.
    pub method: Method,
    /// What it found.
    pub verdict: Verdict,
    /// The envelope sender's domain (SPF), the signer's (DKIM), From's (DMARC), as the checker
    /// wrote it.
    pub domain: Option<String>,
}

/// What a checker found about one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Who checked, for people: `mx.securebase.example`, `Microsoft 365`, `our own check`.
    pub checker: String,
    /// The findings, in the checker's order.
    pub findings: Vec<Finding>,
}

/// What [`EdgeCheck::check`] answers.
pub type EvidenceFuture<'a> = Pin<Box<dyn Future<Output = Evidence> + Send + 'a>>;

/// Checks a sender where we are the mail server: a port, since it asks the DNS. Never called inside
/// a unit of work, and always with an answer in the end: what could not be asked is a `temperror`.
pub trait EdgeCheck: fmt::Debug + Send + Sync {
    /// Checks the sender of a mail that reached our own listener.
    fn check<'a>(&'a self, raw: &'a [u8], envelope: &'a Envelope) -> EvidenceFuture<'a>;
}

/// What evidence means for the address in From.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// The sender's domain stands behind the mail; why, in words.
    Passed(String),
    /// Nothing certain either way; why, in words.
    Inconclusive(String),
    /// Something speaks against the sender; what, in words.
    Failed(String),
}

/// Weighs what a checker found against the one address in From.
///
/// DMARC decides where there is a result. Else an aligned pass of DKIM or SPF stands for the
/// sender, and an aligned failure of SPF without one speaks against it. A broken DKIM signature is
/// no signature (RFC 6376 section 6.1), since mailing lists break them every day.
pub fn weigh(evidence: &Evidence, from: &EmailAddress) -> Authentication {
    let domain = from.domain();
    let checker = &evidence.checker;
    let of = |method| {
        let all = evidence.findings.iter();
        all.filter(move |finding| finding.method == method)
    };
    let dmarc: Vec<&Finding> = of(Method::Dmarc).collect();
    if let Some(fault) = contradiction(&dmarc, &domain) {
        return Authentication::Failed(format!("{checker}: {fault}"));
    }
    let aligned = |method, verdict| {
        of(method).find(|finding| finding.verdict == verdict && is_aligned(finding, &domain))
    };
    if dmarc.iter().any(|one| one.verdict == Verdict::Pass) {
        return Authentication::Passed(format!("{checker}: DMARC passed for {domain}"));
    }
    if let Some(signed) = aligned(Method::Dkim, Verdict::Pass) {
        let by = signed.domain.as_deref().unwrap_or_default();
        return Authentication::Passed(format!("{checker}: signed by {by} (DKIM)"));
    }
    if let Some(sent) = aligned(Method::Spf, Verdict::Pass) {
        let by = sent.domain.as_deref().unwrap_or_default();
        return Authentication::Passed(format!("{checker}: sent by a server of {by} (SPF)"));
    }
    if aligned(Method::Spf, Verdict::Fail).is_some() {
        let fault = format!("{checker}: {domain} does not send from there (SPF failed)");
        return Authentication::Failed(fault);
    }
    let seen: Vec<String> = evidence.findings.iter().map(in_words).collect();
    Authentication::Inconclusive(if seen.is_empty() {
        format!("{checker} found nothing that speaks for the sender")
    } else {
        format!(
            "{checker} found nothing that stands for {domain}: {}",
            seen.join(", ")
        )
    })
}

/// What in the DMARC results speaks against the sender: a failure, results that differ, or results
/// about another domain.
fn contradiction(dmarc: &[&Finding], domain: &DomainName) -> Option<String> {
    if let Some(other) = dmarc.iter().find_map(|finding| {
        let about = finding.domain.as_deref()?;
        (!is_same(about, domain)).then_some(about)
    }) {
        return Some(format!("its DMARC result is about {other}, not {domain}"));
    }
    let has = |verdict| dmarc.iter().any(|finding| finding.verdict == verdict);
    match (has(Verdict::Pass), has(Verdict::Fail)) {
        (true, true) => Some(format!("DMARC both passed and failed for {domain}")),
        (false, true) => Some(format!("DMARC failed for {domain}")),
        _ => None,
    }
}

fn is_aligned(finding: &Finding, domain: &DomainName) -> bool {
    finding
        .domain
        .as_deref()
        .is_some_and(|claimed| is_same(claimed, domain))
}

/// Whether both belong to whoever registered one domain.
fn is_same(claimed: &str, domain: &DomainName) -> bool {
    let claimed = claimed.trim().trim_end_matches('.');
    let claimed = claimed.rsplit_once('@').map_or(claimed, |(_, host)| host);
    claimed
        .parse::<DomainName>()
        .is_ok_and(|claimed| claimed.registrable() == domain.registrable())
}

fn in_words(finding: &Finding) -> String {
    match &finding.domain {
        Some(domain) => format!("{} {} ({domain})", finding.method, finding.verdict),
        None => format!("{} {}", finding.method, finding.verdict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(list: &[(Method, Verdict, &str)]) -> Evidence {
        let finding = |(method, verdict, domain): &(Method, Verdict, &str)| Finding {
            method: *method,
            verdict: *verdict,
            domain: (!domain.is_empty()).then(|| (*domain).to_owned()),
        };
        Evidence {
            checker: "mx".to_owned(),
            findings: list.iter().map(finding).collect(),
        }
    }

    fn weighed(list: &[(Method, Verdict, &str)]) -> &'static str {
        let from = "john@mail.acmefinance.com".parse().unwrap();
        match weigh(&found(list), &from) {
            Authentication::Passed(_) => "passed",
            Authentication::Inconclusive(_) => "inconclusive",
            Authentication::Failed(_) => "failed",
        }
    }

    #[test]
    fn dmarc_decides_where_there_is_a_result() {
        use Method::{Dkim, Dmarc, Spf};
        use Verdict::{Fail, Pass, TempError};
        for (list, expected) in [
            (&[(Dmarc, Pass, "mail.acmefinance.com")][..], "passed"),
            (&[(Dmarc, Pass, "acmefinance.com")], "passed"),
            (&[(Dmarc, Pass, "")], "passed"),
            (&[(Dmarc, Pass, "evil.example")], "failed"),
            (&[(Dmarc, Fail, "acmefinance.com")], "failed"),
            (
                &[
                    (Dkim, Pass, "acmefinance.com"),
                    (Dmarc, Fail, "acmefinance.com"),
                ],
                "failed",
            ),
            (
                &[
                    (Dmarc, Pass, "acmefinance.com"),
                    (Dmarc, Fail, "acmefinance.com"),
                ],
                "failed",
            ),
            (
                &[
                    (Dmarc, Pass, "acmefinance.com"),
                    (Dmarc, Pass, "evil.example"),
                ],
                "failed",
            ),
            (
                &[
                    (Dmarc, TempError, "acmefinance.com"),
                    (Spf, Pass, "acmefinance.com"),
                ],
                "passed",
            ),
        ] {
            assert_eq!(weighed(list), expected, "{list:?}");
        }
    }

    #[test]
    fn without_dmarc_only_what_is_aligned_counts() {
        use Method::{Dkim, Dmarc, Spf};
        use Verdict::{Fail, None, Pass, PermError, SoftFail};
        for (list, expected) in [
            (&[][..], "inconclusive"),
            (&[(Dkim, Pass, "bulk.acmefinance.com")], "passed"),
            (&[(Dkim, Pass, "mailer.example")], "inconclusive"),
            (&[(Dkim, Fail, "acmefinance.com")], "inconclusive"),
            (&[(Spf, Pass, "bounce@acmefinance.com")], "passed"),
            (
                &[(Spf, Pass, "acmefinance.com.evil.example")],
                "inconclusive",
            ),
            (&[(Spf, Pass, "com")], "inconclusive"),
            (&[(Spf, SoftFail, "acmefinance.com")], "inconclusive"),
            (&[(Spf, PermError, "acmefinance.com")], "inconclusive"),
            (&[(Spf, Fail, "acmefinance.com")], "failed"),
            (&[(Spf, Fail, "forwarder.example")], "inconclusive"),
            (
                &[
                    (Spf, Fail, "acmefinance.com"),
                    (Dkim, Pass, "acmefinance.com"),
                ],
                "passed",
            ),
            (
                &[
                    (Dmarc, None, "acmefinance.com"),
                    (Dkim, Pass, "acmefinance.com"),
                ],
                "passed",
            ),
        ] {
            assert_eq!(weighed(list), expected, "{list:?}");
        }
    }
}
