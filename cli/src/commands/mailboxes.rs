//! Mailboxes on servers: how they stand, and letting the desk into one.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;
use tierdesk_core::{
    desk::{
        Desk,
        mailboxes::{self, MailStatus},
    },
    mail::Provider,
    permit::Actor,
    refusal::{Refusal, RefusalCode},
    settings::{ImapLogin, Secret, Settings},
};
use tierdesk_ingest::oauth::{Granted, TokenError, Tokens};

use crate::{
    exit::Exit,
    output::{Output, local},
};

/// `mail status`
pub(super) async fn status(desk: &Desk, actor: &Actor, output: &Output) -> anyhow::Result<Exit> {
    let status = mailboxes::status(desk, actor).await?;
    output.answer(&status, |out| show(out, &status))
}

fn show(out: &Output, status: &MailStatus) {
    if status.mailboxes.is_empty() {
        out.line("No mailbox was ever read. [[mail.imap]] in the configuration names one.");
    } else {
        let rows = status.mailboxes.iter().map(|mailbox| {
            vec![
                mailbox.mailbox.clone(),
                mailbox.state.to_owned(),
                mailbox.last_ok_at.map_or_else(|| "never".to_owned(), local),
                if mailbox.is_served { "yes" } else { "no" }.to_owned(),
                mailbox.last_uid.to_string(),
                mailbox.last_error.clone().unwrap_or_default(),
            ]
        });
        let titles = ["mailbox", "state", "last read", "read now", "UID", "error"];
        out.table(&titles, rows.collect());
    }
    for grant in &status.grants {
        let state = match &grant.refused {
            Some(reason) => format!("refused: {reason}"),
            None => format!("last used {}", local(grant.refreshed_at)),
        };
        out.line(format!(
            "Token of {} for {}, granted {}: {state}",
            grant.provider,
            grant.account,
            local(grant.granted_at)
        ));
    }
}

/// The account to connect: as said, or the one that the configuration has with this provider.
pub(super) fn account(
    settings: &Settings,
    provider: Provider,
    said: Option<String>,
) -> Result<String, Refusal> {
    if let Some(account) = said {
        return Ok(account);
    }
    let mut configured: Vec<&str> = settings
        .mail
        .imap
        .iter()
        .filter(|one| matches!(one.login, ImapLogin::Token(other) if other == provider))
        .map(|one| one.username.as_str())
        .collect();
    configured.sort_unstable();
    configured.dedup();
    if let [one] = configured[..] {
        return Ok(one.to_owned());
    }
    let message = format!(
        "the configuration has {} accounts with {provider}; nothing was asked for",
        configured.len()
    );
    Err(Refusal::invalid(message).with_hint("say which one with --account ADDRESS"))
}

/// `mail connect --json`
#[derive(Serialize)]
struct Connected<'c> {
    provider: Provider,
    account: &'c str,
    scope: &'c str,
}

/// What is to be connected.
pub(super) struct Wanted {
    pub(super) provider: Provider,
    pub(super) account: String,
    pub(super) client_id: Option<String>,
    pub(super) refresh_token_file: Option<PathBuf>,
}

/// `mail connect`
pub(super) async fn connect(
    desk: &Desk,
    actor: &Actor,
    settings: &Settings,
    wanted: Wanted,
    output: &Output,
) -> anyhow::Result<Exit> {
    let Wanted {
        provider,
        account,
        client_id,
        refresh_token_file,
    } = wanted;
    // Before anybody goes to the provider: a token that could not be kept would be lost.
    mailboxes::may_connect(desk, actor).await?;
    let mut oauth = settings.oauth.clone();
    if let Some(id) = client_id {
        let client = match provider {
            Provider::Microsoft => &mut oauth.microsoft,
            Provider::Google => &mut oauth.google,
        };
        if client.client_id.as_ref() != Some(&id) {
            output.note(format!(
                "note: set oauth.{provider}.client_id = {id:?} in the configuration as well; \
                 tokens are renewed with it"
            ));
        }
        client.client_id = Some(id);
    }
    let tokens = Tokens::new(oauth)?;
    output.note(limits(provider));
    let granted = match refresh_token_file {
        Some(file) => {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("{} could not be read", file.display()))?;
            let token = Secret::new(text.trim().to_owned());
            tokens.try_grant(provider, &token).await
        }
        None => ask(&tokens, provider, &account, output).await,
    };
    let granted = granted.map_err(refusal)?;
    let token = granted.refresh_token.expose();
    mailboxes::keep_grant(desk, actor, provider, &account, token, &granted.scope).await?;
    let report = Connected {
        provider,
        account: &account,
        scope: &granted.scope,
    };
    output.answer(&report, |out| {
        out.line(format!(
            "{provider} lets the desk into the mailbox of {account}. The token is stored sealed."
        ));
    })
}

/// Shows a code and waits until somebody agreed.
async fn ask(
    tokens: &Tokens,
    provider: Provider,
    account: &str,
    output: &Output,
) -> Result<Granted, TokenError> {
    let device = tokens.ask_device(provider).await?;
    output.note(format!(
        "Open {} and type {} as {account}, within {} minutes. Waiting …",
        device.url,
        device.code,
        device.lasts.as_secs() / 60
    ));
    tokens.await_grant(provider, device).await
}

/// What each provider limits, said before it surprises somebody.
fn limits(provider: Provider) -> &'static str {
    match provider {
        Provider::Google => {
            "Google: while the consent screen is in \"testing\", its tokens end after 7 days and the \
             mailbox stops being read; publish the application, or make it internal to your Workspace. \
             Google gives no token for mail through a code: get a refresh token in a browser and hand \
             it over with --refresh-token-file."
        }
        Provider::Microsoft => {
            "Microsoft: a token that is not used for 90 days ends, and so do all when the password \
             changes or an administrator says so. Passwords are no way in: they are gone from IMAP \
             and are going from sending (SMTP AUTH), so this token is for both."
        }
    }
}

/// What a person can put right is told as such.
fn refusal(error: TokenError) -> anyhow::Error {
    if !error.needs_a_person() {
        return error.into();
    }
    let refusal = Refusal::new(
        RefusalCode::Configuration,
        format!("{error}; no token was stored"),
    );
    refusal
        .with_hint("docs/mail.md says how an application is made at the provider")
        .into()
}
