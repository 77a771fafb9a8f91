//! Finding tickets by words.
//!
//! A word that stands everywhere and one that stands nowhere want different roads. First the
//! newest tickets that pass the filters are looked through, whatever the words: where words are
//! common, enough is found there. Where it is not, the words are rare, and the index names all of
//! their documents. Where even that is too much for the filters, the tickets are looked through
//! further. So nothing is ever left out but what is older than enough that was found.

use std::collections::{HashMap, HashSet};

use super::{
    super::{
        Sql, StoreError, TextList, Tx,
        sql::{record, statements},
    },
    Audience, DOCUMENTS, FIRST_MESSAGE,
    criteria::{Bound, Criteria, Expression},
    number_of,
};
use crate::{
    named::named_enum,
    search::{Field, Query, Words, document::ATTACHED, filter::Filter},
    tickets::TicketNumber,
};

statements! {
    /// Of these tickets, the documents that match. SQLite narrows the documents by the smallest and the
    /// largest number. PostgreSQL takes ticket by ticket, and is kept from asking its index, which would
    /// gather every document with a common word, and from looking through all of them.
    AMONG = Sql::per_backend(
        "SELECT s.rowid AS doc FROM search_terms s WHERE s.terms MATCH $1 AND s.rowid >= $2 AND s.rowid < $3
            AND ($4 = 0 OR (s.rowid & 1048575) < $4)
            AND (s.rowid >> 20) IN (SELECT CAST(value AS INTEGER) FROM json_each($5))",
        "SELECT s.rowid AS doc FROM UNNEST(CAST($5 AS BIGINT[])) AS c (number)
            CROSS JOIN LATERAL (SELECT x.rowid, x.terms FROM search_terms x
                WHERE x.rowid >= (c.number << 20) AND x.rowid < ((c.number + 1) << 20) OFFSET 0) s
         WHERE (s.terms @@ CAST($1 AS TSQUERY)) IS TRUE AND CAST($2 AS BIGINT) < CAST($3 AS BIGINT)
            AND ($4 = 0 OR (s.rowid & 1048575) < $4)");
    /// Documents that match, at most so many: in no order, so that neither database looks for more.
    ANY = Sql::per_backend(
        "SELECT s.rowid AS doc FROM search_terms s WHERE s.terms MATCH $1
            AND ($2 = 0 OR (s.rowid & 1048575) < $2) LIMIT $3",
        "SELECT s.rowid AS doc FROM search_terms s WHERE s.terms @@ CAST($1 AS TSQUERY)
            AND ($2 = 0 OR (s.rowid & 1048575) < $2) LIMIT $3");
    /// PostgreSQL takes the policy on tickets to keep nearly all of them away, so it would read and sort all
    /// instead of walking their index until enough have passed.
    WALK = Sql::per_backend("SELECT 1", "SET LOCAL enable_sort = off");
    WALK_NO_MORE = Sql::per_backend("SELECT 1", "SET LOCAL enable_sort = on");
    IN_QUEUE = Sql::per_backend(
        "SELECT t.number FROM tickets t WHERE t.number IN (SELECT CAST(value AS INTEGER) FROM json_each($1))
         ORDER BY t.priority, t.tier_rank, (t.first_response_due IS NULL), t.first_response_due, t.number",
        "SELECT t.number FROM tickets t WHERE t.number = ANY(CAST($1 AS BIGINT[]))
         ORDER BY t.priority, t.tier_rank, (t.first_response_due IS NULL), t.first_response_due, t.number");
    HIT_TEXTS = Sql::per_backend(
        "SELECT e.doc, m.subject, m.body FROM search_entries e JOIN messages m ON m.id = e.message_id
         WHERE e.doc IN (SELECT CAST(value AS INTEGER) FROM json_each($1))",
        "SELECT e.doc, m.subject, m.body FROM search_entries e JOIN messages m ON m.id = e.message_id
         WHERE e.doc = ANY(CAST($1 AS BIGINT[]))");
}

/// Tickets that are looked through before the index is asked, and at once afterwards.
const FIRST_WINDOW: i64 = 400;
const NEXT_WINDOW: i64 = 2_000;
/// Tickets that are enough where there are more; a limit above it asks for more.
const ENOUGH: usize = 100;
/// Documents that the index names at most.
const MOST_DOCUMENTS: i64 = 4_000;
/// A word in more documents is common.
const COMMON: i64 = 2_000;

named_enum! {
    /// In which order tickets are told.
    pub enum Sort as "order" {
        /// Words in the subject, then in one message, then spread; the newest first.
        Relevance = "relevance",
        /// The newest ticket first.
        Newest = "newest",
        /// As they should be worked.
        Queue = "queue",
    }
}

/// A ticket that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which.
    pub number: TicketNumber,
    /// A message of it in which the words stand.
    pub doc: Option<i64>,
    rank: Rank,
}

/// How closely the words stand, the closest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Spread,
    OneMessage,
    Head,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The first of them.
    pub hits: Vec<Hit>,
    /// How many were found.
    pub total: usize,
    /// There may be more: older ones were not looked at.
    pub is_cut: bool,
}

record! {
    /// A message in which words stand.
    #[derive(Clone, Debug)]
    pub struct HitText {
        /// Its document.
        pub doc: i64,
        /// Its subject.
        pub subject: String,
        /// Its text.
        pub body: String,
    }
}

/// One search under way.
struct Search {
    audience: Audience,
    wanted: Vec<Words>,
    unwanted: Vec<Words>,
    criteria: Criteria,
    enough: usize,
}

type Hits = HashMap<TicketNumber, Hit>;

/// The tickets that a query asks for, as far as the audience may know.
pub async fn find(
    tx: &mut Tx,
    query: &Query,
    audience: Audience,
    sort: Sort,
    limit: usize,
) -> Result<Found, StoreError> {
    let search = Search {
        audience,
        wanted: words(query, false),
        unwanted: words(query, true),
        criteria: Criteria::of(query, audience, tx.now()),
        enough: ENOUGH.max(limit),
    };
    tx.execute(WALK, ()).await?;
    let (hits, is_cut) = search.run(tx).await?;
    tx.execute(WALK_NO_MORE, ()).await?;
    let total = hits.len();
    let mut hits: Vec<Hit> = hits.into_values().collect();
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.number));
    match sort {
        Sort::Newest => {}
        Sort::Relevance => hits.sort_by_key(|hit| std::cmp::Reverse(hit.rank)),
        Sort::Queue => hits = in_queue(tx, hits).await?,
    }
    hits.truncate(limit);
    Ok(Found {
        hits,
        total,
        is_cut,
    })
}

