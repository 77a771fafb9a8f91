//! Mails that are made to cost time or memory, built in code: what somebody would send who has read
//! how mail is read.
//!
//! Every one is delivered through the program by `program::bombs` (memory, and that it is kept) and
//! by the benchmark `bombs` (time). To add one: a line in a table of the files below, with a name
//! that says what is in it.

mod bodies;
mod headers;
mod html;
mod structure;

/// A name and what makes the mail.
pub type Bomb = (&'static str, fn() -> Vec<u8>);

/// What a mail may cost the program that takes it, from its start to its end: MB of memory.
pub const MEMORY_MB: u64 = 200;

/// The same in seconds, of a release build.
pub const SECONDS: f64 = 2.0;

/// The most that one is read of: 25 MB.
const WHOLE: usize = 25 << 20;

/// Those that lie in how parts lie in one another.
pub const STRUCTURE: &[Bomb] = structure::BOMBS;
/// Those that lie in the header block.
pub const HEADERS: &[Bomb] = headers::BOMBS;
/// Those that lie in text and its encodings.
pub const BODIES: &[Bomb] = bodies::BOMBS;
/// Those that lie in HTML.
pub const HTML: &[Bomb] = html::BOMBS;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Bomb> {
    [STRUCTURE, HEADERS, BODIES, HTML].into_iter().flatten()
}

/// The mail, with its name as the subject: two that differ in other headers only would be copies.
pub fn made((name, make): &Bomb) -> Vec<u8> {
    let mut raw = make();
    if let Some(rest) = raw.strip_prefix(HEAD) {
        raw = [HEAD, name.as_bytes(), rest].concat();
    }
    raw
}

/// How they begin; the subject is not finished.
const HEAD: &[u8] =
    b"From: Mallory <mallory@evil.example>\r\nTo: support@securebase.example\r\nSubject: ";

/// A mail whose head ends with `rest`, which may go on into the body.
fn mail(rest: impl AsRef<[u8]>) -> Vec<u8> {
    [HEAD, b"\r\nMIME-Version: 1.0\r\n", rest.as_ref()].concat()
}

/// `head`, then `piece` over and over until the whole is `size` bytes long.
fn filled(head: impl AsRef<[u8]>, piece: impl AsRef<[u8]>, size: usize) -> Vec<u8> {
    let mut raw = mail(head);
    let (room, piece) = (size.saturating_sub(raw.len()), piece.as_ref());
    raw.extend(piece.repeat(room.div_ceil(piece.len())));
    raw.truncate(size);
    raw
}

/// `head`, then what `piece` makes of each number.
fn numbered(head: &str, count: usize, piece: impl Fn(usize) -> String) -> Vec<u8> {
    let mut raw = mail(head);
    (0..count).for_each(|number| raw.extend(piece(number).bytes()));
    raw
}
