//! Mailboxes on servers: mails and the position behind them commit together, one process reads a
//! mailbox at a time, and one that nobody reads is told to the desk as a ticket of its own.

use std::time::Duration;

use serde::Serialize;

use super::{
    Desk, Error, chat,
    paging::{self, Cause},
    receive::{Standing, receive_in},
};
use crate::{
    clock::Timestamp,
    fault,
    mail::Provider,
    permit::{
        Actor, ConnectMail, KeepMailbox, Permit, RaiseMailAlarm, ReadDesk, ReceiveMail, Subject,
        authorise,
    },
    receive::{Prepared, Receipt},
    refusal::{Refusal, RefusalCode},
    store::{
        audit::{self, Change},
        grants::{self, Grant},
        leases,
        mailboxes::{self, Mailbox, Position},
        tickets::{self, NewEvent},
    },
    tickets::{Status, Ticket},
    tiers::Severity,
    trust::SenderTrust,
};

/// How long a reader is believed without a renewal.
const LASTS: Duration = Duration::from_secs(30);

/// The longest error that is kept, in characters.
const LONGEST_ERROR: usize = 500;

/// A mailbox with its position; made known if it was not.
pub async fn open(desk: &Desk, actor: &Actor, name: &str) -> Result<Mailbox, Error> {
    {
        let mut tx = desk.database.begin_read().await?;
        if let Some(known) = mailboxes::find(&mut tx, name).await? {
            return Ok(known);
        }
    }
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, KeepMailbox, Subject::Desk).await?;
    mailboxes::register(&mut permit, name).await?;
    let mailbox = mailboxes::find(&mut permit, name).await?;
    tx.commit().await?;
    mailbox.ok_or_else(|| {
        Error::Failed(crate::store::StoreError::Inconsistent {
            table: "mailboxes",
            detail: format!("{name} is gone as soon as it was written"),
        })
    })
}

/// Receives mails and moves the position behind them, both or neither.
pub async fn take(
    desk: &Desk,
    actor: &Actor,
    mailbox: &Mailbox,
    items: &[Prepared],
    position: Position,
) -> Result<Vec<Receipt>, Error> {
    let mut tx = desk.database.begin_write().await?;
    let receipts = if items.is_empty() {
        Vec::new()
    } else {
        receive_in(desk, &mut tx, actor, ReceiveMail, items).await?
    };
    let mut permit = authorise(&mut tx, actor, ReceiveMail, Subject::Desk).await?;
    mailboxes::advance(&mut permit, &mailbox.name, mailbox.version, position).await?;
    fault::point("imap.before_commit");
    tx.commit().await?;
    fault::point("imap.committed");
    Ok(receipts)
}

/// Takes or renews the right to read a mailbox. Returns whether `holder` has it now.
pub async fn acquire(desk: &Desk, name: &str, holder: &str) -> Result<bool, Error> {
    let mut tx = desk.database.begin_write().await?;
    let until = tx.now().plus(LASTS);
    let held = leases::acquire(&mut tx, &lease(name), holder, until).await?;
    tx.commit().await?;
    Ok(held.is_some())
}

/// Gives the right back.
pub async fn release(desk: &Desk, name: &str, holder: &str) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    leases::release(&mut tx, &lease(name), holder).await?;
    tx.commit().await?;
    Ok(())
}

fn lease(name: &str) -> String {
    format!("mailbox:{name}")
}

/// Writes down that a mailbox was read to its end. Returns the alarm's time if this ends one.
pub async fn record_read(
    desk: &Desk,
    actor: &Actor,
    name: &str,
) -> Result<Option<Timestamp>, Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, KeepMailbox, Subject::Desk).await?;
    let before = mailboxes::find(&mut permit, name).await?;
    mailboxes::mark_as_read(&mut permit, name).await?;
    tx.commit().await?;
    Ok(before.and_then(|mailbox| mailbox.alarmed_at))
}

/// Writes down why a mailbox could not be read.
pub async fn record_failure(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    error: &str,
) -> Result<(), Error> {
    let error: String = error.chars().take(LONGEST_ERROR).collect();
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, KeepMailbox, Subject::Desk).await?;
    mailboxes::mark_as_failed(&mut permit, name, error).await?;
    tx.commit().await?;
    Ok(())
}

