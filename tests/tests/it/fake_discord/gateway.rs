//! The gateway's life: sessions that begin, are cut, and go on.

use std::time::Duration;

use serde_json::{Value, json};
use tierdesk_tests::discord::FakeDiscord;

use super::wire::{Scene, Socket, ask, callback_path, message};

#[tokio::test]
async fn who_may_identify() {
    let fake = FakeDiscord::start().await;
    for (token, intents, code) in [
        ("wrong".to_owned(), 1, 4004),
        (fake.token(), 1 | (1 << 15), 4014),
    ] {
        let mut socket = Socket::open(&fake).await;
        socket.identify(&token, intents).await;
        assert_eq!(socket.closed().await, code);
        assert!(!fake.is_connected());
    }
    fake.allow_intents(1 | (1 << 15));
    let mut socket = Socket::open(&fake).await;
    socket
        .identify(&format!("Bot {}", fake.token()), 1 | (1 << 15))
        .await;
    let ready = socket.event("READY").await;
    assert_eq!(
        ready["application"]["id"],
        fake.application_id().to_string()
    );
    let guild = socket.event("GUILD_CREATE").await;
    assert_eq!(guild["channels"][0]["name"], "general");
    assert_eq!(fake.identified(), [1 | (1 << 15), 1 | (1 << 15)]);
    fake.connected().await;
    fake.revoke_token(true);
    let mut late = Socket::open_at(&fake.gateway_url()).await;
    late.identify(&fake.token(), 1).await;
    assert_eq!(late.closed().await, 4004);
}

#[tokio::test]
async fn what_a_client_may_not_say() {
    let fake = FakeDiscord::start().await;
    let long = "x".repeat(5000);
    let sayings = [
        (json!({"op": 99}), 4001),
        (json!({"op": 1, "d": long}), 4002),
        (json!({"op": 3, "d": {}}), 4003),
        (json!({"op": 2, "d": {"token": fake.token()}}), 4013),
    ];
    for (payload, code) in sayings {
        let mut socket = Socket::open(&fake).await;
        socket.say(payload).await;
        assert_eq!(socket.closed().await, code);
    }
    let mut socket = Socket::ready(&fake).await;
    socket.identify(&fake.token(), 1).await;
    assert_eq!(socket.closed().await, 4005);
}

#[tokio::test]
async fn a_resumed_session_misses_nothing() {
    let mut scene = Scene::new().await;
    scene.fake.drop_gateway();
    assert_eq!(scene.socket.closed().await, 0);
    let alice = scene.fake.person(scene.alice);
    let asked = alice.command("ticket take", json!({"ticket": "SB-1"}));
    let token = scene.fake.token();
    let bot = async {
        let mut socket = Socket::open(&scene.fake).await;
        socket
            .resume(&token, &scene.fake.session_id().into(), 2)
            .await;
        let (event, sequence) = socket.event_with_sequence("INTERACTION_CREATE").await;
        assert_eq!(sequence, 3);
        let body = json!({"type": 4, "data": message("here again")});
        ask(&scene.fake, "POST", &callback_path(&event), body).await;
        socket.event("RESUMED").await;
    };
    let (answer, ()) = tokio::join!(asked, bot);
    assert_eq!(answer.expect("a command").text(), "here again");
    assert_eq!(scene.fake.resumed(), 1);
    scene.fake.assert_clean();
}

#[tokio::test]
async fn a_session_that_is_over_is_not_resumed() {
    let fake = FakeDiscord::start().await;
    let mut socket = Socket::open(&fake).await;
    socket.identify(&fake.token(), 1).await;
    let session = socket.event("READY").await["session_id"].clone();
    fake.reconnect_gateway();
    socket.op(7).await;
    fake.invalidate_session(true);
    assert_eq!(socket.op(9).await["d"], true);
    fake.invalidate_session(false);
    assert_eq!(socket.op(9).await["d"], false);
    let mut again = Socket::open(&fake).await;
    again.resume(&fake.token(), &session, 1).await;
    assert_eq!(again.op(9).await["d"], false);
    let mut ahead = Socket::ready(&fake).await;
    fake.close_gateway(4000);
    assert_eq!(ahead.closed().await, 4000);
    let mut ahead = Socket::open(&fake).await;
    ahead
        .resume(&fake.token(), &fake.session_id().into(), 99)
        .await;
    assert_eq!(ahead.closed().await, 4007);
}

#[tokio::test]
async fn heartbeats_are_answered_or_not() {
    let fake = FakeDiscord::start().await;
    fake.beat_every(Duration::from_millis(50));
    let mut socket = Socket::open_at(&fake.gateway_url()).await;
    assert_eq!(socket.hello["d"]["heartbeat_interval"], 50);
    socket.say(json!({"op": 1, "d": null})).await;
    socket.op(11).await;
    fake.answer_heartbeats(false);
    socket.say(json!({"op": 1, "d": null})).await;
    fake.until("a second heartbeat", || {
        (fake.heartbeats() == 2).then_some(())
    })
    .await;
    fake.answer_heartbeats(true);
    socket.say(json!({"op": 1, "d": null})).await;
    socket.op(11).await;
    // A second answer to be read would be that of the heartbeat that had none.
    fake.close_gateway(4000);
    socket.identify(&fake.token(), 1).await;
    socket.event("READY").await;
}

#[tokio::test]
async fn a_gateway_that_refuses_hangs_up() {
    let fake = FakeDiscord::start().await;
    fake.refuse_gateway(true);
    assert!(
        tokio_tungstenite::connect_async(fake.gateway_url())
            .await
            .is_err()
    );
    fake.refuse_gateway(false);
    Socket::ready(&fake).await;
}

#[tokio::test]
async fn changes_are_told_to_whom_they_concern() {
    let scene = Scene::new().await;
    let mut socket = scene.socket;
    let path = format!("/guilds/{}/channels", scene.fake.guild_id());
    let body = json!({"name": "New Place", "type": 0});
    let made = ask(&scene.fake, "POST", &path, body.clone()).await;
    assert_eq!(socket.event("CHANNEL_CREATE").await["name"], "new-place");
    let channel = format!("/channels/{}", made.id());
    ask(&scene.fake, "PATCH", &channel, json!({"topic": "t"})).await;
    assert_eq!(socket.event("CHANNEL_UPDATE").await["topic"], "t");
    let thread = json!({"name": "thread", "type": 11});
    ask(&scene.fake, "POST", &format!("{channel}/threads"), thread).await;
    assert_eq!(socket.event("THREAD_CREATE").await["newly_created"], true);
    ask(&scene.fake, "DELETE", &channel, Value::Null).await;
    socket.event("CHANNEL_DELETE").await;

    let mut deaf = Socket::open(&scene.fake).await;
    deaf.identify(&scene.fake.token(), 0).await;
    deaf.event("READY").await;
    ask(&scene.fake, "POST", &path, body).await;
    scene.fake.reconnect_gateway();
    assert_eq!(
        deaf.next().await.expect("op 7 and nothing before it")["op"],
        7
    );
    scene.fake.assert_clean();
}
