//! Each limit of a message and of a form, one too many beside the most that is taken.

use serde_json::{Value, json};
use tierdesk_tests::discord::FakeDiscord;

use super::wire::{Scene, ask, callback_path, message, quiet};

fn long(length: usize) -> String {
    "x".repeat(length)
}

fn embed(embed: &Value) -> Value {
    json!({"embeds": [embed], "allowed_mentions": quiet()})
}

fn rows(rows: &Value) -> Value {
    json!({"content": "x", "components": rows, "allowed_mentions": quiet()})
}

fn button(number: usize) -> Value {
    json!({"type": 2, "style": 1, "label": "b", "custom_id": format!("b{number}")})
}

fn buttons(from: usize, count: usize) -> Value {
    let buttons: Vec<Value> = (from..from + count).map(button).collect();
    json!({"type": 1, "components": buttons})
}

fn select(options: usize) -> Value {
    let options: Vec<Value> = (0..options)
        .map(|number| json!({"label": "o", "value": number.to_string()}))
        .collect();
    json!({"type": 1, "components": [{"type": 3, "custom_id": "s", "options": options}]})
}

/// Bodies that are taken, each the most that there may be.
fn most() -> Vec<Value> {
    let fields: Vec<Value> = (0..25)
        .map(|_| json!({"name": "n", "value": "v"}))
        .collect();
    vec![
        message(&long(2000)),
        message(&"é".repeat(2000)),
        embed(
            &json!({"title": long(256), "description": long(4096), "footer": {"text": long(1648)}}),
        ),
        embed(&json!({"fields": fields})),
        embed(&json!({"fields": [{"name": long(256), "value": long(1024)}]})),
        rows(&(0..5).map(|row| buttons(row * 5, 5)).collect()),
        rows(&json!([select(25)])),
        rows(&json!([{"type": 1, "components": [
            {"type": 2, "style": 1, "label": long(80), "custom_id": long(100)}]}])),
        json!({"content": "x", "nonce": long(25), "allowed_mentions": quiet()}),
    ]
}

/// Texts and embeds that are refused, with the field that is at fault.
fn too_much() -> Vec<(Value, &'static str)> {
    let fields: Vec<Value> = (0..26)
        .map(|_| json!({"name": "n", "value": "v"}))
        .collect();
    let embeds: Vec<Value> = (0..11).map(|_| json!({"title": "t"})).collect();
    vec![
        (message(&long(2001)), "content"),
        (embed(&json!({"title": long(257)})), "embeds.0.title"),
        (
            embed(&json!({"description": long(4097)})),
            "embeds.0.description",
        ),
        (
            embed(&json!({"title": "t", "footer": {"text": long(2049)}})),
            "embeds.0.footer.text",
        ),
        (
            embed(&json!({"title": "t", "author": {"name": long(257)}})),
            "embeds.0.author.name",
        ),
        (embed(&json!({"fields": fields})), "embeds.0.fields"),
        (
            embed(&json!({"fields": [{"name": long(257), "value": "v"}]})),
            "embeds.0.fields.0.name",
        ),
        (
            embed(&json!({"fields": [{"name": "n", "value": long(1025)}]})),
            "embeds.0.fields.0.value",
        ),
        (
            embed(&json!({"fields": [{"name": "n", "value": ""}]})),
            "embeds.0.fields.0.value",
        ),
        (embed(&json!({"color": 1})), "embeds.0.description"),
        (
            json!({"embeds": embeds, "allowed_mentions": quiet()}),
            "embeds",
        ),
        (
            json!({"embeds": [{"description": long(4096)}, {"description": long(1905)}],
                "allowed_mentions": quiet()}),
            "embeds",
        ),
        (
            json!({"content": "x", "nonce": long(26), "allowed_mentions": quiet()}),
            "nonce",
        ),
    ]
}

/// The same of buttons and selects.
fn too_many() -> Vec<(Value, &'static str)> {
    let of_one = |control: Value| rows(&json!([{"type": 1, "components": [control]}]));
    vec![
        (
            rows(&(0..6).map(|row| buttons(row, 1)).collect()),
            "components",
        ),
        (rows(&json!([buttons(0, 6)])), "components.0.components"),
        (
            rows(&json!([{"type": 1, "components": []}])),
            "components.0.components",
        ),
        (rows(&json!([button(0)])), "components.0"),
        (
            rows(&json!([buttons(0, 1), buttons(0, 1)])),
            "components.1.components.0.custom_id",
        ),
        (
            rows(&json!([{"type": 1, "components": [button(0), select(1)["components"][0]]}])),
            "components.0.components",
        ),
        (
            rows(&json!([select(26)])),
            "components.0.components.0.options",
        ),
        (
            rows(&json!([select(0)])),
            "components.0.components.0.options",
        ),
        (
            of_one(json!({"type": 2, "style": 1, "label": long(81), "custom_id": "b"})),
            "components.0.components.0.label",
        ),
        (
            of_one(json!({"type": 2, "style": 1, "custom_id": "b"})),
            "components.0.components.0.label",
        ),
        (
            of_one(json!({"type": 2, "style": 1, "label": "b", "custom_id": long(101)})),
            "components.0.components.0.custom_id",
        ),
        (
            of_one(json!({"type": 2, "style": 1, "label": "b"})),
            "components.0.components.0.custom_id",
        ),
    ]
}

