//! Mail that was kept and opened nothing: from machines, from lists, our own come back. Whoever misses a mail
//! looks here.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Desk, Error, reading::Reader};
use crate::{
    clock::Timestamp,
    ids::CustomerId,
    permit::{Actor, ReadDesk, Subject, authorise},
    store::{customers, messages},
    tickets::MessageKind,
    trust::SenderTrust,
};

/// A mail that is on no ticket.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedMail {
    /// When it came.
    pub at: Timestamp,
    /// What it was taken for.
    pub kind: MessageKind,
    /// Who sent it.
    pub from: String,
    /// Masked.
    pub subject: String,
    /// How far the sender can be believed.
    pub trust: Option<SenderTrust>,
    /// Why it opened nothing, and what was odd.
    pub reasons: Vec<String>,
}

/// The newest mails that are on no ticket.
pub async fn list(desk: &Desk, actor: &Actor, limit: i64) -> Result<Vec<RecordedMail>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let found = messages::list_on_no_ticket(&mut permit, limit).await?;
    let reader = Reader::of(&mut permit).await?;
    let ids: BTreeSet<CustomerId> = found.iter().filter_map(|one| one.customer_id).collect();
    let ids: Vec<CustomerId> = ids.into_iter().collect();
    let customers = customers::list_by_id(&mut permit, &ids).await?;
    let tier_of = |id: Option<CustomerId>| {
        let customer = customers.iter().find(|one| Some(one.id) == id);
        customer.map(|customer| &customer.tier)
    };
    let report = found.into_iter().map(|message| {
        let (id, tier) = (message.customer_id, tier_of(message.customer_id));
        let subject = reader.withheld_of(tier, id);
        RecordedMail {
            at: message.received_at,
            kind: message.kind,
            from: message.author,
            subject: subject.unwrap_or(message.subject),
            trust: message.trust,
            reasons: message.findings,
        }
    });
    Ok(report.collect())
}
