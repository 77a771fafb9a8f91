//! The command line.

mod books;
pub(crate) mod onboard;

use std::path::PathBuf;

pub(crate) use books::{AuditCommand, DbCommand, JobsCommand};
use clap::{Args as ClapArgs, Parser, Subcommand};
use tierdesk_core::{
    customers::{
        AccountId, CustomerStatus, DomainName, EmailAddress, Prefix, Slug, exchange::Format,
    },
    discord::DiscordId,
    mail::Provider,
    staff::Role,
    tickets::{CloseReason, Status, TicketNumber},
    tiers::{Severity, TierSlug},
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
    /// Answers over HTTP (not in this version).
    Http,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// Prints what is understood of one message on standard input; stores nothing.
    #[command(after_help = "Example: tierdesk mail parse --json < message.eml")]
    Parse,
    /// Stores and processes one message on standard input: for a mail server's alias or pipe.
    #[command(
        after_help = "Exit code 0: safe with us. 75: try again, nothing lost. 65: nothing to keep.\n\
        Example, /etc/aliases: support: \"|/usr/bin/tierdesk --config /etc/tierdesk.toml mail deliver\""
    )]
    Deliver {
        /// The envelope sender; empty for the null path.
        #[arg(long, value_name = "ADDRESS")]
        envelope_from: Option<String>,
        /// An envelope recipient.
        #[arg(long, value_name = "ADDRESS")]
        recipient: Vec<String>,
    },
    /// Imports Maildirs, mbox files, .eml files or folders of them. Safe to repeat and to stop.
    #[command(
        after_help = "Imported mail is history: tickets open without receipt, page, post or clock, unless --live.\n\
        Example: tierdesk mail import ~/Maildir old.mbox"
    )]
    Import {
        /// What to import.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Treat the mails as new.
        #[arg(long)]
        live: bool,
        /// Mails in one unit of work.
        #[arg(long, default_value_t = 250, hide = true)]
        batch: usize,
    },
    /// Shows the mailboxes on servers: whether they are read, up to where, and what goes wrong.
    Status,
    /// Gets a token for a mailbox at Microsoft or Google, for reading and sending both.
    #[command(
        after_help = "Prints an address and a code; whoever owns the mailbox agrees there, in any browser. docs/mail.md\n\
        Example: tierdesk mail connect microsoft --account support@example.com"
    )]
    Connect {
        /// Who grants it.
        #[arg(value_parser = parse_provider, value_name = "microsoft|google")]
        provider: Provider,
        /// The login name; by default that of the one mailbox with this provider in the configuration.
        #[arg(long, value_name = "ADDRESS")]
        account: Option<String>,
        /// The application's id; by default that of the configuration.
        #[arg(long, value_name = "ID")]
        client_id: Option<String>,
        /// A file with a refresh token got elsewhere: Google gives none for mail through a code.
        #[arg(long, value_name = "FILE")]
        refresh_token_file: Option<PathBuf>,
    },
}

fn parse_provider(text: &str) -> Result<Provider, String> {
    text.parse()
        .map_err(|_| "write microsoft or google".to_owned())
}

#[derive(Debug, Subcommand)]
pub(crate) enum CustomerCommand {
    /// Lists customers.
    List {
        /// Only of this tier.
        #[arg(long)]
        tier: Option<TierSlug>,
    },
    /// Shows one customer: a handle, or anything that finds exactly one.
    Show {
        /// Handle, name, domain, address or account id.
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Finds customers by name, handle, domain, address or account id.
    #[command(
        after_help = "Examples: tierdesk customer search acme · … john@acmefinance.com · … 222233334444"
    )]
    Search {
        /// What to look for.
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Says whose mail from an address would be, and why.
    #[command(alias = "whois")]
    Resolve {
        /// The address.
        address: EmailAddress,
    },
    /// Proposes customers from the sender domains of a mailbox; stores nothing.
    Suggest {
        /// The mailbox.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// The tier to propose.
        #[arg(long, default_value = "standard")]
        tier: TierSlug,
        /// Print a file for `customer import` instead of a table.
        #[arg(long)]
        toml: bool,
    },
    /// Adds a customer.
    Add(AddCustomer),
    /// Changes a customer; open tickets follow a change of tier.
    Set(SetCustomer),
    /// Adds, removes or moves mail domains.
    #[command(subcommand)]
    Domain(DomainCommand),
    /// Adds or removes contacts.
    #[command(subcommand)]
    Contact(ContactCommand),
    /// Brings the directory in line with a TOML, JSON or CSV file: prints the plan, then does it.
    Import {
        /// The file; `-` for standard input.
        file: PathBuf,
        /// By the file's ending where absent.
        #[arg(long)]
        format: Option<Format>,
        /// Stop at the plan.
        #[arg(long)]
        dry_run: bool,
    },
    /// Prints the directory as a file for `customer import`.
    Export {
        /// toml, json or csv.
        #[arg(long, default_value = "toml")]
        format: Format,
    },
}

