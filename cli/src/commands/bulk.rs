//! One verb for many tickets: shown, asked, done.

use std::fmt::Write as _;

use serde_json::json;
use tierdesk_core::{
    desk::{
        Desk,
        bulk::{self, BulkOutcome, BulkResult, Preview, Verb, Which},
    },
    permit::Actor,
    search::Query,
};

use super::{reply, retention};
use crate::{
    args::{BulkCommand, BulkTickets},
    exit::Exit,
    output::Output,
};

/// Tickets that a preview lists; the rest is counted.
const SHOWN: usize = 20;

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    command: BulkCommand,
    output: &Output,
) -> anyhow::Result<Exit> {
    use BulkCommand as C;
    let (verb, name, given) = match command {
        C::Close { reason, tickets } => (Verb::Close(reason), format!("Close ({reason})"), tickets),
        C::Spam { tickets } => (Verb::Spam, "Set aside as spam".to_owned(), tickets),
        C::Tag {
            add,
            remove,
            tickets,
        } => {
            let plus = add.iter().map(|tag| format!(" +{tag}"));
            let minus = remove.iter().map(|tag| format!(" -{tag}"));
            let name = format!("Tag{}", plus.chain(minus).collect::<String>());
            (Verb::Tag(add, remove), name, tickets)
        }
        C::Assign { to, tickets } => {
            let name = format!("Assign to {to}");
            (Verb::Assign(to), name, tickets)
        }
        C::Severity { severity, tickets } => {
            let name = format!("Make {severity}");
            (Verb::Severity(severity), name, tickets)
        }
        C::Status { status, tickets } => (Verb::Status(status), format!("Make {status}"), tickets),
        C::Snooze { until, tickets } => {
            let until = reply::moment(&until, desk.database.clock().read())?;
            (
                Verb::Snooze(until),
                format!("Have sleep until {until}"),
                tickets,
            )
        }
    };
    work(desk, actor, &verb, &name, given, output).await
}

async fn work(
    desk: &Desk,
    actor: &Actor,
    verb: &Verb,
    name: &str,
    given: BulkTickets,
    output: &Output,
) -> anyhow::Result<Exit> {
    let which = match given.query {
        Some(query) => Which::Where(Query::parse(&query)?),
        None => Which::Numbers(given.numbers),
    };
    let preview = bulk::preview(desk, actor, which, given.limit).await?;
    let shown = &preview.tickets;
    if shown.is_empty() {
        return output.answer(&json!([]), |out| out.line("No tickets."));
    }
    if given.dry_run {
        let planned = shown.iter().map(
            |one| json!({ "number": one.ticket.number, "outcome": "planned", "message": null }),
        );
        return output.answer(&planned.collect::<Vec<_>>(), |out| {
            out.line(listed(&preview));
            out.line("Nothing was changed.");
        });
    }
    // Beside the answer: a script that says --yes reads only what became of them.
    output.note(listed(&preview));
    retention::confirm(&format!("{name}: {} tickets?", shown.len()), given.yes)?;
    let results = bulk::run(desk, actor, verb, shown).await;
    output.answer(&results, |out| tell(out, &results))?;
    let is_wrong =
        |one: &BulkResult| matches!(one.outcome, BulkOutcome::Refused | BulkOutcome::Failed);
    Ok(if results.iter().any(is_wrong) {
        Exit::Failed
    } else {
        Exit::Done
    })
}

fn listed(preview: &Preview) -> String {
    let mut text = String::new();
    for one in preview.tickets.iter().take(SHOWN) {
        let ticket = &one.ticket;
        let customer = ticket.customer.as_ref().map(ToString::to_string);
        let customer = customer.unwrap_or_else(|| "(triage)".to_owned());
        let subject = ticket.subject.replace(['\n', '\t'], " ");
        let _ = writeln!(
            text,
            "{}  {}  {customer}  {subject}",
            ticket.number, ticket.status
        );
    }
    let count = preview.tickets.len();
    if count > SHOWN {
        let _ = writeln!(text, "and {} more", count - SHOWN);
    }
    let _ = write!(text, "{count} tickets");
    if preview.total > count {
        let _ = write!(text, " of {}: run it again for the rest", preview.total);
    }
    text
}

fn tell(out: &Output, results: &[BulkResult]) {
    for one in results {
        let why = one
            .message
            .as_ref()
            .map_or_else(String::new, |why| format!(": {why}"));
        out.line(format!("{}  {}{why}", one.number, one.outcome));
    }
    let count = |outcome| results.iter().filter(|one| one.outcome == outcome).count();
    out.line(format!(
        "{} done, {} unchanged, {} refused.",
        count(BulkOutcome::Done),
        count(BulkOutcome::Unchanged),
        count(BulkOutcome::Refused) + count(BulkOutcome::Failed)
    ));
}
