//! A marked word in a mail, and where it comes out: nowhere for the strict tiers and for tickets of
//! nobody's; wherever it may be shown, in the same run, for a tier set to show everything.

use std::sync::Arc;

use serde_json::json;
use tierdesk_core::tiers::Catalogue;
use tierdesk_tests::{Backend, GuildDesk, Letter, make_bot, on_both};

on_both! {
    a_marked_word_leaves_where_it_may_and_nowhere_else,
}

const WORD: &str = "quartzcanary";

/// Drives everything that shows a ticket, and says whether the word was sent anywhere.
async fn is_sent(desk: &GuildDesk, address: &str, channel: &str) -> bool {
    let before = desk.discord.requests().len();
    let letter = Letter::new(&format!("{WORD} <{WORD}@{address}>"), channel)
        .subject(&format!("about {WORD}"))
        .body(&format!("{WORD} does not work"));
    let number = desk.test.receive_on(&letter).await;
    desk.post().await;
    let ticket = json!({ "ticket": number.to_string() });
    let dana = desk.dana;
    let shown = desk.discord.command(dana, "ticket show", ticket.clone());
    assert!(shown.await.text().contains("Severity"), "it is shown");
    desk.discord.command(dana, "ticket list", json!({})).await;
    desk.discord
        .autocomplete(dana, "ticket show", "ticket", "")
        .await;
    let card = desk.card(channel);
    let taken = desk.discord.press(dana, card.id, "Take").await;
    assert!(taken.text().contains("is yours"), "{taken:?}");
    desk.post().await;
    let card = desk.card(channel);
    desk.discord.press(dana, card.id, "Close").await;
    let bind = json!({ "ticket": number.to_string(), "customer": "no such customer" });
    desk.discord.command(dana, "ticket bind", bind).await;
    let done = json!({ "ticket": number.to_string(), "status": "resolved" });
    desk.discord
        .command(dana, "ticket status", done.clone())
        .await;
    desk.discord.command(dana, "ticket take", ticket).await;
    desk.post().await;
    let requests = desk.discord.requests();
    let sent = &requests[before..];
    assert!(sent.len() > 8, "positive control: {} requests", sent.len());
    sent.iter().any(|request| {
        format!("{} {}", request.path, request.body)
            .to_lowercase()
            .contains(WORD)
    })
}

async fn a_marked_word_leaves_where_it_may_and_nowhere_else(backend: Backend) {
    let mut desk = GuildDesk::start(backend).await;
    for (address, channel) in [
        ("medicorp.com", "support-healthcare"),
        ("techgov.gov", "support-gov-federal"),
        ("unknown.example", "support-triage"),
    ] {
        assert!(!is_sent(&desk, address, channel).await, "{channel}");
    }
    assert!(
        is_sent(&desk, "acmefinance.com", "support-fintech").await,
        "a subject is shown"
    );
    desk.stop_bot().await.expect("the bot ends well");
    let shows_all =
        Catalogue::EMBEDDED.replace("disclosure = \"excerpt\"", "disclosure = \"full\"");
    let catalogue = Catalogue::parse(&shows_all, "tiers.toml").expect("it is a catalogue");
    desk.test.desk.catalogue = Arc::new(catalogue);
    let bot = make_bot(
        &desk.test.desk,
        &desk.discord,
        std::collections::BTreeMap::new(),
    );
    desk.restart(bot).await;
    assert!(is_sent(&desk, "startupcorp.io", "support-standard").await);
    let card = desk.card("support-standard");
    assert!(card.text().contains("does not work"), "{}", card.text());
    assert!(
        card.text().contains(WORD),
        "the address too: {}",
        card.text()
    );
    desk.end().await;
}
