//! One look at a mailbox: what is new is taken, then what was there before, batch by batch, each
//! committed with the position behind it.
//!
//! Where reading goes on is a UID, never a flag: mail that somebody opened is taken as well. When the
//! server numbers anew (UIDVALIDITY), everything is looked at again: what is with us is found by its
//! fingerprint, and what is older than the first look stays out.

use tierdesk_core::{
    clock::Timestamp,
    desk::{self, Desk, Error, mailboxes},
    fault,
    receive::Prepared,
    settings::AfterFetch,
    store::{
        StoreError,
        mailboxes::{Mailbox, Position},
    },
    telemetry,
};

use super::{
    Account,
    arrival::{self, Content, Fetched},
    error::ImapError,
    mark::{mark, noted},
    session::{Listed, Opened, Session},
    stumbles::{Stumbles, Way},
};
use crate::{limits, process::INGEST, reader::Reader};

/// The most mails in one unit of work.
const BATCH_MAILS: usize = 50;
/// The most bytes of mail in one, unless a single mail has more.
const BATCH_BYTES: u64 = 16 << 20;
/// How many UIDs of the backlog are looked at before new mail is.
const WINDOW: u32 = 500;
/// Tries of a batch that the database could not take.
const TRIES: u32 = 4;

/// What one look came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Mails that are with us since.
    pub taken: usize,
    /// Mails of before the first look that stay where they are.
    pub passed: usize,
}

/// Which mail a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    New,
    Backlog,
}

/// One look under way.
pub(super) struct Round<'r> {
    pub(super) desk: &'r Desk,
    pub(super) account: &'r Account,
    pub(super) session: &'r mut Session,
    pub(super) stumbles: &'r mut Stumbles,
    mailbox: Mailbox,
    look: Look,
}

impl<'r> Round<'r> {
    /// Opens the folder and finds out where reading goes on.
    pub(super) async fn begin(
        desk: &'r Desk,
        account: &'r Account,
        session: &'r mut Session,
        stumbles: &'r mut Stumbles,
    ) -> Result<Self, ImapError> {
        let opened = session.select(&account.folder).await?;
        let mailbox = mailboxes::open(desk, &INGEST, &account.name).await?;
        let mut round = Self {
            desk,
            account,
            session,
            stumbles,
            mailbox,
            look: Look::default(),
        };
        round.place(opened).await?;
        Ok(round)
    }

    /// Takes everything that is there.
    pub(super) async fn finish(mut self) -> Result<Look, ImapError> {
        if !self.mailbox.to_mark.is_empty() {
            let due = self.mailbox.to_mark.clone();
            self.mark(&due).await?;
        }
        loop {
            let from = uid(self.mailbox.last_uid + 1);
            let new = self.session.list(from, None).await?;
            self.take_all(&new, Part::New).await?;
            if !self.take_window().await? {
                break;
            }
        }
        self.settle_marks().await?;
        Ok(self.look)
    }

    /// The first look begins at the newest mail. One after the server numbered anew begins at the
    /// first mail, and goes through all of it as a backlog.
    async fn place(&mut self, opened: Opened) -> Result<(), ImapError> {
        let validity = i64::from(opened.uid_validity);
        let known = self.mailbox.uid_validity;
        if known == Some(validity) {
            return Ok(());
        }
        self.stumbles.clear();
        let newest = if opened.exists == 0 {
            None
        } else {
            self.session.newest().await?
        };
        let behind = newest.map_or(1, |mail| mail.uid.saturating_add(1));
        let end = i64::from(opened.uid_next.unwrap_or(behind)) - 1;
        let name = &self.account.name;
        let start_date = if known.is_some() {
            tracing::warn!(
                mailbox = name,
                "the server numbers its mails anew: all are looked at again"
            );
            self.mailbox.start_date
        } else {
            tracing::info!(
                mailbox = name,
                uid = end,
                "a mailbox is read for the first time"
            );
            newest.and_then(|mail| mail.date)
        };
        let position = Position {
            uid_validity: validity,
            last_uid: end,
            backlog_uid: 0,
            backlog_until: end,
            is_reread: known.is_some(),
            start_date,
            to_mark: String::new(),
        };
        self.commit(&[], position).await?;
        Ok(())
    }

