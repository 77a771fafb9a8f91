//! Whole stories: a mail comes in, its card stands in the tier's channel, people work on it there.

use std::time::Duration;

use serde_json::json;
use tierdesk_core::{
    desk::{
        chat::bot_lease,
        tickets,
        work_ticket::{self, BindOptions},
    },
    tickets::{Direction, Status, TicketNumber},
};
use tierdesk_tests::{
    Backend, GuildDesk, Letter, TestDesk, discord::AnswerKind, make_bot, on_both, owner,
};

on_both! {
    a_mail_becomes_a_card_is_taken_and_closed,
    a_double_click_acts_once,
    a_button_of_long_ago_does_nothing,
    one_of_several_bots_answers,
    buttons_survive_a_restart,
    a_stale_card_is_not_acted_on,
    a_ticket_is_moved_when_it_is_bound,
    customers_are_found_and_shown,
    a_customer_shown_by_alias_is_found_by_nothing_else,
    a_ticket_is_worked_by_command_in_its_thread,
    no_note_form_for_a_tier_that_takes_no_text,
    history_is_not_posted,
}

async fn a_mail_becomes_a_card_is_taken_and_closed(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let letter = Letter::new("John <john@acmefinance.com>", "a").subject("Dashboard error");
    let number = desk.test.receive_on(&letter).await;
    assert_eq!(desk.post().await, 1);

    let card = desk.card("support-fintech");
    for shown in [
        "ACME Finance Inc",
        "fintech",
        "SOC 2",
        "sev3",
        "unproven",
        "Dashboard error",
        "nobody",
        "<t:1795438800:R>",
    ] {
        assert!(card.text().contains(shown), "{shown}: {}", card.text());
    }
    assert_eq!(card.labels(), ["Take", "Severity", "Note", "Close"]);
    let thread = desk.thread("support-fintech");
    assert_eq!(thread.name, format!("{number} · Dashboard error"));
    assert_eq!(desk.discord.tags_of(thread.id), ["new", "fintech"]);

    let taken = desk.discord.press(desk.dana, card.id, "Take").await;
    assert!(taken.is_ephemeral());
    assert!(taken.text().contains("is yours"), "{taken:?}");
    desk.post().await;
    let card = desk.card("support-fintech");
    assert!(card.text().contains("Assignee: dana"), "{}", card.text());
    assert_eq!(desk.discord.tags_of(thread.id), ["open", "fintech"]);

    let asked = desk.discord.press(desk.dana, card.id, "Severity").await;
    let menu = asked.message().expect("a menu is offered").id;
    let set = desk.discord.select(desk.dana, menu, "Severity", &["sev1"]);
    assert!(set.await.text().contains("sev1"));
    desk.post().await;

    let card = desk.card("support-fintech");
    let form = desk.discord.press(desk.dana, card.id, "Note").await;
    assert_eq!(form.kind, AnswerKind::Modal);
    let form = form.modal().expect("a form opens");
    let noted = desk.discord.submit_modal(
        desk.dana,
        &form.custom_id,
        json!({ "text": "called back, password=hunter2hunter2" }),
    );
    assert!(noted.await.text().contains("note"));
    let detail = desk.test.ticket(number).await;
    let note = detail
        .messages
        .iter()
        .find(|message| message.direction == Direction::Note);
    let note = note.expect("the note is on the ticket");
    assert_eq!(note.from, "dana");
    assert!(note.text.contains("called back"));
    assert!(!note.text.contains("hunter2"), "secrets are masked");
    desk.post().await;

    let card = desk.card("support-fintech");
    let asked = desk.discord.press(desk.dana, card.id, "Close").await;
    let menu = asked.message().expect("a menu is offered").id;
    let closed = desk.discord.select(desk.dana, menu, "Reason", &["done"]);
    assert!(closed.await.text().contains("closed"));
    desk.post().await;
    let card = desk.card("support-fintech");
    assert!(card.labels().is_empty(), "a closed ticket has no buttons");
    let thread = desk.thread("support-fintech");
    assert!(thread.is_archived);
    assert_eq!(desk.discord.tags_of(thread.id), ["closed", "fintech"]);

    work_ticket::reopen(&desk.test.desk, &owner(), number)
        .await
        .expect("an admin reopens");
    desk.post().await;
    assert!(!desk.thread("support-fintech").is_archived);
    assert_eq!(desk.card("support-fintech").labels().len(), 4);
    desk.end().await;
}

