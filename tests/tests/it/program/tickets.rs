//! A queue worked from the terminal, and triage with its exit.

use tierdesk_tests::{Backend, Program, on_both};

use super::{letter, with_customers};

on_both! {
    the_queue_comes_in_its_order,
    a_ticket_is_worked_to_its_end,
    a_ticket_is_opened_by_hand,
    triage_has_an_exit_that_teaches_the_directory,
    the_directory_refuses_in_words,
    what_is_exported_is_imported_unchanged,
    a_contradicted_sender_teaches_the_directory_nothing,
    what_is_attached_is_saved_and_nothing_written_over,
    an_answer_in_somebody_s_name_is_told_from_theirs,
}

/// Three tickets: standard, gov-federal, fintech.
async fn with_tickets(backend: Backend) -> (Program, impl Sized) {
    let (program, folder) = with_customers(backend).await;
    for (from, subject, id) in [
        ("admin@startupcorp.io", "slow", "1@s"),
        ("security@techgov.gov", "[SEV1] down", "2@t"),
        ("john@acmefinance.com", "Dashboard error", "3@a"),
    ] {
        program
            .run_with(&["mail", "deliver"], &letter(from, subject, id))
            .done();
    }
    (program, folder)
}

async fn the_queue_comes_in_its_order(backend: Backend) {
    let (program, _folder) = with_tickets(backend).await;
    let list = program.run(&["ticket", "list", "--json"]).done().json();
    let order: Vec<&str> = list
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["customer"].as_str())
        .collect();
    assert_eq!(order, ["techgov", "acme-finance", "startupcorp"]);
    let next = program.run(&["ticket", "next", "--json"]).done().json();
    assert_eq!(next["number"], "SB-2");
    assert_eq!(
        next["tags"],
        serde_json::json!(["tier:gov-federal", "framework:fedramp", "customer:techgov"])
    );
}

async fn a_ticket_is_worked_to_its_end(backend: Backend) {
    let (program, _folder) = with_tickets(backend).await;
    let shown = program
        .run(&["ticket", "severity", "SB-3", "sev1", "--json"])
        .done()
        .json();
    assert_eq!(
        (&shown["severity"], &shown["priority"]),
        (&"sev1".into(), &"p2".into())
    );
    let noted = program
        .run_with(
            &["ticket", "note", "SB-3", "--json"],
            b"called back, AKIAIOSFODNN7EXAMPLE",
        )
        .done()
        .json();
    let note = &noted["messages"][1];
    assert_eq!(note["direction"], "note");
    assert!(!note["text"].to_string().contains("AKIA"), "{note}");
    let steps: [(&[&str], &str); 6] = [
        (&["status", "SB-3", "waiting"], "waiting-customer"),
        (&["status", "SB-3", "on-hold"], "on-hold"),
        (&["status", "SB-3", "resolved"], "resolved"),
        (&["reopen", "SB-3"], "open"),
        (&["close", "SB-3", "--reason", "no_answer"], "closed"),
        (&["reopen", "SB-3"], "open"),
    ];
    for (words, status) in steps {
        let arguments = [&["ticket"], words, &["--json"]].concat();
        assert_eq!(
            program.run(&arguments).done().json()["status"],
            status,
            "{words:?}"
        );
    }
    program.run(&["ticket", "close", "SB-3"]).done();
    let refused = program.run(&["ticket", "status", "SB-3", "on-hold", "--json"]);
    assert_eq!(refused.code, Some(1));
    assert_eq!(refused.json()["error"]["code"], "wrong_status");
    let history = program
        .run(&["ticket", "history", "SB-3", "--json"])
        .done()
        .json();
    let kinds: Vec<&str> = history
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|event| event["kind"].as_str())
        // What was said of its page is in the same list.
        .filter(|kind| !kind.starts_with("page"))
        .collect();
    assert_eq!(kinds[..4], ["opened", "severity", "note", "status"]);
}

