//! How mail leaves, as the configuration says: who it is from, its templates, its relays.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

use anyhow::Context as _;
use tierdesk_core::{
    customers::EmailAddress,
    desk::Desk,
    macros::Macros,
    mail::Provider,
    outgoing::{AccessTokens, HeaderText, MailOut, Party, PortFuture},
    refusal::{Refusal, RefusalCode},
    settings::{MailSettings, RelayLogin, Secret, Settings, SmtpRoute},
    telemetry,
    tiers::Catalogue,
};
use tierdesk_ingest::oauth::Tokens;
use tierdesk_outbound::{
    compose::Composer,
    relay::{Folder, Relay, Relays, Smtp},
    templates::Templates,
};

/// From whom mail is and in which words; `None` where nothing is sent.
pub(crate) fn mail_out(
    mail: &MailSettings,
    catalogue: &Catalogue,
    macros: &Macros,
) -> anyhow::Result<Option<Arc<MailOut>>> {
    if mail.out.default.is_none() {
        return Ok(None);
    }
    let composer = composer(mail, catalogue)?;
    composer.check_macros(macros).map_err(|error| {
        let message = format!("{}; nothing was started", telemetry::chain(&error));
        Refusal::new(RefusalCode::Configuration, message)
            .with_hint("correct it in the file that mail.macros names")
    })?;
    let name = mail.out.sender_name.as_deref().map(HeaderText::new);
    let party = |address: &str| -> anyhow::Result<Party> {
        let address: EmailAddress = address.parse().context("mail.address")?;
        let name = name.clone();
        Ok(Party { address, name })
    };
    let mut tier_senders = HashMap::new();
    for (slug, address) in &mail.out.senders {
        let tier = catalogue.get(slug).ok_or_else(|| {
            Refusal::new(
                RefusalCode::Configuration,
                format!(
                    "mail.senders names the tier {slug}, which there is not; nothing was started"
                ),
            )
        })?;
        tier_senders.insert(tier.slug.clone(), party(address)?);
    }
    let sender = party(&mail.address)?;
    let all = tier_senders.values().chain([&sender]);
    let domains: HashSet<String> = all.map(|one| one.address.domain().to_string()).collect();
    let enforces = |domain: &String| {
        let own = mail.out.by_domain.get(domain).map(AsRef::as_ref);
        let route = own.or(mail.out.default.as_ref());
        matches!(route, Some(SmtpRoute::Server(relay)) if relay.enforces_tls)
    };
    Ok(Some(Arc::new(MailOut {
        composer: Arc::new(composer),
        sender,
        tier_senders,
        enforces_tls: domains.into_iter().filter(enforces).collect(),
    })))
}

/// The templates, each rendered with samples.
pub(crate) fn composer(mail: &MailSettings, catalogue: &Catalogue) -> anyhow::Result<Composer> {
    let templates = Templates::load(mail.out.templates.as_deref());
    let checked = templates.and_then(|templates| {
        let composer = Composer::new(templates);
        let tiers: Vec<_> = catalogue.iter().map(|tier| tier.slug.clone()).collect();
        composer.check(&tiers).map(|()| composer)
    });
    checked.map_err(|error| {
        Refusal::new(
            RefusalCode::Configuration,
            format!("{}; nothing was started", telemetry::chain(&error)),
        )
        .with_hint("correct the file in the folder of mail.templates, or remove it there")
        .into()
    })
}

/// The ways out; `None` where nothing is sent.
pub(crate) fn relays(settings: &Settings, desk: &Arc<Desk>) -> anyhow::Result<Option<Relays>> {
    let out = &settings.mail.out;
    let Some(default) = &out.default else {
        return Ok(None);
    };
    let tokens = Arc::new(Tokens::new(settings.oauth.clone())?);
    let grants: Arc<dyn AccessTokens> = Arc::new(Grants {
        desk: Arc::clone(desk),
        tokens,
    });
    let relay = |route: &SmtpRoute| -> anyhow::Result<Relay> {
        Ok(match route {
            SmtpRoute::Folder(folder) => Relay::Folder(Arc::new(Folder::new(folder))),
            SmtpRoute::Server(settings) => {
                let needs_token = matches!(settings.login, RelayLogin::Token { .. });
                let tokens = needs_token.then(|| Arc::clone(&grants));
                Relay::Smtp(Arc::new(Smtp::new((**settings).clone(), tokens)?))
            }
        })
    };
    // One relay of several domains keeps to its number of connections.
    let (mut shared, mut by_domain) = (HashMap::new(), HashMap::new());
    for (domain, route) in &out.by_domain {
        let known = match shared.entry(Arc::as_ptr(route)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(relay(route)?),
        };
        by_domain.insert(domain.clone(), known.clone());
    }
    Ok(Some(Relays {
        default: relay(default)?,
        by_domain,
    }))
}

/// Tokens from the grants that `mail connect` stored.
#[derive(Debug)]
struct Grants {
    desk: Arc<Desk>,
    tokens: Arc<Tokens>,
}

impl AccessTokens for Grants {
    fn access<'p>(
        &'p self,
        provider: Provider,
        account: &'p str,
    ) -> PortFuture<'p, Result<Secret, String>> {
        Box::pin(async move {
            let token = self.tokens.access(&self.desk, provider, account).await;
            token.map_err(|error| telemetry::chain(&error))
        })
    }

    fn forget<'p>(&'p self, provider: Provider, account: &'p str) -> PortFuture<'p, ()> {
        Box::pin(self.tokens.forget(provider, account))
    }
}
