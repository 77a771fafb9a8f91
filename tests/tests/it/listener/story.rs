//! A mail that is handed over becomes a ticket.

use std::time::{Duration, Instant};

use tierdesk_core::{
    mail::{Client, SenderCheck},
    settings::MailProtocol,
    store::inbox,
};
use tierdesk_ingest::listener::Patience;
use tierdesk_tests::{Backend, Letter, MailClient, Program, Served, TestDesk, on_both};

use super::{Listening, SUPPORT, settings, wait_until};

on_both! {
    a_mail_becomes_a_ticket_at_once,
    every_recipient_gets_an_answer_and_the_envelope_is_kept,
    what_comes_at_the_same_time_is_one_commit,
    a_copy_that_waits_is_not_stored_twice,
}

async fn a_mail_becomes_a_ticket_at_once(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let program = Program::new(&test.url);
    let served = Served::start(&program, "lmtp", &["serve"]);
    let mut client = MailClient::connect(served.address(), "LHLO")
        .await
        .expect("it answers");
    let mail = Letter::new("john@acmefinance.com", "a").bytes();
    let asked = Instant::now();
    let said = client
        .deliver(&[SUPPORT], &mail, 1)
        .await
        .expect("it is taken");
    assert!(said[0].starts_with("250 2.0.0"), "{said:?}");
    wait_until("the worker does nothing", async || {
        test.number("SELECT COUNT(*) FROM tickets").await == 1
    })
    .await;
    // `mail deliver` gives itself thirty seconds before a worker steps in; here nobody else would.
    let took = asked.elapsed();
    println!(
        "{backend:?}: a ticket {} ms after the mail",
        took.as_millis()
    );
    assert!(took < Duration::from_secs(10), "{took:?}");
    let said = client
        .deliver(&[SUPPORT], &mail, 1)
        .await
        .expect("a copy is taken");
    assert!(said[0].starts_with("250"), "{said:?}");
    wait_until("the copy is processed", async || {
        test.number("SELECT COUNT(*) FROM inbox WHERE state = 'waiting'")
            .await
            == 0
    })
    .await;
    assert_eq!(test.number("SELECT COUNT(*) FROM messages").await, 1);
    assert_eq!(
        client.ask("QUIT\r\n").await.expect("it answers").get(..3),
        Some("221")
    );
}

async fn every_recipient_gets_an_answer_and_the_envelope_is_kept(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for (protocol, hello, answers) in [
        (MailProtocol::Lmtp, "LHLO", 3),
        (MailProtocol::Smtp, "EHLO", 1),
    ] {
        let listening = Listening::start(&test, &settings(protocol), Patience::default()).await;
        let mut client = MailClient::connect(listening.address, hello)
            .await
            .expect("it answers");
        let to = [
            SUPPORT,
            "Support+k1.t0ken@securebase.example",
            "help@securebase.example",
        ];
        let mail = Letter::new("john@acmefinance.com", hello)
            .body("..\n.dots\n")
            .bytes();
        let said = client
            .deliver(&to, &mail, answers)
            .await
            .expect("it is taken");
        assert_eq!(said.len(), answers);
        assert!(said.iter().all(|one| one.starts_with("250")), "{said:?}");

        let mut tx = test.desk.database.begin_read().await.expect("it begins");
        let ids = inbox::list_waiting(&mut tx, 10)
            .await
            .expect("they are read");
        let waiting = inbox::find_waiting(&mut tx, &ids)
            .await
            .expect("they are read");
        let stored = waiting.last().expect("it waits");
        let raw = tierdesk_core::store::blobs::open(&mut tx, stored.blob_id).await;
        assert_eq!(
            raw.expect("it opens"),
            mail,
            "byte by byte, with nothing added"
        );
        let envelope = &stored.envelope;
        assert_eq!(envelope.from.as_deref(), Some("john@acmefinance.com"));
        assert_eq!(envelope.recipients, to);
        let (client_now, check) = match protocol {
            MailProtocol::Lmtp => (None, SenderCheck::Authserv),
            MailProtocol::Smtp => {
                let ip = [127, 0, 0, 1].into();
                let helo = "mx.acmefinance.com".to_owned();
                (Some(Client { ip, helo }), SenderCheck::Edge)
            }
        };
        assert_eq!((&envelope.client, envelope.check), (&client_now, check));
        assert_eq!(stored.origin, Some(listening.address.to_string()));
        drop(client);
        listening.end().await;
    }
}

async fn what_comes_at_the_same_time_is_one_commit(backend: Backend) {
    const CLIENTS: usize = 12;
    let test = TestDesk::new(backend).await;
    let listening = Listening::lmtp(&test).await;
    // A database that is held up meanwhile, so that all of them wait.
    let held = super::hold_inbox(&test).await;
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let address = listening.address;
        sending.spawn(async move {
            let mut client = MailClient::connect(address, "LHLO").await?;
            let mail = Letter::new("john@acmefinance.com", &number.to_string()).bytes();
            client.deliver(&[SUPPORT], &mail, 1).await
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(
        sending.try_join_next().is_none(),
        "nothing is acknowledged before its commit"
    );
    drop(held);
    for said in sending.join_all().await {
        assert!(said.expect("it is taken")[0].starts_with("250"));
    }
    let stored = test.number("SELECT COUNT(*) FROM inbox").await;
    let commits = test
        .number("SELECT COUNT(DISTINCT received_at) FROM inbox")
        .await;
    println!("{backend:?}: {stored} mails of {CLIENTS} connections in {commits} commits");
    assert_eq!(usize::try_from(stored).ok(), Some(CLIENTS));
    assert!(
        commits <= 2,
        "{commits} commits: the first mail, then the rest"
    );
    listening.end().await;
}

async fn a_copy_that_waits_is_not_stored_twice(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let listening = Listening::lmtp(&test).await;
    let mail = Letter::new("john@acmefinance.com", "a").bytes();
    let other = Letter::new("john@acmefinance.com", "b").bytes();
    let mut client = MailClient::connect(listening.address, "LHLO")
        .await
        .expect("it answers");
    for (mail, waiting) in [(&mail, 1), (&mail, 1), (&other, 2), (&mail, 2)] {
        let said = client
            .deliver(&[SUPPORT], mail, 1)
            .await
            .expect("it is taken");
        assert!(said[0].starts_with("250"), "{said:?}");
        assert_eq!(test.number("SELECT COUNT(*) FROM inbox").await, waiting);
        assert_eq!(test.number("SELECT COUNT(*) FROM jobs").await, waiting);
    }
    listening.end().await;
}
