//! A ticket that wandered: what stood in earlier places goes when less may be shown, and what is
//! bound in chat never shows more there than before.

use serde_json::json;
use tierdesk_core::{
    customers::exchange::{Format, read},
    desk::{
        import_customers::import,
        work_ticket::{self, BindOptions},
    },
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, GuildDesk, Letter, on_both, owner};

on_both! {
    earlier_places_go_when_less_may_be_shown,
    a_thread_is_named_after_the_customer_it_has_now,
    chat_binds_to_no_laxer_tier,
    a_subject_of_signs_still_gets_its_card,
    strangers_learn_of_no_ticket,
}

async fn bind(desk: &GuildDesk, number: TicketNumber, slug: &str) {
    let options = BindOptions::default();
    work_ticket::bind(&desk.test.desk, &owner(), number, slug, options)
        .await
        .expect("an admin binds");
    desk.post().await;
}

/// Three hops: shown by subject, shown more, then by alias alone. Nothing of the first two is left.
async fn earlier_places_go_when_less_may_be_shown(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let letter = Letter::new("john@acmefinance.com", "a").subject("quartzcanary");
    let number = desk.test.receive_on(&letter).await;
    desk.post().await;
    bind(&desk, number, "startupcorp").await;
    let fintech = desk.thread("support-fintech");
    assert!(
        fintech.name.contains("quartzcanary"),
        "positive control: {}",
        fintech.name
    );
    assert!(fintech.is_archived, "a laxer tier leaves it, archived");
    bind(&desk, number, "techgov").await;
    for channel in ["support-fintech", "support-standard"] {
        assert!(desk.threads(channel).is_empty(), "#{channel} keeps nothing");
    }
    assert!(desk.card("support-gov-federal").text().contains("Client"));
    desk.end().await;
}

async fn a_thread_is_named_after_the_customer_it_has_now(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let letter = Letter::new("ops@quantumbank.com", "a").subject("the same");
    let number = desk.test.receive_on(&letter).await;
    bind(&desk, number, "medicorp").await;
    let before = desk.thread("support-healthcare");
    assert!(before.name.contains("MediCorp"), "{}", before.name);
    let other = "[[customers]]\nslug = \"clinic\"\nname = \"Other Clinic\"\ntier = \"healthcare\"\n\
                 domains = [\"clinic.example\"]\n";
    let records = read(Format::Toml, other).expect("it can be read");
    import(&desk.test.desk, &owner(), records, false)
        .await
        .expect("an admin imports");
    bind(&desk, number, "clinic").await;
    let after = desk.thread("support-healthcare");
    assert_eq!(after.id, before.id, "the same channel, the same thread");
    assert!(after.name.contains("Other Clinic"), "{}", after.name);
    assert!(!desk.card("support-healthcare").text().contains("MediCorp"));
    desk.end().await;
}

async fn chat_binds_to_no_laxer_tier(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let number = desk
        .test
        .receive_on(&Letter::new("compliance@medicorp.com", "a"))
        .await;
    desk.post().await;
    let laxer = json!({ "ticket": number.to_string(), "customer": "acme" });
    let refused = desk.discord.command(desk.dana, "ticket bind", laxer).await;
    assert!(
        refused.text().contains("would show more here"),
        "{refused:?}"
    );
    let shown = desk.test.ticket(number).await.ticket;
    assert_eq!(shown.customer.expect("it is bound").as_str(), "medicorp");
    let number = desk
        .test
        .receive_on(&Letter::new("ops@quantumbank.com", "b"))
        .await;
    desk.post().await;
    let stricter = json!({ "ticket": number.to_string(), "customer": "medicorp" });
    let bound = desk
        .discord
        .command(desk.dana, "ticket bind", stricter)
        .await;
    assert!(
        !bound.text().contains("Not done"),
        "positive control: {bound:?}"
    );
    desk.post().await;
    desk.end().await;
}

/// Escaping lengthens a text threefold; Discord refuses what is too long.
async fn a_subject_of_signs_still_gets_its_card(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let subject = "@*".repeat(150);
    let letter = Letter::new("admin@startupcorp.io", "a")
        .subject(&subject)
        .body(&"@_".repeat(3_000));
    let number = desk.test.receive_on(&letter).await;
    desk.post().await;
    assert!(
        desk.thread("support-standard")
            .name
            .starts_with(&number.to_string())
    );
    desk.end().await;
}

async fn strangers_learn_of_no_ticket(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let number = desk
        .test
        .receive_on(&Letter::new("security@techgov.gov", "a"))
        .await
        .to_string();
    desk.post().await;
    let stranger = desk.discord.add_member("stranger", &[]);
    for verb in ["take", "note", "close", "show"] {
        let mut answers = Vec::new();
        for ticket in [number.as_str(), "SB-999"] {
            let command = format!("ticket {verb}");
            let answer = desk
                .discord
                .command(stranger, &command, json!({ "ticket": ticket }));
            answers.push(answer.await.text());
        }
        assert_eq!(answers[0], answers[1], "{verb}: as if there were none");
        assert!(answers[0].contains("Not done"), "{verb}: {answers:?}");
    }
    desk.end().await;
}
