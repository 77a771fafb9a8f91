//! A connection that is logged in: opening one, and handing letters over on it, one recipient each.

use std::{fmt, sync::Arc, time::Instant};

use data_encoding::BASE64;
use rustls::ClientConfig;
use tierdesk_core::{
    outgoing::TlsUse,
    settings::{Relay, Secret},
};

use super::wire::{Limits, Reply, Trouble, Wire};

/// How far a conversation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Connect,
    Greeting,
    Hello,
    Tls,
    LogIn,
    /// From here on it is about the letter.
    Sender,
    Recipient,
    Data,
    /// The text was sent: what is not known here may have arrived.
    Text,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "when connecting",
            Self::Greeting => "at its greeting",
            Self::Hello => "at EHLO",
            Self::Tls => "when turning to TLS",
            Self::LogIn => "when logging in",
            Self::Sender => "at the sender",
            Self::Recipient => "at the recipient",
            Self::Data => "before the text",
            Self::Text => "after the text",
        })
    }
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It said no.
    Refused(Reply),
    /// It said nothing that can be gone by.
    Trouble(Trouble),
    /// It cannot do what is needed.
    Lacks(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reply) => reply.fmt(f),
            Self::Trouble(trouble) => trouble.fmt(f),
            Self::Lacks(what) => f.write_str(what),
        }
    }
}

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) step: Step,
    pub(super) cause: Cause,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.cause, self.step)
    }
}

impl Step {
    fn trouble(self, trouble: Trouble) -> Fault {
        Fault {
            step: self,
            cause: Cause::Trouble(trouble),
        }
    }

    fn lacks(self, what: impl Into<String>) -> Fault {
        Fault {
            step: self,
            cause: Cause::Lacks(what.into()),
        }
    }

    /// The answer, if it is the one that was hoped for.
    fn expect(self, reply: Reply, is_hoped_for: impl Fn(&Reply) -> bool) -> Result<Reply, Fault> {
        if is_hoped_for(&reply) {
            return Ok(reply);
        }
        let cause = match reply.code {
            400.. => Cause::Refused(reply),
            _ => Cause::Trouble(Trouble::Nonsense(reply.to_string())),
        };
        Err(Fault { step: self, cause })
    }
}

/// How to log in.
pub(super) enum LogIn {
    None,
    Password { username: String, password: Secret },
    Token { account: String, token: Secret },
}

/// What a server says that it can (RFC 5321, 4.1.1.1), in upper case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Abilities {
    keywords: Vec<String>,
    /// The largest mail in bytes, if it says so (RFC 1870).
    largest: Option<usize>,
    mechanisms: Vec<String>,
}

impl Abilities {
    fn of(reply: &Reply) -> Self {
        let mut abilities = Self::default();
        // The first line is its name.
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line
                .split([' ', '\t', '='])
                .filter(|word| !word.is_empty())
                .map(str::to_owned);
            let Some(keyword) = words.next() else {
                continue;
            };
            match keyword.as_str() {
                "AUTH" => abilities.mechanisms.extend(words),
                "SIZE" => {
                    let size = words.next().and_then(|size| size.parse().ok());
                    abilities.largest = size.filter(|size| *size > 0);
                }
                _ => {}
            }
            abilities.keywords.push(keyword);
        }
        abilities
    }

    fn has(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|one| one == keyword)
    }

    /// `MAIL FROM`, or what the server lacks for this letter.
    fn mail_command(&self, sender: &str, recipient: &str, bytes: &[u8]) -> Result<String, Fault> {
        let mut command = format!("MAIL FROM:<{sender}>");
        let length = bytes.len();
        if let Some(most) = self.largest.filter(|most| length > *most) {
            let words =
                format!("the mail has {length} bytes, and the relay takes no more than {most}");
            return Err(Step::Sender.lacks(words));
        }
        if self.has("SIZE") {
            command = format!("{command} SIZE={length}");
        }
        if !bytes.is_ascii() {
            if !self.has("8BITMIME") {
                let words = "the mail has 8-bit text, and the relay takes 7-bit text only";
                return Err(Step::Sender.lacks(words));
            }
            command.push_str(" BODY=8BITMIME");
        }
        if !(sender.is_ascii() && recipient.is_ascii()) {
            if !self.has("SMTPUTF8") {
                let words = "an address has letters beyond ASCII, which the relay does not know";
                return Err(Step::Sender.lacks(words));
            }
            command.push_str(" SMTPUTF8");
        }
        command.push_str("\r\n");
        Ok(command)
    }

    fn knows(&self, mechanism: &str) -> bool {
        self.mechanisms.iter().any(|known| known == mechanism)
    }
}