#[derive(ClapArgs, Debug)]
pub(crate) struct AddCustomer {
    /// The company's name.
    pub(crate) name: String,
    /// standard, fintech, healthcare or gov-federal.
    #[arg(long)]
    pub(crate) tier: TierSlug,
    /// The handle; from the name where absent.
    #[arg(long)]
    pub(crate) slug: Option<Slug>,
    /// A mail domain; repeat for several.
    #[arg(long)]
    pub(crate) domain: Vec<DomainName>,
    /// A contact's address; repeat for several.
    #[arg(long)]
    pub(crate) contact: Vec<EmailAddress>,
    /// The short name in AWS.
    #[arg(long)]
    pub(crate) prefix: Option<Prefix>,
    /// The AWS account.
    #[arg(long)]
    pub(crate) account: Option<AccountId>,
    /// Where they stand.
    #[arg(long, default_value = "active")]
    pub(crate) status: CustomerStatus,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct SetCustomer {
    /// The customer's handle.
    pub(crate) slug: String,
    /// The company's name.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The tier; open tickets follow.
    #[arg(long)]
    pub(crate) tier: Option<TierSlug>,
    /// prospect, onboarding, active, suspended or closed.
    #[arg(long)]
    pub(crate) status: Option<CustomerStatus>,
    /// The short name in AWS.
    #[arg(long)]
    pub(crate) prefix: Option<Prefix>,
    /// The AWS account.
    #[arg(long)]
    pub(crate) account: Option<AccountId>,
    /// A framework that differs from the tier's; empty takes the tier's.
    #[arg(long)]
    pub(crate) framework: Option<String>,
    /// A price that differs from the tier's, in cents a month.
    #[arg(long, value_name = "CENTS", value_parser = clap::value_parser!(i64).range(0..))]
    pub(crate) monthly_price_cents: Option<i64>,
    /// Whether mail from sub-domains is theirs.
    #[arg(long, value_name = "BOOL")]
    pub(crate) include_subdomains: Option<bool>,
    /// A label, KEY=VALUE; an empty value removes it.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) tag: Vec<(String, String)>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    if key.is_empty() {
        return Err("the key is empty".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

#[derive(Debug, Subcommand)]
pub(crate) enum DomainCommand {
    /// Gives domains to a customer.
    Add {
        /// The customer's handle.
        slug: String,
        /// The domains.
        #[arg(required = true)]
        domains: Vec<DomainName>,
        /// Take them from whoever has them; it is audited.
        #[arg(long = "move")]
        moves: bool,
    },
    /// Takes domains from a customer.
    Remove {
        /// The customer's handle.
        slug: String,
        /// The domains.
        #[arg(required = true)]
        domains: Vec<DomainName>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContactCommand {
    /// Gives a contact to a customer: for addresses whose domain is not the customer's own.
    Add {
        /// The customer's handle.
        slug: String,
        /// The address.
        address: EmailAddress,
        /// The person's name.
        #[arg(long)]
        name: Option<String>,
        /// Their role there.
        #[arg(long)]
        role: Option<String>,
    },
    /// Takes a contact from a customer.
    Remove {
        /// The customer's handle.
        slug: String,
        /// The address.
        address: EmailAddress,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TicketCommand {
    /// Lists tickets in the order in which they should be worked.
    List(ListTickets),
    /// Shows a ticket with what was written on it.
    Show {
        /// SB-12, or 12.
        number: TicketNumber,
    },
    /// Shows the ticket to work on next.
    Next,
    /// Opens a ticket by hand, for a customer who called.
    #[command(
        after_help = "The first note comes from --file, or from standard input when that is no terminal."
    )]
    Open {
        /// The customer's handle.
        #[arg(long)]
        customer: String,
        /// What it is about.
        #[arg(long)]
        subject: String,
        /// For whom there.
        #[arg(long, value_name = "ADDRESS")]
        from: Option<EmailAddress>,
        /// How bad it is.
        #[arg(long)]
        severity: Option<Severity>,
        /// The first note.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Moves a ticket: open, waiting-customer, on-hold, resolved or closed.
    Status {
        /// SB-12, or 12.
        number: TicketNumber,
        /// The new status.
        #[arg(value_parser = status)]
        status: Status,
    },
    /// Gives a ticket to somebody.
    Assign {
        /// SB-12, or 12.
        number: TicketNumber,
        /// A member of staff; `me` for yourself.
        #[arg(default_value = "me")]
        who: String,
    },
    /// Changes the severity; priority and due times follow.
    Severity {
        /// SB-12, or 12.
        number: TicketNumber,
        /// sev1 to sev4.
        #[arg(value_parser = severity)]
        severity: Severity,
    },
    /// Writes a note for colleagues: from --file, standard input, or $EDITOR.
    Note {
        /// SB-12, or 12.
        number: TicketNumber,
        /// The text.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Ends a ticket.
    Close {
        /// SB-12, or 12.
        number: TicketNumber,
        /// done, duplicate, no_answer or spam.
        #[arg(long, default_value = "done")]
        reason: CloseReason,
    },
    /// Takes an end back.
    Reopen {
        /// SB-12, or 12.
        number: TicketNumber,
    },
    /// Says whose ticket it is, and teaches the directory for next time.
    #[command(after_help = "Example: tierdesk ticket bind SB-12 acme-finance --add-contact")]
    Bind {
        /// SB-12, or 12.
        number: TicketNumber,
        /// The customer's handle.
        customer: String,
        /// The requester becomes a contact.
        #[arg(long)]
        add_contact: bool,
        /// The requester's domain becomes the customer's.
        #[arg(long)]
        add_domain: bool,
    },
    /// Sets a ticket aside that nobody should answer.
    Spam {
        /// SB-12, or 12.
        number: TicketNumber,
    },
    /// Shows what happened to a ticket.
    History {
        /// SB-12, or 12.
        number: TicketNumber,
    },
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ListTickets {
    /// Only these statuses; repeat for several.
    #[arg(long, value_parser = status)]
    pub(crate) status: Vec<Status>,
    /// Resolved and closed ones too.
    #[arg(long, conflicts_with = "status")]
    pub(crate) all: bool,
    /// Only of this tier.
    #[arg(long)]
    pub(crate) tier: Option<TierSlug>,
    /// Only this customer's.
    #[arg(long)]
    pub(crate) customer: Option<Slug>,
    /// Only those of this member of staff.
    #[arg(long)]
    pub(crate) assignee: Option<String>,
    /// Only those that belong to nobody yet.
    #[arg(long)]
    pub(crate) triage: bool,
    /// At most so many.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) limit: i64,
}

/// A status, or a short form of one.
fn status(text: &str) -> Result<Status, String> {
    let text = match text {
        "waiting" => "waiting-customer",
        "hold" => "on-hold",
        other => other,
    };
    text.parse::<Status>().map_err(|fault| fault.to_string())
}

/// `sev1`, or `1`.
fn severity(text: &str) -> Result<Severity, String> {
    let text = if text.len() == 1 {
        format!("sev{text}")
    } else {
        text.to_lowercase()
    };
    text.parse::<Severity>().map_err(|fault| fault.to_string())
}

#[derive(Debug, Subcommand)]
pub(crate) enum StaffCommand {
    /// Lists everybody, disabled ones too.
    List,
    /// Adds somebody.
    #[command(
        after_help = "Example: tierdesk staff add dana --role agent --discord 100000000000000030"
    )]
    Add {
        /// How colleagues call them.
        name: String,
        /// viewer, agent, provisioner, approver, auditor or admin.
        #[arg(long)]
        role: Role,
        /// Their login on this machine, for the terminal.
        #[arg(long)]
        login: Option<String>,
        /// Their user id in Discord.
        #[arg(long, value_name = "USER_ID")]
        discord: Option<DiscordId>,
    },
    /// Changes somebody's role or login.
    Set {
        /// Whose.
        name: String,
        /// viewer, agent, provisioner, approver, auditor or admin.
        #[arg(long)]
        role: Option<Role>,
        /// Their login on this machine; empty takes it away.
        #[arg(long)]
        login: Option<String>,
    },
    /// Takes every right from somebody at once; what they did stays.
    Disable {
        /// From whom.
        name: String,
        /// Give it back.
        #[arg(long)]
        undo: bool,
    },
    /// Says who somebody is in Discord.
    #[command(
        after_help = "The id: in Discord turn on Developer Mode, right-click the person, Copy User ID.\n\
        Example: tierdesk staff link-discord dana 100000000000000030"
    )]
    LinkDiscord {
        /// Who.
        name: String,
        /// Their user id there.
        #[arg(required_unless_present = "unlink")]
        user: Option<DiscordId>,
        /// Take it away.
        #[arg(long)]
        unlink: bool,
    },
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
