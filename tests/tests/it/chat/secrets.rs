//! 300 secrets in mails of a tier that shows everything: none that is masked is in anything that Discord
//! gets, and what stands around them is.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use tierdesk_core::tiers::Catalogue;
use tierdesk_tests::{Backend, GuildDesk, Letter, make_bot, on_both, seeded_secrets};

on_both! {
    secrets_in_mails_are_in_no_post,
}

async fn secrets_in_mails_are_in_no_post(backend: Backend) {
    let mut desk = GuildDesk::start(backend).await;
    desk.stop_bot().await.expect("the bot ends well");
    let shows_all =
        Catalogue::EMBEDDED.replace("disclosure = \"excerpt\"", "disclosure = \"full\"");
    let catalogue = Catalogue::parse(&shows_all, "tiers.toml").expect("it is a catalogue");
    desk.test.desk.catalogue = Arc::new(catalogue);
    let bot = make_bot(&desk.test.desk, &desk.discord, BTreeMap::new());
    desk.restart(bot).await;

    let secrets = seeded_secrets();
    // In the subject too, as people do.
    let letters: Vec<Letter> = (0..)
        .zip(&secrets)
        .map(|(number, one)| {
            Letter::new("admin@startupcorp.io", &format!("s{number}"))
                .subject(&format!("mail {number}: {}{}", one.before, one.secret))
                .header("Content-Type: text/plain; charset=utf-8")
                .body(&one.text)
        })
        .collect();
    for few in letters.chunks(20) {
        desk.test.receive_all(few).await;
        desk.post().await;
    }
    let mut sent = String::new();
    for request in desk.discord.requests() {
        writeln!(sent, "{} {}", request.path, request.body).expect("text takes text");
    }
    assert_eq!(desk.threads("support-standard").len(), secrets.len());
    assert!(
        sent.contains("press save"),
        "positive control: texts are shown"
    );
    let stored: String = desk
        .test
        .look::<(String,)>("SELECT subject || ' ' || body FROM messages")
        .await
        .into_iter()
        .map(|(text,)| text + "\n")
        .collect();
    let is_masked = |secret: &str| !stored.contains(secret);
    let masked = secrets.iter().filter(|one| is_masked(&one.secret)).count();
    let posted = secrets
        .iter()
        .filter(|one| is_masked(&one.secret) && sent.contains(&one.secret));
    let posted = posted.count();
    println!(
        "{backend:?}: {posted} of {masked} masked secrets in {} bytes to Discord; {} seeded",
        sent.len(),
        secrets.len()
    );
    assert!(masked * 100 >= secrets.len() * 95, "{masked}");
    assert_eq!(posted, 0);
    desk.end().await;
}
