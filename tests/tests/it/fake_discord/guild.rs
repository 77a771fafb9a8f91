//! Channels, roles, members and what the bot may.

use serde_json::{Value, json};
use tierdesk_tests::discord::{FakeDiscord, permissions};

use super::wire::{Scene, ask, id, message};

fn post(forum: u64) -> (String, Value) {
    let body = json!({"name": "post", "message": message("x")});
    (format!("/channels/{forum}/threads"), body)
}

#[tokio::test]
async fn what_is_made_is_there() {
    let fake = FakeDiscord::start().await;
    let guild = format!("/guilds/{}", fake.guild_id());
    let (everyone, bot) = (fake.guild_id().to_string(), fake.bot_user_id().to_string());
    let category = json!({"name": "Desk", "type": 4});
    let category = ask(&fake, "POST", &format!("{guild}/channels"), category).await;
    assert_eq!(category.status, 201);
    let view = permissions::VIEW_CHANNEL.to_string();
    let forum = json!({
        "name": "Fintech Tickets", "type": 15, "parent_id": category.body["id"],
        "topic": "all of them", "available_tags": [{"name": "open"}, {"name": "closed"}],
        "permission_overwrites": [
            {"id": everyone, "type": 0, "allow": "0", "deny": view},
            {"id": bot, "type": 1, "allow": view, "deny": "0"}],
    });
    let forum = ask(&fake, "POST", &format!("{guild}/channels"), forum).await;
    let seen = fake.channel_by_name("fintech-tickets").expect("the forum");
    assert_eq!((seen.id, seen.parent), (forum.id(), Some(category.id())));
    assert_eq!(seen.tags.len(), 2);
    assert_eq!(seen.topic.as_deref(), Some("all of them"));
    let listed = ask(&fake, "GET", &format!("{guild}/channels"), Value::Null)
        .await
        .body;
    assert_eq!(listed.as_array().map(Vec::len), Some(3));

    let kept = json!({"id": seen.tags[1].id.to_string(), "name": "closed"});
    let change =
        json!({"available_tags": [kept, {"name": "waiting"}, {"id": "7", "name": "own id"}]});
    let changed = ask(&fake, "PATCH", &format!("/channels/{}", seen.id), change)
        .await
        .body;
    assert_eq!(id(&changed["available_tags"][0]["id"]), seen.tags[1].id);
    assert_ne!(id(&changed["available_tags"][2]["id"]), 7);
    assert_eq!(
        fake.channel(seen.id).expect("the forum").overwrites.len(),
        2
    );

    let role = json!({"name": "agent", "permissions": "0"});
    let role = ask(&fake, "POST", &format!("{guild}/roles"), role).await;
    let alice = fake.add_member("alice", &[role.id()]);
    let member = ask(
        &fake,
        "GET",
        &format!("{guild}/members/{alice}"),
        Value::Null,
    )
    .await
    .body;
    assert_eq!(member["roles"], json!([role.body["id"]]));
    let roles = ask(&fake, "GET", &format!("{guild}/roles"), Value::Null)
        .await
        .body;
    assert_eq!(roles.as_array().map(Vec::len), Some(3));
    assert_eq!(
        ask(&fake, "GET", &guild, Value::Null).await.body["id"],
        everyone
    );
    fake.assert_clean();
    let deleted = ask(
        &fake,
        "DELETE",
        &format!("/channels/{}", seen.id),
        Value::Null,
    )
    .await;
    assert_eq!(deleted.status, 200);
    assert!(fake.channel_by_name("fintech-tickets").is_none());
}

