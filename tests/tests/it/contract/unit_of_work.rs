//! A unit of work is all or nothing, audited, and never ahead of its clock.

use std::time::Duration;

use tierdesk_core::{
    clock::{Clock, Timestamp},
    desk::receive::receive_in,
    jobs::{JobKind, NewJob},
    permit::{ChangeStaff, OpenTicket, Permit, ReceiveMail, Subject, authorise},
    staff::{Role, Staff, StaffStatus},
    store::{
        Database, StoreError, Tx,
        audit::{self, Change},
        jobs, staff,
    },
};
use tierdesk_tests::{Backend, Letter, START, TestDesk, drop_databases, ingest, on_both, owner};

fn job() -> NewJob {
    NewJob::new(JobKind::ProcessInbox, serde_json::json!({}))
}

/// Changes something under a permit, and writes no audit entry.
async fn change_without_entry(permit: &mut Permit<'_, ChangeStaff>) {
    let new = Staff {
        id: permit.new_id(),
        name: "ann".to_owned(),
        os_user: None,
        discord_user_id: None,
        role: Role::Viewer,
        status: StaffStatus::Active,
        created_at: permit.now(),
    };
    assert!(staff::insert(permit, &new).await.expect("it is inserted"));
}

on_both! {
    what_is_not_committed_leaves_no_trace,
    a_change_without_an_audit_entry_is_refused,
    a_change_after_its_audit_entry_needs_another,
    a_permit_that_changes_nothing_owes_nothing,
    a_reader_cannot_write,
    a_reader_sees_one_state,
}

async fn what_is_not_committed_leaves_no_trace(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let before = test.counts().await;
    {
        let mut tx = test.desk.database.begin_write().await.expect("it begins");
        let items = vec![Letter::new("john@acmefinance.com", "a").prepared()];
        let received = receive_in(&test.desk, &mut tx, &ingest(), ReceiveMail, &items).await;
        assert_eq!(received.expect("it is received").len(), 1);
    }
    assert_eq!(test.counts().await, before);
    let receipt = test
        .receive(&Letter::new("john@acmefinance.com", "a"))
        .await;
    assert_eq!(
        receipt.outcome.as_str(),
        "opened",
        "positive control: committed, it is there"
    );
    assert_ne!(test.counts().await, before);
}

async fn a_change_without_an_audit_entry_is_refused(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let before = test.counts().await;
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let mut permit = authorise(&mut tx, &owner(), ChangeStaff, Subject::Desk)
        .await
        .expect("the owner may");
    change_without_entry(&mut permit).await;
    let refused = tx.commit().await;
    assert!(
        matches!(
            refused,
            Err(StoreError::Inconsistent {
                table: "audit_entries",
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(test.counts().await, before);

    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let mut permit = authorise(&mut tx, &owner(), ChangeStaff, Subject::Desk)
        .await
        .expect("the owner may");
    change_without_entry(&mut permit).await;
    audit::append(&mut permit, vec![Change::to("test")])
        .await
        .expect("it is written");
    tx.commit()
        .await
        .expect("positive control: with an entry it commits");
}

async fn a_change_after_its_audit_entry_needs_another(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let mut permit = authorise(&mut tx, &owner(), ChangeStaff, Subject::Desk)
        .await
        .expect("the owner may");
    audit::append(&mut permit, vec![Change::to("test")])
        .await
        .expect("it is written");
    change_without_entry(&mut permit).await;
    assert!(tx.commit().await.is_err());
}

async fn a_permit_that_changes_nothing_owes_nothing(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    authorise(&mut tx, &owner(), OpenTicket, Subject::Desk)
        .await
        .expect("the owner may");
    tx.commit().await.expect("it commits");
}

async fn a_reader_cannot_write(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let refused = jobs::enqueue(&mut tx, job()).await;
    assert!(refused.is_err(), "{refused:?}");
    drop(tx);
    assert_eq!(test.number("SELECT COUNT(*) FROM jobs").await, 0);
}

/// Head, counts and pages of the audit chain must be of one state.
async fn a_reader_sees_one_state(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    assert_eq!(jobs::count_unfinished(&mut tx).await.expect("it counts"), 0);
    let mut writer = test.desk.database.begin_write().await.expect("it begins");
    jobs::enqueue(&mut writer, job())
        .await
        .expect("it is added");
    writer.commit().await.expect("it commits");
    assert_eq!(
        jobs::count_unfinished(&mut tx).await.expect("it counts"),
        0,
        "as when it began"
    );
    let mut later = test.desk.database.begin_read().await.expect("it begins");
    assert_eq!(
        jobs::count_unfinished(&mut later).await.expect("it counts"),
        1
    );
}

async fn write_at(database: &Database) -> Timestamp {
    let mut tx: Tx = database.begin_write().await.expect("it begins");
    jobs::enqueue(&mut tx, job()).await.expect("it is added");
    let now = tx.now();
    tx.commit().await.expect("it commits");
    now
}

/// In SQLite no server keeps time, so what is stored does: a machine whose clock was set back must
/// not write answers before their questions.
#[tokio::test]
async fn sqlite_never_goes_back_in_time() {
    let test = TestDesk::new(Backend::Sqlite).await;
    assert_eq!(write_at(&test.desk.database).await, START);
    let hour = Duration::from_hours(1);
    let behind = test
        .open_again(Clock::manual(START.minus(hour)), None)
        .await;
    assert_eq!(write_at(&behind).await, START, "not before what is stored");
    let read = behind.begin_read().await.expect("it begins").now();
    assert_eq!(read, START, "a reader neither");
    test.pass(hour);
    assert_eq!(write_at(&test.desk.database).await, START.plus(hour));
    assert_eq!(write_at(&behind).await, START.plus(hour));
    drop(behind.begin_write().await.expect("it begins"));
    test.pass(hour);
    drop(test.desk.database.begin_write().await.expect("it begins"));
    let read = behind.begin_read().await.expect("it begins").now();
    assert_eq!(
        read,
        START.plus(hour),
        "what was not committed moved nothing"
    );
}

#[tokio::test]
async fn sqlite_remembers_the_time_of_rows_inserted_in_sets() {
    let test = TestDesk::with_customers(Backend::Sqlite).await;
    let hour = Duration::from_hours(1);
    test.pass(hour);
    let machine = Letter::new("a@b.example", "a").header("Auto-Submitted: auto-replied");
    test.receive(&machine).await;
    let behind = test.open_again(Clock::manual(START), None).await;
    assert_eq!(write_at(&behind).await, START.plus(hour));
}

/// PostgreSQL's server keeps time for all its clients.
#[tokio::test]
async fn postgres_takes_the_server_s_time() {
    let test = TestDesk::new(Backend::Postgres).await;
    let one = test.open_again(Clock::System, None).await;
    let other = test.open_again(Clock::System, None).await;
    let mut last = Timestamp::MIN;
    for database in [&one, &other, &one, &other] {
        let now = write_at(database).await;
        assert!(now > last, "{now} after {last}");
        last = now;
    }
    let rows: Vec<(Timestamp,)> = test.look("SELECT now()").await;
    assert!(
        rows[0].0.since(last) < Duration::from_mins(1),
        "the server's, not ours"
    );
    drop_databases().await;
}
