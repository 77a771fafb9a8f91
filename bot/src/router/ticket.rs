//! `/ticket`, and what the buttons of a card lead to.

use tierdesk_core::{
    chat::Verb,
    desk::{Error, chat, work_ticket},
    disclosure::DisclosedTicket,
    permit::Actor,
    refusal::{Refusal, RefusalCode},
    store::tickets::Filter,
    tickets::{CloseReason, TicketNumber},
};

use super::{Answer, Asked, CHOICES, Choice};
use crate::{
    Bot,
    card::{self, PREFIX},
    commands, escape,
    message::{Message, limit, menu},
};

/// Lines that a list shows.
const LINES: i64 = 20;

pub(super) async fn run(verb: &str, asked: &Asked<'_>) -> Result<Answer, Error> {
    let (desk, actor) = (&asked.bot.desk, asked.actor);
    if verb == "list" {
        return list(asked).await;
    }
    let number = asked.ticket().await?;
    match verb {
        "show" => {
            let shown = chat::show_ticket(desk, actor, number).await?;
            return Ok(Answer::Message(
                Message::text("").embed(card::embed(&shown)),
            ));
        }
        "take" => work_ticket::assign(desk, actor, number, "me").await?,
        "status" => {
            let status = asked.needed("status")?;
            let status = status.parse().map_err(|_| unknown(status))?;
            work_ticket::set_status(desk, actor, number, status).await?
        }
        "note" => {
            let Some(text) = asked.option("text") else {
                let form = chat::ask_note(desk, actor, number).await?;
                return Ok(ask(Verb::WriteNote, &form, number));
            };
            chat::may_take_text(desk, actor, number).await?;
            work_ticket::note(desk, actor, number, text).await?
        }
        "close" => {
            let reason = asked.option("reason").unwrap_or("done");
            let reason: CloseReason = reason.parse().map_err(|_| unknown(reason))?;
            work_ticket::close(desk, actor, number, reason).await?
        }
        "bind" => {
            let words = asked.needed("customer")?;
            return bind(asked, number, words).await;
        }
        other => return Err(Refusal::not_found("command", format!("ticket {other}")).into()),
    };
    let shown = chat::show_ticket(desk, actor, number).await?;
    Ok(changed(verb, &shown))
}

async fn bind(asked: &Asked<'_>, number: TicketNumber, words: &str) -> Result<Answer, Error> {
    let (desk, actor) = (&asked.bot.desk, asked.actor);
    chat::bind_ticket(desk, actor, number, words).await?;
    let shown = chat::show_ticket(desk, actor, number).await?;
    Ok(changed("bind", &shown))
}

fn unknown(word: &str) -> Refusal {
    Refusal::new(RefusalCode::Empty, format!("{word} is none of the choices"))
}

async fn list(asked: &Asked<'_>) -> Result<Answer, Error> {
    let mut filter = Filter {
        tier: asked.option("tier").map(str::to_owned),
        limit: LINES + 1,
        ..Filter::default()
    };
    let whose = asked.option("whose").unwrap_or_default();
    filter.is_triage = whose == "triage";
    let found = if whose == "mine" {
        chat::list_my_tickets(&asked.bot.desk, asked.actor, filter).await?
    } else {
        chat::list_tickets(&asked.bot.desk, asked.actor, &filter).await?
    };
    if found.is_empty() {
        return Ok(Answer::say("Nothing is open there."));
    }
    let mut lines: Vec<String> = found.iter().take(20).map(line).collect();
    if found.len() > lines.len() {
        lines.push("…and more: `tierdesk ticket list` shows all.".to_owned());
    }
    Ok(Answer::say(lines.join("\n")))
}

