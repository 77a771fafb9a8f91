//! Lists bound as one value: empty, and longer than any number of variables.

use tierdesk_core::{
    desk::{
        staff::{self, NewStaff},
        work_ticket,
    },
    ids::CustomerId,
    staff::Role,
    store::{
        customers::{list_by_id, lookup::contact_owners},
        statements,
        tickets::{Filter, held_fingerprints, list},
    },
    tickets::{Status, TicketNumber},
};
use tierdesk_tests::{Backend, Letter, TestDesk, on_both, owner};
use uuid::Uuid;

on_both! {
    lists_of_any_length_find_what_is_there,
    the_queue_is_the_same_by_any_statement,
}

const MANY: u128 = 5_000;

async fn lists_of_any_length_find_what_is_there(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new("john@acmefinance.com", "a");
    test.receive(&letter).await;
    let known: Vec<(CustomerId,)> = test.look("SELECT id FROM customers").await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");

    let mut texts: Vec<String> = (0..MANY).map(|n| format!("ü\"'{n}@x.example")).collect();
    texts.push("john@acmefinance.com".to_owned());
    let found = contact_owners(&mut tx, texts)
        .await
        .expect("texts are bound");
    assert_eq!(found.len(), 1);
    assert!(
        contact_owners(&mut tx, Vec::new())
            .await
            .expect("none are bound")
            .is_empty()
    );

    let mut digests: Vec<Vec<u8>> = (0..MANY).map(|n| n.to_be_bytes().to_vec()).collect();
    digests.push(Vec::new());
    digests.push(letter.prepared().mail.fingerprint.0.to_vec());
    let found = held_fingerprints(&mut tx, digests)
        .await
        .expect("bytes are bound");
    assert_eq!(found.len(), 1);
    assert!(
        held_fingerprints(&mut tx, Vec::new())
            .await
            .expect("none are bound")
            .is_empty()
    );

    let mut ids: Vec<CustomerId> = (0..MANY).map(|n| Uuid::from_u128(n).into()).collect();
    ids.extend(known.iter().map(|(id,)| *id));
    let found = list_by_id(&mut tx, &ids).await.expect("ids are bound");
    assert_eq!(found.len(), 5);
    assert!(
        list_by_id(&mut tx, &[])
            .await
            .expect("none are bound")
            .is_empty()
    );
}

async fn numbers(test: &TestDesk, filter: &Filter) -> Vec<TicketNumber> {
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let found = list(&mut tx, filter).await.expect("it is read");
    found.into_iter().map(|one| one.ticket.number).collect()
}

/// What is in work is read by statements of its own. Asked for one status more, the general one
/// answers, and must name the same tickets in the same order.
async fn the_queue_is_the_same_by_any_statement(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for (number, from) in [
        "john@acmefinance.com",
        "stranger@nowhere.example",
        "compliance@medicorp.com",
        "john@acmefinance.com",
        "admin@techgov.us",
        "another@nowhere.example",
    ]
    .iter()
    .enumerate()
    {
        test.receive(&Letter::new(from, &format!("m{number}")))
            .await;
    }
    let dana = NewStaff {
        name: "dana".to_owned(),
        role: Role::Admin,
        os_user: Some("olivia".to_owned()),
        discord_user_id: None,
        reason: None,
    };
    staff::add(&test.desk, &owner(), dana)
        .await
        .expect("an admin adds staff");
    let taken = numbers(&test, &Filter::default()).await;
    work_ticket::assign(&test.desk, &owner(), taken[0], "dana")
        .await
        .expect("it can be given away");
    let mut seen = 0;
    for filter in [
        Filter::default(),
        Filter {
            tier: Some("fintech".to_owned()),
            ..Filter::default()
        },
        Filter {
            customer: "acme-finance".parse().ok(),
            ..Filter::default()
        },
        Filter {
            assignee: Some("dana".to_owned()),
            ..Filter::default()
        },
        Filter {
            is_triage: true,
            ..Filter::default()
        },
        Filter {
            limit: 2,
            ..Filter::default()
        },
    ] {
        let general = Filter {
            statuses: Status::ALL.to_vec(),
            ..filter.clone()
        };
        let found = numbers(&test, &filter).await;
        assert!(!found.is_empty(), "{filter:?}");
        assert_eq!(found, numbers(&test, &general).await, "{filter:?}");
        seen += found.len();
    }
    assert!(seen > 12, "positive control: {seen} tickets were compared");
}

/// Each statement over what is in work is led by an index, and those that can be long sort
/// nothing; the general one, the control, does sort.
#[tokio::test]
async fn the_queue_is_read_in_the_order_of_its_index() {
    let test = TestDesk::new(Backend::Sqlite).await;
    for (wanted, index, sorts) in [
        ("ACTIVE", "tickets_queue", false),
        ("ACTIVE_OF_TIER", "tickets_queue_of_tier", false),
        ("ACTIVE_UNBOUND", "tickets_queue_of_customer", false),
        ("ACTIVE_OF_CUSTOMER", "tickets_queue_of_customer", false),
        ("ACTIVE_OF_STAFF", "tickets_by_assignee", true),
        ("LIST", "", true),
    ] {
        let all = statements();
        let mut found = all.iter();
        let name = format!("tickets::list::{wanted}");
        let (_, sql) = found
            .find(|(one, _)| one.ends_with(&name))
            .expect("it is a statement");
        let explained = format!("EXPLAIN QUERY PLAN {}", sql.sqlite);
        let plan: Vec<(i64, i64, i64, String)> = test.look(&explained).await;
        let steps: Vec<&str> = plan.iter().map(|(_, _, _, step)| step.as_str()).collect();
        let text = steps.join("\n");
        assert_eq!(text.contains("TEMP B-TREE"), sorts, "{wanted}:\n{text}");
        let is_led = text.split_whitespace().any(|word| word == index);
        assert!(index.is_empty() || is_led, "{wanted}:\n{text}");
    }
}
