//! The directory follows its file, is found by whatever people type, and takes tickets along.

use tierdesk_core::{
    customers::{
        DomainName, Prefix,
        exchange::{Format, Record, read, write},
    },
    desk::{
        Error,
        customers::{CustomerPatch, export, list, search, set},
        import_customers::{ImportPlan, import},
        tickets,
    },
    refusal::RefusalCode,
    tickets::Status,
};
use tierdesk_tests::{Backend, Letter, TestDesk, on_both, owner};

fn shipped() -> Vec<Record> {
    let text = include_str!("../../../../config/customers.toml");
    read(Format::Toml, text).expect("the shipped customers can be read")
}

fn toml(text: &str) -> Vec<Record> {
    read(Format::Toml, text).expect("the file can be read")
}

async fn run(test: &TestDesk, records: Vec<Record>, is_dry_run: bool) -> Result<ImportPlan, Error> {
    import(&test.desk, &owner(), records, is_dry_run).await
}

async fn found(test: &TestDesk, words: &str) -> Vec<String> {
    let found = search(&test.desk, &owner(), words)
        .await
        .expect("it searches");
    found
        .into_iter()
        .map(|customer| customer.slug.to_string())
        .collect()
}

on_both! {
    whatever_people_type_finds_the_customer,
    importing_again_changes_nothing,
    a_dry_run_tells_and_changes_nothing,
    one_bad_record_stops_the_import,
    an_import_adds_and_changes_what_the_file_says,
    open_tickets_follow_their_customer_s_tier,
    counts_of_open_tickets_are_per_customer,
}

async fn whatever_people_type_finds_the_customer(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for words in [
        "acme",
        "ACME",
        "ACMÉ",
        " acme ",
        "acme-finance",
        "Acme Finance Inc",
        "finance acme",
        "acmefinance.com",
        "sub.acmefinance.com",
        "a.b.acmefinance.com",
        "john@acmefinance.com",
        "nobody@acmefinance.com",
        "222233334444",
        "2222-3333-4444",
        "acme-finanse",
    ] {
        assert_eq!(found(&test, words).await, ["acme-finance"], "{words:?}");
    }
    for words in [
        "nothing-of-the-kind",
        "%",
        "_",
        "123412341234",
        "x@stranger.example",
    ] {
        assert!(found(&test, words).await.is_empty(), "{words:?}");
    }
    assert_eq!(found(&test, "solutions").await, ["medicorp", "techgov"]);
    assert_eq!(found(&test, "").await.len(), 5);
}

async fn importing_again_changes_nothing(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let plan = run(&test, shipped(), false).await.expect("it imports");
    assert_eq!(
        (plan.created, plan.updated, plan.unchanged, plan.applied),
        (5, 0, 0, true)
    );
    let before = test.counts().await;
    let versions = test
        .number("SELECT CAST(SUM(version) AS BIGINT) FROM customers")
        .await;
    let plan = run(&test, shipped(), false).await.expect("it imports");
    assert_eq!((plan.created, plan.updated, plan.unchanged), (0, 0, 5));
    assert_eq!(test.counts().await, before);
    assert_eq!(
        test.number("SELECT CAST(SUM(version) AS BIGINT) FROM customers")
            .await,
        versions
    );
}

async fn a_dry_run_tells_and_changes_nothing(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let before = test.counts().await;
    let plan = run(&test, shipped(), true).await.expect("it plans");
    assert_eq!((plan.created, plan.applied), (5, false));
    assert_eq!(test.counts().await, before);
    run(&test, shipped(), false)
        .await
        .expect("positive control: it imports");
    assert_ne!(test.counts().await, before);
}

async fn one_bad_record_stops_the_import(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let before = test.counts().await;
    let mut records = shipped();
    records.extend(toml(
        "[[customers]]\nname = 'Bad'\ntier = 'fintech'\ndomains = ['gmail.com']\n\
         [[customers]]\nname = 'Worse'\ntier = 'platinum'",
    ));
    let Err(Error::Refused(refusal)) = run(&test, records, false).await else {
        panic!("it was not refused");
    };
    assert_eq!(refusal.code, RefusalCode::Invalid);
    assert!(
        refusal.message.contains("gmail.com") && refusal.message.contains("platinum"),
        "{refusal}"
    );
    assert_eq!(test.counts().await, before);
}