fn line(ticket: &DisclosedTicket) -> String {
    let mut words = vec![
        format!("**{}**", ticket.number),
        ticket.severity.to_string(),
        ticket.status.to_string(),
    ];
    words.extend(ticket.tier.as_ref().map(ToString::to_string));
    words.extend(ticket.customer.as_ref().map(|name| escape::line(name, 30)));
    words.extend(ticket.assignee.as_ref().map(|name| escape::line(name, 20)));
    if let Some(due) = ticket.due {
        let seconds = due.micros().div_euclid(1_000_000);
        words.push(format!("due <t:{seconds}:R>"));
    }
    words.join(" · ")
}

/// Tickets that what was typed so far may mean.
pub(super) async fn choices(bot: &Bot, actor: &Actor, so_far: &str) -> Result<Vec<Choice>, Error> {
    let wanted = so_far.trim().to_lowercase();
    let filter = Filter {
        limit: 100,
        ..Filter::default()
    };
    let found = chat::list_tickets(&bot.desk, actor, &filter).await?;
    let name = |ticket: &DisclosedTicket| {
        format!(
            "{} · {} · {}",
            card::title(ticket),
            ticket.severity,
            ticket.status
        )
    };
    // A number is found however far down the queue it stands, or out of it.
    let named = match wanted.parse::<TicketNumber>() {
        Ok(number) => chat::show_ticket(&bot.desk, actor, number).await.ok(),
        Err(_) => None,
    };
    let number = named.as_ref().map(|ticket| ticket.number);
    let others = found.iter().filter(|ticket| {
        Some(ticket.number) != number && name(ticket).to_lowercase().contains(&wanted)
    });
    Ok(named
        .iter()
        .chain(others)
        .take(CHOICES)
        .map(|ticket| Choice {
            name: escape::plain(&name(ticket), limit::NAME),
            value: ticket.number.to_string(),
        })
        .collect())
}

/// What a command did.
fn changed(verb: &str, ticket: &DisclosedTicket) -> Answer {
    let number = ticket.number;
    Answer::say(match verb {
        "take" => format!(
            "{number} is yours. Undo: give it to somebody with `tierdesk ticket assign {number}`."
        ),
        "status" => format!("{number} is {} now.", ticket.status),
        "note" => format!("Your note is on {number}. Customers do not see it."),
        "close" => format!("{number} is closed. Undo: `tierdesk ticket reopen {number}`."),
        _ => {
            let whose = ticket.customer.as_ref().map_or_else(
                || "nobody's".to_owned(),
                |name| format!("{}'s", escape::line(name, 60)),
            );
            format!("{number} is {whose} now; its card moves to their tier's channel.")
        }
    })
}

/// What a button, menu or form did.
pub(super) fn done(verb: Verb, ticket: &DisclosedTicket) -> Answer {
    let number = ticket.number;
    match verb {
        Verb::Take => changed("take", ticket),
        Verb::SetSeverity => Answer::say(format!("{number} is {} now.", ticket.severity)),
        Verb::WriteNote => changed("note", ticket),
        Verb::Close => changed("close", ticket),
        Verb::AskSeverity
        | Verb::AskNote
        | Verb::AskClose
        | Verb::AskReply
        | Verb::ShowReply
        | Verb::SendReply
        | Verb::UndoReply => Answer::say("Done."),
    }
}

/// The menu or form that has to be used first.
pub(super) fn ask(verb: Verb, handle: &str, number: TicketNumber) -> Answer {
    let custom_id = format!("{PREFIX}{handle}");
    let offer = |text: String, placeholder: &str, options: &[(&str, &str)]| {
        Answer::Message(Message::text(text).row(&[menu(&custom_id, placeholder, options)]))
    };
    match verb {
        Verb::SetSeverity => offer(
            format!("How bad is {number} for the customer?"),
            "Severity",
            &commands::severities(),
        ),
        Verb::Close => offer(
            format!("Why does {number} end?"),
            "Reason",
            &commands::reasons(),
        ),
        _ => Answer::Form {
            custom_id,
            title: format!("Note on {number}"),
            label: "For colleagues; customers never see it",
        },
    }
}
