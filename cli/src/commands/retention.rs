//! How long things are kept, what keeps them, and removing them.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, IsTerminal as _, Write as _},
};

use tierdesk_core::{
    desk::{
        Desk,
        retention::{self, Due, DueReport, Erased, HeldThing, Redacted, Redaction, RetentionPlan},
    },
    permit::Actor,
    refusal::{Refusal, RefusalCode},
    tickets::TicketNumber,
};

use super::ticket_text;
use crate::{
    args::{EraseCommand, RetentionCommand},
    exit::Exit,
    output::{Output, local},
};

/// Tickets that a plan lists on a terminal; the rest is counted.
const SHOWN: usize = 20;

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    command: RetentionCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use RetentionCommand as C;
    match command {
        C::Plan => {
            let plan = retention::plan(desk, actor).await?;
            output.answer(&plan, |out| show_plan(out, &plan))
        }
        C::Run { yes } => remove(desk, actor, yes, output).await,
        C::Hold { what, reason } => {
            let what = match what.parse::<TicketNumber>() {
                Ok(number) => HeldThing::Ticket(number),
                Err(_) => HeldThing::Customer(what),
            };
            let set = retention::hold(desk, actor, what, &reason).await?;
            output.answer(&set, |out| {
                out.line(format!(
                    "Held. To lift it: tierdesk retention lift {} --reason …",
                    set.id
                ));
            })
        }
        C::Lift { id, reason } => {
            let lifted = retention::lift(desk, actor, id, &reason).await?;
            output.answer(&lifted, |out| out.line("Lifted."))
        }
        C::Holds => holds(desk, actor, output).await,
        C::Erase(command) => erase(desk, actor, command, output).await,
    }
}

fn show_plan(out: &Output, plan: &RetentionPlan) {
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for one in &plan.tickets {
        let tier = one
            .tier
            .as_ref()
            .map_or_else(|| "nobody's".to_owned(), ToString::to_string);
        let what = match (&one.held, one.what) {
            (Some(_), _) => "held",
            (None, Due::Ticket) => "all that was written",
            (None, Due::Raw) => "raw mails and attachments",
        };
        *counts.entry((tier, what)).or_default() += 1;
    }
    let rows = counts
        .into_iter()
        .map(|((tier, what), count)| vec![tier, what.to_owned(), count.to_string()]);
    out.table(&["tier", "due", "tickets"], rows.collect());
    for one in plan.tickets.iter().take(SHOWN) {
        out.line(format!("  {}", due_line(one)));
    }
    if plan.tickets.len() > SHOWN {
        out.line(format!("  and {} more", plan.tickets.len() - SHOWN));
    }
    out.line(format!(
        "{} audit entries are due to lose their values.",
        plan.audit_entries
    ));
    out.line("Nothing was changed. To remove it: tierdesk retention run");
}

fn due_line(one: &DueReport) -> String {
    let customer = one
        .customer
        .as_ref()
        .map_or_else(|| "nobody's".to_owned(), ToString::to_string);
    let what = match one.what {
        Due::Ticket => "all that was written",
        Due::Raw => "raw mails and attachments",
    };
    let held = one
        .held
        .as_ref()
        .map_or_else(String::new, |why| format!("; HELD: {why}"));
    format!(
        "{}  {customer}  since {}  {what}{held}",
        one.number,
        local(one.updated_at)
    )
}

async fn remove(desk: &Desk, actor: &Actor, yes: bool, output: &Output) -> anyhow::Result<Exit> {
    let plan = retention::plan(desk, actor).await?;
    let due = plan.tickets.iter().filter(|one| one.held.is_none()).count();
    let question = format!(
        "Remove what is due of {due} tickets and the values of {} audit entries for good?",
        plan.audit_entries
    );
    confirm(&question, yes)?;
    let mut done = 0;
    let run = retention::run(desk, actor, |one| {
        done += 1;
        if std::io::stderr().is_terminal() {
            output.note(format!("{done}/{due}  {}", one.number));
        }
    })
    .await?;
    output.answer(&run, |out| {
        out.line(format!(
            "{} tickets emptied, raw mail of {} removed, {} audit entries without values; {} contents, {} bytes gone; \
             {} held.",
            run.tickets, run.raw, run.audit_entries, run.contents, run.bytes, run.held
        ));
        out.line("Backups made before now still have it.");
    })
}

