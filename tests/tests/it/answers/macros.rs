//! Answers that are written often: filled in for a ticket, sent as any answer.

use std::{collections::BTreeMap, sync::Arc};

use tierdesk_core::{
    desk::{
        Error, macros,
        reply::{self, NewReply, Then},
    },
    macros::{Macros, Step},
    refusal::RefusalCode,
    tickets::Status,
    tiers::Catalogue,
};
use tierdesk_tests::{Backend, MailDesk, on_both, owner};

on_both! {
    a_macro_is_filled_in_and_sent,
    what_is_missing_or_not_asked_for_is_refused,
    a_macro_of_one_tier_is_for_no_other,
    what_a_sender_wrote_is_no_template,
}

const JOHN: &str = "John Smith <john@acmefinance.com>";

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> RefusalCode {
    match result {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

async fn a_macro_is_filled_in_and_sent(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    let words = given(&[("date", "2 December")]);
    let filled = macros::fill(&desk.test.desk, &owner(), number, "maintenance", &words)
        .await
        .expect("it is filled in");
    assert!(
        filled.text.starts_with("Hello John,\n\n"),
        "{}",
        filled.text
    );
    assert!(filled.text.contains("on 2 December."), "{}", filled.text);
    assert_eq!(filled.then, Step::Resolve);
    let new = NewReply {
        text: filled.text,
        then: Then::Resolve,
        tags: vec!["planned".to_owned()],
        is_at_once: true,
        ..NewReply::default()
    };
    reply::reply(&desk.test.desk, &owner(), number, new)
        .await
        .expect("it is answered");
    let sent = desk.post().await;
    assert!(
        sent[0]
            .mail
            .text
            .contains("planned maintenance on 2 December")
    );
    let shown = desk.test.ticket(number).await.ticket;
    assert_eq!(shown.status, Status::Resolved);
    assert!(
        shown.tags.contains(&"planned".to_owned()),
        "{:?}",
        shown.tags
    );
    let all = macros::list(&desk.test.desk, &owner(), None)
        .await
        .expect("they are listed");
    assert_eq!(all.len(), Macros::embedded().iter().len());
    desk.end().await;
}

async fn what_is_missing_or_not_asked_for_is_refused(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    let fill = async |name: &str, pairs: &[(&str, &str)]| {
        macros::fill(&desk.test.desk, &owner(), number, name, &given(pairs)).await
    };
    assert_eq!(code(fill("maintenance", &[]).await), RefusalCode::Empty);
    assert_eq!(
        code(fill("maintenance", &[("date", " ")]).await),
        RefusalCode::Empty
    );
    assert_eq!(
        code(fill("looking", &[("date", "x")]).await),
        RefusalCode::Invalid
    );
    assert_eq!(code(fill("no-such", &[]).await), RefusalCode::NotFound);
    fill("looking", &[]).await.expect("the control");
    desk.end().await;
}

async fn a_macro_of_one_tier_is_for_no_other(backend: Backend) {
    let mut desk = MailDesk::start(backend).await;
    let text = "[[macro]]\nname = 'a'\ntitle = 't'\ntext = 'x'\ntiers = ['standard']";
    let own = Macros::parse(text, "macros.toml", &Catalogue::embedded()).expect("it is right");
    desk.test.desk.macros = Arc::new(own);
    let fintech = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    let standard = desk
        .receive_on(&MailDesk::proven("lina@startupcorp.io", "two"))
        .await;
    desk.post().await;
    let nothing = given(&[]);
    let refused = macros::fill(&desk.test.desk, &owner(), fintech, "a", &nothing).await;
    assert_eq!(code(refused), RefusalCode::Invalid);
    let filled = macros::fill(&desk.test.desk, &owner(), standard, "a", &nothing).await;
    assert_eq!(filled.expect("it fits").text, "x");
    let listed = macros::list(&desk.test.desk, &owner(), Some(fintech)).await;
    assert_eq!(listed.expect("they are listed").len(), 0);
    desk.end().await;
}

/// A name that looks like a template is a name.
async fn what_a_sender_wrote_is_no_template(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let from = "\"{{7*7}} {%raw%}\" <john@acmefinance.com>";
    let number = desk.receive_on(&MailDesk::proven(from, "one")).await;
    desk.post().await;
    let filled = macros::fill(&desk.test.desk, &owner(), number, "looking", &given(&[]))
        .await
        .expect("it is filled in");
    assert!(!filled.text.contains("49"), "{}", filled.text);
    assert!(filled.text.starts_with("Hello 7*7,"), "{}", filled.text);
    desk.end().await;
}
