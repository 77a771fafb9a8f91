//! Values that a word in front of them calls secret: `password: …`, `api_key=…`.

use super::{
    SecretKind, Span, kind, tokens,
    values::{DECISION, Make, alnum, before, dashed, hex, is_blank, is_uuid, run_end, skip_blanks},
};

/// What stands between the word and the value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Equals,
    Colon,
    Is,
}

struct Assignment {
    link: Link,
    start: usize,
    quote: Option<u8>,
    is_on_next_line: bool,
}

/// `password`, `Passwort`, `DB_PASSWORD`, `"password"`, `**Password:**`
pub(super) fn password(text: &[u8], _: usize, after: usize) -> Option<Span> {
    let assignment = assignment(text, after)?;
    let value = &text[assignment.start..decision_end(text, &assignment)];
    if !is_password(text, &assignment, value) {
        return None;
    }
    let end = value_end(text, &assignment, usize::MAX);
    Some(Span {
        kind: SecretKind::Password,
        start: assignment.start,
        end,
    })
}

/// `pass: …`, a word of its own; passes of other kinds are not secret, so the value must look it.
pub(super) fn short_password(text: &[u8], at: usize, after: usize) -> Option<Span> {
    if before(text, at).is_some_and(alnum) {
        return None;
    }
    let assignment = assignment(text, after)?;
    let value = &text[assignment.start..decision_end(text, &assignment)];
    if assignment.link == Link::Is || !looks_strong(value) || value.len() < 6 {
        return None;
    }
    password(text, at, after)
}

/// `token`, `secret`
pub(super) fn token(text: &[u8], at: usize, after: usize) -> Option<Span> {
    // In an ARN the word is a type: arn:aws:secretsmanager:…:secret:name.
    if before(text, at) == Some(b':') {
        return None;
    }
    let is_session = ends_with(text, at, b"session");
    assigned_token(
        text,
        after,
        if is_session {
            Named::Session
        } else {
            Named::Other
        },
    )
}

/// Whose key is a secret.
const OWNERS: [&[u8]; 10] = [
    b"api",
    b"access",
    b"secret",
    b"auth",
    b"signing",
    b"encryption",
    b"private",
    b"shared",
    b"subscription",
    b"license",
];

/// `api key`, `AccountKey`, `secret_access_key`: a key alone is too common a word.
pub(super) fn key(text: &[u8], at: usize, after: usize) -> Option<Span> {
    let at = match before(text, at) {
        Some(b'_' | b'-' | b' ') => at - 1,
        _ => at,
    };
    if ends_with(text, at, b"account") {
        return assigned_token(text, after, Named::Account);
    }
    if !OWNERS.iter().any(|owner| ends_with(text, at, owner)) {
        return None;
    }
    assigned_token(text, after, Named::Other)
}