async fn holds(desk: &Desk, actor: &Actor, output: &Output) -> anyhow::Result<Exit> {
    let holds = retention::holds(desk, actor).await?;
    output.answer(&holds, |out| {
        let rows = holds.iter().map(|one| {
            let what = one.customer.as_ref().map(ToString::to_string);
            let what = what.or_else(|| one.ticket.map(|number| number.to_string()));
            vec![
                one.id.to_string(),
                what.unwrap_or_default(),
                local(one.set_at),
                one.set_by.clone(),
                one.lifted_at.map_or_else(|| "holds".to_owned(), local),
                one.reason.clone(),
            ]
        });
        out.table(
            &["hold", "on", "since", "by", "lifted", "reason"],
            rows.collect(),
        );
    })
}

async fn erase(
    desk: &Desk,
    actor: &Actor,
    command: EraseCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    let erased = match command {
        EraseCommand::Person {
            address,
            reason,
            yes,
        } => {
            confirm(&format!("Erase {address} for good?"), yes)?;
            retention::erase_person(desk, actor, &address, &reason).await?
        }
        EraseCommand::Customer { slug, reason, yes } => {
            confirm(
                &format!("Erase all that {slug} wrote and was written, for good?"),
                yes,
            )?;
            retention::erase_customer(desk, actor, &slug, &reason).await?
        }
    };
    output.answer(&erased, |out| show_erased(out, &erased))
}

fn show_erased(out: &Output, erased: &Erased) {
    out.line(format!(
        "{} messages on {} tickets emptied, {} contents ({} bytes) gone, {} audit entries without values.",
        erased.messages,
        erased.tickets.len(),
        erased.contents,
        erased.bytes,
        erased.audit_entries
    ));
    out.line(format!("In their place stands {}.", erased.instead));
    if !erased.named_in.is_empty() {
        let numbers: Vec<String> = erased.named_in.iter().map(ToString::to_string).collect();
        out.line(format!(
            "Others name the address in their texts on {}: look there, and redact what must go.",
            numbers.join(", ")
        ));
    }
    show_remaining(out, &erased.remaining);
}

fn show_remaining(out: &Output, remaining: &[String]) {
    out.line("Not reached from here:");
    for place in remaining {
        out.line(format!("  - {place}"));
    }
}

pub(super) async fn redact(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    what: Redaction,
    yes: bool,
    output: &Output,
) -> anyhow::Result<Exit> {
    confirm(&format!("Redact {number} for good?"), yes)?;
    let redacted = retention::redact(desk, actor, number, what).await?;
    output.answer(&redacted, |out| show_redacted(out, &redacted))
}

fn show_redacted(out: &Output, redacted: &Redacted) {
    ticket_text::head(out, &redacted.ticket);
    out.line(format!(
        "{} messages and {} attachments redacted, {} contents ({} bytes) gone.",
        redacted.messages, redacted.attachments, redacted.contents, redacted.bytes
    ));
    show_remaining(out, &redacted.remaining);
}

/// Asks before something is gone for good. Where nobody can be asked, `--yes` must say it.
pub(super) fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    let refused = |message: &str| Refusal::new(RefusalCode::Blocked, message.to_owned());
    if !std::io::stdin().is_terminal() {
        let refusal = refused("nobody could be asked; nothing was changed");
        return Err(refusal
            .with_hint("say --yes to do it without asking")
            .into());
    }
    let mut terminal = std::io::stderr();
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(refused("you did not agree; nothing was changed").into())
}
