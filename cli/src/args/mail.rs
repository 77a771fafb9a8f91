//! Mail coming in.

use std::path::PathBuf;

use clap::Subcommand;
use tierdesk_core::{ids::OutgoingId, mail::Provider, tickets::TicketNumber};

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
    /// Lists letters that have not left yet, and those that are held, with the reason.
    Outbox {
        /// Those that left or failed as well, with the other side's words.
        #[arg(long)]
        all: bool,
        /// Only those about this ticket.
        #[arg(long, value_name = "TICKET")]
        ticket: Option<TicketNumber>,
        /// At most so many.
        #[arg(long, default_value_t = 200)]
        limit: i64,
    },
    /// Lets a held letter go after all.
    Release {
        /// Its id, from `mail outbox`.
        id: OutgoingId,
    },
    /// Lists mail that was kept and opened nothing, with the reason: where to look for a mail that is missed.
    Recorded {
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: i64,
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
