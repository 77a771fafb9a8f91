//! The directory: adding and changing customers, their domains and contacts; finding them.

mod check;
mod report;
mod retier;

pub use report::CustomerReport;

use super::{Desk, Error};
use crate::{
    customers::{
        AccountId, Contact, Customer, CustomerStatus, DomainName, EmailAddress, Prefix, Slug, fold,
        matching::{ResolveReport, Wanted},
    },
    permit::{
        Action, Actor, AddCustomer, ChangeContact, ChangeCustomer, ChangeDomain, ChangesDirectory,
        Permit, ReadDesk, Subject, authorise,
    },
    refusal::{Refusal, RefusalCode},
    staff::Attribute,
    store::{
        Tx,
        audit::{self, Change},
        customers::{self, lookup},
        tickets,
    },
    tiers::TierSlug,
    watchdog,
};
pub(super) use check::{
    check_contacts, check_demands, check_domains, check_handles, check_reserved, differences,
};
pub(super) use retier::retier;

/// Matches that one search shows.
const SEARCH_LIMIT: i64 = 50;

/// A customer to be added.
#[derive(Clone, Debug)]
pub struct NewCustomer {
    /// The handle; from the name where absent.
    pub slug: Option<Slug>,
    /// The company's name.
    pub name: String,
    /// The tier.
    pub tier: TierSlug,
    /// Mail domains.
    pub domains: Vec<DomainName>,
    /// Contacts' addresses.
    pub contacts: Vec<EmailAddress>,
    /// The short name in AWS.
    pub prefix: Option<Prefix>,
    /// Their AWS account.
    pub account_id: Option<AccountId>,
    /// Where they stand.
    pub status: CustomerStatus,
}

/// What to change of a customer; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct CustomerPatch {
    /// The company's name.
    pub name: Option<String>,
    /// The tier; open tickets follow.
    pub tier: Option<TierSlug>,
    /// Where they stand.
    pub status: Option<CustomerStatus>,
    /// The short name in AWS.
    pub prefix: Option<Prefix>,
    /// Their AWS account.
    pub account_id: Option<AccountId>,
    /// A framework that differs from the tier's; empty takes the tier's.
    pub framework: Option<String>,
    /// A price that differs from the tier's, in cents a month.
    pub monthly_price_cents: Option<i64>,
    /// Whether sub-domains count.
    pub include_subdomains: Option<bool>,
    /// What the contract asks of staff, in place of what it asked before.
    pub staff_attributes: Option<Vec<Attribute>>,
    /// Labels to set; an empty value removes one.
    pub tags: Vec<(String, String)>,
}

/// The customer with this handle, or a refusal that suggests the nearest.
pub(super) async fn get(tx: &mut Tx, slug: &str) -> Result<Customer, Error> {
    if let Ok(slug) = slug.parse::<Slug>()
        && let Some(customer) = customers::find_by_slug(tx, &slug).await?
    {
        return Ok(customer);
    }
    let refusal = Refusal::not_found("customer", slug);
    let known = customers::slugs(tx).await?;
    let nearest = known
        .iter()
        .map(|known| (strsim::osa_distance(known.as_str(), slug), known))
        .filter(|(distance, known)| *distance <= 2 || known.as_str().starts_with(slug))
        .min();
    Err(match nearest {
        Some((_, nearest)) => refusal.with_hint(format!("did you mean {nearest}?")),
        None => {
            refusal.with_hint("`tierdesk customer list` shows all, `customer search` finds one")
        }
    }
    .into())
}

/// The same, to be changed or given something.
pub(super) async fn get_to_change(tx: &mut Tx, slug: &str) -> Result<Customer, Error> {
    let customer = get(tx, slug).await?;
    check_reserved(&customer.slug)?;
    Ok(customer)
}

/// Adds a customer.
pub async fn add(desk: &Desk, actor: &Actor, new: NewCustomer) -> Result<CustomerReport, Error> {
    desk.tier(&new.tier)?;
    let slug = match new.slug {
        Some(slug) => slug,
        None => Slug::from_name(&new.name).map_err(|fault| {
            Refusal::invalid(fault.to_string()).with_hint("give one with --slug")
        })?,
    };
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, AddCustomer, Subject::Desk).await?;
    let now = permit.now();
    let contact = |address| Contact {
        id: permit.new_id(),
        address,
        name: None,
        role: None,
    };
    let contacts = new.contacts.into_iter().map(contact).collect();
    let customer = Customer {
        id: permit.new_id(),
        slug,
        name: new.name,
        tier: new.tier,
        framework: None,
        status: new.status,
        prefix: new.prefix,
        account_id: new.account_id,
        ou: None,
        monthly_price_cents: None,
        include_subdomains: true,
        staff_attributes: Vec::new(),
        tags: std::collections::BTreeMap::new(),
        domains: new.domains,
        contacts,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    insert(desk, &mut permit, &customer).await?;
    let change = Change::to(format!("customer:{}", customer.slug))
        .with("name", &customer.name)
        .with("tier", customer.tier.as_str())
        .with("domains", join(&customer.domains));
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(CustomerReport::new(desk, &customer, 0))
}

