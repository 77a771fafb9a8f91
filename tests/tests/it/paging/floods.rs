//! Whoever proves nothing wakes somebody a few times an hour at most; whoever is known is never counted.

use std::{collections::BTreeSet, time::Duration};

use tierdesk_core::{
    desk::{
        paging::{self, Which},
        work_ticket,
    },
    paging::{PageKind, PageState},
    tickets::CloseReason,
};
use tierdesk_tests::{Backend, Letter, MailDesk, PageDesk, START, login, on_both, owner};

on_both! {
    ten_thousand_spoofed_and_twenty_genuine,
    the_budget_is_an_hours,
    one_of_many_does_not_end_the_others,
    a_flood_says_how_many,
}

const MINUTE: Duration = Duration::from_mins(1);
/// In writing, by somebody who proves nothing, for each tier and for none.
const CLAIMS: &[&str] = &[
    "john@acmefinance.com",
    "compliance@medicorp.com",
    "security@techgov.gov",
    "admin@startupcorp.io",
    "mallory@elsewhere.example",
];

fn spoofed(n: usize) -> Letter {
    let from = CLAIMS[n % CLAIMS.len()];
    Letter::new(from, &format!("spoofed-{n}")).subject(&format!("[SEV1] everything is down {n}"))
}

async fn unverified(desk: &PageDesk) -> Vec<paging::PageReport> {
    let pages = paging::list(desk.desk(), &owner(), true, 10_000).await;
    let mut pages = pages.expect("they are listed");
    pages.retain(|page| page.kind == PageKind::Unverified);
    pages
}

/// Over an hour, in batches of forty; the genuine ones come in between.
async fn ten_thousand_spoofed_and_twenty_genuine(backend: Backend) {
    const SPOOFED: usize = 10_000;
    const BATCH: usize = 40;
    let desk = PageDesk::start(backend).await;
    let every = Duration::from_hours(1) / u32::try_from(SPOOFED / BATCH).expect("it fits");
    let mut genuine = BTreeSet::new();
    for batch in 0..SPOOFED / BATCH {
        let letters: Vec<Letter> = (batch * BATCH..(batch + 1) * BATCH).map(spoofed).collect();
        desk.mail.test.receive_all(&letters).await;
        if batch % 12 == 3 && genuine.len() < 20 {
            let id = format!("genuine-{batch}");
            let letter = MailDesk::proven("john@acmefinance.com", &id).subject("[SEV1] truly");
            let number = desk.mail.receive_on(&letter).await;
            desk.work().await;
            let pages = paging::show(desk.desk(), &owner(), &Which::Ticket(number)).await;
            let page = pages.expect("they are shown").remove(0);
            // In the same cycle: the clock has not moved since the mail came.
            let told = page
                .notices
                .iter()
                .filter(|notice| notice.ended_at.is_some());
            assert!(told.count() > 0, "somebody was told at once: {page:?}");
            genuine.insert(page.id);
        }
        desk.mail.test.pass(every);
        desk.work().await;
    }
    let flood = unverified(&desk).await;
    let counted: i64 = flood.iter().map(|page| page.tickets).sum();
    let end = START.plus(Duration::from_hours(1));
    let fired = flood.iter().filter(|page| page.due_at < end);
    let fired = fired.count();
    println!(
        "{backend:?}: {SPOOFED} spoofed: {fired} pages called somebody within the hour, {} wait for theirs, {counted} \
         tickets on them; 20 genuine: {} pages",
        flood.len() - fired,
        genuine.len(),
    );
    assert_eq!(genuine.len(), 20, "each genuine one has a page of its own");
    assert!(fired > 0, "positive control: the first are paged for");
    assert!(fired <= 5, "{fired}");
    assert_eq!(
        counted,
        i64::try_from(SPOOFED).expect("it fits"),
        "none is lost"
    );
    desk.is_healthy().await;
}

async fn the_budget_is_an_hours(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    // Each is taken before the next comes, so that the next cannot join it but by the budget.
    for n in 0..8 {
        let letter = Letter::new("mallory@elsewhere.example", &format!("m{n}"))
            .subject(&format!("[SEV1] down {n}"));
        let number = desk.mail.receive_on(&letter).await;
        desk.work().await;
        work_ticket::close(desk.desk(), &login("ada"), number, CloseReason::Done)
            .await
            .expect("it is closed");
        desk.pass(MINUTE).await;
    }
    let called = desk.called().into_iter().filter(|(_, who)| who == "ben");
    assert_eq!(
        called.count(),
        5,
        "the others waited, and were closed meanwhile"
    );
    let letter = Letter::new("mallory@elsewhere.example", "waits").subject("[SEV1] still down");
    let number = desk.mail.receive_on(&letter).await;
    desk.pass(MINUTE * 30).await;
    assert_eq!(desk.called(), [], "it waits for the budget");
    desk.is_healthy().await;
    desk.pass(MINUTE * 30).await;
    assert!(!desk.called().is_empty(), "and is not forgotten");
    let which = Which::Ticket(number);
    let pages = paging::show(desk.desk(), &owner(), &which).await;
    let pages = pages.expect("they are shown");
    assert!(
        pages[0].reason.contains("waited for the budget"),
        "{pages:?}"
    );
}

async fn one_of_many_does_not_end_the_others(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let mut numbers = Vec::new();
    for n in [4, 9, 14] {
        numbers.push(desk.mail.receive_on(&spoofed(n)).await);
    }
    desk.work().await;
    let pages = unverified(&desk).await;
    assert_eq!((pages.len(), pages[0].tickets), (1, 3));
    work_ticket::mark_spam(desk.desk(), &login("ada"), numbers[0])
        .await
        .expect("it is set aside");
    let pages = unverified(&desk).await;
    assert_eq!(
        pages[0].state,
        PageState::Open,
        "the others are still there"
    );
    // Each of them finds the page that stands for it.
    let which = Which::Ticket(numbers[2]);
    let taken = paging::acknowledge(desk.desk(), &login("ada"), &which, "terminal").await;
    assert_eq!(taken.expect("it is found").page.id, pages[0].id);
    for number in &numbers[1..] {
        work_ticket::mark_spam(desk.desk(), &login("ada"), *number)
            .await
            .expect("it is set aside");
    }
    let pages = unverified(&desk).await;
    assert_eq!(pages[0].state, PageState::Resolved, "none of them is left");
}

async fn a_flood_says_how_many(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let letters: Vec<Letter> = (0..50).map(|n| spoofed(n * 5 + 4)).collect();
    desk.mail.test.receive_all(&letters).await;
    desk.work().await;
    let told = desk.told();
    assert!(told[0].title.contains("49 more"), "{told:?}");
    assert!(told[0].lines[0].contains("unproven"), "{told:?}");
}
