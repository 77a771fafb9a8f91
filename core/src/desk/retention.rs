//! How long things are kept: what is due, removing it, holds that keep it, redacting, erasing a person or a
//! customer.
//!
//! What is removed is removed everywhere in the desk: text, raw mail, attachments, letters, the index. The
//! audit chain stays valid, because it commits to salted hashes of values and not to the values. Every
//! removal looks for legal holds in its own transaction. What the desk cannot reach is named in the answer.

mod erase;
mod hold;
mod redact;
mod run;

use std::time::Duration;

use serde::Serialize;

pub use erase::{Erased, erase_customer, erase_person};
pub use hold::{HeldThing, hold, holds, lift};
pub use redact::{Redacted, Redaction, redact};
pub use run::{RetentionRun, run};

use super::{Desk, Error};
use crate::{
    clock::Timestamp,
    customers::Slug,
    ids::{AuditId, CustomerId, TicketId},
    permit::{Actor, PlanRetention, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        Tx, removal,
        retention::{self, Hold, OldEntry, Recorded},
    },
    tickets::{Ticket, TicketNumber},
    tiers::{Tier, TierSlug},
};

const DAY: Duration = Duration::from_hours(24);
/// Never shorter than the calendar's.
const YEAR: Duration = Duration::from_hours(366 * 24);

/// What is due to be removed, as `retention plan --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct RetentionPlan {
    /// When this was so.
    pub at: Timestamp,
    /// Tickets, the oldest first within a tier.
    pub tickets: Vec<DueReport>,
    /// Mails on no ticket, from machines and lists, that are due.
    pub recorded: u64,
    /// Audit entries whose values are due to be erased.
    pub audit_entries: u64,
}

/// A ticket of which something is due to be removed.
#[derive(Clone, Debug, Serialize)]
pub struct DueReport {
    /// The ticket.
    pub number: TicketNumber,
    /// Whose it is.
    pub customer: Option<Slug>,
    /// Its tier.
    pub tier: Option<TierSlug>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What is due.
    pub what: Due,
    /// The legal hold that keeps it.
    pub held: Option<String>,
}

/// What of a ticket is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// Raw mails and attachments; the texts stay.
    Raw,
    /// All that was written, and by whom.
    Ticket,
}

/// What is due to be removed now. Nothing is changed.
pub async fn plan(desk: &Desk, actor: &Actor) -> Result<RetentionPlan, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, PlanRetention, Subject::Desk).await?;
    plan_in(desk, &mut permit).await
}

async fn plan_in(desk: &Desk, tx: &mut Tx) -> Result<RetentionPlan, Error> {
    let now = tx.now();
    let mut due = Vec::new();
    for (slug, tier) in standings(desk) {
        let key = slug.as_ref().map_or("", TierSlug::as_str);
        let over = now.minus(YEAR * tier.ticket_retention_years);
        let whole = retention::due_tickets(tx, key, over).await?;
        let raw_over = now.minus(DAY * tier.raw_retention_days);
        let mut raw = retention::due_raw(tx, key, raw_over).await?;
        raw.retain(|one| whole.iter().all(|other| other.id != one.id));
        let found = whole.into_iter().map(|one| (one, Due::Ticket));
        for (one, what) in found.chain(raw.into_iter().map(|one| (one, Due::Raw))) {
            due.push(DueReport {
                held: kept_by(tx, one.id).await?,
                number: one.number,
                customer: one.customer,
                tier: slug.clone(),
                updated_at: one.updated_at,
                what,
            });
        }
    }
    let recorded = due_recorded(desk, tx).await?.len() as u64;
    let mut audit_entries = 0;
    let mut after = AuditId::default();
    loop {
        let (page, last) = old_page(desk, tx, after).await?;
        audit_entries += page.len() as u64;
        let Some(last) = last else { break };
        after = last;
    }
    Ok(RetentionPlan {
        at: now,
        tickets: due,
        recorded,
        audit_entries,
    })
}

/// Mails on no ticket whose time is over, without those of customers that are held.
async fn due_recorded(desk: &Desk, tx: &mut Tx) -> Result<Vec<Recorded>, Error> {
    let now = tx.now();
    let mut due = Vec::new();
    for (slug, tier) in standings(desk) {
        let key = slug.as_ref().map_or("", TierSlug::as_str);
        let over = now.minus(YEAR * tier.ticket_retention_years);
        for one in retention::due_recorded(tx, key, over).await? {
            let is_held = match one.customer_id {
                Some(id) => !retention::holds_on_customer(tx, id).await?.is_empty(),
                None => false,
            };
            if !is_held {
                due.push(one);
            }
        }
    }
    Ok(due)
}

/// Every tier, and what applies to tickets that are nobody's: the least strict one's times.
fn standings(desk: &Desk) -> Vec<(Option<TierSlug>, &Tier)> {
    let tiers = desk.catalogue.iter();
    let mut all: Vec<_> = tiers.map(|tier| (Some(tier.slug.clone()), tier)).collect();
    all.extend(desk.catalogue.iter().last().map(|tier| (None, tier)));
    all
}

