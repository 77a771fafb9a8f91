//! Working tickets.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use tierdesk_core::{
    customers::{EmailAddress, Slug},
    tickets::{CloseReason, Status, TicketNumber},
    tiers::{Severity, TierSlug},
};

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
    /// Lists what is attached to a ticket's mails, or saves it.
    #[command(
        after_help = "Nothing is opened or unpacked, and no file is written over.\n\
        Example: tierdesk ticket attachments SB-12 --save 2 --to ~/case"
    )]
    Attachments {
        /// SB-12, or 12.
        number: TicketNumber,
        /// Save this one, by its number in the list; repeat for several.
        #[arg(long, value_name = "NUMBER", conflicts_with = "save_all")]
        save: Vec<usize>,
        /// Save all of them.
        #[arg(long)]
        save_all: bool,
        /// The folder to save to; it is made where absent.
        #[arg(long, value_name = "DIR", default_value = ".")]
        to: PathBuf,
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