fn ends_with(text: &[u8], at: usize, word: &[u8]) -> bool {
    let end = if matches!(before(text, at), Some(b'_' | b'-' | b' ')) {
        at - 1
    } else {
        at
    };
    [at, end].into_iter().any(|end| {
        let start = end.checked_sub(word.len());
        start.is_some_and(|start| text[start..end].eq_ignore_ascii_case(word))
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Account,
    Session,
    Other,
}

fn assigned_token(text: &[u8], after: usize, named: Named) -> Option<Span> {
    let assignment = assignment(text, after)?;
    let class = |byte: u8| dashed(byte) || matches!(byte, b'.' | b'/' | b'+' | b'=' | b'~' | b'%');
    let decided = run_end(text, assignment.start, DECISION, class);
    let value = &text[assignment.start..decided];
    if !is_random(value)
        || text
            .get(decided)
            .is_some_and(|b| matches!(b, b'(' | b':' | b'@'))
    {
        return None;
    }
    let kind = match named {
        Named::Account if value.len() >= 40 => SecretKind::AzureStorageKey,
        Named::Session if value.len() >= 80 => SecretKind::AwsSessionToken,
        _ if tokens::is_aws_secret_key(value) => SecretKind::AwsSecretKey,
        _ => SecretKind::ApiToken,
    };
    // A value that says itself what it is keeps that name.
    if super::leads::has_shape(text, assignment.start) {
        return None;
    }
    let end = run_end(text, decided, usize::MAX, class);
    let end = if text[end - 1] == b'.' { end - 1 } else { end };
    Some(Span {
        kind,
        start: assignment.start,
        end,
    })
}

/// The way from the word to the value.
fn assignment(text: &[u8], after: usize) -> Option<Assignment> {
    let mut at = after;
    for _ in 0..4 {
        match text.get(at) {
            Some(b'"' | b'\'' | b'`' | b'*' | b'_' | b']' | b'\\') => at += 1,
            _ => break,
        }
    }
    let word_end = at;
    at = skip_blanks(text, at);
    if text.get(at) == Some(&b'(') {
        let note = text[at..]
            .iter()
            .take(48)
            .position(|b| matches!(b, b')' | b'\n'))?;
        at = skip_blanks(text, at + note + 1);
    }
    let (link, mut at) = link(text, at, at > word_end)?;
    let mut is_on_next_line = false;
    at = skip_opening(text, at);
    if link == Link::Colon && matches!(text.get(at), Some(b'\r' | b'\n')) {
        is_on_next_line = true;
        let gap = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
        let skipped = text[at..]
            .iter()
            .take(16)
            .take_while(|byte| gap(byte))
            .count();
        at = skip_opening(text, at + skipped);
    }
    let quote = text
        .get(at)
        .copied()
        .filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let start = at + usize::from(quote.is_some());
    (start < text.len()).then_some(Assignment {
        link,
        start,
        quote,
        is_on_next_line,
    })
}

fn link(text: &[u8], at: usize, is_apart: bool) -> Option<(Link, usize)> {
    match text.get(at..)? {
        [b':', b':', ..] | [b':', b'/', b'/', ..] => None,
        [b':', b'=', ..] | [b'=', b'>' | b'=', ..] => Some((Link::Equals, at + 2)),
        [b':', ..] => Some((Link::Colon, at + 1)),
        // The full-width colon of Japanese and Chinese.
        [0xEF, 0xBC, 0x9A, ..] => Some((Link::Colon, at + 3)),
        [b'=', ..] => Some((Link::Equals, at + 1)),
        rest if is_apart => {
            let words: [&[u8]; 5] = [b"is", b"ist", b"lautet", b"est", b"es"];
            let length = words.iter().filter(|word| {
                rest.len() > word.len()
                    && rest[..word.len()].eq_ignore_ascii_case(word)
                    && matches!(rest[word.len()], b' ' | b'\t' | b':')
            });
            let length = length.map(|word| word.len()).next()?;
            let colon = usize::from(rest[length] == b':');
            Some((
                if colon == 1 { Link::Colon } else { Link::Is },
                at + length + colon,
            ))
        }
        _ => None,
    }
}

/// Blanks and the marks of bold or code, but not a row of stars, which is a value blotted out.
fn skip_opening(text: &[u8], at: usize) -> usize {
    let at = skip_blanks(text, at);
    let marks = text[at..]
        .iter()
        .take(3)
        .take_while(|b| matches!(b, b'*' | b'\\'))
        .count();
    if marks == 3 {
        at
    } else {
        skip_blanks(text, at + marks)
    }
}

fn decision_end(text: &[u8], assignment: &Assignment) -> usize {
    value_end(text, assignment, DECISION)
}

/// A value ends before a replacement: what was masked is not looked at again.
fn value_end(text: &[u8], assignment: &Assignment, most: usize) -> usize {
    let start = assignment.start;
    let last = start.saturating_add(most).min(text.len());
    let is_masked = |at: usize| text[at] == b'[' && kind::replacement_length(&text[at..]).is_some();
    if let Some(quote) = assignment.quote {
        let end = (start..last)
            .find(|at| matches!(text[*at], b'\n') || text[*at] == quote || is_masked(*at));
        if let Some(end) = end.filter(|end| text[*end] == quote) {
            let is_escaped = before(text, end) == Some(b'\\') && end > start;
            return if is_escaped { end - 1 } else { end };
        }
    }
    let is_end = |at: usize| {
        is_blank(text, at)
            || is_masked(at)
            || (assignment.link == Link::Equals && matches!(text[at], b'&' | b';'))
    };
    (start..last).find(|at| is_end(*at)).unwrap_or(last)
}

/// Words that stand where a password would.
const STOCK: [&str; 34] = [
    "none",
    "null",
    "nil",
    "undefined",
    "true",
    "false",
    "yes",
    "no",
    "n/a",
    "tbd",
    "required",
    "optional",
    "reset",
    "changed",
    "expired",
    "incorrect",
    "invalid",
    "wrong",
    "unknown",
    "missing",
    "redacted",
    "hidden",
    "string",
    "empty",
    "blank",
    "same",
    "unchanged",
    "disabled",
    "enabled",
    "forgotten",
    "policy",
    "see",
    "text",
    "varchar",
];

/// Names of what keeps or replaces a password.
const TECHNICAL: [&str; 15] = [
    "&str",
    "sha1",
    "sha-",
    "sha2",
    "sha5",
    "md5",
    "bcrypt",
    "argon2",
    "scrypt",
    "pbkdf2",
    "aes",
    "http://",
    "https://",
    "os.environ",
    "process.env",
];

fn is_password(text: &[u8], assignment: &Assignment, value: &[u8]) -> bool {
    let starts = |prefix: &str| {
        value
            .get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    let plain = value.trim_suffix_marks();
    let unbracketed = plain
        .strip_prefix(b"(")
        .or(plain.strip_prefix(b"["))
        .unwrap_or(plain);
    if plain.len() < 4
        || matches!(
            value,
            [b'<', .., b'>'] | [b'$' | b'%', b'{' | b'(', ..] | [b'{', b'{', ..]
        )
        || starts("[masked:")
        || starts("//")
        || Make::of(plain).distinct < 2
        || value.ends_with(b"()")
        || TECHNICAL.iter().any(|name| starts(name))
        || STOCK
            .iter()
            .any(|word| unbracketed.eq_ignore_ascii_case(word.as_bytes()))
    {
        return false;
    }
    if looks_strong(plain) {
        return true;
    }
    let closing = text.get(assignment.start + value.len());
    let is_quoted = assignment
        .quote
        .is_some_and(|quote| closing == Some(&quote));
    if is_quoted && !value.contains(&b' ') {
        return assignment.link != Link::Is;
    }
    // A plain word: a password when nothing follows it, the begin of a sentence otherwise.
    let end = assignment.start + value.len();
    let rest = skip_blanks(text, end);
    let is_last = matches!(text.get(rest), None | Some(b'\r' | b'\n' | b'&' | b';'));
    let is_tight = assignment.link == Link::Equals;
    (is_last || is_tight) && assignment.link != Link::Is && !assignment.is_on_next_line
}

trait Plain {
    fn trim_suffix_marks(&self) -> &[u8];
}

impl Plain for [u8] {
    /// Without the punctuation of a sentence at its end.
    fn trim_suffix_marks(&self) -> &[u8] {
        let length = self
            .iter()
            .rposition(|b| !b".,;:!?)]}*\"'`".contains(b))
            .map_or(0, |at| at + 1);
        &self[..length]
    }
}

/// Letters with digits or with signs that words do not have, or digits enough for nothing else.
fn looks_strong(value: &[u8]) -> bool {
    let plain = value.trim_suffix_marks();
    let make = Make::of(plain);
    let signs = plain
        .iter()
        .filter(|b| b.is_ascii_punctuation() && !b"-'/_.,;:()\"[]<>{}|\\*`".contains(b))
        .count();
    let is_mixed = make.letters() > 0 && (make.digits > 0 || signs > 0);
    is_mixed || (make.digits >= 6 && make.other == 0)
}

/// Long, and no word, name, path, address, identifier or date.
fn is_random(value: &[u8]) -> bool {
    let make = Make::of(value);
    if value.len() < 16 || make.digits == 0 || make.letters() == 0 || make.distinct < 8 {
        return false;
    }
    if matches!(value[0], b'/' | b'.' | b'~' | b'%') || value.starts_with(b"arn:") || is_uuid(value)
    {
        return false;
    }
    let is_hex = value.iter().all(|byte| hex(*byte));
    // The parts of a name or a path are words and small numbers; a random text has a long part.
    let longest = value
        .split(|b| matches!(b, b'.' | b'/' | b'-' | b'_'))
        .max_by_key(|p| p.len());
    let longest = Make::of(longest.unwrap_or_default());
    let longest_length = longest.letters() + longest.digits + longest.other;
    is_hex
        || (longest.digits >= 1 && longest.letters() >= 1 && longest_length >= 12)
        || (make.upper >= 3 && make.lower >= 3 && make.digits >= 3)
}