async fn an_import_adds_and_changes_what_the_file_says(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let file = "[[customers]]\nslug = 'acme-finance'\nname = 'ACME Finance AG'\ntier = 'fintech'\n\
        domains = ['acme.example']\ntags = { region = 'eu' }\n\
        contacts = [{ address = 'john@acmefinance.com', name = 'John' }, { address = 'ann@acme.example' }]";
    let plan = run(&test, toml(file), false).await.expect("it imports");
    assert_eq!((plan.updated, plan.changes.len()), (1, 1));
    let all = export(&test.desk, &owner()).await.expect("it exports");
    let acme = all
        .iter()
        .find(|one| one.slug.as_str() == "acme-finance")
        .expect("it is there");
    assert_eq!(acme.name, "ACME Finance AG");
    let domains: Vec<&str> = acme.domains.iter().map(DomainName::as_str).collect();
    assert_eq!(
        domains,
        ["acme.example", "acmefinance.com"],
        "nothing is removed by an import"
    );
    let names: Vec<Option<&str>> = acme
        .contacts
        .iter()
        .map(|one| one.name.as_deref())
        .collect();
    assert_eq!(names, [None, Some("John")]);
    assert_eq!(
        acme.prefix.as_ref().map(Prefix::as_str),
        Some("acme"),
        "absent leaves it"
    );
    let plan = run(&test, toml(file), false).await.expect("it imports");
    assert_eq!(plan.unchanged, 1);
    for format in [Format::Toml, Format::Json] {
        let again = read(format, &write(format, &all)).expect("what is written can be read");
        let plan = run(&test, again, false).await.expect("it imports");
        assert_eq!(
            plan.unchanged, 5,
            "an export imports without change: {:?}",
            plan.changes
        );
    }
}

async fn open_tickets_follow_their_customer_s_tier(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let open = test
        .receive_on(&Letter::new("admin@startupcorp.io", "open").subject("[sev1] down"))
        .await;
    let ended = test
        .receive_on(&Letter::new("admin@startupcorp.io", "ended"))
        .await;
    let other = test
        .receive_on(&Letter::new("john@acmefinance.com", "other"))
        .await;
    tierdesk_core::desk::work_ticket::set_status(&test.desk, &owner(), ended, Status::Resolved)
        .await
        .expect("it is resolved");
    let before = test.ticket(open).await.ticket;
    let untouched = test.ticket(ended).await.ticket;
    test.pass(std::time::Duration::from_mins(10));
    let patch = CustomerPatch {
        tier: "healthcare".parse().ok(),
        ..CustomerPatch::default()
    };
    set(&test.desk, &owner(), "startupcorp", patch)
        .await
        .expect("it is changed");
    let after = test.ticket(open).await.ticket;
    let tier = test
        .desk
        .catalogue
        .get("healthcare")
        .expect("a tier")
        .clone();
    assert_eq!(after.tier, "healthcare".parse().ok());
    assert_eq!(after.framework.as_deref(), Some("HIPAA"));
    assert_eq!(after.priority, tier.priorities[after.severity]);
    let due = tier.targets.first_response[after.severity]
        .contract
        .expect("it is promised");
    assert_eq!(
        after.sla.first_response.due,
        Some(before.opened_at.plus(due.duration()))
    );
    assert_ne!(after.sla.first_response.due, before.sla.first_response.due);
    assert_eq!(
        test.ticket(ended).await.ticket.tier,
        untouched.tier,
        "what ended stays as it was"
    );
    assert_eq!(
        test.ticket(other)
            .await
            .ticket
            .tier
            .map(|tier| tier.to_string())
            .as_deref(),
        Some("fintech")
    );
    let events = tickets::history(&test.desk, &owner(), open)
        .await
        .expect("it is read");
    assert!(events.iter().any(|event| event.kind == "retiered"));
    let audited = test
        .number("SELECT COUNT(*) FROM audit_entries WHERE action = 'customer.set'")
        .await;
    assert_eq!(audited, 2, "the customer's entry and the ticket's");
}

async fn counts_of_open_tickets_are_per_customer(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for n in 0..3 {
        test.receive(&Letter::new("john@acmefinance.com", &format!("{n}")))
            .await;
    }
    let all = list(&test.desk, &owner(), None).await.expect("it lists");
    let open: Vec<i64> = all.iter().map(|customer| customer.open_tickets).collect();
    assert_eq!(open, [3, 0, 0, 0, 0]);
}
