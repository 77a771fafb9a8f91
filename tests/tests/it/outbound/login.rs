//! Logging in: passwords, tokens, and what protects the connection on which they are said.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{Desk, mailboxes::keep_grant},
    jobs::worker::Tick,
    mail::Provider,
    outgoing::{AccessTokens, OutgoingState, PortFuture},
    settings::{Secret, Settings},
    telemetry,
};
use tierdesk_ingest::oauth::Tokens;
use tierdesk_tests::{
    Backend, TestDesk, fake_smtp::FakeSmtp, oauth_server::OAuthServer, on_both, owner,
};

use super::{Office, SUPPORT, equip, only, smtp, smtp_at};

on_both! {
    a_password_is_said_as_the_relay_wants_it,
    a_refused_token_is_forgotten_and_another_one_tried_at_once,
}

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const PASSWORD: &str = "username = \"desk\"\npassword = \"pass-of-the-desk\"";

async fn a_password_is_said_as_the_relay_wants_it(backend: Backend) {
    let office = Office::open(backend).await;
    for mechanism in ["PLAIN", "LOGIN"] {
        let server = FakeSmtp::start().await;
        server.state().mechanisms = vec!["CRAM-MD5".to_owned(), mechanism.to_owned()];
        let (way, _folder) = smtp(&server, PASSWORD, None);
        office.answered(mechanism).await;
        assert_eq!(office.tick(&office.worker(only(&way))).await, Tick::Done);
        let mail = server.state().mails[0].clone();
        assert_eq!(mail.login.as_deref(), Some(mechanism));
        assert!(mail.is_encrypted);
    }
    // A wrong password and a relay that offers nothing usable are told, and the letter waits.
    let server = FakeSmtp::start().await;
    for (offers, password, says) in [
        (
            "PLAIN",
            "wrong",
            "535 5.7.8 Authentication failed (when logging in)",
        ),
        (
            "CRAM-MD5",
            "pass-of-the-desk",
            "does not offer AUTH PLAIN or LOGIN",
        ),
    ] {
        server.state().mechanisms = vec![offers.to_owned()];
        let more = format!("username = \"desk\"\npassword = {password:?}");
        let (way, _folder) = smtp(&server, &more, None);
        let ticket = office.answered(&format!("refused {offers}")).await;
        assert_eq!(
            office.tick(&office.worker(only(&way))).await,
            Tick::Postponed
        );
        let letter = office.letter(ticket).await;
        assert_eq!(letter.state, OutgoingState::Waiting);
        let reason = letter.reason.unwrap_or_default();
        assert!(reason.contains(says), "{reason}");
        assert!(!reason.contains(password), "{reason}");
    }
}

/// Grants of the desk, as the program gives them to relays.
#[derive(Debug)]
struct Grants {
    desk: Desk,
    tokens: Tokens,
}

impl AccessTokens for Grants {
    fn access<'p>(
        &'p self,
        provider: Provider,
        account: &'p str,
    ) -> PortFuture<'p, Result<Secret, String>> {
        Box::pin(async move {
            let token = self.tokens.access(&self.desk, provider, account).await;
            token.map_err(|error| telemetry::chain(&error))
        })
    }

    fn forget<'p>(&'p self, provider: Provider, account: &'p str) -> PortFuture<'p, ()> {
        Box::pin(self.tokens.forget(provider, account))
    }
}

