//! Tokens in the place of passwords.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    sync::Arc,
    time::Duration,
};

use tierdesk_core::{
    desk::mailboxes::{find_grant, keep_grant, status},
    mail::Provider,
    settings::Settings,
};
use tierdesk_ingest::{
    imap::{ImapError, Reader},
    oauth::{TokenError, Tokens},
};
use tierdesk_tests::{
    Backend, Program, TestDesk, fake_imap::FakeImap, oauth_server::OAuthServer, on_both, owner,
};

use super::letter;

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const LOGIN: &str = "support@securebase.example";

on_both! {
    a_grant_is_got_kept_sealed_and_used,
    a_token_is_renewed_before_it_ends_and_kept_when_it_changes,
    a_grant_that_is_over_says_so_and_what_to_do,
    a_token_got_elsewhere_is_tried_before_it_is_kept,
    without_a_key_nothing_is_asked_for,
}

fn configuration(server: &str, oauth: &str) -> String {
    format!(
        "[[mail.imap]]\nurl = {server:?}\nusername = {LOGIN:?}\nauth = \"xoauth2\"\n\
         oauth = \"google\"\nafter = \"leave\"\n\
         [oauth.google]\nclient_id = \"desk\"\nclient_secret = \"hush\"\n\
         device_url = \"{oauth}/device\"\ntoken_url = \"{oauth}/token\"\n"
    )
}

/// A desk with a grant, and a reader that uses it.
async fn granted(backend: Backend) -> (TestDesk, FakeImap, OAuthServer, Reader) {
    let test = TestDesk::with_key(backend, Some(KEY)).await;
    let (imap, oauth) = (FakeImap::start().await, OAuthServer::start().await);
    keep_grant(
        &test.desk,
        &owner(),
        Provider::Google,
        LOGIN,
        "refresh-0",
        "all",
    )
    .await
    .expect("it is kept");
    test.pass(Duration::from_secs(1));
    let reader = reader(&test, &imap, &oauth);
    (test, imap, oauth, reader)
}

fn reader(test: &TestDesk, imap: &FakeImap, oauth: &OAuthServer) -> Reader {
    let text = configuration(&imap.url(), &oauth.url);
    let settings = Settings::parse(Some(("test.toml", &text)), std::iter::empty())
        .unwrap_or_else(|fault| panic!("{fault}"));
    let tokens = Tokens::new(settings.oauth.clone()).expect("it is set up");
    let desk = Arc::new(test.desk.clone());
    Reader::new(desk, &settings.mail.imap[0], Arc::new(tokens), "t")
        .expect("the configuration is good")
        .with_patience(Duration::from_secs(2))
}

async fn a_grant_is_got_kept_sealed_and_used(backend: Backend) {
    let test = TestDesk::with_key(backend, Some(KEY)).await;
    let (imap, oauth) = (FakeImap::start().await, OAuthServer::start().await);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, key) = (folder.path().join("desk.toml"), folder.path().join("key"));
    std::fs::write(&key, KEY).expect("it is written");
    let text = format!(
        "{}[store]\nkey_file = {:?}\n",
        configuration(&imap.url(), &oauth.url),
        key.display().to_string()
    );
    std::fs::write(&file, text).expect("it is written");
    let program = Program::new(&test.url);
    let file = file.display().to_string();
    let arguments = ["--config", &file, "mail", "connect", "google", "--json"];
    let ended = tokio::task::spawn_blocking({
        let (program, arguments) = (program.clone(), arguments.map(str::to_owned));
        move || program.run(&arguments.each_ref().map(String::as_str))
    });
    let ended = ended.await.expect("it ends");
    let report = ended.done().json();
    assert_eq!(report["account"], LOGIN, "{ended:?}");
    for says in ["7 days", "https://login.example/device", "ABCD-EFGH"] {
        assert!(ended.err.contains(says), "{says}: {}", ended.err);
    }
    for secret in ["refresh-0", "access-1", "device-secret", "hush"] {
        let shown = format!("{}{}", ended.out, ended.err);
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    let forms = oauth.state().forms.clone();
    assert_eq!(
        forms[0]["scope"], "https://mail.google.com/",
        "reading and sending"
    );
    assert_eq!(forms.len(), 4, "a code, two looks in vain, and the grant");
    let kept = find_grant(&test.desk, Provider::Google, LOGIN).await;
    assert_eq!(kept.expect("it opens").as_deref(), Some(&b"refresh-0"[..]));
    let audit = program.run(&["--config", &file, "audit", "verify", "--json"]);
    assert_eq!(audit.done().json()["ok"], true);

    "access-2".clone_into(&mut imap.state().token);
    imap.add(letter("before").bytes());
    let mut reader = reader(&test, &imap, &oauth);
    reader.look().await.expect("it logs in with a token");
    assert_eq!(imap.count("AUTHENTICATE XOAUTH2"), 1);
}

