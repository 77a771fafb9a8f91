//! Which parts are the body, and the text they make.

use crate::{html_text::html_text_within, limits};

/// A body part, decoded.
#[derive(Debug)]
struct Segment {
    text: String,
    is_html: bool,
    /// Which form of a choice it belongs to; counts up through the mail.
    form: usize,
}

/// A multipart/alternative being read: where its segments begin, and the form around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    start: usize,
    form: usize,
}

/// The body parts found so far.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// What the readable text is made of.
    segments: Vec<Segment>,
    /// Every HTML part, also where a plain one is preferred for the text.
    html: Vec<String>,
    form: usize,
    forms: usize,
    bytes: usize,
    /// Text was left out for its length; said once.
    pub(super) is_cut: bool,
}

impl Body {
    /// The decoded text so far, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Some part has words that a reader would see.
    pub(super) fn says_something(&self) -> bool {
        let mut room = limits::HTML_BYTES;
        self.segments.iter().any(|segment| {
            let has_words = |text: &str| !text.trim().is_empty();
            if segment.is_html {
                has_words(&html_text_within(&segment.text, &mut room))
            } else {
                has_words(&segment.text)
            }
        })
    }

    /// Whether the words of a text stand in the body, in this order.
    pub(super) fn says(&self, text: &str, is_html: bool) -> bool {
        let mut room = limits::HTML_BYTES;
        let mut in_letters = |text: &str, is_html: bool| {
            if is_html {
                letters(&html_text_within(text, &mut room))
            } else {
                letters(text)
            }
        };
        let wanted = in_letters(text, is_html);
        let mut said = String::new();
        for segment in &self.segments {
            said.push_str(&in_letters(&segment.text, segment.is_html));
        }
        said.contains(&wanted)
    }

    pub(super) fn add(&mut self, text: String, is_html: bool) {
        self.bytes += text.len();
        let form = self.form;
        self.segments.push(Segment {
            text,
            is_html,
            form,
        });
    }

    /// A multipart/alternative begins; the answer is for [`Body::end_choice`].
    pub(super) fn begin_choice(&self) -> Choice {
        Choice {
            start: self.segments.len(),
            form: self.form,
        }
    }

    /// One of its forms begins.
    pub(super) fn begin_form(&mut self) {
        self.forms += 1;
        self.form = self.forms;
    }

    /// Of the segments since the choice began keeps one form: the first that has plain text with
    /// words, else the last with HTML, else all. Plain text that says something else than the HTML, "your
    /// program cannot show this" say, is kept with it. What is kept and what follows belongs to the
    /// form around the choice.
    pub(super) fn end_choice(&mut self, choice: Choice) {
        self.form = choice.form;
        let found = self
            .segments
            .split_off(choice.start.min(self.segments.len()));
        let has_words = |segment: &&Segment| !segment.is_html && !segment.text.trim().is_empty();
        let plain = found.iter().find(has_words);
        let html = found.iter().rfind(|segment| segment.is_html);
        let chosen = plain.or(html).map(|segment| segment.form);
        let differs = match (plain, html) {
            (Some(plain), Some(html)) if plain.form != html.form => {
                (!is_same(&plain.text, &html.text)).then_some(html.form)
            }
            _ => None,
        };
        for segment in found {
            if chosen.is_none_or(|form| segment.form == form) || differs == Some(segment.form) {
                self.segments.push(Segment {
                    form: choice.form,
                    ..segment
                });
            } else if segment.is_html {
                self.html.push(segment.text);
            }
        }
    }

    /// The readable text, and the HTML as it came.
    pub(super) fn finish(mut self) -> (String, Option<String>) {
        let mut text = String::new();
        let mut plain_words = String::new();
        let mut room = limits::HTML_BYTES;
        for segment in self.segments {
            if !segment.is_html {
                append(&mut text, &segment.text);
                plain_words.extend(segment.text.chars().filter(|char| char.is_alphanumeric()));
                continue;
            }
            let converted = html_text_within(&segment.text, &mut room);
            // Programs that should have offered a choice send the same words twice in a row.
            let words = converted.chars().filter(|char| char.is_alphanumeric());
            if plain_words.is_empty() || !words.eq(plain_words.chars()) {
                append(&mut text, &converted);
            }
            self.html.push(segment.text);
        }
        let html = (!self.html.is_empty()).then(|| self.html.join("\n"));
        (text, html)
    }
}

/// What can be told from markup and layout: the letters and digits.
fn letters(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).collect()
}

/// So many words of a plain text are looked for in the HTML, and so few tell nothing.
const SAMPLE: usize = 40;
const TOO_FEW: usize = 3;
/// A word that markup and entities leave whole is ASCII, and this long to be one.
const WORD: usize = 4;

/// Whether HTML says what a plain text beside it says: most of its words stand there. In doubt it does,
/// because it ought to.
fn is_same(plain: &str, html: &str) -> bool {
    let is_word = |word: &&str| word.len() >= WORD && word.is_ascii();
    let words = plain.split(|char: char| !char.is_alphanumeric());
    let words: Vec<&str> = words.filter(is_word).take(SAMPLE).collect();
    if words.len() < TOO_FEW {
        return true;
    }
    let stands = |word: &&&str| memchr::memmem::find(html.as_bytes(), word.as_bytes()).is_some();
    words.iter().filter(stands).count() * 3 >= words.len()
}

fn append(text: &mut String, more: &str) {
    if more.trim().is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}
