//! Who is told of what, when, and who is next: stories on a clock that moves by hand, with an outside that
//! writes down whom it was told to tell.

use serde_json::Value;
use tierdesk_tests::{Backend, MailDesk, Program, TestDesk, WebhookSink};

mod acknowledging;
mod alarms;
mod channels;
mod complaints;
mod digests;
mod floods;
mod frozen;
mod handoffs;
mod killed;
mod killed_in_chat;
mod nights;
mod replayed;
mod taken_and_killed;
mod watchdog;
mod whole;

/// A program whose pages go to this sink, as to PagerDuty; the senders of its mail are believed.
async fn program(backend: Backend, sink: &WebhookSink) -> (TestDesk, Program) {
    let test = TestDesk::with_customers(backend).await;
    let program = Program::new(&test.url)
        .with("TIERDESK_MAIL__AUTHSERV_ID", "mx.securebase.example")
        .with("TIERDESK_WEBHOOK__0__NAME", "sink")
        .with("TIERDESK_WEBHOOK__0__URL", sink.url("v2/enqueue"))
        .with("TIERDESK_WEBHOOK__0__FORMAT", "pagerduty")
        .with("TIERDESK_WEBHOOK__0__KEY", "a-routing-key")
        .with("TIERDESK_WEBHOOK__0__ALLOW_PRIVATE", "true");
    (test, program)
}

/// A sev1 mail of a customer who is known.
fn sev1(id: &str) -> Vec<u8> {
    let letter = MailDesk::proven("john@acmefinance.com", id);
    letter.subject(&format!("[SEV1] down {id}")).bytes()
}

/// What the sink was told, as action and key.
fn heard(sink: &WebhookSink) -> Vec<(String, String)> {
    let text = |body: &Value, name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let bodies = sink.bodies();
    let bodies = bodies.iter();
    bodies
        .map(|body| (text(body, "event_action"), text(body, "dedup_key")))
        .collect()
}

/// Waits until this is so, for a minute and a half.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..1_800 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{what} did not come");
}
