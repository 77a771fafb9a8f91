//! Opening a ticket by hand: a customer called, or a colleague saw something.

use super::{Did, record, staff_message};
use crate::{
    customers::{Customer, EmailAddress},
    desk::{
        Desk, Error, chat,
        customers::get_to_change,
        paging,
        receive::Standing,
        tickets::{TicketReport, report},
    },
    masking,
    permit::{Actor, OpenTicket, Permit, Subject, authorise},
    refusal::{Refusal, RefusalCode},
    sla::Clocks,
    store::{
        messages::{self, NewMessage},
        tickets::{self, NewParticipant},
    },
    tickets::{ParticipantRole, Status, Ticket},
    tiers::Severity,
    trust::SenderTrust,
};

/// A ticket to be opened by hand.
#[derive(Clone, Debug)]
pub struct NewTicketByHand {
    /// The customer's handle.
    pub customer: String,
    /// For whom there; they take part.
    pub requester: Option<EmailAddress>,
    /// What it is about.
    pub subject: String,
    /// How bad it is; the default where absent.
    pub severity: Option<Severity>,
    /// The first note.
    pub text: Option<String>,
}

/// Opens a ticket for a customer.
pub async fn open(desk: &Desk, actor: &Actor, new: NewTicketByHand) -> Result<TicketReport, Error> {
    let subject = masking::mask(new.subject.trim()).text.into_owned();
    if subject.is_empty() {
        let refusal = Refusal::new(
            RefusalCode::Empty,
            "the ticket has no subject; none was opened",
        );
        return Err(refusal
            .with_hint("say what it is about with --subject")
            .into());
    }
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, OpenTicket, Subject::Desk).await?;
    let customer = get_to_change(&mut permit, &new.customer).await?;
    let ticket = new_ticket(desk, &mut permit, &customer, subject, &new).await?;
    tickets::insert_many(&mut permit, vec![ticket.clone()]).await?;
    if let Some(address) = new.requester {
        let participant = NewParticipant {
            ticket_id: ticket.id,
            address: address.to_string(),
            name: None,
            role: ParticipantRole::Requester,
            added_at: ticket.opened_at,
        };
        tickets::insert_participants(&mut permit, vec![participant]).await?;
    }
    if let Some(text) = new.text.filter(|text| !text.trim().is_empty()) {
        let text = masking::mask(text.trim()).text.into_owned();
        let name = permit.actor().split_once(':').map_or("", |(_, name)| name);
        let name = name.to_owned();
        let message = staff_message(&mut permit, &ticket, name, text);
        let note = NewMessage {
            message,
            fingerprint: None,
            in_reply_to: None,
            recipients: Vec::new(),
        };
        messages::insert_many(&mut permit, vec![note], Vec::new()).await?;
    }
    let details = vec![("customer", customer.slug.to_string())];
    let did = Did {
        kind: "opened",
        details,
    };
    record(&mut permit, &ticket, did).await?;
    paging::follow(desk, &mut permit, &ticket, "opened").await?;
    chat::post_later(desk, &mut permit, &ticket).await?;
    let report = report(desk, &mut permit, ticket).await?;
    tx.commit().await?;
    Ok(report)
}

async fn new_ticket(
    desk: &Desk,
    permit: &mut Permit<'_, OpenTicket>,
    customer: &Customer,
    subject: String,
    new: &NewTicketByHand,
) -> Result<Ticket, Error> {
    let severity = new
        .severity
        .unwrap_or_else(|| desk.catalogue.default_severity());
    let standing = Standing::of(desk, Some(&customer.to_ref()), severity)?;
    let (now, author) = (permit.now(), permit.actor().to_owned());
    let number = tickets::draw_numbers(permit, 1).await?;
    let clocks = standing.tier.map(|tier| Clocks::start(tier, severity, now));
    Ok(Ticket {
        id: permit.new_id(),
        number: number[0],
        customer_id: Some(customer.id),
        tier: standing.tier.map(|tier| tier.slug.clone()),
        framework: standing.framework,
        tier_rank: standing.rank,
        subject,
        status: Status::Open,
        severity,
        priority: standing.priority,
        // Staff say who it is for, which is as good as a proof.
        trust: SenderTrust::Known,
        trust_reasons: vec![format!("opened by {author}")],
        requester: new.requester.as_ref().map_or(author, ToString::to_string),
        requester_name: None,
        assignee_id: permit.staff(),
        is_silent: false,
        is_provisional: false,
        close_reason: None,
        opened_at: now,
        updated_at: now,
        clocks: clocks.unwrap_or_default(),
        snoozed_until: None,
        version: 1,
    })
}
