//! UTF-7 (RFC 2152). The library's reader loses what no hyphen ends.

/// `bytes` as text; what is no UTF-7 stays readable. Linear.
pub(super) fn decoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(plus) = memchr::memchr(b'+', rest) {
        text.extend(rest[..plus].iter().map(|&byte| char::from(byte)));
        let after = &rest[plus + 1..];
        let length = after.iter().take_while(|byte| digit(**byte).is_some());
        let (piece, tail) = after.split_at(length.count());
        if piece.is_empty() {
            text.push('+');
        } else {
            base64_utf16(piece, &mut text);
        }
        // A hyphen that ends a piece is not shown.
        rest = tail.strip_prefix(b"-").unwrap_or(tail);
    }
    text.extend(rest.iter().map(|&byte| char::from(byte)));
    text
}

fn base64_utf16(piece: &[u8], text: &mut String) {
    let mut units = Vec::with_capacity(piece.len() * 6 / 16);
    let (mut bits, mut held) = (0_u32, 0);
    for digit in piece.iter().filter_map(|&byte| digit(byte)) {
        bits = (bits << 6 | digit) & 0x3F_FFFF;
        held += 6;
        if held >= 16 {
            held -= 16;
            units.extend(u16::try_from(bits >> held & 0xFFFF));
        }
    }
    let chars = char::decode_utf16(units);
    text.extend(chars.map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_what_ends_them() {
        for (bytes, text) in [
            (&b"a+-b"[..], "a+b"),
            (b"+APY", "ö"),
            (b"+APY-rung", "örung"),
            (b"+APY x", "ö x"),
            (b"+APYA9g--", "öö-"),
            (b"1 + 1", "1 + 1"),
            (b"+2D3eAA-", "\u{1F600}"),
            (b"+2D0-", "\u{FFFD}"),
            (b"+A", ""),
            (b"", ""),
        ] {
            assert_eq!(decoded(bytes), text);
        }
    }
}
