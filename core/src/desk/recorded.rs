//! Mail that was kept and opened nothing: from machines, from lists, our own come back. Whoever misses a mail
//! looks here.

use serde::Serialize;

use super::{Desk, Error};
use crate::{
    clock::Timestamp,
    permit::{Actor, ReadDesk, Subject, authorise},
    store::messages,
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
    let report = found.into_iter().map(|message| RecordedMail {
        at: message.received_at,
        kind: message.kind,
        from: message.author,
        subject: message.subject,
        trust: message.trust,
        reasons: message.findings,
    });
    Ok(report.collect())
}
