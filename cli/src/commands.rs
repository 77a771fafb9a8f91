//! The commands: each calls one use case and prints what it answers.

mod attachments;
mod audit;
mod bulk;
mod customer;
mod db;
mod demo;
mod discord;
mod doctor;
mod export;
mod init;
mod jobs;
mod mail;
mod mailboxes;
mod onboard;
mod oncall;
mod outbox;
mod paging;
mod reply;
mod retention;
mod search;
mod serve;
mod sources;
mod staff;
mod suggest;
mod ticket;
mod ticket_text;

use tierdesk_core::{desk::Desk, permit::Actor};

use crate::{
    args::{Args, AuditCommand, Command, MailCommand},
    exit::Exit,
    output::Output,
    program::Program,
};

/// Runs a command.
pub(crate) async fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let Args { global, command } = args;
    let global = global.without_empty();
    match command {
        Command::Demo { keep } => return demo::run(&global, keep, output).await,
        Command::Mail(MailCommand::Parse) => return mail::parse(output),
        _ => {}
    }
    if let Command::Audit(AuditCommand::Verify {
        file: Some(file),
        anchors,
    }) = &command
    {
        return audit::verify_file(file, anchors.as_deref(), output);
    }
    if let Command::Init = command {
        return init::run(&global, output).await;
    }
    let program = Program::load(&global)?;
    if let Command::Db(command) = command {
        return db::run(&program, command, output).await;
    }
    if let Command::Doctor = command {
        return doctor::run(&program, output).await;
    }
    let desk = program.open().await?;
    // After opening: without a configuration the owner of the database is who counts.
    let actor = program.actor();
    let result = run_at_desk(&program, &desk, &actor, command, output).await;
    finish(&desk).await;
    result
}

async fn run_at_desk(
    program: &Program,
    desk: &Desk,
    actor: &Actor,
    command: Command,
    output: &Output,
) -> anyhow::Result<Exit> {
    match command {
        Command::Mail(command) => mail::run(program, desk, actor, command, output).await,
        Command::Customer(command) => customer::run(desk, actor, command, output).await,
        Command::Ticket(command) => ticket::run(desk, actor, command, output).await,
        Command::Staff(command) => staff::run(program, desk, actor, command, output).await,
        Command::Onboard(command) => onboard::run(program, desk, actor, command, output).await,
        Command::Oncall(command) => oncall::run(desk, actor, command, output).await,
        Command::Jobs(command) => jobs::run(desk, actor, command, output).await,
        Command::Retention(command) => retention::run(desk, actor, command, output).await,
        Command::Audit(command) => audit::run(desk, actor, command, output).await,
        Command::Serve { role } => serve::run(program, desk, &role, output).await,
        Command::Discord(command) => discord::run(program, desk, actor, command, output).await,
        Command::Demo { .. } | Command::Init | Command::Doctor | Command::Db(_) => Ok(Exit::Done),
    }
}

/// Seals what the command committed, and closes the database. What cannot be sealed now is sealed
/// by the next command, and is no reason to call this one failed.
async fn finish(desk: &Desk) {
    if let Err(error) = tierdesk_core::desk::audit::seal_once(desk, &holder()).await {
        tracing::warn!(error = %tierdesk_core::telemetry::chain(&error), "the audit trail was not sealed");
    }
    desk.database.close().await;
}

/// This process, in leases.
fn holder() -> String {
    format!("cli-{}", std::process::id())
}
