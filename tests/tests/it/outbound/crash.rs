//! The program is killed while it answers and while it hands letters over: every letter arrives at least once,
//! always the same one, and no more doubles than are in doubt.

use std::{fs, time::Duration};

use tierdesk_tests::{Backend, Letter, Program, TestDesk, fake_smtp::FakeSmtp, look_into, on_both};

use super::JOHN;
use crate::crash::{
    assert_settled,
    worker::{free_lapsed_lease, wait},
};

on_both! {
    a_letter_survives_a_kill_at_each_point,
    an_answer_that_was_cut_off_is_whole_or_not_there,
}

/// A desk with a ticket, the program that may send, and the relay.
async fn stage(backend: Backend) -> (TestDesk, FakeSmtp, Program) {
    let test = TestDesk::with_customers(backend).await;
    let server = FakeSmtp::start().await;
    let quiet = Program::new(&test.url);
    let mail = Letter::new(JOHN, "first").bytes();
    // Without a way out no receipt is due, so that there is one letter.
    quiet.run_with(&["mail", "deliver"], &mail).done();
    let url = format!("smtp://{}", server.address());
    let program = quiet.with("TIERDESK_MAIL__SMTP_URL", url);
    (test, server, program)
}

async fn a_letter_survives_a_kill_at_each_point(backend: Backend) {
    let (mut lost, mut doubled, mut in_doubt, mut cuts) = (0, 0, 0, 0);
    for (point, times, copies) in [
        ("mail.begun", 1, 1),
        ("mail.handed_over", 1, 2),
        ("mail.before_record", 1, 2),
        ("mail.handed_over", 3, 4),
    ] {
        let (test, server, program) = stage(backend).await;
        let reply = ["ticket", "reply", "1", "--now"];
        program.run_with(&reply, b"It works again.\n").done();
        for round in 1..=times {
            let log = tempfile::NamedTempFile::new().expect("a temporary file");
            let cut = program
                .clone()
                .with("TIERDESK_FAULT", format!("{point}:1"))
                .with("TIERDESK_FAULT_LOG", log.path().to_string_lossy());
            let child = cut.start(&["serve", "--role", "worker"]);
            let ended = wait(child, Duration::from_secs(30));
            assert!(
                ended.is_some_and(|status| status.code().is_none()),
                "{point} did not end it: {ended:?}"
            );
            let hits = fs::read_to_string(log.path()).expect("the log is there");
            let hits = hits.lines().filter(|line| line.starts_with(point)).count();
            assert_eq!(hits, 1, "{point}");
            let there = server.state().mails.len();
            println!("{backend:?} {point}: {hits} hit, {there} at the relay");
            // Before the letter was said, none is there: the count sees what is missing.
            let expected = if point == "mail.begun" { 0 } else { round };
            assert_eq!(there, expected, "{point}");
            cuts += 1;
            free_lapsed_lease(&program).await;
        }
        let mut second = program.start(&["serve", "--role", "worker"]);
        let sent = "SELECT COUNT(*) FROM outgoing WHERE state = 'sent'";
        for _ in 0..600 {
            if test.number(sent).await == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        second.kill().expect("it can be killed");
        second.wait().expect("it ends");
        assert_eq!(test.number(sent).await, 1, "{point}");
        let mails = server.state().mails.clone();
        assert!(
            mails.iter().all(|mail| *mail == mails[0]),
            "{point}: the same letter"
        );
        let ids: Vec<(String,)> = look_into(
            &test.url,
            "SELECT header_id FROM messages WHERE direction = 'out'",
        )
        .await;
        assert_eq!(
            server.copies(&ids[0].0),
            mails.len(),
            "{point}: the same Message-ID"
        );
        assert_eq!(mails.len(), copies, "{point}");
        let doubts = test
            .number("SELECT CAST(SUM(doubts) AS BIGINT) FROM outgoing")
            .await;
        lost += usize::from(mails.is_empty());
        doubled += mails.len().saturating_sub(1);
        in_doubt += usize::try_from(doubts).expect("a count");
        assert_settled(&program);
    }
    println!("{backend:?}: {cuts} kills, {lost} lost, {doubled} doubled, {in_doubt} in doubt");
    // The kill before the letter was said is in doubt as well: nobody can tell it from the others.
    assert_eq!((cuts, lost, doubled, in_doubt), (6, 0, 5, 6));
}

async fn an_answer_that_was_cut_off_is_whole_or_not_there(backend: Backend) {
    for (point, letters) in [("reply.before_commit", 0), ("reply.committed", 1)] {
        let (test, server, program) = stage(backend).await;
        let reply = ["ticket", "reply", "1", "--now"];
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let cut = program
            .clone()
            .with("TIERDESK_FAULT", format!("{point}:1"))
            .with("TIERDESK_FAULT_LOG", log.path().to_string_lossy());
        let ended = cut.run_with(&reply, b"It works again.\n");
        assert_eq!(ended.code, None, "{point} did not end it: {ended:?}");
        let hits = fs::read_to_string(log.path()).expect("the log is there");
        assert!(hits.contains(&format!("{point} 1")), "{hits}");
        for (what, sql) in [
            ("letters", "SELECT COUNT(*) FROM outgoing"),
            ("jobs", "SELECT COUNT(*) FROM jobs WHERE kind = 'send_mail'"),
            (
                "messages",
                "SELECT COUNT(*) FROM messages WHERE direction = 'out'",
            ),
            (
                "turned tickets",
                "SELECT COUNT(*) FROM tickets WHERE status = 'waiting-customer'",
            ),
        ] {
            assert_eq!(test.number(sql).await, letters, "{point}: {what}");
        }
        if letters == 0 {
            program.run_with(&reply, b"It works again.\n").done();
        }
        let mut serving = program.start(&["serve", "--role", "worker"]);
        let sent = "SELECT COUNT(*) FROM outgoing WHERE state = 'sent'";
        for _ in 0..600 {
            if test.number(sent).await == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        serving.kill().expect("it can be killed");
        serving.wait().expect("it ends");
        println!(
            "{backend:?} {point}: 1 hit, then {} letter",
            server.state().mails.len()
        );
        assert_eq!(server.state().mails.len(), 1, "{point}");
        assert_settled(&program);
    }
}