#[tokio::test]
async fn what_is_not_there_is_unknown() {
    let fake = FakeDiscord::start().await;
    let (guild, general) = (
        fake.guild_id(),
        fake.channel_by_name("general").expect("general").id,
    );
    let unknown = [
        ("GET", "/channels/1".to_owned(), 404, 10003),
        ("POST", "/channels/1/messages".to_owned(), 404, 10003),
        ("GET", format!("/channels/{general}/messages/1"), 404, 10008),
        (
            "PATCH",
            format!("/channels/{general}/messages/1"),
            404,
            10008,
        ),
        (
            "DELETE",
            format!("/channels/{general}/messages/1"),
            404,
            10008,
        ),
        ("GET", "/guilds/1".to_owned(), 404, 10004),
        ("GET", format!("/guilds/{guild}/members/1"), 404, 10007),
        (
            "GET",
            format!("/applications/1/guilds/{guild}/commands"),
            404,
            10002,
        ),
        ("GET", "/channels/general".to_owned(), 400, 50035),
        ("GET", "/nowhere".to_owned(), 404, 0),
    ];
    for (method, path, status, code) in unknown {
        let body = if method == "GET" || method == "DELETE" {
            Value::Null
        } else {
            message("x")
        };
        let answered = ask(&fake, method, &path, body).await;
        assert_eq!((answered.status, answered.code()), (status, code), "{path}");
        assert!(!fake.take_violations().is_empty(), "{path}");
    }
    let nobody = json!({"recipient_id": "1"});
    assert_eq!(
        ask(&fake, "POST", "/users/@me/channels", nobody)
            .await
            .code(),
        10013
    );
    let channels = format!("/guilds/{guild}/channels");
    for (body, field) in [
        (json!({"name": "", "type": 0}), "name"),
        (json!({"name": "x".repeat(101), "type": 0}), "name"),
        (json!({"name": "x", "type": 11}), "type"),
        (
            json!({"name": "x", "type": 0, "parent_id": general.to_string()}),
            "parent_id",
        ),
        (
            json!({"name": "x", "type": 15, "available_tags": [{"name": "x".repeat(21)}]}),
            "available_tags",
        ),
        (
            json!({"name": "x", "type": 0, "permission_overwrites": [{"id": "1", "type": 0}]}),
            "permission_overwrites",
        ),
    ] {
        let answered = ask(&fake, "POST", &channels, body).await;
        assert!(answered.body["errors"][field].is_object(), "{answered:?}");
    }
    assert!(fake.take_violations().len() >= 7);
}

#[tokio::test]
async fn the_bot_does_what_it_may() {
    let fake = FakeDiscord::start().await;
    let general = fake.channel_by_name("general").expect("general").id;
    let guild = format!("/guilds/{}", fake.guild_id());
    let without = |bits: u64| permissions::BOT & !permissions::EVERYONE & !bits;
    let attempts = [
        (
            permissions::MANAGE_CHANNELS,
            "POST",
            format!("{guild}/channels"),
            json!({"name": "x", "type": 0}),
        ),
        (
            permissions::MANAGE_CHANNELS,
            "PATCH",
            format!("/channels/{general}"),
            json!({"topic": "x"}),
        ),
        (
            permissions::MANAGE_CHANNELS,
            "DELETE",
            format!("/channels/{general}"),
            Value::Null,
        ),
        (
            permissions::MANAGE_ROLES,
            "POST",
            format!("{guild}/roles"),
            json!({"name": "x"}),
        ),
        (
            permissions::CREATE_PUBLIC_THREADS,
            "POST",
            format!("/channels/{general}/threads"),
            json!({"name": "x", "type": 11}),
        ),
        (
            permissions::CREATE_PRIVATE_THREADS,
            "POST",
            format!("/channels/{general}/threads"),
            json!({"name": "x", "type": 12}),
        ),
    ];
    for (right, method, path, body) in attempts {
        fake.set_bot_permissions(without(right));
        let answered = ask(&fake, method, &path, body).await;
        assert_eq!(
            (answered.status, answered.code()),
            (403, 50013),
            "{method} {path}"
        );
        assert_eq!(fake.take_violations().len(), 1);
    }
}

