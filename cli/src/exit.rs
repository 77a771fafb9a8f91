//! Exit codes, those of sysexits where a mail server reads them.

use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked is done.
    Done,
    /// It failed, or was refused.
    Failed,
    /// The arguments do not fit.
    Usage,
    /// There was nothing to keep (EX_DATAERR).
    Empty,
    /// Try again later; nothing is lost (EX_TEMPFAIL).
    TryAgain,
    /// The actor lacks the right (EX_NOPERM).
    NotPermitted,
}

impl Exit {
    /// What a mail server may be told: safe, nothing to keep, or try again.
    pub(crate) fn for_delivery(self) -> Self {
        match self {
            Self::Done | Self::Empty => self,
            _ => Self::TryAgain,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Empty => 65,
            Exit::TryAgain => 75,
            Exit::NotPermitted => 77,
        })
    }
}
