//! Tickets as text for people.

use tierdesk_core::{
    clock::{Clock, Timestamp},
    desk::tickets::{MessageReport, TicketDetail, TicketReport},
    tickets::{Direction, MessageKind},
    trust::SenderTrust,
};

use crate::output::{Output, Tone, distance, local};

fn now() -> Timestamp {
    Clock::System.read()
}

/// A queue.
pub(super) fn list(out: &Output, found: &[TicketReport]) {
    if found.is_empty() {
        return out.line("No tickets.");
    }
    let now = now();
    let row = |ticket: &TicketReport| {
        vec![
            ticket.number.to_string(),
            ticket.priority.to_string(),
            ticket.severity.to_string(),
            ticket
                .customer
                .as_ref()
                .map_or_else(|| "(triage)".to_owned(), ToString::to_string),
            ticket
                .tier
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            ticket.framework.clone().unwrap_or_default(),
            due(ticket, now),
            ticket.status.to_string(),
            ticket.assignee.clone().unwrap_or_default(),
            format!("{}{}", trust_mark(ticket), ticket.subject),
        ]
    };
    let header = [
        "ticket",
        "prio",
        "sev",
        "customer",
        "tier",
        "framework",
        "due",
        "status",
        "assignee",
        "subject",
    ];
    out.table(&header, found.iter().map(row).collect());
}

/// A sign before the subject of what is not certain: never colour alone.
pub(super) fn trust_mark(ticket: &TicketReport) -> &'static str {
    match ticket.trust {
        SenderTrust::Contradicted => "!! ",
        SenderTrust::Unproven if ticket.is_provisional => "? ",
        _ => "",
    }
}

fn due(ticket: &TicketReport, now: Timestamp) -> String {
    let clock = &ticket.sla.first_response;
    match (clock.due, clock.met_at) {
        (_, Some(_)) => "answered".to_owned(),
        (Some(due), None) => distance(now, due),
        (None, None) => "-".to_owned(),
    }
}

/// One ticket's head: what support could not see before.
pub(super) fn head(out: &Output, ticket: &TicketReport) {
    let number = out.paint(Tone::Strong, ticket.number.to_string());
    out.line(format!(
        "{number}  {}",
        out.paint(Tone::Strong, &ticket.subject)
    ));
    let customer = match &ticket.customer {
        Some(slug) => slug.to_string(),
        None => "nobody yet (triage)".to_owned(),
    };
    let tier = ticket
        .tier
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let framework = ticket.framework.clone().unwrap_or_default();
    let about: Vec<String> = [customer, tier, framework]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    out.line(format!("  customer   {}", about.join(" · ")));
    out.line(format!("  requester  {}", ticket.requester));
    out.line(format!(
        "  priority   {} ({})",
        ticket.priority, ticket.severity
    ));
    let assignee = ticket.assignee.as_deref().unwrap_or("nobody");
    let reason = ticket
        .close_reason
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    out.line(format!(
        "  status     {}{reason}, assigned to {assignee}",
        ticket.status
    ));
    let now = now();
    let clock = &ticket.sla.first_response;
    if let (Some(met), false) = (clock.met_at, clock.missed) {
        out.line(format!("  response   answered {}", local(met)));
    } else if let Some(due) = clock.due {
        let text = format!("{}, {}", local(due), distance(now, due));
        let text = if clock.missed {
            let met = clock.met_at.map(|met| format!("; answered {}", local(met)));
            let text = format!("MISSED {text}{}", met.unwrap_or_default());
            out.paint(Tone::Alarm, text)
        } else {
            text
        };
        let goal = clock
            .internal_due
            .map(|goal| format!("; our goal {}", distance(now, goal)));
        out.line(format!(
            "  response   due {text}{}",
            goal.unwrap_or_default()
        ));
    } else if ticket.is_silent {
        out.line("  response   history: no clock runs");
    }
    if let Some(on_call) = &ticket.on_call {
        out.line(format!("  on call    {on_call}"));
    }
    let provisional = if ticket.is_provisional {
        ", bound provisionally"
    } else {
        ""
    };
    let trust = format!("{}{provisional}", ticket.trust);
    let trust = match ticket.trust {
        SenderTrust::Contradicted => out.paint(Tone::Alarm, format!("!! {trust}")),
        _ => trust,
    };
    out.line(format!("  sender     {trust}"));
    for reason in &ticket.trust_reasons {
        out.line(out.paint(Tone::Faint, format!("             {reason}")));
    }
    if !ticket.tags.is_empty() {
        out.line(format!("  tags       {}", ticket.tags.join(" ")));
    }
}

