//! Threads and posts: names, tags, archives, locks, and how many.

use std::time::Duration;

use serde_json::{Value, json};
use tierdesk_tests::discord::{FakeDiscord, permissions};

use super::wire::{Answered, ask, message, quiet};

struct Forum {
    fake: FakeDiscord,
    id: u64,
    tags: Vec<String>,
}

impl Forum {
    async fn new() -> Self {
        let fake = FakeDiscord::start().await;
        let id = fake.add_forum("tickets", &["a", "b", "c", "d", "e", "f"]);
        let tags = fake.channel(id).expect("the forum").tags;
        let tags = tags.iter().map(|tag| tag.id.to_string()).collect();
        Self { fake, id, tags }
    }

    async fn post(&self, name: &str, tags: &[String]) -> Answered {
        let body = json!({"name": name, "applied_tags": tags, "message": message("card")});
        ask(
            &self.fake,
            "POST",
            &format!("/channels/{}/threads", self.id),
            body,
        )
        .await
    }

    async fn patch(&self, thread: u64, body: Value) -> Answered {
        ask(&self.fake, "PATCH", &format!("/channels/{thread}"), body).await
    }
}

#[tokio::test]
async fn a_post_bears_its_forums_tags() {
    let forum = Forum::new().await;
    let other = forum.fake.add_forum("other", &["z"]);
    let foreign = forum.fake.channel(other).expect("the other").tags[0]
        .id
        .to_string();
    let post = forum.post("SB-1", &forum.tags[..5]).await;
    assert_eq!(post.status, 201);
    assert_eq!(post.body["message"]["id"], post.body["id"]);
    assert_eq!(forum.fake.tags_of(post.id()), ["a", "b", "c", "d", "e"]);
    assert_eq!(
        forum
            .patch(post.id(), json!({"applied_tags": [forum.tags[5]]}))
            .await
            .status,
        200
    );
    assert_eq!(forum.fake.tags_of(post.id()), ["f"]);
    assert_eq!(forum.fake.threads_in(forum.id).len(), 1);
    forum.fake.assert_clean();
    for tags in [&forum.tags[..6], &[foreign][..]] {
        for answered in [
            forum.post("SB-2", tags).await,
            forum.patch(post.id(), json!({"applied_tags": tags})).await,
        ] {
            assert_eq!((answered.status, answered.code()), (400, 50035));
            assert!(
                answered.body["errors"]["applied_tags"].is_object(),
                "{answered:?}"
            );
        }
        assert!(forum.fake.take_violations().len() >= 2);
    }
    forum.fake.change(forum.id, |forum| forum.flags = 1 << 4);
    assert_eq!(forum.post("SB-2", &[]).await.code(), 40067);
    forum
        .fake
        .change(forum.id, |forum| forum.tags[0].is_moderated = true);
    forum
        .fake
        .set_bot_permissions(permissions::BOT & !permissions::MANAGE_THREADS);
    assert_eq!(forum.post("SB-2", &forum.tags[..1]).await.code(), 50013);
    assert_eq!(forum.fake.threads_in(forum.id).len(), 1);
    assert_eq!(forum.fake.tags_of(post.id()), ["f"]);
}

#[tokio::test]
async fn a_post_has_a_name_and_a_message() {
    let forum = Forum::new().await;
    let path = format!("/channels/{}/threads", forum.id);
    assert_eq!(forum.post(&"x".repeat(100), &[]).await.status, 201);
    forum.fake.assert_clean();
    for (body, code) in [
        (
            json!({"name": "x".repeat(101), "message": message("x")}),
            50035,
        ),
        (json!({"name": "", "message": message("x")}), 50035),
        (json!({"name": "x"}), 50035),
        (json!({"name": "x", "message": message("")}), 50006),
        (
            json!({"name": "x", "message": message(&"x".repeat(2001))}),
            50035,
        ),
        (
            json!({"name": "x", "auto_archive_duration": 61, "message": message("x")}),
            50035,
        ),
    ] {
        assert_eq!(
            ask(&forum.fake, "POST", &path, body.clone()).await.code(),
            code,
            "{body}"
        );
        assert!(!forum.fake.take_violations().is_empty(), "{body}");
    }
    let loud = json!({"name": "x", "message": {"content": "@everyone"}});
    assert_eq!(ask(&forum.fake, "POST", &path, loud).await.status, 201);
    assert!(forum.fake.take_violations()[0].contains("allowed_mentions"));
    let inside = format!("/channels/{}/messages", forum.id);
    assert_eq!(
        ask(&forum.fake, "POST", &inside, message("x")).await.code(),
        50008
    );
}

