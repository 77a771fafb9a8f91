//! Mails made to cost time or memory, through the program itself, each in a process of its own.
//!
//! Memory is held to its limit here. Time is only printed, because this is no release build and has
//! other tests beside it: the benchmark `bombs` holds that.

use std::{collections::BTreeMap, fs, process::Stdio};

use tierdesk_tests::{
    Backend, Letter,
    bombs::{self, Bomb, MEMORY_MB},
    cost::measured,
};

use super::with_customers;

/// What may become of a mail that nobody has sent before.
const KEPT: [&str; 4] = ["opened", "appended", "recorded", "triaged"];

async fn deliver(name: &str, all: &[Bomb]) {
    let (program, _folder) = with_customers(Backend::Sqlite).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("mail.eml");
    let (mut kept, mut wrong) = (BTreeMap::<String, usize>::new(), Vec::new());
    println!("{name}: MB of {MEMORY_MB}, seconds, MB of mail");
    for bomb in all {
        let (what, raw) = (bomb.0, bombs::made(bomb));
        fs::write(&file, &raw).expect("written");
        let (ended, cost) = program.run_measured(&["mail", "deliver", "--json"], &file);
        println!(
            "{:5} {:7.2} {:5} {what}",
            cost.memory_mb,
            cost.seconds,
            raw.len() >> 20
        );
        if ended.code != Some(0) {
            wrong.push(format!("{what}: {ended:?}"));
            continue;
        }
        let outcome = ended.json()["outcome"].as_str().unwrap_or("?").to_owned();
        if !KEPT.contains(&&*outcome) {
            wrong.push(format!("{what}: {outcome}"));
        }
        if cost.memory_mb > MEMORY_MB {
            wrong.push(format!("{what}: {} MB", cost.memory_mb));
        }
        *kept.entry(outcome).or_default() += 1;
    }
    println!(
        "{name}: {} mails, {kept:?}, {} wrong",
        all.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn parts_in_parts_cost_little() {
    deliver("structure", bombs::STRUCTURE).await;
}

#[tokio::test]
async fn headers_cost_little() {
    deliver("headers", bombs::HEADERS).await;
}

#[tokio::test]
async fn texts_cost_little() {
    deliver("bodies", bombs::BODIES).await;
}

#[tokio::test]
async fn pages_cost_little() {
    deliver("HTML", bombs::HTML).await;
}

#[test]
fn a_long_text_does_not_grow_with_its_secrets() {
    let read = |times: usize| {
        let body = "password=hunter2! ".repeat(times);
        let mail = Letter::new("a@b.example", "x").body(&body).prepared().mail;
        assert!(!mail.text.contains("hunter2") && mail.text == mail.reply_text);
        (
            mail.text.len(),
            body.len(),
            mail.truncated,
            mail.findings.len(),
        )
    };
    let (masked, sent, is_cut, findings) = read(10);
    assert!(masked > sent && !is_cut && findings == 1, "a short one may");
    let (masked, sent, is_cut, findings) = read(100_000);
    assert!(
        masked <= sent && is_cut && findings == 2,
        "{masked} of {sent}"
    );
}

#[test]
fn a_process_that_takes_300_mb_is_seen() {
    let take = |size: &str| {
        let mut command = std::process::Command::new("dd");
        command.args([
            "if=/dev/zero",
            "of=/dev/null",
            "count=4",
            &format!("bs={size}"),
        ]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        measured(&mut command).1.memory_mb
    };
    let (much, little) = (take("300M"), take("10M"));
    println!("blocks of 300 MB: {much} MB, of 10 MB: {little} MB, the limit {MEMORY_MB} MB");
    assert!((300..330).contains(&much) && little < 30, "{much} {little}");
    assert!(much > MEMORY_MB);
}

#[test]
fn every_bomb_is_another_mail() {
    let mut seen = BTreeMap::new();
    for bomb in bombs::all() {
        let (name, raw) = (bomb.0, bombs::made(bomb));
        let begins = raw[..raw.len().min(4_096)].to_vec();
        assert!(raw.len() < 30 << 20, "{name} is {} bytes long", raw.len());
        if let Some(other) = seen.insert((raw.len(), begins), name) {
            panic!("{name} and {other} are the same");
        }
    }
    println!("{} bombs", seen.len());
    assert!(seen.len() >= 30);
}
