//! Who may import whom, and the sizes of things.
//!
//! Rules that a compiler does not hold are held here, over `cargo metadata` and over the text of
//! the sources. Each check is shown to find what it looks for. To add a crate: a line in [`OURS`]
//! and, where it brings a heavy dependency that nobody else should wait for, one in [`OWNED`].

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Our crates and which of ours each may import. Edges never import each other.
const OURS: &[(&str, &[&str])] = &[
    ("tierdesk-core", &[]),
    ("tierdesk-ingest", &["tierdesk-core"]),
    ("tierdesk-outbound", &["tierdesk-core"]),
    ("tierdesk-provision", &["tierdesk-core"]),
    ("tierdesk-bot", &["tierdesk-core"]),
    ("tierdesk", EVERYTHING_BUT_THE_PROGRAM),
    ("tierdesk-tests", EVERYTHING_BUT_THE_PROGRAM),
];
const EVERYTHING_BUT_THE_PROGRAM: &[&str] = &[
    "tierdesk-core",
    "tierdesk-ingest",
    "tierdesk-outbound",
    "tierdesk-provision",
    "tierdesk-bot",
];

/// Families of outside crates (a name, or a name and what follows a hyphen) and who may use them.
const OWNED: &[(&str, &[&str])] = &[
    ("sqlx", &["tierdesk-core", "tierdesk-tests"]),
    ("mail-parser", &["tierdesk-ingest"]),
    ("html2text", &["tierdesk-ingest"]),
    ("infer", &["tierdesk-ingest"]),
    ("mail-auth", &["tierdesk-ingest", "tierdesk-tests"]),
    ("icalendar", &["tierdesk-core"]),
    ("smtp-proto", &["tierdesk-ingest"]),
    ("async-imap", &["tierdesk-ingest"]),
    ("clap", &["tierdesk"]),
    ("axum", &["tierdesk", "tierdesk-tests"]),
    ("hyper", &["tierdesk"]),
    (
        "reqwest",
        &["tierdesk-bot", "tierdesk-ingest", "tierdesk-outbound"],
    ),
    ("serenity", &["tierdesk-bot"]),
    ("lettre", &["tierdesk-outbound", "tierdesk-tests"]),
    ("aws", &["tierdesk-provision"]),
];

/// Modules of core that compute and neither read, write nor wait.
const DOMAIN: &[&str] = &[
    "audit",
    "authentication",
    "chat",
    "clock",
    "cloud",
    "customers",
    "discord",
    "disclosure",
    "mail",
    "masking",
    "onboarding",
    "oncall",
    "reply_token",
    "sla",
    "tickets",
    "tiers",
    "trust",
];
/// What they may not know: crates by name, our own modules below `crate` or `super`.
const IMPURE_CRATES: &[&str] = &["sqlx", "tokio"];
const IMPURE_MODULES: &[&str] = &["desk", "store"];

/// A longer production file has two things in one room.
const LONGEST_FILE: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are a member of the workspace")
}

