//! A mail comes in: one, or many at once, through the same code.
//!
//! What a batch can touch is loaded in sets; each mail is decided in Rust against those sets and
//! what earlier mails of the same batch did (the overlay); everything is written in sets. An
//! answer whose parent comes later in the batch waits for it.

mod batch;
mod heed;
mod recall;
pub(super) use batch::Standing;
mod order;
mod write;

use std::collections::HashSet;

use super::{Desk, Error};
use crate::{
    customers::{EmailAddress, matching::Wanted},
    fault,
    permit::{Actor, ChangesTickets, Subject, authorise},
    receive::{Prepared, Receipt},
    store::{Tx, customers::lookup, messages, tickets},
    tickets::{TicketNumber, threading},
};
use batch::{Batch, Known};
pub use recall::recall;

/// Receives mails inside a unit of work that the caller commits. Returns one receipt a mail, in
/// the order given.
pub async fn receive_in<A: ChangesTickets>(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    action: A,
    items: &[Prepared],
) -> Result<Vec<Receipt>, Error> {
    let mut permit = authorise(tx, actor, action, Subject::Desk).await?;
    let mut batch = load(desk, &mut permit, items).await?;
    for index in order::parents_first(items) {
        batch.decide(&mut permit, index, &items[index])?;
    }
    let receipts = write::write(&mut permit, batch, items).await?;
    Ok(receipts)
}

/// Receives mails in one unit of work of its own.
pub async fn receive<A: ChangesTickets>(
    desk: &Desk,
    actor: &Actor,
    action: A,
    items: &[Prepared],
) -> Result<Vec<Receipt>, Error> {
    let mut tx = desk.database.begin_write().await?;
    let receipts = receive_in(desk, &mut tx, actor, action, items).await?;
    fault::point("receive.before_commit");
    tx.commit().await?;
    fault::point("receive.committed");
    Ok(receipts)
}

/// Loads what deciding these mails needs: a fixed number of queries, whatever their number.
async fn load<'d>(desk: &'d Desk, tx: &mut Tx, items: &[Prepared]) -> Result<Batch<'d>, Error> {
    let fingerprints = items
        .iter()
        .map(|item| item.mail.fingerprint.0.to_vec())
        .collect();
    let held = tickets::held_fingerprints(tx, fingerprints).await?;
    let fresh = || {
        items
            .iter()
            .filter(|item| !held.contains_key(&item.mail.fingerprint.0[..]))
    };
    let reported: Vec<EmailAddress> = items.iter().filter_map(Prepared::reported).collect();
    let senders = items.iter().filter_map(|item| item.sender.as_ref());
    let copied: Vec<EmailAddress> = items
        .iter()
        .flat_map(|item| item.copied().into_iter().map(|(address, _)| address))
        .collect();
    let wanted = Wanted::of(senders.chain(&reported).chain(&copied));
    let directory = lookup::directory(tx, wanted).await?;
    let referred: HashSet<String> = fresh()
        .flat_map(|item| threading::referred_ids(&item.mail))
        .map(str::to_owned)
        .collect();
    let holders = tickets::holders_of_header_ids(tx, referred).await?;
    let claimed: HashSet<TicketNumber> = fresh().flat_map(|item| item.claims.clone()).collect();
    let claimed = tickets::ids_of_numbers(tx, claimed).await?;
    let returned = fresh().filter_map(|item| item.mail.bounce.as_ref()?.original_id.clone());
    let sent = messages::sent_with_ids(tx, returned.collect::<HashSet<_>>()).await?;
    let robots = lookup::robots(tx, fresh().filter_map(|item| item.sender.as_ref())).await?;
    let own = fresh().filter_map(|item| item.mail.message_id.clone());
    let answers = tickets::holders_of_answers(tx, own.collect::<HashSet<_>>()).await?;
    let touched: HashSet<_> = holders
        .values()
        .chain(answers.values())
        .flatten()
        .chain(claimed.values())
        .chain(sent.values().filter_map(|(_, ticket)| ticket.as_ref()))
        .chain(held.values().filter_map(|(_, ticket)| ticket.as_ref()))
        .copied()
        .collect();
    let loaded = tickets::list_locked(tx, touched.iter().copied()).await?;
    let participants = tickets::participants(tx, touched).await?;
    let owners = loaded.iter().filter_map(|ticket| ticket.customer_id);
    let slugs = lookup::slugs_of(tx, owners).await?;
    let known = Known {
        directory,
        robots,
        held,
        holders,
        answers,
        claimed,
        sent,
    };
    Ok(Batch::new(
        desk,
        tx.now(),
        known,
        loaded,
        participants,
        slugs,
    ))
}
