//! A connection that is logged in: opening one, and handing letters over on it, one recipient each. lettre says
//! the commands and reads the answers; what they mean for the letter, and how long they may take, is decided here.

use std::{error::Error as _, fmt::Display, io, sync::Arc, time::Instant};

use data_encoding::BASE64;
use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::AsyncSmtpConnection,
        commands::{Auth, Data, Ehlo, Mail, Rcpt, Starttls},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter, ServerInfo},
        response::Response,
    },
};
use rustls::ClientConfig;
use tierdesk_core::{outgoing::TlsUse, settings::Relay};

use super::{
    step::{Cause, Fault, Limits, Step, code, is_good},
    wire::Wire,
};

/// How to log in: the first of these that the server offers, with a password or a token.
pub(super) struct LogIn {
    pub(super) mechanisms: &'static [Mechanism],
    pub(super) credentials: Credentials,
}

/// What a server says that it can.
#[derive(Clone, Debug, Default)]
struct Abilities {
    info: ServerInfo,
    /// It knows SIZE, and takes mails of as many bytes; 0: of any size (RFC 1870).
    size: Option<usize>,
}

impl Abilities {
    fn of(said: &Response) -> Result<Self, Fault> {
        // Case does not matter, and old servers have an equals sign behind AUTH.
        let tidy = |line: &str| line.to_ascii_uppercase().replace('=', " ");
        let said = Response::new(said.code(), said.message().map(tidy).collect());
        let mut lines = said.message().map(str::split_whitespace);
        let size = lines.find_map(|mut words| (words.next() == Some("SIZE")).then_some(words));
        let size = size.map(|mut words| words.next().and_then(|size| size.parse().ok()));
        let info = ServerInfo::from_response(&said)
            .map_err(|error| Step::Hello.fault(Cause::Nonsense(error.to_string())))?;
        Ok(Self {
            info,
            size: size.map(Option::unwrap_or_default),
        })
    }

    fn has(&self, extension: Extension) -> bool {
        self.info.supports_feature(extension)
    }

    fn largest(&self) -> Option<usize> {
        self.size.filter(|size| *size > 0)
    }

    /// `MAIL FROM`, or what the server lacks for this letter.
    fn mail_command(
        &self,
        sender: &Address,
        recipient: &Address,
        bytes: &[u8],
    ) -> Result<Mail, Fault> {
        let (mut parameters, length) = (Vec::new(), bytes.len());
        if let Some(most) = self.largest().filter(|most| length > *most) {
            let words =
                format!("the mail has {length} bytes, and the relay takes no more than {most}");
            return Err(Step::Sender.lacks(words));
        }
        if self.size.is_some() {
            parameters.push(MailParameter::Size(length));
        }
        if !bytes.is_ascii() {
            if !self.has(Extension::EightBitMime) {
                let words = "the mail has 8-bit text, and the relay takes 7-bit text only";
                return Err(Step::Sender.lacks(words));
            }
            let body = MailBodyParameter::EightBitMime;
            parameters.push(MailParameter::Body(body));
        }
        let addresses: [&str; 2] = [sender.as_ref(), recipient.as_ref()];
        if !addresses.iter().all(|address| address.is_ascii()) {
            if !self.has(Extension::SmtpUtfEight) {
                let words = "an address has letters beyond ASCII, which the relay does not know";
                return Err(Step::Sender.lacks(words));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        Ok(Mail::new(Some(sender.clone()), parameters))
    }
}

/// A connection on which letters can be handed over.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    wire: Wire,
    abilities: Abilities,
    /// Whether it turned to TLS.
    pub(super) is_encrypted: bool,
    /// When it was last of use.
    pub(super) since: Instant,
}

impl Session {
    /// Connects, turns to TLS as the settings say, logs in.
    pub(super) async fn open(
        relay: &Relay,
        trust: &Arc<ClientConfig>,
        log_in: Option<&LogIn>,
        limits: &Limits,
    ) -> Result<Self, Fault> {
        let mut session = match Self::connect(relay, relay.tls, trust, limits).await {
            // A server on the same machine often has a certificate that nobody signed.
            Err(fault) if relay.tls == TlsUse::Opportunistic && fault.step == Step::Tls => {
                Self::connect(relay, TlsUse::None, trust, limits).await?
            }
            connected => connected?,
        };
        if let Some(log_in) = log_in {
            session.log_in(log_in, limits).await?;
        }
        Ok(session)
    }

