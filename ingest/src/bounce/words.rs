//! A bounce without a report, from what a mail server wrote for people.
//!
//! Servers have each their words, so this goes by what they have in common: addresses that stand
//! alone in a line or behind words for delivering, a code, a promise to go on trying or none, and a
//! line over the copy of what came back.

use tierdesk_core::mail::{Bounce, Mail};

use super::{RECIPIENTS, trimmed};
use crate::{
    classify::{is_delay, is_failure},
    fields::{Field, Fields},
};

/// So much of a text, and of the copy in it, is looked at.
const TEXT_BYTES: usize = 64 * 1024;

/// The server goes on trying.
const TRYING: [&str; 19] = [
    "still trying",
    "keep trying",
    "will retry",
    "will be retried",
    "continue to try",
    "continue trying",
    "try again for",
    "will be attempted",
    "attempts will continue",
    "attempts to deliver the message will continue",
    "warning message only",
    "need to resend",
    "not yet been delivered",
    "not been delivered yet",
    "not be delivered yet",
    "has been delayed",
    "is delayed",
    "has not yet been",
    "noch nicht zugestellt",
];

/// It does not, whatever else it says.
const GAVE_UP: [&str; 8] = [
    "giving up",
    "given up",
    "gave up",
    "permanent error",
    "permanent fatal",
    "permanent failure",
    "retry timeout exceeded",
    "message expired",
];

/// Adds what the words say to what is known.
pub(super) fn read(fields: &Fields<'_>, mail: &Mail, bounce: &mut Bounce) {
    let text = &mail.text[..mail.text.floor_char_boundary(TEXT_BYTES)];
    let copy = returned(text);
    let words = copy.map_or(text, |at| &text[..at]);
    let ours = |address: &str| {
        let is =
            |mailbox: &tierdesk_core::mail::Mailbox| mailbox.address.eq_ignore_ascii_case(address);
        mail.to.iter().any(is) || mail.from.iter().any(is)
    };
    let listed = fields.all("X-Failed-Recipients").map(Field::text);
    let listed: Vec<String> = listed
        .flat_map(|text| {
            let list = text.split([',', ' ']).map(str::to_owned);
            list.filter(|one| is_address(one)).collect::<Vec<_>>()
        })
        .collect();
    let told = words.lines().flat_map(addresses_of);
    for address in listed.into_iter().chain(told) {
        let is_new = !bounce
            .recipients
            .iter()
            .any(|one| one.eq_ignore_ascii_case(&address));
        if is_new && !ours(&address) && bounce.recipients.len() < RECIPIENTS {
            bounce.recipients.push(address);
        }
    }
    bounce.is_permanent |= is_permanent(&mail.subject, words);
    if bounce.words.is_none() {
        let mut lines = words.lines().map(str::trim);
        let said = lines.find(|line| has_code_of(line, b'5'));
        bounce.words = said.map(str::to_owned);
    }
    if bounce.original_id.is_none() {
        let in_copy = copy.and_then(|at| {
            let start = text[at..].find('\n').map_or(text.len(), |line| at + line);
            // Some have blanks before every line of the copy, which would make it one long field.
            let copy: Vec<&str> = text[start..].lines().map(str::trim_end).collect();
            let copy = copy.join("\n");
            let (fields, _) = Fields::split(trimmed(copy.as_bytes()));
            fields.ids("Message-ID").0.into_iter().next()
        });
        // What a server answers is what it could not deliver.
        let answered = || mail.in_reply_to.clone();
        bounce.original_id = in_copy
            .or_else(answered)
            .or_else(|| mail.references.last().cloned());
    }
}

fn is_permanent(subject: &str, words: &str) -> bool {
    let lower = words.to_lowercase();
    let says = |list: &[&str]| list.iter().any(|phrase| lower.contains(phrase));
    let subject = subject.to_lowercase();
    if says(&GAVE_UP) {
        return true;
    }
    if is_delay(&subject) || says(&TRYING) {
        return false;
    }
    has_code_of(words, b'5') || is_failure(&subject)
}

/// Where the copy of what came back begins: a line that announces it, or its first header.
pub(crate) fn returned(text: &str) -> Option<usize> {
    const ANNOUNCED: [&str; 10] = [
        "copy of the message",
        "copy of your message",
        "original message",
        "header of the original",
        "message follows",
        "message header",
        "returned message",
        "undelivered message",
        "message headers follow",
        "first part of the message",
    ];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let shown = line.trim();
        let is_ruled = shown.starts_with("--") || shown.starts_with("==") || shown.ends_with(':');
        let is_short = shown.len() <= 120;
        let lower = shown.to_ascii_lowercase();
        if is_ruled && is_short && ANNOUNCED.iter().any(|words| lower.contains(words)) {
            return Some(at);
        }
        if at > 0 && (lower.starts_with("return-path: <") || lower.starts_with("received: from ")) {
            // The line itself belongs to the copy.
            return Some(at - 1);
        }
        at += line.len();
    }
    None
}

/// Some code of a failure stands in the text: `5.1.1`, `550`.
pub(crate) fn has_code(text: &str) -> bool {
    has_code_of(text, b'5') || has_code_of(text, b'4')
}

/// An enhanced status code of this class (RFC 3463), or a reply code (RFC 5321) with what is behind one.
fn has_code_of(text: &str, class: u8) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(class, bytes).any(|at| {
        let is_inside = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'.');
        let rest = &bytes[at + 1..];
        !is_inside && (is_enhanced(rest) || is_reply(rest))
    })
}

