//! How the protocol writes things: names of folders, sets of UIDs, dates.

use tierdesk_core::clock::Timestamp;

use super::error::ImapError;

/// A folder's name as a quoted string.
pub(super) fn quoted(name: &str) -> Result<String, ImapError> {
    if name.chars().any(char::is_control) {
        let message = "mail.imap: a folder's name holds a control character".to_owned();
        return Err(ImapError::Address(message));
    }
    Ok(format!(
        "\"{}\"",
        modified_utf7(name)
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
    ))
}

/// RFC 3501, 5.1.3: how folders are named beyond ASCII.
fn modified_utf7(name: &str) -> String {
    let mut text = String::new();
    let mut wide: Vec<u8> = Vec::new();
    let flush = |wide: &mut Vec<u8>, text: &mut String| {
        if !wide.is_empty() {
            text.push('&');
            text.push_str(&base64_of(wide));
            text.push('-');
            wide.clear();
        }
    };
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut wide, &mut text);
            text.push(c);
            if c == '&' {
                text.push('-');
            }
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                wide.extend(unit.to_be_bytes());
            }
        }
    }
    flush(&mut wide, &mut text);
    text
}

/// Without padding, and with a comma in the place of the slash.
fn base64_of(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| u32::from(chunk.get(at).copied().unwrap_or(0)));
        let bits = a << 16 | b << 8 | c;
        for at in 0..=chunk.len() {
            let digit = bits >> (18 - 6 * at) & 63;
            text.push(char::from(DIGITS[digit as usize]));
        }
    }
    text
}

/// UIDs as a set, runs as ranges. They must ascend.
pub(super) fn uid_set(uids: impl IntoIterator<Item = u32>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match runs.last_mut() {
            Some((_, last)) if uid == last.saturating_add(1) => *last = uid,
            _ => runs.push((uid, uid)),
        }
    }
    let runs = runs.into_iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}:{last}")
        }
    });
    runs.collect::<Vec<_>>().join(",")
}

/// ` 7-Jul-2026 02:44:25 -0700` (RFC 3501, 7.4.2).
pub(super) fn internal_date(text: &str) -> Option<Timestamp> {
    let date = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    let instant = date.to_timestamp().ok()?;
    Some(Timestamp::from_micros(instant.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_short() {
        assert_eq!(uid_set([1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(uid_set([]), "");
    }

    #[test]
    fn dates_are_read_whatever_their_padding() {
        let at = internal_date(" 7-Jul-2026 02:44:25 -0700").unwrap();
        assert_eq!(at, internal_date("07-Jul-2026 09:44:25 +0000").unwrap());
        assert_eq!(internal_date("yesterday"), None);
    }

    #[test]
    fn folders_are_named_as_servers_name_them() {
        // The examples of RFC 3501, 5.1.3, and RFC 2152's of a plain ampersand.
        for (name, sent) in [
            ("INBOX", "\"INBOX\""),
            (
                "~peter/mail/台北/日本語",
                "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"",
            ),
            ("Gelöscht", "\"Gel&APY-scht\""),
            ("A & B", "\"A &- B\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
        ] {
            assert_eq!(quoted(name).unwrap(), sent);
        }
        assert!(quoted("a\r\nLOGOUT").is_err());
    }
}
