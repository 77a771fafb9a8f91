//! `serve` reads a mailbox and is killed at every named point: nothing is lost, nothing doubled.

use std::{
    fs,
    time::{Duration, Instant},
};

use tierdesk_tests::{Backend, Program, TestDesk, dovecot::Dovecot, on_both};

use super::letter;
use crate::crash::{assert_settled, worker::wait};

on_both! {
    reading_may_be_cut_anywhere,
    one_process_reads_and_another_takes_over,
}

fn program(test: &TestDesk, dovecot: &Dovecot) -> Program {
    Program::new(&test.url)
        .with("TIERDESK_MAIL__IMAP__0__URL", dovecot.url())
        .with("TIERDESK_MAIL__IMAP__0__USERNAME", "support")
        .with("TIERDESK_MAIL__IMAP__0__PASSWORD", "correct-horse")
        .with("TIERDESK_MAIL__IMAP__0__AFTER", "move:Done")
}

fn status(program: &Program) -> serde_json::Value {
    let status = program.run(&["mail", "status", "--json"]).done().json();
    status["mailboxes"][0].clone()
}

fn tickets(program: &Program) -> usize {
    let list = program.run(&["ticket", "list", "--json"]).done().json();
    list.as_array().map_or(0, Vec::len)
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(45);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Lets the dead process's right to read end now.
async fn free_mailbox(program: &Program) {
    let options = tierdesk_core::store::OpenOptions::new(program.url());
    let database = options.open().await.expect("the database opens");
    let sql = "DELETE FROM leases WHERE name LIKE 'mailbox:%'";
    database.tamper(sql, sql).await;
    database.close().await;
}

async fn reading_may_be_cut_anywhere(backend: Backend) {
    for point in [
        "imap.fetched",
        "imap.before_commit",
        "imap.committed",
        "imap.marked",
    ] {
        let test = TestDesk::with_customers(backend).await;
        let mut dovecot = Dovecot::start();
        let program = program(&test, &dovecot);
        let mut first = program.start(&["serve"]);
        until("it begins", || status(&program)["last_ok_at"].is_string());
        first.kill().expect("it can be killed");
        first.wait().expect("it ends");
        for id in ["one", "two", "three"] {
            dovecot.deliver(&letter(id).bytes());
        }
        free_mailbox(&program).await;
        let log = tempfile::NamedTempFile::new().expect("a file");
        let cut = program
            .clone()
            .with("TIERDESK_FAULT", format!("{point}:1"))
            .with("TIERDESK_FAULT_LOG", log.path().display().to_string());
        let ended = wait(cut.start(&["serve"]), Duration::from_secs(30));
        assert!(
            ended.is_some_and(|status| status.code().is_none()),
            "{point} did not end it: {ended:?}"
        );
        let hits = fs::read_to_string(log.path()).expect("the hits are told");
        let hits = hits.lines().filter(|line| line.starts_with(point)).count();
        println!(
            "{backend:?} {point}: {hits} hit, {} tickets by then",
            tickets(&program)
        );
        assert_eq!(hits, 1, "{point}");

        free_mailbox(&program).await;
        let mut second = program.start(&["serve"]);
        until("everything is taken and moved", || {
            tickets(&program) == 3 && dovecot.files_in("Done").len() == 3
        });
        until("it is written down", || {
            status(&program)["state"] == "ok" && status(&program)["last_uid"] == 3
        });
        second.kill().expect("it can be killed");
        second.wait().expect("it ends");
        assert_eq!(tickets(&program), 3, "{point}");
        assert_eq!(dovecot.files().len(), 0, "{point}");
        assert_settled(&program);
    }
}

async fn one_process_reads_and_another_takes_over(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let mut dovecot = Dovecot::start();
    let program = program(&test, &dovecot);
    let mut first = program.start(&["serve", "--role", "ingest"]);
    until("it begins", || status(&program)["last_ok_at"].is_string());
    let mut second = program.start(&["serve", "--role", "ingest"]);
    dovecot.deliver(&letter("one").bytes());
    until("one of them takes it", || tickets(&program) == 1);
    first.kill().expect("it can be killed");
    first.wait().expect("it ends");
    free_mailbox(&program).await;
    dovecot.deliver(&letter("two").bytes());
    until("the other one takes over", || tickets(&program) == 2);
    second.kill().expect("it can be killed");
    second.wait().expect("it ends");
    assert_settled(&program);
}
