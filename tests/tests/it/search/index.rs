//! The index is what is stored, whatever wrote it; and what was stored before there was an index is
//! indexed afterwards, in one go or in several.

use std::{collections::BTreeMap, time::Duration};

use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tierdesk_core::{
    desk::{
        reply::{self, NewReply},
        search::fill,
        work_ticket::{close, link, merge, note, split, tag},
    },
    mail::{Attachment, AttachmentInfo},
    permit::{Actor, FillIndex, SetStatus, Subject, SystemRole, authorise},
    store::search::{self, forget, forget_ticket},
    tickets::{CloseReason, TicketNumber},
};
use tierdesk_tests::{Backend, MailDesk, TestDesk, on_both, owner};

use super::numbers;

on_both! {
    the_index_is_what_is_stored,
    what_was_stored_before_is_indexed_afterwards,
    what_is_forgotten_is_not_found,
}

const JOHN: &str = "john@acmefinance.com";
const WORKER: Actor = Actor::System(SystemRole::Worker);

/// Every term with its place, by what its document stands for: the numbers of documents may differ.
async fn dump(test: &TestDesk) -> BTreeMap<String, Vec<String>> {
    let entries: Vec<(i64, Option<String>)> = test
        .look_at(
            "SELECT doc, lower(hex(message_id)) FROM search_entries ORDER BY doc",
            "SELECT doc, replace(message_id::TEXT, '-', '') FROM search_entries ORDER BY doc",
        )
        .await;
    let names: BTreeMap<i64, String> = entries
        .into_iter()
        .map(|(doc, message)| {
            let ticket = doc >> 20;
            let own = || (doc & 0xf_ffff).to_string();
            (
                doc,
                format!(
                    "{ticket}/{}",
                    message.filter(|id| !id.is_empty()).unwrap_or_else(own)
                ),
            )
        })
        .collect();
    let mut dump = BTreeMap::<String, Vec<String>>::new();
    for (doc, term) in terms(test).await {
        let name = names
            .get(&doc)
            .unwrap_or_else(|| panic!("{doc} stands for something"));
        dump.entry(name.clone()).or_default().push(term);
    }
    assert_eq!(dump.len(), names.len(), "every entry has words");
    for terms in dump.values_mut() {
        terms.sort();
    }
    dump
}

async fn terms(test: &TestDesk) -> Vec<(i64, String)> {
    if test.url.starts_with("postgres") {
        return test
            .look(
                "SELECT rowid, lexeme || unnest(positions)::TEXT FROM search_terms, unnest(terms)",
            )
            .await;
    }
    let mut connection = SqliteConnection::connect(&test.url)
        .await
        .expect("SQLite opens the file");
    connection
        .execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, search_terms, instance)")
        .await
        .expect("SQLite lists terms");
    let query = sqlx::query_as("SELECT doc, term || \"offset\" FROM temp.terms");
    query
        .fetch_all(&mut connection)
        .await
        .expect("they are listed")
}

/// The index made anew from what is stored.
async fn rebuilt(test: &TestDesk) -> BTreeMap<String, Vec<String>> {
    wipe(test).await;
    fill(&test.desk, &WORKER, |_| ())
        .await
        .expect("it is filled");
    dump(test).await
}

async fn wipe(test: &TestDesk) {
    test.tamper("DELETE FROM search_terms").await;
    test.tamper("DELETE FROM search_entries").await;
    test.tamper("UPDATE search_state SET is_complete = FALSE")
        .await;
}

/// Everything that writes words, once. Returns the ticket that has most of them.
async fn work(desk: &MailDesk) -> TicketNumber {
    let test = &desk.test;
    let first = desk
        .receive_on(&MailDesk::proven(JOHN, "one").body("Łódź AccessDenied"))
        .await;
    test.pass(Duration::from_mins(1));
    let second = desk
        .receive_on(&MailDesk::proven("ann@acmefinance.com", "two"))
        .await;
    desk.receive(&MailDesk::proven("admin@startupcorp.io", "other"))
        .await;
    desk.post().await;
    for id in ["three", "four"] {
        test.pass(Duration::from_mins(1));
        desk.receive(
            &MailDesk::proven(JOHN, id)
                .answers("one")
                .body(&format!("Text of {id}")),
        )
        .await;
    }
    let new = NewReply {
        text: "We **look** into it".to_owned(),
        attachments: vec![Attachment {
            info: AttachmentInfo {
                name: "plan.txt".to_owned(),
                content_type: "text/plain".to_owned(),
                size: 6,
                inline: false,
            },
            content: b"a plan".to_vec(),
        }],
        ..NewReply::default()
    };
    reply::reply(&test.desk, &owner(), first, new)
        .await
        .expect("it is answered");
    reply::undo(&test.desk, &owner(), first)
        .await
        .expect("it is taken back");
    desk.reply(second, "This one leaves").await;
    desk.post_later().await;
    note(&test.desk, &owner(), second, "a note of ours")
        .await
        .expect("it is noted");
    let messages = test.ticket(first).await.messages;
    let place = 1 + messages
        .iter()
        .position(|one| one.text == "Text of three")
        .expect("it is there");
    let new = split(&test.desk, &owner(), first, &[place], None)
        .await
        .expect("it is two");
    let tags = ["billing".to_owned(), "vip".to_owned()];
    tag(&test.desk, &owner(), first, &tags, &[])
        .await
        .expect("it is tagged");
    tag(&test.desk, &owner(), first, &[], &tags[1..])
        .await
        .expect("it is untagged");
    link(&test.desk, &owner(), first, new.number)
        .await
        .expect("they are tied");
    merge(&test.desk, &owner(), first, second)
        .await
        .expect("they are one");
    close(&test.desk, &owner(), new.number, CloseReason::Done)
        .await
        .expect("it is closed");

    first
}

