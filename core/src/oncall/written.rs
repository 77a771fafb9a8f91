//! A rota as people write it: schedules and temporary schedules, people by their names.
//!
//! Everything that is wrong with a file is said at once, with the line and what to do. Whether the people exist
//! is for whoever knows them: each rotation keeps its place in the file.

use std::fmt::{self, Write as _};

use jiff::{civil::DateTime, tz::TimeZone};

use super::{Layer, Period, WeekdayMask, moment};
use crate::{
    clock::Timestamp,
    settings::{
        Place, Problem, Wrong,
        reader::{Notes, Section},
        tree, write_list,
    },
};

/// A rotation as it is written.
#[derive(Clone, Debug)]
pub struct WrittenRotation {
    /// In which layer.
    pub layer: Layer,
    /// Who takes turns, by name.
    pub people: Vec<String>,
    /// How long a shift is.
    pub every: Period,
    /// When the first one begins, on the wall.
    pub starts: DateTime,
    /// On which days.
    pub days: WeekdayMask,
    /// Where the people stand.
    pub(crate) place: Place,
    /// The same as a key.
    pub(crate) key: String,
}

impl WrittenRotation {
    /// One that was never in a file.
    pub(crate) fn new(
        layer: Layer,
        people: Vec<String>,
        every: Period,
        starts: DateTime,
        days: WeekdayMask,
    ) -> Self {
        Self {
            layer,
            people,
            every,
            starts,
            days,
            place: Place::line("", 0),
            key: String::new(),
        }
    }
}

/// A schedule as it is written.
#[derive(Clone, Debug)]
pub struct WrittenSchedule {
    /// Its name, as tiers.toml names it.
    pub slug: String,
    /// The zone whose clocks count.
    pub zone: String,
    /// Who takes turns.
    pub rotations: Vec<WrittenRotation>,
}

/// A temporary schedule as it is written.
#[derive(Clone, Debug)]
pub struct WrittenTemporary {
    /// In whose place.
    pub schedule: String,
    /// From when: an instant, or a time on the wall in the schedule's zone.
    pub from: String,
    /// Until when.
    pub to: String,
    /// Why.
    pub reason: String,
    /// Who takes turns.
    pub rotations: Vec<WrittenRotation>,
}

/// What a file says.
#[derive(Clone, Debug, Default)]
pub struct WrittenRota {
    /// `[[schedule]]`.
    pub schedules: Vec<WrittenSchedule>,
    /// `[[temporary]]`.
    pub temporaries: Vec<WrittenTemporary>,
}

/// Everything that is wrong with a rota, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Listed(.0))]
pub struct RotaError(pub(crate) Vec<Problem>);

impl RotaError {
    /// The single problems, never none.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

struct Listed<'a>(&'a [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, "the rota", self.0)
    }
}

/// Reads a rota; `origin` is the file's name for the errors.
pub fn read_rota(text: &str, origin: &str) -> Result<WrittenRota, RotaError> {
    let table = tree::parse(origin, text).map_err(|problem| RotaError(vec![problem]))?;
    let notes = Notes::default();
    let root = Section::root(&notes, &table, Place::line(origin, 1));
    let schedules = root.sections("schedule");
    let temporaries = root.sections("temporary");
    if schedules.is_empty() && temporaries.is_empty() {
        root.missing("schedule", "Write at least one [[schedule]].");
    }
    root.finish();
    let mut rota = WrittenRota {
        schedules: Vec::new(),
        temporaries: temporaries.iter().filter_map(temporary).collect(),
    };
    for section in &schedules {
        let Some(read) = schedule(section) else {
            continue;
        };
        if rota
            .schedules
            .iter()
            .any(|earlier| earlier.slug == read.slug)
        {
            let wrong = Wrong::new("is that of an earlier schedule", "Give each its own.");
            section.refuse("slug", &section.place_of(&["slug"]), wrong);
        }
        rota.schedules.push(read);
    }
    match notes.into_problems() {
        problems if problems.is_empty() => Ok(rota),
        problems => Err(RotaError(problems)),
    }
}

