//! The line above a quote: "On … wrote:" in the languages our customers' programs speak.

use super::Lines;

/// How an attribution begins, and the verb that ends it or stands before the name.
const PATTERNS: [(&str, &str); 7] = [
    ("On ", "wrote"),
    ("Am ", "schrieb"),
    ("Le ", "a écrit"),
    ("El ", "escribió"),
    ("Em ", "escreveu"),
    ("Il ", "ha scritto"),
    ("Op ", "schreef"),
];

/// Programs wrap it over so many lines.
const LINES: usize = 3;
/// Longer ones are somebody's sentence.
const BYTES: usize = 400;

/// Where an attribution begins whose last line stands directly before `end`.
pub(super) fn ending_at(lines: &Lines<'_>, end: usize) -> Option<usize> {
    (1..=LINES.min(end))
        .map(|count| end - count)
        .find(|&start| is_attribution(lines, start, end))
}

/// Where the lines after an attribution begin that starts at `start`.
pub(super) fn starting_at(lines: &Lines<'_>, start: usize, end: usize) -> Option<usize> {
    (1..=LINES)
        .map(|count| start + count)
        .take_while(|&after| after <= end)
        .find(|&after| is_attribution(lines, start, after))
}

fn is_attribution(lines: &Lines<'_>, start: usize, end: usize) -> bool {
    if lines.offset(end) - lines.offset(start) > BYTES
        || (start..end).any(|index| lines.is_blank(index) || lines.is_quoted(index))
    {
        return false;
    }
    let words = lines.text(start, end);
    let Some(statement) = words.strip_suffix(':') else {
        return false;
    };
    let statement = statement.trim_end();
    // A date has at least a day and a time or year.
    if statement.bytes().filter(u8::is_ascii_digit).count() < 3 {
        return false;
    }
    PATTERNS.iter().any(|(begin, verb)| {
        statement.starts_with(begin)
            && match *verb {
                // The name follows the verb, as in "Am … schrieb Ann B <a@x>:".
                "schrieb" | "schreef" => has_word(statement, verb),
                _ => statement.ends_with(verb),
            }
    })
}

fn has_word(statement: &str, word: &str) -> bool {
    statement.split_whitespace().any(|found| found == word)
}
