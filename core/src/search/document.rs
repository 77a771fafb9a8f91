//! What is indexed of a ticket and of a message, as terms in their order.
//!
//! Between two places (subject, writer, text, …) stands a term that nobody can ask for, so that no
//! phrase reaches from one into the next. Terms that tell a place or a kind begin with a sign that
//! folding never makes.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
};

use super::{Field, words};
use crate::tickets::TicketNumber;

/// Terms of one document; what comes after them in a very long text is not found. PostgreSQL
/// counts places up to 16,383.
const MOST_TERMS: usize = 12_000;
/// Bytes of one document's terms: PostgreSQL's vectors end at a megabyte.
const MOST_BYTES: usize = 400_000;
/// Occurrences of one term in one document whose places are kept, as PostgreSQL does; a phrase is
/// found by these.
const MOST_PLACES: u8 = 250;

/// Stands where a term was left out and between two places.
const GAP: &str = "¤";
/// On what customers never see: notes and tags.
pub(crate) const INTERNAL: &str = "⊘";
/// Before a first letter: a search for all words with one letter is a term of its own.
const INITIAL: char = '‥';

/// On messages with something attached.
pub(crate) const ATTACHED: &str = "⌑";

/// The characters for private use, which no term holds: one stands for each pair of terms side by side.
const PAIRS: std::ops::RangeInclusive<u32> = 0xe000..=0xf8ff;

/// The sign of two terms that stand side by side. Many pairs share one, so it only says where to look: a text
/// of any length has few enough of them. By a checksum that will not change, because signs are stored.
pub(crate) fn pair(first: &str, second: &str) -> char {
    let mut sum = crc32fast::Hasher::new();
    for part in [first, " ", second] {
        sum.update(part.as_bytes());
    }
    let count = PAIRS.end() - PAIRS.start() + 1;
    char::from_u32(PAIRS.start() + sum.finalize() % count).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The sign on the terms of a place of their own.
pub(crate) const fn sign(field: Field) -> &'static str {
    match field {
        Field::Any => "",
        Field::From => "←",
        Field::To => "→",
    }
}

/// The term that stands in each document with a word of this first letter.
pub(crate) fn initial(letter: &str) -> String {
    format!("{INITIAL}{letter}")
}

/// The terms of one document, separated by blanks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms(String);

impl Terms {
    /// As SQLite's tokenizer cuts them.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As PostgreSQL reads a vector: `'access':3,9 'denied':4`, and the signs of pairs: its index knows no
    /// places, and without them a phrase would be looked for in every document that has its words.
    pub fn vector(&self) -> String {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut pairs = BTreeSet::new();
        let mut last = None;
        for (place, term) in self.0.split(' ').enumerate() {
            let is_term = !term.is_empty() && term != GAP;
            // First letters are asked for alone.
            let is_word = is_term && !term.starts_with(INITIAL);
            if is_term {
                places.entry(term).or_default().push(place + 1);
            }
            if is_word && let Some(last) = last {
                pairs.insert(pair(last, term));
            }
            last = is_word.then_some(term);
        }
        let mut text = String::with_capacity(self.0.len() * 2);
        for (term, places) in places {
            write!(text, "'{term}'").expect("a String takes any text");
            for (index, place) in places.into_iter().enumerate() {
                let separator = if index == 0 { ':' } else { ',' };
                write!(text, "{separator}{place}").expect("a String takes any text");
            }
            text.push(' ');
        }
        for pair in pairs {
            write!(text, "'{pair}' ").expect("a String takes any text");
        }
        text
    }
}

/// What is known of a message, all of it masked.
#[derive(Clone, Copy, Debug)]
pub struct MessageText<'t> {
    /// Its subject.
    pub subject: &'t str,
    /// Whose it is: an address, or a name of staff.
    pub author: &'t str,
    /// The writer's display name.
    pub author_name: Option<&'t str>,
    /// To and Cc.
    pub recipients: &'t [String],
    /// The names of what is attached.
    pub attachments: &'t [String],
    /// The whole text.
    pub body: &'t str,
    /// Whether anything is attached that is not part of the text.
    pub has_attached: bool,
    /// Whether customers never see it.
    pub is_internal: bool,
}

/// The document of a message.
pub fn of_message(message: MessageText<'_>) -> Terms {
    let mut document = Document::default();
    if message.is_internal {
        document.push(INTERNAL);
    } else if message.has_attached {
        document.push(ATTACHED);
    }
    document.text(message.subject);
    document.person(Field::From, message.author, message.author_name);
    for recipient in message.recipients {
        document.person(Field::To, recipient, None);
    }
    for name in message.attachments {
        document.text(name);
    }
    document.text(message.body);
    document.end()
}

/// The document of a ticket itself: what its head says.
pub fn of_ticket(
    number: TicketNumber,
    subject: &str,
    requester: &str,
    name: Option<&str>,
) -> Terms {
    let mut document = Document::default();
    document.text(&number.to_string());
    document.text(subject);
    document.person(Field::From, requester, name);
    document.end()
}

/// The document of the tags that staff gave to a ticket.
pub fn of_tags(tags: &[String]) -> Terms {
    let mut document = Document::default();
    document.push(INTERNAL);
    for tag in tags {
        document.text(tag);
    }
    document.end()
}

#[derive(Default)]
struct Document {
    stream: String,
    terms: usize,
    seen: HashMap<String, u8>,
    /// Parts of names in camel case, which come last: they stand beside nothing.
    parts: Vec<String>,
}

impl Document {
    fn is_full(&self) -> bool {
        self.terms >= MOST_TERMS || self.stream.len() >= MOST_BYTES
    }

    fn push(&mut self, term: &str) {
        if self.is_full() {
            return;
        }
        let is_kept = match self.seen.get_mut(term) {
            Some(count) if *count >= MOST_PLACES => false,
            Some(count) => {
                *count += 1;
                true
            }
            None => {
                self.seen.insert(term.to_owned(), 1);
                true
            }
        };
        self.append(if is_kept { term } else { GAP });
    }

    fn append(&mut self, term: &str) {
        if !self.stream.is_empty() {
            self.stream.push(' ');
        }
        self.stream.push_str(term);
        self.terms += 1;
    }

    fn text(&mut self, text: &str) {
        let mut last = None;
        words::each_term(text, |term, range| {
            if self.is_full() {
                return;
            }
            self.push(term);
            if last.as_ref() != Some(&range) {
                self.parts.extend(words::camel_parts(&text[range.clone()]));
            }
            last = Some(range);
        });
        self.append(GAP);
    }

    fn person(&mut self, field: Field, address: &str, name: Option<&str>) {
        for text in [Some(address), name].into_iter().flatten() {
            words::each_term(text, |term, _| self.push(&format!("{}{term}", sign(field))));
            self.append(GAP);
            self.text(text);
        }
    }

    fn end(mut self) -> Terms {
        for part in std::mem::take(&mut self.parts) {
            self.push(&part);
        }
        let first = |term: &String| term.chars().next().filter(|c| c.is_alphanumeric());
        let mut letters: Vec<char> = self.seen.keys().filter_map(first).collect();
        letters.sort_unstable();
        letters.dedup();
        for letter in letters {
            self.append(&initial(&letter.to_string()));
        }
        Terms(self.stream)
    }
}
