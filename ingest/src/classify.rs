//! Whether a machine sent a mail, and which header says so.
//!
//! Of several signs the most specific wins: bounce, auto-reply, list, bulk. A sign that ordinary
//! programs give to ordinary mail (X-Auto-Response-Suppress, X-Mailer) is none.

#[cfg(test)]
mod corpus;
mod returned;
mod subjects;

use tierdesk_core::mail::{Auto, AutoKind, Envelope};

use crate::{
    fields::{Field, Fields},
    media::Media,
};
pub(crate) use returned::bounce_in_text;
use subjects::is_absence;
pub(crate) use subjects::{is_delay, is_failure};

/// Classifies by the headers of the mail and what the transport said of it.
pub fn classify(fields: &Fields<'_>, envelope: &Envelope) -> Auto {
    let found = bounce(fields, envelope).map(|reason| (AutoKind::Bounce, reason));
    let found = found
        .or_else(|| auto_reply(fields, envelope).map(|reason| (AutoKind::AutoReply, reason)))
        .or_else(|| list(fields).map(|reason| (AutoKind::List, reason)))
        .or_else(|| bulk(fields).map(|reason| (AutoKind::Bulk, reason)));
    match found {
        Some((kind, reason)) => Auto {
            kind,
            reason: Some(reason),
        },
        None => Auto {
            kind: AutoKind::None,
            reason: None,
        },
    }
}

/// `name: value`, at most a line long, for the people who read it.
fn says(name: &str, value: &str) -> String {
    format!("{name}: {}", value.chars().take(120).collect::<String>())
}

/// The report-type of a multipart/report.
fn report_type(fields: &Fields<'_>) -> Option<String> {
    let media = Media::read(fields, "text/plain");
    if media.content_type != "multipart/report" {
        return None;
    }
    Some(media.report_type.unwrap_or_default())
}

fn bounce(fields: &Fields<'_>, envelope: &Envelope) -> Option<String> {
    if let Some(kind) = report_type(fields) {
        match &*kind {
            "delivery-status" => {
                return Some("Content-Type: multipart/report; report-type=delivery-status".into());
            }
            // A receipt or a complaint has a null path and is no bounce.
            "disposition-notification" | "feedback-report" => return None,
            _ => {}
        }
    }
    if let Some(failed) = fields.find_text("X-Failed-Recipients") {
        return Some(says("X-Failed-Recipients", &failed));
    }
    let sender = fields.addresses("From").mailboxes.into_iter().next();
    let local_part = sender.as_ref().map(|from| {
        let address = from.address.as_str();
        address
            .split('@')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    });
    // A postmaster may be a person, who is asked for more: `returned`.
    let is_daemon = local_part.as_deref() == Some("mailer-daemon");
    let subject = fields.find_text("Subject").unwrap_or_default();
    if let (true, true, Some(from)) = (is_daemon, is_failure(&subject), &sender) {
        return Some(format!(
            "From: {} with the subject {subject:?}",
            from.address
        ));
    }
    // A vacation notice leaves with a null path too (RFC 3834 section 3.3).
    if submitted(fields).is_some_and(|word| word == "auto-replied")
        || responder_header(fields).is_some()
        || absence_notice(fields, envelope).is_some()
    {
        return None;
    }
    null_path(fields, envelope).map(str::to_owned)
}

