//! Looking for tickets by words.

use std::{io::IsTerminal as _, sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{
        Desk,
        search::{Request, Results, TicketHit, fill, search},
    },
    permit::{Actor, SystemRole},
    search::{Query, excerpt::Excerpt},
    telemetry,
};
use tokio_util::sync::CancellationToken;

use super::ticket_text;
use crate::{
    args::SearchTickets,
    exit::Exit,
    output::{Output, Tone},
};

/// How long the filling of the index waits after a fault.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    asked: SearchTickets,
    output: &Output,
) -> anyhow::Result<Exit> {
    let words: Vec<_> = asked
        .words
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let request = Request {
        query: Query::parse(&words.join(" "))?,
        sort: asked.sort,
        limit: asked.limit,
    };
    let found = search(desk, actor, request).await?;
    if !found.is_complete {
        output.note("The index is still being made: older tickets may be missing. To finish it: tierdesk db migrate");
    }
    output.answer(&found.tickets, |out| show(out, &found))
}

fn show(out: &Output, found: &Results) {
    for hit in &found.tickets {
        ticket_text::head(out, &hit.ticket);
        if let Some(excerpt) = &hit.excerpt {
            out.line(format!("    {}", marked(out, excerpt)));
        }
    }
    out.line(summary(found, &found.tickets));
}

fn summary(found: &Results, shown: &[TicketHit]) -> String {
    let (total, shown) = (found.total, shown.len());
    let least = if found.is_cut { "at least " } else { "" };
    match total {
        0 => "No tickets.".to_owned(),
        _ if total > shown => format!("{shown} of {least}{total} tickets; more with --limit."),
        1 => format!("{least}1 ticket."),
        _ => format!("{least}{total} tickets."),
    }
}

/// The hits stand out by weight on a terminal. In a pipe the text is as it was written.
fn marked(out: &Output, excerpt: &Excerpt) -> String {
    let mut line = String::with_capacity(excerpt.text.len() + 32);
    let mut at = 0;
    for hit in &excerpt.hits {
        line.push_str(&excerpt.text[at..hit.start]);
        line.push_str(&out.paint(Tone::Strong, &excerpt.text[hit.clone()]));
        at = hit.end;
    }
    line.push_str(&excerpt.text[at..]);
    line
}

/// Brings the index in step after a migration, with a sign of life on a terminal.
pub(super) async fn fill_index(desk: &Desk) -> anyhow::Result<usize> {
    let bar = if std::io::stderr().is_terminal() {
        indicatif::ProgressBar::new_spinner()
    } else {
        indicatif::ProgressBar::hidden()
    };
    let worker = Actor::System(SystemRole::Worker);
    let progress = |done| bar.set_message(format!("{done} tickets indexed for search"));
    let done = fill(desk, &worker, progress).await?;
    bar.finish_and_clear();
    Ok(done)
}

/// The same beside the other parts of `serve`, where a migration was cut off.
pub(super) async fn serve(
    desk: Arc<Desk>,
    stop: CancellationToken,
) -> (&'static str, Option<String>) {
    let worker = Actor::System(SystemRole::Worker);
    loop {
        let filled = tokio::select! {
            () = stop.cancelled() => break,
            filled = fill(&desk, &worker, |_| ()) => filled,
        };
        match filled {
            Ok(_) => stop.cancelled().await,
            Err(error) => {
                tracing::warn!(error = %telemetry::chain(&error), "the index of words was not filled");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(AGAIN_AFTER) => {}
                }
            }
        }
    }
    ("index of words", None)
}
