//! The HTTP side: takes a request, records it, lets go wrong what is to go wrong, checks it against
//! the published schema, and has it acted upon.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{
        ConnectInfo, FromRequest as _, Multipart, Request as HttpRequest, State,
        connect_info::Connected,
    },
    http::{HeaderMap, StatusCode, header},
    response::Response,
    serve::{IncomingStream, Listener},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

use super::{
    Shared,
    faults::Trouble,
    openapi,
    record::{Call, Request},
    refusal::{Refusal, Reply},
    routes,
};

/// Discord takes 25 MiB in a request.
const LARGEST_BODY: usize = 25 * 1024 * 1024;

/// A connection that can be cut while a request is answered.
pub(super) struct Wire {
    stream: TcpStream,
    is_cut: Arc<AtomicBool>,
}

/// The scissors for a [`Wire`].
#[derive(Clone)]
struct Scissors(Arc<AtomicBool>);

pub(super) struct Wires(pub(super) TcpListener);

impl Listener for Wires {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Small answers leave at once: the wait for an acknowledgement would be measured as the bot's.
        let _ = stream.set_nodelay(true);
        let is_cut = Arc::default();
        (Wire { stream, is_cut }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Wires>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Wires>) -> Self {
        Self(Arc::clone(&stream.io().is_cut))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_cut.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Serves until the task is ended.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let routes = Router::new().fallback(handle).with_state(shared);
    let routes = routes.into_make_service_with_connect_info::<Scissors>();
    // It ends with an error only if the socket does, and then each request tells.
    let _ = axum::serve(Wires(listener), routes).await;
}

/// What a request says, read in full.
struct Read {
    call: Call,
    query: String,
    raw: String,
    is_bad: bool,
}

async fn read(request: HttpRequest) -> Read {
    let (method, uri) = (request.method().to_string(), request.uri().clone());
    let path = below_version(uri.path());
    let query = uri.query().unwrap_or_default().to_owned();
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mut files = Vec::new();
    let (mut raw, mut json) = (String::new(), String::new());
    if kind.starts_with("multipart/form-data") {
        if let Ok(mut form) = Multipart::from_request(request, &()).await {
            while let Ok(Some(field)) = form.next_field().await {
                let name = field.name().unwrap_or_default().to_owned();
                let file = field.file_name().map(str::to_owned);
                let bytes = field.bytes().await.unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                raw.push_str(&text);
                raw.push('\n');
                match file {
                    Some(file) => files.push((file, bytes.len())),
                    None if name == "payload_json" => json = text,
                    None => {}
                }
            }
        }
    } else {
        let bytes = to_bytes(request.into_body(), LARGEST_BODY).await;
        json = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        raw.clone_from(&json);
    }
    let parsed = if json.is_empty() {
        Ok(Value::Null)
    } else {
        serde_json::from_str(&json)
    };
    Read {
        is_bad: parsed.is_err(),
        call: Call {
            method,
            path,
            query: pairs(&query),
            body: parsed.unwrap_or_default(),
            files,
        },
        query,
        raw,
    }
}

/// The path without `/api/v10`; empty for what is not below it.
fn below_version(path: &str) -> String {
    let below = path.strip_prefix("/api/v10").unwrap_or_default();
    below.to_owned()
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| {
            (
                name.to_owned(),
                value.replace("%3A", ":").replace("%2B", "+"),
            )
        })
        .collect()
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: HttpRequest,
) -> Response {
    let authorization = authorization(request.headers());
    let read = read(request).await;
    let number = shared.record(&read.call, read.query, read.raw);
    let trouble = shared.take_trouble(&read.call);
    let prepared = match &trouble {
        Some(Trouble::Fail { status, body }) => {
            Some((*status, HeaderMap::new(), Some(body.clone())))
        }
        Some(Trouble::RateLimit { after, scope }) => Some(limited(*after, scope)),
        Some(Trouble::Hang(time)) => {
            tokio::time::sleep(*time).await;
            None
        }
        Some(Trouble::Drop) | None => None,
    };
    let (status, headers, body) =
        prepared.unwrap_or_else(|| act(&shared, &read.call, authorization.as_deref(), read.is_bad));
    shared.answered(number, status);
    shared.changed();
    if matches!(trouble, Some(Trouble::Drop)) || shared.is_over() {
        scissors.0.store(true, Ordering::SeqCst);
    }
    let mut response = Response::new(body.map_or_else(Body::empty, |body| body.to_string().into()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    let kind = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn authorization(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    Some(given.to_owned())
}

type Answer = (u16, HeaderMap, Option<Value>);

fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        if let Ok(value) = value.parse() {
            headers.insert(*name, value);
        }
    }
    headers
}

fn limited(after: Duration, scope: &'static str) -> Answer {
    let seconds = after.as_secs_f64();
    let is_global = scope == "global";
    let mut pairs = vec![
        // Whole seconds, as HTTP has it; the body has the fraction.
        ("retry-after", seconds.ceil().to_string()),
        ("x-ratelimit-scope", scope.to_owned()),
    ];
    if is_global {
        pairs.push(("x-ratelimit-global", "true".to_owned()));
    } else {
        pairs.extend(bucket(0, after));
    }
    let message = "You are being rate limited.";
    let body = json!({"message": message, "retry_after": seconds, "global": is_global});
    (429, headers(&pairs), Some(body))
}

fn bucket(remaining: u64, after: Duration) -> [(&'static str, String); 5] {
    #[expect(
        clippy::disallowed_methods,
        reason = "clients hold it against the machine's clock"
    )]
    let now = jiff::Timestamp::now() + after;
    [
        ("x-ratelimit-limit", "50".to_owned()),
        ("x-ratelimit-remaining", remaining.to_string()),
        ("x-ratelimit-reset", format!("{}.000", now.as_second())),
        (
            "x-ratelimit-reset-after",
            format!("{:.3}", after.as_secs_f64()),
        ),
        ("x-ratelimit-bucket", "fake".to_owned()),
    ]
}

