//! Who may work for whom: what tiers and contracts demand of staff, who said that it is so, and what is
//! written down of reading.

use std::time::Duration;

use tierdesk_core::{
    customers::Slug,
    desk::{
        Error, attachments, audit,
        customers::{self, CustomerPatch},
        recorded, search,
        staff::{self, GrantReport, NewStaff, StaffPatch, register_first_admin},
        tickets, work_ticket,
    },
    permit::Actor,
    refusal::{Refusal, RefusalCode},
    search::Query,
    staff::{Attribute, Role, StaffStatus},
    store::tickets::Filter,
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, Letter, MailDesk, on_both, owner};

on_both! {
    tickets_are_for_whom_everything_is_attested,
    no_second_way_leads_around_it,
    a_contract_asks_for_more_than_its_tier,
    whoever_is_alone_is_let_through_and_told_of,
    reading_is_written_down_where_the_tier_says_so,
    a_review_shows_grants_reasons_and_removals,
    the_last_admin_stays,
}

const GOV: &str = "security@techgov.gov";
const JOHN: &str = "john@acmefinance.com";
const DAY: Duration = Duration::from_hours(24);

fn login(name: &str) -> Actor {
    Actor::OsUser {
        name: name.to_owned(),
        owns_configuration: false,
    }
}

fn name(text: &str) -> Attribute {
    text.parse().expect("it names an attribute")
}

/// The owner as first admin, and these with their roles.
async fn hire(desk: &MailDesk, people: &[(&str, Role)]) {
    register_first_admin(&desk.test.desk, &owner())
        .await
        .expect("it registers");
    for (one, role) in people {
        let new = NewStaff {
            name: (*one).to_owned(),
            role: *role,
            os_user: Some((*one).to_owned()),
            discord_user_id: None,
            reason: Some("joined the team".to_owned()),
        };
        staff::add(&desk.test.desk, &owner(), new)
            .await
            .expect("they are added");
    }
}

