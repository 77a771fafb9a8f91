//! Printing: one JSON document, or text for people. Messages and progress go to standard error.

use std::{
    borrow::Cow,
    io::{IsTerminal as _, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

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
    has_failed: AtomicBool,
}

/// The sequences that [`Output::paint`] writes.
const TONES: [&str; 4] = ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31;1m", "\u{1b}[0m"];

/// Control characters but line feed and tab, and those that turn the direction of writing.
fn is_harmful(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
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
            has_failed: AtomicBool::new(false),
        }
    }

    /// Prints a line for people. A reader that went away is not our fault; a disk that is full is,
    /// and [`Output::is_complete`] tells.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        let text = self.harmless(text.as_ref());
        if let Err(error) = writeln!(std::io::stdout(), "{text}")
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            self.has_failed.store(true, Ordering::Relaxed);
        }
    }

    /// Whether everything that was printed got through.
    pub(crate) fn is_complete(&self) -> bool {
        !self.has_failed.load(Ordering::Relaxed)
    }

    /// Text that can do nothing to a terminal: customers write subjects and bodies, and a control
    /// sequence in one could clear the screen, retitle the window or turn words around.
    fn harmless<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.contains(is_harmful) {
            return Cow::Borrowed(text);
        }
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let own = TONES
                .iter()
                .find(|tone| self.has_colour && rest.starts_with(*tone));
            let (kept, length) = match own {
                Some(tone) => (*tone, tone.len()),
                None if is_harmful(character) => ("\u{fffd}", character.len_utf8()),
                None => (&rest[..character.len_utf8()], character.len_utf8()),
            };
            clean.push_str(kept);
            rest = &rest[length..];
        }
        Cow::Owned(clean)
    }

    /// Prints a message beside the answer.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr(), "{}", self.harmless(text.as_ref()));
    }

    /// Prints the JSON document, as it is made: a mail in it can be large.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let written = serde_json::to_writer_pretty(&mut out, value)
            .map_err(std::io::Error::from)
            .and_then(|()| writeln!(out))
            .and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(error.into()),
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                self.has_failed.store(true, Ordering::Relaxed);
                Ok(())
            }
            _ => Ok(()),
        }
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
        let [strong, faint, alarm, end] = TONES;
        let begin = match tone {
            Tone::Strong => strong,
            Tone::Faint => faint,
            Tone::Alarm => alarm,
        };
        // What is painted is made harmless here: our own sequences are not told from it later.
        let text = self.harmless(text.as_ref()).replace('\u{1b}', "\u{fffd}");
        if self.has_colour {
            format!("{begin}{text}{end}")
        } else {
            text
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
        // A cell is one line, or a subject could draw rows of its own.
        let one_line = |cell: String| self.harmless(&cell.replace(['\n', '\t'], " ")).into_owned();
        table.add_rows(
            rows.into_iter()
                .map(|row| row.into_iter().map(one_line).collect::<Vec<_>>()),
        );
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
    fn what_customers_write_does_nothing_to_the_terminal() {
        for has_colour in [true, false] {
            let output = Output {
                is_json: false,
                has_colour,
                has_failed: AtomicBool::new(false),
            };
            let subject = "a\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\rb\u{7f} Grüße 日本\n\tc";
            let shown = output.harmless(subject);
            assert!(!shown.chars().any(is_harmful), "{shown:?}");
            assert!(shown.contains("Grüße 日本\n\tc"), "{shown:?}");
            let painted = output.paint(Tone::Alarm, subject);
            let sequences = painted.matches('\u{1b}').count();
            assert_eq!(sequences, if has_colour { 2 } else { 0 });
            assert_eq!(output.harmless(&painted), painted, "our own colours stay");
        }
    }

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
