//! What must hold of a ticket besides its words.

use std::{fmt, time::Duration};

use jiff::civil::Date;

use crate::{
    clock::Timestamp,
    customers::Slug,
    named::named_enum,
    tickets::{Status, TicketNumber},
    tiers::{Priority, Severity, TierSlug},
};

/// The names that are filters, short forms included; `from` and `to` are words in a place.
pub const NAMES: [&str; 15] = [
    "tier", "status", "severity", "sev", "priority", "customer", "assignee", "tag", "is", "has",
    "older", "newer", "before", "after", "number",
];

named_enum! {
    /// What a ticket can be.
    pub enum Trait as "state" {
        /// In work.
        Open = "open",
        /// Resolved or closed.
        Closed = "closed",
        /// Nobody's to work on.
        Unassigned = "unassigned",
        /// Asleep.
        Snoozed = "snoozed",
        /// Bound to the customer that its sender claims.
        Provisional = "provisional",
        /// Bound to no customer.
        Triage = "triage",
    }
}

/// Who works on a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assignee {
    /// Whoever searches.
    Me,
    /// No one.
    Nobody,
    /// The member of staff of this name.
    Named(String),
}

/// A length of time as it was written: `3d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    count: u32,
    unit: Unit,
}

named_enum! {
    /// A unit of time.
    pub enum Unit as "unit of time" {
        /// 60 seconds.
        Minute = "m",
        /// 60 minutes.
        Hour = "h",
        /// 24 hours.
        Day = "d",
        /// 7 days.
        Week = "w",
    }
}

/// A filter. A list holds alternatives: `status:new,open`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Of one of these tiers.
    Tier(Vec<TierSlug>),
    /// Standing at one of these.
    Status(Vec<Status>),
    /// So bad.
    Severity(Vec<Severity>),
    /// So urgent.
    Priority(Vec<Priority>),
    /// Of one of these customers.
    Customer(Vec<Slug>),
    /// Worked on by one of these.
    Assignee(Vec<Assignee>),
    /// Tagged so by staff.
    Tag(Vec<String>),
    /// Being so.
    Is(Trait),
    /// With something attached to one of its mails.
    HasAttachment,
    /// Opened longer ago.
    Older(Span),
    /// Opened since.
    Newer(Span),
    /// Opened earlier than this day begins in UTC.
    Before(Date),
    /// Opened on this day or later.
    After(Date),
    /// Of one of these numbers.
    Number(Vec<TicketNumber>),
}

impl Span {
    /// How long that is.
    pub fn duration(self) -> Duration {
        let minutes = match self.unit {
            Unit::Minute => 1,
            Unit::Hour => 60,
            Unit::Day => 24 * 60,
            Unit::Week => 7 * 24 * 60,
        };
        Duration::from_mins(u64::from(self.count) * minutes)
    }

    fn read(text: &str) -> Option<Self> {
        let (at, _) = text.char_indices().next_back()?;
        let (count, unit) = text.split_at(at);
        let is_number = count.bytes().all(|b| b.is_ascii_digit());
        let span = Self {
            count: count.parse().ok().filter(|_| is_number)?,
            unit: unit.parse().ok()?,
        };
        let is_sound = span.duration() <= Duration::from_hours(24 * 36_525);
        is_sound.then_some(span)
    }
}

/// The first instant of a day in UTC.
pub fn begin(day: Date) -> Timestamp {
    let at = day.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    at.map_or(Timestamp::MAX, |at| at.timestamp().into())
}

fn list<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(|one| read(one.trim())).collect()
}

fn names<T: fmt::Display>(all: &[T]) -> String {
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    names.join(", ")
}

