//! What a bounce is about: which addresses were not reached, whether for good, and which mail came
//! back. From its report (RFC 3464), or where it has none from its words ([`words`]).

mod words;

use tierdesk_core::mail::{AutoKind, Bounce, Mail};

use crate::{
    fields::Fields,
    structure::{Content, Part},
};

/// So many addresses of one report are kept.
const RECIPIENTS: usize = 50;

pub(crate) use words::{has_code, returned};

/// Reads a bounce; `None` where the mail is none. Words count only where the mail was found to be one,
/// since people quote them.
pub(crate) fn read(root: &Part<'_>, mail: &Mail) -> Option<Bounce> {
    let (mut bounce, has_report) = report(root);
    if mail.auto.kind == AutoKind::Bounce && (!has_report || bounce.recipients.is_empty()) {
        words::read(&root.fields, mail, &mut bounce);
        return Some(bounce);
    }
    has_report.then_some(bounce)
}

/// What the parts of a delivery report say, and whether there was one.
fn report(root: &Part<'_>) -> (Bounce, bool) {
    let mut bounce = Bounce::default();
    let mut is_report = false;
    walk(root, &mut |part| match &*part.media.content_type {
        "message/delivery-status" | "message/global-delivery-status" => {
            is_report = true;
            status(part.body, &mut bounce);
        }
        "text/rfc822-headers" | "message/global-headers" if bounce.original_id.is_none() => {
            let (fields, _) = Fields::split(trimmed(part.body));
            bounce.original_id = fields.ids("Message-ID").0.into_iter().next();
        }
        _ => {
            if let (Content::Message(mail), None) = (&part.content, &bounce.original_id) {
                bounce.original_id = mail.fields.ids("Message-ID").0.into_iter().next();
            }
        }
    });
    (bounce, is_report)
}

/// Every part, outermost first; the depth is bounded by how the tree was split.
fn walk<'p, 'a>(part: &'p Part<'a>, look: &mut impl FnMut(&'p Part<'a>)) {
    look(part);
    if let Content::Multipart(parts) = &part.content {
        for part in parts {
            walk(part, look);
        }
    }
}

/// Groups of fields with empty lines between them: of the message, then one a recipient.
fn status(body: &[u8], bounce: &mut Bounce) {
    let mut rest = trimmed(body);
    while !rest.is_empty() && bounce.recipients.len() < RECIPIENTS {
        let (fields, end) = Fields::split(rest);
        let recipient = ["Final-Recipient", "Original-Recipient"]
            .iter()
            .find_map(|name| fields.find_text(name));
        if let Some(recipient) = recipient {
            let address = recipient
                .split_once(';')
                .map_or(&*recipient, |(_, address)| address);
            let address = address.trim().trim_matches(['<', '>']).to_owned();
            let action = fields.find("Action").map(crate::fields::Field::keyword);
            let status = fields.find_text("Status").unwrap_or_default();
            let is_permanent = match action.as_deref() {
                Some("failed") => true,
                Some(_) => false,
                None => status.starts_with('5'),
            };
            bounce.is_permanent |= is_permanent;
            if is_permanent && bounce.words.is_none() {
                let said = fields.find_text("Diagnostic-Code").unwrap_or(status);
                let said = said.split_once(';').map_or(&*said, |(_, said)| said).trim();
                bounce.words = (!said.is_empty()).then(|| said.to_owned());
            }
            if !bounce.recipients.contains(&address) {
                bounce.recipients.push(address);
            }
        }
        if end == 0 {
            return;
        }
        rest = trimmed(&rest[end..]);
    }
}

/// Without empty lines before it.
fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b'\r' | b'\n', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::Structure;

    fn report(status: &str, original: &str) -> Option<Bounce> {
        let raw = format!(
            "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n{status}\n--b\n{original}\n--b--\n"
        );
        let (bounce, is_report) = super::report(&Structure::split(raw.as_bytes()).root);
        is_report.then_some(bounce)
    }

    #[test]
    fn recipients_and_the_mail_are_read() {
        let status = "Reporting-MTA: dns; mx.example\n\nOriginal-Recipient: rfc822; a@x.example\n\
                      Final-Recipient: RFC822; a@x.example\nAction: failed\nStatus: 5.1.1\n\
                      Diagnostic-Code: smtp; 550 5.1.1 nobody\n here; by that name\n\n\
                      Final-Recipient: rfc822;<b@x.example>\nAction: delayed\nStatus: 4.4.1\n";
        for original in [
            "Content-Type: message/rfc822\n\nFrom: s@x\nMessage-ID: <our@id>\n\nText",
            "Content-Type: text/rfc822-headers\n\nFrom: s@x\nMessage-ID: <our@id>\n",
        ] {
            let bounce = report(status, original).unwrap();
            assert_eq!(bounce.recipients, ["a@x.example", "b@x.example"]);
            assert!(bounce.is_permanent);
            let words = bounce.words.as_deref();
            assert_eq!(words, Some("550 5.1.1 nobody here; by that name"));
            assert_eq!(bounce.original_id.as_deref(), Some("our@id"), "{original}");
        }
    }

    #[test]
    fn a_delay_is_not_for_good() {
        let bounce = report(
            "Final-Recipient: rfc822; a@x\nAction: delayed\nStatus: 4.0.0\n",
            "Content-Type: text/plain\n\nx",
        )
        .unwrap();
        assert_eq!((bounce.is_permanent, bounce.original_id), (false, None));
        let bare = report(
            "Final-Recipient: rfc822; a@x\nStatus: 5.0.0\n",
            "Content-Type: text/plain\n\nx",
        )
        .unwrap();
        assert!(bare.is_permanent, "the status says it where no action does");
        assert_eq!(bare.words.as_deref(), Some("5.0.0"));
    }

    #[test]
    fn other_mail_is_none() {
        let raw = b"From: a@x\nContent-Type: text/plain\n\nFinal-Recipient: rfc822; a@x\nAction: failed\n";
        assert!(!super::report(&Structure::split(raw).root).1);
        let empty = report("", "Content-Type: text/plain\n\nx");
        assert_eq!(empty, Some(Bounce::default()));
    }
}