/// Checks a new customer's unique values and adds it.
pub(super) async fn insert<A: ChangesDirectory>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    customer: &Customer,
) -> Result<(), Error> {
    check_reserved(&customer.slug)?;
    check_handles(permit, customer).await?;
    check_domains(desk, permit, customer, &customer.domains, false).await?;
    check_contacts(permit, customer, &customer.contacts).await?;
    customers::insert(permit, customer).await?;
    Ok(())
}

/// Changes a customer. Open tickets follow a change of tier or framework in the same unit of work.
pub async fn set(
    desk: &Desk,
    actor: &Actor,
    slug: &str,
    patch: CustomerPatch,
) -> Result<CustomerReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut customer = get_to_change(&mut tx, slug).await?;
    let subject = Subject::Customer(customer.id);
    let mut permit = authorise(&mut tx, actor, ChangeCustomer, subject).await?;
    let before = customer.clone();
    if let Some(tier) = patch.tier {
        desk.tier(&tier)?;
        customer.tier = tier;
    }
    customer.name = patch.name.unwrap_or(customer.name);
    customer.status = patch.status.unwrap_or(customer.status);
    customer.prefix = patch.prefix.or(customer.prefix);
    customer.account_id = patch.account_id.or(customer.account_id);
    customer.monthly_price_cents = patch.monthly_price_cents.or(customer.monthly_price_cents);
    customer.include_subdomains = patch
        .include_subdomains
        .unwrap_or(customer.include_subdomains);
    customer.staff_attributes = patch.staff_attributes.unwrap_or(customer.staff_attributes);
    if let Some(framework) = patch.framework {
        customer.framework = Some(framework).filter(|framework| !framework.is_empty());
    }
    for (key, value) in patch.tags {
        if value.is_empty() {
            customer.tags.remove(&key);
        } else {
            customer.tags.insert(key, value);
        }
    }
    if customer != before {
        check_handles(&mut permit, &customer).await?;
        check_demands(desk, &mut permit, &before, &customer).await?;
        customers::update(&mut permit, &customer).await?;
        let retiered = retier(desk, &mut permit, &before, &customer).await?;
        let mut change = Change::to(format!("customer:{}", customer.slug));
        change.fields = differences(&before, &customer);
        audit::append(&mut permit, [vec![change], retiered].concat()).await?;
    }
    let open = tickets::open_counts(&mut permit, [customer.id]).await?;
    tx.commit().await?;
    let open = open.get(&customer.id).copied().unwrap_or(0);
    Ok(CustomerReport::new(desk, &customer, open))
}

/// Gives domains to a customer. One that is another's is refused, naming the owner, unless `moves`.
pub async fn add_domains(
    desk: &Desk,
    actor: &Actor,
    slug: &str,
    domains: Vec<DomainName>,
    moves: bool,
) -> Result<CustomerReport, Error> {
    let change = async |permit: &mut Permit<'_, ChangeDomain>, customer: &Customer| {
        let mut new: Vec<DomainName> = domains;
        new.retain(|domain| !customer.domains.contains(domain));
        if new.is_empty() {
            return Ok(None);
        }
        let mut change =
            Change::to(format!("customer:{}", customer.slug)).with("added", join(&new));
        if moves {
            let names = new.iter().map(ToString::to_string).collect();
            for (domain, owner) in lookup::domain_owners(permit, names).await? {
                customers::delete_domains(permit, std::slice::from_ref(&domain)).await?;
                change = change.with("moved", format!("{domain} from {}", owner.slug));
            }
        }
        check_domains(desk, permit, customer, &new, moves).await?;
        customers::insert_domains(permit, customer.id, &new).await?;
        Ok(Some(change))
    };
    change_directory(desk, actor, ChangeDomain, slug, change).await
}

