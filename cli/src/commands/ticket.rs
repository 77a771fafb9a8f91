//! Working tickets.

use std::{
    io::{IsTerminal as _, Read as _},
    path::PathBuf,
    process::Command,
};

use anyhow::Context as _;
use tierdesk_core::{
    desk::{
        Desk, customers,
        paging::Which,
        retention::Redaction,
        tickets::{self, TicketReport},
        work_ticket::{self, BindOptions, NewTicketByHand},
    },
    permit::Actor,
    refusal::{Refusal, RefusalCode},
    store::tickets::Filter,
    tickets::{Status, TicketNumber},
};

use super::{attachments, bulk, export, reply, retention, search, ticket_text};
use crate::{
    args::{AnswerCommand, ListTickets, LookCommand, RecordCommand, TicketCommand, WorkCommand},
    exit::Exit,
    output::{Output, local},
};

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    command: TicketCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    match command {
        TicketCommand::Look(command) => look(desk, actor, command, output).await,
        TicketCommand::Answer(command) => answer(desk, actor, command, output).await,
        TicketCommand::Bulk(command) => bulk::run(desk, actor, command, output).await,
        TicketCommand::Record(RecordCommand::Export(given)) => {
            export::run(desk, actor, given, output).await
        }
        TicketCommand::Record(RecordCommand::Redact(given)) => {
            let what = Redaction {
                all: given.all,
                messages: given.message,
                attachments: given.attachment,
                subject: given.subject,
                reason: given.reason,
            };
            retention::redact(desk, actor, given.number, what, given.yes, output).await
        }
        TicketCommand::Work(command) => {
            let changed = work(desk, actor, command).await?;
            show_changed(desk, actor, changed, output).await
        }
    }
}

async fn look(
    desk: &Desk,
    actor: &Actor,
    command: LookCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use LookCommand as C;
    match command {
        C::List(filter) => {
            let found = tickets::list(desk, actor, &filter_of(filter)).await?;
            output.answer(&found, |out| ticket_text::list(out, &found))
        }
        C::Show { number } => {
            let detail = tickets::show(desk, actor, number).await?;
            output.answer(&detail, |out| ticket_text::detail(out, &detail))
        }
        C::Next => next(desk, actor, output).await,
        C::Search(asked) => search::run(desk, actor, asked, output).await,
        C::Attachments {
            number,
            save,
            save_all,
            to,
        } => {
            let wanted = attachments::Wanted { save, save_all, to };
            attachments::run(desk, actor, number, wanted, output).await
        }
        C::Macros { number, show, set } => {
            reply::macros(desk, actor, number, show, set, output).await
        }
        C::History { number } => history(desk, actor, number, output).await,
    }
}

async fn answer(
    desk: &Desk,
    actor: &Actor,
    command: AnswerCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use AnswerCommand as C;
    match command {
        C::Reply {
            number,
            file,
            template,
            set,
            edit,
            then,
            until,
            attach,
            now,
            with_secrets,
        } => {
            let options = reply::Options {
                template: template.map(|name| reply::Template { name, set, edit }),
                then,
                until,
                attach,
                now,
                with_secrets,
            };
            reply::reply(desk, actor, number, file, options, output).await
        }
        C::Participants {
            number,
            add,
            remove,
        } => {
            if let Some(address) = add {
                work_ticket::add_participant(desk, actor, number, address, None).await?;
            }
            if let Some(address) = remove {
                work_ticket::remove_participant(desk, actor, number, &address).await?;
            }
            let detail = tickets::show(desk, actor, number).await?;
            let listed = &detail.ticket.participants;
            output.answer(listed, |out| listed.iter().for_each(|one| out.line(one)))
        }
        C::Ack { number } => super::paging::ack(desk, actor, &Which::Ticket(number), output).await,
        C::Undo { number } => reply::undo(desk, actor, number, output).await,
    }
}

