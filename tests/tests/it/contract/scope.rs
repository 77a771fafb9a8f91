//! What is read for one customer cannot show another's, by two lines of defence.

use tierdesk_core::{
    ids::CustomerId,
    store::{
        ScopedTx,
        tickets::{Filter, list},
    },
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, Letter, TestDesk, drop_databases, on_both};
use tokio::task::JoinSet;

const SENDERS: [&str; 3] = [
    "john@acmefinance.com",
    "compliance@medicorp.com",
    "security@techgov.gov",
];

/// Two tickets of each of three customers, and one of nobody's. Returns the customers in the order
/// of [`SENDERS`].
async fn populated(backend: Backend) -> (TestDesk, Vec<CustomerId>) {
    let test = TestDesk::with_customers(backend).await;
    for (n, sender) in SENDERS.iter().enumerate() {
        test.receive(&Letter::new(sender, &format!("{n}-a"))).await;
        test.receive(&Letter::new(sender, &format!("{n}-b"))).await;
    }
    test.receive(&Letter::new("eve@stranger.example", "stranger"))
        .await;
    let mut ids = Vec::new();
    for slug in ["acme-finance", "medicorp", "techgov"] {
        let rows: Vec<(CustomerId,)> = test
            .look(&format!("SELECT id FROM customers WHERE slug = '{slug}'"))
            .await;
        ids.push(rows[0].0);
    }
    (test, ids)
}

async fn own(scoped: &mut ScopedTx) -> Vec<TicketNumber> {
    let tickets = scoped.tickets().await.expect("they can be read");
    tickets.into_iter().map(|ticket| ticket.number).collect()
}

async fn unfiltered(scoped: &mut ScopedTx) -> Vec<TicketNumber> {
    let tickets = scoped
        .tickets_without_filter()
        .await
        .expect("they can be read");
    tickets.into_iter().map(|ticket| ticket.number).collect()
}

fn numbers_of(customer: usize) -> Vec<TicketNumber> {
    let first = i64::try_from(customer).expect("few") * 2 + 1;
    vec![TicketNumber(first), TicketNumber(first + 1)]
}

on_both! {
    a_customer_s_reader_sees_that_customer_s,
    scopes_do_not_leak_through_the_pool,
}

async fn a_customer_s_reader_sees_that_customer_s(backend: Backend) {
    let (test, ids) = populated(backend).await;
    for (n, id) in ids.iter().enumerate() {
        let mut scoped = test
            .desk
            .database
            .begin_scoped(*id)
            .await
            .expect("it begins");
        assert_eq!(own(&mut scoped).await, numbers_of(n));
        for other in 0..ids.len() {
            for number in numbers_of(other) {
                let bodies = scoped.bodies(number).await.expect("they can be read");
                assert_eq!(
                    bodies.len(),
                    usize::from(other == n),
                    "{number} for customer {n}"
                );
            }
        }
        let triage = scoped
            .bodies(TicketNumber(7))
            .await
            .expect("they can be read");
        assert!(triage.is_empty(), "nobody's ticket is not theirs");
    }
    let nobody = test
        .desk
        .database
        .begin_scoped(uuid::Uuid::nil().into())
        .await;
    assert!(own(&mut nobody.expect("it begins")).await.is_empty());
}

async fn scopes_do_not_leak_through_the_pool(backend: Backend) {
    let (test, ids) = populated(backend).await;
    let mut readers = JoinSet::new();
    for turn in 0..200_usize {
        let (database, ids) = (test.desk.database.clone(), ids.clone());
        readers.spawn(async move {
            let customer = turn % 4;
            if let Some(id) = ids.get(customer) {
                let mut scoped = database.begin_scoped(*id).await.expect("it begins");
                assert_eq!(own(&mut scoped).await, numbers_of(customer));
                if !database.is_sqlite() {
                    assert_eq!(unfiltered(&mut scoped).await, numbers_of(customer));
                }
            } else {
                let mut tx = database.begin_read().await.expect("it begins");
                let all = list(&mut tx, &Filter::default()).await;
                assert_eq!(all.expect("they can be read").len(), 7, "the desk sees all");
            }
        });
    }
    let done = readers.join_all().await;
    assert_eq!(done.len(), 200);
}

#[tokio::test]
async fn postgres_holds_the_line_for_a_statement_that_forgets_the_customer() {
    let (test, ids) = populated(Backend::Postgres).await;
    let bypasses = test
        .desk
        .database
        .bypasses_row_security()
        .await
        .expect("it is asked");
    assert!(
        !bypasses,
        "the test role must not pass row security by, or this shows nothing"
    );
    for (n, id) in ids.iter().enumerate() {
        let mut scoped = test
            .desk
            .database
            .begin_scoped(*id)
            .await
            .expect("it begins");
        assert_eq!(unfiltered(&mut scoped).await, numbers_of(n));
    }
    let all = test.number("SELECT COUNT(*) FROM tickets").await;
    assert_eq!(
        all, 7,
        "positive control: under the desk's scope the same table shows all"
    );
    drop_databases().await;
}

/// Every table that holds a customer's content, seen by a connection that names another scope.
#[tokio::test]
async fn postgres_shows_a_foreign_scope_no_content() {
    let (test, ids) = populated(Backend::Postgres).await;
    let tables = [
        "customers",
        "customer_domains",
        "contacts",
        "domain_variants",
        "tickets",
        "messages",
        "blobs",
        "inbox",
        "ticket_participants",
        "ticket_events",
        "audit_entries",
    ];
    for table in tables {
        let all = test.number(&format!("SELECT COUNT(*) FROM {table}")).await;
        assert!(all > 0, "positive control: {table} holds rows");
        for scope in ["", "nonsense", "00000000-0000-0000-0000-000000000000"] {
            // The sub-query sets the scope before the table is read.
            let set = format!("SELECT set_config('tierdesk.scope', '{scope}', false)");
            assert_eq!(
                count_under(&test, &set, table).await,
                0,
                "{table} under {scope:?}"
            );
        }
        let set = format!("SELECT set_config('tierdesk.scope', '{}', false)", ids[0]);
        assert!(
            count_under(&test, &set, table).await < all,
            "{table} for one customer"
        );
    }
    drop_databases().await;
}

async fn count_under(test: &TestDesk, set: &str, table: &str) -> i64 {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
    let mut connection = PgConnection::connect(&test.url)
        .await
        .expect("PostgreSQL answers");
    connection
        .execute(AssertSqlSafe(set.to_owned()))
        .await
        .expect("the scope is set");
    let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    let (rows,): (i64,) = sqlx::query_as(count)
        .fetch_one(&mut connection)
        .await
        .expect("it counts");
    rows
}
