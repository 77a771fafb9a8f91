//! `GET /health` and the use case behind it.

use std::time::{Duration, Instant};

use tierdesk_core::desk::{
    audit,
    health::{self, Health},
};
use tierdesk_tests::{
    Backend, Letter, Program, Served, Stall, TestDesk, drop_databases, http_client::ask, on_both,
};

use super::desk;

on_both! {
    a_desk_that_is_well_says_so_and_looking_changes_nothing,
    a_database_that_cannot_be_read_is_told,
    what_waits_too_long_is_told,
}

async fn a_desk_that_is_well_says_so_and_looking_changes_nothing(backend: Backend) {
    let (test, program) = desk(backend).await;
    let served = Served::http(&program);
    let before = (test.counts().await, files(&test));
    for (method, path, status) in [
        ("GET", "/health", 200),
        ("HEAD", "/health", 200),
        ("GET", "/health?token=x", 200),
        ("GET", "/", 404),
        ("GET", "/healthy", 404),
        ("GET", "/health/", 404),
        ("POST", "/health", 404),
        ("DELETE", "/health", 404),
        ("OPTIONS", "/health", 404),
        ("GET", "/hooks/pagerduty", 404),
        ("POST", "/hooks/pagerduty", 404),
        ("GET", "/oncall/token.ics", 404),
        ("GET", "/../etc/passwd", 404),
        ("GET", "/%2e%2e/health", 404),
    ] {
        let told = ask(served.address(), method, path).await;
        assert_eq!(told.status, status, "{method} {path}: {told:?}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'",
            ),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(told.header(name), Some(value), "{method} {path}: {told:?}");
        }
        assert_eq!(
            told.body.is_empty(),
            method == "HEAD",
            "{method} {path}: {told:?}"
        );
    }
    let told = ask(served.address(), "GET", "/health").await;
    assert_eq!(told.header("content-type"), Some("application/json"));
    let health = told.json();
    assert_eq!(
        (&health["ok"], &health["database"]),
        (&true.into(), &"ok".into())
    );
    assert_eq!(health["jobs_overdue_seconds"], 0);
    let names: Vec<&str> = health["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|check| check["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["database", "jobs", "audit", "pages", "watchdog"]);
    assert!(!told.body.contains("tierdesk.db"), "{}", told.body);
    assert_eq!(
        (test.counts().await, files(&test)),
        before,
        "looking changed something"
    );
    let (code, took) = served.end();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(8), "{took:?}");

    // The control: what changes something is seen by the same comparison.
    program
        .run(&["staff", "add", "dana", "--role", "admin"])
        .done();
    assert_ne!((test.counts().await, files(&test)), before);
}

/// The bytes of the database in a file, and of what is to be written to it. Its shared memory is where
/// readers say that they read.
fn files(test: &TestDesk) -> Vec<Vec<u8>> {
    let Some(path) = test.url.strip_prefix("sqlite://") else {
        return Vec::new();
    };
    let path = path.split('?').next().unwrap_or(path);
    let read = |path: String| std::fs::read(path).unwrap_or_default();
    let files = vec![read(path.to_owned()), read(format!("{path}-wal"))];
    assert!(
        files.iter().map(Vec::len).sum::<usize>() > 100_000,
        "{path} is the database"
    );
    files
}

async fn a_database_that_cannot_be_read_is_told(backend: Backend) {
    let (test, program) = desk(backend).await;
    let served = Served::http(&program);
    let look = async || {
        // Longer than an answer is given again.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        ask(served.address(), "GET", "/health").await
    };
    assert_eq!(look().await.status, 200);
    test.tamper("ALTER TABLE jobs RENAME TO jobs_gone").await;
    let told = look().await;
    assert_eq!(told.status, 503, "{told:?}");
    assert_eq!(told.json()["database"], "it cannot be read");
    assert_eq!(told.json()["ok"], false);
    assert!(!told.body.contains("jobs_gone"), "{}", told.body);
    test.tamper("ALTER TABLE jobs_gone RENAME TO jobs").await;
    assert_eq!(look().await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_database_is_told_in_time() {
    let (test, _) = desk(Backend::Postgres).await;
    let (stall, url) = Stall::before(&test.url).await;
    let served = Served::http(&Program::new(url));
    let look = async || {
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let since = Instant::now();
        let told = ask(served.address(), "GET", "/health").await;
        (
            told.status,
            told.json()["database"].clone(),
            since.elapsed(),
        )
    };
    let well = look().await;
    assert_eq!(well.0, 200);
    stall.freeze(true);
    let (first, second) = (look().await, look().await);
    println!("well {well:?}, frozen {first:?} and {second:?}");
    for (status, database, took) in [first, second] {
        assert_eq!((status, database), (503, "it does not answer".into()));
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    stall.freeze(false);
    let mut again = look().await;
    for _ in 0..20 {
        if again.0 == 200 {
            break;
        }
        again = look().await;
    }
    assert_eq!(again.0, 200, "it comes back by itself: {again:?}");
    drop(served);
    drop_databases().await;
}

async fn what_waits_too_long_is_told(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let verdict = |health: &Health, name: &str| {
        let found = health.checks.iter().find(|check| check.name == name);
        found.map(|check| check.is_ok).expect("it is there")
    };
    // Entries and a job of a mail that wait, though not for long yet.
    test.receive(&Letter::new("john@acmefinance.com", "a"))
        .await;
    let sql = "UPDATE jobs SET run_at = (SELECT MIN(at) FROM audit_entries)";
    let jobs = test.tamper(
        "INSERT INTO jobs (id, kind, payload, state, attempts, max_attempts, run_at, generation, created_at)
         SELECT id, 'process_inbox', '{}', 'queued', 0, 20, at, 0, at FROM audit_entries LIMIT 1",
    );
    assert_eq!(jobs.await, 1);
    test.tamper(sql).await;
    test.pass(Duration::from_mins(4));
    let health = health::look(&test.desk).await;
    assert!(health.is_ok, "{health:?}");
    assert_eq!(health.jobs_overdue_seconds, Some(240));

    test.pass(Duration::from_mins(2));
    let health = health::look(&test.desk).await;
    assert!(!health.is_ok, "{health:?}");
    assert_eq!(health.jobs_overdue_seconds, Some(360));
    assert_eq!(
        (verdict(&health, "jobs"), verdict(&health, "audit")),
        (false, false)
    );
    assert_eq!(
        (verdict(&health, "database"), health.database),
        (true, "ok")
    );

    audit::seal_all(&test.desk).await.expect("it is sealed");
    let health = health::look(&test.desk).await;
    assert_eq!(
        (verdict(&health, "jobs"), verdict(&health, "audit")),
        (false, true)
    );
    test.tamper("UPDATE jobs SET state = 'done', finished_at = run_at")
        .await;
    let health = health::look(&test.desk).await;
    assert!(health.is_ok, "{health:?}");
    assert_eq!(health.jobs_overdue_seconds, Some(0));
}
