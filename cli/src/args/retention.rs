//! How long things are kept, what keeps them, and removing them.

use clap::Subcommand;
use tierdesk_core::{customers::EmailAddress, ids::HoldId};

#[derive(Debug, Subcommand)]
pub(crate) enum RetentionCommand {
    /// Shows what is due to be removed by the times of its tier, and what a hold keeps. Changes nothing.
    Plan,
    /// Removes what is due and not held, ticket by ticket. Stopped anywhere, it goes on when run again.
    #[command(after_help = "Example, once a week: tierdesk retention run --yes")]
    Run {
        /// Do not ask. Needed where nobody can be asked.
        #[arg(long)]
        yes: bool,
    },
    /// Keeps a customer, or a ticket, from being removed, redacted or erased.
    #[command(after_help = "Example: tierdesk retention hold SB-12 --reason 'case 4711'")]
    Hold {
        /// A ticket (SB-12) or a customer's handle.
        what: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lifts a hold.
    Lift {
        /// The hold's id.
        id: HoldId,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lists holds, lifted ones too.
    Holds,
    /// Erases a person, or a customer that has left, for good.
    #[command(subcommand)]
    Erase(EraseCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum EraseCommand {
    /// What a person wrote, and their address wherever it stands. Tickets stay, with another name in the
    /// person's place; texts of others that name them are listed and stay.
    #[command(
        after_help = "Example: tierdesk retention erase person john@acmefinance.com --reason 'request of 2026-11-20'"
    )]
    Person {
        /// Their address.
        address: EmailAddress,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Do not ask. Needed where nobody can be asked.
        #[arg(long)]
        yes: bool,
    },
    /// Everything a customer wrote and was written, once their status is closed; their keys are destroyed.
    Customer {
        /// The customer's handle.
        slug: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Do not ask. Needed where nobody can be asked.
        #[arg(long)]
        yes: bool,
    },
}
