//! From raw bytes to a [`Mail`]. Total: any bytes give one.

mod attachments;
mod body;
#[cfg(test)]
mod charsets;
#[cfg(test)]
mod tests;
mod wrapped;

use tierdesk_core::mail::{Auto, AutoKind, Envelope, Importance, Mail};

use crate::{
    bounce,
    classify::{bounce_in_text, classify},
    decoding,
    fields::Fields,
    fingerprint::{self, Fingerprinter, decoded},
    forwarded, limits,
    reply_text::reply_text_of,
    structure::{Content, Part, Structure},
};
use attachments::Attachments;
use body::Body;
use wrapped::Wrapped;

/// What the findings say of the raw mail whenever something was left out.
const KEPT: &str = "the raw mail is kept whole";

/// Reads a mail. Never fails and never panics; what a limit of [`limits`] cut off is told in
/// `findings`, with `truncated` set.
///
/// Costs at most about four times the length of `raw` in memory and is linear in it.
pub fn parse(raw: &[u8], envelope: &Envelope) -> Mail {
    let (head, rest) = at_limit(raw);
    let structure = Structure::split(head);
    let mut reading = Reading::default();
    if !rest.is_empty() {
        reading.cut(&format!(
            "the mail is {} bytes long and was read to {}",
            raw.len(),
            head.len()
        ));
    }
    if !structure.root.fields.are_of_a_mail() {
        return reading.not_a_mail(raw, head);
    }
    reading.note_limits(&structure);
    let fields = &structure.root.fields;
    let mut print = Fingerprinter::new(fields);
    reading.tree(&structure.root, Place::root(), &mut print);
    reading.show_wrapped();
    reading.stray(structure.root.epilogue);
    print.left_out(&structure.left_out);
    print.left_out(&[rest]);
    let auto = classify(fields, envelope);
    let mut mail = reading.finish(fields, auto, print.finish());
    if matches!(mail.auto.kind, AutoKind::None | AutoKind::AutoReply)
        && let Some(auto) = bounce_in_text(fields, &mail.text)
    {
        mail.auto = auto;
    }
    mail.bounce = bounce::read(&structure.root, &mail);
    if is_encrypted(&structure.root, &mail.text) {
        let finding = "it is encrypted, and nobody here can read it: ask for it in the clear, without secrets";
        mail.findings.push(finding.to_owned());
    }
    if is_signed_within(&structure.root) && mail.text.is_empty() {
        let finding = "it is signed in a form that wraps its text (S/MIME): open its attachment with a mail program, or ask for it with a clear signature";
        mail.findings.push(finding.to_owned());
    }
    mail.forwarded = forwarded::author(&structure.root, &mail.text, is_forward(&mail.subject));
    mail
}

/// `raw` split at [`limits::MAIL_BYTES`], without what editors and broken exports put before the
/// first header: a byte order mark, empty lines.
pub(crate) fn at_limit(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut raw = raw.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(raw);
    while let [b'\r' | b'\n', rest @ ..] = raw {
        raw = rest;
    }
    raw.split_at(raw.len().min(limits::MAIL_BYTES))
}

/// Where a part stands, as far as that decides whether it is the body.
#[derive(Clone, Copy)]
struct Place {
    /// It is the whole mail.
    is_root: bool,
    /// Only attached: inside an attached mail, or beside the root of a multipart/related.
    is_beside: bool,
    /// It is one of several forms of the same content.
    is_choice: bool,
}

impl Place {
    fn root() -> Self {
        Self {
            is_root: true,
            is_beside: false,
            is_choice: false,
        }
    }
}

#[derive(Default)]
struct Reading {
    body: Body,
    attachments: Attachments,
    truncated: bool,
    findings: Vec<String>,
    wrapped: Wrapped,
}

impl Reading {
    fn cut(&mut self, what: &str) {
        self.truncated = true;
        self.findings.push(format!("{what}; {KEPT}"));
    }

    fn note_limits(&mut self, structure: &Structure<'_>) {
        if structure.has_cut_headers {
            self.cut(&format!(
                "headers beyond {} lines or {} KB were left out",
                limits::HEADER_FIELDS,
                limits::HEADER_BYTES / 1024
            ));
        }
        if structure.has_too_many_parts {
            self.cut(&format!(
                "parts beyond the first {} were left out",
                limits::PARTS
            ));
        }
        if structure.is_too_deep {
            self.cut(&format!(
                "parts nested deeper than {} were not taken apart",
                limits::DEPTH
            ));
        }
    }

