//! Payment card numbers: a known issuer, a length it uses, the usual grouping, and the check digit
//! (ISO/IEC 7812-1).

use super::{
    SecretKind, Span,
    values::{alnum, before},
};

/// How the digits are grouped in writing.
const GROUPINGS: [&[usize]; 5] = [
    &[4, 4, 4, 4, 3],
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[4, 4, 4, 1],
];

pub(super) fn number(text: &[u8], at: usize, _: usize) -> Option<Span> {
    if !begins(text, at) {
        return None;
    }
    let first = digits(text, at);
    let end = match first {
        13..=19 => at + first,
        4 => GROUPINGS
            .iter()
            .find_map(|grouping| grouped(text, at, grouping))?,
        _ => return None,
    };
    let number: Vec<u8> = text[at..end]
        .iter()
        .filter(|b| b.is_ascii_digit())
        .map(|b| b - b'0')
        .collect();
    let is_card = ends(text, end) && is_issued(&number) && passes_luhn(&number);
    is_card.then_some(Span {
        kind: SecretKind::CardNumber,
        start: at,
        end,
    })
}

fn digits(text: &[u8], at: usize) -> usize {
    text[at..]
        .iter()
        .take(20)
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

/// Not inside a word, a decimal, an identifier with hyphens, a bank account or a longer number.
fn begins(text: &[u8], at: usize) -> bool {
    match before(text, at) {
        Some(byte) if alnum(byte) || matches!(byte, b'_' | b'.' | b'/' | b'+') => false,
        Some(b'-') => !before(text, at - 1).is_some_and(alnum),
        Some(b' ') => {
            let earlier = &text[at.saturating_sub(16)..at - 1];
            let mut words = earlier.rsplit(|byte| *byte == b' ');
            let last = words.next().unwrap_or_default();
            let is_four_digits = last.len() == 4 && last.iter().all(u8::is_ascii_digit);
            !is_four_digits
                && !is_iban_head(last)
                && !words
                    .next()
                    .is_some_and(|word| last.len() == 4 && is_iban_head(word))
        }
        _ => true,
    }
}

/// Country and check digits: `DE89`.
fn is_iban_head(word: &[u8]) -> bool {
    matches!(word, [a, b, c, d] if a.is_ascii_uppercase() && b.is_ascii_uppercase()
        && c.is_ascii_digit() && d.is_ascii_digit())
}

fn ends(text: &[u8], end: usize) -> bool {
    match text.get(end..) {
        Some([byte, ..]) if alnum(*byte) || *byte == b'_' => false,
        Some([b'-', next, ..]) => !alnum(*next),
        Some([b'.', next, ..]) => !next.is_ascii_digit(),
        // Another group of four: a longer number.
        Some([b' ', rest @ ..]) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            digits != 4 || rest.get(4).is_some_and(|byte| *byte == b'/')
        }
        _ => true,
    }
}

fn grouped(text: &[u8], at: usize, grouping: &[usize]) -> Option<usize> {
    let separator = *text.get(at + 4)?;
    if !matches!(separator, b' ' | b'-') {
        return None;
    }
    let mut end = at;
    for (index, group) in grouping.iter().enumerate() {
        if index > 0 {
            if text.get(end) != Some(&separator) {
                return None;
            }
            end += 1;
        }
        if digits(text, end) != *group {
            return None;
        }
        end += group;
    }
    Some(end)
}

/// Issuer ranges of the large networks, with the lengths that they issue.
fn is_issued(number: &[u8]) -> bool {
    let prefix = |digits: usize| {
        number
            .iter()
            .take(digits)
            .fold(0_u32, |value, digit| value * 10 + u32::from(*digit))
    };
    match number.len() {
        13 => prefix(1) == 4,
        14 => matches!(prefix(3), 300..=305) || matches!(prefix(2), 36 | 38 | 39),
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            prefix(1) == 4
                || matches!(prefix(2), 51..=55 | 62 | 65)
                || matches!(prefix(3), 644..=649)
                || matches!(
                    prefix(4),
                    2200..=2204 | 2221..=2720 | 3528..=3589 | 5018 | 5020 | 5038 | 5893 | 6011
                        | 6304 | 6759 | 6761..=6763
                )
        }
        19 => prefix(1) == 4 || matches!(prefix(2), 62 | 65) || matches!(prefix(4), 6304 | 6759),
        _ => false,
    }
}

fn passes_luhn(number: &[u8]) -> bool {
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, u32::from(*digit) * 2) {
            (0, double) => double / 2,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}
