//! How an interaction may be answered, and when.

use std::time::Duration;

use serde_json::{Value, json};
use tierdesk_tests::discord::AnswerKind;

use super::wire::{Scene, answer_next, ask, callback_path, message, quiet};

const EPHEMERAL: u64 = 64;

fn with_button() -> Value {
    json!({"content": "SB-1", "allowed_mentions": quiet(), "components": [
        {"type": 1, "components": [
            {"type": 2, "style": 1, "label": "Close", "custom_id": "close:1"},
            {"type": 2, "style": 1, "label": "Never", "custom_id": "never", "disabled": true},
            {"type": 2, "style": 5, "label": "Away", "url": "https://example.org"}]},
        {"type": 1, "components": [
            {"type": 3, "custom_id": "severity", "placeholder": "How bad", "options": [
                {"label": "one", "value": "sev1"}, {"label": "two", "value": "sev2"}]}]},
    ]})
}

#[tokio::test]
async fn a_command_is_deferred_edited_and_followed() {
    let mut scene = Scene::new().await;
    let (event, answer) = scene.taken(5, json!({"flags": EPHEMERAL})).await;
    assert_eq!(answer.kind, AnswerKind::Deferred);
    assert!(answer.is_ephemeral());
    assert!(answer.message().expect("a place").is_loading());
    assert_eq!(event["data"]["options"][0]["options"][0]["value"], "SB-1");
    let original = scene.webhook(&event, "/messages/@original");
    assert_eq!(
        scene.ask("PATCH", &original, message("done")).await.status,
        200
    );
    let more = scene.webhook(&event, "");
    let mut private = message("more");
    private["flags"] = EPHEMERAL.into();
    assert_eq!(scene.ask("POST", &more, private).await.status, 200);
    let settled = answer.settled().await;
    assert!(settled.is_ephemeral() && !settled.is_loading());
    assert_eq!(answer.text(), "done\nmore");
    assert_eq!(answer.followups()[0].only_for, Some(scene.alice));
    assert!(
        scene.fake.messages_in(scene.general()).is_empty(),
        "others see it"
    );
    assert_eq!(
        scene.ask("GET", &original, Value::Null).await.body["content"],
        "done"
    );
    assert_eq!(
        scene.ask("DELETE", &original, Value::Null).await.status,
        204
    );
    assert_eq!(scene.ask("GET", &original, Value::Null).await.code(), 10008);
    assert_eq!(scene.fake.take_violations().len(), 1);
}

#[tokio::test]
async fn the_first_further_message_takes_the_place_of_a_deferred_one() {
    let mut scene = Scene::new().await;
    let (event, answer) = scene.taken(5, Value::Null).await;
    let mut late = message("for all after all");
    late["flags"] = EPHEMERAL.into();
    scene.ask("POST", &scene.webhook(&event, ""), late).await;
    assert_eq!(answer.settled().await.content, "for all after all");
    assert!(answer.followups().is_empty());
    let violations = scene.fake.take_violations();
    assert!(violations[0].contains("ephemeral"), "{violations:?}");
    assert_eq!(scene.fake.messages_in(scene.general()).len(), 1);
}

#[tokio::test]
async fn one_answer_and_no_second() {
    let mut scene = Scene::new().await;
    let (event, _) = scene.taken(4, message("first")).await;
    for (kind, data) in [
        (4, message("second")),
        (5, Value::Null),
        (9, json!({"title": "t"})),
    ] {
        let answered = scene.callback(&event, kind, data).await;
        assert_eq!((answered.status, answered.code()), (400, 40060));
    }
    assert_eq!(scene.fake.messages_in(scene.general())[0].content, "first");
    let violations = scene.fake.take_violations();
    let second = violations.iter().filter(|one| one.contains("40060"));
    assert_eq!(second.count(), 3, "{violations:?}");
}

#[tokio::test]
async fn three_seconds_and_no_longer() {
    let mut scene = Scene::new().await;
    let alice = scene.fake.person(scene.alice);
    let asked = alice.command("ticket take", json!({"ticket": "SB-1"}));
    let bot = async {
        let event = scene.socket.event("INTERACTION_CREATE").await;
        scene.fake.advance(Duration::from_millis(3001));
        event
    };
    let (answer, event) = tokio::join!(asked, bot);
    assert_eq!(answer.expect("a command").kind, AnswerKind::Nothing);
    let answered = scene.callback(&event, 4, message("late")).await;
    assert_eq!((answered.status, answered.code()), (404, 10062));
    let mut stranger = event.clone();
    stranger["token"] = "of-another".into();
    assert_eq!(
        scene.callback(&stranger, 5, Value::Null).await.code(),
        10062
    );
    assert_eq!(scene.fake.take_violations().len(), 2);
}

