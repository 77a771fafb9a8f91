//! Onboarding a customer, as far as it can be computed: which steps there are, what each wants,
//! what was found in the cloud, and what follows from the difference.
//!
//! Every step is observe, decide, act, verify. Observing and acting talk to the cloud (crate
//! `provision`); deciding is here and is the same for a plan, a run, a resumed run and a drift
//! check: [`decide`] of what is wanted and what was seen. A step that finds everything in place does
//! nothing, which is why a run cut off anywhere can be begun again.
//!
//! To add a step: a variant of [`StepName`] at its place, an arm in `decide.rs`, and its halves in
//! `provision`.

mod approvals;
mod blueprint;
mod decide;
mod desired;
mod estimate;
mod observed;

#[cfg(test)]
mod tests;

pub use approvals::{Approvals, may_approve};
pub use blueprint::{AccessSet, Blueprint, BlueprintError, DEMO_ROOT_EMAIL};
pub use decide::{Finding, changed_since, decide, plan_hash};
pub use desired::{Desired, DesiredPolicy, MANAGED_ROLE, TAG_CUSTOMER, TAG_RUN, canonical};
pub use estimate::{Estimate, estimate};
pub use observed::{Observed, ObservedAccount, ObservedPolicy, ObservedSet};

use crate::{
    clock::Timestamp,
    customers::{AccountId, DomainName, EmailAddress, Prefix, Slug},
    ids::{CustomerId, RunId, StaffId},
    named::named_enum,
    tiers::TierSlug,
};

named_enum! {
    /// The steps, in order.
    pub enum StepName as "onboarding step" {
        /// The organisation is ours, has room and all features; the root address is free.
        Validate = "validate",
        /// The tier's organisational unit, shared by its customers.
        TierOu = "tier_ou",
        /// The tier's service control policies, by content, attached to its unit.
        TierScps = "tier_scps",
        /// The customer's account.
        Account = "account",
        /// Its role can be assumed, which takes a while.
        AccountUsable = "account_usable",
        /// It lies in the tier's unit.
        Moved = "moved",
        /// It carries our tags.
        Tagged = "tagged",
        /// The tier's permission sets.
        PermissionSets = "permission_sets",
        /// The groups that get them.
        Groups = "groups",
        /// The contact's user and memberships.
        User = "user",
        /// Groups have their permission sets in the account.
        Assignments = "assignments",
        /// The security baseline's verdict.
        Baseline = "baseline",
        /// The directory says that the customer is active, and where.
        Directory = "directory",
        /// The customer is written to.
        WelcomeMail = "welcome_mail",
    }
}

impl StepName {
    /// Whether it changes what all customers of the organisation share. Such steps of all runs run
    /// one after another.
    pub const fn is_shared(self) -> bool {
        matches!(self, Self::TierOu | Self::TierScps | Self::PermissionSets)
    }

    /// Its place, from 0.
    pub fn position(self) -> i64 {
        let at = Self::ALL.iter().position(|step| *step == self);
        at.and_then(|at| i64::try_from(at).ok()).unwrap_or_default()
    }

    /// What people read.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Validate => "checks",
            Self::TierOu => "tier unit",
            Self::TierScps => "tier policies",
            Self::Account => "account",
            Self::AccountUsable => "account usable",
            Self::Moved => "moved into unit",
            Self::Tagged => "tags",
            Self::PermissionSets => "permission sets",
            Self::Groups => "groups",
            Self::User => "contact's user",
            Self::Assignments => "access assigned",
            Self::Baseline => "baseline check",
            Self::Directory => "directory",
            Self::WelcomeMail => "welcome mail",
        }
    }
}

named_enum! {
    /// What a step would do.
    pub enum Verdict as "verdict" {
        /// It makes or changes something.
        Create = "create",
        /// It takes over what an earlier run of ours made.
        Adopt = "adopt",
        /// Nothing: everything is there.
        Already = "already",
        /// It cannot: a person must change something first.
        Blocked = "blocked",
        /// This version leaves it out.
        Skipped = "skipped",
    }
}

