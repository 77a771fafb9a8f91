//! Transfer encodings and charsets, read so that a broken mail stays as readable as it can be.

mod charset;
mod utf7;

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;

use crate::fields::guarded;
use charset::Meaning;
pub(crate) use charset::legacy;

/// The bytes that two hex digits stand for.
pub(crate) fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Base64; characters outside the alphabet are passed over, as RFC 2045 section 6.8 asks.
pub(crate) fn base64(encoded: &[u8]) -> Vec<u8> {
    if let Some(decoded) = guarded(|| base64_decode(encoded)).flatten() {
        return decoded;
    }
    // Base64 has no words; what is full of spaces was never encoded, whatever the header says.
    let spaces = memchr::memchr_iter(b' ', encoded).count();
    if spaces * 20 > encoded.len() {
        return encoded.to_vec();
    }
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let cleaned: Vec<u8> = encoded.iter().copied().filter(is_base64).collect();
    guarded(|| base64_decode(&cleaned))
        .flatten()
        .unwrap_or_default()
}

/// Quoted-printable; an `=` that begins no escape stays an `=`.
pub(crate) fn quoted_printable(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some(found) = memchr::memchr2(b'=', b'\n', rest) {
        decoded.extend_from_slice(&rest[..found]);
        let after = &rest[found + 1..];
        if rest[found] == b'\n' {
            // White space before a line end was added on the way (RFC 2045 section 6.7).
            let has_cr = decoded.last() == Some(&b'\r');
            if has_cr {
                decoded.pop();
            }
            while matches!(decoded.last(), Some(b' ' | b'\t')) {
                decoded.pop();
            }
            decoded.extend_from_slice(if has_cr { b"\r\n" } else { b"\n" });
            rest = after;
            continue;
        }
        let blanks = after
            .iter()
            .take(64)
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        rest = match &after[blanks..] {
            [b'\r', b'\n', tail @ ..] | [b'\n', tail @ ..] => tail,
            [] => &[],
            _ => match after {
                [high, low, tail @ ..] if hex_pair(*high, *low).is_some() => {
                    decoded.extend(hex_pair(*high, *low));
                    tail
                }
                _ => {
                    decoded.push(b'=');
                    after
                }
            },
        };
    }
    decoded.extend_from_slice(rest);
    decoded
}

/// UTF-8 where it is, else Windows-1252, in which every byte is something.
pub(crate) fn utf8_or_windows_1252(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(charset::decoded(bytes, "windows-1252").unwrap_or_default()),
    }
}

/// A raw value in UTF-8, else in the charset that a mail uses otherwise if it fits, else in
/// Windows-1252.
pub(crate) fn utf8_or<'a>(bytes: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let text = charset.and_then(|charset| charset::decoded(bytes, charset));
    text.filter(|text| !text.contains(char::REPLACEMENT_CHARACTER))
        .map_or_else(|| utf8_or_windows_1252(bytes), Cow::Owned)
}

/// `bytes` as text, and whether `charset` was one we know. Labels lie: they are believed only where
/// the bytes agree.
pub(crate) fn text<'a>(bytes: &'a [u8], charset: Option<&str>) -> (Cow<'a, str>, bool) {
    let charset = charset.map(charset::normal);
    let may_be_japanese = charset
        .as_ref()
        .is_none_or(|charset| matches!(charset::meaning(charset), Meaning::Ascii | Meaning::Utf8));
    if let (true, Some(text)) = (may_be_japanese, iso_2022_jp(bytes)) {
        return (Cow::Owned(text), true);
    }
    let Some(charset) = charset.filter(|charset| !charset.is_empty()) else {
        return (without_label(bytes), true);
    };
    let other = |text: Option<String>| match text {
        Some(text) => (Cow::Owned(text), true),
        None => (without_label(bytes), false),
    };
    match charset::meaning(&charset) {
        Meaning::Ascii => (utf8_or_windows_1252(bytes), true),
        Meaning::Utf8 => (mostly_utf8(bytes), true),
        Meaning::Utf16 => match charset::utf16(bytes) {
            Some(text) => (Cow::Owned(text), true),
            None => (utf8_or_windows_1252(bytes), true),
        },
        // Programs that pass UTF-8 on and write a label out of habit are many.
        Meaning::OneByte => match std::str::from_utf8(bytes) {
            Ok(text) => (Cow::Borrowed(text), charset::is_known(&charset)),
            Err(_) => other(charset::decoded(bytes, &charset)),
        },
        Meaning::Utf7 | Meaning::Other => other(charset::decoded(bytes, &charset)),
    }
}

