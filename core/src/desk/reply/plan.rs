//! Who gets an answer, from whom, and what stands in its way: shown before a word is written.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::{
    customers::EmailAddress,
    desk::{Desk, Error},
    ids::MessageId,
    outgoing::{HeaderId, MailOut, Party, Quote},
    permit::{Action, Permit},
    refusal::{Refusal, RefusalCode},
    store::{Tx, customers::lookup, messages, outgoing, tickets},
    tickets::{Direction, Message, MessageKind, Status, Ticket, TicketNumber},
    tiers::{Tier, TierSlug},
    trust::SenderTrust,
};

/// So many ids of a conversation are repeated in References.
const REFERENCES: usize = 20;

/// Somebody who gets a letter.
#[derive(Clone, Debug, Serialize)]
pub struct Recipient {
    /// The address.
    pub address: EmailAddress,
    /// The letter is addressed to them, not copied to them.
    pub is_to: bool,
    /// Why it would not leave.
    pub held: Option<String>,
}

/// Everything that is known of an answer before it is written.
#[derive(Clone, Debug, Serialize)]
pub struct ReplyPlan {
    /// The ticket.
    pub number: TicketNumber,
    /// Its subject.
    pub subject: String,
    /// The customer's tier.
    pub tier: Option<TierSlug>,
    /// From whom.
    pub from: EmailAddress,
    /// Who gets it.
    pub recipients: Vec<Recipient>,
    /// Whether earlier messages are repeated below the text.
    pub quotes: bool,
}

/// The way out, or a refusal that says how to open one.
pub(in crate::desk) fn way_out(desk: &Desk) -> Result<&MailOut, Refusal> {
    desk.mail_out.as_deref().ok_or_else(|| {
        Refusal::new(
            RefusalCode::Configuration,
            "no mail leaves this desk; nothing was stored",
        )
        .with_hint("set mail.smtp_url (docs/mail-out.md); file:DIR writes mails into a folder")
    })
}

/// What was said on a ticket, and to whom.
pub(in crate::desk) struct Conversation {
    messages: Vec<Message>,
    /// Who was sent each message of ours.
    reached: HashMap<MessageId, HashSet<String>>,
    /// Who stood in To and Cc of each message.
    named: HashMap<MessageId, Vec<String>>,
}

impl Conversation {
    pub(in crate::desk) async fn load(tx: &mut Tx, ticket: &Ticket) -> Result<Self, Error> {
        let mut messages = messages::list_of_ticket(tx, ticket.id).await?;
        messages.retain(|message| message.direction != Direction::Note);
        let mut reached: HashMap<MessageId, HashSet<String>> = HashMap::new();
        for letter in outgoing::of_ticket(tx, ticket.id).await? {
            let whom = reached.entry(letter.message_id).or_default();
            whom.insert(letter.recipient);
        }
        let named = messages::recipients_of_ticket(tx, ticket.id).await?;
        Ok(Self {
            messages,
            reached,
            named,
        })
    }

    /// The last thing that a person wrote to us.
    fn last_from_customer(&self) -> Option<&Message> {
        self.messages.iter().rev().find(|message| {
            message.direction == Direction::In && message.kind == MessageKind::Person
        })
    }

    /// What an answer refers to: the last mail of the customer's, and the conversation before it.
    pub(in crate::desk) fn references(&self) -> (Option<HeaderId>, Vec<HeaderId>) {
        let id = |message: &Message| message.header_id.as_deref().and_then(HeaderId::new);
        let answered = self.last_from_customer().and_then(id);
        let all: Vec<HeaderId> = self.messages.iter().filter_map(id).collect();
        let mut seen = HashSet::new();
        let mut unique: Vec<HeaderId> = all
            .into_iter()
            .filter(|id| seen.insert(id.clone()))
            .collect();
        if let Some(answered) = &answered {
            // The one that is answered stands last, where programs look first.
            unique.retain(|id| id != answered);
            unique.push(answered.clone());
        }
        let from = unique.len().saturating_sub(REFERENCES);
        (answered, unique.split_off(from))
    }

    /// The last mail of the customer's, for somebody who has seen it: nobody learns from a quote what
    /// was not sent to them.
    pub(super) fn quotes_for(&self, recipient: &EmailAddress) -> Vec<Quote> {
        let Some(last) = self.last_from_customer() else {
            return Vec::new();
        };
        let address = recipient.as_str();
        let was_named = |message: &MessageId| {
            let named = self.named.get(message).into_iter().flatten();
            named
                .filter_map(|name| name.parse::<EmailAddress>().ok())
                .any(|name| &name == recipient)
        };
        let was_reached = self
            .reached
            .get(&last.id)
            .is_some_and(|whom| whom.contains(address));
        if last.author != address && !was_named(&last.id) && !was_reached {
            return Vec::new();
        }
        let author = match &last.author_name {
            Some(name) => format!("{name} <{}>", last.author),
            None => last.author.clone(),
        };
        vec![Quote {
            author,
            at: last.sent_at.unwrap_or(last.received_at),
            text: last.reply_text.clone(),
        }]
    }

