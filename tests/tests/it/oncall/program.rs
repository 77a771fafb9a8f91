//! The program: a rota from nothing, as its operator types it, and the shapes of its JSON.

use std::fs;

use serde_json::Value;
use tierdesk_tests::{Backend, Program, TestDesk, on_both};

use super::ROTA;

on_both! {
    a_rota_from_nothing,
}

/// All four tiers by one rota.
fn rota() -> String {
    let tiers = ["gov-federal", "healthcare", "fintech", "standard"];
    let one = |tier: &str| ROTA.replace("\"fintech\"", &format!("{tier:?}"));
    tiers.map(one).concat()
}

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

async fn a_rota_from_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let program = Program::new(&test.url);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("rota.toml");
    fs::write(&file, rota()).expect("it is written");
    let file = file.to_str().expect("a UTF-8 path");
    let run = |arguments: &[&str]| {
        let arguments = [arguments, &["--json"]].concat();
        program.run(&arguments).done().json()
    };
    let empty = run(&["oncall", "now"]);
    assert_eq!(empty[0]["primary"], "catch-all");
    let said = program.run(&["oncall", "now"]).done().out.clone();
    assert!(
        said.contains("ALARM: nobody is on call for fintech"),
        "{said}"
    );
    for (name, role) in [
        ("ada", "admin"),
        ("dana", "agent"),
        ("lee", "agent"),
        ("noor", "agent"),
        ("kim", "agent"),
    ] {
        // The first one is the program's own user, or nobody could go on.
        let login = if name == "ada" {
            own_login()
        } else {
            name.to_owned()
        };
        run(&["staff", "add", name, "--role", role, "--login", &login]);
    }
    let set = run(&["oncall", "schedule", "set", "--file", file]);
    assert_eq!(set["schedules"].as_array().map(Vec::len), Some(4));
    let now = run(&["oncall", "now"]);
    assert_eq!(
        keys(&now[2]),
        ["primary", "secondary", "source", "tier", "until"]
    );
    assert_eq!(now[2]["tier"], "fintech");
    let shown = program
        .run(&["oncall", "preview", "--tier", "fintech", "--weeks", "2"])
        .done()
        .out
        .clone();
    for part in ["Schedule fintech (Europe/Berlin)", "NIGHTS", "dana"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (from, to) = ("2027-03-01T00:00:00Z", "2027-04-05T00:00:00Z");
    let preview = [
        "oncall", "preview", "--tier", "fintech", "--from", from, "--to", to,
    ];
    gapless(&run(&preview), from, to);
    let made = run(&[
        "oncall",
        "override",
        "--tier",
        "fintech",
        "--who",
        "kim",
        "--from",
        "2027-03-10 09:00",
        "--to",
        "2027-03-11 09:00",
        "--reason",
        "lee is at the doctor",
    ]);
    let with = run(&preview);
    gapless(&with, from, to);
    let kim = with.as_array().expect("a list").iter();
    let kim: Vec<&Value> = kim.filter(|one| one["primary"] == "kim").collect();
    assert_eq!(kim.len(), 1);
    assert_eq!(kim[0]["source"], "override");
    assert_eq!(kim[0]["start"], "2027-03-10T08:00:00Z");
    let id = made["id"].as_str().expect("an id");
    run(&["oncall", "override", "--remove", id]);
    assert_eq!(
        run(&["oncall", "override", "--list"]),
        Value::Array(Vec::new())
    );
    let offer = [
        "oncall",
        "swap",
        "offer",
        "--tier",
        "fintech",
        "--from",
        "2027-03-09 12:00",
        "--for",
    ];
    let whose = run(&["oncall", "now", "--at", "2027-03-09T11:00Z"])[2]["primary"].clone();
    let whose = whose.as_str().expect("a name");
    let offered = run(&[&offer[..], &[whose]].concat());
    let id = offered["id"].as_str().expect("an id");
    run(&["oncall", "swap", "take", id, "--for", "kim"]);
    let at = run(&["oncall", "now", "--at", "2027-03-10T00:00Z"]);
    assert_eq!(
        (&at[2]["primary"], &at[2]["source"]),
        (&"kim".into(), &"swap".into())
    );
    run(&["oncall", "swap", "give-back", id]);
    run(&[
        "oncall",
        "absence",
        "add",
        "kim",
        "--from",
        "now",
        "--to",
        "2027-06-01",
        "--reason",
        "leave",
    ]);
    let refused = program.run(&[
        "oncall",
        "override",
        "--tier",
        "fintech",
        "--who",
        "kim",
        "--from",
        "now",
        "--to",
        "2027-05-01",
        "--reason",
        "x",
    ]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("kim is away"), "{refused:?}");
    assert!(refused.err.contains("hint:"), "{refused:?}");
    let exported = program
        .run(&["oncall", "schedule", "export"])
        .done()
        .out
        .clone();
    fs::write(file, &exported).expect("it is written");
    let again = run(&["oncall", "schedule", "set", "--file", file]);
    let again = again["schedules"].as_array().expect("a list");
    assert!(again.iter().all(|one| one["action"] == "keep"), "{again:?}");
    let doctor = program.run(&["doctor"]).out;
    assert!(
        doctor.contains("somebody is on call for every tier"),
        "{doctor}"
    );
    assert_eq!(run(&["audit", "verify"])["ok"], true);
}

/// One segment follows the other from the beginning to the end.
fn gapless(segments: &Value, from: &str, to: &str) {
    let segments = segments.as_array().expect("a list");
    assert!(segments.len() > 3, "{segments:?}");
    assert_eq!(
        keys(&segments[0]),
        ["end", "primary", "secondary", "source", "start"]
    );
    assert_eq!(segments[0]["start"], from);
    assert_eq!(segments[segments.len() - 1]["end"], to);
    for pair in segments.windows(2) {
        assert_eq!(pair[0]["end"], pair[1]["start"]);
    }
}

/// As the program names whoever runs it.
fn own_login() -> String {
    let id = std::process::Command::new("id").arg("-un").output();
    let name = id.expect("id runs").stdout;
    String::from_utf8(name).expect("a name").trim().to_owned()
}
