//! Mailboxes on servers: against a server that misbehaves on demand, and against Dovecot.

mod alarms;
mod dovecot;
mod faults;
mod marks;
mod positions;
mod served;
mod tokens;

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::tickets::{self, TicketReport},
    settings::{ImapMailbox, Settings},
    store::tickets::Filter,
    tickets::Status,
};
use tierdesk_ingest::{imap::Reader, oauth::Tokens};
use tierdesk_tests::{Letter, TestDesk, fake_imap::FakeImap, owner};

/// The one mailbox of a configuration, with `rest` in its section.
fn mailbox(url: &str, rest: &str) -> ImapMailbox {
    settings(url, rest).mail.imap.remove(0)
}

fn settings(url: &str, rest: &str) -> Settings {
    let login = if rest.contains("xoauth2") {
        ""
    } else {
        "password = \"correct-horse\"\n"
    };
    let text = format!(
        "[[mail.imap]]\nurl = {url:?}\nusername = \"support\"\nafter = \"leave\"\n{login}{rest}\n"
    );
    let text = if rest.contains("after =") {
        text.replacen("after = \"leave\"\n", "", 1)
    } else {
        text
    };
    Settings::parse(Some(("test.toml", &text)), std::iter::empty())
        .unwrap_or_else(|fault| panic!("{fault}"))
}

/// A reader that gives a silent server two seconds.
fn reader(test: &TestDesk, url: &str, rest: &str) -> Reader {
    let settings = settings(url, rest);
    let tokens = Tokens::new(settings.oauth.clone()).expect("it is set up");
    let desk = Arc::new(test.desk.clone());
    Reader::new(desk, &settings.mail.imap[0], Arc::new(tokens), "test")
        .expect("the configuration is good")
        .with_patience(Duration::from_secs(2))
}

/// A letter from a customer.
fn letter(id: &str) -> Letter {
    Letter::new("john@acmefinance.com", id)
}

/// A server with one mail in it, and a desk that has looked at it once: whatever comes next is new.
async fn begun(test: &TestDesk, rest: &str) -> (FakeImap, Reader) {
    let server = FakeImap::start().await;
    server.add(letter("before").bytes());
    let mut reader = reader(test, &server.url(), rest);
    let look = reader.look().await.expect("it is read");
    assert_eq!(look.taken, 0, "it begins at the newest mail");
    test.pass(Duration::from_secs(1));
    (server, reader)
}

/// Every ticket.
async fn all(test: &TestDesk) -> Vec<TicketReport> {
    let filter = Filter {
        statuses: Status::ALL.to_vec(),
        limit: i64::MAX,
        ..Filter::default()
    };
    tickets::list(&test.desk, &owner(), &filter)
        .await
        .expect("tickets are listed")
}

/// The subjects of all tickets, sorted.
async fn subjects(test: &TestDesk) -> Vec<String> {
    let mut subjects: Vec<String> = all(test)
        .await
        .into_iter()
        .map(|ticket| ticket.subject)
        .collect();
    subjects.sort();
    subjects
}
