//! Deciding the mails of one batch, each against the store and the mails before it.

use std::collections::{HashMap, HashSet};

use crate::{
    authentication::{Authentication, weigh},
    clock::Timestamp,
    customers::{
        EmailAddress, Slug,
        matching::{CustomerRef, Directory},
    },
    desk::{Desk, Error, work_ticket::Ended},
    ids::{CustomerId, MessageId, TicketId},
    receive::{Outcome, Prepared, bounded_requester},
    sla::Clocks,
    store::Tx,
    tickets::{
        CloseReason, LinkKind, MessageKind, Status, TRIAGE_RANK, Ticket, TicketNumber, severity,
        threading,
    },
    trust::{self, Assessment, SenderTrust},
    watchdog,
};

/// What was decided about one mail.
#[derive(Debug)]
pub(super) struct Decision {
    /// Which mail of the batch.
    pub(super) index: usize,
    /// What became of it.
    pub(super) outcome: Outcome,
    /// The ticket it is on.
    pub(super) ticket: Option<TicketId>,
    /// The message row it becomes; `None` for duplicates.
    pub(super) message: Option<MessageId>,
    /// The message of which it is a copy.
    pub(super) original: Option<MessageId>,
    /// What was found of its sender.
    pub(super) assessment: Assessment,
    /// Who wrote it, where a colleague forwarded it.
    pub(super) reported: Option<EmailAddress>,
    /// A ticket it refers to and may not join.
    pub(super) refused: Option<TicketId>,
    /// The earlier ticket that the one it opened is tied to.
    pub(super) link: Option<(TicketId, LinkKind)>,
    /// The mail of ours that it says did not arrive.
    pub(super) failed: Option<MessageId>,
    /// What the ticket was that it took up again.
    pub(super) before: Option<Ended>,
    /// Every other finding, in words.
    pub(super) notes: Vec<String>,
}

impl Decision {
    /// Whose ticket it is: the sender's, or of a forwarded mail the author's.
    fn requester(&self, item: &Prepared) -> String {
        match &self.reported {
            Some(author) => author.as_str().to_owned(),
            None => requester(item),
        }
    }

    fn requester_name(&self, item: &Prepared) -> Option<String> {
        let from = match &self.reported {
            Some(_) => item.mail.forwarded.as_ref(),
            None => item.mail.from.first(),
        };
        from.and_then(|from| from.name.clone())
    }
}

/// What the store knows of the mails of a batch, loaded in sets.
#[derive(Debug)]
pub(super) struct Known {
    /// Who the senders may be.
    pub(super) directory: Directory,
    /// Senders that are declared to be programs which open tickets for a living.
    pub(super) robots: HashSet<String>,
    /// Copies that are here already, by fingerprint.
    pub(super) held: HashMap<Vec<u8>, (MessageId, Option<TicketId>)>,
    /// Tickets by the Message-IDs on them.
    pub(super) holders: HashMap<String, Vec<TicketId>>,
    /// Tickets by the Message-IDs that are answered on them.
    pub(super) answers: HashMap<String, Vec<TicketId>>,
    /// Tickets by number, as reply tokens name them.
    pub(super) claimed: HashMap<TicketNumber, TicketId>,
    /// Mails that we sent, by Message-ID.
    pub(super) sent: HashMap<String, (MessageId, Option<TicketId>)>,
}

/// Somebody takes part from now on.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) ticket: TicketId,
    pub(super) address: String,
    pub(super) name: Option<String>,
}

/// The sets that were loaded, and what the batch did so far.
#[derive(Debug)]
pub(super) struct Batch<'d> {
    pub(super) desk: &'d Desk,
    pub(super) now: Timestamp,
    pub(super) known: Known,
    pub(super) participants: HashMap<TicketId, HashSet<String>>,
    pub(super) slugs: HashMap<CustomerId, Slug>,
    pub(super) tickets: HashMap<TicketId, Ticket>,
    pub(super) opened: Vec<TicketId>,
    pub(super) changed: HashSet<TicketId>,
    pub(super) joined: Vec<Joined>,
    /// Tickets that their customer called worse.
    pub(super) raised: Vec<TicketId>,
    pub(super) decisions: Vec<Decision>,
}

