//! A bot without a library: bytes over HTTP and frames over the gateway.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tierdesk_tests::discord::{Answer, FakeDiscord};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, protocol::CloseFrame},
};

/// Everything that the fake does is done in much less.
pub(super) const SOON: Duration = Duration::from_secs(10);

/// No mention rings.
pub(super) fn quiet() -> Value {
    json!({"parse": []})
}

/// A message of this content that rings for nobody.
pub(super) fn message(content: &str) -> Value {
    json!({"content": content, "allowed_mentions": quiet()})
}

/// An answer over HTTP.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Value,
}

impl Answered {
    /// Discord's number for what was wrong.
    pub(super) fn code(&self) -> u64 {
        self.body["code"].as_u64().unwrap_or_default()
    }

    pub(super) fn id(&self) -> u64 {
        id(&self.body["id"])
    }
}

pub(super) fn id(value: &Value) -> u64 {
    let text = value.as_str().unwrap_or_default();
    text.parse().unwrap_or_default()
}

/// Sends a request with the bot's token; `None` when no answer came.
pub(super) async fn request(
    fake: &FakeDiscord,
    method: &str,
    path: &str,
    body: &Value,
) -> Option<Answered> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let token = fake.token();
    send(fake, method, path, &token, "application/json", &body).await
}

/// The same when an answer must come.
pub(super) async fn ask(fake: &FakeDiscord, method: &str, path: &str, body: Value) -> Answered {
    let answered = request(fake, method, path, &body).await;
    answered.unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

/// Sends a request byte by byte.
pub(super) async fn send(
    fake: &FakeDiscord,
    method: &str,
    path: &str,
    token: &str,
    kind: &str,
    body: &str,
) -> Option<Answered> {
    let base = fake.url();
    let host = base.strip_prefix("http://").expect("a plain address");
    let head = format!(
        "{method} /api/v10{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bot {token}\r\n\
         content-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await.expect("the fake listens");
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()?;
    let mut bytes = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut bytes)).await;
    read.expect("an answer in time").ok()?;
    let text = String::from_utf8(bytes).expect("an answer in UTF-8");
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split_whitespace().nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    Some(Answered {
        status,
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: serde_json::from_str(body).unwrap_or_default(),
    })
}

/// One connection to the gateway.
pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What the gateway said first.
    pub(super) hello: Value,
}

impl Socket {
    /// Connects and takes HELLO.
    pub(super) async fn open(fake: &FakeDiscord) -> Self {
        let gateway = ask(fake, "GET", "/gateway", Value::Null).await;
        Self::open_at(gateway.body["url"].as_str().expect("an address")).await
    }

    /// The same where the address is known.
    pub(super) async fn open_at(url: &str) -> Self {
        let (stream, _) = connect_async(format!("{url}/?v=10"))
            .await
            .expect("a gateway");
        let hello = Value::Null;
        let mut socket = Self { stream, hello };
        socket.hello = socket.next().await.expect("HELLO");
        assert_eq!(socket.hello["op"], 10);
        socket
    }

    /// Connects and identifies, with the intent for guilds only.
    pub(super) async fn ready(fake: &FakeDiscord) -> Self {
        let mut socket = Self::open(fake).await;
        socket.identify(&fake.token(), 1).await;
        socket.event("GUILD_CREATE").await;
        socket
    }

    pub(super) async fn identify(&mut self, token: &str, intents: u64) {
        let properties = json!({"os": "linux", "browser": "test", "device": "test"});
        let data = json!({"token": token, "intents": intents, "properties": properties});
        self.say(json!({"op": 2, "d": data})).await;
    }

    pub(super) async fn resume(&mut self, token: &str, session: &Value, sequence: u64) {
        let data = json!({"token": token, "session_id": session, "seq": sequence});
        self.say(json!({"op": 6, "d": data})).await;
    }

    pub(super) async fn say(&mut self, payload: Value) {
        let sent = self.stream.send(Message::Text(payload.to_string())).await;
        sent.expect("an open connection");
    }

    /// The next payload, or the code that the connection was closed with, 0 for none.
    pub(super) async fn next(&mut self) -> Result<Value, u16> {
        match timeout(SOON, self.stream.next())
            .await
            .expect("a payload in time")
        {
            Some(Ok(Message::Text(text))) => Ok(serde_json::from_str(&text).expect("JSON")),
            Some(Ok(Message::Close(frame))) => {
                Err(frame.map_or(0, |CloseFrame { code, .. }| code.into()))
            }
            Some(Ok(other)) => panic!("neither text nor close: {other:?}"),
            Some(Err(_)) | None => Err(0),
        }
    }

