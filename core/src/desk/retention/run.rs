//! Removing what is due. Each ticket is a unit of work of its own, so that a run can be stopped anywhere
//! and begun again.

use serde::Serialize;

use super::{Due, DueReport, due_recorded, kept_by, old_page, plan};
use crate::{
    desk::{
        Desk, Error, chat,
        work_ticket::{Did, record},
    },
    ids::AuditId,
    permit::{Actor, Permit, RunRetention, Subject, authorise},
    store::{
        audit::{self, Change},
        messages,
        removal::{self, Freed, REMOVED},
        retention, search, tickets,
    },
    tickets::Ticket,
};

/// What a run removed, as `retention run --json` prints it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RetentionRun {
    /// Tickets of which all that was written is gone.
    pub tickets: u64,
    /// Tickets of which the raw mails and attachments are gone.
    pub raw: u64,
    /// Raw mails, attachments and letters that are gone.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Audit entries whose values were erased.
    pub audit_entries: u64,
    /// Mails on no ticket that lost their text.
    pub recorded: u64,
    /// Tickets that a legal hold, or a letter on its way, kept.
    pub held: u64,
}

/// Removes everything that is due and not held. `told` hears of each ticket.
pub async fn run(
    desk: &Desk,
    actor: &Actor,
    mut told: impl FnMut(&DueReport),
) -> Result<RetentionRun, Error> {
    let due = plan(desk, actor).await?;
    let mut run = RetentionRun::default();
    for one in &due.tickets {
        if one.held.is_some() {
            run.held += 1;
            continue;
        }
        let Some(freed) = remove(desk, actor, one).await? else {
            run.held += 1;
            continue;
        };
        match one.what {
            Due::Ticket => run.tickets += 1,
            Due::Raw => run.raw += 1,
        }
        run.contents += freed.contents;
        run.bytes += freed.bytes;
        told(one);
    }
    run.recorded = remove_recorded(desk, actor).await?;
    if run.tickets > 0 {
        compact(desk, actor).await?;
    }
    run.audit_entries = erase_old_values(desk, actor).await?;
    Ok(run)
}

/// Mails on no ticket, in one unit of work: they are few, and nobody works on them.
async fn remove_recorded(desk: &Desk, actor: &Actor) -> Result<u64, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, RunRetention, Subject::Desk).await?;
    let due = due_recorded(desk, &mut permit).await?;
    for one in &due {
        removal::clear_message(&mut permit, one.id, one.customer_id, REMOVED).await?;
        removal::strip_recorded(&mut permit, one.id).await?;
    }
    if !due.is_empty() {
        let change = Change::to("desk").with("recorded mails", due.len().to_string());
        audit::append(&mut permit, vec![change]).await?;
    }
    tx.commit().await?;
    Ok(due.len() as u64)
}

/// The index keeps what it forgot for a while; not after this.
async fn compact(desk: &Desk, actor: &Actor) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, RunRetention, Subject::Desk).await?;
    search::compact(&mut permit).await?;
    tx.commit().await?;
    Ok(())
}

/// `None` where the ticket moved meanwhile and is not due any more, or something keeps it now.
async fn remove(desk: &Desk, actor: &Actor, due: &DueReport) -> Result<Option<Freed>, Error> {
    let mut tx = desk.database.begin_write().await?;
    let found = tickets::find_by_number_locked(&mut tx, due.number).await?;
    let mut permit = authorise(&mut tx, actor, RunRetention, Subject::Desk).await?;
    let Some(mut ticket) = found.filter(|one| one.updated_at == due.updated_at) else {
        return Ok(None);
    };
    retention::keep_holds_out(&mut permit, ticket.id).await?;
    if kept_by(&mut permit, ticket.id).await?.is_some() {
        return Ok(None);
    }
    let list = messages::list_of_ticket(&mut permit, ticket.id).await?;
    let mut freed = Freed::default();
    for message in &list {
        freed += match due.what {
            Due::Raw => removal::clear_raw(&mut permit, message.id, ticket.customer_id).await?,
            Due::Ticket => {
                let customer = ticket.customer_id;
                removal::clear_message(&mut permit, message.id, customer, REMOVED).await?
            }
        };
    }
    if due.what == Due::Ticket {
        removal::rename_ticket(&mut permit, ticket.id, REMOVED).await?;
        removal::strip_people(&mut permit, ticket.id).await?;
        REMOVED.clone_into(&mut ticket.subject);
    }
    note(desk, &mut permit, &ticket, due.what, freed).await?;
    tx.commit().await?;
    Ok(Some(freed))
}

/// The ticket's own time stays what it was: removing is no work on it.
async fn note(
    desk: &Desk,
    permit: &mut Permit<'_, RunRetention>,
    ticket: &Ticket,
    what: Due,
    freed: Freed,
) -> Result<(), Error> {
    let did = Did {
        kind: "retention",
        details: vec![
            (
                "removed",
                match what {
                    Due::Raw => "raw mails and attachments".to_owned(),
                    Due::Ticket => "all that was written".to_owned(),
                },
            ),
            ("contents", freed.contents.to_string()),
        ],
    };
    record(permit, ticket, did).await?;
    if what == Due::Ticket {
        chat::post_later(desk, permit, ticket).await?;
    }
    Ok(())
}

/// Erases values from audit entries whose time is over, a page at a time. The chain holds without them.
async fn erase_old_values(desk: &Desk, actor: &Actor) -> Result<u64, Error> {
    let mut erased = 0;
    let mut after = AuditId::default();
    loop {
        let mut tx = desk.database.begin_write().await?;
        let mut permit = authorise(&mut tx, actor, RunRetention, Subject::Desk).await?;
        let (page, last) = old_page(desk, &mut permit, after).await?;
        for mut entry in page.iter().cloned() {
            for field in &mut entry.fields {
                field.erase();
            }
            retention::set_fields(&mut permit, &entry).await?;
        }
        if !page.is_empty() {
            let change = Change::to("desk").with("erased entries", page.len().to_string());
            audit::append(&mut permit, vec![change]).await?;
        }
        erased += page.len() as u64;
        tx.commit().await?;
        let Some(last) = last else { break };
        after = last;
    }
    Ok(erased)
}
