//! Opening the desk: which configuration, which database, who is asking.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use tierdesk_core::{
    authentication::EdgeCheck,
    cloud::Cloud,
    customers::{DomainName, FreeMail},
    desk::Desk,
    macros::Macros,
    onboarding::Blueprint,
    paging::Policies,
    permit::Actor,
    refusal::{Refusal, RefusalCode},
    reply_token::ReplyTokens,
    settings::{CloudKind, MailListener, MailProtocol, Secret, Settings},
    store::{MasterKey, OpenOptions},
    tiers::Catalogue,
    watchdog::Watchdog,
};

use tierdesk_ingest::edge_check::Resolver;
use tierdesk_provision::{SimulatedCloud, aws::AwsCloud, simulated::Pace};

use crate::{args::Global, mail_out::mail_out, output::Output};

/// The program with its configuration read.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) settings: Settings,
    /// The configuration file that was read, if there is one.
    pub(crate) file: Option<PathBuf>,
}

impl Program {
    /// Reads the configuration: the named file, else the user's own if there is one. Flags win
    /// over the environment, the environment over the file.
    pub(crate) fn load(global: &Global) -> anyhow::Result<Self> {
        let file = match &global.config {
            Some(file) => Some(file.clone()),
            None => default_file().filter(|file| file.exists()),
        };
        let flag = global
            .database
            .as_ref()
            .map(|url| ("TIERDESK_DATABASE_URL".to_owned(), url.clone()));
        let environment: std::collections::BTreeMap<String, String> = environment()
            .filter(|(name, _)| flag.is_none() || name != "TIERDESK_DATABASE__URL")
            .chain(flag.clone())
            .collect();
        let has_home = ["HOME", "XDG_DATA_HOME"].iter().any(|name| {
            environment
                .get(*name)
                .is_some_and(|value| !value.is_empty())
        });
        let settings = Settings::load(file.as_deref(), environment.into_iter())?;
        let default = Path::new("tierdesk.db");
        if !has_home && settings.database.url.sqlite_path() == Some(default) {
            // A mail server's pipe has no home: mail must not end up wherever it happens to run.
            let message = "there is no home folder for the default database; nothing was started";
            return Err(Refusal::new(RefusalCode::Configuration, message)
                .with_hint("name the database with --database, --config or TIERDESK_DATABASE_URL")
                .into());
        }
        init_log(&settings);
        Ok(Self { settings, file })
    }

    /// The catalogue: the configured file, else the built-in one.
    pub(crate) fn catalogue(&self) -> anyhow::Result<Catalogue> {
        let Some(path) = &self.settings.tiers.file else {
            return Ok(Catalogue::embedded());
        };
        let text = read(path)?;
        Catalogue::parse(&text, &path.display().to_string()).map_err(|fault| {
            Refusal::new(RefusalCode::Configuration, fault.to_string())
                .with_hint("nothing was started; correct these and try again")
                .into()
        })
    }

    fn free_mail(&self) -> anyhow::Result<FreeMail> {
        let Some(path) = &self.settings.customers.freemail_file else {
            return Ok(FreeMail::embedded());
        };
        FreeMail::parse(&read(path)?).map_err(|faults| {
            let lines: Vec<String> = faults
                .iter()
                .map(|(line, fault)| format!("{}:{line}: {fault}", path.display()))
                .collect();
            Refusal::new(RefusalCode::Configuration, lines.join("\n"))
                .with_hint("one domain a line; # begins a comment")
                .into()
        })
    }

    /// The macros: the configured file, else the built-in ones.
    fn macros(&self, catalogue: &Catalogue) -> anyhow::Result<Macros> {
        let Some(path) = &self.settings.mail.out.macros else {
            return Ok(Macros::embedded());
        };
        let origin = path.display().to_string();
        Macros::parse(&read(path)?, &origin, catalogue).map_err(|error| {
            Refusal::new(RefusalCode::Configuration, error.to_string())
                .with_hint("config/macros.toml shows how they are written; nothing was started")
                .into()
        })
    }

