//! What a mail of a known or proven sender changes besides being there: who is copied in, and how bad it
//! is called.

use super::batch::{Batch, Decision, Joined};
use crate::{desk::Error, ids::TicketId, receive::Prepared, tickets::severity, trust::SenderTrust};

impl Batch<'_> {
    /// Colleagues at the same customer whom a sender copies in that is known or proven, where the tier
    /// has it so.
    pub(super) fn copy_in(&mut self, id: TicketId, item: &Prepared, decision: &Decision) {
        let trust = decision.assessment.trust;
        let is_proven = matches!(trust, SenderTrust::Known | SenderTrust::Proven);
        let Some(ticket) = self.tickets.get(&id) else {
            return;
        };
        let tier = ticket.tier.as_ref();
        let tier = tier.and_then(|slug| self.desk.catalogue.get(slug.as_str()));
        let theirs = decision.assessment.customer.as_ref().map(|one| one.id);
        if !is_proven
            || decision.reported.is_some()
            || theirs.is_none()
            || theirs != ticket.customer_id
            || tier.is_none_or(|tier| !tier.copies_cc)
        {
            return;
        }
        for (address, name) in item.copied() {
            let found = self.known.directory.resolve(&address);
            if found.customer.map(|customer| customer.id) != theirs {
                continue;
            }
            let participants = self.participants.entry(id).or_default();
            let address = address.as_str().to_owned();
            if participants.insert(address.clone()) {
                self.joined.push(Joined {
                    ticket: id,
                    address,
                    name,
                });
            }
        }
    }

    /// A customer calls a ticket worse than it was: by a marker in the subject that the ticket's does not
    /// have. What is believed is only who is known or proven.
    pub(super) fn raise(
        &mut self,
        id: TicketId,
        item: &Prepared,
        decision: &mut Decision,
    ) -> Result<(), Error> {
        let trust = decision.assessment.trust;
        let Some((claimed, marker)) = severity::marked(&item.mail.subject) else {
            return Ok(());
        };
        let Some(ticket) = self.tickets.get_mut(&id) else {
            return Ok(());
        };
        let is_proven = matches!(trust, SenderTrust::Known | SenderTrust::Proven);
        let was_said = severity::marked(&ticket.subject).is_some_and(|(said, _)| said == claimed);
        if !is_proven || item.is_silent || was_said || claimed >= ticket.severity {
            return Ok(());
        }
        let note = format!(
            "raised from {} to {claimed}: the subject says {marker}",
            ticket.severity
        );
        ticket.severity = claimed;
        if let Some(slug) = &ticket.tier {
            let tier = self.desk.tier(slug)?;
            ticket.priority = tier.priorities[claimed];
            ticket.clocks = ticket.clocks.restart(tier, claimed, self.now);
        }
        self.raised.push(id);
        decision.notes.push(note);
        Ok(())
    }
}
