//! The database fails: the mail stays with the server before us, and comes again.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tierdesk_core::{
    clock::Clock,
    desk::{
        Desk,
        store_arrival::{NewArrival, store_arrivals},
    },
    jobs::worker::{Tick, Worker},
    mail::Envelope,
    receive::Road,
};
use tierdesk_ingest::process::ProcessInbox;
use tierdesk_tests::{Backend, Letter, MailClient, Program, TestDesk, on_both};

use tokio::task::JoinSet;

use super::{Listening, SUPPORT};

on_both! {
    a_mail_that_cannot_be_stored_is_not_acknowledged,
    a_database_that_is_held_up_is_not_waited_for_for_ever,
    one_mail_that_cannot_be_stored_fails_alone,
    what_waits_is_processed_whoever_is_beside_it,
}

const JOHN: &str = "john@acmefinance.com";

async fn a_mail_that_cannot_be_stored_is_not_acknowledged(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let listening = Listening::lmtp(&test).await;
    let mail = Letter::new(JOHN, "a").bytes();
    let mut client = MailClient::connect(listening.address, "LHLO")
        .await
        .expect("it answers");
    test.tamper("ALTER TABLE inbox RENAME TO inbox_away").await;
    let said = client
        .deliver(&[SUPPORT, "postmaster@securebase.example"], &mail, 2)
        .await;
    for one in said.expect("the session goes on") {
        assert!(one.starts_with("451 4.3.0"), "{one}");
    }
    test.tamper("ALTER TABLE inbox_away RENAME TO inbox").await;
    assert_eq!(test.number("SELECT COUNT(*) FROM inbox").await, 0);
    let said = client
        .deliver(&[SUPPORT], &mail, 1)
        .await
        .expect("it is taken");
    assert!(said[0].starts_with("250"), "{said:?}");
    assert_eq!(test.number("SELECT COUNT(*) FROM inbox").await, 1);
    listening.end().await;
}

async fn a_database_that_is_held_up_is_not_waited_for_for_ever(backend: Backend) {
    const CLIENTS: usize = 4;
    let test = TestDesk::new(backend).await;
    let listening = Listening::lmtp(&test).await;
    let mail = |number: usize| Letter::new(JOHN, &number.to_string()).bytes();
    for (is_held, code) in [(true, "451 4.3.0"), (false, "250")] {
        let held = if is_held {
            Some(super::hold_inbox(&test).await)
        } else {
            None
        };
        let (asked, mut sending) = (Instant::now(), JoinSet::new());
        for number in 0..CLIENTS {
            let (address, mail) = (listening.address, mail(number));
            sending.spawn(async move {
                let mut client = MailClient::connect(address, "LHLO").await?;
                client.deliver(&[SUPPORT], &mail, 1).await
            });
        }
        for said in sending.join_all().await {
            let said = said.expect("it is answered");
            assert!(said[0].starts_with(code), "{said:?}");
        }
        // Ten seconds for the first group, ten for what gathered meanwhile.
        let took = asked.elapsed();
        println!(
            "{backend:?}, held: {is_held}: {code} after {} ms",
            took.as_millis()
        );
        assert!(took < Duration::from_secs(25), "{took:?}");
        drop(held);
    }
    let stored = test.number("SELECT COUNT(*) FROM inbox").await;
    assert_eq!(
        usize::try_from(stored).ok(),
        Some(CLIENTS),
        "lost or doubled"
    );
    listening.end().await;
}

async fn one_mail_that_cannot_be_stored_fails_alone(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let refuse = (
        "CREATE TRIGGER refuse BEFORE INSERT ON inbox WHEN NEW.origin = 'bad' \
         BEGIN SELECT RAISE(ABORT, 'refused'); END",
        "ALTER TABLE inbox ADD CONSTRAINT refuse CHECK (origin <> 'bad')",
    );
    test.desk.database.tamper(refuse.0, refuse.1).await;
    let desk = Desk::new(test.open_again(Clock::System, None).await);
    let arrival = |origin: &str, id: &str| {
        let raw = Letter::new(JOHN, id).bytes();
        NewArrival::new(
            Road::Lmtp,
            Some(origin.to_owned()),
            Envelope::default(),
            &raw,
            None,
        )
    };
    let set = [
        arrival("good", "1"),
        arrival("bad", "2"),
        arrival("good", "3"),
        arrival("good", "1"),
    ];
    let stored = store_arrivals(&desk, &set).await;
    let is_stored: Vec<bool> = stored.iter().map(Result::is_ok).collect();
    assert_eq!(is_stored, [true, false, true, true]);
    let id = |number: usize| stored[number].as_ref().ok().copied();
    assert_eq!(id(0), id(3), "the same bytes in one set wait once");
    assert_ne!(id(0), id(2));
    assert_eq!(test.number("SELECT COUNT(*) FROM inbox").await, 2);
    assert_eq!(test.number("SELECT COUNT(*) FROM jobs").await, 2);
    assert_eq!(test.number("SELECT COUNT(*) FROM blobs").await, 2);
    desk.database.close().await;
}

