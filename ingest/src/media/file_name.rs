//! File names that are written as RFC 2231 has it, and in the ways in which programs get it wrong.
//!
//! The library decodes each piece for itself and believes its charset. Here the bytes of all pieces
//! are put together first, since many senders cut a character in two, and labels are doubted as
//! everywhere.

use crate::{
    decoding,
    fields::{Field, clean},
    limits,
};

/// One parameter whose name has an asterisk: `filename*`, `filename*1`, `filename*1*`.
struct Piece {
    number: u32,
    is_encoded: bool,
    value: Vec<u8>,
}

/// The parameter of this name, where it is written with asterisks; other ones are the library's.
pub(super) fn extended(field: &Field<'_>, name: &str) -> Option<String> {
    let value = field.for_library(limits::PARAMETER_BYTES);
    let (mut whole, mut pieces) = (None, Vec::new());
    for parameter in parameters(&value).take(limits::PARAMETERS) {
        let Some((key, value)) = split_once(parameter, b'=') else {
            continue;
        };
        let key = key.trim_ascii();
        let Some((start, rest)) = key.split_at_checked(name.len()) else {
            continue;
        };
        let Some(rest) = rest.strip_prefix(b"*") else {
            continue;
        };
        if !start.eq_ignore_ascii_case(name.as_bytes()) {
            continue;
        }
        let value = unquoted(value.trim_ascii());
        let (digits, is_encoded) = match rest.strip_suffix(b"*") {
            Some(digits) => (digits, true),
            None => (rest, rest.is_empty()),
        };
        let number = std::str::from_utf8(digits).ok().map(str::parse);
        let (number, list) = match (digits, number) {
            ([], _) => (0, whole.get_or_insert_default()),
            (_, Some(Ok(number))) => (number, &mut pieces),
            _ => continue,
        };
        list.push(Piece {
            number,
            is_encoded,
            value,
        });
    }
    // The first of several wholes, as the library takes it.
    let mut pieces = whole.map_or(pieces, |mut whole: Vec<Piece>| {
        whole.truncate(1);
        whole
    });
    pieces.sort_by_key(|piece| piece.number);
    joined(&pieces).filter(|name| !name.trim().is_empty())
}

fn joined(pieces: &[Piece]) -> Option<String> {
    let first = pieces.first()?;
    let mut charset = None;
    let mut bytes = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let mut value = &*piece.value;
        // Charset and language stand before the first one, in single quotes.
        if at == 0
            && first.is_encoded
            && let Some((label, rest)) = split_once(value, b'\'')
            && let Some((_, rest)) = split_once(rest, b'\'')
        {
            charset = Some(String::from_utf8_lossy(label).into_owned());
            value = rest;
        }
        if piece.is_encoded {
            percent_decoded(value, &mut bytes);
        } else {
            bytes.extend_from_slice(value);
        }
    }
    Some(clean(&decoding::text(&bytes, charset.as_deref()).0))
}

fn percent_decoded(mut value: &[u8], bytes: &mut Vec<u8>) {
    while let [first, rest @ ..] = value {
        value = rest;
        match (first, rest) {
            (b'%', [high, low, after @ ..]) => match decoding::hex_pair(*high, *low) {
                Some(byte) => {
                    bytes.push(byte);
                    value = after;
                }
                None => bytes.push(b'%'),
            },
            _ => bytes.push(*first),
        }
    }
}

/// What stands between semicolons, those in quotes excepted.
fn parameters(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    value.split(move |byte| {
        let is_plain = !std::mem::take(&mut is_escaped);
        match byte {
            b'\\' if is_quoted && is_plain => is_escaped = true,
            b'"' if is_plain => is_quoted = !is_quoted,
            _ => {}
        }
        *byte == b';' && !is_quoted
    })
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        return value.to_vec();
    };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    let mut is_escaped = false;
    let keeps = |byte: &u8| {
        is_escaped = *byte == b'\\' && !is_escaped;
        !is_escaped
    };
    inner.iter().copied().filter(keeps).collect()
}

fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let found = memchr::memchr(at, bytes)?;
    Some((&bytes[..found], &bytes[found + 1..]))
}
