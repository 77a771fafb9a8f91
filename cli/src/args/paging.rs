//! Pages, and how people can be reached.

use std::str::FromStr;

use clap::{Args, Subcommand};
use tierdesk_core::{
    customers::EmailAddress,
    desk::paging::Which,
    ids::{PageId, StaffChannelId},
    tickets::TicketNumber,
};

/// What is done about pages.
#[derive(Debug, Subcommand)]
pub(crate) enum PagingCommand {
    /// Pages: who is being called, about what, and what comes next.
    #[command(subcommand)]
    Page(PageCommand),
    /// Says that you have it: nobody further is called, until it expires without an update.
    #[command(after_help = "Example: tierdesk oncall ack SB-12, or the code in a test's notice")]
    Ack {
        /// A ticket, a page, or the code in a notice.
        which: WhichPage,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PageCommand {
    /// Lists pages that are not over.
    List {
        /// The latest, whatever became of them.
        #[arg(long)]
        all: bool,
    },
    /// Shows a page, or those of a ticket, with everything that was sent.
    Show {
        /// A ticket or a page.
        which: WhichPage,
    },
    /// Calls somebody about a ticket by hand, whatever its severity.
    Send {
        /// Which ticket.
        number: TicketNumber,
        /// Only this colleague, at first.
        #[arg(long, value_name = "NAME")]
        to: Option<String>,
        /// What you need; it is kept with the page, and not sent.
        #[arg(long)]
        reason: String,
    },
    /// You cannot take it: calls the next people now.
    Escalate {
        /// A ticket or a page.
        which: WhichPage,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Calls one colleague instead of everybody else.
    HandOver {
        /// A ticket or a page.
        which: WhichPage,
        /// Whom.
        #[arg(long, value_name = "NAME")]
        to: String,
    },
}

/// A page as people name it.
#[derive(Clone, Debug)]
pub(crate) struct WhichPage(pub(crate) Which);

impl FromStr for WhichPage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(number) = text.parse::<TicketNumber>() {
            return Ok(Self(Which::Ticket(number)));
        }
        if let Ok(id) = text.parse::<PageId>() {
            return Ok(Self(Which::Page(id)));
        }
        let is_code = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_code {
            return Ok(Self(Which::Code(text.to_owned())));
        }
        Err("it is no ticket (SB-12), no page and no code of a notice".to_owned())
    }
}

/// How somebody can be reached.
#[derive(Debug, Subcommand)]
pub(crate) enum ChannelCommand {
    /// Lists how somebody can be reached, and what of it was proven by a test.
    List {
        /// Whose; `me` for your own.
        name: String,
    },
    /// Adds a way to reach somebody; send a test behind it.
    #[command(
        after_help = "Examples:\n  tierdesk staff channel add me --mail dana@securebase.example\n  \
        tierdesk staff channel add me --webhook https://ntfy.sh/dana-pages-8812 --format ntfy\n  \
        tierdesk staff channel add me --webhook https://events.pagerduty.com/v2/enqueue --format pagerduty --key-file key"
    )]
    Add(Box<AddChannel>),
    /// Takes a way away.
    Remove {
        /// Whose; `me` for your own.
        name: String,
        /// Which, as `list` shows it.
        id: StaffChannelId,
    },
}

#[derive(Args, Debug)]
pub(crate) struct AddChannel {
    /// Whom; `me` for yourself.
    pub(crate) name: String,
    /// By mail, at this address.
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present_any = ["direct", "webhook"],
        conflicts_with_all = ["direct", "webhook"]
    )]
    pub(crate) mail: Option<EmailAddress>,
    /// By direct messages in Discord, of the user that is linked.
    #[arg(long, conflicts_with = "webhook")]
    pub(crate) direct: bool,
    /// By a POST to this https:// address; it is sealed.
    #[arg(long, value_name = "URL", requires = "format")]
    pub(crate) webhook: Option<String>,
    /// The shape of that POST: ntfy, pushover, pagerduty, slack, teams, discord or json.
    #[arg(long)]
    pub(crate) format: Option<String>,
    /// A file with its routing key or token.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<std::path::PathBuf>,
    /// Whose device, for Pushover.
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// What it is called in lists; the host where absent.
    #[arg(long, value_name = "NAME")]
    pub(crate) label: Option<String>,
    /// Whether it wakes you: pagerduty, pushover and ntfy do, unless you say otherwise.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub(crate) wakes: Option<bool>,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}
