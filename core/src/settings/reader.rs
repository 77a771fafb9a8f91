//! Reads typed values out of a [`super::tree`] and collects every problem instead of stopping at
//! the first. A section remembers which keys were asked for; `finish` refuses all others.

use std::{cell::RefCell, collections::BTreeSet, path::PathBuf};

use super::{
    problem::{Place, Problem, Wrong, nearest},
    secret::{self, Secret},
    tree::{Node, Table, Value, parse_variable},
};

/// What is gathered while a text is read.
#[derive(Default)]
pub(crate) struct Notes {
    problems: RefCell<Vec<Problem>>,
    asked: RefCell<BTreeSet<String>>,
    set: RefCell<BTreeSet<String>>,
}

impl Notes {
    pub(crate) fn add(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// The problems in the order in which they stand in the text.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| match &problem.place {
            Place::File { line, .. } => (0, *line),
            Place::Variable(_) => (1, 0),
        });
        problems
    }

    /// The keys that were asked for, list entries written `mail.imap[].url`.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> BTreeSet<String> {
        self.asked.borrow().clone()
    }

    /// The keys among them that were given.
    #[cfg(test)]
    pub(crate) fn set(&self) -> BTreeSet<String> {
        self.set.borrow().clone()
    }
}

/// A value with its key and place, so that a later check can still point at it.
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) key: String,
    pub(crate) place: Place,
}

/// One table of the text, or the absence of one.
pub(crate) struct Section<'a> {
    notes: &'a Notes,
    /// `mail.imap[0]`, for people.
    path: String,
    /// `mail.imap[]`, for the list of keys.
    pattern: String,
    place: Place,
    table: Option<&'a Table>,
    names: RefCell<Vec<String>>,
    /// The names in it are the operator's own: `discord.channels`.
    is_own: bool,
}

impl<'a> Section<'a> {
    /// The whole text.
    pub(crate) fn root(notes: &'a Notes, table: &'a Table, place: Place) -> Self {
        Self::new(notes, String::new(), String::new(), place, Some(table))
    }

    fn new(
        notes: &'a Notes,
        path: String,
        pattern: String,
        place: Place,
        table: Option<&'a Table>,
    ) -> Self {
        Self {
            notes,
            path,
            pattern,
            place,
            table,
            names: RefCell::default(),
            is_own: false,
        }
    }

