use serde_json::{Value, json};
use tierdesk_core::settings::{PrivateUrl, Secret};

use super::*;

fn alert(action: Action) -> Alert {
    Alert {
        action,
        key: "page-1".to_owned(),
        title: "Payments fail: \"Error 500\" <!here>".to_owned(),
        body: vec!["SB-12, sev1".to_owned(), "since 09:00 UTC".to_owned()],
        severity: Severity::Sev1,
        tier: Some("business".to_owned()),
        link: Some("https://desk.example/t/SB-12".to_owned()),
        at: Timestamp::from_seconds(1_795_876_200),
        is_test: false,
    }
}

fn endpoint(format: WebhookFormat) -> Endpoint {
    let key = format.takes_key().then(|| Secret::new("k3y".to_owned()));
    let user = format.needs_user().then(|| Secret::new("us3r".to_owned()));
    let url = format.usual_url().unwrap_or("https://h.example/topic-1");
    Endpoint::personal("mine", Some(url), format, key, user).expect("it is good")
}

fn webhooks() -> Webhooks {
    Webhooks::new(&[]).expect("there is a client")
}

fn body(format: WebhookFormat, alert: &Alert) -> Value {
    let request = webhooks().request(&endpoint(format), alert);
    let request = request.expect("it can be written");
    let bytes = request.body().and_then(reqwest::Body::as_bytes);
    serde_json::from_slice(bytes.expect("a body")).expect("JSON")
}

#[test]
fn each_service_gets_what_it_takes() {
    let trigger = alert(Action::Trigger);
    let text = "SB-12, sev1\nsince 09:00 UTC";
    let title = "Payments fail: \"Error 500\" <!here>";
    assert_eq!(
        body(WebhookFormat::PagerDuty, &trigger),
        json!({
            "routing_key": "k3y", "event_action": "trigger", "dedup_key": "page-1", "client": "tierdesk",
            "payload": {
                "summary": title, "source": "tierdesk", "severity": "critical",
                "timestamp": "2026-11-28T14:30:00Z", "component": "business", "class": "page",
                "custom_details": {"text": text, "severity": "sev1"},
            },
            "links": [{"href": "https://desk.example/t/SB-12", "text": "Open in the desk"}],
        })
    );
    assert_eq!(
        body(WebhookFormat::Json, &trigger),
        json!({
            "version": 1, "action": "trigger", "key": "page-1", "title": title,
            "body": ["SB-12, sev1", "since 09:00 UTC"], "severity": "sev1", "tier": "business",
            "link": "https://desk.example/t/SB-12", "at": "2026-11-28T14:30:00Z", "is_test": false,
        })
    );
    assert_eq!(
        body(WebhookFormat::Ntfy, &trigger),
        json!({
            "topic": "topic-1", "title": title, "message": text, "priority": 5,
            "click": "https://desk.example/t/SB-12", "tags": ["rotating_light"],
        })
    );
    assert_eq!(
        body(WebhookFormat::Pushover, &trigger),
        json!({
            "token": "k3y", "user": "us3r", "title": title, "message": text, "priority": 1,
            "url": "https://desk.example/t/SB-12", "url_title": "Open in the desk",
            "timestamp": 1_795_876_200,
        })
    );
    let slack = body(WebhookFormat::Slack, &trigger);
    assert_eq!(slack["text"], "Payments fail: \"Error 500\" &lt;!here&gt;");
    assert_eq!(slack["blocks"][0]["text"]["type"], "plain_text");
    assert_eq!(slack["blocks"][1]["text"]["text"], text);
    // A button would be answered to by Slack, and nobody is there.
    let link = "<https://desk.example/t/SB-12|Open in the desk>";
    assert_eq!(slack["blocks"][2]["text"]["text"], link);
    let teams = body(WebhookFormat::Teams, &trigger);
    let card = &teams["attachments"][0]["content"];
    assert_eq!(card["body"][0]["inlines"][0]["text"], title);
    assert_eq!(card["body"][2]["inlines"][0]["text"], "since 09:00 UTC");
    assert_eq!(card["actions"][0]["url"], "https://desk.example/t/SB-12");
    let discord = body(WebhookFormat::Discord, &trigger);
    assert_eq!(discord["allowed_mentions"], json!({"parse": []}));
    let content = discord["content"].as_str().expect("text");
    assert!(content.starts_with("**Payments fail\\:"), "{content}");
    assert!(
        content.ends_with("\n<https://desk.example/t/SB-12>"),
        "{content}"
    );
}

#[test]
fn what_follows_an_alert_has_its_key() {
    for action in [Action::Acknowledge, Action::Resolve] {
        let event = body(WebhookFormat::PagerDuty, &alert(action));
        assert_eq!(
            event,
            json!({"routing_key": "k3y", "event_action": action.as_str(), "dedup_key": "page-1"})
        );
    }
    let slack = body(WebhookFormat::Slack, &alert(Action::Resolve));
    let said = slack["text"].as_str().expect("text");
    assert!(said.starts_with("Resolved: Payments"), "{said}");
    let ntfy = body(WebhookFormat::Ntfy, &alert(Action::Acknowledge));
    assert_eq!((&ntfy["priority"], &ntfy["tags"]), (&json!(2), &json!([])));
}

