//! The durable queue, driven by hand.

use std::time::Duration;

use tierdesk_core::{
    clock::Timestamp,
    jobs::{Job, JobError, NewJob},
    store::{TextList, jobs},
};
use tierdesk_tests::{Backend, START, TestDesk, on_both};

on_both! {
    one_unfinished_job_has_a_key,
    due_jobs_are_claimed_in_their_order,
    only_registered_kinds_are_claimed,
    a_lane_lets_one_through_at_a_time_in_order,
    a_lapsed_lease_is_taken_over_and_the_sleeper_is_fenced,
}

pub(super) fn job(kind: &str) -> NewJob {
    NewJob {
        kind: kind.to_owned(),
        payload: serde_json::json!({}),
        lane: None,
        dedup_key: None,
        run_at: None,
        max_attempts: 3,
    }
}

pub(super) async fn add(test: &TestDesk, new: NewJob) -> Option<tierdesk_core::ids::JobId> {
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let id = jobs::enqueue(&mut tx, new).await.expect("it is added");
    tx.commit().await.expect("it commits");
    id
}

/// Claims as a worker with a lease of a minute.
pub(super) async fn claim(test: &TestDesk, kinds: &[&str]) -> Option<Job> {
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let until = tx.now().plus(Duration::from_mins(1));
    let kinds: TextList = kinds.iter().copied().collect();
    let job = jobs::claim(&mut tx, &kinds, "worker", until)
        .await
        .expect("it claims");
    tx.commit().await.expect("it commits");
    job
}

pub(super) async fn finish(test: &TestDesk, job: &Job) -> Result<(), JobError> {
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    jobs::finish(&mut tx, job).await?;
    tx.commit().await.expect("it commits");
    Ok(())
}

async fn next_at(test: &TestDesk) -> Option<Timestamp> {
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    jobs::next_at(&mut tx, &["a"].into_iter().collect())
        .await
        .expect("it is read")
}

async fn one_unfinished_job_has_a_key(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let keyed = |kind: &str| NewJob {
        dedup_key: Some("k".to_owned()),
        ..job(kind)
    };
    let first = add(&test, keyed("a")).await;
    assert!(first.is_some());
    test.pass(Duration::from_secs(1));
    assert_eq!(add(&test, keyed("a")).await, None, "while it waits");
    assert!(
        add(&test, keyed("b")).await.is_some(),
        "another kind's key is another key"
    );
    assert!(
        add(&test, job("a")).await.is_some() && add(&test, job("a")).await.is_some(),
        "no key, no limit"
    );
    let claimed = claim(&test, &["a"]).await.expect("one is due");
    assert_eq!(Some(claimed.id), first);
    assert_eq!(add(&test, keyed("a")).await, None, "while it runs");
    finish(&test, &claimed).await.expect("it is ours");
    assert!(add(&test, keyed("a")).await.is_some(), "once it is done");
}

async fn due_jobs_are_claimed_in_their_order(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let at = |minutes| Some(START.plus(Duration::from_mins(minutes)));
    let later = add(
        &test,
        NewJob {
            run_at: at(2),
            ..job("a")
        },
    )
    .await;
    let sooner = add(
        &test,
        NewJob {
            run_at: at(1),
            ..job("a")
        },
    )
    .await;
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let mut together = Vec::new();
    for _ in 0..20 {
        together.push(jobs::enqueue(&mut tx, job("a")).await.expect("it is added"));
    }
    tx.commit().await.expect("it commits");
    for expected in together {
        let claimed = claim(&test, &["a"]).await;
        assert_eq!(
            claimed.map(|job| job.id),
            expected,
            "of one instant: as they were made"
        );
    }
    assert!(claim(&test, &["a"]).await.is_none(), "not before its time");
    assert_eq!(
        next_at(&test).await,
        at(1),
        "leases end and jobs are due then"
    );
    test.pass(Duration::from_mins(2) - Duration::from_micros(1));
    let mut due = Vec::new();
    while let Some(job) = claim(&test, &["a"]).await {
        due.push(job);
    }
    assert_eq!(
        due.len(),
        21,
        "twenty leases that lapsed and one that is due now"
    );
    assert!(
        due.iter().any(|job| Some(job.id) == sooner) && due.iter().all(|job| Some(job.id) != later)
    );
    test.pass(Duration::from_micros(1));
    assert_eq!(
        claim(&test, &["a"]).await.map(|job| job.id),
        later,
        "at its very time"
    );
}

