//! Working tickets.

use std::path::PathBuf;

use super::search;
use clap::{Args as ClapArgs, Subcommand};
use tierdesk_core::{
    customers::{EmailAddress, Slug},
    tickets::{CloseReason, Status, TicketNumber},
    tiers::{Severity, TierSlug},
};

use super::{BulkCommand, RecordCommand};

#[derive(Debug, Subcommand)]
pub(crate) enum TicketCommand {
    #[command(flatten)]
    Look(LookCommand),
    #[command(flatten)]
    Answer(AnswerCommand),
    #[command(flatten)]
    Work(WorkCommand),
    /// Does one thing to many tickets, after showing which.
    #[command(subcommand)]
    Bulk(BulkCommand),
    #[command(flatten)]
    Record(RecordCommand),
}

/// What changes nothing.
#[derive(Debug, Subcommand)]
pub(crate) enum LookCommand {
    /// Lists tickets in the order in which they should be worked.
    List(ListTickets),
    /// Shows a ticket with what was written on it.
    Show {
        /// SB-12, or 12.
        number: TicketNumber,
    },
    /// Shows the ticket to work on next.
    Next,
    /// Finds tickets by words and filters.
    #[command(after_help = search::EXAMPLES)]
    Search(search::SearchTickets),
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
    /// Lists macros, answers that are written often; or shows one as it would read on a ticket.
    #[command(
        after_help = "Example: tierdesk ticket macros SB-12 --show maintenance --set date='2 December'"
    )]
    Macros {
        /// Only those that may be used on this ticket: SB-12, or 12.
        number: Option<TicketNumber>,
        /// Show this one as it would read on the ticket.
        #[arg(long, value_name = "NAME", requires = "number")]
        show: Option<String>,
        /// What it asks for, NAME=TEXT; repeat for several.
        #[arg(long, value_name = "NAME=TEXT", value_parser = super::customers::key_value, requires = "show")]
        set: Vec<(String, String)>,
    },
    /// Shows what happened to a ticket.
    History {
        /// SB-12, or 12.
        number: TicketNumber,
    },
}

/// What the customer sees.
#[derive(Debug, Subcommand)]
pub(crate) enum AnswerCommand {
    /// Says that you have it: nobody further is paged for it, until that expires without an update.
    Ack {
        /// SB-12, or 12.
        number: TicketNumber,
    },
    /// Answers the customer: from --file, standard input, or $EDITOR. It leaves after 20 seconds.
    #[command(
        after_help = "Who gets it is shown before you write. The text is Markdown.\n\
        Until it leaves: tierdesk ticket undo SB-12\n\
        Example: echo 'It works again.' | tierdesk ticket reply SB-12 --then resolve"
    )]
    Reply {
        /// SB-12, or 12.
        number: TicketNumber,
        /// The text.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// The text, and where the ticket goes, from this macro; `ticket macros` lists them.
        #[arg(long = "macro", value_name = "NAME", conflicts_with = "file")]
        template: Option<String>,
        /// What the macro asks for, NAME=TEXT; repeat for several.
        #[arg(long, value_name = "NAME=TEXT", value_parser = super::customers::key_value, requires = "template")]
        set: Vec<(String, String)>,
        /// Go over the macro's text in $EDITOR first.
        #[arg(long, requires = "template")]
        edit: bool,
        /// Where the ticket goes: open, waiting, resolve or snooze (with --until). Waiting, or as the macro says.
        #[arg(long, value_name = "STEP", value_parser = then)]
        then: Option<ThenWord>,
        /// Until when it sleeps: 2026-12-01, 2026-12-01T09:00Z, or a span like 3d or 4h.
        #[arg(long, value_name = "TIME", required_if_eq("then", "snooze"))]
        until: Option<String>,
        /// A file that goes along; repeat for several.
        #[arg(long, value_name = "FILE")]
        attach: Vec<PathBuf>,
        /// Leave at once; it cannot be taken back.
        #[arg(long)]
        now: bool,
        /// Send it although it holds what looks like a password or key.
        #[arg(long)]
        with_secrets: bool,
    },
    /// Takes the last answer back, if it has not left, and prints its text.
    Undo {
        /// SB-12, or 12.
        number: TicketNumber,
    },
    /// Shows who takes part in a ticket and gets its answers; adds or removes somebody.
    Participants {
        /// SB-12, or 12.
        number: TicketNumber,
        /// Let this address take part.
        #[arg(long, value_name = "ADDRESS")]
        add: Option<EmailAddress>,
        /// Have this address take part no longer.
        #[arg(long, value_name = "ADDRESS")]
        remove: Option<EmailAddress>,
    },
}

