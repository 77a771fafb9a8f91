//! What stands beside the bot's own: the words of people, and a guild that is full.

use serde_json::{Value, json};
use tierdesk_tests::discord::{FakeDiscord, Overwrite, permissions};

use super::wire::{ask, message, send};

async fn general() -> (FakeDiscord, u64, String) {
    let fake = FakeDiscord::start().await;
    let general = fake.channel_by_name("general").expect("general").id;
    (fake, general, format!("/channels/{general}/messages"))
}

#[tokio::test]
async fn the_words_of_people_are_theirs() {
    let (fake, general, path) = general().await;
    let alice = fake.add_member("alice", &[]);
    let written = format!("{path}/{}", fake.write(alice, general, "mine"));
    let edited = ask(&fake, "PATCH", &written, message("yours")).await;
    assert_eq!((edited.status, edited.code()), (403, 50005));
    fake.set_bot_permissions(permissions::BOT & !permissions::MANAGE_MESSAGES);
    let deleted = ask(&fake, "DELETE", &written, Value::Null).await;
    assert_eq!((deleted.status, deleted.code()), (403, 50013));
    assert_eq!(fake.take_violations().len(), 2);
    assert_eq!(fake.messages_in(general)[0].content, "mine");
    let own = ask(&fake, "POST", &path, message("x")).await.id();
    let own = ask(&fake, "DELETE", &format!("{path}/{own}"), Value::Null).await;
    assert_eq!(own.status, 204);
    fake.set_bot_permissions(permissions::BOT);
    assert_eq!(
        ask(&fake, "DELETE", &written, Value::Null).await.status,
        204
    );
    assert!(fake.messages_in(general).is_empty());
    fake.assert_clean();
}

#[tokio::test]
async fn messages_are_read_from_the_newest() {
    let (fake, general, path) = general().await;
    let alice = fake.add_member("alice", &[]);
    let ids: Vec<u64> = ["a", "b", "c"]
        .map(|text| fake.write(alice, general, text))
        .to_vec();
    let read = async |query: String| {
        let listed = ask(&fake, "GET", &format!("{path}?{query}"), Value::Null)
            .await
            .body;
        let listed = listed.as_array().cloned().unwrap_or_default();
        let contents = listed.iter().filter_map(|one| one["content"].as_str());
        contents.map(str::to_owned).collect::<String>()
    };
    assert_eq!(read("limit=2".to_owned()).await, "cb");
    assert_eq!(read(format!("before={}", ids[2])).await, "ba");
    assert_eq!(read(format!("after={}&limit=1", ids[0])).await, "b");
    fake.assert_clean();
    for limit in [0, 101] {
        let answered = ask(&fake, "GET", &format!("{path}?limit={limit}"), Value::Null).await;
        assert_eq!((answered.status, answered.code()), (400, 50035));
    }
    fake.overwrite(
        general,
        fake.guild_id(),
        0,
        permissions::READ_MESSAGE_HISTORY,
    );
    assert_eq!(ask(&fake, "GET", &path, Value::Null).await.code(), 50013);
    assert_eq!(fake.take_violations().len(), 3);
}

#[tokio::test]
async fn files_are_sent_by_whom_may() {
    let (fake, general, path) = general().await;
    let form = "--b\r\ncontent-disposition: form-data; name=\"files[0]\"; filename=\"a.txt\"\r\n\
                \r\nx\r\n--b\r\ncontent-disposition: form-data; name=\"payload_json\"\r\n\r\n\
                {\"content\": \"x\", \"allowed_mentions\": {\"parse\": []}}\r\n--b--\r\n";
    let kind = "multipart/form-data; boundary=b";
    for (may, status) in [
        (permissions::BOT, 200),
        (permissions::BOT & !permissions::ATTACH_FILES, 403),
    ] {
        fake.set_bot_permissions(may);
        let answered = send(&fake, "POST", &path, &fake.token(), kind, form).await;
        assert_eq!(answered.expect("an answer").status, status);
    }
    assert_eq!(fake.messages_in(general).len(), 1);
    assert_eq!(fake.take_violations().len(), 1);
}

#[tokio::test]
async fn a_guild_is_full_at_some_time() {
    let (fake, general, _) = general().await;
    let guild = format!("/guilds/{}", fake.guild_id());
    for number in 1..500 {
        fake.add_text_channel(&format!("c{number}"));
    }
    let body = json!({"name": "one more", "type": 0});
    let full = ask(&fake, "POST", &format!("{guild}/channels"), body.clone()).await;
    assert_eq!((full.status, full.code()), (400, 30013));
    fake.take_violations();
    fake.remove_channel(general);
    assert_eq!(
        ask(&fake, "POST", &format!("{guild}/channels"), body)
            .await
            .status,
        201
    );
    fake.assert_clean();

    let forum = format!("/channels/{}", fake.add_forum("forum", &[]));
    let tags = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|number| json!({"name": number.to_string()}))
            .collect()
    };
    let most = json!({"available_tags": tags(20)});
    assert_eq!(ask(&fake, "PATCH", &forum, most).await.status, 200);
    fake.assert_clean();
    for tags in [tags(21), vec![json!({"name": "a"}), json!({"name": "a"})]] {
        let refused = ask(&fake, "PATCH", &forum, json!({"available_tags": tags})).await;
        assert_eq!((refused.status, refused.code()), (400, 50035));
        assert!(!fake.take_violations().is_empty());
    }
    let admin = json!({"name": "admin", "permissions": permissions::ADMINISTRATOR.to_string()});
    assert_eq!(
        ask(&fake, "POST", &format!("{guild}/roles"), admin)
            .await
            .code(),
        50013
    );
    let nameless = json!({"name": ""});
    assert_eq!(
        ask(&fake, "POST", &format!("{guild}/roles"), nameless)
            .await
            .code(),
        50035
    );
    assert!(fake.take_violations().len() >= 2);
}

#[tokio::test]
async fn an_admin_and_the_owner_may_everything() {
    let (fake, general, _) = general().await;
    let admin = fake.add_role("admin", permissions::ADMINISTRATOR);
    let boss = fake.add_member("boss", &[admin]);
    let alice = fake.add_member("alice", &[]);
    fake.hide_from_everyone(general);
    for (member, sees) in [(boss, true), (fake.owner_id(), true), (alice, false)] {
        assert_eq!(fake.person(member).sees(general), sees, "{member}");
    }
    fake.set_roles(alice, &[admin]);
    assert!(fake.person(alice).sees(general));
    fake.remove_member(alice);
    assert!(!fake.person(alice).sees(general));
}

#[tokio::test]
async fn a_persons_overwrite_goes_before_a_roles_and_that_before_everybodys() {
    let (fake, general, _) = general().await;
    let team = fake.add_role("team", 0);
    let alice = fake.add_member("alice", &[team]);
    let person = fake.person(alice);
    let view = permissions::VIEW_CHANNEL;
    fake.overwrite(general, fake.guild_id(), 0, view);
    assert!(!person.sees(general));
    fake.overwrite(general, team, view, 0);
    assert!(person.sees(general));
    let own = |allow: u64, deny: u64| Overwrite {
        id: alice,
        is_member: true,
        allow,
        deny,
    };
    fake.change(general, |channel| channel.overwrites.push(own(0, view)));
    assert!(!person.sees(general));
    fake.change(general, |channel| {
        channel.overwrites.truncate(1);
        channel.overwrites.push(own(view, 0));
    });
    fake.overwrite(general, team, 0, view);
    assert!(person.sees(general));
}
