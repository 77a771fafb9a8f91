//! Every card as it is sent: one of each level of disclosure, one of nobody's, one that is closed.
//! What changes here on purpose is looked at in the snapshot's difference.

use std::fmt::Write as _;

use tierdesk_bot::{card, pages};
use tierdesk_core::{
    desk::{chat, paging::press::Offer, work_ticket},
    discord::DiscordId,
    paging::{PageText, PageVerb},
    tickets::CloseReason,
};
use tierdesk_tests::{Backend, Letter, Postbox, SUPPORT, TestDesk, owner};

/// Aliases are made from random ids.
fn without_alias(text: &str, begin: &str) -> String {
    let mut parts = text.split(begin);
    let mut steady = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let _ = write!(steady, "{begin}ABCDEF{}", &part[6..]);
    }
    steady
}

#[tokio::test]
async fn cards_are_as_they_were() {
    let mut test = TestDesk::with_customers(Backend::Sqlite).await;
    let _postbox = Postbox::of(&mut test, SUPPORT);
    let mut all = String::new();
    for (name, address) in [
        ("alias", "security@techgov.gov"),
        ("metadata", "compliance@medicorp.com"),
        ("subject", "john@acmefinance.com"),
        ("excerpt", "admin@startupcorp.io"),
        ("nobody's", "somebody@unknown.example"),
        ("closed", "ops@quantumbank.com"),
    ] {
        let letter = Letter::new(address, name)
            .subject("@everyone [pay](https://evil.example) **now** `x`")
            .body("<@&1> discord.gg/abc\n\u{202e}hidden");
        let number = test.receive_on(&letter).await;
        if name == "closed" {
            work_ticket::close(&test.desk, &owner(), number, CloseReason::Done)
                .await
                .expect("the owner may");
        }
        let shown = chat::show_ticket(&test.desk, &owner(), number).await;
        let shown = shown.expect("it can be shown");
        let handles: Vec<_> = card::verbs(&shown)
            .into_iter()
            .map(|verb| (verb, format!("handle-of-{verb}")))
            .collect();
        let body = card::card(&shown, &handles).body();
        let body = serde_json::to_string_pretty(&body).expect("it is JSON");
        let _ = writeln!(
            all,
            "== {name}\ntitle: {}\ntags: {:?}\n{body}",
            card::title(&shown),
            card::tags(&shown)
        );
    }
    let all = without_alias(&all, "Client-");
    insta::assert_snapshot!(without_alias(&all, "Client\\\\-"));
}

/// What calls somebody, with a title that would like to call everybody.
#[test]
fn a_call_is_as_it_was() {
    let text = PageText {
        title: "SEV1 SB-1 ACME (fintech): @everyone <@&1> <@99> [pay](https://evil.example)"
            .to_owned(),
        lines: vec!["Why: it was opened.".to_owned(), "Step 1.".to_owned()],
    };
    let offers = [
        Offer::Page(PageVerb::Acknowledge),
        Offer::Page(PageVerb::Escalate),
        Offer::Page(PageVerb::AskHandOver),
        Offer::Severity,
        Offer::Reply,
    ];
    let handles = offers.map(|offer| (offer, format!("handle-of-{offer:?}")));
    let user = DiscordId::new(42).expect("it is above zero");
    let body = pages::call(user, &text, &handles).once("nonce");
    let content = body["content"].as_str().expect("it has text");
    assert_eq!(content.matches("<@42>").count(), 1, "{content}");
    let others = content.replacen("<@42>", "", 1);
    assert!(!others.contains("<@"), "nobody else is mentioned: {others}");
    assert!(
        others.contains("everyone"),
        "positive control: it was there"
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).expect("it is JSON"));
}
