//! One connection of the fake relay.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use data_encoding::BASE64;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;

use super::{Fault, State, Step, Taken, lock};

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The conversation is over.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

struct Conversation {
    stream: BufReader<Box<dyn Stream>>,
    state: Arc<Mutex<State>>,
    is_encrypted: bool,
    login: Option<String>,
    sender: String,
    recipient: String,
}

pub(super) async fn hold(
    stream: TcpStream,
    state: Arc<Mutex<State>>,
    acceptor: TlsAcceptor,
    is_wrapped: bool,
) {
    {
        let mut state = lock(&state);
        state.connections += 1;
        state.open += 1;
        state.most_open = state.most_open.max(state.open);
    }
    let ended = Arc::clone(&state);
    talk(stream, state, acceptor, is_wrapped).await;
    lock(&ended).open -= 1;
}

async fn talk(
    stream: TcpStream,
    state: Arc<Mutex<State>>,
    acceptor: TlsAcceptor,
    is_wrapped: bool,
) {
    let _ = stream.set_nodelay(true);
    let stream: Box<dyn Stream> = if is_wrapped {
        let Ok(encrypted) = acceptor.accept(stream).await else {
            return;
        };
        Box::new(encrypted)
    } else {
        Box::new(stream)
    };
    let mut conversation = Conversation {
        stream: BufReader::new(stream),
        state,
        is_encrypted: is_wrapped,
        login: None,
        sender: String::new(),
        recipient: String::new(),
    };
    // However it ends, the client sees it.
    let _ = conversation.run(&acceptor).await;
}

impl Conversation {
    async fn run(&mut self, acceptor: &TlsAcceptor) -> Result<(), Over> {
        self.answer(Step::Greeting, "220 mx.relay.example ESMTP")
            .await?;
        loop {
            let line = self.line().await?;
            lock(&self.state).commands.push(line.clone());
            let upper = line.to_ascii_uppercase();
            match upper.split(' ').next().unwrap_or_default() {
                "EHLO" => self.hello().await?,
                "STARTTLS" => {
                    if self.answer(Step::Starttls, "220 go ahead").await? {
                        self.secure(acceptor).await?;
                    }
                }
                "AUTH" => self.log_in(&line).await?,
                "MAIL" => {
                    let must_log_in = !lock(&self.state).mechanisms.is_empty();
                    if must_log_in && self.login.is_none() {
                        self.say(b"530 5.7.0 Authentication required\r\n").await?;
                        continue;
                    }
                    self.sender = address(&line);
                    self.answer(Step::Sender, "250 2.1.0 Ok").await?;
                }
                "RCPT" => {
                    self.recipient = address(&line);
                    self.answer(Step::Recipient, "250 2.1.5 Ok").await?;
                }
                "DATA" => {
                    if self.answer(Step::Data, "354 End with a dot").await? {
                        self.text().await?;
                    }
                }
                "QUIT" => return self.say(b"221 2.0.0 Bye\r\n").await,
                _ => self.say(b"250 2.0.0 Ok\r\n").await?,
            }
        }
    }

    async fn hello(&mut self) -> Result<(), Over> {
        let said = {
            let state = lock(&self.state);
            let mut lines = vec!["mx.relay.example".to_owned()];
            lines.extend(state.abilities.iter().cloned());
            if state.has_starttls && !self.is_encrypted {
                lines.push("STARTTLS".to_owned());
            }
            if !state.mechanisms.is_empty() {
                lines.push(format!("AUTH {}", state.mechanisms.join(" ")));
            }
            let last = lines.pop().unwrap_or_default();
            let more = lines.iter().map(|line| format!("250-{line}\r\n"));
            format!("{}250 {last}", more.collect::<String>())
        };
        self.answer(Step::Hello, &said).await.map(|_| ())
    }

    async fn secure(&mut self, acceptor: &TlsAcceptor) -> Result<(), Over> {
        let empty: Box<dyn Stream> = Box::new(tokio::io::empty());
        let stream = std::mem::replace(&mut self.stream, BufReader::new(empty));
        let encrypted = acceptor.accept(stream.into_inner()).await?;
        self.stream = BufReader::new(Box::new(encrypted));
        self.is_encrypted = true;
        Ok(())
    }

