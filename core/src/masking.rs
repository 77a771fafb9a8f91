//! Takes secrets out of mail text before it is stored, indexed or shown.
//!
//! People mail keys and passwords. What is recognised is replaced by a note of its kind, with no
//! part of the secret in it; the sealed raw mail keeps the original. This is a second line: it
//! knows shapes, not meanings, and never justifies showing more than a tier's disclosure allows.
//!
//! Linear time: a table of byte pairs passes over most of the text, and no rule looks
//! further than a fixed distance before it has decided. Masked text masks to itself. To add a
//! shape, add a line to the table in `masking/leads.rs` and an example to the tests.

mod assigned;
mod card;
mod kind;
mod leads;
mod pem;
mod tokens;
mod values;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap};

pub use self::kind::SecretKind;

/// A text without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked<'a> {
    /// The text; borrowed when nothing was found.
    pub text: Cow<'a, str>,
    /// What was found and how often, each kind once, in the order of [`SecretKind`].
    pub found: Vec<(SecretKind, usize)>,
}

/// A secret in the text: byte offsets.
struct Span {
    kind: SecretKind,
    start: usize,
    end: usize,
}

/// How far after a word like `secret` a bare AWS secret key is looked for, in bytes.
const CONTEXT: usize = 160;

/// A replacement can lay bare the boundary of a secret that touched it, so a text in which
/// something was found is looked at again, this often at most: without the limit a chain of such
/// neighbours would cost quadratic time.
const PASSES: usize = 8;

/// Replaces every secret by `[masked: kind]`.
pub fn mask(text: &str) -> Masked<'_> {
    let mut counts = BTreeMap::new();
    let mut masked = Cow::Borrowed(text);
    for _ in 0..PASSES {
        let spans = find(masked.as_bytes());
        if spans.is_empty() {
            break;
        }
        for span in &spans {
            *counts.entry(span.kind).or_insert(0) += 1;
        }
        masked = Cow::Owned(replace(&masked, &spans));
    }
    Masked {
        text: masked,
        found: counts.into_iter().collect(),
    }
}

fn replace(text: &str, spans: &[Span]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for span in spans {
        // Rules end at ASCII bytes or at the end of a word, which are boundaries already.
        let start = text.floor_char_boundary(span.start);
        masked.push_str(text.get(copied..start).unwrap_or_default());
        masked.push_str(kind::OPENING);
        masked.push_str(span.kind.as_str());
        masked.push(']');
        copied = text.ceil_char_boundary(span.end);
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    masked
}

/// The secrets from left to right, none overlapping.
fn find(text: &[u8]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let (mut at, mut context_until, mut covered) = (0, 0, 0);
    while at + 1 < text.len() {
        if text[at] == b'['
            && let Some(length) = kind::replacement_length(&text[at..])
        {
            at += length;
            continue;
        }
        let may_lead = leads::may_start(text[at], text[at + 1]);
        if !may_lead && at >= context_until {
            at += 1;
            continue;
        }
        let mut found = None;
        if may_lead {
            let hit = leads::at(text, at);
            if hit.gives_context {
                context_until = at + CONTEXT;
            }
            found = hit.span.filter(|span| span.start >= covered);
        }
        if found.is_none() && at < context_until {
            found = tokens::aws_secret_key(text, at);
        }
        match found {
            Some(span) => {
                at = span.end.max(at + 1);
                covered = span.end;
                spans.push(span);
            }
            None => at += 1,
        }
    }
    spans
}
