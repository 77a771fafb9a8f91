//! The command line.

mod books;
mod bulk;
mod customers;
mod mail;
pub(crate) mod onboard;
pub(crate) mod oncall;
mod paging;
mod records;
mod retention;
mod search;
mod staff;
mod tickets;

use std::path::PathBuf;

pub(crate) use books::{AuditCommand, DbCommand, JobsCommand};
pub(crate) use bulk::{BulkCommand, BulkTickets};
use clap::{Args as ClapArgs, Parser, Subcommand};
pub(crate) use customers::{
    AddCustomer, ContactCommand, CustomerCommand, DomainCommand, SetCustomer,
};
pub(crate) use mail::MailCommand;
pub(crate) use paging::{AddChannel, ChannelCommand, PageCommand, PagingCommand, WhichPage};
pub(crate) use records::{ExportFormat, ExportTicket, RecordCommand};
pub(crate) use retention::{EraseCommand, RetentionCommand};
pub(crate) use search::{SearchTickets, arranged};
pub(crate) use staff::{AttestedCommand, StaffCommand};
pub(crate) use tickets::{
    AnswerCommand, ListTickets, LookCommand, ThenWord, TicketCommand, WorkCommand,
};

/// Support desk: mail becomes a tier-tagged ticket of the right customer.
#[derive(Debug, Parser)]
#[command(name = "tierdesk", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  tierdesk demo                               see it work, on data of its own
  tierdesk init                               set it up here
  tierdesk customer import customers.toml     who the customers are
  tierdesk mail import ~/Maildir              tickets from a mailbox
  tierdesk ticket next                        what to work on";

#[derive(ClapArgs, Debug)]
pub(crate) struct Global {
    /// Print one JSON document.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The configuration file; ~/.config/tierdesk/tierdesk.toml where absent.
    #[arg(long, global = true, value_name = "FILE", env = "TIERDESK_CONFIG", value_parser = path())]
    pub(crate) config: Option<PathBuf>,
    /// The database: sqlite:///path/file.db or postgres://…
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "TIERDESK_DATABASE_URL",
        hide_env_values = true
    )]
    pub(crate) database: Option<String>,
}

/// A path that may be empty: an empty variable of the environment counts as not set.
fn path() -> impl clap::builder::TypedValueParser<Value = PathBuf> {
    use clap::builder::{OsStringValueParser, TypedValueParser as _};
    OsStringValueParser::new().map(PathBuf::from)
}

impl Global {
    /// The same, where an empty variable of the environment counts as not set.
    pub(crate) fn without_empty(mut self) -> Self {
        self.config = self.config.filter(|file| !file.as_os_str().is_empty());
        self.database = self.database.filter(|url| !url.is_empty());
        self
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the main job on a fresh database of its own: no configuration, account or network.
    Demo {
        /// Keep the database in this folder.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
    /// Sets the desk up: configuration file, tiers, database, first admin. Safe to repeat.
    Init,
    /// Runs the desk until SIGTERM: takes mail in, works off jobs, answers in Discord.
    Serve {
        /// Which part to run; repeat for several.
        #[arg(long, default_value = "all")]
        role: Vec<ServeRole>,
    },
    /// Looks at everything that is set up, and says what to do about what does not work.
    Doctor,
    /// Mail coming in.
    #[command(subcommand)]
    Mail(MailCommand),
    /// The directory of customers.
    #[command(subcommand)]
    Customer(CustomerCommand),
    /// Working tickets.
    #[command(subcommand)]
    Ticket(TicketCommand),
    /// Who works here and what they may do.
    #[command(subcommand)]
    Staff(StaffCommand),
    /// The server in Discord.
    #[command(subcommand)]
    Discord(DiscordCommand),
    /// Provisioning a customer in the cloud: plan, start, follow, compare.
    #[command(subcommand)]
    Onboard(onboard::OnboardCommand),
    /// Who is on call: the rota, overrides, swaps, absences, weeks ahead.
    #[command(subcommand)]
    Oncall(oncall::OncallCommand),
    /// How long things are kept, what keeps them, and removing them.
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// The durable queue and its dead letters.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// The audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The database.
    #[command(subcommand)]
    Db(DbCommand),
}

/// A part of the desk that `serve` runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ServeRole {
    /// Every part that is configured.
    All,
    /// Takes mail in from the Maildirs and mailboxes of the configuration.
    Ingest,
    /// Works off jobs and seals the audit trail.
    Worker,
    /// Answers in Discord and posts tickets there.
    Bot,
    /// Answers over HTTP: health, and what PagerDuty tells.
    Http,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DiscordCommand {
    /// Makes channels, tags and roles, and prints what belongs into the configuration. Safe to repeat.
    Setup {
        /// Only say what would be made.
        #[arg(long)]
        dry_run: bool,
    },
}