async fn work(desk: &Desk, actor: &Actor, command: WorkCommand) -> anyhow::Result<TicketReport> {
    use WorkCommand as C;
    Ok(match command {
        C::Open {
            customer,
            subject,
            from,
            severity,
            file,
        } => {
            // Looked up first: nobody should write a note for a customer that is not there.
            customers::show(desk, actor, &customer).await?;
            let text = read_text(file, false)?;
            let new = NewTicketByHand {
                customer,
                requester: from,
                subject,
                severity,
                text,
            };
            work_ticket::open(desk, actor, new).await?
        }
        C::Status { number, status } => {
            work_ticket::set_status(desk, actor, number, status).await?
        }
        C::Assign { number, who } => work_ticket::assign(desk, actor, number, &who).await?,
        C::Snooze { number, until } => {
            let until = reply::moment(&until, desk.database.clock().read())?;
            work_ticket::snooze(desk, actor, number, until).await?
        }
        C::Merge { number, other } => work_ticket::merge(desk, actor, number, other).await?,
        C::Split {
            number,
            message,
            subject,
        } => work_ticket::split(desk, actor, number, &message, subject).await?,
        C::Link { number, other } => work_ticket::link(desk, actor, number, other).await?,
        C::Tag {
            number,
            tags,
            remove,
        } => work_ticket::tag(desk, actor, number, &tags, &remove).await?,
        C::Severity { number, severity } => {
            work_ticket::set_severity(desk, actor, number, severity).await?
        }
        C::Note {
            number,
            file,
            attach,
        } => {
            // Looked up first: nobody should write a note for a ticket that is not there.
            tickets::exists(desk, actor, number).await?;
            let attachments = attach.iter().map(|path| reply::attachment(path));
            let attachments: Vec<_> = attachments.collect::<anyhow::Result<_>>()?;
            let asks = attachments.is_empty();
            let text = if asks || file.is_some() {
                read_text(file, true)?.unwrap_or_default()
            } else {
                String::new()
            };
            work_ticket::note_with(desk, actor, number, &text, &attachments).await?
        }
        C::Close { number, reason } => work_ticket::close(desk, actor, number, reason).await?,
        C::Dismiss { number } => work_ticket::dismiss(desk, actor, number).await?,
        C::Reopen { number } => work_ticket::reopen(desk, actor, number).await?,
        C::Bind {
            number,
            customer,
            add_contact,
            add_domain,
        } => {
            let options = BindOptions {
                adds_contact: add_contact,
                adds_domain: add_domain,
            };
            work_ticket::bind(desk, actor, number, &customer, options).await?
        }
        C::Spam { number } => work_ticket::mark_spam(desk, actor, number).await?,
    })
}

/// JSON answers with the whole ticket, as `ticket show` does; people see its line.
async fn show_changed(
    desk: &Desk,
    actor: &Actor,
    changed: TicketReport,
    output: &Output,
) -> anyhow::Result<Exit> {
    if output.is_json {
        let detail = tickets::show(desk, actor, changed.number).await?;
        return output.answer(&detail, |_| {});
    }
    ticket_text::head(output, &changed);
    Ok(Exit::Done)
}

async fn history(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    output: &Output,
) -> anyhow::Result<Exit> {
    let events = tickets::history(desk, actor, number).await?;
    output.answer(&events, |out| {
        for event in &events {
            let detail = ticket_text::particulars(&event.detail);
            out.line(format!(
                "{}  {:9} {}  {detail}",
                local(event.at),
                event.kind,
                event.actor
            ));
        }
    })
}

async fn next(desk: &Desk, actor: &Actor, output: &Output) -> anyhow::Result<Exit> {
    let Some(next) = tickets::next(desk, actor).await? else {
        return output.answer(&serde_json::Value::Null, |out| {
            out.line("Nothing waits for you.");
        });
    };
    let detail = tickets::show(desk, actor, next.number).await?;
    output.answer(&detail, |out| {
        ticket_text::detail(out, &detail);
        out.line("");
        out.line(format!(
            "To take it: tierdesk ticket assign {}",
            next.number
        ));
    })
}

fn filter_of(list: ListTickets) -> Filter {
    let mut filter = Filter::default();
    if list.all {
        filter.statuses = Status::ALL.to_vec();
    } else if !list.status.is_empty() {
        filter.statuses = list.status;
    }
    filter.tier = list.tier.map(|tier| tier.to_string());
    filter.customer = list.customer;
    filter.assignee = list.assignee;
    filter.is_triage = list.triage;
    filter.limit = list.limit.max(0);
    filter
}

/// Text from a file, from standard input when that is no terminal, else from $EDITOR.
pub(super) fn read_text(file: Option<PathBuf>, asks: bool) -> anyhow::Result<Option<String>> {
    if let Some(file) = file {
        let text = std::fs::read(&file)
            .with_context(|| format!("{} could not be read", file.display()))?;
        return Ok(Some(String::from_utf8_lossy(&text).into_owned()));
    }
    if !std::io::stdin().is_terminal() {
        let mut text = Vec::new();
        std::io::stdin()
            .read_to_end(&mut text)
            .context("standard input could not be read")?;
        return Ok(Some(String::from_utf8_lossy(&text).into_owned()));
    }
    if asks { edit("").map(Some) } else { Ok(None) }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user's editor is no setting of the desk"
)]
pub(super) fn edit(text: &str) -> anyhow::Result<String> {
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    let editor = editor
        .filter(|editor| !editor.trim().is_empty())
        .ok_or_else(|| {
            Refusal::new(
                RefusalCode::Empty,
                "there is no text: no --file, no input, no $EDITOR",
            )
            .with_hint("for example: echo 'called back' | tierdesk ticket note SB-12")
        })?;
    let file = tempfile::Builder::new()
        .prefix("tierdesk-")
        .suffix(".txt")
        .tempfile()?;
    std::fs::write(file.path(), text)?;
    // Through the shell, because $EDITOR may hold arguments: "code --wait".
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(file.path())
        .status()
        .with_context(|| format!("{editor} could not be started"))?;
    if !status.success() {
        return Err(
            Refusal::new(RefusalCode::Empty, "the editor gave up; nothing was stored").into(),
        );
    }
    Ok(std::fs::read_to_string(file.path())?)
}