async fn a_token_is_renewed_before_it_ends_and_kept_when_it_changes(backend: Backend) {
    let (test, imap, oauth, mut reader) = granted(backend).await;
    oauth.state().rotates = true;
    "access-1".clone_into(&mut imap.state().token);
    reader.look().await.expect("it is read");
    reader.look().await.expect("it is read");
    assert_eq!(oauth.state().given, 1, "one token is good for both");
    let kept = find_grant(&test.desk, Provider::Google, LOGIN).await;
    assert_eq!(kept.expect("it opens").as_deref(), Some(&b"refresh-1"[..]));
    // The server takes it no more: the second challenge is answered with an empty line, and the
    // next try comes with another token.
    "access-2".clone_into(&mut imap.state().token);
    let error = reader.look().await.expect_err("it is refused");
    assert!(matches!(error, ImapError::Login(_)), "{error}");
    assert_eq!(imap.count("(answered Some(\"\"))"), 1);
    test.pass(Duration::from_secs(1));
    reader.look().await.expect("it is read");
    assert_eq!(oauth.state().given, 2);
    // One that lasts four seconds is renewed after two.
    oauth.state().lasts = 4;
    "access-3".clone_into(&mut imap.state().token);
    reader.look().await.expect_err("it is refused");
    reader.look().await.expect("it is read");
    "access-4".clone_into(&mut imap.state().token);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    test.pass(Duration::from_secs(1));
    reader
        .look()
        .await
        .expect("it is renewed before the server says no");
}

async fn a_grant_that_is_over_says_so_and_what_to_do(backend: Backend) {
    let (test, imap, oauth, mut reader) = granted(backend).await;
    oauth.state().refuses = Some("invalid_grant".to_owned());
    let error = reader.look().await.expect_err("there is no token");
    let words = tierdesk_core::telemetry::chain(&error);
    for says in [
        "takes the grant",
        "invalid_grant",
        "tierdesk mail connect google",
    ] {
        assert!(words.contains(says), "{says}: {words}");
    }
    assert_eq!(imap.count("AUTHENTICATE"), 0);
    let shown = status(&test.desk, &owner()).await.expect("it is shown");
    let refused = shown.grants[0].refused.clone().expect("it is written down");
    assert!(refused.contains("invalid_grant"), "{refused}");
    // A provider in trouble is no reason to ask a person.
    oauth.state().refuses = Some("temporarily_unavailable".to_owned());
    let error = reader.look().await.expect_err("there is no token");
    assert!(
        matches!(error, ImapError::Token(TokenError::Refused { .. })),
        "{error:?}"
    );
    drop(oauth);
}

async fn a_token_got_elsewhere_is_tried_before_it_is_kept(backend: Backend) {
    let test = TestDesk::with_key(backend, Some(KEY)).await;
    let oauth = OAuthServer::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (key, token) = (folder.path().join("key"), folder.path().join("token"));
    std::fs::write(&key, KEY).expect("it is written");
    let program = Program::new(&test.url)
        .with("TIERDESK_STORE__KEY_FILE", key.display().to_string())
        .with("TIERDESK_OAUTH__GOOGLE__CLIENT_ID", "desk")
        .with(
            "TIERDESK_OAUTH__GOOGLE__TOKEN_URL",
            format!("{}/token", oauth.url),
        );
    let file = token.display().to_string();
    let arguments = [
        "mail",
        "connect",
        "google",
        "--account",
        LOGIN,
        "--refresh-token-file",
        &file,
    ];
    for (text, code) in [("of another\n", Some(1)), ("refresh-0\n", Some(0))] {
        std::fs::write(&token, text).expect("it is written");
        let ended = tokio::task::spawn_blocking({
            let (program, arguments) = (program.clone(), arguments.map(str::to_owned));
            move || program.run(&arguments.each_ref().map(String::as_str))
        });
        let ended = ended.await.expect("it ends");
        assert_eq!(ended.code, code, "{ended:?}");
        let kept = find_grant(&test.desk, Provider::Google, LOGIN).await;
        let is_kept = kept.expect("it opens").is_some();
        assert_eq!(is_kept, code == Some(0), "{ended:?}");
    }
}

async fn without_a_key_nothing_is_asked_for(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let oauth = OAuthServer::start().await;
    let program = Program::new(&test.url)
        .with("TIERDESK_OAUTH__GOOGLE__CLIENT_ID", "desk")
        .with(
            "TIERDESK_OAUTH__GOOGLE__DEVICE_URL",
            format!("{}/device", oauth.url),
        )
        .with(
            "TIERDESK_OAUTH__GOOGLE__TOKEN_URL",
            format!("{}/token", oauth.url),
        );
    let mut child = program.start(&["mail", "connect", "google", "--account", LOGIN]);
    let mut err = String::new();
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped"));
    lines.read_line(&mut err).expect("it says something");
    lines.read_to_string(&mut err).expect("it says more");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(1), "{err}");
    assert!(
        err.contains("store.key_file") && err.contains("unsealed"),
        "{err}"
    );
    assert_eq!(oauth.state().forms.len(), 0);
}
