//! HTML without its tags: linear in time and memory whatever the page holds.

use mail_parser::decoders::html::add_html_token;

use crate::{fields::guarded, limits};

/// Quoted blocks deeper than this look like this deep.
const QUOTE_DEPTH: usize = 5;

/// The text of `html`, block by block, at most [`limits::TEXT_BYTES`] long.
pub(super) fn strip(html: &str) -> String {
    let mut stripper = Stripper {
        html,
        at: 0,
        ..Stripper::default()
    };
    while stripper.at < html.len() && stripper.text.len() < limits::TEXT_BYTES {
        stripper.step();
    }
    super::tidy(&stripper.text)
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "what has been seen of the page, bit by bit"
)]
#[derive(Default)]
struct Stripper<'a> {
    html: &'a str,
    at: usize,
    text: String,
    /// White space is due before the next word.
    gap: bool,
    line_has_words: bool,
    quotes: usize,
    pre: usize,
    /// A quotation mark in a tag did not end: from now on the first `>` ends a tag.
    has_broken_quotes: bool,
    /// Elements without text of which no end tag follows any more.
    endless: Vec<String>,
    /// No `>` follows any more.
    is_past_tags: bool,
}

impl Stripper<'_> {
    fn step(&mut self) {
        let rest = &self.html[self.at..];
        let next = memchr::memchr2(b'<', b'&', rest.as_bytes()).unwrap_or(rest.len());
        if next > 0 {
            self.words(&rest[..next]);
            self.at += next;
        } else if rest.starts_with('&') {
            self.entity(rest);
        } else if rest.starts_with("<!--") {
            self.skip_past("-->");
        } else if rest[1..]
            .starts_with(|char: char| char.is_ascii_alphabetic() || "/!?".contains(char))
            && let Some(length) = self.tag_length(rest)
        {
            self.at += length;
            self.tag(&rest[1..length - 1]);
        } else {
            self.words("<");
            self.at += 1;
        }
    }

    /// The length of the tag at the start of `rest`, from `<` to `>`.
    fn tag_length(&mut self, rest: &str) -> Option<usize> {
        if self.is_past_tags {
            return None;
        }
        if !self.has_broken_quotes {
            let mut quote = None;
            for (at, byte) in rest.bytes().enumerate() {
                match (quote, byte) {
                    (None, b'>') => return Some(at + 1),
                    (None, b'"' | b'\'') => quote = Some(byte),
                    (Some(open), _) if open == byte => quote = None,
                    _ => {}
                }
            }
            self.has_broken_quotes = true;
        }
        let end = memchr::memchr(b'>', rest.as_bytes());
        self.is_past_tags = end.is_none();
        end.map(|end| end + 1)
    }

    fn skip_past(&mut self, end: &str) {
        let rest = &self.html.as_bytes()[self.at..];
        self.at += memchr::memmem::find(rest, end.as_bytes())
            .map_or(rest.len(), |found| found + end.len());
    }

    fn tag(&mut self, inside: &str) {
        let is_closing = inside.starts_with('/');
        let name: String = inside
            .trim_start_matches('/')
            .chars()
            .take(12)
            .take_while(char::is_ascii_alphanumeric)
            .map(|char| char.to_ascii_lowercase())
            .collect();
        match &*name {
            "script" | "style" | "title" | "template" if !is_closing => self.skip_element(&name),
            "br" => self.break_line(),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "ul" | "ol" | "dl" | "hr" => {
                self.break_line();
                self.text.push('\n');
            }
            "div" | "tr" | "dt" | "dd" | "section" | "article" | "header" | "footer" | "form"
            | "address" | "center" | "body" => self.end_line(),
            "td" | "th" => self.gap = true,
            "li" => {
                self.end_line();
                if !is_closing {
                    self.words("* ");
                }
            }
            "pre" => {
                self.end_line();
                self.pre = if is_closing {
                    self.pre.saturating_sub(1)
                } else {
                    self.pre + 1
                };
            }
            "blockquote" => {
                self.break_line();
                self.quotes = if is_closing {
                    self.quotes.saturating_sub(1)
                } else {
                    self.quotes + 1
                };
            }
            _ => {}
        }
    }

    /// Passes over an element whose content is not text; a missing end tag ends it here.
    fn skip_element(&mut self, name: &str) {
        if self.endless.iter().any(|endless| endless == name) {
            return;
        }
        let rest = &self.html.as_bytes()[self.at..];
        let is_end = |at: &usize| {
            rest[at + 2..]
                .get(..name.len())
                .is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
        };
        match memchr::memmem::find_iter(rest, b"</").find(is_end) {
            Some(end) => self.at += end,
            None => self.endless.push(name.to_owned()),
        }
    }

    fn entity(&mut self, rest: &str) {
        let window = &rest.as_bytes()[..rest.len().min(32)];
        let mut decoded = String::new();
        if let Some(end) = memchr::memchr(b';', window)
            && window[1..end]
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
        {
            let entity = &window[..=end];
            if guarded(|| add_html_token(&mut decoded, entity, false)).is_some() {
                // A text holds neither, also where somebody writes them as references.
                let decoded = decoded.replace('\0', "\u{FFFD}").replace('\r', "\n");
                self.words(&decoded);
                self.at += end + 1;
                return;
            }
        }
        self.words("&");
        self.at += 1;
    }

    fn words(&mut self, text: &str) {
        if self.pre > 0 {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.break_line();
                }
                self.word(line.trim_end_matches('\r'));
            }
            return;
        }
        let is_blank = |char: char| char.is_ascii_whitespace();
        self.gap |= text.starts_with(is_blank);
        for (index, word) in text.split_ascii_whitespace().enumerate() {
            self.gap |= index > 0;
            self.word(word);
        }
        self.gap |= text.ends_with(is_blank);
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if !self.line_has_words {
            for _ in 0..self.quotes.min(QUOTE_DEPTH) {
                self.text.push_str("> ");
            }
        } else if self.gap {
            self.text.push(' ');
        }
        self.line_has_words = true;
        self.gap = false;
        self.text.push_str(word);
    }

    /// Begins a new line unless one has just begun.
    fn end_line(&mut self) {
        if self.line_has_words {
            self.break_line();
        }
    }

    fn break_line(&mut self) {
        self.text.push('\n');
        self.line_has_words = false;
        self.gap = false;
    }
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn blocks_entities_and_quotes() {
        let html = "<TITLE>no</TITLE><p>a <b>b</b>&amp;c &uuml; &#8364; &bogus; 1 < 2</p><div>x</div>\
                    <script>no()</script><ul><li>one<li>two</ul><blockquote>q<br>r</blockquote>\
                    <a title='>'>l</a><!-- no --><pre>p\n  q</pre>";
        assert_eq!(
            strip(html),
            "a b&c ü € &bogus; 1 < 2\n\nx\n\n* one\n* two\n\n> q\n> r\nl\np\n  q"
        );
    }

    #[test]
    fn no_reference_brings_a_nul_or_a_cr() {
        assert_eq!(strip("<p>a&#0;b&#x0;c"), "a\u{FFFD}b\u{FFFD}c");
        assert_eq!(strip("<pre>a&#13;b&#xD;c"), "a\nb\nc");
    }

    #[test]
    fn nothing_readable_is_lost_where_html_is_broken() {
        assert_eq!(strip("a < b and <b"), "a < b and <b");
        assert_eq!(strip("x <a href=\"y>z</a> w"), "x z w");
        assert_eq!(strip("<style>never closed words"), "never closed words");
    }
}
