//! `tierdesk demo`: the README's first command.

use std::fs;

use tierdesk_tests::Program;

fn demo() -> Program {
    Program::new("sqlite:///nonexistent/never-opened.db")
}

#[test]
fn it_shows_a_ticket_for_every_customer_without_any_set_up() {
    let shown = demo().run(&["demo", "--json"]).done().json();
    assert_eq!(shown["customers"], 6, "five that ship and one onboarded");
    assert_eq!(shown["onboarded"], "nordlicht-pay");
    let tickets = shown["tickets"].as_array().expect("tickets");
    assert!(tickets.len() >= 6, "{}", tickets.len());
    for slug in [
        "acme-finance",
        "medicorp",
        "techgov",
        "quantum-bank",
        "startupcorp",
    ] {
        assert!(
            tickets.iter().any(|ticket| ticket["customer"] == slug),
            "{slug}"
        );
    }
    assert!(
        shown["seconds"]
            .as_f64()
            .is_some_and(|seconds| seconds > 0.0)
    );
}

#[test]
fn the_case_that_started_it_says_whose_it_is_and_names_no_other_framework() {
    let shown = demo().run(&["demo", "--json"]).done().json();
    let tickets = shown["tickets"].as_array().expect("tickets");
    let first = tickets
        .iter()
        .find(|ticket| ticket["number"] == "SB-1")
        .expect("SB-1");
    assert_eq!(first["subject"], "Dashboard error");
    assert_eq!(first["customer"], "acme-finance");
    assert_eq!(first["framework"], "SOC 2");
    assert_eq!(first["tier"], "fintech");
    assert!(first["sla"]["first_response"]["due"].is_string());
    assert!(first["on_call"].is_string());
    let words = first.to_string();
    for other in ["HIPAA", "FedRAMP", "CIS"] {
        assert!(!words.contains(other), "{other} in {words}");
    }
    let text = demo().run(&["demo"]).done().out.clone();
    assert!(text.contains("acme-finance · fintech · SOC 2"), "{text}");
    for shown in [
        "[ Take ] [ Severity ] [ Note ] [ Close ]",
        "nordlicht-pay, fintech",
        "is done",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(
        text.contains("HIPAA"),
        "positive control: other tickets do name theirs"
    );
}

#[test]
fn a_tier_s_target_changed_in_its_file_changes_what_is_shown() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hours = |file: Option<&str>| {
        let program = match file {
            Some(file) => demo().with("TIERDESK_TIERS__FILE", file),
            None => demo(),
        };
        let shown = program.run(&["demo", "--json"]).done().json();
        let tickets = shown["tickets"].as_array().expect("tickets").clone();
        let first = tickets
            .iter()
            .find(|ticket| ticket["number"] == "SB-1")
            .expect("SB-1")
            .clone();
        let time = |value: &serde_json::Value| -> jiff::Timestamp {
            value.as_str().expect("a time").parse().expect("RFC 3339")
        };
        let due = time(&first["sla"]["first_response"]["due"]);
        (due - time(&first["opened_at"])).as_secs_f64() / 3_600.0
    };
    assert!((hours(None) - 4.0).abs() < 1e-6);
    let shipped = include_str!("../../../../config/tiers.toml");
    let slower = shipped
        .split("\n[[tiers]]")
        .map(|tier| {
            if !tier.contains("slug = \"fintech\"") {
                return tier.to_owned();
            }
            // The contract may not be slower than what is published, so it becomes faster.
            tier.replace("contract = \"4h\"", "contract = \"3h\"")
                .replace("internal = \"4h\"", "internal = \"3h\"")
        })
        .collect::<Vec<_>>()
        .join("\n[[tiers]]");
    assert_ne!(slower, shipped, "the file was changed");
    let file = folder.path().join("tiers.toml");
    fs::write(&file, slower).expect("it is written");
    assert!((hours(file.to_str()) - 3.0).abs() < 1e-6);
}

#[test]
fn a_kept_demo_can_be_worked_on_and_is_not_written_over() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keep = folder.path().join("demo");
    let keep = keep.to_str().expect("a UTF-8 path");
    demo().run(&["demo", "--keep", keep]).done();
    let kept = Program::new(format!("sqlite://{keep}/demo.db"));
    let next = kept.run(&["ticket", "next", "--json"]).done().json();
    assert_eq!(next["priority"], "p1");
    assert_eq!(
        kept.run(&["audit", "verify", "--json"]).done().json()["ok"],
        true
    );
    let again = demo().run(&["demo", "--keep", keep]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.err.contains("another folder"), "{again:?}");
}
