//! What reading a mail needs to know of the desk, whatever road it came by.

use std::sync::Arc;

use tierdesk_core::{
    customers::EmailAddress,
    desk::Desk,
    receive::{Arrival, Prepared, prepare},
    reply_token::ReplyTokens,
    tickets::{TicketNumber, threading},
};

use crate::{authentication_results, fields::Fields};

/// Makes arrivals ready to be received. Cheap to clone into a thread.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    own: Option<EmailAddress>,
    authserv_id: Option<String>,
    reply_tokens: Option<Arc<ReplyTokens>>,
}

impl Reader {
    /// For the mails of this desk.
    pub fn of(desk: &Desk) -> Self {
        Self {
            own: desk.own_address.clone(),
            authserv_id: desk.authserv_id.clone(),
            reply_tokens: desk.reply_tokens.clone(),
        }
    }

    /// Does everything that needs no database. Where we did not check the sender ourselves, this
    /// reads what the server before us found.
    pub fn prepare(&self, mut arrival: Arrival) -> Prepared {
        if arrival.evidence.is_none() {
            let (fields, _) = Fields::split(&arrival.raw);
            let (check, id) = (arrival.envelope.check, self.authserv_id.as_deref());
            arrival.evidence = authentication_results::evidence(&fields, check, id);
        }
        if let Some(tokens) = &self.reply_tokens {
            arrival.claims = claims(tokens, &arrival);
        }
        prepare(arrival, self.own.as_ref())
    }
}

/// The tickets named by genuine tokens, in the addresses a mail was sent to and the ids it answers.
fn claims(tokens: &ReplyTokens, arrival: &Arrival) -> Vec<TicketNumber> {
    let mail = &arrival.mail;
    let named = mail
        .to
        .iter()
        .chain(&mail.cc)
        .map(|one| one.address.as_str());
    let addresses = arrival.envelope.recipients.iter().chain(&mail.delivered_to);
    let addresses = addresses.map(String::as_str).chain(named);
    tokens.tickets(addresses, threading::referred_ids(mail))
}
