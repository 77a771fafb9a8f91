//! Deciding the mails of one batch, each against the store and the mails before it.

use std::collections::{HashMap, HashSet};

use crate::{
    clock::Timestamp,
    customers::{
        Slug,
        matching::{CustomerRef, Directory},
    },
    desk::{Desk, Error},
    ids::{CustomerId, MessageId, TicketId},
    receive::{Outcome, Prepared, bounded_requester},
    sla::Clocks,
    store::Tx,
    tickets::{
        CloseReason, MessageKind, Status, TRIAGE_RANK, Ticket, TicketNumber, severity, threading,
    },
    trust::{self, Assessment, SenderTrust},
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
    /// A ticket it refers to and may not join.
    pub(super) refused: Option<TicketId>,
    /// Every other finding, in words.
    pub(super) notes: Vec<String>,
}

/// The sets that were loaded, and what the batch did so far.
#[derive(Debug)]
pub(super) struct Batch<'d> {
    pub(super) desk: &'d Desk,
    now: Timestamp,
    directory: Directory,
    held: HashMap<Vec<u8>, (MessageId, Option<TicketId>)>,
    holders: HashMap<String, Vec<TicketId>>,
    answers: HashMap<String, Vec<TicketId>>,
    participants: HashMap<TicketId, HashSet<String>>,
    pub(super) slugs: HashMap<CustomerId, Slug>,
    pub(super) tickets: HashMap<TicketId, Ticket>,
    pub(super) opened: Vec<TicketId>,
    pub(super) changed: HashSet<TicketId>,
    pub(super) joined: Vec<(TicketId, usize)>,
    pub(super) decisions: Vec<Decision>,
}

impl<'d> Batch<'d> {
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument for each set that was loaded"
    )]
    pub(super) fn new(
        desk: &'d Desk,
        now: Timestamp,
        directory: Directory,
        held: HashMap<Vec<u8>, (MessageId, Option<TicketId>)>,
        holders: HashMap<String, Vec<TicketId>>,
        answers: HashMap<String, Vec<TicketId>>,
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
            directory,
            held,
            holders,
            answers,
            participants,
            slugs,
            tickets: tickets
                .into_iter()
                .map(|ticket| (ticket.id, ticket))
                .collect(),
            opened: Vec::new(),
            changed: HashSet::new(),
            joined: Vec::new(),
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
        let assessment = trust::assess(&item.mail, item.evidence.as_ref(), &self.directory);
        let mut decision = Decision {
            index,
            outcome: Outcome::Duplicate,
            ticket: None,
            message: None,
            original: None,
            assessment,
            refused: None,
            notes: Vec::new(),
        };
        if let Some(customer) = &decision.assessment.customer {
            self.slugs
                .entry(customer.id)
                .or_insert_with(|| customer.slug.clone());
        }
        let fingerprint = item.mail.fingerprint.0.to_vec();
        if let Some((message, ticket)) = self.held.get(&fingerprint) {
            decision.ticket = *ticket;
            decision.original = Some(*message);
            decision
                .notes
                .push("the same message is here already".to_owned());
            self.decisions.push(decision);
            return Ok(());
        }
        let joinable = threading::choose(&decision.assessment, self.candidates(item));
        match (item.kind, joinable) {
            (MessageKind::Person, Ok(ticket)) => {
                decision.outcome = Outcome::Appended;
                decision.ticket = Some(ticket);
                self.append(ticket, index, item)?;
            }
            (MessageKind::Person, Err(refused)) => {
                decision.refused = refused;
                let ticket = self.open(tx.new_id(), index, item, &mut decision)?;
                decision.ticket = Some(ticket);
            }
            (kind, joinable) => {
                decision.outcome = Outcome::Recorded;
                decision.ticket = joinable.ok();
                let reason = item
                    .mail
                    .auto
                    .reason
                    .as_deref()
                    .unwrap_or("from our own address");
                decision.notes.push(format!("recorded as {kind}: {reason}"));
            }
        }
        let message = tx.new_id();
        decision.message = Some(message);
        self.held.insert(fingerprint, (message, decision.ticket));
        if let (Some(id), Some(ticket)) = (&item.mail.message_id, decision.ticket) {
            self.holders
                .entry(id.clone())
                .or_default()
                .insert(0, ticket);
        }
        self.decisions.push(decision);
        Ok(())
    }

    /// The framework that applies to a customer.
    pub(super) fn framework_of(&self, customer: &CustomerRef) -> Option<String> {
        let tier = self.desk.catalogue.get(customer.tier.as_str());
        let framework = customer.framework.clone();
        framework.or_else(|| tier.map(|tier| tier.framework.clone()))
    }

    /// The tickets that hold a message this mail refers to, nearest reference first; then those that
    /// hold an answer to it, which was here before it.
    fn candidates(&self, item: &Prepared) -> Vec<threading::Candidate<'_>> {
        static NOBODY: std::sync::LazyLock<HashSet<String>> =
            std::sync::LazyLock::new(HashSet::new);
        let mut seen = HashSet::new();
        threading::referred_ids(&item.mail)
            .filter_map(|id| self.holders.get(id))
            .chain(
                item.mail
                    .message_id
                    .iter()
                    .filter_map(|id| self.answers.get(id)),
            )
            .flatten()
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
    fn append(&mut self, id: TicketId, index: usize, item: &Prepared) -> Result<(), Error> {
        let Some(ticket) = self.tickets.get_mut(&id) else {
            return Ok(());
        };
        if item.is_silent {
            ticket.updated_at = ticket.updated_at.max(sent_at(item, self.now));
        } else {
            ticket.updated_at = ticket.updated_at.max(self.now);
            if ticket.is_silent {
                // History that somebody answers is history no more.
                ticket.is_silent = false;
                if let Some(slug) = &ticket.tier {
                    ticket.clocks = Clocks::start(self.desk.tier(slug)?, ticket.severity, self.now);
                }
            }
            let is_spam = ticket.close_reason == Some(CloseReason::Spam);
            if let (Some(next), false) = (ticket.status.after_customer_message(), is_spam) {
                ticket.status = next;
                ticket.close_reason = None;
                ticket.clocks.resolution.met_at = None;
            }
        }
        if !self.opened.contains(&id) {
            self.changed.insert(id);
        }
        self.join(id, index, item);
        Ok(())
    }

    /// A person's mail opens a ticket.
    fn open(
        &mut self,
        id: TicketId,
        index: usize,
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
            requester: requester(item),
            requester_name: mail.from.first().and_then(|from| from.name.clone()),
            assignee_id: None,
            is_silent: item.is_silent,
            is_provisional: customer.is_some()
                && decision.assessment.trust == SenderTrust::Unproven,
            close_reason: None,
            opened_at,
            updated_at: opened_at,
            clocks,
            version: 1,
        };
        self.tickets.insert(id, ticket);
        self.opened.push(id);
        self.join(id, index, item);
        Ok(id)
    }

    /// The sender takes part from now on. To and Cc do not: naming somebody must not let them in.
    fn join(&mut self, id: TicketId, index: usize, item: &Prepared) {
        if let Some(sender) = &item.sender {
            let participants = self.participants.entry(id).or_default();
            if participants.insert(sender.as_str().to_owned()) {
                self.joined.push((id, index));
            }
        }
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
