//! Workers: each job once, lanes in order, failures settled, sleepers woken.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tierdesk_core::{
    clock::Clock,
    jobs::{
        Handler, HandlerFuture, Job, JobError, JobState, NewJob,
        worker::{Tick, Worker},
    },
    store::{Database, jobs},
};
use tierdesk_tests::{Backend, TestDesk, drop_databases, on_both};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

on_both! {
    many_workers_do_each_job_once,
    lanes_keep_their_order_and_never_run_two_at_once,
    a_failing_job_waits_longer_and_is_given_up,
    a_job_that_cannot_succeed_is_given_up_at_once,
    a_job_that_takes_too_long_is_postponed,
    a_job_that_kills_its_workers_is_given_up,
    a_sleeping_worker_is_woken,
    a_job_finished_with_its_effect_is_done,
}

/// What a handler does with one job.
type Deed = Box<dyn Fn(&Job) -> Result<(), JobError> + Send + Sync>;

/// A handler of jobs of the kind `test`.
struct Fake {
    deed: Deed,
    pause: Duration,
}

impl Handler for Fake {
    fn kind(&self) -> &'static str {
        "test"
    }
    fn time_limit(&self) -> Duration {
        Duration::from_secs(5)
    }
    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            tokio::time::sleep(self.pause).await;
            (self.deed)(job)
        })
    }
}

fn worker(
    database: &Database,
    name: &str,
    deed: impl Fn(&Job) -> Result<(), JobError> + Send + Sync + 'static,
) -> Worker {
    let handler = Fake {
        deed: Box::new(deed),
        pause: Duration::ZERO,
    };
    Worker::new(database.clone(), name, vec![Arc::new(handler)])
}

fn job(n: usize) -> NewJob {
    NewJob {
        kind: "test".to_owned(),
        payload: serde_json::json!(n),
        lane: None,
        dedup_key: None,
        run_at: None,
        max_attempts: 3,
    }
}

async fn add(database: &Database, new: Vec<NewJob>) {
    let mut tx = database.begin_write().await.expect("it begins");
    for job in new {
        jobs::enqueue(&mut tx, job).await.expect("it is added");
    }
    tx.commit().await.expect("it commits");
}