fn needed<T>(section: &Section<'_>, name: &str, remedy: &str, value: Option<T>) -> Option<T> {
    if value.is_none() && !section.has(name) {
        section.missing(name, remedy);
    }
    value
}

fn text(section: &Section<'_>, name: &str, remedy: &str) -> Option<String> {
    let given = section.text(name).map(|given| given.value);
    needed(section, name, remedy, given)
}

fn slug(section: &Section<'_>, name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let given = section.parse(name, |text| {
        if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
            let what = format!("is {text:?}, which cannot be the name of a schedule");
            return Err(Wrong::new(what, "Small letters, digits and hyphens do."));
        }
        Ok(text.to_owned())
    });
    let remedy = "Write the name that tiers.toml gives as on_call.schedule.";
    needed(section, name, remedy, given.map(|given| given.value))
}

fn schedule(section: &Section<'_>) -> Option<WrittenSchedule> {
    let slug = slug(section, "slug");
    let zone = section.parse("zone", |text| match TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Wrong::new(
            format!("is {text:?}, which no zone is called"),
            "Write a name of the IANA database, Europe/Berlin say.",
        )),
    });
    let remedy = "Write whose clocks count: zone = \"Europe/Berlin\".";
    let zone = needed(section, "zone", remedy, zone.map(|given| given.value));
    let rotations = rotations(section);
    section.finish();
    Some(WrittenSchedule {
        slug: slug?,
        zone: zone?,
        rotations: rotations?,
    })
}

fn temporary(section: &Section<'_>) -> Option<WrittenTemporary> {
    let schedule = slug(section, "schedule");
    let remedy = "Write a time on the wall: \"2026-12-24 09:00\".";
    let from = time(section, "from", remedy);
    let to = time(section, "to", remedy);
    let reason = text(section, "reason", "Say why; it is kept.");
    let rotations = rotations(section);
    section.finish();
    Some(WrittenTemporary {
        schedule: schedule?,
        from: from?,
        to: to?,
        reason: reason?,
        rotations: rotations?,
    })
}

fn time(section: &Section<'_>, name: &str, remedy: &str) -> Option<String> {
    let given = section.parse(name, |text| {
        // Any zone does to see whether it is a time at all.
        match moment::start(text, &TimeZone::UTC, Timestamp::MIN) {
            Some(_) => Ok(text.to_owned()),
            None => Err(Wrong::new(format!("is {text:?}, which is no time"), remedy)),
        }
    });
    needed(section, name, remedy, given.map(|given| given.value))
}

/// `None` when one of them is wrong.
fn rotations(section: &Section<'_>) -> Option<Vec<WrittenRotation>> {
    let sections = section.sections("rotation");
    sections.iter().map(rotation).collect()
}

fn rotation(section: &Section<'_>) -> Option<WrittenRotation> {
    let remedy = "Write primary, secondary or fallback.";
    let layer = section.parse("layer", |text| {
        text.parse::<Layer>()
            .map_err(|fault| Wrong::new(format!("is wrong: {fault}"), remedy))
    });
    let layer = needed(section, "layer", remedy, layer.map(|given| given.value));
    let people = section.texts("people", |name| match name.trim() {
        "" => Err(Wrong::new("has an empty entry", "Remove it.")),
        name => Ok(name.to_owned()),
    });
    let remedy = "Name who takes turns: people = [\"dana\", \"lee\"].";
    let people = needed(section, "people", remedy, people.map(|given| given.value));
    let place = section.place_of(&["people"]);
    let people = people.filter(|people| {
        if people.is_empty() {
            section.refuse("people", &place, Wrong::new("names nobody", remedy));
        }
        !people.is_empty()
    });
    let remedy = "Write how long a shift is: \"1 week\", \"1 day\", \"12 hours\".";
    let every = section.parse("every", |text| {
        text.parse::<Period>()
            .map_err(|fault| Wrong::new(format!("is wrong: {fault}"), remedy))
    });
    let every = needed(section, "every", remedy, every.map(|given| given.value));
    let remedy = "Write when the first shift begins: \"2026-11-02 09:00\".";
    let starts = section.parse("starts", |text| {
        moment::wall(text)
            .ok_or_else(|| Wrong::new(format!("is {text:?}, which is no time"), remedy))
    });
    let starts = needed(section, "starts", remedy, starts.map(|given| given.value));
    let days = section.parse("days", |text| {
        text.parse::<WeekdayMask>().map_err(|fault| {
            Wrong::new(format!("is wrong: {fault}"), "Write days, or leave it out.")
        })
    });
    let has_wrong_days = section.has("days") && days.is_none();
    section.finish();
    if has_wrong_days {
        return None;
    }
    Some(WrittenRotation {
        layer: layer?,
        people: people?,
        every: every?,
        starts: starts?,
        days: days.map_or(WeekdayMask::ALL, |given| given.value),
        place,
        key: section.key("people"),
    })
}