/// A worker may take waiting mails together; one that cannot be read must not keep the others.
async fn what_waits_is_processed_whoever_is_beside_it(backend: Backend) {
    const MAILS: i64 = 12;
    for has_broken in [false, true] {
        let test = TestDesk::with_customers(backend).await;
        let set: Vec<NewArrival> = (0..MAILS)
            .map(|number| Letter::new(JOHN, &number.to_string()).bytes())
            .map(|raw| NewArrival::new(Road::Lmtp, None, Envelope::default(), &raw, None))
            .collect();
        let stored = store_arrivals(&test.desk, &set).await;
        assert!(stored.iter().all(Result::is_ok), "{stored:?}");
        if has_broken {
            let broken = "UPDATE blobs SET content = $X WHERE id = \
                          (SELECT blob_id FROM inbox ORDER BY id LIMIT 1 OFFSET 5)";
            let (sqlite, postgres) = ("x'00'", "'\\x00'::bytea");
            let (sqlite, postgres) = (broken.replace("$X", sqlite), broken.replace("$X", postgres));
            let changed = test.desk.database.tamper(&sqlite, &postgres).await;
            assert_eq!(changed, 1);
        }
        test.pass(Duration::from_secs(1));
        let handler = ProcessInbox {
            desk: Arc::new(test.desk.clone()),
        };
        let worker = Worker::new(test.desk.database.clone(), "w", vec![Arc::new(handler)]);
        let mut jobs = 0;
        while worker.tick().await.expect("the queue can be read") != Tick::Idle {
            jobs += 1;
        }
        let messages = test.number("SELECT COUNT(*) FROM messages").await;
        let dead = test
            .number("SELECT COUNT(*) FROM jobs WHERE state = 'dead'")
            .await;
        let waiting = test
            .number("SELECT COUNT(*) FROM inbox WHERE state = 'waiting'")
            .await;
        println!("{backend:?}: {messages} of {MAILS} processed by {jobs} jobs, {dead} dead");
        let broken = i64::from(has_broken);
        assert_eq!((messages, dead, waiting), (MAILS - broken, broken, broken));
        if backend == Backend::Sqlite && !has_broken {
            assert!(jobs <= 2, "{jobs} commits for what fits into two");
        }
    }
}

#[test]
fn an_address_or_certificate_that_cannot_be_used_is_told_before_anything_starts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = held.local_addr().expect("it has an address").to_string();
    // Documentation addresses (RFC 5737) are nobody's.
    let foreign = SocketAddr::from(([192, 0, 2, 1], 2424)).to_string();
    let rubbish = folder.path().join("rubbish.pem");
    std::fs::write(&rubbish, "no certificate").expect("it is written");
    let rubbish = rubbish.display().to_string();
    let program = Program::new(format!("sqlite://{}/desk.db", folder.path().display()))
        .with("TIERDESK_MAIL__LISTENER__0__PROTOCOL", "smtp");
    for (address, certificate, says) in [
        (
            taken.as_str(),
            None,
            "is taken: another program listens there",
        ),
        (&foreign, None, "does not let this program listen"),
        (
            "127.0.0.1:0",
            Some(rubbish.as_str()),
            "holds no certificate",
        ),
        (
            "127.0.0.1:0",
            Some("/nonexistent/a.pem"),
            "/nonexistent/a.pem",
        ),
    ] {
        let mut program = program
            .clone()
            .with("TIERDESK_MAIL__LISTENER__0__ADDRESS", address);
        if let Some(file) = certificate {
            program = program
                .with("TIERDESK_MAIL__LISTENER__0__TLS_CERT_FILE", file)
                .with("TIERDESK_MAIL__LISTENER__0__TLS_KEY_FILE", file);
        }
        let ended = program.run(&["serve", "--role", "ingest"]);
        let words = format!("{}{}", ended.out, ended.err);
        assert_eq!(ended.code, Some(1), "{words}");
        assert!(words.contains(says), "{says}: {words}");
        assert!(words.contains("nothing was started"), "{words}");
    }
}
