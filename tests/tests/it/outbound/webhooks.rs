//! Alerts to a webhook that misbehaves as it is told to. Each row of the table in docs/webhooks.md is tried
//! here, against a real socket.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tierdesk_core::{
    clock::Timestamp,
    settings::{PrivateUrl, Secret, Webhook, WebhookFormat},
    tiers::Severity,
};
use tierdesk_outbound::webhook::{
    Action, Alert, Answer, Endpoint, Looking, Lookup, Patience, SystemLookup, Webhooks,
};
use tierdesk_tests::{WebhookSink, fake_smtp::FakeSmtp, webhook_sink::Reply};

const DOCS: &str = include_str!("../../../../docs/webhooks.md");
const KEY: &str = "hunter2hunter2hunter2";
const PATH: &str = "services/T0/s3cr3t-path";
/// For a connection, and for everything: short, and still enough for a busy machine.
const CONNECT: Duration = Duration::from_millis(700);
const WHOLE: Duration = Duration::from_millis(1_500);
const PATIENCE: Patience = Patience {
    connect: CONNECT,
    whole: WHOLE,
};

fn webhook(url: &str, allow_private: bool) -> Webhook {
    Webhook {
        name: "tried".to_owned(),
        url: PrivateUrl::hiding_path(url),
        format: WebhookFormat::Json,
        key: Some(Secret::new(KEY.to_owned())),
        user: None,
        template: None,
        allow_private,
    }
}

fn alert() -> Alert {
    Alert {
        action: Action::Trigger,
        key: "page-1".to_owned(),
        title: "Payments fail".to_owned(),
        body: vec!["SB-12".to_owned()],
        severity: Severity::Sev1,
        tier: None,
        link: None,
        at: Timestamp::from_seconds(1_795_876_200),
        is_test: false,
    }
}

async fn send(webhook: &Webhook, lookup: Arc<dyn Lookup>) -> Answer {
    let webhooks = Webhooks::with(std::slice::from_ref(webhook), &lookup, PATIENCE);
    let webhooks = webhooks.expect("they are good");
    let endpoint = webhooks.find("tried").expect("it is there");
    webhooks.send(endpoint, &alert()).await
}

/// The class of an answer, as the table has it.
fn class(answer: &Answer) -> &'static str {
    match answer {
        Answer::Sent { .. } => "sent",
        Answer::Later { .. } => "later",
        Answer::Never { .. } => "never",
        Answer::Unknown { .. } => "unknown",
    }
}

/// Holds an answer against its row, and the row against the documentation.
fn hold(row: &str, wanted: &str, answer: &Answer, since: Instant) {
    let (took, words) = (since.elapsed(), answer.words());
    println!("{row:<48} {:<8} {took:>8.0?}  {words}", class(answer));
    assert_eq!(class(answer), wanted, "{row}: {answer:?}");
    assert!(took < WHOLE + Duration::from_secs(2), "{row}: {took:?}");
    for secret in [KEY, PATH, "s3cr3t"] {
        assert!(!words.contains(secret), "{row}: {words}");
    }
    assert!(words.lines().count() == 1, "{row}: {words}");
    let line = format!("| {row} | {wanted} |");
    assert!(DOCS.contains(&line), "docs/webhooks.md lacks {line}");
}

fn say(status: u16, header: &str) -> Reply {
    let headers = [header].into_iter().filter(|line| !line.is_empty());
    Reply::Say(status, headers.map(str::to_owned).collect(), String::new())
}