/// A connection on which letters can be handed over.
pub(super) struct Session {
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
        log_in: &LogIn,
        limits: &Limits,
    ) -> Result<Self, Fault> {
        let mut session = match Self::connect(relay, relay.tls, trust, limits).await {
            // A server on the same machine often has a certificate that nobody signed.
            Err(fault) if relay.tls == TlsUse::Opportunistic && fault.step == Step::Tls => {
                Self::connect(relay, TlsUse::None, trust, limits).await?
            }
            connected => connected?,
        };
        session.log_in(log_in, limits).await?;
        Ok(session)
    }

    async fn connect(
        relay: &Relay,
        tls: TlsUse,
        trust: &Arc<ClientConfig>,
        limits: &Limits,
    ) -> Result<Self, Fault> {
        let (host, hello) = (relay.host.as_str(), relay.hello.as_str());
        let connecting = limits.step(Wire::connect(host, relay.port)).await;
        let mut wire = connecting.map_err(|trouble| Step::Connect.trouble(trouble))?;
        if tls == TlsUse::Wrapped {
            let secured = limits.step(wire.secure(host, trust)).await;
            wire = secured.map_err(|trouble| Step::Tls.trouble(trouble))?;
        }
        let greeting = limits.step(wire.reply()).await;
        let greeting = greeting.map_err(|trouble| Step::Greeting.trouble(trouble))?;
        Step::Greeting.expect(greeting, Reply::is_good)?;
        let mut abilities = say_hello(&mut wire, hello, limits).await?;
        let mut is_encrypted = tls == TlsUse::Wrapped;
        let may_secure = matches!(tls, TlsUse::Required | TlsUse::Opportunistic);
        if may_secure && abilities.has("STARTTLS") {
            let asked = limits.step(wire.ask(b"STARTTLS\r\n")).await;
            let asked = asked.map_err(|trouble| Step::Tls.trouble(trouble))?;
            Step::Tls.expect(asked, Reply::is_good)?;
            let secured = limits.step(wire.secure(host, trust)).await;
            wire = secured.map_err(|trouble| Step::Tls.trouble(trouble))?;
            is_encrypted = true;
            // What was said before TLS counts no more (RFC 3207, 4.2).
            abilities = say_hello(&mut wire, hello, limits).await?;
        } else if tls == TlsUse::Required {
            return Err(Step::Tls.lacks("it offers no STARTTLS, and nothing is sent without"));
        }
        Ok(Self {
            wire,
            abilities,
            is_encrypted,
            since: Instant::now(),
        })
    }

    async fn log_in(&mut self, log_in: &LogIn, limits: &Limits) -> Result<(), Fault> {
        let said = match log_in {
            LogIn::None => return Ok(()),
            LogIn::Password { username, password } => {
                let password = password.expose();
                if self.abilities.knows("PLAIN") {
                    let words = BASE64.encode(format!("\0{username}\0{password}").as_bytes());
                    self.auth(&format!("AUTH PLAIN {words}"), limits).await?
                } else if self.abilities.knows("LOGIN") {
                    let mut said = self.auth("AUTH LOGIN", limits).await?;
                    // It asks for one after the other, in words that differ.
                    for answer in [username.as_str(), password] {
                        if said.code == 334 {
                            said = self.auth(&BASE64.encode(answer.as_bytes()), limits).await?;
                        }
                    }
                    said
                } else {
                    return Err(Step::LogIn.lacks("it offers neither AUTH PLAIN nor AUTH LOGIN"));
                }
            }
            LogIn::Token { account, token } => {
                if !self.abilities.knows("XOAUTH2") {
                    return Err(Step::LogIn.lacks("it offers no AUTH XOAUTH2"));
                }
                let token = token.expose();
                let words = format!("user={account}\u{1}auth=Bearer {token}\u{1}\u{1}");
                let words = BASE64.encode(words.as_bytes());
                let said = self.auth(&format!("AUTH XOAUTH2 {words}"), limits).await?;
                if said.code == 334 {
                    // Why it says no; the refusal itself follows an empty answer.
                    let why = said.lines.concat();
                    let why = BASE64.decode(why.trim().as_bytes()).unwrap_or_default();
                    let mut said = self.auth("", limits).await?;
                    said.lines.push(String::from_utf8_lossy(&why).into_owned());
                    said
                } else {
                    said
                }
            }
        };
        Step::LogIn
            .expect(said, |reply| reply.code == 235)
            .map(|_| ())
    }

    async fn auth(&mut self, line: &str, limits: &Limits) -> Result<Reply, Fault> {
        let line = format!("{line}\r\n");
        let asked = limits.step(self.wire.ask(line.as_bytes()));
        asked.await.map_err(|trouble| Step::LogIn.trouble(trouble))
    }

    /// Hands one letter over.
    pub(super) async fn hand_over(
        &mut self,
        sender: &str,
        recipient: &str,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Reply, Fault> {
        let mail = self.abilities.mail_command(sender, recipient, bytes)?;
        self.ask(Step::Sender, &mail, Reply::is_good, limits)
            .await?;
        let rcpt = format!("RCPT TO:<{recipient}>\r\n");
        self.ask(Step::Recipient, &rcpt, Reply::is_good, limits)
            .await?;
        let is_go = |reply: &Reply| reply.code == 354;
        self.ask(Step::Data, "DATA\r\n", is_go, limits).await?;
        let text = stuffed(bytes);
        let taken = limits.rest(self.wire.ask(&text)).await;
        let taken = taken.map_err(|trouble| Step::Text.trouble(trouble))?;
        let taken = Step::Text.expect(taken, Reply::is_good)?;
        self.since = Instant::now();
        Ok(taken)
    }

    async fn ask(
        &mut self,
        step: Step,
        command: &str,
        is_hoped_for: impl Fn(&Reply) -> bool,
        limits: &Limits,
    ) -> Result<Reply, Fault> {
        let asked = limits.step(self.wire.ask(command.as_bytes())).await;
        step.expect(
            asked.map_err(|trouble| step.trouble(trouble))?,
            is_hoped_for,
        )
    }

    /// Says goodbye; nobody waits for the answer.
    pub(super) async fn quit(mut self, limits: &Limits) {
        let _ = limits.step(self.wire.say(b"QUIT\r\n")).await;
    }

    /// What the relay takes, for people.
    pub(super) fn largest(&self) -> Option<usize> {
        self.abilities.largest
    }
}