#[tokio::test]
async fn what_is_archived_stays_as_it_is() {
    let forum = Forum::new().await;
    let post = forum.post("SB-1", &[]).await.id();
    let messages = format!("/channels/{post}/messages");
    assert_eq!(
        forum
            .patch(
                post,
                json!({"applied_tags": [forum.tags[0]], "archived": true})
            )
            .await
            .status,
        200
    );
    forum.fake.assert_clean();
    for answered in [
        forum.patch(post, json!({"name": "other"})).await,
        forum.patch(post, json!({"applied_tags": []})).await,
        ask(
            &forum.fake,
            "PATCH",
            &format!("{messages}/{post}"),
            message("x"),
        )
        .await,
        ask(
            &forum.fake,
            "DELETE",
            &format!("{messages}/{post}"),
            Value::Null,
        )
        .await,
    ] {
        assert_eq!((answered.status, answered.code()), (400, 50083));
    }
    assert_eq!(forum.fake.take_violations().len(), 4);
    let both = json!({"archived": false, "applied_tags": []});
    assert_eq!(forum.patch(post, both).await.status, 200);
    forum.patch(post, json!({"archived": true})).await;
    assert_eq!(
        ask(&forum.fake, "POST", &messages, message("wakes it"))
            .await
            .status,
        200
    );
    assert!(!forum.fake.channel(post).expect("the post").is_archived);
    forum.fake.assert_clean();

    forum
        .patch(post, json!({"archived": true, "locked": true}))
        .await;
    assert_eq!(
        ask(&forum.fake, "POST", &messages, message("x"))
            .await
            .code(),
        50083
    );
    forum.fake.take_violations();
    forum
        .fake
        .set_bot_permissions(permissions::BOT & !permissions::MANAGE_THREADS);
    assert_eq!(
        forum.patch(post, json!({"archived": false})).await.code(),
        50013
    );
    forum.fake.change(post, |post| post.is_archived = false);
    assert_eq!(
        ask(&forum.fake, "POST", &messages, message("x"))
            .await
            .code(),
        160_005
    );
    assert_eq!(
        forum.patch(post, json!({"locked": false})).await.code(),
        50013
    );
    assert_eq!(forum.fake.take_violations().len(), 3);
}

#[tokio::test]
async fn silence_archives() {
    let forum = Forum::new().await;
    let post = forum.post("SB-1", &[]).await.id();
    forum
        .patch(post, json!({"auto_archive_duration": 60}))
        .await;
    let active = format!("/guilds/{}/threads/active", forum.fake.guild_id());
    let archived = format!("/channels/{}/threads/archived/public", forum.id);
    let count = async |path: &str| {
        let listed = ask(&forum.fake, "GET", path, Value::Null).await.body;
        listed["threads"].as_array().map(Vec::len)
    };
    forum.fake.advance(Duration::from_mins(59));
    assert_eq!(
        (count(&active).await, count(&archived).await),
        (Some(1), Some(0))
    );
    forum.fake.advance(Duration::from_mins(2));
    assert_eq!(
        (count(&active).await, count(&archived).await),
        (Some(0), Some(1))
    );
    let second = forum.post("SB-2", &[]).await.id();
    forum.fake.advance(Duration::from_mins(1));
    forum.patch(second, json!({"archived": true})).await;
    let listed = ask(
        &forum.fake,
        "GET",
        &format!("{archived}?limit=1"),
        Value::Null,
    )
    .await
    .body;
    assert_eq!(
        (&listed["threads"][0]["name"], &listed["has_more"]),
        (&json!("SB-2"), &json!(true))
    );
    let before = &listed["threads"][0]["thread_metadata"]["archive_timestamp"];
    let before = before.as_str().expect("a date").replace(':', "%3A");
    let listed = ask(
        &forum.fake,
        "GET",
        &format!("{archived}?before={before}"),
        Value::Null,
    )
    .await
    .body;
    assert_eq!(
        (&listed["threads"][0]["name"], &listed["has_more"]),
        (&json!("SB-1"), &json!(false))
    );
    forum.fake.assert_clean();
}