    async fn log_in(&mut self, line: &str) -> Result<(), Over> {
        let mut words = line.split(' ').skip(1);
        let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
        let said = words.next().map(decoded).unwrap_or_default();
        let (password, token, explains) = {
            let state = lock(&self.state);
            (
                state.password.clone(),
                state.token.clone(),
                state.explains_refusal,
            )
        };
        let is_good = match mechanism.as_str() {
            "PLAIN" => said == format!("\0{}\0{}", password.0, password.1),
            "LOGIN" => {
                // Not the words that most servers use, as some do not.
                self.say(b"334 VXNlcg==\r\n").await?;
                let name = decoded(&self.line().await?);
                self.say(b"334 UGFzcw==\r\n").await?;
                (name, decoded(&self.line().await?)) == password
            }
            "XOAUTH2" => {
                let wanted = format!("auth=Bearer {token}\u{1}\u{1}");
                let is_good = said.starts_with("user=") && said.ends_with(&wanted);
                if !is_good && explains {
                    let why = BASE64.encode(br#"{"status":"400","schemes":"Bearer"}"#);
                    self.say(format!("334 {why}\r\n").as_bytes()).await?;
                    let answered = self.line().await?;
                    lock(&self.state)
                        .commands
                        .push(format!("(answered {answered:?})"));
                }
                is_good
            }
            _ => false,
        };
        if !is_good {
            return self.say(b"535 5.7.8 Authentication failed\r\n").await;
        }
        if self.answer(Step::LogIn, "235 2.7.0 Welcome").await? {
            self.login = Some(mechanism);
        }
        Ok(())
    }

    async fn text(&mut self) -> Result<(), Over> {
        let mut bytes = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line).await? == 0 {
                return Err(Over);
            }
            if line == b".\r\n" {
                break;
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let mail = Taken {
            sender: self.sender.clone(),
            recipient: self.recipient.clone(),
            bytes,
            is_encrypted: self.is_encrypted,
            login: self.login.clone(),
        };
        let (delay, closes_behind) = {
            let state = lock(&self.state);
            (state.delay, state.closes_behind)
        };
        tokio::time::sleep(delay).await;
        let keep = {
            let state = lock(&self.state);
            let mut due = state.faults.iter();
            let due = due.find(|fault| fault.0 == Step::Text && fault.2 > 0);
            match due.map(|fault| &fault.1) {
                None
                | Some(
                    Fault::KeepAndClose | Fault::KeepInSilence | Fault::Drip(_) | Fault::Garble,
                ) => true,
                Some(Fault::Say(bytes)) => bytes.starts_with(b"2"),
                Some(Fault::Silence | Fault::Close | Fault::Endless | Fault::SayAndClose(_)) => {
                    false
                }
            }
        };
        if keep {
            lock(&self.state).mails.push(mail);
        }
        self.answer(Step::Text, "250 2.0.0 Queued").await?;
        if closes_behind { Err(Over) } else { Ok(()) }
    }

    /// Answers as is right, or as the fault that is due has it. Returns whether it was right.
    async fn answer(&mut self, step: Step, right: &str) -> Result<bool, Over> {
        let fault = lock(&self.state).fault(step);
        match fault {
            None => {
                self.say(format!("{right}\r\n").as_bytes()).await?;
                Ok(true)
            }
            Some(Fault::Say(bytes)) => {
                self.say(&bytes).await?;
                if bytes.starts_with(b"421") {
                    return Err(Over);
                }
                // After a right code the conversation goes on as if nothing were.
                Ok(bytes.first() == right.as_bytes().first())
            }
            Some(Fault::SayAndClose(bytes)) => {
                self.say(&bytes).await?;
                Err(Over)
            }
            Some(Fault::Silence | Fault::KeepInSilence) => std::future::pending().await,
            Some(Fault::Close | Fault::KeepAndClose) => Err(Over),
            Some(Fault::Drip(pause)) => {
                for byte in format!("{right}\r\n").into_bytes() {
                    self.say(&[byte]).await?;
                    tokio::time::sleep(pause).await;
                }
                Ok(true)
            }
            Some(Fault::Garble) => {
                self.say(format!("{right}\r\n").as_bytes()).await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.say(b"\x00\xffneither SMTP nor TLS\r\n").await?;
                Err(Over)
            }
            Some(Fault::Endless) => loop {
                self.say(b"250-and another thing\r\n").await?;
            },
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), Over> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    async fn line(&mut self) -> Result<String, Over> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(Over);
        }
        Ok(line.trim_end().to_owned())
    }
}

/// What stands in angle brackets.
fn address(line: &str) -> String {
    let inside = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside
        .map(|(address, _)| address.to_owned())
        .unwrap_or_default()
}

fn decoded(text: &str) -> String {
    let bytes = BASE64.decode(text.as_bytes()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
