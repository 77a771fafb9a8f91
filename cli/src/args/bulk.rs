//! One verb for many tickets.

use clap::{Args as ClapArgs, Subcommand};
use tierdesk_core::{
    desk::bulk::MOST,
    tickets::{CloseReason, Status, TicketNumber},
    tiers::Severity,
};

use super::tickets::{severity, status};

const EXAMPLE: &str = "It shows the tickets and asks. What changed since then is left alone.
Example: tierdesk ticket bulk close --where 'status:waiting-customer older:60d' --reason no_answer";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLE)]
pub(crate) enum BulkCommand {
    /// Ends tickets.
    Close {
        /// done, duplicate, no_answer or spam.
        #[arg(long, default_value = "done")]
        reason: CloseReason,
        #[command(flatten)]
        tickets: BulkTickets,
    },
    /// Sets tickets aside that nobody should answer.
    Spam {
        #[command(flatten)]
        tickets: BulkTickets,
    },
    /// Tags tickets.
    Tag {
        /// A tag to add; repeat for several.
        #[arg(long, value_name = "TAG", required_unless_present = "remove")]
        add: Vec<String>,
        /// A tag to take away; repeat for several.
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
        #[command(flatten)]
        tickets: BulkTickets,
    },
    /// Gives tickets to somebody.
    Assign {
        /// A member of staff; `me` for yourself.
        #[arg(long, value_name = "NAME", default_value = "me")]
        to: String,
        #[command(flatten)]
        tickets: BulkTickets,
    },
    /// Changes the severity of tickets.
    Severity {
        /// sev1 to sev4.
        #[arg(value_parser = severity)]
        severity: Severity,
        #[command(flatten)]
        tickets: BulkTickets,
    },
    /// Moves tickets: open, waiting-customer, on-hold, resolved or closed.
    Status {
        /// The new status.
        #[arg(value_parser = status)]
        status: Status,
        #[command(flatten)]
        tickets: BulkTickets,
    },
    /// Has tickets sleep until a time, or until somebody answers.
    Snooze {
        /// 2026-12-01, 2026-12-01T09:00Z, or a span like 3d or 4h.
        #[arg(long, value_name = "TIME")]
        until: String,
        #[command(flatten)]
        tickets: BulkTickets,
    },
}

/// Which tickets, and whether to ask.
#[derive(ClapArgs, Debug)]
pub(crate) struct BulkTickets {
    /// SB-1 SB-2 …
    #[arg(required_unless_present = "query", conflicts_with = "query")]
    pub(crate) numbers: Vec<TicketNumber>,
    /// What `ticket search` would find, in one word: 'tier:fintech older:30d'.
    #[arg(
        id = "query",
        long = "where",
        value_name = "QUERY",
        allow_hyphen_values = true
    )]
    pub(crate) query: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = MOST)]
    pub(crate) limit: usize,
    /// Only show which.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask. Needed where nobody can be asked.
    #[arg(long)]
    pub(crate) yes: bool,
}
