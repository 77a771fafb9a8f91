//! Where reading begins and goes on.

use std::time::Duration;

use tierdesk_tests::{Backend, TestDesk, on_both};

use super::{all, begun, letter, reader, subjects};

on_both! {
    it_begins_at_the_newest_mail_and_goes_on_from_there,
    history_comes_in_silently_and_once,
    history_can_be_asked_for_later,
    mail_that_somebody_opened_is_taken,
    an_outage_of_days_is_filled,
    a_new_numbering_doubles_nothing_and_opens_nothing_old,
    a_new_numbering_loses_nothing_that_was_not_read,
    of_two_readers_the_slower_one_is_refused,
    an_empty_mailbox_is_read_from_its_first_mail,
    what_the_server_found_of_a_sender_is_believed_as_configured,
}

async fn it_begins_at_the_newest_mail_and_goes_on_from_there(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut first) = begun(&test, "").await;
    server.add(letter("one").bytes());
    server.add(letter("two").bytes());
    assert_eq!(first.look().await.expect("it is read").taken, 2);
    test.pass(Duration::from_secs(1));
    // Nothing is asked for twice, though `n:*` is answered with the last mail.
    assert_eq!(first.look().await.expect("it is read").taken, 0);
    let mut second = reader(&test, &server.url(), "");
    assert_eq!(second.look().await.expect("it is read").taken, 0);
    assert_eq!(subjects(&test).await, ["About one", "About two"]);
    assert_eq!(server.count("BODY.PEEK"), 1, "one fetch for both");
    let sizes = server.count("RFC822.SIZE");
    assert!(sizes >= 3, "sizes are asked first: {sizes}");
}

async fn history_comes_in_silently_and_once(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let server = tierdesk_tests::fake_imap::FakeImap::start().await;
    for number in 0..120 {
        server.add(letter(&format!("old {number}")).bytes());
    }
    let mut reader = reader(&test, &server.url(), "history = true");
    assert_eq!(reader.look().await.expect("it is read").taken, 120);
    test.pass(Duration::from_secs(1));
    server.add(letter("new").bytes());
    assert_eq!(reader.look().await.expect("it is read").taken, 1);
    assert_eq!(subjects(&test).await.len(), 121);
    let mut silent = 0;
    for ticket in all(&test).await {
        silent += usize::from(ticket.is_silent);
    }
    assert_eq!(silent, 120, "history is silent, and what is new is not");
}

async fn history_can_be_asked_for_later(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut without) = begun(&test, "").await;
    server.add(letter("one").bytes());
    without.look().await.expect("it is read");
    test.pass(Duration::from_secs(1));
    let mut with = reader(&test, &server.url(), "history = true");
    assert_eq!(with.look().await.expect("it is read").taken, 1);
    assert_eq!(subjects(&test).await, ["About before", "About one"]);
    assert_eq!(with.look().await.expect("it is read").taken, 0);
}

async fn mail_that_somebody_opened_is_taken(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    server.add(letter("opened").bytes());
    server.state().mails[1].flags.push("\\Seen".to_owned());
    assert_eq!(reader.look().await.expect("it is read").taken, 1);
    assert_eq!(server.count("STORE"), 0, "it is left as it was");
}

async fn an_outage_of_days_is_filled(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, _) = begun(&test, "").await;
    for number in 0..130 {
        server.add(letter(&format!("mail {number}")).bytes());
    }
    // Gaps, as expunged mails leave them.
    server.state().mails.retain(|mail| mail.uid % 10 != 3);
    let left = server.state().mails.len() - 1;
    test.pass(Duration::from_hours(72));
    let mut later = reader(&test, &server.url(), "");
    assert_eq!(later.look().await.expect("it is read").taken, left);
    assert_eq!(subjects(&test).await.len(), left);
}

async fn a_new_numbering_doubles_nothing_and_opens_nothing_old(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    for id in ["one", "two", "three"] {
        server.add_dated(letter(id).bytes(), "23-Nov-2026 10:00:00 +0000");
    }
    assert_eq!(reader.look().await.expect("it is read").taken, 3);
    test.pass(Duration::from_secs(1));
    server.renumber(8);
    let look = reader.look().await.expect("it is read");
    assert_eq!(
        (look.taken, look.passed),
        (3, 1),
        "three copies, one older mail"
    );
    assert_eq!(
        subjects(&test).await,
        ["About one", "About three", "About two"]
    );
    test.pass(Duration::from_secs(1));
    assert_eq!(
        reader.look().await.expect("it is read").taken,
        0,
        "and once only"
    );
}