/// Tells the desk, once an outage, that a mailbox was not read for `span`. Returns what it tells.
pub async fn raise_alarm(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    span: Duration,
) -> Result<Option<Alarm>, Error> {
    let is_due = |mailbox: &Mailbox, now: Timestamp| {
        let since = mailbox.last_ok_at.unwrap_or(mailbox.watched_since);
        mailbox.alarmed_at.is_none() && now.since(since) >= span
    };
    {
        // Asked every few seconds: without taking the lock of whoever writes.
        let mut tx = desk.database.begin_read().await?;
        let now = tx.now();
        let found = mailboxes::find(&mut tx, name).await?;
        if !found.is_some_and(|mailbox| is_due(&mailbox, now)) {
            return Ok(None);
        }
    }
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, RaiseMailAlarm, Subject::Desk).await?;
    let now = permit.now();
    let Some(mailbox) = mailboxes::find(&mut permit, name).await? else {
        return Ok(None);
    };
    if !is_due(&mailbox, now) || !mailboxes::mark_as_alarmed(&mut permit, name).await? {
        return Ok(None);
    }
    let since = mailbox.last_ok_at.unwrap_or(mailbox.watched_since);
    let reason = mailbox
        .last_error
        .unwrap_or_else(|| "nothing was said of why".to_owned());
    let ticket = alarm_ticket(desk, &mut permit, name, since, &reason).await?;
    tickets::insert_many(&mut permit, vec![ticket.clone()]).await?;
    let event = NewEvent {
        id: permit.new_id(),
        ticket_id: ticket.id,
        at: now,
        actor: permit.actor().to_owned(),
        kind: "opened",
        detail: serde_json::json!({ "mailbox": name, "reason": reason }),
    };
    tickets::insert_events(&mut permit, vec![event]).await?;
    let change = Change::to(format!("ticket:{}", ticket.number)).with("mailbox", name);
    audit::append(&mut permit, vec![change]).await?;
    paging::consider(desk, &mut permit, &[&ticket], Cause::Opened).await?;
    chat::post_later(desk, &mut permit, &ticket).await?;
    tx.commit().await?;
    Ok(Some(Alarm {
        ticket: ticket.number.to_string(),
        since,
        reason,
    }))
}

/// An alarm that was raised.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// The ticket that tells of it.
    pub ticket: String,
    /// Since when the mailbox is unread.
    pub since: Timestamp,
    /// Why, as far as is known.
    pub reason: String,
}

async fn alarm_ticket(
    desk: &Desk,
    permit: &mut Permit<'_, RaiseMailAlarm>,
    name: &str,
    since: Timestamp,
    reason: &str,
) -> Result<Ticket, Error> {
    // No customer's mail comes in: as bad as one customer's worst.
    let severity = Severity::Sev1;
    let standing = Standing::of(desk, None, severity)?;
    let (now, author) = (permit.now(), permit.actor().to_owned());
    let number = tickets::draw_numbers(permit, 1).await?;
    Ok(Ticket {
        id: permit.new_id(),
        number: number[0],
        customer_id: None,
        tier: None,
        framework: None,
        tier_rank: standing.rank,
        subject: format!("mailbox {name} has not been read since {since}"),
        status: Status::New,
        severity,
        priority: standing.priority,
        // The desk itself says so.
        trust: SenderTrust::Known,
        trust_reasons: vec![
            format!("the last error: {reason}"),
            "nothing is lost: mail stays on the server and is taken once it can be read".to_owned(),
            "tierdesk mail status tells how it stands now".to_owned(),
        ],
        requester: author,
        requester_name: None,
        assignee_id: None,
        is_silent: false,
        is_provisional: false,
        close_reason: None,
        opened_at: now,
        updated_at: now,
        clocks: crate::sla::Clocks::default(),
        snoozed_until: None,
        version: 1,
    })
}

/// A mailbox as `mail status` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct MailboxReport {
    /// Server, login and folder.
    pub mailbox: String,
    /// `ok`, `starting`, `failing` or `alarm`.
    pub state: &'static str,
    /// When it was last read to its end.
    pub last_ok_at: Option<Timestamp>,
    /// What went wrong since.
    pub last_error: Option<String>,
    /// Since when the desk knows that nobody reads it.
    pub alarmed_at: Option<Timestamp>,
    /// Whether a process reads it now.
    pub is_served: bool,
    /// The server's numbering.
    pub uid_validity: Option<i64>,
    /// New mail is with us up to this UID.
    pub last_uid: i64,
    /// UIDs of older mail that is still to be looked at.
    pub backlog: i64,
}

/// A grant as `mail status` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct GrantReport {
    /// Whose.
    pub provider: Provider,
    /// The login name.
    pub account: String,
    /// When somebody agreed to it.
    pub granted_at: Timestamp,
    /// When it last gave a token.
    pub refreshed_at: Timestamp,
    /// Why it gives none any more.
    pub refused: Option<String>,
}