#[tokio::test]
async fn a_message_holds_so_much_and_no_more() {
    let fake = FakeDiscord::start().await;
    let general = fake.channel_by_name("general").expect("general").id;
    let path = format!("/channels/{general}/messages");
    for body in most() {
        let answered = ask(&fake, "POST", &path, body.clone()).await;
        assert_eq!(answered.status, 200, "{answered:?} to {body}");
    }
    fake.assert_clean();
    for (body, field) in too_much().into_iter().chain(too_many()) {
        let before = fake.messages_in(general).len();
        let answered = ask(&fake, "POST", &path, body.clone()).await;
        assert_eq!((answered.status, answered.code()), (400, 50035), "{body}");
        let named = field
            .split('.')
            .fold(&answered.body["errors"], |inner, name| &inner[name]);
        assert!(named["_errors"].is_array(), "{field} in {answered:?}");
        assert_eq!(
            fake.messages_in(general).len(),
            before,
            "it was posted: {body}"
        );
        assert!(!fake.take_violations().is_empty(), "not recorded: {body}");
    }
}

#[tokio::test]
async fn nothing_to_read_is_no_message() {
    let fake = FakeDiscord::start().await;
    let general = fake.channel_by_name("general").expect("general").id;
    let path = format!("/channels/{general}/messages");
    for body in [
        message(""),
        message(" \n"),
        json!({"embeds": [], "allowed_mentions": quiet()}),
    ] {
        let answered = ask(&fake, "POST", &path, body).await;
        assert_eq!((answered.status, answered.code()), (400, 50006));
    }
    let posted = ask(&fake, "POST", &path, message("here")).await;
    let edit = format!("{path}/{}", posted.id());
    let answered = ask(&fake, "PATCH", &edit, message("")).await;
    assert_eq!((answered.status, answered.code()), (400, 50006));
    assert_eq!(fake.messages_in(general)[0].content, "here");
    assert_eq!(fake.take_violations().len(), 4);
}

#[tokio::test]
async fn whatever_may_ring_is_recorded_but_posted() {
    let fake = FakeDiscord::start().await;
    let general = fake.channel_by_name("general").expect("general").id;
    let path = format!("/channels/{general}/messages");
    let bodies = [
        json!({"content": "x"}),
        json!({"embeds": [{"title": "t"}]}),
        json!({"content": "x", "allowed_mentions": {}}),
        json!({"content": "x", "allowed_mentions": {"parse": ["users"]}}),
    ];
    for body in bodies {
        assert_eq!(ask(&fake, "POST", &path, body.clone()).await.status, 200);
        let violations = fake.take_violations();
        assert!(violations[0].contains("allowed_mentions"), "{violations:?}");
        let posted = ask(&fake, "POST", &path, message("first")).await;
        assert_eq!(
            ask(&fake, "PATCH", &format!("{path}/{}", posted.id()), body)
                .await
                .status,
            200
        );
        assert_eq!(fake.take_violations().len(), 1);
    }
}

#[tokio::test]
async fn a_form_asks_so_much_and_no_more() {
    let input = |number: usize, label: &str| {
        json!({"type": 1, "components": [
            {"type": 4, "style": 1, "label": label, "custom_id": format!("i{number}")}]})
    };
    let form = |title: &str, id: &str, inputs: Vec<Value>| json!({"title": title, "custom_id": id, "components": inputs});
    let inputs = |count: usize| {
        (0..count)
            .map(|number| input(number, "l"))
            .collect::<Vec<_>>()
    };
    let bad = [
        form(&long(46), "m", inputs(1)),
        form("", "m", inputs(1)),
        form("t", &long(101), inputs(1)),
        form("t", "m", inputs(6)),
        form("t", "m", inputs(0)),
        form("t", "m", vec![input(0, &long(46))]),
        form("t", "m", vec![input(0, "l"), input(0, "l")]),
        form("t", "m", vec![buttons(0, 1)]),
    ];
    let mut scene = Scene::new().await;
    let alice = scene.fake.person(scene.alice);
    let asked = alice.command("ticket take", json!({"ticket": "SB-1"}));
    let bot = async {
        let event = scene.socket.event("INTERACTION_CREATE").await;
        let path = callback_path(&event);
        for form in bad {
            let body = json!({"type": 9, "data": form});
            let answered = ask(&scene.fake, "POST", &path, body).await;
            assert_eq!((answered.status, answered.code()), (400, 50035), "{form}");
            assert!(!scene.fake.take_violations().is_empty());
        }
        let good = json!({"type": 9, "data": form(&long(45), &long(100), inputs(5))});
        assert_eq!(ask(&scene.fake, "POST", &path, good).await.status, 204);
    };
    let (answer, ()) = tokio::join!(asked, bot);
    let modal = answer.expect("a command").modal().expect("a form");
    assert_eq!(modal.inputs.len(), 5);
    scene.fake.assert_clean();
}