impl<'d> Batch<'d> {
    pub(super) fn new(
        desk: &'d Desk,
        now: Timestamp,
        known: Known,
        tickets: Vec<Ticket>,
        participants: HashMap<TicketId, Vec<String>>,
        slugs: HashMap<CustomerId, Slug>,
    ) -> Self {
        let participants = participants
            .into_iter()
            .map(|(id, list)| (id, list.into_iter().collect()))
            .collect();
        Self {
            desk,
            now,
            known,
            participants,
            slugs,
            tickets: tickets
                .into_iter()
                .map(|ticket| (ticket.id, ticket))
                .collect(),
            opened: Vec::new(),
            changed: HashSet::new(),
            joined: Vec::new(),
            raised: Vec::new(),
            decisions: Vec::new(),
        }
    }

    /// The tickets that the batch opened or changed, in the version that is stored.
    pub(super) fn touched(&self) -> Vec<Ticket> {
        let opened = self.opened.iter().filter_map(|id| self.tickets.get(id));
        let changed = self.changed.iter().filter_map(|id| self.tickets.get(id));
        let changed = changed.map(|ticket| Ticket {
            version: ticket.version + 1,
            ..ticket.clone()
        });
        opened.cloned().chain(changed).collect()
    }

    /// Decides one mail.
    pub(super) fn decide(
        &mut self,
        tx: &mut Tx,
        index: usize,
        item: &Prepared,
    ) -> Result<(), Error> {
        let (assessment, reported) = self.assess(item);
        let mut decision = Decision {
            index,
            outcome: Outcome::Duplicate,
            ticket: None,
            message: None,
            original: None,
            assessment,
            reported,
            refused: None,
            link: None,
            failed: None,
            before: None,
            notes: Vec::new(),
        };
        if let Some(customer) = &decision.assessment.customer {
            self.slugs
                .entry(customer.id)
                .or_insert_with(|| customer.slug.clone());
        }
        let fingerprint = item.mail.fingerprint.0.to_vec();
        if let Some((message, ticket)) = self.known.held.get(&fingerprint) {
            decision.ticket = *ticket;
            decision.original = Some(*message);
            decision
                .notes
                .push("the same message is here already".to_owned());
            self.decisions.push(decision);
            return Ok(());
        }
        if item.kind == MessageKind::Person || self.is_robot(item, &decision.assessment) {
            self.take(tx, item, &mut decision)?;
        } else {
            self.record(item, &mut decision);
        }
        let message = tx.new_id();
        decision.message = Some(message);
        let ticket = decision.ticket;
        self.known.held.insert(fingerprint, (message, ticket));
        if let (Some(id), Some(ticket)) = (&item.mail.message_id, ticket) {
            let holders = self.known.holders.entry(id.clone()).or_default();
            holders.insert(0, ticket);
        }
        self.decisions.push(decision);
        Ok(())
    }

    /// Who sent it; where a colleague forwarded it, who wrote it.
    fn assess(&self, item: &Prepared) -> (Assessment, Option<EmailAddress>) {
        if item.is_self_test() {
            let tier = watchdog::tier(&self.desk.catalogue);
            let assessment = Assessment {
                sender: item.sender.clone(),
                customer: tier.cloned().map(watchdog::sender),
                trust: SenderTrust::Proven,
                reasons: vec![
                    "the desk wrote it to test itself; there is nothing to do".to_owned(),
                ],
            };
            return (assessment, None);
        }
        let (evidence, directory) = (item.evidence.as_ref(), &self.known.directory);
        let assessment = trust::assess(&item.mail, evidence, directory);
        let (Some(sender), Some(author)) = (&assessment.sender, item.reported()) else {
            return (assessment, None);
        };
        let is_ours = |address: &EmailAddress| self.desk.is_staff_domain(&address.domain());
        if !is_ours(sender) || is_ours(&author) {
            return (assessment, None);
        }
        match evidence.map(|evidence| weigh(evidence, sender)) {
            Some(Authentication::Passed(proof))
                if assessment.trust != SenderTrust::Contradicted =>
            {
                let reported = trust::reported(author.clone(), sender, proof, directory);
                (reported, Some(author))
            }
            _ => {
                let reason = format!(
                    "it forwards a mail of {author}, which counts only where {sender} is proven"
                );
                let mut assessment = assessment;
                assessment.reasons.push(reason);
                (assessment, None)
            }
        }
    }