/// Each crate of the workspace with each crate it names, for whatever purpose.
fn imports() -> Vec<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{output:?}");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let name = |value: &serde_json::Value| value["name"].as_str().expect("a name").to_owned();
    let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    list(&metadata["packages"])
        .iter()
        .flat_map(|package| {
            let dependencies = list(&package["dependencies"]);
            dependencies
                .iter()
                .map(|dependency| (name(package), name(dependency)))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn breaks_direction((importer, imported): &(String, String)) -> bool {
    let is_ours = |name: &str| name == "tierdesk" || name.starts_with("tierdesk-");
    let may = OURS.iter().find(|(name, _)| name == importer);
    is_ours(imported) && !may.is_some_and(|(_, may)| may.contains(&imported.as_str()))
}

fn breaks_ownership((importer, imported): &(String, String)) -> bool {
    OWNED.iter().any(|(family, owners)| {
        let rest = imported.strip_prefix(family);
        let is_of_family = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        is_of_family && !owners.contains(&importer.as_str())
    })
}

fn pair(importer: &str, imported: &str) -> (String, String) {
    (importer.to_owned(), imported.to_owned())
}

#[test]
fn our_crates_import_one_way() {
    for (importer, imported) in [
        ("tierdesk-core", "tierdesk-ingest"),
        ("tierdesk-ingest", "tierdesk-bot"),
        ("tierdesk-ingest", "tierdesk"),
        ("tierdesk-newcomer", "tierdesk-core"),
    ] {
        assert!(breaks_direction(&pair(importer, imported)), "{importer}");
    }
    let imports = imports();
    assert!(imports.contains(&pair("tierdesk", "tierdesk-ingest")));
    assert!(imports.contains(&pair("tierdesk-ingest", "tierdesk-core")));
    let wrong: Vec<_> = imports.into_iter().filter(breaks_direction).collect();
    assert!(wrong.is_empty(), "not allowed by OURS: {wrong:?}");
}

#[test]
fn heavy_crates_have_one_owner() {
    for (importer, imported) in [
        ("tierdesk", "sqlx"),
        ("tierdesk-core", "mail-parser"),
        ("tierdesk-ingest", "clap"),
        ("tierdesk-ingest", "lettre"),
        ("tierdesk-core", "serenity"),
        ("tierdesk-core", "reqwest"),
        ("tierdesk-bot", "axum"),
        ("tierdesk-outbound", "hyper-util"),
        ("tierdesk-bot", "aws-sdk-organizations"),
    ] {
        assert!(breaks_ownership(&pair(importer, imported)), "{imported}");
    }
    assert!(!breaks_ownership(&pair("tierdesk-core", "awsome")));
    let imports = imports();
    assert!(imports.contains(&pair("tierdesk-core", "sqlx")));
    assert!(imports.contains(&pair("tierdesk-ingest", "mail-parser")));
    let wrong: Vec<_> = imports.into_iter().filter(breaks_ownership).collect();
    assert!(wrong.is_empty(), "not allowed by OWNED: {wrong:?}");
}

/// The text without comments.
fn code(text: &str) -> String {
    let without = |line: &str| match line.find("//") {
        // The slashes of a URL in a string stay.
        Some(at) if !line[..at].ends_with(':') => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(|line| without(line) + "\n").collect()
}

/// The modules named directly below `path`, also in groups: `crate::{ids, store::Tx}` names `ids`
/// and `store` below `crate`.
fn named_below(path: &str, code: &str) -> BTreeSet<String> {
    let dense: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let dense = dense.replace(" ::", "::").replace(":: ", "::");
    let mut found = BTreeSet::new();
    let mut take = |text: &str| {
        let name: String = text
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        found.insert(name);
    };
    for (at, prefix) in dense.match_indices(&format!("{path}::")) {
        let rest = &dense[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            take(rest);
            continue;
        };
        let (mut depth, mut from) = (0, 0);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' if depth == 0 => {
                    take(&group[from..at]);
                    from = at + 1;
                }
                '}' => {
                    take(&group[from..at]);
                    break;
                }
                _ => {}
            }
        }
    }
    found
}

fn impurities(text: &str) -> Vec<String> {
    let code = code(text);
    let is_word_part = |c: char| c.is_alphanumeric() || c == '_';
    let words: BTreeSet<&str> = code.split(|c| !is_word_part(c)).collect();
    let crates = IMPURE_CRATES.iter().filter(|name| words.contains(*name));
    let mut found: Vec<String> = crates.map(|name| (*name).to_owned()).collect();
    for path in ["crate", "super"] {
        let named = named_below(path, &code);
        let modules = IMPURE_MODULES.iter().filter(|name| named.contains(**name));
        found.extend(modules.map(|name| format!("{path}::{name}")));
    }
    found
}