#[tokio::test]
async fn so_many_threads_and_no_more() {
    let forum = Forum::new().await;
    forum.fake.limit_active_threads(2);
    let first = forum.post("SB-1", &[]).await.id();
    forum.post("SB-2", &[]).await;
    assert_eq!(forum.post("SB-3", &[]).await.code(), 160_006);
    forum.patch(first, json!({"archived": true})).await;
    assert_eq!(forum.post("SB-3", &[]).await.status, 201);
    assert_eq!(
        forum.patch(first, json!({"archived": false})).await.code(),
        160_006
    );
    assert_eq!(forum.fake.take_violations().len(), 2);
}

#[tokio::test]
async fn a_name_changes_twice_in_ten_minutes() {
    let forum = Forum::new().await;
    let post = forum.post("SB-1", &[]).await.id();
    for name in ["one", "two", "two"] {
        assert_eq!(forum.patch(post, json!({"name": name})).await.status, 200);
    }
    let refused = forum.patch(post, json!({"name": "three"})).await;
    assert_eq!(refused.status, 429);
    assert!(
        refused.body["retry_after"]
            .as_f64()
            .is_some_and(|after| after > 590.0)
    );
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(
        forum.patch(post, json!({"archived": true})).await.status,
        200
    );
    assert_eq!(forum.fake.take_violations().len(), 1);
    forum.fake.advance(Duration::from_mins(10));
    let both = json!({"archived": false, "name": "three"});
    assert_eq!(forum.patch(post, both).await.status, 200);
    assert_eq!(forum.fake.channel(post).expect("the post").name, "three");
    forum.fake.assert_clean();
}

#[tokio::test]
async fn a_message_has_one_thread() {
    let fake = FakeDiscord::start().await;
    let general = fake.channel_by_name("general").expect("general").id;
    let path = format!("/channels/{general}/messages");
    let posted = ask(&fake, "POST", &path, message("card")).await.id();
    let path = format!("{path}/{posted}/threads");
    let thread = ask(&fake, "POST", &path, json!({"name": "SB-1"})).await;
    assert_eq!((thread.status, thread.id()), (201, posted));
    assert_eq!(fake.threads_in(general).len(), 1);
    fake.assert_clean();
    assert_eq!(
        ask(&fake, "POST", &path, json!({"name": "SB-1"}))
            .await
            .code(),
        160_004
    );
    let nothing = format!("/channels/{general}/messages/1/threads");
    assert_eq!(
        ask(&fake, "POST", &nothing, json!({"name": "x"}))
            .await
            .code(),
        10008
    );
    let private = json!({"name": "private"});
    let private = ask(
        &fake,
        "POST",
        &format!("/channels/{general}/threads"),
        private,
    )
    .await;
    assert_eq!(
        private.body["type"], 12,
        "Discord's default is the private one"
    );
    let inside = format!("/channels/{posted}/threads");
    assert_eq!(
        ask(&fake, "POST", &inside, json!({"name": "x"}))
            .await
            .code(),
        50024
    );
    assert_eq!(fake.take_violations().len(), 3);
}

#[tokio::test]
async fn a_nonce_stands_for_one_message() {
    let fake = FakeDiscord::start().await;
    let general = fake.channel_by_name("general").expect("general").id;
    let path = format!("/channels/{general}/messages");
    let body = |content: &str, enforce: bool| {
        json!({"content": content, "nonce": "n1", "enforce_nonce": enforce,
            "allowed_mentions": quiet()})
    };
    let first = ask(&fake, "POST", &path, body("first", true)).await;
    let second = ask(&fake, "POST", &path, body("second", true)).await;
    assert_eq!(first.id(), second.id());
    assert_eq!(second.body["content"], "first");
    let loose = ask(&fake, "POST", &path, body("third", false)).await;
    assert_ne!(first.id(), loose.id());
    fake.advance(Duration::from_mins(6));
    let later = ask(&fake, "POST", &path, body("fourth", true)).await;
    assert_ne!(first.id(), later.id());
    assert_eq!(fake.messages_in(general).len(), 3);
    fake.assert_clean();
}
