//! Debian's Postfix hands mail to our LMTP listener, as it would on the machine of an operator.

use std::time::{Duration, Instant};

use tierdesk_tests::{
    Backend, Delivery, Letter, MailClient, Postfix, Program, Served, TestDesk, address_of_its_own,
    on_both,
};

use super::{SUPPORT, wait_until};

on_both! {
    postfix_delivers_and_tries_again_after_451,
    postfix_keeps_mail_while_the_desk_is_away,
}

const MAILS: usize = 12;

async fn postfix_delivers_and_tries_again_after_451(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let program = Program::new(&test.url);
    let served = Served::start(&program, "lmtp", &["serve"]);
    let postfix = Postfix::start(Delivery::Lmtp(served.address()));
    hand_over(&postfix, "first", 1).await;
    wait_until("the first mail", async || messages(&test).await == 1).await;

    // The desk answers 451 now, to mail that Postfix has promised to deliver.
    test.tamper("ALTER TABLE inbox RENAME TO inbox_away").await;
    hand_over(&postfix, "later", MAILS).await;
    wait_until("no 451", async || {
        postfix.log().matches("451 4.3.0").count() >= MAILS
    })
    .await;
    assert_eq!(
        postfix.queued(),
        MAILS,
        "Postfix keeps what we did not take"
    );
    test.tamper("ALTER TABLE inbox_away RENAME TO inbox").await;
    assert_eq!(messages(&test).await, 1);
    settle(&test, &postfix).await;

    let refused = postfix.log().matches("451 4.3.0").count();
    let sent = postfix.log().matches("status=sent (250 2.0.0").count();
    println!("{backend:?}: {sent} sent, {refused} answers of 451 before");
    assert_eq!(sent, MAILS + 1);
    let all = i64::try_from(MAILS + 1).expect("a count");
    assert_eq!(messages(&test).await, all, "lost or doubled");
    let lmtp = "SELECT COUNT(*) FROM inbox WHERE road = 'lmtp' AND outcome <> 'duplicate'";
    assert_eq!(test.number(lmtp).await, all);
}

async fn postfix_keeps_mail_while_the_desk_is_away(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let program = Program::new(&test.url);
    // It commits the second mail, and dies before Postfix hears of it.
    let cut = program
        .clone()
        .with("TIERDESK_FAULT", "listener.before_reply:2")
        .with("TIERDESK_FAULT_LOG", log.path().to_string_lossy());
    // Without a worker: one that is cut keeps its job until its lease ends.
    let here = address_of_its_own();
    let mut served = Served::start_at(here, &cut, "lmtp", &["serve", "--role", "ingest"]);
    let postfix = Postfix::start(Delivery::Lmtp(served.address()));
    for id in ["a", "b", "c"] {
        hand_over(&postfix, id, 1).await;
    }
    assert!(served.has_crashed(), "it was not cut");
    let hits = std::fs::read_to_string(log.path()).expect("the log is there");
    assert!(hits.contains("listener.before_reply 2"), "{hits}");
    wait_until("Postfix does not see that we are away", async || {
        postfix.queued() > 0
    })
    .await;

    let _second = Served::start_at(here, &program, "lmtp", &["serve"]);
    settle(&test, &postfix).await;
    assert_eq!(messages(&test).await, 3, "lost or doubled");
    println!("{backend:?}: cut after a commit, before its reply; 3 mails, 3 messages");
}

async fn messages(test: &TestDesk) -> i64 {
    test.number("SELECT COUNT(*) FROM messages").await
}

async fn hand_over(postfix: &Postfix, id: &str, mails: usize) {
    let mut client = MailClient::connect(postfix.address(), "EHLO")
        .await
        .expect("Postfix answers");
    for number in 0..mails {
        let mail = Letter::new("john@acmefinance.com", &format!("{id}{number}")).bytes();
        let said = client
            .deliver(&[SUPPORT], &mail, 1)
            .await
            .expect("Postfix takes it");
        assert!(said[0].starts_with("250"), "{said:?}");
    }
}

/// Until Postfix has delivered everything and the desk has processed it.
///
/// A mail that its queue manager finds locked by a delivery agent which is just giving up ("skipped,
/// still being delivered") is put aside for a time of Postfix's own: whatever is left after some
/// seconds, Postfix is asked to try.
async fn settle(test: &TestDesk, postfix: &Postfix) {
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut ask = Instant::now() + Duration::from_secs(15);
    loop {
        if Instant::now() > ask {
            postfix.flush();
            ask += Duration::from_secs(10);
        }
        let waiting = test
            .number("SELECT COUNT(*) FROM inbox WHERE state = 'waiting'")
            .await;
        if postfix.queued() == 0 && waiting == 0 {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{waiting} wait\n{}",
            postfix.log()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
