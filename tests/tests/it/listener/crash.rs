//! `serve` is cut while it takes a mail: the client that heard no 250 sends again, and there is one
//! ticket with one message.

use std::fs;

use tierdesk_tests::{Backend, Letter, MailClient, Program, Served, TestDesk, on_both};

use super::{SUPPORT, wait_until};

on_both! {
    every_named_point_may_be_the_last,
}

async fn every_named_point_may_be_the_last(backend: Backend) {
    let (mut lost, mut doubled, mut cuts) = (0, 0, 0);
    for point in [
        "listener.received",
        "arrivals.before_commit",
        "arrivals.committed",
        "listener.before_reply",
        "listener.replied",
    ] {
        let test = TestDesk::with_customers(backend).await;
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let program = Program::new(&test.url);
        let cut = program
            .clone()
            .with("TIERDESK_FAULT", format!("{point}:2"))
            .with("TIERDESK_FAULT_LOG", log.path().to_string_lossy());
        // Without a worker: what was committed waits through the crash.
        let mut first = Served::start(&cut, "lmtp", &["serve", "--role", "ingest"]);
        let mails: Vec<Vec<u8>> = ["a", "b"]
            .map(|id| Letter::new("john@acmefinance.com", id).bytes())
            .to_vec();
        let heard = hand_over(&first, &mails).await;
        assert!(first.has_crashed(), "{point} did not end it");
        let hits = fs::read_to_string(log.path()).expect("the log is there");
        let wanted = format!("{point} 2");
        assert!(hits.lines().any(|line| line == wanted), "{point}: {hits}");
        assert_eq!(
            heard[0],
            Some("250".to_owned()),
            "{point}: the first mail is through"
        );
        let committed = test.number("SELECT COUNT(*) FROM inbox").await;
        println!(
            "{backend:?} {point}: 2 hits, second mail answered {:?}, {committed} stored",
            heard[1]
        );
        cuts += 1;
        // What was acknowledged is there: that is the promise.
        let acknowledged = heard.iter().flatten().count();
        assert!(
            committed >= i64::try_from(acknowledged).expect("a count"),
            "{point}"
        );

        let second = Served::start(&program, "lmtp", &["serve"]);
        for (mail, heard) in mails.iter().zip(&heard) {
            if heard.is_none() {
                let again = hand_over(&second, std::slice::from_ref(mail)).await;
                assert_eq!(again, [Some("250".to_owned())], "{point}");
            }
        }
        wait_until("the worker does nothing", async || {
            let sql = "SELECT COUNT(*) FROM jobs WHERE state IN ('queued', 'leased')";
            test.number(sql).await == 0
        })
        .await;
        let messages = test.number("SELECT COUNT(*) FROM messages").await;
        lost += (2 - messages).max(0);
        doubled += (messages - 2).max(0);
        drop(second);
        crate::crash::assert_settled(&program);
    }
    println!("{backend:?}: {cuts} cuts, {lost} lost, {doubled} doubled");
    assert_eq!((cuts, lost, doubled), (5, 0, 0));
}

/// Hands mails over on one connection. Returns the code of each final reply that was heard.
async fn hand_over(served: &Served, mails: &[Vec<u8>]) -> Vec<Option<String>> {
    let mut client = MailClient::connect(served.address(), "LHLO")
        .await
        .expect("it answers");
    let mut heard = Vec::new();
    for mail in mails {
        let said = client.deliver(&[SUPPORT], mail, 1).await.ok();
        heard.push(said.and_then(|said| Some(said.first()?.get(..3)?.to_owned())));
    }
    heard
}
