//! Proposing customers from the sender domains of a mailbox, so that one's own mail is not all
//! triage.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::Serialize;
use tierdesk_core::{
    customers::{DomainName, EmailAddress, Slug},
    desk::{Desk, customers},
    mail::AutoKind,
    permit::Actor,
    tiers::TierSlug,
    trust,
};
use tierdesk_ingest::parse;

use crate::{exit::Exit, output::Output};

/// A customer that the mailbox suggests.
#[derive(Debug, Serialize)]
struct Suggestion {
    slug: String,
    name: String,
    tier: TierSlug,
    domains: Vec<DomainName>,
    /// How many mails of people came from there.
    mails: u64,
    /// Who wrote them.
    people: BTreeSet<EmailAddress>,
}

pub(super) async fn run(
    desk: &Desk,
    actor: &Actor,
    paths: &[PathBuf],
    tier: &TierSlug,
    as_toml: bool,
    output: &Output,
) -> anyhow::Result<Exit> {
    desk.tier(tier)?;
    let mut senders: BTreeMap<EmailAddress, u64> = BTreeMap::new();
    for source in super::sources::open(paths)? {
        for mail in source.mails() {
            let Ok(mail) = mail else { continue };
            let parsed = parse::parse(&mail.bytes, &mail.envelope);
            if let (AutoKind::None, Ok(sender)) = (parsed.auto.kind, trust::sender_of(&parsed)) {
                *senders.entry(sender).or_default() += 1;
            }
        }
    }
    let mut found: BTreeMap<String, Suggestion> = BTreeMap::new();
    for (sender, mails) in senders {
        let Some(domain) = suggestible(desk, actor, &sender).await? else {
            continue;
        };
        let label = domain.as_str().split('.').next().unwrap_or_default();
        let entry = found
            .entry(domain.to_string())
            .or_insert_with(|| Suggestion {
                slug: Slug::from_name(label)
                    .map(|slug| slug.to_string())
                    .unwrap_or_default(),
                name: capitalised(label),
                tier: tier.clone(),
                domains: vec![domain.clone()],
                mails: 0,
                people: BTreeSet::new(),
            });
        entry.mails += mails;
        entry.people.insert(sender);
    }
    let mut found: Vec<Suggestion> = found.into_values().collect();
    found.sort_by(|a, b| b.mails.cmp(&a.mails).then(a.slug.cmp(&b.slug)));
    distinguish(&mut found);
    output.answer(&found, |out| {
        if as_toml {
            toml(out, &found);
        } else {
            table(out, &found);
        }
    })
}

/// The sender's domain, if it could be a customer's, is nobody's yet and imitates nobody's.
async fn suggestible(
    desk: &Desk,
    actor: &Actor,
    sender: &EmailAddress,
) -> anyhow::Result<Option<DomainName>> {
    let Ok(domain) = sender.domain().registrable().parse::<DomainName>() else {
        return Ok(None);
    };
    let is_ours = desk
        .own_address
        .as_ref()
        .is_some_and(|own| own.domain() == sender.domain());
    if is_ours || domain.check_ownable(&desk.free_mail).is_err() {
        return Ok(None);
    }
    let known = customers::resolve(desk, actor, sender).await?;
    let is_new = known.customer.is_none() && known.look_alike_of.is_none();
    Ok(is_new.then_some(domain))
}

/// Two domains with one first label get different handles.
fn distinguish(found: &mut [Suggestion]) {
    let mut seen = BTreeSet::new();
    for one in found {
        if !seen.insert(one.slug.clone()) {
            let name = one.domains[0].as_str();
            one.slug = Slug::from_name(name)
                .map(|slug| slug.to_string())
                .unwrap_or_default();
            seen.insert(one.slug.clone());
        }
    }
}

fn capitalised(label: &str) -> String {
    let mut letters = label.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn table(out: &Output, found: &[Suggestion]) {
    if found.is_empty() {
        return out.line("No domain in there could be a new customer's.");
    }
    let row = |one: &Suggestion| {
        let people: Vec<&str> = one
            .people
            .iter()
            .take(3)
            .map(EmailAddress::as_str)
            .collect();
        let more = one.people.len().saturating_sub(people.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        vec![
            one.slug.clone(),
            one.domains[0].to_string(),
            one.mails.to_string(),
            format!("{}{more}", people.join(" ")),
        ]
    };
    out.table(
        &["slug", "domain", "mails", "people"],
        found.iter().map(row).collect(),
    );
    out.line("");
    out.line("To take them over: add --toml > customers.toml, set names and tiers there, then");
    out.line("  tierdesk customer import customers.toml");
}

fn toml(out: &Output, found: &[Suggestion]) {
    out.line("# Proposed from a mailbox. Set names and tiers, delete what is no customer.");
    for one in found {
        out.line("");
        out.line(format!(
            "# mails: {}, people: {}",
            one.mails,
            one.people.len()
        ));
        out.line("[[customers]]");
        out.line(format!("slug = {:?}", one.slug));
        out.line(format!("name = {:?}", one.name));
        out.line(format!("tier = {:?}", one.tier.as_str()));
        out.line(format!("domains = [{:?}]", one.domains[0].as_str()));
    }
}
