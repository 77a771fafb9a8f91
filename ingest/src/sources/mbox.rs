//! The messages of an mbox file, one at a time.
//!
//! A message begins at a line `From sender date` that stands at the start or after an empty line.
//! `>From ` was `From ` (mboxo), `>>From ` was `>From ` (mboxrd). Content-Length is not looked at:
//! programs that rewrite a mail forget to change it.

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
};

use tierdesk_core::mail::Envelope;

use super::{RawMail, Road, SourceError};
use crate::limits;

/// A line is read in pieces of at most so many bytes.
const PIECE: u64 = 64 * 1024;

/// Whether a file that begins like this is an mbox.
pub(super) fn begins(start: &[u8]) -> bool {
    is_envelope_line(
        start
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default(),
    )
}

/// `From sender Mon Nov 23 10:20:00 2026` and its variants: with a zone, with the year elsewhere,
/// with a comma. A sentence that begins with "From" has no weekday, time and year together.
fn is_envelope_line(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return false;
    };
    if rest.len() > 500 {
        return false;
    }
    let words = || {
        rest.split(u8::is_ascii_whitespace)
            .map(|word| word.strip_suffix(b",").unwrap_or(word))
            .filter(|word| !word.is_empty())
    };
    let is_day =
        |word: &[u8]| [&b"Mon"[..], b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].contains(&word);
    let is_time = |word: &[u8]| {
        matches!(word.len(), 4..=8)
            && word.contains(&b':')
            && word
                .iter()
                .all(|byte| byte.is_ascii_digit() || *byte == b':')
    };
    let is_year = |word: &[u8]| {
        word.len() == 4
            && word.iter().all(u8::is_ascii_digit)
            && matches!(&word[..2], b"19" | b"20")
    };
    words().any(is_day) && words().any(is_time) && words().any(is_year)
}

/// A line of quoted `From `: some `>` before it.
fn is_quoted_from(line: &[u8]) -> bool {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    quotes > 0 && line[quotes..].starts_with(b"From ")
}

/// A reader of one mbox file.
#[derive(Debug)]
pub(super) struct Mbox<R> {
    reader: BufReader<R>,
    path: PathBuf,
    number: usize,
    piece: Vec<u8>,
    /// `piece` is an envelope line that has not been answered for yet.
    has_envelope_line: bool,
    is_done: bool,
}

/// A message while its lines come in.
#[derive(Default)]
struct Growing {
    bytes: Vec<u8>,
    left_out: u64,
    source_bytes: u64,
    is_after_blank: bool,
    is_line_start: bool,
}

impl<R: Read> Mbox<R> {
    pub(super) fn new(file: R, path: PathBuf) -> Self {
        Self {
            reader: BufReader::with_capacity(64 * 1024, file),
            path,
            number: 0,
            piece: Vec::new(),
            has_envelope_line: false,
            is_done: false,
        }
    }

    /// Reads a line or a piece of a long one; `false` at the end.
    fn read_piece(&mut self) -> Result<bool, SourceError> {
        self.piece.clear();
        let mut limited = (&mut self.reader).take(PIECE);
        limited
            .read_until(b'\n', &mut self.piece)
            .map_err(SourceError::read(&self.path))?;
        Ok(!self.piece.is_empty())
    }

    /// Moves on to the first envelope line; only empty lines may stand before it.
    fn find_first(&mut self) -> Result<bool, SourceError> {
        while self.read_piece()? {
            if is_envelope_line(&self.piece) {
                self.has_envelope_line = true;
                return Ok(true);
            }
            if !self.piece.trim_ascii().is_empty() {
                return Err(SourceError::NotAMailbox {
                    path: self.path.clone(),
                });
            }
        }
        Ok(false)
    }

    fn read_message(&mut self) -> Result<Option<RawMail>, SourceError> {
        if self.number == 0 && !self.find_first()? {
            return Ok(None);
        }
        if !self.has_envelope_line {
            return Ok(None);
        }
        self.has_envelope_line = false;
        self.number += 1;
        let mut mail = Growing {
            source_bytes: self.piece.len() as u64,
            ..Growing::default()
        };
        mail.is_line_start = self.piece.ends_with(b"\n");
        while self.read_piece()? {
            if mail.is_line_start && mail.is_after_blank && is_envelope_line(&self.piece) {
                self.has_envelope_line = true;
                break;
            }
            mail.take(&self.piece);
        }
        Ok(Some(mail.finish(format!(
            "{}#{}",
            self.path.display(),
            self.number
        ))))
    }
}

