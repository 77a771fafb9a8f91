//! Looking for tickets by words and filters, and bringing the index in step after a migration.

use serde::Serialize;

use super::{
    Desk, Error,
    reading::Reader,
    tickets::{TicketReport, reports},
};
use crate::{
    permit::{Actor, FillIndex, Permit, ReadDesk, Subject, authorise},
    refusal::Refusal,
    search::{
        Query, Words,
        excerpt::{Excerpt, excerpt},
        filter::{Assignee, Filter},
    },
    staff::Role,
    store::{
        customers::lookup,
        search::{self, Audience, Found, Sort},
        staff, tickets,
    },
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Words and filters.
    pub query: Query,
    /// In which order.
    pub sort: Sort,
    /// At most so many tickets.
    pub limit: usize,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            query: Query::default(),
            sort: Sort::Relevance,
            limit: 20,
        }
    }
}

/// A ticket as `ticket search --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct TicketHit {
    /// The ticket.
    #[serde(flatten)]
    pub ticket: TicketReport,
    /// Where the words stand; for those who see what was written.
    pub excerpt: Option<Excerpt>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Results {
    /// The first of them.
    pub tickets: Vec<TicketHit>,
    /// How many were found.
    pub total: usize,
    /// There may be more: older tickets were not looked at once enough was found.
    pub is_cut: bool,
    /// Whether everything that is stored is in the index.
    pub is_complete: bool,
}

/// Tickets in batches of this size, one commit each.
const BATCH: i64 = 50;

/// The tickets that somebody looks for. Auditors, who see no bodies, search numbers, subjects,
/// requesters and tags.
pub async fn search(desk: &Desk, actor: &Actor, request: Request) -> Result<Results, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    check(desk, &mut permit, &request.query).await?;
    let sees_bodies = permit.role() != Some(Role::Auditor);
    let audience = if sees_bodies {
        Audience::Staff(permit.staff())
    } else {
        Audience::Auditor(permit.staff())
    };
    let Request {
        mut query,
        sort,
        limit,
    } = request;
    let reader = Reader::of(&mut permit).await?;
    keep_out(desk, &mut permit, &reader, &mut query).await?;
    let found = search::find(&mut permit, &query, audience, sort, limit).await?;
    let numbers: Vec<_> = found.hits.iter().map(|hit| hit.number).collect();
    let listed = tickets::list_of_numbers(&mut permit, &numbers).await?;
    let is_audited = |one: &TicketReport| {
        let tier = one.tier.as_ref();
        let tier = tier.and_then(|slug| desk.catalogue.get(slug.as_str()));
        tier.is_some_and(|tier| tier.has_audited_reads)
    };
    let listed = reports(desk, &mut permit, &reader, listed).await?;
    let excerpts = if sees_bodies {
        excerpts(&mut permit, &query, &found).await?
    } else {
        Vec::new()
    };
    let mut excerpts = excerpts.into_iter();
    // Where reading is written down, a list of what was found shows nothing that was written.
    let hit = |ticket: TicketReport| {
        let excerpt = excerpts.next().flatten();
        TicketHit {
            excerpt: excerpt.filter(|_| !is_audited(&ticket)),
            ticket,
        }
    };
    Ok(Results {
        tickets: listed.into_iter().map(hit).collect(),
        total: found.total,
        is_cut: found.is_cut,
        is_complete: search::is_complete(&mut permit).await?,
    })
}

/// Leaves out what this reader may not read: not even that a word stands there may be found.
async fn keep_out(
    desk: &Desk,
    permit: &mut Permit<'_, ReadDesk>,
    reader: &Reader,
    query: &mut Query,
) -> Result<(), Error> {
    let tiers = desk.catalogue.iter().map(|tier| tier.slug.clone());
    let tiers: Vec<_> = tiers.filter(|tier| !reader.may_read_tier(tier)).collect();
    if !tiers.is_empty() {
        query.leave_out(Filter::Tier(tiers));
    }
    let customers = reader.closed_customers();
    let slugs = lookup::slugs_of(permit, customers).await?;
    let mut slugs: Vec<_> = slugs.into_values().collect();
    if !slugs.is_empty() {
        slugs.sort_unstable();
        query.leave_out(Filter::Customer(slugs));
    }
    Ok(())
}

/// Refuses the names of what is not there, as `ticket list` does: no ticket would say so.
async fn check(desk: &Desk, permit: &mut Permit<'_, ReadDesk>, query: &Query) -> Result<(), Error> {
    for (filter, _) in query.filters() {
        match filter {
            Filter::Tier(list) => {
                for slug in list {
                    desk.tier(slug)?;
                }
            }
            Filter::Customer(list) => {
                for slug in list {
                    super::customers::get(permit, slug.as_str()).await?;
                }
            }
            Filter::Assignee(list) => {
                for one in list {
                    if let Assignee::Named(name) = one
                        && staff::find_by_name(permit, name).await?.is_none()
                    {
                        return Err(Refusal::not_found("member of staff", name).into());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// For each hit, the piece of a message in which its words stand.
async fn excerpts(
    permit: &mut Permit<'_, ReadDesk>,
    query: &Query,
    found: &Found,
) -> Result<Vec<Option<Excerpt>>, Error> {
    let wanted: Vec<Words> = query.words(false).cloned().collect();
    let docs = found.hits.iter().filter_map(|hit| hit.doc);
    let texts = search::texts(permit, docs).await?;
    let one = |doc: Option<i64>| {
        let text = texts.get(&doc?)?;
        excerpt(&text.body, &wanted).or_else(|| excerpt(&text.subject, &wanted))
    };
    Ok(found.hits.iter().map(|hit| one(hit.doc)).collect())
}

/// Indexes what the index lacks, in batches, and says after each how many tickets are done. Cut off, it
/// goes on where it was. Returns how many tickets there were.
pub async fn fill(
    desk: &Desk,
    actor: &Actor,
    mut progress: impl FnMut(usize),
) -> Result<usize, Error> {
    let mut done = 0;
    loop {
        let mut tx = desk.database.begin_read().await?;
        if search::is_complete(&mut tx).await? {
            return Ok(done);
        }
        drop(tx);
        let mut tx = desk.database.begin_write().await?;
        let mut permit = authorise(&mut tx, actor, FillIndex, Subject::Desk).await?;
        let count = search::fill(&mut permit, BATCH).await?;
        if count == 0 {
            search::mark_as_complete(&mut permit).await?;
        }
        tx.commit().await?;
        done += count;
        progress(done);
    }
}
