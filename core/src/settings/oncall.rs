//! `[oncall]`: who is paged, and who when nobody else is.

use std::path::PathBuf;

use super::{Key, problem::Wrong, reader::Section};
use crate::customers::EmailAddress;

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "oncall.file",
        "escalation policies instead of the built-in ones",
        "none",
    ),
    Key::now(
        "oncall.catch_all",
        "addresses that are told when nobody else is reached, besides admins and webhooks",
        "[]",
    ),
];

/// `[oncall]`
#[derive(Clone, Debug)]
pub struct OnCallSettings {
    /// Policies instead of [`crate::paging::Policies::embedded`].
    pub file: Option<PathBuf>,
    /// Who is told when nobody else is.
    pub catch_all: Vec<EmailAddress>,
}

pub(super) fn read(section: &Section<'_>) -> OnCallSettings {
    let file = section.path("file").map(|given| given.value);
    let catch_all = section.texts("catch_all", |text| {
        text.parse::<EmailAddress>()
            .map_err(|fault| Wrong::new(format!("is wrong: {fault}"), "Write a mail address."))
    });
    section.finish();
    OnCallSettings {
        file,
        catch_all: catch_all.map_or_else(Vec::new, |given| given.value),
    }
}