/// A button outlives no month; the card's next edit brings fresh ones.
async fn a_button_of_long_ago_does_nothing(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let number = desk
        .test
        .receive_on(&Letter::new("john@acmefinance.com", "a"))
        .await;
    desk.post().await;
    let card = desk.card("support-fintech").id;
    desk.test.pass(Duration::from_hours(24 * 400));
    let late = desk.discord.press(desk.dana, card, "Take").await;
    assert!(late.text().contains("too old"), "{late:?}");
    assert!(desk.test.ticket(number).await.ticket.assignee.is_none());
    desk.end().await;
}

/// The lease of the one who answers lapses when its process is gone, and not before.
async fn one_of_several_bots_answers(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let holds = async |who: &str| {
        bot_lease::acquire(&test.desk, who)
            .await
            .expect("the lease is asked for")
    };
    assert!(holds("one").await);
    assert!(!holds("two").await, "it stands by");
    test.pass(Duration::from_secs(20));
    assert!(holds("one").await, "renewed");
    test.pass(Duration::from_secs(20));
    assert!(!holds("two").await, "and still stands by");
    test.pass(Duration::from_mins(2));
    assert!(holds("two").await, "the first is gone");
    assert!(!holds("one").await, "and learns that it is");
    bot_lease::release(&test.desk, "two")
        .await
        .expect("given back");
    assert!(holds("one").await);
}

async fn a_double_click_acts_once(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let number = desk
        .test
        .receive_on(&Letter::new("john@acmefinance.com", "a"))
        .await;
    desk.post().await;
    let card = desk.card("support-fintech").id;
    let (one, two) = tokio::join!(
        desk.discord.press(desk.dana, card, "Take"),
        desk.discord.press(desk.erin, card, "Take"),
    );
    let (one, two) = (one.text(), two.text());
    let won = [&one, &two]
        .iter()
        .filter(|text| text.contains("is yours"))
        .count();
    let lost = [&one, &two]
        .iter()
        .filter(|text| text.contains("done already") || text.contains("has changed"))
        .count();
    assert_eq!((won, lost), (1, 1), "{one} / {two}");
    let third = desk.discord.press(desk.dana, card, "Take").await.text();
    assert!(third.contains("done already"), "{third}");
    let history = tickets::history(&desk.test.desk, &owner(), number).await;
    let assigned = history.expect("it can be read");
    let assigned = assigned.iter().filter(|event| event.kind == "assigned");
    assert_eq!(assigned.count(), 1);
    desk.post().await;
    desk.end().await;
}

async fn buttons_survive_a_restart(backend: Backend) {
    let mut desk = GuildDesk::start(backend).await;
    let number = desk
        .test
        .receive_on(&Letter::new("john@acmefinance.com", "a"))
        .await;
    desk.post().await;
    let card = desk.card("support-fintech").id;
    desk.stop_bot().await.expect("the bot ends well");
    let puts = |desk: &GuildDesk| {
        let requests = desk.discord.requests();
        requests.iter().filter(|one| one.method == "PUT").count()
    };
    assert_eq!(puts(&desk), 1, "registered once");
    let bot = make_bot(
        &desk.test.desk,
        &desk.discord,
        std::collections::BTreeMap::new(),
    );
    desk.restart(bot).await;
    let taken = desk.discord.press(desk.erin, card, "Take").await;
    assert!(taken.text().contains("is yours"), "{taken:?}");
    assert_eq!(puts(&desk), 1, "and not again: nothing changed");
    assert_eq!(
        desk.test.ticket(number).await.ticket.assignee.as_deref(),
        Some("erin")
    );
    desk.post().await;
    desk.end().await;
}

