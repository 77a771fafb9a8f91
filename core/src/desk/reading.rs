//! What an actor may read of tickets: texts are for those of whom everything is attested that tier and
//! contract demand, and never for auditors. Where the tier says so, reading a ticket is written down
//! before anything of it is shown.

use std::collections::{BTreeSet, HashMap};

use super::{Desk, Error};
use crate::{
    ids::{CustomerId, StaffId},
    permit::{Action, Actor, Permit, ReadTicket, Subject, authorise},
    staff::{Attribute, Role},
    store::{
        StoreError,
        audit::{self, Change},
        staff,
    },
    tickets::Ticket,
    tiers::TierSlug,
};

/// Who reads, and what they may.
#[derive(Clone, Debug)]
pub(in crate::desk) struct Reader {
    is_auditor: bool,
    /// What is attested of them; `None` for whoever may read everything: the program itself, and whoever is
    /// alone at the desk.
    attested: Option<BTreeSet<Attribute>>,
    contracts: HashMap<CustomerId, Vec<Attribute>>,
    demands: std::sync::Arc<crate::staff::Demands>,
}

impl Reader {
    /// Whoever holds the permit.
    pub(in crate::desk) async fn of<A: Action>(
        permit: &mut Permit<'_, A>,
    ) -> Result<Self, StoreError> {
        let attested = match permit.staff() {
            Some(staff) => attested(permit, staff).await?,
            None => None,
        };
        let contracts = match attested {
            Some(_) => staff::contracts(permit).await?,
            None => HashMap::new(),
        };
        Ok(Self {
            is_auditor: permit.role() == Some(Role::Auditor),
            attested,
            contracts,
            demands: permit.demands(),
        })
    }

    /// What stands in place of a text, where this reader may not read it.
    pub(in crate::desk) fn withheld(&self, ticket: &Ticket) -> Option<String> {
        if self.is_auditor {
            return Some("(not shown to auditors)".to_owned());
        }
        self.lacking(ticket.tier.as_ref(), ticket.customer_id)
            .map(|lacking| format!("(not shown: {lacking} is not attested of you)"))
    }

    /// What stands in place of a subject or a file's name, where this reader may not read it.
    pub(in crate::desk) fn withheld_subject(&self, ticket: &Ticket) -> Option<String> {
        self.withheld_of(ticket.tier.as_ref(), ticket.customer_id)
    }

    /// The same for what belongs to a tier and a customer.
    pub(in crate::desk) fn withheld_of(
        &self,
        tier: Option<&TierSlug>,
        customer: Option<CustomerId>,
    ) -> Option<String> {
        self.lacking(tier, customer)
            .map(|lacking| format!("(not shown: {lacking} is not attested of you)"))
    }

    /// Whether this reader may read the texts of a tier's tickets, as far as the tier goes.
    pub(in crate::desk) fn may_read_tier(&self, tier: &TierSlug) -> bool {
        self.lacking(Some(tier), None).is_none()
    }

    /// Customers whose contracts ask for what is not attested of this reader.
    pub(in crate::desk) fn closed_customers(&self) -> Vec<CustomerId> {
        let ids = self.contracts.keys().copied();
        ids.filter(|id| self.lacking(None, Some(*id)).is_some())
            .collect()
    }

    /// What is demanded and not attested, in words.
    fn lacking(&self, tier: Option<&TierSlug>, customer: Option<CustomerId>) -> Option<String> {
        let attested = self.attested.as_ref()?;
        let contract = customer.and_then(|id| self.contracts.get(&id));
        let demanded = self
            .demands
            .of(tier, contract.map_or(&[], |asked| asked.as_slice()));
        let lacking: Vec<&str> = demanded
            .difference(attested)
            .map(Attribute::as_str)
            .collect();
        (!lacking.is_empty()).then(|| lacking.join(", "))
    }
}

async fn attested<A: Action>(
    permit: &mut Permit<'_, A>,
    staff: StaffId,
) -> Result<Option<BTreeSet<Attribute>>, StoreError> {
    if staff::is_alone(permit).await? {
        return Ok(None);
    }
    staff::attributes(permit, staff).await.map(Some)
}

/// Writes down that a person read a ticket, where its tier says so: in a unit of work of its own, before
/// anything is shown. What cannot be written down is not shown.
pub(in crate::desk) async fn note_reading(
    desk: &Desk,
    actor: &Actor,
    ticket: &Ticket,
    how: &str,
) -> Result<(), Error> {
    let tier = ticket.tier.as_ref();
    let tier = tier.and_then(|slug| desk.catalogue.get(slug.as_str()));
    if matches!(actor, Actor::System(_)) || !tier.is_some_and(|tier| tier.has_audited_reads) {
        return Ok(());
    }
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ReadTicket, Subject::Ticket(ticket.id)).await?;
    let change = Change::to(format!("ticket:{}", ticket.number)).with("how", how);
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(())
}
