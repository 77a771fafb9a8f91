//! Sameness of mails across roads: the same mail fetched by IMAP, delivered by LMTP and imported
//! from a Maildir has one fingerprint.
//!
//! SHA-256 over Message-ID, From, Date and Subject and over every decoded part in order. Trace
//! headers, transfer encodings, line ends, and white space at line ends and at the end of a part
//! do not count; the content does, so one Message-ID with two bodies is two mails. Every field is
//! preceded by its length, so that none can run into the next.

use sha2::{Digest, Sha256};
use tierdesk_core::{clock::Timestamp, mail::Fingerprint};

use crate::{
    decoding,
    fields::Fields,
    media::Transfer,
    parse,
    structure::{Content, Part, Structure},
};

/// The version of what is hashed; another one would make every mail a new one.
const VERSION: &[u8] = b"tierdesk mail 1";

/// The fingerprint of a whole raw mail, as [`parse::parse`] finds it too.
pub fn fingerprint(raw: &[u8]) -> Fingerprint {
    let (head, rest) = parse::at_limit(raw);
    let structure = Structure::split(head);
    if !structure.root.fields.are_of_a_mail() {
        return of_bytes(raw);
    }
    let mut print = Fingerprinter::new(&structure.root.fields);
    hash_tree(&structure.root, &mut print);
    print.left_out(&structure.left_out);
    print.left_out(&[rest]);
    print.finish()
}

/// The fingerprint of bytes that are not a mail.
pub(crate) fn of_bytes(raw: &[u8]) -> Fingerprint {
    let mut print = Fingerprinter {
        hash: Sha256::new(),
    };
    print.field(b"not a mail");
    print.part("", raw);
    print.finish()
}

/// A part and all it holds, in order.
pub(crate) fn hash_tree(part: &Part<'_>, print: &mut Fingerprinter) {
    match &part.content {
        Content::Leaf => print.part(&part.media.content_type, &decoded(part)),
        Content::Multipart(parts) => {
            print.open(&part.media.content_type);
            for part in parts {
                hash_tree(part, print);
            }
            print.close();
        }
        Content::Message(inner) => {
            print.open(&part.media.content_type);
            print.headers(&inner.fields);
            hash_tree(inner, print);
            print.close();
        }
    }
}

/// The content of a leaf without its transfer encoding.
pub(crate) fn decoded<'a>(part: &Part<'a>) -> std::borrow::Cow<'a, [u8]> {
    match part.media.transfer {
        Transfer::Identity => part.body.into(),
        Transfer::Base64 => decoding::base64(part.body).into(),
        Transfer::QuotedPrintable => decoding::quoted_printable(part.body).into(),
    }
}

/// Takes the fields and parts of one mail in their order.
pub(crate) struct Fingerprinter {
    hash: Sha256,
}

impl Fingerprinter {
    pub(crate) fn new(fields: &Fields<'_>) -> Self {
        let mut print = Self {
            hash: Sha256::new(),
        };
        print.field(VERSION);
        print.headers(fields);
        print
    }

    fn field(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }

    /// The headers that name a mail, of the mail itself or of an attached one.
    pub(crate) fn headers(&mut self, fields: &Fields<'_>) {
        for name in ["Message-ID", "From", "Date", "Subject"] {
            self.field(name.as_bytes());
            for field in fields.all(name) {
                let text = field.text();
                let mut words = String::with_capacity(text.len());
                for word in text.split_whitespace() {
                    words.push_str(word);
                    words.push(' ');
                }
                self.field(words.as_bytes());
            }
        }
    }

    /// A leaf. Its content enters as a hash of its own, because the normalised length is not
    /// known beforehand.
    pub(crate) fn part(&mut self, content_type: &str, decoded: &[u8]) {
        self.field(content_type.as_bytes());
        self.field(&content_hash(decoded, content_type.starts_with("text/")));
    }

    /// A container begins.
    pub(crate) fn open(&mut self, content_type: &str) {
        self.field(content_type.as_bytes());
        self.field(b"(");
    }

    /// A container ends.
    pub(crate) fn close(&mut self) {
        self.field(b")");
    }

    /// Bytes beyond a limit, unread.
    pub(crate) fn left_out(&mut self, slices: &[&[u8]]) {
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            self.part("left out", slice);
        }
    }

    pub(crate) fn finish(self) -> Fingerprint {
        Fingerprint(self.hash.finalize().into())
    }
}

