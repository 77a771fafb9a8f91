//! What hostile or merely unlucky senders, users and machines do to the program.

use std::{fs, process::Stdio};

use tierdesk_tests::{Backend, Program, TestDesk, corpus::Random, on_both};

use super::{letter, with_customers};

on_both! {
    long_ids_and_addresses_are_kept_and_still_thread,
    many_first_deliveries_at_once_all_succeed,
    copies_delivered_at_once_make_one_ticket,
    an_answer_read_long_before_its_mail_is_joined_by_it,
    what_lies_under_another_customer_s_domain_needs_the_flag,
    a_damaged_chain_gets_a_verdict,
}

/// Letters that do not compress: an index has a limit for what they compress to.
fn noise(length: usize) -> String {
    let mut random = Random::new(length as u64);
    (0..length)
        .map(|_| char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[random.below(36)]))
        .collect()
}

async fn long_ids_and_addresses_are_kept_and_still_thread(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    for length in [900, 3_000, 10_000, 60_000] {
        let id = format!("{}@acme", noise(length));
        let first = letter("john@acmefinance.com", "long id", &id);
        let got = program
            .run_with(&["mail", "deliver", "--json"], &first)
            .done()
            .json();
        assert_eq!(got["outcome"], "opened", "{length}");
        let answer = String::from_utf8(letter(
            "john@acmefinance.com",
            "Re: long id",
            &format!("a{length}@acme"),
        ));
        let answer = answer.expect("text").replace(
            "Message-ID:",
            &format!("In-Reply-To: <{id}>\r\nMessage-ID:"),
        );
        let answered = program
            .run_with(&["mail", "deliver", "--json"], answer.as_bytes())
            .done()
            .json();
        assert_eq!(
            (&answered["outcome"], &answered["ticket"]),
            (&"appended".into(), &got["ticket"])
        );
        let sender = letter(
            &format!("{}@acmefinance.com", noise(length)),
            "long sender",
            &format!("s{length}@x"),
        );
        let got = program
            .run_with(&["mail", "deliver", "--json"], &sender)
            .done()
            .json();
        assert_eq!(got["outcome"], "triaged", "{length}: {got}");
    }
    super::super::crash::assert_settled(&program);
}

async fn many_first_deliveries_at_once_all_succeed(backend: Backend) {
    let (url, _folder) = TestDesk::place(backend).await;
    let program = Program::new(url);
    let codes = at_once(
        &program,
        (0..12).map(|n| letter("x@y.example", "first", &format!("{n}@y"))),
    );
    assert_eq!(codes, vec![Some(0); 12]);
    let list = program.run(&["ticket", "list", "--json"]).done().json();
    assert_eq!(list.as_array().map(Vec::len), Some(12));
}

async fn copies_delivered_at_once_make_one_ticket(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let mail = letter("john@acmefinance.com", "Dashboard error", "1@acme");
    let copies = (0..12).map(|n| [format!("X-Trace: {n}\r\n").as_bytes(), &mail].concat());
    let codes = at_once(&program, copies);
    assert_eq!(codes, vec![Some(0); 12]);
    let shown = program.run(&["ticket", "show", "1", "--json"]);
    let list = program.run(&["ticket", "list", "--json"]).done().json();
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list} {shown:?}");
    super::super::crash::assert_settled(&program);
}

/// Delivers all of them beside each other and returns their exit codes.
fn at_once(program: &Program, mails: impl Iterator<Item = Vec<u8>>) -> Vec<Option<i32>> {
    let started: Vec<_> = mails
        .map(|mail| {
            let input = tempfile::NamedTempFile::new().expect("a temporary file");
            fs::write(input.path(), mail).expect("written");
            let mut command = program.command(&["mail", "deliver"]);
            command
                .stdin(fs::File::open(input.path()).expect("it opens"))
                .stdout(Stdio::null());
            command.spawn().expect("it starts")
        })
        .collect();
    started
        .into_iter()
        .map(|mut child| child.wait().expect("it ends").code())
        .collect()
}