fn act(shared: &Shared, call: &Call, authorization: Option<&str>, is_bad: bool) -> Answer {
    let mut world = shared.world();
    let needs_token = !matches!(
        call.segments().first(),
        Some(&("interactions" | "webhooks"))
    );
    let is_ours = authorization == Some(format!("Bot {}", world.token).as_str());
    if world.is_revoked || (needs_token && !is_ours) {
        let body = json!({"message": "401: Unauthorized", "code": 0});
        if !world.is_revoked {
            world.violate(format!("{}: without the bot's token", call.shown()));
        }
        return (401, HeaderMap::new(), Some(body));
    }
    if !is_bad {
        for fault in openapi::request_faults(&call.method, &call.path, &call.body) {
            world.violate(format!("{}: against the schema: {fault}", call.shown()));
        }
    }
    let answer = if is_bad {
        let what = "the body is no JSON";
        Err(Refusal::new(
            400,
            50109,
            "The request body contains invalid JSON.",
            what,
        ))
    } else {
        routes::answer(&mut world, call, &shared.gateway_url)
    };
    let answer = match answer {
        Ok(Reply { status, body }) => (status, headers(&bucket(49, Duration::from_secs(1))), body),
        Err(refusal) => refused(&mut world, call, &refusal),
    };
    let events = std::mem::take(&mut world.events);
    drop(world);
    for (name, data) in events {
        shared.gateway.tell_of_guild(name, &data);
    }
    answer
}

fn refused(world: &mut super::world::World, call: &Call, refusal: &Refusal) -> Answer {
    let (status, code) = (refusal.status, refusal.code);
    let shown = call.shown();
    world.violate(format!("{shown}: {status}/{code}: {}", refusal.what));
    match refusal.retry_after {
        Some(after) => limited(after, "user"),
        None => (status, HeaderMap::new(), Some(refusal.body())),
    }
}

impl Shared {
    fn record(&self, call: &Call, query: String, raw: String) -> usize {
        let mut world = self.world();
        let request = Request {
            at: world.timestamp(),
            method: call.method.clone(),
            path: call.path.clone(),
            query,
            body: call.body.clone(),
            raw,
            status: None,
        };
        world.requests.push(request);
        world.requests.len() - 1
    }

    fn answered(&self, number: usize, status: u16) {
        if let Some(request) = self.world().requests.get_mut(number) {
            request.status = Some(status);
        }
    }

    fn take_trouble(&self, call: &Call) -> Option<Trouble> {
        let mut world = self.world();
        let fits = |fault: &super::faults::Fault| fault.fits(&call.method, &call.path);
        let at = world.faults.iter().position(fits)?;
        Some(world.faults.remove(at).trouble)
    }
}
