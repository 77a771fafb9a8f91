//! `[watchdog]`: how the desk watches itself.

use std::time::Duration;

use super::{
    Key,
    problem::Wrong,
    reader::Section,
    url::{self, PrivateUrl},
};
use crate::tiers;

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "watchdog.every",
        "how often the desk tests itself, from mail to acknowledgement: 1min to 24h",
        "none: it does not",
    ),
    Key::now(
        "watchdog.ping_url",
        "https:// address that gets a GET whenever a self-test has come round; it is kept like a secret",
        "none",
    ),
    Key::now(
        "watchdog.allow_private",
        "whether that address may be http:// and lie in a private network",
        "false",
    ),
];

/// A self-test more often would be most of what the desk does.
const SHORTEST: Duration = Duration::from_mins(1);
/// Whoever waits longer learns of it too late.
const LONGEST: Duration = Duration::from_hours(24);

/// `[watchdog]`
#[derive(Clone, Debug)]
pub struct WatchdogSettings {
    /// How often the desk tests itself.
    pub every: Option<Duration>,
    /// Who is told when a self-test has come round. Shows its host at most.
    pub ping: Option<Ping>,
}

/// A dead-man address.
#[derive(Clone, Debug)]
pub struct Ping {
    /// Its path is its password.
    pub url: PrivateUrl,
    /// It may be plain HTTP, and lie in a private network.
    pub allow_private: bool,
}

pub(super) fn read(section: &Section<'_>) -> WatchdogSettings {
    let every = section.parse("every", every).map(|given| given.value);
    let allow_private = section.flag("allow_private").is_some_and(|flag| flag.value);
    let schemes: &[&str] = if allow_private {
        &["https", "http"]
    } else {
        &["https"]
    };
    let url = section.parse("ping_url", |text| {
        url::check(text, schemes).map(PrivateUrl::hiding_path)
    });
    if url.is_some() && !section.has("every") {
        section.missing(
            "every",
            "Say how often, like every = \"15min\": without it nothing is ever pinged.",
        );
    }
    section.finish();
    WatchdogSettings {
        every,
        ping: url.map(|given| Ping {
            url: given.value,
            allow_private,
        }),
    }
}

fn every(text: &str) -> Result<Duration, Wrong> {
    let remedy = "Write a span from 1min to 24h, like 15min.";
    let span = text.parse::<tiers::Target>().map(tiers::Target::duration);
    match span {
        Ok(span) if (SHORTEST..=LONGEST).contains(&span) => Ok(span),
        Ok(_) => Err(Wrong::new("is out of bounds", remedy)),
        Err(fault) => Err(Wrong::new(format!("is wrong: {fault}"), remedy)),
    }
}
