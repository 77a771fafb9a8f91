//! One verb for many tickets, from the terminal.

use tierdesk_core::{
    desk::bulk::{self, BulkOutcome, Verb, Which},
    desk::work_ticket::set_severity,
    search::Query,
    tickets::{CloseReason, Status, TicketNumber},
    tiers::Severity,
};
use tierdesk_tests::{Backend, Letter, Program, TestDesk, on_both, owner};

use super::{letter, with_customers};

on_both! {
    nothing_happens_before_somebody_agrees,
    each_ticket_is_told_what_became_of_it,
    every_verb_reaches_every_ticket,
    what_changed_since_it_was_shown_is_left_alone,
}

async fn with_three(backend: Backend) -> (Program, impl Sized) {
    let (program, folder) = with_customers(backend).await;
    for id in ["1@a", "2@a", "3@a"] {
        let mail = letter("john@acmefinance.com", &format!("About {id}"), id);
        program.run_with(&["mail", "deliver"], &mail).done();
    }
    (program, folder)
}

fn statuses(program: &Program) -> Vec<String> {
    let list = ["ticket", "list", "--all", "--json"];
    let list = program.run(&list).done().json();
    let list = list.as_array().expect("a list");
    let mut all: Vec<String> = list
        .iter()
        .map(|one| format!("{} {}", one["number"], one["status"]).replace('"', ""))
        .collect();
    all.sort();
    all
}

async fn nothing_happens_before_somebody_agrees(backend: Backend) {
    let (program, _folder) = with_three(backend).await;
    let close = [
        "ticket",
        "bulk",
        "close",
        "--where",
        "tier:fintech",
        "--json",
    ];
    let asked = program.run(&close);
    assert_eq!(asked.code, Some(1), "{asked:?}");
    assert_eq!(asked.json()["error"]["code"], "blocked");
    assert!(asked.err.contains("3 tickets"), "{asked:?}");
    let dry = program.run(&[&close[..], &["--dry-run"]].concat());
    let planned = dry.done().json();
    assert_eq!(planned.as_array().map(Vec::len), Some(3));
    assert_eq!(planned[0]["outcome"], "planned");
    assert_eq!(statuses(&program), ["SB-1 new", "SB-2 new", "SB-3 new"]);
    let done = program.run(&[&close[..], &["--yes", "--limit", "2"]].concat());
    assert_eq!(done.done().json().as_array().map(Vec::len), Some(2));
    assert_eq!(
        statuses(&program),
        ["SB-1 new", "SB-2 closed", "SB-3 closed"]
    );
    for wrong in [
        &["ticket", "bulk", "close", "--yes"][..],
        &["ticket", "bulk", "close", "SB-1", "--where", "x", "--yes"],
        &["ticket", "bulk", "tag", "SB-1", "--yes"],
    ] {
        assert_eq!(program.run(wrong).code, Some(2), "{wrong:?}");
    }
    let none = [
        "ticket",
        "bulk",
        "spam",
        "--where",
        "tier:healthcare",
        "--json",
    ];
    assert_eq!(program.run(&none).done().json(), serde_json::json!([]));
    for limit in ["0", "501"] {
        let words = [&close[..], &["--yes", "--limit", limit]].concat();
        assert_eq!(program.run(&words).json()["error"]["code"], "invalid");
    }
}

async fn each_ticket_is_told_what_became_of_it(backend: Backend) {
    let (program, _folder) = with_three(backend).await;
    program.run(&["ticket", "close", "SB-2"]).done();
    program.run(&["ticket", "status", "SB-3", "on-hold"]).done();
    let hold = [
        "ticket", "bulk", "status", "on-hold", "SB-1", "SB-2", "3", "SB-1",
    ];
    let ended = program.run(&[&hold[..], &["--yes", "--json"]].concat());
    assert_eq!(ended.code, Some(1), "one was refused: {ended:?}");
    let told = ended.json();
    let outcomes: Vec<_> = told
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| format!("{} {}", one["number"], one["outcome"]).replace('"', ""))
        .collect();
    assert_eq!(outcomes, ["SB-1 done", "SB-2 refused", "SB-3 unchanged"]);
    assert!(
        told[1]["message"].to_string().contains("cannot become"),
        "{told}"
    );
    assert!(told[0]["message"].is_null());
    let missing = ["ticket", "bulk", "spam", "SB-1", "SB-99", "--yes", "--json"];
    assert_eq!(program.run(&missing).json()["error"]["code"], "not_found");
    assert_eq!(
        statuses(&program),
        ["SB-1 on-hold", "SB-2 closed", "SB-3 on-hold"]
    );
    let verified = program.run(&["audit", "verify", "--json"]);
    assert_eq!(verified.done().json()["ok"], true);
}

async fn every_verb_reaches_every_ticket(backend: Backend) {
    let (program, _folder) = with_three(backend).await;
    for words in [
        &["tag", "--add", "invoice"][..],
        &["severity", "2"],
        &["status", "open"],
        &["snooze", "--until", "3d"],
        &["close", "--reason", "no_answer"],
        &["spam"],
    ] {
        let all = ["ticket", "bulk"].into_iter().chain(words.iter().copied());
        let all: Vec<_> = all.chain(["SB-1", "SB-2", "SB-3", "--yes"]).collect();
        let told = program.run(&all);
        assert!(
            told.done()
                .out
                .ends_with("3 done, 0 unchanged, 0 refused.\n"),
            "{told:?}"
        );
    }
    let shown = program
        .run(&["ticket", "show", "SB-2", "--json"])
        .done()
        .json();
    assert_eq!(shown["close_reason"], "spam");
    assert_eq!(shown["severity"], "sev2");
    assert!(shown["tags"].to_string().contains("invoice"));
}

async fn what_changed_since_it_was_shown_is_left_alone(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let mut numbers: Vec<TicketNumber> = Vec::new();
    for id in ["a", "b"] {
        let letter = Letter::new("john@acmefinance.com", id);
        numbers.push(test.receive_on(&letter).await);
    }
    let which = Which::Where(Query::parse("tier:fintech").expect("it is a query"));
    let shown = bulk::preview(&test.desk, &owner(), which, 500)
        .await
        .expect("it is shown");
    assert_eq!((shown.tickets.len(), shown.total), (2, 2));
    set_severity(&test.desk, &owner(), numbers[0], Severity::Sev1)
        .await
        .expect("somebody else works");
    let verb = Verb::Close(CloseReason::Done);
    let told = bulk::run(&test.desk, &owner(), &verb, &shown.tickets).await;
    for one in &told {
        let wanted = if one.number == numbers[0] {
            BulkOutcome::Refused
        } else {
            BulkOutcome::Done
        };
        assert_eq!(one.outcome, wanted, "{one:?}");
        let says_why = one
            .message
            .as_ref()
            .is_some_and(|why| why.contains("changed since"));
        assert_eq!(says_why, wanted == BulkOutcome::Refused, "{one:?}");
    }
    assert_eq!(test.ticket(numbers[0]).await.ticket.status, Status::New);
    assert_eq!(test.ticket(numbers[1]).await.ticket.status, Status::Closed);
}
