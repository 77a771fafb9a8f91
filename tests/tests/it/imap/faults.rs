//! What a server can do wrong: nothing is lost, nothing doubled, and one bad mail holds up no other.

use std::time::{Duration, Instant};

use tierdesk_ingest::imap::{ImapError, Reader};
use tierdesk_tests::{
    Backend, TestDesk,
    fake_imap::{FakeImap, Fault},
    on_both,
};

use super::{all, begun, letter, mailbox, reader, subjects};

on_both! {
    every_fault_of_every_command_ends_in_an_error_and_then_in_the_mail,
    a_mail_that_is_refused_holds_up_no_other,
    a_mail_that_breaks_the_connection_holds_up_no_other,
    a_server_that_gives_nothing_turns_no_mail_into_a_note,
    a_mail_that_is_too_large_is_told_and_not_fetched,
    a_mail_removed_between_listing_and_fetching_is_no_fault,
    a_mail_that_is_listed_and_not_sent_is_told,
    bytes_that_are_no_mail_are_kept,
}

async fn every_fault_of_every_command_ends_in_an_error_and_then_in_the_mail(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    let faults = [
        Fault::Hang,
        Fault::Close,
        Fault::CutLiteral,
        Fault::HugeLiteral(400 << 20),
        Fault::No("not now".to_owned()),
        Fault::Bad,
        Fault::Garbage,
    ];
    let mut tried = 0;
    for command in [
        "LOGIN",
        "CAPABILITY",
        "SELECT",
        "RFC822.SIZE",
        "BODY.PEEK[]",
    ] {
        for fault in &faults {
            server.add(letter(&format!("{command} {fault:?}")).bytes());
            server.fail(command, fault.clone(), 1);
            let begun = Instant::now();
            let look = reader.look().await;
            assert!(look.is_err(), "{command} {fault:?}: {look:?}");
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{command} {fault:?}"
            );
            test.pass(Duration::from_secs(1));
            let look = reader.look().await;
            let look = look.unwrap_or_else(|error| panic!("{command} {fault:?}: {error}"));
            assert_eq!(look.taken, 1, "{command} {fault:?}");
            test.pass(Duration::from_secs(1));
            tried += 1;
        }
    }
    println!("{backend:?}: {tried} faults, each followed by its mail");
    assert_eq!(subjects(&test).await.len(), tried);
}

async fn a_mail_that_is_refused_holds_up_no_other(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    for id in ["one", "bad", "two"] {
        server.add(letter(id).bytes());
    }
    server.fail(
        "UID FETCH 2:4 (UID BODY.PEEK[])",
        Fault::No("broken".to_owned()),
        99,
    );
    server.fail(
        "UID FETCH 3 (UID BODY.PEEK[])",
        Fault::No("broken".to_owned()),
        99,
    );
    let mut looks = 0;
    while reader.look().await.is_err() {
        looks += 1;
        test.pass(Duration::from_secs(1));
        assert!(looks < 10, "it gets over it");
    }
    // The headers could be read, so it is on its customer's ticket, and says where the rest is.
    let tickets = all(&test).await;
    let mut subjects: Vec<&str> = tickets.iter().map(|one| one.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["About bad", "About one", "About two"]);
    let bad = tickets
        .iter()
        .find(|one| one.subject == "About bad")
        .expect("it is there");
    let detail = test.ticket(bad.number).await;
    let text = &detail.messages[0].text;
    assert!(
        text.contains("not taken whole") && text.contains("UID 3"),
        "{text}"
    );
}

async fn a_mail_that_breaks_the_connection_holds_up_no_other(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    for id in ["one", "bad", "two"] {
        server.add(letter(id).bytes());
    }
    server.fail("UID FETCH 2:4 (UID BODY", Fault::Close, 99);
    server.fail("UID FETCH 3 ", Fault::Close, 99);
    let mut looks = 0;
    while reader.look().await.is_err() {
        looks += 1;
        test.pass(Duration::from_secs(1));
        assert!(looks < 12, "it gets over it");
    }
    let subjects = subjects(&test).await;
    assert_eq!(
        subjects,
        ["(a mail that could not be read)", "About one", "About two"]
    );
    println!("{backend:?}: given up after {looks} looks");
}

async fn a_server_that_gives_nothing_turns_no_mail_into_a_note(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    server.add(letter("one").bytes());
    server.add(letter("two").bytes());
    server.fail("BODY.PEEK", Fault::No("too many requests".to_owned()), 60);
    for _ in 0..12 {
        assert!(reader.look().await.is_err());
        test.pass(Duration::from_secs(1));
    }
    assert_eq!(subjects(&test).await, [""; 0], "it waits for better times");
    server.state().faults.clear();
    let mut after = super::reader(&test, &server.url(), "");
    assert_eq!(after.look().await.expect("it is read").taken, 2);
    assert_eq!(subjects(&test).await, ["About one", "About two"]);
}