/// Takes domains from a customer. Its tickets stay.
pub async fn remove_domains(
    desk: &Desk,
    actor: &Actor,
    slug: &str,
    domains: Vec<DomainName>,
) -> Result<CustomerReport, Error> {
    let change = async |permit: &mut Permit<'_, ChangeDomain>, customer: &Customer| {
        if let Some(other) = domains
            .iter()
            .find(|domain| !customer.domains.contains(domain))
        {
            let what = format!("domain {other} of");
            return Err(Refusal::not_found(&what, &customer.slug).into());
        }
        customers::delete_domains(permit, &domains).await?;
        let change = Change::to(format!("customer:{}", customer.slug));
        Ok(Some(change.with("removed", join(&domains))))
    };
    change_directory(desk, actor, ChangeDomain, slug, change).await
}

/// Says of a customer's domains that their mail servers take mail over verified TLS, on the customer's
/// word, or takes that back: tiers that demand it send there then.
pub async fn attest_tls(
    desk: &Desk,
    actor: &Actor,
    slug: &str,
    domains: Vec<DomainName>,
    is_attested: bool,
) -> Result<CustomerReport, Error> {
    let change = async |permit: &mut Permit<'_, ChangeDomain>, customer: &Customer| {
        for domain in &domains {
            if !customers::attest_tls(permit, customer.id, domain, is_attested).await? {
                let what = format!("domain {domain} of");
                return Err(Refusal::not_found(&what, &customer.slug).into());
            }
        }
        let field = if is_attested {
            "tls attested"
        } else {
            "tls no longer attested"
        };
        let change = Change::to(format!("customer:{}", customer.slug));
        Ok(Some(change.with(field, join(&domains))))
    };
    change_directory(desk, actor, ChangeDomain, slug, change).await
}

/// Gives a contact to a customer, or changes the name and role of one it has.
pub async fn add_contact(
    desk: &Desk,
    actor: &Actor,
    slug: &str,
    address: EmailAddress,
    name: Option<String>,
    role: Option<String>,
) -> Result<CustomerReport, Error> {
    let change = async |permit: &mut Permit<'_, ChangeContact>, customer: &Customer| {
        let known = customer
            .contacts
            .iter()
            .find(|contact| contact.address == address);
        let contact = Contact {
            id: permit.new_id(),
            name: name.or_else(|| known.and_then(|known| known.name.clone())),
            role: role.or_else(|| known.and_then(|known| known.role.clone())),
            address: address.clone(),
        };
        if known.is_some_and(|known| known.name == contact.name && known.role == contact.role) {
            return Ok(None);
        }
        match known {
            Some(_) => {
                customers::delete_contacts(permit, std::slice::from_ref(&address)).await?;
            }
            None => check_contacts(permit, customer, std::slice::from_ref(&contact)).await?,
        }
        customers::insert_contacts(permit, customer.id, vec![contact]).await?;
        let change = Change::to(format!("customer:{}", customer.slug));
        Ok(Some(change.with("contact", address.as_str())))
    };
    change_directory(desk, actor, ChangeContact, slug, change).await
}

/// Takes a contact from a customer.
pub async fn remove_contact(
    desk: &Desk,
    actor: &Actor,
    slug: &str,
    address: EmailAddress,
) -> Result<CustomerReport, Error> {
    let change = async |permit: &mut Permit<'_, ChangeContact>, customer: &Customer| {
        if customer
            .contacts
            .iter()
            .all(|contact| contact.address != address)
        {
            let what = format!("contact {address} of");
            return Err(Refusal::not_found(&what, &customer.slug).into());
        }
        customers::delete_contacts(permit, std::slice::from_ref(&address)).await?;
        let change = Change::to(format!("customer:{}", customer.slug));
        Ok(Some(change.with("removed contact", address.as_str())))
    };
    change_directory(desk, actor, ChangeContact, slug, change).await
}

/// The frame of a change to one customer: load, permit, change, audit, commit, report.
async fn change_directory<A: Action + ChangesDirectory>(
    desk: &Desk,
    actor: &Actor,
    action: A,
    slug: &str,
    change: impl AsyncFnOnce(&mut Permit<'_, A>, &Customer) -> Result<Option<Change>, Error>,
) -> Result<CustomerReport, Error> {
    let mut tx = desk.database.begin_write().await?;
    let customer = get_to_change(&mut tx, slug).await?;
    let subject = Subject::Customer(customer.id);
    let mut permit = authorise(&mut tx, actor, action, subject).await?;
    if let Some(change) = change(&mut permit, &customer).await? {
        audit::append(&mut permit, vec![change]).await?;
    }
    let customer = get(&mut permit, customer.slug.as_str()).await?;
    let open = tickets::open_counts(&mut permit, [customer.id]).await?;
    tx.commit().await?;
    let open = open.get(&customer.id).copied().unwrap_or(0);
    Ok(CustomerReport::new(desk, &customer, open))
}

/// Every customer, optionally of one tier; not the one that belongs to the desk's self-tests.
pub async fn list(
    desk: &Desk,
    actor: &Actor,
    tier: Option<&TierSlug>,
) -> Result<Vec<CustomerReport>, Error> {
    if let Some(tier) = tier {
        desk.tier(tier)?;
    }
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let mut found = customers::list(&mut permit).await?;
    found.retain(|customer| {
        customer.id != watchdog::CUSTOMER && tier.is_none_or(|tier| customer.tier == *tier)
    });
    reports(desk, &mut permit, found).await
}

/// Whatever `words` may mean: a handle, part of a name, a domain, an address, an account id.
pub async fn search(desk: &Desk, actor: &Actor, words: &str) -> Result<Vec<CustomerReport>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let found = find(&mut permit, words).await?;
    reports(desk, &mut permit, found).await
}

