//! A mail server that hands mail over: SMTP and LMTP as plain bytes, pipelined. Tests and the
//! benchmark use the same one, for our listener and for Postfix.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

/// How long a reply is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a mail server.
#[derive(Debug)]
pub struct MailClient {
    stream: BufReader<TcpStream>,
}

impl MailClient {
    /// Connects and hears the greeting, which is in `said`.
    pub async fn greeted(address: SocketAddr) -> io::Result<(Self, String)> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream: BufReader::new(stream),
        };
        let said = client.reply().await?;
        Ok((client, said))
    }

    /// The same, and says hello with `hello`, which is `EHLO` or `LHLO`.
    pub async fn connect(address: SocketAddr, hello: &str) -> io::Result<Self> {
        let (mut client, greeting) = Self::greeted(address).await?;
        let said = client
            .ask(&format!("{hello} mx.acmefinance.com\r\n"))
            .await?;
        if greeting.starts_with("220") && said.starts_with("250") {
            return Ok(client);
        }
        Err(io::Error::other(format!("{greeting} {said}")))
    }

    /// Sends bytes as they are.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes.as_ref()).await?;
        stream.flush().await
    }

    /// One reply, all its lines.
    pub async fn reply(&mut self) -> io::Result<String> {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            let read = timeout(PATIENCE, self.stream.read_line(&mut reply));
            if read.await.map_err(io::Error::from)?? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = &reply.as_bytes()[start..];
            if line.get(3) != Some(&b'-') {
                return Ok(reply);
            }
        }
    }

    /// Sends bytes and hears one reply.
    pub async fn ask(&mut self, bytes: &str) -> io::Result<String> {
        self.say(bytes).await?;
        self.reply().await
    }

    /// Hands a mail over, to these recipients. Returns what was answered at last: one reply, or
    /// one a recipient with `LHLO`. A refusal on the way is an error.
    pub async fn deliver(
        &mut self,
        recipients: &[&str],
        mail: &[u8],
        answers: usize,
    ) -> io::Result<Vec<String>> {
        let mut words = "MAIL FROM:<john@acmefinance.com>\r\n".to_owned();
        for recipient in recipients {
            words.push_str("RCPT TO:<");
            words.push_str(recipient);
            words.push_str(">\r\n");
        }
        words.push_str("DATA\r\n");
        self.say(words).await?;
        for expected in std::iter::repeat_n("250", recipients.len() + 1).chain(["354"]) {
            let said = self.reply().await?;
            if !said.starts_with(expected) {
                return Err(io::Error::other(said));
            }
        }
        self.say(stuffed(mail)).await?;
        let mut said = Vec::with_capacity(answers);
        for _ in 0..answers {
            said.push(self.reply().await?);
        }
        Ok(said)
    }
}

/// A mail as it follows DATA, its end included (RFC 5321, 4.5.2).
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            bytes.push(b'.');
        }
        bytes.extend_from_slice(line);
    }
    if !bytes.is_empty() && !bytes.ends_with(b"\r\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b".\r\n");
    bytes
}
