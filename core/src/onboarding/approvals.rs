//! How many other people must agree, and whether they have.

use super::Run;
use crate::{
    ids::StaffId,
    staff::{Role, Staff, StaffStatus},
};

/// How a run stands with approvals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approvals {
    /// How many other people the tier demands.
    pub needed: usize,
    /// How many agreed to exactly this plan.
    pub given: usize,
    /// How many people could agree: active, with the right, not the one who asks.
    pub possible: usize,
}

impl Approvals {
    /// Counts. `approvers` agreed to the plan's present hash.
    pub fn count(needed: u32, run: &Run, staff: &[Staff], approvers: &[StaffId]) -> Self {
        let others = || staff.iter().filter(|one| may_approve(run, one));
        Self {
            needed: usize::try_from(needed).unwrap_or(usize::MAX),
            given: others().filter(|one| approvers.contains(&one.id)).count(),
            possible: others().count(),
        }
    }

    /// Whether enough people agreed.
    pub const fn is_enough(self) -> bool {
        self.given >= self.needed
    }

    /// Whether nobody is left who could still agree, and too few did.
    pub const fn is_exhausted(self) -> bool {
        self.possible < self.needed && self.given >= self.possible
    }
}

/// Whether this person's word counts for this run: active, with the right, and not whoever asked,
/// under whichever name they asked. Somebody who asked before they were on the staff did so as
/// their login.
pub fn may_approve(run: &Run, person: &Staff) -> bool {
    let asked_by_login = run.requested_by.strip_prefix("os:");
    person.status == StaffStatus::Active
        && matches!(person.role, Role::Approver | Role::Admin)
        && run.requester != Some(person.id)
        && (asked_by_login.is_none() || asked_by_login != person.os_user.as_deref())
}
