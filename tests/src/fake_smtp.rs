//! A relay for faults: it takes mail, keeps what it took, and misbehaves when told to. What a real one
//! does is tried against Postfix.
//!
//! To add a fault: a variant of [`Fault`], its arm in `Conversation::answer`, a row in the fault table
//! (tests/tests/it/outbound/faults.rs).

mod conversation;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{net::TcpListener, task::AbortHandle};
use tokio_rustls::TlsAcceptor;

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Before anything was said.
    Greeting,
    /// EHLO, with and without TLS.
    Hello,
    /// STARTTLS.
    Starttls,
    /// AUTH.
    LogIn,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// The text was heard.
    Text,
}

/// What goes wrong at a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// These bytes are the answer, without a line end added; 421 also ends the connection. An answer to the text
    /// that begins with 2 keeps the mail.
    Say(Vec<u8>),
    /// These bytes are the answer, and the connection ends.
    SayAndClose(Vec<u8>),
    /// There is no answer, ever.
    Silence,
    /// The connection ends.
    Close,
    /// The mail is kept, and the connection ends: nobody knows.
    KeepAndClose,
    /// The mail is kept, and there is no answer.
    KeepInSilence,
    /// The right answer, a byte at a time with this between them.
    Drip(Duration),
    /// An answer that goes on and on.
    Endless,
    /// The right answer, and then bytes that belong to nothing.
    Garble,
}

impl Fault {
    /// An answer of one line.
    pub fn say(line: &str) -> Self {
        Self::Say(format!("{line}\r\n").into_bytes())
    }
}

/// A mail that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The envelope sender.
    pub sender: String,
    /// The envelope recipient.
    pub recipient: String,
    /// The text as it was before it travelled.
    pub bytes: Vec<u8>,
    /// Whether it came over TLS.
    pub is_encrypted: bool,
    /// With which mechanism the client had logged in.
    pub login: Option<String>,
}

/// The server's state.
#[derive(Debug)]
pub struct State {
    /// Every mail that it has, in the order in which they came.
    pub mails: Vec<Taken>,
    /// Every command that came.
    pub commands: Vec<String>,
    /// What is wrong at which step, and how often still.
    pub faults: Vec<(Step, Fault, usize)>,
    /// What it says that it can, besides STARTTLS and AUTH.
    pub abilities: Vec<String>,
    /// Whether it offers STARTTLS.
    pub has_starttls: bool,
    /// What it offers to log in with; nothing: nobody need log in.
    pub mechanisms: Vec<String>,
    /// The login name and password that are good.
    pub password: (String, String),
    /// The token that is good.
    pub token: String,
    /// A refused token is told why with 334 first, as providers do.
    pub explains_refusal: bool,
    /// How long it takes over each mail.
    pub delay: Duration,
    /// Whether it ends the connection behind each mail.
    pub closes_behind: bool,
    /// Connections so far.
    pub connections: usize,
    /// Connections that are open now.
    pub open: usize,
    /// The most that were open at once.
    pub most_open: usize,
}

/// A running server.
#[derive(Debug)]
pub struct FakeSmtp {
    address: SocketAddr,
    certificate: String,
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

impl FakeSmtp {
    /// A server with a certificate for `localhost` and 127.0.0.1.
    pub async fn start() -> Self {
        Self::start_as(&["localhost", "127.0.0.1"], false).await
    }

    /// A server with a certificate for these names, with TLS from the first byte or by STARTTLS.
    pub async fn start_as(names: &[&str], is_wrapped: bool) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate is made");
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the usual versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("the key fits");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
        let address = listener.local_addr().expect("it has an address");
        let state = Arc::new(Mutex::new(State::new()));
        let shared = Arc::clone(&state);
        let mut connections = tokio::task::JoinSet::new();
        let mut serving = tokio::task::JoinSet::new();
        let task = serving.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
                connections.spawn(conversation::hold(stream, shared, acceptor, is_wrapped));
            }
        });
        serving.detach_all();
        Self {
            address,
            certificate: made.cert.pem(),
            state,
            task,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its certificate, in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its state, to look at or to change.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Has a step fail, so many times.
    pub fn fail(&self, step: Step, fault: Fault, times: usize) {
        self.state().faults.push((step, fault, times));
    }

    /// How many of its mails have this Message-ID.
    pub fn copies(&self, id: &str) -> usize {
        let line = format!("Message-ID: <{id}>");
        let is_it = |mail: &&Taken| String::from_utf8_lossy(&mail.bytes).contains(&line);
        self.state().mails.iter().filter(is_it).count()
    }
}

impl Drop for FakeSmtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn new() -> Self {
        Self {
            mails: Vec::new(),
            commands: Vec::new(),
            faults: Vec::new(),
            abilities: ["SIZE 30000000", "8BITMIME", "SMTPUTF8", "PIPELINING"]
                .map(str::to_owned)
                .to_vec(),
            has_starttls: true,
            mechanisms: Vec::new(),
            password: ("desk".to_owned(), "pass-of-the-desk".to_owned()),
            token: "access-1".to_owned(),
            explains_refusal: false,
            delay: Duration::ZERO,
            closes_behind: false,
            connections: 0,
            open: 0,
            most_open: 0,
        }
    }

    /// The fault that is due at this step.
    fn fault(&mut self, step: Step) -> Option<Fault> {
        let due = |fault: &&mut (Step, Fault, usize)| fault.0 == step && fault.2 > 0;
        let (_, fault, times) = self.faults.iter_mut().find(due)?;
        *times -= 1;
        Some(fault.clone())
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
