//! The support desk of SecureBase in one program: every desk command in the terminal.
//!
//! This crate parses arguments, opens the desk, calls a use case and prints what it answers. To
//! add a command: its arguments in `args`, a function in `commands`, a line in `run`.

mod args;
mod commands;
mod exit;
mod http;
mod mail_out;
mod output;
mod program;
mod webhooks;

use clap::Parser as _;

use args::{Args, Command, MailCommand};
use exit::Exit;
use output::Output;

fn main() -> std::process::ExitCode {
    let words = args::arranged(std::env::args_os().collect());
    let args = match Args::try_parse_from(&words) {
        Ok(args) => args,
        Err(error) => return usage(&error, &words).into(),
    };
    let output = Output::new(args.global.json);
    let is_delivery = matches!(&args.command, Command::Mail(MailCommand::Deliver { .. }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) if is_delivery => {
            // A mail server reads the exit code: whatever breaks, it must keep the mail.
            let run =
                std::panic::AssertUnwindSafe(|| runtime.block_on(commands::run(args, &output)));
            std::panic::catch_unwind(run).unwrap_or(Ok(Exit::TryAgain))
        }
        Ok(runtime) => {
            let result = runtime.block_on(commands::run(args, &output));
            // Parsing that is still going on is done again; nobody waits for it now.
            runtime.shutdown_timeout(std::time::Duration::from_millis(200));
            result
        }
        Err(error) => Err(error.into()),
    };
    let exit = match result {
        Ok(exit) => exit,
        Err(error) => output.failure(&error),
    };
    let exit = match exit {
        Exit::Done if !output.is_complete() && !is_delivery => {
            output.note("tierdesk: standard output could not be written; the answer is incomplete");
            Exit::Failed
        }
        other => other,
    };
    if is_delivery {
        exit.for_delivery().into()
    } else {
        exit.into()
    }
}

/// Bad usage: clap's words, and for `mail deliver` the code that makes a mail server keep the mail.
fn usage(error: &clap::Error, words: &[std::ffi::OsString]) -> Exit {
    // Nothing can be said when even standard error is closed.
    let _ = error.print();
    let mut rest = words.iter().skip_while(|word| *word != "mail");
    let is_delivery = rest.any(|word| word == "deliver");
    match error.exit_code() {
        0 => Exit::Done,
        _ if is_delivery => Exit::TryAgain,
        _ => Exit::Usage,
    }
}
