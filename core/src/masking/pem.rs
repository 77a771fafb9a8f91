//! Private keys in text armour: PEM (RFC 7468), OpenSSH, OpenPGP (RFC 9580).

use super::{SecretKind, Span, values::base64};

/// The longest label: `PGP PRIVATE KEY BLOCK`, `ENCRYPTED PRIVATE KEY`, with room.
const LABEL: usize = 64;

/// Less than this is a mention of the header line, not a key.
const LEAST_BODY: usize = 16;

const HEADERS: [&[u8]; 7] = [
    b"Proc-Type:",
    b"DEK-Info:",
    b"Version:",
    b"Comment:",
    b"Charset:",
    b"Hash:",
    b"MessageID:",
];

/// From the BEGIN line to the END line, or as far as what follows looks like a key: a key that
/// was cut off, quoted with `>`, squeezed onto one line or escaped for JSON is a key still.
pub(super) fn private_key(text: &[u8], at: usize, after: usize) -> Option<Span> {
    let label = &text[after..(after + LABEL).min(text.len())];
    let dashes = find(label, b"-----")?;
    find(&label[..dashes], b"PRIVATE KEY")?;
    let mut position = after + dashes + 5;
    let (mut end, mut body) = (position, 0);
    loop {
        position = skip_space(text, position);
        let Some(piece) = text.get(position..).and_then(piece) else {
            break;
        };
        match piece {
            Piece::End(length) => {
                end = position + length;
                body += LEAST_BODY;
                break;
            }
            Piece::Header(length) => position += length,
            Piece::Body(length) => {
                position += length;
                end = position;
                body += length;
            }
        }
    }
    (body >= LEAST_BODY).then_some(Span {
        kind: SecretKind::PrivateKey,
        start: at,
        end,
    })
}

enum Piece {
    End(usize),
    Header(usize),
    Body(usize),
}

fn piece(rest: &[u8]) -> Option<Piece> {
    if rest.starts_with(b"-----END ") {
        let line = &rest[..rest.len().min(LABEL + 20)];
        let close = find(&line[9..], b"-----").map_or(9, |dashes| 9 + dashes + 5);
        return Some(Piece::End(close));
    }
    if HEADERS.iter().any(|header| rest.starts_with(header)) {
        let line = rest
            .iter()
            .take(200)
            .take_while(|byte| **byte != b'\n')
            .count();
        // Squeezed onto one line, the key itself follows its headers.
        let words = rest[..line].split(|byte| *byte == b' ');
        let header: usize = words
            .take_while(|word| word.len() < 40)
            .map(|word| word.len() + 1)
            .sum();
        return Some(Piece::Header(header.min(line).max(1)));
    }
    let length = rest.iter().take_while(|byte| base64(**byte)).count();
    let word = &rest[..length];
    let is_key = length >= LEAST_BODY
        || word
            .iter()
            .any(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'/' | b'='));
    (length > 0 && is_key).then_some(Piece::Body(length))
}

/// White space, quote marks, and the escaped line ends of JSON and shells.
fn skip_space(text: &[u8], mut at: usize) -> usize {
    loop {
        at += match text.get(at..) {
            Some([b'\\', b'n' | b'r' | b't', ..]) => 2,
            Some([b'\\' | b'>' | b'|' | b'"' | b'\'' | b',', ..]) => 1,
            Some([byte, ..]) if byte.is_ascii_whitespace() => 1,
            _ => return at,
        };
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}
