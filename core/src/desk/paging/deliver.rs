//! Handing notices over, as the outbox does letters: [`begin`], then the edge's own call, outside any unit
//! of work, then one of [`sent`], [`postponed`], [`failed`].

use std::time::Duration;

use super::{Error, aim::ITSELF, channels::WebhookSecret, digest, engine::CATCH_ALL_AGAIN, note};
use crate::{
    clock::Timestamp,
    customers::EmailAddress,
    desk::{Desk, chat},
    discord::DiscordId,
    ids::{NoticeId, StaffChannelId},
    jobs::{Job, JobError},
    paging::{Channel, NoticeState, PageKind, PageState, PageText, PageWords, Signal},
    permit::{Actor, KeepPages, Permit, RunPages, Subject, SystemRole, authorise},
    store::{
        Tx, jobs,
        pages::{
            self, Page,
            notices::{self, Notice},
        },
        staff_channels, tickets,
    },
    tickets::TicketNumber,
    tiers::{Severity, TierSlug},
};

const WORKER: Actor = Actor::System(SystemRole::Worker);

/// Where a notice goes, with everything its edge needs.
#[derive(Clone, Debug)]
pub enum Destination {
    /// A mention of this user in the ticket's thread, or in a direct message.
    Chat {
        /// The user.
        user: DiscordId,
        /// The ticket, for its thread; `None` for a direct message.
        thread_of: Option<crate::ids::TicketId>,
    },
    /// An address.
    Mail(EmailAddress),
    /// The desk, which tests itself: [`crate::desk::watchdog::hear`].
    Itself,
    /// A webhook of the configuration, by name.
    DeskWebhook(String),
    /// A webhook of a member of staff.
    OwnWebhook {
        /// Its shape.
        format: String,
        /// The rest.
        secret: WebhookSecret,
    },
}

/// A notice that is about to be sent.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The row.
    pub notice: Notice,
    /// What the page is about.
    pub kind: PageKind,
    /// What it says, cut down to what may leave the desk.
    pub text: PageText,
    /// How bad it is.
    pub severity: Severity,
    /// The tier.
    pub tier: Option<TierSlug>,
    /// The ticket.
    pub ticket: Option<TicketNumber>,
    /// Whether colleagues' names may stand beside it.
    pub shows_names: bool,
    /// Where it goes.
    pub to: Destination,
    /// When it is sent.
    pub at: Timestamp,
}

/// Writes down that a notice is about to be sent, and gives it. `None`: it is not needed any more.
pub async fn begin(desk: &Desk, id: NoticeId) -> Result<Option<Dispatch>, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WORKER, KeepPages, Subject::Desk).await?;
    let Some(notice) = notices::find(&mut permit, id).await? else {
        return Ok(None);
    };
    let Some(page) = pages::find_locked(&mut permit, notice.page_id).await? else {
        return Ok(None);
    };
    if !notices::begin(&mut permit, id).await? {
        return Ok(None);
    }
    let Some(to) = destination(&mut permit, &page, &notice).await? else {
        let words = "there is no such place any more";
        tx.commit().await?;
        failed(desk, &notice, words).await?;
        return Ok(None);
    };
    let (text, ticket, shows_names) = text_of(desk, &mut permit, &page, &notice).await?;
    let at = permit.now();
    let notice = notices::find(&mut permit, id).await?.unwrap_or(notice);
    tx.commit().await?;
    Ok(Some(Dispatch {
        notice,
        kind: page.kind,
        text,
        severity: page.severity,
        tier: page.tier,
        ticket,
        shows_names,
        to,
        at,
    }))
}

async fn destination(
    permit: &mut Permit<'_, KeepPages>,
    page: &Page,
    notice: &Notice,
) -> Result<Option<Destination>, Error> {
    let target = &notice.target;
    Ok(match notice.channel {
        Channel::Thread | Channel::Direct => target.parse().ok().map(|user| Destination::Chat {
            user,
            thread_of: page.ticket_id.filter(|_| notice.channel == Channel::Thread),
        }),
        Channel::Mail => target.parse().ok().map(Destination::Mail),
        Channel::Webhook => match target.split_once(':') {
            Some(("desk", name)) => Some(Destination::DeskWebhook(name.to_owned())),
            Some(("staff", id)) => own_webhook(permit, id).await?,
            None if target == ITSELF => Some(Destination::Itself),
            _ => None,
        },
    })
}

async fn own_webhook(
    permit: &mut Permit<'_, KeepPages>,
    id: &str,
) -> Result<Option<Destination>, Error> {
    let Ok(id) = id.parse::<StaffChannelId>() else {
        return Ok(None);
    };
    let Some(channel) = staff_channels::find(permit, id).await? else {
        return Ok(None);
    };
    let secret = staff_channels::secret(permit, id).await?;
    let secret = secret.and_then(|bytes| serde_json::from_slice::<WebhookSecret>(&bytes).ok());
    Ok(channel
        .format
        .zip(secret)
        .map(|(format, secret)| Destination::OwnWebhook { format, secret }))
}