#[tokio::test]
async fn an_overwrite_takes_and_gives() {
    let fake = FakeDiscord::start().await;
    let general = fake.channel_by_name("general").expect("general").id;
    let forum = fake.add_forum("forum", &[]);
    let (threads, body) = post(forum);
    let messages = format!("/channels/{general}/messages");
    fake.overwrite(general, fake.guild_id(), 0, permissions::SEND_MESSAGES);
    fake.overwrite(forum, fake.guild_id(), 0, permissions::SEND_MESSAGES);
    assert_eq!(
        ask(&fake, "POST", &messages, message("x")).await.code(),
        50013
    );
    assert_eq!(
        ask(&fake, "POST", &threads, body.clone()).await.code(),
        50013
    );
    fake.take_violations();
    let bot = fake.bot_user_id();
    let own = json!({"permission_overwrites": [{"id": bot.to_string(), "type": 1,
        "allow": permissions::SEND_MESSAGES.to_string(), "deny": "0"}]});
    assert_eq!(
        ask(&fake, "PATCH", &format!("/channels/{general}"), own)
            .await
            .status,
        200
    );
    assert_eq!(
        ask(&fake, "POST", &messages, message("x")).await.status,
        200
    );
    fake.assert_clean();
}

#[tokio::test]
async fn what_is_hidden_is_hidden() {
    let scene = Scene::new().await;
    let fake = &scene.fake;
    let forum = fake.add_forum("forum", &[]);
    fake.hide_from_everyone(forum);
    let (threads, body) = post(forum);
    let thread = scene.ask("POST", &threads, body).await;
    assert_eq!(
        thread.status, 201,
        "the bot sees what an admin hides from others"
    );
    let alice = fake.person(scene.alice).at(thread.id());
    alice
        .command("ticket list mine", json!({}))
        .await
        .expect_err("alice does not see it");
    fake.overwrite(forum, fake.guild_id(), 0, 0);
    fake.change(forum, |forum| forum.overwrites.truncate(1));
    for path in [
        format!("/channels/{forum}"),
        format!("/channels/{}/messages", thread.id()),
    ] {
        let answered = scene.ask("GET", &path, Value::Null).await;
        assert_eq!((answered.status, answered.code()), (403, 50001), "{path}");
    }
    assert_eq!(fake.take_violations().len(), 2);
}

#[tokio::test]
async fn embeds_that_nobody_would_see_are_recorded() {
    let fake = FakeDiscord::start().await;
    let general = fake.channel_by_name("general").expect("general").id;
    let path = format!("/channels/{general}/messages");
    let body = json!({"embeds": [{"title": "t"}], "allowed_mentions": {"parse": []}, "flags": 64});
    assert_eq!(
        ask(
            &fake,
            "POST",
            &path,
            json!({"embeds": [{"title": "t"}], "allowed_mentions": {"parse": []}})
        )
        .await
        .status,
        200
    );
    fake.assert_clean();
    fake.set_bot_permissions(permissions::BOT & !permissions::EMBED_LINKS);
    assert_eq!(ask(&fake, "POST", &path, body).await.status, 200);
    let violations = fake.take_violations();
    assert!(
        violations.iter().any(|one| one.contains("show embeds")),
        "{violations:?}"
    );
    assert!(
        violations.iter().any(|one| one.contains("ephemerally")),
        "{violations:?}"
    );
    assert!(!fake.messages_in(general)[1].is_ephemeral());
}

#[tokio::test]
async fn people_may_close_their_door() {
    let fake = FakeDiscord::start().await;
    let alice = fake.add_member("alice", &[]);
    let body = json!({"recipient_id": alice.to_string()});
    let channel = ask(&fake, "POST", "/users/@me/channels", body.clone()).await;
    let again = ask(&fake, "POST", "/users/@me/channels", body).await;
    assert_eq!(channel.id(), again.id());
    let path = format!("/channels/{}/messages", channel.id());
    assert_eq!(
        ask(&fake, "POST", &path, message("for you")).await.status,
        200
    );
    assert_eq!(fake.direct_messages(alice)[0].content, "for you");
    fake.assert_clean();
    fake.close_direct(alice);
    let answered = ask(&fake, "POST", &path, message("again")).await;
    assert_eq!((answered.status, answered.code()), (403, 50007));
    assert_eq!(fake.direct_messages(alice).len(), 1);
    assert_eq!(fake.take_violations().len(), 1);
}
