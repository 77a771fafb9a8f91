//! Every use case asks for its permit: whoever lacks it changes nothing.

use tierdesk_core::{
    customers::{CustomerStatus, DomainName, EmailAddress},
    desk::{Error, audit, customers, import_customers, jobs, receive, tickets, work_ticket},
    ids::JobId,
    jobs::{JobKind, JobState, NewJob},
    permit::{Actor, ImportMail, ReceiveMail},
    refusal::{Refusal, RefusalCode},
    store::{self, tickets::Filter},
    tickets::{CloseReason, Status, TicketNumber},
    tiers::Severity,
};
use tierdesk_tests::{Backend, Letter, TestDesk, on_both, owner};

use super::permits::{login, staffed};

on_both! {
    who_may_not_changes_nothing,
    readers_read_and_the_auditor_sees_no_bodies,
}

/// The refusal in an answer; a panic where it was done, or failed another way.
fn refused<T: std::fmt::Debug>(what: &str, answer: Result<T, Error>) -> Refusal {
    match answer {
        Err(Error::Refused(refusal)) if refusal.code == RefusalCode::NotPermitted => refusal,
        other => panic!("{what}: expected not_permitted, got {other:?}"),
    }
}

fn domain() -> DomainName {
    "new.example".parse().expect("a domain")
}

fn address() -> EmailAddress {
    "new@person.example".parse().expect("an address")
}

/// Every use case that changes tickets, as `actor`.
async fn refuse_tickets(test: &TestDesk, actor: &Actor, number: TicketNumber) {
    use work_ticket::{BindOptions, NewTicketByHand};
    let desk = &test.desk;
    refused(
        "assign",
        work_ticket::assign(desk, actor, number, "me").await,
    );
    refused(
        "severity",
        work_ticket::set_severity(desk, actor, number, Severity::Sev1).await,
    );
    refused(
        "status",
        work_ticket::set_status(desk, actor, number, Status::OnHold).await,
    );
    refused(
        "note",
        work_ticket::note(desk, actor, number, "a note").await,
    );
    refused(
        "close",
        work_ticket::close(desk, actor, number, CloseReason::Done).await,
    );
    refused("spam", work_ticket::mark_spam(desk, actor, number).await);
    refused("reopen", work_ticket::reopen(desk, actor, number).await);
    let options = BindOptions {
        adds_contact: true,
        adds_domain: true,
    };
    refused(
        "bind",
        work_ticket::bind(desk, actor, number, "medicorp", options).await,
    );
    let new = NewTicketByHand {
        customer: "medicorp".to_owned(),
        requester: None,
        subject: "a call".to_owned(),
        severity: None,
        text: None,
    };
    refused("open", work_ticket::open(desk, actor, new).await);
    let mail = || vec![Letter::new("john@acmefinance.com", "x").prepared()];
    refused(
        "receive",
        receive::receive(desk, actor, ReceiveMail, &mail()).await,
    );
    refused(
        "import mail",
        receive::receive(desk, actor, ImportMail, &mail()).await,
    );
}

/// Every use case that changes the directory, as `actor`.
async fn refuse_directory(test: &TestDesk, actor: &Actor) {
    let desk = &test.desk;
    let new = customers::NewCustomer {
        slug: None,
        name: "New".to_owned(),
        tier: "fintech".parse().expect("a tier's name"),
        domains: vec![domain()],
        contacts: Vec::new(),
        prefix: None,
        account_id: None,
        status: CustomerStatus::Active,
    };
    refused("add", customers::add(desk, actor, new).await);
    let patch = customers::CustomerPatch {
        name: Some("X".to_owned()),
        ..Default::default()
    };
    refused("set", customers::set(desk, actor, "medicorp", patch).await);
    let domains = || vec![domain()];
    refused(
        "domain",
        customers::add_domains(desk, actor, "medicorp", domains(), false).await,
    );
    let theirs = vec!["medicorp.com".parse().expect("a domain")];
    refused(
        "domain",
        customers::remove_domains(desk, actor, "medicorp", theirs).await,
    );
    refused(
        "contact",
        customers::add_contact(desk, actor, "medicorp", address(), None, None).await,
    );
    let theirs = "compliance@medicorp.com".parse().expect("an address");
    refused(
        "contact",
        customers::remove_contact(desk, actor, "medicorp", theirs).await,
    );
    for is_dry_run in [true, false] {
        refused(
            "import",
            import_customers::import(desk, actor, Vec::new(), is_dry_run).await,
        );
    }
}