/// One ticket with what was written on it.
pub(super) fn detail(out: &Output, detail: &TicketDetail) {
    head(out, &detail.ticket);
    if let Some(colleague) = &detail.reported_by {
        out.line(format!("  reported  by {colleague}, who forwarded it"));
    }
    for link in &detail.links {
        let words = match link.kind {
            "follows" => "follows",
            "followed_by" => "goes on as",
            "merged_into" => "merged into",
            "took_in" => "took in",
            "split_from" => "split from",
            "gave_to" => "gave messages to",
            "related" => "belongs to",
            _ => "the same person as in",
        };
        let question = if link.kind == "same_person" { "?" } else { "" };
        out.line(format!(
            "  tied      {words} {} ({}){question}",
            link.ticket, link.requester
        ));
    }
    for person in &detail.away {
        out.line(format!("  away      {person} answers automatically"));
    }
    for message in &detail.messages {
        out.line("");
        show_message(out, message, detail.ticket.trust);
    }
    if detail
        .messages
        .iter()
        .any(|one| !one.attachments.is_empty())
    {
        out.line("");
        out.line(format!(
            "What is attached: tierdesk ticket attachments {}",
            detail.ticket.number
        ));
    }
    if detail.looks_like_thanks {
        out.line("");
        out.line(format!(
            "Looks like a thank you: tierdesk ticket dismiss {}",
            detail.ticket.number
        ));
    }
    if detail.ticket.customer.is_none() {
        out.line("");
        let number = detail.ticket.number;
        out.line(format!(
            "To bind it: tierdesk ticket bind {number} CUSTOMER [--add-contact | --add-domain]"
        ));
    }
}

fn show_message(out: &Output, message: &MessageReport, ticket: SenderTrust) {
    let what = match message.direction {
        Direction::In if message.kind.as_str() != "person" => message.kind.as_str(),
        Direction::In => "from",
        Direction::Out => "to customer, by",
        Direction::Note => "note by",
    };
    let head = format!("--- {what} {} · {}", message.from, local(message.at));
    out.line(out.paint(Tone::Strong, head));
    // The ticket says how far its opener is to be believed; this may be somebody else in their name.
    if let Some(trust) = message.trust.filter(|trust| *trust > ticket)
        && message.kind == MessageKind::Person
    {
        let warning = format!("  {trust}: nothing shows that {} wrote this", message.from);
        out.line(out.paint(Tone::Alarm, warning));
    }
    out.line(message.reply_text.trim_end());
    let quoted = message.text.len().saturating_sub(message.reply_text.len());
    if quoted > 0 {
        out.line(out.paint(
            Tone::Faint,
            format!("({quoted} bytes of quotes and signature: --json shows all)"),
        ));
    }
    for attachment in &message.attachments {
        out.line(format!(
            "  attached: {} ({}, {} bytes)",
            attachment.name, attachment.content_type, attachment.size
        ));
    }
    for finding in &message.findings {
        out.line(format!("  note: {finding}"));
    }
}

/// A timeline's particulars as `name value`.
pub(super) fn particulars(detail: &serde_json::Value) -> String {
    let Some(fields) = detail.as_object() else {
        return String::new();
    };
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(list) => list
            .iter()
            .filter_map(|one| one.as_str())
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    };
    let fields = fields.iter().filter(|(_, value)| {
        !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
    });
    fields
        .map(|(name, value)| format!("{name} {}", text(value)))
        .collect::<Vec<_>>()
        .join(" · ")
}
