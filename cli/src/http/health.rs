//! `GET /health`: 200 when all is well, 503 when it is not, and what was looked at as JSON.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tierdesk_core::desk::{
    Desk,
    health::{self, Health},
};
use tokio::{sync::Mutex, time::Instant};

/// For so long the last answer is given again: whoever asks all the time must not keep the database busy.
const FRESH: Duration = Duration::from_secs(1);

/// The desk, and how it was.
#[derive(Clone)]
pub(super) struct Watched {
    desk: Arc<Desk>,
    last: Arc<Mutex<Option<(Instant, Health)>>>,
}

impl Watched {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            last: Arc::default(),
        }
    }

    /// One look at a time; who comes meanwhile gets what it finds.
    async fn look(&self) -> Health {
        let mut last = self.last.lock().await;
        if let Some((at, health)) = &*last
            && at.elapsed() < FRESH
        {
            return health.clone();
        }
        let health = health::look(&self.desk).await;
        *last = Some((Instant::now(), health.clone()));
        health
    }
}

pub(super) async fn answer(State(watched): State<Watched>) -> Response {
    let health = watched.look().await;
    let status = if health.is_ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let text = serde_json::to_string(&health).expect("words and numbers are JSON");
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, text + "\n").into_response()
}