async fn an_answer_read_long_before_its_mail_is_joined_by_it(backend: Backend) {
    for batch in ["1", "1000"] {
        let (program, _folder) = with_customers(backend).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.path().join(part)).expect("a Maildir");
        }
        let put = |name: &str, mail: Vec<u8>| {
            fs::write(folder.path().join("new").join(name), mail).expect("written");
        };
        let answer =
            String::from_utf8(letter("jane@acmefinance.com", "Re: one", "2@acme")).expect("text");
        let answer = answer.replace("Message-ID:", "In-Reply-To: <1@acme>\r\nMessage-ID:");
        put("0", answer.clone().into_bytes());
        // A stranger's answer to the same mail must not draw it in.
        let stranger = answer
            .replace("jane@acmefinance.com", "eve@x.example")
            .replace("2@acme", "3@x");
        put("1", stranger.into_bytes());
        for n in 2..8 {
            put(
                &n.to_string(),
                letter("x@y.example", "between", &format!("{n}@y")),
            );
        }
        put("9", letter("john@acmefinance.com", "one", "1@acme"));
        let path = folder.path().to_string_lossy().into_owned();
        let got = program
            .run(&["mail", "import", &path, "--batch", batch, "--json"])
            .done()
            .json();
        assert_eq!(
            (&got["opened"], &got["appended"]),
            (&1.into(), &1.into()),
            "{batch}: {got}"
        );
        assert_eq!(got["triaged"], 7, "{batch}: {got}");
    }
}

async fn what_lies_under_another_customer_s_domain_needs_the_flag(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let add = [
        "customer",
        "domain",
        "add",
        "medicorp",
        "mail.acmefinance.com",
        "--json",
    ];
    let refused = program.run(&add);
    assert_eq!(
        refused.json()["error"]["code"],
        "domain_taken",
        "{refused:?}"
    );
    let moved = program.run(&[&add[..], &["--move"]].concat()).done().json();
    assert_eq!(moved["domains"].as_array().map(Vec::len), Some(2));
    let of = |address: &str| {
        program
            .run(&["customer", "resolve", address, "--json"])
            .done()
            .json()
    };
    assert_eq!(
        of("a@mail.acmefinance.com")["customer"],
        "medicorp",
        "the longest wins"
    );
    assert_eq!(of("a@acmefinance.com")["customer"], "acme-finance");
}

async fn a_damaged_chain_gets_a_verdict(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let verify = || program.run(&["audit", "verify", "--json"]);
    assert_eq!(verify().done().json()["erased"], 0);
    let options = tierdesk_core::store::OpenOptions::new(program.url());
    let database = options.open().await.expect("it opens");
    database
        .tamper(
            "UPDATE audit_head SET chain_hash = x'00'",
            "UPDATE audit_head SET chain_hash = '\\x00'",
        )
        .await;
    database.close().await;
    let verdict = verify();
    assert_eq!(verdict.code, Some(1), "{verdict:?}");
    assert_eq!(verdict.json()["ok"], false, "{verdict:?}");
}

