//! How Discord says no, and how it answers otherwise.

use std::time::Duration;

use serde_json::{Value, json};

/// An answer that is no error.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
}

impl Reply {
    pub(super) fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
        }
    }

    pub(super) fn created(body: Value) -> Self {
        Self {
            status: 201,
            body: Some(body),
        }
    }

    pub(super) fn nothing() -> Self {
        Self {
            status: 204,
            body: None,
        }
    }
}

/// A broken rule: what Discord answers, and what the record says of it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) message: &'static str,
    /// For the record: which rule, with the values that broke it.
    pub(super) what: String,
    /// The field of the body at fault, with dots between names.
    pub(super) field: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn new(
        status: u16,
        code: u32,
        message: &'static str,
        what: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            message,
            what: what.into(),
            field: None,
            retry_after: None,
        }
    }

    /// A body that is not what the route takes.
    pub(super) fn form(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            field: Some(field.into()),
            ..Self::new(400, 50035, "Invalid Form Body", what)
        }
    }

    pub(super) fn unknown_channel(id: u64) -> Self {
        Self::new(
            404,
            10003,
            "Unknown Channel",
            format!("there is no channel {id}"),
        )
    }

    pub(super) fn unknown_message(id: u64) -> Self {
        Self::new(
            404,
            10008,
            "Unknown Message",
            format!("there is no message {id} for the bot"),
        )
    }

    pub(super) fn no_access(what: impl Into<String>) -> Self {
        Self::new(403, 50001, "Missing Access", what)
    }

    pub(super) fn not_permitted(what: impl Into<String>) -> Self {
        Self::new(403, 50013, "Missing Permissions", what)
    }

    pub(super) fn archived(what: impl Into<String>) -> Self {
        Self::new(400, 50083, "Thread is archived", what)
    }

    pub(super) fn too_fast(retry_after: Duration, what: impl Into<String>) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(429, 0, "You are being rate limited.", what)
        }
    }

    /// The body that Discord sends.
    pub(super) fn body(&self) -> Value {
        if let Some(retry_after) = self.retry_after {
            let retry_after = retry_after.as_secs_f64();
            return json!({"message": self.message, "retry_after": retry_after, "global": false});
        }
        let mut body = json!({"message": self.message, "code": self.code});
        if let Some(field) = &self.field {
            let leaf = json!({"_errors": [{"code": "BASE_TYPE_BAD", "message": self.what}]});
            let nest = |inner: Value, name: &str| json!({name: inner});
            body["errors"] = field.rsplit('.').fold(leaf, nest);
        }
        body
    }
}