/// One page of audit entries behind `after` whose values are due, and where the page ended; `None` at the
/// end.
async fn old_page(
    desk: &Desk,
    tx: &mut Tx,
    after: AuditId,
) -> Result<(Vec<OldEntry>, Option<AuditId>), Error> {
    let now = tx.now();
    let years = |tier: &Tier| tier.audit_retention_years;
    let shortest = desk.catalogue.iter().map(years).min().unwrap_or(u32::MAX);
    let longest = desk.catalogue.iter().map(years).max().unwrap_or(u32::MAX);
    let over = |years: u32| now.minus(YEAR * years);
    let page = retention::old_entries(tx, over(shortest), after).await?;
    let last = page.last().map(|entry| entry.id);
    let mut due = Vec::new();
    for entry in page {
        let (tier, is_held) = standing_of(tx, &entry.subject).await?;
        let tier = tier.and_then(|slug| desk.catalogue.get(&slug));
        if !is_held && entry.at < over(tier.map_or(longest, years)) {
            due.push(entry);
        }
    }
    Ok((due, last))
}

/// The tier whose times apply to what an audit entry is about, and whether a hold keeps it. What is about
/// neither ticket nor customer is kept the longest.
async fn standing_of(tx: &mut Tx, subject: &str) -> Result<(Option<String>, bool), Error> {
    if let Some(number) = subject.strip_prefix("ticket:")
        && let Ok(number) = number.parse::<TicketNumber>()
        && let Some(ticket) = crate::store::tickets::find_by_number(tx, number).await?
    {
        let holds = retention::holds_on_ticket(tx, ticket.id).await?;
        let tier = ticket.tier.map(|tier| tier.to_string());
        return Ok((tier, !holds.is_empty()));
    }
    if let Some(slug) = subject.strip_prefix("customer:")
        && let Ok(slug) = slug.parse::<Slug>()
        && let Some(customer) = crate::store::customers::find_by_slug(tx, &slug).await?
    {
        let holds = retention::holds_on_customer(tx, customer.id).await?;
        return Ok((Some(customer.tier.to_string()), !holds.is_empty()));
    }
    Ok((None, false))
}

/// What keeps a ticket from being emptied: a hold, or a letter that may still leave.
async fn kept_by(tx: &mut Tx, ticket: TicketId) -> Result<Option<String>, Error> {
    if let Some(why) = held_by(retention::holds_on_ticket(tx, ticket).await?) {
        return Ok(Some(why));
    }
    let waiting = removal::letters_under_way_on(tx, ticket).await?;
    Ok((waiting > 0).then(|| "a letter has not left yet: tierdesk mail outbox".to_owned()))
}

/// The first hold, in words.
fn held_by(holds: Vec<Hold>) -> Option<String> {
    let first = holds.into_iter().next()?;
    Some(format!("{} (since {})", first.reason, first.set_at))
}

/// Refuses to touch a ticket that is held, by itself or through its customer. The customer's row is held
/// first: a hold that is being set meanwhile is either seen, or set after this is done.
pub(in crate::desk) async fn check_ticket_hold(
    tx: &mut Tx,
    ticket: TicketId,
    number: TicketNumber,
) -> Result<(), Error> {
    retention::keep_holds_out(tx, ticket).await?;
    match held_by(retention::holds_on_ticket(tx, ticket).await?) {
        Some(why) => Err(held(&number.to_string(), &why).into()),
        None => Ok(()),
    }
}

/// Refuses to take apart a ticket that is held by itself: what moved to another would not be held any more.
pub(in crate::desk) async fn check_own_hold(tx: &mut Tx, ticket: &Ticket) -> Result<(), Error> {
    let mut holds = retention::holds_on_ticket(tx, ticket.id).await?;
    holds.retain(|hold| hold.ticket.is_some());
    match held_by(holds) {
        Some(why) => {
            let message = format!(
                "{} is under legal hold: {why}; it stays as it is, and nothing was changed",
                ticket.number
            );
            Err(Refusal::new(RefusalCode::Blocked, message)
                .with_hint(
                    "a hold on the customer holds all of their tickets, whatever becomes of each",
                )
                .into())
        }
        None => Ok(()),
    }
}

/// Refuses to touch a customer that is held, or of whose tickets one is.
async fn check_customer_hold(tx: &mut Tx, customer: CustomerId, slug: &Slug) -> Result<(), Error> {
    retention::keep_holds_out_of(tx, customer).await?;
    match held_by(retention::holds_on_customer(tx, customer).await?) {
        Some(why) => Err(held(slug.as_str(), &why).into()),
        None => Ok(()),
    }
}

/// Refuses to touch what is of a customer that is held as a whole.
async fn check_customer_own_hold(
    tx: &mut Tx,
    customer: CustomerId,
    slug: &Slug,
) -> Result<(), Error> {
    retention::keep_holds_out_of(tx, customer).await?;
    let mut holds = retention::holds_on_customer(tx, customer).await?;
    holds.retain(|hold| hold.customer.is_some());
    match held_by(holds) {
        Some(why) => Err(held(slug.as_str(), &why).into()),
        None => Ok(()),
    }
}

fn held(what: &str, why: &str) -> Refusal {
    let message = format!("{what} is under legal hold: {why}; nothing was removed");
    Refusal::new(RefusalCode::Blocked, message)
        .with_hint("tierdesk retention holds lists them; only whoever may lift it decides")
}

/// Copies that removing cannot reach, whatever it removes.
fn copies_elsewhere() -> Vec<String> {
    vec![
        "backups and copies of the database that were made before now".to_owned(),
        "the database's own log and free pages until it uses them again (SQLite: VACUUM)"
            .to_owned(),
    ]
}
