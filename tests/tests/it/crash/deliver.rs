//! `mail deliver` cut at every named point; the mail server tries again, as it does.

use std::fs;

use tierdesk_tests::{Backend, Program, TestDesk, on_both};

const POINTS: [&str; 5] = [
    "arrival.before_commit",
    "arrival.committed",
    "process.parsed",
    "process.before_commit",
    "process.committed",
];

const MAIL: &[u8] = b"From: john@acmefinance.com\r\nTo: support@securebase.example\r\n\
    Subject: Dashboard error\r\nMessage-ID: <1@acmefinance.com>\r\n\r\nError 503.\r\n";

const CUSTOMERS: &str = include_str!("../../../../config/customers.toml");

on_both! {
    a_mail_server_that_tries_again_makes_one_ticket,
}

async fn a_mail_server_that_tries_again_makes_one_ticket(backend: Backend) {
    for point in POINTS {
        let (url, _folder) = TestDesk::place(backend).await;
        let program = Program::new(url);
        let import = ["customer", "import", "-", "--format", "toml"];
        program.run_with(&import, CUSTOMERS.as_bytes()).done();
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let cut = program
            .clone()
            .with("TIERDESK_FAULT", format!("{point}:1"))
            .with("TIERDESK_FAULT_LOG", log.path().to_string_lossy());
        let ended = cut.run_with(&["mail", "deliver", "--json"], MAIL);
        assert_eq!(ended.code, None, "{point} did not end it: {ended:?}");
        let hits = fs::read_to_string(log.path()).expect("the log is there");
        println!("{backend:?} {point}: {}", hits.trim().replace('\n', ", "));
        assert!(
            hits.lines().any(|line| line == format!("{point} 1")),
            "{hits}"
        );

        let again = program
            .run_with(&["mail", "deliver", "--json"], MAIL)
            .done()
            .json();
        let outcome = again["outcome"].as_str().expect("an outcome");
        let wanted = if point == "process.committed" {
            "duplicate"
        } else {
            "opened"
        };
        assert_eq!(outcome, wanted, "{point}: {again}");
        // A sequence does not take a number back: after a rollback there may be a gap.
        let number = again["ticket"].as_str().expect("a ticket");
        let list = program.run(&["ticket", "list", "--json"]).done().json();
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{point}: {list}");
        let ticket = program
            .run(&["ticket", "show", number, "--json"])
            .done()
            .json();
        assert_eq!(
            ticket["messages"].as_array().map(Vec::len),
            Some(1),
            "{point}"
        );
        super::assert_settled(&program);
    }
}
