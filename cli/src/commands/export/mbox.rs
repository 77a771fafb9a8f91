//! Mails one after another in a file: RFC 4155, with the quoting called mboxrd, which can be undone.

use std::io::{self, Write};

use tierdesk_core::desk::export::ExportedMail;

/// A writer that cannot be told by an address, as mailers write it.
const NOBODY: &str = "MAILER-DAEMON";

/// Writes a mail behind its envelope line, with a blank line after it. Lines end in LF, as the RFC has it.
pub(super) fn write(to: &mut impl Write, mail: &ExportedMail) -> io::Result<()> {
    let at = mail.at.to_jiff().strftime("%a %b %e %H:%M:%S %Y");
    writeln!(to, "From {} {at}", sender(&mail.sender))?;
    let mut rest = mail.raw.as_slice();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (line, after) = match end {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        if line[quotes..].starts_with(b"From ") {
            to.write_all(b">")?;
        }
        to.write_all(line)?;
        to.write_all(b"\n")?;
        rest = after;
    }
    to.write_all(b"\n")
}

/// The address as one word of ASCII: whatever else stands there could end the line, or look like its date.
fn sender(address: &str) -> &str {
    let is_one = address.len() <= 254
        && address.contains('@')
        && address.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one { address } else { NOBODY }
}

#[cfg(test)]
mod tests {
    use tierdesk_core::clock::Timestamp;

    use super::*;

    fn written(sender: &str, raw: &[u8]) -> Vec<u8> {
        let mail = ExportedMail {
            sender: sender.to_owned(),
            at: Timestamp::from_seconds(1_795_424_400),
            raw: raw.to_vec(),
        };
        let mut file = Vec::new();
        write(&mut file, &mail).expect("memory takes it");
        file
    }

    #[test]
    fn lines_that_look_like_another_mail_are_quoted() {
        let raw = b"Subject: a\r\n\r\nFrom here\r\n>From there\r\n From\r\nFromage\n\0\xff";
        let file = written("a@b.example", raw);
        let wanted = b"From a@b.example Mon Nov 23 09:00:00 2026\nSubject: a\n\n>From here\n>>From there\n From\n\
            Fromage\n\0\xff\n\n";
        assert_eq!(file, wanted);
    }

    #[test]
    fn no_sender_breaks_the_envelope_line() {
        for odd in [
            "",
            "(no sender)",
            "a b@c",
            "a@c\nFrom x",
            "é@c",
            &"a@".repeat(200),
        ] {
            let file = written(odd, b"x");
            assert!(file.starts_with(b"From MAILER-DAEMON Mon "), "{odd}");
        }
        assert!(written("a@b", b"x").starts_with(b"From a@b Mon "));
    }
}
