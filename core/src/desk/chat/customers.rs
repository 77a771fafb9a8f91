//! Customers, as much of them as chat may see. Those shown by alias are found by alias alone.

use super::super::{
    Desk, Error,
    customers::{CustomerReport, find},
    tickets::not_found,
    work_ticket::{self, BindOptions},
};
use crate::{
    customers::{Customer, fold},
    disclosure::{self, CustomerFacts, DisclosedCustomer},
    permit::{Actor, BindTicket, ReadDesk, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{Tx, customers, tickets},
    tickets::TicketNumber,
    tiers::{Disclosure, Tier, TierSlug},
};

fn disclose(desk: &Desk, customer: &Customer, open: i64) -> DisclosedCustomer {
    let report = CustomerReport::new(desk, customer, open);
    disclosure::customer(&CustomerFacts {
        id: customer.id,
        slug: &customer.slug,
        name: &customer.name,
        tier: desk.catalogue.get(customer.tier.as_str()),
        framework: &report.framework,
        monthly_price_cents: report.monthly_price_cents,
        status: customer.status,
        prefix: customer.prefix.as_ref(),
        domains: &customer.domains,
        contacts: &customer.contacts,
        account_id: customer.account_id.as_ref(),
        ou: report.aws.ou.as_deref(),
        open_tickets: open,
    })
}

async fn disclose_all(
    desk: &Desk,
    tx: &mut Tx,
    found: &[Customer],
) -> Result<Vec<DisclosedCustomer>, Error> {
    let open = tickets::open_counts(tx, found.iter().map(|customer| customer.id)).await?;
    Ok(found
        .iter()
        .map(|customer| disclose(desk, customer, open.get(&customer.id).copied().unwrap_or(0)))
        .collect())
}

fn is_by_alias(desk: &Desk, customer: &Customer) -> bool {
    let tier = desk.catalogue.get(customer.tier.as_str());
    disclosure::level(tier) < Disclosure::Metadata
}

/// At most `limit` customers of tiers shown by alias whose alias begins like this.
async fn by_alias(
    desk: &Desk,
    tx: &mut Tx,
    words: &str,
    limit: usize,
) -> Result<Vec<Customer>, Error> {
    let wanted = words.trim().to_lowercase();
    let mut found = Vec::new();
    if !"client-".starts_with(&wanted) && !wanted.starts_with("client-") {
        return Ok(found);
    }
    let by_alias = |tier: &&Tier| tier.disclosure < Disclosure::Metadata;
    for tier in desk.catalogue.iter().filter(by_alias) {
        for id in customers::ids_of_tier(tx, &tier.slug).await? {
            if found.len() < limit && disclosure::alias(id).to_lowercase().starts_with(&wanted) {
                found.push(customers::get(tx, id).await?);
            }
        }
    }
    Ok(found)
}

/// At most `limit` customers that `words` may mean: handle, name, domain, address, account id, or
/// alias. For autocompletion, so it changes nothing and asks little of the database.
pub async fn search_customers(
    desk: &Desk,
    actor: &Actor,
    words: &str,
    limit: usize,
) -> Result<Vec<DisclosedCustomer>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let mut found = find(&mut permit, words).await?;
    found.retain(|customer| !is_by_alias(desk, customer));
    if found.len() < limit {
        let missing = limit - found.len();
        found.extend(by_alias(desk, &mut permit, words, missing).await?);
    }
    found.truncate(limit);
    disclose_all(desk, &mut permit, &found).await
}

/// The one customer that `words` mean.
pub async fn show_customer(
    desk: &Desk,
    actor: &Actor,
    words: &str,
) -> Result<DisclosedCustomer, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let customer = find_one(desk, &mut permit, words).await?;
    let mut shown = disclose_all(desk, &mut permit, &[customer]).await?;
    Ok(shown.remove(0))
}

/// The one customer that `words` mean, for use cases that act on it. A customer shown by alias is
/// found by that alone: an answer to a name, or to a part of one, would say whose alias it is.
pub(super) async fn find_one(desk: &Desk, tx: &mut Tx, words: &str) -> Result<Customer, Error> {
    let mut found = Vec::new();
    if words.trim().len() > "client-".len() {
        found = by_alias(desk, tx, words, 2).await?;
    }
    if found.is_empty() {
        found = find(tx, words).await?;
        found.retain(|customer| !is_by_alias(desk, customer));
    }
    let folded = fold(words.trim());
    let exact = found
        .iter()
        .position(|customer| customer.slug.as_str() == folded || fold(&customer.name) == folded);
    match (exact, found.len()) {
        (Some(place), _) => Ok(found.swap_remove(place)),
        (None, 1) => Ok(found.swap_remove(0)),
        (None, 0) => Err(Refusal::not_found("customer", words)
            .with_hint(
                "type a part of the name, the domain or the account, and pick from the list; a \
                 customer shown by alias is found by it (`tierdesk customer show` in the terminal says which)",
            )
            .into()),
        (None, many) => {
            let message = format!("{many} customers match {words}");
            Err(Refusal::new(RefusalCode::NotFound, message)
                .with_hint("type more of the name, and pick from the list")
                .into())
        }
    }
}

/// Binds a ticket to the customer that `words` mean. Not where more would stand in chat afterwards
/// than before: one slip would post what a strict tier keeps out of here.
pub async fn bind_ticket(
    desk: &Desk,
    actor: &Actor,
    number: TicketNumber,
    words: &str,
) -> Result<(), Error> {
    let (slug, is_laxer) = {
        let mut tx = desk.database.begin_read().await?;
        let mut permit = authorise(&mut tx, actor, BindTicket, Subject::Desk).await?;
        let customer = find_one(desk, &mut permit, words).await?;
        let found = tickets::find_by_number(&mut permit, number).await?;
        let ticket = found.ok_or_else(|| not_found(number))?;
        let level_of = |tier: &TierSlug| disclosure::level(desk.catalogue.get(tier.as_str()));
        let before = ticket.customer_id.and(ticket.tier.as_ref()).map(level_of);
        let is_laxer = before.is_some_and(|before| before < level_of(&customer.tier));
        (customer.slug, is_laxer)
    };
    if is_laxer {
        let message =
            format!("{number} would show more here than it does now; nothing was changed");
        return Err(Refusal::new(RefusalCode::NotInChat, message)
            .with_hint(format!(
                "in the terminal: tierdesk ticket bind {number} CUSTOMER"
            ))
            .into());
    }
    work_ticket::bind(desk, actor, number, slug.as_str(), BindOptions::default()).await?;
    Ok(())
}

/// Every customer, optionally of one tier.
pub async fn list_customers(
    desk: &Desk,
    actor: &Actor,
    tier: Option<&TierSlug>,
) -> Result<Vec<DisclosedCustomer>, Error> {
    if let Some(tier) = tier {
        desk.tier(tier)?;
    }
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let mut found = customers::list(&mut permit).await?;
    found.retain(|customer| tier.is_none_or(|tier| customer.tier == *tier));
    disclose_all(desk, &mut permit, &found).await
}