async fn dead_job(test: &TestDesk) -> JobId {
    let mut tx = test.desk.database.begin_write().await.expect("it begins");
    let new = NewJob::new(JobKind::ProcessInbox, serde_json::json!({}));
    let id = store::jobs::enqueue(&mut tx, new)
        .await
        .expect("it is added")
        .expect("it is new");
    tx.commit().await.expect("it commits");
    test.tamper("UPDATE jobs SET state = 'dead'").await;
    id
}

async fn who_may_not_changes_nothing(backend: Backend) {
    let test = staffed(backend).await;
    let number = test
        .receive_on(&Letter::new("john@acmefinance.com", "a"))
        .await;
    let job = dead_job(&test).await;
    let before = (
        test.counts().await,
        format!("{:?}", test_state(&test, number).await),
    );
    for name in [
        "active-viewer",
        "active-approver",
        "disabled-agent",
        "disabled-admin",
        "stranger",
    ] {
        let actor = login(name);
        refuse_tickets(&test, &actor, number).await;
        refuse_directory(&test, &actor).await;
        refused("retry", jobs::retry(&test.desk, &actor, job).await);
        refused("drop", jobs::drop_job(&test.desk, &actor, job).await);
    }
    refuse_directory(&test, &login("active-auditor")).await;
    refuse_tickets(&test, &login("active-provisioner"), number).await;
    refuse_tickets(&test, &owner_without_rights(), number).await;
    let after = (
        test.counts().await,
        format!("{:?}", test_state(&test, number).await),
    );
    assert_eq!(before, after);
    let note = work_ticket::note(&test.desk, &login("active-agent"), number, "a note").await;
    note.expect("positive control: an agent may");
}

/// Whoever owns the configuration and is not on the staff has no rights once there is one.
fn owner_without_rights() -> Actor {
    Actor::OsUser {
        name: "root".to_owned(),
        owns_configuration: true,
    }
}

async fn test_state(
    test: &TestDesk,
    number: TicketNumber,
) -> (tickets::TicketDetail, Vec<(String, i64)>) {
    let detail = tickets::show(&test.desk, &owner(), number)
        .await
        .expect("it is read");
    let jobs = test.look("SELECT state, generation FROM jobs").await;
    (detail, jobs)
}

async fn readers_read_and_the_auditor_sees_no_bodies(backend: Backend) {
    let test = staffed(backend).await;
    let number = test
        .receive_on(&Letter::new("john@acmefinance.com", "a"))
        .await;
    let desk = &test.desk;
    for role in [
        "viewer",
        "agent",
        "provisioner",
        "approver",
        "auditor",
        "admin",
    ] {
        let actor = login(&format!("active-{role}"));
        let listed = tickets::list(desk, &actor, &Filter::default()).await;
        assert_eq!(listed.expect("every role may read").len(), 1, "{role}");
        let detail = tickets::show(desk, &actor, number)
            .await
            .expect("every role may read");
        let has_body = detail.messages[0].text.contains("Text of a.");
        assert_eq!(has_body, role != "auditor", "{role}");
        assert_eq!(
            detail.messages[0].reply_text.contains("Text of a."),
            role != "auditor"
        );
        let found = customers::search(desk, &actor, "acme")
            .await
            .expect("every role may read");
        assert_eq!(found.len(), 1);
        let all = jobs::list(desk, &actor, &JobState::ALL, 10).await;
        assert!(all.is_ok(), "{role}");
        let trail = audit::list(desk, &actor, "", 10).await;
        assert_eq!(trail.is_ok(), matches!(role, "auditor" | "admin"), "{role}");
        assert_eq!(
            audit::verify(desk, &actor).await.is_ok(),
            matches!(role, "auditor" | "admin")
        );
    }
    for name in ["disabled-agent", "stranger"] {
        let actor = login(name);
        refused(
            "list",
            tickets::list(desk, &actor, &Filter::default()).await,
        );
        refused("next", tickets::next(desk, &actor).await);
        refused("show", tickets::show(desk, &actor, number).await);
        refused("history", tickets::history(desk, &actor, number).await);
        refused("customers", customers::list(desk, &actor, None).await);
        refused("search", customers::search(desk, &actor, "acme").await);
        refused(
            "customer",
            customers::show(desk, &actor, "acme-finance").await,
        );
        refused("export", customers::export(desk, &actor).await);
        refused(
            "resolve",
            customers::resolve(desk, &actor, &address()).await,
        );
        refused("jobs", jobs::list(desk, &actor, &JobState::ALL, 10).await);
        refused("verify", audit::verify(desk, &actor).await);
    }
}
