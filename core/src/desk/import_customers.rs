//! Bringing the directory in line with a file: first a plan of what would change, then the
//! changes, all or none. Repeated, it changes nothing. What a file does not say is left as it is;
//! nothing is ever removed by an import.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{
    Desk, Error,
    customers::{
        check_contacts, check_demands, check_domains, check_handles, check_reserved, insert, retier,
    },
};
use crate::{
    customers::{
        Contact, Customer, CustomerStatus, Slug,
        exchange::{ContactRecord, Record},
    },
    named::named_enum,
    permit::{Actor, ImportCustomers, Permit, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        audit::{self, Change},
        customers,
    },
};

named_enum! {
    /// What an import does to one customer.
    pub enum PlannedAction as "planned action" {
        /// It is new.
        Create = "create",
        /// It differs.
        Update = "update",
        /// It is as the file says.
        Unchanged = "unchanged",
    }
}

/// What an import does, or would do: `customer import --json`.
#[derive(Clone, Debug, Serialize)]
pub struct ImportPlan {
    /// New customers.
    pub created: usize,
    /// Customers that differ.
    pub updated: usize,
    /// Customers that are as the file says.
    pub unchanged: usize,
    /// Whether it was done; `false` for a dry run.
    pub applied: bool,
    /// One line a customer of the file.
    pub changes: Vec<PlannedChange>,
}

/// What an import does to one customer.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedChange {
    /// The handle.
    pub slug: Slug,
    /// In a word.
    pub action: PlannedAction,
    /// Each difference, in words.
    pub details: Vec<String>,
}

/// Plans the import and, unless it is a dry run, does it.
pub async fn import(
    desk: &Desk,
    actor: &Actor,
    records: Vec<Record>,
    is_dry_run: bool,
) -> Result<ImportPlan, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ImportCustomers, Subject::Desk).await?;
    let mut known: HashMap<Slug, Customer> = customers::list(&mut permit)
        .await?
        .into_iter()
        .map(|customer| (customer.slug.clone(), customer))
        .collect();
    let mut plan = ImportPlan {
        created: 0,
        updated: 0,
        unchanged: 0,
        applied: false,
        changes: Vec::new(),
    };
    let (mut faults, mut trail) = (Vec::new(), Vec::new());
    for record in records {
        let before = known.remove(&record.slug);
        match apply(desk, &mut permit, before, record).await {
            Ok((change, audited)) => {
                match change.action {
                    PlannedAction::Create => plan.created += 1,
                    PlannedAction::Update => plan.updated += 1,
                    PlannedAction::Unchanged => plan.unchanged += 1,
                }
                plan.changes.push(change);
                trail.extend(audited);
            }
            Err(Error::Refused(refusal)) => faults.push(refusal),
            Err(error) => return Err(error),
        }
    }
    if let Some(refusal) = together(faults) {
        return Err(refusal.into());
    }
    if !is_dry_run {
        audit::append(&mut permit, trail).await?;
        tx.commit().await?;
        plan.applied = true;
    }
    Ok(plan)
}

/// All refusals in one: nothing is imported while one record cannot be.
fn together(mut faults: Vec<Refusal>) -> Option<Refusal> {
    let first = faults.first()?.clone();
    if faults.len() == 1 {
        return faults.pop();
    }
    let lines: Vec<String> = faults.iter().map(|fault| fault.message.clone()).collect();
    let message = format!(
        "{} customers cannot be imported:\n{}",
        faults.len(),
        lines.join("\n")
    );
    Some(Refusal {
        code: RefusalCode::Invalid,
        message,
        hint: first.hint,
    })
}

/// Makes the directory say what one record says.
async fn apply(
    desk: &Desk,
    permit: &mut Permit<'_, ImportCustomers>,
    before: Option<Customer>,
    record: Record,
) -> Result<(PlannedChange, Vec<Change>), Error> {
    desk.tier(&record.tier).map_err(|refusal| Refusal {
        message: format!("{}: {refusal}", record.slug),
        ..refusal
    })?;
    let subject = format!("customer:{}", record.slug);
    match before {
        None => {
            let customer = new_customer(permit, record);
            insert(desk, permit, &customer).await?;
            let details = described(&customer);
            let change = Change::to(subject).with("created", details.join("; "));
            Ok((
                planned(customer.slug, PlannedAction::Create, details),
                vec![change],
            ))
        }
        Some(before) => {
            let (after, domains, contacts, details) = merge(permit, &before, record);
            if details.is_empty() {
                return Ok((
                    planned(after.slug, PlannedAction::Unchanged, details),
                    Vec::new(),
                ));
            }
            check_reserved(&after.slug)?;
            check_handles(permit, &after).await?;
            check_demands(desk, permit, &before, &after).await?;
            check_domains(desk, permit, &after, &domains, false).await?;
            let new: Vec<Contact> = contacts
                .iter()
                .filter(|contact| {
                    before
                        .contacts
                        .iter()
                        .all(|old| old.address != contact.address)
                })
                .cloned()
                .collect();
            check_contacts(permit, &after, &new).await?;
            let replaced: Vec<_> = contacts
                .iter()
                .map(|contact| contact.address.clone())
                .collect();
            customers::update(permit, &after).await?;
            customers::insert_domains(permit, after.id, &domains).await?;
            customers::delete_contacts(permit, &replaced).await?;
            customers::insert_contacts(permit, after.id, contacts).await?;
            let mut trail = retier(desk, permit, &before, &after).await?;
            trail.push(Change::to(subject).with("updated", details.join("; ")));
            Ok((planned(after.slug, PlannedAction::Update, details), trail))
        }
    }
}

