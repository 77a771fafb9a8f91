//! A ticket as one page: nothing outside it is loaded, nothing in it runs, and it prints on white paper.
//!
//! Whatever people wrote passes [`escaped`] on its way in; a link leads only to http and https.

use std::fmt::Write as _;

use tierdesk_core::{
    desk::{
        export::{ExportedFile, TicketExport},
        tickets::{MessageReport, TicketReport},
    },
    tickets::Direction,
};

use super::super::ticket_text::particulars;

/// Files are in the page up to so many bytes together. Browsers become slow with more, and what does not
/// fit is listed.
pub(super) const MOST_ATTACHED: u64 = 10 * 1024 * 1024;

const STYLE: &str = "
body{font:15px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse}th{text-align:left;font-weight:600;padding:0 1rem 0 0;vertical-align:top}
article{border:1px solid #bbb;border-left-width:6px;padding:.5rem 1rem;margin:1rem 0}
article.out{border-left-color:#2a6}article.note{border-style:dashed;background:#fff8e1}
header,.small{color:#555;font-size:.9rem}
.text{white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0}
@media print{body{margin:0;max-width:none}article{break-inside:avoid-page}h2{break-after:avoid}}
";

/// The page. For whoever is outside it says nothing that only the desk should know.
pub(super) fn page(export: &TicketExport, is_internal: bool) -> String {
    let ticket = &export.ticket.ticket;
    let title = format!("{} {}", ticket.number, ticket.subject);
    let title = escaped(&title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    head(&mut page, ticket, is_internal);
    for message in &export.ticket.messages {
        if is_internal || message.direction != Direction::Note {
            show(&mut page, message, is_internal);
        }
    }
    attachments(&mut page, &export.attachments);
    if is_internal {
        page.push_str("<h2>What happened (internal)</h2>\n<table>\n");
        for event in &export.events {
            let what = format!("{} · {}", event.actor, particulars(&event.detail));
            row(&mut page, &format!("{} {}", event.at, event.kind), &what);
        }
        page.push_str("</table>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn head(page: &mut String, ticket: &TicketReport, is_internal: bool) {
    page.push_str("<table>\n");
    let text = |value: Option<String>| value.unwrap_or_default();
    row(page, "Status", ticket.status.as_str());
    row(
        page,
        "Customer",
        &text(ticket.customer.as_ref().map(ToString::to_string)),
    );
    row(page, "Requester", &ticket.requester);
    row(page, "Opened", &ticket.opened_at.to_string());
    row(page, "Severity", ticket.severity.as_str());
    if is_internal {
        row(page, "Participants", &ticket.participants.join(", "));
        row(page, "Assigned to", &text(ticket.assignee.clone()));
        row(
            page,
            "Close reason",
            &text(ticket.close_reason.map(|why| why.to_string())),
        );
        row(page, "Tags", &ticket.tags.join(", "));
        let why = ticket.trust_reasons.join("; ");
        row(page, "Sender", &format!("{}: {why}", ticket.trust));
    }
    page.push_str("</table>\n");
}

fn row(page: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let (name, value) = (escaped(name), escaped(value));
        let _ = writeln!(page, "<tr><th>{name}</th><td>{value}</td></tr>");
    }
}

fn show(page: &mut String, message: &MessageReport, is_internal: bool) {
    let (class, what) = match message.direction {
        Direction::In => ("in", "From"),
        Direction::Out => ("out", "Answer by"),
        Direction::Note => ("note", "Internal note by"),
    };
    let (who, at) = (escaped(&message.from), message.at);
    let _ = writeln!(
        page,
        "<article class=\"{class}\">\n<header>{what} {who}, {at}</header>"
    );
    let _ = writeln!(
        page,
        "<div class=\"text\">{}</div>",
        linked(message.text.trim_end())
    );
    if !message.attachments.is_empty() {
        let names = message.attachments.iter().map(|file| escaped(&file.name));
        let names = names.collect::<Vec<_>>().join(", ");
        let _ = writeln!(page, "<div class=\"small\">Attached: {names}</div>");
    }
    for finding in message.findings.iter().filter(|_| is_internal) {
        let _ = writeln!(
            page,
            "<div class=\"small\">Noted: {}</div>",
            escaped(finding)
        );
    }
    page.push_str("</article>\n");
}

fn attachments(page: &mut String, files: &[ExportedFile]) {
    if files.is_empty() {
        return;
    }
    let limit = MOST_ATTACHED / 1024 / 1024;
    let _ = writeln!(
        page,
        "<h2>Attachments</h2>\n<p class=\"small\">Files are in this page up to {limit} MiB together.</p>\n<ol>"
    );
    for file in files {
        let (name, size) = (escaped(&file.about.name), file.about.size);
        let kind = escaped(&file.about.content_type);
        // Saved and never shown: as what it says it is, a browser might run it.
        let name = match &file.content {
            Some(content) => format!(
                "<a download=\"{name}\" href=\"data:application/octet-stream;base64,{}\">{name}</a>",
                data_encoding::BASE64.encode(&content.0)
            ),
            None if file.about.is_kept => format!("{name} (not in this page)"),
            None => format!("{name} (removed)"),
        };
        let _ = writeln!(page, "<li>{name}, {kind}, {size} bytes</li>");
    }
    page.push_str("</ol>\n");
}

/// Text that is text: no tag, no attribute's end, no character that HTML forbids, none that turns the
/// direction of what follows.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(character),
            '\r' => {}
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                safe.push('\u{fffd}');
            }
            _ if character.is_control() => safe.push('\u{fffd}'),
            _ => safe.push(character),
        }
    }
    safe
}

/// The same with addresses of the web as links.
fn linked(text: &str) -> String {
    let mut page = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(at) = ["https://", "http://"]
        .iter()
        .filter_map(|scheme| rest.find(scheme))
        .min()
    {
        let is_end = |c: char| c.is_whitespace() || c.is_control() || "<>\"'`".contains(c);
        let address = &rest[at..];
        let address = &address[..address.find(is_end).unwrap_or(address.len())];
        let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']']);
        page.push_str(&escaped(&rest[..at]));
        let safe = escaped(address);
        let _ = write!(
            page,
            "<a rel=\"noopener noreferrer nofollow\" href=\"{safe}\">{safe}</a>"
        );
        rest = &rest[at + address.len()..];
    }
    page.push_str(&escaped(rest));
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_written_becomes_markup() {
        for hostile in [
            "</style><script>alert(1)</script>",
            "]]><img src=x onerror=alert(1)>",
            "\" onmouseover=\"alert(1)",
            "' onfocus='alert(1)",
            "https://a.example/\"onclick=\"x",
            "http://a.example/<script>",
            "a\0b\u{1b}[2J\u{202e}c",
        ] {
            for shown in [escaped(hostile), linked(hostile)] {
                let tags: Vec<_> = shown.split('<').skip(1).collect();
                let is_ours = |tag: &&str| tag.starts_with("a rel=") || tag.starts_with("/a>");
                assert!(tags.iter().all(is_ours), "{shown}");
                assert!(
                    !shown.contains(['\0', '\u{1b}', '\u{202e}', '\'']),
                    "{shown}"
                );
                assert_eq!(shown.matches('"').count() % 4, 0, "{shown}");
            }
        }
    }

    #[test]
    fn only_the_web_is_linked() {
        let shown = linked("See https://a.example/x?a=1&b=2, (http://b.example).");
        assert_eq!(shown.matches("<a ").count(), 2, "{shown}");
        assert!(
            shown.contains("href=\"https://a.example/x?a=1&amp;b=2\""),
            "{shown}"
        );
        assert!(shown.ends_with(">http://b.example</a>)."), "{shown}");
        for dead in [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "mailto:a@b",
        ] {
            assert_eq!(linked(dead), escaped(dead));
        }
    }
}
