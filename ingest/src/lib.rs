//! Mail comes in: reading mailboxes on disk and on servers, listening to mail servers, parsing,
//! classification, sameness.
//!
//! Everything here treats a mail as hostile. [`parse::parse`] is total: any bytes give a
//! [`Mail`](tierdesk_core::mail::Mail) within the bounds of [`limits`], and what a bound left out
//! is said in its findings. The MIME tree is split here, over slices of the raw bytes and to a
//! fixed depth; `mail-parser` reads single header values and transfer encodings only, so no
//! structure it could get wrong is ever walked.

pub mod authentication_results;
mod bounce;
mod calendar;
pub mod classify;
mod decoding;
pub mod edge_check;
mod encoded_words;
pub mod fields;
pub mod fingerprint;
mod forwarded;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod html_text;
pub mod imap;
pub mod import;
pub mod limits;
pub mod listener;
mod media;
pub mod oauth;
pub mod parse;
pub mod process;
pub mod reader;
pub mod reply_text;
pub mod sources;
mod structure;
mod tnef;
pub mod watch;
