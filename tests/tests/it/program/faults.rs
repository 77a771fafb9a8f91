//! What is wrong around the program: broken configuration, a database that is gone, locked or
//! full. A mail server is always told to try again, and nothing is lost.

use std::{fs, process::Command};

use tierdesk_tests::{Backend, Program, TestDesk, on_both};

use super::{letter, with_customers};

on_both! {
    a_newer_schema_is_refused_and_left_alone,
}

fn mail() -> Vec<u8> {
    letter("john@acmefinance.com", "Dashboard error", "1@acme")
}

fn deliver(program: &Program) -> Option<i32> {
    program.run_with(&["mail", "deliver"], &mail()).code
}

#[test]
fn every_fault_of_a_configuration_is_told_at_once_and_nothing_is_started() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("tierdesk.toml");
    fs::write(&file, "[database]\nurl = \"mysql://x\"\n[mail]\nadress = \"a@b.example\"\n[store]\nkey_file = 5\n")
        .expect("written");
    let database = folder.path().join("desk.db");
    let program = Program::new("").with("TIERDESK_CONFIG", file.to_string_lossy());
    let ended = program.run(&["ticket", "list"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for (line, words) in [
        ("line 2:", "mysql"),
        ("line 4:", "mail.address"),
        ("line 6:", "key_file"),
    ] {
        let told = ended
            .err
            .lines()
            .any(|told| told.contains(line) && told.contains(words));
        assert!(told, "{words} of line {line} in {}", ended.err);
    }
    assert_eq!(
        program.run_with(&["mail", "deliver"], &mail()).code,
        Some(75)
    );
    assert!(!database.exists());
    let json = program.run(&["ticket", "list", "--json"]).json();
    assert_eq!(json["error"]["code"], "configuration");
}

#[test]
fn bad_usage_of_deliver_makes_the_mail_server_keep_the_mail() {
    let program = Program::new("sqlite:///nonexistent/x.db");
    assert_eq!(
        program.run(&["mail", "deliver", "--no-such-flag"]).code,
        Some(75)
    );
    assert_eq!(
        program.run(&["ticket", "--no-such-flag"]).code,
        Some(2),
        "positive control"
    );
}

#[test]
fn a_database_that_is_gone_is_a_reason_to_try_again() {
    let nowhere = Program::new("postgres://nobody@127.0.0.1:1/none");
    assert_eq!(deliver(&nowhere), Some(75));
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("file"), "in the way").expect("written");
    let inside = Program::new(format!("sqlite://{}/file/desk.db", folder.path().display()));
    assert_eq!(deliver(&inside), Some(75));
    let noise = folder.path().join("noise.db");
    fs::write(&noise, [7; 5_000]).expect("written");
    assert_eq!(
        deliver(&Program::new(format!("sqlite://{}", noise.display()))),
        Some(75)
    );
}

#[tokio::test]
async fn a_locked_database_is_a_reason_to_try_again_and_then_it_works() {
    let (program, _folder) = with_customers(Backend::Sqlite).await;
    let options = tierdesk_core::store::OpenOptions::new(program.url());
    let database = options.open().await.expect("it opens");
    let tx = database.begin_write().await.expect("the lock is taken");
    let told = tokio::task::spawn_blocking({
        let program = program.clone();
        move || deliver(&program)
    });
    assert_eq!(told.await.expect("it ends"), Some(75));
    drop(tx);
    assert_eq!(deliver(&program), Some(0));
    let list = program.run(&["ticket", "list", "--json"]).done().json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_full_disk_is_a_reason_to_try_again_and_then_it_works() {
    let (program, _folder) = with_customers(Backend::Sqlite).await;
    // What `ulimit -f` allows (in blocks of 1,024 bytes) is what the disk has left.
    let file = program.url().strip_prefix("sqlite://").expect("a file");
    let command = program.command(&["mail", "deliver"]);
    let limited = |blocks: u32| {
        let mut shell = Command::new("bash");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" mail deliver");
        shell
            .args(["-c", &script])
            .arg(command.get_program())
            .env_clear();
        shell
            .env("TIERDESK_DATABASE_URL", program.url())
            .env("HOME", "/nonexistent");
        let big = [mail(), vec![b'x'; 3_000_000]].concat();
        let input = tempfile::NamedTempFile::new().expect("a temporary file");
        fs::write(input.path(), noisy(big)).expect("written");
        shell.stdin(fs::File::open(input.path()).expect("it opens"));
        shell.output().expect("bash runs").status.code()
    };
    let size = fs::metadata(file).expect("it is there").len() / 1_024;
    let full = u32::try_from(size).expect("small") + 64;
    assert_eq!(limited(full), Some(75));
    let list = program.run(&["ticket", "list", "--json"]).done().json();
    assert_eq!(
        list.as_array().map(Vec::len),
        Some(0),
        "nothing was half stored"
    );
    assert_eq!(
        limited(1_000_000),
        Some(0),
        "positive control: with room it is stored"
    );
}

