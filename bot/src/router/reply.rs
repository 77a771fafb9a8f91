//! Fixed replies: the menu that offers them, what would be sent, and what became of it.

use tierdesk_core::{
    clock::Timestamp, desk::chat::FixedReply, disclosure::DisclosedAnswer, macros::Step,
    tickets::TicketNumber,
};

use super::Answer;
use crate::{
    card::PREFIX,
    escape,
    message::{Message, button, limit, menu},
};

/// So much of a reply's text is shown.
const SHOWN: usize = limit::CONTENT * 3 / 4;

/// The menu of replies.
pub(super) fn offer(
    handle: &str,
    number: TicketNumber,
    replies: &[FixedReply],
    further: usize,
) -> Answer {
    let labels: Vec<String> = replies
        .iter()
        .map(|reply| escape::plain(&reply.title, limit::NAME))
        .collect();
    let options: Vec<(&str, &str)> = replies
        .iter()
        .zip(&labels)
        .map(|(reply, label)| (reply.name.as_str(), label.as_str()))
        .collect();
    let more = match further {
        0 => String::new(),
        some => {
            format!(" A menu has no room for {some} more: `tierdesk ticket macros {number}`.")
        }
    };
    let text = format!(
        "What does the customer of {number} get to read? Nothing is sent before you confirm it.{more}"
    );
    let menu = menu(&format!("{PREFIX}{handle}"), "Reply", &options);
    Answer::Message(Message::text(text).row(&[menu]))
}

/// What would be sent, with the button that sends it.
pub(super) fn draft(handle: &str, answer: &DisclosedAnswer) -> Answer {
    let number = answer.number;
    let title = escape::line(&answer.title, limit::NAME);
    let then = match answer.then {
        Step::Waiting => "waits for the customer",
        Step::Open => "stays open",
        Step::Resolve => "is resolved",
    };
    let text = format!(
        "**{title}**: nothing was sent yet. {} Then {number} {then}.\n{}",
        whom(answer),
        quoted(&answer.text)
    );
    let send = button("Send", 1, &format!("{PREFIX}{handle}"));
    Answer::Message(Message::text(text).row(&[send]))
}

/// What is on its way, with the button that takes it back.
pub(super) fn sent(handle: &str, answer: &DisclosedAnswer, leave_at: Timestamp) -> Answer {
    let number = answer.number;
    let title = escape::line(&answer.title, limit::NAME);
    let leaves = if answer.held < answer.recipients {
        let seconds = leave_at.micros().div_euclid(1_000_000);
        format!("It leaves <t:{seconds}:R>; until then you can take it back.")
    } else {
        "It waits until it is released: `tierdesk mail outbox`.".to_owned()
    };
    let text = format!(
        "{number} is answered: **{title}**. {} {leaves}",
        whom(answer)
    );
    let undo = button("Undo", 2, &format!("{PREFIX}{handle}"));
    Answer::Message(Message::text(text).row(&[undo]))
}

/// That it does not leave.
pub(super) fn taken_back(number: TicketNumber, is_restored: bool) -> Answer {
    Answer::say(if is_restored {
        format!("Taken back: nothing was sent, and {number} is as it was before.")
    } else {
        format!("Taken back: nothing was sent. {number} was changed meanwhile and stays as it is.")
    })
}

/// Who gets it, and for how many it is held.
fn whom(answer: &DisclosedAnswer) -> String {
    let people = match answer.recipients {
        1 => "one person".to_owned(),
        several => format!("{several} people"),
    };
    let named = match answer.addresses.as_slice() {
        [] => String::new(),
        addresses => format!(
            " ({})",
            escape::line(&addresses.join(", "), limit::CONTENT / 8)
        ),
    };
    let held = match answer.held {
        0 => String::new(),
        all if all == answer.recipients => {
            " **Held back:** nobody has vouched that mail to them travels over verified TLS."
                .to_owned()
        }
        some => format!(
            " **Held back for {some}:** nobody has vouched that mail to them travels over verified TLS."
        ),
    };
    format!("To {people}{named}.{held}")
}

fn quoted(text: &str) -> String {
    let safe = escape::text_within(text, SHOWN);
    let mut lines: Vec<String> = safe.lines().map(|line| format!("> {line}")).collect();
    if safe != escape::text(text) {
        lines.push("That is its beginning; the rest has no room here.".to_owned());
    }
    lines.join("\n")
}
