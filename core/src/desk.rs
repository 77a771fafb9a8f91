//! The use cases, one a file. Terminal, chat and web call the same ones.
//!
//! A use case takes an actor, opens one transaction, obtains its permit there, changes state,
//! appends the audit entry and the jobs that follow from it, and commits. Those that end in
//! `_in` run inside a unit of work that the caller commits.
//!
//! To add one: an action in `permit::actions!`, a file here, a command in each front end.

pub mod attachments;
pub mod audit;
pub mod bulk;
pub mod chat;
pub mod customers;
pub mod doctor;
pub mod export;
pub mod health;
pub mod import_customers;
pub mod jobs;
mod letters;
pub mod macros;
pub mod mailboxes;
pub mod onboard;
pub mod oncall;
pub mod outbox;
pub mod paging;
mod reading;
pub mod receipt;
pub mod receive;
pub mod recorded;
pub mod reply;
pub mod retention;
pub mod search;
pub mod staff;
pub mod store_arrival;
pub mod tickets;
pub mod watchdog;
pub mod work_ticket;

use std::{path::PathBuf, sync::Arc};

pub use crate::error::Error;
use crate::{
    authentication::EdgeCheck,
    customers::{DomainName, EmailAddress, FreeMail},
    macros::Macros,
    onboarding::Blueprint,
    outgoing::MailOut,
    paging::Policies,
    refusal::{Refusal, RefusalCode},
    reply_token::ReplyTokens,
    store::Database,
    tiers::{Catalogue, Tier, TierSlug},
    watchdog::Watchdog,
};

/// 30 days: within them people mean the same matter.
const FOLLOW_UP_AFTER: std::time::Duration = std::time::Duration::from_hours(30 * 24);

/// Everything a use case needs besides its arguments.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Where the desk's state is.
    pub database: Database,
    /// What the tiers promise.
    pub catalogue: Arc<Catalogue>,
    /// Providers at which anybody can have an address.
    pub free_mail: FreeMail,
    /// The support address: mail from it is our own.
    pub own_address: Option<EmailAddress>,
    /// The server whose Authentication-Results are believed.
    pub authserv_id: Option<String>,
    /// Makes and knows the tokens of our reply addresses.
    pub reply_tokens: Option<Arc<ReplyTokens>>,
    /// How mail leaves; without it nothing is sent.
    pub mail_out: Option<Arc<MailOut>>,
    /// Answers that are written often.
    pub macros: Arc<Macros>,
    /// Mail domains of our own people.
    pub staff_domains: Vec<DomainName>,
    /// An answer to a ticket that was closed for longer opens a new one.
    pub follow_up_after: std::time::Duration,
    /// Checks senders of what reaches our own listener.
    pub edge_check: Option<Arc<dyn EdgeCheck>>,
    /// A file outside the database that gets the head of the audit chain once a day.
    pub anchor_file: Option<PathBuf>,
    /// What every onboarding is made of.
    pub blueprint: Arc<Blueprint>,
    /// Who is paged, when, and who is next.
    pub policies: Arc<Policies>,
    /// Who is told by mail when nobody else is.
    pub catch_all: Vec<EmailAddress>,
    /// Names of the webhooks that pages go to.
    pub webhooks: Vec<String>,
    /// Whether tickets are posted to chat: jobs for that are enqueued only then.
    pub has_chat: bool,
    /// How the desk watches itself; where it does not, no self-test begins.
    pub watchdog: Option<Watchdog>,
}

impl Desk {
    /// A desk with the embedded catalogue and lists.
    pub fn new(database: Database) -> Self {
        Self {
            database,
            catalogue: Arc::new(Catalogue::embedded()),
            free_mail: FreeMail::embedded(),
            own_address: None,
            authserv_id: None,
            reply_tokens: None,
            mail_out: None,
            macros: Arc::new(Macros::embedded()),
            staff_domains: Vec::new(),
            follow_up_after: FOLLOW_UP_AFTER,
            edge_check: None,
            anchor_file: None,
            blueprint: Arc::new(Blueprint::embedded()),
            policies: Arc::new(Policies::embedded()),
            catch_all: Vec::new(),
            webhooks: Vec::new(),
            has_chat: false,
            watchdog: None,
        }
    }

    /// Whether mail from this domain is our own people's.
    pub fn is_staff_domain(&self, domain: &DomainName) -> bool {
        domain.self_and_parents().any(|name| {
            let ours = self.staff_domains.iter();
            ours.map(DomainName::as_str).any(|ours| ours == name)
        })
    }

    /// The tier of this name.
    pub fn tier(&self, slug: &TierSlug) -> Result<&Tier, Refusal> {
        self.catalogue.get(slug.as_str()).ok_or_else(|| {
            let known: Vec<&str> = self
                .catalogue
                .iter()
                .map(|tier| tier.slug.as_str())
                .collect();
            Refusal::new(RefusalCode::UnknownTier, format!("there is no tier {slug}"))
                .with_hint(format!("the tiers are {}", known.join(", ")))
        })
    }

    /// Refuses a catalogue that lacks a tier which customers have.
    pub async fn check_catalogue(&self) -> Result<(), Error> {
        let mut tx = self.database.begin_read().await?;
        for (slug, customers) in crate::store::customers::tiers_in_use(&mut tx).await? {
            self.tier(&slug).map_err(|refusal| {
                let message = format!("{}, but {customers} customer(s) have it", refusal.message);
                Refusal { message, ..refusal }
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        permit::Actor,
        tickets::{Status, TicketNumber},
    };

    fn is_send<T: Send>(_: T) {}

    /// Chat and web run use cases in spawned tasks, which demands that their futures can move
    /// between threads. Never called: compiling it is the test.
    #[expect(dead_code, reason = "compiling it is the test")]
    fn use_cases_can_be_spawned(desk: &Desk, actor: &Actor) {
        let number = TicketNumber(1);
        is_send(work_ticket::assign(desk, actor, number, "me"));
        is_send(work_ticket::set_status(desk, actor, number, Status::Open));
        is_send(work_ticket::note(desk, actor, number, "text"));
        is_send(work_ticket::bind(
            desk,
            actor,
            number,
            "acme",
            work_ticket::BindOptions::default(),
        ));
        is_send(customers::add_domains(
            desk,
            actor,
            "acme",
            Vec::new(),
            false,
        ));
        is_send(customers::show(desk, actor, "acme"));
        is_send(receive::receive(
            desk,
            actor,
            crate::permit::ReceiveMail,
            &[],
        ));
        is_send(tickets::show(desk, actor, number));
        is_send(search::search(desk, actor, search::Request::default()));
        is_send(search::fill(desk, actor, |_| ()));
    }
}
