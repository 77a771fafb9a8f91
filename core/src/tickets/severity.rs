//! How bad is it, by what the sender wrote: a marker in the subject, else the importance header,
//! else the catalogue's default.

use crate::{mail::Importance, tiers::Severity};

/// The severity a mail claims, with the reason; `None` leaves the default.
pub fn claimed(subject: &str, importance: Importance) -> Option<(Severity, String)> {
    if let Some((severity, marker)) = marker(subject) {
        return Some((severity, format!("the subject says {marker}")));
    }
    match importance {
        Importance::High => Some((Severity::Sev2, "marked as of high importance".to_owned())),
        Importance::Low => Some((Severity::Sev4, "marked as of low importance".to_owned())),
        Importance::Normal => None,
    }
}

/// The severity that a marker in the subject says, with the marker: what somebody wrote on purpose, which
/// a program's importance header is not.
pub fn marked(subject: &str) -> Option<(Severity, String)> {
    marker(subject)
}

/// A marker stands by itself: `[SEV1]`, `sev-2:`, `(Sev 3)`, `[urgent]`. A word inside a sentence
/// ("several", "this is urgent") is none, or every second mail would be one.
fn marker(subject: &str) -> Option<(Severity, String)> {
    let lower = subject.to_lowercase();
    for (word, severity) in [("[urgent]", Severity::Sev2), ("urgent:", Severity::Sev2)] {
        if lower.contains("[urgent]") && word == "[urgent]" || starts_after_reply(&lower, word) {
            return Some((severity, word.trim_end_matches(':').to_owned()));
        }
    }
    let mut from = 0;
    while let Some(found) = lower[from..].find("sev") {
        let at = from + found;
        from = at + 3;
        let is_word = lower[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric());
        let rest = lower[from..]
            .strip_prefix("erity")
            .unwrap_or(&lower[from..]);
        let rest = rest.trim_start_matches([' ', '-', ':', '_']);
        let mut digits = rest.chars();
        let severity = match digits.next() {
            Some('1') => Severity::Sev1,
            Some('2') => Severity::Sev2,
            Some('3') => Severity::Sev3,
            Some('4') => Severity::Sev4,
            _ => continue,
        };
        if is_word && digits.next().is_none_or(|c| !c.is_alphanumeric()) {
            return Some((severity, severity.to_string()));
        }
    }
    None
}

fn starts_after_reply(lower: &str, word: &str) -> bool {
    let mut rest = lower.trim_start();
    while let Some(after) = ["re:", "aw:", "fwd:", "fw:"]
        .iter()
        .find_map(|prefix| rest.strip_prefix(prefix))
    {
        rest = after.trim_start();
    }
    rest.starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(subject: &str) -> Option<Severity> {
        claimed(subject, Importance::Normal).map(|(severity, _)| severity)
    }

    #[test]
    fn markers() {
        for subject in [
            "[SEV1] down",
            "down (sev-1)",
            "Re: SEV 1: down",
            "Severity 1 - down",
        ] {
            assert_eq!(of(subject), Some(Severity::Sev1), "{subject}");
        }
        assert_eq!(of("[URGENT] login"), Some(Severity::Sev2));
        assert_eq!(of("Re: urgent: login"), Some(Severity::Sev2));
        assert_eq!(of("[sev4] typo"), Some(Severity::Sev4));
    }

    #[test]
    fn words_are_no_markers() {
        for subject in [
            "several 1 things",
            "7sev1",
            "sev10",
            "seven1",
            "sev 5",
            "not urgent",
            "",
            "İsev1x",
        ] {
            assert_eq!(of(subject), None, "{subject}");
        }
    }

    #[test]
    fn the_subject_outranks_the_header() {
        let both = claimed("[sev4] typo", Importance::High).map(|(severity, _)| severity);
        assert_eq!(both, Some(Severity::Sev4));
        let header = claimed("typo", Importance::High).map(|(severity, _)| severity);
        assert_eq!(header, Some(Severity::Sev2));
    }
}
