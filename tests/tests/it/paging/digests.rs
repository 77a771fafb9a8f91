//! What waits and pages nobody is told once a day, to whoever is on call by the schedule that answers for it.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{paging::digest, staff, work_ticket},
    paging::Policies,
    tickets::{CloseReason, TicketNumber},
    tiers::Catalogue,
};
use tierdesk_tests::{Backend, Letter, MailDesk, PageDesk, Told, on_both, owner};

on_both! {
    what_waits_is_told_once_a_day,
    a_digest_says_no_more_than_its_tier_lets_out,
    nobody_is_told_of_tickets_they_may_not_read,
    where_nobody_is_on_call_the_admins_are_told,
    twenty_are_shown_and_the_others_counted,
    what_is_due_first_stands_in_front,
    of_very_many_at_least_so_many_are_told,
    what_waits_is_looked_up_when_it_is_sent,
    a_rota_that_cannot_be_read_holds_up_no_digest,
    a_digest_that_is_switched_off_is_never_written,
}

const HOUR: Duration = Duration::from_hours(1);

async fn open(desk: &PageDesk, from: &str, subject: &str) -> TicketNumber {
    let letter = MailDesk::proven(from, subject).subject(subject);
    desk.mail.receive_on(&letter).await
}

/// What is written now, handed over.
async fn written(desk: &PageDesk) -> Vec<Told> {
    digest::send_due(desk.desk()).await.expect("it is looked");
    desk.work().await;
    let mut told = desk.told();
    told.retain(|one| one.title.contains("digest"));
    told
}

/// The desk begins on a Monday at nine, when a digest is due.
async fn what_waits_is_told_once_a_day(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let first = open(&desk, "admin@startupcorp.io", "[SEV4] a wish").await;
    let second = open(&desk, "admin@startupcorp.io", "[SEV3] a question").await;
    let paged = open(&desk, "admin@startupcorp.io", "[SEV2] slow").await;
    let told = written(&desk).await;
    assert_eq!(
        told.len(),
        1,
        "of four schedules one has something: {told:#?}"
    );
    assert_eq!(told[0].who, "ben");
    assert_eq!(
        told[0].title,
        "tierdesk digest, standard: 2 tickets wait for us"
    );
    let lines = told[0].lines.join("\n");
    for (number, is_in) in [(first, true), (second, true), (paged, false)] {
        let shown = lines.contains(&format!("{number} StartupCorp"));
        assert_eq!(shown, is_in, "{number}: {lines}");
    }
    assert!(
        lines.contains(": [SEV4] a wish. A response is due in 24 h, at"),
        "{lines}"
    );
    assert_eq!(written(&desk).await, [], "once");
    desk.mail.test.pass(HOUR * 23);
    assert_eq!(written(&desk).await, [], "before nine");
    // What is answered, or over, waits no more.
    desk.mail.reply(first, "It is on the list.").await;
    work_ticket::close(desk.desk(), &owner(), second, CloseReason::Done)
        .await
        .expect("it is closed");
    desk.mail.test.pass(HOUR);
    assert_eq!(written(&desk).await, [], "nothing waits");
    open(&desk, "admin@startupcorp.io", "[SEV4] another").await;
    assert_eq!(
        written(&desk).await,
        [],
        "today's is written, if only as nothing"
    );
    desk.mail.test.pass(HOUR * 24);
    // Six processes at once.
    let all = futures_util::future::join_all((0..6).map(|_| digest::send_due(desk.desk())));
    let counts = all.await.into_iter().map(|one| one.expect("it is looked"));
    assert_eq!(counts.sum::<usize>(), 1);
    assert_eq!(written(&desk).await.len(), 1);
    // Saturday, Sunday.
    for days in [3, 1] {
        desk.mail.test.pass(HOUR * 24 * days);
        assert_eq!(written(&desk).await, []);
    }
    desk.mail.test.pass(HOUR * 24);
    assert_eq!(written(&desk).await.len(), 1, "Monday");
    desk.is_healthy().await;
}

async fn a_digest_says_no_more_than_its_tier_lets_out(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let gov = open(&desk, "security@techgov.gov", "[SEV4] canary-subject").await;
    open(&desk, "compliance@medicorp.com", "[SEV4] canary-subject").await;
    open(&desk, "admin@startupcorp.io", "[SEV4] canary-subject").await;
    let told = written(&desk).await;
    assert_eq!(told.len(), 3, "{told:#?}");
    let of = |tier: &str| {
        let title = format!("tierdesk digest, {tier}");
        let found = told.iter().find(|one| one.title.starts_with(&title));
        found.expect("it is written").lines.join("\n")
    };
    for tier in ["gov-federal", "healthcare"] {
        for hidden in ["canary", "security@", "compliance@", "TechGov", "techgov."] {
            assert!(!of(tier).contains(hidden), "{hidden}: {}", of(tier));
        }
    }
    assert!(of("gov-federal").contains(&gov.to_string()));
    assert!(
        of("standard").contains("canary-subject"),
        "positive control"
    );
    // Nor does what is stored of it, or the audit trail.
    let kept: Vec<(String,)> = desk
        .mail
        .test
        .look("SELECT reason FROM pages WHERE kind = 'digest'")
        .await;
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|(reason,)| !reason.contains("canary")));
}

async fn nobody_is_told_of_tickets_they_may_not_read(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    open(&desk, "security@techgov.gov", "[SEV4] a wish").await;
    let screened = "screened".parse().expect("it names an attribute");
    staff::revoke(
        desk.desk(),
        &owner(),
        "ben",
        screened,
        Some("it has run out".to_owned()),
    )
    .await
    .expect("it is revoked");
    let told = written(&desk).await;
    let who: Vec<&str> = told.iter().map(|one| one.who.as_str()).collect();
    assert_eq!(
        who,
        ["ada"],
        "ben is on call and may not read it; ada is second"
    );
    let control = PageDesk::start(backend).await;
    open(&control, "security@techgov.gov", "[SEV4] a wish").await;
    assert_eq!(written(&control).await[0].who, "ben", "positive control");
}