    async fn connect(
        relay: &Relay,
        tls: TlsUse,
        trust: &Arc<ClientConfig>,
        limits: &Limits,
    ) -> Result<Self, Fault> {
        let host = relay.host.as_str();
        let connecting = Wire::connect(host, relay.port);
        let wire = limits.step(Step::Connect, connecting).await?;
        let is_wrapped = tls == TlsUse::Wrapped;
        if is_wrapped {
            limits.step(Step::Tls, wire.secure(host, trust)).await?;
        }
        let hello = ClientId::Domain(relay.hello.clone());
        let mut session = Self::greet(wire, &hello, limits).await?;
        session.is_encrypted = is_wrapped;
        let may_secure = matches!(tls, TlsUse::Required | TlsUse::Opportunistic);
        if may_secure && session.abilities.has(Extension::StartTls) {
            session.ask(Step::Tls, Starttls, is_good, limits).await?;
            let securing = session.wire.secure(host, trust);
            limits.step(Step::Tls, securing).await?;
            session.is_encrypted = true;
            // What was said before TLS counts no more (RFC 3207, 4.2).
            let again = session.ask(Step::Hello, Ehlo::new(hello), is_good, limits);
            session.abilities = Abilities::of(&again.await?)?;
        } else if tls == TlsUse::Required {
            return Err(Step::Tls.lacks("it offers no STARTTLS, and nothing is sent without"));
        }
        Ok(session)
    }

    /// Hears the greeting, which has a limit of its own, and says EHLO.
    async fn greet(wire: Wire, hello: &ClientId, limits: &Limits) -> Result<Self, Fault> {
        let greeting = limits.step(Step::Greeting, wire.answered()).await?;
        Step::Greeting.expect(greeting, is_good)?;
        let greeted = limits.step(Step::Hello, async {
            let stream = Box::new(wire.clone());
            let connected = AsyncSmtpConnection::connect_with_transport(stream, hello).await;
            let said = match &connected {
                Ok(_) => wire.last()?,
                Err(error) => understood(error, &wire)?,
            };
            Ok((connected, said))
        });
        let (connected, said) = greeted.await?;
        let said = Step::Hello.expect(said, is_good)?;
        Ok(Self {
            connection: connected.map_err(|error| Step::Hello.lacks(error.to_string()))?,
            wire,
            abilities: Abilities::of(&said)?,
            is_encrypted: false,
            since: Instant::now(),
        })
    }

    /// Logs in step by step: lettre's own way knows only some of the words in which servers ask for a name, and
    /// stops in the middle of why a token is refused.
    async fn log_in(&mut self, log_in: &LogIn, limits: &Limits) -> Result<(), Fault> {
        let offered = self.abilities.info.get_auth_mechanism(log_in.mechanisms);
        let Some(mechanism) = offered else {
            let wanted = log_in.mechanisms.iter().map(ToString::to_string);
            let wanted = wanted.collect::<Vec<_>>().join(" or ");
            return Err(Step::LogIn.lacks(format!("it does not offer AUTH {wanted}")));
        };
        let auth = |question: Option<&str>| {
            let question = question.map(str::to_owned);
            Auth::new(mechanism, log_in.credentials.clone(), question)
                .map_err(|error| Step::LogIn.lacks(error.to_string()))
        };
        let step = Step::LogIn;
        let mut said = self.ask(step, auth(None)?, |_| true, limits).await?;
        if mechanism == Mechanism::Login {
            for question in ["Username", "Password"] {
                if code(&said) == 334 {
                    let answer = auth(Some(question))?;
                    said = self.ask(step, answer, |_| true, limits).await?;
                }
            }
        } else if mechanism == Mechanism::Xoauth2 && code(&said) == 334 {
            // Why it says no; the refusal itself follows an empty answer.
            let why = BASE64.decode(said.message().collect::<String>().trim().as_bytes());
            let why = String::from_utf8_lossy(&why.unwrap_or_default()).into_owned();
            said = self.ask(step, "\r\n", |_| true, limits).await?;
            let lines = said.message().map(str::to_owned).chain([why]).collect();
            said = Response::new(said.code(), lines);
        }
        step.expect(said, |code| code == 235).map(|_| ())
    }

