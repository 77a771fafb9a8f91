//! The connection: where to, whether it may be without TLS, whom TLS trusts, and how much may come
//! in at once.

use std::{
    io,
    net::IpAddr,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::error::ImapError;

/// How long connecting and the TLS handshake may take, each.
const CONNECT: Duration = Duration::from_secs(20);

/// A server to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    /// TLS from the first byte; otherwise STARTTLS.
    pub(super) is_tls: bool,
    /// Nobody logs in without TLS.
    pub(super) must_have_tls: bool,
}

impl Server {
    /// Reads `imaps://HOST[:PORT]`; what stands before an `@` or behind a `/` is not used.
    pub(super) fn parse(url: &str) -> Result<Self, ImapError> {
        let wrong = || {
            ImapError::Address(
                "mail.imap url names no server; write imaps://HOST or imaps://HOST:PORT".to_owned(),
            )
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let is_tls = scheme == "imaps";
        let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let usual = if is_tls { 993 } else { 143 };
        let is_bare_v6 = authority.starts_with('[') && authority.ends_with(']');
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !is_bare_v6 => (host, port.parse().map_err(|_| wrong())?),
            _ => (authority, usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong());
        }
        // Nobody else can listen in on this machine. Only its addresses count: a name can come to
        // mean another one.
        let is_here = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        Ok(Self {
            host: host.to_lowercase(),
            port,
            is_tls,
            must_have_tls: !is_here,
        })
    }
}

/// A connection, with or without TLS, that refuses more than was allowed for.
#[derive(Debug)]
pub(super) struct Socket {
    inner: Inner,
    gauge: Gauge,
}

#[derive(Debug)]
enum Inner {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Counts what comes in. A server says how long a literal is before it sends it, and the library
/// makes room for all of it at once: the announcement is looked at first.
#[derive(Debug)]
struct Gauge {
    /// Bytes that may still come before somebody asks for more.
    allowed: u64,
    /// Bytes of the literal that is being read.
    literal: u64,
    /// `{123`, as far as it was read.
    announced: Option<u64>,
    /// The announcement ended, and a line end is due.
    closed: Option<u64>,
}

impl Gauge {
    /// What a command may be answered with besides mail: flags, sizes of 100,000 mails.
    const USUAL: u64 = 16 << 20;

    fn new() -> Self {
        Self {
            allowed: Self::USUAL,
            literal: 0,
            announced: None,
            closed: None,
        }
    }

    fn read(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let more = || io::Error::new(io::ErrorKind::FileTooLarge, "more than was asked for");
        let count = bytes.len() as u64;
        self.allowed = self.allowed.checked_sub(count).ok_or_else(more)?;
        while !bytes.is_empty() {
            if self.literal > 0 {
                let part = usize::try_from(self.literal).unwrap_or(usize::MAX);
                let part = part.min(bytes.len());
                self.literal -= part as u64;
                bytes = &bytes[part..];
                continue;
            }
            let byte = bytes[0];
            bytes = &bytes[1..];
            match (byte, self.announced, self.closed) {
                (b'{', ..) => (self.announced, self.closed) = (Some(0), None),
                (b'0'..=b'9', Some(size), _) => {
                    let digit = u64::from(byte - b'0');
                    self.announced = Some(size.saturating_mul(10).saturating_add(digit));
                }
                (b'}', Some(size), _) => (self.announced, self.closed) = (None, Some(size)),
                (b'\r', None, Some(_)) => {}
                (b'\n', None, Some(size)) => {
                    self.closed = None;
                    if size > self.allowed {
                        return Err(more());
                    }
                    self.literal = size;
                }
                _ => (self.announced, self.closed) = (None, None),
            }
        }
        Ok(())
    }
}

impl Socket {
    /// Connects, with TLS at once where the server wants that.
    pub(super) async fn connect(
        server: &Server,
        trust: &Arc<ClientConfig>,
    ) -> Result<Self, ImapError> {
        let connect = TcpStream::connect((server.host.as_str(), server.port));
        let tcp = timeout(CONNECT, connect)
            .await
            .map_err(|_| ImapError::Timeout("connecting"))?
            .map_err(|source| ImapError::Io {
                doing: "connecting",
                source,
            })?;
        // A command is one small write, and its answer is waited for.
        let _ = tcp.set_nodelay(true);
        let plain = Self {
            inner: Inner::Plain(tcp),
            gauge: Gauge::new(),
        };
        if server.is_tls {
            return plain.secure(server, trust).await;
        }
        Ok(plain)
    }