    /// A program that a customer declared to open tickets for a living.
    fn is_robot(&self, item: &Prepared, assessment: &Assessment) -> bool {
        let is_automatic = matches!(
            item.kind,
            MessageKind::AutoReply | MessageKind::Bulk | MessageKind::List
        );
        let sender = assessment.sender.as_ref();
        // Where senders are checked, a robot's address is not enough: whoever knew it could open as
        // many tickets as he likes.
        let is_checked = self.desk.authserv_id.is_some() || self.desk.edge_check.is_some();
        let is_proven = matches!(assessment.trust, SenderTrust::Known | SenderTrust::Proven);
        is_automatic
            && (is_proven || !is_checked)
            && assessment.trust != SenderTrust::Contradicted
            && sender.is_some_and(|sender| self.known.robots.contains(sender.as_str()))
    }

    /// A person's mail, or a robot's that counts as one: it continues a ticket or opens one.
    fn take(&mut self, tx: &mut Tx, item: &Prepared, decision: &mut Decision) -> Result<(), Error> {
        let refused = match threading::choose(&decision.assessment, self.candidates(item)) {
            Ok(ticket) if !self.is_long_closed(ticket, item) => {
                decision.outcome = Outcome::Appended;
                decision.ticket = Some(ticket);
                return self.append(ticket, item, decision);
            }
            Ok(ticket) => {
                decision.link = Some((ticket, LinkKind::FollowUp));
                None
            }
            Err(refused) => refused,
        };
        let claimed = item
            .claims
            .iter()
            .find_map(|number| self.known.claimed.get(number));
        if let (Some(claimed), None) = (claimed, decision.link) {
            // Whoever has our mail is not yet who it was written to. Staff see both and decide.
            decision.link = Some((*claimed, LinkKind::SamePerson));
        } else {
            decision.refused = refused;
        }
        let ticket = self.open(tx.new_id(), item, decision)?;
        decision.ticket = Some(ticket);
        Ok(())
    }

    /// A machine's mail: kept where it belongs, and nobody is asked to act.
    fn record(&self, item: &Prepared, decision: &mut Decision) {
        decision.outcome = Outcome::Recorded;
        decision.ticket = threading::choose(&decision.assessment, self.candidates(item)).ok();
        let reason = item.mail.auto.reason.as_deref();
        let (kind, reason) = (item.kind, reason.unwrap_or("from our own address"));
        decision.notes.push(format!("recorded as {kind}: {reason}"));
        let bounce = item.mail.bounce.as_ref();
        let original = bounce.and_then(|bounce| Some((bounce, bounce.original_id.as_ref()?)));
        let Some((bounce, original)) = original else {
            return;
        };
        // A mailer daemon takes part in no ticket; what it returns was ours, by an id that only
        // whoever had that mail knows.
        if let Some((message, ticket)) = self.known.sent.get(original) {
            decision.ticket = *ticket;
            let whom = bounce.recipients.join(", ");
            if bounce.is_permanent {
                decision.failed = Some(*message);
                decision
                    .notes
                    .push(format!("our mail did not reach {whom}"));
            } else {
                decision
                    .notes
                    .push(format!("our mail to {whom} is delayed"));
            }
        }
    }

