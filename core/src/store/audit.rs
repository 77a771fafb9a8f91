//! Audit rows: appended with their change, sealed later, verified from the first to the head.

use std::collections::HashMap;

use super::{
    Sql, StoreError, Tx,
    bulk::{BulkRow, Cell, Kind},
    sql::{record, statements},
};
use crate::{
    audit::{Entry, Field, Hash, Verification, chain_hash},
    clock::Timestamp,
    customers::Slug,
    ids::{AuditId, CustomerId, RunId},
    permit::{Action, Permit},
    tickets::TicketNumber,
};

statements! {
    LOCK_HEAD = Sql::per_backend(
        "SELECT seq, chain_hash, anchored_at FROM audit_head WHERE id = 1",
        "SELECT seq, chain_hash, anchored_at FROM audit_head WHERE id = 1 FOR UPDATE");
    HEAD = Sql::same("SELECT seq, chain_hash, anchored_at FROM audit_head WHERE id = 1");
    /// Ids begin with their time, so this is the order of writing as near as matters.
    UNSEALED = Sql::same(
        "SELECT id, seq, at, actor, action, subject, fields, content_hash, chain_hash FROM audit_entries
         WHERE seq IS NULL AND (id > $1 OR $1 IS NULL) ORDER BY id LIMIT $2");
    MOVE_HEAD = Sql::same("UPDATE audit_head SET seq = $1, chain_hash = $2, sealed_at = $3 WHERE id = 1");
    MARK_ANCHORED = Sql::same("UPDATE audit_head SET anchored_at = $1 WHERE id = 1");
    SEALED_PAGE = Sql::same(
        "SELECT id, seq, at, actor, action, subject, fields, content_hash, chain_hash FROM audit_entries
         WHERE seq > $1 ORDER BY seq LIMIT $2");
    COUNTS = Sql::same(
        "SELECT CAST(COUNT(*) AS BIGINT) AS entries, CAST(COUNT(seq) AS BIGINT) AS sealed FROM audit_entries");
    HAS_UNSEALED = Sql::same("SELECT id FROM audit_entries WHERE seq IS NULL ORDER BY id LIMIT 1");
    /// Ids grow with time, and the index of what is unsealed is by id.
    OLDEST_UNSEALED = Sql::same("SELECT at FROM audit_entries WHERE seq IS NULL ORDER BY id LIMIT 1");
    LATEST = Sql::same(
        "SELECT id, seq, at, actor, action, subject, fields, content_hash, chain_hash FROM audit_entries
         WHERE ($1 = '' OR subject = $1) ORDER BY at DESC, id DESC LIMIT $2");
    RANGE = Sql::same(
        "SELECT MIN(seq) AS first, MAX(seq) AS last FROM audit_entries
         WHERE at >= $1 AND at < $2 AND seq IS NOT NULL");
    RANGE_PAGE = Sql::same(
        "SELECT id, seq, at, actor, action, subject, fields, content_hash, chain_hash FROM audit_entries
         WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3");
    /// With when each was last bound to a customer: what was before may be about another.
    TICKETS_OF = Sql::same(
        "SELECT t.number,
            (SELECT MAX(e.at) FROM ticket_events e WHERE e.ticket_id = t.id AND e.kind = 'bound') AS bound_at
         FROM tickets t WHERE t.customer_id = $1 ORDER BY t.number");
    RUNS_OF = Sql::same("SELECT id FROM onboarding_runs WHERE slug = $1 ORDER BY id");
    CHAIN_HASH_AT = Sql::same("SELECT chain_hash FROM audit_entries WHERE seq = $1");
}

/// Entries sealed in one unit of work.
const SEAL_BATCH: i64 = 5_000;
/// Entries read at once by verification.
const VERIFY_PAGE: i64 = 5_000;

record! {
    struct Row {
        id: AuditId,
        seq: Option<i64>,
        at: Timestamp,
        actor: String,
        action: String,
        subject: String,
        fields: String,
        content_hash: Vec<u8>,
        chain_hash: Option<Vec<u8>>,
    }
}

record! {
    struct HeadRow {
        seq: i64,
        chain_hash: Vec<u8>,
        anchored_at: Option<Timestamp>,
    }
}

/// The head of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the last sealed entry.
    pub seq: i64,
    /// Its link.
    pub hash: Hash,
    /// When it was last written outside the database.
    pub anchored_at: Option<Timestamp>,
}

impl TryFrom<HeadRow> for Head {
    type Error = StoreError;
    fn try_from(row: HeadRow) -> Result<Self, StoreError> {
        let detail = "the chain's head is not a hash".to_owned();
        let hash = row.chain_hash.try_into();
        let hash = hash.map_err(|_| StoreError::Inconsistent {
            table: "audit_head",
            detail,
        })?;
        Ok(Self {
            seq: row.seq,
            hash,
            anchored_at: row.anchored_at,
        })
    }
}

impl Row {
    /// The content hash, the stored link and the number of erased fields, if the entry's parts and
    /// hashes agree.
    fn check(self) -> Result<(Hash, Option<Vec<u8>>, i64), String> {
        let fields: Vec<Field> = serde_json::from_str(&self.fields)
            .map_err(|_| "its fields cannot be read".to_owned())?;
        let Self {
            id,
            at,
            actor,
            action,
            subject,
            content_hash,
            chain_hash,
            ..
        } = self;
        let entry = Entry {
            id,
            at,
            actor,
            action,
            subject,
            fields,
        };
        if let Some(field) = entry.fields.iter().find(|field| !field.fits()) {
            return Err(format!("its field {:?} was changed", field.name));
        }
        let content = entry.content_hash();
        if content[..] != content_hash[..] {
            return Err("its content was changed".to_owned());
        }
        let erased = entry
            .fields
            .iter()
            .filter(|field| field.value.is_none())
            .count();
        Ok((
            content,
            chain_hash,
            i64::try_from(erased).unwrap_or(i64::MAX),
        ))
    }
}

/// An entry to be written.
#[derive(Clone, Debug)]
pub struct NewEntry(pub Entry);

impl BulkRow for NewEntry {
    const TABLE: &'static str = "audit_entries";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("at", Kind::Time),
        ("actor", Kind::Text),
        ("action", Kind::Text),
        ("subject", Kind::Text),
        ("fields", Kind::Text),
        ("content_hash", Kind::Bytes),
    ];
    fn cells(self, out: &mut Vec<Cell>) {
        let content_hash = self.0.content_hash();
        let Entry {
            id,
            at,
            actor,
            action,
            subject,
            fields,
        } = self.0;
        let fields = serde_json::to_string(&fields).expect("fields are JSON");
        out.extend([
            id.0.into(),
            at.into(),
            actor.into(),
            action.into(),
            subject.into(),
        ]);
        out.extend([fields.into(), content_hash.to_vec().into()]);
    }
}

/// The number and link of an entry that is there already. Written as an insert that always meets
/// its entry: an update joined to a list is left to the planner, which on a table that just grew
/// walks all of it for each entry; this is one look by primary key each, on both databases. The
/// other columns are demanded by the insert and never written. An entry that somebody removed in
/// this instant would come back empty, which verification finds.
pub(super) struct Link(AuditId, i64, Hash);

impl BulkRow for Link {
    const TABLE: &'static str = "audit_entries";
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Id),
        ("seq", Kind::Int),
        ("chain_hash", Kind::Bytes),
        ("at", Kind::Time),
        ("actor", Kind::Text),
        ("action", Kind::Text),
        ("subject", Kind::Text),
        ("fields", Kind::Text),
        ("content_hash", Kind::Bytes),
    ];
    const ON_CONFLICT: &'static str = "ON CONFLICT (id) DO UPDATE SET seq = excluded.seq,
        chain_hash = excluded.chain_hash WHERE audit_entries.seq IS NULL";
    fn cells(self, out: &mut Vec<Cell>) {
        let Self(id, seq, hash) = self;
        out.extend([id.0.into(), seq.into(), hash.to_vec().into()]);
        out.extend([
            Timestamp::from_seconds(0).into(),
            "".into(),
            "".into(),
            "".into(),
        ]);
        out.extend(["".into(), Vec::new().into()]);
    }
}

/// A change as the audit trail will hold it: to what, and the particulars.
#[derive(Clone, Debug)]
pub struct Change {
    /// To what: `ticket:SB-12`, `customer:acme-finance`.
    pub subject: String,
    /// The particulars, by name.
    pub fields: Vec<(&'static str, String)>,
}

impl Change {
    /// A change to `subject` without particulars yet.
    pub fn to(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            fields: Vec::new(),
        }
    }

    /// Adds a particular.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

/// Writes one entry per change, under the permit's action and actor. A permit that changed
/// anything cannot commit without.
pub async fn append<A: Action>(
    permit: &mut Permit<'_, A>,
    changes: Vec<Change>,
) -> Result<(), StoreError> {
    let actor = permit.actor().to_owned();
    let at = permit.now();
    let entry = |Change { subject, fields }: Change| {
        let fields = fields.into_iter();
        let fields = fields
            .map(|(name, value)| Field::new(name, value, permit.random()))
            .collect();
        let (actor, action) = (actor.clone(), A::NAME.to_owned());
        NewEntry(Entry {
            id: permit.new_id(),
            at,
            actor,
            action,
            subject,
            fields,
        })
    };
    let entries: Vec<NewEntry> = changes.into_iter().map(entry).collect();
    if !entries.is_empty() {
        permit.insert_many(entries).await?;
        permit.audit_written();
    }
    Ok(())
}

/// Numbers and chains committed entries, at most a batch. Returns how many it sealed. Entries
/// whose hashes do not fit are left unsealed, where verification finds them.
pub async fn seal(tx: &mut Tx) -> Result<usize, StoreError> {
    let head: HeadRow = tx.fetch_one("audit_head", LOCK_HEAD, ()).await?;
    let Head {
        mut seq, mut hash, ..
    } = head.try_into()?;
    let mut numbered = Vec::new();
    let mut after: Option<AuditId> = None;
    while numbered.is_empty() {
        let rows: Vec<Row> = tx.fetch_all(UNSEALED, (after, SEAL_BATCH)).await?;
        let Some(last) = rows.last() else {
            return Ok(0);
        };
        after = Some(last.id);
        for row in rows {
            let id = row.id;
            let Ok((content, ..)) = row.check() else {
                continue;
            };
            seq += 1;
            hash = chain_hash(&hash, seq, &content);
            numbered.push((id, seq, hash));
        }
    }
    let links = numbered
        .iter()
        .map(|(id, seq, hash)| Link(*id, *seq, *hash));
    let changed = tx.insert_many(links.collect::<Vec<_>>()).await?;
    let expected = numbered.len() as u64;
    if changed != expected {
        return Err(StoreError::RowsAffected {
            table: "audit_entries",
            expected,
            actual: changed,
        });
    }
    let now = tx.now();
    tx.execute_one("audit_head", MOVE_HEAD, (seq, hash.to_vec(), now))
        .await?;
    Ok(numbered.len())
}

/// Whether anything waits to be sealed.
pub async fn has_unsealed(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(tx
        .fetch_optional::<(AuditId,)>(HAS_UNSEALED, ())
        .await?
        .is_some())
}

/// Since when the oldest entry waits to be sealed.
pub async fn oldest_unsealed(tx: &mut Tx) -> Result<Option<Timestamp>, StoreError> {
    let row: Option<(Timestamp,)> = tx.fetch_optional(OLDEST_UNSEALED, ()).await?;
    Ok(row.map(|(at,)| at))
}

/// The head of the chain.
pub async fn head(tx: &mut Tx) -> Result<Head, StoreError> {
    tx.fetch_one::<HeadRow>("audit_head", HEAD, ())
        .await?
        .try_into()
}

/// Notes that the head was written outside the database.
pub async fn mark_anchored(tx: &mut Tx) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute_one("audit_head", MARK_ANCHORED, (now,)).await
}

/// The link of entry `seq`, to compare with an anchor.
pub async fn chain_hash_at(tx: &mut Tx, seq: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<(Option<Vec<u8>>,)> = tx.fetch_optional(CHAIN_HASH_AT, (seq,)).await?;
    Ok(row.and_then(|(hash,)| hash))
}

/// The numbers of the first and the last sealed entry of `from..to`.
pub async fn range(
    tx: &mut Tx,
    from: Timestamp,
    to: Timestamp,
) -> Result<Option<(i64, i64)>, StoreError> {
    let (first, last): (Option<i64>, Option<i64>) =
        tx.fetch_one("audit_entries", RANGE, (from, to)).await?;
    Ok(first.zip(last))
}

/// Sealed entries behind `after`, up to `last`, with number and content hash, in order.
pub async fn sealed_page(
    tx: &mut Tx,
    after: i64,
    last: i64,
) -> Result<Vec<(i64, Entry, Hash)>, StoreError> {
    let rows: Vec<Row> = tx.fetch_all(RANGE_PAGE, (after, last, VERIFY_PAGE)).await?;
    let entry = |row: Row| {
        let seq = row.seq.unwrap_or_default();
        let unreadable = |what: &str| StoreError::Inconsistent {
            table: "audit_entries",
            detail: format!("{seq}: {what}"),
        };
        let fields =
            serde_json::from_str(&row.fields).map_err(|_| unreadable("fields cannot be read"))?;
        let content = row.content_hash.try_into();
        let content = content.map_err(|_| unreadable("the content hash is no hash"))?;
        let entry = Entry {
            id: row.id,
            at: row.at,
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            fields,
        };
        Ok((seq, entry, content))
    };
    rows.into_iter().map(entry).collect()
}

/// What entries about a customer are about: itself, its tickets, its onboardings; and behind which instant,
/// for tickets that were somebody else's before.
pub async fn subjects_of(
    tx: &mut Tx,
    customer: CustomerId,
    slug: &Slug,
) -> Result<HashMap<String, Option<Timestamp>>, StoreError> {
    let tickets: Vec<(TicketNumber, Option<Timestamp>)> =
        tx.fetch_all(TICKETS_OF, (customer,)).await?;
    let runs: Vec<(RunId,)> = tx.fetch_all(RUNS_OF, (slug.clone(),)).await?;
    let mut all = HashMap::from([(format!("customer:{slug}"), None)]);
    all.extend(
        tickets
            .into_iter()
            .map(|(number, since)| (format!("ticket:{number}"), since)),
    );
    all.extend(
        runs.into_iter()
            .map(|(id,)| (format!("onboarding:{id}"), None)),
    );
    Ok(all)
}

/// The latest entries, newest first, with their numbers; all of `subject` where it is not empty.
pub async fn latest(
    tx: &mut Tx,
    subject: &str,
    limit: i64,
) -> Result<Vec<(Option<i64>, Entry)>, StoreError> {
    let rows: Vec<Row> = tx.fetch_all(LATEST, (subject.to_owned(), limit)).await?;
    rows.into_iter()
        .map(|row| {
            let fields = serde_json::from_str(&row.fields).unwrap_or_default();
            let Row {
                id,
                seq,
                at,
                actor,
                action,
                subject,
                ..
            } = row;
            Ok((
                seq,
                Entry {
                    id,
                    at,
                    actor,
                    action,
                    subject,
                    fields,
                },
            ))
        })
        .collect()
}

/// Recomputes every link from the first entry to the head. Seal first.
pub async fn verify(tx: &mut Tx) -> Result<Verification, StoreError> {
    let head = head(tx).await?;
    let (entries, sealed): (i64, i64) = tx.fetch_one("audit_entries", COUNTS, ()).await?;
    let mut erased = 0;
    let finding = |first_bad: Option<i64>, fault: Option<String>, erased: i64| Verification {
        ok: first_bad.is_none(),
        entries,
        first_bad,
        erased,
        head: data_encoding::HEXLOWER.encode(&head.hash),
        fault,
    };
    let (mut expected, mut hash, mut after) = (1, [0; 32], i64::MIN);
    loop {
        let rows: Vec<Row> = tx.fetch_all(SEALED_PAGE, (after, VERIFY_PAGE)).await?;
        let Some(last) = rows.last().and_then(|row| row.seq) else {
            break;
        };
        after = last;
        for row in rows {
            let found = row.seq.unwrap_or_default();
            if found != expected {
                let fault = format!("entry {expected} is missing; the next is {found}");
                return Ok(finding(Some(expected), Some(fault), erased));
            }
            let (content, chained) = match row.check() {
                Ok((content, chained, without)) => {
                    erased += without;
                    (content, chained)
                }
                Err(fault) => {
                    let fault = format!("entry {expected}: {fault}");
                    return Ok(finding(Some(expected), Some(fault), erased));
                }
            };
            hash = chain_hash(&hash, expected, &content);
            if chained.as_deref() != Some(&hash[..]) {
                let fault = format!("entry {expected} does not follow from the one before");
                return Ok(finding(Some(expected), Some(fault), erased));
            }
            expected += 1;
        }
    }
    let found = expected - 1;
    if (found, hash) != (head.seq, head.hash) {
        let fault = format!("the head says {} entries, {found} were found", head.seq);
        return Ok(finding(Some(expected), Some(fault), erased));
    }
    if sealed != found {
        let fault = format!("{sealed} entries have a number, {found} are in the chain");
        return Ok(finding(Some(expected), Some(fault), erased));
    }
    let changed = count_unsealable(tx).await?;
    if changed > 0 {
        let fault = format!("{changed} entries could not be sealed: they were changed");
        return Ok(finding(Some(expected), Some(fault), erased));
    }
    Ok(finding(None, None, erased))
}

/// Entries without a number that no sealer would take. Those it would take were written since the
/// last seal.
async fn count_unsealable(tx: &mut Tx) -> Result<usize, StoreError> {
    let mut after: Option<AuditId> = None;
    let mut changed = 0;
    loop {
        let rows: Vec<Row> = tx.fetch_all(UNSEALED, (after, VERIFY_PAGE)).await?;
        let Some(last) = rows.last() else {
            return Ok(changed);
        };
        after = Some(last.id);
        changed += rows.into_iter().filter_map(|row| row.check().err()).count();
    }
}
