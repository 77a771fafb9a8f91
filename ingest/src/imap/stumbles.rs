//! Mails that the server did not give, or over which the connection broke: one of them must not hold
//! up the others, and a server in trouble must not turn mail into notes of mail.

use std::collections::HashMap;

use super::{error::ImapError, session::Listed};

/// Failures after which only the headers of a mail are asked for.
const HEADERS_AFTER: u32 = 3;
/// Failures after which nothing of it is.
const NOTHING_AFTER: u32 = 6;

/// How much of a mail is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Whole,
    Headers,
    Nothing,
}

/// What went wrong since the mailbox was last read to its end.
#[derive(Debug, Default)]
pub(super) struct Stumbles {
    counts: HashMap<u32, u32>,
    is_careful: bool,
    /// Mail was marked, and the note that it is due still stands.
    pub(super) has_unsettled_marks: bool,
}

impl Stumbles {
    /// Mail is asked for one at a time, to find the one that breaks the connection.
    pub(super) fn is_careful(&self) -> bool {
        self.is_careful
    }

    pub(super) fn way(&self, uid: u32) -> Way {
        match self.counts.get(&uid).copied().unwrap_or(0) {
            ..HEADERS_AFTER => Way::Whole,
            HEADERS_AFTER..NOTHING_AFTER => Way::Headers,
            _ => Way::Nothing,
        }
    }

    /// Notes how fetching these went, and passes it on.
    pub(super) fn note<T>(
        &mut self,
        mails: &[Listed],
        result: Result<T, ImapError>,
    ) -> Result<T, ImapError> {
        if result.is_err() {
            self.is_careful = true;
            if let [one] = mails {
                *self.counts.entry(one.uid).or_default() += 1;
            }
        }
        result
    }

    /// The mailbox was read to its end, or its numbers mean other mails now.
    pub(super) fn clear(&mut self) {
        *self = Self {
            has_unsettled_marks: self.has_unsettled_marks,
            ..Self::default()
        };
    }
}
