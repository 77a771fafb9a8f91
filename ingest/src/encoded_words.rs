//! Encoded words in header values (RFC 2047).
//!
//! Stricter programs than ours decode each word for itself. Many senders break a character across
//! two words, so the bytes of neighbours in one charset are joined before they become text.

use std::borrow::Cow;

use crate::decoding;

/// One `=?charset?encoding?text?=`.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    end: usize,
}

/// Decodes every encoded word in `text`; what is none stays as it is. Linear in the length.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find("=?") else {
        return Cow::Borrowed(text);
    };
    let mut decoded = String::with_capacity(text.len());
    decoded.push_str(&text[..first]);
    let mut pending: Option<(&str, Vec<u8>)> = None;
    // Between the end of the last word and here stands what has not been written yet.
    let (mut written, mut at) = (first, first);
    while let Some(found) = text[at..].find("=?") {
        let start = at + found;
        match word(text, start) {
            Ok(word) => {
                let gap = &text[written..start];
                // White space between two words is not shown (RFC 2047 section 6.2).
                let is_neighbour = pending.is_some() && gap.trim().is_empty();
                match &mut pending {
                    Some((charset, bytes))
                        if is_neighbour
                            && charset.eq_ignore_ascii_case(word.charset)
                            && !is_shifted_back(bytes) =>
                    {
                        bytes.extend_from_slice(&word.bytes);
                    }
                    _ => {
                        flush(&mut decoded, pending.take());
                        if !is_neighbour {
                            decoded.push_str(gap);
                        }
                        pending = Some((word.charset, word.bytes));
                    }
                }
                (written, at) = (word.end, word.end);
            }
            Err(Broken::Here) => at = start + 2,
            Err(Broken::ToTheEnd) => {
                if let Some(word) = cut_off(text, start) {
                    flush(&mut decoded, pending.take());
                    decoded.push_str(&text[written..start]);
                    pending = Some((word.charset, word.bytes));
                    written = word.end;
                }
                break;
            }
        }
    }
    flush(&mut decoded, pending);
    decoded.push_str(&text[written..]);
    Cow::Owned(decoded)
}

/// Why something that begins with `=?` is no encoded word.
enum Broken {
    /// It has another shape.
    Here,
    /// No `?=` follows, so no word can follow either.
    ToTheEnd,
}

/// A word's charset, whether it is in base64, and where its text begins.
fn head(text: &str, start: usize) -> Option<(&str, bool, usize)> {
    let rest = &text[start + 2..];
    let charset_end = rest.bytes().take(64).position(|byte| byte == b'?')?;
    let charset = rest[..charset_end].split('*').next().unwrap_or_default();
    let [_, encoding @ (b'b' | b'B' | b'q' | b'Q'), b'?', ..] = rest.as_bytes()[charset_end..]
    else {
        return None;
    };
    let is_base64 = encoding.eq_ignore_ascii_case(&b'b');
    Some((charset, is_base64, start + 2 + charset_end + 3))
}

fn word(text: &str, start: usize) -> Result<Word<'_>, Broken> {
    let (charset, is_base64, text_start) = head(text, start).ok_or(Broken::Here)?;
    let rest = &text[text_start..];
    let length = rest.find("?=").ok_or(Broken::ToTheEnd)?;
    let inner = &rest[..length];
    Ok(Word {
        charset: charset_of(inner, charset),
        bytes: content(inner.as_bytes(), is_base64),
        end: text_start + length + 2,
    })
}

/// The last word of a value whose end was cut off. White space in it would leave open where it ends.
fn cut_off(text: &str, start: usize) -> Option<Word<'_>> {
    let (charset, is_base64, text_start) = head(text, start)?;
    let rest = &text[text_start..];
    if rest.contains(char::is_whitespace) {
        return None;
    }
    let inner = rest.strip_suffix('?').unwrap_or(rest);
    Some(Word {
        charset: charset_of(inner, charset),
        bytes: content(inner.as_bytes(), is_base64),
        end: text.len(),
    })
}

fn content(bytes: &[u8], is_base64: bool) -> Vec<u8> {
    if is_base64 {
        decoding::base64(bytes)
    } else {
        q_decoded(bytes)
    }
}

/// ISO-2022-JP that has returned to ASCII: the next word begins anew, and what switches twice in a row
/// is taken for an error.
fn is_shifted_back(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\x1b(B") || bytes.ends_with(b"\x1b(J")
}

fn q_decoded(content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len());
    let mut rest = content;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'_', _) => bytes.push(b' '),
            (b'=', [high, low, after @ ..]) => match decoding::hex_pair(*high, *low) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = after;
                }
                None => bytes.push(b'='),
            },
            _ => bytes.push(*first),
        }
    }
    bytes
}

/// The charset that a word's bytes are in: letters that stand in it as they are, which RFC 2047 forbids,
/// were read already and must not be read once more.
fn charset_of<'t>(inner: &str, named: &'t str) -> &'t str {
    if inner.is_ascii() { named } else { READ }
}

/// In place of a charset: letters in UTF-8 that were read already. What is broken among them is not a sign of
/// another charset.
const READ: &str = "read";

fn flush(decoded: &mut String, pending: Option<(&str, Vec<u8>)>) {
    match pending {
        Some((READ, bytes)) => decoded.push_str(&String::from_utf8_lossy(&bytes)),
        Some((charset, bytes)) => decoded.push_str(&decoding::text(&bytes, Some(charset)).0),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_the_space_between_them() {
        for (text, expected) in [
            ("plain", "plain"),
            ("=?utf-8?Q?Gr=C3=BC=C3=9Fe?= an alle", "Grüße an alle"),
            (
                "Re: =?ISO-8859-1?Q?a_b?= =?ISO-8859-1?Q?c?= d",
                "Re: a bc d",
            ),
            ("=?utf-8*de?B?R3LDvMOfZQ==?=", "Grüße"),
            ("=?windows-1251?B?z/Do4uXy?=", "Привет"),
            // A character cut in two by its sender.
            ("=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BCn?=", "Grün"),
            ("=?utf-8?B?R3LD?=\t=?UTF-8?B?vG4=?=", "Grün"),
            // Broken ones stay readable.
            ("=?utf-8?Q?no end", "=?utf-8?Q?no end"),
            ("=?utf-8?X?a?= b", "=?utf-8?X?a?= b"),
            ("=?utf-8?Q?with a space=21?=", "with a space!"),
            ("=?nonsense-7?Q?ok?=", "ok"),
            ("a =? b", "a =? b"),
            // A broken byte beside letters that were read already: they are not read again.
            ("=?utf-8?Q?=CC_für_\u{fffd}?=", "\u{fffd} für \u{fffd}"),
        ] {
            assert_eq!(decode(text), expected);
        }
    }

    #[test]
    fn endless_words_cost_linear_time() {
        let text = "=?utf-8?q?a ".repeat(100_000);
        assert_eq!(decode(&text), text);
    }
}