impl Search {
    async fn run(&self, tx: &mut Tx) -> Result<(Hits, bool), StoreError> {
        let mut below = i64::MAX;
        let mut hits = Hits::new();
        let mut size = FIRST_WINDOW;
        loop {
            let window = self.window(tx, below, size).await?;
            let is_last = window.len() < usize::try_from(size).unwrap_or(usize::MAX);
            let is_thorough = is_last || size > FIRST_WINDOW;
            hits.extend(self.among(tx, &window, is_thorough).await?);
            if hits.len() >= self.enough || is_last {
                let is_partial = hits.len() >= self.enough && self.wanted.len() > 1;
                return Ok((hits, !is_last || is_partial));
            }
            // Where a fifth of enough was found, five times as many tickets are soon looked through.
            if size == FIRST_WINDOW
                && !self.wanted.is_empty()
                && hits.len() * 5 < self.enough
                && let Some(all) = self.by_index(tx).await?
            {
                return Ok(all);
            }
            below = window.last().map_or(0, |number| number.0);
            size = NEXT_WINDOW;
        }
    }

    /// The newest tickets that pass the filters, of those with smaller numbers.
    async fn window(
        &self,
        tx: &mut Tx,
        below: i64,
        size: i64,
    ) -> Result<Vec<TicketNumber>, StoreError> {
        let mut values = self.criteria.values.clone();
        values.0.extend([Bound::Number(below), Bound::Number(size)]);
        let (filters, last) = (&self.criteria.text, values.0.len());
        let text = format!(
            "SELECT t.number FROM tickets t WHERE t.number < ${}{filters} ORDER BY t.number DESC LIMIT ${last}",
            last - 1
        );
        let rows: Vec<(TicketNumber,)> = tx.fetch_built(text, values).await?;
        Ok(rows.into_iter().map(|(number,)| number).collect())
    }

