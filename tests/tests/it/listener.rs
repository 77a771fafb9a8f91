//! Mail servers hand mail to us over real sockets: our own client, lettre, and Debian's Postfix.

mod crash;
mod hostile;
mod postfix;
mod story;
mod tls;
mod trouble;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tierdesk_core::{
    clock::Clock,
    desk::Desk,
    mail::SenderCheck,
    settings::{MailListener, MailProtocol},
};
use tierdesk_ingest::listener::{Listener, Patience, intake::Intake};
use tierdesk_tests::TestDesk;
use tokio_util::sync::CancellationToken;

const SUPPORT: &str = "support@securebase.example";

fn settings(protocol: MailProtocol) -> MailListener {
    MailListener {
        protocol,
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        recipients: vec!["help@securebase.example".to_owned()],
        sender_check: match protocol {
            MailProtocol::Lmtp => SenderCheck::Authserv,
            MailProtocol::Smtp => SenderCheck::Edge,
        },
        tls: None,
        max_connections: 64,
        hostname: None,
    }
}

/// A listener in this process, without a worker: what it takes waits.
struct Listening {
    address: SocketAddr,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
    committing: tokio::task::JoinHandle<()>,
}

impl Listening {
    async fn start(test: &TestDesk, settings: &MailListener, patience: Patience) -> Self {
        // The real clock: when rows were stored tells which commit they were in.
        let desk = Desk::new(test.open_again(Clock::System, None).await);
        let listener = Listener::open(settings, SUPPORT).await;
        let listener = listener.expect("it listens").patient(patience);
        let (intake, committer) = Intake::new(Arc::new(desk));
        let stop = CancellationToken::new();
        Self {
            address: listener.address(),
            running: tokio::spawn(listener.run(intake, stop.clone())),
            committing: tokio::spawn(committer.run()),
            stop,
        }
    }

    async fn lmtp(test: &TestDesk) -> Self {
        Self::start(test, &settings(MailProtocol::Lmtp), Patience::default()).await
    }

    /// Both tasks end by themselves once they are told to.
    async fn end(self) {
        self.stop.cancel();
        let both = async { tokio::join!(self.running, self.committing) };
        let (one, other) = tokio::time::timeout(Duration::from_secs(10), both)
            .await
            .expect("it ends");
        one.and(other).expect("nothing panicked");
    }
}

/// Waits until `is_so`, for half a minute at most.
async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
