//! The gateway: one bot's session over WebSocket, with a buffer of events for RESUME.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{
        Message as Frame,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::Shared;

/// The intent for guilds, channels, threads and roles.
const GUILDS: u64 = 1;
/// Members, presences and message content: to be allowed by hand, which here they are not.
const PRIVILEGED: u64 = (1 << 1) | (1 << 8) | (1 << 15);
/// More than this in one frame is refused.
const LARGEST_FRAME: usize = 4096;

/// What a connection is told to do.
enum Order {
    Send(String),
    Close(u16),
    Cut,
}

/// A session, which outlives its connections.
struct Session {
    sequence: u64,
    intents: u64,
    /// Everything since READY, with its sequence number.
    events: Vec<(u64, String)>,
}

/// How the bot's gateway stands.
struct State {
    is_refusing: bool,
    answers_heartbeats: bool,
    interval: Duration,
    allowed: u64,
    sessions: BTreeMap<String, Session>,
    current: Option<String>,
    connection: Option<(u64, UnboundedSender<Order>)>,
    accepted: u64,
    identified: Vec<u64>,
    resumed: usize,
    heartbeats: usize,
}

/// The gateway.
pub(super) struct Gateway(Mutex<State>);

impl Gateway {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            is_refusing: false,
            answers_heartbeats: true,
            interval: Duration::from_millis(41_250),
            allowed: !PRIVILEGED,
            sessions: BTreeMap::new(),
            current: None,
            connection: None,
            accepted: 0,
            identified: Vec::new(),
            resumed: 0,
            heartbeats: 0,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Tells an event that comes with the intent for guilds.
    pub(super) fn tell_of_guild(&self, name: &str, data: &Value) {
        let mut state = self.state();
        if state.intents() & GUILDS != 0 {
            state.tell(name, data);
        }
    }

    /// Tells an event that every session gets; kept for RESUME while nobody is connected.
    pub(super) fn tell(&self, name: &str, data: &Value) {
        self.state().tell(name, data);
    }

    /// Whether a bot has identified, and is connected or may resume.
    pub(super) fn has_session(&self) -> bool {
        self.state().current.is_some()
    }

    pub(super) fn session(&self) -> Option<String> {
        self.state().current.clone()
    }

    pub(super) fn is_connected(&self) -> bool {
        let state = self.state();
        state.connection.is_some() && state.current.is_some()
    }

    pub(super) fn identified(&self) -> Vec<u64> {
        self.state().identified.clone()
    }

    pub(super) fn resumed(&self) -> usize {
        self.state().resumed
    }

    pub(super) fn heartbeats(&self) -> usize {
        self.state().heartbeats
    }

    pub(super) fn refuse(&self, is_refusing: bool) {
        self.state().is_refusing = is_refusing;
    }

    pub(super) fn answer_heartbeats(&self, answers: bool) {
        self.state().answers_heartbeats = answers;
    }

    pub(super) fn beat_every(&self, interval: Duration) {
        self.state().interval = interval;
    }

    pub(super) fn allow_intents(&self, intents: u64) {
        self.state().allowed = intents;
    }

    pub(super) fn close(&self, code: u16) {
        self.state().order(Order::Close(code));
    }

    pub(super) fn cut(&self) {
        self.state().order(Order::Cut);
    }

    /// Op 7.
    pub(super) fn ask_to_reconnect(&self) {
        self.state()
            .send(&json!({"op": 7, "d": null, "s": null, "t": null}));
    }

    /// Op 9; a session that cannot be resumed is forgotten.
    pub(super) fn invalidate(&self, may_resume: bool) {
        let mut state = self.state();
        state.send(&json!({"op": 9, "d": may_resume, "s": null, "t": null}));
        if !may_resume && let Some(current) = state.current.take() {
            state.sessions.remove(&current);
        }
    }
}

impl State {
    fn intents(&self) -> u64 {
        let session = self.current.as_ref().and_then(|id| self.sessions.get(id));
        session.map_or(0, |session| session.intents)
    }

    fn order(&mut self, order: Order) {
        if let Some((_, connection)) = &self.connection {
            // A connection that has just ended takes no orders, and needs none.
            let _ = connection.send(order);
        }
    }

    fn send(&mut self, payload: &Value) {
        self.order(Order::Send(payload.to_string()));
    }

    fn tell(&mut self, name: &str, data: &Value) {
        let session = self
            .current
            .as_ref()
            .and_then(|id| self.sessions.get_mut(id));
        let Some(session) = session else {
            return;
        };
        session.sequence += 1;
        let payload = json!({"op": 0, "d": data, "s": session.sequence, "t": name}).to_string();
        session.events.push((session.sequence, payload.clone()));
        self.order(Order::Send(payload));
    }
}

/// Accepts until the task is ended.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // They end with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        if shared.gateway.state().is_refusing {
            continue;
        }
        // Small events leave at once, as Discord's do.
        let _ = stream.set_nodelay(true);
        connections.spawn(connection(stream, Arc::clone(&shared)));
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let Ok(socket) = accept_async(stream).await else {
        return;
    };
    let (sender, orders) = unbounded_channel();
    let (number, interval) = {
        let mut state = shared.gateway.state();
        state.accepted += 1;
        (state.accepted, state.interval)
    };
    let interval = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
    let hello = json!({"op": 10, "d": {"heartbeat_interval": interval}, "s": null, "t": null});
    let _ = sender.send(Order::Send(hello.to_string()));
    let caller = Caller {
        shared: &shared,
        number,
        sender,
    };
    talk(socket, orders, &caller).await;
    let mut state = shared.gateway.state();
    if state
        .connection
        .as_ref()
        .is_some_and(|(current, _)| *current == number)
    {
        state.connection = None;
    }
    drop(state);
    shared.changed();
}

