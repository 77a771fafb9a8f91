//! The bytes of a conversation: connecting, TLS, commands and answers, each within its time.
//!
//! An answer is read as RFC 5321, 4.2 has it and more generously where relays are known to differ: without
//! text, with bytes that are no UTF-8, with lines that end in LF. An acceptance that could not be read would
//! send the letter again for days.

use std::{fmt, io, path::Path, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::SmtpError;

/// An answer is not longer than this, all its lines together.
const LONGEST_REPLY: usize = 64 * 1024;

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    pub(super) fn is_good(&self) -> bool {
        (200..300).contains(&self.code)
    }

    pub(super) fn is_permanent(&self) -> bool {
        self.code >= 500
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.lines.join(" ");
        let text = text.trim();
        if text.is_empty() {
            return write!(f, "{} (without a word)", self.code);
        }
        write!(f, "{} {text}", self.code)
    }
}

/// Why there is no answer to go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// None came in time.
    Silence(Duration),
    /// There is no connection to be had.
    Unreachable(String),
    /// The connection ended.
    Lost(String),
    /// What came is no SMTP.
    Nonsense(String),
    /// TLS failed.
    Tls(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence(limit) => write!(f, "no answer within {limit:?}"),
            Self::Unreachable(why) => write!(f, "it cannot be reached: {why}"),
            Self::Lost(why) => write!(f, "the connection is gone: {why}"),
            Self::Nonsense(what) => write!(f, "it does not speak SMTP: {what}"),
            Self::Tls(why) => write!(f, "TLS failed: {why}"),
        }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    step: Duration,
    begun: Instant,
    end: Instant,
}

impl Limits {
    /// For a step, and for the whole from now on.
    pub(super) fn new(step: Duration, whole: Duration) -> Self {
        let begun = Instant::now();
        Self {
            step,
            begun,
            end: begun + whole,
        }
    }

    pub(super) fn end(&self) -> Instant {
        self.end
    }

    /// Does one step.
    pub(super) async fn step<T>(
        &self,
        doing: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let until = (Instant::now() + self.step).min(self.end);
        let done = timeout_at(until, doing).await;
        done.unwrap_or(Err(Trouble::Silence(self.step)))
    }

    /// Does what may take all the time that is left.
    pub(super) async fn rest<T>(
        &self,
        doing: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let done = timeout_at(self.end, doing).await;
        done.unwrap_or(Err(Trouble::Silence(self.end - self.begun)))
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    /// What came and was not read yet.
    heard: Vec<u8>,
}

impl Wire {
    pub(super) async fn connect(host: &str, port: u16) -> Result<Self, Trouble> {
        let connecting = TcpStream::connect((host, port)).await;
        let stream = connecting.map_err(|fault| Trouble::Unreachable(fault.to_string()))?;
        // A command is one small write, and its answer is waited for.
        let _ = stream.set_nodelay(true);
        Ok(Self {
            stream: Box::new(stream),
            heard: Vec::new(),
        })
    }

    /// Turns to TLS.
    pub(super) async fn secure(
        self,
        host: &str,
        trust: &Arc<ClientConfig>,
    ) -> Result<Self, Trouble> {
        if !self.heard.is_empty() {
            // Whoever slips words in before the handshake must not be heard after it.
            return Err(Trouble::Tls(
                "more was said before it than asked".to_owned(),
            ));
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Trouble::Tls(format!("{host} is no server name")))?;
        let handshake = TlsConnector::from(Arc::clone(trust)).connect(name, self.stream);
        let stream = handshake
            .await
            .map_err(|fault| Trouble::Tls(fault.to_string()))?;
        Ok(Self {
            stream: Box::new(stream),
            heard: Vec::new(),
        })
    }

    /// Says this and hears the answer.
    pub(super) async fn ask(&mut self, words: &[u8]) -> Result<Reply, Trouble> {
        if !self.heard.is_empty() {
            // It hangs up, or the answers no longer belong to the questions.
            let early = self.reply().await?;
            if early.code >= 400 {
                return Ok(early);
            }
            return Err(Trouble::Nonsense(format!("{early}, unasked")));
        }
        match self.say(words).await {
            Ok(()) => self.reply().await,
            // Whoever closes in the middle of a text may have said why.
            Err(trouble) => self.reply().await.map_err(|_| trouble),
        }
    }

