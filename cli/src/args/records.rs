//! Taking a ticket out of the desk: as a file, or for good.

use clap::{Args as ClapArgs, Subcommand};
use tierdesk_core::tickets::TicketNumber;

/// What concerns a ticket's record.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    /// Removes messages or attachments of a ticket for good, and says which copies remain.
    #[command(
        after_help = "Text, raw mail, letters, attachments and the index lose it. Numbers are those of `ticket show` and \
        `ticket attachments`.\nExample: tierdesk ticket redact SB-12 --message 2 --reason 'card number' --yes"
    )]
    Redact(RedactTicket),
}

#[derive(ClapArgs, Debug)]
pub(crate) struct RedactTicket {
    /// SB-12, or 12.
    pub(crate) number: TicketNumber,
    /// This message; repeat for several.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) message: Vec<usize>,
    /// This attachment; repeat for several.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) attachment: Vec<usize>,
    /// Every message, and the subject.
    #[arg(long)]
    pub(crate) all: bool,
    /// Another subject in place of the one that says too much.
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Why; it is in the audit trail.
    #[arg(long)]
    pub(crate) reason: String,
    /// Do not ask. Needed where nobody can be asked.
    #[arg(long)]
    pub(crate) yes: bool,
}