async fn talk(
    mut socket: WebSocketStream<TcpStream>,
    mut orders: UnboundedReceiver<Order>,
    caller: &Caller<'_>,
) {
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(text)) => {
                    if socket.send(Frame::Text(text)).await.is_err() {
                        return;
                    }
                }
                Some(Order::Close(code)) => return close(socket, code).await,
                Some(Order::Cut) | None => return,
            },
            frame = socket.next() => match frame {
                Some(Ok(Frame::Text(text))) => {
                    if let Err(code) = caller.hear(&text) {
                        return close(socket, code).await;
                    }
                }
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

async fn close(mut socket: WebSocketStream<TcpStream>, code: u16) {
    let frame = CloseFrame {
        code: CloseCode::from(code),
        reason: "closed by the fake".into(),
    };
    if socket.close(Some(frame)).await.is_ok() {
        let drained = async { while let Some(Ok(_)) = socket.next().await {} };
        let _ = tokio::time::timeout(Duration::from_secs(1), drained).await;
    }
}

/// Whoever is at the other end of one connection.
struct Caller<'a> {
    shared: &'a Arc<Shared>,
    number: u64,
    sender: UnboundedSender<Order>,
}

impl Caller<'_> {
    fn send(&self, payload: &Value) {
        let _ = self.sender.send(Order::Send(payload.to_string()));
    }

    fn is_current(&self) -> bool {
        let state = self.shared.gateway.state();
        state
            .connection
            .as_ref()
            .is_some_and(|(current, _)| *current == self.number)
    }

    /// Acts on a payload, or names the code to close with.
    fn hear(&self, text: &str) -> Result<(), u16> {
        if text.len() > LARGEST_FRAME {
            return Err(4002);
        }
        let payload: Value = serde_json::from_str(text).map_err(|_| 4002_u16)?;
        match payload["op"].as_u64() {
            Some(1) => self.heartbeat(),
            Some(2) if self.is_current() => return Err(4005),
            Some(2) => self.identify(&payload["d"])?,
            Some(6) => self.resume(&payload["d"])?,
            Some(3 | 4 | 8) if self.is_current() => {}
            Some(3 | 4 | 8) => return Err(4003),
            _ => return Err(4001),
        }
        self.shared.changed();
        Ok(())
    }

    fn heartbeat(&self) {
        let mut state = self.shared.gateway.state();
        state.heartbeats += 1;
        if state.answers_heartbeats {
            self.send(&json!({"op": 11, "d": null, "s": null, "t": null}));
        }
    }

    fn check_token(&self, given: &Value) -> Result<(), u16> {
        let world = self.shared.world();
        let given = given.as_str().unwrap_or_default();
        let given = given.strip_prefix("Bot ").unwrap_or(given);
        if given == world.token && !world.is_revoked {
            Ok(())
        } else {
            Err(4004)
        }
    }

    fn identify(&self, data: &Value) -> Result<(), u16> {
        self.check_token(&data["token"])?;
        let intents = data["intents"].as_u64().ok_or(4013_u16)?;
        let (ready, guild) = {
            let world = self.shared.world();
            let guild = world.guild.to_string();
            let application = world.application.to_string();
            let ready = json!({
                "v": 10, "user": world.user(world.bot), "user_settings": {},
                "guilds": [{"id": guild, "unavailable": true}], "session_type": "normal",
                "resume_gateway_url": self.shared.gateway_url, "shard": [0, 1],
                "private_channels": [], "relationships": [],
                "application": {"id": application, "flags": 0},
            });
            (ready, world.guild_event())
        };
        let mut state = self.shared.gateway.state();
        state.identified.push(intents);
        if intents & !state.allowed != 0 {
            return Err(4014);
        }
        let id = format!("session-{}", self.number);
        let session = Session {
            sequence: 0,
            intents,
            events: Vec::new(),
        };
        state.sessions.insert(id.clone(), session);
        state.current = Some(id.clone());
        state.connection = Some((self.number, self.sender.clone()));
        let mut ready = ready;
        ready["session_id"] = id.into();
        state.tell("READY", &ready);
        if intents & GUILDS != 0 {
            state.tell("GUILD_CREATE", &guild);
        }
        Ok(())
    }

    fn resume(&self, data: &Value) -> Result<(), u16> {
        self.check_token(&data["token"])?;
        let id = data["session_id"].as_str().unwrap_or_default().to_owned();
        let mut state = self.shared.gateway.state();
        let Some(session) = state.sessions.get(&id) else {
            self.send(&json!({"op": 9, "d": false, "s": null, "t": null}));
            return Ok(());
        };
        let seen = data["seq"].as_u64().unwrap_or_default();
        if seen > session.sequence {
            return Err(4007);
        }
        for (number, event) in &session.events {
            if *number > seen {
                let _ = self.sender.send(Order::Send(event.clone()));
            }
        }
        state.current = Some(id);
        state.connection = Some((self.number, self.sender.clone()));
        state.resumed += 1;
        state.tell("RESUMED", &json!({}));
        Ok(())
    }
}