#[tokio::test]
async fn a_quarter_of_an_hour_for_the_rest() {
    let mut scene = Scene::new().await;
    let (event, _) = scene.taken(5, Value::Null).await;
    let original = scene.webhook(&event, "/messages/@original");
    scene.fake.advance(Duration::from_mins(14));
    assert_eq!(
        scene
            .ask("PATCH", &original, message("in time"))
            .await
            .status,
        200
    );
    scene.fake.assert_clean();
    scene.fake.advance(Duration::from_mins(1));
    for (method, path) in [("PATCH", original), ("POST", scene.webhook(&event, ""))] {
        let answered = scene.ask(method, &path, message("late")).await;
        assert_eq!((answered.status, answered.code()), (401, 50027));
    }
    assert_eq!(scene.fake.take_violations().len(), 2);
}

#[tokio::test]
async fn nothing_is_edited_before_it_is_there() {
    let mut scene = Scene::new().await;
    let alice = scene.fake.person(scene.alice);
    let asked = alice.command("ticket take", json!({"ticket": "SB-1"}));
    let application = scene.fake.application_id();
    let bot = async {
        let event = scene.socket.event("INTERACTION_CREATE").await;
        let token = event["token"].as_str().expect("a token");
        for (method, rest) in [("PATCH", "/messages/@original"), ("POST", "")] {
            let path = format!("/webhooks/{application}/{token}{rest}");
            let answered = ask(&scene.fake, method, &path, message("early")).await;
            assert_eq!((answered.status, answered.code()), (404, 10015));
        }
        let path = callback_path(&event);
        let body = json!({"type": 4, "data": message("")});
        assert_eq!(ask(&scene.fake, "POST", &path, body).await.code(), 50006);
        scene.fake.advance(Duration::from_secs(4));
    };
    let (answer, ()) = tokio::join!(asked, bot);
    assert_eq!(answer.expect("a command").kind, AnswerKind::Nothing);
    assert_eq!(scene.fake.take_violations().len(), 3);
}

#[tokio::test]
async fn each_kind_has_its_answers() {
    let mut scene = Scene::new().await;
    let alice = scene.fake.person(scene.alice);
    // A command has no message to update, and is no word to complete.
    let asked = alice.command("ticket take", json!({"ticket": "SB-1"}));
    let bot = async {
        let event = scene.socket.event("INTERACTION_CREATE").await;
        let path = callback_path(&event);
        for kind in [6, 7, 8, 1, 99] {
            let body = json!({"type": kind, "data": message("x")});
            let answered = ask(&scene.fake, "POST", &path, body).await;
            assert_eq!((answered.status, answered.code()), (400, 50035), "{kind}");
        }
        ask(
            &scene.fake,
            "POST",
            &path,
            json!({"type": 4, "data": with_button()}),
        )
        .await
    };
    let (answer, _) = tokio::join!(asked, bot);
    let posted = answer.expect("a command").settled().await;
    scene.fake.take_violations();

    let asked = alice.complete("ticket take", "ticket", "SB", Value::Null);
    let choices: Vec<Value> = (0..26)
        .map(|at| json!({"name": "n", "value": at.to_string()}))
        .collect();
    let bot = async {
        let event = scene.socket.event("INTERACTION_CREATE").await;
        let path = callback_path(&event);
        for body in [
            json!({"type": 4, "data": message("x")}),
            json!({"type": 5}),
            json!({"type": 8, "data": {"choices": choices}}),
            json!({"type": 8, "data": {"choices": [{"name": "", "value": "v"}]}}),
        ] {
            assert_eq!(ask(&scene.fake, "POST", &path, body).await.code(), 50035);
        }
        let body = json!({"type": 8, "data": {"choices": choices[..25]}});
        assert_eq!(ask(&scene.fake, "POST", &path, body).await.status, 204);
    };
    let (answer, ()) = tokio::join!(asked, bot);
    assert_eq!(answer.expect("a command").choices().len(), 25);
    assert_eq!(scene.fake.take_violations().len(), 4 + schema_faults());

    let asked = alice.press(posted.id, "Close");
    let (answer, (event, answered)) = tokio::join!(
        asked,
        answer_next(&scene.fake, &mut scene.socket, 7, message("closed"))
    );
    assert_eq!(answered.status, 204);
    assert_eq!(event["message"]["id"], posted.id.to_string());
    assert_eq!(event["data"]["custom_id"], "close:1");
    let answer = answer.expect("a button");
    assert_eq!(answer.kind, AnswerKind::Updated);
    assert_eq!(answer.message().map(|message| message.id), Some(posted.id));
    assert_eq!(
        scene.fake.message(posted.id).expect("still there").content,
        "closed"
    );
    scene.fake.assert_clean();
}

/// How many of the bad completions above the schema names as well.
fn schema_faults() -> usize {
    if tierdesk_tests::discord::is_validating() {
        2
    } else {
        0
    }
}