async fn attest(desk: &MailDesk, whom: &str, what: &str, days: u32) {
    let until = desk.test.clock.read().plus(DAY * days);
    let grounds = Some("certificate 4711".to_owned());
    staff::attest(&desk.test.desk, &owner(), whom, name(what), until, grounds)
        .await
        .expect("it is attested");
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

async fn may_note(desk: &MailDesk, who: &Actor, number: TicketNumber) -> bool {
    match work_ticket::note(&desk.test.desk, who, number, "looked at it").await {
        Ok(_) => true,
        Err(Error::Refused(refusal)) => {
            assert_eq!(refusal.code, RefusalCode::NotPermitted);
            let hint = refusal.hint.unwrap_or_default();
            assert!(hint.contains("staff attest"), "what to do: {hint}");
            false
        }
        Err(error) => panic!("{error:?}"),
    }
}

async fn text_of(desk: &MailDesk, who: &Actor, number: TicketNumber) -> (String, String) {
    let shown = tickets::show(&desk.test.desk, who, number)
        .await
        .expect("it is shown");
    (shown.ticket.subject, shown.messages[0].text.clone())
}

async fn tickets_are_for_whom_everything_is_attested(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    hire(&desk, &[("ann", Role::Agent), ("bob", Role::Agent)]).await;
    let (ann, bob) = (login("ann"), login("bob"));
    let letter = MailDesk::proven(GOV, "gov").attach("log.txt", b"secret lines");
    let gov = desk.receive_on(&letter).await;
    let plain = desk.receive_on(&MailDesk::proven(JOHN, "plain")).await;
    desk.post().await;
    desk.test.pass(Duration::from_secs(1));

    assert!(may_note(&desk, &bob, plain).await, "nothing is asked there");
    assert!(!may_note(&desk, &bob, gov).await);
    assert!(!may_note(&desk, &owner(), gov).await, "nor may an admin");
    attest(&desk, "ann", "screened", 30).await;
    assert!(may_note(&desk, &ann, gov).await);
    assert!(!may_note(&desk, &bob, gov).await, "it is ann's");

    let (subject, text) = text_of(&desk, &bob, gov).await;
    assert!(subject.contains("screened") && text.contains("screened"));
    let (subject, text) = text_of(&desk, &ann, gov).await;
    assert_eq!((&*subject, &*text), ("About gov", "Text of gov."));
    let all = tickets::list(&desk.test.desk, &bob, &Filter::default())
        .await
        .expect("it lists");
    let subject_of = |number| all.iter().find(|one| one.number == number);
    assert!(subject_of(gov).is_some_and(|one| one.subject.contains("not shown")));
    assert!(subject_of(plain).is_some_and(|one| one.subject == "About plain"));
    let next = tickets::next(&desk.test.desk, &bob)
        .await
        .expect("it looks");
    assert_eq!(
        next.map(|one| one.number),
        Some(plain),
        "what bob can work on"
    );
    let found = async |who: &Actor, words: &str| {
        let query = Query::parse(words).expect("it is a query");
        let request = search::Request {
            query,
            ..search::Request::default()
        };
        let found = search::search(&desk.test.desk, who, request).await;
        let tickets = found.expect("it searches").tickets;
        tickets
            .into_iter()
            .map(|one| (one.ticket.number, one.excerpt.is_some()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found(&ann, "gov").await,
        [(gov, false)],
        "no excerpt where reading is noted"
    );
    assert_eq!(
        found(&bob, "gov").await,
        [],
        "not even that a word stands there"
    );
    assert_eq!(found(&bob, "plain").await, [(plain, true)], "the control");
    let opened = attachments::open(&desk.test.desk, &bob, gov, 1).await;
    assert_eq!(refusal(opened).code, RefusalCode::NotPermitted);
    let (_, bytes) = attachments::open(&desk.test.desk, &ann, gov, 1)
        .await
        .expect("it is ann's to read");
    assert_eq!(bytes, b"secret lines");
    let given = work_ticket::assign(&desk.test.desk, &ann, gov, "bob").await;
    assert!(refusal(given).message.contains("screened"));

    desk.test.pass(DAY * 31);
    assert!(!may_note(&desk, &ann, gov).await, "it has ended");
    attest(&desk, "ann", "screened", 30).await;
    assert!(may_note(&desk, &ann, gov).await);
    staff::revoke(&desk.test.desk, &owner(), "ann", name("screened"), None)
        .await
        .expect("it is taken back");
    assert!(!may_note(&desk, &ann, gov).await, "at once");
    desk.end().await;
}

async fn no_second_way_leads_around_it(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    hire(&desk, &[("bob", Role::Agent)]).await;
    let bob = login("bob");
    let letter = MailDesk::proven(GOV, "gov").attach("plan.txt", b"secret lines");
    let gov = desk.receive_on(&letter).await;
    let plain = desk.receive_on(&MailDesk::proven(JOHN, "plain")).await;
    desk.post().await;
    let names = attachments::list(&desk.test.desk, &bob, gov).await;
    let names = names.expect("that there is one is seen");
    assert!(names[0].name.contains("not shown"), "{names:?}");
    for second_path in [
        work_ticket::split(&desk.test.desk, &bob, gov, &[1], None).await,
        work_ticket::merge(&desk.test.desk, &bob, gov, plain).await,
        work_ticket::link(&desk.test.desk, &bob, plain, gov).await,
    ] {
        assert_eq!(refusal(second_path).code, RefusalCode::NotPermitted);
    }
    desk.end().await;
}

async fn a_contract_asks_for_more_than_its_tier(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    let people = [
        ("ann", Role::Agent),
        ("bob", Role::Agent),
        ("pat", Role::Provisioner),
    ];
    hire(&desk, &people).await;
    let number = desk.receive_on(&MailDesk::proven(JOHN, "one")).await;
    desk.post().await;
    assert!(may_note(&desk, &login("bob"), number).await);
    let patch = CustomerPatch {
        staff_attributes: Some(vec![name("us-person")]),
        ..CustomerPatch::default()
    };
    let slug: Slug = desk
        .test
        .ticket(number)
        .await
        .ticket
        .customer
        .expect("it is bound");
    let customer = customers::set(&desk.test.desk, &owner(), slug.as_str(), patch)
        .await
        .expect("it is set");
    assert_eq!(customer.staff_attributes, [name("us-person")]);
    assert!(!may_note(&desk, &login("bob"), number).await);
    attest(&desk, "bob", "us-person", 5).await;
    assert!(may_note(&desk, &login("bob"), number).await);
    assert!(!may_note(&desk, &login("ann"), number).await);
    // Nobody lets themselves in by asking for less.
    let less = || CustomerPatch {
        staff_attributes: Some(Vec::new()),
        ..CustomerPatch::default()
    };
    let refused = customers::set(&desk.test.desk, &login("pat"), slug.as_str(), less()).await;
    assert_eq!(refusal(refused).code, RefusalCode::NotPermitted);
    let away = MailDesk::proven(JOHN, "away").header("Auto-Submitted: auto-replied");
    desk.receive(&away).await;
    let kept = recorded::list(&desk.test.desk, &login("ann"), 10).await;
    let kept = kept.expect("it lists");
    assert!(kept[0].subject.contains("us-person"), "{kept:?}");
    attest(&desk, "pat", "us-person", 5).await;
    customers::set(&desk.test.desk, &login("pat"), slug.as_str(), less())
        .await
        .expect("whoever has it may");
    desk.end().await;
}

async fn whoever_is_alone_is_let_through_and_told_of(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    hire(&desk, &[]).await;
    let gov = desk.receive_on(&MailDesk::proven(GOV, "gov")).await;
    desk.post().await;
    assert!(may_note(&desk, &owner(), gov).await);
    let (subject, _) = text_of(&desk, &owner(), gov).await;
    assert_eq!(subject, "About gov");
    let review = staff::review(&desk.test.desk, &owner())
        .await
        .expect("it is looked over");
    let told = |word: &str| review.findings.iter().any(|one| one.contains(word));
    assert!(
        told("whoever is alone here works without"),
        "{:?}",
        review.findings
    );
    // Nobody attests anything of themselves once somebody else could.
    let until = desk.test.clock.read().plus(DAY);
    staff::attest(
        &desk.test.desk,
        &owner(),
        "olivia",
        name("screened"),
        until,
        None,
    )
    .await
    .expect("there is nobody else");
    let review = staff::review(&desk.test.desk, &owner())
        .await
        .expect("it is looked over");
    let own = &review.members[0].findings;
    assert!(
        own.iter().any(|one| one.contains("by themselves")),
        "{own:?}"
    );
    hire(&desk, &[("ann", Role::Admin)]).await;
    let again = staff::attest(
        &desk.test.desk,
        &owner(),
        "olivia",
        name("screened"),
        until,
        None,
    )
    .await;
    assert_eq!(refusal(again).code, RefusalCode::NotPermitted);
    let past = desk.test.clock.read();
    let ended = staff::attest(
        &desk.test.desk,
        &owner(),
        "ann",
        name("screened"),
        past,
        None,
    )
    .await;
    assert_eq!(refusal(ended).code, RefusalCode::Invalid);
    desk.end().await;
}

async fn reads(desk: &MailDesk) -> Vec<(String, String)> {
    let entries = audit::list(&desk.test.desk, &owner(), "", 500)
        .await
        .expect("it lists");
    let read = entries.into_iter().map(|(_, entry)| entry);
    let read = read.filter(|one| one.action == "ticket.read");
    read.map(|one| (one.actor, one.subject)).collect()
}

async fn reading_is_written_down_where_the_tier_says_so(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    hire(
        &desk,
        &[
            ("ann", Role::Viewer),
            ("bob", Role::Viewer),
            ("eve", Role::Auditor),
        ],
    )
    .await;
    attest(&desk, "ann", "screened", 30).await;
    let letter: Letter = MailDesk::proven(GOV, "gov").attach("log.txt", b"lines");
    let gov = desk.receive_on(&letter).await;
    let plain = desk.receive_on(&MailDesk::proven(JOHN, "plain")).await;
    desk.post().await;
    for who in ["ann", "bob", "eve"] {
        text_of(&desk, &login(who), plain).await;
    }
    assert_eq!(reads(&desk).await, [], "its tier does not say so");
    // Nothing of it is shown to bob, so he read nothing.
    text_of(&desk, &login("bob"), gov).await;
    assert_eq!(reads(&desk).await, []);
    text_of(&desk, &login("ann"), gov).await;
    attachments::open(&desk.test.desk, &login("ann"), gov, 1)
        .await
        .expect("it opens");
    let one = ("staff:ann".to_owned(), format!("ticket:{gov}"));
    assert_eq!(reads(&desk).await, [one.clone(), one]);
    desk.end().await;
}

async fn a_review_shows_grants_reasons_and_removals(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    hire(&desk, &[("ann", Role::Agent), ("eve", Role::Auditor)]).await;
    desk.test.pass(Duration::from_secs(1));
    attest(&desk, "ann", "hipaa-trained", 20).await;
    desk.test.pass(Duration::from_secs(1));
    let patch = |role, status, reason: &str| StaffPatch {
        role,
        status,
        reason: Some(reason.to_owned()),
        ..StaffPatch::default()
    };
    let promoted = patch(Some(Role::Admin), None, "leads the shift");
    staff::set(&desk.test.desk, &owner(), "ann", promoted)
        .await
        .expect("it is set");
    desk.test.pass(DAY * 100);
    let left = patch(None, Some(StaffStatus::Disabled), "left the company");
    staff::set(&desk.test.desk, &owner(), "ann", left)
        .await
        .expect("it is set");
    let denied = staff::review(&desk.test.desk, &login("ann")).await;
    assert_eq!(refusal(denied).code, RefusalCode::NotPermitted);
    let review = staff::review(&desk.test.desk, &login("eve"))
        .await
        .expect("auditors look it over");
    let ann = review
        .members
        .iter()
        .find(|one| one.name == "ann")
        .expect("she stays in it");
    let told: Vec<String> = ann.grants.iter().map(told_of).collect();
    assert_eq!(
        told,
        [
            "role agent: joined the team; gone: leads the shift",
            "attribute hipaa-trained: certificate 4711; ended",
            "role admin: leads the shift; gone: left the company",
        ]
    );
    let eve = review.members.iter().find(|one| one.name == "eve");
    let eve = eve.expect("she is there");
    for (findings, word) in [
        (&ann.findings, "still linked"),
        (&eve.findings, "90 days"),
        (&review.findings, "one admin only"),
        (&review.findings, "hipaa-trained, asked for by healthcare"),
    ] {
        let is_told = findings.iter().any(|one| one.contains(word));
        assert!(is_told, "{word}: {findings:?}");
    }
    desk.end().await;
}

fn told_of(grant: &GrantReport) -> String {
    let end = match (&grant.removal_reason, grant.is_valid) {
        (Some(reason), _) => format!("gone: {reason}"),
        (None, true) => "counts".to_owned(),
        (None, false) => "ended".to_owned(),
    };
    let reason = grant.reason.as_deref().unwrap_or_default();
    format!("{} {}: {reason}; {end}", grant.kind, grant.name)
}

async fn the_last_admin_stays(backend: Backend) {
    let desk = MailDesk::start(backend).await;
    hire(&desk, &[("ann", Role::Admin)]).await;
    let disabled = || StaffPatch {
        status: Some(StaffStatus::Disabled),
        ..StaffPatch::default()
    };
    staff::set(&desk.test.desk, &owner(), "ann", disabled())
        .await
        .expect("one is left");
    let last = staff::set(&desk.test.desk, &owner(), "olivia", disabled()).await;
    assert!(refusal(last).message.contains("last active admin"));
    let demoted = StaffPatch {
        role: Some(Role::Viewer),
        ..StaffPatch::default()
    };
    let last = staff::set(&desk.test.desk, &owner(), "olivia", demoted).await;
    assert!(refusal(last).message.contains("last active admin"));
    desk.end().await;
}
