//! Each handle, domain and contact belongs to one customer, whoever asks first.

use tierdesk_core::{
    customers::{CustomerStatus, DomainName},
    desk::{
        Desk, Error,
        customers::{
            CustomerPatch, CustomerReport, NewCustomer, add, add_contact, add_domains,
            remove_contact, remove_domains, resolve, set, show,
        },
    },
    refusal::{Refusal, RefusalCode},
    store::StoreError,
};
use tierdesk_tests::{Backend, TestDesk, on_both, owner};
use tokio::task::JoinSet;

fn customer(name: &str) -> NewCustomer {
    NewCustomer {
        slug: None,
        name: name.to_owned(),
        tier: "fintech".parse().expect("a tier's name"),
        domains: Vec::new(),
        contacts: Vec::new(),
        prefix: None,
        account_id: None,
        status: CustomerStatus::Active,
    }
}

fn domain(name: &str) -> DomainName {
    name.parse().expect("a domain")
}

fn refusal(answer: Result<CustomerReport, Error>) -> Refusal {
    match answer {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// Asserts that `new` is refused with this code, names the owner and leaves nothing.
async fn refused(test: &TestDesk, new: NewCustomer, code: RefusalCode) {
    let before = test.counts().await;
    let refusal = refusal(add(&test.desk, &owner(), new).await);
    assert_eq!(refusal.code, code, "{refusal:?}");
    assert!(
        refusal.message.contains("acme-finance"),
        "names the owner: {}",
        refusal.message
    );
    assert!(refusal.hint.is_some(), "says what to do");
    assert_eq!(test.counts().await, before);
}

async fn resolved(test: &TestDesk, address: &str) -> Option<String> {
    let address = address.parse().expect("an address");
    let report = resolve(&test.desk, &owner(), &address)
        .await
        .expect("it resolves");
    report.customer.map(|slug| slug.to_string())
}

on_both! {
    what_is_taken_names_its_owner,
    a_customer_is_not_its_own_rival,
    one_of_fifty_claims_wins,
    a_domain_moves_when_told_to,
    what_strangers_share_belongs_to_nobody,
    what_was_removed_is_free,
    an_exact_contact_wins_then_the_longest_domain,
}

async fn what_is_taken_names_its_owner(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let new = NewCustomer {
        slug: "acme-finance".parse().ok(),
        ..customer("Other")
    };
    refused(&test, new, RefusalCode::Taken).await;
    let new = NewCustomer {
        prefix: "acme".parse().ok(),
        ..customer("Other")
    };
    refused(&test, new, RefusalCode::Taken).await;
    let new = NewCustomer {
        account_id: "2222-3333-4444".parse().ok(),
        ..customer("Other")
    };
    refused(&test, new, RefusalCode::Taken).await;
    let new = NewCustomer {
        domains: vec![domain("ACMEFinance.com.")],
        ..customer("Other")
    };
    refused(&test, new, RefusalCode::DomainTaken).await;
    let contacts = vec!["John@AcmeFinance.com".parse().expect("an address")];
    let new = NewCustomer {
        contacts,
        ..customer("Other")
    };
    refused(&test, new, RefusalCode::Taken).await;
    add(&test.desk, &owner(), customer("Other"))
        .await
        .expect("positive control: free values are taken");
}

/// Also at the very instant at which it was made.
async fn a_customer_is_not_its_own_rival(backend: Backend) {
    let test = TestDesk::new(backend).await;
    let new = NewCustomer {
        prefix: "other".parse().ok(),
        ..customer("Other")
    };
    add(&test.desk, &owner(), new).await.expect("it is new");
    let patch = CustomerPatch {
        name: Some("Another".to_owned()),
        ..CustomerPatch::default()
    };
    let report = set(&test.desk, &owner(), "other", patch)
        .await
        .expect("it is changed");
    assert_eq!(report.name, "Another");
    let patch = CustomerPatch {
        prefix: "acme".parse().ok(),
        ..CustomerPatch::default()
    };
    test.import_shipped_customers().await;
    let refusal = refusal(set(&test.desk, &owner(), "other", patch).await);
    assert_eq!(refusal.code, RefusalCode::Taken);
}

async fn one_of_fifty_claims_wins(backend: Backend) {
    let test = TestDesk::new(backend).await;
    for n in 0..50 {
        add(&test.desk, &owner(), customer(&format!("Claimant {n}")))
            .await
            .expect("it is new");
    }
    let mut claims = JoinSet::new();
    for n in 0..50 {
        let desk: Desk = test.desk.clone();
        claims.spawn(async move {
            let wanted = vec![domain("contested.example")];
            add_domains(&desk, &owner(), &format!("claimant-{n}"), wanted, false).await
        });
    }
    let (mut won, mut lost) = (0, 0);
    for answer in claims.join_all().await {
        match answer {
            Ok(_) => won += 1,
            Err(Error::Refused(refusal)) if refusal.code == RefusalCode::DomainTaken => lost += 1,
            Err(Error::Failed(StoreError::Conflict(_))) => lost += 1,
            Err(other) => panic!("neither refused nor a lost race: {other:?}"),
        }
    }
    assert_eq!((won, lost), (1, 49));
    let rows = test
        .number("SELECT COUNT(*) FROM customer_domains WHERE domain = 'contested.example'")
        .await;
    assert_eq!(rows, 1);
    let claimed = test
        .number("SELECT COUNT(*) FROM audit_entries WHERE action = 'customer.domain'")
        .await;
    assert_eq!(claimed, 1, "who lost left no audit entry");
}

async fn a_domain_moves_when_told_to(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let wanted = || vec![domain("acmefinance.com")];
    let refusal = refusal(add_domains(&test.desk, &owner(), "startupcorp", wanted(), false).await);
    assert!(refusal.hint.is_some_and(|hint| hint.contains("--move")));
    let report = add_domains(&test.desk, &owner(), "startupcorp", wanted(), true)
        .await
        .expect("it moves");
    assert!(report.domains.contains(&domain("acmefinance.com")));
    let loser = show(&test.desk, &owner(), "acme-finance")
        .await
        .expect("it is there");
    assert!(loser.domains.is_empty());
    assert_eq!(
        resolved(&test, "new@acmefinance.com").await.as_deref(),
        Some("startupcorp")
    );
    let again = add_domains(&test.desk, &owner(), "startupcorp", wanted(), true).await;
    assert_eq!(
        again.expect("it is theirs").domains.len(),
        2,
        "once more changes nothing"
    );
}

async fn what_strangers_share_belongs_to_nobody(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for shared in ["gmail.com", "mail.gmail.com", "co.uk", "github.io"] {
        let refusal = refusal(
            add_domains(
                &test.desk,
                &owner(),
                "acme-finance",
                vec![domain(shared)],
                true,
            )
            .await,
        );
        assert_eq!(refusal.code, RefusalCode::DomainShared, "{shared}");
        let hint = refusal.hint.expect("says what to do");
        assert!(hint.contains("contact add acme-finance"), "{hint}");
    }
    let own = add_domains(
        &test.desk,
        &owner(),
        "acme-finance",
        vec![domain("acme.co.uk")],
        false,
    )
    .await;
    own.expect("positive control: a name under a public suffix is somebody's");
    let person = "jane@gmail.com".parse().expect("an address");
    add_contact(&test.desk, &owner(), "acme-finance", person, None, None)
        .await
        .expect("as the hint says");
    assert_eq!(
        resolved(&test, "jane@gmail.com").await.as_deref(),
        Some("acme-finance")
    );
    assert_eq!(resolved(&test, "joe@gmail.com").await, None);
}

async fn what_was_removed_is_free(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = &test.desk;
    remove_domains(
        desk,
        &owner(),
        "acme-finance",
        vec![domain("acmefinance.com")],
    )
    .await
    .expect("it is theirs");
    let john = || "john@acmefinance.com".parse().expect("an address");
    remove_contact(desk, &owner(), "acme-finance", john())
        .await
        .expect("it is theirs");
    assert_eq!(resolved(&test, "john@acmefinance.com").await, None);
    let left = test
        .number("SELECT COUNT(*) FROM domain_variants WHERE domain = 'acmefinance.com'")
        .await;
    assert_eq!(left, 0, "its look-alikes are forgotten");
    add_domains(
        desk,
        &owner(),
        "medicorp",
        vec![domain("acmefinance.com")],
        false,
    )
    .await
    .expect("it is free");
    add_contact(desk, &owner(), "techgov", john(), None, None)
        .await
        .expect("it is free");
    let twice = remove_domains(
        desk,
        &owner(),
        "acme-finance",
        vec![domain("acmefinance.com")],
    )
    .await;
    assert_eq!(refusal(twice).code, RefusalCode::NotFound);
}

async fn an_exact_contact_wins_then_the_longest_domain(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = &test.desk;
    let longer = vec![domain("eu.acmefinance.com")];
    add_domains(desk, &owner(), "medicorp", longer, true)
        .await
        .expect("nobody has it, and the flag lets it lie under another's");
    let consultant = "ann@eu.acmefinance.com".parse().expect("an address");
    add_contact(desk, &owner(), "techgov", consultant, None, None)
        .await
        .expect("it is free");
    for (address, slug) in [
        ("ann@eu.acmefinance.com", Some("techgov")),
        ("bob@eu.acmefinance.com", Some("medicorp")),
        ("bob@mail.eu.acmefinance.com", Some("medicorp")),
        ("bob@acmefinance.com", Some("acme-finance")),
        ("bob@us.acmefinance.com", Some("acme-finance")),
        ("bob@notacmefinance.com", None),
        ("bob@com", None),
    ] {
        if let Ok(parsed) = address.parse::<tierdesk_core::customers::EmailAddress>() {
            assert_eq!(
                resolved(&test, parsed.as_str()).await.as_deref(),
                slug,
                "{address}"
            );
        }
    }
    let patch = CustomerPatch {
        include_subdomains: Some(false),
        ..CustomerPatch::default()
    };
    set(desk, &owner(), "medicorp", patch)
        .await
        .expect("it is changed");
    assert_eq!(
        resolved(&test, "bob@eu.acmefinance.com").await.as_deref(),
        Some("medicorp")
    );
    assert_eq!(
        resolved(&test, "bob@mail.eu.acmefinance.com")
            .await
            .as_deref(),
        Some("acme-finance")
    );
    let patch = CustomerPatch {
        include_subdomains: Some(false),
        ..CustomerPatch::default()
    };
    set(desk, &owner(), "acme-finance", patch)
        .await
        .expect("it is changed");
    assert_eq!(resolved(&test, "bob@us.acmefinance.com").await, None);
}
