//! The one table of a ticket's statuses. Nothing else changes a status.

use crate::named::named_enum;

named_enum! {
    /// Where a ticket stands.
    pub enum Status as "status" {
        /// Nobody has looked yet.
        New = "new",
        /// Ours to act on.
        Open = "open",
        /// The customer's turn.
        WaitingCustomer = "waiting-customer",
        /// Somebody else's turn.
        OnHold = "on-hold",
        /// Done, as far as we can tell.
        Resolved = "resolved",
        /// Done.
        Closed = "closed",
    }
}

named_enum! {
    /// Why a ticket was closed.
    pub enum CloseReason as "close reason" {
        /// The work is done.
        Done = "done",
        /// Nobody should answer it.
        Spam = "spam",
        /// Another ticket has it.
        Duplicate = "duplicate",
        /// The customer never came back.
        NoAnswer = "no_answer",
    }
}

impl Status {
    /// Whether the ticket is somebody's work, ours or the customer's.
    pub const fn is_active(self) -> bool {
        !matches!(self, Self::Resolved | Self::Closed)
    }

    /// The transition table. Staying is no transition.
    pub const fn may_become(self, next: Self) -> bool {
        use Status::{Closed, New, OnHold, Open, Resolved, WaitingCustomer};
        match (self, next) {
            // Nothing becomes new again, and what is closed can only be reopened.
            (_, New)
            | (Closed, WaitingCustomer | OnHold | Resolved | Closed)
            | (Resolved, WaitingCustomer | OnHold | Resolved)
            | (Open, Open)
            | (WaitingCustomer, WaitingCustomer)
            | (OnHold, OnHold) => false,
            _ => true,
        }
    }

    /// Where a customer's message takes the ticket; `None` leaves it.
    pub const fn after_customer_message(self) -> Option<Self> {
        match self {
            Self::New | Self::Open => None,
            Self::WaitingCustomer | Self::OnHold | Self::Resolved | Self::Closed => {
                Some(Self::Open)
            }
        }
    }

    /// Where picking the ticket up takes it; `None` leaves it.
    pub const fn after_assignment(self) -> Option<Self> {
        match self {
            Self::New => Some(Self::Open),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_the_side_effects_is_in_the_table() {
        for status in Status::ALL {
            for next in [status.after_customer_message(), status.after_assignment()] {
                assert!(
                    next.is_none_or(|next| status.may_become(next)),
                    "{status} to {next:?}"
                );
            }
        }
    }

    #[test]
    fn every_status_can_reach_closed_and_closed_can_reopen() {
        for status in Status::ALL {
            assert!(
                status == Status::Closed || status.may_become(Status::Closed),
                "{status}"
            );
            assert!(!status.may_become(status), "{status} to itself");
            assert!(!status.may_become(Status::New), "{status} to new");
        }
        assert!(Status::Closed.may_become(Status::Open));
        assert!(!Status::Resolved.may_become(Status::WaitingCustomer));
    }
}