    /// Takes a stretch of the mail that was there already. Returns whether there may be more.
    async fn take_window(&mut self) -> Result<bool, ImapError> {
        let has_backlog = self.mailbox.backlog_uid < self.mailbox.backlog_until;
        if !has_backlog || !(self.account.history || self.mailbox.is_reread) {
            return Ok(false);
        }
        let from = uid(self.mailbox.backlog_uid + 1);
        let to = uid(self.mailbox.backlog_until).min(from.saturating_add(WINDOW - 1));
        let found = self.session.list(from, Some(to)).await?;
        self.take_all(&found, Part::Backlog).await?;
        if self.mailbox.backlog_uid < i64::from(to) {
            let position = Position {
                backlog_uid: i64::from(to),
                ..self.position()
            };
            self.commit(&[], position).await?;
        }
        Ok(true)
    }

    async fn take_all(&mut self, mut mails: &[Listed], part: Part) -> Result<(), ImapError> {
        while !mails.is_empty() {
            let most = if self.stumbles.is_careful() {
                1
            } else {
                BATCH_MAILS
            };
            let mut bytes = 0;
            let fits = |mail: &&Listed| {
                bytes += mail.size.min(limits::SOURCE_BYTES);
                bytes <= BATCH_BYTES
            };
            let count = mails.iter().take(most).take_while(fits).count().max(1);
            let (batch, rest) = mails.split_at(count);
            self.take_batch(batch, part).await?;
            mails = rest;
        }
        Ok(())
    }

