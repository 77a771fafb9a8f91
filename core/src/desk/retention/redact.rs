//! Redacting: one message, one attachment or all of a ticket is removed, and what remains elsewhere is told.

use serde::Serialize;

use super::{check_ticket_hold, copies_elsewhere};
use crate::{
    desk::{
        Desk, Error,
        tickets::TicketReport,
        work_ticket::{Did, change_ticket_in},
    },
    masking,
    permit::{Actor, Permit, RedactTicket},
    receive::Road,
    refusal::{Refusal, RefusalCode},
    store::{
        chat, messages,
        removal::{self, Freed},
        search,
    },
    tickets::{Direction, Message, Ticket, TicketNumber},
};

/// What to remove of a ticket, and why.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    /// All messages.
    pub all: bool,
    /// These messages, by their places in `ticket show`, from 1.
    pub messages: Vec<usize>,
    /// These attachments, by their places in `ticket attachments`, from 1.
    pub attachments: Vec<usize>,
    /// Another subject.
    pub subject: Option<String>,
    /// Why; it is in the audit trail.
    pub reason: String,
}

/// What was removed, and what remains where.
#[derive(Clone, Debug, Serialize)]
pub struct Redacted {
    /// The ticket after it.
    pub ticket: TicketReport,
    /// How many messages lost their text.
    pub messages: usize,
    /// How many attachments were removed by themselves.
    pub attachments: usize,
    /// How many raw mails, attachments and letters are gone.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Copies that the desk cannot reach.
    pub remaining: Vec<String>,
}

/// Removes something for good. Messages on their way out are not touched: take them back first.
pub async fn redact(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    what: Redaction,
) -> Result<Redacted, Error> {
    check(&what)?;
    let mut tx = desk.database.begin_write().await?;
    let mut done = (0, 0, Freed::default(), Vec::new());
    let ticket = change_ticket_in(
        desk,
        &mut tx,
        actor,
        RedactTicket,
        number,
        async |permit, ticket| {
            check_ticket_hold(permit, ticket.id, number).await?;
            let all = messages::list_of_ticket(permit, ticket.id).await?;
            let chosen = chosen(number, &all, &what)?;
            let mut freed = Freed::default();
            let mut remaining = Vec::new();
            let instead = format!("(redacted {})", permit.now().to_jiff().strftime("%Y-%m-%d"));
            for message in &chosen {
                refuse_under_way(permit, message, number).await?;
                remaining.extend(whereabouts(permit, message).await?);
                let customer = ticket.customer_id;
                freed += removal::clear_message(permit, message.id, customer, &instead).await?;
            }
            let files = files(permit, number, &all, &what.attachments).await?;
            for (message, position) in &files {
                refuse_under_way(permit, message, number).await?;
                remaining.extend(whereabouts(permit, message).await?);
                let customer = ticket.customer_id;
                freed += removal::clear_file(permit, message.id, customer, *position).await?;
            }
            rename(permit, ticket, &what).await?;
            search::compact(permit).await?;
            if chat::find_current_post(permit, ticket.id).await?.is_some() {
                remaining.push(
                    "Discord: the card is edited; what it showed, and what was typed there, is Discord's"
                        .to_owned(),
                );
            }
            if !what.all {
                remaining.push(format!(
                    "later messages and letters of {number} may quote it: look at them, and redact those too"
                ));
                if what.subject.is_none() {
                    remaining.push("the ticket's subject, unless --subject gives another".to_owned());
                }
            }
            remaining.sort_unstable();
            remaining.dedup();
            remaining.extend(copies_elsewhere());
            done = (chosen.len(), files.len(), freed, remaining);
            Ok(Some(Did {
                kind: "redacted",
                details: vec![
                    ("messages", chosen.len().to_string()),
                    ("attachments", files.len().to_string()),
                    ("reason", what.reason.trim().to_owned()),
                ],
            }))
        },
    )
    .await?;
    tx.commit().await?;
    let (messages, attachments, freed, remaining) = done;
    Ok(Redacted {
        ticket,
        messages,
        attachments,
        contents: freed.contents,
        bytes: freed.bytes,
        remaining,
    })
}

