//! Erasing a person, or a customer that has left.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use serde::Serialize;

use super::{check_customer_hold, check_customer_own_hold, check_ticket_hold, copies_elsewhere};
use crate::{
    customers::{CustomerStatus, EmailAddress},
    desk::{
        Desk, Error, chat, customers as directory,
        work_ticket::{Did, record},
    },
    permit::{Actor, EraseData, Permit, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        audit::{self, Change},
        customers::{self, lookup},
        messages,
        removal::{self, Freed, REMOVED},
        retention, search, tickets,
    },
    tickets::TicketNumber,
};

/// What was erased, and what remains where.
#[derive(Clone, Debug, Serialize)]
pub struct Erased {
    /// What stands in the person's place, or the customer's handle.
    pub instead: String,
    /// Tickets from which something was erased.
    pub tickets: Vec<TicketNumber>,
    /// Messages that lost their text.
    pub messages: usize,
    /// Raw mails, attachments and letters that are gone.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Audit entries from which values were erased.
    pub audit_entries: usize,
    /// Tickets on which other people's texts name the person.
    pub named_in: Vec<TicketNumber>,
    /// Copies that the desk cannot reach.
    pub remaining: Vec<String>,
}

/// Erases a person: what they wrote, their address wherever it stands, their contact. Tickets stay, with a
/// name that means nothing in the person's place. What others wrote about them is named, and stays.
pub async fn erase_person(
    desk: &Desk,
    actor: &Actor,
    address: &EmailAddress,
    reason: &str,
) -> Result<Erased, Error> {
    check_reason(reason)?;
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, EraseData, Subject::Desk).await?;
    let touched = removal::tickets_naming(&mut permit, address.as_str()).await?;
    let numbers = removal::numbers(&mut permit, &touched).await?;
    let written = removal::written_by(&mut permit, address.as_str()).await?;
    let owners = lookup::contact_owners(&mut permit, vec![address.to_string()]).await?;
    let is_contact = !owners.is_empty();
    if touched.is_empty() && written.is_empty() && !is_contact {
        return Err(Refusal::not_found("person", address).into());
    }
    for number in &numbers {
        if let Some(ticket) = tickets::find_by_number_locked(&mut permit, *number).await? {
            check_ticket_hold(&mut permit, ticket.id, *number).await?;
        }
    }
    let owners = owners.into_values().map(|customer| customer.id);
    let customers: BTreeSet<_> = owners
        .chain(written.iter().filter_map(|one| one.customer_id))
        .collect();
    for id in customers {
        let customer = customers::get(&mut permit, id).await?;
        check_customer_own_hold(&mut permit, id, &customer.slug).await?;
    }
    if removal::is_letter_under_way(&mut permit, address.as_str()).await? {
        return Err(under_way().into());
    }
    let instead = pseudonym(&mut permit);
    let mut freed = Freed::default();
    for one in &written {
        refuse_under_way(&mut permit, one.id).await?;
        freed += removal::clear_message(&mut permit, one.id, one.customer_id, REMOVED).await?;
    }
    removal::rename_person(&mut permit, address.as_str(), &instead).await?;
    if is_contact {
        customers::delete_contacts(&mut permit, std::slice::from_ref(address)).await?;
    }
    let audit_entries = erase_values(&mut permit, address.as_str()).await?;
    let named_in = removal::texts_naming(&mut permit, address.as_str()).await?;
    for number in &numbers {
        let Some(ticket) = tickets::find_by_number(&mut permit, *number).await? else {
            continue;
        };
        let did = Did {
            kind: "erased",
            details: vec![("instead", instead.clone())],
        };
        record(&mut permit, &ticket, did).await?;
        chat::post_later(desk, &mut permit, &ticket).await?;
    }
    let change = Change::to("desk")
        .with("instead", &*instead)
        .with("messages", written.len().to_string())
        .with("reason", reason.trim());
    audit::append(&mut permit, vec![change]).await?;
    search::compact(&mut permit).await?;
    let recorded = removal::recorded_naming(&mut permit, address.as_str()).await?;
    tx.commit().await?;
    let mut remaining = vec![
        "the person's own mailbox, and those of whoever wrote to them".to_owned(),
        "raw mails of others that name them in To or Cc, until their time is over".to_owned(),
    ];
    if recorded > 0 {
        remaining.push(format!(
            "{recorded} mails on no ticket, such as bounces, that name the address in their text"
        ));
    }
    remaining.extend(copies_elsewhere());
    Ok(Erased {
        instead,
        tickets: numbers,
        messages: written.len(),
        contents: freed.contents,
        bytes: freed.bytes,
        audit_entries,
        named_in,
        remaining,
    })
}

