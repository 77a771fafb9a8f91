//! The connection: what ends the bot, and what it says then.

use std::time::Duration;

use serde_json::json;
use tierdesk_bot::gateway::{BotError, INTENTS};
use tierdesk_tests::{Backend, GuildDesk};

async fn desk() -> GuildDesk {
    GuildDesk::start(Backend::Sqlite).await
}

#[tokio::test]
async fn the_only_intent_is_guilds() {
    let desk = desk().await;
    assert_eq!(desk.discord.identified(), [1]);
    assert_eq!(INTENTS.bits(), 1);
    desk.end().await;
}

#[tokio::test]
async fn a_wrong_token_ends_the_bot_with_words() {
    let mut desk = GuildDesk::unconnected(Backend::Sqlite).await;
    desk.discord.revoke_token(true);
    let ended = std::sync::Arc::clone(&desk.bot)
        .run(
            tierdesk_tests::PATIENCE,
            tokio_util::sync::CancellationToken::new(),
        )
        .await;
    let error = ended.expect_err("the token is wrong");
    assert!(matches!(error, BotError::Token), "{error:?}");
    assert!(error.to_string().contains("developer portal"), "{error}");
    assert!(
        desk.discord.identified().is_empty(),
        "nothing was connected"
    );
    desk.stop_bot().await.expect("none runs");
}

#[tokio::test]
async fn a_token_revoked_later_ends_the_bot() {
    let mut desk = desk().await;
    desk.discord.revoke_token(true);
    desk.test
        .receive(&tierdesk_tests::Letter::new("john@acmefinance.com", "a"))
        .await;
    desk.post().await;
    let error = desk.ended().await.expect_err("it ends");
    assert!(matches!(error, BotError::Token), "{error:?}");
    let sent = desk.discord.requests().len();
    desk.test.pass(Duration::from_mins(1));
    desk.post().await;
    assert_eq!(desk.discord.requests().len(), sent, "nothing more is sent");
}

#[tokio::test]
async fn refused_intents_end_the_bot_with_words() {
    let mut desk = GuildDesk::unconnected(Backend::Sqlite).await;
    desk.discord.allow_intents(0);
    let ended = std::sync::Arc::clone(&desk.bot)
        .run(
            tierdesk_tests::PATIENCE,
            tokio_util::sync::CancellationToken::new(),
        )
        .await;
    let error = ended.expect_err("the intents are refused");
    assert!(matches!(error, BotError::Intents), "{error:?}");
    desk.stop_bot().await.expect("none runs");
}

#[tokio::test]
async fn a_silent_end_of_the_connection_is_noticed() {
    for code in [4_003, 4_010, 4_011] {
        let mut desk = desk().await;
        desk.discord.close_gateway(code);
        desk.discord.refuse_gateway(true);
        let error = desk.ended().await.expect_err("it ends");
        let is_told = matches!(error, BotError::Lost { .. } | BotError::Ended(_));
        assert!(is_told, "{code}: {error:?}");
    }
}

#[tokio::test]
async fn a_lost_connection_is_taken_up_again() {
    let desk = desk().await;
    for round in 0..2 {
        desk.discord.drop_gateway();
        let discord = &desk.discord;
        discord
            .until("it resumes", || (discord.resumed() > round).then_some(()))
            .await;
        let answer = desk
            .discord
            .command(desk.dana, "customer list", json!({}))
            .await;
        assert!(answer.text().contains("ACME"), "{answer:?}");
    }
    desk.end().await;
}

#[tokio::test]
async fn without_a_gateway_nothing_is_connected_and_never_discords_own() {
    let mut desk = GuildDesk::unconnected(Backend::Sqlite).await;
    let run = |desk: &GuildDesk| {
        let bot = std::sync::Arc::clone(&desk.bot);
        bot.run(
            tierdesk_tests::PATIENCE,
            tokio_util::sync::CancellationToken::new(),
        )
    };
    desk.discord
        .fail_next("GET", "/gateway/bot", 500, json!({ "message": "down" }));
    let error = run(&desk).await.expect_err("there is no gateway");
    assert!(matches!(error, BotError::NoGateway { .. }), "{error:?}");
    for url in [
        "wss://gateway.discord.gg",
        "wss://gateway-us-east1-b.discord.gg/?v=10",
    ] {
        desk.discord
            .fail_next("GET", "/gateway/bot", 200, json!({ "url": url }));
        let error = run(&desk).await.expect_err("it is another's gateway");
        assert!(
            matches!(error, BotError::ForeignGateway { .. }),
            "{error:?}"
        );
    }
    assert!(desk.discord.identified().is_empty());
    desk.stop_bot().await.expect("none runs");
}
