//! Which ticket does a mail continue?
//!
//! A mail joins a ticket when it answers a message we hold **and** its sender is a participant or
//! of the same customer. A reference alone proves nothing: Message-IDs are easy to learn.

use std::collections::HashSet;

use crate::{
    customers::EmailAddress,
    ids::{CustomerId, TicketId},
    mail::Mail,
    trust::{Assessment, SenderTrust},
};

/// A ticket that holds one of the messages a mail refers to.
#[derive(Clone, Debug)]
pub struct Candidate<'t> {
    /// The ticket.
    pub id: TicketId,
    /// Whose it is.
    pub customer_id: Option<CustomerId>,
    /// Who takes part, by address.
    pub participants: &'t HashSet<String>,
}

/// The ids a mail refers to, nearest first: In-Reply-To, then References from its end.
pub fn referred_ids(mail: &Mail) -> impl Iterator<Item = &str> {
    let mut seen = HashSet::new();
    mail.in_reply_to
        .iter()
        .chain(mail.references.iter().rev())
        .map(String::as_str)
        .filter(move |id| seen.insert(*id))
}

/// Whether this sender may join this ticket.
pub fn may_join(assessment: &Assessment, ticket: &Candidate<'_>) -> bool {
    if assessment.trust == SenderTrust::Contradicted {
        return false;
    }
    let is_participant = |sender: &EmailAddress| ticket.participants.contains(sender.as_str());
    let is_same_customer = ticket.customer_id.is_some()
        && assessment.customer.as_ref().map(|customer| customer.id) == ticket.customer_id;
    is_same_customer || assessment.sender.as_ref().is_some_and(is_participant)
}

/// The first of `candidates` that the sender may join; else the first it may not.
pub fn choose<'c>(
    assessment: &Assessment,
    candidates: impl IntoIterator<Item = Candidate<'c>>,
) -> Result<TicketId, Option<TicketId>> {
    let mut refused = None;
    for candidate in candidates {
        if may_join(assessment, &candidate) {
            return Ok(candidate.id);
        }
        refused.get_or_insert(candidate.id);
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::CustomerId;

    fn assessment(trust: SenderTrust) -> Assessment {
        Assessment {
            sender: "john@acme.example".parse().ok(),
            customer: None,
            trust,
            reasons: Vec::new(),
        }
    }

    fn candidate(participants: &HashSet<String>, customer_id: Option<CustomerId>) -> Candidate<'_> {
        Candidate {
            id: uuid::Uuid::from_u128(7).into(),
            customer_id,
            participants,
        }
    }

    #[test]
    fn a_reference_alone_joins_nothing() {
        let (nobody, john) = (
            HashSet::new(),
            HashSet::from(["john@acme.example".to_owned()]),
        );
        let sender = assessment(SenderTrust::Unproven);
        assert!(
            !may_join(&sender, &candidate(&nobody, None)),
            "a stranger's unbound ticket"
        );
        let other = Some(uuid::Uuid::from_u128(1).into());
        assert!(
            !may_join(&sender, &candidate(&nobody, other)),
            "another customer's ticket"
        );
        assert!(
            may_join(&sender, &candidate(&john, other)),
            "positive control: a participant"
        );
        let contradicted = assessment(SenderTrust::Contradicted);
        assert!(
            !may_join(&contradicted, &candidate(&john, other)),
            "whatever the address says"
        );
    }

    #[test]
    fn the_ticket_the_sender_may_join_is_taken_among_several() {
        let (nobody, john) = (
            HashSet::new(),
            HashSet::from(["john@acme.example".to_owned()]),
        );
        let sender = assessment(SenderTrust::Unproven);
        let mut joinable = candidate(&john, None);
        joinable.id = uuid::Uuid::from_u128(9).into();
        let id = joinable.id;
        assert_eq!(
            choose(&sender, [candidate(&nobody, None), joinable]),
            Ok(id)
        );
        let refused = candidate(&nobody, None);
        assert_eq!(choose(&sender, [refused.clone()]), Err(Some(refused.id)));
        assert_eq!(choose(&sender, []), Err(None));
    }
}
