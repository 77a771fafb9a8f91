//! The desk tests itself: [`begin`] has a mail of its own come in, and everything after that is done by
//! whoever does it for any other mail, until the page's notice gets to [`hear`]. What closes the loop also
//! owes the word to somebody outside, by a job.

use std::time::Duration;

use serde::Serialize;

use super::{
    Desk, Error, paging,
    store_arrival::{self, NewArrival},
    work_ticket::{change_ticket_in, step},
};
use crate::{
    clock::Timestamp,
    customers::{Customer, CustomerStatus},
    ids::{InboxId, TicketId},
    jobs::{JobKind, NewJob},
    paging::{NoticeState, PageState},
    permit::{Actor, Permit, ReadDesk, Subject, SystemRole, WatchDesk, authorise},
    refusal::{Refusal, RefusalCode},
    store::{
        StoreError, Tx,
        audit::{self, Change},
        customers, jobs,
        pages::{
            self,
            notices::{self, Notice},
        },
        tickets,
        watchdog::{self as rounds, Round},
    },
    tickets::Status,
    watchdog::{self, Watchdog},
};

/// Whoever does it.
const WATCHDOG: Actor = Actor::System(SystemRole::Watchdog);
/// For so long rounds are kept.
const KEPT: Duration = Duration::from_hours(30 * 24);
/// Somebody outside is told until it is too late, not a number of times; the next round tells them anew.
const MAX_ATTEMPTS: i64 = 1_000;
/// What the notice says once it was heard.
const HEARD: &str = "the desk heard itself";

/// Has a round begin where one is due. Returns whether it did.
pub async fn begin(desk: &Desk) -> Result<bool, Error> {
    let Some(watchdog) = desk.watchdog else {
        return Ok(false);
    };
    let mut tx = desk.database.begin_read().await?;
    let slot = watchdog.slot(tx.now());
    if rounds::has_slot(&mut tx, slot).await? {
        return Ok(false);
    }
    drop(tx);
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WATCHDOG, WatchDesk, Subject::Desk).await?;
    let random: [u8; 16] = permit.random();
    let id = data_encoding::HEXLOWER.encode(&random);
    let now = permit.now();
    let arrival = NewArrival::self_test(desk.own_address.as_ref(), &id, now);
    let ids = store_arrival::insert(&mut permit, &[arrival], Duration::ZERO).await?;
    if !rounds::begin(&mut permit, ids[0], slot).await? {
        // Another process was first; what was stored here is not.
        return Ok(false);
    }
    // Not before: of several processes that are here at once, one has got through.
    reserve(desk, &mut permit).await?;
    rounds::forget(&mut permit, now.minus(KEPT)).await?;
    permit.wake_workers();
    tx.commit().await?;
    Ok(true)
}

/// The customer that self-tests belong to is there from the first one on.
async fn reserve(desk: &Desk, permit: &mut Permit<'_, WatchDesk>) -> Result<(), Error> {
    let Some(tier) = watchdog::tier(&desk.catalogue) else {
        return Ok(());
    };
    let of = watchdog::sender(tier.clone());
    if let Some(there) = customers::find_by_slug(permit, &of.slug).await? {
        if there.id == of.id {
            return Ok(());
        }
        let message = format!("the handle {} is another customer's", of.slug);
        return Err(Refusal::new(RefusalCode::Taken, message)
            .with_hint("self-tests need it: give that customer another handle")
            .into());
    }
    let now = permit.now();
    let customer = Customer {
        id: of.id,
        slug: of.slug,
        name: of.name,
        tier: of.tier,
        framework: None,
        status: CustomerStatus::Active,
        prefix: None,
        account_id: None,
        ou: None,
        monthly_price_cents: Some(0),
        include_subdomains: false,
        staff_attributes: Vec::new(),
        tags: std::collections::BTreeMap::new(),
        domains: Vec::new(),
        contacts: Vec::new(),
        created_at: now,
        updated_at: now,
        version: 1,
    };
    customers::insert(permit, &customer).await?;
    let change = Change::to(format!("customer:{}", customer.slug));
    let change = change.with("why", "self-tests belong to it");
    audit::append(permit, vec![change]).await?;
    Ok(())
}

/// The desk hears of its own page: takes it, ends its ticket, and owes the word to somebody outside, all in
/// one unit of work. Hearing of it again changes nothing.
pub async fn hear(desk: &Desk, notice: &Notice) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let Some(id) = pages::ticket_of(&mut tx, notice.page_id).await? else {
        return Ok(());
    };
    let ticket = tickets::find_locked(&mut tx, id).await?;
    let Some(ticket) = ticket.filter(watchdog::is_self_test) else {
        return Ok(());
    };
    if !ticket.status.is_active() {
        return Ok(());
    }
    let action = WatchDesk;
    change_ticket_in(
        desk,
        &mut tx,
        &WATCHDOG,
        action,
        ticket.number,
        async |permit, ticket| {
            notices::settle(permit, notice.id, NoticeState::Sent, HEARD, None).await?;
            if let Some(mut page) = pages::find_locked(permit, notice.page_id).await?
                && page.state != PageState::Resolved
            {
                paging::take(permit, &mut page, "self-test").await?;
            }
            close(desk, permit, ticket.id).await?;
            Ok(Some(step(ticket, Status::Resolved, permit.now())?))
        },
    )
    .await?;
    crate::fault::point("watchdog.before_commit");
    tx.commit().await?;
    crate::fault::point("watchdog.committed");
    Ok(())
}

