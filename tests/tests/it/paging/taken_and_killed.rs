//! Taking a page and handing it on, cut off before and behind the commit: somebody has it, or it goes on calling;
//! there is nothing between.

use std::fs;

use tierdesk_tests::{Backend, Program, WebhookSink, on_both};

use super::{heard, program, sev1, until};

on_both! {
    twenty_kills_around_taking_and_escalating,
}

/// For each of the points.
const TIMES: usize = 5;

/// Where a page stands, and how many notices were written of it.
fn state(program: &Program, ticket: &str) -> (String, usize) {
    let shown = program.run(&["oncall", "page", "show", ticket, "--json"]);
    let page = shown.done().json();
    let state = page[0]["state"].as_str().expect("it has one").to_owned();
    (state, page[0]["notices"].as_array().map_or(0, Vec::len))
}

async fn twenty_kills_around_taking_and_escalating(backend: Backend) {
    let sink = WebhookSink::start().await;
    let (test, program) = program(backend, &sink).await;
    let me = Program::own_login();
    program
        .run(&["staff", "add", &me, "--role", "admin", "--login", &me])
        .done();
    let mut worker = program.start(&["serve", "--role", "worker"]);
    let mut hits = 0;
    for (index, (point, verb, is_done)) in [
        ("page.acknowledge_before_commit", "ack", false),
        ("page.acknowledged", "ack", true),
        ("page.escalate_before_commit", "escalate", false),
        ("page.escalated", "escalate", true),
    ]
    .into_iter()
    .cycle()
    .take(4 * TIMES)
    .enumerate()
    {
        let ticket = format!("SB-{}", index + 1);
        program
            .run_with(&["mail", "deliver"], &sev1(&format!("cut-{index}")))
            .done();
        let triggers = async || {
            let heard = heard(&sink);
            heard
                .iter()
                .filter(|(action, _)| action == "trigger")
                .count()
        };
        until("the trigger", async || {
            state(&program, &ticket).0 == "open" && triggers().await > 0
        })
        .await;
        let before = state(&program, &ticket);
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let cut = program
            .clone()
            .with("TIERDESK_FAULT", format!("{point}:1"))
            .with("TIERDESK_FAULT_LOG", log.path().to_string_lossy());
        let arguments: &[&str] = match verb {
            "ack" => &["oncall", "ack", &ticket],
            _ => &["oncall", "page", "escalate", &ticket],
        };
        let ended = cut.run(arguments);
        assert_eq!(ended.code, None, "{point} did not end it: {ended:?}");
        let lines = fs::read_to_string(log.path()).expect("the log is there");
        assert!(lines.contains(&format!("{point} 1")), "{lines}");
        hits += 1;
        match (verb, is_done) {
            ("ack", true) => assert_eq!(state(&program, &ticket).0, "acknowledged", "{point}"),
            (_, false) => assert_eq!(state(&program, &ticket), before, "{point}"),
            // The next step fires, and where it is the last that reaches somebody, so be it.
            _ => {
                until("the next step", async || state(&program, &ticket) != before).await;
            }
        }
        // What was cut is done by doing it again.
        let again = program.run(arguments);
        assert!(again.code == Some(0), "{point}: {again:?}");
        program.run(&["oncall", "ack", &ticket]).done();
        assert_eq!(state(&program, &ticket).0, "acknowledged", "{point}");
    }
    println!("{backend:?}: {hits} kills, each page taken or calling");
    assert_eq!(hits, 4 * TIMES);
    let between = "SELECT COUNT(*) FROM page_notices n JOIN pages p ON p.id = n.page_id
        WHERE p.state = 'acknowledged' AND n.signal = 'trigger' AND n.state = 'due'";
    assert_eq!(
        test.number(between).await,
        0,
        "nothing waits for a page that somebody has"
    );
    worker.kill().expect("it can be killed");
    worker.wait().expect("it ends");
}
