//! Who works here and what they may do.

use clap::Subcommand;
use tierdesk_core::{
    discord::DiscordId,
    staff::{Attribute, Role},
};

use super::ChannelCommand;

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
        /// Why they get the role: `staff review` shows it.
        #[arg(long)]
        reason: Option<String>,
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
        /// Why: `staff review` shows it.
        #[arg(long)]
        reason: Option<String>,
    },
    #[command(flatten)]
    Attested(AttestedCommand),
    /// How somebody can be reached when they are on call.
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// Sends somebody a test on every channel they have: what they answer is proven to reach them.
    TestPage {
        /// Whom; `me` for yourself.
        name: String,
    },
    /// Takes every right from somebody at once; what they did stays.
    Disable {
        /// From whom.
        name: String,
        /// Give it back.
        #[arg(long)]
        undo: bool,
        /// Why: `staff review` shows it.
        #[arg(long)]
        reason: Option<String>,
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

/// What is attested of people, and looking over all of it.
#[derive(Debug, Subcommand)]
pub(crate) enum AttestedCommand {
    /// Says that something is so of somebody, on proof that you have seen, until a day.
    #[command(
        after_help = "Tiers and contracts ask for attributes (tiers.toml, customer set --staff-attributes): who lacks \
        one neither reads nor works on such tickets.\n\
        Example: tierdesk staff attest dana hipaa-trained --until 2027-11-30 --grounds 'certificate 4711'"
    )]
    Attest {
        /// Of whom.
        name: String,
        /// What: us-person, hipaa-trained, screened.
        attribute: Attribute,
        /// When it must be looked at again: a day, an instant, or a span like 365d.
        #[arg(long)]
        until: String,
        /// What you have seen.
        #[arg(long)]
        grounds: Option<String>,
    },
    /// Takes an attestation back at once.
    Revoke {
        /// From whom.
        name: String,
        /// What.
        attribute: Attribute,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Shows who was given what, by whom and why, what was taken away, and what to look at.
    Review,
}
