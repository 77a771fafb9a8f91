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
    /// The listener and its committer.
    running: tokio::task::JoinSet<()>,
}

impl Listening {
    async fn start(test: &TestDesk, settings: &MailListener, patience: Patience) -> Self {
        // The real clock: when rows were stored tells which commit they were in.
        let desk = Desk::new(test.open_again(Clock::System, None).await);
        let listener = Listener::open(settings, SUPPORT).await;
        let listener = listener.expect("it listens").patient(patience);
        let (intake, committer) = Intake::new(Arc::new(desk));
        let (stop, address) = (CancellationToken::new(), listener.address());
        let mut running = tokio::task::JoinSet::new();
        running.spawn(listener.run(intake, stop.clone()));
        running.spawn(committer.run());
        Self {
            address,
            stop,
            running,
        }
    }

    async fn lmtp(test: &TestDesk) -> Self {
        Self::start(test, &settings(MailProtocol::Lmtp), Patience::default()).await
    }

    /// Both tasks end by themselves once they are told to.
    async fn end(self) {
        self.stop.cancel();
        // A panic in one of them is a panic here.
        let both = self.running.join_all();
        let ended = tokio::time::timeout(Duration::from_secs(10), both).await;
        assert_eq!(ended.expect("it ends").len(), 2);
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

/// Keeps everybody else from writing arrivals, until it is dropped.
async fn hold_inbox(test: &TestDesk) -> Box<dyn Send> {
    use sqlx::{Connection as _, Executor as _};
    if test.url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(&test.url)
            .await
            .expect("SQLite opens the file");
        let lock = connection.execute("BEGIN IMMEDIATE").await;
        lock.expect("nobody else writes");
        return Box::new(connection);
    }
    let mut connection = sqlx::PgConnection::connect(&test.url)
        .await
        .expect("PostgreSQL answers");
    let lock = connection.execute("BEGIN; LOCK TABLE inbox IN EXCLUSIVE MODE");
    lock.await.expect("nobody else writes");
    Box::new(connection)
}
