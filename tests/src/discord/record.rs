//! What was asked.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

/// A request of the bot's, as it was recorded before anything was done about it.
#[derive(Clone, Debug)]
pub struct Request {
    /// When, by the fake clock.
    pub at: Timestamp,
    /// `GET`, `POST`, ...
    pub method: String,
    /// Below `/api/v10`, without the query.
    pub path: String,
    /// The query as it was sent.
    pub query: String,
    /// The body as JSON; of a form with files its `payload_json`. Null without a body.
    pub body: Value,
    /// All of the body as text, with the bytes of files.
    pub raw: String,
    /// What it was answered; `None` when it was not (yet).
    pub status: Option<u16>,
}

/// A request on its way through the routes.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) body: Value,
    /// Names and sizes.
    pub(super) files: Vec<(String, usize)>,
}

impl Call {
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The parts of the path.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path
            .split('/')
            .filter(|part| !part.is_empty())
            .collect()
    }
}

/// An id, which Discord writes as a string and takes as a number too.
pub(super) fn id_in(value: &Value) -> Option<u64> {
    let text = value.as_str().and_then(|text| text.parse().ok());
    text.or_else(|| value.as_u64())
}

/// Bits, written the same way.
pub(super) fn bits_in(value: &Value) -> u64 {
    id_in(value).unwrap_or_default()
}

/// A list, empty when there is none.
pub(super) fn list_in(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// How Discord counts: characters, not bytes.
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}
