//! Bounces that no header gives away: from mail servers without reports (RFC 3464), on roads that
//! do not tell the envelope.
//!
//! A person may write every one of these signs: postmasters are people too, and whoever asks about a
//! bounce quotes it. So all three are wanted: a sender that servers use, an opening that servers
//! write, before any word of a person's, and a proof, which is a code or the mail that came back.

use tierdesk_core::mail::{Auto, AutoKind, Mailbox};

use super::subjects;
use crate::{bounce, fields::Fields};

/// An opening stands within so many lines that are not empty.
const OPENING_LINES: usize = 6;
/// So much of a text is looked at.
const TEXT_BYTES: usize = 64 * 1024;

/// How mail servers begin.
const OPENINGS: [&str; 32] = [
    "hi. this is the",
    "this message was created automatically by mail delivery software",
    "this is the mail system at host",
    "this is the mail delivery",
    "this is the postfix program at host",
    "i'm sorry to have to inform you that",
    "the original message was received at",
    "----- the following addresses had",
    "delivery has failed to these recipients",
    "your message to",
    "your message did not reach",
    "your message wasn't delivered",
    "message not delivered",
    "address not found",
    "your mail message to the following address",
    "sorry, we were unable to deliver your message",
    "sorry, i couldn't find",
    "we're sorry",
    "the following message to <",
    "the following recipient",
    "your message could not be delivered",
    "a message that you sent could not be delivered",
    "this is an automatically generated delivery status notification",
    "delivery to the following recipient",
    "this report relates to a message you sent",
    "unable to deliver",
    "mail delivery failed",
    "user unknown",
    "undeliverable mail",
    "failed to deliver to",
    "*** mail delivery",
    "could not deliver message to",
];

/// Openings that people write as well: only what gives a mail back below counts as proof.
const LOOSE: [&str; 7] = [
    "your message to ",
    "we're sorry",
    "address not found",
    "message not delivered",
    "unable to deliver",
    "user unknown",
    "undeliverable mail",
];

/// The finding, if a text is a server's that gives a mail back.
pub(crate) fn bounce_in_text(fields: &Fields<'_>, text: &str) -> Option<Auto> {
    let sender = fields.addresses("From").mailboxes.into_iter().next()?;
    let subject = fields.find_text("Subject").unwrap_or_default();
    if !is_servers(&sender) || !subjects::is_failure(&subject) {
        return None;
    }
    let text = &text[..text.floor_char_boundary(TEXT_BYTES)];
    let opening = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(OPENING_LINES)
        .map(str::to_lowercase)
        .find(|line| {
            // Some set the mail's data below in lines of their own.
            line == "your message" || OPENINGS.iter().any(|opening| line.starts_with(opening))
        })?;
    let is_loose = LOOSE.iter().any(|loose| opening.starts_with(loose));
    // People answer from such addresses, and send notices of all kinds.
    let is_anybody = sender
        .address
        .to_ascii_lowercase()
        .replace('-', "")
        .starts_with("noreply@");
    let is_coded = !is_loose && !is_anybody && bounce::has_code(text);
    let is_proven = is_coded || bounce::returned(text).is_some();
    is_proven.then(|| Auto {
        kind: AutoKind::Bounce,
        reason: Some(format!(
            "From: {} with the subject {subject:?} and {:?}",
            sender.address,
            opening.chars().take(60).collect::<String>()
        )),
    })
}

/// Names that mail servers write as.
fn is_servers(sender: &Mailbox) -> bool {
    const LOCAL_PARTS: [&str; 8] = [
        "mailer-daemon",
        "postmaster",
        "mailerdaemon",
        "mailer_daemon",
        "mail-daemon",
        "mdaemon",
        "noreply",
        "no-reply",
    ];
    let address = sender.address.to_ascii_lowercase();
    let local_part = address.split('@').next().unwrap_or_default();
    if LOCAL_PARTS.contains(&local_part) {
        return true;
    }
    // Exchange's own sender: its name and 32 hexadecimal digits.
    let exchange = local_part.strip_prefix("microsoftexchange");
    exchange.is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
