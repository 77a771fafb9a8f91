//! What becomes of a mail on the server, after its commit.

use std::time::Duration;

use tierdesk_tests::{
    Backend, TestDesk,
    fake_imap::{FakeImap, Fault},
    on_both,
};

use super::{begun, letter, reader, subjects};

on_both! {
    taken_mail_is_flagged,
    taken_mail_is_moved,
    a_server_without_move_copies_and_removes,
    a_server_that_refuses_to_mark_does_not_stop_the_reading,
    history_stays_as_it_was,
}

fn flags(server: &FakeImap) -> Vec<usize> {
    server
        .state()
        .mails
        .iter()
        .map(|mail| mail.flags.len())
        .collect()
}

async fn taken_mail_is_flagged(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "after = \"flag\"").await;
    server.add(letter("one").bytes());
    reader.look().await.expect("it is read");
    assert_eq!(flags(&server), [0, 1]);
}

async fn taken_mail_is_moved(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "after = \"move:Done & dusted\"").await;
    server.add(letter("two").bytes());
    server.add(letter("three").bytes());
    reader.look().await.expect("it is read");
    assert_eq!(subjects(&test).await, ["About three", "About two"]);
    assert_eq!(server.count("UID MOVE 2:3 \"Done &- dusted\""), 1);
    test.pass(Duration::from_secs(1));
    reader.look().await.expect("it is read");
    assert_eq!(server.count("UID MOVE"), 1, "and once only");
}

async fn a_server_without_move_copies_and_removes(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "after = \"move:Done\"").await;
    "IMAP4rev1 UIDPLUS".clone_into(&mut server.state().capabilities);
    server.add(letter("one").bytes());
    reader.look().await.expect("it is read");
    assert_eq!(server.state().moved, [("\"Done\"".to_owned(), 2)]);
    assert_eq!(server.state().mails.len(), 1, "only ours was removed");
    "IMAP4rev1".clone_into(&mut server.state().capabilities);
    server.add(letter("two").bytes());
    test.pass(Duration::from_secs(1));
    reader.look().await.expect("it is read");
    assert_eq!(
        server.count("EXPUNGE"),
        1,
        "without UIDPLUS nobody's mail is removed"
    );
}

async fn a_server_that_refuses_to_mark_does_not_stop_the_reading(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "after = \"flag\"").await;
    server.fail("STORE", Fault::No("read only".to_owned()), 3);
    server.add(letter("one").bytes());
    assert_eq!(reader.look().await.expect("it is read").taken, 1);
    test.pass(Duration::from_secs(1));
    server.add(letter("two").bytes());
    assert_eq!(reader.look().await.expect("it is read").taken, 1);
    assert_eq!(flags(&server), [0, 0, 0]);
    test.pass(Duration::from_secs(1));
    // What is due stays noted, for another process too.
    let mut later = reader_again(&test, &server);
    assert_eq!(later.look().await.expect("it is read").taken, 0);
    assert_eq!(flags(&server), [0, 1, 1]);
    test.pass(Duration::from_secs(1));
    later.look().await.expect("it is read");
    assert_eq!(flags(&server), [0, 1, 1], "and once only");
}

fn reader_again(test: &TestDesk, server: &FakeImap) -> tierdesk_ingest::imap::Reader {
    reader(test, &server.url(), "after = \"flag\"")
}

async fn history_stays_as_it_was(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let server = FakeImap::start().await;
    server.add(letter("old").bytes());
    let mut reader = reader(&test, &server.url(), "after = \"flag\"\nhistory = true");
    assert_eq!(reader.look().await.expect("it is read").taken, 1);
    test.pass(Duration::from_secs(1));
    server.add(letter("new").bytes());
    assert_eq!(reader.look().await.expect("it is read").taken, 1);
    assert_eq!(flags(&server), [0, 1]);
}
