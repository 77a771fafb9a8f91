//! What a process runs, by its roles and the configuration.

use std::{net::SocketAddr, path::PathBuf};

use tierdesk_core::{
    refusal::{Refusal, RefusalCode},
    settings::{ImapMailbox, MailListener},
    telemetry,
};
use tierdesk_ingest::listener::{ListenError, Listener};

use crate::{args::ServeRole, program::Program};

/// What this process runs.
pub(super) struct Plan {
    pub(super) worker: bool,
    pub(super) maildirs: Vec<PathBuf>,
    pub(super) mailboxes: Vec<ImapMailbox>,
    pub(super) listeners: Vec<MailListener>,
    pub(super) bot: bool,
    pub(super) http: Option<SocketAddr>,
}

impl Plan {
    /// What the roles ask for. `all` is everything that is configured; a role that is named must be.
    pub(super) fn of(program: &Program, roles: &[ServeRole]) -> Result<Self, Refusal> {
        let settings = &program.settings;
        let asked = |role| roles.contains(&role);
        let all = asked(ServeRole::All);
        let mail = &settings.mail;
        let has_road =
            !(mail.maildirs.is_empty() && mail.imap.is_empty() && mail.listeners.is_empty());
        if asked(ServeRole::Ingest) && !has_road {
            let message = "there is nothing to take mail from; nothing was started";
            return Err(Refusal::new(RefusalCode::Configuration, message).with_hint(
                "set [[mail.imap]], [[mail.listener]] or [[mail.maildir]] in the configuration",
            ));
        }
        let has_bot = settings.discord.token.is_some() && settings.discord.guild_id.is_some();
        let takes_mail = all || asked(ServeRole::Ingest);
        let mail = takes_mail.then_some(&settings.mail);
        Ok(Self {
            worker: all || asked(ServeRole::Worker),
            maildirs: mail.map_or_else(Vec::new, |mail| mail.maildirs.clone()),
            listeners: mail.map_or_else(Vec::new, |mail| mail.listeners.clone()),
            mailboxes: mail.map_or_else(Vec::new, |mail| mail.imap.clone()),
            // Asked for by name and not configured, it says what is missing.
            bot: asked(ServeRole::Bot) || (all && has_bot),
            http: (asked(ServeRole::Http) || (all && settings.http.is_listen_set))
                .then_some(settings.http.listen),
        })
    }
}

/// Opens every listener before anything is started: one that cannot is told at once.
pub(super) async fn open_listeners(
    all: &[MailListener],
    support: &str,
) -> Result<Vec<Listener>, Refusal> {
    let mut open = Vec::with_capacity(all.len());
    for settings in all {
        let listener = Listener::open(settings, support).await.map_err(|error| {
            let hint = match &error {
                ListenError::Taken { .. } => {
                    "stop the other program, or set another address in [[mail.listener]]"
                }
                ListenError::Refused { .. } => {
                    "set an address of this machine in [[mail.listener]]; a port below 1024 needs \
                     the right to bind it (CAP_NET_BIND_SERVICE)"
                }
                ListenError::Certificate { .. } => {
                    "set tls_cert_file and tls_key_file in [[mail.listener]] to PEM files that this \
                     program may read"
                }
            };
            let message = format!("{}; nothing was started", telemetry::chain(&error));
            Refusal::new(RefusalCode::Configuration, message).with_hint(hint)
        })?;
        open.push(listener);
    }
    Ok(open)
}
