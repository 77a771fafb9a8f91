//! Who finds what: auditors nothing that was written, customers nothing of another's and nothing of
//! the desk's own.

use tierdesk_core::{
    desk::work_ticket,
    ids::CustomerId,
    permit::Actor,
    search::Query,
    staff::{Role, StaffStatus},
    store::search::Sort,
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, Letter, TestDesk, on_both, owner};

use super::{find, numbers};
use crate::contract::permits::{hire, login};

on_both! {
    auditors_find_no_bodies,
    a_customer_finds_nothing_of_another,
    who_may_not_read_finds_nothing,
}

const JOHN: &str = "john@acmefinance.com";

async fn auditors_find_no_bodies(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new(JOHN, "a")
        .subject("Dashboard")
        .body("a confidential figure");
    test.receive(&letter).await;
    work_ticket::tag(
        &test.desk,
        &owner(),
        TicketNumber(1),
        &["billing".to_owned()],
        &[],
    )
    .await
    .expect("it is tagged");
    hire(&test, &owner(), "ann", Role::Admin, StaffStatus::Active).await;
    hire(
        &test,
        &login("ann"),
        "audrey",
        Role::Auditor,
        StaffStatus::Active,
    )
    .await;
    let (audrey, ann) = (login("audrey"), login("ann"));
    for line in [
        "confidential",
        "conf*",
        "f*",
        "\"confidential figure\"",
        "dashboard figure",
        "to:support",
    ] {
        assert_eq!(numbers(&test, &audrey, line).await, [], "{line}");
        assert_eq!(
            numbers(&test, &ann, line).await.len(),
            1,
            "positive control: {line}"
        );
    }
    let all = numbers(&test, &audrey, "-confidential").await;
    assert_eq!(all.len(), 1, "what is not looked at is not left out either");
    for line in [
        "dashboard",
        "SB-1",
        "from:john",
        "billing",
        "tier:fintech dash*",
    ] {
        let found = find(&test, &audrey, line, Sort::Relevance).await;
        assert_eq!(found.tickets.len(), 1, "{line}");
        assert_eq!(found.tickets[0].excerpt, None, "{line}");
    }
}

/// Queries, with whether the customer of the first ticket finds it by them.
const OWN: &[(&str, bool)] = &[
    ("shared", true),
    ("shared words", true),
    ("\"shared words\"", true),
    ("s*", true),
    ("", true),
    ("-absent", true),
    ("from:john", true),
    ("is:open newer:3d", true),
    ("number:1", true),
    ("-medi", true),
    ("medi", false),
    ("eve", false),
    ("SB-2", false),
    ("number:2,3", false),
    ("-acme shared", false),
    ("from:compliance", false),
    // The desk's own: neither what it says nor that it says something.
    ("pay", false),
    ("internally", false),
    ("i*", false),
    ("latecomer", false),
    ("-pay", true),
    ("-latecomer -internally", true),
    ("tag:latecomer", false),
    ("-tag:latecomer", false),
    ("assignee:nobody", false),
    ("-assignee:nobody", false),
    ("customer:medicorp", false),
    ("-customer:acme-finance", false),
    ("tier:healthcare", false),
    ("is:triage", false),
];

async fn a_customer_finds_nothing_of_another(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for (from, id) in [
        (JOHN, "acme"),
        ("compliance@medicorp.com", "medi"),
        ("eve@stranger.example", "eve"),
    ] {
        test.receive(&Letter::new(from, id).body(&format!("shared words of {id}")))
            .await;
    }
    work_ticket::note(
        &test.desk,
        &owner(),
        TicketNumber(1),
        "they never pay, internally said",
    )
    .await
    .expect("it is noted");
    work_ticket::tag(
        &test.desk,
        &owner(),
        TicketNumber(1),
        &["latecomer".to_owned()],
        &[],
    )
    .await
    .expect("it is tagged");
    let rows: Vec<(CustomerId,)> = test
        .look("SELECT id FROM customers WHERE slug = 'acme-finance'")
        .await;
    let mut scoped = test
        .desk
        .database
        .begin_scoped(rows[0].0)
        .await
        .expect("it begins");
    let mut foreign = 0;
    for (line, own) in OWN {
        let query = Query::parse(line).expect("it is sound");
        let found = scoped.search(&query, 100).await.expect("it is found");
        let found: Vec<TicketNumber> = found.into_iter().map(|ticket| ticket.number).collect();
        let expected: &[TicketNumber] = if *own { &[TicketNumber(1)] } else { &[] };
        assert_eq!(found, expected, "{line}");
        let desk = numbers(&test, &owner(), line).await;
        foreign += desk.iter().filter(|number| number.0 != 1).count();
    }
    assert!(
        foreign > 15,
        "positive control: the desk finds {foreign} tickets of others"
    );
}

async fn who_may_not_read_finds_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    test.receive(&Letter::new(JOHN, "a")).await;
    let stranger: Actor = login("stranger");
    let request = tierdesk_core::desk::search::Request::default();
    let refused = tierdesk_core::desk::search::search(&test.desk, &stranger, request).await;
    assert!(
        matches!(refused, Err(tierdesk_core::desk::Error::Refused(_))),
        "{refused:?}"
    );
}
