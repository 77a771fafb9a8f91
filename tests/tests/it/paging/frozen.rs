//! Several workers, one of them frozen for a minute: no step is lost, none is fired twice, and the one that
//! comes back finds that others went on.

use std::{collections::BTreeMap, io::Write as _, process::Child, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};
use tierdesk_tests::{Backend, WebhookSink, look_into};

use super::{heard, program, sev1, until};

/// A step a minute, so that several fall due while one worker sleeps.
fn hasty() -> tempfile::NamedTempFile {
    let text = include_str!("../../../../config/oncall.toml");
    let text = text
        .replace("10min\", to", "1min\", to")
        .replace("15min\", to", "2min\", to")
        .replace("20min\", to", "3min\", to")
        .replace("\"role:platform-lead\", \"secondary\"", "\"webhooks\"")
        .replace("\"role:security-lead\"", "\"webhooks\"")
        .replace("\"role:engineering-director\"", "\"webhooks\"");
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("it is written");
    file
}

fn signal(child: &Child, what: Signal) {
    let id = i32::try_from(child.id()).expect("process ids are small");
    kill(Pid::from_raw(id), what).expect("it is there");
}

/// Freezes a worker. One that is frozen while it holds SQLite's write lock holds everybody up, which is what
/// one file for several processes means: there it is frozen outside a unit of work. Returns how often that
/// took.
async fn freeze(url: &str, child: &Child) -> usize {
    for tries in 1..200 {
        signal(child, Signal::SIGSTOP);
        if !url.starts_with("sqlite:") || can_write(url).await {
            return tries;
        }
        signal(child, Signal::SIGCONT);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    panic!("it always holds the lock");
}

async fn can_write(url: &str) -> bool {
    let options: SqliteConnectOptions = url.parse().expect("it is a URL");
    let options = options.busy_timeout(Duration::from_millis(300));
    let mut connection = options.connect().await.expect("SQLite opens the file");
    connection.execute("BEGIN IMMEDIATE").await.is_ok()
}

async fn frozen(backend: Backend, workers: usize) {
    let sink = WebhookSink::start().await;
    let (test, program) = program(backend, &sink).await;
    let policies = hasty();
    let program = program.with("TIERDESK_ONCALL__FILE", policies.path().to_string_lossy());
    let mut serving: Vec<Child> = (0..workers)
        .map(|_| program.start(&["serve", "--role", "worker"]))
        .collect();
    for n in 0..5 {
        program
            .run_with(&["mail", "deliver"], &sev1(&format!("early-{n}")))
            .done();
    }
    until("the first pages", async || heard(&sink).len() >= 5).await;
    let tries = freeze(&test.url, &serving[0]).await;
    for n in 0..15 {
        program
            .run_with(&["mail", "deliver"], &sev1(&format!("late-{n}")))
            .done();
    }
    tokio::time::sleep(Duration::from_mins(1)).await;
    let meanwhile = heard(&sink).len();
    signal(&serving[0], Signal::SIGCONT);
    let second = "SELECT COUNT(*) FROM pages WHERE step >= 2 OR round > 0";
    let open = "SELECT COUNT(*) FROM page_notices WHERE state IN ('due', 'sending')";
    until("the second step of every page", async || {
        test.number(second).await == 20 && test.number(open).await == 0
    })
    .await;
    for child in &mut serving {
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
    let steps: Vec<(uuid::Uuid, i64, i64, i64)> = look_into(
        &test.url,
        "SELECT page_id, round, step, CAST(COUNT(*) AS BIGINT) FROM page_notices GROUP BY page_id, round, step",
    )
    .await;
    let doubled = steps.iter().filter(|(.., count)| *count != 1).count();
    let mut per_page: BTreeMap<String, i64> = BTreeMap::new();
    for (page, _, step, _) in &steps {
        let last = per_page.entry(page.to_string()).or_insert(-1);
        *last = (*last).max(*step);
    }
    let gaps = per_page
        .iter()
        .map(|(page, last)| {
            let there = steps.iter().filter(|(id, ..)| id.to_string() == *page);
            last + 1 - i64::try_from(there.count()).expect("it fits")
        })
        .sum::<i64>();
    let sent = heard(&sink).len();
    let doubts = test
        .number("SELECT CAST(SUM(doubts) AS BIGINT) FROM page_notices")
        .await;
    println!(
        "{backend:?}, {workers} workers, one frozen for a minute (try {tries}): {} steps of 20 pages, {doubled} doubled, {gaps} \
         lost; {meanwhile} notices sent meanwhile, {sent} in all, {doubts} in doubt",
        steps.len(),
    );
    assert!(meanwhile >= 20, "positive control: the others went on");
    assert_eq!((doubled, gaps), (0, 0));
    let written = i64::try_from(steps.len()).expect("it fits");
    let sent = i64::try_from(sent).expect("it fits");
    assert!((written..=written + doubts).contains(&sent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_on_sqlite() {
    frozen(Backend::Sqlite, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_workers_on_postgres() {
    frozen(Backend::Postgres, 3).await;
    tierdesk_tests::drop_databases().await;
}
