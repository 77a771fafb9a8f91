//! Mails of all connections are committed together: a commit costs a flush of the disk, however
//! many mails are in it.
//!
//! Nothing is delayed for the sake of a larger group. What waits is committed, and what comes
//! meanwhile is the next group: with one client a group is one mail, with many it grows by itself.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{
        Desk,
        store_arrival::{self, NewArrival},
    },
    fault,
    store::StoreError,
    telemetry,
};
use tokio::sync::{mpsc, oneshot};

use super::session::Verdict;

/// Mails that may wait for a commit. More connections than this wait for a place, and read nothing
/// meanwhile.
const WAITING: usize = 512;
/// Mails in one commit.
const GROUP: usize = 250;
/// Stored bytes in one commit: larger ones would hold up every other writer.
const GROUP_BYTES: usize = 32 * 1024 * 1024;
/// How long a mail waits for a place, and then for its commit. RFC 5321, 4.5.3.2.6 has clients wait
/// ten minutes for the reply.
const PLACE_LIMIT: Duration = Duration::from_secs(30);
const COMMIT_LIMIT: Duration = Duration::from_mins(1);

/// Where connections hand mails in.
#[derive(Clone, Debug)]
pub struct Intake {
    queue: mpsc::Sender<Waiting>,
}

/// Commits what is handed in.
#[derive(Debug)]
pub struct Committer {
    desk: Arc<Desk>,
    queue: mpsc::Receiver<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    arrival: NewArrival,
    answer: oneshot::Sender<Verdict>,
}

impl Intake {
    /// One for all listeners of a process, and the task that serves it.
    pub fn new(desk: Arc<Desk>) -> (Self, Committer) {
        let (sender, queue) = mpsc::channel(WAITING);
        (Self { queue: sender }, Committer { desk, queue })
    }

    /// Hands a mail in and waits until it is known what became of it. Whatever is not known is
    /// [`Verdict::NotStored`]: the client sends the mail again, and a copy changes nothing.
    pub(super) async fn store(&self, arrival: NewArrival) -> Verdict {
        let (answer, verdict) = oneshot::channel();
        let waiting = Waiting { arrival, answer };
        match self.queue.send_timeout(waiting, PLACE_LIMIT).await {
            Ok(()) => {}
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => return Verdict::NoRoom,
            Err(mpsc::error::SendTimeoutError::Closed(_)) => return Verdict::NotStored,
        }
        match tokio::time::timeout(COMMIT_LIMIT, verdict).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) | Err(_) => Verdict::NotStored,
        }
    }
}

impl Committer {
    /// Commits until every [`Intake`] is gone.
    pub async fn run(mut self) {
        let mut group = Vec::with_capacity(GROUP);
        while self.queue.recv_many(&mut group, GROUP).await > 0 {
            while !group.is_empty() {
                let mut bytes = 0;
                let fits = |waiting: &Waiting| {
                    bytes += waiting.arrival.stored_bytes();
                    bytes <= GROUP_BYTES
                };
                let count = group.iter().map(fits).take_while(|fits| *fits).count();
                let now = group.drain(..count.max(1)).collect();
                self.commit(now).await;
            }
        }
    }

    async fn commit(&self, group: Vec<Waiting>) {
        let (arrivals, answers): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|waiting| (waiting.arrival, waiting.answer))
            .unzip();
        let storing = store_arrival::store_arrivals(&self.desk, &arrivals);
        let Ok(stored) = tokio::time::timeout(COMMIT_LIMIT, storing).await else {
            tracing::error!(
                mails = answers.len(),
                "a commit took too long; they are sent again"
            );
            return;
        };
        fault::point("listener.before_reply");
        for (answer, stored) in answers.into_iter().zip(stored) {
            // A client that has gone away sends it again.
            let _ = answer.send(verdict(&stored));
        }
    }
}

fn verdict<T>(stored: &Result<T, Arc<StoreError>>) -> Verdict {
    match stored {
        Ok(_) => Verdict::Stored,
        Err(error) => {
            let reason = telemetry::chain(error.as_ref());
            tracing::error!(
                reason,
                "a mail was not stored; its sender was told to try again"
            );
            Verdict::NotStored
        }
    }
}
