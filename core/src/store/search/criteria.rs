//! Demands as the databases take them: what words become, and what filters ask of a ticket's row.

use std::fmt::Write as _;

use sqlx::{
    Arguments as _, Database, Encode, Postgres, Sqlite, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArguments, PgTypeInfo},
    sqlite::SqliteArguments,
};

use super::super::Params;
use crate::{
    clock::Timestamp,
    ids::{CustomerId, StaffId},
    search::{
        Field, Query, Words,
        document::{INTERNAL, initial, pair, sign},
        filter::{Assignee, Filter, Trait, begin},
    },
    watchdog,
};

/// Who asks, which says what is looked at.
#[derive(Clone, Copy, Debug)]
pub enum Audience {
    /// Staff who may read everything; with their row for `assignee:me`.
    Staff(Option<StaffId>),
    /// Staff who see no bodies: heads and tags are looked at, and nothing that was written.
    Auditor(Option<StaffId>),
    /// A customer: their own tickets, without notes, tags and what else is the desk's own.
    Customer(CustomerId),
}

impl Audience {
    /// Documents of a ticket from this place on are not looked at; 0 for no end.
    pub(super) fn end(self) -> i64 {
        match self {
            Self::Auditor(_) => super::FIRST_MESSAGE,
            Self::Staff(_) | Self::Customer(_) => 0,
        }
    }
}

/// A demand on one document, in the words of both databases. Terms hold letters, digits and our
/// own signs alone, so nothing in them is a word of either language.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    sqlite: String,
    postgres: String,
}

impl Expression {
    /// One document that has all of these.
    pub(super) fn all<'w>(words: impl IntoIterator<Item = &'w Words>, audience: Audience) -> Self {
        let mut all = Self {
            sqlite: String::new(),
            postgres: String::new(),
        };
        for words in words {
            let join = if all.sqlite.is_empty() {
                ["", ""]
            } else {
                [" AND ", " & "]
            };
            all.sqlite.push_str(join[0]);
            all.postgres.push_str(join[1]);
            all.push(words);
        }
        if matches!(audience, Audience::Customer(_)) {
            all.sqlite = format!("({}) NOT \"{INTERNAL}\"", all.sqlite);
            all.postgres = format!("({}) & !'{INTERNAL}'", all.postgres);
        }
        all
    }

    fn push(&mut self, words: &Words) {
        let sign = sign(words.field);
        let first = words.terms.first().map(String::as_str).unwrap_or_default();
        // Every word with one letter: there are too many to gather them.
        let is_letter = words.is_prefix
            && words.field == Field::Any
            && words.terms.len() == 1
            && first.chars().nth(1).is_none();
        let (terms, is_prefix) = if is_letter {
            (vec![initial(first)], false)
        } else {
            let signed = words.terms.iter().map(|term| format!("{sign}{term}"));
            (signed.collect(), words.is_prefix)
        };
        let star = if is_prefix { ["*", ":*"] } else { ["", ""] };
        self.sqlite += &["\"", &terms.join(" "), "\"", star[0]].concat();
        self.postgres.push('(');
        // What a word begins with has no sign of a pair.
        let whole = &terms[..terms.len().saturating_sub(usize::from(is_prefix))];
        for two in whole.windows(2) {
            let sign = pair(&two[0], &two[1]);
            write!(self.postgres, "'{sign}' & ").expect("a String takes any text");
        }
        self.postgres += &["('", &terms.join("' <-> '"), "'", star[1], "))"].concat();
    }
}

impl Type<Sqlite> for Expression {
    fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}
impl Encode<'_, Sqlite> for Expression {
    fn encode_by_ref(
        &self,
        buffer: &mut <Sqlite as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        <String as Encode<Sqlite>>::encode(self.sqlite.clone(), buffer)
    }
}
impl Type<Postgres> for Expression {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }
}
impl Encode<'_, Postgres> for Expression {
    fn encode_by_ref(
        &self,
        buffer: &mut <Postgres as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        <String as Encode<Postgres>>::encode(self.postgres.clone(), buffer)
    }
}

/// A value of a statement that is put together.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    Text(String),
    Number(i64),
    Time(Timestamp),
    Id(uuid::Uuid),
}

/// The values of a statement that is put together.
#[derive(Clone, Debug, Default)]
pub(super) struct Values(pub(super) Vec<Bound>);

impl Params for Values {
    fn sqlite(self) -> Result<SqliteArguments, BoxDynError> {
        let mut arguments = SqliteArguments::default();
        for value in self.0 {
            match value {
                Bound::Text(text) => arguments.add(text)?,
                Bound::Number(number) => arguments.add(number)?,
                Bound::Time(at) => arguments.add(at)?,
                Bound::Id(id) => arguments.add(id)?,
            }
        }
        Ok(arguments)
    }

    fn postgres(self) -> Result<PgArguments, BoxDynError> {
        let mut arguments = PgArguments::default();
        for value in self.0 {
            match value {
                Bound::Text(text) => arguments.add(text)?,
                Bound::Number(number) => arguments.add(number)?,
                Bound::Time(at) => arguments.add(at)?,
                Bound::Id(id) => arguments.add(id)?,
            }
        }
        Ok(arguments)
    }
}

/// What a row `t` of `tickets` must fulfil: constant pieces of SQL, and their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Criteria {
    /// ` AND …` for each demand; empty where there is none.
    pub(super) text: String,
    pub(super) values: Values,
}

