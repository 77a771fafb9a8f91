//! Several ways out, by who the mail is from, as the configuration says; and what may only leave by a way that
//! enforces TLS.

use std::time::Duration;

use tierdesk_tests::{Backend, Letter, Program, TestDesk, fake_smtp::FakeSmtp, on_both};

use super::{JOHN, SUPPORT};

on_both! {
    each_sender_has_its_way,
    a_tier_that_demands_tls_leaves_by_a_way_that_enforces_it,
    domains_of_one_relay_share_its_connections,
}

const GOV: &str = "support@gov.securebase.example";

/// The program with this configuration, and one ticket each of a fintech and a government customer.
async fn stage(backend: Backend, configuration: &str) -> (TestDesk, Program, tempfile::TempDir) {
    let test = TestDesk::with_customers(backend).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("desk.toml");
    std::fs::write(&file, configuration).expect("it is written");
    let quiet = Program::new(&test.url);
    for (from, id) in [(JOHN, "a"), ("security@techgov.gov", "b")] {
        let mail = Letter::new(from, id).bytes();
        quiet.run_with(&["mail", "deliver"], &mail).done();
    }
    let program = quiet.with("TIERDESK_CONFIG", file.display().to_string());
    (test, program, folder)
}

fn certificate(folder: &tempfile::TempDir, server: &FakeSmtp) -> String {
    let file = folder.path().join("relay.pem");
    std::fs::write(&file, server.certificate()).expect("it is written");
    file.display().to_string()
}

fn configuration(ordinary: &FakeSmtp, gov: &FakeSmtp, ca: &str, more: &str) -> String {
    format!(
        "[mail]\naddress = {SUPPORT:?}\nsmtp_url = \"smtp://{}\"\n\
         [mail.senders]\ngov-federal = {GOV:?}\n\
         [[mail.relay]]\nurl = \"smtp://{}\"\nsender_domains = [\"gov.securebase.example\"]\n\
         tls = \"required\"\nca_file = {ca:?}\n{more}\n",
        ordinary.address(),
        gov.address()
    )
}

