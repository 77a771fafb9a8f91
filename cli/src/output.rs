//! Printing: one JSON document, or text for people. Messages and progress go to standard error.

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;
use tierdesk_core::{
    clock::Timestamp,
    desk::Error,
    refusal::{Refusal, RefusalCode},
    settings::SettingsError,
    store::StoreError,
    telemetry,
};

use crate::exit::Exit;

/// Where and how the program prints.
#[derive(Debug)]
pub(crate) struct Output {
    /// One JSON document on standard output, and nothing else there.
    pub(crate) is_json: bool,
    has_colour: bool,
}

/// How a value is emphasised. Colour is never the only sign.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    Strong,
    Faint,
    Alarm,
}

impl Output {
    #[expect(
        clippy::disallowed_methods,
        reason = "NO_COLOR is a terminal convention, no setting"
    )]
    pub(crate) fn new(is_json: bool) -> Self {
        let wants_none = std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
        let has_colour = !is_json && !wants_none && std::io::stdout().is_terminal();
        Self {
            is_json,
            has_colour,
        }
    }

    /// Prints a line for people. A reader that went away is not our fault.
    #[expect(
        clippy::unused_self,
        reason = "who prints needs the output, also where it has no state"
    )]
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stdout(), "{}", text.as_ref());
    }

    /// Prints a message beside the answer.
    #[expect(
        clippy::unused_self,
        reason = "who prints needs the output, also where it has no state"
    )]
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
    }

    /// Prints the JSON document.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.line(text);
        Ok(())
    }

    /// The answer, as JSON or by `text`.
    pub(crate) fn answer(
        &self,
        value: &impl Serialize,
        text: impl FnOnce(&Self),
    ) -> anyhow::Result<Exit> {
        if self.is_json {
            self.json(value)?;
        } else {
            text(self);
        }
        Ok(Exit::Done)
    }

    /// Emphasises on a terminal.
    pub(crate) fn paint(&self, tone: Tone, text: impl AsRef<str>) -> String {
        let code = match tone {
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Alarm => "31;1",
        };
        if self.has_colour {
            format!("\u{1b}[{code}m{}\u{1b}[0m", text.as_ref())
        } else {
            text.as_ref().to_owned()
        }
    }

    /// A table that fits the terminal.
    pub(crate) fn table(&self, header: &[&str], rows: Vec<Vec<String>>) {
        let mut table = comfy_table::Table::new();
        table
            .load_style(comfy_table::presets::NOTHING)
            .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
            .set_header(
                header
                    .iter()
                    .map(|name| name.to_uppercase())
                    .collect::<Vec<_>>(),
            );
        table.add_rows(rows);
        self.line(table.trim_fmt());
    }

    /// Says what went wrong and gives the exit code.
    pub(crate) fn failure(&self, error: &anyhow::Error) -> Exit {
        let (refusal, exit) = explain(error);
        if self.is_json {
            let _ = self.json(&serde_json::json!({ "error": refusal }));
        } else {
            self.note(format!("tierdesk: {}", refusal.message));
            if let Some(hint) = &refusal.hint {
                self.note(format!("  hint: {hint}"));
            }
        }
        exit
    }
}

/// What the JSON error object says. Faults have codes too, so that programs can tell them apart.
#[derive(Serialize)]
struct Explained {
    code: String,
    message: String,
    hint: Option<String>,
}

fn explain(error: &anyhow::Error) -> (Explained, Exit) {
    if let Some(refusal) = find_refusal(error) {
        let exit = match refusal.code {
            RefusalCode::NotPermitted => Exit::NotPermitted,
            _ => Exit::Failed,
        };
        let Refusal {
            code,
            message,
            hint,
        } = refusal.clone();
        return (
            Explained {
                code: code.to_string(),
                message,
                hint,
            },
            exit,
        );
    }
    if let Some(settings) = error.downcast_ref::<SettingsError>() {
        let message = telemetry::chain(settings);
        let hint = Some("nothing was started; correct these and try again".to_owned());
        return (
            Explained {
                code: "configuration".to_owned(),
                message,
                hint,
            },
            Exit::Failed,
        );
    }
    let message = telemetry::chain(error.as_ref());
    let store = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<StoreError>());
    match store {
        Some(store) if store.is_transient() => {
            let hint = if message.contains("unable to open database file") {
                "check that the file and its folder may be read and written by you"
            } else {
                "nothing was lost; try again when the database is back"
            };
            let hint = Some(hint.to_owned());
            (
                Explained {
                    code: "database_unavailable".to_owned(),
                    message,
                    hint,
                },
                Exit::TryAgain,
            )
        }
        _ => (
            Explained {
                code: "failed".to_owned(),
                message,
                hint: None,
            },
            Exit::Failed,
        ),
    }
}

fn find_refusal(error: &anyhow::Error) -> Option<&Refusal> {
    error.chain().find_map(|cause| {
        cause
            .downcast_ref::<Refusal>()
            .or_else(|| match cause.downcast_ref::<Error>() {
                Some(Error::Refused(refusal)) => Some(refusal),
                _ => None,
            })
    })
}

/// An instant in the reader's zone, with the zone written.
pub(crate) fn local(at: Timestamp) -> String {
    let zoned = at.to_jiff().to_zoned_datetime(jiff::tz::TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// How long until (or since) an instant, in the largest two units.
pub(crate) fn distance(from: Timestamp, to: Timestamp) -> String {
    let (span, is_past) = if to >= from {
        (to.since(from), false)
    } else {
        (from.since(to), true)
    };
    let minutes = (span.as_secs() + 30) / 60;
    let text = match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => "now".to_owned(),
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, 0, _) => format!("{d} d"),
        (d, h, _) => format!("{d} d {h} h"),
    };
    match (is_past, text.as_str()) {
        (_, "now") => text,
        (true, _) => format!("{text} ago"),
        (false, _) => format!("in {text}"),
    }
}

/// Cents as dollars.
pub(crate) fn dollars(cents: i64) -> String {
    let whole = (cents / 100).to_string();
    let digits: Vec<char> = whole.chars().rev().collect();
    let groups: Vec<String> = digits
        .chunks(3)
        .map(|group| group.iter().collect())
        .collect();
    let grouped: String = groups.join(",").chars().rev().collect();
    match cents % 100 {
        0 => format!("${grouped}"),
        rest => format!("${grouped}.{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_distances_read_as_people_say_them() {
        assert_eq!(dollars(800_000), "$8,000");
        assert_eq!(dollars(123_456_705), "$1,234,567.05");
        let at = |minutes: i64| Timestamp::from_seconds(minutes * 60);
        assert_eq!(distance(at(0), at(240)), "in 4 h");
        assert_eq!(distance(at(0), at(1_441)), "in 1 d");
        assert_eq!(distance(at(90), at(0)), "1 h 30 min ago");
        assert_eq!(distance(at(0), at(0)), "now");
    }
}
