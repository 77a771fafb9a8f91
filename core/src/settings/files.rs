//! The small sections that name files, and `[log]`.

use std::path::PathBuf;

use super::{Key, problem::Wrong, reader::Section};

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "store.key_file",
        "the file with the key that seals raw mail and attachments",
        "none: they are stored unsealed",
    ),
    Key::now(
        "audit.anchor_file",
        "the file that gets the head of the audit chain daily",
        "none",
    ),
    Key::now(
        "tiers.file",
        "a tier catalogue instead of the built-in one",
        "none",
    ),
    Key::now(
        "customers.freemail_file",
        "a list of free-mail domains instead of the built-in one, one a line",
        "none",
    ),
    Key::now("log.level", "error, warn, info, debug or trace", "info"),
];

/// `[store]`
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// The key that seals raw mail and attachments.
    pub key_file: Option<PathBuf>,
}

/// `[audit]`
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// Gets the head of the audit chain.
    pub anchor_file: Option<PathBuf>,
}

/// `[tiers]`
#[derive(Clone, Debug)]
pub struct TierSettings {
    /// A catalogue instead of [`crate::tiers::Catalogue::embedded`].
    pub file: Option<PathBuf>,
}

/// `[customers]`
#[derive(Clone, Debug)]
pub struct CustomerSettings {
    /// A list of free-mail domains instead of config/freemail.txt.
    pub freemail_file: Option<PathBuf>,
}

/// `[log]`
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// The least serious kind of line that is written.
    pub level: LogLevel,
}

/// How much is logged; each level contains the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Faults.
    Error,
    /// And what is odd.
    Warn,
    /// And what happens.
    Info,
    /// And how.
    Debug,
    /// And every step.
    Trace,
}

impl LogLevel {
    /// The word in the file, which tracing's filters read too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

pub(super) fn read_path(section: &Section<'_>, name: &str) -> Option<PathBuf> {
    let path = section.path(name).map(|given| given.value);
    section.finish();
    path
}

pub(super) fn read_log(section: &Section<'_>) -> LogSettings {
    let level = section.parse("level", |text| {
        [
            LogLevel::Error,
            LogLevel::Warn,
            LogLevel::Info,
            LogLevel::Debug,
            LogLevel::Trace,
        ]
        .into_iter()
        .find(|level| level.as_str() == text)
        .ok_or_else(|| {
            Wrong::new(
                format!("is {text:?}"),
                "Write error, warn, info, debug or trace.",
            )
        })
    });
    section.finish();
    LogSettings {
        level: level.map_or(LogLevel::Info, |given| given.value),
    }
}
