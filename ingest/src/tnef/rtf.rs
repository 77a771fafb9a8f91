//! The text in RTF: the page or the plain text that Outlook hid in it (MS-OXRTFEX), or else what a
//! reader of the RTF would see, without its looks.
//!
//! One pass, no recursion. Groups nest to [`GROUPS`]; what lies deeper is passed over.

use std::collections::HashMap;

use super::code_page;
use crate::{decoding, limits};

const GROUPS: usize = 500;
const FONTS: usize = 1_000;

/// Groups whose text nobody is meant to read.
const HIDDEN: [&str; 16] = [
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "header",
    "footer",
    "headerl",
    "headerr",
    "footerl",
    "footerr",
    "listtable",
    "listoverridetable",
    "filetbl",
    "fldinst",
    "xmlnstbl",
];

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rtf {
    pub(super) text: String,
    /// The text is a page's source.
    pub(super) is_html: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Shown,
    /// A piece of the page's source.
    Tag,
    Hidden,
    FontTable,
}

#[derive(Clone, Copy, Default)]
struct Group {
    kind: Kind,
    /// `\htmlrtf`: for readers of RTF only.
    is_rtf_only: bool,
    /// How many characters follow a `\u` for readers that do not know it.
    fallback: usize,
    font: i32,
}

struct Reader<'a> {
    rest: &'a [u8],
    group: Group,
    outer: Vec<Group>,
    /// Groups beyond the limit that are open.
    too_deep: usize,
    /// `\*` was read: an unknown word next hides its group.
    is_optional: bool,
    code_page: Option<u32>,
    fonts: HashMap<i32, u32>,
    is_html: bool,
    text: String,
    /// Bytes in a code page, not yet text.
    pending: Vec<u8>,
    /// The first half of a character that `\u` gives in two.
    surrogate: Option<u16>,
    skip: usize,
}

/// Reads `rtf`; the text is at most as long as [`limits::TEXT_BYTES`] and a character more.
pub(super) fn read(rtf: &[u8]) -> Rtf {
    let mut reader = Reader {
        rest: rtf,
        group: Group {
            fallback: 1,
            ..Group::default()
        },
        outer: Vec::new(),
        too_deep: 0,
        is_optional: false,
        code_page: None,
        fonts: HashMap::new(),
        is_html: false,
        text: String::new(),
        pending: Vec::new(),
        surrogate: None,
        skip: 0,
    };
    while reader.step() && reader.text.len() + reader.pending.len() < limits::TEXT_BYTES {}
    reader.flush();
    Rtf {
        text: reader.text.trim_end_matches('\0').to_owned(),
        is_html: reader.is_html,
    }
}

impl<'a> Reader<'a> {
    /// Takes one token; false at the end.
    fn step(&mut self) -> bool {
        let [first, rest @ ..] = self.rest else {
            return false;
        };
        self.rest = rest;
        match first {
            b'{' => self.open(),
            b'}' => self.close(),
            b'\\' => self.control(),
            b'\r' | b'\n' | 0 => {}
            byte => self.byte(*byte),
        }
        true
    }

    fn open(&mut self) {
        self.skip = 0;
        if self.outer.len() >= GROUPS {
            self.too_deep += 1;
        } else {
            self.outer.push(self.group);
        }
    }

    fn close(&mut self) {
        self.skip = 0;
        self.is_optional = false;
        self.flush();
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else if let Some(group) = self.outer.pop() {
            self.group = group;
        }
    }

    fn control(&mut self) {
        let [first, rest @ ..] = self.rest else {
            return;
        };
        if first.is_ascii_alphabetic() {
            let (word, number) = self.word();
            self.named(word, number);
            return;
        }
        self.rest = rest;
        match first {
            b'*' => self.is_optional = true,
            b'\'' => {
                if let [high, low, rest @ ..] = rest
                    && let Some(byte) = decoding::hex_pair(*high, *low)
                {
                    self.rest = rest;
                    self.byte(byte);
                }
            }
            b'{' | b'}' | b'\\' => self.byte(*first),
            b'~' => self.char('\u{A0}'),
            b'_' => self.char('-'),
            b'\r' | b'\n' => self.char('\n'),
            _ => {}
        }
    }

