//! Somebody else's webhook: it keeps every request, and answers as it is told. Of plain sockets, so that
//! it can also misbehave.
//!
//! A story that asks who was notified reads [`WebhookSink::bodies`]. To add a fault: a variant of
//! [`Reply`], its arm in `say`, a row in tests/tests/it/outbound/webhooks.rs and in docs/webhooks.md.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// `POST`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of this header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as the JSON that it must be.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|fault| panic!("{fault} in {self:?}"))
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// With this status, these further header lines, and this body.
    Say(u16, Vec<String>, String),
    /// Not at all: the connection ends.
    Drop,
    /// Not at all, and the connection stays.
    Silence,
    /// With this status, a byte at a time with this between them.
    DripHead(u16, Duration),
    /// With this status at once, and a body that comes a byte at a time.
    DripBody(u16, Duration),
    /// With this status, and a body that goes on and on.
    Endless(u16),
    /// With what is no HTTP.
    Garbage,
}

impl Reply {
    /// A status and nothing more.
    pub fn status(status: u16) -> Self {
        Self::Say(status, Vec::new(), String::new())
    }
}

#[derive(Debug, Default)]
struct State {
    received: Vec<Received>,
    replies: VecDeque<Reply>,
    connections: usize,
    bytes_out: usize,
}

type Shared = Arc<Mutex<State>>;

/// A running receiver.
#[derive(Debug)]
pub struct WebhookSink {
    address: SocketAddr,
    state: Shared,
    task: AbortHandle,
}

impl WebhookSink {
    /// One that answers 202 until it is told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
        let address = listener.local_addr().expect("it has an address");
        let state = Shared::default();
        let shared = Arc::clone(&state);
        let mut serving = JoinSet::new();
        let task = serving.spawn(async move {
            let mut conversations = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                lock(&shared).connections += 1;
                conversations.spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        serving.detach_all();
        Self {
            address,
            state,
            task,
        }
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// An address on it: `http://127.0.0.1:PORT/PATH`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Has the next request that has no answer yet answered so.
    pub fn reply_next(&self, reply: Reply) {
        lock(&self.state).replies.push_back(reply);
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// The bodies of all requests so far, each as JSON.
    pub fn bodies(&self) -> Vec<serde_json::Value> {
        self.received().iter().map(Received::json).collect()
    }

    /// Connections so far, whether anything was said on them or not.
    pub fn connections(&self) -> usize {
        lock(&self.state).connections
    }

    /// How much it has said.
    pub fn bytes_out(&self) -> usize {
        lock(&self.state).bytes_out
    }
}

impl Drop for WebhookSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn converse(mut stream: TcpStream, state: Shared) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let reply = {
        let mut state = lock(&state);
        state.received.push(request);
        state.replies.pop_front()
    };
    // A client that has hung up is no fault of ours.
    let _ = say(&mut stream, reply.unwrap_or(Reply::status(202)), &state).await;
}

/// A request with a body of a known length; `None` for what is none.
async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let mut request = Received {
        method,
        path,
        headers: lines.filter_map(header).collect(),
        body: bytes.split_off(end + 4),
    };
    let length = request.header("content-length").unwrap_or("0");
    let length: usize = length.parse().ok()?;
    while request.body.len() < length {
        if stream.read_buf(&mut request.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(request)
}

async fn say(stream: &mut TcpStream, reply: Reply, state: &Shared) -> std::io::Result<()> {
    let head = |status: u16, length: usize, more: &[String]| {
        let more = more
            .iter()
            .fold(String::new(), |all, line| all + line + "\r\n");
        format!("HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\n{more}\r\n")
    };
    match reply {
        Reply::Say(status, more, body) => {
            let text = head(status, body.len(), &more) + &body;
            stream.write_all(text.as_bytes()).await?;
        }
        Reply::Drop => {}
        Reply::Silence => std::future::pending().await,
        Reply::DripHead(status, pause) => drip(stream, &head(status, 0, &[]), pause).await?,
        Reply::DripBody(status, pause) => {
            let text = head(status, 100_000, &[]);
            stream.write_all(text.as_bytes()).await?;
            drip(stream, &"x".repeat(100_000), pause).await?;
        }
        Reply::Endless(status) => {
            let text = head(status, usize::MAX >> 8, &[]);
            stream.write_all(text.as_bytes()).await?;
            loop {
                stream.write_all(&[b'x'; 16_384]).await?;
                lock(state).bytes_out += 16_384;
            }
        }
        Reply::Garbage => stream.write_all(b"220 mail.example ESMTP\r\n").await?,
    }
    stream.shutdown().await
}

async fn drip(stream: &mut TcpStream, text: &str, pause: Duration) -> std::io::Result<()> {
    for byte in text.bytes() {
        stream.write_all(&[byte]).await?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}
