//! Typed ids: newtypes over UUIDv7, so that rows sort by the time they were made.
//!
//! To add a kind: name it here and in `store::values`.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }
        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self { Self(id) }
        }
        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self { id.0 }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
    )+};
}

ids! {
    /// Time in which somebody cannot be called.
    AbsenceId,
    /// An audit entry.
    AuditId,
    /// Stored raw mail or an attachment.
    BlobId,
    /// The key that seals a customer's blobs.
    BlobKeyId,
    /// A place in chat in which a ticket stands.
    ChatPostId,
    /// A contact of a customer.
    ContactId,
    /// A customer.
    CustomerId,
    /// A line of a ticket's timeline.
    EventId,
    /// Something that was given to a member of staff.
    GrantId,
    /// A legal hold.
    HoldId,
    /// An arrived mail, before and after it was processed.
    InboxId,
    /// A job.
    JobId,
    /// A message: mail in, mail out, or a note.
    MessageId,
    /// A letter to one recipient.
    OutgoingId,
    /// A change to who is on call: an override, or a shift that changes hands.
    OverrideId,
    /// An onboarding.
    RunId,
    /// Who is on call by turns.
    ScheduleId,
    /// A page.
    PageId,
    /// What one person gets of a page on one channel.
    NoticeId,
    /// A member of staff.
    StaffId,
    /// A way to reach a member of staff.
    StaffChannelId,
    /// A schedule that stands in for another for some time.
    TemporaryId,
    /// A ticket.
    TicketId,
}
