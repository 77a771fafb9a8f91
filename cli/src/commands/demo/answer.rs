//! One ticket is answered: written, handed over, and read back from the file that it left as.

use std::{collections::HashMap, collections::HashSet, fs, path::Path, sync::Arc};

use anyhow::Context as _;
use serde::Serialize;
use tierdesk_core::{
    clock::Timestamp,
    desk::{
        Desk,
        reply::{self, NewReply},
        tickets,
    },
    jobs::worker::Worker,
    mail::{Envelope, Mailbox},
    outgoing::{HeaderText, MailOut, Party},
    tickets::{Status, TicketNumber},
};
use tierdesk_outbound::{
    compose::Composer,
    relay::{Folder, Relay, Relays},
    send::SendMail,
    templates::Templates,
};

use super::DEMO;
use crate::output::{Output, Tone, local};

const SUPPORT: &str = "support@securebase.example";

const TEXT: &str = "Hello John,\n\n\
    the service behind the dashboard had run out of connections. It has more now, and the evidence is there again.\n\n\
    If it still shows an error, answer this mail.";

/// What became of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Answered {
    /// The ticket.
    pub(super) ticket: TicketNumber,
    /// Where it went with the answer.
    pub(super) status: Status,
    /// When the response that was promised was given.
    pub(super) met_at: Option<Timestamp>,
    /// The mail that left, as its receiver reads it.
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) subject: String,
    pub(super) text: String,
}

/// Answers a ticket; the mail leaves into `folder`.
pub(super) async fn run(
    desk: &Desk,
    number: TicketNumber,
    folder: &Path,
) -> anyhow::Result<Answered> {
    let mail_out = MailOut {
        composer: Arc::new(Composer::new(Templates::shipped())),
        sender: Party {
            address: SUPPORT.parse()?,
            name: Some(HeaderText::new("SecureBase support")),
        },
        tier_senders: HashMap::new(),
        enforces_tls: HashSet::new(),
    };
    let desk = Desk {
        mail_out: Some(Arc::new(mail_out)),
        own_address: Some(SUPPORT.parse()?),
        ..desk.clone()
    };
    let new = NewReply {
        text: TEXT.to_owned(),
        is_at_once: true,
        ..NewReply::default()
    };
    reply::reply(&desk, &DEMO, number, new).await?;
    let relays = Relays {
        default: Relay::Folder(Arc::new(Folder::new(folder))),
        by_domain: HashMap::new(),
    };
    let send = SendMail {
        desk: Arc::new(desk.clone()),
        relays: Arc::new(relays),
    };
    let worker = Worker::new(desk.database.clone(), "demo", vec![Arc::new(send)]);
    worker.drain().await?;
    let letter = fs::read_dir(folder)?
        .next()
        .context("no mail left")??
        .path();
    let mail = tierdesk_ingest::parse::parse(&fs::read(letter)?, &Envelope::default());
    let after = tickets::show(&desk, &DEMO, number).await?.ticket;
    Ok(Answered {
        ticket: number,
        status: after.status,
        met_at: after.sla.first_response.met_at,
        from: addresses(mail.from).concat(),
        to: addresses(mail.to),
        subject: mail.subject,
        text: mail.reply_text,
    })
}

fn addresses(parties: Vec<Mailbox>) -> Vec<String> {
    parties.into_iter().map(|party| party.address).collect()
}

pub(super) fn tell(answered: &Answered, out: &Output) {
    out.line("");
    let title = "It is answered; this mail left, and its response clock is met";
    out.line(out.paint(Tone::Strong, title));
    out.line(format!("  From: {}", answered.from));
    out.line(format!("  To: {}", answered.to.join(", ")));
    out.line(format!("  Subject: {}", answered.subject));
    out.line("");
    for line in answered.text.lines() {
        out.line(format!("  {line}").trim_end());
    }
    out.line("");
    let met = answered.met_at.map_or_else(|| "-".to_owned(), local);
    out.line(format!(
        "  {} is {} now; first response given {met}",
        answered.ticket, answered.status
    ));
}