    /// Hands one letter over.
    pub(super) async fn hand_over(
        &mut self,
        sender: &Address,
        recipient: &Address,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Response, Fault> {
        let mail = self.abilities.mail_command(sender, recipient, bytes)?;
        self.ask(Step::Sender, mail, is_good, limits).await?;
        let rcpt = Rcpt::new(recipient.clone(), Vec::new());
        self.ask(Step::Recipient, rcpt, is_good, limits).await?;
        self.ask(Step::Data, Data, |code| code == 354, limits)
            .await?;
        let text = with_line_ends(bytes);
        let taken = limits.step(Step::Text, async {
            let said = self.connection.message(&text).await;
            said.or_else(|error| understood(&error, &self.wire))
        });
        let taken = Step::Text.expect(taken.await?, is_good)?;
        self.since = Instant::now();
        Ok(taken)
    }

    async fn ask(
        &mut self,
        step: Step,
        command: impl Display + Send,
        is_hoped_for: fn(u16) -> bool,
        limits: &Limits,
    ) -> Result<Response, Fault> {
        let asked = limits.step(step, async {
            let said = self.connection.command(command).await;
            said.or_else(|error| understood(&error, &self.wire))
        });
        step.expect(asked.await?, is_hoped_for)
    }

    /// Says goodbye; nobody waits for the answer.
    pub(super) async fn quit(mut self, limits: &Limits) {
        let quitting = async { Ok(self.connection.quit().await) };
        // Whatever becomes of it, the letter's fate is known.
        let _ = limits.step(Step::Hello, quitting).await;
    }

    /// What the relay takes, for people.
    pub(super) fn largest(&self) -> Option<usize> {
        self.abilities.largest()
    }
}

/// The refusal that lettre made an error of, or what kept the answer from being one.
fn understood(error: &Error, wire: &Wire) -> Result<Response, Cause> {
    if error.status().is_some() {
        return wire.last();
    }
    let fault = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>());
    let cause = fault.and_then(|fault| fault.get_ref()?.downcast_ref::<Cause>());
    Err(cause
        .cloned()
        .unwrap_or_else(|| Cause::Nonsense(error.to_string())))
}

/// A mail as lettre doubles its dots and ends it: every line ends in CRLF, so that no server sees an end of the
/// mail where another one sees none, and the last line's end is lettre's.
fn with_line_ends(mail: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(mail.len() + mail.len() / 64);
    for (number, line) in mail.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            bytes.extend_from_slice(b"\r\n");
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        bytes.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// What lettre writes for this mail, behind EHLO.
    async fn said_as_text(mail: &[u8]) -> String {
        let (mut server, ours) = tokio::io::duplex(4096);
        let wire = Wire::over(Box::new(ours));
        server.write_all(b"220 a\r\n").await.unwrap();
        let limits = Limits::new(Duration::from_secs(5), Duration::from_secs(5));
        let hello = ClientId::Domain("a.example".to_owned());
        let (session, ()) = tokio::join!(Session::greet(wire, &hello, &limits), async {
            let mut hello = [0; 16];
            server.read_exact(&mut hello).await.unwrap();
            server.write_all(b"250 a\r\n").await.unwrap();
        });
        let mut session = session.unwrap();
        let text = with_line_ends(mail);
        let (said, heard) = tokio::join!(session.connection.message(&text), async {
            let mut heard = Vec::new();
            while !heard.ends_with(b"\r\n.\r\n") {
                server.read_buf(&mut heard).await.unwrap();
            }
            server.write_all(b"250\r\n").await.unwrap();
            String::from_utf8(heard).unwrap()
        });
        assert_eq!(
            super::super::step::words(&said.unwrap()),
            "250 (without a word)"
        );
        heard
    }

    #[tokio::test]
    async fn a_text_has_one_end() {
        for (mail, sent) in [
            (&b"a"[..], "a\r\n.\r\n"),
            (b"a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
            (b"a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\n\r\n", "a\r\n\r\n.\r\n"),
            (b".", "..\r\n.\r\n"),
        ] {
            assert_eq!(said_as_text(mail).await, sent);
        }
    }

    #[test]
    fn abilities_are_read_whatever_their_case() {
        let lines = [
            "mx.example STARTTLS",
            "8bitmime",
            "Size 1000",
            "AUTH=login PLAIN",
            "auth XOAUTH2",
        ];
        let said = format!(
            "250-{}\r\n250 {}\r\n",
            lines[..4].join("\r\n250-"),
            lines[4]
        );
        let abilities = Abilities::of(&said.parse().unwrap()).unwrap();
        let has = |extension| abilities.has(extension);
        assert!(has(Extension::EightBitMime) && !has(Extension::SmtpUtfEight));
        assert_eq!(abilities.largest(), Some(1000));
        for one in [Mechanism::Login, Mechanism::Plain, Mechanism::Xoauth2] {
            assert!(has(Extension::Authentication(one)), "{one}");
        }
    }

    #[test]
    fn what_a_server_lacks_for_a_letter_is_known_before_it_is_sent() {
        let plain = Abilities::default();
        let able = "250-mx\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 100\r\n";
        let able = Abilities::of(&able.parse().unwrap()).unwrap();
        let (to, from) = ("j\u{fc}rgen@b.example", "a@b.example");
        let (to, from): (&Address, &Address) = (&to.parse().unwrap(), &from.parse().unwrap());
        let large = [b'x'; 101];
        let ascii = plain.mail_command(from, from, b"text");
        assert_eq!(ascii.unwrap().to_string(), "MAIL FROM:<a@b.example>\r\n");
        let all = able.mail_command(from, to, "\u{fc}".as_bytes()).unwrap();
        assert_eq!(
            all.to_string(),
            "MAIL FROM:<a@b.example> SIZE=2 BODY=8BITMIME SMTPUTF8\r\n"
        );
        for (lacks, says) in [
            (plain.mail_command(from, from, b"\xfc"), "7-bit text only"),
            (
                plain.mail_command(from, to, b"text"),
                "letters beyond ASCII",
            ),
            (able.mail_command(from, from, &large), "101 bytes"),
        ] {
            let fault = lacks.unwrap_err();
            assert!(fault.cause.to_string().contains(says), "{fault:?}");
        }
    }
}
