//! The bounds within which a mail is read, checked before any parser sees the bytes.
//!
//! A mail that meets one is still read as far as the bound allows, is marked truncated and says in
//! its findings what was left out; the raw mail is kept whole by whoever stores it.

/// The longest mail that is read whole, in bytes; of a longer one, this much is read.
pub const MAIL_BYTES: usize = 25 * 1024 * 1024;

/// The longest header block, in bytes, of a mail or of one part. Real ones stay under 64 KB; the
/// rest is room for long recipient lists.
pub const HEADER_BYTES: usize = 256 * 1024;

/// The most header fields in one block.
pub const HEADER_FIELDS: usize = 1_000;

/// The most MIME parts in a mail, containers and the parts of attached mails included.
pub const PARTS: usize = 1_000;

/// How deep MIME parts may lie in one another.
pub const DEPTH: usize = 20;

/// The most decoded body text in bytes, plain and HTML together.
pub const TEXT_BYTES: usize = 10 * 1024 * 1024;

/// The most HTML in bytes that is laid out, all parts of a mail together; from what does not fit only the
/// tags are removed.
pub const HTML_BYTES: usize = 1024 * 1024;

/// The longest calendar in bytes that is put into words; of a longer one, this much.
pub(crate) const CALENDAR_BYTES: usize = 256 * 1024;

/// The most ids kept of one References header.
pub const MESSAGE_IDS: usize = 1_000;

/// The longest attachment name, in characters.
pub const NAME_CHARS: usize = 255;

/// The most parameters read of a Content-Type or Content-Disposition: the library joins
/// continuations (RFC 2231) in quadratic time.
pub(crate) const PARAMETERS: usize = 64;

/// The longest Content-Type or Content-Disposition value that is read, in bytes.
pub(crate) const PARAMETER_BYTES: usize = 16 * 1024;

/// How often one address header may be scanned over for encoded words: the library scans on to
/// the end of the header for each word that does not end.
pub(crate) const ENCODED_WORD_SCANS: usize = 16;

/// The longest file read from a mailbox in bytes; of a longer one the beginning is handed over.
pub const SOURCE_BYTES: u64 = 64 * 1024 * 1024;