#[test]
fn no_text_breaks_out_and_none_is_too_long_for_its_service() {
    let mut long = alert(Action::Trigger);
    long.title = "\"},{\"a\":\"{{ key }}@everyone\u{2028}".repeat(200);
    long.body = vec!["@everyone <!channel> \\\" \n".repeat(100); 200];
    long.is_test = true;
    for format in WebhookFormat::ALL {
        let body = body(format, &long);
        let keys: Vec<&String> = body.as_object().expect("an object").keys().collect();
        let plain = self::body(format, &alert(Action::Trigger));
        let wanted: Vec<&String> = plain.as_object().expect("an object").keys().collect();
        assert_eq!(keys, wanted, "{format}");
        let length = |value: &Value| value.as_str().expect("text").chars().count();
        match format {
            WebhookFormat::Discord => assert!(length(&body["content"]) <= 2000),
            WebhookFormat::Slack => {
                assert!(length(&body["blocks"][0]["text"]["text"]) <= 3000);
                assert!(length(&body["blocks"][1]["text"]["text"]) <= 3000);
            }
            WebhookFormat::Pushover => {
                assert!(length(&body["title"]) <= 250);
                assert!(length(&body["message"]) <= 1024);
            }
            WebhookFormat::Ntfy => {
                assert!(body["message"].as_str().expect("text").len() <= 4096);
            }
            WebhookFormat::PagerDuty => assert!(length(&body["payload"]["summary"]) <= 1024),
            // Teams refuses cards above 28 KB.
            WebhookFormat::Teams => assert!(body.to_string().len() < 28_000),
            WebhookFormat::Json => {}
        }
    }
    let mut keyless = alert(Action::Resolve);
    for key in [String::new(), "k".repeat(256)] {
        keyless.key = key;
        let fault = webhooks().request(&endpoint(WebhookFormat::Json), &keyless);
        assert!(fault.expect_err("refused").contains("1 to 255"));
    }
}

#[test]
fn a_key_is_a_header_where_the_service_wants_one_and_nowhere_seen() {
    for format in WebhookFormat::ALL {
        let endpoint = endpoint(format);
        let request = webhooks().request(&endpoint, &alert(Action::Trigger));
        let request = request.expect("it can be written");
        let bearer = request.headers().get("authorization");
        let wants = matches!(format, WebhookFormat::Json | WebhookFormat::Ntfy);
        let expected = wants.then_some("Bearer k3y");
        assert_eq!(bearer.and_then(|value| value.to_str().ok()), expected);
        let shown = format!("{endpoint:?} {:?}", webhooks());
        for secret in ["k3y", "us3r", "topic-1"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains(endpoint.host()), "{shown}");
    }
}

#[test]
fn a_topic_of_ntfy_is_taken_out_of_its_address() {
    let at = |url: &str| Endpoint::personal("n", Some(url), WebhookFormat::Ntfy, None, None);
    for (url, root, topic) in [
        ("https://ntfy.sh/desk_1", "https://ntfy.sh/", "desk_1"),
        (
            "https://h.example:444/push/a-b/?x=1",
            "https://h.example:444/push/",
            "a-b",
        ),
    ] {
        let endpoint = at(url).expect("it is good");
        assert_eq!(endpoint.address().as_str(), root);
        assert_eq!(endpoint.topic(), Some(topic));
    }
    for url in [
        "https://ntfy.sh/",
        "https://ntfy.sh",
        "https://ntfy.sh/a%20b",
        "https://ntfy.sh/a.b",
    ] {
        assert!(matches!(at(url), Err(EndpointError::Topic)), "{url}");
    }
    let long = format!("https://ntfy.sh/{}", "t".repeat(65));
    assert!(matches!(at(&long), Err(EndpointError::Topic)));
}

#[test]
fn what_a_webhook_lacks_is_told_by_its_name() {
    let with = |format, template: Option<&str>, url: &str| Webhook {
        name: "night-shift".to_owned(),
        url: PrivateUrl::hiding_path(url),
        format,
        key: None,
        user: None,
        template: template.map(Into::into),
        allow_private: false,
    };
    let secret = "https://h.example/hunter2hunter2";
    for (webhook, says) in [
        (
            with(WebhookFormat::PagerDuty, None, secret),
            "pagerduty needs a key",
        ),
        (
            with(WebhookFormat::Json, Some("/nowhere/x.json"), secret),
            "/nowhere/x.json",
        ),
        (
            with(WebhookFormat::Json, None, "https://10.0.0.1/hunter2"),
            "only public",
        ),
        (
            with(WebhookFormat::Json, None, "http://h.example/hunter2"),
            "not with https",
        ),
    ] {
        let fault = Webhooks::new(&[webhook]).expect_err(says);
        let told = telemetry::chain(&fault);
        assert!(
            told.contains(says) && told.contains("night-shift"),
            "{told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
    }
    let good = with(WebhookFormat::Slack, None, secret);
    let webhooks = Webhooks::new(std::slice::from_ref(&good)).expect("it is good");
    assert_eq!(
        webhooks.find("night-shift").map(Endpoint::host),
        Some("h.example")
    );
    assert!(webhooks.find("other").is_none());
}