/// Writes schedules so that they read back equal.
pub fn write_rota(schedules: &[WrittenSchedule]) -> String {
    let mut text = String::new();
    for schedule in schedules {
        if !text.is_empty() {
            text.push('\n');
        }
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let (slug, zone) = (quoted(&schedule.slug), quoted(&schedule.zone));
        let _ = writeln!(text, "[[schedule]]\nslug = {slug}\nzone = {zone}");
        for rotation in &schedule.rotations {
            let people: Vec<String> = rotation.people.iter().map(|one| quoted(one)).collect();
            let starts = rotation.starts.strftime("%Y-%m-%d %H:%M");
            let _ = writeln!(
                text,
                "\n[[schedule.rotation]]\nlayer = \"{}\"\npeople = [{}]\nevery = \"{}\"\nstarts = \"{starts}\"",
                rotation.layer,
                people.join(", "),
                rotation.every
            );
            if rotation.days != WeekdayMask::ALL {
                let _ = writeln!(text, "days = \"{}\"", rotation.days);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROTA: &str = r#"
[[schedule]]
slug = "fintech"
zone = "Europe/Berlin"

[[schedule.rotation]]
layer = "primary"
people = ["dana", "lee"]
every = "1 week"
starts = "2026-11-02 09:00"
days = "mon-fri"
"#;

    #[test]
    fn a_rota_reads_back_as_it_is_written() {
        let rota = read_rota(ROTA, "rota.toml").unwrap();
        let text = write_rota(&rota.schedules);
        assert_eq!(text.trim(), ROTA.trim());
        let again = read_rota(&text, "rota.toml").unwrap();
        assert_eq!(write_rota(&again.schedules), text);
    }

    #[test]
    fn everything_wrong_is_said_with_its_line() {
        let wrong = ROTA
            .replace("Europe/Berlin", "Berlin")
            .replace("1 week", "a while")
            .replace("primary", "first")
            .replace("days", "day");
        let error = read_rota(&wrong, "rota.toml").unwrap_err().to_string();
        for said in [
            "rota.toml, line 4: schedule[0].zone is \"Berlin\", which no zone is called",
            "line 7: schedule[0].rotation[0].layer is wrong",
            "line 9: schedule[0].rotation[0].every is wrong",
            "line 11: schedule[0].rotation[0].day is not a known key. Did you mean",
        ] {
            assert!(error.contains(said), "{said} in {error}");
        }
        let twice = format!("{ROTA}{ROTA}");
        let error = read_rota(&twice, "rota.toml").unwrap_err().to_string();
        assert!(error.contains("is that of an earlier schedule"), "{error}");
        let nobody = ROTA.replace(r#"["dana", "lee"]"#, "[]");
        let error = read_rota(&nobody, "rota.toml").unwrap_err().to_string();
        assert!(
            error.contains("line 8: schedule[0].rotation[0].people names nobody"),
            "{error}"
        );
        assert!(read_rota("", "rota.toml").is_err());
    }
}
