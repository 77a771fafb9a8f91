//! Charsets by the names that mail gives them, the wrong ones included.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

use super::utf7;
use crate::fields::guarded;

/// Charsets of one byte a character, or of two, that raw headers may be written in when the body is.
/// A header's reader keeps the name, so it must last.
const LEGACY: [&str; 30] = [
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "windows-874",
    "koi8-r",
    "koi8-u",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-9",
    "iso-8859-13",
    "iso-8859-15",
    "gb18030",
    "gb2312",
    "gbk",
    "big5",
    "shift_jis",
    "euc-jp",
    "euc-kr",
];

/// What a label means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Utf8,
    /// What is called ASCII may be anything.
    Ascii,
    /// Its byte order may be told by a mark.
    Utf16,
    Utf7,
    /// One byte a character, of which UTF-8 makes nothing that anybody writes.
    OneByte,
    Other,
}

/// A label without quotes and blanks, in lower case, and by the name that the library knows.
pub(super) fn normal(label: &str) -> Cow<'_, str> {
    let label = label.trim_matches(|char: char| char.is_whitespace() || matches!(char, '"' | '\''));
    let lower = label.to_ascii_lowercase();
    let name = match &*lower {
        "utf8" | "utf8mb4" | "utf-8mb4" | "cp65001" | "unicode-1-1-utf-8" | "utf_8" => "utf-8",
        "utf7" | "unicode-1-1-utf-7" | "x-unicode-1-1-utf-7" | "unicode-2-0-utf-7" => "utf-7",
        "utf16" => "utf-16",
        "ascii" | "ansi_x3.4-1968" | "us_ascii" | "usascii" => "us-ascii",
        "latin-1" => "latin1",
        "cp932" | "windows-932" | "windows932" => "shift_jis",
        "cp949" | "uhc" | "x-windows-949" | "ms949" => "euc-kr",
        "cp950" | "windows-950" | "x-windows-950" => "big5",
        _ => {
            // `cp-1251`, `win-1251`, `win1251`
            let number = ["cp-125", "win-125", "win125", "windows125"]
                .iter()
                .find_map(|prefix| lower.strip_prefix(prefix))
                .filter(|digit| digit.len() == 1);
            return match number {
                Some(digit) => Cow::Owned(format!("windows-125{digit}")),
                None => Cow::Owned(lower),
            };
        }
    };
    Cow::Borrowed(name)
}

/// The charset that raw headers are written in where UTF-8 they are not, for a body's label.
pub(crate) fn legacy(label: &str) -> Option<&'static str> {
    let label = normal(label);
    LEGACY.into_iter().find(|name| *name == label)
}

pub(super) fn meaning(name: &str) -> Meaning {
    const ONE_BYTE: [&str; 7] = [
        "iso-8859-",
        "iso8859-",
        "windows-125",
        "cp125",
        "latin",
        "koi8",
        "l1",
    ];
    match name {
        "utf-8" => Meaning::Utf8,
        "us-ascii" => Meaning::Ascii,
        "utf-16" | "ucs-2" | "iso-10646-ucs-2" | "unicode" => Meaning::Utf16,
        "utf-7" => Meaning::Utf7,
        _ if ONE_BYTE.iter().any(|prefix| name.starts_with(prefix)) => Meaning::OneByte,
        _ => Meaning::Other,
    }
}

/// Whether the library reads a charset.
pub(super) fn is_known(name: &str) -> bool {
    charset_decoder(name.as_bytes()).is_some()
}

/// `bytes` in a charset that the library reads.
pub(super) fn decoded(bytes: &[u8], name: &str) -> Option<String> {
    // These have a name there, and a single replacement character for a text.
    const UNREADABLE: [&str; 6] = [
        "iso-2022-kr",
        "csiso2022kr",
        "iso-2022-cn",
        "iso-2022-cn-ext",
        "hz-gb-2312",
        "replacement",
    ];
    if name == "utf-7" {
        return Some(utf7::decoded(bytes));
    }
    if UNREADABLE.contains(&name) {
        return None;
    }
    let decoder = charset_decoder(name.as_bytes())?;
    guarded(|| decoder(bytes))
}

/// UTF-16 with its byte order by a mark, or by where the zeros of ASCII characters stand. `None` for
/// what is UTF-8 in truth.
pub(super) fn utf16(bytes: &[u8]) -> Option<String> {
    let name = match bytes {
        [0xFE, 0xFF, ..] => "utf-16be",
        [0xFF, 0xFE, ..] => "utf-16le",
        _ => {
            let zeros = |at: usize| bytes.iter().skip(at).step_by(2).filter(|byte| **byte == 0);
            let (high, low) = (zeros(0).count(), zeros(1).count());
            if high + low == 0 && std::str::from_utf8(bytes).is_ok() {
                return None;
            }
            if high > low { "utf-16be" } else { "utf-16le" }
        }
    };
    decoded(bytes, name)
}