    /// Which of these tickets have what is wanted. Words spread over several messages are asked for
    /// where it is thorough and not enough have them in one.
    async fn among(
        &self,
        tx: &mut Tx,
        window: &[TicketNumber],
        is_thorough: bool,
    ) -> Result<Hits, StoreError> {
        let mut hits = Hits::new();
        if self.wanted.is_empty() {
            hits.extend(window.iter().map(|number| (*number, hit(*number))));
        } else {
            let docs = self.matching(tx, &self.wanted, window).await?;
            add(&mut hits, docs, Rank::OneMessage);
        }
        if is_thorough && self.wanted.len() > 1 && hits.len() < self.enough {
            let mut left = window.to_vec();
            let mut docs = Vec::new();
            for words in &self.wanted {
                docs = self
                    .matching(tx, std::slice::from_ref(words), &left)
                    .await?;
                left = numbers(&docs);
            }
            let spread = docs
                .into_iter()
                .filter(|doc| !hits.contains_key(&number_of(*doc)));
            let spread = spread.collect();
            add(&mut hits, spread, Rank::Spread);
        }
        self.without_unwanted(tx, hits).await
    }

    /// All tickets that have what is wanted, or enough with it in one message, which it says; `None`
    /// where there are too many to be named.
    async fn by_index(&self, tx: &mut Tx) -> Result<Option<(Hits, bool)>, StoreError> {
        let end = self.audience.end();
        let all = Expression::all(&self.wanted, self.audience);
        let rows: Vec<(i64,)> = tx.fetch_planned(ANY, (all, end, MOST_DOCUMENTS)).await?;
        if rows.len() >= usize::try_from(MOST_DOCUMENTS).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let mut hits = Hits::new();
        add(
            &mut hits,
            rows.into_iter().map(|(doc,)| doc).collect(),
            Rank::OneMessage,
        );
        let hits = self.with_filters(tx, hits).await?;
        let mut hits = self.without_unwanted(tx, hits).await?;
        if self.wanted.len() > 1 && hits.len() >= self.enough {
            return Ok(Some((hits, true)));
        }
        if self.wanted.len() > 1 {
            let Some(spread) = self.spread(tx).await? else {
                return Ok(None);
            };
            let spread = spread
                .into_iter()
                .filter(|doc| !hits.contains_key(&number_of(*doc)));
            let spread = spread.collect();
            add(&mut hits, spread, Rank::Spread);
        }
        let hits = self.with_filters(tx, hits).await?;
        Ok(Some((self.without_unwanted(tx, hits).await?, false)))
    }

    /// Documents with the rarest of the words, of the tickets that have all of them; `None` where
    /// none of them is rare.
    async fn spread(&self, tx: &mut Tx) -> Result<Option<Vec<i64>>, StoreError> {
        let most = usize::try_from(COMMON).unwrap_or(usize::MAX);
        let (mut rare, mut common) = (Vec::new(), Vec::new());
        for words in &self.wanted {
            let one = Expression::all([words], self.audience);
            let values = (one, self.audience.end(), COMMON);
            let rows: Vec<(i64,)> = tx.fetch_planned(ANY, values).await?;
            if rows.is_empty() {
                return Ok(Some(Vec::new()));
            }
            if rows.len() < most {
                rare.push(rows.into_iter().map(|(doc,)| doc).collect::<Vec<i64>>());
            } else {
                common.push(words);
            }
        }
        rare.sort_by_key(Vec::len);
        let Some((rarest, others)) = rare.split_first() else {
            return Ok(None);
        };
        let mut left: HashSet<TicketNumber> = numbers(rarest).into_iter().collect();
        for docs in others {
            let have: HashSet<TicketNumber> = numbers(docs).into_iter().collect();
            left.retain(|number| have.contains(number));
        }
        for words in common {
            let among: Vec<TicketNumber> = left.into_iter().collect();
            let docs = self
                .matching(tx, std::slice::from_ref(words), &among)
                .await?;
            left = numbers(&docs).into_iter().collect();
        }
        let is_left = |doc: &&i64| left.contains(&number_of(**doc));
        Ok(Some(rarest.iter().filter(is_left).copied().collect()))
    }

