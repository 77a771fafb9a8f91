//! `POST /hooks/pagerduty`: what became of an incident there, signed by PagerDuty (webhooks v3).
//!
//! The signature is over the body as it came, so nothing is parsed before it is good. It says nothing about
//! when: the same event may come again, from PagerDuty or from whoever recorded it, and whoever takes
//! events must bear that.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use tierdesk_core::{clock::Timestamp, settings::Secret, telemetry};

use super::{Answering, read, told};

/// PagerDuty's events have a few kilobytes.
const LARGEST: usize = 256 * 1024;
const SIGNATURE: &str = "x-pagerduty-signature";
/// PagerDuty signs once for each secret of a webhook; more than a few are somebody who tries.
const MOST_SIGNATURES: usize = 16;
/// Of a name, an id or a key, more is not taken over.
const LONGEST: usize = 255;

/// Who takes events.
pub(crate) type Take = Arc<dyn Fn(PagerDutyEvent) -> Answering<()> + Send + Sync>;

/// By what PagerDuty is known, and who takes what it says.
#[derive(Clone)]
pub(crate) struct PagerDuty {
    /// Any of them will do.
    pub(crate) secrets: Arc<[Secret]>,
    /// Takes events; when it fails, PagerDuty sends them again.
    pub(crate) take: Take,
}

/// What happened to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PagerDutyEventKind {
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
    /// Nobody has it any more.
    Unacknowledged,
}

/// An event about an incident, proven to be PagerDuty's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PagerDutyEvent {
    /// The event's own id, the same when it is sent again.
    pub(crate) id: String,
    /// What happened.
    pub(crate) kind: PagerDutyEventKind,
    /// The key under which the incident was triggered.
    pub(crate) key: String,
    /// Who did it, as PagerDuty calls them.
    pub(crate) who: Option<String>,
    /// When it happened.
    pub(crate) at: Timestamp,
}

/// What is read of a body. Everything else that PagerDuty says is left alone.
#[derive(Deserialize)]
struct Envelope {
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "event_type")]
    kind: String,
    occurred_at: Timestamp,
    agent: Option<Agent>,
    #[serde(default)]
    data: serde_json::Value,
}

#[derive(Deserialize)]
struct Agent {
    #[serde(rename = "type", default)]
    kind: String,
    summary: Option<String>,
}

impl Agent {
    /// What the service calls the person; nothing for an integration, which tells us our own words.
    fn person(self) -> Option<String> {
        self.summary.filter(|_| self.kind.starts_with("user"))
    }
}

pub(super) async fn answer(State(pagerduty): State<PagerDuty>, request: Request<Body>) -> Response {
    let signatures = signatures(request.headers());
    if signatures.is_empty() {
        return unproven();
    }
    let body = match read(request, LARGEST).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    if !is_signed(&pagerduty.secrets, &signatures, &body) {
        return unproven();
    }
    let event = match parse(&body) {
        Ok(Some(event)) => event,
        Ok(None) => return StatusCode::NO_CONTENT.into_response(),
        Err(()) => return told(StatusCode::BAD_REQUEST, "that is no event\n"),
    };
    let (id, kind) = (event.id.clone(), event.kind);
    match (pagerduty.take)(event).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            let error = telemetry::chain(&error);
            tracing::error!(
                event = id,
                ?kind,
                error,
                "an event of PagerDuty's was not taken"
            );
            told(StatusCode::INTERNAL_SERVER_ERROR, "send it again\n")
        }
    }
}

fn unproven() -> Response {
    told(StatusCode::UNAUTHORIZED, "the signature is not good\n")
}

/// The signatures of version 1 that a request carries. Other versions are not known to us.
fn signatures(headers: &HeaderMap) -> Vec<Vec<u8>> {
    let lines = headers.get_all(SIGNATURE).iter();
    let words = lines.filter_map(|line| line.to_str().ok());
    words
        .flat_map(|line| line.split(','))
        .filter_map(|word| word.trim().strip_prefix("v1="))
        .filter_map(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok())
        .take(MOST_SIGNATURES)
        .collect()
}

/// Whether any of our secrets made any of these. Each comparison takes the same time wherever they differ.
fn is_signed(secrets: &[Secret], signatures: &[Vec<u8>], body: &Bytes) -> bool {
    secrets.iter().any(|secret| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
            return false;
        };
        mac.update(body);
        let is_ours = |signature: &Vec<u8>| mac.clone().verify_slice(signature).is_ok();
        signatures.iter().any(is_ours)
    })
}

/// The event, `None` for one of a kind that does not matter here.
fn parse(body: &[u8]) -> Result<Option<PagerDutyEvent>, ()> {
    let Envelope { event } = serde_json::from_slice(body).map_err(|_| ())?;
    let kind = match event.kind.as_str() {
        "incident.acknowledged" => PagerDutyEventKind::Acknowledged,
        "incident.resolved" => PagerDutyEventKind::Resolved,
        "incident.unacknowledged" => PagerDutyEventKind::Unacknowledged,
        _ => return Ok(None),
    };
    // An incident that somebody opened by hand has a key that was never ours, or none.
    let Some(key) = event.data["incident_key"].as_str() else {
        return Ok(None);
    };
    let who = event.agent.and_then(Agent::person);
    Ok(Some(PagerDutyEvent {
        id: short(&event.id),
        kind,
        key: short(key),
        who: who.map(|who| short(&who)),
        at: event.occurred_at,
    }))
}

fn short(text: &str) -> String {
    let visible = text.chars().filter(|c| !c.is_control());
    visible.take(LONGEST).collect()
}