    /// The next payload of an event, past others.
    pub(super) async fn event_with_sequence(&mut self, name: &str) -> (Value, u64) {
        loop {
            let payload = self.next().await;
            let mut payload = payload.unwrap_or_else(|code| panic!("{code} before {name}"));
            if payload["t"] == name {
                return (
                    payload["d"].take(),
                    payload["s"].as_u64().unwrap_or_default(),
                );
            }
        }
    }

    pub(super) async fn event(&mut self, name: &str) -> Value {
        self.event_with_sequence(name).await.0
    }

    /// The next payload with this op code, past others.
    pub(super) async fn op(&mut self, op: u64) -> Value {
        loop {
            let payload = self.next().await;
            let payload = payload.unwrap_or_else(|code| panic!("{code} before op {op}"));
            if payload["op"] == op {
                return payload;
            }
        }
    }

    /// The code that the connection is closed with.
    pub(super) async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }
}

/// Where the interaction of an event is answered.
pub(super) fn callback_path(event: &Value) -> String {
    let token = event["token"].as_str().expect("a token");
    format!("/interactions/{}/{token}/callback", id(&event["id"]))
}

/// Waits for the next interaction and answers it.
pub(super) async fn answer_next(
    fake: &FakeDiscord,
    socket: &mut Socket,
    kind: u64,
    data: Value,
) -> (Value, Answered) {
    let event = socket.event("INTERACTION_CREATE").await;
    let body = json!({"type": kind, "data": data});
    let answered = ask(fake, "POST", &callback_path(&event), body).await;
    (event, answered)
}

/// A bot at the gateway whose commands are registered, and a person.
pub(super) struct Scene {
    pub(super) fake: FakeDiscord,
    pub(super) socket: Socket,
    pub(super) alice: u64,
}

/// What [`Scene`]'s bot has registered.
pub(super) fn definition() -> Value {
    json!({"name": "ticket", "description": "Tickets", "options": [
        {"type": 1, "name": "take", "description": "Take one", "options": [
            {"type": 3, "name": "ticket", "description": "Which", "required": true,
                "autocomplete": true},
            {"type": 3, "name": "severity", "description": "How bad",
                "choices": [{"name": "one", "value": "sev1"}, {"name": "two", "value": "sev2"}]},
            {"type": 4, "name": "hours", "description": "How long", "min_value": 1, "max_value": 8},
            {"type": 6, "name": "person", "description": "For whom"},
        ]},
        {"type": 2, "name": "list", "description": "Lists", "options": [
            {"type": 1, "name": "mine", "description": "Mine"},
        ]},
    ]})
}

impl Scene {
    pub(super) async fn new() -> Self {
        let fake = FakeDiscord::start().await;
        let socket = Socket::ready(&fake).await;
        let alice = fake.add_member("alice", &[]);
        let scene = Self {
            fake,
            socket,
            alice,
        };
        let path = scene.commands_path();
        assert_eq!(
            scene.ask("PUT", &path, json!([definition()])).await.status,
            200
        );
        scene
    }

    pub(super) fn commands_path(&self) -> String {
        let (application, guild) = (self.fake.application_id(), self.fake.guild_id());
        format!("/applications/{application}/guilds/{guild}/commands")
    }

    pub(super) async fn ask(&self, method: &str, path: &str, body: Value) -> Answered {
        ask(&self.fake, method, path, body).await
    }

    /// Answers the interaction of an event.
    pub(super) async fn callback(&self, event: &Value, kind: u64, data: Value) -> Answered {
        let body = json!({"type": kind, "data": data});
        self.ask("POST", &callback_path(event), body).await
    }

    /// The path of what follows an answer.
    pub(super) fn webhook(&self, event: &Value, rest: &str) -> String {
        let token = event["token"].as_str().expect("a token");
        format!("/webhooks/{}/{token}{rest}", self.fake.application_id())
    }

    /// The channel that is there from the start.
    pub(super) fn general(&self) -> u64 {
        self.fake.channel_by_name("general").expect("general").id
    }

    /// Alice takes a ticket; the event as the bot gets it, answered in this way.
    pub(super) async fn taken(&mut self, kind: u64, data: Value) -> (Value, Answer) {
        let alice = self.fake.person(self.alice);
        let asked = alice.command("ticket take", json!({"ticket": "SB-1"}));
        let bot = answer_next(&self.fake, &mut self.socket, kind, data);
        let (answer, (event, answered)) = tokio::join!(asked, bot);
        assert_eq!(answered.status, 204, "{answered:?}");
        (event, answer.expect("a command that is registered"))
    }
}