#[test]
fn the_domain_knows_neither_store_nor_runtime() {
    for planted in [
        "use sqlx::Row;",
        "#[tokio::test]",
        "fn f(tx: &mut crate::store::Tx) {}",
        "use crate::desk;",
        "use crate::{\n    ids::{StaffId, TicketId},\n    store::{StoreError, Tx},\n};",
        "use crate::{clock, desk};",
        "use super::super::store::Tx;",
        "use super::{clock, store};",
    ] {
        assert_eq!(impurities(planted).len(), 1, "{planted}");
    }
    for innocent in [
        "//! The store calls it, see [`crate::store`]; sqlx is not needed.",
        "let tokio_free = restore::crate_store;",
        "use crate::{mail::{desk, store}, clock};",
    ] {
        assert_eq!(impurities(innocent), Vec::<String>::new(), "{innocent}");
    }
    let mut wrong = Vec::new();
    for module in DOMAIN {
        let folder = root().join("core/src");
        let file = folder.join(module).with_extension("rs");
        assert!(file.is_file(), "{} is gone", file.display());
        let mut files = rust_files(&folder.join(module));
        files.push(file);
        for file in files {
            let found = impurities(&read(&file));
            wrong.extend(found.iter().map(|what| format!("{}: {what}", shown(&file))));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// All Rust files below `folder`, none where it does not exist.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let is_rust = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "rs");
    files(folder).into_iter().filter(is_rust).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut files: Vec<PathBuf> = paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect();
    files.sort();
    files
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root())
        .unwrap_or(file)
        .display()
        .to_string()
}

/// The sources of all members, without the unit tests that have files of their own.
fn production_files() -> Vec<PathBuf> {
    let members = fs::read_dir(root()).expect("the workspace can be read");
    let sources = members.map(|member| member.expect("an entry").path().join("src"));
    let is_test = |file: &PathBuf| {
        let mut parts = file.strip_prefix(root()).unwrap_or(file).iter().skip(2);
        parts.any(|part| part == "tests" || part == "tests.rs")
    };
    sources
        .flat_map(|source| rust_files(&source))
        .filter(|file| !is_test(file))
        .collect()
}

#[test]
fn files_are_short_and_named_after_their_module() {
    let is_too_long = |text: &str| text.lines().count() > LONGEST_FILE;
    assert!(is_too_long(&"\n".repeat(LONGEST_FILE + 1)));
    let files = production_files();
    for known in ["core/src/lib.rs", "ingest/src/lib.rs", "cli/src/main.rs"] {
        assert!(files.iter().any(|file| shown(file) == known), "{known}");
    }
    let long: Vec<_> = files.iter().filter(|f| is_too_long(&read(f))).collect();
    assert!(long.is_empty(), "over {LONGEST_FILE} lines: {long:?}");
    let tests = rust_files(&root().join("tests"));
    let everywhere = files.iter().chain(&tests);
    let nameless: Vec<_> = everywhere.filter(|f| f.ends_with("mod.rs")).collect();
    assert!(nameless.is_empty(), "foo.rs + foo/, please: {nameless:?}");
}

/// Whether this text, outside of its tests, embeds a file: `include_str!` and `include_bytes!` name
/// it, or name its folder in a `concat!` where the file's own name stands elsewhere in the text.
fn embeds(text: &str, file: &str) -> bool {
    let code = code(text);
    let production = code
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let is_listed = production.contains(&format!("\"{name}\""));
    ["include_str!(", "include_bytes!("]
        .iter()
        .flat_map(|macro_name| production.split(macro_name).skip(1))
        .filter_map(|rest| rest.split(')').next())
        .any(|named| {
            named.trim().ends_with(&format!("/{file}\""))
                || (is_listed && named.contains(&format!("/{folder}/\"")))
        })
}

#[test]
fn the_program_carries_all_of_its_configuration() {
    let example = "const A: &str = include_str!(\"../../config/a.toml\");\n\
                   include_bytes!(concat!(\"../../config/demo/\", $name))\n\
                   mails![\"1.eml\"]\n\
                   #[cfg(test)]\nmod tests { include_str!(\"../../config/b.toml\") }";
    assert!(embeds(example, "config/a.toml"));
    assert!(embeds(example, "config/demo/1.eml"));
    assert!(!embeds(example, "config/demo/2.eml"));
    assert!(!embeds(example, "config/b.toml"));
    let sources: Vec<String> = production_files().iter().map(|file| read(file)).collect();
    let files: Vec<String> = files(&root().join("config"))
        .iter()
        .map(|file| shown(file))
        .collect();
    assert!(!files.is_empty(), "config/ is empty");
    let is_embedded = |file: &&String| sources.iter().any(|source| embeds(source, file));
    let left_out: Vec<_> = files.iter().filter(|file| !is_embedded(file)).collect();
    assert!(left_out.is_empty(), "in no include_str!: {left_out:?}");
}
