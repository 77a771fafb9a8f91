//! Who works here, what each role may do, and what is attested of whom.

mod attribute;

pub use attribute::{Attribute, Demands, InvalidAttribute};

use crate::{
    clock::Timestamp,
    discord::DiscordId,
    ids::{GrantId, StaffId},
    named::named_enum,
};

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

named_enum! {
    /// What somebody was given.
    pub enum GrantKind as "kind of grant" {
        /// A role.
        Role = "role",
        /// An attribute that somebody attested.
        Attribute = "attribute",
    }
}

/// What somebody was given, by whom, why and until when; kept after it was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The id.
    pub id: GrantId,
    /// To whom.
    pub staff_id: StaffId,
    /// A role or an attribute.
    pub kind: GrantKind,
    /// Which.
    pub name: String,
    /// When.
    pub granted_at: Timestamp,
    /// By whom, as the audit trail writes it.
    pub granted_by: String,
    /// On what grounds.
    pub reason: Option<String>,
    /// Until when it counts; roles count until they are taken away.
    pub until: Option<Timestamp>,
    /// When it was taken away.
    pub removed_at: Option<Timestamp>,
    /// By whom.
    pub removed_by: Option<String>,
    /// Why.
    pub removal_reason: Option<String>,
}

impl Grant {
    /// Whether it counts at this instant.
    pub fn counts_at(&self, now: Timestamp) -> bool {
        self.removed_at.is_none() && self.until.is_none_or(|until| until > now)
    }
}
