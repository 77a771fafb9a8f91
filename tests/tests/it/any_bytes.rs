//! Any bytes in, a ticket or a recorded message out: random bytes, and mails that were cut off,
//! changed and sewn together, through the whole desk. Then the fuzz targets' checks over their seeds
//! and over what once broke them.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use tierdesk_core::{
    ids::BlobId,
    mail::Envelope,
    receive::{Outcome, Road},
    store::blobs,
};
use tierdesk_ingest::process::deliver;
use tierdesk_tests::{
    Backend, TestDesk, checks,
    corpus::{Corpus, Random},
    on_both,
};

on_both! {
    any_bytes_become_a_ticket_or_are_recorded,
}

const CASES: usize = 400;

/// What the desk calls a mail that it could store only as bytes.
const BARE: &str = "(a mail that could not be read)";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are a member of the workspace")
}

/// The files in a folder, in order of their names; none where there is no folder.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), fs::read(path).expect("it can be read"));
    paths.into_iter().map(read).collect()
}

/// Mails as people and programs send them.
fn real_mails() -> Vec<Vec<u8>> {
    let corpus = Corpus {
        mails: 30,
        customers: 5,
        words: 60,
        seed: 11,
    };
    let folders = ["config/demo", "fuzz/corpus/parser"].map(|folder| files(&root().join(folder)));
    let kept = folders.into_iter().flatten().map(|(_, raw)| raw);
    corpus.letters().chain(kept).collect()
}

/// One case: never empty, for there is nothing to keep of nothing.
fn bytes(number: usize, mails: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut raw = mails[random.below(mails.len())].clone();
    match number % 5 {
        0 => {
            let length = 1 + random.below(4_000);
            raw = (0..length)
                .map(|_| random.number().to_le_bytes()[3])
                .collect();
        }
        1 => raw.truncate(1 + random.below(raw.len())),
        2 => {
            for _ in 0..=random.below(40) {
                let at = random.below(raw.len());
                raw[at] = random.number().to_le_bytes()[3];
            }
        }
        3 => {
            let other = &mails[random.below(mails.len())];
            raw.truncate(1 + random.below(raw.len()));
            raw.extend_from_slice(&other[random.below(other.len())..]);
        }
        _ => {
            let from = random.below(raw.len());
            let to = from + random.below(raw.len() - from);
            raw.drain(from..to);
            let at = random.below(raw.len());
            let marks: [&[u8]; 6] = [
                b"\0",
                b"\r",
                b"\n\n",
                b"\xff\xfe",
                b"--b\r\n",
                b"\xe2\x80\xae",
            ];
            let mark = marks[random.below(marks.len())];
            raw.splice(at..at, mark.iter().copied());
        }
    }
    raw
}

async fn any_bytes_become_a_ticket_or_are_recorded(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let control = format!("From: a@b.example\r\nSubject: {BARE}\r\n\r\nx\r\n").into_bytes();
    let (mails, mut random) = (real_mails(), Random::new(2_026));
    let mut cases = vec![control];
    cases.extend((0..CASES).map(|number| bytes(number, &mails, &mut random)));
    let (mut outcomes, mut wrong) = (BTreeMap::<&str, usize>::new(), Vec::new());
    let mut kept = Vec::new();
    for raw in &cases {
        match deliver(&test.desk, Road::Deliver, Envelope::default(), raw).await {
            Ok(receipt) => {
                *outcomes.entry(receipt.outcome.as_str()).or_default() += 1;
                if receipt.outcome != Outcome::Duplicate {
                    kept.push(raw);
                }
            }
            Err(error) => {
                wrong.push((error.to_string(), String::from_utf8_lossy(raw).into_owned()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let rows: Vec<(Option<BlobId>,)> = test.look("SELECT blob_id FROM inbox").await;
    assert_eq!(rows.len(), cases.len(), "an arrival each");
    let copies = "SELECT COUNT(*) FROM inbox WHERE blob_id IS NULL AND outcome = 'duplicate' AND message_id IS NOT NULL";
    let copies = usize::try_from(test.number(copies).await).expect("a number");
    assert_eq!(copies + kept.len(), cases.len(), "a copy is of a message");
    let mut stored = HashSet::new();
    let mut tx = test.desk.database.begin_read().await.expect("it reads");
    for id in rows.into_iter().filter_map(|(id,)| id) {
        stored.insert(blobs::open(&mut tx, id).await.expect("it opens"));
    }
    drop(tx);
    let whole = kept.iter().filter(|raw| stored.contains(**raw)).count();
    println!(
        "{} of {} taken: {outcomes:?}; {whole} of {} kept byte by byte",
        cases.len() - wrong.len(),
        cases.len(),
        kept.len()
    );
    assert_eq!(whole, kept.len());
    assert!(
        !stored.contains(&b"never delivered"[..]),
        "positive control"
    );
    assert!(kept.len() > CASES * 9 / 10, "too many are copies");
    // The control alone: nothing else was stored without being read.
    let bare = format!("SELECT COUNT(*) FROM tickets WHERE subject = '{BARE}'");
    assert_eq!(test.number(&bare).await, 1);
    assert_eq!(
        test.number("SELECT COUNT(*) FROM inbox WHERE state = 'waiting'")
            .await,
        0
    );
}

type Check = fn(&[u8]);

/// Every fuzz target by its name.
const TARGETS: &[(&str, Check)] = &[
    ("addresses", checks::addresses),
    ("authentication_results", checks::authentication_results),
    ("html_text", checks::html_text),
    ("parser", checks::parser),
    ("reply_text", checks::reply_text),
    ("smtp_session", checks::smtp_session),
    ("tnef", checks::tnef),
];

/// The inputs that break a check.
fn broken_by(check: Check, inputs: &[(PathBuf, Vec<u8>)]) -> Vec<&Path> {
    let breaks = |(_, raw): &&(PathBuf, Vec<u8>)| catch_unwind(|| check(raw)).is_err();
    let broken = inputs.iter().filter(breaks);
    broken.map(|(path, _)| path.as_path()).collect()
}

#[test]
fn seeds_and_kept_crashers_hold() {
    let sources = files(&root().join("fuzz/fuzz_targets"));
    let mut names: Vec<String> = sources
        .iter()
        .map(|(path, _)| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.retain(|name| name != "planted");
    let known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "TARGETS names every fuzz target");
    let mut all = 0;
    for (name, check) in TARGETS {
        let seeds = files(&root().join("fuzz/corpus").join(name));
        let crashers = files(&root().join("fuzz/crashers").join(name));
        assert!(seeds.len() >= 5, "{name} has {} seeds", seeds.len());
        println!(
            "{name}: {} seeds, {} kept crashers",
            seeds.len(),
            crashers.len()
        );
        for inputs in [&seeds, &crashers] {
            assert_eq!(broken_by(*check, inputs), Vec::<&Path>::new(), "{name}");
            all += inputs.len();
        }
    }
    let seeds = files(&root().join("fuzz/corpus/parser"));
    let planted: Check = |raw| assert!(!raw.starts_with(b"\x89PNG"), "the planted fault");
    let found = broken_by(planted, &seeds);
    assert_eq!(found.len(), 1, "positive control: {found:?}");
    println!(
        "{all} inputs hold; a planted fault was found by {}",
        found[0].display()
    );
}