async fn only_registered_kinds_are_claimed(backend: Backend) {
    let test = TestDesk::new(backend).await;
    add(&test, job("a")).await;
    assert!(claim(&test, &["b", "c"]).await.is_none());
    assert!(claim(&test, &[]).await.is_none());
    assert!(claim(&test, &["b", "a"]).await.is_some());
}

async fn a_lane_lets_one_through_at_a_time_in_order(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let laned = |lane: &str| NewJob {
        lane: Some(lane.to_owned()),
        ..job("a")
    };
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let mut made = Vec::new();
    for lane in ["x", "x", "y", "x"] {
        made.push(
            jobs::enqueue(&mut tx, laned(lane))
                .await
                .expect("it is added")
                .expect("it is new"),
        );
    }
    tx.commit().await.expect("it commits");
    let first = claim(&test, &["a"]).await.expect("one is due");
    let other = claim(&test, &["a"]).await.expect("the other lane is free");
    assert_eq!((first.id, other.id), (made[0], made[2]));
    assert!(claim(&test, &["a"]).await.is_none(), "both lanes are taken");
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let later = START.plus(Duration::from_mins(30));
    assert!(
        jobs::postpone(&mut tx, &first, later, "not now")
            .await
            .expect("it is written")
    );
    tx.commit().await.expect("it commits");
    assert!(
        claim(&test, &["a"]).await.is_none(),
        "what waits for a retry holds its lane"
    );
    finish(&test, &other).await.expect("it is ours");
    assert_eq!(
        next_at(&test).await,
        Some(later),
        "what a lane holds back is not due"
    );
    test.pass(Duration::from_mins(30));
    for expected in [made[0], made[1], made[3]] {
        let next = claim(&test, &["a"]).await.expect("the lane goes on");
        assert_eq!(next.id, expected);
        finish(&test, &next).await.expect("it is ours");
    }
}

async fn a_lapsed_lease_is_taken_over_and_the_sleeper_is_fenced(backend: Backend) {
    let test = TestDesk::new(backend).await;
    add(
        &test,
        NewJob {
            lane: Some("x".to_owned()),
            ..job("a")
        },
    )
    .await;
    let sleeper = claim(&test, &["a"]).await.expect("it is due");
    assert!(claim(&test, &["a"]).await.is_none(), "it is leased");
    test.pass(Duration::from_mins(1));
    let heir = claim(&test, &["a"]).await.expect("the lease has ended");
    assert_eq!(heir.id, sleeper.id);
    assert_eq!(
        (heir.generation, heir.attempts),
        (sleeper.generation + 1, sleeper.attempts + 1)
    );
    assert!(matches!(
        finish(&test, &sleeper).await,
        Err(JobError::Fenced)
    ));
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let until = START.plus(Duration::from_hours(1));
    assert!(
        !jobs::renew(&mut tx, &sleeper, until)
            .await
            .expect("it is asked")
    );
    assert!(
        !jobs::postpone(&mut tx, &sleeper, until, "late")
            .await
            .expect("it is asked")
    );
    assert!(
        !jobs::bury(&mut tx, &sleeper, "late")
            .await
            .expect("it is asked")
    );
    assert!(
        jobs::renew(&mut tx, &heir, until)
            .await
            .expect("it is asked"),
        "positive control"
    );
    tx.commit().await.expect("it commits");
    test.pass(Duration::from_mins(10));
    assert!(
        claim(&test, &["a"]).await.is_none(),
        "the lease was renewed"
    );
    finish(&test, &heir).await.expect("it is theirs");
    assert!(
        matches!(finish(&test, &heir).await, Err(JobError::Fenced)),
        "once"
    );
}
