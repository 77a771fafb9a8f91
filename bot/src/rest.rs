//! Discord's REST API, as little of it as the desk needs.
//!
//! serenity's own client sleeps through a 429 while it holds the bucket, drops Retry-After when
//! told not to, and leaves `allowed_mentions` out of some requests; jobs need the opposite of all
//! three. So requests are ours: a time limit each, rate limits told to the caller, who has a queue.
//! Interactions do not count against the limits and never wait for them.

mod limits;

use std::{sync::Mutex, time::Duration};

use serde_json::Value;
use tierdesk_core::{discord::DiscordId, jobs::JobError, settings::Secret};
use tokio::{sync::watch, time::Instant};

use limits::Limits;

/// How long one request may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// How long the first answer to an interaction may take on the way; Discord gives up at 3 s.
const CALLBACK_LIMIT: Duration = Duration::from_millis(2_500);

/// What a request of the REST API came to, when it did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// The token is not accepted (401). Nothing more must be sent.
    #[error("Discord does not accept the bot's token")]
    Unauthorised,
    /// Not now, but after this time (429).
    #[error("Discord asks to wait {after:?}")]
    RateLimited {
        /// How long.
        after: Duration,
    },
    /// The thing is not there (404).
    #[error("Discord does not have it: {message} (code {code})")]
    NotFound {
        /// Discord's error code.
        code: u64,
        /// Discord's words.
        message: String,
    },
    /// A right is missing (403).
    #[error("Discord does not let the bot: {message} (code {code})")]
    Forbidden {
        /// Discord's error code.
        code: u64,
        /// Discord's words.
        message: String,
    },
    /// The request is wrong (other 4xx).
    #[error("Discord refused the request: {message} (status {status}, code {code})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Discord's error code.
        code: u64,
        /// Discord's words.
        message: String,
    },
    /// No answer, or a fault over there (5xx). Whether it was done is unknown.
    #[error("Discord could not be reached: {0}")]
    Unavailable(String),
}

impl RestError {
    /// Discord's error code, 0 where there is none.
    pub fn code(&self) -> u64 {
        match self {
            Self::NotFound { code, .. }
            | Self::Forbidden { code, .. }
            | Self::Refused { code, .. } => *code,
            _ => 0,
        }
    }
}

impl From<RestError> for JobError {
    /// The retry class: what a person must put right is tried again for a day, and then a dead
    /// letter; what is wrong with the request stays wrong.
    fn from(error: RestError) -> Self {
        let reason = error.to_string();
        match error {
            RestError::RateLimited { after } => Self::RetryAfter(after, reason),
            RestError::Refused { .. } => Self::Fail(reason),
            _ => Self::Retry(reason),
        }
    }
}

/// The client.
pub struct Rest {
    http: reqwest::Client,
    base: String,
    token: Secret,
    limits: Mutex<Limits>,
    revoked: watch::Sender<bool>,
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rest")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// Discord asks for this form.
const USER_AGENT: &str = concat!(
    "DiscordBot (https://securebase.example, ",
    env!("CARGO_PKG_VERSION"),
    ")"
);

impl Rest {
    /// A client of the API at `base`, without a slash at its end.
    ///
    /// # Panics
    ///
    /// Where the system's certificates cannot be read at all.
    pub fn new(base: &str, token: Secret) -> Self {
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(TIME_LIMIT)
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("the HTTP client has nothing to fail at but the system's certificates");
        Self {
            http,
            base: base.to_owned(),
            token,
            limits: Mutex::new(Limits::default()),
            revoked: watch::Sender::new(false),
        }
    }

    /// Where the API is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Ends when the token was refused.
    pub async fn token_refused(&self) {
        let mut heard = self.revoked.subscribe();
        // The sender lives as long as we do.
        let _ = heard.wait_for(|refused| *refused).await;
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Value, RestError> {
        self.call(reqwest::Method::GET, path, None).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, RestError> {
        self.call(reqwest::Method::POST, path, Some(body)).await
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, RestError> {
        self.call(reqwest::Method::PUT, path, Some(body)).await
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value, RestError> {
        self.call(reqwest::Method::PATCH, path, Some(body)).await
    }

    /// DELETE; what is not there is deleted.
    pub async fn delete(&self, path: &str) -> Result<(), RestError> {
        match self.call(reqwest::Method::DELETE, path, None).await {
            Ok(_) | Err(RestError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The first answer to an interaction.
    pub async fn answer(&self, id: DiscordId, token: &str, body: &Value) -> Result<(), RestError> {
        let path = format!("/interactions/{id}/{token}/callback");
        let sent = self.send(reqwest::Method::POST, &path, Some(body), CALLBACK_LIMIT);
        sent.await.map(|_| ())
    }

    /// Replaces the answer to an interaction that was deferred.
    pub async fn edit_answer(
        &self,
        application: DiscordId,
        token: &str,
        body: &Value,
    ) -> Result<(), RestError> {
        let path = format!("/webhooks/{application}/{token}/messages/@original");
        let sent = self.send(reqwest::Method::PATCH, &path, Some(body), TIME_LIMIT);
        sent.await.map(|_| ())
    }

    async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, RestError> {
        let route = limits::route(method.as_str(), path);
        if let Some(after) = self.limits().wait(&route, Instant::now()) {
            return Err(RestError::RateLimited { after });
        }
        self.send(method, path, body, TIME_LIMIT).await
    }

    fn limits(&self) -> std::sync::MutexGuard<'_, Limits> {
        self.limits
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<Value, RestError> {
        if *self.revoked.borrow() {
            return Err(RestError::Unauthorised);
        }
        let route = limits::route(method.as_str(), path);
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .timeout(limit);
        // What belongs to an interaction carries a token of its own in its path.
        let is_ours = !path.starts_with("/interactions/") && !path.starts_with("/webhooks/");
        if is_ours {
            request = request.header("Authorization", format!("Bot {}", self.token.expose()));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let unavailable = |error: reqwest::Error| {
            // Without the address: that of an interaction holds its token.
            RestError::Unavailable(tierdesk_core::telemetry::chain(&error.without_url()))
        };
        let response = request.send().await.map_err(unavailable)?;
        let status = response.status();
        self.limits()
            .learn(&route, response.headers(), Instant::now());
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|text| text.to_str().ok()?.trim().parse().ok());
        let text = response.text().await.map_err(unavailable)?;
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(value);
        }
        let error = self.failure(&route, status.as_u16(), &value, retry_after);
        if is_ours && matches!(error, RestError::Unauthorised) {
            self.revoked.send_replace(true);
        }
        Err(error)
    }

    fn failure(
        &self,
        route: &str,
        status: u16,
        value: &Value,
        retry_after: Option<f64>,
    ) -> RestError {
        let code = value["code"].as_u64().unwrap_or_default();
        let message = value["message"].as_str().unwrap_or("no reason given");
        let message: String = message.chars().take(200).collect();
        match status {
            401 => RestError::Unauthorised,
            403 => RestError::Forbidden { code, message },
            404 => RestError::NotFound { code, message },
            429 => {
                // The body is exact and the header rounded up; what stands before Discord answers
                // with the header alone.
                let seconds = value["retry_after"].as_f64().or(retry_after).unwrap_or(1.0);
                let after = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(1));
                let is_global = value["global"].as_bool().unwrap_or_default();
                self.limits().hold(route, is_global, Instant::now() + after);
                RestError::RateLimited { after }
            }
            500.. => RestError::Unavailable(format!("status {status}: {message}")),
            _ => RestError::Refused {
                status,
                code,
                message,
            },
        }
    }
}