async fn a_mail_that_is_too_large_is_told_and_not_fetched(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "after = \"flag\"").await;
    let uid = server.add(letter("large").bytes());
    server.add(letter("small").bytes());
    server.state().mails[1].stated_size = Some(80 << 20);
    assert_eq!(reader.look().await.expect("it is read").taken, 2);
    assert_eq!(subjects(&test).await, ["About large", "About small"]);
    let tickets = all(&test).await;
    let large = tickets
        .iter()
        .find(|one| one.subject == "About large")
        .expect("it is there");
    let detail = test.ticket(large.number).await;
    let text = &detail.messages[0].text;
    assert!(
        text.contains("83886080 bytes") && text.contains(&format!("UID {uid}")),
        "{text}"
    );
    assert_eq!(
        server.count(&format!("UID FETCH {uid} (UID BODY.PEEK[])")),
        0
    );
    let flagged: Vec<bool> = server
        .state()
        .mails
        .iter()
        .map(|one| !one.flags.is_empty())
        .collect();
    assert_eq!(
        flagged,
        [false, false, true],
        "where it lies it stays as it was"
    );
}

async fn a_mail_removed_between_listing_and_fetching_is_no_fault(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    server.add(letter("gone").bytes());
    server.add(letter("there").bytes());
    // The fetch is answered with nothing; by then the first mail is gone.
    server.fail("UID FETCH 2:3 (UID BODY", Fault::Empty, 1);
    server.fail("UID FETCH 2 (UID BODY", Fault::Empty, 1);
    server.fail("UID FETCH 2:2 (UID RFC822", Fault::Empty, 1);
    assert_eq!(reader.look().await.expect("it is read").taken, 1);
    assert_eq!(subjects(&test).await, ["About there"]);
}

async fn a_mail_that_is_listed_and_not_sent_is_told(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    server.add(letter("hidden").bytes());
    server.fail("BODY.PEEK[]", Fault::Empty, 1);
    assert_eq!(reader.look().await.expect("it is read").taken, 1);
    assert_eq!(subjects(&test).await, ["(a mail that could not be read)"]);
}

async fn bytes_that_are_no_mail_are_kept(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    for raw in [
        &b"\0\xff\xfe"[..],
        b"{99999999}\r\n{1}\r\n",
        b"",
        b")\r\nA1 OK\r\n",
    ] {
        server.add(raw.to_vec());
    }
    server.add(letter("after").bytes());
    assert_eq!(reader.look().await.expect("it is read").taken, 5);
    let subjects = subjects(&test).await;
    assert!(subjects.contains(&"About after".to_owned()), "{subjects:?}");
    assert_eq!(subjects.len(), 5);
}

#[tokio::test]
async fn nobody_logs_in_without_tls_on_another_machine() {
    let test = TestDesk::new(Backend::Sqlite).await;
    let server = FakeImap::start().await;
    let url = server.url().replace("127.0.0.1", "localhost");
    server.fail("STARTTLS", Fault::Bad, 1);
    let error = reader(&test, &url, "")
        .look()
        .await
        .expect_err("it is refused");
    assert!(error.to_string().contains("offers no TLS"), "{error}");
    assert_eq!(server.count("LOGIN"), 0, "no password was sent");
    assert_eq!(server.count("STARTTLS"), 1, "positive control: it asked");
}

#[tokio::test]
async fn a_wrong_configuration_is_told_at_once() {
    let test = TestDesk::new(Backend::Sqlite).await;
    let desk = std::sync::Arc::new(test.desk.clone());
    let tokens = || {
        let settings = tierdesk_core::settings::Settings::default().oauth;
        std::sync::Arc::new(tierdesk_ingest::oauth::Tokens::new(settings).expect("it is set up"))
    };
    for (url, rest, says) in [
        ("imaps://h:port", "", "names no server"),
        ("imaps://h", "ca_file = \"/nowhere\"", "ca_file /nowhere"),
        ("imaps://h", "ca_file = \"/dev/null\"", "no certificate"),
    ] {
        let made = Reader::new(desk.clone(), &mailbox(url, rest), tokens(), "t");
        match made {
            Err(ImapError::Address(text)) => assert!(text.contains(says), "{text}"),
            other => panic!("{url} {rest}: {other:?}"),
        }
    }
}
