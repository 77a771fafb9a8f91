//! What may be registered, and what a person can make of it.

use serde_json::{Value, json};

use super::wire::{Scene, ask, callback_path, definition, message};

fn command(name: &str, options: &Value) -> Value {
    json!({"name": name, "description": "d", "options": options})
}

fn option(name: &str) -> Value {
    json!({"type": 3, "name": name, "description": "d"})
}

fn with(mut option: Value, key: &str, value: Value) -> Value {
    option[key] = value;
    option
}

fn nested(kind: u64, name: &str, options: &Value) -> Value {
    json!({"type": kind, "name": name, "description": "d", "options": options})
}

fn names(count: usize) -> Value {
    (0..count)
        .map(|number| option(&format!("o{number}")))
        .collect()
}

fn choices(count: usize) -> Value {
    (0..count)
        .map(|at| json!({"name": at.to_string(), "value": at.to_string()}))
        .collect()
}

fn bad() -> Vec<Value> {
    let wordy = |at: usize| {
        let option = with(
            option(&format!("o{at}")),
            "description",
            "x".repeat(100).into(),
        );
        let long: Vec<Value> = (0..5)
            .map(|at| json!({"name": format!("{at}{}", "x".repeat(80)), "value": "x".repeat(80)}))
            .collect();
        with(option, "choices", long.into())
    };
    vec![
        json!([command("Ticket", &json!([]))]),
        json!([command("two words", &json!([]))]),
        json!([command("", &json!([]))]),
        json!([command(&"x".repeat(33), &json!([]))]),
        json!([{"name": "ticket", "description": ""}]),
        json!([{"name": "ticket"}]),
        json!([{"name": "ticket", "description": "x".repeat(101)}]),
        json!([command("ticket", &json!([])), command("ticket", &json!([]))]),
        json!([command("ticket", &json!([option("Upper")]))]),
        json!([command(
            "ticket",
            &json!([with(option("a"), "description", "".into())])
        )]),
        json!([command(
            "ticket",
            &json!([option("a"), with(option("b"), "required", true.into())])
        )]),
        json!([command("ticket", &json!([option("a"), option("a")]))]),
        json!([command(
            "ticket",
            &json!([option("a"), nested(1, "b", &json!([]))])
        )]),
        json!([command(
            "ticket",
            &json!([nested(2, "a", &json!([nested(2, "b", &json!([]))]))])
        )]),
        json!([command(
            "ticket",
            &json!([nested(1, "a", &json!([nested(1, "b", &json!([]))]))])
        )]),
        json!([command("ticket", &names(26))]),
        json!([command(
            "ticket",
            &json!([with(option("a"), "choices", choices(26))])
        )]),
        json!([command(
            "ticket",
            &json!([with(
                with(option("a"), "choices", choices(1)),
                "autocomplete",
                true.into()
            )])
        )]),
        json!([command(
            "ticket",
            &json!([with(
                option("a"),
                "choices",
                json!([{"name": "", "value": "v"}])
            )])
        )]),
        json!([command(
            "ticket",
            &json!([with(option("a"), "type", 99.into())])
        )]),
        json!([command("ticket", &(0..10).map(wordy).collect())]),
    ]
}

#[tokio::test]
async fn a_definition_that_discord_refuses_changes_nothing() {
    let scene = Scene::new().await;
    let path = scene.commands_path();
    for body in bad() {
        let answered = scene.ask("PUT", &path, body.clone()).await;
        assert_eq!((answered.status, answered.code()), (400, 50035), "{body}");
        assert!(!scene.fake.take_violations().is_empty(), "{body}");
    }
    let many: Vec<Value> = (0..101)
        .map(|at| command(&format!("c{at}"), &json!([])))
        .collect();
    assert_eq!(
        scene.ask("PUT", &path, many.clone().into()).await.code(),
        30032
    );
    scene.fake.take_violations();
    assert_eq!(scene.fake.commands().len(), 1);
    assert_eq!(scene.fake.commands()[0]["name"], "ticket");

    assert_eq!(
        scene.ask("PUT", &path, many[..100].into()).await.status,
        200
    );
    let most = json!([
        command("most", &names(25)),
        command(
            "and",
            &json!([nested(
                2,
                "group",
                &json!([nested(
                    1,
                    "sub",
                    &json!([
                        with(option("a"), "required", true.into()),
                        with(option("b"), "choices", choices(25))
                    ])
                )])
            )])
        )
    ]);
    assert_eq!(scene.ask("PUT", &path, most).await.status, 200);
    assert_eq!(
        scene.fake.commands().len(),
        2,
        "a set takes the place of the one before"
    );
    scene.fake.assert_clean();
}

