//! One connection: the session machine between a socket and the intake, with every wait bounded.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tierdesk_core::{
    desk::store_arrival::NewArrival,
    fault,
    mail::{Client, Envelope, SenderCheck},
    receive::Road,
    settings::MailProtocol,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    Patience,
    gate::Pass,
    intake::Intake,
    session::{Ending, Rules, Session, Step, Submission, Verdict},
};
use crate::process;

/// Bytes read at once.
const READ_BYTES: usize = 32 * 1024;
/// From here on, hashing and compressing a mail takes long enough to be kept off the tasks that
/// serve other connections.
const LARGE: usize = 256 * 1024;

/// What all connections of a listener share.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) rules: Arc<Rules>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) intake: Intake,
    pub(super) patience: Patience,
    pub(super) check: SenderCheck,
    pub(super) address: SocketAddr,
    pub(super) stop: CancellationToken,
}

/// How a conversation went on.
enum Turn {
    Over,
    StartTls,
}

/// A connection under way.
struct Connection<'d> {
    door: &'d Door,
    peer: IpAddr,
    pass: Pass,
    session: Session,
    out: Vec<u8>,
    began: Instant,
}

/// Serves one connection to its end. What the network does is no fault of ours.
pub(super) async fn serve(door: Door, stream: TcpStream, peer: IpAddr, pass: Pass) {
    let mut connection = Connection {
        door: &door,
        peer,
        pass,
        session: Session::new(Arc::clone(&door.rules)),
        out: Vec::new(),
        began: Instant::now(),
    };
    if let Err(error) = connection.run(stream).await {
        tracing::debug!(listener = %door.address, %error, "a connection ended early");
    }
}

impl Connection<'_> {
    async fn run(&mut self, mut stream: TcpStream) -> io::Result<()> {
        // Replies are small, and each is waited for.
        stream.set_nodelay(true)?;
        self.session.greet(&mut self.out);
        let turn = self.converse(&mut stream).await?;
        let (Turn::StartTls, Some(acceptor)) = (turn, &self.door.tls) else {
            return hang_up(&mut stream).await;
        };
        let handshake = timeout(self.door.patience.handshake, acceptor.accept(stream));
        let mut stream = handshake.await.map_err(io::Error::from)??;
        self.session.start_tls();
        self.converse(&mut stream).await?;
        hang_up(&mut stream).await
    }

    /// Talks until one side ends it, or TLS is to begin.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
    ) -> io::Result<Turn> {
        let mut buffer = vec![0; READ_BYTES];
        let mut progress = (Instant::now(), self.session.commands());
        loop {
            self.send(stream).await?;
            if progress.1 != self.session.commands() {
                progress = (Instant::now(), self.session.commands());
            }
            let read = tokio::select! {
                read = timeout_at(self.deadline(progress.0), stream.read(&mut buffer)) => read,
                () = self.door.stop.cancelled() => return self.end(Ending::Stopping, stream).await,
            };
            let Ok(read) = read else {
                return self.end(Ending::TimedOut, stream).await;
            };
            let mut rest = &buffer[..read?];
            if rest.is_empty() {
                return Ok(Turn::Over);
            }
            while !rest.is_empty() {
                let (taken, step) = self.session.receive(rest, &mut self.out);
                rest = &rest[taken..];
                match step {
                    Step::Read => {}
                    Step::StartTls => {
                        self.send(stream).await?;
                        return Ok(Turn::StartTls);
                    }
                    Step::Store(submission) => {
                        self.send(stream).await?;
                        let verdict = self.store(submission).await;
                        self.session.settle(verdict, &mut self.out);
                        self.send(stream).await?;
                        fault::point("listener.replied");
                        progress.0 = Instant::now();
                    }
                    Step::Close => {
                        self.send(stream).await?;
                        return Ok(Turn::Over);
                    }
                }
            }
            if self.pass.hold(self.session.held()) > self.door.patience.held_bytes {
                self.session.let_go();
                self.pass.hold(0);
            }
        }
    }

    /// Until when the client may be silent, or busy without getting anywhere: a byte now and then
    /// keeps no connection open.
    fn deadline(&self, progress: Instant) -> Instant {
        let patience = &self.door.patience;
        let slow = if self.session.is_in_content() {
            patience.content
        } else {
            patience.command
        };
        let silent = Instant::now() + patience.idle;
        silent
            .min(progress + slow)
            .min(self.began + patience.session)
    }

    async fn end<S: AsyncWrite + Unpin>(
        &mut self,
        why: Ending,
        stream: &mut S,
    ) -> io::Result<Turn> {
        self.session.end(why, &mut self.out);
        self.send(stream).await?;
        Ok(Turn::Over)
    }

    /// Sends what there is to say. A client that does not read is not written for.
    async fn send<S: AsyncWrite + Unpin>(&mut self, stream: &mut S) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let write = async {
            stream.write_all(&self.out).await?;
            stream.flush().await
        };
        timeout(self.door.patience.write, write)
            .await
            .map_err(io::Error::from)??;
        self.out.clear();
        Ok(())
    }

    /// Hands a mail in. Its bytes count as held until it is answered.
    async fn store(&mut self, submission: Submission) -> Verdict {
        let Submission {
            from,
            recipients,
            helo,
            content,
        } = submission;
        self.pass.hold(content.len());
        let (road, client) = match self.door.rules.protocol {
            // The one that connects is our own server, and says nothing about the sender.
            MailProtocol::Lmtp => (Road::Lmtp, None),
            MailProtocol::Smtp => (
                Road::Smtp,
                Some(Client {
                    ip: self.peer,
                    helo,
                }),
            ),
        };
        let envelope = Envelope {
            from: Some(from),
            recipients,
            client,
            check: self.door.check,
        };
        let origin = Some(self.door.address.to_string());
        let prepare = move || {
            let hint = process::message_id_hint(&content);
            NewArrival::new(road, origin, envelope, &content, hint)
        };
        let arrival = if self.pass.held() < LARGE {
            Ok(prepare())
        } else {
            tokio::task::spawn_blocking(prepare).await
        };
        let Ok(arrival) = arrival else {
            return Verdict::NotStored;
        };
        fault::point("listener.received");
        let verdict = self.door.intake.store(arrival).await;
        self.pass.hold(0);
        verdict
    }
}

/// Ends the sending half, so that the last reply arrives before the connection goes.
async fn hang_up<S: AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    let last = Duration::from_secs(5);
    timeout(last, stream.shutdown())
        .await
        .map_err(io::Error::from)?
}
