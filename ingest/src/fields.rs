//! The header block of a mail or of a part: split, unfolded, and read field by field.
//!
//! Splitting keeps slices of the raw bytes; a value is decoded only when asked for. Values handed
//! out hold no NUL, CR or LF.

mod addresses;

use std::{
    borrow::Cow,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
};

use mail_parser::{HeaderValue, parsers::MessageStream};
use tierdesk_core::{clock::Timestamp, mail::Importance};

use crate::{decoding, encoded_words, limits};

/// One header field as it stands in the raw bytes.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
    /// What raw bytes that are no UTF-8 may be written in.
    charset: Option<&'static str>,
}

/// The header fields of one block, in order.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a> {
    list: Vec<Field<'a>>,
    is_cut: bool,
}

/// Runs library code that must not bring us down; a panic counts as "could not read".
pub(crate) fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

/// Strips NUL, turns line ends into spaces and trims: what a header value may be.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\0' => {}
            '\r' | '\n' => clean.push(' '),
            _ => clean.push(char),
        }
    }
    let trimmed = clean.trim();
    if trimmed.len() == clean.len() {
        clean
    } else {
        trimmed.to_owned()
    }
}

impl<'a> Field<'a> {
    /// The value as UTF-8, folding included. Raw 8-bit bytes are a breach of RFC 5322 that old
    /// programs commit; they mean the charset of their body, or Windows-1252.
    pub(crate) fn utf8(&self) -> Cow<'a, str> {
        decoding::utf8_or(self.value, self.charset)
    }

    /// The unfolded value without decoding of encoded words.
    fn unfolded(&self) -> String {
        let raw = self.utf8();
        if raw.contains(['\r', '\n']) {
            let mut unfolded = String::with_capacity(raw.len());
            for line in raw.split('\n') {
                let line = line.trim_end_matches('\r').trim();
                if !line.is_empty() && !unfolded.is_empty() {
                    unfolded.push(' ');
                }
                unfolded.push_str(line);
            }
            clean(&unfolded)
        } else {
            clean(&raw)
        }
    }

    /// The value unfolded and decoded (RFC 2047).
    pub fn text(&self) -> String {
        let unfolded = self.unfolded();
        match encoded_words::decode(&unfolded) {
            Cow::Borrowed(_) => unfolded,
            Cow::Owned(decoded) => clean(&decoded),
        }
    }

    /// The value up to a `;` or comment, lower case: what Auto-Submitted and its like mean.
    pub fn keyword(&self) -> String {
        let text = self.unfolded();
        let end = text.find([';', '(']).unwrap_or(text.len());
        text[..end].trim().to_ascii_lowercase()
    }

    /// The value, cut to `limit` bytes, with a line end, as the library's readers want it.
    pub(crate) fn for_library(&self, limit: usize) -> Vec<u8> {
        let raw = self.utf8();
        let bytes = raw.as_bytes();
        let mut bytes = bytes[..bytes.len().min(limit)].to_vec();
        bytes.push(b'\n');
        bytes
    }
}

impl<'a> Fields<'a> {
    /// Splits the header block at the start of `raw`; answers it and where the body begins.
    ///
    /// A line that is neither a field nor a continuation ends the block, as if the empty line
    /// before the body had been forgotten: nothing that somebody wrote is thrown away.
    pub fn split(raw: &'a [u8]) -> (Self, usize) {
        let mut fields = Self::default();
        let (mut at, mut value_start) = (0, 0);
        while at < raw.len() {
            let end = memchr::memchr(b'\n', &raw[at..]).map_or(raw.len(), |found| at + found + 1);
            let line = &raw[at..end];
            match line {
                b"\n" | b"\r\n" => return (fields, end),
                [b' ' | b'\t', ..] if !fields.list.is_empty() => {
                    fields.stretch_last(raw, value_start..end);
                }
                // Left there by programs that read an mbox and did not unquote it.
                _ if line.starts_with(b"From ") && fields.list.is_empty()
                    || line.starts_with(b">From ") => {}
                _ => match colon(line) {
                    Some((name, colon)) => {
                        value_start = at + colon + 1;
                        fields.add(&line[..name], raw, value_start..end);
                    }
                    None => return (fields, at),
                },
            }
            at = end;
        }
        (fields, at)
    }

