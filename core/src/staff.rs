//! Who works here, and what each role may do.

use crate::{clock::Timestamp, discord::DiscordId, ids::StaffId, named::named_enum};

named_enum! {
    /// What a member of staff may do; `desk::permit` holds the table.
    pub enum Role as "role" {
        /// Reads.
        Viewer = "viewer",
        /// Works tickets.
        Agent = "agent",
        /// Plans and starts onboardings.
        Provisioner = "provisioner",
        /// Approves other people's onboardings.
        Approver = "approver",
        /// Reads the audit trail, never a body.
        Auditor = "auditor",
        /// Everything.
        Admin = "admin",
    }
}

named_enum! {
    /// Whether a member of staff may act at all.
    pub enum StaffStatus as "staff status" {
        /// Yes.
        Active = "active",
        /// No; the record stays for the audit trail.
        Disabled = "disabled",
    }
}

/// A member of staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The id.
    pub id: StaffId,
    /// How colleagues call them.
    pub name: String,
    /// Their login on the machine that runs the terminal.
    pub os_user: Option<String>,
    /// Their user id in Discord.
    pub discord_user_id: Option<DiscordId>,
    /// What they may do.
    pub role: Role,
    /// Whether they may do it.
    pub status: StaffStatus,
    /// Since when they are here.
    pub created_at: Timestamp,
}