async fn the_index_is_what_is_stored(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let test = &desk.test;
    let first = work(&desk).await;
    let kept = dump(test).await;
    let messages = test
        .number("SELECT COUNT(*) FROM messages WHERE ticket_id IS NOT NULL")
        .await;
    let tickets = test.number("SELECT COUNT(*) FROM tickets").await;
    let documents = i64::try_from(kept.len()).expect("few");
    assert_eq!(
        documents,
        messages + tickets + 1,
        "each message, ticket and set of tags"
    );
    assert_eq!(rebuilt(test).await, kept);
    println!("{backend:?}: {documents} documents, the same when made anew");
    for (line, found) in [
        ("\"this one leaves\"", vec![first]),
        ("plan.txt", vec![first]),
        ("\"note of ours\"", vec![first]),
        ("billing", vec![first]),
        ("vip", vec![]),
    ] {
        assert_eq!(numbers(test, &owner(), line).await, found, "{line}");
    }
    let attached = numbers(test, &owner(), "has:attachment").await;
    assert_eq!(attached, [], "what was taken back is a note");
    test.tamper("UPDATE messages SET body = 'changed past the store' WHERE direction = 'in'")
        .await;
    assert_ne!(
        rebuilt(test).await,
        kept,
        "positive control: a difference is seen"
    );
}

async fn what_was_stored_before_is_indexed_afterwards(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let test = &desk.test;
    for n in 0..130 {
        desk.receive(&MailDesk::proven("admin@startupcorp.io", &format!("m{n}")))
            .await;
    }
    let whole = dump(test).await;
    wipe(test).await;
    assert_eq!(numbers(test, &owner(), "text").await, []);
    // Cut off after one commit, and within the next.
    for is_committed in [true, false] {
        let mut tx = test.desk.database.begin_write().await.expect("it begins");
        let mut permit = authorise(&mut tx, &WORKER, FillIndex, Subject::Desk)
            .await
            .expect("it may");
        assert_eq!(search::fill(&mut permit, 7).await.expect("it is filled"), 7);
        if is_committed {
            tx.commit().await.expect("it commits");
        }
    }
    assert_eq!(
        numbers(test, &owner(), "text").await.len(),
        7,
        "the newest come first"
    );
    // A mail on a ticket that is not indexed yet, and a new ticket, come between.
    let answer = MailDesk::proven("admin@startupcorp.io", "late").answers("m3");
    desk.receive(&answer).await;
    desk.receive(&MailDesk::proven("admin@startupcorp.io", "new"))
        .await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    assert!(!search::is_complete(&mut tx).await.expect("it is read"));
    drop(tx);
    let mut told = Vec::new();
    let done = fill(&test.desk, &WORKER, |done| told.push(done))
        .await
        .expect("it is filled");
    assert_eq!((done, told.last()), (123, Some(&123)));
    assert_eq!(
        fill(&test.desk, &WORKER, |_| ()).await.expect("it is done"),
        0
    );
    let mut filled = dump(test).await;
    assert_eq!(
        filled.len(),
        whole.len() + 3,
        "one message; one message and its ticket"
    );
    filled.retain(|name, _| whole.contains_key(name));
    assert_eq!(filled, whole);
    assert_eq!(rebuilt(test).await.len(), whole.len() + 3);
}

async fn what_is_forgotten_is_not_found(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let test = &desk.test;
    let number = desk
        .receive_on(&MailDesk::proven(JOHN, "one").body("a regrettable remark"))
        .await;
    assert_eq!(numbers(test, &owner(), "regrettable").await, [number]);
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let ticket = tierdesk_core::store::tickets::find_by_number(&mut tx, number)
        .await
        .expect("it is read");
    let ticket = ticket.expect("it is there");
    let messages = tierdesk_core::store::messages::list_of_ticket(&mut tx, ticket.id)
        .await
        .expect("they are read");
    let mut permit = authorise(&mut tx, &owner(), SetStatus, Subject::Desk)
        .await
        .expect("they may");
    forget(&mut permit, &[messages[0].id])
        .await
        .expect("it is forgotten");
    tx.commit().await.expect("it commits");
    assert_eq!(numbers(test, &owner(), "regrettable").await, []);
    assert_eq!(
        numbers(test, &owner(), "SB-1").await,
        [TicketNumber(1)],
        "its ticket is still found"
    );
    let left = terms(test).await;
    assert!(
        left.iter().all(|(_, term)| !term.contains("regrettable")),
        "not in the index either"
    );
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let mut permit = authorise(&mut tx, &owner(), SetStatus, Subject::Desk)
        .await
        .expect("they may");
    forget_ticket(&mut permit, number)
        .await
        .expect("it is forgotten");
    tx.commit().await.expect("it commits");
    assert_eq!(terms(test).await, []);
}
