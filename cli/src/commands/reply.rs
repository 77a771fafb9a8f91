//! Answering customers from the terminal.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use serde::Serialize;
use tierdesk_core::{
    clock::Timestamp,
    desk::{
        Desk, macros,
        reply::{self, NewReply, Recipient, Replied, ReplyPlan, Then},
        tickets::{self, TicketDetail},
    },
    macros::Step,
    mail::{Attachment, AttachmentInfo},
    permit::Actor,
    refusal::Refusal,
    tickets::TicketNumber,
};

use super::{
    ticket::{edit, read_text},
    ticket_text,
};
use crate::{
    args::ThenWord,
    exit::Exit,
    output::{Output, local},
};

/// How an answer is sent.
pub(super) struct Options {
    pub(super) template: Option<Template>,
    pub(super) then: Option<ThenWord>,
    pub(super) until: Option<String>,
    pub(super) attach: Vec<PathBuf>,
    pub(super) now: bool,
    pub(super) with_secrets: bool,
}

/// A macro to begin with.
pub(super) struct Template {
    pub(super) name: String,
    pub(super) set: Vec<(String, String)>,
    pub(super) edit: bool,
}

/// What an answer did, as JSON: the ticket, and beside it who gets the answer and what is held.
#[derive(Serialize)]
struct Shown<'r> {
    #[serde(flatten)]
    detail: TicketDetail,
    reply: Leaving<'r>,
}

#[derive(Serialize)]
struct Leaving<'r> {
    recipients: &'r [Recipient],
    leave_at: Timestamp,
}

pub(super) async fn reply(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    file: Option<PathBuf>,
    options: Options,
    output: &Output,
) -> anyhow::Result<Exit> {
    // Looked up first: nobody should write an answer that cannot leave, or to whom they do not mean.
    let plan = reply::preview(desk, actor, number).await?;
    if std::io::stderr().is_terminal() {
        show_plan(output, &plan);
    }
    let filled = match &options.template {
        Some(template) => {
            let given = template.set.iter().cloned().collect();
            Some(macros::fill(desk, actor, number, &template.name, &given).await?)
        }
        None => None,
    };
    let by_macro = filled.as_ref().map(|filled| match filled.then {
        Step::Waiting => ThenWord::Waiting,
        Step::Open => ThenWord::Open,
        Step::Resolve => ThenWord::Resolve,
    });
    let then = match options.then.or(by_macro).unwrap_or(ThenWord::Waiting) {
        ThenWord::Open => Then::Open,
        ThenWord::Waiting => Then::Waiting,
        ThenWord::Resolve => Then::Resolve,
        ThenWord::Snooze => {
            let until = options.until.as_deref().unwrap_or_default();
            Then::Snooze(moment(until, desk.database.clock().read())?)
        }
    };
    let text = match (&filled, &options.template) {
        (Some(filled), Some(Template { edit: true, .. })) => edit(&filled.text)?,
        (Some(filled), _) => filled.text.clone(),
        (None, _) => read_text(file, true)?.unwrap_or_default(),
    };
    let attachments = options.attach.iter().map(|path| attachment(path));
    let new = NewReply {
        attachments: attachments.collect::<anyhow::Result<_>>()?,
        text,
        then,
        tags: filled.map(|filled| filled.tags).unwrap_or_default(),
        is_at_once: options.now,
        may_hold_secrets: options.with_secrets,
    };
    let replied = reply::reply(desk, actor, number, new).await?;
    if output.is_json {
        let shown = Shown {
            detail: tickets::show(desk, actor, number).await?,
            reply: Leaving {
                recipients: &replied.recipients,
                leave_at: replied.leave_at,
            },
        };
        return output.answer(&shown, |_| {});
    }
    show_replied(output, &replied, options.now);
    Ok(Exit::Done)
}

/// Lists macros, or shows one as it would read.
pub(super) async fn macros(
    desk: &Desk,
    actor: &Actor,
    number: Option<TicketNumber>,
    show: Option<String>,
    set: Vec<(String, String)>,
    output: &Output,
) -> anyhow::Result<Exit> {
    if let (Some(number), Some(name)) = (number, show) {
        let given = set.into_iter().collect();
        let filled = macros::fill(desk, actor, number, &name, &given).await?;
        return output.answer(&filled, |out| out.line(&filled.text));
    }
    let found = macros::list(desk, actor, number).await?;
    output.answer(&found, |out| {
        let rows = found.iter().map(|one| {
            let asks: Vec<String> = one
                .variables
                .iter()
                .map(|(name, default)| match default.as_str() {
                    "" => format!("{name}!"),
                    _ => name.clone(),
                })
                .collect();
            vec![one.name.clone(), one.title.clone(), asks.join(" ")]
        });
        out.table(&["macro", "for", "asks for"], rows.collect());
    })
}