async fn a_ticket_is_opened_by_hand(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let by_hand = [
        "ticket",
        "open",
        "--customer",
        "medicorp",
        "--subject",
        "called: export stopped",
        "--from",
        "compliance@medicorp.com",
        "--severity",
        "sev2",
        "--json",
    ];
    let opened = program
        .run_with(&by_hand, b"They called at nine.")
        .done()
        .json();
    assert_eq!(
        (&opened["customer"], &opened["priority"]),
        (&"medicorp".into(), &"p2".into())
    );
    assert_eq!(
        opened["participants"],
        serde_json::json!(["compliance@medicorp.com"])
    );
    assert_eq!(
        program.run(&["audit", "verify", "--json"]).done().json()["ok"],
        true
    );
}

async fn triage_has_an_exit_that_teaches_the_directory(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let free = letter("acme.boss@gmail.com", "from home", "1@g");
    program.run_with(&["mail", "deliver"], &free).done();
    let refused = program.run(&[
        "ticket",
        "bind",
        "SB-1",
        "acme-finance",
        "--add-domain",
        "--json",
    ]);
    assert_eq!(
        refused.json()["error"]["code"],
        "domain_shared",
        "{refused:?}"
    );
    let bound = program
        .run(&[
            "ticket",
            "bind",
            "SB-1",
            "acme-finance",
            "--add-contact",
            "--json",
        ])
        .done()
        .json();
    assert_eq!(
        (&bound["customer"], &bound["framework"]),
        (&"acme-finance".into(), &"SOC 2".into())
    );
    assert!(bound["sla"]["first_response"]["due"].is_string());
    let again = letter("acme.boss@gmail.com", "again", "2@g");
    let got = program
        .run_with(&["mail", "deliver", "--json"], &again)
        .done()
        .json();
    assert_eq!(
        (&got["outcome"], &got["customer"]),
        (&"opened".into(), &"acme-finance".into())
    );
    program
        .run_with(
            &["mail", "deliver"],
            &letter("x@spam.example", "win", "3@s"),
        )
        .done();
    let spam = program
        .run(&["ticket", "spam", "SB-3", "--json"])
        .done()
        .json();
    assert_eq!(
        (&spam["status"], &spam["close_reason"]),
        (&"closed".into(), &"spam".into())
    );
    let triage = program
        .run(&["ticket", "list", "--triage", "--json"])
        .done()
        .json();
    assert_eq!(triage, serde_json::json!([]));
}

