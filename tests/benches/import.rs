//! How fast is `mail import`, beside the two things it cannot be faster than: parsing the same
//! mails, and the database's own set-wise inserts of the same rows.
//!
//! `cargo bench -p tierdesk-tests --bench import` with a PostgreSQL server as `tests/run` starts
//! it; docs/performance.md says how to read the figures. One round measures all three in turn, so
//! that a noisy machine disturbs them alike; the medians of five rounds are compared.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "import/copy.rs"]
mod copy;

use std::{path::Path, process::Command, thread, time::Instant};

use tierdesk_core::{
    customers::exchange::{Format, read},
    desk::{Desk, import_customers},
    mail::Envelope,
    store::OpenOptions,
};
use tierdesk_ingest::{import, parse, sources::Source};
use tierdesk_tests::{
    Backend, TestDesk,
    corpus::{Corpus, Maildir},
    drop_databases, owner,
};

const ROUNDS: usize = 5;

/// 20 KB a mail on average.
fn corpus(mails: usize) -> Corpus {
    Corpus {
        mails,
        customers: 50,
        words: 1_300,
        seed: 5,
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    match words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["import", url, path] => runtime.block_on(import_here(url, path)),
        ["copy", from, to] => println!("{}", runtime.block_on(copy::copy(from, to))),
        rest => {
            let mails = rest
                .first()
                .and_then(|count| count.parse().ok())
                .unwrap_or(4_000);
            runtime.block_on(compare(mails));
        }
    }
}

/// Measures everything and prints a table.
async fn compare(mails: usize) {
    let maildir = Maildir::new(corpus(mails));
    let mean = maildir.bytes / mails as u64;
    println!("{mails} mails of {mean} bytes mean, {ROUNDS} rounds, medians\n");
    println!(
        "| database | parsing alone /s | own inserts /s | import /s | of the slower limit | RSS MiB |"
    );
    println!("|---|---|---|---|---|---|");
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (mut parsing, mut inserts, mut imports, mut memory) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            parsing.push(parse_all(&maildir.path, mails));
            let (source, _kept) = prepared(backend, maildir.corpus).await;
            let line = child(&["import", &source, &maildir.path.to_string_lossy()]);
            let (seconds, rss) = line.split_once(' ').expect("two figures");
            imports.push(rate(mails, seconds.parse().expect("seconds")));
            memory.push(rss.parse::<f64>().expect("MiB"));
            let (target, _kept) = TestDesk::place(backend).await;
            let seconds = child(&["copy", &source, &target]);
            inserts.push(rate(mails, seconds.parse().expect("seconds")));
            drop_databases().await;
        }
        let (parsing, inserts, imports) = (median(parsing), median(inserts), median(imports));
        let ratio = imports / parsing.min(inserts);
        println!(
            "| {backend:?} | {parsing:.0} | {inserts:.0} | {imports:.0} | {ratio:.2} | {:.0} |",
            median(memory)
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn rate(mails: usize, seconds: f64) -> f64 {
    mails as f64 / seconds
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// This program again, so that memory and caches are its own. Returns its last line.
fn child(arguments: &[&str]) -> String {
    let program = std::env::current_exe().expect("a program knows where it is");
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    text.lines().last().unwrap_or_default().to_owned()
}

/// Reads and parses every mail, on every core, and keeps nothing.
fn parse_all(path: &Path, mails: usize) -> f64 {
    let started = Instant::now();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let done: usize = thread::scope(|scope| {
        let part = |core: usize| {
            move || {
                let source = Source::open(path).expect("the Maildir is there");
                source
                    .mails()
                    .enumerate()
                    .filter(|(number, _)| number % cores == core)
                    .map(|(_, mail)| {
                        let mail = mail.expect("the mail is read");
                        std::hint::black_box(parse::parse(&mail.bytes, &Envelope::default()));
                    })
                    .count()
            }
        };
        let parts: Vec<_> = (0..cores).map(|core| scope.spawn(part(core))).collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("parsing does not panic"))
            .sum()
    });
    assert_eq!(done, mails);
    rate(mails, started.elapsed().as_secs_f64())
}

/// A database with the customers of the corpus.
async fn prepared(backend: Backend, corpus: Corpus) -> (String, impl Sized) {
    let (url, kept) = TestDesk::place(backend).await;
    let desk = Desk::new(
        OpenOptions::new(url.clone())
            .open()
            .await
            .expect("it opens"),
    );
    let records = read(Format::Toml, &corpus.customers_toml()).expect("the customers are sound");
    import_customers::import(&desk, &owner(), records, false)
        .await
        .expect("they are imported");
    desk.database.close().await;
    (url, kept)
}

/// Imports and prints seconds and the peak of resident memory in MiB.
async fn import_here(url: &str, path: &str) {
    let desk = Desk::new(OpenOptions::new(url).open().await.expect("it opens"));
    let source = Source::open(path).expect("the Maildir is there");
    let (options, stop) = (
        import::ImportOptions::default(),
        tokio_util::sync::CancellationToken::new(),
    );
    let report = import::import(&desk, &owner(), vec![source], options, stop, |_| ()).await;
    let report = report.map_err(|(error, _)| error).expect("the import runs");
    assert_eq!(report.failed, 0, "{report:?}");
    desk.database.close().await;
    println!("{} {}", report.seconds, peak_memory());
}

/// VmHWM of this process in MiB.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .expect("it says VmHWM");
    let kilobytes = line
        .split_whitespace()
        .nth(1)
        .and_then(|text| text.parse::<f64>().ok());
    kilobytes.expect("a figure") / 1_024.0
}
