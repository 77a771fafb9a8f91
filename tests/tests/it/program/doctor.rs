//! `doctor`: what is wrong is found, and what to do is said.

use tierdesk_tests::{Backend, WebhookSink, fake_smtp::FakeSmtp, on_both};

use super::with_customers;

on_both! {
    whose_word_to_take_is_proposed_from_recent_mail,
    what_does_not_work_fails_and_says_what_to_do,
    each_relay_is_tried_and_says_in_its_own_words_what_is_wrong,
    webhooks_are_looked_at_and_nothing_is_sent,
}

fn state_of(checks: &serde_json::Value, name: &str) -> (String, String) {
    let mut all = checks.as_array().expect("a list").iter();
    let check = all
        .find(|one| one["name"] == name)
        .expect("it is looked at");
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    (
        text("state"),
        format!("{} {}", text("detail"), text("hint")),
    )
}

async fn whose_word_to_take_is_proposed_from_recent_mail(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let before = program.run(&["doctor", "--json"]).json();
    assert_eq!(state_of(&before, "senders").0, "off", "{before}");
    for (number, server) in ["mx.ours.example", "mx.evil.example", "mx.ours.example"]
        .iter()
        .enumerate()
    {
        let mail = format!(
            "Authentication-Results: {server}; dmarc=pass header.from=acmefinance.com\r\n\
             From: john@acmefinance.com\r\nMessage-ID: <{number}@x>\r\n\r\nText {number}\r\n"
        );
        program
            .run_with(&["mail", "deliver"], mail.as_bytes())
            .done();
    }
    let proposed = program.run(&["doctor", "--json"]);
    assert_eq!(proposed.code, Some(1), "no sender is proven: {proposed:?}");
    let (state, words) = state_of(&proposed.json(), "senders");
    assert_eq!(state, "failed");
    assert!(
        words.contains("mail.authserv_id = \"mx.ours.example\""),
        "{words}"
    );
    let set = program.with("TIERDESK_MAIL__AUTHSERV_ID", "MX.ours.example");
    let after = set.run(&["doctor", "--json"]).json();
    assert_eq!(state_of(&after, "senders").0, "ok", "{after}");
}