async fn the_directory_refuses_in_words(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let taken = program.run(&[
        "customer",
        "domain",
        "add",
        "medicorp",
        "acmefinance.com",
        "--json",
    ]);
    assert_eq!(taken.code, Some(1));
    let error = taken.json()["error"].clone();
    assert_eq!(error["code"], "domain_taken");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("acme-finance")),
        "{error}"
    );
    let free = program.run(&[
        "customer",
        "domain",
        "add",
        "medicorp",
        "gmail.com",
        "--json",
    ]);
    let hint = free.json()["error"]["hint"].to_string();
    assert!(hint.contains("contact add medicorp"), "{hint}");
    let moved = [
        "customer",
        "domain",
        "add",
        "medicorp",
        "acmefinance.com",
        "--move",
        "--json",
    ];
    assert_eq!(
        program.run(&moved).done().json()["domains"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let lookalike = program
        .run(&["customer", "resolve", "x@quantunbank.com", "--json"])
        .done()
        .json();
    assert_eq!(lookalike["look_alike_of"], "quantum-bank");
    assert!(lookalike["customer"].is_null());
    let known = program
        .run(&["customer", "whois", "a@b.quantumbank.com", "--json"])
        .done()
        .json();
    assert_eq!(
        (&known["customer"], &known["matched_by"]),
        (&"quantum-bank".into(), &"domain".into())
    );
    let tier = program.run(&["customer", "set", "medicorp", "--tier", "gold", "--json"]);
    assert_eq!(tier.json()["error"]["code"], "unknown_tier");
    let nobody = program.run(&["customer", "set", "medicrop", "--name", "x", "--json"]);
    assert!(
        nobody.json()["error"]["hint"]
            .to_string()
            .contains("medicorp"),
        "{nobody:?}"
    );
}

async fn what_is_exported_is_imported_unchanged(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    for format in ["toml", "json", "csv"] {
        let exported = program
            .run(&["customer", "export", "--format", format])
            .done()
            .out
            .clone();
        let import = ["customer", "import", "-", "--format", format, "--json"];
        let plan = program.run_with(&import, exported.as_bytes()).done().json();
        assert_eq!(
            (&plan["unchanged"], &plan["updated"]),
            (&5.into(), &0.into()),
            "{format}: {plan}"
        );
    }
}

async fn a_contradicted_sender_teaches_the_directory_nothing(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let imitation = letter("john@acmefinnance.com", "Re: Dashboard error", "1@x");
    program.run_with(&["mail", "deliver"], &imitation).done();
    for flag in ["--add-contact", "--add-domain"] {
        let refused = program.run(&["ticket", "bind", "SB-1", "acme-finance", flag, "--json"]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let message = refused.json()["error"]["message"].to_string();
        assert!(
            message.contains("acmefinance.com"),
            "the imitated is named: {message}"
        );
    }
    let bound = program
        .run(&["ticket", "bind", "SB-1", "acme-finance", "--json"])
        .done()
        .json();
    assert_eq!(
        bound["customer"], "acme-finance",
        "positive control: a person may bind it"
    );
    let who = ["customer", "resolve", "john@acmefinnance.com", "--json"];
    assert!(program.run(&who).done().json()["customer"].is_null());
}

async fn what_is_attached_is_saved_and_nothing_written_over(backend: Backend) {
    let (program, folder) = with_customers(backend).await;
    let mail = b"From: john@acmefinance.com\r\nTo: support@securebase.example\r\nSubject: report\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nAs asked.\r\n\
        --b\r\nContent-Type: image/gif; name=\"../../run.gif\"\r\nContent-Disposition: attachment\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nIyEvYmluL3NoCmVjaG8gaGkK\r\n--b--\r\n";
    program.run_with(&["mail", "deliver"], mail).done();
    let shown = program.run(&["ticket", "show", "SB-1"]);
    let shown = &shown.done().out;
    assert!(
        shown.contains("tierdesk ticket attachments SB-1"),
        "{shown}"
    );
    assert!(shown.contains("is a program"), "{shown}");
    let listed = ["ticket", "attachments", "SB-1", "--json"];
    let listed = program.run(&listed).done().json();
    assert_eq!(listed[0]["name"], "_.._run.gif");
    assert_eq!(listed[0]["content_type"], "text/x-shellscript");
    let place = tempfile::tempdir().expect("a folder");
    let to = place.path().join("new").display().to_string();
    let save = [
        "ticket",
        "attachments",
        "SB-1",
        "--save-all",
        "--to",
        &to,
        "--json",
    ];
    let files: Vec<String> = (0..2)
        .map(|_| {
            program.run(&save).done().json()[0]["file"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_ne!(files[0], files[1]);
    for file in &files {
        let content = std::fs::read(file).expect("it was written");
        assert_eq!(content, b"#!/bin/sh\necho hi\n");
    }
    let missing = program.run(&["ticket", "attachments", "SB-1", "--save", "2"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.err.contains("SB-1 has 1"), "{missing:?}");
    drop(folder);
}

async fn an_answer_in_somebody_s_name_is_told_from_theirs(backend: Backend) {
    let (program, folder) = with_customers(backend).await;
    let program = program.with("TIERDESK_MAIL__AUTHSERV_ID", "mx.ours.example");
    let mail = |id: &str, headers: &str| {
        format!(
            "{headers}From: john@acmefinance.com\r\nTo: support@securebase.example\r\nSubject: invoice\r\n\
             Message-ID: <{id}@a>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\n\r\nText of {id}.\r\n"
        )
    };
    let proven =
        "Authentication-Results: mx.ours.example; dmarc=pass header.from=acmefinance.com\r\n";
    let answer = "In-Reply-To: <one@a>\r\n";
    for (id, headers) in [
        ("one", proven.to_owned()),
        ("two", format!("{proven}{answer}")),
        ("spoofed", answer.to_owned()),
    ] {
        program
            .run_with(&["mail", "deliver"], mail(id, &headers).as_bytes())
            .done();
    }
    let shown = program.run(&["ticket", "show", "SB-1"]);
    let shown = &shown.done().out;
    let warning = "nothing shows that john@acmefinance.com wrote this";
    assert_eq!(shown.matches(warning).count(), 1, "{shown}");
    let (before, _) = shown.split_once("Text of spoofed").expect("it is there");
    assert!(before.trim_end().ends_with(warning), "{shown}");
    drop(folder);
}
