//! What reading a mail needs to know of the desk, whatever road it came by.

use tierdesk_core::{
    customers::EmailAddress,
    desk::Desk,
    receive::{Arrival, Prepared, prepare},
};

use crate::{authentication_results, fields::Fields};

/// Makes arrivals ready to be received. Cheap to clone into a thread.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    own: Option<EmailAddress>,
    authserv_id: Option<String>,
}

impl Reader {
    /// For the mails of this desk.
    pub fn of(desk: &Desk) -> Self {
        Self {
            own: desk.own_address.clone(),
            authserv_id: desk.authserv_id.clone(),
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
        prepare(arrival, self.own.as_ref())
    }
}
