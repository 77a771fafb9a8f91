//! The program as a whole: a mail comes in, PagerDuty is told, somebody there takes it, and it tells us so.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tierdesk_tests::{Backend, Program, Served, WebhookSink, http_client, on_both};

use super::{heard, program, sev1, until};

on_both! {
    from_a_mail_to_pagerduty_and_back,
    a_channel_is_added_and_proven_in_the_terminal,
    what_is_paged_is_told_in_the_terminal,
}

const SECRET: &str = "a-secret-that-signs-20";

async fn from_a_mail_to_pagerduty_and_back(backend: Backend) {
    let sink = WebhookSink::start().await;
    let (_test, program) = program(backend, &sink).await;
    let program = program.with("TIERDESK_HTTP__PAGERDUTY_SECRET", SECRET);
    let mut worker = program.start(&["serve", "--role", "worker"]);
    let web = Served::http(&program);
    program.run_with(&["mail", "deliver"], &sev1("one")).done();
    until("the trigger", async || !heard(&sink).is_empty()).await;
    let (action, key) = heard(&sink).remove(0);
    assert_eq!(action, "trigger");
    let body = &sink.bodies()[0];
    assert_eq!(body["routing_key"], "a-routing-key");
    let summary = body["payload"]["summary"].as_str().expect("it has one");
    assert!(
        summary.contains("SB-1") && summary.contains("SEV1"),
        "{summary}"
    );
    assert_eq!(body["payload"]["severity"], "critical");

    let now = program
        .run(&["oncall", "page", "show", "SB-1", "--json"])
        .done()
        .json()[0]["opened_at"]
        .clone();
    let event = serde_json::json!({ "event": {
        "id": "01EVENT", "event_type": "incident.acknowledged", "resource_type": "incident",
        "occurred_at": now,
        "agent": { "id": "PUSER", "type": "user_reference", "summary": "Dana Doe" },
        "data": { "id": "PINC", "type": "incident", "incident_key": key, "status": "acknowledged" },
    }})
    .to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length will do");
    mac.update(event.as_bytes());
    let signature = HEXLOWER.encode(&mac.finalize().into_bytes());
    let header = vec![format!("X-PagerDuty-Signature: v1={signature}")];
    let told =
        http_client::post(web.address(), "/hooks/pagerduty", &header, event.as_bytes()).await;
    assert_eq!(told.status, 204, "{told:?}");
    let page = program
        .run(&["oncall", "page", "show", "SB-1", "--json"])
        .done()
        .json();
    assert_eq!(page[0]["state"], "acknowledged");
    assert_eq!(page[0]["acknowledged_via"], "pagerduty: Dana Doe");

    program.run(&["ticket", "close", "SB-1"]).done();
    until("the end", async || {
        heard(&sink).iter().any(|(action, _)| action == "resolve")
    })
    .await;
    let all = heard(&sink);
    let actions: Vec<&str> = all.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["trigger", "acknowledge", "resolve"]);
    assert!(all.iter().all(|(_, theirs)| *theirs == key), "one key");
    worker.kill().expect("it can be killed");
    worker.wait().expect("it ends");
}

async fn a_channel_is_added_and_proven_in_the_terminal(backend: Backend) {
    let sink = WebhookSink::start().await;
    let (_test, program) = program(backend, &sink).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("file:{}", folder.path().display());
    let program = program.with("TIERDESK_MAIL__SMTP_URL", url);
    let me = Program::own_login();
    program
        .run(&["staff", "add", &me, "--role", "admin", "--login", &me])
        .done();
    let none = program.run(&["staff", "test-page", "me", "--json"]);
    assert_eq!(none.code, Some(1), "{none:?}");
    let add = [
        "staff",
        "channel",
        "add",
        "me",
        "--mail",
        "me@staff.example",
        "--wakes",
        "yes",
    ];
    program.run(&add).done();
    let test = program
        .run(&["staff", "test-page", "me", "--json"])
        .done()
        .json();
    assert_eq!(test["notices"][0]["state"], "sent", "{test}");
    assert_eq!(test["notices"][0]["channel"], "mail");
    assert!(
        test.to_string().find("code").is_none(),
        "the code is in the mail alone"
    );
    let mut files = std::fs::read_dir(folder.path()).expect("it is there");
    let file = files
        .next()
        .expect("a mail")
        .expect("it can be read")
        .path();
    let mail = std::fs::read_to_string(file).expect("it can be read");
    assert!(mail.contains("Auto-Submitted: auto-generated"), "{mail}");
    assert!(
        !mail.contains("http"),
        "no link that a scanner could open: {mail}"
    );
    let code = mail.split("oncall ack ").nth(1).expect("it has a code");
    let code = code.split_whitespace().next().expect("it has a code");
    let wrong = program.run(&["oncall", "ack", "ZZZZZZZZ"]);
    assert_eq!(wrong.code, Some(1));
    program.run(&["oncall", "ack", code]).done();
    let listed = program
        .run(&["staff", "channel", "list", "me", "--json"])
        .done()
        .json();
    assert!(listed[0]["proven_at"].is_string(), "{listed}");
    let id = listed[0]["id"].as_str().expect("it has an id");
    program
        .run(&["staff", "channel", "remove", "me", id])
        .done();
    let refused = program.run(&[
        "staff",
        "channel",
        "add",
        "me",
        "--webhook",
        "https://10.0.0.1/x",
        "--format",
        "json",
    ]);
    assert_eq!(
        refused.code,
        Some(1),
        "an address of the house: {refused:?}"
    );
}

async fn what_is_paged_is_told_in_the_terminal(backend: Backend) {
    let sink = WebhookSink::start().await;
    let (_test, program) = program(backend, &sink).await;
    let empty = program.run(&["oncall", "page", "list"]);
    empty.done();
    assert!(empty.out.contains("Nobody is being paged"), "{empty:?}");
    program.run_with(&["mail", "deliver"], &sev1("one")).done();
    let listed = program.run(&["oncall", "page", "list"]);
    listed.done();
    for wanted in ["SB-1", "sev1", "fintech", "waiting"] {
        assert!(listed.out.contains(wanted), "{wanted}: {listed:?}");
    }
    let shown = program.run(&["oncall", "page", "show", "SB-1"]);
    shown.done();
    assert!(shown.out.contains("sev1 of tier fintech"), "{shown:?}");
    let taken = program.run(&["ticket", "ack", "SB-1"]);
    taken.done();
    assert!(taken.out.contains("is acknowledged"), "{taken:?}");
    assert!(taken.out.contains("pages again at"), "{taken:?}");
    let nothing = program.run(&["ticket", "ack", "SB-7"]);
    assert_eq!(nothing.code, Some(1));
    let usage = program.run(&["oncall", "ack", "no such thing"]);
    assert_eq!(usage.code, Some(2));
}
