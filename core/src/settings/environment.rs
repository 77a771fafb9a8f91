//! The environment as a layer over the file.

use std::{collections::BTreeMap, path::Path};

use super::{
    DatabaseUrl, Key, keys,
    problem::{Place, Problem},
    reader::Notes,
    tree::{Node, Table, Value, overlay, parse_variable},
};

const PREFIX: &str = "TIERDESK_";

/// Variables of the program itself. TIERDESK_DATABASE_URL is one and stands for a key all the same.
const DATABASE_URL: &str = "TIERDESK_DATABASE_URL";

/// What of the environment matters here, sorted by name, empty values left out.
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    pub(super) fn collect(variables: impl Iterator<Item = (String, String)>) -> Self {
        let ours =
            |name: &str| name.starts_with(PREFIX) || name == "XDG_DATA_HOME" || name == "HOME";
        Self(
            variables
                .filter(|(name, text)| ours(name) && !text.is_empty())
                .collect(),
        )
    }

    /// The user's data directory as the XDG base directory specification finds it.
    pub(super) fn default_database(&self) -> DatabaseUrl {
        let absolute = |name: &str| {
            self.0
                .get(name)
                .map(Path::new)
                .filter(|folder| folder.is_absolute())
        };
        let folder = match (absolute("XDG_DATA_HOME"), absolute("HOME")) {
            (Some(data), _) => data.join("tierdesk"),
            (None, Some(home)) => home.join(".local/share/tierdesk"),
            (None, None) => Path::new("").to_owned(),
        };
        DatabaseUrl::sqlite(&folder.join("tierdesk.db"))
    }

    pub(super) fn lay_over(&self, table: &mut Table, notes: &Notes) {
        for (name, text) in &self.0 {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            if name == DATABASE_URL {
                self.lay_database_url(table, notes, text);
                continue;
            }
            let rest = rest.to_ascii_lowercase();
            if !rest.contains("__") && rest != "webhook" {
                note_single_underscore(name, &rest, notes);
                continue;
            }
            let path = key_path(&rest);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let replaced = overlay(table, &path, name, text.clone());
            if !replaced {
                notes.add(problem(
                    name,
                    &path.join("."),
                    "does not fit what the file has there",
                    "Entries of a list are counted from 0 and follow one another.",
                ));
            }
            if let Some(node) = find(table, &path).filter(|_| is_list_of_tables(&path))
                && let Some(value) = parse_variable(&node.place, text)
            {
                node.value = value;
            }
        }
    }

    /// The short name and the long one mean the same key: both are fine as long as they agree.
    fn lay_database_url(&self, table: &mut Table, notes: &Notes, text: &str) {
        if self
            .0
            .get("TIERDESK_DATABASE__URL")
            .is_some_and(|other| other != text)
        {
            let what = "differs from TIERDESK_DATABASE__URL, which means the same";
            notes.add(problem(
                DATABASE_URL,
                "database.url",
                what,
                "Keep one of the two.",
            ));
        }
        overlay(table, &["database", "url"], DATABASE_URL, text.to_owned());
    }
}

/// `discord__channels__gov_federal` to `discord`, `channels`, `gov-federal`: names that operators
/// choose are written with hyphens, which a variable's name cannot have.
fn key_path(rest: &str) -> Vec<String> {
    let mut path: Vec<String> = rest.split("__").map(str::to_owned).collect();
    if let [section, table, name] = path.as_mut_slice()
        && section == "discord"
        && (table == "channels" || table == "roles")
    {
        *name = name.replace('_', "-");
    }
    path
}

fn is_list_of_tables(path: &[&str]) -> bool {
    let list = format!("{}[]", path.join("."));
    keys().any(|key| key.name.starts_with(&list))
}

fn find<'t>(table: &'t mut Table, path: &[&str]) -> Option<&'t mut Node> {
    let (first, rest) = path.split_first()?;
    let node = table.get_mut(*first)?;
    if rest.is_empty() {
        return Some(node);
    }
    match &mut node.value {
        Value::Table(inner) => find(inner, rest),
        _ => None,
    }
}

/// A key written with one underscore would be ignored in silence. Other names are left alone:
/// container platforms set variables like TIERDESK_PORT for a service called tierdesk.
fn note_single_underscore(name: &str, rest: &str, notes: &Notes) {
    if matches!(name, "TIERDESK_CONFIG" | "TIERDESK_LOG") {
        return;
    }
    let flat = |key: &&Key| key.name.replace('.', "_") == rest;
    let Some(key) = keys().find(flat) else { return };
    let variable = format!(
        "{PREFIX}{}",
        key.name.replace('.', "__").to_ascii_uppercase()
    );
    let what = "has one underscore between section and key";
    notes.add(problem(name, key.name, what, &format!("Write {variable}.")));
}

fn problem(variable: &str, key: &str, what: &str, remedy: &str) -> Problem {
    Problem {
        place: Place::Variable(variable.to_owned()),
        key: key.to_owned(),
        what: what.to_owned(),
        remedy: remedy.to_owned(),
    }
}
