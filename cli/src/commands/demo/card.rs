//! A ticket's card as Discord would show it: made by the bot's own code from what may be shown.

use tierdesk_bot::card;
use tierdesk_core::{
    desk::{Desk, chat},
    disclosure::DisclosedTicket,
    tickets::TicketNumber,
};

use super::DEMO;
use crate::output::{Output, Tone, local};

pub(super) async fn tell(desk: &Desk, number: TicketNumber, out: &Output) -> anyhow::Result<()> {
    let ticket = chat::show_ticket(desk, &DEMO, number).await?;
    out.line("");
    out.line(out.paint(
        Tone::Strong,
        "The same as its card in Discord would show it",
    ));
    for line in frame(&lines(&ticket)) {
        out.line(format!("  {line}"));
    }
    Ok(())
}

/// The card's text. What is escaped for Discord is shown as Discord would.
fn lines(ticket: &DisclosedTicket) -> Vec<String> {
    let embed = card::embed(ticket);
    let mut lines = vec![unescape(&embed.title), String::new()];
    lines.extend(
        embed
            .description
            .lines()
            .map(|line| format!("{}…", unescape(line).chars().take(66).collect::<String>())),
    );
    for field in &embed.fields {
        let value = match (field.name, ticket.due) {
            ("Response due", Some(due)) => local(due),
            _ => unescape(&field.value),
        };
        lines.push(format!("{:13} {value}", field.name));
    }
    let buttons: Vec<String> = card::labels(ticket)
        .iter()
        .map(|label| format!("[ {label} ]"))
        .collect();
    lines.extend([String::new(), buttons.join(" ")]);
    lines
}

fn unescape(text: &str) -> String {
    text.replace(['\\', '\u{2060}'], "")
}

fn frame(lines: &[String]) -> Vec<String> {
    let width = lines
        .iter()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or_default();
    let rule = "─".repeat(width + 2);
    let body = lines.iter().map(|line| {
        let gap = " ".repeat(width - line.chars().count());
        format!("│ {line}{gap} │")
    });
    std::iter::once(format!("┌{rule}┐"))
        .chain(body)
        .chain([format!("└{rule}┘")])
        .collect()
}
