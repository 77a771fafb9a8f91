//! An arrival whose receiver died is processed by a worker, and a worker may die as well.

use std::{
    process::{Child, ExitStatus},
    time::{Duration, Instant},
};

use tierdesk_tests::{Backend, Program, TestDesk, on_both};

const MAIL: &[u8] = b"From: john@acmefinance.com\r\nSubject: Dashboard error\r\n\
    Message-ID: <1@acmefinance.com>\r\n\r\nError 503.\r\n";

const CUSTOMERS: &str = include_str!("../../../../config/customers.toml");

on_both! {
    a_worker_takes_over_and_may_die_itself,
}

async fn a_worker_takes_over_and_may_die_itself(backend: Backend) {
    for point in [
        "job.claimed",
        "process.before_commit",
        "process.committed",
        "job.ran",
    ] {
        let (url, _folder) = TestDesk::place(backend).await;
        let program = Program::new(url);
        let import = ["customer", "import", "-", "--format", "toml"];
        program.run_with(&import, CUSTOMERS.as_bytes()).done();
        let dies = program
            .clone()
            .with("TIERDESK_FAULT", "arrival.committed:1");
        assert_eq!(
            dies.run_with(&["mail", "deliver"], MAIL).code,
            None,
            "the receiver dies"
        );
        retry_the_one_job(&program);

        let cut = program.clone().with("TIERDESK_FAULT", format!("{point}:1"));
        let ended = wait(cut.start(&["serve"]), Duration::from_secs(20));
        assert!(
            ended.is_some_and(|status| status.code().is_none()),
            "{point} did not end the worker: {ended:?}"
        );
        println!("{backend:?} {point}: 1 hit");

        // Its lease would end in a minute and a half; a person need not wait for that.
        free_lapsed_lease(&program).await;
        let mut second = program.start(&["serve"]);
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_settled(&program) {
            assert!(
                Instant::now() < deadline,
                "{point}: the second worker does nothing"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        second.kill().expect("it can be killed");
        second.wait().expect("it ends");
        let list = program.run(&["ticket", "list", "--json"]).done().json();
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{point}: {list}");
        super::assert_settled(&program);
    }
}

fn retry_the_one_job(program: &Program) {
    let jobs = program.run(&["jobs", "list", "--json"]).done().json();
    let id = jobs[0]["id"].as_str().expect("the arrival's job is there");
    program.run(&["jobs", "retry", id]).done();
}

fn is_settled(program: &Program) -> bool {
    let jobs = program.run(&["jobs", "list", "--json"]).done().json();
    jobs.as_array().is_some_and(Vec::is_empty)
}

/// Lets the dead worker's lease end now.
pub(crate) async fn free_lapsed_lease(program: &Program) {
    let options = tierdesk_core::store::OpenOptions::new(program.url());
    let database = options.open().await.expect("the database opens");
    let sql = "UPDATE jobs SET leased_until = run_at WHERE state = 'leased'";
    database.tamper(sql, sql).await;
    database.close().await;
}

/// How it ended; `None` when it still runs after `limit`.
pub(crate) fn wait(mut child: Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().expect("it can be asked") {
            return Some(status);
        }
        if Instant::now() > deadline {
            child.kill().expect("it can be killed");
            child.wait().expect("it ends");
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