    /// Adds a field, or as much of it as the limits allow.
    fn add(&mut self, name: &'a [u8], raw: &'a [u8], value: Range<usize>) {
        if self.is_cut || self.list.len() >= limits::HEADER_FIELDS {
            self.is_cut = true;
        } else {
            self.list.push(Field {
                name,
                value: &[],
                charset: None,
            });
            self.stretch_last(raw, value);
        }
    }

    /// Makes `value` the value of the last field: it has grown by a line.
    fn stretch_last(&mut self, raw: &'a [u8], value: Range<usize>) {
        if let (false, Some(last)) = (self.is_cut, self.list.last_mut()) {
            self.is_cut = value.end > limits::HEADER_BYTES;
            last.value = &raw[value.start..value.end.min(value.start.max(limits::HEADER_BYTES))];
        }
    }

    /// Some field is one that mails have. A text may well begin with `Note: …`.
    pub fn are_of_a_mail(&self) -> bool {
        const USUAL: [&str; 14] = [
            "From",
            "To",
            "Cc",
            "Subject",
            "Date",
            "Message-ID",
            "Received",
            "Return-Path",
            "Sender",
            "Reply-To",
            "MIME-Version",
            "Content-Type",
            "Delivered-To",
            "In-Reply-To",
        ];
        USUAL.iter().any(|name| self.find(name).is_some())
    }

    /// Says what the body is written in, for values that are neither ASCII nor UTF-8.
    pub(crate) fn use_charset(&mut self, charset: &'static str) {
        for field in &mut self.list {
            field.charset = Some(charset);
        }
    }