async fn close(
    desk: &Desk,
    permit: &mut Permit<'_, WatchDesk>,
    ticket: TicketId,
) -> Result<(), Error> {
    let Some(round) = rounds::close(permit, ticket).await? else {
        return Ok(());
    };
    if desk.watchdog.is_some_and(|watchdog| watchdog.pings) {
        let job = NewJob {
            dedup_key: Some(round.to_string()),
            max_attempts: MAX_ATTEMPTS,
            ..NewJob::new(
                JobKind::PingDeadMan,
                serde_json::json!({ "round": round, "closed": permit.now() }),
            )
        };
        jobs::enqueue_many(permit, vec![job]).await?;
        permit.wake_workers();
    }
    Ok(())
}

/// Writes down what became of telling somebody outside.
pub async fn pinged(desk: &Desk, round: InboxId, fault: Option<String>) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WATCHDOG, WatchDesk, Subject::Desk).await?;
    rounds::pinged(&mut permit, round, fault).await?;
    tx.commit().await?;
    Ok(())
}

/// What is wrong with the last rounds, where somebody has to be told.
pub async fn fault(desk: &Desk) -> Result<Option<String>, Error> {
    let Some(watchdog) = desk.watchdog else {
        return Ok(None);
    };
    let mut tx = desk.database.begin_read().await?;
    let waits = waiting(&mut tx).await?;
    Ok(waits
        .filter(|waits| *waits > watchdog.patience())
        .map(|waits| {
            format!(
                "a mail that the desk wrote to itself {} min ago was not heard of since",
                waits.as_secs() / 60
            )
        }))
}

async fn waiting(tx: &mut Tx) -> Result<Option<Duration>, StoreError> {
    let since = rounds::waiting_since(tx).await?;
    Ok(since.map(|since| tx.now().since(since)))
}

/// How the desk's self-tests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether all is well.
    pub(super) is_ok: bool,
    /// How long ago one last came round.
    pub(super) age: Option<Duration>,
    /// In words.
    pub(super) detail: String,
}

/// How they go, for whoever asks how the desk is.
pub(super) async fn standing(
    tx: &mut Tx,
    watchdog: Option<Watchdog>,
) -> Result<Standing, StoreError> {
    let Some(watchdog) = watchdog else {
        let detail = "the desk does not test itself".to_owned();
        return Ok(Standing {
            is_ok: true,
            age: None,
            detail,
        });
    };
    let last = rounds::last_closed(tx).await?;
    let waits = waiting(tx).await?;
    let age = last.as_ref().and_then(|round| round.closed_at);
    let age = age.map(|at| tx.now().since(at));
    let mut detail = match (age, waits) {
        (Some(age), _) => format!("a self-test last came round {} s ago", age.as_secs()),
        (None, Some(_)) => "no self-test has come round yet".to_owned(),
        (None, None) => "no self-test has begun".to_owned(),
    };
    let is_late = waits.is_some_and(|waits| waits > watchdog.patience());
    if let Some(waits) = waits.filter(|_| is_late) {
        detail = format!("{detail}; one waits for {} s", waits.as_secs());
    }
    if watchdog.pings
        && let Some(round) = &last
        && round.ping_fault.is_some()
    {
        detail.push_str("; the dead-man address was not reached");
    }
    let is_stale = match (age, waits) {
        (Some(age), _) => age > watchdog.stale(),
        (None, waits) => waits.is_none(),
    };
    Ok(Standing {
        is_ok: !is_late && !is_stale,
        age,
        detail,
    })
}

/// The self-tests, for people.
#[derive(Clone, Debug, Serialize)]
pub struct WatchdogReport {
    /// Seconds between two; nothing where there are none.
    pub every_seconds: Option<u64>,
    /// Whether a dead-man address is told.
    pub pings: bool,
    /// Whether all is well.
    pub ok: bool,
    /// In words.
    pub detail: String,
    /// The last ones, the newest first.
    pub rounds: Vec<RoundReport>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub struct RoundReport {
    /// When it began.
    pub started_at: Timestamp,
    /// Its ticket, once it was heard of.
    pub ticket: Option<String>,
    /// When it was.
    pub closed_at: Option<Timestamp>,
    /// When the dead-man address was told.
    pub pinged_at: Option<Timestamp>,
    /// Why it could not be.
    pub ping_fault: Option<String>,
}

impl From<Round> for RoundReport {
    fn from(round: Round) -> Self {
        Self {
            started_at: round.started_at,
            ticket: round.ticket.map(|number| number.to_string()),
            closed_at: round.closed_at,
            pinged_at: round.pinged_at,
            ping_fault: round.ping_fault,
        }
    }
}

/// How many rounds people are shown.
const SHOWN: i64 = 10;

/// The last self-tests.
pub async fn report(desk: &Desk, actor: &Actor) -> Result<WatchdogReport, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let standing = standing(&mut permit, desk.watchdog).await?;
    let last = rounds::list(&mut permit, SHOWN).await?;
    Ok(WatchdogReport {
        every_seconds: desk.watchdog.map(|watchdog| watchdog.every.as_secs()),
        pings: desk.watchdog.is_some_and(|watchdog| watchdog.pings),
        ok: standing.is_ok,
        detail: standing.detail,
        rounds: last.into_iter().map(RoundReport::from).collect(),
    })
}
