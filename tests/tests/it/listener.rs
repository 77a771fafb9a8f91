//! Mail servers hand mail to us over real sockets: our own client, lettre, and Debian's Postfix.

mod crash;
mod hostile;
mod postfix;
mod story;
mod tls;
mod trouble;

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::Child,
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
use tierdesk_tests::{Program, TestDesk};
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

/// `serve` with a listener on a port that the system chose.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn start(program: &Program, protocol: &str, arguments: &[&str]) -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start_at(anywhere, program, protocol, arguments)
    }

    fn start_at(at: SocketAddr, program: &Program, protocol: &str, arguments: &[&str]) -> Self {
        let program = program
            .clone()
            .with("TIERDESK_MAIL__LISTENER__0__PROTOCOL", protocol)
            .with("TIERDESK_MAIL__LISTENER__0__ADDRESS", at.to_string());
        let mut child = program.start(arguments);
        let mut words = BufReader::new(child.stderr.take().expect("it is piped"));
        let mark = format!("{} on ", protocol.to_uppercase());
        let mut line = String::new();
        let address = loop {
            line.clear();
            let read = words.read_line(&mut line).expect("it can be read");
            assert!(read > 0, "it ended before it listened");
            if let Some((_, rest)) = line.split_once(&mark) {
                let end = rest.find([',', ' ']).unwrap_or(rest.len());
                let address = rest[..end].trim_end().trim_end_matches('.');
                break address.parse().expect("an address");
            }
        };
        // Whatever it says later must not stop it because nobody reads.
        std::thread::spawn(move || std::io::copy(&mut words, &mut std::io::sink()));
        Self { child, address }
    }

    /// Whether it ended by itself, without an exit code, as a crash does.
    fn has_crashed(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.code().is_none();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
