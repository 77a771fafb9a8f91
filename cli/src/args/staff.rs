//! Who works here and what they may do.

use clap::Subcommand;
use tierdesk_core::{discord::DiscordId, staff::Role};

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
    },
    /// Takes every right from somebody at once; what they did stays.
    Disable {
        /// From whom.
        name: String,
        /// Give it back.
        #[arg(long)]
        undo: bool,
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
