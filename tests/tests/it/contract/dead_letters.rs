//! Jobs that ended, and how people settle them; and who holds a lease.

use std::time::Duration;

use tierdesk_core::{
    desk::{
        Error,
        jobs::{drop_job, list, retry, show},
    },
    jobs::{Job, JobError, JobState, NewJob},
    refusal::RefusalCode,
    store::{jobs, leases},
};
use tierdesk_tests::{Backend, START, TestDesk, on_both, owner};

use super::queue::{add, claim, finish, job};

on_both! {
    what_was_done_another_way_is_done,
    the_dead_are_retried_or_dropped_by_hand,
    a_retry_beside_its_successor_is_refused,
    old_jobs_are_forgotten,
    a_lease_has_one_holder,
}

async fn bury(test: &TestDesk, job: &Job) {
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    assert!(
        jobs::bury(&mut tx, job, "it cannot be")
            .await
            .expect("it is written")
    );
    tx.commit().await.expect("it commits");
}

async fn what_was_done_another_way_is_done(backend: Backend) {
    let test = TestDesk::new(backend).await;
    add(
        &test,
        NewJob {
            dedup_key: Some("k".to_owned()),
            ..job("a")
        },
    )
    .await;
    let held = claim(&test, &["a"]).await.expect("it is due");
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    jobs::finish_by_key(&mut tx, "a", "k")
        .await
        .expect("it is written");
    tx.commit().await.expect("it commits");
    assert!(matches!(finish(&test, &held).await, Err(JobError::Fenced)));
    let job = show(&test.desk, &owner(), held.id)
        .await
        .expect("it is there");
    assert_eq!(job.state, JobState::Done);
}

async fn the_dead_are_retried_or_dropped_by_hand(backend: Backend) {
    let test = TestDesk::new(backend).await;
    add(&test, job("a")).await;
    let dead = claim(&test, &["a"]).await.expect("it is due");
    let early = retry(&test.desk, &owner(), dead.id).await;
    let Err(Error::Refused(refusal)) = early else {
        panic!("it runs: {early:?}")
    };
    assert_eq!(refusal.code, RefusalCode::WrongStatus);
    bury(&test, &dead).await;
    let listed = list(&test.desk, &owner(), &[JobState::Dead], 10)
        .await
        .expect("it lists");
    assert_eq!(
        (listed.len(), listed[0].last_error.as_deref()),
        (1, Some("it cannot be"))
    );
    let again = retry(&test.desk, &owner(), dead.id)
        .await
        .expect("it is retried");
    assert_eq!((again.state, again.attempts), (JobState::Queued, 0));
    let second = claim(&test, &["a"]).await.expect("it is due at once");
    assert!(
        second.generation > dead.generation,
        "whoever held it before stays fenced"
    );
    bury(&test, &second).await;
    test.pass(Duration::from_secs(1));
    let dropped = drop_job(&test.desk, &owner(), dead.id)
        .await
        .expect("it is dropped");
    assert_eq!(dropped.state, JobState::Done);
    assert!(
        dropped
            .last_error
            .is_some_and(|error| error.contains("os:olivia")),
        "by whom"
    );
    let entries: Vec<(String, String)> = test
        .look("SELECT action, subject FROM audit_entries ORDER BY id")
        .await;
    let subject = format!("job:{}", dead.id);
    assert_eq!(
        entries,
        [
            ("job.retry".to_owned(), subject.clone()),
            ("job.drop".to_owned(), subject)
        ]
    );
    assert!(
        drop_job(&test.desk, &owner(), dead.id).await.is_err(),
        "it is over"
    );
    let missing = retry(&test.desk, &owner(), tierdesk_core::ids::JobId::default()).await;
    assert!(
        matches!(missing, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::NotFound)
    );
}

async fn a_retry_beside_its_successor_is_refused(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let keyed = || NewJob {
        dedup_key: Some("k".to_owned()),
        ..job("a")
    };
    add(&test, keyed()).await;
    let dead = claim(&test, &["a"]).await.expect("it is due");
    bury(&test, &dead).await;
    assert!(
        add(&test, keyed()).await.is_some(),
        "the dead do not hold their key"
    );
    let answer = retry(&test.desk, &owner(), dead.id).await;
    assert!(
        matches!(&answer, Err(Error::Refused(refusal)) if refusal.code == RefusalCode::Changed),
        "{answer:?}"
    );
    let still = show(&test.desk, &owner(), dead.id)
        .await
        .expect("it is there");
    assert_eq!(still.state, JobState::Dead);
}

async fn old_jobs_are_forgotten(backend: Backend) {
    let test = TestDesk::new(backend).await;
    for _ in 0..3 {
        add(&test, job("a")).await;
    }
    let done = claim(&test, &["a"]).await.expect("it is due");
    finish(&test, &done).await.expect("it is ours");
    let dead = claim(&test, &["a"]).await.expect("it is due");
    bury(&test, &dead).await;
    test.pass(Duration::from_hours(1));
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    assert_eq!(
        jobs::prune(&mut tx, START).await.expect("it prunes"),
        0,
        "not younger ones"
    );
    let now = tx.now();
    assert_eq!(
        jobs::prune(&mut tx, now).await.expect("it prunes"),
        1,
        "not the dead, nor what waits"
    );
    tx.commit().await.expect("it commits");
    assert_eq!(test.number("SELECT COUNT(*) FROM jobs").await, 2);
}

async fn a_lease_has_one_holder(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let acquire = async |holder: &str| {
        let mut tx = test.desk.database.begin_write().await.expect("it begins");
        let until = tx.now().plus(Duration::from_secs(30));
        let answer = leases::acquire(&mut tx, "x", holder, until)
            .await
            .expect("it is asked");
        tx.commit().await.expect("it commits");
        answer
    };
    assert_eq!(acquire("one").await, Some(1));
    assert_eq!(acquire("two").await, None);
    test.pass(Duration::from_secs(20));
    assert_eq!(acquire("one").await, Some(1), "renewed by who holds it");
    test.pass(Duration::from_secs(20));
    assert_eq!(acquire("two").await, None, "the renewal counts");
    test.pass(Duration::from_secs(10));
    assert_eq!(acquire("two").await, Some(2), "lapsed, it changes hands");
    assert_eq!(acquire("one").await, None);
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    leases::release(&mut tx, "x", "one")
        .await
        .expect("it is asked");
    leases::release(&mut tx, "y", "two")
        .await
        .expect("it is asked");
    tx.commit().await.expect("it commits");
    assert_eq!(acquire("one").await, None, "only its holder gives it back");
}