/// What is answered, by row of the table, with the class that follows.
fn rows() -> Vec<(&'static str, Reply, &'static str)> {
    let pause = Duration::from_millis(200);
    let repeats = Reply::Say(
        400,
        Vec::new(),
        format!("no service /{PATH} for\r\n{KEY}\u{7}"),
    );
    vec![
        ("200 to 299", Reply::status(202), "sent"),
        ("200 to 299", Reply::status(204), "sent"),
        (
            "200, and a body that does not end",
            Reply::Endless(200),
            "sent",
        ),
        (
            "301 to 308, which are not followed",
            say(302, "Location: http://169.254.169.254/"),
            "never",
        ),
        (
            "301 to 308, which are not followed",
            say(308, "Location: /elsewhere"),
            "never",
        ),
        (
            "400, 401, 403, 404, 410 and others below 500",
            Reply::status(404),
            "never",
        ),
        (
            "400, 401, 403, 404, 410 and others below 500",
            Reply::status(401),
            "never",
        ),
        (
            "400, 401, 403, 404, 410 and others below 500",
            repeats,
            "never",
        ),
        (
            "400, and a body that does not end",
            Reply::Endless(400),
            "never",
        ),
        ("408, 425, 429", Reply::status(408), "later"),
        ("408, 425, 429", Reply::status(425), "later"),
        ("408, 425, 429", Reply::status(429), "later"),
        ("500 to 599", Reply::status(500), "later"),
        ("500 to 599", Reply::status(503), "later"),
        (
            "500, and a body that comes too slowly",
            Reply::DripBody(500, pause),
            "later",
        ),
        (
            "the request was taken, and the connection ended",
            Reply::Drop,
            "unknown",
        ),
        (
            "the request was taken, and nothing came",
            Reply::Silence,
            "unknown",
        ),
        (
            "an answer that comes too slowly",
            Reply::DripHead(202, pause),
            "unknown",
        ),
        ("an answer that is no HTTP", Reply::Garbage, "unknown"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_its_class() {
    let rows = rows();
    let sink = WebhookSink::start().await;
    let webhook = webhook(&sink.url(PATH), true);
    for (index, (row, reply, wanted)) in rows.iter().enumerate() {
        let bytes = sink.bytes_out();
        sink.reply_next(reply.clone());
        let since = Instant::now();
        let answer = send(&webhook, Arc::new(SystemLookup)).await;
        hold(row, wanted, &answer, since);
        // One request, whatever came of it: nobody tries again behind our back.
        assert_eq!(sink.received().len(), index + 1, "{row}");
        // What a connection holds on its way is a few megabytes; more of a body is not taken.
        assert!(sink.bytes_out() - bytes < 16_000_000, "{row}");
    }
    let all = sink.received();
    let known = &all[0];
    assert_eq!(
        (known.method.as_str(), known.path.as_str()),
        ("POST", "/services/T0/s3cr3t-path")
    );
    assert_eq!(
        known.header("authorization"),
        Some(format!("Bearer {KEY}").as_str())
    );
    assert_eq!(known.header("content-type"), Some("application/json"));
    assert_eq!(known.json()["key"], "page-1");
    assert!(
        all.iter().all(|one| one.path == known.path),
        "nobody was followed"
    );
    println!(
        "{} rows, {} requests, {} connections",
        rows.len(),
        all.len(),
        sink.connections()
    );
    assert_eq!(sink.connections(), rows.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_says_how_long_to_wait_and_is_believed_for_an_hour() {
    let sink = WebhookSink::start().await;
    let webhook = webhook(&sink.url(PATH), true);
    let dated = || {
        let lines = [
            "Date: Sat, 28 Nov 2026 14:30:00 GMT",
            "Retry-After: Sat, 28 Nov 2026 14:31:30 GMT",
        ];
        Reply::Say(503, lines.map(str::to_owned).to_vec(), String::new())
    };
    for (reply, wait) in [
        (say(429, "Retry-After: 7"), Some(7)),
        (say(503, "Retry-After: 0"), Some(0)),
        (say(429, "Retry-After: 999999999"), Some(3_600)),
        (say(429, "Retry-After: -1"), None),
        (say(429, "Retry-After: soon"), None),
        (say(429, "Retry-After: Sat, 28 Nov 2026 14:31:30 GMT"), None),
        (dated(), Some(90)),
        (say(429, ""), None),
    ] {
        sink.reply_next(reply.clone());
        let answer = send(&webhook, Arc::new(SystemLookup)).await;
        let Answer::Later { wait: found, .. } = answer else {
            panic!("{reply:?}: {answer:?}")
        };
        assert_eq!(found, wait.map(Duration::from_secs), "{reply:?}");
    }
}

/// Knows one name, or none, and counts how often it is asked.
#[derive(Debug, Default)]
struct Names {
    address: Option<IpAddr>,
    asked: AtomicUsize,
}

impl Lookup for Names {
    fn lookup<'l>(&'l self, _: &'l str) -> Looking<'l> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let unknown = || io::Error::new(io::ErrorKind::NotFound, "no such name");
        Box::pin(async move { Ok(vec![self.address.ok_or_else(unknown)?]) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_reached_has_its_class() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("it listens");
        listener.local_addr().expect("an address")
    };
    let strange = FakeSmtp::start_as(&["localhost"], true).await;
    let plain = WebhookSink::start().await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("it listens");
    let at = |address: std::net::SocketAddr| format!("https://{address}/{PATH}");
    for (row, url, lookup) in [
        ("the connection is refused", at(closed), Names::default()),
        (
            "the name is not known",
            format!("https://nowhere.example/{PATH}"),
            Names::default(),
        ),
        (
            "a certificate that is not trusted",
            at(strange.address()),
            Names::default(),
        ),
        (
            "no TLS behind the port",
            format!("https://127.0.0.1:{}/{PATH}", plain.port()),
            Names::default(),
        ),
        (
            "no answer before the request is sent",
            at(silent.local_addr().expect("an address")),
            Names::default(),
        ),
    ] {
        let since = Instant::now();
        let answer = send(&webhook(&url, true), Arc::new(lookup)).await;
        hold(row, "later", &answer, since);
    }
    assert_eq!(plain.received().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_into_the_house_is_not_connected_to() {
    let sink = WebhookSink::start().await;
    let names = Arc::new(Names {
        address: Some([127, 0, 0, 1].into()),
        asked: AtomicUsize::new(0),
    });
    let url = |scheme: &str| format!("{scheme}://hooks.example:{}/{PATH}", sink.port());
    let since = Instant::now();
    let answer = send(&webhook(&url("https"), false), Arc::clone(&names) as _).await;
    hold(
        "the name leads to an address that is not public",
        "never",
        &answer,
        since,
    );
    assert_eq!(
        (sink.connections(), names.asked.load(Ordering::SeqCst)),
        (0, 1)
    );

    // The control: where the operator allows it, the same name is connected to, and looked up once.
    let answer = send(&webhook(&url("http"), true), Arc::clone(&names) as _).await;
    assert_eq!(class(&answer), "sent", "{answer:?}");
    assert_eq!(
        (sink.connections(), names.asked.load(Ordering::SeqCst)),
        (1, 2)
    );
    println!(
        "1 refused with 0 connections, 1 allowed with {}",
        sink.connections()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_chose_for_themselves_is_guarded() {
    let sink = WebhookSink::start().await;
    let personal =
        |url: &str| Endpoint::personal("dana", Some(url), WebhookFormat::Json, None, None);
    assert!(personal(&sink.url("x")).is_err(), "plain HTTP");
    let inside = format!("https://127.0.0.1:{}/x", sink.port());
    assert!(personal(&inside).is_err(), "an address of the house");

    let names: Arc<dyn Lookup> = Arc::new(Names {
        address: Some([10, 0, 0, 1].into()),
        asked: AtomicUsize::new(0),
    });
    let webhooks = Webhooks::with(&[], &names, PATIENCE).expect("they are good");
    let endpoint = personal("https://hooks.example/x").expect("it looks good");
    let answer = webhooks.send(&endpoint, &alert()).await;
    assert_eq!(class(&answer), "never", "{answer:?}");
    assert_eq!(sink.connections(), 0);
}
