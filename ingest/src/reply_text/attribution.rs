//! The line above a quote: "On … wrote:" in the languages our customers' programs speak.

use super::Lines;

/// Where the verb of an attribution stands.
#[derive(Clone, Copy)]
enum Verb {
    /// It is the last word before the colon.
    Last(&'static str),
    /// The name follows it, as in "Am … schrieb Ann B <a@x>:".
    Inside(&'static str),
}

use Verb::{Inside, Last};

/// How an attribution begins, and its verb. Where a language begins with the date or the name, the
/// beginning is empty and [`begins_with_a_date`] or the sender's address has to be there.
const PATTERNS: [(&str, Verb); 19] = [
    ("On ", Last("wrote")),
    ("Am ", Inside("schrieb")),
    ("Le ", Last("a écrit")),
    ("El ", Last("escribió")),
    ("Em ", Last("escreveu")),
    ("Il ", Last("ha scritto")),
    ("Op ", Inside("schreef")),
    ("Op ", Last("het volgende geschreven")),
    ("W dniu ", Last("pisze")),
    ("W dniu ", Last("napisał(a)")),
    ("Wiadomość napisana przez ", Inside("dniu")),
    ("", Last("napisał(a)")),
    ("", Last("написал(а)")),
    ("", Last("пишет")),
    ("", Last("写道")),
    ("在 ", Last("写道")),
    ("", Last("のメール")),
    ("Den ", Inside("skrev")),
    ("", Inside("skrev")),
];

/// The days of the week with which Gmail begins in the languages that have no "On".
const DAYS: [&str; 22] = [
    "pon", "wt", "śr", "czw", "pt", "sob", "niedz", "пн", "вт", "ср", "чт", "пт", "сб", "вс",
    "man", "tirs", "tir", "ons", "tors", "tor", "fre", "lør",
];

/// Programs wrap it over so many lines.
const LINES: usize = 4;
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
    let Some(statement) = words.strip_suffix([':', '：']) else {
        return false;
    };
    let statement = statement.trim_end();
    // A date has at least a day and a time or year.
    if statement.bytes().filter(u8::is_ascii_digit).count() < 3 {
        return false;
    }
    is_bare(statement)
        || is_turkish(statement)
        || is_a_desks(statement)
        || PATTERNS.iter().any(|(begin, verb)| {
            let is_begun = if begin.is_empty() {
                begins_with_a_date(statement) || names_sender_and_day(statement)
            } else {
                statement.starts_with(begin)
            };
            is_begun
                // "Den" begins a sentence as well; programs add the time of day.
                && (*begin != "Den " || has_clock(statement) || statement.contains(" kl"))
                && match verb {
                    Inside(verb) => has_word(statement, verb),
                    Last(verb) => statement.ends_with(verb),
                }
        })
}

/// Turkish says the day before the verb or in brackets behind it, and the name first or between.
fn is_turkish(statement: &str) -> bool {
    let is_said = statement.ends_with("yazdı") && statement.contains(" tarihinde ");
    let is_behind = statement.contains("yazdı (") && statement.ends_with(')');
    (is_said || is_behind) && has_clock(statement)
}

/// Whether it is a date, a time, a name and an address and no more: Gmail in Russian and Japanese
/// has no verb.
fn is_bare(statement: &str) -> bool {
    begins_with_a_date(statement)
        && statement.contains([':', '：'])
        && (statement.contains('年') || statement.contains(" г. "))
        && statement.ends_with('>')
        && statement.contains('<')
        && statement.contains('@')
}

/// A day of the week and a date, or a date: a number, a year of four digits somewhere, and a time.
fn begins_with_a_date(statement: &str) -> bool {
    let after_day = DAYS.iter().find_map(|day| {
        let rest = statement.strip_prefix(day)?.strip_prefix(['.', ','])?;
        Some(rest.trim_start_matches(['.', ',', ' ']))
    });
    let rest = after_day.unwrap_or(statement);
    let is_year = |digits: &str| digits.len() == 4 && digits.starts_with("20");
    rest.starts_with(|char: char| char.is_ascii_digit())
        && rest.split(|char: char| !char.is_ascii_digit()).any(is_year)
        && has_clock(rest)
}

/// Programs name the minute; people who count things above a quote do not.
fn has_clock(statement: &str) -> bool {
    statement.as_bytes().windows(4).any(|window| {
        matches!(window, [hour, b':', minute, second]
            if hour.is_ascii_digit() && minute.is_ascii_digit() && second.is_ascii_digit())
    })
}

/// Gmail in Chinese begins with the sender: "Ann <a@x> 于2026年…写道"; so do desks: "Ann <a@x> wrote on
/// 23 Nov 2026, 09:00".
fn names_sender_and_day(statement: &str) -> bool {
    let is_day = statement.contains("> 于") && statement.contains('年');
    statement.contains('@') && (is_day || has_clock(statement))
}

/// Desks, ours among them, begin with the sender and end with the day: "Ann <a@x> wrote on 23 Nov 2026,
/// 09:00 UTC".
fn is_a_desks(statement: &str) -> bool {
    statement.contains(" wrote on ") && statement.contains('@') && has_clock(statement)
}

fn has_word(statement: &str, word: &str) -> bool {
    statement.split_whitespace().any(|found| found == word)
}
