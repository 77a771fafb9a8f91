//! `init`, and who may do what afterwards.

use std::{fs, os::unix::fs::PermissionsExt as _};

use tierdesk_tests::Program;

use super::{CUSTOMERS, letter};

fn fresh(folder: &std::path::Path) -> Program {
    Program::new("").with("HOME", folder.to_string_lossy())
}

#[test]
fn init_sets_up_and_repeated_keeps_everything() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = fresh(folder.path());
    let first = program.run(&["init", "--json"]).done().json();
    assert_eq!(first["created"], true);
    assert_eq!(first["tiers"].as_array().map(Vec::len), Some(4));
    let admin = first["admin"].as_str().expect("the first admin").to_owned();
    let file = first["config"].as_str().expect("a file").to_owned();
    assert_eq!(
        fs::metadata(&file).expect("written").permissions().mode() & 0o777,
        0o600
    );
    let text = fs::read_to_string(&file).expect("readable");
    fs::write(&file, text.clone() + "# mine\n").expect("written");
    let second = program.run(&["init", "--json"]).done().json();
    assert_eq!(second["created"], false);
    assert!(second["admin"].is_null(), "nobody is made admin twice");
    assert!(
        fs::read_to_string(&file)
            .expect("readable")
            .ends_with("# mine\n")
    );
    let list = program.run(&["customer", "list", "--json"]).done().json();
    assert_eq!(list, serde_json::json!([]), "init loads no customers");
    let import = ["customer", "import", "-", "--format", "toml"];
    program.run_with(&import, CUSTOMERS.as_bytes()).done();
    program
        .run_with(
            &["mail", "deliver"],
            &letter("john@acmefinance.com", "x", "1@a"),
        )
        .done();
    let mine = program
        .run(&["ticket", "assign", "SB-1", "me", "--json"])
        .done()
        .json();
    assert_eq!(mine["assignee"], admin.as_str());
    assert_eq!(mine["status"], "open");
}

#[test]
fn without_staff_nobody_can_be_assigned_and_the_hint_says_how() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = fresh(folder.path());
    program
        .run_with(&["mail", "deliver"], &letter("x@y.example", "x", "1@a"))
        .done();
    let refused = program.run(&["ticket", "assign", "SB-1", "--json"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let error = &refused.json()["error"];
    assert_eq!(error["code"], "not_found");
    assert!(
        error["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("tierdesk init")),
        "{error}"
    );
}

#[test]
fn who_does_not_own_the_configuration_is_not_permitted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = fresh(folder.path());
    program.run(&["init"]).done();
    let database = folder.path().join(".local/share/tierdesk/tierdesk.db");
    assert!(database.exists(), "the default place");
    let url = format!("sqlite://{}", database.display());
    // Somebody else takes the login that is registered.
    let sql = "UPDATE staff SET os_user = 'somebody-else'";
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let options = tierdesk_core::store::OpenOptions::new(url);
        let database = options.open().await.expect("it opens");
        database.tamper(sql, sql).await;
        database.close().await;
    });
    let refused = program.run(&["ticket", "list", "--json"]);
    assert_eq!(refused.code, Some(77), "{refused:?}");
    assert_eq!(refused.json()["error"]["code"], "not_permitted");
    let delivered = program.run_with(&["mail", "deliver"], &letter("x@y.example", "x", "1@a"));
    assert_eq!(
        delivered.code,
        Some(0),
        "mail needs no staff: {delivered:?}"
    );
}