fn planned(slug: Slug, action: PlannedAction, details: Vec<String>) -> PlannedChange {
    PlannedChange {
        slug,
        action,
        details,
    }
}

fn new_contact(permit: &mut Permit<'_, ImportCustomers>, record: ContactRecord) -> Contact {
    let ContactRecord {
        address,
        name,
        role,
    } = record;
    Contact {
        id: permit.new_id(),
        address,
        name,
        role,
    }
}

fn new_customer(permit: &mut Permit<'_, ImportCustomers>, record: Record) -> Customer {
    let now = permit.now();
    let contacts = record
        .contacts
        .into_iter()
        .map(|contact| new_contact(permit, contact))
        .collect();
    Customer {
        id: permit.new_id(),
        slug: record.slug,
        name: record.name,
        tier: record.tier,
        framework: record.framework,
        status: record.status.unwrap_or(CustomerStatus::Active),
        prefix: record.prefix,
        account_id: record.account_id,
        ou: None,
        monthly_price_cents: record.monthly_price_cents,
        include_subdomains: record.include_subdomains.unwrap_or(true),
        staff_attributes: record.staff_attributes.unwrap_or_default(),
        tags: record.tags,
        domains: record.domains,
        contacts,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

fn described(customer: &Customer) -> Vec<String> {
    let mut details = vec![format!("{} ({})", customer.name, customer.tier)];
    details.extend(
        customer
            .domains
            .iter()
            .map(|domain| format!("domain {domain}")),
    );
    details.extend(
        customer
            .contacts
            .iter()
            .map(|contact| format!("contact {}", contact.address)),
    );
    details
}

/// The customer as the file wants it, the domains and contacts to write, and the differences.
fn merge(
    permit: &mut Permit<'_, ImportCustomers>,
    before: &Customer,
    record: Record,
) -> (
    Customer,
    Vec<crate::customers::DomainName>,
    Vec<Contact>,
    Vec<String>,
) {
    let mut after = before.clone();
    let mut tags: BTreeMap<String, String> = before.tags.clone();
    tags.extend(record.tags);
    after.name = record.name;
    after.tier = record.tier;
    after.framework = record.framework.or(after.framework);
    after.status = record.status.unwrap_or(after.status);
    after.prefix = record.prefix.or(after.prefix);
    after.account_id = record.account_id.or(after.account_id);
    after.monthly_price_cents = record.monthly_price_cents.or(after.monthly_price_cents);
    after.include_subdomains = record
        .include_subdomains
        .unwrap_or(after.include_subdomains);
    after.staff_attributes = record.staff_attributes.unwrap_or(after.staff_attributes);
    after.tags = tags;
    let differences = super::customers::differences(before, &after);
    let mut details: Vec<String> = differences
        .into_iter()
        .map(|(name, change)| format!("{name}: {change}"))
        .collect();
    let mut domains = record.domains;
    domains.retain(|domain| !before.domains.contains(domain));
    details.extend(domains.iter().map(|domain| format!("+ domain {domain}")));
    let mut contacts = Vec::new();
    for contact in record.contacts {
        let known = before
            .contacts
            .iter()
            .find(|known| known.address == contact.address);
        let is_as_said = known.is_some_and(|known| {
            (contact.name.is_none() || contact.name == known.name)
                && (contact.role.is_none() || contact.role == known.role)
        });
        if is_as_said {
            continue;
        }
        let sign = if known.is_some() { "~" } else { "+" };
        details.push(format!("{sign} contact {}", contact.address));
        let mut new = new_contact(permit, contact);
        new.name = new
            .name
            .or_else(|| known.and_then(|known| known.name.clone()));
        new.role = new
            .role
            .or_else(|| known.and_then(|known| known.role.clone()));
        contacts.push(new);
    }
    (after, domains, contacts, details)
}
