//! What a customer should have in the cloud, for comparing.

use super::super::{Desk, Error, customers::get};
use super::check;
use crate::{
    customers::AccountId,
    onboarding::{Desired, Params},
    permit::{Actor, Subject, VerifyCloud, authorise},
    refusal::{Refusal, RefusalCode},
    store::onboarding,
};

/// What the customer of this name is to have, and its account.
pub async fn to_verify(
    desk: &Desk,
    actor: &Actor,
    name: &str,
) -> Result<(Desired, AccountId), Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, VerifyCloud, Subject::Desk).await?;
    let customer = get(&mut permit, name).await?;
    let account = customer.account_id.clone().ok_or_else(|| {
        let message = format!("the directory knows no AWS account of {}", customer.slug);
        Refusal::new(RefusalCode::WrongStatus, message)
            .with_hint(format!("tierdesk onboard status {}", customer.slug))
    })?;
    let run = onboarding::find_done(&mut permit, &customer.slug).await?;
    let tier = desk.tier(&customer.tier)?;
    let contact = run.as_ref().map(|run| run.params.contact.clone());
    let any = contact
        .clone()
        .or_else(|| customer.contacts.first().map(|one| one.address.clone()));
    let (Some(any), Some(domain)) = (any, customer.domains.first()) else {
        let message = format!(
            "{} has no contact or no domain in the directory",
            customer.slug
        );
        return Err(Refusal::new(RefusalCode::WrongStatus, message)
            .with_hint("tierdesk customer contact add, domain add")
            .into());
    };
    let params = Params {
        slug: customer.slug.clone(),
        name: customer.name.clone(),
        tier: customer.tier.clone(),
        contact: any.clone(),
        domain: domain.clone(),
        prefix: customer.prefix.clone(),
    };
    // Only where nobody onboarded it here is there no root address; the account is found by its id.
    let root = run.map_or(any, |run| run.root_email);
    let mut desired = Desired::new(&desk.blueprint, tier, &params, root)
        .map_err(|fault| check::misconfigured(&fault))?;
    desired.contact = contact;
    Ok((desired, account))
}