    /// Whether there is something that a person could be answering.
    pub(super) fn has_customer_mail(&self) -> bool {
        self.last_from_customer().is_some()
    }
}

/// Whether something speaks against the sender of what is nobody's yet: an answer may reach somebody else.
pub(in crate::desk) fn is_doubtful(ticket: &Ticket) -> bool {
    ticket.customer_id.is_none() && ticket.trust == SenderTrust::Contradicted
}

/// To whom an answer goes: whoever opened the ticket comes first, and it is copied to the others.
pub(in crate::desk) async fn addressed<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
) -> Result<Vec<EmailAddress>, Error> {
    let participants = tickets::participants(permit, [ticket.id]).await?;
    let listed = participants.get(&ticket.id).cloned().unwrap_or_default();
    let mut addresses: Vec<EmailAddress> = listed
        .iter()
        .filter_map(|address| address.parse().ok())
        .filter(|address| Some(address) != desk.own_address.as_ref())
        .collect();
    addresses.sort_by_key(|address| address.as_str() != ticket.requester);
    Ok(addresses)
}

/// Who gets an answer to this ticket.
pub(in crate::desk) async fn plan<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
) -> Result<ReplyPlan, Error> {
    let mail_out = way_out(desk)?;
    let tier = ticket
        .tier
        .as_ref()
        .map(|slug| desk.tier(slug))
        .transpose()?;
    if ticket.status == Status::Closed {
        let message = format!("{} is closed; nothing was stored", ticket.number);
        return Err(Refusal::new(RefusalCode::WrongStatus, message)
            .with_hint(format!("tierdesk ticket reopen {}", ticket.number))
            .into());
    }
    if is_doubtful(ticket) {
        let reasons = ticket.trust_reasons.join("; ");
        let message = format!(
            "something speaks against the sender of {} ({reasons}): an answer may reach somebody else; nothing was stored",
            ticket.number
        );
        return Err(Refusal::new(RefusalCode::Blocked, message)
            .with_hint(format!(
                "if you know who it is: tierdesk ticket bind {} CUSTOMER",
                ticket.number
            ))
            .into());
    }
    let sender = mail_out.sender(ticket.tier.as_ref());
    let addresses = addressed(desk, permit, ticket).await?;
    if addresses.is_empty() {
        let message = format!(
            "{} has nobody to answer to; nothing was stored",
            ticket.number
        );
        let hint = format!(
            "tierdesk ticket participants {} --add ADDRESS",
            ticket.number
        );
        return Err(Refusal::new(RefusalCode::Blocked, message)
            .with_hint(hint)
            .into());
    }
    let attested = attested(permit, tier, &addresses).await?;
    let recipients = (0..)
        .zip(&addresses)
        .map(|(index, address)| Recipient {
            is_to: index == 0,
            held: held(mail_out, tier, sender, address, &attested),
            address: address.clone(),
        })
        .collect();
    Ok(ReplyPlan {
        number: ticket.number,
        subject: ticket.subject.clone(),
        tier: ticket.tier.clone(),
        from: sender.address.clone(),
        recipients,
        quotes: tier.is_none_or(may_quote),
    })
}

/// Those tiers whose mail must not be read on its way never repeat what was said.
pub(super) fn may_quote(tier: &Tier) -> bool {
    !tier.has_enforced_tls
}

/// Whether mail about this ticket may travel to this address.
pub(in crate::desk) async fn may_travel<A: Action>(
    desk: &Desk,
    permit: &mut Permit<'_, A>,
    ticket: &Ticket,
    address: &EmailAddress,
) -> Result<bool, Error> {
    let mail_out = way_out(desk)?;
    let tier = ticket
        .tier
        .as_ref()
        .map(|slug| desk.tier(slug))
        .transpose()?;
    let attested = attested(permit, tier, std::slice::from_ref(address)).await?;
    let sender = mail_out.sender(ticket.tier.as_ref());
    Ok(held(mail_out, tier, sender, address, &attested).is_none())
}

/// The domains of these addresses, or domains above them, whose servers were said to take mail over
/// verified TLS.
async fn attested<A: Action>(
    permit: &mut Permit<'_, A>,
    tier: Option<&Tier>,
    addresses: &[EmailAddress],
) -> Result<HashSet<String>, Error> {
    if tier.is_none_or(|tier| !tier.has_enforced_tls) {
        return Ok(HashSet::new());
    }
    let mut names = HashSet::new();
    for address in addresses {
        names.extend(address.domain().self_and_parents().map(str::to_owned));
    }
    Ok(lookup::tls_attested(permit, names).await?)
}

/// Why a letter to this address may not leave.
fn held(
    mail_out: &MailOut,
    tier: Option<&Tier>,
    sender: &Party,
    recipient: &EmailAddress,
    attested: &HashSet<String>,
) -> Option<String> {
    let tier = tier.filter(|tier| tier.has_enforced_tls)?;
    let domain = recipient.domain();
    let is_attested = domain
        .self_and_parents()
        .any(|name| attested.contains(name));
    if is_attested || mail_out.enforces_tls(&sender.address) {
        return None;
    }
    Some(format!(
        "{} demands that mail travels over verified TLS, and nobody has said so of {domain}",
        tier.name
    ))
}