async fn only_job(test: &TestDesk) -> Job {
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let mut all = jobs::list(&mut tx, &JobState::ALL, 10)
        .await
        .expect("they are read");
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// Runs workers until no job waits or runs.
async fn run_all(database: &Database, workers: Vec<Worker>) {
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    for worker in workers {
        let stop = stop.clone();
        running.spawn(async move { worker.run(stop).await });
    }
    let patience = Instant::now();
    loop {
        let mut tx = database.begin_read().await.expect("it begins");
        if jobs::count_unfinished(&mut tx).await.expect("it counts") == 0 {
            break;
        }
        assert!(
            patience.elapsed() < Duration::from_mins(1),
            "jobs are left over"
        );
        drop(tx);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    running.join_all().await;
}

async fn many_workers_do_each_job_once(backend: Backend) {
    let test = TestDesk::new(backend).await;
    add(&test.desk.database, (0..200).map(job).collect()).await;
    let done: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let workers = (0..8).map(|n| {
        let done = Arc::clone(&done);
        worker(&test.desk.database, &format!("worker {n}"), move |job| {
            *done
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(job.payload.clone())
                .or_default() += 1;
            Ok(())
        })
    });
    run_all(&test.desk.database, workers.collect()).await;
    let done = done.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(done.len(), 200, "each job");
    assert!(done.values().all(|times| *times == 1), "once: {done:?}");
    assert_eq!(
        test.number("SELECT COUNT(*) FROM jobs WHERE state = 'done' AND attempts = 1")
            .await,
        200
    );
}

async fn lanes_keep_their_order_and_never_run_two_at_once(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let laned = |n: usize| NewJob {
        lane: Some(format!("lane {}", n % 10)),
        ..job(n)
    };
    add(&test.desk.database, (0..200).map(laned).collect()).await;
    let seen: Arc<Mutex<HashMap<String, Vec<usize>>>> = Arc::default();
    let running: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
    let workers = (0..6).map(|n| {
        let (seen, running) = (Arc::clone(&seen), Arc::clone(&running));
        worker(&test.desk.database, &format!("worker {n}"), move |job| {
            let lane = job.lane.clone().unwrap_or_default();
            {
                let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
                *running.entry(lane.clone()).or_default() += 1;
                assert_eq!(running[&lane], 1, "two at once in {lane}");
            }
            std::thread::sleep(Duration::from_millis(1));
            let n = job.payload.parse().expect("a number");
            seen.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(lane.clone())
                .or_default()
                .push(n);
            *running
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(lane)
                .or_default() -= 1;
            Ok(())
        })
    });
    run_all(&test.desk.database, workers.collect()).await;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(seen.len(), 10);
    for (lane, order) in seen {
        assert_eq!(order.len(), 20, "{lane}");
        assert!(order.is_sorted(), "{lane}: {order:?}");
    }
}

async fn a_failing_job_waits_longer_and_is_given_up(backend: Backend) {
    let test = TestDesk::new(backend).await;
    add(&test.desk.database, vec![job(1)]).await;
    let worker = worker(&test.desk.database, "w", |_| {
        Err(JobError::Retry("no route".to_owned()))
    });
    for (longest, attempt) in [(5, 1), (10, 2)] {
        assert_eq!(worker.tick().await.expect("it runs"), Tick::Postponed);
        let job = only_job(&test).await;
        assert_eq!(
            (job.state, job.attempts, job.last_error.as_deref()),
            (JobState::Queued, attempt, Some("no route"))
        );
        let wait = job.run_at.since(test.clock.read());
        let longest = Duration::from_secs(longest);
        assert!(
            wait >= longest / 2 && wait <= longest,
            "{wait:?} of {longest:?}"
        );
        assert_eq!(
            worker.tick().await.expect("it looks"),
            Tick::Idle,
            "not before its time"
        );
        test.pass(longest);
    }
    assert_eq!(worker.tick().await.expect("it runs"), Tick::Dead);
    let job = only_job(&test).await;
    assert_eq!((job.state, job.attempts), (JobState::Dead, 3));
    assert_eq!(job.finished_at, Some(test.clock.read()));
    test.pass(Duration::from_hours(24));
    assert_eq!(worker.tick().await.expect("it looks"), Tick::Idle);
}

async fn a_job_that_cannot_succeed_is_given_up_at_once(backend: Backend) {
    let test = TestDesk::new(backend).await;
    add(&test.desk.database, vec![job(1)]).await;
    let worker = worker(&test.desk.database, "w", |_| {
        Err(JobError::Fail("no such customer".to_owned()))
    });
    assert_eq!(worker.tick().await.expect("it runs"), Tick::Dead);
    assert_eq!(
        only_job(&test).await.last_error.as_deref(),
        Some("no such customer")
    );
}

/// A handler that never ends.
struct Stuck;

impl Handler for Stuck {
    fn kind(&self) -> &'static str {
        "test"
    }
    fn time_limit(&self) -> Duration {
        Duration::from_millis(20)
    }
    fn run<'h>(&'h self, _: &'h Job) -> HandlerFuture<'h> {
        Box::pin(std::future::pending())
    }
}

async fn a_job_that_takes_too_long_is_postponed(backend: Backend) {
    let test = TestDesk::new(backend).await;
    add(&test.desk.database, vec![job(1)]).await;
    let worker = Worker::new(test.desk.database.clone(), "w", vec![Arc::new(Stuck)]);
    assert_eq!(worker.tick().await.expect("it runs"), Tick::Postponed);
    let job = only_job(&test).await;
    assert_eq!(job.state, JobState::Queued);
    assert!(
        job.last_error
            .is_some_and(|error| error.contains("longer than 20ms"))
    );
}

async fn a_job_that_kills_its_workers_is_given_up(backend: Backend) {
    let test = TestDesk::new(backend).await;
    add(&test.desk.database, vec![job(1)]).await;
    let worker = worker(&test.desk.database, "w", |_| Ok(()));
    for _ in 0..3 {
        let claimed = worker.claim().await.expect("it claims");
        assert!(claimed.is_some(), "it begins, and its worker dies");
        test.pass(Duration::from_mins(5));
    }
    assert_eq!(worker.tick().await.expect("it settles"), Tick::Dead);
    let job = only_job(&test).await;
    assert!(
        job.last_error
            .is_some_and(|error| error.contains("its worker died 3 times"))
    );
}

async fn a_job_finished_with_its_effect_is_done(backend: Backend) {
    let test = TestDesk::new(backend).await;
    add(&test.desk.database, vec![job(1)]).await;
    let worker = worker(&test.desk.database, "w", |_| Ok(()));
    let claimed = worker.claim().await.expect("it claims").expect("it is due");
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    jobs::finish(&mut tx, &claimed).await.expect("it is ours");
    tx.commit().await.expect("it commits");
    assert_eq!(
        worker.work(&claimed).await.expect("it runs"),
        Tick::Done,
        "the handler finished it itself"
    );
    let stolen = Job {
        generation: 0,
        ..claimed
    };
    assert_eq!(worker.work(&stolen).await.expect("it runs"), Tick::Fenced);
}

/// Adds jobs one at a time through `from`, each once the one before is done, while a worker sleeps
/// on `at`. Returns how long ten took: a worker that only polls needs ten seconds.
async fn ten_in_a_row(from: &Database, at: &Database) -> Duration {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let worker = worker(at, "w", move |job| {
        sender
            .send(job.payload.clone())
            .map_err(|_| JobError::Fail("nobody listens".to_owned()))
    });
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    let stopped = stop.clone();
    running.spawn(async move { worker.run(stopped).await });
    add(from, vec![job(0)]).await;
    receiver.recv().await.expect("the worker has begun");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    for n in 1..=10 {
        add(from, vec![job(n)]).await;
        assert_eq!(receiver.recv().await, Some(n.to_string()));
        // Long enough for the worker to settle the job and fall asleep.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = begun.elapsed();
    stop.cancel();
    running.join_all().await;
    took
}

async fn a_sleeping_worker_is_woken(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let database = test.open_again(Clock::System, None).await;
    let took = ten_in_a_row(&database, &database).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_wakes_the_workers_of_other_processes() {
    let test = TestDesk::new(Backend::Postgres).await;
    let (one, other) = (
        test.open_again(Clock::System, None).await,
        test.open_again(Clock::System, None).await,
    );
    let took = ten_in_a_row(&one, &other).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop_databases().await;
}