/// SHA-256 of `bytes` with LF line ends and none at the end; of a text also without white space
/// at line ends.
fn content_hash(bytes: &[u8], is_text: bool) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut buffer = Vec::with_capacity(bytes.len().min(BUFFER) + 1_024);
    let mut empty_lines = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found);
        let mut line = &bytes[at..end];
        line = line.strip_suffix(b"\r").unwrap_or(line);
        if is_text {
            line = line.trim_ascii_end();
        }
        at = end + 1;
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty_lines) {
            push(&mut buffer, &mut hash, b"\n");
        }
        push(&mut buffer, &mut hash, line);
        push(&mut buffer, &mut hash, b"\n");
    }
    hash.update(&buffer);
    hash.finalize().into()
}

const BUFFER: usize = 64 * 1024;

/// Gathers short lines, since the hash is slow on many small pieces.
fn push(buffer: &mut Vec<u8>, hash: &mut Sha256, bytes: &[u8]) {
    if buffer.len() + bytes.len() > BUFFER {
        hash.update(&*buffer);
        buffer.clear();
    }
    if bytes.len() > BUFFER {
        hash.update(bytes);
    } else {
        buffer.extend_from_slice(bytes);
    }
}

/// The sameness of a mail without Message-ID and Date, which a program sends again word by word when it has
/// the same to say again: the same only within the hour, in which its server may try again.
pub(crate) fn in_hour(print: Fingerprint, at: Timestamp) -> Fingerprint {
    let hour = at.micros().div_euclid(3_600_000_000);
    let mut hash = Sha256::new();
    hash.update(print.0);
    hash.update(hour.to_be_bytes());
    Fingerprint(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Message-ID: <1@x>\nFrom: =?utf-8?Q?J=C3=BCrgen?= <j@x>\n\
                        Date: Mon, 23 Nov 2026 10:20:00 +0100\nSubject: Hi  there\n";

    fn of(text: &str) -> Fingerprint {
        fingerprint(text.as_bytes())
    }

    #[test]
    fn the_road_does_not_matter() {
        let plain = of(&format!(
            "{HEAD}Content-Type: text/plain; charset=utf-8\n\nGrüße  \nzwei\n"
        ));
        let roads = [
            format!("Received: by a\nReturn-Path: <j@x>\nX-Spam: no\n{HEAD}\nGrüße\nzwei\n\n"),
            format!("{HEAD}\nGrüße\nzwei").replace('\n', "\r\n"),
            format!(
                "{HEAD}Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe=20\nzw=\nei"
            ),
            format!("{HEAD}Content-Transfer-Encoding: base64\n\nR3LDvMOfZQ0KendlaQ0K\n"),
            format!("From j@x Mon Nov 23 10:20:00 2026\n{HEAD}\nGrüße\nzwei\n"),
            format!("{}\nGrüße\nzwei\n", HEAD.replace("Hi  there", "Hi\n there")),
        ];
        for road in roads {
            assert_eq!(of(&road), plain, "{road}");
        }
    }

    #[test]
    fn the_content_does() {
        let plain = of(&format!("{HEAD}\nbody"));
        assert_ne!(of(&format!("{HEAD}\nother body")), plain);
        assert_ne!(
            of(&format!("{}\nbody", HEAD.replace("<1@x>", "<2@x>"))),
            plain
        );
        assert_ne!(of(&format!("{HEAD}Content-Type: text/html\n\nbody")), plain);
    }

    #[test]
    fn parts_cannot_change_places_or_levels() {
        let mixed = |parts: &str| {
            of(&format!(
                "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n"
            ))
        };
        let (one, two) = ("--b\n\none\n", "--b\n\ntwo\n");
        assert_ne!(mixed(&format!("{one}{two}")), mixed(&format!("{two}{one}")));
        assert_ne!(mixed(&format!("{one}{two}")), mixed("--b\n\none\ntwo\n"));
        let nested = "--b\nContent-Type: message/rfc822\n\nSubject: a\n\none\n";
        assert_ne!(mixed(nested), mixed(&nested.replace(": a", ": b")));
    }

    #[test]
    fn what_is_no_mail_is_compared_as_lines() {
        assert_eq!(of("just words\r\nmore\r\n"), of("just words\nmore"));
        assert_ne!(of("just words"), of("other words"));
        assert_ne!(of(""), of("x"));
    }
}