/// Erases everything that a customer who has left wrote and was written: their tickets keep numbers, times
/// and severities; contacts go; the keys that seal their mail are destroyed, so that copies of it in backups
/// cannot be read any more. Audit entries stay until their time is over.
pub async fn erase_customer(
    desk: &Desk,
    actor: &Actor,
    slug: &str,
    reason: &str,
) -> Result<Erased, Error> {
    check_reason(reason)?;
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, EraseData, Subject::Desk).await?;
    let customer = directory::get(&mut permit, slug).await?;
    if customer.status != CustomerStatus::Closed {
        let message = format!("{slug} is {}; nothing was erased", customer.status);
        let hint =
            format!("only who has left is erased: tierdesk customer set {slug} --status closed");
        return Err(Refusal::new(RefusalCode::WrongStatus, message)
            .with_hint(hint)
            .into());
    }
    check_customer_hold(&mut permit, customer.id, &customer.slug).await?;
    let ids = removal::tickets_of(&mut permit, customer.id).await?;
    let numbers = removal::numbers(&mut permit, &ids).await?;
    let mut freed = Freed::default();
    let mut count = 0;
    for number in &numbers {
        let Some(mut ticket) = tickets::find_by_number_locked(&mut permit, *number).await? else {
            continue;
        };
        for message in messages::list_of_ticket(&mut permit, ticket.id).await? {
            refuse_under_way(&mut permit, message.id).await?;
            let owner = ticket.customer_id;
            freed += removal::clear_message(&mut permit, message.id, owner, REMOVED).await?;
            count += 1;
        }
        removal::rename_ticket(&mut permit, ticket.id, REMOVED).await?;
        removal::strip_people(&mut permit, ticket.id).await?;
        REMOVED.clone_into(&mut ticket.subject);
        let did = Did {
            kind: "erased",
            details: vec![("customer", slug.to_owned())],
        };
        record(&mut permit, &ticket, did).await?;
        chat::post_later(desk, &mut permit, &ticket).await?;
    }
    for one in retention::recorded_of(&mut permit, customer.id).await? {
        freed += removal::clear_message(&mut permit, one.id, one.customer_id, REMOVED).await?;
        removal::strip_recorded(&mut permit, one.id).await?;
        count += 1;
    }
    let contacts: Vec<EmailAddress> = customer
        .contacts
        .iter()
        .map(|contact| contact.address.clone())
        .collect();
    customers::delete_contacts(&mut permit, &contacts).await?;
    let keys = removal::destroy_keys(&mut permit, customer.id).await?;
    let change = Change::to(format!("customer:{slug}"))
        .with("erased tickets", numbers.len().to_string())
        .with("destroyed keys", keys.to_string())
        .with("reason", reason.trim());
    audit::append(&mut permit, vec![change]).await?;
    search::compact(&mut permit).await?;
    tx.commit().await?;
    let mut remaining = vec![
        "the customer's name, domains and price in the directory".to_owned(),
        "audit entries, until their time is over (retention run)".to_owned(),
        "the customer's own mailboxes".to_owned(),
    ];
    if keys == 0 {
        remaining.push("copies of their mail in backups can be read: it was not sealed".to_owned());
    }
    remaining.extend(copies_elsewhere());
    Ok(Erased {
        instead: slug.to_owned(),
        tickets: numbers,
        messages: count,
        contents: freed.contents,
        bytes: freed.bytes,
        audit_entries: 0,
        named_in: Vec::new(),
        remaining,
    })
}

fn check_reason(reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() {
        let message = "erasing has a reason; nothing was erased";
        return Err(Refusal::new(RefusalCode::Empty, message).with_hint("--reason TEXT"));
    }
    Ok(())
}

async fn refuse_under_way(
    permit: &mut Permit<'_, EraseData>,
    message: crate::ids::MessageId,
) -> Result<(), Error> {
    if removal::letters_under_way(permit, message).await? == 0 {
        return Ok(());
    }
    Err(under_way().into())
}

fn under_way() -> Refusal {
    let message = "a message of theirs, or to them, has not left yet; nothing was erased";
    Refusal::new(RefusalCode::Blocked, message)
        .with_hint("tierdesk mail outbox lists what waits; take it back, or let it go first")
}

/// A name that means nothing, another one each time.
fn pseudonym(permit: &mut Permit<'_, EraseData>) -> String {
    let random: [u8; 4] = permit.random();
    format!("erased-{}", HEXLOWER.encode(&random))
}

/// Erases the values of audit entries that name an address; the chain holds without them.
async fn erase_values(permit: &mut Permit<'_, EraseData>, address: &str) -> Result<usize, Error> {
    let mut erased = 0;
    for mut entry in retention::entries_naming(permit, address).await? {
        let named = entry.fields.iter_mut().filter(|field| {
            let value = field.value.as_deref().unwrap_or_default();
            removal::names(value, address)
        });
        let mut is_named = false;
        for field in named {
            field.erase();
            is_named = true;
        }
        if is_named {
            retention::set_fields(permit, &entry).await?;
            erased += 1;
        }
    }
    Ok(erased)
}
