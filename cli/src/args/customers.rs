//! The directory of customers.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use tierdesk_core::{
    customers::{
        AccountId, CustomerStatus, DomainName, EmailAddress, Prefix, Slug, exchange::Format,
    },
    staff::{Attribute, InvalidAttribute},
    tiers::TierSlug,
};

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
    /// What the contract asks of whoever works for them, besides what the tier does: us-person. Several
    /// with commas; empty for nothing.
    #[arg(long, value_name = "ATTRIBUTES", value_parser = attributes)]
    pub(crate) staff_attributes: Option<Attributes>,
    /// A label, KEY=VALUE; an empty value removes it.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) tag: Vec<(String, String)>,
}

/// A list that is given as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Attributes(pub(crate) Vec<Attribute>);

fn attributes(text: &str) -> Result<Attributes, InvalidAttribute> {
    let names = text.split(',').map(str::trim);
    let names = names.filter(|name| !name.is_empty());
    names
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map(Attributes)
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
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
    /// Notes the customer's word that the mail servers of these domains take mail over verified TLS.
    #[command(
        after_help = "Tiers that demand it (healthcare, gov-federal) send answers there only then. Who said so \
        is in the audit trail.\nExample: tierdesk customer domain attest-tls medicorp medicorp.com"
    )]
    AttestTls {
        /// The customer's handle.
        slug: String,
        /// The domains.
        #[arg(required = true)]
        domains: Vec<DomainName>,
        /// Take it back.
        #[arg(long)]
        revoke: bool,
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