fn check(what: &Redaction) -> Result<(), Refusal> {
    if what
        .subject
        .as_ref()
        .is_some_and(|text| text.trim().is_empty())
    {
        let message = "a ticket has a subject; nothing was removed";
        return Err(Refusal::new(RefusalCode::Empty, message));
    }
    if what.reason.trim().is_empty() {
        let message = "redacting has a reason; nothing was removed";
        return Err(Refusal::new(RefusalCode::Empty, message).with_hint("--reason TEXT"));
    }
    let is_nothing = !what.all
        && what.messages.is_empty()
        && what.attachments.is_empty()
        && what.subject.is_none();
    if is_nothing {
        let message = "nothing was named that should be removed";
        return Err(Refusal::new(RefusalCode::Empty, message)
            .with_hint("--message N, --attachment N, --subject TEXT, or --all"));
    }
    Ok(())
}

fn chosen(
    number: TicketNumber,
    all: &[Message],
    what: &Redaction,
) -> Result<Vec<Message>, Refusal> {
    if what.all {
        return Ok(all.to_vec());
    }
    let mut places = what.messages.clone();
    places.sort_unstable();
    places.dedup();
    let pick = |place: &usize| all.get(place.wrapping_sub(1)).cloned();
    let picked: Option<Vec<Message>> = places.iter().map(pick).collect();
    picked.ok_or_else(|| {
        Refusal::not_found("message", format!("of that number on {number}")).with_hint(format!(
            "{number} has {}: `ticket show` numbers them",
            all.len()
        ))
    })
}

/// The attachments at these places on the ticket: the message, and the place on it.
async fn files(
    permit: &mut Permit<'_, RedactTicket>,
    number: TicketNumber,
    all: &[Message],
    places: &[usize],
) -> Result<Vec<(Message, i64)>, Error> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let ids = all.iter().map(|message| message.id);
    let mut attached = messages::attachments(permit, ids).await?;
    let mut found = Vec::new();
    for message in all {
        let count = attached.remove(&message.id).map_or(0, |list| list.len());
        found.extend(
            (0..)
                .take(count)
                .map(|position| (message.clone(), position)),
        );
    }
    let pick = |place: &usize| found.get(place.wrapping_sub(1)).cloned();
    let picked: Option<Vec<_>> = places.iter().map(pick).collect();
    let picked = picked.ok_or_else(|| {
        Refusal::not_found("attachment", format!("of that number on {number}")).with_hint(format!(
            "{number} has {}: `tierdesk ticket attachments {number}` lists them",
            found.len()
        ))
    })?;
    Ok(picked)
}

async fn refuse_under_way(
    permit: &mut Permit<'_, RedactTicket>,
    message: &Message,
    number: TicketNumber,
) -> Result<(), Error> {
    if removal::letters_under_way(permit, message.id).await? == 0 {
        return Ok(());
    }
    let message = "a message that has not left yet cannot be redacted; nothing was removed";
    let hint =
        format!("take it back first (tierdesk ticket undo {number}), or wait until it has left");
    Err(Refusal::new(RefusalCode::Blocked, message)
        .with_hint(hint)
        .into())
}

async fn rename(
    permit: &mut Permit<'_, RedactTicket>,
    ticket: &mut Ticket,
    what: &Redaction,
) -> Result<(), Error> {
    let all = what.all.then(|| "(redacted)".to_owned());
    let Some(subject) = what.subject.clone().or(all) else {
        return Ok(());
    };
    let subject = masking::mask(subject.trim()).text.into_owned();
    removal::rename_ticket(permit, ticket.id, &subject).await?;
    ticket.subject = subject;
    Ok(())
}

/// Where else a message is.
async fn whereabouts(
    permit: &mut Permit<'_, RedactTicket>,
    message: &Message,
) -> Result<Vec<String>, Error> {
    let mut places = Vec::new();
    for (road, origin) in removal::roads(permit, message.id).await? {
        let origin = origin.unwrap_or_default();
        places.push(match road {
            Road::Imap => format!("the mailbox {origin}, unless it was deleted there"),
            Road::Maildir | Road::Mbox | Road::Eml => format!("the files at {origin}"),
            Road::Deliver | Road::Lmtp | Road::Smtp => {
                "the mail server that handed it over, if it keeps copies".to_owned()
            }
        });
    }
    match message.direction {
        Direction::In => places.push(format!("the mailbox of {}, who sent it", message.author)),
        Direction::Out => places.push("the mailboxes of whoever got it".to_owned()),
        Direction::Note => {}
    }
    Ok(places)
}
