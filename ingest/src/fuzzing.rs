//! Doors for the fuzz targets into what only this crate may use otherwise.
//!
//! Thin on purpose: what must hold of the answers is said in fuzz/src/checks.rs.

use tierdesk_core::mail::Mailbox;

use crate::{encoded_words, fields::Fields, html_text};

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

/// HTML as text.
pub fn html_text(html: &str) -> String {
    html_text::html_text(html)
}