pub(super) async fn find(tx: &mut Tx, words: &str) -> Result<Vec<Customer>, Error> {
    let words = words.trim();
    let folded = fold(words);
    let found = match words.parse::<AccountId>() {
        Ok(account) => customers::search(tx, account.as_str(), SEARCH_LIMIT).await?,
        Err(_) => customers::search(tx, &folded, SEARCH_LIMIT).await?,
    };
    if !found.is_empty() {
        return Ok(found);
    }
    // An address nobody listed, or a sub-domain: whoever would get its mail.
    let address = match words.parse::<EmailAddress>() {
        Ok(address) => Some(address),
        Err(_) => words
            .parse::<DomainName>()
            .ok()
            .and_then(|d| format!("x@{d}").parse().ok()),
    };
    if let Some(address) = address {
        let directory = lookup::directory(tx, Wanted::of([&address])).await?;
        if let Some(customer) = directory.resolve(&address).customer {
            return Ok(vec![customers::get(tx, customer.id).await?]);
        }
    }
    // Several words: all of them, anywhere.
    let mut words = folded.split_whitespace();
    let Some(first) = words.next() else {
        return Ok(Vec::new());
    };
    let mut found = customers::search(tx, first, SEARCH_LIMIT).await?;
    for word in words {
        found.retain(|customer| customer.search_text().contains(word));
    }
    if found.is_empty() {
        let close = customers::list(tx).await?;
        found = close
            .into_iter()
            .filter(|customer| strsim::osa_distance(customer.slug.as_str(), &folded) <= 2)
            .collect();
    }
    Ok(found)
}

/// One customer by handle, or by anything that finds exactly one.
pub async fn show(desk: &Desk, actor: &Actor, words: &str) -> Result<CustomerReport, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let customer = match get(&mut permit, words).await {
        Ok(customer) => customer,
        Err(Error::Refused(refusal)) => {
            let mut found = find(&mut permit, words).await?;
            match found.len() {
                0 => return Err(refusal.into()),
                1 => found.remove(0),
                count => {
                    let slugs: Vec<&str> = found.iter().map(|c| c.slug.as_str()).collect();
                    let message = format!("{words} fits {count} customers: {}", slugs.join(", "));
                    return Err(Refusal::new(RefusalCode::Invalid, message)
                        .with_hint("name one of them")
                        .into());
                }
            }
        }
        Err(error) => return Err(error),
    };
    let mut found = reports(desk, &mut permit, vec![customer]).await?;
    Ok(found.remove(0))
}

/// Whose mail from this address would be.
pub async fn resolve(
    desk: &Desk,
    actor: &Actor,
    address: &EmailAddress,
) -> Result<ResolveReport, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let directory = lookup::directory(&mut permit, Wanted::of([address])).await?;
    Ok(ResolveReport::new(address, directory.resolve(address)))
}

/// Every customer with everything, for export; every desk makes the one for its self-tests itself.
pub async fn export(desk: &Desk, actor: &Actor) -> Result<Vec<Customer>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let mut all = customers::list(&mut permit).await?;
    all.retain(|customer| customer.id != watchdog::CUSTOMER);
    Ok(all)
}

async fn reports(
    desk: &Desk,
    tx: &mut Tx,
    found: Vec<Customer>,
) -> Result<Vec<CustomerReport>, Error> {
    let open = tickets::open_counts(tx, found.iter().map(|customer| customer.id)).await?;
    let count = |customer: &Customer| open.get(&customer.id).copied().unwrap_or(0);
    Ok(found
        .iter()
        .map(|customer| CustomerReport::new(desk, customer, count(customer)))
        .collect())
}

pub(in crate::desk) fn join<T: ToString>(domains: &[T]) -> String {
    domains
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}
