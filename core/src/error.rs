//! What a use case answers when it did not do what was asked.

use crate::{refusal::Refusal, store::StoreError};

/// What a use case answers when it did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person is told, in words that say what to do next. Not a fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A fault: logged once, with its causes.
    #[error("the desk could not do it")]
    Failed(#[from] StoreError),
}

impl Error {
    /// Whether the same may succeed later without anyone changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_transient())
    }
}