#[tokio::test]
async fn a_command_keeps_its_id_and_gets_another_version() {
    let scene = Scene::new().await;
    let path = scene.commands_path();
    let first = scene.fake.commands()[0].clone();
    let mut changed = definition();
    changed["default_member_permissions"] = "8192".into();
    assert_eq!(scene.ask("POST", &path, changed).await.status, 200);
    let other = command("other", &json!([]));
    assert_eq!(scene.ask("POST", &path, other).await.status, 201);
    let listed = scene.ask("GET", &path, Value::Null).await.body;
    assert_eq!(listed, Value::from(scene.fake.commands()));
    let second = scene.fake.commands()[0].clone();
    assert_eq!(first["id"], second["id"]);
    assert_ne!(first["version"], second["version"]);
    assert_eq!(second["default_member_permissions"], "8192");
    let elsewhere = path.replace(&scene.fake.guild_id().to_string(), "1");
    assert_eq!(
        scene.ask("GET", &elsewhere, Value::Null).await.code(),
        50001
    );
    assert_eq!(scene.fake.take_violations().len(), 1);
}

#[tokio::test]
async fn people_type_only_what_is_registered() {
    let scene = Scene::new().await;
    let alice = scene.fake.person(scene.alice);
    let ticket = |key: &str, value: Value| json!({"ticket": "SB-1", key: value});
    let refused = [
        ("nothing", json!({}), "no command"),
        ("ticket", json!({}), "subcommand is missing"),
        ("ticket list", json!({}), "subcommand is missing"),
        ("ticket drop", json!({}), "there is no drop"),
        ("ticket take", json!({}), "required"),
        ("ticket take", json!({"ticket": 5}), "does not take"),
        ("ticket take", ticket("colour", "red".into()), "no option"),
        (
            "ticket take",
            ticket("severity", "sev9".into()),
            "does not offer",
        ),
        (
            "ticket take",
            ticket("hours", "two".into()),
            "does not take",
        ),
        ("ticket take", ticket("hours", 9.into()), "does not go"),
        (
            "ticket take",
            ticket("person", "1".into()),
            "no 1 to choose",
        ),
    ];
    for (path, options, why) in refused {
        let refusal = alice.command(path, options).await.expect_err(path);
        assert!(refusal.contains(why), "{refusal}");
    }
    for (option, why) in [("severity", "not completed"), ("colour", "no option")] {
        let refusal = alice
            .autocomplete("ticket take", option, "s", Value::Null)
            .await;
        assert!(refusal.expect_err(option).contains(why));
    }
    let stranger = scene.fake.person(1);
    stranger
        .command("ticket list mine", json!({}))
        .await
        .expect_err("no member");
    let before = scene.fake.requests().len();
    assert_eq!(before, 2, "the gateway and the commands were asked for");
    scene.fake.assert_clean();
}

#[tokio::test]
async fn an_event_tells_all_that_was_typed() {
    let mut scene = Scene::new().await;
    let alice = scene.fake.person(scene.alice);
    let options = json!({
        "ticket": "SB-1", "severity": "sev2", "hours": 8, "person": scene.alice.to_string(),
    });
    let asked = alice.command("ticket take", options);
    let bot = async {
        let event = scene.socket.event("INTERACTION_CREATE").await;
        let body = json!({"type": 4, "data": message("taken")});
        ask(&scene.fake, "POST", &callback_path(&event), body).await;
        event
    };
    let (answer, event) = tokio::join!(asked, bot);
    assert_eq!(answer.expect("a command").text(), "taken");
    let data = &event["data"];
    assert_eq!(
        (&data["name"], &data["options"][0]["name"]),
        (&json!("ticket"), &json!("take"))
    );
    assert_eq!(
        data["options"][0]["options"].as_array().map(Vec::len),
        Some(4)
    );
    let alice = scene.alice.to_string();
    assert_eq!(data["resolved"]["users"][&alice]["username"], "alice");
    assert_eq!(event["member"]["user"]["id"], alice);
    assert_eq!(event["guild_id"], scene.fake.guild_id().to_string());
    scene.fake.assert_clean();
}
