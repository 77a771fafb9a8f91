//! Who wrote what a mail forwards, as far as the forwarding program wrote it down: an attached mail's
//! From, or the first `From:` line under the mark that programs put over a forwarded text.
//!
//! A claim like any text. It counts only where the one who forwards is proven to be a colleague.

use tierdesk_core::mail::Mailbox;

use crate::{
    reply_text::is_forward_line,
    structure::{Content, Part},
};

/// `From` as programs write it in our customers' languages.
const FROM: [&str; 9] = [
    "from",
    "von",
    "de",
    "da",
    "van",
    "od",
    "от",
    "差出人",
    "发件人",
];
/// `Subject`, the same; a head has both.
const SUBJECT: [&str; 11] = [
    "subject",
    "betreff",
    "objet",
    "asunto",
    "assunto",
    "oggetto",
    "onderwerp",
    "temat",
    "тема",
    "件名",
    "主题",
];
/// The head of a forwarded mail stands within so many lines of its mark.
const LOOK_AHEAD: usize = 12;
/// So many lines of a text are searched.
const LINES: usize = 400;

/// The author of the forwarded mail. `is_forward` is what the subject says.
pub(crate) fn author(root: &Part<'_>, text: &str, is_forward: bool) -> Option<Mailbox> {
    let lines: Vec<&str> = text.lines().take(LINES).collect();
    let mark = lines.iter().position(|line| is_forward_line(line));
    let in_text = match mark {
        Some(mark) => head(&lines[mark + 1..]),
        None if is_forward => (0..lines.len()).find_map(|at| head_at(&lines[at..])),
        None => None,
    };
    in_text.or_else(|| if is_forward { attached(root) } else { None })
}

/// The first head within reach.
fn head(lines: &[&str]) -> Option<Mailbox> {
    (0..lines.len().min(LOOK_AHEAD)).find_map(|at| head_at(&lines[at..]))
}

/// The mailbox of a `From:` line that a `Subject:` line follows.
fn head_at(lines: &[&str]) -> Option<Mailbox> {
    let value = labelled(lines.first()?, &FROM)?;
    let has_subject = lines
        .iter()
        .take(LOOK_AHEAD)
        .any(|line| labelled(line, &SUBJECT).is_some());
    if has_subject { mailbox(value) } else { None }
}

/// What stands behind one of these labels, quoted or in bold or not.
fn labelled<'l>(line: &'l str, labels: &[&str]) -> Option<&'l str> {
    let line = line.trim_start_matches(['>', ' ', '*', '\t']);
    let (label, value) = line.split_once([':', '：'])?;
    let label = label.trim_end_matches(['*', ' ', '\u{a0}']).to_lowercase();
    labels
        .contains(&&*label)
        .then(|| value.trim_matches(['*', ' ', '\u{a0}']))
}

/// `Name <address>`, `Name [mailto:address]`, or the bare address.
fn mailbox(value: &str) -> Option<Mailbox> {
    let (name, address) = match value.split_once(['<', '[']) {
        Some((name, rest)) => (name, rest.split(['>', ']']).next().unwrap_or_default()),
        None => ("", value),
    };
    let address = address.trim().trim_start_matches("mailto:").to_owned();
    let name = name.trim().trim_matches('"').trim();
    let is_address = address.contains('@') && !address.contains(char::is_whitespace);
    is_address.then(|| Mailbox {
        address,
        name: (!name.is_empty()).then(|| name.to_owned()),
    })
}

/// The From of the one mail that is attached.
fn attached(root: &Part<'_>) -> Option<Mailbox> {
    let Content::Multipart(parts) = &root.content else {
        return None;
    };
    let mut mails = parts.iter().filter_map(|part| match &part.content {
        Content::Message(mail) => Some(mail),
        _ => None,
    });
    let (mail, None) = (mails.next()?, mails.next()) else {
        return None;
    };
    let from = mail.fields.addresses("From").mailboxes;
    let [one] = from.as_slice() else { return None };
    Some(one.clone())
}

#[cfg(test)]
mod tests {
    use tierdesk_core::mail::{Envelope, Mail};

    fn read(subject: &str, text: &str) -> Mail {
        let raw = format!(
            "From: dana@securebase.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}"
        );
        crate::parse::parse(raw.as_bytes(), &Envelope::default())
    }

    fn author(subject: &str, text: &str) -> Option<String> {
        read(subject, text).forwarded.map(|author| author.address)
    }

    #[test]
    fn programs_write_it_down_each_in_its_way() {
        for (subject, text) in [
            (
                "Fwd: Help",
                "see below\n\n---------- Forwarded message ---------\nFrom: John <john@acme.example>\nDate: Mon\nSubject: Help\nTo: dana@x\n\nIt is down",
            ),
            (
                "Fwd: Help",
                "Begin forwarded message:\n\nFrom: John <john@acme.example>\nSubject: Help\nDate: x\n\nIt is down",
            ),
            (
                "Fwd: Help",
                "> Begin forwarded message:\n> \n> From: \"John\" <john@acme.example>\n> Subject: Help\n",
            ),
            (
                "FW: Help",
                "FYI\n\nFrom: John <john@acme.example>\nSent: Monday\nTo: Dana\nSubject: Help\n\nIt is down",
            ),
            (
                "FW: Help",
                "*From:* John [mailto:john@acme.example]\n*Sent:* Monday\n*Subject:* Help\n",
            ),
            (
                "WG: Hilfe",
                "-------- Weitergeleitete Nachricht --------\nBetreff: Hilfe\nDatum: x\nVon: john@acme.example\n\nBetreff: ein Wort",
            ),
            (
                "TR: Aide",
                "De : John <john@acme.example>\nEnvoyé : lundi\nObjet : Aide\n\nBonjour",
            ),
        ] {
            assert_eq!(
                author(subject, text).as_deref(),
                Some("john@acme.example"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_attached_mail_says_it_too() {
        let raw = "From: dana@securebase.example\nSubject: Fwd: Help\nContent-Type: multipart/mixed; boundary=b\n\n\
                   --b\nContent-Type: text/plain\n\nsee attached\n--b\nContent-Type: message/rfc822\n\n\
                   From: John <john@acme.example>\nSubject: Help\n\nIt is down\n--b--\n";
        let mail = crate::parse::parse(raw.as_bytes(), &Envelope::default());
        assert_eq!(mail.forwarded.unwrap().address, "john@acme.example");
    }

    #[test]
    fn answers_and_sentences_forward_nothing() {
        for (subject, text) in [
            (
                "Re: Help",
                "Thanks\n\nFrom: John <john@acme.example>\nSent: Monday\nSubject: Help\n",
            ),
            (
                "Help",
                "From: where I sit it looks fine\nSubject: to change",
            ),
            ("Fwd: Help", "nothing below"),
            ("Fwd: Help", "From: nobody\nSubject: x"),
        ] {
            assert_eq!(author(subject, text), None, "{text}");
        }
    }
}
