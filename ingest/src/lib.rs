//! Mail comes in: reading mailboxes from disk, parsing, classification, sameness.

pub mod reply_text;
