//! Mail servers hand mail to us: SMTP (RFC 5321), where we are the one that the world sends to, and
//! LMTP (RFC 2033), behind a mail server of our own.
//!
//! What always holds:
//! - A mail is acknowledged after its commit, never before; on any doubt the client is told to send
//!   it again (451), and a copy changes nothing.
//! - Only configured recipients are taken. Nothing is passed on.
//! - Whatever a client does is bounded: connections, bytes, commands, errors, recipients and time.
//!
//! [`session`] says what is answered, without reading, writing or waiting; `connection` drives it;
//! [`intake`] commits. No Received header is added: the bytes are kept exactly as they came, because
//! signatures and the sameness of a second try are about those bytes, and nothing is passed on that
//! a trace would help; client, envelope and time stand beside them in the inbox.
//!
//! To add an extension: a line in the session's `offer`, what it changes in the session, a case in
//! its tests.

mod connection;
mod content;
mod gate;
pub mod intake;
mod recipients;
mod reply;
pub mod session;
mod tls;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tierdesk_core::{mail::SenderCheck, settings::MailListener};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use self::{connection::Door, gate::Gate, intake::Intake, session::Rules};
pub use self::{recipients::Recipients, tls::CertificateError};
use crate::limits;

/// How long clients are waited for, and how much mail is held for all of them.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Without a byte. RFC 5321, 4.5.3.2.7 asks for five minutes at least.
    pub idle: Duration,
    /// For one command, however many bytes come meanwhile.
    pub command: Duration,
    /// For one mail.
    pub content: Duration,
    /// For a whole connection.
    pub session: Duration,
    /// For a TLS handshake.
    pub handshake: Duration,
    /// For a client to take a reply.
    pub write: Duration,
    /// The bytes of mail that all connections may hold together.
    pub held_bytes: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            idle: Duration::from_mins(5),
            command: Duration::from_mins(5),
            content: Duration::from_mins(15),
            session: Duration::from_hours(1),
            handshake: Duration::from_secs(30),
            write: Duration::from_mins(1),
            held_bytes: 512 * 1024 * 1024,
        }
    }
}

/// Why a listener does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else does.
    #[error("{address} is taken: another program listens there")]
    Taken {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The system refuses.
    #[error("the system does not let this program listen on {address}")]
    Refused {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate is of no use.
    #[error("the listener on {address} has no certificate")]
    Certificate {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: CertificateError,
    },
}

/// A socket that is open, and what is answered there.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    rules: Arc<Rules>,
    tls: Option<TlsAcceptor>,
    check: SenderCheck,
    gate: Arc<Gate>,
    patience: Patience,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Display for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.rules.protocol, self.address)
    }
}

/// The wait after the system had no connection for us: it has no file left, say.
const PAUSE_ON_FAULT: Duration = Duration::from_millis(200);

impl Listener {
    /// Opens the socket. `support` is `mail.address`, which is always taken.
    pub async fn open(settings: &MailListener, support: &str) -> Result<Self, ListenError> {
        let address = settings.address;
        let tls = settings.tls.as_ref().map(tls::acceptor).transpose();
        let tls = tls.map_err(|source| ListenError::Certificate { address, source })?;
        let socket = TcpListener::bind(address).await.map_err(|source| {
            if source.kind() == io::ErrorKind::AddrInUse {
                ListenError::Taken { address, source }
            } else {
                ListenError::Refused { address, source }
            }
        })?;
        let address = socket.local_addr().unwrap_or(address);
        let own_domain = support
            .rsplit_once('@')
            .map_or("localhost", |(_, name)| name);
        let configured = settings.recipients.iter().map(String::as_str);
        let rules = Rules {
            protocol: settings.protocol,
            hostname: settings
                .hostname
                .clone()
                .unwrap_or_else(|| own_domain.to_owned()),
            recipients: Recipients::new(configured.chain([support])),
            mail_bytes: limits::MAIL_BYTES,
            has_tls: tls.is_some(),
        };
        Ok(Self {
            socket,
            address,
            rules: Arc::new(rules),
            tls,
            check: settings.sender_check,
            gate: Gate::new(settings.max_connections),
            patience: Patience::default(),
        })
    }

    /// With other limits.
    #[must_use]
    pub fn patient(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes connections until `stop`; then mails in hand are answered and the rest is told to come
    /// back later.
    pub async fn run(self, intake: Intake, stop: CancellationToken) {
        let door = Door {
            rules: self.rules,
            tls: self.tls,
            intake,
            patience: self.patience,
            check: self.check,
            address: self.address,
            stop: stop.clone(),
        };
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                Some(ended) = connections.join_next(), if !connections.is_empty() => {
                    if let Err(fault) = ended {
                        tracing::error!(listener = %self.address, %fault, "a connection panicked");
                    }
                    continue;
                }
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let peer = peer.ip().to_canonical();
                    if let Some(pass) = self.gate.enter(peer) {
                        connections.spawn(connection::serve(door.clone(), stream, peer, pass));
                    } else {
                        tracing::warn!(listener = %self.address, "too many connections; one was turned away");
                        let mut words = Vec::new();
                        reply::TOO_MANY_CONNECTIONS.write(&mut words);
                        // It fits into an empty buffer; nobody is waited for.
                        let _ = stream.try_write(&words);
                    }
                }
                Err(error) => {
                    tracing::warn!(listener = %self.address, %error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE_ON_FAULT).await;
                }
            }
        }
        // No new ones from here on; those that are there have seen `stop` as well.
        drop((door, self.socket));
        while connections.join_next().await.is_some() {}
    }
}