async fn a_stale_card_is_not_acted_on(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let number = desk
        .test
        .receive_on(&Letter::new("john@acmefinance.com", "a"))
        .await;
    desk.post().await;
    let card = desk.card("support-fintech").id;
    work_ticket::set_status(&desk.test.desk, &owner(), number, Status::OnHold)
        .await
        .expect("an admin may");
    let pressed = desk.discord.press(desk.dana, card, "Take").await.text();
    assert!(pressed.contains("has changed"), "{pressed}");
    assert_eq!(desk.test.ticket(number).await.ticket.assignee, None);
    desk.post().await;
    let pressed = desk.discord.press(desk.dana, card, "Take").await.text();
    assert!(
        pressed.contains("is yours"),
        "the new button works: {pressed}"
    );
    desk.post().await;
    desk.end().await;
}

async fn a_ticket_is_moved_when_it_is_bound(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let stranger = |id: &str| Letter::new("somebody@unknown.example", id).subject("quartz");
    let lax = desk.test.receive_on(&stranger("a")).await;
    desk.post().await;
    let first = desk.thread("support-triage");
    assert_eq!(first.name, lax.to_string(), "nothing of the subject");
    let bound = desk.discord.command(
        desk.dana,
        "ticket bind",
        json!({ "customer": "startupcorp", "ticket": lax.to_string() }),
    );
    assert!(bound.await.text().contains("StartupCorp"));
    desk.post().await;
    assert_eq!(
        desk.thread("support-standard").name,
        format!("{lax} · quartz")
    );
    let left = desk.thread("support-triage");
    assert!(left.is_archived, "what colleagues said there stays");
    assert!(desk.card("support-triage").text().contains("moved to"));

    let strict = desk.test.receive_on(&stranger("b")).await;
    desk.post().await;
    assert_eq!(desk.threads("support-triage").len(), 2);
    work_ticket::bind(
        &desk.test.desk,
        &owner(),
        strict,
        "techgov",
        BindOptions::default(),
    )
    .await
    .expect("an admin binds");
    desk.post().await;
    assert_eq!(
        desk.threads("support-triage").len(),
        1,
        "deleted, not archived"
    );
    let card = desk.card("support-gov-federal");
    assert!(card.text().contains("Client\\-"), "{}", card.text());
    assert!(!card.text().contains("TechGov"), "{}", card.text());
    assert_eq!(card.labels(), ["Take", "Severity", "Close"]);
    desk.end().await;
}

async fn a_customer_shown_by_alias_is_found_by_nothing_else(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    // By anything else an answer, even a refusal that counts, would say whose alias it is.
    for words in [
        "techgov",
        "TechGov Solutions Inc",
        "techgov.gov",
        "security@techgov.gov",
        "444455556666",
        "echgo",
    ] {
        let who = json!({ "who": words });
        let unknown = desk.discord.command(desk.dana, "customer show", who).await;
        assert!(
            unknown.text().contains("no customer"),
            "{words}: {unknown:?}"
        );
        assert!(
            !unknown.text().contains("Client\\-"),
            "{words}: {unknown:?}"
        );
    }
    let who = json!({ "who": "medicorp" });
    let known = desk.discord.command(desk.dana, "customer show", who).await;
    assert!(
        known.text().contains("MediCorp"),
        "positive control: {known:?}"
    );
    desk.end().await;
}