    /// The escalation policies: the configured file, else the built-in ones.
    fn policies(&self, catalogue: &Catalogue) -> anyhow::Result<Policies> {
        let (text, origin) = match &self.settings.oncall.file {
            Some(path) => (read(path)?, path.display().to_string()),
            // A catalogue of one's own may name policies that are not built in.
            None => (
                Policies::EMBEDDED.to_owned(),
                "config/oncall.toml".to_owned(),
            ),
        };
        Policies::parse(&text, &origin, catalogue).map_err(|error| {
            Refusal::new(RefusalCode::Configuration, error.to_string())
                .with_hint(
                    "nothing was started; config/oncall.toml shows how policies are written, and \
                     oncall.file names one's own",
                )
                .into()
        })
    }

    /// How to open the configured database.
    pub(crate) fn open_options(&self) -> anyhow::Result<OpenOptions> {
        let mut options = OpenOptions::new(self.settings.database.url.expose());
        if let Some(path) = &self.settings.store.key_file {
            let key = MasterKey::parse(&read(path)?)
                .with_context(|| format!("store.key_file {}", path.display()))?;
            options.master_key = Some(Arc::new(key));
        }
        options.demands = Arc::new(self.catalogue()?.demands());
        Ok(options)
    }

    /// Opens the desk; a missing SQLite database is made and migrated.
    pub(crate) async fn open(&self) -> anyhow::Result<Desk> {
        let catalogue = self.catalogue()?;
        let macros = self.macros(&catalogue)?;
        let policies = self.policies(&catalogue)?;
        let desk = Desk {
            mail_out: mail_out(&self.settings.mail, &catalogue, &macros)?,
            macros: Arc::new(macros),
            catalogue: Arc::new(catalogue),
            free_mail: self.free_mail()?,
            own_address: self.settings.mail.address.parse().ok(),
            authserv_id: self.settings.mail.authserv_id.clone(),
            reply_tokens: self.reply_tokens(),
            staff_domains: self.staff_domains(),
            follow_up_after: Duration::from_hours(
                24 * u64::from(self.settings.mail.follow_up_days),
            ),
            edge_check: self.edge_check()?,
            anchor_file: self.settings.audit.anchor_file.clone(),
            blueprint: Arc::new(self.blueprint()?),
            policies: Arc::new(policies),
            catch_all: self.settings.oncall.catch_all.clone(),
            webhooks: self.webhook_names(),
            has_chat: self.settings.discord.guild_id.is_some(),
            watchdog: self.watchdog(),
            database: self.open_options()?.open().await?,
        };
        desk.check_catalogue().await?;
        Ok(desk)
    }

    fn watchdog(&self) -> Option<Watchdog> {
        let settings = &self.settings.watchdog;
        let pings = settings.ping.is_some();
        settings.every.map(|every| Watchdog { every, pings })
    }

    fn webhook_names(&self) -> Vec<String> {
        let webhooks = self.settings.webhooks.iter();
        webhooks.map(|webhook| webhook.name.clone()).collect()
    }

    /// The tokens of our reply addresses, if there is a secret to make them with.
    fn reply_tokens(&self) -> Option<Arc<ReplyTokens>> {
        let mail = &self.settings.mail;
        let secret = mail.reply_secret.as_ref()?;
        let address = mail.address.parse().ok()?;
        let previous = mail.reply_secret_previous.as_ref().map(Secret::expose);
        let tokens = ReplyTokens::new(secret.expose(), previous, &address);
        Some(Arc::new(tokens))
    }

    fn staff_domains(&self) -> Vec<DomainName> {
        let domains = self.settings.mail.staff_domains.iter();
        domains.filter_map(|domain| domain.parse().ok()).collect()
    }

    /// Who checks the senders of what reaches our own SMTP listener. A desk without one asks nobody.
    fn edge_check(&self) -> anyhow::Result<Option<Arc<dyn EdgeCheck>>> {
        let mail = &self.settings.mail;
        let is_edge = |one: &MailListener| one.protocol == MailProtocol::Smtp;
        if !mail.listeners.iter().any(is_edge) {
            return Ok(None);
        }
        let address = &mail.address;
        let host = address
            .rsplit_once('@')
            .map_or(&**address, |(_, host)| host);
        let resolver = Resolver::new(mail.resolver, host.to_owned()).context("mail.resolver")?;
        Ok(Some(Arc::new(resolver)))
    }