    /// Closed for so long that an answer means something new. Spam stays where it is.
    fn is_long_closed(&self, id: TicketId, item: &Prepared) -> bool {
        let after = self.desk.follow_up_after;
        self.tickets.get(&id).is_some_and(|ticket| {
            !item.is_silent
                && ticket.status == Status::Closed
                && ticket.close_reason != Some(CloseReason::Spam)
                && self.now.since(ticket.updated_at) > after
        })
    }

    /// The framework that applies to a customer.
    pub(super) fn framework_of(&self, customer: &CustomerRef) -> Option<String> {
        let tier = self.desk.catalogue.get(customer.tier.as_str());
        let framework = customer.framework.clone();
        framework.or_else(|| tier.map(|tier| tier.framework.clone()))
    }

    /// The tickets whose reply tokens this mail carries; then those that hold a message it refers to,
    /// nearest reference first; then those that hold an answer to it, which was here before it.
    fn candidates(&self, item: &Prepared) -> Vec<threading::Candidate<'_>> {
        static NOBODY: std::sync::LazyLock<HashSet<String>> =
            std::sync::LazyLock::new(HashSet::new);
        let mut seen = HashSet::new();
        let known = &self.known;
        let claimed = item
            .claims
            .iter()
            .filter_map(|number| known.claimed.get(number));
        let own = item.mail.message_id.iter();
        let referred = threading::referred_ids(&item.mail)
            .filter_map(|id| known.holders.get(id))
            .chain(own.filter_map(|id| known.answers.get(id)))
            .flatten();
        claimed
            .chain(referred)
            .filter(|id| seen.insert(**id))
            .filter_map(|id| self.tickets.get(id))
            .map(|ticket| threading::Candidate {
                id: ticket.id,
                customer_id: ticket.customer_id,
                participants: self.participants.get(&ticket.id).unwrap_or(&NOBODY),
            })
            .collect()
    }

    /// A person's mail continues a ticket.
    fn append(
        &mut self,
        id: TicketId,
        item: &Prepared,
        decision: &mut Decision,
    ) -> Result<(), Error> {
        let Some(ticket) = self.tickets.get_mut(&id) else {
            return Ok(());
        };
        if item.is_silent {
            ticket.updated_at = ticket.updated_at.max(sent_at(item, self.now));
        } else {
            ticket.updated_at = ticket.updated_at.max(self.now);
            let before = Ended::of(ticket);
            if ticket.is_silent {
                // History that somebody answers is history no more.
                ticket.is_silent = false;
                if let Some(slug) = &ticket.tier {
                    ticket.clocks = Clocks::start(self.desk.tier(slug)?, ticket.severity, self.now);
                }
            }
            let is_spam = ticket.close_reason == Some(CloseReason::Spam);
            if let (Some(next), false) = (ticket.status.after_customer_message(), is_spam) {
                decision.before = before;
                ticket.status = next;
                ticket.snoozed_until = None;
                ticket.close_reason = None;
                ticket.clocks.resolution.met_at = None;
            }
        }
        self.raise(id, item, decision)?;
        if !self.opened.contains(&id) {
            self.changed.insert(id);
        }
        self.join(id, item, decision);
        Ok(())
    }

    /// A person's mail opens a ticket.
    fn open(
        &mut self,
        id: TicketId,
        item: &Prepared,
        decision: &mut Decision,
    ) -> Result<TicketId, Error> {
        let (severity, reason) = severity::claimed(&item.mail.subject, item.mail.importance)
            .unwrap_or_else(|| {
                (
                    self.desk.catalogue.default_severity(),
                    "the default".to_owned(),
                )
            });
        decision.notes.push(format!("{severity}: {reason}"));
        let customer = decision.assessment.customer.as_ref();
        decision.outcome = if customer.is_some() {
            Outcome::Opened
        } else {
            Outcome::Triaged
        };
        let opened_at = if item.is_silent {
            sent_at(item, self.now)
        } else {
            self.now
        };
        let standing = Standing::of(self.desk, customer, severity)?;
        let clocks = match standing.tier {
            Some(tier) if !item.is_silent => Clocks::start(tier, severity, opened_at),
            _ => Clocks::default(),
        };
        let mail = &item.mail;
        let subject = if mail.subject.trim().is_empty() {
            "(no subject)"
        } else {
            &mail.subject
        };
        let ticket = Ticket {
            id,
            number: TicketNumber(0), // drawn when the batch is written
            customer_id: customer.map(|customer| customer.id),
            tier: standing.tier.map(|tier| tier.slug.clone()),
            framework: standing.framework,
            tier_rank: standing.rank,
            subject: subject.to_owned(),
            status: Status::New,
            severity,
            priority: standing.priority,
            trust: decision.assessment.trust,
            trust_reasons: decision.assessment.reasons.clone(),
            requester: decision.requester(item),
            requester_name: decision.requester_name(item),
            assignee_id: None,
            is_silent: item.is_silent,
            is_provisional: customer.is_some()
                && decision.assessment.trust == SenderTrust::Unproven,
            close_reason: None,
            opened_at,
            updated_at: opened_at,
            clocks,
            snoozed_until: None,
            version: 1,
        };
        self.tickets.insert(id, ticket);
        self.opened.push(id);
        self.join(id, item, decision);
        Ok(id)
    }

    /// The sender takes part from now on; of a forwarded mail its author does, and not the colleague.
    /// To and Cc do not, naming somebody must not let them in, but for [`Batch::copy_in`].
    fn join(&mut self, id: TicketId, item: &Prepared, decision: &Decision) {
        if item.is_self_test() {
            // Nobody wrote it, so nobody takes part: whoever claims its address joins nothing.
            return;
        }
        let Some(person) = decision.reported.as_ref().or(item.sender.as_ref()) else {
            return;
        };
        let address = person.as_str().to_owned();
        let participants = self.participants.entry(id).or_default();
        if participants.insert(address.clone()) {
            self.joined.push(Joined {
                ticket: id,
                address,
                name: decision.requester_name(item),
            });
        }
        self.copy_in(id, item, decision);
    }
}

