//! What lettre's connection runs over: TCP, then TLS, and in front of both the answers as lettre can read them,
//! each one whole, and never more than the one that was asked for.

use std::{
    fmt, io, mem,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::{client::AsyncTokioStream, response::Response};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{SmtpError, answer::take_answer, step::Cause};

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection. One hold on it is lettre's, the other one the session's, which turns it to TLS.
#[derive(Clone)]
pub(super) struct Wire(Arc<Mutex<Line>>);

struct Line {
    stream: Box<dyn Stream>,
    /// What came and belongs to no answer yet.
    heard: Vec<u8>,
    /// Of the answer that is being read, what was not read yet.
    answer: Vec<u8>,
    /// The last answer, all of it.
    last: String,
    /// Why nothing can be said any more.
    broken: Option<Cause>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl Wire {
    pub(super) async fn connect(host: &str, port: u16) -> Result<Self, Cause> {
        let connecting = TcpStream::connect((host, port)).await;
        let stream = connecting.map_err(|fault| Cause::Unreachable(fault.to_string()))?;
        // A command is one small write, and its answer is waited for.
        let _ = stream.set_nodelay(true);
        Ok(Self::over(Box::new(stream)))
    }

    pub(super) fn over(stream: Box<dyn Stream>) -> Self {
        Self(Arc::new(Mutex::new(Line {
            stream,
            heard: Vec::new(),
            answer: Vec::new(),
            last: String::new(),
            broken: None,
        })))
    }

    /// Turns to TLS.
    pub(super) async fn secure(&self, host: &str, trust: &Arc<ClientConfig>) -> Result<(), Cause> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Cause::Tls(format!("{host} is no server name")))?;
        let plain = {
            let mut line = self.line();
            if !line.heard.is_empty() {
                // Whoever slips words in before the handshake must not be heard after it.
                let words = "more was said before it than asked";
                return Err(Cause::Tls(words.to_owned()));
            }
            mem::replace(&mut line.stream, Box::new(tokio::io::empty()))
        };
        let handshake = TlsConnector::from(Arc::clone(trust)).connect(name, plain);
        let stream = handshake
            .await
            .map_err(|fault| Cause::Tls(fault.to_string()))?;
        self.line().stream = Box::new(stream);
        Ok(())
    }

    /// Waits until an answer is there, which is still to be read.
    pub(super) async fn answered(&self) -> Result<Response, Cause> {
        std::future::poll_fn(|cx| self.line().poll_answer(cx)).await?;
        self.last()
    }

    /// The last answer, as it was before lettre made an error of a refusal.
    pub(super) fn last(&self) -> Result<Response, Cause> {
        let last: Result<Response, _> = self.line().last.parse();
        last.map_err(|fault| Cause::Nonsense(fault.to_string()))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        while self.answer.is_empty() {
            if self.next_answer()? {
                break;
            }
            let mut piece = [0; 4096];
            let mut piece = ReadBuf::new(&mut piece);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece));
            if read.is_err() || piece.filled().is_empty() {
                let ended = read.map_or_else(|fault| lost(&fault), |()| closed());
                return Poll::Ready(Err(self.broken.take().unwrap_or(ended)));
            }
            self.heard.extend_from_slice(piece.filled());
        }
        Poll::Ready(Ok(()))
    }

    /// Makes the next answer the one to be read, if all of it came.
    fn next_answer(&mut self) -> Result<bool, Cause> {
        let Some(answer) = take_answer(&mut self.heard)? else {
            return Ok(false);
        };
        self.answer = answer.clone().into_bytes();
        self.last = answer;
        Ok(true)
    }

    /// Whether a command is not to be said, because there is an answer already.
    fn is_answered(&mut self) -> Result<bool, Cause> {
        if !self.heard.is_empty() && self.answer.is_empty() {
            // It hangs up, or the answers no longer belong to the questions.
            let early = String::from_utf8_lossy(&self.heard);
            let early: String = early.trim().chars().take(80).collect();
            let is_refusal = self.next_answer()? && self.last.starts_with(['4', '5']);
            if !is_refusal {
                return Err(Cause::Nonsense(format!("{early}, unasked")));
            }
        }
        Ok(!self.answer.is_empty() || self.broken.is_some())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut line = self.line();
        ready!(line.poll_answer(cx)).map_err(io::Error::other)?;
        let length = into.remaining().min(line.answer.len());
        into.put_slice(&line.answer[..length]);
        line.answer.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        words: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut line = self.line();
        if line.is_answered().map_err(io::Error::other)? {
            return Poll::Ready(Ok(words.len()));
        }
        let written = match ready!(Pin::new(&mut line.stream).poll_write(cx, words)) {
            Ok(written) => written,
            Err(fault) => {
                // Whoever closes in the middle of a text may have said why.
                line.broken = Some(lost(&fault));
                words.len()
            }
        };
        if words == b"QUIT\r\n" {
            // lettre says it behind a refusal, which is what counts: nobody waits for this answer.
            line.answer = b"221 Bye\r\n".to_vec();
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut line = self.line();
        if line.broken.is_none()
            && let Err(fault) = ready!(Pin::new(&mut line.stream).poll_flush(cx))
        {
            line.broken = Some(lost(&fault));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line().stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn lost(fault: &io::Error) -> Cause {
    if fault.kind() == io::ErrorKind::UnexpectedEof {
        return closed();
    }
    Cause::Lost(fault.to_string())
}

fn closed() -> Cause {
    Cause::Lost("the other side closed it".to_owned())
}

/// Whom TLS trusts: the system's authorities, and those of a file.
pub(super) fn trust(host: &str, ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, SmtpError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let wrong = |detail: String| SmtpError::Certificates {
            path: path.display().to_string(),
            detail,
        };
        let found =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let found = found.map_err(|fault| wrong(fault.to_string()))?;
        if found.is_empty() {
            return Err(wrong("there is none in PEM".to_owned()));
        }
        for certificate in found {
            roots
                .add(certificate)
                .map_err(|fault| wrong(fault.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| SmtpError::Tls {
            host: host.to_owned(),
            detail: fault.to_string(),
        })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