    /// Walks the tree in order; its depth is bounded by the splitting.
    fn tree(&mut self, part: &Part<'_>, place: Place, print: &mut Fingerprinter) {
        match &part.content {
            Content::Leaf => self.leaf(part, place, print),
            Content::Multipart(parts) => {
                print.open(&part.media.content_type);
                let kind = &*part.media.content_type;
                if kind == "multipart/alternative" && !place.is_beside {
                    self.alternatives(parts, place, print);
                } else {
                    let root = shown_of_related(parts);
                    for (index, inner) in parts.iter().enumerate() {
                        let is_beside =
                            place.is_beside || (kind == "multipart/related" && index != root);
                        let place = Place {
                            is_root: false,
                            is_beside,
                            is_choice: false,
                        };
                        self.tree(inner, place, print);
                    }
                }
                print.close();
            }
            Content::Message(inner) => {
                let subject = inner.fields.find_text("Subject");
                self.attachments
                    .add_message(&part.media, subject, part.body);
                print.open(&part.media.content_type);
                print.headers(&inner.fields);
                // Its parts count for sameness, not as parts of this mail.
                fingerprint::hash_tree(inner, print);
                print.close();
            }
        }
    }

    /// The same content in several forms: plain text is wanted where it says something.
    fn alternatives(&mut self, parts: &[Part<'_>], place: Place, print: &mut Fingerprinter) {
        let before = self.body.begin_choice();
        for inner in parts {
            self.body.begin_form();
            self.tree(
                inner,
                Place {
                    is_root: false,
                    is_choice: true,
                    ..place
                },
                print,
            );
        }
        self.body.end_choice(before);
    }

    fn leaf(&mut self, part: &Part<'_>, place: Place, print: &mut Fingerprinter) {
        let bytes = decoded(part);
        let media = &part.media;
        print.part(&media.content_type, &bytes);
        if self.unwrap_part(media, &bytes) {
            return;
        }
        // Some programs name the body too, but not after another body.
        let is_named =
            (media.is_file || (media.name.is_some() && !self.body.is_empty())) && !place.is_choice;
        let is_body_type = matches!(&*media.content_type, "text/plain" | "text/html");
        let is_body = !place.is_beside
            && !media.is_attachment
            && if place.is_root {
                media.is_text()
            } else {
                is_body_type && !is_named
            };
        if is_body {
            self.body_part(part, &bytes);
        } else {
            self.attachments.add(media, bytes);
        }
    }

    /// What stands behind the mail's last boundary: shown, where it says something.
    fn stray(&mut self, behind: &[u8]) {
        let room = limits::TEXT_BYTES.saturating_sub(self.body.bytes());
        let within = &behind[..behind.len().min(room)];
        let (text, _) = decoding::text(within.trim_ascii(), None);
        if !text.contains(char::is_alphanumeric) {
            return;
        }
        let text = decoding::with_lf(decoding::cut(&text, room));
        self.body.add(text, false);
        let finding = "text stood behind the end of the mail: it is shown at the end";
        self.findings.push(finding.to_owned());
    }

    fn body_part(&mut self, part: &Part<'_>, bytes: &[u8]) {
        let is_html = part.media.content_type == "text/html";
        let room = limits::TEXT_BYTES.saturating_sub(self.body.bytes());
        let within = &bytes[..bytes.len().min(room)];
        let meta = match &part.media.charset {
            None if is_html => decoding::meta_charset(within),
            _ => None,
        };
        let charset = part.media.charset.as_deref().or(meta.as_deref());
        let (text, is_known) = decoding::text(within, charset);
        if !is_known {
            let charset = crate::fields::clean(charset.unwrap_or_default());
            self.findings
                .push(format!("unknown charset {charset:?}: read as Windows-1252"));
        }
        let text = decoding::with_lf(decoding::cut(&text, room));
        if bytes.len() > within.len() {
            self.cut_text();
        }
        self.body.add(text, is_html);
    }

    /// Says once that text was left out.
    fn cut_text(&mut self) {
        if !std::mem::replace(&mut self.body.is_cut, true) {
            self.cut(&format!(
                "text beyond {} MB was left out",
                limits::TEXT_BYTES / 1024 / 1024
            ));
        }
    }

    fn finish(
        mut self,
        fields: &Fields<'_>,
        auto: Auto,
        fingerprint: tierdesk_core::mail::Fingerprint,
    ) -> Mail {
        let from = fields.addresses("From");
        match from.headers {
            0 => self.findings.push("there is no From header".to_owned()),
            1 => {}
            many => self.findings.push(format!("there are {many} From headers")),
        }
        let (references, has_more) = fields.ids("References");
        if has_more {
            self.cut(&format!(
                "ids beyond the first {} in References were left out",
                limits::MESSAGE_IDS
            ));
        }
        let (text, html) = self.body.finish();
        let (attachments, findings) = self.attachments.finish();
        self.findings.extend(findings);
        let subject = fields.find_text("Subject").unwrap_or_default();
        // What somebody forwards is what they want us to read.
        let in_reply_to = fields.ids("In-Reply-To").0.into_iter().next();
        // Some programs write neither header, and all of them mark the subject.
        let is_answer = in_reply_to.is_some() || !references.is_empty() || is_reply(&subject);
        let reply = if is_forward(&subject) {
            text.trim()
        } else {
            reply_text_of(&text, is_answer)
        };
        let reply_text = reply.to_owned();
        Mail {
            from: from.mailboxes,
            from_headers: from.headers,
            from_has_group: from.has_group,
            to: fields.addresses("To").mailboxes,
            cc: fields.addresses("Cc").mailboxes,
            reply_to: fields.addresses("Reply-To").mailboxes,
            subject,
            message_id: fields.ids("Message-ID").0.into_iter().next(),
            in_reply_to,
            references,
            date: fields.date(),
            reply_text,
            text,
            html,
            attachments,
            auto,
            importance: fields.importance(),
            delivered_to: delivered_to(fields),
            forwarded: None,
            bounce: None,
            internal_headers: fields.names_with_prefix("X-Tierdesk-"),
            truncated: self.truncated,
            findings: self.findings,
            fingerprint,
        }
    }

    /// Bytes without one header field: shown as text if they are text.
    fn not_a_mail(mut self, raw: &[u8], head: &[u8]) -> Mail {
        self.findings
            .push("this is not a mail: it has no header".to_owned());
        let mut text = String::new();
        if looks_like_text(head) {
            let within = &head[..head.len().min(limits::TEXT_BYTES)];
            text = decoding::with_lf(decoding::cut(
                &decoding::utf8_or_windows_1252(within),
                limits::TEXT_BYTES,
            ));
            if within.len() < head.len() {
                self.cut(&format!(
                    "text beyond {} MB was left out",
                    limits::TEXT_BYTES / 1024 / 1024
                ));
            }
        } else {
            self.attachments.add_unknown(raw);
        }
        Mail {
            from: Vec::new(),
            from_headers: 0,
            from_has_group: false,
            to: Vec::new(),
            cc: Vec::new(),
            reply_to: Vec::new(),
            subject: String::new(),
            message_id: None,
            in_reply_to: None,
            references: Vec::new(),
            date: None,
            reply_text: reply_text_of(&text, false).to_owned(),
            text,
            html: None,
            attachments: self.attachments.finish().0,
            auto: Auto {
                kind: AutoKind::None,
                reason: None,
            },
            importance: Importance::Normal,
            delivered_to: Vec::new(),
            forwarded: None,
            bounce: None,
            internal_headers: Vec::new(),
            truncated: self.truncated,
            findings: self.findings,
            fingerprint: fingerprint::of_bytes(raw),
        }
    }
}

/// Which part of a multipart/related is shown: the first that holds text. It ought to be the first of
/// all, or the one that `start` names (RFC 2387), which is text as well.
fn shown_of_related(parts: &[Part<'_>]) -> usize {
    let is_text = |part: &Part<'_>| {
        let kind = &*part.media.content_type;
        matches!(kind, "text/html" | "text/plain") || part.media.is_multipart()
    };
    parts.iter().position(is_text).unwrap_or(0)
}

/// A mail of which nothing is said but that its bytes are kept, for one that could not be stored as
/// it was read.
pub fn unread(raw: &[u8], reason: &str) -> Mail {
    Mail {
        from: Vec::new(),
        from_headers: 0,
        from_has_group: false,
        to: Vec::new(),
        cc: Vec::new(),
        reply_to: Vec::new(),
        subject: "(a mail that could not be read)".to_owned(),
        message_id: None,
        in_reply_to: None,
        references: Vec::new(),
        date: None,
        text: String::new(),
        reply_text: String::new(),
        html: None,
        attachments: Vec::new(),
        auto: Auto {
            kind: AutoKind::None,
            reason: None,
        },
        importance: Importance::Normal,
        delivered_to: Vec::new(),
        forwarded: None,
        bounce: None,
        internal_headers: Vec::new(),
        truncated: true,
        findings: vec![format!("only its bytes were kept: {reason}")],
        fingerprint: fingerprint::of_bytes(raw),
    }
}

/// Whether the content, or a part of it, is encrypted: OpenPGP (RFC 3156, or its text form) or S/MIME
/// (RFC 8551). A mail that is only signed shows its text.
fn is_encrypted(root: &Part<'_>, text: &str) -> bool {
    const ARMOUR: &str = "-----BEGIN PGP MESSAGE-----";
    text.lines().any(|line| line.starts_with(ARMOUR)) || has_encrypted(root)
}

fn has_encrypted(part: &Part<'_>) -> bool {
    match (&*part.media.content_type, &part.content) {
        ("multipart/encrypted" | "application/pgp-encrypted", _) => true,
        (_, Content::Multipart(parts)) => parts.iter().any(has_encrypted),
        _ => is_smime(part) && !is_signed_within(part),
    }
}

/// S/MIME, by its type or, for servers that forget types, by its name.
fn is_smime(part: &Part<'_>) -> bool {
    let media = &part.media;
    let is_named = |name: &String| name.eq_ignore_ascii_case("smime.p7m");
    match &*media.content_type {
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => true,
        "application/octet-stream" => media.name.as_ref().is_some_and(is_named),
        _ => false,
    }
}

/// S/MIME whose signature encloses the content (RFC 8551 section 3.5.2): the header says so, or the
/// object identifier with which the bytes begin, id-signedData (RFC 5652 section 5.1).
fn is_signed_within(part: &Part<'_>) -> bool {
    const SIGNED_DATA: [u8; 11] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
    /// A tag with its length stands before it, as the form of the length has it.
    const BEGINNING: usize = 32;
    if !is_smime(part) {
        return false;
    }
    let value = part.fields.find_text("Content-Type").unwrap_or_default();
    if value.to_ascii_lowercase().contains("signed-data") {
        return true;
    }
    let bytes = decoded(part);
    let start = &bytes[..bytes.len().min(BEGINNING)];
    start
        .windows(SIGNED_DATA.len())
        .any(|part| part == SIGNED_DATA)
}

/// The addresses to which servers say that they delivered.
fn delivered_to(fields: &Fields<'_>) -> Vec<String> {
    const HEADERS: [&str; 4] = [
        "Delivered-To",
        "X-Original-To",
        "Envelope-To",
        "X-Envelope-To",
    ];
    let all = HEADERS.iter().flat_map(|name| fields.all(name));
    let text = all.map(crate::fields::Field::text);
    text.filter(|text| text.contains('@')).take(16).collect()
}

/// Whether a subject begins as programs in our customers' languages mark an answer.
fn is_reply(subject: &str) -> bool {
    const MARKS: [&str; 12] = [
        "re", "aw", "antw", "antwort", "sv", "ref", "rif", "r", "res", "odp", "ynt", "回复",
    ];
    let mark = subject.split([':', '：']).next().unwrap_or_default();
    let mark = mark.trim().to_lowercase();
    // "Re[2]: …", as some count.
    let mark = mark.split('[').next().unwrap_or_default();
    mark.len() < subject.len() && MARKS.contains(&mark)
}

/// Whether a subject begins as programs in our customers' languages mark a forwarded mail.
fn is_forward(subject: &str) -> bool {
    let prefix = subject
        .split(':')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    prefix.len() < subject.len()
        && matches!(
            &*prefix,
            "fwd" | "fw" | "wg" | "tr" | "rv" | "enc" | "i" | "doorst"
        )
}

/// Whether the first kilobytes hold no control characters that no text has.
fn looks_like_text(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(8_192)];
    let odd = |byte: &&u8| **byte < 32 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 12 | 27);
    start.iter().filter(odd).count() * 50 <= start.len() && !start.contains(&0)
}
