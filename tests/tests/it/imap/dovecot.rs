//! Against Dovecot, as Debian ships it.

use std::time::{Duration, Instant};

use tierdesk_ingest::imap::Reader;
use tierdesk_tests::{Backend, TestDesk, dovecot::Dovecot, on_both};
use tokio_util::sync::CancellationToken;

use super::{letter, subjects};

/// A busy machine is no fault of the server's.
fn reader(test: &TestDesk, url: &str, rest: &str) -> Reader {
    super::reader(test, url, rest).with_patience(Duration::from_secs(30))
}

on_both! {
    a_new_mail_is_told_within_seconds,
    a_restart_in_the_middle_loses_and_doubles_nothing,
    a_new_numbering_doubles_nothing,
    opened_and_removed_mail,
    mail_is_moved_into_a_folder_that_is_made,
}

/// A Dovecot with one mail in it, and a desk that has looked at it once.
async fn begun(test: &TestDesk, rest: &str) -> (Dovecot, Reader) {
    let mut dovecot = Dovecot::start();
    dovecot.deliver(&letter("before").bytes());
    let mut reader = reader(test, &dovecot.url(), rest);
    let look = reader.look().await.expect("it is read");
    assert_eq!(look.taken, 0, "it begins at the newest mail");
    test.pass(Duration::from_secs(1));
    (dovecot, reader)
}

/// Waits until there are so many tickets. Returns how long that took.
async fn until_tickets(test: &TestDesk, count: usize) -> Duration {
    let begun = Instant::now();
    loop {
        let found = subjects(test).await;
        if found.len() >= count {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_new_mail_is_told_within_seconds(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    // Looking of itself would take an hour.
    let (mut dovecot, reader) = begun(&test, "poll_seconds = 3600").await;
    let stop = CancellationToken::new();
    let (running, ended) = (stop.clone(), stop.clone());
    let work = async move {
        // It has to connect and to wait before the mail comes, or it would be found by looking.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut slowest = Duration::ZERO;
        for number in 1..=5 {
            test.pass(Duration::from_secs(1));
            dovecot.deliver(&letter(&format!("mail {number}")).bytes());
            slowest = slowest.max(until_tickets(&test, number).await);
        }
        println!("{backend:?}: five mails, the slowest after {slowest:?}");
        assert!(slowest < Duration::from_secs(5), "{slowest:?}");
        stop.cancel();
    };
    let run = async move {
        reader.run(running).await;
        assert!(ended.is_cancelled(), "it reads until it is stopped");
        Instant::now()
    };
    let (at, stopped) = tokio::join!(run, async {
        work.await;
        Instant::now()
    });
    let took = at.saturating_duration_since(stopped);
    assert!(
        took < Duration::from_secs(1),
        "it stops within a second: {took:?}"
    );
}

async fn a_restart_in_the_middle_loses_and_doubles_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (mut dovecot, reader) = begun(&test, "poll_seconds = 3600").await;
    let stop = CancellationToken::new();
    let running = stop.clone();
    let work = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        dovecot.deliver(&letter("one").bytes());
        until_tickets(&test, 1).await;
        test.pass(Duration::from_secs(1));
        dovecot.stop();
        dovecot.deliver(&letter("two").bytes());
        tokio::time::sleep(Duration::from_secs(2)).await;
        dovecot.start_again();
        let took = until_tickets(&test, 2).await;
        println!("{backend:?}: read again {took:?} after the restart");
        test.pass(Duration::from_secs(1));
        dovecot.deliver(&letter("three").bytes());
        until_tickets(&test, 3).await;
        stop.cancel();
    };
    tokio::join!(reader.run(running), work);
    assert_eq!(
        subjects(&test).await,
        ["About one", "About three", "About two"]
    );
}

async fn a_new_numbering_doubles_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (mut dovecot, mut reader) = begun(&test, "").await;
    // The server dates by the second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for id in ["one", "two"] {
        dovecot.deliver(&letter(id).bytes());
    }
    assert_eq!(reader.look().await.expect("it is read").taken, 2);
    test.pass(Duration::from_secs(1));
    let before = validity(&test).await;
    dovecot.renumber();
    dovecot.deliver(&letter("three").bytes());
    let look = reader.look().await.expect("it is read");
    assert_ne!(
        validity(&test).await,
        before,
        "positive control: it numbers anew"
    );
    assert_eq!(
        (look.taken, look.passed),
        (3, 1),
        "two copies and a new one; one older"
    );
    assert_eq!(
        subjects(&test).await,
        ["About one", "About three", "About two"]
    );
}

async fn validity(test: &TestDesk) -> Option<i64> {
    let shown = tierdesk_core::desk::mailboxes::status(&test.desk, &tierdesk_tests::owner()).await;
    shown.expect("it is shown").mailboxes[0].uid_validity
}

async fn opened_and_removed_mail(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (mut dovecot, mut reader) = begun(&test, "after = \"flag\"").await;
    dovecot.deliver_seen(&letter("opened").bytes());
    let gone = dovecot.deliver(&letter("gone").bytes());
    dovecot.deliver(&letter("kept").bytes());
    dovecot.remove(&gone);
    assert_eq!(reader.look().await.expect("it is read").taken, 2);
    assert_eq!(subjects(&test).await, ["About kept", "About opened"]);
    let flagged = dovecot.files().into_iter();
    let flagged = flagged.filter(|path| path.to_string_lossy().ends_with('S'));
    assert_eq!(
        flagged.count(),
        2,
        "what was taken is seen, what was there before is not"
    );
    // A mail that was taken may go as well.
    test.pass(Duration::from_secs(1));
    dovecot.remove("1795400001");
    dovecot.deliver(&letter("later").bytes());
    assert_eq!(reader.look().await.expect("it is read").taken, 1);
}

async fn mail_is_moved_into_a_folder_that_is_made(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (mut dovecot, mut reader) = begun(&test, "after = \"move:Done\"").await;
    for id in ["one", "two", "three"] {
        dovecot.deliver(&letter(id).bytes());
    }
    assert_eq!(reader.look().await.expect("it is read").taken, 3);
    assert_eq!(dovecot.files_in("Done").len(), 3);
    assert_eq!(dovecot.files().len(), 1, "what was there before stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_at_once_and_later() {
    let test = TestDesk::with_customers(Backend::Sqlite).await;
    let mut dovecot = Dovecot::start();
    let trust = format!("ca_file = {:?}", dovecot.ca_file.display().to_string());
    let mut tls = reader(&test, &dovecot.tls_url(), &trust);
    tls.look().await.expect("it is read over TLS");
    test.pass(Duration::from_secs(1));
    dovecot.deliver(&letter("one").bytes());
    let mut later = reader(&test, &dovecot.starttls_url(), &trust);
    assert_eq!(
        later.look().await.expect("it is read with STARTTLS").taken,
        1
    );
    // Nobody vouches for this certificate: the system's authorities do not.
    for url in [dovecot.tls_url(), dovecot.starttls_url()] {
        let error = reader(&test, &url, "")
            .look()
            .await
            .expect_err("it is not trusted");
        assert!(error.to_string().contains("turning to TLS"), "{error}");
    }
    let wrong = Dovecot::start();
    let other = format!("ca_file = {:?}", wrong.ca_file.display().to_string());
    let error = reader(&test, &dovecot.tls_url(), &other).look().await;
    error.expect_err("another server's certificate is not this one's");
}
