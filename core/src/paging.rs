//! Paging: who is told of a ticket, when, on which channels, and who is next if nobody answers.
//!
//! A **page** is a row with the instant of its next step. What it will do was decided when it was made
//! (a [`Plan`], so that editing a policy changes nothing that runs); who is called is decided when a step
//! fires. A **notice** is what one person gets on one channel. Pure: times are arguments, and what a page
//! may say comes from [`crate::disclosure`].
//!
//! To add a target of steps, add it to [`Target`] and to `desk::paging::aim`; a channel: [`Channel`], and a
//! handler at the edge that reaches it.

mod policies;
mod text;

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use policies::{DigestTime, Policies, PoliciesError, Policy, Rule, When};
pub use text::{PageText, PageWords};

use crate::{clock::Timestamp, named::named_enum, tiers::SupportHours};

named_enum! {
    /// What a page is about.
    pub enum PageKind as "kind of page" {
        /// One ticket.
        Ticket = "ticket",
        /// Tickets of senders who proved nothing: one page for all of them, with a count.
        Unverified = "unverified",
        /// A member of staff proves that they can be reached.
        Test = "test",
        /// Something is wrong with the desk itself.
        Alarm = "alarm",
        /// Somebody is told something that asks nothing of them: it is over once it is written.
        News = "news",
        /// The same, of the tickets that wait and page nobody.
        Digest = "digest",
    }
}

impl PageKind {
    /// Whether it calls somebody; what does not is silent on every channel that can be.
    pub fn calls(self) -> bool {
        !matches!(self, Self::News | Self::Digest)
    }
}

named_enum! {
    /// What can be wrong with the desk itself.
    pub enum AlarmKind as "alarm" {
        /// Pages will reach nobody as they are.
        Pages = "pages",
        /// A self-test does not come round.
        SelfTest = "self-test",
        /// Nobody is on call where somebody has to be.
        Rota = "rota",
    }
}

named_enum! {
    /// Where a page stands.
    pub enum PageState as "state of a page" {
        /// Nobody was told yet: it waits for hours or for a clock.
        Waiting = "waiting",
        /// People are being told, step by step.
        Open = "open",
        /// Somebody has it, until the acknowledgement expires.
        Acknowledged = "acknowledged",
        /// Every step and round is over, the catch-all was told, and nobody has it.
        Exhausted = "exhausted",
        /// It is over.
        Resolved = "resolved",
    }
}

named_enum! {
    /// Whether a page may wake somebody.
    pub enum Urgency as "urgency" {
        /// At any hour.
        High = "high",
        /// In hours, or when its clock has run down.
        Low = "low",
    }
}

named_enum! {
    /// A way to reach somebody.
    pub enum Channel as "channel" {
        /// A mention in the ticket's thread.
        Thread = "thread",
        /// A direct message in Discord.
        Direct = "direct",
        /// E-mail.
        Mail = "mail",
        /// A webhook, of a person or of the desk.
        Webhook = "webhook",
    }
}

named_enum! {
    /// What a notice says. The other side of a webhook follows a page by one key through all three.
    pub enum Signal as "signal" {
        /// Somebody is needed.
        Trigger = "trigger",
        /// Somebody has it.
        Acknowledge = "acknowledge",
        /// It is over.
        Resolve = "resolve",
    }
}

named_enum! {
    /// Where a notice stands.
    pub enum NoticeState as "state of a notice" {
        /// It waits for a worker, or for its next try.
        Due = "due",
        /// A worker is at it, or was cut off.
        Sending = "sending",
        /// The other side has it.
        Sent = "sent",
        /// It will not arrive.
        Failed = "failed",
        /// It was not needed any more.
        Cancelled = "cancelled",
    }
}

named_enum! {
    /// What a button on a page does.
    pub enum PageVerb as "verb of a page" {
        /// I have it.
        Acknowledge = "acknowledge",
        /// I cannot take it: the next step, now.
        Escalate = "escalate",
        /// Offers the people it can be handed to.
        AskHandOver = "ask_hand_over",
        /// Hands it to the one who was chosen.
        HandOver = "hand_over",
    }
}

/// Whom a step calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Who is on call.
    Primary,
    /// Who is second.
    Secondary,
    /// A member of staff, by name.
    Person(String),
    /// Who is on call in a schedule of its own: a role that somebody holds, or several take turns in.
    Role(String),
    /// One configured webhook, by name.
    Webhook(String),
    /// Every configured webhook.
    Webhooks,
    /// Whoever is told when nobody else is.
    CatchAll,
    /// The desk: it hears its own self-test. No policy names it.
    Itself,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => f.write_str("primary"),
            Self::Secondary => f.write_str("secondary"),
            Self::Person(name) => write!(f, "person:{name}"),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::Webhook(name) => write!(f, "webhook:{name}"),
            Self::Webhooks => f.write_str("webhooks"),
            Self::CatchAll => f.write_str("catch-all"),
            Self::Itself => f.write_str("itself"),
        }
    }
}

/// A text that names nobody whom a step could call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is none of primary, secondary, person:NAME, role:SCHEDULE, webhook:NAME, webhooks, catch-all"
)]
pub struct UnknownTarget(String);

impl FromStr for Target {
    type Err = UnknownTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownTarget(text.to_owned());
        Ok(match text.split_once(':') {
            Some((_, "")) => return Err(unknown()),
            Some(("person", name)) => Self::Person(name.to_owned()),
            Some(("role", name)) => Self::Role(name.to_owned()),
            Some(("webhook", name)) => Self::Webhook(name.to_owned()),
            _ => match text {
                "primary" => Self::Primary,
                "secondary" => Self::Secondary,
                "webhooks" => Self::Webhooks,
                "catch-all" => Self::CatchAll,
                "itself" => Self::Itself,
                _ => return Err(unknown()),
            },
        })
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Seconds behind the step before it; behind the beginning of the round for the first.
    pub wait: u64,
    /// Whom it calls.
    pub to: Vec<Target>,
    /// On which of their channels; on all of them where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
}