/// The same length, but not compressible.
fn noisy(mut mail: Vec<u8>) -> Vec<u8> {
    let mut random = tierdesk_tests::corpus::Random::new(3);
    let body = mail.len() - 3_000_000;
    for byte in &mut mail[body..] {
        *byte = b'!' + u8::try_from(random.below(90)).expect("below 90");
    }
    mail
}

async fn a_newer_schema_is_refused_and_left_alone(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let options = tierdesk_core::store::OpenOptions::new(program.url());
    let database = options.open().await.expect("it opens");
    let newer =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'later', TRUE, ";
    database
        .tamper(
            &format!("{newer} x'00', 0)"),
            &format!("{newer} '\\x00', 0)"),
        )
        .await;
    database.close().await;
    let ended = program.run(&["ticket", "list"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("9999"), "{ended:?}");
    let migrate = program.run(&["db", "migrate"]);
    assert_eq!(migrate.code, Some(1), "{migrate:?}");
    assert_eq!(deliver(&program), Some(75));
}

#[tokio::test]
async fn an_empty_postgres_database_is_made_ready_by_migrate() {
    let (url, _folder) = TestDesk::place(Backend::Postgres).await;
    let program = Program::new(url);
    let migrated = program.run(&["db", "migrate", "--json"]).done().json();
    assert_eq!(migrated["before"], 0);
    let again = program.run(&["db", "migrate", "--json"]).done().json();
    assert_eq!(again["before"], again["after"]);
    tierdesk_tests::drop_databases().await;
}

/// A disk that was full leaves SQLite's one writer inside a transaction that nothing ends. What
/// runs for long must go on when there is room again.
#[tokio::test]
async fn the_writer_is_usable_again_after_the_disk_was_full() {
    use tierdesk_core::{
        desk::{Desk, store_arrival::store_arrival},
        mail::Envelope,
        receive::Road,
    };
    let test = tierdesk_tests::TestDesk::new(Backend::Sqlite).await;
    let desk: &Desk = &test.desk;
    let big = noisy([mail(), vec![b'x'; 3_000_000]].concat());
    let store =
        async || store_arrival(desk, Road::Deliver, None, Envelope::default(), &big, None).await;
    let tight = "PRAGMA max_page_count = 100";
    desk.database.tamper(tight, tight).await;
    let refused = store().await.expect_err("there is no room");
    assert!(refused.is_transient(), "{refused:?}");
    // The limit goes with the connection that it was set on: the next one has room.
    store().await.expect("there is room again");
}

#[test]
fn without_a_home_mail_does_not_end_up_anywhere() {
    let program = Program::new("").with("HOME", "");
    assert_eq!(deliver(&program), Some(75));
    let told = program.run(&["ticket", "list"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.contains("--database"), "{told:?}");
}

#[tokio::test]
async fn sealed_content_is_not_joined_by_unsealed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key = folder.path().join("key");
    fs::write(&key, "ab".repeat(32)).expect("written");
    let (program, _folder) = with_customers(Backend::Sqlite).await;
    let sealed = program
        .clone()
        .with("TIERDESK_STORE__KEY_FILE", key.to_string_lossy());
    assert_eq!(deliver(&sealed), Some(0));
    let other = letter("john@acmefinance.com", "second", "2@acme");
    let refused = program.run_with(&["mail", "deliver"], &other);
    assert_eq!(refused.code, Some(75), "the key is missing: {refused:?}");
    assert!(refused.err.contains("store.key_file"), "{refused:?}");
    assert_eq!(sealed.run_with(&["mail", "deliver"], &other).code, Some(0));
}
