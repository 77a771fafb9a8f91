//! Cutting a caller off at a call, as a power cut would.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where: the call never returns.
#[derive(Debug)]
pub(super) struct Cut {
    at: u64,
    has_acted: bool,
    changes: AtomicU64,
}

impl Cut {
    pub(super) const fn new(at: u64, has_acted: bool) -> Self {
        Self {
            at,
            has_acted,
            changes: AtomicU64::new(0),
        }
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    pub(super) async fn around<T>(&self, call: impl Future<Output = T>) -> T {
        let is_here = self.changes.fetch_add(1, Ordering::SeqCst) + 1 == self.at;
        if is_here && !self.has_acted {
            return std::future::pending().await;
        }
        let answer = call.await;
        if is_here {
            return std::future::pending().await;
        }
        answer
    }
}