async fn a_new_numbering_loses_nothing_that_was_not_read(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    server.add_dated(letter("one").bytes(), "23-Nov-2026 10:00:00 +0000");
    reader.look().await.expect("it is read");
    test.pass(Duration::from_secs(1));
    server.add_dated(letter("two").bytes(), "23-Nov-2026 11:00:00 +0000");
    // A server that was restored dates all mail anew; this one claims to be of long ago itself.
    let old = letter("old").date("Mon, 02 Nov 2026 10:00:00 +0000");
    server.add_dated(old.bytes(), "23-Nov-2026 11:00:00 +0000");
    server.renumber(9);
    assert_eq!(reader.look().await.expect("it is read").taken, 3);
    assert_eq!(
        subjects(&test).await,
        ["About old", "About one", "About two"]
    );
    let silent: Vec<String> = all(&test)
        .await
        .into_iter()
        .filter(|ticket| ticket.is_silent)
        .map(|ticket| ticket.subject)
        .collect();
    assert_eq!(silent, ["About old"], "it is kept, and nobody is called");
}

async fn of_two_readers_the_slower_one_is_refused(backend: Backend) {
    use tierdesk_core::{desk::mailboxes, store::mailboxes::Position};
    use tierdesk_tests::ingest;
    let test = TestDesk::with_customers(backend).await;
    let (desk, actor) = (&test.desk, ingest());
    let seen = mailboxes::open(desk, &actor, "a mailbox")
        .await
        .expect("it is known");
    let position = |last_uid| Position {
        uid_validity: 7,
        last_uid,
        backlog_uid: 0,
        backlog_until: 0,
        is_reread: false,
        start_date: None,
        to_mark: String::new(),
    };
    let mail = [letter("one").prepared()];
    mailboxes::take(desk, &actor, &seen, &mail, position(5))
        .await
        .expect("the first is taken");
    test.pass(Duration::from_secs(1));
    let other = [letter("two").prepared()];
    let late = mailboxes::take(desk, &actor, &seen, &other, position(9)).await;
    assert!(
        late.is_err(),
        "its position does not follow on what is there"
    );
    assert_eq!(
        subjects(&test).await,
        ["About one"],
        "its mail goes with it"
    );
    let now = mailboxes::open(desk, &actor, "a mailbox")
        .await
        .expect("it is known");
    assert_eq!(now.last_uid, 5);
}

async fn an_empty_mailbox_is_read_from_its_first_mail(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let server = tierdesk_tests::fake_imap::FakeImap::start().await;
    let mut reader = reader(&test, &server.url(), "");
    assert_eq!(reader.look().await.expect("it is read").taken, 0);
    test.pass(Duration::from_secs(1));
    server.add(letter("one").bytes());
    assert_eq!(reader.look().await.expect("it is read").taken, 1);
    assert_eq!(
        server.count("UID FETCH *"),
        0,
        "nothing is asked of no mail"
    );
}

async fn what_the_server_found_of_a_sender_is_believed_as_configured(backend: Backend) {
    let mut test = TestDesk::with_customers(backend).await;
    test.desk.authserv_id = Some("mx.securebase.example".to_owned());
    let (server, mut believing) = begun(&test, "").await;
    let pass =
        "Authentication-Results: mx.securebase.example; dmarc=pass header.from=acmefinance.com";
    server.add(letter("one").header(pass).bytes());
    believing.look().await.expect("it is read");
    test.pass(Duration::from_secs(1));
    server.add(letter("two").header(pass).bytes());
    let mut doubting = reader(&test, &server.url(), "sender_check = \"none\"");
    doubting.look().await.expect("it is read");
    let trust = |subject: &str, tickets: &[tierdesk_core::desk::tickets::TicketReport]| {
        let found = tickets.iter().find(|one| one.subject == subject);
        found.expect("it is there").trust.to_string()
    };
    let tickets = all(&test).await;
    assert_eq!(trust("About one", &tickets), "known");
    assert_eq!(trust("About two", &tickets), "unproven");
}
