//! A mailbox that nobody reads is an alarm, once an outage, whatever the reason.

use std::time::Duration;

use tierdesk_core::desk::mailboxes::{self, status};
use tierdesk_ingest::imap::check_alarms;
use tierdesk_tests::{
    Backend, TestDesk,
    fake_imap::{FakeImap, Fault},
    ingest, on_both, owner,
};

use super::{all, begun, letter, reader, subjects};

on_both! {
    an_unread_mailbox_is_told_once_an_outage,
    a_mailbox_that_was_never_read_is_told_too,
}

const SPAN: Duration = Duration::from_mins(15);
const ALMOST: Duration = Duration::from_mins(14);

async fn an_unread_mailbox_is_told_once_an_outage(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let (server, mut reader) = begun(&test, "").await;
    let watched = [(reader.name().to_owned(), SPAN)];
    assert_eq!(
        check_alarms(&test.desk, &watched).await,
        0,
        "it was read just now"
    );
    for outage in 1..=2 {
        server.fail("SELECT", Fault::No("mailbox is locked".to_owned()), 1);
        let error = reader.look().await.expect_err("it cannot be opened");
        let name = reader.name();
        let words = error.to_string();
        mailboxes::record_failure(&test.desk, &ingest(), name, &words)
            .await
            .expect("it is written down");
        test.pass(ALMOST);
        assert_eq!(check_alarms(&test.desk, &watched).await, 0, "not yet");
        test.pass(Duration::from_mins(2));
        assert_eq!(
            check_alarms(&test.desk, &watched).await,
            1,
            "outage {outage}"
        );
        test.pass(Duration::from_mins(2));
        assert_eq!(check_alarms(&test.desk, &watched).await, 0, "once");
        let shown = status(&test.desk, &owner()).await.expect("it is shown");
        assert_eq!(shown.mailboxes[0].state, "alarm");
        assert!(
            shown.mailboxes[0]
                .last_error
                .as_ref()
                .is_some_and(|why| why.contains("locked"))
        );
        let tickets = all(&test).await;
        let told: Vec<_> = tickets
            .iter()
            .filter(|one| one.subject.contains("has not been read since"))
            .collect();
        assert_eq!(told.len(), outage);
        assert_eq!(told[0].severity.to_string(), "sev1");
        assert!(
            told.iter()
                .any(|one| one.trust_reasons.iter().any(|why| why.contains("locked")))
        );
        server.add(letter(&format!("after {outage}")).bytes());
        assert_eq!(
            reader.look().await.expect("it is read").taken,
            1,
            "nothing was lost"
        );
        let shown = status(&test.desk, &owner()).await.expect("it is shown");
        assert_eq!(shown.mailboxes[0].state, "ok");
        assert_eq!(shown.mailboxes[0].alarmed_at, None);
        test.pass(Duration::from_secs(1));
    }
}

async fn a_mailbox_that_was_never_read_is_told_too(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let server = FakeImap::start().await;
    let reader = reader(&test, &server.url(), "");
    let watched = [(reader.name().to_owned(), SPAN)];
    assert_eq!(
        check_alarms(&test.desk, &watched).await,
        0,
        "it is not known yet"
    );
    mailboxes::open(&test.desk, &ingest(), reader.name())
        .await
        .expect("it is known");
    test.pass(SPAN);
    assert_eq!(check_alarms(&test.desk, &watched).await, 1);
    assert_eq!(subjects(&test).await.len(), 1);
}
