//! `/oncall`: who is on call, which pages are open, and taking one.

use tierdesk_core::{
    clock::Timestamp,
    desk::{
        Error,
        chat::{self, OpenPage},
        oncall::{self, TierDuty},
        paging::{self, Which},
    },
    refusal::Refusal,
};

use super::{Answer, Asked};
use crate::{card::moment, escape};

/// Lines that a list shows.
const LINES: usize = 20;

pub(super) async fn run(verb: &str, asked: &Asked<'_>) -> Result<Answer, Error> {
    let (desk, actor) = (&asked.bot.desk, asked.actor);
    match verb {
        "now" => {
            let rows = oncall::now(desk, actor, None).await?;
            let lines: Vec<String> = rows.iter().map(duty).collect();
            Ok(Answer::say(lines.join("\n")))
        }
        "pages" => {
            let limit = i64::try_from(LINES).unwrap_or_default() + 1;
            let open = chat::list_pages(desk, actor, limit).await?;
            if open.is_empty() {
                return Ok(Answer::say("No page is open."));
            }
            let mut lines: Vec<String> = open.iter().take(LINES).map(page).collect();
            if open.len() > LINES {
                lines.push("…and more: `tierdesk oncall page list` shows all.".to_owned());
            }
            Ok(Answer::say(lines.join("\n")))
        }
        "ack" => {
            // Before it is said whether there is such a ticket.
            chat::may_use(desk, actor).await?;
            let number = asked.ticket().await?;
            let taken = paging::acknowledge(desk, actor, &Which::Ticket(number), "chat").await?;
            Ok(Answer::say(if taken.was_taken_by.is_some() {
                format!("Somebody had {number} already; that counts as an update.")
            } else {
                format!("You have {number}. Nobody further is called for now.")
            }))
        }
        other => Err(Refusal::not_found("command", format!("oncall {other}")).into()),
    }
}

fn duty(row: &TierDuty) -> String {
    let name = |name: &String| escape::line(name, 30);
    let mut people = vec![name(&row.primary)];
    people.extend(row.secondary.as_ref().map(name));
    let mut words = vec![format!("**{}**", row.tier), people.join(", then ")];
    // A rota that never changes ends nowhere.
    if row.until < Timestamp::MAX {
        words.push(format!("until {}", moment(row.until)));
    }
    words.push(escape::line(row.source.as_str(), 20));
    let line = words.join(" · ");
    if row.unproven.is_empty() {
        return line;
    }
    let names: Vec<String> = row.unproven.iter().map(name).collect();
    let names = names.join(", ");
    format!("{line}\n⚠ cannot be woken, no channel that wakes was proven: {names}")
}

fn page(page: &OpenPage) -> String {
    let number = page.ticket.map_or_else(
        || "a page without a ticket".to_owned(),
        |number| number.to_string(),
    );
    let mut words = vec![format!("**{number}**")];
    if page.tickets > 1 {
        words.push(format!("and {} more", page.tickets - 1));
    }
    words.push(page.severity.to_string());
    words.extend(page.customer.as_ref().map(|name| escape::line(name, 30)));
    words.push(page.state.to_string());
    words.extend(
        page.by
            .as_ref()
            .map(|by| format!("by {}", escape::line(by, 30))),
    );
    words.extend(page.next_at.map(|at| format!("next {}", moment(at))));
    words.join(" · ")
}