impl Growing {
    fn take(&mut self, piece: &[u8]) {
        self.source_bytes += piece.len() as u64;
        let is_unquoted = self.is_line_start && is_quoted_from(piece);
        let kept = &piece[usize::from(is_unquoted)..];
        self.is_after_blank = self.is_line_start && matches!(piece, b"\n" | b"\r\n");
        self.is_line_start = piece.ends_with(b"\n");
        if (self.bytes.len() + kept.len()) as u64 <= limits::SOURCE_BYTES && self.left_out == 0 {
            self.bytes.extend_from_slice(kept);
        } else {
            self.left_out += kept.len() as u64;
        }
    }

    fn finish(mut self, origin: String) -> RawMail {
        // The empty line before the next message belongs to the file.
        if self.is_after_blank && self.left_out == 0 {
            let end = if self.bytes.ends_with(b"\r\n") { 2 } else { 1 };
            self.bytes.truncate(self.bytes.len() - end);
        }
        RawMail {
            bytes: self.bytes,
            left_out_bytes: self.left_out,
            origin,
            road: Road::Mbox,
            envelope: Envelope::default(),
            source_bytes: self.source_bytes,
        }
    }
}

impl<R: Read> Iterator for Mbox<R> {
    type Item = Result<RawMail, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        match self.read_message() {
            Ok(Some(mail)) if mail.bytes.is_empty() => Some(Err(SourceError::Empty {
                path: mail.origin.into(),
            })),
            Ok(Some(mail)) => Some(Ok(mail)),
            Ok(None) => {
                self.is_done = true;
                None
            }
            Err(error) => {
                self.is_done = true;
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "From ann@x.example Mon Nov 23 10:20:00 2026\n";

    fn messages(text: &str) -> Vec<String> {
        Mbox::new(text.as_bytes(), "box".into())
            .map(|mail| String::from_utf8(mail.unwrap().bytes).unwrap())
            .collect()
    }

    #[test]
    fn envelope_lines_and_sentences() {
        for line in [
            "From a@b Mon Nov 23 10:20:00 2026",
            "From - Mon Nov  2 10:20:00 2026",
            "From 17@xxx Mon Nov 23 10:20:00 +0000 2026",
            "From a@b Mon, 23 Nov 2026 10:20:00 +0100",
        ] {
            assert!(is_envelope_line(line.as_bytes()), "{line}");
        }
        for line in [
            "From Monday on we pay",
            "From: a@b",
            "From here at 10:20 in 2026",
            "Fromage",
        ] {
            assert!(!is_envelope_line(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn quoting_is_undone_and_blank_lines_are_kept_apart() {
        let text = format!(
            "{LINE}Subject: 1\n\n>From the start\n>>From two\n> From\n\n\n{LINE}Subject: 2\n\nno \
             blank\n{LINE}still 2\n\nFrom Monday on\n"
        );
        assert_eq!(
            messages(&text),
            [
                "Subject: 1\n\nFrom the start\n>From two\n> From\n\n".to_owned(),
                format!("Subject: 2\n\nno blank\n{LINE}still 2\n\nFrom Monday on\n"),
            ]
        );
    }

    #[test]
    fn origins_count_and_sizes_add_up() {
        let text = format!("{LINE}a: 1\r\n\r\nx\r\n\r\n{LINE}b: 2\r\n\r\n").replace("\r\n", "\n");
        let mails: Vec<_> = Mbox::new(text.as_bytes(), "box".into())
            .map(Result::unwrap)
            .collect();
        assert_eq!((&*mails[0].origin, &*mails[1].origin), ("box#1", "box#2"));
        let sizes: u64 = mails.iter().map(|mail| mail.source_bytes).sum();
        assert_eq!(sizes, text.len() as u64);
    }

    #[test]
    fn what_is_no_mbox_says_so_once() {
        let mut mbox = Mbox::new(&b"hello\n"[..], "box".into());
        assert!(matches!(
            mbox.next(),
            Some(Err(SourceError::NotAMailbox { .. }))
        ));
        assert!(mbox.next().is_none());
        assert!(messages("").is_empty());
    }

    #[test]
    fn a_message_beyond_the_limit_is_cut_and_the_next_one_found() {
        let body = std::iter::repeat_n(&b"xxxxxxxxx\n"[..], 7 << 20)
            .flatten()
            .copied();
        let mut text = format!("{LINE}a: 1\n\n").into_bytes();
        text.extend(body);
        text.extend(format!("\n{LINE}b: 2\n").bytes());
        let mails: Vec<_> = Mbox::new(&*text, "box".into())
            .map(Result::unwrap)
            .collect();
        assert!(mails[0].bytes.len() as u64 <= limits::SOURCE_BYTES);
        assert!(mails[0].left_out_bytes > 0);
        assert_eq!(mails[1].bytes, b"b: 2\n");
    }
}
