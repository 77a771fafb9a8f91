//! What mails cost that are made to cost much, through the program, each in a process of its own on
//! a desk that is there.
//!
//! ```text
//! cargo build --release -p tierdesk && TIERDESK_BIN=target/release/tierdesk cargo bench -p tierdesk-tests --bench bombs
//! ```
//!
//! Prints the best of three tries: what else the machine does is not the mail's fault. Ends with 1
//! where a limit is broken.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{fs, process::ExitCode};

use tierdesk_tests::{
    Backend, Program, TestDesk,
    bombs::{self, MEMORY_MB, SECONDS},
};

const TRIES: usize = 3;

/// What the others stand beside.
static PLAIN: bombs::Bomb = ("an ordinary mail", || {
    b"From: john@acmefinance.com\r\nSubject: help\r\n\r\nIt does not work.\r\n".to_vec()
});

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    if runtime.block_on(run()) == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Returns how many broke a limit.
async fn run() -> usize {
    let customers = include_bytes!("../../config/customers.toml");
    let import = ["customer", "import", "-", "--format", "toml"];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("mail.eml");
    let mut broken = 0;
    println!("| mail | MB | seconds, at most {SECONDS} | memory MB, at most {MEMORY_MB} | |");
    println!("|---|---|---|---|---|");
    for bomb in [&PLAIN].into_iter().chain(bombs::all()) {
        let name = bomb.0;
        let (mut seconds, mut memory) = (f64::MAX, 0);
        let raw = bombs::made(bomb);
        fs::write(&file, &raw).expect("written");
        for _ in 0..TRIES {
            // On a desk of its own: a copy would cost less.
            let (url, _folder) = TestDesk::place(Backend::Sqlite).await;
            let program = Program::new(url);
            program.run_with(&import, customers).done();
            let (ended, cost) = program.run_measured(&["mail", "deliver"], &file);
            ended.done();
            seconds = seconds.min(cost.seconds);
            memory = memory.max(cost.memory_mb);
        }
        let is_broken = seconds > SECONDS || memory > MEMORY_MB;
        broken += usize::from(is_broken);
        let mark = if is_broken { "broken" } else { "" };
        println!(
            "| {name} | {} | {seconds:.2} | {memory} | {mark} |",
            raw.len().div_ceil(1 << 20)
        );
    }
    println!("\n{broken} of {} broke a limit", bombs::all().count());
    broken
}
