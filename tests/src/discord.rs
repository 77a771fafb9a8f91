//! A Discord of our own: one guild in memory, over real HTTP and a real gateway on loopback, which
//! holds a bot to Discord's rules and people to what they are shown.
//!
//! A broken rule is answered as Discord answers it and is recorded; a test ends with
//! [`FakeDiscord::assert_clean`]. Time is real time and what [`FakeDiscord::advance`] adds. Faults
//! are ordered beforehand, each for one request.
//!
//! A rule goes to where its matter is: `limits` for what a message holds, `command_rules` for
//! definitions, `interaction` for answers, `messages`, `threads` and `guild` for the rest; with a test
//! in which it fires. A route goes to `routes`.

mod answer;
mod command_rules;
mod controls;
mod definition;
mod faults;
mod gateway;
mod guild;
mod interaction;
mod limits;
mod messages;
mod objects;
mod openapi;
pub mod permissions;
mod person;
mod record;
mod refusal;
mod routes;
mod server;
mod threads;
mod world;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

pub use answer::{Answer, AnswerKind, Choice, Input, Modal};
pub use openapi::{is_validating, request_faults, response_faults};
pub use person::{Impossible, Person};
pub use record::Request;
pub use world::{Channel, ChannelKind, Member, Message, Overwrite, Role, Tag};

use gateway::Gateway;
use world::World;

/// The date of things that were there before the test.
const EVERYTHING_FROM: &str = "2026-01-01T00:00:00.000000+00:00";

/// What the servers, the people and the test have in common.
struct Shared {
    world: Mutex<World>,
    gateway: Gateway,
    gateway_url: String,
    changes: watch::Sender<u64>,
    over: AtomicBool,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for something to become true.
    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits until there is something, for so long by the real clock.
    async fn until<T>(&self, limit: Duration, mut find: impl FnMut() -> Option<T>) -> Option<T> {
        let mut changes = self.changes.subscribe();
        let found = async {
            loop {
                if let Some(found) = find() {
                    return found;
                }
                // The sender lives as long as `self`.
                let _ = changes.changed().await;
            }
        };
        tokio::time::timeout(limit, found).await.ok()
    }
}

/// A running Discord; it ends when it is dropped.
pub struct FakeDiscord {
    shared: Arc<Shared>,
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Drop for FakeDiscord {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
    }
}

impl FakeDiscord {
    /// Starts it on free loopback ports: a guild with its owner, the bot and the channel `general`.
    pub async fn start() -> Self {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let http = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let socket = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = http.local_addr().expect("a bound socket has an address");
        let gateway = socket.local_addr().expect("a bound socket has an address");
        // Of the form that clients insist on: three parts.
        let token = format!("ZmFrZS1ib3Qt.{number:06}.not-a-secret-{}", address.port());
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new(token)),
            gateway: Gateway::new(),
            gateway_url: format!("ws://{gateway}"),
            changes: watch::Sender::new(0),
            over: AtomicBool::new(false),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(http, Arc::clone(&shared)));
        tasks.spawn(gateway::serve(socket, Arc::clone(&shared)));
        Self {
            shared,
            address,
            _tasks: tasks,
        }
    }

    /// Where it is: put it in the place of `https://discord.com`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its API is.
    pub fn api_base(&self) -> String {
        format!("{}/api/v10", self.url())
    }

    /// The bot's token.
    pub fn token(&self) -> String {
        self.shared.world().token.clone()
    }

    /// The guild, and everybody's role in it.
    pub fn guild_id(&self) -> u64 {
        self.shared.world().guild
    }

    /// The bot's application.
    pub fn application_id(&self) -> u64 {
        self.shared.world().application
    }

    /// The bot as a user.
    pub fn bot_user_id(&self) -> u64 {
        self.shared.world().bot
    }

    /// The guild's owner, who may everything.
    pub fn owner_id(&self) -> u64 {
        self.shared.world().owner
    }

    /// A member, in `general`; [`Person::at`] takes them elsewhere.
    pub fn person(&self, member: u64) -> Person {
        Person::new(&self.shared, member)
    }

    /// [`Person::command`] in `general` by somebody who can.
    pub async fn command(&self, member: u64, path: &str, options: Value) -> Answer {
        possible(self.person(member).command(path, options).await)
    }

    /// [`Person::autocomplete`] in `general` by somebody who can, with nothing else filled in.
    pub async fn autocomplete(
        &self,
        member: u64,
        path: &str,
        focused: &str,
        typed: &str,
    ) -> Vec<Choice> {
        let person = self.person(member);
        possible(person.autocomplete(path, focused, typed, Value::Null).await)
    }

    /// [`Person::press`] by somebody who can.
    pub async fn press(&self, member: u64, message: u64, button: &str) -> Answer {
        possible(self.person(member).press(message, button).await)
    }

    /// [`Person::select`] by somebody who can.
    pub async fn select(&self, member: u64, message: u64, name: &str, values: &[&str]) -> Answer {
        possible(self.person(member).select(message, name, values).await)
    }

    /// [`Person::submit`] by somebody who can.
    pub async fn submit_modal(&self, member: u64, custom_id: &str, fields: Value) -> Answer {
        possible(self.person(member).submit(custom_id, fields).await)
    }
}

fn possible<T>(done: Result<T, Impossible>) -> T {
    done.unwrap_or_else(|why| panic!("{why}"))
}