impl Criteria {
    /// Of the filters of a query.
    pub(super) fn of(query: &Query, audience: Audience, now: Timestamp) -> Self {
        let mut all = Self::default();
        if let Audience::Customer(id) = audience {
            let place = all.bind(Bound::Id(id.0));
            write!(all.text, " AND t.customer_id = {place}").expect("a String takes any text");
        }
        // Whether something is attached a term of the index tells.
        let asked = query
            .filters()
            .filter(|(filter, _)| **filter != Filter::HasAttachment);
        for (filter, is_negated) in asked {
            let condition = match audience {
                Audience::Customer(_) if !is_for_customers(filter) => {
                    all.text.push_str(" AND FALSE");
                    continue;
                }
                Audience::Customer(_) => all.condition(filter, None, now),
                Audience::Staff(me) | Audience::Auditor(me) => all.condition(filter, me, now),
            };
            // What is not known is not so: a ticket of nobody is none of acme's.
            let so = if is_negated { "IS NOT TRUE" } else { "IS TRUE" };
            write!(all.text, " AND ({condition}) {so}").expect("a String takes any text");
        }
        all.without_self_tests(query, audience);
        all
    }

    /// The desk's self-tests are most of what is resolved; they are found by their customer, their number, and
    /// by words that nobody else writes.
    fn without_self_tests(&mut self, query: &Query, audience: Audience) {
        let names_one = |(filter, _): (&Filter, bool)| {
            matches!(filter, Filter::Customer(_) | Filter::Number(_))
        };
        let is_staff = !matches!(audience, Audience::Customer(_));
        if is_staff && !self.text.is_empty() && !query.filters().any(names_one) {
            let place = self.bind(Bound::Id(watchdog::CUSTOMER.0));
            write!(self.text, " AND t.customer_id IS DISTINCT FROM {place}")
                .expect("a String takes any text");
        }
    }

    fn bind(&mut self, value: Bound) -> String {
        self.values.0.push(value);
        format!("${}", self.values.0.len())
    }

    fn texts<T: ToString>(&mut self, list: &[T]) -> String {
        let places: Vec<String> = list
            .iter()
            .map(|one| self.bind(Bound::Text(one.to_string())))
            .collect();
        places.join(", ")
    }

    fn condition(&mut self, filter: &Filter, me: Option<StaffId>, now: Timestamp) -> String {
        match filter {
            Filter::Tier(list) => format!("t.tier IN ({})", self.texts(list)),
            Filter::Status(list) => format!("t.status IN ({})", self.texts(list)),
            Filter::Severity(list) => format!("t.severity IN ({})", self.texts(list)),
            Filter::Priority(list) => format!("t.priority IN ({})", self.texts(list)),
            Filter::Customer(list) => {
                let slugs = self.texts(list);
                format!("t.customer_id IN (SELECT c.id FROM customers c WHERE c.slug IN ({slugs}))")
            }
            Filter::Assignee(list) => {
                let each: Vec<String> = list.iter().map(|one| self.assignee(one, me)).collect();
                each.join(" OR ")
            }
            Filter::Tag(list) => format!(
                "EXISTS (SELECT 1 FROM ticket_tags g WHERE g.ticket_id = t.id AND g.tag IN ({}))",
                self.texts(list)
            ),
            Filter::Is(what) => self.state(*what, now),
            Filter::HasAttachment => "TRUE".to_owned(),
            Filter::Older(span) => {
                format!(
                    "t.opened_at < {}",
                    self.bind(Bound::Time(now.minus(span.duration())))
                )
            }
            Filter::Newer(span) => {
                format!(
                    "t.opened_at >= {}",
                    self.bind(Bound::Time(now.minus(span.duration())))
                )
            }
            Filter::Before(day) => format!("t.opened_at < {}", self.bind(Bound::Time(begin(*day)))),
            Filter::After(day) => format!("t.opened_at >= {}", self.bind(Bound::Time(begin(*day)))),
            Filter::Number(list) => {
                let places: Vec<String> = list
                    .iter()
                    .map(|number| self.bind(Bound::Number(number.0)))
                    .collect();
                format!("t.number IN ({})", places.join(", "))
            }
        }
    }

    fn assignee(&mut self, assignee: &Assignee, me: Option<StaffId>) -> String {
        match (assignee, me) {
            (Assignee::Nobody, _) => "t.assignee_id IS NULL".to_owned(),
            (Assignee::Me, Some(me)) => format!("t.assignee_id = {}", self.bind(Bound::Id(me.0))),
            (Assignee::Me, None) => "FALSE".to_owned(),
            (Assignee::Named(name), _) => {
                let place = self.bind(Bound::Text(name.clone()));
                format!("t.assignee_id = (SELECT s.id FROM staff s WHERE s.name = {place})")
            }
        }
    }

    fn state(&mut self, what: Trait, now: Timestamp) -> String {
        match what {
            Trait::Open => "t.status IN ('new', 'open', 'waiting-customer', 'on-hold')".to_owned(),
            Trait::Closed => "t.status IN ('resolved', 'closed')".to_owned(),
            Trait::Unassigned => "t.assignee_id IS NULL".to_owned(),
            Trait::Snoozed => format!("t.snoozed_until > {}", self.bind(Bound::Time(now))),
            Trait::Provisional => "t.is_provisional = TRUE".to_owned(),
            Trait::Triage => "t.customer_id IS NULL".to_owned(),
        }
    }
}

/// Whether a filter asks for what a customer may know of a ticket of theirs. Asking for anything
/// else finds nothing, negated or not: an answer would tell.
fn is_for_customers(filter: &Filter) -> bool {
    matches!(
        filter,
        Filter::Status(_)
            | Filter::Is(Trait::Open | Trait::Closed)
            | Filter::HasAttachment
            | Filter::Older(_)
            | Filter::Newer(_)
            | Filter::Before(_)
            | Filter::After(_)
            | Filter::Number(_)
    )
}
