//! What is attached to a mail is kept byte for byte, once a customer, under the customer's key, and
//! goes where its ticket goes.

use std::sync::Arc;

use tierdesk_core::{
    desk::{
        Desk, Error, attachments,
        store_arrival::{NewArrival, store_arrivals},
        work_ticket::{BindOptions, bind},
    },
    jobs::worker::Worker,
    mail::Envelope,
    receive::Road,
    refusal::RefusalCode,
    staff::{Role, StaffStatus},
    tickets::TicketNumber,
};
use tierdesk_ingest::process::ProcessInbox;
use tierdesk_tests::{Backend, Letter, TestDesk, on_both, owner};

use super::permits::{hire, login};

on_both! {
    attachments_are_kept_byte_for_byte,
    the_same_logo_is_kept_once_a_customer,
    a_ticket_takes_its_attachments_along_and_leaves_others_theirs,
    an_attached_mail_that_arrives_by_itself_too_is_kept_once,
    an_auditor_sees_that_there_is_one,
}

const JOHN: &str = "john@acmefinance.com";
const LOGO: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR a logo, \xff\xfe and not text";

fn with_files(from: &str, id: &str, files: &[(&str, &[u8])]) -> Letter {
    let letter = Letter::new(from, id);
    files.iter().fold(letter, |letter, (name, content)| {
        letter.attach(name, content)
    })
}

async fn opened(test: &TestDesk, number: TicketNumber, position: usize) -> (String, Vec<u8>) {
    let (report, bytes) = attachments::open(&test.desk, &owner(), number, position)
        .await
        .expect("it opens");
    (report.content_type, bytes)
}

async fn blobs(test: &TestDesk) -> i64 {
    test.number("SELECT COUNT(*) FROM blobs").await
}

async fn attachments_are_kept_byte_for_byte(backend: Backend) {
    let key = "5a".repeat(32);
    for key in [None, Some(&*key)] {
        let test = TestDesk::with_key(backend, key).await;
        test.import_shipped_customers().await;
        let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let files: [(&str, &[u8]); 3] = [("../a.bin", &every_byte), ("logo", LOGO), ("none", b"")];
        let number = test.receive_on(&with_files(JOHN, "a", &files)).await;
        let listed = attachments::list(&test.desk, &owner(), number)
            .await
            .expect("they are listed");
        let names: Vec<_> = listed
            .iter()
            .map(|one| (one.position, &*one.name))
            .collect();
        assert_eq!(names, [(1, "_a.bin"), (2, "logo"), (3, "none")]);
        assert_eq!(opened(&test, number, 1).await.1, every_byte);
        assert_eq!(
            opened(&test, number, 2).await,
            ("image/png".to_owned(), LOGO.to_vec()),
            "the type is what the bytes show"
        );
        assert_eq!(opened(&test, number, 3).await.1, b"");
        let none = attachments::open(&test.desk, &owner(), number, 4).await;
        let Err(Error::Refused(refusal)) = none else {
            panic!("there is no fourth: {none:?}");
        };
        assert_eq!(refusal.code, RefusalCode::NotFound);
    }
}

async fn the_same_logo_is_kept_once_a_customer(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let mut numbers = Vec::new();
    for (from, id) in [(JOHN, "a"), (JOHN, "b"), ("admin@startupcorp.io", "c")] {
        numbers.push(
            test.receive_on(&with_files(from, id, &[("l", LOGO), ("m", LOGO)]))
                .await,
        );
    }
    assert_eq!(
        blobs(&test).await,
        3 + 2,
        "three mails, a logo for each customer"
    );
    for number in numbers {
        assert_eq!(opened(&test, number, 2).await.1, LOGO);
    }
}

