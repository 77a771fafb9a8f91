//! The piece of a text in which the words that were looked for stand.

use std::ops::Range;

use serde::Serialize;

use super::{Field, Words, words};

/// Characters before the first hit, and in all.
const BEFORE: usize = 50;
const LONGEST: usize = 180;

/// A piece of a text with its hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// One line, cut at both ends where text was left out.
    pub text: String,
    /// The hits, as bytes of `text`.
    pub hits: Vec<Range<usize>>,
}

/// Programs read the text alone.
impl Serialize for Excerpt {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// The piece around the first hit of any of these words; `None` where none stands in the text.
pub fn excerpt(text: &str, wanted: &[Words]) -> Option<Excerpt> {
    let hits = hits(text, wanted);
    let first = hits.first()?.start;
    let begin = back(text, first, BEFORE);
    let end = forth(text, begin, LONGEST);
    let mut cut = Excerpt {
        text: if begin > 0 {
            "…".to_owned()
        } else {
            String::new()
        },
        hits: Vec::new(),
    };
    let mut at = begin;
    for hit in hits.into_iter().filter(|hit| hit.end <= end) {
        if hit.start < at {
            continue;
        }
        push_line(&mut cut.text, &text[at..hit.start]);
        let from = cut.text.len();
        push_line(&mut cut.text, &text[hit.clone()]);
        cut.hits.push(from..cut.text.len());
        at = hit.end;
    }
    push_line(&mut cut.text, &text[at..end]);
    if end < text.len() {
        cut.text.push('…');
    }
    Some(cut)
}

/// Where the words stand, in order. Text is read up to where enough was found.
fn hits(text: &str, wanted: &[Words]) -> Vec<Range<usize>> {
    let wanted: Vec<&Words> = wanted
        .iter()
        .filter(|one| one.field == Field::Any)
        .collect();
    let mut terms: Vec<(String, Range<usize>)> = Vec::new();
    words::each_term(text, |term, range| terms.push((term.to_owned(), range)));
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in 0..terms.len() {
        let matched = wanted.iter().find(|words| stands(words, &terms[at..]));
        if let Some(words) = matched {
            let last = &terms[at + words.terms.len() - 1].1;
            found.push(terms[at].1.start..last.end);
        }
    }
    found
}

fn stands(words: &Words, terms: &[(String, Range<usize>)]) -> bool {
    let count = words.terms.len();
    terms.len() >= count
        && words
            .terms
            .iter()
            .zip(terms)
            .enumerate()
            .all(|(place, (wanted, (term, _)))| {
                if words.is_prefix && place + 1 == count {
                    term.starts_with(wanted.as_str())
                } else {
                    term == wanted
                }
            })
}

fn push_line(line: &mut String, text: &str) {
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            if !line.ends_with(' ') {
                line.push(' ');
            }
        } else {
            line.push(character);
        }
    }
}

/// So many characters back, at the beginning of a word if one is near.
fn back(text: &str, from: usize, characters: usize) -> usize {
    let mut at = from;
    for (index, character) in text[..from].char_indices().rev().take(characters) {
        at = index;
        if character == '\n' && text[index..from].trim().len() > characters / 2 {
            break;
        }
    }
    at
}

fn forth(text: &str, from: usize, characters: usize) -> usize {
    let end = text[from..].char_indices().nth(characters);
    end.map_or(text.len(), |(at, _)| from + at)
}
