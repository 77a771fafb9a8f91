//! A ticket as a file. The file is made for this and its owner only; one that is there stays as it is.

mod html;
mod mbox;

use std::{
    fs,
    io::{self, BufWriter, IsTerminal as _, Write},
    path::Path,
};

use anyhow::Context as _;
use serde::Serialize;
use tierdesk_core::{
    desk::{
        Desk,
        export::{self, Attached},
    },
    permit::Actor,
    refusal::Refusal,
    tickets::TicketNumber,
};

use crate::{
    args::{ExportFormat, ExportTicket},
    exit::Exit,
    output::Output,
};

/// What was written, where it went into a file.
#[derive(Serialize)]
struct Exported<'f> {
    number: TicketNumber,
    file: &'f Path,
    messages: usize,
    attachments: usize,
    removed: usize,
}

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    asked: ExportTicket,
    output: &Output,
) -> anyhow::Result<Exit> {
    check(&asked, output)?;
    let Some(path) = &asked.out else {
        write(desk, actor, &asked, io::stdout()).await?;
        return Ok(Exit::Done);
    };
    let mut options = fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Before anything is read: a name that is taken costs no entry in the trail.
    let file = options.write(true).create_new(true).open(path);
    let file = file.with_context(|| format!("{} could not be made", path.display()))?;
    let written = write(desk, actor, &asked, &file).await;
    let (messages, attachments, removed) = match written {
        Ok(counts) => counts,
        Err(error) => {
            // Half a ticket would look like a whole one.
            let _ = fs::remove_file(path);
            return Err(error);
        }
    };
    file.sync_all()
        .with_context(|| format!("{} could not be written", path.display()))?;
    let exported = Exported {
        number: asked.number,
        file: path,
        messages,
        attachments,
        removed,
    };
    output.answer(&exported, |out| {
        out.line(format!(
            "{}: {messages} messages, {attachments} attachments of {}.",
            path.display(),
            asked.number
        ));
        if removed > 0 {
            out.line(format!("{removed} were removed before and are not in it."));
        }
        if asked.format == ExportFormat::Mbox {
            out.line("It holds secrets that are masked elsewhere: keep it as you keep those.");
        }
    })
}

fn check(asked: &ExportTicket, output: &Output) -> Result<(), Refusal> {
    let invalid = |message: &str, hint: &str| Err(Refusal::invalid(message).with_hint(hint));
    match asked.format {
        ExportFormat::Mbox | ExportFormat::Html if asked.attachments => invalid(
            "--attachments is for JSON; nothing was taken out",
            "an mbox holds what is attached, and so does HTML up to its limit",
        ),
        ExportFormat::Json | ExportFormat::Mbox if asked.without_notes => invalid(
            "--without-notes is for HTML; nothing was taken out",
            "an mbox has no notes; JSON is for programs and has all",
        ),
        ExportFormat::Mbox | ExportFormat::Html
            if asked.out.is_none() && (output.is_json || io::stdout().is_terminal()) =>
        {
            invalid(
                "a mail or a page is not for a terminal, and no JSON; nothing was taken out",
                "say where it goes: --out FILE",
            )
        }
        _ => Ok(()),
    }
}

/// Writes it; answers how many messages, attachments and removed mails there were.
async fn write(
    desk: &Desk,
    actor: &Actor,
    asked: &ExportTicket,
    to: impl Write + Send,
) -> anyhow::Result<(usize, usize, usize)> {
    let mut to = BufWriter::new(to);
    let number = asked.number;
    let counts = match asked.format {
        ExportFormat::Json => {
            let attached = if asked.attachments {
                Attached::All
            } else {
                Attached::Listed
            };
            let found = export::ticket(desk, actor, number, "json", attached).await?;
            serde_json::to_writer_pretty(&mut to, &found)?;
            writeln!(to)?;
            let kept = found.attachments.iter().filter(|one| one.content.is_some());
            (found.ticket.messages.len(), kept.count(), 0)
        }
        ExportFormat::Html => {
            let attached = Attached::UpTo(html::MOST_ATTACHED);
            let found = export::ticket(desk, actor, number, "html", attached).await?;
            to.write_all(html::page(&found, !asked.without_notes).as_bytes())?;
            let kept = found.attachments.iter().filter(|one| one.content.is_some());
            (found.ticket.messages.len(), kept.count(), 0)
        }
        ExportFormat::Mbox => {
            let write = |mail| mbox::write(&mut to, &mail);
            let done = export::mails(desk, actor, number, write).await??;
            (done.mails, 0, done.removed)
        }
    };
    to.flush()?;
    Ok(counts)
}
