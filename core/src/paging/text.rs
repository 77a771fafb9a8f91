//! What a page says, the same on every channel, built from what may leave the desk and from nothing else.

use super::{PageKind, Signal, Urgency};
use crate::{clock::Timestamp, disclosure::DisclosedTicket, tiers::Severity};

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageText {
    /// One line, the most important first: it is what a lock screen shows.
    pub title: String,
    /// Further lines.
    pub lines: Vec<String>,
}

/// What goes into it.
#[derive(Clone, Debug)]
pub struct PageWords<'w> {
    /// What the page is about.
    pub kind: PageKind,
    /// What is said of it.
    pub signal: Signal,
    /// Whether it may wake somebody.
    pub urgency: Urgency,
    /// How bad it is.
    pub severity: Severity,
    /// What may be shown of its ticket.
    pub ticket: Option<&'w DisclosedTicket>,
    /// How many tickets it stands for.
    pub tickets: i64,
    /// Why there is a page, in words that hold nothing of a customer.
    pub reason: &'w str,
    /// Which step, which round, both from one; `None` for what the catch-all gets.
    pub step: Option<(i64, i64)>,
    /// What proves that this very notice arrived.
    pub code: Option<&'w str>,
    /// Who has it, or ended it; shown where colleagues' names may be.
    pub by: Option<&'w str>,
    /// Now.
    pub now: Timestamp,
}

impl PageWords<'_> {
    /// Whether colleagues' names may be shown.
    pub fn shows_names(&self) -> bool {
        self.ticket.is_none_or(|ticket| ticket.trust.is_some())
    }
}

impl PageText {
    /// Something to know, as it was written: the first line is the title.
    pub fn of_news(words: &str) -> Self {
        let mut lines = words.lines().map(str::to_owned);
        Self {
            title: lines.next().unwrap_or_default(),
            lines: lines.collect(),
        }
    }

    /// What waits at `now` for whoever is on call by `schedule`: `shown` in full, and so many more; at least so
    /// many where not all were counted.
    pub fn of_digest(
        schedule: &str,
        shown: &[DisclosedTicket],
        (more, is_cut): (usize, bool),
        now: Timestamp,
    ) -> Self {
        let title = match shown.len() + more {
            0 => format!("tierdesk digest, {schedule}: nothing waits any more"),
            count if is_cut => {
                format!("tierdesk digest, {schedule}: at least {count} tickets wait for us")
            }
            1 => format!("tierdesk digest, {schedule}: 1 ticket waits for us"),
            count => format!("tierdesk digest, {schedule}: {count} tickets wait for us"),
        };
        let mut lines: Vec<String> = shown.iter().map(|one| waiting_line(one, now)).collect();
        if more > 0 {
            let least = if is_cut { "at least " } else { "" };
            lines.push(format!("And {least}{more} more: tierdesk ticket list"));
        }
        Self { title, lines }
    }

    /// Puts it together.
    pub fn new(words: &PageWords<'_>) -> Self {
        Self {
            title: title(words),
            lines: lines(words),
        }
    }
}

fn title(words: &PageWords<'_>) -> String {
    let severity = words.severity.as_str().to_uppercase();
    let verb = match words.signal {
        Signal::Trigger => "",
        Signal::Acknowledge => "acknowledged: ",
        Signal::Resolve => "over: ",
    };
    match (words.kind, words.ticket) {
        (PageKind::Test, _) => "tierdesk test: can you be reached?".to_owned(),
        (PageKind::News | PageKind::Digest, _) => words.reason.to_owned(),
        (PageKind::Alarm, _) => format!("{verb}tierdesk alarm: {}", words.reason),
        (_, None) => format!("{verb}{severity}: {}", words.reason),
        (kind, Some(ticket)) => {
            let many = if kind == PageKind::Unverified && words.tickets > 1 {
                format!(" and {} more, unproven", words.tickets - 1)
            } else {
                String::new()
            };
            format!("{verb}{severity} {}{many} {}", ticket.number, whose(ticket))
        }
    }
}

/// Whose a ticket is and what it is called, as far as that may be shown.
fn whose(ticket: &DisclosedTicket) -> String {
    let customer = ticket.customer.as_deref().unwrap_or("nobody's yet");
    let tier = ticket.tier.as_ref().map(|tier| format!(" ({tier})"));
    let subject = ticket.subject.as_ref().map(|text| format!(": {text}"));
    format!(
        "{customer}{}{}",
        tier.unwrap_or_default(),
        subject.unwrap_or_default()
    )
}

/// One ticket of a digest.
fn waiting_line(ticket: &DisclosedTicket, now: Timestamp) -> String {
    let severity = ticket.severity.as_str().to_uppercase();
    let due = ticket.due.map(|due| due_words(due, now));
    let due = due.map(|words| format!(". {words}"));
    format!(
        "{severity} {} {}{}",
        ticket.number,
        whose(ticket),
        due.unwrap_or_default()
    )
}

fn lines(words: &PageWords<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if words.signal != Signal::Trigger {
        let shown = words.by.filter(|_| words.shows_names());
        let by = shown.unwrap_or("a colleague");
        lines.push(match (words.signal, words.by) {
            (Signal::Resolve, _) => format!("It is over, by {by}."),
            // Handed over, or given back before this could be said.
            (_, None) => "It was passed on.".to_owned(),
            (_, Some(_)) => format!("It is acknowledged, by {by}."),
        });
        return lines;
    }
    lines.push(format!("Why: {}.", words.reason));
    if let Some(ticket) = words.ticket {
        let due = ticket.due.map(|due| due_words(due, words.now));
        lines.extend(due);
        if let Some(trust) = ticket.trust {
            let doubt = if ticket.is_provisional {
                ", and its customer only what it claims"
            } else {
                ""
            };
            lines.push(format!("Its sender is {trust}{doubt}."));
        }
    }
    match (words.kind, words.step) {
        (PageKind::Test | PageKind::Alarm | PageKind::News | PageKind::Digest, _) => {}
        (_, Some((step, 1))) => lines.push(format!("Step {step}.")),
        (_, Some((step, round))) => lines.push(format!("Step {step}, round {round}.")),
        (_, None) => lines.push("Nobody has acknowledged it, and every step is over.".to_owned()),
    }
    if words.urgency == Urgency::Low {
        lines.push("It waited, to wake nobody.".to_owned());
    }
    lines.push(match (words.kind, words.ticket, words.code) {
        (_, Some(ticket), _) => format!("To take it: tierdesk ticket ack {}", ticket.number),
        (_, None, Some(code)) => format!("To answer: tierdesk oncall ack {code}"),
        (_, None, None) => "To take it: tierdesk oncall page list".to_owned(),
    });
    lines
}

fn due_words(due: Timestamp, now: Timestamp) -> String {
    if now > due {
        let late = span_words(now.since(due));
        format!("The response is overdue by {late}, since {due}.")
    } else {
        let left = span_words(due.since(now));
        format!("A response is due in {left}, at {due}.")
    }
}

/// A span in the unit in which it is a number that people can take in.
fn span_words(span: std::time::Duration) -> String {
    let minutes = span.as_secs() / 60;
    match minutes {
        0..=119 => format!("{minutes} min"),
        120..=2_879 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}
