//! Tickets and the messages on them.

pub mod number;
pub mod severity;
pub mod state;
pub mod tag;
pub mod thanks;
pub mod threading;

use serde::Serialize;

pub use number::TicketNumber;
pub use state::{CloseReason, Status};

use crate::{
    clock::Timestamp,
    ids::{BlobId, CustomerId, EventId, MessageId, StaffId, TicketId},
    named::named_enum,
    sla::Clocks,
    tiers::{Priority, Severity, TierSlug},
    trust::SenderTrust,
};

named_enum! {
    /// Which way a message went.
    pub enum Direction as "direction" {
        /// From a customer.
        In = "in",
        /// To a customer.
        Out = "out",
        /// Between staff.
        Note = "note",
    }
}

named_enum! {
    /// Who or what wrote a message.
    pub enum MessageKind as "kind of mail" {
        /// A person, as far as can be told.
        Person = "person",
        /// An automatic answer.
        AutoReply = "auto_reply",
        /// A delivery report.
        Bounce = "bounce",
        /// Sent to many.
        Bulk = "bulk",
        /// Through a mailing list.
        List = "list",
        /// Our own mail, come back.
        Own = "own",
    }
}

named_enum! {
    /// What ties a ticket to an earlier one.
    pub enum LinkKind as "kind of link" {
        /// It goes on where one that was closed long ago ended.
        FollowUp = "follow_up",
        /// It came with the other's reply token, from an address that may not join that one.
        SamePerson = "same_person",
        /// It has become a part of the earlier one, which has all of it.
        Merged = "merged",
        /// It was a part of the earlier one.
        Split = "split",
        /// Somebody says that they belong together.
        Related = "related",
    }
}

named_enum! {
    /// What became of a message that we sent.
    pub enum Delivery as "delivery" {
        /// Not a mail of ours.
        None = "none",
        /// Waiting to leave.
        Queued = "queued",
        /// Handed to the relay.
        Sent = "sent",
        /// Refused for good.
        Failed = "failed",
    }
}

named_enum! {
    /// How an address came to take part in a ticket.
    pub enum ParticipantRole as "participant role" {
        /// Opened it.
        Requester = "requester",
        /// Wrote to it from the same customer.
        Colleague = "colleague",
        /// Was added by staff.
        Added = "added",
    }
}

/// One piece of work for one customer, or for nobody yet (triage).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The id.
    pub id: TicketId,
    /// What people call it.
    pub number: TicketNumber,
    /// Whose it is; `None` is triage.
    pub customer_id: Option<CustomerId>,
    /// The customer's tier when the ticket was bound, or since it last changed.
    pub tier: Option<TierSlug>,
    /// The framework that applies.
    pub framework: Option<String>,
    /// The tier's rank, smaller is stricter; [`TRIAGE_RANK`] while unbound.
    pub tier_rank: i64,
    /// Masked.
    pub subject: String,
    /// Where it stands.
    pub status: Status,
    /// How bad it is for the customer.
    pub severity: Severity,
    /// How soon we act.
    pub priority: Priority,
    /// How far the opener can be believed.
    pub trust: SenderTrust,
    /// Why.
    pub trust_reasons: Vec<String>,
    /// The address that opened it, or what stood in its place.
    pub requester: String,
    /// Their display name.
    pub requester_name: Option<String>,
    /// Who works on it.
    pub assignee_id: Option<StaffId>,
    /// Opened from history: no receipt, page, post or clock.
    pub is_silent: bool,
    /// Bound to the customer that its sender claims, unproven, and confirmed by nobody.
    pub is_provisional: bool,
    /// Why it was closed.
    pub close_reason: Option<CloseReason>,
    /// When it was opened; for history, when the mail was sent.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The three response clocks.
    pub clocks: Clocks,
    /// It sleeps until then, or until somebody answers.
    pub snoozed_until: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

/// Sorts unbound tickets behind those of every tier at the same priority.
pub const TRIAGE_RANK: i64 = 1_000;

/// A mail or note on a ticket, or a recorded mail on none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The id.
    pub id: MessageId,
    /// The ticket, unless it was only recorded.
    pub ticket_id: Option<TicketId>,
    /// The customer it counts for.
    pub customer_id: Option<CustomerId>,
    /// Which way it went.
    pub direction: Direction,
    /// Who or what wrote it.
    pub kind: MessageKind,
    /// Its Message-ID without angle brackets.
    pub header_id: Option<String>,
    /// The writer's address, or the staff member's name.
    pub author: String,
    /// The writer's display name.
    pub author_name: Option<String>,
    /// Masked.
    pub subject: String,
    /// The whole text, masked.
    pub body: String,
    /// The text without quotes and signature, masked.
    pub reply_text: String,
    /// What the Date header claims.
    pub sent_at: Option<Timestamp>,
    /// When it reached us.
    pub received_at: Timestamp,
    /// How far the writer can be believed; `None` for staff.
    pub trust: Option<SenderTrust>,
    /// What was odd about it, in words.
    pub findings: Vec<String>,
    /// A limit cut something off.
    pub is_truncated: bool,
    /// The raw mail.
    pub blob_id: Option<BlobId>,
    /// What became of it, for mail of ours.
    pub delivery: Delivery,
}

/// A line of a ticket's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The id, not shown.
    #[serde(skip)]
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// Who: `staff:NAME`, `system:ROLE`, or an address.
    pub actor: String,
    /// What happened: `opened`, `assigned`, …
    pub kind: String,
    /// The particulars.
    pub detail: serde_json::Value,
}

/// The tags that follow from what a ticket is: `tier:`, `framework:`, `customer:`. They are
/// computed and never stored, so that they cannot disagree with the ticket.
pub fn tags(
    tier: Option<&TierSlug>,
    framework: Option<&str>,
    customer: Option<&str>,
) -> Vec<String> {
    let mut tags = Vec::new();
    tags.extend(tier.map(|tier| format!("tier:{tier}")));
    tags.extend(framework.map(|framework| format!("framework:{}", tag_value(framework))));
    tags.extend(customer.map(|customer| format!("customer:{customer}")));
    tags
}

/// "SOC 2" as a tag's value: `soc-2`.
fn tag_value(text: &str) -> String {
    let folded = crate::customers::fold(text);
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_say_tier_framework_and_customer() {
        let tier: TierSlug = "fintech".parse().unwrap();
        assert_eq!(
            tags(Some(&tier), Some("SOC 2"), Some("acme-finance")),
            ["tier:fintech", "framework:soc-2", "customer:acme-finance"]
        );
        assert!(tags(None, None, None).is_empty());
    }
}
