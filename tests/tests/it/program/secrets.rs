//! 300 secrets in mails, of shapes and in sentences that the masker's own tests do not use: how many are
//! found, and that none that was found is in any text of the database or line of the finest log.

use std::fmt::Write as _;

use tierdesk_tests::{Backend, look_into, on_both, seeded_secrets};

use super::with_customers;

on_both! {
    secrets_in_mails_are_in_no_text_and_no_log,
}

async fn secrets_in_mails_are_in_no_text_and_no_log(backend: Backend) {
    let (program, folder) = with_customers(backend).await;
    let secrets = seeded_secrets();
    let mut mbox = String::new();
    for (number, one) in (0..).zip(&secrets) {
        write!(
            mbox,
            "From x Tue Nov 24 09:00:00 2026\nFrom: admin@startupcorp.io\r\nSubject: mail {number}\r\n\
             Message-ID: <s{number}@x>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n\n",
            one.text
        )
        .expect("text takes text");
    }
    assert_eq!(secrets.len(), 300);
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("mails.mbox");
    std::fs::write(&file, mbox).expect("it is written");
    let path = file.to_str().expect("a path");
    let program = program.with("TIERDESK_LOG", "trace");
    let ended = program.run(&["mail", "import", "--live", path]);
    ended.done();

    let texts = texts_of(&program).await;
    assert!(
        texts.contains("press save"),
        "positive control: the texts are there"
    );
    let left: Vec<&str> = secrets
        .iter()
        .filter(|one| texts.contains(&one.secret))
        .map(|one| one.before)
        .collect();
    let found = secrets.len() - left.len();
    let logged = secrets
        .iter()
        .filter(|one| ended.err.contains(&one.secret) || ended.out.contains(&one.secret));
    let logged = logged.count();
    println!(
        "secrets: {found} of {} masked in every text; {logged} in {} bytes of log; left after {left:?}",
        secrets.len(),
        ended.err.len()
    );
    assert!(ended.err.len() > 1_000, "positive control: there is a log");
    assert!(
        found * 100 >= secrets.len() * 95,
        "{found} of {}: {left:?}",
        secrets.len()
    );
    assert_eq!(logged, 0);
    drop(folder);
}

/// Every text that the import stored: mails, subjects, timelines, audit entries, jobs.
async fn texts_of(program: &tierdesk_tests::Program) -> String {
    let mut texts = String::new();
    for statement in [
        "SELECT body || ' ' || reply_text || ' ' || subject || ' ' || findings FROM messages",
        "SELECT subject || ' ' || trust_reasons FROM tickets",
        "SELECT detail FROM ticket_events",
        "SELECT fields FROM audit_entries",
        "SELECT payload || ' ' || COALESCE(last_error, '') FROM jobs",
    ] {
        let rows: Vec<(String,)> = look_into(program.url(), statement).await;
        for (text,) in rows {
            texts.push_str(&text);
            texts.push('\n');
        }
    }
    texts
}
