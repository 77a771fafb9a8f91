//! A provider of tokens: device codes, grants and renewals as RFC 8628 and RFC 6749 have them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};

/// What the provider does.
#[derive(Debug, Default)]
pub struct Provider {
    /// How often a waiting device is told to wait on.
    pub pending: usize,
    /// What is answered to a renewal in the place of a token.
    pub refuses: Option<String>,
    /// How long access tokens last, in seconds.
    pub lasts: u64,
    /// Whether each renewal ends the refresh token before.
    pub rotates: bool,
    /// The refresh token that is good.
    pub refresh: String,
    /// Access tokens given so far.
    pub given: usize,
    /// Every form that came.
    pub forms: Vec<HashMap<String, String>>,
}

/// A running provider.
#[derive(Debug)]
pub struct OAuthServer {
    /// Its address, `http://127.0.0.1:PORT`.
    pub url: String,
    state: Shared,
    task: AbortHandle,
}

type Shared = Arc<Mutex<Provider>>;
type Answer = (StatusCode, Json<Value>);

impl OAuthServer {
    /// A provider that agrees after two questions.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
        let address = listener.local_addr().expect("it has an address");
        let state: Shared = Arc::new(Mutex::new(Provider {
            pending: 2,
            lasts: 3_600,
            refresh: "refresh-0".to_owned(),
            ..Provider::default()
        }));
        let router = Router::new()
            .route("/device", post(device))
            .route("/token", post(token))
            .with_state(Arc::clone(&state));
        let mut serving = tokio::task::JoinSet::new();
        let task = serving.spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        serving.detach_all();
        Self {
            url: format!("http://{address}"),
            state,
            task,
        }
    }

    /// What it does, to look at or to change.
    pub fn state(&self) -> MutexGuard<'_, Provider> {
        lock(&self.state)
    }
}

impl Drop for OAuthServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Shared) -> MutexGuard<'_, Provider> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A form as browsers and libraries send it.
fn form(body: &str) -> HashMap<String, String> {
    let field = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (plain(name), plain(value))
    };
    body.split('&').map(field).collect()
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        match (first, others) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, behind @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).unwrap_or_default();
                bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
                rest = behind;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).expect("the desk sends UTF-8")
}

async fn device(State(state): State<Shared>, body: String) -> Json<Value> {
    lock(&state).forms.push(form(&body));
    Json(json!({
        "device_code": "device-secret",
        "user_code": "ABCD-EFGH",
        "verification_uri": "https://login.example/device",
        "expires_in": 900,
        "interval": "1",
    }))
}

async fn token(State(state): State<Shared>, body: String) -> Answer {
    let form = form(&body);
    let mut provider = lock(&state);
    let kind = form.get("grant_type").cloned().unwrap_or_default();
    let refresh = form.get("refresh_token").cloned();
    provider.forms.push(form);
    let no = |error: &str| {
        let answer = json!({ "error": error, "error_description": "AADSTS70000: as it is" });
        (StatusCode::BAD_REQUEST, Json(answer))
    };
    if kind.ends_with("device_code") {
        if provider.pending > 0 {
            provider.pending -= 1;
            return no("authorization_pending");
        }
    } else if let Some(error) = provider.refuses.clone() {
        return no(&error);
    } else if refresh.as_ref() != Some(&provider.refresh) {
        return no("invalid_grant");
    }
    provider.given += 1;
    if provider.rotates {
        provider.refresh = format!("refresh-{}", provider.given);
    }
    let answer = json!({
        "access_token": format!("access-{}", provider.given),
        "token_type": "Bearer",
        "expires_in": provider.lasts,
        "refresh_token": provider.refresh,
        "scope": "imap smtp",
    });
    (StatusCode::OK, Json(answer))
}