#[tokio::test]
async fn people_do_what_they_are_shown() {
    let mut scene = Scene::new().await;
    let (_, answer) = scene.taken(4, with_button()).await;
    let posted = answer.settled().await;
    let bob = scene.fake.add_member("bob", &[]);
    let alice = scene.fake.person(scene.alice);
    for button in ["close:2", "Never", "Away", "severity"] {
        alice.press(posted.id, button).await.expect_err(button);
    }
    alice
        .press(posted.id + 1, "Close")
        .await
        .expect_err("no such message");
    for values in [&["sev3"][..], &[][..], &["sev1", "sev2"][..]] {
        alice
            .select(posted.id, "How bad", values)
            .await
            .expect_err("not offered");
    }
    alice
        .submit("why", json!({}))
        .await
        .expect_err("no form is open");

    let asked = alice.select(posted.id, "How bad", &["sev2"]);
    let (answer, (event, _)) = tokio::join!(
        asked,
        answer_next(&scene.fake, &mut scene.socket, 6, Value::Null)
    );
    assert_eq!(event["data"]["values"], json!(["sev2"]));
    let answer = answer.expect("it is offered");
    assert_eq!(answer.kind, AnswerKind::DeferredUpdate);
    let path = scene.webhook(&event, "/messages/@original");
    scene.ask("PATCH", &path, with_button()).await;
    assert_eq!(answer.settled().await.id, posted.id);

    let mut private = message("for one");
    private["flags"] = EPHEMERAL.into();
    private["components"] = with_button()["components"].clone();
    let (_, answer) = scene.taken(4, private).await;
    let id = answer.settled().await.id;
    let bob = scene.fake.person(bob);
    bob.press(id, "Close")
        .await
        .expect_err("it is not shown to bob");
    scene.fake.hide_from_everyone(scene.general());
    alice
        .press(posted.id, "Close")
        .await
        .expect_err("alice sees the channel no longer");
    scene.fake.assert_clean();
}

#[tokio::test]
async fn a_form_is_shown_filled_in_and_sent_once() {
    let form = json!({"title": "Why", "custom_id": "why:1", "components": [
        {"type": 1, "components": [
            {"type": 4, "style": 1, "label": "Reason", "custom_id": "reason", "max_length": 5}]},
        {"type": 18, "label": "Note", "component":
            {"type": 4, "style": 2, "custom_id": "note", "required": false, "value": "as it was"}},
    ]});
    let mut scene = Scene::new().await;
    let (_, answer) = scene.taken(4, with_button()).await;
    let posted = answer.settled().await.id;
    let alice = scene.fake.person(scene.alice);
    let asked = alice.press(posted, "Close");
    let (answer, _) = tokio::join!(asked, answer_next(&scene.fake, &mut scene.socket, 9, form));
    let modal = answer.expect("a button").modal().expect("a form");
    assert_eq!((modal.title.as_str(), modal.inputs.len()), ("Why", 2));
    for fields in [
        json!({}),
        json!({"reason": "longer"}),
        json!({"reason": "x", "other": "x"}),
    ] {
        alice
            .submit("why:1", fields)
            .await
            .expect_err("not as it asks");
    }
    let owner = scene.fake.person(scene.fake.owner_id());
    owner
        .submit("why:1", json!({"reason": "x"}))
        .await
        .expect_err("not open to the owner");

    let asked = alice.submit("why:1", json!({"reason": "fixed"}));
    let (answer, (event, _)) = tokio::join!(
        asked,
        answer_next(&scene.fake, &mut scene.socket, 7, message("closed"))
    );
    assert_eq!(
        answer.expect("an open form").settled().await.content,
        "closed"
    );
    let parts = &event["data"]["components"];
    assert_eq!(parts[0]["components"][0]["value"], "fixed");
    assert_eq!(parts[1]["component"]["value"], "as it was");
    assert_eq!(event["message"]["id"], posted.to_string());
    alice
        .submit("why:1", json!({"reason": "x"}))
        .await
        .expect_err("it was sent");

    // A form answers no form.
    let asked = alice.press(posted, "Close");
    let again = scene.fake.message(posted).expect("still there");
    assert_eq!(
        again.labels().len(),
        4,
        "the buttons stay where an update leaves them out"
    );
    let form = json!({"title": "Why", "custom_id": "why:2", "components": [
        {"type": 1, "components": [
            {"type": 4, "style": 1, "label": "Reason", "custom_id": "reason"}]}]});
    let (_, _) = tokio::join!(
        asked,
        answer_next(&scene.fake, &mut scene.socket, 9, form.clone())
    );
    let asked = alice.submit("why:2", json!({"reason": "x"}));
    let bot = async {
        let event = scene.socket.event("INTERACTION_CREATE").await;
        let path = callback_path(&event);
        let answered = ask(&scene.fake, "POST", &path, json!({"type": 9, "data": form})).await;
        assert_eq!(answered.code(), 50035);
        ask(&scene.fake, "POST", &path, json!({"type": 6}))
            .await
            .status
    };
    let (_, status) = tokio::join!(asked, bot);
    assert_eq!(status, 204);
    assert_eq!(scene.fake.take_violations().len(), 1);
}
