//! What stands in chat, as the desk keeps book of it: posts and what their buttons mean.

use crate::{
    clock::Timestamp,
    discord::DiscordId,
    ids::{ChatPostId, StaffId, TicketId},
    named::named_enum,
    tiers::{Disclosure, TierSlug},
};

named_enum! {
    /// How far a post is.
    pub enum PostState as "state of a post" {
        /// It is about to be made, or was and nobody recorded it.
        Intended = "intended",
        /// It stands.
        Posted = "posted",
        /// The ticket went elsewhere; what was said there stays, archived.
        Moved = "moved",
        /// It was taken away, because less may be shown now.
        Deleted = "deleted",
    }
}

named_enum! {
    /// What using a handle does.
    pub enum Verb as "verb of a button" {
        /// The ticket becomes the presser's.
        Take = "take",
        /// Offers the severities.
        AskSeverity = "ask_severity",
        /// Opens a form for a note.
        AskNote = "ask_note",
        /// Offers the reasons for closing.
        AskClose = "ask_close",
        /// Sets the severity that was chosen.
        SetSeverity = "set_severity",
        /// Stores the note that was written.
        WriteNote = "write_note",
        /// Closes the ticket for the reason that was chosen.
        Close = "close",
        /// Offers the fixed replies.
        AskReply = "ask_reply",
        /// Shows what the reply that was chosen would be, and to how many it would go.
        ShowReply = "show_reply",
        /// Sends the reply that was shown.
        SendReply = "send_reply",
        /// Takes the reply that was sent back.
        UndoReply = "undo_reply",
    }
}

impl Verb {
    /// Whether using it changes the ticket; what only asks may be used again.
    pub fn changes(self) -> bool {
        !matches!(
            self,
            Self::AskSeverity | Self::AskNote | Self::AskClose | Self::AskReply | Self::ShowReply
        )
    }
}

/// A place in which a ticket stands or stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatPost {
    /// The id.
    pub id: ChatPostId,
    /// The ticket.
    pub ticket_id: TicketId,
    /// The channel of its tier, or of triage.
    pub channel_id: DiscordId,
    /// Its thread there; `None` until it is made, or where there is room for none.
    pub thread_id: Option<DiscordId>,
    /// The message that holds the card.
    pub message_id: Option<DiscordId>,
    /// How far it is.
    pub state: PostState,
    /// How much was shown there.
    pub level: Disclosure,
    /// The tier under which it was posted.
    pub tier: Option<TierSlug>,
    /// A digest of what is shown, to leave out edits that change nothing.
    pub shown: String,
    /// The version of the ticket that is shown.
    pub shown_version: i64,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What a button, menu or form means. In Discord stands only the handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    /// Random; 26 characters.
    pub handle: String,
    /// What using it does.
    pub verb: Verb,
    /// With what, where that was settled when it was made.
    pub about: Option<String>,
    /// To which ticket.
    pub ticket_id: TicketId,
    /// The version of the ticket that its user saw.
    pub ticket_version: i64,
    /// Who alone may use it.
    pub staff_id: Option<StaffId>,
    /// Until when.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// By whom.
    pub used_by: Option<String>,
}
