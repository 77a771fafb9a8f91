//! Taking a ticket out of the desk: as a file, or for good.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use tierdesk_core::tickets::TicketNumber;

/// What concerns a ticket's record.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    /// Takes a ticket out as a file: JSON, HTML to read and print, or its mails as an mbox.
    #[command(
        after_help = "JSON and HTML have the texts as the desk shows them. The mbox has the raw mails, with what is masked \
        elsewhere, and is for admins. It is in the audit trail who took what out; no file is written over.\n\
        Example: tierdesk ticket export SB-12 --format html --without-notes --out SB-12.html"
    )]
    Export(ExportTicket),
    /// Removes messages or attachments of a ticket for good, and says which copies remain.
    #[command(
        after_help = "Text, raw mail, letters, attachments and the index lose it. Numbers are those of `ticket show` and \
        `ticket attachments`.\nExample: tierdesk ticket redact SB-12 --message 2 --reason 'card number' --yes"
    )]
    Redact(RedactTicket),
}

/// What a ticket becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// The whole ticket with its timeline.
    Json,
    /// The raw mails in and the letters out.
    Mbox,
    /// One file for a browser and for print.
    Html,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ExportTicket {
    /// SB-12, or 12.
    pub(crate) number: TicketNumber,
    /// json, mbox or html.
    #[arg(long)]
    pub(crate) format: ExportFormat,
    /// The file to make, which only you may read; standard output where absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// JSON: the bytes of what is attached as well.
    #[arg(long)]
    pub(crate) attachments: bool,
    /// HTML: for somebody outside, without notes, timeline and what only the desk should know.
    #[arg(long)]
    pub(crate) without_notes: bool,
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
