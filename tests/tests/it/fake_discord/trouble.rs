//! Faults that are ordered, and the record of what was asked.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tierdesk_tests::discord::FakeDiscord;
use tokio::time::timeout;

use super::wire::{ask, message, request, send};

async fn general() -> (FakeDiscord, u64, String) {
    let fake = FakeDiscord::start().await;
    let general = fake.channel_by_name("general").expect("general").id;
    let path = format!("/channels/{general}/messages");
    (fake, general, path)
}

#[tokio::test]
async fn a_failure_strikes_once_and_does_nothing() {
    let (fake, general, path) = general().await;
    fake.fail_next(
        "POST",
        "/channels/*/messages",
        503,
        json!({"message": "overloaded"}),
    );
    assert_eq!(ask(&fake, "GET", &path, Value::Null).await.status, 200);
    let failed = ask(&fake, "POST", &path, message("x")).await;
    assert_eq!(
        (failed.status, &failed.body["message"]),
        (503, &json!("overloaded"))
    );
    assert_eq!(fake.messages_in(general).len(), 0);
    assert_eq!(fake.faults_left(), 0);
    assert_eq!(ask(&fake, "POST", &path, message("x")).await.status, 200);
    fake.assert_clean();
}

#[tokio::test]
async fn a_rate_limit_says_how_long() {
    let (fake, general, path) = general().await;
    for scope in ["user", "shared", "global"] {
        fake.rate_limit_next("/channels/**", Duration::from_millis(1500), scope);
        let limited = ask(&fake, "POST", &path, message("x")).await;
        assert_eq!(limited.status, 429);
        assert_eq!(limited.body["retry_after"], 1.5);
        assert_eq!(limited.body["global"], scope == "global");
        assert_eq!(limited.headers["retry-after"], "2");
        assert_eq!(limited.headers["x-ratelimit-scope"], scope);
        assert_eq!(
            limited.headers.contains_key("x-ratelimit-global"),
            scope == "global"
        );
    }
    assert_eq!(fake.messages_in(general).len(), 0);
    let answered = ask(&fake, "POST", &path, message("x")).await;
    assert_eq!(answered.headers["x-ratelimit-remaining"], "49");
    fake.assert_clean();
}

#[tokio::test]
async fn who_hangs_up_has_done_nothing() {
    let (fake, general, path) = general().await;
    let time = Duration::from_millis(300);
    fake.hang_next("/channels/*/messages", time);
    let body = message("patient");
    let began = Instant::now();
    assert_eq!(ask(&fake, "POST", &path, body).await.status, 200);
    assert!(began.elapsed() >= time);
    fake.hang_next("/channels/*/messages", time);
    let body = message("impatient");
    let hung = timeout(time / 3, request(&fake, "POST", &path, &body)).await;
    assert!(hung.is_err());
    tokio::time::sleep(time).await;
    let contents = fake
        .messages_in(general)
        .into_iter()
        .map(|message| message.content);
    assert_eq!(contents.collect::<Vec<_>>(), ["patient"]);
}

#[tokio::test]
async fn a_lost_answer_was_acted_upon() {
    let (fake, general, path) = general().await;
    fake.drop_next("/channels/*/messages");
    let body = message("lost");
    assert!(request(&fake, "POST", &path, &body).await.is_none());
    assert_eq!(fake.messages_in(general)[0].content, "lost");
    assert_eq!(
        ask(&fake, "GET", &path, Value::Null).await.body[0]["content"],
        "lost"
    );
    fake.assert_clean();
}

#[tokio::test]
async fn a_token_is_asked_for() {
    let (fake, general, path) = general().await;
    let body = message("x").to_string();
    let wrong = send(&fake, "POST", &path, "wrong", "application/json", &body).await;
    assert_eq!(wrong.expect("an answer").status, 401);
    assert_eq!(fake.take_violations().len(), 1);
    fake.revoke_token(true);
    assert_eq!(ask(&fake, "POST", &path, message("x")).await.status, 401);
    fake.revoke_token(false);
    assert_eq!(ask(&fake, "POST", &path, message("x")).await.status, 200);
    assert_eq!(fake.messages_in(general).len(), 1);
    fake.assert_clean();
}

#[tokio::test]
async fn everything_sent_is_on_record() {
    let (fake, general, path) = general().await;
    let form = format!(
        "--b\r\ncontent-disposition: form-data; name=\"files[0]\"; filename=\"mail.txt\"\r\n\
         content-type: text/plain\r\n\r\nthe canary sings\r\n\
         --b\r\ncontent-disposition: form-data; name=\"payload_json\"\r\n\r\n{}\r\n--b--\r\n",
        message("with a file")
    );
    let kind = "multipart/form-data; boundary=b";
    let answered = send(&fake, "POST", &path, &fake.token(), kind, &form).await;
    let answered = answered.expect("an answer");
    assert_eq!(answered.body["attachments"][0]["filename"], "mail.txt");
    assert_eq!(
        fake.messages_in(general)[0].files,
        [("mail.txt".to_owned(), 16)]
    );
    assert!(fake.everything_sent().contains("the canary sings"));
    assert!(!fake.everything_sent().contains("the canary is silent"));
    let asked = fake.requests();
    let last = asked.last().expect("a request");
    assert_eq!(
        (last.method.as_str(), last.path.as_str()),
        ("POST", path.as_str())
    );
    assert_eq!(
        (&last.body["content"], last.status),
        (&json!("with a file"), Some(200))
    );
    let bad = send(&fake, "POST", &path, &fake.token(), "application/json", "{").await;
    assert_eq!(bad.expect("an answer").code(), 50109);
    let broken = fake.take_violations();
    assert!(broken[0].contains("no JSON"), "{broken:?}");
}

#[tokio::test]
#[should_panic(expected = "rules of Discord broken")]
async fn a_broken_rule_fails_the_test() {
    let (fake, _, path) = general().await;
    ask(&fake, "POST", &path, json!({"content": "@everyone"})).await;
    fake.assert_clean();
}

#[tokio::test]
async fn it_ends_when_it_is_dropped() {
    let (fake, _, path) = general().await;
    assert_eq!(ask(&fake, "GET", &path, Value::Null).await.status, 200);
    let address = fake.url();
    let host = address
        .strip_prefix("http://")
        .expect("a plain address")
        .to_owned();
    drop(fake);
    let gone = async {
        while tokio::net::TcpStream::connect(&host).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(super::wire::SOON, gone)
        .await
        .expect("nobody listens");
}