/// What a notice says, by what may be shown of its ticket now.
async fn text_of(
    desk: &Desk,
    tx: &mut Tx,
    page: &Page,
    notice: &Notice,
) -> Result<(PageText, Option<TicketNumber>, bool), Error> {
    match page.kind {
        PageKind::News => return Ok((PageText::of_news(&page.reason), None, true)),
        PageKind::Digest => {
            let waiting = digest::waiting(desk, tx, &page.schedule, notice.staff_id).await?;
            let more = (waiting.more, waiting.is_cut);
            let text = PageText::of_digest(&page.schedule, &waiting.shown, more, tx.now());
            return Ok((text, None, true));
        }
        PageKind::Ticket | PageKind::Unverified | PageKind::Test | PageKind::Alarm => {}
    }
    let ticket = match page.ticket_id {
        Some(id) => tickets::find(tx, id).await?,
        None => None,
    };
    let shown = match &ticket {
        Some(ticket) => Some(chat::disclosed(desk, tx, ticket).await?),
        None => None,
    };
    let by = match notice.signal {
        Signal::Resolve => page.ended_by.as_deref(),
        _ => page.acknowledged_by.as_deref(),
    };
    let is_of_a_step = page.plan.step(notice.step).is_some();
    let words = PageWords {
        kind: page.kind,
        signal: notice.signal,
        urgency: page.urgency,
        severity: page.severity,
        ticket: shown.as_ref(),
        tickets: page.tickets,
        reason: &page.reason,
        step: is_of_a_step.then_some((notice.step + 1, notice.round + 1)),
        code: notice.code.as_deref(),
        by: by.map(|by| by.split_once(':').map_or(by, |(_, name)| name)),
        now: tx.now(),
    };
    let (text, shows_names) = (PageText::new(&words), words.shows_names());
    Ok((text, ticket.map(|ticket| ticket.number), shows_names))
}

/// For how long a notice is due.
pub fn age(desk: &Desk, notice: &Notice) -> Duration {
    desk.database.clock().read().since(notice.created_at)
}

/// The other side has it. Ends the job in the same unit of work.
pub async fn sent(
    desk: &Desk,
    notice: &Notice,
    job: &Job,
    words: &str,
    proof: Option<String>,
) -> Result<(), JobError> {
    let mut tx = desk.database.begin_write().await?;
    let permit = authorise(&mut tx, &WORKER, KeepPages, Subject::Desk).await;
    let mut permit = permit.map_err(job_error)?;
    notices::settle(&mut permit, notice.id, NoticeState::Sent, words, proof).await?;
    let now = notices::find(&mut permit, notice.id).await?;
    let is_cancelled = now.is_some_and(|notice| notice.state == NoticeState::Cancelled);
    match jobs::finish(&mut permit, job).await {
        // Somebody took the page meanwhile, and the job with it. Where the notice stands has to be known
        // all the same, to be brought up to date.
        Err(JobError::Fenced) if is_cancelled => {}
        finished => finished?,
    }
    crate::fault::point("notice.before_record");
    tx.commit().await?;
    Ok(())
}

/// It could not be sent now, as far as is known, and is tried again.
pub async fn postponed(
    desk: &Desk,
    notice: &Notice,
    words: &str,
    may_have_arrived: bool,
) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, &WORKER, KeepPages, Subject::Desk).await?;
    notices::put_back(&mut permit, notice.id, words, may_have_arrived).await?;
    tx.commit().await?;
    Ok(())
}

/// It will not arrive. Where nothing of its step has arrived or may yet, the next step is due now; where it
/// was for the catch-all, that is told again.
pub async fn failed(desk: &Desk, notice: &Notice, words: &str) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    if let Some(ticket) = pages::ticket_of(&mut tx, notice.page_id).await? {
        tickets::find_locked(&mut tx, ticket).await?;
    }
    let page = pages::find_locked(&mut tx, notice.page_id).await?;
    let mut permit = authorise(&mut tx, &WORKER, KeepPages, Subject::Desk).await?;
    notices::settle(&mut permit, notice.id, NoticeState::Failed, words, None).await?;
    if let Some(page) = page {
        go_on(&mut tx, page, notice).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn go_on(tx: &mut Tx, mut page: Page, notice: &Notice) -> Result<(), Error> {
    let is_last_step = match page.state {
        PageState::Open => page.round == notice.round && page.step == notice.step + 1,
        PageState::Exhausted => page.round == notice.round && page.step == notice.step,
        _ => false,
    };
    let is_trigger = notice.signal == Signal::Trigger && page.kind != PageKind::Test;
    if !is_last_step
        || !is_trigger
        || notices::has_hope(tx, page.id, notice.round, notice.step).await?
    {
        return Ok(());
    }
    let subject = page.ticket_id.map_or(Subject::Desk, Subject::Ticket);
    let mut permit = authorise(tx, &WORKER, RunPages, subject).await?;
    let wait = match page.state {
        PageState::Exhausted => CATCH_ALL_AGAIN,
        _ => Duration::ZERO,
    };
    page.state = PageState::Open;
    page.next_at = Some(permit.now().plus(wait));
    pages::update(&mut permit, &page).await?;
    let details = vec![("step", (notice.step + 1).to_string())];
    note(&mut permit, &page, "page_step_failed", details).await?;
    permit.wake_workers();
    Ok(())
}

fn job_error(error: Error) -> JobError {
    match error {
        Error::Failed(error) => error.into(),
        Error::Refused(refusal) => JobError::Fail(refusal.to_string()),
    }
}
