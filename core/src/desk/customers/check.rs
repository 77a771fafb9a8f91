//! What must be free before a customer takes it. Looking first gives words that name the owner;
//! the unique keys of the database catch the race.

use std::collections::BTreeSet;

use super::{
    super::{Desk, Error},
    join,
};
use crate::{
    customers::{Contact, Customer, DomainError, DomainName, Slug},
    permit::{Action, Permit, missing},
    refusal::{Refusal, RefusalCode},
    staff::{Attribute, Role},
    store::{Tx, customers::lookup},
    watchdog,
};

/// Slug, prefix and account are nobody else's.
pub(in crate::desk) async fn check_handles(tx: &mut Tx, customer: &Customer) -> Result<(), Error> {
    let (prefix, account) = (customer.prefix.as_ref(), customer.account_id.as_ref());
    let holders = lookup::holders(tx, &customer.slug, prefix, account).await?;
    let mut others = holders.into_iter();
    if let Some(holder) = others.find(|holder| holder.id != customer.id) {
        let taken = if holder.slug == customer.slug {
            format!("the slug {}", holder.slug)
        } else if prefix.is_some() && holder.prefix.as_ref() == prefix {
            format!(
                "the prefix {}",
                customer.prefix.as_ref().map_or("", |p| p.as_str())
            )
        } else {
            format!(
                "the account {}",
                customer.account_id.as_ref().map_or("", |a| a.as_str())
            )
        };
        let message = format!("{taken} is taken by {}; nothing was changed", holder.slug);
        return Err(Refusal::new(RefusalCode::Taken, message)
            .with_hint("choose another")
            .into());
    }
    Ok(())
}

/// Each domain can be owned, and nobody else owns it or, unless `may_lie_under`, what it lies under.
pub(in crate::desk) async fn check_domains(
    desk: &Desk,
    tx: &mut Tx,
    customer: &Customer,
    domains: &[DomainName],
    may_lie_under: bool,
) -> Result<(), Error> {
    for domain in domains {
        domain
            .check_ownable(&desk.free_mail)
            .map_err(|fault| shared(customer, &fault))?;
    }
    let names: Vec<String> = domains
        .iter()
        .flat_map(|domain| {
            domain
                .self_and_parents()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let owners = lookup::domain_owners(tx, names).await?;
    for domain in domains {
        let under =
            |owned: &DomainName| domain.self_and_parents().any(|name| name == owned.as_str());
        let taken = owners.iter().find(|(owned, owner)| {
            let counts = *owned == domain || (owner.include_subdomains && !may_lie_under);
            owner.id != customer.id && counts && under(owned)
        });
        if let Some((owned, owner)) = taken {
            let what = if owned == domain {
                domain.to_string()
            } else {
                format!("{domain} lies under {owned}, which")
            };
            let message = format!(
                "{what} belongs to {} ({}); nothing was changed",
                owner.slug, owner.name
            );
            let hint = format!(
                "if it changed hands: tierdesk customer domain add {} {domain} --move",
                customer.slug
            );
            return Err(Refusal::new(RefusalCode::DomainTaken, message)
                .with_hint(hint)
                .into());
        }
    }
    Ok(())
}

fn shared(customer: &Customer, fault: &DomainError) -> Refusal {
    let hint = format!(
        "add the person instead: tierdesk customer contact add {} ADDRESS",
        customer.slug
    );
    Refusal::new(
        RefusalCode::DomainShared,
        format!("{fault}; nothing was changed"),
    )
    .with_hint(hint)
}

/// Each address is nobody else's contact.
pub(in crate::desk) async fn check_contacts(
    tx: &mut Tx,
    customer: &Customer,
    contacts: &[Contact],
) -> Result<(), Error> {
    let addresses = contacts
        .iter()
        .map(|contact| contact.address.to_string())
        .collect();
    let owners = lookup::contact_owners(tx, addresses).await?;
    if let Some((address, owner)) = owners.iter().find(|(_, owner)| owner.id != customer.id) {
        let message = format!(
            "{address} is a contact of {}; nothing was changed",
            owner.slug
        );
        let hint = format!(
            "remove it there first: tierdesk customer contact remove {} {address}",
            owner.slug
        );
        return Err(Refusal::new(RefusalCode::Taken, message)
            .with_hint(hint)
            .into());
    }
    Ok(())
}

/// Whoever takes a demand on staff away has what it asks for, or is an admin: nobody lets themselves in.
pub(in crate::desk) async fn check_demands<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    before: &Customer,
    after: &Customer,
) -> Result<(), Error> {
    let demanded = |customer: &Customer| -> BTreeSet<Attribute> {
        let tier = desk.catalogue.get(customer.tier.as_str());
        let by_tier = tier.map_or(&[][..], |tier| &tier.staff_attributes);
        let all = by_tier.iter().chain(&customer.staff_attributes);
        all.cloned().collect()
    };
    let (old, new) = (demanded(before), demanded(after));
    let gone: BTreeSet<Attribute> = old.difference(&new).cloned().collect();
    let Some(staff) = permit
        .staff()
        .filter(|_| permit.role() != Some(Role::Admin))
    else {
        return Ok(());
    };
    match missing(permit, staff, &gone).await? {
        Some(lacking) => {
            let message = format!(
                "{} would no longer ask for {lacking}, which is not attested of you; nothing was changed",
                before.slug
            );
            Err(Refusal::new(RefusalCode::NotPermitted, message)
                .with_hint("an admin, or somebody of whom it is attested, can do it")
                .into())
        }
        None => Ok(()),
    }
}

/// What changed between two states of a customer's own columns, for the audit trail.
pub(in crate::desk) fn differences(
    before: &Customer,
    after: &Customer,
) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let show = |customer: &Customer| {
        [
            ("name", customer.name.clone()),
            ("tier", customer.tier.to_string()),
            ("status", customer.status.to_string()),
            ("framework", text(&customer.framework)),
            (
                "prefix",
                customer
                    .prefix
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ),
            (
                "account",
                customer
                    .account_id
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ),
            (
                "price",
                customer
                    .monthly_price_cents
                    .map(|cents| cents.to_string())
                    .unwrap_or_default(),
            ),
            (
                "include_subdomains",
                customer.include_subdomains.to_string(),
            ),
            ("staff_attributes", join(&customer.staff_attributes)),
            ("tags", serde_json::json!(customer.tags).to_string()),
        ]
    };
    let pairs = show(before).into_iter().zip(show(after));
    let changed = pairs.filter(|((_, old), (_, new))| old != new);
    changed
        .map(|((name, old), (_, new))| (name, format!("{old} -> {new}")))
        .collect()
}

/// Refuses what is kept for the desk's self-tests.
pub(in crate::desk) fn check_reserved(slug: &Slug) -> Result<(), Refusal> {
    if slug.as_str() != watchdog::SLUG {
        return Ok(());
    }
    let message = format!("{slug} is kept for the desk's own self-tests; nothing was changed");
    Err(Refusal::new(RefusalCode::Taken, message)
        .with_hint("name another customer; docs/oncall.md says what self-tests are"))
}
