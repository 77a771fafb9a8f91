//! Routes whose source is not wired yet, or whose source fails: what the program as it is cannot show.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tierdesk_core::{
    refusal::{Refusal, RefusalCode},
    settings::Secret,
    store::OpenOptions,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{pagerduty::PagerDutyEventKind, *};

const SECRET: &str = "a-secret-of-20-letters";

/// Routes with these sources, answered on loopback.
struct Answered {
    address: SocketAddr,
    stop: CancellationToken,
    running: JoinSet<()>,
    _folder: tempfile::TempDir,
}

impl Answered {
    async fn start(calendar: Option<Calendar>, pagerduty: Option<PagerDuty>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}/desk.db", folder.path().display());
        let options = OpenOptions {
            migrate_empty: true,
            ..OpenOptions::new(url)
        };
        let database = options.open().await.expect("the database opens");
        let router = router(Sources {
            desk: Arc::new(Desk::new(database)),
            calendar,
            pagerduty,
        });
        let server = open(([127, 0, 0, 1], 0).into()).await.expect("it listens");
        let text = server.to_string();
        let address = text.trim_start_matches("HTTP on ").parse();
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(server.run(router, stop.clone()));
        Self {
            address: address.expect("an address"),
            stop,
            running,
            _folder: folder,
        }
    }

    async fn say(&self, text: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        stream
            .write_all(text.as_bytes())
            .await
            .expect("it is taken");
        let mut heard = String::new();
        stream.read_to_string(&mut heard).await.expect("it answers");
        heard
    }

    async fn get(&self, path: &str) -> String {
        self.say(&format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"))
            .await
    }

    async fn event(&self, body: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes());
        let mut mac = mac.expect("any length will do");
        mac.update(body.as_bytes());
        let signature = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
        let length = body.len();
        self.say(&format!(
            "POST /hooks/pagerduty HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\
             X-PagerDuty-Signature: v1={signature}\r\n\r\n{body}"
        ))
        .await
    }

    async fn end(mut self) {
        self.stop.cancel();
        while self.running.join_next().await.is_some() {}
        let refused = TcpStream::connect(self.address).await;
        assert!(refused.is_err(), "nobody listens any more");
    }
}

fn fault() -> Error {
    Refusal::new(RefusalCode::Invalid, "not today").into()
}

#[tokio::test]
async fn a_calendar_is_given_for_its_token_alone() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let tokens = Arc::clone(&asked);
    let calendar: Calendar = Arc::new(move |token: String| {
        let mut all = tokens.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(token.clone());
        Box::pin(async move {
            match token.as_str() {
                "good_Token-1" => Ok(Some("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".to_owned())),
                "broken" => Err(fault()),
                _ => Ok(None),
            }
        })
    });
    let answered = Answered::start(Some(calendar), None).await;
    let told = answered.get("/oncall/good_Token-1.ics").await;
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    assert!(
        told.contains("content-type: text/calendar; charset=utf-8"),
        "{told}"
    );
    assert!(told.contains("cache-control: no-store"), "{told}");
    assert!(
        told.ends_with("\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
        "{told}"
    );
    for (path, status) in [
        ("/oncall/bad.ics", 404),
        ("/oncall/good_Token-1", 404),
        ("/oncall/.ics", 404),
        ("/oncall/good_Token-1.ics/x", 404),
        ("/oncall/a%2Fb.ics", 404),
        ("/oncall/a%00b.ics", 404),
        ("/oncall/broken.ics", 503),
        (&format!("/oncall/{}.ics", "a".repeat(129)), 404),
    ] {
        let told = answered.get(path).await;
        let wanted = format!("HTTP/1.1 {status}");
        assert!(told.starts_with(&wanted), "{path}: {told}");
        assert!(!told.contains("not today"), "{told}");
    }
    answered.end().await;
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(
        *asked,
        ["good_Token-1", "bad", "broken"],
        "only what can be a token"
    );
}

#[tokio::test]
async fn what_pagerduty_tells_is_handed_on_and_told_again_when_that_fails() {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&taken);
    let take: pagerduty::Take = Arc::new(move |event: PagerDutyEvent| {
        let mut all = events.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(event.clone());
        let is_bad = event.id == "bad";
        Box::pin(async move { if is_bad { Err(fault()) } else { Ok(()) } })
    });
    let pagerduty = PagerDuty {
        secrets: [Secret::new(SECRET.to_owned())].into(),
        take,
    };
    let answered = Answered::start(None, Some(pagerduty)).await;
    let event = |id: &str, kind: &str, agent: &str| {
        format!(
            "{{\"event\":{{\"id\":\"{id}\",\"event_type\":\"incident.{kind}\",\"occurred_at\":\
             \"2026-11-28T14:30:00Z\",\"agent\":{agent},\"data\":{{\"incident_key\":\"page-1\"}}}}}}"
        )
    };
    let dana = "{\"type\":\"user_reference\",\"summary\":\"Dana\\u0000 Doe\"}";
    for (id, kind, agent, status) in [
        ("1", "acknowledged", dana, 204),
        ("2", "unacknowledged", "null", 204),
        ("3", "resolved", "{}", 204),
        ("bad", "resolved", "null", 500),
        ("4", "reassigned", dana, 204),
    ] {
        let told = answered.event(&event(id, kind, agent)).await;
        let wanted = format!("HTTP/1.1 {status}");
        assert!(told.starts_with(&wanted), "{kind}: {told}");
        assert!(!told.contains("not today"), "{told}");
    }
    answered.end().await;
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    let found: Vec<_> = taken
        .iter()
        .map(|event| (event.id.as_str(), event.kind))
        .collect();
    assert_eq!(
        found,
        [
            ("1", PagerDutyEventKind::Acknowledged),
            ("2", PagerDutyEventKind::Unacknowledged),
            ("3", PagerDutyEventKind::Resolved),
            ("bad", PagerDutyEventKind::Resolved),
        ]
    );
    assert_eq!(taken[0].who.as_deref(), Some("Dana Doe"));
    assert_eq!(
        (taken[0].key.as_str(), taken[1].who.as_deref()),
        ("page-1", None)
    );
    assert_eq!(taken[0].at.to_string(), "2026-11-28T14:30:00Z");
}
