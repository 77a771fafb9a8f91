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

/// The program, typed at.
struct Typed(Program);

impl Typed {
    /// What a command that must succeed answers as JSON.
    fn run(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        self.0.run(&arguments).done().json()
    }

    /// The same as text.
    fn said(&self, arguments: &[&str]) -> String {
        self.0.run(arguments).done().out.clone()
    }

    /// Who is on call for tier fintech.
    fn now(&self, at: &str) -> Value {
        self.run(&["oncall", "now", "--at", at])[2].clone()
    }
}

async fn a_rota_from_nothing(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let typed = Typed(Program::new(&test.url));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("rota.toml");
    let file = file.to_str().expect("a UTF-8 path");
    set_up(&typed, file);
    look_ahead(&typed);
    swap_and_be_away(&typed);
    let exported = typed.said(&["oncall", "schedule", "export"]);
    fs::write(file, &exported).expect("it is written");
    let again = typed.run(&["oncall", "schedule", "set", "--file", file]);
    let again = again["schedules"].as_array().expect("a list");
    assert!(again.iter().all(|one| one["action"] == "keep"), "{again:?}");
    call_who_may_be(&typed);
    assert_eq!(typed.run(&["audit", "verify"])["ok"], true);
}

/// From nobody to a rota for all tiers.
fn set_up(typed: &Typed, file: &str) {
    fs::write(file, rota()).expect("it is written");
    assert_eq!(typed.run(&["oncall", "now"])[0]["primary"], "catch-all");
    let said = typed.said(&["oncall", "now"]);
    assert!(
        said.contains("ALARM: nobody is on call for fintech"),
        "{said}"
    );
    for name in ["ada", "dana", "lee", "noor", "kim"] {
        // The first one is the program's own user, or nobody could go on.
        let (role, login) = match name {
            "ada" => ("admin", Program::own_login()),
            _ => ("agent", name.to_owned()),
        };
        typed.run(&["staff", "add", name, "--role", role, "--login", &login]);
    }
    let set = typed.run(&["oncall", "schedule", "set", "--file", file]);
    assert_eq!(set["schedules"].as_array().map(Vec::len), Some(4));
    let now = typed.run(&["oncall", "now"]);
    assert_eq!(
        keys(&now[2]),
        [
            "primary",
            "secondary",
            "source",
            "tier",
            "unproven",
            "until"
        ]
    );
    assert_eq!(now[2]["tier"], "fintech");
}

/// Whoever is on call for tiers that ask something of them is called once it is attested, and said of until then.
fn call_who_may_be(typed: &Typed) {
    let doctor = typed.0.run(&["doctor"]).out;
    let whole = "somebody is on call for every tier";
    assert!(!doctor.contains(whole), "{doctor}");
    for name in ["dana", "lee", "noor"] {
        for (tier, attribute) in [("gov-federal", "screened"), ("healthcare", "hipaa-trained")] {
            let lacks = format!(
                "{name} is on call by schedule {tier} and would not be called: {attribute} is not attested"
            );
            assert!(doctor.contains(&lacks), "{lacks}: {doctor}");
            typed.run(&["staff", "attest", name, attribute, "--until", "2036-01-01"]);
        }
    }
    let doctor = typed.0.run(&["doctor"]).out;
    assert!(doctor.contains(whole), "{doctor}");
}

/// Weeks ahead, with an override and without.
fn look_ahead(typed: &Typed) {
    let shown = typed.said(&["oncall", "preview", "--tier", "fintech", "--weeks", "2"]);
    for part in ["Schedule fintech (Europe/Berlin)", "NIGHTS", "dana"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (from, to) = ("2027-03-01T00:00:00Z", "2027-04-05T00:00:00Z");
    let preview =
        "oncall preview --tier fintech --from 2027-03-01T00:00:00Z --to 2027-04-05T00:00:00Z";
    let preview: Vec<&str> = preview.split(' ').collect();
    gapless(&typed.run(&preview), from, to);
    let made = "oncall override --tier fintech --who kim --reason ill --from 2027-03-10T09:00 --to 2027-03-11T09:00";
    let made: Vec<&str> = made.split(' ').collect();
    let made = typed.run(&made);
    let with = typed.run(&preview);
    gapless(&with, from, to);
    let all = with.as_array().expect("a list").iter();
    let kim: Vec<&Value> = all.filter(|one| one["primary"] == "kim").collect();
    assert_eq!(kim.len(), 1);
    assert_eq!(kim[0]["source"], "override");
    assert_eq!(kim[0]["start"], "2027-03-10T08:00:00Z");
    let id = made["id"].as_str().expect("an id");
    typed.run(&["oncall", "override", "--remove", id]);
    let left = typed.run(&["oncall", "override", "--list"]);
    assert_eq!(left, Value::Array(Vec::new()));
}

fn swap_and_be_away(typed: &Typed) {
    let whose = typed.now("2027-03-09T11:00Z")["primary"].clone();
    let whose = whose.as_str().expect("a name");
    let offer = "oncall swap offer --tier fintech --from 2027-03-09T12:00 --for";
    let offer: Vec<&str> = offer.split(' ').chain([whose]).collect();
    let offered = typed.run(&offer);
    let id = offered["id"].as_str().expect("an id");
    typed.run(&["oncall", "swap", "take", id, "--for", "kim"]);
    let taken = typed.now("2027-03-10T00:00Z");
    assert_eq!(taken["primary"], "kim");
    assert_eq!(taken["source"], "swap");
    typed.run(&["oncall", "swap", "give-back", id]);
    assert_eq!(typed.now("2027-03-10T00:00Z")["primary"], whose);
    let away = "oncall absence add kim --from now --to 2027-06-01 --reason leave";
    let away: Vec<&str> = away.split(' ').collect();
    typed.run(&away);
    let refused = "oncall override --tier fintech --who kim --from now --to 2027-05-01 --reason x";
    let refused: Vec<&str> = refused.split(' ').collect();
    let refused = typed.0.run(&refused);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("kim is away"), "{refused:?}");
    assert!(refused.err.contains("hint:"), "{refused:?}");
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
