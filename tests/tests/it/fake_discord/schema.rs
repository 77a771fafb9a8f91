//! Requests and the fake's own answers against the schema that Discord publishes, when
//! `DISCORD_OPENAPI` names its file.

use serde_json::{Value, json};
use tierdesk_tests::discord::{is_validating, request_faults, response_faults};

use super::wire::{Scene, definition, message};

/// Says so aloud when there is nothing to hold against.
fn has_schema() -> bool {
    if !is_validating() {
        println!("DISCORD_OPENAPI names no file: nothing is held against Discord's schema");
    }
    is_validating()
}

#[tokio::test]
async fn a_bad_request_is_a_violation() {
    if !has_schema() {
        return;
    }
    let scene = Scene::new().await;
    let path = format!("/channels/{}/messages", scene.general());
    let mut body = message("x");
    body["allowed_mentions"] = json!({"parse": [], "users": "all"});
    scene.ask("POST", &path, body).await;
    let violations = scene.fake.take_violations();
    assert!(
        violations
            .iter()
            .any(|one| one.contains("against the schema")),
        "{violations:?}"
    );
    for (method, path, body, part) in [
        (
            "POST",
            "/interactions/1/t/callback",
            json!({"type": 4, "data": {"tts": 5}}),
            "/data/tts",
        ),
        (
            "POST",
            "/channels/1/messages",
            json!({"content": 5}),
            "/content",
        ),
        (
            "PUT",
            "/applications/1/guilds/2/commands",
            json!([{"name": "x".repeat(33)}]),
            "/0/name",
        ),
        ("GET", "/users/@me", json!({}), "where none is taken"),
        ("GET", "/nowhere", Value::Null, "no operation"),
    ] {
        let faults = request_faults(method, path, &body);
        assert!(
            faults.iter().any(|fault| fault.contains(part)),
            "{faults:?}"
        );
    }
    let id_as_text =
        json!([{"name": "x", "description": "d", "default_member_permissions": "8192"}]);
    let faults = request_faults("PUT", "/applications/1/guilds/2/commands", &id_as_text);
    assert_eq!(
        faults,
        [] as [String; 0],
        "a number in a string is a number"
    );
}

type Asked = (&'static str, String, Value);

/// Asks all of these and holds each answer against the schema of its route and status.
///
/// Left out are errors, whose schema takes almost anything, and what the gateway tells, which the
/// schema does not describe.
async fn hold(scene: &Scene, asked: Vec<Asked>) {
    let mut wrong = Vec::new();
    for (method, path, body) in asked {
        let answered = scene.ask(method, &path, body).await;
        assert!(answered.status < 300, "{method} {path}: {answered:?}");
        for fault in response_faults(method, &path, answered.status, &answered.body) {
            wrong.push(format!("{method} {path}: {fault}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    scene.fake.assert_clean();
}

fn get(path: impl Into<String>) -> Asked {
    ("GET", path.into(), Value::Null)
}

fn post(path: impl Into<String>, body: Value) -> Asked {
    ("POST", path.into(), body)
}

fn patch(path: impl Into<String>, body: Value) -> Asked {
    ("PATCH", path.into(), body)
}

fn delete(path: impl Into<String>) -> Asked {
    ("DELETE", path.into(), Value::Null)
}

#[tokio::test]
async fn the_guild_is_as_discord_describes_it() {
    if !has_schema() {
        return;
    }
    let faults = response_faults("GET", "/users/@me", 200, &json!({"id": "1"}));
    assert!(!faults.is_empty(), "almost nothing is a user");
    let scene = Scene::new().await;
    let (guild, alice) = (format!("/guilds/{}", scene.fake.guild_id()), scene.alice);
    let forum = json!({"name": "forum", "type": 15, "available_tags": [{"name": "open"}]});
    let direct = json!({"recipient_id": alice.to_string()});
    let asked = vec![
        get("/gateway"),
        get("/gateway/bot"),
        get("/users/@me"),
        get("/oauth2/applications/@me"),
        get(&guild),
        post(format!("{guild}/channels"), forum),
        post(
            format!("{guild}/channels"),
            json!({"name": "more", "type": 0}),
        ),
        get(format!("{guild}/channels")),
        post(format!("{guild}/roles"), json!({"name": "agent"})),
        get(format!("{guild}/roles")),
        get(format!("{guild}/members/{alice}")),
        get(format!("{guild}/threads/active")),
        get(scene.commands_path()),
        ("PUT", scene.commands_path(), json!([definition()])),
        post(scene.commands_path(), definition()),
        post("/users/@me/channels", direct),
        patch(
            format!("/channels/{}", scene.general()),
            json!({"topic": "t"}),
        ),
        get(format!("/channels/{}", scene.general())),
    ];
    hold(&scene, asked).await;
}

#[tokio::test]
async fn messages_are_as_discord_describes_them() {
    if !has_schema() {
        return;
    }
    let mut scene = Scene::new().await;
    let forum = scene.fake.add_forum("forum", &["open"]);
    let (event, _) = scene.taken(4, message("answer")).await;
    let threads = format!("/channels/{forum}/threads");
    let opened = json!({"name": "SB-1", "message": message("card")});
    let thread = scene.ask("POST", &threads, opened.clone()).await.id();
    let general = format!("/channels/{}", scene.general());
    let messages = format!("{general}/messages");
    let posted = scene.ask("POST", &messages, full_message()).await.id();
    let original = scene.webhook(&event, "/messages/@original");
    let asked = vec![
        get(format!("/channels/{forum}")),
        get(format!("/channels/{thread}")),
        post(&threads, opened),
        post(
            format!("{general}/threads"),
            json!({"name": "t", "type": 11}),
        ),
        post(format!("{messages}/{posted}/threads"), json!({"name": "t"})),
        get(format!("/guilds/{}/threads/active", scene.fake.guild_id())),
        get(&messages),
        post(&messages, full_message()),
        get(format!("{messages}/{posted}")),
        patch(format!("{messages}/{posted}"), message("edited")),
        patch(format!("/channels/{thread}"), json!({"archived": true})),
        get(format!("{threads}/archived/public")),
        get(&original),
        patch(&original, message("edited")),
        post(scene.webhook(&event, ""), message("more")),
        delete(original),
        delete(format!("{messages}/{posted}")),
        delete(format!("/channels/{thread}")),
    ];
    hold(&scene, asked).await;
}

/// One with all that a message can have.
fn full_message() -> Value {
    let mut body = message("text");
    body["embeds"] = json!([{
        "title": "t", "description": "d", "color": 255, "footer": {"text": "f"},
        "author": {"name": "a"}, "fields": [{"name": "n", "value": "v", "inline": true}],
    }]);
    body["components"] = json!([
        {"type": 1, "components": [
            {"type": 2, "style": 1, "label": "b", "custom_id": "b"},
            {"type": 2, "style": 5, "label": "l", "url": "https://example.org"}]},
        {"type": 1, "components": [
            {"type": 3, "custom_id": "s", "options": [{"label": "o", "value": "v"}]}]},
    ]);
    body["nonce"] = "n".into();
    body
}