named_enum! {
    /// Where a step of a run stands.
    pub enum StepState as "step state" {
        /// Not begun.
        Pending = "pending",
        /// Begun: being done, or waiting for the cloud.
        Running = "running",
        /// In place, and seen to be.
        Done = "done",
        /// It cannot go on without a person.
        Failed = "failed",
        /// Left out.
        Skipped = "skipped",
    }
}

named_enum! {
    /// Where a run stands.
    pub enum RunState as "state of an onboarding" {
        /// The cloud is being looked at. Shown as planned.
        Planning = "planning",
        /// Looked at; nothing was changed.
        Planned = "planned",
        /// Asked for, and others must agree.
        AwaitingApproval = "awaiting_approval",
        /// Under way.
        Running = "running",
        /// The customer is active.
        Done = "done",
        /// A step cannot go on; `resume` tries it again.
        Failed = "failed",
        /// Given up; what was made stays.
        Cancelled = "cancelled",
    }
}

impl RunState {
    /// Whether it may still go on.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Done | Self::Cancelled)
    }

    /// The word that programs read: a plan that is being made is a plan.
    pub const fn shown(self) -> &'static str {
        match self {
            Self::Planning => Self::Planned.as_str(),
            other => other.as_str(),
        }
    }
}

/// Who is to be onboarded, as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// The handle, from the name.
    pub slug: Slug,
    /// The company's name.
    pub name: String,
    /// The tier.
    pub tier: TierSlug,
    /// Their first contact, who gets access.
    pub contact: EmailAddress,
    /// Their mail domain.
    pub domain: DomainName,
    /// Their short name in AWS.
    pub prefix: Option<Prefix>,
}

/// One onboarding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The id.
    pub id: RunId,
    /// The customer, once the directory has it.
    pub customer: Option<CustomerId>,
    /// Who is to be onboarded.
    pub params: Params,
    /// The account's root address.
    pub root_email: EmailAddress,
    /// Where it stands.
    pub state: RunState,
    /// What exactly was planned.
    pub hash: Option<String>,
    /// `simulated` or `aws`.
    pub cloud: String,
    /// The organisation it was planned for.
    pub organization: Option<String>,
    /// Who asked, as the audit trail writes it.
    pub requested_by: String,
    /// Their staff row.
    pub requester: Option<StaffId>,
    /// Why one person went on alone.
    pub sole_operator_reason: Option<String>,
    /// Where in chat progress is told.
    pub chat_channel: Option<String>,
    /// The account, once known.
    pub account: Option<AccountId>,
    /// The unit, once the account lies in it.
    pub ou: Option<String>,
    /// Why it stands still, or what is worth knowing.
    pub note: Option<String>,
    /// How long it may take, in seconds: at least, probably, at most.
    pub estimate: Option<Estimate>,
    /// When it was first planned.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub generation: i64,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// What the plan said.
    pub verdict: Verdict,
    /// The same in words, later what was done.
    pub detail: String,
    /// Where it stands.
    pub state: StepState,
    /// How often it was begun.
    pub attempts: i64,
    /// When something was about to be sent that must not be sent twice.
    pub intent_at: Option<Timestamp>,
    /// AWS's name for what was asked for.
    pub external_ref: Option<String>,
    /// The class of the last error.
    pub error_class: Option<String>,
    /// When it was first begun.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Step {
    /// How long it took, once it ended.
    pub fn seconds(&self) -> Option<f64> {
        let (from, to) = (self.started_at?, self.finished_at?);
        Some(to.since(from).as_secs_f64())
    }

    /// Whether nothing is left to do.
    pub const fn is_over(&self) -> bool {
        matches!(self.state, StepState::Done | StepState::Skipped)
    }
}