/// `mail status --json`
#[derive(Clone, Debug, Serialize)]
pub struct MailStatus {
    /// Every mailbox that was ever read.
    pub mailboxes: Vec<MailboxReport>,
    /// Every grant, without its token.
    pub grants: Vec<GrantReport>,
}

/// How the mailboxes stand.
pub async fn status(desk: &Desk, actor: &Actor) -> Result<MailStatus, Error> {
    let mut tx = desk.database.begin_read().await?;
    let mut permit = authorise(&mut tx, actor, ReadDesk, Subject::Desk).await?;
    let mut reports = Vec::new();
    for mailbox in mailboxes::list(&mut permit).await? {
        let is_served = leases::is_held(&mut permit, &lease(&mailbox.name)).await?;
        let state = match &mailbox {
            Mailbox {
                alarmed_at: Some(_),
                ..
            } => "alarm",
            Mailbox {
                last_error: Some(_),
                ..
            } => "failing",
            Mailbox {
                last_ok_at: None, ..
            } => "starting",
            _ => "ok",
        };
        reports.push(MailboxReport {
            state,
            last_ok_at: mailbox.last_ok_at,
            last_error: mailbox.last_error,
            alarmed_at: mailbox.alarmed_at,
            is_served,
            uid_validity: mailbox.uid_validity,
            last_uid: mailbox.last_uid,
            backlog: if mailbox.is_reread {
                mailbox.backlog_until - mailbox.backlog_uid
            } else {
                0
            },
            mailbox: mailbox.name,
        });
    }
    let grants = grants::list(&mut permit).await?;
    let grants = grants.into_iter().map(GrantReport::from).collect();
    Ok(MailStatus {
        mailboxes: reports,
        grants,
    })
}

impl From<Grant> for GrantReport {
    fn from(grant: Grant) -> Self {
        Self {
            provider: grant.provider,
            account: grant.account,
            granted_at: grant.granted_at,
            refreshed_at: grant.refreshed_at,
            refused: grant.refused,
        }
    }
}

/// Asks whether `actor` may let the desk into a mailbox and whether a token could be kept, before a
/// person goes to the provider for one.
pub async fn may_connect(desk: &Desk, actor: &Actor) -> Result<(), Error> {
    let mut tx = desk.database.begin_read().await?;
    let permit = authorise(&mut tx, actor, ConnectMail, Subject::Desk).await?;
    if permit.seals() {
        return Ok(());
    }
    Err(no_key().into())
}

fn no_key() -> Refusal {
    let message = "a token would be stored unsealed; nothing was asked for and nothing stored";
    Refusal::new(RefusalCode::Configuration, message).with_hint(
        "make a key with `openssl rand -hex 32 > /etc/tierdesk/store.key` and name it in store.key_file",
    )
}

/// Keeps what a provider granted.
pub async fn keep_grant(
    desk: &Desk,
    actor: &Actor,
    provider: Provider,
    account: &str,
    token: &str,
    scope: &str,
) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, ConnectMail, Subject::Desk).await?;
    if !grants::put(&mut permit, provider, account, token, scope).await? {
        return Err(no_key().into());
    }
    let change = Change::to(format!("mail:{account}"))
        .with("provider", provider.as_str())
        .with("scope", scope);
    audit::append(&mut permit, vec![change]).await?;
    tx.commit().await?;
    Ok(())
}

/// The refresh token for an account.
pub async fn find_grant(
    desk: &Desk,
    provider: Provider,
    account: &str,
) -> Result<Option<Vec<u8>>, Error> {
    let mut tx = desk.database.begin_read().await?;
    Ok(grants::find_token(&mut tx, provider, account).await?)
}

/// What became of asking a provider for a token.
#[derive(Clone, Debug)]
pub enum Renewal {
    /// It gave one; this refresh token is good from now on.
    Renewed(String),
    /// The grant is over, for this reason.
    Refused(String),
}

/// Writes down what became of a grant.
pub async fn record_renewal(
    desk: &Desk,
    actor: &Actor,
    provider: Provider,
    account: &str,
    renewal: Renewal,
) -> Result<(), Error> {
    let mut tx = desk.database.begin_write().await?;
    let mut permit = authorise(&mut tx, actor, KeepMailbox, Subject::Desk).await?;
    match renewal {
        Renewal::Renewed(token) => {
            grants::renew(&mut permit, provider, account, &token).await?;
        }
        Renewal::Refused(reason) => {
            grants::mark_as_refused(&mut permit, provider, account, reason).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}