#[test]
fn deliver_uses_no_other_exit_code_however_it_is_called() {
    let program = Program::new("sqlite:///nonexistent/x.db");
    for words in [
        &["mail", "--json", "deliver", "--bogus"][..],
        &["--json", "mail", "deliver", "--bogus"],
        &["mail", "--config", "/nonexistent", "deliver", "--bogus"],
        &["mail", "--config", "/nonexistent", "deliver"],
    ] {
        assert_eq!(
            program.run_with(words, b"From: a@b.c\n\nx").code,
            Some(75),
            "{words:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_printed_is_a_failure() {
    let (program, _folder) = with_customers(Backend::Sqlite).await;
    let mut command = program.command(&["customer", "export"]);
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let status = command
        .stdin(Stdio::null())
        .stdout(full)
        .status()
        .expect("it runs");
    assert_eq!(status.code(), Some(1));
}

#[tokio::test]
async fn a_subject_does_nothing_to_the_terminal() {
    let (program, _folder) = with_customers(Backend::Sqlite).await;
    let mail = b"From: x@y.example\r\nSubject: =?utf-8?Q?=1B[2J=1B]0;owned=07=C2=9B?=\r\n\r\nbody \x1b[31m\r\n";
    program.run_with(&["mail", "deliver"], mail).done();
    for words in [
        &["ticket", "list"][..],
        &["ticket", "show", "SB-1"],
        &["ticket", "next"],
    ] {
        let shown = program.run(words).done().out.clone();
        assert!(
            !shown.contains(['\u{1b}', '\u{7}', '\u{9b}']),
            "{words:?}: {shown:?}"
        );
    }
    let json = program
        .run(&["ticket", "show", "SB-1", "--json"])
        .done()
        .json();
    assert!(
        json["subject"]
            .as_str()
            .is_some_and(|text| text.contains('\u{1b}')),
        "JSON is data"
    );
}

#[tokio::test]
async fn a_delivery_that_is_ended_tells_the_mail_server_to_try_again() {
    use std::io::Write as _;
    let (program, _folder) = with_customers(Backend::Sqlite).await;
    let mut child = program
        .command(&["mail", "deliver"])
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("standard input is piped");
    input.write_all(b"From: a@b.example\r\n").expect("it reads");
    // It listens before it reads; a moment lets it come that far.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let id = child.id().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-TERM", &id])
        .status();
    assert!(killed.expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(75));
    drop(input);
}

#[tokio::test]
async fn a_secret_in_a_display_name_is_masked() {
    let (program, _folder) = with_customers(Backend::Sqlite).await;
    let secret = ["AKIA", "IOSFODNN7EXAMPLE"].concat();
    let mail = letter(
        &format!("\"{secret}\" <john@acmefinance.com>"),
        "name",
        "1@acme",
    );
    program.run_with(&["mail", "deliver"], &mail).done();
    let options = tierdesk_core::store::OpenOptions::new(program.url());
    let database = options.open().await.expect("it opens");
    let mut tx = database.begin_read().await.expect("it can be read");
    let number = "SB-1".parse().expect("a number");
    let ticket = tierdesk_core::store::tickets::find_by_number(&mut tx, number).await;
    let name = ticket
        .expect("it is read")
        .expect("it is there")
        .requester_name;
    drop(tx);
    database.close().await;
    let name = name.expect("the name is kept, masked");
    assert!(
        name.contains("masked") && !name.contains("IOSFODNN7"),
        "{name}"
    );
}

#[tokio::test]
async fn binding_a_resolved_ticket_keeps_when_it_was_resolved() {
    let (program, _folder) = with_customers(Backend::Sqlite).await;
    program
        .run_with(&["mail", "deliver"], &letter("a@x.example", "x", "1@x"))
        .done();
    program
        .run(&["ticket", "status", "SB-1", "resolved"])
        .done();
    let bound = program
        .run(&["ticket", "bind", "SB-1", "medicorp", "--json"])
        .done()
        .json();
    assert!(bound["sla"]["resolution"]["met_at"].is_string(), "{bound}");
}

#[tokio::test]
async fn an_anchor_file_that_is_gone_is_a_fault() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let anchors = folder.path().join("anchors");
    let (program, _folder) = with_customers(Backend::Sqlite).await;
    let program = program.with("TIERDESK_AUDIT__ANCHOR_FILE", anchors.to_string_lossy());
    let verify = || program.run(&["audit", "verify", "--json"]);
    assert_eq!(verify().done().json()["ok"], true, "positive control");
    fs::remove_file(&anchors).expect("it was written");
    let verdict = verify();
    assert_eq!(verdict.code, Some(1), "{verdict:?}");
    assert!(
        verdict.json()["fault"].to_string().contains("gone"),
        "{verdict:?}"
    );
}

#[test]
fn an_environment_that_is_no_text_is_no_reason_to_fall_over() {
    use std::os::unix::ffi::OsStrExt as _;
    let program = Program::new("sqlite:///nonexistent/never-opened.db");
    let mut command = program.command(&["demo", "--json"]);
    command.env("ODD", std::ffi::OsStr::from_bytes(b"\xff"));
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    assert_eq!(status.expect("it runs").code(), Some(0));
}

#[test]
fn init_writes_no_configuration_that_does_not_load() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("tierdesk.toml");
    let path = file.to_string_lossy().into_owned();
    let program = Program::new("").with("HOME", folder.path().to_string_lossy());
    let refused = program.run(&["init", "--config", &path, "--database", "postgre://x"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(!file.exists(), "it would be in everybody's way");
    program.run(&["init", "--config", &path]).done();
}
