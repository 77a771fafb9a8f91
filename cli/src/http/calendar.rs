//! `GET /oncall/TOKEN.ics`: when somebody is on call, for calendar programs, which can show no other proof
//! of who they are than the address itself.

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tierdesk_core::telemetry;

use super::{Calendar, not_found, told};

/// No token of ours is longer; what is longer is not looked up.
const LONGEST: usize = 128;

pub(super) async fn answer(State(calendar): State<Calendar>, Path(file): Path<String>) -> Response {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let token = match file.strip_suffix(".ics") {
        Some(token) if !token.is_empty() && token.len() <= LONGEST => token,
        _ => return not_found().await,
    };
    if !token.bytes().all(is_plain) {
        return not_found().await;
    }
    match calendar(token.to_owned()).await {
        Ok(Some(text)) => {
            let kind = [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")];
            (StatusCode::OK, kind, text).into_response()
        }
        Ok(None) => not_found().await,
        Err(error) => {
            let error = telemetry::chain(&error);
            tracing::warn!(error, "a calendar could not be made");
            told(StatusCode::SERVICE_UNAVAILABLE, "try again later\n")
        }
    }
}