    /// A control word with the number behind it. The blank after it belongs to it.
    fn word(&mut self) -> (&'a str, Option<i32>) {
        let bytes = self.rest;
        let length = bytes
            .iter()
            .take(32)
            .take_while(|byte| byte.is_ascii_alphabetic());
        let (word, mut rest) = bytes.split_at(length.count());
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = rest[sign..]
            .iter()
            .take(10)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let mut number = None;
        if digits > 0 {
            let (text, after) = rest.split_at(sign + digits);
            number = std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok());
            rest = after;
        }
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        (std::str::from_utf8(word).unwrap_or_default(), number)
    }

    fn named(&mut self, word: &str, number: Option<i32>) {
        let is_optional = std::mem::take(&mut self.is_optional);
        if self.skip > 0 && word != "u" {
            self.skip -= 1;
            return;
        }
        let size = number.and_then(|number| usize::try_from(number).ok());
        match word {
            "par" | "line" | "sect" | "page" | "row" => self.char('\n'),
            "tab" | "cell" => self.char('\t'),
            "lquote" => self.char('‘'),
            "rquote" => self.char('’'),
            "ldblquote" => self.char('“'),
            "rdblquote" => self.char('”'),
            "bullet" => self.char('•'),
            "endash" => self.char('–'),
            "emdash" => self.char('—'),
            "emspace" | "enspace" => self.char(' '),
            "u" => self.unicode(number.unwrap_or_default()),
            "uc" => self.group.fallback = size.unwrap_or(1).min(8),
            "bin" => self.rest = self.rest.get(size.unwrap_or(0)..).unwrap_or_default(),
            "ansicpg" => self.code_page = number.and_then(|number| u32::try_from(number).ok()),
            "fromhtml" => self.is_html = number != Some(0),
            "htmlrtf" => {
                self.flush();
                self.group.is_rtf_only = number != Some(0);
            }
            "htmltag" if is_optional => {
                self.flush();
                if self.group.kind == Kind::Shown {
                    self.group.kind = Kind::Tag;
                }
            }
            "f" => {
                self.flush();
                self.group.font = number.unwrap_or_default();
            }
            "fcharset" if self.group.kind == Kind::FontTable => {
                let code_page = number.and_then(code_page::of_font);
                if let (Some(code_page), true) = (code_page, self.fonts.len() < FONTS) {
                    self.fonts.insert(self.group.font, code_page);
                }
            }
            "fonttbl" => self.group.kind = Kind::FontTable,
            _ if is_optional || HIDDEN.contains(&word) => self.group.kind = Kind::Hidden,
            _ => {}
        }
    }

    fn is_shown(&self) -> bool {
        let group = self.group;
        let is_seen = matches!(group.kind, Kind::Shown | Kind::Tag) && self.too_deep == 0;
        is_seen && !(self.is_html && group.is_rtf_only)
    }

    fn byte(&mut self, byte: u8) {
        self.is_optional = false;
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.is_shown() {
            self.pending.push(byte);
        }
    }

    fn char(&mut self, char: char) {
        if self.is_shown() {
            self.flush();
            self.text.push(char);
        }
    }

    /// A UTF-16 unit, written as a signed number.
    fn unicode(&mut self, number: i32) {
        self.skip = self.group.fallback;
        let Ok(unit) = u16::try_from(number & 0xFFFF) else {
            return;
        };
        let first = self.surrogate.take();
        if first.is_none() && (0xD800..0xDC00).contains(&unit) {
            self.surrogate = Some(unit);
            return;
        }
        let units = first.into_iter().chain([unit]);
        for char in char::decode_utf16(units) {
            self.char(char.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }

    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let font = self.fonts.get(&self.group.font).copied();
        // The page's tags are in the document's code page, whatever the font.
        let code_page = if self.group.kind == Kind::Tag {
            None
        } else {
            font
        };
        let charset = code_page.or(self.code_page).and_then(code_page::charset);
        let (text, _) = decoding::text(&self.pending, charset);
        self.text.push_str(&text);
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_page_comes_out_whole() {
        let rtf = br"{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fcharset238 X;}}
{\colortbl\red0;}{\*\generator Microsoft;}{\*\htmltag64 <html>}{\*\htmltag50 <p class=\'22a\'22>}\htmlrtf {\b\htmlrtf0
\'cf\'f0\'e8 \{you\}\f1 \'b9\htmlrtf \par}\htmlrtf0{\*\htmltag84 &nbsp;}{\*\mhtmltag1 <no>}{\*\htmltag58 </p>}}";
        let found = read(rtf);
        assert_eq!(
            (&*found.text, found.is_html),
            ("<html><p class=\"a\">При {you}ą&nbsp;</p>", true)
        );
    }

    #[test]
    fn plain_text_and_looks() {
        for (rtf, text) in [
            (
                r"{\rtf1\ansi\fromtext Line one\par Line\tab two\par }",
                "Line one\nLine\ttwo\n",
            ),
            (
                r"{\rtf1\ansi\uc1 Gr\u252?\u223\'dfe \u-10179?\u-8704?{\uc0\u8364}\'80}",
                "Grüße 😀€€",
            ),
            (
                r#"{\rtf1{\info{\author A}}{\field{\*\fldinst HYPERLINK "x"}{\fldrslt see}} \ldblquote a\rdblquote\~b{\pict 0102}}"#,
                "see “a”\u{a0}b",
            ),
            (r"{\rtf1\b bold\b0  off \bin3 \\}end}", "bold off end"),
            (r"no rtf \", "no rtf "),
        ] {
            assert_eq!(
                (&*read(rtf.as_bytes()).text, read(rtf.as_bytes()).is_html),
                (text, false)
            );
        }
    }

    #[test]
    fn deep_groups_are_passed_over_and_what_follows_is_read() {
        let rtf = format!("{}deep{}after", "{".repeat(100_000), "}".repeat(100_000));
        assert_eq!(read(rtf.as_bytes()).text, "after");
    }
}