pub(super) async fn undo(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    output: &Output,
) -> anyhow::Result<Exit> {
    let undone = reply::undo(desk, actor, number).await?;
    output.note(if undone.is_restored {
        format!(
            "Taken back; {number} is {} again. This was the text:",
            undone.ticket.status
        )
    } else {
        format!(
            "Taken back; {number} was changed meanwhile and stays {}. This was the text:",
            undone.ticket.status
        )
    });
    output.answer(&undone, |out| out.line(&undone.text))
}

fn list(recipients: &[Recipient], is_to: bool) -> String {
    let named = recipients.iter().filter(|one| one.is_to == is_to);
    named
        .map(|one| one.address.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn show_plan(output: &Output, plan: &ReplyPlan) {
    output.note(format!("{}  {}", plan.number, plan.subject));
    output.note(format!("  from  {}", plan.from));
    output.note(format!("  to    {}", list(&plan.recipients, true)));
    let copies = list(&plan.recipients, false);
    if !copies.is_empty() {
        output.note(format!("  copy  {copies}"));
    }
    if !plan.quotes {
        output.note("  nothing that was said before is quoted");
    }
    for one in &plan.recipients {
        if let Some(reason) = &one.held {
            output.note(format!("  HELD  {}: {reason}", one.address));
        }
    }
}

fn show_replied(output: &Output, replied: &Replied, is_at_once: bool) {
    ticket_text::head(output, &replied.ticket);
    let number = replied.ticket.number;
    let going: Vec<&str> = replied
        .recipients
        .iter()
        .filter(|one| one.held.is_none())
        .map(|one| one.address.as_str())
        .collect();
    if !going.is_empty() {
        output.line(format!("To {}.", going.join(", ")));
    }
    for one in &replied.recipients {
        if let Some(reason) = &one.held {
            output.line(format!("Held back, {}: {reason}.", one.address));
        }
    }
    if !going.is_empty() && !is_at_once {
        output.line(format!(
            "It leaves at {}. To take it back: tierdesk ticket undo {number}",
            local(replied.leave_at)
        ));
    }
}

pub(super) fn attachment(path: &Path) -> anyhow::Result<Attachment> {
    let content =
        std::fs::read(path).with_context(|| format!("{} could not be read", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Attachment {
        info: AttachmentInfo {
            name: name.into_owned(),
            content_type: "application/octet-stream".to_owned(),
            size: content.len() as u64,
            inline: false,
        },
        content,
    })
}

/// A day (its first instant, UTC), an instant, or a span from now.
pub(super) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    let wrong = || {
        Refusal::invalid(format!("{text:?} is no time"))
            .with_hint("write 2026-12-01, 2026-12-01T09:00Z, or a span like 30m, 4h or 3d")
    };
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let text = text.trim();
    let at = if let Some(days) = text.strip_suffix('d') {
        now.plus(Duration::from_hours(24 * number(days)?.min(3_650)))
    } else if let Some(hours) = text.strip_suffix('h') {
        now.plus(Duration::from_hours(number(hours)?.min(87_600)))
    } else if let Some(minutes) = text.strip_suffix('m') {
        now.plus(Duration::from_mins(number(minutes)?.min(5_256_000)))
    } else {
        Timestamp::parse_moment(text).ok_or_else(wrong)?
    };
    if at <= now {
        return Err(Refusal::invalid(format!("{text} is past")));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_days_instants_and_spans() {
        let now = Timestamp::from_seconds(1_795_860_000);
        let read = |text: &str| moment(text, now).map(|at| at.to_string());
        assert_eq!(
            read("2d").unwrap(),
            now.plus(Duration::from_hours(48)).to_string()
        );
        assert_eq!(read("2027-01-02").unwrap(), "2027-01-02T00:00:00Z");
        assert_eq!(read("2027-01-02T09:30Z").unwrap(), "2027-01-02T09:30:00Z");
        for wrong in ["", "tomorrow", "d", "-3d", "2020-01-01", "0d"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
