//! What became of an arrival that somebody else processed.

use crate::{
    desk::{Desk, Error},
    ids::InboxId,
    permit::{Actor, ReadDesk, Subject, authorise},
    receive::Receipt,
    refusal::Refusal,
    store::{customers::lookup, inbox, messages, tickets},
    trust::SenderTrust,
};

/// The receipt of a processed arrival, from what was stored; `None` while it waits.
pub async fn recall(desk: &Desk, actor: &Actor, id: InboxId) -> Result<Option<Receipt>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let Some(processed) = inbox::find_processed(&mut permit, id).await? else {
        return Ok(None);
    };
    let message = match processed.message_id {
        Some(id) => messages::find(&mut permit, id).await?,
        None => None,
    };
    let ticket = match message.as_ref().and_then(|message| message.ticket_id) {
        Some(id) => tickets::find(&mut permit, id).await?,
        None => None,
    };
    let Some(message) = message else {
        return Err(Refusal::not_found("message of arrival", id).into());
    };
    let slugs = lookup::slugs_of(&mut permit, message.customer_id).await?;
    Ok(Some(Receipt {
        outcome: processed.outcome,
        ticket: ticket.as_ref().map(|ticket| ticket.number),
        customer: message.customer_id.and_then(|id| slugs.get(&id).cloned()),
        tier: ticket.as_ref().and_then(|ticket| ticket.tier.clone()),
        framework: ticket.as_ref().and_then(|ticket| ticket.framework.clone()),
        trust: message.trust.unwrap_or(SenderTrust::Unproven),
        kind: message.kind,
        severity: ticket.as_ref().map(|ticket| ticket.severity),
        priority: ticket.as_ref().map(|ticket| ticket.priority),
        reasons: ticket
            .map(|ticket| ticket.trust_reasons)
            .unwrap_or_default(),
    }))
}