/// What a ticket takes over from its customer.
pub(in crate::desk) struct Standing<'d> {
    pub(in crate::desk) tier: Option<&'d crate::tiers::Tier>,
    pub(in crate::desk) framework: Option<String>,
    pub(in crate::desk) rank: i64,
    pub(in crate::desk) priority: crate::tiers::Priority,
}

impl<'d> Standing<'d> {
    /// Of a customer's ticket, or of nobody's: those wait behind every tier's.
    pub(in crate::desk) fn of(
        desk: &'d Desk,
        customer: Option<&CustomerRef>,
        severity: crate::tiers::Severity,
    ) -> Result<Self, Error> {
        let Some(customer) = customer else {
            let priority = desk.catalogue.triage_priority(severity);
            return Ok(Self {
                tier: None,
                framework: None,
                rank: TRIAGE_RANK,
                priority,
            });
        };
        let tier = desk.tier(&customer.tier)?;
        let framework = customer
            .framework
            .clone()
            .unwrap_or_else(|| tier.framework.clone());
        Ok(Self {
            tier: Some(tier),
            framework: Some(framework),
            rank: tier.rank.into(),
            priority: tier.priorities[severity],
        })
    }
}

/// When a mail of history was written: what it claims, unless that lies in the future.
fn sent_at(item: &Prepared, now: Timestamp) -> Timestamp {
    item.mail.date.unwrap_or(now).min(now)
}

/// The sender's address, or what stands in its place.
pub(super) fn requester(item: &Prepared) -> String {
    match (&item.sender, item.mail.from.first()) {
        (Some(sender), _) => sender.as_str().to_owned(),
        (None, Some(from)) if !from.address.trim().is_empty() => bounded_requester(&from.address),
        _ => "(no sender)".to_owned(),
    }
}
