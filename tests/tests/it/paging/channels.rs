//! How people can be reached, and how it is proven.

use std::time::Duration;

use tierdesk_core::{
    desk::{
        Error,
        paging::{
            self, Which,
            channels::{self, NewChannel, WebhookSecret},
        },
    },
    paging::{Channel, PageState},
    refusal::RefusalCode,
};
use tierdesk_tests::{Backend, PageDesk, login, on_both, owner};

on_both! {
    a_test_proves_the_channel_whose_code_is_given_back,
    each_changes_their_own,
    secrets_are_sealed_or_not_stored,
}

async fn a_test_proves_the_channel_whose_code_is_given_back(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let second = "ben.private@mail.example".parse().expect("an address");
    let added = channels::add(
        desk.desk(),
        &login("ben"),
        "me",
        NewChannel::Mail(second),
        Some(true),
    )
    .await
    .expect("it is added");
    assert!(added.wakes && added.proven_at.is_none());
    let test = paging::test_page(desk.desk(), &login("ben"), "me").await;
    let test = test.expect("it is sent");
    assert_eq!(test.sent, ["mail", "mail"]);
    desk.work().await;
    let told = desk.told();
    assert_eq!(told.len(), 2);
    let code = |index: usize| told[index].code.clone().expect("it has a code");
    assert_ne!(code(0), code(1));
    for one in &told {
        let code = one.code.as_deref().unwrap_or_default();
        assert!(one.lines.iter().any(|line| line.contains(code)), "{one:?}");
    }
    let answer = |who: &str, code: String| {
        let (desk, who) = (desk.desk().clone(), login(who));
        async move { paging::acknowledge(&desk, &who, &Which::Code(code), "terminal").await }
    };
    let other = answer("ada", code(1)).await;
    assert!(
        matches!(other, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::NotPermitted)
    );
    let unknown = answer("ben", "AAAAAAAA".to_owned()).await;
    assert!(
        matches!(unknown, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::NotFound)
    );
    answer("ben", code(1).to_lowercase())
        .await
        .expect("it is proven");
    let proven: Vec<bool> = channels::list(desk.desk(), &owner(), "ben")
        .await
        .expect("they are listed")
        .iter()
        .map(|one| one.proven_at.is_some())
        .collect();
    assert_eq!(
        proven.iter().filter(|proven| **proven).count(),
        1,
        "that one alone"
    );
    // Unanswered for an hour, it is over; nobody else is called.
    desk.pass(Duration::from_mins(61)).await;
    assert_eq!(desk.called(), []);
    let page = paging::show(desk.desk(), &owner(), &Which::Page(test.page.id)).await;
    assert_eq!(page.expect("it is shown")[0].state, PageState::Resolved);
    let late = answer("ben", code(0)).await;
    assert!(
        matches!(late, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::WrongStatus)
    );
}

async fn each_changes_their_own(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let address = |text: &str| NewChannel::Mail(text.parse().expect("an address"));
    let theirs = channels::add(
        desk.desk(),
        &login("ada"),
        "ben",
        address("a@b.example"),
        None,
    )
    .await;
    assert!(
        matches!(theirs, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::NotPermitted)
    );
    let tested = paging::test_page(desk.desk(), &login("ada"), "ben").await;
    assert!(
        matches!(tested, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::NotPermitted)
    );
    let own = channels::add(
        desk.desk(),
        &login("ada"),
        "ada",
        address("a@b.example"),
        None,
    )
    .await;
    let own = own.expect("their own");
    let twice = channels::add(
        desk.desk(),
        &login("ada"),
        "ada",
        address("a@b.example"),
        None,
    )
    .await;
    assert!(matches!(twice, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::Taken));
    let removed = channels::remove(desk.desk(), &login("ben"), "me", own.id).await;
    assert!(matches!(removed, Err(Error::Refused(_))), "it is not ben's");
    channels::remove(desk.desk(), &owner(), "ada", own.id)
        .await
        .expect("an admin may");
    let left = channels::list(desk.desk(), &owner(), "ada").await;
    assert_eq!(left.expect("they are listed").len(), 1);
}

async fn secrets_are_sealed_or_not_stored(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let webhook = || NewChannel::Webhook {
        name: "ntfy".to_owned(),
        format: "ntfy".to_owned(),
        secret: WebhookSecret {
            url: "https://ntfy.example/canary-topic".to_owned(),
            key: None,
            user: None,
        },
    };
    let unsealed = channels::add(desk.desk(), &login("ben"), "me", webhook(), None).await;
    let Err(Error::Refused(refusal)) = unsealed else {
        panic!("it is refused: {unsealed:?}");
    };
    assert_eq!(refusal.code, RefusalCode::Configuration);
    assert!(!format!("{refusal:?}").contains("canary"));
    assert_eq!(Channel::Webhook.as_str(), "webhook");
}