    pub(super) async fn say(&mut self, words: &[u8]) -> Result<(), Trouble> {
        self.stream.write_all(words).await.map_err(lost)?;
        self.stream.flush().await.map_err(lost)
    }

    /// Hears an answer, all its lines.
    pub(super) async fn reply(&mut self) -> Result<Reply, Trouble> {
        let (mut lines, mut length) = (Vec::new(), 0);
        loop {
            let line = self.line().await?;
            length += line.len();
            if length > LONGEST_REPLY {
                return Err(endless());
            }
            let (code, is_last, text) = parse(&line)?;
            lines.push(text);
            // Lines of one answer have one code; where they do not, the last one counts.
            if is_last {
                return Ok(Reply { code, lines });
            }
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut looked = 0;
        loop {
            if let Some(at) = self.heard[looked..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.heard.drain(..=looked + at).collect();
                line.truncate(line.trim_ascii_end().len());
                return Ok(line);
            }
            looked = self.heard.len();
            if looked > LONGEST_REPLY {
                return Err(endless());
            }
            let mut piece = [0; 4096];
            let read = self.stream.read(&mut piece).await.map_err(lost)?;
            if read == 0 {
                return Err(closed());
            }
            self.heard.extend_from_slice(&piece[..read]);
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over errors")]
fn lost(fault: io::Error) -> Trouble {
    if fault.kind() == io::ErrorKind::UnexpectedEof {
        return closed();
    }
    Trouble::Lost(fault.to_string())
}

fn closed() -> Trouble {
    Trouble::Lost("the other side closed it".to_owned())
}

fn endless() -> Trouble {
    Trouble::Nonsense("an answer without an end".to_owned())
}

/// The code of a line, whether it is the last one of its answer, and its text.
fn parse(line: &[u8]) -> Result<(u16, bool, String), Trouble> {
    let read = match line {
        [
            first @ b'2'..=b'5',
            second @ b'0'..=b'9',
            third @ b'0'..=b'9',
            rest @ ..,
        ] => {
            let digit = |byte: &u8| u16::from(byte - b'0');
            let code = digit(first) * 100 + digit(second) * 10 + digit(third);
            match rest {
                [] => Some((code, true, rest)),
                [b' ', text @ ..] => Some((code, true, text)),
                [b'-', text @ ..] => Some((code, false, text)),
                _ => None,
            }
        }
        _ => None,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some((code, is_last, rest)) = read {
        return Ok((code, is_last, text(rest)));
    }
    let start: String = text(line).chars().take(80).collect();
    Err(Trouble::Nonsense(format!("{start:?}")))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hear(bytes: &[u8]) -> Result<Reply, Trouble> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let mut wire = Wire {
            stream: Box::new(io::Cursor::new(bytes.to_vec())),
            heard: Vec::new(),
        };
        runtime.expect("a runtime").block_on(wire.reply())
    }

    #[test]
    fn answers_are_read_generously() {
        for (bytes, code, shown) in [
            (&b"250 2.0.0 Ok\r\n"[..], 250, "250 2.0.0 Ok"),
            (b"250\r\n", 250, "250 (without a word)"),
            (b"250-\r\n250\n", 250, "250 (without a word)"),
            (b"550-no\r\n550 such user\r\n", 550, "550 no such user"),
            (b"250 gr\xfc\xdfe\r\n", 250, "250 gr\u{fffd}\u{fffd}e"),
            (b"250-a\r\n451 b\r\n", 451, "451 a b"),
        ] {
            let reply = hear(bytes).unwrap();
            assert_eq!((reply.code, reply.to_string().as_str()), (code, shown));
        }
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for bytes in [
            &b"HTTP/1.1 400\r\n"[..],
            b"25\r\n",
            b"999 x\r\n",
            b"250_x\r\n",
        ] {
            assert!(matches!(hear(bytes), Err(Trouble::Nonsense(_))));
        }
        assert!(matches!(hear(b"250-a\r\n"), Err(Trouble::Lost(_))));
        assert!(matches!(hear(b"250 a"), Err(Trouble::Lost(_))));
        let long = vec![b'2'; LONGEST_REPLY * 2];
        assert!(matches!(hear(&long), Err(Trouble::Nonsense(_))));
        let many = b"250-a\r\n".repeat(LONGEST_REPLY);
        assert!(matches!(hear(&many), Err(Trouble::Nonsense(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
            let reply = hear(&bytes);
            prop_assert!(reply.is_err() || bytes.contains(&b'\n'));
        }
    }
}
