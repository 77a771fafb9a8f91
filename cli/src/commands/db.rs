//! The database's schema.

use tierdesk_core::desk::Desk;

use crate::{args::DbCommand, exit::Exit, output::Output, program::Program};

pub(super) async fn run(
    program: &Program,
    command: DbCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    let DbCommand::Migrate = command;
    let mut options = program.open_options()?;
    options.migrate_empty = false;
    let database = options.open().await?;
    let (before, after) = database.migrate().await?;
    let desk = Desk::new(database);
    let indexed = super::search::fill_index(&desk).await?;
    desk.database.close().await;
    let answer = serde_json::json!({ "before": before, "after": after, "indexed": indexed });
    output.answer(&answer, |out| {
        out.line(if before == after {
            format!("The schema is up to date (version {after}).")
        } else {
            format!("The schema went from version {before} to {after}.")
        });
        if indexed > 0 {
            out.line(format!("{indexed} tickets were indexed for search."));
        }
    })
}
