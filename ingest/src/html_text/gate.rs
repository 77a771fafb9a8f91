//! Which HTML may be laid out: an estimate of what a browser's rules make of it.
//!
//! Unclosed formatting elements (`<b>`, `<font>`) are opened again in every later block, so a page
//! of n tags can become a tree of n² nodes. The estimate counts, at each tag, the formatting
//! elements that may still be open, and believes a closing tag only where no table came between.

use crate::limits;

/// The most tags; a long newsletter has some thousands.
const TAGS: usize = 20_000;
/// The most elements open at once.
const OPEN: usize = 250;
/// The most tables inside one another.
const TABLES: usize = 24;
/// The most quotes and lists inside one another: each indents every line within.
const INDENTS: usize = 30;
/// The most nodes that the tree is estimated to have.
const NODES: usize = 100_000;

/// The most attributes of one tag: the library compares each with all before it.
const ATTRIBUTES: usize = 250;
/// The most bytes of one tag; a picture may be written into it.
const TAG_BYTES: usize = 256 * 1024;

const FORMATTING: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
const INDENTING: [&str; 5] = ["blockquote", "ul", "ol", "dl", "dd"];
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// Elements with parsing rules of their own, which no mail needs.
const EXOTIC: [&str; 12] = [
    "applet",
    "object",
    "marquee",
    "template",
    "svg",
    "math",
    "select",
    "frameset",
    "plaintext",
    "listing",
    "xmp",
    "textarea",
];

#[derive(Default)]
struct Estimate {
    tags: usize,
    open: usize,
    tables: usize,
    indents: usize,
    table_tags: usize,
    nodes: usize,
    /// Per formatting element: how many may be open, and how many table tags came before the last.
    formatting: [(usize, usize); FORMATTING.len()],
}

/// Whether laying out `html` stays well under a second and some tens of megabytes.
pub(super) fn is_harmless(html: &str) -> bool {
    if html.len() > limits::HTML_BYTES {
        return false;
    }
    let bytes = html.as_bytes();
    // In preformatted text each line is a block of its own.
    let is_preformatted = memchr::memmem::find(bytes, b"pre").is_some()
        || memchr::memmem::find(bytes, b"PRE").is_some();
    if is_preformatted && memchr::memchr_iter(b'\n', bytes).count() > TAGS {
        return false;
    }
    let mut estimate = Estimate::default();
    let mut looked_at = 0;
    for at in memchr::memchr_iter(b'<', bytes) {
        let rest = &bytes[at + 1..];
        let (is_closing, rest) = match rest.strip_prefix(b"/") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let length = rest
            .iter()
            .take(12)
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        if length == 0 {
            continue;
        }
        // Tags in the values of others are looked at too, as they may not lie there for a browser; only not
        // over and over.
        let Some(length_of_rest) = length_within_bounds(&rest[length..]) else {
            return false;
        };
        looked_at += length_of_rest;
        if looked_at > 4 * limits::HTML_BYTES {
            return false;
        }
        if !estimate.takes(&rest[..length], is_closing) {
            return false;
        }
    }
    true
}

/// Where in a tag a byte stands, in the states of a browser's tokenizer (HTML, 13.2.5).
enum Within {
    TagName,
    Between,
    Name,
    AfterName,
    BeforeValue,
    Value,
    Quoted(u8),
}