    /// Takes a batch; where the server does not give it, mail by mail.
    async fn take_batch(&mut self, batch: &[Listed], part: Part) -> Result<(), ImapError> {
        match self.fetch(batch, part).await {
            Ok(fetched) => self.store(batch, fetched, part).await,
            Err(error) if batch.len() > 1 && error.is_refusal() => {
                for mail in batch {
                    let one = std::slice::from_ref(mail);
                    let fetched = self.fetch(one, part).await?;
                    self.store(one, fetched, part).await?;
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Fetches those of a batch that come in, each in the way that is left for it.
    async fn fetch(&mut self, batch: &[Listed], part: Part) -> Result<Vec<Fetched>, ImapError> {
        let (passed, wanted): (Vec<Listed>, Vec<Listed>) =
            batch.iter().partition(|mail| self.stays_out(mail, part));
        self.look.passed += passed.len();
        let (whole, others): (Vec<Listed>, Vec<Listed>) = wanted.into_iter().partition(|mail| {
            mail.size <= limits::SOURCE_BYTES && self.stumbles.way(mail.uid) == Way::Whole
        });
        let mut fetched = Vec::new();
        if !whole.is_empty() {
            let found = self.session.fetch(&whole).await;
            let found = self.stumbles.note(&whole, found)?;
            for mail in &whole {
                let bytes = found.iter().find(|(uid, _)| *uid == mail.uid);
                match bytes {
                    Some((_, raw)) => {
                        fetched.push(Fetched::new(*mail, Content::Whole(raw.clone())));
                    }
                    // Removed since it was listed; one that is still there is fetched by itself.
                    None if whole.len() == 1 => fetched.extend(self.missing(*mail).await?),
                    None => fetched.extend(self.fetch_alone(*mail).await?),
                }
            }
        }
        for mail in others {
            fetched.extend(self.fetch_in_part(mail).await?);
        }
        fetched.sort_by_key(|one| one.listed.uid);
        Ok(fetched)
    }

    async fn fetch_alone(&mut self, mail: Listed) -> Result<Option<Fetched>, ImapError> {
        let found = self.session.fetch(&[mail]).await;
        let found = self.stumbles.note(&[mail], found)?;
        match found.into_iter().find(|(uid, _)| *uid == mail.uid) {
            Some((_, raw)) => Ok(Some(Fetched::new(mail, Content::Whole(raw)))),
            None => self.missing(mail).await,
        }
    }

    /// A mail that the server listed and did not send: removed meanwhile, or one it cannot read.
    async fn missing(&mut self, mail: Listed) -> Result<Option<Fetched>, ImapError> {
        if self
            .session
            .list(mail.uid, Some(mail.uid))
            .await?
            .is_empty()
        {
            return Ok(None);
        }
        let why = "the server lists it and does not send it".to_owned();
        Ok(Some(Fetched::new(mail, Content::Nothing(why))))
    }

    /// The headers of a mail that is too large, or that could not be fetched whole again and again.
    async fn fetch_in_part(&mut self, mail: Listed) -> Result<Option<Fetched>, ImapError> {
        let why = if mail.size > limits::SOURCE_BYTES {
            format!(
                "it has {} bytes, more than the {} that are taken",
                mail.size,
                limits::SOURCE_BYTES
            )
        } else {
            "it could not be fetched, several times".to_owned()
        };
        if self.stumbles.way(mail.uid) == Way::Nothing && self.gives_others(mail.uid).await? {
            return Ok(Some(Fetched::new(mail, Content::Nothing(why))));
        }
        let headers = self
            .session
            .fetch_headers(mail.uid, limits::HEADER_BYTES)
            .await;
        match self.stumbles.note(&[mail], headers)? {
            Some(raw) => Ok(Some(Fetched::new(mail, Content::Headers(raw, why)))),
            None => self.missing(mail).await,
        }
    }

    /// Whether the server gives any other mail: one in trouble gives nothing of anything, and then it
    /// is not this mail that is bad.
    async fn gives_others(&mut self, uid: u32) -> Result<bool, ImapError> {
        let mut other = self.session.newest().await?;
        if uid > 1 && other.is_some_and(|mail| mail.uid == uid) {
            let before = uid.saturating_sub(1);
            let from = before.saturating_sub(WINDOW).max(1);
            other = self.session.list(from, Some(before)).await?.pop();
        }
        let Some(other) = other.filter(|mail| mail.uid != uid) else {
            return Ok(false);
        };
        let found = self.session.fetch_headers(other.uid, 1_024).await?;
        Ok(found.is_some())
    }

    /// Mail that was there before the first look, while the server's new numbers are gone through.
    fn stays_out(&self, mail: &Listed, part: Part) -> bool {
        part == Part::Backlog
            && self.mailbox.is_reread
            && !self.account.history
            && is_before(mail.date, self.mailbox.start_date)
    }

    /// Commits what was fetched with the position behind it, and marks it on the server.
    async fn store(
        &mut self,
        batch: &[Listed],
        fetched: Vec<Fetched>,
        part: Part,
    ) -> Result<(), ImapError> {
        let Some(last) = batch.last() else {
            return Ok(());
        };
        fault::point("imap.fetched");
        let is_history = part == Part::Backlog && !self.mailbox.is_reread;
        let start = (part == Part::Backlog)
            .then_some(self.mailbox.start_date)
            .flatten();
        let validity = self.mailbox.uid_validity.unwrap_or_default();
        let read = arrival::Reading {
            name: self.account.name.clone(),
            validity,
            check: self.account.check,
            reader: Reader::of(self.desk),
            is_history,
            start,
        };
        let (items, kept) = read.prepare(fetched).await?;
        let due: Vec<u32> = items
            .iter()
            .zip(&kept)
            .filter(|(item, one)| !item.is_silent && one.may_be_marked)
            .map(|(_, one)| one.uid)
            .collect();
        let is_left = self.account.after == AfterFetch::Leave;
        let due = if is_left { Vec::new() } else { due };
        let mut position = self.position();
        position.to_mark = noted(&position.to_mark, due);
        match part {
            Part::New => position.last_uid = i64::from(last.uid),
            Part::Backlog => position.backlog_uid = i64::from(last.uid),
        }
        if items.len() == 1 {
            self.commit_one(&items[0], &kept[0], position).await?;
        } else {
            match self.commit(&items, position).await {
                Err(Error::Failed(error)) if !error.is_transient() && !items.is_empty() => {
                    // One of them cannot be stored as it was read: which one, shows by itself.
                    return Box::pin(self.store_one_by_one(batch, items, kept, part)).await;
                }
                other => other?,
            }
        }
        self.look.taken += items.len();
        let due = self.mailbox.to_mark.clone();
        self.mark(&due).await
    }

    async fn store_one_by_one(
        &mut self,
        batch: &[Listed],
        items: Vec<Prepared>,
        kept: Vec<arrival::Kept>,
        part: Part,
    ) -> Result<(), ImapError> {
        for (item, one) in items.iter().zip(&kept) {
            let mut position = self.position();
            let is_due =
                !item.is_silent && one.may_be_marked && self.account.after != AfterFetch::Leave;
            position.to_mark = noted(&position.to_mark, is_due.then_some(one.uid));
            match part {
                Part::New => position.last_uid = i64::from(one.uid),
                Part::Backlog => position.backlog_uid = i64::from(one.uid),
            }
            self.commit_one(item, one, position).await?;
            self.look.taken += 1;
        }
        if let Some(last) = batch.last() {
            let mut position = self.position();
            match part {
                Part::New => position.last_uid = i64::from(last.uid),
                Part::Backlog => position.backlog_uid = i64::from(last.uid),
            }
            self.commit(&[], position).await?;
        }
        let due = self.mailbox.to_mark.clone();
        self.mark(&due).await
    }

    /// Commits one mail; one that cannot be stored as it was read becomes a bare ticket in triage.
    async fn commit_one(
        &mut self,
        item: &Prepared,
        kept: &arrival::Kept,
        position: Position,
    ) -> Result<(), ImapError> {
        match self
            .commit(std::slice::from_ref(item), position.clone())
            .await
        {
            Err(Error::Failed(error)) if !error.is_transient() => {
                let reason = telemetry::chain(&error);
                tracing::error!(
                    mailbox = self.account.name,
                    uid = kept.uid,
                    reason,
                    "a mail could not be stored as read"
                );
                let bare = kept.bare(&reason, &Reader::of(self.desk));
                Ok(self.commit(&[bare], position).await?)
            }
            other => Ok(other?),
        }
    }

    async fn commit(&mut self, items: &[Prepared], position: Position) -> Result<(), Error> {
        let mut tried = 0;
        loop {
            tried += 1;
            let taken =
                desk::mailboxes::take(self.desk, &INGEST, &self.mailbox, items, position.clone());
            match taken.await {
                Ok(_) => break,
                // Another process moved the position: what is here is out of date.
                Err(error @ Error::Failed(StoreError::RowsAffected { .. })) => return Err(error),
                Err(error) if error.is_transient() && tried < TRIES => {
                    tokio::time::sleep(std::time::Duration::from_millis(100) * tried).await;
                }
                Err(error) => return Err(error),
            }
        }
        let Position {
            uid_validity,
            last_uid,
            backlog_uid,
            backlog_until,
            is_reread,
            start_date,
            to_mark,
        } = position;
        self.mailbox = Mailbox {
            uid_validity: Some(uid_validity),
            last_uid,
            backlog_uid,
            backlog_until,
            is_reread,
            start_date,
            to_mark,
            version: self.mailbox.version + 1,
            ..self.mailbox.clone()
        };
        Ok(())
    }

    fn position(&self) -> Position {
        Position {
            uid_validity: self.mailbox.uid_validity.unwrap_or_default(),
            last_uid: self.mailbox.last_uid,
            backlog_uid: self.mailbox.backlog_uid,
            backlog_until: self.mailbox.backlog_until,
            is_reread: self.mailbox.is_reread,
            start_date: self.mailbox.start_date,
            to_mark: self.mailbox.to_mark.clone(),
        }
    }

    /// Marks on the server what is due. A server that refuses does not stop the reading: it stays
    /// noted, and is tried again with the next mail.
    async fn mark(&mut self, due: &str) -> Result<(), ImapError> {
        if due.is_empty() {
            return Ok(());
        }
        match mark(self.session, &self.account.after, due).await {
            Ok(()) => {
                fault::point("imap.marked");
                self.mailbox.to_mark.clear();
                self.stumbles.has_unsettled_marks = true;
                Ok(())
            }
            Err(error) if error.is_refusal() => {
                let reason = telemetry::chain(&error);
                tracing::warn!(
                    mailbox = self.account.name,
                    uids = due,
                    reason,
                    "taken mail could not be marked on the server"
                );
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Writes down that nothing is due any more.
    async fn settle_marks(&mut self) -> Result<(), ImapError> {
        if std::mem::take(&mut self.stumbles.has_unsettled_marks) {
            let position = self.position();
            self.commit(&[], position).await?;
        }
        Ok(())
    }
}

/// Whether the server's date of a mail is not behind another one.
fn is_before(date: Option<Timestamp>, start: Option<Timestamp>) -> bool {
    matches!((date, start), (Some(date), Some(start)) if date <= start)
}

fn uid(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