async fn customers_are_found_and_shown(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    for typed in [
        "acme",
        "ACME Fin",
        "acmefinance.com",
        "john@",
        "222233334444",
    ] {
        let choices = desk
            .discord
            .autocomplete(desk.dana, "customer show", "who", typed)
            .await;
        assert_eq!(choices.len(), 1, "{typed}: {choices:?}");
        assert_eq!(choices[0].value, "acme-finance");
    }
    let shown = desk
        .discord
        .command(desk.dana, "customer show", json!({ "who": "acme" }))
        .await;
    assert!(shown.is_ephemeral());
    for part in [
        "ACME Finance Inc",
        "fintech",
        "SOC 2",
        "222233334444",
        "acmefinance\\.com",
        "$8000.00",
    ] {
        let part = part.replace('\\', "");
        assert!(shown.text().contains(&part), "{part}: {}", shown.text());
    }
    let missing = desk
        .discord
        .command(
            desk.dana,
            "customer show",
            json!({ "who": "nobody-at-all" }),
        )
        .await;
    assert!(missing.text().contains("Not done"), "{missing:?}");
    let listed = desk
        .discord
        .command(desk.dana, "customer list", json!({}))
        .await;
    assert!(listed.text().contains("MediCorp"));
    assert!(!listed.text().contains("TechGov"), "shown by alias");
    let found = desk
        .discord
        .command(desk.dana, "customer search", json!({ "words": "bank" }))
        .await;
    assert!(found.text().contains("Quantum Bank"), "{found:?}");
    let by_alias = desk
        .discord
        .autocomplete(desk.dana, "customer show", "who", "client-")
        .await;
    assert_eq!(by_alias.len(), 1, "{by_alias:?}");
    let alias = by_alias[0].value.as_str().expect("a text").to_owned();
    let shown = desk
        .discord
        .command(desk.dana, "customer show", json!({ "who": alias }))
        .await;
    assert!(shown.text().contains("gov-federal") && !shown.text().contains("TechGov"));
    let help = desk.discord.command(desk.dana, "help", json!({})).await;
    assert!(help.text().contains("/ticket take"));
    desk.end().await;
}

async fn a_ticket_is_worked_by_command_in_its_thread(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let number = desk
        .test
        .receive_on(&Letter::new("john@acmefinance.com", "a"))
        .await;
    desk.post().await;
    let thread = desk.thread("support-fintech").id;
    let dana = desk.discord.person(desk.dana).at(thread);
    for (command, options, says) in [
        ("ticket take", json!({}), "is yours"),
        ("ticket note", json!({ "text": "seen" }), "note"),
        ("ticket status", json!({ "status": "on-hold" }), "on-hold"),
        ("ticket show", json!({}), "ACME Finance Inc"),
        ("ticket list", json!({ "whose": "mine" }), "SB"),
        ("ticket close", json!({ "reason": "duplicate" }), "closed"),
    ] {
        let answer = dana.command(command, options).await.expect("it is there");
        assert!(answer.text().contains(says), "{command}: {answer:?}");
    }
    let form = dana
        .command("ticket note", json!({}))
        .await
        .expect("it is there");
    assert_eq!(form.kind, AnswerKind::Modal);
    let nowhere = desk
        .discord
        .command(desk.dana, "ticket take", json!({}))
        .await;
    assert!(nowhere.text().contains("no ticket's thread"), "{nowhere:?}");
    let typed = desk
        .discord
        .autocomplete(desk.dana, "ticket show", "ticket", "about")
        .await;
    assert!(typed.is_empty(), "closed tickets are not offered");
    for typed in [number.to_string(), number.0.to_string()] {
        let named = desk
            .discord
            .autocomplete(desk.dana, "ticket show", "ticket", &typed)
            .await;
        assert_eq!(named.len(), 1, "but found by their number: {named:?}");
    }
    desk.post().await;
    assert_eq!(desk.test.ticket(number).await.ticket.status, Status::Closed);
    desk.end().await;
}

async fn no_note_form_for_a_tier_that_takes_no_text(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let number: TicketNumber = desk
        .test
        .receive_on(&Letter::new("compliance@medicorp.com", "a"))
        .await;
    desk.post().await;
    assert_eq!(
        desk.card("support-healthcare").labels(),
        ["Take", "Severity", "Close"]
    );
    for options in [
        json!({ "ticket": number.to_string(), "text": "x" }),
        json!({ "ticket": number.to_string() }),
    ] {
        let refused = desk
            .discord
            .command(desk.dana, "ticket note", options)
            .await;
        assert!(refused.text().contains("not taken in chat"), "{refused:?}");
    }
    let notes = desk.test.ticket(number).await.messages.len();
    assert_eq!(notes, 1, "nothing but the mail");
    desk.end().await;
}

async fn history_is_not_posted(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    desk.test
        .receive(&Letter::new("john@acmefinance.com", "a").silent())
        .await;
    assert_eq!(desk.post().await, 0);
    assert!(desk.threads("support-fintech").is_empty());
    desk.test
        .receive(&Letter::new("john@acmefinance.com", "b"))
        .await;
    assert_eq!(desk.post().await, 1, "positive control");
    desk.end().await;
}