/// The length of the rest of a tag; none if it has too many attributes or does not end soon.
///
/// What a browser takes for an attribute is counted exactly: quotes that it does not see as quotes would hide
/// attributes.
fn length_within_bounds(rest: &[u8]) -> Option<usize> {
    let mut within = Within::TagName;
    let mut attributes = 0;
    for (at, &byte) in rest.iter().take(TAG_BYTES).enumerate() {
        let is_blank = byte.is_ascii_whitespace();
        if byte == b'>' && !matches!(within, Within::Quoted(_)) {
            return Some(at);
        }
        within = match (within, byte) {
            (Within::Quoted(open), _) if open != byte => Within::Quoted(open),
            (Within::Quoted(_), _)
            | (Within::TagName | Within::Between | Within::Name | Within::AfterName, b'/') => {
                Within::Between
            }
            (Within::Name | Within::AfterName, b'=') => Within::BeforeValue,
            (Within::BeforeValue, b'"' | b'\'') => Within::Quoted(byte),
            (Within::TagName | Within::Between | Within::Value, _) if is_blank => Within::Between,
            (Within::Name | Within::AfterName, _) if is_blank => Within::AfterName,
            (Within::BeforeValue, _) if is_blank => Within::BeforeValue,
            (Within::BeforeValue | Within::Value, _) => Within::Value,
            (Within::TagName, _) => Within::TagName,
            (Within::Name, _) => Within::Name,
            (Within::Between | Within::AfterName, _) => {
                attributes += 1;
                Within::Name
            }
        };
        if attributes > ATTRIBUTES {
            return None;
        }
    }
    (rest.len() <= TAG_BYTES).then_some(rest.len())
}

impl Estimate {
    fn takes(&mut self, name: &[u8], is_closing: bool) -> bool {
        let is = |other: &&str| name.eq_ignore_ascii_case(other.as_bytes());
        self.tags += 1;
        self.nodes += 1 + self.formatting.iter().map(|(open, _)| open).sum::<usize>();
        if ["td", "th", "tr", "table", "caption"].iter().any(is) {
            self.table_tags += 1;
        }
        if is(&"table") {
            count(&mut self.tables, is_closing);
        }
        if INDENTING.iter().any(is) {
            count(&mut self.indents, is_closing);
        }
        if let Some(index) = FORMATTING.iter().position(is) {
            let (open, table_tags) = &mut self.formatting[index];
            if !is_closing {
                *open += 1;
                *table_tags = self.table_tags;
            } else if *table_tags == self.table_tags {
                *open = open.saturating_sub(1);
            }
        }
        if !VOID.iter().any(is) {
            count(&mut self.open, is_closing);
        }
        self.tags <= TAGS
            && self.open <= OPEN
            && self.tables <= TABLES
            && self.indents <= INDENTS
            && self.nodes <= NODES
            && !EXOTIC.iter().any(is)
    }
}

fn count(open: &mut usize, is_closing: bool) {
    *open = if is_closing {
        open.saturating_sub(1)
    } else {
        *open + 1
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_pages_pass_and_bombs_do_not() {
        let newsletter = "<table><tr><td><a href=x><b>hello</b></a></td></tr></table>".repeat(300);
        assert!(is_harmless(&newsletter));
        assert!(is_harmless("a < b, c > d"));
        assert!(!is_harmless(&"<div>".repeat(1_000)));
        assert!(!is_harmless(&"<b id=1><table><td></b></table>".repeat(500)));
        assert!(!is_harmless(&"<table>".repeat(30)));
        assert!(!is_harmless("<svg><p>"));
        let attributes = |count: usize, write: fn(usize) -> String| {
            format!("<p{}>x</p>", (0..count).map(write).collect::<String>())
        };
        for write in [
            (|n| format!(" a{n}=1")) as fn(usize) -> String,
            |n| format!(" a{n}"),
            |n| format!("/a{n}"),
            |n| format!(" a{n}='>'"),
            |n| format!(" a{n} = \"<\""),
            // Not a quote but a name of two letters, and attributes after it.
            |n| format!(" =\"/a{n}/b{n}"),
        ] {
            assert!(is_harmless(&attributes(100, write)));
            assert!(!is_harmless(&attributes(600, write)), "{}", write(0));
        }
        let picture = |size| format!("<img src=\"data:image/png;base64,{}\">", "A".repeat(size));
        assert!(is_harmless(&picture(200_000)));
        assert!(!is_harmless(&picture(400_000)));
        assert!(!is_harmless(&format!("<pre>{}", "a\n".repeat(50_000))));
    }
}
