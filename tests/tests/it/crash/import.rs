//! `mail import` under kill -9.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use tierdesk_core::store::{OpenOptions, messages};
use tierdesk_tests::{
    Backend, Program, TestDesk,
    corpus::{Corpus, Maildir},
    on_both,
};

/// Kills that must hit after a new commit and before the end.
const KILLS: usize = 50;
/// Mails in one unit of work: small, so that there are many commits to kill between.
const BATCH: &str = "5";
/// Mails to begin with; the corpus doubles until the kills fit in.
const MAILS: usize = 1_200;

fn maildir(mails: usize) -> Maildir {
    Maildir::new(Corpus {
        mails,
        customers: 7,
        words: 20,
        seed: 11,
    })
}

async fn fresh(backend: Backend, corpus: Corpus) -> (Program, impl Sized, String) {
    let (url, folder) = TestDesk::place(backend).await;
    let program = Program::new(url.clone());
    let customers = corpus.customers_toml();
    let import = ["customer", "import", "-", "--format", "toml"];
    program.run_with(&import, customers.as_bytes()).done();
    (program, folder, url)
}

/// What the database itself says: every message once, by fingerprint, and on how many tickets.
async fn counts(url: &str) -> i64 {
    let database = OpenOptions::new(url)
        .open()
        .await
        .expect("the database opens");
    let mut tx = database.begin_read().await.expect("it can be read");
    let count = messages::count(&mut tx)
        .await
        .expect("messages are counted");
    drop(tx);
    database.close().await;
    count
}

on_both! {
    kill_9_loses_and_doubles_nothing,
    every_named_point_of_an_import_may_be_the_last,
}

async fn kill_9_loses_and_doubles_nothing(backend: Backend) {
    let mut mails = MAILS;
    let (maildir, program, url, kills, _folder) = loop {
        let maildir = maildir(mails);
        let (program, folder, url) = fresh(backend, maildir.corpus).await;
        let kills = kill_repeatedly(&program, &url, &maildir).await;
        if kills >= KILLS {
            break (maildir, program, url, kills, folder);
        }
        println!("only {kills} kills fitted into {mails} mails; doubling the corpus");
        mails *= 2;
    };
    let path = maildir.path.to_str().expect("a UTF-8 path");
    let last = program
        .run(&["mail", "import", path, "--json"])
        .done()
        .json();
    println!(
        "{backend:?}: {kills} kills in {} mails, then {last}",
        maildir.corpus.mails
    );
    assert_eq!(last["read"], maildir.corpus.mails);
    assert_eq!(last["failed"], 0);
    let stored = usize::try_from(counts(&url).await).expect("a count");
    assert_eq!(stored, maildir.corpus.mails, "lost or doubled");

    let (undisturbed, _folder, _) = fresh(backend, maildir.corpus).await;
    undisturbed
        .run(&["mail", "import", path, "--batch", BATCH])
        .done();
    let (found, wanted) = (
        super::state(&program).await,
        super::state(&undisturbed).await,
    );
    assert_eq!(difference(&found, &wanted), Vec::<&String>::new());
    super::assert_settled(&program);
}

async fn every_named_point_of_an_import_may_be_the_last(backend: Backend) {
    let maildir = maildir(60);
    let path = maildir.path.to_str().expect("a UTF-8 path");
    let (undisturbed, _folder, _) = fresh(backend, maildir.corpus).await;
    undisturbed.run(&["mail", "import", path]).done();
    let wanted = super::state(&undisturbed).await;
    for point in [
        "receive.before_commit",
        "receive.committed",
        "import.batch_committed",
    ] {
        let (program, _folder, url) = fresh(backend, maildir.corpus).await;
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let cut = program
            .clone()
            .with("TIERDESK_FAULT", format!("{point}:2"))
            .with("TIERDESK_FAULT_LOG", log.path().to_string_lossy());
        let ended = cut.run(&["mail", "import", path, "--batch", BATCH]);
        assert_eq!(ended.code, None, "{point} did not end it: {ended:?}");
        let hits = fs::read_to_string(log.path()).expect("the log is there");
        let hit = hits.lines().filter(|line| line.starts_with(point)).count();
        println!("{backend:?} {point}: {hit} hits");
        assert_eq!(hit, 2, "{hits}");
        assert!(counts(&url).await < 60, "it was cut before the end");
        program
            .run(&["mail", "import", path, "--batch", BATCH])
            .done();
        assert_eq!(counts(&url).await, 60, "{point}");
        assert_eq!(
            difference(&super::state(&program).await, &wanted),
            Vec::<&String>::new()
        );
        super::assert_settled(&program);
    }
}

/// Starts the import and kills it as soon as it has committed something new, until it gets to the
/// end. Returns the kills that hit in between.
async fn kill_repeatedly(program: &Program, url: &str, maildir: &Maildir) -> usize {
    let path = maildir.path.to_str().expect("a UTF-8 path");
    let all = i64::try_from(maildir.corpus.mails).expect("a count");
    let database = OpenOptions::new(url)
        .open()
        .await
        .expect("the database opens");
    let count = async || {
        let mut tx = database.begin_read().await.expect("it can be read");
        messages::count(&mut tx)
            .await
            .expect("messages are counted")
    };
    let mut kills = 0;
    while kills < KILLS {
        let before = count().await;
        let mut child = program.start(&["mail", "import", path, "--batch", BATCH]);
        let deadline = Instant::now() + Duration::from_mins(1);
        let is_over = loop {
            if child.try_wait().expect("it can be asked").is_some() {
                break true;
            }
            if count().await > before {
                break false;
            }
            assert!(Instant::now() < deadline, "nothing is committed");
        };
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        let after = count().await;
        if is_over || after >= all {
            break;
        }
        assert!(after > before, "a kill that hit nothing new proves nothing");
        kills += 1;
    }
    database.close().await;
    kills
}

fn difference<'s>(
    found: &'s BTreeMap<String, usize>,
    wanted: &'s BTreeMap<String, usize>,
) -> Vec<&'s String> {
    let odd = |one: &'s BTreeMap<String, usize>, other: &'s BTreeMap<String, usize>| {
        one.iter()
            .filter(|(key, count)| other.get(*key) != Some(count))
            .map(|(key, _)| key)
    };
    odd(found, wanted).chain(odd(wanted, found)).collect()
}
