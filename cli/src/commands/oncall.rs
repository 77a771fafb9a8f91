//! Who is on call.

mod change;
mod text;

use std::path::Path;

use anyhow::Context as _;
use tierdesk_core::{
    desk::{
        Desk,
        oncall::{self, Place},
        watchdog,
    },
    permit::Actor,
    refusal::Refusal,
};

use crate::{
    args::oncall::{OncallCommand, ScheduleCommand},
    exit::Exit,
    output::Output,
};

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    command: OncallCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use OncallCommand as C;
    match command {
        C::Now { at } => {
            let rows = oncall::now(desk, actor, at.as_deref()).await?;
            output.answer(&rows, |out| text::now(out, &rows))
        }
        C::Preview {
            place,
            weeks,
            from,
            to,
            replay,
        } => {
            if let Some(span) = replay {
                let replay = oncall::replay(desk, actor, &place.place(), span).await?;
                return output.answer(&replay, |out| text::replay(out, &replay));
            }
            let span = (from.as_deref(), to.as_deref());
            let preview = oncall::preview(desk, actor, &place.place(), span, weeks).await?;
            output.answer(&preview.segments, |out| text::preview(out, &preview))
        }
        C::Schedule(command) => schedule(desk, actor, command, output).await,
        C::Override(command) => change::overrides(desk, actor, command, output).await,
        C::Swap(command) => change::swaps(desk, actor, command, output).await,
        C::Absence(command) => change::absences(desk, actor, command, output).await,
        C::Temporary(command) => change::temporaries(desk, actor, command, output).await,
        C::Paging(command) => super::paging::run(desk, actor, command, output).await,
        C::Watchdog => {
            let found = watchdog::report(desk, actor).await?;
            output.answer(&found, |out| text::watchdog(out, &found))
        }
        C::Calendar(command) => change::calendars(desk, actor, command, output).await,
    }
}

async fn schedule(
    desk: &Desk,
    actor: &Actor,
    command: ScheduleCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use ScheduleCommand as C;
    match command {
        C::List => {
            let found = oncall::list_schedules(desk, actor).await?;
            output.answer(&found, |out| text::schedules(out, &found))
        }
        C::Show { slug } => {
            let found = oncall::show_schedule(desk, actor, &slug).await?;
            output.answer(&found, |out| {
                text::schedules(out, std::slice::from_ref(&found));
            })
        }
        C::Set { file, dry_run } => {
            let written = read(&file)?;
            let origin = file.display().to_string();
            let written = oncall::set_schedules(desk, actor, &written, &origin, dry_run).await?;
            output.answer(&written, |out| text::written(out, &written))
        }
        C::Export => {
            let text = oncall::export(desk, actor).await?;
            if output.is_json {
                let found = oncall::list_schedules(desk, actor).await?;
                output.json(&found)?;
            } else {
                output.line(text.trim_end());
            }
            Ok(Exit::Done)
        }
        C::Remove { slug } => {
            oncall::remove_schedule(desk, actor, &slug).await?;
            let removed = serde_json::json!({ "removed": slug });
            output.answer(&removed, |out| {
                out.line(format!("Schedule {slug} is removed, with its overrides."));
            })
        }
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} could not be read", file.display()))
}

/// What must be given where clap cannot say so.
fn need(place: Option<Place>) -> Result<Place, Refusal> {
    place.ok_or_else(|| {
        Refusal::invalid("it does not say of which schedule")
            .with_hint("add --tier TIER or --schedule NAME")
    })
}