/// What a page does, decided when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The policy it comes from.
    pub policy: String,
    /// The beginning of a digest over that policy: another one means that it was edited since.
    pub version: String,
    /// In order; never none.
    pub steps: Vec<Step>,
    /// How often the steps are gone through again.
    pub repeat: u32,
    /// Seconds behind the last step until the next round, or until the page is exhausted.
    pub end_after: u64,
    /// Seconds after which an acknowledgement without an update is worth nothing any more.
    pub ack_expires: Option<u64>,
    /// Outside these hours nobody is called, at whichever step; as the policy has them written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
}

/// What a page does when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Calls the people of a step.
    Fire {
        /// Which round.
        round: i64,
        /// Which step.
        step: i64,
    },
    /// Tells the catch-all: every round is over.
    Exhaust,
}

impl Plan {
    /// One step, at once: what people and the desk itself send, by no policy.
    pub fn at_once(policy: &str, to: Target, end_after: Duration) -> Self {
        Self {
            policy: policy.to_owned(),
            version: "-".to_owned(),
            steps: vec![Step {
                wait: 0,
                to: vec![to],
                channels: Vec::new(),
            }],
            repeat: 0,
            end_after: end_after.as_secs(),
            ack_expires: None,
            hours: None,
        }
    }

    /// What comes at `step` of `round`, counted from zero; a step behind the last one begins the next
    /// round.
    pub fn next(&self, round: i64, step: i64) -> Next {
        let count = i64::try_from(self.steps.len()).unwrap_or(i64::MAX);
        if step < count {
            return Next::Fire { round, step };
        }
        if round < i64::from(self.repeat) && count > 0 {
            let round = round + 1;
            return Next::Fire { round, step: 0 };
        }
        Next::Exhaust
    }

    /// How long to wait behind `step` until whatever follows it.
    pub fn wait_behind(&self, step: i64) -> Duration {
        let following = usize::try_from(step + 1)
            .ok()
            .and_then(|index| self.steps.get(index));
        Duration::from_secs(following.map_or(self.end_after, |step| step.wait))
    }

    /// The step with this number.
    pub fn step(&self, step: i64) -> Option<&Step> {
        self.steps.get(usize::try_from(step).ok()?)
    }

    /// When an acknowledgement of `now` expires; `due` is when the page was.
    pub fn expiry(&self, now: Timestamp, due: Timestamp) -> Option<Timestamp> {
        let seconds = self.ack_expires?;
        Some(self.in_hours(now.plus(Duration::from_secs(seconds)), due))
    }

    /// The first instant, not before this one, at which anybody may be called. A page that was due outside the
    /// hours, because its clock had run down, keeps to none.
    pub fn in_hours(&self, at: Timestamp, due: Timestamp) -> Timestamp {
        let hours = self.hours.as_ref().and_then(|text| text.parse().ok());
        match hours {
            Some(hours) if SupportHours::is_open(&hours, due) => hours.next_opening(at),
            _ => at,
        }
    }
}

/// The first wait after a notice could not be sent: somebody is waiting for help.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// For how long a notice is tried: behind that, its page has gone on.
pub const TRIED_FOR: Duration = Duration::from_mins(15);

/// How long to wait after the `attempts`-th try of a notice that was first due `age` ago; `None` gives it
/// up. Doubles from two seconds to a minute; `random` is uniform and spreads what failed together.
pub fn next_try(attempts: i64, age: Duration, random: u16) -> Option<Duration> {
    if age >= TRIED_FOR {
        return None;
    }
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 8)).unwrap_or(8);
    let full = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    Some(full * 3 / 4 + (full / 4).mul_f64(f64::from(random) / f64::from(u16::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(steps: usize, repeat: u32) -> Plan {
        let step = |wait| Step {
            wait,
            to: vec![Target::Primary],
            channels: Vec::new(),
        };
        Plan {
            policy: "p".to_owned(),
            version: "v".to_owned(),
            steps: (0..steps as u64).map(|index| step(index * 60)).collect(),
            repeat,
            end_after: 300,
            ack_expires: Some(1800),
            hours: None,
        }
    }

    #[test]
    fn a_plan_goes_through_every_round_and_ends() {
        let plan = plan(3, 1);
        let (mut round, mut step, mut seen) = (0, 0, Vec::new());
        while let Next::Fire { round: r, step: s } = plan.next(round, step) {
            seen.push((r, s));
            (round, step) = (r, s + 1);
            assert!(seen.len() < 20);
        }
        assert_eq!(seen, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
        assert_eq!(plan.wait_behind(0), Duration::from_mins(1));
        assert_eq!(plan.wait_behind(2), Duration::from_mins(5));
    }

    #[test]
    fn targets_are_shown_as_they_are_written() {
        for text in [
            "primary",
            "secondary",
            "person:ada",
            "role:platform-lead",
            "webhook:pagerduty",
            "webhooks",
            "catch-all",
            "itself",
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for text in ["", "boss", "person:", "primary:1", "Primary"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_notice_is_tried_soon_and_not_for_ever() {
        let (mut age, mut attempts) = (Duration::ZERO, 1);
        while let Some(wait) = next_try(attempts, age, u16::MAX / 2) {
            assert!(wait <= LONGEST_WAIT && wait >= FIRST_WAIT * 3 / 4);
            age += wait;
            attempts += 1;
        }
        assert!(attempts > 15 && age < TRIED_FOR + LONGEST_WAIT);
    }
}
