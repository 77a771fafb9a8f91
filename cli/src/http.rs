//! What the desk answers over HTTP: its health, calendars of those on call, and what PagerDuty tells.
//!
//! GET and HEAD change nothing. Whoever asks is nobody until a route has made sure who it is: by a
//! signature, or by a token that only its owner knows. No address is logged, since tokens are in them.
//!
//! To add a route: a file below this one with its handler, a line in [`router`], what it needs from the desk
//! in [`Sources`], a row in docs/interface.md.

mod calendar;
mod health;
mod pagerduty;
mod server;
#[cfg(test)]
mod tests;

use std::{pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use tierdesk_core::desk::{Desk, Error};

pub(crate) use self::{
    pagerduty::{PagerDuty, PagerDutyEvent, PagerDutyEventKind},
    server::{Server, open},
};

/// A body must have come within this.
const BODY: Duration = Duration::from_secs(10);

/// What a source answers.
pub(crate) type Answering<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;
/// Gives the calendar (RFC 5545) that a token is for.
pub(crate) type Calendar = Arc<dyn Fn(String) -> Answering<Option<String>> + Send + Sync>;

/// What the routes are made of. A route without its source is not there.
#[derive(Clone)]
pub(crate) struct Sources {
    /// The desk that is asked how it is.
    pub(crate) desk: Arc<Desk>,
    /// Calendars.
    pub(crate) calendar: Option<Calendar>,
    /// What PagerDuty tells, with the secrets by which it is known.
    pub(crate) pagerduty: Option<PagerDuty>,
}

/// All routes; everything else is not found, whatever it is asked by.
pub(crate) fn router(sources: Sources) -> Router {
    let mut router = Router::new().route(
        "/health",
        get(health::answer).with_state(health::Watched::new(sources.desk)),
    );
    if let Some(calendar) = sources.calendar {
        let route = get(calendar::answer).with_state(calendar);
        router = router.route("/oncall/{file}", route);
    }
    if let Some(pagerduty) = sources.pagerduty {
        let route = post(pagerduty::answer).with_state(pagerduty);
        router = router.route("/hooks/pagerduty", route);
    }
    router
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(map_response(guard))
}

async fn not_found() -> Response {
    told(StatusCode::NOT_FOUND, "there is nothing here\n")
}

/// A status with a line of plain text.
fn told(status: StatusCode, words: &'static str) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, kind, words).into_response()
}

/// Nothing of ours is a page: no browser shall run, frame, keep or guess anything of it.
async fn guard(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// The whole body, if it is no larger and comes in time.
async fn read(request: Request<Body>, most: usize) -> Result<Bytes, Response> {
    let told_length = request.headers().get(header::CONTENT_LENGTH);
    let told_length = told_length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let too_large = || told(StatusCode::PAYLOAD_TOO_LARGE, "that is too large\n");
    if told_length.is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let body = axum::body::to_bytes(request.into_body(), most);
    match tokio::time::timeout(BODY, body).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // It broke off, where nobody hears the answer, or it is larger than it said.
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(told(StatusCode::REQUEST_TIMEOUT, "that took too long\n")),
    }
}