/// Serves until the relays together have so many mails.
async fn serve_until(program: &Program, servers: &[&FakeSmtp], mails: usize) {
    let mut child = program.start(&["serve", "--role", "worker"]);
    let count = || {
        servers
            .iter()
            .map(|server| server.state().mails.len())
            .sum::<usize>()
    };
    for _ in 0..600 {
        if count() >= mails {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Whatever else would leave has its chance.
    tokio::time::sleep(Duration::from_millis(500)).await;
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert_eq!(count(), mails);
}

/// The letters that are held, and why.
fn held(program: &Program) -> Vec<(String, String)> {
    let open = program.run(&["mail", "outbox", "--json"]).done().json();
    let letters = open.as_array().expect("a list").iter();
    let text =
        |letter: &serde_json::Value, key: &str| letter[key].as_str().unwrap_or_default().to_owned();
    letters
        .filter(|letter| letter["state"] == "held")
        .map(|letter| (text(letter, "id"), text(letter, "reason")))
        .collect()
}

async fn each_sender_has_its_way(backend: Backend) {
    let (ordinary, gov) = (FakeSmtp::start().await, FakeSmtp::start().await);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ca = certificate(&folder, &gov);
    let text = configuration(&ordinary, &gov, &ca, "enforces_tls = true");
    let (_test, program, _file) = stage(backend, &text).await;
    for number in ["1", "2"] {
        let reply = ["ticket", "reply", number, "--now"];
        program
            .run_with(
                &reply,
                b"It works again.
",
            )
            .done();
    }
    assert_eq!(held(&program), [], "it may go");
    serve_until(&program, &[&ordinary, &gov], 2).await;
    let (first, second) = (
        ordinary.state().mails[0].clone(),
        gov.state().mails[0].clone(),
    );
    assert_eq!(
        (first.sender.as_str(), first.recipient.as_str()),
        (SUPPORT, JOHN)
    );
    assert_eq!(
        (second.sender.as_str(), second.recipient.as_str()),
        (GOV, "security@techgov.gov")
    );
    assert!(
        !first.is_encrypted,
        "its certificate is not to be believed, and TLS not demanded"
    );
    assert!(second.is_encrypted);
    let text = String::from_utf8_lossy(&second.bytes);
    assert!(
        text.contains("From: support@gov.securebase.example"),
        "{text}"
    );
    println!("{backend:?}: 2 senders, 2 ways");
}

async fn a_tier_that_demands_tls_leaves_by_a_way_that_enforces_it(backend: Backend) {
    let (ordinary, gov) = (FakeSmtp::start().await, FakeSmtp::start().await);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ca = certificate(&folder, &gov);
    let text = configuration(&ordinary, &gov, &ca, "");
    let (_test, program, _file) = stage(backend, &text).await;
    for (number, is_held) in [("1", false), ("2", true)] {
        let reply = ["ticket", "reply", number, "--now", "--json"];
        let answer = program.run_with(&reply, b"It works again.\n").done().json();
        assert_eq!(answer["number"], format!("SB-{number}"), "{answer}");
        let reply = &answer["reply"];
        assert!(reply["leave_at"].is_string(), "{reply}");
        let recipients = reply["recipients"].as_array().expect("a list");
        let why = recipients[0]["held"].as_str().unwrap_or_default();
        assert_eq!(
            (recipients.len(), why.contains("verified TLS")),
            (1, is_held),
            "{reply}"
        );
    }
    serve_until(&program, &[&ordinary, &gov], 1).await;
    assert_eq!(gov.state().mails, [], "what is held does not leave");
    for (arguments, states) in [
        (&[][..], &["held"][..]),
        (&["--all"], &["sent", "held"]),
        (&["--all", "--ticket", "SB-1"], &["sent"]),
        (&["--ticket", "SB-1"], &[]),
    ] {
        let all = [&["mail", "outbox", "--json"], arguments].concat();
        let letters = program.run(&all).done().json();
        let letters = letters.as_array().expect("a list").iter();
        let found: Vec<&str> = letters.filter_map(|one| one["state"].as_str()).collect();
        assert_eq!(found, states, "{arguments:?}");
    }
    let shown = program.run(&["mail", "outbox", "--all"]).done().out.clone();
    assert!(shown.contains("250 2.0.0 Queued"), "{shown}");

    let held = held(&program);
    let [(id, why)] = held.as_slice() else {
        panic!("one is held: {held:?}");
    };
    assert!(
        why.contains("verified TLS") && why.contains("techgov.gov"),
        "{why}"
    );
    program.run(&["mail", "release", id]).done();
    serve_until(&program, &[&gov], 1).await;
    assert!(gov.state().mails[0].is_encrypted);
    println!("{backend:?}: held until a person let it go");
}

async fn domains_of_one_relay_share_its_connections(backend: Backend) {
    let mut open = Vec::new();
    // Two relays that are the same server are two: positive control.
    for is_shared in [true, false] {
        let server = FakeSmtp::start().await;
        server.state().delay = Duration::from_millis(700);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ca = certificate(&folder, &server);
        let relay = |domains: &str| {
            format!(
                "[[mail.relay]]\nurl = \"smtp://{}\"\ntls = \"required\"\nca_file = {ca:?}\n\
                 enforces_tls = true\nconnections = 1\nsender_domains = [{domains}]\n",
                server.address()
            )
        };
        let (gov, fin) = ("\"gov.securebase.example\"", "\"fin.securebase.example\"");
        let relays = if is_shared {
            relay(&format!("{gov}, {fin}"))
        } else {
            relay(gov) + &relay(fin)
        };
        let text = format!(
            "[mail]\naddress = {SUPPORT:?}\nsmtp_url = \"file:{}\"\n[mail.senders]\n\
             gov-federal = {GOV:?}\nfintech = \"support@fin.securebase.example\"\n{relays}",
            folder.path().display()
        );
        let (_test, program, _file) = stage(backend, &text).await;
        for number in ["1", "2"] {
            let reply = ["ticket", "reply", number, "--now"];
            program.run_with(&reply, b"It works again.\n").done();
        }
        serve_until(&program, &[&server], 2).await;
        open.push(server.state().most_open);
    }
    println!("{backend:?}: at once {open:?}");
    assert_eq!(open, [1, 2], "of one relay, of two");
}