/// Seven-bit Japanese, which its escape sequences give away without a label.
fn iso_2022_jp(bytes: &[u8]) -> Option<String> {
    memchr::memchr(0x1B, bytes)?;
    let is_marked = [b"\x1B$B", b"\x1B$@", b"\x1B(J"]
        .iter()
        .any(|mark| memchr::memmem::find(bytes, *mark).is_some());
    if !is_marked || !bytes.is_ascii() {
        return None;
    }
    charset::decoded(bytes, "iso-2022-jp")
}

/// Nothing, or nothing that can be used, is said of the charset.
fn without_label(bytes: &[u8]) -> Cow<'_, str> {
    let is_marked = matches!(bytes, [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..]) && bytes.contains(&0);
    let utf16 = if is_marked {
        charset::utf16(bytes)
    } else {
        None
    };
    utf16.map_or_else(|| utf8_or_windows_1252(bytes), Cow::Owned)
}

/// A UTF-8 text with a broken character keeps the others; one that is all broken was never UTF-8.
fn mostly_utf8(bytes: &[u8]) -> Cow<'_, str> {
    let lossy = String::from_utf8_lossy(bytes);
    if let Cow::Owned(text) = &lossy {
        let broken = text.chars().filter(|&char| char == '\u{FFFD}').count();
        let foreign = text.chars().filter(|char| !char.is_ascii()).count();
        if broken * 2 > foreign {
            return utf8_or_windows_1252(bytes);
        }
    }
    lossy
}

/// The charset that a `<meta>` in the first kilobyte of an HTML part names.
pub(crate) fn meta_charset(html: &[u8]) -> Option<String> {
    let head = html[..html.len().min(1_024)].to_ascii_lowercase();
    let at = memchr::memmem::find(&head, b"charset=")? + b"charset=".len();
    let value = head[at..]
        .iter()
        .skip_while(|byte| matches!(byte, b'"' | b'\'' | b' '));
    let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let name: String = value
        .take_while(is_token)
        .map(|&byte| char::from(byte))
        .collect();
    (!name.is_empty()).then_some(name)
}

/// LF line ends, no NUL, no byte order mark, no white space at the end.
pub(crate) fn with_lf(text: &str) -> String {
    let text = text.trim_start_matches('\u{FEFF}').trim_end();
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find(['\r', '\0']) {
        clean.push_str(&rest[..found]);
        let is_cr = rest.as_bytes()[found] == b'\r';
        rest = &rest[found + 1..];
        if is_cr && !rest.starts_with('\n') {
            clean.push('\n');
        }
    }
    clean.push_str(rest);
    clean.truncate(clean.trim_end().len());
    clean
}

/// At most `limit` bytes of `text`, cut between characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_survives_what_is_broken() {
        for (encoded, decoded) in [
            (&b"Gr=C3=BC=c3=9fe"[..], "Grüße"),
            (b"soft =\r\nbreak =  \nhere", "soft break here"),
            (b"a==b =zz =", "a==b =zz "),
            (b"trailing  \r\nblank \t\nx", "trailing\r\nblank\nx"),
        ] {
            assert_eq!(
                String::from_utf8(quoted_printable(encoded)).unwrap(),
                decoded
            );
        }
    }

    #[test]
    fn base64_passes_over_what_does_not_belong() {
        assert_eq!(base64(b"SGVs\r\nbG8="), b"Hello");
        assert_eq!(base64(b"SG*Vs-bG8"), b"Hello");
        assert_eq!(base64(b"!!!"), b"");
        let words = b"This is not base64, it is words: help!";
        assert_eq!(base64(words), words);
    }

    #[test]
    fn labels_that_lie_are_seen_through() {
        assert_eq!(text(b"Gr\xfc\xdfe", Some("utf-8")).0, "Grüße");
        assert_eq!(text("Grüße".as_bytes(), Some("us-ascii")).0, "Grüße");
        assert_eq!(
            text(b"Gr\xc3\xbc\xc3\x9fe, gr\xc3", Some("UTF-8")).0,
            "Grüße, gr\u{FFFD}"
        );
        assert_eq!(text(b"\xcf\xf0\xe8", Some("koi8-r")), ("оПХ".into(), true));
        assert_eq!(text(b"ok", Some("klingon")), ("ok".into(), false));
        let japanese = b"\x1B$B>c32\x1B(B!";
        for label in [None, Some("us-ascii"), Some("utf-8")] {
            assert_eq!(text(japanese, label), ("障害!".into(), true), "{label:?}");
        }
    }

    #[test]
    fn lines_end_in_lf() {
        assert_eq!(with_lf("\u{FEFF}a\r\nb\rc\0d\n\n \r\n"), "a\nb\ncd");
    }
}