async fn a_refused_token_is_forgotten_and_another_one_tried_at_once(backend: Backend) {
    let mut test = TestDesk::with_key(backend, Some(KEY)).await;
    test.import_shipped_customers().await;
    equip(&mut test.desk);
    let me = owner();
    let kept = keep_grant(
        &test.desk,
        &me,
        Provider::Google,
        SUPPORT,
        "refresh-0",
        "all",
    );
    kept.await.expect("it is kept");
    test.pass(Duration::from_secs(1));
    let oauth = OAuthServer::start().await;
    let text = format!(
        "[oauth.google]\nclient_id = \"desk\"\nclient_secret = \"hush\"\ntoken_url = \"{}/token\"\n",
        oauth.url
    );
    let settings = Settings::parse(Some(("test.toml", &text)), std::iter::empty());
    let settings = settings.unwrap_or_else(|fault| panic!("{fault}"));
    let grants: Arc<dyn AccessTokens> = Arc::new(Grants {
        desk: test.desk.clone(),
        tokens: Tokens::new(settings.oauth).expect("it is set up"),
    });
    let office = Office { test };
    let more = format!("username = {SUPPORT:?}\noauth = \"google\"");
    // The token that the desk gets first, and then the one that it has, is good no more.
    for (explains, good) in [(true, 2), (false, 3)] {
        let server = FakeSmtp::start().await;
        {
            let mut state = server.state();
            state.mechanisms = vec!["PLAIN".to_owned(), "XOAUTH2".to_owned()];
            state.explains_refusal = explains;
            state.token = format!("access-{good}");
        }
        let (way, _folder) = smtp(&server, &more, Some(Arc::clone(&grants)));
        let ticket = office.answered(&format!("token {explains}")).await;
        assert_eq!(office.tick(&office.worker(only(&way))).await, Tick::Done);
        let letter = office.letter(ticket).await;
        assert_eq!((letter.state, letter.attempts), (OutgoingState::Sent, 1));
        assert_eq!(oauth.state().given, good, "one refused, one good");
        let state = server.state();
        assert_eq!(state.mails[0].login.as_deref(), Some("XOAUTH2"));
        let logins = state.commands.iter().filter(|one| one.starts_with("AUTH"));
        let logins = logins.count();
        let answered = state.commands.iter().any(|one| one == "(answered \"\")");
        assert_eq!(
            answered, explains,
            "a reason is answered with an empty line"
        );
        println!("{backend:?}: told why: {explains}; {logins} logins, {good} tokens so far");
        assert_eq!(logins, 2);
    }
    // One that takes no token at all gets two a try, not more, and its words are told.
    let server = FakeSmtp::start().await;
    server.state().mechanisms = vec!["XOAUTH2".to_owned()];
    server.state().explains_refusal = true;
    "none".clone_into(&mut server.state().token);
    let (way, _folder) = smtp(&server, &more, Some(Arc::clone(&grants)));
    let ticket = office.answered("no token").await;
    let before = oauth.state().given;
    assert_eq!(
        office.tick(&office.worker(only(&way))).await,
        Tick::Postponed
    );
    let reason = office.letter(ticket).await.reason.unwrap_or_default();
    assert!(
        reason.contains("535 5.7.8") && reason.contains("\"status\":\"400\""),
        "{reason}"
    );
    assert!(!reason.contains("access-"), "{reason}");
    assert_eq!(oauth.state().given, before + 1);
    let logins = server
        .state()
        .commands
        .iter()
        .filter(|one| one.starts_with("AUTH"))
        .count();
    assert_eq!(logins, 2);
}

#[tokio::test]
async fn each_use_of_tls_does_what_it_says() {
    let office = Office::open(Backend::Sqlite).await;
    let names = ["127.0.0.1"];
    let (starttls, wrapped) = (
        FakeSmtp::start().await,
        FakeSmtp::start_as(&names, true).await,
    );
    let other = FakeSmtp::start_as(&["mx.other.example"], false).await;
    let mut sent = 0;
    for (server, scheme, more, is_encrypted) in [
        (&starttls, "smtp", "tls = \"required\"", Some(true)),
        (&starttls, "smtp", "tls = \"opportunistic\"", Some(true)),
        (&starttls, "smtp", "tls = \"none\"", Some(false)),
        (&wrapped, "smtps", "", Some(true)),
        // A certificate that cannot be believed: without TLS where that is allowed, or not at all.
        (&other, "smtp", "tls = \"opportunistic\"", Some(false)),
        (&other, "smtp", "tls = \"required\"", None),
    ] {
        let url = format!("{scheme}://{}", server.address());
        let (way, _folder) = smtp_at(&url, server, more, None);
        let ticket = office.answered(&format!("tls {sent}")).await;
        let before = server.state().mails.len();
        let tick = office.tick(&office.worker(only(&way))).await;
        let reason = office.letter(ticket).await.reason;
        let mails = server.state().mails[before..].to_vec();
        let found = mails.first().map(|mail| mail.is_encrypted);
        assert_eq!(found, is_encrypted, "{scheme} {more}: {tick:?} {reason:?}");
        sent += 1;
    }
    println!("{sent} ways, each with the TLS that it asks for");
}

/// What lettre would log are commands as they are said, logins among them.
#[test]
fn lettre_is_built_without_its_log() {
    let lock = include_str!("../../../../Cargo.lock");
    let package = lock
        .split("[[package]]")
        .find(|package| package.contains("name = \"lettre\""))
        .expect("it is a dependency");
    assert!(
        package.contains("\"tokio\""),
        "its features show: {package}"
    );
    assert!(!package.contains("\"tracing\""), "{package}");
}
