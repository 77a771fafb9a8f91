//! What must hold before anything is planned or reserved.

use std::collections::BTreeMap;

use super::super::{
    Desk, Error,
    customers::{check_contacts, check_domains, check_handles, check_reserved},
};
use crate::{
    clock::Timestamp,
    customers::{Contact, Customer, CustomerStatus, EmailAddress},
    ids::{ContactId, CustomerId},
    onboarding::{BlueprintError, Desired, Params, Run},
    refusal::{Refusal, RefusalCode},
    store::{
        Tx,
        customers::{self, lookup},
        onboarding,
    },
};

/// AWS takes root addresses of so many characters.
const LONGEST_ROOT: usize = 64;

/// The customer as the directory will have it: the record that is there, or a new one. Names,
/// domain and contact must be free or its own.
pub(super) async fn candidate(
    desk: &Desk,
    tx: &mut Tx,
    params: &Params,
) -> Result<(Customer, bool), Error> {
    check_reserved(&params.slug)?;
    let known = customers::find_by_slug(tx, &params.slug).await?;
    let is_known = known.is_some();
    let (id, contact, now): (CustomerId, ContactId, Timestamp) =
        (tx.new_id(), tx.new_id(), tx.now());
    let mut customer = known.unwrap_or_else(|| Customer {
        id,
        slug: params.slug.clone(),
        name: params.name.clone(),
        tier: params.tier.clone(),
        framework: None,
        status: CustomerStatus::Onboarding,
        prefix: None,
        account_id: None,
        ou: None,
        monthly_price_cents: None,
        include_subdomains: true,
        staff_attributes: Vec::new(),
        tags: BTreeMap::new(),
        domains: Vec::new(),
        contacts: Vec::new(),
        created_at: now,
        updated_at: now,
        version: 1,
    });
    if customer.tier != params.tier {
        let message = format!(
            "{} is a customer of the tier {} already, not {}; nothing was planned",
            customer.slug, customer.tier, params.tier
        );
        let hint = format!(
            "tierdesk customer set {} --tier {}",
            customer.slug, params.tier
        );
        return Err(Refusal::new(RefusalCode::Taken, message)
            .with_hint(hint)
            .into());
    }
    if matches!(
        customer.status,
        CustomerStatus::Suspended | CustomerStatus::Closed
    ) {
        let message = format!(
            "{} is {}; nothing was planned",
            customer.slug, customer.status
        );
        let hint = format!("tierdesk customer set {} --status prospect", customer.slug);
        return Err(Refusal::new(RefusalCode::WrongStatus, message)
            .with_hint(hint)
            .into());
    }
    customer.prefix = params.prefix.clone().or(customer.prefix);
    check_handles(tx, &customer).await?;
    let domains = std::slice::from_ref(&params.domain);
    check_domains(desk, tx, &customer, domains, false).await?;
    let person = Contact {
        id: contact,
        address: params.contact.clone(),
        name: None,
        role: None,
    };
    check_contacts(tx, &customer, std::slice::from_ref(&person)).await?;
    if !customer.domains.contains(&params.domain) {
        customer.domains.push(params.domain.clone());
    }
    if customer
        .contacts
        .iter()
        .all(|one| one.address != person.address)
    {
        customer.contacts.push(person);
    }
    Ok((customer, is_known))
}

/// The root address of the new account: of a domain that is ours, and nobody else's in the
/// directory or in another onboarding. Whether AWS has it already, the plan sees.
pub(super) async fn root_email(
    desk: &Desk,
    tx: &mut Tx,
    params: &Params,
) -> Result<EmailAddress, Error> {
    let wrong = |message: String, hint: &str| {
        Refusal::new(RefusalCode::Configuration, message).with_hint(hint)
    };
    let template = desk.blueprint.root_template().ok_or_else(|| {
        let message = "there is no template for root addresses; nothing was planned".to_owned();
        wrong(
            message,
            "set aws.root_email_template to an address of your own domain with {slug} in it, whose \
             mailbox only you read: it is the way back into the account",
        )
    })?;
    let address: EmailAddress = template
        .replace("{slug}", params.slug.as_str())
        .parse()
        .map_err(|fault| {
            wrong(
                format!("aws.root_email_template: {fault}"),
                "correct the template",
            )
        })?;
    if address.as_str().len() > LONGEST_ROOT {
        let message = format!("{address} is longer than the {LONGEST_ROOT} characters of AWS");
        return Err(wrong(message, "shorten aws.root_email_template").into());
    }
    let domain = address.domain();
    let names: Vec<String> = domain.self_and_parents().map(str::to_owned).collect();
    let is_theirs = names.iter().any(|name| name == params.domain.as_str());
    let owner = lookup::domain_owners(tx, names).await?.into_values().next();
    let owner = owner.map(|owner| owner.slug.to_string());
    if let Some(owner) = owner.or_else(|| is_theirs.then(|| params.slug.to_string())) {
        let message = format!(
            "the root address would be {address}, and {domain} is of the customer {owner}: whoever \
             reads that mailbox owns the account; nothing was planned"
        );
        let hint = "set aws.root_email_template to a domain of your own";
        return Err(wrong(message, hint).into());
    }
    let contacts = lookup::contact_owners(tx, vec![address.to_string()]).await?;
    let run = onboarding::find_by_root(tx, &address, &params.slug).await?;
    let run = run.map(|run| format!("the onboarding of {}", run.params.slug));
    let contact = contacts.into_values().next();
    let contact = contact.map(|owner| format!("a contact of {}", owner.slug));
    if let Some(holder) = contact.or(run) {
        let message = format!("the root address {address} is taken by {holder}");
        return Err(wrong(message, "change aws.root_email_template").into());
    }
    Ok(address)
}

/// What the run's customer is to have, under the present configuration.
pub(super) fn desired(desk: &Desk, run: &Run) -> Result<Desired, Error> {
    let tier = desk.tier(&run.params.tier)?;
    Desired::new(&desk.blueprint, tier, &run.params, run.root_email.clone())
        .map_err(|fault| misconfigured(&fault).into())
}

pub(super) fn misconfigured(fault: &BlueprintError) -> Refusal {
    Refusal::new(RefusalCode::Configuration, fault.to_string())
        .with_hint("correct it; nothing was planned or started")
}

/// A real organisation is changed only if the configuration names it, and only the one that was
/// planned for.
pub(super) fn organization(desk: &Desk, run: &Run) -> Result<(), Refusal> {
    let blueprint = &desk.blueprint;
    if run.cloud != blueprint.cloud() {
        let message = format!(
            "this onboarding was planned for the cloud {}, the configuration says {}; nothing was \
             started",
            run.cloud,
            blueprint.cloud()
        );
        return Err(Refusal::new(RefusalCode::Configuration, message)
            .with_hint("cancel it and plan again, or correct aws.cloud"));
    }
    if !blueprint.is_real {
        return Ok(());
    }
    let found = run.organization.as_deref().unwrap_or("an unknown one");
    match blueprint.organization_id.as_deref() {
        None => Err(Refusal::new(
            RefusalCode::Configuration,
            "a real organisation is changed only when the configuration names it; nothing was started",
        )
        .with_hint(format!(
            "the plan found organisation {found}: if it is yours, set aws.organization_id = \"{found}\""
        ))),
        Some(expected) if run.organization.as_deref() != Some(expected) => {
            let message = format!(
                "the plan found organisation {found}, the configuration names {expected}; nothing \
                 was started"
            );
            Err(Refusal::new(RefusalCode::Configuration, message)
                .with_hint("use the other organisation's credentials, or correct aws.organization_id"))
        }
        Some(_) => Ok(()),
    }
}