async fn say_hello(wire: &mut Wire, hello: &str, limits: &Limits) -> Result<Abilities, Fault> {
    let line = format!("EHLO {hello}\r\n");
    let asked = limits.step(wire.ask(line.as_bytes()));
    let said = asked
        .await
        .map_err(|trouble| Step::Hello.trouble(trouble))?;
    let said = Step::Hello.expect(said, Reply::is_good)?;
    Ok(Abilities::of(&said))
}

/// A mail as it follows DATA, its end included (RFC 5321, 4.5.2). Every line ends in CRLF, so that no server
/// sees an end of the mail where another one sees none.
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(mail.len() + mail.len() / 64 + 8);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            bytes.push(b'.');
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        bytes.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b".\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_end() {
        for (mail, sent) in [
            (&b""[..], &b".\r\n"[..]),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
        ] {
            assert_eq!(stuffed(mail), sent);
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
        let reply = Reply {
            code: 250,
            lines: lines.map(str::to_owned).to_vec(),
        };
        let abilities = Abilities::of(&reply);
        assert!(!abilities.has("STARTTLS"), "its name is no ability");
        assert!(abilities.has("8BITMIME") && !abilities.has("SMTPUTF8"));
        assert_eq!(
            (abilities.has("SIZE"), abilities.largest),
            (true, Some(1000))
        );
        assert!(
            ["LOGIN", "PLAIN", "XOAUTH2"]
                .iter()
                .all(|one| abilities.knows(one))
        );
    }

    #[test]
    fn what_a_server_lacks_for_a_letter_is_known_before_it_is_sent() {
        let plain = Abilities::default();
        let able = Abilities {
            keywords: ["8BITMIME", "SMTPUTF8", "SIZE"].map(str::to_owned).to_vec(),
            largest: Some(100),
            ..Abilities::default()
        };
        let (to, from) = ("j\u{fc}rgen@b.example", "a@b.example");
        let large = [b'x'; 101];
        let ascii = plain.mail_command(from, from, b"text");
        assert_eq!(ascii.unwrap(), "MAIL FROM:<a@b.example>\r\n");
        let all = able.mail_command(from, to, "\u{fc}".as_bytes()).unwrap();
        assert_eq!(
            all,
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
            assert!(fault.to_string().contains(says), "{fault}");
        }
    }
}