impl Filter {
    /// Reads the value of a filter of [`NAMES`]. The fault says what would do.
    pub(super) fn read(name: &str, value: &str) -> Result<Self, String> {
        let lower = value.to_lowercase();
        let text = lower.as_str();
        let span = "a time such as 30m, 4h, 3d or 2w, at most 100 years";
        let day = "a day such as 2026-11-28";
        match name {
            "tier" => list(text, |one| one.parse().ok())
                .map(Self::Tier)
                .ok_or_else(|| "the name of a tier, such as fintech".to_owned()),
            "status" => list(text, status)
                .map(Self::Status)
                .ok_or_else(|| names(&Status::ALL)),
            "severity" | "sev" => list(text, severity)
                .map(Self::Severity)
                .ok_or_else(|| names(&Severity::ALL)),
            "priority" => list(text, |one| one.parse().ok())
                .map(Self::Priority)
                .ok_or_else(|| names(&Priority::ALL)),
            "customer" => list(text, |one| one.parse().ok())
                .map(Self::Customer)
                .ok_or_else(|| "a customer's handle, such as acme-finance".to_owned()),
            "assignee" => list(value, assignee)
                .map(Self::Assignee)
                .ok_or_else(|| "a name of staff, me or nobody".to_owned()),
            "tag" => list(text, tag)
                .map(Self::Tag)
                .ok_or_else(|| "a tag".to_owned()),
            "is" => text.parse().map(Self::Is).map_err(|_| names(&Trait::ALL)),
            "has" if matches!(text, "attachment" | "attachments") => Ok(Self::HasAttachment),
            "has" => Err("attachment".to_owned()),
            "older" => Span::read(text)
                .map(Self::Older)
                .ok_or_else(|| span.to_owned()),
            "newer" => Span::read(text)
                .map(Self::Newer)
                .ok_or_else(|| span.to_owned()),
            "before" => date(text).map(Self::Before).ok_or_else(|| day.to_owned()),
            "after" => date(text).map(Self::After).ok_or_else(|| day.to_owned()),
            _ => list(value, |one| one.to_uppercase().parse().ok())
                .map(Self::Number)
                .ok_or_else(|| "a ticket's number, such as SB-12".to_owned()),
        }
    }
}

/// A status, or a short form of one.
fn status(text: &str) -> Option<Status> {
    match text {
        "waiting" => Some(Status::WaitingCustomer),
        "hold" => Some(Status::OnHold),
        other => other.parse().ok(),
    }
}

/// `sev1`, or `1`.
fn severity(text: &str) -> Option<Severity> {
    let is_short = text.len() == 1;
    let long = is_short.then(|| format!("sev{text}"));
    long.as_deref().unwrap_or(text).parse().ok()
}

fn assignee(text: &str) -> Option<Assignee> {
    match text {
        "" => None,
        "me" => Some(Assignee::Me),
        "nobody" => Some(Assignee::Nobody),
        name => Some(Assignee::Named(name.to_owned())),
    }
}

fn tag(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// `YYYY-MM-DD` and nothing else of what the calendar reads.
fn date(text: &str) -> Option<Date> {
    let is_day = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    text.parse().ok().filter(|_| is_day)
}

impl fmt::Display for Assignee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Me => "me",
            Self::Nobody => "nobody",
            Self::Named(name) => name,
        })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = match self {
            Self::Tier(list) => ("tier", joined(list)),
            Self::Status(list) => ("status", joined(list)),
            Self::Severity(list) => ("severity", joined(list)),
            Self::Priority(list) => ("priority", joined(list)),
            Self::Customer(list) => ("customer", joined(list)),
            Self::Assignee(list) => ("assignee", joined(list)),
            Self::Tag(list) => ("tag", joined(list)),
            Self::Is(what) => ("is", what.to_string()),
            Self::HasAttachment => ("has", "attachment".to_owned()),
            Self::Older(span) => ("older", span.to_string()),
            Self::Newer(span) => ("newer", span.to_string()),
            Self::Before(day) => ("before", day.to_string()),
            Self::After(day) => ("after", day.to_string()),
            Self::Number(list) => ("number", joined(list)),
        };
        let is_plain = !value.contains(|c: char| c.is_whitespace() || c.is_control());
        if is_plain {
            write!(f, "{name}:{value}")
        } else {
            write!(f, "{name}:\"{value}\"")
        }
    }
}

fn joined<T: fmt::Display>(list: &[T]) -> String {
    let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
    texts.join(",")
}
