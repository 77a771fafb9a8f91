//! Doors for the fuzz targets into what only this crate may use otherwise.
//!
//! Thin on purpose: what must hold of the answers is said in fuzz/src/checks.rs.

use tierdesk_core::mail::Mailbox;

use crate::{encoded_words, fields::Fields, html_text, limits, tnef};

/// The mailboxes of every header called `name` in a header block, and how many such headers there
/// are.
pub fn addresses(block: &[u8], name: &str) -> (Vec<Mailbox>, usize) {
    let list = Fields::split(block).0.addresses(name);
    (list.mailboxes, list.headers)
}

/// A header value with its encoded words decoded (RFC 2047).
pub fn encoded_words(value: &str) -> String {
    encoded_words::decode(value).into_owned()
}

/// What a `winmail.dat` holds: the sizes of its files, and its texts.
#[derive(Debug)]
pub struct Wrapped {
    /// In bytes.
    pub files: Vec<usize>,
    /// Plain and HTML.
    pub texts: Vec<String>,
}

/// Reads a `winmail.dat`.
pub fn tnef(stream: &[u8]) -> Option<Wrapped> {
    let read = tnef::read(stream, limits::PARTS)?;
    Some(Wrapped {
        files: read.files.iter().map(|file| file.bytes.len()).collect(),
        texts: read.text.into_iter().chain(read.html).collect(),
    })
}

/// HTML as text.
pub fn html_text(html: &str) -> String {
    html_text::html_text(html)
}