    async fn matching(
        &self,
        tx: &mut Tx,
        words: &[Words],
        among: &[TicketNumber],
    ) -> Result<Vec<i64>, StoreError> {
        let (Some(first), Some(last)) = (among.iter().min(), among.iter().max()) else {
            return Ok(Vec::new());
        };
        let values = (
            Expression::all(words, self.audience),
            first.0 * DOCUMENTS,
            (last.0 + 1) * DOCUMENTS,
            self.audience.end(),
            list(among),
        );
        let rows: Vec<(i64,)> = tx.fetch_all(AMONG, values).await?;
        Ok(rows.into_iter().map(|(doc,)| doc).collect())
    }

    async fn with_filters(&self, tx: &mut Tx, mut hits: Hits) -> Result<Hits, StoreError> {
        if self.criteria.text.is_empty() || hits.is_empty() {
            return Ok(hits);
        }
        let numbers: Vec<TicketNumber> = hits.keys().copied().collect();
        let mut passed = HashSet::new();
        // Bound one by one, and PostgreSQL takes 65,535 values a statement.
        for part in numbers.chunks(1_000) {
            let mut values = self.criteria.values.clone();
            let first = values.0.len() + 1;
            values
                .0
                .extend(part.iter().map(|number| Bound::Number(number.0)));
            let places: Vec<String> = (first..=values.0.len())
                .map(|place| format!("${place}"))
                .collect();
            let text = format!(
                "SELECT t.number FROM tickets t WHERE t.number IN ({}){}",
                places.join(", "),
                self.criteria.text
            );
            let rows: Vec<(TicketNumber,)> = tx.fetch_built(text, values).await?;
            passed.extend(rows.into_iter().map(|(number,)| number));
        }
        hits.retain(|number, _| passed.contains(number));
        Ok(hits)
    }

    async fn without_unwanted(&self, tx: &mut Tx, mut hits: Hits) -> Result<Hits, StoreError> {
        for words in &self.unwanted {
            let among: Vec<TicketNumber> = hits.keys().copied().collect();
            for doc in self
                .matching(tx, std::slice::from_ref(words), &among)
                .await?
            {
                hits.remove(&number_of(doc));
            }
        }
        Ok(hits)
    }
}

/// The words of a query, and what else terms of the index tell.
fn words(query: &Query, is_negated: bool) -> Vec<Words> {
    let attached = Words {
        field: Field::Any,
        terms: vec![ATTACHED.to_owned()],
        is_prefix: false,
    };
    let asked = (&Filter::HasAttachment, is_negated);
    let attached = query.filters().any(|one| one == asked).then_some(attached);
    query.words(is_negated).cloned().chain(attached).collect()
}

const fn hit(number: TicketNumber) -> Hit {
    Hit {
        number,
        doc: None,
        rank: Rank::Spread,
    }
}

fn add(hits: &mut Hits, docs: Vec<i64>, rank: Rank) {
    for doc in docs {
        let number = number_of(doc);
        let entry = hits.entry(number).or_insert(hit(number));
        let place = doc % DOCUMENTS;
        entry.rank = entry.rank.max(if place == 0 && rank == Rank::OneMessage {
            Rank::Head
        } else {
            rank
        });
        if place >= FIRST_MESSAGE {
            entry.doc = entry.doc.max(Some(doc));
        }
    }
}

fn numbers(docs: &[i64]) -> Vec<TicketNumber> {
    let mut numbers: Vec<TicketNumber> = docs.iter().map(|doc| number_of(*doc)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn list(numbers: &[TicketNumber]) -> TextList {
    numbers.iter().map(|number| number.0.to_string()).collect()
}

async fn in_queue(tx: &mut Tx, hits: Vec<Hit>) -> Result<Vec<Hit>, StoreError> {
    let numbers: Vec<TicketNumber> = hits.iter().map(|hit| hit.number).collect();
    let by_number: Hits = hits.into_iter().map(|hit| (hit.number, hit)).collect();
    let rows: Vec<(TicketNumber,)> = tx.fetch_all(IN_QUEUE, (list(&numbers),)).await?;
    Ok(rows
        .into_iter()
        .filter_map(|(number,)| by_number.get(&number).copied())
        .collect())
}

/// The messages of these documents.
pub async fn texts(
    tx: &mut Tx,
    docs: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, HitText>, StoreError> {
    let docs: TextList = docs.into_iter().map(|doc| doc.to_string()).collect();
    let rows: Vec<HitText> = tx.fetch_all(HIT_TEXTS, (docs,)).await?;
    Ok(rows.into_iter().map(|text| (text.doc, text)).collect())
}