/// What changes a ticket.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkCommand {
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
    /// Gives a ticket to somebody; `take` gives it to you.
    #[command(visible_alias = "take")]
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
    /// Has a ticket sleep until a time, or until somebody answers.
    Snooze {
        /// SB-12, or 12.
        number: TicketNumber,
        /// 2026-12-01, 2026-12-01T09:00Z, or a span like 3d or 4h.
        #[arg(long, value_name = "TIME")]
        until: String,
    },
    /// Makes two tickets of one customer one: the older stays and gets everything.
    Merge {
        /// SB-12, or 12.
        number: TicketNumber,
        /// The other one.
        other: TicketNumber,
    },
    /// Makes another ticket of some messages of one.
    #[command(
        after_help = "Messages are numbered from 1, as `ticket show` lists them.\n\
        Example: tierdesk ticket split SB-12 --message 3 --message 4 --subject 'Second matter'"
    )]
    Split {
        /// SB-12, or 12.
        number: TicketNumber,
        /// Which message; repeat for several.
        #[arg(long, required = true, value_name = "NUMBER")]
        message: Vec<usize>,
        /// What the new one is about; by default the first message's subject.
        #[arg(long)]
        subject: Option<String>,
    },
    /// Says that two tickets belong together.
    Link {
        /// SB-12, or 12.
        number: TicketNumber,
        /// The other one.
        other: TicketNumber,
    },
    /// Tags a ticket with words of your own.
    #[command(after_help = "Example: tierdesk ticket tag SB-12 billing --remove urgent")]
    Tag {
        /// SB-12, or 12.
        number: TicketNumber,
        /// Tags to add.
        tags: Vec<String>,
        /// A tag to take away; repeat for several.
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
    },
    /// Writes a note for colleagues: from --file, standard input, or $EDITOR.
    Note {
        /// SB-12, or 12.
        number: TicketNumber,
        /// The text.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// A file to keep with the ticket; repeat for several. Then the text may be left out.
        #[arg(long, value_name = "FILE")]
        attach: Vec<PathBuf>,
    },
    /// Ends a ticket.
    Close {
        /// SB-12, or 12.
        number: TicketNumber,
        /// done, duplicate, no_answer or spam.
        #[arg(long, default_value = "done")]
        reason: CloseReason,
    },
    /// Sets a mail aside that took an ended ticket up and asks for nothing: a thank you.
    #[command(
        after_help = "The ticket is again as it had ended, with the time it was resolved at; nothing is sent.\n\
        Refused where somebody worked on it since."
    )]
    Dismiss {
        /// SB-12, or 12.
        number: TicketNumber,
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

/// Where a ticket goes with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThenWord {
    Open,
    Waiting,
    Resolve,
    Snooze,
}

fn then(text: &str) -> Result<ThenWord, String> {
    match text {
        "open" => Ok(ThenWord::Open),
        "waiting" | "waiting-customer" => Ok(ThenWord::Waiting),
        "resolve" | "resolved" => Ok(ThenWord::Resolve),
        "snooze" => Ok(ThenWord::Snooze),
        _ => Err("write open, waiting, resolve or snooze".to_owned()),
    }
}

/// A status, or a short form of one.
pub(super) fn status(text: &str) -> Result<Status, String> {
    let text = match text {
        "waiting" => "waiting-customer",
        "hold" => "on-hold",
        other => other,
    };
    text.parse::<Status>().map_err(|fault| fault.to_string())
}

/// `sev1`, or `1`.
pub(super) fn severity(text: &str) -> Result<Severity, String> {
    let text = if text.len() == 1 {
        format!("sev{text}")
    } else {
        text.to_lowercase()
    };
    text.parse::<Severity>().map_err(|fault| fault.to_string())
}
