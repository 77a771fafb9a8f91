//! Who is told of what, when, and who is next: stories on a clock that moves by hand, with an outside that
//! writes down whom it was told to tell.

use std::{fs, process::Child, time::Duration};

use serde_json::Value;
use tempfile::NamedTempFile;
use tierdesk_tests::{Backend, MailDesk, Program, TestDesk, WebhookSink};

use crate::crash::worker::{free_lapsed_lease, wait};

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

/// Starts this and waits until it dies at the first hit of a point, which its log has to show. Whoever comes next need
/// not wait until what it held lapses.
async fn killed_at(program: &Program, point: &str, arguments: &[&str]) {
    let (cut, log) = cut_at(program, point);
    died_at(program, point, cut.start(arguments), &log).await;
}

/// The program as it dies at the first hit of a point, and the log that shows it.
fn cut_at(program: &Program, point: &str) -> (Program, NamedTempFile) {
    let log = NamedTempFile::new().expect("a temporary file");
    let cut = program
        .clone()
        .with("TIERDESK_FAULT", format!("{point}:1"))
        .with("TIERDESK_FAULT_LOG", log.path().to_string_lossy());
    (cut, log)
}

/// Waits until it has died there.
async fn died_at(program: &Program, point: &str, child: Child, log: &NamedTempFile) {
    let ended = wait(child, Duration::from_mins(1));
    assert!(
        ended.is_some_and(|status| status.code().is_none()),
        "{point}: {ended:?}"
    );
    let lines = fs::read_to_string(log.path()).expect("the log is there");
    assert!(lines.contains(&format!("{point} 1")), "{lines}");
    free_lapsed_lease(program).await;
}

/// Waits until this is so, for a minute and a half.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..1_800 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come");
}
