//! One table of queries over a small desk, for both databases.

use std::time::Duration;

use tierdesk_core::{
    desk::{
        staff::{self, NewStaff},
        work_ticket,
    },
    search::Query,
    staff::Role,
    store::search::Sort,
    tickets::{CloseReason, TicketNumber},
};
use tierdesk_tests::{Backend, Letter, TestDesk, on_both, owner};

use super::{find, numbers};

on_both! {
    queries_find_what_they_mean,
    common_words_are_found_and_told_to_be_more,
    nothing_masked_is_found,
    names_that_are_not_there_are_refused,
}

/// Six tickets; the first and the last have a second message.
async fn populated(backend: Backend) -> TestDesk {
    let test = TestDesk::with_customers(backend).await;
    let first = Letter::new("Jürgen Müller <john@acmefinance.com>", "m0")
        .subject("Dashboard error")
        .body("The dashboard shows AccessDenied for i-0abc1234 at 10.0.12.7.\nSee https://status.acme.example:8443/x?id=77");
    test.receive(&first).await;
    test.pass(Duration::from_hours(24));
    for letter in [
        Letter::new("compliance@medicorp.com", "m1")
            .subject("Audit export for Łódź")
            .body("arn:aws:iam::123456789012:role/OpsAdmin cannot read the audit log.\nThank you"),
        Letter::new("security@techgov.gov", "m2")
            .subject("証明書の更新")
            .body("サーバー証明書の更新に失敗しました。ガス"),
        Letter::new("admin@startupcorp.io", "m3")
            .subject("인증서 오류")
            .body("인증서를 갱신할 수 없습니다.\n服务器证书已过期"),
        Letter::new("john@acmefinance.com", "m4")
            .subject("Straße und Größe")
            .body("Die STRASSE ist gesperrt, ığdır und İstanbul.\nΟΔΥΣΣΕΥΣ wrote. مُحَمَّد agrees. Zażółć gęślą jaźń."),
        Letter::new("eve@stranger.example", "m5")
            .subject("Quote \" star * NEAR(")
            .body("a OR b AND c NOT d; '; DROP TABLE tickets; -- col:value ^caret {brace}\nthe the the log"),
    ] {
        test.receive(&letter).await;
    }
    test.pass(Duration::from_hours(24));
    for (from, id, answered, body) in [
        (
            "ann@acmefinance.com",
            "m6",
            "m0",
            "It still fails, invoice 4711.",
        ),
        (
            "eve@stranger.example",
            "m7",
            "m5",
            "Has nobody read the audit?",
        ),
    ] {
        test.receive(
            &Letter::new(from, id)
                .subject("Re: it")
                .answers(answered)
                .body(body),
        )
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
    work_ticket::assign(&test.desk, &owner(), TicketNumber(1), "dana")
        .await
        .expect("it is given");
    let tags = ["billing".to_owned()];
    work_ticket::tag(&test.desk, &owner(), TicketNumber(2), &tags, &[])
        .await
        .expect("it is tagged");
    work_ticket::close(&test.desk, &owner(), TicketNumber(5), CloseReason::Done)
        .await
        .expect("it is closed");
    work_ticket::note(
        &test.desk,
        &owner(),
        TicketNumber(3),
        "called back, Grüße an den Kollegen",
    )
    .await
    .expect("it is noted");
    test
}

/// Each query with the tickets that it finds, in any order.
const TABLE: &[(&str, &[i64])] = &[
    // Words.
    ("dashboard", &[1]),
    ("DASHBOARD Error", &[1]),
    ("dashboard invoice", &[1]),
    ("dashboard absent", &[]),
    ("audit", &[2, 6]),
    ("audit -export", &[6]),
    ("-audit", &[1, 3, 4, 5]),
    ("audit -nobody", &[2]),
    ("the log", &[2, 6]),
    ("\"audit log\"", &[2]),
    ("\"log audit\"", &[]),
    ("\"error the\"", &[]),
    ("\"the the the\"", &[6]),
    ("\"the the the the\"", &[]),
    ("-\"audit log\" audit", &[6]),
    ("dash*", &[1]),
    ("\"audit lo\"*", &[2]),
    ("d*", &[1, 3, 5, 6]),
    ("di*", &[5]),
    ("", &[1, 2, 3, 4, 5, 6]),
    ("called", &[3]),
    ("grusse", &[3]),
    // Folding.
    ("strasse", &[5]),
    ("Straße", &[5]),
    ("GROESSE", &[]),
    ("grosse", &[5]),
    ("lodz", &[2]),
    ("zazolc GESLA", &[5]),
    ("IGDIR istanbul", &[5]),
    ("οδυσσευς", &[5]),
    ("محمد", &[5]),
    ("muller", &[1]),
    // Writing without blanks.
    ("証明", &[3]),
    ("書の更", &[3]),
    ("明証", &[]),
    ("ｶﾞｽ", &[3]),
    ("인증", &[4]),
    ("갱신", &[4]),
    ("证书", &[4]),
    ("\"证书 已\"", &[4]),
    // Names of machines, whole and by their parts.
    ("AccessDenied", &[1]),
    ("access denied", &[1]),
    ("\"access denied\"", &[1]),
    ("i-0abc1234", &[1]),
    ("0abc*", &[1]),
    ("10.0.12.7", &[1]),
    ("10.0.12", &[1]),
    ("12.7", &[1]),
    ("status.acme.example", &[1]),
    ("https://status.acme.example:8443/x?id=77", &[1]),
    ("arn:aws:iam::123456789012:role/OpsAdmin", &[2]),
    ("123456789012 opsadmin", &[2]),
    ("john@acmefinance.com", &[1, 5]),
    ("acmefinance", &[1, 5]),
    ("SB-3", &[3]),
    // Filters.
    ("tier:fintech", &[1, 5]),
    ("tier:fintech is:open", &[1]),
    ("tier:fintech,healthcare", &[1, 2, 5]),
    ("-tier:fintech", &[2, 3, 4, 6]),
    ("status:closed", &[5]),
    ("is:closed", &[5]),
    ("is:triage", &[6]),
    ("-is:triage customer:acme-finance", &[1, 5]),
    ("from:ann", &[1]),
    ("from:ann@acmefinance.com invoice", &[1]),
    ("-from:john audit", &[2, 6]),
    ("from:\"Jürgen Müller\"", &[1]),
    ("from:dashboard", &[]),
    ("to:support", &[1, 2, 3, 4, 5, 6]),
    ("assignee:me", &[1]),
    ("assignee:dana", &[1]),
    ("assignee:nobody is:triage", &[6]),
    ("is:unassigned tier:fintech", &[5]),
    ("tag:billing", &[2]),
    ("billing", &[2]),
    ("-tag:billing audit", &[6]),
    ("has:attachment", &[]),
    ("older:30h", &[1]),
    ("newer:30h audit", &[2, 6]),
    ("before:2026-11-24", &[1]),
    ("after:2026-11-24 -is:closed", &[2, 3, 4, 6]),
    ("number:2,SB-4", &[2, 4]),
    // Whatever looks like a language of its own is words or nothing.
    ("NEAR(", &[6]),
    ("\"", &[1, 2, 3, 4, 5, 6]),
    ("*", &[1, 2, 3, 4, 5, 6]),
    ("a OR b", &[6]),
    ("audit OR dashboard", &[]),
    ("col:value", &[6]),
    ("terms:dashboard", &[]),
    ("'; DROP TABLE tickets; --", &[6]),
    ("caret ^brace {", &[6]),
    ("dash\0board", &[]),
    ("dashboard \0 \u{7f}", &[1]),
    ("' & !dashboard | <-> :*", &[1]),
    ("¤", &[1, 2, 3, 4, 5, 6]),
    ("⊘ ←john", &[1, 5]),
    ("‥d", &[6]),
];

async fn queries_find_what_they_mean(backend: Backend) {
    let test = populated(backend).await;
    let mut found_some = 0;
    for (line, expected) in TABLE {
        let mut found: Vec<i64> = numbers(&test, &owner(), line)
            .await
            .iter()
            .map(|n| n.0)
            .collect();
        found.sort_unstable();
        assert_eq!(&found, expected, "{line}");
        found_some += usize::from(!found.is_empty() && found.len() < 6);
    }
    assert!(
        found_some > 60,
        "positive control: {found_some} queries tell tickets apart"
    );
    println!(
        "{} queries on {backend:?}, {found_some} of them find some tickets and not all",
        TABLE.len()
    );

    // The words in the head, then in one message, then spread; the newest first.
    let ranked = numbers(&test, &owner(), "the audit").await;
    assert_eq!(ranked, [TicketNumber(6), TicketNumber(2)]);
    assert_eq!(
        numbers(&test, &owner(), "audit").await,
        [TicketNumber(2), TicketNumber(6)]
    );
    let newest = find(&test, &owner(), "audit", Sort::Newest).await;
    assert_eq!(newest.tickets[0].ticket.number, TicketNumber(6));
    let queue = find(&test, &owner(), "to:support is:open", Sort::Queue).await;
    let filter = tierdesk_core::store::tickets::Filter::default();
    let listed = tierdesk_core::desk::tickets::list(&test.desk, &owner(), &filter).await;
    let listed: Vec<_> = listed
        .expect("the queue")
        .into_iter()
        .map(|one| one.number)
        .collect();
    let queue: Vec<_> = queue.tickets.iter().map(|hit| hit.ticket.number).collect();
    assert_eq!(queue, listed, "the order of the queue");

    let hit = &find(&test, &owner(), "invoice", Sort::Relevance)
        .await
        .tickets[0];
    let excerpt = hit.excerpt.as_ref().expect("staff see where");
    assert_eq!(excerpt.text, "It still fails, invoice 4711.");
    assert_eq!(&excerpt.text[excerpt.hits[0].clone()], "invoice");
}

/// More tickets than are looked through at first, and than are enough.
async fn common_words_are_found_and_told_to_be_more(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = |n: usize| {
        let rare = if n.is_multiple_of(50) {
            "seldom"
        } else {
            "often"
        };
        let body = format!(
            "The same words {rare}, number{n}. {}",
            if n == 3 { "unique" } else { "" }
        );
        Letter::new("john@acmefinance.com", &format!("m{n}")).body(&body)
    };
    let letters: Vec<Letter> = (0..900).map(letter).collect();
    for part in letters.chunks(300) {
        test.receive_all(part).await;
    }
    test.tamper("UPDATE tickets SET severity = 'sev1' WHERE number <= 50")
        .await;
    for (line, total, is_cut) in [
        ("same", 400, true),
        ("\"same words\"", 400, true),
        ("s*", 400, true),
        ("same -often", 18, false),
        ("seldom", 18, false),
        ("same seldom", 18, false),
        ("same unique", 1, false),
        ("number7", 1, false),
        ("absent", 0, false),
        ("sev:1 same", 50, false),
        ("sev:1 seldom", 1, false),
        ("tier:fintech", 400, true),
        ("-often", 18, false),
    ] {
        let query = Query::parse(line).expect("it is sound");
        let request = tierdesk_core::desk::search::Request {
            query,
            sort: Sort::Relevance,
            limit: 10,
        };
        let found = tierdesk_core::desk::search::search(&test.desk, &owner(), request).await;
        let found = found.expect("it is found");
        assert_eq!((found.total, found.is_cut), (total, is_cut), "{line}");
        assert_eq!(found.tickets.len(), total.min(10), "{line}");
        let numbers: Vec<i64> = found
            .tickets
            .iter()
            .map(|hit| hit.ticket.number.0)
            .collect();
        assert!(
            numbers.is_sorted_by(|one, next| one > next),
            "{line}: {numbers:?}"
        );
    }
}

async fn nothing_masked_is_found(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let letter = Letter::new("john@acmefinance.com", "m")
        .subject("Key AKIAIOSFODNN7EXAMPLE")
        .body("My password: hunter2-Zebra99\nand the key AKIAIOSFODNN7EXAMPLE, thanks");
    test.receive(&letter).await;
    for line in ["AKIAIOSFODNN7EXAMPLE", "akia*", "hunter2*", "zebra99"] {
        assert_eq!(numbers(&test, &owner(), line).await, [], "{line}");
    }
    let control = numbers(&test, &owner(), "password key thanks").await;
    assert_eq!(control, [TicketNumber(1)], "positive control");
}

async fn names_that_are_not_there_are_refused(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    for line in ["tier:gold", "customer:nobody-knows", "assignee:dan"] {
        let request = tierdesk_core::desk::search::Request {
            query: Query::parse(line).expect("it is sound"),
            ..Default::default()
        };
        let refused = tierdesk_core::desk::search::search(&test.desk, &owner(), request).await;
        assert!(
            matches!(refused, Err(tierdesk_core::desk::Error::Refused(_))),
            "{line}: {refused:?}"
        );
    }
}
