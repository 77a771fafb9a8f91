//! An AWS on the loopback: JSON 1.1 for Organizations, IAM Identity Center and the Identity Store,
//! and the query protocol of the token service, around the same machine that the simulated cloud
//! is. The real SDK talks to it, so what is tested is what is sent.
//!
//! The machine's own fault plan says what AWS refuses or loses. What goes wrong between AWS and us
//! is said here: [`AwsServer::plan`].

mod wire;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::HeaderMap,
    response::Response,
    routing::post,
};
use tierdesk_core::{
    clock::Clock,
    settings::{AwsSettings, CloudKind},
};
use tierdesk_provision::{
    aws::{AwsCloud, Connection, Keys, Patience},
    simulated::{AwsFault, Reply, Simulated},
};

/// What happens to one request instead of an answer.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Nothing, for longer than anybody waits. AWS does nothing either.
    Hang,
    /// The connection ends; AWS did nothing.
    Cut,
    /// This answer, from whoever stands between: status, type and body. AWS did nothing.
    Answer(u16, &'static str, String),
}

/// The server. It ends with the value.
#[derive(Debug)]
pub struct AwsServer {
    url: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    clock: Clock,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    machine: Simulated,
    page: Option<usize>,
    troubles: BTreeMap<String, VecDeque<Trouble>>,
    received: Vec<String>,
}

impl Shared {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AwsServer {
    /// A server around this machine, which takes the time from `clock`.
    pub async fn start(machine: Simulated, clock: Clock) -> Self {
        let inside = Inside {
            machine,
            page: None,
            troubles: BTreeMap::new(),
            received: Vec::new(),
        };
        let shared = Arc::new(Shared {
            clock,
            inside: Mutex::new(inside),
        });
        let routes = Router::new()
            .route("/", post(serve))
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let serving = async move {
            axum::serve(listener, routes).await.expect("it serves");
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "it ends with the server's value, which holds its handle"
        )]
        let task = tokio::spawn(serving);
        Self {
            url: format!("http://{address}"),
            shared,
            task,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Looks at the machine, or changes what AWS is like.
    pub fn machine<T>(&self, with: impl FnOnce(&mut Simulated) -> T) -> T {
        with(&mut self.shared.inside().machine)
    }

    /// What happens to the next request of an operation, one after the other.
    pub fn plan(&self, operation: &str, trouble: Trouble) {
        let mut inside = self.shared.inside();
        let planned = inside.troubles.entry(operation.to_owned()).or_default();
        planned.push_back(trouble);
    }

    /// Lists come in pages of so many, with an empty page before each.
    pub fn page(&self, size: usize) {
        self.shared.inside().page = Some(size);
    }

    /// How many requests of an operation arrived, whatever became of them.
    pub fn received(&self, operation: &str) -> usize {
        let inside = self.shared.inside();
        inside
            .received
            .iter()
            .filter(|name| *name == operation)
            .count()
    }

    /// Settings that lead here and may change this organisation.
    pub fn settings(&self) -> AwsSettings {
        let organization = self.machine(|machine| machine.organization.clone());
        aws_settings(&self.url, Some(organization))
    }

    /// The real SDK, with patience for tests.
    pub async fn cloud(&self) -> AwsCloud {
        connect(&self.settings(), test_keys()).await
    }

    /// The same, giving up on an answer after so long and on a read after six times that.
    pub async fn cloud_that_waits(&self, answer: Duration) -> AwsCloud {
        connect_with(&self.settings(), test_keys(), answer).await
    }
}

impl Drop for AwsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Settings with an endpoint on this machine.
pub fn aws_settings(url: &str, organization: Option<String>) -> AwsSettings {
    AwsSettings {
        cloud: CloudKind::Aws,
        organization_id: organization,
        endpoint_url: Some(url.to_owned()),
        org_region: "us-east-1".to_owned(),
        sso_region: "us-east-1".to_owned(),
        root_email_template: Some("aws+{slug}@securebase.example".to_owned()),
        access_file: None,
        policies_dir: None,
    }
}

/// Keys that open nothing.
pub fn test_keys() -> Keys {
    Keys {
        id: "AKIATESTTESTTESTTEST".to_owned(),
        secret: "not a secret".to_owned(),
        session_token: None,
    }
}

/// The adapter with patience for tests on a busy machine.
pub async fn connect(settings: &AwsSettings, keys: Keys) -> AwsCloud {
    connect_with(settings, keys, Duration::from_secs(10)).await
}

async fn connect_with(settings: &AwsSettings, keys: Keys, answer: Duration) -> AwsCloud {
    let patience = Patience {
        connect: Duration::from_secs(5),
        answer,
        read: answer * 6,
        retry: Duration::from_millis(1),
    };
    let keys = Some(keys);
    AwsCloud::connect_with(settings, Connection { keys, patience }).await
}

async fn serve(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let request = match wire::Request::read(&headers, &body) {
        Ok(request) => request,
        Err(words) => {
            let fault = AwsFault::new("SerializationException", words);
            return wire::refused(&fault, wire::Protocol::Json);
        }
    };
    let trouble = {
        let mut inside = shared.inside();
        inside.received.push(request.name.clone());
        let planned = inside.troubles.get_mut(&request.name);
        planned.and_then(VecDeque::pop_front)
    };
    match trouble {
        Some(Trouble::Hang) => std::future::pending().await,
        Some(Trouble::Cut) => return cut(),
        Some(Trouble::Answer(status, kind, body)) => return wire::answer(status, kind, body),
        None => {}
    }
    let done = {
        let now = shared.clock.read();
        let mut inside = shared.inside();
        let page = inside.page;
        let done = inside.machine.apply(&request.operation, now);
        done.map(|reply| Reply {
            body: wire::page(reply.body, page, &request),
            delay: reply.delay,
        })
    };
    match done {
        Ok(reply) => {
            tokio::time::sleep(reply.delay).await;
            wire::done(&reply.body, &request)
        }
        Err(fault) if fault.is_lost => cut(),
        Err(fault) => wire::refused(&fault, request.protocol),
    }
}

/// A body that breaks before its first byte takes the connection with it.
fn cut() -> Response {
    let broken = futures_util::stream::once(async {
        Err::<Bytes, _>(std::io::Error::other("the connection was cut"))
    });
    Response::new(Body::from_stream(broken))
}
