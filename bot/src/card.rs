//! A ticket as chat shows it, made from what may be shown and nothing else.

use tierdesk_core::{
    chat::Verb, clock::Timestamp, disclosure::DisclosedTicket, tickets::Status, tiers::Severity,
};

use crate::{
    digest::hex,
    escape,
    message::{Embed, Message, button, limit},
};

/// What every custom id of ours begins with. The rest is a handle of the desk's.
pub const PREFIX: &str = "td:";

/// The buttons that a ticket's card has now.
pub fn verbs(ticket: &DisclosedTicket) -> Vec<Verb> {
    if !ticket.status.is_active() {
        return Vec::new();
    }
    let mut verbs = vec![Verb::Take, Verb::AskSeverity];
    if ticket.takes_text {
        verbs.push(Verb::AskNote);
    }
    if ticket.fixed_replies > 0 {
        verbs.push(Verb::AskReply);
    }
    verbs.push(Verb::AskClose);
    verbs
}

/// The name of a ticket's thread. It says nothing that changes often: two names in ten minutes are
/// all that Discord allows.
pub fn title(ticket: &DisclosedTicket) -> String {
    let about = ticket.subject.as_ref().or(ticket.customer.as_ref());
    let title = match about {
        Some(about) => format!("{} · {about}", ticket.number),
        None => ticket.number.to_string(),
    };
    escape::plain(&title, limit::NAME)
}

/// The tags of a ticket's forum post, by name: where it stands, and its tier.
pub fn tags(ticket: &DisclosedTicket) -> Vec<String> {
    let status = status_tag(ticket.status).to_owned();
    let tier = ticket.tier.as_ref().map(ToString::to_string);
    [Some(status), tier].into_iter().flatten().collect()
}

/// Every tag that a forum of ours needs.
pub fn status_tag(status: Status) -> &'static str {
    match status {
        Status::WaitingCustomer => "waiting",
        other => other.as_str(),
    }
}

/// The card, with a button for each handle.
pub fn card(ticket: &DisclosedTicket, handles: &[(Verb, String)]) -> Message {
    let buttons = handles.iter().map(|(verb, handle)| {
        let (label, style) = label(*verb);
        button(label, style, &format!("{PREFIX}{handle}"))
    });
    Message::text("")
        .embed(embed(ticket))
        .row(&buttons.collect::<Vec<_>>())
}

/// The button that offers replies, as it stands on cards and below calls.
pub(crate) const REPLY: (&str, u8) = ("Reply…", 2);

/// What a button of a card says, and how it looks.
fn label(verb: Verb) -> (&'static str, u8) {
    match verb {
        Verb::Take => ("Take", 1),
        Verb::AskSeverity => ("Severity", 2),
        Verb::AskNote => ("Note", 2),
        Verb::AskReply => REPLY,
        Verb::AskClose => ("Close", 4),
        other => (other.as_str(), 2),
    }
}

/// What the buttons of a ticket's card say.
pub fn labels(ticket: &DisclosedTicket) -> Vec<&'static str> {
    verbs(ticket)
        .into_iter()
        .map(|verb| label(verb).0)
        .collect()
}

/// The card's box.
pub fn embed(ticket: &DisclosedTicket) -> Embed {
    let mut embed = Embed {
        title: escape::line_within(&title(ticket), limit::TITLE),
        description: ticket
            .text
            .as_ref()
            .map(|text| escape::text_within(text, limit::DESCRIPTION / 2))
            .unwrap_or_default(),
        color: Some(colour(ticket)),
        fields: Vec::new(),
    };
    let line = |text: &String| escape::line(text, 200);
    let marked = |name: String| {
        if ticket.is_provisional {
            format!("{name} (claimed, not proven)")
        } else {
            name
        }
    };
    embed.field("Customer", ticket.customer.as_ref().map(line).map(marked));
    embed.field("Tier", ticket.tier.as_ref().map(ToString::to_string));
    embed.field("Framework", ticket.framework.as_ref().map(line));
    embed.field("Severity", Some(ticket.severity.to_string()));
    embed.field("Status", Some(ticket.status.to_string()));
    embed.field("Trust", ticket.trust.map(|trust| trust.to_string()));
    embed.field("Response due", Some(due(ticket)));
    let assignee = ticket.level >= tierdesk_core::tiers::Disclosure::Metadata;
    let assignee = assignee.then(|| {
        ticket
            .assignee
            .as_ref()
            .map_or_else(|| "nobody".to_owned(), line)
    });
    embed.field("Assignee", assignee);
    embed.field(
        "Requester",
        ticket
            .requester
            .as_ref()
            .or(ticket.requester_role.as_ref())
            .map(line),
    );
    embed
}

/// When a response is due, in the reader's own zone.
fn due(ticket: &DisclosedTicket) -> String {
    match ticket.due {
        None => "none".to_owned(),
        Some(due) if ticket.is_overdue => format!("{} — overdue", moment(due)),
        Some(due) => moment(due),
    }
}

/// A time as Discord shows it to each reader: the date, and how far it is.
pub fn moment(at: Timestamp) -> String {
    let seconds = at.micros().div_euclid(1_000_000);
    format!("<t:{seconds}:f> (<t:{seconds}:R>)")
}

/// The colour of the edge. Never the only sign: the severity is written too.
fn colour(ticket: &DisclosedTicket) -> u32 {
    match ticket.severity {
        _ if !ticket.status.is_active() => 0x8a_8f_98,
        Severity::Sev1 => 0xc0_26_2d,
        Severity::Sev2 => 0xd9_7a_1c,
        Severity::Sev3 => 0x2d_6c_c0,
        Severity::Sev4 => 0x4f_8a_5b,
    }
}

/// A digest of all that is shown but the handles, which differ each time.
pub fn digest(ticket: &DisclosedTicket) -> String {
    let shown = card(ticket, &[]).body().to_string();
    let rest = format!("{:?}{:?}", tags(ticket), verbs(ticket));
    hex(&[shown.as_bytes(), rest.as_bytes()])
}