async fn what_does_not_work_fails_and_says_what_to_do(backend: Backend) {
    let (program, folder) = with_customers(backend).await;
    let program = program
        .with("TIERDESK_DISCORD__TOKEN", "a-token")
        .with("TIERDESK_DISCORD__GUILD_ID", "100000000000000001")
        .with("TIERDESK_DISCORD__API_BASE", "http://127.0.0.1:9")
        .with("TIERDESK_AWS__CLOUD", "aws")
        .with("TIERDESK_MAIL__MAILDIR__0__PATH", "/no/such/maildir")
        .with("TIERDESK_MAIL__LISTENER__0__PROTOCOL", "lmtp")
        .with("TIERDESK_MAIL__LISTENER__0__ADDRESS", "127.0.0.1:9");
    let ended = program.run(&["doctor", "--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let checks = ended.json();
    for name in ["Discord", "AWS", "Maildir", "listener"] {
        let (state, words) = state_of(&checks, name);
        assert_eq!(state, "failed", "{name}: {words}");
        assert!(
            words.trim().contains(' '),
            "{name} says what to do: {words}"
        );
    }
    assert_eq!(state_of(&checks, "database").0, "ok", "positive control");
    drop(folder);
    let gone = program.with(
        "TIERDESK_DATABASE_URL",
        "postgres://nobody@127.0.0.1:9/none",
    );
    let ended = gone.run(&["doctor", "--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(state_of(&ended.json(), "database").0, "failed");
}

async fn each_relay_is_tried_and_says_in_its_own_words_what_is_wrong(backend: Backend) {
    let (program, folder) = with_customers(backend).await;
    let (good, refusing) = (FakeSmtp::start().await, FakeSmtp::start().await);
    let gone = tierdesk_tests::address_of_its_own();
    refusing.state().mechanisms = vec!["PLAIN".to_owned()];
    let text = format!(
        "[mail]\naddress = \"support@securebase.example\"\nsmtp_url = \"smtp://{}\"\n\
         [[mail.relay]]\nurl = \"smtp://{}\"\nsender_domains = [\"bad.example\"]\n\
         username = \"desk\"\npassword = \"wrong\"\n\
         [[mail.relay]]\nurl = \"smtp://{gone}\"\nsender_domains = [\"gone.example\"]\n",
        good.address(),
        refusing.address(),
    );
    let files = tempfile::tempdir().expect("a temporary folder");
    let file = files.path().join("desk.toml");
    std::fs::write(&file, &text).expect("it is written");
    let program = program.with("TIERDESK_CONFIG", file.display().to_string());
    let ended = program.run(&["doctor", "--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let checks = ended.json();
    for (name, state, says) in [
        ("mail out", "ok", "takes mail"),
        (
            "mail out of bad.example",
            "failed",
            "535 5.7.8 Authentication failed",
        ),
        ("mail out of gone.example", "failed", "refused"),
    ] {
        let (found, words) = state_of(&checks, name);
        assert_eq!(found, state, "{name}: {words}");
        assert!(words.contains(says), "{name}: {words}");
        assert!(!words.contains("wrong"), "no password is shown: {words}");
        println!("{backend:?} {name}: {state}: {words}");
    }
    assert_eq!(good.state().mails, [], "nothing was sent");

    let unknown = format!("{text}[mail.senders]\nplatinum = \"p@bad.example\"\n");
    std::fs::write(&file, unknown).expect("it is written");
    let ended = program.run(&["doctor"]);
    let words = format!("{}{}", ended.out, ended.err);
    assert_eq!(ended.code, Some(1), "{words}");
    assert!(
        words.contains("mail.senders names the tier platinum"),
        "{words}"
    );
    drop(folder);
}

async fn webhooks_are_looked_at_and_nothing_is_sent(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let none = program.run(&["doctor", "--json"]).json();
    assert_eq!(state_of(&none, "webhooks").0, "off", "{none}");

    let sink = WebhookSink::start().await;
    let files = tempfile::tempdir().expect("a temporary folder");
    let template = files.path().join("own.json");
    std::fs::write(&template, "{\"text\": {{ heading }}}").expect("it is written");
    let program = program
        .with("TIERDESK_WEBHOOK__0__NAME", "night-shift")
        .with("TIERDESK_WEBHOOK__0__URL", sink.url("s3cr3t/hunter2"))
        .with("TIERDESK_WEBHOOK__0__ALLOW_PRIVATE", "true")
        .with(
            "TIERDESK_WEBHOOK__0__TEMPLATE",
            template.display().to_string(),
        );
    let ended = program.run(&["doctor", "--json"]);
    let (state, words) = state_of(&ended.json(), "webhook night-shift");
    assert_eq!(state, "ok", "{words}");
    assert!(words.contains("json to 127.0.0.1"), "{words}");
    assert!(!ended.out.contains("s3cr3t"), "{ended:?}");

    std::fs::write(&template, "{\n\"text\": {{ headline }}}").expect("it is written");
    let ended = program.run(&["doctor", "--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let (state, words) = state_of(&ended.json(), "webhooks");
    assert_eq!(state, "failed");
    assert!(words.contains("own.json, line 2"), "{words}");
    let refused = program.run(&["serve"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("own.json, line 2"), "{refused:?}");

    // What is in the configuration may still be an address that nobody allowed.
    let inside = program
        .with("TIERDESK_WEBHOOK__0__URL", "https://169.254.169.254/s3cr3t")
        .with("TIERDESK_WEBHOOK__0__ALLOW_PRIVATE", "false");
    let refused = inside.run(&["serve"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("is no public address"), "{refused:?}");
    assert!(!refused.err.contains("s3cr3t"), "{refused:?}");
    assert_eq!(sink.connections(), 0, "nothing was sent");
}
