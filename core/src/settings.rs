//! The configuration: defaults, under the file, under the environment.
//!
//! Everything is checked at once and every problem is told, with place and remedy; nothing is
//! silently ignored. Secrets show up neither in Debug nor in an error. To add a key, read it in
//! its section's file, list it in that file's `KEYS` and write it into config/tierdesk.toml: the
//! tests hold the three together.

mod aws;
mod database;
mod discord;
mod environment;
mod files;
mod http;
mod imap;
mod mail;
mod oauth;
mod oncall;
mod problem;
pub(crate) mod reader;
mod relay;
mod secret;
pub(crate) mod tree;
mod url;
mod watchdog;
mod webhook;

#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

pub(crate) use self::problem::{Wrong, write_list};
pub use self::{
    aws::{AwsSettings, CloudKind},
    database::{DatabaseSettings, DatabaseUrl, InvalidDatabaseUrl},
    discord::{DiscordSettings, TRIAGE},
    files::{AuditSettings, CustomerSettings, LogLevel, LogSettings, StoreSettings, TierSettings},
    http::HttpSettings,
    imap::{AfterFetch, ImapLogin, ImapMailbox},
    mail::{MailListener, MailProtocol, MailSettings, TlsFiles},
    oauth::{OAuthClient, OAuthSettings},
    oncall::OnCallSettings,
    problem::{Place, Problem},
    relay::{MailOutSettings, Relay, RelayLogin, SmtpRoute},
    secret::Secret,
    url::PrivateUrl,
    watchdog::{Ping, WatchdogSettings},
    webhook::{Webhook, WebhookFormat},
};
use self::{
    environment::Environment,
    reader::{Notes, Section},
    tree::Table,
};

/// One key of the configuration, for the annotated file, the documentation and their tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Dotted; the entries of a list of tables are `mail.imap[].url`.
    pub name: &'static str,
    /// What it says, in one line.
    pub meaning: &'static str,
    /// What holds when it is not given; `-` where an entry cannot do without it.
    pub default: &'static str,
}

impl Key {
    const fn now(name: &'static str, meaning: &'static str, default: &'static str) -> Self {
        Self {
            name,
            meaning,
            default,
        }
    }
}

/// Every key of the configuration, section by section.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    [
        database::KEYS,
        mail::KEYS,
        relay::KEYS,
        imap::KEYS,
        oauth::KEYS,
        files::KEYS,
        oncall::KEYS,
        watchdog::KEYS,
        http::KEYS,
        discord::KEYS,
        aws::KEYS,
        webhook::KEYS,
    ]
    .into_iter()
    .flatten()
}

/// The annotated default configuration, as `init` writes it.
pub const ANNOTATED: &str = include_str!("../../config/tierdesk.toml");

/// The whole configuration, checked. Debug shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[database]`
    pub database: DatabaseSettings,
    /// `[mail]`
    pub mail: MailSettings,
    /// `[oauth]`
    pub oauth: OAuthSettings,
    /// `[store]`
    pub store: StoreSettings,
    /// `[audit]`
    pub audit: AuditSettings,
    /// `[tiers]`
    pub tiers: TierSettings,
    /// `[customers]`
    pub customers: CustomerSettings,
    /// `[oncall]`
    pub oncall: OnCallSettings,
    /// `[watchdog]`
    pub watchdog: WatchdogSettings,
    /// `[log]`
    pub log: LogSettings,
    /// `[http]`
    pub http: HttpSettings,
    /// `[discord]`
    pub discord: DiscordSettings,
    /// `[aws]`
    pub aws: AwsSettings,
    /// `[[webhook]]`
    pub webhooks: Vec<Webhook>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file that was named cannot be read.
    #[error("the configuration file {} cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Everything that is wrong, file first, then environment.
    #[error("{}", Listed(.0))]
    Invalid(Vec<Problem>),
}

struct Listed<'a>(&'a [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, "the configuration", self.0)
    }
}

impl SettingsError {
    /// The single problems; none when the file could not be read.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Invalid(problems) => problems,
        }
    }
}

impl Default for Settings {
    /// Neither file nor environment: a database `tierdesk.db` in the working directory.
    fn default() -> Self {
        Self::parse(None, std::iter::empty())
            .expect("the defaults hold no text that could be wrong")
    }
}

impl Settings {
    /// Reads `file`, if there is one, and lays the environment over it: `TIERDESK_MAIL__ADDRESS`
    /// for `mail.address`, `TIERDESK_MAIL__IMAP__0__PASSWORD` for an entry of a list (counted from
    /// 0), `TIERDESK_DATABASE_URL` for `database.url`. An empty variable counts as not set.
    /// `XDG_DATA_HOME` and `HOME` decide where the default database is. Relative paths count from
    /// the working directory. Files named by `*_file` keys are read here.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let Some(file) = file else {
            return Self::parse(None, environment);
        };
        let text = std::fs::read_to_string(file).map_err(|source| SettingsError::Unreadable {
            file: file.to_owned(),
            source,
        })?;
        Self::parse(Some((&file.display().to_string(), &text)), environment)
    }

    /// As [`Self::load`], from the name and the text of a file.
    pub fn parse(
        file: Option<(&str, &str)>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let (settings, notes) = Self::read(file, environment);
        let problems = notes.into_problems();
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsError::Invalid(problems))
        }
    }

    fn read(
        file: Option<(&str, &str)>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> (Self, Notes) {
        let notes = Notes::default();
        let (name, text) = file.unwrap_or(("the configuration", ""));
        let mut table = tree::parse(name, text).unwrap_or_else(|problem| {
            notes.add(problem);
            Table::new()
        });
        let environment = Environment::collect(environment);
        environment.lay_over(&mut table, &notes);

        let root = Section::root(&notes, &table, Place::line(name, 1));
        let path = |section: &str, key: &str| files::read_path(&root.section(section), key);
        let settings = Self {
            database: database::read(&root.section("database"), environment.default_database()),
            mail: mail::read(&root.section("mail")),
            oauth: oauth::read(&root.section("oauth")),
            store: StoreSettings {
                key_file: path("store", "key_file"),
            },
            audit: AuditSettings {
                anchor_file: path("audit", "anchor_file"),
            },
            tiers: TierSettings {
                file: path("tiers", "file"),
            },
            customers: CustomerSettings {
                freemail_file: path("customers", "freemail_file"),
            },
            oncall: oncall::read(&root.section("oncall")),
            watchdog: watchdog::read(&root.section("watchdog")),
            log: files::read_log(&root.section("log")),
            http: http::read(&root.section("http")),
            discord: discord::read(&root.section("discord")),
            aws: aws::read(&root.section("aws")),
            webhooks: webhook::read_all(&root.sections("webhook")),
        };
        root.finish();
        (settings, notes)
    }
}