/// The name of the admin, who can be reached from now on.
async fn admin_with_mail(desk: &PageDesk) -> String {
    let admins = "SELECT name FROM staff WHERE role = 'admin'";
    let mut admins: Vec<(String,)> = desk.mail.test.look(admins).await;
    let (name,) = admins.pop().expect("there is one");
    desk.add_mail(&name).await;
    name
}

async fn where_nobody_is_on_call_the_admins_are_told(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let admin = admin_with_mail(&desk).await;
    for name in ["ada", "ben"] {
        desk.disable(name).await;
    }
    // Nobody's yet: the triage schedule is standard's.
    let stranger = Letter::new("someone@nowhere.example", "a").subject("a question");
    desk.mail.receive_on(&stranger).await;
    let told = written(&desk).await;
    let who: Vec<&str> = told.iter().map(|one| one.who.as_str()).collect();
    assert_eq!(who, [admin.as_str()], "{told:#?}");
    assert!(told[0].lines[0].contains("nobody's yet"), "{told:#?}");
}

async fn twenty_are_shown_and_the_others_counted(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    for count in 0..23 {
        open(
            &desk,
            "john@acmefinance.com",
            &format!("[SEV4] wish {count}"),
        )
        .await;
    }
    let told = written(&desk).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].title,
        "tierdesk digest, fintech: 23 tickets wait for us"
    );
    assert_eq!(told[0].lines.len(), 21);
    assert_eq!(told[0].lines[20], "And 3 more: tierdesk ticket list");
}

async fn a_digest_that_is_switched_off_is_never_written(backend: Backend) {
    let mut desk = PageDesk::start(backend).await;
    open(&desk, "john@acmefinance.com", "[SEV4] a wish").await;
    let off = Policies::EMBEDDED.replace("at = \"09:00\"", "at = \"never\"");
    let off = Policies::parse(&off, "oncall.toml", &Catalogue::embedded()).expect("it is read");
    let on = std::mem::replace(&mut desk.mail.test.desk.policies, Arc::new(off));
    assert_eq!(written(&desk).await, []);
    desk.mail.test.desk.policies = on;
    assert_eq!(written(&desk).await.len(), 1, "positive control");
}

async fn what_is_due_first_stands_in_front(backend: Backend) {
    let mut desk = PageDesk::start(backend).await;
    // Both tiers by one schedule; fintech answers within four hours, standard within a day.
    let (later, sooner) = ("admin@startupcorp.io", "john@acmefinance.com");
    let catalogue =
        Catalogue::EMBEDDED.replace("schedule = \"fintech\"", "schedule = \"standard\"");
    let catalogue = Catalogue::parse(&catalogue, "tiers.toml").expect("it is read");
    desk.mail.test.desk.catalogue = Arc::new(catalogue);
    let first = open(&desk, later, "[SEV4] a").await;
    desk.mail.test.pass(HOUR / 2);
    let second = open(&desk, sooner, "[SEV4] b").await;
    let third = open(&desk, later, "[SEV4] c").await;
    let told = written(&desk).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    let numbers = [second, first, third];
    for (line, number) in told[0].lines.iter().zip(numbers) {
        let number = format!("SEV4 {number} ");
        assert!(line.starts_with(&number), "{number}: {told:#?}");
    }
}

async fn what_waits_is_looked_up_when_it_is_sent(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let first = open(&desk, "john@acmefinance.com", "[SEV4] a wish").await;
    let people = digest::send_due(desk.desk()).await;
    assert_eq!(people.expect("it is looked"), 1);
    work_ticket::close(desk.desk(), &owner(), first, CloseReason::Done)
        .await
        .expect("it is closed");
    desk.work().await;
    let told = desk.told().pop().expect("it is sent");
    assert_eq!(
        told.title,
        "tierdesk digest, fintech: nothing waits any more"
    );
    assert!(told.lines.is_empty(), "{told:?}");
}

async fn a_rota_that_cannot_be_read_holds_up_no_digest(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let admin = admin_with_mail(&desk).await;
    open(&desk, "john@acmefinance.com", "[SEV4] a").await;
    open(&desk, "admin@startupcorp.io", "[SEV4] b").await;
    let broken = "UPDATE oncall_schedules SET spec = '{' WHERE slug = 'fintech'";
    desk.desk().database.tamper(broken, broken).await;
    let told = written(&desk).await;
    let mut who: Vec<&str> = told.iter().map(|one| one.who.as_str()).collect();
    who.sort_unstable();
    let mut wanted = ["ben", admin.as_str()];
    wanted.sort_unstable();
    assert_eq!(who, wanted, "of fintech the admins are told");
    let handoffs = tierdesk_core::desk::oncall::tell_handoffs(desk.desk()).await;
    let count = handoffs.expect("it is looked");
    assert!(count > 0, "nor does it hold those up");
}

async fn of_very_many_at_least_so_many_are_told(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let letters: Vec<Letter> = (0..205)
        .map(|n| Letter::new("john@acmefinance.com", &format!("{n}")).subject("[SEV4] a wish"))
        .collect();
    desk.mail.test.receive_all(&letters).await;
    let told = written(&desk).await;
    assert_eq!(
        told[0].title,
        "tierdesk digest, fintech: at least 200 tickets wait for us"
    );
    assert_eq!(
        told[0].lines[20],
        "And at least 180 more: tierdesk ticket list"
    );
}
