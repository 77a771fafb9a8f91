//! Tokens whose shape takes more than a prefix to recognise.

use super::{
    SecretKind, Span,
    values::{
        DECISION, Make, alnum, base64, before, dashed, hex, is_blank, is_varied, run_end,
        skip_blanks,
    },
};

/// `eyJ….….…`: header, claims, signature; an encrypted one has five parts. RFC 7519, RFC 7516.
pub(super) fn json_web_token(text: &[u8], at: usize, _: usize) -> Option<Span> {
    if before(text, at).is_some_and(dashed) {
        return None;
    }
    let header = run_end(text, at, usize::MAX, dashed);
    if header - at < 10 || text.get(header) != Some(&b'.') {
        return None;
    }
    let mut end = run_end(text, header + 1, usize::MAX, dashed);
    if end - header < 10 {
        return None;
    }
    for _ in 0..3 {
        if text.get(end) != Some(&b'.') {
            break;
        }
        let next = run_end(text, end + 1, usize::MAX, dashed);
        if next == end + 1 {
            break;
        }
        end = next;
    }
    Some(Span {
        kind: SecretKind::JsonWebToken,
        start: at,
        end,
    })
}

/// `SG.` and two parts of 22 and 43 characters, with some room.
pub(super) fn send_grid(text: &[u8], at: usize, after: usize) -> Option<Span> {
    if before(text, at).is_some_and(dashed) {
        return None;
    }
    let id = run_end(text, after, 40, dashed);
    if id - after < 16 || text.get(id) != Some(&b'.') {
        return None;
    }
    let end = run_end(text, id + 1, 80, dashed);
    (end - id > 20).then_some(Span {
        kind: SecretKind::SendGridKey,
        start: at,
        end,
    })
}

/// Found at its first dot: 23 to 28 characters before, 6 and 27 or more after it. The first part
/// is a decimal id in base64, so it begins with M, N or O.
pub(super) fn discord_bot(text: &[u8], dot: usize, _: usize) -> Option<Span> {
    let second = run_end(text, dot + 1, 8, dashed);
    if second - dot != 7 || text.get(second) != Some(&b'.') {
        return None;
    }
    let id = text[dot.saturating_sub(32)..dot]
        .iter()
        .rev()
        .take_while(|b| dashed(**b))
        .count();
    let start = dot - id;
    if !(23..=28).contains(&id) || !matches!(text[start], b'M' | b'N' | b'O') {
        return None;
    }
    let end = run_end(text, second + 1, 64, dashed);
    (end - second > 27).then_some(Span {
        kind: SecretKind::DiscordToken,
        start,
        end,
    })
}

/// 40 characters of base64, upper and lower case and digits among them, so no hash and no word.
/// Asked only near a word that speaks of a secret.
pub(super) fn aws_secret_key(text: &[u8], at: usize) -> Option<Span> {
    let class = |byte: u8| alnum(byte) || matches!(byte, b'+' | b'/');
    if !class(text[at]) || before(text, at).is_some_and(class) {
        return None;
    }
    let end = run_end(text, at, 41, class);
    if !is_aws_secret_key(&text[at..end]) || text.get(end).is_some_and(|b| dashed(*b) || *b == b'=')
    {
        return None;
    }
    Some(Span {
        kind: SecretKind::AwsSecretKey,
        start: at,
        end,
    })
}

pub(super) fn is_aws_secret_key(value: &[u8]) -> bool {
    let make = Make::of(value);
    value.len() == 40
        && value
            .iter()
            .all(|byte| alnum(*byte) || matches!(byte, b'+' | b'/'))
        && make.upper >= 3
        && make.lower >= 3
        && make.digits >= 1
        && make.distinct >= 16
        && !value.iter().all(|byte| hex(*byte))
}

/// `://user:password@`. A password with a raw slash in it counts, a port does not.
pub(super) fn url_password(text: &[u8], _: usize, after: usize) -> Option<Span> {
    let last = (after + DECISION).min(text.len());
    // Most addresses name nobody, and this is answered many bytes at a time.
    if !text.get(after..last)?.contains(&b'@') {
        return None;
    }
    let is_end = |at: usize| {
        is_blank(text, at) || matches!(text[at], b'"' | b'\'' | b'<' | b'>' | b'`' | b'[')
    };
    let stop = (after..last).find(|at| is_end(*at) || matches!(text[*at], b':' | b'/' | b'@'))?;
    if text[stop] != b':' {
        return None;
    }
    let start = stop + 1;
    let digits = text[start..last]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let behind = start + digits;
    if behind >= last || is_end(behind) || matches!(text[behind], b'/' | b'?' | b'#') {
        return None;
    }
    let slash = (start..last)
        .find(|at| is_end(*at) || text[*at] == b'/')
        .unwrap_or(last);
    let at = text[start..slash]
        .iter()
        .rposition(|byte| *byte == b'@')
        .or_else(|| {
            let is_decided = |at: &usize| is_end(*at) || text[*at] == b'@';
            let found = (slash..last).find(is_decided)?;
            (text[found] == b'@').then(|| found - start)
        })?;
    let password = &text[start..start + at];
    if password.is_empty() || password.starts_with(b"$") || password.starts_with(b"***") {
        return None;
    }
    Some(Span {
        kind: SecretKind::UrlPassword,
        start,
        end: start + at,
    })
}

/// RFC 6750.
pub(super) fn bearer(text: &[u8], at: usize, after: usize) -> Option<Span> {
    if before(text, at).is_some_and(alnum) {
        return None;
    }
    let class = |byte: u8| dashed(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'=');
    let start = skip_blanks(text, after);
    let decided = run_end(text, start, 64, class);
    let make = Make::of(&text[start..decided]);
    if start == after || decided - start < 16 || make.digits == 0 || make.letters() == 0 {
        return None;
    }
    if !is_varied(&text[start..decided]) {
        return None;
    }
    // A shape of its own says more than `bearer`.
    if text[start..].starts_with(b"eyJ") && json_web_token(text, start, start).is_some() {
        return None;
    }
    let end = run_end(text, decided, usize::MAX, class);
    Some(Span {
        kind: SecretKind::BearerToken,
        start,
        end,
    })
}

/// RFC 7617: base64 of `user:password`, after `Authorization:`.
pub(super) fn basic(text: &[u8], at: usize, after: usize) -> Option<Span> {
    const HEADER: &[u8] = b"authorization";
    let earlier = text[at.saturating_sub(24)..at].to_ascii_lowercase();
    if !earlier.windows(HEADER.len()).any(|window| window == HEADER) {
        return None;
    }
    let start = skip_blanks(text, after);
    let end = run_end(text, start, DECISION, base64);
    let value: Vec<u8> = text[start..end]
        .iter()
        .copied()
        .filter(|byte| *byte != b'=')
        .collect();
    let decoded = data_encoding::BASE64_NOPAD.decode(&value).ok()?;
    let is_pair = start > after && decoded.contains(&b':');
    is_pair.then_some(Span {
        kind: SecretKind::BasicCredentials,
        start,
        end,
    })
}
