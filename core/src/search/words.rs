//! Text cut into terms: the one function that stored text and asked-for words both pass.
//!
//! A term is a run of letters and digits, folded: compatibility forms undone, case and accents
//! gone, letters with strokes as their plain ones. So an address, a host name or `SB-12` is a
//! phrase of its parts. Writing without blanks (Han, kana, Hangul, Thai) is a term a character,
//! and a word of it is a phrase, found wherever it stands.

use std::ops::Range;

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// Longer runs are cut: they are keys and encoded bytes, told apart by their beginnings.
const LONGEST_TERM: usize = 40;

/// Calls `emit` with each term and the bytes of `text` that it came from.
pub fn each_term(text: &str, mut emit: impl FnMut(&str, Range<usize>)) {
    let mut folded = String::new();
    each_chunk(text, |range| {
        let chunk = &text[range.clone()];
        folded.clear();
        if chunk.is_ascii() {
            folded.push_str(chunk);
            folded.make_ascii_lowercase();
            emit_cut(&folded, &range, &mut emit);
        } else {
            folded.extend(fold(chunk));
            split(&folded, &range, &mut emit);
        }
    });
}

/// The parts of a name in camel case, each folded: `AccessDenied` is also Access and Denied. What
/// is no such name has none.
pub fn camel_parts(word: &str) -> Vec<String> {
    let is_name = word.len() <= LONGEST_TERM && word.bytes().all(|b| b.is_ascii_alphabetic());
    if !is_name {
        return Vec::new();
    }
    let bytes = word.as_bytes();
    let is_seam =
        |at: &usize| bytes[*at - 1].is_ascii_lowercase() && bytes[*at].is_ascii_uppercase();
    let mut seams: Vec<usize> = (1..bytes.len()).filter(is_seam).collect();
    if seams.is_empty() {
        return Vec::new();
    }
    seams.push(bytes.len());
    let mut from = 0;
    let mut parts = Vec::with_capacity(seams.len());
    for seam in seams {
        parts.push(word[from..seam].to_ascii_lowercase());
        from = seam;
    }
    // Encoded bytes have seams everywhere.
    let is_sound = (2..=6).contains(&parts.len()) && parts.iter().all(|part| part.len() > 1);
    if is_sound { parts } else { Vec::new() }
}

/// Runs that can hold a term, as ranges of `text`.
pub(super) fn each_chunk(text: &str, mut emit: impl FnMut(Range<usize>)) {
    let mut begin = None;
    let mut was_single = false;
    for (at, character) in text.char_indices() {
        let belongs = if character.is_ascii() {
            character.is_ascii_alphanumeric()
        } else {
            !character.is_whitespace() && !character.is_control()
        };
        let is_single = belongs && is_single(character);
        let extends = is_combining_mark(character) || matches!(character, '\u{ff9e}' | '\u{ff9f}');
        // A character of writing without blanks stands alone, with the marks on it.
        let cuts = !belongs || ((is_single || was_single) && !extends);
        if cuts && let Some(from) = begin.take() {
            emit(from..at);
        }
        if belongs && begin.is_none() {
            begin = Some(at);
        }
        was_single = is_single || (was_single && extends);
    }
    if let Some(from) = begin {
        emit(from..text.len());
    }
}

fn split(folded: &str, range: &Range<usize>, emit: &mut impl FnMut(&str, Range<usize>)) {
    let mut begin = None;
    for (at, character) in folded.char_indices() {
        let is_letter = character.is_alphanumeric() || is_combining_mark(character);
        let is_single = is_letter && is_single(character);
        if (!is_letter || is_single)
            && let Some(from) = begin.take()
        {
            emit_cut(&folded[from..at], range, emit);
        }
        if is_single {
            emit(&folded[at..at + character.len_utf8()], range.clone());
        } else if is_letter && begin.is_none() {
            begin = Some(at);
        }
    }
    if let Some(from) = begin {
        emit_cut(&folded[from..], range, emit);
    }
}

fn emit_cut(term: &str, range: &Range<usize>, emit: &mut impl FnMut(&str, Range<usize>)) {
    let end = term.char_indices().nth(LONGEST_TERM);
    emit(&term[..end.map_or(term.len(), |(at, _)| at)], range.clone());
}

/// Folds without cutting. Composed again at the end, so that a Hangul syllable is one character
/// and a voiced kana differs from its plain one.
fn fold(text: &str) -> impl Iterator<Item = char> {
    let plain = text.nfkd().filter(|c| !is_dropped(*c));
    plain
        .flat_map(char::to_lowercase)
        .flat_map(plain_letter)
        .nfc()
}

/// Letters that decompose into nothing, as people write them who lack the key.
fn plain_letter(letter: char) -> impl Iterator<Item = char> {
    let pair = match letter {
        'ß' => ['s', 's'],
        'æ' => ['a', 'e'],
        'œ' => ['o', 'e'],
        'þ' => ['t', 'h'],
        'ł' => ['l', '\0'],
        'ø' => ['o', '\0'],
        'đ' | 'ð' => ['d', '\0'],
        'ħ' => ['h', '\0'],
        'ŧ' => ['t', '\0'],
        'ı' => ['i', '\0'],
        'ς' => ['σ', '\0'],
        other => [other, '\0'],
    };
    pair.into_iter().filter(|c| *c != '\0')
}

/// Accents, Hebrew and Arabic points, the stretch of Arabic, and what joins and cannot be seen.
/// Vowel signs of Indic scripts are letters to their readers, and stay.
fn is_dropped(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6ed}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Whether its script puts no blanks between words, or, as Hangul, sticks endings to them.
fn is_single(character: char) -> bool {
    matches!(character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9d}' | '\u{20000}'..='\u{3ffff}')
}
