//! What people get of pages: one row a person and channel. Its job hands it over.

use super::super::{
    Sql, StoreError, Tx,
    bulk::{BulkRow, Cell, Kind},
    sql::{record, statements},
};
use crate::{
    clock::Timestamp,
    ids::{NoticeId, PageId, StaffId},
    paging::{Channel, NoticeState, Signal},
    permit::{ChangesTickets, KeepsPages, Permit},
};

macro_rules! columns {
    () => {
        "id, page_id, round, step, signal, staff_id, channel, target, code, key, job_key, state, reason, proof, attempts,
         doubts, created_at, tried_at, ended_at"
    };
}

statements! {
    GET = Sql::same(concat!("SELECT ", columns!(), " FROM page_notices WHERE id = $1"));
    BY_CODE = Sql::same(concat!("SELECT ", columns!(), " FROM page_notices WHERE code = $1"));
    OF_PAGE = Sql::same(concat!(
        "SELECT ", columns!(), " FROM page_notices WHERE page_id = $1 ORDER BY created_at, id"));
    /// One that is being sent already was cut off: whether it arrived is not known.
    BEGIN = Sql::same(
        "UPDATE page_notices SET doubts = doubts + CASE WHEN state = 'sending' THEN 1 ELSE 0 END,
            state = 'sending', attempts = attempts + 1, tried_at = $2
         WHERE id = $1 AND state IN ('due', 'sending')");
    PUT_BACK = Sql::same(
        "UPDATE page_notices SET state = 'due', reason = $2, doubts = doubts + $3
         WHERE id = $1 AND state = 'sending'");
    /// What was cancelled meanwhile stays so, and is known to have gone out all the same.
    SETTLE = Sql::same(
        "UPDATE page_notices SET state = CASE WHEN state = 'cancelled' THEN state ELSE $2 END, reason = $3,
            proof = COALESCE($4, proof), ended_at = $5
         WHERE id = $1 AND state IN ('sending', 'cancelled')");
    CANCEL = Sql::same(
        "UPDATE page_notices SET state = 'cancelled', ended_at = $2
         WHERE page_id = $1 AND signal = 'trigger' AND state IN ('due', 'sending')");
    /// Not of those that are being sent: what follows waits behind them in their lane.
    PENDING_KEYS = Sql::same(
        "SELECT job_kind, job_key FROM page_notices
         WHERE page_id = $1 AND signal = 'trigger' AND state = 'due' ORDER BY id");
    /// What of a step has arrived, or may yet: at people, where it had any to call.
    HOPES = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM page_notices n
         WHERE n.page_id = $1 AND n.round = $2 AND n.step = $3 AND n.signal = 'trigger'
            AND n.state IN ('due', 'sending', 'sent')
            AND (n.staff_id IS NOT NULL OR NOT EXISTS (
               SELECT 1 FROM page_notices m WHERE m.page_id = $1 AND m.round = $2 AND m.step = $3
                  AND m.signal = 'trigger' AND m.staff_id IS NOT NULL))");
    COUNT_DOUBTS = Sql::same("SELECT CAST(COALESCE(SUM(doubts), 0) AS BIGINT) FROM page_notices");
    PER_PERSON = Sql::same(
        "SELECT n.staff_id, CAST(COUNT(DISTINCT n.page_id) AS BIGINT) AS count
         FROM page_notices n JOIN pages p ON p.id = n.page_id
         WHERE n.staff_id IS NOT NULL AND n.signal = 'trigger' AND n.state IN ('sending', 'sent') AND n.created_at >= $1
            AND n.created_at < $2 AND p.kind NOT IN ('news', 'digest')
         GROUP BY n.staff_id ORDER BY n.staff_id");
}

record! {
    /// What one person, or one webhook, gets of a page on one channel.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Notice {
        /// The id.
        pub id: NoticeId,
        /// The page.
        pub page_id: PageId,
        /// In which round, from zero.
        pub round: i64,
        /// With which step, from zero; behind the last one for what the catch-all gets.
        pub step: i64,
        /// What it says.
        pub signal: Signal,
        /// To whom, where it is a member of staff.
        pub staff_id: Option<StaffId>,
        /// How.
        pub channel: Channel,
        /// Where: an address, a Discord user, a webhook's name or a channel of a member of staff.
        pub target: String,
        /// What proves that it arrived.
        pub code: Option<String>,
        /// By which key another program follows the page.
        pub key: String,
        /// The key of the job that hands it over.
        pub job_key: String,
        /// Where it stands.
        pub state: NoticeState,
        /// What went wrong last, or what the other side said.
        pub reason: Option<String>,
        /// What the other side calls it.
        pub proof: Option<String>,
        /// How often it was tried.
        pub attempts: i64,
        /// How often a try was cut off, so that it may have arrived once more than is known.
        pub doubts: i64,
        /// When it was written.
        pub created_at: Timestamp,
        /// When it was last tried.
        pub tried_at: Option<Timestamp>,
        /// When nothing more was to become of it.
        pub ended_at: Option<Timestamp>,
    }
}

/// A notice to be written, with the kind of job that hands it over.
#[derive(Debug)]
pub struct NewNotice {
    /// The notice.
    pub notice: Notice,
    /// The kind.
    pub job_kind: String,
}

impl BulkRow for NewNotice {
    const TABLE: &'static str = "page_notices";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("page_id", Kind::Id),
        ("round", Kind::Int),
        ("step", Kind::Int),
        ("signal", Kind::Text),
        ("staff_id", Kind::Id),
        ("channel", Kind::Text),
        ("target", Kind::Text),
        ("code", Kind::Text),
        ("key", Kind::Text),
        ("job_kind", Kind::Text),
        ("job_key", Kind::Text),
        ("state", Kind::Text),
        ("attempts", Kind::Int),
        ("doubts", Kind::Int),
        ("created_at", Kind::Time),
    ];

    fn cells(self, out: &mut Vec<Cell>) {
        let notice = self.notice;
        out.extend([notice.id.0.into(), notice.page_id.0.into()]);
        out.extend([notice.round.into(), notice.step.into()]);
        out.extend([
            notice.signal.as_str().into(),
            notice.staff_id.map(|id| id.0).into(),
        ]);
        out.extend([notice.channel.as_str().into(), notice.target.into()]);
        out.extend([notice.code.into(), notice.key.into()]);
        out.extend([
            self.job_kind.into(),
            notice.job_key.into(),
            notice.state.as_str().into(),
        ]);
        out.extend([notice.attempts.into(), notice.doubts.into()]);
        out.push(notice.created_at.into());
    }
}

/// Adds notices.
pub async fn insert_many<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    notices: Vec<NewNotice>,
) -> Result<(), StoreError> {
    permit.insert_all(notices).await.map(|_| ())
}

/// The notice with this id.
pub async fn find(tx: &mut Tx, id: NoticeId) -> Result<Option<Notice>, StoreError> {
    tx.fetch_optional(GET, (id,)).await
}

/// The notice that this code proves.
pub async fn find_by_code(tx: &mut Tx, code: &str) -> Result<Option<Notice>, StoreError> {
    tx.fetch_optional(BY_CODE, (code.to_owned(),)).await
}

/// The notices of a page, oldest first.
pub async fn list_of_page(tx: &mut Tx, page: PageId) -> Result<Vec<Notice>, StoreError> {
    tx.fetch_all(OF_PAGE, (page,)).await
}

/// How often a try was cut off, of all notices: so many may have arrived twice.
pub async fn count_doubts(tx: &mut Tx) -> Result<i64, StoreError> {
    let (doubts,): (i64,) = tx.fetch_one("page_notices", COUNT_DOUBTS, ()).await?;
    Ok(doubts)
}

/// How many pages reached each person in `from..to`, on any channel.
pub async fn count_per_person(
    tx: &mut Tx,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(StaffId, i64)>, StoreError> {
    tx.fetch_all(PER_PERSON, (from, to)).await
}

/// Says that a notice is about to be sent. Returns whether it may.
pub async fn begin<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    id: NoticeId,
) -> Result<bool, StoreError> {
    let now = permit.now();
    Ok(permit.execute(BEGIN, (id, now)).await? == 1)
}

/// Says that a notice could not be sent, as far as is known, and is tried again.
pub async fn put_back<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    id: NoticeId,
    reason: &str,
    may_have_arrived: bool,
) -> Result<(), StoreError> {
    let values = (id, reason.to_owned(), i64::from(may_have_arrived));
    permit.execute(PUT_BACK, values).await.map(|_| ())
}

/// Says what became of a notice.
pub async fn settle<A: KeepsPages>(
    permit: &mut Permit<'_, A>,
    id: NoticeId,
    state: NoticeState,
    words: &str,
    proof: Option<String>,
) -> Result<(), StoreError> {
    let values = (id, state, words.to_owned(), proof, permit.now());
    permit.execute(SETTLE, values).await.map(|_| ())
}

/// Nobody is told any more: whatever waits is cancelled. Returns kind and key of the jobs that are not
/// needed any more.
pub async fn cancel<A: ChangesTickets>(
    permit: &mut Permit<'_, A>,
    page: PageId,
) -> Result<Vec<(String, String)>, StoreError> {
    let keys: Vec<(String, String)> = permit.fetch_all(PENDING_KEYS, (page,)).await?;
    let now = permit.now();
    permit.change().execute(CANCEL, (page, now)).await?;
    Ok(keys)
}

/// Whether anything of a step has arrived, or may yet.
pub async fn has_hope(
    tx: &mut Tx,
    page: PageId,
    round: i64,
    step: i64,
) -> Result<bool, StoreError> {
    let values = (page, round, step);
    let (count,): (i64,) = tx.fetch_one("page_notices", HOPES, values).await?;
    Ok(count > 0)
}