    fn join(prefix: &str, name: &str) -> String {
        if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}.{name}")
        }
    }

    /// The dotted key of `name` in this section.
    pub(crate) fn key(&self, name: &str) -> String {
        Self::join(&self.path, name)
    }

    /// Where the section begins.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Where the value at this path below the section stands, or the nearest table around it.
    pub(crate) fn place_of(&self, path: &[&str]) -> Place {
        let mut place = &self.place;
        let mut table = self.table;
        for name in path {
            let Some(node) = table.and_then(|table| table.get(*name)) else {
                break;
            };
            place = &node.place;
            table = match &node.value {
                Value::Table(table) => Some(table),
                _ => None,
            };
        }
        place.clone()
    }

    /// Asks for a key: from now on it is a known one.
    fn node(&self, name: &str) -> Option<&'a Node> {
        let pattern = if self.is_own {
            self.pattern.clone()
        } else {
            Self::join(&self.pattern, name)
        };
        self.names.borrow_mut().push(name.to_owned());
        let node = self.table.and_then(|table| table.get(name));
        if node.is_some() {
            self.notes.set.borrow_mut().insert(pattern.clone());
        }
        self.notes.asked.borrow_mut().insert(pattern);
        node
    }

    /// Records a problem with `name` at `place`.
    pub(crate) fn refuse(&self, name: &str, place: &Place, wrong: Wrong) {
        self.notes.add(Problem {
            place: place.clone(),
            key: self.key(name),
            what: wrong.what,
            remedy: wrong.remedy,
        });
    }

    /// Records that a key which must be there is not.
    pub(crate) fn missing(&self, name: &str, remedy: &str) {
        self.refuse(name, &self.place, Wrong::new("is missing", remedy));
    }

    fn refuse_kind(&self, name: &str, node: &Node, wanted: &str) {
        let what = format!("is {} where {wanted} is expected", node.value.kind());
        self.refuse(
            name,
            &node.place,
            Wrong::new(what, format!("Write {wanted}.")),
        );
    }

    fn given<T>(&self, name: &str, node: &Node, value: T) -> Given<T> {
        Given {
            value,
            key: self.key(name),
            place: node.place.clone(),
        }
    }

    /// A value of its own type, read from text.
    pub(crate) fn parse<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<Given<T>> {
        let node = self.node(name)?;
        let Value::Text(text) = &node.value else {
            self.refuse_kind(name, node, "text in quotes");
            return None;
        };
        match parse(text) {
            Ok(value) => Some(self.given(name, node, value)),
            Err(wrong) => {
                self.refuse(name, &node.place, wrong);
                None
            }
        }
    }

    /// Like [`Self::parse`]; a number is taken as its digits. For ids that people write bare.
    pub(crate) fn parse_digits<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<Given<T>> {
        let node = self.table.and_then(|table| table.get(name));
        let Some(Node {
            value: Value::Integer(number),
            ..
        }) = node
        else {
            return self.parse(name, parse);
        };
        let node = self.node(name)?;
        match parse(&number.to_string()) {
            Ok(value) => Some(self.given(name, node, value)),
            Err(wrong) => {
                self.refuse(name, &node.place, wrong);
                None
            }
        }
    }

    /// Text that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<Given<String>> {
        self.parse(name, |text| {
            if text.trim().is_empty() {
                return Err(Wrong::new("is empty", "Give a value or leave the key out."));
            }
            Ok(text.trim().to_owned())
        })
    }

    /// A file or folder; a relative one counts from the working directory.
    pub(crate) fn path(&self, name: &str) -> Option<Given<PathBuf>> {
        let Given { value, key, place } = self.text(name)?;
        Some(Given {
            value: PathBuf::from(value),
            key,
            place,
        })
    }

    /// A whole number from 0 to `most`.
    pub(crate) fn number(&self, name: &str, most: u32) -> Option<Given<u32>> {
        let node = self.node(name)?;
        let number = match &node.value {
            Value::Integer(number) => Some(*number),
            Value::Text(text) if node.place.is_variable() => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.and_then(|number| u32::try_from(number).ok());
        if let Some(number) = number.filter(|number| *number <= most) {
            return Some(self.given(name, node, number));
        }
        let wanted = format!("a whole number from 0 to {most}");
        if let Value::Integer(number) = &node.value {
            let wrong = Wrong::new(format!("is {number}"), format!("Write {wanted}."));
            self.refuse(name, &node.place, wrong);
        } else {
            self.refuse_kind(name, node, &wanted);
        }
        None
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Option<Given<bool>> {
        let node = self.node(name)?;
        let flag = match &node.value {
            Value::Boolean(flag) => Some(*flag),
            Value::Text(text) if node.place.is_variable() => text.trim().parse().ok(),
            _ => None,
        };
        if flag.is_none() {
            self.refuse_kind(name, node, "true or false");
        }
        flag.map(|flag| self.given(name, node, flag))
    }

    /// A list of texts; in the environment also separated by commas. An entry that does not parse
    /// is a problem and is left out.
    pub(crate) fn texts<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Given<Vec<T>>> {
        let node = self.node(name)?;
        let from_variable;
        let items: Vec<&str> = match &node.value {
            Value::List(items) => self.text_items(name, items),
            Value::Text(text) if node.place.is_variable() => {
                from_variable = parse_variable(&node.place, text);
                match &from_variable {
                    Some(Value::List(items)) => self.text_items(name, items),
                    _ => text
                        .split(',')
                        .map(str::trim)
                        .filter(|item| !item.is_empty())
                        .collect(),
                }
            }
            _ => {
                self.refuse_kind(name, node, "a list of texts, [\"one\", \"two\"],");
                return None;
            }
        };
        let parsed = items.into_iter().filter_map(|item| match parse(item) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.refuse(name, &node.place, wrong);
                None
            }
        });
        Some(self.given(name, node, parsed.collect()))
    }

    fn text_items<'n>(&self, name: &str, items: &'n [Node]) -> Vec<&'n str> {
        items
            .iter()
            .filter_map(|item| {
                if let Value::Text(text) = &item.value {
                    return Some(text.as_str());
                }
                self.refuse_kind(name, item, "text in quotes");
                None
            })
            .collect()
    }

    /// A secret, given as `name` or as the file that `name_file` names. The layer above wins; both
    /// in one layer is a problem, because nobody can tell which was meant.
    pub(crate) fn secret(&self, name: &str) -> Option<Given<Secret>> {
        let file_name = format!("{name}_file");
        let (direct, file) = (self.node(name), self.node(&file_name));
        if let (Some(direct), Some(file)) = (direct, file)
            && direct.place.is_variable() == file.place.is_variable()
        {
            let what = format!("is given twice, here and as {}", self.key(&file_name));
            self.refuse(
                name,
                &direct.place,
                Wrong::new(what, "Keep one of the two."),
            );
            return None;
        }
        let from_file = file.filter(|file| {
            direct.is_none_or(|direct| file.place.is_variable() && !direct.place.is_variable())
        });
        let (name, node) = match from_file {
            Some(file) => (file_name.as_str(), file),
            None => (name, direct?),
        };
        let Value::Text(text) = &node.value else {
            self.refuse_kind(name, node, "text in quotes");
            return None;
        };
        let secret = if from_file.is_some() {
            secret::read(text)
        } else {
            secret::check(text)
        };
        match secret {
            Ok(secret) => Some(self.given(name, node, secret)),
            Err(wrong) => {
                self.refuse(name, &node.place, wrong);
                None
            }
        }
    }

    /// The table `name` of this one; an absent one reads as empty.
    pub(crate) fn section(&self, name: &str) -> Section<'a> {
        let node = self.table.and_then(|table| table.get(name));
        self.names.borrow_mut().push(name.to_owned());
        let table = match node.map(|node| &node.value) {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        };
        if let (Some(node), None) = (node, table) {
            self.refuse_kind(name, node, &format!("a table, [{}],", self.key(name)));
        }
        let place = node.map_or_else(|| self.place.clone(), |node| node.place.clone());
        let pattern = Self::join(&self.pattern, name);
        Self::new(self.notes, self.key(name), pattern, place, table)
    }

    /// The table `name`, whose keys are the operator's own; in the list of keys it is one key.
    pub(crate) fn own_section(&self, name: &str) -> Section<'a> {
        self.notes
            .asked
            .borrow_mut()
            .insert(Self::join(&self.pattern, name));
        Section {
            is_own: true,
            ..self.section(name)
        }
    }

    /// Whether `name` is given, rightly or wrongly.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(name))
    }

    /// The tables of a list: `[[name]]`.
    pub(crate) fn sections(&self, name: &str) -> Vec<Section<'a>> {
        let node = self.node(name);
        let Some(node) = node else { return Vec::new() };
        let Value::List(items) = &node.value else {
            self.refuse_kind(
                name,
                node,
                &format!("a list of tables, [[{}]],", self.key(name)),
            );
            return Vec::new();
        };
        let pattern = format!("{}[]", Self::join(&self.pattern, name));
        let mut sections = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", self.key(name));
            match &item.value {
                Value::Table(table) => sections.push(Self::new(
                    self.notes,
                    path,
                    pattern.clone(),
                    item.place.clone(),
                    Some(table),
                )),
                _ => self.refuse_kind(name, item, "a table"),
            }
        }
        sections
    }

    /// The names in a table whose keys are the operator's own, like `discord.channels`.
    pub(crate) fn own_names(&self) -> Vec<&'a str> {
        self.table
            .into_iter()
            .flat_map(|table| table.keys().map(String::as_str))
            .collect()
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(&self) {
        let names = self.names.borrow();
        for (name, node) in self.table.into_iter().flatten() {
            if names.iter().any(|known| known == name) {
                continue;
            }
            let remedy = match nearest(name, names.iter().map(String::as_str)) {
                Some(meant) => format!("Did you mean {}?", self.key(meant)),
                None => format!("Known here: {}.", names.join(", ")),
            };
            self.refuse(name, &node.place, Wrong::new("is not a known key", remedy));
        }
    }
}
