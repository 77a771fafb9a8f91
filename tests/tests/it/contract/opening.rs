//! What a first mail opens, and for whom.

use std::time::Duration;

use tierdesk_core::{
    desk::customers::{CustomerPatch, set},
    receive::Outcome,
    store::{blobs, tickets::find_by_number},
    tickets::{MessageKind, TRIAGE_RANK},
    tiers::{Priority, Severity},
    trust::SenderTrust,
};
use tierdesk_tests::{Backend, Letter, START, TestDesk, on_both, owner};

on_both! {
    a_customer_s_mail_opens_a_ticket_of_their_tier,
    a_stranger_s_mail_waits_in_triage,
    an_imitated_domain_is_named,
    a_mail_without_one_sender_is_contradicted,
    markers_and_importance_set_the_severity,
    a_contract_s_framework_comes_before_the_tier_s,
    machines_are_recorded_and_open_nothing,
    secrets_are_masked_and_the_raw_mail_keeps_them,
    what_a_mail_says_is_stored_as_it_says,
}

async fn a_customer_s_mail_opens_a_ticket_of_their_tier(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for (sender, tier, framework) in [
        ("john@acmefinance.com", "fintech", "SOC 2"),
        ("new@medicorp.com", "healthcare", "HIPAA"),
        ("x@it.techgov.gov", "gov-federal", "FedRAMP"),
        ("admin@startupcorp.io", "standard", "CIS"),
    ] {
        let receipt = test.receive(&Letter::new(sender, sender)).await;
        assert_eq!(receipt.outcome, Outcome::Opened, "{sender}");
        assert_eq!(
            receipt.trust,
            SenderTrust::Unproven,
            "nothing authenticated it"
        );
        let number = receipt.ticket.expect("it is on a ticket");
        let ticket = test.ticket(number).await.ticket;
        let catalogue = test.desk.catalogue.get(tier).expect("a tier");
        assert!(ticket.is_provisional, "{sender}");
        assert_eq!(ticket.severity, Severity::Sev3, "the default");
        assert_eq!(ticket.priority, catalogue.priorities[Severity::Sev3]);
        assert_eq!(ticket.tier.as_ref(), Some(&catalogue.slug));
        assert_eq!(ticket.framework.as_deref(), Some(framework));
        assert_eq!(
            (ticket.requester.as_str(), ticket.participants.as_slice()),
            (sender, &[sender.to_owned()][..])
        );
        let first = &catalogue.targets.first_response[Severity::Sev3];
        let due = first.contract.map(|target| START.plus(target.duration()));
        assert_eq!(ticket.sla.first_response.due, due, "{tier}");
        assert_eq!(
            ticket.sla.first_response.internal_due,
            Some(START.plus(first.internal.duration()))
        );
        assert_eq!(
            ticket.sla.next_response.due, None,
            "it begins after the first answer"
        );
        assert!(
            ticket.tags.contains(&format!("tier:{tier}")),
            "{:?}",
            ticket.tags
        );
        assert_eq!(receipt.tier.as_ref(), Some(&catalogue.slug));
    }
}

async fn a_stranger_s_mail_waits_in_triage(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let receipt = test
        .receive(&Letter::new("eve@stranger.example", "s"))
        .await;
    assert_eq!(
        (receipt.outcome, receipt.customer),
        (Outcome::Triaged, None)
    );
    assert_eq!(receipt.trust, SenderTrust::Unproven);
    let number = receipt.ticket.expect("every mail makes a ticket");
    let ticket = test.ticket(number).await.ticket;
    assert_eq!((ticket.tier, ticket.is_provisional), (None, false));
    assert_eq!(
        ticket.sla.first_response.due, None,
        "nothing was promised to nobody"
    );
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let row = find_by_number(&mut tx, number)
        .await
        .expect("it is read")
        .expect("it is there");
    assert_eq!(row.tier_rank, TRIAGE_RANK);
}

async fn an_imitated_domain_is_named(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for (n, sender) in [
        "john@acmefinnance.com",
        "john@acmefinance.com.evil.example",
        "john@аcmefinance.com",
    ]
    .iter()
    .enumerate()
    {
        let receipt = test
            .receive(&Letter::new(sender, &format!("look-alike-{n}")))
            .await;
        assert_eq!(receipt.outcome, Outcome::Triaged, "{sender}");
        assert_eq!(receipt.trust, SenderTrust::Contradicted, "{sender}");
        let ticket = test
            .ticket(receipt.ticket.expect("it is on a ticket"))
            .await
            .ticket;
        let reasons = ticket.trust_reasons.join("; ");
        assert!(
            reasons.contains("acmefinance.com of acme-finance"),
            "{sender}: {reasons}"
        );
    }
}

async fn a_mail_without_one_sender_is_contradicted(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let twice = Letter::new("john@acmefinance.com", "two").header("From: eve@stranger.example");
    let list = Letter::new("john@acmefinance.com, eve@stranger.example", "list");
    let none = Letter::new("not an address", "none");
    for letter in [twice, list, none] {
        let receipt = test.receive(&letter).await;
        assert_eq!(
            (receipt.outcome, receipt.trust),
            (Outcome::Triaged, SenderTrust::Contradicted),
            "{letter:?}"
        );
        assert_eq!(receipt.customer, None);
    }
}