/// `.1.1`
fn is_enhanced(rest: &[u8]) -> bool {
    let number = |rest: &[u8]| {
        let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit());
        Some(digits.count()).filter(|digits| (1..4).contains(digits))
    };
    let Some(rest) = rest.strip_prefix(b".") else {
        return false;
    };
    let Some(subject) = number(rest) else {
        return false;
    };
    let Some(rest) = rest[subject..].strip_prefix(b".") else {
        return false;
    };
    let Some(detail) = number(rest) else {
        return false;
    };
    !matches!(rest[detail..], [b'.', next, ..] if next.is_ascii_digit())
}

/// `50 ` and `50-`, and a word or an enhanced code behind: `550 mails` has the same shape, but who would
/// have opened like a mail server.
fn is_reply(rest: &[u8]) -> bool {
    matches!(rest, [b'0'..=b'5', second, b' ' | b'-' | b'#', ..] if second.is_ascii_digit())
}

/// The addresses that a line says were not reached.
fn addresses_of(line: &str) -> Vec<String> {
    const LEADS: [&str; 13] = [
        "rcpt to:",
        "message to ",
        "delivered to ",
        "deliver to ",
        "delivery to ",
        "delivering to ",
        "reach ",
        "recipient: ",
        "recipient address: ",
        "final-recipient: rfc822;",
        "user unknown: ",
        "unknown user: ",
        "couldn't be delivered to ",
    ];
    let line = line.trim();
    // Alone in its line, or first in it with brackets and the reason behind.
    let first = line.split_whitespace().next().unwrap_or_default();
    let bare = first.trim_end_matches([':', ',', ';', '.']);
    let bracketed = first
        .strip_prefix('<')
        .and_then(|rest| rest.split('>').next());
    if let Some(address) = bracketed.filter(|address| is_address(address)) {
        return vec![address.to_owned()];
    }
    let is_alone = line.len() == first.len()
        || first.ends_with(':')
        || line[first.len()..].starts_with(" on ");
    let unwrapped = bare.strip_prefix("mailto:").unwrap_or(bare);
    if is_alone && is_address(unwrapped) {
        return vec![unwrapped.to_owned()];
    }
    // `Ann (ann@x.example)`, as Exchange lists them.
    let named = line
        .strip_suffix(')')
        .and_then(|line| line.rsplit_once('('));
    if let Some((name, address)) = named
        && name.len() < 80
        && is_address(address)
    {
        return vec![address.to_owned()];
    }
    let lower = line.to_ascii_lowercase();
    let behind = |lead: &&str| {
        let at = lower.find(*lead)? + lead.len();
        let word = line[at..].split_whitespace().next()?;
        let word = word.trim_matches(['<', '>', ',', '.', ';', ':', '"', '\'', '(', ')']);
        is_address(word).then(|| word.to_owned())
    };
    LEADS.iter().find_map(behind).into_iter().collect()
}

fn is_address(text: &str) -> bool {
    let is_plain = |char: char| !char.is_whitespace() && !"<>()[],;:\"\\".contains(char);
    match text.rsplit_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && text.len() <= 254
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && text.chars().all(is_plain)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tierdesk_core::mail::Envelope;

    use super::*;

    proptest! {
        #[test]
        fn any_text_of_a_server_is_read(
            lines in proptest::collection::vec("(<?[a-zä@.]{0,9}>?:?| |--|copy of the message|Received: from |5[.0-9]{1,6}|RCPT TO:){0,5}", 0..90),
        ) {
            let raw = format!(
                "From: MAILER-DAEMON@x.example\nSubject: failure notice\nContent-Type: text/plain; charset=utf-8\n\n{}",
                lines.join("\n")
            );
            let bounce = crate::parse::parse(raw.as_bytes(), &Envelope::default()).bounce;
            let bounce = bounce.unwrap_or_default();
            prop_assert!(bounce.is_permanent && bounce.recipients.len() <= RECIPIENTS);
            prop_assert!(bounce.recipients.iter().all(|one| is_address(one)));
        }
    }

    #[test]
    fn codes_and_what_only_looks_like_one() {
        for text in [
            "550 no",
            "x (550-5.1.1 no)",
            "said: 5.7.1",
            "status=5.0.0,",
            "452 full",
            "4.4.1",
        ] {
            assert!(has_code(text), "{text}");
        }
        for text in [
            "1550 mails",
            "version 2.5.1.1",
            "5.1.1.7",
            "10.5.1.1",
            "5.1",
            "555",
            "5.10000.1",
        ] {
            assert!(!has_code(text), "{text}");
        }
    }

    #[test]
    fn addresses_in_the_lines_of_servers() {
        for (line, address) in [
            ("<a@x.example>:", "a@x.example"),
            ("  a@x.example", "a@x.example"),
            ("a@x.example: host mx said: 550", "a@x.example"),
            ("<a@x.example>... User unknown", "a@x.example"),
            (
                "Your message to a@x.example couldn't be delivered.",
                "a@x.example",
            ),
            ("Ann B (a@x.example)", "a@x.example"),
            (">>> RCPT To:<a@x.example>", "a@x.example"),
        ] {
            assert_eq!(addresses_of(line), [address], "{line}");
        }
        for line in [
            "",
            "write to help@x.example if",
            "@x.example",
            "a@localhost",
            "see a@x.example and b",
        ] {
            assert!(addresses_of(line).is_empty(), "{line}");
        }
    }
}