/// Where it is said that nobody is to be answered.
fn null_path(fields: &Fields<'_>, envelope: &Envelope) -> Option<&'static str> {
    if envelope.from.as_deref().is_some_and(is_null_path) {
        return Some("envelope sender <>");
    }
    let path = fields.find("Return-Path");
    path.filter(|path| is_null_path(&path.text()))
        .map(|_| "Return-Path: <>")
}

fn is_null_path(path: &str) -> bool {
    matches!(path.trim(), "" | "<>")
}

/// The keyword of Auto-Submitted, if it is one other than `no`.
fn submitted(fields: &Fields<'_>) -> Option<String> {
    fields
        .all("Auto-Submitted")
        .map(Field::keyword)
        .find(|word| !word.is_empty() && word != "no")
}

/// Headers that only programs which answer by themselves set.
fn responder_header(fields: &Fields<'_>) -> Option<String> {
    for name in [
        "X-Autoreply",
        "X-Auto-Reply",
        "X-Autorespond",
        "X-Autoresponder",
    ] {
        if let Some(field) = fields.find(name)
            && !matches!(&*field.keyword(), "no" | "false" | "0")
        {
            return Some(says(name, &field.text()));
        }
    }
    let precedence = fields.find("Precedence")?;
    let word = precedence.keyword();
    matches!(&*word, "auto_reply" | "auto-reply").then(|| says("Precedence", &word))
}

fn auto_reply(fields: &Fields<'_>, envelope: &Envelope) -> Option<String> {
    if report_type(fields).as_deref() == Some("disposition-notification") {
        return Some("Content-Type: multipart/report; report-type=disposition-notification".into());
    }
    if let Some(reason) = responder_header(fields) {
        return Some(reason);
    }
    let submitted = submitted(fields);
    match submitted.as_deref() {
        // What a list or a bulk mailer generates is that first of all.
        Some("auto-generated") if list(fields).is_some() || bulk(fields).is_some() => {}
        Some(word) => return Some(says("Auto-Submitted", word)),
        None => {}
    }
    absence_notice(fields, envelope)
}

/// What is sent for people who are away by programs that do not say so in Auto-Submitted. Either sign
/// alone is found on mail that people wrote: ordinary clients suppress answers, and a subject may
/// speak of one.
fn absence_notice(fields: &Fields<'_>, envelope: &Envelope) -> Option<String> {
    let subject = fields.find_text("Subject").filter(|it| is_absence(it))?;
    let suppress = fields.find("X-Auto-Response-Suppress").map(Field::keyword);
    let sign = suppress
        .filter(|word| word == "all")
        .map(|word| says("X-Auto-Response-Suppress", &word))
        .or_else(|| {
            // On a list it is the list that is bulk.
            let is_list = list(fields).is_some() || fields.find("List-Unsubscribe").is_some();
            precedence(fields, &["bulk", "junk"]).filter(|_| !is_list)
        })
        .or_else(|| null_path(fields, envelope).map(str::to_owned))
        .or_else(|| {
            // Domino's agent for absences; people's mail out of Notes has the header, not the prefix.
            let is_agent = subject.starts_with("AUTO:") && fields.find("X-MIMETrack").is_some();
            is_agent.then(|| "X-MIMETrack".to_owned())
        })?;
    Some(format!("Subject: {subject:?} with {sign}"))
}

fn precedence(fields: &Fields<'_>, words: &[&str]) -> Option<String> {
    let word = fields.find("Precedence")?.keyword();
    words.contains(&&*word).then(|| says("Precedence", &word))
}

fn list(fields: &Fields<'_>) -> Option<String> {
    for name in ["List-Id", "List-Post"] {
        // `List-Post: NO` is a list too: one for announcements (RFC 2369 section 3.4).
        if let Some(value) = fields.find_text(name).filter(|value| !value.is_empty()) {
            return Some(says(name, &value));
        }
    }
    precedence(fields, &["list"])
}

fn bulk(fields: &Fields<'_>) -> Option<String> {
    if let Some(reason) = precedence(fields, &["bulk", "junk"]) {
        return Some(reason);
    }
    ["List-Unsubscribe", "Feedback-ID"]
        .into_iter()
        .find_map(|name| {
            let value = fields.find_text(name).filter(|value| !value.is_empty())?;
            Some(says(name, &value))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use AutoKind::{AutoReply, Bounce, Bulk, List};

    fn auto(headers: &str) -> Auto {
        let raw = format!("From: Ann <ann@x.example>\r\n{headers}\r\n\r\n");
        classify(&Fields::split(raw.as_bytes()).0, &Envelope::default())
    }

    #[test]
    fn each_sign_and_the_more_specific_one() {
        for (headers, kind, reason) in [
            (
                "Auto-Submitted: auto-replied (vacation)",
                AutoReply,
                "Auto-Submitted: auto-replied",
            ),
            (
                "auto-submitted: Auto-Generated; x=y",
                AutoReply,
                "Auto-Submitted: auto-generated",
            ),
            (
                "Precedence: Auto_Reply",
                AutoReply,
                "Precedence: auto_reply",
            ),
            ("X-Autoreply: yes", AutoReply, "X-Autoreply: yes"),
            (
                "List-Id: Users <u.x.example>\r\nList-Unsubscribe: <m>",
                List,
                "List-Id: Users",
            ),
            ("Precedence: list", List, "Precedence: list"),
            (
                "Auto-Submitted: auto-generated\r\nList-Id: <l.x>",
                List,
                "List-Id: <l.x>",
            ),
            ("Precedence: bulk", Bulk, "Precedence: bulk"),
            (
                "List-Unsubscribe: <https://x>",
                Bulk,
                "List-Unsubscribe: <https://x>",
            ),
            ("Feedback-ID: 1:2:3:x", Bulk, "Feedback-ID: 1:2:3:x"),
            ("Return-Path: <>", Bounce, "Return-Path: <>"),
            (
                "Return-Path: <>\r\nAuto-Submitted: auto-replied",
                AutoReply,
                "Auto-Submitted",
            ),
            (
                "Return-Path: <>\r\nAuto-Submitted: auto-generated",
                Bounce,
                "Return-Path: <>",
            ),
            (
                "X-Failed-Recipients: b@y\r\nAuto-Submitted: auto-replied",
                Bounce,
                "X-Failed",
            ),
            (
                "Content-Type: multipart/report; boundary=b; report-type=delivery-status\r\n\
                 Auto-Submitted: auto-replied",
                Bounce,
                "Content-Type: multipart/report",
            ),
            (
                "Return-Path: <>\r\n\
                 Content-Type: multipart/report; report-type=\"Disposition-Notification\"",
                AutoReply,
                "Content-Type: multipart/report",
            ),
            (
                "Return-Path: <>\r\nAuto-Submitted: auto-generated\r\n\
                 Subject: Automatische Antwort: x\r\nX-Auto-Response-Suppress: All",
                AutoReply,
                "Auto-Submitted: auto-generated",
            ),
            (
                "Subject: Automatic reply: disk\r\nX-Auto-Response-Suppress: All",
                AutoReply,
                "Subject:",
            ),
        ] {
            let found = auto(headers);
            let words = found.reason.unwrap_or_default();
            assert_eq!(found.kind, kind, "{headers}");
            assert!(words.starts_with(reason), "{words}");
        }
    }

    #[test]
    fn a_daemon_bounces_only_with_a_subject_that_says_so() {
        let of = |subject: &str| {
            let raw = format!("From: MAILER-DAEMON@mx.example\nSubject: {subject}\n\n");
            classify(&Fields::split(raw.as_bytes()).0, &Envelope::default()).kind
        };
        assert_eq!(of("Undelivered Mail Returned to Sender"), Bounce);
        assert_eq!(of("Question about your invoice"), AutoKind::None);
    }

    #[test]
    fn the_envelope_counts_when_the_road_tells_it() {
        let fields = Fields::split(b"From: a@x\nSubject: hi\n\n").0;
        let of = |from: Option<&str>| {
            let from = from.map(str::to_owned);
            classify(
                &fields,
                &Envelope {
                    from,
                    ..Envelope::default()
                },
            )
            .kind
        };
        assert_eq!(of(Some("")), Bounce);
        assert_eq!(of(Some("a@x.example")), AutoKind::None);
        assert_eq!(of(None), AutoKind::None);
    }

    #[test]
    fn people_are_people() {
        let gmail = "Return-Path: <ann@x.example>\r\nMIME-Version: 1.0\r\n\
            X-Gm-Message-State: AOJu0Yx\r\nX-Google-DKIM-Signature: v=1; a=rsa-sha256\r\n\
            X-Received: by 2002:a05 with SMTP id 1\r\nSubject: Out of office printer is on fire";
        let outlook = "Thread-Topic: Automatic reply: broken\r\nThread-Index: AQHb\r\n\
            X-MS-Has-Attach: \r\nX-MS-TNEF-Correlator: \r\nX-Auto-Response-Suppress: DR, OOF, AutoReply\r\n\
            X-MS-Exchange-Organization-SCL: 1\r\nAuto-Submitted: no\r\nImportance: high\r\n\
            Accept-Language: en-US\r\nX-OriginatorOrg: x.example\r\nSubject: Automatic reply: is broken";
        let apple = "X-Mailer: Apple Mail (2.3776)\r\nMime-Version: 1.0 (Mac OS X Mail 16.0)\r\n\
            X-Universally-Unique-Identifier: 1\r\nX-Uniform-Type-Identifier: com.apple.mail-draft\r\n\
            Subject: Re: Undeliverable goods";
        let thunderbird = "User-Agent: Mozilla Thunderbird\r\nX-Priority: 1 (Highest)\r\n\
            Disposition-Notification-To: ann@x.example\r\nPrecedence: normal\r\nSubject: Hallo";
        for headers in [gmail, outlook, apple, thunderbird] {
            assert_eq!(
                auto(headers),
                Auto {
                    kind: AutoKind::None,
                    reason: None
                },
                "{headers}"
            );
        }
    }
}
