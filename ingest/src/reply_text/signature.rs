//! The signature below a mail.
//!
//! `-- ` with its blank is what programs write (RFC 3676, section 4.3); without it a person may
//! have drawn a line, so what follows has to look like a signature. A postscript below either keeps
//! the whole.

use super::Lines;

/// A signature longer than this, in lines or bytes, is not taken for one.
const LONGEST: (usize, usize) = (20, 1_500);
/// The same in lines, below a delimiter without its blank.
const LONGEST_BARE: usize = 8;
/// Whoever writes more characters in a line of a later paragraph writes sentences.
const LINE: usize = 60;

const POSTSCRIPTS: [&str; 11] = [
    "ps", "p.s", "p. s", "pps", "nb", "n.b", "pd", "p.d", "зы", "з.ы", "追伸",
];

/// Where a signature that reaches to `end` begins.
pub(super) fn ending_at(lines: &Lines<'_>, end: usize) -> Option<usize> {
    let first = end.saturating_sub(LONGEST.0 + 1);
    let start = (first..end)
        .rev()
        .find(|&index| matches!(lines.line(index), "-- " | "--"))?;
    // Its length comes first: what follows looks at every byte.
    let is_short = lines.offset(end) - lines.offset(start) <= LONGEST.1;
    let is_program = lines.line(start) == "-- ";
    (is_short
        // Between a delimiter and the end nothing is quoted, or somebody answers below it.
        && !(start..end).any(|index| lines.is_quoted(index))
        && !says_more(lines, start + 1, end)
        && (is_program || looks_like_one(lines, start + 1, end)))
    .then_some(start)
}

/// Whether a postscript or a later paragraph speaks to the reader.
fn says_more(lines: &Lines<'_>, start: usize, end: usize) -> bool {
    let mut is_later = false;
    (start..end).any(|index| {
        let line = lines.line(index).trim();
        is_later |= line.is_empty();
        is_postscript(line)
            || (is_later && (line.ends_with(['!', '?', '！', '？']) || line.chars().count() > LINE))
    })
}

fn is_postscript(line: &str) -> bool {
    let line = line.to_lowercase();
    POSTSCRIPTS.iter().any(|begin| {
        line.strip_prefix(begin).is_some_and(|rest| {
            *begin == "追伸" || !rest.starts_with(|next: char| next.is_alphanumeric())
        })
    })
}

fn looks_like_one(lines: &Lines<'_>, start: usize, end: usize) -> bool {
    end - start <= LONGEST_BARE
        && (start..end).all(|index| {
            let line = lines.line(index).trim();
            !is_list_item(line)
                && !line.ends_with([':', '!', '！'])
                && !line
                    .split_whitespace()
                    .any(|word| word.ends_with(['?', '？']))
        })
}

fn is_list_item(line: &str) -> bool {
    let after_number = line.trim_start_matches(|char: char| char.is_ascii_digit());
    let is_numbered = after_number.len() < line.len()
        && line.len() - after_number.len() <= 2
        && after_number.starts_with(['.', ')', ':']);
    is_numbered
        || ["- ", "* ", "• ", "– ", "+ ", "a) ", "[ ]"]
            .iter()
            .any(|mark| line.starts_with(mark))
}
