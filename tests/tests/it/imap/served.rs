//! `serve` reads a mailbox and is killed at every named point: nothing is lost, nothing doubled.

use std::{
    fs,
    time::{Duration, Instant},
};

use tierdesk_tests::{
    Backend, Program, TestDesk,
    dovecot::Dovecot,
    fake_imap::{FakeImap, Fault},
    on_both,
};

use super::letter;
use crate::crash::{assert_settled, worker::wait};

on_both! {
    reading_may_be_cut_anywhere,
    history_may_be_cut_anywhere,
    a_renumbering_may_be_cut_anywhere,
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
        cut_at(backend, &program, point);
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

/// Starts `serve` so that it dies at `point`, and says that it did.
fn cut_at(backend: Backend, program: &Program, point: &str) {
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
        tickets(program)
    );
    assert_eq!(hits, 1, "{point}");
}

const POINTS: [&str; 3] = ["imap.fetched", "imap.before_commit", "imap.committed"];

async fn history_may_be_cut_anywhere(backend: Backend) {
    for point in POINTS {
        let test = TestDesk::with_customers(backend).await;
        let mut dovecot = Dovecot::start();
        for id in ["one", "two", "three"] {
            dovecot.deliver(&letter(id).bytes());
        }
        let program = program(&test, &dovecot)
            .with("TIERDESK_MAIL__IMAP__0__AFTER", "leave")
            .with("TIERDESK_MAIL__IMAP__0__HISTORY", "true");
        cut_at(backend, &program, point);
        free_mailbox(&program).await;
        let mut second = program.start(&["serve"]);
        until("history is taken", || tickets(&program) == 3);
        dovecot.deliver(&letter("new").bytes());
        until("what is new is taken", || tickets(&program) == 4);
        second.kill().expect("it can be killed");
        second.wait().expect("it ends");
        let silent = test
            .number("SELECT COUNT(*) FROM tickets WHERE is_silent")
            .await;
        assert_eq!((silent, tickets(&program)), (3, 4), "{point}");
        assert_settled(&program);
    }
}

async fn a_renumbering_may_be_cut_anywhere(backend: Backend) {
    for point in POINTS {
        let test = TestDesk::with_customers(backend).await;
        let mut dovecot = Dovecot::start();
        let program = program(&test, &dovecot).with("TIERDESK_MAIL__IMAP__0__AFTER", "leave");
        let mut first = program.start(&["serve"]);
        until("it begins", || status(&program)["last_ok_at"].is_string());
        for id in ["one", "two", "three"] {
            dovecot.deliver(&letter(id).bytes());
        }
        until("they are taken", || tickets(&program) == 3);
        first.kill().expect("it can be killed");
        first.wait().expect("it ends");
        let before = status(&program)["uid_validity"].clone();
        dovecot.renumber();
        dovecot.deliver(&letter("four").bytes());
        free_mailbox(&program).await;
        cut_at(backend, &program, point);
        free_mailbox(&program).await;
        let mut second = program.start(&["serve"]);
        until("the new one is taken, and the position is new", || {
            tickets(&program) == 4 && status(&program)["uid_validity"] != before
        });
        until("everything was looked at", || {
            status(&program)["state"] == "ok"
        });
        second.kill().expect("it can be killed");
        second.wait().expect("it ends");
        assert_eq!(tickets(&program), 4, "{point}: doubled");
        assert_settled(&program);
    }
}

/// The road as an operator meets it, for the minutes that it takes: a connection that dies while it
/// waits, then a mailbox that cannot be opened any more. Nothing here depends on the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_connection_is_left_and_an_unread_mailbox_is_told_of() {
    let test = TestDesk::with_customers(Backend::Sqlite).await;
    let server = FakeImap::start().await;
    server.state().dead_idles = 1;
    let program = Program::new(&test.url)
        .with("TIERDESK_MAIL__IMAP__0__URL", server.url())
        .with("TIERDESK_MAIL__IMAP__0__USERNAME", "support")
        .with("TIERDESK_MAIL__IMAP__0__PASSWORD", "correct-horse")
        .with("TIERDESK_MAIL__IMAP__0__ALARM_MINUTES", "1");
    let mut serving = program.start(&["serve"]);
    let is_dead = || server.state().dead_idles == 0;
    wait_for("the connection goes dead", 20, is_dead).await;
    let since = Instant::now();
    server.add(letter("behind").bytes());
    wait_for("the mail behind a dead connection", 40, || {
        tickets(&program) == 1
    })
    .await;
    println!("a dead connection was left after {:.0?}", since.elapsed());

    server.fail(
        "SELECT",
        Fault::No("mailbox is locked".to_owned()),
        usize::MAX,
    );
    server.fail("NOOP", Fault::Close, usize::MAX);
    let told = || status(&program)["state"] == "alarm";
    wait_for("the alarm", 150, told).await;
    println!(
        "an unread mailbox was told of after {:.0?}",
        since.elapsed()
    );
    let shown = program.run(&["ticket", "list", "--json"]).done().json();
    let alarm = shown[0].clone();
    assert_eq!(alarm["severity"], "sev1", "{shown}");
    assert!(
        alarm["subject"]
            .to_string()
            .contains("has not been read since"),
        "{shown}"
    );

    server.state().faults.clear();
    server.add(letter("after").bytes());
    wait_for("the mail after the outage", 90, || tickets(&program) == 3).await;
    wait_for("it is well again", 10, || status(&program)["state"] == "ok").await;
    serving.kill().expect("it can be killed");
    serving.wait().expect("it ends");
    assert_settled(&program);
}

/// As [`until`], and the server beside goes on meanwhile.
async fn wait_for(what: &str, seconds: u64, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !tokio::task::block_in_place(&mut is_so) {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(300)).await;
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