async fn a_ticket_takes_its_attachments_along_and_leaves_others_theirs(backend: Backend) {
    let test = TestDesk::with_key(backend, Some(&"5a".repeat(32))).await;
    test.import_shipped_customers().await;
    let kept = test
        .receive_on(&with_files(JOHN, "a", &[("l", LOGO)]))
        .await;
    let moved = test
        .receive_on(&with_files(
            JOHN,
            "b",
            &[("l", LOGO), ("own", b"only here")],
        ))
        .await;
    let triage = test
        .receive_on(&with_files("eve@stranger.example", "c", &[("l", LOGO)]))
        .await;
    let options = BindOptions::default();
    for number in [moved, triage, moved] {
        bind(&test.desk, &owner(), number, "medicorp", options)
            .await
            .expect("it is bound");
    }
    assert_eq!(opened(&test, kept, 1).await.1, LOGO);
    assert_eq!(opened(&test, moved, 1).await.1, LOGO);
    assert_eq!(opened(&test, moved, 2).await.1, b"only here");
    assert_eq!(opened(&test, triage, 1).await.1, LOGO);
    let astray = "SELECT COUNT(*) FROM attachments a JOIN messages m ON m.id = a.message_id
        JOIN blobs b ON b.id = a.blob_id WHERE b.customer_id IS DISTINCT FROM m.customer_id";
    assert_eq!(
        test.number(astray).await,
        0,
        "content of one under another's key"
    );
    let mails = "SELECT COUNT(*) FROM messages m JOIN blobs b ON b.id = m.blob_id
        WHERE b.customer_id IS DISTINCT FROM m.customer_id";
    assert_eq!(test.number(mails).await, 0);
    let unused = "SELECT COUNT(*) FROM blobs b WHERE NOT EXISTS (SELECT 1 FROM messages WHERE blob_id = b.id)
        AND NOT EXISTS (SELECT 1 FROM attachments WHERE blob_id = b.id)";
    assert_eq!(test.number(unused).await, 0, "left behind");
    assert_eq!(blobs(&test).await, 3 + 2 + 1);
    // The control: the query sees content that is where it should not be.
    let first = "SELECT blob_id FROM inbox WHERE blob_id IS NOT NULL ORDER BY id LIMIT 1";
    test.tamper(&format!("UPDATE attachments SET blob_id = ({first})"))
        .await;
    assert!(test.number(astray).await > 0);
}

async fn an_attached_mail_that_arrives_by_itself_too_is_kept_once(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let inner = Letter::new(JOHN, "inner").bytes();
    let outer = with_files(JOHN, "outer", &[("inner.eml", &inner)]).bytes();
    let arrivals: Vec<NewArrival> = [outer, inner.clone()]
        .iter()
        .map(|raw| NewArrival::new(Road::Lmtp, None, Envelope::default(), raw, None))
        .collect();
    let stored = store_arrivals(&test.desk, &arrivals).await;
    assert!(stored.iter().all(Result::is_ok), "{stored:?}");
    let desk = Arc::new(Desk::new(test.desk.database.clone()));
    let handler = Arc::new(ProcessInbox { desk });
    let worker = Worker::new(test.desk.database.clone(), "worker", vec![handler]);
    worker.drain().await.expect("the queue is worked off");
    assert_eq!(test.number("SELECT COUNT(*) FROM messages").await, 2);
    assert_eq!(blobs(&test).await, 2);
    let again = with_files(JOHN, "again", &[("inner.eml", &inner)]);
    let number = test.receive_on(&again).await;
    assert_eq!(opened(&test, number, 1).await.1, inner);
    assert_eq!(blobs(&test).await, 3);
}

async fn an_auditor_sees_that_there_is_one(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let number = test
        .receive_on(&with_files(JOHN, "a", &[("l", LOGO)]))
        .await;
    hire(&test, &owner(), "ada", Role::Auditor, StaffStatus::Active).await;
    let auditor = login("ada");
    let listed = attachments::list(&test.desk, &auditor, number)
        .await
        .expect("it is listed");
    assert_eq!(listed.len(), 1);
    let refused = attachments::open(&test.desk, &auditor, number, 1).await;
    let Err(Error::Refused(refusal)) = refused else {
        panic!("an auditor opened it");
    };
    assert_eq!(refusal.code, RefusalCode::NotPermitted);
}