    /// A limit left fields out.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Every field of this name, in order; names compare without case.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Field<'a>> {
        self.list
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The names, as written, of fields whose name begins so; without case.
    pub fn names_with_prefix(&self, prefix: &str) -> Vec<String> {
        let begins = |name: &&[u8]| {
            let start = name.get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        let names = self.list.iter().map(|field| field.name).filter(begins);
        names
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect()
    }

    /// The first field of this name.
    pub fn find(&self, name: &str) -> Option<&Field<'a>> {
        self.list
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The first field of this name, decoded.
    pub fn find_text(&self, name: &str) -> Option<String> {
        self.find(name).map(Field::text)
    }

    /// The ids of the first field of this name without angle brackets, at most
    /// [`limits::MESSAGE_IDS`], and whether there were more.
    pub(crate) fn ids(&self, name: &str) -> (Vec<String>, bool) {
        let Some(field) = self.find(name) else {
            return (Vec::new(), false);
        };
        let value = field.utf8();
        let mut ids = Vec::new();
        let bracketed = value.contains('<');
        let pieces = value.split(|char: char| {
            if bracketed {
                char == '<'
            } else {
                char.is_whitespace() || char == ','
            }
        });
        for piece in pieces.skip(usize::from(bracketed)) {
            let id: String = piece
                .split('>')
                .next()
                .unwrap_or_default()
                .chars()
                .filter(|char| !char.is_whitespace() && !char.is_control())
                .collect();
            if id.is_empty() {
                continue;
            }
            if ids.len() == limits::MESSAGE_IDS {
                return (ids, true);
            }
            ids.push(id);
        }
        (ids, false)
    }

    /// What the Date header claims, if it is a day that exists.
    pub(crate) fn date(&self) -> Option<Timestamp> {
        let value = self.find("Date")?.for_library(200);
        let HeaderValue::DateTime(date) =
            guarded(|| MessageStream::new(&value).parse_date()).unwrap_or_default()
        else {
            return None;
        };
        // 60 is a leap second, which the calendar does not have.
        let second = date.second.min(59);
        if !(mail_parser::DateTime { second, ..date }).is_valid() || date.second > 60 {
            return None;
        }
        let (year, month, day) = (
            i16::try_from(date.year).ok()?,
            i8::try_from(date.month).ok()?,
            date.day,
        );
        jiff::civil::Date::new(year, month, i8::try_from(day).ok()?).ok()?;
        Some(Timestamp::from_seconds(
            mail_parser::DateTime { second, ..date }.to_timestamp(),
        ))
    }

    /// How urgent the sender's program marked it; the first header that says so decides.
    pub(crate) fn importance(&self) -> Importance {
        for name in ["Importance", "X-Priority", "X-MSMail-Priority", "Priority"] {
            let Some(field) = self.find(name) else {
                continue;
            };
            let value = field.keyword();
            match value.split_whitespace().next().unwrap_or_default() {
                "high" | "urgent" | "1" | "2" | "highest" => return Importance::High,
                "low" | "non-urgent" | "4" | "5" | "lowest" => return Importance::Low,
                _ => {}
            }
        }
        Importance::Normal
    }
}

/// Where the name ends and where the colon stands, if the line begins like a header field.
fn colon(line: &[u8]) -> Option<(usize, usize)> {
    let colon = line
        .iter()
        .position(|&byte| !(33..=126).contains(&byte) || byte == b':')?;
    let gap = line[colon..]
        .iter()
        .take_while(|&&byte| byte == b' ' || byte == b'\t')
        .count();
    (colon > 0 && line.get(colon + gap) == Some(&b':')).then_some((colon, colon + gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(raw: &str) -> Fields<'_> {
        Fields::split(raw.as_bytes()).0
    }

    #[test]
    fn names_have_no_case_and_values_unfold() {
        let block = fields("SUBJECT : one\r\n two\r\n\tthree\r\nfrom: a@b.example\r\n\r\nbody");
        assert_eq!(block.find_text("Subject").unwrap(), "one two three");
        assert_eq!(block.find_text("From").unwrap(), "a@b.example");
    }

    #[test]
    fn a_forgotten_empty_line_costs_no_text() {
        let raw = b"Subject: x\nHello there, this is text\nmore: text";
        let (fields, body) = Fields::split(raw);
        assert_eq!(fields.find_text("subject").unwrap(), "x");
        assert!(raw[body..].starts_with(b"Hello there"));
    }

    #[test]
    fn raw_eight_bit_values_stay_readable() {
        let (fields, _) = Fields::split(b"Subject: Gr\xfc\xdfe\nX: Gr\xc3\xbc\xc3\x9fe\n\n");
        assert_eq!(fields.find_text("Subject").unwrap(), "Grüße");
        assert_eq!(fields.find_text("X").unwrap(), "Grüße");
    }

    #[test]
    fn ids_lose_brackets_and_stop_at_the_limit() {
        let block = fields("References: <a@b>\n <c@d><e@f> junk\nIn-Reply-To: x@y\n\n");
        assert_eq!(block.ids("References").0, ["a@b", "c@d", "e@f"]);
        assert_eq!(block.ids("In-Reply-To").0, ["x@y"]);
        let many = format!("References: {}\n\n", "<a@b> ".repeat(5_000));
        let (ids, more) = fields(&many).ids("references");
        assert_eq!((ids.len(), more), (limits::MESSAGE_IDS, true));
    }

    #[test]
    fn dates_that_no_calendar_has_are_none() {
        let read = |date: &str| fields(&format!("Date: {date}\n\n")).date();
        let good = read("Mon, 23 Nov 2026 10:20:00 +0100 (CET)").unwrap();
        assert_eq!(good.to_string(), "2026-11-23T09:20:00Z");
        assert_eq!(
            read("Wed, 31 Dec 2025 23:59:60 GMT").unwrap().to_string(),
            "2025-12-31T23:59:59Z"
        );
        assert_eq!(
            read("23 Nov 26 10:20:00 EST").unwrap().to_string(),
            "2026-11-23T15:20:00Z"
        );
        for nonsense in [
            "31 Feb 2026 10:00:00 +0000",
            "yesterday",
            "",
            "1 Jan 99999 0:0:0",
        ] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn too_many_fields_are_left_out_and_the_body_is_still_found() {
        let raw = format!("{}\nbody", "A: b\n".repeat(2_000));
        let (fields, body) = Fields::split(raw.as_bytes());
        assert!(fields.is_cut());
        assert_eq!(&raw[body..], "body");
    }

    #[test]
    fn importance_comes_from_any_of_four_headers() {
        for (header, expected) in [
            ("Importance: High", Importance::High),
            ("X-Priority: 1 (Highest)", Importance::High),
            ("X-MSMail-Priority: Low", Importance::Low),
            ("Priority: non-urgent", Importance::Low),
            ("X-Priority: 3", Importance::Normal),
        ] {
            assert_eq!(
                fields(&format!("{header}\n\n")).importance(),
                expected,
                "{header}"
            );
        }
    }
}
