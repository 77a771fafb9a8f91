//! `ticket search` in the terminal.

use tierdesk_tests::{Backend, Program, TestDesk, on_both};

on_both! {
    words_filters_and_options_come_in_any_order,
    a_migration_is_finished_by_db_migrate,
}

const CUSTOMERS: &[u8] = include_bytes!("../../../../config/customers.toml");

async fn with_tickets(backend: Backend) -> (Program, String, impl Sized) {
    let (url, folder) = TestDesk::place(backend).await;
    let program = Program::new(url.clone());
    program
        .run_with(&["customer", "import", "-", "--format", "toml"], CUSTOMERS)
        .done();
    for (from, subject, id) in [
        ("john@acmefinance.com", "Dashboard error", "1@a"),
        ("security@techgov.gov", "Certificate expired", "2@t"),
    ] {
        let mail = format!(
            "From: {from}\r\nTo: support@securebase.example\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\n\
             Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n\r\nIt does not work, {id}.\r\n"
        );
        program
            .run_with(&["mail", "deliver"], mail.as_bytes())
            .done();
    }
    (program, url, folder)
}

async fn words_filters_and_options_come_in_any_order(backend: Backend) {
    let (program, _, _folder) = with_tickets(backend).await;
    let search = |words: &[&str]| {
        let line = [&["ticket", "search"], words].concat();
        program.run(&line).done().json()
    };
    let listed = program.run(&["ticket", "list", "--json"]).done().json();
    for words in [
        &["tier:fintech", "work", "--json"][..],
        &["--json", "dashboard"],
        &["work", "-certificate", "--json"],
        &["-certificate", "--json"],
        &["-tier:gov-federal", "--limit", "5", "--json", "work"],
        &["--json", "--sort=newest", "\"does not work\" 1@a"],
    ] {
        let found = search(words);
        assert_eq!(
            found.as_array().map(Vec::len),
            Some(1),
            "{words:?}: {found}"
        );
        let mut hit = found[0].clone();
        let excerpt = hit.as_object_mut().and_then(|hit| hit.remove("excerpt"));
        assert!(excerpt.is_some(), "{words:?}");
        let same = listed.as_array().into_iter().flatten();
        let same = same.filter(|one| one["number"] == hit["number"]).count();
        assert_eq!(same, 1);
        let keys = |value: &serde_json::Value| {
            let keys = value.as_object().expect("an object").keys().cloned();
            keys.collect::<Vec<_>>()
        };
        assert_eq!(
            keys(&hit),
            keys(&listed[0]),
            "the elements of `ticket list`"
        );
    }
    let text = program
        .run(&["ticket", "search", "does not work"])
        .done()
        .out
        .clone();
    assert!(text.contains("    It does not work, 1@a."), "{text}");
    assert!(text.ends_with("2 tickets.\n"), "{text}");
    let text = program
        .run(&["ticket", "search", "--limit", "1", "work"])
        .done()
        .out
        .clone();
    assert!(
        text.contains("1 of 2 tickets; more with --limit."),
        "{text}"
    );
    let none = program
        .run(&["ticket", "search", "absent"])
        .done()
        .out
        .clone();
    assert_eq!(none, "No tickets.\n");
    let refused = program.run(&["ticket", "search", "is:happy", "--json"]);
    assert_eq!(refused.code, Some(1));
    assert_eq!(refused.json()["error"]["code"], "invalid");
    assert_eq!(program.run(&["ticket", "search"]).code, Some(2));
    let help = program
        .run(&["ticket", "search", "--help"])
        .done()
        .out
        .clone();
    assert!(
        help.contains("tierdesk ticket search tier:fintech"),
        "{help}"
    );
}

async fn a_migration_is_finished_by_db_migrate(backend: Backend) {
    let (program, url, _folder) = with_tickets(backend).await;
    let database = tierdesk_core::store::OpenOptions::new(url)
        .open()
        .await
        .expect("it opens");
    for sql in [
        "DELETE FROM search_terms",
        "DELETE FROM search_entries",
        "UPDATE search_state SET is_complete = FALSE",
    ] {
        database.tamper(sql, sql).await;
    }
    database.close().await;
    let ended = program.run(&["ticket", "search", "work"]);
    assert!(ended.err.contains("tierdesk db migrate"), "{}", ended.err);
    let migrated = program.run(&["db", "migrate", "--json"]).done().json();
    assert_eq!(migrated["indexed"], 2);
    let found = program
        .run(&["ticket", "search", "work", "--json"])
        .done()
        .json();
    assert_eq!(found.as_array().map(Vec::len), Some(2));
}