async fn markers_and_importance_set_the_severity(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for (subject, header, severity, priority) in [
        (
            "[SEV1] all is down",
            "X-None: x",
            Severity::Sev1,
            Priority::P2,
        ),
        ("Re: sev-2: slow", "X-None: x", Severity::Sev2, Priority::P3),
        ("[urgent] login", "X-None: x", Severity::Sev2, Priority::P3),
        (
            "[sev4] typo",
            "Importance: high",
            Severity::Sev4,
            Priority::P4,
        ),
        ("hello", "Importance: high", Severity::Sev2, Priority::P3),
        ("hello", "X-Priority: 5", Severity::Sev4, Priority::P4),
        (
            "several things are urgent",
            "X-None: x",
            Severity::Sev3,
            Priority::P4,
        ),
    ] {
        let id = format!("{subject}{header}").replace([' ', ':', '[', ']'], "");
        let letter = Letter::new("john@acmefinance.com", &id)
            .subject(subject)
            .header(header);
        let receipt = test.receive(&letter).await;
        assert_eq!(receipt.severity, Some(severity), "{subject} {header}");
        assert_eq!(receipt.priority, Some(priority), "{subject} {header}");
    }
}

async fn a_contract_s_framework_comes_before_the_tier_s(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let patch = CustomerPatch {
        framework: Some("PCI DSS".to_owned()),
        ..CustomerPatch::default()
    };
    set(&test.desk, &owner(), "acme-finance", patch)
        .await
        .expect("it is changed");
    let receipt = test
        .receive(&Letter::new("john@acmefinance.com", "a"))
        .await;
    assert_eq!(receipt.framework.as_deref(), Some("PCI DSS"));
}

async fn machines_are_recorded_and_open_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for (header, kind) in [
        ("Auto-Submitted: auto-replied", MessageKind::AutoReply),
        ("X-Failed-Recipients: x@y.example", MessageKind::Bounce),
        ("List-Id: <news.example>", MessageKind::List),
        ("Precedence: bulk", MessageKind::Bulk),
    ] {
        let letter = Letter::new("john@acmefinance.com", kind.as_str()).header(header);
        let receipt = test.receive(&letter).await;
        assert_eq!(
            (receipt.outcome, receipt.kind, receipt.ticket),
            (Outcome::Recorded, kind, None)
        );
    }
    assert_eq!(test.number("SELECT COUNT(*) FROM tickets").await, 0);
    assert_eq!(
        test.number("SELECT COUNT(*) FROM messages").await,
        4,
        "they are kept"
    );
    assert_eq!(
        test.number("SELECT COUNT(*) FROM audit_entries WHERE action = 'mail.receive'")
            .await,
        4
    );
}

async fn secrets_are_masked_and_the_raw_mail_keeps_them(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let secret = "AKIAIOSFODNN7EXAMPLE";
    let letter = Letter::new("john@acmefinance.com", "secret")
        .subject(&format!("my key {secret}"))
        .body(&format!("Here is my key: {secret}\nThanks"));
    let number = test.receive_on(&letter).await;
    let detail = test.ticket(number).await;
    let shown = format!("{detail:?}");
    assert!(!shown.contains(secret), "{shown}");
    assert!(
        detail.ticket.subject.contains("[masked:"),
        "{}",
        detail.ticket.subject
    );
    let findings = detail.messages[0].findings.join("; ");
    assert!(
        findings.contains("ask the customer to replace it"),
        "{findings}"
    );
    for (table, column) in [
        ("tickets", "subject"),
        ("messages", "subject"),
        ("messages", "body"),
        ("messages", "reply_text"),
        ("ticket_events", "detail"),
        ("audit_entries", "fields"),
    ] {
        let query = format!("SELECT COUNT(*) FROM {table} WHERE {column} LIKE '%{secret}%'");
        assert_eq!(test.number(&query).await, 0, "{table}.{column}");
    }
    let rows: Vec<(tierdesk_core::ids::BlobId,)> = test.look("SELECT blob_id FROM messages").await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let raw = blobs::open(&mut tx, rows[0].0).await.expect("it opens");
    assert_eq!(raw, letter.bytes(), "every byte as it came");
}

async fn what_a_mail_says_is_stored_as_it_says(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    test.pass(Duration::from_micros(7));
    let letter = Letter::new("Jörg Müller <jörg@acmefinance.com>", "words")
        .subject("Prüfung – 日本 🙂")
        .date("Sun, 22 Nov 2026 08:00:00 +0100")
        .body("Grüße 🙂\n\n> alt\n");
    let number = test.receive_on(&letter).await;
    let mut tx = test.desk.database.begin_read().await.expect("it begins");
    let ticket = find_by_number(&mut tx, number)
        .await
        .expect("it is read")
        .expect("it is there");
    let listed = tierdesk_core::store::messages::list_of_ticket(&mut tx, ticket.id).await;
    let message = listed.expect("they are read").remove(0);
    assert_eq!(ticket.subject, "Prüfung – 日本 🙂");
    assert_eq!(message.author_name.as_deref(), Some("Jörg Müller"));
    assert_eq!(message.reply_text, "Grüße 🙂");
    assert_eq!(message.body.trim_end(), "Grüße 🙂\n\n> alt");
    assert_eq!(message.header_id.as_deref(), Some("words@mail.example"));
    assert_eq!(message.sent_at, "2026-11-22T07:00:00Z".parse().ok());
    assert_eq!(
        message.received_at.micros(),
        START.micros() + 7,
        "to the microsecond"
    );
    assert_eq!(message.trust, Some(SenderTrust::Unproven));
}
