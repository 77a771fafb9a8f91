//! The server in Discord.

use std::sync::Arc;

use anyhow::Context as _;
use tierdesk_bot::{Bot, setup::SetupError};
use tierdesk_core::{
    desk::{Desk, staff},
    permit::Actor,
    refusal::{Refusal, RefusalCode},
};

use crate::{args::DiscordCommand, exit::Exit, output::Output, program::Program};

pub(super) async fn run(
    program: &Program,
    desk: &Desk,
    actor: &Actor,
    command: DiscordCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    let DiscordCommand::Setup { dry_run } = command;
    staff::may_change(desk, actor).await?;
    let bot = Bot::new(Arc::new(desk.clone()), &program.settings.discord)?;
    let report = match bot.set_up(dry_run).await {
        Ok(report) => report,
        Err(SetupError::Open(message) | SetupError::Missing(message)) => {
            return Err(Refusal::new(RefusalCode::Configuration, message).into());
        }
        Err(error) => {
            return Err(error).context(
                "the server could not be set up; what was made stays, and repeating goes on",
            );
        }
    };
    output.answer(&report, |out| {
        for step in &report.steps {
            out.line(format!("{:7} {}", step.verdict, step.what));
        }
        out.line("");
        if dry_run {
            out.line(
                "Nothing was made or changed. Without --dry-run it is, and the ids are known:",
            );
        } else {
            out.line("This belongs into the configuration:");
        }
        out.line("");
        out.line(report.configuration.trim_end());
        out.line("");
        out.line(
            "With [discord.roles] set, staff must hold these roles in Discord as well as in \
             `tierdesk staff list`. Leave that section out to do without.",
        );
    })
}