    /// What onboardings are made of: the built-in policies and access, with those of the
    /// configuration in their place.
    pub(crate) fn blueprint(&self) -> anyhow::Result<Blueprint> {
        let aws = &self.settings.aws;
        let mut policies = Vec::new();
        if let Some(folder) = &aws.policies_dir {
            let entries = std::fs::read_dir(folder)
                .with_context(|| format!("aws.policies_dir {}", folder.display()))?;
            for entry in entries {
                let path = entry?.path();
                if path.extension().is_some_and(|ending| ending == "json") {
                    let text = read(&path)?;
                    policies.push((path, text));
                }
            }
        }
        let access = match &aws.access_file {
            Some(path) => Some((path.display().to_string(), read(path)?)),
            None => None,
        };
        let refuse = |fault: tierdesk_core::onboarding::BlueprintError| {
            Refusal::new(RefusalCode::Configuration, fault.to_string())
                .with_hint("nothing was started; correct that and try again")
        };
        let blueprint = Blueprint::overridden(policies, access).map_err(refuse)?;
        Ok(Blueprint {
            is_real: aws.cloud == CloudKind::Aws,
            organization_id: aws.organization_id.clone(),
            root_email_template: aws.root_email_template.clone(),
            ..blueprint
        })
    }

    /// The cloud that the configuration names.
    pub(crate) async fn cloud(&self, desk: &Desk) -> anyhow::Result<Arc<dyn Cloud>> {
        match self.settings.aws.cloud {
            CloudKind::Simulated => Ok(Arc::new(SimulatedCloud::new(
                desk.database.clone(),
                Pace::QUICK,
            ))),
            CloudKind::Aws => Ok(Arc::new(AwsCloud::connect(&self.settings.aws).await)),
        }
    }

    /// Says where the desk is set up less safely than it could be.
    pub(crate) async fn warn(desk: &Desk, output: &Output) -> anyhow::Result<()> {
        if desk.database.bypasses_row_security().await? {
            output.note(
                "warning: the database's role passes row-level security by; use a role that is \
                 no superuser and has no BYPASSRLS",
            );
        }
        Ok(())
    }

    /// Who runs the program. The login comes from the user id, never from the environment, which
    /// anybody can set.
    pub(crate) fn actor(&self) -> Actor {
        // Both, where both are files: a configuration of one's own opens nobody else's database.
        let database = self.settings.database.url.sqlite_path();
        person(self.file.iter().map(PathBuf::as_path).chain(database))
    }
}

/// Who runs the program, and whether they own all of `files`. Where there is none, whoever holds the
/// database server's credentials owns the desk.
pub(crate) fn person<'p>(mut files: impl Iterator<Item = &'p Path>) -> Actor {
    let id = nix::unistd::getuid();
    let name = match nix::unistd::User::from_uid(id) {
        Ok(Some(user)) => user.name,
        _ => format!("uid-{id}"),
    };
    let is_mine = |path| std::fs::metadata(path).is_ok_and(|found| found.uid() == id.as_raw());
    Actor::OsUser {
        name,
        owns_configuration: files.all(is_mine),
    }
}

/// The environment, without what is not UTF-8: no key of ours is.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))
}

/// Where `init` writes the configuration and every command looks for it.
pub(crate) fn default_file() -> Option<PathBuf> {
    let folder = match std::env::var_os("XDG_CONFIG_HOME").filter(|home| !home.is_empty()) {
        Some(home) => PathBuf::from(home),
        None => {
            PathBuf::from(std::env::var_os("HOME").filter(|home| !home.is_empty())?).join(".config")
        }
    };
    Some(folder.join("tierdesk").join("tierdesk.toml"))
}

/// The log goes to standard error; `TIERDESK_LOG` takes the filter syntax of `tracing`.
#[expect(
    clippy::disallowed_methods,
    reason = "the log's filter is read once, here"
)]
fn init_log(settings: &Settings) {
    let filter = std::env::var("TIERDESK_LOG")
        .ok()
        .filter(|filter| !filter.is_empty())
        .unwrap_or_else(|| format!("{},sqlx=warn", settings.log.level.as_str()));
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // At its finest it writes down every command, logins with their passwords among them.
    let quiet = "async_imap=warn".parse();
    let filter = filter.add_directive(quiet.expect("a directive of our own"));
    // A second call, in a test say, keeps the first log.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .try_init();
}
