//! Who is on call, and which pages are open, as much of it as chat may see.

use super::{
    super::{Desk, Error},
    show::disclose,
};
use crate::{
    clock::Timestamp,
    paging::PageState,
    permit::{Actor, ReadDesk, Subject, authorise},
    store::{pages, tickets},
    tickets::TicketNumber,
    tiers::Severity,
};

/// A page that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPage {
    /// Its ticket.
    pub ticket: Option<TicketNumber>,
    /// How many tickets it stands for.
    pub tickets: i64,
    /// How bad it is.
    pub severity: Severity,
    /// Whose ticket it is: the name, or the alias.
    pub customer: Option<String>,
    /// Where it stands.
    pub state: PageState,
    /// Who has it, where colleagues' names may be shown.
    pub by: Option<String>,
    /// When something comes next.
    pub next_at: Option<Timestamp>,
}

/// Pages that are not over, the oldest first.
pub async fn list_pages(desk: &Desk, actor: &Actor, limit: i64) -> Result<Vec<OpenPage>, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let mut open = Vec::new();
    for page in pages::list_unresolved(&mut permit, limit).await? {
        let ticket = match page.ticket_id {
            Some(id) => tickets::find(&mut permit, id).await?,
            None => None,
        };
        let shown = match &ticket {
            Some(ticket) => Some(disclose(desk, &mut permit, ticket, false).await?),
            None => None,
        };
        let shows_names = shown.as_ref().is_none_or(|shown| shown.trust.is_some());
        let by = page.acknowledged_by.as_deref().filter(|_| shows_names);
        open.push(OpenPage {
            ticket: ticket.map(|ticket| ticket.number),
            tickets: page.tickets,
            severity: page.severity,
            customer: shown.and_then(|shown| shown.customer),
            state: page.state,
            by: by.map(|by| by.split_once(':').map_or(by, |(_, name)| name).to_owned()),
            next_at: page.next_at,
        });
    }
    Ok(open)
}
