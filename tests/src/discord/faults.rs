//! Things that go wrong on purpose, each one once.

use std::time::Duration;

use serde_json::Value;

/// What goes wrong with the next request that fits.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// It is answered with this, and nothing is done.
    Fail { status: u16, body: Value },
    /// It is told to wait, and nothing is done.
    RateLimit {
        after: Duration,
        scope: &'static str,
    },
    /// It is left waiting so long, and done then if the caller is still there.
    Hang(Duration),
    /// It is done, and the connection is cut before the answer.
    Drop,
}

/// A trouble and what it waits for.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// `None` for any.
    pub(super) method: Option<String>,
    pub(super) pattern: String,
    pub(super) trouble: Trouble,
}

impl Fault {
    pub(super) fn fits(&self, method: &str, path: &str) -> bool {
        let is_method = self
            .method
            .as_ref()
            .is_none_or(|one| one.eq_ignore_ascii_case(method));
        is_method && fits(&self.pattern, path)
    }
}

/// Whether a path is of this pattern: the same parts, `*` for any one, `**` at the end for the rest.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.split('/').filter(|part| !part.is_empty());
    let mut given = path.split('/').filter(|part| !part.is_empty());
    loop {
        match (wanted.next(), given.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(part), Some(given)) if part == given => {}
            _ => return false,
        }
    }
}
