//! What follows DATA, byte by byte.
//!
//! Only CR LF ends a line, and only CR LF . CR LF ends a mail. A CR or LF alone condemns the mail:
//! servers that disagree on whether it ends a line disagree on where a mail ends, and what one
//! takes for text another takes for commands (SMTP smuggling). What is condemned is still read to
//! its end, so that the client is told why, but nothing of it is kept.

use memchr::memchr2;

/// Why a mail that was read is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A CR or LF stands alone.
    BareLineEnd,
    /// It is longer than the limit.
    TooLarge,
    /// All connections together hold too much.
    NoRoom,
}

/// Where in a line the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    LineStart,
    Text,
    /// After a CR that should be the end of a line.
    Cr,
    /// After a dot at the start of a line.
    Dot,
    /// After that and a CR.
    DotCr,
}

/// Reads the content of one mail and takes the stuffed dots out (RFC 5321, 4.5.2).
#[derive(Debug)]
pub(super) struct Content {
    kept: Vec<u8>,
    at: At,
    read: usize,
    limit: usize,
    fault: Option<Fault>,
}

impl Content {
    /// For a mail of at most `limit` bytes; `declared` is what the client said.
    pub(super) fn new(limit: usize, declared: usize) -> Self {
        Self {
            // A claim: it saves growing, and must not cost memory that is never filled.
            kept: Vec::with_capacity(declared.min(64 * 1024)),
            at: At::LineStart,
            read: 0,
            limit,
            fault: None,
        }
    }

    /// Takes bytes. Returns how many belonged to this mail, and whether it has ended.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> (usize, bool) {
        // No further than to where it is endless, or what a client hears would depend on the pieces
        // in which its bytes arrive.
        let room = self.endless().saturating_add(1).saturating_sub(self.read);
        let bytes = &bytes[..bytes.len().min(room)];
        let mut next = 0;
        while let Some(byte) = bytes.get(next) {
            if self.at == At::Text {
                let rest = &bytes[next..];
                let plain = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                self.keep(&rest[..plain]);
                next += plain;
                if plain > 0 {
                    continue;
                }
            }
            next += 1;
            if self.step(*byte) {
                self.read += next;
                return (next, true);
            }
        }
        self.read += next;
        (next, false)
    }

    /// Whether that byte ended the mail.
    fn step(&mut self, byte: u8) -> bool {
        self.at = match (self.at, byte) {
            (At::DotCr, b'\n') => return true,
            (At::LineStart, b'.') => At::Dot,
            (At::Dot, b'\r') => At::DotCr,
            (At::Cr, b'\n') => {
                self.keep(b"\r\n");
                At::LineStart
            }
            (At::LineStart | At::Text, b'\r') => At::Cr,
            (_, b'\n') | (At::Cr | At::DotCr, _) => {
                self.condemn(Fault::BareLineEnd);
                // Whatever it was, it was no line end: a dot after it ends nothing.
                if byte == b'\r' { At::Cr } else { At::Text }
            }
            (At::LineStart | At::Text | At::Dot, other) => {
                self.keep(&[other]);
                At::Text
            }
        };
        false
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.fault.is_some() {
            return;
        }
        if self.kept.len() + bytes.len() > self.limit {
            self.condemn(Fault::TooLarge);
            return;
        }
        self.kept.extend_from_slice(bytes);
    }

    /// Keeps nothing of this mail. The first reason is the one that is told.
    pub(super) fn condemn(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
        self.kept = Vec::new();
    }

    /// How many bytes are held.
    pub(super) fn held(&self) -> usize {
        self.kept.capacity()
    }

    /// Whether so much was read that the client can no longer mean it.
    pub(super) fn is_endless(&self) -> bool {
        self.read > self.endless()
    }

    fn endless(&self) -> usize {
        self.limit.saturating_mul(4)
    }

    /// The mail, or why not.
    pub(super) fn finish(self) -> Result<Vec<u8>, Fault> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.kept),
        }
    }
}
