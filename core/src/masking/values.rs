//! Questions about bytes that several rules ask.

/// How much of a value is looked at before deciding. A rule that read further and then declined
/// would make the whole scan quadratic.
pub(super) const DECISION: usize = 512;

pub(super) fn alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

pub(super) fn word(byte: u8) -> bool {
    alnum(byte) || byte == b'_'
}

pub(super) fn dashed(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

pub(super) fn base64(byte: u8) -> bool {
    alnum(byte) || matches!(byte, b'+' | b'/' | b'=')
}

pub(super) fn hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// The byte before `at`.
pub(super) fn before(text: &[u8], at: usize) -> Option<u8> {
    text.get(at.checked_sub(1)?).copied()
}

/// The end of the run of `class` that begins at `start`, looking at most at `most` bytes.
pub(super) fn run_end(text: &[u8], start: usize, most: usize, class: fn(u8) -> bool) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    start
        + rest
            .iter()
            .take(most)
            .take_while(|byte| class(**byte))
            .count()
}

/// What a value is made of.
#[derive(Default)]
pub(super) struct Make {
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) digits: usize,
    pub(super) other: usize,
    pub(super) distinct: u32,
}

impl Make {
    pub(super) fn of(value: &[u8]) -> Self {
        let mut make = Self::default();
        let mut seen = [false; 256];
        for &byte in value {
            match byte {
                b'A'..=b'Z' => make.upper += 1,
                b'a'..=b'z' => make.lower += 1,
                b'0'..=b'9' => make.digits += 1,
                _ => make.other += 1,
            }
            if !std::mem::replace(&mut seen[usize::from(byte)], true) {
                make.distinct += 1;
            }
        }
        make
    }

    pub(super) fn letters(&self) -> usize {
        self.upper + self.lower
    }
}

/// Not a placeholder like `xxxxxxxx`.
pub(super) fn is_varied(value: &[u8]) -> bool {
    Make::of(value.get(..64).unwrap_or(value)).distinct >= 6
}

/// 8-4-4-4-12: names things, opens nothing.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => hex(*byte),
        })
}

/// Skips spaces, tabs and no-break spaces, at most eight.
pub(super) fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    for _ in 0..8 {
        at += match text.get(at..) {
            Some([b' ' | b'\t', ..]) => 1,
            Some([0xC2, 0xA0, ..]) => 2,
            _ => break,
        };
    }
    at
}

/// Whether a word ends here: white space, a no-break space or the end of the text.
pub(super) fn is_blank(text: &[u8], at: usize) -> bool {
    match text.get(at..) {
        Some([0xC2, 0xA0, ..] | []) | None => true,
        Some([byte, ..]) => byte.is_ascii_whitespace(),
    }
}
