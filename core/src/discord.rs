//! Discord's names for things, and who a member of the guild is to the desk.
//!
//! The staff row decides what somebody may do. A role that is configured for it in Discord is a
//! second lock: who loses it there loses the right here, and nobody gains one by it, so that who
//! may hand out roles in Discord cannot make themselves admin of the desk.

use std::{collections::BTreeMap, fmt, num::NonZeroU64, str::FromStr};

use crate::{ids::StaffId, staff::Role};

/// An id that Discord gave: a number above zero. Columns and JSON hold its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DiscordId(NonZeroU64);

/// The text is not a Discord id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Discord id is a number above zero")]
pub struct InvalidDiscordId;

impl DiscordId {
    /// The id with this number; `None` for zero.
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl FromStr for DiscordId {
    type Err = InvalidDiscordId;

    fn from_str(text: &str) -> Result<Self, InvalidDiscordId> {
        text.parse().map(Self).map_err(|_| InvalidDiscordId)
    }
}

impl fmt::Display for DiscordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for DiscordId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Somebody who acts in Discord, as far as Discord says who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Their user id.
    pub user: DiscordId,
    /// Whether they act in the configured guild.
    pub is_in_our_guild: bool,
    /// Whether they act in a direct message, which belongs to no server.
    pub is_direct: bool,
    /// Staff roles that ask for a role in Discord which they do not hold.
    pub lacks: Vec<Role>,
    /// Whose notice they answer. Only the desk says so, after it read whose the button is.
    answers: Option<StaffId>,
}

impl Member {
    /// The member `user` who acted in `guild` and holds `held` there, under the configured guild
    /// and the Discord role that is configured for each staff role.
    pub fn new(
        ours: DiscordId,
        roles: &BTreeMap<Role, DiscordId>,
        guild: Option<DiscordId>,
        user: DiscordId,
        held: &[DiscordId],
    ) -> Self {
        let lacks = roles
            .iter()
            .filter(|(_, id)| !held.contains(id))
            .map(|(role, _)| *role)
            .collect();
        Self {
            user,
            is_in_our_guild: guild == Some(ours),
            is_direct: guild.is_none(),
            lacks,
            answers: None,
        }
    }

    /// The same, with a button in hand that was made for this member of staff alone.
    pub(crate) fn answering(&self, staff: StaffId) -> Self {
        Self {
            answers: Some(staff),
            ..self.clone()
        }
    }

    /// Whether they answer, in a direct message, what was sent to this member of staff.
    pub(crate) fn answers_for(&self, staff: StaffId) -> bool {
        self.is_direct && self.answers == Some(staff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> DiscordId {
        DiscordId::new(number).unwrap()
    }

    #[test]
    fn ids_are_numbers_above_zero() {
        assert_eq!(id(u64::MAX).to_string(), u64::MAX.to_string());
        assert_eq!(id(42).get(), 42);
        assert_eq!("007".parse::<DiscordId>().unwrap().to_string(), "7");
        for wrong in ["", "0", "-1", "12a", "99999999999999999999999"] {
            assert_eq!(wrong.parse::<DiscordId>(), Err(InvalidDiscordId), "{wrong}");
        }
    }

    #[test]
    fn a_configured_role_that_is_not_held_is_lacked() {
        let roles = BTreeMap::from([(Role::Agent, id(10)), (Role::Admin, id(11))]);
        let member = Member::new(id(1), &roles, Some(id(1)), id(5), &[id(10), id(99)]);
        assert!(member.is_in_our_guild);
        assert_eq!(member.lacks, [Role::Admin]);
        let stranger = Member::new(id(1), &roles, None, id(5), &[]);
        assert!(!stranger.is_in_our_guild);
    }
}
