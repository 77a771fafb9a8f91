//! `POST /hooks/pagerduty`: who is let in.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tierdesk_tests::{Backend, Program, Served, TestDesk, http_client::post, on_both};

use super::desk;

const PATH: &str = "/hooks/pagerduty";
const OLD: &str = "old-secret-of-20-letters";
const NEW: &str = "new-secret-of-20-letters";
const EVENT: &[u8] = br#"{"event":{"id":"01EVENT","event_type":"incident.acknowledged","resource_type":"incident",
"occurred_at":"2026-11-28T14:30:00.123Z","agent":{"id":"PUSER","type":"user_reference","summary":"Dana Doe"},
"data":{"id":"PINC","type":"incident","incident_key":"page-1","status":"acknowledged"}}}"#;

on_both! {
    only_what_pagerduty_signed_is_heard_and_nothing_is_written,
}

fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(body);
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

fn with(signature: &str) -> Vec<String> {
    vec![format!("X-PagerDuty-Signature: {signature}")]
}

async fn only_what_pagerduty_signed_is_heard_and_nothing_is_written(backend: Backend) {
    let (test, program) = desk(backend).await;
    let program = program.with("TIERDESK_HTTP__PAGERDUTY_SECRET", format!("{OLD} {NEW}"));
    let served = Served::http(&program);
    let before = test.counts().await;
    let (old, new) = (sign(OLD, EVENT), sign(NEW, EVENT));
    let bad = "0".repeat(64);
    let good = [
        format!("v1={old}"),
        format!("v1={new}"),
        format!("v1={bad},v1={new}"),
        format!("v0=zz, v1={bad} , v1={old}"),
        format!("v1={}", new.to_uppercase()),
    ];
    for signature in &good {
        let told = post(served.address(), PATH, &with(signature), EVENT).await;
        assert_eq!(told.status, 204, "{signature}: {told:?}");
    }
    let altered = [&EVENT[..EVENT.len() - 1], b" }"].concat();
    let refused: Vec<(Vec<String>, &[u8])> = vec![
        (Vec::new(), EVENT),
        (with(""), EVENT),
        (with(&old), EVENT),
        (with("v1="), EVENT),
        (with(&format!("v1={bad}")), EVENT),
        (
            with(&format!("v1={}", sign("another-secret-20-letters", EVENT))),
            EVENT,
        ),
        (with(&format!("v1={}", sign("", EVENT))), EVENT),
        (with(&format!("v2={new}")), EVENT),
        (with(&format!("v0={new}")), EVENT),
        (with(&format!("v1={}", &new[..62])), EVENT),
        (with(&format!("v1={}", &new[..63])), EVENT),
        (with(&format!("v1={}", &new[..2])), EVENT),
        (with(&format!("v1={new}00")), EVENT),
        (with(&format!("v1=g{}", &new[1..])), EVENT),
        (with(&format!("V1={new}")), EVENT),
        (with(&format!("v1={new}")), &altered),
        (with(&format!("v1={new}")), b""),
        (
            with(&format!("{}v1={new}", format!("v1={bad},").repeat(16))),
            EVENT,
        ),
        (vec![format!("X-Signature: v1={new}")], EVENT),
    ];
    for (headers, body) in &refused {
        let told = post(served.address(), PATH, headers, body).await;
        assert_eq!(told.status, 401, "{headers:?}: {told:?}");
    }
    println!(
        "{backend:?}: {} of {} let in, {} refused",
        good.len(),
        good.len(),
        refused.len()
    );

    // Signed, and still no event, or none that matters.
    for (body, status) in [
        (&b"{}"[..], 400),
        (b"not json", 400),
        (b"{\"event\":{\"id\":\"1\",\"event_type\":\"pagey.ping\",\"occurred_at\":\"2026-11-28T14:30:00Z\"}}", 204),
        (b"{\"event\":{\"id\":\"1\",\"event_type\":\"incident.resolved\",\"occurred_at\":\"then\"}}", 400),
        (b"{\"event\":{\"id\":\"1\",\"event_type\":\"incident.resolved\",\"occurred_at\":\"2026-11-28T14:30:00Z\",\"data\":{}}}", 204),
    ] {
        let signature = with(&format!("v1={}", sign(NEW, body)));
        let told = post(served.address(), PATH, &signature, body).await;
        assert_eq!(told.status, status, "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(test.counts().await, before);
}

#[test]
fn a_secret_that_can_be_guessed_is_refused() {
    let program =
        Program::new("sqlite://unused.db").with("TIERDESK_HTTP__PAGERDUTY_SECRET", "guess");
    let ended = program.run(&["serve", "--role", "http"]);
    assert_ne!(ended.code, Some(0));
    assert!(ended.err.contains("http.pagerduty_secret"), "{ended:?}");
    assert!(!ended.err.contains("guess\""), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_secret_there_is_no_such_address() {
    let (url, _folder) = TestDesk::place(Backend::Sqlite).await;
    let served = Served::http(&Program::new(url));
    let signature = with(&format!("v1={}", sign("", EVENT)));
    let told = post(served.address(), PATH, &signature, EVENT).await;
    assert_eq!(told.status, 404);
}