    /// Turns to TLS.
    pub(super) async fn secure(
        self,
        server: &Server,
        trust: &Arc<ClientConfig>,
    ) -> Result<Self, ImapError> {
        let Inner::Plain(tcp) = self.inner else {
            return Ok(self);
        };
        let name = ServerName::try_from(server.host.clone()).map_err(|_| {
            ImapError::Address(format!("mail.imap url: {} is no server name", server.host))
        })?;
        let handshake = TlsConnector::from(Arc::clone(trust)).connect(name, tcp);
        let tls = timeout(CONNECT, handshake)
            .await
            .map_err(|_| ImapError::Timeout("turning to TLS"))?
            .map_err(|source| ImapError::Io {
                doing: "turning to TLS (ca_file names a certificate to trust)",
                source,
            })?;
        Ok(Self {
            inner: Inner::Tls(Box::new(tls)),
            gauge: Gauge::new(),
        })
    }

    /// Allows an answer of this much mail besides the usual.
    pub(super) fn allow(&mut self, mail: u64) {
        self.gauge.allowed = Gauge::USUAL.saturating_add(mail);
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match &mut self.inner {
            Inner::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Inner::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
        };
        if let Poll::Ready(Ok(())) = read {
            self.gauge.read(&buffer.filled()[before..])?;
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.inner {
            Inner::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Inner::Tls(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Inner::Tls(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Inner::Tls(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}

/// Whom TLS trusts: the system's authorities, and those of a file.
pub(super) fn trust(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, ImapError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(file) = ca_file {
        let wrong = |why: String| {
            ImapError::Address(format!("mail.imap ca_file {}: {why}", file.display()))
        };
        let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
            .map_err(|fault| wrong(fault.to_string()))?
            .collect();
        let found = found.map_err(|fault| wrong(fault.to_string()))?;
        if found.is_empty() {
            return Err(wrong("it holds no certificate in PEM".to_owned()));
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
        .map_err(|fault| ImapError::Address(format!("TLS cannot be used: {fault}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_from_their_urls() {
        for (url, host, port, is_tls) in [
            ("imaps://Mail.Example", "mail.example", 993, true),
            ("imap://mail.example", "mail.example", 143, false),
            (
                "imaps://u:p@mail.example:1993/x",
                "mail.example",
                1993,
                true,
            ),
            ("imap://[::1]:1143", "::1", 1143, false),
            ("imap://[::1]", "::1", 143, false),
        ] {
            let server = Server::parse(url).unwrap();
            let read = (server.host.as_str(), server.port, server.is_tls);
            assert_eq!(read, (host, port, is_tls), "{url}");
        }
        for url in ["imaps://", "imaps://h:x", "imaps://:1"] {
            assert!(Server::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn only_addresses_of_this_machine_may_do_without_tls() {
        let must = |url| Server::parse(url).unwrap().must_have_tls;
        assert!(!must("imap://127.0.0.1"));
        assert!(!must("imap://[::1]"));
        assert!(must("imap://localhost"));
        assert!(must("imap://192.0.2.1"));
    }

    #[test]
    fn a_literal_is_refused_when_it_is_announced() {
        let mut gauge = Gauge::new();
        gauge
            .read(b"* 1 FETCH (BODY[] {2}\r\nin {99999999}\r\n)\r\n")
            .unwrap_err();
        let mut gauge = Gauge::new();
        // Within a literal nothing is an announcement, wherever the network cut it.
        for part in [
            "* 1 FETCH (BODY[] {1",
            "3}\r",
            "\n{99999999}\r\n{",
            "1}\r\nx)\r\n",
        ] {
            gauge.read(part.as_bytes()).unwrap();
        }
        assert_eq!(gauge.literal, 0);
        let huge = format!("* 1 FETCH (BODY[] {{{}}}\r\n", u64::MAX);
        gauge.read(huge.as_bytes()).unwrap_err();
    }

    #[test]
    fn an_answer_may_not_go_on_for_ever() {
        let mut gauge = Gauge::new();
        let line = vec![b'x'; 1 << 20];
        let taken = (0..100).take_while(|_| gauge.read(&line).is_ok()).count();
        assert_eq!(taken, 16);
    }
}
