//! Mail goes out: writing letters ([`compose`]) and handing them over ([`relay`], [`send`]).
//!
//! What is sent, to whom and whether it may be is decided and committed in `tierdesk-core`; nothing here
//! reads or writes the desk but through its use cases. lettre belongs to this crate.
//!
//! To add a kind of letter: a variant of `LetterKind` in core, a folder of templates under config/mail,
//! and a line in [`templates::SHIPPED`].

pub mod compose;
pub mod page_mail;
pub mod page_webhook;
pub mod ping;
pub mod relay;
pub mod send;
pub mod templates;
pub mod webhook;
